"""Endpoints of models that are scripts: their servers start in a moment."""

import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from awslab.run import Result

Smcli = Callable[..., Result]
Client = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-models"
CAPTURED = f"s3://{BUCKET}/captured"
REGISTRY = "763104351884.dkr.ecr.ap-northeast-1.amazonaws.com"
IMAGE = f"{REGISTRY}/pytorch-inference:2.6.0-cpu-py312"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
ARN = "arn:aws:sagemaker:ap-northeast-1:111122223333"
ECHO = """
def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode("latin-1")
    return f"{content_type} {accept} {text}", "text/plain"
"""
BROKEN = "raise RuntimeError('no weights')"
BILLED = (
    "An endpoint on instances is billed until you delete it: "
    "smcli endpoint-delete shop --with-config\n"
)


def pack(script: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(script)
        archive.addfile(member, io.BytesIO(script.encode()))
    return packed.getvalue()


@pytest.fixture
def models(artifact: str) -> None:
    """The models good, better and broken."""
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    for name, script in (("good", ECHO), ("better", ECHO), ("broken", BROKEN)):
        s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=pack(script))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz"}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)


@pytest.fixture
def shop(models: None, smcli: Smcli) -> None:
    """The endpoint shop serves good with shop-v1; shop-v2 and shop-v3 name better and broken."""
    for version, model in (("v1", "good"), ("v2", "better"), ("v3", "broken")):
        configured = smcli("endpoint-config-create", f"shop-{version}", model, "ml.m5.large", "2")
        assert configured.status == 0
    assert smcli("endpoint-create", "shop", "shop-v1", "--wait").status == 0


def serving(client: Client) -> tuple[str, str]:
    found = client("sagemaker").describe_endpoint(EndpointName="shop")
    return found["EndpointStatus"], found["EndpointConfigName"]


def names(client: Client) -> tuple[list[str], list[str], list[str]]:
    """Of endpoints, configurations and models."""
    sagemaker = client("sagemaker")
    return (
        sorted(each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]),
        sorted(
            each["EndpointConfigName"]
            for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]
        ),
        sorted(each["ModelName"] for each in sagemaker.list_models()["Models"]),
    )


def interrupt(seconds: float) -> None:
    raise KeyboardInterrupt


# --- configurations ------------------------------------------------------------------------------


