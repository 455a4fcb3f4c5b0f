"""Update an endpoint in linear steps: equal parts of the new fleet, with a bake after each."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

MORE = 3600  # seconds for launching and ending instances, beside the bakes


def check_alarms(cloudwatch: BaseClient, names: list[str]) -> None:
    """Raises RuntimeError: an alarm is missing, or on already, which rolls back every update.

    (`cloudwatch:DescribeAlarms`.)
    """
    found = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
    for name in names:
        if states.get(name, "ALARM") == "ALARM":
            problem = "in ALARM already" if name in states else "not there: create_alarm.py"
            raise RuntimeError(f"The alarm {name} is {problem}")


# [start: steps]
def steps_of(
    sagemaker: BaseClient, endpoint: str, config: str, percent: int
) -> tuple[list[int], int]:
    """How many new instances get traffic after each step, and how many there are.

    (`sagemaker:DescribeEndpoint`.) Raises RuntimeError: a step would not be whole instances, or
    the endpoint is not one variant's fleet, or serves this configuration already.
    """
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    if found["EndpointConfigName"] == config:  # nobody could tell a rollback from a success
        raise RuntimeError(f"{endpoint} serves {config} already")
    counts = [v.get("DesiredInstanceCount") for v in found.get("ProductionVariants", [])]
    if len(counts) != 1 or not counts[0]:
        raise RuntimeError(f"{endpoint} is {found['EndpointStatus']} and not one variant's fleet")
    total = int(counts[0])
    if not 10 <= percent <= 50 or 100 % percent or total * percent % 100:
        raise RuntimeError(f"{percent} % of {total} instances are no equal steps of 10 to 50 %")
    size = total * percent // 100
    return list(range(size, total + 1, size)), total


# [end: steps]


# [start: policy]
def policy_of(percent: int, waits: list[int], alarms: list[str]) -> dict[str, Any]:
    """A DeploymentConfig of 100 / percent steps; waits: the seconds after each of them."""
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "LINEAR",
                "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": percent},
                "WaitIntervalInSeconds": waits[0],
            },
            "TerminationWaitInSeconds": waits[-1],
            "MaximumExecutionTimeoutInSeconds": sum(waits) + MORE,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


# [end: policy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="the new endpoint configuration")
    parser.add_argument("--alarms", required=True, nargs="+", help="1 to 10, made before")
    parser.add_argument("--percent", type=int, default=25, help="of the instances, in each step")
    parser.add_argument("--wait", type=int, default=300, help="seconds after each step")
    arguments = parser.parse_args()
    endpoint, config, percent = arguments.endpoint, arguments.config, arguments.percent
    try:
        check_alarms(boto3.client("cloudwatch"), arguments.alarms)
        sagemaker = boto3.client("sagemaker")
        steps, total = steps_of(sagemaker, endpoint, config, percent)
        waits = [arguments.wait] * len(steps)
        # [start: update]
        sagemaker.update_endpoint(
            EndpointName=endpoint,
            EndpointConfigName=config,
            RetainAllVariantProperties=True,
            DeploymentConfig=policy_of(percent, waits, arguments.alarms),
        )
        # [end: update]
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "was not updated. Check the options, AWS_DEFAULT_REGION and rights."
        sys.exit(f"{str(error).rstrip('.')}. {endpoint} {advice}")
    print(f"{endpoint} -> {config} has begun; watch_update.py tells how it ends")
    for number, (step, wait) in enumerate(zip(steps, waits, strict=True), 1):
        print(f"step {number}  {step} of {total} instances, {wait} s")


if __name__ == "__main__":
    main()
