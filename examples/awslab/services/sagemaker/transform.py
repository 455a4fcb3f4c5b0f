"""Batch transform: a real model over the objects of a prefix."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from awslab import objects
from awslab.clock import naive_now
from awslab.extension import Function, adds, changes
from awslab.services.sagemaker import hosting, job, transform_data
from awslab.services.sagemaker.container import (
    NOT_DOWNLOADED,
    Failure,
    Item,
    listed,
    upload,
)
from awslab.services.sagemaker.endpoint_configs import Request, refuse
from awslab.services.sagemaker.transform_data import Unreadable

LOG_GROUP = "/aws/sagemaker/TransformJobs"
MEGABYTE = 1024 * 1024
MOST_PAYLOAD = 100  # MB, of all concurrent requests together
LOADING = 120.0  # real seconds that a model may take to load
BEAT = 0.25


class TransformJob(job.Job):
    """The predictions of a model for every object of a prefix."""

    kind, noun = "transform-job", "Transform"

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, {"BatchStrategy": "MultiRecord"} | request)

    def run(self) -> None:
        items = self._items()
        variables = {"SAGEMAKER_BATCH": "true"} | (self.request.get("Environment") or {})
        server = hosting.ModelServer(self.backend, self.request["ModelName"], variables)
        try:
            server.attach_logs(LOG_GROUP, f"{self.name}/i-{self.name[-17:]}")
            self._load(server)
            most = self.request.get("MaxConcurrentTransforms") or 1
            with ThreadPoolExecutor(most) as pool:
                list(pool.map(lambda item: self._transform(server, *item), items))
        finally:
            server.end()

    def _items(self) -> list[Item]:
        """The objects to transform.

        Raises:
            Failure: there are none.
        """
        source = self.request["TransformInput"]["DataSource"]["S3DataSource"]
        try:
            items = listed(source["S3Uri"], source["S3DataType"])
        except objects.NotFound as error:
            raise Failure(f"{NOT_DOWNLOADED}{error}") from None
        if not items:
            raise Failure(f'{NOT_DOWNLOADED}No S3 objects found under S3 URL "{source["S3Uri"]}"')
        return items

    def _load(self, server: hosting.ModelServer) -> None:
        began = naive_now()
        while not server.ready(BEAT):
            late = (naive_now() - began).total_seconds() > LOADING
            if self.stopped.is_set() or self.over.is_set() or late:
                return
        if server.failure:
            raise Failure(f"AlgorithmError: {server.failure}")

    def _transform(self, server: hosting.ModelServer, uri: str, path: str) -> None:
        """Write `<path>.out` for one object.

        Raises:
            Failure: the model, or the data, is at fault.
        """
        if path.endswith("/"):
            return
        given, put = self.request["TransformInput"], self.request["TransformOutput"]
        rules = self.request.get("DataProcessing") or {}
        split_type = given.get("SplitType") or "None"
        together = self.request["BatchStrategy"] == "MultiRecord" and split_type == "Line"
        limit = self.request.get("MaxPayloadInMB")
        most = (6 if limit is None else limit or MOST_PAYLOAD) * MEGABYTE
        kind, accept = given.get("ContentType") or "", put.get("Accept") or ""
        answers: list[bytes] = []
        try:
            records = transform_data.split(objects.read(uri), split_type)
            for batch in transform_data.batches(records, together, most):
                if self.stopped.is_set() or self.over.is_set():
                    return
                sent = [shaped(record, rules.get("InputFilter"), kind) for record in batch]
                answer = server.invoke(b"\n".join(sent), kind, accept)
                if answer.status != 200:
                    raise Failure(reason_of(answer, uri))
                answers += combined(batch, answer, rules, kind, together)
        except Unreadable as error:
            raise Failure(f"ClientError: {uri}: {error}") from None
        glue = b"\n" if put.get("AssembleWith") == "Line" else b""
        content = glue.join(answers) + (glue if answers else b"")
        target = f"{put['S3OutputPath'].rstrip('/')}/{path}.out"
        upload(self.region_name, target, content)

    def described(self) -> dict[str, Any]:
        """The members of DescribeTransformJob."""
        start: datetime | None = self.start_time
        return self.request | self.shown() | {"TransformStartTime": start}


def shaped(record: bytes, path: str | None, kind: str) -> bytes:
    """What of a record the model gets."""
    if not path or path == "$":
        return record
    part = transform_data.filtered(transform_data.read(record, kind), path)
    return transform_data.write(part, kind)


def combined(
    batch: list[bytes], answer: hosting.Answer, rules: Request, kind: str, together: bool
) -> list[bytes]:
    """The output records of one request.

    Raises:
        Unreadable: inputs and predictions cannot be put together.
    """
    answers = answer.body.splitlines() if together else [answer.body.rstrip(b"\n")]
    joins, path = rules.get("JoinSource") == "Input", rules.get("OutputFilter")
    if not joins and (not path or path == "$"):
        return answers
    if len(answers) != len(batch):
        raise Unreadable(f"{len(answers)} predictions for {len(batch)} records cannot be joined.")
    found = []
    for record, predicted in zip(batch, answers, strict=True):
        value = transform_data.read(predicted, answer.content_type)
        if joins:
            value = transform_data.joined(transform_data.read(record, kind), value)
        out = kind if joins else answer.content_type
        found.append(transform_data.write(transform_data.filtered(value, path or "$"), out))
    return found


def reason_of(answer: hosting.Answer, uri: str) -> str:
    said = answer.body.decode("utf-8", errors="replace").strip()
    if 400 <= answer.status < 500:
        return f"ClientError: {uri}: the model answered {answer.status}: {said}"
    return f"AlgorithmError: {uri}: the model answered {answer.status or 'nothing'}: {said}"


def check(request: Request) -> None:
    """What the model of the request cannot say.

    Raises:
        AWSValidationException: concurrent payloads are too large, or records cannot be batched.
    """
    most = request.get("MaxConcurrentTransforms") or 1
    payload = request.get("MaxPayloadInMB")
    if most * (6 if payload is None else payload) > MOST_PAYLOAD:
        refuse(
            "MaxConcurrentTransforms * MaxPayloadInMB must be less than or equal to "
            f"{MOST_PAYLOAD} MB."
        )
    split_type = request["TransformInput"].get("SplitType") or "None"
    if split_type not in ("None", "Line"):
        refuse(f"The lab cannot split records by {split_type}.")
    rules = request.get("DataProcessing") or {}
    for name in ("InputFilter", "OutputFilter"):
        try:
            transform_data.steps(rules.get(name) or "$")
        except Unreadable as error:
            refuse(str(error))


# --- operations ----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateTransformJob",
    reason=(
        "transforms nothing; is completed at once; replaces a job of the same name; "
        "accepts a model that does not exist"
    ),
    differs=(
        "the Python of the lab stands for the image; one process stands for all instances; "
        "splits by `Line` only; filters know names, indexes and slices; no data capture"
    ),
)
def create_transform_job(original: Function, self: Any) -> Any:
    backend, request = self.sagemaker_backend, dict(self.params)
    backend.describe_model(request["ModelName"])
    check(request)
    made = job.add(
        lambda: TransformJob(backend, request),
        backend.transform_jobs,
        request["TransformJobName"],
    )
    return ActionResult({"TransformJobArn": made.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeTransformJob",
    reason="knows no job that runs or fails",
    differs="",
)
def describe_transform_job(original: Function, self: Any) -> Any:
    jobs = self.sagemaker_backend.transform_jobs
    found = job.find(jobs, self.params["TransformJobName"])
    found.course.look()
    return ActionResult(found.described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListTransformJobs",
    reason="cannot list jobs that run",
    differs="",
)
def list_transform_jobs(original: Function, self: Any) -> Any:
    jobs = self.sagemaker_backend.transform_jobs.values()
    shown, token = job.listed(list(jobs), self.params)
    return ActionResult(
        {"TransformJobSummaries": [each.shown() for each in shown], "NextToken": token}
    )


@adds(SageMakerResponse, "sagemaker", "StopTransformJob", differs="")
def stop_transform_job(self: Any) -> Any:
    jobs = self.sagemaker_backend.transform_jobs
    job.find(jobs, self.params["TransformJobName"]).stop()
    return EmptyResult()
