"""What bare moto does with endpoints and their configurations: the lab mends it."""

import json
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sagemaker.models import sagemaker_backends

from contracts.gaps import gap

ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
VPC = {"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-0123456789abcdef0"]}
POLICY = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "any"}]}}


@pytest.fixture
def sagemaker(bare_moto: None) -> BaseClient:
    """A client, and the model `model`."""
    client = boto3.client("sagemaker")
    container = {"Image": "image"}
    client.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    return client


def variant(**more: Any) -> dict[str, Any]:
    hosted = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2, "InitialVariantWeight": 1.0}
    return {"VariantName": "AllTraffic", "ModelName": "model"} | hosted | more


def configure(sagemaker: BaseClient, name: str = "config", **more: Any) -> dict[str, Any]:
    request = {"ProductionVariants": [variant()]} | more
    sagemaker.create_endpoint_config(EndpointConfigName=name, **request)
    answer = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert isinstance(answer, dict)
    return answer


def create(sagemaker: BaseClient, name: str = "shop", **more: Any) -> dict[str, Any]:
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="config", **more)
    answer = sagemaker.describe_endpoint(EndpointName=name)
    assert isinstance(answer, dict)
    return answer


def message(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Message"])


# --- configurations -------------------------------------------------------------------------------


@gap(
    "sagemaker:CreateEndpointConfig",
    "drops `ShadowProductionVariants`",
    "`ExplainerConfig`",
    "`VpcConfig`",
)
def test_members_are_dropped(sagemaker: BaseClient) -> None:
    baseline = {"ShapBaselineConfig": {"ShapBaseline": "1"}}
    made = configure(
        sagemaker,
        ShadowProductionVariants=[variant(VariantName="Shadow")],
        ExplainerConfig={"ClarifyExplainerConfig": {"ShapConfig": baseline}},
        VpcConfig=VPC,
    )
    assert not {"ShadowProductionVariants", "ExplainerConfig", "VpcConfig"} & set(made)


@gap("sagemaker:CreateEndpointConfig", "replaces a configuration of the same name")
def test_a_configuration_is_replaced(sagemaker: BaseClient) -> None:
    configure(sagemaker)
    made = configure(sagemaker, ProductionVariants=[variant(InitialInstanceCount=9)])
    assert made["ProductionVariants"][0]["InitialInstanceCount"] == 9


@gap("sagemaker:CreateEndpointConfig", "takes a serverless variant on instances")
def test_a_serverless_variant_on_instances_is_taken(sagemaker: BaseClient) -> None:
    both = variant(ServerlessConfig={"MemorySizeInMB": 2048, "MaxConcurrency": 1})
    assert configure(sagemaker, ProductionVariants=[both])["ProductionVariants"] == [both]


@gap(
    "sagemaker:DescribeEndpointConfig", "puts the ARN of a missing configuration into single quotes"
)
def test_the_arn_of_a_missing_configuration(sagemaker: BaseClient) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.describe_endpoint_config(EndpointConfigName="nope")
    assert message(refused).endswith(":endpoint-config/nope'.")


@gap("sagemaker:DeleteEndpointConfig", "puts the ARN of a missing configuration into single quotes")
def test_the_arn_of_a_missing_configuration_to_delete(sagemaker: BaseClient) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.delete_endpoint_config(EndpointConfigName="nope")
    assert message(refused).endswith(":endpoint-config/nope'.")


@gap("sagemaker:ListEndpointConfigs", "lists the oldest first")
@gap("sagemaker:ListEndpointConfigs", "shows 100 without `MaxResults`")
def test_the_list_of_configurations(sagemaker: BaseClient) -> None:
    for number in range(12):
        configure(sagemaker, f"config-{number}")
    shown = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert len(shown) == 12
    assert shown[0]["EndpointConfigName"] == "config-0"


# --- endpoints ------------------------------------------------------------------------------------


@gap("sagemaker:CreateEndpoint", "is in service at once")
def test_an_endpoint_is_in_service_at_once(sagemaker: BaseClient) -> None:
    configure(sagemaker)
    assert create(sagemaker)["EndpointStatus"] == "InService"


@gap("sagemaker:CreateEndpoint", "replaces an endpoint of the same name")
def test_an_endpoint_is_replaced(sagemaker: BaseClient) -> None:
    configure(sagemaker)
    first = create(sagemaker)
    assert create(sagemaker)["CreationTime"] > first["CreationTime"]


@gap("sagemaker:CreateEndpoint", "forgets `DeploymentConfig`")
def test_the_deployment_config_is_forgotten(sagemaker: BaseClient) -> None:
    configure(sagemaker)
    assert "LastDeploymentConfig" not in create(sagemaker, DeploymentConfig=POLICY)


@gap("sagemaker:DescribeEndpoint", "knows no `DeployedImages`")
@gap("sagemaker:DescribeEndpoint", "`DataCaptureConfig` has no `CaptureStatus`")
@gap("sagemaker:DescribeEndpoint", "shows no shadow variants")
def test_what_describe_does_not_show(sagemaker: BaseClient) -> None:
    capture = {
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": "s3://amzn-s3-demo-bucket/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    shadow = variant(VariantName="Shadow")
    configure(sagemaker, ShadowProductionVariants=[shadow], DataCaptureConfig=capture)
    shown = create(sagemaker)
    assert "DeployedImages" not in shown["ProductionVariants"][0]
    assert "CaptureStatus" not in shown["DataCaptureConfig"]
    assert "ShadowProductionVariants" not in shown


@gap("sagemaker:ListEndpoints", "lists the oldest first")
@gap("sagemaker:ListEndpoints", "shows 100 without `MaxResults`")
def test_the_list_of_endpoints(sagemaker: BaseClient) -> None:
    configure(sagemaker)
    for number in range(12):
        create(sagemaker, f"shop-{number}")
    shown = sagemaker.list_endpoints()["Endpoints"]
    assert len(shown) == 12
    assert shown[0]["EndpointName"] == "shop-0"


@gap("sagemaker:DeleteEndpoint", "takes no time")
@gap("sagemaker:DeleteEndpoint", "puts the ARN of a missing endpoint into single quotes")
def test_an_endpoint_is_gone_at_once(sagemaker: BaseClient) -> None:
    configure(sagemaker)
    create(sagemaker)
    sagemaker.delete_endpoint(EndpointName="shop")
    with pytest.raises(ClientError) as refused:
        sagemaker.delete_endpoint(EndpointName="shop")
    assert message(refused).endswith(":endpoint/shop'.")


@gap("sagemaker:UpdateEndpointWeightsAndCapacities", "empties what a request leaves out")
@gap("sagemaker:UpdateEndpointWeightsAndCapacities", "takes effect at once")
def test_a_new_weight_is_there_at_once_and_empties_the_count(sagemaker: BaseClient) -> None:
    configure(sagemaker)
    create(sagemaker)
    change = {"VariantName": "AllTraffic", "DesiredWeight": 0.5}
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=[change]
    )
    answer = sagemaker.describe_endpoint(EndpointName="shop")
    [shown] = answer["ProductionVariants"]
    assert answer["EndpointStatus"] == "InService"
    assert shown["CurrentWeight"] == 0.5
    assert "CurrentInstanceCount" not in shown


# --- CloudFormation -------------------------------------------------------------------------------


def template(resource: str, **properties: Any) -> str:
    whole = {"Type": f"AWS::SageMaker::{resource}", "Properties": properties}
    return json.dumps({"Resources": {"Made": whole}})


@gap("cloudformation:AWS::SageMaker::EndpointConfig", "ignores `EndpointConfigName`", "`VpcConfig`")
def test_a_stack_names_its_configuration_itself(sagemaker: BaseClient) -> None:
    properties = {"EndpointConfigName": "config", "VpcConfig": VPC}
    body = template("EndpointConfig", ProductionVariants=[variant()], **properties)
    boto3.client("cloudformation").create_stack(StackName="stack", TemplateBody=body)
    [made] = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    name = made["EndpointConfigName"]
    assert name.startswith("stack-Made-")
    assert "VpcConfig" not in sagemaker.describe_endpoint_config(EndpointConfigName=name)


@gap("cloudformation:AWS::SageMaker::Endpoint", "ignores `EndpointName`", "`DeploymentConfig`")
@gap("cloudformation:AWS::SageMaker::Endpoint", "replaces the endpoint at an update")
@gap("cloudformation:AWS::SageMaker::Endpoint", "has no servers to end")
def test_a_stack_makes_a_new_endpoint_at_an_update(sagemaker: BaseClient) -> None:
    for name in ("config", "config-2"):
        configure(sagemaker, name)
    stacks = boto3.client("cloudformation")
    properties = {"EndpointName": "shop", "DeploymentConfig": POLICY}
    first = template("Endpoint", EndpointConfigName="config", **properties)
    stacks.create_stack(StackName="stack", TemplateBody=first)
    backend = sagemaker_backends[DEFAULT_ACCOUNT_ID]["ap-northeast-1"]
    [endpoint] = backend.endpoints.values()
    assert endpoint.endpoint_name.startswith("stack-Made-")
    assert not hasattr(endpoint, "last_deployment_config")
    assert not hasattr(endpoint, "fleets")
    second = template("Endpoint", EndpointConfigName="config-2", **properties)
    stacks.update_stack(StackName="stack", TemplateBody=second)
    [replacement] = backend.endpoints.values()
    assert replacement is not endpoint
