"""What a reader sees of the lab: resources, what AWS would bill, the clock, the page's texts."""

import io
import json
import os
import re
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Any, ClassVar

import boto3
import pytest
from awslab import billing, calls, console, inventory, work
from awslab.clock import CLOCK
from awslab.console import Refused
from awslab.inventory import KINDS, UNREADABLE
from awslab.services.sagemaker import hosting, training
from botocore.client import BaseClient
from moto.sagemaker.models import sagemaker_backends

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
BUCKET = "amzn-s3-demo-bucket"
HERE = {"LocationConstraint": REGION}
DATA = f"s3://{BUCKET}/data"
ONE_INSTANCE = {"InstanceType": "ml.m5.large", "InstanceCount": 1}

Make = Callable[..., BaseClient]


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    yield
    CLOCK.run(None)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model servers that are no processes."""

    class Server:
        running: ClassVar[list[Any]] = []
        failure = None

        def __init__(self, backend: Any, model_name: str) -> None:
            """It needs nothing."""

        def ready(self, seconds: float) -> bool:
            return True

        def end(self) -> None:
            """Nothing runs."""

    monkeypatch.setattr(hosting, "ModelServer", Server)


def named(name: str) -> dict[str, Any]:
    (found,) = [each for each in console.state()["resources"] if each["name"] == name]
    assert isinstance(found, dict)
    return found


def costs(name: str) -> list[str]:
    return [f"{each['what']} per {each['per']}" for each in named(name)["billed"]]


# --- every kind of resource ----------------------------------------------------------------------


def make_sagemaker(client: Make) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    configure(sagemaker, "config", **instances(2))
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    without_model = {"VariantName": "AllTraffic"} | instances(1)
    sagemaker.create_endpoint_config(
        EndpointConfigName="shared", ExecutionRoleArn=ROLE, ProductionVariants=[without_model]
    )
    sagemaker.create_endpoint(EndpointName="shared", EndpointConfigName="shared")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shared")
    needs = {"MinMemoryRequiredInMb": 128}
    sagemaker.create_inference_component(
        InferenceComponentName="component",
        EndpointName="shared",
        VariantName="AllTraffic",
        Specification={"ModelName": "model", "ComputeResourceRequirements": needs},
        RuntimeConfig={"CopyCount": 0},
    )
    resources = ONE_INSTANCE | {"VolumeSizeInGB": 5}
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    training_job: dict[str, Any] = {
        "AlgorithmSpecification": algorithm,
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    sagemaker.create_training_job(TrainingJobName="training", **training_job)
    channels = [
        {
            "ChannelName": name,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": DATA}},
        }
        for name in ("train", "validation")
    ]
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="tuning",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {
                "Type": "Minimize",
                "MetricName": "validation:rmse",
            },
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]
            },
        },
        TrainingJobDefinition=training_job
        | {"StaticHyperParameters": {"num_round": "1"}, "InputDataConfig": channels},
    )
    sagemaker.create_processing_job(
        ProcessingJobName="processing",
        RoleArn=ROLE,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["sleep", "30"]},
        ProcessingResources={"ClusterConfig": resources},
    )
    sagemaker.create_transform_job(
        TransformJobName="transform",
        ModelName="model",
        TransformInput={"DataSource": channels[0]["DataSource"]},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/transformed"},
        TransformResources=ONE_INSTANCE,
    )
    sagemaker.create_notebook_instance(
        NotebookInstanceName="notebook", InstanceType="ml.t3.medium", RoleArn=ROLE
    )
    domain_id = sagemaker.create_domain(
        DomainName="domain",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": ROLE},
        SubnetIds=["subnet-1"],
        VpcId="vpc-1",
    )["DomainId"]
    sagemaker.create_user_profile(DomainId=domain_id, UserProfileName="profile")
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    failing = {"Name": "end", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    sagemaker.create_pipeline(
        PipelineName="pipeline",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [failing]}),
        RoleArn=ROLE,
        ClientRequestToken="t" * 32,
    )
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName="schedule",
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinition": {
                "MonitoringInputs": [
                    {"EndpointInput": {"EndpointName": "shop", "LocalPath": "/opt/ml/in"}}
                ],
                "MonitoringOutputConfig": {
                    "MonitoringOutputs": [
                        {"S3Output": {"S3Uri": DATA, "LocalPath": "/opt/ml/processing/out"}}
                    ]
                },
                "MonitoringResources": {"ClusterConfig": resources},
                "MonitoringAppSpecification": {"ImageUri": IMAGE},
                "RoleArn": ROLE,
            },
        },
    )
    infrastructure = {
        "InfrastructureType": "RealTimeInference",
        "RealTimeInferenceConfig": ONE_INSTANCE,
    }
    sagemaker.create_inference_experiment(
        Name="experiment",
        Type="ShadowMode",
        RoleArn=ROLE,
        EndpointName="shop",
        ModelVariants=[
            {"ModelName": "model", "VariantName": name, "InfrastructureConfig": infrastructure}
            for name in ("A", "B")
        ],
        ShadowModeConfig={
            "SourceModelVariantName": "A",
            "ShadowModelVariants": [{"ShadowModelVariantName": "B", "SamplingPercentage": 50}],
        },
    )


def configure(sagemaker: BaseClient, name: str, **variant: Any) -> None:
    hosted = {"VariantName": "AllTraffic", "ModelName": "model"} | variant
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[hosted])


def make_data(client: Make) -> None:
    redshift, trails, logs = client("redshift"), client("cloudtrail"), client("logs")
    redshift.create_cluster(
        ClusterIdentifier="warehouse",
        NodeType="ra3.xlplus",
        ClusterType="multi-node",
        NumberOfNodes=2,
        MasterUsername="admin1",
        MasterUserPassword="Passw0rdx",
    )
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="warehouse")
    redshift.create_cluster_snapshot(SnapshotIdentifier="copy", ClusterIdentifier="warehouse")
    client("redshift-data").execute_statement(  # its backend in moto is called "redshift" too
        ClusterIdentifier="warehouse", Database="dev", DbUser="admin1", Sql="SELECT 1"
    )
    serverless = client("redshift-serverless")
    serverless.create_namespace(namespaceName="analytics")
    serverless.create_workgroup(workgroupName="analysts", namespaceName="analytics")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    client("s3").put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": statement}))
    trails.create_trail(Name="trail", S3BucketName=BUCKET)
    logs.create_log_group(logGroupName="/group")
    logs.create_log_stream(logGroupName="/group", logStreamName="stream")
    at = int(datetime.now(UTC).timestamp() * 1000)
    event = {"timestamp": at, "message": "twelve bytes"}
    logs.put_log_events(logGroupName="/group", logStreamName="stream", logEvents=[event])
    destination = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "RoleARN": ROLE}
    client("firehose").create_delivery_stream(
        DeliveryStreamName="stream", ExtendedS3DestinationConfiguration=destination
    )
    client("athena").create_work_group(Name="workgroup")
    client("glue").create_database(DatabaseInput={"Name": "database"})
    schema = {
        "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "key", "AttributeType": "S"}],
    }
    dynamodb = client("dynamodb")
    dynamodb.create_table(TableName="table", BillingMode="PAY_PER_REQUEST", **schema)
    throughput = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2}
    dynamodb.create_table(TableName="table-p", ProvisionedThroughput=throughput, **schema)
    nodes = [
        {"InstanceRole": role, "InstanceType": "m5.xlarge", "InstanceCount": count}
        for role, count in (("MASTER", 1), ("CORE", 2))
    ]
    client("emr").run_job_flow(
        Name="flow",
        ReleaseLabel="emr-7.0.0",
        Instances={"InstanceGroups": nodes, "KeepJobFlowAliveWhenNoSteps": True},
        JobFlowRole="EMR_EC2_DefaultRole",
        ServiceRole="EMR_DefaultRole",
    )


def make_the_rest(client: Make) -> dict[str, str]:
    """Returns the ids of what has no name."""
    ec2, iam, cloudwatch = client("ec2"), client("iam"), client("cloudwatch")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    service = f"com.amazonaws.{REGION}"
    gateway = ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=f"{service}.s3")
    interface = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=f"{service}.logs",
        VpcEndpointType="Interface",
        SubnetIds=[subnet_id],
    )
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address)["NatGateway"]
    image = {"ImageId": "ami-12345678", "InstanceType": "t3.micro"}
    instance = ec2.run_instances(MinCount=1, MaxCount=1, **image)["Instances"][0]
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=100)
    key = client("kms").create_key()["KeyMetadata"]
    cloudwatch.put_metric_alarm(
        AlarmName="alarm",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.put_composite_alarm(AlarmName="composite", AlarmRule='ALARM("alarm")')
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(
        RoleName="role", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    iam.create_service_linked_role(AWSServiceName="redshift.amazonaws.com")
    iam.create_user(UserName="user")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("code.py", "def handler(event, context): return 1")
    client("lambda").create_function(
        FunctionName="function",
        Runtime="python3.12",
        Role=role,
        Handler="code.handler",
        Code={"ZipFile": code.getvalue()},
    )
    client("sqs").create_queue(QueueName="queue")
    client("sns").create_topic(Name="topic")
    client("secretsmanager").create_secret(Name="secret", SecretString="text")
    return {
        "gateway": gateway["VpcEndpoint"]["VpcEndpointId"],
        "interface": interface["VpcEndpoint"]["VpcEndpointId"],
        "address": address,
        "nat": nat["NatGatewayId"],
        "instance": instance["InstanceId"],
        "volume": volume["VolumeId"],
        "key": key["KeyId"],
    }


@pytest.mark.usefixtures("quick")
def test_every_kind_is_found_and_read(client: Make) -> None:
    """The table still fits moto and the lab: no row is empty, nothing is unreadable."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    s3.put_object(Bucket=BUCKET, Key="data/a", Body=b"x" * 2048)
    make_sagemaker(client)
    make_data(client)
    ids = make_the_rest(client)
    state = console.state()
    assert [each for each in state["resources"] if each["status"].startswith(UNREADABLE)] == []
    assert {each["type"] for each in state["resources"]} == {kind.type for kind in KINDS}
    names = {each["type"]: each["name"] for each in state["resources"]}
    assert names["model-package-group"] == "group" and names["user-profile"].endswith("/profile")
    assert names["function"] == "function" and names["key"] == ids["key"]
    assert names["role"] == "role"  # AWS's own is not listed
    for each in state["resources"]:
        kind = next(kind for kind in KINDS if kind.type == each["type"])
        assert each["name"] and each["account"] == ACCOUNT
        assert each["region"] == ("" if each["service"] == "iam" else REGION)
        assert bool(each["created"]) == bool(kind.created)
        assert each["created"] is None or datetime.fromisoformat(each["created"]).tzinfo
        assert not kind.status or each["status"]
        assert each["service_name"].startswith(("AWS ", "Amazon "))
    assert named(BUCKET)["detail"]["objects"] >= 1
    assert named("/group")["detail"] == {"streams": 1, "bytes": 12}
    assert costs("/group") == ["12 bytes stored per GB-month"]
    assert costs("shop") == []  # it is being created
    assert costs("processing") == ["1 × ml.m5.large job instances per hour"]
    assert costs("notebook") == ["5 GB volume per GB-month"]
    assert costs("warehouse") == [
        "2 × ra3.xlplus nodes per hour",
        "storage per GB-month",
    ]
    assert costs("analytics") == ["storage per GB-month"]
    assert costs("analysts") == ["capacity used by queries per use"]
    assert costs("copy") == ["snapshot per GB-month"]
    assert costs("trail") == []  # the first copy of management events
    assert costs("table") == ["reads and writes per use"]
    assert costs("table-p") == ["capacity units: 5 read, 2 write per hour"]
    assert costs(ids["gateway"]) == []
    assert costs(ids["interface"]) == ["interface endpoint in Availability Zones: 1 per hour"]
    assert costs(ids["address"]) == ["public IPv4 address per hour"]
    assert costs(ids["nat"]) == ["NAT gateway per hour"]
    assert costs(ids["instance"]) == ["1 × t3.micro per hour", "public IPv4 address per hour"]
    assert costs(ids["volume"]) == ["100 GB volume per GB-month"]
    assert costs(ids["key"]) == ["key per month"]
    assert costs("alarm") == ["alarm metrics: 1 per month"]
    assert costs("composite") == ["composite alarm per month"]
    assert costs("secret") == ["secret per month"]
    assert costs("function") == ["requests and duration per use"]
    assert costs(names["emr-cluster"]) == ["charge of EMR for 3 × m5.xlarge per hour"]
    standing = {(each["name"], each["what"]) for each in state["billed_now"]}
    assert ("secret", "secret") in standing and ("table", "reads and writes") not in standing


