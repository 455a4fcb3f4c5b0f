import time
from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
GROUP = "/aws/sagemaker/TrainingJobs"


def test_only_this_job_is_deleted_and_its_models_stay(
    stored: str, create: Run, run: Run, client: Run, sagemaker: Any
) -> None:
    for name in ("old", "old-2"):
        create(name, "--jobs", "1")
        run("read_tuning_job", "--name", name)
    result = run("delete_tuning_job", "--name", "old-2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "deleted old-2: 1 training jobs, 1 log streams\n"
    jobs = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert [job["HyperParameterTuningJobName"] for job in jobs] == ["old"]
    trained = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert [job["TrainingJobName"][:8] for job in trained] == ["old-001-"]
    streams = client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [stream["logStreamName"][:8] for stream in streams] == ["old-001-"]
    keys = [found["Key"] for found in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert any(key.startswith("tuning/old-2-001-") for key in keys)


def test_the_logs_of_a_longer_name_stay(stored: str, create: Run, run: Run, client: Run) -> None:
    for name in ("old", "old-2"):
        create(name, "--jobs", "1")
        run("read_tuning_job", "--name", name)
    assert run("delete_tuning_job", "--name", "old").status == 0
    streams = client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [stream["logStreamName"][:10] for stream in streams] == ["old-2-001-"]
    result = run("delete_tuning_job", "--name", "old-2")
    assert result.output == "deleted old-2: 1 training jobs, 1 log streams\n"


def test_what_an_earlier_run_has_deleted_is_passed_over(
    stored: str, create: Run, run: Run, sagemaker: Any
) -> None:
    create("half", "--jobs", "2")
    run("read_tuning_job", "--name", "half")
    first = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobName"]
    sagemaker.delete_training_job(TrainingJobName=first)
    assert run("delete_tuning_job", "--name", "half").status == 0
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_of_a_job_that_runs_nothing_is_deleted(
    stored: str, create: Run, run: Run, sagemaker: Any
) -> None:
    create("runs", "--jobs", "50")
    while len(begun := sagemaker.list_training_jobs()["TrainingJobSummaries"]) < 2:
        time.sleep(0.1)
    result = run("delete_tuning_job", "--name", "runs")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "runs has not ended: stop it with stop_tuning_job.py. Nothing was deleted. "
    )
    kept = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert {job["TrainingJobName"] for job in begun} <= {job["TrainingJobName"] for job in kept}
    run("stop_tuning_job", "--name", "runs")
    assert run("delete_tuning_job", "--name", "runs").status == 0
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_name_that_is_not_there(run: Run, lab: None) -> None:
    result = run("delete_tuning_job", "--name", "none")
    assert (result.status, result.output) == (1, "")
    assert "HyperParameterTuningJob with name [none] is not found" in result.errors
    assert "Nothing was deleted" in result.errors
