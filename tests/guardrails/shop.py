"""The endpoint shop with its three versions, as the programs of examples/guardrails make it."""

from pathlib import Path

import boto3
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES
from proofs.trace import Answer, Call, Trace

BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
ALARMS = ["shop-4xx", "shop-5xx", "shop-latency"]


def start(name: str, *arguments: str) -> Result:
    """Run `slug/name`; without a slug it is one of guardrails."""
    path = name if "/" in name else f"guardrails/{name}"
    return run_script(EXAMPLES / f"{path}.py", list(arguments))


def upload(folder: Path, rounds: int = 2) -> Path:
    """The three versions in a bucket of the lab; returns the validation data."""
    start("xgboost/write_data", "--folder", str(folder), "--rows", "40")
    data = folder / "binary"
    start("xgboost/create_bucket", "--bucket", BUCKET, "--folder", str(data))
    given = ("--train", str(data / "train.csv"), "--bucket", BUCKET, "--rounds", str(rounds))
    assert start("upload_versions", *given).status == 0
    return data / "validation.csv"


def configure(*versions: str, instances: int = 2) -> None:
    """Configurations and models `shop-v1`, …"""
    for version in versions:
        model = f"s3://{BUCKET}/models/{version}/model.tar.gz"
        given = ("--image", IMAGE, "--model-data", model, "--role-arn", ROLE)
        name = f"shop-{version}"
        assert start("create_config", "--name", name, "--instances", str(instances), *given) == (
            Result(
                0,
                f"{name}  variant AllTraffic  {instances} x ml.m5.large  "
                "not billed until an endpoint runs\n",
                "",
            )
        )


def open_shop(folder: Path) -> Path:
    """shop serves v1; v2 and v3 are configured. Returns the validation data."""
    file = upload(folder)
    configure("v1", "v2", "v3")
    assert start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1").status == 0
    return file


def serving(endpoint: str = "shop") -> tuple[str, str]:
    """The status of an endpoint and its configuration, asked by a client of the test."""
    found = boto3.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    return found["EndpointStatus"], found["EndpointConfigName"]


def interrupted_after(operation: str) -> Trace:
    """The first call that follows this operation is interrupted."""

    def interrupt(trace: Trace, call: Call) -> Answer | None:
        if operation in [earlier.operation for earlier in trace.calls[:-1]]:
            raise KeyboardInterrupt
        return None

    return Trace(interrupt)
