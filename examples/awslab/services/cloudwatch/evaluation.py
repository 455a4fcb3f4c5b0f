"""When the state of an alarm changes, and what CloudWatch says about it.

CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": an alarm that has
enough real data judges them alone; gaps count as `TreatMissingData` says.
"""

import json
import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from awslab.clock import CLOCK, naive_now
from awslab.services.cloudwatch.actions import announce, stamp
from awslab.services.cloudwatch.alarm import Alarm, State, remember
from awslab.services.cloudwatch.arithmetic import BadExpression, Values, results
from awslab.services.cloudwatch.rules import conditions, holds
from awslab.services.cloudwatch.series import LOCK, find, floor, measure

EXTRA = 2  # periods before those that count, for whose data an alarm looks when newer are missing
SHOWN = 5  # data points in a reason
MOMENT = timedelta(milliseconds=1)

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
TREATMENTS = {"breaching": "Breaching", "notBreaching": "NonBreaching"}

Points = list[tuple[datetime, float]]  # when the period of a data point begins, and its value


def alarm_state(account: str, region: str, name: str) -> str | None:
    """The state of an alarm at this moment; None when there is no such alarm."""
    backend = (cloudwatch_backends.get(account) or {}).get(region)
    if backend is None or name not in backend.alarms:
        return None
    bring_up_to_date(backend)
    alarm = backend.alarms.get(name)
    return alarm.state.value if alarm else None


@CLOCK.every_tick
def bring_all_up_to_date() -> None:
    for account in list(cloudwatch_backends.values()):
        for backend in list(account.values()):
            bring_up_to_date(backend)


def bring_up_to_date(backend: Any) -> None:
    """Evaluate every alarm of an account and Region."""
    with LOCK:
        alarms = list(backend.alarms.values())
        for alarm in alarms:
            if alarm.kind == "MetricAlarm" and not held(backend, alarm):
                evaluate(backend, alarm)
        composites = [alarm for alarm in alarms if alarm.kind == "CompositeAlarm"]
        for _ in composites:  # one may ask for another
            for alarm in composites:
                if not held(backend, alarm):
                    combine(backend, alarm)


# --- the state that was given --------------------------------------------------------------------


def give(backend: Any, alarm: Alarm, state: str, reason: str, data: str | None) -> None:
    """Set a state by hand. It holds until the alarm is evaluated again: after its period, but a
    minute at most; in the instant gait until there is something new to judge."""
    alarm.given_at, alarm.judged = naive_now(), at_hand(backend, alarm)
    change(backend, alarm, state, reason, data)


def held(backend: Any, alarm: Alarm) -> bool:
    """Whether the state that was given last still holds."""
    if CLOCK.instant:
        return alarm.judged is not None and alarm.judged == at_hand(backend, alarm)
    if naive_now() < alarm.given_at + timedelta(seconds=min(alarm.period, 60)):
        return alarm.kind == "MetricAlarm" or alarm.judged is not None
    return False


def at_hand(backend: Any, alarm: Alarm) -> Any:
    """What an evaluation would judge: how many data there are, or the states of other alarms."""
    if alarm.kind == "CompositeAlarm":
        names = [name for _, name in conditions(alarm.request["AlarmRule"])]
        return [backend.alarms[name].state for name in names if name in backend.alarms]
    return [len(find(backend, metric)) for metric in metrics_of(alarm)]


def metrics_of(alarm: Alarm) -> list[Mapping[str, Any]]:
    if "MetricName" in alarm.request:
        return [alarm.request]
    queries = alarm.request.get("Metrics") or []
    return [query["MetricStat"]["Metric"] for query in queries if query.get("MetricStat")]


# --- alarms on metrics ---------------------------------------------------------------------------


def evaluate(backend: Any, alarm: Alarm) -> None:
    """Judge the data of an alarm, and change its state if they say so."""
    request = alarm.request
    if request.get("ComparisonOperator") not in COMPARISONS or request.get("Threshold") is None:
        return  # a threshold that CloudWatch learns, or a query of PromQL
    periods = request["EvaluationPeriods"] + EXTRA
    first = beginning(alarm, periods)
    values = values_of(backend, alarm, first, periods)
    state = judge(values, request)
    if state in (None, alarm.state.value) or few_samples(backend, alarm, first, values):
        return
    length = timedelta(seconds=alarm.period)
    points = [
        (first + length * position, value)
        for position, value in enumerate(values)
        if value is not None
    ][-request["EvaluationPeriods"] :]
    assert state
    change(backend, alarm, state, reason(request, state, points), data(alarm, first, points))


