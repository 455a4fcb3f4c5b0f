"""Log files and digests: what trails deliver, when, where to, and that it can be verified."""

import contextlib
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from awslab import cloudtrail_events, objects
from awslab.clock import CLOCK, now
from awslab.cloudtrail_events import Event
from awslab.embedded import embedded_lab, environment
from awslab.services.cloudtrail import delivery, selectors
from awslab.state import snapshot
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

Client = Callable[..., Any]

ACCOUNT, OTHER = "111122223333", "444455556666"
REGION = "ap-northeast-1"
BUCKET = "amzn-s3-demo-logs"
LOGS = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/"
DIGESTS = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}
OPEN = {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:*", "Resource": "*"}


@pytest.fixture
def s3(client: Client) -> Any:
    """A client, and a bucket that trails may write to."""
    return bucket_for_trails(client("s3"))


def bucket_for_trails(s3: Any) -> Any:
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    policy = {"Version": "2012-10-17", "Statement": [OPEN]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    return s3


@pytest.fixture
def cloudtrail(s3: Any, client: Client) -> Any:
    return client("cloudtrail")


@pytest.fixture
def frozen() -> Iterator[None]:
    CLOCK.run(0)
    yield
    CLOCK.run(None)


def start(cloudtrail: Any, name: str = "audit", **more: Any) -> None:
    """Create a trail and let it log."""
    cloudtrail.create_trail(Name=name, S3BucketName=BUCKET, **more)
    cloudtrail.start_logging(Name=name)


def keys(s3: Any, prefix: str = LOGS) -> list[str]:
    """Digests are in the order of their time, log files of one minute in none."""
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [found["Key"] for found in listed]


def content(s3: Any, key: str) -> Any:
    return json.loads(gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))


def records(s3: Any, prefix: str = LOGS) -> list[dict[str, Any]]:
    return [record for key in keys(s3, prefix) for record in content(s3, key)["Records"]]


def names(s3: Any, prefix: str = LOGS) -> list[str]:
    """Of all events, sorted."""
    return sorted(record["eventName"] for record in records(s3, prefix))


# --- Log files ---


def test_a_file_lies_where_aws_puts_it(cloudtrail: Any, s3: Any, client: Client) -> None:
    start(cloudtrail)
    client("sagemaker").list_models()
    (key,) = keys(s3)
    day = f"{now():%Y/%m/%d}"
    name = rf"{ACCOUNT}_CloudTrail_{REGION}_\d{{8}}T\d{{4}}Z_[0-9A-Za-z]{{16}}\.json\.gz"
    assert re.fullmatch(f"{LOGS}{day}/{name}", key)
    stored = s3.get_object(Bucket=BUCKET, Key=key)
    assert (stored["ContentType"], stored["ContentEncoding"]) == ("application/json", "gzip")
    assert stored["ServerSideEncryption"] == "AES256"
    found = content(s3, key)
    assert list(found) == ["Records"]
    assert [record["eventName"] for record in found["Records"]] == ["StartLogging", "ListModels"]


def test_the_file_holds_what_the_history_shows(cloudtrail: Any, s3: Any, client: Client) -> None:
    start(cloudtrail)
    client("sagemaker").list_models()
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "ListModels"}]
    (event,) = cloudtrail.lookup_events(LookupAttributes=wanted)["Events"]
    assert json.loads(event["CloudTrailEvent"]) in records(s3)


