"""Models: what may be made, what is told of it, lists; tags of whatever has an ARN."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.services.sagemaker.answers import output_of, without_empty
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
BUCKET = "amzn-s3-demo-bucket"
DATA = f"s3://{BUCKET}/v1/model.tar.gz"
CONTAINER: dict[str, Any] = {"Image": IMAGE, "ModelDataUrl": DATA, "Environment": {"A": "1"}}

Request = dict[str, Any]


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient]) -> Iterator[BaseClient]:
    """A client of a lab whose bucket holds `v1/model.tar.gz` and `v1/other`."""
    s3 = client("s3")
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    for key in ("v1/model.tar.gz", "v1/other"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"model")
    yield client("sagemaker")
    CLOCK.run(None)


def create(sagemaker: BaseClient, name: str = "shop", **changed: Any) -> str:
    request = {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": CONTAINER} | changed
    given = {member: value for member, value in request.items() if value is not None}
    return str(sagemaker.create_model(**given)["ModelArn"])


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def names(sagemaker: BaseClient, **params: Any) -> list[str]:
    return [model["ModelName"] for model in sagemaker.list_models(**params)["Models"]]


# --- one model ------------------------------------------------------------------------------------


def test_a_model_is_told_as_it_was_made(sagemaker: BaseClient) -> None:
    network = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert (
        create(sagemaker, VpcConfig=network, EnableNetworkIsolation=True) == f"{PREFIX}:model/shop"
    )
    told = sagemaker.describe_model(ModelName="shop")
    assert told.pop("CreationTime").tzinfo is not None
    del told["ResponseMetadata"]
    assert told == {
        "ModelName": "shop",
        "ModelArn": f"{PREFIX}:model/shop",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": CONTAINER | {"Mode": "SingleModel"},
        "VpcConfig": network,
        "EnableNetworkIsolation": True,
    }


def test_nothing_empty_is_told(sagemaker: BaseClient) -> None:
    """The Python SDK v3 refuses `VpcConfig: {}`, which moto answers."""
    create(sagemaker)
    told = sagemaker.describe_model(ModelName="shop")
    assert not {"VpcConfig", "Containers", "InferenceExecutionConfig"} & told.keys()
    assert told["EnableNetworkIsolation"] is False


def test_several_containers(sagemaker: BaseClient) -> None:
    both = [{"Image": IMAGE, "ContainerHostname": "first"}, CONTAINER | {"Mode": "MultiModel"}]
    create(sagemaker, PrimaryContainer=None, Containers=both)
    told = sagemaker.describe_model(ModelName="shop")
    assert told["Containers"] == [both[0] | {"Mode": "SingleModel"}, both[1]]
    assert "PrimaryContainer" not in told


def test_a_name_is_given_once(sagemaker: BaseClient) -> None:
    create(sagemaker)
    said = refusal(create, sagemaker, PrimaryContainer={"Image": "other"})
    message = f'Cannot create already existing model "{PREFIX}:model/shop".'
    assert said == ("ValidationException", message)
    told = sagemaker.describe_model(ModelName="shop")
    assert told["PrimaryContainer"]["Image"] == IMAGE


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"Containers": [CONTAINER]},
            "PrimaryContainer and Containers cannot both be specified in the same request.",
        ),
        (
            {"PrimaryContainer": None},
            "Either PrimaryContainer or Containers must be specified in the request.",
        ),
        (
            {"PrimaryContainer": None, "Containers": []},
            "Either PrimaryContainer or Containers must be specified in the request.",
        ),
        (
            {"PrimaryContainer": {"ModelDataUrl": DATA}},
            "Each container must specify exactly one of Image and ModelPackageName.",
        ),
        (
            {"PrimaryContainer": {"ModelPackageName": "p", "ModelDataUrl": DATA}},
            "A container with a ModelPackageName cannot specify model data.",
        ),
        (
            {"PrimaryContainer": {"ModelPackageName": "none"}},
            f"ModelPackage {PREFIX}:model-package/none does not exist.",
        ),
        (
            {"PrimaryContainer": CONTAINER | {"ModelDataUrl": f"s3://{BUCKET}/v1/model"}},
            f"Could not find model data at s3://{BUCKET}/v1/model.",
        ),
        (
            {"PrimaryContainer": CONTAINER | {"ModelDataUrl": "s3://nowhere/model.tar.gz"}},
            "Could not find model data at s3://nowhere/model.tar.gz.",
        ),
        (
            {"ExecutionRoleArn": "arn:aws:iam::444455556666:role/other"},
            "RoleArn: Cross-account pass role is not allowed.",
        ),
    ],
)
def test_what_no_model_may_be(sagemaker: BaseClient, changed: Request, message: str) -> None:
    assert refusal(create, sagemaker, **changed) == ("ValidationException", message)
    assert names(sagemaker) == []


def test_bad_names_and_roles_are_refused_by_the_model_of_the_service(client: Any) -> None:
    loose = client("sagemaker", parameter_validation=False)
    code, message = refusal(create, loose, name="no_name", ExecutionRoleArn="role")
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: Value 'no_name' at 'modelName'")
    assert "Value 'role' at 'executionRoleArn'" in message


def source(uri: str, kind: str) -> Request:
    where = {"S3Uri": uri, "S3DataType": kind, "CompressionType": "None"}
    return {"Image": IMAGE, "ModelDataSource": {"S3DataSource": where}}


def test_uncompressed_data_are_looked_for_by_their_prefix(sagemaker: BaseClient) -> None:
    create(sagemaker, PrimaryContainer=source(f"s3://{BUCKET}/v1/", "S3Prefix"))
    said = refusal(
        create, sagemaker, "b", PrimaryContainer=source(f"s3://{BUCKET}/v2/", "S3Prefix")
    )
    assert said[1] == f"Could not find model data at s3://{BUCKET}/v2/."
    said = refusal(
        create, sagemaker, "c", PrimaryContainer=source(f"s3://{BUCKET}/v1/", "S3Object")
    )
    assert said[1] == f"Could not find model data at s3://{BUCKET}/v1/."
    assert names(sagemaker) == ["shop"]


def test_models_of_many_may_come_later(sagemaker: BaseClient) -> None:
    several = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/many/"}
    assert create(sagemaker, PrimaryContainer=several)


def test_data_must_be_in_the_same_region(sagemaker: BaseClient, client: Any) -> None:
    s3 = client("s3", region="us-east-1")
    s3.create_bucket(Bucket="amzn-s3-demo-far")
    s3.put_object(Bucket="amzn-s3-demo-far", Key="model.tar.gz", Body=b"model")
    far = {"Image": IMAGE, "ModelDataUrl": "s3://amzn-s3-demo-far/model.tar.gz"}
    code, message = refusal(create, sagemaker, PrimaryContainer=far)
    assert code == "ValidationException"
    assert message.startswith("Could not access model data at s3://amzn-s3-demo-far/model.tar.gz. ")
    assert ROLE in message and message.endswith(f"the object is located in {REGION}.")


def test_accounts_and_regions_are_apart(sagemaker: BaseClient, client: Any) -> None:
    create(sagemaker)
    there = client("sagemaker", region="us-west-2")
    code, message = refusal(there.describe_model, ModelName="shop")
    assert code == "ValidationException"
    assert message == f'Could not find model "arn:aws:sagemaker:us-west-2:{ACCOUNT}:model/shop".'
    assert names(there) == []


def test_a_deleted_model_is_gone(sagemaker: BaseClient) -> None:
    create(sagemaker)
    sagemaker.delete_model(ModelName="shop")
    missing = ("ValidationException", f'Could not find model "{PREFIX}:model/shop".')
    assert refusal(sagemaker.delete_model, ModelName="shop") == missing
    assert refusal(sagemaker.describe_model, ModelName="shop") == missing
    create(sagemaker)
    assert names(sagemaker) == ["shop"]


# --- lists ----------------------------------------------------------------------------------------


@pytest.fixture
def four(sagemaker: BaseClient) -> BaseClient:
    """Models a-1, c-1, b-2 and d-2, made in this order, an hour between them."""
    CLOCK.run(0)
    for name in ("a-1", "c-1", "b-2", "d-2"):
        create(sagemaker, name)
        CLOCK.advance(3600)
    return sagemaker


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({}, ["d-2", "b-2", "c-1", "a-1"]),
        ({"SortOrder": "Ascending"}, ["a-1", "c-1", "b-2", "d-2"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["a-1", "b-2", "c-1", "d-2"]),
        ({"SortBy": "Name"}, ["d-2", "c-1", "b-2", "a-1"]),
        ({"NameContains": "-2"}, ["d-2", "b-2"]),
        ({"NameContains": "x"}, []),
        ({"MaxResults": 1}, ["d-2"]),
    ],
)
def test_filters_and_order(four: BaseClient, params: Request, shown: list[str]) -> None:
    assert names(four, **params) == shown


def test_bounds_of_time(four: BaseClient) -> None:
    made = four.describe_model(ModelName="b-2")["CreationTime"]
    assert names(four, CreationTimeAfter=made) == ["d-2", "b-2"]
    assert names(four, CreationTimeBefore=made) == ["c-1", "a-1"]
    assert names(four, CreationTimeAfter=made + timedelta(days=1)) == []


def test_pages_go_on_where_the_one_before_ended(four: BaseClient) -> None:
    first = four.list_models(MaxResults=3)
    four.delete_model(ModelName=first["Models"][0]["ModelName"])
    rest = four.list_models(MaxResults=3, NextToken=first["NextToken"])
    assert [model["ModelName"] for model in rest["Models"]] == ["a-1"]
    assert "NextToken" not in rest
    code, _ = refusal(four.list_models, NextToken="nonsense")
    assert code == "ValidationException"


def test_a_page_has_ten_models(sagemaker: BaseClient) -> None:
    for number in range(12):
        create(sagemaker, f"m-{number}")
    assert len(sagemaker.list_models()["Models"]) == 10
    pages = sagemaker.get_paginator("list_models").paginate()
    assert len([model for page in pages for model in page["Models"]]) == 12


# --- instance types -------------------------------------------------------------------------------


def test_new_instance_types_are_known(sagemaker: BaseClient) -> None:
    create(sagemaker)
    for number, kind in enumerate(("ml.g5.xlarge", "ml.m7i.large", "ml.c7i.large", "ml.m6i.large")):
        variant = {"VariantName": "A", "ModelName": "shop", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(
            EndpointConfigName=f"config-{number}",
            ProductionVariants=[variant | {"InstanceType": kind}],
        )
    sagemaker.create_notebook_instance(
        NotebookInstanceName="n", InstanceType="ml.g5.xlarge", RoleArn=ROLE
    )
    more = {"Name": "more", "Containers": [{"Image": IMAGE}]}
    more |= {"SupportedRealtimeInferenceInstanceTypes": ["ml.g6.xlarge"]}
    more |= {"SupportedTransformInstanceTypes": ["ml.m6i.xlarge"]}
    sagemaker.create_model_package(ModelPackageName="p", AdditionalInferenceSpecifications=[more])


def test_no_type_is_invented(sagemaker: BaseClient) -> None:
    wrong = {"NotebookInstanceName": "n", "InstanceType": "ml.m5.large", "RoleArn": ROLE}
    code, message = refusal(sagemaker.create_notebook_instance, **wrong)
    assert code == "ValidationException"
    assert message.startswith("1 validation error detected: Value 'ml.m5.large' at 'instanceType'")


# --- tags -----------------------------------------------------------------------------------------


def tags(sagemaker: BaseClient, arn: str) -> dict[str, str]:
    found = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_tags_come_with_a_model_and_change(sagemaker: BaseClient) -> None:
    arn = create(sagemaker, Tags=[{"Key": "team", "Value": "a"}, {"Key": "cost", "Value": "1"}])
    changed = [{"Key": "team", "Value": "b"}, {"Key": "new", "Value": ""}]
    answered = sagemaker.add_tags(ResourceArn=arn, Tags=changed)["Tags"]
    assert len(answered) == 3
    assert tags(sagemaker, arn) == {"team": "b", "cost": "1", "new": ""}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["cost", "none"])
    assert tags(sagemaker, arn) == {"team": "b", "new": ""}


def test_fifty_tags_are_the_most(sagemaker: BaseClient) -> None:
    arn = create(sagemaker, Tags=[{"Key": str(n), "Value": ""} for n in range(50)])
    said = refusal(sagemaker.add_tags, ResourceArn=arn, Tags=[{"Key": "x", "Value": ""}])
    assert said == ("ValidationException", "A resource cannot have more than 50 tags.")
    assert len(tags(sagemaker, arn)) == 50


def test_lifecycle_configurations_have_tags_for_terraform(sagemaker: BaseClient) -> None:
    made = sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="l", Tags=[{"Key": "a", "Value": "b"}]
    )
    assert tags(sagemaker, made["NotebookInstanceLifecycleConfigArn"]) == {"a": "b"}


@pytest.mark.parametrize("arn", [f"{PREFIX}:model/none", f"{PREFIX}:odd/x/y/z", PREFIX + ":x"])
def test_unknown_arns_have_no_tags(sagemaker: BaseClient, arn: str) -> None:
    said = refusal(sagemaker.list_tags, ResourceArn=arn)
    assert said == ("ValidationException", f"Could not find a resource with the ARN {arn}.")
    assert refusal(sagemaker.add_tags, ResourceArn=arn, Tags=[])[0] == "ValidationException"
    assert (
        refusal(sagemaker.delete_tags, ResourceArn=arn, TagKeys=["a"])[0] == "ValidationException"
    )


def test_the_tagging_api_and_search_find_models_and_packages(client: Any, sagemaker: Any) -> None:
    arn = create(sagemaker, Tags=[{"Key": "team", "Value": "a"}])
    found = client("resourcegroupstaggingapi").get_resources(
        ResourceTypeFilters=["sagemaker:model"]
    )
    assert [each["ResourceARN"] for each in found["ResourceTagMappingList"]] == [arn]


# --- the form of answers --------------------------------------------------------------------------


def test_only_structures_that_can_be_spared_are_left_out() -> None:
    answer: Request = {
        "ModelPackageName": None,
        "MetadataProperties": {},
        "ModelPackageStatusDetails": {},
        "CustomerMetadataProperties": {},
        "AdditionalInferenceSpecifications": [],
        "ModelMetrics": {"Bias": {"Report": None}, "ModelQuality": None},
    }
    assert without_empty(answer, output_of("DescribeModelPackage")) == {
        "ModelPackageName": None,
        "ModelPackageStatusDetails": {},
        "CustomerMetadataProperties": {},
        "AdditionalInferenceSpecifications": [],
    }


def test_an_operation_that_does_not_exist_has_no_answer() -> None:
    assert output_of("DescribeNothing") is None


# --- templates, and over HTTP ---------------------------------------------------------------------


def test_a_stack_makes_a_model_of_its_name(sagemaker: BaseClient, client: Any) -> None:
    model = {"ModelName": "of-a-stack", "ExecutionRoleArn": ROLE, "PrimaryContainer": CONTAINER}
    template = {"Resources": {"Model": {"Type": "AWS::SageMaker::Model", "Properties": model}}}
    stacks = client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=json.dumps(template))
    assert sagemaker.describe_model(ModelName="of-a-stack")["PrimaryContainer"]["Image"] == IMAGE
    stacks.delete_stack(StackName="s")
    assert names(sagemaker) == []


def test_over_http(lab_server: str) -> None:
    options = {"endpoint_url": lab_server, "region_name": REGION}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sagemaker = boto3.client("sagemaker", **options, **keys)
    container = {"Image": IMAGE}
    arn = create(sagemaker, PrimaryContainer=container, Tags=[{"Key": "a", "Value": "b"}])
    assert refusal(create, sagemaker, PrimaryContainer=container)[0] == "ValidationException"
    assert "VpcConfig" not in sagemaker.describe_model(ModelName="shop")
    assert names(sagemaker, NameContains="shop") == ["shop"]
    assert tags(sagemaker, arn) == {"a": "b"}
    assert refusal(sagemaker.list_tags, ResourceArn=arn + "x")[0] == "ValidationException"
    sagemaker.delete_model(ModelName="shop")
    assert names(sagemaker) == []
