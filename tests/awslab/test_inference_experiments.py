"""Inference experiments: shadow tests from their schedule to their end."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from awslab.clock import CLOCK, now
from awslab.services.sagemaker import hosting
from botocore.exceptions import ClientError

IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"


class FakeServer:
    """A server that loads at once, unless its model is named `broken`."""

    def __init__(self, backend: Any, model_name: str) -> None:
        self.failure = "The model cannot be loaded." if model_name == "broken" else None

    def ready(self, seconds: float) -> bool:
        return True

    def end(self) -> None:
        pass


@pytest.fixture
def sagemaker(client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client, models, and the endpoint `shop` in service."""
    monkeypatch.setattr(hosting, "ModelServer", FakeServer)
    sagemaker = client("sagemaker")
    for name in ("shop-v1", "shop-v2", "broken"):
        container = {"Image": IMAGE}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "shop-v1",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="shop", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    yield sagemaker
    CLOCK.run(None)


def variant(name: str, model: str, count: int = 1) -> dict[str, Any]:
    instances = {"InstanceType": "ml.m5.large", "InstanceCount": count}
    infrastructure = {
        "InfrastructureType": "RealTimeInference",
        "RealTimeInferenceConfig": instances,
    }
    return {"VariantName": name, "ModelName": model, "InfrastructureConfig": infrastructure}


def create(sagemaker: Any, **changes: Any) -> None:
    request: dict[str, Any] = {
        "Name": "shadow-test",
        "Type": "ShadowMode",
        "RoleArn": ROLE,
        "EndpointName": "shop",
        "ModelVariants": [variant("Primary", "shop-v1"), variant("Shadow", "shop-v2", 2)],
        "ShadowModeConfig": {
            "SourceModelVariantName": "Primary",
            "ShadowModelVariants": [{"ShadowModelVariantName": "Shadow", "SamplingPercentage": 40}],
        },
        "DataStorageConfig": {"Destination": "s3://amzn-s3-demo-bucket/capture"},
    }
    sagemaker.create_inference_experiment(**request | changes)


def statuses(sagemaker: Any, until: str) -> list[str]:
    """What the looks meet until a status."""
    met: list[str] = []
    while until not in met and len(met) < 20:
        met.append(sagemaker.describe_inference_experiment(Name="shadow-test")["Status"])
    return list(dict.fromkeys(met))


def stop(sagemaker: Any, primary: str, shadow: str, **more: Any) -> None:
    actions = {"Primary": primary, "Shadow": shadow}
    sagemaker.stop_inference_experiment(Name="shadow-test", ModelVariantActions=actions, **more)


def models(sagemaker: Any) -> dict[str, str]:
    """Models behind the endpoint, by variant."""
    endpoint = sagemaker.describe_endpoint(EndpointName="shop")
    assert endpoint["EndpointStatus"] == "InService"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variants = config["ProductionVariants"] + config.get("ShadowProductionVariants", [])
    return {each["VariantName"]: each["ModelName"] for each in variants}


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **more)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_without_a_schedule_it_starts_at_once_for_seven_days(sagemaker: Any) -> None:
    create(sagemaker)
    assert statuses(sagemaker, "Running") == ["Creating", "Created", "Starting", "Running"]
    found = sagemaker.describe_inference_experiment(Name="shadow-test")
    assert found["Schedule"]["EndTime"] - found["Schedule"]["StartTime"] == timedelta(days=7)
    assert [v["Status"] for v in found["ModelVariants"]] == ["InService", "InService"]
    assert found["EndpointMetadata"] == {
        "EndpointName": "shop",
        "EndpointConfigName": "shadow-test-shadow",
        "EndpointStatus": "InService",
    }


def test_a_running_test_mirrors_its_share_and_captures(sagemaker: Any) -> None:
    create(sagemaker)
    statuses(sagemaker, "Running")
    endpoint = sagemaker.describe_endpoint(EndpointName="shop")
    (shadow,) = endpoint["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentWeight"], shadow["CurrentInstanceCount"]) == (
        "Shadow",
        pytest.approx(0.4),
        2,
    )
    assert endpoint["DataCaptureConfig"]["DestinationS3Uri"] == "s3://amzn-s3-demo-bucket/capture"


