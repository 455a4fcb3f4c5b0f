import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from awslab.run import Result
from botocore.exceptions import ClientError
from smcli import output, waiting
from smcli.calls import AWS
from smcli.commands import overview
from smcli.commands.overview import KINDS, known_images

Smcli = Callable[..., Result]
Call = Callable[..., dict[str, Any]]
TOKYO = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com"
XGBOOST = f"{TOKYO}/sagemaker-xgboost:3.2-0"
PYTORCH = "763104351884.dkr.ecr.ap-northeast-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
BUCKET = "amzn-s3-demo-bucket-models"
SCRIPT = b"def model_fn(folder): ..."
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"


def model(name: str) -> None:
    """A model that is a script, whose server starts in a moment."""
    s3, packed = boto3.client("s3"), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(SCRIPT)
        archive.addfile(member, io.BytesIO(SCRIPT))
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed.getvalue())
    container = {"Image": PYTORCH, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    boto3.client("sagemaker").create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE
    )


def configuration(name: str, model_name: str) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": model_name}
    variant |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}  # type: ignore[dict-item]
    boto3.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant]
    )


def endpoint(name: str, config: str) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)


def refusing(monkeypatch: pytest.MonkeyPatch, method: str, message: str, *operations: str) -> None:
    """AWS denies these operations; `method` of AWS makes them."""
    original: Call = getattr(AWS, method)
    code, _, text = message.partition(": ")

    def refused(self: AWS, service: str, operation: str, **request: Any) -> dict[str, Any]:
        if operation in operations:
            raise ClientError({"Error": {"Code": code, "Message": text}}, operation)
        return original(self, service, operation, **request)

    monkeypatch.setattr(AWS, method, refused)


# --- status ---------------------------------------------------------------------------------------


def counted(result: Result) -> dict[tuple[str, str | None], tuple[int, str | None]]:
    rows = json.loads(result.output)["Resources"]
    return {(row["Kind"], row["State"]): (row["Count"], row["Billed"]) for row in rows}


def test_status_of_an_empty_region_counts_every_kind(smcli: Smcli) -> None:
    empty = smcli("status", "--output", "json")
    assert (empty.status, empty.errors) == (0, "")
    assert json.loads(empty.output)["Region"] == "ap-northeast-1"
    running = ("Training jobs", "Processing jobs")  # all that ever ended would be a long list
    assert counted(empty) == {
        (kind.name, "InProgress" if kind.name in running else None): (0, None) for kind in KINDS
    }


def test_status_begins_with_what_is_billed(smcli: Smcli, artifact: str) -> None:
    model("churn")
    configuration("churn-config", "churn")
    endpoint("churn", "churn-config")
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_notebook_instance(
        NotebookInstanceName="notes", InstanceType="ml.t3.medium", RoleArn=ROLE
    )
    sagemaker.get_waiter("notebook_instance_in_service").wait(NotebookInstanceName="notes")
    sagemaker.stop_notebook_instance(NotebookInstanceName="notes")
    sagemaker.get_waiter("notebook_instance_stopped").wait(NotebookInstanceName="notes")
    shown = smcli("status")
    assert (shown.status, shown.errors) == (0, "")
    lines = shown.output.splitlines()
    assert [line.split() for line in lines[:4:2]] == [
        ["What", "State", "Count", "Billed"],
        ["Endpoints", "InService", "1", "running"],
    ]
    assert lines[3].split() == ["Notebook", "instances", "Stopped", "1", "storage"]
    found = counted(smcli("status", "--output", "json"))
    assert found["Models", None] == (1, None)
    assert found["Endpoint configurations", None] == (1, None)
    text = smcli("status", "--output", "text", LANGUAGE="ja")  # a script reads no language
    assert text.output.splitlines()[0] == "Endpoints\tInService\t1\trunning"


def test_status_counts_by_state(smcli: Smcli, artifact: str) -> None:
    model("churn")
    configuration("churn-config", "churn")
    for name in ("one", "two"):
        endpoint(name, "churn-config")
    boto3.client("sagemaker").delete_endpoint(EndpointName="two")
    found = counted(smcli("status", "--output", "json"))
    assert found["Endpoints", "InService"] == (1, "running")
    assert found["Endpoints", "Deleting"] == (1, None)