@pytest.mark.usefixtures("models")
def test_endpoint_config_create_makes_one_variant_on_instances(
    smcli: Smcli, client: Client
) -> None:
    made = smcli("endpoint-config-create", "shop-config", "good")
    assert made == Result(
        0,
        f"{ARN}:endpoint-config/shop-config\n",
        "next: smcli endpoint-create shop shop-config\n",
    )
    smcli("endpoint-config-create", "large", "good", "ml.g5.xlarge", "3")
    found = [
        client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
        for name in ("shop-config", "large")
    ]
    expected = {
        "VariantName": "AllTraffic",
        "ModelName": "good",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    assert found[0]["ProductionVariants"] == [expected]
    assert found[1]["ProductionVariants"] == [
        expected | {"InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 3}
    ]
    assert not {"AsyncInferenceConfig", "DataCaptureConfig"} & set(found[0])


@pytest.mark.usefixtures("models")
def test_endpoint_config_create_makes_what_the_options_ask_for(
    smcli: Smcli, client: Client
) -> None:
    variants = ("--variant", "a=good:ml.m5.large:2:9", "--variant", "b=better")
    for arguments in (
        ("ab", *variants, "--data-capture", CAPTURED),
        ("sampled", "good", "--data-capture", CAPTURED, "--sampling", "0"),
        ("serverless", "good", "--serverless"),
        ("larger", "good", "--serverless", "--memory", "6144", "--max-concurrency", "20"),
        ("queue", "good", "--async-output", f"s3://{BUCKET}/answers"),
        ("shadow", "good", "--shadow", "shadow=better:ml.m5.large:1:0.5"),
    ):
        made = smcli("endpoint-config-create", *arguments)
        assert (made.status, made.errors.count("\n")) == (0, 1), made.errors
    found = {
        name: client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
        for name in names(client)[1]
    }
    a, b = found["ab"]["ProductionVariants"]
    assert (a["InitialInstanceCount"], a["InitialVariantWeight"]) == (2, 9.0)
    assert b == {
        "VariantName": "b",
        "ModelName": "better",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    assert found["ab"]["DataCaptureConfig"] == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": CAPTURED,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json"],
        },
    }
    assert found["sampled"]["DataCaptureConfig"]["InitialSamplingPercentage"] == 0
    for name, memory, concurrency in (("serverless", 2048, 5), ("larger", 6144, 20)):
        [variant] = found[name]["ProductionVariants"]
        assert "InstanceType" not in variant
        assert variant["ServerlessConfig"] == {
            "MemorySizeInMB": memory,
            "MaxConcurrency": concurrency,
        }
    assert found["queue"]["AsyncInferenceConfig"]["OutputConfig"] == {
        "S3OutputPath": f"s3://{BUCKET}/answers"
    }
    [shadow] = found["shadow"]["ShadowProductionVariants"]
    assert (shadow["ModelName"], shadow["InitialVariantWeight"]) == ("better", 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Name a model, or give --variant NAME=MODEL:TYPE:COUNT:WEIGHT."),
        (("a_b",), "'a_b': a name has letters, digits"),
        (("good", "ml.m5.large", "0"), "0 is not in the range x>=1"),
        (("good", "ml.m5.lage"), "is not one of the"),
        (("good", "ml.t3.medium"), "'ml.t3.medium' is not one of the"),
        (("good", "--serverless", "--memory", "1500"), "'1500' is not one of '1024', '2048'"),
        (("good", "--serverless", "--max-concurrency", "201"), "201 is not in the range"),
        (("good", "ml.m5.large", "--serverless"), "--serverless and INSTANCE_TYPE cannot be used"),
        (("--serverless", "--variant", "a=good"), "--serverless and --variant cannot be used"),
        (
            ("good", "--serverless", "--shadow", "a=good"),
            "--serverless and --shadow cannot be used",
        ),
        (
            ("good", "--serverless", "--async-output", CAPTURED),
            "--serverless and --async-output cannot be used",
        ),
        (
            ("good", "--serverless", "--data-capture", CAPTURED),
            "--serverless and --data-capture cannot be used",
        ),
        (("good", "--memory", "2048"), "--memory works only with --serverless."),
        (("good", "--max-concurrency", "1"), "--max-concurrency works only with --serverless."),
        (("good", "--sampling", "5"), "--sampling works only with --data-capture."),
        (("good", "--data-capture", CAPTURED, "--sampling", "101"), "101 is not in the range"),
        (("good", "--data-capture", "bucket"), "is not of the form s3://bucket/prefix"),
        (("good", "--variant", "a=good"), "--variant and MODEL cannot be used together."),
        (("--variant", "good"), "'good' is not of the form NAME=MODEL:TYPE:COUNT:WEIGHT"),
        (("--variant", "a=good:ml.m5.large:1:1:1"), "is not of the form NAME=MODEL"),
        (("--variant", "a="), "'': a name has letters"),
        (("--variant", "a=good:ml.m5.large:none"), "'none' is not a valid integer range"),
        (("--variant", "a=good:ml.m5.large:1:-1"), "-1.0 is not in the range"),
        (("--variant", "a=good:ml.m5.large:1:nan"), "the weight is not a number"),
        (("--variant", "a=good:ml.m5.large:1:inf"), "the weight is not a number"),
        (("--variant", "a=good", "--variant", "a=better"), "Two variants have the name a."),
        (("good", "--shadow", "AllTraffic=better"), "Two variants have the name AllTraffic."),
        (
            ("--variant", "a=good", "--variant", "b=good", "--shadow", "c=good"),
            "--shadow works only with one variant.",
        ),
        (
            ("good", "--shadow", "a=good", "--async-output", CAPTURED),
            "--shadow and --async-output cannot be used together.",
        ),
        (
            tuple(word for n in range(11) for word in ("--variant", f"v{n}=good")),
            "ProductionVariants has 11 entries; the maximum is 10",
        ),
    ],
)
@pytest.mark.usefixtures("lab")
def test_endpoint_config_create_refuses_before_any_call(
    smcli: Smcli, client: Client, arguments: tuple[str, ...], message: str
) -> None:
    refused = smcli("endpoint-config-create", "shop-config", *arguments)
    assert (refused.status, refused.output) == (252, "")
    assert message in refused.errors


@pytest.mark.usefixtures("models")
def test_endpoint_config_create_says_what_aws_refuses(smcli: Smcli, client: Client) -> None:
    no_model = smcli("endpoint-config-create", "shop-config", "absent")
    assert (no_model.status, no_model.output) == (254, "")
    assert no_model.errors == (
        f'error: ValidationException: Could not find model "{ARN}:model/absent".\n'
        "Next: see the names with smcli model-list.\n"
    )
    smcli("endpoint-config-create", "shop-config", "good")
    again = smcli("endpoint-config-create", "shop-config", "better")
    assert again.status == 254
    assert again.errors.endswith("Next: choose another name: a configuration never changes.\n")
    dry = smcli("endpoint-config-create", "other", "good", "--dry-run")
    assert (dry.status, dry.errors) == (0, "")
    request = json.loads(dry.output)["request"]
    assert set(request) == {"EndpointConfigName", "ProductionVariants"}
    assert names(client)[1] == ["shop-config"]


@pytest.mark.usefixtures("models")
def test_endpoint_config_list_shows_the_newest_first(smcli: Smcli) -> None:
    assert smcli("endpoint-config-list") == Result(0, "", "0 items\n")
    for name in ("first", "second"):
        smcli("endpoint-config-create", name, "good")
    table = smcli("endpoint-config-list")
    assert table.output.splitlines()[0].split() == ["Name", "Created"]
    assert [line.split()[0] for line in table.output.splitlines()[2:]] == ["second", "first"]
    assert table.errors == "2 items\n"


