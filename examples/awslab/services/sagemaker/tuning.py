"""Tuning jobs that search: each of their training jobs really trains (training.py)."""

import contextlib
import hashlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import (
    AWSValidationException,
    ResourceInUseException,
    ResourceNotFound,
)
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import Course, Stage, naive_now
from awslab.extension import Function, adds, changes, on_reset
from awslab.services.sagemaker import training, tuning_rules
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page, refuse
from awslab.services.sagemaker.images import kind_of
from awslab.services.sagemaker.resource import Resource, arn_of
from awslab.services.sagemaker.tuning_rules import Definition
from awslab.services.sagemaker.tuning_search import Search

Request = dict[str, Any]

BEAT = 0.1  # real seconds between two looks at the running training jobs
LOOK = 45.0  # real seconds that a look waits: a search lasts as long as all its training jobs
OBJECTIVE = "_tuning_objective_metric"  # SageMaker adds it to the hyperparameters of every job
IMPROVES = 0.01  # a share: what BestObjectiveNotImproving counts as better
CONVERGED = 10  # training jobs without a better one, for ConvergenceDetected
ENDED = ("Completed", "Failed", "Stopped")
COUNTED = {"Completed": "Completed", "Failed": "NonRetryableError", "Stopped": "Stopped"}


@dataclass
class Child:
    """One training job of a tuning job.

    seen: how many values of the objective the search has been told.
    """

    name: str
    arn: str
    definition: str | None
    parameters: dict[str, str]
    search: Search
    trial: Any
    objective: Mapping[str, str]
    created: datetime = field(default_factory=naive_now)
    job: training.TrainingJob | None = None
    refused: str | None = None
    values: list[float] = field(default_factory=list)
    seen: int = 0

    @property
    def status(self) -> str:
        return self.job.training_job_status if self.job else "Failed"

    @property
    def value(self) -> float | None:
        return self.values[-1] if self.values else None

    @property
    def objective_status(self) -> str:
        if self.status not in ENDED:
            return "Pending"
        return "Failed" if self.value is None or self.status == "Failed" else "Succeeded"

    def summary(self) -> dict[str, Any]:
        """The members of a HyperParameterTrainingJobSummary."""
        final = None
        described = self.job.described() if self.job else {"FailureReason": self.refused}
        if self.objective_status == "Succeeded":
            final = {**self.objective, "Value": self.value}
        return {
            "TrainingJobDefinitionName": self.definition,
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "CreationTime": self.created,
            "TrainingStartTime": described.get("TrainingStartTime"),
            "TrainingEndTime": described.get("TrainingEndTime"),
            "TrainingJobStatus": self.status,
            "TunedHyperParameters": self.parameters,
            "FailureReason": described.get("FailureReason"),
            "FinalHyperParameterTuningJobObjectiveMetric": final,
            "ObjectiveStatus": self.objective_status,
        }


