from collections.abc import Callable
from typing import Any

import pytest
from awslab.state import difference, snapshot
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from proofs.trace import Answer, Call, Trace, refusal, watching

TAG = {"Key": "Purpose", "Value": "practice"}
MISSING = "was not found: already deleted, or in another Region or account"
AGAIN = "Lift a restriction of the bucket with restrict_bucket.py --lift, then run again.\n"
HINT = "Nothing was deleted. Check the ids, AWS_DEFAULT_REGION, credentials and network.\n"


@pytest.fixture
def network(ec2: Any, network: Any) -> Any:
    """A VPC with the practice tag."""
    ec2.create_tags(Resources=[network.vpc_id], Tags=[TAG])
    return network


@pytest.fixture
def bucket(s3: Any, bucket: str) -> str:
    """A bucket with the practice tag."""
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [TAG]})
    return bucket


def test_everything_goes_in_an_order_that_aws_accepts(
    run: Callable[..., Any],
    ec2: Any,
    s3: Any,
    make_network: Callable[[Any], Any],
    attach_endpoint: Callable[..., str],
) -> None:
    ec2.describe_vpcs()
    s3.list_buckets()
    before = snapshot()
    network = make_network(ec2)
    ec2.create_tags(Resources=[network.vpc_id], Tags=[TAG])
    endpoint = attach_endpoint(ec2, network.vpc_id, *network.tables)
    name = "amzn-s3-demo-bucket-444455556666"
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [TAG]})
    s3.put_object(Bucket=name, Key="folder/object", Body=b"")
    result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", name)
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines() == [
        f"deleted {gone}"
        for gone in (name, endpoint, *network.subnets, *network.tables, network.vpc_id)
    ]
    assert difference(before, snapshot()) == []


def test_what_lies_in_other_vpcs_and_buckets_stays(
    run: Callable[..., Any],
    ec2: Any,
    s3: Any,
    bucket: str,
    network: Any,
    make_network: Callable[[Any], Any],
    attach_endpoint: Callable[..., str],
) -> None:
    other = make_network(ec2)
    endpoint = attach_endpoint(ec2, other.vpc_id, other.tables[0])
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket="amzn-s3-demo-other", CreateBucketConfiguration=where)
    result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", bucket)
    assert result.status == 0
    inside = [{"Name": "vpc-id", "Values": [other.vpc_id]}]
    tables = ec2.describe_route_tables(Filters=inside)["RouteTables"]
    assert {table["RouteTableId"] for table in tables} == {*other.tables, other.main_table}
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    assert [subnet["SubnetId"] for subnet in subnets] == other.subnets
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert [found["VpcEndpointId"] for found in endpoints] == [endpoint]
    assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == ["amzn-s3-demo-other"]


def test_a_bucket_with_more_than_one_page_of_objects_is_emptied(
    example: Callable[[str], Any], s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=str(number), Body=b"")
    assert s3.list_objects_v2(Bucket=bucket)["IsTruncated"] is True
    example("remove_sandbox").empty_and_delete(s3, bucket)
    assert s3.list_buckets()["Buckets"] == []


def test_all_pages_of_subnets_and_tables_are_deleted(
    example: Callable[[str], Any], ec2: Any
) -> None:
    inside = [{"Name": "vpc-id", "Values": ["vpc-1"]}]
    second = {"Filters": inside, "NextToken": "2"}
    pages: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "Tags": [TAG]}]}, {"Filters": inside}),
        ("describe_vpc_endpoints", {"VpcEndpoints": []}, {"Filters": inside}),
        (
            "describe_subnets",
            {"Subnets": [{"SubnetId": "subnet-1"}], "NextToken": "2"},
            {"Filters": inside},
        ),
        ("describe_subnets", {"Subnets": [{"SubnetId": "subnet-2"}]}, second),
        (
            "describe_route_tables",
            {"RouteTables": [{"RouteTableId": "rtb-1", "Associations": []}], "NextToken": "2"},
            {"Filters": inside},
        ),
        (
            "describe_route_tables",
            {"RouteTables": [{"RouteTableId": "rtb-2", "Associations": [{"Main": True}]}]},
            second,
        ),
    ]
    with Stubber(ec2) as stub:
        for operation, answer, expected in pages:
            stub.add_response(operation, answer, expected)
        found = [name for name, _ in example("remove_sandbox").find_network(ec2, "vpc-1")]
    assert found == ["subnet-1", "subnet-2", "rtb-1", "vpc-1"]


