"""Examples as parameters of tests: those that need PyTorch or smdebug run in .venv/debugger, and
those that import the SageMaker SDK are not blamed for its warnings."""

import importlib.util
import json
from pathlib import Path

import pytest
from awslab.scenarios import EXAMPLES, Scenario, needs_debugger

NOT_HERE = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="needs PyTorch and smdebug: make test-debugger",
)


def runs_alone(story: Scenario) -> bool:
    """Whether its record says that it calls no AWS API, and it leaves nothing to remove."""
    path = story.path.with_suffix(".run.json")
    run = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return story.is_program and not story.after and run.get("ran_on") == "local"


def parameters(names: list[str]) -> list[object]:
    """The names with the marks that their tests need."""
    return [pytest.param(name, marks=marks(EXAMPLES / f"{name}.py")) for name in names]


def marks(program: Path) -> list[pytest.MarkDecorator]:
    if not program.exists():
        return []  # SQL
    if needs_debugger(program):
        return [pytest.mark.debugger, NOT_HERE]
    if "from sagemaker" in program.read_text(encoding="utf-8"):
        return [pytest.mark.filterwarnings("ignore")]
    return []
