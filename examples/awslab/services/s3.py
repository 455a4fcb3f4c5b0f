"""Who may do what with a bucket: bucket policy, endpoint policy, and the path a request took.

A client on a laptop has no VPC, so the lab reads the path from the User-Agent: with
`AWS_SDK_UA_APP_ID=vpce-…` in the environment, every SDK and the AWS CLI announce that id, and the
lab treats the request as one that came through this gateway endpoint. The lab's server speaks plain
HTTP to clients that would send the same request to AWS through TLS, so it counts as sent through
TLS, unless the client announces `plain-http` in the same way.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

import moto.s3.models
from moto.core.routing import get_service_router
from moto.ec2.models import ec2_backends
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, FakeDeleteMarker, S3Backend, s3_backends
from moto.s3.responses import S3Response

from awslab.actions import action_of
from awslab.clock import naive_now
from awslab.current import served
from awslab.extension import Function, changes, sets
from awslab.policy import as_list, verdict
from awslab.services.identity import principals_of

sets(
    moto.s3.models,
    "utcnow",
    naive_now,
    service="s3",
    operation="PutObject",
    reason="dates every object by the wall's clock",
)

# Told the name of a bucket before somebody reads it: what is late to be delivered comes first.
BEFORE_READING: list[Callable[[str], None]] = []
APP_ID = re.compile(r"\bapp/(vpce-[0-9a-f]+)")
PLAIN_HTTP = re.compile(r"\bapp/plain-http\b")


@dataclass
class Caller:
    """What the policies may ask about the request that is being served."""

    principals: list[str]
    account: str
    context: dict[str, str]
    endpoint: Any


class Deleting(threading.local):
    """Whose DeleteObjects this thread serves; None during every other request."""

    caller: Caller | None = None


deleting = Deleting()


class AccessDenied(S3ClientError):
    """S3 tells the reason to callers of the bucket's own account, and to nobody else."""

    def __init__(
        self, caller: Caller, bucket: FakeBucket, action: str, resource: str, because: str
    ) -> None:
        reason = (
            f"User: {caller.principals[-1]} is not authorized to perform: {action} "
            f'on resource: "{resource}" {because}'
        )
        super().__init__(
            "AccessDenied", reason if caller.account == bucket.account_id else "Access Denied"
        )


@cache
def router() -> Any:
    return get_service_router("s3")


def find_bucket(name: str | None) -> FakeBucket | None:
    """The bucket of this name, whichever account owns it."""
    partition, account = s3_backends.bucket_accounts.get(name or "", ("aws", ""))
    return s3_backends[account][partition].buckets.get(name) if account else None


def announce_reading(bucket_name: str) -> None:
    for step in BEFORE_READING:
        step(bucket_name)


def find_endpoint(account: str, region: str, user_agent: str) -> Any:
    """The available S3 gateway endpoint that the client announced, of this account and Region."""
    announced = APP_ID.search(user_agent)
    if announced is None:
        return None
    endpoint = ec2_backends[account][region].vpc_end_points.get(announced[1])
    if endpoint is None or not endpoint.service_name.endswith(".s3"):
        return None
    return endpoint


def is_through_tls(response: S3Response) -> bool:
    """Whether the request would reach AWS through TLS."""
    if served.address is None:
        return bool(response.uri.startswith("https"))
    return PLAIN_HTTP.search(response.headers.get("User-Agent", "")) is None


def caller_of(response: S3Response, region: str) -> Caller:
    headers = response.headers
    principals = principals_of(response.get_access_key())
    account = principals[0].split(":")[4]
    endpoint = find_endpoint(account, region, headers.get("User-Agent", ""))
    context = {
        "aws:PrincipalArn": principals[0],
        "aws:PrincipalAccount": account,
        "aws:PrincipalIsAWSService": "false",
        "aws:ViaAWSService": "false",
        "aws:SecureTransport": str(is_through_tls(response)).lower(),
        "aws:RequestedRegion": region,
    }
    if endpoint:
        # A request through an endpoint has no aws:SourceIp; that of the instance is not simulated.
        context |= {"aws:SourceVpce": endpoint.id, "aws:SourceVpc": endpoint.vpc_id}
    else:
        context |= {"aws:SourceIp": "192.0.2.1"}
    return Caller(principals, account, context, endpoint)


def judge(caller: Caller, bucket: FakeBucket, action: str, resource: str) -> str | None:
    """Why the request is refused, in S3's words; None when it is allowed."""
    if caller.endpoint:
        policy = json.loads(caller.endpoint.policy_document)
        said = verdict(policy, action, resource, caller.principals, caller.context)
        if said == "deny":
            return "with an explicit deny in a VPC endpoint policy"
        if said == "silent":
            return f"because no VPC endpoint policy allows the {action} action"
    policy = json.loads(bucket.policy or '{"Statement": []}')
    said = verdict(policy, action, resource, caller.principals, caller.context)
    if said == "deny":
        return "with an explicit deny in a resource-based policy"
    if said == "silent" and caller.account != bucket.account_id:
        return f"because no resource-based policy allows the {action} action"
    return None


