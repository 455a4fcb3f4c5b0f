"""Experiments, trials and trial components: the first generation of experiment tracking.

An experiment groups trials, a trial has components; a component may belong to several trials.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ResourceNotFound
from moto.sagemaker.models import FakeTrialComponent, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import naive_now
from awslab.extension import Function, adds, changes
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page, refuse
from awslab.services.sagemaker.resource import Resource, arn_of

LOCK = threading.RLock()  # held while something is looked up and then changed
# What a component holds by name, so that an update adds to it and may remove from it.
NAMED = ("Parameters", "InputArtifacts", "OutputArtifacts")

Request = Mapping[str, Any]


# --- the resources --------------------------------------------------------------------------------


class Tracked(Resource):
    """What the three kinds have in common."""

    kind: ClassVar[str]
    arn_kind: ClassVar[str]

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, self.arn_kind, request[f"{self.kind}Name"], request)

    @classmethod
    def held(cls, backend: SageMakerModelBackend) -> dict[str, Any]:
        """All of this kind."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """The members of the Describe call."""
        times = {"CreationTime": self.creation_time, "LastModifiedTime": self.last_modified_time}
        request = {"DisplayName": self.name} | self.request
        return told(f"Describe{self.kind}", request, **{f"{self.kind}Arn": self.arn}, **times)

    def gen_response_object(self) -> dict[str, Any]:
        """What moto's Search answers."""
        return self.described() | {"Tags": self.tags}


class Experiment(Tracked):
    kind, arn_kind = "Experiment", "experiment"

    @classmethod
    def held(cls, backend: SageMakerModelBackend) -> dict[str, Any]:
        experiments: dict[str, Any] = backend.experiments
        return experiments

    @property
    def experiment_name(self) -> str:
        return self.name


class Trial(Tracked):
    """trial_components: the names of its components."""

    kind, arn_kind = "Trial", "experiment-trial"

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, request)
        self.trial_name = self.name
        self.experiment_name: str = request["ExperimentName"]
        self.trial_components: list[str] = []

    @classmethod
    def held(cls, backend: SageMakerModelBackend) -> dict[str, Any]:
        trials: dict[str, Any] = backend.trials
        return trials


class TrialComponent(Tracked):
    """metrics: what BatchPutMetrics has put, in moto's form. trial_name: the newest of its trials,
    by which moto's Search finds it."""

    kind, arn_kind = "TrialComponent", "experiment-trial-component"

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, request)
        self.trial_component_name = self.name
        self.trial_name: str | None = None
        self.metrics: dict[str, Any] = {}

    @classmethod
    def held(cls, backend: SageMakerModelBackend) -> dict[str, Any]:
        components: dict[str, Any] = backend.trial_components
        return components

    def described(self) -> dict[str, Any]:
        metrics = FakeTrialComponent.gen_metrics_response_object(self)
        return super().described() | {"Metrics": metrics}


def add(backend: SageMakerModelBackend, kind: type[Tracked], request: Request) -> Tracked:
    """Keep a new one.

    Raises:
        AWSValidationException: the name is taken.
    """
    with LOCK:
        made = kind(backend, request)
        if made.name in kind.held(backend):
            refuse(
                f"{kind.kind} names must be unique within an AWS account and region. "
                f"{kind.kind} with name ({made.name}) already exists."
            )
        kind.held(backend)[made.name] = made
        return made


def find(self: Any, kind: type[Tracked]) -> Any:
    """The one that a request names.

    Raises:
        ResourceNotFound: there is none.
    """
    name = self.params[f"{kind.kind}Name"]
    found = kind.held(self.sagemaker_backend).get(name)
    if found is None:
        arn = arn_of(self.sagemaker_backend, kind.arn_kind, name)
        raise ResourceNotFound(f"{kind.kind} '{arn}' does not exist.")
    return found


def remove(self: Any, kind: type[Tracked], used: bool, why: str) -> Any:
    """Delete the one that a request names.

    used: whether something else still needs it; why: what AWS then says of it.
    """
    found = find(self, kind)
    if used:
        refuse(f"{kind.kind} '{found.arn}' {why}")
    kind.held(self.sagemaker_backend).pop(found.name, None)
    return ActionResult({f"{kind.kind}Arn": found.arn})


def update(found: Tracked, members: Request) -> Any:
    found.request |= members
    found.last_modified_time = naive_now()
    return ActionResult({f"{found.kind}Arn": found.arn})


def listed(self: Any, kind: type[Tracked], found: Iterable[Tracked]) -> Any:
    """The answer of a List call; these calls name their bounds CreatedAfter and CreatedBefore."""
    keys = {"CreationTime": by_creation_time, "Name": by_name}
    bounds = {
        "CreationTimeAfter": self.params.get("CreatedAfter"),
        "CreationTimeBefore": self.params.get("CreatedBefore"),
    }
    shown, token = page(list(found), bounds | dict(self.params), keys, 10)
    summaries = [each.described() for each in shown]
    return ActionResult({f"{kind.kind}Summaries": summaries, "NextToken": token})


def trials_of(self: Any) -> list[Trial]:
    """The trials of the experiment, or the trial, that a List call names; all if it names none."""
    if self.params.get("TrialName"):
        return [find(self, Trial)]
    trials = list(Trial.held(self.sagemaker_backend).values())
    if self.params.get("ExperimentName"):
        experiment = find(self, Experiment)
        return [trial for trial in trials if trial.experiment_name == experiment.name]
    return trials


