import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

BUCKET, OTHER = "amzn-s3-demo-bucket-111122223333", "amzn-s3-demo-bucket-111122223333-2"
ADVICE = "Check the names, AWS_DEFAULT_REGION, credentials and network, then run it again.\n"
SHOWN = f"""\
management, without KMS
  eventCategory Equals Management
  eventSource NotEquals kms.amazonaws.com
writes to one bucket
  eventCategory Equals Data
  resources.type Equals AWS::S3::Object
  readOnly Equals false
  resources.ARN StartsWith arn:aws:s3:::{BUCKET}/
refused by VPC endpoints
  eventCategory Equals NetworkActivity
  eventSource Equals s3.amazonaws.com
  errorCode Equals VpceAccessDenied
"""
Records = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def records(s3: Any, trail: Any) -> Records:
    """`records()`: what the trail has delivered until now."""

    def read() -> list[dict[str, Any]]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=trail.bucket)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        files = [
            s3.get_object(Bucket=trail.bucket, Key=key)["Body"].read()
            for key in keys
            if "/CloudTrail/" in key
        ]
        return [each for file in files for each in json.loads(gzip.decompress(file))["Records"]]

    return read


def data_events(records: Records) -> list[tuple[str, str]]:
    return [
        (each["eventName"], each["requestParameters"]["bucketName"])
        for each in records()
        if each["eventCategory"] == "Data"
    ]


def test_it_shows_what_is_recorded(
    run: Callable[..., Any], trail: Any, cloudtrail: Any, example: Callable[[str], Any]
) -> None:
    result = run("select_events", "--trail-name", "audit", "--bucket", BUCKET)
    assert (result.status, result.errors, result.output) == (0, "", SHOWN)
    found = cloudtrail.get_event_selectors(TrailName="audit")["AdvancedEventSelectors"]
    assert found == example("select_events").selectors_for(BUCKET)


def test_writes_to_the_bucket_are_recorded_and_nothing_else_of_s3_objects(
    run: Callable[..., Any], records: Records, make_bucket: Callable[[str], str], s3: Any
) -> None:
    for bucket in (make_bucket(BUCKET), make_bucket(OTHER)):
        s3.put_object(Bucket=bucket, Key="before", Body=b"")
    assert run("select_events", "--trail-name", "audit", "--bucket", BUCKET).status == 0
    for bucket in (BUCKET, OTHER):
        s3.put_object(Bucket=bucket, Key="a", Body=b"")
        s3.get_object(Bucket=bucket, Key="a")
        s3.delete_object(Bucket=bucket, Key="a")
    assert sorted(data_events(records)) == [("DeleteObject", BUCKET), ("PutObject", BUCKET)]
    assert run("select_events", "--trail-name", "audit", "--reset").status == 0
    s3.put_object(Bucket=BUCKET, Key="after", Body=b"")
    assert len(data_events(records)) == 2


def test_kms_is_left_out_until_the_reset(
    run: Callable[..., Any], records: Records, kms: Any, client: Callable[..., Any]
) -> None:
    def sources() -> set[str]:
        return {each["eventSource"] for each in records()}

    run("select_events", "--trail-name", "audit", "--bucket", BUCKET)
    kms.create_key()
    client("sns").create_topic(Name="t")
    assert "sns.amazonaws.com" in sources()
    assert "kms.amazonaws.com" not in sources()
    run("select_events", "--trail-name", "audit", "--reset")
    kms.create_key()
    assert "kms.amazonaws.com" in sources()


def test_what_an_endpoint_policy_refuses_is_recorded(
    run: Callable[..., Any],
    records: Records,
    make_bucket: Callable[[str], str],
    client: Callable[..., Any],
) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.ap-northeast-1.s3",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )["VpcEndpoint"]["VpcEndpointId"]
    make_bucket(OTHER)
    run("select_events", "--trail-name", "audit", "--bucket", BUCKET)
    inside = client("s3", user_agent_appid=endpoint)
    with pytest.raises(inside.exceptions.ClientError, match="AccessDenied"):
        inside.get_object(Bucket=OTHER, Key="a")
    (found,) = [each for each in records() if each["eventCategory"] == "NetworkActivity"]
    assert (found["eventName"], found["errorCode"]) == ("GetObject", "VpceAccessDenied")
    assert found["vpcEndpointId"] == endpoint


def test_the_reset_replaces_basic_selectors_too(
    run: Callable[..., Any], trail: Any, cloudtrail: Any
) -> None:
    basic = [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]
    cloudtrail.put_event_selectors(TrailName="audit", EventSelectors=basic)
    result = run("select_events", "--trail-name", "audit", "--reset")
    assert result.output == "management\n  eventCategory Equals Management\n"
    assert "EventSelectors" not in cloudtrail.get_event_selectors(TrailName="audit")


def test_a_trail_that_does_not_exist(run: Callable[..., Any]) -> None:
    result = run("select_events", "--trail-name", "audit", "--reset")
    assert (result.status, result.output) == (1, "")
    assert "(TrailNotFoundException)" in result.errors
    assert result.errors.endswith(f". What the trail audit records has not changed. {ADVICE}")


@pytest.mark.parametrize(
    ("operations", "has"),
    [(["PutEventSelectors"], "may have"), (["GetEventSelectors"], "has not")],
)
def test_what_an_error_has_left_is_told(
    run: Callable[..., Any],
    trail: Any,
    cloudtrail: Any,
    refuse: Callable[..., Any],
    operations: list[str],
    has: str,
) -> None:
    before = cloudtrail.get_event_selectors(TrailName="audit")
    with refuse(*operations):
        result = run("select_events", "--trail-name", "audit", "--bucket", BUCKET)
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith(f"no. What the trail audit records {has} changed. {ADVICE}")
    after = cloudtrail.get_event_selectors(TrailName="audit")
    assert after["EventSelectors"] == before["EventSelectors"]


def test_either_a_bucket_or_the_reset(run: Callable[..., Any]) -> None:
    for chosen in ([], ["--bucket", BUCKET, "--reset"]):
        result = run("select_events", "--trail-name", "audit", *chosen)
        assert result.status == 2
        assert "--reset" in result.errors.splitlines()[-1]
