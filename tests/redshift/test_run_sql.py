import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from awslab.embedded import environment
from awslab.run import Result
from awslab.scenarios import EXAMPLES
from proofs.trace import Answer, Call, Trace, refusal, watching

Select = Callable[[str], list[list[Any]]]
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
ADVICE = (
    "Check the SQL, --cluster-id or --workgroup-name, AWS_DEFAULT_REGION, credentials and network, "
    "and run the file again.\n"
)


@pytest.fixture
def run_text(run: Callable[..., Any], cluster: str, tmp_path: Path) -> Callable[..., Any]:
    """`run_text("SELECT 1; …", "--json", "…")`: run a file of this text."""

    def start(sql: str, *options: str) -> Any:
        file = tmp_path / "file.sql"
        file.write_text(sql, encoding="utf-8")
        where = ("--cluster-id", cluster, "--db-user", "awsuser")
        return run("run_sql", *where, *options, str(file))

    return start


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\n\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        ("-- one; two\nSELECT 1; -- the end;", ["SELECT 1"]),
        ("/* a;\n b */ SELECT 1", ["SELECT 1"]),
        ("SELECT ';', 'it''s; so'; SELECT 2", ["SELECT ';', 'it''s; so'", "SELECT 2"]),
        ("SELECT '--', \"a;b\" FROM t", ["SELECT '--', \"a;b\" FROM t"]),
        ("SELECT 8 - -1, 4 / 2", ["SELECT 8 - -1, 4 / 2"]),
        (" ;; \n;", []),
        ("-- nothing\n/* at all */", []),
        ("DO $$ a; 'b $$; SELECT $$;$$", ["DO $$ a; 'b $$", "SELECT $$;$$"]),
        ("SELECT 1; SELECT '$$'; SELECT '$$'", ["SELECT 1", "SELECT '$$'", "SELECT '$$'"]),
    ],
)
def test_statements_end_at_semicolons(
    example: Callable[[str], Any], sql: str, statements: list[str]
) -> None:
    assert example("run_sql").split_statements(sql) == statements


def test_it_prints_each_statement_and_its_result(run_text: Callable[..., Any]) -> None:
    result = run_text(
        "CREATE TABLE t (\n  i INT, name VARCHAR(8), price DECIMAL(6, 2));\n"
        "INSERT INTO t VALUES (1, 'a', 2.5), (20, NULL, NULL);\nSELECT * FROM t ORDER BY i;"
    )
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        " 1  CREATE TABLE t (\n"
        " 2  INSERT INTO t VALUES (1, 'a', 2.5), (20, NULL, NULL)\n"
        " 3  SELECT * FROM t ORDER BY i\n"
        "     i name price\n"
        "     1    a  2.50\n"
        "    20 NULL  NULL\n"
    )


def test_results_are_written_as_json(run_text: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    sql = (
        "SELECT 1 AS i, 2.5::DECIMAL(4,2) AS d, NULL::INT AS n, 'é' AS s, TRUE AS b, "
        "1.5::FLOAT AS f; SET query_group TO 'x'; SELECT 2 AS i WHERE 1 = 0"
    )
    assert run_text(sql, "--json", str(file)).status == 0
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "statements": [
            {"columns": ["i", "d", "n", "s", "b", "f"], "rows": [[1, 2.5, None, "é", True, 1.5]]},
            {"columns": ["i"], "rows": []},
        ]
    }


def test_all_pages_of_a_result_are_fetched(run_text: Callable[..., Any], tmp_path: Path) -> None:
    digits = "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {d}" for d in range(1, 10)) + ")"
    sql = f"SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM {digits} a, {digits} b, "
    file = tmp_path / "results.json"
    run_text(f"{sql}{digits} c, {digits} e WHERE e.d < 3 ORDER BY 1", "--json", str(file))
    (found,) = json.loads(file.read_text())["statements"]
    assert found["rows"] == [[n] for n in range(3000)]


def test_a_session_keeps_temporary_tables(run_text: Callable[..., Any], data: Any) -> None:
    result = run_text("CREATE TEMP TABLE t AS SELECT 7 AS i; SELECT i FROM t")
    assert result.output.endswith("    i\n    7\n")
    (session,) = data.list_sessions()["Sessions"]
    assert session["SessionAliveSeconds"] == 60


