"""Parameter groups: values that a cluster takes when it starts."""

import json
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.models import ParameterGroup as MotoParameterGroup
from moto.redshift.models import RedshiftBackend
from moto.redshift.responses import RedshiftResponse

from awslab.extension import Function, adds, changes
from awslab.services.redshift.cluster import LOCK
from awslab.services.redshift.events import record
from awslab.services.redshift.paging import contradictory, invalid, page, refuse

FAMILIES = ("redshift-1.0", "redshift-2.0")
NEWEST = "default.redshift-2.0"
MOST_AT_ONCE = 20  # parameters in one request
MOST_WLM = 8_000  # characters of wlm_json_configuration
WAITS = (
    "Your parameter group has been updated but changes won't get applied until you reboot the "
    "associated Clusters."
)


@dataclass(frozen=True)
class Parameter:
    value: str
    kind: str
    description: str
    allowed: str | None = None
    apply: str = "static"


SWITCH = ("boolean", "true,false")
PARAMETERS = {
    "auto_analyze": Parameter("true", SWITCH[0], "Use auto analyze", SWITCH[1]),
    "auto_mv": Parameter("true", SWITCH[0], "Use auto mv capability", SWITCH[1]),
    "datestyle": Parameter(
        "ISO, MDY", "string", "Sets the display format for date and time values."
    ),
    "enable_case_sensitive_identifier": Parameter(
        "false", SWITCH[0], "Preserve case sensitivity for database identifiers", SWITCH[1]
    ),
    "enable_user_activity_logging": Parameter(
        "false", SWITCH[0], "parameter for audit logging purpose", SWITCH[1]
    ),
    "extra_float_digits": Parameter(
        "0", "integer", "Sets the number of digits displayed for floating-point values", "-15-2"
    ),
    "max_concurrency_scaling_clusters": Parameter(
        "1", "integer", "The maximum concurrency scaling clusters can be used.", "0-10"
    ),
    "max_cursor_result_set_size": Parameter(
        "default", "integer", "Sets the max cursor result set size", "0-14400000"
    ),
    "query_group": Parameter(
        "default",
        "string",
        "This parameter applies a user-defined label to a group of queries that are run during "
        "the same session..",
    ),
    "require_ssl": Parameter(
        "true", SWITCH[0], "require ssl for all databaseconnections", SWITCH[1]
    ),
    "search_path": Parameter(
        "$user, public",
        "string",
        "Sets the schema search order for names that are not schema-qualified.",
    ),
    "statement_timeout": Parameter(
        "0",
        "integer",
        "Aborts any statement that takes over the specified number of milliseconds.",
        "0,100-2147483647",
    ),
    "use_fips_ssl": Parameter("false", SWITCH[0], "Use fips ssl library", SWITCH[1]),
    "wlm_json_configuration": Parameter(
        '[{"auto_wlm":true}]', "string", "wlm json configuration", apply="dynamic"
    ),
}


def defaults(family: str) -> dict[str, str]:
    values = {name: parameter.value for name, parameter in PARAMETERS.items()}
    return values | ({"require_ssl": "false"} if family == "redshift-1.0" else {})


class ParameterGroup(MotoParameterGroup):
    """A named set of values; moto keeps and tags it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.values = defaults(self.family)

    def described(self, source: str | None) -> list[dict[str, Any]]:
        usual = defaults(self.family)
        return [
            {
                "ParameterName": name,
                "ParameterValue": value,
                "Description": PARAMETERS[name].description,
                "Source": "engine-default" if value == usual[name] else "user",
                "DataType": PARAMETERS[name].kind,
                "AllowedValues": PARAMETERS[name].allowed,
                "ApplyType": PARAMETERS[name].apply,
                "IsModifiable": True,
            }
            for name, value in self.values.items()
            if source in (None, "engine-default" if value == usual[name] else "user")
        ]


def find_group(backend: RedshiftBackend, name: str) -> ParameterGroup:
    """Raises ServiceException: `ClusterParameterGroupNotFound`."""
    group: ParameterGroup | None = backend.parameter_groups.get(name)
    if group is None:
        refuse("ClusterParameterGroupNotFound", f"ParameterGroup not found: {name}")
    return group


def find_own_group(backend: RedshiftBackend, name: str) -> ParameterGroup:
    """A group that may be changed: those that begin with `default.` are AWS's."""
    group = find_group(backend, name)
    if name.startswith("default."):
        refuse(
            "InvalidClusterParameterGroupState",
            f"The default parameter group {name} cannot be modified or deleted.",
        )
    return group


def check(name: str, value: str | None) -> None:
    """Raises ServiceException: no such parameter, or not such a value."""
    parameter = PARAMETERS.get(name)
    if parameter is None:
        invalid(f"Could not find parameter with name: {name}")
    if value is None:
        invalid(f"The parameter value of {name} must be specified.")
    if name == "wlm_json_configuration":
        fits = len(value) <= MOST_WLM and is_json_list(value)
    else:
        fits = parameter.allowed is None or allowed(value, parameter.allowed)
    if not fits:
        said = f" allowed values: {parameter.allowed}" if parameter.allowed else ""
        invalid(f"Invalid parameter value: {value} for: {name}{said}")


def allowed(value: str, ranges: str) -> bool:
    """Whether `ranges`, such as `true,false` or `0,100-2147483647`, contains the value."""
    for part in ranges.split(","):
        least, dash, most = part.rpartition("-") if part[1:].count("-") else (part, "", "")
        if not dash and value == part:
            return True
        if dash and is_integer(value) and int(least) <= int(value) <= int(most):
            return True
    return False


