"""PutMetricAlarm, DescribeAlarms and the other operations on alarms."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from awslab.extension import Function, adds, changes
from awslab.services.cloudwatch.alarm import Alarm, history, remember
from awslab.services.cloudwatch.arithmetic import (
    BadExpression,
    Unsupported,
    is_extended,
    names_in,
)
from awslab.services.cloudwatch.evaluation import bring_up_to_date, give, metrics_of
from awslab.services.cloudwatch.metrics import (
    InvalidParameterCombination,
    MissingParameter,
    ValidationError,
    check_queries,
    offset,
    period_of,
)
from awslab.services.cloudwatch.rules import BadRule, conditions, holds
from awslab.services.cloudwatch.series import LOCK, identity_of, naive

DAY, WEEK, HOUR = 86_400, 604_800, 3_600
PAGE = 50  # alarms
HISTORY_PAGE = 100
OF_ONE_METRIC = (
    "MetricName",
    "Namespace",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
)


class ResourceNotFound(ServiceException):
    code = "ResourceNotFound"


class InvalidFormat(ServiceException):
    code = "InvalidFormat"


# --- making --------------------------------------------------------------------------------------


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "PutMetricAlarm",
    reason=(
        "lets an alarm begin as `OK`; sets the state back when an alarm is changed; "
        "never evaluates it; checks hardly any combination of parameters"
    ),
    differs=(
        "anomaly bands, PromQL, wall clock windows, warm-up and functions that GetMetricData "
        "lacks stay `INSUFFICIENT_DATA`; while the clock is instant, the last period ends now, "
        "else with the last whole minute; for missing data it looks two periods back, AWS does not "
        "say how far; actions: SNS topics, scaling policies and EventBridge"
    ),
)
def put_metric_alarm(original: Function, self: Any) -> ActionResult:
    check_metric_alarm(self.params)
    save(self.cloudwatch_backend, self.params)
    return EmptyResult()


@adds(
    CloudWatchResponse,
    "cloudwatch",
    "PutCompositeAlarm",
    differs="`AT_LEAST` is refused; suppressors are kept but suppress nothing",
)
def put_composite_alarm(self: Any) -> ActionResult:
    backend, params = self.cloudwatch_backend, self.params
    rule = params["AlarmRule"]
    check_actions(params)
    try:
        holds(rule, lambda name: None)
    except BadRule as error:
        raise ValidationError(str(error)) from error
    names = dict.fromkeys(name for _, name in conditions(rule))
    missing = [name for name in names if name not in backend.alarms]
    if missing:
        raise ValidationError(
            f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm "
            "rule do not exist"
        )
    save(backend, params)
    return EmptyResult()


def save(backend: Any, request: Mapping[str, Any]) -> None:
    """Make an alarm, or change one, which keeps its state."""
    with LOCK:
        alarm = backend.alarms.get(request["AlarmName"])
        kind = "CompositeAlarm" if "AlarmRule" in request else "MetricAlarm"
        if alarm is None or alarm.kind != kind:
            alarm = backend.alarms[request["AlarmName"]] = Alarm(backend, request)
            if request.get("Tags"):
                backend.tagger.tag_resource(alarm.alarm_arn, request["Tags"])
            done = "created"
        else:
            alarm.configure(request)
            done = "updated"
        said = json.dumps({"version": "1.0", "type": done.removesuffix("d").title()})
        remember(backend, alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {done}', said)


def check_metric_alarm(request: Mapping[str, Any]) -> None:
    """Refuse what the model allows and CloudWatch does not.

    Raises:
        ServiceException: with the message of CloudWatch.
    """
    check_actions(request)
    check_options(request)
    if request.get("EvaluationCriteria"):
        check_criteria(request)
        return
    required("EvaluationPeriods", request)
    required("ComparisonOperator", request)
    if not request.get("ThresholdMetricId"):
        required("Threshold", request)
    if request.get("Metrics"):
        check_expression(request)
        period = period_of(request["Metrics"])
    else:
        check_one_metric(request)
        period = request["Period"]
    check_window(period, request)


def check_criteria(request: Mapping[str, Any]) -> None:
    for name in (*OF_ONE_METRIC, "Metrics", "Threshold", "ComparisonOperator", "EvaluationPeriods"):
        if request.get(name) is not None:
            raise InvalidParameterCombination(
                f"The parameters EvaluationCriteria and {name} are mutually exclusive and you have "
                "specified both."
            )


def required(name: str, request: Mapping[str, Any]) -> None:
    if request.get(name) is None:
        raise MissingParameter(f"The parameter {name} is required.")


def check_actions(request: Mapping[str, Any]) -> None:
    for kind in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for arn in request.get(kind) or []:
            if not (arn.startswith("arn:") and arn.count(":") >= 5):
                raise ValidationError(f"Invalid arn syntax: {arn}")


def check_options(request: Mapping[str, Any]) -> None:
    options = {
        "TreatMissingData": ("breaching", "notBreaching", "ignore", "missing"),
        "EvaluateLowSampleCountPercentile": ("evaluate", "ignore"),
    }
    for name, allowed in options.items():
        value = request.get(name)
        if value is not None and value not in allowed:
            listed = f"{', '.join(allowed[:-1])} and {allowed[-1]}"
            raise ValidationError(
                f"Option {value} is not supported. Supported options for parameter {name} are "
                f"{listed}."
            )


def check_one_metric(request: Mapping[str, Any]) -> None:
    for name in ("MetricName", "Namespace", "Period"):
        required(name, request)
    if bool(request.get("Statistic")) == bool(request.get("ExtendedStatistic")):
        raise InvalidParameterCombination(
            "You must specify either Statistic or ExtendedStatistic, but not both."
        )
    extended = request.get("ExtendedStatistic")
    if extended and not is_extended(extended):
        said = f"The value {extended} for parameter ExtendedStatistic is not supported."
        raise ValidationError(said)


def check_expression(request: Mapping[str, Any]) -> None:
    queries = request["Metrics"]
    if any(request.get(name) for name in OF_ONE_METRIC):
        raise ValidationError(
            "Metrics list contains all information about the metric. Do not include MetricName, "
            "Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic."
        )
    check_queries(queries, "Metrics")
    returned = [query for query in queries if query.get("ReturnData", True)]
    if len(returned) != (2 if request.get("ThresholdMetricId") else 1):
        raise ValidationError("Exactly one element of the metrics list should return data.")
    ids = {query["Id"] for query in queries}
    for query in queries:
        try:
            unknown = names_in(query["Expression"]) - ids if query.get("Expression") else set()
        except Unsupported:
            continue
        except BadExpression as error:
            raise ValidationError(f"Error in expression '{query['Id']}' [{error}]") from error
        if unknown:
            raise ValidationError(
                f"Error in expression '{query['Id']}' [Undefined variable: {min(unknown)}]"
            )


def check_window(period: int, request: Mapping[str, Any]) -> None:
    periods = request["EvaluationPeriods"]
    if period not in (10, 20, 30) and period % 60:
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")
    if (request.get("DatapointsToAlarm") or 0) > periods:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    if period < HOUR and period * periods > DAY:
        raise ValidationError(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be "
            f"<= {DAY}) for alarms using period < {HOUR}"
        )
    if period * periods > WEEK:
        raise ValidationError(
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must "
            f"be <= {WEEK}) for alarms using period >= {HOUR}"
        )


# --- looking -------------------------------------------------------------------------------------


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "DescribeAlarms",
    reason=(
        "never evaluates an alarm; takes one filter of several; has no pages; "
        "lists in the order of creation"
    ),
    differs="every look evaluates; AWS evaluates once a minute",
)
def describe_alarms(original: Function, self: Any) -> ActionResult:
    backend, params = self.cloudwatch_backend, self.params
    if params.get("AlarmNames") and params.get("AlarmNamePrefix"):
        raise InvalidParameterCombination(
            "AlarmNames and AlarmNamePrefix cannot be specified together."
        )
    bring_up_to_date(backend)
    alarms = sorted(filtered(backend, params), key=lambda alarm: alarm.name)
    page, token = paged(alarms, params, PAGE)
    described = {
        f"{kind}s": [alarm.description() for alarm in page if alarm.kind == kind]
        for kind in ("MetricAlarm", "CompositeAlarm")
    }
    return ActionResult({**described, "NextToken": token})


def filtered(backend: Any, params: Mapping[str, Any]) -> Iterable[Alarm]:
    names, state = params.get("AlarmNames"), params.get("StateValue")
    kinds = params.get("AlarmTypes") or ["MetricAlarm"]
    related = relatives(backend, params)
    for alarm in list(backend.alarms.values()):
        actions = [
            arn for each in ("OK", "ALARM", "INSUFFICIENT_DATA") for arn in alarm.actions(each)
        ]
        if (
            (names is None or alarm.name in names)
            and alarm.name.startswith(params.get("AlarmNamePrefix") or "")
            and (state is None or alarm.state.value == state)
            and ((related is None and alarm.kind in kinds) or (related and alarm.name in related))
            and any(arn.startswith(params.get("ActionPrefix") or "") for arn in [*actions, ""])
        ):
            yield alarm


def relatives(backend: Any, params: Mapping[str, Any]) -> set[str] | None:
    """The children or the parents that are asked for; None when neither are."""
    parent, child = params.get("ChildrenOfAlarmName"), params.get("ParentsOfAlarmName")
    if parent is None and child is None:
        return None
    rules = {
        alarm.name: {name for _, name in conditions(alarm.request["AlarmRule"])}
        for alarm in list(backend.alarms.values())
        if alarm.kind == "CompositeAlarm"
    }
    if parent is not None:
        return rules.get(parent, set())
    return {name for name, children in rules.items() if child in children}


def paged(items: list[Any], params: Mapping[str, Any], size: int) -> tuple[list[Any], str | None]:
    start = offset(params.get("NextToken"), "The NextToken value is invalid.")
    end = start + (params.get("MaxRecords") or size)
    return items[start:end], str(end) if len(items) > end else None


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "DescribeAlarmsForMetric",
    reason="never evaluates an alarm; ignores dimensions",
    differs="every look evaluates",
)
def describe_alarms_for_metric(original: Function, self: Any) -> ActionResult:
    backend, params = self.cloudwatch_backend, self.params
    bring_up_to_date(backend)
    wanted = identity_of(params)
    same = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    found = [
        alarm.description()
        for alarm in list(backend.alarms.values())
        if any(identity_of(metric) == wanted for metric in metrics_of(alarm))
        and all(params.get(name) in (None, alarm.request.get(name)) for name in same)
    ]
    return ActionResult({"MetricAlarms": found})


@adds(
    CloudWatchResponse,
    "cloudwatch",
    "DescribeAlarmHistory",
    differs="the data of an item are shorter; the last 10,000 items are kept",
)
def describe_alarm_history(self: Any) -> ActionResult:
    backend, params = self.cloudwatch_backend, self.params
    bring_up_to_date(backend)
    start, end = params.get("StartDate"), params.get("EndDate")
    items = [
        item
        for item in list(history(backend))
        if params.get("AlarmName") in (None, item["AlarmName"])
        and params.get("HistoryItemType") in (None, item["HistoryItemType"])
        and item["AlarmType"] in (params.get("AlarmTypes") or ["MetricAlarm"])
        and (start is None or naive(start) <= item["Timestamp"])
        and (end is None or item["Timestamp"] <= naive(end))
    ]
    if params.get("ScanBy") != "TimestampAscending":
        items.reverse()
    page, token = paged(items, params, HISTORY_PAGE)
    return ActionResult({"AlarmHistoryItems": page, "NextToken": token})


# --- changing ------------------------------------------------------------------------------------


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "SetAlarmState",
    reason="carries out no action",
    differs=(
        "the state holds until the next evaluation, as on AWS; while the clock is instant, "
        "until there are new data"
    ),
)
def set_alarm_state(original: Function, self: Any) -> ActionResult:
    backend, params = self.cloudwatch_backend, self.params
    with LOCK:
        alarm = backend.alarms.get(params["AlarmName"])
        if alarm is None:
            raise ResourceNotFound(f"Alarm {params['AlarmName']} does not exist.")
        data = params.get("StateReasonData")
        try:
            json.loads(data or "{}")
        except ValueError as error:
            raise InvalidFormat("StateReasonData must be valid JSON.") from error
        give(backend, alarm, params["StateValue"], params["StateReason"], data)
    return EmptyResult()


@changes(
    CloudWatchBackend,
    "cloudwatch",
    "DeleteAlarms",
    reason="keeps the tags of a deleted alarm",
    differs="",
)
def delete_alarms(original: Function, self: Any, alarm_names: list[str]) -> None:
    """Delete the alarms that exist; Application Auto Scaling comes here, too."""
    with LOCK:
        for name in alarm_names:
            alarm = self.alarms.pop(name, None)
            if alarm:
                self.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
                said = json.dumps({"version": "1.0", "type": "Delete"})
                remember(self, alarm, "ConfigurationUpdate", f'Alarm "{name}" deleted', said)
