"""Ask the endpoint that a pointer names; the pointer is read once in a while, not each time."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: cache]
def cached_pointer(ssm: BaseClient, pointer: str, seconds: float) -> Callable[..., str]:
    """A function that returns the name of the endpoint, read anew (`ssm:GetParameter`) when it is
    older than `seconds`, or with `fresh=True`.

    While the pointer cannot be read, the name known last holds. The function raises ClientError
    if none is known.
    """
    name, until = "", 0.0

    def current(fresh: bool = False) -> str:
        nonlocal name, until
        if fresh or time.monotonic() >= until:
            try:
                name = ssm.get_parameter(Name=pointer)["Parameter"]["Value"]
            except (BotoCoreError, ClientError):
                if not name:
                    raise
            until = time.monotonic() + seconds
        return name

    return current


# [end: cache]


def ask(runtime: BaseClient, endpoint: str, row: str) -> tuple[str, float]:
    """The endpoint and its prediction for a row of features (`sagemaker:InvokeEndpoint`)."""
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=row
    )
    return endpoint, float(answer["Body"].read())


# [start: call]
def call(runtime: BaseClient, current: Callable[..., str], row: str) -> tuple[str, float]:
    """Ask the endpoint of today. One that was deleted since is asked for anew, once."""
    try:
        return ask(runtime, current(), row)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return ask(runtime, current(fresh=True), row)


# [end: call]


def read_rows(file: Path, count: int) -> list[str]:
    """The first rows of a CSV file without the label, which stands first.

    Raises OSError; ValueError: a header or the like, which every model refuses.
    """
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line][:count]
    rows = [line.partition(",")[2] for line in lines]
    [float(cell) for row in rows for cell in row.split(",") if cell]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pointer", default="/ml/endpoint/current", help="name of the parameter")
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long a name is kept")
    arguments = parser.parse_args()
    try:
        rows = read_rows(arguments.file, max(arguments.rows, 0))
    except OSError as error:  # names the file itself
        sys.exit(f"{error}. Name a CSV file, such as the validation.csv of write_data.py.")
    except ValueError as error:
        sys.exit(f"{arguments.file}: {error}. Name a CSV file of numbers without a header.")
    if not rows:
        sys.exit(f"{arguments.file} has no rows, or --rows is less than 1: nothing to ask.")
    try:
        runtime = boto3.client("sagemaker-runtime")
        current = cached_pointer(boto3.client("ssm"), arguments.pointer, arguments.seconds)
        for row in rows:
            endpoint, score = call(runtime, current, row)
            print(f"{endpoint}  prediction {score:.4f}")
    except (BotoCoreError, ClientError, ValueError) as error:
        advice = f"Check what {arguments.pointer} names (switch_pointer.py), Region and rights."
        sys.exit(f"{str(error).rstrip('.')}. {advice}")


if __name__ == "__main__":
    main()
