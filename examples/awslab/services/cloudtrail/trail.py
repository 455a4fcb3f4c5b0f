"""One trail: what it was asked to record, and how far its deliveries have come."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.cloudtrail.models import CloudTrailBackend, Trail, cloudtrail_backends

from awslab.cloudtrail_events import Event
from awslab.services.cloudtrail import checks, selectors
from awslab.services.cloudtrail.errors import refuse

Place = tuple[str, str]  # account and Region of events


@dataclass
class LogFile:
    """One file of events, delivered or still to be delivered."""

    place: Place
    key: str
    content: bytes  # before it is compressed
    oldest: str
    newest: str


@dataclass
class Digest:
    bucket: str
    key: str
    hash: str
    signature: str


@dataclass
class Chain:
    """The digests of one account and Region: the last one, and the files since."""

    last: Digest | None = None
    files: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Delivery:
    """How the last attempt at one kind of delivery went."""

    at: datetime | None = None
    tried: datetime | None = None
    error: str = ""

    def note(self, at: datetime, error: str) -> None:
        self.tried, self.error = at, error
        if not error:
            self.at = at


@dataclass
class Progress:
    logging: bool = False
    started: datetime | None = None
    stopped: datetime | None = None
    files: Delivery = field(default_factory=Delivery)
    digests: Delivery = field(default_factory=Delivery)
    messages: Delivery = field(default_factory=Delivery)
    log_lines: Delivery = field(default_factory=Delivery)
    waiting: list[LogFile] = field(default_factory=list)  # the bucket refused them
    digest_start: datetime | None = None
    chains: dict[Place, Chain] = field(default_factory=dict)


class LabTrail(Trail):
    """moto's trail, made after all checks; it keeps what moto drops."""

    def __init__(self, account_id: str, region_name: str, request: Mapping[str, Any]) -> None:
        """request: of CreateTrail. The name is checked here, all else by `check`."""
        super().__init__(
            account_id,
            region_name,
            request["Name"],
            request["S3BucketName"],
            request.get("S3KeyPrefix") or "",
            request.get("SnsTopicName") or "",
            request.get("IncludeGlobalServiceEvents", True),
            request.get("IsMultiRegionTrail", False),
            request.get("EnableLogFileValidation", False),
            request.get("IsOrganizationTrail", False),
            request.get("CloudWatchLogsLogGroupArn") or "",
            request.get("CloudWatchLogsRoleArn") or "",
            request.get("KmsKeyId") or "",
        )
        self.recursive_logging: bool = request.get("RecursiveLogging", True)
        self.organization = ""  # its id, of an organization trail
        self.progress = Progress()

    def check_name(self) -> None:
        super().check_name()
        checks.check_name(self.trail_name)

    def check_bucket_exists(self) -> None:
        """Done by `check`, with the bucket's policy; it may belong to another account."""

    def check_topic_exists(self) -> None:
        """Done by `check`, with the topic's policy."""

    def check(self) -> None:
        """Whether CloudTrail can do what it is asked to do; settles the ids of key and
        organization."""
        if self.is_multi_region and not self.include_global_service_events:
            refuse(
                "InvalidParameterCombinationException",
                "Multi-Region trail must include global service events.",
            )
        account, region = self.place
        self.organization = checks.check_organization(account) if self.is_org_trail else ""
        checks.check_bucket(self.bucket_name, self.s3_key_prefix)
        checks.check_writing(self.bucket_name, self.folder("CloudTrail", self.place), self.arn)
        self.kms_key_id: str = checks.check_key(
            self.kms_key_id, account, region, self.bucket_name, self.arn
        )
        checks.check_topic(self.topic_arn, self.arn)
        checks.check_log_group(self.cw_log_group_arn, self.cw_role_arn)

    @property
    def topic_arn(self) -> str | None:
        return topic_arn(self.sns_topic_name, self.region_name, self.account_id)

    @property
    def place(self) -> Place:
        return self.account_id, self.region_name

    def folder(self, kind: str, place: Place) -> str:
        """The beginning of the keys; kind: `CloudTrail` or `CloudTrail-Digest`."""
        parts = [self.s3_key_prefix, "AWSLogs", self.organization, place[0], kind, place[1]]
        return "/".join(part for part in parts if part)

    def take_over(self, changed: "LabTrail") -> None:
        """Become what a checked copy of it was changed into."""
        self.__dict__.update(changed.__dict__)

    def answer(self) -> dict[str, Any]:
        """What CreateTrail and UpdateTrail say of it."""
        return {
            "Name": self.trail_name,
            "S3BucketName": self.bucket_name,
            "S3KeyPrefix": self.s3_key_prefix or None,
            "SnsTopicName": self.sns_topic_name or None,
            "SnsTopicARN": self.topic_arn,
            "IncludeGlobalServiceEvents": self.include_global_service_events,
            "IsMultiRegionTrail": self.is_multi_region,
            "TrailARN": self.arn,
            "LogFileValidationEnabled": self.log_validation,
            "CloudWatchLogsLogGroupArn": self.cw_log_group_arn or None,
            "CloudWatchLogsRoleArn": self.cw_role_arn or None,
            "KmsKeyId": self.kms_key_id or None,
            "IsOrganizationTrail": self.is_org_trail,
            "RecursiveLogging": self.recursive_logging,
        }

    def description(self, include_region: bool = False) -> dict[str, Any]:
        return self.answer() | {
            "HomeRegion": self.region_name,
            "HasCustomEventSelectors": bool(self.event_selectors or self.advanced_event_selectors),
            "HasInsightSelectors": bool(self.insight_selectors),
        }

    def is_concerned(self, event: Event) -> bool:
        """Whether the event happened in its accounts and Regions, and is of a category it wants."""
        if event.account != self.account_id and not (
            self.is_org_trail and event.account in checks.members_of(self.account_id)
        ):
            return False
        if event.region != self.region_name and not self.is_multi_region:
            return False
        if not self.include_global_service_events and event.kind.is_global:
            return False
        return event.category in selectors.categories(
            self.event_selectors, self.advanced_event_selectors
        )

    def wants(self, event: Event) -> bool:
        return self.is_concerned(event) and selectors.let_through(
            event, self.event_selectors, self.advanced_event_selectors
        )


