"""Monitoring: job definitions, schedules and when they run, the jobs that they start."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.services.sagemaker import monitoring
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
SCHEDULE = f"{PREFIX}:monitoring-schedule/hourly"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
ANALYZER = f"574779866223.dkr.ecr.{REGION}.amazonaws.com/sagemaker-model-monitor-analyzer"
CLARIFY = f"377024640650.dkr.ecr.{REGION}.amazonaws.com/sagemaker-clarify-processing:1.0"
BUCKET = "amzn-s3-demo-bucket"
CLUSTER = {
    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}
}
ENDPOINT = {"EndpointName": "churn", "LocalPath": "/opt/ml/processing/input/endpoint"}
BATCH = {
    "DataCapturedDestinationS3Uri": f"s3://{BUCKET}/captured",
    "DatasetFormat": {"Csv": {"Header": True}},
    "LocalPath": "/opt/ml/processing/input/transform",
}
OUTPUT = {"S3Uri": f"s3://{BUCKET}/report", "LocalPath": "/opt/ml/processing/output"}
LABELS = {"GroundTruthS3Input": {"S3Uri": f"s3://{BUCKET}/labels/"}}
MORE = {
    "DataQuality": ({"ImageUri": ANALYZER}, {}),
    "ModelQuality": ({"ImageUri": ANALYZER, "ProblemType": "BinaryClassification"}, LABELS),
    "ModelBias": ({"ImageUri": CLARIFY, "ConfigUri": f"s3://{BUCKET}/bias.json"}, LABELS),
    "ModelExplainability": ({"ImageUri": CLARIFY, "ConfigUri": f"s3://{BUCKET}/shap.json"}, {}),
}
NAMES = {
    "DataQuality": "data_quality",
    "ModelQuality": "model_quality",
    "ModelBias": "model_bias",
    "ModelExplainability": "model_explainability",
}

Request = dict[str, Any]


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient]) -> Iterator[BaseClient]:
    """A client of a lab whose clock stands at a quarter past an hour."""
    CLOCK.run(0)
    now = CLOCK.now()
    past = now - now.replace(minute=0, second=0, microsecond=0)
    CLOCK.advance((timedelta(hours=1, minutes=15) - past).total_seconds())
    yield client("sagemaker")
    CLOCK.run(None)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The processing jobs that were asked for; they are refused when `fail` is among them."""
    asked: list[Request] = []

    def call(account: str, region: str, operation: str, request: Request) -> Request:
        assert (account, region) == (ACCOUNT, REGION)
        if operation == "DescribeEndpoint":
            if request["EndpointName"] == "silent":
                return {}
            return {"DataCaptureConfig": {"DestinationS3Uri": f"s3://{BUCKET}/capture/"}}
        if operation == "CreateProcessingJob":
            asked.append(request)
            return {}
        assert operation == "DescribeProcessingJob"
        return jobs.pop(0)

    jobs: list[Request] = [
        {"ProcessingJobStatus": "InProgress"},
        {"ProcessingJobStatus": "Completed", "ExitMessage": "CompletedWithViolations: 3 found"},
    ]
    monkeypatch.setattr(monitoring, "call", call)
    monkeypatch.setattr(monitoring, "jobs_run", lambda: True)
    return asked


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab whose processing jobs do nothing."""
    monkeypatch.setattr(monitoring, "jobs_run", lambda: False)


def define(sagemaker: BaseClient, kind: str, name: str = "d", **changed: Any) -> str:
    application, more = MORE[kind]
    request: Request = {
        "JobDefinitionName": name,
        "RoleArn": ROLE,
        f"{kind}AppSpecification": application,
        f"{kind}JobInput": {"EndpointInput": ENDPOINT} | more,
        f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": OUTPUT}]},
        "JobResources": CLUSTER,
    }
    create = getattr(sagemaker, f"create_{NAMES[kind]}_job_definition")
    return str(create(**request | changed)["JobDefinitionArn"])


def schedule(
    sagemaker: BaseClient,
    expression: str | None = "cron(0 * ? * * *)",
    name: str = "hourly",
    window: Request | None = None,
    **changed: Any,
) -> str:
    config: Request = {"MonitoringType": "DataQuality", "MonitoringJobDefinitionName": "d"}
    if expression:
        config["ScheduleConfig"] = {"ScheduleExpression": expression} | (window or {})
    config |= changed
    given = {member: value for member, value in config.items() if value is not None}
    made = sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=name, MonitoringScheduleConfig=given
    )
    return str(made["MonitoringScheduleArn"])


def inline(**source: Any) -> Request:
    return {
        "MonitoringInputs": [source or {"EndpointInput": ENDPOINT}],
        "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": OUTPUT}]},
        "MonitoringResources": CLUSTER,
        "MonitoringAppSpecification": {"ImageUri": ANALYZER},
        "RoleArn": ROLE,
    }


def executions(sagemaker: BaseClient, **params: Any) -> list[Request]:
    shown = sagemaker.list_monitoring_executions(**params)["MonitoringExecutionSummaries"]
    return [dict(each) for each in shown]


def hours(sagemaker: BaseClient) -> list[int]:
    pages = sagemaker.get_paginator("list_monitoring_executions").paginate(
        SortBy="ScheduledTime", SortOrder="Ascending"
    )
    return [e["ScheduledTime"].hour for page in pages for e in page["MonitoringExecutionSummaries"]]


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# --- job definitions ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_a_definition(sagemaker: BaseClient, kind: str) -> None:
    name = f"{NAMES[kind]}_job_definition"
    arn = define(sagemaker, kind, Tags=[{"Key": "a", "Value": "b"}])
    assert arn == f"{PREFIX}:{name.replace('_', '-')}/d"
    told = getattr(sagemaker, f"describe_{name}")(JobDefinitionName="d")
    assert told["JobDefinitionArn"] == arn
    assert told[f"{kind}AppSpecification"] == MORE[kind][0]
    assert told[f"{kind}JobInput"]["EndpointInput"] == ENDPOINT
    assert told["JobResources"] == CLUSTER
    assert not {"NetworkConfig", "StoppingCondition", f"{kind}BaselineConfig"} & told.keys()
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    code, message = refusal(define, sagemaker, kind)
    assert code == "ResourceInUse" and "already exists. Choose a different name." in message
    getattr(sagemaker, f"delete_{name}")(JobDefinitionName="d")
    code, _ = refusal(getattr(sagemaker, f"describe_{name}"), JobDefinitionName="d")
    assert code == "ResourceNotFound"


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_lists_of_definitions(sagemaker: BaseClient, kind: str) -> None:
    define(sagemaker, kind, "a")
    CLOCK.advance(60)
    more = MORE[kind][1]
    define(sagemaker, kind, "b", **{f"{kind}JobInput": {"BatchTransformInput": BATCH} | more})
    listed = getattr(sagemaker, f"list_{NAMES[kind]}_job_definitions")

    def shown(**params: Any) -> list[tuple[str, str]]:
        found = listed(**params)["JobDefinitionSummaries"]
        return [(each["MonitoringJobDefinitionName"], each["EndpointName"]) for each in found]

    assert shown() == [("b", ""), ("a", "churn")]
    assert shown(EndpointName="churn") == [("a", "churn")]
    assert shown(SortBy="Name", SortOrder="Ascending", MaxResults=1) == [("a", "churn")]
    assert shown(NameContains="x") == []


def test_a_definition_reads_one_thing(sagemaker: BaseClient) -> None:
    both = {"EndpointInput": ENDPOINT, "BatchTransformInput": BATCH}
    for source in (both, {}):
        said = refusal(define, sagemaker, "DataQuality", DataQualityJobInput=source)
        message = "Exactly one of EndpointInput and BatchTransformInput must be specified."
        assert said == ("ValidationException", message)


# --- schedules ------------------------------------------------------------------------------------


def test_a_schedule_is_told(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    assert schedule(sagemaker) == SCHEDULE
    told = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    assert told["MonitoringScheduleArn"] == SCHEDULE
    assert told["MonitoringScheduleStatus"] == "Pending"
    assert (told["MonitoringType"], told["EndpointName"]) == ("DataQuality", "churn")
    config = told["MonitoringScheduleConfig"]
    assert config["ScheduleConfig"] == {"ScheduleExpression": "cron(0 * ? * * *)"}
    assert "LastMonitoringExecutionSummary" not in told
    CLOCK.advance(60)
    told = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    assert told["MonitoringScheduleStatus"] == "Scheduled"


def test_a_schedule_runs_every_hour(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    start = CLOCK.now().hour
    CLOCK.advance(44 * 60)
    assert hours(sagemaker) == []
    CLOCK.advance(2 * 3600 + 60)
    assert hours(sagemaker) == [(start + hour) % 24 for hour in (1, 2, 3)]
    shown = executions(sagemaker)
    assert {each["MonitoringExecutionStatus"] for each in shown} == {"Pending"}
    assert {each["EndpointName"] for each in shown} == {"churn"}
    assert all("ProcessingJobArn" not in each for each in shown)
    told = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    last = told["LastMonitoringExecutionSummary"]
    assert last["ScheduledTime"].hour == (start + 3) % 24


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("cron(0 12 ? * * *)", {12}),
        ("cron(0 0 ? * * *)", {0}),
        ("cron(0 17/12 ? * * *)", {5, 17}),
        ("cron(0 00/6 ? * * *)", {0, 6, 12, 18}),
        ("cron(0 3/24 ? * * *)", {3}),
    ],
)
def test_hours_of_a_day(sagemaker: BaseClient, idle: None, expression: str, runs: set[int]) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker, expression)
    CLOCK.advance(24 * 3600)
    found = hours(sagemaker)
    assert (set(found), len(found)) == (runs, len(runs))


def test_time_that_passes_by_leaps_is_not_missed(client: Any, idle: None) -> None:
    """In the instant gait the clock stands still but for what is skipped."""
    sagemaker = client("sagemaker")
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    CLOCK.advance(5 * 3600)
    assert len(executions(sagemaker)) == 5
    CLOCK.run(None)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 */6 ? * * *)",
        "cron(30 * ? * * *)",
        "cron(0 24 ? * * *)",
        "cron(0 1/25 ? * * *)",
        "cron(0 1/0 ? * * *)",
        "cron(0 * * * ? *)",
        "rate(1 hour)",
        "now",
    ],
)
def test_other_expressions_are_refused(sagemaker: BaseClient, expression: str) -> None:
    define(sagemaker, "DataQuality")
    code, message = refusal(schedule, sagemaker, expression)
    assert code == "ValidationException"
    assert message.startswith(f"Invalid ScheduleExpression: {expression}.")


def test_now_is_once_and_names_its_window(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    needed = "DataAnalysisStartTime and DataAnalysisEndTime are required with the schedule NOW."
    assert refusal(schedule, sagemaker, "NOW") == ("ValidationException", needed)
    window = {"DataAnalysisStartTime": "-PT5H", "DataAnalysisEndTime": "-PT1H"}
    schedule(sagemaker, "NOW", window=window)
    assert len(executions(sagemaker)) == 1
    CLOCK.advance(5 * 3600)
    assert len(executions(sagemaker)) == 1


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("-PT1H", "-PT5H", "DataAnalysisStartTime must precede DataAnalysisEndTime by at most 24"),
        ("-PT26H", "-PT1H", "DataAnalysisStartTime must precede DataAnalysisEndTime by at most 24"),
        ("5 hours", "-PT1H", "Invalid offset: 5 hours."),
        ("-P", "-PT1H", "Invalid offset: -P."),
        ("-PT", "-PT1H", "Invalid offset: -PT."),
    ],
)
def test_windows(sagemaker: BaseClient, start: str, end: str, message: str) -> None:
    define(sagemaker, "DataQuality")
    window = {"DataAnalysisStartTime": start, "DataAnalysisEndTime": end}
    code, said = refusal(schedule, sagemaker, "NOW", window=window)
    assert code == "ValidationException" and said.startswith(message)


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        (
            {"MonitoringJobDefinitionName": None},
            "ValidationException",
            "Exactly one of MonitoringJobDefinition and MonitoringJobDefinitionName must be "
            "specified.",
        ),
        (
            {"MonitoringJobDefinitionName": "none"},
            "ResourceNotFound",
            "Could not find DataQuality job definition none.",
        ),
        (
            {"MonitoringType": "ModelBias"},
            "ResourceNotFound",
            "Could not find ModelBias job definition d.",
        ),
        (
            {"MonitoringType": None},
            "ValidationException",
            "MonitoringType must be specified with MonitoringJobDefinitionName.",
        ),
        (
            {
                "MonitoringJobDefinition": inline(),
                "MonitoringJobDefinitionName": None,
                "MonitoringType": "ModelBias",
            },
            "ValidationException",
            "A schedule of type ModelBias must name a MonitoringJobDefinitionName.",
        ),
        (
            {
                "MonitoringJobDefinition": inline(
                    EndpointInput=ENDPOINT, BatchTransformInput=BATCH
                ),
                "MonitoringJobDefinitionName": None,
            },
            "ValidationException",
            "Exactly one of EndpointInput and BatchTransformInput must be specified.",
        ),
    ],
)
def test_what_no_schedule_may_be(
    sagemaker: BaseClient, changed: Request, code: str, message: str
) -> None:
    define(sagemaker, "DataQuality")
    assert refusal(schedule, sagemaker, **changed) == (code, message)
    assert sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"] == []


def test_a_name_is_given_once_and_must_exist(sagemaker: BaseClient) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    message = f"Monitoring Schedule {SCHEDULE} already exists"
    assert refusal(schedule, sagemaker) == ("ResourceInUse", message)
    missing = f"Monitoring Schedule {PREFIX}:monitoring-schedule/none not found"
    for operation in ("describe", "start", "stop", "delete"):
        call = getattr(sagemaker, f"{operation}_monitoring_schedule")
        assert refusal(call, MonitoringScheduleName="none") == ("ResourceNotFound", missing)


def test_a_stopped_schedule_does_not_run(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    name = {"MonitoringScheduleName": "hourly"}
    sagemaker.stop_monitoring_schedule(**name)
    told = sagemaker.describe_monitoring_schedule(**name)
    assert told["MonitoringScheduleStatus"] == "Stopped"
    CLOCK.advance(3 * 3600)
    assert executions(sagemaker) == []
    sagemaker.start_monitoring_schedule(**name)
    CLOCK.advance(3600)
    assert len(executions(sagemaker)) == 1
    told = sagemaker.describe_monitoring_schedule(**name)
    assert told["MonitoringScheduleStatus"] == "Scheduled"


def test_an_update_changes_the_hours(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    config = {
        "MonitoringType": "DataQuality",
        "MonitoringJobDefinitionName": "d",
        "ScheduleConfig": {"ScheduleExpression": "cron(0 12 ? * * *)"},
    }
    update = sagemaker.update_monitoring_schedule
    update(MonitoringScheduleName="hourly", MonitoringScheduleConfig=config)
    CLOCK.advance(24 * 3600)
    assert hours(sagemaker) == [12]
    config["ScheduleConfig"] = {"ScheduleExpression": "cron(0 13-14 ? * * *)"}
    wrong = {"MonitoringScheduleName": "hourly", "MonitoringScheduleConfig": config}
    assert refusal(update, **wrong)[0] == "ValidationException"


def test_a_deleted_schedule_is_gone(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="hourly")
    CLOCK.advance(3 * 3600)
    assert executions(sagemaker) == []
    assert schedule(sagemaker) == SCHEDULE


def test_lists_of_schedules(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    define(sagemaker, "ModelBias", "bias")
    schedule(sagemaker)
    CLOCK.advance(120)
    schedule(
        sagemaker,
        name="bias",
        MonitoringType="ModelBias",
        MonitoringJobDefinitionName="bias",
    )
    batch = inline(BatchTransformInput=BATCH)
    schedule(
        sagemaker,
        name="batch",
        MonitoringJobDefinition=batch,
        MonitoringJobDefinitionName=None,
        MonitoringType=None,
    )

    def names(**params: Any) -> list[str]:
        shown = sagemaker.list_monitoring_schedules(**params)["MonitoringScheduleSummaries"]
        return [each["MonitoringScheduleName"] for each in shown]

    assert names() == ["bias", "batch", "hourly"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["batch", "bias", "hourly"]
    assert names(EndpointName="churn") == ["bias", "hourly"]
    assert names(MonitoringTypeEquals="ModelBias") == ["bias"]
    assert names(MonitoringJobDefinitionName="d") == ["hourly"]
    assert names(StatusEquals="Scheduled") == ["hourly"]
    assert names(SortBy="Status", MaxResults=1) == ["hourly"]
    assert names(NameContains="b", StatusEquals="Stopped") == []


# --- what an execution does -----------------------------------------------------------------------


def test_an_execution_is_a_processing_job(sagemaker: BaseClient, started: list[Request]) -> None:
    baseline = {
        "ConstraintsResource": {"S3Uri": f"s3://{BUCKET}/baseline/constraints.json"},
        "StatisticsResource": {"S3Uri": f"s3://{BUCKET}/baseline/statistics.json"},
    }
    define(sagemaker, "DataQuality", DataQualityBaselineConfig=baseline)
    schedule(sagemaker)
    CLOCK.advance(3600)
    (request,) = started
    at = CLOCK.now().replace(minute=0, second=0)
    assert request["ProcessingJobName"].startswith(f"model-monitoring-{at:%Y%m%d%H}00-")
    assert request["AppSpecification"] == {"ImageUri": ANALYZER}
    inputs = {
        each["InputName"]: (each["S3Input"]["S3Uri"], each["S3Input"]["LocalPath"])
        for each in request["ProcessingInputs"]
    }
    assert inputs == {
        "dataset": (f"s3://{BUCKET}/capture/churn", ENDPOINT["LocalPath"]),
        "constraints": (
            f"s3://{BUCKET}/baseline/constraints.json",
            "/opt/ml/processing/constraints",
        ),
        "statistics": (f"s3://{BUCKET}/baseline/statistics.json", "/opt/ml/processing/statistics"),
    }
    environment = request["Environment"]
    assert environment["start_time"] == f"{at - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert environment["end_time"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    assert environment["sagemaker_monitoring_schedule_name"] == "hourly"
    path = "/opt/ml/processing/constraints/constraints.json"
    assert environment["baseline_constraints"] == path
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"] == OUTPUT | {"S3UploadMode": "EndOfJob"}
    assert request["ProcessingResources"] == CLUSTER


def test_its_state_is_that_of_the_job(sagemaker: BaseClient, started: list[Request]) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    CLOCK.advance(3600)
    (first,) = executions(sagemaker)
    name = started[0]["ProcessingJobName"]
    assert first["ProcessingJobArn"] == f"{PREFIX}:processing-job/{name}"
    assert first["MonitoringExecutionStatus"] == "InProgress"
    (then,) = executions(sagemaker, StatusEquals="CompletedWithViolations")
    assert then["MonitoringExecutionStatus"] == "CompletedWithViolations"


def test_the_window_of_a_schedule_that_runs_now(
    sagemaker: BaseClient, started: list[Request]
) -> None:
    window = {"DataAnalysisStartTime": "-P0DT5H", "DataAnalysisEndTime": "-PT0H"}
    schedule(
        sagemaker,
        "NOW",
        window=window,
        MonitoringJobDefinitionName=None,
        MonitoringJobDefinition=inline(BatchTransformInput=BATCH),
    )
    (request,) = started
    ends = (request["Environment"][name] for name in ("start_time", "end_time"))
    start, end = (datetime.fromisoformat(text) for text in ends)
    assert end - start == timedelta(hours=5)
    (data,) = request["ProcessingInputs"]
    assert data["S3Input"]["S3Uri"] == BATCH["DataCapturedDestinationS3Uri"]


def test_the_offsets_of_a_definition_and_its_configuration(
    sagemaker: BaseClient, started: list[Request]
) -> None:
    late = ENDPOINT | {"StartTimeOffset": "-P1D", "EndTimeOffset": "-PT6H"}
    define(sagemaker, "ModelBias", ModelBiasJobInput={"EndpointInput": late} | LABELS)
    schedule(sagemaker, MonitoringType="ModelBias")
    CLOCK.advance(3600)
    (request,) = started
    at = CLOCK.now().replace(minute=0, second=0)
    start = f"{at - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    assert request["Environment"]["start_time"] == start
    names = [each["InputName"] for each in request["ProcessingInputs"]]
    assert names == ["dataset", "analysis_config"]


def test_an_endpoint_that_captures_nothing_fails(
    sagemaker: BaseClient, started: list[Request]
) -> None:
    silent = {"EndpointInput": ENDPOINT | {"EndpointName": "silent"}}
    define(sagemaker, "DataQuality", DataQualityJobInput=silent)
    schedule(sagemaker)
    CLOCK.advance(3600)
    (shown,) = executions(sagemaker)
    assert started == []
    assert shown["MonitoringExecutionStatus"] == "Failed"
    assert shown["FailureReason"] == "Endpoint silent captures no data."


def test_an_offset_that_is_none_fails(sagemaker: BaseClient, started: list[Request]) -> None:
    odd = {"EndpointInput": ENDPOINT | {"StartTimeOffset": "-Podd"}}
    define(sagemaker, "DataQuality", DataQualityJobInput=odd)
    schedule(sagemaker)
    CLOCK.advance(3600)
    (shown,) = executions(sagemaker)
    assert shown["MonitoringExecutionStatus"] == "Failed"
    assert shown["FailureReason"].startswith("Invalid offset: -Podd.")


def test_without_an_endpoint_or_a_definition_it_fails(sagemaker: BaseClient) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    CLOCK.advance(3600)
    sagemaker.delete_data_quality_job_definition(JobDefinitionName="d")
    CLOCK.advance(3600)
    last, first = executions(sagemaker)
    endpoint = f"{PREFIX}:endpoint/churn"
    assert first["FailureReason"] == f'Could not find endpoint "{endpoint}".'
    assert last["FailureReason"] == "Could not find job definition d."


def test_lists_of_executions(sagemaker: BaseClient, idle: None) -> None:
    define(sagemaker, "DataQuality")
    schedule(sagemaker)
    CLOCK.advance(2 * 3600)
    schedule(sagemaker, name="other")
    CLOCK.advance(3600)
    assert len(executions(sagemaker)) == 4
    assert len(executions(sagemaker, MonitoringScheduleName="other")) == 1
    assert len(executions(sagemaker, MonitoringTypeEquals="ModelBias")) == 0
    assert len(executions(sagemaker, MonitoringJobDefinitionName="d")) == 4
    times = [each["ScheduledTime"] for each in executions(sagemaker, SortBy="ScheduledTime")]
    assert times == sorted(times, reverse=True)
    assert len(executions(sagemaker, ScheduledTimeAfter=times[0])) == 2
    assert len(executions(sagemaker, ScheduledTimeBefore=times[0])) == 2


def test_over_http(lab_server: str) -> None:
    options = {"endpoint_url": lab_server, "region_name": REGION}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sagemaker = boto3.client("sagemaker", **options, **keys)
    define(sagemaker, "DataQuality")
    assert refusal(define, sagemaker, "DataQuality")[0] == "ResourceInUse"
    window = {"DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}
    schedule(sagemaker, "NOW", window=window)
    told = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    assert told["MonitoringScheduleStatus"] == "Pending"
    (shown,) = executions(sagemaker)
    assert shown["MonitoringExecutionStatus"] in ("Pending", "Failed")
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="hourly")
    assert sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"] == []
