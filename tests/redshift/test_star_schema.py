import re
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from awslab.scenarios import EXAMPLES

Run = Callable[[str], list[dict[str, Any]]]
Select = Callable[[str], list[list[Any]]]

GROUPS = (
    "SELECT product_id, channel, COUNT(*), COUNT(DISTINCT customer_id), SUM(quantity), "
    "SUM(amount), COUNT(coupon), MIN(coupon), MIN(sold_on), MAX(sold_on), "
    "SUM(sale_id * customer_id) FROM sales GROUP BY product_id, channel ORDER BY 1, 2"
)


def test_a_million_sales_are_those_of_the_arithmetic(
    run_file: Run, select: Select, facts: duckdb.DuckDBPyConnection
) -> None:
    assert run_file("star_schema") == [
        {
            "columns": ["table_name", "row_count"],
            "rows": [
                ["calendar", 365],
                ["customer", 10_000],
                ["product", 200],
                ["sales", 1_000_000],
            ],
        }
    ]
    assert select("SELECT COUNT(*), COUNT(DISTINCT sale_id), MIN(sale_id) FROM sales") == [
        [1_000_000, 1_000_000, 0]
    ]
    found = [[str(value) for value in row] for row in select(GROUPS)]
    expected = [[str(value) for value in row] for row in facts.execute(GROUPS).fetchall()]
    assert len(found) == 600
    assert found == expected


def test_the_dimensions(run_file: Run, select: Select, facts: duckdb.DuckDBPyConnection) -> None:
    run_file("star_schema")
    products = facts.execute("SELECT * FROM product ORDER BY product_id").fetchall()
    found = select("SELECT product_id, category, price FROM product ORDER BY product_id")
    assert found == [[number, category, str(price)] for number, category, price in products]
    assert select("SELECT segment, COUNT(*) FROM customer GROUP BY segment ORDER BY 1") == [
        ["business", 2_500],
        ["private", 7_500],
    ]
    assert select("SELECT quarter, COUNT(*) FROM calendar GROUP BY quarter ORDER BY 1") == [
        [1, 90],
        [2, 91],
        [3, 92],
        [4, 92],
    ]
    # Each fact has its dimensions.
    joined = "SELECT COUNT(*) FROM sales JOIN {0} USING ({1})"
    for table, key in (
        ("customer", "customer_id"),
        ("product", "product_id"),
        ("calendar", "sold_on"),
    ):
        assert select(joined.format(table, key)) == [[1_000_000]]


def test_the_physical_design(run_file: Run, select: Select) -> None:
    run_file("star_schema")
    sql = 'SELECT "table", diststyle, sortkey1, unsorted FROM svv_table_info ORDER BY 1'
    assert select(sql) == [
        ["calendar", "ALL", "sold_on", "0.00"],
        ["customer", "ALL", "customer_id", "0.00"],
        ["product", "ALL", "product_id", "0.00"],
        ["sales", "KEY(customer_id)", "sold_on", "0.00"],
    ]


def test_it_can_be_run_again(run_file: Run, select: Select) -> None:
    first = run_file("star_schema")
    select("INSERT INTO product VALUES (200, 'more', 1)")
    assert run_file("star_schema") == first


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES / "redshift").glob("*.sql")), ids=lambda p: p.stem
)
def test_no_file_depends_on_chance_or_on_the_leader_node(path: Any) -> None:
    sql = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8")).lower()
    for function in ("random", "generate_series", "getdate", "sysdate", "current_date"):
        assert function not in sql
