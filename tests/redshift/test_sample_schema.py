from collections.abc import Callable
from typing import Any

Run = Callable[[str], list[dict[str, Any]]]
Select = Callable[[str], list[list[Any]]]


def test_it_makes_three_sales_and_their_view(run_file: Run, select: Select) -> None:
    assert run_file("sample_schema") == [
        {
            "columns": ["quarter", "category", "sales_count", "revenue"],
            "rows": [[1, "book", 1, 25], [3, "book", 1, 12.5], [3, "toy", 1, 30]],
        }
    ]
    assert select("SELECT sale_id, coupon FROM sales ORDER BY sale_id") == [
        [1, None],
        [2, "WELCOME"],
        [3, None],
    ]
    assert select("SELECT * FROM sales_unsorted ORDER BY sale_id") == select(
        "SELECT * FROM sales ORDER BY sale_id"
    )


def test_the_tables_are_those_of_the_star_schema(run_file: Run, select: Select) -> None:
    columns = (
        "SELECT table_name, column_name, data_type FROM svv_columns WHERE table_name IN "
        "('sales', 'product', 'calendar', 'revenue_now', 'revenue_by_quarter') ORDER BY 1, 2"
    )
    run_file("sample_schema")
    small = select(columns)
    run_file("star_schema")
    run_file("materialized_view")
    assert select(columns) == small
    assert run_file("sample_schema")[0]["rows"][0] == [1, "book", 1, 25]  # the large ones are gone
