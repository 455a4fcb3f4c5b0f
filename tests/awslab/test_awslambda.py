"""Weighted aliases, and functions that run: their answers, their metrics and their logs."""

import base64
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import naive_now
from botocore.exceptions import ClientError

CODE = """
import os, sys, time

def handler(event, context):
    print("asked", event)
    if event.get("exit"):
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    if os.environ.get("BAD"):
        raise ValueError("bad version")
    return {"version": context.function_version, "event": event, "name": __name__}
"""
ROLE = "arn:aws:iam::111122223333:role/function"

Make = Callable[..., Any]


def archive(code: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("code.py", code)
    return target.getvalue()


@pytest.fixture
def functions(client: Make) -> Any:
    """A client, and the function `shop`: version 1 answers, version 2 raises an error."""
    client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    made = client("lambda")
    make(made, CODE)
    made.update_function_configuration(FunctionName="shop", Environment={"Variables": {"BAD": "1"}})
    made.publish_version(FunctionName="shop")
    return made


def make(functions: Any, code: str, name: str = "shop", **more: Any) -> None:
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="code.handler",
        Code={"ZipFile": archive(code)},
        Publish=True,
        **more,
    )


def ask(functions: Any, event: Any = None, **more: Any) -> tuple[Any, Any]:
    """What a call answers, and the call."""
    answer = functions.invoke(FunctionName="shop", Payload=json.dumps(event or {}), **more)
    text = answer["Payload"].read()
    return json.loads(text) if text else None, answer


def weigh(functions: Any, weights: dict[str, float], **more: Any) -> Any:
    return functions.update_alias(
        FunctionName="shop",
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": weights},
        **more,
    )


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


@pytest.fixture
def live(functions: Any) -> Any:
    return functions.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")


# --- aliases --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"9": 0.1}, "ResourceNotFoundException: Function not found: arn:aws:lambda:"),
        ({"1": 0.1}, "Invalid function version 1. Function version 1 is already included in"),
        ({"$LATEST": 0.1}, "$LATEST is not supported for an alias pointing to more than 1 version"),
        ({"2": 1.5}, "The weight 1.5 of version 2 is not between 0.0 and 1.0"),
        ({"1": 0.1, "2": 0.1}, "Number of items in AdditionalVersionWeights cannot be greater"),
    ],
)
def test_weights_that_are_refused(
    functions: Any, live: Any, weights: dict[str, float], said: str
) -> None:
    assert said in refusal(lambda: weigh(functions, weights))
    arguments = {"FunctionName": "shop", "Name": "other", "FunctionVersion": "1"}
    routing = {"AdditionalVersionWeights": weights}
    assert said in refusal(lambda: functions.create_alias(**arguments, RoutingConfig=routing))
    found = functions.list_aliases(FunctionName="shop")["Aliases"]
    assert [alias["Name"] for alias in found] == ["live"]
    assert "RoutingConfig" not in found[0]


def test_latest_cannot_share(functions: Any) -> None:
    functions.create_alias(FunctionName="shop", Name="live", FunctionVersion="$LATEST")
    assert "$LATEST is not supported" in refusal(lambda: weigh(functions, {"2": 0.1}))


def test_what_an_update_leaves_out_stays(functions: Any, live: Any) -> None:
    weigh(functions, {"2": 0.1})
    changed = functions.update_alias(FunctionName="shop", Name="live", Description="shared")
    assert changed["FunctionVersion"] == "1"
    assert changed["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    assert not any(weigh(functions, {}).get("RoutingConfig", {}).values())


def test_another_main_version_must_not_be_the_second_one(functions: Any, live: Any) -> None:
    weigh(functions, {"2": 0.1})
    arguments = {"FunctionName": "shop", "Name": "live", "FunctionVersion": "2"}
    assert "already included" in refusal(lambda: functions.update_alias(**arguments))
    assert weigh(functions, {}, FunctionVersion="2")["FunctionVersion"] == "2"


def test_an_update_by_revision(functions: Any, live: Any) -> None:
    changed = weigh(functions, {"2": 0.1}, RevisionId=live["RevisionId"])
    assert changed["RevisionId"] != live["RevisionId"]
    said = refusal(lambda: weigh(functions, {}, RevisionId=live["RevisionId"]))
    assert said.startswith("PreconditionFailedException: The Revision Id provided does not match")
    assert (
        functions.get_alias(FunctionName="shop", Name="live")["RevisionId"]
        == (changed["RevisionId"])
    )


# --- invocations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "qualifier", "version"),
    [
        ("shop", None, "$LATEST"),
        ("shop", "1", "1"),
        ("shop:live", None, "1"),
        ("arn:aws:lambda:ap-northeast-1:111122223333:function:shop:live", None, "1"),
        ("shop", "live", "1"),
    ],
)
def test_the_version_that_is_asked(
    functions: Any, live: Any, name: str, qualifier: str | None, version: str
) -> None:
    functions.update_function_configuration(FunctionName="shop", Environment={"Variables": {}})
    chosen = {"Qualifier": qualifier} if qualifier else {}
    answer = functions.invoke(FunctionName=name, Payload='{"a": 1}', **chosen)
    assert answer["ExecutedVersion"] == version
    assert json.loads(answer["Payload"].read()) == {
        "version": version,
        "event": {"a": 1},
        "name": "code",
    }
    assert (answer["StatusCode"], answer.get("FunctionError")) == (200, None)


