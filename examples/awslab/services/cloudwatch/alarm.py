"""An alarm: what it was made from, the state it is in, and what happened to it."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from moto.cloudwatch.utils import make_arn_for_alarm
from moto.core.common_models import BaseModel

from awslab.clock import naive_now
from awslab.services.cloudwatch.metrics import period_of
from awslab.services.sagemaker.resource import kept

KEPT = 10_000  # items of history in an account and Region; the oldest are forgotten
ACTIONS = {
    "OK": "OKActions",
    "ALARM": "AlarmActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


class State(NamedTuple):
    """What an alarm says, and why; `data` is the reason for machines, as JSON."""

    value: str
    reason: str
    data: str | None
    at: datetime


class Alarm(BaseModel):
    """An alarm on a metric, on an expression, or, with a rule, on other alarms.

    request: the parameters of PutMetricAlarm or PutCompositeAlarm, as the model names them.
    """

    restless = ("state", "judged")  # what CloudWatch finds at any moment; nobody makes it

    def __init__(self, backend: Any, request: Mapping[str, Any]) -> None:
        self.account_id = backend.account_id
        self.region_name = backend.region_name
        self.name: str = request["AlarmName"]
        self.alarm_arn = make_arn_for_alarm(self.region_name, self.account_id, self.name)
        self.state = State(
            "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", None, naive_now()
        )
        self.transitioned_at = self.state.at
        # The state that was given by hand, or at the beginning, holds for a while: since when, and
        # what there was to judge then.
        self.given_at = self.state.at
        self.judged: Any = None
        self.configure(request)

    def configure(self, request: Mapping[str, Any]) -> None:
        self.request = {name: value for name, value in request.items() if name != "Tags"}
        self.actions_enabled = request.get("ActionsEnabled", True)
        self.configured_at = naive_now()

    @property
    def kind(self) -> str:
        return "CompositeAlarm" if "AlarmRule" in self.request else "MetricAlarm"

    @property
    def period(self) -> int:
        """Seconds. An expression has the longest period of its metrics."""
        return int(self.request.get("Period") or period_of(self.request.get("Metrics") or []))

    def actions(self, state: str) -> list[str]:
        return list(self.request.get(ACTIONS[state]) or [])

    def description(self) -> dict[str, Any]:
        """As DescribeAlarms shows it."""
        shown: dict[str, Any] = {"OKActions": [], "AlarmActions": [], "InsufficientDataActions": []}
        if "MetricName" in self.request:
            shown["Dimensions"] = []
        return {
            **shown,
            **self.request,
            "ActionsEnabled": self.actions_enabled,
            "AlarmArn": self.alarm_arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured_at,
            "StateValue": self.state.value,
            "StateReason": self.state.reason,
            "StateReasonData": self.state.data,
            "StateUpdatedTimestamp": self.state.at,
            "StateTransitionedTimestamp": self.transitioned_at,
        }


def history(backend: Any) -> deque[dict[str, Any]]:
    """The items of DescribeAlarmHistory, the oldest first; those of deleted alarms, too."""
    items: deque[dict[str, Any]]
    items = kept(backend, "alarm_history").setdefault("items", deque(maxlen=KEPT))
    return items


def remember(backend: Any, alarm: Alarm, item_type: str, summary: str, data: str) -> None:
    history(backend).append(
        {
            "AlarmName": alarm.name,
            "AlarmType": alarm.kind,
            "Timestamp": naive_now(),
            "HistoryItemType": item_type,
            "HistorySummary": summary[:255],
            "HistoryData": data[:4095],
        }
    )
