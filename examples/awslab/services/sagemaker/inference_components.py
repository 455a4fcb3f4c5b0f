"""Inference components: models that share the instances of an endpoint, each with its copies.

A component of an endpoint whose variant names no model has a real model server, which stands for
all of its copies; without copies there is none. Where the variant has ManagedInstanceScaling,
instances come and go with the copies.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import CLOCK, Course, Stage, naive_now
from awslab.extension import adds
from awslab.services.sagemaker import hosting
from awslab.services.sagemaker.endpoint_configs import (
    Request,
    by_creation_time,
    by_name,
    page,
    refuse,
)
from awslab.services.sagemaker.endpoints import (
    PROVISIONING,
    TERMINATING,
    Endpoint,
    Variant,
    by_digest,
    components_of,
    find_endpoint,
    get_endpoint,
    require,
)
from awslab.services.sagemaker.models import find_model
from awslab.services.sagemaker.resource import Resource, arn_of, kept

LOADING = 120.0  # seconds of the lab's clock until copies run on instances that are there
CREATING = threading.RLock()  # held while a name is looked up and then taken
NO_ROOM = (
    "There is not enough hardware resources on the instances for this endpoint to create a copy of "
    "the inference component."
)
# What is going on, as refusals call it, by status.
STATES = {
    "Creating": "CREATE_IN_PROGRESS",
    "Updating": "UPDATE_RC_IN_PROGRESS",
    "Deleting": "DELETE_IN_PROGRESS",
    "Failed": "CREATE_FAILED",
}

# Of the usual instance types: memory for each core by family, cores and accelerators by size.
GIB_PER_CORE = {"c": 2, "m": 4, "g": 4, "r": 8}
CORES = {"medium": 1, "large": 2, "xlarge": 4}
ACCELERATORS = {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}  # of g4dn and later; others have one

Room = tuple[float, float, float]  # cores, MB of memory, accelerators


class InferenceComponent(Resource):
    """One model on an endpoint.

    copies: how many there are; desired: how many there are to be.
    """

    def __init__(
        self, backend: SageMakerModelBackend, request: Request, endpoint: Endpoint, variant: str
    ) -> None:
        name = request["InferenceComponentName"]
        super().__init__(backend, "inference-component", name, request)
        self.backend = backend
        self.endpoint_name, self.endpoint_arn = endpoint.name, endpoint.arn
        self.endpoint_created = endpoint.creation_time
        self.variant_name = variant
        self.specification: Request = request["Specification"]
        self.last_deployment_config: Request | None = None
        self.failure_reason: str | None = None
        self.server: Any = None
        self.loading: Any = None  # the server that is to take over
        self.copies = 0
        self.desired: int = (request.get("RuntimeConfig") or {}).get("CopyCount", 1)
        self.course = Course([Stage("Creating")])

    @property
    def status(self) -> str:
        return self.course.stage

    def look(self) -> str:
        """The status that this look meets, see Course."""
        return self.course.look()

    def keep_up(self) -> None:
        self.course.keep_up()

    def belongs_to(self, endpoint: Endpoint) -> bool:
        return (self.endpoint_name, self.endpoint_created) == (
            endpoint.name,
            endpoint.creation_time,
        )

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that it was made for; None once that is deleted."""
        found = find_endpoint(self.backend, self.endpoint_name)
        return found if found and self.belongs_to(found) else None

    @property
    def variant(self) -> Variant | None:
        serving = self.endpoint.fleets[0].variants if self.endpoint else []
        return next((each for each in serving if each.name == self.variant_name), None)

    # Copies come and go

    def change(self, status: str, copies: int, specification: Request | None = None) -> None:
        """Be on the way to so many copies, of another specification if one is given."""
        self.desired, self.failure_reason = copies, None
        wanted = specification or self.specification
        more, fits = self.arrange(wanted)
        if not fits:
            self.refuse_copies(status, NO_ROOM, [Stage(status)])
            return
        renewed = specification is not None or self.server is None
        if copies and renewed:
            self.loading = self.new_server(wanted)
        seconds = PROVISIONING if more else LOADING if copies else TERMINATING
        self.course.divert(
            [
                Stage(status, seconds, lambda patience: self.loaded(status, patience)),
                Stage("InService", begin=lambda: self.serve(wanted)),
            ]
        )
        self.last_modified_time = naive_now()

    def arrange(self, specification: Request) -> tuple[bool, bool]:
        """Ask for the instances that all components need; whether they are more than there are,
        and whether the copies fit."""
        variant, endpoint = self.variant, self.endpoint
        if variant is None or endpoint is None:
            return False, not self.desired
        demands = [
            (specification if each is self else each.specification, each.desired)
            for each in components_of(endpoint)
            if each.variant_name == self.variant_name
        ]
        least, most = limits_of(variant)
        needed = instances_for(variant, demands)
        if needed is None or needed > most:
            return False, False
        variant.desired_instances = max(variant.instances, least, needed)
        return variant.capacity > variant.instances, True

    def new_server(self, specification: Request) -> Any:
        container, model = specification.get("Container"), specification.get("ModelName") or ""
        definitions = [definition_of(container)] if container else None
        server = hosting.ModelServer(self.backend, model, definitions=definitions)
        stream = f"{self.variant_name}/{hosting.instance_of(self.endpoint_arn, self.name)}"
        server.attach_logs(log_group(self.name), stream)
        return server

    def loaded(self, status: str, patience: float) -> bool:
        """The work of Creating and Updating: the copies load the model."""
        if self.loading is None:
            return True
        if not self.loading.ready(patience):
            return False
        if self.loading.failure:
            reason = self.loading.failure
            self.loading.end()
            self.loading = None
            self.refuse_copies(status, reason, [])
        return True

    def serve(self, specification: Request) -> None:
        """What was asked for is there."""
        if self.loading is not None:
            self.end_server(loading=False)
            self.server, self.loading = self.loading, None
        if not self.desired:
            self.end_server()
        self.specification, self.copies = specification, self.desired
        self.last_modified_time = naive_now()
        self.release()

    def refuse_copies(self, status: str, reason: str, before: list[Stage]) -> None:
        """A new component fails; one that serves keeps what it has.

        before: the stages until that shows.
        """
        self.failure_reason, self.desired = reason, self.copies
        last = "Failed" if status == "Creating" else "InService"
        self.course.divert([*before, Stage(last, begin=self.release)])

    def release(self) -> None:
        """Give back the instances that no component needs any more."""
        variant, endpoint = self.variant, self.endpoint
        if variant is None or endpoint is None:
            return
        demands = [
            (each.specification, max(each.copies, each.desired))
            for each in components_of(endpoint)
            if each.variant_name == self.variant_name
        ]
        least, _ = limits_of(variant)
        needed = max(least, instances_for(variant, demands) or 0)
        managed = is_managed(variant)
        variant.instances = needed if managed else variant.capacity
        variant.desired_instances = None

    def end_server(self, loading: bool = True) -> None:
        for server in (self.server, self.loading if loading else None):
            if server is not None:
                server.end()
        self.server = None
        self.loading = None if loading else self.loading

    def remove(self) -> None:
        self.desired = 0
        self.course.divert(
            [
                Stage("Deleting", TERMINATING, begin=self.end_server),
                Stage("Deleted", begin=self.gone),
            ]
        )

    def gone(self) -> None:
        self.copies = 0
        components(self.backend).pop(self.name, None)
        self.release()

    # Telling

    def summary(self) -> dict[str, Any]:
        return {
            "InferenceComponentName": self.name,
            "InferenceComponentArn": self.arn,
            "EndpointName": self.endpoint_name,
            "EndpointArn": self.endpoint_arn,
            "VariantName": self.variant_name,
            "InferenceComponentStatus": self.status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
        }

    def described(self) -> dict[str, Any]:
        """The members of DescribeInferenceComponent."""
        return self.summary() | {
            "FailureReason": self.failure_reason,
            "Specification": shown(self.specification),
            "RuntimeConfig": {"DesiredCopyCount": self.desired, "CurrentCopyCount": self.copies},
            "LastDeploymentConfig": self.last_deployment_config,
        }


