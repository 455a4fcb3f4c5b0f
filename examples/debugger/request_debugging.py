"""Request a training job with Debugger's hook and rules, and print what SageMaker keeps of them."""

import argparse
import contextlib
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError, WaiterError


# [start: debugger]
def debugger(bucket: str, rule_image: str) -> dict[str, Any]:
    """The two members of CreateTrainingJob that turn Debugger on. All values are strings."""
    every_five = {"save_interval": "5"}
    return {
        "DebugHookConfig": {  # what the hook in the container writes, and how often
            "S3OutputPath": f"s3://{bucket}/debug",
            "CollectionConfigurations": [
                {"CollectionName": "metrics", "CollectionParameters": every_five},
                {"CollectionName": "feature_importance", "CollectionParameters": every_five},
            ],
        },
        "DebugRuleConfigurations": [  # what jobs beside the training judge
            {
                "RuleConfigurationName": rule,
                "RuleEvaluatorImage": rule_image,
                "RuleParameters": {"rule_to_invoke": rule, **parameters},
            }
            for rule, parameters in (
                ("LossNotDecreasing", {"collection_names": "metrics", "num_steps": "10"}),
                ("FeatureImportanceOverweight", {"threshold": "0.8", "nfeatures": "3"}),
            )
        ],
    }


# [end: debugger]


def create_job(
    sagemaker: BaseClient, name: str, bucket: str, role_arn: str, image: str, rule_image: str
) -> None:
    """Start training on the CSV files below `train/` of the bucket, under Debugger.

    Raises ClientError (`sagemaker:CreateTrainingJob`, with `iam:PassRole`).
    """
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=role_arn,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters={"objective": "binary:logistic", "num_round": "50"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": source},
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/output"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 1800},
        **debugger(bucket, rule_image),
    )


def print_debugger(job: dict[str, Any]) -> None:
    """Print the collections, the rules and their states of a described job.

    Raises RuntimeError: it was requested without Debugger.
    """
    if not (hook := job.get("DebugHookConfig")):
        raise RuntimeError(f"{job['TrainingJobName']} was requested without Debugger")
    print(f"{job['TrainingJobName']}: tensors below {hook['S3OutputPath']}")
    for collection in hook.get("CollectionConfigurations", []):
        print(f"  {collection['CollectionName']}  {collection.get('CollectionParameters', {})}")
    states = {
        state["RuleConfigurationName"]: state["RuleEvaluationStatus"]
        for state in job.get("DebugRuleEvaluationStatuses", [])
    }
    for rule in job.get("DebugRuleConfigurations", []):
        name = rule["RuleConfigurationName"]
        print(f"  {name}  {rule.get('RuleParameters', {})}  {states.get(name, 'no state')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--job-name", required=True)
    parser.add_argument("--ended", action="store_true", help="request nothing; wait for the end")
    for option in ("bucket", "role-arn", "image", "rule-image"):
        parser.add_argument(f"--{option}", required="--ended" not in sys.argv)
    asked = vars(parser.parse_args())
    name, ended = asked.pop("job_name"), asked.pop("ended")
    what = "Nothing was requested" if ended else "No training job was confirmed"
    left = f"{what}. If {name} runs, it is billed until it ends"
    try:
        sagemaker = boto3.client("sagemaker")
        if ended:
            # A job that has failed, or does not exist, ends the wait: the next call says which.
            with contextlib.suppress(WaiterError):
                waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
                waiter.wait(TrainingJobName=name)
        else:
            region = sagemaker.meta.region_name
            for image in (asked["image"], asked["rule_image"]):
                if ".ecr." in image and f".ecr.{region}." not in image:
                    parser.error(f"{image} is not in {region}; name the image of your Region")
            create_job(sagemaker, name, **asked)
            left = f"The training job {name} was started and is billed until it ends"
        job = sagemaker.describe_training_job(TrainingJobName=name)
        print_debugger(job)
    except (BotoCoreError, ClientError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. {left}; "
            "stop-training-job ends it, delete_job.py deletes it. "
            "Check the options, AWS_DEFAULT_REGION, credentials and network."
        )
    if ended and job["TrainingJobStatus"] not in ("Completed", "Stopped"):
        sys.exit(f"{name} is {job['TrainingJobStatus']}. {job.get('FailureReason', 'Wait again.')}")


if __name__ == "__main__":
    main()
