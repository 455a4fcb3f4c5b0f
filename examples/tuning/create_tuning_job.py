"""Start a SageMaker tuning job of the built-in XGBoost algorithm."""

import argparse
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"


# [start: ranges]
def between(name: str, low: float, high: float, scale: str) -> dict[str, str]:
    """A range of a hyperparameter; the API takes numbers as strings."""
    return {"Name": name, "MinValue": str(low), "MaxValue": str(high), "ScalingType": scale}


RANGES = {
    "IntegerParameterRanges": [between("max_depth", 2, 8, "Linear")],
    "ContinuousParameterRanges": [
        between("eta", 0.01, 0.5, "Logarithmic"),
        between("min_child_weight", 1, 30, "Logarithmic"),
        between("subsample", 0.5, 1, "Linear"),
    ],
}
# [end: ranges]


# [start: request]
def search_config(strategy: str, seed: int, jobs: int) -> dict[str, Any]:
    """What is searched: one training job after the other, so that each can learn from the last."""
    return {
        "Strategy": strategy,
        "RandomSeed": seed,
        "HyperParameterTuningJobObjective": {
            "Type": "Minimize",
            "MetricName": "validation:logloss",
        },
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": RANGES,
        "TrainingJobEarlyStoppingType": "Off",
    }


def channel(bucket: str, name: str) -> dict[str, Any]:
    """The data below a prefix of the bucket, as CSV."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{name}/"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def definition(image: str, role: str, bucket: str, rounds: int) -> dict[str, Any]:
    """What every training job has in common."""
    return {
        "StaticHyperParameters": {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "num_round": str(rounds),
            "seed": "0",
        },
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": role,
        "InputDataConfig": [channel(bucket, name) for name in ("train", "validation")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/tuning"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


# [end: request]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the tuning job: 32 characters at most")
    parser.add_argument("--bucket", required=True, help="with train/ and validation/")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--image", default=IMAGE, help="of your Region")
    parser.add_argument("--strategy", choices=["Bayesian", "Random"], default="Bayesian")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    try:
        sagemaker = boto3.client("sagemaker")
        region = sagemaker.meta.region_name
        if ".ecr." in given.image and f".ecr.{region}." not in given.image:
            parser.error(
                f"--image: {given.image} is not in {region}; name the image of your Region"
            )
        sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=given.name,
            HyperParameterTuningJobConfig=search_config(given.strategy, given.seed, given.jobs),
            TrainingJobDefinition=definition(
                given.image, given.role_arn, given.bucket, given.rounds
            ),
        )
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{' '.join(str(error).split()).rstrip('.')}. "
            f"No tuning job was confirmed. If {given.name} exists, it is billed while it runs: "
            "stop_tuning_job.py stops it. "
            "Check the options, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{given.name}  {given.strategy}, {given.jobs} training jobs, one after the other")


if __name__ == "__main__":
    main()
