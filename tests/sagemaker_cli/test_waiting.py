"""Waiting ends with the work, with the reader's patience, or with Ctrl-C."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from smcli import waiting
from smcli.calls import AWS
from smcli.ending import Failed, TimedOut
from smcli.waiting import Interrupted, wait_for

Sleep = Callable[[float], None]


def answers(*states: str, **last: Any) -> Callable[[], dict[str, Any]]:
    remaining: Iterator[str] = iter(states)
    count = len(states)
    seen = 0

    def look() -> dict[str, Any]:
        nonlocal seen
        seen += 1
        return {"Status": next(remaining), **(last if seen == count else {})}

    return look


def wait(aws: AWS, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return wait_for(aws, "job", look, "Status", {"Completed"}, {"Failed"}, "smcli job-describe job")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the module: it goes on by what is slept, and nothing else."""
    naps: list[float] = []
    monkeypatch.setattr(waiting.time, "sleep", naps.append)
    monkeypatch.setattr(waiting.time, "monotonic", lambda: sum(naps))
    return naps


def test_it_looks_at_the_chosen_pace_until_it_is_done(
    slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    look = answers("InProgress", "InProgress", "Completed", Result=1)
    assert wait(AWS(poll=7), look) == {"Status": "Completed", "Result": 1}
    assert slept == [7, 7]
    assert capsys.readouterr() == ("", "job: InProgress\njob: Completed\n")


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({"FailureReason": "AlgorithmError: exit 1"}, "AlgorithmError: exit 1"),
        ({"ExitMessage": "no such file"}, "no such file"),
        ({}, "AWS gave no reason"),
    ],
)
def test_a_failure_is_told_with_its_reason(
    slept: list[float], last: dict[str, str], reason: str
) -> None:
    with pytest.raises(Failed, match=f"job: Failed: {reason}") as failed:
        wait(AWS(), answers("InProgress", "Failed", **last))
    assert failed.value.exit_code == 1


def test_patience_has_an_end_and_the_work_none(slept: list[float]) -> None:
    with pytest.raises(TimedOut) as ended:
        wait(AWS(poll=10, timeout=25), answers(*["InProgress"] * 9))
    assert ended.value.exit_code == 124
    assert ended.value.message == (
        "job is still InProgress after 25 s. It continues; check it with: smcli job-describe job"
    )
    assert slept == [10, 10, 5]


def test_a_long_pace_does_not_outlast_patience(slept: list[float]) -> None:
    look = answers("InProgress", "Completed")
    assert wait(AWS(poll=60, timeout=5), look) == {"Status": "Completed"}
    assert slept == [5]


def test_a_lost_connection_says_how_to_look_again(slept: list[float]) -> None:
    answered = answers("InProgress")

    def look() -> dict[str, Any]:
        if slept:
            raise EndpointConnectionError(endpoint_url="http://x")
        return answered()

    with pytest.raises(EndpointConnectionError) as ended:
        wait(AWS(), look)
    assert ended.value.__notes__ == [
        "Stopped waiting; job continues. Check it with: smcli job-describe job"
    ]


def test_ctrl_c_says_how_to_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.time, "sleep", press)
    with pytest.raises(Interrupted) as ended:
        wait(AWS(), answers("InProgress"))
    assert str(ended.value) == (
        "Stopped waiting; job continues. Check it with: smcli job-describe job"
    )


def test_on_a_terminal_one_line_changes(
    slept: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    wait(AWS(poll=65), answers("Creating", "Completed"))
    line = "\r\033[K"
    assert capsys.readouterr().err == f"{line}job: Creating 0:00{line}job: Completed 1:05\n"
