"""Which examples there are, and the command lines by which each is run on an empty lab.

`examples/<slug>/scenarios.toml` holds one table per example: `before` (what prepares the lab),
`run` (the example itself, the commands that the page shows) and `after` (what removes everything).
Ids are written by their masked names: `vpc-1` is the first VPC id that the run has printed.
"""

import difflib
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent


class NoSuchExample(Exception):
    """The name is not `<slug>/<example>` of a file under examples/."""


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
    """The names of all examples, as `<slug>/<example>`."""
    found = EXAMPLES.glob("*/*.py")
    return sorted(
        f"{path.parent.name}/{path.stem}" for path in found if path.parent.name != "awslab"
    )


def scenario(name: str) -> Scenario:
    """The scenario of `<slug>/<example>`.

    Raises:
        NoSuchExample: there is no such file, or it has no scenario.
    """
    slug, _, example = name.removesuffix(".py").removeprefix("examples/").partition("/")
    path = EXAMPLES / slug / f"{example}.py"
    known = scripts()
    if f"{slug}/{example}" not in known:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
        problem = (
            f"There is no example {name}." if name else "Name one: make run EXAMPLE=slug/name."
        )
        raise NoSuchExample(f"{problem} Examples: {', '.join(close)}")
    file = EXAMPLES / slug / "scenarios.toml"
    listed = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if example not in listed:
        raise NoSuchExample(f"{name} has no table in examples/{slug}/scenarios.toml")
    lines = listed[example]
    return Scenario(
        f"{slug}/{example}",
        path,
        tuple(parse_step(slug, line) for line in lines.get("before", [])),
        tuple(parse_step(slug, line) for line in lines["run"]),
        tuple(parse_step(slug, line) for line in lines.get("after", [])),
    )
