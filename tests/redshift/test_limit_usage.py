from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from proofs.trace import Answer, Call, Trace, refusal, watching

DAILY = {"Amount": 60, "Period": "daily", "BreachAction": "disable"}
OWN = {"FeatureType": "concurrency-scaling", "LimitType": "time", **DAILY}


def limits(redshift: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = redshift.describe_usage_limits()["UsageLimits"]
    return found


def test_a_limit_is_created(run: Callable[..., Result], redshift: Any, cluster: str) -> None:
    result = run("limit_usage", "--cluster-id", cluster, "--minutes", "60")
    said = "warehouse  concurrency-scaling: 60 minutes daily, then disable (created)\n"
    assert result == Result(0, said, "")
    (found,) = limits(redshift)
    del found["UsageLimitId"], found["Tags"]
    assert found == OWN | {"ClusterIdentifier": cluster}


def test_a_second_run_changes_nothing(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    run("limit_usage", "--cluster-id", cluster, "--minutes", "60")
    before = limits(redshift)
    with watching(Trace()) as trace:
        result = run("limit_usage", "--cluster-id", cluster, "--minutes", "60")
    said = "warehouse  concurrency-scaling: 60 minutes daily, then disable (unchanged)\n"
    assert result == Result(0, said, "")
    assert [call.operation for call in trace.calls] == ["DescribeUsageLimits"]
    assert limits(redshift) == before


def test_another_amount_changes_the_same_limit(
    run: Callable[..., Result], redshift: Any, cluster: str
) -> None:
    run("limit_usage", "--cluster-id", cluster, "--minutes", "60")
    (before,) = limits(redshift)
    result = run("limit_usage", "--cluster-id", cluster, "--minutes", "15")
    assert result.output.endswith(": 15 minutes daily, then disable (changed from 60)\n")
    assert limits(redshift) == [before | {"Amount": 15}]


def test_removing(run: Callable[..., Result], redshift: Any, cluster: str) -> None:
    run("limit_usage", "--cluster-id", cluster, "--minutes", "60")
    result = run("limit_usage", "--cluster-id", cluster, "--remove")
    assert result == Result(0, "warehouse  concurrency-scaling: limit removed\n", "")
    assert limits(redshift) == []
    again = run("limit_usage", "--cluster-id", cluster, "--remove")
    assert again == Result(0, "warehouse  concurrency-scaling: no limit was set\n", "")


def test_other_limits_stay_as_they_are(
    run: Callable[..., Result], redshift: Any, make_cluster: Callable[..., str], cluster: str
) -> None:
    make_cluster("other")
    for name, change in (
        (cluster, {"BreachAction": "log"}),
        (cluster, {"Period": "weekly"}),
        (cluster, {"FeatureType": "spectrum", "LimitType": "data-scanned"}),
        ("other", {}),
    ):
        redshift.create_usage_limit(ClusterIdentifier=name, **{**OWN, **change})
    before = limits(redshift)
    run("limit_usage", "--cluster-id", cluster, "--minutes", "15")
    after = limits(redshift)
    assert after[:-1] == before
    assert (after[-1]["ClusterIdentifier"], after[-1]["Amount"]) == (cluster, 15)
    run("limit_usage", "--cluster-id", cluster, "--remove")
    assert limits(redshift) == before


def test_the_limit_is_found_on_every_page(example: Callable[[str], Any], redshift: Any) -> None:
    request = {"ClusterIdentifier": "c", "FeatureType": "concurrency-scaling"}
    other = OWN | {"UsageLimitId": "1", "Period": "monthly"}
    own = OWN | {"UsageLimitId": "2"}
    with Stubber(redshift) as stub:
        first = {"UsageLimits": [other], "Marker": "m"}
        stub.add_response("describe_usage_limits", first, request)
        stub.add_response(
            "describe_usage_limits", {"UsageLimits": [own]}, request | {"Marker": "m"}
        )
        assert example("limit_usage").find_limit(redshift, "c") == own


@pytest.mark.parametrize("minutes", ["0", "-5"])
def test_too_few_minutes(
    run: Callable[..., Result], redshift: Any, cluster: str, minutes: str
) -> None:
    result = run("limit_usage", "--cluster-id", cluster, "--minutes", minutes)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith("error: --minutes: the least that AWS accepts is 1\n")
    assert limits(redshift) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "one of the arguments --minutes --remove is required"),
        (
            ["--minutes", "5", "--remove"],
            "argument --remove: not allowed with argument --minutes",
        ),
    ],
)
def test_either_minutes_or_removal(
    run: Callable[..., Result], options: list[str], said: str
) -> None:
    result = run("limit_usage", "--cluster-id", "c", *options)
    assert result.status == 2
    assert result.errors.endswith(f"error: {said}\n")


@pytest.mark.parametrize("option", [["--minutes", "5"], ["--remove"]])
def test_a_cluster_that_does_not_exist(run: Callable[..., Result], option: list[str]) -> None:
    assert run("limit_usage", "--cluster-id", "none", *option) == Result(
        1,
        "",
        "An error occurred (ClusterNotFound) when calling the DescribeUsageLimits operation: "
        "Cluster none not found. The usage limit of none has not changed. "
        "Check the name, AWS_DEFAULT_REGION, credentials and network.\n",
    )


@pytest.mark.parametrize(
    ("operation", "status", "said"),
    [
        ("DescribeUsageLimits", 500, "has not changed"),
        ("ModifyUsageLimit", 400, "has not changed"),
        ("ModifyUsageLimit", 500, "may have changed"),
        ("DeleteUsageLimit", 403, "has not changed"),
        ("DeleteUsageLimit", 500, "may have changed"),
    ],
)
def test_it_says_whether_the_limit_may_have_changed(
    run: Callable[..., Result], cluster: str, operation: str, status: int, said: str
) -> None:
    run("limit_usage", "--cluster-id", cluster, "--minutes", "60")

    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("Some", "Not now.", status) if call.operation == operation else None

    option = ["--remove"] if operation == "DeleteUsageLimit" else ["--minutes", "15"]
    with watching(Trace(refuse)):
        result = run("limit_usage", "--cluster-id", cluster, *option)
    assert (result.status, result.output) == (1, "")
    assert f"Not now. The usage limit of warehouse {said}. Check " in result.errors


def test_a_lost_answer_leaves_it_open(
    run: Callable[..., Result], cluster: str, redshift: Any
) -> None:
    def lose(trace: Trace, call: Call) -> Answer | None:
        if call.operation == "CreateUsageLimit":
            raise ReadTimeoutError(endpoint_url="https://redshift")
        return None

    with watching(Trace(lose)):
        result = run("limit_usage", "--cluster-id", cluster, "--minutes", "15")
    assert "The usage limit of warehouse may have changed. " in result.errors


@pytest.mark.usefixtures("lab")
def test_without_a_region_nothing_has_changed(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = run("limit_usage", "--cluster-id", "c", "--minutes", "15")
    assert result.errors == (
        "You must specify a region. The usage limit of c has not changed. "
        "Check the name, AWS_DEFAULT_REGION, credentials and network.\n"
    )
