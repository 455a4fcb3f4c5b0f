"""Every reason that the lab gives for a patch is tested, and no test speaks of another."""

import importlib
import re
from pathlib import Path

import pytest
from awslab.extension import PATCHES, Patch

from contracts.gaps import REASONS, TESTED

for path in sorted(Path(__file__).parent.glob("test_*.py")):
    if path.stem != "test_complete":
        importlib.import_module(f"contracts.{path.stem}")


def test_every_clause_of_every_reason_has_a_contract_test() -> None:
    untested = [
        f"{operation}: {piece.strip()}"
        for operation, reason in REASONS.items()
        for piece in re.split(r"[;,]| and ", reason)
        if not any(c in piece or piece.strip() in c for c in TESTED[operation])
    ]
    assert untested == []


def test_no_contract_test_speaks_of_a_clause_that_is_gone() -> None:
    invented = [
        f"{operation}: {clause}"
        for operation, clauses in TESTED.items()
        for clause in clauses
        if clause not in REASONS.get(operation, "")
    ]
    assert invented == []


@pytest.mark.parametrize(
    "added",
    [patch for patch in PATCHES if patch.adds],
    ids=lambda patch: f"{patch.service}:{patch.operation}",
)
def test_moto_still_lacks_what_the_lab_adds(added: Patch) -> None:
    assert not hasattr(added.owner, added.attribute), "moto has it now: delete the lab's code"
