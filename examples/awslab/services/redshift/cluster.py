"""A provisioned cluster: what it was made from, its nodes, and the state it is in."""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.core.common_models import BaseModel
from moto.moto_api._internal import mock_random
from moto.redshift.models import RedshiftBackend, TaggableResourceMixin
from moto.secretsmanager.models import secretsmanager_backends

from awslab.clock import Course, Stage, now
from awslab.services.redshift.events import record
from awslab.services.redshift.nodes import NODE_TYPES
from awslab.services.redshift.paging import refuse
from awslab.services.redshift_data.warehouse import Warehouse

Request = dict[str, Any]

# Held while a name is looked up and then taken, and, before any course, while a state changes.
LOCK = threading.RLock()

# Seconds of the lab's clock.
CREATING = 300.0
DELETING = 120.0
MODIFYING = 60.0
REBOOTING = 60.0
PAUSING = 300.0
RESUMING = 300.0

AVAILABILITY = {
    "available": "Available",
    "paused": "Unavailable",
    "rebooting": "Unavailable",
    "renaming": "Unavailable",
    "deleting": "Unavailable",
    "final-snapshot": "Unavailable",
}

# Documentation ranges (RFC 5737): addresses that belong to nobody.
PRIVATE, SECOND_ZONE, PUBLIC = "192.0.2.", "198.51.100.", "203.0.113."
LABEL = "abc123xyz789"  # of the endpoints in the Management Guide


class Cluster(TaggableResourceMixin, BaseModel):
    """A cluster that goes through the states of its course.

    settings: members of the answer that hold until somebody modifies them, by their names in
        the service's model.
    """

    resource_type = "cluster"

    def __init__(
        self,
        backend: RedshiftBackend,
        name: str,
        settings: Request,
        tags: list[dict[str, str]],
        stages: list[Stage],
    ) -> None:
        super().__init__(backend.account_id, backend.region_name, list(tags))
        self.backend = backend
        self.name = name
        self.settings = settings
        self.namespace = str(mock_random.uuid4())
        self.create_time: datetime = now()
        self.pending: Request = {}
        self.security_groups: list[str] = []
        self.roles: list[str] = []
        self.parameter_group = ""
        self.parameters: dict[str, str] = {}  # in force since the last start
        self.multi_az = False
        self.relocation = False
        self.extra_compute = False
        self.secret_arn: str | None = None
        self.secret_key: str | None = None
        self.resize: Request | None = None
        self.restored: Request | None = None
        self.snapshot_copy: Request | None = None
        self.schedule: str | None = None
        self.next_snapshot: datetime | None = None
        self.logging: Request = {"LoggingEnabled": False}
        self.warehouse = Warehouse(settings["DBName"])
        self.course = Course(stages)

    @property
    def resource_id(self) -> str:
        return self.name

    @property
    def status(self) -> str:
        return self.course.stage

    @property
    def node_type(self) -> str:
        return str(self.settings["NodeType"])

    @property
    def nodes(self) -> int:
        return int(self.settings["NumberOfNodes"])

    @property
    def slices(self) -> int:
        return self.nodes * NODE_TYPES[self.node_type].slices

    @property
    def address(self) -> str:
        return f"{self.name}.{LABEL}.{self.region}.redshift.amazonaws.com"

    def go_through(self, *stages: Stage) -> None:
        """Enter other states, one after the other."""
        self.course.divert(list(stages))

    def addresses(self, private: str) -> list[Request]:
        """The nodes of one Availability Zone: a single node does the work of both kinds."""
        roles = ["LEADER", *(f"COMPUTE-{number}" for number in range(self.nodes))]
        found = []
        for position, role in enumerate(roles if self.nodes > 1 else ["SHARED"], 10):
            node = {"NodeRole": role, "PrivateIPAddress": f"{private}{position}"}
            if self.settings["PubliclyAccessible"]:
                node["PublicIPAddress"] = f"{PUBLIC}{position}"
            found.append(node)
        return found

    def described(self) -> Request:
        """The members of `Cluster` in the service's model."""
        status = self.course.stage
        answer = self.settings | {
            "ClusterIdentifier": self.name,
            "ClusterStatus": status,
            "ClusterAvailabilityStatus": AVAILABILITY.get(status, "Modifying"),
            "ClusterCreateTime": self.create_time,
            "ClusterSecurityGroups": [],
            "VpcSecurityGroups": [
                {"VpcSecurityGroupId": group, "Status": "active"} for group in self.security_groups
            ],
            "ClusterParameterGroups": self.parameter_groups(),
            "PendingModifiedValues": self.pending,
            "ClusterNamespaceArn": self.arn_of("namespace", self.namespace),
            "IamRoles": [{"IamRoleArn": arn, "ApplyStatus": "in-sync"} for arn in self.roles],
            "Tags": self.tags,
            "MultiAZ": "Enabled" if self.multi_az else "Disabled",
            "AvailabilityZoneRelocationStatus": "enabled" if self.relocation else "disabled",
            "ExtraComputeForAutomaticOptimization": str(self.extra_compute).lower(),
            "ClusterSnapshotCopyStatus": self.snapshot_copy,
            "MasterPasswordSecretArn": self.secret_arn,
            "MasterPasswordSecretKmsKeyId": self.secret_key,
            "SnapshotScheduleIdentifier": self.schedule,
            "SnapshotScheduleState": "ACTIVE" if self.schedule else None,
            "ExpectedNextSnapshotScheduleTime": self.next_snapshot if self.schedule else None,
            "RestoreStatus": self.restored,
        }
        answer.pop("Port")
        if status != "creating":
            answer["Endpoint"] = {"Address": self.address, "Port": self.settings["Port"]}
            answer["ClusterNodes"] = self.addresses(PRIVATE)
            if self.multi_az:
                answer["MultiAZSecondary"] = {
                    "AvailabilityZone": self.second_zone(),
                    "ClusterNodes": self.addresses(SECOND_ZONE),
                }
        return answer

    def parameter_groups(self) -> list[Request]:
        """The group, and for each of its parameters whether the cluster has it in force."""
        group = self.backend.parameter_groups.get(self.parameter_group)
        wanted = group.values if group else self.parameters
        states = [
            {
                "ParameterName": name,
                "ParameterApplyStatus": (
                    "in-sync" if self.parameters.get(name) == value else "pending-reboot"
                ),
            }
            for name, value in wanted.items()
        ]
        waiting = any(state["ParameterApplyStatus"] != "in-sync" for state in states)
        return [
            {
                "ParameterGroupName": self.parameter_group,
                "ParameterApplyStatus": "pending-reboot" if waiting else "in-sync",
                "ClusterParameterStatusList": states,
            }
        ]

    def take_parameters(self) -> None:
        """Put the values of the parameter group in force, as a start of the cluster does."""
        group = self.backend.parameter_groups.get(self.parameter_group)
        if group:
            self.parameters = dict(group.values)

    def arn_of(self, kind: str, what: str) -> str:
        partition = self.backend.partition
        return f"arn:{partition}:redshift:{self.region}:{self.account_id}:{kind}:{what}"

    def second_zone(self) -> str:
        """The zone of the second half of a Multi-AZ cluster: the next one of the Region."""
        zones = zones_of(self.backend)
        first = self.settings["AvailabilityZone"]
        position = zones.index(first) if first in zones else 0
        return zones[(position + 1) % len(zones)]

    # --- the password, kept for the customer ---

    def manage_password(self, kms_key: str | None) -> None:
        """Have Secrets Manager keep a password of the lab's choice."""
        if self.secret_arn:
            return
        user = self.settings["MasterUsername"]
        secret = secretsmanager_backends[self.account_id][self.region].create_managed_secret(
            "redshift",
            f"redshift!{self.name}-{user}",
            secret_string=json.dumps({"username": user, "password": new_password()}),
            kms_key_id=kms_key,
        )
        self.secret_arn, self.secret_key = secret.arn, kms_key

    def forget_password(self) -> None:
        if self.secret_arn:
            secrets = secretsmanager_backends[self.account_id][self.region].secrets
            secrets.pop(self.secret_arn)
            self.secret_arn = self.secret_key = None

    # --- the end ---

    def remove(self) -> None:
        """Forget the cluster and what belongs to nobody else; manual snapshots stay."""
        backend = self.backend
        self.warehouse.close()
        self.forget_password()
        backend.clusters.pop(self.name, None)
        for name, snapshot in list(backend.snapshots.items()):
            if snapshot.cluster_name == self.name and snapshot.snapshot_type == "automated":
                backend.snapshots.pop(name, None)
        for name, limit in list(kept(backend, "usage_limits").items()):
            if limit["ClusterIdentifier"] == self.name:
                kept(backend, "usage_limits").pop(name, None)

    # --- what moto's CloudFormation asks its resources for ---

    @property
    def physical_resource_id(self) -> str:
        return self.name

    def get_cfn_attribute(self, attribute: str) -> Any:
        answers: dict[str, Any] = {
            "Endpoint.Address": self.address,
            "Endpoint.Port": self.settings["Port"],
            "ClusterNamespaceArn": self.arn_of("namespace", self.namespace),
        }
        return answers[attribute]

    def is_created(self) -> bool:
        return True