@pytest.mark.usefixtures("shop")
def test_endpoint_config_delete_refuses_one_in_use(smcli: Smcli, client: Client) -> None:
    used = smcli("endpoint-config-delete", "shop-v1", "--yes")
    assert used == Result(
        1,
        "",
        "error: The endpoint shop uses the configuration shop-v1. Delete both with: "
        "smcli endpoint-delete shop --with-config\n",
    )
    client("sagemaker").update_endpoint(EndpointName="shop", EndpointConfigName="shop-v2")
    coming = smcli("endpoint-config-delete", "shop-v2", "--yes")
    assert "uses the configuration shop-v2" in coming.errors
    assert smcli("endpoint-config-delete", "shop-v3").status == 252  # nobody can be asked
    dry = smcli("endpoint-config-delete", "shop-v3", "--dry-run")
    assert json.loads(dry.output)["request"] == {"EndpointConfigName": "shop-v3"}
    assert names(client)[1] == ["shop-v1", "shop-v2", "shop-v3"]
    deleted = smcli("endpoint-config-delete", "shop-v3", "--yes")
    assert deleted == Result(0, "", "Deleted the endpoint configuration shop-v3.\n")
    assert names(client)[1] == ["shop-v1", "shop-v2"]
    missing = smcli("endpoint-config-delete", "shop-v3", "--yes")
    assert missing.status == 254
    assert missing.errors.endswith("Next: see the names with smcli endpoint-config-list.\n")


@pytest.mark.usefixtures("shop")
def test_endpoint_config_delete_takes_one_whose_endpoint_is_being_deleted(
    smcli: Smcli, client: Client
) -> None:
    client("sagemaker").delete_endpoint(EndpointName="shop")
    assert smcli("endpoint-config-delete", "shop-v1", "--yes").status == 0


# --- endpoints -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("models")
def test_endpoint_create_says_how_to_look_at_it(smcli: Smcli, client: Client) -> None:
    smcli("endpoint-config-create", "shop-v1", "good")
    dry = smcli("endpoint-create", "shop", "shop-v1", "--dry-run", "--wait")
    assert (dry.status, dry.errors) == (0, "")
    assert json.loads(dry.output)["operation"] == "CreateEndpoint"
    assert names(client)[0] == []
    made = smcli("endpoint-create", "shop", "shop-v1")
    assert made == Result(
        0, f"{ARN}:endpoint/shop\n", f"next: smcli endpoint-describe shop\n{BILLED}"
    )
    again = smcli("endpoint-create", "shop", "shop-v1")
    assert again.status == 254
    assert again.errors.endswith(
        "Next: move it to this configuration with smcli endpoint-update shop shop-v1.\n"
    )
    no_config = smcli("endpoint-create", "other", "absent")
    assert no_config.status == 254
    assert no_config.errors.endswith("Next: see the names with smcli endpoint-config-list.\n")
    assert smcli("endpoint-create", "a_b", "shop-v1").status == 252
    assert names(client)[0] == ["shop"]


