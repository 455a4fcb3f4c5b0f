"""Start SageMaker training jobs with wrong hyperparameters and print why each of them failed."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

LOGS = "/aws/sagemaker/TrainingJobs"  # the log group of all training jobs


def check_image(image: str, region: str) -> None:
    """Raises RuntimeError: an image that lies in another Region is refused by SageMaker."""
    if ".ecr." in image and f".ecr.{region}." not in image:
        raise RuntimeError(f"{image} is not in {region}: give --image the image of your Region")


def start_job(
    sagemaker: BaseClient, job: str, place: argparse.Namespace, wrong: dict[str, str]
) -> None:
    """Start a training job of the built-in algorithm (`sagemaker:CreateTrainingJob`).

    The request passes: what is wrong with a hyperparameter, only the container knows.
    """
    data = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{place.bucket}/train/"}
    source = {"S3DataSource": data}
    # [start: create]
    sagemaker.create_training_job(
        TrainingJobName=job,
        RoleArn=place.role_arn,
        AlgorithmSpecification={"TrainingImage": place.image, "TrainingInputMode": "File"},
        HyperParameters=wrong,
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": f"s3://{place.bucket}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    # [end: create]


def why_failed(sagemaker: BaseClient, job: str) -> str:
    """Wait for the end of a job; the reason in one line (`sagemaker:DescribeTrainingJob`).

    Raises WaiterError: the job cannot be watched, or does not end.
    """
    # [start: reason]
    try:
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job)
    except WaiterError as error:  # to the waiter, a failed job is an error
        if error.last_response.get("TrainingJobStatus") != "Failed":
            raise
        return " ".join(error.last_response["FailureReason"].split())
    return "It did not fail."
    # [end: reason]


def delete_job(sagemaker: BaseClient, logs: BaseClient, job: str) -> None:
    """Delete a job that has ended, and its log (`logs:DescribeLogStreams`, `DeleteLogStream`)."""
    found = logs.describe_log_streams(logGroupName=LOGS, logStreamNamePrefix=f"{job}/")
    for stream in found["logStreams"]:
        logs.delete_log_stream(logGroupName=LOGS, logStreamName=stream["logStreamName"])
    sagemaker.delete_training_job(TrainingJobName=job)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True, help="with training data below train/")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--image", required=True, help="of the built-in XGBoost in this Region")
    parser.add_argument("--name", default="refused", help="how the names of the jobs begin")
    parser.add_argument("wrong", nargs="+", help='of one job, such as "num_round=10 eta=2"')
    place = parser.parse_args()
    if unclear := [pair for text in place.wrong for pair in text.split() if "=" not in pair]:
        parser.error(f"{unclear[0]}: write each hyperparameter as name=value")
    left = "No job was started."
    try:
        sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
        check_image(place.image, sagemaker.meta.region_name)
        for number, text in enumerate(place.wrong, 1):
            job = f"{place.name}-{number}"
            start_job(sagemaker, job, place, dict(pair.split("=", 1) for pair in text.split()))
            left = (
                f"The job {job} ends by itself. Then delete it with delete-training-job, and its "
                f"log in {LOGS} with delete-log-stream."
            )
            print(f"{text}\n  {why_failed(sagemaker, job)}")
            delete_job(sagemaker, logs, job)
            left = "No job is left."
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the options, credentials and network.")


if __name__ == "__main__":
    main()
