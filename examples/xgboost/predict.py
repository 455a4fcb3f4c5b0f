"""Ask an endpoint of the built-in XGBoost algorithm for the predictions of rows of a CSV file."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TYPES = {"csv": "text/csv", "libsvm": "text/libsvm", "json": "application/json"}


# [start: body]
def body_of(rows: list[list[str]], kind: str) -> str:
    """The rows as csv, as libsvm with the indexes from 0, or as json; without labels."""
    if kind == "csv":
        return "\n".join(",".join(row) for row in rows)
    if kind == "libsvm":
        pairs = [[f"{i}:{value}" for i, value in enumerate(row)] for row in rows]
        return "\n".join(" ".join(row) for row in pairs)
    return "[" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]"


# [end: body]


# [start: predict]
def predict(runtime: BaseClient, endpoint: str, rows: list[list[str]], kind: str) -> list[Any]:
    """The model's answer for each row: a number, or a list of one per class of multi:softprob.

    (`sagemaker:InvokeEndpoint`.) Raises ClientError; its code is ModelError if the container
    refuses the request.
    """
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType=TYPES[kind], Accept="text/csv", Body=body_of(rows, kind)
    )
    return json.loads(f"[{answer['Body'].read().decode()}]")


# [end: predict]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--type", choices=TYPES, default="csv")
    parser.add_argument("--keep-label", action="store_true", help="a mistake, to see the answer")
    arguments = parser.parse_args()
    first = 0 if arguments.keep_label else 1
    try:
        lines = arguments.file.read_text(encoding="utf-8").splitlines()[: max(arguments.rows, 0)]
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{error}. Name a CSV file, such as the validation.csv of write_data.py.")
    rows = [line.split(",")[first:] for line in lines]
    if not rows:
        sys.exit(
            f"{arguments.file} has no rows, or --rows is less than 1: there is nothing to ask."
        )
    try:
        runtime = boto3.client("sagemaker-runtime")
        scores = predict(runtime, arguments.endpoint, rows, arguments.type)
    except (BotoCoreError, ClientError, ValueError) as error:
        sys.exit(f"{error}\nCheck the request, the endpoint's name, AWS_DEFAULT_REGION and rights.")
    for line, score in zip(lines, scores, strict=True):
        numbers = score if isinstance(score, list) else [score]
        shown = " ".join(f"{number:.4f}" for number in numbers)
        print(f"label {line.partition(',')[0]}  prediction {shown}")


if __name__ == "__main__":
    main()