class TuningJob(Resource):
    """A search, in a thread of its own until it has found, was stopped, or the lab ends."""

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        name = request["HyperParameterTuningJobName"]
        super().__init__(backend, "hyper-parameter-tuning-job", name, request)
        self.backend = backend
        self.config: Request = request["HyperParameterTuningJobConfig"]
        self.children: list[Child] = []
        self.end_time: datetime | None = None
        self.failure: str | None = None
        self.not_improving = 0
        self._parents = self._found_parents()  # they stay known when they are deleted
        self._definitions = tuning_rules.definitions_of(request)
        self._stopping = threading.Event()
        self._done = threading.Event()
        self.course = Course([Stage("InProgress", work=self._wait), Stage("Completed")])
        RUNNING.add(self)
        threading.Thread(target=self._run, daemon=True, name=f"lab-tuning-{name}").start()

    @property
    def status(self) -> str:
        return self.course.stage

    @property
    def best(self) -> Child | None:
        return best_of(self.children)

    @property
    def overall_best(self) -> Child | None:
        """The best one, those of the parents included; only where all have the same data."""
        warm = self.request.get("WarmStartConfig") or {}
        if warm.get("WarmStartType") != "IdenticalDataAndAlgorithm":
            return None
        jobs = [*self._parents, self]
        return best_of([child for job in jobs for child in job.children])

    def stop(self) -> None:
        """No new training job; those that run are stopped."""
        self._stopping.set()
        stages = [Stage("Stopping", work=self._wait), Stage("Stopped")]
        self.course.divert(stages)

    def _wait(self, patience: float) -> bool:
        return self._done.wait(LOOK if patience else 0)

    def abandon(self) -> None:
        """The lab is over: the thread ends, and writes nothing more."""
        self._stopping.set()
        self._done.set()

    # --- the thread of the search -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._search()
        except Exception:
            if not self._done.is_set():
                logging.getLogger(__name__).exception("The lab failed in %s", self.arn)
                self._fail("InternalServerError: We encountered an internal error. Try again.")
        finally:
            self.end_time = self.last_modified_time = naive_now()
            self._done.set()
            RUNNING.discard(self)

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self.course.divert([Stage("Failed")])

    def _search(self) -> None:
        """Keep as many training jobs running as the limits allow, until the search is over."""
        searches = self._searches()
        while not self._done.is_set():
            running = [child for child in self.children if child.status not in ENDED]
            if not self._over():
                running += self._launch(searches, len(running))
            if not running:
                break
            time.sleep(BEAT)
            for child in running:
                self._watch(child)
        tried = [child for child in self.children if child.status != "Stopped"]
        failed = tried and all(child.objective_status == "Failed" for child in tried)
        if failed and not self._stopping.is_set():
            reason = tried[0].summary()["FailureReason"] or (
                "No objective metrics found after running training jobs. Please ensure that the "
                "metric that the training job publishes matches the metric in the tuning job."
            )
            self._fail(f"All training jobs failed. {reason}"[:1024])

    def _searches(self) -> list[tuple[Definition, Search]]:
        seed = self.config.get("RandomSeed")
        if seed is None:
            seed = int(hashlib.sha256(self.name.encode()).hexdigest()[:8], 16)
        found = [
            (definition, Search(self.config, definition, seed + number))
            for number, definition in enumerate(self._definitions)
        ]
        for parent in self._parents:
            for child in parent.children:
                if child.value is not None and child.objective_status == "Succeeded":
                    for _, search in found:
                        search.add(child.parameters, child.value)
        return found

    def _found_parents(self) -> list["TuningJob"]:
        warm = self.request.get("WarmStartConfig") or {}
        named = warm.get("ParentHyperParameterTuningJobs") or []
        jobs = self.backend.hyper_parameter_tuning_jobs
        return [jobs[parent["HyperParameterTuningJobName"]] for parent in named]

    def _launch(self, searches: list[tuple[Definition, Search]], running: int) -> list[Child]:
        """Start training jobs up to the limits; the definitions take turns."""
        new: list[Child] = []
        limits = self.config["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs")
        while searches and running + len(new) < limits["MaxParallelTrainingJobs"]:
            if most is not None and len(self.children) >= most:
                break
            definition, search = searches[len(self.children) % len(searches)]
            asked = search.ask()
            if asked is None:  # its grid is used up
                searches.remove((definition, search))
                continue
            child = self._start(definition, search, *asked)
            self.children.append(child)
            new.append(child)
        return new

    def _start(
        self, definition: Definition, search: Search, trial: Any, parameters: dict[str, str]
    ) -> Child:
        number = len(self.children) + 1
        digest = hashlib.sha256(f"{self.name}/{number}".encode()).hexdigest()[:8]
        name = f"{self.name}-{number:03d}-{digest}"
        objective = tuning_rules.objective_of(self.config, definition)
        child = Child(
            name,
            arn_of(self.backend, "training-job", name),
            definition.get("DefinitionName"),
            parameters,
            search,
            trial,
            objective,
        )
        try:
            request = training_request(definition, child)
            child.job = training.add_job(self.backend, request, TuningJobArn=self.arn)
        except ServiceException as refused:
            search.tell(trial, None)
            child.refused = refused.message
        return child

    def _watch(self, child: Child) -> None:
        """Take over what a training job has come to, and stop it if that is wanted."""
        if child.job is None:
            return
        wanted = child.objective["MetricName"]
        ended = child.job.finish(0)
        child.values = [m.value for m in list(child.job.run.metrics) if m.name == wanted]
        if ended:
            self._judge(child)
        elif (self._stopping.is_set() or self._hopeless(child)) and child.status == "InProgress":
            with contextlib.suppress(AWSValidationException):  # it has just ended
                training.stop_job(child.job)

    def _hopeless(self, child: Child) -> bool:
        found = False
        for value in child.values[child.seen :]:
            child.seen += 1
            found |= child.search.should_stop(child.trial, child.seen, value)
        return found

    def _judge(self, child: Child) -> None:
        """Tell the search the result, and count how long nothing got better."""
        value = child.value if child.objective_status == "Succeeded" else None
        others = [c for c in self.children if c is not child and c.value is not None]
        child.search.tell(child.trial, value)
        if value is None:
            return
        best: float | None = None
        for other in others:
            if other.status in ENDED and other.value is not None:
                best = other.value if child.search.better(other.value, best) else best
        margin = abs(best) * IMPROVES if best is not None else 0.0
        improved = best is None or (
            abs(value - best) >= margin and child.search.better(value, best)
        )
        self.not_improving = 0 if improved else self.not_improving + 1

    def _over(self) -> bool:
        """Whether no further training job is to be started."""
        criteria = self.config.get("TuningJobCompletionCriteria") or {}
        limits, best = self.config["ResourceLimits"], self.best
        target = criteria.get("TargetObjectiveMetricValue")
        patience = (criteria.get("BestObjectiveNotImproving") or {}).get(
            "MaxNumberOfTrainingJobsNotImproving"
        )
        converges = (criteria.get("ConvergenceDetected") or {}).get("CompleteOnConvergence")
        seconds = (naive_now() - self.creation_time).total_seconds()
        return bool(
            self._stopping.is_set()
            or (best and target is not None and reaches(best, target))
            or (patience and self.not_improving >= patience)
            or (converges == "Enabled" and self.not_improving >= CONVERGED)
            or seconds > limits.get("MaxRuntimeInSeconds", seconds)
        )

    # --- telling ----------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """The members of a HyperParameterTuningJobSummary."""
        return {
            "HyperParameterTuningJobName": self.name,
            "HyperParameterTuningJobArn": self.arn,
            "HyperParameterTuningJobStatus": self.status,
            "Strategy": self.config["Strategy"],
            "CreationTime": self.creation_time,
            "HyperParameterTuningEndTime": self.end_time if self.status in ENDED else None,
            "LastModifiedTime": self.last_modified_time,
            **self.counters(),
            "ResourceLimits": self.config["ResourceLimits"],
        }

    def counters(self) -> dict[str, dict[str, int]]:
        children = list(self.children)
        statuses = Counter(COUNTED.get(child.status, "InProgress") for child in children)
        objectives = Counter(child.objective_status for child in children)
        names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
        return {
            "TrainingJobStatusCounters": {name: statuses[name] for name in names},
            "ObjectiveStatusCounters": {
                name: objectives[name] for name in ("Succeeded", "Pending", "Failed")
            },
        }

    def described(self) -> dict[str, Any]:
        """The members of DescribeHyperParameterTuningJob."""
        summary, best, overall = self.summary(), self.best, self.overall_best
        for name in ("Strategy", "ResourceLimits"):
            del summary[name]
        end = self.end_time or naive_now()
        return (
            self.request
            | summary
            | self._told_definitions()
            | {
                "BestTrainingJob": best.summary() if best else None,
                "OverallBestTrainingJob": overall.summary() if overall else None,
                "FailureReason": self.failure,
                "TuningJobCompletionDetails": {
                    "NumberOfTrainingJobsObjectiveNotImproving": self.not_improving
                },
                "ConsumedResources": {
                    "RuntimeInSeconds": int((end - self.creation_time).total_seconds())
                },
            }
        )

    def _told_definitions(self) -> dict[str, Any]:
        """The definitions as they are described: with the objective that SageMaker has added."""
        told = [with_objective(self.config, definition) for definition in self._definitions]
        one = self.request.get("TrainingJobDefinition") is not None
        return {"TrainingJobDefinition": told[0]} if one else {"TrainingJobDefinitions": told}

    # What moto's Search asks its resources for.

    def gen_response_object(self) -> dict[str, Any]:
        return self.described() | {"Tags": self.tags}


