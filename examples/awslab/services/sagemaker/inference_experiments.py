"""Inference experiments: shadow tests that are scheduled, watched and promoted.

An experiment updates its endpoint to a configuration with a shadow variant, and back, or on to
the promoted model, when it ends. Both are ordinary deployments (deployment.py).
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ConflictException, ResourceInUseException, ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import CLOCK, Course, Stage, naive_now
from awslab.extension import adds
from awslab.services.sagemaker import deployment
from awslab.services.sagemaker.endpoint_configs import (
    EndpointConfig,
    Request,
    add_config,
    by_creation_time,
    by_name,
    page,
    refuse,
)
from awslab.services.sagemaker.endpoints import Endpoint, find_endpoint, get_endpoint
from awslab.services.sagemaker.resource import Resource, kept

LASTS = timedelta(days=7)  # unless the schedule says otherwise
AT_MOST = timedelta(days=30)
ENDED = ("Completed", "Cancelled")
CREATING = 60.0  # seconds of the lab's clock

Actions = Mapping[str, str]


class InferenceExperiment(Resource):
    """One shadow test, from its schedule to its end.

    before: the endpoint configuration that the test found, and restores.
    """

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, "inference-experiment", request["Name"], request)
        self.backend = backend
        self.before: EndpointConfig | None = None
        self.after: str | None = None  # the configuration to end with
        self.reason: str | None = None
        self.completion_time: datetime | None = None
        self.start, self.end = schedule_of(request)
        stages = [Stage("Creating", CREATING), Stage("Created")]
        self.course = Course(stages)

    @property
    def status(self) -> str:
        return self.course.stage

    @property
    def variants(self) -> dict[str, Request]:
        return {variant["VariantName"]: variant for variant in self.request["ModelVariants"]}

    @property
    def source(self) -> str:
        return str(self.request["ShadowModeConfig"]["SourceModelVariantName"])

    @property
    def shadow(self) -> Request:
        found: Request = self.request["ShadowModeConfig"]["ShadowModelVariants"][0]
        return found

    def look(self) -> str:
        """The status that this look meets."""
        self.by_schedule()
        return self.course.look()

    def keep_up(self) -> None:
        self.course.keep_up()
        self.by_schedule()

    def by_schedule(self) -> None:
        """Start and end when the time has come."""
        if self.status == "Created" and naive_now() >= self.start:
            self.begin()
        elif self.status == "Running" and naive_now() >= self.end:
            self.finish("Completed", {}, None, "The scheduled end of the experiment was reached.")

    def begin(self) -> None:
        """Bring the shadow variant to the endpoint."""
        endpoint = find_endpoint(self.backend, self.request["EndpointName"])
        if endpoint is None or endpoint.status != "InService":
            self.reason = "The endpoint of the experiment is not in service."
            self.course.divert([Stage("Cancelled", begin=self.complete)])
            return
        self.before = endpoint.config
        self.start = min(self.start, naive_now())
        self.end = min(self.end, self.start + AT_MOST)
        config = self.configured("shadow", [self.variants[self.source]], self.shadow)
        self.course.divert([*self.moving("Starting", config.name), Stage("Running")])

    def moving(self, status: str, config: str) -> list[Stage]:
        """The stage in which the endpoint is updated to a configuration."""
        name = self.request["EndpointName"]
        deployment.update(self.backend, {"EndpointName": name, "EndpointConfigName": config})

        def moved(patience: float) -> bool:
            endpoint = find_endpoint(self.backend, name)
            deadline = time.monotonic() + patience
            while endpoint and CLOCK.instant and endpoint.status != "InService":
                endpoint.look()
                if time.monotonic() > deadline:
                    break
            if endpoint and endpoint.status != "InService":
                return False
            if endpoint and endpoint.config.name != config:
                self.reason = endpoint.failure_reason
                self.course.divert([Stage("Cancelled", begin=self.complete)])
            return True

        return [Stage(status, work=moved)]

    def configured(
        self, suffix: str, production: list[Request], shadow: Request | None
    ) -> EndpointConfig:
        """A new endpoint configuration of the experiment's models."""
        request: Request = {
            "EndpointConfigName": f"{self.name[: 62 - len(suffix)]}-{suffix}",
            "ProductionVariants": [variant_of(variant) for variant in production],
        }
        if shadow:
            mirrored = variant_of(self.variants[shadow["ShadowModelVariantName"]])
            weight = shadow["SamplingPercentage"] / 100
            request["ShadowProductionVariants"] = [mirrored | {"InitialVariantWeight": weight}]
        storage = self.request.get("DataStorageConfig")
        if storage:
            request["DataCaptureConfig"] = capture_of(storage)
        return add_config(self.backend, request)

    def resample(self, percentage: int) -> None:
        """Change how much of the traffic the running shadow gets."""
        self.shadow["SamplingPercentage"] = percentage
        endpoint = find_endpoint(self.backend, self.request["EndpointName"])
        if endpoint and self.status == "Running":
            for variant in endpoint.fleets[0].shadows:
                variant.weight = percentage / 100

    def finish(
        self, status: str, actions: Actions, desired: list[Request] | None, reason: str | None
    ) -> None:
        """End the test: promote, retain or remove variants, and say why."""
        self.reason = reason
        endpoint = find_endpoint(self.backend, self.request["EndpointName"])
        last = Stage(status, begin=self.complete)
        after = self.last_config(actions, desired) if endpoint else None
        if endpoint is None or after is None or endpoint.status != "InService":
            self.course.divert([Stage("Stopping"), last])
        else:
            self.course.divert([*self.moving("Stopping", after), last])

    def last_config(self, actions: Actions, desired: list[Request] | None) -> str | None:
        """The configuration that the actions ask for; None: the endpoint stays as it is."""
        shadow = self.shadow["ShadowModelVariantName"]
        if actions.get(shadow) == "Promote":
            wanted = {variant["VariantName"]: variant for variant in desired or []}
            promoted = self.variants[shadow] | wanted.get(shadow, {})
            return self.configured("promoted", [promoted], None).name
        if actions.get(shadow) == "Retain" and actions.get(self.source, "Retain") == "Retain":
            return None
        return self.before.name if self.before else None

    def complete(self) -> None:
        self.completion_time = self.last_modified_time = naive_now()

    def summary(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Type": self.request["Type"],
            "Schedule": {"StartTime": self.start, "EndTime": self.end},
            "Status": self.status,
            "StatusReason": self.reason,
            "Description": self.request.get("Description"),
            "CreationTime": self.creation_time,
            "CompletionTime": self.completion_time,
            "LastModifiedTime": self.last_modified_time,
            "RoleArn": self.request["RoleArn"],
        }

    def described(self) -> dict[str, Any]:
        """The members of DescribeInferenceExperiment."""
        name = self.request["EndpointName"]
        endpoint = find_endpoint(self.backend, name)
        return self.summary() | {
            "Arn": self.arn,
            "EndpointMetadata": {
                "EndpointName": name,
                "EndpointConfigName": endpoint.config.name if endpoint else None,
                "EndpointStatus": endpoint.status if endpoint else None,
                "FailureReason": endpoint.failure_reason if endpoint else None,
            },
            "ModelVariants": [
                variant | {"Status": self.status_of(variant["VariantName"], endpoint)}
                for variant in self.variants.values()
            ],
            "DataStorageConfig": self.request.get("DataStorageConfig"),
            "ShadowModeConfig": self.request["ShadowModeConfig"],
            "KmsKey": self.request.get("KmsKey"),
        }

    def status_of(self, variant: str, endpoint: Endpoint | None) -> str:
        if self.status in ("Creating", "Created", "Starting"):
            return "Creating"
        serving = {each.name for each in endpoint.variants()} if endpoint else set()
        if self.status in ENDED:
            return "InService" if variant in serving else "Deleted"
        return "Deleting" if self.status == "Stopping" else "InService"


