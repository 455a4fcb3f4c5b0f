"""`python -m proofs [--draft] [EXAMPLE …]`: record examples (all, and the lab's table, if none is
named). `smcli/model-create` is a command of the command line. A draft tries four faults of an
example at most, while its author works on it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from awslab.readme import write_tables
from awslab.scenarios import (
    EXAMPLES,
    NoSuchExample,
    other_python,
    queries,
    scenario,
    scripts,
)

from proofs.commands import record_command, tables
from proofs.record import Unproven, record
from proofs.shell import run_all


def records(names: list[str], thorough: bool) -> Iterator[tuple[Path, str]]:
    """The files to store, and their texts."""
    draft = [] if thorough else ["--draft"]
    for name in names or [*scripts(), *queries()]:
        if name.startswith("smcli/"):
            yield from record_command(name.removeprefix("smcli/"), thorough).items()
            continue
        story = scenario(name)
        if python := other_python(story):
            if subprocess.run([python, "-m", "proofs", *draft, name], check=False).returncode:
                raise Unproven(f"{name}: not proven")
            continue
        yield from record(story, thorough).paths(story.path).items()
        print(f"{name}: proven")
    for command in [] if names else tables():
        yield from record_command(command).items()
        print(f"smcli {command}: proven")
    if not names:
        yield from run_all()


def main(arguments: list[str]) -> int:
    names = [argument for argument in arguments if argument != "--draft"]
    if not names:
        write_tables()
    try:
        for path, text in records(names, names == arguments):
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
                print(f"wrote {path.relative_to(EXAMPLES)}")
    except (NoSuchExample, Unproven) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