def test_an_empty_lab_has_nothing(lab: None) -> None:
    state = console.state()
    assert state["resources"] == state["billed_now"] == state["deployments"] == []
    assert state["programs"] == state["calls"] == []
    assert state["account"] == ACCOUNT and re.fullmatch(r"\d+\.\d+\.\d+", state["moto"])


def test_what_every_account_has_is_not_listed(client: Make) -> None:
    client("athena").list_work_groups()
    client("ec2").describe_vpcs()
    client("iam").list_policies()
    client("kms").create_alias(
        AliasName="alias/mine", TargetKeyId=client("kms").create_key()["KeyMetadata"]["KeyId"]
    )
    client("glue").get_databases()
    assert [each["type"] for each in console.state()["resources"]] == ["key"]


@pytest.mark.parametrize(
    "change", [{"found": "no_such"}, {"name": "no.such"}, {"status": "no_such"}]
)
def test_what_cannot_be_read_is_shown_as_such(
    client: Make, change: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    client("sns").create_topic(Name="topic")
    kinds = [replace(k, **change) if k.type == "bucket" else k for k in KINDS]  # type: ignore[arg-type]
    monkeypatch.setattr(inventory, "KINDS", kinds)
    bucket, *_, topic = console.state()["resources"]
    assert (bucket["type"], bucket["name"]) == ("bucket", "?")
    assert bucket["status"].startswith("unreadable: AttributeError")
    assert topic["name"] == "topic"


@pytest.mark.usefixtures("quick")
def test_to_show_a_state_is_no_look_at_it(client: Make) -> None:
    sagemaker = client("sagemaker")
    serve(sagemaker, instances(1), wait=False)
    for _ in range(3):
        assert named("shop")["status"] == "Creating"
    answers = [sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] for _ in "ab"]
    assert answers == ["Creating", "InService"]


