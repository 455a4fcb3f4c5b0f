import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import smcli.waiting
from awslab.clock import CLOCK, Stage
from awslab.run import Result
from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends
from smcli.calls import AWS

Smcli = Callable[..., Result]
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
ARN = "arn:aws:sagemaker:ap-northeast-1:111122223333:notebook-instance/mynotebook"


@pytest.fixture(autouse=True)
def notebook_role(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SAGEMAKER_ROLE_ARN", ROLE)
    yield
    CLOCK.run(None)


@pytest.fixture
def running(smcli: Smcli) -> None:
    """The lab holds the notebook instance `mynotebook`, which runs."""
    assert smcli("notebook-create", "mynotebook", "--wait").status == 0


@pytest.fixture
def stopped(running: None, smcli: Smcli) -> None:
    """The lab holds the notebook instance `mynotebook`, which is stopped."""
    assert smcli("notebook-stop", "mynotebook", "--wait").status == 0


def told(client: Callable[..., Any]) -> dict[str, Any]:
    answer = client("sagemaker").describe_notebook_instance(NotebookInstanceName="mynotebook")
    return dict(answer)


def names(client: Callable[..., Any]) -> list[str]:
    found = client("sagemaker").list_notebook_instances()["NotebookInstances"]
    return [each["NotebookInstanceName"] for each in found]


def in_lab() -> Any:
    """The instance as the lab keeps it; its states can be changed there."""
    return sagemaker_backends["111122223333"]["ap-northeast-1"].notebook_instances["mynotebook"]


def while_waiting(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """What happens between two looks."""

    def sleep(seconds: float) -> None:
        happens()

    monkeypatch.setattr(smcli.waiting.time, "sleep", sleep)


def interrupt() -> None:
    raise KeyboardInterrupt


def fail() -> None:
    in_lab().course.divert([Stage("Failed")])
    in_lab().request["FailureReason"] = "The lifecycle script ran too long."


# --- notebook-create ------------------------------------------------------------------------------


def test_notebook_create_makes_what_is_usual(smcli: Smcli, client: Callable[..., Any]) -> None:
    made = smcli("notebook-create", "mynotebook")
    assert (made.status, made.output) == (0, f"{ARN}\n")
    assert made.errors == (
        "next: smcli notebook-describe mynotebook\nnext: smcli notebook-url mynotebook\n"
    )
    assert (
        told(client).items()
        >= {
            "InstanceType": "ml.t3.medium",
            "VolumeSizeInGB": 5,
            "PlatformIdentifier": "notebook-al2023-v1",
            "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
            "DirectInternetAccess": "Enabled",
            "RoleArn": ROLE,
        }.items()
    )
    again = smcli("notebook-create", "mynotebook")
    assert (again.status, again.output) == (254, "")
    assert again.errors == (
        f"error: ValidationException: Cannot create a duplicate Notebook Instance ({ARN})\n"
        "Next: choose another name, or see what already has this one with smcli notebook-describe "
        "mynotebook.\n"
    )


def test_notebook_create_takes_all_options(smcli: Smcli, client: Callable[..., Any]) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName="setup")
    sagemaker.create_code_repository(
        CodeRepositoryName="ours", GitConfig={"RepositoryUrl": "https://example.com/ours.git"}
    )
    made = smcli(
        "notebook-create", "mynotebook", "--instance-type", "ml.m5.xlarge", "--volume-size", "20",
        "--platform", "notebook-al2-v3", "--imds", "1", "--subnet", "subnet-0123456789abcdef0",
        "--security-groups", "sg-1", "--security-groups", "sg-2", "--no-internet",
        "--lifecycle-config", "setup", "--git", "https://example.com/a.git", "--git", "ours",
    )  # fmt: skip
    assert made.status == 0
    assert (
        told(client).items()
        >= {
            "InstanceType": "ml.m5.xlarge",
            "VolumeSizeInGB": 20,
            "PlatformIdentifier": "notebook-al2-v3",
            "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
            "SubnetId": "subnet-0123456789abcdef0",
            "SecurityGroups": ["sg-1", "sg-2"],
            "DirectInternetAccess": "Disabled",
            "NotebookInstanceLifecycleConfigName": "setup",
            "DefaultCodeRepository": "https://example.com/a.git",
            "AdditionalCodeRepositories": ["ours"],
        }.items()
    )
    shown = smcli("notebook-describe", "mynotebook").output
    for line in (
        r"Volume \(GB\) +20", "Security groups +sg-1, sg-2", "Internet access +Disabled",
        "Lifecycle +setup", "Git +https://example.com/a.git, ours", "IMDS +1",
    ):  # fmt: skip
        assert re.search(line, shown)


def test_notebook_create_refuses_before_any_call(smcli: Smcli, client: Callable[..., Any]) -> None:
    repositories = [part for n in "abcde" for part in ("--git", f"https://example.com/{n}.git")]
    for wrong, message in [
        (["my_book"], "'my_book': a name has letters"),
        (["a" * 64], "has 64 characters; at most 63 are allowed"),
        (["a", "--no-internet"], "--no-internet needs --subnet as well"),
        (["a", "--security-groups", "sg-1"], "--security-groups needs --subnet as well"),
        (["a", "--subnet", "subnet_1"], "SubnetId: 'subnet_1' does not match the pattern"),
        (["a", "--volume-size", "4"], "4 is not in the range 5<=x<=16384"),
        (["a", "--imds", "3"], "'3' is not one of '1', '2'"),
        (["a", "--platform", "al2023"], "PlatformIdentifier: 'al2023' does not match the pattern"),
        (["a", "--lifecycle-config", "-"], "'-': a name has letters"),
        (["a", "--git", "git@example.com:a"], "DefaultCodeRepository: 'git@example.com:a' does"),
        (["a", *repositories], "--git is given 5 times; at most 4 are allowed"),
        (["a", "--role", "no role"], "neither the ARN nor the name of a role"),
    ]:
        refused = smcli("notebook-create", *wrong)
        assert (refused.status, refused.output) == (252, ""), wrong
        assert message in refused.errors
    assert names(client) == []


def test_notebook_create_names_the_nearest_types_for_one_of_jobs_only(smcli: Smcli) -> None:
    refused = smcli("notebook-create", "a", "--instance-type", "ml.m5.large")
    assert refused.status == 252
    assert "InstanceType: 'ml.m5.large' is not one of the " in refused.errors
    assert " values that AWS accepts, such as ml.m5d.large, ml.m5.xlarge, ml.m5" in refused.errors
    assert len(refused.errors) < 300


def test_notebook_create_says_which_scripts_are_missing(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    refused = smcli("notebook-create", "a", "--lifecycle-config", "setup")
    assert refused.status == 254
    assert "lifecycle" in refused.errors.lower() and "setup" in refused.errors
    assert refused.errors.endswith(
        "Next: see the names with aws sagemaker list-notebook-instance-lifecycle-configs.\n"
    )
    no_git = smcli("notebook-create", "a", "--git", "ours")
    assert no_git.status == 254
    assert no_git.errors.endswith(
        "Next: see the names with aws sagemaker list-code-repositories.\n"
    )
    assert names(client) == []


def test_notebook_create_says_what_to_do_about_a_quota(
    smcli: Smcli, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        said = {"Code": "ResourceLimitExceeded", "Message": "The account-level limit is 0."}
        raise ClientError({"Error": said}, "CreateNotebookInstance")

    monkeypatch.setattr(AWS, "send", refuse)
    refused = smcli("notebook-create", "mynotebook", "--instance-type", "ml.p3.2xlarge")
    assert (refused.status, refused.output) == (254, "")
    assert refused.errors == (
        "error: ResourceLimitExceeded: The account-level limit is 0.\n"
        "Next: request a quota increase in Service Quotas, or use another instance type.\n"
    )
    assert names(client) == []


def test_notebook_create_needs_a_role_that_exists(smcli: Smcli, client: Callable[..., Any]) -> None:
    refused = smcli("notebook-create", "a", "--role", "Nobody")
    assert (refused.status, refused.errors) == (
        1,
        "error: There is no role Nobody. Create it with: smcli role-create Nobody\n",
    )
    assert names(client) == []


def test_notebook_create_dry_run_prints_the_request(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    shown = smcli("notebook-create", "mynotebook", "--wait", "--dry-run")
    assert (shown.status, shown.errors) == (0, "")
    assert json.loads(shown.output) == {
        "service": "sagemaker",
        "operation": "CreateNotebookInstance",
        "request": {
            "NotebookInstanceName": "mynotebook",
            "InstanceType": "ml.t3.medium",
            "VolumeSizeInGB": 5,
            "PlatformIdentifier": "notebook-al2023-v1",
            "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
            "RoleArn": ROLE,
        },
    }
    assert names(client) == []


def test_notebook_create_waits_until_it_runs(smcli: Smcli) -> None:
    made = smcli("notebook-create", "mynotebook", "--wait")
    assert (made.status, made.output) == (0, f"{ARN}\n")
    assert made.errors == (
        "mynotebook: Pending\nmynotebook: InService\nnext: smcli notebook-url mynotebook\n"
    )


def test_notebook_create_tells_why_it_failed(smcli: Smcli, monkeypatch: pytest.MonkeyPatch) -> None:
    while_waiting(monkeypatch, fail)
    failed = smcli("notebook-create", "mynotebook", "--wait")
    assert (failed.status, failed.output) == (1, f"{ARN}\n")
    assert failed.errors == (
        "mynotebook: Pending\nmynotebook: Failed\n"
        "error: mynotebook: Failed: The lifecycle script ran too long.\n"
        "The output of its lifecycle scripts is in the log group "
        "/aws/sagemaker/NotebookInstances.\n"
        "Next: start it again with smcli notebook-start mynotebook, or delete it with smcli "
        "notebook-delete mynotebook.\n"
    )
    assert "The lifecycle script ran too long." in smcli("notebook-describe", "mynotebook").output


def test_notebook_create_stops_waiting_and_says_where_to_look(
    smcli: Smcli, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    CLOCK.run(0)
    late = smcli("notebook-create", "mynotebook", "--wait", "--timeout", "0")
    assert late.status == 124
    assert late.errors.endswith(
        "error: mynotebook is still Pending after 0 s. It continues; check it with: "
        "smcli notebook-describe mynotebook\n"
    )
    while_waiting(monkeypatch, interrupt)
    ended = smcli("notebook-create", "other", "--wait")
    assert ended.status == 130
    assert ended.errors.endswith(
        "Stopped waiting; other continues. Check it with: smcli notebook-describe other\n"
    )
    assert sorted(names(client)) == ["mynotebook", "other"]


# --- notebook-list, notebook-describe -------------------------------------------------------------


def test_notebook_list_shows_the_newest_first(smcli: Smcli) -> None:
    empty = smcli("notebook-list")
    assert (empty.status, empty.output, empty.errors) == (0, "", "0 items\n")
    for name in [f"n{number}" for number in range(12)]:  # more than a page of AWS's
        smcli("notebook-create", name)
    table = smcli("notebook-list")
    lines = table.output.splitlines()
    assert lines[0].split() == ["Name", "Status", "Type", "Created"]
    assert [line.split()[0] for line in lines[2:]] == [f"n{number}" for number in range(12)][::-1]
    assert table.errors == "12 items\n"
    taken = "NotebookInstances[?NotebookInstanceName=='n3'].InstanceType"
    assert smcli("notebook-list", "--query", taken, "--output", "text").output == "ml.t3.medium\n"


@pytest.mark.usefixtures("running")
def test_notebook_describe_shows_status_and_settings(smcli: Smcli) -> None:
    shown = smcli("notebook-describe", "mynotebook")
    assert (shown.status, shown.errors) == (0, "")
    fields = dict(line.split(maxsplit=1) for line in shown.output.splitlines() if "(" not in line)
    assert (
        fields.items()
        >= {
            "Name": "mynotebook",
            "Status": "InService",
            "Type": "ml.t3.medium",
            "Platform": "notebook-al2023-v1",
            "IMDS": "2",
            "Internet": "access  Enabled",
            "Role": ROLE,
            "Address": "mynotebook.notebook.ap-northeast-1.sagemaker.aws",
        }.items()
    )
    answer = json.loads(smcli("notebook-describe", "mynotebook", "--output", "json").output)
    assert answer["NotebookInstanceArn"] == ARN and "ResponseMetadata" not in answer


@pytest.mark.parametrize("command", ["describe", "start", "stop", "url"])
def test_notebook_describe_and_others_say_that_there_is_none(smcli: Smcli, command: str) -> None:
    missing = smcli(f"notebook-{command}", "nothing")
    assert (missing.status, missing.output) == (254, "")
    assert missing.errors == (
        "error: ValidationException: RecordNotFound\n"
        "Next: see the names with smcli notebook-list.\n"
    )


# --- notebook-start, notebook-stop ----------------------------------------------------------------


@pytest.mark.usefixtures("stopped")
def test_notebook_start_starts_what_is_stopped(smcli: Smcli, client: Callable[..., Any]) -> None:
    dry = smcli("notebook-start", "mynotebook", "--wait", "--dry-run")
    assert json.loads(dry.output)["operation"] == "StartNotebookInstance"
    assert (dry.errors, told(client)["NotebookInstanceStatus"]) == ("", "Stopped")
    started = smcli("notebook-start", "mynotebook")
    assert (started.status, started.output) == (0, "")
    assert started.errors == (
        "The notebook instance mynotebook is starting.\n"
        "next: smcli notebook-describe mynotebook\n"
        "next: smcli notebook-url mynotebook\n"
    )
    assert told(client)["NotebookInstanceStatus"] == "Pending"
    assert told(client)["NotebookInstanceStatus"] == "InService"
    again = smcli("notebook-start", "mynotebook")
    assert again.status == 254
    assert again.errors == (
        "error: ValidationException: Status (InService) not in ([Stopped, Failed]). Unable to "
        f"transition to (Pending) for Notebook Instance ({ARN}).\n"
        "Next: it is running; open it with smcli notebook-url mynotebook.\n"
    )


@pytest.mark.usefixtures("stopped")
def test_notebook_start_waits_and_tells_a_failure(
    smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        while_waiting(failing, fail)
        failed = smcli("notebook-start", "mynotebook", "--wait")
    assert failed.status == 1
    assert "error: mynotebook: Failed: The lifecycle script ran too long.\n" in failed.errors
    started = smcli("notebook-start", "mynotebook", "--wait")
    assert started.status == 0
    assert started.errors == (
        "mynotebook: Pending\nmynotebook: InService\nnext: smcli notebook-url mynotebook\n"
    )


@pytest.mark.usefixtures("running")
def test_notebook_stop_reminds_of_the_volume(smcli: Smcli, client: Callable[..., Any]) -> None:
    dry = smcli("notebook-stop", "mynotebook", "--wait", "--dry-run")
    assert json.loads(dry.output)["request"] == {"NotebookInstanceName": "mynotebook"}
    assert (dry.errors, told(client)["NotebookInstanceStatus"]) == ("", "InService")
    reminder = "Its volume is kept, and billed until the instance is deleted.\n"
    stopping = smcli("notebook-stop", "mynotebook")
    assert (stopping.status, stopping.output) == (0, "")
    assert stopping.errors == f"The notebook instance mynotebook is stopping.\n{reminder}"
    busy = smcli("notebook-stop", "mynotebook")
    assert busy.status == 254
    assert busy.errors.endswith(
        "Next: look at its status with smcli notebook-describe mynotebook.\n"
    )
    assert told(client)["NotebookInstanceStatus"] == "Stopping"
    assert told(client)["NotebookInstanceStatus"] == "Stopped"
    idle = smcli("notebook-stop", "mynotebook")
    assert idle.status == 254
    assert idle.errors.endswith(
        "Next: it is not running; delete it with smcli notebook-delete mynotebook.\n"
    )


@pytest.mark.usefixtures("running")
def test_notebook_stop_waits(smcli: Smcli, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = smcli("notebook-stop", "mynotebook", "--wait")
    assert stopped.status == 0
    assert stopped.errors == (
        "mynotebook: Stopping\nmynotebook: Stopped\nThe notebook instance mynotebook is stopped.\n"
        "Its volume is kept, and billed until the instance is deleted.\n"
    )
    smcli("notebook-start", "mynotebook", "--wait")
    while_waiting(monkeypatch, interrupt)
    assert smcli("notebook-stop", "mynotebook", "--wait").status == 130


# --- notebook-delete ------------------------------------------------------------------------------


@pytest.mark.usefixtures("stopped")
def test_notebook_delete_asks_and_deletes(smcli: Smcli, client: Callable[..., Any]) -> None:
    unasked = smcli("notebook-delete", "mynotebook")
    assert unasked.status == 252
    assert unasked.errors.endswith(
        "error: Delete the notebook instance mynotebook and everything on its volume? Nobody "
        "can answer here: add --yes.\n"
    )
    dry = smcli("notebook-delete", "mynotebook", "--dry-run")
    assert json.loads(dry.output)["operation"] == "DeleteNotebookInstance"
    assert told(client)["NotebookInstanceStatus"] == "Stopped"
    deleted = smcli("notebook-delete", "mynotebook", "--yes", "--wait")
    assert (deleted.status, deleted.output) == (0, "")
    assert deleted.errors == (
        "mynotebook: Deleting\nmynotebook: Deleted\n"
        "Deleted the notebook instance mynotebook and its volume.\n"
    )
    assert names(client) == []
    assert smcli("notebook-delete", "mynotebook", "--yes").errors.endswith("notebook-list.\n")


@pytest.mark.usefixtures("running")
def test_notebook_delete_refuses_what_runs_unless_forced(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    refused = smcli("notebook-delete", "mynotebook", "--yes")
    assert refused.status == 254
    assert refused.errors == (
        "error: ValidationException: Status (InService) not in ([Stopped, Failed]). Unable to "
        f"transition to (Deleting) for Notebook Instance ({ARN}).\n"
        "Next: stop it with smcli notebook-stop mynotebook --wait, or add --force.\n"
    )
    dry = smcli("notebook-delete", "mynotebook", "--force", "--dry-run")
    assert [json.loads(line)["operation"] for line in dry.output.splitlines()] == [
        "StopNotebookInstance",
        "DeleteNotebookInstance",
    ]
    assert told(client)["NotebookInstanceStatus"] == "InService"
    forced = smcli("notebook-delete", "mynotebook", "--force", "--yes")
    assert forced.status == 0
    assert forced.errors == (
        "mynotebook: Stopping\nmynotebook: Stopped\n"
        "The notebook instance mynotebook and its volume are being deleted.\n"
    )
    assert told(client)["NotebookInstanceStatus"] == "Deleting"
    again = smcli("notebook-delete", "mynotebook", "--force", "--yes")
    assert again.status == 254
    assert names(client) == []


def test_notebook_delete_force_waits_for_what_starts(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    smcli("notebook-create", "mynotebook")
    forced = smcli("notebook-delete", "mynotebook", "--force", "--yes", "--wait")
    assert forced.status == 0
    assert [line for line in forced.errors.splitlines() if line.startswith("mynotebook: ")] == [
        "mynotebook: InService",
        "mynotebook: Stopping",
        "mynotebook: Stopped",
        "mynotebook: Deleting",
        "mynotebook: Deleted",
    ]
    assert names(client) == []


@pytest.mark.usefixtures("stopped")
def test_notebook_delete_force_needs_no_stop_of_what_is_stopped(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    dry = smcli("notebook-delete", "mynotebook", "--force", "--dry-run")
    assert json.loads(dry.output)["operation"] == "DeleteNotebookInstance"
    assert smcli("notebook-delete", "mynotebook", "--force", "--yes", "--wait").status == 0
    assert names(client) == []


@pytest.mark.usefixtures("running")
def test_notebook_delete_force_says_that_nothing_is_deleted_when_waiting_ends(
    smcli: Smcli, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    again = (
        "It is not deleted yet; to delete it, run smcli notebook-delete mynotebook --force again.\n"
    )
    CLOCK.go_on(0)
    late = smcli("notebook-delete", "mynotebook", "--force", "--yes", "--timeout", "0")
    assert late.status == 124
    assert late.errors.endswith(f"smcli notebook-describe mynotebook\n{again}")
    while_waiting(monkeypatch, interrupt)
    ended = smcli("notebook-delete", "mynotebook", "--force", "--yes")
    assert ended.status == 130
    assert ended.errors.endswith(f"smcli notebook-describe mynotebook\n{again}")
    assert told(client)["NotebookInstanceStatus"] == "Stopping"


# --- notebook-url ---------------------------------------------------------------------------------

WARNING = "Open it within 5 minutes. Whoever has this URL gets in; do not store or share it.\n"


@pytest.mark.usefixtures("running")
def test_notebook_url_gives_only_the_url_to_a_pipe(smcli: Smcli) -> None:
    made = smcli("notebook-url", "mynotebook", "--expires", "1800")
    assert made.status == 0
    begin = "https://mynotebook.notebook.ap-northeast-1.sagemaker.aws?authToken="
    assert made.output.startswith(begin) and made.output.count("\n") == 1
    assert made.errors == WARNING
    plain = smcli("notebook-url", "mynotebook", "--output", "json")
    assert json.loads(plain.output)["AuthorizedUrl"].startswith(begin)
    assert plain.errors == WARNING


@pytest.mark.usefixtures("running")
def test_notebook_url_dry_run_makes_no_url(smcli: Smcli) -> None:
    shown = smcli("notebook-url", "mynotebook", "--dry-run")
    assert (shown.status, shown.errors) == (0, "")
    assert json.loads(shown.output) == {
        "service": "sagemaker",
        "operation": "CreatePresignedNotebookInstanceUrl",
        "request": {
            "NotebookInstanceName": "mynotebook",
            "SessionExpirationDurationInSeconds": 43200,
        },
    }


@pytest.mark.usefixtures("stopped")
def test_notebook_url_needs_an_instance_that_runs(smcli: Smcli) -> None:
    refused = smcli("notebook-url", "mynotebook")
    assert (refused.status, refused.output) == (254, "")
    assert refused.errors.startswith("error: ValidationException: Status (Stopped) not in")
    assert refused.errors.endswith("Next: start it with smcli notebook-start mynotebook --wait.\n")
    for seconds in ("1799", "43201", "soon"):
        wrong = smcli("notebook-url", "mynotebook", "--expires", seconds)
        assert (wrong.status, wrong.output) == (252, "")


def test_notebook_url_is_in_no_log_of_the_program(
    smcli: Smcli, running: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        made = smcli("notebook-url", "mynotebook")
    token = made.output.strip().partition("authToken=")[2]
    assert token and token not in caplog.text + made.errors


def test_notebook_create_takes_no_password_in_a_url(smcli: Smcli) -> None:
    for more in ((), ("--dry-run",)):
        url = "https://me:secret@example.com/a.git"
        refused = smcli("notebook-create", "a", "--git", url, *more)
        assert (refused.status, refused.output) == (252, "")
        assert "secret" not in refused.errors
        assert "which keeps it in Secrets Manager." in refused.errors
