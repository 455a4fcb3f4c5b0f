"""Run an example on an empty lab and keep what its page shows.

Beside every example lie `.out` (commands and output) and `.run.json` (where and with which
versions it ran); beside a program that calls AWS also `.policy.json` (the IAM policy), and in its
`.run.json` the API calls and the faults that it survived; beside one that measures,
`.figures.json`.
"""

import ast
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.metadata import packages_distributions, version
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from awslab.embedded import embedded_lab
from awslab.masking import VOLATILE, Mask
from awslab.run import Result, run_step
from awslab.scenarios import Scenario, Step, companions, working_folder
from awslab.services.sagemaker.hosting import begin_own_servers
from awslab.state import Place, State, difference, open_places, snapshot
from checks.mirrors import imports

from proofs import figures
from proofs.faults import (
    Fault,
    all_faults,
    made_by_named_tuning_job,
    owners,
    some_faults,
    unnamed_leftovers,
)
from proofs.forks import Lost, Threads, in_fork
from proofs.permissions import actions_in, derive, only_with, without
from proofs.resources import dependents
from proofs.trace import Answer, Call, Trace, refuse_none, watching

Refuse = Callable[[Trace, Call], Answer | None]


Again = Callable[[Callable[[Mask], Refuse] | None], "Run"]


class Unproven(Exception):
    """An example does not keep a promise of the site."""


@dataclass(frozen=True)
class Run:
    """One run of a scenario: the results of its `run` steps and the calls they made.

    `struck` are the results of those steps in which a call was refused, `prepared` the names of
    the ids that the preparing steps printed.
    """

    results: list[Result]
    struck: list[Result]
    trace: Trace
    mask: Mask
    prepared: dict[str, str]
    before: State
    after: State
    figures: str | None
    places: list[Place]

    @property
    def printed(self) -> str:
        return "".join(result.output + result.errors for result in self.results)

    @property
    def errors(self) -> str:
        return "".join(result.errors for result in self.results)

    def known(self, state: State) -> dict[str, str]:
        """What a state holds and its reader knows by name: the same name in every run to the id."""
        return {
            self.prepared.get(name, name): name
            for name in owners(state)
            if name in self.prepared or not VOLATILE.fullmatch(name)
        }


def play(
    story: Scenario,
    refuse: Callable[[Mask], Refuse] | None = None,
    places: Iterable[Place] = (),
) -> Run:
    """Prepare an empty lab, run the example under watch, and look at what it left.

    `places` are looked at beforehand, so that what AWS puts into a Region of its own accord does
    not count as left by the example.

    Raises:
        Unproven: a preparing step fails, a program lets an exception escape, or it makes a call
            whose permissions nobody knows.
    """
    with working_folder(story) as folder, embedded_lab():
        mask = prepare(story, places)
        return watch(story, folder, mask, snapshot(), refuse)


def prepare(story: Scenario, places: Iterable[Place]) -> Mask:
    """Take the preparing steps; returns the names of what they print."""
    mask = Mask()
    for step in story.before:
        succeed(story, step, mask)
    open_places(places)
    return mask


def watch(
    story: Scenario,
    folder: Path,
    mask: Mask,
    before: State,
    refuse: Callable[[Mask], Refuse] | None,
) -> Run:
    """Run the example in the lab as it is now, and look at what it leaves."""
    prepared = dict(mask.name_of)
    results, struck = [], []
    with watching(Trace(refuse(mask)) if refuse else Trace()) as trace:
        for step in story.run:
            refused = len(trace.refused)
            try:
                results.append(finish(story, step, mask))
            finally:
                if trace.unknown:
                    raise Unproven(
                        f"{story.name}: AWS's table has no action {trace.unknown[0]}: "
                        "see examples/awslab/actions.py"
                    )
            if len(trace.refused) > refused:
                struck.append(results[-1])
    after, found = snapshot(), read_figures(story, folder)
    return Run(results, struck, trace, mask, prepared, before, after, found, open_places())