@pytest.mark.usefixtures("models")
def test_endpoint_create_waits(
    smcli: Smcli, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, model in (("v1", "good"), ("v3", "broken")):
        smcli("endpoint-config-create", f"shop-{version}", model)
    made = smcli("endpoint-create", "shop", "shop-v1", "--wait")
    assert made == Result(
        0,
        f"{ARN}:endpoint/shop\n",
        f"{BILLED}endpoint shop: Creating\nendpoint shop: InService\n"
        "next: smcli endpoint-invoke shop PAYLOAD\n",
    )
    failed = smcli("endpoint-create", "bad", "shop-v3", "--wait")
    assert (failed.status, failed.output) == (1, f"{ARN}:endpoint/bad\n")
    assert failed.errors.endswith(
        "error: endpoint bad: Failed: The primary container for production variant AllTraffic did "
        "not pass the ping health check. Please check CloudWatch logs for this endpoint.\n"
        "Its log: aws logs tail /aws/sagemaker/Endpoints/bad\n"
    )
    late = smcli("endpoint-create", "late", "shop-v1", "--wait", "--timeout", "0")
    assert late.status == 124
    assert late.errors.endswith(
        "error: endpoint late is still Creating after 0 s. It continues; check it with: "
        "smcli endpoint-describe late\n"
    )
    monkeypatch.setattr("smcli.waiting.time.sleep", interrupt)
    stopped = smcli("endpoint-create", "stopped", "shop-v1", "--wait")
    assert stopped.status == 130
    assert stopped.errors.endswith(
        "Stopped waiting; endpoint stopped continues. Check it with: "
        "smcli endpoint-describe stopped\n"
    )
    assert names(client)[0] == ["bad", "late", "shop", "stopped"]


@pytest.mark.usefixtures("shop")
def test_endpoint_list_shows_their_status(smcli: Smcli) -> None:
    smcli("endpoint-create", "bad", "shop-v3", "--wait")
    table = smcli("endpoint-list")
    assert [line.split()[:2] for line in table.output.splitlines() if "-" not in line[:3]] == [
        ["Name", "Status"],
        ["bad", "Failed"],
        ["shop", "InService"],
    ]
    assert table.errors == "2 items\n"


@pytest.mark.usefixtures("models")
def test_endpoint_list_shows_all_pages(smcli: Smcli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awslab.services.sagemaker.endpoints.hosting.ModelServer", Idle)
    smcli("endpoint-config-create", "shop-v1", "good")
    for number in range(12):  # a page has ten
        smcli("endpoint-create", f"shop-{number}", "shop-v1")
    assert smcli("endpoint-list").errors == "12 items\n"


def rows(result: Result) -> dict[str, str]:
    """The fields of a description by their headers, times left out."""
    assert result.status == 0, result.errors
    pairs = [line.split("  ", 1) for line in result.output.splitlines()]
    return {
        header: value.strip() for header, value in pairs if header not in ("Created", "Changed")
    }


@pytest.mark.usefixtures("shop")
def test_endpoint_describe_shows_variants_and_an_update_on_its_way(
    smcli: Smcli, client: Client
) -> None:
    sagemaker = client("sagemaker")
    assert rows(smcli("endpoint-describe", "shop")) == {
        "Name": "shop",
        "Status": "InService",
        "Configuration": "shop-v1",
        "Variant AllTraffic": "instances: 2, weight: 1",
    }
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 3, "DesiredWeight": 4}
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=[change]
    )
    assert rows(smcli("endpoint-describe", "shop", COLUMNS="200"))["Variant AllTraffic"] == (
        "instances: 2 (desired: 3), weight: 1 (desired: 4); "
        "Updating: Scaling out desired instance count to 3."
    )
    smcli("endpoint-describe", "shop")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="shop-v2")
    assert rows(smcli("endpoint-describe", "shop", COLUMNS="200")) == {
        "Name": "shop",
        "Status": "Updating",
        "Configuration": "shop-v1",
        "Variant AllTraffic": "instances: 3, weight: 4",
        "New configuration": "shop-v2",
        "New variant AllTraffic": "ml.m5.large, instances: 0 (desired: 2), weight: 1; "
        "Creating: Launching 2 instance(s).",
    }
    answer = json.loads(smcli("endpoint-describe", "shop", "--output", "json").output)
    assert answer["PendingDeploymentSummary"]["EndpointConfigName"] == "shop-v2"
    missing = smcli("endpoint-describe", "absent")
    assert missing.status == 254
    assert missing.errors.endswith("Next: see the names with smcli endpoint-list.\n")


@pytest.mark.usefixtures("models")
def test_endpoint_describe_shows_what_kind_it_is(smcli: Smcli) -> None:
    for name, *arguments in (
        ("serverless", "good", "--serverless"),
        ("queue", "good", "--async-output", f"s3://{BUCKET}/answers"),
        ("shadow", "good", "--shadow", "copy=better", "--data-capture", CAPTURED),
        ("bad", "broken"),
    ):
        smcli("endpoint-config-create", name, *arguments)
        smcli("endpoint-create", name, name, "--wait")
    assert rows(smcli("endpoint-describe", "serverless"))["Variant AllTraffic"] == (
        "serverless, 2048 MB, concurrency: 5, weight: 1"
    )
    text = smcli("endpoint-describe", "serverless", "--output", "text", LANGUAGE="ja").output
    assert "\tserverless, 2048 MB, concurrency: 5, weight: 1\t" in text
    assert rows(smcli("endpoint-describe", "queue"))["Answers in"] == f"s3://{BUCKET}/answers"
    shadow = rows(smcli("endpoint-describe", "shadow"))
    assert shadow["Shadow copy"] == "instances: 1, weight: 1"
    assert shadow["Data capture"] == f"Started, 100 % to {CAPTURED}"
    bad = rows(smcli("endpoint-describe", "bad", COLUMNS="300"))
    assert bad["Status"] == "Failed"
    assert bad["Reason"].startswith("The primary container for production variant AllTraffic did")


# --- updates -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_endpoint_update_tells_a_rollback_from_a_success(smcli: Smcli, client: Client) -> None:
    done = smcli("endpoint-update", "shop", "shop-v2", "--wait")
    assert (done.status, done.output) == (0, f"{ARN}:endpoint/shop\n")
    assert done.errors == (
        "endpoint shop: Updating/Creating\n"
        "endpoint shop: Updating/ActivatingTraffic\n"
        "endpoint shop: Updating/Deleting\n"
        "endpoint shop: InService\n"
        "shop serves shop-v2.\n"
    )
    assert serving(client) == ("InService", "shop-v2")
    back = smcli("endpoint-update", "shop", "shop-v3", "--wait")
    assert back.status == 1
    assert back.errors.endswith(
        "endpoint shop: InService\n"
        "error: shop was rolled back: it serves shop-v2, not shop-v3. The primary container for "
        "production variant AllTraffic did not pass the ping health check. Please check "
        "CloudWatch logs for this endpoint.\n"
        "Its log: aws logs tail /aws/sagemaker/Endpoints/shop\n"
    )
    assert serving(client) == ("InService", "shop-v2")


