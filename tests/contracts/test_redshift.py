"""What bare moto does with Redshift, its Data API and Redshift Serverless: the lab mends it."""

import json
from typing import Any

import boto3
import moto.backends
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.redshift.models import redshift_backends

from contracts.gaps import gap

ARN = "arn:aws:iam::111122223333:role/warehouse"
NEW = {
    "ClusterIdentifier": "analytics",
    "ClusterType": "multi-node",
    "NodeType": "ra3.xlplus",
    "NumberOfNodes": 2,
    "MasterUsername": "awsuser",
    "MasterUserPassword": "Secret123",
}
NAME = {"ClusterIdentifier": "analytics"}


@pytest.fixture
def redshift(bare_moto: None) -> BaseClient:
    return boto3.client("redshift")


@pytest.fixture
def cluster(redshift: BaseClient) -> BaseClient:
    """A client, and the cluster `analytics`."""
    redshift.create_cluster(**NEW)
    return redshift


@pytest.fixture
def data(bare_moto: None) -> BaseClient:
    return boto3.client("redshift-data")


def described(redshift: BaseClient, **wanted: Any) -> dict[str, Any]:
    found = redshift.describe_clusters(**wanted)["Clusters"]
    assert isinstance(found[0], dict)
    return found[0]


def is_available(redshift: BaseClient, name: str = "analytics") -> bool:
    return bool(described(redshift, ClusterIdentifier=name)["ClusterStatus"] == "available")


# --- clusters ------------------------------------------------------------------------------------


@gap("redshift:CreateCluster", "the cluster is available at once")
def test_a_cluster_is_available_at_once(redshift: BaseClient) -> None:
    redshift.create_cluster(**NEW)
    assert is_available(redshift)


@gap(
    "redshift:CreateCluster",
    "accepts any node type",
    "any port",
    "any password",
    "a multi-node cluster of one node",
)
def test_nonsense_makes_a_cluster(redshift: BaseClient) -> None:
    wrong = {"NodeType": "huge", "Port": 1, "MasterUserPassword": "x", "NumberOfNodes": 1}
    redshift.create_cluster(**NEW | wrong)
    assert is_available(redshift)


@gap("redshift:CreateCluster", "a missing subnet group")
def test_a_missing_subnet_group_is_taken(redshift: BaseClient) -> None:
    redshift.create_cluster(**NEW, ClusterSubnetGroupName="missing")
    assert is_available(redshift)


@gap("redshift:CreateCluster", "`Encrypted` is false by default")
def test_a_cluster_is_not_encrypted(redshift: BaseClient) -> None:
    assert redshift.create_cluster(**NEW)["Cluster"]["Encrypted"] is False


@gap("redshift:CreateCluster", "ignores `ManageMasterPassword`", "`MultiAZ`", "roles' defaults")
def test_what_a_new_cluster_passes_over(redshift: BaseClient) -> None:
    more = {
        "ManageMasterPassword": True,
        "MultiAZ": True,
        "IamRoles": [ARN],
        "DefaultIamRoleArn": ARN,
    }
    redshift.create_cluster(**NEW | more)
    shown = described(redshift)
    left = {"MasterPasswordSecretArn", "MultiAZ", "DefaultIamRoleArn"}
    assert not left & shown.keys()


@gap("cloudformation:AWS::Redshift::Cluster", "makes a cluster that moto alone understands")
@gap("cloudformation:AWS::Redshift::Cluster", "passes `ClusterIdentifier` over")
def test_a_template_makes_a_cluster_of_another_name(redshift: BaseClient) -> None:
    properties = dict(NEW) | {"NumberOfNodes": "2"}
    resources = {"Warehouse": {"Type": "AWS::Redshift::Cluster", "Properties": properties}}
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources}))
    assert described(redshift)["ClusterIdentifier"].lower().startswith("s-warehouse-")
    (made,) = redshift_backends[DEFAULT_ACCOUNT_ID]["ap-northeast-1"].clusters.values()
    assert type(made).__module__ == "moto.redshift.models"


@gap("redshift:DescribeClusters", "answers no `ClusterNodes`", "no `ClusterAvailabilityStatus`")
def test_a_cluster_has_no_nodes(cluster: BaseClient) -> None:
    assert not {"ClusterNodes", "ClusterAvailabilityStatus"} & described(cluster).keys()


@gap("redshift:DescribeClusters", "the endpoint exists before the cluster is available")
def test_a_new_cluster_has_its_endpoint(redshift: BaseClient) -> None:
    assert redshift.create_cluster(**NEW)["Cluster"]["Endpoint"]["Port"] == 5439


