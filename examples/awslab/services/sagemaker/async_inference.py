"""Asynchronous inference: requests wait in a queue, their answers go to S3 and are announced.

Each endpoint has a queue of its own. A request leaves it when an instance has room, in a thread
beside that of the caller; without instances it waits until some come.
"""

import base64
import contextlib
import json
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse
from moto.sns.models import sns_backends

from awslab import objects
from awslab.calls import LISTENERS, Call
from awslab.clock import CLOCK, PATIENCE, now
from awslab.extension import Function, changes
from awslab.services.sagemaker.capture import Invocation
from awslab.services.sagemaker.endpoints import Endpoint, Fleet
from awslab.services.sagemaker.hosting import Answer, s3_uri
from awslab.services.sagemaker.runtime import (
    NAMESPACE,
    Pool,
    Refused,
    aside,
    ask,
    choose,
    find,
    invocation_of,
)
from awslab.telemetry import put_metric

JOBS = Pool(64, "async")
PER_INSTANCE = 4  # concurrent invocations, where the configuration leaves the choice to SageMaker
INCLUDED = 128 * 1024  # bytes of an answer that a notification can carry


@dataclass
class Job:
    """One asynchronous invocation, from the call to the notification.

    location: of the input; empty if the request carried it. output, failure: where the answer
    goes; None where the configuration has no path. seconds: what the model has for it, real time.
    """

    id: str
    asked: Invocation
    location: str
    output: str | None
    failure: str | None
    seconds: float
    expires: datetime
    received: datetime = field(default_factory=now)
    done: threading.Event = field(default_factory=threading.Event)


@dataclass
class Backlog:
    """The queue of an endpoint, and how many of its requests the models work on.

    measured: when its length was measured last.
    """

    waiting: deque[Job] = field(default_factory=deque)
    running: int = 0
    measured: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def backlog_of(endpoint: Endpoint) -> Backlog:
    backlog: Backlog = endpoint.__dict__.setdefault("backlog", Backlog())
    return backlog


def config_of(fleets: list[Fleet]) -> dict[str, Any]:
    config: dict[str, Any] = fleets[0].config.request["AsyncInferenceConfig"]
    return config


def room(fleets: list[Fleet]) -> int:
    """How many requests the models take at a time."""
    client = config_of(fleets).get("ClientConfig") or {}
    each = client.get("MaxConcurrentInvocationsPerInstance", PER_INSTANCE)
    return int(each * sum(variant.instances for fleet in fleets for variant in fleet.variants))


def job_of(params: dict[str, Any], config: dict[str, Any]) -> Job:
    name = params.get("InferenceId") or str(uuid.uuid4())
    output, more = config["OutputConfig"], params.get("S3OutputPathExtension", "").strip("/")

    def place(path: str | None, file: str) -> str | None:
        return path and "/".join(part for part in (path.rstrip("/"), more, file) if part)

    return Job(
        id=name,
        asked=invocation_of(params),
        location=params.get("InputLocation") or "",
        output=place(output.get("S3OutputPath"), params.get("Filename") or f"{name}.out"),
        failure=place(output.get("S3FailurePath"), f"{name}-error.out"),
        seconds=params.get("InvocationTimeoutSeconds", 900),
        expires=now() + timedelta(seconds=params.get("RequestTTLSeconds", 21_600)),
    )


def pump(endpoint: Endpoint) -> list[Job]:
    """Send what there is room for to the models, and give up what has waited too long; what was
    sent."""
    backlog, fleets, late = backlog_of(endpoint), endpoint.take_traffic(), []
    sent: list[Job] = []
    with backlog.lock:
        for job in list(backlog.waiting):
            if job.expires < now():
                backlog.waiting.remove(job)
                late.append(job)
        while fleets and backlog.waiting and backlog.running < room(fleets):
            backlog.running += 1
            sent.append(backlog.waiting.popleft())
            aside(JOBS, process, endpoint, sent[-1])
    for job in late:
        fail(endpoint, job, "ClientError: The request expired in the queue.", b"")
        job.done.set()
    return sent


def process(endpoint: Endpoint, job: Job) -> None:
    """Have a model answer, and bring the answer to its place."""
    try:
        fleets = endpoint.take_traffic()
        fleet, variant = choose(endpoint, fleets, None)
        body = objects.read(s3_uri(job.location)) if job.location else job.asked.body
        job.asked = replace(job.asked, body=body)
        answer = ask(endpoint, fleet, variant, job.asked, seconds=job.seconds)
        if not variant.server.ended:
            finish(endpoint, job, answer)
    except objects.NotFound as error:
        reason = f"ClientError: Unable to download the input from {job.location}: {error}."
        fail(endpoint, job, reason, reason.encode())
    finally:
        with backlog_of(endpoint).lock:
            backlog_of(endpoint).running -= 1
        job.done.set()
        pump(endpoint)


def finish(endpoint: Endpoint, job: Job, answer: Answer) -> None:
    if not 200 <= answer.status < 300:
        side = "client" if 400 <= answer.status < 500 else "server"
        reason = (
            f"ClientError: Received {side} error ({answer.status}) from model. "
            "See the SageMaker Endpoint logs in your account for more information."
        )
        fail(endpoint, job, reason, answer.body)
        return
    store(job.output, answer.body)
    response = {"contentType": answer.content_type, "outputLocation": job.output}
    message = {"invocationStatus": "Completed"}
    notify(endpoint, job, "SuccessTopic", message, {"responseParameters": response}, answer.body)


