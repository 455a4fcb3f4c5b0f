"""The handler before an endpoint of the lab, and what it makes of bad requests and errors."""

import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result
from botocore.exceptions import ClientError

Run = Callable[..., Result]


class Runtime:
    """Instead of a client of an endpoint: it keeps what it is asked."""

    def __init__(self, answer: str) -> None:
        self.answer, self.asked = answer, dict[str, Any]()

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"Body": io.BytesIO(self.answer.encode())}


@pytest.fixture
def module(example: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("ENDPOINT_NAME", "shop")
    return example("score_rows")


def test_rows_become_scores(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime("0.25\n0.12345\n")
    monkeypatch.setattr(module, "runtime", lambda: runtime)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "4")
    answer = module.handler({"body": "1,2\n3,4\n"}, None)
    assert runtime.asked == {
        "EndpointName": "shop",
        "ContentType": "text/csv",
        "Accept": "text/csv",
        "Body": "1,2\n3,4",
    }
    assert answer["statusCode"] == 200
    assert answer["headers"] == {"Content-Type": "application/json"}
    assert json.loads(answer["body"]) == {"version": "4", "scores": [0.25, 0.123]}


@pytest.mark.parametrize("separator", ["\n", ","])  # of containers 3.x, and of older ones
def test_both_separators(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, separator: str
) -> None:
    monkeypatch.setattr(module, "runtime", lambda: Runtime(separator.join(["0.5", "0.75"])))
    body = json.loads(module.handler({"body": "1\n2"}, None)["body"])
    assert body["scores"] == [0.5, 0.75]


@pytest.mark.parametrize("event", [{}, {"body": None}, {"body": " \n"}])
def test_a_request_without_rows_is_the_callers_mistake(
    module: ModuleType, event: dict[str, Any]
) -> None:
    answer = module.handler(event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {"message": "send rows of CSV without the label"}


def test_what_the_endpoint_refuses_is_raised(module: ModuleType, lab: None) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        module.handler({"body": "1,2"}, None)


def test_one_client_serves_all_requests(module: ModuleType, lab: None) -> None:
    assert module.runtime() is module.runtime()


def test_tried_without_the_setting(run: Run) -> None:
    result = run("score_rows", "--body", "1,2")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "The setting 'ENDPOINT_NAME' is missing: set it to the name of your endpoint.\n"
    )


def test_tried_without_rows(run: Run) -> None:
    result = run("score_rows", ENDPOINT_NAME="shop")
    assert (result.status, result.errors) == (1, "")
    assert result.output == '400 {"message": "send rows of CSV without the label"}\n'


def test_tried_without_an_endpoint(run: Run) -> None:
    result = run("score_rows", "--body", "1,2", ENDPOINT_NAME="shop")
    assert (result.status, result.output) == (1, "")
    assert "Endpoint shop of account 111122223333 not found." in result.errors
    assert result.errors.endswith(
        " Check ENDPOINT_NAME, the columns, AWS_DEFAULT_REGION and credentials.\n"
    )
