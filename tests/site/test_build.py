"""`make`: the newcomer's commands, and no work that is already done."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "AWS_"))
    }
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_make_alone_lists_the_targets() -> None:
    said = make().stdout
    targets = {line.split()[1] for line in said.splitlines()}
    assert targets >= {"site", "test", "serve", "run", "lab", "record", "check", "bench", "locale"}


def test_a_second_build_does_nothing(site: Path) -> None:
    page = site / "ja" / "index.html"
    before = page.stat().st_mtime_ns
    done = make("site")
    assert (done.returncode, done.stdout) == (0, "Open _build/html/index.html\n")
    assert page.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["s3_gateway_endpoint/no_such_thing", "nothing", ""])
def test_an_unknown_example_is_one_clear_line(name: str) -> None:
    done = make("run", f"EXAMPLE={name}")
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode != 0
    assert len(lines) == 1
    assert "Examples: " in lines[0]


def test_arguments_reach_the_example() -> None:
    done = make(
        "run",
        "EXAMPLE=s3_gateway_endpoint/create_endpoint",
        "ARGS=--vpc-id vpc-nope --route-table-id rtb-nope",
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode != 0
    assert len(lines) == 1
    assert "vpc-nope" in lines[0]
    assert "Check the ids" in lines[0]


def test_lock_files_name_no_index() -> None:
    for lock in (ROOT / "requirements.txt", ROOT / "docs" / "requirements.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_the_entrance_lies_beside_the_languages(site: Path) -> None:
    assert {path.name for path in site.iterdir()} == {"ja", "en", "index.html"}