def test_a_prefix_and_a_key(cloudtrail: Any, s3: Any, client: Client) -> None:
    arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
    statement = {"Effect": "Allow", "Principal": SERVICE, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    key = client("kms").create_key(Policy=policy)["KeyMetadata"]
    start(cloudtrail, S3KeyPrefix="logs/all", KmsKeyId=key["KeyId"])
    client("sagemaker").list_models()
    (name,) = keys(s3, "logs/all/" + LOGS)
    stored = s3.head_object(Bucket=BUCKET, Key=name)
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", key["Arn"])
    assert cloudtrail.get_trail(Name=arn)["Trail"]["KmsKeyId"] == key["Arn"]


def test_every_look_finds_what_happened(cloudtrail: Any, s3: Any, client: Client) -> None:
    """In the instant gait: by a list, a get, a head, the status, and services inside of AWS."""
    start(cloudtrail)
    sagemaker = client("sagemaker")
    assert len(keys(s3)) == 1
    sagemaker.list_models()
    assert len(keys(s3)) == 2
    sagemaker.list_models()
    assert len(objects.keys(f"s3://{BUCKET}/{LOGS}")) == 3
    sagemaker.list_models()
    before = cloudtrail.get_trail_status(Name="audit")["LatestDeliveryTime"]
    assert datetime.now(UTC) - before < timedelta(seconds=5)
    found = names(s3)
    assert found.count("ListModels") == 3 and "GetTrailStatus" in found


def test_nothing_is_delivered_twice_or_without_events(cloudtrail: Any, s3: Any) -> None:
    start(cloudtrail)
    assert len(keys(s3)) == len(keys(s3)) == 1
    assert names(s3) == ["StartLogging"]


def test_every_five_minutes_of_the_clock(
    cloudtrail: Any, s3: Any, client: Client, frozen: None
) -> None:
    start(cloudtrail)
    client("sagemaker").list_models()
    assert keys(s3) == []
    CLOCK.advance(240)
    assert keys(s3) == []
    CLOCK.advance(60)
    assert names(s3) == ["ListModels", "StartLogging"]
    CLOCK.advance(3600)
    assert len(keys(s3)) == 1  # without events there are no files


def test_many_events_do_not_wait(
    cloudtrail: Any, s3: Any, client: Client, frozen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SOON", 3)
    start(cloudtrail)
    for _ in range(5):
        client("sagemaker").list_models()
    assert [len(content(s3, key)["Records"]) for key in keys(s3)] == [3, 3]


def test_a_trail_that_does_not_log_records_nothing(
    cloudtrail: Any, s3: Any, client: Client
) -> None:
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    client("sagemaker").list_models()
    assert keys(s3) == []
    cloudtrail.start_logging(Name="audit")
    cloudtrail.stop_logging(Name="audit")
    client("sagemaker").list_endpoints()
    assert names(s3) == ["StartLogging", "StopLogging"]


def test_a_deleted_trail_delivers_its_last_file(cloudtrail: Any, s3: Any) -> None:
    start(cloudtrail)
    cloudtrail.delete_trail(Name="audit")
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    assert names(s3) == ["DeleteTrail", "StartLogging"]


def test_a_trail_of_one_region_and_one_of_all(cloudtrail: Any, s3: Any, client: Client) -> None:
    start(cloudtrail)
    client("sagemaker", region="eu-west-1").list_models()
    client("iam").list_users()
    assert names(s3, "AWSLogs/") == ["StartLogging"]
    cloudtrail.update_trail(Name="audit", IsMultiRegionTrail=True)
    client("sagemaker", region="eu-west-1").list_models()
    client("iam").list_users()
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail"
    assert names(s3, f"{folder}/eu-west-1/") == ["ListModels"]
    assert names(s3, f"{folder}/us-east-1/") == ["ListUsers"]
    assert names(s3) == ["StartLogging", "UpdateTrail"]


def test_without_global_service_events(s3: Any, client: Client) -> None:
    home = client("cloudtrail", region="us-east-1")
    start(home, "with")
    home.create_trail(
        Name="without", S3BucketName=BUCKET, S3KeyPrefix="p", IncludeGlobalServiceEvents=False
    )
    home.start_logging(Name="without")
    client("iam").list_users()
    assert "ListUsers" in names(s3, "AWSLogs/") and "ListUsers" not in names(s3, "p/")


def test_another_account_is_not_recorded(cloudtrail: Any, s3: Any, client: Client) -> None:
    start(cloudtrail, IsMultiRegionTrail=True)
    session_in(OTHER).client("sagemaker").list_models()
    assert names(s3) == ["AssumeRole", "StartLogging"]


def session_in(account: str) -> boto3.Session:
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    answer = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    found = answer["Credentials"]
    return boto3.Session(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region_name=REGION
    )


def test_an_organization_trail_records_its_members(
    cloudtrail: Any, s3: Any, client: Client
) -> None:
    organizations = client("organizations")
    organization = organizations.create_organization()["Organization"]["Id"]
    made = organizations.create_account(Email="a@example.com", AccountName="a")
    member = made["CreateAccountStatus"]["AccountId"]
    start(cloudtrail, IsOrganizationTrail=True, EnableLogFileValidation=True)
    session_in(member).client("sagemaker").list_models()
    session_in(OTHER).client("sagemaker").list_endpoints()
    folder = f"AWSLogs/{organization}/{member}/CloudTrail/{REGION}/"
    assert names(s3, folder) == ["AssumeRole", "ListModels"]
    assert "ListEndpoints" not in names(s3, f"AWSLogs/{organization}/{ACCOUNT}/CloudTrail/")
    cloudtrail.stop_logging(Name="audit")
    assert len(keys(s3, f"AWSLogs/{organization}/{member}/CloudTrail-Digest/{REGION}/")) == 1


# --- Selectors ---


def put(cloudtrail: Any, *, basic: Any = None, advanced: Any = None) -> None:
    chosen = {"EventSelectors": basic} if basic else {"AdvancedEventSelectors": advanced}
    cloudtrail.put_event_selectors(TrailName="audit", **chosen)


@pytest.fixture(scope="module")
def happened() -> list[Event]:
    """A read and a write of SageMaker, one call of KMS, and reads and writes of objects."""
    seen: list[Event] = []
    cloudtrail_events.LISTENERS.append(seen.append)
    with embedded_lab():
        boto3.client("sagemaker").list_models()
        boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
        boto3.client("kms").list_keys()
        s3, data = boto3.client("s3"), {"Bucket": "amzn-s3-demo-data"}
        s3.create_bucket(CreateBucketConfiguration={"LocationConstraint": REGION}, **data)
        s3.put_object(Key="in/a.csv", Body=b"1", **data)
        s3.put_object(Key="out/b.csv", Body=b"1", **data)
        s3.get_object(Key="in/a.csv", **data)
        s3.list_objects_v2(**data)
    cloudtrail_events.LISTENERS.remove(seen.append)
    return seen


def let_through(happened: list[Event], basic: Any, advanced: Any) -> list[str]:
    passing = selectors.categories(basic, advanced)
    passed = [event for event in happened if selectors.let_through(event, basic, advanced)]
    assert {event.category for event in passed} <= passing
    return [event.kind.name for event in passed]


CSV = "arn:aws:s3:::amzn-s3-demo-data/"


@pytest.mark.parametrize(
    ("basic", "passed"),
    [
        ({}, ["ListModels", "CreateModelPackageGroup", "ListKeys", "CreateBucket"]),
        ({"ReadWriteType": "ReadOnly"}, ["ListModels", "ListKeys"]),
        ({"ReadWriteType": "WriteOnly"}, ["CreateModelPackageGroup", "CreateBucket"]),
        (
            {"ExcludeManagementEventSources": ["kms.amazonaws.com"]},
            ["ListModels", "CreateModelPackageGroup", "CreateBucket"],
        ),
        (
            {
                "IncludeManagementEvents": False,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": [CSV]}],
            },
            ["PutObject", "PutObject", "GetObject", "ListObjects"],
        ),
        (
            {
                "IncludeManagementEvents": False,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": [CSV + "in/"]}],
            },
            ["PutObject", "GetObject"],
        ),
        (
            {
                "IncludeManagementEvents": False,
                "ReadWriteType": "ReadOnly",
                "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
            },
            ["GetObject", "ListObjects"],
        ),
        (
            {
                "IncludeManagementEvents": False,
                "DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}],
            },
            [],
        ),
    ],
)
def test_basic_selectors(happened: list[Event], basic: dict[str, Any], passed: list[str]) -> None:
    assert let_through(happened, selectors.completed([basic]), []) == passed


def fields(*conditions: tuple[str, str, list[str]]) -> list[dict[str, Any]]:
    return [{"FieldSelectors": [{"Field": f, operator: v} for f, operator, v in conditions]}]


DATA = ("eventCategory", "Equals", ["Data"])
OBJECTS = ("resources.type", "Equals", ["AWS::S3::Object"])
MANAGEMENT = ("eventCategory", "Equals", ["Management"])


@pytest.mark.parametrize(
    ("advanced", "passed"),
    [
        (fields(MANAGEMENT, ("readOnly", "Equals", ["true"])), ["ListModels", "ListKeys"]),
        (
            fields(
                MANAGEMENT,
                ("eventSource", "NotEquals", ["kms.amazonaws.com"]),
                ("readOnly", "Equals", ["true"]),
            ),
            ["ListModels"],
        ),
        (
            fields(DATA, OBJECTS, ("eventName", "StartsWith", ["Put"])),
            ["PutObject", "PutObject"],
        ),
        (
            fields(DATA, OBJECTS, ("resources.ARN", "StartsWith", [CSV + "out/"])),
            ["PutObject"],
        ),
        (
            fields(DATA, OBJECTS, ("resources.ARN", "Equals", [CSV + "in/a.csv"])),
            ["PutObject", "GetObject"],
        ),
        (
            fields(DATA, OBJECTS, ("resources.ARN", "NotStartsWith", ["arn:aws:s3:::amzn"])),
            [],
        ),
        (
            fields(
                DATA,
                OBJECTS,
                ("resources.ARN", "EndsWith", ["a.csv", "b.csv"]),
                ("eventName", "NotEndsWith", ["tObject"]),
            ),
            [],
        ),
        (
            fields(DATA, ("resources.type", "Equals", ["AWS::SageMaker::Endpoint"])),
            [],
        ),
    ],
)
def test_advanced_selectors(
    happened: list[Event], advanced: list[dict[str, Any]], passed: list[str]
) -> None:
    assert let_through(happened, [], advanced) == passed


def test_objects_are_delivered_when_asked_for(cloudtrail: Any, s3: Any) -> None:
    start(cloudtrail)
    put(cloudtrail, advanced=fields(DATA, OBJECTS, ("resources.ARN", "EndsWith", ["/a.csv"])))
    for key in ("a.csv", "b.csv"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    assert names(s3) == ["PutObject", "StartLogging"]


def test_calls_of_endpoints_are_delivered_when_asked_for(
    cloudtrail: Any, s3: Any, client: Client
) -> None:
    start(cloudtrail)
    endpoint = ("resources.type", "Equals", ["AWS::SageMaker::Endpoint"])
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/shop"
    put(cloudtrail, advanced=fields(DATA, endpoint, ("resources.ARN", "Equals", [arn])))
    runtime = client("sagemaker-runtime")
    for name in ("shop", "churn"):
        with contextlib.suppress(ClientError):  # no endpoint exists; the call is recorded
            runtime.invoke_endpoint(EndpointName=name, Body=b"1,2")
    found = [record for record in records(s3) if record["eventName"] == "InvokeEndpoint"]
    assert [record["resources"][0]["ARN"] for record in found] == [arn]


def test_what_happened_before_passes_by_the_old_selectors(
    cloudtrail: Any, s3: Any, client: Client
) -> None:
    start(cloudtrail)
    client("sagemaker").list_models()
    put(cloudtrail, basic=[{"ReadWriteType": "WriteOnly"}])
    client("sagemaker").list_endpoints()
    assert names(s3) == ["ListModels", "PutEventSelectors", "StartLogging"]


def test_network_activity(cloudtrail: Any, s3: Any, client: Client) -> None:
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    service = f"com.amazonaws.{REGION}.s3"
    endpoint_id = ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=service)["VpcEndpoint"][
        "VpcEndpointId"
    ]
    start(cloudtrail)
    category = ("eventCategory", "Equals", ["NetworkActivity"])
    source = ("eventSource", "Equals", ["s3.amazonaws.com"])
    denied = ("errorCode", "Equals", ["VpceAccessDenied"])
    put(cloudtrail, advanced=fields(category, source, denied))
    through = client("s3", user_agent_appid=endpoint_id)
    through.list_objects_v2(Bucket=BUCKET, Prefix="none")
    nothing = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint_id, PolicyDocument=json.dumps({"Statement": [nothing]})
    )
    with pytest.raises(ClientError):
        through.list_objects_v2(Bucket=BUCKET)
    found = [r for r in records(s3) if r["eventCategory"] == "NetworkActivity"]
    assert [(r["eventName"], r["vpcEndpointId"]) for r in found] == [("ListObjects", endpoint_id)]


# --- Log groups, topics, and buckets that are gone ---


def test_cloudwatch_logs(cloudtrail: Any, client: Client) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="trails")
    trust = {"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(
        RoleName="logs", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )
    start(
        cloudtrail,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trails:*",
        CloudWatchLogsRoleArn=role["Role"]["Arn"],
    )
    client("sagemaker").list_models()
    status = cloudtrail.get_trail_status(Name="audit")
    assert "LatestCloudWatchLogsDeliveryTime" in status
    stream = f"{ACCOUNT}_CloudTrail_{REGION}"
    lines = logs.get_log_events(logGroupName="trails", logStreamName=stream)["events"]
    found = [json.loads(line["message"])["eventName"] for line in lines]
    assert found == ["StartLogging", "ListModels"]
    logs.delete_log_group(logGroupName="trails")
    status = cloudtrail.get_trail_status(Name="audit")
    assert status["LatestCloudWatchLogsDeliveryError"] == "ResourceNotFoundException"
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_message_for_each_delivery(cloudtrail: Any, s3: Any, client: Client) -> None:
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name="trails")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": SERVICE, "Action": "SNS:*", "Resource": topic}
    sns.set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Statement": [statement]}),
    )
    queue = sqs.create_queue(QueueName="trails")["QueueUrl"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:trails",
        Attributes={"RawMessageDelivery": "true"},
    )
    start(cloudtrail, SnsTopicName="trails")
    found = keys(s3)
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"s3Bucket": BUCKET, "s3ObjectKey": found}
    assert "LatestNotificationTime" in cloudtrail.get_trail_status(Name="audit")
    sns.delete_topic(TopicArn=topic)
    assert cloudtrail.get_trail_status(Name="audit")["LatestNotificationError"] == "NotFound"


