"""Namespaces: databases, their users and keys."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.core.common_models import BaseModel
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.secretsmanager.models import secretsmanager_backends

from awslab.clock import Course, Stage, now
from awslab.extension import adds
from awslab.services.redshift import rules
from awslab.services.redshift.cluster import new_password
from awslab.services.redshift_data.warehouse import Warehouse
from awslab.services.redshift_serverless.backend import (
    LOCK,
    NotFound,
    RedshiftServerlessBackend,
    RedshiftServerlessResponse,
    Request,
    conflict,
    new_id,
    page,
    refuse,
)

# Seconds of the lab's clock.
MODIFYING = 30.0
DELETING = 60.0

LOGS = {"userlog", "connectionlog", "useractivitylog"}
PLAIN = ("kmsKeyId", "logExports", "defaultIamRoleArn")


class Namespace(BaseModel):
    def __init__(self, backend: RedshiftServerlessBackend, request: Mapping[str, Any]) -> None:
        self.backend = backend
        self.name: str = request["namespaceName"]
        self.id = new_id()
        self.arn = backend.arn("namespace", self.id)
        self.tags: list[dict[str, str]] = list(request.get("tags") or [])
        self.create_time: datetime = now()
        self.settings: Request = {
            "dbName": request.get("dbName") or "dev",
            "adminUsername": request.get("adminUsername") or "admin",
            "kmsKeyId": request.get("kmsKeyId") or "AWS_OWNED_KMS_KEY",
            "logExports": request.get("logExports") or [],
            "defaultIamRoleArn": request.get("defaultIamRoleArn"),
        }
        self.roles: list[str] = list(dict.fromkeys(request.get("iamRoles") or []))
        self.secret_arn: str | None = None
        self.secret_key: str | None = None
        self.warehouse = Warehouse(self.settings["dbName"])
        self.course = Course([Stage("AVAILABLE")])

    def described(self) -> Request:
        return self.settings | {
            "namespaceName": self.name,
            "namespaceId": self.id,
            "namespaceArn": self.arn,
            "status": self.course.stage,
            "creationDate": self.create_time,
            "iamRoles": [f"IamRole(applyStatus=in-sync, iamRoleArn={role})" for role in self.roles],
            "adminPasswordSecretArn": self.secret_arn,
            "adminPasswordSecretKmsKeyId": self.secret_key,
        }

    def manage_password(self, kms_key: str | None) -> None:
        """Have Secrets Manager keep a password of the lab's choice."""
        if self.secret_arn:
            return
        backend, user = self.backend, self.settings["adminUsername"]
        secret = secretsmanager_backends[backend.account_id][
            backend.region_name
        ].create_managed_secret(
            "redshift",
            f"redshift!{self.name}-{user}",
            secret_string=json.dumps({"username": user, "password": new_password()}),
            kms_key_id=kms_key,
        )
        self.secret_arn, self.secret_key = secret.arn, kms_key

    def forget_password(self) -> None:
        if self.secret_arn:
            backend = self.backend
            secrets = secretsmanager_backends[backend.account_id][backend.region_name].secrets
            secrets.pop(self.secret_arn)
            self.secret_arn = self.secret_key = None

    def remove(self) -> None:
        self.warehouse.close()
        self.forget_password()
        self.backend.namespaces.pop(self.name, None)


def find_namespace(backend: RedshiftServerlessBackend, name: str) -> Namespace:
    """Raises ServiceException: `ResourceNotFoundException`."""
    with LOCK:
        namespace: Namespace | None = backend.namespaces.get(name)
        if namespace is not None:
            namespace.course.keep_up()
            namespace = backend.namespaces.get(name)
    if namespace is None:
        raise NotFound(f"Namespace {name} is not found.", name)
    return namespace


def idle(namespace: Namespace) -> Namespace:
    """Raises ServiceException: something changes it already."""
    if namespace.course.stage != "AVAILABLE":
        conflict(
            f"There is an operation running on the namespace. Try {namespace.name} again later."
        )
    return namespace


def check_password(params: Mapping[str, Any]) -> None:
    """Raises ServiceException: what is said of the administrator contradicts itself."""
    password, managed = params.get("adminUserPassword"), params.get("manageAdminPassword")
    if password is not None and managed:
        refuse("You can't use adminUserPassword if manageAdminPassword is true.")
    if params.get("adminPasswordSecretKmsKeyId") and not managed:
        refuse("You can only use adminPasswordSecretKmsKeyId if manageAdminPassword is true.")
    if password is not None:
        if not params.get("adminUsername"):
            refuse("adminUsername and adminUserPassword must be specified together.")
        try:
            rules.check_password(password)
        except ServiceException as error:
            refuse(error.message.replace("MasterUserPassword", "adminUserPassword"))