def shown(specification: Request) -> Request:
    """A specification as Describe has it: an image comes with its digest."""
    container = specification.get("Container")
    if not container:
        return specification
    image = {"SpecifiedImage": container["Image"], "ResolvedImage": by_digest(container["Image"])}
    rest = {name: value for name, value in container.items() if name != "Image"}
    return specification | {"Container": {"DeployedImage": image, **rest}}


def definition_of(container: Request) -> Request:
    """The container of a specification as a model would define it."""
    names = {"Image": "Image", "ArtifactUrl": "ModelDataUrl", "Environment": "Environment"}
    return {names[name]: value for name, value in container.items() if name in names}


def log_group(component_name: str) -> str:
    return f"/aws/sagemaker/InferenceComponents/{component_name}"


# --- room on instances ----------------------------------------------------------------------------


def is_managed(variant: Variant) -> bool:
    return (variant.request.get("ManagedInstanceScaling") or {}).get("Status") == "ENABLED"


def limits_of(variant: Variant) -> tuple[int, int]:
    """How many instances a variant may have for its components, at least and at most."""
    if not is_managed(variant):
        return variant.capacity, variant.capacity
    scaling = variant.request["ManagedInstanceScaling"]
    initial = variant.request.get("InitialInstanceCount") or 1
    least = scaling.get("MinInstanceCount", initial)
    return least, scaling.get("MaxInstanceCount", max(initial, least))


