"""What bare moto does with pipelines: it keeps texts, and runs nothing."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from contracts.gaps import gap

ROLE = "arn:aws:iam::123456789012:role/any"
PIPELINE = "arn:aws:sagemaker:ap-northeast-1:123456789012:pipeline/churn"
FAIL = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
TEXT = json.dumps({"Version": "2020-12-01", "Steps": [FAIL]})


@pytest.fixture
def sagemaker(bare_moto: None) -> BaseClient:
    """A client, and a pipeline of one step, which fails."""
    client = boto3.client("sagemaker")
    create(client)
    return client


def create(sagemaker: BaseClient, name: str = "churn", text: str = TEXT) -> None:
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE)


def start(sagemaker: BaseClient, **more: Any) -> str:
    started = sagemaker.start_pipeline_execution(PipelineName="churn", **more)
    return str(started["PipelineExecutionArn"])


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@gap("sagemaker:CreatePipeline", "takes a definition that is not JSON", "checks nothing in it")
@gap("sagemaker:UpdatePipeline", "checks nothing in the definition")
def test_any_text_is_a_definition(sagemaker: BaseClient) -> None:
    create(sagemaker, "odd", "no JSON")
    create(sagemaker, "empty", "{}")
    sagemaker.update_pipeline(PipelineName="odd", PipelineDefinition="nor this")
    assert sagemaker.describe_pipeline(PipelineName="odd")["PipelineDefinition"] == "nor this"


@gap("sagemaker:UpdatePipeline", "forgets the version before")
@gap("sagemaker:DescribePipeline", "takes no ARN", "knows no versions")
def test_there_are_no_versions(sagemaker: BaseClient) -> None:
    answer = sagemaker.update_pipeline(PipelineName="churn", PipelineDefinition="{}")
    assert "PipelineVersionId" not in answer
    told = sagemaker.describe_pipeline(PipelineName="churn", PipelineVersionId=1)
    assert told["PipelineDefinition"] == "{}"
    assert code_of(sagemaker.describe_pipeline, PipelineName=PIPELINE) == "ValidationException"


@gap("sagemaker:DescribePipeline", "answers `ValidationException` if there is none")
@gap("sagemaker:DeletePipeline", "answers `ValidationException` if there is none")
@gap(
    "sagemaker:DescribePipelineDefinitionForExecution",
    "answers `ValidationException` if there is none",
)
@gap(
    "sagemaker:ListPipelineParametersForExecution",
    "answers `ValidationException` if there is none",
)
def test_what_does_not_exist(sagemaker: BaseClient) -> None:
    execution = {"PipelineExecutionArn": f"{PIPELINE}/execution/none"}
    for call, arguments in (
        (sagemaker.describe_pipeline, {"PipelineName": "none"}),
        (sagemaker.delete_pipeline, {"PipelineName": "none"}),
        (sagemaker.describe_pipeline_definition_for_execution, execution),
        (sagemaker.list_pipeline_parameters_for_execution, execution),
    ):
        assert code_of(call, **arguments) == "ValidationException"


@gap("sagemaker:ListPipelines", "takes the prefix of a name for any part of it")
@gap("sagemaker:ListPipelines", "filters after cutting the page")
def test_lists_of_pipelines(sagemaker: BaseClient) -> None:
    create(sagemaker, "b")
    found = sagemaker.list_pipelines(PipelineNamePrefix="hurn")["PipelineSummaries"]
    assert [each["PipelineName"] for each in found] == ["churn"]
    found = sagemaker.list_pipelines(PipelineNamePrefix="b", MaxResults=1)
    assert found["PipelineSummaries"] == [] and "NextToken" in found


@gap(
    "sagemaker:StartPipelineExecution",
    "runs no step",
    "takes parameters that the definition does not have",
    "starts again when a request is repeated",
)
@gap("sagemaker:DescribePipelineExecution", "shows each execution as `Succeeded`")
def test_an_execution_is_nothing(sagemaker: BaseClient) -> None:
    token = "t" * 32
    unknown = [{"Name": "Unknown", "Value": "1"}]
    first = start(sagemaker, PipelineParameters=unknown, ClientRequestToken=token)
    assert start(sagemaker, ClientRequestToken=token) != first
    told = sagemaker.describe_pipeline_execution(PipelineExecutionArn=first)
    assert told["PipelineExecutionStatus"] == "Succeeded"


@gap(
    "sagemaker:ListPipelineExecutions",
    "ignores filters",
    "ignores `MaxResults`",
    "names `None` as the reason of failure",
)
@gap("sagemaker:ListPipelineParametersForExecution", "ignores `MaxResults`")
def test_lists_of_executions(sagemaker: BaseClient) -> None:
    given = [{"Name": name, "Value": "1"} for name in "ab"]
    arn = start(sagemaker, PipelineParameters=given)
    start(sagemaker)
    made = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["CreationTime"]
    params = {"PipelineName": "churn", "CreatedBefore": made, "MaxResults": 1}
    listed = sagemaker.list_pipeline_executions(**params)["PipelineExecutionSummaries"]
    assert len(listed) == 2
    assert {each["PipelineExecutionFailureReason"] for each in listed} == {"None"}
    page = {"PipelineExecutionArn": arn, "MaxResults": 1}
    shown = sagemaker.list_pipeline_parameters_for_execution(**page)
    assert shown["PipelineParameters"] == given
