"""Endpoint configurations and endpoints: where models answer."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from smcli.calls import AWS, advising, given
from smcli.command import (
    Command,
    argument,
    command,
    confirm,
    dry_run_option,
    option,
    yes_option,
)
from smcli.ending import Failed, Unreadable
from smcli.hosting import (
    MEMORY,
    STRATEGIES,
    Request,
    Size,
    Variant,
    capture,
    deployment,
    on_instances,
    stage_of,
    variant_text,
    without_instances,
)
from smcli.language import N_, _, ngettext
from smcli.output import Columns, say, show_done, show_json, show_list, show_made, show_one
from smcli.parameters import Name, S3Uri
from smcli.waiting import wait_for, waiting_options

# What a payload is, by the ending of its file.
CONTENT_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".libsvm": "text/libsvm",
    ".npy": "application/x-npy",
    ".txt": "text/plain",
}
MISSING = "Could not find"  # in AWS's message about what is not there


def missing(error: Any) -> bool:
    return MISSING in error.response["Error"]["Message"]


# --- configurations ------------------------------------------------------------------------------


@command(
    "endpoint-config-create",
    calls=["sagemaker:CreateEndpointConfig"],
    help=N_("Create an endpoint configuration: which models are served, and on what."),
)
@argument("name", type=Name(), help=N_("Name of the configuration."))
@argument("model", type=Name(), required=False, help=N_("Name of the model."))
@argument("instance_type", required=False, help=N_("Instance type; default: ml.m5.large."))
@argument(
    "count", type=click.IntRange(min=1), required=False, help=N_("Number of instances; default: 1.")
)
@option(
    "--variant",
    "variants",
    type=Variant(),
    multiple=True,
    metavar="NAME=MODEL:TYPE:COUNT:WEIGHT",
    help=N_(
        "Instead of MODEL, one of the variants that share the traffic by weight; may be repeated."
    ),
)
@option(
    "--shadow",
    type=Variant(),
    metavar="NAME=MODEL:TYPE:COUNT:WEIGHT",
    help=N_("Shadow variant: it gets copies of the requests, and its answers are not returned."),
)
@option("--serverless", is_flag=True, help=N_("Run MODEL without instances."))
@option(
    "--memory",
    type=click.Choice(MEMORY),
    metavar="MB",
    help=N_("Memory of a serverless variant: a multiple of 1024 up to 6144; default: 2048."),
)
@option(
    "--max-concurrency",
    type=click.IntRange(1, 200),
    metavar="NUMBER",
    help=N_("Concurrent requests of a serverless variant, 1 to 200; default: 5."),
)
@option(
    "--async-output",
    type=S3Uri(),
    metavar="S3URI",
    help=N_("Make it asynchronous; the answers are stored here."),
)
@option(
    "--data-capture",
    type=S3Uri(),
    metavar="S3URI",
    help=N_("Record requests and answers here."),
)
@option(
    "--sampling",
    type=click.IntRange(0, 100),
    metavar="PERCENT",
    help=N_("Percentage of requests that --data-capture records; default: 100."),
)
@dry_run_option()
def config_create(
    aws: AWS,
    name: str,
    model: str | None,
    instance_type: str | None,
    count: int | None,
    variants: tuple[Request, ...],
    shadow: Request | None,
    serverless: bool,
    memory: int | None,
    max_concurrency: int | None,
    async_output: str | None,
    data_capture: str | None,
    sampling: int | None,
) -> None:
    options = {
        "MODEL": model,
        "INSTANCE_TYPE": instance_type,
        "--variant": variants,
        "--shadow": shadow,
        "--async-output": async_output,
        "--data-capture": data_capture,
    }
    if serverless:
        exclude(options, "--serverless", *[each for each in options if each != "MODEL"])
    else:
        require(
            "--serverless", serverless, {"--memory": memory, "--max-concurrency": max_concurrency}
        )
    require("--data-capture", data_capture, {"--sampling": sampling})
    if variants:
        exclude(options, "--variant", "MODEL")
    if shadow:
        exclude(options, "--shadow", "--async-output")
    if len(variants) > 1 and shadow:
        raise click.UsageError(_("--shadow works only with one variant."))
    if model is None and not variants:
        raise click.UsageError(_("Name a model, or give --variant NAME=MODEL:TYPE:COUNT:WEIGHT."))
    if model and serverless:
        variants = (without_instances(model, memory, max_concurrency),)
    elif model:
        variants = (on_instances(model, instance_type, count),)
    check_names([*variants, *([shadow] if shadow else [])])
    request = {
        "EndpointConfigName": name,
        "ProductionVariants": list(variants),
        "ShadowProductionVariants": [shadow] if shadow else None,
        "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": async_output}},
        "DataCaptureConfig": capture(data_capture, sampling) if data_capture else None,
    }
    with advising(
        {
            "Could not find model": _("Next: see the names with smcli model-list."),
            "already existing": _("Next: choose another name: a configuration never changes."),
        }
    ):
        answer = aws.change("sagemaker", "CreateEndpointConfig", **request)
    endpoint = name.removesuffix("-config")
    show_made(aws, answer, "EndpointConfigArn", f"smcli endpoint-create {endpoint} {name}")


def exclude(options: dict[str, Any], option_name: str, *others: str) -> None:
    """Raises click.UsageError: one of the others is given beside an option."""
    for other in others:
        if options[other]:
            raise click.UsageError(
                _("{option} and {other} cannot be used together.").format(
                    option=option_name, other=other
                )
            )


def require(option_name: str, value: Any, dependent: dict[str, Any]) -> None:
    """Raises click.UsageError: an option is given without the one that it belongs to."""
    for other, found in dependent.items():
        if found is not None and not value:
            raise click.UsageError(
                _("{option} works only with {other}.").format(option=other, other=option_name)
            )


def check_names(variants: list[Request]) -> None:
    names = [variant["VariantName"] for variant in variants]
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(_("Two variants have the name {name}.").format(name=name))


@command(
    "endpoint-config-list",
    calls=["sagemaker:ListEndpointConfigs"],
    help=N_("List the endpoint configurations, newest first."),
)
def config_list(aws: AWS) -> None:
    answer = aws.read_all(
        "sagemaker", "ListEndpointConfigs", SortBy="CreationTime", SortOrder="Descending"
    )
    columns = {N_("Name"): "EndpointConfigName", N_("Created"): "CreationTime"}
    show_list(aws, answer, "EndpointConfigs", columns)


@command(
    "endpoint-config-delete",
    calls=[
        "sagemaker:ListEndpoints",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DeleteEndpointConfig",
    ],
    help=N_("Delete an endpoint configuration that no endpoint uses."),
)
@argument("name", type=Name(), help=N_("Name of the configuration."))
@yes_option()
@dry_run_option()
def config_delete(aws: AWS, name: str, yes: bool) -> None:
    for endpoint in users_of(aws, name):
        raise Failed(
            _(
                "The endpoint {endpoint} uses the configuration {config}. Delete both with: "
                "{command}"
            ).format(
                endpoint=endpoint,
                config=name,
                command=f"smcli endpoint-delete {endpoint} --with-config",
            )
        )
    confirm(aws, yes, _("Delete the endpoint configuration {name}?").format(name=name))
    aws.change("sagemaker", "DeleteEndpointConfig", EndpointConfigName=name)
    show_done(aws, _("Deleted the endpoint configuration {name}.").format(name=name))


def users_of(aws: AWS, config: str, but: str = "") -> Iterator[str]:
    """The endpoints that use a configuration, or are on their way to it.

    but: an endpoint that does not count.
    """
    for summary in aws.read_all("sagemaker", "ListEndpoints")["Endpoints"]:
        name = summary["EndpointName"]
        if name == but or summary["EndpointStatus"] == "Deleting":
            continue
        endpoint = look_at(aws, name)
        pending = endpoint.get("PendingDeploymentSummary") or {}
        if config in (endpoint.get("EndpointConfigName"), pending.get("EndpointConfigName")):
            yield name


# --- endpoints -----------------------------------------------------------------------------------


def look_at(aws: AWS, name: str) -> dict[str, Any]:
    """What DescribeEndpoint says; of one that is gone, that it is `Deleted`."""
    from botocore.exceptions import ClientError

    try:
        return aws.read("sagemaker", "DescribeEndpoint", EndpointName=name)
    except ClientError as error:
        if not missing(error):
            raise
        return {"EndpointName": name, "EndpointStatus": "Deleted"}


def log_of(name: str) -> str:
    """The command that shows what the containers of an endpoint have said."""
    return f"aws logs tail {log_group(name)}"


def log_group(name: str) -> str:
    return f"/aws/sagemaker/Endpoints/{name}"


def wait_in_service(aws: AWS, name: str) -> dict[str, Any]:
    """Wait until an endpoint is in service; returns what DescribeEndpoint says then.

    Raises:
        Failed: it is not in service in the end; with the command that shows its log.
        TimedOut, Interrupted: see wait_for.
    """

    def look() -> dict[str, Any]:
        endpoint = aws.read("sagemaker", "DescribeEndpoint", EndpointName=name)
        return endpoint | {"SecondaryStatus": stage_of(endpoint)}

    bad = ("Failed", "OutOfService", "UpdateRollbackFailed")
    again = f"smcli endpoint-describe {name}"
    try:
        return wait_for(aws, spoken(name), look, "EndpointStatus", ("InService",), bad, again)
    except Failed as error:
        error.add_note(_("Its log: {command}").format(command=log_of(name)))
        raise


def spoken(name: str) -> str:
    return _("endpoint {name}").format(name=name)


@command(
    "endpoint-create",
    calls=["sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint"],
    help=N_("Create an endpoint from a configuration."),
)
@argument("name", type=Name(), help=N_("Name of the endpoint."))
@argument("config", type=Name(), help=N_("Name of the configuration."))
@waiting_options(poll=30)
@dry_run_option()
def create(aws: AWS, name: str, config: str) -> None:
    with advising(
        {
            "Could not find endpoint configuration": _(
                "Next: see the names with smcli endpoint-config-list."
            ),
            "already existing": _("Next: move it to this configuration with {command}.").format(
                command=f"smcli endpoint-update {name} {config}"
            ),
        }
    ):
        answer = aws.change(
            "sagemaker", "CreateEndpoint", EndpointName=name, EndpointConfigName=config
        )
    waits = aws.wait and not aws.dry_run
    show_made(aws, answer, "EndpointArn", *([] if waits else [f"smcli endpoint-describe {name}"]))
    show_done(
        aws,
        _("An endpoint on instances is billed until you delete it: {command}").format(
            command=f"smcli endpoint-delete {name} --with-config"
        ),
    )
    if waits:
        wait_in_service(aws, name)
        say(_("next: {command}").format(command=f"smcli endpoint-invoke {name} PAYLOAD"))


@command(
    "endpoint-list", calls=["sagemaker:ListEndpoints"], help=N_("List the endpoints, newest first.")
)
def list_all(aws: AWS) -> None:
    answer = aws.read_all(
        "sagemaker", "ListEndpoints", SortBy="CreationTime", SortOrder="Descending"
    )
    columns = {
        N_("Name"): "EndpointName",
        N_("Status"): "EndpointStatus",
        N_("Created"): "CreationTime",
    }
    show_list(aws, answer, "Endpoints", columns)


@command(
    "endpoint-describe",
    calls=["sagemaker:DescribeEndpoint"],
    help=N_("Show the status of an endpoint, its variants and any update in progress."),
)
@argument("name", type=Name(), help=N_("Name of the endpoint."))
def describe(aws: AWS, name: str) -> None:
    endpoint = aws.read("sagemaker", "DescribeEndpoint", EndpointName=name)
    show_one(
        aws,
        endpoint,
        {
            N_("Name"): "EndpointName",
            N_("Status"): "EndpointStatus",
            N_("Reason"): "FailureReason",
            N_("Configuration"): "EndpointConfigName",
            **variant_fields(endpoint, _("Variant {name}"), _("Shadow {name}")),
            N_("New configuration"): "PendingDeploymentSummary.EndpointConfigName",
            **variant_fields(
                endpoint.get("PendingDeploymentSummary") or {},
                _("New variant {name}"),
                _("New shadow {name}"),
            ),
            N_("Answers in"): "AsyncInferenceConfig.OutputConfig.S3OutputPath",
            N_("Data capture"): capture_text,
            N_("Created"): "CreationTime",
            N_("Changed"): "LastModifiedTime",
        },
    )


def variant_fields(summary: Request, variant: str, shadow: str) -> Columns:
    """A row for each variant. variant, shadow: headers with the place of the name."""
    kinds = ((variant, "ProductionVariants"), (shadow, "ShadowProductionVariants"))
    return {
        header.format(name=each["VariantName"]): as_field(each)
        for header, kind in kinds
        for each in summary.get(kind) or []
    }


def as_field(variant: Request) -> Callable[[Request], str]:
    return lambda _endpoint: variant_text(variant)


def capture_text(endpoint: Request) -> str | None:
    found = endpoint.get("DataCaptureConfig")
    if not found:
        return None
    return _("{status}, {percent} % to {place}").format(
        status=found["CaptureStatus"],
        percent=found["CurrentSamplingPercentage"],
        place=found["DestinationS3Uri"],
    )


@command(
    "endpoint-update",
    calls=["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpoint"],
    help=N_("Move an endpoint to another configuration while it keeps answering."),
)
@argument("name", type=Name(), help=N_("Name of the endpoint."))
@argument("config", type=Name(), help=N_("Name of the new configuration."))
@option(
    "--strategy",
    type=click.Choice(STRATEGIES),
    default="all-at-once",
    show_default=True,
    help=N_("How traffic moves to the new instances."),
)
@option(
    "--canary-size",
    type=Size(),
    metavar="SIZE",
    help=N_("With canary, what moves first: a share such as 10%, or a number of instances."),
)
@option(
    "--step-size",
    type=Size(),
    metavar="SIZE",
    help=N_("With linear and rolling, what moves in each step: a share, or a number of instances."),
)
@option(
    "--wait-seconds",
    type=click.IntRange(0, 3600),
    metavar="SECONDS",
    help=N_(
        "How long to watch each step, and the last one, before it is final, up to "
        "3600; default: 300 with steps or alarms, otherwise 0."
    ),
)
@option(
    "--alarm",
    "alarms",
    multiple=True,
    metavar="NAME",
    help=N_("CloudWatch alarm that rolls the update back; may be repeated."),
)
@option(
    "--retain-variant-properties",
    is_flag=True,
    help=N_("Keep the current weights and numbers of instances."),
)
@waiting_options(poll=30)
@dry_run_option()
def update(
    aws: AWS,
    name: str,
    config: str,
    strategy: str,
    canary_size: Request | None,
    step_size: Request | None,
    wait_seconds: int | None,
    alarms: tuple[str, ...],
    retain_variant_properties: bool,
) -> None:
    request = {
        "EndpointName": name,
        "EndpointConfigName": config,
        "RetainAllVariantProperties": retain_variant_properties or None,
        "DeploymentConfig": deployment(strategy, canary_size, step_size, wait_seconds, alarms),
    }
    aws.check("sagemaker", "UpdateEndpoint", given(request))
    serves = aws.read("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointConfigName"]
    if serves == config:
        raise Failed(
            _("{name} already serves {config}; an update needs another configuration.").format(
                name=name, config=config
            )
        )
    with advising(
        {
            "Could not find endpoint configuration": _(
                "Next: see the names with smcli endpoint-config-list."
            ),
            "in-progress": busy(name),
            "alarm": _("Next: see the alarms with aws cloudwatch describe-alarms."),
        }
    ):
        answer = aws.change("sagemaker", "UpdateEndpoint", **request)
    waits = aws.wait and not aws.dry_run
    show_made(aws, answer, "EndpointArn", *([] if waits else [f"smcli endpoint-describe {name}"]))
    if request["DeploymentConfig"] and not alarms:
        say(_("Without --alarm, nothing rolls back a model that gives wrong answers."))
    if waits:
        verify(wait_in_service(aws, name), config)
        say(_("{name} serves {config}.").format(name=name, config=config))
    else:
        show_done(
            aws,
            _(
                "InService does not mean success: after a rollback {name} still serves {config}."
            ).format(name=name, config=serves),
        )


def verify(endpoint: Request, wanted: str) -> None:
    """A rolled-back endpoint is InService, too: only its configuration tells.

    Raises:
        Failed: it does not serve the configuration that it was updated to.
    """
    name, serves = endpoint["EndpointName"], endpoint["EndpointConfigName"]
    if serves == wanted:
        return
    reason = endpoint.get("FailureReason") or _("AWS gave no reason")
    error = Failed(
        _("{name} was rolled back: it serves {serves}, not {wanted}. {reason}").format(
            name=name, serves=serves, wanted=wanted, reason=reason
        )
    )
    error.add_note(_("Its log: {command}").format(command=log_of(name)))
    raise error


def busy(name: str) -> str:
    return _("Next: wait until it is InService; check with {command}.").format(
        command=f"smcli endpoint-describe {name}"
    )


# --- deleting ------------------------------------------------------------------------------------


@command(
    "endpoint-delete",
    calls=[
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:ListEndpoints",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "logs:DeleteLogGroup",
    ],
    help=N_("Delete an endpoint; if asked, also what only it uses."),
)
@argument("name", type=Name(), help=N_("Name of the endpoint."))
@option("--with-config", is_flag=True, help=N_("Also delete its configuration."))
@option(
    "--with-model", is_flag=True, help=N_("Also delete its configuration and the models in it.")
)
@option(
    "--with-log",
    is_flag=True,
    help=N_("Also delete its log, once the endpoint is gone; needs --wait."),
)
@yes_option()
@waiting_options(poll=10)
@dry_run_option()
def delete(
    aws: AWS, name: str, with_config: bool, with_model: bool, with_log: bool, yes: bool
) -> None:
    require("--wait", aws.wait, {"--with-log": with_log or None})
    config: str | None = None
    models: list[str] = []
    if with_config or with_model:
        config, models = used_alone(aws, name, with_model)
    question = _("Delete the endpoint {name}?")
    if config:
        question = _("Delete the endpoint {name} and its configuration {config}?")
    if models:
        question = ngettext(
            "Delete the endpoint {name}, its configuration {config} and the model {models}?",
            "Delete the endpoint {name}, its configuration {config} and the models {models}?",
            len(models),
        )
    confirm(aws, yes, question.format(name=name, config=config, models=", ".join(models)))
    with advising({"in-progress": busy(name)}):
        aws.change("sagemaker", "DeleteEndpoint", EndpointName=name)
    show_done(aws, _("The endpoint {name} is being deleted.").format(name=name))
    delete_with(aws, config, models)
    if aws.wait and not aws.dry_run:
        wait_for(
            aws,
            spoken(name),
            lambda: look_at(aws, name),
            "EndpointStatus",
            ("Deleted",),
            ("Failed",),
            "smcli endpoint-list",
        )
    if with_log:
        delete_log(aws, name)


def used_alone(aws: AWS, name: str, with_model: bool) -> tuple[str | None, list[str]]:
    """The configuration of an endpoint and the models of that, as far as nothing else uses them."""
    from botocore.exceptions import ClientError

    config = aws.read("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointConfigName"]
    try:
        models = models_of(aws, config)
    except ClientError as error:
        if not missing(error):
            raise
        return None, []  # somebody has deleted it before
    for other in users_of(aws, config, but=name):
        say(
            _("The configuration {config} is kept: the endpoint {other} also uses it.").format(
                config=config, other=other
            )
        )
        return None, []
    if not with_model:
        return config, []
    for summary in aws.read_all("sagemaker", "ListEndpointConfigs")["EndpointConfigs"]:
        other = summary["EndpointConfigName"]
        for model in set(models) & set(models_of(aws, other)) if other != config else ():
            models.remove(model)
            say(
                _("The model {model} is kept: the configuration {other} also uses it.").format(
                    model=model, other=other
                )
            )
    return config, models


def models_of(aws: AWS, config: str) -> list[str]:
    """The models that a configuration names, each once."""
    found = aws.read("sagemaker", "DescribeEndpointConfig", EndpointConfigName=config)
    variants = found["ProductionVariants"] + (found.get("ShadowProductionVariants") or [])
    return list(dict.fromkeys(each["ModelName"] for each in variants if each.get("ModelName")))


def delete_with(aws: AWS, config: str | None, models: list[str]) -> None:
    """Delete what an endpoint that is being deleted has used. What stays after an error is named,
    with the commands that delete it."""
    from botocore.exceptions import ClientError

    left = [*([("endpoint-config", config)] if config else []), *(("model", m) for m in models)]
    try:
        while left:
            kind, name = left[0]
            try:
                if kind == "endpoint-config":
                    aws.change("sagemaker", "DeleteEndpointConfig", EndpointConfigName=name)
                    done = _("Deleted the endpoint configuration {name}.")
                else:
                    aws.change("sagemaker", "DeleteModel", ModelName=name)
                    done = _("Deleted the model {name}; its artifact in S3 is kept.")
                show_done(aws, done.format(name=name))
            except ClientError as error:
                if not missing(error):
                    raise
            left.pop(0)
    except BaseException as error:
        commands = "; ".join(f"smcli {kind}-delete {name}" for kind, name in left)
        error.add_note(_("To delete the rest: {commands}").format(commands=commands))
        raise


def delete_log(aws: AWS, name: str) -> None:
    """The log outlives the endpoint, and what it stores is billed."""
    from botocore.exceptions import ClientError

    group = log_group(name)
    try:
        aws.change("logs", "DeleteLogGroup", logGroupName=group)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        say(_("There is no log {group}: the model has written nothing.").format(group=group))
    else:
        show_done(aws, _("Deleted the log {group}.").format(group=group))


# --- invoking ------------------------------------------------------------------------------------


def printable_only(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """What goes into a header of HTTP."""
    if value is not None and not (value.isascii() and value.isprintable() and value.strip()):
        raise click.BadParameter(_("only printable ASCII characters are allowed"), ctx, param)
    return value


class WithNumbers(Command):
    """A command whose argument may be a row of numbers: `-0.4,1` is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rows = [word for word in args if re.match(r"-\.?[0-9]", word)]
        if rows and "--" not in args:
            args = [*(word for word in args if word not in rows), "--", *rows]
        return super().parse_args(ctx, args)


