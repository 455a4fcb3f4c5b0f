"""Tuning jobs: real training jobs, proposed by a real search."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from awslab import work
from awslab.extension import reset
from awslab.services.sagemaker import training_run
from botocore.exceptions import ClientError

BUCKET = "amzn-s3-demo-bucket"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
REGISTRY = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-cpu-py3"
# Prints a loss per epoch that is the smaller the nearer the offset is to 3.
SCRIPT = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--offset", type=float)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--pause", type=float, default=0)
given = parser.parse_args()
for epoch in range(given.epochs):
    print(f"loss={(given.offset - 3) ** 2 + 1 / (epoch + 1)};", flush=True)
    time.sleep(given.pause)
"""


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    s3 = client("s3")
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    draw = random.Random(0)
    for channel in ("train", "validation"):
        rows = [[draw.random() for _ in range(3)] for _ in range(60)]
        text = "\n".join(",".join(map(str, [int(sum(r) > 1.5), *r])) for r in rows)
        s3.put_object(Bucket=BUCKET, Key=f"{channel}/data.csv", Body=text.encode())
    s3.put_object(Bucket=BUCKET, Key="code/train.py", Body=SCRIPT.encode())
    return client("sagemaker")


def channel(name: str) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{BUCKET}/{name}/",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def definition(image: str, channels: list[str], **static: str) -> dict[str, Any]:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    return {
        "StaticHyperParameters": static,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [channel(name) for name in channels],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuning"},
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def by_script(**static: str) -> dict[str, Any]:
    script = definition(
        SKLEARN,
        ["code"],
        sagemaker_program="train.py",
        sagemaker_submit_directory=f"s3://{BUCKET}/code",
        **static,
    )
    metric = {"Name": "loss", "Regex": "loss=([0-9.e-]+);"}
    script["AlgorithmSpecification"]["MetricDefinitions"] = [metric]
    return script


TRAIN_LOSS = {
    "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "train:logloss"}
}
OFFSETS = {"ContinuousParameterRanges": [{"Name": "offset", "MinValue": "0", "MaxValue": "10"}]}


def create(sagemaker: Any, tried: dict[str, Any], **changes: Any) -> None:
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": OFFSETS,
        "RandomSeed": 7,
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=changes.pop("name", "tune"),
        HyperParameterTuningJobConfig=config | changes.pop("config", {}),
        TrainingJobDefinition=tried,
        **changes,
    )


def ended(sagemaker: Any, name: str = "tune") -> dict[str, Any]:
    for _ in range(40):
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            break
    assert isinstance(job, dict)
    return job


def children(sagemaker: Any, name: str = "tune", **wanted: Any) -> list[dict[str, Any]]:
    found = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **wanted
    )["TrainingJobSummaries"]
    assert isinstance(found, list)
    return found


def value(child: dict[str, Any]) -> float:
    return float(child["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def test_xgboost_is_tuned_and_the_best_job_is_a_real_one(sagemaker: Any) -> None:
    tried = definition(
        XGBOOST,
        ["train", "validation"],
        objective="binary:logistic",
        eval_metric="auc",
        num_round="3",
    )
    ranges = {
        "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "4"}],
        "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}],
    }
    objective = {"Type": "Maximize", "MetricName": "validation:auc"}
    config = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": objective,
        "ParameterRanges": ranges,
    }
    create(sagemaker, tried, config=config)
    job = ended(sagemaker)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 3
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    best = job["BestTrainingJob"]
    assert value(best) == max(map(value, children(sagemaker)))
    trained = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert trained["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert trained["HyperParameters"] == {
        **tried["StaticHyperParameters"],
        **best["TunedHyperParameters"],
        "_tuning_objective_metric": "validation:auc",
    }
    finals = {m["MetricName"]: m["Value"] for m in trained["FinalMetricDataList"]}
    assert finals["validation:auc"] == pytest.approx(value(best))


def test_names_of_training_jobs_count_up(sagemaker: Any) -> None:
    create(sagemaker, by_script())
    ended(sagemaker)
    names = [child["TrainingJobName"] for child in children(sagemaker)]
    assert [name[:9] for name in names] == ["tune-001-", "tune-002-", "tune-003-"]
    assert all(len(name) == 17 for name in names)


def test_the_same_seed_tries_the_same(sagemaker: Any) -> None:
    one_by_one = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}}
    for name in ("one", "two"):
        create(sagemaker, by_script(), name=name, config=one_by_one)
        ended(sagemaker, name)
    tried = [[c["TunedHyperParameters"] for c in children(sagemaker, n)] for n in ("one", "two")]
    assert tried[0] == tried[1]


