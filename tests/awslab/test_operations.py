"""What the site says of the lab is what the code says."""

import json

import pytest
from awslab import operations, readme
from awslab.extension import PATCHES


def test_the_table_and_the_counts_are_up_to_date() -> None:
    text = (readme.FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == readme.with_table(text), "run `make record`"
    stored = (readme.FOLDER / "operations.json").read_text(encoding="utf-8")
    assert stored == operations.as_text(), "run `make record`"


@pytest.mark.parametrize("service", operations.SERVICES)
def test_what_is_missing_is_neither_brought_nor_changed(service: str) -> None:
    found = json.loads(operations.as_text())[service]
    touched = {patch.operation for patch in PATCHES if patch.service == service}
    assert found["answered"] + len(found["missing"]) == found["all"]
    assert not touched & set(found["missing"])
