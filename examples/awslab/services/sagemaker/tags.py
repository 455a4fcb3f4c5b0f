"""Tags of everything that SageMaker has an ARN for."""

from collections.abc import Iterator
from typing import Any

from moto.sagemaker.models import SageMakerModelBackend

from awslab.extension import Function, changes
from awslab.services.sagemaker.endpoint_configs import refuse

MOST_TAGS = 50


def everything(backend: SageMakerModelBackend) -> Iterator[Any]:
    """All that an account has in a Region: moto's resources and the lab's."""
    for held in list(vars(backend).values()):
        if isinstance(held, dict):
            for one_or_more in list(held.values()):
                yield from one_or_more if isinstance(one_or_more, list) else [one_or_more]


@changes(
    SageMakerModelBackend,
    "sagemaker",
    "AddTags`, `DeleteTags`, `ListTags",
    reason="crashes at an ARN that it does not know, as of a lifecycle configuration",
    differs="",
)
def _get_resource_from_arn(original: Function, self: Any, arn: str) -> Any:
    for resource in everything(self):
        if getattr(resource, "arn", None) == arn:
            resource.tags = getattr(resource, "tags", None) or []
            return resource
    return refuse(f"Could not find a resource with the ARN {arn}.")


@changes(
    SageMakerModelBackend,
    "sagemaker",
    "AddTags",
    reason="keeps two tags with the same key",
    differs="",
)
def add_tags(original: Function, self: Any, arn: str, tags: list[dict[str, str]]) -> Any:
    resource = self._get_resource_from_arn(arn)
    merged = {tag["Key"]: tag for tag in [*resource.tags, *tags]}
    if len(merged) > MOST_TAGS:
        refuse(f"A resource cannot have more than {MOST_TAGS} tags.")
    resource.tags = list(merged.values())
    return resource.tags
