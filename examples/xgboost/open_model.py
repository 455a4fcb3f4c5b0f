"""Open a model.tar.gz of SageMaker's XGBoost with plain XGBoost, outside SageMaker."""

import argparse
import io
import sys
import tarfile
import tempfile
from pathlib import Path

import boto3
import numpy as np
import xgboost
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def download(s3: BaseClient, uri: str) -> bytes:
    """The object at s3://bucket/key (`s3:GetObject`)."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


# [start: load]
def load(archive: bytes) -> xgboost.Booster:
    """The model in the content of a model.tar.gz.

    Raises ValueError if there is none, or a pickle; TarError if it is no archive; XGBoostError if
    it was saved in another format, with what to do.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")  # no path leads out of the folder
        path = Path(folder, "xgboost-model")
        if not path.is_file():
            raise ValueError("The archive holds no file xgboost-model")
        if path.read_bytes()[:1] == b"\x80":
            raise ValueError(
                "The model is a pickle, as images before 1.3-1 save it: opening it runs code, "
                "so do it only with one of your own, and with the same version of XGBoost"
            )
        model = xgboost.Booster({"nthread": 1})
        model.load_model(path.rename(path.with_suffix(".ubj")))  # the ending names the format
    return model


# [end: load]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-data", required=True, help="s3://bucket/.../model.tar.gz")
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.rows < 1 or not arguments.model_data.startswith("s3://"):
        parser.error("--rows: 1 or more; --model-data: begins with s3://")
    try:
        rows = np.loadtxt(arguments.file, delimiter=",", ndmin=2, max_rows=arguments.rows)
        model = load(download(boto3.client("s3"), arguments.model_data))
        if rows.shape[1] - 1 != model.num_features():  # XGBoost takes fewer columns without a word
            raise ValueError(f"{rows.shape[1] - 1} columns for {model.num_features()} features")
        scores = model.predict(xgboost.DMatrix(rows[:, 1:]))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{str(error).rstrip('.')}. Check --model-data, AWS_DEFAULT_REGION, credentials.")
    except (
        *(OSError, EOFError, ValueError),
        *(tarfile.TarError, xgboost.core.XGBoostError),
    ) as error:
        said = " ".join(str(error).partition("\n\n")[0].partition("Stack trace")[0].split())
        sys.exit(f"{said.rstrip('.')}. Check {arguments.model_data} and {arguments.file}.")
    print(f"{model.num_boosted_rounds()} rounds, {model.num_features()} features")
    for label, score in zip(rows[:, 0], scores, strict=True):
        shown = np.array2string(score, precision=4, floatmode="fixed")  # or one per class
        print(f"label {label:g}  prediction {shown}")


if __name__ == "__main__":
    main()