def is_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 12


def is_json_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


@changes(
    RedshiftBackend,
    "redshift",
    "default parameter groups",
    reason="has no `default.redshift-2.0`",
    differs="",
)
def __init__(original: Function, self: Any, region_name: str, account_id: str) -> None:  # noqa: N807
    original(self, region_name, account_id)
    for family in FAMILIES:
        group = ParameterGroup(
            f"default.{family}",
            family,
            f"Default parameter group for {family}",
            account_id,
            region_name,
        )
        self.parameter_groups[group.name] = group


@changes(
    RedshiftBackend,
    "redshift",
    "CreateClusterParameterGroup",
    reason="replaces a group of the same name; accepts any family",
    differs="no quota",
)
def create_cluster_parameter_group(
    original: Function,
    self: Any,
    cluster_parameter_group_name: str,
    group_family: str,
    description: str,
    region_name: str,
    tags: list[dict[str, str]] | None = None,
) -> ParameterGroup:
    name = cluster_parameter_group_name.lower()
    if group_family not in FAMILIES:
        invalid(f"ParameterGroupFamily {group_family} is not a valid parameter group family.")
    with LOCK:
        if name in self.parameter_groups:
            refuse("ClusterParameterGroupAlreadyExists", f"ParameterGroup {name} already exists")
        group = ParameterGroup(name, group_family, description, self.account_id, region_name, tags)
        self.parameter_groups[name] = group
    record(
        self,
        "cluster-parameter-group",
        name,
        "1003",
        "Configuration",
        f"Cluster parameter group {name} was created.",
    )
    return group


@changes(
    RedshiftBackend,
    "redshift",
    "DeleteClusterParameterGroup",
    reason="deletes the default group and groups in use",
    differs="",
)
def delete_cluster_parameter_group(
    original: Function, self: Any, parameter_group_name: str
) -> ParameterGroup:
    group = find_own_group(self, parameter_group_name)
    if any(cluster.parameter_group == group.name for cluster in list(self.clusters.values())):
        refuse(
            "InvalidClusterParameterGroupState",
            f"The parameter group {group.name} is in use by at least one cluster.",
        )
    self.parameter_groups.pop(group.name, None)
    return group


@changes(
    RedshiftResponse,
    "redshift",
    "DescribeClusterParameters",
    reason="gives every parameter the description `mock parameter`; ignores `Source`",
    differs="",
)
def describe_cluster_parameters(original: Function, self: Any) -> ActionResult:
    group = find_group(self.redshift_backend, self.params["ParameterGroupName"])
    shown, marker = page(group.described(self.params.get("Source")), self.params)
    return ActionResult({"Parameters": shown, "Marker": marker})


@changes(
    RedshiftResponse,
    "redshift",
    "DescribeDefaultClusterParameters",
    reason="gives every parameter the description `mock parameter`; accepts any family",
    differs="",
)
def describe_default_cluster_parameters(original: Function, self: Any) -> ActionResult:
    family = self.params["ParameterGroupFamily"]
    if family not in FAMILIES:
        invalid(f"ParameterGroupFamily {family} is not a valid parameter group family.")
    group = ParameterGroup(f"default.{family}", family, "", "", "")
    shown, marker = page(group.described(None), self.params)
    answer = {"ParameterGroupFamily": family, "Parameters": shown, "Marker": marker}
    return ActionResult({"DefaultClusterParameters": answer})


@adds(
    RedshiftResponse,
    "redshift",
    "ModifyClusterParameterGroup",
    differs="the values have no effect on the SQL that a cluster runs",
)
def modify_cluster_parameter_group(self: Any) -> ActionResult:
    group = find_own_group(self.redshift_backend, self.params["ParameterGroupName"])
    wanted = self.params["Parameters"]
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        invalid(f"Between 1 and {MOST_AT_ONCE} parameters can be modified in a single request.")
    changed = {item.get("ParameterName", ""): item.get("ParameterValue") for item in wanted}
    for name, value in changed.items():
        check(name, value)
    return updated(self.redshift_backend, group, changed)


@adds(RedshiftResponse, "redshift", "ResetClusterParameterGroup", differs="")
def reset_cluster_parameter_group(self: Any) -> ActionResult:
    group = find_own_group(self.redshift_backend, self.params["ParameterGroupName"])
    usual = defaults(group.family)
    named = [item.get("ParameterName", "") for item in self.params.get("Parameters") or []]
    if self.params.get("ResetAllParameters"):
        if named:
            contradictory("Parameters cannot be specified when ResetAllParameters is true.")
        return updated(self.redshift_backend, group, usual)
    if not 1 <= len(named) <= MOST_AT_ONCE:
        invalid(f"Between 1 and {MOST_AT_ONCE} parameters can be reset in a single request.")
    for name in named:
        check(name, usual.get(name))
    return updated(self.redshift_backend, group, {name: usual[name] for name in named})


def updated(
    backend: RedshiftBackend, group: ParameterGroup, changed: dict[str, Any]
) -> ActionResult:
    """Take the values, tell the events of them, and answer."""
    for name, value in changed.items():
        if group.values[name] != value:
            said = f"was updated from {group.values[name]} to {value} at [time]."
            record(
                backend,
                "cluster-parameter-group",
                group.name,
                "1002",
                "Configuration",
                f"The parameter {name} {said}",
            )
    group.values |= changed
    return ActionResult({"ParameterGroupName": group.name, "ParameterGroupStatus": WAITS})
