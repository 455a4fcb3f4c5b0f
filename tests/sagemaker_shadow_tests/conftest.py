"""An endpoint `shop` whose models are stand-ins: v1, v2 answer, v3 refuses, broken never loads."""

from collections.abc import Callable
from typing import Any

import pytest
from awslab.services.sagemaker import hosting
from awslab.services.sagemaker.hosting import Answer

BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


class FakeServer:
    """Answers with the first feature, shifted by 0.2 for v2."""

    ended = False

    def __init__(self, backend: Any, model_name: str) -> None:
        self.model_name = model_name
        self.in_flight = 0
        self.failure = "The model cannot be loaded." if model_name == "broken" else None

    def ready(self, seconds: float) -> bool:
        return True

    def end(self) -> None:
        pass

    def invoke(self, body: bytes, content_type: str, *_: Any, **__: Any) -> Answer:
        if self.model_name == "shop-v3":
            return Answer(400, b"Feature size", "text/plain", 1000.0)
        score = float(body.split(b",")[0]) + (0.2 if self.model_name == "shop-v2" else 0)
        return Answer(200, f"{score:.2f}".encode(), "text/csv; charset=utf-8", 2000.0)


@pytest.fixture
def shop(client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of SageMaker; two instances of `shop-v1` serve at `shop`."""
    monkeypatch.setattr(hosting, "ModelServer", FakeServer)
    place = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    sagemaker = client("sagemaker")
    for name in ("shop-v1", "shop-v2", "shop-v3", "broken"):
        container = {"Image": IMAGE}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "shop-v1",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="shop-v1", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop-v1")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    return sagemaker


CAPTURE = f"s3://{BUCKET}/capture"


@pytest.fixture
def shadowed(shop: Any, run: Callable[..., Any]) -> Callable[[str], None]:
    """`shadowed("shop-v2")`: that model is the shadow."""

    def start(model: str) -> None:
        result = run(
            "create_shadow_config",
            *("--endpoint", "shop", "--config", "shop-shadow"),
            *("--model", model, "--capture", CAPTURE),
        )
        assert (result.status, result.errors) == (0, "")

    return start


@pytest.fixture
def testing(shop: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """`testing("--share", "100")`: starts the experiment `v2-test`."""

    def start(*options: str, model: str = "shop-v2") -> Any:
        return run(
            "start_experiment",
            *("--name", "v2-test", "--endpoint", "shop", "--model", model),
            *("--role-arn", ROLE, "--capture", CAPTURE, *options),
        )

    return start


def serving(sagemaker: Any) -> dict[str, str]:
    """The models behind the endpoint, by variant."""
    endpoint = sagemaker.describe_endpoint(EndpointName="shop")
    assert endpoint["EndpointStatus"] == "InService"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variants = config["ProductionVariants"] + config.get("ShadowProductionVariants", [])
    return {each["VariantName"]: each["ModelName"] for each in variants}


@pytest.fixture
def models(shop: Any) -> Callable[[], dict[str, str]]:
    return lambda: serving(shop)
