"""Gateway endpoints of the lab, read back with a plain client."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

S3 = "com.amazonaws.ap-northeast-1.s3"
DYNAMODB = "com.amazonaws.ap-northeast-1.dynamodb"
FULL_ACCESS = {
    "Version": "2008-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
READ_ONLY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
        ],
    }
)


@pytest.fixture
def ec2(lab: None) -> BaseClient:
    return boto3.client("ec2")


def network(ec2: BaseClient, tables: int = 1) -> tuple[str, ...]:
    """A VPC and route tables in it; returns their ids."""
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = [ec2.create_route_table(VpcId=vpc_id)["RouteTable"] for _ in range(tables)]
    return (vpc_id, *(table["RouteTableId"] for table in made))


def endpoint(ec2: BaseClient, vpc_id: str, *tables: str, **more: Any) -> str:
    wanted = {"ServiceName": S3, "RouteTableIds": list(tables)}
    made = ec2.create_vpc_endpoint(VpcId=vpc_id, **wanted | more)["VpcEndpoint"]
    return str(made["VpcEndpointId"])


def described(ec2: BaseClient, endpoint_id: str) -> dict[str, Any]:
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    assert isinstance(found[0], dict)
    return found[0]


def targets(ec2: BaseClient, table_id: str) -> list[tuple[str, str]]:
    """(prefix list, target) of each route of a table to a prefix list."""
    table = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"][0]
    return [
        (route["DestinationPrefixListId"], route["GatewayId"])
        for route in table["Routes"]
        if "DestinationPrefixListId" in route
    ]


def prefix_list(ec2: BaseClient, service: str) -> str:
    named = [{"Name": "prefix-list-name", "Values": [service]}]
    return str(ec2.describe_prefix_lists(Filters=named)["PrefixLists"][0]["PrefixListId"])


def error_of(call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    assert isinstance(error, dict)
    return error


# --- CreateVpcEndpoint ---------------------------------------------------------------------------


def test_create_adds_one_route_per_table(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    endpoint_id = endpoint(ec2, vpc_id, first, second)
    route = (prefix_list(ec2, S3), endpoint_id)
    assert (targets(ec2, first), targets(ec2, second)) == ([route], [route])
    assert described(ec2, endpoint_id)["RouteTableIds"] == [first, second]


def test_what_is_left_out_has_the_defaults_of_aws(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    found = described(ec2, endpoint(ec2, vpc_id))
    wanted = ("VpcEndpointType", "IpAddressType", "PrivateDnsEnabled", "State", "RouteTableIds")
    assert [found[key] for key in wanted] == ["Gateway", "ipv4", False, "available", []]
    assert json.loads(found["PolicyDocument"]) == FULL_ACCESS
    assert found["OwnerId"] == "111122223333"


@pytest.mark.parametrize("kind", ["ipv4", "dualstack", "ipv6"])
def test_the_address_type_is_kept(ec2: BaseClient, kind: str) -> None:
    (vpc_id,) = network(ec2, tables=0)
    made = ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=S3, IpAddressType=kind)["VpcEndpoint"]
    found = described(ec2, made["VpcEndpointId"])
    assert (made["IpAddressType"], found["IpAddressType"]) == (kind, kind)


def test_the_answer_of_create_equals_that_of_describe(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    made = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=S3,
        RouteTableIds=[table],
        PolicyDocument=READ_ONLY,
        TagSpecifications=[
            {"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "s3"}]}
        ],
    )["VpcEndpoint"]
    assert made == described(ec2, made["VpcEndpointId"])
    assert (made["PolicyDocument"], made["Tags"]) == (READ_ONLY, [{"Key": "Name", "Value": "s3"}])


@pytest.mark.parametrize(
    "service",
    [
        "com.amazonaws.nowhere.s3",
        "com.amazonaws.us-east-1.s3",
        "com.amazonaws.ap-northeast-1.ec2",
        "com.amazonaws.ap-northeast-1.s3x",
        "xcom.amazonaws.ap-northeast-1.s3",
        "com-amazonaws-ap-northeast-1-s3",
        "s3",
    ],
)
def test_an_unknown_service_is_refused(ec2: BaseClient, service: str) -> None:
    vpc_id, table = network(ec2)
    error = error_of(
        ec2.create_vpc_endpoint, VpcId=vpc_id, ServiceName=service, RouteTableIds=[table]
    )
    assert error == {
        "Code": "InvalidServiceName",
        "Message": f"The Vpc Endpoint Service '{service}' does not exist",
    }
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_a_missing_service_name_is_refused(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    assert error_of(ec2.create_vpc_endpoint, VpcId=vpc_id)["Code"] == "InvalidServiceName"


def test_an_unknown_vpc_is_refused(ec2: BaseClient) -> None:
    _, table = network(ec2)
    error = error_of(
        ec2.create_vpc_endpoint, VpcId="vpc-nope", ServiceName=S3, RouteTableIds=[table]
    )
    assert error == {
        "Code": "InvalidVpcID.NotFound",
        "Message": "VpcID vpc-nope does not exist.",
    }
    assert targets(ec2, table) == []


def test_an_unknown_route_table_is_refused_before_anything_is_made(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    error = error_of(
        ec2.create_vpc_endpoint,
        VpcId=vpc_id,
        ServiceName=S3,
        RouteTableIds=[table, "rtb-0123456789abcdef0"],
    )
    assert error["Code"] == "InvalidRouteTableID.NotFound"
    assert targets(ec2, table) == []
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_a_route_table_of_another_vpc_is_refused(ec2: BaseClient) -> None:
    vpc_id, own = network(ec2)
    _, foreign = network(ec2)
    error = error_of(
        ec2.create_vpc_endpoint, VpcId=vpc_id, ServiceName=S3, RouteTableIds=[own, foreign]
    )
    assert error == {
        "Code": "InvalidParameter",
        "Message": f"Route table {foreign} does not belong to VPC {vpc_id}",
    }
    assert (targets(ec2, own), targets(ec2, foreign)) == ([], [])


def test_a_second_s3_route_in_one_table_is_refused(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    first = endpoint(ec2, vpc_id, table)
    error = error_of(ec2.create_vpc_endpoint, VpcId=vpc_id, ServiceName=S3, RouteTableIds=[table])
    destination = prefix_list(ec2, S3)
    assert error == {
        "Code": "RouteAlreadyExists",
        "Message": f"The route identified by {destination} already exists",
    }
    assert targets(ec2, table) == [(destination, first)]
    assert len(ec2.describe_vpc_endpoints()["VpcEndpoints"]) == 1


def test_one_table_named_twice_is_refused(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    error = error_of(
        ec2.create_vpc_endpoint, VpcId=vpc_id, ServiceName=S3, RouteTableIds=[table, table]
    )
    assert (error["Code"], targets(ec2, table)) == ("RouteAlreadyExists", [])


def test_s3_and_dynamodb_share_a_table(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    s3 = endpoint(ec2, vpc_id, table)
    dynamodb = endpoint(ec2, vpc_id, table, ServiceName=DYNAMODB)
    assert sorted(targets(ec2, table)) == sorted(
        [(prefix_list(ec2, S3), s3), (prefix_list(ec2, DYNAMODB), dynamodb)]
    )


def test_another_endpoint_may_use_another_table_of_the_vpc(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    endpoint(ec2, vpc_id, first)
    other = endpoint(ec2, vpc_id, second)
    assert targets(ec2, second) == [(prefix_list(ec2, S3), other)]


# --- policies ------------------------------------------------------------------------------------


def policy_of_length(length: int) -> str:
    text = '{"Statement": []}'
    return text + (length - len(text)) * " "


def test_a_policy_may_have_20480_characters(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    document = policy_of_length(20_480)
    endpoint_id = endpoint(ec2, vpc_id, PolicyDocument=document)
    assert described(ec2, endpoint_id)["PolicyDocument"] == document


@pytest.mark.parametrize("operation", ["create_vpc_endpoint", "modify_vpc_endpoint"])
def test_a_longer_policy_is_refused(ec2: BaseClient, operation: str) -> None:
    (vpc_id,) = network(ec2, tables=0)
    which = {
        "create_vpc_endpoint": {"VpcId": vpc_id, "ServiceName": S3},
        "modify_vpc_endpoint": {"VpcEndpointId": endpoint(ec2, vpc_id)},
    }[operation]
    document = policy_of_length(20_481)
    assert error_of(getattr(ec2, operation), PolicyDocument=document, **which) == {
        "Code": "InvalidParameterValue",
        "Message": "The policy is longer than 20480 characters",
    }


@pytest.mark.parametrize(
    "document", ["", "no JSON", "[]", "{}", '"text"', "7", '{"Statement": "text"}', "{'a': 1}"]
)
def test_a_malformed_policy_is_refused(ec2: BaseClient, document: str) -> None:
    (vpc_id,) = network(ec2, tables=0)
    refused = {
        "Code": "InvalidPolicyDocument",
        "Message": "The policy document is not valid JSON",
    }
    create = {"VpcId": vpc_id, "ServiceName": S3, "PolicyDocument": document}
    assert error_of(ec2.create_vpc_endpoint, **create) == refused
    endpoint_id = endpoint(ec2, vpc_id)
    modify = {"VpcEndpointId": endpoint_id, "PolicyDocument": document}
    assert error_of(ec2.modify_vpc_endpoint, **modify) == refused
    assert json.loads(described(ec2, endpoint_id)["PolicyDocument"]) == FULL_ACCESS


def test_a_statement_need_not_be_a_list(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    document = json.dumps({"Statement": FULL_ACCESS["Statement"][0]})
    endpoint_id = endpoint(ec2, vpc_id, PolicyDocument=document)
    assert described(ec2, endpoint_id)["PolicyDocument"] == document


def test_reset_brings_the_full_access_policy_back(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    endpoint_id = endpoint(ec2, vpc_id, PolicyDocument=READ_ONLY)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, ResetPolicy=True)
    assert json.loads(described(ec2, endpoint_id)["PolicyDocument"]) == FULL_ACCESS


def test_a_policy_is_replaced_and_kept(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PolicyDocument=READ_ONLY)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[table], ResetPolicy=False)
    assert described(ec2, endpoint_id)["PolicyDocument"] == READ_ONLY


# --- ModifyVpcEndpoint: tables -------------------------------------------------------------------


def test_adding_a_table_adds_its_route(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    endpoint_id = endpoint(ec2, vpc_id, first)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[second])
    assert targets(ec2, second) == [(prefix_list(ec2, S3), endpoint_id)]
    assert described(ec2, endpoint_id)["RouteTableIds"] == [first, second]


def test_adding_a_table_that_is_there_changes_nothing(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id, table)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[table])
    assert targets(ec2, table) == [(prefix_list(ec2, S3), endpoint_id)]
    assert described(ec2, endpoint_id)["RouteTableIds"] == [table]


def test_removing_a_table_removes_its_route(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    endpoint_id = endpoint(ec2, vpc_id, first, second)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveRouteTableIds=[first])
    assert targets(ec2, first) == []
    assert targets(ec2, second) == [(prefix_list(ec2, S3), endpoint_id)]
    assert described(ec2, endpoint_id)["RouteTableIds"] == [second]


def test_removing_a_table_that_is_not_there_changes_nothing(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    endpoint_id = endpoint(ec2, vpc_id, first)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveRouteTableIds=[second])
    assert described(ec2, endpoint_id)["RouteTableIds"] == [first]


def test_tables_are_exchanged_in_one_call(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    endpoint_id = endpoint(ec2, vpc_id, first)
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint_id, AddRouteTableIds=[second], RemoveRouteTableIds=[first]
    )
    assert targets(ec2, first) == []
    assert targets(ec2, second) == [(prefix_list(ec2, S3), endpoint_id)]


def test_a_table_can_be_removed_and_added_again(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id, table)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveRouteTableIds=[table])
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[table])
    assert targets(ec2, table) == [(prefix_list(ec2, S3), endpoint_id)]


def test_a_table_of_another_endpoint_cannot_be_added(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    owner = endpoint(ec2, vpc_id, first)
    other = endpoint(ec2, vpc_id)
    error = error_of(ec2.modify_vpc_endpoint, VpcEndpointId=other, AddRouteTableIds=[second, first])
    assert error["Code"] == "RouteAlreadyExists"
    assert targets(ec2, first) == [(prefix_list(ec2, S3), owner)]
    assert (targets(ec2, second), described(ec2, other)["RouteTableIds"]) == ([], [])


def test_a_table_of_another_vpc_cannot_be_added(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    _, foreign = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id)
    error = error_of(ec2.modify_vpc_endpoint, VpcEndpointId=endpoint_id, AddRouteTableIds=[foreign])
    assert (error["Code"], targets(ec2, foreign)) == ("InvalidParameter", [])


def test_the_address_type_can_be_changed(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    endpoint_id = endpoint(ec2, vpc_id)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, IpAddressType="dualstack")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, ResetPolicy=True)
    assert described(ec2, endpoint_id)["IpAddressType"] == "dualstack"


def test_an_unknown_endpoint_cannot_be_changed(ec2: BaseClient) -> None:
    error = error_of(
        ec2.modify_vpc_endpoint, VpcEndpointId="vpce-0123456789abcdef0", ResetPolicy=True
    )
    assert error["Code"] == "InvalidVpcEndpointId.NotFound"


# --- deletions -----------------------------------------------------------------------------------


def test_an_endpoint_with_an_added_table_can_be_deleted(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    endpoint_id = endpoint(ec2, vpc_id, first)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[second])
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])["Unsuccessful"] == []
    assert (targets(ec2, first), targets(ec2, second)) == ([], [])
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_an_endpoint_with_a_removed_table_can_be_deleted(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id, table)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveRouteTableIds=[table])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    error = error_of(ec2.describe_vpc_endpoints, VpcEndpointIds=[endpoint_id])
    assert error["Code"] == "InvalidVpcEndpointId.NotFound"


def test_an_unknown_id_is_refused_and_nothing_is_deleted(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id, table)
    unknown = "vpce-0123456789abcdef0"
    error = error_of(ec2.delete_vpc_endpoints, VpcEndpointIds=[endpoint_id, unknown])
    assert error == {
        "Code": "InvalidVpcEndpointId.NotFound",
        "Message": f"The VpcEndPoint ID '{unknown}' does not exist",
    }
    assert targets(ec2, table) == [(prefix_list(ec2, S3), endpoint_id)]


def test_deleting_an_endpoint_twice_is_refused(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    endpoint_id = endpoint(ec2, vpc_id)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    error = error_of(ec2.delete_vpc_endpoints, VpcEndpointIds=[endpoint_id])
    assert error["Code"] == "InvalidVpcEndpointId.NotFound"


def test_deleting_a_subnet_frees_its_table_and_no_other(ec2: BaseClient) -> None:
    vpc_id, first, second = network(ec2, tables=2)
    links = {}
    for block, table in (("10.0.1.0/24", first), ("10.0.2.0/24", second)):
        subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock=block)["Subnet"]["SubnetId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        links[table] = subnet
    ec2.delete_subnet(SubnetId=links[first])
    tables = ec2.describe_route_tables(RouteTableIds=[first, second])["RouteTables"]
    assert {
        table["RouteTableId"]: [link["SubnetId"] for link in table["Associations"]]
        for table in tables
    } == {first: [], second: [links[second]]}
    ec2.delete_route_table(RouteTableId=first)
    assert error_of(ec2.delete_route_table, RouteTableId=second)["Code"] == "DependencyViolation"


def test_deleting_a_vpc_removes_its_network_acl_and_no_other(ec2: BaseClient) -> None:
    def owners() -> list[str]:
        return sorted(acl["VpcId"] for acl in ec2.describe_network_acls()["NetworkAcls"])

    before = owners()
    (doomed,), (kept,) = network(ec2, tables=0), network(ec2, tables=0)
    assert owners() == sorted([*before, doomed, kept])
    ec2.delete_vpc(VpcId=doomed)
    assert owners() == sorted([*before, kept])


def test_a_vpc_with_a_subnet_is_not_deleted_and_keeps_its_acl(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")
    assert error_of(ec2.delete_vpc, VpcId=vpc_id)["Code"] == "DependencyViolation"
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    assert len(ec2.describe_network_acls(Filters=inside)["NetworkAcls"]) == 1


# --- interface endpoints: as in moto -------------------------------------------------------------


def test_an_interface_endpoint_works_as_in_moto(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    endpoint_id = ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=vpc_id,
        ServiceName="com.amazonaws.ap-northeast-1.ecr.api",
        SubnetIds=[subnet_id],
    )["VpcEndpoint"]["VpcEndpointId"]
    found = described(ec2, endpoint_id)
    assert (found["VpcEndpointType"], found["PrivateDnsEnabled"]) == ("Interface", True)
    assert (found["SubnetIds"], len(found["NetworkInterfaceIds"])) == ([subnet_id], 1)

    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PolicyDocument=READ_ONLY)
    assert described(ec2, endpoint_id)["PolicyDocument"] == READ_ONLY
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_gateway_and_interface_endpoint_of_s3_stand_side_by_side(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    gateway = endpoint(ec2, vpc_id, table)
    interface = endpoint(ec2, vpc_id, VpcEndpointType="Interface", PrivateDnsEnabled=False)
    assert targets(ec2, table) == [(prefix_list(ec2, S3), gateway)]
    assert described(ec2, interface)["PrivateDnsEnabled"] is False


def test_a_deleted_security_group_takes_its_tags_along(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    kept, doomed = (
        ec2.create_security_group(VpcId=vpc_id, GroupName=name, Description=name)["GroupId"]
        for name in ("kept", "doomed")
    )
    ec2.create_tags(Resources=[kept, doomed], Tags=[{"Key": "Purpose", "Value": "practice"}])
    ec2.delete_security_group(GroupId=doomed)
    purposes = [{"Name": "key", "Values": ["Purpose"]}]
    assert [tag["ResourceId"] for tag in ec2.describe_tags(Filters=purposes)["Tags"]] == [kept]
