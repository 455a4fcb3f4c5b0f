"""Train the same job on the same rows in different formats, and compare the models byte by byte."""

import argparse
import io
import sys
import tarfile
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TOKYO = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
HYPERPARAMETERS = {"objective": "binary:logistic", "num_round": "20", "max_depth": "3"}
# [start: types]
CONTENT_TYPES = {
    "csv": "text/csv",
    "libsvm": "text/libsvm",
    "parquet": "application/x-parquet",
    "recordio": "application/x-recordio-protobuf",
}
# [end: types]


def check_image(image: str, region: str) -> None:
    """Raises RuntimeError: an image that lies in another Region is refused by SageMaker."""
    if ".ecr." in image and f".ecr.{region}." not in image:
        raise RuntimeError(f"{image} is not in {region}: give --image the image of your Region")


def start_job(
    sagemaker: BaseClient, name: str, how: tuple[str, str], uri: str, content_type: str, output: str
) -> None:
    """Start a training job (`sagemaker:CreateTrainingJob`).

    how: the ARN of the role and the image.
    """
    role_arn, image = how
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=role_arn,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters=HYPERPARAMETERS,
        InputDataConfig=[
            {"ChannelName": "train", "ContentType": content_type, "DataSource": source}
        ],
        OutputDataConfig={"S3OutputPath": output},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def model_of(s3: BaseClient, bucket: str, name: str) -> bytes:
    """The file xgboost-model of a job's model.tar.gz (`s3:GetObject`)."""
    packed = s3.get_object(Bucket=bucket, Key=f"output/{name}/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return archive.extractfile("xgboost-model").read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of write_formats.py")
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--image", default=TOKYO, help="of your Region")
    parser.add_argument("formats", nargs="*", default=list(CONTENT_TYPES), metavar="FORMAT")
    arguments = parser.parse_args()
    bucket, how = arguments.bucket, (arguments.role_arn, arguments.image)
    models, made = {}, []
    unknown = set(arguments.formats) - set(CONTENT_TYPES)
    if unknown:
        parser.error(f"{unknown.pop()}: choose of {', '.join(CONTENT_TYPES)}")
    try:
        s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
        check_image(arguments.image, sagemaker.meta.region_name)
        ended = sagemaker.get_waiter("training_job_completed_or_stopped")
        # [start: compare]
        for form in arguments.formats:
            name, prefix = f"xgb-{form}", f"formats/{form}/"
            content = (arguments.folder / form / f"train.{form}").read_bytes()
            s3.put_object(Bucket=bucket, Key=f"{prefix}train.{form}", Body=content)
            where = (f"s3://{bucket}/{prefix}", CONTENT_TYPES[form], f"s3://{bucket}/output")
            start_job(sagemaker, name, how, *where)
            made.append(name)
            ended.wait(TrainingJobName=name)  # raises WaiterError if the job fails
            models[form] = model_of(s3, bucket, name)
            same = models[form] == next(iter(models.values()))
            print(
                f"{CONTENT_TYPES[form]:33}  {len(models[form])} bytes  equal to the first: {same}"
            )
        # [end: compare]
    except (OSError, BotoCoreError, ClientError, RuntimeError, KeyboardInterrupt) as error:
        jobs = "No job was started"
        if made:
            jobs = (
                f"Of the jobs {', '.join(made)} the last may run, for 10 minutes at most: "
                "delete_job.py deletes jobs and their logs in /aws/sagemaker/TrainingJobs"
            )
        said = str(error).rstrip(".") or "Interrupted"
        sys.exit(f"{said}. {jobs}; remove_bucket.py deletes the data and models in {bucket}.")


if __name__ == "__main__":
    main()
