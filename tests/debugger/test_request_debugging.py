from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from awslab.run import Result
from proofs.trace import Trace, watching

Run = Callable[..., Result]
BUCKET = "amzn-s3-demo-bucket-111122223333"
TOKYO = "dkr.ecr.ap-northeast-1.amazonaws.com"
RULES = f"430734990657.{TOKYO}/sagemaker-debugger-rules:latest"
NAME = ("--job-name", "debugged")
REQUEST = (
    *NAME,
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


def test_what_is_kept(run: Run, sagemaker: Any) -> None:
    result = run("request_debugging", *REQUEST)
    assert (result.status, result.errors) == (0, "")
    job = sagemaker.describe_training_job(TrainingJobName="debugged")
    assert job["AlgorithmSpecification"]["TrainingImage"].endswith("sagemaker-xgboost:1.3-1")
    every_five = {"save_interval": "5"}
    assert job["DebugHookConfig"] == {
        "S3OutputPath": f"s3://{BUCKET}/debug",
        "CollectionConfigurations": [
            {"CollectionName": "metrics", "CollectionParameters": every_five},
            {"CollectionName": "feature_importance", "CollectionParameters": every_five},
        ],
    }
    assert [
        (rule["RuleConfigurationName"], rule["RuleEvaluatorImage"], rule["RuleParameters"])
        for rule in job["DebugRuleConfigurations"]
    ] == [
        (
            "LossNotDecreasing",
            RULES,
            {
                "rule_to_invoke": "LossNotDecreasing",
                "collection_names": "metrics",
                "num_steps": "10",
            },
        ),
        (
            "FeatureImportanceOverweight",
            RULES,
            {
                "rule_to_invoke": "FeatureImportanceOverweight",
                "threshold": "0.8",
                "nfeatures": "3",
            },
        ),
    ]
    printed = [line.strip().partition("  ")[0] for line in result.output.splitlines()]
    assert printed == [
        f"debugged: tensors below s3://{BUCKET}/debug",
        "metrics",
        "feature_importance",
        "LossNotDecreasing",
        "FeatureImportanceOverweight",
    ]


def test_the_lab_trains_but_evaluates_no_rule_and_saves_no_tensor(
    run: Run, sagemaker: Any, client: Callable[..., Any]
) -> None:
    run("request_debugging", *REQUEST)
    result = run("request_debugging", *NAME, "--ended")
    assert result.status == 0
    job = sagemaker.describe_training_job(TrainingJobName="debugged")
    assert job["TrainingJobStatus"] == "Completed"
    assert "DebugRuleEvaluationStatuses" not in job
    assert result.output.count("  no state\n") == 2
    keys = [each["Key"] for each in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert not any(key.startswith("debug/") for key in keys)


def test_states_of_rules_are_printed(
    example: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """As AWS answers them: the lab has none."""
    rule = {"RuleConfigurationName": "Overfit", "RuleParameters": {"rule_to_invoke": "Overfit"}}
    job = {
        "TrainingJobName": "debugged",
        "DebugHookConfig": {"S3OutputPath": "s3://b/debug", "CollectionConfigurations": []},
        "DebugRuleConfigurations": [rule],
        "DebugRuleEvaluationStatuses": [
            {"RuleConfigurationName": "Overfit", "RuleEvaluationStatus": "IssuesFound"}
        ],
    }
    example("request_debugging").print_debugger(job)
    assert capsys.readouterr().out.splitlines() == [
        "debugged: tensors below s3://b/debug",
        "  Overfit  {'rule_to_invoke': 'Overfit'}  IssuesFound",
    ]


def test_a_name_that_is_taken(run: Run, sagemaker: Any) -> None:
    run("request_debugging", *REQUEST)
    result = run("request_debugging", *REQUEST)
    assert (result.status, result.output) == (1, "")
    assert "Job name must be unique" in result.errors
    assert "No training job was confirmed. If debugged runs, it is billed" in result.errors


def test_the_end_of_a_job_that_failed(run: Run, sagemaker: Any, client: Callable[..., Any]) -> None:
    client("s3").put_object(Bucket=BUCKET, Key="train/train.csv", Body=b"a,b\n")
    run("request_debugging", *REQUEST)
    result = run("request_debugging", *NAME, "--ended")
    reason = sagemaker.describe_training_job(TrainingJobName="debugged")["FailureReason"]
    assert result.status == 1
    assert result.output.count("  no state\n") == 2
    assert result.errors == f"debugged is Failed. {reason}\n"


def test_the_end_of_a_job_without_debugger(run: Run, sagemaker: Any, lab: None) -> None:
    run("request_debugging", *REQUEST)
    request = sagemaker.describe_training_job(TrainingJobName="debugged")
    image = request["AlgorithmSpecification"]["TrainingImage"]
    kept = ("RoleArn", "HyperParameters", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
    sagemaker.create_training_job(
        TrainingJobName="plain",
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        **{member: request[member] for member in kept},
    )
    result = run("request_debugging", "--job-name", "plain", "--ended")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("plain was requested without Debugger. Nothing was requested.")


def test_the_end_of_a_job_that_is_not_there(run: Run, lab: None) -> None:
    result = run("request_debugging", "--job-name", "none", "--ended")
    assert (result.status, result.output) == (1, "")
    assert "DescribeTrainingJob operation" in result.errors
    assert "Nothing was requested. If none runs, it is billed until it ends" in result.errors


def test_waiting_is_interrupted(
    example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, client: Callable[..., Any]
) -> None:
    program = example("request_debugging")
    sagemaker = client("sagemaker")

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sagemaker, "get_waiter", lambda _: SimpleNamespace(wait=interrupt))
    monkeypatch.setattr(program.boto3, "client", lambda _: sagemaker)
    monkeypatch.setattr("sys.argv", ["request_debugging.py", *NAME, "--ended"])
    with pytest.raises(SystemExit, match=r"Interrupted\. Nothing was requested\. If debugged runs"):
        program.main()


def test_an_image_of_another_region(run: Run, sagemaker: Any) -> None:
    result = run("request_debugging", *REQUEST, "--image", RULES.replace("northeast", "south"))
    assert (result.status, result.output) == (2, "")
    assert "is not in ap-northeast-1; name the image of your Region" in result.errors
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_without_data_no_job_is_left(run: Run, client: Callable[..., Any]) -> None:
    result = run("request_debugging", *REQUEST)
    assert result.status == 1
    assert "No S3 objects found" in result.errors
    assert client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_a_missing_option_calls_nothing(run: Run) -> None:
    with watching(Trace()) as trace:
        result = run("request_debugging", *NAME)
        shortened = run("request_debugging", *NAME, "--end")
    for refused in (result, shortened):
        assert "required: --bucket, --role-arn, --image, --rule-image" in refused.errors
        assert refused.status == 2
    assert trace.calls == []
