import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.policy import verdict
from botocore.exceptions import ClientError

ADMIN = "arn:aws:iam::111122223333:role/bucket-admin"
CHECK = "Check the names, AWS_DEFAULT_REGION, credentials and network.\n"
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


def outcomes(calls: dict[str, Callable[[], Any]]) -> dict[str, str]:
    """What S3 says to each call: "allowed" or an error code."""
    said = {}
    for name, call in calls.items():
        try:
            call()
            said[name] = "allowed"
        except ClientError as error:
            said[name] = error.response["Error"]["Code"]
    return said


def answers(s3: Any, bucket: str) -> dict[str, str]:
    """What S3 says to each request about objects."""
    calls: dict[str, Callable[[], Any]] = {
        "PutObject": lambda: s3.put_object(Bucket=bucket, Key="a", Body=b""),
        "GetObject": lambda: s3.get_object(Bucket=bucket, Key="a"),
        "HeadObject": lambda: s3.head_object(Bucket=bucket, Key="a"),
        "CopyObject": lambda: s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a"),
        "ListObjectsV2": lambda: s3.list_objects_v2(Bucket=bucket),
        "DeleteObject": lambda: s3.delete_object(Bucket=bucket, Key="a"),
    }
    return outcomes(calls)


ALLOWED = dict.fromkeys(
    ("PutObject", "GetObject", "HeadObject", "CopyObject", "ListObjectsV2", "DeleteObject"),
    "allowed",
)
DENIED = dict.fromkeys(ALLOWED, "AccessDenied") | {"HeadObject": "403"}


def version_calls(s3: Any, bucket: str, version: str) -> dict[str, Callable[[], Any]]:
    """Requests about versions, ACLs, tags and uploads."""
    a = {"Bucket": bucket, "Key": "a"}
    of = a | {"VersionId": version}
    tags = {"TagSet": [{"Key": "team", "Value": "ml"}]}
    return {
        "GetObject of a version": lambda: s3.get_object(**of),
        "HeadObject of a version": lambda: s3.head_object(**of),
        "GetObjectTagging of a version": lambda: s3.get_object_tagging(**of),
        "GetObjectAcl": lambda: s3.get_object_acl(**a),
        "PutObjectAcl": lambda: s3.put_object_acl(**a, ACL="private"),
        "PutObjectTagging": lambda: s3.put_object_tagging(**a, Tagging=tags),
        "CreateMultipartUpload": lambda: s3.create_multipart_upload(**a),
        "CopyObject of a version": lambda: s3.copy_object(Bucket=bucket, Key="b", CopySource=of),
        "ListObjectVersions": lambda: s3.list_object_versions(Bucket=bucket),
        "ListMultipartUploads": lambda: s3.list_multipart_uploads(Bucket=bucket),
        "DeleteObject of a version": lambda: s3.delete_object(**of),
    }


def test_two_statements_deny_objects_and_listings_on_other_paths(
    restrict: Callable[..., Any], s3: Any, bucket: str, endpoint: str
) -> None:
    result = restrict()
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{bucket}: only through {endpoint}; other statements kept: 0\n"
    condition = {
        "StringNotEquals": {"aws:SourceVpce": endpoint},
        "ArnNotEquals": {"aws:PrincipalArn": ADMIN},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"},
    }
    assert read(s3, bucket) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ObjectsOnlyThroughTheEndpoint",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": f"arn:aws:s3:::{bucket}/*",
                "Condition": condition,
            },
            {
                "Sid": "ListingsOnlyThroughTheEndpoint",
                "Effect": "Deny",
                "Principal": "*",
                "Action": [
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                    "s3:ListBucketMultipartUploads",
                ],
                "Resource": f"arn:aws:s3:::{bucket}",
                "Condition": condition,
            },
        ],
    }


def test_objects_are_reached_only_through_the_endpoint(
    restrict: Callable[..., Any], client: Callable[..., Any], s3: Any, bucket: str, endpoint: str
) -> None:
    assert answers(s3, bucket) == ALLOWED
    restrict()
    assert answers(s3, bucket) == DENIED
    assert answers(client("s3", user_agent_appid=endpoint), bucket) == ALLOWED