def test_a_grid_tries_each_combination(sagemaker: Any) -> None:
    grid = {"CategoricalParameterRanges": [{"Name": "offset", "Values": ["1", "3", "6"]}]}
    limits = {"MaxParallelTrainingJobs": 3}
    config = {"Strategy": "Grid", "ParameterRanges": grid, "ResourceLimits": limits}
    create(sagemaker, by_script(), config=config)
    job = ended(sagemaker)
    assert sorted(c["TunedHyperParameters"]["offset"] for c in children(sagemaker)) == [
        "1",
        "3",
        "6",
    ]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"offset": "3"}
    assert value(job["BestTrainingJob"]) == pytest.approx(1.0)


def test_children_are_sorted_and_filtered(sagemaker: Any) -> None:
    create(sagemaker, by_script())
    ended(sagemaker)
    values = [value(c) for c in children(sagemaker, SortBy="FinalObjectiveMetricValue")]
    assert values == sorted(values) and len(values) == 3
    assert children(sagemaker, StatusEquals="Failed") == []


def test_a_target_that_is_reached_ends_the_search(sagemaker: Any) -> None:
    config = {
        "TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 1000.0},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 1},
    }
    create(sagemaker, by_script(), config=config)
    assert ended(sagemaker)["HyperParameterTuningJobStatus"] == "Completed"
    assert len(children(sagemaker)) == 1


def test_a_search_is_stopped_with_its_training_jobs(
    sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "GRACE", 0.2)
    monkeypatch.setattr(training_run, "GRACE", 0.2)
    create(sagemaker, by_script(epochs="50", pause="1"))
    sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    job = ended(sagemaker)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert {child["TrainingJobStatus"] for child in children(sagemaker)} <= {"Stopped"}
    assert len(children(sagemaker)) <= 2


def test_training_jobs_that_all_fail_fail_the_tuning_job(sagemaker: Any) -> None:
    create(sagemaker, by_script(epochs="no number"))
    job = ended(sagemaker)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed. AlgorithmError: ")
    assert {child["ObjectiveStatus"] for child in children(sagemaker)} == {"Failed"}


def test_a_job_that_is_stopped_has_not_failed(sagemaker: Any) -> None:
    one_by_one = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 99, "MaxParallelTrainingJobs": 1}}
    create(sagemaker, definition(XGBOOST, ["none"], num_round="1"), config=one_by_one | TRAIN_LOSS)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    seen = [
        sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
        for _ in range(2)
    ]
    assert [job["HyperParameterTuningJobStatus"] for job in seen] == ["Stopping", "Stopped"]


def test_a_metric_that_is_never_printed(sagemaker: Any) -> None:
    tried = by_script()
    metric = {"Name": "loss", "Regex": "accuracy=([0-9.]+)"}
    tried["AlgorithmSpecification"]["MetricDefinitions"] = [metric]
    create(sagemaker, tried)
    job = ended(sagemaker)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "No objective metrics found" in job["FailureReason"]


def warm_start(kind: str = "IdenticalDataAndAlgorithm") -> dict[str, Any]:
    parents = [{"HyperParameterTuningJobName": "parent"}]
    return {"ParentHyperParameterTuningJobs": parents, "WarmStartType": kind}


