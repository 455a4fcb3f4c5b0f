import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
ROLE = "sagemaker-training"
TAGS = [{"Key": "made-by", "Value": "create_role.py"}]


@pytest.mark.parametrize("half_made", [True, False])
def test_the_role_and_its_policy_go(run: Run, client: Any, half_made: bool) -> None:
    iam = client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}", Tags=TAGS)
    if not half_made:
        allowed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_role_policy(RoleName=ROLE, PolicyName="training", PolicyDocument=document)
    result = run("delete_role", "--role", ROLE)
    assert (result.status, result.output, result.errors) == (0, f"deleted role {ROLE}\n", "")
    assert iam.list_roles()["Roles"] == []


def test_a_role_of_others_stays(run: Run, client: Any) -> None:
    iam = client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
    result = run("delete_role", "--role", ROLE)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"The role {ROLE} is not tagged by create_role.py. {ROLE} may still exist, without its "
        "permissions. Check the name, credentials and network; then run this again.\n"
    )
    assert len(iam.list_roles()["Roles"]) == 1


def test_no_such_role(run: Run) -> None:
    result = run("delete_role", "--role", "other")
    assert result.status == 1
    assert "NoSuchEntity" in result.errors