# --- experiments ----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateExperiment",
    reason="replaces an experiment of the same name; drops `Description` and `Tags`",
    differs="",
)
def create_experiment(original: Function, self: Any) -> Any:
    made = add(self.sagemaker_backend, Experiment, self.params)
    return ActionResult({"ExperimentArn": made.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeExperiment",
    reason="crashes if there is none",
    differs="",
)
def describe_experiment(original: Function, self: Any) -> Any:
    return ActionResult(find(self, Experiment).described())


@adds(SageMakerResponse, "sagemaker", "UpdateExperiment", differs="")
def update_experiment(self: Any) -> Any:
    return update(find(self, Experiment), self.params)


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteExperiment",
    reason="deletes an experiment that has trials",
    differs="",
)
def delete_experiment(original: Function, self: Any) -> Any:
    with LOCK:
        why = "cannot be deleted: all trials associated with the experiment must be deleted first."
        return remove(self, Experiment, bool(trials_of(self)), why)


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListExperiments",
    reason="ignores filters; lists the oldest first; shows 100 without `MaxResults`",
    differs="",
)
def list_experiments(original: Function, self: Any) -> Any:
    return listed(self, Experiment, Experiment.held(self.sagemaker_backend).values())


# --- trials ---------------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateTrial",
    reason="replaces a trial of the same name; takes an experiment that does not exist",
    differs="",
)
def create_trial(original: Function, self: Any) -> Any:
    with LOCK:
        find(self, Experiment)
        made = add(self.sagemaker_backend, Trial, self.params)
    return ActionResult({"TrialArn": made.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeTrial",
    reason="answers `ValidationException` if there is none",
    differs="",
)
def describe_trial(original: Function, self: Any) -> Any:
    return ActionResult(find(self, Trial).described())


@adds(SageMakerResponse, "sagemaker", "UpdateTrial", differs="")
def update_trial(self: Any) -> Any:
    return update(find(self, Trial), self.params)


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteTrial",
    reason="deletes a trial that has components",
    differs="",
)
def delete_trial(original: Function, self: Any) -> Any:
    with LOCK:
        why = "cannot be deleted: all trial components of the trial must be disassociated first."
        return remove(self, Trial, bool(find(self, Trial).trial_components), why)


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListTrials",
    reason=(
        "answers an empty list for an experiment that does not exist; lists the oldest first; "
        "shows 100 without `MaxResults`"
    ),
    differs="",
)
def list_trials(original: Function, self: Any) -> Any:
    component = self.params.get("TrialComponentName")
    found = trials_of(self)
    if component:
        found = [trial for trial in found if component in trial.trial_components]
    return listed(self, Trial, found)


# --- trial components -----------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateTrialComponent",
    reason="replaces a component of the same name; drops `Tags`",
    differs="jobs make no components by themselves",
)
def create_trial_component(original: Function, self: Any) -> Any:
    made = add(self.sagemaker_backend, TrialComponent, self.params)
    return ActionResult({"TrialComponentArn": made.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeTrialComponent",
    reason="answers `ValidationException` if there is none",
    differs="",
)
def describe_trial_component(original: Function, self: Any) -> Any:
    return ActionResult(find(self, TrialComponent).described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "UpdateTrialComponent",
    reason=(
        "forgets parameters that the request leaves out; crashes when something is to be removed "
        "that was never there"
    ),
    differs="",
)
def update_trial_component(original: Function, self: Any) -> Any:
    with LOCK:
        component = find(self, TrialComponent)
        members = told("DescribeTrialComponent", self.params)
        for name in NAMED:
            removed = self.params.get(f"{name}ToRemove") or []
            both = (component.request.get(name) or {}) | (self.params.get(name) or {})
            members[name] = {key: value for key, value in both.items() if key not in removed}
        return update(component, members)


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteTrialComponent",
    reason="deletes a component that a trial has",
    differs="",
)
def delete_trial_component(original: Function, self: Any) -> Any:
    with LOCK:
        name, trials = self.params["TrialComponentName"], Trial.held(self.sagemaker_backend)
        used = any(name in trial.trial_components for trial in trials.values())
        why = "is linked to 1 or more trials and cannot be deleted."
        return remove(self, TrialComponent, used, why)


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListTrialComponents",
    reason="ignores `ExperimentName`; lists the oldest first; shows 100 without `MaxResults`",
    differs="no component has a source, which `SourceArn` could name",
)
def list_trial_components(original: Function, self: Any) -> Any:
    found = list(TrialComponent.held(self.sagemaker_backend).values())
    if self.params.get("ExperimentName") or self.params.get("TrialName"):
        names = {name for trial in trials_of(self) for name in trial.trial_components}
        found = [component for component in found if component.name in names]
    return listed(self, TrialComponent, [] if self.params.get("SourceArn") else found)


@changes(
    SageMakerResponse,
    "sagemaker",
    "AssociateTrialComponent",
    reason="crashes if there is no such component; lists one twice that is associated twice",
    differs="",
)
def associate_trial_component(original: Function, self: Any) -> Any:
    with LOCK:
        trial, component = find(self, Trial), find(self, TrialComponent)
        if component.name not in trial.trial_components:
            trial.trial_components.append(component.name)
        component.trial_name = trial.name
    return ActionResult({"TrialArn": trial.arn, "TrialComponentArn": component.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DisassociateTrialComponent",
    reason="takes trials and components that do not exist",
    differs="",
)
def disassociate_trial_component(original: Function, self: Any) -> Any:
    with LOCK:
        trial, component = find(self, Trial), find(self, TrialComponent)
        if component.name in trial.trial_components:
            trial.trial_components.remove(component.name)
        if component.trial_name == trial.name:
            component.trial_name = None
    return ActionResult({"TrialArn": trial.arn, "TrialComponentArn": component.arn})
