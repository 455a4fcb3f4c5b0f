"""Training jobs: what was asked and what has been shown; `training_run.py` does the work."""

import math
import re
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import AWSValidationException, ResourceInUseException
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab import objects
from awslab.clock import CLOCK, PATIENCE, Course, Stage, naive_now
from awslab.extension import Function, adds, changes
from awslab.services.s3 import find_bucket
from awslab.services.sagemaker import xgboost_rules
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.container import Failure, listed
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page
from awslab.services.sagemaker.images import kind_of
from awslab.services.sagemaker.resource import Resource, arn_of
from awslab.services.sagemaker.training_run import (
    FINAL,
    MESSAGES,
    Happening,
    Run,
    instances_of,
    trained,
)
from awslab.telemetry import put_event
from awslab.validation import message_of, refused

NAMING = threading.RLock()  # held while a name is looked up and then taken
DAY = 86_400
LONGEST = 28 * DAY
SPOT_SHARE = 0.3  # of the training time that a managed spot job is billed for
PAGE = 10
CHECKPOINTS = "/opt/ml/checkpoints"
PENDING = Stage("")  # comes after the last state that is known; never entered

Request = Mapping[str, Any]


class TrainingJob(Resource):
    """A training job: what it was created with, its work, and how much of that has been shown.

    run: what really happens; `run.metrics` is what a tuning job reads.
    course: shows what has happened, one state after the other.
    shown: the number of the state in `run.happened` that was shown last.
    """

    def __init__(self, backend: SageMakerModelBackend, request: Request, **created_by: str) -> None:
        name = request["TrainingJobName"]
        super().__init__(backend, "training-job", name, with_defaults(request))
        self.created_by = created_by
        self.run = Run(self.account_id, self.region_name, self.arn, self.request)
        self.shown = 0
        self.course = Course(self._stages(0))

    def _stages(self, index: int) -> list[Stage]:
        """A way that begins with the state of this number; it grows as the job goes on."""
        stages: list[Stage] = []
        stages += self._from(index, stages, 0)
        return stages

    def _from(self, index: int, stages: list[Stage], place: int) -> list[Stage]:
        """The stage of a state for this place of the way, and what stands for those to come."""
        status = self.run.happened[index].status

        def follow(patience: float) -> bool:
            if not self.run.follow(index + 1, patience):
                return False
            if stages[place + 1 :] == [PENDING]:  # another look may have been here
                stages[place + 1 :] = self._from(index + 1, stages, place + 1)
            return True

        stage = Stage(status, work=follow, begin=lambda: self._show(index))
        return [stage] if status in FINAL else [stage, PENDING]

    def _show(self, index: int) -> None:
        self.shown = index
        self.last_modified_time = self.run.happened[index].at
        put_event(
            self.account_id,
            self.region_name,
            "aws.sagemaker",
            "SageMaker Training Job State Change",
            self.arn,
            self.described(),
        )

    def skip_to(self, index: int) -> None:
        """Show a state at once: what the caller has done must be seen by the next look."""
        for number in range(self.shown + 1, index):
            self._show(number)
        if index > self.shown:
            self.course.divert(self._stages(index))

    def finish(self, patience: float) -> bool:
        """Wait so many real seconds for the end, and show it; false if it has not come."""
        ended = self.run.wait(patience)
        if ended:
            self.skip_to(len(self.run.happened) - 1)
        return ended

    # --- as DescribeTrainingJob answers -----------------------------------------------------------

    @property
    def history(self) -> list[Happening]:
        return self.run.happened[: self.shown + 1]

    @property
    def secondary_status(self) -> str:
        return self.run.happened[self.shown].status

    @property
    def training_job_status(self) -> str:
        status = self.secondary_status
        if status in FINAL:
            return status if status in ("Completed", "Failed") else "Stopped"
        return "Stopping" if any(h.status == "Stopping" for h in self.history) else "InProgress"

    @property
    def training_job_name(self) -> str:
        return self.name

    @property
    def ended(self) -> bool:
        return self.secondary_status in FINAL

    def described(self) -> dict[str, Any]:
        """The members of DescribeTrainingJob."""
        history = self.history
        began = next((each.at for each in history if each.status == "Downloading"), None)
        answer = told(
            "DescribeTrainingJob",
            self.request,
            **self.created_by,
            TrainingJobArn=self.arn,
            TrainingJobStatus=self.training_job_status,
            SecondaryStatus=self.secondary_status,
            SecondaryStatusTransitions=transitions(history),
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
            TrainingStartTime=began,
            ProfilingStatus=profiling_status(self.request),
            WarmPoolStatus=self.warm_pool_status(),
        )
        if self.ended and began:
            answer |= self._outcome(history)
        if self.secondary_status == "Failed":
            answer["FailureReason"] = self.run.failure
        return {name: value for name, value in answer.items() if value is not None}

    def _outcome(self, history: list[Happening]) -> dict[str, Any]:
        seconds = max(1, math.ceil(trained(history)))
        spot = self.request["EnableManagedSpotTraining"]
        outcome: dict[str, Any] = {
            "TrainingEndTime": history[-1].at,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": max(1, int(seconds * SPOT_SHARE)) if spot else seconds,
            "FinalMetricDataList": self._final_metrics(),
        }
        if self.secondary_status != "Failed":
            outcome["ModelArtifacts"] = {"S3ModelArtifacts": self.run.artifact}
        return outcome

    def _final_metrics(self) -> list[dict[str, Any]]:
        """The last value of each metric, in the order in which they came first."""
        last = {metric.name: metric for metric in self.run.metrics}
        return [
            {"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.at}
            for metric in last.values()
        ]

    def warm_pool_status(self) -> dict[str, Any] | None:
        """Of the instances that are kept after the job; no later job takes them over."""
        seconds = (self.request.get("ResourceConfig") or {}).get("KeepAlivePeriodInSeconds")
        if not seconds:
            return None
        if not self.ended:
            return {"Status": "InUse"}
        kept = min((naive_now() - self.run.happened[self.shown].at).total_seconds(), seconds)
        status = "Available" if kept < seconds else "Terminated"
        return {"Status": status, "ResourceRetainedBillableTimeInSeconds": int(max(kept, 0))}

    # What moto's Search and its tags ask their resources for.

    def gen_response_object(self) -> dict[str, Any]:
        return self.described() | {"Tags": self.tags}


def transitions(history: list[Happening]) -> list[dict[str, Any]]:
    """Each state with its time; the last one goes on, unless it is the end."""
    ends: list[datetime | None] = [each.at for each in history[1:]]
    last = history[-1]
    ends.append(last.at if last.status in FINAL else None)
    return [
        {"Status": each.status, "StartTime": each.at, "StatusMessage": MESSAGES[each.status]}
        | ({"EndTime": end} if end else {})
        for each, end in zip(history, ends, strict=True)
    ]


def profiling_status(request: Request) -> str:
    config = request.get("ProfilerConfig") or {}
    on = bool(config.get("S3OutputPath")) and not config.get("DisableProfiler")
    return "Enabled" if on else "Disabled"


def with_defaults(request: Request) -> dict[str, Any]:
    """A request with what the service fills in."""
    whole = {name: value for name, value in request.items() if value is not None}
    asked = dict(whole.get("AlgorithmSpecification") or {})
    if asked:
        asked.setdefault("EnableSageMakerMetricsTimeSeries", False)
        if kind_of(asked.get("TrainingImage", "")) == "xgboost":
            asked["MetricDefinitions"] = xgboost_rules.metric_definitions()
        whole["AlgorithmSpecification"] = asked
    limits = {"MaxRuntimeInSeconds": DAY, **(whole.get("StoppingCondition") or {})}
    whole |= {
        "StoppingCondition": limits,
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP"} | whole["OutputDataConfig"],
        "InputDataConfig": [with_channel_defaults(c) for c in whole.get("InputDataConfig") or []],
    }
    for switch in SWITCHES:
        whole.setdefault(switch, False)
    if whole.get("CheckpointConfig"):
        whole["CheckpointConfig"] = {"LocalPath": CHECKPOINTS} | whole["CheckpointConfig"]
    return {name: value for name, value in whole.items() if value != []}


SWITCHES = (
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
)


def with_channel_defaults(channel: Mapping[str, Any]) -> dict[str, Any]:
    whole = {"CompressionType": "None", "RecordWrapperType": "None", **channel}
    source = (channel["DataSource"] or {}).get("S3DataSource")
    if source:
        replicated = {"S3DataDistributionType": "FullyReplicated", **source}
        whole["DataSource"] = {**channel["DataSource"], "S3DataSource": replicated}
    return whole


# --- what SageMaker asks of a request beyond its form ---------------------------------------------


def refuse(message: str) -> NoReturn:
    raise AWSValidationException(message)


def missing(path: str) -> NoReturn:
    refuse(message_of([refused(None, path, "Member must not be null")]))


def check(backend: SageMakerModelBackend, request: Request) -> None:
    """Hold a CreateTrainingJob request against the service's rules.

    Raises:
        AWSValidationException: with the first rule that it breaks.
    """
    if request["RoleArn"].split(":")[4] != backend.account_id:
        refuse("RoleArn: Cross-account pass role is not allowed.")
    if not request.get("ServerlessJobConfig"):
        check_algorithm(backend, request)
        check_resources(request)
    check_limits(request)
    channels = [c["ChannelName"] for c in request.get("InputDataConfig") or []]
    for name in channels:
        if channels.count(name) > 1:
            refuse(f"Channel names must be unique. Duplicate channel name: {name}")
    for channel in request.get("InputDataConfig") or []:
        check_channel(backend, channel, request["RoleArn"])


def check_algorithm(backend: SageMakerModelBackend, request: Request) -> None:
    asked = request.get("AlgorithmSpecification")
    if asked is None:
        missing("algorithmSpecification")
    image, algorithm = asked.get("TrainingImage"), asked.get("AlgorithmName")
    if bool(image) == bool(algorithm):
        refuse("Exactly one of TrainingImage and AlgorithmName must be specified.")
    if algorithm:
        name = algorithm.rpartition("/")[2]
        refuse(f'Could not find algorithm "{arn_of(backend, "algorithm", name)}".')
    definitions = asked.get("MetricDefinitions") or []
    if definitions and kind_of(image) == "xgboost":
        refuse(
            "You can't override the metric definitions for Amazon SageMaker algorithms. "
            "Please retry the request without specifying metric definitions."
        )
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except re.error:
            refuse(f"The regular expression of the metric {definition['Name']} is not valid.")


def check_resources(request: Request) -> None:
    resources = request.get("ResourceConfig")
    if resources is None:
        missing("resourceConfig")
    groups, choices = resources.get("InstanceGroups"), resources.get("InstancePreferences")
    if choices and (resources.get("InstanceType") or groups):
        refuse("InstancePreferences cannot be specified with InstanceType or InstanceGroups.")
    if choices and request.get("EnableManagedSpotTraining"):
        refuse("InstancePreferences cannot be specified with EnableManagedSpotTraining.")
    if not groups and not choices:
        for name in ("InstanceType", "InstanceCount"):
            if resources.get(name) is None:
                missing(f"resourceConfig.{name[0].lower()}{name[1:]}")
    if instances_of(request) < 1 or resources.get("InstanceCount") == 0:
        least = "Member must have value greater than or equal to 1"
        refuse(message_of([refused(0, "resourceConfig.instanceCount", least)]))


def check_limits(request: Request) -> None:
    condition = request.get("StoppingCondition") or {}
    runtime, wait = condition.get("MaxRuntimeInSeconds", DAY), condition.get("MaxWaitTimeInSeconds")
    if runtime > LONGEST:
        refuse(f"Invalid MaxRuntimeInSeconds. It must be less than or equal to {LONGEST}")
    if not request.get("EnableManagedSpotTraining"):
        if wait is not None:
            refuse(
                "Invalid MaxWaitTimeInSeconds. It is only supported when "
                "EnableManagedSpotTraining is set to true"
            )
    elif wait is None or wait < runtime:
        refuse(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        )


def check_channel(backend: SageMakerModelBackend, channel: Mapping[str, Any], role: str) -> None:
    """A channel has one source; if that is S3, there must be something."""
    sources = [name for name, value in (channel["DataSource"] or {}).items() if value]
    if len(sources) != 1:
        refuse(
            f"Exactly one data source must be specified for the channel {channel['ChannelName']}."
        )
    if sources == ["S3DataSource"]:
        check_data(backend, channel["DataSource"]["S3DataSource"], role)


def check_data(backend: SageMakerModelBackend, source: Mapping[str, Any], role: str) -> None:
    uri = source["S3Uri"]
    name = objects.split(uri)[0]
    bucket, said = find_bucket(name), ""
    if bucket is None:
        said = " Error message from S3: The specified bucket does not exist"
    elif bucket.region_name != backend.region_name:
        said = (
            f" Error message from S3: The bucket is in this region: {bucket.region_name}. "
            "Please use this region to retry the request"
        )
    elif has_objects(uri):
        return
    refuse(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
        f"the bucket exists in the selected region ({backend.region_name}), that objects exist "
        f'under that S3 prefix, and that the role "{role}" has "s3:ListBucket" permissions on '
        f'bucket "{name}".{said}'
    )


def has_objects(uri: str) -> bool:
    try:
        return bool(listed(uri))
    except (objects.NotFound, Failure):
        return False


# --- jobs of an account and Region ----------------------------------------------------------------


def jobs_of(backend: SageMakerModelBackend) -> list[TrainingJob]:
    return [job for job in list(backend.training_jobs.values()) if isinstance(job, TrainingJob)]


def find_job(backend: SageMakerModelBackend, name: str) -> TrainingJob:
    """A training job by its name.

    Raises:
        AWSValidationException: there is none.
    """
    job: TrainingJob | None = backend.training_jobs.get(name)
    if job is None:
        refuse("Requested resource not found.")
    return job


def add_job(backend: SageMakerModelBackend, request: Request, **created_by: str) -> TrainingJob:
    """Check a request and start the job.

    created_by: of a job that another service makes: its ARN as a member of DescribeTrainingJob,
        `TuningJobArn="arn:…"`.

    Raises:
        AWSValidationException: the request breaks a rule.
        ResourceInUseException: the name is taken.
    """
    check(backend, request)
    with NAMING:
        name = request["TrainingJobName"]
        if name in backend.training_jobs:
            raise ResourceInUseException(
                "Job name must be unique within an AWS account and region, and a job with this "
                f"name already exists ({arn_of(backend, 'training-job', name)})"
            )
        job = TrainingJob(backend, request, **created_by)
        backend.training_jobs[name] = job
    job.run.start()
    return job


def stop_job(job: TrainingJob) -> None:
    """End a job before its time.

    Raises:
        AWSValidationException: it is ending, or has ended.
    """
    status = job.training_job_status
    if status == "InProgress" and not job.run.stop():
        job.finish(0)
        status = job.training_job_status
    if status != "InProgress":
        refuse(f"The request was rejected because the training job is in status {status}")
    last = max(i for i, each in enumerate(job.run.happened) if each.status == "Stopping")
    job.skip_to(last)


def interrupt(account: str, region: str, job_name: str) -> None:
    """Take the spot instances away from a running job: it goes on from its checkpoints.

    Raises:
        AWSValidationException: there is no such job, it is no managed spot job, or it does not run.
    """
    job = find_job(sagemaker_backends[account][region], job_name)
    if not job.request["EnableManagedSpotTraining"]:
        refuse(f"The training job {job_name} does not use managed spot training.")
    if job.ended or not job.run.interrupt():
        refuse(f"The training job {job_name} does not run on spot instances now.")
    places = [i for i, each in enumerate(job.run.happened) if each.status == "Interrupted"]
    job.skip_to(places[-1])


@CLOCK.every_tick
def keep_up() -> None:
    """Jobs go on by themselves while the clock runs, so that their events come in time."""
    if not CLOCK.speed:
        return
    for _, regions in list(sagemaker_backends.items()):
        for backend in list(regions.values()):
            for job in jobs_of(backend):
                job.course.keep_up()


# --- operations -----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateTrainingJob",
    reason=(
        "runs nothing: the job is completed at once without artifact or logs; replaces a job of "
        "the same name; overwrites the metric definitions; takes inputs that do not exist"
    ),
    differs=(
        "a process of this machine stands for the container, a private folder for `/opt/ml`: "
        "`/opt/ml` in arguments, variables, `.py` and `.sh` files is replaced, in other files it "
        "is not found; the training toolkit is imitated, `requirements.txt` not installed; the "
        "built-in XGBoost algorithm and own scripts or `ContainerEntrypoint` only; every XGBoost "
        "version trains with 3.2.0, on the first instance, with one thread and all data, and "
        "reports errors without traceback, data errors in the words of version 0.90; up to four "
        "processes stand for the instances, their host names do not resolve; no Pipe mode, "
        "augmented manifests, file systems or serverless jobs; FastFile data are copied; as many "
        "jobs run at once as there are processors, the others stay `Starting`; role, image and "
        "subnets are not looked up; Debugger rules are not run"
    ),
)
def create_training_job(original: Function, self: Any) -> Any:
    job = add_job(self.sagemaker_backend, dict(self.params))
    return ActionResult({"TrainingJobArn": job.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeTrainingJob",
    reason=(
        "drops the environment, the retry strategy and the profiler; knows the transition to the "
        "first state only"
    ),
    differs=(
        "states last as long as the real work does; a spot job is billed for 30 % of its time; "
        "no rule evaluations; `ModelArtifacts` only of a job that has not failed"
    ),
)
def describe_training_job(original: Function, self: Any) -> Any:
    job = find_job(self.sagemaker_backend, self.params["TrainingJobName"])
    job.course.look()
    return ActionResult(job.described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListTrainingJobs",
    reason=(
        "never sorts; looks at names and times after it has cut the page; ignores "
        "`WarmPoolStatusEquals`; has no `SecondaryStatus` in its summaries"
    ),
    differs="",
)
def list_training_jobs(original: Function, self: Any) -> Any:
    params = {"SortOrder": "Ascending"} | dict(self.params)
    jobs = jobs_of(self.sagemaker_backend)
    until = time.monotonic() + PATIENCE  # for all of them: each look may wait as long
    for job in jobs:
        if time.monotonic() < until:
            job.course.look()
    pool, plan = params.get("WarmPoolStatusEquals"), params.get("TrainingPlanArnEquals")
    jobs = [
        job
        for job in jobs
        if (pool is None or (job.warm_pool_status() or {}).get("Status") == pool)
        and (
            plan is None or (job.request.get("ResourceConfig") or {}).get("TrainingPlanArn") == plan
        )
    ]
    status = params.get("StatusEquals")
    if status and "MaxResults" not in params:
        jobs = [job for job in jobs if job.training_job_status == status]
    keys = {"CreationTime": by_creation_time, "Name": by_name, "Status": by_status}
    shown, token = page(jobs, params, keys, PAGE)
    # With MaxResults, AWS cuts first and then looks at the status: a page may be empty.
    summaries = [summary(job) for job in shown if status in (None, job.training_job_status)]
    return ActionResult({"TrainingJobSummaries": summaries, "NextToken": token})


def by_status(job: TrainingJob) -> str:
    return job.training_job_status


def summary(job: TrainingJob) -> dict[str, Any]:
    described = job.described()
    names = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
        "WarmPoolStatus",
    )
    return {name: described[name] for name in names if name in described}


