"""IAM: the policies that AWS manages, and the simulation of policies."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from awslab.services.iam import managed_by_aws
from awslab.state import difference, snapshot
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
FULL = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)

Request = dict[str, Any]


@pytest.fixture
def iam(client: Callable[..., BaseClient]) -> BaseClient:
    """A client, and the role SageMakerExecutionRole."""
    made = client("iam")
    made.create_role(RoleName="SageMakerExecutionRole", AssumeRolePolicyDocument=TRUST)
    return made


def policy(*statements: Request) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> Request:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> Request:
    return {"Effect": "Deny", "Action": action, "Resource": resource} | more


def simulate(
    iam: BaseClient, action: str, resource: str | None = None, source: str = ROLE, **more: Any
) -> Request:
    resources = {"ResourceArns": [resource]} if resource else {}
    answer = iam.simulate_principal_policy(
        PolicySourceArn=source, ActionNames=[action], **resources, **more
    )
    (result,) = answer["EvaluationResults"]
    return dict(result)


def custom(iam: BaseClient, *policies: str, action: str = "s3:GetObject", **more: Any) -> Request:
    answer = iam.simulate_custom_policy(
        PolicyInputList=list(policies), ActionNames=[action], **more
    )
    (result,) = answer["EvaluationResults"]
    return dict(result)


def entry(name: str, *values: str) -> Request:
    kind = "string" if len(values) == 1 else "stringList"
    return {"ContextKeyName": name, "ContextKeyValues": list(values), "ContextKeyType": kind}


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# --- the policies that AWS manages ----------------------------------------------------------------


def test_policies_of_aws_can_be_attached_and_detached(iam: BaseClient) -> None:
    name = {"RoleName": "SageMakerExecutionRole"}
    for arn in (FULL, BASIC):
        iam.attach_role_policy(**name, PolicyArn=arn)
    attached = iam.list_attached_role_policies(**name)["AttachedPolicies"]
    assert {each["PolicyArn"] for each in attached} == {FULL, BASIC}
    assert refusal(iam.delete_role, **name)[0] == "DeleteConflict"
    for arn in (FULL, BASIC):
        iam.detach_role_policy(**name, PolicyArn=arn)
    iam.delete_role(**name)


def test_their_documents_are_told(iam: BaseClient) -> None:
    told = iam.get_policy(PolicyArn=FULL)["Policy"]
    assert told["PolicyName"] == "AmazonSageMakerFullAccess"
    version = iam.get_policy_version(PolicyArn=FULL, VersionId=told["DefaultVersionId"])
    statements = version["PolicyVersion"]["Document"]["Statement"]
    assert any("iam:PassRole" in json.dumps(statement) for statement in statements)


def test_users_and_groups_take_them(iam: BaseClient) -> None:
    iam.create_user(UserName="ana")
    iam.create_group(GroupName="all")
    iam.attach_user_policy(UserName="ana", PolicyArn=FULL)
    iam.attach_group_policy(GroupName="all", PolicyArn=BASIC)
    attached = iam.list_attached_user_policies(UserName="ana")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [FULL]


def test_no_policy_is_invented(iam: BaseClient) -> None:
    attach = iam.attach_role_policy
    arn = "arn:aws:iam::aws:policy/NoSuchPolicy"
    said = refusal(attach, RoleName="SageMakerExecutionRole", PolicyArn=arn)
    assert said == ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    wrong_path = "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"
    assert refusal(iam.get_policy, PolicyArn=wrong_path)[0] == "NoSuchEntity"


def test_all_of_them_are_listed(iam: BaseClient) -> None:
    own = iam.create_policy(PolicyName="own", PolicyDocument=policy(allow()))["Policy"]["Arn"]

    def arns(**params: Any) -> set[str]:
        whole = {"PageSize": 1000}
        pages = iam.get_paginator("list_policies").paginate(**params, PaginationConfig=whole)
        return {each["Arn"] for page in pages for each in page["Policies"]}

    assert arns(Scope="Local") == {own}
    assert arns(OnlyAttached=True) == set()
    of_aws = arns(Scope="AWS")
    assert {FULL, BASIC} <= of_aws and len(of_aws) == len(managed_by_aws()) > 1_000
    assert arns() == of_aws | {own}
    code, message = refusal(iam.list_policies, Marker="odd")
    assert (code, message) == ("InvalidInput", "Invalid marker: odd")


def test_what_aws_owns_is_no_leftover(iam: BaseClient) -> None:
    name = {"RoleName": "SageMakerExecutionRole"}
    iam.list_roles()  # moto opens other partitions at the second call
    before = snapshot()
    iam.attach_role_policy(**name, PolicyArn=FULL)
    attached = difference(before, snapshot())
    policy = FULL.replace("/", "%2F")  # one part of a path
    assert attached and all(f"managed_policies/{policy}" in line for line in attached)
    assert all("/roles/" in line for line in attached)
    iam.detach_role_policy(**name, PolicyArn=FULL)
    iam.list_policies(MaxItems=1)
    assert difference(before, snapshot()) == []


# --- simulation -----------------------------------------------------------------------------------


def test_without_a_policy_all_is_denied(iam: BaseClient) -> None:
    assert simulate(iam, "s3:GetObject") == {
        "EvalActionName": "s3:GetObject",
        "EvalResourceName": "*",
        "EvalDecision": "implicitDeny",
        "MatchedStatements": [],
        "MissingContextValues": [],
    }


@pytest.mark.parametrize(
    ("action", "resource", "context", "decision"),
    [
        ("sagemaker:CreateModel", "*", [], "allowed"),
        ("s3:CreateBucket", "arn:aws:s3:::anything", [], "allowed"),
        ("s3:PutObject", "arn:aws:s3:::my-sagemaker-bucket/data.csv", [], "allowed"),
        ("s3:PutObject", "arn:aws:s3:::my-bucket/sagemaker-data.csv", [], "allowed"),
        ("s3:PutObject", "arn:aws:s3:::my-bucket/data.csv", [], "implicitDeny"),
        ("s3:GetObject", "arn:aws:s3:::my-bucket/data.csv", [], "implicitDeny"),
        (
            "s3:GetObject",
            "arn:aws:s3:::my-bucket/data.csv",
            [entry("s3:ExistingObjectTag/SageMaker", "TRUE")],
            "allowed",
        ),
        (
            "s3:PutObject",
            "arn:aws:s3:::my-bucket/data.csv",
            [entry("s3:ExistingObjectTag/SageMaker", "true")],
            "implicitDeny",
        ),
        ("iam:PassRole", ROLE, [], "implicitDeny"),
        (
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/AmazonSageMaker-role",
            [entry("iam:PassedToService", "sagemaker.amazonaws.com")],
            "allowed",
        ),
        ("ec2:RunInstances", "*", [], "implicitDeny"),
    ],
)
def test_what_the_full_access_to_sagemaker_allows(
    iam: BaseClient, action: str, resource: str, context: list[Request], decision: str
) -> None:
    iam.attach_role_policy(RoleName="SageMakerExecutionRole", PolicyArn=FULL)
    result = simulate(iam, action, resource, ContextEntries=context)
    assert result["EvalDecision"] == decision
    source = [{"SourcePolicyId": "AmazonSageMakerFullAccess", "SourcePolicyType": "aws-managed"}]
    assert result["MatchedStatements"][:1] == (source if decision == "allowed" else [])


def test_keys_that_would_change_the_answer_are_named(iam: BaseClient) -> None:
    iam.attach_role_policy(RoleName="SageMakerExecutionRole", PolicyArn=FULL)
    result = simulate(iam, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/any")
    assert result["MissingContextValues"] == ["iam:PassedToService"]


def test_inline_managed_and_denied(iam: BaseClient) -> None:
    name = {"RoleName": "SageMakerExecutionRole"}
    text = policy(allow("s3:*", "arn:aws:s3:::amzn-s3-demo-bucket/*"))
    iam.put_role_policy(**name, PolicyName="inline", PolicyDocument=text)
    key = "arn:aws:s3:::amzn-s3-demo-bucket/a"
    result = simulate(iam, "s3:GetObject", key)
    assert result["EvalDecision"] == "allowed"
    assert result["MatchedStatements"] == [{"SourcePolicyId": "inline", "SourcePolicyType": "role"}]
    assert simulate(iam, "S3:getobject", key)["EvalDecision"] == "allowed"
    assert simulate(iam, "s3:GetObject")["EvalDecision"] == "implicitDeny"
    no_delete = iam.create_policy(PolicyName="careful", PolicyDocument=policy(deny("s3:Delete*")))[
        "Policy"
    ]["Arn"]
    iam.attach_role_policy(**name, PolicyArn=no_delete)
    result = simulate(iam, "s3:DeleteObject", key)
    assert result["EvalDecision"] == "explicitDeny"
    careful = {"SourcePolicyId": "careful", "SourcePolicyType": "user-managed"}
    assert result["MatchedStatements"] == [careful]


def test_the_version_in_force_counts(iam: BaseClient) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=policy(allow("s3:GetObject")))
    arn = arn["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="SageMakerExecutionRole", PolicyArn=arn)
    assert simulate(iam, "s3:GetObject")["EvalDecision"] == "allowed"
    text = policy(allow("s3:PutObject"))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
    assert simulate(iam, "s3:GetObject")["EvalDecision"] == "implicitDeny"
    assert simulate(iam, "s3:PutObject")["EvalDecision"] == "allowed"


def test_a_user_has_what_its_groups_have(iam: BaseClient) -> None:
    user = iam.create_user(UserName="ana")["User"]["Arn"]
    group = iam.create_group(GroupName="readers")["Group"]["Arn"]
    iam.put_group_policy(
        GroupName="readers", PolicyName="read", PolicyDocument=policy(allow("s3:Get*"))
    )
    assert simulate(iam, "s3:GetObject", source=user)["EvalDecision"] == "implicitDeny"
    iam.add_user_to_group(GroupName="readers", UserName="ana")
    for source in (user, group):
        result = simulate(iam, "s3:GetObject", source=source)
        assert result["EvalDecision"] == "allowed"
        read = {"SourcePolicyId": "read", "SourcePolicyType": "group"}
        assert result["MatchedStatements"] == [read]


def test_a_boundary_limits_what_is_allowed(iam: BaseClient) -> None:
    name = {"RoleName": "SageMakerExecutionRole"}
    iam.put_role_policy(**name, PolicyName="all", PolicyDocument=policy(allow()))
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=policy(allow("s3:*")))
    iam.put_role_permissions_boundary(**name, PermissionsBoundary=limit["Policy"]["Arn"])
    inside, outside = simulate(iam, "s3:GetObject"), simulate(iam, "sagemaker:ListModels")
    assert (inside["EvalDecision"], outside["EvalDecision"]) == ("allowed", "implicitDeny")
    detail = "PermissionsBoundaryDecisionDetail"
    assert inside[detail] == {"AllowedByPermissionsBoundary": True}
    assert outside[detail] == {"AllowedByPermissionsBoundary": False}
    wider = simulate(
        iam, "sagemaker:ListModels", PermissionsBoundaryPolicyInputList=[policy(allow())]
    )
    assert wider["EvalDecision"] == "allowed"


def test_policies_may_be_tried_before_they_are_attached(iam: BaseClient) -> None:
    tried = simulate(iam, "s3:GetObject", PolicyInputList=[policy(allow("s3:*"))])
    assert tried["EvalDecision"] == "allowed"
    given = {"SourcePolicyId": "PolicyInputList.1", "SourcePolicyType": "none"}
    assert tried["MatchedStatements"] == [given]
    assert simulate(iam, "s3:GetObject")["EvalDecision"] == "implicitDeny"


def test_a_policy_of_a_resource_lets_in_whom_it_names(iam: BaseClient) -> None:
    statement = allow("s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/*")
    bucket = policy(statement | {"Principal": {"AWS": ROLE}})
    options = {"ResourcePolicy": bucket}
    key = "arn:aws:s3:::amzn-s3-demo-bucket/a"
    assert simulate(iam, "s3:GetObject", key, **options)["EvalDecision"] == "allowed"
    other = {"CallerArn": f"arn:aws:iam::{ACCOUNT}:user/ana"}
    result = simulate(iam, "s3:GetObject", key, **options, **other)
    assert result["EvalDecision"] == "implicitDeny"


def test_each_action_on_each_resource_page_by_page(iam: BaseClient) -> None:
    asked = {
        "PolicySourceArn": ROLE,
        "ActionNames": ["s3:GetObject", "s3:PutObject"],
        "ResourceArns": ["arn:aws:s3:::a/1", "arn:aws:s3:::a/2"],
    }
    first = iam.simulate_principal_policy(**asked, MaxItems=3)
    assert first["IsTruncated"] is True
    rest = iam.simulate_principal_policy(**asked, MaxItems=3, Marker=first["Marker"])
    assert rest["IsTruncated"] is False
    pairs = [
        (each["EvalActionName"], each["EvalResourceName"])
        for page in (first, rest)
        for each in page["EvaluationResults"]
    ]
    assert pairs == [(a, r) for a in asked["ActionNames"] for r in asked["ResourceArns"]]
    pages = iam.get_paginator("simulate_principal_policy").paginate(**asked)
    assert sum(len(page["EvaluationResults"]) for page in pages) == 4


@pytest.mark.parametrize(
    ("policies", "context", "decision"),
    [
        ([policy(allow("s3:*"))], [], "allowed"),
        ([policy(allow("s3:*")), policy(deny("s3:Get*"))], [], "explicitDeny"),
        ([policy(allow("ec2:*"))], [], "implicitDeny"),
        (
            [policy(allow(Condition={"Bool": {"aws:SecureTransport": "true"}}))],
            [entry("aws:SecureTransport", "true")],
            "allowed",
        ),
        ([policy(allow(Condition={"Bool": {"aws:SecureTransport": "true"}}))], [], "implicitDeny"),
        (
            [policy(allow(), deny(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}))],
            [entry("aws:SourceVpce", "vpce-2")],
            "explicitDeny",
        ),
    ],
)
def test_policies_that_nobody_has(
    iam: BaseClient, policies: list[str], context: list[Request], decision: str
) -> None:
    assert custom(iam, *policies, ContextEntries=context)["EvalDecision"] == decision


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        (
            {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/none"},
            "NoSuchEntity",
            f"The entity arn:aws:iam::{ACCOUNT}:role/none cannot be found.",
        ),
        ({"ActionNames": ["s3:*"]}, "InvalidInput", "Invalid action name: s3:*"),
        ({"ActionNames": ["GetObject"]}, "InvalidInput", "Invalid action name: GetObject"),
        ({"ResourceArns": ["bucket"]}, "InvalidInput", "Invalid Entity Arn: bucket"),
        ({"CallerArn": "ana"}, "InvalidInput", "Invalid Entity Arn: ana"),
        ({"Marker": "odd"}, "InvalidInput", "Invalid marker: odd"),
        (
            {"PolicyInputList": ["{"]},
            "InvalidInput",
            "PolicyInputList.1: The policy is not in the valid JSON format.",
        ),
        (
            {"PolicyInputList": [policy(allow() | {"Principal": "*"})]},
            "InvalidInput",
            "PolicyInputList.1: The policy of an identity must not contain a Principal element.",
        ),
        (
            {"ResourcePolicy": policy(allow())},
            "InvalidInput",
            "ResourcePolicy: A statement must contain a Principal element.",
        ),
        (
            {"ContextEntries": [entry("aws:TagKeys", "a", "b")]},
            "InvalidInput",
            "The lab simulates context keys with one value only.",
        ),
        (
            {"PolicyInputList": [policy(allow(resource="arn:aws:s3:::${aws:username}"))]},
            "InvalidInput",
            "The lab cannot evaluate a statement about s3:GetObject: policy variable in "
            "arn:aws:s3:::${aws:username}.",
        ),
    ],
)
def test_what_cannot_be_simulated(
    iam: BaseClient, changed: Request, code: str, message: str
) -> None:
    asked = {"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject"]} | changed
    assert refusal(iam.simulate_principal_policy, **asked) == (code, message)


def test_identities_of_another_account_are_not_known(iam: BaseClient, client: Any) -> None:
    keys = client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{OTHER}:role/x", RoleSessionName="session"
    )["Credentials"]
    there = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    ).client("iam")
    assert refusal(simulate, there, "s3:GetObject")[0] == "NoSuchEntity"


def test_requests_are_held_against_the_model(client: Any) -> None:
    loose = client("iam", parameter_validation=False)
    said = refusal(loose.simulate_principal_policy, PolicySourceArn=ROLE)
    assert said == (
        "ValidationError",
        "1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: "
        "Member must not be null",
    )
    code, _ = refusal(loose.create_role, RoleName="no name", AssumeRolePolicyDocument=TRUST)
    assert code == "ValidationError"


def test_over_http(lab_server: str) -> None:
    options = {"endpoint_url": lab_server, "region_name": "ap-northeast-1"}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    iam = boto3.client("iam", **options, **keys)
    iam.create_role(RoleName="SageMakerExecutionRole", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="SageMakerExecutionRole", PolicyArn=FULL)
    assert simulate(iam, "sagemaker:CreateModel")["EvalDecision"] == "allowed"
    assert simulate(iam, "ec2:RunInstances")["EvalDecision"] == "implicitDeny"
    assert refusal(simulate, iam, "s3:*")[0] == "InvalidInput"