def variant_of(variant: Request) -> Request:
    """A model variant of an experiment as an endpoint configuration has it."""
    infrastructure = variant["InfrastructureConfig"]["RealTimeInferenceConfig"]
    return {
        "VariantName": variant["VariantName"],
        "ModelName": variant["ModelName"],
        "InstanceType": infrastructure["InstanceType"],
        "InitialInstanceCount": infrastructure["InstanceCount"],
        "InitialVariantWeight": 1.0,
    }


def capture_of(storage: Request) -> Request:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": storage["Destination"],
        "KmsKeyId": storage.get("KmsKey"),
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": storage.get("ContentType"),
    }


def schedule_of(request: Request) -> tuple[datetime, datetime]:
    """Start and end, in UTC without zone; at once and for seven days when nothing is said.

    Raises:
        AWSValidationException: the end is not after the start, or more than 30 days after it.
    """
    asked = request.get("Schedule") or {}
    start = plain(asked.get("StartTime")) or naive_now()
    end = plain(asked.get("EndTime")) or start + LASTS
    if end <= start:
        refuse("The end time of the schedule must be after its start time.")
    if end - start > AT_MOST:
        refuse("The duration of an inference experiment cannot exceed 30 days.")
    return start, end


def plain(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC).replace(tzinfo=None) if at and at.tzinfo else at


