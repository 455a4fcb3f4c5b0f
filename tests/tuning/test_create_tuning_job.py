from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


def test_the_request_is_what_the_program_says(stored: str, create: Run, sagemaker: Any) -> None:
    result = create("random-7", "--strategy", "Random", "--seed", "7", "--jobs", "2")
    assert result.output == "random-7  Random, 2 training jobs, one after the other\n"
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="random-7")
    config, definition = job["HyperParameterTuningJobConfig"], job["TrainingJobDefinition"]
    assert (config["Strategy"], config["RandomSeed"]) == ("Random", 7)
    assert config["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 2,
        "MaxParallelTrainingJobs": 1,
    }
    eta = config["ParameterRanges"]["ContinuousParameterRanges"][0]
    assert eta == {
        "Name": "eta",
        "MinValue": "0.01",
        "MaxValue": "0.5",
        "ScalingType": "Logarithmic",
    }
    assert definition["RoleArn"] == ROLE
    assert [c["ChannelName"] for c in definition["InputDataConfig"]] == ["train", "validation"]


def test_the_training_jobs_really_train(
    stored: str, create: Run, run: Run, client: Run, sagemaker: Any
) -> None:
    create("real", "--jobs", "2")
    run("read_tuning_job", "--name", "real")
    keys = [found["Key"] for found in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    models = [key for key in keys if key.endswith("/output/model.tar.gz")]
    assert len(models) == 2
    assert all(key.startswith("tuning/real-00") for key in models)
    found = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="real"
    )["TrainingJobSummaries"]
    for summary in found:
        job = sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
        finals = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        final = summary["FinalHyperParameterTuningJobObjectiveMetric"]
        assert finals["validation:logloss"] == pytest.approx(final["Value"])
        assert job["HyperParameters"]["_tuning_objective_metric"] == "validation:logloss"


def test_ranges_are_strings(example: Callable[[str], ModuleType]) -> None:
    ranges = example("create_tuning_job").RANGES
    values = [v for kind in ranges.values() for item in kind for v in item.values()]
    assert all(isinstance(value, str) for value in values)


def test_a_name_that_is_taken(lab: None, create: Run, run: Run) -> None:
    create("twice", "--jobs", "1")
    where = ("--bucket", BUCKET, "--role-arn", ROLE)
    result = run("create_tuning_job", "--name", "twice", *where)
    assert (result.status, result.output) == (1, "")
    assert "job name must be unique within an AWS account and region" in result.errors
    assert "If twice exists, it is billed while it runs: stop_tuning_job.py stops it." in (
        result.errors
    )


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--name", "x" * 33], 1, "Member must have length less than or equal to 32"),
        (["--name", "a_b"], 1, "must satisfy regular expression pattern"),
        (["--name", "x", "--jobs", "0"], 1, "MaxNumberOfTrainingJobs"),
        (["--name", "x", "--strategy", "Grid"], 2, "invalid choice: 'Grid'"),
        (
            ["--name", "x", "--image", "1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"],
            2,
            "is not in ap-northeast-1; name the image of your Region",
        ),
    ],
)
def test_requests_that_are_refused(
    run: Run, sagemaker: Any, options: list[str], status: int, said: str
) -> None:
    result = run("create_tuning_job", *options, "--bucket", BUCKET, "--role-arn", ROLE)
    assert (result.status, result.output) == (status, "")
    assert said in result.errors
    assert sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []
