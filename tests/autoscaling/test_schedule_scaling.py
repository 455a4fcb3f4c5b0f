from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from awslab.clock import CLOCK, now
from proofs.trace import Answer, Call, Trace, refusal, watching

Run = Callable[..., Any]
LIMITS = ("--day", "2", "6", "--night", "1", "2")


@pytest.fixture
def registered(scaling: Run, endpoint: Any) -> Any:
    given = ("--endpoint", "shop", "--target", "60", "--max", "4")
    assert scaling("add_scaling_policy", *given).status == 0
    return endpoint


def actions(client: Any) -> dict[str, Any]:
    found = client.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    return {one["ScheduledActionName"]: one for one in found}


def test_what_it_makes(scaling: Run, registered: Any) -> None:
    result = scaling("schedule_scaling", "--endpoint", "shop", *LIMITS, "--hours", "7", "21")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "day    cron(0 7 ? * MON-FRI *) Asia/Tokyo  2 to 6 instances\n"
        "night  cron(0 21 ? * MON-FRI *) Asia/Tokyo  1 to 2 instances\n"
    )
    found = actions(registered)
    assert {name: one["ScalableTargetAction"] for name, one in found.items()} == {
        "day": {"MinCapacity": 2, "MaxCapacity": 6},
        "night": {"MinCapacity": 1, "MaxCapacity": 2},
    }
    assert {one["Timezone"] for one in found.values()} == {"Asia/Tokyo"}


def test_the_morning_comes(scaling: Run, registered: Any, client: Callable[..., Any]) -> None:
    """On the lab's clock: until the next Monday, 8 o'clock in Tokyo, and a minute more."""
    scaling("schedule_scaling", "--endpoint", "shop", *LIMITS)
    registered.delete_scaling_policy(
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/shop/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        PolicyName="invocations",
    )
    CLOCK.run(0)
    try:
        tokyo = now().timestamp() + 9 * 3600
        since_monday = (tokyo - datetime(2026, 1, 5).timestamp()) % (7 * 86400)
        CLOCK.advance((8 * 3600 + 600 - since_monday) % (7 * 86400))
        (variant,) = client("sagemaker").describe_endpoint(EndpointName="shop")[
            "ProductionVariants"
        ]
        assert variant["CurrentInstanceCount"] == 2
    finally:
        CLOCK.run(None)


def test_it_changes_what_is_there(scaling: Run, registered: Any) -> None:
    scaling("schedule_scaling", "--endpoint", "shop", *LIMITS)
    scaling("schedule_scaling", "--endpoint", "shop", *LIMITS, "--zone", "Europe/Paris")
    assert {one["Timezone"] for one in actions(registered).values()} == {"Europe/Paris"}


def test_half_of_it(scaling: Run, registered: Any) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("ThrottlingException", "Slow down.", 400) if len(trace.calls) == 2 else None

    with watching(Trace(refuse)):
        result = scaling("schedule_scaling", "--endpoint", "shop", *LIMITS)
    assert (result.status, result.output) == (1, "")
    assert (
        "Of the actions day and night of endpoint/shop/variant/AllTraffic, one may be set: run "
        "this again, or remove_scaling.py." in result.errors
    )
    assert list(actions(registered)) == ["day"]


def test_a_variant_that_is_not_registered(scaling: Run, endpoint: Any) -> None:
    result = scaling("schedule_scaling", "--endpoint", "shop", *LIMITS)
    assert (result.status, result.output) == (1, "")
    assert "(ObjectNotFoundException)" in result.errors


def test_a_zone_that_is_none(scaling: Run, registered: Any) -> None:
    result = scaling("schedule_scaling", "--endpoint", "shop", *LIMITS, "--zone", "Tokyo")
    assert (result.status, result.output) == (1, "")
    assert "(ValidationException)" in result.errors
    assert actions(registered) == {}


@pytest.mark.parametrize(
    "options",
    [
        ["--day", "2", "1", "--night", "1", "2"],
        ["--day", "0", "1", "--night", "1", "2"],
        [*LIMITS, "--hours", "8", "24"],
        [*LIMITS, "--hours", "-1", "20"],
    ],
)
def test_bad_options(scaling: Run, lab: None, options: list[str]) -> None:
    result = scaling("schedule_scaling", "--endpoint", "shop", *options)
    assert (result.status, result.output) == (2, "")
    assert "--hours: 0 to 23; --day and --night: a minimum of 1 or more" in result.errors
