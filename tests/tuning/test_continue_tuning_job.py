from collections.abc import Callable
from types import ModuleType
from typing import Any

Run = Callable[..., Any]


def test_the_child_has_the_request_of_its_parent(
    stored: str, create: Run, run: Run, sagemaker: Any
) -> None:
    create("first", "--jobs", "3")
    run("read_tuning_job", "--name", "first")
    result = run("continue_tuning_job", "--parent", "first", "--name", "second", "--jobs", "2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "second  2 training jobs, after those of first\n"
    parent, child = (
        sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        for name in ("first", "second")
    )
    assert child["TrainingJobDefinition"] == parent["TrainingJobDefinition"]
    limits = child["HyperParameterTuningJobConfig"].pop("ResourceLimits")
    assert limits == {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}
    del parent["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert child["HyperParameterTuningJobConfig"] == parent["HyperParameterTuningJobConfig"]
    assert child["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "first"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }


def test_what_sagemaker_added_is_not_sent_again(
    stored: str, create: Run, example: Callable[[str], ModuleType], run: Run, sagemaker: Any
) -> None:
    create("first", "--jobs", "1")
    run("read_tuning_job", "--name", "first")
    sent: list[dict[str, Any]] = []
    sagemaker.meta.events.register(
        "provide-client-params.sagemaker.CreateHyperParameterTuningJob",
        lambda params, **_: sent.append(params),
    )
    example("continue_tuning_job").continue_tuning_job(sagemaker, "first", "second", 1)
    parent = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="first")
    static = parent["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static.pop("_tuning_objective_metric") == "validation:logloss"
    assert sent[0]["TrainingJobDefinition"]["StaticHyperParameters"] == static


def test_a_parent_that_runs_is_waited_for_by_its_user(
    lab: None, create: Run, run: Run, sagemaker: Any
) -> None:
    create("first", "--jobs", "5")
    result = run("continue_tuning_job", "--parent", "first", "--name", "second")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("first has not ended: wait for it, or stop it. ")
    names = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert [job["HyperParameterTuningJobName"] for job in names] == ["first"]


def test_a_parent_that_is_not_there(run: Run, lab: None) -> None:
    result = run("continue_tuning_job", "--parent", "none", "--name", "second")
    assert (result.status, result.output) == (1, "")
    assert "HyperParameterTuningJob with name [none] is not found" in result.errors
    assert "If second exists, it is billed while it runs" in result.errors