def test_places_are_told_apart(client: Make) -> None:
    for region in (REGION, "us-east-1"):
        client("sns", region).create_topic(Name="topic")
    other = client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/partner", RoleSessionName="job"
    )["Credentials"]
    boto3.client(
        "sns",
        aws_access_key_id=other["AccessKeyId"],
        aws_secret_access_key=other["SecretAccessKey"],
        aws_session_token=other["SessionToken"],
    ).create_topic(Name="topic")
    places = [(each["account"], each["region"]) for each in console.state()["resources"]]
    assert places == [(ACCOUNT, REGION), (ACCOUNT, "us-east-1"), ("444455556666", REGION)]


def test_what_is_gone_is_not_listed(client: Make) -> None:
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    endpoint_id = ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=f"com.amazonaws.{REGION}.s3")[
        "VpcEndpoint"
    ]["VpcEndpointId"]
    image = {"ImageId": "ami-12345678", "InstanceType": "t3.micro"}
    instance_id = ec2.run_instances(MinCount=1, MaxCount=1, **image)["Instances"][0]["InstanceId"]
    assert {each["name"] for each in console.state()["resources"]} >= {endpoint_id, instance_id}
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    ec2.terminate_instances(InstanceIds=[instance_id])
    assert console.state()["resources"] == []


