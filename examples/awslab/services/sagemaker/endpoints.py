"""Endpoints: real model servers behind a name, in the states that SageMaker shows.

An endpoint is served by a fleet, which stands for the machines of one endpoint configuration;
while it is updated (deployment.py) two fleets share the traffic.
"""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import CLOCK, Course, Stage, naive_now
from awslab.extension import Function, changes
from awslab.services.sagemaker import hosting
from awslab.services.sagemaker.endpoint_configs import (
    CREATING,
    EndpointConfig,
    Request,
    by_creation_time,
    by_name,
    check_concurrency,
    check_models,
    find_config,
    from_template,
    page,
    physical_name,
    refuse,
)
from awslab.services.sagemaker.resource import Resource, arn_of
from awslab.services.sagemaker.resource import kept as kept_by
from awslab.telemetry import put_event

if TYPE_CHECKING:
    from awslab.services.sagemaker.deployment import Deployment

# How long the lab's clock gives to what takes AWS a few minutes.
PROVISIONING = 180.0  # seconds until machines run and have loaded their models
TERMINATING = 60.0  # seconds until machines are gone
REWEIGHING = 60.0  # seconds until new weights hold

# What of a variant's request an endpoint shows unchanged.
SHOWN = (
    "InstanceType",
    "AcceleratorType",
    "ManagedInstanceScaling",
    "RoutingConfig",
    "AcceleratorPartitionLayouts",
)


@dataclass
class Variant:
    """One variant of one fleet, production or shadow.

    request: the variant as its configuration has it. weight, instances: what it has now.
    status: what happens to it, as VariantStatus says; None if nothing does.
    desired_…: what it is to have; None if it has it.
    """

    name: str
    model_name: str
    request: Request
    weight: float
    instances: int
    server: Any  # hosting.ModelServer, or hosting.NoModel where inference components are hosted
    status: str | None = None
    message: str = ""
    since: datetime | None = None
    images: list[dict[str, Any]] = field(default_factory=list)
    serverless: dict[str, Any] | None = None
    desired_weight: float | None = None
    desired_instances: int | None = None
    desired_serverless: dict[str, Any] | None = None

    @property
    def capacity(self) -> int:
        """How many instances it has once nothing happens any more."""
        return self.instances if self.desired_instances is None else self.desired_instances

    def show(self, status: str | None, message: str = "") -> None:
        self.status, self.message, self.since = status, message, naive_now()

    def settle(self) -> None:
        """It has what it was to have."""
        self.instances = self.capacity
        self.weight = self.weight if self.desired_weight is None else self.desired_weight
        self.serverless = self.desired_serverless or self.serverless
        self.desired_weight = self.desired_instances = self.desired_serverless = None
        self.show(None)

    def summary(self) -> dict[str, Any]:
        """The members of a ProductionVariantSummary, or of a pending one."""
        shown = {name: self.request.get(name) for name in SHOWN}
        desired = self.weight if self.desired_weight is None else self.desired_weight
        status = {"Status": self.status, "StatusMessage": self.message, "StartTime": self.since}
        return shown | {
            "VariantName": self.name,
            "DeployedImages": self.images,
            "CurrentWeight": self.weight,
            "DesiredWeight": desired,
            "CurrentInstanceCount": self.instances,
            "DesiredInstanceCount": None if self.serverless else self.capacity,
            "InstancePools": self.pools(),
            "VariantStatus": [status] if self.status else None,
            "CurrentServerlessConfig": self.serverless,
            "DesiredServerlessConfig": self.desired_serverless,
        }

    def pools(self) -> list[dict[str, Any]] | None:
        """All instances come from the pool of the first priority: the lab never runs out."""
        pools = sorted(self.request.get("InstancePools") or [], key=lambda pool: pool["Priority"])
        counts = [self.instances] + [0] * len(pools)
        return [
            {"InstanceType": pool["InstanceType"], "CurrentInstanceCount": count}
            for pool, count in zip(pools, counts, strict=False)
        ] or None