def test_status_of_a_denied_service_still_shows_the_others(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = "AccessDeniedException: no list"
    refusing(monkeypatch, "read_all", denied, "ListNotebookInstances", "ListDomains")
    shown = smcli("status")
    assert shown.status == 254
    assert shown.errors.splitlines() == [
        "Notebook instances could not be read: AccessDeniedException: no list",
        "Domains could not be read: AccessDeniedException: no list",
    ]
    kinds = [line.split("  ")[0] for line in shown.output.splitlines()[2:]]
    assert kinds == [
        "Endpoints",
        "Training jobs",
        "Processing jobs",
        "Models",
        "Endpoint configurations",
        "Experiments",
        "Model package groups",
    ]
    answer = json.loads(smcli("status", "--output", "json").output)
    assert [(each["Kind"], each["Code"]) for each in answer["Errors"]] == [
        ("Notebook instances", "AccessDeniedException"),
        ("Domains", "AccessDeniedException"),
    ]


def test_status_ends_at_once_when_nothing_can_be_read(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "read_all", "ExpiredTokenException: too old", "ListEndpoints")
    expired = smcli("status")
    assert (expired.status, expired.output) == (254, "")
    assert expired.errors.startswith("error: ExpiredTokenException: too old\nNext: sign in again")


# --- images ---------------------------------------------------------------------------------------

NOWHERE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "missing"}


def uris(result: Result) -> list[str]:
    return [image["Image"] for image in json.loads(result.output)["Images"]]


def test_images_of_a_framework_need_no_credentials(smcli: Smcli) -> None:
    listed = smcli("images", "xgboost", **NOWHERE)
    assert (listed.status, listed.errors) == (
        0,
        f"Source: SageMaker Python SDK {known_images()['sdk']}. "
        "At most the newest 10 versions are shown.\n",
    )
    lines = listed.output.splitlines()
    assert lines[0].split() == ["Version", "For", "Processor"]
    assert lines[2:4] == ["3.2-0      training, inference  cpu, gpu", f"  {XGBOOST}"]


def test_images_are_those_of_the_region(smcli: Smcli) -> None:
    osaka = "867004704886.dkr.ecr.ap-northeast-3.amazonaws.com/sagemaker-xgboost:3.2-0"
    china = "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.2-0"
    json_ = ("--output", "json")
    assert uris(smcli("images", "xgboost", *json_))[0] == XGBOOST
    assert uris(smcli("images", "xgboost", "--region", "ap-northeast-3", *json_))[0] == osaka
    assert uris(smcli("images", "xgboost", *json_, AWS_REGION="cn-north-1"))[0] == china
    unknown = smcli("images", "--region", "ap-northeast-9")
    assert (unknown.status, unknown.output) == (252, "")
    assert "AWS has no images in a Region 'ap-northeast-9'" in unknown.errors


def test_images_without_a_framework_are_the_newest_of_each(smcli: Smcli) -> None:
    found = json.loads(smcli("images", "--output", "json").output)["Images"]
    served = [
        (image["Framework"], purpose, processor)
        for image in found
        for purpose in image["Purposes"]
        for processor in image["Processors"]
    ]
    assert len(served) == len(set(served))
    assert {each for each in served if each[0] in ("xgboost", "sklearn")} == {
        ("xgboost", "training", "cpu"),
        ("xgboost", "training", "gpu"),
        ("xgboost", "inference", "cpu"),
        ("xgboost", "inference", "gpu"),
        ("sklearn", "training", "cpu"),
        ("sklearn", "inference", "cpu"),
    }
    assert XGBOOST in [image["Image"] for image in found]


def test_images_for_a_purpose_and_a_processor(smcli: Smcli) -> None:
    narrowed = ("--purpose", "inference", "--processor", "cpu", "--output", "text")
    listed = smcli("images", "TensorFlow", *narrowed)
    rows = [line.split("\t") for line in listed.output.splitlines()]
    assert len(rows) == 10
    assert {tuple(row[1:3]) for row in rows} == {("inference", "cpu")}
    assert all("/tensorflow-inference:" in row[3] and "-cpu" in row[3] for row in rows)


