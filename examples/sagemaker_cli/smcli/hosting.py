"""What configurations and updates of endpoints are made of: variants, sizes and strategies."""

import math
import re
from collections.abc import Sequence
from typing import Any

import click

from smcli.language import _
from smcli.parameters import Name

INSTANCE_TYPE = "ml.m5.large"
MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)  # MB that a serverless variant may have
STRATEGIES = ("all-at-once", "canary", "linear", "rolling")
BAKE = 300  # seconds to watch the alarms, where there is something to watch
# The option that says how large a step is, and its bounds in percent of the instances.
STEPS = {
    "canary": ("--canary-size", 1, 50),
    "linear": ("--step-size", 10, 50),
    "rolling": ("--step-size", 5, 50),
}

Request = dict[str, Any]


class Variant(click.ParamType):
    """`NAME=MODEL:TYPE:COUNT:WEIGHT`, as a variant of a request; the end may be left out."""

    name = "variant"

    def convert(self, value: Any, param: Any, ctx: Any) -> Request:
        if isinstance(value, dict):
            return value
        name, equals, rest = value.partition("=")
        parts = rest.split(":")
        if not (equals and len(parts) <= 4):
            self.fail(
                _("{value!r} is not of the form NAME=MODEL:TYPE:COUNT:WEIGHT").format(value=value),
                param,
                ctx,
            )
        model, kind, count, weight = parts + [""] * (4 - len(parts))
        share = click.FloatRange(min=0).convert(weight or 1.0, param, ctx)
        if not math.isfinite(share):
            self.fail(_("{value!r}: the weight is not a number").format(value=value), param, ctx)
        return {
            "VariantName": Name().convert(name, param, ctx),
            "ModelName": Name().convert(model, param, ctx),
            "InstanceType": kind or INSTANCE_TYPE,
            "InitialInstanceCount": click.IntRange(min=1).convert(count or 1, param, ctx),
            "InitialVariantWeight": share,
        }


class Size(click.ParamType):
    """`10%` of the instances, or a number of instances, as a CapacitySize."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> Request:
        if isinstance(value, dict):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,5})(%?)", value)
        if not found:
            self.fail(
                _("{value!r} is neither a share such as 10% nor a number of instances").format(
                    value=value
                ),
                param,
                ctx,
            )
        kind = "CAPACITY_PERCENT" if found[2] else "INSTANCE_COUNT"
        return {"Type": kind, "Value": int(found[1])}


def on_instances(model: str, instance_type: str | None, count: int | None) -> Request:
    """The one variant of a configuration that names a model and no variants."""
    return {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": instance_type or INSTANCE_TYPE,
        "InitialInstanceCount": count or 1,
        "InitialVariantWeight": 1.0,
    }


def without_instances(model: str, memory: int | None, concurrency: int | None) -> Request:
    return {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InitialVariantWeight": 1.0,
        "ServerlessConfig": {
            "MemorySizeInMB": memory or MEMORY[1],
            "MaxConcurrency": concurrency or 5,
        },
    }


def capture(uri: str, sampling: int | None) -> Request:
    """All of requests and answers; CSV and JSON are stored as text, not in base64."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100 if sampling is None else sampling,
        "DestinationS3Uri": uri,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json"],
        },
    }


def deployment(
    strategy: str,
    canary_size: Request | None,
    step_size: Request | None,
    wait: int | None,
    alarms: Sequence[str],
) -> Request | None:
    """The DeploymentConfig of an update; None: all at once, and nothing is watched.

    wait: seconds that each step bakes, the last one too.

    Raises:
        click.UsageError: the options do not go together.
    """
    size = step_of(strategy, {"--canary-size": canary_size, "--step-size": step_size})
    if wait is None:
        wait = BAKE if size or alarms else 0
    if alarms and not wait:
        raise click.UsageError(
            _("--alarm: with --wait-seconds 0 there is no time for an alarm to go off.")
        )
    if not (size or wait):
        return None
    watched = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}}
    if strategy == "rolling":
        policy = {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait}
        return {"RollingUpdatePolicy": policy} | watched
    routing = {
        "Type": strategy.upper().replace("-", "_"),
        "WaitIntervalInSeconds": wait if size else 0,
        "CanarySize": size if strategy == "canary" else None,
        "LinearStepSize": size if strategy == "linear" else None,
    }
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": wait}
    return {"BlueGreenUpdatePolicy": policy} | watched


def step_of(strategy: str, sizes: dict[str, Request | None]) -> Request | None:
    """The size of a step of a strategy, from the options that may give one."""
    option, least, most = STEPS.get(strategy, ("", 0, 0))
    for name, size in sizes.items():
        if size and name != option:
            raise click.UsageError(
                _("{option} cannot be used with --strategy {strategy}.").format(
                    option=name, strategy=strategy
                )
            )
    if not option:
        return None
    found = sizes[option]
    if found is None:
        raise click.UsageError(
            _("--strategy {strategy} needs {option}, for example {example}.").format(
                strategy=strategy, option=option, example=f"{option} 10%"
            )
        )
    if found["Type"] == "CAPACITY_PERCENT" and not least <= found["Value"] <= most:
        raise click.UsageError(
            _("With --strategy {strategy}, {option} must be between {least}% and {most}%.").format(
                option=option, strategy=strategy, least=least, most=most
            )
        )
    return found


def variant_text(variant: Request) -> str:
    """What an endpoint says of one variant, in one line."""
    weight = changing(variant.get("CurrentWeight"), variant.get("DesiredWeight"))
    serverless = variant.get("CurrentServerlessConfig") or variant.get("DesiredServerlessConfig")
    if serverless:
        text = _("serverless, {memory} MB, concurrency: {concurrency}, weight: {weight}").format(
            memory=serverless["MemorySizeInMB"],
            concurrency=serverless["MaxConcurrency"],
            weight=weight,
        )
    else:
        count = changing(variant.get("CurrentInstanceCount"), variant.get("DesiredInstanceCount"))
        text = _("instances: {count}, weight: {weight}").format(count=count, weight=weight)
        if variant.get("InstanceType"):
            text = f"{variant['InstanceType']}, {text}"
    happens = [
        f"{status['Status']}: {status['StatusMessage']}"
        if status.get("StatusMessage")
        else status["Status"]
        for status in variant.get("VariantStatus") or []
    ]
    return "; ".join([text, *happens])


def changing(now: float | None, desired: float | None) -> str:
    if desired is None or now == desired:
        return "-" if now is None else f"{now:g}"
    return _("{now:g} (desired: {desired:g})").format(now=now or 0, desired=desired)


def stage_of(endpoint: Request) -> str:
    """What happens to the variants of an endpoint, old and new."""
    pending = endpoint.get("PendingDeploymentSummary") or {}
    variants = [
        variant
        for of in (pending, endpoint)
        for kind in ("ProductionVariants", "ShadowProductionVariants")
        for variant in of.get(kind) or []
    ]
    happens = [each["Status"] for v in variants for each in v.get("VariantStatus") or []]
    return "+".join(dict.fromkeys(happens))