@adds(
    SageMakerResponse,
    "sagemaker",
    "StopTrainingJob",
    differs="the 120 seconds between SIGTERM and SIGKILL are real ones",
)
def stop_training_job(self: Any) -> Any:
    stop_job(find_job(self.sagemaker_backend, self.params["TrainingJobName"]))
    return EmptyResult()


@adds(
    SageMakerResponse,
    "sagemaker",
    "UpdateTrainingJob",
    differs="the profiler's configuration is kept, but nothing is profiled",
)
def update_training_job(self: Any) -> Any:
    job = find_job(self.sagemaker_backend, self.params["TrainingJobName"])
    keep_alive = (self.params.get("ResourceConfig") or {}).get("KeepAlivePeriodInSeconds")
    others = [name for name in UPDATED if self.params.get(name) is not None]
    if others and job.training_job_status != "InProgress":
        refuse(
            "The request was rejected because the training job is in status "
            f"{job.training_job_status}"
        )
    if keep_alive is not None:
        keep_longer(job, keep_alive)
    for name in others:
        job.request[name] = self.params[name]
    job.last_modified_time = naive_now()
    return ActionResult({"TrainingJobArn": job.arn})


UPDATED = ("ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig")


def keep_longer(job: TrainingJob, seconds: int) -> None:
    """Change how long the warm pool of a job stays, while it is there."""
    status = (job.warm_pool_status() or {}).get("Status")
    if status not in ("InUse", "Available"):
        refuse(f"The training job {job.name} has no warm pool that could be updated.")
    job.request["ResourceConfig"] = job.request["ResourceConfig"] | {
        "KeepAlivePeriodInSeconds": seconds
    }


@adds(
    SageMakerResponse,
    "sagemaker",
    "DeleteTrainingJob",
    differs="the job is gone at once, never `Deleting`",
)
def delete_training_job(self: Any) -> Any:
    with NAMING:
        job = find_job(self.sagemaker_backend, self.params["TrainingJobName"])
        if job.training_job_status in ("InProgress", "Stopping"):
            raise ResourceInUseException(
                f"The training job {job.arn} is in status {job.training_job_status}. "
                "Only jobs in a terminal state can be deleted."
            )
        if (job.warm_pool_status() or {}).get("Status") == "Available":
            raise ResourceInUseException(f"The training job {job.arn} retains a warm pool.")
        del self.sagemaker_backend.training_jobs[job.name]
    return EmptyResult()
