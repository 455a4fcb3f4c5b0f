"""Redshift Serverless of the lab, which moto has not at all, read back with a plain client."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.embedded import environment, shared_loader
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::111122223333:role/warehouse"


@pytest.fixture
def serverless(lab: None) -> BaseClient:
    return boto3.client("redshift-serverless")


@pytest.fixture
def workgroup(serverless: BaseClient) -> BaseClient:
    """A client, and the workgroup `group` of the namespace `space`, which is available."""
    return with_workgroup(serverless)


def with_workgroup(serverless: BaseClient, **more: Any) -> BaseClient:
    serverless.create_namespace(namespaceName="space")
    serverless.create_workgroup(workgroupName="group", namespaceName="space", **more)
    settle(serverless)
    return serverless


def settle(serverless: BaseClient, name: str = "group") -> dict[str, Any]:
    """Look until a workgroup is available; at most three looks."""
    for _ in range(3):
        found: dict[str, Any] = serverless.get_workgroup(workgroupName=name)["workgroup"]
        if found["status"] == "AVAILABLE":
            return found
    raise AssertionError(found["status"])


def group(serverless: BaseClient, name: str = "group") -> dict[str, Any]:
    found: dict[str, Any] = serverless.get_workgroup(workgroupName=name)["workgroup"]
    return found


def space(serverless: BaseClient, name: str = "space") -> dict[str, Any]:
    found: dict[str, Any] = serverless.get_namespace(namespaceName=name)["namespace"]
    return found


@pytest.fixture
def frozen() -> Iterator[None]:
    CLOCK.run(0)
    yield
    CLOCK.run(None)


def refusal(call: Callable[..., Any], **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**given)
    said = refused.value.response["Error"]
    return said["Code"], said["Message"]


def run(sql: str, **more: Any) -> dict[str, Any]:
    """Run a statement through the Data API and describe it."""
    data = boto3.client("redshift-data")
    given = {"WorkgroupName": "group", "Database": "dev", "WaitTimeSeconds": 30} | more
    made = data.execute_statement(Sql=sql, **given)
    answer: dict[str, Any] = data.describe_statement(Id=made["Id"], WaitTimeSeconds=30)
    return answer


def rows(sql: str, **more: Any) -> list[list[Any]]:
    described = run(sql, **more)
    assert described["Status"] == "FINISHED", described.get("Error")
    result = boto3.client("redshift-data").get_statement_result(Id=described["Id"])
    return [[next(iter(field.values())) for field in row] for row in result["Records"]]


# --- namespaces ----------------------------------------------------------------------------------


def test_a_namespace_is_made_read_changed_and_deleted(serverless: BaseClient) -> None:
    made = serverless.create_namespace(
        namespaceName="space",
        adminUsername="boss",
        adminUserPassword="Secret123",
        dbName="sales",
        iamRoles=[ROLE],
        defaultIamRoleArn=ROLE,
        logExports=["userlog"],
    )["namespace"]
    assert made["status"] == "AVAILABLE"
    name = made["namespaceId"]
    assert made["namespaceArn"] == (
        f"arn:aws:redshift-serverless:ap-northeast-1:111122223333:namespace/{name}"
    )
    assert (made["adminUsername"], made["dbName"]) == ("boss", "sales")
    assert made["iamRoles"] == [f"IamRole(applyStatus=in-sync, iamRoleArn={ROLE})"]
    assert space(serverless) == made
    changed = serverless.update_namespace(namespaceName="space", logExports=["connectionlog"])
    assert changed["namespace"]["status"] == "MODIFYING"
    assert [space(serverless)["status"] for _ in range(2)] == ["MODIFYING", "AVAILABLE"]
    assert space(serverless)["logExports"] == ["connectionlog"]
    gone = serverless.delete_namespace(namespaceName="space")["namespace"]
    assert gone["status"] == "DELETING"
    assert space(serverless)["status"] == "DELETING"
    assert refusal(space, serverless=serverless) == (
        "ResourceNotFoundException",
        "Namespace space is not found.",
    )


def test_a_namespace_has_defaults(serverless: BaseClient) -> None:
    made = serverless.create_namespace(namespaceName="space")["namespace"]
    assert (made["dbName"], made["adminUsername"]) == ("dev", "admin")
    assert made["kmsKeyId"] == "AWS_OWNED_KMS_KEY"
    assert made["iamRoles"] == made["logExports"] == []


@pytest.mark.parametrize(
    "given",
    [
        {"adminUserPassword": "Secret123"},
        {"adminUsername": "boss", "adminUserPassword": "weak"},
        {
            "adminUsername": "boss",
            "adminUserPassword": "Secret123",
            "manageAdminPassword": True,
        },
        {"adminPasswordSecretKmsKeyId": "k"},
        {"adminUsername": "1boss"},
        {"dbName": "1x"},
        {"namespaceName": "Capital"},
        {"iamRoles": ["loader"]},
        {"defaultIamRoleArn": ROLE},
        {"logExports": ["errors"]},
    ],
)
def test_namespaces_that_cannot_be(serverless: BaseClient, given: dict[str, Any]) -> None:
    code, _ = refusal(serverless.create_namespace, **{"namespaceName": "namespace"} | given)
    assert code == "ValidationException"
    assert serverless.list_namespaces()["namespaces"] == []


def test_a_name_is_taken_once(serverless: BaseClient) -> None:
    def create(_: int) -> bool:
        try:
            serverless.create_namespace(namespaceName="namespace")
        except serverless.exceptions.ConflictException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(8))) == 1


def test_one_thing_of_a_namespace_changes_at_a_time(serverless: BaseClient, frozen: None) -> None:
    serverless.create_namespace(namespaceName="namespace", iamRoles=[ROLE])
    change = serverless.update_namespace
    assert refusal(change, namespaceName="namespace", kmsKeyId="k", logExports=["userlog"]) == (
        "ValidationException",
        "You can't update the key and logs in one request.",
    )
    change(namespaceName="namespace", defaultIamRoleArn=ROLE)
    code, _ = refusal(change, namespaceName="namespace", kmsKeyId="k")
    assert code == "ConflictException"
    CLOCK.advance(31)
    change(namespaceName="namespace", kmsKeyId="k")
    assert space(serverless, "namespace")["kmsKeyId"] == "k"


def test_the_password_is_a_secret_that_ends_with_the_namespace(serverless: BaseClient) -> None:
    made = serverless.create_namespace(namespaceName="space", manageAdminPassword=True)["namespace"]
    assert json.loads(secret(made["adminPasswordSecretArn"]))["username"] == "admin"
    serverless.create_workgroup(workgroupName="group", namespaceName="space")
    settle(serverless)
    by_secret = {"SecretArn": made["adminPasswordSecretArn"]}
    assert rows("SELECT current_user", **by_secret) == [["admin"]]
    serverless.delete_workgroup(workgroupName="group")
    assert refusal(settle, serverless=serverless)[0] == "ResourceNotFoundException"
    serverless.delete_namespace(namespaceName="space")
    assert [space(serverless)["status"], *serverless.list_namespaces()["namespaces"]] == [
        "DELETING"
    ]
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []


def secret(name: str) -> str:
    return str(boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


# --- workgroups ----------------------------------------------------------------------------------


def test_a_workgroup_goes_through_its_states(serverless: BaseClient, frozen: None) -> None:
    serverless.create_namespace(namespaceName="space")
    made = serverless.create_workgroup(
        workgroupName="group", namespaceName="space", baseCapacity=8, maxCapacity=64
    )["workgroup"]
    assert (made["status"], made["baseCapacity"], made["maxCapacity"]) == ("CREATING", 8, 64)
    assert "endpoint" not in made
    assert not made["publiclyAccessible"]
    CLOCK.advance(119)
    assert group(serverless)["status"] == "CREATING"
    CLOCK.advance(2)
    ready = group(serverless)
    assert ready["status"] == "AVAILABLE"
    assert ready["endpoint"]["address"] == (
        "group.111122223333.ap-northeast-1.redshift-serverless.amazonaws.com"
    )
    assert ready["endpoint"]["port"] == 5439
    serverless.update_workgroup(workgroupName="group", baseCapacity=16)
    assert group(serverless)["status"] == "MODIFYING"
    code, _ = refusal(serverless.update_workgroup, workgroupName="group", port=5431)
    assert code == "ConflictException"
    CLOCK.advance(61)
    assert group(serverless)["baseCapacity"] == 16
    serverless.delete_workgroup(workgroupName="group")
    assert group(serverless)["status"] == "DELETING"
    CLOCK.advance(61)
    assert serverless.list_workgroups()["workgroups"] == []


def test_a_namespace_has_one_workgroup(workgroup: BaseClient) -> None:
    create = workgroup.create_workgroup
    assert refusal(create, workgroupName="wg2", namespaceName="space") == (
        "ConflictException",
        "Namespace space is already associated with a workgroup.",
    )
    workgroup.create_namespace(namespaceName="other")
    assert refusal(create, workgroupName="group", namespaceName="other") == (
        "ConflictException",
        "Workgroup group already exists.",
    )
    code, _ = refusal(create, workgroupName="wg2", namespaceName="missing")
    assert code == "ResourceNotFoundException"
    code, message = refusal(workgroup.delete_namespace, namespaceName="space")
    assert (code, "is associated" in message) == ("ConflictException", True)


@pytest.mark.parametrize(
    "given",
    [
        {"baseCapacity": 5},
        {"baseCapacity": 12},
        {"baseCapacity": 520},
        {"baseCapacity": 2048},
        {"baseCapacity": 64, "maxCapacity": 32},
        {"maxCapacity": 64},
        {"port": 1234},
        {"pricePerformanceTarget": {"status": "ENABLED", "level": 60}},
        {"pricePerformanceTarget": {"status": "ENABLED"}, "baseCapacity": 8},
        {"configParameters": [{"parameterKey": "colour", "parameterValue": "red"}]},
        {"securityGroupIds": ["sg-0"]},
        {"subnetIds": ["subnet-0"]},
        {"workgroupName": "Capital"},
    ],
)
def test_workgroups_that_cannot_be(serverless: BaseClient, given: dict[str, Any]) -> None:
    serverless.create_namespace(namespaceName="ns1")
    wanted = {"workgroupName": "wg1", "namespaceName": "ns1"} | given
    assert refusal(serverless.create_workgroup, **wanted)[0] == "ValidationException"
    assert serverless.list_workgroups()["workgroups"] == []


@pytest.mark.parametrize("capacity", [4, 8, 512, 544, 1024])
def test_capacities_that_can_be(serverless: BaseClient, capacity: int) -> None:
    with_workgroup(serverless, baseCapacity=capacity)
    assert group(serverless)["baseCapacity"] == capacity


def test_parameters_are_kept_and_one_thing_changes_at_a_time(workgroup: BaseClient) -> None:
    change = workgroup.update_workgroup
    assert refusal(change, workgroupName="group", port=5431, publiclyAccessible=True) == (
        "ValidationException",
        "You can't update publiclyAccessible and port in one request.",
    )
    limit = {"parameterKey": "max_query_execution_time", "parameterValue": "60"}
    change(workgroupName="group", configParameters=[limit])
    found = {p["parameterKey"]: p["parameterValue"] for p in settle(workgroup)["configParameters"]}
    assert (found["max_query_execution_time"], found["auto_mv"]) == ("60", "true")


def test_credentials_name_the_caller(workgroup: BaseClient) -> None:
    made = workgroup.get_credentials(workgroupName="group", durationSeconds=900)
    assert made["dbUser"].startswith("IAM")
    assert len(made["dbPassword"]) == 32
    ask = workgroup.get_credentials
    assert refusal(ask, workgroupName="group", durationSeconds=10)[0] == "ValidationException"
    assert refusal(ask, workgroupName="nope")[0] == "ResourceNotFoundException"


def test_lists_have_pages(serverless: BaseClient) -> None:
    names = [f"space-{number}" for number in range(5)]
    for name in names:
        serverless.create_namespace(namespaceName=name)
    pages = serverless.get_paginator("list_namespaces").paginate(PaginationConfig={"PageSize": 2})
    found = [[n["namespaceName"] for n in page["namespaces"]] for page in pages]
    assert found == [names[:2], names[2:4], names[4:]]
    code, _ = refusal(serverless.list_namespaces, nextToken="more")
    assert code == "InvalidPaginationException"


# --- limits and tags -----------------------------------------------------------------------------


def test_usage_limits(workgroup: BaseClient) -> None:
    arn = group(workgroup)["workgroupArn"]
    wanted = {"resourceArn": arn, "usageType": "serverless-compute", "amount": 10}
    made = workgroup.create_usage_limit(**wanted)["usageLimit"]
    assert (made["period"], made["breachAction"]) == ("monthly", "log")
    assert refusal(workgroup.create_usage_limit, **wanted)[0] == "ConflictException"
    zero = wanted | {"amount": 0, "period": "daily"}
    assert refusal(workgroup.create_usage_limit, **zero)[0] == "ValidationException"
    missing = wanted | {"resourceArn": arn + "x"}
    assert refusal(workgroup.create_usage_limit, **missing)[0] == "ResourceNotFoundException"
    name = made["usageLimitId"]
    workgroup.update_usage_limit(usageLimitId=name, amount=20, breachAction="deactivate")
    found = workgroup.get_usage_limit(usageLimitId=name)["usageLimit"]
    assert (found["amount"], found["breachAction"]) == (20, "deactivate")
    assert workgroup.list_usage_limits(resourceArn=arn)["usageLimits"] == [found]
    assert workgroup.list_usage_limits(usageType="cross-region-datasharing")["usageLimits"] == []
    workgroup.delete_usage_limit(usageLimitId=name)
    assert refusal(workgroup.get_usage_limit, usageLimitId=name)[0] == "ResourceNotFoundException"


def test_tags(workgroup: BaseClient) -> None:
    arn = group(workgroup)["workgroupArn"]
    one, two = {"key": "a", "value": "1"}, {"key": "b", "value": "2"}
    workgroup.tag_resource(resourceArn=arn, tags=[one, two])
    workgroup.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "3"}])
    workgroup.untag_resource(resourceArn=arn, tagKeys=["b", "c"])
    tags = workgroup.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"key": "a", "value": "3"}]
    code, _ = refusal(workgroup.list_tags_for_resource, resourceArn=arn + "x")
    assert code == "ResourceNotFoundException"


# --- data ----------------------------------------------------------------------------------------


def test_statements_run_in_a_workgroup(workgroup: BaseClient) -> None:
    done = run("CREATE TABLE t AS SELECT 1 AS n")
    assert (done["Status"], done["WorkgroupName"]) == ("FINISHED", "group")
    assert "ClusterIdentifier" not in done
    assert rows("SELECT n FROM t", WorkgroupName=group(workgroup)["workgroupArn"]) == [[1]]
    assert rows("SELECT * FROM stv_slices") == []
    failed = run("SELECT nope FROM t")
    assert failed["Error"] == 'ERROR: column "nope" does not exist in t'


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"WorkgroupName": "nope"}, "Redshift endpoint doesn't exist in this region."),
        ({"DbUser": "me"}, "DbUser cannot be provided with WorkgroupName."),
        (
            {"ClusterIdentifier": "analytics"},
            "Only one of ClusterIdentifier and WorkgroupName can be provided.",
        ),
    ],
)
def test_statements_that_cannot_be_sent(
    workgroup: BaseClient, more: dict[str, Any], message: str
) -> None:
    assert refusal(run, sql="SELECT 1", **more) == ("ValidationException", message)


def test_data_stay_with_the_namespace(workgroup: BaseClient) -> None:
    run("CREATE TABLE t AS SELECT 1 AS n")
    workgroup.delete_workgroup(workgroupName="group")
    assert refusal(settle, serverless=workgroup)[0] == "ResourceNotFoundException"
    assert refusal(run, sql="SELECT 1")[0] == "ValidationException"
    workgroup.create_workgroup(workgroupName="another", namespaceName="space")
    settle(workgroup, "another")
    assert rows("SELECT n FROM t", WorkgroupName="another") == [[1]]


# --- recovery points and snapshots ---------------------------------------------------------------


def points(serverless: BaseClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = serverless.list_recovery_points()["recoveryPoints"]
    return found


def test_recovery_points_come_every_half_hour_and_stay_a_day(
    workgroup: BaseClient, frozen: None
) -> None:
    assert points(workgroup) == []
    CLOCK.advance(1801)
    (point,) = points(workgroup)
    assert (point["namespaceName"], point["workgroupName"]) == ("space", "group")
    CLOCK.advance(2 * 24 * 3600)
    assert 47 <= len(points(workgroup)) <= 49
    assert point["recoveryPointId"] not in [p["recoveryPointId"] for p in points(workgroup)]
    code, _ = refusal(workgroup.get_recovery_point, recoveryPointId=point["recoveryPointId"])
    assert code == "ResourceNotFoundException"


def test_data_come_back_from_a_recovery_point(workgroup: BaseClient, frozen: None) -> None:
    run("CREATE TABLE t AS SELECT 1 AS n")
    CLOCK.advance(1801)
    point = points(workgroup)[0]["recoveryPointId"]
    run("DELETE FROM t")
    assert rows("SELECT count(*) FROM t") == [[0]]
    made = workgroup.convert_recovery_point_to_snapshot(
        recoveryPointId=point, snapshotName="kept", retentionPeriod=1
    )["snapshot"]
    assert (made["status"], made["snapshotRemainingDays"]) == ("CREATING", 1)
    place = {"namespaceName": "space", "workgroupName": "group"}
    workgroup.restore_from_recovery_point(recoveryPointId=point, **place)
    code, _ = refusal(workgroup.restore_from_recovery_point, recoveryPointId=point, **place)
    assert code == "ConflictException"
    CLOCK.advance(301)
    assert rows("SELECT n FROM t") == [[1]]


def test_snapshots(workgroup: BaseClient, frozen: None) -> None:
    run("CREATE TABLE t AS SELECT 7 AS n")
    take = workgroup.create_snapshot
    made = take(namespaceName="space", snapshotName="s1")["snapshot"]
    assert (made["status"], made["snapshotRetentionPeriod"]) == ("CREATING", -1)
    assert refusal(take, namespaceName="space", snapshotName="s1")[0] == "ConflictException"
    assert refusal(take, namespaceName="no1", snapshotName="s2")[0] == "ResourceNotFoundException"
    too_long = {"namespaceName": "space", "snapshotName": "s3", "retentionPeriod": 4000}
    assert refusal(take, **too_long)[0] == "ValidationException"
    code, _ = refusal(workgroup.delete_snapshot, snapshotName="s1")
    assert code == "ConflictException"
    take(namespaceName="space", snapshotName="short", retentionPeriod=1)
    CLOCK.advance(61)
    assert workgroup.get_snapshot(snapshotName="s1")["snapshot"]["status"] == "AVAILABLE"
    run("DROP TABLE t")
    place = {"namespaceName": "space", "workgroupName": "group"}
    workgroup.restore_from_snapshot(snapshotName="s1", **place)
    CLOCK.advance(301)
    assert rows("SELECT n FROM t") == [[7]]
    CLOCK.advance(25 * 3600)
    names = [s["snapshotName"] for s in workgroup.list_snapshots()["snapshots"]]
    assert names == ["s1"]
    assert workgroup.delete_snapshot(snapshotName="s1")["snapshot"]["status"] == "DELETED"
    assert refusal(workgroup.get_snapshot)[0] == "ValidationException"


def test_a_namespace_leaves_a_final_snapshot(serverless: BaseClient) -> None:
    serverless.create_namespace(namespaceName="ns1")
    serverless.delete_namespace(namespaceName="ns1", finalSnapshotName="last")
    (left,) = serverless.list_snapshots()["snapshots"]
    assert (left["snapshotName"], left["namespaceName"]) == ("last", "ns1")


# --- elsewhere -----------------------------------------------------------------------------------


def test_other_regions_and_accounts_see_nothing(workgroup: BaseClient) -> None:
    assert boto3.client("redshift-serverless", "us-east-1").list_workgroups()["workgroups"] == []
    role = boto3.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/x", RoleSessionName="other"
    )["Credentials"]
    other = boto3.client(
        "redshift-serverless",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    assert other.list_namespaces()["namespaces"] == []
    assert len(workgroup.list_workgroups(ownerAccount="111122223333")["workgroups"]) == 1
    assert workgroup.list_workgroups(ownerAccount="444455556666")["workgroups"] == []


def test_operations_that_are_not_there(serverless: BaseClient) -> None:
    assert refusal(serverless.list_custom_domain_associations)[0] == "NotImplemented"


def test_the_same_over_http(lab_server: str) -> None:
    with (
        patch.dict(os.environ, environment(AWS_ENDPOINT_URL=lab_server), clear=True),
        patch.object(boto3, "DEFAULT_SESSION", None),
        shared_loader(),
    ):
        serverless = boto3.client("redshift-serverless")
        with_workgroup(serverless)
        run("CREATE TABLE t AS SELECT 3 AS n")
        assert rows("SELECT n FROM t") == [[3]]
        assert refusal(serverless.create_namespace, namespaceName="space") == (
            "ConflictException",
            "Namespace space already exists.",
        )
        serverless.delete_workgroup(workgroupName="group")
        assert refusal(settle, serverless=serverless)[0] == "ResourceNotFoundException"
        serverless.delete_namespace(namespaceName="space")
        assert space(serverless)["status"] == "DELETING"
        assert refusal(space, serverless=serverless)[0] == "ResourceNotFoundException"
