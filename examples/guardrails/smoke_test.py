"""Test an endpoint with fixed rows: is each answered, well-formed, in time and as expected?"""

import argparse
import json
import sys
import time
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: ask]
def ask(runtime: BaseClient, endpoint: str, rows: list[str]) -> tuple[list[float], list[float]]:
    """The prediction of each row and the milliseconds it took, sorted (`sagemaker:InvokeEndpoint`).

    Raises RuntimeError: the model refuses a row, or its answer is not a number from 0 to 1.
    """
    scores, times = [], []
    for number, row in enumerate(rows, 1):
        begun = time.perf_counter()
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=row
            )
        except runtime.exceptions.ModelError as error:
            status, said = error.response["OriginalStatusCode"], error.response["OriginalMessage"]
            raise RuntimeError(
                f"{endpoint} answers {status} to row {number}: {said.rstrip('.')}. "
                f"Its log is /aws/sagemaker/Endpoints/{endpoint}"
            ) from error
        text = answer["Body"].read().decode()
        times.append(1000 * (time.perf_counter() - begun))
        try:
            scores.append(float(text))
        except ValueError:
            scores.append(-1.0)
        if not 0 <= scores[-1] <= 1:
            raise RuntimeError(f"{endpoint} answers {text[:40]!r} to row {number}")
    return scores, sorted(times)


# [end: ask]


def percentile(ordered: list[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1]


# [start: judge]
def judge(
    scores: list[float], expected: list[float] | None, times: list[float], args: argparse.Namespace
) -> None:
    """Raises RuntimeError: too late, or too far from what is expected."""
    for percent, limit in ((50, args.p50_ms), (95, args.p95_ms)):
        if percentile(times, percent) > limit:
            raise RuntimeError(f"the latency's p{percent} is above {limit:g} ms")
        print(f"latency: p{percent} within {limit:g} ms")
    if expected is not None:
        difference = max(abs(a - b) for a, b in zip(scores, expected, strict=True))
        if difference > args.allowed:
            raise RuntimeError(f"a prediction is {difference:.2f} off, {args.allowed:g} allowed")
        print(f"predictions: within {args.allowed:g} of those expected")


# [end: judge]


def read_rows(file: Path, count: int) -> list[str]:
    """The first rows of a CSV file without the label, which stands first.

    Raises OSError; ValueError: no rows, or a header or the like, which every model refuses: it
    would look as if the endpoint were bad.
    """
    lines = [line for line in file.read_text("utf-8").splitlines() if line][: max(count, 0)]
    rows = [line.partition(",")[2] for line in lines]
    if not rows:
        raise ValueError(f"{file} has no rows, or --rows is less than 1")
    try:
        [float(cell) for row in rows for cell in row.split(",") if cell]
    except ValueError as error:
        raise ValueError(f"{file}: {error}; name a CSV file of numbers without a header") from error
    return rows


def read_expected(path: Path, rows: int) -> list[float]:
    """Raises ValueError, OSError: the file does not hold so many predictions."""
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, list) or len(found) != rows:
        raise ValueError(f"{path} does not hold {rows} predictions: write it with as many --rows")
    if not all(isinstance(score, float) and 0 <= score <= 1 for score in found):
        raise ValueError(f"{path} holds something else than numbers from 0 to 1")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=20, help="the first ones of the file")
    parser.add_argument("--p50-ms", type=float, default=500, help="limit of the latency's median")
    parser.add_argument("--p95-ms", type=float, default=2000, help="limit of its 95th percentile")
    compared = parser.add_mutually_exclusive_group()
    compared.add_argument("--write", type=Path, help="file for the predictions, for --expected")
    compared.add_argument("--expected", type=Path, help="file that --write has written")
    compared.add_argument("--like", help="another endpoint, whose predictions are expected")
    parser.add_argument("--allowed", type=float, default=0.3, help="difference from the expected")
    arguments = parser.parse_args()
    name = arguments.endpoint
    if not all(limit >= 0 for limit in (arguments.allowed, arguments.p50_ms, arguments.p95_ms)):
        parser.error("--allowed, --p50-ms and --p95-ms: 0 or more")  # nan would let all pass
    try:
        rows = read_rows(arguments.file, arguments.rows)
        known = read_expected(arguments.expected, len(rows)) if arguments.expected else None
        runtime = boto3.client("sagemaker-runtime")
        expected = ask(runtime, arguments.like, rows)[0] if arguments.like else known
        scores, times = ask(runtime, name, rows)
        print(f"status and schema: {len(rows)} rows, a number from 0 to 1 for each")
        judge(scores, expected, times, arguments)
        if arguments.write:
            arguments.write.write_text(json.dumps(scores) + "\n", "utf-8")
    except RuntimeError as error:
        sys.exit(f"{name} fails the smoke test: {str(error).rstrip('.')}.")
    except (OSError, ValueError, BotoCoreError, ClientError) as error:
        sys.exit(f"{str(error).rstrip('.')}. Nothing is proven of {name}: check the options.")
    print(f"{name} passes")


if __name__ == "__main__":
    main()
