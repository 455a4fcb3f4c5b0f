"""A function `shop-score` on the lab, whose first version works with rows of three numbers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awslab.run import Result
from awslab.scenarios import EXAMPLES

HANDLER = EXAMPLES / "lambda_traffic_shifting" / "weigh_row.py"
GOOD, BAD = "0.8,-0.5,1.1", "0.8,-0.5"

Run = Callable[..., Result]


@pytest.fixture
def create(run: Run) -> Run:
    def start(name: str = "shop-score", *options: str, file: Path = HANDLER) -> Result:
        given = ("--function", name, "--file", str(file), "--weights", GOOD)
        return run("create_function", *given, *options)

    return start


@pytest.fixture
def publish(run: Run) -> Run:
    def start(weights: str, name: str = "shop-score") -> Result:
        return run("publish_version", "--function", name, "--weights", weights)

    return start


@pytest.fixture
def answers(client: Callable[..., Any]) -> Callable[[str], Any]:
    """`answers("live")`: what the function answers to three numbers, asked by this qualifier."""

    def ask(qualifier: str) -> Any:
        event = json.dumps({"row": [1, 2, 0.5]})
        answer = client("lambda").invoke(
            FunctionName="shop-score", Qualifier=qualifier, Payload=event
        )
        return json.loads(answer["Payload"].read())

    return ask