RUNNING: set[TuningJob] = set()


@on_reset
def abandon_all() -> None:
    for job in list(RUNNING):
        job.abandon()


def best_of(children: Sequence[Child]) -> Child | None:
    """The child with the best final value; the first one of equals; None if there is no value."""
    best: Child | None = None
    for child in list(children):
        if child.objective_status == "Succeeded" and child.value is not None:
            than = best.value if best else None
            if child.search.better(child.value, than):
                best = child
    return best


def with_objective(config: Request, definition: Definition) -> Request:
    objective = {OBJECTIVE: tuning_rules.objective_of(config, definition)["MetricName"]}
    static = dict(definition.get("StaticHyperParameters") or {})
    return {**definition, "StaticHyperParameters": static | objective}


def reaches(best: Child, target: float) -> bool:
    assert best.value is not None
    return best.value == target or best.search.better(best.value, target)


def training_request(definition: Definition, child: Child) -> Request:
    """The CreateTrainingJob request of one try."""
    resources = definition.get("ResourceConfig") or resources_of(definition)
    static = dict(definition.get("StaticHyperParameters") or {})
    passed = (
        "RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "StoppingCondition",
        "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy", "Environment",
    )  # fmt: skip
    request = {name: definition[name] for name in passed if definition.get(name) is not None}
    if "CheckpointConfig" in request:
        own = request["CheckpointConfig"]["S3Uri"].rstrip("/") + f"/{child.name}"
        request["CheckpointConfig"] = request["CheckpointConfig"] | {"S3Uri": own}
    objective = {OBJECTIVE: child.objective["MetricName"]}
    return request | {
        "TrainingJobName": child.name,
        "AlgorithmSpecification": definition["AlgorithmSpecification"],
        "HyperParameters": static | child.parameters | objective,
        "ResourceConfig": resources,
    }