@contextmanager
def played_again(story: Scenario, places: Iterable[Place], recorded: Run) -> Iterator[Again]:
    """`play`, again and again: the lab is prepared once, and each run gets a fork of it.

    recorded: a run from nothing, which tells whether models are asked.

    Where a fork would lack something, each run is one from nothing: the packages of a program may
    have threads, and so may what the preparing steps have begun. So is each after a fork that was
    lost: what a proof says never depends on a fork.
    """
    plain = not any(third_party(step.script) for step in story.run)
    asks = any(call.operation.startswith("Invoke") for call in recorded.trace.calls)
    if not (story.before and plain and sys.platform == "linux"):
        yield lambda refuse: play(story, refuse, places)
        return
    threads = Threads()
    with ExitStack() as prepared:
        folder = prepared.enter_context(working_folder(story))
        prepared.enter_context(embedded_lab())
        mask = prepare(story, places)
        forks = threads.are_all()  # first: what is still under way would change the snapshot
        before = snapshot()

        def again(refuse: Callable[[Mask], Refuse] | None) -> Run:
            nonlocal forks
            if forks:
                try:
                    return play_in_fork(story, folder, mask, before, refuse, asks)
                except Lost as lost:
                    print(f"{story.name}: from now on from nothing: {lost}", file=sys.stderr)
                    forks = False
            prepared.close()
            return play(story, refuse, places)

        yield again


def play_in_fork(
    story: Scenario,
    folder: Path,
    mask: Mask,
    before: State,
    refuse: Callable[[Mask], Refuse] | None,
    asks: bool,
) -> Run:
    """Raises Lost: the run does not end, or reaches into the lab that it was forked from."""

    def task() -> Run:
        os.chdir(copy)
        if asks:
            begin_own_servers()  # at once, so that the run finds them ready
        run = watch(story, copy, mask, before, refuse)
        return replace(run, trace=replace(run.trace, refuse=refuse_none, arguments={}))

    with TemporaryDirectory() as name:
        copy = Path(name).resolve()
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        run = in_fork(task)
    if changed := difference(before, snapshot()):
        raise Lost(f"{story.name} has changed the lab that its run was forked from: {changed}")
    return run


def read_figures(story: Scenario, folder: Path) -> str | None:
    written = folder / story.figures if story.figures else None
    return written.read_text(encoding="utf-8") if written and written.exists() else None


def finish(story: Scenario, step: Step, mask: Mask) -> Result:
    try:
        return run_step(step, mask)
    except Exception as error:
        kind = type(error).__name__
        raise Unproven(
            f"{story.name}: {step.line} ends with a traceback: {kind}: {error}"
        ) from error


def succeed(story: Scenario, step: Step, mask: Mask) -> None:
    result = finish(story, step, mask)
    if result.status:
        raise Unproven(f"{story.name}: {step.line} failed: {result.errors}")


def transcript(story: Scenario, run: Run) -> str:
    """What a terminal shows, with stable names for ids; the first line is the command."""
    return as_transcript(story, run.results, run.mask)


def as_transcript(story: Scenario, results: list[Result], mask: Mask) -> str:
    blocks = []
    for step, result in zip(story.run, results, strict=True):
        ending = f"[exit {result.status}]\n" if result.status else ""
        blocks.append(f"$ {step.line}\n{mask.hide(result.output + result.errors)}{ending}")
    return one_time("\n".join(blocks))


def one_time(masked: str) -> str:
    """How many seconds a run falls into depends on the machine, so all times have one name."""
    return re.sub(r"\btime-\d+\b", "time-1", masked)


def known_before(story: Scenario, run: Run) -> str:
    return " ".join(run.mask.show(step.line) for step in story.run)


def prove_again(story: Scenario, recorded: Run) -> list[Place]:
    """A second run prints and measures the same, and with `after` leaves nothing in an empty lab.

    AWS itself puts something into every Region that is looked at, so the steps are repeated until
    all places were open beforehand: those that the recorded run has opened, and those that the
    steps open. Returns them all.

    Raises:
        Unproven: naming what is different, or what is left.
    """
    places = recorded.places
    while True:
        mask = Mask()
        with working_folder(story) as folder, embedded_lab():
            open_places(places)
            before = snapshot()
            for step in story.before:
                succeed(story, step, mask)
            results = [finish(story, step, mask) for step in story.run]
            found_figures = read_figures(story, folder)
            for step in story.after:
                succeed(story, step, mask)
            left, found = difference(before, snapshot()), open_places()
        if set(found) <= set(places):
            break
        places = found
    if left:
        raise Unproven(f"{story.name} leaves behind: " + "; ".join(left[:5]))
    first, second = transcript(story, recorded), as_transcript(story, results, mask)
    if not figures.alike(first, second, story.tolerance):
        raise Unproven(f"{story.name}: its output differs from run to run: {first}{second}")
    if story.figures and (
        problem := figures.difference(
            measured(story, recorded.figures), measured(story, found_figures), story.tolerance
        )
    ):
        raise Unproven(f"{story.name}: its figures differ from run to run: {problem}")
    return places


