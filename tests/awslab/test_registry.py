"""The model registry: versions, approval, policies for other accounts, events."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "ap-northeast-1"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
GROUP = f"{PREFIX}:model-package-group/churn"
VERSION = f"{PREFIX}:model-package/churn/1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://amzn-s3-demo-bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
READ = ["DescribeModelPackage", "ListModelPackages", "UpdateModelPackage", "CreateModel"]

Request = dict[str, Any]


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient]) -> Iterator[BaseClient]:
    """A client of a lab that has the group `churn`."""
    made = client("sagemaker")
    made.create_model_package_group(
        ModelPackageGroupName="churn",
        ModelPackageGroupDescription="churn models",
        Tags=[{"Key": "team", "Value": "a"}],
    )
    yield made
    CLOCK.run(None)


@pytest.fixture
def neighbor(sagemaker: BaseClient, client: Callable[..., BaseClient]) -> BaseClient:
    """A client of the second account, through the role `reader` there."""
    role = f"arn:aws:iam::{OTHER}:role/reader"
    assumed = client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    keys = (assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])
    return boto3.Session(*keys).client("sagemaker")


def register(sagemaker: BaseClient, **changed: Any) -> str:
    request = {"ModelPackageGroupName": "churn", "InferenceSpecification": SPECIFICATION} | changed
    given = {member: value for member, value in request.items() if value is not None}
    return str(sagemaker.create_model_package(**given)["ModelPackageArn"])


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def versions(sagemaker: BaseClient, **params: Any) -> list[str]:
    params = {"ModelPackageGroupName": "churn"} | params
    shown = sagemaker.list_model_packages(**params)["ModelPackageSummaryList"]
    return [each["ModelPackageArn"].rpartition("/")[2] for each in shown]


def allow(sagemaker: BaseClient, *actions: str, resource: str = "", **changed: Any) -> None:
    """Give the group a policy that lets the second account do these actions."""
    statement: Request = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
        "Action": [f"sagemaker:{action}" for action in actions],
        "Resource": resource or f"{PREFIX}:model-package/churn/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement | changed]}
    sagemaker.put_model_package_group_policy(
        ModelPackageGroupName="churn", ResourcePolicy=json.dumps(policy)
    )


# --- groups ---------------------------------------------------------------------------------------


def test_a_group_is_told_as_it_was_made(sagemaker: BaseClient) -> None:
    for name in ("churn", GROUP):
        told = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
        assert told["ModelPackageGroupArn"] == GROUP
        assert told["ModelPackageGroupDescription"] == "churn models"
        assert told["ModelPackageGroupStatus"] == "Completed"
    tags = sagemaker.list_tags(ResourceArn=GROUP)["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_a_group_is_made_once_and_must_exist(sagemaker: BaseClient) -> None:
    said = refusal(sagemaker.create_model_package_group, ModelPackageGroupName="churn")
    assert said == ("ValidationException", f"Model Package Group already exists: {GROUP}")
    said = refusal(sagemaker.describe_model_package_group, ModelPackageGroupName="none")
    missing = f"ModelPackageGroup {PREFIX}:model-package-group/none does not exist."
    assert said == ("ValidationException", missing)
    wrong = f"{PREFIX}:model/churn"
    said = refusal(sagemaker.describe_model_package_group, ModelPackageGroupName=wrong)
    assert said == ("ValidationException", f"ModelPackageGroup {wrong} does not exist.")


def test_a_group_with_versions_stays(sagemaker: BaseClient) -> None:
    register(sagemaker)
    delete = sagemaker.delete_model_package_group
    code, message = refusal(delete, ModelPackageGroupName="churn")
    assert (code, GROUP in message) == ("ConflictException", True)
    sagemaker.delete_model_package(ModelPackageName=VERSION)
    delete(ModelPackageGroupName="churn")
    assert refusal(delete, ModelPackageGroupName="churn")[0] == "ValidationException"
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_groups_are_listed_the_oldest_first(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    for name in ("b", "a"):
        CLOCK.advance(60)
        sagemaker.create_model_package_group(ModelPackageGroupName=name)

    def names(**params: Any) -> list[str]:
        shown = sagemaker.list_model_package_groups(**params)["ModelPackageGroupSummaryList"]
        return [group["ModelPackageGroupName"] for group in shown]

    assert names() == ["churn", "b", "a"]
    assert names(SortBy="Name") == ["a", "b", "churn"]
    assert names(SortOrder="Descending") == ["a", "b", "churn"]
    assert names(NameContains="hur") == ["churn"]
    assert names(CrossAccountFilterOption="CrossAccount") == []
    assert names(CrossAccountFilterOption="SameAccount", MaxResults=1) == ["churn"]


# --- versions -------------------------------------------------------------------------------------


def test_a_version_waits_for_approval(sagemaker: BaseClient) -> None:
    assert register(sagemaker, CustomerMetadataProperties={"auc": "0.86"}) == VERSION
    told = sagemaker.describe_model_package(ModelPackageName=VERSION)
    assert told["ModelApprovalStatus"] == "PendingManualApproval"
    assert (told["ModelPackageGroupName"], told["ModelPackageVersion"]) == ("churn", 1)
    assert told["ModelPackageStatus"] == "Completed"
    assert told["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert told["InferenceSpecification"] == SPECIFICATION
    assert told["CustomerMetadataProperties"] == {"auc": "0.86"}
    assert not {"ModelPackageName", "LastModifiedTime", "MetadataProperties"} & told.keys()


def test_whatever_a_version_is_made_with_is_told(sagemaker: BaseClient) -> None:
    life = {"Stage": "Development", "StageStatus": "InProgress", "StageDescription": "first"}
    made = {
        "ModelApprovalStatus": "Approved",
        "ModelLifeCycle": life,
        "SourceUri": "s3://amzn-s3-demo-bucket/source",
        "SkipModelValidation": "All",
        "ModelPackageRegistrationType": "Registered",
        "ModelPackageDescription": "one",
    }
    register(sagemaker, **made)
    told = sagemaker.describe_model_package(ModelPackageName=VERSION)
    assert {name: told[name] for name in made} == made


def test_numbers_are_not_used_again(sagemaker: BaseClient) -> None:
    register(sagemaker)
    assert register(sagemaker).endswith("/churn/2")
    sagemaker.delete_model_package(ModelPackageName=f"{PREFIX}:model-package/churn/2")
    assert register(sagemaker).endswith("/churn/3")
    assert versions(sagemaker) == ["1", "3"]


def test_parallel_registrations_get_different_numbers(sagemaker: BaseClient) -> None:
    threads = [threading.Thread(target=register, args=(sagemaker,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions(sagemaker, MaxResults=100), key=int) == [str(n) for n in range(1, 13)]


def test_the_same_request_is_served_once(sagemaker: BaseClient) -> None:
    assert register(sagemaker, ClientToken="once") == register(sagemaker, ClientToken="once")
    assert register(sagemaker, ClientToken="twice").endswith("/2")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"ModelPackageName": "p"},
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot "
            "determine which one to use.",
        ),
        ({"ModelPackageGroupName": None}, "Missing ARN."),
        (
            {"ModelPackageGroupName": "none"},
            f"ModelPackageGroup {PREFIX}:model-package-group/none does not exist.",
        ),
        (
            {"Tags": [{"Key": "a", "Value": "b"}]},
            "Tags cannot be specified for a versioned model package; tag its group instead.",
        ),
        (
            {
                "ModelPackageGroupName": None,
                "ModelPackageName": "p",
                "ModelApprovalStatus": "Approved",
            },
            "ModelApprovalStatus does not apply to an unversioned model package.",
        ),
    ],
)
def test_what_no_package_may_be(sagemaker: BaseClient, changed: Request, message: str) -> None:
    assert refusal(register, sagemaker, **changed) == ("ValidationException", message)
    assert versions(sagemaker) == []


def test_wrong_approval_states_are_refused(client: Any, sagemaker: BaseClient) -> None:
    loose = client("sagemaker", parameter_validation=False)
    code, message = refusal(register, loose, ModelApprovalStatus="PendingApproval")
    assert code == "ValidationException"
    assert message.endswith("[Approved, Rejected, PendingManualApproval]")


def test_unversioned_packages_have_names(sagemaker: BaseClient) -> None:
    alone = {"ModelPackageGroupName": None, "ModelPackageName": "alone"}
    arn = register(sagemaker, **alone, Tags=[{"Key": "a", "Value": "b"}])
    assert arn == f"{PREFIX}:model-package/alone"
    told = sagemaker.describe_model_package(ModelPackageName="alone")
    assert told["ModelPackageName"] == "alone"
    assert "ModelApprovalStatus" not in told
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    said = refusal(register, sagemaker, **alone)
    assert said == ("ValidationException", f"ModelPackage already exists: {arn}")
    sagemaker.delete_model_package(ModelPackageName="alone")
    said = refusal(sagemaker.delete_model_package, ModelPackageName="alone")
    assert said == ("ValidationException", f"ModelPackage {arn} does not exist.")


# --- approval -------------------------------------------------------------------------------------


def test_approval_changes_only_what_it_names(sagemaker: BaseClient) -> None:
    register(sagemaker, CustomerMetadataProperties={"auc": "0.86", "owner": "ana"})
    update = sagemaker.update_model_package
    update(ModelPackageArn=VERSION, ModelApprovalStatus="Approved", ApprovalDescription="AUC 0.86")
    update(
        ModelPackageArn=VERSION,
        CustomerMetadataProperties={"auc": "0.87"},
        CustomerMetadataPropertiesToRemove=["owner", "none"],
        ModelLifeCycle={"Stage": "Production", "StageStatus": "Completed"},
    )
    told = sagemaker.describe_model_package(ModelPackageName=VERSION)
    assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Approved", "AUC 0.86")
    assert told["CustomerMetadataProperties"] == {"auc": "0.87"}
    assert told["ModelLifeCycle"] == {"Stage": "Production", "StageStatus": "Completed"}
    assert told["LastModifiedTime"] >= told["CreationTime"]


def test_fifty_properties_and_fifteen_specifications_are_the_most(sagemaker: BaseClient) -> None:
    register(sagemaker, CustomerMetadataProperties={str(number): "x" for number in range(50)})
    update = sagemaker.update_model_package
    said = refusal(update, ModelPackageArn=VERSION, CustomerMetadataProperties={"more": "x"})
    message = "CustomerMetadataProperties cannot have more than 50 entries."
    assert said == ("ValidationException", message)
    specifications = [
        {"Name": f"s{n}", "Containers": SPECIFICATION["Containers"]} for n in range(10)
    ]
    update(ModelPackageArn=VERSION, AdditionalInferenceSpecificationsToAdd=specifications)
    code, _ = refusal(
        update, ModelPackageArn=VERSION, AdditionalInferenceSpecificationsToAdd=specifications
    )
    assert code == "ValidationException"
    told = sagemaker.describe_model_package(ModelPackageName=VERSION)
    assert len(told["AdditionalInferenceSpecifications"]) == 10


def test_only_an_approved_version_becomes_a_model(sagemaker: BaseClient) -> None:
    register(sagemaker)
    model = {
        "ModelName": "churn-1",
        "PrimaryContainer": {"ModelPackageName": VERSION},
        "ExecutionRoleArn": ROLE,
    }
    code, message = refusal(sagemaker.create_model, **model)
    assert code == "ValidationException"
    assert VERSION in message and "PendingManualApproval" in message
    sagemaker.update_model_package(ModelPackageArn=VERSION, ModelApprovalStatus="Approved")
    sagemaker.create_model(**model)
    told = sagemaker.describe_model(ModelName="churn-1")
    assert told["PrimaryContainer"]["ModelPackageName"] == VERSION


def test_each_new_state_is_an_event(sagemaker: BaseClient, client: Any) -> None:
    sqs, events = client("sqs"), client("events")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["churn"], "ModelApprovalStatus": ["Approved"]},
    }
    events.put_rule(Name="approved", EventPattern=json.dumps(pattern))
    target = {"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
    events.put_targets(Rule="approved", Targets=[target])
    register(sagemaker)
    update = sagemaker.update_model_package
    update(ModelPackageArn=VERSION, ModelApprovalStatus="Approved")
    update(ModelPackageArn=VERSION, ApprovalDescription="again")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    (event,) = [json.loads(message["Body"]) for message in messages]
    assert event["resources"] == [VERSION]
    assert event["detail"]["ModelPackageArn"] == VERSION
    assert event["detail"]["ModelApprovalStatus"] == "Approved"
    assert event["detail"]["ModelPackageVersion"] == 1


# --- lists ----------------------------------------------------------------------------------------


def test_lists_of_versions(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    for status in ("Approved", "Rejected", "Approved"):
        register(sagemaker, ModelApprovalStatus=status)
        CLOCK.advance(60)
    register(sagemaker, ModelPackageGroupName=None, ModelPackageName="alone")
    assert versions(sagemaker) == ["1", "2", "3"]
    assert versions(sagemaker, ModelPackageGroupName=GROUP) == ["1", "2", "3"]
    assert versions(sagemaker, SortOrder="Descending") == ["3", "2", "1"]
    assert versions(sagemaker, ModelApprovalStatus="Approved") == ["1", "3"]
    assert versions(sagemaker, SortBy="Name", SortOrder="Descending", MaxResults=1) == ["3"]
    code, message = refusal(sagemaker.list_model_packages, ModelPackageGroupName="none")
    assert code == "ValidationException" and "does not exist" in message


def test_without_a_group_only_unversioned_packages_are_listed(sagemaker: BaseClient) -> None:
    register(sagemaker)
    register(sagemaker, ModelPackageGroupName=None, ModelPackageName="alone")

    def listed(**params: Any) -> list[str]:
        shown = sagemaker.list_model_packages(**params)["ModelPackageSummaryList"]
        return [each["ModelPackageArn"].partition("model-package/")[2] for each in shown]

    assert listed() == ["alone"]
    assert listed(ModelPackageType="Versioned") == ["churn/1"]
    assert listed(ModelPackageType="Both") == ["churn/1", "alone"]
    assert listed(NameContains="lon") == ["alone"]


def test_search_finds_packages(sagemaker: BaseClient) -> None:
    register(sagemaker, ModelApprovalStatus="Approved")
    register(sagemaker)
    wanted = {"Name": "ModelApprovalStatus", "Operator": "Equals", "Value": "Approved"}
    for resource, filters, arns in (
        ("ModelPackage", [wanted], [VERSION]),
        ("ModelPackageGroup", [], [GROUP]),
    ):
        search = {"Filters": filters} if filters else {}
        found = sagemaker.search(Resource=resource, SearchExpression=search)["Results"]
        assert [each[resource][f"{resource}Arn"] for each in found] == arns


# --- policies, and other accounts -----------------------------------------------------------------


def test_a_policy_is_kept_and_forgotten(sagemaker: BaseClient) -> None:
    get = sagemaker.get_model_package_group_policy
    none = ("ValidationException", f"Cannot find resource policy for: {GROUP}")
    assert refusal(get, ModelPackageGroupName="churn") == none
    allow(sagemaker, "DescribeModelPackage")
    policy = json.loads(get(ModelPackageGroupName="churn")["ResourcePolicy"])
    assert policy["Statement"][0]["Action"] == ["sagemaker:DescribeModelPackage"]
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName="churn")
    assert refusal(get, ModelPackageGroupName="churn") == none
    delete = sagemaker.delete_model_package_group_policy
    assert refusal(delete, ModelPackageGroupName="churn") == none
    missing = f"Cannot find Model Package Group: {PREFIX}:model-package-group/none"
    assert refusal(get, ModelPackageGroupName="none") == ("ValidationException", missing)


@pytest.mark.parametrize(
    "policy",
    [
        "no policy",
        "[]",
        "{}",
        '{"Statement": []}',
        '{"Statement": [5]}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
        '{"Statement": {"Effect": "May", "Principal": "*", "Action": "*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": [5], "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}',
        '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", '
        '"Condition": {"Bool": {"a": []}}}}',
    ],
)
def test_what_is_no_policy_is_refused(sagemaker: BaseClient, policy: str) -> None:
    put = sagemaker.put_model_package_group_policy
    code, message = refusal(put, ModelPackageGroupName="churn", ResourcePolicy=policy)
    assert (code, message[:25]) == ("ValidationException", "Invalid resource policy: ")


def attempts(neighbor: BaseClient) -> dict[str, Callable[[], Any]]:
    """Each call by which another account may use the group; the model is made in its own."""
    own_role = f"arn:aws:iam::{OTHER}:role/SageMakerExecutionRole"
    container = {"ModelPackageName": VERSION}
    return {
        "DescribeModelPackageGroup": lambda: neighbor.describe_model_package_group(
            ModelPackageGroupName=GROUP
        ),
        "DescribeModelPackage": lambda: neighbor.describe_model_package(ModelPackageName=VERSION),
        "ListModelPackages": lambda: neighbor.list_model_packages(ModelPackageGroupName=GROUP),
        "UpdateModelPackage": lambda: neighbor.update_model_package(
            ModelPackageArn=VERSION, ModelApprovalStatus="Approved"
        ),
        "CreateModel": lambda: neighbor.create_model(
            ModelName="m", PrimaryContainer=container, ExecutionRoleArn=own_role
        ),
        "DeleteModelPackage": lambda: neighbor.delete_model_package(ModelPackageName=VERSION),
    }


def test_without_a_policy_other_accounts_stay_outside(
    sagemaker: BaseClient, neighbor: BaseClient
) -> None:
    register(sagemaker)
    for action, attempt in attempts(neighbor).items():
        code, message = refusal(attempt)
        assert code == "AccessDeniedException"
        who = f"User: arn:aws:sts::{OTHER}:assumed-role/reader/session is not authorized to "
        assert message.startswith(f"{who}perform: sagemaker:{action} on resource: {PREFIX}:")
        why = f"because no resource-based policy allows the sagemaker:{action} action"
        assert message.endswith(why)


@pytest.mark.parametrize("allowed", READ)
def test_a_policy_opens_what_it_names_and_no_more(
    sagemaker: BaseClient, neighbor: BaseClient, allowed: str
) -> None:
    register(sagemaker, ModelApprovalStatus="Approved")
    allow(sagemaker, allowed)
    for action, attempt in attempts(neighbor).items():
        if action == allowed:
            attempt()
        else:
            assert refusal(attempt)[0] == "AccessDeniedException"


def test_the_group_itself_has_an_arn_of_its_own(
    sagemaker: BaseClient, neighbor: BaseClient
) -> None:
    allow(sagemaker, "DescribeModelPackageGroup", resource=GROUP)
    attempts(neighbor)["DescribeModelPackageGroup"]()
    allow(sagemaker, "DescribeModelPackageGroup")
    assert refusal(attempts(neighbor)["DescribeModelPackageGroup"])[0] == "AccessDeniedException"


def test_another_account_may_register_into_a_central_group(
    sagemaker: BaseClient, neighbor: BaseClient
) -> None:
    assert refusal(register, neighbor, ModelPackageGroupName=GROUP)[0] == "AccessDeniedException"
    allow(sagemaker, "CreateModelPackage", resource=GROUP)
    assert register(neighbor, ModelPackageGroupName=GROUP) == VERSION
    assert versions(sagemaker) == ["1"]


@pytest.mark.parametrize(
    ("principal", "enters"),
    [
        ("*", True),
        ({"AWS": OTHER}, True),
        ({"AWS": f"arn:aws:iam::{OTHER}:role/reader"}, True),
        ({"AWS": f"arn:aws:iam::{OTHER}:role/writer"}, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False),
    ],
)
def test_whom_a_policy_names(
    sagemaker: BaseClient, neighbor: BaseClient, principal: Any, enters: bool
) -> None:
    register(sagemaker)
    allow(sagemaker, "DescribeModelPackage", Principal=principal)
    attempt = attempts(neighbor)["DescribeModelPackage"]
    if enters:
        assert attempt()["ModelPackageVersion"] == 1
    else:
        assert refusal(attempt)[0] == "AccessDeniedException"


def test_a_deny_wins_and_what_cannot_be_judged_is_said(
    sagemaker: BaseClient, neighbor: BaseClient
) -> None:
    register(sagemaker)
    allow(sagemaker, "DescribeModelPackage", Effect="Deny")
    attempt = attempts(neighbor)["DescribeModelPackage"]
    code, message = refusal(attempt)
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in a resource-based policy")
    allow(sagemaker, "DescribeModelPackage", Condition={"DateEquals": {"aws:CurrentTime": "x"}})
    code, message = refusal(attempt)
    assert code == "ValidationException" and "The lab cannot judge" in message


def test_its_own_account_needs_no_policy(sagemaker: BaseClient) -> None:
    register(sagemaker)
    allow(sagemaker, "DescribeModelPackage", Effect="Deny")
    assert sagemaker.describe_model_package(ModelPackageName=VERSION)["ModelPackageVersion"] == 1


def test_a_user_of_the_other_account_by_access_key(sagemaker: BaseClient, client: Any) -> None:
    register(sagemaker)
    role = f"arn:aws:iam::{OTHER}:role/admin"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    iam = session.client("iam")
    user = iam.create_user(UserName="mateo")["User"]["Arn"]
    key = iam.create_access_key(UserName="mateo")["AccessKey"]
    mateo = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"]).client("sagemaker")
    allow(sagemaker, "DescribeModelPackage", Principal={"AWS": user})
    assert mateo.describe_model_package(ModelPackageName=VERSION)["ModelPackageVersion"] == 1


@pytest.mark.parametrize("region", ["nowhere-1", ""])
def test_arns_of_no_region_are_of_nothing(sagemaker: BaseClient, region: str) -> None:
    arn = f"arn:aws:sagemaker:{region}:{ACCOUNT}:model-package/churn/1"
    said = refusal(sagemaker.describe_model_package, ModelPackageName=arn)
    assert said == ("ValidationException", f"ModelPackage {arn} does not exist.")


def test_over_http(lab_server: str) -> None:
    options = {"endpoint_url": lab_server, "region_name": REGION}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sagemaker = boto3.client("sagemaker", **options, **keys)
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    register(sagemaker)
    role = f"arn:aws:iam::{OTHER}:role/reader"
    sts = boto3.client("sts", **options, **keys)
    assumed = sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    neighbor = boto3.client(
        "sagemaker",
        **options,
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
    describe = attempts(neighbor)["DescribeModelPackage"]
    assert refusal(describe)[0] == "AccessDeniedException"
    allow(sagemaker, "DescribeModelPackage")
    assert describe()["ModelApprovalStatus"] == "PendingManualApproval"
    delete = sagemaker.delete_model_package_group
    assert refusal(delete, ModelPackageGroupName="churn")[0] == "ConflictException"
