"""Jobs with wrong hyperparameters end with the container's own words, and nothing is left."""

from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from awslab.services.sagemaker.xgboost_rules import UserError, validated
from proofs.trace import Answer, Call, Trace, refusal, watching

BUCKET = "wrong-hyperparameters"
LOGS = "/aws/sagemaker/TrainingJobs"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
    '{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
USER_ERROR = "AlgorithmError: framework error: sagemaker_algorithm_toolkit.exceptions.UserError: "


@pytest.fixture
def refuse(run: Callable[..., Result], client: Callable[..., Any]) -> Callable[..., Result]:
    """`refuse("num_round=1 eta=2")`: the program, on data of two rows that are there."""
    client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    client("s3").put_object(Bucket=BUCKET, Key="train/train.csv", Body=b"0,1.5\n1,2.5\n")
    role = client("iam").create_role(RoleName="training", AssumeRolePolicyDocument=TRUST)
    arn = role["Role"]["Arn"]
    # Rights of the role: see create_role.py and its test.
    client("iam").attach_role_policy(
        RoleName="training", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )

    def start(*wrong: str, **environment: str) -> Result:
        where = ("--bucket", BUCKET, "--role-arn", arn, "--image", IMAGE)
        return run("refuse_hyperparameters", *where, *wrong, **environment)

    return start


def left(client: Callable[..., Any]) -> tuple[list[Any], list[Any]]:
    """The jobs and the log streams that are there."""
    jobs = client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    groups = client("logs").describe_log_groups(logGroupNamePrefix=LOGS)["logGroups"]
    streams = [
        stream
        for group in groups
        for stream in client("logs").describe_log_streams(logGroupName=group["logGroupName"])[
            "logStreams"
        ]
    ]
    return jobs, streams


def test_the_containers_words_are_printed_and_nothing_is_left(
    refuse: Callable[..., Result], client: Callable[..., Any]
) -> None:
    wrong = {"num_round": "1", "subsample": "0"}
    with pytest.raises(UserError) as said:
        validated(wrong)
    result = refuse("num_round=1 subsample=0", "objective=reg:squarederror")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"num_round=1 subsample=0\n  {USER_ERROR}{said.value}, exit code: 1\n"
        f"objective=reg:squarederror\n"
        f"  {USER_ERROR}Missing required hyperparameter: num_round, exit code: 1\n"
    )
    assert str(said.value) == "Hyperparameter subsample: 0.0 is not in (0, 1]"
    assert left(client) == ([], [])


def test_a_job_that_is_right_after_all(
    refuse: Callable[..., Result], client: Callable[..., Any]
) -> None:
    result = refuse("num_round=1 objective=binary:logistic base_score=0.5")
    said = "num_round=1 objective=binary:logistic base_score=0.5\n  It did not fail.\n"
    assert result == Result(0, said, "")
    assert left(client) == ([], [])


def test_what_the_validator_lets_pass_fails_in_xgboost(refuse: Callable[..., Result]) -> None:
    result = refuse("num_round=1 objective=aft_loss_distribution")
    assert "toolkit.exceptions.AlgorithmError: XGB train call failed with exception:" in (
        result.output
    )
    assert "Unknown objective function: `aft_loss_distribution`" in result.output


def test_logs_of_other_jobs_stay(refuse: Callable[..., Result], client: Callable[..., Any]) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName=LOGS)
    for stream in ("refused-10/algo-1-1", "other/algo-1-1"):
        logs.create_log_stream(logGroupName=LOGS, logStreamName=stream)
    assert refuse("num_round=1 silent=0").status == 0
    _jobs, streams = left(client)
    kept = {stream["logStreamName"] for stream in streams}
    assert kept == {"refused-10/algo-1-1", "other/algo-1-1"}


def test_what_is_no_hyperparameter(
    refuse: Callable[..., Result], client: Callable[..., Any]
) -> None:
    result = refuse("num_round=1 silent")
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith("error: silent: write each hyperparameter as name=value\n")
    assert left(client) == ([], [])


def test_a_name_that_is_taken(refuse: Callable[..., Result], client: Callable[..., Any]) -> None:
    def taken(trace: Trace, call: Call) -> Answer | None:
        return (
            refusal("ResourceInUse", "taken", 400)
            if call.operation == "CreateTrainingJob"
            else None
        )

    with watching(Trace(taken)):
        result = refuse("num_round=1 silent=0")
    assert (result.status, result.output) == (1, "")
    assert "ResourceInUse" in result.errors
    assert "No job was started." in result.errors


def test_a_job_that_cannot_be_deleted_is_named(
    refuse: Callable[..., Result], client: Callable[..., Any]
) -> None:
    def denied(trace: Trace, call: Call) -> Answer | None:
        return refusal("AccessDenied", "no", 403) if call.operation == "DeleteTrainingJob" else None

    with watching(Trace(denied)):
        result = refuse("num_round=1 silent=0")
    assert result.status == 1
    assert "The job refused-1 ends by itself. Then delete it" in result.errors
    jobs, streams = left(client)
    assert [job["TrainingJobName"] for job in jobs] == ["refused-1"]
    assert streams == []
