"""Each program on a page, exactly as the copy button gives it, runs and prints what is shown."""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import botocore.waiter
import pytest
from awslab.embedded import environment, no_waits, shared_loader
from awslab.masking import Mask
from awslab.run import run_step
from awslab.scenarios import EXAMPLES, Scenario, queries, scenario, scripts, working_folder
from bs4 import BeautifulSoup, SoupStrainer
from languages import LANGUAGES
from proofs import figures
from proofs.environments import parameters, runs_alone
from proofs.record import as_transcript
from proofs.shell import records, run_shell, shell_scripts
from proofs.trace import Trace, watching

FRAMES = SoupStrainer("div", class_=re.compile(r"(^| )example( |$)"))


@cache
def copied(site: Path, language: str, selector: str) -> dict[str, str]:
    """The text of each block by the name of its example, on all pages of a language."""
    found = {}
    for page in sorted((site / language).rglob("*.html")):
        html = page.read_text(encoding="utf-8")
        soup = BeautifulSoup(html, "html.parser", parse_only=FRAMES)
        for frame in soup.select(".example"):
            block = frame.select_one(selector)
            link = frame.select_one("a[download]")
            if block and link:
                name = "/".join(str(link["href"]).split("/")[-2:]).rpartition(".")[0]
                # sphinx-copybutton takes the text of the block and trims its end
                found[name] = block.get_text().rstrip("\n") + "\n"
    return found


def brisk(folder: Path) -> Callable[[float], None]:
    """time.sleep for waiters, examples and their copies in the folder, which wait no time: the
    lab's states change by the calls. Retries do wait."""
    sleep, here = time.sleep, folder.resolve()

    def pause(seconds: float) -> None:
        caller = Path(sys._getframe(1).f_globals.get("__file__") or os.devnull)
        shown = here in caller.parents or EXAMPLES in caller.parents
        if not shown and caller != Path(botocore.waiter.__file__):
            sleep(seconds)

    return pause


def play_copied(story: Scenario, text: str, address: str) -> str:
    """The transcript of an example whose file is `text`, against an empty lab server.

    A program that calls no API must not begin to, and its figures are those of its record.
    """
    mask = Mask()
    with working_folder(story) as folder:
        copy = folder / story.path.name
        copy.write_text(text, encoding="utf-8")
        settings = environment(AWS_ENDPOINT_URL=address)
        with patch.dict(os.environ, settings, clear=True), shared_loader(), no_waits():
            for step in story.before:
                run_step(step, mask)
            steps = [replace(s, script=copy) if s.script == story.path else s for s in story.run]
            with patch("time.sleep", brisk(folder)), watching(Trace()) as trace:
                results = [run_step(step, mask) for step in steps]
        if runs_alone(story):
            assert trace.calls == []
            if story.figures:
                stored = story.path.with_suffix(".figures.json").read_text(encoding="utf-8")
                found = (folder / story.figures).read_text(encoding="utf-8")
                if story.measured:
                    assert figures.is_part(json.loads(found), json.loads(stored))
                else:
                    assert figures.difference(stored, found, story.tolerance) is None
    return as_transcript(story, results, mask)


@pytest.mark.parametrize("name", parameters([*scripts(), *queries()]))
def test_copied_example(site: Path, lab_server: str, name: str) -> None:
    story = scenario(name)
    block = f".highlight-{'python' if story.is_program else 'sql'} pre"
    text, english = (copied(site, language, block)[name] for language in LANGUAGES)
    assert text == english  # so that one run tells of both pages
    for language in LANGUAGES:
        shown = copied(site, language, ".highlight-console pre")[name]
        assert shown == story.path.with_suffix(".out").read_text(encoding="utf-8")
    if story.measured and story.quick:  # a part of what the long run measures
        assert figures.lines_missing(play_copied(story.quick, text, lab_server), shown) == []
    else:
        assert figures.alike(play_copied(story, text, lab_server), shown, story.tolerance)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("script", shell_scripts(), ids=lambda path: path.stem)
def test_copied_commands(site: Path, language: str, script: Path) -> None:
    text, record = script.read_text(encoding="utf-8"), records(script)[language]
    frames = [
        frame
        for page in sorted((site / language).rglob("*.html"))
        for frame in BeautifulSoup(
            page.read_text(encoding="utf-8"), "html.parser", parse_only=FRAMES
        ).select(".example")
    ]
    shown = {
        code.get_text(): frame.select_one(".highlight-console pre").get_text()
        for frame in frames
        if (code := frame.select_one(".highlight-bash pre"))
    }
    assert shown[text] == record.read_text(encoding="utf-8")
    if record.suffixes == [".out"]:  # tests/sagemaker_cli runs those in two languages
        assert run_shell(text) == shown[text]
