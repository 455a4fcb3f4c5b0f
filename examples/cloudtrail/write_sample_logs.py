"""Write a month of made-up CloudTrail log files into a folder or a bucket, to try queries on."""

import argparse
import gzip
import json
import random
import string
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

ACCOUNT, FIRST_DAY = "111122223333", datetime(2026, 10, 1, tzinfo=UTC)
TOKYO, VIRGINIA, IRELAND = "ap-northeast-1", "us-east-1", "eu-west-1"
Record = dict[str, Any]


def user(name: str) -> Record:
    """The identity of an IAM user."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    return {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": name}


def role(name: str, session: str) -> Record:
    """The identity of a session of a role."""
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "userName": name}
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}"
    context = {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}
    return {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT, "sessionContext": context}


AIKO, KEN, DEPLOY = user("aiko"), user("ken"), user("ci-deploy")
MEI = role("AWSReservedSSO_ML_EXAMPLE", "mei@example.com")  # IAM Identity Center
SAML = role("Auditor", "rio@example.com")  # from an identity provider, by SAML
ETL, TRAINING = role("EtlRole", "nightly"), role("SageMakerExecutionRole", "SageMaker")
ROOT = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
SERVICE = {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
NOBODY = {"type": "IAMUser", "accountId": ACCOUNT, "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}
OFFICE, HOME, CLOUD = "192.0.2.10", "198.51.100.23", "203.0.113.5"  # documentation addresses

# How often a day, who, from where, in which Region and hours (UTC), service, event, object, error
HABITS = [
    (60, TRAINING, CLOUD, TOKYO, (0, 23), "s3", "GetObject", "training-data", None),
    (11, ETL, CLOUD, TOKYO, (17, 18), "s3", "PutObject", "features", None),
    (3, DEPLOY, CLOUD, TOKYO, (0, 9), "s3", "GetObject", "models", None),
    (1, MEI, OFFICE, TOKYO, (0, 9), "s3", "GetObject", "models", "AccessDenied"),
    (1, ETL, CLOUD, TOKYO, (17, 17), "s3", "PutObject", "features", "SlowDown"),
    (3, MEI, OFFICE, TOKYO, (0, 9), "sagemaker", "CreateTrainingJob", None, None),
    (12, MEI, OFFICE, TOKYO, (0, 9), "sagemaker", "DescribeTrainingJob", None, None),
    (1, DEPLOY, CLOUD, TOKYO, (1, 8), "sagemaker", "CreateModel", None, None),
    (1, DEPLOY, CLOUD, TOKYO, (1, 8), "sagemaker", "CreateEndpointConfig", None, None),
    (1, DEPLOY, CLOUD, TOKYO, (1, 8), "sagemaker", "UpdateEndpoint", None, None),
    (6, DEPLOY, CLOUD, TOKYO, (1, 8), "sagemaker", "DescribeEndpoint", None, None),
    (2, DEPLOY, CLOUD, TOKYO, (1, 8), "sagemaker", "DescribeEndpoint", None, "ThrottlingException"),
    (1, KEN, OFFICE, IRELAND, (1, 8), "ec2", "RunInstances", None, "Client.UnauthorizedOperation"),
    (5, AIKO, OFFICE, IRELAND, (0, 9), "ec2", "DescribeInstances", None, None),
    (4, AIKO, OFFICE, VIRGINIA, (0, 9), "iam", "ListUsers", None, None),
    (8, SERVICE, "cloudtrail.amazonaws.com", TOKYO, (0, 23), "s3", "GetBucketAcl", "logs", None),
]
# Day of October, hour, who, from where, whether MFA was used, the result; other sign-ins follow
SIGN_INS = [
    (3, 22, NOBODY, "203.0.113.77", "No", "Failure"),
    (5, 0, KEN, OFFICE, "No", "Failure"),
    (5, 0, KEN, OFFICE, "No", "Success"),
    (14, 2, ROOT, HOME, "No", "Success"),
    (21, 16, KEN, HOME, "No", "Success"),
]
SIGN_INS += [(day, 0, AIKO, OFFICE, "Yes", "Success") for day in range(1, 32)]
SIGN_INS += [(day, 1, MEI, OFFICE, "No", "Success") for day in range(1, 32, 7)]  # asked by …
SIGN_INS += [(day, 1, SAML, HOME, "No", "Success") for day in (8, 22)]  # … their provider


def record(who: Record, address: str, region: str, service: str, name: str, **more: Any) -> Record:
    """One event; `more` replaces or adds members."""
    reads = name.startswith(("Get", "List", "Describe"))
    return {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": "example",
        "requestParameters": None,
        "responseElements": None,
        "readOnly": reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    } | more


def records_of(day: int, draw: random.Random) -> Iterator[Record]:
    """The events of one day (1 to 31), in no order, as in real files."""
    today = FIRST_DAY + timedelta(days=day - 1)

    def at(hour: int) -> dict[str, str]:
        moment = today + timedelta(hours=hour, seconds=draw.randrange(3600))
        return {"eventTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}

    for daily, who, address, region, hours, service, name, bucket, error in HABITS:
        if address == OFFICE and today.weekday() > 4:
            continue  # a weekend
        more: Record = {"errorCode": error, "errorMessage": "made up"} if error else {}
        if bucket:
            arn = f"arn:aws:s3:::amzn-s3-demo-{bucket}"
            more["requestParameters"] = {"bucketName": f"amzn-s3-demo-{bucket}"}
            more["resources"] = [{"ARN": arn, "accountId": ACCOUNT, "type": "AWS::S3::Bucket"}]
        if name.endswith("Object"):
            more |= {"eventCategory": "Data", "managementEvent": False}
        for _ in range(draw.randint(0, 2 * daily)):
            yield record(who, address, region, service, name, **more, **at(draw.randint(*hours)))
    for on, hour, who, address, mfa, result in SIGN_INS:
        if on == day and (address != OFFICE or today.weekday() < 5):
            more = {"responseElements": {"ConsoleLogin": result}, "eventType": "AwsConsoleSignIn"}
            more["additionalEventData"] = {"MobileVersion": "No", "MFAUsed": mfa}
            if result == "Failure":
                more["errorMessage"] = "Failed authentication"
            yield record(who, address, VIRGINIA, "signin", "ConsoleLogin", **more, **at(hour))
    if day == 21:
        gone = {"requestParameters": {"bucketName": "amzn-s3-demo-old-experiments"}}
        yield record(KEN, HOME, TOKYO, "s3", "DeleteBucket", **gone, **at(16))


def log_files(seed: int, days: int) -> Iterator[tuple[str, list[Record]]]:
    """Key and records of each log file: one for each day and Region, in CloudTrail's layout."""
    draw, number = random.Random(seed), 0
    for day in range(1, days + 1):
        by_region: dict[str, list[Record]] = {}
        for found in records_of(day, draw):
            number += 1
            found["eventID"] = f"00000000-0000-0000-0000-{number:012d}"
            by_region.setdefault(found["awsRegion"], []).append(found)
        for region, records in sorted(by_region.items()):
            folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/2026/10/{day:02}"
            unique = "".join(draw.choices(string.ascii_letters + string.digits, k=16))
            name = f"{ACCOUNT}_CloudTrail_{region}_202610{day:02}T2355Z_{unique}.json.gz"
            yield f"{folder}/{name}", records