def new_password() -> str:
    return f"Aa1{mock_random.get_random_string(29)}"


def kept(backend: RedshiftBackend, what: str) -> dict[str, Any]:
    """A dictionary of the lab beside moto's own of this account and Region; it ends with them."""
    found: dict[str, Any] = vars(backend).setdefault(f"lab_{what}", {})
    return found


def zones_of(backend: RedshiftBackend) -> list[str]:
    zones = [zone.name for zone in backend.ec2_backend.describe_availability_zones()]
    return zones or [f"{backend.region_name}a"]


def find_cluster(backend: RedshiftBackend, name: str | None) -> Cluster:
    """A cluster by its identifier, in the state that the clock says.

    Raises:
        ServiceException: `ClusterNotFound`.
    """
    with LOCK:
        cluster: Cluster | None = backend.clusters.get(name)
        if cluster:
            cluster.course.keep_up()
            cluster = backend.clusters.get(name)  # its time may just have ended
    if cluster is None:
        refuse("ClusterNotFound", f"Cluster {name} not found.")
    return cluster


def find_idle_cluster(backend: RedshiftBackend, name: str | None, verb: str) -> Cluster:
    """A cluster that is available for changes.

    Raises:
        ServiceException: `ClusterNotFound`, `InvalidClusterState`.
    """
    cluster = find_cluster(backend, name)
    if cluster.status != "available":
        refuse(
            "InvalidClusterState",
            f"There is an operation running on the Cluster. Please try to {verb} it at a later "
            "time.",
        )
    return cluster


def tell(cluster: Cluster, event: str, category: str, message: str) -> Callable[[], None]:
    """What a stage begins with, to have an event of the cluster recorded."""
    return lambda: record(cluster.backend, "cluster", cluster.name, event, category, message)