def test_images_of_an_unknown_framework_names_the_others(smcli: Smcli) -> None:
    for wrong, meant in [
        ("pytorhc", " Did you mean pytorch?"),
        ("scikit-learn", " Did you mean sklearn?"),
        ("mxnet", ""),
    ]:
        refused = smcli("images", wrong)
        assert (refused.status, refused.output) == (252, "")
        assert refused.errors.endswith(
            f"{wrong!r} is not one of huggingface, pytorch, sklearn, tensorflow, xgboost.{meant}\n"
        )


def test_images_in_a_pipe_stand_on_one_line_each(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "terminal_width", lambda: None)
    monkeypatch.setattr(output, "terminal_width", lambda: None)
    listed = smcli("images", "xgboost")
    lines = listed.output.splitlines()
    assert lines[0].split() == ["Version", "For", "Processor", "Image"]
    assert lines[2] == f"3.2-0      training, inference  cpu, gpu     {XGBOOST}"
    assert listed.errors.startswith("10 items\n")


@pytest.mark.filterwarnings("ignore")  # those of the SDK
@pytest.mark.timeout(300)  # its import takes about ten seconds
def test_images_are_what_the_sdk_retrieves() -> None:
    from importlib.metadata import version

    from sagemaker_cli.write_images import (
        FRAMEWORKS,
        PURPOSES,
        chosen,
        processors_of,
        retrieve,
        shown,
    )

    known = known_images()
    assert known["sdk"] == version("sagemaker"), "run tests/sagemaker_cli/write_images.py"
    for framework in FRAMEWORKS:
        for purpose in PURPOSES:
            stored = [
                image
                for image in known["images"]
                if image["framework"] == framework and purpose in image["purposes"]
            ]
            versions = chosen(framework, purpose)
            names = [shown(called) for called, _details in versions]
            assert list(dict.fromkeys(image["version"] for image in stored)) == names
            for called, details in versions[:2]:
                for image in stored:
                    if image["version"] != shown(called):
                        continue
                    hosts = known["registries"][image["registries"]]
                    assert list(hosts) == sorted(details["registries"])
                    assert image["processors"][0] in processors_of(details)
                    for region in ("ap-northeast-1", "ap-northeast-3", "us-east-1", "cn-north-1"):
                        if region in hosts:
                            uri = retrieve(called, image["processors"][0], region)
                            assert f"{hosts[region]}/{image['image']}" == uri
    assert known["registries"][stored[0]["registries"]]["ap-northeast-1"] == TOKYO


# --- cleanup --------------------------------------------------------------------------------------


@pytest.fixture
def churn(artifact: str) -> None:
    """An endpoint, configurations and models of a name, beside those of another."""
    for name in ("churn", "churn-old", "fraud"):
        model(name)
        configuration(f"{name}-config", name)
    endpoint("churn", "churn-config")
    endpoint("fraud", "fraud-config")


def names() -> dict[str, list[str]]:
    sagemaker = boto3.client("sagemaker")
    return {
        "endpoints": sorted(e["EndpointName"] for e in sagemaker.list_endpoints()["Endpoints"]),
        "configs": sorted(
            c["EndpointConfigName"] for c in sagemaker.list_endpoint_configs()["EndpointConfigs"]
        ),
        "models": sorted(m["ModelName"] for m in sagemaker.list_models()["Models"]),
    }


EVERYTHING = {
    "endpoints": ["churn", "fraud"],
    "configs": ["churn-config", "churn-old-config", "fraud-config"],
    "models": ["churn", "churn-old", "fraud"],
}


