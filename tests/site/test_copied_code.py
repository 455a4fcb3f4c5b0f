"""Each program on a page, exactly as the copy button gives it, runs and prints what is shown."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from awslab.embedded import environment, no_waits, shared_loader
from awslab.masking import Mask
from awslab.run import run_step
from awslab.scenarios import Scenario, Step, queries, scenario, scripts, working_folder
from bs4 import BeautifulSoup
from languages import LANGUAGES
from proofs import figures
from proofs.environments import parameters
from proofs.record import as_transcript
from proofs.shell import run_shell, shell_scripts


@cache
def copied(site: Path, language: str, selector: str) -> dict[str, str]:
    """The text of each block by the name of its example, on all pages of a language."""
    found = {}
    for page in sorted((site / language).rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for frame in soup.select(".example"):
            block = frame.select_one(selector)
            link = frame.select_one("a[download]")
            if block and link:
                name = "/".join(str(link["href"]).split("/")[-2:]).rpartition(".")[0]
                # sphinx-copybutton takes the text of the block and trims its end
                found[name] = block.get_text().rstrip("\n") + "\n"
    return found


# A program that polls waits no time: the lab's states change by the calls.
BRISK = """
import runpy, sys, time
time.sleep = lambda seconds: None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_process(step: Step, mask: Mask, script: Path, address: str) -> str:
    """Run a step as a process of its own; what it prints, as the page shows it."""
    done = subprocess.run(
        [sys.executable, "-c", BRISK, script, *map(mask.show, step.arguments)],
        env=environment(
            AWS_ENDPOINT_URL=address,
            PATH=os.environ["PATH"],
            **{key: mask.show(value) for key, value in step.environment},
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = mask.hide(done.stdout + done.stderr)
    ending = f"[exit {done.returncode}]\n" if done.returncode else ""
    return f"$ {step.line}\n{printed}{ending}"


def is_local(story: Scenario) -> bool:
    run = json.loads(story.path.with_suffix(".run.json").read_text(encoding="utf-8"))
    return bool(run["ran_on"] == "local")


def play_copied(story: Scenario, text: str, address: str) -> str:
    """The transcript of an example whose file is `text`, on an empty lab server."""
    mask = Mask()
    with working_folder(story) as folder:
        copy = folder / story.path.name
        copy.write_text(text, encoding="utf-8")
        settings = environment(AWS_ENDPOINT_URL=address)
        with patch.dict(os.environ, settings, clear=True), shared_loader(), no_waits():
            for step in story.before:
                run_step(step, mask)
            if story.is_program and is_local(story):  # its imports take seconds in a new process
                steps = [replace(step, script=copy) for step in story.run]
                return as_transcript(story, [run_step(step, mask) for step in steps], mask)
        return "\n".join(
            run_process(step, mask, copy if story.is_program else step.script, address)
            for step in story.run
        )


@pytest.mark.parametrize("name", parameters([*scripts(), *queries()]))
def test_copied_example(site: Path, lab_server: str, name: str) -> None:
    story = scenario(name)
    block = f".highlight-{'python' if story.is_program else 'sql'} pre"
    text, english = (copied(site, language, block)[name] for language in LANGUAGES)
    assert text == english  # so that one run tells of both pages
    for language in LANGUAGES:
        shown = copied(site, language, ".highlight-console pre")[name]
        assert shown == story.path.with_suffix(".out").read_text(encoding="utf-8")
    assert figures.alike(play_copied(story, text, lab_server), shown, story.tolerance)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("script", shell_scripts(), ids=lambda path: path.stem)
def test_copied_commands(site: Path, language: str, script: Path) -> None:
    page = site / language / "start" / f"{script.parent.name}.html"
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    texts = [block.get_text() for block in soup.select(".example .highlight-bash pre")]
    assert script.read_text(encoding="utf-8") in texts
    outputs = [block.get_text() for block in soup.select(".example .highlight-console pre")]
    assert run_shell(script.read_text(encoding="utf-8")) in outputs
