"""Delete training jobs that have ended, with their logs; their models stay in the bucket."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

GROUP = "/aws/sagemaker/TrainingJobs"  # made by SageMaker for the logs of all training jobs


def delete_logs(logs: BaseClient, name: str) -> int:
    """Delete the log streams of a job, one per instance; returns their number.

    Stands on `logs:DescribeLogStreams` and `logs:DeleteLogStream`.
    """
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=GROUP, logStreamNamePrefix=f"{name}/"
    )
    try:
        streams = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except logs.exceptions.ResourceNotFoundException:  # no job has ever said anything
        return 0
    for stream in streams:
        logs.delete_log_stream(logGroupName=GROUP, logStreamName=stream)
    return len(streams)


def delete_job(sagemaker: BaseClient, name: str) -> bool:
    """Delete the record of a job; False if there is none (`sagemaker:DeleteTrainingJob`).

    Raises ClientError for every other reason, such as that the job runs.
    """
    try:
        sagemaker.delete_training_job(TrainingJobName=name)
    except ClientError as error:
        if "not found" not in error.response["Error"]["Message"]:
            raise
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job-name", required=True, nargs="+")
    names = parser.parse_args().job_name
    problems, found = [], False
    for name in names:
        try:
            sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
            there = delete_job(sagemaker, name)  # first: a job that runs keeps its logs
            streams = delete_logs(logs, name)
        except (BotoCoreError, ClientError) as error:
            left = f"{name} or its logs in {GROUP} may still be there"
            problems.append(f"{str(error).rstrip('.')}. {left}.\n")
            continue
        print(f"{'deleted' if there else 'no job'} {name}, log streams: {streams}")
        found = found or there or streams > 0
    if problems:
        advice = "A job that runs must end first. Check AWS_DEFAULT_REGION and credentials."
        sys.exit(f"{''.join(problems)}{advice} Then run this again.")
    if not found:
        sys.exit("Nothing was deleted. Check the names and AWS_DEFAULT_REGION.")


if __name__ == "__main__":
    main()