@dataclass
class Fleet:
    """The machines of one endpoint configuration; share: its part of the traffic, 0 to 1."""

    config: EndpointConfig
    variants: list[Variant]
    shadows: list[Variant]
    share: float

    @property
    def all(self) -> list[Variant]:
        return self.variants + self.shadows

    def ready(self, seconds: float) -> bool:
        """Whether every server has loaded its model or failed; waits at most so long (real)."""
        deadline = time.monotonic() + seconds
        return all(v.server.ready(max(0.0, deadline - time.monotonic())) for v in self.all)

    @property
    def failure(self) -> str | None:
        return next((v.server.failure for v in self.all if v.server.failure), None)

    def end(self) -> None:
        for variant in self.all:
            variant.server.end()

    def settle(self) -> None:
        for variant in self.all:
            variant.settle()


def new_fleet(
    backend: SageMakerModelBackend,
    config: EndpointConfig,
    kept: Mapping[str, Request] | None = None,
) -> Fleet:
    """Start the model servers of a configuration; they get no traffic yet.

    kept: members that variants of these names keep from the fleet before.

    Raises:
        AWSValidationException: a model is gone.
    """
    check_models(backend, config.variants + config.shadows, config.request)

    def started(requests: list[Request]) -> list[Variant]:
        before = kept or {}
        return [new_variant(backend, r, r | before.get(r["VariantName"], {})) for r in requests]

    return Fleet(config, started(config.variants), started(config.shadows), 0.0)


def new_variant(backend: SageMakerModelBackend, request: Request, initial: Request) -> Variant:
    model_name = request.get("ModelName") or ""  # empty: left to inference components
    count = initial.get("InitialInstanceCount") or 0
    variant = Variant(
        name=request["VariantName"],
        model_name=model_name,
        request=request,
        weight=initial.get("InitialVariantWeight", 1.0),
        instances=0,
        server=hosting.ModelServer(backend, model_name) if model_name else hosting.NoModel(),
        images=deployed_images(backend, model_name) if model_name else [],
        serverless=request.get("ServerlessConfig"),
        desired_instances=count,
    )
    variant.show("Creating", f"Launching {count} instance(s).")
    return variant


def deployed_images(backend: SageMakerModelBackend, model_name: str) -> list[dict[str, Any]]:
    try:
        definitions = hosting.definitions_of(backend, model_name)
    except hosting.CannotLoad:  # the endpoint is going to fail with this reason
        return []
    images = [definition["Image"] for definition in definitions if definition.get("Image")]
    at = naive_now()
    return [
        {"SpecifiedImage": image, "ResolvedImage": by_digest(image), "ResolutionTime": at}
        for image in images
    ]


def by_digest(image: str) -> str:
    """The image with a digest in place of its tag; the lab makes the digest from the name."""
    if "@" in image:
        return image
    registry, slash, repository = image.rpartition("/")
    digest = hashlib.sha256(image.encode()).hexdigest()
    return f"{registry}{slash}{repository.partition(':')[0]}@sha256:{digest}"


