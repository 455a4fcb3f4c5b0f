"""What the pages show of each command is what it does today, and its policy suffices."""

import json

import pytest
from proofs.commands import TRANSCRIPTS, record_command, stored, tables
from smcli.main import MODULE_OF, cli


def declared(command: str) -> set[str]:
    found = cli.get_command(None, command)  # type: ignore[arg-type]
    return set(found.calls)  # type: ignore[union-attr]


def test_every_command_has_a_scenario_and_every_transcript_its_command() -> None:
    # Terraform's are recorded and compared by test_terraform.py, beside a server that it reaches.
    scenarios = [name for name, module in MODULE_OF.items() if module != "terraform"]
    assert list(tables()) == scenarios
    told = {path.name.partition(".")[0] for path in TRANSCRIPTS.iterdir()}
    assert told == set(MODULE_OF)


@pytest.mark.parametrize("command", tables())
def test_the_transcript_is_what_the_command_does(command: str) -> None:
    for path, text in record_command(command, thorough=False).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make record`"


@pytest.mark.parametrize("command", tables())
def test_the_transcript_makes_every_call_that_the_command_declares(command: str) -> None:
    run = json.loads(stored(command, "run.json") or '{"calls": []}')
    made = {f"{call['service']}:{call['operation']}" for call in run["calls"]}
    assert made == declared(command)
