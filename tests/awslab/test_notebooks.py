"""Notebook instances and their states, lifecycle configurations, Git repositories; Studio."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.state import State, difference, snapshot
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
NOTEBOOK = f"{PREFIX}:notebook-instance/mynotebook"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
SCRIPT = [{"Content": base64.b64encode(b"echo started").decode()}]
DOMAIN = {
    "DomainName": "team",
    "AuthMode": "IAM",
    "DefaultUserSettings": {"ExecutionRole": ROLE},
    "SubnetIds": ["subnet-1"],
    "VpcId": "vpc-1",
}

Request = dict[str, Any]


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient]) -> Iterator[BaseClient]:
    yield client("sagemaker")
    CLOCK.run(None)


@pytest.fixture
def frozen(sagemaker: BaseClient) -> BaseClient:
    """The same; time passes when the test says so."""
    CLOCK.run(0)
    return sagemaker


def create(sagemaker: BaseClient, name: str = "mynotebook", **changed: Any) -> str:
    request = {"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": ROLE}
    return str(sagemaker.create_notebook_instance(**request | changed)["NotebookInstanceArn"])


def status(sagemaker: BaseClient, name: str = "mynotebook") -> str:
    told = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    return str(told["NotebookInstanceStatus"])


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def wait(sagemaker: BaseClient, state: str, name: str = "mynotebook") -> None:
    sagemaker.get_waiter(f"notebook_instance_{state}").wait(NotebookInstanceName=name)


# --- notebook instances ---------------------------------------------------------------------------


def test_an_instance_is_told_with_its_defaults(frozen: BaseClient) -> None:
    service = {"MinimumInstanceMetadataServiceVersion": "2"}
    arn = create(
        frozen,
        InstanceMetadataServiceConfiguration=service,
        SubnetId="subnet-1",
        SecurityGroupIds=["sg-1"],
        Tags=[{"Key": "a", "Value": "b"}],
    )
    assert arn == NOTEBOOK
    told = frozen.describe_notebook_instance(NotebookInstanceName="mynotebook")
    assert told.pop("CreationTime") == told.pop("LastModifiedTime")
    del told["ResponseMetadata"]
    assert told == {
        "NotebookInstanceArn": NOTEBOOK,
        "NotebookInstanceName": "mynotebook",
        "NotebookInstanceStatus": "Pending",
        "Url": f"mynotebook.notebook.{REGION}.sagemaker.aws",
        "InstanceType": "ml.t3.medium",
        "IpAddressType": "ipv4",
        "SubnetId": "subnet-1",
        "SecurityGroups": ["sg-1"],
        "RoleArn": ROLE,
        "DirectInternetAccess": "Enabled",
        "VolumeSizeInGB": 5,
        "RootAccess": "Enabled",
        "PlatformIdentifier": "notebook-al2023-v1",
        "InstanceMetadataServiceConfiguration": service,
    }
    assert frozen.list_tags(ResourceArn=NOTEBOOK)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_states_follow_the_clock(frozen: BaseClient) -> None:
    create(frozen)
    CLOCK.advance(179)
    assert status(frozen) == "Pending"
    CLOCK.advance(1)
    assert status(frozen) == "InService"
    frozen.stop_notebook_instance(NotebookInstanceName="mynotebook")
    assert status(frozen) == "Stopping"
    CLOCK.advance(60)
    assert status(frozen) == "Stopped"
    frozen.start_notebook_instance(NotebookInstanceName="mynotebook")
    assert status(frozen) == "Pending"
    CLOCK.advance(180)
    assert status(frozen) == "InService"


def test_waiters_meet_the_end_at_once(sagemaker: BaseClient) -> None:
    create(sagemaker)
    wait(sagemaker, "in_service")
    sagemaker.stop_notebook_instance(NotebookInstanceName="mynotebook")
    wait(sagemaker, "stopped")
    sagemaker.delete_notebook_instance(NotebookInstanceName="mynotebook")
    wait(sagemaker, "deleted")
    said = refusal(sagemaker.describe_notebook_instance, NotebookInstanceName="mynotebook")
    assert said == ("ValidationException", "RecordNotFound")


def test_each_look_meets_the_next_state(sagemaker: BaseClient) -> None:
    create(sagemaker)
    assert [status(sagemaker) for _ in range(3)] == ["Pending", "InService", "InService"]
    sagemaker.stop_notebook_instance(NotebookInstanceName="mynotebook")
    assert [status(sagemaker) for _ in range(2)] == ["Stopping", "Stopped"]
    sagemaker.delete_notebook_instance(NotebookInstanceName="mynotebook")
    assert status(sagemaker) == "Deleting"
    assert refusal(status, sagemaker) == ("ValidationException", "RecordNotFound")
    assert create(sagemaker) == NOTEBOOK


def test_each_state_allows_its_own_operations(frozen: BaseClient) -> None:
    create(frozen)
    named = {"NotebookInstanceName": "mynotebook"}
    operations = {
        "Pending": frozen.start_notebook_instance,
        "Stopping": frozen.stop_notebook_instance,
        "Updating": frozen.update_notebook_instance,
        "Deleting": frozen.delete_notebook_instance,
    }

    def check(state: str, possible: set[str]) -> None:
        assert status(frozen) == state
        for to, operation in operations.items():
            if to in possible:
                continue
            needed = "InService" if to == "Stopping" else "Stopped, Failed"
            assert refusal(operation, **named) == (
                "ValidationException",
                f"Status ({state}) not in ([{needed}]). Unable to transition to ({to}) for "
                f"Notebook Instance ({NOTEBOOK}).",
            )

    check("Pending", set())
    CLOCK.advance(180)
    check("InService", {"Stopping"})
    frozen.stop_notebook_instance(**named)
    check("Stopping", set())
    CLOCK.advance(60)
    check("Stopped", {"Pending", "Updating", "Deleting"})
    frozen.delete_notebook_instance(**named)
    check("Deleting", set())


def test_the_url_is_for_running_instances(frozen: BaseClient) -> None:
    create(frozen)
    presign = frozen.create_presigned_notebook_instance_url
    assert refusal(presign, NotebookInstanceName="mynotebook") == (
        "ValidationException",
        "Status (Pending) not in ([InService]). Unable to create a presigned URL for Notebook "
        f"Instance ({NOTEBOOK}).",
    )
    CLOCK.advance(180)
    url = presign(NotebookInstanceName="mynotebook", SessionExpirationDurationInSeconds=1800)
    start = f"https://mynotebook.notebook.{REGION}.sagemaker.aws?authToken="
    assert url["AuthorizedUrl"].startswith(start) and len(url["AuthorizedUrl"]) > len(start) + 20
    other = presign(NotebookInstanceName="mynotebook")["AuthorizedUrl"]
    assert other != url["AuthorizedUrl"]
    assert refusal(presign, NotebookInstanceName="none") == (
        "ValidationException",
        "RecordNotFound",
    )


def test_an_update_needs_a_stopped_instance_and_a_growing_volume(frozen: BaseClient) -> None:
    scripts = {"NotebookInstanceLifecycleConfigName": "scripts", "OnStart": SCRIPT}
    frozen.create_notebook_instance_lifecycle_config(**scripts)
    create(frozen, VolumeSizeInGB=10, LifecycleConfigName="scripts")
    CLOCK.advance(180)
    frozen.stop_notebook_instance(NotebookInstanceName="mynotebook")
    CLOCK.advance(60)
    update = frozen.update_notebook_instance
    said = refusal(update, NotebookInstanceName="mynotebook", VolumeSizeInGB=9)
    message = "The VolumeSizeInGB cannot be decreased; the volume has 10 GB."
    assert said == ("ValidationException", message)
    update(
        NotebookInstanceName="mynotebook",
        VolumeSizeInGB=20,
        InstanceType="ml.t3.large",
        DisassociateLifecycleConfig=True,
    )
    assert status(frozen) == "Updating"
    CLOCK.advance(60)
    told = frozen.describe_notebook_instance(NotebookInstanceName="mynotebook")
    assert (told["NotebookInstanceStatus"], told["VolumeSizeInGB"]) == ("Stopped", 20)
    assert told["InstanceType"] == "ml.t3.large"
    assert "NotebookInstanceLifecycleConfigName" not in told
    assert told["LastModifiedTime"] > told["CreationTime"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"DirectInternetAccess": "Disabled"},
            "A SubnetId must be specified when DirectInternetAccess is Disabled.",
        ),
        ({"SecurityGroupIds": ["sg-1"]}, "A SubnetId must be specified with SecurityGroupIds."),
        (
            {"LifecycleConfigName": "none"},
            "Unable to find Notebook Instance Lifecycle Config "
            f"'{PREFIX}:notebook-instance-lifecycle-config/none'. (Details: Notebook Instance "
            "Lifecycle Config does not exist.)",
        ),
        (
            {"AdditionalCodeRepositories": ["none"]},
            f'Cannot find CodeRepository: "{PREFIX}:code-repository/none"',
        ),
    ],
)
def test_what_no_instance_may_be(sagemaker: BaseClient, changed: Request, message: str) -> None:
    assert refusal(create, sagemaker, **changed) == ("ValidationException", message)
    assert sagemaker.list_notebook_instances()["NotebookInstances"] == []


def test_a_name_is_given_once(sagemaker: BaseClient) -> None:
    create(sagemaker)
    message = f"Cannot create a duplicate Notebook Instance ({NOTEBOOK})"
    assert refusal(create, sagemaker) == ("ValidationException", message)


def test_lists(frozen: BaseClient) -> None:
    frozen.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName="scripts")
    create(frozen, "b", LifecycleConfigName="scripts")
    CLOCK.advance(180)
    create(frozen, "a", DefaultCodeRepository="https://example.com/code.git")
    create(frozen, "c", AdditionalCodeRepositories=["https://example.com/more.git"])

    def names(**params: Any) -> list[str]:
        shown = frozen.list_notebook_instances(**params)["NotebookInstances"]
        return [each["NotebookInstanceName"] for each in shown]

    assert names() == ["a", "b", "c"]
    assert names(SortBy="CreationTime")[2] == "b"
    assert names(SortBy="Status", SortOrder="Ascending")[0] == "b"
    assert names(StatusEquals="InService") == ["b"]
    assert names(NameContains="b") == ["b"]
    assert names(NotebookInstanceLifecycleConfigNameContains="cript") == ["b"]
    assert names(DefaultCodeRepositoryContains="code") == ["a"]
    assert names(AdditionalCodeRepositoryEquals="https://example.com/more.git") == ["c"]
    made = frozen.describe_notebook_instance(NotebookInstanceName="a")["CreationTime"]
    assert names(CreationTimeBefore=made) == ["b"]
    first = frozen.list_notebook_instances(MaxResults=2)
    assert names(MaxResults=2, NextToken=first["NextToken"]) == ["c"]


def test_a_list_forgets_what_is_gone(sagemaker: BaseClient) -> None:
    create(sagemaker)
    wait(sagemaker, "in_service")
    sagemaker.stop_notebook_instance(NotebookInstanceName="mynotebook")
    wait(sagemaker, "stopped")
    sagemaker.delete_notebook_instance(NotebookInstanceName="mynotebook")
    lists = [sagemaker.list_notebook_instances()["NotebookInstances"] for _ in range(2)]
    assert [each["NotebookInstanceStatus"] for each in lists[0]] == ["Deleting"]
    assert lists[1] == []


# --- lifecycle configurations and repositories ----------------------------------------------------


def test_a_lifecycle_configuration(frozen: BaseClient) -> None:
    name = {"NotebookInstanceLifecycleConfigName": "scripts"}
    arn = f"{PREFIX}:notebook-instance-lifecycle-config/scripts"
    frozen.create_notebook_instance_lifecycle_config(**name, OnStart=SCRIPT)
    said = refusal(frozen.create_notebook_instance_lifecycle_config, **name)
    assert said[1].startswith(f"Unable to create Notebook Instance Lifecycle Config {arn}.")
    CLOCK.advance(60)
    frozen.update_notebook_instance_lifecycle_config(**name, OnCreate=SCRIPT)
    told = frozen.describe_notebook_instance_lifecycle_config(**name)
    assert (told["OnCreate"], told["OnStart"]) == (SCRIPT, SCRIPT)
    assert (told["LastModifiedTime"] - told["CreationTime"]).total_seconds() == 60
    listed = frozen.list_notebook_instance_lifecycle_configs(NameContains="crip")
    shown = listed["NotebookInstanceLifecycleConfigs"]
    assert [each["NotebookInstanceLifecycleConfigArn"] for each in shown] == [arn]
    create(frozen, LifecycleConfigName="scripts")
    code, message = refusal(frozen.delete_notebook_instance_lifecycle_config, **name)
    assert code == "ValidationException" and NOTEBOOK in message
    CLOCK.advance(180)
    frozen.stop_notebook_instance(NotebookInstanceName="mynotebook")
    CLOCK.advance(60)
    frozen.delete_notebook_instance(NotebookInstanceName="mynotebook")
    CLOCK.advance(30)
    assert refusal(status, frozen)[1] == "RecordNotFound"
    frozen.delete_notebook_instance_lifecycle_config(**name)
    for operation in ("describe", "delete", "update"):
        call = getattr(frozen, f"{operation}_notebook_instance_lifecycle_config")
        code, message = refusal(call, **name)
        assert message.startswith(
            f"Unable to {operation} Notebook Instance Lifecycle Config '{arn}'"
        )


def test_a_code_repository(frozen: BaseClient) -> None:
    name = {"CodeRepositoryName": "code"}
    git = {"RepositoryUrl": "https://example.com/code.git", "Branch": "main"}
    arn = frozen.create_code_repository(**name, GitConfig=git)["CodeRepositoryArn"]
    assert arn == f"{PREFIX}:code-repository/code"
    said = refusal(frozen.create_code_repository, **name, GitConfig=git)
    assert said == ("ValidationException", f'Cannot create a duplicate CodeRepository: "{arn}"')
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:git-abcdef"
    frozen.update_code_repository(**name, GitConfig={"SecretArn": secret})
    told = frozen.describe_code_repository(**name)
    assert told["GitConfig"] == git | {"SecretArn": secret}
    shown = frozen.list_code_repositories()["CodeRepositorySummaryList"]
    assert [each["CodeRepositoryArn"] for each in shown] == [arn]
    create(frozen, DefaultCodeRepository="code")
    told = frozen.describe_notebook_instance(NotebookInstanceName="mynotebook")
    assert told["DefaultCodeRepository"] == "code"
    frozen.delete_code_repository(**name)
    said = refusal(frozen.describe_code_repository, **name)
    assert said == ("ValidationException", f'Cannot find CodeRepository: "{arn}"')


# --- Studio ---------------------------------------------------------------------------------------


def test_a_domain_has_an_identifier_of_its_own(frozen: BaseClient) -> None:
    made = frozen.create_domain(**DOMAIN)
    identifier = made["DomainId"]
    assert identifier.startswith("d-") and len(identifier) == 14
    assert made["DomainArn"] == f"{PREFIX}:domain/{identifier}"
    assert made["Url"] == f"https://{identifier}.studio.{REGION}.sagemaker.aws"
    told = frozen.describe_domain(DomainId=identifier)
    assert {name: told[name] for name in DOMAIN} == DOMAIN
    assert (told["Status"], told["AppNetworkAccessType"]) == ("Pending", "PublicInternetOnly")
    CLOCK.advance(300)
    assert frozen.describe_domain(DomainId=identifier)["Status"] == "InService"
    said = refusal(frozen.create_domain, **DOMAIN)
    assert said == ("ResourceInUse", "Domain with the name [team] already exists.")


def test_a_domain_is_updated_and_deleted(frozen: BaseClient) -> None:
    named = {"DomainId": frozen.create_domain(**DOMAIN)["DomainId"]}
    code, _ = refusal(frozen.update_domain, **named, AppNetworkAccessType="VpcOnly")
    assert code == "ValidationException"
    CLOCK.advance(300)
    frozen.update_domain(**named, AppNetworkAccessType="VpcOnly")
    told = frozen.describe_domain(**named)
    assert (told["Status"], told["AppNetworkAccessType"]) == ("Updating", "VpcOnly")
    CLOCK.advance(60)
    frozen.delete_domain(**named, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    assert frozen.describe_domain(**named)["Status"] == "Deleting"
    CLOCK.advance(120)
    assert refusal(frozen.describe_domain, **named)[0] == "ResourceNotFound"
    assert frozen.list_domains()["Domains"] == []
    assert frozen.create_domain(**DOMAIN)["DomainId"] != named["DomainId"]


def held(sagemaker: BaseClient) -> State:
    """What the lab holds of SageMaker."""
    sagemaker.list_models()  # some call, so that there is a place for it
    return {path: value for path, value in snapshot().items() if path.startswith("sagemaker/")}


def test_who_sees_a_domain_go_finds_nothing_left(sagemaker: BaseClient) -> None:
    """As Terraform waits: it describes until there is nothing, and looks no more."""
    before = held(sagemaker)
    domain = {"DomainId": sagemaker.create_domain(**DOMAIN)["DomainId"]}
    ana = {**domain, "UserProfileName": "ana"}
    sagemaker.create_user_profile(**ana)
    sagemaker.delete_user_profile(**ana)
    assert sagemaker.describe_user_profile(**ana)["Status"] == "Deleting"
    assert refusal(sagemaker.describe_user_profile, **ana)[0] == "ResourceNotFound"
    sagemaker.delete_domain(**domain)
    assert sagemaker.describe_domain(**domain)["Status"] == "Deleting"
    assert refusal(sagemaker.describe_domain, **domain)[0] == "ResourceNotFound"
    assert difference(before, held(sagemaker)) == []


def test_user_profiles_live_in_a_domain(frozen: BaseClient) -> None:
    domain = {"DomainId": frozen.create_domain(**DOMAIN)["DomainId"]}
    ana = domain | {"UserProfileName": "ana"}
    arn = frozen.create_user_profile(**ana)["UserProfileArn"]
    assert arn == f"{PREFIX}:user-profile/{domain['DomainId']}/ana"
    assert refusal(frozen.create_user_profile, **ana)[0] == "ResourceInUse"
    assert refusal(frozen.create_presigned_domain_url, **ana)[0] == "ValidationException"
    CLOCK.advance(300)
    told = frozen.describe_user_profile(**ana)
    assert (told["Status"], told["UserProfileArn"]) == ("InService", arn)
    url = frozen.create_presigned_domain_url(**ana)["AuthorizedUrl"]
    assert url.startswith(f"https://{domain['DomainId']}.studio.{REGION}.sagemaker.aws/auth?token=")
    shown = frozen.list_user_profiles(DomainIdEquals=domain["DomainId"])["UserProfiles"]
    assert [each["UserProfileName"] for each in shown] == ["ana"]
    assert frozen.list_user_profiles(UserProfileNameContains="x")["UserProfiles"] == []
    assert refusal(frozen.delete_domain, **domain)[0] == "ResourceInUse"
    frozen.delete_user_profile(**ana)
    CLOCK.advance(120)
    assert refusal(frozen.describe_user_profile, **ana)[0] == "ResourceNotFound"
    frozen.delete_domain(**domain)
    none = {"DomainId": "d-none", "UserProfileName": "ana"}
    assert refusal(frozen.create_user_profile, **none)[0] == "ResourceNotFound"


# --- templates, and over HTTP ---------------------------------------------------------------------


def test_a_stack_makes_and_deletes_an_instance(sagemaker: BaseClient, client: Any) -> None:
    notebook = {
        "NotebookInstanceName": "of-a-stack",
        "InstanceType": "ml.t3.medium",
        "RoleArn": ROLE,
        "VolumeSizeInGB": "10",
        "LifecycleConfigName": "of-a-stack",
    }
    scripts = {"NotebookInstanceLifecycleConfigName": "of-a-stack", "OnStart": SCRIPT}
    resources = {
        "Scripts": {
            "Type": "AWS::SageMaker::NotebookInstanceLifecycleConfig",
            "Properties": scripts,
        },
        "Notebook": {
            "Type": "AWS::SageMaker::NotebookInstance",
            "Properties": notebook,
            "DependsOn": "Scripts",
        },
    }
    stacks = client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources}))
    told = sagemaker.describe_notebook_instance(NotebookInstanceName="of-a-stack")
    assert told["VolumeSizeInGB"] == 10
    stacks.delete_stack(StackName="s")
    assert sagemaker.list_notebook_instances()["NotebookInstances"] == []
    listed = sagemaker.list_notebook_instance_lifecycle_configs()
    assert listed["NotebookInstanceLifecycleConfigs"] == []


def test_over_http(lab_server: str) -> None:
    options = {"endpoint_url": lab_server, "region_name": REGION}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sagemaker = boto3.client("sagemaker", **options, **keys)
    create(sagemaker)
    assert [status(sagemaker) for _ in range(2)] == ["Pending", "InService"]
    url = sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName="mynotebook")
    assert "authToken=" in url["AuthorizedUrl"]
    sagemaker.stop_notebook_instance(NotebookInstanceName="mynotebook")
    wait(sagemaker, "stopped")
    sagemaker.delete_notebook_instance(NotebookInstanceName="mynotebook")
    wait(sagemaker, "deleted")
    domain = sagemaker.create_domain(**DOMAIN)["DomainId"]
    assert sagemaker.describe_domain(DomainId=domain)["Status"] == "Pending"
