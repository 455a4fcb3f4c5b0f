"""Measure the false alarms of A/A tests that are looked at again and again, and stopped early."""

import argparse
import json
import sys
from pathlib import Path
from statistics import NormalDist

import numpy as np

LOOKS = (1, 2, 3, 5, 10, 20)


# [start: simulate]
def false_alarms(
    rate: float, size: int, looks: int, alpha: float, tests: int, seed: int
) -> tuple[float, float]:
    """The share of A/A tests in which at least one look shows a difference that is not there.

    Both variants succeed with the same `rate`; each gets `size` requests until the last look. The
    second share is that of looks which demand alpha / looks instead of alpha (Bonferroni).
    """
    random = np.random.default_rng(seed)
    between = np.diff(np.linspace(0, size, looks + 1).round().astype(int))
    # successes[test, variant, look], so far
    successes = random.binomial(between, rate, (tests, 2, looks)).cumsum(axis=2)
    n = between.cumsum()
    pooled = successes.sum(axis=1) / (2 * n)
    error = np.sqrt(pooled * (1 - pooled) * 2 / n)
    difference = (successes[:, 1] - successes[:, 0]) / n
    z = np.abs(np.divide(difference, error, out=np.zeros_like(error), where=error > 0))
    limits = [NormalDist().inv_cdf(1 - level / 2) for level in (alpha, alpha / looks)]
    plain, corrected = (float((z > limit).any(axis=1).mean()) for limit in limits)
    return plain, corrected


# [end: simulate]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, required=True, help="success rate of both variants")
    parser.add_argument("--size", type=int, required=True, help="planned requests per variant")
    parser.add_argument("--alpha", type=float, default=0.05)
    parser.add_argument("--tests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the shares")
    given = parser.parse_args()
    if not 0 < given.rate < 1 or not 0 < given.alpha < 1:
        parser.error("--rate and --alpha lie between 0 and 1")
    if given.size < max(LOOKS) or given.tests < 1 or given.seed < 0:
        parser.error(f"--size: {max(LOOKS)} or more; --tests: 1 or more; --seed: not below 0")
    rows = []
    print(f"{given.tests} A/A tests, {given.size} requests per variant, alpha {given.alpha:g}")
    print("looks  false alarms  with alpha / looks")
    for looks in LOOKS:
        found = false_alarms(given.rate, given.size, looks, given.alpha, given.tests, given.seed)
        rows.append([looks, *found])
        print(f"{looks:5}  {found[0]:12.3f}  {found[1]:18.3f}")
    try:
        if given.json:
            table = {"columns": ["looks", "plain", "corrected"], "rows": rows}
            given.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {given.json}: {error.strerror}. Name another file.")


if __name__ == "__main__":
    main()
