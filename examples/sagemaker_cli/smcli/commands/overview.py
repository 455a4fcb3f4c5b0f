"""What there is in a Region, which images AWS offers there, and clearing up."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import click

from smcli.calls import AWS, HINTS
from smcli.command import argument, command, confirm, dry_run_option, option, yes_option
from smcli.commands.endpoints import look_at, missing, models_of, spoken
from smcli.ending import SERVICE_ERROR, Failed, TimedOut
from smcli.language import N_, _
from smcli.output import (
    Columns,
    as_table,
    as_text,
    in_language_of,
    say,
    show_done,
    show_json,
    show_list,
    terminal_width,
    value_of,
)
from smcli.waiting import Interrupted, wait_for, waiting_options

IMAGES = Path(__file__).parents[1] / "images.json"


# --- status ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of resource to count.

    member: the list in the answer; state: its member that says in which state one is.
    billed: what AWS bills in a state; "" stands for all states that are not named.
    only: of the request, where all that ever was would be too long a list.
    """

    name: str
    operation: str
    member: str
    state: str | None = None
    billed: tuple[tuple[str, str], ...] = ()
    only: tuple[tuple[str, str], ...] = ()

    def bill(self, state: str) -> str | None:
        known = dict(self.billed)
        return known.get(state, known.get(""))


RUNNING, STORAGE = N_("running"), N_("storage")
KINDS = [
    Kind(
        N_("Endpoints"),
        "ListEndpoints",
        "Endpoints",
        "EndpointStatus",
        tuple(
            (state, RUNNING)
            for state in (
                *("InService", "Updating", "SystemUpdating"),
                *("RollingBack", "UpdateRollbackFailed"),
            )
        ),
    ),
    Kind(
        N_("Notebook instances"),
        "ListNotebookInstances",
        "NotebookInstances",
        "NotebookInstanceStatus",
        (("InService", RUNNING), ("Updating", RUNNING), ("", STORAGE)),
    ),
    Kind(
        N_("Training jobs"),
        "ListTrainingJobs",
        "TrainingJobSummaries",
        "TrainingJobStatus",
        (("InProgress", RUNNING),),
        (("StatusEquals", "InProgress"),),
    ),
    Kind(
        N_("Processing jobs"),
        "ListProcessingJobs",
        "ProcessingJobSummaries",
        "ProcessingJobStatus",
        (("InProgress", RUNNING),),
        (("StatusEquals", "InProgress"),),
    ),
    Kind(N_("Domains"), "ListDomains", "Domains", "Status", (("", STORAGE),)),
    Kind(N_("Models"), "ListModels", "Models"),
    Kind(N_("Endpoint configurations"), "ListEndpointConfigs", "EndpointConfigs"),
    Kind(N_("Experiments"), "ListExperiments", "ExperimentSummaries"),
    Kind(
        N_("Model package groups"),
        "ListModelPackageGroups",
        "ModelPackageGroupSummaryList",
        "ModelPackageGroupStatus",
    ),
]
# Errors that every further call would meet as well.
HOPELESS = {code for code, hint in HINTS.items() if hint in ("expired", "credentials")}


@command(
    "status",
    calls=[f"sagemaker:{kind.operation}" for kind in KINDS],
    help=N_("Count what exists in the Region; what costs money now comes first."),
)
def status(aws: AWS) -> None:
    from botocore.exceptions import ClientError

    rows: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    for kind in KINDS:
        try:
            answer = aws.read_all("sagemaker", kind.operation, **dict(kind.only))
        except ClientError as error:
            if error.response["Error"]["Code"] in HOPELESS:
                raise
            errors.append({"Kind": kind.name, **error.response["Error"]})
            continue
        states = Counter(item[kind.state] if kind.state else None for item in answer[kind.member])
        for state, count in sorted(states.items()) or [(dict(kind.only).get("StatusEquals"), 0)]:
            bill = kind.bill(state or "") if count else None
            rows.append({"Kind": kind.name, "State": state, "Count": count, "Billed": bill})
    rows.sort(key=lambda row: [RUNNING, STORAGE, None].index(row["Billed"]))
    answer = {"Region": aws.region_name, "Resources": rows, "Errors": errors}
    if aws.output == "json" or aws.query is not None:
        show_json(aws, answer)
    else:
        show_status(aws, rows)
    for each in errors:
        say(
            _("{kind} could not be read: {code}: {message}").format(
                kind=_(each["Kind"]), code=each["Code"], message=each["Message"]
            )
        )
    if errors:
        click.get_current_context().exit(SERVICE_ERROR)


