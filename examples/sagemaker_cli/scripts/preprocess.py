"""Split CSV files into rows for training and rows for validation (processing job)."""

import argparse
import random
from pathlib import Path

INPUT, OUTPUT = Path("/opt/ml/processing/input"), Path("/opt/ml/processing/output")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--validation-share", type=float, default=0.2)
    share = parser.parse_args().validation_share
    rows = [row for file in sorted(INPUT.rglob("*.csv")) for row in file.read_text().splitlines()]
    random.Random(0).shuffle(rows)
    count = round(len(rows) * share)
    for name, part in (("train", rows[count:]), ("validation", rows[:count])):
        folder = OUTPUT / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data.csv").write_text("".join(f"{row}\n" for row in part))
        print(f"{name}: {len(part)} rows")


if __name__ == "__main__":
    main()
