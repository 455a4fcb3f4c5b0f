"""Endpoint variants as something that can be scaled: how much they have, and how to change it.

This is all that Application Auto Scaling knows of SageMaker.
"""

import re
from typing import Any

from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.models import sagemaker_backends

from awslab.services.sagemaker.endpoints import check_changes, find_endpoint

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")

# What activities call the capacity.
CALLED = {INSTANCES: "desired instance count", CONCURRENCY: "desired provisioned concurrency"}


class Missing(Exception):
    """There is no such endpoint, or it has no such variant."""


class Refused(Exception):
    """SageMaker does not change the variant; the message is its own."""


def find(account: str, region: str, resource_id: str) -> tuple[Any, Any]:
    """The endpoint and the variant that a resource id names.

    Raises:
        Missing: there are none.
    """
    endpoint_name, variant_name = RESOURCE.fullmatch(resource_id).groups()  # type: ignore[union-attr]
    backend = (sagemaker_backends.get(account) or {}).get(region)
    endpoint = find_endpoint(backend, endpoint_name) if backend else None
    for variant in endpoint.variants() if endpoint else []:
        if variant.name == variant_name:
            return endpoint, variant
    raise Missing(resource_id)


def burstable(account: str, region: str, resource_id: str) -> str | None:
    """The instance type of a variant, if it is one that SageMaker does not scale."""
    kind = find(account, region, resource_id)[1].request.get("InstanceType") or ""
    return kind if kind.startswith("ml.t") else None


def capacity(account: str, region: str, resource_id: str, dimension: str) -> int | None:
    """What a variant has; None while its endpoint is not in service.

    Raises:
        Missing: there is no such variant.
    """
    endpoint, variant = find(account, region, resource_id)
    if endpoint.status != "InService":
        return None
    if dimension == CONCURRENCY:
        return int((variant.serverless or {}).get("ProvisionedConcurrency") or 0)
    return int(variant.capacity)


def look(account: str, region: str, resource_id: str) -> None:
    """A look at what becomes of a change, as DescribeEndpoint is one.

    Raises:
        Missing: there is no such variant.
    """
    find(account, region, resource_id)[0].look()


def set_capacity(account: str, region: str, resource_id: str, dimension: str, wanted: int) -> None:
    """Begin to change what a variant has.

    Raises:
        Missing: there is no such variant.
        Refused: it cannot have so much, or so little.
    """
    endpoint, variant = find(account, region, resource_id)
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