class Endpoint(Resource):
    """A name that models answer under.

    config: what is in service, or is to be. coming: the fleet that is being launched.
    """

    def __init__(
        self, backend: SageMakerModelBackend, request: Mapping[str, Any], config: EndpointConfig
    ) -> None:
        super().__init__(backend, "endpoint", request["EndpointName"], request)
        self.lock = threading.RLock()  # held while the endpoint changes
        self.config = config
        self.coming: Fleet | None = new_fleet(backend, config)
        self.coming_since = self.creation_time
        self.fleets: list[Fleet] = [self.coming]
        self.deployment: Deployment | None = None
        self.last_deployment_config: Request | None = request.get("DeploymentConfig")
        self.failure_reason: str | None = None
        self.announced = ""
        self.course = Course(
            [
                Stage("Creating", PROVISIONING, self.launched),
                Stage("InService", begin=self.serve),
            ]
        )
        self.announce()

    @property
    def status(self) -> str:
        return self.course.stage

    def look(self) -> str:
        """The status that this look meets, see Course."""
        with self.lock:
            if CLOCK.instant:
                self.watch()
            else:
                self.keep_up()
            return self.course.look()

    def keep_up(self) -> None:
        """Go on as far as the clock says. Nothing waits here in the instant gait, so that a model
        answers while somebody waits for the next one to load."""
        if CLOCK.instant:
            return
        with self.lock:
            self.course.keep_up()
            self.watch()

    def watch(self) -> None:
        """Roll a deployment back when there is a reason to."""
        if self.deployment:
            self.deployment.watch()

    def take_traffic(self) -> list[Fleet]:
        """The fleets that serve, each with its share; none while nothing can be invoked."""
        if self.status not in ("InService", "Updating", "RollingBack"):
            return []
        return [fleet for fleet in self.fleets if fleet.share > 0]

    def variants(self) -> list[Variant]:
        """Those in service, shadows too."""
        return self.fleets[0].all

    # Creating

    def launched(self, patience: float) -> bool:
        """The work of `Creating`: the models load, or the endpoint fails."""
        assert self.coming
        if not self.coming.ready(patience):
            return False
        if self.coming.failure:
            self.fail(self.coming.failure)
        return True

    def serve(self) -> None:
        """The fleet that was coming takes all traffic."""
        assert self.coming
        self.coming.settle()
        self.coming.share = 1.0
        self.config, self.fleets = self.coming.config, [self.coming]
        self.coming = self.deployment = None
        self.announce()

    def fail(self, reason: str) -> None:
        self.failure_reason = reason
        self.end()
        self.coming = None
        self.course.divert([Stage("Failed", begin=self.announce)])

    def end(self) -> None:
        for fleet in self.fleets:
            fleet.end()
        for component in components_of(self):
            component.end_server()

    @property
    def hosts_components(self) -> bool:
        """Whether its variants leave their models to inference components."""
        return any(variant.get("ModelName") is None for variant in self.config.variants)

    # Changing

    def rescale(self, wanted: Iterable[Mapping[str, Any]]) -> None:
        """Bring variants to new weights and capacities, as UpdateEndpointWeightsAndCapacities."""
        by_variant = {variant.name: variant for variant in self.variants()}
        more = False
        for change in wanted:
            variant = by_variant[change["VariantName"]]
            variant.desired_weight = change.get("DesiredWeight")
            variant.desired_instances = change.get("DesiredInstanceCount")
            if change.get("ServerlessUpdateConfig"):
                base = variant.serverless or {}
                variant.desired_serverless = base | change["ServerlessUpdateConfig"]
            more |= variant.capacity > variant.instances
            variant.show("Updating", rescaling(variant))
        seconds = PROVISIONING if more else REWEIGHING
        self.course.divert(
            [Stage("Updating", seconds, begin=self.announce), Stage("InService", begin=self.settle)]
        )

    def settle(self) -> None:
        self.fleets[0].settle()
        self.announce()

    def remove(self, gone: Callable[[], None]) -> None:
        """End the servers; `gone` is called when the name is free again."""
        self.end()
        for variant in self.variants():
            variant.show("Deleting", f"Terminating {variant.instances} instance(s).")
        stages = [Stage("Deleting", TERMINATING, begin=self.announce), Stage("Deleted", begin=gone)]
        self.course.divert(stages)

    # Telling

    def announce(self) -> None:
        """Tell EventBridge that the status has changed, or the stage of a deployment."""
        self.last_modified_time = naive_now()
        kinds = ["SageMaker Endpoint State Change"] if self.status != self.announced else []
        self.announced = self.status
        if self.deployment or any(variant.status for variant in self.variants()):
            kinds.append("SageMaker Endpoint Deployment State Change")
        detail = self.described() | {
            "EndpointStatus": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.status).upper(),
            "Tags": {tag["Key"]: tag["Value"] for tag in self.tags},
        }
        for kind in kinds:
            put_event(self.account_id, self.region_name, "aws.sagemaker", kind, self.arn, detail)

    def summary(self) -> dict[str, Any]:
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointStatus": self.status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
        }

    def described(self) -> dict[str, Any]:
        """The members of DescribeEndpoint."""
        request, serving = self.config.request, self.fleets[0]
        launching = serving is self.coming or self.status == "Failed"
        described = self.summary() | {
            "EndpointConfigName": self.config.name,
            "DataCaptureConfig": capture_summary(request.get("DataCaptureConfig")),
            "FailureReason": self.failure_reason,
            "LastDeploymentConfig": self.last_deployment_config,
            "AsyncInferenceConfig": request.get("AsyncInferenceConfig"),
            "ExplainerConfig": request.get("ExplainerConfig"),
            "MetricsConfig": request.get("MetricsConfig"),
            "CrossRegionTrafficConfig": request.get("CrossRegionTrafficConfig"),
            "PendingDeploymentSummary": self.pending(),
        }
        return described if launching else described | summaries(serving)

    def pending(self) -> dict[str, Any] | None:
        if self.coming is None:
            return None
        return summaries(self.coming) | {
            "EndpointConfigName": self.coming.config.name,
            "StartTime": self.coming_since,
        }

    # What moto's Search asks its resources for.

    @property
    def endpoint_name(self) -> str:
        return self.name

    @property
    def endpoint_arn(self) -> str:
        return self.arn

    @property
    def endpoint_config_name(self) -> str:
        return self.config.name

    @property
    def endpoint_status(self) -> str:
        return self.status

    def gen_response_object(self) -> dict[str, Any]:
        return self.described() | {"Tags": self.tags}


