"""Models, and endpoints of them, as the programs of examples/inference_options make them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from guardrails.shop import BUCKET, ROLE, configure, start, upload

Run = Callable[..., Any]


@pytest.fixture
def file(lab: None, tmp_path: Path) -> Path:
    """The validation data; there are the models shop-v1 and shop-v2."""
    found = upload(tmp_path / "data")
    configure("v1", "v2")
    return found


@pytest.fixture
def go(lab: None) -> Run:
    """`go("create_async", "--endpoint", …)`: a program of this folder."""
    return lambda name, *given: start(f"inference_options/{name}", *given)


@pytest.fixture
def queue(file: Path, go: Run) -> Path:
    """The same; the asynchronous endpoint queue serves shop-v1."""
    given = ("--endpoint", "queue", "--model", "shop-v1", "--bucket", BUCKET)
    assert go("create_async", *given).status == 0
    return file


@pytest.fixture
def shared(file: Path, go: Run) -> Path:
    """The same as file; the endpoint shared hosts the component shop-v1 with one copy."""
    assert go("create_component_endpoint", "--endpoint", "shared", "--role-arn", ROLE).status == 0
    given = ("--endpoint", "shared", "--component", "shop-v1", "--cores", "1")
    assert go("create_component", *given).status == 0
    return file