@command(
    "endpoint-invoke",
    calls=["sagemaker:InvokeEndpoint"],
    help=N_("Send a payload to an endpoint and show the answer."),
    cls=WithNumbers,
)
@argument("name", type=Name(), help=N_("Name of the endpoint."))
@argument("payload", help=N_("The text itself, @FILE, or - for standard input."))
@option(
    "--content-type",
    metavar="TYPE",
    callback=printable_only,
    help=N_(
        "Content type of the payload; default: by the extension of FILE, otherwise "
        "application/json."
    ),
)
@option(
    "--accept",
    metavar="TYPE",
    callback=printable_only,
    help=N_("Content type that you want back."),
)
@option("--variant", type=Name(), help=N_("Send it to this variant, whatever the weights."))
@option(
    "--target-model",
    metavar="FILE",
    callback=printable_only,
    help=N_("On a multi-model endpoint, the model.tar.gz to call."),
)
@option("--component", type=Name(), help=N_("Inference component to call."))
def invoke(
    aws: AWS,
    name: str,
    payload: str,
    content_type: str | None,
    accept: str | None,
    variant: str | None,
    target_model: str | None,
    component: str | None,
) -> None:
    body = read_payload(aws, payload)
    ending = Path(payload[1:]).suffix.lower() if payload.startswith("@") else ""
    kind = content_type or CONTENT_TYPES.get(ending, "application/json")
    if kind.partition(";")[0].strip().lower() == "application/json":
        check_json(body)
    request = {
        "EndpointName": name,
        "Body": body,
        "ContentType": kind,
        "Accept": accept,
        "TargetVariant": variant,
        "TargetModel": target_model,
        "InferenceComponentName": component,
    }
    log = log_of(name)
    if component:
        log = f"aws logs tail /aws/sagemaker/InferenceComponents/{component}"
    with advising(
        {
            "ModelError": _("Its log: {command}").format(command=log),
            "ValidationError": _("Next: see its status and variants with {command}.").format(
                command=f"smcli endpoint-describe {name}"
            ),
        }
    ):
        answer = aws.read("sagemaker-runtime", "InvokeEndpoint", **given(request))
    show_answer(aws, answer | {"Body": answer["Body"].read()})


