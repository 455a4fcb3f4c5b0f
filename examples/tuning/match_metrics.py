"""Try the regular expressions of metric definitions on log lines, before a tuning job is paid."""

import argparse
import re
import sys
from pathlib import Path

# Lines as XGBoost's container prints them, and as a script of one's own may.
SAMPLE = """\
[0]\ttrain-logloss:0.59312\tvalidation-logloss:0.61057
[1]\ttrain-logloss:0.52461\tvalidation-logloss:0.56120
epoch=1 loss=0.0213 accuracy=0.81
epoch=2 loss=9.7e-05 accuracy=0.84
"""
GOES_ON = re.compile(r"\d+|\.\d+|[eE][+-]?\d+")  # more of the same number


# [start: match]
def values_of(regex: str, lines: list[str]) -> tuple[list[float], list[str]]:
    """The numbers that the first group has caught, and what is wrong with them.

    Raises ValueError: the expression is not valid, or has no group.
    """
    try:
        pattern = re.compile(regex)
    except re.error as error:
        raise ValueError(f"{regex!r} is no regular expression: {error}") from error
    if not pattern.groups:
        raise ValueError(f"{regex!r} has no group: put ( ) around the number")
    values, problems = [], []
    for number, line in enumerate(lines, 1):
        if match := pattern.search(line):
            caught = match[1] or ""
            try:
                values.append(float(caught))
            except ValueError:
                problems.append(f"line {number}: {caught!r} is no number")
                continue
            if more := GOES_ON.match(line, match.end(1)):
                problems.append(f"line {number}: {caught} is only a part of {caught}{more[0]}")
    return values, problems


# [end: match]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, help="file of a training job; without it: a sample")
    parser.add_argument("regex", nargs="+")
    arguments = parser.parse_args()
    bad = 0
    try:
        text = arguments.log.read_text(encoding="utf-8") if arguments.log else SAMPLE
        for regex in arguments.regex:
            values, problems = values_of(regex, text.splitlines())
            bad += bool(problems) or not values
            print(f"{regex}\n  {len(values)} values: {', '.join(map(str, values[:5])) or 'none'}")
            print(*(f"  {problem}" for problem in problems), sep="\n", end="\n" * bool(problems))
    except (OSError, ValueError) as error:
        sys.exit(f"{error}. Nothing was sent to AWS.")
    if bad:
        sys.exit(f"{bad} of {len(arguments.regex)} expressions would mislead a tuning job.")


if __name__ == "__main__":
    main()
