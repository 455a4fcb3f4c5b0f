"""Draw hyperparameters on a linear and on a logarithmic scale, and count where they fall."""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np


# [start: draw]
def draw(scale: str, low: float, high: float, count: int, seed: int) -> np.ndarray:
    """So many values from low to high, as a random search with this `ScalingType` draws them."""
    random = np.random.default_rng(seed)
    if scale == "Linear":
        return random.uniform(low, high, count)
    if scale == "Logarithmic":  # every factor of 10 is as likely as the next
        return np.exp(random.uniform(math.log(low), math.log(high), count))
    return 1 - draw("Logarithmic", 1 - high, 1 - low, count, seed)  # ReverseLogarithmic


# [end: draw]


def decades(low: float, high: float) -> list[float]:
    """Low, the powers of 10 between, and high."""
    powers = range(math.floor(math.log10(low)) + 1, math.ceil(math.log10(high)))
    return [low, *(10.0**power for power in powers), high]


def shares(values: np.ndarray, edges: list[float]) -> list[float]:
    """The share of the values between each edge and the next, in percent."""
    counts, _ = np.histogram(values, edges)
    return [round(100 * count / len(values), 2) for count in counts.tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--min", type=float, required=True)
    parser.add_argument("--max", type=float, required=True)
    parser.add_argument("--reverse", action="store_true", help="by the distance from 1")
    parser.add_argument("--draws", type=int, default=100_000)
    parser.add_argument("--json", type=Path, help="file for the shares")
    arguments = parser.parse_args()
    low, high, reverse = arguments.min, arguments.max, arguments.reverse
    if reverse and not (0 <= low <= high - 1e-9 and high <= 1 - 1e-9):
        parser.error("ReverseLogarithmic needs 0 <= --min < --max < 1, and 1e-9 between them")
    if not reverse and not 0 < low < high < math.inf:
        parser.error("Logarithmic needs 0 < --min < --max")
    if not 1 <= arguments.draws <= 10_000_000:
        parser.error("--draws: 1 to 10,000,000")
    other = "ReverseLogarithmic" if reverse else "Logarithmic"
    # 1 - 0.9999 is 0.00009999999999998899: rounded, it is a power of 10.
    edges = decades(*(round(1 - x, 12) for x in (high, low))) if reverse else decades(low, high)
    found = []
    for scale in ("Linear", other):
        values = draw(scale, low, high, arguments.draws, seed=1)
        found.append(shares(1 - values if reverse else values, edges))
    rows = []
    print(f"{'distance from 1' if reverse else 'range':18}  {'Linear':>8}  {other:>18}")
    for start, end, linear, logarithmic in zip(edges, edges[1:], *found, strict=False):
        rows.append([f"{start:.4g} – {end:.4g}", linear, logarithmic])
        print(f"{rows[-1][0]:18}  {linear:6.1f} %  {logarithmic:16.1f} %")
    if arguments.json:
        table = {"columns": ["range", "linear", "logarithmic"], "rows": rows}
        try:
            arguments.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
        except OSError as error:
            sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file: --json.")


if __name__ == "__main__":
    main()
