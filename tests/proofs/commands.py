"""The commands of `examples/sagemaker_cli`: what a terminal shows of each, in both languages.

`scenarios.toml` there holds a table per command; `transcripts/<command>.<language>.out` is what
its `run` prints, `<command>.policy.json` the policy that it needs and `<command>.run.json` the
calls it makes. Steps are run in this process, as those of the other examples.
"""

import json
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from awslab import scenarios
from awslab.scenarios import EXAMPLES, Scenario, Step, parse_scenario
from languages import LANGUAGES

from proofs.figures import alike
from proofs.permissions import derive, only_with
from proofs.record import Run, Unproven, in_a_row, known_before, play, prove_again, transcript
from proofs.shell import SETTINGS

FOLDER = EXAMPLES / "sagemaker_cli"
TRANSCRIPTS = FOLDER / "transcripts"
TERMINAL = tuple(SETTINGS.items())


def tables() -> dict[str, Any]:
    return scenarios.tables((FOLDER / "scenarios.toml").read_text(encoding="utf-8"))


def story(command: str, language: str) -> Scenario:
    """The scenario of a command, run by a reader of a language."""
    told = parse_scenario(
        f"sagemaker_cli/{command}", FOLDER / f"{command}.{language}", tables()[command]
    )
    settings = (*TERMINAL, ("LANGUAGE", language))

    def told_to(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(replace(s, environment=(*settings, *s.environment)) for s in steps)

    return replace(
        told, before=told_to(told.before), run=told_to(told.run), after=told_to(told.after)
    )


def stored(command: str, ending: str) -> str:
    path = TRANSCRIPTS / f"{command}.{ending}"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def record_command(command: str, thorough: bool = True) -> dict[Path, str]:
    """Run a command in both languages; the texts that its page shows, by file.

    The policy is that of the calls; with it, and nothing else allowed, the run prints the same.
    `thorough`: also that it prints the same again, and leaves nothing.

    Raises:
        Unproven: the command does not keep a promise of the site.
    """
    texts: dict[Path, str] = {}
    for language in LANGUAGES:
        told = story(command, language)
        run = play(told)
        shown = transcript(told, run)
        known = stored(command, f"{language}.out")
        same = alike(known, shown, told.tolerance)
        texts[TRANSCRIPTS / f"{command}.{language}.out"] = known if same else shown
        if language != "en" or not run.trace.calls:
            continue
        policy = derive(run.trace.calls, known_before(told, run), run.mask.hide)
        prove_sufficient(told, policy, shown)
        if thorough:
            prove_again(told, run)
        texts[TRANSCRIPTS / f"{command}.policy.json"] = json.dumps(policy, indent=2) + "\n"
        texts[TRANSCRIPTS / f"{command}.run.json"] = as_run(command, run)
    return texts


def prove_sufficient(told: Scenario, policy: dict[str, Any], shown: str) -> None:
    """Raises Unproven: under its policy the command does something else."""
    allowed = play(told, lambda mask: only_with(json.loads(mask.show(json.dumps(policy)))))
    if not alike(transcript(told, allowed), shown, told.tolerance):
        raise Unproven(f"{told.name}: its policy is not sufficient: {allowed.printed}")


def as_run(command: str, run: Run) -> str:
    """The calls of a run; the date stays while nothing else changes."""
    known = json.loads(stored(command, "run.json") or "{}")
    content: dict[str, Any] = {
        "calls": in_a_row(run.trace.calls),
        "versions": {name: version(name) for name in ("boto3", "moto", "click")},
    }
    recorded = known.pop("recorded", None)
    if known != content:
        recorded = date.today().isoformat()
    return json.dumps(content | {"recorded": recorded}, indent=2) + "\n"
