"""Compute the target value of a scaling policy from a load test: invocations per minute."""

import argparse
import json
import sys
from math import ceil
from pathlib import Path


# [start: target]
def target_value(max_rps: float, safety_factor: float) -> float:
    """What `SageMakerVariantInvocationsPerInstance` is held at: per minute and instance."""
    return max_rps * safety_factor * 60


def instances_for(rps: float, target: float, least: int, most: int) -> int:
    """As many instances as keep each of them at the target or below, between the limits."""
    return max(least, min(most, ceil(rps * 60 / target - 1e-9)))


# [end: target]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-rps", type=float, required=True, help="of one instance, measured")
    parser.add_argument("--safety-factor", type=float, default=0.5, help="AWS: start with 0.5")
    parser.add_argument("--loads", nargs="+", type=float, required=True, help="requests a second")
    parser.add_argument("--min", type=int, default=1, help="instances")
    parser.add_argument("--max", type=int, default=10, help="instances")
    parser.add_argument("--json", type=Path, help="file for the table")
    given = parser.parse_args()
    if given.max_rps <= 0 or not 0 < given.safety_factor <= 1 or min(given.loads) < 0:
        parser.error("--max-rps: above 0; --safety-factor: above 0, up to 1; --loads: not below 0")
    if not all(0 <= each < 1e12 for each in (given.max_rps, *given.loads)):
        parser.error("--max-rps and --loads: numbers below 1e12")
    if not 1 <= given.min <= given.max:
        parser.error("--min: 1 or more; --max: not below it")
    target = target_value(given.max_rps, given.safety_factor)
    print(f"TargetValue {target:g} = {given.max_rps:g} x {given.safety_factor:g} x 60")
    print("load a second  a minute  instances  each a second  of MAX_RPS")
    rows = []
    for load in sorted(given.loads):
        count = instances_for(load, target, given.min, given.max)
        rows.append([load, count, load / count, load / count / given.max_rps])
        print(f"{load:13g}  {load * 60:8g}  {count:9}  {rows[-1][2]:13.1f}  {rows[-1][3]:10.0%}")
    if rows[-1][3] > given.safety_factor + 1e-9:
        print(f"{given.max} instances are not enough for {rows[-1][0]:g} a second at this target")
    print(f"a TargetValue of 70 would be {70 / 60:.2f} requests a second and instance, not 70 %")
    try:
        if given.json:
            table = {"columns": ["load", "instances", "each", "part"], "rows": rows}
            given.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {given.json}: {error.strerror}. Name another file.")


if __name__ == "__main__":
    main()
