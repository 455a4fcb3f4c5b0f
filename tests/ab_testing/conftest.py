"""The endpoint shop of two variants, v1 and v2."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from awslab.embedded import embedded_lab
from awslab.run import Result
from guardrails.shop import configure, start, upload

Run = Callable[..., Result]


def program(name: str, *arguments: str) -> Result:
    return start(f"ab_testing/{name}", *arguments)


@pytest.fixture
def ab() -> Run:
    """`ab("change_weights", "--endpoint", "shop", …)`, in the lab that is open."""
    return program


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The validation data; the endpoint shop shares the traffic evenly between v1 and v2."""
    with embedded_lab():
        file = upload(tmp_path_factory.mktemp("ab"))
        configure("v1", "v2", instances=1)
        variants = ("--variants", "v1=shop-v1", "v2=shop-v2")
        assert program("create_ab_config", "--name", "shop-ab", *variants).status == 0
        assert start("create_endpoint", "--endpoint", "shop", "--config", "shop-ab").status == 0
        yield file
