"""A request held against AWS's own model before it is sent.

botocore checks types and required members only; its models also carry the patterns, lengths,
ranges and enumerations that the service refuses after the call.
"""

import difflib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from smcli.language import _

MANY = 20  # values of an enumeration that a message need not name all


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None  # Java's `\p{…}`, which Python does not know: AWS will check it


def problems(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """What the model of a request forbids about it, one sentence each.

    shape: of botocore's service model, for example
        `client.meta.service_model.operation_model("CreateModel").input_shape`.
    """
    kind = shape.type_name
    if kind == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from problems(inner, shape.members[name], f"{path}.{name}" if path else name)
    elif kind in ("list", "map"):
        yield from bounds(len(value), shape, path, _("{path} has {number} entries"))
        if kind == "list":
            for position, item in enumerate(value):
                yield from problems(item, shape.member, f"{path}[{position}]")
        else:
            for key, item in value.items():
                yield from problems(key, shape.key, path)
                yield from problems(item, shape.value, f"{path}.{key}")
    elif kind == "string" and isinstance(value, str):
        yield from string_problems(value, shape, path)
    elif kind in ("integer", "long", "float", "double"):
        yield from bounds(value, shape, path, _("{path} is {number}"))


def string_problems(value: str, shape: Any, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum and len(shape.enum) > MANY:
        some = difflib.get_close_matches(value, shape.enum, n=4) or shape.enum[:4]
        yield _(
            "{path}: {value!r} is not one of the {number} values that AWS accepts, such as {some}"
        ).format(path=path, value=value, number=len(shape.enum), some=", ".join(some))
        return
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield _("{path}: {value!r} is not one of {allowed}").format(
            path=path, value=value, allowed=allowed
        )
        return
    yield from bounds(len(value), shape, path, _("{path} has {number} characters"))
    pattern = shape.metadata.get("pattern")
    expression = compiled(pattern) if pattern else None
    if expression and not expression.fullmatch(value):
        yield _("{path}: {value!r} does not match the pattern {pattern}").format(
            path=path, value=value, pattern=pattern
        )


def bounds(number: float, shape: Any, path: str, said: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    said = said.format(path=path, number=number)
    if least is not None and number < float(least):
        yield _("{said}; the minimum is {limit}").format(said=said, limit=least)
    if most is not None and number > float(most):
        yield _("{said}; the maximum is {limit}").format(said=said, limit=most)
