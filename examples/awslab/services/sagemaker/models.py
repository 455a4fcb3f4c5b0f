"""Models: which containers serve what, for endpoints and batch transforms to run."""

import threading
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.models import (
    Cluster,
    FakeEndpointConfig,
    FakeSagemakerNotebookInstance,
    ModelPackage,
    SageMakerModelBackend,
    sagemaker_backends,
)
from moto.sagemaker.models import Model as MotoModel
from moto.sagemaker.responses import SageMakerResponse

from awslab import objects
from awslab.extension import Function, changes, sets
from awslab.services.s3 import find_bucket
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import (
    by_creation_time,
    by_name,
    from_template,
    page,
    physical_name,
    refuse,
)
from awslab.services.sagemaker.registry import Caller, approved_package, caller_of
from awslab.services.sagemaker.resource import Resource, arn_of

CREATING = threading.RLock()  # held while a name is looked up and then taken

Request = Mapping[str, Any]


# --- instance types -------------------------------------------------------------------------------


def already_checked(*_: Any) -> None:
    """Every request was held against the service's own list on arrival (`awslab.validation`)."""


for owner, method in (
    (FakeEndpointConfig, "validate_instance_type"),
    (FakeSagemakerNotebookInstance, "validate_instance_type"),
    (ModelPackage, "validate_supported_transform_instance_types"),
    (ModelPackage, "validate_supported_realtime_inference_instance_types"),
    (Cluster, "valid_cluster_node_instance_types"),
):
    sets(
        owner,
        method,
        already_checked,
        service="sagemaker",
        operation="instance types",
        reason="refuses those that its own old lists lack",
    )


# --- the resource ---------------------------------------------------------------------------------


class Model(Resource):
    """What CreateModel was called with; it never changes."""

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, "model", request["ModelName"], request)
        self.model_name = self.name  # by which moto's CloudFormation deletes it

    def described(self) -> dict[str, Any]:
        """The members of DescribeModel."""
        primary, others = self.request.get("PrimaryContainer"), self.request.get("Containers")
        return {
            "EnableNetworkIsolation": False,
            **told("DescribeModel", self.request),
            "PrimaryContainer": with_mode(primary) if primary else None,
            "Containers": [with_mode(container) for container in others] if others else None,
            "ModelArn": self.arn,
            "CreationTime": self.creation_time,
        }


def with_mode(container: dict[str, Any]) -> dict[str, Any]:
    return {"Mode": "SingleModel"} | container


def find_model(backend: SageMakerModelBackend, name: str) -> Model:
    """A model by its name.

    Raises:
        AWSValidationException: there is none.
    """
    model: Model | None = backend._models.get(name)
    if model is None:
        refuse(f'Could not find model "{arn_of(backend, "model", name)}".')
    return model


def add_model(backend: SageMakerModelBackend, request: Request, caller: Caller | None) -> Model:
    """Keep a new model.

    caller: who asks; None: the account itself, as CloudFormation does.

    Raises:
        AWSValidationException: the name is taken, the containers contradict each other, or what
            they name does not exist.
        AccessDenied: a model package belongs to another account, which does not let the caller in.
    """
    with CREATING:
        name = request["ModelName"]
        if name in backend._models:
            arn = arn_of(backend, "model", name)
            refuse(f'Cannot create already existing model "{arn}".')
        check(backend, request, caller)
        model = Model(backend, request)
        backend._models[name] = model
        return model


def check(backend: SageMakerModelBackend, request: Request, caller: Caller | None) -> None:
    primary, others = request.get("PrimaryContainer"), request.get("Containers")
    if primary is not None and others:
        refuse("PrimaryContainer and Containers cannot both be specified in the same request.")
    if primary is None and not others:
        refuse("Either PrimaryContainer or Containers must be specified in the request.")
    role = request.get("ExecutionRoleArn", "")
    if role and role.split(":")[4] != backend.account_id:
        refuse("RoleArn: Cross-account pass role is not allowed.")
    for container in others or [primary]:
        check_container(backend, container, role, caller)


def check_container(
    backend: SageMakerModelBackend, container: Request, role: str, caller: Caller | None
) -> None:
    package = container.get("ModelPackageName")
    if (package is None) == (container.get("Image") is None):
        refuse("Each container must specify exactly one of Image and ModelPackageName.")
    if package is not None:
        if container.get("ModelDataUrl") or container.get("ModelDataSource"):
            refuse("A container with a ModelPackageName cannot specify model data.")
        approved_package(backend, package, caller)
    elif container.get("Mode") != "MultiModel":  # there it is a prefix, to which models may come
        check_data(backend, container, role)


def check_data(backend: SageMakerModelBackend, container: Request, role: str) -> None:
    """SageMaker looks for the model's data when the model is made, and takes the role to do so."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    uri = source.get("S3Uri") or container.get("ModelDataUrl")
    if not uri:
        return
    whole_prefix = source.get("S3DataType") == "S3Prefix"
    key = objects.split(uri)[1]
    try:
        found = [each for each in objects.keys(uri) if whole_prefix or each == key]
    except objects.NotFound:
        found = []
    if not found:
        refuse(f"Could not find model data at {uri}.")
    bucket = find_bucket(objects.split(uri)[0])
    if bucket is None or bucket.region_name != backend.region_name:
        refuse(
            f'Could not access model data at {uri}. Please ensure that the role "{role}" exists '
            'and that its trust relationship policy allows the action "sts:AssumeRole" for the '
            'service principal "sagemaker.amazonaws.com". Also ensure that the role has '
            '"s3:GetObject" permissions and that the object is located in '
            f"{backend.region_name}."
        )


# --- operations -----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateModel",
    reason=(
        "replaces a model of the same name; drops `EnableNetworkIsolation`; takes a model without "
        "any container; takes model packages and data that do not exist"
    ),
    differs=(
        "images, subnets and the role's rights are not looked up; what containers exclude is "
        "refused in the lab's own words"
    ),
)
def create_model(original: Function, self: Any) -> Any:
    model = add_model(self.sagemaker_backend, self.params, caller_of(self))
    return ActionResult({"ModelArn": model.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeModel",
    reason="answers an empty list of `Containers`; leaves `Mode` out",
    differs="",
)
def describe_model(original: Function, self: Any) -> Any:
    return ActionResult(find_model(self.sagemaker_backend, self.params["ModelName"]).described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteModel",
    reason="names a missing model without its ARN",
    differs="",
)
def delete_model(original: Function, self: Any) -> Any:
    model = find_model(self.sagemaker_backend, self.params["ModelName"])
    self.sagemaker_backend._models.pop(model.name, None)
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListModels",
    reason="ignores filters; ignores `SortBy`; ignores `MaxResults`",
    differs="",
)
def list_models(original: Function, self: Any) -> Any:
    keys = {"CreationTime": by_creation_time, "Name": by_name}
    shown, token = page(list(self.sagemaker_backend._models.values()), self.params, keys, 10)
    summaries = [
        {"ModelName": each.name, "ModelArn": each.arn, "CreationTime": each.creation_time}
        for each in shown
    ]
    return ActionResult({"Models": summaries, "NextToken": token})


@changes(
    MotoModel,
    "cloudformation",
    "AWS::SageMaker::Model",
    reason="ignores `ModelName` and `EnableNetworkIsolation`",
    differs="a stack that changes a model deletes the old one first",
)
def create_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
    **more: Any,
) -> Model:
    named = {"ModelName": physical_name(resource_name)}
    request = from_template("CreateModel", named | cloudformation_json["Properties"])
    return add_model(sagemaker_backends[account_id][region_name], request, None)
