"""What the site says of the lab is what the code says."""

import json
from dataclasses import replace

import pytest
from awslab import extension, operations, readme
from awslab.extension import PATCHES, Patch


def test_the_table_and_the_counts_are_up_to_date() -> None:
    text = (readme.FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == readme.with_table(text), "run `make record`"
    stored = (readme.FOLDER / "operations.json").read_text(encoding="utf-8")
    assert stored == operations.as_text(), "run `make record`"


def test_equal_rows_of_the_table_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Patch("s3", "PutObject", object, "put_object", None, False, "a reason", "")
    others = [replace(first, attribute="put"), replace(first, differs="a difference"), first]
    monkeypatch.setattr(extension, "PATCHES", [first, *others])
    assert extension.table().splitlines()[2:] == [
        "| s3 | `PutObject` | a reason | no difference known |",
        "| s3 | `PutObject` | a reason | a difference |",
    ]


@pytest.mark.parametrize("service", operations.SERVICES)
def test_what_is_missing_is_neither_brought_nor_changed(service: str) -> None:
    found = json.loads(operations.as_text())[service]
    touched = {patch.operation for patch in PATCHES if patch.service == service}
    assert found["answered"] + len(found["missing"]) == found["all"]
    assert not touched & set(found["missing"])
