import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result
from awslab.scenarios import EXAMPLES

Run = Callable[..., Result]
Calls = Sequence[tuple[str, float | None, float]]
FIGURES = EXAMPLES / "shadow_testing" / "compare_answers.figures.json"
PRODUCTION: list[tuple[str, float, float]] = [
    (f"r{number}", 0.1 * number, 0.010) for number in range(10)
]


@pytest.fixture
def compared(run: Run, tmp_path: Path) -> Callable[..., tuple[Result, Any]]:
    """`compared(shadow, "--max-errors", "1")`: what the program says of two lists of calls."""

    def start(
        shadow: Calls,
        *options: str,
        production: Calls = PRODUCTION,
    ) -> tuple[Result, Any]:
        files = {"production": production, "shadow": shadow}
        for name, calls in files.items():
            lines = [
                {
                    "id": key,
                    "status": 500 if answer is None else 200,
                    "seconds": seconds,
                    "answer": None if answer is None else f"{answer:.6f}",
                }
                for key, answer, seconds in calls
            ]
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (tmp_path / f"{name}.jsonl").write_text(text)
        named = [f"--{name}={tmp_path / name}.jsonl" for name in files]
        report = tmp_path / "report.json"
        result = run("compare_answers", *named, "--json", str(report), *options)
        return result, json.loads(report.read_text()) if report.exists() else None

    return start


def test_joined_by_id_whatever_the_order(compared: Callable[..., tuple[Result, Any]]) -> None:
    shadow = [(key, answer + 0.05, 0.020) for key, answer, _ in reversed(PRODUCTION)]
    result, report = compared(shadow)
    assert result.status == 0
    assert result.output == (
        "10 pairs; only in production 0, only in the shadow 0\n"
        "errors: production 0.000, shadow 0.000\n"
        "same label: 1.000\n"
        "difference: p50 0.050, p95 0.050, max 0.050\n"
        "p50 in ms: production 10.0, shadow 20.0\n"
        "p95 in ms: production 10.0, shadow 20.0\n"
        "p99 in ms: production 10.0, shadow 20.0\n"
        "All criteria are met.\n"
    )
    assert report["found"] == {
        "pairs": 10,
        "only_production": 0,
        "only_shadow": 0,
        "production_errors": 0.0,
        "shadow_errors": 0.0,
        "agreement": 1.0,
    }
    assert report["latency"] == {
        "columns": ["percentile", "production_ms", "shadow_ms"],
        "rows": [[50, 10.0, 20.0], [95, 10.0, 20.0], [99, 10.0, 20.0]],
    }
    assert report["difference"]["rows"] == [[p, 0.05] for p in range(0, 101, 5)]


def test_errors_labels_and_missing_pairs_are_counted_apart(
    compared: Callable[..., tuple[Result, Any]],
) -> None:
    """r5 has no answer, r4 (0.4) is 0.6 in the shadow, r9 is missing, x is nowhere else."""
    shadow: list[tuple[str, float | None, float]] = list(PRODUCTION[:9])
    shadow[5] = ("r5", None, 2.0)
    shadow[4] = ("r4", 0.6, 0.01)
    result, report = compared([*shadow, ("x", 0.5, 0.01)])
    assert result.status == 1
    assert report["found"] == {
        "pairs": 9,
        "only_production": 1,
        "only_shadow": 1,
        "production_errors": 0.0,
        "shadow_errors": pytest.approx(1 / 9),
        "agreement": pytest.approx(7 / 8),
    }
    assert "difference: p50 0.000, p95 0.130, max 0.200\n" in result.output
    assert result.errors == (
        "Do not promote the shadow: 2 requests without a pair, too many errors, "
        "too few equal labels.\n"
    )


def test_the_criteria_are_options(compared: Callable[..., tuple[Result, Any]]) -> None:
    shadow: list[tuple[str, float | None, float]] = list(PRODUCTION)
    shadow[4], shadow[5] = ("r4", 0.6, 0.01), ("r5", None, 0.01)
    loose = ("--max-errors", "0.1", "--min-agreement", "0.88")
    assert compared(shadow, *loose)[0].status == 0
    assert compared(shadow, *loose, "--max-errors", "0.09")[0].errors == (
        "Do not promote the shadow: too many errors.\n"
    )
    assert compared(shadow, *loose, "--min-agreement", "0.89")[0].errors == (
        "Do not promote the shadow: too few equal labels.\n"
    )
    # with another threshold 0.4 and 0.6 are the same label
    assert compared(shadow, *loose, "--min-agreement", "1", "--threshold", "0.35")[0].status == 0


def test_failed_calls_count_in_the_latency(compared: Callable[..., tuple[Result, Any]]) -> None:
    shadow = [(key, None if key == "r0" else answer, 2.0) for key, answer, _ in PRODUCTION]
    _, report = compared(shadow)
    assert [row[2] for row in report["latency"]["rows"]] == [2000.0] * 3


def test_nothing_answered_by_both(compared: Callable[..., tuple[Result, Any]]) -> None:
    result, report = compared([(key, None, 0.1) for key, _, _ in PRODUCTION])
    assert (result.status, result.output, report) == (1, "", None)
    assert "no request was answered by both models" in result.errors


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "shadow.jsonl is empty"),
        ("{}", "line 1: no id, seconds and one answer"),
        ("[]", "line 1: no id, seconds and one answer"),
        ("status 200", "line 1: no id, seconds and one answer"),
        (
            '{"id": "a", "seconds": 1, "answer": "0.1\\n0.2"}',
            "line 1: no id, seconds and one answer",
        ),
        ('{"id": "a", "seconds": 1, "answer": "nan"}', "a comes twice, or has no finite number"),
        ('{"id": "a", "seconds": 1, "answer": null}\n' * 2, "line 2: a comes twice"),
    ],
)
def test_bad_files(run: Run, tmp_path: Path, line: str, said: str) -> None:
    good, bad = tmp_path / "production.jsonl", tmp_path / "shadow.jsonl"
    good.write_text('{"id": "a", "seconds": 0.1, "answer": "0.5"}\n')
    bad.write_text(line)
    report = tmp_path / "report.json"
    files = (f"--production={good}", f"--shadow={bad}", f"--json={report}")
    result = run("compare_answers", *files)
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert result.errors.endswith("Run mirror_traffic.py, or name its two files.\n")
    assert not report.exists()


def test_missing_files(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("compare_answers", "--json", "report.json")
    assert result.status == 1
    assert "No such file or directory: 'production.jsonl'" in result.errors


def test_the_page_says_what_the_figures_say(example: Callable[[str], ModuleType]) -> None:
    figures = json.loads(FIGURES.read_text())
    found, (median, p95, _) = figures["found"], figures["latency"]["rows"]
    assert found["only_production"] == found["only_shadow"] == found["production_errors"] == 0
    assert found["pairs"] == 1000
    assert 0.01 < found["shadow_errors"] < 0.04  # 2 % were asked
    assert found["agreement"] == pytest.approx(0.92, abs=0.012)
    assert median[2] > median[1] + 15 and p95[2] > p95[1]
    differences = [row[1] for row in figures["difference"]["rows"]]
    assert differences == sorted(differences)
    assert [differences[at] for at in (0, 10, 19, 20)] == pytest.approx(
        [0, 0.11, 0.30, 0.445], abs=0.02
    )
    assert [row[0] for row in figures["difference"]["rows"]] == list(
        example("compare_answers").PERCENTILES
    )