# --- what is billed depends on the state ---------------------------------------------------------


def instances(count: int) -> dict[str, Any]:
    return {"InstanceType": "ml.m5.large", "InitialInstanceCount": count}


def serverless(**config: int) -> dict[str, Any]:
    return {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5} | config}


def serve(sagemaker: BaseClient, variant: dict[str, Any], *, wait: bool = True) -> None:
    sagemaker.create_model(
        ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    configure(sagemaker, "v1", **variant)
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="v1")
    if wait:
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (instances(3), ["3 × ml.m5.large endpoint instances per hour"]),
        (serverless(), ["duration of serverless inference (2048 MB) per use"]),
        (
            serverless(ProvisionedConcurrency=2),
            [
                "provisioned concurrency of 2 (2048 MB) per hour",
                "duration of serverless inference (2048 MB) per use",
            ],
        ),
    ],
)
def test_endpoints(client: Make, variant: dict[str, Any], expected: list[str]) -> None:
    sagemaker = client("sagemaker")
    serve(sagemaker, variant)
    assert costs("shop") == expected
    sagemaker.delete_endpoint(EndpointName="shop")
    assert (named("shop")["status"], costs("shop")) == ("Deleting", [])


@pytest.mark.usefixtures("quick")
def test_a_deployment_is_shown_and_costs_two_fleets(client: Make) -> None:
    sagemaker = client("sagemaker")
    serve(sagemaker, instances(2))
    configure(sagemaker, "v2", **instances(2))
    CLOCK.run(0)
    canary = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 600,
    }
    policy = {"TrafficRoutingConfiguration": canary, "TerminationWaitInSeconds": 0}
    sagemaker.update_endpoint(
        EndpointName="shop",
        EndpointConfigName="v2",
        DeploymentConfig={"BlueGreenUpdatePolicy": policy},
    )
    shares = []
    for _ in range(30):
        state = console.state()
        if not state["deployments"]:
            break
        (way,) = state["deployments"]
        if way["share_of_new"] == 0.5:
            assert costs("shop") == ["4 × ml.m5.large endpoint instances per hour"]
        shares.append(way["share_of_new"])
        assert (way["endpoint"], way["account"], way["region"]) == ("shop", ACCOUNT, REGION)
        assert (way["old"], way["new"], way["status"]) == ("v1", "v2", "Updating")
        assert 0 <= way["seconds_left"] <= 3600
        CLOCK.advance(60)
    assert sorted(set(shares)) == [0.0, 0.5, 1.0] and shares == sorted(shares)
    assert costs("shop") == ["2 × ml.m5.large endpoint instances per hour"]
    assert named("shop")["status"] == "InService"


