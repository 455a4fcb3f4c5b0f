"""SQL files on the lab's Athena: placeholders, results, limits and reasons."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from cloudtrail.sample_records import BUCKET, FOLDER, module

Run = Callable[..., Any]


@pytest.fixture
def ask(run: Run, make_bucket: Callable[[str], str], tmp_path: Path) -> Run:
    """`ask("SELECT …", "--database", "x")`: run one file of SQL, with a bucket for results."""
    make_bucket(BUCKET)

    def start(sql: str, *arguments: str) -> Any:
        file = tmp_path / "a.sql"
        file.write_text(sql, encoding="utf-8")
        return run("run_queries", "--bucket", BUCKET, str(file), *arguments)

    return start


def results(s3: Any, prefix: str = "") -> list[str]:
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [found["Key"] for found in listed]


def test_a_result_is_a_table(ask: Run) -> None:
    result = ask("-- a comment\nSELECT * FROM (VALUES ('a', 1), ('long', NULL)) AS v (name, n)")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "a.sql: 2 rows, 0 MB scanned\nname  n\na     1\nlong\n"


def test_placeholders(ask: Run) -> None:
    days = ["--first-day", "2026/10/01", "--last-day", "2026/10/31"]
    sql = "SELECT '${bucket} ${account} ${first_day} ${last_day} ${region} $.a' AS given"
    assert ask(sql, *days).output.splitlines()[-1] == (
        f"{BUCKET} 111122223333 2026/10/01 2026/10/31 ${{region}} $.a"
    )


def test_without_days_it_is_the_last_thirty(ask: Run) -> None:
    today = datetime.now(UTC)
    first, last = ask("SELECT '${first_day} ${last_day}' AS days").output.splitlines()[-1].split()
    assert timedelta(0) <= today - datetime.strptime(last + "+0000", "%Y/%m/%d%z") < timedelta(2)
    assert first == f"{today - timedelta(days=30):%Y/%m/%d}"


def test_results_come_in_pages(ask: Run) -> None:
    lines = ask("SELECT * FROM UNNEST(sequence(1, 2500)) AS t (n)").output.splitlines()
    assert lines[0] == "a.sql: 2500 rows, 0 MB scanned"
    assert lines[2:] == [str(number) for number in range(1, 2501)]


def test_where_results_go(ask: Run, s3: Any) -> None:
    ask("SELECT 1 AS n")
    assert len(results(s3, "athena-results/")) == 1
    ask("SELECT 1 AS n", "--output", f"s3://{BUCKET}/elsewhere/")
    assert len(results(s3, "elsewhere/")) == 1


def test_the_database(ask: Run, client: Callable[..., Any]) -> None:
    assert ask("CREATE DATABASE logs").output == "a.sql: done\n"
    ask(f"CREATE EXTERNAL TABLE t (n INT) LOCATION 's3://{BUCKET}/t/'", "--database", "logs")
    tables = client("athena").list_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="logs"
    )["TableMetadataList"]
    assert [table["Name"] for table in tables] == ["t"]
    assert "0 rows" in ask("SELECT n FROM t", "--database", "logs").output
    assert "TABLE_NOT_FOUND" in ask("SELECT n FROM t").errors


def test_several_files_run_until_one_fails(
    run: Run, make_bucket: Callable[[str], str], tmp_path: Path
) -> None:
    make_bucket(BUCKET)
    files = {
        "a": "SELECT 1 AS n",
        "b": "SELECT nothing FROM (VALUES 1) AS v (n)",
        "c": "SELECT 3 AS n",
    }
    for name, sql in files.items():
        (tmp_path / f"{name}.sql").write_text(sql)
    paths = [str(tmp_path / f"{name}.sql") for name in files]
    result = run("run_queries", "--bucket", BUCKET, *paths)
    assert result.status == 1
    assert result.output == "a.sql: 1 rows, 0 MB scanned\nn\n1\n"
    assert result.errors.startswith("FAILED: COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot")
    assert result.errors.endswith(
        "b.sql failed. Results of the files before it are in "
        f"s3://{BUCKET}/athena-results/. Check the SQL and the names.\n"
    )


def test_scanned_megabytes_are_rounded_up(run: Run) -> None:
    assert run("write_sample_logs", "--bucket", BUCKET, "--days", "2").status == 0
    queries = [str(FOLDER / name) for name in ("create_table.sql", "what.sql")]
    days = ["--first-day", "2026/10/01", "--last-day", "2026/10/02"]
    result = run("run_queries", "--bucket", BUCKET, *days, *queries)
    assert result.output.startswith("create_table.sql: done\nwhat.sql: ")
    assert " rows, 1 MB scanned\n" in result.output


def test_a_query_that_never_ends_is_given_up(
    client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_queries = module("run_queries")
    monkeypatch.setattr(run_queries, "PATIENCE", 3)
    athena = client("athena")
    with Stubber(athena) as stub:
        for _ in range(3):
            status = {"QueryExecution": {"Status": {"State": "RUNNING"}}}
            stub.add_response("get_query_execution", status)
        with pytest.raises(TimeoutError, match="It still runs after 3 seconds"):
            run_queries.wait_for(athena, "query-of-36-characters-0123456789abc")
        stub.assert_no_pending_responses()


def test_a_cancelled_query_says_so(client: Callable[..., Any]) -> None:
    athena = client("athena")
    with Stubber(athena) as stub:
        status = {"QueryExecution": {"Status": {"State": "CANCELLED"}}}
        stub.add_response("get_query_execution", status)
        with pytest.raises(RuntimeError, match="CANCELLED: no reason given"):
            module("run_queries").wait_for(athena, "query-of-36-characters-0123456789abc")


def test_a_file_that_is_not_there(run: Run) -> None:
    result = run("run_queries", "--bucket", BUCKET, "none.sql")
    assert result.status == 1
    assert "No such file or directory: 'none.sql'. Nothing was run." in result.errors


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no SQL"),
        (b"-- only\n  \n-- comments", "holds no SQL"),
        ("SELECT 'テスト' AS n".encode("cp932"), "is not UTF-8: save it as UTF-8"),
        ("SELECT 1 AS n".encode("utf-16"), "is not UTF-8: save it as UTF-8"),
    ],
    ids=["empty", "comments", "cp932", "utf-16"],
)
def test_a_file_without_sql_is_refused_before_any_call(
    ask: Run, tmp_path: Path, s3: Any, content: bytes, reason: str
) -> None:
    (tmp_path / "b.sql").write_bytes(content)
    result = ask("SELECT 1 AS n", str(tmp_path / "b.sql"))
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"b.sql {reason}. Nothing was run.\n"
    assert results(s3) == []


def test_a_byte_order_mark_does_no_harm(ask: Run) -> None:
    assert ask("\ufeff-- a comment\nSELECT 'ü' AS n").output.endswith("\nn\nü\n")


@pytest.mark.parametrize(
    ("sql", "reason", "told"),
    [
        ("SELEC 1", "SYNTAX_ERROR: line", "a.sql failed. Check the SQL and the names.\n"),
        ("SELECT 1 FROM a", "TABLE_NOT_FOUND: line", "a.sql failed. Run create_table.sql first.\n"),
        ("DROP DATABASE a", "does not exist: a", "a.sql failed. Check the names, the Region and "),
    ],
)
def test_what_failed_is_told(ask: Run, sql: str, reason: str, told: str) -> None:
    result = ask(sql)
    assert (result.status, result.output) == (1, "")
    assert reason in result.errors and told in result.errors
    assert "may have run" not in result.errors


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ("GetCallerIdentity", "Nothing was run."),
        ("StartQueryExecution", "a.sql was not run."),
        ("GetQueryExecution", "a.sql was started as query "),
        ("GetQueryResults", "a.sql was started as query "),
    ],
)
def test_a_refusal_says_how_far_it_came(
    ask: Run, refuse: Callable[..., Any], operation: str, told: str
) -> None:
    with refuse(operation):
        result = ask("SELECT 1 AS n")
    assert result.status == 1
    assert "AccessDenied" in result.errors
    assert told in result.errors
    started = told.endswith("query ")
    assert (f", with results in s3://{BUCKET}/athena-results/." in result.errors) == started


def test_an_interrupted_wait_is_one_line(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    result = ask("SELECT 1 AS n")
    assert (result.status, result.output) == (1, "")
    (line,) = result.errors.splitlines()
    assert line.startswith("Interrupted. a.sql was started as query ")


@pytest.mark.parametrize("output", ["notaurl", "s3://", "https://example.com/a/", f"{BUCKET}/a"])
def test_an_output_that_is_no_address_of_s3(ask: Run, s3: Any, output: str) -> None:
    result = ask("SELECT 1 AS n", "--output", output)
    assert (result.status, result.output) == (2, "")
    assert f"error: --output {output}: write s3://BUCKET/PREFIX/" in result.errors
    assert results(s3) == []


@pytest.mark.parametrize("name", ["run_queries", "query_logs"])
@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("2026-10-01", "2026/10/31", "2026-10-01 is no day: write YYYY/MM/DD"),
        ("2026/10/01", "2026/10/32", "2026/10/32 is no day: write YYYY/MM/DD"),
        ("2026/10", "2026/10/31", "2026/10 is no day"),
        ("2026/11/01", "2026/10/31", "first day 2026/11/01 is after last day 2026/10/31"),
    ],
)
def test_days_that_are_none(run: Run, name: str, first: str, last: str, reason: str) -> None:
    what = ["--bucket", BUCKET] if name == "run_queries" else [str(FOLDER)]
    days = ["--first-day", first, "--last-day", last]
    result = run(name, *what, str(FOLDER / "who.sql"), *days)
    assert (result.status, result.output) == (2, "")
    assert reason in result.errors


def test_a_day_may_be_written_short(ask: Run) -> None:
    days = ["--first-day", "2026/10/1", "--last-day", "2026/10/31"]
    assert ask("SELECT '${first_day}' AS n", *days).output.endswith("\n2026/10/01\n")


def test_a_bucket_that_is_not_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1 AS n")
    result = run("run_queries", "--bucket", BUCKET, str(tmp_path / "a.sql"))
    assert result.status == 1
    assert f"Unable to verify/create output bucket {BUCKET}. a.sql was not run." in result.errors
