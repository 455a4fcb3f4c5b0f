from collections.abc import Callable
from typing import Any

from awslab.run import Result
from proofs.trace import Trace, watching

LEFT = "was not deleted. Check the name, AWS_DEFAULT_REGION, credentials and network.\n"


def names(redshift: Any, kind: str) -> list[str]:
    found = redshift.describe_cluster_snapshots(SnapshotType=kind)["Snapshots"]
    return [snapshot["SnapshotIdentifier"] for snapshot in found]


def take(redshift: Any, cluster: str, name: str) -> None:
    redshift.create_cluster_snapshot(ClusterIdentifier=cluster, SnapshotIdentifier=name)
    redshift.get_waiter("snapshot_available").wait(SnapshotIdentifier=name)


def test_only_the_named_snapshot_goes(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    take(redshift, cluster, "monday")
    take(redshift, cluster, "tuesday")
    result = run("delete_snapshot", "--snapshot-id", "monday")
    assert result == Result(0, "deleted monday of warehouse\n", "")
    assert names(redshift, "manual") == ["tuesday"]
    assert len(names(redshift, "automated")) == 1


def test_the_snapshot_of_a_deleted_cluster(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    redshift.delete_cluster(ClusterIdentifier=cluster, FinalClusterSnapshotIdentifier="last")
    redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier=cluster)
    assert run("delete_snapshot", "--snapshot-id", "last").status == 0
    assert redshift.describe_cluster_snapshots()["Snapshots"] == []


def test_the_policy_can_name_cluster_and_snapshot(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    take(redshift, cluster, "monday")
    with watching(Trace()) as trace:
        run("delete_snapshot", "--snapshot-id", "monday")
    arn = "arn:aws:redshift:ap-northeast-1:111122223333:snapshot:warehouse/monday"
    assert trace.calls[-1].needs == (("redshift:DeleteClusterSnapshot", arn),)


def test_an_automated_snapshot_is_left_to_aws(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    (name,) = names(redshift, "automated")
    result = run("delete_snapshot", "--snapshot-id", name)
    said = f"{name} is automated: AWS deletes it by itself. {name} {LEFT}"
    assert result == Result(1, "", said)
    assert names(redshift, "automated") == [name]


def test_a_snapshot_that_is_not_finished(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    redshift.create_cluster_snapshot(ClusterIdentifier=cluster, SnapshotIdentifier="monday")
    result = run("delete_snapshot", "--snapshot-id", "monday")
    assert result.status == 1
    assert result.errors == (
        "An error occurred (InvalidClusterSnapshotState) when calling the DeleteClusterSnapshot "
        "operation: Cannot delete the snapshot monday because it is in the creating state. "
        f"monday {LEFT}"
    )


def test_a_snapshot_that_does_not_exist(run: Callable[..., Result], lab: None) -> None:
    assert run("delete_snapshot", "--snapshot-id", "none") == Result(
        1,
        "",
        "An error occurred (ClusterSnapshotNotFound) when calling the DescribeClusterSnapshots "
        f"operation: Snapshot none not found. none {LEFT}",
    )
