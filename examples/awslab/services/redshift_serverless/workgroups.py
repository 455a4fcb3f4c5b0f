"""Workgroups: the compute of a namespace, counted in RPUs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.common_models import BaseModel
from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random

from awslab.clock import Course, Stage, now
from awslab.extension import adds
from awslab.services.redshift import rules
from awslab.services.redshift.audit_logs import database_user
from awslab.services.redshift_data.endpoint import Endpoint
from awslab.services.redshift_serverless.backend import (
    LOCK,
    NotFound,
    RedshiftServerlessBackend,
    RedshiftServerlessResponse,
    Request,
    conflict,
    new_id,
    page,
    redshiftserverless_backends,
    refuse,
)
from awslab.services.redshift_serverless.namespaces import Namespace, find_namespace

# Seconds of the lab's clock.
CREATING = 120.0
MODIFYING = 60.0
DELETING = 60.0

USUAL_CAPACITY = 128
LEVELS = (1, 25, 50, 75, 100)
PARAMETERS = {
    "auto_mv": "true",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_user_activity_logging": "true",
    "query_group": "default",
    "require_ssl": "true",
    "search_path": "$user, public",
    "use_fips_ssl": "false",
    "max_query_execution_time": "14400",
}
METRICS = {  # query monitoring: they have no default
    "max_query_cpu_time",
    "max_query_blocks_read",
    "max_scan_row_count",
    "max_query_queue_time",
    "max_query_cpu_usage_percent",
    "max_query_temp_blocks_to_disk",
    "max_join_row_count",
    "max_nested_loop_join_row_count",
    "wlm_json_configuration",
}
PLAIN = {
    "enhancedVpcRouting": False,
    "publiclyAccessible": False,
    "port": 5439,
    "ipAddressType": "ipv4",
    "trackName": "current",
    "extraComputeForAutomaticOptimization": False,
}
CHANGES = (  # what UpdateWorkgroup changes, each in a request of its own
    ("baseCapacity", "maxCapacity", "pricePerformanceTarget"),
    ("configParameters",),
    ("enhancedVpcRouting",),
    ("publiclyAccessible",),
    ("port",),
    ("ipAddressType",),
    ("securityGroupIds", "subnetIds"),
    ("trackName",),
    ("extraComputeForAutomaticOptimization",),
)


class Workgroup(BaseModel):
    def __init__(
        self, backend: RedshiftServerlessBackend, request: Mapping[str, Any], namespace: Namespace
    ) -> None:
        self.backend = backend
        self.name: str = request["workgroupName"]
        self.namespace = namespace.name
        self.id = new_id()
        self.arn = backend.arn("workgroup", self.id)
        self.tags: list[dict[str, str]] = list(request.get("tags") or [])
        self.create_time: datetime = now()
        self.settings: Request = dict(PLAIN) | {
            "securityGroupIds": [],
            "subnetIds": [],
            "baseCapacity": USUAL_CAPACITY,
            "pricePerformanceTarget": {"status": "DISABLED", "level": 50},
        }
        self.parameters = dict(PARAMETERS)
        take(self, request)
        self.course = Course([Stage("CREATING", CREATING), Stage("AVAILABLE")])

    def described(self) -> Request:
        place = f"{self.backend.account_id}.{self.backend.region_name}"
        answer = self.settings | {
            "workgroupName": self.name,
            "workgroupId": self.id,
            "workgroupArn": self.arn,
            "namespaceName": self.namespace,
            "status": self.course.stage,
            "creationDate": self.create_time,
            "workgroupVersion": "1.0",
            "patchVersion": "1.0.69954",
            "configParameters": [
                {"parameterKey": key, "parameterValue": value}
                for key, value in self.parameters.items()
            ],
        }
        if self.course.stage != "CREATING":
            answer["endpoint"] = {
                "address": f"{self.name}.{place}.redshift-serverless.amazonaws.com",
                "port": self.settings["port"],
                "vpcEndpoints": [],
            }
        return answer

    def remove(self) -> None:
        self.backend.workgroups.pop(self.name, None)
        for name, limit in list(self.backend.usage_limits.items()):
            if limit["resourceArn"] == self.arn:
                self.backend.usage_limits.pop(name, None)


def take(workgroup: Workgroup, request: Mapping[str, Any]) -> None:
    """Set what a request says."""
    names = ("maxCapacity", "baseCapacity", "securityGroupIds", "subnetIds", *PLAIN)
    given = {name: request[name] for name in names if request.get(name) is not None}
    workgroup.settings |= given
    target = request.get("pricePerformanceTarget")
    if target is not None:
        workgroup.settings["pricePerformanceTarget"] = {"level": 50, **target}
    for parameter in request.get("configParameters") or []:
        workgroup.parameters[parameter["parameterKey"]] = parameter.get("parameterValue", "")


def check(backend: RedshiftServerlessBackend, params: Mapping[str, Any], base: int | None) -> None:
    """Raises ServiceException: a value is none that Redshift Serverless takes.

    base: the capacity that the workgroup has so far.
    """
    capacity = params.get("baseCapacity")
    if capacity is not None and not is_capacity(capacity):
        refuse(
            f"Invalid baseCapacity {capacity}: it must be 4, or between 8 and 512 in units of 8, "
            "or up to 1024 in units of 32."
        )
    least, most = capacity or base or USUAL_CAPACITY, params.get("maxCapacity")
    if most is not None and (not is_capacity(most) or most < least):
        refuse(f"Invalid maxCapacity {most}: it must not be less than baseCapacity, {least}.")
    target = params.get("pricePerformanceTarget") or {}
    if target.get("level") not in (None, *LEVELS):
        refuse(f"Invalid level {target['level']}: valid values are {', '.join(map(str, LEVELS))}.")
    if target.get("status") == "ENABLED" and capacity is not None:
        refuse("baseCapacity cannot be specified when pricePerformanceTarget is ENABLED.")
    port = params.get("port")
    if port is not None and not any(low <= port <= high for low, high in rules.PORTS):
        refuse(f"Invalid port {port}. Valid port ranges are 5431-5455 and 8191-8215.")
    for parameter in params.get("configParameters") or []:
        key = parameter.get("parameterKey")
        if key not in PARAMETERS and key not in METRICS:
            refuse(f"Invalid parameterKey: {key}")
    check_network(backend, params)


def is_capacity(value: int) -> bool:
    return (
        value == 4
        or (8 <= value <= 512 and value % 8 == 0)
        or (512 < value <= 1024 and value % 32 == 0)
    )


def check_network(backend: RedshiftServerlessBackend, params: Mapping[str, Any]) -> None:
    groups, subnets = params.get("securityGroupIds") or [], params.get("subnetIds") or []
    for group in groups:
        if backend.ec2.get_security_group_from_id(group) is None:
            refuse(f"Invalid security group ID: {group}")
    known = {name for zone in backend.ec2.subnets.values() for name in zone} if subnets else set()
    for subnet in subnets:
        if subnet not in known:
            refuse(f"Invalid subnet ID: {subnet}")


def find_workgroup(backend: RedshiftServerlessBackend, name: str | None) -> Workgroup:
    """Raises ServiceException: `ResourceNotFoundException`."""
    with LOCK:
        workgroup: Workgroup | None = backend.workgroups.get(name or "")
        if workgroup is not None:
            workgroup.course.keep_up()
            workgroup = backend.workgroups.get(name or "")
    if workgroup is None:
        raise NotFound(f"Workgroup {name} is not found.", str(name))
    return workgroup


def find_for_data(account: str, region: str, name: str) -> Endpoint | None:
    """The workgroup of this name or ARN as the Data API sees it; None if none answers."""
    backend = redshiftserverless_backends[account][region]
    with LOCK:
        for workgroup in list(backend.workgroups.values()):
            if name not in (workgroup.name, workgroup.arn):
                continue
            workgroup.course.keep_up()
            if workgroup.course.stage not in ("AVAILABLE", "MODIFYING"):
                return None
            namespace = backend.namespaces[workgroup.namespace]
            return Endpoint(
                "workgroup",
                workgroup.name,
                account,
                region,
                namespace.warehouse,
                1,
                0,
                tuple(namespace.roles),
                namespace.settings["defaultIamRoleArn"],
            )
    return None


@adds(
    RedshiftServerlessResponse,
    "redshift-serverless",
    "CreateWorkgroup",
    differs=(
        "no quota; takes 2 minutes of the lab's clock; no network interfaces; the capacity has no "
        "effect on the speed"
    ),
)
def create_workgroup(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    check(backend, params, None)
    name = params["workgroupName"]
    with LOCK:
        namespace = find_namespace(backend, params["namespaceName"])
        if name in backend.workgroups:
            conflict(f"Workgroup {name} already exists.")
        if any(w.namespace == namespace.name for w in backend.workgroups.values()):
            conflict(f"Namespace {namespace.name} is already associated with a workgroup.")
        if namespace.course.stage == "DELETING":
            conflict(f"Namespace {namespace.name} is being deleted.")
        workgroup = Workgroup(backend, params, namespace)
        backend.workgroups[name] = workgroup
        return ActionResult({"workgroup": workgroup.described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "GetWorkgroup", differs="")
def get_workgroup(self: Any) -> ActionResult:
    name = self.params["workgroupName"]
    with LOCK:
        find_workgroup(self.backend, name).course.look()
        return ActionResult({"workgroup": find_workgroup(self.backend, name).described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "ListWorkgroups", differs="")
def list_workgroups(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    with LOCK:
        own = params.get("ownerAccount") in (None, backend.account_id)
        for workgroup in list(backend.workgroups.values()):
            workgroup.course.look()
        shown, token = page(list(backend.workgroups.values()) if own else [], params)
        answer = {"workgroups": [w.described() for w in shown], "nextToken": token}
    return ActionResult(answer)


@adds(RedshiftServerlessResponse, "redshift-serverless", "UpdateWorkgroup", differs="")
def update_workgroup(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    with LOCK:
        workgroup = find_workgroup(backend, params["workgroupName"])
        if workgroup.course.stage != "AVAILABLE":
            conflict("There is an operation running on the workgroup. Try again later.")
        check(backend, params, workgroup.settings["baseCapacity"])
        given = [
            [name for name in names if params.get(name) is not None]
            for names in CHANGES
            if any(params.get(name) is not None for name in names)
        ]
        if len(given) > 1:
            names = " and ".join(group[0] for group in given)
            refuse(f"You can't update {names} in one request.")
        take(workgroup, params)
        if given:
            workgroup.course.divert([Stage("MODIFYING", MODIFYING), Stage("AVAILABLE")])
        return ActionResult({"workgroup": workgroup.described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "DeleteWorkgroup", differs="")
def delete_workgroup(self: Any) -> ActionResult:
    with LOCK:
        workgroup = find_workgroup(self.backend, self.params["workgroupName"])
        if workgroup.course.stage != "AVAILABLE":
            conflict("There is an operation running on the workgroup. Try again later.")
        workgroup.course.divert(
            [Stage("DELETING", DELETING), Stage("DELETED", begin=workgroup.remove)]
        )
        return ActionResult({"workgroup": workgroup.described()})


@adds(
    RedshiftServerlessResponse,
    "redshift-serverless",
    "GetCredentials",
    differs="nothing listens at the endpoint of a workgroup, so that the password opens nothing",
)
def get_credentials(self: Any) -> ActionResult:
    params = self.params
    find_workgroup(self.backend, params.get("workgroupName"))
    seconds = params.get("durationSeconds")
    seconds = 900 if seconds is None else seconds
    if not 900 <= seconds <= 3600:
        refuse("Token duration must be between 900 and 3600 seconds")
    ends = now() + timedelta(seconds=seconds)
    return ActionResult(
        {
            "dbUser": database_user(self),
            "dbPassword": mock_random.get_random_string(32),
            "expiration": ends,
            "nextRefreshTime": ends,
        }
    )
