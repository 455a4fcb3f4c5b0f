"""Pipelines: their definitions with all versions, and the operations on their executions."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.sagemaker.exceptions import ConflictException, ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from awslab import objects
from awslab.clock import CLOCK, naive_now
from awslab.extension import Function, adds, changes
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page, refuse
from awslab.services.sagemaker.pipeline_definition import TYPES, Definition, Malformed, parse
from awslab.services.sagemaker.pipeline_execution import Execution
from awslab.services.sagemaker.pipeline_steps import Callback, Run
from awslab.services.sagemaker.resource import Resource, arn_of, kept

LOCK = threading.RLock()  # held while something is looked up and then changed

Request = Mapping[str, Any]


class Version:
    """A definition that a pipeline has or had. number: 1 for the first."""

    def __init__(self, number: int, text: str, aliases: list[str]) -> None:
        self.number, self.text = number, text
        self.definition: Definition = understood(text)
        self.creation_time: datetime = naive_now()
        self.aliases = aliases
        self.named: dict[str, Any] = {}  # PipelineVersionDisplayName, PipelineVersionDescription
        self.last_execution: str | None = None

    @property
    def name(self) -> str:
        """For lists: they are sorted by time, and versions of the same moment by number."""
        return f"{self.number:09}"


class Pipeline(Resource):
    """A pipeline; the last of its versions is the one that is described and run."""

    def __init__(self, backend: SageMakerModelBackend, request: Request, text: str) -> None:
        super().__init__(backend, "pipeline", request["PipelineName"], request)
        self.pipeline_name = self.name
        self.last_run: datetime | None = None
        self.versions: list[Version] = []
        self.add_version(text, request.get("PipelineVersionAliases") or [])

    def add_version(self, text: str, aliases: list[str]) -> Version:
        version = Version(len(self.versions) + 1, text, [])
        self.versions.append(version)
        self.give(version, aliases)
        return version

    def give(self, version: Version, aliases: list[str]) -> None:
        """An alias stands for one version: the others lose it."""
        for other in self.versions:
            other.aliases = [alias for alias in other.aliases if alias not in aliases]
        version.aliases += aliases

    def version_of(self, params: Request) -> Version:
        """The version that a request names, by its number or alias; otherwise the last.

        Raises:
            ResourceNotFound: there is none.
        """
        number, alias = params.get("PipelineVersionId"), params.get("PipelineVersionAlias")
        for version in reversed(self.versions):
            if number in (None, version.number) and (alias is None or alias in version.aliases):
                return version
        raise ResourceNotFound(f"Pipeline '{self.arn}' has no version {alias or number}.")

    def described(self, version: Version | None = None) -> dict[str, Any]:
        """The members of DescribePipeline."""
        version = version or self.versions[-1]
        request = {"PipelineDisplayName": self.name} | self.request | version.named
        return told(
            "DescribePipeline",
            request,
            PipelineArn=self.arn,
            PipelineDefinition=version.text,
            PipelineStatus="Active",
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
            LastRunTime=self.last_run,
            PipelineVersionAliases=version.aliases or None,
        )

    def gen_response_object(self) -> dict[str, Any]:
        """What moto's Search answers."""
        return self.described() | {"Tags": self.tags}


# --- what requests name ---------------------------------------------------------------------------


def understood(text: str) -> Definition:
    """The definition that a text holds.

    Raises:
        AWSValidationException: it holds none.
    """
    try:
        return parse(text)
    except Malformed as error:
        refuse(f"Unable to parse pipeline definition. {error}")


