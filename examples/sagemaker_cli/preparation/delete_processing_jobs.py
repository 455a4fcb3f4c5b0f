"""Delete processing jobs that have ended, with their logs."""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

GROUP = "/aws/sagemaker/ProcessingJobs"


def delete(name: str) -> None:
    boto3.client("sagemaker").delete_processing_job(ProcessingJobName=name)
    logs = boto3.client("logs")
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=GROUP, logStreamNamePrefix=f"{name}/"
    )
    try:
        streams = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except logs.exceptions.ResourceNotFoundException:  # no job has ever said anything
        return
    for stream in streams:
        logs.delete_log_stream(logGroupName=GROUP, logStreamName=stream)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME")
    for name in parser.parse_args().names:
        try:
            delete(name)
        except (BotoCoreError, ClientError) as error:
            sys.exit(f"{name} or its logs in {GROUP} may still be there: {error}")
        print(f"deleted {name}")


if __name__ == "__main__":
    main()
