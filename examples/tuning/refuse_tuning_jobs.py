"""Show what SageMaker says to tuning jobs that break a rule; none of them starts."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
OBJECTIVE = {"Type": "Minimize", "MetricName": "validation:logloss"}
ETA = {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.5", "ScalingType": "Logarithmic"}


def search(ranges: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A configuration of continuous ranges, changed so that it breaks a rule."""
    return {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": OBJECTIVE,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"ContinuousParameterRanges": [ranges]},
        **changes,
    }


# [start: cases]
HYPERBAND = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
CASES = {
    "Grid with a continuous range": search(ETA, Strategy="Grid"),
    "Hyperband with early stopping": search(
        ETA, Strategy="Hyperband", StrategyConfig=HYPERBAND, TrainingJobEarlyStoppingType="Auto"
    ),
    "Hyperband without MaxResource": search(ETA, Strategy="Hyperband"),
    "Logarithmic from 0": search(ETA | {"MinValue": "0"}),
    "ReverseLogarithmic up to 1": search(
        ETA | {"MaxValue": "1", "ScalingType": "ReverseLogarithmic"}
    ),
}
# [end: cases]


def channel(name: str) -> dict[str, Any]:
    """A channel of CSV data; nothing reads it, for the request is refused."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def refusal(sagemaker: BaseClient, name: str, config: dict[str, Any], role: str) -> str:
    """What the service answers (`sagemaker:CreateHyperParameterTuningJob`).

    Raises RuntimeError: the service has accepted it. ClientError: another error than a refusal.
    """
    definition = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "StaticHyperParameters": {"objective": "binary:logistic", "num_round": "1"},
        "RoleArn": role,
        "InputDataConfig": [channel(name) for name in ("train", "validation")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuning"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    try:
        sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig=config,
            TrainingJobDefinition=definition,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return error.response["Error"]["Message"]
    raise RuntimeError(f"{name} was accepted and may be billed: stop it with stop_tuning_job.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role-arn", required=True)
    role = parser.parse_args().role_arn
    try:
        sagemaker = boto3.client("sagemaker")
        for number, (rule, config) in enumerate(CASES.items(), 1):
            print(f"{rule}\n  {refusal(sagemaker, f'refused-{number}', config, role)}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The tests end here; no other tuning job has started. "
            "Check the role, AWS_DEFAULT_REGION, credentials and network."
        )


if __name__ == "__main__":
    main()