def room_of(instance_type: str) -> Room | None:
    """What an instance has; None for types that the lab does not limit."""
    _, family, size = [*instance_type.split("."), "", ""][:3]
    times = size.removesuffix("xlarge")
    cores = CORES.get(size) or (4 * int(times) if times.isdigit() else 0)
    gib = GIB_PER_CORE.get(family[:1])
    if not cores or gib is None:
        return None
    accelerators = ACCELERATORS.get(size, 1) if family[:1] == "g" else 0
    return cores, cores * gib * 1024, accelerators


def need_of(specification: Request) -> Room:
    """What one copy takes."""
    needs = specification.get("ComputeResourceRequirements") or {}
    names = (
        "NumberOfCpuCoresRequired",
        "MinMemoryRequiredInMb",
        "NumberOfAcceleratorDevicesRequired",
    )
    cores, memory, accelerators = (float(needs.get(name) or 0) for name in names)
    return cores, memory, accelerators


def instances_for(variant: Variant, demands: Iterable[tuple[Request, int]]) -> int | None:
    """How many instances so many copies need, each copy on the first that has room for it; None if
    one does not fit onto any."""
    room = room_of(variant.request.get("InstanceType") or "")
    used: list[Room] = []
    for specification, copies in demands:
        need = need_of(specification)
        for _ in range(copies):
            if room is None:
                used = used or [(0.0, 0.0, 0.0)]
                continue
            for position, taken in enumerate([*used, (0.0, 0.0, 0.0)]):
                total = tuple(a + b for a, b in zip(taken, need, strict=True))
                if all(t <= r for t, r in zip(total, room, strict=True)):
                    used[position : position + 1] = [total]  # type: ignore[list-item]
                    break
            else:
                return None
    return len(used)


# --- finding --------------------------------------------------------------------------------------


def components(backend: SageMakerModelBackend) -> dict[str, Any]:
    return kept(backend, "inference_components")


