"""The commands of quickstart/first_run do what the page shows."""

from awslab.scenarios import EXAMPLES
from proofs.shell import run_shell

SCRIPT = EXAMPLES / "quickstart" / "first_run.sh"


def test_the_terminal_shows_what_is_recorded() -> None:
    shown = run_shell(SCRIPT.read_text(encoding="utf-8"))
    assert shown == SCRIPT.with_suffix(".out").read_text(encoding="utf-8")
