import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_trials_are_those_of_the_api(
    stored: str, create: Run, run: Run, sagemaker: Any, tmp_path: Path
) -> None:
    create("read", "--jobs", "3")
    file = tmp_path / "trials.json"
    result = run("read_tuning_job", "--name", "read", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    table = json.loads(file.read_text())
    assert table["columns"] == [
        *("trial", "eta", "max_depth", "min_child_weight", "subsample", "objective")
    ]
    found = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="read"
    )["TrainingJobSummaries"]
    assert table["rows"] == [
        [
            number,
            *(float(job["TunedHyperParameters"][name]) for name in table["columns"][1:-1]),
            pytest.approx(job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]),
        ]
        for number, job in enumerate(found, 1)
    ]
    best = min(zip(table["rows"], found, strict=True), key=lambda pair: pair[0][-1])[1]
    lines = result.output.splitlines()
    assert lines[-2:] == ["read is Completed", f"BestTrainingJob: {best['TrainingJobName']}"]
    assert len(lines) == 6


def test_a_warm_start_also_tells_the_best_of_all(stored: str, create: Run, run: Run) -> None:
    create("first", "--jobs", "2")
    run("read_tuning_job", "--name", "first")
    run("continue_tuning_job", "--parent", "first", "--name", "second", "--jobs", "1")
    lines = run("read_tuning_job", "--name", "second").output.splitlines()
    assert lines[-3] == "second is Completed"
    assert lines[-2].startswith("BestTrainingJob: second-001-")
    assert lines[-1].startswith("OverallBestTrainingJob: ")


def test_a_job_that_fails_tells_why(lab: None, create: Run, run: Run) -> None:
    create("no-data", "--jobs", "1")
    result = run("read_tuning_job", "--name", "no-data")
    assert result.status == 1
    assert "no-data is Failed" in result.output
    assert result.errors.startswith("All training jobs failed. ")
    assert result.errors.endswith(" Read the log of a training job of no-data.\n")


def test_a_name_that_is_not_there(run: Run, lab: None) -> None:
    result = run("read_tuning_job", "--name", "none")
    assert (result.status, result.output) == (1, "")
    assert "HyperParameterTuningJob with name [none] is not found" in result.errors
    assert "If none still runs, it is billed: stop_tuning_job.py stops it." in result.errors


def test_results_that_cannot_be_written(stored: str, create: Run, run: Run) -> None:
    create("read", "--jobs", "1")
    result = run("read_tuning_job", "--name", "read", "--json", "/missing/trials.json")
    assert result.status == 1
    assert "read is Completed" in result.output
    assert "The tuning job is as it was: read it again with another --json." in result.errors
