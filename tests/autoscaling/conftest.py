"""The endpoint shop of one instance of the variant AllTraffic."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from awslab.embedded import embedded_lab
from awslab.run import Result
from awslab.services.sagemaker import hosting
from guardrails.shop import IMAGE, ROLE, configure, start, upload

Run = Callable[..., Result]


class Server:
    """Instead of a real model server: it needs no time."""

    failure = None
    ended = False

    def __init__(self, backend: Any, model_name: str) -> None: ...

    def ready(self, seconds: float) -> bool:
        return True

    def end(self) -> None: ...


@pytest.fixture
def scaling() -> Run:
    """`scaling("remove_scaling", "--endpoint", "shop")`, in the lab that is open."""
    return lambda name, *arguments: start(f"autoscaling/{name}", *arguments)


@pytest.fixture
def endpoint(client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """shop is in service and answers nothing; a client of Application Auto Scaling."""
    monkeypatch.setattr(hosting, "ModelServer", Server)
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="shop", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE
    )
    variant = {"VariantName": "AllTraffic", "ModelName": "shop", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName="shop", ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
    )
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    return client("application-autoscaling")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The validation data; shop serves v1 with a real model server."""
    with embedded_lab():
        file = upload(tmp_path_factory.mktemp("scaling"))
        configure("v1", instances=1)
        assert start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1").status == 0
        yield file
