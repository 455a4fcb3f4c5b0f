"""From data to a rolled-back deployment and to nothing left, by plain boto3.

Usage: python by_boto3.py FOLDER, with AWS_ENDPOINT_URL set. FOLDER holds good.csv, bad.csv (trained
on other columns) and request.csv. Prints one line per step.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "amzn-s3-demo-bucket-walk"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ENDPOINT = "walk"


def train(sm: Any, name: str) -> str:
    """Train on `<name>.csv`; returns the address of the artifact."""
    channel = {
        "ChannelName": "train",
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"s3://{BUCKET}/data/{name}.csv",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }
    sm.create_training_job(
        TrainingJobName=f"walk-{name}",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"objective": "binary:logistic", "num_round": "5", "max_depth": "3"},
        InputDataConfig=[channel],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sm.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=f"walk-{name}")
    job = sm.describe_training_job(TrainingJobName=f"walk-{name}")
    print(f"training {name}:", job["TrainingJobStatus"])
    return str(job["ModelArtifacts"]["S3ModelArtifacts"])


def configure(sm: Any, name: str, artifact: str) -> None:
    """A model and an endpoint configuration for it, with data capture."""
    container = {"Image": IMAGE, "ModelDataUrl": artifact}
    sm.create_model(ModelName=f"walk-{name}", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    sm.create_endpoint_config(
        EndpointConfigName=f"walk-{name}",
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": f"walk-{name}",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 2,
            }
        ],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )


def invoke(runtime: Any, body: bytes, times: int) -> tuple[int, int]:
    """How many requests were answered, and how many failed in the model."""
    answered = failed = 0
    for number in range(times):
        try:
            runtime.invoke_endpoint(
                EndpointName=ENDPOINT,
                Body=body,
                ContentType="text/csv",
                InferenceId=f"request-{number}",
            )
            answered += 1
        except ClientError as error:
            if error.response["Error"]["Code"] != "ModelError":
                raise
            failed += 1
    return answered, failed


def put_alarm(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName="walk-errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation4XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": ENDPOINT},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )


def update_by_canary(sm: Any) -> None:
    sm.update_endpoint(
        EndpointName=ENDPOINT,
        EndpointConfigName="walk-bad",
        DeploymentConfig={
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    "WaitIntervalInSeconds": 300,
                },
                "MaximumExecutionTimeoutInSeconds": 1800,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "walk-errors"}]},
        },
    )


def wait_for_the_canary(sm: Any) -> None:
    """Until the new fleet takes traffic; each look is one step of the lab's instant clock."""
    for _ in range(100):
        endpoint = sm.describe_endpoint(EndpointName=ENDPOINT)
        pending = endpoint.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        if any(s["Status"] == "Baking" for v in pending for s in v.get("VariantStatus", [])):
            return
    raise SystemExit("the canary never took traffic")


def captured(s3: Any) -> list[dict[str, Any]]:
    keys = [
        found["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="capture/")
        for found in page.get("Contents", [])
    ]
    lines = [
        line
        for key in keys
        for line in s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().splitlines()
    ]
    return [json.loads(line) for line in lines]


def clean_up(sm: Any, cloudwatch: Any, logs: Any, bucket: Any) -> None:
    sm.delete_endpoint(EndpointName=ENDPOINT)
    sm.get_waiter("endpoint_deleted").wait(EndpointName=ENDPOINT)
    for name in ("good", "bad"):
        sm.delete_endpoint_config(EndpointConfigName=f"walk-{name}")
        sm.delete_model(ModelName=f"walk-{name}")
        sm.delete_training_job(TrainingJobName=f"walk-{name}")
    cloudwatch.delete_alarms(AlarmNames=["walk-errors"])
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])
    bucket.objects.all().delete()
    bucket.delete()


def main() -> None:
    folder = Path(sys.argv[1])
    sm, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime", config=ONCE)
    cloudwatch, logs, s3 = boto3.client("cloudwatch"), boto3.client("logs"), boto3.client("s3")
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.create(CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    for name in ("good", "bad"):
        bucket.upload_file(str(folder / f"{name}.csv"), f"data/{name}.csv")
        configure(sm, name, train(sm, name))
    sm.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="walk-good")
    sm.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT)
    body = (folder / "request.csv").read_bytes()
    print("before the update:", *invoke(runtime, body, 3))
    put_alarm(cloudwatch)
    update_by_canary(sm)
    wait_for_the_canary(sm)
    answered, failed = invoke(runtime, body, 8)
    print("during the canary: failures", "yes" if failed else "no")
    sm.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT)
    print("configuration:", sm.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"])
    alarm = cloudwatch.describe_alarms(AlarmNames=["walk-errors"])["MetricAlarms"][0]
    print("alarm:", alarm["StateValue"])
    print("after the rollback:", *invoke(runtime, body, 3))
    records = captured(s3)
    print("captured all answers:", len(records) >= 6 + answered)
    clean_up(sm, cloudwatch, logs, bucket)


ONCE = Config(retries={"total_max_attempts": 1})

if __name__ == "__main__":
    main()
