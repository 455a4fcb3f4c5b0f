from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def test_nothing_runs_any_more(stored: str, create: Run, run: Run, sagemaker: Any) -> None:
    create("long", "--jobs", "50")
    result = run("stop_tuning_job", "--name", "long")
    assert (result.status, result.output, result.errors) == (0, "long is Stopped\n", "")
    running = sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
    assert running == []
    found = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert len(found) < 50


def test_a_job_that_has_ended_stays_as_it_is(stored: str, create: Run, run: Run) -> None:
    create("short", "--jobs", "1")
    run("read_tuning_job", "--name", "short")
    assert run("stop_tuning_job", "--name", "short").output == "short is Completed\n"


def test_a_name_that_is_not_there(run: Run, lab: None) -> None:
    result = run("stop_tuning_job", "--name", "none")
    assert (result.status, result.output) == (1, "")
    assert "HyperParameterTuningJob with name [none] is not found" in result.errors
    assert "none may still run and be billed" in result.errors
