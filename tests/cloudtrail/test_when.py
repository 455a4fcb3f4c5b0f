"""when.sql on both engines, against counts made in Python."""

from pathlib import Path

from cloudtrail.sample_records import error, on_athena, on_duckdb, records, texts


def expected() -> list[list[str]]:
    rows = []
    for hour in (f"{number:02}" for number in range(24)):
        own = [record for record in records() if record["eventTime"][11:13] == hour]
        rows.append(
            (
                hour,
                len(own),
                sum(record.get("readOnly") is False for record in own),
                sum(record.get("eventName") == "ConsoleLogin" for record in own),
                sum(error(record) is not None for record in own),
            )
        )
    return texts([row for row in rows if row[1]])


def test_duckdb_finds_every_hour(tmp_path: Path) -> None:
    found = on_duckdb("when.sql", tmp_path)
    assert found == expected()
    assert len(found) == 24
    assert sum(int(row[1]) for row in found) == len(list(records()))


def test_athena_finds_the_same(lab: None) -> None:
    assert on_athena("when.sql") == expected()
