"""Monitoring schedules: when the jobs of Model Monitor run, on the lab's clock.

Each execution is a processing job with the input and the environment that Model Monitor gives its
containers. While the lab has no processing jobs that really run, executions stay `Pending`.
"""

import json
import re
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random
from moto.sagemaker.exceptions import (
    AWSValidationException,
    ResourceInUseException,
    ResourceNotFound,
)
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import CLOCK, Course, Stage, naive_now
from awslab.extension import PATCHES, adds
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page, refuse
from awslab.services.sagemaker.from_within import Refused, call
from awslab.services.sagemaker.job_definitions import held
from awslab.services.sagemaker.resource import Resource, arn_of, kept

LOCK = threading.RLock()  # held while something is looked up and then changed
SETTING_UP = 60  # seconds until a new schedule is in force
HOUR = timedelta(hours=1)
SCHEDULES = "monitoring_schedules"

CRON = re.compile(
    r"cron\(0 (\*|(?P<hour>[01]?\d|2[0-3])(/(?P<every>0?[1-9]|1\d|2[0-4]))?) \? \* \* \*\)"
)
OFFSET = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")

Request = Mapping[str, Any]


# --- when -----------------------------------------------------------------------------------------


def hours_of(expression: str) -> set[int] | None:
    """The hours (UTC) at which a schedule runs; None for `NOW`, which is once.

    Raises:
        AWSValidationException: the expression is none that Model Monitor knows.
    """
    if expression == "NOW":
        return None
    found = CRON.fullmatch(expression)
    if found is None:
        refuse(
            f"Invalid ScheduleExpression: {expression}. Supported are NOW, cron(0 * ? * * *), "
            "cron(0 [00-23] ? * * *) and cron(0 [00-23]/[01-24] ? * * *)."
        )
    if found["hour"] is None:
        return set(range(24))
    first, every = int(found["hour"]), int(found["every"] or 24)
    return {hour % 24 for hour in range(first, first + 24, every)}


def offset(text: str) -> timedelta:
    """`-PT5H`: five hours before the job.

    Raises:
        AWSValidationException: the text is no duration of ISO 8601.
    """
    found = OFFSET.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        refuse(f"Invalid offset: {text}. It must be a duration of ISO 8601, for example -PT1H.")
    sign, *parts = found.groups()
    days, hours, minutes, seconds = (min(int(part or 0), 10_000) for part in parts)
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if sign else length


# --- the resources --------------------------------------------------------------------------------


class Execution:
    """One run of a schedule's job.

    scheduled_time: the hour that it belongs to. job: the name of its processing job.
    """

    def __init__(self, schedule: "Schedule", scheduled_time: datetime) -> None:
        self.schedule = schedule
        self.scheduled_time = scheduled_time
        self.creation_time = self.last_modified_time = naive_now()
        self.name = f"{schedule.name} {scheduled_time.isoformat()}"
        self.status = "Pending"
        self.failure_reason: str | None = None
        self.job: str | None = None
        if jobs_run():
            self.begin()

    def begin(self) -> None:
        """Start the processing job."""
        self.job = (
            f"model-monitoring-{self.scheduled_time:%Y%m%d%H%M}-{mock_random.get_random_hex(24)}"
        )
        place = self.schedule.account_id, self.schedule.region_name
        try:
            request = job_request(self.schedule, self.scheduled_time)
            call(*place, "CreateProcessingJob", {"ProcessingJobName": self.job} | request)
        except (Refused, AWSValidationException) as error:
            self.job, self.status, self.failure_reason = None, "Failed", error.message

    def look(self) -> None:
        """Ask the processing job how far it is."""
        if self.job is None:
            return
        place = self.schedule.account_id, self.schedule.region_name
        try:
            job = call(*place, "DescribeProcessingJob", {"ProcessingJobName": self.job})
        except Refused:
            return  # the job is gone: what was last seen stays
        violated = str(job.get("ExitMessage", "")).startswith("CompletedWithViolations")
        status = "CompletedWithViolations" if violated else job["ProcessingJobStatus"]
        if status != self.status:
            self.status, self.last_modified_time = status, naive_now()
            self.failure_reason = job.get("FailureReason")

    def described(self) -> dict[str, Any]:
        """The members of a MonitoringExecutionSummary."""
        schedule = self.schedule
        return {
            "MonitoringScheduleName": schedule.name,
            "ScheduledTime": self.scheduled_time,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            "MonitoringExecutionStatus": self.status,
            "ProcessingJobArn": arn_of(schedule.backend, "processing-job", self.job)
            if self.job
            else None,
            "EndpointName": schedule.endpoint,
            "FailureReason": self.failure_reason,
            "MonitoringJobDefinitionName": schedule.definition_name,
            "MonitoringType": schedule.kind,
        }


