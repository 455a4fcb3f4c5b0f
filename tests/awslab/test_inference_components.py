"""Inference components: models that share an endpoint, their copies, and the instances below."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from awslab.clock import CLOCK, naive_now
from awslab.inventory import resources
from awslab.services.sagemaker import hosting
from awslab.services.sagemaker.hosting import Answer
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
FRAMEWORK = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/pytorch-inference:2.6-cpu-py312"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
SCALING = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}
NO_ROOM = (
    "There is not enough hardware resources on the instances for this endpoint to create a copy of "
    "the inference component."
)
SCRIPT = """
import os

def model_fn(model_dir):
    return open(os.path.join(model_dir, "name")).read()

def transform_fn(model, data, content_type, accept, context):
    if data in (b"fail", "fail"):
        raise ValueError("no prediction by " + model)
    return model + " " + str(os.getpid()), "text/plain"
"""


class Server:
    """Instead of a real model server: it loads at once, unless its model is named `broken`."""

    running: ClassVar[list["Server"]] = []
    in_flight = 0
    ended = False

    def __init__(self, backend: Any, model_name: str, definitions: Any = None) -> None:
        self.failure = "The model cannot be loaded." if model_name == "broken" else None
        self.model_name, self.definitions = model_name, definitions
        Server.running.append(self)

    def ready(self, seconds: float) -> bool:
        return True

    def attach_logs(self, group: str, stream: str) -> None:
        self.logs = group

    def invoke(self, body: bytes, content_type: str, *more: str, **limits: float) -> Answer:
        return Answer(200, self.model_name.encode(), "text/plain", 1000.0)

    def end(self) -> None:
        self.ended = True
        if self in Server.running:
            Server.running.remove(self)


class Shop:
    """The endpoint `shop` for components, and what can be asked of it."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self.client = client
        self.sagemaker = client("sagemaker")
        self.runtime = client("sagemaker-runtime", retries={"total_max_attempts": 1})

    def model(self, name: str, **container: Any) -> None:
        self.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": IMAGE} | container,
            ExecutionRoleArn=ROLE,
        )

    def deploy(self, name: str = "shop", config: Any = None, **variant: Any) -> None:
        base = {
            "VariantName": "AllTraffic",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ExecutionRoleArn=ROLE,
            ProductionVariants=[base | variant],
            **config or {},
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)

    def create(self, name: str = "v1", model: str | None = None, **more: Any) -> str:
        request = {
            "InferenceComponentName": name,
            "EndpointName": "shop",
            "VariantName": "AllTraffic",
            "Specification": specification(model or name),
            "RuntimeConfig": {"CopyCount": 1},
        }
        answer = self.sagemaker.create_inference_component(**request | more)
        return str(answer["InferenceComponentArn"])

    def describe(self, name: str = "v1") -> dict[str, Any]:
        answer = self.sagemaker.describe_inference_component(InferenceComponentName=name)
        assert isinstance(answer, dict)
        return answer

    def wait(self, name: str = "v1", *until: str) -> dict[str, Any]:
        """Look until it is in service or has failed."""
        for _ in range(10):
            found = self.describe(name)
            if found["InferenceComponentStatus"] in (until or ("InService", "Failed")):
                return found
        raise AssertionError(found)

    def scale(self, copies: int, name: str = "v1") -> None:
        self.sagemaker.update_inference_component_runtime_config(
            InferenceComponentName=name, DesiredRuntimeConfig={"CopyCount": copies}
        )

    def copies(self, name: str = "v1") -> tuple[int, int]:
        found = self.describe(name)["RuntimeConfig"]
        return found["DesiredCopyCount"], found["CurrentCopyCount"]

    def instances(self) -> int:
        answer = self.sagemaker.describe_endpoint(EndpointName="shop")
        return int(answer["ProductionVariants"][0]["CurrentInstanceCount"])

    def ask(self, name: str | None = "v1", endpoint: str = "shop", body: bytes = b"1") -> str:
        named = {"InferenceComponentName": name} if name else {}
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **named)
        return str(answer["Body"].read().decode())

    def delete(self, name: str = "v1") -> None:
        self.sagemaker.delete_inference_component(InferenceComponentName=name)