def resources_of(definition: Definition) -> Request:
    """ResourceConfig from a HyperParameterTuningResourceConfig: its first choice of instances."""
    asked = dict(definition.get("HyperParameterTuningResourceConfig") or {})
    choices = asked.pop("InstanceConfigs", None) or [{}]
    asked.pop("AllocationStrategy", None)
    return {**asked, **choices[0]}


def check_metric(definition: Definition, objective: Mapping[str, str]) -> None:
    """The objective must be a metric of the algorithm.

    Raises:
        AWSValidationException: no definition of a script has that name.
    """
    algorithm, wanted = definition["AlgorithmSpecification"], objective["MetricName"]
    if kind_of(algorithm.get("TrainingImage") or "") == "xgboost":
        channels = {channel["ChannelName"] for channel in definition.get("InputDataConfig") or []}
        if wanted.startswith("validation:") and "validation" not in channels:
            refuse(f"The objective metric {wanted} requires a validation channel.")
        return
    names = [metric["Name"] for metric in algorithm.get("MetricDefinitions") or []]
    if wanted not in names:
        refuse(
            f"A metric is required for this hyperparameter tuning job objective. Provide a metric "
            f"in the metric definitions: {wanted} is not one of {names}."
        )


def find(backend: SageMakerModelBackend, name: str) -> TuningJob:
    """A tuning job by its name.

    Raises:
        ResourceNotFound: there is none.
    """
    found: TuningJob | None = backend.hyper_parameter_tuning_jobs.get(name)
    if found is None:
        raise ResourceNotFound(f"HyperParameterTuningJob with name [{name}] is not found.")
    return found


