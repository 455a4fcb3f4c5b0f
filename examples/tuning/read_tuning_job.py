"""Wait for a SageMaker tuning job, and read what its training jobs have tried and reached."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE = 20  # seconds between two looks


# [start: wait]
def wait_until_ended(sagemaker: BaseClient, name: str) -> dict[str, Any]:
    """The ended tuning job (`sagemaker:DescribeHyperParameterTuningJob`): boto3 has no waiter."""
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            return job
        time.sleep(PAUSE)


# [end: wait]


# [start: read]
def read_trials(sagemaker: BaseClient, name: str) -> list[dict[str, Any]]:
    """What was tuned and the objective of each training job, None if it has none.

    Stands on `sagemaker:ListTrainingJobsForHyperParameterTuningJob`.
    """
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"
    )
    trials = []
    for number, job in enumerate((job for p in pages for job in p["TrainingJobSummaries"]), 1):
        tuned = {name: float(text) for name, text in sorted(job["TunedHyperParameters"].items())}
        final = job.get("FinalHyperParameterTuningJobObjectiveMetric", {})
        trials.append({"trial": number, **tuned, "objective": final.get("Value")})
    return trials


# [end: read]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the tuning job")
    parser.add_argument("--json", type=Path, help="file for the trials")
    arguments = parser.parse_args()
    name = arguments.name
    try:
        sagemaker = boto3.client("sagemaker")
        job = wait_until_ended(sagemaker, name)
        trials = read_trials(sagemaker, name)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. If {name} still runs, it is billed: "
            "stop_tuning_job.py stops it. Check the name, AWS_DEFAULT_REGION and credentials."
        )
    columns = list(trials[0]) if trials else []
    rows = [[trial[key] for key in columns] for trial in trials]
    print("  ".join(columns))
    for row in rows:
        cells = ["-" if cell is None else f"{cell:.4g}" for cell in row]
        print("  ".join(f"{c:>{len(n)}}" for c, n in zip(cells, columns, strict=True)))
    print(f"{name} is {job['HyperParameterTuningJobStatus']}")
    for kind in ("BestTrainingJob", "OverallBestTrainingJob"):
        if best := job.get(kind, {}).get("TrainingJobName"):
            print(f"{kind}: {best}")
    try:
        if arguments.json:
            table = {"columns": columns, "rows": rows}
            arguments.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"{error}. The tuning job is as it was: read it again with another --json.")
    if reason := job.get("FailureReason"):
        sys.exit(f"{reason.rstrip('.')}. Read the log of a training job of {name}.")


if __name__ == "__main__":
    main()
