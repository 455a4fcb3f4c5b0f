from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

Run = Callable[..., Result]


@pytest.fixture
def handler(example: Callable[[str], ModuleType]) -> Callable[..., Any]:
    found: Callable[..., Any] = example("weigh_row").handler
    return found


def test_the_score_is_that_of_a_logistic_regression(
    handler: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHTS", "0.8,-0.5,1.1")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
    # 0.8 * 1 - 0.5 * 2 + 1.1 * 0.5 = 0.35, and 1 / (1 + e^-0.35) = 0.5866
    assert handler({"row": [1, 2, 0.5]}, None) == {"version": "7", "score": 0.587}


def test_another_number_of_numbers_is_an_error(
    handler: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHTS", "0.8,-0.5")
    with pytest.raises(ValueError, match="the model takes 2 numbers, the row has 3"):
        handler({"row": [1, 2, 0.5]}, None)


@pytest.mark.parametrize(
    ("event", "settings", "said"),
    [
        ('{"row": [1]}', {}, "KeyError: 'WEIGHTS'"),
        ('{"row": [1]}', {"WEIGHTS": "x"}, "ValueError: could not convert string to float: 'x'"),
        ('{"line": [1]}', {"WEIGHTS": "1"}, "KeyError: 'row'"),
        ('{"row": 1}', {"WEIGHTS": "1"}, "TypeError: object of type 'int' has no len()"),
        ("row", {"WEIGHTS": "1"}, "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_bad_input(run: Run, event: str, settings: dict[str, str], said: str) -> None:
    result = run("weigh_row", "--event", event, **settings)
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"{said}. Check the setting WEIGHTS and the event.\n"


@pytest.mark.parametrize(("value", "score"), [(-1e6, 0.0), (1e6, 1.0), (0, 0.5)])
def test_no_row_is_too_far_out(
    handler: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, value: float, score: float
) -> None:
    monkeypatch.setenv("WEIGHTS", "1")
    assert handler({"row": [value]}, None)["score"] == score
