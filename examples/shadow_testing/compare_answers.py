"""Compare what production and shadow answered to the same requests, joined by request id."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

PERCENTILES = range(0, 101, 5)  # of the differences, for the chart


def read_calls(path: Path) -> dict[str, dict[str, Any]]:
    """The calls of one model by request id: status, seconds, answer (null: none).

    Raises:
        OSError: no such file.
        ValueError: a line is not such a call, or an id comes twice.
    """
    calls: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            call = json.loads(line)
            key, seconds = str(call["id"]), float(call["seconds"])
            answer = None if call["answer"] is None else float(call["answer"])
        except (ValueError, TypeError, KeyError):
            raise ValueError(f"{path}, line {number}: no id, seconds and one answer") from None
        if key in calls or not math.isfinite(seconds + (answer or 0)):
            raise ValueError(f"{path}, line {number}: {key} comes twice, or has no finite number")
        calls[key] = {"seconds": seconds, "answer": answer}
    if not calls:
        raise ValueError(f"{path} is empty")
    return calls


# [start: compare]
def compare(production: dict[str, Any], shadow: dict[str, Any], threshold: float) -> dict[str, Any]:
    """Shares of errors and equal labels, and how far the answers to one request are apart.

    Raises:
        ValueError: there is no request that both have answered.
    """
    joined = production.keys() & shadow.keys()
    both = [key for key in production if key in joined]
    pairs = [(production[key]["answer"], shadow[key]["answer"]) for key in both]
    good = np.array([pair for pair in pairs if None not in pair])
    if not good.size:
        raise ValueError("no request was answered by both models")
    labels = good >= threshold
    return {
        "pairs": len(pairs),
        "only_production": len(production) - len(pairs),
        "only_shadow": len(shadow) - len(pairs),
        "production_errors": float(np.mean([a is None for a, _ in pairs])),
        "shadow_errors": float(np.mean([b is None for _, b in pairs])),
        "agreement": float(np.mean(labels[:, 0] == labels[:, 1])),
        "differences": np.abs(good[:, 0] - good[:, 1]),
    }


# [end: compare]


def latencies(calls: dict[str, Any]) -> list[float]:
    """Milliseconds within which 50, 95 and 99 % of the calls ended, failed ones included."""
    seconds = [call["seconds"] for call in calls.values()]
    return [round(float(value) * 1000, 1) for value in np.percentile(seconds, (50, 95, 99))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--production", type=Path, default=Path("production.jsonl"))
    parser.add_argument("--shadow", type=Path, default=Path("shadow.jsonl"))
    parser.add_argument("--threshold", type=float, default=0.5, help="label 1 from here on")
    parser.add_argument("--min-agreement", type=float, default=0.9)
    parser.add_argument("--max-errors", type=float, default=0.01)
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    try:
        production, shadow = read_calls(arguments.production), read_calls(arguments.shadow)
        found = compare(production, shadow, arguments.threshold)
        differences = found.pop("differences")
        spread = [[p, round(float(np.percentile(differences, p)), 4)] for p in PERCENTILES]
        both = map(latencies, (production, shadow))
        times = [list(row) for row in zip((50, 95, 99), *both, strict=True)]
        figures = {
            "found": found,
            "difference": {"columns": ["percentile", "difference"], "rows": spread},
            "latency": {"columns": ["percentile", "production_ms", "shadow_ms"], "rows": times},
        }
        arguments.json.write_text(json.dumps(figures) + "\n")
    except (OSError, ValueError) as error:
        sys.exit(f"Nothing compared: {error}. Run mirror_traffic.py, or name its two files.")
    print(f"{found['pairs']} pairs; only in production {found['only_production']}, ", end="")
    print(f"only in the shadow {found['only_shadow']}")
    print(
        f"errors: production {found['production_errors']:.3f}, shadow {found['shadow_errors']:.3f}"
    )
    print(f"same label: {found['agreement']:.3f}")
    p50, p95 = np.percentile(differences, (50, 95))
    print(f"difference: p50 {p50:.3f}, p95 {p95:.3f}, max {differences.max():.3f}")
    for percentile, *both in times:
        print("p{} in ms: production {:.1f}, shadow {:.1f}".format(percentile, *both))
    # [start: decide]
    missing = found["only_production"] + found["only_shadow"]
    reasons = [
        f"{missing} requests without a pair" if missing else "",
        "too many errors" if found["shadow_errors"] > arguments.max_errors else "",
        "too few equal labels" if found["agreement"] < arguments.min_agreement else "",
    ]
    if any(reasons):
        sys.exit(f"Do not promote the shadow: {', '.join(filter(None, reasons))}.")
    # [end: decide]
    print("All criteria are met.")


if __name__ == "__main__":
    main()