def components_of(endpoint: Endpoint) -> list[Any]:
    """The inference components of an endpoint (inference_components.py)."""
    backend = sagemaker_backends[endpoint.account_id][endpoint.region_name]
    found = list(kept_by(backend, "inference_components").values())
    return [component for component in found if component.belongs_to(endpoint)]


def rescaling(variant: Variant) -> str:
    if variant.capacity == variant.instances:
        return "Updating the variant weight."
    way = "out" if variant.capacity > variant.instances else "in"
    return f"Scaling {way} desired instance count to {variant.capacity}."


def summaries(fleet: Fleet) -> dict[str, Any]:
    return {
        "ProductionVariants": [variant.summary() for variant in fleet.variants],
        "ShadowProductionVariants": [shadow.summary() for shadow in fleet.shadows] or None,
    }


def capture_summary(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not config:
        return None
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


@CLOCK.every_tick
def keep_endpoints_up() -> None:
    for _, regions in list(sagemaker_backends.items()):
        for _, backend in list(regions.items()):
            for endpoint in list(backend.endpoints.values()):
                endpoint.keep_up()


def find_endpoint(backend: SageMakerModelBackend, name: str) -> Endpoint | None:
    """An endpoint where the clock has brought it; None if there is none of that name."""
    found: Endpoint | None = backend.endpoints.get(name)
    if found:
        found.keep_up()
    return found if found and backend.endpoints.get(name) is found else None


def get_endpoint(backend: SageMakerModelBackend, name: str) -> Endpoint:
    """The same.

    Raises:
        AWSValidationException: there is none of that name.
    """
    return find_endpoint(backend, name) or refuse_missing(backend, name)


def refuse_missing(backend: SageMakerModelBackend, name: str) -> NoReturn:
    refuse(f'Could not find endpoint "{arn_of(backend, "endpoint", name)}".')


def require(endpoint: Endpoint, *statuses: str) -> None:
    """Refuse what cannot be done now. The attempt is a look: who tries again gets through.

    Raises:
        AWSValidationException: the endpoint is in none of these statuses.
    """
    status = endpoint.status
    if status == "Failed" and status not in statuses:
        refuse(f'Cannot update endpoint "{endpoint.arn}" with status Failed; delete it.')
    if status not in statuses:
        endpoint.look()
        refuse(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def add_endpoint(backend: SageMakerModelBackend, request: Request) -> Endpoint:
    """Create an endpoint; its servers load from now on.

    Raises:
        AWSValidationException: the name is taken, or the configuration or a model is missing.
    """
    with CREATING:
        name = request["EndpointName"]
        taken = find_endpoint(backend, name)
        if taken:
            if taken.status == "Deleting":
                taken.look()
            refuse(f'Cannot create already existing endpoint "{taken.arn}".')
        config = find_config(backend, request["EndpointConfigName"])
        endpoint = Endpoint(backend, request, config)
        backend.endpoints[name] = endpoint
        return endpoint


def check_changes(endpoint: Endpoint, wanted: list[Request]) -> None:
    """What UpdateEndpointWeightsAndCapacities asks of the variants in service."""
    names = [change["VariantName"] for change in wanted]
    by_variant = {variant.name: variant for variant in endpoint.variants()}
    for change in wanted:
        name = change["VariantName"]
        if names.count(name) > 1:
            refuse(f'The variant name "{name}" was non-unique within the request.')
        if name not in by_variant:
            refuse(
                f'The variant name(s) "{name}" is/are not present within endpoint configuration '
                f'"{endpoint.config.name}".'
            )
        check_change(endpoint, by_variant[name], change)


def check_change(endpoint: Endpoint, variant: Variant, change: Request) -> None:
    count, update = change.get("DesiredInstanceCount"), change.get("ServerlessUpdateConfig")
    if variant.serverless is None:
        if update:
            refuse(f'Variant "{variant.name}" is not serverless.')
        if count == 0 and not endpoint.config.request.get("AsyncInferenceConfig"):
            refuse(f'Variant "{variant.name}" must have a DesiredInstanceCount of at least 1.')
        return
    if count is not None:
        refuse(f'Variant "{variant.name}" is serverless and has no DesiredInstanceCount.')
    check_concurrency(variant.name, variant.serverless | (update or {}))


# --- operations ----------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateEndpoint",
    reason=(
        "is in service at once; replaces an endpoint of the same name; forgets `DeploymentConfig`"
    ),
    differs=(
        "takes 3 minutes of the lab's clock; one process stands for all instances of a variant; "
        "no account quotas"
    ),
)
def create_endpoint(original: Function, self: Any) -> Any:
    endpoint = add_endpoint(self.sagemaker_backend, dict(self.params))
    return ActionResult({"EndpointArn": endpoint.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeEndpoint",
    reason=(
        "knows no `DeployedImages`; `DataCaptureConfig` has no `CaptureStatus`; "
        "shows no shadow variants"
    ),
    differs=(
        "the digest in `ResolvedImage` is made from the image's name; while the clock is "
        "instant, each call meets the next state"
    ),
)
def describe_endpoint(original: Function, self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["EndpointName"]
    endpoint = get_endpoint(backend, name)
    with endpoint.lock:
        if endpoint.look() == "Deleted":
            refuse_missing(backend, name)
        return ActionResult(endpoint.described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListEndpoints",
    reason="lists the oldest first; shows 100 without `MaxResults`",
    differs="",
)
def list_endpoints(original: Function, self: Any) -> Any:
    keys = {"CreationTime": by_creation_time, "Name": by_name, "Status": by_status}
    status = self.params.get("StatusEquals")
    met = [(each, each.look()) for each in list(self.sagemaker_backend.endpoints.values())]
    endpoints = [each for each, now in met if now != "Deleted" and status in (None, now)]
    shown, token = page(endpoints, self.params, keys, 10)
    return ActionResult({"Endpoints": [each.summary() for each in shown], "NextToken": token})


def by_status(endpoint: Endpoint) -> str:
    return endpoint.status


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteEndpoint",
    reason="takes no time; puts the ARN of a missing endpoint into single quotes",
    differs="takes a minute of the lab's clock",
)
def delete_endpoint(original: Function, self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["EndpointName"]
    endpoint = get_endpoint(backend, name)
    with endpoint.lock:
        require(endpoint, "InService", "Failed")
        endpoint.remove(lambda: backend.endpoints.pop(name, None))
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "UpdateEndpointWeightsAndCapacities",
    reason="empties what a request leaves out; takes effect at once",
    differs=(
        "takes 1 minute of the lab's clock, or 3 if instances are added; never fails, so never "
        "shows `RollingBack`"
    ),
)
def update_endpoint_weights_and_capacities(original: Function, self: Any) -> Any:
    wanted = self.params["DesiredWeightsAndCapacities"]
    endpoint = get_endpoint(self.sagemaker_backend, self.params["EndpointName"])
    with endpoint.lock:
        require(endpoint, "InService")
        check_changes(endpoint, wanted)
        endpoint.rescale(wanted)
    return ActionResult({"EndpointArn": endpoint.arn})


@changes(
    FakeEndpoint,
    "cloudformation",
    "AWS::SageMaker::Endpoint",
    reason="ignores `EndpointName`, `DeploymentConfig`",
    differs="a stack does not wait for its endpoints",
)
def create_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
    **more: Any,
) -> Endpoint:
    named = {"EndpointName": physical_name(resource_name)}
    request = from_template("CreateEndpoint", named | cloudformation_json["Properties"])
    return add_endpoint(sagemaker_backends[account_id][region_name], request)


@changes(
    FakeEndpoint,
    "cloudformation",
    "AWS::SageMaker::Endpoint",
    reason="has no servers to end",
    differs="a stack deletes an endpoint at once, in whatever state it is",
)
def delete_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
) -> None:
    backend = sagemaker_backends[account_id][region_name]
    endpoint = backend.endpoints.pop(resource_name.rpartition("/")[2], None)
    if endpoint:
        with endpoint.lock:
            endpoint.remove(lambda: None)
