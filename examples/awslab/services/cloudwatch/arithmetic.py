"""What CloudWatch computes from data points: the statistics of a period, and metric math.

CloudWatch User Guide, "CloudWatch statistics definitions" and "Using math expressions".
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """One data point as it was put: a value, a value that came `weight` times, or a statistic set
    of values that nobody knows one by one."""

    at: datetime
    unit: str
    weight: float
    total: float
    least: float
    most: float


Values = list[float | None]  # one for each period, the oldest first; None where there is no data
Weighted = list[tuple[float, float]]  # values in order, and how often each came
Math = Any  # in an expression: a number, Values, or a tuple of Values


class BadExpression(Exception):
    """An expression that CloudWatch refuses; the message is for the caller."""


# --- statistics ----------------------------------------------------------------------------------

SIMPLE: dict[str, Callable[[Sequence[Sample]], float]] = {
    "SampleCount": lambda samples: sum(sample.weight for sample in samples),
    "Sum": lambda samples: sum(sample.total for sample in samples),
    "Average": lambda samples: SIMPLE["Sum"](samples) / SIMPLE["SampleCount"](samples),
    "Minimum": lambda samples: min(sample.least for sample in samples),
    "Maximum": lambda samples: max(sample.most for sample in samples),
}
NUMBER = r"-?\d{1,15}(?:\.\d{1,15})?%?"
EXTENDED = re.compile(
    rf"(?P<short>p|tm|tc|ts|wm)(?P<percent>100|\d{{1,2}}(?:\.\d{{1,10}})?)"
    rf"|(?P<long>PR|TM|TC|TS|WM)\((?P<low>{NUMBER})?:(?P<high>{NUMBER})?\)"
    rf"|IQM"
)


def is_statistic(name: str) -> bool:
    return name in SIMPLE or is_extended(name)


def is_extended(name: str) -> bool:
    """Whether it is `p99`, `tm90`, `TM(10%:90%)`, `PR(:300)`, `IQM` or one of their kind."""
    found = EXTENDED.fullmatch(name)
    return found is not None and not (found["long"] and not found["low"] and not found["high"])


def statistic(samples: Sequence[Sample], name: str) -> float | None:
    """A statistic of one period; None when there are no data, and for an extended statistic of
    sets whose values are not known."""
    if not samples:
        return None
    if name in SIMPLE:
        return SIMPLE[name](samples)
    if any(sample.least != sample.most for sample in samples):
        return None
    return extended(sorted((sample.least, sample.weight) for sample in samples), name)


def extended(values: Weighted, name: str) -> float | None:
    found = EXTENDED.fullmatch(name)
    assert found, name
    if found["short"] == "p":
        return percentile(values, float(found["percent"]))
    kind, low, high = found["long"], found["low"], found["high"]
    if found["short"]:
        kind, low, high = found["short"].upper(), None, f"{found['percent']}%"
    if name == "IQM":
        kind, low, high = "TM", "25%", "75%"
    if kind == "WM":
        return mean([(clamped(values, value, low, high), weight) for value, weight in values])
    kept = trimmed(values, low, high)
    count = sum(weight for _, weight in kept)
    if kind == "PR":
        return 100 * count / sum(weight for _, weight in values)
    if kind == "TC":
        return count
    return mean(kept) if kind == "TM" else sum(value * weight for value, weight in kept)


def percentile(values: Weighted, percent: float) -> float:
    """The smallest value that at least so many per cent of all do not exceed."""
    rank = sum(weight for _, weight in values) * percent / 100
    for value, weight in values:
        rank -= weight
        if rank <= 1e-9:
            return value
    return values[-1][0]


def trimmed(values: Weighted, low: str | None, high: str | None) -> Weighted:
    """The values between two bounds: above `low` and not above `high`, or between two percents."""
    total = sum(weight for _, weight in values)
    first, last = share(low, 0.0) * total, share(high, 1.0) * total
    kept, passed = [], 0.0
    for value, weight in values:
        inside = min(passed + weight, last) - max(passed, first)
        passed += weight
        if inside > 0 and absolute(low, -math.inf) < value <= absolute(high, math.inf):
            kept.append((value, inside))
    return kept


def clamped(values: Weighted, value: float, low: str | None, high: str | None) -> float:
    least, most = absolute(low, -math.inf), absolute(high, math.inf)
    if low and low.endswith("%"):
        least = percentile(values, float(low[:-1]))
    if high and high.endswith("%"):
        most = percentile(values, float(high[:-1]))
    return min(max(value, least), most)


def share(bound: str | None, default: float) -> float:
    return float(bound[:-1]) / 100 if bound and bound.endswith("%") else default


def absolute(bound: str | None, default: float) -> float:
    return float(bound) if bound and not bound.endswith("%") else default


def mean(values: Weighted) -> float | None:
    count = sum(weight for _, weight in values)
    return sum(value * weight for value, weight in values) / count if count else None


# --- metric math ---------------------------------------------------------------------------------


def power(base: float, exponent: float) -> float:
    return math.pow(base, exponent)


OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Eq: lambda a, b: float(a == b),
    ast.NotEq: lambda a, b: float(a != b),
    ast.Lt: lambda a, b: float(a < b),
    ast.LtE: lambda a, b: float(a <= b),
    ast.Gt: lambda a, b: float(a > b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.And: lambda a, b: float(bool(a) and bool(b)),
    ast.Or: lambda a, b: float(bool(a) or bool(b)),
}
AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "AVG": lambda found: sum(found) / len(found),
    "MIN": min,
    "MAX": max,
}
ONE_BY_ONE: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
}
FUNCTIONS = {*AGGREGATES, *ONE_BY_ONE, "FILL", "IF", "METRICS"}


class Unsupported(BadExpression):
    """A function of CloudWatch that the lab does not have."""


def parsed(expression: str) -> ast.expr:
    """CloudWatch's syntax is that of Python's expressions but for a few signs.

    Raises:
        BadExpression: it is no expression.
        Unsupported: it is a query.
    """
    if expression.lstrip().upper().startswith("SELECT "):
        raise Unsupported("The lab does not have queries of Metrics Insights.")
    text = expression.strip().replace("&&", " and ").replace("||", " or ").replace("^", "**")
    text = re.sub(r"\b(AND|OR)\b", lambda found: found[0].lower(), text)
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadExpression("Invalid syntax.") from error


def names_in(expression: str) -> set[str]:
    """The ids that an expression reads: CloudWatch begins ids with a small letter, and writes
    functions and constants in capitals.

    Raises:
        BadExpression: it is no expression.
        Unsupported: it is a query.
    """
    nodes = ast.walk(parsed(expression))
    return {node.id for node in nodes if isinstance(node, ast.Name) and node.id[0].islower()}


def results(
    queries: Sequence[Mapping[str, Any]],
    measured: Callable[[Mapping[str, Any]], Values],
    wanted: str,
    periods: int,
) -> Values:
    """The values of one query of a list whose expressions may name the others.

    measured: the values of a query that has a MetricStat, for the same periods.

    Raises:
        BadExpression: the expression cannot be computed.
    """
    by_id = {query["Id"]: query for query in queries}
    done: dict[str, Math] = {}

    def value_of(name: str) -> Math:
        if name not in done:
            query = by_id.pop(name, None)  # what is in progress cannot be asked for again
            if query is None:
                raise BadExpression(f"Undefined variable: {name}")
            if query.get("MetricStat"):
                done[name] = measured(query)
            else:
                done[name] = compute(parsed(query.get("Expression") or ""), value_of, metrics)
        return done[name]

    def metrics(part: str) -> Math:
        ids = [query["Id"] for query in queries if query.get("MetricStat")]
        return tuple(value_of(name) for name in ids if part in name)

    try:
        value = value_of(wanted)
    except RecursionError as error:
        raise BadExpression("The expression is too deep.") from error
    if isinstance(value, tuple):
        raise BadExpression("The expression returns several time series.")
    return value if isinstance(value, list) else [value] * periods


def compute(
    node: ast.expr, value_of: Callable[[str], Math], metrics: Callable[[str], Math]
) -> Math:
    def inner(child: ast.expr) -> Math:
        return compute(child, value_of, metrics)

    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(min(number, 10**300))
        case ast.Name(id=name):
            return value_of(name)
        case ast.List(elts=items):
            return tuple(inner(item) for item in items)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            return one_by_one(OPERATORS[type(sign)], inner(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return one_by_one(OPERATORS[type(op)], inner(left), inner(right))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
            return one_by_one(OPERATORS[type(op)], inner(left), inner(right))
        case ast.BoolOp(op=op, values=[first, *others]):
            value = inner(first)
            for other in others:
                value = one_by_one(OPERATORS[type(op)], value, inner(other))
            return value
        case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            raise Unsupported(f"The lab does not have the function {name}.")
        case ast.Call(func=ast.Name(id="METRICS"), args=[], keywords=[]):
            return metrics("")
        case ast.Call(func=ast.Name(id="METRICS"), args=[ast.Constant(value=str() as part)]):
            return metrics(part)
        case ast.Call(func=ast.Name(id="FILL"), args=[series, ast.Name(id="REPEAT")]):
            return repeated(inner(series))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return call(name, [inner(argument) for argument in args])
    raise BadExpression("Invalid syntax.")


def call(name: str, args: list[Math]) -> Math:
    """A function of metric math.

    Raises:
        BadExpression: it does not take such arguments.
    """
    if name in AGGREGATES and len(args) == 1:
        return aggregate(AGGREGATES[name], args[0])
    if name in ONE_BY_ONE and len(args) == 1:
        return one_by_one(ONE_BY_ONE[name], args[0])
    if name == "FILL" and len(args) == 2:
        return one_by_one(lambda value, other: other if value is None else value, *args, gaps=True)
    if name == "IF" and len(args) in (2, 3):
        return one_by_one(choose, *args, gaps=True)
    raise BadExpression(f"Invalid arguments of the function {name}.")


def choose(condition: float | None, then: float | None, other: float | None = None) -> float | None:
    if condition is None:
        return None
    return then if condition else other


def one_by_one(function: Callable[..., Any], *args: Math, gaps: bool = False) -> Math:
    """Apply a function period by period; a gap in one argument is a gap in the result, unless the
    function takes `gaps`. What cannot be computed, as x / 0, is a gap, too."""
    for kind in (tuple, list):
        lengths = {len(arg) for arg in args if isinstance(arg, kind)}
        if len(lengths) > 1:
            raise BadExpression("The arguments have different lengths.")
        if lengths:
            rows = [arg if isinstance(arg, kind) else [arg] * max(lengths) for arg in args]
            return kind(one_by_one(function, *row, gaps=gaps) for row in zip(*rows, strict=True))
    if None in args and not gaps:
        return None
    try:
        value = function(*args)
    except (ArithmeticError, ValueError):
        return None
    return value if value is None or math.isfinite(value) else None


def aggregate(function: Callable[[list[float]], float], value: Math) -> Math:
    """Of several time series: one. Of one time series: one number."""
    if isinstance(value, tuple):
        columns = [part if isinstance(part, list) else [part] for part in value]
        return [across(function, list(row)) for row in zip(*columns, strict=False)]
    return across(function, value if isinstance(value, list) else [value])


def across(function: Callable[[list[float]], float], values: Values) -> float | None:
    found = [value for value in values if value is not None]
    return function(found) if found else None


def repeated(value: Math) -> Math:
    """Fill each gap with the value before it."""
    if not isinstance(value, list):
        return value
    filled: Values = []
    for item in value:
        filled.append(filled[-1] if item is None and filled else item)
    return filled
