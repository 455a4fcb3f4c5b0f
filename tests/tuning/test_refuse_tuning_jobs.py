from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


def test_each_rule_is_refused_and_nothing_starts(run: Run, sagemaker: Any) -> None:
    result = run("refuse_tuning_jobs", "--role-arn", ROLE)
    assert (result.status, result.errors) == (0, "")
    said = dict(zip(*[iter(result.output.splitlines())] * 2, strict=True))
    assert said["Grid with a continuous range"].strip() == (
        "Grid search supports only categorical hyperparameter ranges."
    )
    assert said["Hyperband with early stopping"].strip() == (
        "TrainingJobEarlyStoppingType must be Off for the Hyperband strategy."
    )
    assert "Hyperband requires MaxResource" in said["Hyperband without MaxResource"]
    assert "requires values greater than 0" in said["Logarithmic from 0"]
    assert "0 <= x < 1" in said["ReverseLogarithmic up to 1"]
    assert sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []


def test_a_request_without_fault_is_reported(
    example: Callable[[str], ModuleType], sagemaker: Any
) -> None:
    program = example("refuse_tuning_jobs")
    with pytest.raises(RuntimeError, match="fine was accepted and may be billed: stop it with"):
        program.refusal(sagemaker, "fine", program.search(program.ETA), ROLE)
    jobs = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert [job["HyperParameterTuningJobName"] for job in jobs] == ["fine"]
    told = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="fine")
    channels = [
        channel["ChannelName"] for channel in told["TrainingJobDefinition"]["InputDataConfig"]
    ]
    objective = told["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    assert (channels, objective["MetricName"]) == (["train", "validation"], "validation:logloss")


def test_a_role_that_is_no_arn(run: Run, lab: None) -> None:
    result = run("refuse_tuning_jobs", "--role-arn", "training")
    assert "RoleArn" in result.output + result.errors
