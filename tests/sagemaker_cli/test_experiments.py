import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.run import Result
from botocore.exceptions import ClientError
from smcli.calls import AWS
from smcli.commands import experiments

Smcli = Callable[..., Result]
PREFIX = "arn:aws:sagemaker:ap-northeast-1:111122223333"
LEGACY = "SageMaker Experiments belongs to Studio Classic; for new work AWS recommends MLflow.\n"


@pytest.fixture
def tracked(client: Callable[..., Any]) -> Any:
    """The experiment `churn` has the trials `first` with two components and `second` with one;
    the trial `elsewhere` of the experiment `other` has the component `shared` as well."""
    sagemaker = client("sagemaker")
    for experiment, trials in {"churn": ["first", "second"], "other": ["elsewhere"]}.items():
        sagemaker.create_experiment(ExperimentName=experiment)
        for trial in trials:
            sagemaker.create_trial(TrialName=trial, ExperimentName=experiment)
    for component, trials in {
        "prepare": ["first", "second"],
        "shared": ["first", "elsewhere"],
    }.items():
        sagemaker.create_trial_component(TrialComponentName=component)
        for trial in trials:
            sagemaker.associate_trial_component(TrialName=trial, TrialComponentName=component)
    return sagemaker


def names(sagemaker: Any) -> dict[str, list[str]]:
    """All that the lab holds, by kind, in the order of the names."""
    return {
        kind: sorted(
            each[f"{kind}Name"]
            for each in getattr(sagemaker, call)(MaxResults=100)[f"{kind}Summaries"]
        )
        for kind, call in {
            "Experiment": "list_experiments",
            "Trial": "list_trials",
            "TrialComponent": "list_trial_components",
        }.items()
    }


ALL = {
    "Experiment": ["churn", "other"],
    "Trial": ["elsewhere", "first", "second"],
    "TrialComponent": ["prepare", "shared"],
}


def refusing(monkeypatch: pytest.MonkeyPatch, operation: str, *errors: BaseException) -> None:
    """These errors meet the first calls of an operation, one each."""
    waiting, send = list(errors), AWS.send

    def refuse(aws: AWS, service: str, called: str, request: dict[str, Any]) -> dict[str, Any]:
        if called == operation and waiting:
            raise waiting.pop(0)
        return send(aws, service, called, request)

    monkeypatch.setattr(AWS, "send", refuse)


def error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DeleteTrialComponent")


# --- experiments ----------------------------------------------------------------------------------


def test_experiment_create_says_that_it_is_legacy(smcli: Smcli, client: Callable[..., Any]) -> None:
    name = "a" * 120
    made = smcli("experiment-create", name)
    assert (made.status, made.output) == (0, f"{PREFIX}:experiment/{name}\n")
    assert made.errors == f"{LEGACY}next: smcli trial-create TRIAL {name}\n"
    assert names(client("sagemaker"))["Experiment"] == [name]
    again = smcli("experiment-create", name)
    assert (again.status, again.output) == (254, "")
    assert again.errors == (
        "error: ValidationException: Experiment names must be unique within an AWS account and "
        f"region. Experiment with name ({name}) already exists.\n"
        "Next: choose another name, or see what already has this one with "
        f"smcli experiment-describe {name}.\n"
    )


def test_experiment_create_refuses_names_and_dry_runs(
    smcli: Smcli, client: Callable[..., Any]
) -> None:
    for wrong, message in [
        ("a" * 121, "has 121 characters; at most 120 are allowed"),
        ("a_b", "'a_b': a name has letters"),
    ]:
        refused = smcli("experiment-create", wrong)
        assert (refused.status, refused.output) == (252, "")
        assert message in refused.errors
    dry = smcli("experiment-create", "churn", "--dry-run")
    assert json.loads(dry.output) == {
        "service": "sagemaker",
        "operation": "CreateExperiment",
        "request": {"ExperimentName": "churn"},
    }
    assert (dry.status, dry.errors) == (0, "")
    assert names(client("sagemaker"))["Experiment"] == []


def test_experiment_list_shows_more_than_a_page(smcli: Smcli, client: Callable[..., Any]) -> None:
    empty = smcli("experiment-list")
    assert (empty.status, empty.output, empty.errors) == (0, "", "0 items\n")
    for number in range(12):
        client("sagemaker").create_experiment(ExperimentName=f"e{number}")
    table = smcli("experiment-list")
    lines = table.output.splitlines()
    assert lines[0].split() == ["Name", "Created"]
    assert [line.split()[0] for line in lines[2:]] == [f"e{number}" for number in range(12)][::-1]
    assert table.errors == "12 items\n"


