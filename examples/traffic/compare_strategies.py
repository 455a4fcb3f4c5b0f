"""Drive five strategies through the same faults, at the same moment and under the same load."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from roll_out import FAULTS, STRATEGIES, course, ended_once, roll_out
from send_load import read_rows
from shift_traffic import find_nginx

# [start: cases]
CASES: dict[str, dict[str, Any]] = {
    **{fault: {"fault": fault} for fault in FAULTS},
    # The same wrong predictions, but nobody learns in time what would have been right.
    "unlabelled": {"fault": "wrong", "labels": False, "seconds": 7},
    # The same errors, but v2 begins to make them 2 seconds after the first shift.
    "late": {"fault": "errors", "fault_at": 2, "seconds": 4.5},
}
# [end: cases]
COLUMNS = {  # and after them: the key in a result, digits after the point
    "requests": ("requests", 0),
    "failed": ("failed", 0),
    "saw bad": ("saw_bad", 0),
    "detect s": ("detect_seconds", 2),
    "back s": ("roll_back_seconds", 2),
    "done s": ("finish_seconds", 2),
    "extra": ("extra_instance_seconds", 1),
    "p50 ms": ("p50_ms", 1),
    "p99 ms": ("p99_ms", 1),
}


# [start: compare]
def compare(
    strategies: list[str], cases: list[str], seeds: list[int], settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """One result for each strategy, case and seed; the healthy case runs with the first seed.

    settings: models, rows and rate of `roll_out`, and how many requests the healthy case sends.
    """
    results = []
    healthy = settings.pop("requests")
    for seed in seeds:
        for case in cases if seed == seeds[0] else [case for case in cases if case != "none"]:
            for strategy in strategies:
                if sys.stderr.isatty():
                    print(f"seed {seed}, {case}, {strategy} ...", file=sys.stderr)
                options = {"requests": healthy if case == "none" else 0, **CASES[case]}
                result = roll_out(strategy, seed=seed, **options, **settings)
                results.append({**result, "case": case, "seed": seed})
    return results


def rank(results: list[dict[str, Any]]) -> list[str]:
    """The strategies by how many requests the faulty version answered, the fewest first."""
    return [r["strategy"] for r in sorted(results, key=lambda result: result["saw_bad"])]


# [end: compare]


def mean(results: list[dict[str, Any]], case: str, strategy: str, key: str) -> float | None:
    """The mean over the seeds; None: what is asked for happened in none of them."""
    these = [r for r in results if (r["case"], r["strategy"]) == (case, strategy)]
    found = [result[key] for result in these if result[key] is not None]
    return round(statistics.fmean(found), 3) if found else None


def table(results: list[dict[str, Any]], strategies: list[str], cases: list[str]) -> list[str]:
    """The lines of the table: means over the seeds."""
    lines = [f"{'case':11}{'strategy':12}" + "".join(f"{name:>9}" for name in COLUMNS)]
    for case in cases:
        for strategy in strategies:
            line = f"{case:11}{strategy:12}"
            for key, digits in COLUMNS.values():
                value = mean(results, case, strategy, key)
                line += f"{'-' if value is None else f'{value:.{digits}f}':>9}"
            lines.append(line)
    return lines


def agreement(results: list[dict[str, Any]], case: str) -> tuple[int, int]:
    """In how many seeds the strategies are ranked as in the first, and how many seeds there are."""
    seeds = list(dict.fromkeys(r["seed"] for r in results if r["case"] == case))
    orders = [rank([r for r in results if (r["case"], r["seed"]) == (case, s)]) for s in seeds]
    return orders.count(orders[0]), len(orders)


def figures(results: list[dict[str, Any]], strategies: list[str], cases: list[str]) -> Any:
    """For charts: a value for each strategy and case, and the courses of the first seed."""
    found: dict[str, Any] = {}
    for key in ("saw_bad", "detect_seconds", "roll_back_seconds", "extra_instance_seconds"):
        rows = [[s, *(mean(results, case, s, key) for case in cases)] for s in strategies]
        found[key] = {"columns": ["strategy", *cases], "rows": rows}
    first = [r for r in results if r["seed"] == results[0]["seed"] and r["case"] != "none"]
    for case in dict.fromkeys(r["case"] for r in first):
        seconds = CASES[case].get("seconds", 2)
        found[case] = {r["strategy"]: course(r, seconds) for r in first if r["case"] == case}
    return found


def broken_promises(results: list[dict[str, Any]]) -> list[str]:
    """What went otherwise than a healthy switch and a ranking should."""
    return [
        f"{r['strategy']} lost {r['failed']} requests or did not finish, although v2 is healthy"
        for r in results
        if r["case"] == "none" and (r["failed"] or r["finish_seconds"] is None)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, nargs=2, required=True, help="v1 and v2")
    parser.add_argument("--file", type=Path, required=True, help="CSV, label 0 or 1 first")
    names = {"choices": CASES, "nargs": "+", "metavar": "CASE"}
    parser.add_argument("--cases", default=list(FAULTS), help=", ".join(CASES), **names)
    names |= {"choices": STRATEGIES, "metavar": "STRATEGY"}
    parser.add_argument(
        "--strategies", default=list(STRATEGIES), help=", ".join(STRATEGIES), **names
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rate", type=float, default=400, help="requests a second")
    parser.add_argument("--requests", type=int, default=5000, help="of a healthy switch, at least")
    parser.add_argument("--json", type=Path, help="for the figures of the charts")
    options = parser.parse_args()
    if not 0 < options.rate <= 2000 or not 0 <= options.requests <= 100_000:
        parser.error("--rate: up to 2000; --requests: up to 100000")
    start = time.monotonic()
    try:
        version = subprocess.run([find_nginx(), "-v"], capture_output=True, text=True, check=True)
        settings = {"models": options.models, "rows": read_rows(options.file)}
        settings |= {"rate": options.rate, "requests": options.requests}
        with ended_once():
            results = compare(options.strategies, options.cases, options.seeds, settings)
    except (OSError, ValueError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(f"{str(error) or 'Interrupted.'} No server and no nginx is left running.")
    print(*table(results, options.strategies, options.cases), sep="\n")
    found = broken_promises(results)
    for case in options.cases:
        same, seeds = agreement(results, case)
        if case != "none":
            print(f"{case}: the same order by `saw bad` in {same} of {seeds} seeds")
        if same < seeds:
            found.append(f"{case}: the order differs from seed to seed")
    program = re.search(r"\d+\.\d+", version.stderr)
    print(
        f"{len(results)} runs at {options.rate:g} requests a second took "
        f"{time.monotonic() - start:.0f} seconds; {os.cpu_count()} cores, nginx "
        f"{program[0] if program else 'of an unknown version'}"
    )
    if options.json:
        options.json.write_text(json.dumps(figures(results, options.strategies, options.cases)))
    if found:
        sys.exit("; ".join(found))


if __name__ == "__main__":
    main()
