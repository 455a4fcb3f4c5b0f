"""Delete an ended SageMaker tuning job, its training jobs and their logs; the models stay in S3."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

GROUP = "/aws/sagemaker/TrainingJobs"


# [start: delete]
def check_ended(sagemaker: BaseClient, name: str) -> None:
    """Raises RuntimeError: the job still runs (`sagemaker:DescribeHyperParameterTuningJob`)."""
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    if job["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
        raise RuntimeError(f"{name} has not ended: stop it with stop_tuning_job.py")


def list_jobs(sagemaker: BaseClient, name: str) -> list[str]:
    """The training jobs (`sagemaker:ListTrainingJobsForHyperParameterTuningJob`)."""
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name
    )
    return [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]


def delete_logs(logs: BaseClient, jobs: list[str]) -> int:
    """Delete the log streams of training jobs; returns their number.

    Stands on `logs:DescribeLogStreams` and `logs:DeleteLogStream`.
    """
    deleted = 0
    for job in jobs:
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=GROUP, logStreamNamePrefix=f"{job}/"
        )
        try:
            streams = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except logs.exceptions.ResourceNotFoundException:  # no training job has ever said anything
            return 0
        for stream in streams:
            logs.delete_log_stream(logGroupName=GROUP, logStreamName=stream)
        deleted += len(streams)
    return deleted


def delete_jobs(sagemaker: BaseClient, name: str, jobs: list[str]) -> None:
    """Delete the training jobs, then the tuning job that lists them.

    Raises ClientError, with code ResourceInUse while the tuning job runs.
    """
    for job in jobs:
        try:
            sagemaker.delete_training_job(TrainingJobName=job)
        except ClientError as error:  # an earlier run has deleted it
            if "not found" not in str(error):
                raise
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


# [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the tuning job")
    name = parser.parse_args().name
    left = "Nothing was deleted"
    try:
        sagemaker = boto3.client("sagemaker")
        check_ended(sagemaker, name)
        jobs = list_jobs(sagemaker, name)
        left = f"{name} may still be there, without some of its training jobs and logs in {GROUP}"
        streams = delete_logs(boto3.client("logs"), jobs)
        delete_jobs(sagemaker, name, jobs)
    except (BotoCoreError, ClientError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. {left}. "
            "Check the name, AWS_DEFAULT_REGION and credentials; then run this again."
        )
    print(f"deleted {name}: {len(jobs)} training jobs, {streams} log streams")


if __name__ == "__main__":
    main()
