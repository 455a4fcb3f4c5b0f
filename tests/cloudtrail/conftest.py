"""What the examples work on, made by plain calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from proofs.trace import Answer, Call, Trace, refusal, watching

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
BUCKET = f"amzn-s3-demo-logs-{ACCOUNT}"
DATA_BUCKET = f"amzn-s3-demo-bucket-{ACCOUNT}"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}


@dataclass(frozen=True)
class Trail:
    """A trail of the lab's Region that logs, and where its files go."""

    name: str
    arn: str
    bucket: str


@pytest.fixture
def cloudtrail(client: Callable[..., Any]) -> Any:
    return client("cloudtrail")


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def kms(client: Callable[..., Any]) -> Any:
    return client("kms")


@pytest.fixture
def make_bucket(s3: Any) -> Callable[[str], str]:
    """`make_bucket(name)`: an empty bucket in the lab's Region."""

    def make(name: str) -> str:
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
        return name

    return make


@pytest.fixture
def log_bucket(s3: Any, make_bucket: Callable[[str], str]) -> str:
    """A bucket that any trail may write to."""
    make_bucket(BUCKET)
    allow = {"Effect": "Allow", "Principal": SERVICE, "Resource": "*"}
    statement = {**allow, "Action": ["s3:GetBucketAcl", "s3:PutObject"]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": [statement]}))
    return BUCKET


@pytest.fixture
def trail(cloudtrail: Any, log_bucket: str) -> Trail:
    """The multi-Region trail `audit`, which validates its files and logs."""
    arn: str = cloudtrail.create_trail(
        Name="audit",
        S3BucketName=log_bucket,
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
    )["TrailARN"]
    cloudtrail.start_logging(Name="audit")
    return Trail("audit", arn, log_bucket)


@pytest.fixture
def refuse() -> Callable[..., Any]:
    """`with refuse("PutBucketPolicy"): …`: these operations answer AccessDenied and do nothing."""

    def refusing(*operations: str) -> Any:
        def answer(trace: Trace, call: Call) -> Answer | None:
            return refusal("AccessDenied", "no.", 403) if call.operation in operations else None

        return watching(Trace(answer))

    return refusing
