"""What CloudTrail records about the calls that the lab serves: events of its schema 1.11.

An event is noted with each call and costs it next to nothing; its record is made when somebody
asks for it. Whoever wants the events registers in LISTENERS.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from moto.core.utils import get_service_model

from awslab import calls
from awslab.calls import LARGE, Call, size_of
from awslab.cloudtrail_notation import (
    Elements,
    error_of,
    is_known,
    request_id_of,
    request_parameters,
    response_elements,
)
from awslab.extension import on_reset
from awslab.services.identity import ACCOUNT, USER, USER_ID, is_session, principal_of
from awslab.services.s3 import find_bucket, find_endpoint

EVENT_VERSION = "1.11"
SOURCE_IP = "192.0.2.1"  # the address that bucket policies see, too
MANAGEMENT, DATA, NETWORK = "Management", "Data", "NetworkActivity"

# Services whose events bear another name than their signing name.
SOURCES = {"application-autoscaling": "autoscaling", "sagemaker-metrics": "metrics-sagemaker"}
# Recorded in us-east-1, wherever the call came from.
GLOBAL_SERVICES = {"iam", "cloudfront", "route53", "organizations", "budgets", "ce", "support"}
UNRECORDED = {("logs", "PutLogEvents"), ("events", "PutEvents")}

READ_ONLY = re.compile(
    "(BatchCheck|BatchDescribe|BatchGet|Check|Describe|Download|Estimate|Filter|Get|Head|List"
    "|Lookup|Preview|Query$|Scan$|Search|Select|Simulate|Test|TransactGet|Validate)"
)
# Whatever their names say (KMS and STS developer guides).
ALSO_READ_ONLY = {
    "kms": re.compile("Decrypt|Encrypt|Generate.*|ReEncrypt|Sign|Verify.*"),
    "sts": re.compile("AssumeRole.*"),
}

EVENT_NAMES = {
    ("s3", "DeletePublicAccessBlock"): "DeleteBucketPublicAccessBlock",
    ("s3", "GetBucketLifecycleConfiguration"): "GetBucketLifecycle",
    ("s3", "GetBucketNotificationConfiguration"): "GetBucketNotification",
    ("s3", "GetObjectLockConfiguration"): "GetBucketObjectLockConfiguration",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "ListObjectsV2"): "ListObjects",
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3", "PutBucketNotificationConfiguration"): "PutBucketNotification",
    ("s3", "PutObjectLockConfiguration"): "PutBucketObjectLockConfiguration",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
}
# Lambda's event names end with the version of the API, and some with the version of the operation.
LAMBDA_V2 = {
    "AddPermission",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetPolicy",
    "RemovePermission",
    "TagResource",
    "UntagResource",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
}

# Data events by service: operations, the type of the resource, the member that names it, its ARN.
DATA_EVENTS: dict[str, tuple[str, str, str, str]] = {
    "cloudwatch": (
        "PutMetricData|GetMetricData|GetMetricStatistics|GetMetricWidgetImage|ListMetrics",
        "AWS::CloudWatch::Metric",
        "",
        "",
    ),
    "dynamodb": (
        r"(Batch(Get|Write)|Delete|Get|Put|TransactGet|TransactWrite|Update)Items?|Query|Scan"
        "|(Batch)?ExecuteStatement|ExecuteTransaction",
        "AWS::DynamoDB::Table",
        "TableName",
        "dynamodb:{region}:{account}:table/{name}",
    ),
    "firehose": (
        "PutRecord|PutRecordBatch",
        "AWS::KinesisFirehose::DeliveryStream",
        "DeliveryStreamName",
        "firehose:{region}:{account}:deliverystream/{name}",
    ),
    "kinesis": (
        "GetRecords|GetShardIterator|PutRecords?|SubscribeToShard",
        "AWS::Kinesis::Stream",
        "StreamName",
        "kinesis:{region}:{account}:stream/{name}",
    ),
    "lambda": (
        "Invoke|InvokeAsync|InvokeWithResponseStream",
        "AWS::Lambda::Function",
        "FunctionName",
        "lambda:{region}:{account}:function:{name}",
    ),
    "rds-data": (".*", "AWS::RDS::DBCluster", "resourceArn", ""),
    "s3": (
        "HeadBucket|ListObjects|ListObjectsV2|ListObjectVersions|ListParts|ListMultipartUploads"
        "|UploadPart|UploadPartCopy|[A-Za-z]+(Object|Objects|MultipartUpload|ObjectAcl"
        "|ObjectAttributes|ObjectContent|ObjectLegalHold|ObjectRetention|ObjectTagging"
        "|ObjectTorrent)",
        "AWS::S3::Object",
        "",
        "",
    ),
    "sagemaker-featurestore-runtime": (
        ".*",
        "AWS::SageMaker::FeatureGroup",
        "FeatureGroupName",
        "sagemaker:{region}:{account}:feature-group/{name}",
    ),
    "sagemaker-metrics": (
        ".*",
        "AWS::SageMaker::ExperimentTrialComponent",
        "TrialComponentName",
        "sagemaker:{region}:{account}:experiment-trial-component/{name}",
    ),
    "sagemaker-runtime": (
        ".*",
        "AWS::SageMaker::Endpoint",
        "EndpointName",
        "sagemaker:{region}:{account}:endpoint/{name}",
    ),
    "sns": ("Publish|PublishBatch", "AWS::SNS::Topic", "TopicArn", ""),
    "sqs": (
        "(Send|Delete|Receive)Message(Batch)?|ChangeMessageVisibility(Batch)?",
        "AWS::SQS::Queue",
        "QueueUrl",
        "sqs:{region}:{account}:{name}",
    ),
}


@dataclass(frozen=True)
class Kind:
    """What all calls of one operation have in common."""

    source: str
    name: str
    category: str
    read_only: bool
    resource_type: str = ""
    is_global: bool = False


@cache
def kind_of(service: str, operation: str) -> Kind | None:
    """None: CloudTrail does not record such calls, or AWS has no such operation."""
    if (service, operation) in UNRECORDED or not is_known(service, operation):
        return None
    signing_name = get_service_model(service).signing_name
    pattern, resource_type, *_ = DATA_EVENTS.get(service, ("(?!)", ""))
    is_data = re.fullmatch(pattern, operation) is not None
    also = ALSO_READ_ONLY.get(service)
    reads = READ_ONLY.match(operation) or (also and also.fullmatch(operation))
    return Kind(
        source=f"{SOURCES.get(service, signing_name)}.amazonaws.com",
        name=event_name(service, operation),
        category=DATA if is_data else MANAGEMENT,
        read_only=bool(reads),
        resource_type=resource_type if is_data else "",
        is_global=service in GLOBAL_SERVICES,
    )


def event_name(service: str, operation: str) -> str:
    if service == "lambda" and not operation.startswith("Invoke"):
        route = get_service_model(service).operation_model(operation).http["requestUri"]
        version = route.split("/")[1].replace("-", "")
        return f"{operation}{version}{'v2' if operation in LAMBDA_V2 else ''}"
    return EVENT_NAMES.get((service, operation), operation)


@dataclass
class Event:
    """One call as the trail of one account sees it.

    identity: the `userIdentity`; user: the name by which LookupEvents finds it.
    account: whose event it is; region: where it is recorded.
    """

    call: Call | None = field(repr=False)
    kind: Kind
    category: str
    at: datetime
    account: str
    region: str
    identity: Elements = field(repr=False)
    user: str
    endpoint: str = ""  # the VPC endpoint that the call came through
    shared_id: str = ""  # what it has in common with the event of another account
    id: str = field(default_factory=lambda: str(uuid4()))
    _record: Elements | None = field(default=None, repr=False)

    @property
    def record(self) -> Elements:
        """The event in the words of CloudTrail; made once, and never to be changed."""
        call = self.call
        if self._record is None and call is not None:
            self._record = without_none(record_of(self, call))
            self.call = None
        return self._record or {}

    @property
    def text(self) -> str:
        return json.dumps(self.record, ensure_ascii=False, separators=(",", ":"), default=str)


LISTENERS: list[Callable[[Event], None]] = []


def observe(call: Call) -> None:
    """Tell the listeners which events a call makes."""
    if LISTENERS and call.status != 501:
        for event in events_of(call):
            if size_of(call) > LARGE:  # it will be forgotten
                _ = event.record
            for listener in LISTENERS:
                listener(event)


calls.LISTENERS.append(observe)


def events_of(call: Call) -> list[Event]:
    """The event of the caller's account, and those of others that have a part in the call."""
    kind = kind_of(call.service, call.operation)
    if kind is None:
        return []
    identity, user = identity_of(call)
    endpoint = endpoint_of(call)
    event = Event(
        call=call,
        kind=kind,
        category=kind.category,
        at=call.at,
        account=call.account,
        region=region_of(call),
        identity=identity,
        user=user,
        endpoint=endpoint,
        shared_id=str(uuid4()) if is_foreign_role(call) else "",
    )
    events = [event]
    if event.shared_id:
        events.append(seen_by_the_role(event, call))
    if endpoint:
        events.append(replace(event, category=NETWORK, id=str(uuid4()), shared_id=str(uuid4())))
    return events


