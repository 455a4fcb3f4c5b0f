"""The data points of an account and Region, by metric, and how any of them comes to be there."""

import threading
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend

from awslab.clock import naive_now
from awslab.extension import Function, changes
from awslab.services.cloudwatch.arithmetic import Sample, Values, statistic

Identity = tuple[str, str, frozenset[tuple[str, str]]]  # namespace, name, dimensions

EPOCH = datetime(1970, 1, 1)
LOCK = threading.RLock()


class Series:
    """The data points of one metric, in the order of their times."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, sample: Sample) -> None:
        with LOCK:
            if not self._samples or self._samples[-1].at <= sample.at:
                self._samples.append(sample)
            else:
                insort(self._samples, sample, key=lambda other: other.at)

    def between(self, start: datetime, end: datetime) -> list[Sample]:
        """The data points from `start` on and before `end`."""
        with LOCK:
            first = bisect_left(self._samples, start, key=lambda sample: sample.at)
            last = bisect_left(self._samples, end, key=lambda sample: sample.at)
            return self._samples[first:last]


def identity_of(metric: Mapping[str, Any]) -> Identity:
    """What tells a metric from others: all of its dimensions belong to it."""
    dimensions = metric.get("Dimensions") or []
    pairs = frozenset((pair["Name"], str(pair.get("Value"))) for pair in dimensions)
    return metric["Namespace"], metric["MetricName"], pairs


def stored(backend: Any) -> dict[Identity, Series]:
    """What was put into an account and Region; it ends with moto's own backend."""
    found: dict[Identity, Series] = vars(backend).setdefault("lab_metrics", {})
    return found


def all_series(backend: Any) -> dict[Identity, Series]:
    """The series of an account and Region, with those that S3 reports of its buckets."""
    with LOCK:
        found = dict(stored(backend))
    for point in backend.aws_metric_data:
        dimensions = frozenset((pair.name, pair.value) for pair in point.dimensions)
        series = found.setdefault((point.namespace, point.name, dimensions), Series())
        value = float(point.value)
        series.add(Sample(point.timestamp, point.unit, 1.0, value, value, value))
    return found


def find(backend: Any, metric: Mapping[str, Any]) -> Series:
    """The series of a metric; an empty one when it has no data."""
    series = all_series(backend) if metric["Namespace"] == "AWS/S3" else stored(backend)
    return series.get(identity_of(metric)) or Series()


def measure(
    backend: Any, stat: Mapping[str, Any], first: datetime, period: float, periods: int
) -> Values:
    """A MetricStat in so many periods, the first of which begins at `first`."""
    length = timedelta(seconds=period)
    groups: dict[int, list[Sample]] = defaultdict(list)
    for sample in find(backend, stat["Metric"]).between(first, first + length * periods):
        if stat.get("Unit") in (None, sample.unit):
            groups[(sample.at - first) // length].append(sample)
    return [statistic(groups.get(position, ()), stat["Stat"]) for position in range(periods)]


def naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def floor(at: datetime, seconds: float) -> datetime:
    """The last whole multiple of a number of seconds, counted from 1970."""
    return at - (at - EPOCH) % timedelta(seconds=seconds)


@changes(
    CloudWatchBackend,
    "cloudwatch",
    "PutMetricData",
    reason="stamps data by the wall's clock",
    differs="",
)
def put_metric_data(original: Function, self: Any, namespace: str, metric_data: Any) -> None:
    """Store data; services inside of AWS come here directly, too, in their own namespaces."""
    for datum in metric_data:
        identity = identity_of({"Namespace": namespace, **datum})
        with LOCK:
            series = stored(self).setdefault(identity, Series())
        for sample in samples_of(datum):
            series.add(sample)


def samples_of(datum: Mapping[str, Any]) -> Iterator[Sample]:
    at, unit = naive(datum.get("Timestamp") or naive_now()), datum.get("Unit") or "None"
    sums = datum.get("StatisticValues")
    if sums:
        if sums["SampleCount"] > 0:
            least, most = float(sums["Minimum"]), float(sums["Maximum"])
            yield Sample(at, unit, float(sums["SampleCount"]), float(sums["Sum"]), least, most)
        return
    values = datum.get("Values") or [datum.get("Value", 0.0)]
    for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=True):
        if count > 0:
            value = float(value)
            yield Sample(at, unit, float(count), value * count, value, value)
