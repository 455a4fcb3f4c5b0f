"""Where a request of the Data API leads: the cluster or workgroup, the database, the user."""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from moto.core.exceptions import ServiceException
from moto.redshift.models import redshift_backends
from moto.redshiftdata.models import RedshiftDataAPIServiceBackend
from moto.secretsmanager.models import secretsmanager_backends

from awslab.services.redshift.audit_logs import database_user
from awslab.services.redshift.cluster import LOCK as CLUSTERS
from awslab.services.redshift.cluster import Cluster
from awslab.services.redshift_data.endpoint import Endpoint

LOCK = threading.RLock()  # held while statements and sessions are looked up and then kept
UNFIT = ("creating", "deleting", "final-snapshot", "paused", "pausing", "resuming", "rebooting")
NO_ENDPOINT = "Redshift endpoint doesn't exist in this region."


class Refusal(ServiceException):
    """An error of the service's model."""


class NotFound(ServiceException):
    code = "ResourceNotFoundException"

    def __init__(self, message: str, resource: str) -> None:
        super().__init__(message)
        self.resource_id = resource


def refuse(message: str) -> NoReturn:
    raise Refusal("ValidationException", message)


def kept(backend: RedshiftDataAPIServiceBackend, what: str) -> dict[str, Any]:
    """A dictionary of the lab beside moto's own of this account and Region; it ends with them."""
    found: dict[str, Any] = vars(backend).setdefault(f"lab_{what}", {})
    return found


def endpoint_of(backend: RedshiftDataAPIServiceBackend, params: Mapping[str, Any]) -> Endpoint:
    """The cluster or the workgroup that a request names.

    Raises:
        ServiceException: it names none or both, or nothing that answers.
    """
    cluster, workgroup = params.get("ClusterIdentifier"), params.get("WorkgroupName")
    if cluster and workgroup:
        refuse("Only one of ClusterIdentifier and WorkgroupName can be provided.")
    if not cluster and not workgroup:
        refuse("Either ClusterIdentifier, WorkgroupName or SessionId must be provided.")
    if workgroup:
        return endpoint_of_workgroup(backend, workgroup)
    found: Cluster | None = redshift_backends[backend.account_id][backend.region_name].clusters.get(
        cluster
    )
    if found is not None:
        with CLUSTERS:
            found.course.keep_up()
    if found is None or found.status in ("creating", "deleting", "deleted"):
        refuse(NO_ENDPOINT)
    if found.status in UNFIT:
        refuse(f"Redshift endpoint is not available: the cluster is {found.status}.")
    return Endpoint(
        "cluster",
        found.name,
        backend.account_id,
        backend.region_name,
        found.warehouse,
        found.nodes,
        found.slices,
        tuple(found.roles),
        found.settings["DefaultIamRoleArn"],
    )


def endpoint_of_workgroup(backend: RedshiftDataAPIServiceBackend, name: str) -> Endpoint:
    # Imported late: a workgroup is made of what this package offers.
    from awslab.services.redshift_serverless.workgroups import find_for_data

    found = find_for_data(backend.account_id, backend.region_name, name)
    if found is None:
        refuse(NO_ENDPOINT)
    return found


def user_of(self: Any, params: Mapping[str, Any], endpoint: Endpoint) -> str:
    """The database user that runs the statement: that of the secret, the one named, or the
    caller's own.

    Raises:
        ServiceException: the parameters exclude each other, or the secret is unfit.
    """
    secret, user = params.get("SecretArn"), params.get("DbUser")
    if secret and user:
        refuse("Only one of SecretArn and DbUser can be provided.")
    if user and endpoint.kind == "workgroup":
        refuse("DbUser cannot be provided with WorkgroupName.")
    if secret:
        return user_of_secret(self.current_account, self.region, secret)
    return str(user) if user else database_user(self)


def user_of_secret(account: str, region: str, name: str) -> str:
    secrets = secretsmanager_backends[account][region].secrets
    found = secrets.get(name)
    if found is None:
        refuse(f"Secret {name} cannot be found.")
    try:
        return str(json.loads(found.secret_string)["username"])
    except (ValueError, KeyError, TypeError, AttributeError):
        refuse(f"Secret {name} has no username and password for a database.")


def database_of(params: Mapping[str, Any]) -> str:
    """Raises ServiceException: none is named."""
    database = params.get("Database")
    if not database:
        refuse("Database must be provided.")
    return str(database)


def page(items: Sequence[Any], params: Mapping[str, Any], most: int) -> tuple[list[Any], Any]:
    """The part of a list that a request asks for, and the token of the next part."""
    token = params.get("NextToken") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", token):
        refuse("Invalid NextToken.")
    start = int(token)
    end = start + (params.get("MaxResults") or most)
    return list(items[start:end]), str(end) if end < len(items) else None
