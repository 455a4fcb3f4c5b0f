"""What bare moto does with EC2 endpoints, S3 policies and callers: the lab mends it."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK, now
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.core import set_initial_no_auth_action_count

from contracts.gaps import gap

S3 = "com.amazonaws.ap-northeast-1.s3"
BUCKET = "amzn-s3-demo-bucket"


@pytest.fixture
def ec2(bare_moto: None) -> BaseClient:
    return boto3.client("ec2")


@pytest.fixture
def s3(bare_moto: None) -> BaseClient:
    """A client, and one bucket with the object `key`."""
    client = boto3.client("s3")
    where = {"LocationConstraint": "ap-northeast-1"}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    client.put_object(Bucket=BUCKET, Key="key", Body=b"body")
    return client


def network(ec2: BaseClient, tables: int = 1) -> tuple[str, ...]:
    """A VPC and route tables in it; returns their ids."""
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = [ec2.create_route_table(VpcId=vpc_id)["RouteTable"] for _ in range(tables)]
    return (vpc_id, *(table["RouteTableId"] for table in made))


def endpoint(ec2: BaseClient, vpc_id: str, *tables: str, **more: Any) -> dict[str, Any]:
    wanted = {"ServiceName": S3, "VpcEndpointType": "Gateway", "RouteTableIds": list(tables)}
    made = ec2.create_vpc_endpoint(VpcId=vpc_id, **wanted | more)["VpcEndpoint"]
    assert isinstance(made, dict)
    return made


def targets(ec2: BaseClient, table_id: str) -> list[str]:
    """Where the routes of a table lead, the local one left out."""
    table = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"][0]
    return [route["GatewayId"] for route in table["Routes"] if route["GatewayId"] != "local"]


def described(ec2: BaseClient, endpoint_id: str) -> dict[str, Any]:
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    assert isinstance(found[0], dict)
    return found[0]


def set_policy(s3: BaseClient, effect: str, action: str, condition: dict[str, Any]) -> None:
    statement = {
        "Effect": effect,
        "Principal": "*",
        "Action": action,
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        "Condition": condition,
    }
    s3.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


# --- CreateVpcEndpoint ---------------------------------------------------------------------------


@gap("ec2:CreateVpcEndpoint", "accepts any service name")
def test_create_accepts_any_service_name(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    made = endpoint(ec2, vpc_id, ServiceName="com.amazonaws.nowhere.s3")
    assert made["ServiceName"] == "com.amazonaws.nowhere.s3"


@gap("ec2:CreateVpcEndpoint", "any policy text")
@pytest.mark.parametrize("text", ["no JSON", "{}", '{"Statement": "' + 20_480 * "x" + '"}'])
def test_create_accepts_any_policy_text(ec2: BaseClient, text: str) -> None:
    (vpc_id,) = network(ec2, tables=0)
    assert endpoint(ec2, vpc_id, PolicyDocument=text)["PolicyDocument"] == text


@gap("ec2:CreateVpcEndpoint", "a route table of another VPC")
def test_create_accepts_a_route_table_of_another_vpc(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    _, foreign_table = network(ec2)
    assert endpoint(ec2, vpc_id, foreign_table)["RouteTableIds"] == [foreign_table]


@gap("ec2:CreateVpcEndpoint", "a second S3 route in one table")
def test_create_accepts_a_second_s3_route_in_one_table(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint(ec2, vpc_id, table)
    assert endpoint(ec2, vpc_id, table)["RouteTableIds"] == [table]


@gap("ec2:CreateVpcEndpoint", "reports `PrivateDnsEnabled` true for a gateway endpoint")
def test_create_reports_private_dns(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    assert endpoint(ec2, vpc_id)["PrivateDnsEnabled"] is True


@gap("ec2:CreateVpcEndpoint", "`VpcEndpointType` stays empty when it is left out")
def test_create_leaves_the_type_empty(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    made = ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=S3)["VpcEndpoint"]
    assert "VpcEndpointType" not in made


@gap("ec2:CreateVpcEndpoint", "ignores `IpAddressType`")
def test_create_ignores_the_address_type(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    made = endpoint(ec2, vpc_id, IpAddressType="dualstack")
    assert "IpAddressType" not in described(ec2, made["VpcEndpointId"])


# --- ModifyVpcEndpoint ---------------------------------------------------------------------------


@gap("ec2:ModifyVpcEndpoint", "`AddRouteTableIds` makes no route")
def test_adding_a_table_makes_no_route(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id)["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[table])
    assert targets(ec2, table) == []


@gap("ec2:ModifyVpcEndpoint", "the endpoint can then not be deleted")
def test_after_adding_a_table_the_endpoint_cannot_be_deleted(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id)["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[table])
    with pytest.raises(ClientError) as refused:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    assert refused.value.response["Error"]["Code"] == "InvalidRoute.NotFound"


@gap("ec2:ModifyVpcEndpoint", "`RemoveRouteTableIds` leaves the route")
def test_removing_a_table_leaves_the_route(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    endpoint_id = endpoint(ec2, vpc_id, table)["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveRouteTableIds=[table])
    assert targets(ec2, table) == [endpoint_id]


@gap("ec2:ModifyVpcEndpoint", "ignores `ResetPolicy`")
def test_modify_ignores_the_reset_of_the_policy(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    endpoint_id = endpoint(ec2, vpc_id, PolicyDocument='{"Statement": []}')["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, ResetPolicy=True)
    assert described(ec2, endpoint_id)["PolicyDocument"] == '{"Statement": []}'


@gap("ec2:ModifyVpcEndpoint", "`IpAddressType`")
def test_modify_ignores_the_address_type(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    endpoint_id = endpoint(ec2, vpc_id)["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, IpAddressType="dualstack")
    assert "IpAddressType" not in described(ec2, endpoint_id)


# --- deletions -----------------------------------------------------------------------------------


@gap("ec2:DeleteVpcEndpoints", "keeps a deleted endpoint for ever")
def test_a_deleted_endpoint_is_kept(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    endpoint_id = endpoint(ec2, vpc_id)["VpcEndpointId"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    assert described(ec2, endpoint_id)["State"] == "deleted"


@gap("ec2:DeleteVpcEndpoints", "hides an unknown id")
def test_deleting_an_unknown_endpoint_is_no_error(ec2: BaseClient) -> None:
    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])
    assert answer["Unsuccessful"] == []


@gap("ec2:DeleteSubnet", "keeps the route-table association of the subnet")
def test_a_deleted_subnet_stays_associated(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
    ec2.delete_subnet(SubnetId=subnet_id)
    found = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
    assert [link["SubnetId"] for link in found["Associations"]] == [subnet_id]


@gap("ec2:DeleteSubnet", "so the table can never be deleted")
def test_the_table_of_a_deleted_subnet_cannot_be_deleted(ec2: BaseClient) -> None:
    vpc_id, table = network(ec2)
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
    ec2.delete_subnet(SubnetId=subnet_id)
    with pytest.raises(ClientError) as refused:
        ec2.delete_route_table(RouteTableId=table)
    assert refused.value.response["Error"]["Code"] == "DependencyViolation"


@gap("ec2:DeleteVpc", "keeps the default network ACL of the VPC for ever")
def test_the_network_acl_of_a_deleted_vpc_is_kept(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    ec2.delete_vpc(VpcId=vpc_id)
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    assert len(ec2.describe_network_acls(Filters=inside)["NetworkAcls"]) == 1


@gap("ec2:DeleteVpc", "keeps its tags")
def test_the_tags_of_a_deleted_vpc_are_kept(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Purpose", "Value": "practice"}])
    ec2.delete_vpc(VpcId=vpc_id)
    of_vpc = [{"Name": "resource-id", "Values": [vpc_id]}]
    assert len(ec2.describe_tags(Filters=of_vpc)["Tags"]) == 1


@gap("ec2:DeleteSecurityGroup", "keeps the tags of the security group for ever")
def test_the_tags_of_a_deleted_security_group_are_kept(ec2: BaseClient) -> None:
    (vpc_id,) = network(ec2, tables=0)
    group_id = ec2.create_security_group(VpcId=vpc_id, GroupName="g", Description="g")["GroupId"]
    ec2.create_tags(Resources=[group_id], Tags=[{"Key": "Purpose", "Value": "practice"}])
    ec2.delete_security_group(GroupId=group_id)
    of_group = [{"Name": "resource-id", "Values": [group_id]}]
    assert len(ec2.describe_tags(Filters=of_group)["Tags"]) == 1


# --- who calls -----------------------------------------------------------------------------------


@gap("all:*", "answers for the account 123456789012; the lab for 111122223333")
def test_the_account_is_123456789012(bare_moto: None) -> None:
    assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"


@gap(
    "sts:GetCallerIdentity",
    "says `arn:aws:sts::…:user/moto`, which is no ARN that AWS gives",
)
def test_the_caller_has_an_arn_that_aws_does_not_give(bare_moto: None) -> None:
    answer = boto3.client("sts").get_caller_identity()
    assert answer["Arn"] == "arn:aws:sts::123456789012:user/moto"


# --- bucket and endpoint policies ----------------------------------------------------------------


@gap("s3:PutObject", "dates every object by the wall's clock")
def test_an_object_bears_the_wall_clocks_time(s3: BaseClient) -> None:
    CLOCK.run(0)
    try:
        CLOCK.advance(86_400)
        s3.put_object(Bucket=BUCKET, Key="key", Body=b"body")
        dated = s3.head_object(Bucket=BUCKET, Key="key")["LastModified"]
        assert now() - dated > timedelta(hours=23)
    finally:
        CLOCK.run(None)


@gap("s3:all requests", "ignores every Condition")
@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
        {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/nobody"}},
        {"Bool": {"aws:SecureTransport": "false"}},
        {"Null": {"aws:SourceVpce": "false"}},
    ],
)
def test_a_condition_that_does_not_hold_denies_all_the_same(
    s3: BaseClient, condition: dict[str, Any]
) -> None:
    set_policy(s3, "Deny", "s3:PutObject", condition)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=BUCKET, Key="key", Body=b"")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@gap("s3:all requests", "whose bucket it is")
def test_another_account_needs_no_permission(s3: BaseClient) -> None:
    role = boto3.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/reader", RoleSessionName="session"
    )["Credentials"]
    stranger = boto3.client(
        "s3",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    assert stranger.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


@gap("s3:all requests", "checks objects only")
def test_a_denied_bucket_operation_is_allowed(s3: BaseClient) -> None:
    set_policy(s3, "Deny", "s3:*", {})
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


@gap("s3:all requests", "endpoint policies: ignores them")
def test_an_endpoint_policy_that_denies_everything_is_ignored(
    s3: BaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ec2 = boto3.client("ec2")
    (vpc_id,) = network(ec2, tables=0)
    everything = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    endpoint_id = endpoint(ec2, vpc_id, PolicyDocument=policy)["VpcEndpointId"]
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", endpoint_id)
    assert boto3.client("s3").get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"body"


@gap("s3:object requests", "answers a refused request with an empty 403")
def test_a_refused_request_gets_an_empty_answer(s3: BaseClient) -> None:
    set_policy(s3, "Deny", "s3:GetObject", {})
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=BUCKET, Key="key")
    assert refused.value.response["Error"] == {"Code": "403", "Message": "Forbidden"}


@gap("s3:PutBucketPolicy", "accepts any text as a policy")
def test_any_text_is_a_policy(s3: BaseClient) -> None:
    s3.put_bucket_policy(Bucket=BUCKET, Policy="no JSON")
    assert s3.get_bucket_policy(Bucket=BUCKET)["Policy"] == "no JSON"


def set_versioning(s3: BaseClient, status: str) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


@gap("s3:DeleteObject", "where versioning is suspended: deletes all versions")
def test_a_version_takes_the_others_along_where_versioning_is_suspended(s3: BaseClient) -> None:
    set_versioning(s3, "Enabled")
    version = s3.put_object(Bucket=BUCKET, Key="key", Body=b"new")["VersionId"]
    set_versioning(s3, "Suspended")
    s3.delete_object(Bucket=BUCKET, Key="key", VersionId=version)
    assert "Versions" not in s3.list_object_versions(Bucket=BUCKET)


@gap("s3:DeleteObject", "crashes at a delete marker")
def test_a_delete_marker_crashes_where_versioning_is_suspended(s3: BaseClient) -> None:
    set_versioning(s3, "Enabled")
    marker = s3.delete_object(Bucket=BUCKET, Key="key")["VersionId"]
    set_versioning(s3, "Suspended")
    with pytest.raises(AttributeError, match="dispose"):
        s3.delete_object(Bucket=BUCKET, Key="key", VersionId=marker)


@gap("s3:HEAD requests", "gives the error of a refused request a body, but HEAD has none")
def test_the_error_of_a_head_request_has_a_body(s3: BaseClient) -> None:
    with pytest.raises(ClientError) as refused:
        set_initial_no_auth_action_count(0)(s3.head_bucket)(Bucket=BUCKET)
    assert refused.value.response["Error"]["Code"] == "InvalidAccessKeyId"


@gap("s3:DeleteObjects", "ignores every Condition")
def test_delete_objects_ignores_a_condition(s3: BaseClient) -> None:
    set_policy(s3, "Deny", "s3:DeleteObject", {"Bool": {"aws:SecureTransport": "false"}})
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "key"}]})
    assert [error["Code"] for error in answer.get("Errors", [])] == ["AccessDenied"]
