"""CreateEndpointConfig and its family: everything is kept, and what excludes what is refused."""

import json
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.embedded import environment
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
PREFIX = "arn:aws:sagemaker:ap-northeast-1:111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 20,
    "DestinationS3Uri": "s3://amzn-s3-demo-bucket/capture",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://amzn-s3-demo-bucket/async"}}
VPC = {"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-0123456789abcdef0"]}
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}

Request = dict[str, Any]


def add_models(sagemaker: BaseClient, *names: str, **more: Any) -> None:
    for name in names:
        parts = {"PrimaryContainer": {"Image": IMAGE}} if "Containers" not in more else {}
        sagemaker.create_model(ModelName=name, **{"ExecutionRoleArn": ROLE} | parts | more)


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient]) -> BaseClient:
    """A client, and two models."""
    made = client("sagemaker")
    add_models(made, "shop-v1", "shop-v2")
    return made


def variant(name: str = "AllTraffic", model: str = "shop-v1", **more: Any) -> Request:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    } | more


def serverless(name: str = "AllTraffic", **config: Any) -> Request:
    config = SERVERLESS | config
    return {"VariantName": name, "ModelName": "shop-v1", "ServerlessConfig": config}


def without(request: Request, *members: str) -> Request:
    return {name: value for name, value in request.items() if name not in members}


def create(sagemaker: BaseClient, name: str = "config", *variants: Request, **more: Any) -> str:
    production = list(variants) or [variant()]
    made = sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=production, **more
    )
    return str(made["EndpointConfigArn"])


def refusal(call: Callable[[], Any]) -> str:
    """The message of a ValidationException."""
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(refused.value.response["Error"]["Message"])


def described(sagemaker: BaseClient, name: str = "config") -> Request:
    answer: Request = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    return answer


# --- what is kept ---------------------------------------------------------------------------------


def test_every_member_comes_back(sagemaker: BaseClient) -> None:
    request: Request = {
        "ProductionVariants": [
            variant(
                InstanceType="ml.g6.xlarge",
                InitialVariantWeight=0.5,
                VolumeSizeInGB=64,
                ModelDataDownloadTimeoutInSeconds=600,
                ContainerStartupHealthCheckTimeoutInSeconds=300,
                EnableSSMAccess=True,
                RoutingConfig={"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
                ManagedInstanceScaling={"Status": "ENABLED", "MinInstanceCount": 1},
            )
        ],
        "ShadowProductionVariants": [variant("Shadow", "shop-v2", InitialVariantWeight=0.25)],
        "DataCaptureConfig": CAPTURE
        | {"CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]}, "KmsKeyId": "key-1"},
        "KmsKeyId": "alias/shop",
        "ExplainerConfig": {
            "ClarifyExplainerConfig": {
                "EnableExplanations": "`true`",
                "ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": "1,2"}, "UseLogit": True},
            }
        },
        "ExecutionRoleArn": ROLE,
        "VpcConfig": VPC,
        "EnableNetworkIsolation": True,
        "MetricsConfig": {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10},
        "CrossRegionTrafficConfig": {
            "MaxInvocationsPerSecondPerInstance": 10,
            "MaxCrossRegionPercentPerEndpoint": 50,
        },
    }
    tags = [{"Key": "team", "Value": "shop"}]
    made = sagemaker.create_endpoint_config(EndpointConfigName="config", Tags=tags, **request)
    assert made["EndpointConfigArn"] == f"{PREFIX}:endpoint-config/config"
    answer = described(sagemaker)
    assert without(answer, "ResponseMetadata", "CreationTime") == request | {
        "EndpointConfigName": "config",
        "EndpointConfigArn": f"{PREFIX}:endpoint-config/config",
    }
    assert sagemaker.list_tags(ResourceArn=made["EndpointConfigArn"])["Tags"] == tags


def test_serverless_and_asynchronous_come_back(sagemaker: BaseClient) -> None:
    create(sagemaker, "serverless", serverless(ProvisionedConcurrency=5))
    create(sagemaker, "async", AsyncInferenceConfig=ASYNC, DataCaptureConfig=CAPTURE)
    [found] = described(sagemaker, "serverless")["ProductionVariants"]
    assert found == serverless(ProvisionedConcurrency=5)
    assert described(sagemaker, "async")["AsyncInferenceConfig"] == ASYNC