def test_versions_and_acls_are_reached_only_through_the_endpoint(
    restrict: Callable[..., Any],
    client: Callable[..., Any],
    assume: Callable[..., Any],
    s3: Any,
    bucket: str,
    endpoint: str,
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put = {"Bucket": bucket, "Key": "a", "Body": b"a"}
    first, second, _ = [s3.put_object(**put)["VersionId"] for _ in range(3)]
    restrict()
    outside = outcomes(version_calls(s3, bucket, first))
    bare = {"HeadObject of a version": "403"}
    assert outside == dict.fromkeys(outside, "AccessDenied") | bare
    for inside, version in (
        (client("s3", user_agent_appid=endpoint), first),
        (assume(ADMIN, "s3"), second),
    ):
        allowed = outcomes(version_calls(inside, bucket, version))
        assert allowed == dict.fromkeys(outside, "allowed")


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
    assert read(s3, bucket) == policy
    assert answers(s3, bucket) == DENIED
    s3.delete_bucket_policy(Bucket=bucket)
    assert answers(s3, bucket) == ALLOWED


def test_the_restriction_is_lifted_from_outside(
    restrict: Callable[..., Any], run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    restrict()
    assert run("restrict_bucket", "--bucket", bucket, "--lift").status == 0
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
def test_the_statements_spare_the_endpoint_the_administrator_and_aws_services(
    example: Callable[[str], Any], context: dict[str, str], said: str
) -> None:
    statements = example("restrict_bucket").deny_other_paths("amzn-s3-demo-a", "vpce-1", ADMIN)
    policy = {"Version": "2012-10-17", "Statement": statements}
    caller = [context.get("aws:PrincipalArn", "anonymous:::::")]
    bucket = "arn:aws:s3:::amzn-s3-demo-a"
    for action in ("GetObject", "GetObjectVersion", "PutObjectAcl", "AbortMultipartUpload"):
        assert verdict(policy, f"s3:{action}", f"{bucket}/object", caller, context) == said
    for action in ("ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"):
        assert verdict(policy, f"s3:{action}", bucket, caller, context) == said
    for action in ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketTagging"):
        assert verdict(policy, f"s3:{action}", bucket, caller, context) == "silent"
    assert verdict(policy, "s3:GetObject", f"{bucket}-b/object", caller, context) == "silent"


def test_other_statements_and_the_rest_of_the_policy_survive(
    restrict: Callable[..., Any], run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    write(s3, bucket, Version="2008-10-17", Id="ours", Statement=[OTHER])
    result = restrict()
    assert result.output.endswith("; other statements kept: 1\n")
    policy = read(s3, bucket)
    assert (policy["Version"], policy["Id"]) == ("2008-10-17", "ours")
    assert policy["Statement"][0] == OTHER
    assert [each["Sid"] for each in policy["Statement"]] == [
        "ReadOnlyForTheAuditor",
        "ObjectsOnlyThroughTheEndpoint",
        "ListingsOnlyThroughTheEndpoint",
    ]
    run("restrict_bucket", "--bucket", bucket, "--lift")
    assert read(s3, bucket) == {"Version": "2008-10-17", "Id": "ours", "Statement": [OTHER]}


def test_a_single_statement_that_is_not_in_a_list_survives(
    restrict: Callable[..., Any], run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    write(s3, bucket, Version="2012-10-17", Statement=OTHER)
    assert restrict().output.endswith("; other statements kept: 1\n")
    result = run("restrict_bucket", "--bucket", bucket, "--lift")
    assert result.output == f"{bucket}: restriction lifted; other statements kept: 1\n"
    assert read(s3, bucket) == {"Version": "2012-10-17", "Statement": [OTHER]}


def test_a_statement_without_sid_survives(
    restrict: Callable[..., Any], s3: Any, bucket: str
) -> None:
    nameless = {key: value for key, value in OTHER.items() if key != "Sid"}
    write(s3, bucket, Version="2012-10-17", Statement=[nameless])
    restrict()
    assert read(s3, bucket)["Statement"][0] == nameless


def endpoints_in(policy: Any) -> list[str]:
    """The endpoint that each statement names."""
    conditions = [statement["Condition"] for statement in policy["Statement"]]
    return [condition["StringNotEquals"]["aws:SourceVpce"] for condition in conditions]


def test_a_second_run_replaces_the_statements(
    restrict: Callable[..., Any],
    ec2: Any,
    network: Any,
    s3: Any,
    bucket: str,
    endpoint: str,
    attach_endpoint: Callable[..., str],
) -> None:
    other = attach_endpoint(ec2, network.vpc_id, network.tables[1])
    restrict(other)
    assert endpoints_in(read(s3, bucket)) == [other, other]
    for _ in range(2):
        assert restrict().output.endswith("; other statements kept: 0\n")
        assert endpoints_in(read(s3, bucket)) == [endpoint, endpoint]


def test_an_endpoint_that_does_not_exist_locks_nobody_out(
    restrict: Callable[..., Any], s3: Any, bucket: str
) -> None:
    write(s3, bucket, Version="2012-10-17", Statement=[OTHER])
    before = read(s3, bucket)
    result = restrict("vpce-0123456789abcdef0")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (InvalidVpcEndpointId.NotFound) when calling the DescribeVpcEndpoints "
        "operation: The VpcEndPoint ID 'vpce-0123456789abcdef0' does not exist. "
        f"The policy of {bucket} may have changed. {CHECK}"
    )
    assert read(s3, bucket) == before


def test_an_endpoint_of_another_service_locks_nobody_out(
    restrict: Callable[..., Any], s3: Any, ec2: Any, bucket: str, network: Any
) -> None:
    dynamodb = ec2.create_vpc_endpoint(
        VpcId=network.vpc_id, ServiceName="com.amazonaws.ap-northeast-1.dynamodb"
    )["VpcEndpoint"]["VpcEndpointId"]
    result = restrict(dynamodb)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"{dynamodb} is not an S3 endpoint in use. ")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_an_endpoint_of_another_region_locks_nobody_out(
    run: Callable[..., Any], s3: Any, bucket: str, endpoint: str
) -> None:
    chosen = ("--bucket", bucket, "--endpoint-id", endpoint, "--admin-arn", ADMIN)
    result = run("restrict_bucket", *chosen, AWS_DEFAULT_REGION="eu-west-1")
    assert (result.status, result.output) == (1, "")
    assert "(InvalidVpcEndpointId.NotFound)" in result.errors
    assert answers(s3, bucket) == ALLOWED


@pytest.mark.parametrize(
    "admin",
    [
        ADMIN,
        "arn:aws:iam::111122223333:role/path/bucket-admin",
        "arn:aws:iam::111122223333:user/mateo",
        "arn:aws-cn:iam::111122223333:role/bucket-admin",
        "arn:aws-us-gov:iam::111122223333:user/mateo",
    ],
)
def test_the_administrator_is_a_role_or_a_user(example: Callable[[str], Any], admin: str) -> None:
    assert example("restrict_bucket").role_or_user(admin) == admin


@pytest.mark.parametrize(
    "admin",
    [
        "bucket-admin",
        "111122223333",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/bucket admin",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:role/bucket-admi?",
        "arn:aws:iam::111122223333:group/admins",
        "arn:aws:iam::1111:role/bucket-admin",
        "arn:aws:sts::111122223333:assumed-role/bucket-admin/session",
        "arn:aws:sts::111122223333:federated-user/mateo",
        f"{ADMIN}\n",
        f" {ADMIN}",
    ],
)
def test_any_other_administrator_is_refused(
    run: Callable[..., Any], s3: Any, bucket: str, endpoint: str, admin: str
) -> None:
    chosen = ("--bucket", bucket, "--endpoint-id", endpoint, "--admin-arn", admin)
    result = run("restrict_bucket", *chosen)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(
        f"error: argument --admin-arn: {admin} is not the ARN of an IAM role or user\n"
    )
    assert answers(s3, bucket) == ALLOWED


def test_lift_leaves_no_empty_policy(
    restrict: Callable[..., Any], run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    restrict()
    for _ in range(2):  # the second time there is nothing to lift
        result = run("restrict_bucket", "--bucket", bucket, "--lift")
        assert (result.status, result.errors) == (0, "")
        assert result.output == f"{bucket}: restriction lifted; other statements kept: 0\n"
        with pytest.raises(ClientError) as caught:
            s3.get_bucket_policy(Bucket=bucket)
        assert caught.value.response["Error"]["Code"] == "NoSuchBucketPolicy"
    assert answers(s3, bucket) == ALLOWED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--endpoint-id", "vpce-1"], "--endpoint-id needs --admin-arn"),
        (["--endpoint-id", "", "--admin-arn", ADMIN], "--endpoint-id needs --admin-arn"),
        (
            ["--endpoint-id", "vpce-1", "--admin-arn", ""],
            "argument --admin-arn:  is not the ARN of an IAM role or user",
        ),
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
        "with an explicit deny in a resource-based policy. "
        f"The policy of {bucket} may have changed. {CHECK}"
    )
    s3.delete_object(Bucket=bucket, Key="a")


def test_a_missing_bucket_is_an_error(run: Callable[..., Any]) -> None:
    result = run("restrict_bucket", "--bucket", "amzn-s3-demo-bucket-444455556666", "--lift")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (NoSuchBucket) when calling the GetBucketPolicy operation: "
        "The specified bucket does not exist. "
        f"The policy of amzn-s3-demo-bucket-444455556666 may have changed. {CHECK}"
    )