def text_in(params: Request) -> str | None:
    """The definition that a request brings, or names in S3; None: neither.

    Raises:
        AWSValidationException: it does both, or the object does not exist.
    """
    text, place = params.get("PipelineDefinition"), params.get("PipelineDefinitionS3Location")
    if text is not None and place is not None:
        refuse("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
    if place is None:
        return text
    try:
        return objects.read(f"s3://{place['Bucket']}/{place['ObjectKey']}").decode()
    except (objects.NotFound, UnicodeDecodeError) as error:
        refuse(f"Unable to read the pipeline definition from S3: {error}")


def find_pipeline(self: Any, member: str = "PipelineName") -> Pipeline:
    """The pipeline that a request names, by its name or ARN.

    Raises:
        ResourceNotFound: there is none.
    """
    backend, name = self.sagemaker_backend, self.params[member]
    arn = name if name.startswith("arn:") else arn_of(backend, "pipeline", name)
    pipeline: Pipeline | None = backend.pipelines.get(arn.rpartition("/")[2])
    if pipeline is None or pipeline.arn != arn:
        raise ResourceNotFound(f"Pipeline '{arn}' does not exist.")
    return pipeline


def find_execution(self: Any) -> Execution:
    """The execution that a request names.

    Raises:
        ResourceNotFound: there is none.
    """
    arn = self.params.get("PipelineExecutionArn")
    if arn is None:
        refuse("PipelineExecutionArn must be specified.")
    execution: Execution | None = self.sagemaker_backend.pipeline_executions.get(arn)
    if execution is None:
        raise ResourceNotFound(f"Pipeline execution '{arn}' does not exist.")
    return execution


def executions_of(backend: SageMakerModelBackend, pipeline: Pipeline) -> list[Execution]:
    held = list(backend.pipeline_executions.values())
    return [execution for execution in held if execution.pipeline_name == pipeline.name]


def newest_page(found: list[Any], params: Request) -> tuple[list[Any], str | None]:
    """These lists name their bounds CreatedAfter and CreatedBefore."""
    bounds = {
        "CreationTimeAfter": params.get("CreatedAfter"),
        "CreationTimeBefore": params.get("CreatedBefore"),
    }
    keys = {"CreationTime": by_creation_time, "Name": by_name, "PipelineExecutionArn": by_name}
    return page(found, bounds | dict(params), keys, 10)


# --- pipelines ------------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreatePipeline",
    reason="takes a definition that is not JSON; checks nothing in it",
    differs="`CreatedBy` is missing; `VersionId` of an S3 location is ignored",
)
def create_pipeline(original: Function, self: Any) -> Any:
    backend, params = self.sagemaker_backend, self.params
    name, token = params["PipelineName"], params["ClientRequestToken"]
    with LOCK:
        existing = backend.pipelines.get(name)
        if existing and existing.request.get("ClientRequestToken") == token:
            return ActionResult({"PipelineArn": existing.arn})
        if existing:
            refuse(
                "Pipeline names must be unique within an AWS account and region. Pipeline with "
                f"name ({name}) already exists."
            )
        text = text_in(params)
        if text is None:
            refuse(
                "Either Pipeline Definition or Pipeline Definition S3 location should be provided"
            )
        pipeline = Pipeline(backend, params, text)
        backend.pipelines[name] = pipeline
    return ActionResult({"PipelineArn": pipeline.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "UpdatePipeline",
    reason="checks nothing in the definition; forgets the version before",
    differs="",
)
def update_pipeline(original: Function, self: Any) -> Any:
    with LOCK:
        pipeline, text = find_pipeline(self), text_in(self.params)
        aliases = self.params.get("PipelineVersionAliases") or []
        if text is not None:
            pipeline.add_version(text, aliases)
        else:
            pipeline.give(pipeline.versions[-1], aliases)
        pipeline.request |= told("DescribePipeline", dict(self.params))
        pipeline.last_modified_time = naive_now()
    version = pipeline.versions[-1].number
    return ActionResult({"PipelineArn": pipeline.arn, "PipelineVersionId": version})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribePipeline",
    reason="answers `ValidationException` if there is none; takes no ARN; knows no versions",
    differs="",
)
def describe_pipeline(original: Function, self: Any) -> Any:
    pipeline = find_pipeline(self)
    return ActionResult(pipeline.described(pipeline.version_of(self.params)))


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListPipelines",
    reason="takes the prefix of a name for any part of it; filters after cutting the page",
    differs="",
)
def list_pipelines(original: Function, self: Any) -> Any:
    prefix = self.params.get("PipelineNamePrefix") or ""
    held = list(self.sagemaker_backend.pipelines.values())
    if self.params.get("ManagedBy") == "AWS":
        held = []
    found = [pipeline for pipeline in held if pipeline.name.startswith(prefix)]
    shown, token = newest_page(found, self.params)
    summaries = [each.described() | {"LastExecutionTime": each.last_run} for each in shown]
    return ActionResult({"PipelineSummaries": summaries, "NextToken": token})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeletePipeline",
    reason="answers `ValidationException` if there is none",
    differs="",
)
def delete_pipeline(original: Function, self: Any) -> Any:
    backend = self.sagemaker_backend
    with LOCK:
        pipeline = find_pipeline(self)
        executions = executions_of(backend, pipeline)
        if any(not execution.ended.is_set() for execution in executions):
            raise ConflictException(
                f"Pipeline '{pipeline.arn}' cannot be deleted while it has running executions."
            )
        for execution in executions:
            backend.pipeline_executions.pop(execution.arn, None)
        backend.pipelines.pop(pipeline.name, None)
    return ActionResult({"PipelineArn": pipeline.arn})


