"""Update an endpoint by rolling: batch after batch of new instances takes the place of old ones."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

MORE = 1800  # seconds for launching and ending the instances of a batch, beside its bake
LONGEST = 28800  # seconds that a deployment may take


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
    """The instances of the only variant (`sagemaker:DescribeEndpoint`).

    Raises RuntimeError: there are several variants or serverless ones, which rolling is not for;
    or the endpoint serves this configuration already.
    """
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    if found["EndpointConfigName"] == config:  # nobody could tell a rollback from a success
        raise RuntimeError(f"{endpoint} serves {config} already")
    counts = [v.get("DesiredInstanceCount") for v in found.get("ProductionVariants", [])]
    if len(counts) != 1 or not counts[0]:
        raise RuntimeError(f"{endpoint} is {found['EndpointStatus']} and not one variant's fleet")
    return int(counts[0])


# [start: policy]
def policy_of(batch: int, wait: int, limit: int, alarms: list[str]) -> dict[str, Any]:
    """A DeploymentConfig of batches of so many instances; wait: seconds after each of them."""
    return {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": batch},
            "WaitIntervalInSeconds": wait,
            "MaximumExecutionTimeoutInSeconds": limit,
            # 100 %, the default, goes back soonest, but may need more spare capacity than a batch.
            "RollbackMaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 100},
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


# [end: policy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="the new endpoint configuration")
    parser.add_argument("--alarms", required=True, nargs="+", help="1 to 10, made before")
    parser.add_argument("--batch", type=int, default=1, help="instances")
    parser.add_argument("--wait", type=int, default=300, help="seconds after each batch")
    arguments = parser.parse_args()
    endpoint, config = arguments.endpoint, arguments.config
    batch, wait = arguments.batch, arguments.wait
    try:
        check_alarms(boto3.client("cloudwatch"), arguments.alarms)
        sagemaker = boto3.client("sagemaker")
        total = count_instances(sagemaker, endpoint, config)
        if not total / 20 <= batch <= total / 2:
            raise RuntimeError(f"A batch of {batch} is not 5 to 50 % of {total} instances")
        steps = [*range(batch, total, batch), total]
        limit = min(LONGEST, len(steps) * (wait + MORE))
        # [start: update]
        sagemaker.update_endpoint(
            EndpointName=endpoint,
            EndpointConfigName=config,
            RetainAllVariantProperties=True,
            DeploymentConfig=policy_of(batch, wait, limit, arguments.alarms),
        )
        # [end: update]
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "was not updated. Check the options, AWS_DEFAULT_REGION and rights."
        sys.exit(f"{str(error).rstrip('.')}. {endpoint} {advice}")
    print(f"{endpoint} -> {config} has begun; watch_update.py tells how it ends")
    for number, step in enumerate(steps, 1):
        print(f"batch {number}  {step} of {total} instances are new, {wait} s")


if __name__ == "__main__":
    main()
