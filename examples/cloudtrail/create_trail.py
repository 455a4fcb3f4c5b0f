"""Create a trail for all Regions, with encrypted and verifiable log files, and start it."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def create_trail(cloudtrail: BaseClient, name: str, bucket: str, key_alias: str) -> None:
    """Create the trail, which does not log yet (`cloudtrail:CreateTrail`).

    Raises ClientError, for example with code TrailAlreadyExistsException,
    S3BucketDoesNotExistException, InsufficientS3BucketPolicyException or
    InsufficientEncryptionPolicyException.
    """
    # [start: create]
    cloudtrail.create_trail(
        Name=name,
        S3BucketName=bucket,
        IsMultiRegionTrail=True,  # the API's default is one Region
        IncludeGlobalServiceEvents=True,  # IAM, STS, CloudFront
        EnableLogFileValidation=True,  # the API's default is off
        KmsKeyId=key_alias,
    )
    # [end: create]


def show_trail(cloudtrail: BaseClient, name: str) -> None:
    """Print what AWS says of it now (`cloudtrail:GetTrail`, `cloudtrail:GetTrailStatus`)."""
    trail = cloudtrail.get_trail(Name=name)["Trail"]
    logging = cloudtrail.get_trail_status(Name=name)["IsLogging"]
    print(f"trail: {trail['Name']}, home Region {trail['HomeRegion']}")
    print(f"bucket: {trail['S3BucketName']}")
    print(f"all Regions: {trail['IsMultiRegionTrail']}")
    print(f"global services: {trail['IncludeGlobalServiceEvents']}")
    print(f"log file validation: {trail['LogFileValidationEnabled']}")
    print(f"encrypted with: {trail['KmsKeyId']}")
    print(f"logging: {logging}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True)
    parser.add_argument("--bucket", required=True, help="see create_log_bucket.py")
    parser.add_argument("--key-alias", required=True, help="see create_log_key.py")
    arguments = parser.parse_args()
    name, left = arguments.trail_name, "No trail was created."
    try:
        cloudtrail = boto3.client("cloudtrail")
        create_trail(cloudtrail, name, arguments.bucket, arguments.key_alias)
        left = (
            f"The trail {name} exists and does not log: "
            "remove it with remove_trail.py and run this again."
        )
        cloudtrail.start_logging(Name=name)
        left = f"The trail {name} exists and logs to {arguments.bucket}: see remove_trail.py."
        show_trail(cloudtrail, name)
    except (BotoCoreError, ClientError) as error:
        advice = "Check the names, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")


if __name__ == "__main__":
    main()
