"""Shell examples: `examples/<slug>/<name>.sh`, run in bash at the root of the repository.

`<name>.out` beside it holds what a terminal shows. AWS calls go to a fresh lab server. What a
program prints that speaks two languages is in `<name>.ja.out` and `<name>.en.out`; it runs in a
copy of the examples, for it may write beside them.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awslab.embedded import environment
from awslab.masking import Mask
from awslab.scenarios import COMMAND_LINE, EXAMPLES
from awslab.server import running_lab
from checks.mirrors import LAUNCHER
from languages import LANGUAGES

from proofs.record import one_time

ROOT = EXAMPLES.parent
# Of a terminal whose output is shown on a page.
SETTINGS = {"COLUMNS": "88", "NO_COLOR": "1", "SMCLI_POLL": "0.1"}

# Each line is echoed as typed and run in the same shell, as a reader pastes line by line.
TERMINAL = """
while IFS= read -r line <&3; do
  printf '$ %s\\n' "$line"
  eval "$line" </dev/null
  status=$?
  [ "$status" = 0 ] || printf '[exit %s]\\n' "$status"
done 3<<< "$SCRIPT"
"""


# Before a block that bash runs: the folder and the variables of the last one, as in a terminal.
CONTINUED = """
set -a
[ -e "$KEPT" ] && source "$KEPT"
trap 'status=$?; { printf "cd %q\\n" "$PWD"; export -p; } > "$KEPT"; exit $status' EXIT
set -eo pipefail
"""


def shell_scripts() -> list[Path]:
    return sorted(path for path in EXAMPLES.glob("*/*.sh") if path != ROOT / LAUNCHER)


def records(script: Path) -> dict[str, Path]:
    """The recorded transcript for a reader of each language."""
    if script.parent.name == COMMAND_LINE.parents[1].name:
        return {language: script.with_suffix(f".{language}.out") for language in LANGUAGES}
    return dict.fromkeys(LANGUAGES, script.with_suffix(".out"))


def run_all() -> Iterator[tuple[Path, str]]:
    """The records of all scripts, made anew."""
    for script in shell_scripts():
        text = script.read_text(encoding="utf-8")
        for language, path in records(script).items():
            if path.suffixes == [".out"]:
                yield path, run_shell(text)
                break
            with repository() as folder:
                yield path, run_shell(text, folder, LANGUAGE=language, **SETTINGS)


@contextmanager
def repository() -> Iterator[Path]:
    """A copy of what a reader has cloned, in which programs may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "aws-ml-operations-notes"
        copied = shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*", "awslab")
        shutil.copytree(EXAMPLES, folder / "examples", ignore=copied)
        yield folder


def run_shell(script: str, folder: Path = ROOT, **settings: str) -> str:
    """The masked transcript of a script, run against an empty lab."""
    programs = (ROOT / ".venv" / "bin", ROOT / ".venv" / "aws-cli" / "bin", os.environ["PATH"])
    path = ":".join(map(str, programs))
    with running_lab() as address:
        done = subprocess.run(
            ["bash", "-c", TERMINAL],
            cwd=folder,
            env=environment(
                SCRIPT=script.rstrip("\n"), AWS_ENDPOINT_URL=address, PATH=path, **settings
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
    return in_order(one_time(Mask().hide(done.stdout.replace(str(folder), "."))))


def in_order(shown: str) -> str:
    """The AWS CLI deletes several objects at once, so chance decides the order of their lines."""
    deleted = re.compile(r"(?:^delete: s3://.*\n){2,}", re.MULTILINE)
    return deleted.sub(lambda found: "".join(sorted(found[0].splitlines(keepends=True))), shown)
