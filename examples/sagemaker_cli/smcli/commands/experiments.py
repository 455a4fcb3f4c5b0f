"""SageMaker Experiments, the first generation: experiments, their trials and trial components."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from smcli.calls import AWS, advising
from smcli.command import argument, command, confirm, dry_run_option, option, yes_option
from smcli.ending import Failed
from smcli.language import N_, _, ngettext
from smcli.output import say, show_done, show_list, show_made, show_one
from smcli.parameters import Name

LONGEST = 120  # characters of these names
NEWEST_FIRST = {"SortBy": "CreationTime", "SortOrder": "Descending"}
NAMED = 10  # names that a refusal gives of many
# After a disassociation AWS may count a component as used for some more seconds.
TRIES, PAUSE = 10, 2.0
CASCADE = [
    "sagemaker:ListTrialComponents",
    "sagemaker:ListTrials",
    "sagemaker:DisassociateTrialComponent",
    "sagemaker:DeleteTrialComponent",
    "sagemaker:DeleteTrial",
]


# --- experiments ----------------------------------------------------------------------------------


@command(
    "experiment-create",
    calls=["sagemaker:CreateExperiment"],
    help=N_("Create an experiment (legacy: for new work AWS recommends MLflow)."),
)
@argument("name", type=Name(LONGEST), help=N_("Name of the experiment."))
@dry_run_option()
def create_experiment(aws: AWS, name: str) -> None:
    taken = _("Next: choose another name, or see what already has this one with {command}.").format(
        command=f"smcli experiment-describe {name}"
    )
    with advising({"already exists": taken}):
        answer = aws.change("sagemaker", "CreateExperiment", ExperimentName=name)
    show_done(
        aws,
        _("SageMaker Experiments belongs to Studio Classic; for new work AWS recommends MLflow."),
    )
    show_made(aws, answer, "ExperimentArn", f"smcli trial-create TRIAL {name}")


@command(
    "experiment-list",
    calls=["sagemaker:ListExperiments"],
    help=N_("List the experiments (legacy), newest first."),
)
def list_experiments(aws: AWS) -> None:
    answer = aws.read_all("sagemaker", "ListExperiments", **NEWEST_FIRST)
    columns = {N_("Name"): "ExperimentName", N_("Created"): "CreationTime"}
    show_list(aws, answer, "ExperimentSummaries", columns)


@command(
    "experiment-describe",
    calls=["sagemaker:DescribeExperiment", "sagemaker:ListTrials"],
    help=N_("Show an experiment (legacy) and how many trials it has."),
)
@argument("name", type=Name(LONGEST), help=N_("Name of the experiment."))
def describe_experiment(aws: AWS, name: str) -> None:
    answer = aws.read("sagemaker", "DescribeExperiment", ExperimentName=name)
    trials = aws.read_all("sagemaker", "ListTrials", ExperimentName=name, **NEWEST_FIRST)
    show_one(
        aws,
        answer | {"TrialSummaries": trials["TrialSummaries"]},
        {
            N_("Name"): "ExperimentName",
            N_("Description"): "Description",
            N_("Trials"): lambda told: len(told["TrialSummaries"]),
            N_("Changed"): "LastModifiedTime",
            N_("Created"): "CreationTime",
        },
    )


@command(
    "experiment-delete",
    calls=[*CASCADE, "sagemaker:DeleteExperiment"],
    help=N_(
        "Delete an experiment (legacy) that has no trials; with --cascade, everything in it too."
    ),
)
@argument("name", type=Name(LONGEST), help=N_("Name of the experiment."))
@option(
    "--cascade",
    is_flag=True,
    help=N_("Delete its trials and their trial components as well, after showing them."),
)
@yes_option()
@dry_run_option()
def delete_experiment(aws: AWS, name: str, cascade: bool, yes: bool) -> None:
    again = f"smcli experiment-delete {name} --cascade"
    with advising({"ResourceNotFound": see_experiments()}):
        trials = names_of(aws, "ListTrials", "Trial", ExperimentName=name)
    if trials and not cascade:
        count = len(trials)
        raise Failed(
            ngettext(
                "The experiment {name} still has {count} trial: {trials}. Delete it first, or "
                "everything with: {command}",
                "The experiment {name} still has {count} trials: {trials}. Delete them first, or "
                "everything with: {command}",
                count,
            ).format(name=name, count=count, trials=some(trials), command=again)
        )
    contents = contents_of(aws, trials)
    preview(contents)
    confirm(aws, yes, _("Delete the experiment {name}?").format(name=name))
    with resumable(again) if trials else nullcontext():
        remove(aws, contents)
        persist(aws, "DeleteExperiment", ExperimentName=name)
    show_done(aws, _("Deleted the experiment {name}.").format(name=name))


# --- trials ---------------------------------------------------------------------------------------


@command(
    "trial-create",
    calls=["sagemaker:CreateTrial"],
    help=N_("Create a trial of an experiment (legacy)."),
)
@argument("name", type=Name(LONGEST), help=N_("Name of the trial."))
@argument("experiment", type=Name(LONGEST), help=N_("Name of the experiment."))
@dry_run_option()
def create_trial(aws: AWS, name: str, experiment: str) -> None:
    missing = _("Next: create the experiment with {command}.").format(
        command=f"smcli experiment-create {experiment}"
    )
    taken = _("Next: choose another name; see those of all trials with {command}.").format(
        command="smcli trial-list"
    )
    with advising({"ResourceNotFound": missing, "already exists": taken}):
        answer = aws.change("sagemaker", "CreateTrial", TrialName=name, ExperimentName=experiment)
    show_made(aws, answer, "TrialArn", f"smcli trial-list {experiment}")


@command(
    "trial-list",
    calls=["sagemaker:ListTrials"],
    help=N_("List the trials of an experiment (legacy), newest first."),
)
@argument(
    "experiment",
    type=Name(LONGEST),
    required=False,
    help=N_("Name of the experiment; without it, the trials of all experiments."),
)
def list_trials(aws: AWS, experiment: str | None) -> None:
    only = {"ExperimentName": experiment} if experiment else {}
    with advising({"ResourceNotFound": see_experiments()}):
        answer = aws.read_all("sagemaker", "ListTrials", **only, **NEWEST_FIRST)
    columns = {N_("Name"): "TrialName", N_("Created"): "CreationTime"}
    show_list(aws, answer, "TrialSummaries", columns)


@command(
    "trial-delete",
    calls=CASCADE,
    help=N_(
        "Delete a trial (legacy) that has no components; with --cascade, everything in it too."
    ),
)
@argument("name", type=Name(LONGEST), help=N_("Name of the trial."))
@option(
    "--cascade",
    is_flag=True,
    help=N_("Delete its trial components as well, after showing them."),
)
@yes_option()
@dry_run_option()
def delete_trial(aws: AWS, name: str, cascade: bool, yes: bool) -> None:
    again = f"smcli trial-delete {name} --cascade"
    contents = contents_of(aws, [name])
    components = contents.trials[name]
    if components and not cascade:
        count = len(components)
        raise Failed(
            ngettext(
                "The trial {name} still has {count} component: {components}. Delete both with: "
                "{command}",
                "The trial {name} still has {count} components: {components}. Delete everything "
                "with: {command}",
                count,
            ).format(name=name, count=count, components=some(components), command=again)
        )
    if components:
        preview(contents)
    confirm(aws, yes, _("Delete the trial {name}?").format(name=name))
    with resumable(again) if components else nullcontext():
        remove(aws, contents)


# --- what belongs to them -------------------------------------------------------------------------


@dataclass
class Contents:
    """What goes together: the components of each trial, by its name.

    kept: components that trials outside have too, with the names of those.
    """

    trials: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)


def names_of(aws: AWS, operation: str, kind: str, **only: str) -> list[str]:
    """The names of all trials, or of all components, that a List call finds, oldest first."""
    order = {"SortBy": "CreationTime", "SortOrder": "Ascending"}
    found = aws.read_all("sagemaker", operation, **only, **order)[f"{kind}Summaries"]
    return [each[f"{kind}Name"] for each in found]


def contents_of(aws: AWS, trials: Sequence[str]) -> Contents:
    contents = Contents()
    for trial in trials:
        contents.trials[trial] = names_of(
            aws, "ListTrialComponents", "TrialComponent", TrialName=trial
        )
    for component in dict.fromkeys(name for names in contents.trials.values() for name in names):
        users = names_of(aws, "ListTrials", "Trial", TrialComponentName=component)
        if others := [trial for trial in users if trial not in contents.trials]:
            contents.kept[component] = others
    return contents


def preview(contents: Contents) -> None:
    """Show what will be deleted, and what of it stays because others use it."""
    for trial, components in contents.trials.items():
        say(_("trial {name}").format(name=trial))
        for component in components:
            line = _("  trial component {name}").format(name=component)
            if others := contents.kept.get(component):
                line = _("  trial component {name}: kept, because it is also in {trials}").format(
                    name=component, trials=some(others)
                )
            say(line)


def remove(aws: AWS, contents: Contents) -> None:
    """Delete the trials, after all that AWS wants to be deleted before them."""
    for trial, components in contents.trials.items():
        for name in components:
            request = {"TrialName": trial, "TrialComponentName": name}
            aws.change("sagemaker", "DisassociateTrialComponent", **request)
    every = dict.fromkeys(name for names in contents.trials.values() for name in names)
    for name in every:
        if name not in contents.kept:
            persist(aws, "DeleteTrialComponent", TrialComponentName=name)
    for trial in contents.trials:
        persist(aws, "DeleteTrial", TrialName=trial)
        show_done(aws, _("Deleted the trial {name}.").format(name=trial))


def persist(aws: AWS, operation: str, **request: Any) -> None:
    """Delete what is no longer used, even if AWS needs some seconds to see that."""
    from botocore.exceptions import ClientError

    for attempt in range(1, TRIES + 1):
        try:
            aws.change("sagemaker", operation, **request)
            return
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException" or attempt == TRIES:
                raise
        time.sleep(PAUSE)


@contextmanager
def resumable(command: str) -> Iterator[None]:
    """Whatever breaks off a deletion: say how to delete the rest."""
    try:
        yield
    except BaseException as error:
        error.add_note(
            _("Not everything is deleted; for the rest, run {command}").format(command=command)
        )
        raise


def see_experiments() -> str:
    return _("Next: see the experiments with {command}.").format(command="smcli experiment-list")


def some(names: Sequence[str]) -> str:
    """The first names of a list, for a sentence."""
    return ", ".join([*names[:NAMED], *(["…"] if len(names) > NAMED else [])])
