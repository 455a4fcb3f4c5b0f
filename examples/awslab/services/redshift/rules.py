"""What a request for a cluster may say: the rules that the service's model cannot state."""

import re
from collections.abc import Mapping
from typing import Any

from moto.redshift.models import RedshiftBackend

from awslab.services.redshift.nodes import MOST_NODES, NODE_TYPES, managed_storage
from awslab.services.redshift.paging import contradictory, invalid, refuse

IDENTIFIER = re.compile(r"[a-z](-?[a-z0-9])*")
USER_NAME = re.compile(r"[a-z][a-z0-9_+.@-]{0,127}")
DATABASE_NAME = re.compile(r"[a-z_][a-z0-9_$]{0,63}")
PASSWORD_EXCLUDES = re.compile(r"""['"\\/@ ]|[^!-~]""")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
WINDOW = re.compile(r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d", re.IGNORECASE)
RESERVED = {"public", "all", "user", "admin", "rdsdb", "rdsadmin", "template0", "template1"}
MOST_ROLES = 50
VERSION = "1.0"  # of the engine: the only one
PORTS = ((5431, 5455), (8191, 8215))  # of RA3 and RG
DC2_PORTS = ((1150, 65535),)


def check_identifier(value: str, parameter: str, most: int = 63) -> None:
    if not IDENTIFIER.fullmatch(value) or len(value) > most:
        invalid(
            f"The parameter {parameter} is not a valid identifier. Identifiers must begin with a "
            "letter; must contain only ASCII lowercase letters, digits, and hyphens; and must not "
            "end with a hyphen or contain two consecutive hyphens."
        )


def check_password(password: str) -> None:
    if not 8 <= len(password) <= 64:
        invalid("The parameter MasterUserPassword must be between 8 and 64 characters in length.")
    for pattern, what in (
        ("[A-Z]", "one upper case letter"),
        ("[a-z]", "one lower case letter"),
        ("[0-9]", "one number"),
    ):
        if not re.search(pattern, password):
            invalid(f"The parameter MasterUserPassword must contain at least {what}.")
    if PASSWORD_EXCLUDES.search(password):
        invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII "
            "characters besides '/', '@', '\"', ' ', '\\', and ''' may be used."
        )


def check_credentials(params: Mapping[str, Any], needed: bool) -> None:
    """A password, or one that Secrets Manager keeps: never both.

    needed: one of them must be given.
    """
    password, managed = params.get("MasterUserPassword"), params.get("ManageMasterPassword")
    if password is not None and managed:
        contradictory("You can't use MasterUserPassword if ManageMasterPassword is true.")
    if params.get("MasterPasswordSecretKmsKeyId") and not managed:
        contradictory(
            "You can only use MasterPasswordSecretKmsKeyId if ManageMasterPassword is true."
        )
    if password is not None:
        check_password(password)
    elif needed and not managed:
        invalid("The parameter MasterUserPassword must be provided and must not be blank.")


def check_names(params: Mapping[str, Any]) -> None:
    check_identifier(params["ClusterIdentifier"], "ClusterIdentifier")
    user = params["MasterUsername"]
    if not USER_NAME.fullmatch(user) or user in RESERVED:
        invalid(f"Invalid master user name {user}: it is malformed or a reserved word.")
    name = params.get("DBName")
    if name is not None and (not DATABASE_NAME.fullmatch(name) or name in RESERVED):
        invalid(f"Invalid database name {name}: it is malformed or a reserved word.")


def check_node_type(node_type: str) -> None:
    if node_type not in NODE_TYPES:
        valid = ", ".join(NODE_TYPES)
        invalid(f"Invalid node type: {node_type}. Valid node types are: {valid}.")


def number_of_nodes(node_type: str, cluster_type: str | None, count: int | None) -> int:
    """How many nodes a request asks for.

    A request without ClusterType gets what its NumberOfNodes says, and a single node without that.

    Raises:
        ServiceException: the two contradict each other, or the type has no such clusters.
    """
    if cluster_type not in (None, "single-node", "multi-node"):
        invalid("Invalid cluster type. Cluster type can be one of multi-node or single-node")
    if cluster_type == "single-node":
        if count is not None:
            invalid("Number of nodes must be not be supplied for cluster type single-node.")
        count = 1
    elif cluster_type == "multi-node" and (count is None or count < 2):
        contradictory(
            "Number of nodes for cluster type multi-node must be greater than or equal to 2"
        )
    count = 1 if count is None else count
    limits = NODE_TYPES[node_type]
    if count < 1:
        invalid("Number of nodes must be greater than or equal to 1")
    if count < limits.least:
        contradictory(f"Node type {node_type} needs at least {limits.least} nodes.")
    if count > min(limits.most, MOST_NODES):
        refuse(
            "NumberOfNodesPerClusterLimitExceeded",
            f"The operation would exceed the number of nodes allowed for a cluster of type "
            f"{node_type}.",
        )
    return count