@pytest.mark.usefixtures("shop")
def test_endpoint_update_says_that_a_rollback_without_a_reason_is_none_either(
    smcli: Smcli, client: Client
) -> None:
    from smcli.commands.endpoints import verify
    from smcli.ending import Failed

    endpoint = client("sagemaker").describe_endpoint(EndpointName="shop")
    with pytest.raises(Failed, match=r"serves shop-v1, not shop-v2\. AWS gave no reason"):
        verify(endpoint, "shop-v2")
    verify(endpoint, "shop-v1")


@pytest.mark.usefixtures("shop")
def test_endpoint_update_is_rolled_back_by_an_alarm(smcli: Smcli, client: Client) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="shop-5xx", Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors",
        Statistic="Average", Period=60, EvaluationPeriods=1, Threshold=0.05,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        Dimensions=[{"Name": "EndpointName", "Value": "shop"}],
    )  # fmt: skip
    started = smcli("endpoint-update", "shop", "shop-v2", "--alarm", "shop-5xx")
    assert (started.status, started.errors) == (
        0,
        "next: smcli endpoint-describe shop\n"
        "InService does not mean success: after a rollback shop still serves shop-v1.\n",
    )
    sent = client("sagemaker").describe_endpoint(EndpointName="shop")["LastDeploymentConfig"]
    assert sent == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
            "TerminationWaitInSeconds": 300,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "shop-5xx"}]},
    }
    busy = smcli("endpoint-update", "shop", "shop-v3")
    assert busy.status == 254
    assert busy.errors.endswith(
        "Next: wait until it is InService; check with smcli endpoint-describe shop.\n"
    )
    client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="shop")
    assert serving(client) == ("InService", "shop-v2")
    reason = "The test says so."
    cloudwatch.set_alarm_state(AlarmName="shop-5xx", StateValue="ALARM", StateReason=reason)
    back = smcli("endpoint-update", "shop", "shop-v1", "--alarm", "shop-5xx", "--wait")
    assert back.status == 1
    assert "error: shop was rolled back: it serves shop-v2, not shop-v1. An alarm" in back.errors
    unknown = smcli("endpoint-update", "shop", "shop-v1", "--alarm", "absent")
    assert unknown.status == 254
    assert unknown.errors.endswith("Next: see the alarms with aws cloudwatch describe-alarms.\n")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), None),
        (
            ("--wait-seconds", "60"),
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "ALL_AT_ONCE",
                        "WaitIntervalInSeconds": 0,
                    },
                    "TerminationWaitInSeconds": 60,
                }
            },
        ),
        (
            ("--strategy", "canary", "--canary-size", "1"),
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "CANARY",
                        "WaitIntervalInSeconds": 300,
                        "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    },
                    "TerminationWaitInSeconds": 300,
                }
            },
        ),
        (
            ("--strategy", "linear", "--step-size", "50%", "--wait-seconds", "0"),
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "LINEAR",
                        "WaitIntervalInSeconds": 0,
                        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                    },
                    "TerminationWaitInSeconds": 0,
                }
            },
        ),
        (
            ("--strategy", "rolling", "--step-size", "5%", "--wait-seconds", "120"),
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 5},
                    "WaitIntervalInSeconds": 120,
                }
            },
        ),
    ],
)
def test_endpoint_update_sends_the_strategy(
    smcli: Smcli,
    client: Client,
    models: None,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    expected: dict[str, Any] | None,
) -> None:
    """AWS takes the request that the dry run shows; no server is needed to see that."""
    monkeypatch.setattr("awslab.services.sagemaker.endpoints.hosting.ModelServer", Idle)
    for name in ("shop-v1", "shop-v2"):
        smcli("endpoint-config-create", name, "good", "ml.m5.large", "2")
    smcli("endpoint-create", "shop", "shop-v1", "--wait")
    dry = smcli("endpoint-update", "shop", "shop-v2", *options, "--dry-run")
    request = json.loads(dry.output)["request"]
    assert request.get("DeploymentConfig") == expected
    assert serving(client) == ("InService", "shop-v1")
    done = smcli("endpoint-update", "shop", "shop-v2", *options, "--wait")
    warned = (
        "Without --alarm, nothing rolls back a model that gives wrong answers.\n" in done.errors
    )
    assert (done.status, warned) == (0, expected is not None)
    found = client("sagemaker").describe_endpoint(EndpointName="shop")
    assert found.get("LastDeploymentConfig") == expected


class Idle:
    """A model server that is ready at once, and never asked."""

    failure = None
    in_flight = 0
    ended = False

    def __init__(self, *_: Any) -> None:
        pass

    def ready(self, seconds: float) -> bool:
        return True

    def end(self) -> None:
        self.ended = True