def specification(model: str, memory: int = 1024, cores: float = 0.5) -> dict[str, Any]:
    needs = {"NumberOfCpuCoresRequired": cores, "MinMemoryRequiredInMb": memory}
    return {"ModelName": model, "ComputeResourceRequirements": needs}


@pytest.fixture
def shop(client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Models, and the endpoint `shop` in service, which scales between 0 and 2 instances."""
    monkeypatch.setattr(hosting, "ModelServer", Server)
    Server.running = []
    shop = Shop(client)
    for name in ("v1", "v2", "broken"):
        shop.model(name)
    shop.deploy(ManagedInstanceScaling=SCALING)
    yield shop
    CLOCK.run(None)


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **more)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_endpoint_without_models_is_in_service_and_answers_no_one(shop: Shop) -> None:
    endpoint = shop.sagemaker.describe_endpoint(EndpointName="shop")
    assert endpoint["EndpointStatus"] == "InService" and Server.running == []
    (variant,) = endpoint["ProductionVariants"]
    assert variant["ManagedInstanceScaling"] == SCALING
    assert variant["CurrentInstanceCount"] == 1 and variant["DeployedImages"] == []
    code, message = refusal(shop.ask, None)
    assert code == "ValidationError"
    assert message.startswith("Inference Component Name header is required for endpoints to which")


def test_a_component_from_its_creation_to_its_end(shop: Shop) -> None:
    arn = shop.create()
    assert arn == f"{PREFIX}:inference-component/v1"
    first = shop.describe()
    assert first["InferenceComponentStatus"] == "Creating"
    assert first["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 0}
    found = shop.describe()
    assert found["InferenceComponentStatus"] == "InService"
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert found["Specification"] == specification("v1")
    assert (found["EndpointName"], found["VariantName"]) == ("shop", "AllTraffic")
    assert found["EndpointArn"] == f"{PREFIX}:endpoint/shop"
    assert shop.ask() == "v1"
    shop.delete()
    assert shop.describe()["InferenceComponentStatus"] == "Deleting" and Server.running == []
    missing = ("ValidationException", f'Could not find inference component "{arn}".')
    assert refusal(shop.describe) == missing
    assert refusal(shop.delete) == missing
    assert refusal(shop.scale, 1) == missing


def test_each_component_has_its_own_model(shop: Shop) -> None:
    shop.create("v1")
    shop.create("v2")
    assert [shop.wait(name)["InferenceComponentStatus"] for name in ("v1", "v2")] == [
        "InService",
        "InService",
    ]
    assert (shop.ask("v1"), shop.ask("v2")) == ("v1", "v2")
    assert [server.logs for server in Server.running] == [
        "/aws/sagemaker/InferenceComponents/v1",
        "/aws/sagemaker/InferenceComponents/v2",
    ]


def test_copies_and_with_them_instances(shop: Shop) -> None:
    shop.create(Specification=specification("v1", memory=4096, cores=1))
    shop.wait()
    assert shop.instances() == 1
    shop.scale(3)  # two on each instance of 2 cores and 8 GiB
    assert (shop.describe()["InferenceComponentStatus"], shop.copies()) == ("Updating", (3, 3))
    assert shop.instances() == 2
    shop.scale(5)
    found = shop.wait()
    assert found["FailureReason"] == NO_ROOM and shop.copies() == (3, 3)
    shop.scale(1)
    assert "FailureReason" not in shop.wait() and shop.instances() == 1
    assert shop.ask() == "v1"


def test_without_copies_calls_fail_and_are_counted(shop: Shop) -> None:
    shop.create()
    shop.wait()
    shop.scale(0)
    assert shop.describe()["InferenceComponentStatus"] == "Updating" and shop.ask() == "v1"
    shop.wait()
    assert (shop.copies(), shop.instances(), Server.running) == ((0, 0), 0, [])
    code, message = refusal(shop.ask)
    assert code == "ValidationError"
    assert message.startswith("Inference Component has no capacity to process this request.")
    assert metric(shop, "NoCapacityInvocationFailures") == [1.0]
    shop.scale(1)
    shop.wait()
    assert shop.ask() == "v1" and shop.instances() == 1
    assert metric(shop, "Invocations") == [2.0] and metric(shop, "InvocationsPerCopy") == [2.0]


def metric(shop: Shop, name: str, statistic: str = "Sum") -> list[float]:
    answer = shop.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": "InferenceComponentName", "Value": "v1"}],
        StartTime=naive_now() - timedelta(hours=1),
        EndTime=naive_now() + timedelta(minutes=1),
        Period=7200,
        Statistics=[statistic],
    )
    return [point[statistic] for point in answer["Datapoints"]]


def test_a_component_may_begin_without_copies(shop: Shop) -> None:
    shop.create(RuntimeConfig={"CopyCount": 0})
    assert shop.wait()["InferenceComponentStatus"] == "InService"
    assert shop.copies() == (0, 0) and Server.running == [] and shop.instances() == 0


def test_a_fixed_number_of_instances(shop: Shop) -> None:
    shop.sagemaker.delete_endpoint(EndpointName="shop")
    shop.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="shop")
    shop.sagemaker.delete_endpoint_config(EndpointConfigName="shop")
    shop.deploy()
    shop.create(Specification=specification("v1", memory=8192))
    shop.wait()
    shop.scale(2)
    assert shop.wait()["FailureReason"] == NO_ROOM
    shop.scale(0)
    shop.wait()
    assert shop.instances() == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (specification("v1", memory=8193), NO_ROOM),
        (specification("v1", cores=2.5), NO_ROOM),
        (specification("broken"), "The model cannot be loaded."),
    ],
)
def test_what_cannot_run_fails(shop: Shop, given: dict[str, Any], reason: str) -> None:
    shop.create(Specification=given)
    found = shop.wait()
    assert (found["InferenceComponentStatus"], found["FailureReason"]) == ("Failed", reason)
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 0, "CurrentCopyCount": 0}
    assert refusal(shop.scale, 1)[1].endswith("while it is in state CREATE_FAILED.")
    assert refusal(shop.ask)[1].startswith("Inference Component has no capacity")
    shop.delete()
    shop.wait("v1", "Deleting")
    assert Server.running == []


def test_an_update_loads_before_it_takes_over(shop: Shop) -> None:
    update = shop.sagemaker.update_inference_component
    shop.create()
    shop.wait()
    policy = {
        "MaximumBatchSize": {"Type": "COPY_COUNT", "Value": 1},
        "WaitIntervalInSeconds": 60,
    }
    config = {"RollingUpdatePolicy": policy}
    update(InferenceComponentName="v1", Specification=specification("v2"), DeploymentConfig=config)
    assert shop.ask() == "v1" and len(Server.running) == 2
    found = shop.wait()
    assert (found["Specification"]["ModelName"], shop.ask()) == ("v2", "v2")
    assert found["LastDeploymentConfig"] == config and len(Server.running) == 1
    update(InferenceComponentName="v1", Specification=specification("broken"))
    found = shop.wait()
    assert found["FailureReason"] == "The model cannot be loaded."
    assert (found["Specification"]["ModelName"], shop.ask()) == ("v2", "v2")
    assert len(Server.running) == 1


def test_a_container_of_its_own(shop: Shop) -> None:
    container = {"Image": IMAGE, "ArtifactUrl": "s3://b/model.tar.gz", "Environment": {"A": "b"}}
    needs = {"MinMemoryRequiredInMb": 512}
    shop.create(Specification={"Container": container, "ComputeResourceRequirements": needs})
    found = shop.wait()["Specification"]
    assert found["Container"]["DeployedImage"]["SpecifiedImage"] == IMAGE
    assert "@sha256:" in found["Container"]["DeployedImage"]["ResolvedImage"]
    assert found["Container"]["ArtifactUrl"] == "s3://b/model.tar.gz"
    definition = {"Image": IMAGE, "ModelDataUrl": "s3://b/model.tar.gz", "Environment": {"A": "b"}}
    assert [server.definitions for server in Server.running] == [[definition]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"EndpointName": "none"}, f'Could not find endpoint "{PREFIX}:endpoint/none".'),
        ({"VariantName": "none"}, 'Could not find variant "none" of endpoint'),
        (
            {"Specification": specification("none")},
            f'Could not find model "{PREFIX}:model/none".',
        ),
        (
            {"Specification": {"ModelName": "v1"}},
            "Specification must specify ComputeResourceRequirements.",
        ),
        (
            {"Specification": {"ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128}}},
            "Specification must specify exactly one of ModelName and Container.",
        ),
        (
            {
                "Specification": {
                    "Container": {"ArtifactUrl": "s3://b/k"},
                    "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128},
                }
            },
            "The Container of an inference component must specify an Image.",
        ),
        (
            {
                "Specification": {
                    "ModelName": "v1",
                    "ComputeResourceRequirements": {
                        "MinMemoryRequiredInMb": 256,
                        "MaxMemoryRequiredInMb": 128,
                    },
                }
            },
            "MaxMemoryRequiredInMb must not be less than MinMemoryRequiredInMb.",
        ),
        ({"Specification": {"BaseInferenceComponentName": "a"}}, "The lab has no adapters"),
        ({"Specifications": [specification("v1")]}, "The lab has no Specifications"),
    ],
)
def test_requests_that_are_refused(shop: Shop, changes: dict[str, Any], said: str) -> None:
    code, message = refusal(shop.create, **changes)
    assert code == "ValidationException" and message.startswith(said)
    assert shop.sagemaker.list_inference_components()["InferenceComponents"] == []


def test_names_are_unique(shop: Shop) -> None:
    arn = shop.create()
    said = f'Cannot create already existing inference component "{arn}".'
    assert refusal(shop.create) == ("ValidationException", said)


def test_an_endpoint_with_models_takes_no_components(shop: Shop) -> None:
    shop.deploy("plain", ModelName="v1")
    assert "has a model" in refusal(shop.create, EndpointName="plain")[1]
    code, message = refusal(shop.ask, "v1", "plain")
    assert code == "ValidationError"
    assert message.startswith("Inference Component Name header is not allowed for endpoints to")


@pytest.mark.parametrize(
    ("config", "variant"),
    [
        ({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/k"}}}, {}),
        (
            {},
            {
                "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1},
                "InstanceType": None,
                "InitialInstanceCount": None,
            },
        ),
    ],
)
def test_components_need_a_real_time_endpoint(shop: Shop, config: Any, variant: Any) -> None:
    base = {
        "VariantName": "AllTraffic",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    chosen = {name: value for name, value in (base | variant).items() if value is not None}
    code, message = refusal(
        shop.sagemaker.create_endpoint_config,
        EndpointConfigName="other",
        ExecutionRoleArn=ROLE,
        ProductionVariants=[chosen],
        **config,
    )
    assert code == "ValidationException" and "need a real-time endpoint" in message


def test_a_component_of_another_endpoint(shop: Shop) -> None:
    shop.deploy("other")
    shop.create("v1")
    shop.wait("v1")
    assert refusal(shop.ask, "v1", "other") == (
        "ValidationError",
        "Inference component v1 of endpoint other not found.",
    )
    assert refusal(shop.ask, "none")[1] == "Inference component none of endpoint shop not found."


def test_what_is_going_on_cannot_be_changed(shop: Shop) -> None:
    arn = shop.create()
    said = f'Cannot update inference component "{arn}" while it is in state CREATE_IN_PROGRESS.'
    assert refusal(shop.scale, 2) == ("ValidationException", said)
    shop.wait()
    shop.scale(2)
    said = f'Cannot delete inference component "{arn}" while it is in state UPDATE_RC_IN_PROGRESS.'
    assert refusal(shop.delete) == ("ValidationException", said)
    shop.wait()
    shop.delete()
    assert refusal(shop.delete)[1].endswith("while it is in state DELETE_IN_PROGRESS.")


def test_it_needs_an_endpoint_in_service(shop: Shop) -> None:
    shop.sagemaker.create_endpoint(EndpointName="new", EndpointConfigName="shop")
    code, message = refusal(shop.create, EndpointName="new")
    assert (code, message) == (
        "ValidationException",
        f'Cannot update in-progress endpoint "{PREFIX}:endpoint/new".',
    )


def test_a_component_outlives_its_endpoint(shop: Shop) -> None:
    shop.create()
    shop.wait()
    shop.sagemaker.delete_endpoint(EndpointName="shop")
    shop.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="shop")
    assert Server.running == []
    assert shop.describe()["InferenceComponentStatus"] == "InService"
    shop.sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop")
    shop.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    assert refusal(shop.ask)[1] == "Inference component v1 of endpoint shop not found."
    shop.delete()
    shop.wait("v1", "Deleting")
    assert refusal(shop.describe)[0] == "ValidationException"


def test_lists(shop: Shop) -> None:
    shop.create("v1")
    shop.create("v2", Tags=[{"Key": "team", "Value": "shop"}])
    for name in ("v1", "v2"):
        shop.wait(name)
    shop.scale(2, "v2")

    def names(**wanted: Any) -> list[str]:
        found = shop.sagemaker.list_inference_components(SortBy="Name", **wanted)
        return [each["InferenceComponentName"] for each in found["InferenceComponents"]]

    assert names(StatusEquals="Updating") == ["v2"]
    assert names() == ["v2", "v1"]
    assert names(SortOrder="Ascending", MaxResults=1) == ["v1"]
    assert names(EndpointNameEquals="none") == names(VariantNameEquals="none") == []
    arn = f"{PREFIX}:inference-component/v2"
    assert shop.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "shop"}]
    shown = [each.name for each in resources() if each.type == "inference-component"]
    assert shown == ["v1", "v2"]


def test_time_passes_on_the_clock(shop: Shop) -> None:
    CLOCK.run(0)
    shop.create()
    CLOCK.advance(60)
    assert shop.describe()["InferenceComponentStatus"] == "Creating"
    CLOCK.advance(60)
    assert shop.describe()["InferenceComponentStatus"] == "InService"
    shop.scale(2)
    CLOCK.advance(120)
    assert shop.copies() == (2, 2)
    shop.delete()
    CLOCK.advance(60)
    assert refusal(shop.describe)[0] == "ValidationException"


# --- scaling by itself ----------------------------------------------------------------------------

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "inference-component/v1",
    "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
}


def follow(shop: Shop) -> None:
    """Scale v1 between 0 and 2 copies by its calls, and from zero by those that fail."""
    scaling = shop.client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2)
    metric = {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"}
    answer = scaling.put_scaling_policy(
        **TARGET,
        PolicyName="calls",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "PredefinedMetricSpecification": metric,
        },
    )
    assert len(answer["Alarms"]) == 2
    wake = scaling.put_scaling_policy(
        **TARGET,
        PolicyName="wake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    shop.client("cloudwatch").put_metric_alarm(
        AlarmName="wake",
        Namespace="AWS/SageMaker",
        MetricName="NoCapacityInvocationFailures",
        Dimensions=[{"Name": "InferenceComponentName", "Value": "v1"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[wake["PolicyARN"]],
    )


def counts(shop: Shop) -> list[str]:
    found = shop.client("application-autoscaling").describe_scaling_activities(
        ServiceNamespace="sagemaker"
    )["ScalingActivities"]
    return [f"{each['Description']} {each['StatusCode']}" for each in reversed(found)]


def test_to_zero_and_back_in_the_instant_gait(shop: Shop) -> None:
    shop.create()
    shop.wait()
    follow(shop)
    for _ in range(4):
        shop.describe()
    assert shop.copies() == (0, 0) and shop.instances() == 0
    refusal(shop.ask)
    for _ in range(4):
        shop.describe()
    assert shop.ask() == "v1" and shop.copies() == (1, 1)
    assert counts(shop) == [
        "Setting desired copy count to 0. Successful",
        "Setting desired copy count to 1. Successful",
    ]


def test_to_zero_and_back_on_the_clock(shop: Shop) -> None:
    CLOCK.run(0)
    shop.create()
    CLOCK.advance(120)
    follow(shop)
    CLOCK.advance(60)
    shop.ask()
    CLOCK.advance(10 * 60)
    assert shop.copies() == (1, 1)  # fifteen minutes without calls make it zero
    CLOCK.advance(10 * 60)
    assert shop.copies() == (0, 0)
    CLOCK.advance(20 * 60)
    refusal(shop.ask)
    CLOCK.advance(60)
    assert shop.copies() == (1, 0)  # the alarm has woken it, and the copy loads
    for _ in range(4):  # the zeros from before are no reason to take it away again
        CLOCK.advance(180)
        assert shop.ask() == "v1"
    assert counts(shop) == [
        "Setting desired copy count to 0. Successful",
        "Setting desired copy count to 1. Successful",
    ]


def test_scale_out_by_calls(shop: Shop) -> None:
    shop.create()
    shop.wait()
    for _ in range(8):
        shop.ask()
    follow(shop)
    for _ in range(4):
        shop.describe()
    assert shop.copies() == (2, 2)


def test_what_cannot_be_registered(shop: Shop) -> None:
    register = shop.client("application-autoscaling").register_scalable_target
    assert refusal(register, **TARGET, MinCapacity=0, MaxCapacity=1) == (
        "ValidationException",
        "SageMaker inference component doesn't exist: inference-component/v1",
    )
    wrong = TARGET | {"ResourceId": "endpoint/shop/variant/AllTraffic"}
    assert refusal(register, **wrong, MinCapacity=0, MaxCapacity=1)[1].startswith("Unsupported")
    shop.create()
    shop.wait()
    follow(shop)
    shop.delete()
    shop.wait("v1", "Deleting")
    refusal(shop.describe)
    assert counts(shop) == [] or "InProgress" not in " ".join(counts(shop))


# --- real model servers ---------------------------------------------------------------------------


def archive(name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        for file, content in (("name", name), ("code/inference.py", SCRIPT)):
            info = tarfile.TarInfo(file)
            info.size = len(content.encode())
            opened.addfile(info, io.BytesIO(content.encode()))
    return packed.getvalue()


def test_models_answer_from_processes_of_their_own(client: Callable[..., Any]) -> None:
    shop = Shop(client)
    s3 = client("s3")
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="amzn-s3-demo-bucket", CreateBucketConfiguration=where)
    for name in ("blue", "green"):
        s3.put_object(Bucket="amzn-s3-demo-bucket", Key=f"{name}.tar.gz", Body=archive(name))
    data = "s3://amzn-s3-demo-bucket/blue.tar.gz"
    shop.model("blue", Image=FRAMEWORK, ModelDataUrl=data)
    shop.deploy(ManagedInstanceScaling=SCALING)
    shop.create("blue")
    container = {"Image": FRAMEWORK, "ArtifactUrl": "s3://amzn-s3-demo-bucket/green.tar.gz"}
    needs = {"MinMemoryRequiredInMb": 512}
    green = {"Container": container, "ComputeResourceRequirements": needs}
    shop.create("green", Specification=green)
    for name in ("blue", "green"):
        assert shop.wait(name)["InferenceComponentStatus"] == "InService"
    said = {name: shop.ask(name).split() for name in ("blue", "green")}
    assert said["blue"][0] == "blue" and said["green"][0] == "green"
    assert said["blue"][1] != said["green"][1]
    code, message = refusal(shop.ask, "green", body=b"fail")
    assert code == "ModelError"
    assert "group=/aws/sagemaker/InferenceComponents/green in account" in message
    groups = client("logs").describe_log_groups()["logGroups"]
    assert "/aws/sagemaker/InferenceComponents/green" in json.dumps(
        [group["logGroupName"] for group in groups]
    )
    shop.scale(0, "blue")
    shop.wait("blue")
    shop.scale(1, "blue")
    shop.wait("blue")
    name, process = shop.ask("blue").split()
    assert name == "blue" and process != said["blue"][1]
