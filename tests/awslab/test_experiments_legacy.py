"""Experiments, trials and trial components: names, order of deletion, lists, metrics."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from botocore.client import BaseClient
from botocore.exceptions import ClientError

PREFIX = "arn:aws:sagemaker:ap-northeast-1:111122223333"


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient]) -> Iterator[BaseClient]:
    """A lab with the experiment `churn`, its trial `first`, and the component `train` of it."""
    made = client("sagemaker")
    prepare(made)
    yield made
    CLOCK.run(None)


def prepare(sagemaker: BaseClient) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    sagemaker.create_experiment(ExperimentName="churn", Description="who leaves", Tags=tags)
    sagemaker.create_trial(TrialName="first", ExperimentName="churn")
    sagemaker.create_trial_component(
        TrialComponentName="train",
        DisplayName="Training",
        Parameters={"eta": {"NumberValue": 0.1}, "kind": {"StringValue": "xgb"}},
        Tags=tags,
    )
    sagemaker.associate_trial_component(TrialName="first", TrialComponentName="train")


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_all_are_told_as_they_were_made(sagemaker: BaseClient) -> None:
    told = sagemaker.describe_experiment(ExperimentName="churn")
    assert told["ExperimentArn"] == f"{PREFIX}:experiment/churn"
    assert (told["DisplayName"], told["Description"]) == ("churn", "who leaves")
    told = sagemaker.describe_trial(TrialName="first")
    assert told["TrialArn"] == f"{PREFIX}:experiment-trial/first"
    assert told["ExperimentName"] == "churn"
    told = sagemaker.describe_trial_component(TrialComponentName="train")
    assert told["TrialComponentArn"] == f"{PREFIX}:experiment-trial-component/train"
    assert told["DisplayName"] == "Training"
    assert told["Parameters"] == {"eta": {"NumberValue": 0.1}, "kind": {"StringValue": "xgb"}}
    for arn in ("experiment/churn", "experiment-trial-component/train"):
        found = sagemaker.list_tags(ResourceArn=f"{PREFIX}:{arn}")["Tags"]
        assert found == [{"Key": "team", "Value": "a"}]


@pytest.mark.parametrize(
    ("kind", "call", "arguments"),
    [
        ("Experiment", "create_experiment", {"ExperimentName": "churn"}),
        ("Trial", "create_trial", {"TrialName": "first", "ExperimentName": "churn"}),
        ("TrialComponent", "create_trial_component", {"TrialComponentName": "train"}),
    ],
)
def test_names_are_unique(
    sagemaker: BaseClient, kind: str, call: str, arguments: dict[str, str]
) -> None:
    code, message = refusal(getattr(sagemaker, call), **arguments)
    name = arguments[f"{kind}Name"]
    assert code == "ValidationException"
    assert message == (
        f"{kind} names must be unique within an AWS account and region. {kind} with name ({name}) "
        "already exists."
    )


@pytest.mark.parametrize(
    ("call", "arguments", "missing"),
    [
        ("describe_experiment", {"ExperimentName": "x"}, "Experiment 'experiment/x'"),
        ("update_experiment", {"ExperimentName": "x"}, "Experiment 'experiment/x'"),
        ("delete_experiment", {"ExperimentName": "x"}, "Experiment 'experiment/x'"),
        ("create_trial", {"TrialName": "t", "ExperimentName": "x"}, "Experiment 'experiment/x'"),
        ("list_trials", {"ExperimentName": "x"}, "Experiment 'experiment/x'"),
        ("describe_trial", {"TrialName": "x"}, "Trial 'experiment-trial/x'"),
        ("update_trial", {"TrialName": "x"}, "Trial 'experiment-trial/x'"),
        ("delete_trial", {"TrialName": "x"}, "Trial 'experiment-trial/x'"),
        ("list_trial_components", {"TrialName": "x"}, "Trial 'experiment-trial/x'"),
        (
            "associate_trial_component",
            {"TrialName": "first", "TrialComponentName": "x"},
            "TrialComponent 'experiment-trial-component/x'",
        ),
        (
            "disassociate_trial_component",
            {"TrialName": "x", "TrialComponentName": "train"},
            "Trial 'experiment-trial/x'",
        ),
        (
            "describe_trial_component",
            {"TrialComponentName": "x"},
            "TrialComponent 'experiment-trial-component/x'",
        ),
        (
            "update_trial_component",
            {"TrialComponentName": "x"},
            "TrialComponent 'experiment-trial-component/x'",
        ),
        (
            "delete_trial_component",
            {"TrialComponentName": "x"},
            "TrialComponent 'experiment-trial-component/x'",
        ),
    ],
)
def test_what_does_not_exist(
    sagemaker: BaseClient, call: str, arguments: dict[str, str], missing: str
) -> None:
    kind, _, arn = missing.partition(" '")
    message = f"{kind} '{PREFIX}:{arn} does not exist."
    assert refusal(getattr(sagemaker, call), **arguments) == ("ResourceNotFound", message)


def test_the_order_of_deletion(sagemaker: BaseClient) -> None:
    experiment, trial = {"ExperimentName": "churn"}, {"TrialName": "first"}
    component = {"TrialComponentName": "train"}
    for call, arguments, why in (
        (sagemaker.delete_experiment, experiment, "cannot be deleted: all trials"),
        (sagemaker.delete_trial, trial, "cannot be deleted: all trial components"),
        (sagemaker.delete_trial_component, component, "is linked to 1 or more trials and cannot"),
    ):
        code, message = refusal(call, **arguments)
        assert code == "ValidationException" and f"' {why}" in message
    sagemaker.disassociate_trial_component(**trial, **component)
    sagemaker.delete_trial_component(**component)
    sagemaker.delete_trial(**trial)
    assert sagemaker.delete_experiment(**experiment)["ExperimentArn"].endswith("/churn")
    for call, member in (
        (sagemaker.list_experiments, "ExperimentSummaries"),
        (sagemaker.list_trials, "TrialSummaries"),
        (sagemaker.list_trial_components, "TrialComponentSummaries"),
    ):
        assert call()[member] == []


def test_updates_change_what_they_name(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    CLOCK.advance(60)
    sagemaker.update_experiment(ExperimentName="churn", DisplayName="Churn")
    told = sagemaker.describe_experiment(ExperimentName="churn")
    assert (told["DisplayName"], told["Description"]) == ("Churn", "who leaves")
    assert told["LastModifiedTime"] > told["CreationTime"]
    sagemaker.update_trial(TrialName="first", DisplayName="First")
    assert sagemaker.describe_trial(TrialName="first")["DisplayName"] == "First"


def test_an_update_of_a_component_adds_and_removes(sagemaker: BaseClient) -> None:
    ended = datetime(2026, 11, 21, tzinfo=UTC)
    sagemaker.update_trial_component(
        TrialComponentName="train",
        Status={"PrimaryStatus": "Completed"},
        EndTime=ended,
        Parameters={"depth": {"NumberValue": 3.0}, "eta": {"NumberValue": 0.2}},
        ParametersToRemove=["kind", "never"],
        OutputArtifacts={"model": {"Value": "s3://amzn-s3-demo-bucket/model.tar.gz"}},
    )
    told = sagemaker.describe_trial_component(TrialComponentName="train")
    assert told["Parameters"] == {"depth": {"NumberValue": 3.0}, "eta": {"NumberValue": 0.2}}
    assert told["OutputArtifacts"]["model"]["Value"].endswith("model.tar.gz")
    assert (told["Status"], told["EndTime"]) == ({"PrimaryStatus": "Completed"}, ended)
    assert told["DisplayName"] == "Training"


def test_metrics_are_told(sagemaker: BaseClient, client: Any) -> None:
    data = [
        {"MetricName": "auc", "Timestamp": datetime(2026, 11, 21), "Step": step, "Value": value}
        for step, value in ((1, 0.5), (2, 0.75))
    ]
    client("sagemaker-metrics").batch_put_metrics(TrialComponentName="train", MetricData=data)
    (told,) = sagemaker.describe_trial_component(TrialComponentName="train")["Metrics"]
    shown = {name: told[name] for name in ("MetricName", "Min", "Max", "Last", "Count", "Avg")}
    assert shown == {
        "MetricName": "auc",
        "Min": 0.5,
        "Max": 0.75,
        "Last": 0.75,
        "Count": 2,
        "Avg": 0.625,
    }


def test_lists(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    CLOCK.advance(60)
    sagemaker.create_experiment(ExperimentName="a")
    sagemaker.create_trial(TrialName="second", ExperimentName="a")
    sagemaker.create_trial_component(TrialComponentName="alone")

    def names(call: Any, kind: str, **params: Any) -> list[str]:
        return [each[f"{kind}Name"] for each in call(**params)[f"{kind}Summaries"]]

    made = sagemaker.describe_experiment(ExperimentName="a")["CreationTime"]
    experiments = sagemaker.list_experiments
    assert names(experiments, "Experiment") == ["a", "churn"]
    assert names(experiments, "Experiment", SortOrder="Ascending") == ["churn", "a"]
    assert names(experiments, "Experiment", SortBy="Name", SortOrder="Ascending") == ["a", "churn"]
    assert names(experiments, "Experiment", CreatedBefore=made) == ["churn"]
    assert names(experiments, "Experiment", CreatedAfter=made) == ["a"]
    trials = sagemaker.list_trials
    assert names(trials, "Trial") == ["second", "first"]
    assert names(trials, "Trial", ExperimentName="churn") == ["first"]
    assert names(trials, "Trial", TrialComponentName="train") == ["first"]
    components = sagemaker.list_trial_components
    assert names(components, "TrialComponent") == ["alone", "train"]
    assert names(components, "TrialComponent", ExperimentName="churn") == ["train"]
    assert names(components, "TrialComponent", ExperimentName="a") == []
    assert names(components, "TrialComponent", TrialName="first") == ["train"]
    assert names(components, "TrialComponent", SourceArn=f"{PREFIX}:training-job/x") == []


def test_ten_experiments_are_a_page(sagemaker: BaseClient) -> None:
    for number in range(10):
        sagemaker.create_experiment(ExperimentName=f"e{number}")
    first = sagemaker.list_experiments()
    assert len(first["ExperimentSummaries"]) == 10
    rest = sagemaker.list_experiments(NextToken=first["NextToken"])
    assert [each["ExperimentName"] for each in rest["ExperimentSummaries"]] == ["churn"]


def test_an_association_counts_once(sagemaker: BaseClient) -> None:
    pair = {"TrialName": "first", "TrialComponentName": "train"}
    sagemaker.associate_trial_component(**pair)
    shown = sagemaker.list_trial_components(TrialName="first")["TrialComponentSummaries"]
    assert len(shown) == 1
    sagemaker.disassociate_trial_component(**pair)
    sagemaker.disassociate_trial_component(**pair)
    assert sagemaker.list_trial_components(TrialName="first")["TrialComponentSummaries"] == []


def test_search_finds_them(sagemaker: BaseClient) -> None:
    def found(resource: str, member: str, name: str, value: str) -> list[str]:
        wanted = {"Name": name, "Operator": "Equals", "Value": value}
        results = sagemaker.search(Resource=resource, SearchExpression={"Filters": [wanted]})
        return [each[member][f"{member}Name"] for each in results["Results"]]

    assert found("Experiment", "Experiment", "ExperimentName", "churn") == ["churn"]
    assert found("Experiment", "Experiment", "Tags.team", "a") == ["churn"]
    assert found("Experiment", "Experiment", "Tags.team", "b") == []
    assert found("ExperimentTrial", "Trial", "ExperimentName", "churn") == ["first"]
    component = "ExperimentTrialComponent"
    assert found(component, "TrialComponent", "Parents.TrialName", "first") == ["train"]


def test_over_http(lab_server: str) -> None:
    options = {"endpoint_url": lab_server, "region_name": "ap-northeast-1"}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sagemaker = boto3.client("sagemaker", **options, **keys)
    prepare(sagemaker)
    said = refusal(sagemaker.delete_experiment, ExperimentName="churn")
    assert said[0] == "ValidationException"
    assert refusal(sagemaker.describe_experiment, ExperimentName="x")[0] == "ResourceNotFound"
    shown = sagemaker.list_trial_components(ExperimentName="churn")["TrialComponentSummaries"]
    assert [each["TrialComponentName"] for each in shown] == ["train"]
