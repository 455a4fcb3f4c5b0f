import io
import tarfile
from pathlib import Path

import boto3
import numpy as np
import pytest
import xgboost
from guardrails.shop import BUCKET, start, upload
from proofs.trace import Answer, Call, Trace, refusal, watching


def stored(version: str) -> xgboost.Booster:
    """A version as it lies in the bucket."""
    key = f"models/{version}/model.tar.gz"
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert (member.name, member.isfile()) == ("xgboost-model", True)
        assert content
        return xgboost.Booster(model_file=bytearray(content.read()))


def test_three_versions(lab: None, tmp_path: Path) -> None:
    file = upload(tmp_path / "data", rounds=4)
    models = {version: stored(version) for version in ("v1", "v2", "v3")}
    assert [model.num_boosted_rounds() for model in models.values()] == [4, 12, 4]
    assert [model.num_features() for model in models.values()] == [8, 8, 4]
    rows = np.loadtxt(file, delimiter=",")
    data = xgboost.DMatrix(rows[:, 1:])
    scores = {version: models[version].predict(data) for version in ("v1", "v2")}
    assert all(((score > 0) & (score < 1)).all() for score in scores.values())
    assert np.abs(scores["v1"] - scores["v2"]).max() > 0.01  # another model
    with pytest.raises(ValueError, match="Feature shape mismatch"):
        models["v3"].inplace_predict(rows[:, 1:])


def test_what_it_says(lab: None, tmp_path: Path) -> None:
    file = upload(tmp_path / "data")
    given = ("--train", str(file), "--bucket", BUCKET, "--rounds", "1")
    result = start("upload_versions", *given)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"v1  8 features  s3://{BUCKET}/models/v1/model.tar.gz\n"
        f"v2  8 features  s3://{BUCKET}/models/v2/model.tar.gz\n"
        f"v3  4 features  s3://{BUCKET}/models/v3/model.tar.gz\n"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "train.csv not found"),
        ("", "not a label of 0 or 1 and 8 features"),
        ("1,2,3\n", "not a label of 0 or 1 and 8 features"),
        ("2,1,1,1,1,1,1,1,1\n", "not a label of 0 or 1 and 8 features"),
        ("a,b\n", "could not convert string"),
    ],
)
def test_another_table(lab: None, tmp_path: Path, text: str | None, why: str) -> None:
    file = tmp_path / "train.csv"
    if text is not None:
        file.write_text(text)
    with watching(Trace()) as trace:
        result = start("upload_versions", "--train", str(file), "--bucket", BUCKET)
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert why in result.errors
    assert result.errors.count(str(file)) == 1
    assert ".." not in result.errors
    assert result.errors.endswith(". Give the train.csv of write_data.py.\n")


def test_no_rounds(lab: None, tmp_path: Path) -> None:
    given = ("--train", "none.csv", "--bucket", BUCKET, "--rounds", "0")
    result = start("upload_versions", *given)
    assert (result.status, result.output) == (2, "")
    assert "--rounds: 1 or more" in result.errors


def test_only_a_part_is_uploaded(lab: None, tmp_path: Path) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("AccessDenied", "No.", 403) if len(trace.calls) == 2 else None

    file = upload(tmp_path / "data")
    boto3.resource("s3").Bucket(BUCKET).objects.filter(Prefix="models/").delete()
    with watching(Trace(refuse)):
        result = start("upload_versions", "--train", str(file), "--bucket", BUCKET)
    assert (result.status, result.output.count("\n")) == (1, 1)
    assert f"Not all versions are in {BUCKET}: run this again" in result.errors
    found = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="models/")["Contents"]
    assert [item["Key"] for item in found] == ["models/v1/model.tar.gz"]
