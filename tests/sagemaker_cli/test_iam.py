import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from awslab.run import Result
from botocore.exceptions import ClientError
from smcli.calls import AWS, hints
from smcli.commands import iam as commands

Smcli = Callable[..., Result]
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
BUCKET = "amzn-s3-demo-bucket-111122223333"
OBJECTS = {
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}


def trusting(name: str, **principal: Any) -> None:
    """A role that these may take on."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))


def roles() -> list[str]:
    return [role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]]


def policies(role: str) -> tuple[list[str], list[str]]:
    """The names of the attached and the inline policies."""
    iam = boto3.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return [p["PolicyName"] for p in attached], iam.list_role_policies(RoleName=role)["PolicyNames"]


def refusing(monkeypatch: pytest.MonkeyPatch, *operations: str, with_: Any = None) -> None:
    """Let operations fail: AWS denies them, or `with_` is raised."""
    change = AWS.change

    def changed(self: AWS, service: str, operation: str, **request: Any) -> dict[str, Any]:
        if operation in operations:
            error = {"Code": "AccessDenied", "Message": f"{operation} is not allowed"}
            raise with_ or ClientError({"Error": error}, operation)
        return change(self, service, operation, **request)

    monkeypatch.setattr(AWS, "change", changed)


def test_role_create_makes_the_role_that_the_other_commands_look_for(smcli: Smcli) -> None:
    made = smcli("role-create", "--bucket", BUCKET)
    assert made == Result(0, f"{ROLE}\n", f"export SAGEMAKER_ROLE_ARN={ROLE}\n")
    iam = boto3.client("iam")
    trust = iam.get_role(RoleName="SageMakerExecutionRole")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
    assert policies("SageMakerExecutionRole") == (
        ["AmazonSageMakerFullAccess"],
        [f"bucket-{BUCKET}"],
    )
    inline = iam.get_role_policy(RoleName="SageMakerExecutionRole", PolicyName=f"bucket-{BUCKET}")[
        "PolicyDocument"
    ]
    assert inline["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": f"arn:aws:s3:::{BUCKET}",
        },
        OBJECTS,
    ]


@pytest.mark.parametrize(
    ("action", "resource", "decision"),
    [
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/train.csv", "allowed"),
        ("s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket-other/train.csv", "implicitDeny"),
        ("s3:DeleteBucket", f"arn:aws:s3:::{BUCKET}", "implicitDeny"),
        (
            "logs:PutLogEvents",
            "arn:aws:logs:ap-northeast-1:111122223333:log-group:/aws/sagemaker/TrainingJobs",
            "allowed",
        ),
        ("ecr:BatchGetImage", "*", "allowed"),
        ("cloudwatch:PutMetricData", "*", "allowed"),
        ("sagemaker:CreateTrainingJob", "*", "implicitDeny"),
    ],
)
def test_role_create_with_least_privilege_allows_no_more_than_a_job_needs(
    smcli: Smcli, action: str, resource: str, decision: str
) -> None:
    made = smcli("role-create", "jobs", "--least-privilege", "--bucket", BUCKET)
    arn = "arn:aws:iam::111122223333:role/jobs"
    assert made == Result(0, f"{arn}\n", f"export SAGEMAKER_ROLE_ARN={arn}\n")
    assert policies("jobs") == ([], [f"bucket-{BUCKET}", "sagemaker-jobs"])
    simulated = boto3.client("iam").simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource]
    )
    assert simulated["EvaluationResults"][0]["EvalDecision"] == decision


def test_role_create_refuses_before_any_call(smcli: Smcli) -> None:
    for wrong, message in [
        (("no role",), "'no role': the name of a role has at most 64"),
        (("r" * 65,), "the name of a role has at most 64"),
        (("役割",), "'役割': the name of a role has at most 64"),
        (("--bucket", f"s3://{BUCKET}"), "is not the name of a bucket (without s3:// and prefix)"),
        (("--bucket", "*"), "'*' is not the name of a bucket"),
        (("--least-privilege",), "a job has no data to read: add --bucket BUCKET."),
    ]:
        refused = smcli("role-create", *wrong)
        assert (refused.status, refused.output) == (252, ""), wrong
        assert message in refused.errors
    assert roles() == []


def test_role_create_dry_run_prints_all_requests(smcli: Smcli) -> None:
    shown = smcli("role-create", "jobs", "--bucket", BUCKET, "--bucket", "second", "--dry-run")
    assert (shown.status, shown.errors) == (0, "")
    calls = [json.loads(line) for line in shown.output.splitlines()]
    assert [call["operation"] for call in calls] == [
        "CreateRole",
        "AttachRolePolicy",
        "PutRolePolicy",
        "PutRolePolicy",
    ]
    assert calls[1]["request"] == {"RoleName": "jobs", "PolicyArn": FULL_ACCESS}
    assert calls[2]["request"]["PolicyName"] == f"bucket-{BUCKET}"
    assert roles() == []


def test_role_create_adds_to_a_role_of_sagemaker_that_is_there(smcli: Smcli) -> None:
    smcli("role-create", "--bucket", BUCKET)
    again = smcli("role-create", "--bucket", "second")
    assert again == Result(
        0,
        f"{ROLE}\n",
        "The role SageMakerExecutionRole already existed; these permissions were added to it.\n"
        f"export SAGEMAKER_ROLE_ARN={ROLE}\n",
    )
    assert policies("SageMakerExecutionRole")[1] == [f"bucket-{BUCKET}", "bucket-second"]
    role = smcli("role-create", "--output", "json")
    assert json.loads(role.output)["Role"]["Arn"] == ROLE


@pytest.mark.parametrize(
    ("principal", "trusted"),
    [
        ({"Service": "lambda.amazonaws.com"}, "lambda.amazonaws.com"),
        (
            {"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]},
            "lambda.amazonaws.com, sagemaker.amazonaws.com",
        ),
        (
            {"Service": "sagemaker.amazonaws.com", "AWS": "arn:aws:iam::444455556666:root"},
            "arn:aws:iam::444455556666:root, sagemaker.amazonaws.com",
        ),
    ],
)
def test_role_create_and_delete_refuse_a_role_that_others_may_take_on(
    smcli: Smcli, principal: dict[str, Any], trusted: str
) -> None:
    trusting("shared", **principal)
    told = f"error: The role shared is not for SageMaker alone; it trusts {trusted}."
    assert smcli("role-create", "shared") == Result(1, "", f"{told} Choose another name.\n")
    assert smcli("role-delete", "shared", "--yes") == Result(
        1, "", f"{told} It was left unchanged.\n"
    )
    assert policies("shared") == ([], [])


def test_role_create_removes_a_new_role_that_it_cannot_complete(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "PutRolePolicy")
    failed = smcli("role-create", "--bucket", BUCKET)
    assert failed == Result(
        254,
        "",
        "error: AccessDenied: PutRolePolicy is not allowed\n"
        "The unfinished role SageMakerExecutionRole was deleted.\n",
    )
    assert roles() == []


def test_role_create_undone_by_ctrl_c_leaves_nothing(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "AttachRolePolicy", with_=KeyboardInterrupt())
    assert smcli("role-create") == Result(
        130, "", "\nInterrupted.\nThe unfinished role SageMakerExecutionRole was deleted.\n"
    )
    assert roles() == []


def test_role_create_names_what_it_can_neither_complete_nor_remove(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "PutRolePolicy", "DeleteRole")
    failed = smcli("role-create", "--bucket", BUCKET)
    assert failed.status == 254
    assert failed.errors.splitlines() == [
        "error: AccessDenied: PutRolePolicy is not allowed",
        "The role SageMakerExecutionRole could not be deleted and remains without all its "
        "policies: An error occurred (AccessDenied) when calling the DeleteRole operation: "
        "DeleteRole is not allowed. Delete it with: smcli role-delete SageMakerExecutionRole",
    ]
    assert policies("SageMakerExecutionRole") == ([], [])


def test_role_create_never_removes_a_role_that_was_there(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting("jobs", Service="sagemaker.amazonaws.com")
    refusing(monkeypatch, "PutRolePolicy")
    failed = smcli("role-create", "jobs", "--bucket", BUCKET)
    assert failed.status == 254
    assert failed.errors.splitlines()[-1] == (
        "The role jobs existed before and is kept. Run this again to add the rest."
    )
    assert roles() == ["jobs"]


def test_role_create_waits_until_iam_shows_the_role(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, slept = AWS.read, list[float]()
    not_yet = {"Error": {"Code": "NoSuchEntity", "Message": "not yet"}}

    def late(self: AWS, service: str, operation: str, **request: Any) -> dict[str, Any]:
        if operation == "GetRole" and len(slept) < ready:
            raise self.client("iam").exceptions.NoSuchEntityException(not_yet, operation)
        return read(self, service, operation, **request)

    monkeypatch.setattr(AWS, "read", late)
    monkeypatch.setattr(commands.time, "sleep", slept.append)
    ready = 3
    assert smcli("role-create").output == f"{ROLE}\n"
    assert slept == [1, 1, 1]
    ready = 100
    slept.clear()
    assert smcli("role-create", "late") == Result(
        124,
        "",
        "error: IAM does not show the role late yet. Check again with: smcli role-list\n"
        "The role late has all its policies.\n",
    )
    assert len(slept) == 20


def test_role_delete_takes_the_policies_first(smcli: Smcli) -> None:
    smcli("role-create", "--bucket", BUCKET)
    unasked = smcli("role-delete")
    assert unasked.status == 252
    assert "Nobody can answer here: add --yes." in unasked.errors
    dry = smcli("role-delete", "--dry-run")
    assert [json.loads(line)["operation"] for line in dry.output.splitlines()] == [
        "DetachRolePolicy",
        "DeleteRolePolicy",
        "DeleteRole",
    ]
    assert (dry.status, dry.errors) == (0, "")
    assert roles() == ["SageMakerExecutionRole"]
    deleted = smcli("role-delete", "--yes")
    assert deleted == Result(
        0, "", "Removed 2 policies from the role SageMakerExecutionRole and deleted the role.\n"
    )
    assert roles() == []


def test_role_delete_of_a_missing_role_says_where_names_are(smcli: Smcli) -> None:
    missing = smcli("role-delete", "--yes")
    assert (missing.status, missing.output) == (254, "")
    assert missing.errors.startswith("error: NoSuchEntity: ")
    step = "Next: see the names with smcli role-list."
    assert missing.errors.endswith(f"{step}\n")
    as_aws_says_it = "The role with name SageMakerExecutionRole cannot be found."
    assert list(hints("NoSuchEntity", as_aws_says_it, "role-delete")) == [step]


def test_role_delete_names_the_policies_that_it_has_taken(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    smcli("role-create", "--bucket", BUCKET)
    refusing(monkeypatch, "DeleteRole")
    failed = smcli("role-delete", "--yes")
    assert failed.status == 254
    assert failed.errors.splitlines() == [
        "error: AccessDenied: DeleteRole is not allowed",
        "The role SageMakerExecutionRole is still there, but without these policies: "
        f"AmazonSageMakerFullAccess, bucket-{BUCKET}.",
    ]


def test_role_list_shows_those_that_sagemaker_may_take_on(smcli: Smcli) -> None:
    assert smcli("role-list") == Result(0, "", "0 items\n")
    smcli("role-create", "jobs")
    trusting("functions", Service="lambda.amazonaws.com")
    trusting("both", Service=["sagemaker.amazonaws.com", "lambda.amazonaws.com"])
    listed = smcli("role-list", "--output", "text")
    assert [line.split("\t")[0] for line in listed.output.splitlines()] == ["both", "jobs"]
    table = smcli("role-list")
    assert table.output.splitlines()[0].split() == ["Name", "ARN", "Created"]
    assert table.errors == "2 items\n"
    names = smcli("role-list", "--query", "Roles[].RoleName", "--output", "json")
    assert json.loads(names.output) == ["both", "jobs"]