class Schedule(Resource):
    """A monitoring schedule with its executions, the oldest first."""

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        name = request["MonitoringScheduleName"]
        super().__init__(backend, "monitoring-schedule", name, request)
        self.executions: list[Execution] = []
        self.follow(request["MonitoringScheduleConfig"])

    @property
    def backend(self) -> SageMakerModelBackend:
        return sagemaker_backends[self.account_id][self.region_name]

    def follow(self, config: Request) -> None:
        """Run by this configuration from now on."""
        self.request["MonitoringScheduleConfig"] = config
        self.hours = hours_of(expression_of(config))
        self.stopped = False
        self.course = Course([Stage("Pending", SETTING_UP), Stage("Scheduled")])
        self.last_modified_time = naive_now()
        self.next_hour = naive_now().replace(minute=0, second=0, microsecond=0) + HOUR
        if self.hours is None:
            self.executions.append(Execution(self, naive_now()))

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.request["MonitoringScheduleConfig"]
        return config

    @property
    def kind(self) -> str:
        return str(self.config.get("MonitoringType", "DataQuality"))

    @property
    def definition_name(self) -> str | None:
        return self.config.get("MonitoringJobDefinitionName")

    @property
    def status(self) -> str:
        return "Stopped" if self.stopped else self.course.stage

    @property
    def endpoint(self) -> str | None:
        """The endpoint whose data it watches, if it watches one."""
        inline = self.config.get("MonitoringJobDefinition")
        if inline:
            source = inline["MonitoringInputs"][0].get("EndpointInput")
            return source["EndpointName"] if source else None
        definition = held(self.backend, self.kind).get(self.definition_name or "")
        return definition.endpoint if definition else None

    def described(self) -> dict[str, Any]:
        """The members of DescribeMonitoringSchedule; this is a look at it."""
        self.course.look()
        last = self.executions[-1] if self.executions else None
        if last:
            last.look()
        return told(
            "DescribeMonitoringSchedule",
            self.request,
            MonitoringScheduleArn=self.arn,
            MonitoringScheduleStatus=self.status,
            MonitoringType=self.kind,
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
            EndpointName=self.endpoint,
            LastMonitoringExecutionSummary=last.described() if last else None,
        )

    def summary(self) -> dict[str, Any]:
        """The members of a MonitoringScheduleSummary."""
        named = {"MonitoringJobDefinitionName": self.definition_name}
        return self.described() | named

    def keep_up(self) -> None:
        """Start what has become due."""
        while self.hours and self.next_hour <= naive_now():
            if not self.stopped and self.next_hour.hour in self.hours:
                self.executions.append(Execution(self, self.next_hour))
            self.next_hour += HOUR


@CLOCK.every_tick
def run_schedules() -> None:
    for regions in list(sagemaker_backends.values()):
        for backend in list(regions.values()):
            for schedule in list(kept(backend, SCHEDULES).values()):
                with LOCK:
                    schedule.keep_up()


# --- the jobs -------------------------------------------------------------------------------------


def jobs_run() -> bool:
    """Whether the lab's processing jobs do real work; moto's only pretend to."""
    return any("CreateProcessingJob" in patch.operation for patch in PATCHES)


