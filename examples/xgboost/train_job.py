"""Train with SageMaker's built-in XGBoost, wait for the model, and say why if there is none."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"  # Tokyo
DEFAULTS = {"objective": "binary:logistic", "num_round": "50", "max_depth": "3", "eta": "0.2"}


def check_image(image: str, region: str) -> None:
    """Raises RuntimeError: an image that lies in another Region is refused by SageMaker."""
    if ".ecr." in image and f".ecr.{region}." not in image:
        raise RuntimeError(f"{image} is not in {region}: give --image the image of your Region")


# [start: create]
def job_request(options: dict[str, str], hyperparameters: dict[str, str]) -> dict[str, Any]:
    """What CreateTrainingJob takes; the values of all hyperparameters are strings."""
    bucket = options["bucket"]

    def channel(name: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{name}/"}
        return {
            "ChannelName": name,
            "ContentType": options["content_type"],  # without it: libsvm
            "DataSource": {"S3DataSource": source},
        }

    return {
        "TrainingJobName": options["job_name"],
        "RoleArn": options["role_arn"],
        "AlgorithmSpecification": {"TrainingImage": options["image"], "TrainingInputMode": "File"},
        "HyperParameters": hyperparameters,
        "InputDataConfig": [channel("train"), channel("validation")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},  # the most that a mistake can cost
    }


# [end: create]


# [start: wait]
def ended_job(sagemaker: BaseClient, name: str) -> dict[str, Any]:
    """The job at its end, failed or not (`sagemaker:DescribeTrainingJob`)."""
    try:
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    except WaiterError as error:
        if error.last_response.get("TrainingJobStatus") != "Failed":
            raise
    return sagemaker.describe_training_job(TrainingJobName=name)


# [end: wait]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job-name", required=True)
    parser.add_argument("--bucket", required=True, help="with train/ and validation/")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--content-type", default="text/csv")
    parser.add_argument("--image", default=IMAGE, help="of your Region")
    parser.add_argument("hyperparameters", nargs="*", metavar="NAME=VALUE")
    options = vars(parser.parse_args())
    name, left = options["job_name"], "No job was started."
    try:
        own = dict(text.split("=", 1) for text in options.pop("hyperparameters"))
    except ValueError:
        parser.error("write hyperparameters as NAME=VALUE, such as max_depth=4")
    try:
        sagemaker = boto3.client("sagemaker")
        check_image(options["image"], sagemaker.meta.region_name)
        sagemaker.create_training_job(**job_request(options, DEFAULTS | own))
        left = (
            f"The job {name} was started and ends within 10 minutes: delete_job.py deletes it with "
            f"its logs in /aws/sagemaker/TrainingJobs, remove_bucket.py {options['bucket']} with "
            "its model."
        )
        job = ended_job(sagemaker, name)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "Check the options, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(f"{name}  {job['TrainingJobStatus']}")
    if job["TrainingJobStatus"] == "Failed":
        sys.exit(job["FailureReason"])
    for metric in job.get("FinalMetricDataList", []):
        print(f"  {metric['MetricName']:20}  {metric['Value']:.5f}")
    print(f"  {job['ModelArtifacts']['S3ModelArtifacts']}")


if __name__ == "__main__":
    main()
