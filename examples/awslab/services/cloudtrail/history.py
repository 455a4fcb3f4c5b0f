"""The event history: LookupEvents over the management events of the last 90 days."""

import base64
import hashlib
import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.responses import ActionResult

from awslab import cloudtrail_events
from awslab.clock import CLOCK, now
from awslab.cloudtrail_events import MANAGEMENT, Event
from awslab.extension import adds, on_reset
from awslab.services.cloudtrail.errors import refuse
from awslab.validation import own_code, validates

KEPT = 10_000  # events of all accounts and Regions; the oldest are forgotten
DAYS = 90
PAGE = 50
RATE = 2  # requests per second, account and Region

HISTORY: deque[Event] = deque(maxlen=KEPT)
LOOKED_UP: dict[tuple[str, str], deque[datetime]] = defaultdict(lambda: deque(maxlen=RATE))
on_reset(HISTORY.clear)
on_reset(LOOKED_UP.clear)

validates("cloudtrail", "ValidationException")
own_code("cloudtrail", "LookupEvents", "EventCategory", "InvalidEventCategoryException")
own_code("cloudtrail", "LookupEvents", "LookupAttributes", "InvalidLookupAttributesException")
own_code("cloudtrail", "LookupEvents", "MaxResults", "InvalidMaxResultsException")


def remember(event: Event) -> None:
    if event.category == MANAGEMENT:
        HISTORY.append(event)


cloudtrail_events.LISTENERS.append(remember)


@adds(
    CloudTrailResponse,
    "cloudtrail",
    "LookupEvents",
    differs=(
        "events appear at once, not after minutes; the newest 10,000 of all accounts and Regions "
        "are kept; calls that services make inside of AWS leave no events, nor do sign-ins; "
        "every call comes from the address 192.0.2.1; older EC2 operations are written in EC2's "
        "own notation only nearly; two requests per second are the limit only while the lab's "
        "clock runs at speed 1; there are no Insights events"
    ),
)
def lookup_events(self: Any) -> ActionResult:
    check_rate(self.current_account, self.region)
    params = self.params
    wanted = wish_of(params)
    start, end = time_range(params)
    if params.get("EventCategory"):
        return ActionResult({"Events": []})
    found = matching(self.current_account, self.region, start, end, wanted)
    resume(found, params)
    page: list[dict[str, Any]] = []
    for event in found:
        if len(page) == params.get("MaxResults", PAGE):
            return ActionResult({"Events": page, "NextToken": token_after(page[-1], params)})
        page.append(shown(event))
    return ActionResult({"Events": page})


def check_rate(account: str, region: str) -> None:
    """AWS's limit, while a second of the lab is one of the wall: loops of readers must not break
    because the lab's time stands still or flies."""
    if CLOCK.speed != 1:
        return
    times, at = LOOKED_UP[account, region], now()
    if len(times) == RATE and at - times[0] < timedelta(seconds=1):
        refuse("ThrottlingException", "Rate exceeded")
    times.append(at)


def wish_of(params: dict[str, Any]) -> Callable[[Event], bool]:
    attributes = params.get("LookupAttributes") or []
    if len(attributes) > 1:
        refuse(
            "InvalidLookupAttributesException",
            "You can specify only one lookup attribute in a request.",
        )
    if not attributes:
        return lambda event: True
    key, value = attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]
    return lambda event: ATTRIBUTES[key](event, value)


ATTRIBUTES: dict[str, Callable[[Event, str], bool]] = {
    "AccessKeyId": lambda event, value: event.identity.get("accessKeyId") == value,
    "EventId": lambda event, value: event.id == value,
    "EventName": lambda event, value: event.kind.name == value,
    "EventSource": lambda event, value: event.kind.source == value,
    "ReadOnly": lambda event, value: str(event.kind.read_only).lower() == value.lower(),
    "ResourceName": lambda event, value: value in {r["ResourceName"] for r in resources_of(event)},
    "ResourceType": lambda event, value: value in {r["ResourceType"] for r in resources_of(event)},
    "Username": lambda event, value: event.user == value,
}


def time_range(params: dict[str, Any]) -> tuple[datetime, datetime]:
    """Both ends included, in whole seconds; nothing is older than 90 days."""
    earliest = now() - timedelta(days=DAYS)
    start, end = (in_utc(params.get(name)) for name in ("StartTime", "EndTime"))
    if start and end and start > end:
        refuse("InvalidTimeRangeException", "The start time must not be later than the end time.")
    return max(start or earliest, earliest), end or now()


def in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC, microsecond=0) if at else None


