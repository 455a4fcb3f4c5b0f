from collections.abc import Callable
from typing import Any

import pytest
from proofs.trace import Answer, Call, Trace, refusal, watching

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def jobs(run: Run, client: Any) -> Any:
    place = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    client("s3").put_object(Bucket=BUCKET, Key="train/a", Body=b"1,2")
    client("s3").put_object(Bucket=BUCKET, Key="validation/a", Body=b"1,2")
    for name in ("one", "one-more", "two"):  # refused at once, which is enough to be a job
        run("train_job", "--job-name", name, "--bucket", BUCKET, "--role-arn", ROLE, "silent=1")
    return client("sagemaker")


def names(sagemaker: Any) -> list[str]:
    return sorted(
        job["TrainingJobName"] for job in sagemaker.list_training_jobs()["TrainingJobSummaries"]
    )


def streams(client: Any) -> list[str]:
    found = client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    return sorted(stream["logStreamName"].partition("/")[0] for stream in found)


def test_only_the_named_jobs_go_with_their_logs(run: Run, client: Any, jobs: Any) -> None:
    result = run("delete_job", "--job-name", "one", "two")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "deleted one, log streams: 1\ndeleted two, log streams: 1\n"
    assert names(jobs) == streams(client) == ["one-more"]


def test_a_job_that_is_not_there_is_no_error_beside_others(
    run: Run, client: Any, jobs: Any
) -> None:
    result = run("delete_job", "--job-name", "one", "none", "two")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "deleted one, log streams: 1\nno job none, log streams: 0\ndeleted two, log streams: 1\n"
    )
    assert names(jobs) == streams(client) == ["one-more"]


def test_nothing_to_delete(run: Run, client: Any, jobs: Any) -> None:
    result = run("delete_job", "--job-name", "none")
    assert (result.status, result.output) == (1, "no job none, log streams: 0\n")
    assert result.errors == "Nothing was deleted. Check the names and AWS_DEFAULT_REGION.\n"


def test_a_job_that_is_refused_keeps_its_logs_and_the_others_go(
    run: Run, client: Any, jobs: Any
) -> None:
    refused: list[Call] = []

    def refuse(trace: Trace, call: Call) -> Answer | None:
        if call.operation == "DeleteTrainingJob" and not refused:
            refused.append(call)
            return refusal("ResourceInUse", "The job runs.", 400)
        return None

    with watching(Trace(refuse)):
        result = run("delete_job", "--job-name", "one", "two")
    assert (result.status, result.output) == (1, "deleted two, log streams: 1\n")
    assert f"The job runs. one or its logs in {GROUP} may still be there.\n" in result.errors
    assert names(jobs) == streams(client) == ["one", "one-more"]


def test_logs_that_an_earlier_run_left(run: Run, client: Any, jobs: Any) -> None:
    jobs.delete_training_job(TrainingJobName="one")
    result = run("delete_job", "--job-name", "one")
    assert (result.status, result.output) == (0, "no job one, log streams: 1\n")
    assert streams(client) == ["one-more", "two"]


def test_a_job_without_logs(run: Run, client: Any, jobs: Any) -> None:
    client("logs").delete_log_group(logGroupName=GROUP)
    result = run("delete_job", "--job-name", "one")
    assert (result.status, result.output) == (0, "deleted one, log streams: 0\n")
    assert names(jobs) == ["one-more", "two"]
