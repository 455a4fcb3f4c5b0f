"""Update an endpoint by a canary: a few new instances first, and the rest if no alarm goes off."""

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


def count_instances(sagemaker: BaseClient, endpoint: str, config: str) -> int:
    """The instances of the only variant, which a new fleet is to have, too.

    (`sagemaker:DescribeEndpoint`.) Raises RuntimeError: there are several variants, or serverless
    ones; or the endpoint serves this configuration already.
    """
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    if found["EndpointConfigName"] == config:  # nobody could tell a rollback from a success
        raise RuntimeError(f"{endpoint} serves {config} already")
    counts = [v.get("DesiredInstanceCount") for v in found.get("ProductionVariants", [])]
    if len(counts) != 1 or not counts[0]:
        raise RuntimeError(f"{endpoint} is {found['EndpointStatus']} and not one variant's fleet")
    return int(counts[0])


# [start: policy]
def policy_of(canary: int, wait: int, bake: int, alarms: list[str]) -> dict[str, Any]:
    """A DeploymentConfig of two steps.

    canary: instances. wait: seconds with the canary, bake: seconds with all traffic on the new
    fleet; so long the old fleet runs, and an alarm leads back to it.
    """
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "INSTANCE_COUNT", "Value": canary},
                "WaitIntervalInSeconds": wait,
            },
            "TerminationWaitInSeconds": bake,
            "MaximumExecutionTimeoutInSeconds": wait + bake + MORE,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


# [end: policy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="the new endpoint configuration")
    parser.add_argument("--alarms", required=True, nargs="+", help="1 to 10, made before")
    parser.add_argument("--canary", type=int, default=1, help="instances")
    parser.add_argument("--wait", type=int, default=300, help="seconds with the canary")
    parser.add_argument("--bake", type=int, default=300, help="seconds with all of the new fleet")
    arguments = parser.parse_args()
    endpoint, config, canary = arguments.endpoint, arguments.config, arguments.canary
    try:
        check_alarms(boto3.client("cloudwatch"), arguments.alarms)
        sagemaker = boto3.client("sagemaker")
        total = count_instances(sagemaker, endpoint, config)
        if not 1 <= canary <= total / 2:
            raise RuntimeError(f"A canary has 1 instance or more, and half of {total} at most")
        # [start: update]
        sagemaker.update_endpoint(
            EndpointName=endpoint,
            EndpointConfigName=config,
            RetainAllVariantProperties=True,
            DeploymentConfig=policy_of(canary, arguments.wait, arguments.bake, arguments.alarms),
        )
        # [end: update]
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "was not updated. Check the options, AWS_DEFAULT_REGION and rights."
        sys.exit(f"{str(error).rstrip('.')}. {endpoint} {advice}")
    print(f"{endpoint} -> {config} has begun; watch_update.py tells how it ends")
    print(f"step 1  {canary} of {total} instances, {arguments.wait} s")
    print(f"step 2  {total} of {total} instances, {arguments.bake} s, then the old fleet ends")


if __name__ == "__main__":
    main()
