"""Endpoint configurations: which models an endpoint hosts, and on what.

Nothing runs here. The rules are those that the service's model cannot state: what excludes what.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab.extension import Function, changes
from awslab.services.sagemaker.resource import Resource, arn_of
from awslab.validation import WrongType, message_of, problems_of, refused

MEMORY_SIZES = [1024, 2048, 3072, 4096, 5120, 6144]  # MB (ProductionVariantServerlessConfig)
CREATING = threading.RLock()  # held while a name is looked up and then taken

Request = dict[str, Any]
Key = Callable[[Any], str]


class EndpointConfig(Resource):
    """What CreateEndpointConfig was called with; it never changes."""

    def __init__(self, backend: SageMakerModelBackend, request: Mapping[str, Any]) -> None:
        super().__init__(backend, "endpoint-config", request["EndpointConfigName"], request)
        self.variants: list[Request] = request["ProductionVariants"]
        self.shadows: list[Request] = request.get("ShadowProductionVariants") or []

    @property
    def serverless(self) -> bool:
        return bool(self.variants[0].get("ServerlessConfig"))

    def described(self) -> dict[str, Any]:
        """The members of DescribeEndpointConfig."""
        return self.request | {"EndpointConfigArn": self.arn, "CreationTime": self.creation_time}

    @property
    def endpoint_config_arn(self) -> str:
        """As moto's CloudFormation calls it."""
        return self.arn


def refuse(message: str) -> NoReturn:
    raise AWSValidationException(message)


def find_config(backend: SageMakerModelBackend, name: str) -> EndpointConfig:
    """A configuration by its name.

    Raises:
        AWSValidationException: there is none.
    """
    config: EndpointConfig | None = backend.endpoint_configs.get(name)
    if config is None:
        arn = arn_of(backend, "endpoint-config", name)
        refuse(f'Could not find endpoint configuration "{arn}".')
    return config


def add_config(backend: SageMakerModelBackend, request: Request) -> EndpointConfig:
    """Keep a new configuration.

    Raises:
        AWSValidationException: the name is taken, a model does not exist, or the request
            contradicts itself.
    """
    with CREATING:
        name = request["EndpointConfigName"]
        if name in backend.endpoint_configs:
            arn = arn_of(backend, "endpoint-config", name)
            refuse(f'Cannot create already existing endpoint configuration "{arn}".')
        check(backend, request)
        config = EndpointConfig(backend, request)
        backend.endpoint_configs[name] = config
        return config


def check(backend: SageMakerModelBackend, request: Request) -> None:
    variants = request["ProductionVariants"]
    shadows = request.get("ShadowProductionVariants") or []
    check_names(variants + shadows)
    check_models(backend, variants + shadows, request)
    for position, variant in enumerate(variants, 1):
        check_capacity(variant, f"productionVariants.{position}.member")
    for position, variant in enumerate(shadows, 1):
        check_capacity(variant, f"shadowProductionVariants.{position}.member")
    if shadows:
        check_shadows(backend, variants, shadows, request)
    if any(variant.get("ServerlessConfig") for variant in variants):
        check_serverless(backend, variants, request)
    if request.get("CrossRegionTrafficConfig") and request.get("AsyncInferenceConfig"):
        refuse("CrossRegionTrafficConfig cannot be specified together with AsyncInferenceConfig.")


def check_names(variants: Iterable[Request]) -> None:
    names = [variant["VariantName"] for variant in variants]
    for name in names:
        if names.count(name) > 1:
            refuse(f'Variant names must be unique; "{name}" is used more than once.')


def check_models(
    backend: SageMakerModelBackend, variants: Iterable[Request], request: Mapping[str, Any]
) -> None:
    """Every variant names a model that exists, or leaves it to inference components."""
    for variant in variants:
        name = variant.get("ModelName")
        if name is None and not request.get("ExecutionRoleArn"):
            refuse(
                f'Variant "{variant["VariantName"]}" has no ModelName: an endpoint configuration '
                "for inference components must specify an ExecutionRoleArn."
            )
        if name is not None and name not in backend._models:
            refuse(f'Could not find model "{arn_of(backend, "model", name)}".')
        if name is None and (
            variant.get("ServerlessConfig") or request.get("AsyncInferenceConfig")
        ):
            refuse(
                f'Variant "{variant["VariantName"]}" has no ModelName: inference components need '
                "a real-time endpoint on instances."
            )


