"""Log files: what trails record, delivered into their buckets about every five minutes.

Nothing waits for a clock that does not run: in the instant gait a delivery comes as soon as
somebody looks for it, in the bucket or by GetTrailStatus.
"""

import contextlib
import hashlib
import json
import random
import string
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from awslab import cloudtrail_events
from awslab.clock import CLOCK, now
from awslab.cloudtrail_events import Event
from awslab.extension import on_reset
from awslab.services.cloudtrail import bucket, checks, digests
from awslab.services.cloudtrail.trail import Chain, LabTrail, LogFile, Place
from awslab.services.s3 import BEFORE_READING
from awslab.telemetry import put_log_lines

INTERVAL = timedelta(minutes=5)
SOON = 1_000  # so many events are delivered without waiting for the time
LETTERS = string.ascii_letters + string.digits

LOGGING: dict[str, LabTrail] = {}  # by ARN
ENDING: list[LabTrail] = []  # stopped or deleted by the call that is being served
PENDING: deque[Event] = deque()
delivering = threading.Lock()


class Last:
    """When files were last delivered."""

    at: datetime = now()


@on_reset
def forget() -> None:
    LOGGING.clear()
    ENDING.clear()
    PENDING.clear()
    Last.at = now()


def take(event: Event) -> None:
    """Keep an event that some trail is concerned with; end what this very call has ended."""
    if any(trail.is_concerned(event) for trail in list(LOGGING.values())):
        PENDING.append(event)
    if ENDING or len(PENDING) >= SOON:
        deliver()
    while ENDING:
        end(ENDING.pop())


cloudtrail_events.LISTENERS.append(take)


def begin(trail: LabTrail) -> None:
    """Record from now on."""
    deliver()
    trail.progress.logging, trail.progress.started = True, now()
    LOGGING[trail.arn] = trail
    digests.begin(trail)


def end(trail: LabTrail) -> None:
    """Record no more; the last digest comes at once."""
    LOGGING.pop(trail.arn, None)
    digests.end(trail)


@CLOCK.every_tick
def at_each_tick() -> None:
    if LOGGING:
        passed = now() - Last.at
        if passed >= INTERVAL or passed < timedelta(0):
            deliver()
        for trail in list(LOGGING.values()):
            digests.keep_up(trail)


def before_reading(bucket_name: str) -> None:
    if CLOCK.instant and any(t.bucket_name == bucket_name for t in list(LOGGING.values())):
        deliver()


BEFORE_READING.append(before_reading)


def deliver() -> None:
    """Write what has happened since the last time, for every trail that wants it.

    No lock is held while files are stored: a notification about them may start a function that
    calls the lab again.
    """
    with delivering:
        events = [PENDING.popleft() for _ in range(len(PENDING))]
        Last.at = now()
        work = [(trail, files_for(trail, events)) for trail in list(LOGGING.values())]
    for trail, files in work:
        waiting, trail.progress.waiting = trail.progress.waiting, []
        if files or waiting:
            store(trail, waiting + files)


def files_for(trail: LabTrail, events: list[Event]) -> list[LogFile]:
    """One file for each account and Region."""
    places: dict[Place, list[Event]] = defaultdict(list)
    for event in events:
        if trail.wants(event):
            places[event.account, event.region].append(event)
    return [log_file(trail, place, found) for place, found in places.items()]


def log_file(trail: LabTrail, place: Place, events: list[Event]) -> LogFile:
    account, region = place
    at = now()
    unique = "".join(random.choices(LETTERS, k=16))
    name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{unique}.json.gz"
    times = sorted(event.record["eventTime"] for event in events)
    content = json.dumps(
        {"Records": [event.record for event in events]},
        ensure_ascii=False,
        separators=(",", ":"),
        default=str,
    )
    key = f"{trail.folder('CloudTrail', place)}/{at:%Y/%m/%d}/{name}"
    return LogFile(place, key, content.encode(), times[0], times[-1])


def store(trail: LabTrail, files: list[LogFile]) -> None:
    """Put the files into the bucket; what it refuses waits for the next delivery."""
    progress, at, stored = trail.progress, now(), []
    for file in files:
        error = bucket.put(trail, file.key, file.content, {})
        progress.files.note(at, error)
        if error:
            progress.waiting.append(file)
            continue
        stored.append(file)
        if trail.log_validation:
            progress.chains.setdefault(file.place, Chain()).files.append(entry(trail, file))
    if stored:
        write_log_lines(trail, stored, at)
        publish(trail, [file.key for file in stored], at)


def entry(trail: LabTrail, file: LogFile) -> dict[str, Any]:
    """The file in the next digest."""
    return {
        "s3Bucket": trail.bucket_name,
        "s3Object": file.key,
        "hashValue": hashlib.sha256(file.content).hexdigest(),
        "hashAlgorithm": "SHA-256",
        "newestEventTime": file.newest,
        "oldestEventTime": file.oldest,
    }


def write_log_lines(trail: LabTrail, files: list[LogFile], at: datetime) -> None:
    if not trail.cw_log_group_arn:
        return
    place = checks.GROUP.fullmatch(trail.cw_log_group_arn)
    if place is None or not checks.has_group(*place.groups()):
        trail.progress.log_lines.note(at, "ResourceNotFoundException")
        return
    region, account, group = place.groups()
    for file in files:
        stream = f"{file.place[0]}_CloudTrail_{trail.region_name}"
        put_log_lines(account, region, group, stream, list(lines_of(file)))
    trail.progress.log_lines.note(at, "")


def lines_of(file: LogFile) -> Iterator[str]:
    for record in json.loads(file.content)["Records"]:
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def publish(trail: LabTrail, keys: list[str], at: datetime) -> None:
    topic_arn = trail.topic_arn
    if topic_arn is None:
        return
    topic = checks.find_topic(topic_arn)
    error = "" if topic else "NotFound"
    if topic:
        with contextlib.suppress(Exception):  # what a subscriber makes of it is its own affair
            topic.publish(json.dumps({"s3Bucket": trail.bucket_name, "s3ObjectKey": keys}))
    trail.progress.messages.note(at, error)
