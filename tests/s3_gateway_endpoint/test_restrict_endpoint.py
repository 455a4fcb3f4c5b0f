import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

OTHER = "amzn-s3-demo-bucket-444455556666"
FULL_ACCESS = [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]


@pytest.fixture
def other_bucket(s3: Any) -> str:
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=OTHER, CreateBucketConfiguration=where)
    return OTHER


@pytest.fixture
def inside(client: Callable[..., Any], endpoint: str) -> Any:
    """An S3 client whose requests come through the endpoint."""
    return client("s3", user_agent_appid=endpoint)


def policy_of(ec2: Any, endpoint: str) -> Any:
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    return json.loads(found["PolicyDocument"])


def reason(call: Callable[..., Any], **arguments: Any) -> str:
    """The message of S3's refusal."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    return str(caught.value.response["Error"]["Message"])


def test_the_policy_names_each_bucket_and_its_objects(
    run: Callable[..., Any], ec2: Any, endpoint: str
) -> None:
    result = run(
        "restrict_endpoint",
        *("--endpoint-id", endpoint, "--bucket", "amzn-s3-demo-a", "--bucket", "amzn-s3-demo-b"),
    )
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"{endpoint} lets through: s3:GetObject, s3:PutObject, s3:ListBucket\n"
        "to and from: amzn-s3-demo-a amzn-s3-demo-b\n"
    )
    assert policy_of(ec2, endpoint) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTheseBuckets",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
                "Resource": [
                    "arn:aws:s3:::amzn-s3-demo-a",
                    "arn:aws:s3:::amzn-s3-demo-a/*",
                    "arn:aws:s3:::amzn-s3-demo-b",
                    "arn:aws:s3:::amzn-s3-demo-b/*",
                ],
            }
        ],
    }


def test_through_the_endpoint_the_chosen_bucket_can_be_read_and_written(
    example: Callable[[str], Any], ec2: Any, inside: Any, endpoint: str, bucket: str
) -> None:
    example("restrict_endpoint").restrict_endpoint(ec2, endpoint, [bucket])
    inside.put_object(Bucket=bucket, Key="a", Body=b"content")
    assert inside.get_object(Bucket=bucket, Key="a")["Body"].read() == b"content"
    assert inside.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_through_the_endpoint_every_other_bucket_is_refused(
    example: Callable[[str], Any],
    ec2: Any,
    s3: Any,
    inside: Any,
    endpoint: str,
    bucket: str,
    other_bucket: str,
) -> None:
    example("restrict_endpoint").restrict_endpoint(ec2, endpoint, [bucket])
    assert reason(inside.put_object, Bucket=other_bucket, Key="a", Body=b"") == (
        "User: arn:aws:iam::111122223333:user/lab is not authorized to perform: s3:PutObject "
        f'on resource: "arn:aws:s3:::{other_bucket}/a" '
        "because no VPC endpoint policy allows the s3:PutObject action"
    )
    assert "s3:ListBucket" in reason(inside.list_objects_v2, Bucket=other_bucket)
    assert s3.list_objects_v2(Bucket=other_bucket)["KeyCount"] == 0


def test_actions_that_the_policy_does_not_name_are_refused(
    example: Callable[[str], Any], ec2: Any, s3: Any, inside: Any, endpoint: str, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    example("restrict_endpoint").restrict_endpoint(ec2, endpoint, [bucket])
    assert reason(inside.delete_object, Bucket=bucket, Key="a").endswith(
        "because no VPC endpoint policy allows the s3:DeleteObject action"
    )


def test_requests_that_come_another_way_are_not_touched(
    example: Callable[[str], Any], ec2: Any, s3: Any, endpoint: str, other_bucket: str
) -> None:
    example("restrict_endpoint").restrict_endpoint(ec2, endpoint, ["amzn-s3-demo-a"])
    s3.put_object(Bucket=other_bucket, Key="a", Body=b"")
    assert s3.list_objects_v2(Bucket=other_bucket)["KeyCount"] == 1


def test_after_a_reset_everything_is_let_through_again(
    run: Callable[..., Any], ec2: Any, inside: Any, endpoint: str, bucket: str, other_bucket: str
) -> None:
    before = policy_of(ec2, endpoint)
    run("restrict_endpoint", "--endpoint-id", endpoint, "--bucket", bucket)
    result = run("restrict_endpoint", "--endpoint-id", endpoint, "--reset")
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{endpoint} lets everything through\n"
    assert policy_of(ec2, endpoint) == before
    assert before["Statement"] == FULL_ACCESS
    inside.put_object(Bucket=other_bucket, Key="a", Body=b"")
    inside.delete_object(Bucket=other_bucket, Key="a")


def test_a_second_run_replaces_the_policy(
    example: Callable[[str], Any], ec2: Any, endpoint: str
) -> None:
    module = example("restrict_endpoint")
    module.restrict_endpoint(ec2, endpoint, ["amzn-s3-demo-a"])
    module.restrict_endpoint(ec2, endpoint, ["amzn-s3-demo-b"])
    assert policy_of(ec2, endpoint) == module.endpoint_policy(["amzn-s3-demo-b"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments --bucket --reset is required"),
        (
            ["--bucket", "amzn-s3-demo-b", "--reset"],
            "argument --reset: not allowed with argument --bucket",
        ),
        (
            ["--reset", "--bucket", "amzn-s3-demo-b"],
            "argument --bucket: not allowed with argument --reset",
        ),
    ],
)
def test_wrong_arguments_change_nothing(
    run: Callable[..., Any], ec2: Any, endpoint: str, arguments: list[str], message: str
) -> None:
    run("restrict_endpoint", "--endpoint-id", endpoint, "--bucket", "amzn-s3-demo-a")
    before = policy_of(ec2, endpoint)
    result = run("restrict_endpoint", "--endpoint-id", endpoint, *arguments)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(f"restrict_endpoint.py: error: {message}\n")
    assert policy_of(ec2, endpoint) == before


@pytest.mark.parametrize("chosen", [["--reset"], ["--bucket", "amzn-s3-demo-a"]])
def test_an_unknown_endpoint_is_an_error(
    run: Callable[..., Any], ec2: Any, endpoint: str, chosen: list[str]
) -> None:
    before = policy_of(ec2, endpoint)
    result = run("restrict_endpoint", "--endpoint-id", "vpce-0123456789abcdef0", *chosen)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (InvalidVpcEndpointId.NotFound) when calling the ModifyVpcEndpoint "
        "operation: The VpcEndPoint ID 'vpce-0123456789abcdef0' does not exist. "
        "The policy of vpce-0123456789abcdef0 may have changed. "
        "Check the id, AWS_DEFAULT_REGION, credentials and network.\n"
    )
    assert policy_of(ec2, endpoint) == before


def test_the_endpoint_of_another_region_keeps_its_policy(
    run: Callable[..., Any], ec2: Any, endpoint: str
) -> None:
    before = policy_of(ec2, endpoint)
    result = run(
        "restrict_endpoint",
        *("--endpoint-id", endpoint, "--bucket", "amzn-s3-demo-a"),
        AWS_DEFAULT_REGION="eu-west-1",
    )
    assert result.status == 1
    assert policy_of(ec2, endpoint) == before


def test_more_buckets_than_a_policy_can_hold_are_an_error(
    run: Callable[..., Any], ec2: Any, endpoint: str
) -> None:
    before = policy_of(ec2, endpoint)
    many = [part for number in range(400) for part in ("--bucket", f"amzn-s3-demo-{number}")]
    result = run("restrict_endpoint", "--endpoint-id", endpoint, *many)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (InvalidParameterValue) when calling the ModifyVpcEndpoint operation: "
        "The policy is longer than 20480 characters. "
        f"The policy of {endpoint} may have changed. "
        "Check the id, AWS_DEFAULT_REGION, credentials and network.\n"
    )
    assert policy_of(ec2, endpoint) == before
