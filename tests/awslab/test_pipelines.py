"""Pipelines: definitions, parameters and references, and steps that really run."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import boto3
import pytest
from awslab.calls import CALLS
from awslab.clock import CLOCK
from awslab.embedded import embedded_lab
from awslab.services.sagemaker import hosting
from awslab.services.sagemaker.pipeline_definition import (
    Scope,
    Unresolved,
    holds,
    parse,
    resolve,
)
from awslab.services.sagemaker.pipeline_execution import Execution, duration
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "ap-northeast-1"
PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/churn"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
BUCKET = "amzn-s3-demo-bucket"
CLUSTER = {
    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
}
TRAIN = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "HyperParameters": {
        "objective": "binary:logistic",
        "num_round": "2",
        "max_depth": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Depth"}]}},
    },
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train.csv"}
            },
        }
    ],
    "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}
EVALUATE = (
    "import json; json.dump({'metrics': {'auc': {'value': 0.9}}}, "
    "open('/opt/ml/processing/evaluation/evaluation.json', 'w'))"
)

Json = dict[str, Any]


# --- definitions ----------------------------------------------------------------------------------


def step(name: str, kind: str, arguments: Any = None, **more: Any) -> Json:
    return {"Name": name, "Type": kind, "Arguments": arguments or {}} | more


def definition(*steps: Json, parameters: list[Json] | None = None, **more: Any) -> str:
    document = {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)}
    return json.dumps(document | more)


def process(name: str, command: str, **more: Any) -> Json:
    """A step that runs a shell command."""
    program = {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", command]}
    arguments = {"AppSpecification": program, "RoleArn": ROLE, "ProcessingResources": CLUSTER}
    return step(name, "Processing", arguments, **more)


def fail(name: str = "Fail", message: Any = "no", **more: Any) -> Json:
    return step(name, "Fail", {"ErrorMessage": message}, **more)


def callback(name: str, **more: Any) -> Json:
    queue = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/people"
    return step(name, "Callback", {"name": name}, SqsQueueUrl=queue, **more)


def condition(*conditions: Json, then: tuple[Json, ...] = (), other: tuple[Json, ...] = ()) -> Json:
    arguments = {"Conditions": list(conditions), "IfSteps": list(then), "ElseSteps": list(other)}
    return step("Check", "Condition", arguments)


def whole() -> str:
    """Train, evaluate, and register what is good enough."""
    artifact = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    folder = "/opt/ml/processing/evaluation"
    report = {
        "On": "/",
        "Values": [f"s3://{BUCKET}/eval", {"Get": "Execution.PipelineExecutionId"}],
    }
    output = {"S3Uri": {"Std:Join": report}, "LocalPath": folder, "S3UploadMode": "EndOfJob"}
    evaluate = {
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "-c", EVALUATE],
        },
        "RoleArn": ROLE,
        "ProcessingResources": CLUSTER,
        "ProcessingInputs": [
            {
                "InputName": "model",
                "S3Input": {
                    "S3Uri": artifact,
                    "LocalPath": "/opt/ml/processing/model",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]},
    }
    file = {"PropertyFileName": "Report", "OutputName": "evaluation"}
    auc = {
        "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
        "Path": "metrics.auc.value",
    }
    good = {
        "Type": "GreaterThanOrEqualTo",
        "LeftValue": {"Std:JsonGet": auc},
        "RightValue": {"Get": "Parameters.Limit"},
    }
    package = {
        "ModelPackageGroupName": "churn",
        "InferenceSpecification": {"Containers": [{"Image": IMAGE, "ModelDataUrl": artifact}]},
    }
    container = {"Image": IMAGE, "ModelDataUrl": artifact}
    model = {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    reason = {"Std:Join": {"On": " ", "Values": ["AUC below", {"Get": "Parameters.Limit"}]}}
    return definition(
        condition(
            good,
            then=(step("Register", "RegisterModel", package), step("Model", "Model", model)),
            other=(fail("TooBad", reason),),
        ),
        step(
            "Evaluate",
            "Processing",
            evaluate,
            PropertyFiles=[file | {"FilePath": "evaluation.json"}],
        ),
        step("Train", "Training", TRAIN, CacheConfig={"Enabled": True, "ExpireAfter": "PT1H"}),
        parameters=[
            {"Name": "Depth", "Type": "Integer", "DefaultValue": 2},
            {"Name": "Limit", "Type": "Float", "DefaultValue": 0.8},
        ],
        PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}},
    )


# --- the lab --------------------------------------------------------------------------------------


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient]) -> Iterator[BaseClient]:
    """A client of a lab with a bucket of training data and a queue `people`."""
    prepare(client("s3"))
    client("sqs").create_queue(QueueName="people")
    yield client("sagemaker")
    CLOCK.run(None)


def prepare(s3: BaseClient) -> None:
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    rows = "\n".join(f"{n % 2},{n % 2},{n}" for n in range(40))
    s3.put_object(Bucket=BUCKET, Key="train.csv", Body=rows.encode())


def create(sagemaker: BaseClient, text: str | None, **more: Any) -> str:
    request = {"PipelineName": "churn", "PipelineDefinition": text, "RoleArn": ROLE} | more
    given = {member: value for member, value in request.items() if value is not None}
    return str(sagemaker.create_pipeline(**given)["PipelineArn"])


def start(sagemaker: BaseClient, *parameters: tuple[str, str], **more: Any) -> str:
    given = [{"Name": name, "Value": value} for name, value in parameters]
    started = sagemaker.start_pipeline_execution(
        PipelineName="churn", PipelineParameters=given, **more
    )
    return str(started["PipelineExecutionArn"])


def run(sagemaker: BaseClient, *steps: Json, **more: Any) -> str:
    """Start a pipeline of these steps."""
    create(sagemaker, definition(*steps, **more))
    return start(sagemaker)


def told(sagemaker: BaseClient, arn: str) -> Json:
    return dict(sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))


def end(sagemaker: BaseClient, arn: str) -> Json:
    """What is told of an execution when it has ended."""
    until = time.monotonic() + 30
    while (now := told(sagemaker, arn))["PipelineExecutionStatus"] in ("Executing", "Stopping"):
        assert time.monotonic() < until, now
        time.sleep(0.01)
    return now


def steps_of(sagemaker: BaseClient, arn: str) -> dict[str, Json]:
    shown = sagemaker.list_pipeline_execution_steps(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )["PipelineExecutionSteps"]
    return {each["StepName"]: each for each in shown}


def states(sagemaker: BaseClient, arn: str) -> dict[str, str]:
    return {name: each["StepStatus"] for name, each in steps_of(sagemaker, arn).items()}


def messages(client: Any, number: int) -> list[Json]:
    """The next messages that steps have sent to the queue, in the order of their steps."""
    sqs = client("sqs")
    found: list[Json] = []
    queue, until = sqs.get_queue_url(QueueName="people")["QueueUrl"], time.monotonic() + 20
    while len(found) < number and time.monotonic() < until:
        for each in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
            found.append(json.loads(each["Body"]))
        time.sleep(0.01)
    assert len(found) == number
    return sorted(found, key=lambda message: message["arguments"]["name"])


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# --- what is a definition -------------------------------------------------------------------------

EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "The definition is not valid JSON."),
        ("[" * 20_000, "The definition is not valid JSON."),
        ("[]", "Expecting start of Json Object."),
        ("{}", "Version must be one of 2020-12-01."),
        ('{"Version": "2020-12-01"}', "Expecting start of Json Array."),
        (definition(), "The definition must have at least one step."),
        (definition(Steps=[5]), "Expecting start of Json Object."),
        (definition(step("a", "Magic")), "Unknown step type 'Magic' of step 'a'."),
        (
            definition(step("a b", "Fail")),
            "Each step must have a Name of at most 64 letters, digits, '-' and '_'.",
        ),
        (
            definition(fail("a"), fail("a")),
            "Step names must be unique. Duplicate step name: 'a'.",
        ),
        (
            definition(fail("a"), condition(EQUAL, then=(fail("a"),))),
            "Step names must be unique. Duplicate step name: 'a'.",
        ),
        (
            definition(fail("a", DependsOn=["b"])),
            "Step 'a' depends on unknown step 'b'.",
        ),
        (
            definition(fail("a", {"Get": "Steps.b.Outcome"})),
            "Step 'a' depends on unknown step 'b'.",
        ),
        (
            definition(fail("a", {"Get": "Parameters.Depth"})),
            "Step 'a' refers to unknown parameter 'Depth'.",
        ),
        (
            definition(fail("a", {"Get": "Nothing"})),
            "Step 'a' has an invalid reference 'Nothing'.",
        ),
        (
            definition(fail("a", DependsOn=["b"]), fail("b", DependsOn=["a"])),
            "The steps a, b depend on each other.",
        ),
        (
            definition(fail("a", DependsOn=[{"Step": "b", "Trigger": "No"}])),
            "Step 'a' has an invalid DependsOn.",
        ),
        (definition(step("a", "Training", {"Foo": 1})), "Unknown Argument member 'Foo'"),
        (definition(step("a", "Fail", {"Get": "Parameters.A"})), "Unknown Argument member 'Get'"),
        (
            definition(step("a", "Training", {"InputDataConfig": {"Get2": 1}})),
            "Expecting start of Json Array.",
        ),
        (
            definition(step("a", "Training", {"AlgorithmSpecification": "xgboost"})),
            "Expecting start of Json Object.",
        ),
        (
            definition(
                step("a", "Training", {"AlgorithmSpecification": {"TrainingInputMode": "Fast"}})
            ),
            "Model Validation failed: Value 'Fast' for 'TrainingInputMode' failed to satisfy enum "
            "value set: [Pipe, File, FastFile]",
        ),
        (definition(condition({"Type": "Maybe"})), "Unknown condition type 'Maybe'."),
        (definition(step("a", "Condition", {})), "Expecting start of Json Array."),
        (
            definition(fail(), parameters=[{"Name": "A", "Type": "List"}]),
            "Parameter 'A' must have a Type of String, Integer, Float, Boolean.",
        ),
        (
            definition(fail(), parameters=[{"Name": "A", "Type": "String"}] * 2),
            "Parameter names must be unique. Duplicate parameter name: 'A'.",
        ),
        (
            definition(fail(), parameters=[{"Name": "A", "Type": "Integer", "DefaultValue": "1"}]),
            "The DefaultValue of parameter 'A' is not of type Integer.",
        ),
        (
            definition(fail(), parameters=[{"Name": "A", "Type": "Integer", "DefaultValue": True}]),
            "The DefaultValue of parameter 'A' is not of type Integer.",
        ),
        (
            definition(process("a", "true", PropertyFiles=[{"OutputName": "o"}])),
            "Step 'a' has an incomplete property file.",
        ),
    ],
)
def test_what_is_no_definition(client: Any, text: str, message: str) -> None:
    sagemaker = client("sagemaker")
    said = refusal(create, sagemaker, text)
    assert said == ("ValidationException", f"Unable to parse pipeline definition. {message}")
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []


def test_a_definition_comes_as_text_or_from_s3(sagemaker: BaseClient, client: Any) -> None:
    place = {"Bucket": BUCKET, "ObjectKey": "pipeline.json"}
    said = refusal(create, sagemaker, definition(fail()), PipelineDefinitionS3Location=place)
    assert said[1].startswith("Both Pipeline Definition and Pipeline Definition S3 Location")
    said = refusal(create, sagemaker, None)
    assert said[1].startswith("Either Pipeline Definition or Pipeline Definition S3 location")
    code, message = refusal(create, sagemaker, None, PipelineDefinitionS3Location=place)
    assert code == "ValidationException"
    assert message.startswith("Unable to read the pipeline definition from S3:")
    text = definition(fail())
    client("s3").put_object(Bucket=BUCKET, Key="pipeline.json", Body=text.encode())
    create(sagemaker, None, PipelineDefinitionS3Location=place)
    assert sagemaker.describe_pipeline(PipelineName="churn")["PipelineDefinition"] == text


# --- references and conditions --------------------------------------------------------------------


@pytest.fixture
def scope(client: Callable[..., BaseClient]) -> Scope:
    s3 = client("s3")
    prepare(s3)
    s3.put_object(Bucket=BUCKET, Key="eval/report.json", Body=b'{"a": [{"b": 1}], "c d": 2}')
    s3.put_object(Bucket=BUCKET, Key="eval/odd.json", Body=b"odd")
    files = [
        {"PropertyFileName": name, "OutputName": "evaluation", "FilePath": f"{name}.json"}
        for name in ("report", "odd", "none")
    ]
    text = definition(process("Evaluate", "true", PropertyFiles=files))
    output = {"OutputName": "evaluation", "S3Output": {"S3Uri": f"s3://{BUCKET}/eval/"}}
    outputs = {"Evaluate": {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "x"}, output]}}}
    parameters = {"Depth": 3, "Fast": True, "Name": "xgb", "Rate": 0.5}
    return Scope(parse(text), parameters, {"PipelineName": "churn"}, outputs)


def json_get(name: str, path: str) -> Json:
    file = {"Get": f"Steps.Evaluate.PropertyFiles.{name}"}
    return {"Std:JsonGet": {"PropertyFile": file, "Path": path}}


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("text", "text"),
        ({"Get": "Parameters.Depth"}, 3),
        ({"Get": "Execution.PipelineName"}, "churn"),
        ({"a": [{"Get": "Parameters.Fast"}, 1]}, {"a": [True, 1]}),
        ({"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs[0].OutputName"}, "x"),
        (
            {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"},
            f"s3://{BUCKET}/eval/",
        ),
        (
            {
                "Std:Join": {
                    "On": "-",
                    "Values": [
                        "a",
                        {"Get": "Parameters.Depth"},
                        {"Get": "Parameters.Fast"},
                        {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Rate"}, "x"]}},
                    ],
                }
            },
            "a-3-true-0.5x",
        ),
        (json_get("report", "a[0].b"), 1),
        (json_get("report", "['c d']"), 2),
        ({"Std:JsonGet": {"S3Uri": f"s3://{BUCKET}/eval/report.json", "Path": "a[0]"}}, {"b": 1}),
    ],
)
def test_what_references_mean(scope: Scope, value: Any, meaning: Any) -> None:
    assert resolve(value, scope) == meaning


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Get": "Parameters.None"}, "Property reference [Parameters.None] cannot be resolved."),
        ({"Get": "Steps.Train.X"}, "Property reference [Steps.Train.X] cannot be resolved."),
        ({"Get": "Steps.Evaluate.X"}, "Property reference [Steps.Evaluate.X] cannot be resolved."),
        (
            {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs[9]"},
            "Property reference [Steps.Evaluate.ProcessingOutputConfig.Outputs[9]] cannot be "
            "resolved.",
        ),
        ({"Std:Join": {"On": "/"}}, "Std:Join needs On and Values."),
        (json_get("report", "a[1]"), f"Invalid json path 'a[1]' in s3://{BUCKET}/eval/report.json"),
        (
            json_get("report", "a..[b"),
            f"Invalid json path 'a..[b' in s3://{BUCKET}/eval/report.json",
        ),
        (
            json_get("odd", "a"),
            f"Contents of file s3://{BUCKET}/eval/odd.json are not in valid JSON format.",
        ),
        (
            json_get("none", "a"),
            f"Unable to read s3://{BUCKET}/eval/none.json: No object eval/none.json in the bucket "
            f"{BUCKET}",
        ),
        (
            json_get("other", "a"),
            "Property file [Steps.Evaluate.PropertyFiles.other] is not defined.",
        ),
        ({"Std:JsonGet": {"Path": 5}}, "Std:JsonGet needs PropertyFile or S3Uri, and Path."),
    ],
)
def test_references_that_lead_nowhere(scope: Scope, value: Any, message: str) -> None:
    with pytest.raises(Unresolved) as caught:
        resolve(value, scope)
    assert str(caught.value) == message


def compare(kind: str, right: Any) -> Json:
    return {"Type": kind, "LeftValue": {"Get": "Parameters.Depth"}, "RightValue": right}


@pytest.mark.parametrize(
    ("asked", "true"),
    [
        (compare("Equals", 3), True),
        (compare("Equals", "3"), False),
        (compare("GreaterThan", 2), True),
        (compare("GreaterThan", 3), False),
        (compare("GreaterThanOrEqualTo", 3), True),
        (compare("LessThan", 3), False),
        (compare("LessThanOrEqualTo", 3.0), True),
        ({"Type": "In", "QueryValue": {"Get": "Parameters.Name"}, "Values": ["a", "xgb"]}, True),
        ({"Type": "In", "QueryValue": 4, "Values": [{"Get": "Parameters.Depth"}]}, False),
        ({"Type": "Not", "Condition": compare("Equals", 3)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 4), compare("Equals", 3)]}, True),
        ({"Type": "Or", "Conditions": []}, False),
    ],
)
def test_conditions(scope: Scope, asked: Json, true: bool) -> None:
    assert holds(asked, scope) is true


def test_what_cannot_be_compared(scope: Scope) -> None:
    with pytest.raises(Unresolved, match="not supported between 3 and 'a'"):
        holds(compare("LessThan", "a"), scope)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("PT12H", 12), ("T12H", 12), ("P4DT12H", 108), ("p30d", 720), ("P1Y", 8760), ("odd", 0)],
)
def test_durations(text: str, hours: int) -> None:
    assert duration(text).total_seconds() == hours * 3600


# --- executions that do real work -----------------------------------------------------------------


def test_a_pipeline_trains_evaluates_and_registers(sagemaker: BaseClient) -> None:
    assert create(sagemaker, whole()) == PIPELINE
    arn = start(sagemaker)
    first = told(sagemaker, arn)
    assert first["PipelineExecutionStatus"] == "Executing"
    last = end(sagemaker, arn)
    assert last["PipelineExecutionStatus"] == "Succeeded", steps_of(sagemaker, arn)
    assert last["PipelineExperimentConfig"] == {"ExperimentName": "churn"}
    shown = steps_of(sagemaker, arn)
    assert [(name, each["StepStatus"]) for name, each in shown.items()][:3] == [
        ("Train", "Succeeded"),
        ("Evaluate", "Succeeded"),
        ("Check", "Succeeded"),
    ]
    assert set(shown) == {"Train", "Evaluate", "Check", "Register", "Model"}
    assert shown["Check"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert shown["Train"]["EndTime"] <= shown["Evaluate"]["StartTime"]
    identifier = arn.rpartition("/")[2]
    job = shown["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    assert job.startswith(f"pipelines-{identifier}-Train-")
    trained = sagemaker.describe_training_job(TrainingJobName=job)
    assert trained["HyperParameters"]["max_depth"] == "2"
    artifact = trained["ModelArtifacts"]["S3ModelArtifacts"]
    package = shown["Register"]["Metadata"]["RegisterModel"]["Arn"]
    version = sagemaker.describe_model_package(ModelPackageName=package)
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    (container,) = version["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == artifact
    model = shown["Model"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    made = sagemaker.describe_model(ModelName=model)
    assert made["PrimaryContainer"]["ModelDataUrl"] == artifact

    again = start(sagemaker, ("Limit", "0.95"))
    last = end(sagemaker, again)
    assert last["PipelineExecutionStatus"] == "Failed"
    assert last["FailureReason"] == "Step failure: One or multiple steps failed."
    shown = steps_of(sagemaker, again)
    assert set(shown) == {"Train", "Evaluate", "Check", "TooBad"}
    assert shown["Check"]["Metadata"] == {"Condition": {"Outcome": "False"}}
    assert shown["TooBad"]["FailureReason"] == "AUC below 0.95"
    assert shown["TooBad"]["Metadata"] == {"Fail": {"ErrorMessage": "AUC below 0.95"}}
    assert shown["Train"]["CacheHitResult"] == {"SourcePipelineExecutionArn": arn}
    assert shown["Train"]["Metadata"]["TrainingJob"]["Arn"].endswith(job)

    third = start(sagemaker, ("Depth", "3"))
    assert end(sagemaker, third)["PipelineExecutionStatus"] == "Succeeded"
    assert "CacheHitResult" not in steps_of(sagemaker, third)["Train"]


def test_a_failed_job_fails_the_step_and_what_depends_on_it(sagemaker: BaseClient) -> None:
    arn = run(
        sagemaker,
        process("Bad", "echo broken >&2; exit 3"),
        process("After", "true", DependsOn=["Bad"]),
        process("Beside", "true"),
    )
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    shown = steps_of(sagemaker, arn)
    assert states(sagemaker, arn) == {"Bad": "Failed", "Beside": "Succeeded"}
    name = shown["Bad"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert shown["Bad"]["FailureReason"] == job["FailureReason"]
    assert "exit code: 3" in job["FailureReason"] or "3" in job["FailureReason"]


def test_what_an_operation_refuses_is_the_reason_of_the_failure(sagemaker: BaseClient) -> None:
    lost = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
    lost["PrimaryContainer"]["ModelDataUrl"] = f"s3://{BUCKET}/none"  # type: ignore[index]
    arn = run(sagemaker, step("Model", "Model", lost))
    end(sagemaker, arn)
    shown = steps_of(sagemaker, arn)["Model"]
    assert shown["StepStatus"] == "Failed"
    assert shown["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateModel. Error Details: Could not find model "
        f"data at s3://{BUCKET}/none."
    )
    assert "Metadata" not in shown


def test_a_reference_that_leads_nowhere_fails_the_step(sagemaker: BaseClient) -> None:
    nowhere = {"Get": "Steps.First.ModelArtifacts.S3ModelArtifacts"}
    arn = run(sagemaker, process("First", "true"), fail("Second", nowhere))
    end(sagemaker, arn)
    assert steps_of(sagemaker, arn)["Second"]["FailureReason"] == (
        f"ClientError: Property reference [{nowhere['Get']}] cannot be resolved."
    )


def test_kinds_of_steps_that_the_lab_does_not_run(sagemaker: BaseClient) -> None:
    arn = run(sagemaker, step("Notify", "Lambda", {}, FunctionArn="arn"))
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    reason = steps_of(sagemaker, arn)["Notify"]["FailureReason"]
    assert reason == "The lab does not run steps of type Lambda."


def test_a_step_may_wait_for_a_failure(sagemaker: BaseClient) -> None:
    arn = run(
        sagemaker,
        fail("Bad"),
        process("CleanUp", "true", DependsOn=[{"Step": "Bad", "Trigger": "Failed"}]),
        process("After", "true", DependsOn=["CleanUp"]),
        process("Never", "true", DependsOn=["Bad"]),
    )
    last = end(sagemaker, arn)
    assert last["PipelineExecutionStatus"] == "CompletedWithFailures"
    wanted = {"Bad": "Failed", "CleanUp": "Succeeded", "After": "Succeeded"}
    assert states(sagemaker, arn) == wanted


def test_names_that_a_definition_gives_are_prefixes(sagemaker: BaseClient) -> None:
    named = process("one_step", "true")
    named["Arguments"]["ProcessingJobName"] = "mine"
    arn = run(sagemaker, named, process("other_step", "true"))
    end(sagemaker, arn)
    shown, identifier = steps_of(sagemaker, arn), arn.rpartition("/")[2]
    jobs = {
        name: each["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
        for name, each in shown.items()
    }
    assert jobs["one_step"].startswith(f"mine-{identifier}-")
    assert jobs["other_step"].startswith(f"pipelines-{identifier}-other-step-")


def test_jobs_of_steps_are_calls_of_the_account_but_their_looks_are_not(
    sagemaker: BaseClient,
) -> None:
    arn = run(sagemaker, process("One", "true"))
    end(sagemaker, arn)
    operations = [call.operation for call in CALLS]
    assert operations.count("CreateProcessingJob") == 1
    assert "DescribeProcessingJob" not in operations
    (made,) = [call for call in CALLS if call.operation == "CreateProcessingJob"]
    assert (made.account, made.region) == (ACCOUNT, REGION)


# --- callbacks ------------------------------------------------------------------------------------


def test_a_callback_waits_for_somebody(sagemaker: BaseClient, client: Any) -> None:
    outcome = {"Get": "Steps.Ask.OutputParameters['answer']"}
    arn = run(
        sagemaker,
        callback("Ask", OutputParameters=[{"OutputName": "answer", "OutputType": "String"}]),
        fail("Told", {"Std:Join": {"On": " ", "Values": ["They said", outcome]}}),
    )
    (message,) = messages(client, 1)
    assert message["pipelineExecutionArn"] == arn
    assert (message["arguments"], message["status"]) == ({"name": "Ask"}, "Executing")
    began = time.monotonic()
    assert states(sagemaker, arn) == {"Ask": "Executing"}
    assert told(sagemaker, arn)["PipelineExecutionStatus"] == "Executing"
    assert time.monotonic() - began < 3  # it does not wait for what cannot come
    token = {"CallbackToken": message["token"]}
    answer = [{"Name": "answer", "Value": "no"}]
    answered = sagemaker.send_pipeline_execution_step_success(**token, OutputParameters=answer)
    assert answered["PipelineExecutionArn"] == arn
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    shown = steps_of(sagemaker, arn)
    assert shown["Ask"]["Metadata"]["Callback"]["OutputParameters"] == answer
    assert shown["Told"]["FailureReason"] == "They said no"
    code, _ = refusal(sagemaker.send_pipeline_execution_step_success, **token)
    assert code == "ResourceNotFound"


def test_somebody_may_answer_no(sagemaker: BaseClient, client: Any) -> None:
    arn = run(sagemaker, callback("Ask"))
    (message,) = messages(client, 1)
    sagemaker.send_pipeline_execution_step_failure(
        CallbackToken=message["token"], FailureReason="not good"
    )
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    assert steps_of(sagemaker, arn)["Ask"]["FailureReason"] == "not good"


def test_a_queue_that_does_not_exist(sagemaker: BaseClient) -> None:
    arn = run(sagemaker, callback("Ask") | {"SqsQueueUrl": "https://sqs/none"})
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    reason = steps_of(sagemaker, arn)["Ask"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to send a message to https://sqs/none:")


def answer(sagemaker: BaseClient, message: Json) -> None:
    sagemaker.send_pipeline_execution_step_success(CallbackToken=message["token"])


def test_steps_run_side_by_side_unless_that_is_limited(sagemaker: BaseClient, client: Any) -> None:
    create(sagemaker, definition(callback("a"), callback("b")))
    arn = start(sagemaker)
    both = messages(client, 2)
    assert states(sagemaker, arn) == {"a": "Executing", "b": "Executing"}
    for message in both:
        answer(sagemaker, message)
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"

    arn = start(sagemaker, ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    (first,) = messages(client, 1)
    time.sleep(0.1)
    answer(sagemaker, first)
    (second,) = messages(client, 1)
    assert first["token"] != second["token"]
    answer(sagemaker, second)
    last = end(sagemaker, arn)
    assert last["PipelineExecutionStatus"] == "Succeeded"
    assert last["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}
    shown = steps_of(sagemaker, arn)
    assert len(shown) == 2


# --- stop and retry -------------------------------------------------------------------------------


def test_a_stop_ends_the_running_job(sagemaker: BaseClient) -> None:
    arn = run(sagemaker, process("Long", "sleep 60"), process("After", "true", DependsOn=["Long"]))
    until = time.monotonic() + 20
    while not sagemaker.list_processing_jobs()["ProcessingJobSummaries"]:
        assert time.monotonic() < until
    began = time.monotonic()
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert told(sagemaker, arn)["PipelineExecutionStatus"] == "Stopping"
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Stopped"
    assert time.monotonic() - began < 10
    assert states(sagemaker, arn) == {"Long": "Stopped"}
    (job,) = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    assert job["ProcessingJobStatus"] in ("Stopping", "Stopped")
    code, message = refusal(sagemaker.stop_pipeline_execution, PipelineExecutionArn=arn)
    assert code == "ConflictException" and "is Stopped" in message


def test_a_stop_tells_those_who_are_asked(sagemaker: BaseClient, client: Any) -> None:
    arn = run(sagemaker, callback("Ask"))
    (message,) = messages(client, 1)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    (stopping,) = messages(client, 1)
    assert (stopping["status"], stopping["token"]) == ("Stopping", message["token"])
    assert told(sagemaker, arn)["PipelineExecutionStatus"] == "Stopping"
    answer(sagemaker, message)
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Stopped"
    assert states(sagemaker, arn) == {"Ask": "Stopped"}


def test_a_retry_goes_on_where_it_failed(sagemaker: BaseClient, client: Any) -> None:
    arn = run(sagemaker, process("First", "true"), callback("Ask", DependsOn=["First"]))
    (message,) = messages(client, 1)
    before = steps_of(sagemaker, arn)["First"]
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=message["token"])
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    assert sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn) is not None
    assert told(sagemaker, arn)["PipelineExecutionStatus"] == "Executing"
    assert refusal(sagemaker.retry_pipeline_execution, PipelineExecutionArn=arn)[0] == (
        "ConflictException"
    )
    answer(sagemaker, messages(client, 1)[0])
    last = end(sagemaker, arn)
    assert last["PipelineExecutionStatus"] == "Succeeded" and "FailureReason" not in last
    assert steps_of(sagemaker, arn)["First"] == before
    code, _ = refusal(sagemaker.retry_pipeline_execution, PipelineExecutionArn=arn)
    assert code == "ConflictException"


def test_selected_steps_take_over_what_was_done_before(sagemaker: BaseClient) -> None:
    arn = run(sagemaker, process("First", "true"), process("Second", "true", DependsOn=["First"]))
    end(sagemaker, arn)
    selected = {"SelectedSteps": [{"StepName": "Second"}]}
    code, message = refusal(start, sagemaker, SelectiveExecutionConfig=selected)
    assert (code, message) == (
        "ValidationException",
        "Invalid SourcePipelineExecutionArn: null. The selected steps [Second] have dependencies "
        "on [First]",
    )
    selected["SourcePipelineExecutionArn"] = arn  # type: ignore[assignment]
    again = start(sagemaker, SelectiveExecutionConfig=selected)
    assert end(sagemaker, again)["PipelineExecutionStatus"] == "Succeeded"
    first, then = steps_of(sagemaker, arn), steps_of(sagemaker, again)
    assert then["First"]["Metadata"] == first["First"]["Metadata"]
    assert then["Second"]["Metadata"] != first["Second"]["Metadata"]
    unknown = {"SelectedSteps": [{"StepName": "x"}]}
    code, message = refusal(start, sagemaker, SelectiveExecutionConfig=unknown)
    assert message == "Selected steps [x] are not in the pipeline."


# --- parameters -----------------------------------------------------------------------------------

PARAMETERS: list[Json] = [
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Rate", "Type": "Float"},
    {"Name": "Fast", "Type": "Boolean", "DefaultValue": False},
    {"Name": "Size", "Type": "String", "DefaultValue": "s", "EnumValues": ["s", "m"]},
]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "Parameters [Rate] do not have default values."),
        (
            [("Rate", "1"), ("X", "1"), ("A", "1")],
            "Unknown parameters: [A, X] are not defined in the pipeline.",
        ),
        ([("Rate", "fast")], "Parameter 'Rate' must be of type Float, not 'fast'."),
        (
            [("Rate", "1"), ("Count", "1.5")],
            "Parameter 'Count' must be of type Integer, not '1.5'.",
        ),
        (
            [("Rate", "1"), ("Fast", "yes")],
            "Parameter 'Fast' must be of type Boolean, not 'yes'.",
        ),
        ([("Rate", "1"), ("Size", "l")], "Parameter 'Size' must be one of ['s', 'm']."),
        ([("Rate", "")], '[string "" is too short (length: 0, required minimum: 1)]'),
    ],
)
def test_parameters_that_are_refused(
    sagemaker: BaseClient, given: list[tuple[str, str]], message: str
) -> None:
    create(sagemaker, definition(fail(), parameters=PARAMETERS))
    assert refusal(start, sagemaker, *given) == ("ValidationException", message)
    listed = sagemaker.list_pipeline_executions(PipelineName="churn")
    assert listed["PipelineExecutionSummaries"] == []


def test_parameters_have_types_and_defaults(sagemaker: BaseClient) -> None:
    names = ("Count", "Rate", "Fast", "Size")
    values = [{"Get": f"Parameters.{name}"} for name in names]
    text = definition(
        fail(message={"Std:Join": {"On": ",", "Values": values}}), parameters=PARAMETERS
    )
    create(sagemaker, text)
    arn = start(sagemaker, ("Rate", "0.50"), ("Fast", "True"))
    end(sagemaker, arn)
    assert steps_of(sagemaker, arn)["Fail"]["FailureReason"] == "1,0.5,true,s"
    listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    shown = [{"Name": "Rate", "Value": "0.50"}, {"Name": "Fast", "Value": "True"}]
    assert listed["PipelineParameters"] == shown
    page = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn, MaxResults=1)
    assert (page["PipelineParameters"], page["NextToken"]) == (shown[:1], "1")


# --- pipelines ------------------------------------------------------------------------------------


def test_a_pipeline_is_told_by_name_and_arn(sagemaker: BaseClient) -> None:
    text = definition(fail())
    create(sagemaker, text, PipelineDescription="d", Tags=[{"Key": "a", "Value": "b"}])
    for name in ("churn", PIPELINE):
        shown = sagemaker.describe_pipeline(PipelineName=name)
        assert shown["PipelineArn"] == PIPELINE
        assert shown["PipelineDisplayName"] == "churn"
        assert (shown["PipelineDefinition"], shown["PipelineDescription"]) == (text, "d")
        assert (shown["PipelineStatus"], shown["RoleArn"]) == ("Active", ROLE)
        assert "LastRunTime" not in shown
    assert sagemaker.list_tags(ResourceArn=PIPELINE)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_name_is_given_once_but_a_request_may_be_repeated(sagemaker: BaseClient) -> None:
    token = "t" * 32
    create(sagemaker, definition(fail()), ClientRequestToken=token)
    assert create(sagemaker, definition(fail()), ClientRequestToken=token) == PIPELINE
    said = refusal(create, sagemaker, definition(fail()))
    assert said == (
        "ValidationException",
        "Pipeline names must be unique within an AWS account and region. Pipeline with name "
        "(churn) already exists.",
    )
    first = start(sagemaker, ClientRequestToken=token)
    assert start(sagemaker, ClientRequestToken=token) == first
    assert start(sagemaker) != first


def test_what_does_not_exist(sagemaker: BaseClient) -> None:
    arn = f"{PIPELINE}/execution/abc"
    missing = ("ResourceNotFound", f"Pipeline '{PIPELINE}' does not exist.")
    for operation in ("describe_pipeline", "list_pipeline_executions", "list_pipeline_versions"):
        assert refusal(getattr(sagemaker, operation), PipelineName="churn") == missing
    assert refusal(start, sagemaker) == missing
    assert refusal(sagemaker.delete_pipeline, PipelineName="churn") == missing
    assert refusal(sagemaker.update_pipeline, PipelineName="churn") == missing
    missing = ("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
    for operation in (
        "describe_pipeline_execution",
        "describe_pipeline_definition_for_execution",
        "list_pipeline_execution_steps",
        "list_pipeline_parameters_for_execution",
        "stop_pipeline_execution",
        "retry_pipeline_execution",
        "update_pipeline_execution",
    ):
        assert refusal(getattr(sagemaker, operation), PipelineExecutionArn=arn) == missing


def test_versions_and_aliases(sagemaker: BaseClient) -> None:
    texts = [definition(fail(message=str(number))) for number in (1, 2, 3)]
    create(sagemaker, texts[0], PipelineVersionAliases=["live"])
    update = sagemaker.update_pipeline
    assert update(PipelineName="churn", PipelineDefinition=texts[1])["PipelineVersionId"] == 2
    assert update(PipelineName="churn", PipelineDescription="d")["PipelineVersionId"] == 2
    code, _ = refusal(update, PipelineName="churn", PipelineDefinition="{}")
    assert code == "ValidationException"
    describe = sagemaker.describe_pipeline
    assert describe(PipelineName="churn")["PipelineDefinition"] == texts[1]
    live = describe(PipelineName="churn", PipelineVersionAlias="live")
    assert live["PipelineDefinition"] == texts[0]
    assert live["PipelineVersionAliases"] == ["live"]
    sagemaker.update_pipeline_version(
        PipelineArn=PIPELINE,
        PipelineVersionId=2,
        PipelineVersionDescription="second",
        PipelineVersionAliasOperations={"Add": ["live", "next"], "Remove": ["x"]},
    )
    shown = sagemaker.list_pipeline_versions(PipelineName="churn", SortOrder="Ascending")
    versions = {v["PipelineVersionId"]: v for v in shown["PipelineVersionSummaries"]}
    assert "PipelineVersionAliases" not in versions[1]
    assert versions[2]["PipelineVersionAliases"] == ["live", "next"]
    assert versions[2]["PipelineVersionDescription"] == "second"
    arn = start(sagemaker, PipelineVersionId=1)
    end(sagemaker, arn)
    assert steps_of(sagemaker, arn)["Fail"]["FailureReason"] == "1"
    assert told(sagemaker, arn)["PipelineVersionId"] == 1
    code, _ = refusal(start, sagemaker, PipelineVersionId=9)
    assert code == "ResourceNotFound"


def test_an_execution_keeps_its_definition(sagemaker: BaseClient) -> None:
    text = definition(fail())
    arn = run(sagemaker, fail())
    sagemaker.update_pipeline(PipelineName="churn", PipelineDefinition=definition(fail("Other")))
    shown = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert shown["PipelineDefinition"] == text
    sagemaker.update_pipeline_execution(
        PipelineExecutionArn=arn, PipelineExecutionDisplayName="mine"
    )
    assert told(sagemaker, arn)["PipelineExecutionDisplayName"] == "mine"


def test_a_running_pipeline_cannot_be_deleted(sagemaker: BaseClient, client: Any) -> None:
    arn = run(sagemaker, callback("Ask"))
    (message,) = messages(client, 1)
    code, _ = refusal(sagemaker.delete_pipeline, PipelineName="churn")
    assert code == "ConflictException"
    answer(sagemaker, message)
    end(sagemaker, arn)
    assert sagemaker.delete_pipeline(PipelineName="churn")["PipelineArn"] == PIPELINE
    assert refusal(told, sagemaker, arn)[0] == "ResourceNotFound"
    create(sagemaker, definition(fail()))
    listed = sagemaker.list_pipeline_executions(PipelineName="churn")
    assert listed["PipelineExecutionSummaries"] == []


def test_lists(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    create(sagemaker, definition(fail()))
    CLOCK.advance(60)
    create(sagemaker, definition(fail()), PipelineName="a-churn")
    prefix = sagemaker.list_pipelines(PipelineNamePrefix="churn")["PipelineSummaries"]
    assert [each["PipelineName"] for each in prefix] == ["churn"]
    both = sagemaker.list_pipelines()["PipelineSummaries"]
    assert [each["PipelineName"] for each in both] == ["a-churn", "churn"]
    assert sagemaker.list_pipelines(ManagedBy="AWS")["PipelineSummaries"] == []
    arns = []
    for _ in range(3):
        arns.append(start(sagemaker))
        end(sagemaker, arns[-1])
        CLOCK.advance(60)

    def listed(**params: Any) -> list[str]:
        shown = sagemaker.list_pipeline_executions(PipelineName="churn", **params)
        return [each["PipelineExecutionArn"] for each in shown["PipelineExecutionSummaries"]]

    assert listed() == arns[::-1]
    assert listed(SortOrder="Ascending", MaxResults=2) == arns[:2]
    at = told(sagemaker, arns[1])["CreationTime"]
    assert listed(CreatedBefore=at) == arns[:1]
    (first, *_) = sagemaker.list_pipeline_executions(PipelineName="churn")[
        "PipelineExecutionSummaries"
    ]
    assert first["PipelineExecutionStatus"] == "Failed"
    assert first["PipelineExecutionFailureReason"].startswith("Step failure:")
    pipeline = sagemaker.list_pipelines(PipelineNamePrefix="churn")["PipelineSummaries"][0]
    assert pipeline["LastExecutionTime"] > at


def test_search_finds_executions(sagemaker: BaseClient) -> None:
    arn = run(sagemaker, fail())
    end(sagemaker, arn)
    for resource, member, name in (
        ("Pipeline", "PipelineArn", PIPELINE),
        ("PipelineExecution", "PipelineExecutionArn", arn),
    ):
        results = sagemaker.search(Resource=resource)["Results"]
        assert [each[resource][member] for each in results] == [name]


# --- time, other places, the end of the lab -------------------------------------------------------


class Server:
    """Instead of a real model server."""

    failure: ClassVar[None] = None

    def __init__(self, backend: Any, model_name: str) -> None:
        self.model_name = model_name

    def ready(self, seconds: float) -> bool:
        return True

    def end(self) -> None:
        pass


def test_steps_wait_for_the_clock(sagemaker: BaseClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "ModelServer", Server)
    CLOCK.run(0)
    model = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
    variant = {
        "VariantName": "A",
        "ModelName": {"Get": "Steps.Model.ModelName"},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    config = {"EndpointConfigName": "churn-config", "ProductionVariants": [variant]}
    endpoint = {
        "EndpointName": "churn",
        "EndpointConfigName": {"Get": "Steps.Config.EndpointConfigName"},
    }
    arn = run(
        sagemaker,
        step("Model", "Model", model),
        step("Config", "EndpointConfig", config),
        step("Deploy", "Endpoint", endpoint),
    )
    until = time.monotonic() + 20
    while states(sagemaker, arn).get("Deploy") != "Executing":
        assert time.monotonic() < until
    assert told(sagemaker, arn)["PipelineExecutionStatus"] == "Executing"
    CLOCK.advance(3600)
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    shown = steps_of(sagemaker, arn)["Deploy"]
    assert (shown["EndTime"] - shown["StartTime"]).total_seconds() >= 3600
    assert sagemaker.describe_endpoint(EndpointName="churn")["EndpointStatus"] == "InService"


def test_steps_work_where_their_pipeline_is(sagemaker: BaseClient, client: Any) -> None:
    role = f"arn:aws:iam::{OTHER}:role/deployer"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    session = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-west-2"
    )
    there = session.client("sagemaker")
    model = {"ExecutionRoleArn": role, "PrimaryContainer": {"Image": IMAGE}}
    create(there, definition(step("Model", "Model", model)), RoleArn=role)
    arn = start(there)
    assert arn.startswith(f"arn:aws:sagemaker:us-west-2:{OTHER}:pipeline/churn/execution/")
    assert end(there, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert len(there.list_models()["Models"]) == 1
    assert sagemaker.list_models()["Models"] == []
    assert refusal(told, sagemaker, arn)[0] == "ResourceNotFound"


def test_no_step_outlives_its_lab() -> None:
    with embedded_lab():
        boto3.client("sqs").create_queue(QueueName="people")
        sagemaker = boto3.client("sagemaker")
        run(sagemaker, callback("Ask"), process("After", "true", DependsOn=["Ask"]))
        (execution,) = Execution.alive
        thread = execution.thread
        assert thread.is_alive()
    assert not thread.is_alive()
    assert list(Execution.alive) == []


def test_over_http(lab_server: str) -> None:
    options = {"endpoint_url": lab_server, "region_name": REGION}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    prepare(boto3.client("s3", **options, **keys))
    sagemaker = boto3.client("sagemaker", **options, **keys)
    create(sagemaker, whole())
    arn = start(sagemaker)
    assert told(sagemaker, arn)["PipelineExecutionStatus"] == "Executing"
    assert end(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert set(states(sagemaker, arn).values()) == {"Succeeded"}
    versions = sagemaker.list_model_packages(ModelPackageGroupName="churn")
    assert len(versions["ModelPackageSummaryList"]) == 1
    assert refusal(start, sagemaker, ("Depth", "deep"))[0] == "ValidationException"