def beginning(alarm: Alarm, periods: int) -> datetime:
    """When the first of the last periods begins. They end with the last whole minute (or less, for
    shorter periods); in the instant gait with this moment, so that what has just been measured
    counts."""
    step = min(alarm.period, 60)
    end = naive_now() + MOMENT if CLOCK.instant else floor(naive_now(), step)
    return end - timedelta(seconds=alarm.period) * periods


def values_of(backend: Any, alarm: Alarm, first: datetime, periods: int) -> Values:
    request, period = alarm.request, alarm.period
    if "MetricName" in request:
        return measure(backend, stat_of(request), first, period, periods)

    def measured(query: Mapping[str, Any]) -> Values:
        return measure(backend, query["MetricStat"], first, period, periods)

    try:
        return results(request["Metrics"], measured, watched(request["Metrics"]), periods)
    except BadExpression:  # nothing that the lab can compute
        return [None] * periods


def stat_of(request: Mapping[str, Any]) -> dict[str, Any]:
    stat = request.get("Statistic") or request.get("ExtendedStatistic")
    return {"Metric": request, "Stat": stat, "Unit": request.get("Unit")}


def watched(queries: list[Mapping[str, Any]]) -> str:
    """The id of the query whose values are held against the threshold."""
    return next(str(query["Id"]) for query in queries if query.get("ReturnData", True))


def few_samples(backend: Any, alarm: Alarm, first: datetime, values: Values) -> bool:
    """Whether a percentile stands for too few data to be trusted, if the alarm minds that."""
    request = alarm.request
    percentile = request.get("ExtendedStatistic") or ""
    if request.get("EvaluateLowSampleCountPercentile") != "ignore" or percentile[:1] != "p":
        return False
    part = float(percentile[1:]) / 100
    needed = round(10 / max(min(part, 1 - part), 1e-9))
    counted = {**stat_of(request), "Stat": "SampleCount"}
    counts = measure(backend, counted, first, alarm.period, len(values))
    return any(count < needed for count in counts if count is not None)


def judge(values: Values, request: Mapping[str, Any]) -> str | None:
    """The state that the data call for; None: the state stays as it is."""
    wanted = request["EvaluationPeriods"]
    least = request.get("DatapointsToAlarm") or wanted
    treatment = request.get("TreatMissingData") or "missing"
    found = [value for value in values if value is not None][-wanted:]
    bad = sum(breaches(value, request) for value in found)
    gaps = wanted - len(found)
    if treatment == "breaching":
        bad += gaps
    if bad >= least:
        return "ALARM"
    if not gaps or treatment in TREATMENTS:
        return "OK"
    if not found:
        return "INSUFFICIENT_DATA" if treatment == "missing" else None
    if bad < len(found):
        return "OK"
    # Bad data only, and few: no alarm before the oldest of them is so old that as many as needed
    # could have come.
    age = next(age for age, value in enumerate(values) if value is not None)
    return "ALARM" if treatment == "missing" and len(values) - age >= least else None


def breaches(value: float, request: Mapping[str, Any]) -> bool:
    compare, _ = COMPARISONS[request["ComparisonOperator"]]
    return compare(value, request["Threshold"])


