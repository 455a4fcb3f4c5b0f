import json
import math
import random
import runpy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import xgboost
from awslab.scenarios import EXAMPLES
from sklearn.feature_selection import chi2

DATA, VERSIONS = "xgboost/write_data.py", "guardrails/upload_versions.py"
Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
FIGURES = json.loads((EXAMPLES / "ab_testing/analyze_ab_test.figures.json").read_text())


def write_log(path: Path, v1: tuple[int, int], v2: tuple[int, int], seed: int = 1) -> str:
    """(right, requests) of each variant, shuffled."""
    lines = [
        f"{name},{int(number < right)}"
        for name, (right, requests) in (("v1", v1), ("v2", v2))
        for number in range(requests)
    ]
    random.Random(seed).shuffle(lines)
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def judge(run: Run, log: str, planned: int, *options: str) -> Any:
    given = ("--log", log, "--control", "v1", "--planned", str(planned))
    return run("analyze_ab_test", *given, *options)


def test_z_squared_is_the_chi_square_of_the_table(example: Load) -> None:
    """The two-sided z test and the chi-square test of the 2 x 2 table have the same p-value."""
    log = [(False, 1)] * 640 + [(False, 0)] * 138 + [(True, 1)] * 690 + [(True, 0)] * 90
    *_, p = example("analyze_ab_test").compare(log, 0.05)
    # scikit-learn counts one column at a time: both columns are the table's four cells
    sides = [[1, 0] if new else [0, 1] for new, _ in log]
    (by_new, by_old), _ = chi2(sides, [right for _, right in log])
    pooled, n = 1330 / 1558, (778, 780)
    z = (690 / n[1] - 640 / n[0]) / (pooled * (1 - pooled) * (1 / n[0] + 1 / n[1])) ** 0.5
    assert by_new + by_old == pytest.approx(z**2)
    assert p == pytest.approx(math.erfc(z / math.sqrt(2)))


def test_the_interval(example: Load) -> None:
    log = [(False, 1)] * 80 + [(False, 0)] * 20 + [(True, 1)] * 90 + [(True, 0)] * 10
    difference, low, high, p = example("analyze_ab_test").compare(log, 0.05)
    # 0.1 +- 1.96 * sqrt(0.8 * 0.2 / 100 + 0.9 * 0.1 / 100)
    assert (difference, low, high) == pytest.approx((0.1, 0.002, 0.198), abs=1e-5)
    assert p == pytest.approx(0.0477, abs=1e-4)


def test_nothing_but_successes_is_no_difference(example: Load) -> None:
    found = example("analyze_ab_test").compare([(False, 1), (True, 1)], 0.05)
    assert found == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("v2", "said"),
    [
        ((450, 500), "difference shown: v2 is better\n"),
        ((350, 500), "difference shown: v2 is worse\n"),
        (
            (410, 500),
            "no difference shown; that is not: equal. What lies in the interval is possible\n",
        ),
    ],
)
def test_the_verdict(run: Run, tmp_path: Path, v2: tuple[int, int], said: str) -> None:
    result = judge(run, write_log(tmp_path / "log", (400, 500), v2), 1000)
    assert (result.status, result.errors) == (0, "")
    numbers, verdict = result.output.splitlines(keepends=True)
    assert numbers.startswith(f"v2 - v1: {(v2[0] - 400) / 500:+.3f}, 95% interval ")
    assert verdict == said