def check_capacity(variant: Request, path: str) -> None:
    """Instances of one type, of a pool of types, or none at all: exactly one of the three."""
    name = variant["VariantName"]
    kinds = ("InstanceType", "InstancePools", "ServerlessConfig")
    given = [kind for kind in kinds if variant.get(kind) is not None]
    if len(given) != 1:
        refuse(f'Variant "{name}" must specify exactly one of {", ".join(kinds)}.')
    serverless = variant.get("ServerlessConfig")
    if serverless is None:
        if variant.get("InitialInstanceCount") is None:
            refuse(f'Variant "{name}" must specify an InitialInstanceCount.')
        return
    if variant.get("InitialInstanceCount") is not None:
        refuse(f'Variant "{name}" is serverless and cannot specify an InitialInstanceCount.')
    if serverless["MemorySizeInMB"] not in MEMORY_SIZES:
        where = f"{path}.serverlessConfig.memorySizeInMB"
        allowed = f"Member must satisfy enum value set: {MEMORY_SIZES}"
        refuse(message_of([refused(serverless["MemorySizeInMB"], where, allowed)]))
    check_concurrency(name, serverless)


def check_concurrency(name: str, serverless: Mapping[str, Any]) -> None:
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        refuse(
            f'The ProvisionedConcurrency of variant "{name}" must be less than or equal to its '
            "MaxConcurrency."
        )


def check_shadows(
    backend: SageMakerModelBackend,
    variants: list[Request],
    shadows: list[Request],
    request: Request,
) -> None:
    if len(variants) > 1 or len(shadows) > 1:
        refuse(
            "With ShadowProductionVariants you can specify one variant for ProductionVariants and "
            "one variant for ShadowProductionVariants."
        )
    both = [*variants, *shadows]
    excluded = {
        "asynchronous inference": bool(request.get("AsyncInferenceConfig")),
        "serverless inference": any(variant.get("ServerlessConfig") for variant in both),
        "Inf1 instances": any(on_inf1(variant) for variant in both),
        "multi-container models": any(len(containers(backend, v)) > 1 for v in both),
        "multi-model endpoints": any(multi_model(backend, variant) for variant in both),
    }
    for feature, used in excluded.items():
        if used:
            refuse(f"ShadowProductionVariants are not supported for {feature}.")


def check_serverless(
    backend: SageMakerModelBackend, variants: list[Request], request: Request
) -> None:
    models = [description(backend, variant) for variant in variants]
    excluded = {
        "More than one production variant": len(variants) > 1,
        "AsyncInferenceConfig": bool(request.get("AsyncInferenceConfig")),
        "DataCaptureConfig": bool(request.get("DataCaptureConfig")),
        "CrossRegionTrafficConfig": bool(request.get("CrossRegionTrafficConfig")),
        "VPC config": any(part.get("VpcConfig") for part in (request, *models)),
        "network isolation": any(part.get("EnableNetworkIsolation") for part in (request, *models)),
        "Multi-model mode": any(multi_model(backend, variant) for variant in variants),
        "An inference pipeline": any(len(containers(backend, v)) > 1 for v in variants),
    }
    for feature, used in excluded.items():
        if used:
            refuse(f"{feature} is not supported for serverless endpoint.")


def description(backend: SageMakerModelBackend, variant: Mapping[str, Any]) -> dict[str, Any]:
    """The members of DescribeModel that the variant's model was made with."""
    model = backend._models.get(variant.get("ModelName"))
    if model is None:
        return {}
    return getattr(model, "request", None) or model.response_object


def containers(backend: SageMakerModelBackend, variant: Mapping[str, Any]) -> list[dict[str, Any]]:
    model = description(backend, variant)
    primary = model.get("PrimaryContainer")
    return list(model.get("Containers") or ([primary] if primary else []))


def multi_model(backend: SageMakerModelBackend, variant: Mapping[str, Any]) -> bool:
    return any(part.get("Mode") == "MultiModel" for part in containers(backend, variant))


def on_inf1(variant: Mapping[str, Any]) -> bool:
    return str(variant.get("InstanceType", "")).startswith("ml.inf1.")


# --- templates -----------------------------------------------------------------------------------


def physical_name(generated: str) -> str:
    """The end of a name that moto's CloudFormation has made: SageMaker allows 63 characters."""
    return generated[-63:].lstrip("-")


def from_template(operation: str, properties: Mapping[str, Any]) -> Request:
    """The request that a resource of a CloudFormation template stands for.

    Raises:
        AWSValidationException: the service's model forbids it.
    """
    shape = get_service_model("sagemaker").operation_model(operation).input_shape
    try:
        request: Request = as_modelled(properties, shape)
        problems = problems_of(request, shape)
    except (WrongType, ValueError) as error:
        refuse(str(error))
    if problems:
        refuse(message_of(problems))
    return request


def as_modelled(value: Any, shape: Any) -> Any:
    """Templates may write numbers and booleans as texts, and have properties of their own."""
    if isinstance(value, dict) and shape.type_name == "structure":
        members = shape.members
        return {k: as_modelled(v, members[k]) for k, v in value.items() if k in members}
    if isinstance(value, list) and shape.type_name == "list":
        return [as_modelled(item, shape.member) for item in value]
    if isinstance(value, str):
        if shape.type_name == "boolean":
            return value.lower() == "true"
        if shape.type_name in ("integer", "float"):
            return int(value) if shape.type_name == "integer" else float(value)
    return value