def read_payload(aws: AWS, payload: str) -> bytes:
    """The bytes to send.

    Raises:
        click.UsageError: they are none, or more than the API takes.
        Unreadable: the file cannot be read.
    """
    shapes = aws.client("sagemaker-runtime").meta.service_model
    limit = int(shapes.shape_for("BodyBlob").metadata["max"])
    if payload == "-":
        body = sys.stdin.buffer.read(limit + 1)
    elif payload.startswith("@"):
        try:
            with Path(payload[1:]).open("rb") as file:
                body = file.read(limit + 1)
        except (OSError, ValueError) as error:
            raise Unreadable(_("The payload cannot be read: {error}").format(error=error)) from None
    else:
        body = payload.encode(errors="surrogateescape")
    if not body:
        raise click.UsageError(_("The payload is empty."))
    if len(body) > limit:
        raise click.UsageError(
            _(
                "The payload has more than {limit} bytes, the limit of "
                "InvokeEndpoint. For larger input, use asynchronous inference or "
                "batch transform."
            ).format(limit=limit)
        )
    return body


def check_json(body: bytes) -> None:
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(
            _("The payload is not JSON ({error}). If it is not meant to be: {option}").format(
                error=error, option="--content-type text/csv"
            )
        ) from None


def show_answer(aws: AWS, answer: Request) -> None:
    """The body on standard output, as it came; a text ends its line."""
    if variant := answer.get("InvokedProductionVariant"):
        say(_("variant: {name}").format(name=variant))
    if aws.output == "json" or aws.query is not None:
        show_json(aws, answer)
        return
    try:
        text = answer["Body"].decode()
    except UnicodeDecodeError:
        click.echo(answer["Body"], nl=False)
    else:
        click.echo(text, nl=not text.endswith("\n"))