def topic_arn(name: str | None, region: str, account: str) -> str | None:
    if not name:
        return None
    return name if name.startswith("arn:") else f"arn:aws:sns:{region}:{account}:{name}"


def trails_in(account: str, region: str, *, shadows: bool) -> Iterator[LabTrail]:
    """The trails of a Region, and with `shadows` the multi-Region trails of all others."""
    for home, backend in list(cloudtrail_backends[account].items()):
        for trail in list(backend.trails.values()):
            if home == region or (shadows and trail.is_multi_region):
                yield trail


def find(account: str, region: str, name: str, *, name_in_error: bool = False) -> LabTrail:
    """A trail by its name in its home Region, or by its ARN.

    Raises:
        CloudTrailARNInvalidException, InvalidTrailNameException, TrailNotFoundException
    """
    arn = f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"
    if name.startswith("arn:"):
        parts = name.split(":")
        if len(parts) != 6 or not parts[5].startswith("trail/") or parts[2] != "cloudtrail":
            refuse("CloudTrailARNInvalidException", f"The ARN {name} is not valid for a trail.")
        arn = name
    elif len(name) < 3:
        refuse(
            "InvalidTrailNameException",
            "Trail name too short. Minimum allowed length: 3 characters. "
            f"Specified name length: {len(name)} characters.",
        )
    found = [t for t in trails_in(account, region, shadows=True) if t.arn == arn]
    if not found:
        said = name if name_in_error else arn
        refuse("TrailNotFoundException", f"Unknown trail: {said} for the user: {account}")
    return found[0]


def find_at_home(backend: CloudTrailBackend, name: str) -> LabTrail:
    """A trail that shall be changed, which is possible in its home Region only."""
    trail = find(backend.account_id, backend.region_name, name)
    if trail.region_name != backend.region_name:
        refuse(
            "InvalidHomeRegionException",
            f"The operation on the trail {trail.arn} must be called in its home Region: "
            f"{trail.region_name}",
        )
    return trail