def test_endpoint_update_keeps_the_number_of_instances_if_asked(
    smcli: Smcli, client: Client, models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("awslab.services.sagemaker.endpoints.hosting.ModelServer", Idle)
    for name in ("shop-v1", "shop-v2"):
        smcli("endpoint-config-create", name, "good")
    smcli("endpoint-create", "shop", "shop-v1", "--wait")
    sagemaker = client("sagemaker")
    more = {"VariantName": "AllTraffic", "DesiredInstanceCount": 4}
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=[more]
    )
    smcli("endpoint-describe", "shop")
    smcli("endpoint-describe", "shop")
    for config, options, count in (
        ("shop-v2", ("--retain-variant-properties",), 4),
        ("shop-v1", (), 1),
    ):
        assert smcli("endpoint-update", "shop", config, *options, "--wait").status == 0
        [variant] = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--strategy", "canary"), "--strategy canary needs --canary-size, for example"),
        (("--strategy", "linear"), "--strategy linear needs --step-size"),
        (("--strategy", "rolling"), "--strategy rolling needs --step-size"),
        (("--strategy", "sudden"), "'sudden' is not one of 'all-at-once'"),
        (("--canary-size", "10%"), "--canary-size cannot be used with --strategy all-at-once."),
        (
            ("--strategy", "canary", "--step-size", "10%", "--canary-size", "10%"),
            "--step-size cannot be used with --strategy canary.",
        ),
        (
            ("--strategy", "rolling", "--canary-size", "10%"),
            "--canary-size cannot be used with --strategy rolling.",
        ),
        (
            ("--strategy", "canary", "--canary-size", "51%"),
            "With --strategy canary, --canary-size must be between 1% and 50%.",
        ),
        (("--strategy", "linear", "--step-size", "9%"), "must be between 10% and 50%."),
        (("--strategy", "rolling", "--step-size", "4%"), "must be between 5% and 50%."),
        (("--strategy", "linear", "--step-size", "0"), "'0' is neither a share such as 10%"),
        (("--strategy", "linear", "--step-size", "half"), "'half' is neither a share"),
        (("--wait-seconds", "3601"), "3601 is not in the range 0<=x<=3600"),
        (("--alarm", "a", "--wait-seconds", "0"), "there is no time for an alarm to go off"),
        (("--alarm", " "), "AlarmName: ' ' does not match the pattern"),
        (
            tuple(word for n in range(11) for word in ("--alarm", f"a{n}")),
            "Alarms has 11 entries; the maximum is 10",
        ),
    ],
)
@pytest.mark.usefixtures("lab")
def test_endpoint_update_refuses_before_any_call(
    smcli: Smcli, options: tuple[str, ...], message: str
) -> None:
    refused = smcli("endpoint-update", "shop", "shop-v2", *options)
    assert (refused.status, refused.output) == (252, "")
    assert message in refused.errors


@pytest.mark.usefixtures("shop")
def test_endpoint_update_needs_another_configuration(
    smcli: Smcli, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = smcli("endpoint-update", "shop", "shop-v1")
    assert same == Result(
        1,
        "",
        "error: shop already serves shop-v1; an update needs another configuration.\n",
    )
    absent = smcli("endpoint-update", "shop", "absent")
    assert absent.status == 254
    assert absent.errors.endswith("Next: see the names with smcli endpoint-config-list.\n")
    nowhere = smcli("endpoint-update", "absent", "shop-v2")
    assert nowhere.status == 254
    assert nowhere.errors.endswith("Next: see the names with smcli endpoint-list.\n")
    assert serving(client) == ("InService", "shop-v1")
    late = smcli("endpoint-update", "shop", "shop-v2", "--wait", "--timeout", "0")
    assert late.status == 124
    client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="shop")
    monkeypatch.setattr("smcli.waiting.time.sleep", interrupt)
    stopped = smcli("endpoint-update", "shop", "shop-v1", "--wait")
    assert stopped.status == 130
    assert stopped.errors.endswith("Check it with: smcli endpoint-describe shop\n")


# --- deleting ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_endpoint_delete_takes_what_is_asked_for(smcli: Smcli, client: Client) -> None:
    unasked = smcli("endpoint-delete", "shop", "--with-model")
    assert unasked.status == 252
    assert (
        "Delete the endpoint shop, its configuration shop-v1 and the model good? "
        "Nobody can answer here: add --yes."
    ) in unasked.errors
    dry = smcli("endpoint-delete", "shop", "--with-model", "--with-log", "--wait", "--dry-run")
    assert (dry.status, dry.errors) == (0, "")
    assert [json.loads(line)["operation"] for line in dry.output.splitlines()] == [
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
        "DeleteLogGroup",
    ]
    alone = smcli("endpoint-delete", "shop", "--yes")
    assert alone == Result(0, "", "The endpoint shop is being deleted.\n")
    client("sagemaker").get_waiter("endpoint_deleted").wait(EndpointName="shop")
    assert names(client) == ([], ["shop-v1", "shop-v2", "shop-v3"], ["better", "broken", "good"])
    missing = smcli("endpoint-delete", "shop", "--yes")
    assert missing.status == 254
    assert missing.errors.endswith("Next: see the names with smcli endpoint-list.\n")


