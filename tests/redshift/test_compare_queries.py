import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from proofs.trace import Trace, watching

Run = Callable[..., Any]
WHERE = ("--cluster-id", "warehouse", "--db-user", "awsuser")


@pytest.mark.parametrize("repeat", [1, 4])
def test_medians_are_those_of_the_history(
    run: Run, run_file: Run, select: Callable[[str], list[list[Any]]], tmp_path: Path, repeat: int
) -> None:
    run_file("sample_schema")
    file = tmp_path / "times.json"
    result = run("compare_queries", *WHERE, "--repeat", str(repeat), "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    times = json.loads(file.read_text())
    assert (times["repeat"], times["columns"]) == (repeat, ["query", "design", "median_ms"])
    expected = []
    for query, design, where in (
        ("one day", "with sort key", "FROM sales WHERE"),
        ("one day", "without", "FROM sales_unsorted WHERE"),
        ("by quarter", "base query", "FROM revenue_now"),
        ("by quarter", "materialized view", "SELECT * FROM revenue_by_quarter"),
    ):
        found = select(
            "SELECT execution_time FROM sys_query_history WHERE query_text LIKE "
            f"'%{where}%' AND query_text NOT LIKE '%ORDER BY%' AND query_type = 'SELECT' "
            "AND query_text NOT LIKE '%sys_query_history%'"
        )
        assert len(found) == repeat
        expected.append([query, design, median(row[0] / 1000 for row in found)])
    assert times["rows"] == expected
    assert all(row[2] > 0 for row in times["rows"])
    assert result.output == "".join(
        f"{query:10}  {design:17}  median of {repeat} runs in {file}\n"
        for query, design, _ in expected
    )


def test_neither_cache_nor_view_answers(run: Run, run_file: Run, data: Any, tmp_path: Path) -> None:
    run_file("sample_schema")
    run("compare_queries", *WHERE, "--repeat", "1", "--json", str(tmp_path / "times.json"))
    found = [
        (statement["QueryString"], statement["SessionId"])
        for statement in reversed(data.list_statements()["Statements"][:7])
    ]
    assert [sql for sql, _ in found[:2]] == [
        "SET enable_result_cache_for_session TO off",
        "SET mv_enable_aqmv_for_session TO FALSE",
    ]
    assert len({session for _, session in found}) == 1  # the settings hold for all queries


def test_without_the_tables_it_says_what_to_do(run: Run, cluster: str, tmp_path: Path) -> None:
    file = tmp_path / "times.json"
    result = run("compare_queries", *WHERE, "--json", str(file))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        'ERROR: relation "sales" does not exist. The queries on warehouse change nothing: run '
        "star_schema.sql, sort_key.sql and materialized_view.sql first, as the same user, and "
        "check the options, AWS_DEFAULT_REGION, credentials and network.\n"
    )
    assert not file.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--repeat", "0", "--json", "{}/times.json"], "--repeat: 1 or more"),
        (
            ["--json", "{}/missing/times.json"],
            "argument --json: cannot write {}/missing/times.json: No such file or directory",
        ),
        (["--json", "{}"], "argument --json: cannot write {}: Is a directory"),
        (
            ["--json", "/proc/times.json"],
            "argument --json: cannot write /proc/times.json: No such file or directory",
        ),
        ([], "the following arguments are required: --json"),
    ],
)
def test_bad_options_call_nothing(run: Run, tmp_path: Path, options: list[str], said: str) -> None:
    with watching(Trace()) as trace:
        result = run("compare_queries", *WHERE, *(option.format(tmp_path) for option in options))
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(f"compare_queries.py: error: {said.format(tmp_path)}\n")
    assert trace.calls == []
    assert list(tmp_path.iterdir()) == []


def test_times_that_cannot_be_written(run: Run, run_file: Run) -> None:
    run_file("sample_schema")
    result = run("compare_queries", *WHERE, "--repeat", "1", "--json", "/dev/full")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "[Errno 28] No space left on device. The queries on warehouse change nothing: "
    )
