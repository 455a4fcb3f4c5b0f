"""Two moments of the lab, compared: every change is seen, and nothing else."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from awslab.state import difference, leaves, open_places, snapshot
from botocore.client import BaseClient
from moto.core.common_models import BaseModel

HERE = {"LocationConstraint": "ap-northeast-1"}
BUCKETS = "s3/111122223333/aws/buckets"
EC2 = "ec2/111122223333/ap-northeast-1"


@pytest.fixture
def ec2(lab: None) -> BaseClient:
    """A client of a Region that was looked at before: AWS puts a default VPC into each."""
    client = boto3.client("ec2")
    client.describe_vpcs()
    return client


@pytest.fixture
def s3(lab: None) -> BaseClient:
    client = boto3.client("s3")
    client.create_bucket(Bucket="first-bucket", CreateBucketConfiguration=HERE)
    client.put_object(Bucket="first-bucket", Key="key", Body=b"body")
    return client


def change(*calls: Callable[[], Any]) -> list[str]:
    """What calls change in the lab."""
    before = snapshot()
    for call in calls:
        call()
    return difference(before, snapshot())


def make_vpc(ec2: BaseClient) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


# --- what is seen --------------------------------------------------------------------------------


def test_an_empty_lab_holds_nothing(lab: None) -> None:
    assert snapshot() == {}


def test_a_creation_is_seen(s3: BaseClient) -> None:
    seen = change(lambda: s3.create_bucket(Bucket="second-bucket", CreateBucketConfiguration=HERE))
    assert f"+ {BUCKETS}/second-bucket = FakeBucket" in seen
    assert f"+ {BUCKETS}/second-bucket/region_name = 'ap-northeast-1'" in seen
    assert {line.split("/")[4].split(" ")[0] for line in seen} == {"second-bucket"}


def policy(about: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": about}
    return json.dumps({"Statement": statement})


def test_the_change_of_a_policy_is_seen(s3: BaseClient) -> None:
    one, two = policy("*"), policy("arn:aws:s3:::first-bucket/*")
    put = {"Bucket": "first-bucket", "Policy": one}
    path = f"{BUCKETS}/first-bucket/policy"
    assert change(lambda: s3.put_bucket_policy(**put)) == [f"+ {path} = b'{one}'"]
    assert change(lambda: s3.put_bucket_policy(**put | {"Policy": two})) == [
        f"~ {path}: b'{one}' -> b'{two}'"
    ]
    assert change(lambda: s3.delete_bucket_policy(Bucket="first-bucket")) == [f"- {path}"]


def test_a_change_at_the_end_of_a_long_policy_is_seen(s3: BaseClient) -> None:
    long = f"arn:aws:s3:::first-bucket/{1_000 * 'x'}"
    s3.put_bucket_policy(Bucket="first-bucket", Policy=policy(long))
    seen = change(lambda: s3.put_bucket_policy(Bucket="first-bucket", Policy=policy(long + "/*")))
    assert len(seen) == 1
    assert seen[0].startswith(f"~ {BUCKETS}/first-bucket/policy: ")


def test_a_deletion_is_seen(s3: BaseClient) -> None:
    seen = change(lambda: s3.delete_object(Bucket="first-bucket", Key="key"))
    assert f"- {BUCKETS}/first-bucket/keys/key" in seen
    assert {line[0] for line in seen} == {"-"}


def test_new_content_of_an_object_is_seen(s3: BaseClient) -> None:
    seen = change(lambda: s3.put_object(Bucket="first-bucket", Key="key", Body=b"BODY"))
    assert [line.split(":")[0] for line in seen] == [
        f"~ {BUCKETS}/first-bucket/keys/key/checksum_value"
    ]


def test_a_changed_attribute_and_a_tag_are_seen(ec2: BaseClient) -> None:
    vpc_id = make_vpc(ec2)
    assert change(
        lambda: ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    ) == [f"~ {EC2}/vpcs/{vpc_id}/enable_dns_hostnames: False -> True"]
    assert change(
        lambda: ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "team", "Value": "ml"}])
    ) == [f"+ {EC2}/tags/{vpc_id}/team = 'ml'"]


def test_another_region_is_seen(ec2: BaseClient) -> None:
    far = boto3.client("ec2", region_name="us-west-2")
    far.describe_vpcs()
    seen = change(lambda: make_vpc(far))
    assert {line.split("/")[2] for line in seen} == {"us-west-2"}
    assert sum(line.endswith(" = VPC") for line in seen) == 1


def test_another_account_is_seen(s3: BaseClient) -> None:
    role = boto3.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/partner", RoleSessionName="job-1"
    )["Credentials"]
    partner = boto3.client(
        "s3",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    partner.list_buckets()
    seen = change(
        lambda: partner.create_bucket(Bucket="partner-bucket", CreateBucketConfiguration=HERE)
    )
    assert "+ s3/444455556666/aws/buckets/partner-bucket = FakeBucket" in seen
    assert {line.split("/")[1] for line in seen} == {"444455556666"}


def test_every_service_is_seen(lab: None) -> None:
    sns, iam = boto3.client("sns"), boto3.client("iam")
    sns.list_topics(), iam.list_users()
    seen = change(lambda: sns.create_topic(Name="alarms"), lambda: iam.create_user(UserName="ana"))
    assert {line.split("/")[0] for line in seen} == {"+ sns", "+ iam"}
    assert "+ iam/111122223333/aws/users/ana = User" in seen


def test_what_is_made_and_deleted_leaves_no_difference(ec2: BaseClient) -> None:
    def make_and_delete() -> None:
        vpc_id = make_vpc(ec2)
        subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        endpoint = ec2.create_vpc_endpoint(
            VpcId=vpc_id,
            ServiceName="com.amazonaws.ap-northeast-1.s3",
            RouteTableIds=[table],
        )["VpcEndpoint"]["VpcEndpointId"]
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_route_table(RouteTableId=table)
        ec2.delete_vpc(VpcId=vpc_id)

    make_and_delete()  # the first look into a place counts as a change
    assert change(make_and_delete) == []


# --- what is no change ---------------------------------------------------------------------------


def test_reading_changes_nothing(ec2: BaseClient, s3: BaseClient) -> None:
    vpc_id = make_vpc(ec2)
    ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")
    ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName="com.amazonaws.ap-northeast-1.s3")
    reads = (
        ec2.describe_vpcs,
        ec2.describe_subnets,
        ec2.describe_route_tables,
        ec2.describe_vpc_endpoints,
        ec2.describe_vpc_endpoint_services,
        ec2.describe_prefix_lists,
        ec2.describe_network_acls,
        ec2.describe_security_groups,
        ec2.describe_availability_zones,
        ec2.describe_tags,
        s3.list_buckets,
        lambda: s3.list_objects_v2(Bucket="first-bucket"),
        lambda: s3.head_object(Bucket="first-bucket", Key="key"),
        lambda: s3.get_object(Bucket="first-bucket", Key="key"),
        lambda: s3.get_bucket_location(Bucket="first-bucket"),
    )
    change(*reads)  # the first look into a place counts as a change
    assert change(*reads) == []


def test_a_repeated_write_is_no_change(s3: BaseClient) -> None:
    assert change(lambda: s3.put_object(Bucket="first-bucket", Key="key", Body=b"body")) == []


def test_taking_a_snapshot_changes_nothing(ec2: BaseClient) -> None:
    make_vpc(ec2)
    assert change(snapshot) == []


def test_opened_places_are_returned_and_hold_what_aws_puts_there(lab: None) -> None:
    place = ("ec2", "111122223333", "us-west-2")
    assert open_places() == []
    assert place in open_places([place])
    assert any(line.startswith("ec2/111122223333/us-west-2/vpcs/") for line in snapshot())
    boto3.client("ec2", region_name="us-west-2").describe_vpcs()
    before = snapshot()
    assert open_places([place]) == open_places()
    assert difference(before, snapshot()) == []


def test_what_aws_makes_for_a_cluster_and_deletes_with_it_is_not_seen(lab: None) -> None:
    """Its managed secret, its automated snapshots, and the events that tell of it."""
    redshift, secrets = boto3.client("redshift"), boto3.client("secretsmanager")
    redshift.describe_clusters()
    boto3.client("ec2").describe_vpcs()
    secrets.list_secrets()

    def make() -> None:
        redshift.create_cluster(
            ClusterIdentifier="sales",
            ClusterType="single-node",
            NodeType="ra3.xlplus",
            MasterUsername="awsuser",
            ManageMasterPassword=True,
        )
        redshift.get_waiter("cluster_available").wait(ClusterIdentifier="sales")

    seen = change(make)
    assert {line.split("/")[3] for line in seen} == {"clusters"}
    assert {line.split("/")[4].split(" ")[0] for line in seen} == {"sales"}
    assert len(redshift.describe_cluster_snapshots()["Snapshots"]) == 1
    assert len(secrets.list_secrets()["SecretList"]) == 1


def test_what_a_customer_makes_of_the_same_kinds_is_seen(lab: None) -> None:
    redshift, secrets = boto3.client("redshift"), boto3.client("secretsmanager")
    redshift.create_cluster(
        ClusterIdentifier="sales",
        ClusterType="single-node",
        NodeType="ra3.xlplus",
        MasterUsername="awsuser",
        ManageMasterPassword=True,
    )
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="sales")
    taken = {"ClusterIdentifier": "sales", "SnapshotIdentifier": "monday"}
    seen = change(lambda: redshift.create_cluster_snapshot(**taken))
    assert {line.split("/")[4].split(" ")[0] for line in seen} == {"monday"}
    seen = change(lambda: secrets.create_secret(Name="own", SecretString="x"))
    assert {line.split("/")[4].split(" ")[0] for line in seen} == {"own"}


def test_a_key_whose_deletion_is_scheduled_is_gone(lab: None) -> None:
    kms = boto3.client("kms")

    def held() -> set[str]:
        return {path for path in snapshot() if path.startswith("kms/")}

    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=key_id)
    assert f"kms/111122223333/ap-northeast-1/keys/{key_id}" in held()
    kms.delete_alias(AliasName="alias/a")
    kms.disable_key(KeyId=key_id)
    assert held()  # a disabled key exists, and costs
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    assert held() == set()
    kms.cancel_key_deletion(KeyId=key_id)
    assert f"kms/111122223333/ap-northeast-1/keys/{key_id}" in held()


def test_a_log_group_of_sagemaker_is_gone_with_its_logs(lab: None) -> None:
    logs, own = boto3.client("logs"), "/aws/sagemaker/TrainingJobs"
    logs.describe_log_groups()

    def held() -> bool:
        return any("/groups/" in path for path in snapshot())

    logs.create_log_group(logGroupName=own)
    assert not held()
    logs.create_log_stream(logGroupName=own, logStreamName="a/algo-1-1795935075")
    assert held()
    logs.delete_log_stream(logGroupName=own, logStreamName="a/algo-1-1795935075")
    assert not held()
    logs.create_log_group(logGroupName="/aws/other")
    assert held()


def test_what_an_alarm_finds_is_no_change_and_what_it_does_is(lab: None) -> None:
    cloudwatch = boto3.client("cloudwatch")
    metric: dict[str, Any] = {"Namespace": "shop", "MetricName": "errors", "Statistic": "Sum"}
    rule = {"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"}
    rule |= metric | {"AlarmName": "shop-errors", "Period": 60, "EvaluationPeriods": 1}
    cloudwatch.put_metric_alarm(**rule, Threshold=1)
    data = [{"MetricName": "errors", "Value": 2}]
    cloudwatch.put_metric_data(Namespace="shop", MetricData=data)

    def state() -> str:
        return str(cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"])

    assert not [line for line in change(state) if "shop-errors" in line]
    assert state() == "ALARM"
    seen = change(lambda: cloudwatch.disable_alarm_actions(AlarmNames=["shop-errors"]))
    assert any("shop-errors/actions_enabled: True -> False" in line for line in seen)


def test_a_name_with_slashes_is_one_part_of_a_path(s3: BaseClient) -> None:
    logs = boto3.client("logs")
    logs.describe_log_groups()
    seen = change(
        lambda: logs.create_log_group(logGroupName="/a/b"),
        lambda: s3.put_object(Bucket="first-bucket", Key="c/d", Body=b""),
    )
    assert "+ logs/111122223333/ap-northeast-1/groups/%2Fa%2Fb = LogGroup" in seen
    assert f"+ {BUCKETS}/first-bucket/keys/c%2Fd = FakeKey" in seen


def test_roles_users_and_groups_bear_their_names(lab: None) -> None:
    iam = boto3.client("iam")
    iam.list_roles()
    seen = change(
        lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}"),
        lambda: iam.create_user(UserName="u"),
        lambda: iam.create_group(GroupName="g"),
    )
    path = "iam/111122223333/aws"
    assert {f"+ {path}/roles/r = Role", f"+ {path}/users/u = User"} <= set(seen)
    assert f"+ {path}/groups/g = Group" in seen


# --- references ----------------------------------------------------------------------------------


def test_a_referenced_resource_is_named_and_not_entered(ec2: BaseClient) -> None:
    vpc_id = make_vpc(ec2)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id, ServiceName="com.amazonaws.ap-northeast-1.s3", RouteTableIds=[table]
    )["VpcEndpoint"]["VpcEndpointId"]
    held = snapshot()
    targets = {path: value for path, value in held.items() if path.endswith("/gateway")}
    (path,) = [path for path, value in targets.items() if value == endpoint]
    assert path.startswith(f"{EC2}/route_tables/{table}/_routes/")
    assert [p for p in held if p.startswith(f"{path}/")] == []
    assert held[f"{EC2}/vpc_end_points/{endpoint}"] == "VPCEndPoint"


def test_a_change_behind_a_reference_is_one_line(ec2: BaseClient) -> None:
    vpc_id = make_vpc(ec2)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id, ServiceName="com.amazonaws.ap-northeast-1.s3", RouteTableIds=[table]
    )["VpcEndpoint"]["VpcEndpointId"]
    seen = change(
        lambda: ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument='{"Statement": []}')
    )
    assert [line.split(":")[0] for line in seen] == [
        f"~ {EC2}/vpc_end_points/{endpoint}/policy_document"
    ]


Model = type("Model", (BaseModel,), {})


def model(**attributes: Any) -> BaseModel:
    """An object as moto keeps them."""
    made = Model()
    vars(made).update(attributes)
    return made


def test_leaves_end_where_a_circle_closes() -> None:
    parent = model(name="parent")
    vars(parent)["child"] = model(name="child", parent=parent)
    assert dict(leaves({"models": parent}, "path")) == {
        "path/models": "Model",
        "path/models/name": "'parent'",
        "path/models/child": "Model",
        "path/models/child/name": "'child'",
    }


def test_moments_and_counters_are_no_leaves() -> None:
    restless = model(
        kept="x",
        created_at="1",
        start_time="2",
        creation_date="3",
        etag="4",
        _tick=5,
        NextToken="6",
    )
    restless_too = model(moment=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), last_request=7)
    assert dict(leaves([restless, restless_too], "path")) == {
        "path/0": "Model",
        "path/0/kept": "'x'",
        "path/1": "Model",
    }


def test_a_scalable_target_bears_the_name_of_its_resource_and_its_alarms_are_its_own(
    client: Callable[..., Any],
) -> None:
    scaling = client("application-autoscaling")
    scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    target = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/carts",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    seen = change(lambda: scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2))
    place = "+ application-autoscaling/111122223333/ap-northeast-1/lab_targets/"
    found = [line.removeprefix(place) for line in seen if line.startswith("+ application-")]
    assert found and all(line.startswith("table%2Fcarts/dynamodb:table:R") for line in found)
    alarm = {
        "MetricName": "m",
        "Namespace": "n",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    put = client("cloudwatch").put_metric_alarm
    put(AlarmName="first", **alarm)
    assert change(lambda: put(AlarmName="TargetTracking-table/carts-AlarmHigh-1", **alarm)) == []
    assert change(lambda: put(AlarmName="mine", **alarm)) != []


# --- difference ----------------------------------------------------------------------------------


def test_difference_is_sorted_and_marks_what_happened() -> None:
    before = {"a": "1", "b": "2", "c": "3"}
    after = {"b": "2", "c": "4", "d": "5"}
    assert difference(before, after) == ["+ d = 5", "- a", "~ c: 3 -> 4"]
    assert difference(before, before) == []
