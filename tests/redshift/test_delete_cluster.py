from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from proofs.trace import Answer, Call, Trace, refusal, watching

CHECK = "Check the names, AWS_DEFAULT_REGION, credentials and network.\n"


def clusters(redshift: Any) -> list[str]:
    return [found["ClusterIdentifier"] for found in redshift.describe_clusters()["Clusters"]]


def snapshots(redshift: Any) -> dict[str, str]:
    found = redshift.describe_cluster_snapshots()["Snapshots"]
    return {snapshot["SnapshotIdentifier"]: snapshot["SnapshotType"] for snapshot in found}


def test_a_final_snapshot_stays(run: Callable[..., Result], redshift: Any, cluster: str) -> None:
    result = run("delete_cluster", "--cluster-id", cluster, "--final-snapshot-id", "last")
    assert result == Result(
        0,
        "warehouse  deleted\n"
        "last  is kept and billed until: delete_snapshot.py --snapshot-id last\n",
        "",
    )
    assert clusters(redshift) == []
    assert snapshots(redshift) == {"last": "manual"}
    (found,) = redshift.describe_cluster_snapshots()["Snapshots"]
    assert (found["Status"], found["ManualSnapshotRetentionPeriod"]) == ("available", -1)


def test_without_a_final_snapshot_nothing_stays(
    run: Callable[..., Result], redshift: Any, client: Callable[..., Any], cluster: str
) -> None:
    assert list(snapshots(redshift).values()) == ["automated"]
    result = run("delete_cluster", "--cluster-id", cluster, "--skip-final-snapshot")
    assert result == Result(0, "warehouse  deleted\n", "")
    assert clusters(redshift) == []
    assert snapshots(redshift) == {}
    assert client("secretsmanager").list_secrets()["SecretList"] == []


def test_other_clusters_and_manual_snapshots_stay(
    run: Callable[..., Result], redshift: Any, make_cluster: Callable[..., str], cluster: str
) -> None:
    make_cluster("other")
    redshift.create_cluster_snapshot(ClusterIdentifier=cluster, SnapshotIdentifier="monday")
    run("delete_cluster", "--cluster-id", cluster, "--skip-final-snapshot")
    assert clusters(redshift) == ["other"]
    assert sorted(snapshots(redshift).values()) == ["automated", "manual"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "one of the arguments --final-snapshot-id --skip-final-snapshot is required"),
        (
            ["--final-snapshot-id", "last", "--skip-final-snapshot"],
            "argument --skip-final-snapshot: not allowed with argument --final-snapshot-id",
        ),
        (["--final-snapshot-id", ""], "--final-snapshot-id: the name is empty"),
    ],
)
def test_either_a_name_or_an_express_refusal(
    run: Callable[..., Result], redshift: Any, cluster: str, options: list[str], said: str
) -> None:
    result = run("delete_cluster", "--cluster-id", cluster, *options)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(f"error: {said}\n")
    assert clusters(redshift) == [cluster]


def test_a_snapshot_name_that_is_taken(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    redshift.create_cluster_snapshot(ClusterIdentifier=cluster, SnapshotIdentifier="last")
    result = run("delete_cluster", "--cluster-id", cluster, "--final-snapshot-id", "last")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("An error occurred (ClusterSnapshotAlreadyExists) ")
    assert result.errors.endswith(f". warehouse was not deleted. {CHECK}")
    assert clusters(redshift) == [cluster]


def test_a_cluster_that_does_not_exist(run: Callable[..., Result]) -> None:
    result = run("delete_cluster", "--cluster-id", "none", "--skip-final-snapshot")
    assert result == Result(
        1,
        "",
        "An error occurred (ClusterNotFound) when calling the DeleteCluster operation: Cluster "
        f"none not found. none was not deleted. {CHECK}",
    )


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--skip-final-snapshot"], "warehouse is being deleted"),
        (
            ["--final-snapshot-id", "last"],
            "warehouse is being deleted; its final snapshot last stays: see delete_snapshot.py",
        ),
    ],
)
def test_a_deletion_that_cannot_be_watched(
    run: Callable[..., Result], redshift: Any, cluster: str, options: list[str], left: str
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        looks = call.operation == "DescribeClusters"
        return refusal("AccessDenied", "You may not look.", 403) if looks else None

    with watching(Trace(refuse)):
        result = run("delete_cluster", "--cluster-id", cluster, *options)
    assert result == Result(
        1,
        "",
        "Waiter ClusterDeleted failed: An error occurred (AccessDenied): You may not look. "
        f"{left}. {CHECK}",
    )
    redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier=cluster)
    assert clusters(redshift) == []
