"""Predict every row of a CSV file by a batch transform job, without an endpoint."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError, WaiterError


def create_model(
    sagemaker: BaseClient, name: str, image: str, model_data: str, role_arn: str
) -> None:
    """Name the image and the model.tar.gz that belong together (`sagemaker:CreateModel`)."""
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": model_data},
        ExecutionRoleArn=role_arn,
    )


def check_image(image: str, region: str) -> None:
    """Raises RuntimeError: an image that lies in another Region is refused by SageMaker."""
    if ".ecr." in image and f".ecr.{region}." not in image:
        raise RuntimeError(f"{image} is not in {region}: give --image the image of your Region")


# [start: transform]
def start_job(sagemaker: BaseClient, name: str, source: str, target: str) -> None:
    """Start the job, of the model of the same name (`sagemaker:CreateTransformJob`)."""
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": "text/csv",
            "SplitType": "Line",  # a record is a line; without it, a whole file is one request
        },
        TransformOutput={"S3OutputPath": target, "Accept": "text/csv", "AssembleWith": "Line"},
        DataProcessing={
            "InputFilter": "$[1:]",  # the model gets all columns but the label
            "JoinSource": "Input",  # the prediction becomes the last column of its input
            "OutputFilter": "$[0,-1]",  # the file keeps the label and the prediction
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )


# [end: transform]


def why_failed(sagemaker: BaseClient, name: str) -> str | None:
    """Wait for the end of a job (`DescribeTransformJob`); None if it has not failed.

    Raises WaiterError: the job cannot be watched, or does not end.
    """
    waiter = sagemaker.get_waiter("transform_job_completed_or_stopped")
    try:
        waiter.wait(TransformJobName=name)
    except WaiterError as error:  # to the waiter, a failed job is an error
        if error.last_response.get("TransformJobStatus") != "Failed":
            raise
        return " ".join(error.last_response["FailureReason"].split())
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the job and of its model")
    parser.add_argument("--image", required=True, help="the algorithm's image in your Region")
    parser.add_argument("--model-key", default="models/model.tar.gz")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--file", default="validation/validation.csv", help="key; label first")
    arguments = parser.parse_args()
    name, bucket, key = arguments.name, arguments.bucket, arguments.file
    file = key.rpartition("/")[2]
    model_data = f"s3://{bucket}/{arguments.model_key}"
    left = f"Nothing was made. If a model {name} is there already, choose another --name."
    runs = False
    try:
        sagemaker = boto3.client("sagemaker")
        check_image(arguments.image, sagemaker.meta.region_name)
        create_model(sagemaker, name, arguments.image, model_data, arguments.role_arn)
        left = f"The model {name} may be left: delete_endpoint.py deletes it."
        try:
            start_job(sagemaker, name, f"s3://{bucket}/{key}", f"s3://{bucket}/predictions")
            runs, job = True, f"The job {name} writes below predictions/ in {bucket}"
            left = f"{job} and is billed until its end (stop-transform-job ends it). {left}"
            failure, runs = why_failed(sagemaker, name), False
        finally:
            if not runs:  # a job that runs may need its model
                sagemaker.delete_model(ModelName=name)
        left = f"The job {name} has ended, its model is deleted; see predictions/ in {bucket}."
        if failure:
            raise RuntimeError(failure)
        found = boto3.client("s3").get_object(Bucket=bucket, Key=f"predictions/{file}.out")
        lines = found["Body"].read().decode().splitlines()
        if not lines:
            raise RuntimeError(f"No prediction was made: is s3://{bucket}/{key} empty?")
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "Check the options, AWS_DEFAULT_REGION and credentials."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(f"s3://{bucket}/predictions/{file}.out  {len(lines)} lines: label, prediction")
    for line in lines[:3]:
        print(f"  {line}")


if __name__ == "__main__":
    main()
