"""Replace v1 of a model by v2 under load with one strategy, and roll back when an alarm fires."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from send_load import latencies, per_interval, percentile, read_rows, send
from shift_traffic import shift, shifter
from start_fleet import start_fleet, stop_fleet, switch_faults, wait

# [start: strategies]
# Shares of v2 in percent, batches of instances, whether each step and the end are baked.
STRATEGIES: dict[str, tuple[list[float], int, bool]] = {
    "canary": ([10, 100], 1, True),
    "linear": ([25, 50, 75, 100], 1, True),
    "rolling": ([50, 100], 2, True),
    "blue-green": ([100], 1, True),
    "all-at-once": ([100], 1, False),
}
FAULTS: dict[str, dict[str, float]] = {
    "none": {},
    "errors": {"errors": 0.5},
    "slow": {"slow_ms": 300},
    "wrong": {"wrong": 1},
}
# [end: strategies]
INSTANCES = 4
LEAD = 0.5  # seconds of load before the first shift
PERIOD = 0.5  # seconds of an alarm's period; stands for CloudWatch's minute
BAKE = 3  # periods
LABELS_AFTER = 0.5  # seconds until it is known whether an answer was right
WIDTH = 0.25  # seconds of an interval in the figures


# [start: alarm]
def alarm(answers: list[dict[str, Any]], start: float, end: float, labels: bool) -> str | None:
    """The reason to roll back that the answers of v2 gave between two seconds, if any."""
    new = [answer for answer in answers if answer["version"] == "v2"]
    seen = [answer for answer in new if start < answer["done"] <= end]
    known = [a for a in new if start < a["done"] + LABELS_AFTER <= end and a["right"] is not None]
    if len(seen) >= 3 and sum(answer["status"] >= 500 for answer in seen) > 0.05 * len(seen):
        return "errors"
    if len(seen) >= 3 and sum(a["done"] - a["due"] for a in seen) > 0.2 * len(seen):
        return "slow"
    if labels and len(known) >= 10 and sum(not a["right"] for a in known) > 0.6 * len(known):
        return "wrong"
    return None


# [end: alarm]


def now(run: dict[str, Any]) -> float:
    """Seconds since the load began."""
    return time.monotonic() - run["start"]


def tell(run: dict[str, Any], text: str) -> None:
    """Note what happens, with the seconds from the first shift."""
    run["events"].append((now(run) - LEAD, text))


def launch(run: dict[str, Any], name: str, count: int) -> None:
    """Add instances to a fleet; they cost from now on. New ones share the fault that is on."""
    run["capacity"].append((time.monotonic(), count))
    began_faulty = name == "new" and run["faulty"]
    faults = FAULTS[run["fault"]] if began_faulty else {}
    version = {"old": "v1", "new": "v2"}[name]
    fleet = start_fleet(run["models"][name], version, count, **faults)
    run[name] += fleet
    if name == "new" and run["faulty"] and not began_faulty:
        switch_faults(fleet, **FAULTS[run["fault"]])


def route(run: dict[str, Any], share: float) -> None:
    """Send this share of the requests to the new fleet."""
    run["share"] = share
    fleets = {name: [instance["port"] for instance in run[name]] for name in ("old", "new")}
    shift(run["nginx"], share, fleets)


def retire(run: dict[str, Any], name: str, count: int) -> None:
    """Take instances out of the split, then stop them."""
    gone, run[name] = run[name][:count], run[name][count:]
    if run["share"] not in (0, 100):
        route(run, run["share"])
    stop_fleet(gone)
    run["capacity"].append((time.monotonic(), -len(gone)))


# [start: watch]
def watch(run: dict[str, Any], periods: int) -> str | None:
    """Wait for so many ends of a period; return at the first one at which an alarm fires."""
    for _ in range(periods):
        number = int((now(run) - LEAD) // PERIOD) + 1
        end = LEAD + number * PERIOD
        wait(max(0, end - now(run)))
        if reason := alarm(run["answers"], end - PERIOD, end, run["labels"]):
            run["alarm"] = now(run)
            tell(run, f"alarm: {reason}")
            return reason
    return None


def launch_watched(run: dict[str, Any], count: int) -> str | None:
    """Add new instances, and watch the alarm while they start."""
    with ThreadPoolExecutor(1) as pool:
        work, reason = pool.submit(launch, run, "new", count), None
        while not reason and not work.done():
            reason = watch(run, 1)
        work.result()
    return reason


# [end: watch]


# [start: deploy]
def deploy(run: dict[str, Any], strategy: str) -> str | None:
    """Shift all requests to v2, step by step, and stop v1; or return why not."""
    shares, batches, bakes = STRATEGIES[strategy]
    for number, share in enumerate(shares):
        if batches > 1 and number and (reason := launch_watched(run, INSTANCES // batches)):
            return reason
        tell(run, f"{share:g} % to v2")
        route(run, share)
        if bakes and (reason := watch(run, BAKE)):
            return reason
        if batches > 1 or share == 100:
            retire(run, "old", INSTANCES // batches)
            tell(run, f"{len(run['old'])} of {INSTANCES} instances of v1 left")
    run["finished"] = now(run)
    return None


def roll_back(run: dict[str, Any]) -> None:
    """Return all requests to v1, whose instances are started again if they are gone."""
    if missing := INSTANCES - len(run["old"]):
        tell(run, f"start {missing} instances of v1 again")
        launch(run, "old", missing)
    route(run, 0)
    tell(run, "0 % to v2")
    retire(run, "new", INSTANCES)


# [end: deploy]


@contextlib.contextmanager
def under_load(run: dict[str, Any], settings: Any) -> Iterator[None]:
    """Send requests for the time of the block, from another thread, and wait for all answers."""
    stop, failure = threading.Event(), []

    def go_on(number: int, due: float) -> bool:
        run["sent"] = number
        return not stop.is_set() and due < 600

    def work() -> None:
        try:
            asyncio.run(send(run["nginx"]["port"], *settings, run["answers"], go_on, run["start"]))
        except BaseException as error:
            failure.append(error)

    run["start"] = time.monotonic()
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failure:
        raise RuntimeError(f"The load ended early: {failure[0]}")


def roll_out(
    strategy: str,
    fault: str,
    models: list[Path],
    rows: list[tuple[str, int]],
    *,
    rate: float = 400,
    seed: int = 1,
    fault_at: float = 0,
    labels: bool = True,
    requests: int = 0,
    seconds: float = 2,
) -> dict[str, Any]:
    """Run one strategy and measure it.

    fault_at: seconds after the first shift; requests, seconds: it goes on until so many were sent
    and so much time has passed since then.

    Raises RuntimeError: nginx or a server does not start. Nothing is left running in any case.
    """
    run: dict[str, Any] = {"models": dict(zip(("old", "new"), models, strict=True)), "fault": fault}
    run |= {"old": [], "new": [], "answers": [], "events": [], "capacity": [], "sent": 0}
    run |= {"labels": labels, "share": 0, "faulty": fault_at == 0, "finished": None}

    def break_new() -> None:
        run["faulty"] = True
        with contextlib.suppress(OSError):  # of an instance that has just been stopped
            switch_faults(run["new"], **FAULTS[fault])

    with contextlib.ExitStack() as stack:
        stack.callback(lambda: stop_fleet(run["old"] + run["new"]))
        counts = INSTANCES, INSTANCES // STRATEGIES[strategy][1]
        began = time.monotonic()
        with ThreadPoolExecutor() as pool:
            list(pool.map(launch, (run, run), ("old", "new"), counts))
        run["capacity"] = [(began, counts[1])]  # beyond the instances that were there before
        fleets = {"old": [instance["port"] for instance in run["old"]], "new": []}
        run["nginx"] = stack.enter_context(shifter(fleets))
        stack.enter_context(under_load(run, (rows, rate, seed)))
        if fault_at:
            timer = threading.Timer(LEAD + fault_at, break_new)
            stack.callback(timer.cancel)
            timer.start()
        wait(LEAD)
        reason = deploy(run, strategy)
        while not reason and (now(run) < LEAD + seconds or run["sent"] < requests):
            reason = watch(run, 1)
        if reason:
            roll_back(run)
            wait(max(0.5, LEAD + seconds - now(run)))
    return measure(run, strategy, LEAD + fault_at, seconds)


# [start: measure]
def measure(run: dict[str, Any], strategy: str, broken: float, seconds: float) -> dict[str, Any]:
    """The figures of a run; `broken` is when the fault began."""
    answers, alarmed, faulty = run["answers"], run.get("alarm"), run["fault"] != "none"
    new = [answer["due"] for answer in answers if answer["version"] == "v2"]
    until = LEAD + seconds if faulty else run["finished"]
    found = latencies([answer for answer in answers if LEAD <= answer["due"] < until])
    end = max(moment for moment, _ in run["capacity"])
    return {
        "strategy": strategy,
        "fault": run["fault"],
        "requests": len(answers),
        "failed": sum(answer["status"] != 200 for answer in answers),
        "saw_bad": sum(due >= broken for due in new) if faulty else 0,
        "detect_seconds": None if alarmed is None else alarmed - broken,
        "roll_back_seconds": None if alarmed is None else max(0, max(new) - alarmed),
        "finish_seconds": None if run["finished"] is None else run["finished"] - LEAD,
        "extra_instance_seconds": sum(count * (end - moment) for moment, count in run["capacity"]),
        "p50_ms": percentile(found, 0.5),
        "p99_ms": percentile(found, 0.99),
        "events": run["events"],
        "answers": answers,
    }


# [end: measure]


def course(result: dict[str, Any], seconds: float) -> dict[str, list[Any]]:
    """Requests a second, by who answered them, in intervals from the first shift on."""
    count = round((LEAD + seconds) / WIDTH)
    table = per_interval(result["answers"], ["v1", "v2"], 0, count, WIDTH)
    rows = [[round(at - LEAD, 3), *(n / WIDTH for n in counts)] for at, *counts in table["rows"]]
    return {"columns": table["columns"], "rows": rows}


@contextlib.contextmanager
def ended_once() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, and nothing interrupts the clean-up that follows."""

    def end(number: int, frame: Any) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, nargs=2, required=True, help="v1 and v2")
    parser.add_argument("--file", type=Path, required=True, help="CSV, label 0 or 1 first")
    parser.add_argument("--strategy", choices=STRATEGIES, required=True)
    parser.add_argument("--fault", choices=FAULTS, default="none")
    parser.add_argument("--fault-at", type=float, default=0, help="seconds after the first shift")
    parser.add_argument("--no-labels", action="store_true", help="nobody knows what was right")
    parser.add_argument("--rate", type=float, default=400, help="requests a second")
    parser.add_argument("--requests", type=int, default=0, help="send so many at least")
    parser.add_argument("--seconds", type=float, default=2, help="from the first shift, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="for the course of the requests")
    options = parser.parse_args()
    if not 0 < options.rate <= 2000 or not 0 <= options.requests <= 100_000:
        parser.error("--rate: up to 2000; --requests: up to 100000")
    if not 0 < options.seconds <= 60 or not 0 <= options.fault_at <= 60:
        parser.error("--seconds and --fault-at: up to 60")
    settings = {"rate": options.rate, "seed": options.seed, "requests": options.requests}
    settings |= {"fault_at": options.fault_at, "labels": not options.no_labels}
    try:
        with ended_once():
            rows = read_rows(options.file)
            parts = options.strategy, options.fault, options.models, rows
            result = roll_out(*parts, seconds=options.seconds, **settings)
    except (OSError, ValueError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(f"{str(error) or 'Interrupted.'} No server and no nginx is left running.")
    for second, text in result["events"]:
        print(f"{second:6.2f} s  {text}")
    print(f"{result['requests']} requests, {result['failed']} failed", end="")
    print(
        f", {result['saw_bad']} answered by the faulty version" if options.fault != "none" else ""
    )
    if options.json:
        options.json.write_text(json.dumps(course(result, options.seconds)))


if __name__ == "__main__":
    main()