def check_port(node_type: str, port: int) -> None:
    ranges = PORTS if managed_storage(node_type) else DC2_PORTS
    if not any(least <= port <= most for least, most in ranges):
        said = " or ".join(f"{least}-{most}" for least, most in ranges)
        invalid(f"Invalid port {port} for node type {node_type}. Valid ports are {said}.")


def check_retention(node_type: str, params: Mapping[str, Any]) -> None:
    automated = params.get("AutomatedSnapshotRetentionPeriod")
    least = 1 if managed_storage(node_type) else 0
    if automated is not None and not least <= automated <= 35:
        invalid(
            f"Invalid automated snapshot retention period {automated} for node type {node_type}. "
            f"Must be between {least} and 35."
        )
    check_manual_retention(params.get("ManualSnapshotRetentionPeriod"))


def check_manual_retention(days: int | None) -> None:
    if days is not None and days != -1 and not 1 <= days <= 3653:
        refuse(
            "InvalidRetentionPeriodFault",
            "The manual snapshot retention period must be either -1 or between 1 and 3653 days.",
        )


def check_multi_az(node_type: str, nodes: int, encrypted: bool) -> None:
    if not encrypted:
        contradictory(
            "Your cluster must be encrypted to use Multi-AZ. Specify encrypted parameter to "
            "encrypt your cluster."
        )
    if not node_type.startswith("ra3."):
        contradictory(f"Multi-AZ is not supported for node type {node_type}.")
    if nodes < 2:
        contradictory("Multi-AZ is not supported for single-node clusters.")


def check_window(window: str) -> None:
    parts = window.split("-")
    if len(parts) != 2 or not all(WINDOW.fullmatch(part) for part in parts):
        invalid(
            f"Invalid maintenance window: {window}. Must be specified as: ddd:hh24:mi-ddd:hh24:mi"
        )


def check_version(version: str | None) -> None:
    if version not in (None, VERSION):
        invalid(f"Cluster version {version} is not available.")


def check_roles(roles: list[str], default: str | None) -> None:
    for role in roles:
        if not ROLE.fullmatch(role):
            invalid(f"Invalid IAM role ARN: {role}")
    if len(roles) > MOST_ROLES:
        invalid(f"A cluster can have at most {MOST_ROLES} IAM roles.")
    if default and default not in roles:
        invalid(f"The default IAM role {default} is not associated with the cluster.")


def check_ip_address_type(value: str | None) -> None:
    if value not in (None, "ipv4", "dualstack"):
        invalid(f"Invalid IP address type: {value}. Valid values are ipv4 and dualstack.")


def network(backend: RedshiftBackend, group: str | None) -> tuple[str | None, list[str]]:
    """VPC and Availability Zones of a subnet group; without one, those of the default VPC.

    Raises:
        ServiceException: `ClusterSubnetGroupNotFoundFault`.
    """
    if group in (None, "default"):
        vpc = backend.ec2_backend.get_default_vpc()
        return (vpc.id if vpc else None), []
    found = backend.subnet_groups.get(group)
    if found is None:
        refuse("ClusterSubnetGroupNotFoundFault", f"Cluster subnet group {group} not found.")
    subnets = found.subnets
    zones = sorted({subnet.availability_zone for subnet in subnets})
    return (subnets[0].vpc_id if subnets else None), zones


def security_groups(
    backend: RedshiftBackend, wanted: list[str] | None, vpc: str | None
) -> list[str]:
    """The VPC security groups of a request, or the default one of the VPC.

    Raises:
        ServiceException: a group does not exist.
    """
    for group in wanted or []:
        if backend.ec2_backend.get_security_group_from_id(group) is None:
            invalid(f"Invalid security group ID: {group}")
    if wanted or vpc is None:
        return list(wanted or [])
    default = backend.ec2_backend.get_default_security_group(vpc)
    return [default.id] if default else []
