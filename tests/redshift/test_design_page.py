"""The numbers in the text of the page on table design are those that the runs recorded."""

import json
from pathlib import Path
from typing import Any

import pytest
from awslab.scenarios import EXAMPLES
from awslab.services.redshift_data.warehouse import BLOCK

PAGE = EXAMPLES.parent / "docs" / "foundations" / "redshift-design.md"


def table(name: str, place: int) -> list[dict[str, Any]]:
    path = (EXAMPLES / "redshift" / name).with_suffix(".figures.json")
    found = json.loads(path.read_text(encoding="utf-8"))["statements"][place]
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]


@pytest.fixture
def page() -> str:
    return Path(PAGE).read_text(encoding="utf-8")


def test_the_skew_of_the_bad_key(page: str) -> None:
    rows = [row["key_channel"] for row in table("distribution", 0)]
    channels = {row["channel"]: row["row_count"] for row in table("distribution", 2)}
    empty = sum(not count for count in rows)
    together = channels["web"] + channels["store"]
    assert max(rows) == together
    assert f"{empty} つのスライスは空で、1 つのスライスに {together:,} 行が集まります" in page
    assert f"`web` の {channels['web']:,} 行と `store` の {channels['store']:,} 行が" in page
    skews = [row["skew_rows"] for row in table("distribution", 1)]
    assert f"ラボは {max(skews):g} を返します" in page


def test_the_blocks_of_one_day(page: str) -> None:
    day, *_, year = table("sort_key", 10)
    assert (day["days"], year["days"]) == (1, 365)
    every = day["blocks_unsorted"]
    assert year["blocks_sorted"] == year["blocks_unsorted"] == every
    read = f"ソートキーのあるテーブルで {every} のうち {day['blocks_sorted']}、"
    assert f"{read}ないテーブルで {every} すべてです" in page
    wanted = f"{day['rows_wanted']:,} 行のために {day['rows_sorted']:,} 行を読みます"
    assert f"ラボの行グループは {BLOCK:,} 行なので、1 日分の {wanted}" in page


def test_the_order_of_the_times() -> None:
    path = EXAMPLES / "redshift" / "compare_queries.figures.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    times = {(query, design): time for query, design, time in found["rows"]}
    assert times["one day", "with sort key"] < times["one day", "without"]
    assert times["by quarter", "materialized view"] < times["by quarter", "base query"]
