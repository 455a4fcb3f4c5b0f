"""Invocations: which model answers, what the client sees of it, and what is measured."""

import io
import json
import os
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK, now
from awslab.embedded import environment
from awslab.extension import reset
from awslab.services.sagemaker import hosting
from awslab.services.sagemaker.endpoints import find_endpoint
from awslab.services.sagemaker.runtime import drain
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends

IMAGE = "763104351884.dkr.ecr.ap-northeast-1.amazonaws.com/pytorch-inference:2.6-cpu-py312"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
BUCKET = "amzn-s3-demo-bucket"
ONCE = {"retries": {"total_max_attempts": 1}}
JSON = "application/json"
pause = threading.Event().wait  # the lab has patched time.sleep

# What it does, the request says; without a word it says who it is.
SCRIPT = """
import json, os, threading, time

LOCK, AT_WORK, MOST = threading.Lock(), [0], [0]

def model_fn(model_dir):
    return os.environ["MODEL"]

def transform_fn(model, data, content_type, accept, context):
    name = "X-Amzn-SageMaker-Custom-Attributes"
    given = context.get_request_header(0, name)
    if given:
        context.set_response_header(0, name, given.upper())
    if content_type != "application/json":
        return data, content_type
    wanted = json.loads(data)
    with LOCK:
        AT_WORK[0] += 1
        MOST[0] = max(MOST[0], AT_WORK[0])
    time.sleep(wanted.get("sleep", 0))
    with LOCK:
        AT_WORK[0] -= 1
    if wanted.get("fail") in (model, "all"):
        error = ValueError("no prediction by " + model)
        error.status_code = wanted.get("status", 500)
        raise error
    if "chunks" in wanted:
        return iter(wanted["chunks"]), "text/plain"
    said = {"model": model, "pid": os.getpid(), "most": MOST[0], "accept": accept}
    return json.dumps(said), "application/json"
"""


def archive(script: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        info = tarfile.TarInfo("code/inference.py")
        info.size = len(script.encode())
        opened.addfile(info, io.BytesIO(script.encode()))
    return packed.getvalue()


def variant(name: str, model: str | None = None, **more: Any) -> dict[str, Any]:
    """A production variant of the model of the same name, on one instance."""
    chosen = {"VariantName": name, "ModelName": model or name} | more
    if "ServerlessConfig" not in more:
        chosen = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1} | chosen
    return chosen