@pytest.mark.usefixtures("tracked")
def test_experiment_describe_counts_the_trials(smcli: Smcli) -> None:
    shown = smcli("experiment-describe", "churn")
    assert (shown.status, shown.errors) == (0, "")
    fields = dict(line.split(maxsplit=1) for line in shown.output.splitlines())
    assert list(fields) == ["Name", "Trials", "Changed", "Created"]
    assert (fields["Name"], fields["Trials"]) == ("churn", "2")
    answer = json.loads(smcli("experiment-describe", "churn", "--output", "json").output)
    assert answer["ExperimentArn"] == f"{PREFIX}:experiment/churn"
    assert [trial["TrialName"] for trial in answer["TrialSummaries"]] == ["second", "first"]
    missing = smcli("experiment-describe", "nothing")
    assert (missing.status, missing.output) == (254, "")
    assert missing.errors == (
        f"error: ResourceNotFound: Experiment '{PREFIX}:experiment/nothing' does not exist.\n"
        "Next: see the names with smcli experiment-list.\n"
    )


def test_experiment_delete_refuses_one_with_trials(smcli: Smcli, tracked: Any) -> None:
    for more in (["--yes"], ["--dry-run"], []):
        refused = smcli("experiment-delete", "churn", *more)
        assert (refused.status, refused.output) == (1, "")
        assert refused.errors == (
            "error: The experiment churn still has 2 trials: first, second. Delete them first, or "
            "everything with: smcli experiment-delete churn --cascade\n"
        )
    one = smcli("experiment-delete", "other", "--yes")
    assert one.errors == (
        "error: The experiment other still has 1 trial: elsewhere. Delete it first, or "
        "everything with: smcli experiment-delete other --cascade\n"
    )
    for number in range(10):
        tracked.create_trial(TrialName=f"t{number}", ExperimentName="other")
    many = smcli("experiment-delete", "other", "--yes")
    assert "still has 11 trials: elsewhere, t0, t1, t2, t3, t4, t5, t6, t7, t8, …. " in many.errors


def test_experiment_delete_without_trials(smcli: Smcli, client: Callable[..., Any]) -> None:
    client("sagemaker").create_experiment(ExperimentName="churn")
    unasked = smcli("experiment-delete", "churn")
    assert unasked.status == 252
    assert unasked.errors.endswith(
        "error: Delete the experiment churn? Nobody can answer here: add --yes.\n"
    )
    deleted = smcli("experiment-delete", "churn", "--yes")
    assert (deleted.status, deleted.output) == (0, "")
    assert deleted.errors == "Deleted the experiment churn.\n"
    assert names(client("sagemaker"))["Experiment"] == []
    missing = smcli("experiment-delete", "churn", "--yes")
    assert missing.status == 254
    assert missing.errors.endswith("Next: see the experiments with smcli experiment-list.\n")


PREVIEW = (
    "trial first\n"
    "  trial component prepare\n"
    "  trial component shared: kept, because it is also in elsewhere\n"
    "trial second\n"
    "  trial component prepare\n"
)


def test_experiment_delete_cascade_shows_what_goes_and_keeps_what_others_use(
    smcli: Smcli, tracked: Any
) -> None:
    unasked = smcli("experiment-delete", "churn", "--cascade")
    assert unasked.status == 252
    assert unasked.errors.startswith(PREVIEW)
    assert "Nobody can answer here: add --yes." in unasked.errors
    dry = smcli("experiment-delete", "churn", "--cascade", "--dry-run")
    assert (dry.status, dry.errors) == (0, PREVIEW)
    assert [tuple(json.loads(line)["request"].values()) for line in dry.output.splitlines()] == [
        ("first", "prepare"),
        ("first", "shared"),
        ("second", "prepare"),
        ("prepare",),
        ("first",),
        ("second",),
        ("churn",),
    ]
    assert names(tracked) == ALL
    deleted = smcli("experiment-delete", "churn", "--cascade", "--yes")
    assert (deleted.status, deleted.output) == (0, "")
    assert deleted.errors == PREVIEW + (
        "Deleted the trial first.\nDeleted the trial second.\nDeleted the experiment churn.\n"
    )
    assert names(tracked) == {
        "Experiment": ["other"],
        "Trial": ["elsewhere"],
        "TrialComponent": ["shared"],
    }


