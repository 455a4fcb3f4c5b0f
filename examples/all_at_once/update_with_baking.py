"""Update an endpoint all at once, with a bake in which alarms lead back to the old fleet."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


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


def serving(sagemaker: BaseClient, endpoint: str) -> str:
    """The configuration that the endpoint has now (`sagemaker:DescribeEndpoint`)."""
    return str(sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"])


# [start: update]
def update(
    sagemaker: BaseClient, endpoint: str, config: str, alarms: list[str], bake: int, limit: int
) -> None:
    """Begin the update (`sagemaker:UpdateEndpoint`).

    bake: seconds in which both fleets run and an alarm leads back. limit: seconds after which an
    unfinished update is rolled back. Raises ClientError: SageMaker refuses the policy or the names.
    """
    sagemaker.update_endpoint(
        EndpointName=endpoint,
        EndpointConfigName=config,
        RetainAllVariantProperties=True,
        DeploymentConfig={
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "ALL_AT_ONCE",
                    "WaitIntervalInSeconds": 0,  # required, although there is no second step
                },
                "TerminationWaitInSeconds": bake,
                "MaximumExecutionTimeoutInSeconds": limit,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
        },
    )


# [end: update]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="the new endpoint configuration")
    parser.add_argument("--alarms", nargs="+", required=True, help="1 to 10, of create_alarm.py")
    parser.add_argument("--bake", type=int, default=300, help="seconds, 1 to 3600")
    parser.add_argument("--limit", type=int, default=1800, help="seconds, 600 to 28800")
    arguments = parser.parse_args()
    endpoint, config, alarms = arguments.endpoint, arguments.config, arguments.alarms
    bake, limit = arguments.bake, arguments.limit
    if not (1 <= bake <= 3600 and 600 <= limit <= 28800 and bake < limit and len(alarms) <= 10):
        parser.error("--bake: 1 to 3600; --limit: 600 to 28800, above --bake; --alarms: 10 at most")
    try:
        check_alarms(boto3.client("cloudwatch"), alarms)
        sagemaker = boto3.client("sagemaker")
        old = serving(sagemaker, endpoint)
        if old == config:  # nobody could tell a rollback from a success
            raise RuntimeError(f"{endpoint} serves {config} already")
        update(sagemaker, endpoint, config, alarms, bake, limit)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {endpoint} is as it was. Check the names, "
            "AWS_DEFAULT_REGION and credentials; no other update may be going on."
        )
    print(f"{endpoint}  from {old} to {config}  all at once, then a bake of {bake} s")
    print(f"watched by {', '.join(alarms)}. watch_update.py tells how this ends")


if __name__ == "__main__":
    main()
