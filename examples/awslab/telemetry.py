"""Metrics, log lines and events, as services inside of AWS write them into an account."""

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.events.models import events_backends
from moto.logs.models import logs_backends

from awslab.clock import naive_now, now

EPOCH = datetime(1970, 1, 1)
LOGGING = threading.Lock()  # moto looks for a log group, then makes it


def put_metric(
    account: str,
    region: str,
    namespace: str,
    name: str,
    value: float,
    dimensions: Mapping[str, str],
    unit: str = "None",
    at: datetime | None = None,
) -> None:
    """Store one data point, at the lab's time unless another (UTC, without zone) is given."""
    cloudwatch_backends[account][region].put_metric_data(
        namespace,
        [
            {
                "MetricName": name,
                "Value": value,
                "Unit": unit,
                "Timestamp": at or naive_now(),
                "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
            }
        ],
    )


def put_log_lines(account: str, region: str, group: str, stream: str, lines: Sequence[str]) -> None:
    """Append lines to a log stream; group and stream are made when they do not exist."""
    backend = logs_backends[account][region]
    at = milliseconds(naive_now())
    events = [{"timestamp": at, "message": line} for line in lines if line]
    with LOGGING:
        backend.ensure_log_group(group)
        backend.ensure_log_stream(group, stream)
        if events:
            # Not by way of the backend: it drops what is two hours ahead of the wall's time.
            backend.groups[group].put_log_events(stream, events)


def put_event(
    account: str, region: str, source: str, kind: str, arn: str, detail: Mapping[str, Any]
) -> None:
    """Put an event onto the default bus of EventBridge; times in it become milliseconds.

    source: `aws.sagemaker`; kind: the detail-type; arn: the resource that it is about.

    What a target refuses is lost, as in AWS. Without EventBridge in use nobody listens.
    """
    if region not in events_backends.get(account, {}):
        return
    event = {
        "Source": source,
        "DetailType": kind,
        "Time": now().timestamp(),
        "Resources": [arn],
        "Detail": json.dumps(detail, default=milliseconds),
    }
    with contextlib.suppress(Exception):
        events_backends[account][region].put_events([event])


def milliseconds(at: datetime) -> int:
    """Since 1970, of a time in UTC without zone."""
    return int((at - EPOCH).total_seconds() * 1000)
