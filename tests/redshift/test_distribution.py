from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

Run = Callable[[str], list[dict[str, Any]]]
CHANNELS = {"web": 600_000, "app": 300_000, "store": 100_000}


@pytest.fixture
def results(run_file: Run) -> list[dict[str, Any]]:
    run_file("star_schema")
    return run_file("distribution")


def test_rows_of_each_slice(
    results: list[dict[str, Any]], facts: duckdb.DuckDBPyConnection
) -> None:
    slices, _, _ = results
    assert slices["columns"] == ["slice", "even", "key_customer_id", "key_channel"]
    numbers, even, by_customer, by_channel = zip(*slices["rows"], strict=True)
    assert numbers == (0, 1, 2, 3)
    assert even == (250_000,) * 4
    expected = facts.execute(
        "SELECT count(*) FROM sales GROUP BY hash(customer_id::INT) % 4 "
        "ORDER BY hash(customer_id::INT) % 4"
    ).fetchall()
    assert by_customer == tuple(count for (count,) in expected)
    # A value lies on one slice as a whole, so three values leave at least one of four empty.
    assert sum(by_channel) == 1_000_000
    assert by_channel.count(0) >= 1
    assert max(by_channel) >= CHANNELS["web"]
    sums = {0}
    for rows in CHANNELS.values():
        sums |= {rows + other for other in sums}
    assert set(by_channel) <= sums


def test_skew_is_the_fullest_slice_against_the_emptiest(results: list[dict[str, Any]]) -> None:
    slices, skew, _ = results
    by_customer = [row[2] for row in slices["rows"]]
    assert skew["columns"] == ["table", "diststyle", "tbl_rows", "skew_rows"]
    assert skew["rows"] == [
        ["sales_even", "EVEN", 1_000_000, 1],
        [
            "sales",
            "KEY(customer_id)",
            1_000_000,
            round(max(by_customer) / min(by_customer), 2),
        ],
        ["sales_by_channel", "KEY(channel)", 1_000_000, 100],  # the lab's figure for an empty slice
    ]
    assert skew["rows"][1][3] < 1.05


def test_why_the_bad_key_is_bad(
    results: list[dict[str, Any]], facts: duckdb.DuckDBPyConnection
) -> None:
    counted = Counter(
        dict(facts.execute("SELECT channel, count(*) FROM sales GROUP BY 1").fetchall())
    )
    assert counted == CHANNELS
    assert results[2]["rows"] == [list(pair) for pair in counted.most_common()]
