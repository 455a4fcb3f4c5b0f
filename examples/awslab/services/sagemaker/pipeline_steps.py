"""What the steps of a pipeline do: they call the operations that a client would call."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random
from moto.sqs.models import sqs_backends

from awslab.clock import CLOCK
from awslab.services.sagemaker.from_within import Refused, call
from awslab.services.sagemaker.pipeline_definition import Step, Unresolved, holds, resolve

if TYPE_CHECKING:
    from awslab.services.sagemaker.pipeline_execution import Execution

POLL = 0.05  # real seconds between two looks at a job


class StepFailed(Exception):
    """The step has failed; the message is its FailureReason."""


class StepStopped(Exception):
    """The step was stopped, because the execution was."""


@dataclass
class Run:
    """What has become of a step.

    metadata: as ListPipelineExecutionSteps shows it.
    outputs: what other steps may refer to.
    key: the arguments, by which the cache knows the same step again.
    reused: the execution whose result was taken over, by the cache.
    job: what the step waits for, by its kind and name.
    """

    step: Step
    start: datetime
    status: str = "Starting"
    end: datetime | None = None
    failure_reason: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    reused: str | None = None
    job: "tuple[Kind, str] | None" = None
    attempts: int = 1

    def succeeded_since(self, since: datetime) -> bool:
        return self.status == "Succeeded" and self.end is not None and self.end >= since

    @property
    def waits_for_somebody(self) -> bool:
        """Whether only a callback from outside can end it."""
        return self.step.kind == "Callback" and self.status == "Executing"

    def described(self) -> dict[str, Any]:
        """The members of a PipelineExecutionStep."""
        return {
            "StepName": self.step.name,
            "StepDisplayName": self.step.text.get("DisplayName"),
            "StepDescription": self.step.text.get("Description"),
            "StartTime": self.start,
            "EndTime": self.end,
            "StepStatus": self.status,
            "CacheHitResult": {"SourcePipelineExecutionArn": self.reused} if self.reused else None,
            "FailureReason": self.failure_reason,
            "Metadata": self.metadata,
            "AttemptCount": self.attempts,
        }


@dataclass(frozen=True)
class Kind:
    """Steps that call one operation, and wait if it starts something.

    name, arn: the members that name what is made.
    status: the member of `describe` that shows how far it is, and the end that is hoped for.
    stop: the operation that ends it early.
    """

    metadata: str
    create: str
    describe: str
    name: str
    arn: str
    status: tuple[str, str] | None = None
    stop: str | None = None


def job(what: str, metadata: str) -> Kind:
    return Kind(
        metadata,
        f"Create{what}",
        f"Describe{what}",
        f"{what}Name",
        f"{what}Arn",
        (f"{what}Status", "Completed"),
        f"Stop{what}",
    )


KINDS = {
    "Training": job("TrainingJob", "TrainingJob"),
    "Processing": job("ProcessingJob", "ProcessingJob"),
    "Transform": job("TransformJob", "TransformJob"),
    "Tuning": job("HyperParameterTuningJob", "TuningJob"),
    "Model": Kind("Model", "CreateModel", "DescribeModel", "ModelName", "ModelArn"),
    "EndpointConfig": Kind(
        "EndpointConfig",
        "CreateEndpointConfig",
        "DescribeEndpointConfig",
        "EndpointConfigName",
        "EndpointConfigArn",
    ),
    "Endpoint": Kind(
        "Endpoint",
        "CreateEndpoint",
        "DescribeEndpoint",
        "EndpointName",
        "EndpointArn",
        ("EndpointStatus", "InService"),
    ),
}
ENDED = {"Completed", "Failed", "Stopped", "InService"}


def perform(execution: "Execution", run: Run) -> None:
    """Do what a step says, to its end.

    Raises:
        StepFailed: it did not succeed.
        StepStopped: the execution was stopped meanwhile.
    """
    own = OWN.get(run.step.kind)
    try:
        if own:
            own(execution, run)
        elif run.step.kind in KINDS:
            call_and_wait(execution, run, KINDS[run.step.kind])
        else:
            raise StepFailed(f"The lab does not run steps of type {run.step.kind}.")
    except Unresolved as error:
        raise StepFailed(f"ClientError: {error}") from None


def invoke(execution: "Execution", operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Call an operation in the account and the Region of the pipeline.

    Raises:
        StepFailed: the operation answered an error.
    """
    try:
        return call(execution.account_id, execution.region_name, operation, request)
    except Refused as error:
        raise StepFailed(
            f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error}"
        ) from None


