"""The `bash` fences of the pages run as a reader pastes them, one page in one terminal.

A block is left out only by a line with a reason before it: `% skip: next "needs Docker"`.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest import SkipTest

import pytest
from awslab.embedded import environment
from bs4 import BeautifulSoup
from checks.mirrors import pages
from languages import LANGUAGES
from proofs.shell import CONTINUED, ROOT, SETTINGS, repository
from sybil import Document, Example, Sybil
from sybil.parsers.myst import CodeBlockParser, SkipParser

AWS = ROOT / ".venv" / "aws-cli" / "bin"  # the real AWS CLI, in its own environment
PAGES = [page for page in pages(ROOT) if "\n```bash\n" in page.read_text(encoding="utf-8")]
# Terraform waits for a minute within them: tests/sagemaker_cli/test_terraform.py runs them once.
RUN_ELSEWHERE = {"docs/cli/terraform.md"}


class BlockFailed(Exception):
    """A block of a page ends with another status than 0."""


@pytest.fixture
def terminal(lab_server: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a terminal in a fresh clone, in which the lab is AWS."""
    programs = tmp_path / "bin"
    programs.mkdir()
    with repository() as folder:
        installed = programs / "smcli"  # where the page does not install it
        launcher = f"{folder}/examples/sagemaker_cli/script.sh"
        start = f'PYTHON={ROOT}/.venv/bin/python exec {launcher} "$@"'
        installed.write_text(f"#!/bin/sh\n{start}\n")
        installed.chmod(0o755)
        folders = [tmp_path / ".local" / "bin", programs, ROOT / ".venv" / "bin", AWS]
        yield environment(
            AWS_ENDPOINT_URL=lab_server,
            HOME=str(tmp_path),
            UV_CACHE_DIR=os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
            XDG_CONFIG_HOME=str(Path.home() / ".config"),  # where the package registry is named
            KEPT=str(tmp_path / "kept"),
            START=str(folder),
            PATH=":".join([*map(str, folders), os.environ["PATH"]]),
            **SETTINGS,
        )


def run(example: Example) -> None:
    settings = example.namespace["terminal"]
    done = subprocess.run(
        ["bash", "-c", CONTINUED + example.parsed],
        cwd=settings["START"],
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode and "uv tool install" in example.parsed and "Failed to fetch" in done.stderr:
        pytest.skip("no package registry can be reached")
    if done.returncode:
        where = f"{example.path}:{example.line}: exit {done.returncode}"
        raise BlockFailed(f"{where}\n{example.parsed}\n{done.stdout}{done.stderr}")


def parse(page: Path) -> Document:
    return Sybil([CodeBlockParser(language="bash", evaluator=run), SkipParser()]).parse(page)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.relative_to(ROOT).as_posix() not in RUN_ELSEWHERE],
    ids=lambda page: page.stem,
)
def test_the_blocks_of_a_page_run_one_after_the_other(page: Path, terminal: dict[str, str]) -> None:
    for reason in run_page(page, terminal):
        print(f"{page.name}: a block was left out: {reason}")


def run_page(page: Path, terminal: dict[str, str]) -> list[str]:
    """Run all blocks of a page; returns why some were left out.

    Raises:
        BlockFailed: with the place of the block and what it printed.
    """
    document, reasons = parse(page), []
    document.namespace["terminal"] = terminal
    for example in document.examples():
        try:
            example.evaluate()
        except (pytest.skip.Exception, SkipTest) as skipped:
            reasons.append(str(skipped))
    return reasons


def test_a_block_that_fails_is_reported_with_its_place(
    terminal: dict[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n\n```bash\ncd /\nexport A=1\n```\n\n```bash\necho $A; false; echo no\n```\n"
    )
    with pytest.raises(BlockFailed) as failed:
        run_page(page, terminal)
    place, *printed = str(failed.value).splitlines()
    assert place == f"{page}:8: exit 1"
    assert list(filter(None, printed)) == ["echo $A; false; echo no", "1"]


def test_one_terminal_runs_all_blocks_and_says_what_it_leaves_out(
    terminal: dict[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    blocks = ["export A=1; cd examples", "test $A = 1; test $PWD = $START/examples", "false"]
    text = "\n".join(f"```bash\n{block}\n```\n" for block in blocks)
    page.write_text(text.replace("```bash\nfalse", '% skip: next "needs Docker"\n\n```bash\nfalse'))
    assert run_page(page, terminal) == ["needs Docker"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_both_languages_show_the_blocks_that_run(site: Path, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    wanted = text.count("\n```bash\n")
    shown = []
    for language in LANGUAGES:
        html = site / language / page.relative_to(ROOT / "docs").with_suffix(".html")
        soup = BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser")
        blocks = soup.select(".highlight-bash pre")
        shown.append([b.get_text() for b in blocks if not b.find_parent(class_="example")])
    assert shown[0] == shown[1]
    assert len(shown[0]) == wanted
    assert all(block.strip() in text for block in shown[0])