def check_others(params: Mapping[str, Any], roles: list[str]) -> None:
    for role in roles:
        if not rules.ROLE.fullmatch(role):
            refuse(f"Invalid IAM role ARN: {role}")
    default = params.get("defaultIamRoleArn")
    if default and default not in roles:
        refuse(f"The default IAM role {default} is not one of iamRoles.")
    if not set(params.get("logExports") or []) <= LOGS:
        refuse(f"Invalid logExports. Valid values are {', '.join(sorted(LOGS))}.")


@adds(
    RedshiftServerlessResponse,
    "redshift-serverless",
    "CreateNamespace",
    differs="keys and roles are not looked up; no quota; Identity Center has no effect",
)
def create_namespace(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    check_password(params)
    check_others(params, params.get("iamRoles") or [])
    name, database = params["namespaceName"], params.get("dbName")
    if database is not None and not rules.DATABASE_NAME.fullmatch(database):
        refuse(f"Invalid database name {database}.")
    user = params.get("adminUsername")
    if user is not None and not rules.USER_NAME.fullmatch(user):
        refuse(f"Invalid administrator name {user}.")
    with LOCK:
        if name in backend.namespaces:
            conflict(f"Namespace {name} already exists.")
        namespace = Namespace(backend, params)
        backend.namespaces[name] = namespace
    if params.get("manageAdminPassword"):
        namespace.manage_password(params.get("adminPasswordSecretKmsKeyId"))
    return ActionResult({"namespace": namespace.described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "GetNamespace", differs="")
def get_namespace(self: Any) -> ActionResult:
    name = self.params["namespaceName"]
    with LOCK:
        find_namespace(self.backend, name).course.look()
        return ActionResult({"namespace": find_namespace(self.backend, name).described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "ListNamespaces", differs="")
def list_namespaces(self: Any) -> ActionResult:
    backend = self.backend
    with LOCK:
        for namespace in list(backend.namespaces.values()):
            namespace.course.look()
        shown, token = page(list(backend.namespaces.values()), self.params)
        answer = {"namespaces": [n.described() for n in shown], "nextToken": token}
    return ActionResult(answer)


@adds(
    RedshiftServerlessResponse,
    "redshift-serverless",
    "UpdateNamespace",
    differs="publishing of system tables to S3 Tables has no effect",
)
def update_namespace(self: Any) -> ActionResult:
    params = self.params
    check_password(params)
    with LOCK:
        namespace = idle(find_namespace(self.backend, params["namespaceName"]))
        groups = {
            "the administrator": ("adminUserPassword", "adminUsername", "manageAdminPassword"),
            "roles": ("iamRoles", "defaultIamRoleArn"),
            "the key": ("kmsKeyId",),
            "logs": ("logExports",),
        }
        given = [
            what
            for what, names in groups.items()
            if any(params.get(name) is not None for name in names)
        ]
        if len(given) > 1:
            refuse(f"You can't update {' and '.join(given)} in one request.")
        roles = params.get("iamRoles")
        check_others(params, namespace.roles if roles is None else roles)
        if roles is not None:
            namespace.roles = list(dict.fromkeys(roles))
        changed = {name: params[name] for name in PLAIN if params.get(name) is not None}
        namespace.settings |= changed
        if params.get("manageAdminPassword"):
            namespace.manage_password(params.get("adminPasswordSecretKmsKeyId"))
        elif params.get("adminUserPassword") is not None:
            namespace.settings["adminUsername"] = params["adminUsername"]
            namespace.forget_password()
        if given:
            namespace.course.divert([Stage("MODIFYING", MODIFYING), Stage("AVAILABLE")])
        return ActionResult({"namespace": namespace.described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "DeleteNamespace", differs="")
def delete_namespace(self: Any) -> ActionResult:
    from awslab.services.redshift_serverless.recovery import take_snapshot

    params, backend = self.params, self.backend
    with LOCK:
        namespace = idle(find_namespace(backend, params["namespaceName"]))
        if any(w.namespace == namespace.name for w in list(backend.workgroups.values())):
            conflict(
                f"Namespace {namespace.name} cannot be deleted: a workgroup is associated with it."
            )
        if params.get("finalSnapshotName"):
            days = params.get("finalSnapshotRetentionPeriod")
            take_snapshot(namespace, params["finalSnapshotName"], days, [])
        namespace.course.divert(
            [Stage("DELETING", DELETING), Stage("DELETED", begin=namespace.remove)]
        )
        return ActionResult({"namespace": namespace.described()})