@adds(SageMakerResponse, "sagemaker", "ListPipelineVersions", differs="")
def list_pipeline_versions(self: Any) -> Any:
    pipeline = find_pipeline(self)
    shown, token = newest_page(pipeline.versions, self.params)
    summaries = [
        version.named
        | {
            "PipelineArn": pipeline.arn,
            "PipelineVersionId": version.number,
            "CreationTime": version.creation_time,
            "LastExecutionPipelineExecutionArn": version.last_execution,
            "PipelineVersionAliases": version.aliases or None,
        }
        for version in shown
    ]
    return ActionResult({"PipelineVersionSummaries": summaries, "NextToken": token})


@adds(SageMakerResponse, "sagemaker", "UpdatePipelineVersion", differs="")
def update_pipeline_version(self: Any) -> Any:
    with LOCK:
        pipeline = find_pipeline(self, "PipelineArn")
        version = pipeline.version_of(self.params)
        for member in ("PipelineVersionDisplayName", "PipelineVersionDescription"):
            if member in self.params:
                version.named[member] = self.params[member]
        aliases = self.params.get("PipelineVersionAliasOperations") or {}
        removed = aliases.get("Remove") or []
        version.aliases = [alias for alias in version.aliases if alias not in removed]
        pipeline.give(version, aliases.get("Add") or [])
    return ActionResult({"PipelineArn": pipeline.arn, "PipelineVersionId": version.number})


# --- executions -----------------------------------------------------------------------------------


def parameters_in(params: Request, definition: Definition) -> dict[str, Any]:
    """The values of all parameters: as the request gives them, or by default.

    Raises:
        AWSValidationException: one is unknown, missing, or of another type.
    """
    given = {each["Name"]: each["Value"] for each in params.get("PipelineParameters") or []}
    unknown = sorted(given.keys() - definition.parameters.keys())
    if unknown:
        refuse(f"Unknown parameters: [{', '.join(unknown)}] are not defined in the pipeline.")
    values, missing = {}, []
    for name, parameter in definition.parameters.items():
        if name in given:
            values[name] = typed(parameter, given[name])
        elif parameter.get("DefaultValue") is not None:
            values[name] = parameter["DefaultValue"]
        else:
            missing.append(name)
    if missing:
        refuse(f"Parameters [{', '.join(missing)}] do not have default values.")
    return values


def typed(parameter: Request, text: str) -> Any:
    """A value, which a request always gives as text, as the parameter's type."""
    kind, allowed = parameter["Type"], parameter.get("EnumValues")
    if not text:
        refuse('[string "" is too short (length: 0, required minimum: 1)]')
    if isinstance(allowed, list) and text not in allowed:
        refuse(f"Parameter '{parameter['Name']}' must be one of {allowed}.")
    try:
        if kind == "Boolean":
            return {"true": True, "false": False}[text.lower()]
        return TYPES[kind](text)
    except (ValueError, KeyError):
        refuse(f"Parameter '{parameter['Name']}' must be of type {kind}, not '{text}'.")


