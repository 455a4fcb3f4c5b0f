from collections.abc import Callable
from typing import Any

import duckdb

Run = Callable[[str], list[dict[str, Any]]]


def test_it_is_right_then_stale_then_right_again(
    run_file: Run, select: Callable[[str], list[list[Any]]], facts: duckdb.DuckDBPyConnection
) -> None:
    run_file("star_schema")
    kept, same, stale, difference, fresh, again = run_file("materialized_view")
    expected = facts.execute(
        "SELECT quarter(sold_on), category, count(*), sum(amount)::DOUBLE "
        "FROM sales JOIN product USING (product_id) GROUP BY ALL ORDER BY 1, 2"
    ).fetchall()
    assert kept == {
        "columns": ["quarter", "category", "sales_count", "revenue"],
        "rows": [list(row) for row in expected],
    }
    assert len(kept["rows"]) == 16
    assert same["rows"] == again["rows"] == [[0]]
    assert (stale["rows"], fresh["rows"]) == (
        [["revenue_by_quarter", "t"]],
        [["revenue_by_quarter", "f"]],
    )
    # The sale that came is one of food: product 1 costs 42.00.
    (_, _, count, revenue) = expected[13]
    assert difference["rows"] == [
        ["kept", 4, "food", count, revenue],
        ["right now", 4, "food", count + 1, revenue + 42],
    ]
    # The sale has gone again, from the view as well.
    assert select("SELECT COUNT(*) FROM sales") == [[1_000_000]]
    now = select("SELECT * FROM revenue_now ORDER BY quarter, category")
    assert now == select("SELECT * FROM revenue_by_quarter ORDER BY quarter, category")
    assert now[13] == [4, "food", count, f"{revenue:.2f}"]


def test_it_can_be_run_again(run_file: Run) -> None:
    run_file("star_schema")
    assert run_file("materialized_view") == run_file("materialized_view")


def test_difference_finds_what_either_side_lacks(
    run_file: Run, select: Callable[[str], list[list[Any]]]
) -> None:
    run_file("star_schema")
    run_file("materialized_view")
    select(
        "DELETE FROM sales WHERE product_id IN (SELECT product_id FROM product WHERE "
        "category = 'toy')"
    )
    assert select("SELECT found_in, COUNT(*) FROM difference GROUP BY 1") == [["kept", 4]]