def test_a_stopped_notebook_costs_its_volume(client: Make) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_notebook_instance(
        NotebookInstanceName="notebook",
        InstanceType="ml.t3.medium",
        RoleArn=ROLE,
        VolumeSizeInGB=20,
    )
    wait = {"NotebookInstanceName": "notebook"}
    sagemaker.get_waiter("notebook_instance_in_service").wait(**wait)
    volume = "20 GB volume per GB-month"
    assert costs("notebook") == ["1 × ml.t3.medium notebook instances per hour", volume]
    sagemaker.stop_notebook_instance(**wait)
    sagemaker.get_waiter("notebook_instance_stopped").wait(**wait)
    assert costs("notebook") == [volume]


def test_a_paused_cluster_costs_its_storage(client: Make) -> None:
    redshift = client("redshift")
    redshift.create_cluster(
        ClusterIdentifier="warehouse",
        NodeType="dc2.large",
        ClusterType="single-node",
        MasterUsername="admin1",
        MasterUserPassword="Passw0rdx",
    )
    assert (named("warehouse")["status"], costs("warehouse")) == ("creating", [])
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="warehouse")
    assert costs("warehouse") == ["1 × dc2.large nodes per hour"]
    redshift.pause_cluster(ClusterIdentifier="warehouse")
    while redshift.describe_clusters()["Clusters"][0]["ClusterStatus"] != "paused":
        pass
    assert costs("warehouse") == ["storage per GB-month"]


def test_a_stopped_instance_costs_nothing(client: Make) -> None:
    ec2 = client("ec2")
    image = {"ImageId": "ami-12345678", "InstanceType": "t3.micro"}
    instance_id = ec2.run_instances(MinCount=1, MaxCount=1, **image)["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[instance_id])
    assert (named(instance_id)["status"], costs(instance_id)) == ("stopped", [])


def test_what_waits_for_its_deletion_costs_nothing(client: Make) -> None:
    kms, secrets = client("kms"), client("secretsmanager")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    secrets.create_secret(Name="secret", SecretString="text")
    assert (costs(key_id), costs("secret")) == (["key per month"], ["secret per month"])
    kms.schedule_key_deletion(KeyId=key_id)
    secrets.delete_secret(SecretId="secret")
    assert (costs(key_id), costs("secret")) == ([], [])


def test_all_versions_of_an_object_are_billed(client: Make) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    assert (costs(BUCKET), named(BUCKET)["detail"]) == ([], {"objects": 0, "bytes": 0})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for size in (1000, 2000):
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"x" * size)
    s3.delete_object(Bucket=BUCKET, Key="a")
    assert named(BUCKET)["detail"] == {"objects": 2, "bytes": 3000}
    assert costs(BUCKET) == ["2.9 KB stored per GB-month"]


def test_a_trail_costs_what_it_records_beside_management_events(client: Make) -> None:
    s3, trails = client("s3"), client("cloudtrail")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": statement}))
    trails.create_trail(Name="trail", S3BucketName=BUCKET)
    objects = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [objects]}
    trails.put_event_selectors(TrailName="trail", EventSelectors=[selector])
    assert (named("trail")["status"], costs("trail")) == ("not logging", [])
    trails.start_logging(Name="trail")
    assert (named("trail")["status"], costs("trail")) == ("logging", ["data events per use"])
    kinds = {"Management": [], "Data": ["data events per use"]}
    for category, expected in kinds.items():
        fields = [{"Field": "eventCategory", "Equals": [category]}]
        if category == "Data":
            fields.append({"Field": "resources.type", "Equals": ["AWS::S3::Object"]})
        trails.put_event_selectors(
            TrailName="trail", AdvancedEventSelectors=[{"FieldSelectors": fields}]
        )
        assert costs("trail") == expected
    insight = [{"InsightType": "ApiCallRateInsight"}]
    trails.put_insight_selectors(TrailName="trail", InsightSelectors=insight)
    assert costs("trail") == ["data events per use", "Insights analysis per use"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KB"),
        (5 * 1024**3, "5.0 GB"),
        (3 * 1024**4, "3.0 TB"),
        (5000 * 1024**4, "5000.0 TB"),
    ],
)
def test_sizes_in_words(number: int, words: str) -> None:
    assert billing.size_in_words(number) == words


