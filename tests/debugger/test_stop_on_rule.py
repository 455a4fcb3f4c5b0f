"""The script alone, and as the program of a training job on the lab."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import xgboost
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES

Run = Callable[..., Result]
BUCKET = "amzn-s3-demo-bucket-111122223333"
REGISTRY = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com"
CODE = "/opt/ml/input/data"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "tables"
    written = run_script(EXAMPLES / "xgboost" / "write_data.py", ["--folder", str(folder)])
    assert written.status == 0
    return folder / "binary"


def options(tables: Path, model: Path, *more: str) -> list[str]:
    train, validation = tables / "train.csv", tables / "validation.csv"
    files = ("--train", str(train), "--validation", str(validation), "--model", str(model))
    return [*files, *more]


def rounds_of(model: bytes) -> int:
    return xgboost.Booster(model_file=bytearray(model)).num_boosted_rounds()


@pytest.mark.parametrize(
    ("more", "trained", "kept"),
    [
        ((), 4, 4),
        (("--ratio-threshold", "0.5", "--patience", "5"), 18, 18),
        (("--rule", "early-stopping", "--patience", "10"), 71, 61),
        (("--rule", "early-stopping", "--patience", "30"), 138, 108),
        (("--rule", "none", "--rounds", "8"), 8, 8),
        (("--rounds", "3"), 3, 3),  # the rule does not fire before
    ],
)
def test_training_ends_with_the_rule_and_the_model_of_that_round_is_kept(
    run: Run, tables: Path, tmp_path: Path, more: tuple[str, ...], trained: int, kept: int
) -> None:
    model = tmp_path / "model.ubj"
    result = run("stop_on_rule", *options(tables, model, *more))
    assert (result.status, result.errors) == (0, "")
    asked = more[more.index("--rounds") + 1] if "--rounds" in more else "200"
    first = result.output.splitlines()[0]
    assert first == f"{trained} of {asked} rounds trained, {kept} kept in {model}"
    assert rounds_of(model.read_bytes()) == kept


def test_the_kept_model_is_that_of_a_training_of_so_many_rounds(
    run: Run, tables: Path, tmp_path: Path
) -> None:
    stopped, plain = tmp_path / "stopped.ubj", tmp_path / "plain.ubj"
    run("stop_on_rule", *options(tables, stopped))
    run("stop_on_rule", *options(tables, plain, "--rule", "none", "--rounds", "4"))
    dumps = [
        xgboost.Booster(model_file=str(model)).get_dump(with_stats=True)
        for model in (stopped, plain)
    ]
    assert dumps[0] == dumps[1]


def test_early_stopping_keeps_a_better_model_than_the_rule(
    run: Run, tables: Path, tmp_path: Path
) -> None:
    def loss(*more: str) -> float:
        result = run("stop_on_rule", *options(tables, tmp_path / "model.ubj", *more))
        return float(result.output.split()[-1])

    hasty, patient = (
        loss("--rule", "early-stopping", "--patience", rounds) for rounds in ("10", "30")
    )
    assert patient < hasty < loss("--rule", "none") < loss()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "bad.csv is empty"),
        ("1,inf\n0,1\n", "each row needs a label, 0 or 1, and then features up to 1e38"),
        ("2,0.5\n", "each row needs a label, 0 or 1, and then features"),
        ("-1,0.5\n", "each row needs a label, 0 or 1, and then features"),
        ("nan,0.5\n", "each row needs a label, 0 or 1, and then features"),
        ("1\n0\n", "each row needs a label, 0 or 1, and then features"),
        ("label,f0\n1,0.5\n", "could not convert string"),
        ("1,0.5\n0,0.2,0.1\n", "the number of columns changed"),
        ("1,0.5\n0,0.2\n", "The two tables have different numbers of columns"),
    ],
)
def test_bad_data_leave_no_model(
    run: Run, tables: Path, tmp_path: Path, text: str, said: str
) -> None:
    bad, model = tmp_path / "bad.csv", tmp_path / "model.ubj"
    bad.write_text(text)
    good = str(tables / "validation.csv")
    files = ("--train", str(bad), "--validation", good, "--model", str(model))
    result = run("stop_on_rule", *files)
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert result.errors.endswith("No model was written: check the three files.\n")
    assert not model.exists()


def test_missing_files_and_bad_options(run: Run, tables: Path, tmp_path: Path) -> None:
    missing = run("stop_on_rule", *options(tmp_path, tmp_path / "model.ubj"))
    assert missing.status == 1
    assert f"No such file or directory: '{tmp_path}/train.csv'" in missing.errors
    nowhere = run("stop_on_rule", *options(tables, tmp_path / "no" / "model.ubj", "--rounds", "1"))
    assert nowhere.status == 1
    assert "No such file or directory" in nowhere.errors
    for option in ("--rounds", "--patience"):
        refused = run("stop_on_rule", *options(tables, tmp_path / "model.ubj", option, "0"))
        assert refused.status == 2
        assert "--rounds and --patience: 1 or more" in refused.errors
    for threshold in ("nan", "inf"):
        refused = run(
            "stop_on_rule", *options(tables, tmp_path / "model.ubj", "--ratio-threshold", threshold)
        )
        assert refused.status == 2
        assert "--ratio-threshold: a finite number" in refused.errors


@pytest.mark.parametrize("patience", [1, 2])
def test_borderline_values(example: Callable[[str], ModuleType], patience: int) -> None:
    overfit = example("stop_on_rule").overfit
    high, exact = [1.25 + 1e-9] * patience, [1.25] * patience
    assert overfit([1.0] * patience, high, patience, 0.25)
    assert not overfit([1.0] * patience, exact, patience, 0.25)
    assert not overfit([1.0] * (patience - 1), high[1:], patience, 0.25)


def test_as_the_program_of_a_training_job(client: Callable[..., Any], tables: Path) -> None:
    s3, sagemaker = client("s3"), client("sagemaker")
    s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}
    )
    files = {
        "code": EXAMPLES / "debugger" / "stop_on_rule.py",
        "train": tables / "train.csv",
        "validation": tables / "validation.csv",
    }
    for channel, file in files.items():
        s3.upload_file(str(file), BUCKET, f"{channel}/{file.name}")
    sagemaker.create_training_job(
        TrainingJobName="stopped",
        RoleArn="arn:aws:iam::111122223333:role/sagemaker-training",
        AlgorithmSpecification={
            "TrainingImage": f"{REGISTRY}/sagemaker-xgboost:3.2-0",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", f"{CODE}/code/stop_on_rule.py"],
            "ContainerArguments": [
                *("--train", f"{CODE}/train/train.csv"),
                *("--validation", f"{CODE}/validation/validation.csv"),
                *("--model", "/opt/ml/model/xgboost-model"),
            ],
        },
        InputDataConfig=[
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{BUCKET}/{channel}/",
                    }
                },
            }
            for channel in files
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="stopped")
    job = sagemaker.describe_training_job(TrainingJobName="stopped")
    assert job["TrainingJobStatus"] == "Completed", job
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    archive = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        model = opened.extractfile("xgboost-model")
        assert model
        assert rounds_of(model.read()) == 4
