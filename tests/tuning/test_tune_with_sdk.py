from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # the SDK's own, and those of what it imports
    pytest.mark.timeout(300),
]

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
WHERE = ("--bucket", BUCKET, "--role-arn", ROLE)


def test_the_sdk_asks_for_the_same_search(
    stored: str, create: Run, run: Run, sagemaker: Any
) -> None:
    result = run("tune_with_sdk", "--name", "sdk", *WHERE, "--jobs", "2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "sdk  Bayesian, 2 training jobs, one after the other\n"
    create("api", "--rounds", "30", "--jobs", "2")
    found, wanted = (
        sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        for name in ("sdk", "api")
    )
    config, same = (job["HyperParameterTuningJobConfig"] for job in (found, wanted))
    for name in ("Strategy", "RandomSeed", "HyperParameterTuningJobObjective", "ResourceLimits"):
        assert config[name] == same[name]
    for kind in ("IntegerParameterRanges", "ContinuousParameterRanges"):
        assert numbers(config["ParameterRanges"][kind]) == numbers(same["ParameterRanges"][kind])
    definition, like = (job["TrainingJobDefinition"] for job in (found, wanted))
    for name in ("StaticHyperParameters", "RoleArn"):
        assert definition[name] == like[name]
    assert definition["OutputDataConfig"]["S3OutputPath"] == f"s3://{BUCKET}/tuning"
    image = definition["AlgorithmSpecification"]["TrainingImage"]
    assert image == like["AlgorithmSpecification"]["TrainingImage"]
    assert {c["ChannelName"]: c["ContentType"] for c in definition["InputDataConfig"]} == {
        "train": "text/csv",
        "validation": "text/csv",
    }


def numbers(ranges: list[dict[str, str]]) -> dict[str, tuple[float, float, str]]:
    return {
        item["Name"]: (float(item["MinValue"]), float(item["MaxValue"]), item["ScalingType"])
        for item in ranges
    }


@pytest.mark.parametrize("role", ["xx", ROLE])
def test_what_the_sdk_refuses_is_said_in_one_line(
    run: Run, lab: None, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "IAM role 'xx' does not exist"
    if role == ROLE:
        said = "Must setup local AWS configuration with a region"
        monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = run("tune_with_sdk", "--name", "sdk", *WHERE, "--role-arn", role)
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert result.errors.count("\n") == 1
    assert "If sdk exists, it is billed while it runs" in result.errors


def test_a_name_that_is_taken(lab: None, create: Run, run: Run) -> None:
    create("twice", "--jobs", "1")
    result = run("tune_with_sdk", "--name", "twice", *WHERE)
    assert (result.status, result.output) == (1, "")
    assert "job name must be unique within an AWS account and region" in result.errors
    assert "If twice exists, it is billed while it runs" in result.errors
