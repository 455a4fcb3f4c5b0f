import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from proofs.trace import Answer, Call, Trace, watching

Run = Callable[..., Any]


def send(ab: Run, file: Path, *options: str) -> Any:
    return ab("run_ab_test", "--endpoint", "shop", "--file", str(file), *options)


def predicted(body: str, variant: str) -> int:
    """What the variant answers, asked by a client of the test."""
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="shop", ContentType="text/csv", Body=body, TargetVariant=variant
    )
    return int(float(answer["Body"].read()) > 0.5)


def test_the_log_says_who_answered_and_whether_it_was_right(
    ab: Run, shop: Path, tmp_path: Path
) -> None:
    log = tmp_path / "requests.csv"
    result = send(ab, shop, "--requests", "60", "--seed", "5", "--log", str(log))
    assert (result.status, result.errors) == (0, "")
    lines = [line.split(",") for line in log.read_text().splitlines()]
    rows = [line.split(",", 1) for line in shop.read_text().splitlines()]
    sent = random.Random(5).choices(rows, k=60)
    expected = [
        [variant, str(int(predicted(body, variant) == int(label)))]
        for (label, body), (variant, _) in zip(sent, lines, strict=True)
    ]
    assert lines == expected
    asked = Counter(variant for variant, _ in lines)
    right = Counter(variant for variant, right in lines if right == "1")
    assert asked.keys() == {"v1", "v2"}
    assert 15 < asked["v1"] < 45
    assert result.output == "".join(
        f"{v}  {asked[v]} requests ({asked[v] / 60:.2f})  {right[v] / asked[v]:.3f} right\n"
        for v in ("v1", "v2")
    )


def test_a_target_overrides_the_weights(ab: Run, shop: Path) -> None:
    with watching(Trace()) as trace:
        result = send(ab, shop, "--requests", "12", "--target", "v2")
    assert result.output.startswith("v2  12 requests (1.00)  ") and "v1" not in result.output
    assert [call.operation for call in trace.calls] == ["InvokeEndpoint"] * 12


def test_it_goes_on_where_it_stood(ab: Run, shop: Path, tmp_path: Path) -> None:
    log = tmp_path / "requests.csv"

    def interrupt(trace: Trace, call: Call) -> Answer | None:
        if len(trace.calls) == 4:
            raise KeyboardInterrupt
        return None

    with watching(Trace(interrupt)):
        result = send(ab, shop, "--requests", "10", "--log", str(log))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"Interrupted. 3 requests were answered, and are in {log}. Check the file, the endpoint "
        "shop, "
    )
    assert len(log.read_text().splitlines()) == 3
    assert send(ab, shop, "--requests", "2", "--log", str(log)).status == 0
    assert len(log.read_text().splitlines()) == 5


def test_a_variant_that_is_not_there(ab: Run, shop: Path) -> None:
    result = send(ab, shop, "--requests", "2", "--target", "v9")
    assert (result.status, result.output) == (1, "")
    assert "(ValidationError)" in result.errors and "Variant v9" in result.errors
    assert "0 requests were answered. Check the file, the endpoint shop, its var" in result.errors


def test_what_a_model_refuses(ab: Run, shop: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("1,0.5,0.5\n")
    result = send(ab, short, "--requests", "2")
    assert (result.status, result.output) == (1, "")
    assert "(ModelError)" in result.errors


@pytest.mark.parametrize("text", ["", "2,0.5\n", "label,a,b\n", "1\n", "1,\n"])
def test_files_that_are_refused(ab: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(text)
    with watching(Trace()) as trace:
        result = send(ab, file, "--requests", "2")
    assert (result.status, result.output, trace.calls) == (1, "", [])
    said = f"{file} is not a CSV file with a label of 0 or 1 in each line. 0 requests were"
    assert result.errors.startswith(said)


def test_no_file_and_no_requests(ab: Run, tmp_path: Path) -> None:
    missing = send(ab, tmp_path / "none.csv", "--requests", "2")
    assert missing.status == 1 and "No such file or directory" in missing.errors
    none = send(ab, tmp_path / "none.csv", "--requests", "0")
    assert none.status == 2 and "--requests: 1 or more" in none.errors
