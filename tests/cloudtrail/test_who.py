"""who.sql on both engines, against counts made in Python."""

from pathlib import Path

from cloudtrail.sample_records import day, error, kind, on_athena, on_duckdb, records, texts, who


def expected() -> list[list[str]]:
    rows = []
    for name, type_ in {(who(record), kind(record)) for record in records()}:
        own = [record for record in records() if (who(record), kind(record)) == (name, type_)]
        addresses = {r["sourceIPAddress"] for r in own if "sourceIPAddress" in r}
        errors = sum(error(record) is not None for record in own)
        rows.append((name, type_, len(own), errors, len(addresses), max(map(day, own))))
    # A caller without any name is null, and nulls come last.
    rows.sort(key=lambda row: (-row[2], row[0] == "", row[0], row[1]))
    return texts(rows)


def test_duckdb_finds_every_caller(tmp_path: Path) -> None:
    found = on_duckdb("who.sql", tmp_path)
    assert found == expected()
    assert ["team/ken", "IAMUser", "4", "2", "0", "2026-10-09"] in found
    assert ["HIDDEN_DUE_TO_SECURITY_REASONS", "IAMUser", "1", "1", "1", "2026-10-03"] in found
    assert sum(int(row[2]) for row in found) == len(list(records()))


def test_callers_without_an_arn_have_a_row_each(tmp_path: Path) -> None:
    found = {row[0]: row[1] for row in on_duckdb("who.sql", tmp_path)}
    assert {
        name: kind for name, kind in found.items() if kind in ("IdentityCenterUser", "AWSAccount")
    } == {
        "center-user-1": "IdentityCenterUser",
        "center-user-2": "IdentityCenterUser",
        "444455556666": "AWSAccount",
        "444455556666/AROAEXAMPLE:nightly": "AWSAccount",
    }


def test_athena_finds_the_same(lab: None) -> None:
    assert on_athena("who.sql") == expected()