def job_request(schedule: Schedule, at: datetime) -> dict[str, Any]:
    """The processing job of an execution, in the terms of CreateProcessingJob.

    Raises:
        Refused: the definition, or the endpoint with its captured data, does not exist.
    """
    definition = inline_definition(schedule)
    application, (output,) = definition["Application"], definition["Outputs"]
    command = ("ImageUri", "ContainerEntrypoint", "ContainerArguments")
    return {
        "RoleArn": definition["RoleArn"],
        "AppSpecification": {n: application[n] for n in command if application.get(n)},
        "Environment": environment(schedule, definition, at)
        | (application.get("Environment") or {}),
        "ProcessingInputs": [
            {
                "InputName": name,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": path,
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for name, (uri, path) in inputs(schedule, definition).items()
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "result",
                    "S3Output": {"S3UploadMode": "EndOfJob"} | output["S3Output"],
                }
            ]
        },
        "ProcessingResources": {"ClusterConfig": definition["Cluster"]},
    }


def inputs(schedule: Schedule, definition: Request) -> dict[str, tuple[str, str]]:
    """Where each input of a job is in S3, and where the container finds it."""
    source, config = definition["Input"], definition["Application"].get("ConfigUri")
    found = {"dataset": (captured_data(schedule, source), source["LocalPath"])}
    for name, uri in definition["Baseline"].items():
        found[name] = (uri, f"/opt/ml/processing/{name}")
    if config:
        found["analysis_config"] = (config, "/opt/ml/processing/input/config")
    return found


def environment(schedule: Schedule, definition: Request, at: datetime) -> dict[str, str]:
    """What Model Monitor tells its containers (developer guide, "Container Contract Inputs")."""
    source, window = definition["Input"], schedule.config.get("ScheduleConfig") or {}
    start = window.get("DataAnalysisStartTime") or source.get("StartTimeOffset") or "-PT1H"
    end = window.get("DataAnalysisEndTime") or source.get("EndTimeOffset") or "-PT0H"
    captured = {"captureIndexNames": ["endpointInput", "endpointOutput"]}
    return {
        "dataset_source": source["LocalPath"],
        "dataset_format": json.dumps({"sagemakerCaptureJson": captured}),
        "output_path": definition["Outputs"][0]["S3Output"]["LocalPath"],
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_monitoring_schedule_name": schedule.name,
        "sagemaker_endpoint_name": schedule.endpoint or "",
        "start_time": f"{at + offset(start):%Y-%m-%dT%H:%M:%SZ}",
        "end_time": f"{at + offset(end):%Y-%m-%dT%H:%M:%SZ}",
    } | {
        f"baseline_{name}": f"/opt/ml/processing/{name}/{uri.rpartition('/')[2]}"
        for name, uri in definition["Baseline"].items()
    }


def inline_definition(schedule: Schedule) -> dict[str, Any]:
    """A job's definition in one form, wherever it stands."""
    config, kind = schedule.config, schedule.kind
    inline = config.get("MonitoringJobDefinition")
    if inline:
        application = inline["MonitoringAppSpecification"]
        application = application | {"Environment": inline.get("Environment")}
        source = inline["MonitoringInputs"][0]
        outputs = inline["MonitoringOutputConfig"]["MonitoringOutputs"]
        baseline, cluster = inline.get("BaselineConfig"), inline["MonitoringResources"]
        role = inline["RoleArn"]
    else:
        definition = held(schedule.backend, kind).get(schedule.definition_name or "")
        if definition is None:
            missing = f"Could not find job definition {schedule.definition_name}."
            raise Refused("ResourceNotFound", missing)
        request = definition.request
        application, source = request[f"{kind}AppSpecification"], request[f"{kind}JobInput"]
        outputs = request[f"{kind}JobOutputConfig"]["MonitoringOutputs"]
        baseline, cluster = request.get(f"{kind}BaselineConfig"), request["JobResources"]
        role = request["RoleArn"]
    baseline = baseline or {}
    return {
        "Application": application,
        "Input": source.get("EndpointInput") or source["BatchTransformInput"],
        "Outputs": outputs,
        "Cluster": cluster["ClusterConfig"],
        "RoleArn": role,
        "Baseline": {
            name: resource["S3Uri"]
            for name in ("constraints", "statistics")
            if (resource := baseline.get(f"{name.capitalize()}Resource") or {}).get("S3Uri")
        },
    }


