"""Ctrl-C while a program waits: one line says what is left; what AWS is doing goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awslab.run import Result
from proofs.trace import Answer, Call, Trace, watching

NAMES = ["--namespace", "sales", "--workgroup", "analysts"]
PLACE = ["--cluster-id", "warehouse", "--db-user", "awsuser"]


def interrupted_after(operation: str) -> Trace:
    """The first call that follows this operation is interrupted."""

    def interrupt(trace: Trace, call: Call) -> Answer | None:
        if operation in [earlier.operation for earlier in trace.calls[:-1]]:
            raise KeyboardInterrupt
        return None

    return Trace(interrupt)


def interrupt(run: Callable[..., Result], operation: str, name: str, *arguments: str) -> Result:
    with watching(interrupted_after(operation)):
        return run(name, *arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "operation", "left"),
    [
        (
            "take_snapshot",
            ["--snapshot-id", "monday", "--keep-days", "1"],
            "CreateClusterSnapshot",
            "monday was begun: delete_snapshot.py removes it.",
        ),
        (
            "resize_cluster",
            ["--nodes", "4"],
            "ResizeCluster",
            "warehouse may be changing its nodes: look at it before you try again.",
        ),
        (
            "pause_cluster",
            [],
            "PauseCluster",
            "warehouse was asked to become paused: run this again to wait for it.",
        ),
        (
            "delete_cluster",
            ["--final-snapshot-id", "last"],
            "DeleteCluster",
            "warehouse is being deleted; its final snapshot last stays: see delete_snapshot.py.",
        ),
    ],
)
def test_work_on_a_cluster(
    run: Callable[..., Result],
    cluster: str,
    name: str,
    arguments: list[str],
    operation: str,
    left: str,
) -> None:
    result = interrupt(run, operation, name, "--cluster-id", cluster, *arguments)
    assert result == Result(1, "", f"Interrupted. {left}\n")


def test_a_new_cluster(run: Callable[..., Result], redshift: Any) -> None:
    result = interrupt(run, "CreateCluster", "create_cluster", "--cluster-id", "sales")
    left = "sales was requested and will be billed: delete_cluster.py deletes it."
    assert result == Result(1, "", f"Interrupted. {left}\n")
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="sales")


def test_a_new_workgroup(run: Callable[..., Result], serverless: Any) -> None:
    result = interrupt(run, "CreateWorkgroup", "create_workgroup", *NAMES)
    left = (
        "The namespace sales and the workgroup analysts were created: "
        "remove_workgroup.py deletes them."
    )
    assert result == Result(1, "", f"Interrupted. {left}\n")
    assert len(serverless.list_workgroups()["workgroups"]) == 1


def test_the_removal_of_a_workgroup(run: Callable[..., Result], serverless: Any) -> None:
    assert run("create_workgroup", *NAMES).status == 0
    result = interrupt(run, "DeleteWorkgroup", "remove_workgroup", *NAMES)
    left = "Workgroup analysts and namespace sales may still exist: run it again."
    assert result == Result(1, "", f"Interrupted. {left}\n")
    while serverless.list_workgroups()["workgroups"]:
        pass
    assert run("remove_workgroup", *NAMES).status == 0
    assert serverless.list_namespaces()["namespaces"] == []


@pytest.mark.usefixtures("cluster")
def test_a_query(run: Callable[..., Result]) -> None:
    result = interrupt(run, "ExecuteStatement", "query_sales", *PLACE)
    left = "The query on warehouse may still run; it changes nothing."
    assert result == Result(1, "", f"Interrupted. {left}\n")


@pytest.mark.usefixtures("cluster")
def test_a_measurement(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "times.json"
    result = interrupt(run, "ExecuteStatement", "compare_queries", *PLACE, "--json", str(file))
    left = "A query on warehouse may still run; it changes nothing."
    assert result == Result(1, "", f"Interrupted. {left}\n")
    assert not file.exists()


@pytest.mark.usefixtures("cluster")
def test_a_file_of_sql(
    run: Callable[..., Result], tmp_path: Path, select: Callable[[str], list[list[Any]]]
) -> None:
    file, results = tmp_path / "a.sql", tmp_path / "results.json"
    file.write_text("CREATE TABLE t AS SELECT 1 AS i")
    options = [*PLACE, "--json", str(results), str(file)]
    result = interrupt(run, "ExecuteStatement", "run_sql", *options)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"Interrupted. Statement 1 of {file} (CREATE TABLE t AS SELECT 1 AS i) may still run; "
        "statements done before it in warehouse: 0. Check the SQL, --cluster-id or "
        "--workgroup-name, AWS_DEFAULT_REGION, credentials and network, and run the file again.\n"
    )
    assert not results.exists()
    assert select("SELECT i FROM t") == [[1]]  # the statement has gone on
