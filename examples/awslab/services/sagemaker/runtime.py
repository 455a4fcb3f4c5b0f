"""SageMaker's runtime: a request finds its fleet, its variant and its model, and is measured.

The model's answer is awaited in the thread of the request. Copies for shadow variants run beside
it in threads of their own; `drain` waits for them.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

import moto.sagemaker.urls
import moto.sagemakerruntime.urls
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from awslab.calls import ARRIVALS
from awslab.clock import CLOCK, PATIENCE
from awslab.extension import Function, adds, changes, on_reset, sets
from awslab.services.sagemaker.capture import Invocation, capture
from awslab.services.sagemaker.endpoints import Endpoint, Fleet, Variant, find_endpoint
from awslab.services.sagemaker.hosting import Answer, log_group
from awslab.services.sagemaker.inference_components import InferenceComponent, find_component
from awslab.services.sagemaker.inference_components import log_group as log_group_of_component
from awslab.telemetry import put_metric

Thing = TypeVar("Thing")

NAMESPACE = "AWS/SageMaker"
PLACES = threading.Lock()  # guards every server's count of invocations in flight
# Parameters for kinds of endpoints that the lab does not have, and what each of them asks for.
UNSUPPORTED = {
    "TargetModel": "multi-model endpoints",
    "TargetContainerHostname": "multi-container endpoints with direct invocation",
    "EnableExplanations": "explainers",
    "SessionId": "stateful sessions",
}

COMPONENT_NEEDED = (
    "Inference Component Name header is required for endpoints to which you plan to deploy "
    "inference components. Please include Inference Component Name header or consider using "
    "SageMaker models."
)
COMPONENT_UNKNOWN = (
    "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy "
    "inference components. Please remove the Inference Component Name header and try again."
)
NO_CAPACITY = (
    "Inference Component has no capacity to process this request. ApplicationAutoScaling may be "
    "in-progress (if configured) or try to increase the capacity by invoking "
    "UpdateInferenceComponentRuntimeConfig API."
)

sets(
    SageMakerRuntimeResponse,
    "use_raw_body",
    True,
    service="sagemaker-runtime",
    operation="InvokeEndpoint",
    reason="takes no request whose body is not UTF-8",
)
STREAM = {
    "{0}/endpoints/(?P<name>[^/]+)/invocations-response-stream$": SageMakerRuntimeResponse.dispatch
}
for module in (moto.sagemakerruntime.urls, moto.sagemaker.urls):  # moto's server asks the second
    sets(
        module,
        "url_paths",
        module.url_paths | STREAM,
        service="sagemaker-runtime",
        operation="InvokeEndpointWithResponseStream",
        reason="knows no such path",
    )


class Refused(ServiceException):
    """The runtime's word for a request that names what is not there."""

    code = "ValidationError"


class Throttled(ServiceException):
    """More requests at a time than a serverless variant takes."""

    code = "ThrottlingException"


class ModelError(ServiceException):
    """The container has answered with an error, or not at all."""

    code = "ModelError"

    def __init__(self, endpoint: Endpoint, answer: Answer, group: str) -> None:
        said = answer.body.decode("utf-8", "replace")
        region, account = endpoint.region_name, endpoint.account_id
        side = "client" if 400 <= answer.status < 500 else "server"
        super().__init__(
            f"Received {side} error ({answer.status}) from {answer.container} with message "
            f'"{said}". See https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}'
            f"#logEventViewer:group={group} in account {account} for more information."
        )
        self.original_status_code = answer.status
        self.original_message = said
        self.log_stream_arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"


# --- which model answers --------------------------------------------------------------------------