def captured_data(schedule: Schedule, source: Request) -> str:
    """Where the requests and answers of the endpoint, or of the transform job, are kept.

    Raises:
        Refused: the endpoint does not exist, or captures nothing.
    """
    if "DataCapturedDestinationS3Uri" in source:
        return str(source["DataCapturedDestinationS3Uri"])
    name = {"EndpointName": source["EndpointName"]}
    endpoint = call(schedule.account_id, schedule.region_name, "DescribeEndpoint", name)
    capture = endpoint.get("DataCaptureConfig") or {}
    if not capture.get("DestinationS3Uri"):
        raise Refused("ValidationException", f"Endpoint {source['EndpointName']} captures no data.")
    return f"{capture['DestinationS3Uri'].rstrip('/')}/{source['EndpointName']}"


# --- operations -----------------------------------------------------------------------------------


def find_schedule(self: Any) -> Schedule:
    """The schedule that a request names.

    Raises:
        ResourceNotFound: there is none.
    """
    backend, name = self.sagemaker_backend, self.params["MonitoringScheduleName"]
    schedule: Schedule | None = kept(backend, SCHEDULES).get(name)
    if schedule is None:
        arn = arn_of(backend, "monitoring-schedule", name)
        raise ResourceNotFound(f"Monitoring Schedule {arn} not found")
    return schedule


def expression_of(config: Request) -> str:
    """What a configuration says about time; without that it runs hourly."""
    schedule = config.get("ScheduleConfig") or {}
    return str(schedule.get("ScheduleExpression") or "cron(0 * ? * * *)")


def check(backend: SageMakerModelBackend, config: Request) -> None:
    inline, name = config.get("MonitoringJobDefinition"), config.get("MonitoringJobDefinitionName")
    if (inline is None) == (name is None):
        refuse(
            "Exactly one of MonitoringJobDefinition and MonitoringJobDefinitionName must be "
            "specified."
        )
    kind = config.get("MonitoringType")
    if inline and kind not in (None, "DataQuality"):
        refuse(f"A schedule of type {kind} must name a MonitoringJobDefinitionName.")
    if inline:
        check_source(inline["MonitoringInputs"][0])
    if name and kind is None:
        refuse("MonitoringType must be specified with MonitoringJobDefinitionName.")
    if name and name not in held(backend, str(kind)):
        raise ResourceNotFound(f"Could not find {kind} job definition {name}.")
    window = config.get("ScheduleConfig") or {}
    bounds = [window.get("DataAnalysisStartTime"), window.get("DataAnalysisEndTime")]
    if hours_of(expression_of(config)) is None and None in bounds:
        refuse("DataAnalysisStartTime and DataAnalysisEndTime are required with the schedule NOW.")
    start, end = (offset(bound) if bound else timedelta() for bound in bounds)
    if None not in bounds and not timedelta() <= end - start <= 24 * HOUR:
        refuse("DataAnalysisStartTime must precede DataAnalysisEndTime by at most 24 hours.")


def check_source(source: Request) -> None:
    if ("EndpointInput" in source) == ("BatchTransformInput" in source):
        refuse("Exactly one of EndpointInput and BatchTransformInput must be specified.")