def check(backend: SageMakerModelBackend, request: Request) -> None:
    """What the model of the request cannot say.

    Raises:
        AWSValidationException: with the first rule that is broken.
    """
    names = [variant["VariantName"] for variant in request["ModelVariants"]]
    if len(set(names)) != len(names):
        refuse("Variant names must be unique within an inference experiment.")
    shadows = request["ShadowModeConfig"]["ShadowModelVariants"]
    if len(shadows) != 1:
        refuse("Exactly one shadow variant must be specified.")
    source, shadow = (
        request["ShadowModeConfig"]["SourceModelVariantName"],
        shadows[0]["ShadowModelVariantName"],
    )
    for name in (source, shadow):
        if name not in names:
            refuse(f'Variant "{name}" of ShadowModeConfig is not one of the ModelVariants.')
    if source == shadow:
        refuse("The source variant and the shadow variant must differ.")
    for variant in request["ModelVariants"]:
        if not variant["InfrastructureConfig"].get("RealTimeInferenceConfig"):
            refuse(f'Variant "{variant["VariantName"]}" needs a RealTimeInferenceConfig.')
        backend.describe_model(variant["ModelName"])
    endpoint = get_endpoint(backend, request["EndpointName"])
    if endpoint.config.serverless or endpoint.config.request.get("AsyncInferenceConfig"):
        refuse("Shadow tests support real-time endpoints on instances only.")
    if endpoint.config.shadows:
        refuse(f'Endpoint "{endpoint.arn}" has a shadow variant already.')


def find(backend: SageMakerModelBackend, name: str) -> InferenceExperiment:
    """An experiment by its name.

    Raises:
        ResourceNotFound: there is none.
    """
    found: InferenceExperiment | None = experiments(backend).get(name)
    if found is None:
        raise ResourceNotFound(f"Inference experiment {name} does not exist.")
    return found


def experiments(backend: SageMakerModelBackend) -> dict[str, Any]:
    return kept(backend, "inference_experiments")


def require(experiment: InferenceExperiment, *statuses: str) -> None:
    experiment.by_schedule()
    if experiment.status not in statuses:
        raise ConflictException(
            f"Inference experiment {experiment.name} is {experiment.status}; "
            f"this needs one that is {' or '.join(statuses)}."
        )


@CLOCK.every_tick
def keep_experiments_up() -> None:
    for _, regions in list(sagemaker_backends.items()):
        for _, backend in list(regions.items()):
            for experiment in list(experiments(backend).values()):
                experiment.keep_up()


# --- operations ----------------------------------------------------------------------------------


@adds(
    SageMakerResponse,
    "sagemaker",
    "CreateInferenceExperiment",
    differs=(
        "the endpoint configurations of an experiment are named after it, with `-shadow` or "
        "`-promoted`, and stay until they are deleted; refusals are the lab's own words"
    ),
)
def create_inference_experiment(self: Any) -> Any:
    backend, request = self.sagemaker_backend, dict(self.params)
    found = experiments(backend)
    if request["Name"] in found:
        raise ResourceInUseException(f"Inference experiment {request['Name']} already exists.")
    check(backend, request)
    experiment = InferenceExperiment(backend, request)
    if found.setdefault(request["Name"], experiment) is not experiment:
        raise ResourceInUseException(f"Inference experiment {request['Name']} already exists.")
    return ActionResult({"InferenceExperimentArn": experiment.arn})


@adds(SageMakerResponse, "sagemaker", "DescribeInferenceExperiment", differs="")
def describe_inference_experiment(self: Any) -> Any:
    experiment = find(self.sagemaker_backend, self.params["Name"])
    experiment.look()
    return ActionResult(experiment.described())


@adds(SageMakerResponse, "sagemaker", "ListInferenceExperiments", differs="")
def list_inference_experiments(self: Any) -> Any:
    keys = {"CreationTime": by_creation_time, "Name": by_name, "Status": by_status}
    wanted, kind = self.params.get("StatusEquals"), self.params.get("Type")
    found = [
        experiment
        for experiment in list(experiments(self.sagemaker_backend).values())
        if wanted in (None, experiment.look()) and kind in (None, experiment.request["Type"])
    ]
    shown, token = page(found, self.params, keys, 10)
    return ActionResult(
        {"InferenceExperiments": [each.summary() for each in shown], "NextToken": token}
    )


