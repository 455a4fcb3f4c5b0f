from collections.abc import Callable
from typing import Any

import duckdb

Run = Callable[[str], list[dict[str, Any]]]
DAYS = (1, 7, 30, 90, 365)
BLOCK = 8_192  # rows of a row group in the lab


def test_a_sort_key_saves_blocks(run_file: Run, facts: duckdb.DuckDBPyConnection) -> None:
    run_file("star_schema")
    *revenues, read = run_file("sort_key")
    sql = (
        "SELECT sum(amount)::DOUBLE, count(*) FROM sales "
        "WHERE sold_on < DATE '2025-01-01' + {}::INT"
    )
    expected = [facts.execute(sql.format(days)).fetchall()[0] for days in DAYS]
    # The same answers from both tables.
    assert [result["rows"] for result in revenues] == [[[sums]] for sums, _ in expected * 2]
    assert read["columns"] == [
        "days",
        "rows_wanted",
        "rows_sorted",
        "rows_unsorted",
        "blocks_sorted",
        "blocks_unsorted",
    ]
    # The rows wanted are the first ones of the sorted table.
    blocks = [-(-count // BLOCK) for _, count in expected]
    assert read["rows"] == [
        [days, count, min(number * BLOCK, 1_000_000), 1_000_000, number, 123]
        for days, (_, count), number in zip(DAYS, expected, blocks, strict=True)
    ]
    assert blocks == [1, 3, 11, 31, 123]


def test_the_tables_have_the_same_rows(
    run_file: Run, select: Callable[[str], list[list[Any]]]
) -> None:
    run_file("star_schema")
    run_file("sort_key")
    sql = "SELECT COUNT(*) FROM (SELECT * FROM {0} EXCEPT SELECT * FROM {1}) AS missing"
    assert select(sql.format("sales", "sales_unsorted")) == [[0]]
    assert select(sql.format("sales_unsorted", "sales")) == [[0]]
    assert select("SELECT COUNT(*) FROM sales_unsorted") == [[1_000_000]]
    assert select(
        "SELECT sortkey1, diststyle FROM svv_table_info WHERE \"table\" = 'sales_unsorted'"
    ) == [[None, "KEY(customer_id)"]]


def test_it_reads_the_same_when_run_again(run_file: Run) -> None:
    run_file("star_schema")
    assert run_file("sort_key") == run_file("sort_key")


def test_it_reads_the_same_after_the_other_files(run_file: Run) -> None:
    run_file("star_schema")
    first = run_file("sort_key")
    run_file("materialized_view")
    assert run_file("sort_key") == first


def test_it_counts_its_own_queries_alone(run_file: Run) -> None:
    run_file("star_schema")
    run_file("sort_key")
    run_file("sample_schema")
    *_, read = run_file("sort_key")
    # Of the days before the first sale the lab has no scan.
    assert read["rows"] == [[90, 1, 3, 3, 1, 1], [365, 3, 3, 3, 1, 1]]