@adds(
    SageMakerResponse,
    "sagemaker",
    "CreateMonitoringSchedule",
    differs="an execution begins at its hour, not up to 20 minutes later",
)
def create_monitoring_schedule(self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["MonitoringScheduleName"]
    with LOCK:
        schedules = kept(backend, SCHEDULES)
        if name in schedules:
            arn = arn_of(backend, "monitoring-schedule", name)
            raise ResourceInUseException(f"Monitoring Schedule {arn} already exists")
        check(backend, self.params["MonitoringScheduleConfig"])
        schedules[name] = Schedule(backend, self.params)
    return ActionResult({"MonitoringScheduleArn": schedules[name].arn})


@adds(SageMakerResponse, "sagemaker", "DescribeMonitoringSchedule", differs="")
def describe_monitoring_schedule(self: Any) -> Any:
    return ActionResult(find_schedule(self).described())


@adds(SageMakerResponse, "sagemaker", "UpdateMonitoringSchedule", differs="")
def update_monitoring_schedule(self: Any) -> Any:
    with LOCK:
        schedule = find_schedule(self)
        check(self.sagemaker_backend, self.params["MonitoringScheduleConfig"])
        schedule.follow(self.params["MonitoringScheduleConfig"])
    return ActionResult({"MonitoringScheduleArn": schedule.arn})


@adds(SageMakerResponse, "sagemaker", "StartMonitoringSchedule", differs="")
def start_monitoring_schedule(self: Any) -> Any:
    set_stopped(find_schedule(self), False)
    return EmptyResult()


@adds(SageMakerResponse, "sagemaker", "StopMonitoringSchedule", differs="")
def stop_monitoring_schedule(self: Any) -> Any:
    set_stopped(find_schedule(self), True)
    return EmptyResult()


def set_stopped(schedule: Schedule, stopped: bool) -> None:
    with LOCK:
        schedule.keep_up()
        schedule.stopped, schedule.last_modified_time = stopped, naive_now()


@adds(
    SageMakerResponse,
    "sagemaker",
    "DeleteMonitoringSchedule",
    differs="the history of its executions goes with it",
)
def delete_monitoring_schedule(self: Any) -> Any:
    kept(self.sagemaker_backend, SCHEDULES).pop(find_schedule(self).name, None)
    return EmptyResult()


@adds(SageMakerResponse, "sagemaker", "ListMonitoringSchedules", differs="")
def list_monitoring_schedules(self: Any) -> Any:
    params = self.params
    described = {
        each.name: (each, each.summary())
        for each in list(kept(self.sagemaker_backend, SCHEDULES).values())
    }
    wanted = {
        "MonitoringScheduleStatus": params.get("StatusEquals"),
        "EndpointName": params.get("EndpointName"),
        "MonitoringJobDefinitionName": params.get("MonitoringJobDefinitionName"),
        "MonitoringType": params.get("MonitoringTypeEquals"),
    }
    found = [each for each, shown in described.values() if has(shown, wanted)]
    keys = {"CreationTime": by_creation_time, "Name": by_name, "Status": by_status}
    part, token = page(found, params, keys, 10)
    summaries = [described[each.name][1] for each in part]
    return ActionResult({"MonitoringScheduleSummaries": summaries, "NextToken": token})


def has(described: Request, wanted: Request) -> bool:
    return all(value in (None, described.get(member)) for member, value in wanted.items())


def by_status(one: Any) -> str:
    return str(one.status)


def by_scheduled_time(execution: Execution) -> str:
    return execution.scheduled_time.isoformat()


@adds(
    SageMakerResponse,
    "sagemaker",
    "ListMonitoringExecutions",
    differs=(
        "the analyzer images of Model Monitor and Clarify have nothing behind them: "
        "their executions fail"
    ),
)
def list_monitoring_executions(self: Any) -> Any:
    params = self.params
    schedules = list(kept(self.sagemaker_backend, SCHEDULES).values())
    found = [each for schedule in schedules for each in list(schedule.executions)]
    for execution in found:
        execution.look()
    wanted = {
        "MonitoringScheduleName": params.get("MonitoringScheduleName"),
        "MonitoringExecutionStatus": params.get("StatusEquals"),
        "EndpointName": params.get("EndpointName"),
        "MonitoringJobDefinitionName": params.get("MonitoringJobDefinitionName"),
        "MonitoringType": params.get("MonitoringTypeEquals"),
    }
    before, after = params.get("ScheduledTimeBefore"), params.get("ScheduledTimeAfter")
    found = [
        each
        for each in found
        if has(each.described(), wanted)
        and (before is None or each.scheduled_time < before)
        and (after is None or each.scheduled_time >= after)
    ]
    keys = {
        "CreationTime": by_creation_time,
        "ScheduledTime": by_scheduled_time,
        "Status": by_status,
    }
    shown, token = page(found, params, keys, 10)
    summaries = [each.described() for each in shown]
    return ActionResult({"MonitoringExecutionSummaries": summaries, "NextToken": token})