def test_a_failed_deletion_does_not_stop_the_rest(
    example: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        answer = {"Error": {"Code": "DependencyViolation", "Message": "It has dependencies."}}
        raise ClientError(answer, "DeleteSubnet")

    deletions = [("subnet-1", refuse), ("rtb-1", lambda: None), ("vpc-1", refuse)]
    failed = "was not deleted: An error occurred (DependencyViolation) when calling the "
    assert example("remove_sandbox").delete_all(deletions) == [
        f"subnet-1 {failed}DeleteSubnet operation: It has dependencies.",
        f"vpc-1 {failed}DeleteSubnet operation: It has dependencies.",
    ]
    assert capsys.readouterr().out == "deleted rtb-1\n"


def test_a_refusal_inside_a_200_answer_is_a_failure(
    example: Callable[[str], Any], ec2: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {
        "ResourceId": "vpce-1",
        "Error": {"Code": "DependencyViolation", "Message": "It is in use."},
    }
    module = example("remove_sandbox")
    with Stubber(ec2) as stub:
        stub.add_response(
            "delete_vpc_endpoints", {"Unsuccessful": [refused]}, {"VpcEndpointIds": ["vpce-1"]}
        )
        failures = module.delete_all([("vpce-1", lambda: module.delete_endpoint(ec2, "vpce-1"))])
    assert failures == ["vpce-1 was not deleted: DependencyViolation: It is in use."]
    assert capsys.readouterr().out == ""


def test_an_answer_without_list_of_refusals_is_a_success(
    example: Callable[[str], Any], ec2: Any
) -> None:
    with Stubber(ec2) as stub:
        stub.add_response("delete_vpc_endpoints", {}, {"VpcEndpointIds": ["vpce-1"]})
        example("remove_sandbox").delete_endpoint(ec2, "vpce-1")
        stub.assert_no_pending_responses()


WRONG_TAGS: list[list[dict[str, str]]] = [
    [],
    [{"Key": "Purpose", "Value": "production"}],
    [{"Key": "purpose", "Value": "practice"}],
    [{"Key": "Name", "Value": "practice"}],
]


@pytest.mark.parametrize("tags", WRONG_TAGS, ids=str)
def test_a_vpc_without_the_tag_stays_and_so_does_the_bucket(
    run: Callable[..., Any],
    ec2: Any,
    s3: Any,
    bucket: str,
    make_network: Callable[[Any], Any],
    attach_endpoint: Callable[..., str],
    tags: list[dict[str, str]],
) -> None:
    network = make_network(ec2)
    attach_endpoint(ec2, network.vpc_id, *network.tables)
    s3.put_object(Bucket=bucket, Key="kept", Body=b"")
    if tags:
        ec2.create_tags(Resources=[network.vpc_id], Tags=tags)
    before = snapshot()
    result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", bucket)
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"{network.vpc_id} is not tagged Purpose=practice. {HINT}"
    assert difference(before, snapshot()) == []


@pytest.mark.parametrize("tags", WRONG_TAGS, ids=str)
def test_a_bucket_without_the_tag_stays_and_so_does_the_vpc(
    run: Callable[..., Any],
    ec2: Any,
    s3: Any,
    bucket: str,
    network: Any,
    tags: list[dict[str, str]],
) -> None:
    s3.put_object(Bucket=bucket, Key="kept", Body=b"")
    s3.delete_bucket_tagging(Bucket=bucket)
    if tags:
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    before = snapshot()
    result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", bucket)
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"{bucket} is not tagged Purpose=practice. {HINT}"
    assert difference(before, snapshot()) == []
    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b""


def test_other_tags_do_no_harm(
    run: Callable[..., Any], ec2: Any, s3: Any, bucket: str, network: Any
) -> None:
    more = {"Key": "Name", "Value": "lab"}
    ec2.create_tags(Resources=[network.vpc_id], Tags=[more])
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [more, TAG]})
    result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", bucket)
    assert (result.status, result.errors) == (0, "")
    assert s3.list_buckets()["Buckets"] == []
    assert network.vpc_id not in {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}


def test_a_second_run_finds_nothing_left(
    run: Callable[..., Any], ec2: Any, bucket: str, network: Any
) -> None:
    chosen = ("--vpc-id", network.vpc_id, "--bucket", bucket)
    first = run("remove_sandbox", *chosen)
    assert (first.status, first.output.count("deleted ")) == (0, 6)
    after = snapshot()
    second = run("remove_sandbox", *chosen)
    assert (second.status, second.errors) == (0, "")
    assert second.output == f"{network.vpc_id} {MISSING}\n{bucket} {MISSING}\n"
    assert difference(after, snapshot()) == []


