"""Pack a model that was trained outside SageMaker as its container wants it, and upload it."""

import argparse
import io
import re
import sys
import tarfile
import warnings
from pathlib import Path

import boto3
import numpy as np
import xgboost
from botocore.exceptions import BotoCoreError, ClientError

SETTINGS = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "seed": 0, "nthread": 1}


def train(table: Path, rounds: int) -> xgboost.Booster:
    """A model of a CSV file without a header, the label first.

    Raises OSError: no such file; ValueError: a cell is not a number, or a label not 0 or 1.
    """
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        rows = np.loadtxt(table, delimiter=",", ndmin=2)
    if rows.shape[1] < 2 or not np.isin(rows[:, 0], [0, 1]).all():
        raise ValueError("no rows, no features, or labels other than 0 and 1")
    data = xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])
    return xgboost.train(SETTINGS, data, num_boost_round=rounds)


# [start: pack]
def pack(model: xgboost.Booster) -> bytes:
    """The content of model.tar.gz: one file, which must be called xgboost-model."""
    content = bytes(model.save_raw("ubj"))  # the format of save_model, not a pickle
    member = tarfile.TarInfo("xgboost-model")
    member.size = len(content)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


# [end: pack]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--key", default="models/model.tar.gz")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds: 1 or more")
    try:
        model = train(arguments.train, arguments.rounds)
    except (OSError, ValueError) as error:
        said = str(error).partition("\n")[0].rpartition(" : ")[2].rstrip(".")
        said = re.sub(r"^\[[\d:]+\] \S+ (Check failed: )?", "", said)
        sys.exit(f"{arguments.train}: {said}. Give numbers without a header, the label first.")
    try:
        # [start: upload]
        s3 = boto3.client("s3")
        s3.put_object(Bucket=arguments.bucket, Key=arguments.key, Body=pack(model))
        # [end: upload]
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {arguments.bucket} holds no new {arguments.key}. Check "
            "the bucket (create_bucket.py makes one), AWS_DEFAULT_REGION and credentials."
        )
    print(f"{model.num_boosted_rounds()} trees for {model.num_features()} features")
    print(f"s3://{arguments.bucket}/{arguments.key}")


if __name__ == "__main__":
    main()
