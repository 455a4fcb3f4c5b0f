"""The `bash` fences of the pages run as a reader pastes them, one page in one terminal.

A block is left out only by a line with a reason before it: `% skip: next "needs Docker"`.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from awslab.embedded import environment
from bs4 import BeautifulSoup
from checks.mirrors import pages
from languages import LANGUAGES
from proofs.shell import ROOT, SETTINGS, repository
from sybil import Document, Example, Sybil
from sybil.parsers.myst import CodeBlockParser, SkipParser

AWS = ROOT / ".venv" / "aws-cli" / "bin"  # the real AWS CLI, in its own environment
PAGES = [page for page in pages(ROOT) if "\n```bash\n" in page.read_text(encoding="utf-8")]
# Terraform waits for a minute within them: tests/sagemaker_cli/test_terraform.py runs them once.
RUN_ELSEWHERE = {"docs/cli/terraform.md"}
# The folder and the exported variables of one block are those of the next, as in a terminal.
TERMINAL = """
[ -e "$KEPT" ] && source "$KEPT"
trap 'status=$?; { printf "cd %q\\n" "$PWD"; export -p; } > "$KEPT"; exit $status' EXIT
set -eo pipefail
"""


class BlockFailed(Exception):
    """A block of a page ends with another status than 0."""


@pytest.fixture
def terminal(lab_server: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a terminal in a fresh clone, in which the lab is AWS."""
    programs = tmp_path / "bin"
    programs.mkdir()
    with repository() as folder:
        installed = programs / "smcli"  # as `uv tool install ./examples/sagemaker_cli` puts it
        launcher = f"{folder}/examples/sagemaker_cli/script.sh"
        start = f'PYTHON={ROOT}/.venv/bin/python exec {launcher} "$@"'
        installed.write_text(f"#!/bin/sh\n{start}\n")
        installed.chmod(0o755)
        yield environment(
            AWS_ENDPOINT_URL=lab_server,
            HOME=str(tmp_path),
            KEPT=str(tmp_path / "kept"),
            START=str(folder),
            PATH=f"{programs}:{ROOT / '.venv' / 'bin'}:{AWS}:{os.environ['PATH']}",
            **SETTINGS,
        )


def run(example: Example) -> None:
    settings = example.namespace["terminal"]
    done = subprocess.run(
        ["bash", "-c", TERMINAL + example.parsed],
        cwd=settings["START"],
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
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
    document = parse(page)
    document.namespace["terminal"] = terminal
    reasons = []
    for example in document.examples():
        try:
            example.evaluate()
        except pytest.skip.Exception as skipped:
            reasons.append(str(skipped))
    for reason in reasons:
        print(f"{page.name}: a block was left out: {reason}")


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
