"""Types of arguments and options: what can be refused before anything is asked of AWS."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import click

from smcli.language import _

LONGEST = 30 * 24 * 3600  # seconds


class Name(click.ParamType):
    """A name as SageMaker takes it: letters, digits and single hyphens between them."""

    name = "name"

    def __init__(self, longest: int = 63) -> None:
        self.longest = longest

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if len(value) > self.longest:
            self.fail(
                _("{value!r} has {length} characters; at most {longest} are allowed").format(
                    value=value, length=len(value), longest=self.longest
                ),
                param,
                ctx,
            )
        if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", value):
            self.fail(
                _(
                    "{value!r}: a name has letters, digits and hyphens only, and begins and ends "
                    "with a letter or digit"
                ).format(value=value),
                param,
                ctx,
            )
        return str(value)


class S3Uri(click.ParamType):
    """`s3://bucket/prefix`; with `suffix`, what it must end with."""

    name = "s3-uri"

    def __init__(self, suffix: str = "") -> None:
        self.suffix = suffix

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\x00-\x1f]*)?", value):
            self.fail(
                _("{value!r} is not of the form s3://bucket/prefix").format(value=value), param, ctx
            )
        if not value.endswith(self.suffix):
            self.fail(
                _("{value!r} does not end with {suffix}").format(value=value, suffix=self.suffix),
                param,
                ctx,
            )
        return str(value)


class KeyValue(click.ParamType):
    """`key=value`, as a pair."""

    name = "key=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, rest = value.partition("=")
        if not (key and equals):
            self.fail(_("{value!r} is not of the form KEY=VALUE").format(value=value), param, ctx)
        return key, rest


class Seconds(click.FloatRange):
    """How long to sleep or to wait; Python cannot sleep for `nan` or `inf`."""

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number = float(super().convert(value, param, ctx))
        if not number <= LONGEST:
            self.fail(
                _("{value} is not a number of seconds up to {longest}").format(
                    value=value, longest=LONGEST
                ),
                param,
                ctx,
            )
        return number


class Region(click.ParamType):
    """The name of an AWS Region; whether there is one of this name, the call will show."""

    name = "region"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d+", value, re.ASCII):
            self.fail(
                _("{value!r} is not the name of a Region, such as ap-northeast-1").format(
                    value=value
                ),
                param,
                ctx,
            )
        return str(value)


class Query(click.ParamType):
    """A JMESPath expression, compiled."""

    name = "jmespath"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        import jmespath

        try:
            compiled = jmespath.compile(value)
        except jmespath.exceptions.JMESPathError as error:
            self.fail(_("not a JMESPath expression: {error}").format(error=error), param, ctx)
        for name in called(compiled.parsed):
            if name not in jmespath.functions.Functions.FUNCTION_TABLE:
                self.fail(
                    _("not a JMESPath expression: there is no function {name}").format(name=name),
                    param,
                    ctx,
                )
        return compiled


def called(node: Any) -> Iterator[str]:
    """The functions that a JMESPath expression calls; jmespath looks for them only in use."""
    if isinstance(node, dict):
        if node["type"] == "function_expression":
            yield node["value"]
        for child in node["children"]:
            yield from called(child)


class Url(click.ParamType):
    """The address of a server."""

    name = "url"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            address = urlsplit(value)
            valid = address.scheme in ("http", "https") and address.hostname and address.port != 0
        except ValueError:
            valid = False
        if not valid:
            self.fail(
                _("{value!r} is not an address such as http://127.0.0.1:5000").format(value=value),
                param,
                ctx,
            )
        return str(value)