def test_a_bucket_that_refuses_gets_its_files_later(
    cloudtrail: Any, s3: Any, client: Client
) -> None:
    start(cloudtrail)
    s3.delete_bucket_policy(Bucket=BUCKET)
    status = cloudtrail.get_trail_status(Name="audit")
    assert status["LatestDeliveryError"] == "AccessDenied" and "LatestDeliveryTime" not in status
    policy = {"Version": "2012-10-17", "Statement": [OPEN]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    wanted = ["DeleteBucketPolicy", "GetTrailStatus", "PutBucketPolicy", "StartLogging"]
    assert names(s3) == wanted
    assert "LatestDeliveryError" not in cloudtrail.get_trail_status(Name="audit")


def test_a_bucket_that_is_gone(cloudtrail: Any, s3: Any) -> None:
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    s3.delete_bucket(Bucket=BUCKET)
    cloudtrail.start_logging(Name="audit")
    status = cloudtrail.get_trail_status(Name="audit")
    assert status["LatestDeliveryError"] == "NoSuchBucket"
    cloudtrail.stop_logging(Name="audit")
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"] is False


# --- Digests ---


class Invalid(Exception):
    """What the validation found: the key, and what is wrong with it."""


def public_keys(cloudtrail: Any, **between: Any) -> dict[str, bytes]:
    listed = cloudtrail.list_public_keys(**between)["PublicKeyList"]
    return {key["Fingerprint"]: key["Value"] for key in listed}


def check_signature(s3: Any, key: str, trusted: dict[str, bytes]) -> dict[str, Any]:
    """The digest, once its signature is verified as the CloudTrail user guide tells."""
    stored = s3.get_object(Bucket=BUCKET, Key=key)
    document = gzip.decompress(stored["Body"].read())
    digest: dict[str, Any] = json.loads(document)
    assert stored["Metadata"]["signature-algorithm"] == "SHA256withRSA"
    if (digest["digestS3Bucket"], digest["digestS3Object"]) != (BUCKET, key):
        raise Invalid(key, "moved")
    signed = "\n".join(
        [
            digest["digestEndTime"],
            f"{BUCKET}/{key}",
            hashlib.sha256(document).hexdigest(),
            digest["previousDigestSignature"] or "null",
        ]
    )
    public = load_der_public_key(pkcs8(trusted[digest["digestPublicKeyFingerprint"]]))
    assert isinstance(public, RSAPublicKey) and public.key_size == 2048
    try:
        signature = bytes.fromhex(stored["Metadata"]["signature"])
        public.verify(signature, signed.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise Invalid(key, "signature") from None
    return digest


def pkcs8(pkcs1: bytes) -> bytes:
    """The same key with the header of a SubjectPublicKeyInfo, which `cryptography` reads."""
    bits = b"\x03" + length(len(pkcs1) + 1) + b"\x00" + pkcs1
    rsa = bytes.fromhex("300d06092a864886f70d0101010500")
    return b"\x30" + length(len(rsa) + len(bits)) + rsa + bits


def length(number: int) -> bytes:
    return b"\x82" + number.to_bytes(2, "big")


def validate(s3: Any, cloudtrail: Any, last: str, **between: Any) -> tuple[int, int]:
    """Go back along the chain; the numbers of digests and of log files that are valid."""
    trusted, digests, files, key = public_keys(cloudtrail, **between), 0, 0, last
    expected = None
    while key:
        digest = check_signature(s3, key, trusted)
        document = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        if expected not in (None, hashlib.sha256(document).hexdigest()):
            raise Invalid(key, "hash of the chain")
        for file in digest["logFiles"]:
            check_file(s3, file)
            files += 1
        digests, expected = digests + 1, digest["previousDigestHashValue"]
        key = digest["previousDigestS3Object"]
    return digests, files


def check_file(s3: Any, file: dict[str, str]) -> None:
    try:
        stored = s3.get_object(Bucket=file["s3Bucket"], Key=file["s3Object"])["Body"].read()
    except ClientError:
        raise Invalid(file["s3Object"], "not found") from None
    if hashlib.sha256(gzip.decompress(stored)).hexdigest() != file["hashValue"]:
        raise Invalid(file["s3Object"], "hash")


@pytest.fixture
def hours(cloudtrail: Any, s3: Any, client: Client, frozen: None) -> datetime:
    """A trail with validation that has logged for three hours, the second without a call; when
    it started."""
    began = now()
    start(cloudtrail, EnableLogFileValidation=True)
    CLOCK.advance(3600)
    CLOCK.advance(3600)
    client("sagemaker").list_models()
    CLOCK.advance(1800)
    client("sagemaker").list_endpoints()
    CLOCK.advance(1800)
    return began


def test_a_digest_after_each_hour(s3: Any, hours: datetime) -> None:
    found = [content(s3, key) for key in keys(s3, DIGESTS)]
    first, second, third = found
    assert [len(digest["logFiles"]) for digest in found] == [1, 0, 2]
    assert first["digestStartTime"] == f"{hours:%Y-%m-%dT%H:%M:%SZ}"
    assert [digest["digestEndTime"] for digest in found[:2]] == [
        digest["digestStartTime"] for digest in found[1:]
    ]
    end = datetime.fromisoformat(third["digestEndTime"])
    name = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_audit_{REGION}_{end:%Y%m%dT%H%M%SZ}.json.gz"
    assert third["digestS3Object"] == f"{DIGESTS}{end:%Y/%m/%d}/{name}" == keys(s3, DIGESTS)[2]
    assert (third["awsAccountId"], third["digestSignatureAlgorithm"]) == (ACCOUNT, "SHA256withRSA")
    assert first["previousDigestSignature"] is None and second["newestEventTime"] is None
    times = [file["newestEventTime"] for file in third["logFiles"]]
    assert (third["oldestEventTime"], third["newestEventTime"]) == (times[0], times[1])


def test_the_chain_is_valid(s3: Any, cloudtrail: Any, hours: datetime) -> None:
    last = keys(s3, DIGESTS)[-1]
    assert validate(s3, cloudtrail, last, StartTime=hours, EndTime=now()) == (3, 3)


@pytest.mark.parametrize("spoil", ["change a file", "delete a file", "change a digest"])
def test_the_validation_finds_what_was_done(
    s3: Any, cloudtrail: Any, hours: datetime, spoil: str
) -> None:
    digests, files = keys(s3, DIGESTS), keys(s3)
    key = digests[0] if spoil == "change a digest" else files[1]
    if spoil == "delete a file":
        s3.delete_object(Bucket=BUCKET, Key=key)
    else:
        stored = s3.get_object(Bucket=BUCKET, Key=key)
        changed = gzip.decompress(stored["Body"].read()).replace(b"11112222", b"99999999", 1)
        s3.put_object(
            Bucket=BUCKET, Key=key, Body=gzip.compress(changed), Metadata=stored["Metadata"]
        )
    with pytest.raises(Invalid) as found:
        validate(s3, cloudtrail, digests[-1])
    said = {"change a file": "hash", "delete a file": "not found", "change a digest": "signature"}
    assert found.value.args == (key, said[spoil])


def test_the_last_digest_comes_with_stop_logging(s3: Any, cloudtrail: Any, client: Client) -> None:
    start(cloudtrail, EnableLogFileValidation=True)
    assert keys(s3, DIGESTS) == []
    cloudtrail.stop_logging(Name="audit")
    (first,) = keys(s3, DIGESTS)
    assert validate(s3, cloudtrail, first) == (1, 2)
    assert "LatestDigestDeliveryTime" in cloudtrail.get_trail_status(Name="audit")
    cloudtrail.start_logging(Name="audit")
    cloudtrail.stop_logging(Name="audit")
    found = sorted(keys(s3, DIGESTS))
    assert len(found) == 2
    again = content(s3, found[1])
    assert again["previousDigestS3Object"] is None  # a new chain
    assert again["digestStartTime"] >= content(s3, first)["digestEndTime"]


def test_digests_only_while_validation_is_on(s3: Any, cloudtrail: Any, frozen: None) -> None:
    start(cloudtrail)
    CLOCK.advance(7200)
    assert keys(s3, DIGESTS) == []
    cloudtrail.update_trail(Name="audit", EnableLogFileValidation=True)
    CLOCK.advance(3600)
    cloudtrail.update_trail(Name="audit", EnableLogFileValidation=False)
    CLOCK.advance(7200)
    found = [content(s3, key) for key in keys(s3, DIGESTS)]
    assert len(found) == 2 and found[1]["previousDigestS3Object"] == found[0]["digestS3Object"]


def test_each_region_has_its_chain_and_its_key(s3: Any, cloudtrail: Any, client: Client) -> None:
    start(cloudtrail, EnableLogFileValidation=True, IsMultiRegionTrail=True)
    client("sagemaker", region="eu-west-1").list_models()
    cloudtrail.stop_logging(Name="audit")
    (key,) = keys(s3, DIGESTS.replace(REGION, "eu-west-1"))
    assert key.rsplit("/", 1)[1].startswith(
        f"{ACCOUNT}_CloudTrail-Digest_eu-west-1_audit_{REGION}_"
    )
    elsewhere = client("cloudtrail", region="eu-west-1")
    assert validate(s3, elsewhere, key) == (1, 1)
    assert not public_keys(elsewhere).keys() & public_keys(cloudtrail).keys()


def test_a_digest_that_the_bucket_refuses(s3: Any, cloudtrail: Any, frozen: None) -> None:
    start(cloudtrail, EnableLogFileValidation=True)
    CLOCK.advance(600)
    policy = s3.get_bucket_policy(Bucket=BUCKET)["Policy"]
    s3.delete_bucket_policy(Bucket=BUCKET)
    CLOCK.advance(3000)
    assert cloudtrail.get_trail_status(Name="audit")["LatestDigestDeliveryError"] == "AccessDenied"
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    CLOCK.advance(3600)
    (key,) = keys(s3, DIGESTS)
    assert validate(s3, cloudtrail, key)[0] == 1 and len(content(s3, key)["logFiles"]) >= 1
    assert "LatestDigestDeliveryError" not in cloudtrail.get_trail_status(Name="audit")


def test_public_keys_of_a_time(s3: Any, cloudtrail: Any, hours: datetime) -> None:
    (key,) = cloudtrail.list_public_keys()["PublicKeyList"]
    assert key["ValidityStartTime"] <= hours < key["ValidityEndTime"]
    assert key["Fingerprint"] == hashlib.md5(key["Value"], usedforsecurity=False).hexdigest()
    long_ago = hours - timedelta(days=365)
    listed = cloudtrail.list_public_keys(StartTime=long_ago, EndTime=long_ago)["PublicKeyList"]
    assert listed == []
    for bad, code in (
        ({"StartTime": now(), "EndTime": long_ago}, "InvalidTimeRangeException"),
        ({"NextToken": "nonsense"}, "InvalidTokenException"),
    ):
        with pytest.raises(ClientError) as refused:
            cloudtrail.list_public_keys(**bad)
        assert refused.value.response["Error"]["Code"] == code
    CLOCK.advance(61 * 86_400)
    assert len(cloudtrail.list_public_keys(StartTime=hours)["PublicKeyList"]) == 2


def test_no_secret_is_in_a_dump_of_the_state(s3: Any, cloudtrail: Any) -> None:
    start(cloudtrail, EnableLogFileValidation=True)
    cloudtrail.stop_logging(Name="audit")
    assert public_keys(cloudtrail)
    state = snapshot()
    held = [path for path in state if path.startswith("cloudtrail/")]
    assert any("trails/audit" in path for path in held)
    assert not [path for path in held if "signing" in path or "progress" in path]


def test_over_http(lab_server: str) -> None:
    own = environment()
    options: dict[str, Any] = {
        "endpoint_url": lab_server,
        "region_name": REGION,
        "aws_access_key_id": own["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": own["AWS_SECRET_ACCESS_KEY"],
    }
    s3 = bucket_for_trails(boto3.client("s3", **options))
    cloudtrail = boto3.client("cloudtrail", **options)
    start(cloudtrail, EnableLogFileValidation=True)
    boto3.client("sagemaker", **options).list_models()
    assert names(s3) == ["ListModels", "StartLogging"]
    cloudtrail.stop_logging(Name="audit")
    (key,) = keys(s3, DIGESTS)
    assert validate(s3, cloudtrail, key) == (1, 2)
