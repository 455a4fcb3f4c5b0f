"""Upload a model.tar.gz, deploy it to an endpoint of one instance, and ask it once."""

import argparse
import sys
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

# Where the framework containers find the script; the built-in XGBoost has none.
SCRIPT = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
}


# [start: model]
def create_model(
    sagemaker: BaseClient, name: str, image: str, url: str, role_arn: str, script: bool
) -> None:
    """Image, archive and, for a script, its place (`sagemaker:CreateModel`, `iam:PassRole`)."""
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={
            "Image": image,
            "ModelDataUrl": url,
            "Environment": SCRIPT if script else {},
        },
        ExecutionRoleArn=role_arn,
    )


# [end: model]


def create_endpoint(sagemaker: BaseClient, name: str) -> None:
    """Create it and wait (`sagemaker:CreateEndpointConfig`, `CreateEndpoint`, `DescribeEndpoint`).

    Raises WaiterError: the container does not start, for example because of the archive.
    """
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)


def why(error: Exception) -> str:
    """The FailureReason behind the error of a waiter, or else what the error says."""
    answer = getattr(error, "last_response", {})
    return " ".join(answer.get("FailureReason", str(error)).split()).rstrip(".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of model, configuration and endpoint")
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--image", required=True, help="in your Region")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--script", action="store_true", help="the archive holds code/inference.py")
    parser.add_argument("--row", required=True, help="features to ask with, as CSV")
    arguments = parser.parse_args()
    name, bucket, key = arguments.name, arguments.bucket, f"models/{arguments.name}/model.tar.gz"
    left = "Nothing was made."
    try:
        body = arguments.archive.read_bytes()
        s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
        left = f"If {name} was there before, choose another --name. Else {bucket} may hold {key}."
        s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")  # may serve already
        left = (
            f"{left} Model, configuration and endpoint {name} may be there; an endpoint is billed."
        )
        url = f"s3://{bucket}/{key}"
        create_model(sagemaker, name, arguments.image, url, arguments.role_arn, arguments.script)
        create_endpoint(sagemaker, name)
        answer = boto3.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, ContentType="text/csv", Accept="text/csv", Body=arguments.row
        )
        score = float(answer["Body"].read())
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left} delete_endpoint.py --name {name} deletes them.")
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        sys.exit(f"{why(error)}. {left} delete_endpoint.py --name {name} deletes what there is.")
    print(f"{name}  in service, billed until delete_endpoint.py --name {name} deletes it")
    print(f"prediction {score:.4f}")


if __name__ == "__main__":
    main()