def matching(
    account: str, region: str, start: datetime, end: datetime, wanted: Callable[[Event], bool]
) -> Iterator[Event]:
    """The newest first, by the whole seconds that their records show."""
    for event in reversed(list(HISTORY)):
        at = event.at.replace(microsecond=0)
        here = (event.account, event.region) == (account, region)
        if here and start <= at <= end and wanted(event):
            yield event


def shown(event: Event) -> dict[str, Any]:
    return {
        "EventId": event.id,
        "EventName": event.kind.name,
        "ReadOnly": str(event.kind.read_only).lower(),
        "AccessKeyId": event.identity.get("accessKeyId"),
        "EventTime": event.at.replace(microsecond=0),
        "EventSource": event.kind.source,
        "Username": event.user or None,
        "Resources": resources_of(event),
        "CloudTrailEvent": event.text,
    }


# --- Pages ---


def fingerprint(params: dict[str, Any]) -> str:
    asked = {
        name: value for name, value in params.items() if name not in ("NextToken", "MaxResults")
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


def token_after(last: dict[str, Any], params: dict[str, Any]) -> str:
    said = f"{last['EventId']} {fingerprint(params)}"
    return base64.b64encode(said.encode()).decode()


def resume(found: Iterator[Event], params: dict[str, Any]) -> None:
    """Skip what earlier pages have shown."""
    token = params.get("NextToken")
    if token is None:
        return
    try:
        last, _, same = base64.b64decode(token, validate=True).decode().partition(" ")
    except ValueError:
        last = same = ""
    if same != fingerprint(params) or all(event.id != last for event in found):
        refuse(
            "InvalidNextTokenException",
            "Invalid token or token that was previously used in a request with different "
            "parameters.",
        )


# --- The resources that an event is about ---

# Services as their resource types name them (AWS CloudFormation).
SERVICES = {
    "athena.amazonaws.com": "Athena",
    "cloudtrail.amazonaws.com": "CloudTrail",
    "dynamodb.amazonaws.com": "DynamoDB",
    "ec2.amazonaws.com": "EC2",
    "events.amazonaws.com": "Events",
    "firehose.amazonaws.com": "KinesisFirehose",
    "iam.amazonaws.com": "IAM",
    "kms.amazonaws.com": "KMS",
    "lambda.amazonaws.com": "Lambda",
    "logs.amazonaws.com": "Logs",
    "monitoring.amazonaws.com": "CloudWatch",
    "redshift.amazonaws.com": "Redshift",
    "s3.amazonaws.com": "S3",
    "sagemaker.amazonaws.com": "SageMaker",
    "sns.amazonaws.com": "SNS",
    "sqs.amazonaws.com": "SQS",
    "states.amazonaws.com": "StepFunctions",
}
# What the members of requests and answers name, where the type is another than the name says.
TYPES = {
    "kmsKey": "AWS::KMS::Key",
    "s3Bucket": "AWS::S3::Bucket",
    "snsTopic": "AWS::SNS::Topic",
    "user": "AWS::IAM::User",
    "vpc": "AWS::EC2::VPC",
    "vpcEndpoint": "AWS::EC2::VPCEndpoint",
}
NAMED = re.compile(r"([a-z][A-Za-z0-9]*?)(Name|Id|Identifier|Arn|ARN)")
NO_RESOURCES = {"aWSAccount", "account", "client", "dB", "host", "owner", "request", "source"}


def resources_of(event: Event) -> list[dict[str, str]]:
    """Type and name of all that request and answer name: `endpointName`, `endpointArn`."""
    record = event.record
    found: dict[tuple[str, str], None] = {}
    for said in record.get("resources", ()):
        if "ARN" in said:
            found[said["type"], said["ARN"]] = None
    service = SERVICES.get(record["eventSource"])
    for elements in (record["requestParameters"], record["responseElements"]):
        for kind, name in named_in(elements or {}):
            resource_type = type_of(service, kind)
            if resource_type:
                found[resource_type, name] = None
    return [{"ResourceType": kind, "ResourceName": name} for kind, name in found]


def named_in(elements: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name, also one level down: `{"role": {"roleName": …}}`."""
    for member, value in elements.items():
        if isinstance(value, str):
            match = NAMED.fullmatch(member)
            if match:
                yield match[1], value
        elif isinstance(value, dict):
            for inner, text in value.items():
                match = NAMED.fullmatch(inner)
                if match and isinstance(text, str):
                    yield match[1], text


def type_of(service: str | None, kind: str) -> str | None:
    if kind.lower().endswith("role"):
        return "AWS::IAM::Role"
    if kind in TYPES:
        return TYPES[kind]
    if service is None or kind in NO_RESOURCES:
        return None
    return f"AWS::{service}::{kind[0].upper()}{kind[1:]}"