def test_a_vpc_that_is_gone_does_not_keep_the_bucket(
    run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    gone = "vpc-0123456789abcdef0"
    result = run("remove_sandbox", "--vpc-id", gone, "--bucket", bucket)
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"deleted {bucket}\n{gone} {MISSING}\n"
    assert s3.list_buckets()["Buckets"] == []


def test_a_bucket_that_is_gone_does_not_keep_the_network(
    run: Callable[..., Any], ec2: Any, network: Any
) -> None:
    name = "amzn-s3-demo-bucket-444455556666"
    result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", name)
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines() == [
        *(f"deleted {gone}" for gone in (*network.subnets, *network.tables, network.vpc_id)),
        f"{name} {MISSING}",
    ]
    assert network.vpc_id not in {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}


def test_a_half_deleted_network_is_finished(
    run: Callable[..., Any], bucket: str, network: Any
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        if call.operation not in ("DeleteRouteTable", "DeleteVpc"):
            return None
        return refusal("DependencyViolation", "It has dependencies.", 400)

    chosen = ("--vpc-id", network.vpc_id, "--bucket", bucket)
    with watching(Trace(refuse)):
        first = run("remove_sandbox", *chosen)
    assert first.status == 1
    assert first.output.splitlines() == [f"deleted {gone}" for gone in (bucket, *network.subnets)]
    assert first.errors == AGAIN.join(
        [
            "".join(
                f"{name} was not deleted: An error occurred (DependencyViolation) when calling the "
                f"{operation} operation: It has dependencies. "
                for name, operation in (
                    (network.tables[0], "DeleteRouteTable"),
                    (network.tables[1], "DeleteRouteTable"),
                    (network.vpc_id, "DeleteVpc"),
                )
            ),
            "",
        ]
    )
    second = run("remove_sandbox", *chosen)
    assert (second.status, second.errors) == (0, "")
    assert second.output.splitlines() == [
        *(f"deleted {gone}" for gone in (*network.tables, network.vpc_id)),
        f"{bucket} {MISSING}",
    ]


def test_a_restricted_bucket_stays_until_the_restriction_is_lifted(
    run: Callable[..., Any], s3: Any, bucket: str, network: Any, endpoint: str
) -> None:
    admin = "arn:aws:iam::111122223333:role/bucket-admin"
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    restriction = ("--endpoint-id", endpoint, "--admin-arn", admin)
    assert run("restrict_bucket", "--bucket", bucket, *restriction).status == 0
    chosen = ("--vpc-id", network.vpc_id, "--bucket", bucket)
    first = run("remove_sandbox", *chosen)
    assert first.status == 1
    assert first.errors == (
        f"{bucket} was not deleted: An error occurred (AccessDenied) when calling the "
        "ListObjectsV2 operation: User: arn:aws:iam::111122223333:user/lab is not authorized to "
        f'perform: s3:ListBucket on resource: "arn:aws:s3:::{bucket}" with an explicit deny in a '
        f"resource-based policy. {AGAIN}"
    )
    assert first.output.splitlines()[-1] == f"deleted {network.vpc_id}"
    assert run("restrict_bucket", "--bucket", bucket, "--lift").status == 0
    second = run("remove_sandbox", *chosen)
    assert (second.status, second.errors) == (0, "")
    assert second.output == f"deleted {bucket}\n{network.vpc_id} {MISSING}\n"


def test_a_bucket_whose_tags_cannot_be_read_stays(
    run: Callable[..., Any], bucket: str, network: Any
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("AccessDenied", "No.", 403) if call.operation == "GetBucketTagging" else None

    before = snapshot()
    with watching(Trace(refuse)):
        result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", bucket)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"An error occurred (AccessDenied) when calling the GetBucketTagging operation: No. {HINT}"
    )
    assert difference(before, snapshot()) == []


def test_in_the_wrong_region_the_network_stays(
    run: Callable[..., Any], ec2: Any, network: Any, bucket: str
) -> None:
    chosen = ("--vpc-id", network.vpc_id, "--bucket", bucket)
    result = run("remove_sandbox", *chosen, AWS_DEFAULT_REGION="eu-west-1")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"deleted {bucket}\n"
        f"{network.vpc_id} was not found: already deleted, or in another Region or account\n"
    )
    inside = [{"Name": "vpc-id", "Values": [network.vpc_id]}]
    assert len(ec2.describe_subnets(Filters=inside)["Subnets"]) == 2