def show_status(aws: AWS, rows: Sequence[dict[str, Any]]) -> None:
    headers = [_("What"), _("State"), _("Count"), _("Billed")]
    with in_language_of(aws):
        cells = [
            [_(row["Kind"]), row["State"], row["Count"], row["Billed"] and _(row["Billed"])]
            for row in rows
        ]
    if aws.output == "text":
        for row in cells:
            click.echo("\t".join(map(as_text, row)))
    else:
        click.echo(as_table(cells, headers))


# --- images ---------------------------------------------------------------------------------------


@cache
def known_images() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(IMAGES.read_text(encoding="utf-8"))
    return known


def frameworks() -> list[str]:
    return sorted({image["framework"] for image in known_images()["images"]})


class Framework(click.ParamType):
    name = "framework"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        name = str(value).lower()
        if name not in frameworks():
            self.fail(unknown(value), param, ctx)
        return name

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in frameworks() if name.startswith(incomplete)]


def unknown(name: str) -> str:
    """What to tell of a framework without images: the others, and the one that looks like it."""
    names = frameworks()
    told: str = _("{value!r} is not one of {names}.").format(value=name, names=", ".join(names))
    near = get_close_matches(name.lower(), [*names, "scikit-learn"], 1)
    if near:
        meant = near[0].replace("scikit-learn", "sklearn")
        told += " " + _("Did you mean {name}?").format(name=meant)
    return told


@command(
    "images",
    help=N_("List the AWS images for a framework; without one, the newest of each framework."),
)
@argument(
    "framework",
    type=Framework(),
    required=False,
    help=N_("Framework, such as pytorch, sklearn or xgboost."),
)
@option(
    "--purpose",
    type=click.Choice(["training", "inference"]),
    help=N_("Only images for this purpose."),
)
@option(
    "--processor", type=click.Choice(["cpu", "gpu"]), help=N_("Only images for this processor.")
)
def images(aws: AWS, framework: str | None, purpose: str | None, processor: str | None) -> None:
    region = aws.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    region = region or aws.region_name  # that of the profile
    known = known_images()
    if not any(region in registries for registries in known["registries"]):
        raise click.UsageError(
            _("As far as is known here, AWS has no images in a Region {region!r}.").format(
                region=region
            )
        )
    found = [
        image
        for image in known["images"]
        if framework in (None, image["framework"])
        and (purpose is None or purpose in image["purposes"])
        and (processor is None or processor in image["processors"])
        and region in known["registries"][image["registries"]]
    ]
    shown = [
        {
            "Framework": image["framework"],
            "Version": image["version"],
            "Purposes": image["purposes"],
            "Processors": image["processors"],
            "Image": f"{known['registries'][image['registries']][region]}/{image['image']}",
        }
        for image in (found if framework else newest(found))
    ]
    answer = {"Region": region, "Images": shown}
    columns: Columns = {
        N_("Version"): "Version",
        N_("For"): lambda image: ", ".join(image["Purposes"]),
        N_("Processor"): lambda image: ", ".join(image["Processors"]),
    }
    if framework is None:
        columns = {N_("Framework"): "Framework", **columns}
    table = aws.output == "table" and aws.query is None
    if table and terminal_width() is not None:
        show_below(shown, columns)
    else:
        show_list(aws, answer, "Images", {**columns, N_("Image"): "Image"})
    if table:
        text = _(
            "Source: SageMaker Python SDK {version}. At most the newest {number} "
            "versions are shown."
        )
        say(text.format(version=known["sdk"], number=known["newest"]))


