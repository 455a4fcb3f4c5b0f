"""What bare moto does with processing, transform and tuning jobs."""

from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from contracts.gaps import gap

BUCKET = "amzn-s3-demo-bucket"
ROLE = "arn:aws:iam::123456789012:role/any"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"


@pytest.fixture
def sagemaker(bare_moto: None) -> BaseClient:
    where = {"LocationConstraint": "ap-northeast-1"}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return boto3.client("sagemaker")


def keys() -> list[Any]:
    found: list[Any] = boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return found


# --- processing ----------------------------------------------------------------------------------


def process(sagemaker: BaseClient, **changes: Any) -> dict[str, Any]:
    output = {
        "S3Uri": f"s3://{BUCKET}/out",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    entrypoint = ["sh", "-c", "echo 1 > /opt/ml/processing/output/a"]
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
    request = {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": entrypoint},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    sagemaker.create_processing_job(**request | changes)
    job = sagemaker.describe_processing_job(ProcessingJobName="job")
    assert isinstance(job, dict)
    return job


@gap("sagemaker:CreateProcessingJob", "runs nothing")
def test_a_processing_job_runs_nothing(sagemaker: BaseClient) -> None:
    process(sagemaker)
    assert keys() == []


@gap("sagemaker:CreateProcessingJob", "is completed at once")
@gap("sagemaker:DescribeProcessingJob", "knows no job that runs or fails")
@gap("sagemaker:ListProcessingJobs", "cannot list jobs that run")
def test_a_processing_job_is_completed_at_once(sagemaker: BaseClient) -> None:
    assert process(sagemaker)["ProcessingJobStatus"] == "Completed"
    assert sagemaker.list_processing_jobs(StatusEquals="InProgress")["ProcessingJobSummaries"] == []


@gap("sagemaker:CreateProcessingJob", "replaces a job of the same name")
def test_a_second_processing_job_replaces_the_first(sagemaker: BaseClient) -> None:
    process(sagemaker)
    assert process(sagemaker, RoleArn=f"{ROLE}-2")["RoleArn"] == f"{ROLE}-2"


@gap("sagemaker:StopProcessingJob", "marks a job that has ended as stopped")
def test_a_completed_processing_job_becomes_stopped(sagemaker: BaseClient) -> None:
    process(sagemaker)
    sagemaker.stop_processing_job(ProcessingJobName="job")
    job = sagemaker.describe_processing_job(ProcessingJobName="job")
    assert job["ProcessingJobStatus"] == "Stopped"


# --- transform -----------------------------------------------------------------------------------


def transform(sagemaker: BaseClient, **changes: Any) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}}
    request = {
        "TransformJobName": "job",
        "ModelName": "none",
        "TransformInput": {"DataSource": source},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    sagemaker.create_transform_job(**request | changes)
    job = sagemaker.describe_transform_job(TransformJobName="job")
    assert isinstance(job, dict)
    return job


@gap("sagemaker:CreateTransformJob", "accepts a model that does not exist")
@gap("sagemaker:CreateTransformJob", "is completed at once")
@gap("sagemaker:DescribeTransformJob", "knows no job that runs or fails")
@gap("sagemaker:ListTransformJobs", "cannot list jobs that run")
def test_a_transform_job_is_completed_at_once(sagemaker: BaseClient) -> None:
    assert transform(sagemaker)["TransformJobStatus"] == "Completed"
    assert sagemaker.list_transform_jobs(StatusEquals="InProgress")["TransformJobSummaries"] == []


@gap("sagemaker:CreateTransformJob", "transforms nothing")
def test_a_transform_job_transforms_nothing(sagemaker: BaseClient) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1")
    transform(sagemaker)
    assert [key["Key"] for key in keys()] == ["in/a.csv"]


@gap("sagemaker:CreateTransformJob", "replaces a job of the same name")
def test_a_second_transform_job_replaces_the_first(sagemaker: BaseClient) -> None:
    transform(sagemaker)
    assert transform(sagemaker, BatchStrategy="SingleRecord")["BatchStrategy"] == "SingleRecord"


# --- tuning --------------------------------------------------------------------------------------


def tune(sagemaker: BaseClient) -> dict[str, Any]:
    depth = {"Name": "max_depth", "MinValue": "9", "MaxValue": "1"}
    config = {
        "Strategy": "Grid",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"IntegerParameterRanges": [depth]},
    }
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    definition = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="job",
        HyperParameterTuningJobConfig=config,
        TrainingJobDefinition=definition,
    )
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="job")
    assert isinstance(job, dict)
    return job


@gap(
    "sagemaker:CreateHyperParameterTuningJob",
    "searches nothing: the best job is always `FakeTrainingJobName`",
    "checks no range",
)
@gap("sagemaker:DescribeHyperParameterTuningJob", "is completed at once")
@gap("sagemaker:ListHyperParameterTuningJobs", "cannot list jobs that run")
def test_a_tuning_job_searches_nothing(sagemaker: BaseClient) -> None:
    job = tune(sagemaker)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["BestTrainingJob"]["TrainingJobName"] == "FakeTrainingJobName"
    running = sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="InProgress")
    assert running["HyperParameterTuningJobSummaries"] == []


@gap("sagemaker:DeleteHyperParameterTuningJob", "deletes any job at once")
def test_a_tuning_job_is_deleted_at_once(sagemaker: BaseClient) -> None:
    tune(sagemaker)
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="job")
    assert sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []
