import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from awslab.run import Result
from botocore.exceptions import ClientError
from smcli.calls import AWS

Smcli = Callable[..., Result]
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ARTIFACT = "s3://amzn-s3-demo-bucket-models/churn/model.tar.gz"
GROUP = "arn:aws:sagemaker:ap-northeast-1:111122223333:model-package-group/churn"
PACKAGE = "arn:aws:sagemaker:ap-northeast-1:111122223333:model-package/churn"


@pytest.fixture
def group(lab: None) -> None:
    """The group churn, without versions."""
    boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")


def versions(client: Callable[..., Any]) -> dict[int, str]:
    listed = client("sagemaker").list_model_packages(ModelPackageGroupName="churn")
    return {
        package["ModelPackageVersion"]: package["ModelApprovalStatus"]
        for package in listed["ModelPackageSummaryList"]
    }


def test_model_package_group_create_makes_an_empty_group(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    dry = smcli("model-package-group-create", "churn", "--dry-run")
    assert json.loads(dry.output)["request"] == {"ModelPackageGroupName": "churn"}
    made = smcli("model-package-group-create", "churn", "--description", "解約の予測")
    assert made == Result(
        0,
        f"{GROUP}\n",
        "next: smcli model-package-register churn IMAGE s3://BUCKET/model.tar.gz\n",
    )
    found = client("sagemaker").describe_model_package_group(ModelPackageGroupName="churn")
    assert found["ModelPackageGroupDescription"] == "解約の予測"
    again = smcli("model-package-group-create", "churn")
    assert (again.status, again.output) == (254, "")
    assert again.errors.splitlines() == [
        f"error: ValidationException: Model Package Group already exists: {GROUP}",
        "Next: choose another name, or see its versions with smcli model-package-list churn.",
    ]
    refused = smcli("model-package-group-create", "churn_1")
    assert refused.status == 252
    assert "'churn_1': a name has letters" in refused.errors


def test_model_package_group_list_shows_the_newest_first(smcli: Smcli, group: None) -> None:
    smcli("model-package-group-create", "fraud")
    table = smcli("model-package-group-list")
    assert table.output.splitlines()[0].split() == ["Name", "Status", "Created"]
    rows = [line.split()[:2] for line in table.output.splitlines()[2:]]
    assert rows == [["fraud", "Completed"], ["churn", "Completed"]]
    assert table.errors == "2 items\n"
    assert smcli("model-package-group-list", "--cross-account") == Result(0, "", "0 items\n")


def test_model_package_group_list_has_all_pages(smcli: Smcli) -> None:
    for number in range(12):
        smcli("model-package-group-create", f"group-{number}")
    assert smcli("model-package-group-list").errors == "12 items\n"


def test_model_package_group_delete_takes_the_versions_only_when_told(
    smcli: Smcli, client: Callable[..., Any], group: None
) -> None:
    for _ in range(2):
        smcli("model-package-register", "churn", IMAGE, ARTIFACT)
    full = smcli("model-package-group-delete", "churn", "--yes")
    assert (full.status, full.output) == (254, "")
    assert full.errors == (
        f"error: ConflictException: Model Package Group {GROUP} cannot be deleted as it still "
        "contains Model Packages.\n"
        "Next: delete its versions as well: smcli model-package-group-delete churn --cascade\n"
    )
    unasked = smcli("model-package-group-delete", "churn", "--cascade")
    assert unasked.status == 252
    assert "Delete the group churn and its 2 versions? Nobody can answer" in unasked.errors
    dry = smcli("model-package-group-delete", "churn", "--cascade", "--dry-run")
    assert [json.loads(line)["operation"] for line in dry.output.splitlines()] == [
        "DeleteModelPackage",
        "DeleteModelPackage",
        "DeleteModelPackageGroup",
    ]
    assert dry.errors == ""
    assert sorted(versions(client)) == [1, 2]
    deleted = smcli("model-package-group-delete", "churn", "--cascade", "--yes")
    assert deleted == Result(
        0, "", "Deleted the group churn and 2 versions; artifacts in S3 are kept.\n"
    )
    assert client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    gone = smcli("model-package-group-delete", "churn", "--yes")
    assert gone.status == 254
    assert gone.errors.endswith("Next: see the names with smcli model-package-group-list.\n")


def test_model_package_group_delete_names_the_versions_that_are_left(
    smcli: Smcli, client: Callable[..., Any], group: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        smcli("model-package-register", "churn", IMAGE, ARTIFACT)
    change = AWS.change

    def refused(self: AWS, service: str, operation: str, **request: Any) -> dict[str, Any]:
        if request.get("ModelPackageName") == f"{PACKAGE}/2":
            error = {"Code": "AccessDeniedException", "Message": "not allowed"}
            raise ClientError({"Error": error}, operation)
        return change(self, service, operation, **request)

    monkeypatch.setattr(AWS, "change", refused)
    failed = smcli("model-package-group-delete", "churn", "--cascade", "--yes")
    assert failed.status == 254
    assert failed.errors.splitlines() == [
        "error: AccessDeniedException: not allowed",
        "The group churn stays, with these versions: 3, 2.",
    ]
    assert sorted(versions(client)) == [2, 3]


def test_model_package_register_adds_a_version_that_waits(
    smcli: Smcli, client: Callable[..., Any], group: None
) -> None:
    first = smcli(
        "model-package-register", "churn", IMAGE, ARTIFACT,
        "--content-type", "text/csv", "--content-type", "text/libsvm",
        "--response-type", "application/json",
        "--instance-type", "ml.m5.large", "--metadata", "auc=0.86", "--description", "first",
    )  # fmt: skip
    assert first == Result(0, f"{PACKAGE}/1\n", "next: smcli model-package-approve churn 1\n")
    found = client("sagemaker").describe_model_package(ModelPackageName=f"{PACKAGE}/1")
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["ModelPackageDescription"] == "first"
    assert found["CustomerMetadataProperties"] == {"auc": "0.86"}
    inference = found["InferenceSpecification"]
    container = inference.pop("Containers")[0]
    assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, ARTIFACT)
    assert inference == {
        "SupportedContentTypes": ["text/csv", "text/libsvm"],
        "SupportedResponseMIMETypes": ["application/json"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
    }
    second = smcli("model-package-register", GROUP, IMAGE, ARTIFACT, "--approve")
    assert second == Result(
        0, f"{PACKAGE}/2\n", f"next: smcli model-create churn-2 --package {PACKAGE}/2\n"
    )
    assert versions(client) == {1: "PendingManualApproval", 2: "Approved"}


def test_model_package_register_refuses_before_any_call(
    smcli: Smcli, client: Callable[..., Any], group: None
) -> None:
    for wrong, message in [
        (("churn", IMAGE, "s3://bucket/model.zip"), "does not end with .tar.gz"),
        (("churn", "no image", ARTIFACT), "Containers[0].Image: 'no image' does not match"),
        (("churn", IMAGE, ARTIFACT, "--instance-type", "m5"), "'m5' is not one of"),
        (("churn", IMAGE, ARTIFACT, "--metadata", "auc"), "'auc' is not of the form KEY=VALUE"),
        (("arn:churn", IMAGE, ARTIFACT), "ModelPackageGroupName: 'arn:churn' does not match"),
    ]:
        refused = smcli("model-package-register", *wrong)
        assert (refused.status, refused.output) == (252, ""), wrong
        assert message in refused.errors
    dry = smcli("model-package-register", "churn", IMAGE, ARTIFACT, "--dry-run")
    assert (dry.status, dry.errors) == (0, "")
    request = json.loads(dry.output)["request"]
    assert request["InferenceSpecification"] == {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": ARTIFACT}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    assert versions(client) == {}
    missing = smcli("model-package-register", "fraud", IMAGE, ARTIFACT)
    assert missing.status == 254


def test_model_package_list_shows_versions_by_their_approval(smcli: Smcli, group: None) -> None:
    assert smcli("model-package-list", "churn") == Result(0, "", "0 items\n")
    for options in ([], ["--approve"], ["--description", "more trees"]):
        smcli("model-package-register", "churn", IMAGE, ARTIFACT, *options)
    listed = smcli("model-package-list", "churn", "--output", "text")
    rows = [line.split("\t")[:4] for line in listed.output.splitlines()]
    assert rows == [
        ["3", "PendingManualApproval", "Completed", "more trees"],
        ["2", "Approved", "Completed", "-"],
        ["1", "PendingManualApproval", "Completed", "-"],
    ]
    approved = smcli("model-package-list", "churn", "--status", "approved")
    assert approved.output.splitlines()[2].split()[:2] == ["2", "Approved"]
    assert approved.errors == "1 item\n"
    wrong = smcli("model-package-list", "churn", "--status", "PendingApproval")
    assert wrong.status == 252
    assert "'approved', 'rejected', 'pendingmanualapproval'" in wrong.errors
    missing = smcli("model-package-list", "fraud")
    assert (missing.status, missing.output) == (254, "")


@pytest.mark.parametrize(("verb", "state"), [("approve", "Approved"), ("reject", "Rejected")])
def test_model_package_approve_and_reject_keep_the_reason(
    smcli: Smcli, client: Callable[..., Any], group: None, verb: str, state: str
) -> None:
    smcli("model-package-register", "churn", IMAGE, ARTIFACT)
    dry = smcli(f"model-package-{verb}", "churn", "1", "--reason", "AUC 0.86", "--dry-run")
    assert (dry.status, dry.errors) == (0, "")
    assert json.loads(dry.output)["request"] == {
        "ModelPackageArn": f"{PACKAGE}/1",
        "ModelApprovalStatus": state,
        "ApprovalDescription": "AUC 0.86",
    }
    assert versions(client) == {1: "PendingManualApproval"}
    done = smcli(f"model-package-{verb}", "churn", "1", "--reason", "AUC 0.86")
    step = f"next: smcli model-create churn-1 --package {PACKAGE}/1\n" if verb == "approve" else ""
    assert (done.status, done.output) == (0, f"{PACKAGE}/1\n")
    assert done.errors == f"{state} version 1 of churn (before: PendingManualApproval).\n{step}"
    found = client("sagemaker").describe_model_package(ModelPackageName=f"{PACKAGE}/1")
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == (state, "AUC 0.86")
    by_arn = smcli(f"model-package-{verb}", GROUP, "1")
    assert by_arn.errors == f"{state} version 1 of {GROUP} (before: {state}).\n{step}"


def test_model_package_list_and_register_of_a_missing_group_say_where_the_groups_are(
    smcli: Smcli,
) -> None:
    for words in (["list", "churn"], ["register", "churn", IMAGE, ARTIFACT]):
        missing = smcli(f"model-package-{words[0]}", *words[1:])
        assert (missing.status, missing.output) == (254, "")
        assert missing.errors.splitlines() == [
            f"error: ValidationException: ModelPackageGroup {GROUP} does not exist.",
            "Next: see the groups with smcli model-package-group-list.",
        ]


def test_model_package_approve_of_what_is_not_there(smcli: Smcli, group: None) -> None:
    missing = smcli("model-package-approve", "churn", "7")
    assert (missing.status, missing.output) == (254, "")
    assert missing.errors.splitlines() == [
        f"error: ValidationException: ModelPackage {PACKAGE}/7 does not exist.",
        "Next: see the versions with smcli model-package-list churn.",
    ]
    for version in ("0", "latest"):
        assert smcli("model-package-approve", "churn", version).status == 252


def test_model_package_reject_ends_the_making_of_models(
    smcli: Smcli, client: Callable[..., Any], group: None
) -> None:
    smcli("model-package-register", "churn", IMAGE, ARTIFACT, "--approve")
    smcli("model-package-reject", "churn", "1")
    with pytest.raises(ClientError, match="Only an Approved ModelPackage can be deployed"):
        client("sagemaker").create_model(
            ModelName="churn",
            PrimaryContainer={"ModelPackageName": f"{PACKAGE}/1"},
            ExecutionRoleArn="arn:aws:iam::111122223333:role/SageMakerExecutionRole",
        )