@changes(
    S3Response,
    "s3",
    "all requests",
    reason=(
        "bucket policies: ignores every Condition and whose bucket it is, checks objects only; "
        "endpoint policies: ignores them"
    ),
    differs=(
        "the path is announced by `AWS_SDK_UA_APP_ID=vpce-…`; requests to the lab's server count "
        "as sent through TLS, except with `AWS_SDK_UA_APP_ID=plain-http`; identity policies are "
        "not enforced (each example proves its own); condition keys of single S3 operations are "
        "absent"
    ),
)
def _authenticate_and_authorize_s3_action(
    original: Function, self: Any, bucket_name: Any = None, key_name: Any = None
) -> Any:
    original(self, bucket_name=bucket_name, key_name=key_name)
    bucket = find_bucket(bucket_name)
    if bucket and self.request.method in ("GET", "HEAD"):
        announce_reading(bucket.name)
    operation, _ = router().match(self.request)
    # A name that is taken is no question of policies; DeleteObjects is one object by object, below.
    if bucket is None or operation.name in ("CreateBucket", "DeleteObjects"):
        return
    caller = caller_of(self, bucket.region_name)
    version = "versionId" in self.querystring
    checks = [(action_of("s3", operation.name, of_a_version=version), bucket, key_name)]
    source = self.headers.get("x-amz-copy-source")
    if source:
        path, _, source_version = source.partition("?versionId=")
        name, _, key = unquote(path).lstrip("/").partition("/")
        origin = find_bucket(name)
        if origin:
            action = action_of("s3", "GetObject", of_a_version=bool(source_version))
            checks.append((action, origin, key))
    for action, target, key in checks:
        resource = target.arn if key is None else f"{target.arn}/{key}"
        because = judge(caller, target, action, resource)
        if because:
            raise AccessDenied(caller, target, action, resource, because)


@changes(
    S3Response,
    "s3",
    "DeleteObjects",
    reason="ignores every Condition",
    differs="with version ids, too, `s3:DeleteObject` is asked for",
)
def _bucket_response_delete_keys(
    original: Function, self: Any, bucket_name: Any, authenticated: Any = True
) -> Any:
    bucket = find_bucket(bucket_name)
    deleting.caller = caller_of(self, bucket.region_name) if bucket else None
    try:
        return original(self, bucket_name, authenticated)
    finally:
        deleting.caller = None


@changes(
    FakeBucket,
    "s3",
    "object requests",
    reason="answers a refused request with an empty 403",
    differs="",
)
def get_permission(original: Function, self: Any, action: Any, resource: Any) -> Any:
    if deleting.caller:
        refused = judge(deleting.caller, self, action, resource)
        return PermissionResult.DENIED if refused else PermissionResult.NEUTRAL
    # Asked before the operation is known: the answer that lets the request reach the check above.
    said = original(self, action, resource)
    return PermissionResult.NEUTRAL if said == PermissionResult.DENIED else said


def problem_of(document: bytes) -> str | None:
    """What S3 says of a bucket policy that could not be judged."""
    try:
        policy = json.loads(document)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        return "Policies must be valid JSON and the first byte must be '{'"
    if not policy.get("Statement"):
        return "Missing required field Statement"
    for statement in as_list(policy["Statement"]):
        for element in ("Effect", "Principal", "Action", "Resource"):
            if element not in statement and f"Not{element}" not in statement:
                return f"Missing required field {element}"
    return None


@changes(
    S3Backend,
    "s3",
    "PutBucketPolicy",
    reason="accepts any text as a policy",
    differs="only the form is checked, not whether principals and actions exist",
)
def put_bucket_policy(original: Function, self: Any, bucket_name: Any, policy: Any) -> Any:
    problem = problem_of(policy)
    if problem:
        raise S3ClientError("MalformedPolicy", problem)
    original(self, bucket_name, policy)


@changes(
    S3Response,
    "s3",
    "HEAD requests",
    reason="gives the error of a refused request a body, but HEAD has none",
    differs="",
)
def serialized(original: Function, self: Any, action_result: Any) -> Any:
    status, headers, body = original(self, action_result)
    return status, headers, "" if self.request.method == "HEAD" else body


@changes(
    S3Backend,
    "s3",
    "DeleteObject",
    reason="where versioning is suspended: deletes all versions; crashes at a delete marker",
    differs="where versioning is suspended, PutObject deletes the old versions",
)
def delete_object(
    original: Function,
    self: Any,
    bucket_name: str,
    key_name: str,
    version_id: str | None = None,
    bypass: bool = False,
) -> Any:
    bucket = self.get_bucket(bucket_name)
    if getattr(bucket, "versioning_status", None) != "Suspended":
        return original(self, bucket_name, key_name, version_id, bypass)
    versions = bucket.keys.getlist(key_name, [])
    if not versions:
        return False, {}
    meant = version_id or "null"
    kept = [each for each in versions if str(each.version_id) != meant]
    answer = {"version-id": meant}
    if version_id is None:
        marker = FakeDeleteMarker(versions[-1])
        marker._version_id = meant
        kept.append(marker)
        answer["delete-marker"] = "true"
    bucket.keys.setlist(key_name, kept)
    if not kept:
        bucket.keys.pop(key_name)
    return True, answer