# --- calls and programs --------------------------------------------------------------------------


def test_the_last_fifty_calls_the_newest_first(client: Make) -> None:
    sqs, s3 = client("sqs"), client("s3")
    for _ in range(60):
        sqs.list_queues()
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_bucket_policy(Bucket=BUCKET)
    shown = console.state()["calls"]
    assert len(shown) == 50
    assert shown[1]["operation"] == shown[-1]["operation"] == "ListQueues"
    first = shown[0]
    assert (first["service"], first["operation"], first["status"], first["error"]) == (
        "s3",
        "GetBucketPolicy",
        404,
        "NoSuchBucket",
    )
    assert (first["account"], first["region"]) == (ACCOUNT, REGION)
    assert 0 < first["milliseconds"] < 60_000
    assert datetime.fromisoformat(first["at"]) >= datetime.fromisoformat(shown[1]["at"])
    assert len(calls.CALLS) == 61  # to look is no call


def test_programs_are_shown_while_they_run(lab: None) -> None:
    command = [sys.executable, "-c", "input()"]
    program = work.Work(command, work.new_folder("train-model"), os.environ)
    shown = {"process": program.process_id, "purpose": "train-model"}
    sleeper = work.Work(["sleep", "60"], work.new_folder("sleep"), os.environ)
    program.wait(10)
    assert shown not in console.state()["programs"]
    assert console.state()["programs"] == [{"process": sleeper.process_id, "purpose": "sleep"}]
    sleeper.kill()
    sleeper.wait(10)
    assert console.state()["programs"] == []


# --- the clock, reset, interruption --------------------------------------------------------------


def test_the_clock_changes_its_gait_without_a_jump(lab: None) -> None:
    assert console.clock()["gait"] == "instant"
    console.set_clock({"speed": 0})
    before = CLOCK.now()
    shown = console.set_clock({"advance": 90.5})
    assert (shown["gait"], shown["speed"]) == ("frozen", 0)
    assert datetime.fromisoformat(shown["now"]) == before + timedelta(seconds=90.5)
    shown = console.set_clock({"speed": 60, "advance": 3600})
    assert (shown["gait"], shown["speed"]) == ("running", 60)
    passed = datetime.fromisoformat(shown["now"]) - before
    assert timedelta(seconds=3690) <= passed <= timedelta(seconds=3990)
    assert console.set_clock({"speed": None})["gait"] == "instant"
    assert timedelta(seconds=3690) <= CLOCK.now() - before <= timedelta(seconds=4290)


def test_advancing_lets_things_happen(lab: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[None] = []
    monkeypatch.setattr(CLOCK, "_every_tick", [lambda: ticks.append(None)])
    console.set_clock({"advance": 300})
    assert len(ticks) == 5


SPEED = "speed: null (instant), 0 (stopped), or a number up to 240"
ADVANCE = "advance: seconds, a number from 0 to 31622400"
FORM = 'send {"speed": null or a number}, {"advance": seconds}, or both'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, FORM),
        ([], FORM),
        ("fast", FORM),
        ({"speed": 60, "wait": 1}, FORM),
        ({"speed": "fast"}, SPEED),
        ({"speed": -1}, SPEED),
        ({"speed": 241}, SPEED),
        ({"speed": True}, SPEED),
        ({"speed": float("nan")}, SPEED),
        ({"advance": -1}, ADVANCE),
        ({"advance": None}, ADVANCE),
        ({"advance": "60"}, ADVANCE),
        ({"advance": False}, ADVANCE),
        ({"advance": 31_622_401}, ADVANCE),
        ({"advance": float("inf")}, ADVANCE),
        ({"speed": 0, "advance": -1}, ADVANCE),
    ],
)
def test_what_is_no_change_of_the_clock(lab: None, change: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        console.set_clock(change)
    assert (str(refused.value), refused.value.status) == (message, 400)
    assert CLOCK.instant


def test_emptying(client: Make) -> None:
    client("sns").create_topic(Name="topic")
    console.empty()
    state = console.state()
    assert state["resources"] == state["calls"] == []
    assert client("sns").list_topics()["Topics"] == []


def test_an_interruption_reaches_the_job(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[tuple[str, str, str]] = []
    monkeypatch.setattr(console, "interrupt", lambda *job: reached.append(job))
    for account, region in ((ACCOUNT, REGION), ("444455556666", "us-east-1")):
        jobs = sagemaker_backends[account][region].training_jobs
        jobs["spot"] = None
        console.interrupt_job("spot", region, account)
    assert reached == [(ACCOUNT, REGION, "spot"), ("444455556666", "us-east-1", "spot")]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("none",), f"{REGION} of account {ACCOUNT}"),
        (("none", "us-east-1"), f"us-east-1 of account {ACCOUNT}"),
        (("none", "atlantis-1"), f"atlantis-1 of account {ACCOUNT}"),
        (("none", REGION, "444455556666"), f"{REGION} of account 444455556666"),
    ],
)
def test_a_job_that_does_not_exist(lab: None, arguments: tuple[str, ...], where: str) -> None:
    with pytest.raises(Refused) as refused:
        console.interrupt_job(*arguments)
    assert (str(refused.value), refused.value.status) == (f"no training job 'none' in {where}", 404)