def test_tags_can_be_changed(sagemaker: BaseClient) -> None:
    arn = create(sagemaker)
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "shop"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["stage"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "shop"}]


def test_another_region_and_account_have_their_own(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    create(sagemaker)
    elsewhere = client("sagemaker", "us-east-1")
    missing = "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/config"
    assert refusal(lambda: described(elsewhere)) == (
        f'Could not find endpoint configuration "{missing}".'
    )
    assert refusal(lambda: create(elsewhere)) == (
        'Could not find model "arn:aws:sagemaker:us-east-1:111122223333:model/shop-v1".'
    )
    role = "arn:aws:iam::444455556666:role/Other"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="other")["Credentials"]
    other = boto3.client(
        "sagemaker",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert other.list_endpoint_configs()["EndpointConfigs"] == []
    add_models(other, "shop-v1", ExecutionRoleArn=role)
    assert create(other).split(":")[4] == "444455556666"


# --- what is refused ------------------------------------------------------------------------------


def test_a_name_is_taken_once(sagemaker: BaseClient) -> None:
    create(sagemaker)
    assert refusal(lambda: create(sagemaker, "config", variant(model="shop-v2"))) == (
        f'Cannot create already existing endpoint configuration "{PREFIX}:endpoint-config/config".'
    )
    assert described(sagemaker)["ProductionVariants"] == [variant()]


TWO = [variant("A"), variant("B")]
REFUSED: list[tuple[str, Request]] = [
    (
        f'Could not find model "{PREFIX}:model/nope".',
        {"ProductionVariants": [variant(model="nope")]},
    ),
    (
        f'Could not find model "{PREFIX}:model/nope".',
        {"ShadowProductionVariants": [variant("Shadow", "nope")]},
    ),
    (
        'Variant names must be unique; "A" is used more than once.',
        {"ProductionVariants": [*TWO, variant("A", "shop-v2")]},
    ),
    (
        'Variant names must be unique; "AllTraffic" is used more than once.',
        {"ShadowProductionVariants": [variant(model="shop-v2")]},
    ),
    (
        'Variant "AllTraffic" must specify exactly one of '
        "InstanceType, InstancePools, ServerlessConfig.",
        {"ProductionVariants": [variant() | serverless()]},
    ),
    (
        'Variant "AllTraffic" must specify exactly one of '
        "InstanceType, InstancePools, ServerlessConfig.",
        {"ProductionVariants": [without(variant(), "InstanceType")]},
    ),
    (
        'Variant "AllTraffic" must specify an InitialInstanceCount.',
        {"ProductionVariants": [without(variant(), "InitialInstanceCount")]},
    ),
    (
        'Variant "AllTraffic" is serverless and cannot specify an InitialInstanceCount.',
        {"ProductionVariants": [serverless() | {"InitialInstanceCount": 1}]},
    ),
    (
        "1 validation error detected: Value '1536' at "
        "'productionVariants.1.member.serverlessConfig.memorySizeInMB' failed to satisfy "
        "constraint: Member must satisfy enum value set: [1024, 2048, 3072, 4096, 5120, 6144]",
        {"ProductionVariants": [serverless(MemorySizeInMB=1536)]},
    ),
    (
        'The ProvisionedConcurrency of variant "AllTraffic" must be less than or equal to its '
        "MaxConcurrency.",
        {"ProductionVariants": [serverless(ProvisionedConcurrency=6)]},
    ),
    (
        "More than one production variant is not supported for serverless endpoint.",
        {"ProductionVariants": [serverless("A"), serverless("B")]},
    ),
    (
        "More than one production variant is not supported for serverless endpoint.",
        {"ProductionVariants": [serverless("A"), variant("B")]},
    ),
    (
        "ShadowProductionVariants are not supported for serverless inference.",
        {"ProductionVariants": [serverless()], "ShadowProductionVariants": [variant("Shadow")]},
    ),
    (
        "AsyncInferenceConfig is not supported for serverless endpoint.",
        {"ProductionVariants": [serverless()], "AsyncInferenceConfig": ASYNC},
    ),
    (
        "DataCaptureConfig is not supported for serverless endpoint.",
        {"ProductionVariants": [serverless()], "DataCaptureConfig": CAPTURE},
    ),
    (
        "VPC config is not supported for serverless endpoint.",
        {"ProductionVariants": [serverless()], "VpcConfig": VPC},
    ),
    (
        "network isolation is not supported for serverless endpoint.",
        {"ProductionVariants": [serverless()], "EnableNetworkIsolation": True},
    ),
    (
        "ShadowProductionVariants are not supported for asynchronous inference.",
        {"ShadowProductionVariants": [variant("Shadow")], "AsyncInferenceConfig": ASYNC},
    ),
    (
        "ShadowProductionVariants are not supported for Inf1 instances.",
        {"ShadowProductionVariants": [variant("Shadow", InstanceType="ml.inf1.xlarge")]},
    ),
    (
        "With ShadowProductionVariants you can specify one variant for ProductionVariants and "
        "one variant for ShadowProductionVariants.",
        {"ShadowProductionVariants": [variant("S1"), variant("S2")]},
    ),
    (
        "With ShadowProductionVariants you can specify one variant for ProductionVariants and "
        "one variant for ShadowProductionVariants.",
        {"ProductionVariants": TWO, "ShadowProductionVariants": [variant("Shadow")]},
    ),
    (
        "CrossRegionTrafficConfig cannot be specified together with AsyncInferenceConfig.",
        {
            "AsyncInferenceConfig": ASYNC,
            "CrossRegionTrafficConfig": {
                "MaxInvocationsPerSecondPerInstance": 10,
                "MaxCrossRegionPercentPerEndpoint": 50,
            },
        },
    ),
    (
        'Variant "AllTraffic" has no ModelName: an endpoint configuration for inference '
        "components must specify an ExecutionRoleArn.",
        {"ProductionVariants": [without(variant(), "ModelName")]},
    ),
]


@pytest.mark.parametrize(("message", "request_"), REFUSED)
def test_contradictions_are_refused(sagemaker: BaseClient, message: str, request_: Request) -> None:
    request = {"ProductionVariants": [variant()]} | request_
    call = sagemaker.create_endpoint_config
    assert refusal(lambda: call(EndpointConfigName="config", **request)) == message
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


def test_models_that_shadow_and_serverless_exclude(sagemaker: BaseClient) -> None:
    add_models(sagemaker, "pipeline", Containers=[{"Image": IMAGE}, {"Image": IMAGE}])
    add_models(sagemaker, "in-vpc", VpcConfig=VPC)
    production = [variant(model="pipeline")]
    request = {"ProductionVariants": production, "ShadowProductionVariants": [variant("Shadow")]}
    call = sagemaker.create_endpoint_config
    assert refusal(lambda: call(EndpointConfigName="config", **request)) == (
        "ShadowProductionVariants are not supported for multi-container models."
    )
    pipeline = [serverless() | {"ModelName": "pipeline"}]
    assert refusal(lambda: create(sagemaker, "config", *pipeline)) == (
        "An inference pipeline is not supported for serverless endpoint."
    )
    in_vpc = [serverless() | {"ModelName": "in-vpc"}]
    assert refusal(lambda: create(sagemaker, "config", *in_vpc)) == (
        "VPC config is not supported for serverless endpoint."
    )


def test_what_is_allowed_at_the_edges(sagemaker: BaseClient) -> None:
    for position, memory in enumerate((1024, 2048, 3072, 4096, 5120, 6144)):
        create(sagemaker, f"memory-{position}", serverless(MemorySizeInMB=memory))
    create(sagemaker, "ten", *[variant(f"V{n}", InitialVariantWeight=0) for n in range(10)])
    pools = [{"InstanceType": "ml.g6.xlarge", "Priority": 1}]
    create(sagemaker, "pools", without(variant(InstancePools=pools), "InstanceType"))
    create(sagemaker, "components", without(variant(), "ModelName"), ExecutionRoleArn=ROLE)
    assert len(sagemaker.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]) == 9


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"ProductionVariants": [variant(f"V{n}") for n in range(11)]},
            "'productionVariants' failed to satisfy constraint: Member must have length less "
            "than or equal to 10",
        ),
        (
            {"ProductionVariants": [variant(InitialVariantWeight=-0.1)]},
            "'productionVariants.1.member.initialVariantWeight' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0",
        ),
        (
            {"DataCaptureConfig": CAPTURE | {"InitialSamplingPercentage": 101}},
            "'dataCaptureConfig.initialSamplingPercentage' failed to satisfy constraint: "
            "Member must have value less than or equal to 100",
        ),
        (
            {"ProductionVariants": [serverless(MaxConcurrency=201)]},
            "'productionVariants.1.member.serverlessConfig.maxConcurrency' failed to satisfy "
            "constraint: Member must have value less than or equal to 200",
        ),
    ],
)
def test_the_limits_of_the_model(
    client: Callable[..., BaseClient], request_: Request, message: str
) -> None:
    sagemaker = client("sagemaker", parameter_validation=False)
    add_models(sagemaker, "shop-v1")
    request = {"ProductionVariants": [variant()]} | request_
    call = sagemaker.create_endpoint_config
    assert message in refusal(lambda: call(EndpointConfigName="config", **request))


