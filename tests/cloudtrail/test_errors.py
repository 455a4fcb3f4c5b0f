"""errors.sql on both engines, against counts made in Python."""

from collections import Counter
from pathlib import Path

from cloudtrail.sample_records import day, error, on_athena, on_duckdb, records, texts, who


def expected() -> list[list[str]]:
    count: Counter[tuple[str, str, str, str]] = Counter()
    last: dict[tuple[str, str, str, str], str] = {}
    for record in records():
        said = error(record)
        if said is not None:
            key = (said, record["eventSource"], record["eventName"], who(record))
            count[key] += 1
            last[key] = max(last.get(key, ""), day(record))
    rows = sorted(((*key, n, last[key]) for key, n in count.items()), key=lambda r: (-r[4], r[:4]))
    return texts(rows)


def test_duckdb_finds_every_error(tmp_path: Path) -> None:
    found = on_duckdb("errors.sql", tmp_path)
    assert found == expected()
    names = {row[0] for row in found}
    assert names >= {"AccessDenied", "ThrottlingException", "SlowDown", "Failed authentication"}
    assert 'It\'s "quoted"' in names
    assert ["NoDate", "new.amazonaws.com", "NewOperation", "team/ken", "1", ""] in found
    assert "444455556666/AROAEXAMPLE:nightly" in {row[3] for row in found}


def test_athena_finds_the_same(lab: None) -> None:
    assert on_athena("errors.sql") == expected()
