"""Smoke test before a switch: the same rows to two endpoints; compare status, form and answers."""

import argparse
import sys
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: ask]
def ask(runtime: BaseClient, endpoint: str, rows: list[str]) -> list[float]:
    """The probability for each row, in one request (`sagemaker:InvokeEndpoint`).

    Raises RuntimeError: the container refuses the rows, or answers otherwise than by one
    probability per row; ClientError: the endpoint could not be asked.
    """
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body="\n".join(rows)
        )
    except runtime.exceptions.ModelError as error:
        status, said = error.response["OriginalStatusCode"], error.response["OriginalMessage"]
        raise RuntimeError(f"status {status}: {said}") from None
    text = answer["Body"].read().decode()
    try:
        scores = [float(value) for value in text.replace("\n", ",").strip(",").split(",")]
    except ValueError:
        raise RuntimeError(f"status 200, but no numbers: {text[:60]!r}") from None
    if len(scores) != len(rows) or not all(0 <= score <= 1 for score in scores):
        raise RuntimeError(f"status 200, but not {len(rows)} probabilities: {text[:60]!r}")
    return scores


# [end: ask]


# [start: compare]
def difference(blue: list[float], green: list[float]) -> tuple[float, float]:
    """The mean and the largest difference of the answers to the same row."""
    apart = [abs(b - g) for b, g in zip(blue, green, strict=True)]
    return sum(apart) / len(apart), max(apart)


# [end: compare]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blue", required=True, help="the endpoint in use")
    parser.add_argument("--green", required=True, help="the endpoint to switch to")
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=20, help="always the first ones")
    parser.add_argument("--limit", type=float, default=0.1, help="of the mean difference")
    arguments = parser.parse_args()
    if not arguments.limit >= 0:  # nan would let all pass
        parser.error("--limit: 0 or more")
    try:
        lines = arguments.file.read_text(encoding="utf-8").splitlines()[: max(arguments.rows, 0)]
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{error}. Name a CSV file, such as the validation.csv of write_data.py.")
    rows = [line.partition(",")[2] for line in lines]
    if not rows:
        sys.exit(f"{arguments.file} has no rows, or --rows is less than 1: nothing to compare.")
    stop = f"failed: do not switch to {arguments.green}"
    scores = []
    for endpoint in (arguments.blue, arguments.green):
        try:
            scores.append(ask(boto3.client("sagemaker-runtime"), endpoint, rows))
        except RuntimeError as error:
            sys.exit(f"{endpoint}  {error}\n{stop}")
        except (BotoCoreError, ClientError) as error:
            advice = "Nothing was compared: check the names, AWS_DEFAULT_REGION and rights."
            sys.exit(f"{endpoint}: {str(error).rstrip('.')}. {advice}")
        print(f"{endpoint}  status 200, {len(rows)} probabilities")
    mean, largest = difference(*scores)
    print(
        f"difference  mean {mean:.3f}, largest {largest:.3f}; limit of the mean {arguments.limit}"
    )
    if mean > arguments.limit:
        sys.exit(stop)
    print("passed")


if __name__ == "__main__":
    main()