@pytest.mark.parametrize(
    ("primary", "shadow", "left"),
    [
        ("Retain", "Remove", {"AllTraffic": "shop-v1"}),
        ("Remove", "Promote", {"Shadow": "shop-v2"}),
        ("Retain", "Retain", {"Primary": "shop-v1", "Shadow": "shop-v2"}),
    ],
)
def test_what_is_left_when_it_is_stopped(
    sagemaker: Any, primary: str, shadow: str, left: dict[str, str]
) -> None:
    create(sagemaker)
    statuses(sagemaker, "Running")
    stop(sagemaker, primary, shadow, Reason="agreement 0.99")
    assert statuses(sagemaker, "Completed") == ["Stopping", "Completed"]
    assert models(sagemaker) == left
    found = sagemaker.describe_inference_experiment(Name="shadow-test")
    assert found["StatusReason"] == "agreement 0.99" and found["CompletionTime"]


def test_a_promoted_variant_may_get_other_instances(sagemaker: Any) -> None:
    create(sagemaker)
    statuses(sagemaker, "Running")
    desired = [variant("Shadow", "shop-v2", 3)]
    stop(sagemaker, "Remove", "Promote", DesiredModelVariants=desired, DesiredState="Completed")
    statuses(sagemaker, "Completed")
    (serving,) = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert serving["CurrentInstanceCount"] == 3


def test_a_cancelled_test_says_so(sagemaker: Any) -> None:
    create(sagemaker)
    statuses(sagemaker, "Running")
    stop(sagemaker, "Retain", "Remove", DesiredState="Cancelled")
    assert statuses(sagemaker, "Cancelled")[-1] == "Cancelled"


def test_by_schedule_it_starts_and_ends_by_itself(sagemaker: Any) -> None:
    CLOCK.run(0)
    start = now() + timedelta(hours=1)
    create(sagemaker, Schedule={"StartTime": start, "EndTime": start + timedelta(hours=2)})
    met = []
    for seconds in (0, 120, 3600, 1200, 7200, 1200):
        CLOCK.advance(seconds)
        met.append(sagemaker.describe_inference_experiment(Name="shadow-test")["Status"])
    assert met == ["Creating", "Created", "Starting", "Running", "Completed", "Completed"]
    assert models(sagemaker) == {"AllTraffic": "shop-v1"}


def test_a_scheduled_test_can_be_started_early(sagemaker: Any) -> None:
    create(sagemaker, Schedule={"StartTime": now() + timedelta(days=1)})
    assert statuses(sagemaker, "Running") == ["Creating", "Created"]
    sagemaker.start_inference_experiment(Name="shadow-test")
    assert statuses(sagemaker, "Running") == ["Starting", "Running"]
    code, message = refusal(sagemaker.start_inference_experiment, Name="shadow-test")
    assert (code, message) == (
        "ConflictException",
        "Inference experiment shadow-test is Running; this needs one that is Created.",
    )


def test_a_running_test_may_change_its_share_only(sagemaker: Any) -> None:
    create(sagemaker)
    statuses(sagemaker, "Running")
    share = {"ShadowModelVariantName": "Shadow", "SamplingPercentage": 100}
    config = {"SourceModelVariantName": "Primary", "ShadowModelVariants": [share]}
    sagemaker.update_inference_experiment(Name="shadow-test", ShadowModeConfig=config)
    (shadow,) = sagemaker.describe_endpoint(EndpointName="shop")["ShadowProductionVariants"]
    assert shadow["CurrentWeight"] == 1.0
    assert refusal(
        sagemaker.update_inference_experiment,
        Name="shadow-test",
        ModelVariants=[variant("Primary", "shop-v1")],
    ) == (
        "ValidationException",
        "A running inference experiment cannot change: ModelVariants.",
    )