def find(self: Any, asynchronous: bool = False) -> tuple[Endpoint, list[Fleet]]:
    """The endpoint of the request, and its fleets that take traffic.

    Raises:
        Refused: it cannot be invoked now, or not in this way, or the request asks for what the lab
            does not have.
    """
    name, account = self.params["EndpointName"], self.current_account
    endpoint = find_endpoint(sagemaker_backends[account][self.region], name)
    fleets = endpoint.take_traffic() if endpoint else []
    if endpoint is None or not fleets:
        raise Refused(f"Endpoint {name} of account {account} not found.")
    if bool(fleets[0].config.request.get("AsyncInferenceConfig")) != asynchronous:
        raise Refused(f"Endpoint {name} of account {account} does not support this inference type.")
    for member, what in UNSUPPORTED.items():
        if self.params.get(member):
            raise Refused(f"Endpoint {name} takes no {member}: the lab has no {what}.")
    return endpoint, fleets


def find_copies(endpoint: Endpoint, name: str | None) -> InferenceComponent | None:
    """The inference component that is to answer; None where models answer.

    Raises:
        Refused: one is named where there are none, or none where there are some; the endpoint does
            not have it; or it has no copies, which is counted, so that an alarm can wake it.
    """
    if name is None or not endpoint.hosts_components:
        if endpoint.hosts_components:
            raise Refused(COMPONENT_NEEDED)
        if name is not None:
            raise Refused(COMPONENT_UNKNOWN)
        return None
    component = find_component(sagemaker_backends[endpoint.account_id][endpoint.region_name], name)
    if component is None or not component.belongs_to(endpoint) or not component.variant:
        raise Refused(f"Inference component {name} of endpoint {endpoint.name} not found.")
    if component.server is None:
        count_component(component, {"NoCapacityInvocationFailures": 1.0})
        raise Refused(NO_CAPACITY)
    return component


def dice_of(endpoint: Endpoint, purpose: str) -> Random:
    """Chance that falls the same way for the same calls: it begins anew with each endpoint."""
    dice: Random = endpoint.__dict__.setdefault(
        f"dice_{purpose}", Random(f"{endpoint.name} {purpose}")
    )
    return dice


def choose(endpoint: Endpoint, fleets: list[Fleet], target: str | None) -> tuple[Fleet, Variant]:
    """A fleet by its share of the traffic, and a variant of it by its weight.

    target: the TargetVariant, which overrides the weights.

    Raises:
        Refused: no variant has this name.
    """
    dice = dice_of(endpoint, "traffic")
    able = [fleet for fleet in fleets if target in (None, *(v.name for v in fleet.variants))]
    if not able:
        said = f"Variant {target} of endpoint {endpoint.name}"
        raise Refused(f"{said} of account {endpoint.account_id} not found.")
    fleet = draw(dice, able, [fleet.share for fleet in able])
    variants = [variant for variant in fleet.variants if target in (None, variant.name)]
    return fleet, draw(dice, variants, [variant.weight for variant in variants])


def draw(dice: Random, things: list[Thing], weights: list[float]) -> Thing:
    """One of them by its weight; all are alike if no weight is above zero."""
    return dice.choices(things, weights if any(weights) else None)[0]


@contextmanager
def place(variant: Variant) -> Iterator[None]:
    """Count an invocation in flight, which a serverless variant has a limit for.

    Raises:
        Throttled: the limit is reached.
    """
    server = variant.server
    limit = (variant.serverless or {}).get("MaxConcurrency")
    with PLACES:
        if limit is not None and server.in_flight >= limit:
            raise Throttled("Rate exceeded")
        server.in_flight += 1
    try:
        yield
    finally:
        with PLACES:
            server.in_flight -= 1


# --- one invocation -------------------------------------------------------------------------------


def invocation_of(params: dict[str, Any]) -> Invocation:
    return Invocation(
        body=params.get("Body") or b"",
        content_type=params.get("ContentType") or "",
        accept=params.get("Accept") or "",
        attributes=params.get("CustomAttributes") or "",
        inference_id=params.get("InferenceId") or "",
    )


