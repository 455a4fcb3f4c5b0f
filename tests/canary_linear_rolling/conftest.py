"""The endpoint shop of four instances, in a lab that the tests of a module share."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from awslab.embedded import embedded_lab
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES
from proofs.trace import Trace, watching

BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
ROW = "0,0,0,0,0,0,0,0"


def start(example: str, *arguments: str) -> Result:
    return run_script(EXAMPLES / f"{example}.py", list(arguments))


def prepare(example: str, *arguments: str) -> None:
    result = start(example, *arguments)
    assert result.status == 0, result.errors


def described() -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("sagemaker").describe_endpoint(EndpointName="shop")
    return found


def wait() -> None:
    boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="shop")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The configurations shop-v1, -v2 and -v3, alarms on the last two, and the endpoint."""
    folder = tmp_path_factory.mktemp("shop")
    with embedded_lab():
        prepare("xgboost/write_data", "--folder", str(folder), "--rows", "40")
        data = folder / "binary"
        prepare("xgboost/create_bucket", "--bucket", BUCKET, "--folder", str(data))
        train = ("--train", str(data / "train.csv"), "--rounds", "2")
        prepare("guardrails/upload_versions", *train, "--bucket", BUCKET)
        for version in ("v1", "v2", "v3"):
            artifact = f"s3://{BUCKET}/models/{version}/model.tar.gz"
            where = ("--model-data", artifact, "--role-arn", ROLE, "--image", IMAGE)
            name = ("--name", f"shop-{version}", "--instances", "4")
            prepare("guardrails/create_config", *name, *where)
            if version != "v1":
                watched = ("--endpoint", "shop", "--config", f"shop-{version}")
                prepare("guardrails/create_alarm", *watched)
        prepare("guardrails/create_endpoint", "--endpoint", "shop", "--config", "shop-v1")
        yield


@pytest.fixture
def shop(versions: None) -> None:
    """The endpoint serves shop-v1, and nothing happens to it."""
    wait()
    if described()["EndpointConfigName"] != "shop-v1":
        boto3.client("sagemaker").update_endpoint(EndpointName="shop", EndpointConfigName="shop-v1")
        wait()


@pytest.fixture
def update(shop: None, request: pytest.FixtureRequest) -> Callable[..., Result]:
    """`update("v2", "--wait", "60")`: the program that the test file is about."""
    program = request.path.stem.removeprefix("test_")

    def begin(version: str, *options: str) -> Result:
        config = f"shop-{version}"
        names = ("--endpoint", "shop", "--config", config)
        alarms = ("--alarms", f"{config}-4xx", f"{config}-5xx")
        return start(f"canary_linear_rolling/{program}", *names, *alarms, *options)

    return begin


@pytest.fixture
def alarm_on(shop: None) -> str:
    """The name of an alarm that is in ALARM before an update begins."""
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="shop-on",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0.05,
    )
    cloudwatch.set_alarm_state(AlarmName="shop-on", StateValue="ALARM", StateReason="a drill")
    return "shop-on"


def refused(update: Callable[..., Result], *alarms: str) -> str:
    """What is said about alarms that stop an update to shop-v2 before it changes anything."""
    before = described()
    with watching(Trace()) as trace:
        result = update("v2", "--alarms", *alarms)
    assert (result.status, result.output) == (1, "")
    assert [call.operation for call in trace.calls] == ["DescribeAlarms"]
    after = described()
    for found in (before, after):
        del found["ResponseMetadata"]
    assert (after["EndpointStatus"], after) == ("InService", before)
    return result.errors


def follow(requests: int = 10) -> list[tuple[str, bool]]:
    """Look until the update has ended and send requests after each look: what happens to the
    variants (`Baking 1`: with traffic on one new instance), and whether all were answered."""
    runtime, seen = boto3.client("sagemaker-runtime"), []
    while True:
        endpoint = described()
        well = True
        for _ in range(requests):
            try:
                runtime.invoke_endpoint(EndpointName="shop", ContentType="text/csv", Body=ROW)
            except runtime.exceptions.ModelError:
                well = False
        pending = endpoint.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        happens = [
            f"{status['Status']} {counted[1]}"
            for variant in endpoint["ProductionVariants"] + pending
            for status in variant.get("VariantStatus", [])
            if (counted := re.search(r"(\d+) instance", status["StatusMessage"]))
        ]
        seen.append((", ".join(happens) or endpoint["EndpointStatus"], well))
        if endpoint["EndpointStatus"] == "InService":
            return seen
