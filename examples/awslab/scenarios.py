"""Which examples there are, and the command lines by which each is run on an empty lab.

`examples/<slug>/scenarios.toml` holds one table per example, a program or a file of SQL: `before`
(what prepares the lab), `run` (the example itself, the commands that the page shows), `after` (what
removes everything), and if need be `figures` (a JSON file that the run writes, for charts),
`tolerance` (by which numbers may differ on another machine, relative or absolute), `measured`
(true: the numbers are measurements, and only what stands around them is compared) and `quick`
(`before` and `run` with less data, for the proofs that repeat a run many times).
A step begins with `python` or, for the command line of `examples/sagemaker_cli`, with `smcli`.
Ids are written by their masked names: `vpc-1` is the first VPC id that the run has printed.
"""

import contextlib
import difflib
import glob
import importlib.util
import math
import os
import re
import shlex
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

EXAMPLES = Path(__file__).parent.parent
COMMAND_LINE = EXAMPLES / "sagemaker_cli" / "smcli" / "__main__.py"
SCRIPTS = EXAMPLES / "sagemaker_cli" / "scripts"  # which its commands hand over to jobs
ENVIRONMENTS = EXAMPLES.parent / ".venv"  # `all` in one of them says that it is complete


@dataclass(frozen=True)
class Environment:
    """Packages that a make target installs into `.venv/<name>` alone, above what .venv holds.

    modules: the first of them tells whether this Python has the packages.
    settings: of the process environment.
    """

    name: str
    target: str
    modules: tuple[str, ...]
    said: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def is_here(self) -> bool:
        return importlib.util.find_spec(self.modules[0]) is not None

    def is_imported_by(self, program: Path) -> bool:
        pattern = rf"^\s*(?:import|from) (?:{'|'.join(self.modules)})\b"
        return bool(re.search(pattern, program.read_text(encoding="utf-8"), re.MULTILINE))


# What the AWS CDK says of the age of Node is no output of an example.
NODE_OF_ANY_AGE = (
    ("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1"),
    ("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20,21,22,23,24,25"),
    ("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1"),
)
OTHERS = (
    Environment("debugger", "test-debugger", ("torch", "smdebug"), "PyTorch or smdebug"),
    Environment("cdk", "test-cdk", ("aws_cdk",), "the AWS CDK and Node", NODE_OF_ANY_AGE),
)


class NoSuchExample(Exception):
    """The name is not `<slug>/<example>` of a file under examples/, or it cannot run here."""


@dataclass(frozen=True)
class Step:
    """One command line of a scenario.

    `environment` holds the settings written before the command, as a shell has them.
    """

    line: str
    script: Path
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scenario:
    """All steps of one example, in order."""

    name: str
    path: Path
    before: tuple[Step, ...]
    run: tuple[Step, ...]
    after: tuple[Step, ...]
    figures: str | None = None
    tolerance: float = 0
    measured: bool = False
    quick: "Scenario | None" = None

    @property
    def is_program(self) -> bool:
        return self.path.suffix == ".py"

    @property
    def needs(self) -> Environment | None:
        """The environment that it runs in, if its imports need one beside .venv."""
        return needs(self.path) if self.is_program else None


def parse_step(slug: str, line: str) -> Step:
    """`NAME=value python script.py --option vpc-1` as a step; the script lies in `slug`."""
    words = shlex.split(line)
    settings = []
    while "=" in words[0]:
        key, _, value = words.pop(0).partition("=")
        settings.append((key, value))
    program, *arguments = words
    if program == "smcli":
        return Step(line, COMMAND_LINE, tuple(arguments), tuple(settings))
    if program != "python":
        raise ValueError(f"{slug}/scenarios.toml: a step starts with python or smcli: {line}")
    script, *arguments = arguments
    return Step(line, EXAMPLES / slug / script, tuple(arguments), tuple(settings))


def scripts() -> list[str]:
    """The names of all programs, as `<slug>/<example>`."""
    return named("*/*.py")


def queries() -> list[str]:
    """The names of all files of SQL, as `<slug>/<example>`."""
    return named("*/*.sql")


def named(pattern: str) -> list[str]:
    found = EXAMPLES.glob(pattern)
    return sorted(
        f"{path.parent.name}/{path.stem}" for path in found if path.parent.name != "awslab"
    )


