from collections.abc import Callable
from typing import Any

import pytest
from awslab.state import difference, snapshot
from botocore.exceptions import ClientError
from botocore.stub import Stubber

AGAIN = "Run the command again when the cause is mended.\n"


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
    endpoint = attach_endpoint(ec2, network.vpc_id, *network.tables)
    name = "amzn-s3-demo-bucket-444455556666"
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
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
        found = [name for name, _ in example("remove_sandbox").find_deletions(ec2, "vpc-1")]
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


def test_a_wrong_vpc_id_is_named_and_the_bucket_is_deleted_all_the_same(
    run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    wrong = "vpc-0123456789abcdef0"
    result = run("remove_sandbox", "--vpc-id", wrong, "--bucket", bucket)
    assert (result.status, result.output) == (1, f"deleted {bucket}\n")
    assert result.errors == (
        f"{wrong} was not deleted: An error occurred (InvalidVpcID.NotFound) when calling the "
        f"DeleteVpc operation: VpcID {wrong} does not exist. {AGAIN}"
    )
    assert s3.list_buckets()["Buckets"] == []


def test_a_missing_bucket_does_not_keep_the_network(
    run: Callable[..., Any], ec2: Any, network: Any
) -> None:
    name = "amzn-s3-demo-bucket-444455556666"
    result = run("remove_sandbox", "--vpc-id", network.vpc_id, "--bucket", name)
    assert result.status == 1
    assert result.errors == (
        f"{name} was not deleted: An error occurred (NoSuchBucket) when calling the "
        f"ListObjectsV2 operation: The specified bucket does not exist. {AGAIN}"
    )
    assert network.vpc_id not in {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}


def test_in_the_wrong_region_the_network_stays(
    run: Callable[..., Any], ec2: Any, network: Any, bucket: str
) -> None:
    result = run(
        "remove_sandbox",
        "--vpc-id",
        network.vpc_id,
        "--bucket",
        bucket,
        AWS_DEFAULT_REGION="eu-west-1",
    )
    assert result.status == 1
    assert "(InvalidVpcID.NotFound)" in result.errors
    inside = [{"Name": "vpc-id", "Values": [network.vpc_id]}]
    assert len(ec2.describe_subnets(Filters=inside)["Subnets"]) == 2
