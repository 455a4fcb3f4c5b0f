"""Choose what a trail records beside management events, and print what it records now."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

Selector = dict[str, Any]
MANAGEMENT: Selector = {
    "Name": "management",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}


def selectors_for(bucket: str) -> list[Selector]:
    """Management events without KMS, writes to one bucket, and what S3 endpoints refuse."""
    # [start: selectors]
    management = [
        {"Field": "eventCategory", "Equals": ["Management"]},
        {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},  # SSE-KMS makes many
    ]
    writes = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "readOnly", "Equals": ["false"]},
        # With the slash: no other bucket whose name begins alike
        {"Field": "resources.ARN", "StartsWith": [f"arn:aws:s3:::{bucket}/"]},
    ]
    refusals = [
        {"Field": "eventCategory", "Equals": ["NetworkActivity"]},
        {"Field": "eventSource", "Equals": ["s3.amazonaws.com"]},
        {"Field": "errorCode", "Equals": ["VpceAccessDenied"]},
    ]
    return [
        {"Name": "management, without KMS", "FieldSelectors": management},
        {"Name": "writes to one bucket", "FieldSelectors": writes},
        {"Name": "refused by VPC endpoints", "FieldSelectors": refusals},
    ]
    # [end: selectors]


def select_events(cloudtrail: BaseClient, trail: str, selectors: list[Selector]) -> None:
    """Replace all selectors, basic ones included (`cloudtrail:PutEventSelectors`).

    Raises ClientError, for example with code InvalidEventSelectorsException.
    """
    cloudtrail.put_event_selectors(TrailName=trail, AdvancedEventSelectors=selectors)


def show_selectors(cloudtrail: BaseClient, trail: str) -> None:
    """Print what is recorded, read back (`cloudtrail:GetEventSelectors`)."""
    answer = cloudtrail.get_event_selectors(TrailName=trail)
    for selector in answer["AdvancedEventSelectors"]:
        print(selector["Name"])
        for field in selector["FieldSelectors"]:
            for operator in sorted(field.keys() - {"Field"}):
                print(f"  {field['Field']} {operator} {', '.join(field[operator])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--bucket", help="record what is written to it and deleted from it")
    chosen.add_argument("--reset", action="store_true", help="management events only, KMS included")
    arguments = parser.parse_args()
    trail = arguments.trail_name
    selectors = selectors_for(arguments.bucket) if arguments.bucket else [MANAGEMENT]
    left = f"What the trail {trail} records has not changed."
    try:
        cloudtrail = boto3.client("cloudtrail")
        cloudtrail.get_event_selectors(TrailName=trail)  # so that a wrong name changes nothing
        left = f"What the trail {trail} records may have changed."
        select_events(cloudtrail, trail, selectors)
        show_selectors(cloudtrail, trail)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the names, AWS_DEFAULT_REGION, credentials and network, then run it again."
        )


if __name__ == "__main__":
    main()
