import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.telemetry import put_log_lines

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
GROUP = "/cloudtrail/audit"
ROOT, FAILED = "audit-root-use", "audit-failed-sign-ins"
ARGUMENTS = ("--trail-name", "audit", "--log-group", GROUP, "--topic-name", "security-alerts")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts"
ADVICE = "Check the names, AWS_DEFAULT_REGION (the home Region), credentials and network.\n"

USER = {"type": "IAMUser", "userName": "mary"}
SIGN_IN = {"eventName": "ConsoleLogin", "eventType": "AwsConsoleSignIn", "userIdentity": USER}
CALL = {"eventName": "CreateUser", "eventType": "AwsApiCall", "userIdentity": USER}
BY_ROOT = {**CALL, "userIdentity": {"type": "Root"}}


@pytest.fixture
def watched(run: Callable[..., Any], trail: Any) -> None:
    assert run("send_to_logs", *ARGUMENTS[:4]).status == 0
    result = run("watch_signins", *ARGUMENTS)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"alarm {ROOT} tells the topic security-alerts\n"
        f"alarm {FAILED} tells the topic security-alerts\n"
    )


@pytest.fixture
def alarms(watched: None, client: Callable[..., Any]) -> Callable[[], set[str]]:
    """`alarms()`: the names of those that are in ALARM now."""

    def look() -> set[str]:
        found = client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert {alarm["AlarmName"] for alarm in found} == {ROOT, FAILED}
        return {alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"}

    return look


@pytest.mark.parametrize(
    ("record", "raised"),
    [
        ({**SIGN_IN, "errorMessage": "Failed authentication"}, {FAILED}),
        ({**SIGN_IN, "responseElements": {"ConsoleLogin": "Success"}}, set()),
        ({**SIGN_IN, "eventName": "CheckMfa", "errorMessage": "Failed authentication"}, set()),
        ({**SIGN_IN, "errorMessage": "No username found in supplied account"}, set()),
        (BY_ROOT, {ROOT}),
        ({**BY_ROOT, "eventType": "AwsServiceEvent"}, set()),
        ({**BY_ROOT, "userIdentity": {"type": "Root", "invokedBy": "backup"}}, set()),
        (CALL, set()),
        (
            {
                **SIGN_IN,
                "userIdentity": {"type": "Root"},
                "errorMessage": "Failed authentication",
            },
            {ROOT, FAILED},
        ),
    ],
)
def test_which_records_raise_an_alarm(
    alarms: Callable[[], set[str]], record: dict[str, Any], raised: set[str]
) -> None:
    assert alarms() == set()
    stream = f"{ACCOUNT}_CloudTrail_{REGION}"
    put_log_lines(ACCOUNT, REGION, GROUP, stream, [json.dumps(record)])
    assert alarms() == raised


def test_calls_that_the_trail_records_raise_none(
    alarms: Callable[[], set[str]], client: Callable[..., Any], cloudtrail: Any
) -> None:
    client("iam").create_user(UserName="mary")
    assert cloudtrail.get_trail_status(Name="audit")["LatestCloudWatchLogsDeliveryTime"]
    lines = client("logs").filter_log_events(logGroupName=GROUP)["events"]
    names = {json.loads(each["message"])["eventName"] for each in lines}
    assert {"CreateUser", "PutMetricAlarm"} <= names
    assert alarms() == set()


def test_the_topic_is_told(
    alarms: Callable[[], set[str]], client: Callable[..., Any], kms: Any
) -> None:
    sqs, sns = client("sqs"), client("sns")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
    put_log_lines(ACCOUNT, REGION, GROUP, "s", [json.dumps(BY_ROOT)])
    assert alarms() == {ROOT}
    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"]) == (ROOT, "ALARM")


def test_the_metric_counts_the_lines(watched: None, client: Callable[..., Any]) -> None:
    put_log_lines(ACCOUNT, REGION, GROUP, "s", [json.dumps(BY_ROOT)] * 3 + [json.dumps(CALL)])
    cloudwatch = client("cloudwatch")
    (metric,) = cloudwatch.list_metrics(Namespace="SignIns")["Metrics"]
    assert (metric["MetricName"], metric["Dimensions"]) == (ROOT, [])
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[ROOT])["MetricAlarms"]
    assert alarm["StateReasonData"].count('"value": 3.0') == 1
    assert (alarm["Period"], alarm["Statistic"], alarm["Threshold"]) == (300, "Sum", 1.0)
    assert alarm["AlarmActions"] == [TOPIC]


def test_a_second_run_changes_nothing(
    run: Callable[..., Any], watched: None, client: Callable[..., Any]
) -> None:
    assert run("watch_signins", *ARGUMENTS).status == 0
    found = client("logs").describe_metric_filters(logGroupName=GROUP)["metricFilters"]
    assert [each["filterName"] for each in found] == [ROOT, FAILED]
    assert len(client("sns").list_topics()["Topics"]) == 1


@pytest.mark.parametrize("group", [GROUP, "/cloudtrail"])
def test_a_trail_that_writes_elsewhere(
    run: Callable[..., Any], trail: Any, client: Callable[..., Any], group: str
) -> None:
    if group != GROUP:
        run("send_to_logs", *ARGUMENTS[:4])
    result = run("watch_signins", "--trail-name", "audit", "--log-group", group, *ARGUMENTS[4:])
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"The trail audit does not write to {group}: see send_to_logs.py. "
        f"Nothing was made. {ADVICE}"
    )
    assert client("sns").list_topics()["Topics"] == []


def test_what_was_made_before_an_error_is_named(
    run: Callable[..., Any], trail: Any, refuse: Callable[..., Any]
) -> None:
    run("send_to_logs", *ARGUMENTS[:4])
    with refuse("PutMetricAlarm"):
        result = run("watch_signins", *ARGUMENTS)
    assert result.errors.endswith(f"no. Made: {TOPIC}, {ROOT}: see remove_watch.py. {ADVICE}")


def test_the_patterns_are_patterns_of_cloudwatch_logs(
    example: Callable[[str], Any], client: Callable[..., Any]
) -> None:
    patterns = example("watch_signins").PATTERNS
    lines = [json.dumps(each) for each in (BY_ROOT, CALL)]
    answer = client("logs").test_metric_filter(
        filterPattern=patterns["root-use"], logEventMessages=lines
    )
    assert [each["eventNumber"] for each in answer["matches"]] == [1]
