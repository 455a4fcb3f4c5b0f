from collections.abc import Callable
from typing import Any

Run = Callable[[str], list[dict[str, Any]]]


def test_an_empty_database_has_nothing_to_list(run_file: Run) -> None:
    (found,) = run_file("list_tables")
    assert found["rows"] == []


def test_tables_with_their_design(run_file: Run, select: Callable[[str], list[list[Any]]]) -> None:
    run_file("sample_schema")
    select("CREATE TABLE empty (i INT)")
    (found,) = run_file("list_tables")
    assert found["columns"] == [
        "table_name",
        "diststyle",
        "sortkey1",
        "tbl_rows",
        "unsorted",
        "skew_rows",
    ]
    by_key = select("SELECT skew_rows FROM svv_table_info WHERE \"table\" = 'sales'")[0][0]
    assert found["rows"] == [
        ["revenue_by_quarter", "EVEN", None, 3, None, 100],
        ["sales", "KEY(customer_id)", "sold_on", 3, 0, float(by_key)],
        ["sales_unsorted", "EVEN", None, 3, None, 100],
        ["calendar", "ALL", None, 2, None, None],
        ["product", "ALL", None, 2, None, None],
    ]


def test_rows_that_came_later_are_unsorted(
    run_file: Run, select: Callable[[str], list[list[Any]]]
) -> None:
    run_file("sample_schema")
    select("INSERT INTO sales SELECT * FROM sales_unsorted")
    (found,) = run_file("list_tables")
    assert ["sales", 6, 50] in [[row[0], row[3], row[4]] for row in found["rows"]]