def test_alpha_is_that_of_the_plan(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", (400, 500), (428, 500))  # p = 0.019
    assert "difference shown: v2" in judge(run, log, 1000).output
    strict = judge(run, log, 1000, "--alpha", "0.01").output
    assert "99% interval" in strict and "no difference shown" in strict


def test_it_does_not_judge_before_the_planned_size(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", (10, 100), (90, 100))  # however clear it looks
    result = judge(run, log, 201)
    assert (result.status, result.output) == (1, "")
    assert result.errors == "200 of 201 requests: no judgement yet. Let the test go on.\n"
    assert judge(run, log, 200).status == 0


def test_it_does_not_judge_more_than_was_planned(run: Run, tmp_path: Path) -> None:
    """Two tests in one log, or one that was prolonged until it showed a difference."""
    log = write_log(tmp_path / "log", (100, 100), (150, 150))
    Path(log).write_text(Path(log).read_text() + "v1,0\n")
    course = tmp_path / "course.json"
    result = judge(run, log, 250, "--json", str(course))
    assert (result.status, result.output) == (1, "")
    assert result.errors == ("251 requests, 250 planned: give the log of one whole test.\n")
    assert not course.exists()


def test_it_does_not_judge_a_split_that_was_not_planned(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", (400, 500), (300, 380))
    result = judge(run, log, 880)
    assert (result.status, result.output) == (1, "")
    assert result.errors == "v2 did not get its 50% of the requests: find out why first.\n"
    assert judge(run, log, 880, "--share", "0.43").status == 0


def test_the_course(run: Run, example: Load, tmp_path: Path) -> None:
    log, file = write_log(tmp_path / "log", (160, 200), (180, 200)), tmp_path / "course.json"
    assert judge(run, log, 400, "--json", str(file)).status == 0
    table = json.loads(file.read_text())
    assert table["columns"] == ["requests", "difference", "low", "high", "p"]
    assert [row[0] for row in table["rows"]] == list(range(40, 401, 20))
    module = example("analyze_ab_test")
    lines = module.read_log(Path(log), "v1")[1]
    assert table["rows"][3] == [100, *module.compare(lines[:100], 0.05)]
    assert table["rows"][-1][1] == pytest.approx(0.1)


def test_the_true_difference_is_that_of_the_page() -> None:
    """Of all 250 rows, asked of the two models themselves."""
    load = {name: runpy.run_path(str(EXAMPLES / name)) for name in (DATA, VERSIONS)}
    table = load[DATA]["make_tasks"](1250, 7)["binary"].astype(float)
    models = load[VERSIONS]["train_versions"](table[:1000], 3)
    rows = xgboost.DMatrix(table[1000:, 1:])
    right = [
        float(((models[version].predict(rows) >= 0.5) == table[1000:, 0]).mean())
        for version in ("v1", "v2")
    ]
    assert right == pytest.approx([0.828, 0.876])


def test_the_page_says_what_the_figures_say() -> None:
    rows = FIGURES["rows"]
    assert rows[-1][0] == 1556
    widths = [high - low for _, _, low, high, _ in rows]
    assert widths[0] > 2.5 * widths[-1]
    _, _, low, high, p = rows[-1]
    assert low < 0.048 < high  # the difference that the validation rows have
    assert p > 0.05
    early = {row[0]: row for row in rows}
    looks = [early[n][4] for n in early if 389 <= n <= 1089]
    assert len(looks) == 10 and max(looks) < 0.05  # who looks, stops
    assert early[1322][4] > 0.05
    assert early[544][1] == pytest.approx(2 * 0.048, abs=0.002)
    assert early[1400][4] < 0.05 and early[1478][4] < 0.05


@pytest.mark.parametrize(
    "text", ["", "v1,1\n", "v1,1\nv2,0\nv3,1\n", "v2,1\nv3,1\n", "v1,1\nv2,yes\n", "v1\nv2\n"]
)
def test_logs_that_are_refused(run: Run, tmp_path: Path, text: str) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    result = judge(run, str(log), 2)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"{log} does not hold requests of v1 and of one other variant. Give the log of "
        "run_ab_test.py and its present variant.\n"
    )


def test_bad_options(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", (5, 10), (5, 10))
    for options in (["--share", "0"], ["--alpha", "1"]):
        result = judge(run, log, 20, *options)
        assert result.status == 2 and "--share and --alpha lie between 0 and 1" in result.errors
    planned = judge(run, log, 1)
    assert planned.status == 2 and "--planned: 2 or more" in planned.errors
    assert "No such file or directory" in judge(run, str(tmp_path / "none"), 20).errors
    unwritten = judge(run, log, 20, "--json", "missing/x.json")
    assert unwritten.status == 1
    assert unwritten.errors.startswith("Cannot write missing/x.json: No such file or directory.")
