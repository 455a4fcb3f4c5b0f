"""Event records: what CloudTrail writes down about the calls that the lab serves."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from awslab import calls, cloudtrail_events
from awslab.calls import CALLS
from awslab.clock import CLOCK
from awslab.cloudtrail_events import Event
from awslab.cloudtrail_notation import as_text
from botocore.exceptions import ClientError

BUCKET = "amzn-s3-demo-bucket"
ACCOUNT, OTHER = "111122223333", "444455556666"
TRUST: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """Every event that happens from now on."""
    seen: list[Event] = []
    cloudtrail_events.LISTENERS.append(seen.append)
    yield seen
    cloudtrail_events.LISTENERS.remove(seen.append)


def last(events: list[Event]) -> dict[str, Any]:
    return events[-1].record


def make_bucket(client: Callable[..., Any]) -> Any:
    s3 = client("s3")
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return s3


def session_of(role: str, region: str | None = None) -> boto3.Session:
    """A session with the credentials of an assumed role."""
    answer = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="nightly")
    keys = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=region,
    )


def test_the_whole_record_of_a_call(client: Callable[..., Any], events: list[Event]) -> None:
    sagemaker = client("sagemaker")
    answer = sagemaker.create_model_package_group(
        ModelPackageGroupName="churn", Tags=[{"Key": "Team", "Value": "ml"}]
    )
    record = last(events)
    at = datetime.fromisoformat(record.pop("eventTime"))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 5
    assert record.pop("userAgent").startswith("Boto3/")
    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDACKCEVSQ6C2EXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/lab",
            "accountId": ACCOUNT,
            "accessKeyId": "FOOBARKEY",  # moto's, in process
            "userName": "lab",
        },
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": "CreateModelPackageGroup",
        "awsRegion": "ap-northeast-1",
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": {
            "modelPackageGroupName": "churn",
            "tags": [{"key": "Team", "value": "ml"}],
        },
        "responseElements": {"modelPackageGroupArn": answer["ModelPackageGroupArn"]},
        "requestID": answer["ResponseMetadata"]["RequestId"],
        "eventID": events[-1].id,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    assert json.loads(events[-1].text) == events[-1].record


def test_a_read_has_no_response_elements(client: Callable[..., Any], events: list[Event]) -> None:
    client("sagemaker").list_models(MaxResults=5)
    record = last(events)
    assert (record["readOnly"], record["responseElements"]) == (True, None)
    assert record["requestParameters"] == {"maxResults": 5}
    assert "errorCode" not in record and "resources" not in record


def test_the_keys_of_a_map_stay_as_they_are(
    client: Callable[..., Any], events: list[Event]
) -> None:
    client("sqs").create_queue(QueueName="q", Attributes={"VisibilityTimeout": "5"})
    assert last(events)["requestParameters"] == {
        "queueName": "q",
        "attributes": {"VisibilityTimeout": "5"},
    }


def test_a_refused_call(client: Callable[..., Any], events: list[Event]) -> None:
    with pytest.raises(ClientError) as refused:
        client("sagemaker").describe_model(ModelName="none")
    said = refused.value.response["Error"]
    record = last(events)
    assert (record["errorCode"], record["errorMessage"]) == (said["Code"], said["Message"])
    assert record["requestParameters"] == {"modelName": "none"}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("iam", "get_user", {"UserName": "none"}, "NoSuchEntityException"),
        ("ec2", "describe_vpcs", {"VpcIds": ["vpc-0"]}, "Client.InvalidVpcID.NotFound"),
        ("s3", "get_bucket_policy", {"Bucket": "none"}, "NoSuchBucket"),
        ("s3", "head_object", {"Bucket": BUCKET, "Key": "none"}, "NoSuchKey"),
    ],
)
def test_error_codes_as_each_service_writes_them(
    client: Callable[..., Any],
    events: list[Event],
    service: str,
    operation: str,
    arguments: dict[str, Any],
    code: str,
) -> None:
    make_bucket(client)
    with pytest.raises(ClientError):
        getattr(client(service), operation)(**arguments)
    assert (last(events)["errorCode"], last(events)["responseElements"]) == (code, None)


def test_global_services_are_recorded_in_us_east_1(
    client: Callable[..., Any], events: list[Event]
) -> None:
    client("iam").list_users()
    client("sts", region="eu-west-1").get_caller_identity()
    assert [(e.kind.source, e.region) for e in events] == [
        ("iam.amazonaws.com", "us-east-1"),
        ("sts.amazonaws.com", "eu-west-1"),
    ]


def test_secrets_are_in_no_record(client: Callable[..., Any], events: list[Event]) -> None:
    iam = client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    assert key["SecretAccessKey"] not in events[-1].text and key["AccessKeyId"] in events[-1].text
    iam.create_login_profile(UserName="ann", Password="Secret-Word-1")
    assert last(events)["requestParameters"] == {"userName": "ann"}
    client("redshift").create_cluster(
        ClusterIdentifier="dw",
        NodeType="ra3.xlplus",
        ClusterType="single-node",
        MasterUsername="admin1",
        MasterUserPassword="Secret-Word-2",
    )
    assert last(events)["requestParameters"]["masterUserPassword"] == "****"
    kms = client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key_id, Plaintext=b"Secret-Word-3")["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=sealed)
    answer = client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/any", RoleSessionName="nightly"
    )
    credentials = last(events)["responseElements"]["credentials"]
    assert set(credentials) == {"accessKeyId", "sessionToken", "expiration"}
    everything = "".join(event.text for event in events)
    assert "Secret-Word" not in everything
    assert answer["Credentials"]["SecretAccessKey"] not in everything


def test_times_are_written_as_java_writes_them() -> None:
    assert as_text(datetime(2026, 11, 1, 0, 5, 7)) == "Nov 1, 2026 12:05:07 AM"
    assert as_text(datetime(2026, 11, 21, 13, 5, 7)) == "Nov 21, 2026 1:05:07 PM"


def test_a_user_of_iam(client: Callable[..., Any], events: list[Event]) -> None:
    iam = client("iam")
    user = iam.create_user(UserName="ann")["User"]
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])
    ann.client("sagemaker").list_models()
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="ann")
    event = next(event for event in events if event.kind.name == "ListModels")
    assert event.user == "ann"
    assert event.record["userIdentity"] == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": user["Arn"],
        "accountId": ACCOUNT,
        "accessKeyId": key["AccessKeyId"],
        "userName": "ann",
    }


def test_the_session_of_a_role(client: Callable[..., Any], events: list[Event]) -> None:
    role = client("iam").create_role(
        RoleName="pipeline", AssumeRolePolicyDocument=json.dumps(TRUST)
    )["Role"]
    session_of(role["Arn"]).client("sagemaker").list_models()
    identity = last(events)["userIdentity"]
    assert events[-1].user == "nightly"
    assert identity["type"] == "AssumedRole"
    assert identity["principalId"] == f"{role['RoleId']}:nightly"
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/nightly"
    assert identity["accessKeyId"].startswith("ASIA")
    context = identity["sessionContext"]
    assert context["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": role["Arn"],
        "accountId": ACCOUNT,
        "userName": "pipeline",
    }
    assert context["attributes"]["mfaAuthenticated"] == "false"


def test_a_role_of_another_account(client: Callable[..., Any], events: list[Event]) -> None:
    role = f"arn:aws:iam::{OTHER}:role/visitor"
    theirs = session_of(role)
    mine, seen_there = (event.record for event in events)
    assert (mine["recipientAccountId"], seen_there["recipientAccountId"]) == (ACCOUNT, OTHER)
    assert mine["sharedEventID"] == seen_there["sharedEventID"]
    assert mine["eventID"] != seen_there["eventID"]
    assert seen_there["userIdentity"] == {
        "type": "AWSAccount",
        "principalId": "AIDACKCEVSQ6C2EXAMPLE",
        "accountId": ACCOUNT,
    }
    owner = {"accountId": OTHER, "type": "AWS::IAM::Role", "ARN": role}
    assert mine["resources"] == [owner]
    theirs.client("sagemaker").list_models()
    theirs.client("sagemaker").list_endpoints()
    assert last(events)["recipientAccountId"] == OTHER
    assert events[-1].identity["principalId"] == events[-2].identity["principalId"]


def test_settings_of_a_bucket(client: Callable[..., Any], events: list[Event]) -> None:
    s3 = make_bucket(client)
    xmlns = "http://s3.amazonaws.com/doc/2006-03-01/"
    made = last(events)
    assert made["requestParameters"] == {
        "bucketName": BUCKET,
        "Host": f"{BUCKET}.s3.ap-northeast-1.amazonaws.com",
        "CreateBucketConfiguration": {"xmlns": xmlns, "LocationConstraint": "ap-northeast-1"},
    }
    assert made["userAgent"].startswith("[Boto3/") and made["userAgent"].endswith("]")
    assert made["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"}
    ]
    s3.put_public_access_block(
        Bucket=BUCKET,
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": False},
    )
    blocked = last(events)
    assert blocked["eventName"] == "PutBucketPublicAccessBlock"
    assert blocked["requestParameters"]["publicAccessBlock"] == ""
    assert blocked["requestParameters"]["PublicAccessBlockConfiguration"] == {
        "xmlns": xmlns,
        "BlockPublicAcls": True,
        "BlockPublicPolicy": False,
    }
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    assert last(events)["requestParameters"]["bucketPolicy"] == policy
    assert all(event.category == "Management" for event in events)


def test_rules_of_a_lifecycle_are_a_list(client: Callable[..., Any], events: list[Event]) -> None:
    rule = {"Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 30}}
    make_bucket(client).put_bucket_lifecycle_configuration(
        Bucket=BUCKET,
        LifecycleConfiguration={"Rules": [rule | {"ID": "a"}, rule | {"ID": "b"}]},
    )
    record = last(events)
    assert record["eventName"] == "PutBucketLifecycle"
    rules = record["requestParameters"]["LifecycleConfiguration"]["Rule"]
    assert [(rule["ID"], rule["Expiration"]["Days"]) for rule in rules] == [("a", 30), ("b", 30)]


def test_objects_are_data_events(client: Callable[..., Any], events: list[Event]) -> None:
    s3 = make_bucket(client)
    s3.put_object(Bucket=BUCKET, Key="a/b c.csv", Body=b"1,2\n", ServerSideEncryption="AES256")
    put = last(events)
    assert (put["eventCategory"], put["managementEvent"]) == ("Data", False)
    assert put["requestParameters"] == {
        "bucketName": BUCKET,
        "Host": f"{BUCKET}.s3.ap-northeast-1.amazonaws.com",
        "key": "a/b c.csv",
        "x-amz-server-side-encryption": "AES256",
    }
    assert put["responseElements"] == {"x-amz-server-side-encryption": "AES256"}
    assert put["resources"] == [
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/a/b c.csv"},
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"},
    ]
    s3.get_object(Bucket=BUCKET, Key="a/b c.csv")
    got = last(events)
    assert (got["eventName"], got["readOnly"]) == ("GetObject", True)
    assert got["additionalEventData"]["bytesTransferredOut"] == 4
    s3.list_objects_v2(Bucket=BUCKET, Prefix="a/")
    listed = last(events)
    assert (listed["eventName"], listed["requestParameters"]["prefix"]) == ("ListObjects", "a/")
    assert listed["resources"][0] == {
        "type": "AWS::S3::Object",
        "ARNPrefix": f"arn:aws:s3:::{BUCKET}/",
    }


def test_a_bucket_is_recorded_in_its_own_region(
    client: Callable[..., Any], events: list[Event]
) -> None:
    make_bucket(client)
    client("s3", region="eu-west-1").get_bucket_versioning(Bucket=BUCKET)
    assert last(events)["awsRegion"] == "ap-northeast-1"


def test_older_operations_of_ec2_write_sets_of_items(
    client: Callable[..., Any], events: list[Event]
) -> None:
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = last(events)
    assert made["requestParameters"] == {"cidrBlock": "10.0.0.0/16"}
    vpc = made["responseElements"]["vpc"]
    assert (vpc["vpcId"], vpc["tagSet"]) == (vpc_id, {})
    blocks = vpc["cidrBlockAssociationSet"]["items"]
    assert blocks[0]["cidrBlock"] == "10.0.0.0/16"
    ec2.describe_vpcs(VpcIds=[vpc_id], Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])
    assert last(events)["requestParameters"] == {
        "vpcSet": {"items": [{"vpcId": vpc_id}]},
        "filterSet": {
            "items": [{"name": "cidr", "valueSet": {"items": [{"value": "10.0.0.0/16"}]}}]
        },
    }


def make_endpoint(client: Callable[..., Any]) -> tuple[str, str]:
    """A route table and a gateway endpoint in it."""
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    table_id = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName="com.amazonaws.ap-northeast-1.s3",
        RouteTableIds=[table_id],
        TagSpecifications=[
            {"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "s3"}]}
        ],
    )
    return table_id, endpoint["VpcEndpoint"]["VpcEndpointId"]


def test_newer_operations_of_ec2_write_the_query(
    client: Callable[..., Any], events: list[Event]
) -> None:
    table_id, endpoint_id = make_endpoint(client)
    record = last(events)
    asked = record["requestParameters"]["CreateVpcEndpointRequest"]
    assert asked["RouteTableId"] == {"tag": 1, "content": table_id}
    assert asked["TagSpecification"] == {
        "tag": 1,
        "ResourceType": "vpc-endpoint",
        "Tag": {"tag": 1, "Key": "Name", "Value": "s3"},
    }
    answered = record["responseElements"]["CreateVpcEndpointResponse"]
    assert answered["vpcEndpoint"]["vpcEndpointId"] == endpoint_id
    assert answered["xmlns"] == "http://ec2.amazonaws.com/doc/2016-11-15/"


def test_a_call_through_an_endpoint_is_also_network_activity(
    client: Callable[..., Any], events: list[Event]
) -> None:
    make_bucket(client)
    _, endpoint_id = make_endpoint(client)
    client("s3", user_agent_appid=endpoint_id).list_objects_v2(Bucket=BUCKET)
    data, network = (event.record for event in events[-2:])
    assert (data["vpcEndpointId"], data["vpcEndpointAccountId"]) == (endpoint_id, ACCOUNT)
    assert network["eventType"] == "AwsVpceEvent"
    assert (network["eventCategory"], network["vpcEndpointId"]) == ("NetworkActivity", endpoint_id)
    assert "requestParameters" not in network and "errorCode" not in network
    client("ec2").modify_vpc_endpoint(
        VpcEndpointId=endpoint_id,
        PolicyDocument=json.dumps(
            {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
        ),
    )
    with pytest.raises(ClientError):
        client("s3", user_agent_appid=endpoint_id).list_objects_v2(Bucket=BUCKET)
    assert (last(events)["errorCode"], last(events)["errorMessage"]) == (
        "VpceAccessDenied",
        "The request was denied due to a VPC endpoint policy",
    )
    assert events[-2].record["errorCode"] == "AccessDenied"


def test_lambda_names_bear_the_version_of_the_api() -> None:
    names = [
        cloudtrail_events.event_name("lambda", operation)
        for operation in ("CreateFunction", "UpdateFunctionCode", "TagResource", "Invoke")
    ]
    assert names == [
        "CreateFunction20150331",
        "UpdateFunctionCode20150331v2",
        "TagResource20170331v2",
        "Invoke",
    ]


@pytest.mark.parametrize(
    ("service", "operation", "category", "read_only", "source"),
    [
        ("kms", "GenerateDataKey", "Management", True, "kms"),
        ("kms", "CreateGrant", "Management", False, "kms"),
        ("sts", "AssumeRole", "Management", True, "sts"),
        ("emr", "RunJobFlow", "Management", False, "elasticmapreduce"),
        ("elbv2", "CreateLoadBalancer", "Management", False, "elasticloadbalancing"),
        ("cloudwatch", "PutMetricData", "Data", False, "monitoring"),
        ("application-autoscaling", "RegisterScalableTarget", "Management", False, "autoscaling"),
        ("dynamodb", "PutItem", "Data", False, "dynamodb"),
        ("dynamodb", "Query", "Data", True, "dynamodb"),
        ("dynamodb", "CreateTable", "Management", False, "dynamodb"),
        ("sns", "Publish", "Data", False, "sns"),
        ("s3", "PutObjectLockConfiguration", "Management", False, "s3"),
        ("s3", "GetObjectTagging", "Data", True, "s3"),
        ("s3", "UploadPart", "Data", False, "s3"),
        ("sagemaker-runtime", "InvokeEndpointAsync", "Data", False, "sagemaker"),
        ("sagemaker-featurestore-runtime", "GetRecord", "Data", True, "sagemaker"),
        ("sagemaker-metrics", "BatchPutMetrics", "Data", False, "metrics-sagemaker"),
        ("redshift-data", "ExecuteStatement", "Management", False, "redshift-data"),
        ("sagemaker", "Search", "Management", True, "sagemaker"),
    ],
)
def test_what_an_operation_is(
    service: str, operation: str, category: str, read_only: bool, source: str
) -> None:
    kind = cloudtrail_events.kind_of(service, operation)
    assert kind is not None
    assert (kind.category, kind.read_only) == (category, read_only)
    assert kind.source == f"{source}.amazonaws.com"


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("logs", "PutLogEvents"),
        ("events", "PutEvents"),
        ("sagemaker", "BrewCoffee"),
        ("moto_api", "Reset"),
    ],
)
def test_what_is_never_recorded(service: str, operation: str) -> None:
    assert cloudtrail_events.kind_of(service, operation) is None


def test_an_operation_that_the_lab_lacks_is_not_recorded(
    client: Callable[..., Any], events: list[Event]
) -> None:
    with pytest.raises(ClientError):
        client("cloudtrail").list_channels()
    assert events == []


def test_invocations_leave_no_parameters(client: Callable[..., Any], events: list[Event]) -> None:
    with pytest.raises(ClientError):
        client("sagemaker-runtime").invoke_endpoint(EndpointName="none!", Body=b"1,2")
    record = last(events)
    assert (record["eventName"], record["requestParameters"]) == ("InvokeEndpoint", None)
    assert record["resources"][0]["type"] == "AWS::SageMaker::Endpoint"


def test_items_of_dynamodb_stay_out(client: Callable[..., Any], events: list[Event]) -> None:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="clicks",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="clicks", Item={"id": {"S": "secret"}})
    record = last(events)
    assert record["requestParameters"] == {"tableName": "clicks"}
    assert record["resources"] == [
        {
            "accountId": ACCOUNT,
            "type": "AWS::DynamoDB::Table",
            "ARN": f"arn:aws:dynamodb:ap-northeast-1:{ACCOUNT}:table/clicks",
        }
    ]


def test_large_calls_are_forgotten_but_their_events_are_not(
    client: Callable[..., Any], events: list[Event]
) -> None:
    s3 = make_bucket(client)
    s3.put_object(Bucket=BUCKET, Key="large", Body=b"x" * (calls.LARGE + 1))
    s3.get_object(Bucket=BUCKET, Key="large")
    assert [(call.served_by, call.body) for call in list(CALLS)[-2:]] == [(None, None)] * 2
    put, got = (event.record for event in events[-2:])
    assert put["requestParameters"]["key"] == got["requestParameters"]["key"] == "large"
    assert got["additionalEventData"]["bytesTransferredOut"] == calls.LARGE + 1
    s3.put_object(Bucket=BUCKET, Key="small", Body=b"x")
    assert CALLS[-1].served_by is not None


def test_events_bear_the_time_of_the_lab(client: Callable[..., Any], events: list[Event]) -> None:
    CLOCK.run(0)
    try:
        client("sagemaker").list_models()
        CLOCK.advance(86_400)
        client("sagemaker").list_models()
    finally:
        CLOCK.run(None)
    first, second = (datetime.fromisoformat(event.record["eventTime"]) for event in events)
    assert (second - first).total_seconds() == 86_400


def test_noting_an_event_costs_next_to_nothing(client: Callable[..., Any]) -> None:
    """A call may become 0.2 ms slower at most; it takes about 0.02."""
    client("sagemaker").list_models()
    call = CALLS[-1]
    best = min(timed(lambda: cloudtrail_events.events_of(call)) for _ in range(50))
    assert best < 0.0002


def timed(step: Callable[[], Any]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
