"""Let an inference component go down to no copy and come back, and wait until it is down."""

import argparse
import sys
import time

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE, LOOKS = 30.0, 80  # seconds between two looks, and how many: 40 minutes
MOST = 2  # copies
STEP = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}  # one more copy


# [start: scale]
def scale(scaling: BaseClient, cloudwatch: BaseClient, component: str) -> None:
    """No copies without calls, 1 after a call that failed, then 5 calls a minute for each.

    (`application-autoscaling:RegisterScalableTarget`, `PutScalingPolicy`;
    `cloudwatch:PutMetricAlarm`.) The endpoint needs ManagedInstanceScaling with MinInstanceCount 0,
    so that its instances go too.
    """
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"inference-component/{component}",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=MOST)
    calls = {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"}
    scaling.put_scaling_policy(
        **target,
        PolicyName="calls",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "PredefinedMetricSpecification": calls,
        },
    )
    steps = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [STEP]}
    kind = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": steps}
    wake = scaling.put_scaling_policy(**target, PolicyName="wake", **kind)
    cloudwatch.put_metric_alarm(
        AlarmName=f"{component}-wake",
        Namespace="AWS/SageMaker",
        MetricName="NoCapacityInvocationFailures",
        Dimensions=[{"Name": "InferenceComponentName", "Value": component}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,  # with GreaterThanThreshold it would take 2 failed calls in a minute
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[wake["PolicyARN"]],
    )


# [end: scale]


def wait_for_zero(sagemaker: BaseClient, name: str) -> bool:
    """Whether the last copy has gone by the last look (`DescribeInferenceComponent`)."""
    for _ in range(LOOKS):
        found = sagemaker.describe_inference_component(InferenceComponentName=name)
        if not found["RuntimeConfig"]["CurrentCopyCount"]:
            return True
        time.sleep(PAUSE)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--component", required=True)
    name = parser.parse_args().component
    try:
        scale(boto3.client("application-autoscaling"), boto3.client("cloudwatch"), name)
        gone = wait_for_zero(boto3.client("sagemaker"), name)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. inference-component/{name} may scale, and "
            f"the alarm {name}-wake be there: run this again, or stop_scaling.py --component "
            f"{name}. Check the name, AWS_DEFAULT_REGION and rights."
        )
    print(f"{name}  0 to {MOST} copies, woken by the alarm {name}-wake")
    print(f"{name} has {'no copy now' if gone else 'a copy still, after 40 minutes'}")


if __name__ == "__main__":
    main()