def test_a_job_that_cannot_be_interrupted(client: Make) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    client("sagemaker").create_training_job(
        TrainingJobName="training",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
        ResourceConfig=ONE_INSTANCE | {"VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    with pytest.raises(Refused) as refused:
        console.interrupt_job("training")
    assert refused.value.status == 409
    assert str(refused.value) == "The training job training does not use managed spot training."
    assert console.interrupt is training.interrupt


# --- over HTTP -----------------------------------------------------------------------------------


def ask(
    address: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Status, content and headers of an answer; a body makes it a POST."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{address}/_lab/{path}", data, sent)
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
        found = dict(answer.headers)
        is_json = found.get("Content-Type") == "application/json"
        return answer.status, json.loads(text) if is_json else text, found


def topics(address: str) -> BaseClient:
    return boto3.client(
        "sns",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def test_the_state_over_http_and_its_version(lab_server: str) -> None:
    topics(lab_server).create_topic(Name="topic")
    status, state, headers = ask(lab_server, "state")
    assert status == 200
    assert [each["type"] for each in state["resources"]] == ["topic"]
    assert [each["operation"] for each in state["calls"]] == ["CreateTopic"]
    version = headers["ETag"]
    assert ask(lab_server, "state", If_None_Match=version)[:2] == (304, "")
    topics(lab_server).list_topics()
    status, state, headers = ask(lab_server, "state", If_None_Match=version)
    assert (status, len(state["calls"])) == (200, 2)
    assert headers["ETag"] != version


def test_the_version_knows_of_the_clock(lab_server: str) -> None:
    def version() -> str:
        return ask(lab_server, "state")[2]["ETag"]

    try:
        met = [version()]
        for change in ({"advance": 60}, {"speed": 0}, {"advance": 60}, {"speed": 60}):
            assert ask(lab_server, "clock", change)[0] == 200
            met.append(version())
            assert version() == met[-1]
        assert len(set(met)) == 5
    finally:
        ask(lab_server, "clock", {"speed": None})


def test_clock_and_reset_over_http(lab_server: str) -> None:
    status, clock, _ = ask(lab_server, "clock")
    assert (status, clock["gait"]) == (200, "instant")
    status, refused, _ = ask(lab_server, "clock", {"speed": "fast"})
    assert (status, refused) == (400, {"error": SPEED})
    status, refused, _ = ask(lab_server, "clock", b"no JSON")
    assert status == 400 and refused["error"].startswith("the body is not JSON: ")
    topics(lab_server).create_topic(Name="topic")
    assert ask(lab_server, "reset", {})[:2] == (200, {"reset": True})
    assert topics(lab_server).list_topics()["Topics"] == []


def test_interruption_over_http(lab_server: str) -> None:
    assert ask(lab_server, "interrupt", {})[:2] == (
        400,
        {"error": "name the training job: ?job=NAME"},
    )
    assert ask(lab_server, "interrupt?job=none&region=us-east-1", {})[:2] == (
        404,
        {"error": f"no training job 'none' in us-east-1 of account {ACCOUNT}"},
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "allow"),
    [
        ("nothing", None, 404, None),
        ("state", {}, 405, "GET"),
        ("reset", None, 405, "POST"),
        ("interrupt?job=a", None, 405, "POST"),
        ("page.js", {}, 405, "GET"),
    ],
)
def test_what_the_console_does_not_know(
    lab_server: str, path: str, body: Any, status: int, allow: str | None
) -> None:
    met, answer, headers = ask(lab_server, path, body)
    assert (met, headers.get("Allow"), list(answer)) == (status, allow, ["error"])


@pytest.mark.parametrize("path", ["", "state", "page.css", "page.js", "nothing"])
def test_every_answer_is_guarded(lab_server: str, path: str) -> None:
    _, _, headers = ask(lab_server, path)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"


def test_the_page_without_its_slash(lab_server: str) -> None:
    with urllib.request.urlopen(f"{lab_server}/_lab") as answer:
        assert answer.url == f"{lab_server}/_lab/"


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "ja", "ja"),
        ("", "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("", "en-GB,en;q=0.9,ja;q=0.1", "en"),
        ("", "fr-FR", "en"),
        ("", "", "en"),
        ("?lang=ja", "en", "ja"),
        ("?lang=en", "ja", "en"),
        ("?lang=fr", "ja", "ja"),
        ("?lang=%3Cscript%3E", "en", "en"),
    ],
)
def test_the_language_of_the_page(
    lab_server: str, query: str, accepted: str, language: str
) -> None:
    _, page, headers = ask(lab_server, query, Accept_Language=accepted)
    other = "en" if language == "ja" else "ja"
    assert f'<html lang="{language}">' in page
    assert f'href="?lang={other}"' in page
    assert f"<title>{console.texts(language)['page']['title']}</title>" in page
    assert headers["Vary"] == "Accept-Language"
    assert "$" not in page


