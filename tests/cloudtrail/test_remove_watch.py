from collections.abc import Callable
from typing import Any

import pytest
from awslab.state import difference, snapshot

GROUP, ROLE = "/cloudtrail/audit", "audit-to-logs"
ARGUMENTS = ("--trail-name", "audit", "--log-group", GROUP, "--topic-name", "security-alerts")
TOPIC = "arn:aws:sns:ap-northeast-1:111122223333:security-alerts"
ALARMS = "audit-root-use, audit-failed-sign-ins"
BOTH = f"{GROUP}, and the writing of audit to it"
STEPS = (ALARMS, TOPIC, BOTH, f"policy of {ROLE}", ROLE)
ADVICE = "Nothing was removed. Check the names, AWS_DEFAULT_REGION, credentials and network.\n"


def changed(before: Any) -> list[str]:
    """What differs now, but for files that were delivered and alarms that were evaluated."""
    found = difference(before, snapshot())
    return [line for line in found if "/AWSLogs" not in line and "/state/" not in line]


def with_option(option: str, value: str) -> tuple[str, ...]:
    at = ARGUMENTS.index(option) + 1
    return (*ARGUMENTS[:at], value, *ARGUMENTS[at + 1 :])


@pytest.fixture
def watched(run: Callable[..., Any], trail: Any) -> None:
    assert run("send_to_logs", *ARGUMENTS[:4]).status == 0
    assert run("watch_signins", *ARGUMENTS).status == 0


def test_all_is_gone_and_the_trail_stays(
    run: Callable[..., Any], watched: None, client: Callable[..., Any], cloudtrail: Any
) -> None:
    result = run("remove_watch", *ARGUMENTS)
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines() == [f"removed {name}" for name in STEPS]
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert client("sns").list_topics()["Topics"] == []
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("logs").describe_metric_filters()["metricFilters"] == []
    assert client("iam").list_roles()["Roles"] == []
    trail = cloudtrail.get_trail(Name="audit")["Trail"]
    assert "CloudWatchLogsLogGroupArn" not in trail
    assert "CloudWatchLogsRoleArn" not in trail
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"] is True


def test_a_second_run_finds_nothing_and_succeeds(run: Callable[..., Any], watched: None) -> None:
    run("remove_watch", *ARGUMENTS)
    before = snapshot()
    result = run("remove_watch", *ARGUMENTS)
    assert result.status == 0
    assert result.output.splitlines() == [f"{name}: was not there" for name in STEPS]
    assert changed(before) == []


def test_only_what_was_there_is_said_to_be_removed(
    run: Callable[..., Any], watched: None, client: Callable[..., Any]
) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=["audit-root-use"])
    client("sns").delete_topic(TopicArn=TOPIC)
    result = run("remove_watch", *ARGUMENTS)
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines()[:3] == [
        "removed audit-failed-sign-ins",
        f"{TOPIC}: was not there",
        f"removed {BOTH}",
    ]


@pytest.mark.parametrize("group", ["/aws/lambda/prod", "/cloudtrail", "/cloudtrail/audit2", "/no"])
def test_a_log_group_that_is_not_the_trails_is_refused(
    run: Callable[..., Any], watched: None, client: Callable[..., Any], group: str
) -> None:
    if group != "/no":
        client("logs").create_log_group(logGroupName=group)
    before = snapshot()
    result = run("remove_watch", *with_option("--log-group", group))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"The trail audit does not write to {group}, so its logs are to stay. {ADVICE}"
    )
    assert changed(before) == []


@pytest.mark.parametrize("gone", [False, True])
def test_what_holds_logs_and_no_filter_of_a_trail_that_writes_nowhere_is_refused(
    run: Callable[..., Any],
    trail: Any,
    client: Callable[..., Any],
    cloudtrail: Any,
    gone: bool,
) -> None:
    if gone:
        cloudtrail.delete_trail(Name="audit")
    logs, group = client("logs"), "/aws/lambda/prod"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    logs.put_metric_filter(
        logGroupName=group,
        filterName="audit-root-use-of-others",
        filterPattern="x",
        metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
    )
    before = snapshot()
    result = run("remove_watch", *with_option("--log-group", group))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"The trail audit does not write to {group}, so its logs ")
    assert changed(before) == []


def test_a_topic_that_the_alarms_do_not_tell_is_refused(
    run: Callable[..., Any], watched: None, client: Callable[..., Any]
) -> None:
    client("sns").create_topic(Name="orders")
    before = snapshot()
    result = run("remove_watch", *with_option("--topic-name", "orders"))
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"The alarms {ALARMS} do not tell the topic orders. {ADVICE}"
    assert changed(before) == []


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("operation", ["DeleteLogGroup", "UpdateTrail", "DeleteRole"])
def test_a_removal_that_stopped_half_way_can_be_repeated(
    run: Callable[..., Any],
    trail: Any,
    client: Callable[..., Any],
    cloudtrail: Any,
    refuse: Callable[..., Any],
    operation: str,
    filters: bool,
) -> None:
    run("send_to_logs", *ARGUMENTS[:4])
    if filters:
        run("watch_signins", *ARGUMENTS)
    cloudtrail.describe_trails()  # lines arrive
    with refuse(operation):
        result = run("remove_watch", *ARGUMENTS)
    assert result.status == 1
    again = run("remove_watch", *ARGUMENTS)
    assert (again.status, again.errors) == (0, "")
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("iam").list_roles()["Roles"] == []
    assert "CloudWatchLogsLogGroupArn" not in cloudtrail.get_trail(Name="audit")["Trail"]


def test_without_the_trail_the_rest_is_taken_away(
    run: Callable[..., Any], watched: None, cloudtrail: Any, client: Callable[..., Any]
) -> None:
    cloudtrail.delete_trail(Name="audit")
    result = run("remove_watch", *ARGUMENTS)
    assert (result.status, result.errors) == (0, "")
    assert f"removed {BOTH}\n" in result.output
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("iam").list_roles()["Roles"] == []


def test_one_failure_does_not_stop_the_rest(
    run: Callable[..., Any],
    watched: None,
    client: Callable[..., Any],
    refuse: Callable[..., Any],
) -> None:
    with refuse("DeleteTopic"):
        result = run("remove_watch", *ARGUMENTS)
    assert result.status == 1
    assert result.errors == (
        f"Not removed: {TOPIC}: An error occurred (AccessDenied) when calling the DeleteTopic "
        "operation: no. Check credentials and network, then run it again. The trail audit stays.\n"
    )
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert len(client("sns").list_topics()["Topics"]) == 1


def test_without_an_account_nothing_is_removed(
    run: Callable[..., Any], watched: None, refuse: Callable[..., Any]
) -> None:
    with refuse("GetCallerIdentity"):
        result = run("remove_watch", *ARGUMENTS)
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith(f"no. {ADVICE}")
