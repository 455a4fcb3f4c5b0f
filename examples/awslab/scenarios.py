"""Which examples there are, and the command lines by which each is run on an empty lab.

`examples/<slug>/scenarios.toml` holds one table per example, a program or a file of SQL: `before`
(what prepares the lab), `run` (the example itself, the commands that the page shows), `after` (what
removes everything), and if need be `figures` (a JSON file that the run writes, for charts),
`tolerance` (by which numbers may differ on another machine, relative or absolute) and `quick`
(`before` and `run` with less data, for the proofs that repeat a run many times).
Ids are written by their masked names: `vpc-1` is the first VPC id that the run has printed.
"""

import contextlib
import difflib
import importlib.util
import re
import shlex
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent
DEBUGGER = EXAMPLES.parent / ".venv" / "debugger"  # `all` in it says that it is complete
IMPORTS_OF_DEBUGGER = re.compile(r"^\s*(?:import|from) (?:torch|smdebug)\b", re.MULTILINE)


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
    quick: "Scenario | None" = None

    @property
    def is_program(self) -> bool:
        return self.path.suffix == ".py"

    @property
    def needs_debugger(self) -> bool:
        """It imports what `make test-debugger` installs into .venv/debugger alone."""
        return self.is_program and needs_debugger(self.path)


def parse_step(slug: str, line: str) -> Step:
    """`NAME=value python script.py --option vpc-1` as a step; the script lies in `slug`."""
    words = shlex.split(line)
    settings = []
    while "=" in words[0]:
        key, _, value = words.pop(0).partition("=")
        settings.append((key, value))
    program, script, *arguments = words
    if program != "python":
        raise ValueError(f"{slug}/scenarios.toml: a step starts with python: {line}")
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
    known = sorted(scripts() + queries())
    if f"{slug}/{example}" not in known:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
        problem = (
            f"There is no example {name}." if name else "Name one: make run EXAMPLE=slug/name."
        )
        raise NoSuchExample(f"{problem} Examples: {', '.join(close)}")
    kind = "py" if f"{slug}/{example}" in scripts() else "sql"
    file = EXAMPLES / slug / "scenarios.toml"
    listed = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if example not in listed:
        raise NoSuchExample(f"{name} has no table in examples/{slug}/scenarios.toml")
    return parse_scenario(
        f"{slug}/{example}", EXAMPLES / slug / f"{example}.{kind}", listed[example]
    )


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
        table.get("tolerance", 0),
        # What the quick steps leave out is as in the scenario itself.
        parse_scenario(name, path, {**table, "quick": None, **quick}) if quick else None,
    )


def needs_debugger(program: Path) -> bool:
    return bool(IMPORTS_OF_DEBUGGER.search(program.read_text(encoding="utf-8")))


def other_python(story: Scenario) -> Path | None:
    """The Python that can run the example, if this one cannot.

    Raises:
        NoSuchExample: that Python is not there yet.
    """
    if not story.needs_debugger or importlib.util.find_spec("torch"):
        return None
    if not (DEBUGGER / "all").exists():
        raise NoSuchExample(
            f"{story.name} needs PyTorch or smdebug: make test-debugger installs them"
        )
    return DEBUGGER / "bin" / "python"


@contextlib.contextmanager
def working_folder(story: Scenario) -> Iterator[Path]:
    """The current folder for the time of the block: a new one, with the SQL that lies beside the
    example, so that what the example writes stays out of the tree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for file in story.path.parent.glob("*.sql"):
            shutil.copy(file, folder)
        with contextlib.chdir(folder):
            yield folder
