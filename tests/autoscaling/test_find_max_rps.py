import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from awslab.scenarios import EXAMPLES
from botocore.exceptions import ClientError, EndpointConnectionError
from proofs.trace import Answer, Call, Trace, refusal, watching

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
FIGURES = json.loads((EXAMPLES / "autoscaling/find_max_rps.figures.json").read_text())


class Instance:
    """Answers one request after the other, each in 20 ms; the number `fails` is an error."""

    def __init__(self, fails: int = 0) -> None:
        self.fails, self.asked, self.most, self.under_way = fails, 0, 0, 0
        self.door, self.turn = threading.Lock(), threading.Lock()

    def invoke_endpoint(self, **_: str) -> None:
        with self.door:
            self.asked += 1
            self.under_way += 1
            self.most, number = max(self.most, self.under_way), self.asked
        with self.turn:
            time.sleep(0.02)
        with self.door:
            self.under_way -= 1
        if number == self.fails:
            error = {"Error": {"Code": "ModelError", "Message": "Too busy."}}
            raise ClientError(error, "InvokeEndpoint")


def test_more_callers_wait_longer_and_get_no_more(example: Load) -> None:
    measure = example("find_max_rps").measure
    (one, p50_of_one, _), errors = measure(Instance(), "shop", ["1"] * 20, 1)
    instance = Instance()
    (four, p50_of_four, p95_of_four), _ = measure(instance, "shop", ["1"] * 40, 4)
    assert errors == [] and instance.most == 4 and instance.asked == 40
    assert 25 < one <= 50 and 25 < four <= 50  # 50 a second is all that it can
    assert p50_of_one >= 20 and p50_of_four > 2 * p50_of_one
    assert p95_of_four >= p50_of_four


def test_errors_do_not_count_as_answers(example: Load) -> None:
    (answered, *_), errors = example("find_max_rps").measure(Instance(2), "shop", ["1"] * 4, 1)
    assert errors == [
        "An error occurred (ModelError) when calling the InvokeEndpoint operation: Too busy."
    ]
    assert 0 < answered <= 3 / (4 * 0.02)


def load(scaling: Run, shop: Path, folder: Path, *options: str) -> Any:
    given = ("--endpoint", "shop", "--file", str(shop), "--json", str(folder / "load.json"))
    return scaling("find_max_rps", *given, *options)


def test_one_instance_of_the_lab(scaling: Run, shop: Path, tmp_path: Path) -> None:
    options = ("--callers", "2", "1", "--requests", "6", "--limit-ms", "60000")
    with watching(Trace()) as trace:
        result = load(scaling, shop, tmp_path, *options)
    assert (result.status, result.errors) == (0, "")
    table = json.loads((tmp_path / "load.json").read_text())
    assert table["columns"] == ["callers", "answered", "p50_ms", "p95_ms", "failed"]
    assert [(row[0], row[4]) for row in table["rows"]] == [(1, 0), (2, 0)]
    assert [call.operation for call in trace.calls] == ["InvokeEndpoint"] * 12
    lines = result.output.splitlines()
    assert lines[0] == "callers  answered/s  p50 ms  p95 ms  failed"
    assert [int(line.split()[0]) for line in lines[1:3]] == [1, 2]
    best = max(row[1] for row in table["rows"])
    assert lines[3] == f"MAX_RPS {best:.1f}, with p95 up to 60000 ms and without errors"


def test_a_limit_that_nothing_keeps(scaling: Run, shop: Path, tmp_path: Path) -> None:
    result = load(
        scaling, shop, tmp_path, *("--callers", "1", "--requests", "3"), "--limit-ms", "0.001"
    )
    assert result.status == 1 and "MAX_RPS" not in result.output
    assert result.errors == (
        "No load was held: p95 is always above the limit. Check shop and --limit-ms.\n"
    )


def test_a_load_with_an_error_is_not_held(scaling: Run, shop: Path, tmp_path: Path) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        busy = refusal("ServiceUnavailable", "Too busy.", 503)
        return busy if len(trace.calls) == 5 else None

    options = ("--callers", "1", "2", "--requests", "4", "--limit-ms", "60000")
    with watching(Trace(refuse)) as trace:
        result = load(scaling, shop, tmp_path, *options)
    assert result.status == 0 and len(trace.calls) == 8  # nothing is repeated
    rows = json.loads((tmp_path / "load.json").read_text())["rows"]
    assert [row[4] for row in rows] == [0, 1]
    assert f"MAX_RPS {rows[0][1]:.1f}, " in result.output


def test_what_the_model_refuses(scaling: Run, shop: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("1,0.5,0.5\n")
    options = ("--callers", "1", "--requests", "2", "--limit-ms", "60000")
    result = load(scaling, short, tmp_path, *options)
    assert result.status == 1
    assert "No load was held: An error occurred (ModelError)" in result.errors


def test_no_network(example: Load) -> None:
    class Away:
        def invoke_endpoint(self, **_: str) -> None:
            raise EndpointConnectionError(endpoint_url="https://aws")

    (answered, *_), errors = example("find_max_rps").measure(Away(), "shop", ["1"] * 2, 1)
    assert answered == 0 and len(errors) == 2 and "https://aws" in errors[0]


def test_bad_input(scaling: Run, shop: Path, tmp_path: Path) -> None:
    options = ("--callers", "1", "--requests", "2", "--limit-ms", "9")
    missing = load(scaling, tmp_path / "none.csv", tmp_path, *options)
    assert missing.status == 1 and "No such file or directory" in missing.errors
    empty = tmp_path / "empty.csv"
    empty.touch()
    nothing = load(scaling, empty, tmp_path, *options)
    assert nothing.errors == (f"{empty} is empty. Nothing was changed. Check --file and --json.\n")
    assert not (tmp_path / "load.json").exists()
    for wrong in (["--callers", "0"], ["--requests", "0"], ["--limit-ms", "0"]):
        result = load(scaling, shop, tmp_path, *options, *wrong)
        assert result.status == 2 and "above 0" in result.errors


def test_the_page_says_what_the_figures_say() -> None:
    rows = FIGURES["rows"]
    assert [row[0] for row in rows] == [1, 2, 4, 8, 16, 32]
    assert all(row[4] == 0 for row in rows)
    p50, p95 = ({row[0]: row[column] for row in rows} for column in (2, 3))
    assert p50[32] > 2 * p50[4] and p95[32] > 2 * p95[4]  # more callers wait longer
    assert all(p95[callers] > p50[callers] for callers in p50)