def find_component(backend: SageMakerModelBackend, name: str) -> InferenceComponent | None:
    """A component where the clock has brought it; None if there is none of that name."""
    found: InferenceComponent | None = components(backend).get(name)
    if found:
        found.keep_up()
    return found if found and components(backend).get(name) is found else None


def get_component(backend: SageMakerModelBackend, name: str) -> InferenceComponent:
    """The same.

    Raises:
        AWSValidationException: there is none of that name.
    """
    return find_component(backend, name) or refuse_missing(backend, name)


def refuse_missing(backend: SageMakerModelBackend, name: str) -> NoReturn:
    arn = arn_of(backend, "inference-component", name)
    refuse(f'Could not find inference component "{arn}".')


def settled(component: InferenceComponent, what: str, *statuses: str) -> None:
    """Refuse what cannot be done now. The attempt is a look: who tries again gets through.

    what: the caller wants to do, `update` or `delete`.

    Raises:
        AWSValidationException: the component is in none of these statuses.
    """
    status = component.status
    if status not in statuses:
        component.look()
        refuse(
            f'Cannot {what} inference component "{component.arn}" while it is in state '
            f"{STATES[status]}."
        )


@CLOCK.every_tick
def keep_components_up() -> None:
    for _, regions in list(sagemaker_backends.items()):
        for _, backend in list(regions.items()):
            for component in list(components(backend).values()):
                component.keep_up()


# --- rules ----------------------------------------------------------------------------------------


def check_specification(backend: SageMakerModelBackend, specification: Request) -> None:
    """What the model of the request cannot say.

    Raises:
        AWSValidationException: with the first rule that is broken.
    """
    if specification.get("BaseInferenceComponentName"):
        refuse("The lab has no adapters: BaseInferenceComponentName cannot be specified.")
    container, model = specification.get("Container"), specification.get("ModelName")
    if bool(container) == bool(model):
        refuse("Specification must specify exactly one of ModelName and Container.")
    if container and not container.get("Image"):
        refuse("The Container of an inference component must specify an Image.")
    if model:
        find_model(backend, model)
    needs = specification.get("ComputeResourceRequirements")
    if not needs:
        refuse("Specification must specify ComputeResourceRequirements.")
    least, most = needs["MinMemoryRequiredInMb"], needs.get("MaxMemoryRequiredInMb")
    if most is not None and most < least:
        refuse("MaxMemoryRequiredInMb must not be less than MinMemoryRequiredInMb.")


def specification_of(request: Request) -> Request | None:
    if request.get("Specifications"):
        refuse("The lab has no Specifications by instance type: use Specification.")
    specification: Request | None = request.get("Specification")
    return specification


def variant_for(endpoint: Endpoint, name: str | None) -> str:
    """The variant that is to host a component: the one that is named, or the only one.

    Raises:
        AWSValidationException: there is none, or it has a model of its own.
    """
    found: list[Mapping[str, Any]] = [
        each for each in endpoint.config.variants if name in (None, each["VariantName"])
    ]
    if len(found) != 1:
        refuse(f'Could not find variant "{name or ""}" of endpoint "{endpoint.arn}".')
    if found[0].get("ModelName") is not None:
        refuse(
            f'Variant "{found[0]["VariantName"]}" of endpoint "{endpoint.arn}" has a model: '
            "inference components need a variant without ModelName."
        )
    return str(found[0]["VariantName"])


# --- operations -----------------------------------------------------------------------------------


