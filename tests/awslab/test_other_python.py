"""Examples that need PyTorch, smdebug or the AWS CDK are run by the Python that has them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from awslab import scenarios
from awslab.__main__ import main
from awslab.scenarios import NoSuchExample, needs, other_python, scenario


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """`shelf("import torch")`: the examples are then one, slug/name, with this text."""

    def make(text: str) -> Path:
        folder = tmp_path / "slug"
        folder.mkdir()
        (folder / "name.py").write_text(text, encoding="utf-8")
        (folder / "scenarios.toml").write_text('[name]\nrun = ["python name.py"]\n')
        monkeypatch.setattr(scenarios, "EXAMPLES", tmp_path)
        monkeypatch.setattr(scenarios, "ENVIRONMENTS", tmp_path)
        return folder / "name.py"

    return make


def installed(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there or None)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("import torch\n", "debugger"),
        ("import os\n\nfrom torch import nn\n", "debugger"),
        ("import smdebug.pytorch as smd\n", "debugger"),
        ("def main():\n    import torch\n", "debugger"),
        ("import torchless\n", None),
        ('"""How to import torch."""\n', None),
        ("import aws_cdk\n", "cdk"),
        ("from aws_cdk import aws_lambda\n", "cdk"),
        ("import aws_cdk_lib\n", None),
        ("from os import path\n", None),
    ],
)
def test_imports_tell(shelf: Callable[[str], Path], text: str, needed: str | None) -> None:
    other = needs(shelf(text))
    assert (other and other.name) == needed


def test_a_python_that_has_it_runs_it_itself(
    shelf: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf("import torch\n")
    installed(monkeypatch, True)
    assert other_python(scenario("slug/name")) is None


def test_what_needs_nothing_runs_here(
    shelf: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf("import json\n")
    installed(monkeypatch, False)
    assert other_python(scenario("slug/name")) is None


def test_without_the_environment_the_way_to_it_is_named(
    shelf: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shelf("import torch\n")
    (tmp_path / "debugger" / "bin").mkdir(parents=True)  # half-made
    installed(monkeypatch, False)
    with pytest.raises(NoSuchExample, match=r"^slug/name needs .*: make test-debugger installs"):
        other_python(scenario("slug/name"))


def test_run_hands_over_to_the_other_python(
    shelf: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shelf("import torch\n")
    installed(monkeypatch, False)
    python = tmp_path / "debugger" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (tmp_path / "debugger" / "all").touch()
    python.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\nexit 3\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr("sys.argv", ["awslab", "run", "slug/name", "--json", "x"])
    assert main() == 3
    assert (tmp_path / "told").read_text() == "-m awslab run slug/name --json x\n"