def test_an_error_of_the_function(functions: Any) -> None:
    found, answer = ask(functions, Qualifier="2", LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (found["errorType"], found["errorMessage"]) == ("ValueError", "bad version")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith("START Version: 2\nasked {}\n") and "ValueError: bad version" in log


def test_a_function_that_takes_too_long(functions: Any) -> None:
    functions.update_function_configuration(FunctionName="shop", Timeout=1)
    found, answer = ask(functions, {"sleep": 30})
    assert answer["FunctionError"] == "Unhandled"
    assert found == {
        "errorMessage": "Task timed out after 1.00 seconds",
        "errorType": "Sandbox.Timedout",
    }


def test_a_function_that_ends_its_program(functions: Any) -> None:
    found, _ = ask(functions, {"exit": True}, Qualifier="1")
    assert found["errorMessage"] == "Runtime exited with error: exit status 3"


def test_a_handler_that_is_missing(functions: Any) -> None:
    functions.update_function_configuration(FunctionName="shop", Handler="code.other")
    found, _ = ask(functions)
    assert found["errorType"] == "AttributeError"


def test_a_dry_run_runs_nothing(functions: Any, client: Make) -> None:
    found, answer = ask(functions, Qualifier="2", InvocationType="DryRun")
    assert (found, answer["StatusCode"]) == (None, 204)
    assert client("logs").describe_log_groups()["logGroups"] == []


def test_a_function_or_version_that_is_missing(functions: Any) -> None:
    said = refusal(lambda: functions.invoke(FunctionName="none"))
    assert said.startswith("ResourceNotFoundException: Function not found: ")
    assert "function:shop:7" in refusal(lambda: ask(functions, Qualifier="7"))


def test_a_second_version_gets_its_share(functions: Any, live: Any) -> None:
    weigh(functions, {"2": 0.3})
    versions = Counter(ask(functions, Qualifier="live")[1]["ExecutedVersion"] for _ in range(30))
    assert 3 <= versions["2"] <= 16
    assert versions["1"] + versions["2"] == 30


def test_metrics_tell_the_versions_apart(functions: Any, live: Any, client: Make) -> None:
    ask(functions)  # $LATEST
    for version in ("1", "2", "2"):
        ask(functions, Qualifier=version)
    weigh(functions, {"2": 1.0})
    ask(functions, Qualifier="live")
    cloudwatch = client("cloudwatch")

    def total(metric: str, **dimensions: str) -> float:
        listed = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=naive_now() - timedelta(hours=1),
            EndTime=naive_now() + timedelta(hours=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in listed["Datapoints"])

    for name, count in (("Invocations", 5), ("Errors", 4)):  # $LATEST is bad as well
        assert total(name) == total(name, FunctionName="shop") == count
    live_ = {"FunctionName": "shop", "Resource": "shop:live"}
    assert total("Errors", **live_) == total("Errors", **live_, ExecutedVersion="2") == 1
    assert total("Invocations", FunctionName="shop", Resource="shop:1") == 1
    assert total("Errors", FunctionName="shop", Resource="shop:1") == 0


def test_an_alarm_sees_them(functions: Any, live: Any, client: Make) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[
            {"Name": "FunctionName", "Value": "shop"},
            {"Name": "Resource", "Value": "shop:live"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )

    def state() -> str:
        return str(cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"])

    ask(functions, Qualifier="live")
    assert state() == "OK"
    weigh(functions, {"2": 1.0})
    ask(functions, Qualifier="live")
    assert state() == "ALARM"


def test_the_servers_clients_meet_the_same(lab_server: str) -> None:
    session = boto3.Session("testing", "testing", region_name="ap-northeast-1")
    iam, functions = (session.client(name, endpoint_url=lab_server) for name in ("iam", "lambda"))
    iam.create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    make(functions, CODE)
    functions.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")
    found, answer = ask(functions, {"a": 2}, Qualifier="live")
    assert (found["event"], answer["ExecutedVersion"]) == ({"a": 2}, "1")