def scenario(name: str) -> Scenario:
    """The scenario of `<slug>/<example>`.

    Raises:
        NoSuchExample: there is no such file, or it has no scenario.
    """
    bare = name.removesuffix(".py").removesuffix(".sql").removeprefix("examples/")
    slug, _, example = bare.partition("/")
    beside = glob.escape(example)
    found = [*named(f"*/{beside}.py"), *named(f"*/{beside}.sql")]
    if f"{slug}/{example}" not in found:
        known = sorted(scripts() + queries())
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
        problem = (
            f"There is no example {name}." if name else "Name one: make run EXAMPLE=slug/name."
        )
        raise NoSuchExample(f"{problem} Examples: {', '.join(close)}")
    kind = "py" if (EXAMPLES / slug / f"{example}.py").exists() else "sql"
    file = EXAMPLES / slug / "scenarios.toml"
    listed = tables(file.read_text(encoding="utf-8")) if file.exists() else {}
    if example not in listed:
        raise NoSuchExample(f"{name} has no table in examples/{slug}/scenarios.toml")
    return parse_scenario(
        f"{slug}/{example}", EXAMPLES / slug / f"{example}.{kind}", listed[example]
    )


@cache
def tables(text: str) -> dict[str, Any]:
    """Those of a scenarios.toml, which is asked for many examples."""
    return tomllib.loads(text)


def parse_scenario(name: str, path: Path, table: dict[str, Any]) -> Scenario:
    def steps(part: str) -> tuple[Step, ...]:
        return tuple(parse_step(path.parent.name, line) for line in table.get(part, []))

    quick = table.get("quick")
    return Scenario(
        name,
        path,
        steps("before"),
        steps("run"),
        steps("after"),
        table.get("figures"),
        math.inf if table.get("measured") else table.get("tolerance", 0),
        table.get("measured", False),
        # What the quick steps leave out is as in the scenario itself.
        parse_scenario(name, path, {**table, "quick": None, **quick}) if quick else None,
    )


def needs(program: Path) -> Environment | None:
    return next((other for other in OTHERS if other.is_imported_by(program)), None)


def other_python(story: Scenario) -> Path | None:
    """The Python that can run the example, if this one cannot.

    Raises:
        NoSuchExample: that Python is not there yet.
    """
    other = story.needs
    if other is None or other.is_here:
        return None
    folder = ENVIRONMENTS / other.name
    if not (folder / "all").exists():
        raise NoSuchExample(
            f"{story.name} needs {other.said}: make {other.target} installs what is missing"
        )
    return folder / "bin" / "python"


def companions(program: Path) -> set[Path]:
    """The programs beside a program that it names, to import or to start them, and theirs; also
    those of another page, which it names by their paths, as in `../traffic/model_server.py`."""
    found, waiting = {program}, [program]
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8")
        words = set(re.findall(r"\w+", text))
        named = {path for path in program.parent.glob("*.py") if path.stem in words}
        elsewhere = (EXAMPLES / path for path in re.findall(r"\.\./(\w+/\w+\.py)", text))
        named = (named | set(filter(Path.is_file, elsewhere))) - found
        found |= named
        waiting += named
    return found - {program}


def given(story: Scenario) -> set[Path]:
    """The programs that a step names as an argument, beside the one that it runs."""
    return {
        step.script.parent / word
        for step in (*story.before, *story.run, *story.after)
        for word in step.arguments
        if word.endswith(".py") and (step.script.parent / word).is_file()
    }


@contextlib.contextmanager
def working_folder(story: Scenario) -> Iterator[Path]:
    """The current folder for the time of the block: a new one, with the SQL that lies beside the
    example and the programs that it uses, so that what it writes stays out of the tree."""
    if story.needs and story.needs.is_here:
        with patch.dict(os.environ, dict(story.needs.settings)):
            import_module(story.needs.modules[0])  # the CDK's Node must not start in the new folder
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        used = companions(story.path) if story.is_program else set()
        for file in {*story.path.parent.glob("*.sql"), *used, *given(story)}:
            shutil.copy(file, folder)
        if any(step.script == COMMAND_LINE for step in story.run):
            shutil.copytree(SCRIPTS, folder / SCRIPTS.name)
        with contextlib.chdir(folder):
            yield folder