def is_foreign_role(call: Call) -> bool:
    """Whether a role of another account was assumed: both accounts record it."""
    return (
        call.service == "sts"
        and call.operation == "AssumeRole"
        and call.status < 300
        and role_account(call) not in ("", call.account)
    )


def role_account(call: Call) -> str:
    role: str = call.served_by.normalized_request.values.get("RoleArn", "")
    return role.split(":")[4] if role.count(":") >= 5 else ""


def seen_by_the_role(event: Event, call: Call) -> Event:
    """The event in the account of the role: it knows only the account of the caller."""
    identity = {
        "type": "AWSAccount",
        "principalId": event.identity["principalId"],
        "accountId": event.account,
    }
    return replace(event, account=role_account(call), identity=identity, user="", id=str(uuid4()))


def region_of(call: Call) -> str:
    if call.service in GLOBAL_SERVICES:
        return "us-east-1"
    if call.service == "s3":
        bucket = find_bucket(call.served_by.bucket_name)
        if bucket:
            return str(bucket.region_name)
    return call.region


def endpoint_of(call: Call) -> str:
    user_agent = call.served_by.headers.get("User-Agent") or ""
    if call.service != "s3" or "app/vpce-" not in user_agent:
        return ""
    endpoint = find_endpoint(call.account, region_of(call), user_agent)
    return endpoint.id if endpoint else ""


