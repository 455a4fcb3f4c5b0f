"""Plan an A/B test: how many requests it needs before anybody may look at its result."""

import argparse
import json
import sys
from math import ceil, sqrt
from pathlib import Path
from statistics import NormalDist

EFFECTS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
SHARES = (0.5, 0.2, 0.1)


# [start: size]
def sample_size(
    base: float, effect: float, share: float, alpha: float, power: float
) -> tuple[int, int]:
    """Requests for the present variant and for the new one, which gets `share` of them all.

    For the two-sided test of two proportions: the present variant succeeds with the rate `base`,
    the new one with `base + effect`. If so, the test shows a difference with the probability
    `power`; if there is none, it wrongly shows one with the probability `alpha`.
    """
    old, new, rest = base, base + effect, 1 - share
    pooled = rest * old + share * new
    without_effect = sqrt(pooled * (1 - pooled) * (1 / rest + 1 / share))
    with_effect = sqrt(old * (1 - old) / rest + new * (1 - new) / share)
    quantile = NormalDist().inv_cdf
    spread = -quantile(alpha / 2) * without_effect + quantile(power) * with_effect
    total = (spread / effect) ** 2
    return ceil(total * rest), ceil(total * share)


# [end: size]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=float, required=True, help="success rate of the present one")
    parser.add_argument("--effect", type=float, required=True, help="smallest one that matters")
    parser.add_argument("--share", type=float, default=0.5, help="of the new variant")
    parser.add_argument("--alpha", type=float, default=0.05, help="false alarms, if there is none")
    parser.add_argument("--power", type=float, default=0.8, help="found, if there is one")
    parser.add_argument("--json", type=Path, help="file for the sizes of other effects")
    given = parser.parse_args()
    rates = (given.base, given.base + given.effect, given.share, given.alpha, given.power)
    if not all(0 < rate < 1 for rate in rates) or abs(given.effect) < 1e-6:
        parser.error("all rates, and --base + --effect, lie between 0 and 1; --effect is not 0")
    old, new = sample_size(given.base, given.effect, given.share, given.alpha, given.power)
    print(f"from {given.base:g} to {given.base + given.effect:g}: {old + new} requests")
    print(f"present variant {old}, new variant {new} ({given.share:.0%} of the traffic)")
    print("effect  " + "  ".join(f"{f'{share:.0%} new':>9}" for share in SHARES))
    rows = []
    for effect in (effect for effect in EFFECTS if given.base + effect < 1):
        sizes = [sample_size(given.base, effect, s, given.alpha, given.power) for s in SHARES]
        rows.append([effect, *(sum(size) for size in sizes)])
        print(f"{effect:6}  " + "  ".join(f"{sum(size):9}" for size in sizes))
    try:
        if given.json:
            table = {"columns": ["effect", *(f"share_{share:g}" for share in SHARES)], "rows": rows}
            given.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {given.json}: {error.strerror}. Name another file.")


if __name__ == "__main__":
    main()