def by_status(experiment: InferenceExperiment) -> str:
    return experiment.status


@adds(SageMakerResponse, "sagemaker", "StartInferenceExperiment", differs="")
def start_inference_experiment(self: Any) -> Any:
    experiment = find(self.sagemaker_backend, self.params["Name"])
    if experiment.status == "Creating":
        experiment.look()
    require(experiment, "Created")
    experiment.begin()
    return ActionResult({"InferenceExperimentArn": experiment.arn})


@adds(
    SageMakerResponse,
    "sagemaker",
    "UpdateInferenceExperiment",
    differs="a new sampling percentage takes effect at once",
)
def update_inference_experiment(self: Any) -> Any:
    backend, request = self.sagemaker_backend, dict(self.params)
    experiment = find(backend, request["Name"])
    require(experiment, "Created", "Running")
    changed = experiment.request | {k: v for k, v in request.items() if v is not None}
    if experiment.status == "Running":
        check_running(experiment, request)
    else:
        check(backend, changed)
    start, end = schedule_of(
        {
            "Schedule": {"StartTime": experiment.start, "EndTime": experiment.end}
            | (request.get("Schedule") or {})
        }
    )
    experiment.request, experiment.start, experiment.end = changed, start, end
    if request.get("ShadowModeConfig"):
        experiment.resample(experiment.shadow["SamplingPercentage"])
    experiment.last_modified_time = naive_now()
    return ActionResult({"InferenceExperimentArn": experiment.arn})


def check_running(experiment: InferenceExperiment, request: Request) -> None:
    """A running test keeps its variants, its data storage and its start."""
    fixed = [name for name in ("ModelVariants", "DataStorageConfig") if request.get(name)]
    if (request.get("Schedule") or {}).get("StartTime"):
        fixed.append("Schedule.StartTime")
    asked = request.get("ShadowModeConfig")
    if asked and (
        asked["SourceModelVariantName"] != experiment.source
        or [s["ShadowModelVariantName"] for s in asked["ShadowModelVariants"]]
        != [experiment.shadow["ShadowModelVariantName"]]
    ):
        fixed.append("the variants of ShadowModeConfig")
    if fixed:
        refuse(f"A running inference experiment cannot change: {', '.join(fixed)}.")


@adds(
    SageMakerResponse,
    "sagemaker",
    "StopInferenceExperiment",
    differs="variants of the endpoint that the experiment did not know are gone after `Promote`",
)
def stop_inference_experiment(self: Any) -> Any:
    params = self.params
    experiment = find(self.sagemaker_backend, params["Name"])
    if experiment.status == "Starting":
        experiment.look()
    require(experiment, "Created", "Running")
    actions = params["ModelVariantActions"]
    check_actions(experiment, actions)
    status = params.get("DesiredState") or "Completed"
    if experiment.status == "Created":
        experiment.reason = params.get("Reason")
        experiment.course.divert([Stage("Stopping"), Stage("Cancelled", begin=experiment.complete)])
    else:
        desired = params.get("DesiredModelVariants")
        experiment.finish(status, actions, desired, params.get("Reason"))
    return ActionResult({"InferenceExperimentArn": experiment.arn})


def check_actions(experiment: InferenceExperiment, actions: Actions) -> None:
    unknown = sorted(set(actions) - set(experiment.variants))
    if unknown:
        refuse(f"Unknown variants in ModelVariantActions: {unknown}")
    missing = sorted(set(experiment.variants) - set(actions))
    if missing:
        refuse(f"ModelVariantActions must name every variant; missing: {missing}")
    if actions[experiment.source] == "Promote":
        refuse("Only a shadow variant can be promoted.")
    promoted = actions[experiment.shadow["ShadowModelVariantName"]] == "Promote"
    if actions[experiment.source] == "Remove" and not promoted:
        refuse("The production variant can only be removed when the shadow variant is promoted.")


@adds(SageMakerResponse, "sagemaker", "DeleteInferenceExperiment", differs="")
def delete_inference_experiment(self: Any) -> Any:
    experiment = find(self.sagemaker_backend, self.params["Name"])
    require(experiment, "Created", *ENDED)
    experiments(self.sagemaker_backend).pop(experiment.name, None)
    return ActionResult({"InferenceExperimentArn": experiment.arn})