def serve(self: Any) -> tuple[Answer, str]:
    """The answer to an invocation, and the variant that gave it.

    Raises:
        Refused, Throttled, ModelError: see there.
    """
    started = time.perf_counter()
    endpoint, fleets = find(self)
    asked = invocation_of(self.params)
    component = find_copies(endpoint, self.params.get("InferenceComponentName"))
    if component:
        assert component.variant
        variant = replace(component.variant, server=component.server)
        answer = ask(endpoint, fleets[0], variant, asked, started)
        measure_component(component, answer)
        group = log_group_of_component(component.name)
    else:
        fleet, variant = choose(endpoint, fleets, self.params.get("TargetVariant"))
        with place(variant):
            mirror(endpoint, fleet, asked)
            answer = ask(endpoint, fleet, variant, asked, started)
        group = log_group(endpoint.name)
    if not 200 <= answer.status < 300:
        raise ModelError(endpoint, answer, group)
    return answer, variant.name


def ask(
    endpoint: Endpoint,
    fleet: Fleet,
    variant: Variant,
    asked: Invocation,
    started: float | None = None,
    **limits: float,
) -> Answer:
    """Have the model answer; measure and capture it.

    started: when the request came (performance counter), so that overhead can be told.
    """
    started = time.perf_counter() if started is None else started
    answer = variant.server.invoke(
        asked.body, asked.content_type, asked.accept, asked.attributes, **limits
    )
    if variant.server.ended:  # the lab was emptied, or the endpoint deleted, meanwhile
        return answer
    passed = (time.perf_counter() - started) * 1e6
    measure(endpoint, fleet, variant, answer, passed - answer.microseconds)
    if 200 <= answer.status < 300:
        config = fleet.config.request.get("DataCaptureConfig")
        dice = dice_of(endpoint, f"capture of {variant.name}")
        capture(config, endpoint.name, variant.name, asked, answer, dice)
    return answer


def measure(
    endpoint: Endpoint, fleet: Fleet, variant: Variant, answer: Answer, overhead: float
) -> None:
    """The metrics of one invocation, for the variant, and for the variant in its configuration.

    overhead: microseconds beside those of the model.
    """
    status = answer.status
    metrics = {
        "Invocations": 1.0,
        "InvocationsPerInstance": 1.0 / max(1, variant.instances),
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500 or status == 0),
        "InvocationModelErrors": float(not 200 <= status < 300),
        "ModelLatency": answer.microseconds,
        "OverheadLatency": max(0.0, overhead),
    }
    names = {"EndpointName": endpoint.name, "VariantName": variant.name}
    for name, value in metrics.items():
        unit = "Microseconds" if name.endswith("Latency") else "None"
        for dimensions in (names, names | {"EndpointConfigName": fleet.config.name}):
            put_metric(
                endpoint.account_id,
                endpoint.region_name,
                NAMESPACE,
                name,
                value,
                dimensions,
                unit,
            )


def measure_component(component: InferenceComponent, answer: Answer) -> None:
    """The metrics of one invocation of an inference component, beside those of its variant."""
    status = answer.status
    metrics = {
        "Invocations": 1.0,
        "InvocationsPerCopy": 1.0 / max(1, component.copies),
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500 or status == 0),
        "ModelLatency": answer.microseconds,
    }
    count_component(component, metrics)


def count_component(component: InferenceComponent, metrics: dict[str, float]) -> None:
    names = {"InferenceComponentName": component.name}
    for name, value in metrics.items():
        unit = "Microseconds" if name.endswith("Latency") else "None"
        account, region = component.account_id, component.region_name
        put_metric(account, region, NAMESPACE, name, value, names, unit)


# --- beside the request ---------------------------------------------------------------------------


class Pool(ThreadPoolExecutor):
    """Threads for as long as the process lives; in a fork of it, which has none, others."""

    def __init__(self, limit: int, name: str) -> None:
        def begin() -> None:
            ThreadPoolExecutor.__init__(self, limit, thread_name_prefix=name)

        begin()
        os.register_at_fork(after_in_child=begin)