def choose(self: Any, execution: Execution) -> None:
    """Leave a selective execution only the steps that are wanted, with what they depend on.

    Raises:
        AWSValidationException: a step is unknown, or the execution to take results from is missing.
    """
    config = self.params.get("SelectiveExecutionConfig")
    if config is None:
        return
    chosen = {each["StepName"] for each in config["SelectedSteps"]}
    unknown = sorted(chosen - execution.definition.steps.keys())
    if unknown:
        refuse(f"Selected steps [{', '.join(unknown)}] are not in the pipeline.")
    needed = {
        name
        for step in chosen
        for name, _ in execution.definition.steps[step].needs
        if name not in chosen
    }
    source = self.sagemaker_backend.pipeline_executions.get(
        config.get("SourcePipelineExecutionArn")
    )
    runs = {name: run for name, run in source.runs.items() if done(run)} if source else {}
    if needed - runs.keys():
        refuse(
            "Invalid SourcePipelineExecutionArn: "
            f"{config.get('SourcePipelineExecutionArn') or 'null'}. The selected steps "
            f"[{', '.join(sorted(chosen))}] have dependencies on [{', '.join(sorted(needed))}]"
        )
    execution.chosen = chosen
    execution.runs = {name: runs[name] for name in sorted(needed)}


def done(run: Run) -> bool:
    return run.status == "Succeeded"


@changes(
    SageMakerResponse,
    "sagemaker",
    "StartPipelineExecution",
    reason="runs no step; takes parameters that the definition does not have; starts again when "
    "a request is repeated",
    differs=(
        "steps of types Lambda, EMR, QualityCheck, ClarifyCheck, AutoML and newer ones fail; a "
        "step calls as the lab's user, not in the role of the pipeline; retry policies are "
        "ignored; no experiment is made"
    ),
)
def start_pipeline_execution(original: Function, self: Any) -> Any:
    backend, params = self.sagemaker_backend, self.params
    with LOCK:
        pipeline = find_pipeline(self)
        for before in executions_of(backend, pipeline):
            if before.request["ClientRequestToken"] == params["ClientRequestToken"]:
                return ActionResult({"PipelineExecutionArn": before.arn})
        version = pipeline.version_of(params)
        inherited = {"ParallelismConfiguration": pipeline.request.get("ParallelismConfiguration")}
        named = {"PipelineName": pipeline.name, "PipelineVersionId": version.number}
        identifier = mock_random.get_random_string(12, lower_case=True)
        execution = Execution(
            backend,
            identifier,
            {"PipelineExecutionDisplayName": f"execution-{identifier}"}
            | inherited
            | dict(params)
            | named,
            version.text,
            version.definition,
            parameters_in(params, version.definition),
        )
        choose(self, execution)
        backend.pipeline_executions[execution.arn] = execution
        version.last_execution = execution.arn
        pipeline.last_run = naive_now()
        execution.start()
    return ActionResult({"PipelineExecutionArn": execution.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribePipelineExecution",
    reason="shows each execution as `Succeeded`",
    differs="`CreatedBy` is missing",
)
def describe_pipeline_execution(original: Function, self: Any) -> Any:
    return ActionResult(find_execution(self).described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribePipelineDefinitionForExecution",
    reason="answers `ValidationException` if there is none",
    differs="",
)
def describe_pipeline_definition_for_execution(original: Function, self: Any) -> Any:
    execution = find_execution(self)
    times = {"CreationTime": execution.creation_time}
    return ActionResult({"PipelineDefinition": execution.text} | times)


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListPipelineExecutions",
    reason="ignores filters; ignores `MaxResults`; names `None` as the reason of failure",
    differs="",
)
def list_pipeline_executions(original: Function, self: Any) -> Any:
    pipeline = find_pipeline(self)
    alias = self.params.get("PipelineVersionAlias")
    found = executions_of(self.sagemaker_backend, pipeline)
    if alias is not None:
        number = pipeline.version_of({"PipelineVersionAlias": alias}).number
        found = [each for each in found if each.request["PipelineVersionId"] == number]
    shown, token = newest_page(found, self.params)
    summaries = [summary_of(each) for each in shown]
    return ActionResult({"PipelineExecutionSummaries": summaries, "NextToken": token})


