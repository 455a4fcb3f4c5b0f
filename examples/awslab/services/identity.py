"""Who calls: the account and the principal behind a request to the lab."""

from typing import Any

import moto.iam.models
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends
from moto.sts.responses import TokenResponse

from awslab.extension import Function, changes, sets

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/lab"
USER_ID = "AIDACKCEVSQ6C2EXAMPLE"

sets(
    moto.iam.models,
    "DEFAULT_ACCOUNT_ID",
    ACCOUNT,
    service="all",
    operation="*",
    reason="answers for the account 123456789012; the lab for 111122223333",
)


def principal_of(access_key: str) -> Any:
    """moto's session of a role, or its user; None for a key that the lab does not know."""
    for account in list(sts_backends):
        assumed = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
        if assumed:
            return assumed
    for account in list(iam_backends):
        user = iam_backends[account]["aws"].get_user_from_access_key_id(access_key)
        if user:
            return user
    return None


def principals_of(access_key: str) -> list[str]:
    """The ARNs by which policies may name the caller: user, or role and role session."""
    principal = principal_of(access_key)
    if principal is None:
        return [USER]
    return [principal.role_arn, principal.arn] if is_session(principal) else [principal.arn]


def is_session(principal: Any) -> bool:
    return isinstance(principal, AssumedRole)


@changes(
    TokenResponse,
    "sts",
    "GetCallerIdentity",
    reason="says `arn:aws:sts::…:user/moto`, which is no ARN that AWS gives",
    differs="credentials that the lab does not know belong to one user, `user/lab`",
)
def get_caller_identity(original: Function, self: Any) -> Any:
    result = original(self).result
    if result["Arn"].endswith(":user/moto"):
        result |= {"Arn": USER, "UserId": USER_ID}
    return ActionResult(result)