# --- reading and deleting -------------------------------------------------------------------------


def test_a_missing_one_can_neither_be_described_nor_deleted(sagemaker: BaseClient) -> None:
    missing = f'Could not find endpoint configuration "{PREFIX}:endpoint-config/nope".'
    assert refusal(lambda: described(sagemaker, "nope")) == missing
    delete = sagemaker.delete_endpoint_config
    assert refusal(lambda: delete(EndpointConfigName="nope")) == missing


def test_a_deleted_one_frees_its_name(sagemaker: BaseClient) -> None:
    create(sagemaker)
    sagemaker.delete_endpoint_config(EndpointConfigName="config")
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    create(sagemaker, "config", variant(model="shop-v2"))
    assert described(sagemaker)["ProductionVariants"] == [variant(model="shop-v2")]


@pytest.fixture
def three(sagemaker: BaseClient) -> BaseClient:
    """Configurations b, c, a, made one minute apart."""
    CLOCK.run(0)
    try:
        for name in ("b", "c", "a"):
            create(sagemaker, name)
            CLOCK.advance(60)
        yield sagemaker
    finally:
        CLOCK.run(None)


def listed(sagemaker: BaseClient, **filters: Any) -> str:
    found = sagemaker.list_endpoint_configs(**filters)["EndpointConfigs"]
    return "".join(config["EndpointConfigName"] for config in found)