def reason(request: Mapping[str, Any], state: str, points: Points) -> str:
    """Why the state is what it is, in CloudWatch's words."""
    wanted = request["EvaluationPeriods"]
    least = request.get("DatapointsToAlarm") or wanted
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {counted(wanted, 'datapoint')} {was(wanted)} unknown."
    gaps = wanted - len(points)
    treatment = TREATMENTS.get(request.get("TreatMissingData") or "missing")
    filled = f"{counted(gaps, 'missing datapoint')} {was(gaps)} treated as [{treatment}]"
    decisive = [point for point in points if breaches(point[1], request) == (state == "ALARM")]
    if not decisive:
        received = f"no datapoints were received for {counted(gaps, 'period')}"
        return f"Threshold Crossed: {received} and {filled}."
    denied = "" if state == "ALARM" else "not "
    words = COMPARISONS[request["ComparisonOperator"]][1]
    crossing = f"{was(len(decisive))} {denied}{words} the threshold ({request['Threshold']})"
    newest = decisive[: -SHOWN - 1 : -1]
    shown = ", ".join(f"{value} ({at:%d/%m/%y %H:%M:%S})" for at, value in newest)
    if len(decisive) < SHOWN:
        said = f"[{shown}] {crossing}"
    else:
        crossed = "did not cross" if denied else "crossed"
        said = f"{crossing}. The most recent datapoints which {crossed} the threshold: [{shown}]"
    if gaps and treatment:
        said += f" and {filled}"
    needed = least if state == "ALARM" else wanted - least + 1
    way = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(decisive)} out of the last {wanted} datapoints {said} "
        f"(minimum {counted(needed, 'datapoint')} for {way} transition)."
    )


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def was(number: int) -> str:
    return "was" if number == 1 else "were"


def data(alarm: Alarm, first: datetime, points: Points) -> str:
    """The reason for machines."""
    request = alarm.request
    points = points[-20:]
    said: dict[str, Any] = {
        "version": "1.0",
        "queryDate": stamp(naive_now()),
        "startDate": stamp(points[0][0] if points else first),
        "unit": request.get("Unit"),
        "statistic": request.get("Statistic") or request.get("ExtendedStatistic"),
        "period": alarm.period,
        "recentDatapoints": [value for _, value in points],
        "threshold": request["Threshold"],
        "evaluatedDatapoints": [
            {"timestamp": stamp(at), "value": value} for at, value in reversed(points)
        ],
    }
    return json.dumps({name: value for name, value in said.items() if value is not None})


def latest(backend: Any, alarm: Alarm, since: datetime | None = None) -> float | None:
    """The newest value that an alarm judges; with `since`, of data that came after that only."""
    if since is None:
        periods = alarm.request["EvaluationPeriods"] + EXTRA
        values = values_of(backend, alarm, beginning(alarm, periods), periods)
    else:
        values = values_of(backend, alarm, max(beginning(alarm, 1), since), 1)
    return next((value for value in reversed(values) if value is not None), None)


# --- alarms on alarms ----------------------------------------------------------------------------


def combine(backend: Any, alarm: Alarm) -> None:
    """Hold the rule of a composite alarm against the states of the alarms that it names."""
    rule = alarm.request["AlarmRule"]
    states = {name: found.state for name, found in backend.alarms.items()}
    state = (
        "ALARM"
        if holds(rule, lambda name: states[name].value if name in states else None)
        else "OK"
    )
    if state == alarm.state.value:
        return
    names = {name for _, name in conditions(rule) if name in states}
    children = sorted((backend.alarms[name] for name in names), key=lambda child: child.state.at)
    said = f"{alarm.alarm_arn} was created and its alarm rule evaluates to {state}"
    if alarm.state.value != "INSUFFICIENT_DATA" and children:
        last = children[-1]
        when = f"{last.transitioned_at:%A %d %B, %Y %H:%M:%S} UTC"
        said = f"{last.alarm_arn} transitioned to {last.state.value} at {when}"
    triggering = [
        {
            "arn": child.alarm_arn,
            "state": {"value": child.state.value, "timestamp": stamp(child.state.at)},
        }
        for child in children
    ]
    change(backend, alarm, state, said, json.dumps({"triggeringAlarms": triggering}))


# --- changes -------------------------------------------------------------------------------------


def change(backend: Any, alarm: Alarm, value: str, reason: str, data: str | None) -> None:
    """Let the alarm be in a state; if it was in another, everybody concerned is told."""
    before = alarm.state
    alarm.state = State(value, reason[:1023], data, naive_now())
    if value == before.value:
        return
    alarm.transitioned_at = alarm.state.at
    changed = {
        "version": "1.0",
        "oldState": {"stateValue": before.value, "stateReason": before.reason},
        "newState": {"stateValue": value, "stateReason": reason},
    }
    summary = f"Alarm updated from {before.value} to {value}"
    remember(backend, alarm, "StateUpdate", summary, json.dumps(changed))
    announce(backend, alarm, before)
