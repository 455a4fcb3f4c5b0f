"""Stop a variant from scaling: with its registration go its policies, alarms and schedules."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: remove]
def remove_scaling(scaling: BaseClient, endpoint: str, variant: str) -> bool:
    """Deregister the variant; False if it was not registered.

    (`application-autoscaling:DeregisterScalableTarget`.) The number of instances stays as it is.
    """
    try:
        scaling.deregister_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{endpoint}/variant/{variant}",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ObjectNotFoundException":
            return False
        raise
    return True


# [end: remove]


def what_is_left(scaling: BaseClient, endpoint: str, variant: str) -> list[str]:
    """Names of policies and scheduled actions that are still there.

    (`application-autoscaling:DescribeScalingPolicies`, `DescribeScheduledActions`.)
    """
    asked = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
    }
    policies = scaling.describe_scaling_policies(**asked)["ScalingPolicies"]
    actions = scaling.describe_scheduled_actions(**asked)["ScheduledActions"]
    return [p["PolicyName"] for p in policies] + [a["ScheduledActionName"] for a in actions]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--variant", default="AllTraffic")
    arguments = parser.parse_args()
    endpoint, variant = arguments.endpoint, arguments.variant
    try:
        scaling = boto3.client("application-autoscaling")
        removed = remove_scaling(scaling, endpoint, variant)
        left = what_is_left(scaling, endpoint, variant)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. endpoint/{endpoint}/variant/{variant} may still scale: "
            "check AWS_DEFAULT_REGION and rights, and run this again before the endpoint goes."
        )
    if left:
        sys.exit(f"Still there: {', '.join(left)}. Run this again.")
    print(f"{endpoint}/{variant}  " + ("scales no more" if removed else "was not registered"))


if __name__ == "__main__":
    main()
