"""Delete a role of create_role.py with its permissions."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TAG = {"Key": "made-by", "Value": "create_role.py"}


def delete_role(iam: BaseClient, role: str) -> None:
    """Delete the policy in the role, then the role (`iam:DeleteRolePolicy`, `iam:DeleteRole`).

    Raises RuntimeError: it is not a role of create_role.py (`iam:GetRole`).
    """
    if TAG not in iam.get_role(RoleName=role)["Role"].get("Tags", []):
        raise RuntimeError(f"The role {role} is not tagged by create_role.py")
    try:
        iam.delete_role_policy(RoleName=role, PolicyName="training")
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    iam.delete_role(RoleName=role)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", required=True)
    role = parser.parse_args().role
    try:
        delete_role(boto3.client("iam"), role)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {role} may still exist, without its permissions. "
            "Check the name, credentials and network; then run this again."
        )
    print(f"deleted role {role}")


if __name__ == "__main__":
    main()
