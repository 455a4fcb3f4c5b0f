"""what.sql on both engines, against counts made in Python."""

from pathlib import Path

from cloudtrail.sample_records import day, error, on_athena, on_duckdb, records, texts


def expected() -> list[list[str]]:
    changes = [
        record
        for record in records()
        if record.get("eventCategory") == "Management" and record.get("readOnly") is False
    ]
    rows = []
    for source, name in {(r["eventSource"], r["eventName"]) for r in changes}:
        own = [r for r in changes if (r["eventSource"], r["eventName"]) == (source, name)]
        callers = {r["userIdentity"]["arn"] for r in own if "arn" in r["userIdentity"]}
        errors = sum(error(record) is not None for record in own)
        rows.append((source, name, len(own), errors, len(callers), max(map(day, own))))
    rows.sort(key=lambda row: (-row[2], row[0], row[1]))
    return texts(rows)


def test_duckdb_finds_every_change(tmp_path: Path) -> None:
    found = on_duckdb("what.sql", tmp_path)
    assert found == expected()
    assert ["s3.amazonaws.com", "DeleteBucket", "1", "0", "1", "2026-10-21"] in found
    # One of the two bears a time that is none.
    assert ["new.amazonaws.com", "NewOperation", "2", "1", "1", "2026-10-09"] in found
    assert not [row for row in found if row[1].startswith(("Get", "List", "Describe", "Put"))]


def test_athena_finds_the_same(lab: None) -> None:
    assert on_athena("what.sql") == expected()
