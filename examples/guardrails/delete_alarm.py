"""Delete the alarms that create_alarm.py has made for an endpoint or one configuration of it."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

ENDINGS = ("4xx", "5xx", "latency")


# [start: delete]
def delete_alarms(cloudwatch: BaseClient, name: str) -> list[str]:
    """Delete those of the alarms that are there, and return their names.

    (`cloudwatch:DescribeAlarms`, `DeleteAlarms`.) name: of the endpoint or the configuration.
    """
    wanted = [f"{name}-{ending}" for ending in ENDINGS]
    found = cloudwatch.describe_alarms(AlarmNames=wanted)["MetricAlarms"]
    there = [alarm["AlarmName"] for alarm in found]
    if there:
        cloudwatch.delete_alarms(AlarmNames=there)
    return there


# [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", help="if create_alarm.py was given one")
    arguments = parser.parse_args()
    name = arguments.config or arguments.endpoint
    try:
        deleted = delete_alarms(boto3.client("cloudwatch"), name)
    except (BotoCoreError, ClientError) as error:
        names = ", ".join(f"{name}-{ending}" for ending in ENDINGS)
        sys.exit(
            f"{str(error).rstrip('.')}. {names} may still be there, and an alarm is billed. "
            "Check AWS_DEFAULT_REGION, credentials and rights, and run this again."
        )
    if not deleted:
        sys.exit(f"There is no alarm of {name}. Check the names and AWS_DEFAULT_REGION.")
    print("deleted", ", ".join(deleted))


if __name__ == "__main__":
    main()
