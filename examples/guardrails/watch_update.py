"""Watch an update of an endpoint with requests of your own, and tell a success from a rollback."""

import argparse
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE = 15  # seconds between two looks
ON_THE_WAY = ("Creating", "Updating", "SystemUpdating", "RollingBack")


def stage_of(endpoint: dict[str, Any]) -> str:
    """The status of the endpoint, and what SageMaker says that happens to its two fleets."""
    pending = endpoint.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
    variants = endpoint.get("ProductionVariants", []) + pending
    happens = [status for variant in variants for status in variant.get("VariantStatus", [])]
    said = [status.get("StatusMessage", status["Status"]) for status in happens]
    return ": ".join([endpoint["EndpointStatus"], *said])


# [start: requests]
def answers(runtime: BaseClient, endpoint: str, rows: list[str], number: int) -> bool:
    """Whether the model answers so many requests of one row each (`sagemaker:InvokeEndpoint`).

    Raises ClientError for what is not the model's failure.
    """
    failed = 0
    for row in islice(cycle(rows), number):
        try:
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row)
        except runtime.exceptions.ModelError:
            failed += 1
    return not failed


# [end: requests]


# [start: watch]
def watch(
    sagemaker: BaseClient, runtime: BaseClient, name: str, rows: list[str], number: int
) -> tuple[dict[str, Any], bool, bool]:
    """The endpoint after its update, whether it answers then, and whether an update was seen.

    Looks at it (`sagemaker:DescribeEndpoint`), sends requests, and prints what has changed.
    """
    shown = []
    while True:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        well = answers(runtime, name, rows, number)
        line = f"{'all answered' if well else 'failures':<14}{stage_of(endpoint)}"
        if line not in shown[-1:]:
            print(line, flush=True)
            shown.append(line)
        if endpoint["EndpointStatus"] not in ON_THE_WAY:
            return endpoint, well, len(shown) > 1
        time.sleep(PAUSE)


# [end: watch]


# [start: verdict]
def verdict(endpoint: dict[str, Any], wanted: str, well: bool, seen: bool) -> str | None:
    """What is wrong after an update: the old fleet is InService, too."""
    name, serves = endpoint["EndpointName"], endpoint["EndpointConfigName"]
    reason = endpoint.get("FailureReason", "SageMaker gives no reason").rstrip(".")
    if endpoint["EndpointStatus"] != "InService":
        return f"{name} is {endpoint['EndpointStatus']}: {reason}."
    if serves != wanted:
        happened = "Rolled back" if seen else "No update was seen: not begun, or rolled back before"
        return f"{happened}. {name} serves {serves}, not {wanted}. {reason}."
    return None if well else f"{name} serves {serves} and fails: go back with roll_back.py."


# [end: verdict]


def read_rows(file: Path) -> list[str]:
    """The rows of a CSV file without the label, which stands first.

    Raises OSError; ValueError: a header or the like, which every model refuses: it would look as
    if the new one were bad, and set off the alarms on errors.
    """
    rows = [line.partition(",")[2] for line in file.read_text("utf-8").splitlines() if line]
    for row in filter(None, rows):
        [float(cell) for cell in row.split(",") if cell]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="that the endpoint is updated to")
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--requests", type=int, default=30, help="after each look")
    arguments = parser.parse_args()
    name, wanted, number = arguments.endpoint, arguments.config, arguments.requests
    if number < 1:
        parser.error("--requests: 1 or more, for without requests no model fails")
    try:
        rows = read_rows(arguments.file)
    except OSError as error:  # names the file itself
        sys.exit(f"{error}. Name a CSV file, such as the validation.csv of write_data.py.")
    except ValueError as error:
        sys.exit(f"{arguments.file}: {error}. Name a CSV file of numbers without a header.")
    if not any(rows):
        sys.exit(f"{arguments.file} has no rows: there is nothing to send.")
    try:
        sagemaker, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
        endpoint, well, seen = watch(sagemaker, runtime, name, rows, number)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. If {name} is being updated to {wanted}, "
            f"that goes on: watch it again. Its log is /aws/sagemaker/Endpoints/{name}. "
            "Check the names, AWS_DEFAULT_REGION and rights."
        )
    if problem := verdict(endpoint, wanted, well, seen):
        sys.exit(problem)
    print(f"{name} serves {wanted}")


if __name__ == "__main__":
    main()