def test_experiment_delete_cascade_waits_until_aws_sees_the_disassociation(
    smcli: Smcli, tracked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = error("ValidationException", "TrialComponent '…' is linked to 1 or more trials")
    waited: list[float] = []
    monkeypatch.setattr(experiments.time, "sleep", waited.append)
    with monkeypatch.context() as once:
        refusing(once, "DeleteTrialComponent", *[linked] * 2)
        assert smcli("experiment-delete", "churn", "--cascade", "--yes").status == 0
    assert waited == [2.0] * 2
    assert names(tracked)["Experiment"] == ["other"]
    refusing(monkeypatch, "DeleteTrialComponent", *[linked] * 10)
    stuck = smcli("experiment-delete", "other", "--cascade", "--yes")
    assert stuck.status == 254
    assert stuck.errors.endswith(
        "error: ValidationException: TrialComponent '…' is linked to 1 or more trials\n"
        "Not everything is deleted; for the rest, run smcli experiment-delete other --cascade\n"
    )
    assert waited == [2.0] * 11


@pytest.mark.parametrize(
    ("broken", "status", "said"),
    [
        (error("ThrottlingException", "Rate exceeded"), 254, "error: ThrottlingException: Rate "),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
    ],
)
def test_experiment_delete_cascade_can_be_taken_up_again(
    smcli: Smcli,
    tracked: Any,
    monkeypatch: pytest.MonkeyPatch,
    broken: BaseException,
    status: int,
    said: str,
) -> None:
    with monkeypatch.context() as breaking:
        refusing(breaking, "DeleteTrial", broken)
        ended = smcli("experiment-delete", "churn", "--cascade", "--yes")
    assert ended.status == status
    assert said in ended.errors
    assert ended.errors.endswith(
        "Not everything is deleted; for the rest, run smcli experiment-delete churn --cascade\n"
    )
    assert names(tracked) == ALL | {"TrialComponent": ["shared"]}
    assert smcli("experiment-delete", "churn", "--cascade", "--yes").status == 0
    assert names(tracked)["Trial"] == ["elsewhere"]


# --- trials ---------------------------------------------------------------------------------------


def test_trial_create_belongs_to_an_experiment(smcli: Smcli, client: Callable[..., Any]) -> None:
    orphan = smcli("trial-create", "first", "churn")
    assert (orphan.status, orphan.output) == (254, "")
    assert orphan.errors == (
        f"error: ResourceNotFound: Experiment '{PREFIX}:experiment/churn' does not exist.\n"
        "Next: create the experiment with smcli experiment-create churn.\n"
    )
    client("sagemaker").create_experiment(ExperimentName="churn")
    dry = smcli("trial-create", "first", "churn", "--dry-run")
    assert json.loads(dry.output)["request"] == {"TrialName": "first", "ExperimentName": "churn"}
    assert names(client("sagemaker"))["Trial"] == []
    made = smcli("trial-create", "first", "churn")
    assert (made.status, made.output) == (0, f"{PREFIX}:experiment-trial/first\n")
    assert made.errors == "next: smcli trial-list churn\n"
    described = client("sagemaker").describe_trial(TrialName="first")
    assert described["ExperimentName"] == "churn"
    again = smcli("trial-create", "first", "churn")
    assert again.status == 254
    assert again.errors.endswith(
        "Next: choose another name; see those of all trials with smcli trial-list.\n"
    )
    long = smcli("trial-create", "a" * 121, "churn")
    assert (long.status, long.output) == (252, "")


@pytest.mark.usefixtures("tracked")
def test_trial_list_shows_those_of_an_experiment_or_all(smcli: Smcli) -> None:
    table = smcli("trial-list", "churn")
    lines = table.output.splitlines()
    assert lines[0].split() == ["Name", "Created"]
    assert [line.split()[0] for line in lines[2:]] == ["second", "first"]
    assert table.errors == "2 items\n"
    assert smcli("trial-list").errors == "3 items\n"
    missing = smcli("trial-list", "nothing")
    assert (missing.status, missing.output) == (254, "")
    assert missing.errors.endswith("Next: see the experiments with smcli experiment-list.\n")


def test_trial_delete_refuses_one_with_components(smcli: Smcli, tracked: Any) -> None:
    for more in (["--yes"], ["--dry-run"], []):
        refused = smcli("trial-delete", "first", *more)
        assert (refused.status, refused.output) == (1, "")
        assert refused.errors == (
            "error: The trial first still has 2 components: prepare, shared. Delete everything "
            "with: smcli trial-delete first --cascade\n"
        )
    one = smcli("trial-delete", "second", "--yes")
    assert one.errors == (
        "error: The trial second still has 1 component: prepare. Delete both with: "
        "smcli trial-delete second --cascade\n"
    )
    assert names(tracked) == ALL


def test_trial_delete_without_components(smcli: Smcli, tracked: Any) -> None:
    tracked.create_trial(TrialName="third", ExperimentName="churn")
    unasked = smcli("trial-delete", "third")
    assert unasked.status == 252
    assert "Delete the trial third? Nobody can answer here: add --yes." in unasked.errors
    dry = smcli("trial-delete", "third", "--dry-run")
    assert json.loads(dry.output)["operation"] == "DeleteTrial"
    assert "third" in names(tracked)["Trial"]
    deleted = smcli("trial-delete", "third", "--yes")
    assert (deleted.status, deleted.output, deleted.errors) == (0, "", "Deleted the trial third.\n")
    assert names(tracked) == ALL
    missing = smcli("trial-delete", "third", "--yes")
    assert missing.status == 254
    assert missing.errors.endswith("Next: see the names with smcli trial-list.\n")


def test_trial_delete_cascade_keeps_components_of_other_trials(smcli: Smcli, tracked: Any) -> None:
    deleted = smcli("trial-delete", "first", "--cascade", "--yes")
    assert (deleted.status, deleted.output) == (0, "")
    assert deleted.errors == (
        "trial first\n"
        "  trial component prepare: kept, because it is also in second\n"
        "  trial component shared: kept, because it is also in elsewhere\n"
        "Deleted the trial first.\n"
    )
    assert names(tracked) == ALL | {"Trial": ["elsewhere", "second"]}
    rest = smcli("trial-delete", "second", "--cascade", "--yes")
    assert rest.errors == ("trial second\n  trial component prepare\nDeleted the trial second.\n")
    assert names(tracked)["TrialComponent"] == ["shared"]
