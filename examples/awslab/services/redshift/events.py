"""What happened to clusters, snapshots and parameter groups in the last 14 days."""

from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.models import RedshiftBackend
from moto.redshift.responses import RedshiftResponse

from awslab.clock import now
from awslab.extension import adds
from awslab.services.redshift.paging import invalid, page

KEPT = timedelta(days=14)
SHOWN = 60  # minutes, when the caller names no time


def record(
    backend: RedshiftBackend,
    source_type: str,
    source: str,
    event: str,
    category: str,
    message: str,
    severity: str = "INFO",
) -> None:
    """Remember an event.

    event: its number in the User Guide's list, `REDSHIFT-EVENT-<event>`.
    message: `[time]` in it stands for the lab's time.
    """
    events: list[dict[str, Any]] = vars(backend).setdefault("lab_events", [])
    moment = now()
    events.append(
        {
            "SourceIdentifier": source,
            "SourceType": source_type,
            "Message": message.replace("[time]", f"{moment:%Y-%m-%d %H:%M:%S} UTC"),
            "EventCategories": [category],
            "Severity": severity,
            "Date": moment,
            "EventId": f"REDSHIFT-EVENT-{event}",
        }
    )
    while events[0]["Date"] < moment - KEPT:
        del events[0]


@adds(
    RedshiftResponse,
    "redshift",
    "DescribeEvents",
    differs=(
        "events of clusters, snapshots, parameter groups and failed scheduled actions only; no "
        "event of an elastic resize beside its start and its end"
    ),
)
def describe_events(self: Any) -> ActionResult:
    params = self.params
    if params.get("SourceIdentifier") and not params.get("SourceType"):
        invalid("If SourceIdentifier is supplied, SourceType must also be provided.")
    end = aware(params.get("EndTime")) or now()
    minutes = params.get("Duration")
    minutes = SHOWN if minutes is None else min(max(minutes, 0), 14 * 24 * 60)
    start = aware(params.get("StartTime")) or before(end, minutes)
    events = vars(self.redshift_backend).get("lab_events", [])
    found = [
        event
        for event in list(events)
        if start <= event["Date"] <= end
        and params.get("SourceType") in (None, event["SourceType"])
        and params.get("SourceIdentifier") in (None, event["SourceIdentifier"])
    ]
    shown, marker = page(found, params)
    return ActionResult({"Events": shown, "Marker": marker})


def before(moment: datetime, minutes: int) -> datetime:
    try:
        return moment - timedelta(minutes=minutes)
    except OverflowError:
        return moment


def aware(moment: datetime | None) -> datetime | None:
    """A time of a request: without a zone it is UTC."""
    if moment is not None and moment.tzinfo is None:
        return moment.replace(tzinfo=now().tzinfo)
    return moment