def show_below(items: Sequence[dict[str, Any]], columns: Columns) -> None:
    """A table with the address of each image below its row: beside it, no terminal is wide enough,
    and readers copy addresses."""
    from tabulate import tabulate

    rows = [[value_of(item, where) for where in columns.values()] for item in items]
    headers = [_(header) for header in columns]
    lines = tabulate(rows, headers, "simple", disable_numparse=True).splitlines()
    click.echo("\n".join(lines[:2]))
    for line, item in zip(lines[2:], items, strict=True):
        click.echo(f"{line.rstrip()}\n  {item['Image']}")


def newest(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first, and so the newest, image of each framework for each purpose and processor."""
    seen: set[tuple[str, str, str]] = set()
    for image in found:
        served = {
            (image["framework"], purpose, processor)
            for purpose in image["purposes"]
            for processor in image["processors"]
        }
        if not served <= seen:
            yield image
        seen |= served


# --- cleanup --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thing:
    """Something that a clean-up deletes. The kinds stand in the order of deletion."""

    kind: str
    name: str
    state: str | None = None
    created: Any = None


ENDPOINT, CONFIG, MODEL = "endpoint", "endpoint-config", "model"
KIND_NAMES = {
    ENDPOINT: N_("endpoint"),
    CONFIG: N_("endpoint configuration"),
    MODEL: N_("model"),
}
DELETION = {
    ENDPOINT: ("DeleteEndpoint", "EndpointName", N_("The endpoint {name} is being deleted.")),
    CONFIG: (
        "DeleteEndpointConfig",
        "EndpointConfigName",
        N_("Deleted the endpoint configuration {name}."),
    ),
    MODEL: (
        "DeleteModel",
        "ModelName",
        N_("Deleted the model {name}; its artifact in S3 is kept."),
    ),
}


class Prefix(click.ParamType):
    """The beginning of names."""

    name = "prefix"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not value or not all(c.isascii() and (c.isalnum() or c == "-") for c in value):
            self.fail(
                _(
                    "no name begins with {value!r}: names have only letters, digits and hyphens"
                ).format(value=value),
                param,
                ctx,
            )
        return str(value)


@command(
    "cleanup",
    calls=[
        "sagemaker:ListEndpoints",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
    ],
    help=N_("Delete the endpoints, configurations and models whose names begin with a prefix."),
)
@argument("prefix", type=Prefix(), help=N_("What the names begin with."))
@yes_option()
@waiting_options(poll=10, always=True)
@dry_run_option()
def cleanup(aws: AWS, prefix: str, yes: bool) -> None:
    endpoints = aws.read_all("sagemaker", "ListEndpoints")["Endpoints"]
    uses = {each["EndpointName"]: used_by(aws, each["EndpointName"]) for each in endpoints}
    doomed = []
    for thing in [*endpoints_of(endpoints, prefix), *listed(aws, prefix)]:
        users = [
            name
            for name, used in uses.items()
            if (thing.kind, thing.name) in used and not name.startswith(prefix)
        ]
        if users:
            kept = _("The {kind} {name} is kept: the endpoint {endpoint} uses it.")
            kind = _(KIND_NAMES[thing.kind])
            say(kept.format(kind=kind, name=thing.name, endpoint=users[0]))
        else:
            doomed.append(thing)
    if not aws.dry_run:
        preview(aws, doomed)
    if not doomed:
        return
    confirm(aws, yes, _("Delete all of this?"))
    left = remove(aws, doomed, uses, f"smcli cleanup {prefix}")
    if left:
        names = ", ".join(f"{_(KIND_NAMES[thing.kind])} {thing.name}" for thing in left)
        text = _("Left over: {names}. Fix the cause, then run this again: {command}")
        raise Failed(text.format(names=names, command=f"smcli cleanup {prefix}"))


def used_by(aws: AWS, endpoint: str) -> set[tuple[str, str]]:
    """The configurations and models of an endpoint, and of an update that it is in."""
    from botocore.exceptions import ClientError

    described = look_at(aws, endpoint)
    pending = described.get("PendingDeploymentSummary") or {}
    used: set[tuple[str, str]] = set()
    configs = (described.get("EndpointConfigName"), pending.get("EndpointConfigName"))
    for config in filter(None, configs):
        used.add((CONFIG, config))
        try:
            used |= {(MODEL, model) for model in models_of(aws, config)}
        except ClientError as error:
            if not missing(error):
                raise
    return used


def endpoints_of(summaries: Iterable[dict[str, Any]], prefix: str) -> Iterator[Thing]:
    for each in summaries:
        name, state = each["EndpointName"], each["EndpointStatus"]
        if name.startswith(prefix):
            yield Thing(ENDPOINT, name, state, each["CreationTime"])


def listed(aws: AWS, prefix: str) -> Iterator[Thing]:
    """The configurations, then the models."""
    for kind, operation, member, name in (
        (CONFIG, "ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName"),
        (MODEL, "ListModels", "Models", "ModelName"),
    ):
        for item in aws.read_all("sagemaker", operation, NameContains=prefix)[member]:
            if item[name].startswith(prefix):
                yield Thing(kind, item[name], None, item["CreationTime"])


def preview(aws: AWS, doomed: list[Thing]) -> None:
    answer = {
        "Resources": [
            {"Kind": thing.kind, "Name": thing.name, "State": thing.state, "Created": thing.created}
            for thing in doomed
        ]
    }
    columns: Columns = {
        N_("Kind"): lambda item: _(KIND_NAMES[item["Kind"]]),
        N_("Name"): "Name",
        N_("State"): "State",
        N_("Created"): "Created",
    }
    show_list(aws, answer, "Resources", columns)


def remove(
    aws: AWS, doomed: list[Thing], uses: dict[str, set[tuple[str, str]]], again: str
) -> list[Thing]:
    """Delete things in their order, and go on after an error; what could not be deleted.

    What an endpoint uses that could not be deleted stays with it.
    """
    endpoints = [thing for thing in doomed if thing.kind == ENDPOINT]
    left = [thing for thing in endpoints if thing.state != "Deleting" and not delete(aws, thing)]
    needed = {used for endpoint in left for used in uses[endpoint.name]}
    for endpoint in endpoints if not aws.dry_run else ():
        if endpoint not in left:
            wait_until_gone(aws, endpoint.name, again)
    for thing in doomed[len(endpoints) :]:
        if (thing.kind, thing.name) in needed or not delete(aws, thing):
            left.append(thing)
    return left


def delete(aws: AWS, thing: Thing) -> bool:
    """False: AWS refuses, and the reader was told why."""
    from botocore.exceptions import ClientError

    operation, member, done = DELETION[thing.kind]
    try:
        aws.change("sagemaker", operation, **{member: thing.name})
    except ClientError as error:
        if missing(error):  # somebody was faster
            return True
        kind = _(KIND_NAMES[thing.kind])
        say(
            "{kind} {name}: {Code}: {Message}".format(
                kind=kind, name=thing.name, **error.response["Error"]
            )
        )
        return False
    show_done(aws, _(done).format(name=thing.name))
    return True


def wait_until_gone(aws: AWS, endpoint: str, again: str) -> None:
    """Raises TimedOut, Interrupted: with what is not deleted yet."""
    try:
        wait_for(
            aws,
            spoken(endpoint),
            lambda: look_at(aws, endpoint),
            "EndpointStatus",
            ("Deleted",),
            (),
            f"smcli endpoint-describe {endpoint}",
        )
    except (TimedOut, Interrupted) as error:
        text = _("No configuration and no model has been deleted yet. To continue: {command}")
        error.add_note(text.format(command=again))
        raise
