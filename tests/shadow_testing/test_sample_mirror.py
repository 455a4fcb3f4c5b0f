from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from awslab.run import Result
from shadow_testing.conftest import Interrupt

Run = Callable[..., Result]
Load = Callable[[str], ModuleType]
pytestmark = pytest.mark.usefixtures("nginx")


def murmur2(text: str) -> int:
    """MurmurHash2 with seed 0, which nginx's documentation names, written from its definition."""
    data, factor, mask = text.encode(), 0x5BD1E995, 0xFFFFFFFF
    found = len(data)
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * factor & mask
        word = (word ^ word >> 24) * factor & mask
        found = found * factor & mask ^ word
    if rest := data[whole:]:
        found = (found ^ int.from_bytes(rest, "little")) * factor & mask
    found = (found ^ found >> 13) * factor & mask
    return found ^ found >> 15


def test_the_hash_of_the_user_decides(example: Load) -> None:
    found = example("sample_mirror").sample("user", 30, 60, 20)
    chosen = {f"user-{n}" for n in range(20) if murmur2(f"user-{n}") < 0.3 * 2**32}
    assert 0 < len(chosen) < 20
    assert found == dict.fromkeys(chosen, 3)


def test_the_hash_of_the_request_decides(example: Load) -> None:
    found = example("sample_mirror").sample("request", 30, 60, 20)
    chosen = [f"user-{n % 20}" for n in range(60) if murmur2(f"request-{n}") < 0.3 * 2**32]
    assert found == {user: chosen.count(user) for user in chosen}


def test_everything_is_mirrored_at_100_percent_and_nothing_is_left(
    run: Run, temporary: Path
) -> None:
    result = run("sample_mirror", "--requests", "60", "--users", "20")
    assert (result.status, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[0] == "60 requests of 20 users, all answered by production"
    rows = [line.split() for line in lines[2:]]
    assert [row[:2] for row in rows] == [
        ["user", "5%"],
        ["user", "25%"],
        ["user", "100%"],
        ["request", "25%"],
    ]
    assert rows[2][2:5] == ["60", "20", "20"]
    assert all(row[3] == row[4] for row in rows[:3])
    assert int(rows[3][4]) < int(rows[3][3])
    assert list(temporary.iterdir()) == []


def test_missing_nginx_and_bad_options(run: Run, tmp_path: Path) -> None:
    missing = run("sample_mirror", PATH=str(tmp_path))
    assert missing.status == 1
    assert missing.errors.startswith("nginx is not on PATH: ")
    for bad in (("--users", "0"), ("--users", "5000"), ("--requests", "100001")):
        result = run("sample_mirror", *bad)
        assert result.status == 2
        assert "1 <= users <= requests <= 100000" in result.errors


def test_ctrl_c_stops_nginx(interrupt: Interrupt, temporary: Path) -> None:
    def until() -> bool:
        return any(log.stat().st_size for log in temporary.glob("*/production.log"))

    status, _, errors = interrupt("sample_mirror", ["--requests", "100000"], until)
    assert status == 1
    assert errors == "Interrupted: nginx is stopped and its folder removed.\n"
