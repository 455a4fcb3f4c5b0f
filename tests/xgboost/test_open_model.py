import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
URI = f"s3://{BUCKET}/models/model.tar.gz"


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    run("write_data", "--folder", str(tmp_path / "data"), "--rows", "100")
    return tmp_path / "data" / "binary"


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    s3 = client("s3")
    place = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    return s3


def packed(content: bytes, name: str = "xgboost-model") -> bytes:
    member, archive = tarfile.TarInfo(name), io.BytesIO()
    member.size = len(content)
    with tarfile.open(fileobj=archive, mode="w:gz") as made:
        made.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def test_it_opens_and_predicts(run: Run, s3: Any, data: Path) -> None:
    where = ("--bucket", BUCKET, "--train", str(data / "train.csv"))
    assert run("upload_model", *where, "--rounds", "4").status == 0
    file = data / "validation.csv"
    result = run("open_model", "--model-data", URI, "--file", str(file), "--rows", "25")
    assert (result.status, result.errors) == (0, "")
    first, *lines = result.output.splitlines()
    assert first == "4 rounds, 8 features"
    labels = [line.split(",")[0] for line in file.read_text().splitlines()]
    assert [line.split()[1] for line in lines] == labels
    right = [(float(line.split()[3]) > 0.5) == (line.split()[1] == "1") for line in lines]
    assert sum(right) > 15


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (packed(b"binf" + bytes(200)), "The binary format has been deprecated in 1.6 and removed"),
        (packed(pickle.dumps([1, 2])), "The model is a pickle, as images before 1.3-1 save it: "),
        (packed(b"hello"), "Invalid model format in: "),
        (packed(b"{}", "model.json"), "The archive holds no file xgboost-model. Check s3://"),
        (packed(b"{}", "../xgboost-model"), "'../xgboost-model' would be extracted to "),
        (
            packed(b"{}", "/etc/xgboost-model"),
            "The archive holds no file xgboost-model. Check s3://",
        ),
        (b"no archive", "file could not be opened successfully"),
        (packed(bytes(range(256)) * 40)[:-60], "Compressed file ended before the end-of-stream"),
        (b"", "empty file"),
    ],
)
def test_archives_that_are_none(run: Run, s3: Any, data: Path, archive: bytes, said: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="models/model.tar.gz", Body=archive)
    result = run("open_model", "--model-data", URI, "--file", str(data / "validation.csv"))
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert result.errors.endswith(f". Check {URI} and {data / 'validation.csv'}.\n")
    assert result.errors.count("\n") == 1


def test_a_table_with_another_number_of_columns(run: Run, s3: Any, data: Path) -> None:
    where = ("--bucket", BUCKET, "--train", str(data / "train.csv"))
    run("upload_model", *where, "--rounds", "1")
    table = data / "narrow.csv"
    table.write_text("1,0.5\n")
    result = run("open_model", "--model-data", URI, "--file", str(table))
    assert (result.status, result.output) == (1, "")
    assert "1 columns for 8 features. Check s3://" in result.errors


def test_no_such_object_or_table(run: Run, s3: Any, data: Path) -> None:
    result = run("open_model", "--model-data", URI, "--file", str(data / "validation.csv"))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key "
        "does not exist. Check --model-data, AWS_DEFAULT_REGION, credentials.\n"
    )
    result = run("open_model", "--model-data", URI, "--file", str(data / "none.csv"))
    assert (result.status, result.output) == (1, "")
    assert "none.csv not found" in result.errors


def test_a_probability_for_each_class(run: Run, s3: Any, data: Path) -> None:
    table = np.loadtxt(data.parent / "multiclass" / "train.csv", delimiter=",")
    rows = xgboost.DMatrix(table[:, 1:], label=table[:, 0], nthread=1)
    settings = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
    model = xgboost.train(settings, rows, 2)
    s3.put_object(
        Bucket=BUCKET, Key="models/model.tar.gz", Body=packed(bytes(model.save_raw("ubj")))
    )
    file = data.parent / "multiclass" / "train.csv"
    result = run("open_model", "--model-data", URI, "--file", str(file), "--rows", "1")
    assert (result.status, result.errors) == (0, "")
    shown = [float(x) for x in result.output.partition("[")[2].strip("]\n").split()]
    assert shown == pytest.approx(model.predict(rows)[0], abs=6e-5)


@pytest.mark.parametrize("options", [["--rows", "0"], ["--model-data", "models/model.tar.gz"]])
def test_bad_options(run: Run, options: list[str]) -> None:
    result = run("open_model", "--model-data", URI, "--file", "validation.csv", *options)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith("error: --rows: 1 or more; --model-data: begins with s3://\n")