def summary_of(execution: Execution) -> dict[str, Any]:
    described = execution.described()
    times = {"StartTime": execution.creation_time}
    return described | times | {"PipelineExecutionFailureReason": described["FailureReason"]}


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListPipelineParametersForExecution",
    reason="ignores `MaxResults`; answers `ValidationException` if there is none",
    differs="",
)
def list_pipeline_parameters_for_execution(original: Function, self: Any) -> Any:
    parameters = find_execution(self).request.get("PipelineParameters") or []
    shown, token = part(parameters, self.params)
    return ActionResult({"PipelineParameters": shown, "NextToken": token})


def part(items: list[Any], params: Request) -> tuple[list[Any], str | None]:
    """A page of what has an order of its own."""
    token = params.get("NextToken") or "0"
    if not token.isdecimal():
        refuse("Invalid NextToken.")
    start, size = int(token), params.get("MaxResults") or 100
    more = start + size < len(items)
    return items[start : start + size], str(start + size) if more else None


@adds(
    SageMakerResponse,
    "sagemaker",
    "ListPipelineExecutionSteps",
    differs="while the clock is instant, it waits for the end of the execution",
)
def list_pipeline_execution_steps(self: Any) -> Any:
    execution = find_execution(self)
    if execution.look() in ("Executing", "Stopping") and CLOCK.instant:
        execution.look()
    runs = list(execution.runs.values())
    if self.params.get("SortOrder", "Descending") == "Descending":
        runs.reverse()
    shown, token = part([run.described() for run in runs], self.params)
    return ActionResult({"PipelineExecutionSteps": shown, "NextToken": token})


@adds(SageMakerResponse, "sagemaker", "UpdatePipelineExecution", differs="")
def update_pipeline_execution(self: Any) -> Any:
    execution = find_execution(self)
    execution.request |= self.params
    execution.last_modified_time = naive_now()
    return ActionResult({"PipelineExecutionArn": execution.arn})


@adds(SageMakerResponse, "sagemaker", "StopPipelineExecution", differs="")
def stop_pipeline_execution(self: Any) -> Any:
    with LOCK:
        execution = find_execution(self)
        if execution.ended.is_set():
            raise ConflictException(
                f"Pipeline execution '{execution.arn}' is {execution.outcome}: only executions "
                "with 'Executing' status can be stopped."
            )
        execution.stop()
    return ActionResult({"PipelineExecutionArn": execution.arn})


@adds(
    SageMakerResponse,
    "sagemaker",
    "RetryPipelineExecution",
    differs="parallelism cannot be changed on the way",
)
def retry_pipeline_execution(self: Any) -> Any:
    with LOCK:
        execution = find_execution(self)
        if not execution.ended.is_set() or execution.outcome == "Succeeded":
            raise ConflictException(
                f"Pipeline execution '{execution.arn}' is {execution.outcome}: only executions "
                "with 'Failed' or 'Stopped' status can be retried."
            )
        execution.runs = {name: run for name, run in execution.runs.items() if done(run)}
        execution.start()
    return ActionResult({"PipelineExecutionArn": execution.arn})


@adds(SageMakerResponse, "sagemaker", "SendPipelineExecutionStepSuccess", differs="")
def send_pipeline_execution_step_success(self: Any) -> Any:
    given = self.params.get("OutputParameters") or []
    outputs = {each["Name"]: each["Value"] for each in given}
    return call_back(self, lambda callback: callback.outputs.update(outputs))


@adds(SageMakerResponse, "sagemaker", "SendPipelineExecutionStepFailure", differs="")
def send_pipeline_execution_step_failure(self: Any) -> Any:
    reason = self.params.get("FailureReason", "")
    return call_back(self, lambda callback: setattr(callback, "failure", reason))


def call_back(self: Any, tell: Any) -> ActionResult:
    """Answer the step that has sent this token."""
    with LOCK:
        token = self.params["CallbackToken"]
        callback: Callback | None = kept(self.sagemaker_backend, "pipeline_callbacks").get(token)
        if callback is None or callback.answered.is_set():
            raise ResourceNotFound(f"No step waits for the callback token {token}.")
        tell(callback)
        callback.answered.set()
    return ActionResult({"PipelineExecutionArn": callback.execution.arn})