@adds(
    SageMakerResponse,
    "sagemaker",
    "CreateInferenceComponent",
    differs=(
        "loading takes 2 minutes of the lab's clock, or 3 if instances are added; one process "
        "stands for all copies; components may use all cores and all memory of an instance, and "
        "types other than c, m, r and g have no limit; instances go together with the copies, in "
        "AWS some minutes later; `SchedulingConfig`, `StartupParameters` and `DataCacheConfig` are "
        "kept without effect; no adapters, no `Specifications`; one copy where the request names "
        "no number; refusals are the lab's own words"
    ),
)
def create_inference_component(self: Any) -> Any:
    backend, request = self.sagemaker_backend, dict(self.params)
    name = request["InferenceComponentName"]
    with CREATING:
        taken = find_component(backend, name)
        if taken:
            if taken.status == "Deleting":
                taken.look()
            refuse(f'Cannot create already existing inference component "{taken.arn}".')
        endpoint = get_endpoint(backend, request["EndpointName"])
        specification = specification_of(request)
        if specification is None:
            refuse("Specification must be specified.")
        check_specification(backend, specification)
        with endpoint.lock:
            require(endpoint, "InService")
            variant = variant_for(endpoint, request.get("VariantName"))
            component = InferenceComponent(backend, request, endpoint, variant)
            components(backend)[name] = component
            component.change("Creating", component.desired)
    return ActionResult({"InferenceComponentArn": component.arn})


@adds(SageMakerResponse, "sagemaker", "DescribeInferenceComponent", differs="")
def describe_inference_component(self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["InferenceComponentName"]
    component = get_component(backend, name)
    if component.look() == "Deleted":
        refuse_missing(backend, name)
    return ActionResult(component.described())


@adds(SageMakerResponse, "sagemaker", "ListInferenceComponents", differs="")
def list_inference_components(self: Any) -> Any:
    params = self.params
    keys = {"CreationTime": by_creation_time, "Name": by_name, "Status": by_status}
    met = [(each, each.look()) for each in list(components(self.sagemaker_backend).values())]
    found = [
        each
        for each, now in met
        if now != "Deleted"
        and params.get("StatusEquals") in (None, now)
        and params.get("EndpointNameEquals") in (None, each.endpoint_name)
        and params.get("VariantNameEquals") in (None, each.variant_name)
    ]
    some, token = page(found, params, keys, 10)
    return ActionResult(
        {"InferenceComponents": [each.summary() for each in some], "NextToken": token}
    )


def by_status(component: InferenceComponent) -> str:
    return component.status


@adds(
    SageMakerResponse,
    "sagemaker",
    "UpdateInferenceComponent",
    differs=(
        "all copies change together, once the new ones have loaded; batches and alarms of "
        "`DeploymentConfig` are kept without effect; what does not load or fit leaves the old "
        "copies in service, with a `FailureReason`"
    ),
)
def update_inference_component(self: Any) -> Any:
    backend, request = self.sagemaker_backend, dict(self.params)
    component = get_component(backend, request["InferenceComponentName"])
    settled(component, "update", "InService")
    specification = specification_of(request)
    if specification:
        check_specification(backend, specification)
    copies = (request.get("RuntimeConfig") or {}).get("CopyCount", component.desired)
    config = request.get("DeploymentConfig")
    component.last_deployment_config = config or component.last_deployment_config
    component.change("Updating", copies, specification)
    return ActionResult({"InferenceComponentArn": component.arn})


@adds(
    SageMakerResponse,
    "sagemaker",
    "UpdateInferenceComponentRuntimeConfig",
    differs="more copies than fit leave the old ones in service, with a `FailureReason`",
)
def update_inference_component_runtime_config(self: Any) -> Any:
    component = get_component(self.sagemaker_backend, self.params["InferenceComponentName"])
    settled(component, "update", "InService")
    component.change("Updating", self.params["DesiredRuntimeConfig"]["CopyCount"])
    return ActionResult({"InferenceComponentArn": component.arn})


@adds(
    SageMakerResponse,
    "sagemaker",
    "DeleteInferenceComponent",
    differs=(
        "takes a minute of the lab's clock; a component whose endpoint was deleted before stays, "
        "without a model server, until it is deleted itself"
    ),
)
def delete_inference_component(self: Any) -> Any:
    component = get_component(self.sagemaker_backend, self.params["InferenceComponentName"])
    settled(component, "delete", "InService", "Failed")
    component.remove()
    return EmptyResult()
