"""Metrics and log lines, as services inside of AWS write them into an account."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

from awslab.clock import naive_now

EPOCH = datetime(1970, 1, 1)


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
    backend.ensure_log_group(group)
    backend.ensure_log_stream(group, stream)
    at = int((naive_now() - EPOCH).total_seconds() * 1000)
    events = [{"timestamp": at, "message": line} for line in lines if line]
    if events:
        backend.put_log_events(group, stream, events)
