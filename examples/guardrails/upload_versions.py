"""Train three versions of a model and upload each as its container wants it; v3 is a bad one."""

import argparse
import io
import sys
import tarfile
import warnings
from pathlib import Path

import boto3
import numpy as np
import xgboost
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

SETTINGS = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "seed": 0, "nthread": 1}


def read_table(path: Path) -> np.ndarray:
    """The rows of a CSV file without a header, the label (0 or 1) first, then 8 features.

    Raises OSError: no such file; ValueError: a cell is not a number, or it is another table.
    """
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        rows = np.loadtxt(path, delimiter=",", ndmin=2)
    if rows.shape[1] != 9 or not np.isin(rows[:, 0], [0, 1]).all():
        raise ValueError("not a label of 0 or 1 and 8 features in each row")
    return rows


# [start: versions]
def train_versions(rows: np.ndarray, rounds: int) -> dict[str, xgboost.Booster]:
    """v2 learns longer than v1. v3 knows 4 features, and its callers send 8: it refuses them."""

    def train(features: int, times: int) -> xgboost.Booster:
        data = xgboost.DMatrix(rows[:, 1 : 1 + features], label=rows[:, 0])
        return xgboost.train(SETTINGS, data, num_boost_round=times)

    return {"v1": train(8, rounds), "v2": train(8, 3 * rounds), "v3": train(4, rounds)}


# [end: versions]


def pack(model: xgboost.Booster) -> bytes:
    """The content of a model.tar.gz: one file, which must be called xgboost-model."""
    content = bytes(model.save_raw("ubj"))
    member = tarfile.TarInfo("xgboost-model")
    member.size = len(content)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def upload(s3: BaseClient, bucket: str, version: str, model: xgboost.Booster) -> str:
    """Store a version in the bucket (`s3:PutObject`); returns its address."""
    key = f"models/{version}/model.tar.gz"
    s3.put_object(Bucket=bucket, Key=key, Body=pack(model))
    return f"s3://{bucket}/{key}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument(
        "--rounds", type=int, default=20, help="of v1 and v3; v2 has 3 times as many"
    )
    parser.add_argument("--bucket", required=True)
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds: 1 or more")
    advice = "Give the train.csv of write_data.py."
    try:
        versions = train_versions(read_table(arguments.train), arguments.rounds)
    except OSError as error:  # names the file itself
        sys.exit(f"{str(error).rstrip('.')}. {advice}")
    except ValueError as error:
        sys.exit(f"{arguments.train}: {str(error).rstrip('.')}. {advice}")
    try:
        s3 = boto3.client("s3")
        for version, model in versions.items():
            address = upload(s3, arguments.bucket, version, model)
            print(f"{version}  {model.num_features()} features  {address}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Not all versions are in {arguments.bucket}: run this again "
            "once the bucket (create_bucket.py makes one), AWS_DEFAULT_REGION and credentials are "
            "right; remove_bucket.py removes what is there."
        )


if __name__ == "__main__":
    main()