def prove_permissions(
    story: Scenario, recorded: Run, policy: dict[str, Any], again: Again | None = None
) -> None:
    """With the policy the run is the recorded one; without any one action it is not.

    again: how it is run, otherwise than from nothing.

    Raises:
        Unproven: naming the action that is missing or superfluous.
    """

    def gate(chosen: Any) -> Callable[[Mask], Refuse]:
        return lambda mask: only_with(json.loads(mask.show(json.dumps(chosen))))

    def as_recorded(run: Run) -> bool:
        return figures.alike(wanted, transcript(story, run), story.tolerance)

    wanted = transcript(story, recorded)
    again = again or (lambda refuse: play(story, refuse))
    allowed = again(gate(policy))
    if not as_recorded(allowed):
        raise Unproven(f"{story.name}: its policy is not sufficient: {allowed.printed}")
    for action in actions_in(policy):
        run = again(gate(without(policy, action)))
        ended_well = not all(result.status for result in run.struck)
        if ended_well or as_recorded(run):
            raise Unproven(f"{story.name}: it runs without {action}")


def prove_faults(
    story: Scenario,
    recorded: Run,
    places: list[Place],
    thorough: bool = True,
    again: Again | None = None,
) -> int:
    """Whatever call fails, the program says so, ends with an error and leaves nothing unnamed.

    again: how it is run, otherwise than from nothing.
    Returns how many faults there are; without `thorough`, four at most are tried.

    Raises:
        Unproven: naming the fault and what is wrong.
    """
    again = again or (lambda refuse: play(story, refuse, places))
    calls = len(recorded.trace.calls)
    faults = all_faults(calls)
    for fault in faults if thorough else some_faults(calls, story.name):
        problem = ends_badly(story, fault, recorded, again)
        if problem:
            raise Unproven(f"{story.name}, {fault}: {problem}")
    return len(faults)


def ends_badly(story: Scenario, fault: Fault, recorded: Run, again: Again) -> str | None:
    try:
        run = again(lambda mask: fault.refuse)
    except Unproven as error:
        return str(error)
    injected = fault.kind(run.trace.calls[fault.at - 1])[1]["Error"]["Message"]
    if not all(result.status for result in run.struck):
        return "ends with status 0"
    if injected not in run.printed:
        return f"does not report the error; it prints {run.printed!r}"
    if "Traceback" in run.printed:
        return "prints a traceback"
    left = unnamed_leftovers(run.before, run.after, run.errors)
    if left:
        return f"does not name what it leaves: {left}; its errors: {run.errors!r}"
    left = unnamed_remainders(recorded, run)
    return f"stops half-way and does not name {left}; its errors: {run.errors!r}" if left else None


def unnamed_remainders(recorded: Run, run: Run) -> list[str]:
    """What is still there, unnamed, after a failed run that removed a part of what it should."""
    removed = recorded.known(recorded.before).keys() - recorded.known(recorded.after).keys()
    standing = run.known(run.after)
    if run.known(run.before).keys() <= standing.keys():
        return []  # nothing was removed
    return [
        name
        for name in sorted(removed & standing.keys())
        if standing[name] not in run.errors and not made_by_named_tuning_job(name, run.errors)
    ]


@cache
def distributions() -> Mapping[str, list[str]]:
    """Of each module that is installed."""
    return packages_distributions()


def third_party(path: Path) -> list[str]:
    """The packages that a program imports, beside those that every program imports; of a program
    that imports or starts others beside it, theirs too."""
    modules, waiting = set[str](), {path}
    beside = {program.stem: program for program in companions(path)}
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8")
        started = set(re.findall(r"with_name\(\"(\w+)\.py\"\)", text))
        new = ({name for _, name in imports(ast.parse(text))} | started) - modules
        modules |= new
        waiting |= {beside[name] for name in new & beside.keys()}
    found = distributions()
    foreign = modules - beside.keys() - sys.stdlib_module_names - {"boto3", "botocore"}
    return sorted({found[module][0] for module in foreign})


SQL_ENGINE = ["duckdb", "sqlglot"]
SQL_SERVICES = {"athena", "redshift-data"}


