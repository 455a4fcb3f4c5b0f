import io
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import xgboost
from awslab.embedded import embedded_lab
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES
from botocore.exceptions import ParamValidationError
from proofs.trace import Trace, watching

BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


def start(name: str, *arguments: str) -> Result:
    return run_script(EXAMPLES / "xgboost" / f"{name}.py", list(arguments))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the data; the model learned from it is at the endpoint `shop`."""
    folder = tmp_path_factory.mktemp("predict")
    with embedded_lab():
        start("write_data", "--folder", str(folder / "data"), "--rows", "200")
        data = folder / "data" / "binary"
        start("create_bucket", "--bucket", BUCKET, "--folder", str(data))
        start("upload_model", "--train", str(data / "train.csv"), "--bucket", BUCKET)
        where = ("--image", IMAGE, "--model-data", f"s3://{BUCKET}/models/model.tar.gz")
        assert start("deploy_model", "--name", "shop", *where, "--role-arn", ROLE).status == 0
        yield data


def ask(file: Path, *options: str) -> Result:
    return start("predict", "--endpoint", "shop", "--file", str(file), *options)


@pytest.mark.parametrize("kind", ["csv", "libsvm"])
def test_predictions_are_those_of_plain_xgboost(data: Path, kind: str) -> None:
    table = np.loadtxt(data / "train.csv", delimiter=",")
    settings = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "nthread": 1}
    model = xgboost.train(settings, xgboost.DMatrix(table[:, 1:], label=table[:, 0]), 20)
    asked = np.loadtxt(data / "validation.csv", delimiter=",")
    scores = model.predict(xgboost.DMatrix(asked[:, 1:]))
    result = ask(data / "validation.csv", "--rows", "50", "--type", kind)
    assert (result.status, result.errors) == (0, "")
    assert result.output == "".join(
        f"label {label:g}  prediction {score:.4f}\n"
        for label, score in zip(asked[:, 0], scores, strict=True)
    )


def test_one_row(data: Path) -> None:
    assert ask(data / "validation.csv", "--rows", "1").output.count("\n") == 1


def test_libsvm_may_leave_out_zeros_and_csv_may_not(data: Path) -> None:
    runtime = boto3.client("sagemaker-runtime")

    def answer(kind: str, body: str) -> float:
        found = runtime.invoke_endpoint(EndpointName="shop", ContentType=kind, Body=body)
        return float(found["Body"].read())

    whole = answer("text/csv", "0.5,0,0,0,0,0,0,0")
    assert answer("text/libsvm", "0:0.5") != whole  # what is left out is missing, not zero
    assert answer("text/csv", "0.5,,,,,,,") == answer("text/libsvm", "0:0.5")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--type", "json"], 415, "application/json is not an accepted ContentType: csv, libsvm, "),
        (
            ["--keep-label"],
            400,
            "Unable to evaluate payload provided: Feature size of csv inference data 9 is not "
            "consistent with feature size of trained model 8.",
        ),
        (
            ["--keep-label", "--type", "libsvm", "--wide"],
            400,
            "Unable to evaluate payload provided: Feature size of libsvm inference data 10 is "
            "larger than feature size of trained model 8.",
        ),
    ],
)
def test_what_the_container_refuses(
    data: Path, tmp_path: Path, options: list[str], status: int, said: str
) -> None:
    file = data / "validation.csv"
    if options[-1] == "--wide":
        options = options[:-1]
        file = tmp_path / "wide.csv"
        file.write_text("1," * 9 + "1\n")
    result = ask(file, *options)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "An error occurred (ModelError) when calling the InvokeEndpoint operation: Received client "
        f'error ({status}) from primary with message "{said}'
    )
    assert "/aws/sagemaker/Endpoints/shop" in result.errors


def test_one_column_too_few_is_not_noticed(data: Path, tmp_path: Path) -> None:
    narrow = tmp_path / "narrow.csv"
    narrow.write_text("1,0.5,0.1,0.2,0.3,0.4,0.5,0.6\n")  # seven features
    assert ask(narrow).status == 0
    narrow.write_text("1,0.5,0.1,0.2,0.3,0.4,0.5\n")
    assert "Feature size of csv inference data 6 is not consistent" in ask(narrow).errors


def test_no_such_endpoint(data: Path) -> None:
    file = str(data / "validation.csv")
    result = start("predict", "--endpoint", "none", "--file", file)
    assert (result.status, result.output) == (1, "")
    assert "Endpoint none of account 111122223333 not found." in result.errors


def test_nothing_to_ask(data: Path, tmp_path: Path) -> None:
    file = data / "validation.csv"
    empty = tmp_path / "empty.csv"
    empty.touch()
    with watching(Trace()) as trace:
        none = ask(file, "--rows", "0")
        below = ask(file, "--rows", "-2")
        nothing = ask(empty)
        missing = ask(tmp_path / "missing.csv")
    assert (none.status, nothing.status, missing.status, trace.calls) == (1, 1, 1, [])
    assert (
        none.errors == f"{file} has no rows, or --rows is less than 1: there is nothing to ask.\n"
    )
    assert below == none
    assert (
        nothing.errors
        == f"{empty} has no rows, or --rows is less than 1: there is nothing to ask.\n"
    )
    assert "No such file or directory" in missing.errors


def test_a_list_per_row_of_multi_softprob(example: Any) -> None:
    def invoke_endpoint(**_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(b"[0.25, 0.5, 0.25],[0.125, 0.75, 0.125]")}

    runtime = types.SimpleNamespace(invoke_endpoint=invoke_endpoint)
    scores = example("predict").predict(runtime, "shop", [["1"], ["2"]], "csv")
    assert scores == [[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]]


def test_bodies(data: Path, example: Any) -> None:
    body_of = example("predict").body_of
    rows = [["0.5", "-1"], ["2", "0"]]
    assert body_of(rows, "csv") == "0.5,-1\n2,0"
    assert body_of(rows, "libsvm") == "0:0.5 1:-1\n0:2 1:0"
    assert body_of(rows, "json") == "[[0.5, -1], [2, 0]]"


def test_a_dictionary_is_refused_before_it_is_sent(data: Path) -> None:
    with pytest.raises(ParamValidationError, match="Invalid type for parameter Body"):
        boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName="shop", Body={"a": 1})
