"""A Lambda function behind API Gateway: answers rows of CSV with scores of a SageMaker endpoint."""

import argparse
import json
import os
import sys
from functools import cache
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


@cache
def runtime() -> BaseClient:
    """One client for all requests that an execution environment serves."""
    return boto3.client("sagemaker-runtime")


def respond(status: int, content: dict[str, Any]) -> dict[str, Any]:
    """The answer in the form that API Gateway expects of a proxy integration."""
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(content)}


# [start: handler]
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Score the rows in the body of the request (`sagemaker:InvokeEndpoint`).

    The endpoint's name comes from the setting ENDPOINT_NAME. A request without rows is the
    caller's mistake, answered with 400. Whatever else goes wrong is raised: only then does Lambda
    count it in the metric Errors, which the alarm of the deployment watches.
    """
    rows = (event.get("body") or "").strip()
    if not rows:
        return respond(400, {"message": "send rows of CSV without the label"})
    answer = runtime().invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"],
        ContentType="text/csv",
        Accept="text/csv",
        Body=rows,
    )
    found = answer["Body"].read().decode().replace(",", " ").split()
    scores = [round(float(score), 3) for score in found]
    version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "local")
    return respond(200, {"version": version, "scores": scores})


# [end: handler]


def main() -> None:
    parser = argparse.ArgumentParser(description="Try the handler without Lambda.")
    parser.add_argument("--body", default="", help="of the request: rows of CSV")
    arguments = parser.parse_args()
    try:
        answer = handler({"body": arguments.body}, None)
    except KeyError as error:
        sys.exit(f"The setting {error} is missing: set it to the name of your endpoint.")
    except (BotoCoreError, ClientError) as error:
        said = " ".join(str(error).split())
        sys.exit(f"{said} Check ENDPOINT_NAME, the columns, AWS_DEFAULT_REGION and credentials.")
    print(answer["statusCode"], answer["body"])
    sys.exit(int(answer["statusCode"] != 200))


if __name__ == "__main__":
    main()