MIRRORS = Pool(8, "mirror")
IN_FLIGHT: set[Future[Any]] = set()
COPIES: set[Future[Any]] = set()  # those of them that are for shadow variants


def aside(pool: Pool, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Do work in another thread; `drain` waits for it."""
    future = pool.submit(work, *arguments)
    IN_FLIGHT.add(future)
    future.add_done_callback(IN_FLIGHT.discard)
    return future


def mirror(endpoint: Endpoint, fleet: Fleet, asked: Invocation) -> None:
    """Copy a request to the shadow variants; whatever comes of it is only measured and captured.

    The weight of a shadow is taken as the share of the requests that it gets, 1 and more as all.
    """
    for shadow in fleet.shadows:
        if dice_of(endpoint, f"mirror to {shadow.name}").random() < shadow.weight:
            copy = aside(MIRRORS, ask, endpoint, fleet, shadow, asked)
            COPIES.add(copy)
            copy.add_done_callback(COPIES.discard)


def see_copies(service: str) -> None:
    """In the instant gait, who looks anywhere else than at the endpoint sees what copies leave.

    A copy that takes longer than the patience of a look is seen by a later one.
    """
    if CLOCK.instant and service != "sagemaker-runtime":
        wait(list(COPIES), PATIENCE)


ARRIVALS.append(see_copies)


def drain(seconds: float | None = None) -> bool:
    """Wait for all copies and asynchronous invocations that run; true if none is left.

    seconds: how long at most, real time; None waits until the last one.
    """
    deadline = time.monotonic() + (float("inf") if seconds is None else seconds)
    while IN_FLIGHT:
        left = None if seconds is None else max(0.0, deadline - time.monotonic())
        if wait(list(IN_FLIGHT), left).not_done:
            return False
    return True


@on_reset
def forget_invocations() -> None:
    """What has not begun never begins; what runs ends, because its model server has ended."""
    for future in list(IN_FLIGHT):
        future.cancel()
    drain(10)


# --- operations -----------------------------------------------------------------------------------


@changes(
    SageMakerRuntimeResponse,
    "sagemaker-runtime",
    "InvokeEndpoint",
    reason="answers `body` to every request; answers for endpoints that do not exist",
    differs=(
        "the lab's Python packages stand in for the container's; `requirements.txt` is not "
        "installed; framework images, TensorFlow's too, need a script and run it by the rules of "
        "the inference toolkit; a shadow's weight is taken as its share of the requests (AWS "
        "documents no formula); each captured record is a file of its own, written at once; an "
        "endpoint that is not in service is answered as one that does not exist; the same calls "
        "always meet the same variants; `ConcurrentRequestsPerCopy` of inference components is not "
        "measured"
    ),
)
def invoke_endpoint(original: Function, self: Any) -> ActionResult:
    answer, variant = serve(self)
    # moto's serializer puts its own over the one of the result.
    self.response_headers["Content-Type"] = answer.content_type or "application/octet-stream"
    return ActionResult(
        {
            "Body": answer.body,
            "InvokedProductionVariant": variant,
            "CustomAttributes": answer.attributes or None,
        }
    )


@adds(
    SageMakerRuntimeResponse,
    "sagemaker-runtime",
    "InvokeEndpointWithResponseStream",
    differs="the parts are those that the container yields, but all of them arrive at its end",
)
def invoke_endpoint_with_response_stream(self: Any) -> ActionResult:
    answer, variant = serve(self)
    self.response_headers["X-Amzn-SageMaker-Content-Type"] = answer.content_type
    self.response_headers["x-Amzn-Invoked-Production-Variant"] = variant
    if answer.attributes:
        self.response_headers["X-Amzn-SageMaker-Custom-Attributes"] = answer.attributes
    return ActionResult({"Body": [{"PayloadPart": {"Bytes": part}} for part in answer.parts]})
