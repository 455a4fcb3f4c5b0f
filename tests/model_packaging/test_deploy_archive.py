"""An archive at an endpoint of the lab, and archives that a container cannot load."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
REGISTRY = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com"
ROW = "0.5,0,0,0,0,0,0,0"


@pytest.fixture
def deploy(run: Callable[..., Any], client: Callable[..., Any]) -> Callable[..., Any]:
    place = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)

    def start(path: Path, image: str, *options: str) -> Any:
        return run(
            "deploy_archive",
            *("--name", "shop", "--archive", str(path), "--bucket", BUCKET),
            *("--image", f"{REGISTRY}/{image}", "--role-arn", ROLE, "--row", ROW, *options),
        )

    return start


def prediction(output: str) -> str:
    return output.splitlines()[-1].rpartition(" ")[2]


@pytest.mark.parametrize(
    ("builder", "image", "options", "variables"),
    [
        ("build_xgboost", "sagemaker-xgboost:3.2-0", (), {}),
        (
            "build_sklearn",
            "sagemaker-scikit-learn:1.9-0-cpu-py3",
            ("--script",),
            {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        ),
    ],
)
def test_the_endpoint_answers_as_the_opened_archive(
    run: Callable[..., Any],
    client: Callable[..., Any],
    deploy: Callable[..., Any],
    table: Path,
    tmp_path: Path,
    builder: str,
    image: str,
    options: tuple[str, ...],
    variables: dict[str, str],
) -> None:
    path, rows = tmp_path / "out.tar.gz", tmp_path / "row.csv"
    rows.write_text(f"1,{ROW}\n")
    run(builder, "--train", str(table), "--archive", str(path))
    opened = run("open_archive", "--archive", str(path), "--file", str(rows)).output
    result = deploy(path, image, *options)
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith("shop  in service, billed until delete_endpoint.py --name shop")
    assert prediction(result.output) == prediction(opened)
    container = client("sagemaker").describe_model(ModelName="shop")["PrimaryContainer"]
    assert container["ModelDataUrl"] == f"s3://{BUCKET}/models/shop/model.tar.gz"
    assert container.get("Environment", {}) == variables


@pytest.mark.parametrize(
    "files",
    [{"model/xgboost-model": b"{"}, {"xgboost-model": b"{", "README.md": b"read me"}],
    ids=["a folder too much", "a file too much"],
)
def test_what_the_checker_would_have_said(
    run: Callable[..., Any],
    client: Callable[..., Any],
    deploy: Callable[..., Any],
    archive: Callable[..., Path],
    files: dict[str, bytes],
) -> None:
    path = archive(files)
    checked = run("check_archive", "--archive", str(path), "--framework", "xgboost")
    assert checked.status == 1
    result = deploy(path, "sagemaker-xgboost:3.2-0")
    assert (result.status, result.output) == (1, "")
    assert "did not pass the ping health check" in result.errors
    assert (
        f"{BUCKET} may hold models/shop/model.tar.gz. Model, configuration and endpoint shop"
        in (result.errors)
    )
    endpoint = client("sagemaker").describe_endpoint(EndpointName="shop")
    assert endpoint["EndpointStatus"] == "Failed"


def test_the_archive_of_a_model_in_service_is_not_replaced(
    deploy: Callable[..., Any], archive: Callable[..., Path], client: Callable[..., Any]
) -> None:
    key = {"Bucket": BUCKET, "Key": "models/shop/model.tar.gz"}
    client("s3").put_object(**key, Body=b"in service")
    result = deploy(archive({"xgboost-model": b"{"}), "sagemaker-xgboost:3.2-0")
    assert (result.status, result.output) == (1, "")
    assert "(PreconditionFailed)" in result.errors
    assert "If shop was there before, choose another --name." in result.errors
    assert client("s3").get_object(**key)["Body"].read() == b"in service"
    assert client("sagemaker").list_models()["Models"] == []


def test_no_archive(deploy: Callable[..., Any], client: Callable[..., Any], tmp_path: Path) -> None:
    result = deploy(tmp_path / "none.tar.gz", "sagemaker-xgboost:3.2-0")
    assert (result.status, result.output) == (1, "")
    assert "No such file or directory" in result.errors
    assert "Nothing was made." in result.errors
    assert client("sagemaker").list_models()["Models"] == []


def test_interrupted(
    deploy: Callable[..., Any], archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("botocore.waiter.Waiter.wait", interrupt)
    result = deploy(archive({"xgboost-model": b"{"}), "sagemaker-xgboost:3.2-0")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "Interrupted. If shop was there before, choose another --name. "
        f"Else {BUCKET} may hold models/shop/model.tar.gz."
    )
