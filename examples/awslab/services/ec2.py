"""Gateway endpoints as the route tables see them."""

import json
import re
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidServiceName, RouteAlreadyExistsError
from moto.ec2.models import EC2Backend
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.responses import EC2Response

from awslab.extension import Function, changes

POLICY_LIMIT = 20_480  # characters (AWS PrivateLink quotas)


class InvalidRequest(EC2ClientError):
    """Any refusal of EC2, with its own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def check_policy(document: str | None) -> None:
    if document is None:
        return
    if len(document) > POLICY_LIMIT:
        raise InvalidRequest(
            "InvalidParameterValue", f"The policy is longer than {POLICY_LIMIT} characters"
        )
    try:
        well_formed = isinstance(json.loads(document)["Statement"], list | dict)
    except (ValueError, TypeError, KeyError):
        well_formed = False
    if not well_formed:
        raise InvalidRequest("InvalidPolicyDocument", "The policy document is not valid JSON")


def check_tables(backend: Any, vpc_id: str, service_name: str, table_ids: list[str]) -> None:
    """A route table belongs to the endpoint's VPC and holds one route per prefix list."""
    wanted = [
        prefix_list.id
        for prefix_list in backend.managed_prefix_lists.values()
        if prefix_list.prefix_list_name == service_name
    ]
    for table_id in table_ids:
        table = backend.get_route_table(table_id)
        if table.vpc_id != vpc_id:
            raise InvalidRequest(
                "InvalidParameter", f"Route table {table_id} does not belong to VPC {vpc_id}"
            )
        taken = {r.destination_prefix_list.id for r in table.routes if r.destination_prefix_list}
        for prefix_list_id in wanted:
            if prefix_list_id in taken or table_ids.count(table_id) > 1:
                raise RouteAlreadyExistsError(prefix_list_id)


@changes(
    EC2Response,
    "ec2",
    "CreateVpcEndpoint",
    reason=(
        "accepts any service name, any policy text, a route table of another VPC, "
        "a second S3 route in one table; reports `PrivateDnsEnabled` true for a gateway endpoint; "
        "`VpcEndpointType` stays empty when it is left out; ignores `IpAddressType`"
    ),
    differs="no network: traffic is not routed",
)
def create_vpc_endpoint(original: Function, self: Any) -> Any:
    backend, service = self.ec2_backend, self._get_param("ServiceName", "")
    kind = self._get_param("VpcEndpointType") or "Gateway"
    if kind == "Gateway":
        if not re.fullmatch(rf"com\.amazonaws\.{self.region}\.(s3|dynamodb)", service):
            raise InvalidServiceName(service)
        check_policy(self._get_param("PolicyDocument"))
        backend.get_vpc(self._get_param("VpcId"))
        check_tables(
            backend, self._get_param("VpcId"), service, self._get_param("RouteTableIds", [])
        )
    endpoint: VPCEndPoint = original(self).result["VpcEndpoint"]
    endpoint.vpc_endpoint_type = kind
    if kind == "Gateway":
        endpoint.private_dns_enabled = False
        endpoint.ip_address_type = self._get_param("IpAddressType") or "ipv4"
    return ActionResult({"VpcEndpoint": endpoint})


@changes(
    EC2Response,
    "ec2",
    "ModifyVpcEndpoint",
    reason=(
        "`AddRouteTableIds` makes no route, and the endpoint can then not be deleted; "
        "`RemoveRouteTableIds` leaves the route; ignores `ResetPolicy`, `IpAddressType`"
    ),
    differs="takes effect at once",
)
def modify_vpc_endpoint(original: Function, self: Any) -> Any:
    backend, endpoint_id = self.ec2_backend, self._get_param("VpcEndpointId")
    endpoint = backend.get_vpc_end_point(endpoint_id)
    check_policy(self._get_param("PolicyDocument"))
    before = list(endpoint.route_table_ids or [])
    added = [t for t in self._get_param("AddRouteTableIds", []) if t not in before]
    removed = [t for t in self._get_param("RemoveRouteTableIds", []) if t in before]
    if endpoint.vpc_endpoint_type == "Gateway":
        check_tables(backend, endpoint.vpc_id, endpoint.service_name, added)
    result = original(self)
    for table_id in added:
        backend.create_route(
            table_id,
            None,
            gateway_id=endpoint.id,
            destination_prefix_list_id=endpoint.destination_prefix_list_id,
        )
    for table_id in removed:
        backend.delete_route(table_id, endpoint.destination_prefix_list_id)
    if self._get_bool_param("ResetPolicy"):
        endpoint.policy_document = json.dumps(VPCEndPoint.DEFAULT_POLICY)
    if self._get_param("IpAddressType"):
        endpoint.ip_address_type = self._get_param("IpAddressType")
    return result


@changes(
    EC2Backend,
    "ec2",
    "DeleteVpcEndpoints",
    reason="keeps a deleted endpoint for ever and hides an unknown id",
    differs="is deleted at once, without the state `deleting`",
)
def delete_vpc_endpoints(original: Function, self: Any, vpce_ids: Any = None) -> Any:
    for endpoint_id in vpce_ids or []:
        self.get_vpc_end_point(endpoint_id)
    original(self, vpce_ids=vpce_ids)
    for endpoint_id in vpce_ids or []:
        del self.vpc_end_points[endpoint_id]


@changes(
    EC2Backend,
    "ec2",
    "DeleteSubnet",
    reason="keeps the route-table association of the subnet, so the table can never be deleted",
    differs="",
)
def delete_subnet(original: Function, self: Any, subnet_id: Any) -> Any:
    subnet = original(self, subnet_id)
    for table in self.route_tables.values():
        for association, associated in list(table._associations.items()):
            if associated == subnet_id:
                del table._associations[association]
    return subnet


@changes(
    EC2Backend,
    "ec2",
    "DeleteVpc",
    reason="keeps the default network ACL of the VPC for ever; keeps its tags",
    differs="",
)
def delete_vpc(original: Function, self: Any, vpc_id: Any) -> Any:
    vpc = original(self, vpc_id)
    for acl_id, acl in list(self.network_acls.items()):
        if acl.vpc_id == vpc_id:
            del self.network_acls[acl_id]
    self.tags.pop(vpc_id, None)
    return vpc


@changes(
    EC2Backend,
    "ec2",
    "DeleteSecurityGroup",
    reason="keeps the tags of the security group for ever",
    differs="",
)
def _delete_security_group(original: Function, self: Any, vpc_id: Any, group_id: str) -> None:
    original(self, vpc_id, group_id)
    self.tags.pop(group_id, None)
