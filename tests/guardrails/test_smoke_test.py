import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from awslab.embedded import embedded_lab
from awslab.run import Result
from botocore.exceptions import ClientError
from guardrails.shop import open_shop, start
from proofs.trace import Trace, watching


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The validation data; the endpoints shop, shop-v2 and shop-v3 serve a version each."""
    with embedded_lab():
        file = open_shop(tmp_path_factory.mktemp("smoke") / "data")
        for name in ("shop-v2", "shop-v3"):
            assert start("create_endpoint", "--endpoint", name, "--config", name).status == 0
        yield file


def smoke(file: Path, *options: str, endpoint: str = "shop") -> Result:
    return start("smoke_test", "--endpoint", endpoint, "--file", str(file), *options)


def test_a_first_version_writes_what_is_expected(file: Path, tmp_path: Path) -> None:
    written = tmp_path / "expected.json"
    result = smoke(file, "--rows", "5", "--write", str(written))
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "status and schema: 5 rows, a number from 0 to 1 for each\n"
        "latency: p50 within 500 ms\n"
        "latency: p95 within 2000 ms\n"
        "shop passes\n"
    )
    rows = "\n".join(line.partition(",")[2] for line in file.read_text().splitlines()[:5])
    runtime = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="shop", ContentType="text/csv", Body=rows)
    told = json.loads(f"[{answer['Body'].read().decode()}]")
    assert json.loads(written.read_text()) == pytest.approx(told)


def test_a_better_version_passes_within_what_is_allowed(file: Path, tmp_path: Path) -> None:
    written = tmp_path / "expected.json"
    smoke(file, "--write", str(written), "--rows", "5")
    given = ("--rows", "5", "--expected", str(written))
    result = smoke(file, *given, endpoint="shop-v2")
    assert (result.status, result.errors) == (0, "")
    assert result.output.endswith("predictions: within 0.3 of those expected\nshop-v2 passes\n")
    near = smoke(file, *given, "--allowed", "0.01", endpoint="shop-v2")
    assert (near.status, near.output.count("\n")) == (1, 3)
    off = near.errors.removeprefix("shop-v2 fails the smoke test: a prediction is ")
    assert 0.01 < float(off.split()[0]) < 0.3
    assert off.endswith(" off, 0.01 allowed.\n")
    same = smoke(file, *given, "--allowed", "0")
    assert same.output.endswith("predictions: within 0 of those expected\nshop passes\n")


def test_compared_with_another_endpoint(file: Path) -> None:
    assert smoke(file, "--like", "shop-v2", "--rows", "3", endpoint="shop").status == 0
    near = smoke(file, "--like", "shop-v2", "--allowed", "0.01", endpoint="shop")
    assert near.errors.startswith("shop fails the smoke test: a prediction is 0.")


def test_the_bad_version_is_caught(file: Path) -> None:
    result = smoke(file, endpoint="shop-v3")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "shop-v3 fails the smoke test: shop-v3 answers 400 to row 1: Unable to evaluate payload "
        "provided: Feature size of csv inference data 8 is not consistent with feature size of "
        "trained model 4. Its log is /aws/sagemaker/Endpoints/shop-v3.\n"
    )
    like = smoke(file, "--like", "shop-v3")  # the one compared with is the bad one
    assert "shop fails the smoke test: shop-v3 answers 400 to row 1: " in like.errors


@pytest.mark.parametrize("percent", [50, 95])
def test_too_slow(file: Path, percent: int) -> None:
    result = smoke(file, "--rows", "3", f"--p{percent}-ms", "0")
    assert result.status == 1
    assert result.errors == (
        f"shop fails the smoke test: the latency's p{percent} is above 0 ms.\n"
    )


@pytest.mark.parametrize("body", ["0.5,0.5", "", "nan", "1.5", "-0.1", '{"score": 0.5}'])
def test_an_answer_of_another_form(example: Any, body: str) -> None:
    def invoke_endpoint(**_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(body.encode())}

    errors = SimpleNamespace(ModelError=ClientError)
    runtime = SimpleNamespace(invoke_endpoint=invoke_endpoint, exceptions=errors)
    with pytest.raises(RuntimeError, match=r"shop answers .* to row 1"):
        example("smoke_test").ask(runtime, "shop", ["1,2"])


def test_percentiles(example: Any) -> None:
    percentile = example("smoke_test").percentile
    ordered = [float(n) for n in range(1, 101)]
    assert [percentile(ordered, p) for p in (50, 95, 100)] == [50, 95, 100]
    assert [percentile([7.0], p) for p in (50, 95)] == [7, 7]
    assert [percentile([1.0, 2.0, 3.0], p) for p in (50, 95)] == [2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[0.5]",
        '{"a": 1}',
        "no json",
        '["a", "b"]',
        "[null, 1.0]",
        "[NaN, NaN]",
        "[[0.1], 1.0]",
    ],
)
def test_a_file_of_other_predictions_proves_nothing(file: Path, tmp_path: Path, text: str) -> None:
    wrong = tmp_path / "expected.json"
    wrong.write_text(text)
    result = smoke(file, "--rows", "2", "--expected", str(wrong))
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith(". Nothing is proven of shop: check the options.\n")


def test_nothing_to_ask(file: Path, tmp_path: Path) -> None:
    with watching(Trace()) as trace:
        none, missing = smoke(file, "--rows", "0"), smoke(tmp_path / "none.csv")
    assert (none.status, missing.status, trace.calls) == (1, 1, [])
    assert none.errors == (
        f"{file} has no rows, or --rows is less than 1. Nothing is proven of shop: check the "
        "options.\n"
    )
    assert "No such file or directory" in missing.errors


def test_a_header_is_not_blamed_on_the_endpoint(file: Path, tmp_path: Path) -> None:
    headed, empty = tmp_path / "headed.csv", tmp_path / "empty.csv"
    headed.write_text("label,age,income\n" + file.read_text())
    empty.write_text("\n\n")
    with watching(Trace()) as trace:
        result, none = smoke(headed), smoke(empty)
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors == (
        f"{headed}: could not convert string to float: 'age'; name a CSV file of numbers without "
        "a header. Nothing is proven of shop: check the options.\n"
    )
    assert none.errors.startswith(f"{empty} has no rows, or --rows is less than 1. ")


def test_blank_lines_and_missing_values_are_no_error(file: Path, tmp_path: Path) -> None:
    gaps = tmp_path / "gaps.csv"
    gaps.write_text("\n1,,0,0,0,0,0,0,\n\n" + file.read_text())
    result = smoke(gaps, "--rows", "2")
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith("status and schema: 2 rows, ")


def test_no_such_endpoint(file: Path) -> None:
    result = smoke(file, endpoint="none")
    assert (result.status, result.output) == (1, "")
    assert "Endpoint none of account 111122223333 not found" in result.errors


@pytest.mark.parametrize("option", ["--allowed", "--p50-ms", "--p95-ms"])
@pytest.mark.parametrize("limit", ["nan", "-1"])
def test_no_limit_lets_everything_pass(file: Path, option: str, limit: str) -> None:
    result = smoke(file, "--rows", "2", "--like", "shop-v2", option, limit)
    assert (result.status, result.output) == (2, "")
    assert "--allowed, --p50-ms and --p95-ms: 0 or more" in result.errors