def arguments_of(execution: "Execution", run: Run, **variables: str) -> dict[str, Any]:
    resolved = resolve(run.step.arguments, execution.scope(variables))
    return {name: value for name, value in resolved.items() if value is not None}


def call_and_wait(execution: "Execution", run: Run, kind: Kind) -> None:
    name = name_for(execution, run, kind)
    request = arguments_of(execution, run, **{kind.name: name}) | {kind.name: name}
    exists = kind.create == "CreateEndpoint" and found(execution, kind, name)
    answer = invoke(execution, "UpdateEndpoint" if exists else kind.create, request)
    run.metadata = {kind.metadata: {"Arn": answer[kind.arn]}}
    run.status = "Executing"
    run.job = kind, name
    run.outputs = waited(execution, kind, name)
    if kind.create == "CreateHyperParameterTuningJob":
        run.outputs["TrainingJobSummaries"] = best_jobs(execution, name, run.outputs)


def name_for(execution: "Execution", run: Run, kind: Kind) -> str:
    """The name that the definition gives to an endpoint, or its prefix and a random end."""
    given = resolve(run.step.arguments.get(kind.name), execution.scope({}))
    if given and kind.name in ("EndpointName", "EndpointConfigName"):
        return str(given)
    step, end = run.step.name.replace("_", "-"), mock_random.get_random_hex(10)
    if kind.name == "HyperParameterTuningJobName":  # 32 characters at most
        return f"{execution.id}-{step[:8]}-{end[:10]}"
    start = f"{given}-{execution.id}" if given else f"pipelines-{execution.id}-{step}"
    return f"{start[:52]}-{end}"


def found(execution: "Execution", kind: Kind, name: str) -> bool:
    try:
        call(execution.account_id, execution.region_name, kind.describe, {kind.name: name})
    except Refused:
        return False
    return True


def waited(execution: "Execution", kind: Kind, name: str) -> dict[str, Any]:
    """What the Describe operation answers in the end.

    Raises:
        StepFailed: the end is not the one that is hoped for.
        StepStopped: the execution was stopped meanwhile.
    """
    if execution.stopping.is_set():
        stop(execution, kind, name)
    while not execution.aborted.is_set():
        answer = looked_at(execution, kind, name)
        if kind.status is None:
            return answer
        member, hoped = kind.status
        if answer[member] == hoped:
            return answer
        if answer[member] in ENDED:
            if execution.stopping.is_set():
                raise StepStopped
            raise StepFailed(answer.get("FailureReason") or f"{name} is {answer[member]}.")
        execution.aborted.wait(POLL)
    raise StepStopped


def stop(execution: "Execution", kind: Kind, name: str) -> None:
    """End a job before its time, unless it has ended meanwhile."""
    if kind.stop:
        with suppress(StepFailed):
            invoke(execution, kind.stop, {kind.name: name})


def looked_at(execution: "Execution", kind: Kind, name: str) -> dict[str, Any]:
    """A look that waits for the end while the lab's clock is instant, unless all is to stop."""
    place = execution.account_id, execution.region_name
    to_the_end = CLOCK.instant and not execution.stopping.is_set()
    try:
        return call(*place, kind.describe, {kind.name: name}, to_the_end=to_the_end)
    except Refused as error:
        raise StepFailed(f"ClientError: {error}") from None


