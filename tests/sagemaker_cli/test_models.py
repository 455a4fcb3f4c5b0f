import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result

Smcli = Callable[..., Result]
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
ARTIFACT = "s3://amzn-s3-demo-bucket-models/churn/model.tar.gz"
pytestmark = pytest.mark.usefixtures("artifact")


def test_model_create_makes_what_was_asked(smcli: Smcli, client: Callable[..., Any]) -> None:
    made = smcli("model-create", "churn", IMAGE, ARTIFACT, "--env", "A=1=2", "--role", ROLE)
    assert (made.status, made.errors) == (
        0,
        "next: smcli endpoint-config-create churn-config churn\n",
    )
    model = client("sagemaker").describe_model(ModelName="churn")
    assert made.output == model["ModelArn"] + "\n"
    assert model["PrimaryContainer"]["Image"] == IMAGE
    assert model["PrimaryContainer"]["ModelDataUrl"] == ARTIFACT
    assert model["PrimaryContainer"]["Environment"] == {"A": "1=2"}
    assert model["ExecutionRoleArn"] == ROLE
    again = smcli("model-create", "churn", IMAGE, ARTIFACT, "--role", ROLE)
    assert again.status == 254
    assert again.errors.startswith("error: ValidationException: ")
    assert again.errors.endswith(
        "Next: choose another name, or look at this model with smcli model-describe churn.\n"
    )


def test_model_create_refuses_before_any_call(smcli: Smcli, client: Callable[..., Any]) -> None:
    for wrong, message in [
        (("a_b", IMAGE, ARTIFACT), "'a_b': a name has letters"),
        (("a" * 64, IMAGE, ARTIFACT), "has 64 characters; at most 63 are allowed"),
        (("a", IMAGE, "s3://x/m.tar.gz"), "is not of the form s3://bucket/prefix"),
        (("a", IMAGE, "s3://bucket/model.zip"), "does not end with .tar.gz"),
        (("a", IMAGE, ARTIFACT, "--env", "A"), "'A' is not of the form KEY=VALUE"),
        (("a", IMAGE, ARTIFACT, "--env", "A B=1"), "PrimaryContainer.Environment: 'A B' does not"),
        (("a", IMAGE, ARTIFACT, "--role", "no role"), "neither the ARN nor the name of a role"),
        (("a",), "Give IMAGE and ARTIFACT, or --package ARN."),
        (("a", IMAGE), "Give IMAGE and ARTIFACT, or --package ARN."),
        (("a", IMAGE, ARTIFACT, "--package", "p"), "--package and IMAGE cannot be used together"),
        (("a", "--package", "p/q/r"), "PrimaryContainer.ModelPackageName: 'p/q/r' does not"),
        (("a", IMAGE, ARTIFACT, "--vpc-subnets", "subnet-1"), "must be given together."),
    ]:
        refused = smcli("model-create", *wrong)
        assert (refused.status, refused.output) == (252, ""), wrong
        assert message in refused.errors
    no_role = smcli("model-create", "a", IMAGE, ARTIFACT)
    assert no_role.status == 1
    assert no_role.errors == (
        "error: There is no role SageMakerExecutionRole. "
        "Create it with: smcli role-create SageMakerExecutionRole\n"
    )
    assert client("sagemaker").list_models()["Models"] == []


def test_model_create_takes_a_package_in_place_of_an_image(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    container = {"Image": IMAGE, "ModelDataUrl": ARTIFACT}
    package = sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelApprovalStatus="PendingManualApproval",
    )["ModelPackageArn"]
    given = ("model-create", "churn", "--package", package, "--role", ROLE)
    pending = smcli(*given)
    assert pending.status == 254
    assert pending.errors.endswith(
        "Next: see the versions and their approval with smcli model-package-list GROUP.\n"
    )
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    assert smcli(*given, "--env", "A=1").status == 0
    found = sagemaker.describe_model(ModelName="churn")["PrimaryContainer"]
    assert (found["ModelPackageName"], found["Environment"]) == (package, {"A": "1"})
    assert f"Package      {package}\n" in smcli("model-describe", "churn", COLUMNS="200").output
    absent = smcli("model-create", "other", "--package", f"{package}0", "--role", ROLE)
    assert absent.status == 254
    assert "smcli model-package-list GROUP" in absent.errors