# --- Who called ---

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
# Of sessions by access key: for a role that does not exist moto makes up a new id at each look.
SESSION_IDS: dict[str, str] = {}
on_reset(SESSION_IDS.clear)


def identity_of(call: Call) -> tuple[Elements, str]:
    """The `userIdentity` of the caller, and the name by which LookupEvents finds it."""
    served_by = call.served_by
    signed = CREDENTIAL.search(served_by.headers.get("Authorization") or "")
    key = {"accessKeyId": signed[1]} if signed else {}
    principal = principal_of(served_by.access_key)
    if principal is None:
        return user_identity(USER, USER_ID, ACCOUNT, key, "lab"), "lab"
    if is_session(principal):
        return session_identity(principal, key), principal.session_name
    user = (principal.arn, principal.id, principal.account_id, key, principal.name)
    return user_identity(*user), principal.name


def user_identity(arn: str, unique_id: str, account: str, key: Elements, name: str) -> Elements:
    who = {"type": "IAMUser", "principalId": unique_id, "arn": arn, "accountId": account}
    return who | key | {"userName": name}


def session_identity(session: Any, key: Elements) -> Elements:
    unique_id = SESSION_IDS.setdefault(session.access_key_id, session.user_id)
    return {
        "type": "AssumedRole",
        "principalId": unique_id,
        "arn": session.arn,
        "accountId": session.account_id,
        **key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique_id.partition(":")[0],
                "arn": session.role_arn,
                "accountId": session.account_id,
                "userName": session.role_arn.rpartition("/")[2],
            },
            "attributes": {
                "creationDate": utc(session.access_key.create_date),
                "mfaAuthenticated": "false",
            },
        },
    }


# --- The record ---


