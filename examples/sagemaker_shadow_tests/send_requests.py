"""Send the rows of a CSV file to an endpoint, each with an id that data capture writes down."""

import argparse
import sys
from collections import Counter
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: send]
def send(runtime: BaseClient, endpoint: str, row: str, inference_id: str) -> str:
    """Ask for one prediction; returns the variant that answered, never a shadow.

    inference_id: your own, 1 to 64 characters; it joins the captured records of both variants.
    (`sagemaker:InvokeEndpoint`.) Raises ClientError: ModelError if the container refuses.
    """
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=row, InferenceId=inference_id
    )
    answer["Body"].read()
    return answer["InvokedProductionVariant"]


# [end: send]


def read_rows(file: Path, count: int) -> list[str]:
    """The first rows of a CSV file without their label, which stands first."""
    lines = file.read_text(encoding="utf-8").splitlines()[:count]
    return [line.partition(",")[2] for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument(
        "--prefix", required=True, help="begins each id: choose a new one each time"
    )
    arguments = parser.parse_args()
    if arguments.rows < 1 or not 0 < len(arguments.prefix) <= 50:
        parser.error("--rows: 1 or more; --prefix: 1 to 50 characters")
    try:
        rows = read_rows(arguments.file, arguments.rows)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{error}. Name a CSV file, such as the validation.csv of write_data.py.")
    answered: Counter[str] = Counter()
    errors: list[str] = []
    try:
        runtime = boto3.client("sagemaker-runtime")
        for number, row in enumerate(rows, 1):
            try:
                variant = send(runtime, arguments.endpoint, row, f"{arguments.prefix}-{number:04}")
                answered[variant] += 1
            except ClientError as error:
                errors.append(str(error))
    except BotoCoreError as error:
        errors.append(str(error))
    by = ", ".join(f"{count} by {variant}" for variant, count in sorted(answered.items()))
    print(f"{len(rows)} requests, answered: {by or 'none'}")
    if errors or not rows:
        said = errors[0].rstrip(".") if errors else f"{arguments.file} has no rows"
        sys.exit(f"{len(errors)} failed. {said}. Check the file, the endpoint and rights.")


if __name__ == "__main__":
    main()
