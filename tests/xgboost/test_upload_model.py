import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from proofs.trace import Trace, watching

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    s3 = client("s3")
    place = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    return s3


@pytest.fixture
def table(run: Run, tmp_path: Path) -> Path:
    run("write_data", "--folder", str(tmp_path / "data"), "--rows", "100")
    return tmp_path / "data" / "binary" / "train.csv"


def test_the_archive_holds_the_model_under_its_name(run: Run, s3: Any, table: Path) -> None:
    result = run(
        *("upload_model", "--train", str(table), "--bucket", BUCKET),
        *("--rounds", "5", "--key", "mine/model.tar.gz"),
    )
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"5 trees for 8 features\ns3://{BUCKET}/mine/model.tar.gz\n"
    body = s3.get_object(Bucket=BUCKET, Key="mine/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        (member,) = archive.getmembers()
        assert (member.name, member.isfile()) == ("xgboost-model", True)
        file = archive.extractfile(member)
        assert file
        packed = xgboost.Booster({"nthread": 1}, model_file=bytearray(file.read()))
    rows = np.loadtxt(table, delimiter=",")
    data = xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])
    settings = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "nthread": 1}
    own = xgboost.train(settings, data, num_boost_round=5)
    assert packed.predict(data) == pytest.approx(own.predict(data))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "train.csv not found."),
        ("label,x\n1,2\n", "could not convert string 'label' to float64 at row 0, column 1."),
        ("7,1\n0,2\n", "no rows, no features, or labels other than 0 and 1."),
        ("", "no rows, no features, or labels other than 0 and 1."),
        ("1,inf\n0,1\n", "csv: valid: Input data contains `inf` or a value too large, while"),
        ("1\n0\n", "no rows, no features, or labels other than 0 and 1."),
    ],
)
def test_tables_that_cannot_be_learned(
    run: Run, tmp_path: Path, content: str | None, said: str
) -> None:
    table = tmp_path / "train.csv"
    if content is not None:
        table.write_text(content)
    with watching(Trace()) as trace:
        result = run("upload_model", "--train", str(table), "--bucket", BUCKET)
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors.startswith(f"{table}: ")
    assert said in result.errors
    assert result.errors.endswith(". Give numbers without a header, the label first.\n")


def test_no_rounds(run: Run, table: Path) -> None:
    result = run("upload_model", "--train", str(table), "--bucket", BUCKET, "--rounds", "0")
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith("error: --rounds: 1 or more\n")


def test_no_bucket(run: Run, table: Path) -> None:
    result = run("upload_model", "--train", str(table), "--bucket", BUCKET, "--rounds", "1")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (NoSuchBucket) when calling the PutObject operation: The specified "
        f"bucket does not exist. {BUCKET} holds no new models/model.tar.gz. Check the bucket "
        "(create_bucket.py makes one), AWS_DEFAULT_REGION and credentials.\n"
    )