def utc(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def without_none(record: Elements) -> Elements:
    """AWS writes null for these two, and leaves other members out."""
    kept = ("requestParameters", "responseElements")
    return {n: value for n, value in record.items() if value is not None or n in kept}


def record_of(event: Event, call: Call) -> Elements:
    kind = event.kind
    code, message = error_of(call) if call.status >= 300 else (None, None)
    user_agent = call.served_by.headers.get("User-Agent") or ""
    parameters = request_parameters(call, with_document=kind.category == MANAGEMENT)
    record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": event.identity,
        "eventTime": utc(event.at),
        "eventSource": kind.source,
        "eventName": kind.name,
        "awsRegion": event.region,
        "sourceIPAddress": SOURCE_IP,
        "userAgent": f"[{user_agent}]" if call.service == "s3" else user_agent,
        "errorCode": code,
        "errorMessage": message,
        "requestParameters": parameters,
        "responseElements": response_elements(call) if shows_answer(event, call) else None,
        "additionalEventData": transfer_of(call) if call.service == "s3" else None,
        "requestID": request_id_of(call) or str(uuid4()),
        "eventID": event.id,
        "readOnly": kind.read_only,
        "resources": resources_of(event, call, parameters or {}) or None,
        "eventType": "AwsApiCall",
        "managementEvent": event.category == MANAGEMENT,
        "recipientAccountId": event.account,
        "sharedEventID": event.shared_id or None,
        "vpcEndpointId": event.endpoint or None,
        "vpcEndpointAccountId": event.account if event.endpoint else None,
        "eventCategory": event.category,
    }
    return network_record(record) if event.category == NETWORK else record


def shows_answer(event: Event, call: Call) -> bool:
    return not event.kind.read_only or call.operation.startswith("AssumeRole")


NOT_IN_NETWORK_EVENTS = {
    "additionalEventData",
    "managementEvent",
    "readOnly",
    "requestParameters",
    "resources",
    "responseElements",
    "userAgent",
}


def network_record(record: Elements) -> Elements:
    """What the owner of the endpoint sees; only the endpoint's own refusal is an error there."""
    said: Elements = {"eventType": "AwsVpceEvent", "errorCode": None, "errorMessage": None}
    if "VPC endpoint policy" in (record["errorMessage"] or ""):
        said["errorCode"] = "VpceAccessDenied"
        said["errorMessage"] = "The request was denied due to a VPC endpoint policy"
    return {n: said.get(n, v) for n, v in record.items() if n not in NOT_IN_NETWORK_EVENTS}


def transfer_of(call: Call) -> Elements:
    sent = call.served_by.normalized_request.content_length or 0
    return {
        "SignatureVersion": "SigV4",
        "AuthenticationMethod": "AuthHeader",
        "bytesTransferredIn": sent,
        "bytesTransferredOut": len(call.body or ""),
    }


def resources_of(event: Event, call: Call, parameters: Elements) -> list[Elements]:
    """The `resources` of the few services that write them into their events."""
    owner = {"accountId": event.account}
    if call.service == "s3" and "bucketName" in parameters:
        return s3_resources(event, parameters)
    if call.service == "kms":
        key = str(parameters.get("keyId") or "alias/")
        if "alias/" in key:
            return []
        arn = (
            key
            if key.startswith("arn:")
            else f"arn:aws:kms:{event.region}:{event.account}:key/{key}"
        )
        return [owner | {"type": "AWS::KMS::Key", "ARN": arn}]
    if call.service == "sts" and parameters.get("roleArn"):
        account = {"accountId": role_account(call)}
        return [account | {"type": "AWS::IAM::Role", "ARN": parameters["roleArn"]}]
    if event.category != DATA:
        return []
    _, resource_type, member, form = DATA_EVENTS[call.service]
    name = name_of_resource(call, member, parameters)
    if not name:
        return []
    arn = name
    if not name.startswith("arn:"):
        place = form.format(
            region=event.region, account=event.account, name=name.rpartition("/")[2]
        )
        arn = f"arn:aws:{place}"
    return [owner | {"type": resource_type, "ARN": arn}]


def name_of_resource(call: Call, member: str, parameters: Elements) -> str:
    if call.service == "sagemaker-runtime":  # its parameters are not recorded
        parts = call.served_by.normalized_request.path.split("/")
        return parts[2] if len(parts) > 2 else ""
    return str(parameters.get(member[:1].lower() + member[1:], "")) if member else ""


def s3_resources(event: Event, parameters: Elements) -> list[Elements]:
    name, key = parameters["bucketName"], parameters.get("key")
    bucket = find_bucket(name)
    owner = bucket.account_id if bucket else event.account
    found = [{"accountId": owner, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{name}"}]
    if event.category == DATA and key is not None:
        found.insert(0, {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{name}/{key}"})
    elif event.category == DATA:
        found.insert(0, {"type": "AWS::S3::Object", "ARNPrefix": f"arn:aws:s3:::{name}/"})
    return found