@pytest.mark.usefixtures("shop")
def test_endpoint_delete_waits_and_takes_the_rest_with_it(smcli: Smcli, client: Client) -> None:
    assert smcli("endpoint-delete", "shop", "--with-log", "--yes").status == 252  # needs --wait
    for name in ("shop", "shop-2"):
        client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
    deleted = smcli("endpoint-delete", "shop", "--with-model", "--with-log", "--yes", "--wait")
    assert deleted == Result(
        0,
        "",
        "The endpoint shop is being deleted.\n"
        "Deleted the endpoint configuration shop-v1.\n"
        "Deleted the model good; its artifact in S3 is kept.\n"
        "endpoint shop: Deleting\n"
        "endpoint shop: Deleted\n"
        "Deleted the log /aws/sagemaker/Endpoints/shop.\n",
    )
    assert names(client) == ([], ["shop-v2", "shop-v3"], ["better", "broken"])
    groups = client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/sagemaker/Endpoints/shop-2"]


@pytest.mark.usefixtures("shop")
def test_endpoint_delete_keeps_what_others_use(smcli: Smcli, client: Client) -> None:
    smcli("endpoint-config-create", "both", "--variant", "a=good", "--variant", "b=better")
    smcli("endpoint-create", "other", "shop-v1", "--wait")
    kept = smcli("endpoint-delete", "shop", "--with-model", "--yes", "--wait")
    assert kept.status == 0
    assert kept.errors.startswith(
        "The configuration shop-v1 is kept: the endpoint other also uses it.\n"
        "The endpoint shop is being deleted.\n"
    )
    last = smcli("endpoint-delete", "other", "--with-model", "--yes", "--wait")
    assert last.errors.startswith(
        "The model good is kept: the configuration both also uses it.\n"
        "The endpoint other is being deleted.\n"
        "Deleted the endpoint configuration shop-v1.\n"
        "endpoint other: Deleting\n"
    )
    assert names(client)[1:] == (["both", "shop-v2", "shop-v3"], ["better", "broken", "good"])


@pytest.mark.usefixtures("shop")
def test_endpoint_delete_does_without_what_is_gone_already(smcli: Smcli, client: Client) -> None:
    client("sagemaker").delete_endpoint_config(EndpointConfigName="shop-v1")
    gone = smcli("endpoint-delete", "shop", "--with-config", "--with-log", "--yes", "--wait")
    assert gone == Result(
        0,
        "",
        "The endpoint shop is being deleted.\nendpoint shop: Deleting\nendpoint shop: Deleted\n"
        "There is no log /aws/sagemaker/Endpoints/shop: the model has written nothing.\n",
    )


@pytest.mark.usefixtures("shop")
def test_endpoint_delete_names_what_is_left(
    smcli: Smcli, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smcli.calls import AWS

    change = AWS.change

    def refused(aws: AWS, service: str, operation: str, **request: Any) -> dict[str, Any]:
        if operation == "DeleteModel":
            raise aws.client("sagemaker").exceptions.ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation
            )
        return change(aws, service, operation, **request)

    monkeypatch.setattr(AWS, "change", refused)
    half = smcli("endpoint-delete", "shop", "--with-model", "--yes")
    assert half.status == 254
    assert half.errors.endswith(
        "error: AccessDeniedException: no\nTo delete the rest: smcli model-delete good\n"
    )


@pytest.mark.usefixtures("models")
def test_endpoint_delete_refuses_one_that_is_busy(
    smcli: Smcli, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    smcli("endpoint-config-create", "shop-v1", "good")
    smcli("endpoint-create", "shop", "shop-v1")
    busy = smcli("endpoint-delete", "shop", "--yes")
    assert busy.status == 254
    assert busy.errors.endswith(
        "Next: wait until it is InService; check with smcli endpoint-describe shop.\n"
    )
    client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="shop")
    monkeypatch.setattr("smcli.waiting.time.sleep", interrupt)
    stopped = smcli("endpoint-delete", "shop", "--yes", "--wait")
    assert stopped.status == 130
    assert stopped.errors.endswith("Check it with: smcli endpoint-list\n")


