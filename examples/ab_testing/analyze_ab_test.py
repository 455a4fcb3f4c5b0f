"""Judge an A/B test once, when it has as many requests as were planned."""

import argparse
import json
import sys
from math import sqrt
from pathlib import Path
from statistics import NormalDist

NORMAL = NormalDist()


def read_log(path: Path, control: str) -> tuple[str, list[tuple[bool, int]]]:
    """The other variant, and per request whether it answered, and whether it was right.

    Raises OSError; ValueError: it is no log, or not one of two variants.
    """
    lines = [line.partition(",")[::2] for line in path.read_text(encoding="utf-8").split()]
    variants = {variant for variant, _ in lines}
    if control not in variants or len(variants) != 2 or any(r not in ("0", "1") for _, r in lines):
        raise ValueError(f"{path} does not hold requests of {control} and of one other variant")
    log = [(variant != control, int(right)) for variant, right in lines]
    return (variants - {control}).pop(), log


# [start: test]
def compare(log: list[tuple[bool, int]], alpha: float) -> tuple[float, float, float, float]:
    """Difference of the success rates (new - old), its confidence interval, and the p-value.

    The two-sided z test of two proportions: the rates are equal, says what it tries to refute.
    """
    n = [sum(new is side for new, _ in log) for side in (False, True)]
    rates = [sum(right for new, right in log if new is side) / n[side] for side in (False, True)]
    difference = rates[1] - rates[0]
    pooled = sum(right for _, right in log) / len(log)
    error_if_equal = sqrt(pooled * (1 - pooled) * (1 / n[0] + 1 / n[1]))
    z = difference / error_if_equal if error_if_equal else 0.0
    error = sqrt(sum(rate * (1 - rate) / size for rate, size in zip(rates, n, strict=True)))
    margin = -NORMAL.inv_cdf(alpha / 2) * error
    return difference, difference - margin, difference + margin, 2 * NORMAL.cdf(-abs(z))


# [end: test]


def split_p(log: list[tuple[bool, int]], share: float) -> float:
    """How probable a split as uneven as this one is, if the new variant is to get `share`."""
    z = (sum(new for new, _ in log) - share * len(log)) / sqrt(len(log) * share * (1 - share))
    return 2 * NORMAL.cdf(-abs(z))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True, help="of run_ab_test.py")
    parser.add_argument("--control", required=True, help="the present variant")
    parser.add_argument("--planned", type=int, required=True, help="requests in all")
    parser.add_argument("--share", type=float, default=0.5, help="of the new variant, as planned")
    parser.add_argument("--alpha", type=float, default=0.05, help="as planned")
    parser.add_argument("--json", type=Path, help="file for the difference in the course of time")
    given = parser.parse_args()
    if not 0 < given.share < 1 or not 0 < given.alpha < 1 or given.planned < 2:
        parser.error("--share and --alpha lie between 0 and 1; --planned: 2 or more")
    try:
        new, log = read_log(given.log, given.control)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}. Give the log of run_ab_test.py and its present variant.")
    if len(log) < given.planned:
        sys.exit(f"{len(log)} of {given.planned} requests: no judgement yet. Let the test go on.")
    if len(log) > given.planned:
        sys.exit(f"{len(log)} requests, {given.planned} planned: give the log of one whole test.")
    if split_p(log, given.share) < 0.001:
        sys.exit(f"{new} did not get its {given.share:.0%} of the requests: find out why first.")
    difference, low, high, p = compare(log, given.alpha)
    sure = f"{1 - given.alpha:.0%} interval {low:+.3f} to {high:+.3f}"
    print(f"{new} - {given.control}: {difference:+.3f}, {sure}, p = {p:.3f}")
    if p < given.alpha:
        print(f"difference shown: {new} is {'better' if difference > 0 else 'worse'}")
    else:
        print("no difference shown; that is not: equal. What lies in the interval is possible")
    try:
        if given.json:
            parts = [log[: len(log) * twentieth // 20] for twentieth in range(2, 21)]
            both = [part for part in parts if len({new for new, _ in part}) == 2]
            course = [[len(part), *compare(part, given.alpha)] for part in both]
            table = {"columns": ["requests", "difference", "low", "high", "p"], "rows": course}
            given.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {given.json}: {error.strerror}. Name another file.")


if __name__ == "__main__":
    main()