def test_a_shadow_that_cannot_load_cancels_the_test(sagemaker: Any) -> None:
    create(sagemaker, ModelVariants=[variant("Primary", "shop-v1"), variant("Shadow", "broken")])
    assert statuses(sagemaker, "Cancelled")[-1] == "Cancelled"
    found = sagemaker.describe_inference_experiment(Name="shadow-test")
    assert "cannot be loaded" in found["StatusReason"]
    assert models(sagemaker) == {"AllTraffic": "shop-v1"}


def test_names_are_unique(sagemaker: Any) -> None:
    create(sagemaker)
    assert refusal(create, sagemaker) == (
        "ResourceInUse",
        "Inference experiment shadow-test already exists.",
    )


def shadow_config(source: str, *shadows: str) -> dict[str, Any]:
    return {
        "SourceModelVariantName": source,
        "ShadowModelVariants": [
            {"ShadowModelVariantName": name, "SamplingPercentage": 10} for name in shadows
        ],
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"ShadowModeConfig": shadow_config("Primary", "Primary")},
            "The source variant and the shadow variant must differ.",
        ),
        (
            {"ShadowModeConfig": shadow_config("Primary", "Other")},
            'Variant "Other" of ShadowModeConfig is not one of the ModelVariants.',
        ),
        (
            {"ModelVariants": [variant("Primary", "shop-v1"), variant("Primary", "shop-v2")]},
            "Variant names must be unique within an inference experiment.",
        ),
        (
            {"Schedule": {"EndTime": now() + timedelta(days=31)}},
            "The duration of an inference experiment cannot exceed 30 days.",
        ),
        (
            {"Schedule": {"EndTime": now() - timedelta(days=1)}},
            "The end time of the schedule must be after its start time.",
        ),
    ],
)
def test_requests_that_contradict_themselves(
    sagemaker: Any, changes: dict[str, Any], said: str
) -> None:
    assert refusal(create, sagemaker, **changes) == ("ValidationException", said)


@pytest.mark.parametrize(
    ("primary", "shadow", "said"),
    [
        ("Promote", "Remove", "Only a shadow variant can be promoted."),
        (
            "Remove",
            "Remove",
            "The production variant can only be removed when the shadow variant is promoted.",
        ),
    ],
)
def test_actions_that_make_no_sense(sagemaker: Any, primary: str, shadow: str, said: str) -> None:
    create(sagemaker)
    statuses(sagemaker, "Running")
    assert refusal(stop, sagemaker, primary, shadow) == ("ValidationException", said)


def test_only_an_ended_test_is_deleted_and_its_configurations_stay(sagemaker: Any) -> None:
    create(sagemaker)
    statuses(sagemaker, "Running")
    assert refusal(sagemaker.delete_inference_experiment, Name="shadow-test")[0] == (
        "ConflictException"
    )
    stop(sagemaker, "Retain", "Remove")
    statuses(sagemaker, "Completed")
    sagemaker.delete_inference_experiment(Name="shadow-test")
    assert sagemaker.list_inference_experiments()["InferenceExperiments"] == []
    assert refusal(sagemaker.describe_inference_experiment, Name="shadow-test") == (
        "ResourceNotFound",
        "Inference experiment shadow-test does not exist.",
    )
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert {c["EndpointConfigName"] for c in configs} == {"shop", "shadow-test-shadow"}


def test_lists_are_filtered(sagemaker: Any) -> None:
    create(sagemaker)
    create(sagemaker, Name="another", Schedule={"StartTime": now() + timedelta(days=1)})
    statuses(sagemaker, "Running")
    found = sagemaker.list_inference_experiments(StatusEquals="Running")["InferenceExperiments"]
    assert [each["Name"] for each in found] == ["shadow-test"]


def test_each_region_has_its_own(sagemaker: Any, client: Callable[..., Any]) -> None:
    create(sagemaker)
    other = client("sagemaker", region="us-east-1")
    assert other.list_inference_experiments()["InferenceExperiments"] == []
