"""Have a variant scale by itself: register it, then keep its invocations per minute at a target."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: policy]
def add_policy(
    scaling: BaseClient, endpoint: str, variant: str, limits: tuple[int, int], policy: dict
) -> dict[str, Any]:
    """Register the variant, put the policy upon it, and read back the registration.

    (`application-autoscaling:RegisterScalableTarget`, `PutScalingPolicy`, which makes two alarms,
    `DescribeScalableTargets`.) If they are there already, both are changed. Raises ClientError: no
    such variant, or an instance type that does not scale.
    """
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=limits[0], MaxCapacity=limits[1])
    scaling.put_scaling_policy(
        **target,
        PolicyName="invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=policy,
    )
    return scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[target["ResourceId"]]
    )["ScalableTargets"][0]


# [end: policy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--variant", default="AllTraffic", help="its name in the endpoint")
    parser.add_argument("--target", type=float, required=True, help="a minute and instance")
    parser.add_argument("--min", type=int, default=1, help="instances")
    parser.add_argument("--max", type=int, required=True, help="instances")
    parser.add_argument("--out-cooldown", type=int, default=300, help="seconds")
    parser.add_argument("--in-cooldown", type=int, default=300, help="seconds")
    given = parser.parse_args()
    resource = f"endpoint/{given.endpoint}/variant/{given.variant}"
    if not 1 <= given.min <= given.max or given.target <= 0:
        parser.error("--min: 1 or more; --max: not below it; --target: above 0")
    if min(given.out_cooldown, given.in_cooldown) < 0:
        parser.error("--out-cooldown and --in-cooldown: not below 0")
    # [start: tracking]
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    policy = {
        "PredefinedMetricSpecification": metric,
        "TargetValue": given.target,
        "ScaleOutCooldown": given.out_cooldown,
        "ScaleInCooldown": given.in_cooldown,
    }
    # [end: tracking]
    try:
        scaling = boto3.client("application-autoscaling")
        limits = (given.min, given.max)
        target = add_policy(scaling, given.endpoint, given.variant, limits, policy)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. If {resource} was registered, it may scale: run this again "
            "or remove_scaling.py. Check the names, AWS_DEFAULT_REGION and rights."
        )
    print(f"{target['ResourceId']}  {target['MinCapacity']} to {target['MaxCapacity']} instances")
    print(f"policy invocations: {given.target:g} a minute and instance")


if __name__ == "__main__":
    main()
