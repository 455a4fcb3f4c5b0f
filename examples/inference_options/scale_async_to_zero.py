"""Let an asynchronous endpoint go down to no instance and come back, and wait until it is down."""

import argparse
import sys
import time

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE, LOOKS = 30.0, 80  # seconds between two looks, and how many: 40 minutes
MOST = 2  # instances
STEP = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}  # one more instance


# [start: scale]
def scale(scaling: BaseClient, cloudwatch: BaseClient, endpoint: str) -> None:
    """0 instances without requests, 1 when a request comes, then 5 waiting requests for each.

    (`application-autoscaling:RegisterScalableTarget`, `PutScalingPolicy`; `cloudwatch:
    PutMetricAlarm`.) Without the second policy, an instance comes when more than 5 requests wait.
    """
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=MOST)
    queue = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
    }
    backlog = {"MetricName": "ApproximateBacklogSizePerInstance", "Statistic": "Average"}
    scaling.put_scaling_policy(
        **target,
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": queue | backlog,
        },
    )
    steps = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [STEP]}
    kind = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": steps}
    wake = scaling.put_scaling_policy(**target, PolicyName="wake", **kind)
    cloudwatch.put_metric_alarm(
        **queue,
        AlarmName=f"{endpoint}-wake",
        MetricName="HasBacklogWithoutCapacity",  # 1 or 0, once a minute
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[wake["PolicyARN"]],
    )


# [end: scale]


def wait_for_zero(sagemaker: BaseClient, endpoint: str) -> bool:
    """Whether the last instance has gone by the last look (`sagemaker:DescribeEndpoint`)."""
    for _ in range(LOOKS):
        shown = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
        if not shown["CurrentInstanceCount"]:
            return True
        time.sleep(PAUSE)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="an asynchronous one")
    endpoint = parser.parse_args().endpoint
    try:
        scale(boto3.client("application-autoscaling"), boto3.client("cloudwatch"), endpoint)
        gone = wait_for_zero(boto3.client("sagemaker"), endpoint)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. endpoint/{endpoint}/variant/AllTraffic "
            f"may scale, and the alarm {endpoint}-wake be there: run this again, or "
            "stop_scaling.py. Check the name, AWS_DEFAULT_REGION and rights."
        )
    print(f"{endpoint}  0 to {MOST} instances, woken by the alarm {endpoint}-wake")
    print(f"{endpoint} has {'no instance now' if gone else 'an instance still, after 40 minutes'}")


if __name__ == "__main__":
    main()
