"""Aliases that send a part of the requests to another version."""

import json
from random import Random
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, PreconditionFailedException
from moto.awslambda.models import LambdaAlias, LambdaBackend
from moto.awslambda.responses import LambdaResponse
from moto.moto_api._internal import mock_random

from awslab.extension import Function, changes

LATEST = "$LATEST"


def additional(routing: dict[str, Any] | None) -> dict[str, float]:
    return (routing or {}).get("AdditionalVersionWeights") or {}


def check_routing(
    backend: LambdaBackend, function: str, version: str, routing: dict[str, Any] | None
) -> None:
    """Raises InvalidParameterValueException or ResourceNotFoundException, as AWS does."""
    weights = additional(routing)
    if len(weights) > 1:
        raise InvalidParameterValueException(
            "Number of items in AdditionalVersionWeights cannot be greater than 1"
        )
    for other, weight in weights.items():
        if LATEST in (version, other):
            raise InvalidParameterValueException(
                "$LATEST is not supported for an alias pointing to more than 1 version"
            )
        if not 0 <= float(weight) <= 1:
            raise InvalidParameterValueException(
                f"The weight {weight} of version {other} is not between 0.0 and 1.0"
            )
        if other == version:
            raise InvalidParameterValueException(
                f"Invalid function version {other}. Function version {other} is already included "
                "in routing configuration."
            )
        backend.get_function(function, other)


@changes(
    LambdaBackend,
    "lambda",
    "CreateAlias",
    reason="takes any routing configuration",
    differs="the roles and dead-letter queues of the two versions are not compared",
)
def create_alias(
    original: Function,
    self: LambdaBackend,
    name: str,
    function_name: str,
    function_version: str,
    description: str,
    routing_config: Any,
) -> LambdaAlias:
    self.get_function(function_name)
    check_routing(self, function_name, function_version, routing_config)
    made: LambdaAlias = original(
        self, name, function_name, function_version, description, routing_config
    )
    return made


@changes(
    LambdaResponse,
    "lambda",
    "UpdateAlias",
    reason="ignores `RevisionId`, and never changes it; takes any routing configuration",
    differs="the roles and dead-letter queues of the two versions are not compared",
)
def update_alias(original: Function, self: LambdaResponse) -> Any:
    params = json.loads(self.body or "{}")
    parts = self.path.split("/")
    function, name = parts[-3], parts[-1]
    alias = self.backend.get_alias(name, function)
    wanted = params.get("RevisionId")
    if wanted and wanted != alias.revision_id:
        raise PreconditionFailedException(
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id"
        )
    version = params.get("FunctionVersion") or alias.function_version
    routing = params.get("RoutingConfig", alias.routing_config)
    check_routing(self.backend, function, version, routing)
    self.body = json.dumps(params | {"FunctionVersion": version})
    alias.revision_id = str(mock_random.uuid4())
    return original(self)


@changes(
    LambdaResponse,
    "lambda",
    "Invoke",
    reason="runs the latest code, whatever version or alias `Qualifier` names",
    differs="",
)
def invoke(original: Function, self: LambdaResponse) -> Any:
    if "Qualifier" in self.querystring:
        self.querystring["qualifier"] = self.querystring["Qualifier"]
    return original(self)


def version_for(alias: Any) -> str:
    """The version that answers the next request: by chance that falls the same way every time."""
    dice = alias.__dict__.setdefault("dice", Random(alias.name))
    for other, weight in additional(alias.routing_config).items():
        if dice.random() < float(weight):
            return str(other)
    return str(alias.function_version)
