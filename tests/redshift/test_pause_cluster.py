import time
from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from botocore.stub import Stubber
from proofs.trace import Answer, Call, Trace, refusal, watching

CHECK = "Check the name, AWS_DEFAULT_REGION, credentials and network.\n"


def status(redshift: Any) -> str:
    found: str = redshift.describe_clusters()["Clusters"][0]["ClusterStatus"]
    return found


def test_pause_and_resume(run: Callable[..., Result], redshift: Any, cluster: str) -> None:
    paused = run("pause_cluster", "--cluster-id", cluster)
    assert paused == Result(0, "warehouse  paused; billed: storage and backups, not compute\n", "")
    assert status(redshift) == "paused"
    resumed = run("pause_cluster", "--cluster-id", cluster, "--resume")
    assert resumed == Result(0, "warehouse  available; billed: compute, storage and backups\n", "")
    assert status(redshift) == "available"


def test_boto3_has_no_waiter_for_it(redshift: Any) -> None:
    assert not [name for name in redshift.waiter_names if "pause" in name]


@pytest.mark.parametrize(
    ("begun", "option", "operation", "said"),
    [
        (["pause_cluster"], [], "PauseCluster", "paused; billed: storage and backups, not compute"),
        (
            ["pause_cluster", "resume_cluster"],
            ["--resume"],
            "ResumeCluster",
            "available; billed: compute, storage and backups",
        ),
    ],
)
@pytest.mark.parametrize("ended", [False, True])
def test_it_goes_on_with_what_an_earlier_run_has_begun(
    run: Callable[..., Result],
    redshift: Any,
    cluster: str,
    begun: list[str],
    option: list[str],
    operation: str,
    said: str,
    ended: bool,
) -> None:
    wanted = said.partition(";")[0]
    for change in begun:
        while status(redshift) not in ("available", "paused"):
            pass
        getattr(redshift, change)(ClusterIdentifier=cluster)
    while ended and status(redshift) != wanted:
        pass
    with watching(Trace()) as trace:
        result = run("pause_cluster", "--cluster-id", cluster, *option)
    assert result == Result(0, f"warehouse  {said}\n", "")
    assert operation not in [call.operation for call in trace.calls]
    assert status(redshift) == wanted


@pytest.mark.parametrize(
    ("begun", "option", "message"),
    [
        ("pause_cluster", ["--resume"], "You can only resume a PAUSED Cluster"),
        ("reboot_cluster", [], "You can only pause an ACTIVE Cluster"),
    ],
)
def test_a_cluster_in_the_wrong_state(
    run: Callable[..., Result],
    redshift: Any,
    cluster: str,
    begun: str,
    option: list[str],
    message: str,
) -> None:
    getattr(redshift, begun)(ClusterIdentifier=cluster)
    wanted = "available" if option else "paused"
    result = run("pause_cluster", "--cluster-id", cluster, *option)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("An error occurred (InvalidClusterState) ")
    assert result.errors.endswith(f"{message}. warehouse was not asked to become {wanted}. {CHECK}")


def test_a_multi_az_cluster_cannot_be_paused(
    run: Callable[..., Result], redshift: Any, make_cluster: Callable[..., str]
) -> None:
    make_cluster("two-zones", MultiAZ=True)
    result = run("pause_cluster", "--cluster-id", "two-zones")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("An error occurred (UnsupportedOperation) ")
    assert status(redshift) == "available"


def test_it_looks_until_the_status_is_there_and_not_longer(
    example: Callable[[str], Any], redshift: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with Stubber(redshift) as stub:
        for state in ("available", "pausing", "pausing", "paused"):
            answer = {"Clusters": [{"ClusterStatus": state}]}
            stub.add_response("describe_clusters", answer, {"ClusterIdentifier": "c"})
        example("pause_cluster").wait_for_status(redshift, "c", "paused")
        stub.assert_no_pending_responses()
    assert waits == [30, 30, 30]


def test_it_gives_up_after_an_hour(
    example: Callable[[str], Any], redshift: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with Stubber(redshift) as stub:
        for _ in range(120):
            stub.add_response("describe_clusters", {"Clusters": [{"ClusterStatus": "pausing"}]})
        with pytest.raises(RuntimeError, match=r"^The cluster is still pausing$"):
            example("pause_cluster").wait_for_status(redshift, "c", "paused")
    assert sum(waits) == 3600


def test_a_pause_that_cannot_be_watched(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        looks = call.operation == "DescribeClusters" and len(trace.calls) > 1
        return refusal("AccessDenied", "You may not look.", 403) if looks else None

    with watching(Trace(refuse)):
        result = run("pause_cluster", "--cluster-id", cluster)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (AccessDenied) when calling the DescribeClusters operation: You may not "
        "look. warehouse was asked to become paused: run this again to wait for it. "
        f"{CHECK}"
    )
    assert status(redshift) in ("pausing", "paused")