def test_each_statement_stands_alone(run_text: Callable[..., Any], select: Select) -> None:
    result = run_text(
        "CREATE TABLE t (i INT);\nINSERT INTO t VALUES (1);\n-- fails\nSELECT nope\nFROM t;\n"
        "DROP TABLE t"
    )
    assert result.status == 1
    assert result.output == " 1  CREATE TABLE t (i INT)\n 2  INSERT INTO t VALUES (1)\n"
    assert result.errors.startswith('ERROR: column "nope" does not exist in t. Statement 3 of /')
    assert result.errors.endswith(
        f"file.sql (SELECT nope) has failed; statements done before it in warehouse: 2. {ADVICE}"
    )
    assert select("SELECT * FROM t") == [[1]]


def test_a_vacuum_runs_for_it_is_in_no_transaction(run_text: Callable[..., Any]) -> None:
    result = run_text("CREATE TABLE t (i INT) SORTKEY(i); VACUUM t")
    assert (result.status, result.errors) == (0, "")


def test_no_results_are_written_after_a_failure(
    run_text: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    assert run_text("SELECT 1; SELECT nope", "--json", str(file)).status == 1
    assert not file.exists()


def test_a_workgroup_runs_it_too(run: Callable[..., Any], serverless: Any, tmp_path: Path) -> None:
    serverless.create_namespace(namespaceName="analytics")
    serverless.create_workgroup(workgroupName="analysts", namespaceName="analytics")
    file = tmp_path / "file.sql"
    file.write_text("SELECT 1 AS one")
    for _ in range(5):  # until it is available
        serverless.get_workgroup(workgroupName="analysts")
    result = run("run_sql", "--workgroup-name", "analysts", str(file))
    assert (result.status, result.errors) == (0, "")
    assert result.output == " 1  SELECT 1 AS one\n    one\n      1\n"


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        ("ExecuteStatement", "is not known to run"),
        ("DescribeStatement", "may still run"),
        ("GetStatementResult", "is done, but its result is lost"),
    ],
)
def test_a_refused_call_names_the_statement(
    run_text: Callable[..., Any], operation: str, state: str
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        second = len([c for c in trace.calls if c.operation == "ExecuteStatement"]) == 2
        throttled = second and call.operation == operation
        return refusal("ThrottlingException", "Rate exceeded.", 400) if throttled else None

    with watching(Trace(refuse)):
        result = run_text("SELECT 1; SELECT 2")
    assert result.status == 1
    assert result.output.startswith(" 1  SELECT 1\n    ?column?\n           1\n")
    assert result.errors.startswith(
        f"An error occurred (ThrottlingException) when calling the {operation} operation: "
        "Rate exceeded. Statement 2 of "
    )
    assert result.errors.endswith(
        f"(SELECT 2) {state}; statements done before it in warehouse: 1. {ADVICE}"
    )


def test_a_missing_cluster_is_told(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1")
    result = run("run_sql", "--cluster-id", "none", str(tmp_path / "a.sql"))
    assert (result.status, result.output) == (1, "")
    assert "Statement 1 of " in result.errors
    assert "is not known to run; statements done before it in none: 0. " in result.errors


def test_a_paused_cluster_is_told(
    run_text: Callable[..., Any], redshift: Any, cluster: str
) -> None:
    redshift.pause_cluster(ClusterIdentifier=cluster)
    result = run_text("SELECT 1")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("An error occurred (ValidationException) ")
    assert "(SELECT 1) is not known to run; " in result.errors


def test_without_a_region_nothing_is_sent(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = run("run_sql", "--cluster-id", "c", str(tmp_path / "a.sql"))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"You must specify a region. Statement 1 of {tmp_path}/a.sql (SELECT 1) was not sent; "
        f"statements done before it in c: 0. {ADVICE}"
    )


@pytest.mark.usefixtures("cluster")
def test_a_server_that_is_down(run_text: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    result = run_text("SELECT 1")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Could not connect to the endpoint URL: ")
    assert "(SELECT 1) is not known to run; " in result.errors


def test_results_that_cannot_be_written(run_text: Callable[..., Any]) -> None:
    result = run_text("SELECT 1; SELECT 2", "--json", "/dev/full")
    assert (result.status, result.output.count("SELECT")) == (1, 2)
    assert result.errors.startswith("[Errno 28] No space left on device. Statement 2 of ")
    assert "(SELECT 2) is done, but its result is lost; " in result.errors


def test_results_replace_older_ones_only_at_the_end(
    run_text: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    file.write_text("older, and longer than what comes in its place" * 9)
    before = file.read_text()
    assert run_text("SELECT nope", "--json", str(file)).status == 1
    assert file.read_text() == before
    assert run_text("SELECT 1 AS i", "--json", str(file)).status == 0
    assert json.loads(file.read_text()) == {"statements": [{"columns": ["i"], "rows": [[1]]}]}


def test_a_reader_that_goes_away(lab_server: str, tmp_path: Path) -> None:
    env = environment(AWS_ENDPOINT_URL=lab_server)
    redshift = boto3.client("redshift", "ap-northeast-1", endpoint_url=lab_server, **KEYS)
    redshift.create_cluster(
        ClusterIdentifier="c",
        ClusterType="single-node",
        NodeType="ra3.xlplus",
        MasterUsername="awsuser",
        ManageMasterPassword=True,
    )
    redshift.get_waiter("cluster_available").wait(
        ClusterIdentifier="c", WaiterConfig={"Delay": 0, "MaxAttempts": 100}
    )
    (tmp_path / "a.sql").write_text("SELECT 1")
    command = [sys.executable, str(EXAMPLES / "redshift" / "run_sql.py"), "--cluster-id", "c"]
    with subprocess.Popen(
        [*command, str(tmp_path / "a.sql")], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 1)


class Warehouse:
    """A Data API whose statements never get beyond a status."""

    def __init__(self, status: str, **more: str) -> None:
        self.state = {"Status": status, **more}
        self.canceled: list[str] = []

    def describe_statement(self, **_: Any) -> dict[str, str]:
        return self.state

    def cancel_statement(self, Id: str) -> None:  # noqa: N803
        self.canceled.append(Id)


def test_a_statement_that_takes_too_long_is_canceled(
    example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = example("run_sql")
    times = iter([0.0, 1.0, 599.0, 601.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    warehouse = Warehouse("STARTED")
    with pytest.raises(TimeoutError, match=r"^Canceled after 600 seconds\.$"):
        module.wait_for_end(warehouse, "one")
    assert warehouse.canceled == ["one"]
    assert next(times, None) is None


@pytest.mark.parametrize(
    ("warehouse", "said"),
    [
        (Warehouse("ABORTED"), "The statement was canceled."),
        (Warehouse("ABORTED", Error="Query canceled on user's request"), "Query canceled"),
        (Warehouse("FAILED", Error="ERROR: division by zero"), "ERROR: division by zero"),
    ],
)
def test_a_statement_that_has_no_result(
    example: Callable[[str], Any], warehouse: Warehouse, said: str
) -> None:
    with pytest.raises(RuntimeError, match=f"^{said}"):
        example("run_sql").wait_for_end(warehouse, "one")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--cluster-id", "c", "{}/missing.sql"],
            "cannot read {0}/missing.sql as UTF-8: [Errno 2] No such file or directory: "
            "'{0}/missing.sql'",
        ),
        (
            ["--cluster-id", "c", "{}/sjis.sql"],
            "cannot read {}/sjis.sql as UTF-8: 'utf-8' codec can't decode byte 0x94 in position 8: "
            "invalid start byte",
        ),
        (["--cluster-id", "c", "{}/none.sql"], "{}/none.sql has no statement"),
        (
            ["--cluster-id", "c", "--json", "{}/missing/results.json", "{}/a.sql"],
            "argument --json: cannot write {}/missing/results.json: No such file or directory",
        ),
        (
            ["--cluster-id", "c", "--json", "{}", "{}/a.sql"],
            "argument --json: cannot write {}: Is a directory",
        ),
        (
            ["--cluster-id", "c", "--json", "/proc/results.json", "{}/a.sql"],
            "argument --json: cannot write /proc/results.json: No such file or directory",
        ),
        (
            ["--cluster-id", "c", "--workgroup-name", "w", "{}/a.sql"],
            "argument --workgroup-name: not allowed with argument --cluster-id",
        ),
        (["{}/a.sql"], "one of the arguments --cluster-id --workgroup-name is required"),
    ],
)
def test_bad_options_call_nothing(
    run: Callable[..., Any], tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1")
    (tmp_path / "none.sql").write_text("-- SELECT 1;\n;\n")
    (tmp_path / "sjis.sql").write_bytes("SELECT '売上'".encode("shift_jis"))
    before = sorted(tmp_path.iterdir())
    with watching(Trace()) as trace:
        result = run("run_sql", *(option.format(tmp_path) for option in options))
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(f"run_sql.py: error: {said.format(tmp_path)}\n")
    assert trace.calls == []
    assert sorted(tmp_path.iterdir()) == before


def test_a_mark_of_the_byte_order_is_no_sql(
    run: Callable[..., Any], cluster: str, tmp_path: Path
) -> None:
    (tmp_path / "a.sql").write_text("SELECT 'é' AS e", encoding="utf-8-sig")
    result = run("run_sql", "--cluster-id", cluster, str(tmp_path / "a.sql"))
    assert result == Result(0, " 1  SELECT 'é' AS e\n    e\n    é\n", "")
