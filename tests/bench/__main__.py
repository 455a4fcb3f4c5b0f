"""Measure builds, pages, accessibility, search, lab, training, commands, tests; print a table."""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from awslab.embedded import environment

from bench.chromium import CHROMIUM, FLAGS
from bench.command_line import command_times
from bench.lab import Row, parallel_calls, plain_call, server_start
from bench.search import figures as search_figures
from bench.training import training_examples
from bench.weight import weight

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
LANGUAGES = ("ja", "en")


def build_times() -> Iterator[Row]:
    """CPU seconds of a build from nothing."""
    for language in LANGUAGES:
        with tempfile.TemporaryDirectory() as folder:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-c", ".", "-D"]
            command += [f"language={language}", "-d", f"{folder}/trees", "docs", f"{folder}/html"]
            subprocess.run(command, cwd=ROOT, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        yield f"build, {language}", f"{seconds:.1f} CPU s"


def page_weights() -> Iterator[Row]:
    weights = {page: weight(page) for page in SITE.glob("*/**/*.html")}
    for page in sorted(weights, key=lambda page: weights[page], reverse=True)[:3]:
        yield f"page weight, {page.relative_to(SITE)}", f"{weights[page] / 1024:.1f} KiB gzipped"


def test_time() -> Iterator[Row]:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    yield "tests", f"{seconds:.0f} s: {done.stdout.strip().splitlines()[-1].strip('= ')}"


def accessibility() -> Iterator[Row]:
    """axe on every page, in both colour schemes."""
    if CHROMIUM is None:
        yield "axe", "not measured: Chromium is not installed (apt-get install chromium)"
        return
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    pages = sorted(SITE.glob("*/**/*.html"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for scheme in ("light", "dark"):
            tab = browser.new_context(color_scheme=scheme).new_page()
            count = 0
            for page in pages:
                tab.goto(page.as_uri())
                count += len(Axe().run(tab, options={"preload": False}).response["violations"])
            yield f"axe, {scheme}", f"{count} violations on {len(pages)} pages"
        browser.close()


def lighthouse() -> Iterator[Row]:
    program = shutil.which("lighthouse")
    if program is None or CHROMIUM is None:
        yield "Lighthouse", "not measured: lighthouse is not installed (npm install -g lighthouse)"
        return
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", SITE, "8123"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = "http://127.0.0.1:8123/ja/foundations/s3-gateway-endpoint.html"
        flags = "--chrome-flags=--headless --no-sandbox --disable-background-networking"
        done = subprocess.run(
            [program, address, "--quiet", "--output=json", flags],
            env=environment(CHROME_PATH=CHROMIUM),
            capture_output=True,
            text=True,
            check=True,
        )
        for name, category in json.loads(done.stdout)["categories"].items():
            yield f"Lighthouse, {name}", f"{100 * category['score']:.0f}"
    finally:
        server.terminate()


def main() -> None:
    rows: list[Row] = []
    for measure in (
        build_times,
        page_weights,
        accessibility,
        lighthouse,
        search_figures,
        server_start,
        plain_call,
        parallel_calls,
        training_examples,
        command_times,
        test_time,
    ):
        print(f"measuring {measure.__name__.replace('_', ' ')} ...", file=sys.stderr)
        rows += measure()
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")


if __name__ == "__main__":
    main()
