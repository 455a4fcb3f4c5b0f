"""Requests held against the model of their service, with the messages that AWS gives.

botocore carries the constraints that the service itself checks first: required members, lengths,
ranges, patterns and enumerations. The SDKs check only some of them before they send a request.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import Shape

LONGEST = 4_000  # characters of a value in a message
HIDDEN: Any = object()  # stands for a value that its model calls sensitive: AWS does not repeat it

# Services whose requests are checked, and the error code that each answers.
VALIDATED: dict[str, str] = {}
# By service and operation: members whose problems have an error code of their own.
OWN_CODES: dict[tuple[str, str], dict[str, str]] = {}


def validates(service: str, code: str) -> None:
    """Have every request of a service checked; `code` is its error code for a bad one.

    service: the name as boto3 knows it.
    """
    VALIDATED[service] = code


def own_code(service: str, operation: str, member: str, code: str) -> None:
    """Have the problems of one member answered with another code than the service's usual one."""
    OWN_CODES.setdefault((service, operation), {})[member] = code


def code_of(service: str, operation: str, params: dict[str, Any], shape: Any, usual: str) -> str:
    """The error code of a request that its model forbids."""
    for member, code in OWN_CODES.get((service, operation), {}).items():
        if member in params and any(check(params[member], shape.members[member], member)):
            return code
    return usual


class WrongType(Exception):
    """A value of a JSON type that the model does not allow; the message is AWS's own."""


def message_of(problems: list[str]) -> str:
    """AWS's sentence about all of them."""
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    return count + "; ".join(problems)


def problems_of(params: dict[str, Any], shape: Shape | None) -> list[str]:
    """What the model forbids about a request, one sentence each.

    Raises:
        WrongType: a value has another type than the model says.
    """
    return list(check(params, shape, "")) if shape else []


def check(value: Any, shape: Shape, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        yield from check_structure(expect(value, dict, "structure"), shape, path)
    elif kind == "list":
        yield from check_length(expect(value, list, "list"), shape, path)
        for position, item in enumerate(value, 1):
            yield from check(item, shape.member, f"{path}.{position}.member")
    elif kind == "map":
        yield from check_length(expect(value, dict, "map"), shape, path)
        for key, item in value.items():
            for _ in check(key, shape.key, path):
                yield refused(value, path, "Map keys must satisfy constraint: " + rules(shape.key))
            for _ in check(item, shape.value, path):
                yield refused(
                    value, path, "Map value must satisfy constraint: " + rules(shape.value)
                )
    elif kind == "string":
        yield from check_string(expect(value, str, "String"), shape, path)
    elif kind in ("integer", "long", "float", "double"):
        number = expect(value, (int, float), kind.capitalize())
        yield from check_bounds(number, shape, path, "value", value)
    elif kind == "boolean":
        expect(value, bool, "Boolean")
    elif kind == "blob":
        size = len(value)
        if isinstance(value, str):  # JSON: base64
            size = size * 3 // 4 - value[-2:].count("=")
        shown = f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
        yield from check_bounds(size, shape, path, "length", shown)


def check_structure(value: dict[str, Any], shape: Any, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield refused(None, join(path, name), "Member must not be null")
    for name, inner in value.items():
        if inner is not None and name in shape.members:
            yield from check(inner, shape.members[name], join(path, name))


def check_string(value: str, shape: Any, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield refused(value, path, f"Member must satisfy enum value set: [{allowed}]")
    yield from check_length(value, shape, path)
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, value):
        value = HIDDEN if shape.metadata.get("sensitive") else value
        yield refused(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def check_length(value: Any, shape: Shape, path: str) -> Iterator[str]:
    yield from check_bounds(len(value), shape, path, "length", value)


def check_bounds(number: float, shape: Shape, path: str, what: str, value: Any) -> Iterator[str]:
    value = HIDDEN if shape.metadata.get("sensitive") else value
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and number < float(least):
        yield refused(value, path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and number > float(most):
        yield refused(value, path, f"Member must have {what} less than or equal to {most}")


def rules(shape: Shape) -> str:
    """The constraints of a map's keys or values, as AWS lists them."""
    said = []
    if shape.metadata.get("max") is not None:
        said.append(f"Member must have length less than or equal to {shape.metadata['max']}")
    if shape.metadata.get("min") is not None:
        said.append(f"Member must have length greater than or equal to {shape.metadata['min']}")
    if shape.metadata.get("pattern"):
        said.append(f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}")
    return f"[{', '.join(said)}]"


def refused(value: Any, path: str, constraint: str) -> str:
    shown = "null " if value is None else "" if value is HIDDEN else f"'{printed(value)}' "
    return f"Value {shown}at '{path}' failed to satisfy constraint: {constraint}"


def printed(value: Any) -> str:
    """A value in a message; of what is very long, as a list of records, the beginning."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def join(path: str, name: str) -> str:
    """`productionVariants.1.member.instanceType`: AWS writes members with a small first letter."""
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name


def expect(value: Any, types: Any, wanted: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = isinstance(value, types) and (number or not isinstance(value, bool) or types is bool)
    if fits and not (wanted in ("Integer", "Long") and isinstance(value, float) and value % 1):
        return value
    if isinstance(value, list):
        raise WrongType("Start of list found where not expected")
    if isinstance(value, dict):
        raise WrongType("Start of structure or map found where not expected.")
    if wanted in ("structure", "list", "map"):
        raise WrongType("Expected list or null" if wanted == "list" else "Expected null")
    shown = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    if isinstance(value, bool):
        shown = f"{value}_VALUE".upper()
    raise WrongType(f"{shown} can not be converted to a{'n' * (wanted[0] in 'AEIOU')} {wanted}")


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None  # `\p{…}` and other signs of Java that Python has not: not checked


def matches(pattern: str, value: str) -> bool:
    expression = compiled(pattern)
    return expression is None or expression.fullmatch(value) is not None
