"""CloudTrail's operations: trails and the checks before them, selectors, the event history."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK, now
from awslab.embedded import environment
from awslab.services.cloudtrail import history
from botocore.config import Config
from botocore.exceptions import ClientError

Client = Callable[..., Any]

ACCOUNT, OTHER = "111122223333", "444455556666"
REGION = "ap-northeast-1"
BUCKET = "amzn-s3-demo-logs"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}


def trail_arn(name: str, region: str = REGION) -> str:
    return f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{name}"


def bucket_policy(arn: str, folder: str = f"AWSLogs/{ACCOUNT}", **changed: Any) -> str:
    """The policy of the CloudTrail user guide; `changed` replaces elements of its second part."""
    check = {
        "Sid": "AclCheck",
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": "s3:GetBucketAcl",
        "Resource": f"arn:aws:s3:::{BUCKET}",
        "Condition": {"StringEquals": {"aws:SourceArn": arn}},
    }
    acl = {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": arn}
    write = {
        "Sid": "Write",
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/{folder}/*",
        "Condition": {"StringEquals": acl},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [check, write | changed]})


def open_policy() -> str:
    """For tests of other things: any trail may write."""
    statement = {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def s3(client: Client) -> Any:
    """A client, and the bucket that all trails of the lab may write to."""
    made = client("s3")
    made.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    made.put_bucket_policy(Bucket=BUCKET, Policy=open_policy())
    return made


@pytest.fixture
def cloudtrail(s3: Any, client: Client) -> Any:
    return client("cloudtrail")


@pytest.fixture
def frozen() -> Iterator[None]:
    CLOCK.run(0)
    yield
    CLOCK.run(None)


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    return refusal(call, **arguments)[0]


# --- Trails ---


def test_a_trail_is_described_as_it_was_made(cloudtrail: Any) -> None:
    made = cloudtrail.create_trail(
        Name="audit",
        S3BucketName=BUCKET,
        S3KeyPrefix="logs",
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
        RecursiveLogging=False,
        TagsList=[{"Key": "Team", "Value": "ml"}],
    )
    made.pop("ResponseMetadata")
    assert made == {
        "Name": "audit",
        "S3BucketName": BUCKET,
        "S3KeyPrefix": "logs",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "TrailARN": trail_arn("audit"),
        "LogFileValidationEnabled": True,
        "IsOrganizationTrail": False,
        "RecursiveLogging": False,
    }
    described = made | {
        "HomeRegion": REGION,
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
    }
    assert cloudtrail.get_trail(Name="audit")["Trail"] == described
    assert cloudtrail.describe_trails()["trailList"] == [described]
    tags = cloudtrail.list_tags(ResourceIdList=[trail_arn("audit")])["ResourceTagList"]
    assert tags[0]["TagsList"] == [{"Key": "Team", "Value": "ml"}]


def test_the_policy_of_the_user_guide_is_enough(cloudtrail: Any, s3: Any) -> None:
    s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(trail_arn("audit")))
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    assert refusal(cloudtrail.create_trail, Name="another", S3BucketName=BUCKET) == (
        "InsufficientS3BucketPolicyException",
        f"Incorrect S3 bucket policy is detected for bucket: {BUCKET}",
    )


# Changes to the policy of the user guide, each of which spoils it.
INSUFFICIENT: list[dict[str, Any]] = [
    {"Effect": "Deny"},
    {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
    {"Action": "s3:GetObject"},
    {"Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/{OTHER}/*"},
    {"Condition": {"StringEquals": {"aws:SourceArn": trail_arn("other")}}},
    {"Condition": {"StringEquals": {"s3:x-amz-acl": "private"}}},
    {"Condition": {"ForAllValues:StringEquals": {"aws:SourceAccount": ACCOUNT}}},
]


def test_policies_that_do_not_let_it_write(cloudtrail: Any, s3: Any) -> None:
    for changed in INSUFFICIENT:
        s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(trail_arn("audit"), **changed))
        code = code_of(cloudtrail.create_trail, Name="audit", S3BucketName=BUCKET)
        assert (changed, code) == (changed, "InsufficientS3BucketPolicyException")
    assert cloudtrail.list_trails()["Trails"] == []


def test_a_policy_for_another_prefix(cloudtrail: Any, s3: Any) -> None:
    s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(trail_arn("audit")))
    wanted = {"Name": "audit", "S3BucketName": BUCKET, "S3KeyPrefix": "logs"}
    assert code_of(cloudtrail.create_trail, **wanted) == "InsufficientS3BucketPolicyException"
    folder = f"logs/AWSLogs/{ACCOUNT}"
    s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(trail_arn("audit"), folder))
    assert cloudtrail.create_trail(**wanted)["S3KeyPrefix"] == "logs"


def test_a_bucket_without_policy_and_one_that_is_missing(cloudtrail: Any, s3: Any) -> None:
    s3.delete_bucket_policy(Bucket=BUCKET)
    create = cloudtrail.create_trail
    assert code_of(create, Name="audit", S3BucketName=BUCKET) == (
        "InsufficientS3BucketPolicyException"
    )
    assert refusal(create, Name="audit", S3BucketName="amzn-s3-demo-none") == (
        "S3BucketDoesNotExistException",
        "S3 bucket amzn-s3-demo-none does not exist!",
    )
    assert code_of(create, Name="audit", S3BucketName="No Bucket") == "InvalidS3BucketNameException"
    assert code_of(create, Name="audit", S3BucketName=BUCKET, S3KeyPrefix=201 * "a") == (
        "InvalidS3PrefixException"
    )


def test_names_that_no_trail_can_have(cloudtrail: Any) -> None:
    for name in ("ab", 129 * "a", "-audit", "audit.", "a__b", "a.-b", "192.168.5.4", "a b", "日本"):
        code = code_of(cloudtrail.create_trail, Name=name, S3BucketName=BUCKET)
        assert (name, code) == (name, "InvalidTrailNameException")


def test_the_same_name_twice(cloudtrail: Any, client: Client) -> None:
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    assert refusal(cloudtrail.create_trail, Name="audit", S3BucketName=BUCKET) == (
        "TrailAlreadyExistsException",
        f"Trail audit already exists for customer: {ACCOUNT}",
    )
    elsewhere = client("cloudtrail", region="eu-west-1")
    assert elsewhere.create_trail(Name="audit", S3BucketName=BUCKET)["TrailARN"] == trail_arn(
        "audit", "eu-west-1"
    )


def test_five_trails_in_a_region(cloudtrail: Any, client: Client) -> None:
    everywhere = {"S3BucketName": BUCKET, "IsMultiRegionTrail": True}
    client("cloudtrail", region="eu-west-1").create_trail(Name="shadow", **everywhere)
    for number in range(4):
        cloudtrail.create_trail(Name=f"trail-{number}", S3BucketName=BUCKET)
    assert refusal(cloudtrail.create_trail, Name="trail-5", S3BucketName=BUCKET) == (
        "MaximumNumberOfTrailsExceededException",
        f"User: {ACCOUNT} already has 5 trails in {REGION}.",
    )


def test_combinations_that_are_refused(cloudtrail: Any) -> None:
    cloudtrail.create_trail(Name="here", S3BucketName=BUCKET, IncludeGlobalServiceEvents=False)
    for call, wanted in (
        (
            cloudtrail.create_trail,
            {
                "Name": "audit",
                "S3BucketName": BUCKET,
                "IsMultiRegionTrail": True,
                "IncludeGlobalServiceEvents": False,
            },
        ),
        (cloudtrail.update_trail, {"Name": "here", "IsMultiRegionTrail": True}),
    ):
        assert refusal(call, **wanted) == (
            "InvalidParameterCombinationException",
            "Multi-Region trail must include global service events.",
        )
    tags = [{"Key": str(number)} for number in range(51)]
    assert code_of(cloudtrail.create_trail, Name="audit", S3BucketName=BUCKET, TagsList=tags) == (
        "TagsLimitExceededException"
    )


def test_a_missing_member(cloudtrail: Any) -> None:
    loose = boto3.client("cloudtrail", config=Config(parameter_validation=False))
    assert refusal(loose.create_trail, Name="audit") == (
        "ValidationException",
        "1 validation error detected: Value null at 's3BucketName' failed to satisfy constraint: "
        "Member must not be null",
    )


def key_policy(arn: str) -> str:
    """Root may do everything, CloudTrail may encrypt for this trail."""
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    encryption_context = f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"
    encrypt = {
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": "kms:GenerateDataKey*",
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceArn": arn},
            "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": encryption_context},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [root, encrypt]})


def test_the_kms_key_must_let_it_encrypt(cloudtrail: Any, client: Client) -> None:
    kms = client("kms")
    closed = kms.create_key()["KeyMetadata"]
    wanted = {"Name": "audit", "S3BucketName": BUCKET}
    assert refusal(cloudtrail.create_trail, KmsKeyId=closed["KeyId"], **wanted) == (
        "InsufficientEncryptionPolicyException",
        f"Insufficient permissions to access S3 bucket {BUCKET} or KMS key {closed['Arn']}.",
    )
    key = kms.create_key(Policy=key_policy(trail_arn("audit")))["KeyMetadata"]
    kms.create_alias(AliasName="alias/audit", TargetKeyId=key["KeyId"])
    made = cloudtrail.create_trail(KmsKeyId="alias/audit", **wanted)
    assert made["KmsKeyId"] == key["Arn"]
    kms.disable_key(KeyId=key["KeyId"])
    code = code_of(cloudtrail.update_trail, Name="audit", KmsKeyId=key["Arn"])
    assert code == "KmsException"


def test_kms_keys_that_are_none(cloudtrail: Any) -> None:
    for key_id, code in {
        "alias/none": "KmsKeyNotFoundException",
        "11111111-2222-3333-4444-555555555555": "KmsKeyNotFoundException",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:key/none": "KmsKeyNotFoundException",
        f"arn:aws:kms:mars-1:{ACCOUNT}:key/none": "KmsKeyNotFoundException",
        "arn:aws:s3:::bucket": "InvalidKmsKeyIdException",
    }.items():
        wanted = {"Name": "audit", "S3BucketName": BUCKET, "KmsKeyId": key_id}
        assert (key_id, code_of(cloudtrail.create_trail, **wanted)) == (key_id, code)


def make_topic(client: Client) -> str:
    """The ARN of a topic that CloudTrail may publish to."""
    sns = client("sns")
    arn: str = sns.create_topic(Name="trails")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": SERVICE, "Action": "SNS:Publish", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return arn


def test_the_topic_must_let_it_publish(cloudtrail: Any, client: Client) -> None:
    wanted = {"Name": "audit", "S3BucketName": BUCKET}
    client("sns").create_topic(Name="closed")
    for name in ("none", "closed"):
        assert refusal(cloudtrail.create_trail, SnsTopicName=name, **wanted) == (
            "InsufficientSnsTopicPolicyException",
            "SNS Topic does not exist or the topic policy is incorrect!",
        )
    assert code_of(cloudtrail.create_trail, SnsTopicName="no topic", **wanted) == (
        "InvalidSnsTopicNameException"
    )
    arn = make_topic(client)
    by_arn = cloudtrail.create_trail(SnsTopicName=arn, **wanted)
    by_name = cloudtrail.update_trail(Name="audit", SnsTopicName="trails")
    assert by_arn["SnsTopicARN"] == by_name["SnsTopicARN"] == arn


def make_log_group(client: Client, principal: dict[str, str]) -> dict[str, str]:
    """A group, and a role that the principal may assume, as CreateTrail wants them."""
    client("logs").create_log_group(logGroupName="trails")
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(
        RoleName=f"logs-{len(principal)}",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    return {
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trails:*",
        "CloudWatchLogsRoleArn": role["Role"]["Arn"],
    }


def test_the_log_group_and_its_role(cloudtrail: Any, client: Client) -> None:
    logs = make_log_group(client, SERVICE)
    wanted = {"Name": "audit", "S3BucketName": BUCKET}
    group, role = logs["CloudWatchLogsLogGroupArn"], logs["CloudWatchLogsRoleArn"]
    for alone in ({"CloudWatchLogsLogGroupArn": group}, {"CloudWatchLogsRoleArn": role}):
        code = code_of(cloudtrail.create_trail, **wanted, **alone)
        assert code == "InvalidParameterCombinationException"
    for bad in (group.replace("trails", "none"), "arn:aws:s3:::bucket"):
        assert refusal(
            cloudtrail.create_trail, **wanted, **logs | {"CloudWatchLogsLogGroupArn": bad}
        ) == (
            "InvalidCloudWatchLogsLogGroupArnException",
            "CloudTrail cannot validate the specified log group ARN.",
        )
    code = code_of(
        cloudtrail.create_trail, **wanted, **logs | {"CloudWatchLogsRoleArn": f"{role}-none"}
    )
    assert code == "InvalidCloudWatchLogsRoleArnException"
    assert cloudtrail.create_trail(**wanted, **logs)["CloudWatchLogsRoleArn"] == role


def test_a_role_that_does_not_trust_it(cloudtrail: Any, client: Client) -> None:
    logs = make_log_group(client, {"Service": "ec2.amazonaws.com"})
    assert refusal(cloudtrail.create_trail, Name="audit", S3BucketName=BUCKET, **logs) == (
        "InvalidCloudWatchLogsRoleArnException",
        "Access denied. Verify in IAM that the role has adequate trust relationships.",
    )


def test_an_organization_trail_needs_the_management_account(
    cloudtrail: Any, client: Client
) -> None:
    wanted = {"Name": "audit", "S3BucketName": BUCKET, "IsOrganizationTrail": True}
    assert code_of(cloudtrail.create_trail, **wanted) == "OrganizationsNotInUseException"
    organizations = client("organizations")
    organizations.create_organization()
    assert cloudtrail.create_trail(**wanted)["IsOrganizationTrail"] is True
    made = organizations.create_account(Email="a@example.com", AccountName="a")
    member = made["CreateAccountStatus"]["AccountId"]
    role = f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole"
    theirs = session_in(role).client("cloudtrail")
    assert code_of(theirs.create_trail, **wanted) == "NotOrganizationMasterAccountException"


def session_in(role: str) -> boto3.Session:
    answer = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    keys = answer["Credentials"]
    return boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
    )


def test_a_bucket_of_another_account(client: Client, lab: None) -> None:
    theirs = session_in(f"arn:aws:iam::{OTHER}:role/log-archive").client("s3")
    theirs.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    theirs.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(trail_arn("audit")))
    client("cloudtrail").create_trail(Name="audit", S3BucketName=BUCKET)
    client("cloudtrail").start_logging(Name="audit")
    client("sagemaker").list_models()
    listed = theirs.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert listed[0]["Key"].startswith(f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/")


def test_trails_seen_from_another_region(cloudtrail: Any, client: Client) -> None:
    cloudtrail.create_trail(Name="everywhere", S3BucketName=BUCKET, IsMultiRegionTrail=True)
    cloudtrail.create_trail(Name="here", S3BucketName=BUCKET)
    elsewhere = client("cloudtrail", region="eu-west-1")
    arn = trail_arn("everywhere")
    assert [t["TrailARN"] for t in elsewhere.describe_trails()["trailList"]] == [arn]
    assert elsewhere.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert elsewhere.get_trail(Name=arn)["Trail"]["HomeRegion"] == REGION
    assert elsewhere.get_trail_status(Name=arn)["IsLogging"] is False
    assert refusal(elsewhere.get_trail, Name="everywhere") == (
        "TrailNotFoundException",
        f"Unknown trail: everywhere for the user: {ACCOUNT}",
    )
    for call in (elsewhere.start_logging, elsewhere.stop_logging, elsewhere.delete_trail):
        assert code_of(call, Name=arn) == "InvalidHomeRegionException"
    assert code_of(elsewhere.get_trail, Name=trail_arn("here")) == "TrailNotFoundException"


def test_describing_trails_by_name(cloudtrail: Any) -> None:
    for name in ("one", "two", "three"):
        cloudtrail.create_trail(Name=name, S3BucketName=BUCKET)
    wanted = ["one", trail_arn("three"), "none"]
    found = cloudtrail.describe_trails(trailNameList=wanted)["trailList"]
    assert [trail["Name"] for trail in found] == ["one", "three"]


def test_trails_that_are_none(cloudtrail: Any) -> None:
    by_name = ("get_trail", "get_trail_status", "update_trail", "start_logging", "stop_logging")
    for name, code in {
        "none": "TrailNotFoundException",
        trail_arn("none"): "TrailNotFoundException",
        f"arn:aws:cloudtrail:{REGION}:{OTHER}:trail/audit": "TrailNotFoundException",
        "arn:aws:s3:::bucket": "CloudTrailARNInvalidException",
        f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:channel/a": "CloudTrailARNInvalidException",
        "no": "InvalidTrailNameException",
    }.items():
        for call in (*by_name, "delete_trail"):
            assert (call, name, code_of(getattr(cloudtrail, call), Name=name)) == (call, name, code)
        for call in ("get_event_selectors", "get_insight_selectors"):
            assert code_of(getattr(cloudtrail, call), TrailName=name) == code


def test_an_update_changes_what_it_names(cloudtrail: Any, s3: Any) -> None:
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET, S3KeyPrefix="logs")
    s3.create_bucket(
        Bucket="amzn-s3-demo-other", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    code = code_of(cloudtrail.update_trail, Name="audit", S3BucketName="amzn-s3-demo-other")
    assert code == "InsufficientS3BucketPolicyException"
    assert cloudtrail.get_trail(Name="audit")["Trail"]["S3BucketName"] == BUCKET
    cloudtrail.update_trail(Name="audit", IsMultiRegionTrail=True, S3KeyPrefix="")
    trail = cloudtrail.get_trail(Name="audit")["Trail"]
    assert (trail["IsMultiRegionTrail"], trail.get("S3KeyPrefix")) == (True, None)


def test_a_deleted_trail_is_gone_with_its_tags(cloudtrail: Any) -> None:
    tags = [{"Key": "Team", "Value": "ml"}]
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET, TagsList=tags)
    cloudtrail.delete_trail(Name=trail_arn("audit"))
    assert cloudtrail.list_trails()["Trails"] == []
    assert code_of(cloudtrail.delete_trail, Name="audit") == "TrailNotFoundException"
    listed = cloudtrail.list_tags(ResourceIdList=[trail_arn("audit")])["ResourceTagList"]
    assert listed[0]["TagsList"] == []


def test_the_status_of_a_trail(cloudtrail: Any, frozen: None) -> None:
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    status = cloudtrail.get_trail_status(Name="audit")
    assert (status["IsLogging"], status["TimeLoggingStarted"]) == (False, "")
    assert "StartLoggingTime" not in status
    started = now()
    cloudtrail.start_logging(Name="audit")
    CLOCK.advance(300)
    status = cloudtrail.get_trail_status(Name="audit")
    assert status["IsLogging"] is True
    assert status["StartLoggingTime"] - started < timedelta(seconds=1)
    assert status["LatestDeliveryTime"] - started > timedelta(seconds=299)
    cloudtrail.stop_logging(Name="audit")
    status = cloudtrail.get_trail_status(Name="audit")
    assert status["IsLogging"] is False
    assert status["StopLoggingTime"] - started > timedelta(seconds=299)


# --- Selectors ---

MANAGEMENT_ONLY = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}


@pytest.fixture
def trail(cloudtrail: Any) -> Any:
    """A client, and the trail `audit`."""
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    return cloudtrail


def test_the_default_selector(trail: Any) -> None:
    assert trail.get_event_selectors(TrailName="audit")["EventSelectors"] == [
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }
    ]


def test_one_kind_of_selectors_takes_the_place_of_the_other(trail: Any) -> None:
    basic = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}
    trail.put_event_selectors(TrailName="audit", EventSelectors=[basic])
    trail.put_event_selectors(TrailName="audit", AdvancedEventSelectors=[MANAGEMENT_ONLY])
    found = trail.get_event_selectors(TrailName="audit")
    assert found["AdvancedEventSelectors"] == [MANAGEMENT_ONLY] and "EventSelectors" not in found
    assert trail.get_trail(Name="audit")["Trail"]["HasCustomEventSelectors"] is True
    trail.put_event_selectors(TrailName="audit", EventSelectors=[basic])
    found = trail.get_event_selectors(TrailName="audit")
    assert found["EventSelectors"][0]["ReadWriteType"] == "WriteOnly"
    assert "AdvancedEventSelectors" not in found


def data(kind: str, *values: str) -> dict[str, Any]:
    return {"DataResources": [{"Type": kind, "Values": list(values)}]}


BAD_BASIC_SELECTORS: list[tuple[dict[str, Any], str]] = [
    ({}, "either event selectors or advanced"),
    ({"EventSelectors": [], "AdvancedEventSelectors": []}, "either event selectors"),
    ({"EventSelectors": [{}], "AdvancedEventSelectors": [MANAGEMENT_ONLY]}, "either event"),
    ({"EventSelectors": [{}] * 6}, "at most 5 event selectors"),
    (
        {"EventSelectors": [data("AWS::S3::Object", *["arn:aws:s3:::bucket/"] * 251)]},
        "at most 250 data resources",
    ),
    (
        {"EventSelectors": [data("AWS::S3::Bucket", "arn:aws:s3")]},
        "Value AWS::S3::Bucket for DataResources.Type is invalid. Valid values are: "
        "AWS::DynamoDB::Table, AWS::Lambda::Function, AWS::S3::Object",
    ),
    (
        {"EventSelectors": [data("AWS::S3::Object", "arn:aws:s3:::*/*")]},
        "Value arn:aws:s3:::*/* for DataResources.Values is invalid.",
    ),
    (
        {"EventSelectors": [data("AWS::S3::Object", "bucket/")]},
        "Value bucket/ for DataResources.Values is invalid.",
    ),
    (
        {"EventSelectors": [{"ExcludeManagementEventSources": ["s3.amazonaws.com"]}]},
        "Value s3.amazonaws.com for ExcludeManagementEventSources is invalid.",
    ),
]


def test_basic_selectors_that_are_refused(trail: Any) -> None:
    for wanted, said in BAD_BASIC_SELECTORS:
        code, message = refusal(trail.put_event_selectors, TrailName="audit", **wanted)
        assert (said, code) == (said, "InvalidEventSelectorsException") and said in message


def conditions(*fields: tuple[str, str, list[str]]) -> list[dict[str, Any]]:
    chosen = [{"Field": field, operator: values} for field, operator, values in fields]
    return [{"FieldSelectors": chosen}]


MANAGEMENT = ("eventCategory", "Equals", ["Management"])
DATA = ("eventCategory", "Equals", ["Data"])
OBJECTS = ("resources.type", "Equals", ["AWS::S3::Object"])
NETWORK = ("eventCategory", "Equals", ["NetworkActivity"])


BAD_ADVANCED_SELECTORS = [
    (conditions(OBJECTS), "exactly one eventCategory"),
    (conditions(MANAGEMENT, MANAGEMENT), "exactly one eventCategory"),
    (conditions(("eventCategory", "Equals", ["Data", "Management"])), "exactly one eventCat"),
    (conditions(("eventCategory", "Equals", ["Everything"])), "exactly one eventCategory"),
    (conditions(("eventCategory", "StartsWith", ["Data"])), "only have the operator Equals"),
    ([{"FieldSelectors": [{"Field": "eventCategory"}]}], "at least one operator"),
    (conditions(DATA), "need the field resources.type"),
    (conditions(NETWORK), "need the field eventSource"),
    (conditions(DATA, OBJECTS, ("colour", "Equals", ["red"])), "colour is not valid"),
    (conditions(MANAGEMENT, OBJECTS), "resources.type is not valid for events"),
    (conditions(DATA, OBJECTS, OBJECTS), "appears more than once"),
    (
        conditions(DATA, ("resources.type", "Equals", ["AWS::S3::Object", "AWS::SNS::Topic"])),
        "only one resources.type",
    ),
    (conditions(MANAGEMENT, ("readOnly", "Equals", ["yes"])), "true or false"),
    (conditions(MANAGEMENT, ("readOnly", "NotEquals", ["true"])), "only have the operator"),
    (
        conditions(MANAGEMENT, ("eventSource", "Equals", ["s3.amazonaws.com"])),
        "can only be not equal to",
    ),
    (
        conditions(MANAGEMENT, ("eventSource", "NotEquals", ["s3.amazonaws.com"])),
        "kms.amazonaws.com, rdsdata.amazonaws.com",
    ),
    (
        conditions(DATA, OBJECTS, ("eventName", "Equals", ["GetObject"] * 501)),
        "at most 500 values",
    ),
]


def test_advanced_selectors_that_are_refused(trail: Any) -> None:
    for selectors, said in BAD_ADVANCED_SELECTORS:
        code, message = refusal(
            trail.put_event_selectors, TrailName="audit", AdvancedEventSelectors=selectors
        )
        assert (said, code) == (said, "InvalidEventSelectorsException") and said in message


def test_the_selectors_of_the_guide_are_taken(trail: Any) -> None:
    selectors = [
        *conditions(MANAGEMENT, ("eventSource", "NotEquals", ["kms.amazonaws.com"])),
        *conditions(DATA, OBJECTS, ("resources.ARN", "StartsWith", ["arn:aws:s3:::bucket/"])),
        *conditions(NETWORK, ("eventSource", "Equals", ["s3.amazonaws.com"])),
    ]
    answer = trail.put_event_selectors(TrailName="audit", AdvancedEventSelectors=selectors)
    assert answer["AdvancedEventSelectors"] == selectors
    assert answer["TrailARN"] == trail_arn("audit")


def test_insight_selectors(trail: Any) -> None:
    assert refusal(trail.get_insight_selectors, TrailName="audit") == (
        "InsightNotEnabledException",
        f"Trail {trail_arn('audit')} does not have Insights enabled. Edit the trail settings to "
        "enable Insights, and then try the operation again.",
    )
    rate = {"InsightType": "ApiCallRateInsight", "EventCategories": ["Management", "Data"]}
    trail.put_insight_selectors(TrailName="audit", InsightSelectors=[rate])
    errors = {"InsightType": "ApiErrorRateInsight"}
    trail.put_insight_selectors(TrailName="audit", InsightSelectors=[errors])
    found = trail.get_insight_selectors(TrailName="audit")["InsightSelectors"]
    assert found == [errors | {"EventCategories": ["Management"]}]
    assert trail.get_trail(Name="audit")["Trail"]["HasInsightSelectors"] is True
    trail.put_insight_selectors(TrailName="audit", InsightSelectors=[])
    assert code_of(trail.get_insight_selectors, TrailName="audit") == "InsightNotEnabledException"
    put = trail.put_insight_selectors
    unfit: list[list[dict[str, Any]]] = [[{}], [errors, errors]]
    for bad in unfit:
        code = code_of(put, TrailName="audit", InsightSelectors=bad)
        assert code == "InvalidInsightSelectorsException"
    assert code_of(put, InsightSelectors=[errors]) == "InvalidParameterCombinationException"
    assert code_of(put, EventDataStore="abc", InsightSelectors=[errors]) == (
        "UnsupportedOperationException"
    )


# --- The event history ---


def names(answer: dict[str, Any]) -> list[str]:
    return [event["EventName"] for event in answer["Events"]]


def test_the_history_tells_the_newest_first(client: Client) -> None:
    sagemaker = client("sagemaker")
    sagemaker.list_models()
    with pytest.raises(ClientError):
        sagemaker.delete_model(ModelName="none")
    answer = client("cloudtrail").lookup_events()
    assert names(answer) == ["DeleteModel", "ListModels"]
    event = answer["Events"][0]
    assert (event["EventSource"], event["ReadOnly"]) == ("sagemaker.amazonaws.com", "false")
    assert (event["Username"], event["AccessKeyId"]) == ("lab", "FOOBARKEY")
    assert abs(datetime.now(UTC) - event["EventTime"]) < timedelta(seconds=5)
    record = json.loads(event["CloudTrailEvent"])
    assert record["eventID"] == event["EventId"]
    assert record["errorCode"] == "ValidationException"


def test_an_event_keeps_its_id(client: Client) -> None:
    client("sagemaker").list_models()
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "ListModels"}]
    cloudtrail = client("cloudtrail")
    first = cloudtrail.lookup_events(LookupAttributes=wanted)["Events"]
    assert cloudtrail.lookup_events(LookupAttributes=wanted)["Events"] == first


ATTRIBUTES: list[tuple[str, str, list[str]]] = [
    ("EventName", "CreateModelPackageGroup", ["CreateModelPackageGroup"]),
    ("EventName", "createmodelpackagegroup", []),
    ("EventSource", "sagemaker.amazonaws.com", ["CreateModelPackageGroup", "ListModels"]),
    ("ReadOnly", "false", ["CreateModelPackageGroup", "CreateTopic"]),
    ("Username", "lab", ["CreateModelPackageGroup", "ListModels", "CreateTopic"]),
    ("Username", "ann", []),
    ("AccessKeyId", "FOOBARKEY", ["CreateModelPackageGroup", "ListModels", "CreateTopic"]),
    ("ResourceName", "churn", ["CreateModelPackageGroup"]),
    ("ResourceType", "AWS::SageMaker::ModelPackageGroup", ["CreateModelPackageGroup"]),
    ("ResourceType", "AWS::SNS::Topic", ["CreateTopic"]),
    ("ResourceType", "AWS::IAM::Role", []),
    ("EventId", "none", []),
]


def test_each_attribute(client: Client) -> None:
    client("sns").create_topic(Name="t")
    sagemaker = client("sagemaker")
    sagemaker.list_models()
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    cloudtrail = client("cloudtrail")
    for key, value, found in ATTRIBUTES:
        wanted = [{"AttributeKey": key, "AttributeValue": value}]
        answer = cloudtrail.lookup_events(LookupAttributes=wanted)
        asked_for = [name for name in names(answer) if name != "LookupEvents"]
        assert (key, value, asked_for) == (key, value, found)


def test_one_event_by_its_id(client: Client) -> None:
    client("sagemaker").list_models()
    client("sagemaker").list_endpoints()
    cloudtrail = client("cloudtrail")
    event_id = cloudtrail.lookup_events()["Events"][1]["EventId"]
    wanted = [{"AttributeKey": "EventId", "AttributeValue": event_id}]
    assert names(cloudtrail.lookup_events(LookupAttributes=wanted)) == ["ListModels"]


def test_the_resources_of_an_event(client: Client) -> None:
    client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    role = f"arn:aws:iam::{ACCOUNT}:role/any"
    client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    assumed, made = client("cloudtrail").lookup_events()["Events"]
    kind = "AWS::SageMaker::ModelPackageGroup"
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/churn"
    assert made["Resources"] == [
        {"ResourceType": kind, "ResourceName": "churn"},
        {"ResourceType": kind, "ResourceName": arn},
    ]
    assert {"ResourceType": "AWS::IAM::Role", "ResourceName": role} in assumed["Resources"]


def test_data_events_are_not_in_the_history(s3: Any, client: Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"body")
    s3.get_object(Bucket=BUCKET, Key="key")
    s3.list_objects_v2(Bucket=BUCKET)
    found = names(client("cloudtrail").lookup_events())
    assert found == ["PutBucketPolicy", "CreateBucket"]


def test_each_region_and_account_has_its_own_history(client: Client) -> None:
    client("sagemaker", region="eu-west-1").list_models()
    client("iam").list_users()
    session_in(f"arn:aws:iam::{OTHER}:role/visitor").client("sagemaker").list_endpoints()
    assert names(client("cloudtrail").lookup_events()) == ["AssumeRole"]
    assert names(client("cloudtrail", region="eu-west-1").lookup_events()) == ["ListModels"]
    assert names(client("cloudtrail", region="us-east-1").lookup_events()) == ["ListUsers"]
    theirs = session_in(f"arn:aws:iam::{OTHER}:role/visitor").client("cloudtrail")
    assert names(theirs.lookup_events()) == ["AssumeRole", "ListEndpoints", "AssumeRole"]


def test_pages(client: Client) -> None:
    for _ in range(7):
        client("sagemaker").list_models()
    cloudtrail = client("cloudtrail")
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "ListModels"}]
    first = cloudtrail.lookup_events(LookupAttributes=wanted, MaxResults=3)
    client("sagemaker").list_models()  # what happens meanwhile moves no page
    second = cloudtrail.lookup_events(
        LookupAttributes=wanted, MaxResults=3, NextToken=first["NextToken"]
    )
    third = cloudtrail.lookup_events(
        LookupAttributes=wanted, MaxResults=3, NextToken=second["NextToken"]
    )
    pages = [first, second, third]
    assert [len(page["Events"]) for page in pages] == [3, 3, 1] and "NextToken" not in third
    assert len({event["EventId"] for page in pages for event in page["Events"]}) == 7
    whole = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=wanted, PaginationConfig={"PageSize": 2}
    )
    assert len(list(whole.search("Events"))) == 8


def test_a_token_of_another_request(client: Client) -> None:
    client("sagemaker").list_models()
    client("sagemaker").list_endpoints()
    cloudtrail = client("cloudtrail")
    token = cloudtrail.lookup_events(MaxResults=1)["NextToken"]
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "ListModels"}]
    for arguments in (
        {"NextToken": token, "LookupAttributes": wanted},
        {"NextToken": "nonsense"},
        {"NextToken": "bm9uc2Vuc2U="},
    ):
        assert code_of(cloudtrail.lookup_events, **arguments) == "InvalidNextTokenException"


def test_a_time_range(client: Client, frozen: None) -> None:
    sagemaker, cloudtrail = client("sagemaker"), client("cloudtrail")
    began = now()
    sagemaker.list_models()
    CLOCK.advance(3600)
    sagemaker.list_endpoints()
    middle = began + timedelta(minutes=30)
    assert names(cloudtrail.lookup_events(EndTime=middle)) == ["ListModels"]
    assert "ListModels" not in names(cloudtrail.lookup_events(StartTime=middle))
    both = cloudtrail.lookup_events(StartTime=began, EndTime=began + timedelta(hours=2))
    assert {"ListModels", "ListEndpoints"} <= set(names(both))
    code = code_of(cloudtrail.lookup_events, StartTime=middle, EndTime=began)
    assert code == "InvalidTimeRangeException"


def test_nothing_is_older_than_90_days(client: Client, frozen: None) -> None:
    began = now()
    client("sagemaker").list_models()
    CLOCK.advance(91 * 86_400)
    client("sagemaker").list_endpoints()
    assert names(client("cloudtrail").lookup_events(StartTime=began)) == ["ListEndpoints"]


BAD_LOOKUPS: list[tuple[dict[str, Any], str]] = [
    ({"MaxResults": 51}, "InvalidMaxResultsException"),
    ({"MaxResults": 0}, "InvalidMaxResultsException"),
    ({"EventCategory": "data"}, "InvalidEventCategoryException"),
    (
        {"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "red"}]},
        "InvalidLookupAttributesException",
    ),
    (
        {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": 2001 * "a"}]},
        "InvalidLookupAttributesException",
    ),
    (
        {
            "LookupAttributes": [
                {"AttributeKey": "EventName", "AttributeValue": "ListModels"},
                {"AttributeKey": "ReadOnly", "AttributeValue": "true"},
            ]
        },
        "InvalidLookupAttributesException",
    ),
]


def test_lookups_that_are_refused(lab: None) -> None:
    loose = boto3.client("cloudtrail", config=Config(parameter_validation=False))
    for arguments, code in BAD_LOOKUPS:
        assert (arguments, code_of(loose.lookup_events, **arguments)) == (arguments, code)


def test_there_are_no_insights_events(client: Client) -> None:
    client("sagemaker").list_models()
    assert client("cloudtrail").lookup_events(EventCategory="insight")["Events"] == []


def test_two_lookups_a_second_while_the_clock_runs_as_the_wall(client: Client) -> None:
    cloudtrail = client("cloudtrail", retries={"total_max_attempts": 1})
    other = client("cloudtrail", region="eu-west-1", retries={"total_max_attempts": 1})
    CLOCK.run(1)
    try:
        cloudtrail.lookup_events()
        cloudtrail.lookup_events()
        assert refusal(cloudtrail.lookup_events) == ("ThrottlingException", "Rate exceeded")
        other.lookup_events()
        CLOCK.advance(1)
        cloudtrail.lookup_events()
    finally:
        CLOCK.run(None)
    for _ in range(5):  # in the instant gait no loop breaks
        cloudtrail.lookup_events()


def test_the_oldest_events_are_forgotten(client: Client) -> None:
    client("sagemaker").list_models()
    event = history.HISTORY[-1]
    for _ in range(history.KEPT):
        history.remember(replace(event, id="copy"))
    assert len(history.HISTORY) == 10_000
    assert all(kept.id == "copy" for kept in history.HISTORY)


def test_a_reset_forgets_the_history(client: Client) -> None:
    client("sagemaker").list_models()
    from awslab import extension

    extension.reset()
    assert client("cloudtrail").lookup_events()["Events"] == []


def test_over_http(lab_server: str) -> None:
    keys = environment()
    options: dict[str, Any] = {
        "endpoint_url": lab_server,
        "region_name": REGION,
        "aws_access_key_id": keys["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": keys["AWS_SECRET_ACCESS_KEY"],
    }
    s3, cloudtrail = boto3.client("s3", **options), boto3.client("cloudtrail", **options)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    create = {"Name": "audit", "S3BucketName": BUCKET}
    assert code_of(cloudtrail.create_trail, **create) == "InsufficientS3BucketPolicyException"
    s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(trail_arn("audit")))
    assert cloudtrail.create_trail(**create)["TrailARN"] == trail_arn("audit")
    found = cloudtrail.lookup_events()
    assert names(found) == ["CreateTrail", "PutBucketPolicy", "CreateTrail", "CreateBucket"]
    refused = json.loads(found["Events"][2]["CloudTrailEvent"])
    assert refused["errorCode"] == "InsufficientS3BucketPolicyException"
    assert refused["userIdentity"]["accessKeyId"] == "testing"
    bucket = json.loads(found["Events"][3]["CloudTrailEvent"])
    assert bucket["requestParameters"]["Host"] == f"{BUCKET}.s3.{REGION}.amazonaws.com"