def best_jobs(execution: "Execution", name: str, tuning: dict[str, Any]) -> list[Any]:
    """The training jobs of a tuning job, the best first."""
    config = tuning["HyperParameterTuningJobConfig"]
    objective = config.get("HyperParameterTuningJobObjective") or {}
    request = {
        "HyperParameterTuningJobName": name,
        "SortBy": "FinalObjectiveMetricValue",
        "SortOrder": "Ascending" if objective.get("Type") == "Minimize" else "Descending",
        "MaxResults": 100,
    }
    try:
        answer = invoke(execution, "ListTrainingJobsForHyperParameterTuningJob", request)
    except StepFailed:
        return []
    return list(answer["TrainingJobSummaries"])


# --- steps of their own kind ----------------------------------------------------------------------


def register_model(execution: "Execution", run: Run) -> None:
    """A model package; its group is made if there is none."""
    request = arguments_of(execution, run)
    group = request.get("ModelPackageGroupName")
    if group and not str(group).startswith("arn:"):
        place = execution.account_id, execution.region_name
        with suppress(Refused):  # it exists
            call(*place, "CreateModelPackageGroup", {"ModelPackageGroupName": group})
    arn = invoke(execution, "CreateModelPackage", request)["ModelPackageArn"]
    run.metadata = {"RegisterModel": {"Arn": arn}}
    run.outputs = invoke(execution, "DescribeModelPackage", {"ModelPackageName": arn})


def decide(execution: "Execution", run: Run) -> None:
    scope = execution.scope({})
    outcome = all(holds(each, scope) for each in run.step.arguments["Conditions"])
    run.outputs = {"Outcome": outcome}
    run.metadata = {"Condition": {"Outcome": str(outcome)}}


def fail(execution: "Execution", run: Run) -> None:
    message = str(arguments_of(execution, run).get("ErrorMessage", ""))
    run.metadata = {"Fail": {"ErrorMessage": message}}
    raise StepFailed(message)


@dataclass
class Callback:
    """A step that waits for somebody to answer with its token.

    failure: the reason that was given; None: it succeeded, or nobody has answered yet.
    """

    execution: "Execution"
    answered: Event = field(default_factory=Event)
    failure: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)


def call_back(execution: "Execution", run: Run) -> None:
    """Send a message with a token, and wait until the token comes back."""
    text, token = run.step.text, mock_random.get_random_hex(10)
    queue = str(resolve(text.get("SqsQueueUrl", ""), execution.scope({})))
    callback = Callback(execution)
    message = {"token": token, "pipelineExecutionArn": execution.arn}
    message |= {"arguments": arguments_of(execution, run)}
    run.metadata = {"Callback": {"CallbackToken": token, "SqsQueueUrl": queue}}
    execution.callbacks[token] = callback
    try:
        send(execution, queue, message | {"status": "Executing"})
        run.status = "Executing"
        told_to_stop = False
        while not callback.answered.wait(POLL):
            if execution.aborted.is_set():
                raise StepStopped
            if execution.stopping.is_set() and not told_to_stop:
                told_to_stop = True
                send(execution, queue, message | {"status": "Stopping"})
    finally:
        execution.callbacks.pop(token, None)
    if execution.stopping.is_set():
        raise StepStopped
    if callback.failure is not None:
        raise StepFailed(callback.failure)
    run.outputs = {"OutputParameters": callback.outputs}
    shown = [{"Name": name, "Value": value} for name, value in callback.outputs.items()]
    run.metadata["Callback"]["OutputParameters"] = shown


def send(execution: "Execution", queue: str, message: dict[str, Any]) -> None:
    try:
        sqs = sqs_backends[execution.account_id][execution.region_name]
        sqs.send_message(queue.rpartition("/")[2], json.dumps(message))
    except ServiceException as error:
        raise StepFailed(f"ClientError: Failed to send a message to {queue}: {error}") from None


OWN: dict[str, Callable[["Execution", Run], None]] = {
    "RegisterModel": register_model,
    "Condition": decide,
    "Fail": fail,
    "Callback": call_back,
}
