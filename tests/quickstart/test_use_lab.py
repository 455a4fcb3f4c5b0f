"""The commands of quickstart/use_lab do what the page shows."""

from awslab.scenarios import EXAMPLES
from proofs.shell import run_shell

SCRIPT = EXAMPLES / "quickstart" / "use_lab.sh"


def test_the_terminal_shows_what_is_recorded() -> None:
    shown = run_shell(SCRIPT.read_text(encoding="utf-8"))
    assert shown == SCRIPT.with_suffix(".out").read_text(encoding="utf-8")
