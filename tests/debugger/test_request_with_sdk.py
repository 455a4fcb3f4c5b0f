"""Also what the page says of the names in the SDK."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # the SDK's own, and those of what it imports
    pytest.mark.timeout(300),
]

Run = Callable[..., Result]
BUCKET = "amzn-s3-demo-bucket-111122223333"
TOKYO = "dkr.ecr.ap-northeast-1.amazonaws.com"
RULES = f"430734990657.{TOKYO}/sagemaker-debugger-rules:latest"
REQUEST = (
    *("--job-name", "debugged"),
    *("--bucket", BUCKET),
    *("--role-arn", "arn:aws:iam::111122223333:role/sagemaker-training"),
    *("--image", f"354813040037.{TOKYO}/sagemaker-xgboost:1.3-1"),
    *("--rule-image", RULES),
)


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    """With a bucket that holds training data."""
    s3 = client("s3")
    place = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    s3.put_object(Bucket=BUCKET, Key="train/train.csv", Body=b"1,0.5\n0,0.1\n" * 20)
    return client("sagemaker")


def test_what_is_kept_is_what_boto3_asks_for(
    run: Run, sagemaker: Any, example: Callable[[str], ModuleType]
) -> None:
    result = run("request_with_sdk", *REQUEST)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "ModelTrainer: 23 fields, of Debugger []\n"
        f"debugged: tensors below s3://{BUCKET}/debug\n"
        "  metrics  {'save_interval': '5'}\n"
        "  feature_importance  {'save_interval': '5'}\n"
        "  LossNotDecreasing  {'rule_to_invoke': 'LossNotDecreasing', "
        "'collection_names': 'metrics', 'num_steps': '10'}\n"
        "  FeatureImportanceOverweight  {'rule_to_invoke': 'FeatureImportanceOverweight', "
        "'threshold': '0.8', 'nfeatures': '3'}\n"
    )
    job = sagemaker.describe_training_job(TrainingJobName="debugged")
    same = example("request_debugging").debugger(BUCKET, RULES)
    assert {member: job[member] for member in same} == same


def test_without_data_no_job_is_left(run: Run, client: Callable[..., Any]) -> None:
    result = run("request_with_sdk", *REQUEST)
    assert result.status == 1
    assert "No S3 objects found" in result.errors
    assert "If debugged exists, it is billed until it ends" in result.errors
    assert client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_an_argument_that_the_service_would_refuse(run: Run, sagemaker: Any) -> None:
    result = run("request_with_sdk", *REQUEST, "--job-name", "with spaces")
    assert result.status == 1
    assert "with spaces" in result.errors
    assert result.errors.count("\n") == 1
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_an_image_of_another_region(run: Run, sagemaker: Any) -> None:
    elsewhere = RULES.replace("northeast", "south")
    result = run("request_with_sdk", *REQUEST, "--rule-image", elsewhere)
    assert result.status == 2
    assert "is not in ap-northeast-1; name the image of your Region" in result.errors
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_names_that_are_often_written_do_not_exist(lab: None) -> None:
    from sagemaker.core.debugger import CollectionConfig, Rule

    with pytest.raises(TypeError, match="save_interval"):
        CollectionConfig(name="gradients", save_interval=100)
    with pytest.raises(TypeError, match="collections_to_analyze"):
        Rule.custom("own", RULES, "ml.m5.large", 30, collections_to_analyze=[])
    right = CollectionConfig(name="gradients", parameters={"save_interval": "100"})
    assert right.parameters == {"save_interval": "100"}


def test_the_image_of_the_built_in_rules(lab: None) -> None:
    from sagemaker.core import image_uris

    assert image_uris.retrieve("debugger", "ap-northeast-1") == RULES
