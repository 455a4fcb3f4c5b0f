"""Track the CPU use of a registered variant, too: a metric for which there is no predefined one."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: policy]
def add_cpu_policy(scaling: BaseClient, endpoint: str, variant: str, percent: float) -> list[str]:
    """Put a second policy upon a registered variant; returns the names of all its policies.

    (`application-autoscaling:PutScalingPolicy`, `DescribeScalingPolicies`.) With several policies,
    the one that wants most instances wins; fewer come only when all of them agree. Raises
    ClientError: the variant is not registered.
    """
    resource = f"endpoint/{endpoint}/variant/{variant}"
    metric: dict[str, Any] = {
        "MetricName": "CPUUtilization",
        "Namespace": "/aws/sagemaker/Endpoints",
        "Dimensions": [
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": variant},
        ],
        "Statistic": "Average",
        "Unit": "Percent",
    }
    scaling.put_scaling_policy(
        ServiceNamespace="sagemaker",
        ResourceId=resource,
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": percent,
            "CustomizedMetricSpecification": metric,
        },
    )
    found = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=resource)
    return sorted(policy["PolicyName"] for policy in found["ScalingPolicies"])


# [end: policy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--variant", default="AllTraffic")
    parser.add_argument("--percent", type=float, required=True, help="of one processor")
    parser.add_argument("--processors", type=int, required=True, help="of the instance type")
    arguments = parser.parse_args()
    percent, processors = arguments.percent, arguments.processors
    if processors < 1 or not 0 < percent <= 100:
        parser.error("--processors: 1 or more; --percent: above 0, up to 100")
    resource = f"endpoint/{arguments.endpoint}/variant/{arguments.variant}"
    target = percent * processors  # CPUUtilization is the sum over the processors
    try:
        scaling = boto3.client("application-autoscaling")
        policies = add_cpu_policy(scaling, arguments.endpoint, arguments.variant, target)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The policy cpu of {resource} may be set; remove_scaling.py "
            "removes it. add_scaling_policy.py registers a variant. Check names and rights."
        )
    print(f"policy cpu: {target:g} = {percent:g} % of {processors} processors")
    print(f"{resource}  policies: {', '.join(policies)}")


if __name__ == "__main__":
    main()
