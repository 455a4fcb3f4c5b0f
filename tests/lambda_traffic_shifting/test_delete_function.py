from collections.abc import Callable
from typing import Any

from awslab.run import Result

Run = Callable[..., Result]


def test_nothing_is_left(
    create: Run, publish: Run, run: Run, client: Callable[..., Any], answers: Callable[[str], Any]
) -> None:
    create()
    publish("1,1,1")
    answers("live")  # makes the log group
    groups = client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/lambda/shop-score"]
    result = run("delete_function", "--function", "shop-score")
    assert (result.status, result.errors) == (0, "")
    assert result.output == ("shop-score  deleted, with versions, aliases, alarm, logs and role\n")
    assert client("lambda").list_functions()["Functions"] == []
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert client("iam").list_roles()["Roles"] == []


def test_there_is_nothing_of_this_name(run: Run) -> None:
    result = run("delete_function", "--function", "shop-score")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Nothing is called shop-score. Check the name and AWS_DEFAULT_REGION.\n"
    )


def test_what_is_missing_is_no_error(create: Run, run: Run, client: Callable[..., Any]) -> None:
    create()
    client("lambda").delete_function(FunctionName="shop-score")
    assert run("delete_function", "--function", "shop-score").status == 0
    assert client("iam").list_roles()["Roles"] == []


def test_only_the_function_of_this_name(create: Run, run: Run, client: Callable[..., Any]) -> None:
    create("shop-score")
    create("shop-score-2")
    run("delete_function", "--function", "shop-score")
    names = [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]]
    assert names == ["shop-score-2"]
    (alarm,) = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["AlarmName"] == "shop-score-2-live-errors"
