"""S3 as COPY and UNLOAD reach it: by a role of the cluster."""

import re
from typing import TYPE_CHECKING, Any

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from awslab import objects
from awslab.services.s3 import find_bucket
from awslab.sql import SqlError

if TYPE_CHECKING:
    from awslab.services.redshift_data.session import Session
    from awslab.sql_words import Words


def read_authorization(words: "Words", options: dict[str, Any]) -> bool:
    """Take the words of an authorization, if they come next: `IAM_ROLE …`, `CREDENTIALS …`."""
    words.accept("WITH")
    if words.accept("IAM_ROLE"):
        options["role"] = "default" if words.accept("DEFAULT") else words.text()
        return True
    if words.accept("CREDENTIALS"):
        words.accept("AS")
        found = re.fullmatch(r"aws_iam_role=(\S+)", words.text())
        if found is None:
            raise SqlError("ERROR: the lab takes credentials of the form 'aws_iam_role=…' only")
        options["role"] = found[1]
        return True
    if words.peek() in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        raise SqlError("ERROR: the lab takes no access keys: use IAM_ROLE")
    return False


def check_role(session: "Session", role: str | None, command: str) -> None:
    """Raises SqlError: no role is given, or the cluster must not assume it."""
    endpoint = session.endpoint
    if role is None:
        raise SqlError(f"ERROR: {command} needs an authorization: IAM_ROLE or CREDENTIALS")
    if role == "default":
        if endpoint.default_role is None:
            raise SqlError("ERROR: The cluster or workgroup has no default IAM role")
        return
    for one in role.split(","):
        if one not in endpoint.roles:
            who = (
                f"arn:aws:redshift:{endpoint.region}:{endpoint.account}:dbuser:{endpoint.name}/"
                f"{session.user}"
            )
            raise SqlError(f"ERROR: User {who} is not authorized to assume IAM Role {one}")


def check_bucket(session: "Session", uri: str, region: str | None) -> None:
    """Raises SqlError: not in S3, no such bucket, or one of another Region."""
    if not uri.startswith("s3://") or not objects.split(uri)[0]:
        raise SqlError(f"ERROR: the lab reads and writes s3:// only, not {uri}")
    bucket = find_bucket(objects.split(uri)[0])
    if bucket is None:
        raise SqlError(
            "ERROR: S3ServiceException:The specified bucket does not exist,Status 404,"
            "Error NoSuchBucket"
        )
    if bucket.region_name != (region or session.endpoint.region):
        raise SqlError(
            "ERROR: S3ServiceException:The S3 bucket addressed by the query is in a different "
            "region from this cluster.,Status 301,Error PermanentRedirect"
        )


def remove(uri: str) -> None:
    """Delete an object."""
    name, key = objects.split(uri)
    bucket = find_bucket(name)
    if bucket is not None:
        backend = s3_backends[bucket.account_id][get_partition(bucket.region_name)]
        backend.delete_object(name, key)
