"""Change the limits of a variant at fixed hours: ready before the traffic comes, small at night."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: schedule]
def schedule(
    scaling: BaseClient, resource: str, name: str, hour: int, limits: tuple[int, int], zone: str
) -> None:
    """From this hour of each working day on, the limits are others.

    (`application-autoscaling:PutScheduledAction`.) cron(minute hour day month weekday year). The
    policy goes on scaling between the limits. Raises ClientError: the variant is not registered.
    """
    scaling.put_scheduled_action(
        ServiceNamespace="sagemaker",
        ResourceId=resource,
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        ScheduledActionName=name,
        Schedule=f"cron(0 {hour} ? * MON-FRI *)",
        Timezone=zone,
        ScalableTargetAction={"MinCapacity": limits[0], "MaxCapacity": limits[1]},
    )


# [end: schedule]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--variant", default="AllTraffic")
    parser.add_argument("--hours", nargs=2, type=int, default=[8, 20], help="of day and night")
    parser.add_argument("--day", nargs=2, type=int, required=True, metavar=("MIN", "MAX"))
    parser.add_argument("--night", nargs=2, type=int, required=True, metavar=("MIN", "MAX"))
    parser.add_argument("--zone", default="Asia/Tokyo", help="without it, the hours are in UTC")
    given = parser.parse_args()
    resource = f"endpoint/{given.endpoint}/variant/{given.variant}"
    for hour, (least, most) in zip(given.hours, (given.day, given.night), strict=True):
        if not 0 <= hour < 24 or not 1 <= least <= most:
            parser.error("--hours: 0 to 23; --day and --night: a minimum of 1 or more, a maximum")
    times = {"day": (given.hours[0], given.day), "night": (given.hours[1], given.night)}
    try:
        scaling = boto3.client("application-autoscaling")
        for name, (hour, (least, most)) in times.items():
            schedule(scaling, resource, name, hour, (least, most), given.zone)
        found = scaling.describe_scheduled_actions(
            ServiceNamespace="sagemaker", ResourceId=resource
        )
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Of the actions day and night of {resource}, one may be "
            "set: run this again, or remove_scaling.py. add_scaling_policy.py registers a variant."
        )
    for action in sorted(found["ScheduledActions"], key=lambda one: one["ScheduledActionName"]):
        limits = action["ScalableTargetAction"]
        print(
            f"{action['ScheduledActionName']:5}  {action['Schedule']} {action['Timezone']}", end=""
        )
        print(f"  {limits['MinCapacity']} to {limits['MaxCapacity']} instances")


if __name__ == "__main__":
    main()
