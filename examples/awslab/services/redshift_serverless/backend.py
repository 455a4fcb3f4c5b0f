"""What an account keeps of Redshift Serverless in one Region."""

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from moto.core.exceptions import ServiceException
from moto.core.responses import BaseResponse
from moto.ec2.models import ec2_backends
from moto.moto_api._internal import mock_random

from awslab.new_services import NewBackend, serves

LOCK = threading.RLock()  # held while a name is looked up and then taken, before any course

Request = dict[str, Any]


class RedshiftServerlessResponse(BaseResponse):
    """The operations are set by the modules beside this one."""

    def __init__(self) -> None:
        super().__init__(service_name="redshift-serverless")
        self.automated_parameter_parsing = True

    @property
    def backend(self) -> "RedshiftServerlessBackend":
        found: RedshiftServerlessBackend = redshiftserverless_backends[self.current_account][
            self.region
        ]
        return found


class RedshiftServerlessBackend(NewBackend):
    host = "redshift-serverless"
    responses = RedshiftServerlessResponse

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.namespaces: dict[str, Any] = {}
        self.workgroups: dict[str, Any] = {}
        self.usage_limits: dict[str, Request] = {}
        self.snapshots: dict[str, Any] = {}
        self.recovery_points: dict[str, Any] = {}

    def arn(self, kind: str, name: str) -> str:
        return (
            f"arn:{self.partition}:redshift-serverless:{self.region_name}:{self.account_id}:"
            f"{kind}/{name}"
        )

    def tagged(self) -> dict[str, list[dict[str, str]]]:
        """The tags of every resource, by its ARN."""
        resources = [*self.namespaces.values(), *self.workgroups.values(), *self.snapshots.values()]
        return {resource.arn: resource.tags for resource in resources}

    @property
    def ec2(self) -> Any:
        return ec2_backends[self.account_id][self.region_name]


redshiftserverless_backends = serves(RedshiftServerlessBackend, "redshift-serverless")


class Refusal(ServiceException):
    """An error of the service's model."""


class NotFound(ServiceException):
    code = "ResourceNotFoundException"

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.resource_name = name


def refuse(message: str) -> NoReturn:
    raise Refusal("ValidationException", message)


def conflict(message: str) -> NoReturn:
    raise Refusal("ConflictException", message)


def new_id() -> str:
    return str(mock_random.uuid4())


def page(items: Sequence[Any], params: Mapping[str, Any]) -> tuple[list[Any], str | None]:
    """The part of a list that a request asks for, and the token of the next part.

    Raises:
        ServiceException: the token is none of the lab.
    """
    token = params.get("nextToken") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", token):
        raise Refusal("InvalidPaginationException", "The nextToken is not valid.")
    end = int(token) + (params.get("maxResults") or 100)
    return list(items[int(token) : end]), str(end) if end < len(items) else None
