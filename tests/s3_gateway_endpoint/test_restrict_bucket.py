import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.policy import verdict
from botocore.exceptions import ClientError

ADMIN = "arn:aws:iam::111122223333:role/bucket-admin"
OTHER = {
    "Sid": "ReadOnlyForTheAuditor",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::amzn-s3-demo-bucket-111122223333/*",
}


@pytest.fixture
def restrict(run: Callable[..., Any], bucket: str, endpoint: str) -> Callable[..., Any]:
    """`restrict()`: the program, with the bucket, the endpoint and the admin of these tests."""

    def start(endpoint_id: str = endpoint) -> Any:
        return run(
            "restrict_bucket",
            *("--bucket", bucket, "--endpoint-id", endpoint_id, "--admin-arn", ADMIN),
        )

    return start


def read(s3: Any, bucket: str) -> Any:
    return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])


def write(s3: Any, bucket: str, **policy: Any) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def answers(s3: Any, bucket: str) -> dict[str, str]:
    """What S3 says to each request about objects: "allowed" or an error code."""
    calls: dict[str, Callable[[], Any]] = {
        "PutObject": lambda: s3.put_object(Bucket=bucket, Key="a", Body=b""),
        "GetObject": lambda: s3.get_object(Bucket=bucket, Key="a"),
        "HeadObject": lambda: s3.head_object(Bucket=bucket, Key="a"),
        "CopyObject": lambda: s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a"),
        "ListObjectsV2": lambda: s3.list_objects_v2(Bucket=bucket),
        "DeleteObject": lambda: s3.delete_object(Bucket=bucket, Key="a"),
    }
    said = {}
    for name, call in calls.items():
        try:
            call()
            said[name] = "allowed"
        except ClientError as error:
            said[name] = error.response["Error"]["Code"]
    return said


ALLOWED = dict.fromkeys(
    ("PutObject", "GetObject", "HeadObject", "CopyObject", "ListObjectsV2", "DeleteObject"),
    "allowed",
)
DENIED = dict.fromkeys(ALLOWED, "AccessDenied") | {"HeadObject": "403"}


def test_one_statement_denies_objects_on_other_paths(
    restrict: Callable[..., Any], s3: Any, bucket: str, endpoint: str
) -> None:
    result = restrict()
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{bucket}: objects only through {endpoint}; 0 other statements kept\n"
    assert read(s3, bucket) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ObjectsOnlyThroughTheEndpoint",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {
                    "StringNotEquals": {"aws:SourceVpce": endpoint},
                    "ArnNotEquals": {"aws:PrincipalArn": ADMIN},
                    "BoolIfExists": {
                        "aws:PrincipalIsAWSService": "false",
                        "aws:ViaAWSService": "false",
                    },
                },
            }
        ],
    }


def test_objects_are_reached_only_through_the_endpoint(
    restrict: Callable[..., Any], client: Callable[..., Any], s3: Any, bucket: str, endpoint: str
) -> None:
    assert answers(s3, bucket) == ALLOWED
    restrict()
    assert answers(s3, bucket) == DENIED
    assert answers(client("s3", user_agent_appid=endpoint), bucket) == ALLOWED


def test_another_endpoint_is_another_path(
    restrict: Callable[..., Any],
    client: Callable[..., Any],
    ec2: Any,
    network: Any,
    bucket: str,
    attach_endpoint: Callable[..., str],
) -> None:
    other = attach_endpoint(ec2, network.vpc_id, network.tables[1])
    restrict()
    assert answers(client("s3", user_agent_appid=other), bucket) == DENIED


def test_the_administrator_reaches_objects_from_outside(
    restrict: Callable[..., Any], assume: Callable[..., Any], bucket: str
) -> None:
    restrict()
    assert answers(assume(ADMIN, "s3"), bucket) == ALLOWED
    assert answers(assume("arn:aws:iam::111122223333:role/reader", "s3"), bucket) == DENIED


def test_everybody_can_still_manage_the_bucket_from_outside(
    restrict: Callable[..., Any], s3: Any, bucket: str
) -> None:
    restrict()
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    policy = read(s3, bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    s3.delete_bucket_policy(Bucket=bucket)
    assert answers(s3, bucket) == ALLOWED


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({}, "deny"),  # anonymous: no key is there
        ({"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}, "deny"),
        ({"aws:PrincipalIsAWSService": "true"}, "silent"),
        ({"aws:PrincipalIsAWSService": "true", "aws:ViaAWSService": "false"}, "silent"),
        ({"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "true"}, "silent"),
        ({"aws:PrincipalArn": ADMIN}, "silent"),
        ({"aws:PrincipalArn": f"{ADMIN}-2"}, "deny"),
        ({"aws:SourceVpce": "vpce-1"}, "silent"),
        ({"aws:SourceVpce": "vpce-2"}, "deny"),
    ],
)
def test_the_statement_spares_the_endpoint_the_administrator_and_aws_services(
    example: Callable[[str], Any], context: dict[str, str], said: str
) -> None:
    statement = example("restrict_bucket").deny_other_paths("amzn-s3-demo-a", "vpce-1", ADMIN)
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    caller = [context.get("aws:PrincipalArn", "anonymous:::::")]
    resource = "arn:aws:s3:::amzn-s3-demo-a/object"
    assert verdict(policy, "s3:GetObject", resource, caller, context) == said
    assert verdict(policy, "s3:PutBucketPolicy", resource[:27], caller, context) == "silent"


def test_other_statements_and_the_rest_of_the_policy_survive(
    restrict: Callable[..., Any], run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    write(s3, bucket, Version="2008-10-17", Id="ours", Statement=[OTHER])
    result = restrict()
    assert result.output.endswith("; 1 other statements kept\n")
    policy = read(s3, bucket)
    assert (policy["Version"], policy["Id"]) == ("2008-10-17", "ours")
    assert policy["Statement"][0] == OTHER
    assert [each["Sid"] for each in policy["Statement"]] == [
        "ReadOnlyForTheAuditor",
        "ObjectsOnlyThroughTheEndpoint",
    ]
    run("restrict_bucket", "--bucket", bucket, "--lift")
    assert read(s3, bucket) == {"Version": "2008-10-17", "Id": "ours", "Statement": [OTHER]}


def test_a_single_statement_that_is_not_in_a_list_survives(
    restrict: Callable[..., Any], run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    write(s3, bucket, Version="2012-10-17", Statement=OTHER)
    assert restrict().output.endswith("; 1 other statements kept\n")
    result = run("restrict_bucket", "--bucket", bucket, "--lift")
    assert result.output == f"{bucket}: objects from anywhere; 1 other statements kept\n"
    assert read(s3, bucket) == {"Version": "2012-10-17", "Statement": [OTHER]}


def test_a_statement_without_sid_survives(
    restrict: Callable[..., Any], s3: Any, bucket: str
) -> None:
    nameless = {key: value for key, value in OTHER.items() if key != "Sid"}
    write(s3, bucket, Version="2012-10-17", Statement=[nameless])
    restrict()
    assert read(s3, bucket)["Statement"][0] == nameless


def test_a_second_run_replaces_the_statement(
    restrict: Callable[..., Any], s3: Any, bucket: str, endpoint: str
) -> None:
    restrict("vpce-0123456789abcdef0")
    first = read(s3, bucket)
    restrict()
    restrict()
    (statement,) = read(s3, bucket)["Statement"]
    assert statement["Condition"]["StringNotEquals"] == {"aws:SourceVpce": endpoint}
    assert len(first["Statement"]) == 1
    assert statement != first["Statement"][0]


def test_lift_leaves_no_empty_policy(
    restrict: Callable[..., Any], run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    restrict()
    for _ in range(2):  # the second time there is nothing to lift
        result = run("restrict_bucket", "--bucket", bucket, "--lift")
        assert (result.status, result.errors) == (0, "")
        assert result.output == f"{bucket}: objects from anywhere; 0 other statements kept\n"
        with pytest.raises(ClientError) as caught:
            s3.get_bucket_policy(Bucket=bucket)
        assert caught.value.response["Error"]["Code"] == "NoSuchBucketPolicy"
    assert answers(s3, bucket) == ALLOWED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--endpoint-id", "vpce-1"], "--endpoint-id needs --admin-arn"),
        (["--endpoint-id", "", "--admin-arn", ADMIN], "--endpoint-id needs --admin-arn"),
        (["--endpoint-id", "vpce-1", "--admin-arn", ""], "--endpoint-id needs --admin-arn"),
        (["--endpoint-id", "vpce-1", "--lift"], "not allowed with argument --endpoint-id"),
        ([], "one of the arguments --endpoint-id --lift is required"),
    ],
)
def test_wrong_arguments_change_nothing(
    restrict: Callable[..., Any],
    run: Callable[..., Any],
    s3: Any,
    bucket: str,
    arguments: list[str],
    message: str,
) -> None:
    restrict()
    before = read(s3, bucket)
    result = run("restrict_bucket", "--bucket", bucket, *arguments)
    assert (result.status, result.output) == (2, "")
    assert message in result.errors
    assert read(s3, bucket) == before


def test_a_policy_that_cannot_be_read_is_not_replaced(
    restrict: Callable[..., Any], s3: Any, bucket: str
) -> None:
    closed = OTHER | {"Effect": "Deny", "Principal": "*", "Action": "s3:GetBucketPolicy"}
    write(s3, bucket, Version="2012-10-17", Statement=[closed | {"Resource": "*"}])
    result = restrict()
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("An error occurred (AccessDenied) when calling the GetBucket")
    assert result.errors.endswith(
        "with an explicit deny in a resource-based policy. The policy is unchanged. "
        "Check the bucket, AWS_DEFAULT_REGION, credentials and network.\n"
    )
    s3.delete_object(Bucket=bucket, Key="a")


def test_a_missing_bucket_is_an_error(run: Callable[..., Any]) -> None:
    result = run("restrict_bucket", "--bucket", "amzn-s3-demo-bucket-444455556666", "--lift")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (NoSuchBucket) when calling the GetBucketPolicy operation: "
        "The specified bucket does not exist. The policy is unchanged. "
        "Check the bucket, AWS_DEFAULT_REGION, credentials and network.\n"
    )