def test_lists_are_sorted(three: BaseClient) -> None:
    assert listed(three) == "acb"
    assert listed(three, SortOrder="Ascending") == "bca"
    assert listed(three, SortBy="Name") == "cba"
    assert listed(three, SortBy="Name", SortOrder="Ascending") == "abc"
    [first, *_] = three.list_endpoint_configs()["EndpointConfigs"]
    assert set(first) == {"EndpointConfigName", "EndpointConfigArn", "CreationTime"}


def test_lists_are_filtered(three: BaseClient) -> None:
    middle = described(three, "c")["CreationTime"]
    assert listed(three, NameContains="c") == "c"
    assert listed(three, NameContains="x") == ""
    assert listed(three, CreationTimeBefore=middle) == "b"
    assert listed(three, CreationTimeAfter=middle) == "ac"
    assert listed(three, CreationTimeAfter=middle + timedelta(seconds=1)) == "a"


def test_pages_follow_each_other(three: BaseClient) -> None:
    pages = three.get_paginator("list_endpoint_configs")
    for order in ({"SortBy": "Name"}, {"SortOrder": "Ascending"}, {}):
        found = [
            [config["EndpointConfigName"] for config in page["EndpointConfigs"]]
            for page in pages.paginate(PaginationConfig={"PageSize": 2}, **order)
        ]
        whole = listed(three, **order)
        assert found == [list(whole[:2]), list(whole[2:])]


def test_a_caller_may_delete_what_a_page_has_shown(three: BaseClient) -> None:
    pages = three.get_paginator("list_endpoint_configs")
    for page in pages.paginate(PaginationConfig={"PageSize": 1}):
        for config in page["EndpointConfigs"]:
            three.delete_endpoint_config(EndpointConfigName=config["EndpointConfigName"])
    assert listed(three) == ""