class Shop:
    """Models that say their names, endpoints of them, and what clients hear."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self.client = client
        self.sagemaker = client("sagemaker")
        self.runtime = client("sagemaker-runtime", **ONCE)
        self.s3 = client("s3")
        where = {"LocationConstraint": "ap-northeast-1"}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        self.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive(SCRIPT))

    def model(self, name: str) -> None:
        container = {
            "Image": IMAGE,
            "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
            "Environment": {"MODEL": name},
        }
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container
        )

    def configure(self, name: str, *variants: dict[str, Any], **config: Any) -> None:
        known = {model["ModelName"] for model in self.sagemaker.list_models()["Models"]}
        chosen = [*variants, *config.get("ShadowProductionVariants", [])]
        for model in {each["ModelName"] for each in chosen} - known:
            self.model(model)
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants), **config
        )

    def deploy(self, name: str, *variants: dict[str, Any], **config: Any) -> None:
        self.configure(name, *variants, **config)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.wait(name)

    def wait(self, name: str) -> None:
        if not CLOCK.instant:
            CLOCK.advance(600)
        self.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)

    def ask(self, endpoint: str = "shop", content_type: str = JSON, **wanted: Any) -> Any:
        """What the model answers to an invocation; members of the request begin with a capital."""
        members = {k: v for k, v in wanted.items() if k[0].isupper()}
        body = json.dumps({k: v for k, v in wanted.items() if k not in members})
        answer = self.runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType=content_type, **{"Body": body} | members
        )
        return json.loads(answer["Body"].read())

    def refusal(self, call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
        with pytest.raises(ClientError) as refused:
            call(**arguments)
        found: dict[str, Any] = refused.value.response
        return found

    def metric(self, name: str, statistic: str = "Sum", **dimensions: str) -> float | None:
        """Over all data points of the metric."""
        found = self.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
            StartTime=now() - timedelta(days=1),
            EndTime=now() + timedelta(days=1),
            Period=86400 * 3,
            Statistics=[statistic],
        )["Datapoints"]
        assert len(found) < 2
        return float(found[0][statistic]) if found else None

    def object(self, uri: str) -> bytes:
        key = uri.removeprefix(f"s3://{BUCKET}/")
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body


@pytest.fixture
def shop(client: Callable[..., Any]) -> Shop:
    return Shop(client)


@pytest.fixture
def frozen() -> Iterator[None]:
    CLOCK.run(0)
    yield
    CLOCK.run(None)


def soon(check: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not check() and time.monotonic() < deadline:
        pause(0.01)
    return check()


# --- endpoints that cannot answer -----------------------------------------------------------------


def test_endpoints_that_are_not_there(shop: Shop) -> None:
    def said(runtime: Any, account: str = "111122223333") -> None:
        error = shop.refusal(runtime.invoke_endpoint, EndpointName="shop", Body=b"{}")
        assert error["Error"] == {
            "Code": "ValidationError",
            "Message": f"Endpoint shop of account {account} not found.",
        }
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400

    said(shop.runtime)
    shop.configure("shop", variant("blue"))
    shop.sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop")
    said(shop.runtime)  # Creating
    shop.wait("shop")
    assert shop.ask()["model"] == "blue"
    said(shop.client("sagemaker-runtime", region="us-east-1"))
    assumed = shop.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/other", RoleSessionName="test"
    )["Credentials"]
    other = boto3.client(
        "sagemaker-runtime",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
    said(other, "444455556666")
    shop.sagemaker.delete_endpoint(EndpointName="shop")
    said(shop.runtime)


def test_an_endpoint_whose_model_fails_says_so_and_where(shop: Shop) -> None:
    shop.s3.put_object(
        Bucket=BUCKET, Key="model.tar.gz", Body=archive("def model_fn(d): raise OSError('torn')\n")
    )
    shop.configure("shop", variant("blue"))
    shop.sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop")

    def status() -> str:
        return str(shop.sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"])

    assert soon(lambda: status() == "Failed", 60)
    assert shop.sagemaker.describe_endpoint(EndpointName="shop")["FailureReason"] == (
        "The primary container for production variant blue did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    logs = shop.client("logs")
    group = "/aws/sagemaker/Endpoints/shop"
    [stream] = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert stream["logStreamName"].startswith("blue/i-")
    messages = [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]]
    assert messages[0] == "Traceback (most recent call last):"
    assert messages[-1] == "OSError: torn"
    error = shop.refusal(shop.runtime.invoke_endpoint, EndpointName="shop", Body=b"{}")
    assert error["Error"]["Message"] == "Endpoint shop of account 111122223333 not found."


# --- what goes in and comes out -------------------------------------------------------------------


def test_any_bytes_of_any_type(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"))
    for body, content_type in [
        (b"\xff\x00\xfe binary", "application/x-npy"),
        ("あ,1".encode(), "text/csv"),
        (b"{not json", "application/jsonlines"),
        (b"[1, 2]", "application/vnd.shop+json"),
        (b"x" * 6_291_456, "text/plain"),
    ]:
        answer = shop.runtime.invoke_endpoint(
            EndpointName="shop", Body=body, ContentType=content_type
        )
        assert answer["ContentType"] == content_type
        assert answer["Body"].read() == body
    assert answer["InvokedProductionVariant"] == "blue"
    assert "CustomAttributes" not in answer


def test_headers_of_request_and_answer(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"))
    answer = shop.runtime.invoke_endpoint(
        EndpointName="shop",
        Body=b"{}",
        ContentType=JSON,
        Accept="application/jsonlines",
        CustomAttributes="trace=a1",
        InferenceId="order-17",
    )
    assert answer["CustomAttributes"] == "TRACE=A1"
    assert json.loads(answer["Body"].read())["accept"] == "application/jsonlines"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_requests_that_the_model_of_the_api_forbids(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"))
    invoke = shop.runtime.invoke_endpoint
    error = shop.refusal(invoke, EndpointName="shop", Body=b"x" * 6_291_457)["Error"]
    assert error == {
        "Code": "ValidationError",
        "Message": "1 validation error detected: Value at 'body' failed to satisfy constraint: "
        "Member must have length less than or equal to 6291456",
    }
    error = shop.refusal(invoke, EndpointName="my_shop", Body=b"1")["Error"]
    assert error["Message"].startswith(
        "1 validation error detected: Value 'my_shop' at 'endpointName' failed to satisfy"
    )
    error = shop.refusal(invoke, EndpointName="shop", Body=b"1", InferenceId=65 * "a")["Error"]
    assert "less than or equal to 64" in error["Message"]


@pytest.mark.parametrize(
    ("member", "value", "what"),
    [
        ("TargetModel", "a.tar.gz", "multi-model endpoints"),
        (
            "TargetContainerHostname",
            "a",
            "multi-container endpoints with direct invocation",
        ),
        ("EnableExplanations", "`true`", "explainers"),
        ("SessionId", "NEW_SESSION", "stateful sessions"),
    ],
)
def test_what_the_lab_has_not(shop: Shop, member: str, value: str, what: str) -> None:
    shop.deploy("shop", variant("blue"))
    invoke = shop.runtime.invoke_endpoint
    error = shop.refusal(invoke, EndpointName="shop", Body=b"{}", **{member: value})["Error"]
    assert error == {
        "Code": "ValidationError",
        "Message": f"Endpoint shop takes no {member}: the lab has no {what}.",
    }


def test_errors_of_the_model(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"))

    def error(**wanted: Any) -> dict[str, Any]:
        return shop.refusal(
            shop.runtime.invoke_endpoint,
            EndpointName="shop",
            ContentType=JSON,
            Body=json.dumps(wanted),
        )

    found = error(fail="blue", status=415)
    assert found["Error"]["Code"] == "ModelError"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert found["OriginalStatusCode"] == 415
    assert found["OriginalMessage"].startswith("no prediction by blue\nTraceback")
    assert found["LogStreamArn"] == (
        "arn:aws:logs:ap-northeast-1:111122223333:log-group:/aws/sagemaker/Endpoints/shop"
    )
    message = found["Error"]["Message"]
    assert message.startswith(
        'Received client error (415) from primary with message "no prediction by blue\n'
    )
    assert message.endswith(
        '". See https://ap-northeast-1.console.aws.amazon.com/cloudwatch/home?region='
        "ap-northeast-1#logEventViewer:group=/aws/sagemaker/Endpoints/shop in account "
        "111122223333 for more information."
    )
    found = error(fail="blue")
    assert found["OriginalStatusCode"] == 500
    assert found["Error"]["Message"].startswith("Received server error (500) from primary with")

    def messages() -> list[str]:
        group = "/aws/sagemaker/Endpoints/shop"
        events = shop.client("logs").filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]

    assert soon(lambda: messages().count("ValueError: no prediction by blue") == 2)


def test_a_slow_model(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting.ModelServer.invoke, "__defaults__", ("", 0.3))
    shop.deploy("shop", variant("blue"))
    error = shop.refusal(
        shop.runtime.invoke_endpoint, EndpointName="shop", ContentType=JSON, Body=b'{"sleep": 2}'
    )
    assert error["OriginalStatusCode"] == 0
    assert error["Error"]["Message"].startswith(
        'Received server error (0) from primary with message "Your invocation timed out while '
        "waiting for a response from container primary. Review the latency metrics for each "
        'container in Amazon CloudWatch, resolve the issue, and try again.". See https://'
    )


def test_a_killed_model_server(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"))
    first = shop.ask()["pid"]
    os.kill(first, 9)
    error = shop.refusal(
        shop.runtime.invoke_endpoint, EndpointName="shop", ContentType=JSON, Body=b"{}"
    )
    assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 0)
    assert error["OriginalMessage"] == (
        "An error occurred while handling request as the model process exited."
    )
    assert shop.ask()["pid"] != first
    names = {"EndpointName": "shop", "VariantName": "blue"}
    assert shop.metric("Invocation5XXErrors", **names) == 1
    assert shop.metric("InvocationModelErrors", **names) == 1


def test_reset_ends_the_servers(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"), ShadowProductionVariants=[variant("shadow")])
    pid = shop.ask(sleep=0.2)["pid"]
    reset()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert drain(0)


# --- which variant answers ------------------------------------------------------------------------


def answers(shop: Shop, count: int, endpoint: str = "shop", **wanted: Any) -> list[str]:
    return [shop.ask(endpoint, **wanted)["model"] for _ in range(count)]


def test_weights_share_the_traffic_and_the_same_calls_meet_the_same_models(shop: Shop) -> None:
    variants = [
        variant("blue", InitialVariantWeight=3.0),
        variant("green", InitialVariantWeight=1.0),
        variant("grey", InitialVariantWeight=0.0),
    ]
    shop.deploy("shop", *variants)
    first = answers(shop, 80)
    counts = Counter(first)
    assert set(counts) == {"blue", "green"} and 50 <= counts["blue"] <= 70
    shop.sagemaker.delete_endpoint(EndpointName="shop")
    shop.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="shop")
    shop.sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop")
    shop.wait("shop")
    assert answers(shop, 80) == first


def test_a_target_overrides_the_weights(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"), variant("grey", InitialVariantWeight=0.0))
    assert answers(shop, 3, TargetVariant="grey") == ["grey"] * 3
    answer = shop.runtime.invoke_endpoint(
        EndpointName="shop", ContentType=JSON, Body=b"{}", TargetVariant="grey"
    )
    assert answer["InvokedProductionVariant"] == "grey"
    error = shop.refusal(
        shop.runtime.invoke_endpoint, EndpointName="shop", Body=b"{}", TargetVariant="red"
    )["Error"]
    assert error == {
        "Code": "ValidationError",
        "Message": "Variant red of endpoint shop of account 111122223333 not found.",
    }


def test_without_any_weight_all_variants_are_alike(shop: Shop) -> None:
    names = ("blue", "green")
    shop.deploy("shop", *(variant(name, InitialVariantWeight=0.0) for name in names))
    assert set(answers(shop, 20)) == {"blue", "green"}


def test_two_fleets_share_the_traffic(shop: Shop, frozen: None) -> None:
    shop.deploy("shop", variant("only", "blue", InitialInstanceCount=10))
    shop.configure("next", variant("only", "green", InitialInstanceCount=10))
    canary = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30},
        "WaitIntervalInSeconds": 600,
    }
    shop.sagemaker.update_endpoint(
        EndpointName="shop",
        EndpointConfigName="next",
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": canary}},
    )
    assert set(answers(shop, 5)) == {"blue"}
    CLOCK.advance(400)  # launched and shifted, now it bakes
    counts = Counter(answers(shop, 100))
    assert 18 <= counts["green"] <= 42 and counts["blue"] == 100 - counts["green"]
    names = {"EndpointName": "shop", "VariantName": "only"}
    assert shop.metric("Invocations", **names) == 105
    assert shop.metric("Invocations", **names, EndpointConfigName="next") == counts["green"]
    CLOCK.advance(3600)
    assert set(answers(shop, 5)) == {"green"}


def test_eight_clients_at_once(shop: Shop) -> None:
    shop.deploy(
        "shop",
        variant("blue"),
        ShadowProductionVariants=[variant("shadow")],
        DataCaptureConfig={
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
    )
    with ThreadPoolExecutor(8) as pool:
        pids = set(pool.map(lambda _: shop.ask()["pid"], range(80)))
    assert len(pids) == 1
    assert drain(30)
    for name in ("blue", "shadow"):
        assert shop.metric("Invocations", EndpointName="shop", VariantName=name) == 80
    captured = shop.s3.list_objects_v2(Bucket=BUCKET, Prefix="capture/shop/")["Contents"]
    assert len(captured) == 160


def test_the_concurrency_of_a_serverless_variant(shop: Shop) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    shop.deploy("shop", variant("blue", ServerlessConfig=serverless))
    endpoint = find_endpoint(sagemaker_backends["111122223333"]["ap-northeast-1"], "shop")
    assert endpoint
    server = endpoint.variants()[0].server
    with ThreadPoolExecutor(2) as pool:
        slow_ones = [pool.submit(shop.ask, sleep=2) for _ in range(2)]
        assert soon(lambda: server.in_flight == 2)
        error = shop.refusal(
            shop.runtime.invoke_endpoint, EndpointName="shop", ContentType=JSON, Body=b"{}"
        )
        assert error["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        assert [each.result()["model"] for each in slow_ones] == ["blue", "blue"]
    assert shop.ask()["model"] == "blue"
    assert shop.metric("Invocations", EndpointName="shop", VariantName="blue") == 3


# --- shadows --------------------------------------------------------------------------------------


def test_a_shadow_gets_its_share_and_nobody_hears_of_it(shop: Shop) -> None:
    shadow = variant("shadow", InitialVariantWeight=0.5)
    shop.deploy("shop", variant("blue"), ShadowProductionVariants=[shadow])
    names = {"EndpointName": "shop", "VariantName": "shadow"}
    assert set(answers(shop, 40, fail="shadow")) == {"blue"}
    assert drain(30)
    copies = shop.metric("Invocations", **names)
    assert copies is not None and 12 <= copies <= 28
    assert shop.metric("Invocation5XXErrors", **names) == copies
    assert shop.metric("Invocations", **names, EndpointConfigName="shop") == copies
    assert shop.metric("Invocation5XXErrors", EndpointName="shop", VariantName="blue") == 0


def test_a_slow_shadow_delays_nobody(shop: Shop) -> None:
    script = SCRIPT.replace("time.sleep(wanted", "time.sleep(model == 'shadow' and wanted")
    shop.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive(script))
    shop.deploy("shop", variant("blue"), ShadowProductionVariants=[variant("shadow")])
    started = time.monotonic()
    assert shop.ask(sleep=2)["model"] == "blue"
    assert time.monotonic() - started < 1.5
    assert not drain(0)
    assert drain(30)
    assert shop.metric("Invocations", EndpointName="shop", VariantName="shadow") == 1


def test_who_looks_in_the_instant_gait_sees_the_copies(shop: Shop) -> None:
    script = SCRIPT.replace("time.sleep(wanted", "time.sleep(model == 'shadow' and wanted")
    shop.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive(script))
    shop.deploy("shop", variant("blue"), ShadowProductionVariants=[variant("shadow")])
    shop.ask(sleep=0.5)
    shop.ask(sleep=0.1)  # the runtime itself does not wait
    assert not drain(0)
    assert shop.metric("Invocations", EndpointName="shop", VariantName="shadow") == 2


def test_a_shadow_is_no_target(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"), ShadowProductionVariants=[variant("shadow")])
    error = shop.refusal(
        shop.runtime.invoke_endpoint, EndpointName="shop", Body=b"{}", TargetVariant="shadow"
    )["Error"]
    assert error["Message"] == "Variant shadow of endpoint shop of account 111122223333 not found."


# --- metrics --------------------------------------------------------------------------------------


def test_what_is_measured(shop: Shop) -> None:
    shop.deploy("shop", variant("blue", InitialInstanceCount=4))
    shop.ask(sleep=0.2)
    for status in (400, 500):
        wanted = {"fail": "blue", "status": status}
        shop.refusal(
            shop.runtime.invoke_endpoint,
            EndpointName="shop",
            ContentType=JSON,
            Body=json.dumps(wanted),
        )
    names = {"EndpointName": "shop", "VariantName": "blue"}
    for dimensions in (names, names | {"EndpointConfigName": "shop"}):
        sums = {
            "Invocations": 3,
            "InvocationsPerInstance": 0.75,
            "Invocation4XXErrors": 1,
            "Invocation5XXErrors": 1,
            "InvocationModelErrors": 2,
        }
        assert {name: shop.metric(name, **dimensions) for name in sums} == sums
        assert shop.metric("Invocation5XXErrors", "Average", **dimensions) == pytest.approx(1 / 3)
        assert 200_000 <= (shop.metric("ModelLatency", "Maximum", **dimensions) or 0) < 2_000_000
        assert 0 < (shop.metric("OverheadLatency", "Maximum", **dimensions) or 0) < 1_000_000
    metrics = shop.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": k, "Value": v} for k, v in names.items()],
        StartTime=now() - timedelta(hours=1),
        EndTime=now() + timedelta(hours=1),
        Period=7200,
        Statistics=["SampleCount"],
    )["Datapoints"]
    assert {(m["Unit"], m["SampleCount"]) for m in metrics} == {("Microseconds", 3)}


def test_what_names_nothing_is_not_measured(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"))
    shop.refusal(shop.runtime.invoke_endpoint, EndpointName="shop", Body=b"{}", TargetVariant="red")
    assert shop.metric("Invocations", EndpointName="shop", VariantName="blue") is None


# --- asynchronous inference -----------------------------------------------------------------------


def queue(**output: Any) -> dict[str, Any]:
    paths = {"S3OutputPath": f"s3://{BUCKET}/out/", "S3FailurePath": f"s3://{BUCKET}/failed"}
    return {"AsyncInferenceConfig": {"OutputConfig": paths | output}}


def send(shop: Shop, **members: Any) -> dict[str, Any]:
    wanted = {"EndpointName": "shop", "ContentType": JSON} | members
    answer: dict[str, Any] = shop.runtime.invoke_endpoint_async(**wanted)
    return answer


def test_an_answer_in_s3(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"), **queue())
    shop.s3.put_object(Bucket=BUCKET, Key="in/1.json", Body=b"{}")
    answer = send(shop, InputLocation=f"s3://{BUCKET}/in/1.json")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    name = answer["InferenceId"]
    assert answer["OutputLocation"] == f"s3://{BUCKET}/out/{name}.out"
    assert answer["FailureLocation"] == f"s3://{BUCKET}/failed/{name}-error.out"
    assert json.loads(shop.object(answer["OutputLocation"]))["model"] == "blue"
    inline = send(
        shop,
        Body=b"{}",
        InferenceId="order-17",
        Filename="answer.json",
        S3OutputPathExtension="today/",
    )
    assert inline["InferenceId"] == "order-17"
    assert inline["OutputLocation"] == f"s3://{BUCKET}/out/today/answer.json"
    assert json.loads(shop.object(inline["OutputLocation"]))["model"] == "blue"
    assert shop.metric("Invocations", EndpointName="shop", VariantName="blue") == 2


def test_failures_in_s3(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"), **queue())
    failed = send(shop, Body=b'{"fail": "blue"}')
    assert shop.object(failed["FailureLocation"]).startswith(b"no prediction by blue\n")
    with pytest.raises(ClientError, match="NoSuchKey"):
        shop.object(failed["OutputLocation"])
    missing = send(shop, InputLocation=f"s3://{BUCKET}/in/none.json")
    assert (
        shop.object(missing["FailureLocation"])
        == (
            f"ClientError: Unable to download the input from s3://{BUCKET}/in/none.json: "
            f"No object in/none.json in the bucket {BUCKET}."
        ).encode()
    )
    late = send(shop, Body=b'{"sleep": 3}', InvocationTimeoutSeconds=1)
    assert shop.object(late["FailureLocation"]).startswith(b"Your invocation timed out")


def test_requests_that_are_not_queued(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"), **queue())
    shop.deploy("plain", variant("blue"))

    loose = shop.client("sagemaker-runtime", parameter_validation=False)

    def message(**members: Any) -> str:
        error = shop.refusal(loose.invoke_endpoint_async, **{"EndpointName": "shop"} | members)[
            "Error"
        ]
        assert error["Code"] == "ValidationError"
        return str(error["Message"])

    location = f"s3://{BUCKET}/in/1.json"
    exactly = "Provide exactly one of Body and InputLocation."
    assert message() == exactly
    assert message(Body=b"{}", InputLocation=location) == exactly
    assert message(EndpointName="none", InputLocation=location) == (
        "Endpoint none of account 111122223333 not found."
    )
    assert message(EndpointName="plain", InputLocation=location) == (
        "Endpoint plain of account 111122223333 does not support this inference type."
    )
    assert message(Body=128_001 * b"x").endswith("length less than or equal to 128000")
    assert "at 'requestTTLSeconds'" in message(InputLocation=location, RequestTTLSeconds=59)
    error = shop.refusal(shop.runtime.invoke_endpoint, EndpointName="shop", Body=b"{}")["Error"]
    assert error == {
        "Code": "ValidationError",
        "Message": "Endpoint shop of account 111122223333 does not support this inference type.",
    }


class Ear:
    """A queue that hears a topic."""

    def __init__(self, shop: Shop, name: str) -> None:
        sns, self.sqs = shop.client("sns"), shop.client("sqs")
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])

    def hears(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"]) for message in found.get("Messages", [])]
        return [json.loads(body["Message"]) for body in bodies]


def test_notifications(shop: Shop, frozen: None) -> None:
    success, error = Ear(shop, "success"), Ear(shop, "error")
    topics = {
        "SuccessTopic": success.topic,
        "ErrorTopic": error.topic,
        "IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC"],
    }
    shop.deploy("shop", variant("blue"), **queue(NotificationConfig=topics))
    shop.s3.put_object(Bucket=BUCKET, Key="in/1.json", Body=b"{}")
    location = f"s3://{BUCKET}/in/1.json"
    good = send(shop, InputLocation=location, Accept=JSON)
    bad = send(shop, Body=b'{"fail": "blue", "status": 400}')
    assert drain(30)
    [heard] = success.hears()
    at = heard.pop("eventTime")
    assert (
        at
        == heard.pop("receivedTime")
        == f"{now():%Y-%m-%dT%H:%M:%S}.{now().microsecond // 1000:03}Z"
    )
    assert heard == {
        "awsRegion": "ap-northeast-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": JSON,
            "contentType": JSON,
            "endpointName": "shop",
            "inputLocation": location,
        },
        "responseParameters": {"contentType": JSON, "outputLocation": good["OutputLocation"]},
        "inferenceId": good["InferenceId"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    [heard] = error.hears()
    assert heard["invocationStatus"] == "Failed"
    assert heard["inferenceId"] == bad["InferenceId"]
    assert heard["requestParameters"] == {"contentType": JSON, "endpointName": "shop"}
    assert heard["failureReason"] == (
        "ClientError: Received client error (400) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )
    assert heard["responseBody"]["encoding"] == "BASE64"


def test_a_topic_that_is_gone_hears_nothing(shop: Shop) -> None:
    gone = {"SuccessTopic": "arn:aws:sns:ap-northeast-1:111122223333:gone"}
    shop.deploy("shop", variant("blue"), **queue(NotificationConfig=gone))
    answer = send(shop, Body=b"{}")
    assert json.loads(shop.object(answer["OutputLocation"]))["model"] == "blue"


def test_no_more_at_a_time_than_configured(shop: Shop, frozen: None) -> None:
    config = queue()
    config["AsyncInferenceConfig"]["ClientConfig"] = {"MaxConcurrentInvocationsPerInstance": 2}
    shop.deploy("shop", variant("blue"), **config)
    sent = [send(shop, Body=b'{"sleep": 0.2}') for _ in range(6)]
    assert soon(lambda: shop.metric("Invocations", EndpointName="shop", VariantName="blue") == 6)
    assert drain(30)
    most = [json.loads(shop.object(each["OutputLocation"]))["most"] for each in sent]
    assert max(most) == 2


def capacity(shop: Shop, count: int) -> None:
    shop.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredInstanceCount": count}],
    )
    shop.wait("shop")


def test_requests_wait_for_instances(shop: Shop, frozen: None) -> None:
    shop.deploy("shop", variant("blue"), **queue())
    capacity(shop, 0)
    waiting = send(shop, Body=b"{}")
    expiring = send(shop, Body=b"{}", RequestTTLSeconds=60)
    assert drain(5)
    CLOCK.advance(120)
    with pytest.raises(ClientError, match="NoSuchKey"):
        shop.object(waiting["OutputLocation"])
    assert shop.object(expiring["FailureLocation"]) == b""
    names = {"EndpointName": "shop"}
    assert shop.metric("HasBacklogWithoutCapacity", "Maximum", **names) == 1
    for name in ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance"):
        assert shop.metric(name, "Maximum", **names) == 2
    capacity(shop, 1)
    CLOCK.advance(60)
    assert drain(30)
    assert json.loads(shop.object(waiting["OutputLocation"]))["model"] == "blue"


# --- streams --------------------------------------------------------------------------------------


def test_a_stream_of_parts(shop: Shop) -> None:
    shop.deploy("shop", variant("blue"))
    answer = shop.runtime.invoke_endpoint_with_response_stream(
        EndpointName="shop",
        ContentType=JSON,
        Body=b'{"chunks": ["one ", "two ", "three"]}',
        CustomAttributes="a",
    )
    assert answer["ContentType"] == "text/plain"
    assert (answer["InvokedProductionVariant"], answer["CustomAttributes"]) == ("blue", "A")
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    assert parts == [b"one ", b"two ", b"three"]
    whole = shop.runtime.invoke_endpoint_with_response_stream(
        EndpointName="shop", ContentType="text/csv", Body=b"1,2"
    )
    assert [event["PayloadPart"]["Bytes"] for event in whole["Body"]] == [b"1,2"]


def test_streams_that_fail(shop: Shop) -> None:
    stream = shop.runtime.invoke_endpoint_with_response_stream
    error = shop.refusal(stream, EndpointName="shop", Body=b"{}")["Error"]
    assert error["Message"] == "Endpoint shop of account 111122223333 not found."
    shop.deploy("shop", variant("blue"))
    error = shop.refusal(stream, EndpointName="shop", ContentType=JSON, Body=b'{"fail": "blue"}')
    assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 500)


# --- over HTTP ------------------------------------------------------------------------------------


def test_over_http(lab_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(AWS_ENDPOINT_URL=lab_server).items():
        monkeypatch.setenv(name, value)

    def client(service: str, **config: Any) -> BaseClient:
        return boto3.client(service, config=Config(**config))

    shop = Shop(client)
    shop.configure("shop", variant("blue"), ShadowProductionVariants=[variant("shadow")])
    shop.configure("queue", variant("blue"), **queue())
    for name in ("shop", "queue"):
        shop.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    for name in ("shop", "queue"):
        shop.wait(name)
    for body in (b"\xff\x00\xfe", b"x" * 1_000_000):
        answer = shop.runtime.invoke_endpoint(
            EndpointName="shop", Body=body, ContentType="application/x-npy", CustomAttributes="a"
        )
        assert answer["Body"].read() == body
        assert answer["ContentType"] == "application/x-npy"
        assert (answer["InvokedProductionVariant"], answer["CustomAttributes"]) == ("blue", "A")
    error = shop.refusal(
        shop.runtime.invoke_endpoint,
        EndpointName="shop",
        ContentType=JSON,
        Body=b'{"fail": "blue"}',
    )
    assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 500)
    answer = shop.runtime.invoke_endpoint_with_response_stream(
        EndpointName="shop", ContentType=JSON, Body=b'{"chunks": ["one ", "two"]}'
    )
    assert [event["PayloadPart"]["Bytes"] for event in answer["Body"]] == [b"one ", b"two"]
    sent = send(shop, EndpointName="queue", Body=b"{}")
    assert json.loads(shop.object(sent["OutputLocation"]))["model"] == "blue"
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: shop.ask()["model"], range(40))) == {"blue"}
    assert shop.metric("Invocations", EndpointName="shop", VariantName="blue") == 44