@gap("redshift:DescribeClusters", "ignores `TagValues`", "`MaxRecords`")
def test_clusters_are_not_picked(cluster: BaseClient) -> None:
    for number in range(20):
        cluster.create_cluster(**NEW | {"ClusterIdentifier": f"c{number}"})
    shown = cluster.describe_clusters(TagValues=["none"], MaxRecords=20)["Clusters"]
    assert len(shown) == 21


@gap("redshift:DeleteCluster", "the cluster is gone at once")
@gap("redshift:DeleteCluster", "accepts a final snapshot that is to be skipped")
def test_a_cluster_is_gone_at_once(cluster: BaseClient) -> None:
    cluster.delete_cluster(
        **NAME, SkipFinalClusterSnapshot=True, FinalClusterSnapshotIdentifier="last"
    )
    assert cluster.describe_clusters()["Clusters"] == []


@gap("redshift:ModifyCluster", "changes everything at once")
@gap("redshift:ModifyCluster", "accepts a request without changes", "any value")
def test_a_cluster_becomes_anything(cluster: BaseClient) -> None:
    cluster.modify_cluster(**NAME)
    cluster.modify_cluster(**NAME, NodeType="huge", MasterUserPassword="x")
    shown = described(cluster)
    assert (shown["NodeType"], shown["ClusterStatus"]) == ("huge", "available")


@gap("redshift:ModifyCluster", "a new identifier deletes the automated snapshots")
def test_a_new_name_deletes_snapshots(cluster: BaseClient) -> None:
    def automated() -> list[Any]:
        shown = cluster.describe_cluster_snapshots(SnapshotType="automated")["Snapshots"]
        return [snapshot for snapshot in shown if snapshot["SnapshotType"] == "automated"]

    assert len(automated()) == 1
    cluster.modify_cluster(**NAME, NewClusterIdentifier="renamed")
    assert automated() == []


@gap("redshift:PauseCluster", "the cluster is paused at once", "pauses a paused cluster")
def test_a_cluster_is_paused_twice(cluster: BaseClient) -> None:
    for _ in range(2):
        assert cluster.pause_cluster(**NAME)["Cluster"]["ClusterStatus"] == "paused"


@gap("redshift:ResumeCluster", "the cluster is available at once")
@gap("redshift:ResumeCluster", "resumes a cluster that is not paused")
def test_a_cluster_is_resumed_at_once(cluster: BaseClient) -> None:
    cluster.pause_cluster(**NAME)
    for _ in range(2):
        cluster.resume_cluster(**NAME)
        assert is_available(cluster)


# --- snapshots -----------------------------------------------------------------------------------


@gap(
    "redshift:CreateClusterSnapshot",
    "the snapshot is available at once",
    "whatever the state of the cluster",
    "ignores `ManualSnapshotRetentionPeriod`",
)
def test_a_snapshot_is_available_at_once(cluster: BaseClient) -> None:
    cluster.pause_cluster(**NAME)
    cluster.create_cluster_snapshot(**NAME, SnapshotIdentifier="s", ManualSnapshotRetentionPeriod=7)
    (shown,) = cluster.describe_cluster_snapshots(SnapshotIdentifier="s")["Snapshots"]
    assert shown["Status"] == "available"
    assert "ManualSnapshotRetentionPeriod" not in shown


@gap("redshift:DeleteClusterSnapshot", "deletes a snapshot that is being created")
@gap("redshift:RestoreFromClusterSnapshot", "restores a snapshot that is being created")
def test_a_snapshot_in_the_making_is_restored_and_deleted(cluster: BaseClient) -> None:
    cluster.create_cluster_snapshot(**NAME, SnapshotIdentifier="s")
    backend = redshift_backends[DEFAULT_ACCOUNT_ID]["ap-northeast-1"]
    backend.snapshots["s"].status = "creating"
    cluster.restore_from_cluster_snapshot(ClusterIdentifier="again", SnapshotIdentifier="s")
    deleted = cluster.delete_cluster_snapshot(SnapshotIdentifier="s")["Snapshot"]
    assert deleted["Status"] == "deleted"


@gap("redshift:DescribeClusterSnapshots", "shows all snapshots when a cluster has none")
@gap("redshift:DescribeClusterSnapshots", "ignores times", "tags", "`ClusterExists`")
def test_snapshots_are_not_picked(cluster: BaseClient) -> None:
    tags = {"TagKeys": ["no"], "TagValues": ["no"]}
    for picked in ({"StartTime": 4e9}, {"EndTime": 0}, tags, {"ClusterExists": False}):
        assert len(cluster.describe_cluster_snapshots(**picked)["Snapshots"]) == 1
    others = cluster.describe_cluster_snapshots(ClusterIdentifier="other")["Snapshots"]
    assert len(others) == 1