def in_a_row(calls: list[Call]) -> list[dict[str, Any]]:
    """The calls in order; one that is made several times in a row is told once, with `times`."""
    told = [{"service": c.service, "operation": c.operation, "actions": c.actions} for c in calls]
    counted = [(call, len(list(same))) for call, same in groupby(told)]
    return [call | ({"times": times} if times > 1 else {}) for call, times in counted]


def describe(story: Scenario, recorded: Run, faults: int, known: Any) -> dict[str, Any]:
    """The content of `.run.json`; the date stays while nothing else changes."""
    calls = recorded.trace.calls
    actions = {action for call in calls for action in call.actions}
    packages = third_party(story.path) if story.is_program else []
    content: dict[str, Any] = {}
    if calls:
        packages = ["boto3", "moto", *packages]
        if SQL_SERVICES & {call.service for call in calls}:
            packages = list(dict.fromkeys([*packages, *SQL_ENGINE]))
    if calls and story.is_program:
        content |= {
            "calls": in_a_row(calls),
            "dependent_actions": {a: found for a in sorted(actions) if (found := dependents(a))},
            "fault_runs": faults,
        }
    if story.measured:
        content["measured"] = True
    elif story.tolerance:
        content["tolerance"] = story.tolerance
    content |= {
        "ran_on": "lab" if calls else "local",
        "versions": {name: version(name) for name in packages},
    }
    if known and {key: value for key, value in known.items() if key != "recorded"} == content:
        return dict(known)
    return content | {"recorded": date.today().isoformat()}


@dataclass(frozen=True)
class Record:
    """The stored texts of an example; a policy if it calls AWS, figures if it measures."""

    out: str
    run: str
    policy: str | None
    figures: str | None

    def paths(self, example: Path) -> dict[Path, str]:
        texts = {
            ".out": self.out,
            ".run.json": self.run,
            ".policy.json": self.policy,
            ".figures.json": self.figures,
        }
        return {example.with_suffix(ending): text for ending, text in texts.items() if text}


def record(story: Scenario, thorough: bool = True) -> Record:
    """Run and prove an example. Permissions and faults are those of a program that calls AWS.

    Without `thorough`, four faults at most are tried, and a run with nothing to clean up is not
    repeated.

    Raises:
        Unproven: the example does not keep a promise of the site.
    """
    run = play(story)
    calls_aws = story.is_program and bool(run.trace.calls)
    often = story.quick or story
    shown = play(often) if story.quick and (calls_aws or story.measured) else run
    # The tests compare the run with its record, which is a repetition too.
    again = (often, shown) if story.measured else (story, run)
    places = prove_again(*again) if thorough or story.after else run.places
    policy = derive(run.trace.calls, known_before(story, run), run.mask.hide)
    faults = 0
    if calls_aws:
        with played_again(often, places, shown) as played:
            prove_permissions(often, shown, policy, played)
            faults = prove_faults(often, shown, places, thorough, played)
    known = json.loads(stored(story, ".run.json") or "null")
    texts = {".out": transcript(story, run)}
    if story.figures:
        texts[".figures.json"] = figures.as_text(measured(story, run.figures))
    keep = {ending: stays(story, ending, text) for ending, text in texts.items()}
    if story.measured and not all(keep.values()):
        keep = dict.fromkeys(keep)  # one run's figures do not explain another run's output
    texts |= {ending: old for ending, old in keep.items() if old}
    return Record(
        texts[".out"],
        json.dumps(describe(story, run, faults, known), indent=2) + "\n",
        json.dumps(policy, indent=2) + "\n" if calls_aws else None,
        texts.get(".figures.json"),
    )


def stays(story: Scenario, ending: str, new: str) -> str | None:
    """The stored text, with its times and measurements, if nothing else has changed."""
    old = stored(story, ending)
    if old is None:
        return None
    if ending == ".out":
        return old if figures.alike(old, new, story.tolerance) else None
    return old if figures.difference(old, new, story.tolerance) is None else None


def stored(story: Scenario, ending: str) -> str | None:
    path = story.path.with_suffix(ending)
    return path.read_text(encoding="utf-8") if path.exists() else None


def measured(story: Scenario, found: str | None) -> str:
    """Raises Unproven: the run wrote no figures."""
    if found is None:
        raise Unproven(f"{story.name}: it wrote no {story.figures}")
    return found
