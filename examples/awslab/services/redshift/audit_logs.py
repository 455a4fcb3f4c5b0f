"""Audit logs of a cluster: where they are to go. And who may log in."""

from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.redshift.responses import RedshiftResponse

from awslab.clock import now
from awslab.extension import Function, adds, changes
from awslab.services.identity import principals_of
from awslab.services.redshift.cluster import find_cluster
from awslab.services.redshift.paging import invalid, refuse
from awslab.services.s3 import find_bucket

LOGS = {"connectionlog", "useractivitylog", "userlog"}


@changes(
    RedshiftResponse,
    "redshift",
    "EnableLogging",
    reason="accepts a missing bucket and any log; claims a delivery and a failure",
    differs="no log is delivered; bucket policies are not checked",
)
def enable_logging(original: Function, self: Any) -> ActionResult:
    params = self.params
    cluster = find_cluster(self.redshift_backend, params["ClusterIdentifier"])
    kind = params.get("LogDestinationType") or "s3"
    bucket, exports = params.get("BucketName"), params.get("LogExports") or []
    if kind == "s3" and (bucket is None or find_bucket(bucket) is None):
        refuse("BucketNotFoundFault", f"Cannot find bucket {bucket}")
    if kind != "s3" and bucket is not None:
        invalid(f"BucketName cannot be specified for the log destination type {kind}.")
    if kind == "cloudwatch" and not exports:
        invalid("LogExports is required for the log destination type cloudwatch.")
    if kind != "s3table" and not set(exports) <= LOGS:
        invalid(f"Invalid log exports. Valid values are {', '.join(sorted(LOGS))}.")
    cluster.logging = {
        "LoggingEnabled": True,
        "BucketName": bucket,
        "S3KeyPrefix": params.get("S3KeyPrefix"),
        "LogDestinationType": kind,
        "LogExports": exports or None,
    }
    return ActionResult(cluster.logging)


@changes(
    RedshiftResponse,
    "redshift",
    "DisableLogging",
    reason="keeps bucket and prefix",
    differs="",
)
def disable_logging(original: Function, self: Any) -> ActionResult:
    cluster = find_cluster(self.redshift_backend, self.params["ClusterIdentifier"])
    cluster.logging = {"LoggingEnabled": False}
    return ActionResult(cluster.logging)


@changes(
    RedshiftResponse,
    "redshift",
    "DescribeLoggingStatus",
    reason="claims a delivery and a failure",
    differs="",
)
def describe_logging_status(original: Function, self: Any) -> ActionResult:
    cluster = find_cluster(self.redshift_backend, self.params["ClusterIdentifier"])
    return ActionResult(cluster.logging)


@adds(
    RedshiftResponse,
    "redshift",
    "GetClusterCredentialsWithIAM",
    differs="nothing listens at the endpoint of a cluster, so that the password opens nothing",
)
def get_cluster_credentials_with_iam(self: Any) -> ActionResult:
    params = self.params
    find_cluster(self.redshift_backend, params.get("ClusterIdentifier"))
    seconds = params.get("DurationSeconds")
    seconds = 900 if seconds is None else seconds
    if not 900 <= seconds <= 3600:
        invalid("Token duration must be between 900 and 3600 seconds")
    answer = {
        "DbUser": database_user(self),
        "DbPassword": mock_random.get_random_string(32),
        "Expiration": now() + timedelta(seconds=seconds),
    }
    return ActionResult(answer)


def database_user(response: Any) -> str:
    """The user of a database that stands for the caller: `IAM:<user>` or `IAMR:<role>`."""
    arn = principals_of(response.get_access_key())[0]
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return f"{'IAMR' if kind == 'role' else 'IAM'}:{name.rpartition('/')[2]}"