@gap("redshift:RestoreFromClusterSnapshot", "the cluster is available at once")
@gap("redshift:RestoreFromClusterSnapshot", "reports made-up rates")
@gap("redshift:RestoreFromClusterSnapshot", "ignores `Encrypted`", "`ManageMasterPassword`")
@gap("redshift:RestoreFromClusterSnapshot", "`MultiAZ`")
def test_a_cluster_is_restored_at_once(cluster: BaseClient) -> None:
    cluster.create_cluster_snapshot(**NAME, SnapshotIdentifier="s")
    more = {"Encrypted": True, "ManageMasterPassword": True, "MultiAZ": True}
    cluster.restore_from_cluster_snapshot(ClusterIdentifier="again", SnapshotIdentifier="s", **more)
    assert is_available(cluster, "again")
    shown = described(cluster, ClusterIdentifier="again")
    assert shown["RestoreStatus"]["CurrentRestoreRateInMegaBytesPerSecond"] > 0
    assert shown["Encrypted"] is False
    assert not {"MasterPasswordSecretArn", "MultiAZ"} & shown.keys()


@gap("redshift:EnableSnapshotCopy", "accepts any Region")
@gap("redshift:ModifySnapshotCopyRetentionPeriod", "answers the member `Clusters`")
def test_snapshots_are_copied_anywhere(cluster: BaseClient) -> None:
    made = cluster.enable_snapshot_copy(**NAME, DestinationRegion="nowhere")["Cluster"]
    assert made["ClusterSnapshotCopyStatus"]["DestinationRegion"] == "nowhere"
    changed = cluster.modify_snapshot_copy_retention_period(**NAME, RetentionPeriod=3)
    assert "Cluster" not in changed


@gap("redshift:EnableSnapshotCopy", "crashes when the cluster does not exist")
@gap("redshift:DisableSnapshotCopy", "crashes when the cluster does not exist")
@gap("redshift:ModifySnapshotCopyRetentionPeriod", "crashes when the cluster does not exist")
def test_copies_of_no_cluster_crash(redshift: BaseClient) -> None:
    with pytest.raises(KeyError):
        redshift.enable_snapshot_copy(**NAME, DestinationRegion="us-east-1")
    with pytest.raises(KeyError):
        redshift.disable_snapshot_copy(**NAME)
    with pytest.raises(KeyError):
        redshift.modify_snapshot_copy_retention_period(**NAME, RetentionPeriod=3)


# --- logs, parameters, subnets -------------------------------------------------------------------


@gap("redshift:EnableLogging", "accepts a missing bucket", "any log")
@gap("redshift:EnableLogging", "claims a delivery", "a failure")
@gap("redshift:DescribeLoggingStatus", "claims a delivery", "a failure")
@gap("redshift:DisableLogging", "keeps bucket", "prefix")
def test_logs_go_nowhere(cluster: BaseClient) -> None:
    missing = {"BucketName": "amzn-s3-demo-missing", "S3KeyPrefix": "p/", "LogExports": ["x"]}
    claimed = {"LastSuccessfulDeliveryTime", "LastFailureTime"}
    assert claimed <= cluster.enable_logging(**NAME, **missing).keys()
    assert claimed <= cluster.describe_logging_status(**NAME).keys()
    ended = cluster.disable_logging(**NAME)
    assert (ended["BucketName"], ended["S3KeyPrefix"]) == ("amzn-s3-demo-missing", "p/")


@gap("redshift:default parameter groups", "has no `default.redshift-2.0`")
def test_the_default_group_of_today_is_missing(redshift: BaseClient) -> None:
    groups = redshift.describe_cluster_parameter_groups()["ParameterGroups"]
    assert [group["ParameterGroupName"] for group in groups] == ["default.redshift-1.0"]


def make_group(redshift: BaseClient, family: str) -> None:
    redshift.create_cluster_parameter_group(
        ParameterGroupName="mine", ParameterGroupFamily=family, Description="d"
    )


@gap("redshift:CreateClusterParameterGroup", "replaces a group of the same name")
@gap("redshift:CreateClusterParameterGroup", "accepts any family")
def test_a_group_is_made_twice(redshift: BaseClient) -> None:
    make_group(redshift, "redshift-1.0")
    make_group(redshift, "family")
    groups = redshift.describe_cluster_parameter_groups(ParameterGroupName="mine")
    assert groups["ParameterGroups"][0]["ParameterGroupFamily"] == "family"