# --- lists ---------------------------------------------------------------------------------------


def page(
    items: Iterable[Any], params: Mapping[str, Any], keys: Mapping[str, Key], size: int
) -> tuple[list[Any], str | None]:
    """The part of a list that a List call asks for, and the token of the next part.

    The token says after which item to go on, so that a caller may delete what a page has shown.

    items: with `name`, `creation_time` and, if it is asked for, `last_modified_time`.
    keys: what each value of SortBy sorts by; the first is the default. All texts.
    size: how many items when the call names no MaxResults.

    Raises:
        AWSValidationException: the token is none that this function has made.
    """
    key = keys.get(params.get("SortBy") or "") or next(iter(keys.values()))
    descending = params.get("SortOrder", "Descending") == "Descending"
    places = sorted(
        ((key(item), item.name, item) for item in items if wanted(item, params)),
        key=lambda place: place[:2],
        reverse=descending,
    )
    if params.get("NextToken"):
        last = decoded(params["NextToken"])
        places = [p for p in places if (p[:2] < last if descending else p[:2] > last)]
    size = params.get("MaxResults") or size
    shown, more = places[:size], len(places) > size
    return [place[2] for place in shown], encoded(shown[-1][:2]) if more else None


def wanted(item: Any, params: Mapping[str, Any]) -> bool:
    bounds = (
        ("CreationTimeBefore", "creation_time", lambda at, bound: at < bound),
        ("CreationTimeAfter", "creation_time", lambda at, bound: at >= bound),
        ("LastModifiedTimeBefore", "last_modified_time", lambda at, bound: at < bound),
        ("LastModifiedTimeAfter", "last_modified_time", lambda at, bound: at >= bound),
    )
    return (params.get("NameContains") or "") in item.name and all(
        keeps(getattr(item, attribute), params[name])
        for name, attribute, keeps in bounds
        if params.get(name) is not None
    )


def encoded(place: tuple[str, str]) -> str:
    return base64.b64encode(json.dumps(place).encode()).decode()


def decoded(token: str) -> tuple[str, str]:
    try:
        key, name = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, TypeError):
        refuse("Invalid NextToken.")
    if not (isinstance(key, str) and isinstance(name, str)):
        refuse("Invalid NextToken.")
    return key, name


def by_name(item: Any) -> str:
    return str(item.name)


def by_creation_time(item: Any) -> str:
    return str(item.creation_time.isoformat())


# --- operations ----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateEndpointConfig",
    reason=(
        "drops `ShadowProductionVariants`, `ExplainerConfig`, `VpcConfig`; "
        "replaces a configuration of the same name; takes a serverless variant on instances"
    ),
    differs=(
        "no account quotas; keys, subnets and roles are not looked up; what one variant excludes "
        "is refused in the lab's own words"
    ),
)
def create_endpoint_config(original: Function, self: Any) -> Any:
    config = add_config(self.sagemaker_backend, dict(self.params))
    return ActionResult({"EndpointConfigArn": config.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeEndpointConfig",
    reason="puts the ARN of a missing configuration into single quotes",
    differs="",
)
def describe_endpoint_config(original: Function, self: Any) -> Any:
    config = find_config(self.sagemaker_backend, self.params["EndpointConfigName"])
    return ActionResult(config.described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteEndpointConfig",
    reason="puts the ARN of a missing configuration into single quotes",
    differs="",
)
def delete_endpoint_config(original: Function, self: Any) -> Any:
    config = find_config(self.sagemaker_backend, self.params["EndpointConfigName"])
    self.sagemaker_backend.endpoint_configs.pop(config.name, None)
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListEndpointConfigs",
    reason="lists the oldest first; shows 100 without `MaxResults`",
    differs="",
)
def list_endpoint_configs(original: Function, self: Any) -> Any:
    keys = {"CreationTime": by_creation_time, "Name": by_name}
    configs = list(self.sagemaker_backend.endpoint_configs.values())
    shown, token = page(configs, self.params, keys, 10)
    summaries = [
        {
            "EndpointConfigName": config.name,
            "EndpointConfigArn": config.arn,
            "CreationTime": config.creation_time,
        }
        for config in shown
    ]
    return ActionResult({"EndpointConfigs": summaries, "NextToken": token})


@changes(
    FakeEndpointConfig,
    "cloudformation",
    "AWS::SageMaker::EndpointConfig",
    reason="ignores `EndpointConfigName`, `VpcConfig`",
    differs="a stack that changes a configuration deletes the old one first",
)
def create_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
    **more: Any,
) -> EndpointConfig:
    named = {"EndpointConfigName": physical_name(resource_name)}
    request = from_template("CreateEndpointConfig", named | cloudformation_json["Properties"])
    return add_config(sagemaker_backends[account_id][region_name], request)
