from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from botocore.exceptions import WaiterError
from botocore.stub import Stubber

CHECK = "Check the names, AWS_DEFAULT_REGION, credentials and network.\n"


def manual(redshift: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = redshift.describe_cluster_snapshots(SnapshotType="manual")[
        "Snapshots"
    ]
    return found


def test_a_snapshot_that_ends_after_days(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    options = ["--cluster-id", cluster, "--snapshot-id", "monday", "--keep-days", "35"]
    result = run("take_snapshot", *options)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "monday  available  manual\n"
        "  cluster    warehouse: ra3.xlplus x 2\n"
        "  Encrypted  True\n"
        "  kept       35 days\n"
    )
    (found,) = manual(redshift)
    assert (found["SnapshotIdentifier"], found["ClusterIdentifier"]) == ("monday", cluster)
    assert (found["Status"], found["ManualSnapshotRetentionPeriod"]) == ("available", 35)


def test_a_snapshot_for_ever(run: Callable[..., Result], redshift: Any, cluster: str) -> None:
    options = ["--cluster-id", cluster, "--snapshot-id", "monday", "--keep-days", "-1"]
    assert run("take_snapshot", *options).output.endswith("  kept       for ever\n")
    assert manual(redshift)[0]["ManualSnapshotRetentionPeriod"] == -1


@pytest.mark.parametrize("days", ["0", "-2", "3654"])
def test_days_that_aws_does_not_take(
    run: Callable[..., Result], redshift: Any, cluster: str, days: str
) -> None:
    options = ["--cluster-id", cluster, "--snapshot-id", "monday", "--keep-days", days]
    result = run("take_snapshot", *options)
    assert result.status == 2
    assert result.errors.endswith(
        f"error: --keep-days: {days} is neither 1 to 3653 nor -1 (for ever)\n"
    )
    assert manual(redshift) == []


@pytest.mark.parametrize("days", ["1", "3653"])
def test_the_fewest_and_the_most_days(
    run: Callable[..., Result], redshift: Any, cluster: str, days: str
) -> None:
    options = ["--cluster-id", cluster, "--snapshot-id", "monday", "--keep-days", days]
    assert run("take_snapshot", *options).status == 0
    assert manual(redshift)[0]["ManualSnapshotRetentionPeriod"] == int(days)


def test_a_name_that_is_taken(run: Callable[..., Result], redshift: Any, cluster: str) -> None:
    options = ["--cluster-id", cluster, "--snapshot-id", "monday", "--keep-days", "1"]
    run("take_snapshot", *options)
    result = run("take_snapshot", *options)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (ClusterSnapshotAlreadyExists) when calling the CreateClusterSnapshot "
        "operation: Cannot create the snapshot because a snapshot with the identifier monday "
        f"already exists. No snapshot was confirmed. {CHECK}"
    )
    assert len(manual(redshift)) == 1


def test_a_paused_cluster_has_no_snapshot_taken(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    redshift.pause_cluster(ClusterIdentifier=cluster)
    options = ["--cluster-id", cluster, "--snapshot-id", "monday", "--keep-days", "1"]
    result = run("take_snapshot", *options)
    assert result.status == 1
    assert result.errors.startswith("An error occurred (InvalidClusterState) ")
    assert manual(redshift) == []


def test_it_waits_longer_than_the_waiter_does_by_itself(
    example: Callable[[str], Any], redshift: Any
) -> None:
    usual = redshift.get_waiter("snapshot_available").config
    creating = {"Snapshots": [{"SnapshotIdentifier": "monday", "Status": "creating"}]}
    done = {"Snapshots": [{"SnapshotIdentifier": "monday", "Status": "available"}]}
    with Stubber(redshift) as stub:
        for answer in [creating] * (usual.max_attempts + 1) + [done, done]:
            stub.add_response("describe_cluster_snapshots", answer)
        found = example("take_snapshot").wait_until_available(redshift, "monday")
    assert found["Status"] == "available"


def test_a_snapshot_that_fails(example: Callable[[str], Any], redshift: Any) -> None:
    with Stubber(redshift) as stub:
        answer = {"Snapshots": [{"SnapshotIdentifier": "monday", "Status": "failed"}]}
        stub.add_response("describe_cluster_snapshots", answer)
        with pytest.raises(WaiterError):
            example("take_snapshot").wait_until_available(redshift, "monday")