@pytest.mark.parametrize(("low", "high", "winner"), [("0", "10", "parent-"), ("3", "3", "child-")])
def test_the_best_of_a_child_and_its_parents(
    sagemaker: Any, low: str, high: str, winner: str
) -> None:
    create(sagemaker, by_script(), name="parent")
    first = ended(sagemaker, "parent")
    assert "OverallBestTrainingJob" not in first
    offsets = {"Name": "offset", "MinValue": low, "MaxValue": high}
    config = {
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"ContinuousParameterRanges": [offsets]},
        "RandomSeed": 9,
    }
    create(sagemaker, by_script(), name="child", config=config, WarmStartConfig=warm_start())
    job = ended(sagemaker, "child")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["BestTrainingJob"]["TrainingJobName"].startswith("child-")
    both = [first["BestTrainingJob"], job["BestTrainingJob"]]
    assert job["OverallBestTrainingJob"] == min(both, key=value)
    assert job["OverallBestTrainingJob"]["TrainingJobName"].startswith(winner)
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="parent")
    again = ended(sagemaker, "child")
    assert again["OverallBestTrainingJob"] == job["OverallBestTrainingJob"]


def test_a_transfer_has_no_best_of_all(sagemaker: Any) -> None:
    create(sagemaker, by_script(), name="parent")
    ended(sagemaker, "parent")
    create(sagemaker, by_script(), name="child", WarmStartConfig=warm_start("TransferLearning"))
    job = ended(sagemaker, "child")
    assert job["BestTrainingJob"]["TrainingJobName"].startswith("child-")
    assert "OverallBestTrainingJob" not in job


def test_the_objective_is_added_to_the_static_hyperparameters(sagemaker: Any) -> None:
    create(sagemaker, by_script(epochs="2"))
    static = ended(sagemaker)["TrainingJobDefinition"]["StaticHyperParameters"]
    assert (static["epochs"], static["_tuning_objective_metric"]) == ("2", "loss")


def refusal(call: Callable[..., Any], *given: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*given, **arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_requests_that_are_refused(sagemaker: Any) -> None:
    grid = {"Strategy": "Grid", "ResourceLimits": {"MaxParallelTrainingJobs": 1}}
    assert refusal(create, sagemaker, by_script(), config=grid) == (
        "ValidationException",
        "Grid search supports only categorical hyperparameter ranges.",
    )
    tried = by_script()
    tried["AlgorithmSpecification"]["MetricDefinitions"] = []
    code, message = refusal(create, sagemaker, tried)
    assert code == "ValidationException" and "loss is not one of []" in message
    tried = definition(XGBOOST, ["train"])
    objective = {"Type": "Maximize", "MetricName": "validation:auc"}
    config = {"HyperParameterTuningJobObjective": objective}
    assert refusal(create, sagemaker, tried, config=config) == (
        "ValidationException",
        "The objective metric validation:auc requires a validation channel.",
    )


def test_names_are_unique_and_unknown_ones_are_not_found(sagemaker: Any) -> None:
    create(sagemaker, by_script())
    assert refusal(create, sagemaker, by_script())[0] == "ResourceInUse"
    describe = sagemaker.describe_hyper_parameter_tuning_job
    assert refusal(describe, HyperParameterTuningJobName="none") == (
        "ResourceNotFound",
        "HyperParameterTuningJob with name [none] is not found.",
    )


def test_a_running_search_is_listed_and_not_deleted(sagemaker: Any) -> None:
    create(sagemaker, by_script(epochs="2", pause="1"))
    (found,) = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert found["HyperParameterTuningJobStatus"] == "InProgress"
    delete = sagemaker.delete_hyper_parameter_tuning_job
    assert refusal(delete, HyperParameterTuningJobName="tune")[0] == "ResourceInUse"
    ended(sagemaker)
    delete(HyperParameterTuningJobName="tune")
    assert sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []


def test_the_end_of_the_lab_ends_the_search(sagemaker: Any) -> None:
    create(sagemaker, by_script(epochs="50", pause="1"))
    searches = [each for each in threading.enumerate() if each.name == "lab-tuning-tune"]
    reset()
    for thread in searches:
        thread.join(10)
    assert searches and not any(thread.is_alive() for thread in searches)
