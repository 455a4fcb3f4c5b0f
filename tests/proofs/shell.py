"""Shell examples: `examples/<slug>/<name>.sh`, run in bash at the root of the repository.

`<name>.out` beside it holds what a terminal shows. AWS calls go to a fresh lab server.
"""

import subprocess
from pathlib import Path

from awslab.embedded import environment
from awslab.masking import Mask
from awslab.scenarios import EXAMPLES
from awslab.server import running_lab

ROOT = EXAMPLES.parent

# Each line is echoed as typed and run in the same shell, as a reader pastes line by line.
TERMINAL = """
while IFS= read -r line <&3; do
  printf '$ %s\\n' "$line"
  eval "$line" </dev/null
  status=$?
  [ "$status" = 0 ] || printf '[exit %s]\\n' "$status"
done 3<<< "$SCRIPT"
"""


def shell_scripts() -> list[Path]:
    return sorted(EXAMPLES.glob("*/*.sh"))


def run_shell(script: str) -> str:
    """The masked transcript of a script, run against an empty lab."""
    with running_lab() as address:
        done = subprocess.run(
            ["bash", "-c", TERMINAL],
            cwd=ROOT,
            env=environment(SCRIPT=script.rstrip("\n"), AWS_ENDPOINT_URL=address),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
    return Mask().hide(done.stdout)