# --- operations ----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateHyperParameterTuningJob",
    reason=("searches nothing: the best job is always `FakeTrainingJobName`; checks no range"),
    differs=(
        "Optuna searches: TPE stands for the Bayesian strategy; the median rule and Hyperband are "
        "Optuna's, too; `Autotune` and the retry of failed training jobs have no effect; "
        "convergence is 10 training jobs without a better one; refusals are the lab's own words"
    ),
)
def create_hyper_parameter_tuning_job(original: Function, self: Any) -> Any:
    backend, request = self.sagemaker_backend, dict(self.params)
    name = request["HyperParameterTuningJobName"]
    jobs = backend.hyper_parameter_tuning_jobs
    tuning_rules.check(request)
    for definition in tuning_rules.definitions_of(request):
        config = request["HyperParameterTuningJobConfig"]
        check_metric(definition, tuning_rules.objective_of(config, definition))
    warm = request.get("WarmStartConfig") or {}
    for parent in warm.get("ParentHyperParameterTuningJobs") or []:
        find(backend, parent.get("HyperParameterTuningJobName") or "")
    with CREATING:
        if name in jobs:
            raise ResourceInUseException(
                "Hyper parameter tuning job name must be unique within an AWS account and region, "
                f"and a job with this name already exists ({jobs[name].arn})"
            )
        jobs[name] = TuningJob(backend, request)
    return ActionResult({"HyperParameterTuningJobArn": jobs[name].arn})


CREATING = threading.Lock()  # between the check of a name and its use


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeHyperParameterTuningJob",
    reason="is completed at once",
    differs="",
)
def describe_hyper_parameter_tuning_job(original: Function, self: Any) -> Any:
    job = find(self.sagemaker_backend, self.params["HyperParameterTuningJobName"])
    job.course.look()
    return ActionResult(job.described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListHyperParameterTuningJobs",
    reason="cannot list jobs that run",
    differs="",
)
def list_hyper_parameter_tuning_jobs(original: Function, self: Any) -> Any:
    keys = {"Name": by_name, "CreationTime": by_creation_time, "Status": by_status}
    jobs = list(self.sagemaker_backend.hyper_parameter_tuning_jobs.values())
    wanted = self.params.get("StatusEquals")
    met = [job for job in jobs if wanted in (None, job.course.look())]
    shown, token = page(met, self.params, keys, 10)
    return ActionResult(
        {
            "HyperParameterTuningJobSummaries": [job.summary() for job in shown],
            "NextToken": token,
        }
    )


def by_status(job: TuningJob) -> str:
    return job.status


@adds(
    SageMakerResponse,
    "sagemaker",
    "ListTrainingJobsForHyperParameterTuningJob",
    differs="",
)
def list_training_jobs_for_hyper_parameter_tuning_job(self: Any) -> Any:
    params = self.params
    job = find(self.sagemaker_backend, params["HyperParameterTuningJobName"])
    wanted = params.get("StatusEquals")
    found = [child for child in list(job.children) if wanted in (None, child.status)]
    descending = params.get("SortOrder") == "Descending"
    key = CHILD_KEYS[params.get("SortBy") or "Name"]
    if params.get("SortBy") == "FinalObjectiveMetricValue":
        found = [child for child in found if child.value is not None]
    found.sort(key=key, reverse=descending)
    token = params.get("NextToken") or "0"
    if not token.isdecimal():
        refuse("Invalid NextToken.")
    start, size = int(token), params.get("MaxResults") or 10
    return ActionResult(
        {
            "TrainingJobSummaries": [child.summary() for child in found[start : start + size]],
            "NextToken": str(start + size) if len(found) > start + size else None,
        }
    )


CHILD_KEYS: dict[str, Any] = {
    "Name": lambda child: child.name,
    "CreationTime": lambda child: child.created,
    "Status": lambda child: child.status,
    "FinalObjectiveMetricValue": lambda child: child.value,
}


@adds(SageMakerResponse, "sagemaker", "StopHyperParameterTuningJob", differs="")
def stop_hyper_parameter_tuning_job(self: Any) -> Any:
    job = find(self.sagemaker_backend, self.params["HyperParameterTuningJobName"])
    if job.status == "InProgress":
        job.stop()
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteHyperParameterTuningJob",
    reason="deletes any job at once",
    differs="the training jobs of the tuning job stay",
)
def delete_hyper_parameter_tuning_job(original: Function, self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["HyperParameterTuningJobName"]
    job = find(backend, name)
    if job.status not in ENDED:
        raise ResourceInUseException(f"Tuning job {name} is {job.status}; stop it first.")
    backend.hyper_parameter_tuning_jobs.pop(name, None)
    return EmptyResult()
