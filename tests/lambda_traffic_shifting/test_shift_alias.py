"""Healthy, failing and interrupted shifts of an alias, read back by other clients."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result

Run = Callable[..., Result]
Make = Callable[..., Any]
ALARM = "shop-score-live-errors"
EVENT = '{"row": [1, 2, 0.5]}'
GOOD, BAD = "1,1,1", "1,1"


@pytest.fixture
def shift(create: Run, publish: Run, run: Run) -> Run:
    """Shift from version 1 to version 2, which is good, or to version 3, which is bad."""
    create()
    publish(GOOD)
    publish(BAD)

    def start(version: str, *options: str, alarm: str = ALARM) -> Result:
        given = ("--function", "shop-score", "--version", version, "--alarm", alarm)
        return run("shift_alias", *given, "--event", EVENT, "--answers", "1", *options)

    return start


@pytest.fixture
def alias(client: Make) -> Callable[[], tuple[str, dict[str, float]]]:
    """The version that the alias points to, and the share of another one."""

    def read() -> tuple[str, dict[str, float]]:
        found = client("lambda").get_alias(FunctionName="shop-score", Name="live")
        routing = found.get("RoutingConfig") or {}
        return found["FunctionVersion"], routing.get("AdditionalVersionWeights", {})

    return read


def test_a_good_version_takes_over(shift: Run, alias: Make, answers: Make) -> None:
    result = shift("2", "--steps", "20", "50")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f" 20 % to version 2: {ALARM} is OK\n"
        f" 50 % to version 2: {ALARM} is OK\n"
        f"100 % to version 2: {ALARM} is OK\n"
        "live of shop-score -> version 2\n"
    )
    assert alias() == ("2", {})
    assert answers("live")["version"] == "2"


def test_the_weights_of_each_step(
    shift: Run, alias: Make, client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(time, "sleep", lambda seconds: seen.append((seconds, *alias())))
    shift("2", "--steps", "20", "50", "--bake", "90")
    assert seen == [(90, "1", {"2": 0.2}), (90, "1", {"2": 0.5}), (90, "2", {})]


def test_a_bad_version_is_taken_back_and_the_result_is_no_success(
    shift: Run, alias: Make, client: Make
) -> None:
    result = shift("3", "--steps", "20")
    assert result.status == 1
    assert result.output == (
        f" 20 % to version 3: {ALARM} is ALARM\nlive of shop-score -> version 1\n"
    )
    assert result.errors == (
        "Rolled back: version 3 is not in use. See /aws/lambda/shop-score for its errors.\n"
    )
    assert alias() == ("1", {})
    streams = client("logs").filter_log_events(
        logGroupName="/aws/lambda/shop-score", filterPattern='"the model takes 2 numbers"'
    )
    assert streams["events"]


def test_a_version_that_nobody_has_asked_proves_nothing(
    shift: Run, alias: Make, client: Make, example: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a share of 1 per cent and two requests it has not answered."""
    module = example("shift_alias")
    monkeypatch.setattr(module, "MOST", 2)
    functions = client("lambda")
    module.point(functions, "shop-score", "live", "1", "2", 0.01)
    assert module.try_out(functions, "shop-score", "live", "2", EVENT, 1) is False
    assert module.try_out(functions, "shop-score", "live", "1", EVENT, 2) is True


def test_at_once_whatever_the_alarm_says(shift: Run, alias: Make, client: Make) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=[ALARM])
    result = shift("2", "--now")
    assert (result.status, result.output) == (0, "live of shop-score -> version 2\n")
    assert alias() == ("2", {})


def test_now_ends_a_shift_that_was_interrupted(
    shift: Run, alias: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", interrupt)
        result = shift("2", "--steps", "30")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Interrupted. Alias live of shop-score may send requests to 2: --version 1 --now returns. "
        "Logs may be in /aws/lambda/shop-score.\n"
    )
    assert alias() == ("1", {"2": 0.3})
    assert shift("1", "--now").status == 0
    assert alias() == ("1", {})


def test_an_alarm_that_is_on_beforehand(shift: Run, alias: Make, client: Make) -> None:
    client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="test")
    result = shift("2")
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"The alarm {ALARM} is ALARM beforehand. No alias was moved.\n"
    assert alias() == ("1", {})


def test_an_alarm_that_is_missing(shift: Run, alias: Make) -> None:
    result = shift("2", alarm="no-alarm")
    assert (result.status, result.output) == (1, "")
    assert result.errors == "The alarm no-alarm is missing beforehand. No alias was moved.\n"
    assert alias() == ("1", {})


@pytest.mark.parametrize("step", ["0", "100", "-5"])
def test_steps_are_between_1_and_99(shift: Run, alias: Make, step: str) -> None:
    result = shift("2", "--steps", step)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "--steps are per cent between 1 and 99, such as 10 50; 100 comes by itself.\n"
    )
    assert alias() == ("1", {})


def test_a_version_that_is_missing(shift: Run, alias: Make) -> None:
    result = shift("9")
    assert (result.status, result.output) == (1, "")
    assert "Function not found" in result.errors
    assert alias() == ("1", {})


def test_an_event_that_is_no_json(shift: Run, alias: Make) -> None:
    result = shift("2", "--event", "row")
    assert (result.status, result.output) == (1, "")
    assert "No alias was moved." in result.errors
    assert alias() == ("1", {})


@pytest.mark.parametrize("given", [("--bake", "-1"), ("--bake", "nan"), ("--answers", "0")])
def test_steps_that_prove_nothing(shift: Run, alias: Make, given: tuple[str, str]) -> None:
    result = shift("2", *given)
    assert (result.status, result.output) == (1, "")
    assert result.errors == "--bake: seconds, 0 or more; --answers: 1 or more.\n"
    assert alias() == ("1", {})


def test_a_version_that_is_in_use_already(shift: Run, alias: Make) -> None:
    result = shift("1")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Alias live of shop-score is at version 1 already. No alias was moved.\n"
    )
    assert alias() == ("1", {})
