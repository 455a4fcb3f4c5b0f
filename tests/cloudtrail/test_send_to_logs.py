import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.policy import verdict
from proofs.trace import Answer, Call, Trace, refusal, watching

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
GROUP = "/cloudtrail/audit"
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}"
ROLE = "audit-to-logs"
ARGUMENTS = ("--trail-name", "audit", "--log-group", GROUP)
ADVICE = "Check the names, AWS_DEFAULT_REGION (the home Region), credentials and network.\n"


def test_the_lines_of_the_trail_arrive(
    run: Callable[..., Any], trail: Any, client: Callable[..., Any], cloudtrail: Any
) -> None:
    result = run("send_to_logs", *ARGUMENTS)
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"trail audit writes to the log group {GROUP}, as role {ROLE}\n"
    client("sns").create_topic(Name="seen")
    assert cloudtrail.get_trail_status(Name="audit")["LatestCloudWatchLogsDeliveryTime"]
    logs = client("logs")
    (stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert stream["logStreamName"] == f"{ACCOUNT}_CloudTrail_{REGION}"
    found = logs.filter_log_events(
        logGroupName=GROUP, filterPattern='{ $.eventName = "CreateTopic" }'
    )
    (line,) = found["events"]
    assert json.loads(line["message"])["requestParameters"] == {"name": "seen"}


def test_the_lines_do_not_stay_for_ever(
    run: Callable[..., Any], trail: Any, client: Callable[..., Any]
) -> None:
    run("send_to_logs", *ARGUMENTS)
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert group["retentionInDays"] == 90


def test_the_role_lets_cloudtrail_write_to_its_streams_and_no_more(
    run: Callable[..., Any], trail: Any, client: Callable[..., Any]
) -> None:
    run("send_to_logs", *ARGUMENTS)
    iam = client("iam")
    (trust,) = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName="write")["PolicyDocument"]
    streams = f"{GROUP_ARN}:log-stream:"
    for action, resource, said in (
        ("logs:PutLogEvents", f"{streams}{ACCOUNT}_CloudTrail_{REGION}", "allow"),
        ("logs:CreateLogStream", f"{streams}{ACCOUNT}_CloudTrail_{REGION}_2", "allow"),
        ("logs:PutLogEvents", f"{streams}other", "silent"),
        ("logs:DeleteLogStream", f"{streams}{ACCOUNT}_CloudTrail_{REGION}", "silent"),
    ):
        assert verdict(policy, action, resource, [], {}) == said


def test_a_log_group_that_exists_is_left_alone(
    run: Callable[..., Any], trail: Any, client: Callable[..., Any], cloudtrail: Any
) -> None:
    client("logs").create_log_group(logGroupName=GROUP)
    result = run("send_to_logs", *ARGUMENTS)
    assert (result.status, result.output) == (1, "")
    assert "(ResourceAlreadyExistsException)" in result.errors
    assert result.errors.endswith(f". Nothing was made. {ADVICE}")
    assert client("iam").list_roles()["Roles"] == []
    assert "CloudWatchLogsLogGroupArn" not in cloudtrail.get_trail(Name="audit")["Trail"]


def test_a_trail_that_writes_already_is_left_alone(
    run: Callable[..., Any], trail: Any, client: Callable[..., Any], cloudtrail: Any
) -> None:
    assert run("send_to_logs", *ARGUMENTS).status == 0
    before = cloudtrail.get_trail(Name="audit")["Trail"]
    result = run("send_to_logs", "--trail-name", "audit", "--log-group", "/g2")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"The trail audit writes to {GROUP_ARN} already. Nothing was made. {ADVICE}"
    )
    groups = client("logs").describe_log_groups()["logGroups"]
    assert [each["logGroupName"] for each in groups] == [GROUP]
    assert cloudtrail.get_trail(Name="audit")["Trail"] == before


def test_a_role_that_exists_is_left_alone(
    run: Callable[..., Any], trail: Any, client: Callable[..., Any]
) -> None:
    client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
    result = run("send_to_logs", *ARGUMENTS)
    assert result.errors == f"The role {ROLE} exists already. Nothing was made. {ADVICE}"
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"] == []


def test_a_trail_that_does_not_exist_makes_nothing(
    run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    result = run("send_to_logs", *ARGUMENTS)
    assert "(TrailNotFoundException)" in result.errors
    assert result.errors.endswith(f". Nothing was made. {ADVICE}")
    assert client("logs").describe_log_groups()["logGroups"] == []


def test_what_was_made_before_an_error_is_named(
    run: Callable[..., Any], trail: Any, refuse: Callable[..., Any]
) -> None:
    with refuse("PutRolePolicy"):
        result = run("send_to_logs", *ARGUMENTS)
    assert result.errors.endswith(f"no. Made: {GROUP}, {ROLE}: see remove_watch.py. {ADVICE}")
    assert run("remove_watch", *ARGUMENTS, "--topic-name", "none").status == 0
    assert run("send_to_logs", *ARGUMENTS).status == 0


def test_an_interrupted_wait_names_what_was_made(
    run: Callable[..., Any], trail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: int) -> None:
        raise KeyboardInterrupt

    def refuse(trace: Trace, call: Call) -> Answer | None:
        late = call.operation == "UpdateTrail"
        return refusal("InvalidCloudWatchLogsRoleArnException", "no.", 400) if late else None

    monkeypatch.setattr("time.sleep", interrupt)
    with watching(Trace(refuse)):
        result = run("send_to_logs", *ARGUMENTS)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (f"Interrupted. Made: {GROUP}, {ROLE}: see remove_watch.py. {ADVICE}")


@pytest.mark.parametrize(
    ("code", "refusals", "calls", "status"),
    [
        ("InvalidCloudWatchLogsRoleArnException", 0, 1, 0),
        ("InvalidCloudWatchLogsRoleArnException", 3, 4, 0),
        ("InvalidCloudWatchLogsRoleArnException", 4, 4, 1),
        ("AccessDeniedException", 1, 1, 1),
    ],
)
def test_a_new_role_is_waited_for(
    run: Callable[..., Any], trail: Any, code: str, refusals: int, calls: int, status: int
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        late = call.operation == "UpdateTrail" and len(trace.refused) < refusals
        return refusal(code, "no.", 400) if late else None

    with watching(Trace(refuse)) as trace:
        result = run("send_to_logs", *ARGUMENTS)
    assert [each.operation for each in trace.calls].count("UpdateTrail") == calls
    assert result.status == status
