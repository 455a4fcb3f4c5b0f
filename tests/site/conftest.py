"""The built site, and Chromium to look at it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.chromium import CHROMIUM, FLAGS
from bench.search import served
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site() -> Path:
    """_build/html, as `make site` leaves it."""
    subprocess.run(["make", "site"], cwd=ROOT, check=True, capture_output=True)
    return ROOT / "_build" / "html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole run: while it is open, no other test can run asyncio."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The site served under a sub-path, as project pages are."""
    with served(site) as base:
        yield base
