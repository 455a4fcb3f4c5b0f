"""What bare moto does with models, the registry, notebooks, Studio, experiments, monitors."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends

from contracts.gaps import gap

REGION = "ap-northeast-1"
PREFIX = f"arn:aws:sagemaker:{REGION}:{DEFAULT_ACCOUNT_ID}"
ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/any"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://nowhere/model.tar.gz"}
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
ENDPOINT = {"EndpointName": "shop", "LocalPath": "/opt/ml/processing/input"}
BATCH = {
    "DataCapturedDestinationS3Uri": "s3://bucket/captured",
    "DatasetFormat": {"Csv": {"Header": True}},
    "LocalPath": "/opt/ml/processing/input",
}
LABELS = {"GroundTruthS3Input": {"S3Uri": "s3://bucket/labels"}}

Request = dict[str, Any]


@pytest.fixture
def sagemaker(bare_moto: None) -> BaseClient:
    return boto3.client("sagemaker")


def backend() -> SageMakerModelBackend:
    return sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def stack(kind: str, **properties: Any) -> None:
    made = {"Type": f"AWS::SageMaker::{kind}", "Properties": properties}
    body = json.dumps({"Resources": {"Made": made}})
    boto3.client("cloudformation").create_stack(StackName="stack", TemplateBody=body)


# --- models ---------------------------------------------------------------------------------------


def model(sagemaker: BaseClient, name: str = "shop", **changed: Any) -> Request:
    request = {"ModelName": name, "PrimaryContainer": CONTAINER, "ExecutionRoleArn": ROLE}
    sagemaker.create_model(**request | changed)
    told = sagemaker.describe_model(ModelName=name)
    assert isinstance(told, dict)
    return told


@gap("sagemaker:CreateModel", "replaces a model of the same name")
def test_a_model_is_replaced(sagemaker: BaseClient) -> None:
    model(sagemaker)
    told = model(sagemaker, PrimaryContainer={"Image": "other"})
    assert told["PrimaryContainer"] == {"Image": "other"}


@gap("sagemaker:CreateModel", "drops `EnableNetworkIsolation`")
@gap("sagemaker:CreateModel", "takes model packages and data that do not exist")
@gap("sagemaker:DescribeModel", "leaves `Mode` out")
@gap("sagemaker:DescribeModel", "answers an empty list of `Containers`")
@gap("sagemaker:answers", "answers `{}` where AWS leaves a structure out")
def test_what_a_model_loses(sagemaker: BaseClient) -> None:
    told = model(sagemaker, EnableNetworkIsolation=True)
    assert told["EnableNetworkIsolation"] is False
    assert told["PrimaryContainer"] == CONTAINER
    assert (told["Containers"], told["VpcConfig"]) == ([], {})
    assert model(sagemaker, "other", PrimaryContainer={"ModelPackageName": "none"})


@gap("sagemaker:answers", "which the Python SDK refuses to read")
def test_an_empty_network_is_none_for_the_sdk() -> None:
    import pydantic

    class VpcConfig(pydantic.BaseModel):  # as in sagemaker.core.shapes, whose import takes long
        security_group_ids: list[str]
        subnets: list[str]

    with pytest.raises(pydantic.ValidationError, match="2 validation errors"):
        VpcConfig.model_validate({})


@gap("sagemaker:CreateModel", "takes a model without any container")
def test_a_model_of_nothing(sagemaker: BaseClient) -> None:
    sagemaker.create_model(ModelName="empty", ExecutionRoleArn=ROLE)
    assert [each["ModelName"] for each in sagemaker.list_models()["Models"]] == ["empty"]


@gap("sagemaker:DeleteModel", "names a missing model without its ARN")
def test_the_message_about_a_missing_model(sagemaker: BaseClient) -> None:
    with pytest.raises(ClientError, match='Could not find model "none"'):
        sagemaker.delete_model(ModelName="none")


@gap("sagemaker:ListModels", "ignores filters", "ignores `SortBy`", "ignores `MaxResults`")
def test_models_are_listed_as_they_come(sagemaker: BaseClient) -> None:
    for name in ("b", "a"):
        model(sagemaker, name)
    listed = sagemaker.list_models(NameContains="x", SortBy="Name", MaxResults=1)["Models"]
    assert [each["ModelName"] for each in listed] == ["b", "a"]


@gap("cloudformation:AWS::SageMaker::Model", "ignores `ModelName` and `EnableNetworkIsolation`")
def test_a_stack_names_its_model_itself(sagemaker: BaseClient) -> None:
    properties = {"ModelName": "shop", "EnableNetworkIsolation": True, "ExecutionRoleArn": ROLE}
    stack("Model", **properties, PrimaryContainer=CONTAINER)
    [made] = sagemaker.list_models()["Models"]
    assert made["ModelName"].startswith("stack-Made-")
    assert sagemaker.describe_model(ModelName=made["ModelName"])["EnableNetworkIsolation"] is False


@gap("sagemaker:instance types", "refuses those that its own old lists lack")
def test_new_instance_types_are_refused(sagemaker: BaseClient) -> None:
    variant = {"VariantName": "A", "ModelName": "shop", "InitialInstanceCount": 1}
    more: Request = {"Name": "s", "Containers": [{"Image": IMAGE}]}
    group: Request = {"InstanceCount": 1, "InstanceGroupName": "g", "ExecutionRole": ROLE}
    group |= {"LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-x/y", "OnCreate": "z.sh"}}
    model(sagemaker)
    requests: list[tuple[Callable[..., Any], Request]] = [
        (
            sagemaker.create_endpoint_config,
            {
                "EndpointConfigName": "c",
                "ProductionVariants": [variant | {"InstanceType": "ml.m7i.large"}],
            },
        ),
        (
            sagemaker.create_notebook_instance,
            {"NotebookInstanceName": "n", "InstanceType": "ml.g5.xlarge", "RoleArn": ROLE},
        ),
        (
            sagemaker.create_cluster,
            {"ClusterName": "c", "InstanceGroups": [group | {"InstanceType": "ml.p5e.48xlarge"}]},
        ),
    ]
    for member, kind in (
        ("SupportedTransformInstanceTypes", "ml.m6i.xlarge"),
        ("SupportedRealtimeInferenceInstanceTypes", "ml.g6.xlarge"),
    ):
        specifications = {"AdditionalInferenceSpecifications": [more | {member: [kind]}]}
        package = {"ModelPackageName": "p"} | specifications
        requests.append((sagemaker.create_model_package, package))
    for call, request in requests:
        assert code_of(call, **request) == "ValidationException"


# --- tags -----------------------------------------------------------------------------------------


@gap(
    "sagemaker:AddTags`, `DeleteTags`, `ListTags",
    "crashes at an ARN that it does not know, as of a lifecycle configuration",
)
def test_tags_of_unknown_arns_are_a_crash(sagemaker: BaseClient) -> None:
    made = sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="l"
    )
    for arn in (made["NotebookInstanceLifecycleConfigArn"], f"{PREFIX}:model-package/g/1"):
        with pytest.raises((AttributeError, ValueError)):
            sagemaker.list_tags(ResourceArn=arn)


@gap("sagemaker:AddTags", "keeps two tags with the same key")
def test_a_tag_is_there_twice(sagemaker: BaseClient) -> None:
    arn = model(sagemaker, Tags=[{"Key": "a", "Value": "1"}])["ModelArn"]
    tags = sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])["Tags"]
    assert [tag["Key"] for tag in tags] == ["a", "a"]


# --- the registry ---------------------------------------------------------------------------------


def package(sagemaker: BaseClient, **changed: Any) -> str:
    request = {"ModelPackageGroupName": "Churn"} | changed
    given = {member: value for member, value in request.items() if value is not None}
    return str(sagemaker.create_model_package(**given)["ModelPackageArn"])


@pytest.fixture
def group(sagemaker: BaseClient) -> BaseClient:
    sagemaker.create_model_package_group(ModelPackageGroupName="Churn")
    return sagemaker


@gap("sagemaker:CreateModelPackageGroup", "replaces a group of the same name")
@gap("sagemaker:DescribeModelPackageGroup", "takes no ARN")
@gap("sagemaker:ListModelPackageGroups", "ignores `CrossAccountFilterOption`")
def test_groups(group: BaseClient) -> None:
    made = group.create_model_package_group(ModelPackageGroupName="Churn")
    arn = made["ModelPackageGroupArn"]
    assert code_of(group.describe_model_package_group, ModelPackageGroupName=arn)
    listed = group.list_model_package_groups(CrossAccountFilterOption="CrossAccount")
    assert len(listed["ModelPackageGroupSummaryList"]) == 1


@gap("sagemaker:ListModelPackageGroups", "shows 100 without `MaxResults`")
@gap("sagemaker:ListDomains", "shows 100 without `MaxResults`")
@gap("sagemaker:ListExperiments", "shows 100 without `MaxResults`", "lists the oldest first")
@gap("sagemaker:ListTrials", "shows 100 without `MaxResults`", "lists the oldest first")
@gap("sagemaker:ListTrialComponents", "shows 100 without `MaxResults`", "lists the oldest first")
def test_long_lists(sagemaker: BaseClient) -> None:
    settings = {"AuthMode": "IAM", "DefaultUserSettings": {}}
    for number in range(12):
        name = f"n{number:02}"
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
        sagemaker.create_domain(DomainName=name, **settings)
        sagemaker.create_experiment(ExperimentName=name)
        sagemaker.create_trial(TrialName=name, ExperimentName=name)
        sagemaker.create_trial_component(TrialComponentName=name)
    assert len(sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]) == 12
    assert len(sagemaker.list_domains()["Domains"]) == 12
    for call, kind in (
        (sagemaker.list_experiments, "Experiment"),
        (sagemaker.list_trials, "Trial"),
        (sagemaker.list_trial_components, "TrialComponent"),
    ):
        names = [each[f"{kind}Name"] for each in call()[f"{kind}Summaries"]]
        assert names == [f"n{number:02}" for number in range(12)]


@gap(
    "sagemaker:CreateModelPackage",
    "drops `ModelLifeCycle`, `SourceUri`, `SkipModelValidation` and other members",
    "leaves `ModelApprovalStatus` empty",
    "writes ARNs in small letters",
)
def test_what_a_package_loses(group: BaseClient) -> None:
    life = {"Stage": "Development", "StageStatus": "InProgress"}
    arn = package(group, ModelLifeCycle=life, SourceUri="s3://b/k", SkipModelValidation="All")
    assert arn.endswith(":model-package/churn/1")
    told = group.describe_model_package(ModelPackageName=arn)
    lost = {"ModelLifeCycle", "SourceUri", "SkipModelValidation", "ModelApprovalStatus"}
    assert not lost & told.keys()


@gap("sagemaker:CreateModelPackage", "uses the number of a deleted version again")
def test_numbers_are_counted_anew(group: BaseClient) -> None:
    package(group)
    second = package(group)
    backend().model_packages.pop(second)
    assert package(group) == second


@gap("sagemaker:CreateModelPackage", "replaces an unversioned package of the same name")
def test_an_unversioned_package_is_replaced(sagemaker: BaseClient) -> None:
    alone = {"ModelPackageGroupName": None, "ModelPackageName": "alone"}
    assert package(sagemaker, **alone) == package(sagemaker, **alone)


@gap("sagemaker:CreateModelPackage", "takes no ARN of a group")
def test_a_group_is_known_by_its_name_only(group: BaseClient) -> None:
    arn = f"{PREFIX}:model-package-group/Churn"
    assert code_of(package, sagemaker=group, ModelPackageGroupName=arn)


@gap("sagemaker:DescribeModelPackage", "finds no package of another account")
def test_packages_stay_in_their_account(group: BaseClient) -> None:
    arn = package(group)
    role = "arn:aws:iam::444455556666:role/reader"
    assume = boto3.client("sts").assume_role
    keys = assume(RoleArn=role, RoleSessionName="session")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    there = session.client("sagemaker")
    assert code_of(there.describe_model_package, ModelPackageName=arn) == "ValidationException"


@gap(
    "sagemaker:UpdateModelPackage",
    "forgets `ApprovalDescription` and `CustomerMetadataProperties` that the request leaves out",
    "drops `ModelLifeCycle`, `SourceUri` and other members",
)
def test_what_an_update_loses(group: BaseClient) -> None:
    arn = package(group, CustomerMetadataProperties={"auc": "1"})
    life = {"Stage": "Development", "StageStatus": "InProgress"}
    group.update_model_package(ModelPackageArn=arn, ApprovalDescription="good")
    group.update_model_package(ModelPackageArn=arn, ModelLifeCycle=life, SourceUri="s3://b/k")
    told = group.describe_model_package(ModelPackageName=arn)
    lost = {"ApprovalDescription", "CustomerMetadataProperties", "ModelLifeCycle", "SourceUri"}
    assert not lost & told.keys()


@gap(
    "sagemaker:UpdateModelPackage",
    "crashes when properties are to be removed that were never there",
)
def test_a_property_that_was_never_there(group: BaseClient) -> None:
    arn = package(group)
    with pytest.raises(AttributeError):
        group.update_model_package(ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["x"])


@gap("sagemaker:ListModelPackages", "answers an empty list for a group that does not exist")
def test_versions_of_nothing(sagemaker: BaseClient) -> None:
    listed = sagemaker.list_model_packages(ModelPackageGroupName="none")
    assert listed["ModelPackageSummaryList"] == []


# --- notebook instances ---------------------------------------------------------------------------


def notebook(sagemaker: BaseClient, name: str = "n", **changed: Any) -> Request:
    request = {"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": ROLE}
    sagemaker.create_notebook_instance(**request | changed)
    told = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert isinstance(told, dict)
    return told


@gap(
    "sagemaker:CreateNotebookInstance",
    "starts in no time",
    "drops `PlatformIdentifier`, `IpAddressType` and `InstanceMetadataServiceConfiguration`",
    "takes lifecycle configurations that do not exist",
)
@gap(
    "sagemaker:DescribeNotebookInstance",
    "leaves out `PlatformIdentifier` and `InstanceMetadataServiceConfiguration`",
)
def test_what_an_instance_loses(sagemaker: BaseClient) -> None:
    lost: Request = {
        "PlatformIdentifier": "notebook-al2023-v1",
        "IpAddressType": "dualstack",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
    }
    told = notebook(sagemaker, LifecycleConfigName="none", **lost)
    assert told["NotebookInstanceStatus"] == "InService"
    assert not lost.keys() & told.keys()


@gap("sagemaker:ListNotebookInstances", "ignores filters by time and by what an instance uses")
def test_filters_of_instances(sagemaker: BaseClient) -> None:
    made = notebook(sagemaker)["CreationTime"]
    for params in (
        {"CreationTimeBefore": made},
        {"NotebookInstanceLifecycleConfigNameContains": "x"},
    ):
        assert len(sagemaker.list_notebook_instances(**params)["NotebookInstances"]) == 1


@gap("sagemaker:StartNotebookInstance", "starts in no time", "starts an instance that runs")
@gap("sagemaker:StopNotebookInstance", "stops in no time", "stops an instance that does not run")
@gap("sagemaker:DeleteNotebookInstance", "deletes in no time")
def test_states_of_instances(sagemaker: BaseClient) -> None:
    def status() -> str:
        told = sagemaker.describe_notebook_instance(**name)
        return str(told["NotebookInstanceStatus"])

    notebook(sagemaker)
    name = {"NotebookInstanceName": "n"}
    sagemaker.start_notebook_instance(**name)
    assert status() == "InService"
    for _ in range(2):
        sagemaker.stop_notebook_instance(**name)
        assert status() == "Stopped"
    sagemaker.start_notebook_instance(**name)
    assert status() == "InService"
    sagemaker.stop_notebook_instance(**name)
    sagemaker.delete_notebook_instance(**name)
    assert sagemaker.list_notebook_instances()["NotebookInstances"] == []


@gap("sagemaker:CreateNotebookInstanceLifecycleConfig", "drops `Tags`")
@gap("sagemaker:DeleteNotebookInstanceLifecycleConfig", "deletes a configuration that an instance")
@gap("sagemaker:DescribeNotebookInstanceLifecycleConfig", "gives a time that is not the lab's")
def test_lifecycle_configurations(sagemaker: BaseClient) -> None:
    name = {"NotebookInstanceLifecycleConfigName": "l"}
    CLOCK.run(0)
    try:
        CLOCK.advance(86_400)
        sagemaker.create_notebook_instance_lifecycle_config(
            **name, Tags=[{"Key": "a", "Value": ""}]
        )
        told = sagemaker.describe_notebook_instance_lifecycle_config(**name)
        assert (CLOCK.now() - told["CreationTime"]).total_seconds() > 80_000
    finally:
        CLOCK.run(None)
    assert not hasattr(backend().notebook_instance_lifecycle_configurations["l"], "tags")
    notebook(sagemaker, LifecycleConfigName="l")
    sagemaker.delete_notebook_instance_lifecycle_config(**name)


@gap("cloudformation:AWS::SageMaker::NotebookInstance", "has no states to leave")
@gap(
    "cloudformation:AWS::SageMaker::NotebookInstance",
    "ignores `NotebookInstanceName` and `PlatformIdentifier`",
)
def test_a_stack_names_its_instance_itself(sagemaker: BaseClient) -> None:
    properties = {"NotebookInstanceName": "n", "PlatformIdentifier": "notebook-al2-v3"}
    stack("NotebookInstance", **properties, InstanceType="ml.t3.medium", RoleArn=ROLE)
    [made] = backend().notebook_instances.values()
    assert made.notebook_instance_name.startswith("stack-Made-")
    assert not hasattr(made, "course")
    assert "PlatformIdentifier" not in made.to_dict()


@gap("cloudformation:AWS::SageMaker::NotebookInstanceLifecycleConfig", "ignores its name")
def test_a_stack_names_its_scripts_itself(sagemaker: BaseClient) -> None:
    stack("NotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="l")
    [name] = backend().notebook_instance_lifecycle_configurations
    assert name.startswith("stack-Made-")


# --- Studio ---------------------------------------------------------------------------------------


@gap("sagemaker:CreateDomain", "makes the identifier from the name", "answers no `DomainId`")
@gap("sagemaker:CreateDomain", "replaces a domain of the same name")
@gap("sagemaker:DescribeDomain", "answers `ValidationException` if there is none")
@gap("sagemaker:DeleteDomain", "deletes in no time")
def test_domains(sagemaker: BaseClient) -> None:
    domain = {"DomainName": "team", "AuthMode": "IAM", "DefaultUserSettings": {}}
    for _ in range(2):
        made = sagemaker.create_domain(**domain)
        assert "DomainId" not in made and made["DomainArn"].endswith("/d-team")
    assert len(sagemaker.list_domains()["Domains"]) == 1
    sagemaker.delete_domain(DomainId="d-team")
    assert code_of(sagemaker.describe_domain, DomainId="d-team") == "ValidationException"


# --- experiments ----------------------------------------------------------------------------------


@pytest.fixture
def experiment(sagemaker: BaseClient) -> BaseClient:
    """The experiment `churn`, its trial `first`, and the component `train` of it."""
    sagemaker.create_experiment(ExperimentName="churn")
    sagemaker.create_trial(TrialName="first", ExperimentName="churn")
    sagemaker.create_trial_component(
        TrialComponentName="train", Parameters={"a": {"NumberValue": 1.0}}
    )
    sagemaker.associate_trial_component(TrialName="first", TrialComponentName="train")
    return sagemaker


@gap("sagemaker:CreateExperiment", "replaces an experiment of the same name")
@gap("sagemaker:CreateExperiment", "drops `Description` and `Tags`")
@gap("sagemaker:CreateTrial", "replaces a trial of the same name")
@gap("sagemaker:CreateTrial", "takes an experiment that does not exist")
@gap("sagemaker:CreateTrialComponent", "replaces a component of the same name", "drops `Tags`")
def test_names_are_given_twice(experiment: BaseClient) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    made = experiment.create_experiment(ExperimentName="churn", Description="d", Tags=tags)
    told = experiment.describe_experiment(ExperimentName="churn")
    assert "Description" not in told
    assert experiment.list_tags(ResourceArn=made["ExperimentArn"])["Tags"] == []
    experiment.create_trial(TrialName="first", ExperimentName="none")
    assert experiment.describe_trial(TrialName="first")["ExperimentName"] == "none"
    made = experiment.create_trial_component(TrialComponentName="train", Tags=tags)
    assert experiment.list_tags(ResourceArn=made["TrialComponentArn"])["Tags"] == []


@gap("sagemaker:DescribeExperiment", "crashes if there is none")
@gap("sagemaker:AssociateTrialComponent", "crashes if there is no such component")
def test_what_is_missing_is_a_crash(experiment: BaseClient) -> None:
    with pytest.raises(KeyError):
        experiment.describe_experiment(ExperimentName="none")
    with pytest.raises(KeyError):
        experiment.associate_trial_component(TrialName="first", TrialComponentName="none")


@gap("sagemaker:DescribeTrial", "answers `ValidationException` if there is none")
@gap("sagemaker:DescribeTrialComponent", "answers `ValidationException` if there is none")
@gap("sagemaker:DisassociateTrialComponent", "takes trials and components that do not exist")
@gap("sagemaker:ListTrials", "answers an empty list for an experiment that does not exist")
def test_what_is_missing_is_answered(sagemaker: BaseClient) -> None:
    assert code_of(sagemaker.describe_trial, TrialName="x") == "ValidationException"
    code = code_of(sagemaker.describe_trial_component, TrialComponentName="x")
    assert code == "ValidationException"
    sagemaker.disassociate_trial_component(TrialName="x", TrialComponentName="x")
    assert sagemaker.list_trials(ExperimentName="x")["TrialSummaries"] == []


@gap("sagemaker:DeleteExperiment", "deletes an experiment that has trials")
@gap("sagemaker:DeleteTrial", "deletes a trial that has components")
@gap("sagemaker:DeleteTrialComponent", "deletes a component that a trial has")
def test_any_order_of_deletion(experiment: BaseClient) -> None:
    experiment.delete_experiment(ExperimentName="churn")
    experiment.delete_trial_component(TrialComponentName="train")
    experiment.delete_trial(TrialName="first")
    assert experiment.list_trials()["TrialSummaries"] == []


@gap("sagemaker:UpdateTrialComponent", "forgets parameters that the request leaves out")
@gap("sagemaker:UpdateTrialComponent", "crashes when something is to be removed that was never")
def test_an_update_of_a_component(experiment: BaseClient) -> None:
    update = experiment.update_trial_component
    update(TrialComponentName="train", Parameters={"b": {"NumberValue": 2.0}})
    told = experiment.describe_trial_component(TrialComponentName="train")
    assert set(told["Parameters"]) == {"b"}
    with pytest.raises(KeyError):
        update(TrialComponentName="train", ParametersToRemove=["never"])


@gap("sagemaker:ListExperiments", "ignores filters")
@gap("sagemaker:ListTrialComponents", "ignores `ExperimentName`")
@gap("sagemaker:AssociateTrialComponent", "lists one twice that is associated twice")
def test_filters_of_experiments(experiment: BaseClient) -> None:
    made = experiment.describe_experiment(ExperimentName="churn")["CreationTime"]
    listed = experiment.list_experiments(CreatedBefore=made)
    assert len(listed["ExperimentSummaries"]) == 1
    experiment.create_trial_component(TrialComponentName="alone")
    listed = experiment.list_trial_components(ExperimentName="churn")
    assert len(listed["TrialComponentSummaries"]) == 2
    experiment.associate_trial_component(TrialName="first", TrialComponentName="train")
    assert experiment.describe_trial(TrialName="first") is not None
    assert backend().trials["first"].trial_components == ["train", "train"]


# --- job definitions ------------------------------------------------------------------------------


def define(sagemaker: BaseClient, kind: str, name: str = "d", batch: bool = False) -> None:
    application: Request = {"ImageUri": IMAGE}
    if kind in ("model_bias", "model_explainability"):
        application["ConfigUri"] = "s3://bucket/config.json"
    member = "".join(part.capitalize() for part in kind.split("_"))
    source = {"BatchTransformInput": BATCH} if batch else {"EndpointInput": ENDPOINT}
    labels = LABELS if kind in ("model_bias", "model_quality") else {}
    output = {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/processing/output"}
    getattr(sagemaker, f"create_{kind}_job_definition")(
        **{
            "JobDefinitionName": name,
            "RoleArn": ROLE,
            f"{member}AppSpecification": application,
            f"{member}JobInput": source | labels,
            f"{member}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "JobResources": {"ClusterConfig": CLUSTER},
        }
    )


@gap("sagemaker:CreateDataQualityJobDefinition", "replaces a definition of the same name")
@gap("sagemaker:CreateModelBiasJobDefinition", "replaces a definition of the same name")
def test_definitions_are_replaced(sagemaker: BaseClient) -> None:
    for kind in ("data_quality", "model_bias"):
        define(sagemaker, kind)
        define(sagemaker, kind)


@gap("sagemaker:CreateModelQualityJobDefinition", "crashes without `EndpointInput`")
@gap("sagemaker:CreateModelExplainabilityJobDefinition", "crashes without `EndpointInput`")
def test_definitions_for_a_batch_are_a_crash(sagemaker: BaseClient) -> None:
    for kind in ("model_quality", "model_explainability"):
        with pytest.raises(KeyError):
            define(sagemaker, kind, batch=True)


@gap("sagemaker:ListDataQualityJobDefinitions", "names no endpoint", "ignores filters")
@gap("sagemaker:ListDataQualityJobDefinitions", "lists the oldest first")
@gap("sagemaker:ListModelBiasJobDefinitions", "ignores filters", "lists the oldest first")
@gap("sagemaker:ListModelQualityJobDefinitions", "lists the oldest first")
@gap("sagemaker:ListModelExplainabilityJobDefinitions", "lists the oldest first")
def test_lists_of_definitions(sagemaker: BaseClient) -> None:
    for kind in ("data_quality", "model_bias", "model_quality", "model_explainability"):
        for name in ("b", "a"):
            define(sagemaker, kind, name)
        params = {"NameContains": "x"} if kind in ("data_quality", "model_bias") else {}
        listed = getattr(sagemaker, f"list_{kind}_job_definitions")(**params)
        summaries = listed["JobDefinitionSummaries"]
        assert [each["MonitoringJobDefinitionName"] for each in summaries] == ["b", "a"]
        if kind == "data_quality":
            assert summaries[0]["EndpointName"] == "EndpointName"
