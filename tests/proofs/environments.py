"""Examples as parameters of tests: some run in an environment of their own, such as .venv/debugger,
those that import the SageMaker SDK are not blamed for its warnings, those that start nginx need it.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from awslab.scenarios import EXAMPLES, Environment, Scenario, companions, needs

NO_NGINX = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="needs nginx on PATH: make system"
)


def not_here(other: Environment) -> pytest.MarkDecorator:
    """Skip with a reason, unless this Python has the packages."""
    reason = f"needs {other.said}: make {other.target}"
    return pytest.mark.skipif(not other.is_here, reason=reason)


def runs_alone(story: Scenario) -> bool:
    """Whether its record says that it calls no AWS API, and it leaves nothing to remove."""
    path = story.path.with_suffix(".run.json")
    run = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return story.is_program and not story.after and run.get("ran_on") == "local"


def parameters(names: list[str]) -> list[object]:
    """The names with the marks that their tests need."""
    return [pytest.param(name, marks=marks(EXAMPLES / f"{name}.py")) for name in names]


def needs_nginx(program: Path) -> bool:
    files = (program, *companions(program))
    return any(re.search(r"\"nginx\"", file.read_text(encoding="utf-8")) for file in files)


def marks(program: Path) -> list[pytest.MarkDecorator]:
    if not program.exists():
        return []  # SQL
    if other := needs(program):
        return [getattr(pytest.mark, other.name), not_here(other)]
    if needs_nginx(program):
        return [NO_NGINX]
    if "from sagemaker" in program.read_text(encoding="utf-8"):
        return [pytest.mark.filterwarnings("ignore")]
    return []
