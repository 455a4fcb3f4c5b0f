from collections.abc import Callable
from typing import Any

import pytest
from awslab.services.ec2 import InvalidRequest
from awslab.state import difference, snapshot
from botocore.exceptions import ClientError
from moto.ec2.models import EC2Backend
from proofs.trace import Answer, Call, Trace, refusal, watching

NAME = "amzn-s3-demo-bucket-444455556666"
TAG = {"Key": "Purpose", "Value": "practice"}
HINT = "Check the bucket name, AWS_DEFAULT_REGION, credentials and network.\n"


def own_vpcs(ec2: Any) -> list[dict[str, Any]]:
    return ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]


def test_it_makes_two_private_subnets_with_a_route_table_each(
    run: Callable[..., Any], ec2: Any
) -> None:
    result = run("create_sandbox", "--bucket", NAME)
    (vpc,) = own_vpcs(ec2)
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    tables = ec2.describe_route_tables(Filters=inside)["RouteTables"]
    table_of = {
        link["SubnetId"]: table["RouteTableId"]
        for table in tables
        for link in table["Associations"]
        if not link["Main"]
    }
    assert [subnet["CidrBlock"] for subnet in subnets] == ["10.0.1.0/24", "10.0.2.0/24"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert table_of.keys() == {subnet["SubnetId"] for subnet in subnets}
    assert [route["GatewayId"] for table in tables for route in table["Routes"]] == ["local"] * 3
    first, second = (subnet["SubnetId"] for subnet in subnets)
    assert result.output.splitlines() == [
        f"{vpc['VpcId']}  10.0.0.0/16",
        f"{table_of[first]}  {first}  10.0.1.0/24",
        f"{table_of[second]}  {second}  10.0.2.0/24",
        NAME,
    ]
    assert (result.status, result.errors) == (0, "")


def test_instances_of_the_vpc_get_dns_names(run: Callable[..., Any], ec2: Any) -> None:
    run("create_sandbox", "--bucket", NAME)
    (vpc,) = own_vpcs(ec2)
    answer = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    assert answer["EnableDnsHostnames"] == {"Value": True}


def test_vpc_and_bucket_bear_the_practice_tag(
    run: Callable[..., Any], example: Callable[[str], Any], ec2: Any, s3: Any
) -> None:
    run("create_sandbox", "--bucket", NAME)
    (vpc,) = own_vpcs(ec2)
    assert vpc["Tags"] == [TAG]
    assert s3.get_bucket_tagging(Bucket=NAME)["TagSet"] == [TAG]
    assert example("create_sandbox").TAGS == [example("remove_sandbox").TAG] == [TAG]


def test_the_sandbox_can_be_removed_completely(run: Callable[..., Any], ec2: Any, s3: Any) -> None:
    ec2.describe_vpcs()
    s3.list_buckets()
    before = snapshot()
    run("create_sandbox", "--bucket", NAME)
    (vpc,) = own_vpcs(ec2)
    result = run("remove_sandbox", "--vpc-id", vpc["VpcId"], "--bucket", NAME)
    assert (result.status, result.errors) == (0, "")
    assert difference(before, snapshot()) == []


def test_subnets_lie_in_availability_zones_only(example: Callable[[str], Any], ec2: Any) -> None:
    asked: list[dict[str, Any]] = []
    ec2.meta.events.register(
        "provide-client-params.ec2.DescribeAvailabilityZones",
        lambda params, **_: asked.append(params),
    )
    example("create_sandbox").create_network(ec2, [])
    assert asked == [{"Filters": [{"Name": "zone-type", "Values": ["availability-zone"]}]}]


def test_the_bucket_holds_one_object_and_lies_in_the_region_of_the_vpc(
    run: Callable[..., Any], s3: Any
) -> None:
    run("create_sandbox", "--bucket", NAME)
    assert s3.get_bucket_location(Bucket=NAME)["LocationConstraint"] == "ap-northeast-1"
    listed = s3.list_objects_v2(Bucket=NAME)["Contents"]
    assert [found["Key"] for found in listed] == ["hello.txt"]
    assert s3.get_object(Bucket=NAME, Key="hello.txt")["Body"].read() == b"hello"


def test_the_way_back_is_known_as_soon_as_a_thing_exists(
    example: Callable[[str], Any], ec2: Any, s3: Any
) -> None:
    ec2.describe_vpcs()
    s3.list_buckets()
    before = snapshot()
    module = example("create_sandbox")
    undo: list[tuple[str, Callable[[], object]]] = []
    module.create_network(ec2, undo)
    module.create_bucket(s3, NAME, undo)
    kinds = [name.partition("-")[0] for name, _ in undo]
    assert kinds == ["vpc", *2 * ["subnet", "rtb", "rtbassoc"], "amzn"]
    s3.delete_object(Bucket=NAME, Key="hello.txt")
    assert module.undo_all(undo) == []
    assert difference(before, snapshot()) == []


@pytest.mark.parametrize(
    "operation", ["HeadBucket", "CreateBucket", "PutBucketTagging", "PutObject"]
)
def test_a_bucket_that_cannot_be_finished_leaves_nothing(
    run: Callable[..., Any], ec2: Any, s3: Any, operation: str
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("AccessDenied", "No.", 403) if call.operation == operation else None

    ec2.describe_vpcs()
    s3.list_buckets()
    before = snapshot()
    with watching(Trace(refuse)):
        result = run("create_sandbox", "--bucket", NAME)
    assert difference(before, snapshot()) == []
    assert result.status == 1
    assert result.errors == (
        f"An error occurred (AccessDenied) when calling the {operation} operation: No. "
        f"Nothing was left behind. {HINT}"
    )


@pytest.mark.parametrize(
    ("region", "sent"),
    [
        ("us-east-1", {"Bucket": NAME}),
        (
            "eu-west-1",
            {"Bucket": NAME, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
        ),
    ],
)
def test_only_us_east_1_must_not_be_named_as_location(
    example: Callable[[str], Any],
    client: Callable[..., Any],
    s3: Any,
    region: str,
    sent: dict[str, Any],
) -> None:
    regional = client("s3", region)
    seen: list[dict[str, Any]] = []
    undo: list[tuple[str, Callable[[], object]]] = []
    regional.meta.events.register(
        "provide-client-params.s3.CreateBucket", lambda params, **_: seen.append(params)
    )
    example("create_sandbox").create_bucket(regional, NAME, undo)
    assert seen == [sent]
    assert [name for name, _ in undo] == [NAME]
    found = s3.get_bucket_location(Bucket=NAME)["LocationConstraint"]
    assert found == (None if region == "us-east-1" else region)


def test_a_bucket_name_that_another_account_has_taken_leaves_nothing(
    run: Callable[..., Any], assume: Callable[..., Any], ec2: Any
) -> None:
    where = {"LocationConstraint": "ap-northeast-1"}
    stranger = assume("arn:aws:iam::444455556666:role/owner", "s3")
    stranger.create_bucket(Bucket=NAME, CreateBucketConfiguration=where)
    ec2.describe_vpcs()
    before = snapshot()
    result = run("create_sandbox", "--bucket", NAME)
    assert difference(before, snapshot()) == []
    assert result.status == 1
    assert result.errors == (
        "An error occurred (403) when calling the HeadBucket operation: Forbidden. "
        f"Nothing was left behind. {HINT}"
    )


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-east-1"])
def test_an_own_bucket_of_that_name_stays_as_it_is(
    run: Callable[..., Any], client: Callable[..., Any], region: str
) -> None:
    """In us-east-1, CreateBucket would not refuse it."""
    s3, ec2 = client("s3", region), client("ec2", region)
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=NAME, **({} if region == "us-east-1" else where))
    s3.put_object(Bucket=NAME, Key="kept", Body=b"")
    ec2.describe_vpcs()
    before = snapshot()
    result = run("create_sandbox", "--bucket", NAME, AWS_DEFAULT_REGION=region)
    assert difference(before, snapshot()) == []
    assert result.status == 1
    assert result.errors == f"The bucket {NAME} exists already. Nothing was left behind. {HINT}"


def test_an_existing_bucket_is_raised(example: Callable[[str], Any], s3: Any, bucket: str) -> None:
    undo: list[tuple[str, Callable[[], object]]] = []
    with pytest.raises(RuntimeError, match=rf"^The bucket {bucket} exists already$"):
        example("create_sandbox").create_bucket(s3, bucket, undo)
    assert undo == []


def test_what_cannot_be_deleted_is_returned_and_does_not_stop_the_rest(
    example: Callable[[str], Any],
) -> None:
    done = []

    def refuse() -> None:
        raise ClientError({"Error": {"Code": "DependencyViolation"}}, "DeleteSubnet")

    undo = [
        ("vpc-1", lambda: done.append("vpc-1")),
        ("subnet-1", refuse),
        ("rtb-1", lambda: done.append("rtb-1")),
    ]
    assert example("create_sandbox").undo_all(undo) == ["subnet-1"]
    assert done == ["rtb-1", "vpc-1"]


def test_what_stays_behind_is_to_be_deleted_by_hand(
    run: Callable[..., Any], bucket: str, ec2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, vpc_id: str) -> None:
        raise InvalidRequest("DependencyViolation", f"The vpc '{vpc_id}' has dependencies")

    monkeypatch.setattr(EC2Backend, "delete_vpc", refuse)
    result = run("create_sandbox", "--bucket", bucket)
    (vpc,) = own_vpcs(ec2)
    assert result.errors.endswith(f" Delete by hand: {vpc['VpcId']}. {HINT}")
