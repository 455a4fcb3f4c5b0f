"""What bare moto does with training jobs: the lab trains instead."""

import time
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from contracts.gaps import gap

BUCKET = "amzn-s3-demo-bucket"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"


@pytest.fixture
def sagemaker(bare_moto: None) -> BaseClient:
    """A client, and an empty bucket."""
    where = {"LocationConstraint": "ap-northeast-1"}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return boto3.client("sagemaker")


def create(sagemaker: BaseClient, name: str = "job", **more: Any) -> dict[str, Any]:
    """Create a job on data that do not exist; returns its description."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/none/"}
    request = {
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    sagemaker.create_training_job(TrainingJobName=name, **request | more)
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert isinstance(job, dict)
    return job


def names(answer: dict[str, Any]) -> list[str]:
    return [each["TrainingJobName"] for each in answer["TrainingJobSummaries"]]


# --- CreateTrainingJob ---------------------------------------------------------------------------


@gap(
    "sagemaker:CreateTrainingJob",
    "runs nothing: the job is completed at once without artifact or logs",
)
def test_a_job_is_completed_at_once_without_artifact_or_logs(sagemaker: BaseClient) -> None:
    job = create(sagemaker)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    assert boto3.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert boto3.client("logs").describe_log_groups()["logGroups"] == []


@gap("sagemaker:CreateTrainingJob", "replaces a job of the same name")
def test_a_second_job_replaces_the_first(sagemaker: BaseClient) -> None:
    create(sagemaker)
    job = create(sagemaker, HyperParameters={"second": "1"})
    assert job["HyperParameters"] == {"second": "1"}
    assert names(sagemaker.list_training_jobs()) == ["job"]


@gap("sagemaker:CreateTrainingJob", "overwrites the metric definitions")
def test_metric_definitions_are_overwritten(sagemaker: BaseClient) -> None:
    asked = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
    }
    job = create(sagemaker, AlgorithmSpecification=asked)
    (definition,) = job["AlgorithmSpecification"]["MetricDefinitions"]
    assert definition["Name"] == "test:dcg"


@gap("sagemaker:CreateTrainingJob", "takes inputs that do not exist")
def test_inputs_that_do_not_exist_are_taken(sagemaker: BaseClient) -> None:
    assert create(sagemaker)["TrainingJobStatus"] == "Completed"


# --- DescribeTrainingJob -------------------------------------------------------------------------


@gap("sagemaker:DescribeTrainingJob", "drops the environment", "the retry strategy", "the profiler")
def test_members_of_the_request_are_dropped(sagemaker: BaseClient) -> None:
    job = create(
        sagemaker,
        Environment={"COLOUR": "blue"},
        RetryStrategy={"MaximumRetryAttempts": 2},
        ProfilerConfig={"S3OutputPath": f"s3://{BUCKET}/profiler"},
    )
    assert not {"Environment", "RetryStrategy", "ProfilerConfig"} & set(job)


@gap("sagemaker:DescribeTrainingJob", "knows the transition to the first state only")
def test_the_only_transition_is_the_first(sagemaker: BaseClient) -> None:
    transitions = create(sagemaker)["SecondaryStatusTransitions"]
    assert [each["Status"] for each in transitions] == ["Starting"]


# --- ListTrainingJobs ----------------------------------------------------------------------------


@gap("sagemaker:ListTrainingJobs", "never sorts")
def test_a_list_is_never_sorted(sagemaker: BaseClient) -> None:
    for name in ("b", "a", "c"):
        create(sagemaker, name)
    for order in ("Ascending", "Descending"):
        listed = sagemaker.list_training_jobs(SortBy="Name", SortOrder=order)
        assert names(listed) == ["b", "a", "c"]


@gap("sagemaker:ListTrainingJobs", "looks at names")
def test_names_are_looked_at_after_the_cut(sagemaker: BaseClient) -> None:
    for name in ("a", "b"):
        create(sagemaker, name)
    assert names(sagemaker.list_training_jobs(NameContains="b", MaxResults=1)) == []


@gap("sagemaker:ListTrainingJobs", "times after it has cut the page")
def test_times_are_looked_at_after_the_cut(sagemaker: BaseClient) -> None:
    first = create(sagemaker, "a")["CreationTime"]
    time.sleep(0.01)
    create(sagemaker, "b")
    between = first + timedelta(seconds=0.005)
    assert names(sagemaker.list_training_jobs(CreationTimeAfter=between)) == ["b"]
    assert names(sagemaker.list_training_jobs(CreationTimeAfter=between, MaxResults=1)) == []


@gap("sagemaker:ListTrainingJobs", "ignores `WarmPoolStatusEquals`")
def test_the_warm_pool_is_ignored(sagemaker: BaseClient) -> None:
    create(sagemaker)
    assert names(sagemaker.list_training_jobs(WarmPoolStatusEquals="InUse")) == ["job"]


@gap("sagemaker:ListTrainingJobs", "has no `SecondaryStatus` in its summaries")
def test_a_summary_has_no_secondary_status(sagemaker: BaseClient) -> None:
    create(sagemaker)
    (summary,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert "SecondaryStatus" not in summary