# --- invoking ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_endpoint_invoke_sends_text_file_or_standard_input(
    smcli: Smcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = smcli("endpoint-invoke", "shop", '{"a": 1}', "--accept", "text/plain")
    assert answered == Result(0, 'application/json text/plain {"a": 1}\n', "variant: AllTraffic\n")
    row = tmp_path / "row.csv"
    row.write_text("1,2\n")
    by_file = smcli("endpoint-invoke", "shop", f"@{row}", "--accept", "a/b")
    assert by_file.output == "text/csv a/b 1,2\n"  # the payload ends its line itself
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"3,4")))
    piped = smcli("endpoint-invoke", "shop", "-", "--content-type", "text/csv", "--accept", "a/b")
    assert piped.output == "text/csv a/b 3,4\n"
    negative = smcli(
        "endpoint-invoke", "shop", "-.5,-1", "--content-type", "a/b", "--accept", "c/d"
    )
    assert negative.output == "a/b c/d -.5,-1\n"
    whole = smcli("endpoint-invoke", "shop", "[1]", "--output", "json", "--accept", "a/b")
    answer = json.loads(whole.output)
    assert answer["Body"] == "application/json a/b [1]"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    part = smcli("endpoint-invoke", "shop", "[1]", "--query", "Body", "--output", "text")
    assert part.output.endswith("[1]\n")


def test_endpoint_invoke_passes_on_an_answer_that_is_no_text(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    from smcli.calls import AWS
    from smcli.commands.endpoints import show_answer

    show_answer(AWS(), {"Body": b"\xff\xfe", "InvokedProductionVariant": "a"})
    assert capfdbinary.readouterr().out == b"\xff\xfe"


def test_endpoint_invoke_waits_longer_than_a_model_may_take(lab: None) -> None:
    from smcli.calls import AWS

    assert AWS().client("sagemaker-runtime").meta.config.read_timeout > 60


@pytest.mark.usefixtures("models")
def test_endpoint_invoke_asks_the_named_variant(smcli: Smcli) -> None:
    smcli("endpoint-config-create", "ab", "--variant", "a=good", "--variant", "b=better")
    smcli("endpoint-create", "shop", "ab", "--wait")
    for variant in ("b", "a", "b"):
        asked = smcli("endpoint-invoke", "shop", "[]", "--variant", variant)
        assert (asked.status, asked.errors) == (0, f"variant: {variant}\n")
    absent = smcli("endpoint-invoke", "shop", "[]", "--variant", "c")
    assert absent.status == 254
    assert absent.errors.endswith(
        "Next: see its status and variants with smcli endpoint-describe shop.\n"
    )
    many = smcli("endpoint-invoke", "shop", "[]", "--target-model", "a.tar.gz")
    assert (many.status, "TargetModel" in many.errors) == (254, True)
    component = smcli("endpoint-invoke", "shop", "[]", "--component", "c")
    assert (component.status, "Inference Component" in component.errors) == (254, True)
    assert smcli("endpoint-invoke", "absent", "[]").status == 254


@pytest.mark.usefixtures("models")
def test_endpoint_invoke_shows_the_error_of_the_model_and_its_log(
    smcli: Smcli, client: Client
) -> None:
    script = ECHO.replace("text = body", "raise ValueError('no such column')\n    text = body")
    client("s3").put_object(Bucket=BUCKET, Key="good/model.tar.gz", Body=pack(script))
    smcli("endpoint-config-create", "shop-v1", "good")
    smcli("endpoint-create", "shop", "shop-v1", "--wait")
    failed = smcli("endpoint-invoke", "shop", "[]")
    assert (failed.status, failed.output) == (254, "")
    assert failed.errors.startswith("error: ModelError: Received server error (500) from primary")
    assert failed.errors.endswith("Its log: aws logs tail /aws/sagemaker/Endpoints/shop\n")


@pytest.mark.usefixtures("lab")
def test_endpoint_invoke_refuses_before_any_call(smcli: Smcli, tmp_path: Path) -> None:
    full, over = tmp_path / "full.csv", tmp_path / "over.csv"
    full.write_bytes(b"1" * 6_291_456)
    over.write_bytes(b"1" * 6_291_457)
    (tmp_path / "empty").write_bytes(b"")
    for payload, options, status, message in (
        ("1,2", (), 252, "The payload is not JSON (Extra data: line 1 column 2 (char 1))."),
        ("[" * 100_000, (), 252, "The payload is not JSON"),
        ("{", ("--content-type", "Application/JSON; charset=utf-8"), 252, "is not JSON"),
        ("", (), 252, "The payload is empty."),
        (f"@{tmp_path / 'empty'}", (), 252, "The payload is empty."),
        (f"@{over}", (), 252, "The payload has more than 6291456 bytes"),
        (f"@{full}", (), 254, "Endpoint shop of account 111122223333 not found"),
        (f"@{tmp_path / 'absent'}", (), 255, "The payload cannot be read: [Errno 2]"),
        (f"@{tmp_path}", (), 255, "The payload cannot be read: [Errno 21]"),
        ("@", (), 255, "The payload cannot be read"),
        ("[]", ("--accept", "a\nb"), 252, "only printable ASCII characters are allowed"),
        ("[]", ("--content-type", "é"), 252, "only printable ASCII characters are allowed"),
        ("[]", ("--target-model", ""), 252, "only printable ASCII characters are allowed"),
        ("[]", ("--variant", "a_b"), 252, "'a_b': a name has letters"),
    ):
        refused = smcli("endpoint-invoke", "shop", payload, *options)
        assert (refused.status, refused.output) == (status, ""), payload[:20]
        assert message in refused.errors
