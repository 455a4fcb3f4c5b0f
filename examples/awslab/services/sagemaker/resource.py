"""What every SageMaker resource of the lab has in common: the request that made it, and an ARN."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.core.common_models import BaseModel
from moto.sagemaker.models import SageMakerModelBackend
from moto.utilities.utils import get_partition

from awslab.clock import naive_now


def arn_of(backend: SageMakerModelBackend, kind: str, name: str) -> str:
    """`arn:aws:sagemaker:<Region>:<account>:<kind>/<name>`; AWS writes the name in small letters
    in some ARNs, the lab nowhere."""
    partition = get_partition(backend.region_name)
    return f"arn:{partition}:sagemaker:{backend.region_name}:{backend.account_id}:{kind}/{name}"


def kept(backend: SageMakerModelBackend, what: str) -> dict[str, Any]:
    """A dictionary of the lab beside moto's own of this account and Region; it ends with them."""
    found: dict[str, Any] = vars(backend).setdefault(f"lab_{what}", {})
    return found


class Resource(BaseModel):
    """A resource that answers what it was made from, and what came of it.

    request: the parameters of the Create call, as the service's model names them.
    """

    def __init__(
        self, backend: SageMakerModelBackend, kind: str, name: str, request: Mapping[str, Any]
    ) -> None:
        self.account_id = backend.account_id
        self.region_name = backend.region_name
        self.name = name
        self.arn = arn_of(backend, kind, name)
        self.request = dict(request)
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.creation_time: datetime = naive_now()
        self.last_modified_time: datetime = self.creation_time

    # What moto's CloudFormation asks its resources for.

    @property
    def physical_resource_id(self) -> str:
        return self.arn

    def get_cfn_attribute(self, attribute: str) -> str:
        return self.name

    def is_created(self) -> bool:
        return True
