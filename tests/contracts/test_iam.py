"""What bare moto does with the policies that AWS manages."""

import boto3
import pytest
from botocore.exceptions import ClientError

from contracts.gaps import gap

FULL = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


@gap(
    "iam:AttachGroupPolicy`, `AttachRolePolicy`, `AttachUserPolicy`, `GetPolicy`, `ListPolicies",
    "knows no policy that AWS manages",
)
def test_policies_of_aws_are_unknown(bare_moto: None) -> None:
    iam = boto3.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    for call, arguments in (
        (iam.attach_role_policy, {"RoleName": "r"}),
        (iam.attach_user_policy, {"UserName": "u"}),
        (iam.attach_group_policy, {"GroupName": "g"}),
        (iam.get_policy, {}),
    ):
        with pytest.raises(ClientError) as caught:
            call(PolicyArn=FULL, **arguments)
        assert caught.value.response["Error"]["Code"] == "NoSuchEntity"
    assert iam.list_policies(Scope="AWS")["Policies"] == []