def fail(endpoint: Endpoint, job: Job, reason: str, body: bytes) -> None:
    store(job.failure, body)
    message = {"invocationStatus": "Failed", "failureReason": reason}
    notify(endpoint, job, "ErrorTopic", message, {}, body)


def store(uri: str | None, content: bytes) -> None:
    """A bucket that does not exist loses the answer, as it would without permission in AWS."""
    if uri:
        with contextlib.suppress(objects.NotFound):
            objects.write(uri, content)


def notify(
    endpoint: Endpoint,
    job: Job,
    member: str,
    status: dict[str, Any],
    response: dict[str, Any],
    body: bytes,
) -> None:
    """Publish the result to the topic that the configuration names, if it names one.

    member: of the NotificationConfig. A topic that does not exist hears nothing.
    """
    config = endpoint.config.request.get("AsyncInferenceConfig") or {}
    wanted = (config.get("OutputConfig") or {}).get("NotificationConfig") or {}
    topic = wanted.get(member)
    if not topic:
        return
    included = f"{member.removesuffix('Topic').upper()}_NOTIFICATION_TOPIC"
    if included in (wanted.get("IncludeInferenceResponseIn") or []) and len(body) <= INCLUDED:
        content = {"content": base64.b64encode(body).decode(), "encoding": "BASE64"}
        response = response | {"responseBody": content}
    asked = {
        "accept": job.asked.accept,
        "contentType": job.asked.content_type,
        "endpointName": endpoint.name,
        "inputLocation": job.location,
    }
    message = {
        "awsRegion": endpoint.region_name,
        "eventTime": stamp(now()),
        "receivedTime": stamp(job.received),
        **status,
        "requestParameters": {name: value for name, value in asked.items() if value},
        **response,
        "inferenceId": job.id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    _, _, _, region, account, _ = topic.split(":", 5)
    with contextlib.suppress(Exception):
        sns_backends[account][region].publish(json.dumps(message), arn=topic)


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


@CLOCK.every_tick
def keep_queues_moving() -> None:
    """Once a minute: what has come meanwhile, instances or age, and how long the queues are."""
    for _, regions in list(sagemaker_backends.items()):
        for _, backend in list(regions.items()):
            for endpoint in list(backend.endpoints.values()):
                keep_queue_moving(endpoint)


def keep_queue_moving(endpoint: Endpoint) -> None:
    """The same for one endpoint; nothing for one that has no queue. An empty queue is measured
    once a minute at most: in the instant gait each look comes here."""
    fleets, backlog = endpoint.take_traffic(), backlog_of(endpoint)
    if fleets and fleets[0].config.request.get("AsyncInferenceConfig"):
        pump(endpoint)
        recent = backlog.measured and now() - backlog.measured < timedelta(minutes=1)
        if backlog.waiting or backlog.running or not recent:
            measure_queue(endpoint, fleets)


def look_at_queues(call: Call) -> None:
    """In the instant gait a look at an endpoint is when its queue moves on, and waits for that."""
    if CLOCK.instant and call.service == "sagemaker" and call.operation == "DescribeEndpoint":
        backend = (sagemaker_backends.get(call.account) or {}).get(call.region)
        for endpoint in list(backend.endpoints.values()) if backend else []:
            if endpoint.config.request.get("AsyncInferenceConfig"):
                for job in pump(endpoint):
                    job.done.wait(PATIENCE)


LISTENERS.append(look_at_queues)


def measure_queue(endpoint: Endpoint, fleets: list[Fleet]) -> None:
    backlog = backlog_of(endpoint)
    backlog.measured = now()
    size = len(backlog.waiting) + backlog.running
    instances = sum(variant.instances for fleet in fleets for variant in fleet.variants)
    for name, value in {
        "ApproximateBacklogSize": size,
        "ApproximateBacklogSizePerInstance": size / max(1, instances),
        "HasBacklogWithoutCapacity": float(size > 0 and instances == 0),
    }.items():
        dimensions = {"EndpointName": endpoint.name}
        account, region = endpoint.account_id, endpoint.region_name
        put_metric(account, region, NAMESPACE, name, value, dimensions)


@changes(
    SageMakerRuntimeResponse,
    "sagemaker-runtime",
    "InvokeEndpointAsync",
    reason=(
        "answers for endpoints that do not exist; asks no model; makes a bucket for each result; "
        "notifies nobody"
    ),
    differs=(
        "while the clock is instant, it waits up to 5 real seconds for the answer, and the queue "
        "moves on and is measured when somebody looks at the endpoint; an instance takes "
        "4 requests at a time unless the configuration says another number; the layout of an "
        "answer included in a notification is not documented"
    ),
)
def invoke_endpoint_async(original: Function, self: Any) -> ActionResult:
    endpoint, fleets = find(self, asynchronous=True)
    if bool(self.params.get("Body")) == bool(self.params.get("InputLocation")):
        raise Refused("Provide exactly one of Body and InputLocation.")
    job = job_of(self.params, config_of(fleets))
    backlog = backlog_of(endpoint)
    with backlog.lock:
        backlog.waiting.append(job)
    pump(endpoint)
    if CLOCK.instant and room(fleets):
        job.done.wait(PATIENCE)
    return ActionResult(
        {"InferenceId": job.id, "OutputLocation": job.output, "FailureLocation": job.failure}
    )
