"""Redshift clusters of the lab, read back with a plain client."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.embedded import environment, shared_loader
from awslab.services.redshift.cron import BadSchedule, of_action, of_snapshots
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::111122223333:role/warehouse"
NEW: dict[str, Any] = {
    "ClusterIdentifier": "analytics",
    "ClusterType": "multi-node",
    "NodeType": "ra3.xlplus",
    "NumberOfNodes": 2,
    "MasterUsername": "awsuser",
    "MasterUserPassword": "Secret123",
}


@pytest.fixture
def redshift(lab: None) -> BaseClient:
    return boto3.client("redshift")


@pytest.fixture
def cluster(redshift: BaseClient) -> BaseClient:
    """A client, and the cluster `analytics`, which is available."""
    return with_cluster(redshift)


def with_cluster(redshift: BaseClient, **more: Any) -> BaseClient:
    given = NEW | more
    redshift.create_cluster(**{key: value for key, value in given.items() if value is not None})
    wait(redshift, given["ClusterIdentifier"])
    return redshift


def wait(redshift: BaseClient, name: str = "analytics") -> None:
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name)


@pytest.fixture
def frozen() -> Iterator[None]:
    CLOCK.run(0)
    yield
    CLOCK.run(None)


def described(redshift: BaseClient, name: str = "analytics") -> dict[str, Any]:
    found = redshift.describe_clusters(ClusterIdentifier=name)["Clusters"]
    assert isinstance(found[0], dict)
    return found[0]


def status(redshift: BaseClient, name: str = "analytics") -> str:
    return str(described(redshift, name)["ClusterStatus"])


def refusal(call: Callable[..., Any], **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**given)
    said = refused.value.response["Error"]
    return said["Code"], said["Message"]


# --- new clusters --------------------------------------------------------------------------------


def test_a_cluster_is_created_step_by_step(redshift: BaseClient) -> None:
    made = redshift.create_cluster(**NEW)["Cluster"]
    assert (made["ClusterStatus"], made["ClusterAvailabilityStatus"]) == ("creating", "Modifying")
    assert "Endpoint" not in made and "ClusterNodes" not in made
    first = described(redshift)
    assert first["ClusterStatus"] == "creating" and "Endpoint" not in first
    second = described(redshift)
    assert second["ClusterStatus"] == "available"
    assert second["ClusterAvailabilityStatus"] == "Available"


def test_a_cluster_describes_itself(cluster: BaseClient) -> None:
    found = described(cluster)
    expected = {
        "NodeType": "ra3.xlplus",
        "NumberOfNodes": 2,
        "DBName": "dev",
        "MasterUsername": "awsuser",
        "Encrypted": True,
        "PubliclyAccessible": False,
        "EnhancedVpcRouting": False,
        "AutomatedSnapshotRetentionPeriod": 1,
        "ManualSnapshotRetentionPeriod": -1,
        "MultiAZ": "Disabled",
        "ClusterVersion": "1.0",
        "MaintenanceTrackName": "current",
        "AvailabilityZoneRelocationStatus": "disabled",
        "IpAddressType": "ipv4",
    }
    assert {key: found[key] for key in expected} == expected
    assert found["Endpoint"]["Port"] == 5439
    assert found["Endpoint"]["Address"].startswith("analytics.")
    assert [node["NodeRole"] for node in found["ClusterNodes"]] == [
        "LEADER",
        "COMPUTE-0",
        "COMPUTE-1",
    ]
    assert all("PublicIPAddress" not in node for node in found["ClusterNodes"])
    (group,) = found["ClusterParameterGroups"]
    assert group["ParameterGroupName"] == "default.redshift-2.0"
    assert group["ParameterApplyStatus"] == "in-sync"
    assert found["VpcId"].startswith("vpc-") and len(found["VpcSecurityGroups"]) == 1
    assert "MasterUserPassword" not in json.dumps(found, default=str)


def test_one_node_does_the_work_of_both_kinds(redshift: BaseClient) -> None:
    with_cluster(redshift, ClusterType="single-node", NumberOfNodes=None, PubliclyAccessible=True)
    (node,) = described(redshift)["ClusterNodes"]
    assert node == {
        "NodeRole": "SHARED",
        "PrivateIPAddress": "192.0.2.10",
        "PublicIPAddress": "203.0.113.10",
    }
    assert described(redshift)["NumberOfNodes"] == 1


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"NodeType": "ds2.xlarge"}, "InvalidParameterValue", "Invalid node type: ds2.xlarge."),
        ({"NodeType": "dc1.large"}, "InvalidParameterValue", "Invalid node type: dc1.large."),
        (
            {"NumberOfNodes": 1},
            "InvalidParameterCombination",
            "Number of nodes for cluster type multi-node must be greater than or equal to 2",
        ),
        (
            {"NumberOfNodes": None},
            "InvalidParameterCombination",
            "Number of nodes for cluster type multi-node must be greater than or equal to 2",
        ),
        (
            {"ClusterType": "single-node"},
            "InvalidParameterValue",
            "Number of nodes must be not be supplied for cluster type single-node.",
        ),
        ({"ClusterType": "many"}, "InvalidParameterValue", "Invalid cluster type."),
        (
            {"ClusterType": "single-node", "NumberOfNodes": None, "NodeType": "ra3.4xlarge"},
            "InvalidParameterCombination",
            "Node type ra3.4xlarge needs at least 2 nodes.",
        ),
        ({"NumberOfNodes": 33}, "NumberOfNodesPerClusterLimitExceeded", "The operation would"),
        ({"Encrypted": False}, "InvalidParameterCombination", "Unencrypted clusters are not"),
        ({"Port": 5000}, "InvalidParameterValue", "Invalid port 5000 for node type ra3.xlplus."),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue", "The parameter MasterUserPass"),
        (
            {"MasterUserPassword": "alllowercase1"},
            "InvalidParameterValue",
            "The parameter MasterUserPassword must contain at least one upper case letter.",
        ),
        (
            {"MasterUserPassword": "NoNumbers"},
            "InvalidParameterValue",
            "The parameter MasterUserPassword must contain at least one number.",
        ),
        (
            {"MasterUserPassword": "With/Slash1"},
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password.",
        ),
        ({"MasterUserPassword": None}, "InvalidParameterValue", "The parameter MasterUserPass"),
        (
            {"ManageMasterPassword": True},
            "InvalidParameterCombination",
            "You can't use MasterUserPassword if ManageMasterPassword is true.",
        ),
        ({"MasterUsername": "Admin"}, "InvalidParameterValue", "Invalid master user name Admin"),
        ({"MasterUsername": "public"}, "InvalidParameterValue", "Invalid master user name public"),
        ({"DBName": "Upper"}, "InvalidParameterValue", "Invalid database name Upper"),
        ({"ClusterIdentifier": "Upper"}, "InvalidParameterValue", "The parameter ClusterIdentif"),
        ({"ClusterIdentifier": "two--dashes"}, "InvalidParameterValue", "The parameter ClusterI"),
        ({"ClusterIdentifier": "x" * 64}, "InvalidParameterValue", "The parameter ClusterIdenti"),
        ({"AutomatedSnapshotRetentionPeriod": 0}, "InvalidParameterValue", "Invalid automated sn"),
        ({"AutomatedSnapshotRetentionPeriod": 36}, "InvalidParameterValue", "Invalid automated s"),
        ({"ManualSnapshotRetentionPeriod": 0}, "InvalidRetentionPeriodFault", "The manual snaps"),
        ({"ClusterSubnetGroupName": "no"}, "ClusterSubnetGroupNotFoundFault", "Cluster subnet g"),
        ({"ClusterParameterGroupName": "no"}, "ClusterParameterGroupNotFound", "ParameterGroup n"),
        ({"VpcSecurityGroupIds": ["sg-0"]}, "InvalidParameterValue", "Invalid security group ID"),
        ({"IamRoles": ["nobody"]}, "InvalidParameterValue", "Invalid IAM role ARN: nobody"),
        ({"DefaultIamRoleArn": ROLE}, "InvalidParameterValue", "The default IAM role"),
        ({"PreferredMaintenanceWindow": "now"}, "InvalidParameterValue", "Invalid maintenance w"),
        ({"AvailabilityZone": "mars-1a"}, "InvalidParameterValue", "Invalid availability zone"),
        ({"SnapshotScheduleIdentifier": "no"}, "SnapshotScheduleNotFound", "Snapshot schedule no"),
        (
            {"MultiAZ": True, "NodeType": "rg.xlarge"},
            "InvalidParameterCombination",
            "Multi-AZ is not supported for node type rg.xlarge.",
        ),
        (
            {"MultiAZ": True, "ClusterType": "single-node", "NumberOfNodes": None},
            "InvalidParameterCombination",
            "Multi-AZ is not supported for single-node clusters.",
        ),
        (
            {"AquaConfigurationStatus": "on"},
            "ValidationError",
            "1 validation error detected: Value 'on' at 'aquaConfigurationStatus' failed to satisfy"
            " constraint: Member must satisfy enum value set: [enabled, disabled, auto]",
        ),
    ],
)
def test_what_a_new_cluster_must_not_be(
    redshift: BaseClient, given: dict[str, Any], code: str, said: str
) -> None:
    wanted = {key: value for key, value in (NEW | given).items() if value is not None}
    found = refusal(redshift.create_cluster, **wanted)
    assert found[0] == code and found[1].startswith(said), found
    assert redshift.describe_clusters()["Clusters"] == []


@pytest.mark.parametrize("node_type", ["rg.xlarge", "rg.4xlarge", "ra3.large", "ra3.16xlarge"])
def test_every_node_type_of_today_can_be_ordered(redshift: BaseClient, node_type: str) -> None:
    with_cluster(redshift, NodeType=node_type, Port=8191)
    assert described(redshift)["NodeType"] == node_type
    assert described(redshift)["Endpoint"]["Port"] == 8191


def test_a_name_can_be_taken_once(cluster: BaseClient) -> None:
    assert refusal(cluster.create_cluster, **NEW) == (
        "ClusterAlreadyExists",
        "Cluster already exists",
    )


def test_of_parallel_creations_one_succeeds(redshift: BaseClient) -> None:
    def create(_: int) -> bool:
        try:
            redshift.create_cluster(**NEW)
        except redshift.exceptions.ClusterAlreadyExistsFault:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(8))) == 1


def test_clusters_of_another_account_or_region_are_not_seen(cluster: BaseClient) -> None:
    elsewhere = boto3.client("redshift", region_name="us-east-1")
    assert elsewhere.describe_clusters()["Clusters"] == []
    role = boto3.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/x", RoleSessionName="other"
    )["Credentials"]
    other = boto3.client(
        "redshift",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    assert other.describe_clusters()["Clusters"] == []
    with_cluster(other)
    assert "444455556666" in described(other)["ClusterNamespaceArn"]


def test_a_managed_password_is_a_secret_that_ends_with_the_cluster(redshift: BaseClient) -> None:
    with_cluster(redshift, MasterUserPassword=None, ManageMasterPassword=True)
    arn = described(redshift)["MasterPasswordSecretArn"]
    secrets = boto3.client("secretsmanager")
    found = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert found["username"] == "awsuser" and len(found["password"]) >= 32
    assert secrets.describe_secret(SecretId=arn)["Name"] == "redshift!analytics-awsuser"
    redshift.delete_cluster(ClusterIdentifier="analytics", SkipFinalClusterSnapshot=True)
    redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier="analytics")
    assert secrets.list_secrets()["SecretList"] == []


def test_a_cluster_lives_in_the_network_of_its_subnet_group(redshift: BaseClient) -> None:
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="ap-northeast-1c"
    )["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    create = redshift.create_cluster_subnet_group
    given = {"ClusterSubnetGroupName": "private", "Description": "d", "SubnetIds": [subnet]}
    create(**given)
    assert refusal(create, **given)[0] == "ClusterSubnetGroupAlreadyExists"
    with_cluster(redshift, ClusterSubnetGroupName="private", VpcSecurityGroupIds=[group])
    found = described(redshift)
    assert (found["VpcId"], found["AvailabilityZone"]) == (vpc, "ap-northeast-1c")
    assert found["VpcSecurityGroups"] == [{"VpcSecurityGroupId": group, "Status": "active"}]
    code, _ = refusal(redshift.delete_cluster_subnet_group, ClusterSubnetGroupName="private")
    assert code == "InvalidClusterSubnetGroupStateFault"


def test_two_zones_are_two_sets_of_nodes(redshift: BaseClient) -> None:
    with_cluster(redshift, MultiAZ=True)
    found = described(redshift)
    second = found["MultiAZSecondary"]
    assert found["MultiAZ"] == "Enabled"
    assert (found["AvailabilityZone"], second["AvailabilityZone"]) == (
        "ap-northeast-1a",
        "ap-northeast-1c",
    )
    assert len(second["ClusterNodes"]) == 3
    addresses = {n["PrivateIPAddress"] for n in [*found["ClusterNodes"], *second["ClusterNodes"]]}
    assert len(addresses) == 6
    redshift.failover_primary_compute(ClusterIdentifier="analytics")
    assert status(redshift) == "modifying"
    wait(redshift)
    assert described(redshift)["AvailabilityZone"] == "ap-northeast-1c"
    code, _ = refusal(redshift.pause_cluster, ClusterIdentifier="analytics")
    assert code == "UnsupportedOperation"


def test_one_zone_has_nothing_to_fail_over_to(cluster: BaseClient) -> None:
    code, said = refusal(cluster.failover_primary_compute, ClusterIdentifier="analytics")
    assert code == "UnsupportedOperation" and "is not a Multi-AZ cluster" in said


def test_lists_come_in_pages_and_by_tag(redshift: BaseClient) -> None:
    for number in range(22):
        tags = [{"Key": "number", "Value": str(number % 2)}]
        redshift.create_cluster(**NEW | {"ClusterIdentifier": f"c{number}", "Tags": tags})
    first = redshift.describe_clusters(MaxRecords=20)
    second = redshift.describe_clusters(MaxRecords=20, Marker=first["Marker"])
    assert (len(first["Clusters"]), len(second["Clusters"])) == (20, 2)
    assert len(redshift.describe_clusters(TagValues=["1"])["Clusters"]) == 11
    assert len(redshift.describe_clusters(TagKeys=["number"])["Clusters"]) == 22
    assert redshift.describe_clusters(TagKeys=["nope"])["Clusters"] == []
    assert refusal(redshift.describe_clusters, MaxRecords=5)[0] == "InvalidParameterValue"
    assert refusal(redshift.describe_clusters, Marker="x")[0] == "InvalidParameterValue"
    assert refusal(redshift.describe_clusters, ClusterIdentifier="nope") == (
        "ClusterNotFound",
        "Cluster nope not found.",
    )


# --- changes -------------------------------------------------------------------------------------


def modify(redshift: BaseClient, **changes: Any) -> dict[str, Any]:
    made = redshift.modify_cluster(ClusterIdentifier="analytics", **changes)["Cluster"]
    assert isinstance(made, dict)
    return made


def test_settings_are_modified(cluster: BaseClient) -> None:
    made = modify(cluster, AutomatedSnapshotRetentionPeriod=7, PreferredMaintenanceWindow=WINDOW)
    assert made["ClusterStatus"] == "available"
    made = modify(cluster, PubliclyAccessible=True, Port=5440)
    assert made["ClusterStatus"] == "modifying"
    wait(cluster)
    found = described(cluster)
    assert (found["AutomatedSnapshotRetentionPeriod"], found["PubliclyAccessible"]) == (7, True)
    assert (found["Endpoint"]["Port"], found["PreferredMaintenanceWindow"]) == (5440, WINDOW)


WINDOW = "mon:01:00-mon:02:00"


def test_a_new_password_is_pending(cluster: BaseClient) -> None:
    made = modify(cluster, MasterUserPassword="Another123")
    assert made["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    wait(cluster)
    assert described(cluster)["PendingModifiedValues"] == {}


def test_a_password_can_be_given_to_secrets_manager_and_back(cluster: BaseClient) -> None:
    arn = modify(cluster, ManageMasterPassword=True)["MasterPasswordSecretArn"]
    found = refusal(modify, redshift=cluster, MasterUserPassword="Another123")
    assert found[0] == "InvalidParameterCombination"
    assert refusal(modify, redshift=cluster, ManageMasterPassword=False)[0] == found[0]
    modify(cluster, ManageMasterPassword=False, MasterUserPassword="Another123")
    assert "MasterPasswordSecretArn" not in described(cluster)
    code, _ = refusal(boto3.client("secretsmanager").get_secret_value, SecretId=arn)
    assert code == "ResourceNotFoundException"


def test_a_cluster_is_renamed(cluster: BaseClient) -> None:
    made = modify(cluster, NewClusterIdentifier="renamed")
    assert made["ClusterStatus"] == "renaming"
    assert made["PendingModifiedValues"] == {"ClusterIdentifier": "renamed"}
    wait(cluster, "renamed")
    assert described(cluster, "renamed")["Endpoint"]["Address"].startswith("renamed.")
    assert refusal(described, redshift=cluster)[0] == "ClusterNotFound"
    snapshots = cluster.describe_cluster_snapshots(ClusterIdentifier="renamed")["Snapshots"]
    assert [s["SnapshotType"] for s in snapshots] == ["automated"]


def test_another_number_of_nodes_needs_type_and_number(cluster: BaseClient) -> None:
    none = ("InvalidParameterCombination", "No modifications were requested")
    assert refusal(modify, redshift=cluster) == none
    assert refusal(modify, redshift=cluster, NumberOfNodes=4) == none
    found = refusal(modify, redshift=cluster, NodeType="ra3.xlplus", NumberOfNodes=2)
    assert found == none
    made = modify(cluster, NodeType="ra3.xlplus", NumberOfNodes=5)
    assert made["ClusterStatus"] == "resizing"
    assert made["PendingModifiedValues"] == {"NodeType": "ra3.xlplus", "NumberOfNodes": 5}
    resize = cluster.describe_resize(ClusterIdentifier="analytics")
    assert (resize["ResizeType"], resize["Status"]) == ("ClassicResize", "IN_PROGRESS")
    wait(cluster)
    assert described(cluster)["NumberOfNodes"] == 5


def test_a_second_zone_is_modified_alone(cluster: BaseClient) -> None:
    assert refusal(modify, redshift=cluster, MultiAZ=True, Port=5440) == (
        "InvalidParameterCombination",
        "When a ModifyCluster AutoFailover operation is requested, no other modifications are "
        "allowed in the same request.",
    )
    modify(cluster, MultiAZ=True)
    wait(cluster)
    assert described(cluster)["MultiAZ"] == "Enabled"


def test_a_busy_cluster_takes_no_other_change(cluster: BaseClient) -> None:
    cluster.reboot_cluster(ClusterIdentifier="analytics")
    busy = "There is an operation running on the Cluster. Please try to {} it at a later time."
    name = {"ClusterIdentifier": "analytics"}
    for call, more, verb in (
        (cluster.modify_cluster, {"Port": 5440}, "modify"),
        (cluster.reboot_cluster, {}, "reboot"),
        (cluster.resize_cluster, {"NumberOfNodes": 4}, "resize"),
        (cluster.delete_cluster, {"SkipFinalClusterSnapshot": True}, "delete"),
    ):
        assert refusal(call, **name, **more) == ("InvalidClusterState", busy.format(verb))
    code, _ = refusal(cluster.create_cluster_snapshot, SnapshotIdentifier="s", **name)
    assert code == "InvalidClusterState"
    wait(cluster)


def test_roles_are_associated_and_removed(cluster: BaseClient) -> None:
    change = cluster.modify_cluster_iam_roles
    other = ROLE + "-2"
    made = change(ClusterIdentifier="analytics", AddIamRoles=[ROLE, other], DefaultIamRoleArn=ROLE)[
        "Cluster"
    ]
    assert [role["IamRoleArn"] for role in made["IamRoles"]] == [ROLE, other]
    assert {role["ApplyStatus"] for role in made["IamRoles"]} == {"in-sync"}
    assert made["DefaultIamRoleArn"] == ROLE
    made = change(ClusterIdentifier="analytics", RemoveIamRoles=[ROLE])["Cluster"]
    assert [role["IamRoleArn"] for role in made["IamRoles"]] == [other]
    assert "DefaultIamRoleArn" not in made
    found = refusal(change, ClusterIdentifier="analytics", AddIamRoles=["x"])
    assert found == ("InvalidParameterValue", "Invalid IAM role ARN: x")


def test_a_cluster_rests_and_goes_on(cluster: BaseClient) -> None:
    name = {"ClusterIdentifier": "analytics"}
    assert refusal(cluster.resume_cluster, **name) == (
        "InvalidClusterState",
        "You can only resume a PAUSED Cluster",
    )
    assert cluster.pause_cluster(**name)["Cluster"]["ClusterStatus"] == "pausing"
    assert [status(cluster) for _ in range(3)] == ["pausing", "paused", "paused"]
    assert described(cluster)["ClusterAvailabilityStatus"] == "Unavailable"
    assert refusal(cluster.pause_cluster, **name) == (
        "InvalidClusterState",
        "You can only pause an ACTIVE Cluster",
    )
    assert cluster.resume_cluster(**name)["Cluster"]["ClusterStatus"] == "resuming"
    assert [status(cluster) for _ in range(2)] == ["resuming", "available"]


def test_states_follow_the_clock(redshift: BaseClient, frozen: None) -> None:
    redshift.create_cluster(**NEW)
    assert [status(redshift) for _ in range(3)] == ["creating"] * 3
    CLOCK.advance(301)
    assert status(redshift) == "available"
    redshift.pause_cluster(ClusterIdentifier="analytics")
    CLOCK.advance(299)
    assert status(redshift) == "pausing"
    CLOCK.advance(2)
    assert status(redshift) == "paused"


# --- resize --------------------------------------------------------------------------------------


def options(redshift: BaseClient, **more: Any) -> list[tuple[str, int]]:
    given = {"ActionType": "resize-cluster", "ClusterIdentifier": "analytics"} | more
    pages = redshift.get_paginator("describe_node_configuration_options").paginate(**given)
    return [
        (option["NodeType"], option["NumberOfNodes"])
        for page in pages
        for option in page["NodeConfigurationOptionList"]
    ]


def test_an_elastic_resize_changes_the_nodes(cluster: BaseClient) -> None:
    resize = cluster.describe_resize
    assert refusal(resize, ClusterIdentifier="analytics") == (
        "ResizeNotFound",
        "A resize operation for cluster analytics was not found.",
    )
    made = cluster.resize_cluster(ClusterIdentifier="analytics", NumberOfNodes=4)["Cluster"]
    assert made["ClusterStatus"] == "resizing" and made["NumberOfNodes"] == 2
    progress = resize(ClusterIdentifier="analytics")
    assert progress["Status"] == "IN_PROGRESS" and progress["TargetNumberOfNodes"] == 4
    assert (progress["ResizeType"], progress["TargetClusterType"]) == (
        "ElasticResize",
        "multi-node",
    )
    wait(cluster)
    assert described(cluster)["NumberOfNodes"] == 4
    assert len(described(cluster)["ClusterNodes"]) == 5
    progress = resize(ClusterIdentifier="analytics")
    assert (progress["Status"], progress["EstimatedTimeToCompletionInSeconds"]) == ("SUCCEEDED", 0)


@pytest.mark.parametrize(
    ("node_type", "nodes", "counts"),
    [
        ("ra3.xlplus", 2, [3, 4]),
        ("ra3.xlplus", 8, [2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16]),
        ("ra3.4xlarge", 2, [3, 4, 5, 6, 7, 8]),
        ("dc2.large", 4, [2, 3, 5, 6, 7, 8]),
    ],
)
def test_how_far_an_elastic_resize_reaches(
    redshift: BaseClient, node_type: str, nodes: int, counts: list[int]
) -> None:
    with_cluster(redshift, NodeType=node_type, NumberOfNodes=nodes)
    assert [count for kind, count in options(redshift) if kind == node_type] == counts
    code, said = refusal(
        redshift.resize_cluster, ClusterIdentifier="analytics", NumberOfNodes=counts[-1] + 1
    )
    assert code == "UnsupportedOperation" and str(counts) in said
    redshift.resize_cluster(ClusterIdentifier="analytics", NumberOfNodes=counts[-1])
    wait(redshift)
    assert described(redshift)["NumberOfNodes"] == counts[-1]


def test_options_can_be_filtered(cluster: BaseClient) -> None:
    assert ("rg.xlarge", 2) in options(cluster)
    only = [{"Name": "NodeType", "Operator": "in", "Values": ["ra3.xlplus"]}]
    more = [*only, {"Name": "NumberOfNodes", "Operator": "gt", "Values": ["3"]}]
    assert options(cluster, Filters=only) == [("ra3.xlplus", 3), ("ra3.xlplus", 4)]
    assert options(cluster, Filters=more) == [("ra3.xlplus", 4)]
    between = [{"Name": "NumberOfNodes", "Operator": "between", "Values": ["3", "3"]}]
    assert {count for _, count in options(cluster, Filters=between)} == {3}
    bad = [{"Name": "NumberOfNodes", "Operator": "gt", "Values": ["many"]}]
    assert refusal(options, redshift=cluster, Filters=bad)[0] == "InvalidParameterValue"
    found = refusal(options, redshift=cluster, ActionType="recommend-node-config")
    assert found[0] == "UnsupportedOperation"


def test_a_single_node_is_resized_by_the_classic_way_only(redshift: BaseClient) -> None:
    with_cluster(redshift, ClusterType="single-node", NumberOfNodes=None)
    assert options(redshift) == []
    name = {"ClusterIdentifier": "analytics"}
    code, said = refusal(redshift.resize_cluster, NumberOfNodes=2, **name)
    assert code == "UnsupportedOperation" and "single-node" in said
    assert refusal(redshift.resize_cluster, NumberOfNodes=2, Classic=True, **name) == (
        "InvalidParameterCombination",
        "No modifications were requested",
    )
    redshift.resize_cluster(
        Classic=True, ClusterType="multi-node", NodeType="rg.4xlarge", NumberOfNodes=3, **name
    )
    wait(redshift)
    found = described(redshift)
    assert (found["NodeType"], found["NumberOfNodes"]) == ("rg.4xlarge", 3)


def test_a_classic_resize_tells_its_progress(cluster: BaseClient, frozen: None) -> None:
    boto3.client("redshift-data").execute_statement(
        ClusterIdentifier="analytics",
        Database="dev",
        Sql="CREATE TABLE sales (a INT)",
        WaitTimeSeconds=10,
    )
    cluster.resize_cluster(
        ClusterIdentifier="analytics", NodeType="ra3.4xlarge", NumberOfNodes=2, Classic=True
    )
    CLOCK.advance(1800)
    progress = cluster.describe_resize(ClusterIdentifier="analytics")
    assert progress["DataTransferProgressPercent"] == 50.0
    assert (progress["ElapsedTimeInSeconds"], progress["Status"]) == (1800, "IN_PROGRESS")
    assert progress["ImportTablesInProgress"] == ["dev.public.sales"]
    CLOCK.advance(1801)
    progress = cluster.describe_resize(ClusterIdentifier="analytics")
    assert progress["ImportTablesCompleted"] == ["dev.public.sales"]
    assert progress["ElapsedTimeInSeconds"] in (3600, 3601)


def test_a_resize_can_be_canceled(cluster: BaseClient) -> None:
    cluster.resize_cluster(ClusterIdentifier="analytics", NumberOfNodes=4)
    canceled = cluster.cancel_resize(ClusterIdentifier="analytics")
    assert canceled["Status"] == "CANCELLING"
    wait(cluster)
    assert described(cluster)["NumberOfNodes"] == 2
    assert cluster.describe_resize(ClusterIdentifier="analytics")["Status"] == "NONE"
    code, _ = refusal(cluster.cancel_resize, ClusterIdentifier="analytics")
    assert code == "InvalidClusterState"


def test_what_can_be_ordered(redshift: BaseClient) -> None:
    found = redshift.describe_orderable_cluster_options()["OrderableClusterOptions"]
    kinds = {(option["NodeType"], option["ClusterType"]) for option in found}
    assert ("ra3.xlplus", "single-node") in kinds and ("ra3.4xlarge", "single-node") not in kinds
    zones = {zone["Name"] for zone in found[0]["AvailabilityZones"]}
    assert zones == {"ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"}
    only = redshift.describe_orderable_cluster_options(NodeType="rg.4xlarge")
    assert [option["ClusterType"] for option in only["OrderableClusterOptions"]] == ["multi-node"]


# --- parameter groups ----------------------------------------------------------------------------


def parameters(redshift: BaseClient, **more: Any) -> dict[str, dict[str, Any]]:
    given = {"ParameterGroupName": "own"} | more
    found = redshift.describe_cluster_parameters(**given)["Parameters"]
    return {parameter["ParameterName"]: parameter for parameter in found}


@pytest.fixture
def group(redshift: BaseClient) -> BaseClient:
    """A client, and a parameter group of its own."""
    redshift.create_cluster_parameter_group(
        ParameterGroupName="own", ParameterGroupFamily="redshift-2.0", Description="d"
    )
    return redshift


def test_parameters_have_true_values(group: BaseClient) -> None:
    found = parameters(group)
    assert found["require_ssl"] == {
        "ParameterName": "require_ssl",
        "ParameterValue": "true",
        "Description": "require ssl for all databaseconnections",
        "Source": "engine-default",
        "DataType": "boolean",
        "AllowedValues": "true,false",
        "ApplyType": "static",
        "IsModifiable": True,
    }
    assert found["wlm_json_configuration"]["ParameterValue"] == '[{"auto_wlm":true}]'
    older = parameters(group, ParameterGroupName="default.redshift-1.0")
    assert older["require_ssl"]["ParameterValue"] == "false"
    defaults = group.describe_default_cluster_parameters(ParameterGroupFamily="redshift-2.0")
    assert len(defaults["DefaultClusterParameters"]["Parameters"]) == len(found)


def change(redshift: BaseClient, **values: str) -> dict[str, Any]:
    wanted = [{"ParameterName": key, "ParameterValue": value} for key, value in values.items()]
    made = redshift.modify_cluster_parameter_group(ParameterGroupName="own", Parameters=wanted)
    return dict(made)


def test_a_changed_parameter_waits_for_a_reboot(group: BaseClient) -> None:
    with_cluster(group, ClusterParameterGroupName="own")
    made = change(group, statement_timeout="1000")
    assert made["ParameterGroupStatus"] == (
        "Your parameter group has been updated but changes won't get applied until you reboot the "
        "associated Clusters."
    )
    assert list(parameters(group, Source="user")) == ["statement_timeout"]

    def applied() -> tuple[str, list[str]]:
        (used,) = described(group)["ClusterParameterGroups"]
        waiting = [
            state["ParameterName"]
            for state in used["ClusterParameterStatusList"]
            if state["ParameterApplyStatus"] == "pending-reboot"
        ]
        return used["ParameterApplyStatus"], waiting

    assert applied() == ("pending-reboot", ["statement_timeout"])
    group.reboot_cluster(ClusterIdentifier="analytics")
    assert status(group) == "rebooting"
    wait(group)
    assert applied() == ("in-sync", [])
    group.reset_cluster_parameter_group(ParameterGroupName="own", ResetAllParameters=True)
    assert parameters(group, Source="user") == {}
    assert applied() == ("pending-reboot", ["statement_timeout"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"nope": "1"}, "Could not find parameter with name: nope"),
        ({"require_ssl": "maybe"}, "Invalid parameter value: maybe for: require_ssl"),
        ({"statement_timeout": "50"}, "Invalid parameter value: 50 for: statement_timeout"),
        ({"extra_float_digits": "3"}, "Invalid parameter value: 3 for: extra_float_digits"),
        ({"wlm_json_configuration": "{}"}, "Invalid parameter value: {} for: wlm_json"),
    ],
)
def test_values_outside_of_their_range(
    group: BaseClient, values: dict[str, str], said: str
) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue") as refused:
        change(group, **values)
    assert refused.value.response["Error"]["Message"].startswith(said)


def test_values_at_the_edge_of_their_range(group: BaseClient) -> None:
    change(group, extra_float_digits="-15", statement_timeout="2147483647")
    found = parameters(group, Source="user")
    assert found["extra_float_digits"]["ParameterValue"] == "-15"


def test_parameter_groups_that_are_used_or_of_aws_stay(group: BaseClient) -> None:
    with_cluster(group, ClusterParameterGroupName="own")
    state = "InvalidClusterParameterGroupState"
    delete = group.delete_cluster_parameter_group
    assert refusal(delete, ParameterGroupName="own")[0] == state
    assert refusal(delete, ParameterGroupName="default.redshift-2.0")[0] == state
    assert refusal(delete, ParameterGroupName="nope")[0] == "ClusterParameterGroupNotFound"
    create = group.create_cluster_parameter_group
    given = {"ParameterGroupName": "own", "Description": "d"}
    code, _ = refusal(create, ParameterGroupFamily="redshift-2.0", **given)
    assert code == "ClusterParameterGroupAlreadyExists"
    code, _ = refusal(create, ParameterGroupFamily="mysql8.0", **given)
    assert code == "InvalidParameterValue"


# --- snapshots -----------------------------------------------------------------------------------


def snapshots(redshift: BaseClient, **wanted: Any) -> list[dict[str, Any]]:
    return list(redshift.describe_cluster_snapshots(**wanted)["Snapshots"])


def take(redshift: BaseClient, name: str = "first", **more: Any) -> dict[str, Any]:
    made = redshift.create_cluster_snapshot(
        ClusterIdentifier="analytics", SnapshotIdentifier=name, **more
    )["Snapshot"]
    redshift.get_waiter("snapshot_available").wait(SnapshotIdentifier=name)
    return dict(made)


def test_a_snapshot_is_taken_step_by_step(cluster: BaseClient) -> None:
    made = cluster.create_cluster_snapshot(
        ClusterIdentifier="analytics", SnapshotIdentifier="first", ManualSnapshotRetentionPeriod=5
    )["Snapshot"]
    assert made["Status"] == "creating"
    delete = cluster.delete_cluster_snapshot
    assert refusal(delete, SnapshotIdentifier="first")[0] == "InvalidClusterSnapshotState"
    restore = cluster.restore_from_cluster_snapshot
    code, _ = refusal(restore, ClusterIdentifier="again", SnapshotIdentifier="first")
    assert code == "InvalidClusterSnapshotState"
    states = [snapshots(cluster, SnapshotIdentifier="first")[0]["Status"] for _ in range(2)]
    assert states == ["creating", "available"]
    (found,) = snapshots(cluster, SnapshotType="manual")
    assert (found["ManualSnapshotRetentionPeriod"], found["ManualSnapshotRemainingDays"]) == (5, 4)
    assert (found["NodeType"], found["NumberOfNodes"]) == ("ra3.xlplus", 2)
    assert found["SnapshotArn"].endswith(":snapshot:analytics/first")
    taken = refusal(take, redshift=cluster)
    assert taken[0] == "ClusterSnapshotAlreadyExists"


def test_an_automated_snapshot_comes_with_the_cluster_and_goes_with_it(cluster: BaseClient) -> None:
    (found,) = snapshots(cluster)
    assert found["SnapshotType"] == "automated"
    assert found["SnapshotIdentifier"].startswith("rs:analytics-")
    code, said = refusal(
        cluster.delete_cluster_snapshot, SnapshotIdentifier=found["SnapshotIdentifier"]
    )
    assert code == "InvalidClusterSnapshotState" and "only manual snapshots" in said
    copied = cluster.copy_cluster_snapshot(
        SourceSnapshotIdentifier=found["SnapshotIdentifier"], TargetSnapshotIdentifier="copied"
    )["Snapshot"]
    assert (copied["SnapshotType"], copied["Status"]) == ("manual", "available")
    cluster.delete_cluster(ClusterIdentifier="analytics", SkipFinalClusterSnapshot=True)
    cluster.get_waiter("cluster_deleted").wait(ClusterIdentifier="analytics")
    assert [s["SnapshotIdentifier"] for s in snapshots(cluster)] == ["copied"]
    assert snapshots(cluster, ClusterExists=False)
    deleted = cluster.delete_cluster_snapshot(SnapshotIdentifier="copied")["Snapshot"]
    assert deleted["Status"] == "deleted" and snapshots(cluster) == []


def test_automated_snapshots_come_every_eight_hours_and_expire(
    redshift: BaseClient, frozen: None
) -> None:
    redshift.create_cluster(**NEW)
    CLOCK.advance(23 * 3600)
    assert len(snapshots(redshift)) == 3
    CLOCK.advance(48 * 3600)
    assert len(snapshots(redshift)) == 3


def test_a_manual_snapshot_expires(cluster: BaseClient, frozen: None) -> None:
    take_frozen(cluster, "short", ManualSnapshotRetentionPeriod=1)
    take_frozen(cluster, "long")
    CLOCK.advance(25 * 3600)
    manual = [s["SnapshotIdentifier"] for s in snapshots(cluster, SnapshotType="manual")]
    assert manual == ["long"]


def take_frozen(redshift: BaseClient, name: str, **more: Any) -> None:
    redshift.create_cluster_snapshot(ClusterIdentifier="analytics", SnapshotIdentifier=name, **more)
    CLOCK.advance(61)


def test_retention_can_be_changed(cluster: BaseClient, frozen: None) -> None:
    take_frozen(cluster, "first")
    change = cluster.modify_cluster_snapshot
    made = change(SnapshotIdentifier="first", ManualSnapshotRetentionPeriod=10)["Snapshot"]
    assert made["ManualSnapshotRetentionPeriod"] == 10
    CLOCK.advance(3 * 24 * 3600)
    found = refusal(change, SnapshotIdentifier="first", ManualSnapshotRetentionPeriod=2)
    assert found[0] == "InvalidRetentionPeriodFault"
    change(SnapshotIdentifier="first", ManualSnapshotRetentionPeriod=2, Force=True)
    CLOCK.advance(61)
    assert refusal(change, SnapshotIdentifier="first")[0] == "ClusterSnapshotNotFound"


def test_a_snapshot_becomes_another_cluster(cluster: BaseClient) -> None:
    take(cluster)
    made = cluster.restore_from_cluster_snapshot(
        ClusterIdentifier="again",
        SnapshotIdentifier="first",
        NodeType="rg.4xlarge",
        NumberOfNodes=4,
        Port=8200,
    )["Cluster"]
    assert made["ClusterStatus"] == "creating"
    assert described(cluster, "again")["RestoreStatus"] == {"Status": "restoring"}
    cluster.get_waiter("cluster_restored").wait(ClusterIdentifier="again")
    found = described(cluster, "again")
    assert (found["NodeType"], found["NumberOfNodes"], found["DBName"]) == ("rg.4xlarge", 4, "dev")
    assert (found["RestoreStatus"], found["Endpoint"]["Port"]) == ({"Status": "completed"}, 8200)
    restore = cluster.restore_from_cluster_snapshot
    code, _ = refusal(restore, ClusterIdentifier="again", SnapshotIdentifier="first")
    assert code == "ClusterAlreadyExists"
    code, _ = refusal(restore, ClusterIdentifier="other", SnapshotIdentifier="nope")
    assert code == "ClusterSnapshotNotFound"
    code, _ = refusal(restore, ClusterIdentifier="other")
    assert code == "InvalidParameterCombination"


def test_a_cluster_leaves_a_final_snapshot(cluster: BaseClient) -> None:
    delete = cluster.delete_cluster
    name = {"ClusterIdentifier": "analytics"}
    assert refusal(delete, **name) == (
        "InvalidParameterCombination",
        "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is specified.",
    )
    both = {"SkipFinalClusterSnapshot": True, "FinalClusterSnapshotIdentifier": "last"}
    assert refusal(delete, **name, **both)[0] == "InvalidParameterCombination"
    made = delete(FinalClusterSnapshotIdentifier="last", **name)["Cluster"]
    assert made["ClusterStatus"] == "final-snapshot"
    assert [status(cluster) for _ in range(2)] == ["final-snapshot", "deleting"]
    assert refusal(described, redshift=cluster) == (
        "ClusterNotFound",
        "Cluster analytics not found.",
    )
    (found,) = snapshots(cluster, SnapshotIdentifier="last")
    assert found["SnapshotType"] == "manual"


# --- schedules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("cron(0 10 ? * MON *)", ["2026-11-23 10:00", "2026-11-30 10:00"]),
        ("cron(30 8,20 * * ? *)", ["2026-11-21 20:30", "2026-11-22 08:30"]),
        ("cron(0/20 12 1 * ? *)", ["2026-12-01 12:00", "2026-12-01 12:20"]),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("cron(0 9 15W * ? *)", ["2026-12-15 09:00", "2027-01-15 09:00"]),
        ("cron(0 9 1W 8 ? *)", ["2027-08-02 09:00", "2028-08-01 09:00"]),
        ("cron(0 9 ? * 6#1 *)", ["2026-12-04 09:00", "2027-01-01 09:00"]),
        ("cron(0 9 ? * 6L *)", ["2026-11-27 09:00", "2026-12-25 09:00"]),
        ("cron(0 9 ? JAN-MAR TUE-WED 2027)", ["2027-01-05 09:00", "2027-01-06 09:00"]),
        ("at(2026-11-22T01:02:03)", ["2026-11-22 01:02"]),
    ],
)
def test_when_a_schedule_runs(text: str, moments: list[str]) -> None:
    start = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday
    found = [
        moment.strftime("%Y-%m-%d %H:%M") for moment in islice(of_action(text).after(start), 2)
    ]
    assert found == moments


@pytest.mark.parametrize(
    "text",
    [
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(0 10 * * ?)",
        "cron(60 10 * * ? *)",
        "cron(0 10 * FOO ? *)",
        "cron(5-1 10 * * ? *)",
        "at(2026-13-01T00:00:00)",
        "rate(1 hour)",
        "every day",
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(BadSchedule):
        of_action(text)


def test_when_snapshots_are_scheduled() -> None:
    start = datetime(2026, 11, 21, 12, tzinfo=UTC)
    every = [m.hour for m in islice(of_snapshots("rate(6 hours)").after(start), 3)]
    assert every == [18, 0, 6]
    assert next(of_snapshots("cron(30 12 *)").after(start)) == start + timedelta(minutes=30)
    monday = next(of_snapshots("cron(0 1 MON)").after(start))
    assert (monday.day, monday.hour) == (23, 1)
    for bad in ("rate(25 hours)", "rate(30 minutes)", "cron(0 12 * * ? *)"):
        with pytest.raises(BadSchedule):
            of_snapshots(bad)


def test_a_schedule_of_snapshots(cluster: BaseClient, frozen: None) -> None:
    made = cluster.create_snapshot_schedule(
        ScheduleIdentifier="often", ScheduleDefinitions=["rate(2 hours)"], Tags=[]
    )
    assert len(made["NextInvocations"]) == 3
    join = cluster.modify_cluster_snapshot_schedule
    join(ClusterIdentifier="analytics", ScheduleIdentifier="often")
    found = described(cluster)
    assert found["SnapshotScheduleIdentifier"] == "often"
    assert found["SnapshotScheduleState"] == "ACTIVE"
    assert found["ExpectedNextSnapshotScheduleTime"] == made["NextInvocations"][0]
    (schedule,) = cluster.describe_snapshot_schedules(ClusterIdentifier="analytics")[
        "SnapshotSchedules"
    ]
    assert schedule["AssociatedClusterCount"] == 1
    before = len(snapshots(cluster))
    CLOCK.advance(6 * 3600)
    assert len(snapshots(cluster)) == before + 3
    delete = cluster.delete_snapshot_schedule
    code, _ = refusal(delete, ScheduleIdentifier="often")
    assert code == "InvalidClusterSnapshotScheduleState"
    change = cluster.modify_snapshot_schedule
    change(ScheduleIdentifier="often", ScheduleDefinitions=["cron(0 1 *)"])
    join(ClusterIdentifier="analytics", DisassociateSchedule=True)
    delete(ScheduleIdentifier="often")
    assert cluster.describe_snapshot_schedules()["SnapshotSchedules"] == []


def test_schedules_that_cannot_be(cluster: BaseClient) -> None:
    create = cluster.create_snapshot_schedule
    found = refusal(create, ScheduleIdentifier="s", ScheduleDefinitions=["rate(30 minutes)"])
    assert found[0] == "InvalidSchedule"
    assert refusal(create, ScheduleIdentifier="s")[0] == "InvalidSchedule"
    create(ScheduleIdentifier="s", ScheduleDefinitions=["rate(12 hours)"], DryRun=True)
    assert cluster.describe_snapshot_schedules()["SnapshotSchedules"] == []
    create(ScheduleIdentifier="s", ScheduleDefinitions=["rate(12 hours)"])
    found = refusal(create, ScheduleIdentifier="s", ScheduleDefinitions=["rate(12 hours)"])
    assert found[0] == "SnapshotScheduleAlreadyExists"
    join = cluster.modify_cluster_snapshot_schedule
    found = refusal(join, ClusterIdentifier="analytics", ScheduleIdentifier="nope")
    assert found[0] == "SnapshotScheduleNotFound"
    assert refusal(join, ClusterIdentifier="analytics")[0] == "InvalidParameterCombination"


# --- scheduled actions ---------------------------------------------------------------------------


def schedule(redshift: BaseClient, action: str = "PauseCluster", **more: Any) -> dict[str, Any]:
    target = {action: {"ClusterIdentifier": "analytics"} | more.pop("target", {})}
    given = {
        "ScheduledActionName": "night",
        "TargetAction": target,
        "Schedule": "cron(0 11 * * ? *)",
        "IamRole": ROLE,
    } | more
    return dict(redshift.create_scheduled_action(**given))


def test_a_scheduled_action_pauses_and_resumes(cluster: BaseClient, frozen: None) -> None:
    tomorrow = CLOCK.now() + timedelta(hours=2)
    schedule(cluster, Schedule=f"at({tomorrow:%Y-%m-%dT%H:%M:%S})")
    later = tomorrow + timedelta(hours=2)
    schedule(
        cluster,
        "ResumeCluster",
        ScheduledActionName="morning",
        Schedule=f"at({later:%Y-%m-%dT%H:%M:%S})",
    )
    CLOCK.advance(3600)
    assert status(cluster) == "available"
    CLOCK.advance(3600 + 60)
    assert status(cluster) == "pausing"
    CLOCK.advance(3600)
    assert status(cluster) == "paused"
    CLOCK.advance(2 * 3600)
    assert status(cluster) == "available"


def test_a_scheduled_action_resizes_every_day(cluster: BaseClient, frozen: None) -> None:
    made = schedule(cluster, "ResizeCluster", target={"NumberOfNodes": 4})
    assert (made["State"], len(made["NextInvocations"])) == ("ACTIVE", 10)
    CLOCK.advance(24 * 3600)
    assert described(cluster)["NumberOfNodes"] == 4
    CLOCK.advance(24 * 3600)
    events = cluster.describe_events(SourceType="scheduled-action", Duration=2880)["Events"]
    assert "No modifications were requested" in events[-1]["Message"]
    assert events[-1]["Severity"] == "ERROR"


def test_a_disabled_action_does_nothing(cluster: BaseClient, frozen: None) -> None:
    made = schedule(cluster, Enable=False)
    assert (made["State"], made.get("NextInvocations", [])) == ("DISABLED", [])
    CLOCK.advance(24 * 3600)
    assert status(cluster) == "available"
    cluster.modify_scheduled_action(ScheduledActionName="night", Enable=True)
    CLOCK.advance(24 * 3600)
    assert status(cluster) == "paused"


def test_an_action_keeps_to_its_times(cluster: BaseClient, frozen: None) -> None:
    start = CLOCK.now() + timedelta(days=2)
    end = start + timedelta(days=2)
    made = schedule(cluster, StartTime=start, EndTime=end)
    assert len(made["NextInvocations"]) == 2
    assert made["NextInvocations"][0] > start
    CLOCK.advance(36 * 3600)
    assert status(cluster) == "available"


def test_actions_are_found(cluster: BaseClient) -> None:
    schedule(cluster)
    schedule(cluster, "ResumeCluster", ScheduledActionName="morning", Enable=False)

    def found(**wanted: Any) -> list[str]:
        answer = cluster.describe_scheduled_actions(**wanted)["ScheduledActions"]
        return [action["ScheduledActionName"] for action in answer]

    assert found() == ["night", "morning"]
    assert found(TargetActionType="ResumeCluster") == ["morning"]
    assert found(Active=True) == ["night"]
    by_cluster = [{"Name": "cluster-identifier", "Values": ["analytics"]}]
    assert found(Filters=by_cluster) == ["night", "morning"]
    assert found(Filters=[{"Name": "iam-role", "Values": ["x"]}]) == []
    assert found(EndTime=datetime.now(UTC) + timedelta(days=2)) == ["night"]
    cluster.delete_scheduled_action(ScheduledActionName="night")
    code, _ = refusal(found, ScheduledActionName="night")
    assert code == "ScheduledActionNotFound"


TWO_ACTIONS = {
    "PauseCluster": {"ClusterIdentifier": "analytics"},
    "ResumeCluster": {"ClusterIdentifier": "analytics"},
}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Schedule": "cron(0/10 11 * * ? *)"}, "InvalidSchedule"),
        ({"Schedule": "at(2020-01-01T00:00:00)"}, "InvalidSchedule"),
        ({"Schedule": "rate(1 day)"}, "InvalidSchedule"),
        ({"IamRole": "role"}, "InvalidScheduledAction"),
        ({"TargetAction": TWO_ACTIONS}, "InvalidScheduledAction"),
        ({"target": {"ClusterIdentifier": "nope"}}, "ClusterNotFound"),
        ({"EndTime": datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidSchedule"),
    ],
)
def test_actions_that_cannot_be(cluster: BaseClient, more: dict[str, Any], code: str) -> None:
    assert refusal(schedule, redshift=cluster, **more)[0] == code
    schedule(cluster)
    assert refusal(schedule, redshift=cluster)[0] == "ScheduledActionAlreadyExists"


# --- usage limits, events, logs ------------------------------------------------------------------

LIMIT = {
    "ClusterIdentifier": "analytics",
    "FeatureType": "concurrency-scaling",
    "LimitType": "time",
    "Amount": 60,
}


def test_usage_limits(cluster: BaseClient) -> None:
    made = cluster.create_usage_limit(**LIMIT)
    assert (made["Period"], made["BreachAction"], made["Amount"]) == ("monthly", "log", 60)
    code, _ = refusal(cluster.create_usage_limit, **LIMIT)
    assert code == "UsageLimitAlreadyExists"
    second = cluster.create_usage_limit(**LIMIT | {"Period": "daily", "BreachAction": "disable"})
    change = cluster.modify_usage_limit
    assert change(UsageLimitId=second["UsageLimitId"], Amount=5)["Amount"] == 5
    found = cluster.describe_usage_limits(FeatureType="concurrency-scaling")["UsageLimits"]
    assert [limit["Amount"] for limit in found] == [60, 5]
    assert cluster.describe_usage_limits(FeatureType="spectrum")["UsageLimits"] == []
    cluster.delete_usage_limit(UsageLimitId=second["UsageLimitId"])
    code, _ = refusal(change, UsageLimitId=second["UsageLimitId"])
    assert code == "UsageLimitNotFound"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"LimitType": "data-scanned"}, "InvalidUsageLimit"),
        ({"FeatureType": "spectrum"}, "InvalidUsageLimit"),
        ({"Amount": 0}, "InvalidUsageLimit"),
        ({"ClusterIdentifier": "nope"}, "ClusterNotFound"),
        ({"BreachAction": "explode"}, "ValidationError"),
    ],
)
def test_usage_limits_that_cannot_be(cluster: BaseClient, more: dict[str, Any], code: str) -> None:
    assert refusal(cluster.create_usage_limit, **LIMIT | more)[0] == code


def test_events_tell_what_happened(cluster: BaseClient) -> None:
    cluster.reboot_cluster(ClusterIdentifier="analytics")
    wait(cluster)
    found = cluster.describe_events(SourceType="cluster", SourceIdentifier="analytics")["Events"]
    assert [event["EventId"] for event in found] == ["REDSHIFT-EVENT-2000", "REDSHIFT-EVENT-3000"]
    assert found[0]["Message"] == (
        "Your Amazon Redshift cluster: analytics has been created and is ready for use."
    )
    assert refusal(cluster.describe_events, SourceIdentifier="analytics")[0] == (
        "InvalidParameterValue"
    )
    past = datetime(2020, 1, 1, tzinfo=UTC)
    assert cluster.describe_events(StartTime=past, EndTime=past)["Events"] == []


def test_events_of_the_last_hour_and_of_two_weeks(cluster: BaseClient, frozen: None) -> None:
    CLOCK.advance(2 * 3600)
    assert cluster.describe_events()["Events"] == []
    assert cluster.describe_events(Duration=600)["Events"]


def test_logging_needs_a_bucket(cluster: BaseClient) -> None:
    name = {"ClusterIdentifier": "analytics"}
    enable = cluster.enable_logging
    assert refusal(enable, BucketName="amzn-s3-demo-nope", **name)[0] == "BucketNotFoundFault"
    where = {"LocationConstraint": "ap-northeast-1"}
    boto3.client("s3").create_bucket(Bucket="amzn-s3-demo-logs", CreateBucketConfiguration=where)
    made = enable(BucketName="amzn-s3-demo-logs", S3KeyPrefix="audit/", **name)
    assert (made["LoggingEnabled"], made["BucketName"]) == (True, "amzn-s3-demo-logs")
    assert "LastFailureTime" not in cluster.describe_logging_status(**name)
    assert cluster.disable_logging(**name)["LoggingEnabled"] is False
    assert "BucketName" not in cluster.describe_logging_status(**name)
    exports = ["connectionlog", "userlog"]
    made = enable(LogDestinationType="cloudwatch", LogExports=exports, **name)
    assert made["LogExports"] == exports
    found = refusal(enable, LogDestinationType="cloudwatch", LogExports=["x"], **name)
    assert found[0] == "InvalidParameterValue"


def test_snapshot_copies_are_set_up(cluster: BaseClient) -> None:
    name = {"ClusterIdentifier": "analytics"}
    enable = cluster.enable_snapshot_copy
    made = enable(DestinationRegion="us-east-1", **name)["Cluster"]["ClusterSnapshotCopyStatus"]
    assert (made["DestinationRegion"], made["RetentionPeriod"]) == ("us-east-1", 7)
    code, _ = refusal(enable, DestinationRegion="us-east-1", **name)
    assert code == "SnapshotCopyAlreadyEnabledFault"
    made = cluster.modify_snapshot_copy_retention_period(RetentionPeriod=3, **name)["Cluster"]
    assert made["ClusterSnapshotCopyStatus"]["RetentionPeriod"] == 3
    made = cluster.disable_snapshot_copy(**name)["Cluster"]
    assert "ClusterSnapshotCopyStatus" not in made
    code, _ = refusal(cluster.disable_snapshot_copy, **name)
    assert code == "SnapshotCopyAlreadyDisabledFault"
    for region in ("mars-1", "ap-northeast-1"):
        found = refusal(enable, DestinationRegion=region, **name)
        assert found[0] == "UnknownSnapshotCopyRegionFault"
    code, _ = refusal(enable, DestinationRegion="us-east-1", ClusterIdentifier="nope")
    assert code == "ClusterNotFound"


def test_credentials_for_the_caller(cluster: BaseClient) -> None:
    made = cluster.get_cluster_credentials_with_iam(ClusterIdentifier="analytics")
    assert made["DbUser"] == "IAM:lab" and len(made["DbPassword"]) == 32
    found = refusal(
        cluster.get_cluster_credentials_with_iam, ClusterIdentifier="analytics", DurationSeconds=1
    )
    assert found[0] == "InvalidParameterValue"
    older = cluster.get_cluster_credentials(ClusterIdentifier="analytics", DbUser="reader")
    assert older["DbUser"] == "IAM:reader"


def test_clusters_and_snapshots_are_tagged(cluster: BaseClient) -> None:
    take(cluster, Tags=[{"Key": "of", "Value": "snapshot"}])
    arn = "arn:aws:redshift:ap-northeast-1:111122223333:cluster:analytics"
    cluster.create_tags(ResourceName=arn, Tags=[{"Key": "of", "Value": "cluster"}])
    assert described(cluster)["Tags"] == [{"Key": "of", "Value": "cluster"}]
    found = cluster.describe_tags(ResourceType="snapshot")["TaggedResources"]
    assert [item["Tag"]["Value"] for item in found] == ["snapshot"]
    cluster.delete_tags(ResourceName=arn, TagKeys=["of"])
    assert described(cluster)["Tags"] == []


def test_a_template_makes_a_cluster(redshift: BaseClient) -> None:
    properties = dict(NEW) | {"NumberOfNodes": "2"}
    resource = {"Type": "AWS::Redshift::Cluster", "Properties": properties}
    address = {"Value": {"Fn::GetAtt": ["Warehouse", "Endpoint.Address"]}}
    template = {"Resources": {"Warehouse": resource}, "Outputs": {"Address": address}}
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=json.dumps(template))
    assert status(redshift) == "available"
    (stack,) = stacks.describe_stacks(StackName="s")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == described(redshift)["Endpoint"]["Address"]


# --- over HTTP -----------------------------------------------------------------------------------


def test_the_same_over_http(lab_server: str) -> None:
    with (
        patch.dict(os.environ, environment(AWS_ENDPOINT_URL=lab_server), clear=True),
        patch.object(boto3, "DEFAULT_SESSION", None),
        shared_loader(),
    ):
        redshift = boto3.client("redshift")
        made = redshift.create_cluster(**NEW)["Cluster"]
        assert made["ClusterStatus"] == "creating"
        wait(redshift)
        assert described(redshift)["ClusterAvailabilityStatus"] == "Available"
        assert refusal(redshift.create_cluster, **NEW)[0] == "ClusterAlreadyExists"
        redshift.delete_cluster(ClusterIdentifier="analytics", SkipFinalClusterSnapshot=True)
        redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier="analytics")
        assert redshift.describe_clusters()["Clusters"] == []
