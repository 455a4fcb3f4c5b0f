"""Endpoint variants and inference components as something that can be scaled: how much they have,
and how to change it.

This is all that Application Auto Scaling knows of SageMaker.
"""

import contextlib
import re
from typing import Any

from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.models import sagemaker_backends

from awslab.services.sagemaker.async_inference import keep_queue_moving
from awslab.services.sagemaker.endpoints import check_changes, find_endpoint
from awslab.services.sagemaker.inference_components import find_component, settled

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
COMPONENT = re.compile(r"inference-component/([^/]+)")

# What activities call the capacity.
CALLED = {
    INSTANCES: "desired instance count",
    CONCURRENCY: "desired provisioned concurrency",
    COPIES: "desired copy count",
}


class Missing(Exception):
    """There is no such endpoint, or it has no such variant."""


class Refused(Exception):
    """SageMaker does not change the variant; the message is its own."""


def form_of(dimension: str) -> re.Pattern[str]:
    """What the resource ids of a dimension look like."""
    return COMPONENT if dimension == COPIES else RESOURCE


def missing(resource_id: str) -> str:
    """What is said of a resource that is not there."""
    kind = "inference component" if COMPONENT.fullmatch(resource_id) else "variant"
    return f"SageMaker {kind} doesn't exist: {resource_id}"


def dimensions(resource_id: str) -> list[dict[str, str]]:
    """Of the metrics of a variant or a component."""
    component = COMPONENT.fullmatch(resource_id)
    if component:
        return [{"Name": "InferenceComponentName", "Value": component[1]}]
    endpoint, variant = RESOURCE.fullmatch(resource_id).groups()  # type: ignore[union-attr]
    return [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]


def find(account: str, region: str, resource_id: str) -> tuple[Any, Any]:
    """The endpoint and the variant that a resource id names; a component twice.

    Raises:
        Missing: there are none.
    """
    backend = (sagemaker_backends.get(account) or {}).get(region)
    named = COMPONENT.fullmatch(resource_id)
    if named:
        component = find_component(backend, named[1]) if backend else None
        if component is None or component.endpoint is None:
            raise Missing(resource_id)
        return component, component
    endpoint_name, variant_name = RESOURCE.fullmatch(resource_id).groups()  # type: ignore[union-attr]
    endpoint = find_endpoint(backend, endpoint_name) if backend else None
    for variant in endpoint.variants() if endpoint else []:
        if variant.name == variant_name:
            return endpoint, variant
    raise Missing(resource_id)


def burstable(account: str, region: str, resource_id: str) -> str | None:
    """The instance type of a variant, if it is one that SageMaker does not scale."""
    found = find(account, region, resource_id)[1]
    kind = "" if COMPONENT.fullmatch(resource_id) else found.request.get("InstanceType") or ""
    return kind if kind.startswith("ml.t") else None


def capacity(account: str, region: str, resource_id: str, dimension: str) -> int | None:
    """What a variant or a component has; None while it, or its endpoint, is not in service.

    Raises:
        Missing: there is no such variant or component.
    """
    endpoint, variant = find(account, region, resource_id)
    if endpoint.status != "InService":
        return None
    if dimension == COPIES:
        return int(variant.desired)
    if dimension == CONCURRENCY:
        return int((variant.serverless or {}).get("ProvisionedConcurrency") or 0)
    return int(variant.capacity)


def look(account: str, region: str, resource_id: str) -> None:
    """A look at what becomes of a change, as a Describe is one.

    Raises:
        Missing: there is no such variant or component.
    """
    find(account, region, resource_id)[0].look()


def measure(account: str, region: str, resource_id: str) -> None:
    """Have the endpoint of a variant measure what it measures by the minute: its queue, if it has
    one. In the instant gait nothing happens by itself."""
    with contextlib.suppress(Missing):
        if RESOURCE.fullmatch(resource_id):
            keep_queue_moving(find(account, region, resource_id)[0])


def set_capacity(account: str, region: str, resource_id: str, dimension: str, wanted: int) -> None:
    """Begin to change what a variant or a component has.

    Raises:
        Missing: there is no such variant or component.
        Refused: it cannot have so much, or so little.
    """
    endpoint, variant = find(account, region, resource_id)
    if dimension == COPIES:
        try:
            settled(variant, "update", "InService")
        except AWSValidationException as error:
            raise Refused(error.message) from error
        variant.change("Updating", wanted)
        return
    change: dict[str, Any] = {"VariantName": variant.name}
    if dimension == CONCURRENCY:
        change["ServerlessUpdateConfig"] = {"ProvisionedConcurrency": wanted}
    else:
        change["DesiredInstanceCount"] = wanted
    with endpoint.lock:
        if endpoint.status != "InService":
            raise Refused(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        try:
            check_changes(endpoint, [change])
        except AWSValidationException as error:
            raise Refused(error.message) from error
        endpoint.rescale([change])