def test_the_page_carries_its_texts(lab_server: str) -> None:
    for language in console.LANGUAGES:
        _, page, _ = ask(lab_server, f"?lang={language}")
        (block,) = re.findall(r'<script type="application/json" id="texts">(.*?)</script>', page)
        assert json.loads(block) == console.texts(language)
        (without,) = re.findall(r"<noscript>(.*?)</noscript>", page)
        assert console.texts(language)["page"]["needs_scripts"] in without


# --- the texts -----------------------------------------------------------------------------------


def flat(texts: dict[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in texts.items():
        path = f"{above}/{key}"
        found |= flat(value, path) if isinstance(value, dict) else {path: value}
    return found


def test_both_languages_say_the_same() -> None:
    japanese, english = flat(console.texts("ja")), flat(console.texts("en"))
    assert list(japanese) == list(english)
    for key, text in japanese.items():
        assert text and english[key]
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key]))
        assert not re.search(r"[ぁ-んァ-ン一-龠]", english[key])
    same = {key for key, text in japanese.items() if text == english[key]}
    assert same == {"/page/milliseconds"}


def test_every_text_is_used_and_none_is_missing() -> None:
    page = (console.FILES / "page.html").read_text(encoding="utf-8")
    script = (console.FILES / "page.js").read_text(encoding="utf-8")
    charges = (console.FILES.parent / "billing.py").read_text(encoding="utf-8")
    texts = console.texts("en")
    given = {"language", "other", "other_name", "texts"}
    assert set(texts["page"]) == set(Template(page).get_identifiers()) - given
    assert set(texts["parts"]) == set(re.findall(r"TEXTS\.parts\.(\w+)", script))
    groups = set(re.findall(r"TEXTS\.(\w+)", script))
    assert set(texts) == groups | {"page"}
    assert set(texts["gaits"]) == {"instant", "frozen", "running"}
    assert set(texts["per"]) == {billing.HOUR, billing.MONTH, billing.GB_MONTH, billing.USE}
    assert set(texts["types"]) == {kind.type for kind in KINDS}
    detailed = {kind.type for kind in KINDS if kind.detail is not inventory.nothing_else}
    assert set(texts["details"]) == detailed
    named = re.findall(r'(?:charge\(\w+|instances\(|by_use\()(?:, )?"([\w-]+)"', charges)
    table = (console.FILES.parent / "inventory.py").read_text(encoding="utf-8")
    named += re.findall(r'by_use\("([\w-]+)"\)', table)
    assert set(texts["billed"]) == set(named)


def test_every_kind_has_a_service_with_a_name() -> None:
    assert {kind.service for kind in KINDS} == set(inventory.SERVICES)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    for path in console.FILES.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "://" not in text and 'src="//' not in text, path.name
        assert "innerHTML" not in text and "style=" not in text
