"""Run example files in this process, as `python example.py …` would."""

import contextlib
import io
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from awslab.embedded import embedded_lab, fresh_default_session
from awslab.masking import Mask
from awslab.scenarios import NoSuchExample, Step, other_python, scenario, working_folder


@contextlib.contextmanager
def modules_beside(script: Path) -> Iterator[None]:
    """A program may import those that lie beside it; the next one gets its own."""
    with patch.object(sys, "path", [str(script.parent), *sys.path]):
        try:
            yield
        finally:
            for path in script.parent.glob("*.py"):
                if getattr(sys.modules.get(path.stem), "__file__", None) == str(path):
                    del sys.modules[path.stem]


@dataclass(frozen=True)
class Result:
    """What a finished program leaves: its exit status and what it printed."""

    status: int
    output: str
    errors: str


def run_script(script: Path, arguments: list[str], **environment: str) -> Result:
    """Run a file as a program. An exception that it does not catch is raised, not printed."""
    output, errors, status = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        patch.object(sys, "argv", [script.name, *arguments]),
        patch.dict(os.environ, environment),
        fresh_default_session(),
        modules_beside(script),
    ):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as stop:
            if isinstance(stop.code, str):
                print(stop.code, file=sys.stderr)
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return Result(status, output.getvalue(), errors.getvalue())


def run_step(step: Step, mask: Mask) -> Result:
    """Run one step of a scenario and learn the names of the ids that it prints."""
    arguments = [mask.show(argument) for argument in step.arguments]
    environment = {key: mask.show(value) for key, value in step.environment}
    result = run_script(step.script, arguments, **environment)
    mask.hide(result.output)
    return result


def run_on_embedded_lab(name: str, arguments: list[str]) -> int:
    """Run an example on an empty lab and print what a terminal would show.

    Without arguments the example's scenario runs, with what prepares it; with arguments the
    example alone.
    """
    story = scenario(name)
    if python := other_python(story):
        command = [str(python), "-m", "awslab", "run", name, *arguments]
        return subprocess.run(command, check=False).returncode
    if arguments:
        if not story.is_program:
            raise NoSuchExample(f"{name} is SQL: run it without ARGS, or by {story.run[-1].line}")
        with embedded_lab():
            result = run_script(story.path, arguments)
        sys.stdout.write(result.output)
        sys.stderr.write(result.errors)
        return result.status
    with working_folder(story), embedded_lab():
        mask = Mask()
        for step in (*story.before, *story.run):
            print(f"$ {mask.show(step.line)}")
            result = run_step(step, mask)
            sys.stdout.write(result.output)
            sys.stderr.write(result.errors)
    return result.status