def create_bucket(s3: BaseClient, bucket: str) -> None:
    """A bucket of its own, so that made-up logs never lie beside real ones (`s3:CreateBucket`).

    Raises RuntimeError: in us-east-1, CreateBucket succeeds for a bucket that is already yours.
    """
    try:
        s3.head_bucket(Bucket=bucket)
        raise RuntimeError(f"The bucket {bucket} exists already")
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
    place = {"LocationConstraint": s3.meta.region_name}
    us_east_1 = s3.meta.region_name == "us-east-1"  # the one Region that must not be named
    s3.create_bucket(Bucket=bucket, **({} if us_east_1 else {"CreateBucketConfiguration": place}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("folder", nargs="?", type=Path)
    where.add_argument("--bucket", help="put them into this new bucket")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=int, default=31, metavar="1-31")
    arguments = parser.parse_args()
    if not 1 <= arguments.days <= 31:
        parser.error(f"--days {arguments.days}: give 1 to 31")
    target = f"s3://{arguments.bucket}" if arguments.bucket else str(arguments.folder)
    files, events, hint = 0, 0, ""
    try:
        s3 = boto3.client("s3") if arguments.bucket else None
        if s3:
            create_bucket(s3, arguments.bucket)
            hint = f"remove_sample_logs.py deletes the bucket {arguments.bucket}."
        elif (arguments.folder / "AWSLogs").exists():  # two seeds would count as one month
            raise RuntimeError(f"{target}/AWSLogs exists already: give another folder")
        for key, records in log_files(arguments.seed, arguments.days):
            body = gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)
            if s3:
                s3.put_object(Bucket=arguments.bucket, Key=key, Body=body)
            else:
                path = arguments.folder / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
            files, events = files + 1, events + len(records)
    except (BotoCoreError, ClientError, OSError, RuntimeError) as error:
        left = f"{files} log files were written below {target}/AWSLogs."
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the name and permissions. {hint}".strip())
    print(f"{files} log files with {events} events below {target}/AWSLogs")


if __name__ == "__main__":
    main()
