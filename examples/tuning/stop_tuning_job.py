"""Stop a SageMaker tuning job with its training jobs, so that nothing is billed any more."""

import argparse
import sys
import time

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE = 5  # seconds between two looks


# [start: stop]
def stop_tuning_job(sagemaker: BaseClient, name: str) -> str:
    """The state in which it has ended (`sagemaker:StopHyperParameterTuningJob`).

    The training jobs that run are stopped as well (`sagemaker:DescribeHyperParameterTuningJob`).
    Raises ClientError, for example with code ResourceNotFound.
    """
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            return job["HyperParameterTuningJobStatus"]
        time.sleep(PAUSE)


# [end: stop]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the tuning job")
    name = parser.parse_args().name
    try:
        status = stop_tuning_job(boto3.client("sagemaker"), name)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. {name} may still run and be billed: check "
            "the name, AWS_DEFAULT_REGION, credentials and network; then run this again."
        )
    print(f"{name} is {status}")


if __name__ == "__main__":
    main()
