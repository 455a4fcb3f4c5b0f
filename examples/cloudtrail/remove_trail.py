"""Stop and delete a trail; its bucket, its log files and its key stay."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def find_bucket(cloudtrail: BaseClient, name: str) -> str:
    """The bucket of a trail (`cloudtrail:GetTrail`).

    Raises ClientError with code TrailNotFoundException.
    """
    return cloudtrail.get_trail(Name=name)["Trail"]["S3BucketName"]


def remove_trail(cloudtrail: BaseClient, name: str) -> None:
    """Stop and delete it (`cloudtrail:StopLogging`, `cloudtrail:DeleteTrail`).

    Raises ClientError with code InvalidHomeRegionException: it was made in another Region.
    """
    # [start: remove]
    cloudtrail.stop_logging(Name=name)
    cloudtrail.delete_trail(Name=name)
    # [end: remove]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True)
    name = parser.parse_args().trail_name
    left = f"The trail {name} was not deleted."
    try:
        cloudtrail = boto3.client("cloudtrail")
        bucket = find_bucket(cloudtrail, name)
        left += f" It may have stopped to log to {bucket}."
        remove_trail(cloudtrail, name)
    except (BotoCoreError, ClientError) as error:
        advice = "Check the name, AWS_DEFAULT_REGION (the home Region), credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(f"deleted the trail {name}; nothing in {bucket} was deleted")


if __name__ == "__main__":
    main()
