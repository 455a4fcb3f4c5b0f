"""data_event_volume.sql on both engines, against counts made in Python."""

from collections import Counter
from pathlib import Path
from typing import Any

from cloudtrail.sample_records import on_athena, on_duckdb, records, texts


def resource(record: dict[str, Any]) -> str:
    parameters = record["requestParameters"]
    if isinstance(parameters, dict):
        return str(parameters["bucketName"])
    return str(record["resources"][0]["ARN"]) if record["resources"] else ""


def expected() -> list[list[str]]:
    data = [record for record in records() if record.get("eventCategory") == "Data"]
    count = Counter((record["eventSource"], resource(record)) for record in data)
    reads = Counter((r["eventSource"], resource(r)) for r in data if r["readOnly"])
    rows = [
        (source, name, n, int(100 * n / len(data) + 0.5), reads[source, name])
        for (source, name), n in count.items()
    ]
    rows.sort(key=lambda row: (-row[2], row[0], row[1] == "", row[1]))
    return texts(rows)


def test_duckdb_finds_every_source(tmp_path: Path) -> None:
    found = on_duckdb("data_event_volume.sql", tmp_path)
    assert found == expected()
    assert found[0][1] == "amzn-s3-demo-training-data"
    assert ["s3.amazonaws.com", "", "1", "0", "0"] in found  # it names neither bucket nor resource
    assert sum(int(row[3]) for row in found) in range(97, 104)


def test_athena_finds_the_same(lab: None) -> None:
    assert on_athena("data_event_volume.sql") == expected()
