from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from proofs.trace import Answer, Call, Trace, refusal, watching

Run = Callable[..., Any]
WHERE = ("--cluster-id", "warehouse", "--db-user", "awsuser")
PLACE = {"ClusterIdentifier": "warehouse", "DbUser": "awsuser", "Database": "dev"}


def test_all_rows_of_a_day_with_their_types(
    run_file: Run, example: Callable[[str], Any], data: Any, facts: duckdb.DuckDBPyConnection
) -> None:
    run_file("star_schema")
    module = example("query_sales")
    made = module.submit_query(data, PLACE, channel="web", day="2025-07-01")
    module.wait_for_result(data, made)
    rows, pages = module.fetch_rows(data, made)
    expected = facts.execute(
        "SELECT sale_id, sold_on, quantity, amount, coupon FROM sales "
        "WHERE channel = 'web' AND sold_on = '2025-07-01' ORDER BY sale_id"
    ).fetchall()
    assert [tuple(row.values()) for row in rows] == expected
    assert len(expected) > 1000
    assert pages == 2
    assert list(rows[0]) == ["sale_id", "sold_on", "quantity", "amount", "coupon"]
    assert {tuple(map(type, row.values())) for row in rows} == {
        (int, date, int, Decimal, type(None)),
        (int, date, int, Decimal, str),
    }


def test_it_prints_the_first_row(run: Run, run_file: Run) -> None:
    run_file("sample_schema")
    result = run("query_sales", *WHERE, "--day", "2025-01-31")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "web, 2025-01-31: 1 rows, pages: 1\n"
        "  sale_id   int       2\n"
        "  sold_on   date      2025-01-31\n"
        "  quantity  int       2\n"
        "  amount    Decimal   25.00\n"
        "  coupon    str       WELCOME\n"
    )


def test_a_day_without_sales(run: Run, run_file: Run) -> None:
    run_file("sample_schema")
    result = run("query_sales", *WHERE, "--day", "2024-02-29")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "web, 2024-02-29: 0 rows, pages: 1\n"


def test_a_value_is_no_sql(run: Run, run_file: Run) -> None:
    run_file("sample_schema")
    result = run("query_sales", *WHERE, "--channel", "web' OR '1' = '1")
    assert (result.status, result.output) == (
        0,
        "web' OR '1' = '1, 2025-07-01: 0 rows, pages: 1\n",
    )


def test_parameters_go_as_strings_beside_the_sql(
    example: Callable[[str], Any], data: Any, run_file: Run
) -> None:
    run_file("sample_schema")
    module = example("query_sales")
    made = module.submit_query(data, PLACE, channel="app", day="2025-07-01")
    state = data.describe_statement(Id=made)
    assert state["QueryString"] == module.SQL
    assert state["QueryParameters"] == [
        {"name": "channel", "value": "app"},
        {"name": "day", "value": "2025-07-01"},
    ]


def test_a_failed_query_tells_what_redshift_said(run: Run, cluster: str) -> None:
    result = run("query_sales", *WHERE)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        'FAILED: ERROR: relation "sales" does not exist. The query on warehouse changes nothing: '
        "run star_schema.sql with run_sql.py first, as the same user, and check the options, "
        "AWS_DEFAULT_REGION, credentials and network.\n"
    )


def test_a_query_that_somebody_cancels(run: Run, run_file: Run, data: Any) -> None:
    run_file("sample_schema")

    def cancel(trace: Trace, call: Call) -> Answer | None:
        if call.operation == "DescribeStatement" and len(trace.calls) == 2:
            waiting = data.list_statements(Status="ALL")["Statements"][0]
            data.cancel_statement(Id=waiting["Id"])
        return None

    with watching(Trace(cancel)):
        result = run("query_sales", *WHERE)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("ABORTED: canceled. The query on warehouse changes nothing")


def test_a_query_that_takes_too_long_is_canceled(
    example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = example("query_sales")
    times = iter([0.0, 1.0, 299.0, 301.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    canceled: list[str] = []
    client = SimpleNamespace(
        describe_statement=lambda **_: {"Status": "STARTED"},
        cancel_statement=lambda Id: canceled.append(Id),  # noqa: N803
    )
    with pytest.raises(TimeoutError, match=r"^ABORTED: canceled after 300 seconds$"):
        module.wait_for_result(client, "one")
    assert canceled == ["one"]


@pytest.mark.parametrize(
    ("field", "kind", "value"),
    [
        ({"isNull": True}, "numeric", None),
        ({"longValue": 0}, "int4", 0),
        ({"booleanValue": False}, "bool", False),
        ({"doubleValue": 0.5}, "float8", 0.5),
        ({"stringValue": ""}, "varchar", ""),
        ({"stringValue": "0.10"}, "numeric", Decimal("0.10")),
        ({"stringValue": "2025-02-28"}, "date", date(2025, 2, 28)),
        ({"blobValue": b"\x00"}, "varbyte", b"\x00"),
    ],
)
def test_a_field_as_a_value(
    example: Callable[[str], Any], field: dict[str, Any], kind: str, value: Any
) -> None:
    found = example("query_sales").value_of(field, kind)
    assert (found, type(found)) == (value, type(value))


def test_a_result_that_cannot_be_read(run: Run, run_file: Run) -> None:
    run_file("sample_schema")

    def refuse(trace: Trace, call: Call) -> Answer | None:
        denied = refusal("AccessDeniedException", "You are not authorized.", 400)
        return denied if call.operation == "GetStatementResult" else None

    with watching(Trace(refuse)):
        result = run("query_sales", *WHERE)
    assert (result.status, result.output) == (1, "")
    assert "(AccessDeniedException) when calling the GetStatementResult" in result.errors


def test_a_day_that_is_none(run: Run) -> None:
    result = run("query_sales", *WHERE, "--day", "2025-02-30")
    assert (result.status, result.output) == (2, "")
    assert "argument --day: invalid fromisoformat value: '2025-02-30'" in result.errors