def test_model_create_in_a_vpc(smcli: Smcli, client: Callable[..., Any]) -> None:
    given = ("model-create", "churn", IMAGE, ARTIFACT, "--role", ROLE)
    network = ("--vpc-subnets", "subnet-1,subnet-2", "--security-groups", "sg-1")
    assert smcli(*given, *network).status == 0
    assert client("sagemaker").describe_model(ModelName="churn")["VpcConfig"] == {
        "Subnets": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
    }
    shown = smcli("model-describe", "churn").output
    assert 'Subnets          ["subnet-1", "subnet-2"]\n' in shown
    assert 'Security groups  ["sg-1"]\n' in shown


def test_model_describe_shows_a_pipeline_and_data_that_are_no_archive(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    sagemaker = client("sagemaker")
    one = {"Image": IMAGE, "ModelDataUrl": ARTIFACT}
    sagemaker.create_model(ModelName="two", Containers=[one, one], ExecutionRoleArn=ROLE)
    source = {"S3Uri": ARTIFACT, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    sagemaker.create_model(
        ModelName="source",
        PrimaryContainer={"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}},
        ExecutionRoleArn=ROLE,
    )
    assert f'["{IMAGE}", "{IMAGE}"]' in smcli("model-describe", "two", COLUMNS="300").output
    assert f"Artifact  {ARTIFACT}\n" in smcli("model-describe", "source").output


def test_model_create_dry_run_prints_the_request(smcli: Smcli, client: Callable[..., Any]) -> None:
    shown = smcli("model-create", "churn", IMAGE, ARTIFACT, "--dry-run")
    assert (shown.status, shown.errors) == (
        0,
        "The role was not looked up: 111122223333 stands for your account.\n",
    )
    assert json.loads(shown.output) == {
        "service": "sagemaker",
        "operation": "CreateModel",
        "request": {
            "ModelName": "churn",
            "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": ARTIFACT},
            "ExecutionRoleArn": ROLE,
        },
    }
    assert client("sagemaker").list_models()["Models"] == []


def test_model_list_in_all_forms(smcli: Smcli) -> None:
    empty = smcli("model-list")
    assert (empty.output, empty.errors) == ("", "0 items\n")
    for name in ("first", "second"):
        smcli("model-create", name, IMAGE, ARTIFACT, "--role", ROLE)
    table = smcli("model-list")
    assert table.output.splitlines()[0].split() == ["Name", "Created"]
    assert [line.split()[0] for line in table.output.splitlines()[2:]] == ["second", "first"]
    assert table.errors == "2 items\n"
    names = smcli("model-list", "--query", "Models[].ModelName", "--output", "text")
    assert names.output == "second\nfirst\n"
    assert (
        json.loads(smcli("--output", "json", "model-list").output)["Models"][1]["ModelName"]
        == "first"
    )


def test_model_describe_leaves_out_what_there_is_not(smcli: Smcli) -> None:
    smcli("model-create", "first", IMAGE, ARTIFACT, "--role", ROLE)
    shown = smcli("model-describe", "first")
    assert [line.split()[0] for line in shown.output.splitlines()] == [
        "Name", "Image", "Artifact", "Role", "Created",
    ]  # fmt: skip
    missing = smcli("model-describe", "third")
    assert missing.status == 254
    assert missing.errors.endswith("Next: see the names with smcli model-list.\n")


def test_model_delete_asks_and_deletes(smcli: Smcli, client: Callable[..., Any]) -> None:
    smcli("model-create", "churn", IMAGE, ARTIFACT, "--role", ROLE)
    unasked = smcli("model-delete", "churn")
    assert unasked.status == 252
    assert "Nobody can answer here: add --yes." in unasked.errors
    dry = smcli("model-delete", "churn", "--dry-run")
    assert json.loads(dry.output)["request"] == {"ModelName": "churn"}
    assert len(client("sagemaker").list_models()["Models"]) == 1
    deleted = smcli("model-delete", "churn", "--yes")
    assert (deleted.status, deleted.output) == (0, "")
    assert deleted.errors == "Deleted the model churn; its artifact in S3 is kept.\n"
    assert client("sagemaker").list_models()["Models"] == []
    assert smcli("model-delete", "churn", "--yes").status == 254