@gap("redshift:DeleteClusterParameterGroup", "deletes the default group", "groups in use")
def test_every_group_can_be_deleted(redshift: BaseClient) -> None:
    make_group(redshift, "redshift-1.0")
    redshift.create_cluster(**NEW, ClusterParameterGroupName="mine")
    for name in ("mine", "default.redshift-1.0"):
        redshift.delete_cluster_parameter_group(ParameterGroupName=name)
    assert redshift.describe_cluster_parameter_groups()["ParameterGroups"] == []


MOCK = "gives every parameter the description `mock parameter`"


@gap("redshift:DescribeClusterParameters", MOCK, "ignores `Source`")
@gap("redshift:DescribeDefaultClusterParameters", MOCK, "accepts any family")
def test_parameters_are_mock(redshift: BaseClient) -> None:
    found = redshift.describe_cluster_parameters(
        ParameterGroupName="default.redshift-1.0", Source="user"
    )["Parameters"]
    default = redshift.describe_default_cluster_parameters(ParameterGroupFamily="family")
    assert found == default["DefaultClusterParameters"]["Parameters"]
    assert {parameter["Description"] for parameter in found} == {"mock parameter"}


@gap("redshift:CreateClusterSubnetGroup", "replaces a group of the same name")
@gap("redshift:DeleteClusterSubnetGroup", "deletes a group in use")
def test_subnet_groups_are_replaced_and_deleted(redshift: BaseClient) -> None:
    subnet = boto3.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    for text in ("first", "second"):
        redshift.create_cluster_subnet_group(
            ClusterSubnetGroupName="mine", Description=text, SubnetIds=[subnet]
        )
    (group,) = redshift.describe_cluster_subnet_groups()["ClusterSubnetGroups"]
    assert group["Description"] == "second"
    redshift.create_cluster(**NEW, ClusterSubnetGroupName="mine")
    redshift.delete_cluster_subnet_group(ClusterSubnetGroupName="mine")
    assert redshift.describe_cluster_subnet_groups()["ClusterSubnetGroups"] == []


# --- the Data API --------------------------------------------------------------------------------


def submit(data: BaseClient, **more: Any) -> str:
    wanted = {"ClusterIdentifier": "missing", "Database": "dev", "Sql": "SELECT :x"} | more
    return str(data.execute_statement(**wanted)["Id"])


@gap("redshift-data:ExecuteStatement", "runs nothing", "needs no cluster", "takes any text")
@gap("redshift-data:ExecuteStatement", "any parameters")
@gap("redshift-data:ExecuteStatement", "ignores `WithEvent`", "`ClientToken`")
def test_nothing_runs(data: BaseClient) -> None:
    heard = "events of the default bus"
    name = submit(
        data,
        Sql="no SQL",
        Parameters=[{"name": "y", "value": heard}],
        WithEvent=True,
        ClientToken="t",
    )
    assert submit(data, ClientToken="t") != name
    assert "Error" not in data.describe_statement(Id=name)


@gap("redshift-data:DescribeStatement", "the status stays STARTED for ever")
@gap("redshift-data:DescribeStatement", "`ResultRows` is -1 for ever")
def test_a_statement_never_ends(data: BaseClient) -> None:
    name = submit(data)
    for _ in range(5):
        shown = data.describe_statement(Id=name)
        assert (shown["Status"], shown["ResultRows"]) == ("STARTED", -1)


@gap("redshift-data:CancelStatement", "a canceled statement keeps its rows")
@gap("redshift-data:GetStatementResult", "always answers the same three rows")
def test_the_rows_are_always_there(data: BaseClient) -> None:
    name = submit(data, Sql="SELECT 1")
    data.cancel_statement(Id=name)
    assert len(data.get_statement_result(Id=name)["Records"]) == 3


@gap("redshift-data:GetStatementResult", "calls the total `TotalNumberRows`")
def test_the_total_has_another_name(data: BaseClient) -> None:
    assert "TotalNumRows" not in data.get_statement_result(Id=submit(data))


# --- Redshift Serverless -------------------------------------------------------------------------


@gap("all:services that moto lacks", "answers 404")
def test_there_is_no_such_service(bare_moto: None) -> None:
    with pytest.raises(ClientError) as refused:
        boto3.client("redshift-serverless").list_namespaces()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@gap("all:services that moto lacks", "finds no code for them")
def test_there_is_no_such_backend(bare_moto: None) -> None:
    with pytest.raises(ModuleNotFoundError):
        moto.backends._import_backend("redshiftserverless", "redshiftserverless_backends")
