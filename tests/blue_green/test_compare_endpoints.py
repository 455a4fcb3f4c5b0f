import io
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from awslab.run import Result
from blue_green.conftest import serve, start
from proofs.trace import Trace, watching


def compare(file: Path, *options: str) -> Result:
    names = ("--blue", "shop-blue", "--green", "shop-green")
    return start("blue_green/compare_endpoints", *names, "--file", str(file), *options)


def scores(endpoint: str, file: Path, rows: int) -> Any:
    lines = file.read_text().splitlines()[:rows]
    body = "\n".join(line.partition(",")[2] for line in lines)
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=body
    )
    return np.array(answer["Body"].read().decode().replace("\n", ",").split(","), float)


def test_it_says_how_far_the_answers_lie_apart(shop: Path) -> None:
    apart = abs(scores("shop-blue", shop, 10) - scores("shop-green", shop, 10))
    result = compare(shop, "--rows", "10", "--limit", "0.9")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop-blue  status 200, 10 probabilities\n"
        "shop-green  status 200, 10 probabilities\n"
        f"difference  mean {apart.mean():.3f}, largest {apart.max():.3f}; limit of the mean 0.9\n"
        "passed\n"
    )
    assert apart.max() > 0.01  # the two are not the same


def test_the_mean_may_be_the_limit_and_no_more(shop: Path) -> None:
    mean = abs(scores("shop-blue", shop, 20) - scores("shop-green", shop, 20)).mean()
    assert compare(shop, "--limit", str(mean + 1e-6)).output.endswith("passed\n")
    refused = compare(shop, "--limit", str(mean - 1e-6))
    assert (refused.status, refused.errors) == (1, "failed: do not switch to shop-green\n")
    assert "passed" not in refused.output


def test_a_model_that_refuses_its_callers(shop: Path) -> None:
    serve({"shop-bad": "v3"})
    result = compare(shop, "--green", "shop-bad", "--limit", "1")
    assert (result.status, result.output) == (1, "shop-blue  status 200, 20 probabilities\n")
    assert result.errors == (
        "shop-bad  status 400: Unable to evaluate payload provided: Feature size of csv inference "
        "data 8 is not consistent with feature size of trained model 4.\n"
        "failed: do not switch to shop-bad\n"
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"0.5", "not 2 probabilities: '0.5'"),
        (b"0.5,1.5", "not 2 probabilities: '0.5,1.5'"),
        (b"0.5,nan", "not 2 probabilities: '0.5,nan'"),
        (b'{"error": 1}', "no numbers: "),
    ],
)
def test_an_answer_of_another_form(example: Callable[[str], Any], body: bytes, said: str) -> None:
    def invoke_endpoint(**_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(body)}

    errors = types.SimpleNamespace(ModelError=KeyError)
    runtime = types.SimpleNamespace(invoke_endpoint=invoke_endpoint, exceptions=errors)
    with pytest.raises(RuntimeError, match="status 200, but ") as refused:
        example("compare_endpoints").ask(runtime, "shop-green", ["1", "2"])
    assert said in str(refused.value)


def test_no_such_endpoint(shop: Path) -> None:
    result = compare(shop, "--green", "shop-gren")
    assert result.status == 1
    assert "Endpoint shop-gren of account 111122223333 not found." in result.errors
    assert "Nothing was compared" in result.errors
    assert "passed" not in result.output


def test_nothing_to_compare(shop: Path, tmp_path: Path) -> None:
    with watching(Trace()) as trace:
        none = compare(shop, "--rows", "0")
        missing = compare(tmp_path / "missing.csv")
    assert (none.status, missing.status, trace.calls) == (1, 1, [])
    assert none.errors == f"{shop} has no rows, or --rows is less than 1: nothing to compare.\n"
    assert "Name a CSV file" in missing.errors


@pytest.mark.parametrize("limit", ["nan", "-0.1"])
def test_no_limit_lets_everything_pass(shop: Path, limit: str) -> None:
    result = compare(shop, "--limit", limit)
    assert (result.status, result.output) == (2, "")
    assert "--limit: 0 or more" in result.errors
