"""Processing jobs: a real program between two places in S3."""

import json
from collections import deque
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ResourceInUseException
from moto.sagemaker.responses import SageMakerResponse

from awslab import objects, work
from awslab.clock import naive_now
from awslab.extension import Function, adds, changes
from awslab.services.sagemaker import job
from awslab.services.sagemaker.container import (
    NOT_DOWNLOADED,
    Container,
    Failure,
    Mirror,
    credentials,
    listed,
    printable,
)
from awslab.services.sagemaker.endpoint_configs import Request, refuse
from awslab.services.sagemaker.images import kind_of
from awslab.telemetry import EPOCH, put_log_lines

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
CONFIG = "/opt/ml/config"
MESSAGE = "/opt/ml/output/message"  # what a program writes there becomes the ExitMessage
BEAT = 0.25  # real seconds between two looks at the running program
NO_PROGRAM = (
    "ClientError: The lab has nothing that behaves like the image {}. Give ContainerEntrypoint."
)


class ProcessingJob(job.Job):
    """A program, its inputs copied from S3, its outputs copied to S3."""

    kind, noun = "processing-job", "Processing"

    def __init__(self, *arguments: Any) -> None:
        self.exit_message: str | None = None
        self._lines: deque[str] = deque()
        super().__init__(*arguments)

    def run(self) -> None:
        container = Container("processing")
        try:
            self._prepare(container)
            self._run_program(container)
        finally:
            container.remove()

    def _prepare(self, container: Container) -> None:
        """What the program finds: its inputs, empty folders for its outputs, its configuration.

        Raises:
            Failure: an input is not there.
        """
        for given in self.request.get("ProcessingInputs") or []:
            source = given.get("S3Input")
            if source is None:
                raise Failure(f"ClientError: The lab cannot read the input {given['InputName']}.")
            try:
                items = listed(source["S3Uri"], source["S3DataType"])
            except objects.NotFound as error:
                raise Failure(f"{NOT_DOWNLOADED}{error}") from None
            if not items:
                uri = source["S3Uri"]
                raise Failure(f'{NOT_DOWNLOADED}No S3 objects found under S3 URL "{uri}"')
            container.download(items, source["LocalPath"])
        for _, folder in self._outputs():
            container.inside(folder).mkdir(parents=True, exist_ok=True)
        cluster = self.request["ProcessingResources"]["ClusterConfig"]
        hosts = {"current_host": "algo-1", "hosts": ["algo-1"]}
        told = self.request | {"ProcessingJobArn": self.arn, "Tags": None}
        for name, content in (
            ("processingjobconfig", told),
            ("resourceconfig", hosts | {"current_instance_type": cluster.get("InstanceType", "")}),
        ):
            container.put(f"{CONFIG}/{name}.json", json.dumps(content, default=str))

    def _outputs(self) -> list[tuple[Request, str]]:
        """Each output in S3, and its folder in the container."""
        outputs = (self.request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
        targets = [output["S3Output"] for output in outputs if output.get("S3Output")]
        return [(target, target.get("LocalPath") or "/opt/ml/output") for target in targets]

    def _run_program(self, container: Container) -> None:
        """Run the program to its end, its time limit, or a stop.

        Raises:
            Failure: it failed, or an output could not be stored.
        """
        command = self._command()
        mirrors = [
            (Mirror(self.region_name, target["S3Uri"]), container.inside(folder))
            for target, folder in self._outputs()
        ]
        every_time = [
            pair
            for pair, (target, _) in zip(mirrors, self._outputs(), strict=True)
            if target["S3UploadMode"] == "Continuous"
        ]
        if command:
            container.start(command, self._variables(), lambda line: self._lines.append(line))
        code = self._wait(container, every_time) if command else 0
        self.exit_message = container.text_of(MESSAGE)[:1024] or None
        if self.over.is_set():
            return
        for mirror, folder in mirrors:
            mirror.push(folder)
        if code and not self.stopped.is_set():
            raise Failure(f"AlgorithmError: See job logs for more information, exit code: {code}")

    def _command(self) -> list[str]:
        """What the container runs; nothing for an image that by itself does nothing.

        Raises:
            Failure: the image has a program of its own, which the lab has not.
        """
        application = self.request["AppSpecification"]
        entrypoint = application.get("ContainerEntrypoint") or []
        arguments = application.get("ContainerArguments") or []
        if not entrypoint and kind_of(application["ImageUri"]) is None:
            raise Failure(NO_PROGRAM.format(application["ImageUri"]))
        return [*entrypoint, *arguments] if entrypoint else []

    def _variables(self) -> dict[str, str]:
        isolated = (self.request.get("NetworkConfig") or {}).get("EnableNetworkIsolation")
        role = self.request["RoleArn"]
        return {
            "AWS_REGION": self.region_name,
            "AWS_DEFAULT_REGION": self.region_name,
            "PROCESSING_JOB_NAME": self.name,
            **({} if isolated else credentials(self.account_id, self.region_name, role)),
            **(self.request.get("Environment") or {}),
        }

    def _wait(self, container: Container, every_time: list[tuple[Mirror, Path]]) -> int:
        """The exit code; log lines and continuous outputs are stored on the way."""
        limit = (self.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", 86_400)
        began, asked = naive_now(), False
        stream = f"{self.name}/algo-1-{int((began - EPOCH).total_seconds())}"
        while (code := container.wait(BEAT)) is None:
            if self.over.is_set():
                container.kill()
            self._store(stream, every_time)
            if (naive_now() - began).total_seconds() > limit:
                self.stop()
            if self.stopped.is_set() and not asked:
                asked = True
                container.stop(work.GRACE)
        self._store(stream, every_time)
        return code

    def _store(self, stream: str, every_time: list[tuple[Mirror, Path]]) -> None:
        if self.over.is_set():
            return
        lines = [printable(self._lines.popleft()) for _ in range(len(self._lines))]
        if lines:
            put_log_lines(self.account_id, self.region_name, LOG_GROUP, stream, lines)
        for mirror, folder in every_time:
            mirror.push(folder)

    def described(self) -> dict[str, Any]:
        """The members of DescribeProcessingJob."""
        return (
            self.request
            | self.shown()
            | {
                "ExitMessage": self.exit_message,
                "ProcessingStartTime": self.start_time,
            }
        )


def check(request: Request) -> None:
    """What the model of the request cannot say.

    Raises:
        AWSValidationException: two inputs or outputs have one name.
    """
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    for names in (
        [given["InputName"] for given in request.get("ProcessingInputs") or []],
        [output["OutputName"] for output in outputs],
    ):
        if len(set(names)) != len(names):
            refuse("Input and output names must be unique within a processing job.")


# --- operations ----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateProcessingJob",
    reason="runs nothing; is completed at once; replaces a job of the same name",
    differs=(
        "the Python of the lab stands for the image; a folder stands for `/opt/ml`, which code "
        "written as text (`.py`, `.sh`) may name; one process stands for all instances; "
        "`DatasetDefinition` and feature-store outputs are missing; an image of a framework "
        "without entrypoint does nothing, any other without entrypoint fails"
    ),
)
def create_processing_job(original: Function, self: Any) -> Any:
    backend, request = self.sagemaker_backend, dict(self.params)
    check(request)
    made = job.add(
        lambda: ProcessingJob(backend, request),
        backend.processing_jobs,
        request["ProcessingJobName"],
    )
    return ActionResult({"ProcessingJobArn": made.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeProcessingJob",
    reason="knows no job that runs or fails",
    differs="",
)
def describe_processing_job(original: Function, self: Any) -> Any:
    jobs = self.sagemaker_backend.processing_jobs
    found = job.find(jobs, self.params["ProcessingJobName"])
    found.course.look()
    return ActionResult(found.described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListProcessingJobs",
    reason="cannot list jobs that run",
    differs="",
)
def list_processing_jobs(original: Function, self: Any) -> Any:
    jobs = self.sagemaker_backend.processing_jobs.values()
    shown, token = job.listed(list(jobs), self.params)
    summaries = [each.shown() | {"ExitMessage": each.exit_message} for each in shown]
    return ActionResult({"ProcessingJobSummaries": summaries, "NextToken": token})


@changes(
    SageMakerResponse,
    "sagemaker",
    "StopProcessingJob",
    reason="marks a job that has ended as stopped",
    differs="",
)
def stop_processing_job(original: Function, self: Any) -> Any:
    jobs = self.sagemaker_backend.processing_jobs
    job.find(jobs, self.params["ProcessingJobName"]).stop()
    return EmptyResult()


@adds(SageMakerResponse, "sagemaker", "DeleteProcessingJob", differs="")
def delete_processing_job(self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["ProcessingJobName"]
    found = job.find(backend.processing_jobs, name)
    if found.status not in job.ENDED:
        raise ResourceInUseException(f"Processing job {name} is {found.status}; stop it first.")
    backend.processing_jobs.pop(name, None)
    return EmptyResult()
