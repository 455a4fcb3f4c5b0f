"""Move a Lambda alias to another version in steps, and back as soon as its alarm fires."""

import argparse
import json
import sys
import time

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

MOST = 500  # requests of a step, until the new version has answered often enough


# [start: point]
def point(client: BaseClient, function: str, alias: str, old: str, new: str, share: float) -> None:
    """Send this share of the requests, 0 to 1, to `new`, the rest to `old` (`lambda:UpdateAlias`).

    Without RoutingConfig the weights would stay: an empty one takes the second version away.
    """
    main, weights = (new, {}) if share == 1 else (old, {new: share} if share else {})
    client.update_alias(
        FunctionName=function,
        Name=alias,
        FunctionVersion=main,
        RoutingConfig={"AdditionalVersionWeights": weights},
    )


# [end: point]


def try_out(client: BaseClient, function: str, alias: str, new: str, event: str, n: int) -> bool:
    """Send the event until `new` has answered n times, or not in MOST (`lambda:InvokeFunction`)."""
    for _ in range(MOST):
        answer = client.invoke(FunctionName=function, Qualifier=alias, Payload=event)
        n -= answer["ExecutedVersion"] == new
        if n <= 0:
            return True
    return False


def state_of(cloudwatch: BaseClient, alarm: str) -> str:
    """OK, ALARM, INSUFFICIENT_DATA or missing (`cloudwatch:DescribeAlarms`)."""
    found = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return found[0]["StateValue"] if found else "missing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", required=True)
    parser.add_argument("--alias", default="live")
    parser.add_argument("--version", required=True, help="the new one")
    parser.add_argument("--now", action="store_true", help="at once, whatever the alarm says")
    parser.add_argument("--alarm", default="", help="its name; needed without --now")
    parser.add_argument("--steps", type=int, nargs="+", default=[10], help="per cent, before 100")
    parser.add_argument("--bake", type=float, default=120, help="seconds after each step")
    parser.add_argument("--event", default="{}", help="JSON, sent to try the new version")
    parser.add_argument("--answers", type=int, default=5, help="of the new version in each step")
    given = parser.parse_args()
    name, alias, new, alarm = given.function, given.alias, given.version, given.alarm
    if not all(0 < step < 100 for step in given.steps):
        sys.exit("--steps are per cent between 1 and 99, such as 10 50; 100 comes by itself.")
    if not 0 <= given.bake < 1e6 or given.answers < 1:
        sys.exit("--bake: seconds, 0 or more; --answers: 1 or more.")
    left = "No alias was moved."
    try:
        json.loads(given.event)
        client, cloudwatch = boto3.client("lambda"), boto3.client("cloudwatch")
        old = client.get_alias(FunctionName=name, Name=alias)["FunctionVersion"]
        if old == new and not given.now:
            sys.exit(f"Alias {alias} of {name} is at version {new} already. {left}")
        if not given.now and (state := state_of(cloudwatch, alarm)) in ("ALARM", "missing"):
            sys.exit(f"The alarm {alarm} is {state} beforehand. {left}")
        left = (
            f"Alias {alias} of {name} may send requests to {new}: --version {old} --now returns. "
        )
        left += f"Logs may be in /aws/lambda/{name}."
        if given.now:
            point(client, name, alias, old, new, 1)
        # [start: steps]
        for step in [] if given.now else [*given.steps, 100]:
            point(client, name, alias, old, new, step / 100)
            tried = try_out(client, name, alias, new, given.event, given.answers)
            time.sleep(given.bake)  # longer than the alarm looks back
            state = state_of(cloudwatch, alarm) if tried else "without answers of the version"
            print(f"{step:3} % to version {new}: {alarm} is {state}")
            if state != "OK":
                point(client, name, alias, old, new, 0)
                break
        # [end: steps]
        now = client.get_alias(FunctionName=name, Name=alias)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, ValueError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} Check the options, AWS_DEFAULT_REGION and "
            "credentials."
        )
    print(f"{alias} of {name} -> version {now['FunctionVersion']}")
    if now["FunctionVersion"] != new:
        sys.exit(
            f"Rolled back: version {new} is not in use. See /aws/lambda/{name} for its errors."
        )


if __name__ == "__main__":
    main()