def test_cleanup_shows_and_deletes_what_begins_with_the_prefix(smcli: Smcli, churn: None) -> None:
    done = smcli("cleanup", "churn", "--yes")
    assert done.status == 0
    lines = [line.split("  ") for line in done.output.splitlines()[2:]]
    shown = [[part.strip() for part in line if part][:2] for line in lines]
    assert sorted(shown[1:3]) == [
        ["endpoint configuration", "churn-config"],
        ["endpoint configuration", "churn-old-config"],
    ]
    assert shown[0] == ["endpoint", "churn"]
    assert sorted(shown[3:]) == [["model", "churn"], ["model", "churn-old"]]
    errors = done.errors.splitlines()
    assert errors[:2] == ["5 items", "The endpoint churn is being deleted."]
    assert errors[2:4] == ["endpoint churn: Deleting", "endpoint churn: Deleted"]
    assert sorted(errors[4:]) == [
        "Deleted the endpoint configuration churn-config.",
        "Deleted the endpoint configuration churn-old-config.",
        "Deleted the model churn-old; its artifact in S3 is kept.",
        "Deleted the model churn; its artifact in S3 is kept.",
    ]
    assert names() == {"endpoints": ["fraud"], "configs": ["fraud-config"], "models": ["fraud"]}
    assert smcli("cleanup", "churn", "--yes") == Result(0, "", "0 items\n")


def test_cleanup_asks_after_the_preview(smcli: Smcli, churn: None) -> None:
    unasked = smcli("cleanup", "churn")
    assert unasked.status == 252
    assert "Delete all of this? Nobody can answer here: add --yes." in unasked.errors
    assert len(unasked.output.splitlines()) == 7
    assert names() == EVERYTHING


def test_cleanup_dry_run_prints_the_requests_in_order(smcli: Smcli, churn: None) -> None:
    dry = smcli("cleanup", "churn", "--dry-run")
    assert (dry.status, dry.errors) == (0, "")
    assert [json.loads(line)["operation"] for line in dry.output.splitlines()] == [
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteEndpointConfig",
        "DeleteModel",
        "DeleteModel",
    ]
    assert names() == EVERYTHING


def test_cleanup_refuses_what_begins_no_name(smcli: Smcli, churn: None) -> None:
    for wrong in ("", "churn*", "churn_", "売上", "a" * 64):
        refused = smcli("cleanup", wrong, "--yes")
        assert (refused.status, refused.output) == (252, ""), wrong
    assert names() == EVERYTHING


def test_cleanup_keeps_what_another_endpoint_uses(smcli: Smcli, churn: None) -> None:
    endpoint("prod", "churn-old-config")
    done = smcli("cleanup", "churn", "--yes")
    assert done.status == 0
    assert done.errors.splitlines()[:2] == [
        "The endpoint configuration churn-old-config is kept: the endpoint prod uses it.",
        "The model churn-old is kept: the endpoint prod uses it.",
    ]
    assert names() == {
        "endpoints": ["fraud", "prod"],
        "configs": ["churn-old-config", "fraud-config"],
        "models": ["churn-old", "fraud"],
    }


def test_cleanup_goes_on_after_an_error_and_names_what_is_left(
    smcli: Smcli, churn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "change", "ValidationException: it is busy", "DeleteEndpoint")
    failed = smcli("cleanup", "churn", "--yes")
    assert failed.status == 1
    assert failed.errors.splitlines()[1:] == [
        "endpoint churn: ValidationException: it is busy",
        "Deleted the endpoint configuration churn-old-config.",
        "Deleted the model churn-old; its artifact in S3 is kept.",
        "error: Left over: endpoint churn, endpoint configuration churn-config, model churn. "
        "Fix the cause, then run this again: smcli cleanup churn",
    ]
    assert names() == {
        "endpoints": ["churn", "fraud"],
        "configs": ["churn-config", "fraud-config"],
        "models": ["churn", "fraud"],
    }


def test_cleanup_names_what_time_out_and_ctrl_c_leave(
    smcli: Smcli, churn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    note = "No configuration and no model has been deleted yet. To continue: smcli cleanup churn"
    late = smcli("cleanup", "churn", "--yes", "--timeout", "0")
    assert late.status == 124
    assert late.errors.splitlines()[-1] == note
    endpoint("churn-2", "churn-config")
    monkeypatch.setattr(waiting.time, "sleep", interrupt)
    stopped = smcli("cleanup", "churn", "--yes")
    assert stopped.status == 130
    assert stopped.errors.splitlines()[-2:] == [
        "Stopped waiting; endpoint churn-2 continues. Check it with: "
        "smcli endpoint-describe churn-2",
        note,
    ]
    assert names()["models"] == EVERYTHING["models"]