def test_without_max_results_there_are_ten(sagemaker: BaseClient) -> None:
    for number in range(11):
        create(sagemaker, f"config-{number}")
    first = sagemaker.list_endpoint_configs()
    assert len(first["EndpointConfigs"]) == 10
    rest = sagemaker.list_endpoint_configs(NextToken=first["NextToken"])
    assert [c["EndpointConfigName"] for c in rest["EndpointConfigs"]] == ["config-0"]
    assert "NextToken" not in rest


@pytest.mark.parametrize("token", ["x", "bnVsbA==", "WzEsIDJd", "WyJhIl0=", "é"])
def test_another_token_is_refused(sagemaker: BaseClient, token: str) -> None:
    call = sagemaker.list_endpoint_configs
    assert refusal(lambda: call(NextToken=token)) == "Invalid NextToken."


# --- the ways there -------------------------------------------------------------------------------


def test_over_http(lab_server: str) -> None:
    settings = environment(AWS_ENDPOINT_URL=lab_server)
    over_http = boto3.client(
        "sagemaker",
        endpoint_url=lab_server,
        region_name="ap-northeast-1",
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"max_attempts": 1}),
    )
    add_models(over_http, "shop-v1", "shop-v2")
    shadows = [variant("Shadow", "shop-v2")]
    create(over_http, ShadowProductionVariants=shadows)
    assert described(over_http)["ShadowProductionVariants"] == shadows
    assert "already existing" in refusal(lambda: create(over_http))


@pytest.mark.parametrize("body", [{"CreationTimeAfter": 1e300}, {"CreationTimeBefore": "soon"}])
def test_odd_times_are_no_crash(lab_server: str, body: Request) -> None:
    call = urllib.request.Request(
        lab_server,
        data=json.dumps(body).encode(),
        headers={
            "X-Amz-Target": "SageMaker.ListEndpointConfigs",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20261121/ap-northeast-1/"
            "sagemaker/aws4_request, SignedHeaders=host, Signature=0",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(call)
    with refused.value as answer:
        assert (answer.code, json.load(answer)["__type"]) == (400, "SerializationException")


# --- CloudFormation -------------------------------------------------------------------------------


def template(**properties: Any) -> str:
    config = {"ProductionVariants": [variant(InitialInstanceCount="2")]} | properties
    resource = {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config}
    return json.dumps({"Resources": {"Config": resource}})


def test_a_stack_makes_changes_and_deletes_one(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    stacks = client("cloudformation")
    stacks.create_stack(StackName="shop", TemplateBody=template(EndpointConfigName="config"))
    assert described(sagemaker)["ProductionVariants"] == [variant(InitialInstanceCount=2)]
    [resource] = stacks.describe_stack_resources(StackName="shop")["StackResources"]
    assert resource["PhysicalResourceId"] == f"{PREFIX}:endpoint-config/config"
    changed = template(
        EndpointConfigName="config-2",
        DataCaptureConfig=CAPTURE | {"EnableCapture": "true"},
        ProductionVariants=[variant(InitialVariantWeight="0.5")],
    )
    stacks.update_stack(StackName="shop", TemplateBody=changed)
    assert listed(sagemaker) == "config-2"
    answer = described(sagemaker, "config-2")
    assert answer["DataCaptureConfig"] == CAPTURE
    assert answer["ProductionVariants"] == [variant(InitialVariantWeight=0.5)]
    stacks.delete_stack(StackName="shop")
    assert listed(sagemaker) == ""


def test_a_stack_names_it_when_the_template_does_not(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    client("cloudformation").create_stack(StackName="shop" * 15, TemplateBody=template())
    [config] = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert "shop-Config-" in config["EndpointConfigName"]
    assert len(config["EndpointConfigName"]) <= 63


@pytest.mark.parametrize(
    "properties",
    [
        {"ProductionVariants": [variant(model="nope")]},
        {"ProductionVariants": [variant(InitialInstanceCount="many")]},
        {"ProductionVariants": "none"},
        {"ProductionVariants": []},
    ],
)
def test_a_wrong_template_is_refused(
    sagemaker: BaseClient, client: Callable[..., BaseClient], properties: Request
) -> None:
    body = template(**properties)
    with pytest.raises(ClientError) as refused:
        client("cloudformation").create_stack(StackName="shop", TemplateBody=body)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert listed(sagemaker) == ""
