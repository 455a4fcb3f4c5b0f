from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from proofs.trace import Answer, Call, Trace, watching

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
USERS = [f"user-{number}" for number in range(4000)]


def test_shares_follow_the_weights(example: Load) -> None:
    assign = example("assign_users").assign
    found = Counter(assign(user, "test", {"v1": 3.0, "v2": 1.0}) for user in USERS)
    assert found["v1"] / len(USERS) == pytest.approx(0.75, abs=0.025)
    assert found["v1"] + found["v2"] == len(USERS)


def test_a_greater_weight_moves_users_to_the_last_variant_only(example: Load) -> None:
    assign = example("assign_users").assign
    before = [assign(user, "test", {"v1": 0.9, "v2": 0.1}) for user in USERS]
    after = [assign(user, "test", {"v1": 0.5, "v2": 0.5}) for user in USERS]
    moves = Counter(zip(before, after, strict=True))
    assert moves["v2", "v1"] == 0
    assert moves["v1", "v2"] / len(USERS) == pytest.approx(0.4, abs=0.03)


def test_another_test_draws_anew(example: Load) -> None:
    assign, weights = example("assign_users").assign, {"v1": 1.0, "v2": 1.0}
    same = sum(assign(user, "a", weights) == assign(user, "b", weights) for user in USERS)
    assert same / len(USERS) == pytest.approx(0.5, abs=0.03)
    assert [assign(user, "a", weights) for user in USERS[:8]] == [
        assign(user, "a", weights) for user in USERS[:8]
    ]


def test_a_variant_without_weight_gets_nobody(example: Load) -> None:
    assign = example("assign_users").assign
    assert {assign(user, "a", {"v1": 0.0, "v2": 2.0}) for user in USERS[:200]} == {"v2"}
    assert {assign(user, "a", {"v1": 2.0, "v2": 0.0}) for user in USERS[:200]} == {"v1"}


def send(ab: Run, file: Path, *options: str) -> Any:
    given = ("--endpoint", "shop", "--file", str(file), "--test", "price-page")
    return ab("assign_users", *given, *options)


def test_users_stay_on_one_variant(ab: Run, shop: Path, example: Load) -> None:
    with watching(Trace()) as trace:
        result = send(ab, shop, "--users", "12", "--requests", "3")
    assert (result.status, result.errors) == (0, "")
    weights = {"v1": 1.0, "v2": 1.0}
    chosen = [example("assign_users").assign(u, "price-page", weights) for u in USERS[:12]]
    drawn, by_hash, *counts = result.output.splitlines()
    assert drawn.startswith("variant by weights: ") and not drawn.startswith(
        "variant by weights: 0"
    )
    assert by_hash == "variant by hash: 0 of 12 users met more than one variant"
    assert counts == [f"{v}  {chosen.count(v)} users by hash" for v in ("v1", "v2")]
    assert Counter(call.operation for call in trace.calls) == {
        "DescribeEndpoint": 1,
        "InvokeEndpoint": 72,
    }


def test_interrupted(ab: Run, shop: Path) -> None:
    def interrupt(trace: Trace, call: Call) -> Answer | None:
        if len(trace.calls) == 4:
            raise KeyboardInterrupt
        return None

    with watching(Trace(interrupt)):
        result = send(ab, shop, "--users", "4")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. Nothing was changed. Check the file, the endpo")


def test_bad_input(ab: Run, shop: Path, tmp_path: Path) -> None:
    missing = send(ab, tmp_path / "none.csv")
    assert missing.status == 1 and "No such file or directory" in missing.errors
    none = send(ab, shop, "--users", "0")
    assert none.status == 2 and "--users and --requests: 1 or more" in none.errors
    nowhere = ab("assign_users", "--endpoint", "no", "--file", str(shop), "--test", "a")
    assert nowhere.status == 1 and 'Could not find endpoint "' in nowhere.errors
    short = tmp_path / "short.csv"
    short.write_text("1,0.5,0.5\n")
    assert send(ab, short).errors == f"{short} has 1 rows: give a longer file.\n"
    short.write_text("1,0.5,0.5\n" * 3)
    refused = send(ab, short)
    assert refused.status == 1 and "(ModelError)" in refused.errors
