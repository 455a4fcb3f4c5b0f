"""Processing jobs run real programs between two places in S3."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from awslab import work
from awslab.work import home
from botocore.exceptions import ClientError, WaiterError

BUCKET = "amzn-s3-demo-bucket"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
# The paths of the container stand in the source, as in most scripts on AWS.
DOUBLE = """
import csv, os, sys
print("factor", sys.argv[1], os.environ["MODE"])
with open("/opt/ml/processing/input/data/in.csv") as given:
    rows = [[int(cell) * int(sys.argv[1]) for cell in row] for row in csv.reader(given)]
with open("/opt/ml/processing/output/out.csv", "w") as out:
    csv.writer(out, lineterminator="\\n").writerows(rows)
"""


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    s3 = client("s3")
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    s3.put_object(Bucket=BUCKET, Key="data/in.csv", Body=b"1,2\n3,4\n")
    return s3


@pytest.fixture
def sagemaker(s3: Any, client: Callable[..., Any]) -> Any:
    return client("sagemaker")


def request(script: str, s3: Any, **changes: Any) -> dict[str, Any]:
    s3.put_object(Bucket=BUCKET, Key="code/script.py", Body=script.encode())

    def given(name: str, key: str) -> dict[str, Any]:
        source = {
            "S3Uri": f"s3://{BUCKET}/{key}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "LocalPath": f"/opt/ml/processing/input/{name}",
        }
        return {"InputName": name, "S3Input": source}

    output = {
        "S3Uri": f"s3://{BUCKET}/processed",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
    return {
        "ProcessingJobName": "prepare",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
            "ContainerArguments": ["2"],
        },
        "Environment": {"MODE": "double"},
        "ProcessingInputs": [given("data", "data/"), given("code", "code/script.py")],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
        "ProcessingResources": {"ClusterConfig": cluster},
    } | changes


def ended(sagemaker: Any) -> dict[str, Any]:
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    with contextlib.suppress(WaiterError):  # the job has failed
        waiter.wait(ProcessingJobName="prepare")
    job = sagemaker.describe_processing_job(ProcessingJobName="prepare")
    assert isinstance(job, dict)
    return job


def keys(s3: Any, prefix: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [each["Key"] for each in found]


def log_lines(client: Callable[..., Any]) -> list[str]:
    logs, group = client("logs"), "/aws/sagemaker/ProcessingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert stream["logStreamName"].startswith("prepare/algo-1-")
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])
    return [event["message"] for event in events["events"]]


def test_a_program_reads_its_inputs_and_writes_its_outputs(
    sagemaker: Any, s3: Any, client: Callable[..., Any]
) -> None:
    sagemaker.create_processing_job(**request(DOUBLE, s3))
    job = ended(sagemaker)
    assert job["ProcessingJobStatus"] == "Completed" and "FailureReason" not in job
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    made = s3.get_object(Bucket=BUCKET, Key="processed/out.csv")["Body"].read()
    assert made == b"2,4\n6,8\n"
    assert log_lines(client) == ["factor 2 double"]


def test_the_request_is_answered_back(sagemaker: Any, s3: Any) -> None:
    asked = request(DOUBLE, s3)
    sagemaker.create_processing_job(**asked)
    job = ended(sagemaker)
    assert {name: job[name] for name in asked} == asked


def test_each_look_shows_a_state(sagemaker: Any, s3: Any) -> None:
    sagemaker.create_processing_job(**request(DOUBLE, s3))
    met = [
        sagemaker.describe_processing_job(ProcessingJobName="prepare")["ProcessingJobStatus"]
        for _ in range(2)
    ]
    assert met[0] == "InProgress"


def test_a_failing_program_fails_the_job_and_leaves_its_message(sagemaker: Any, s3: Any) -> None:
    script = (
        "import pathlib, sys\n"
        "pathlib.Path('/opt/ml/output').mkdir(exist_ok=True)\n"
        "pathlib.Path('/opt/ml/output/message').write_text('no rows left')\n"
        "sys.exit(3)"
    )
    sagemaker.create_processing_job(**request(script, s3))
    job = ended(sagemaker)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "AlgorithmError: See job logs for more information, exit code: 3"
    )
    assert job["ExitMessage"] == "no rows left"


def test_an_input_that_is_not_there(sagemaker: Any, s3: Any) -> None:
    asked = request(DOUBLE, s3)
    asked["ProcessingInputs"][0]["S3Input"]["S3Uri"] = f"s3://{BUCKET}/nowhere/"
    sagemaker.create_processing_job(**asked)
    job = ended(sagemaker)
    assert job["FailureReason"] == (
        "ClientError: Data download failed:"
        f'No S3 objects found under S3 URL "s3://{BUCKET}/nowhere/"'
    )


def test_an_output_bucket_that_is_not_there(sagemaker: Any, s3: Any) -> None:
    asked = request(DOUBLE, s3)
    output = asked["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
    output["S3Uri"] = "s3://amzn-s3-demo-bucket-none/out"
    sagemaker.create_processing_job(**asked)
    assert "NoSuchBucket" in ended(sagemaker)["FailureReason"]


def test_a_framework_image_without_entrypoint_does_nothing(sagemaker: Any, s3: Any) -> None:
    sagemaker.create_processing_job(**request(DOUBLE, s3, AppSpecification={"ImageUri": IMAGE}))
    assert ended(sagemaker)["ProcessingJobStatus"] == "Completed"
    assert keys(s3, "processed") == []


def test_another_image_without_entrypoint_is_told(sagemaker: Any, s3: Any) -> None:
    image = "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/own:1"
    sagemaker.create_processing_job(**request(DOUBLE, s3, AppSpecification={"ImageUri": image}))
    assert ended(sagemaker)["FailureReason"] == (
        f"ClientError: The lab has nothing that behaves like the image {image}. "
        "Give ContainerEntrypoint."
    )


SLEEP = "import time\nprint('ready', flush=True)\ntime.sleep(60)"


def test_a_job_is_stopped(sagemaker: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "GRACE", 0.5)
    sagemaker.create_processing_job(**request(SLEEP, s3))
    sagemaker.stop_processing_job(ProcessingJobName="prepare")
    met = [
        sagemaker.describe_processing_job(ProcessingJobName="prepare")["ProcessingJobStatus"]
        for _ in range(2)
    ]
    assert met == ["Stopping", "Stopped"]


def test_a_job_that_takes_too_long_is_stopped(
    sagemaker: Any, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "GRACE", 0.5)
    condition = {"MaxRuntimeInSeconds": 1}
    sagemaker.create_processing_job(**request(SLEEP, s3, StoppingCondition=condition))
    assert ended(sagemaker)["ProcessingJobStatus"] == "Stopped"


def test_continuous_outputs_come_on_the_way(sagemaker: Any, s3: Any) -> None:
    script = (
        "import pathlib, time\n"
        "pathlib.Path('/opt/ml/processing/output/a').write_text('1')\ntime.sleep(30)"
    )
    asked = request(script, s3)
    asked["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = "Continuous"
    sagemaker.create_processing_job(**asked)
    pause = threading.Event()
    for _ in range(100):
        if keys(s3, "processed"):
            break
        pause.wait(0.1)
    assert keys(s3, "processed") == ["processed/a"]
    job = sagemaker.describe_processing_job(ProcessingJobName="prepare")
    assert job["ProcessingJobStatus"] == "InProgress"


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_names_are_unique_for_ever(sagemaker: Any, s3: Any) -> None:
    sagemaker.create_processing_job(**request(DOUBLE, s3))
    arn = "arn:aws:sagemaker:ap-northeast-1:111122223333:processing-job/prepare"
    assert refusal(sagemaker.create_processing_job, **request(DOUBLE, s3)) == (
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, "
        f"and a job with this name already exists ({arn})",
    )


def test_an_unknown_job(sagemaker: Any) -> None:
    for call in (sagemaker.describe_processing_job, sagemaker.stop_processing_job):
        assert refusal(call, ProcessingJobName="none") == (
            "ResourceNotFound",
            "Could not find requested job with name: none",
        )


def test_two_inputs_of_one_name(sagemaker: Any, s3: Any) -> None:
    asked = request(DOUBLE, s3)
    asked["ProcessingInputs"][1]["InputName"] = "data"
    assert refusal(sagemaker.create_processing_job, **asked) == (
        "ValidationException",
        "Input and output names must be unique within a processing job.",
    )


def test_jobs_are_listed_by_status_and_deleted(sagemaker: Any, s3: Any) -> None:
    sagemaker.create_processing_job(**request(DOUBLE, s3))
    ended(sagemaker)
    for status, count in (("Completed", 1), ("InProgress", 0)):
        found = sagemaker.list_processing_jobs(StatusEquals=status)["ProcessingJobSummaries"]
        assert len(found) == count
    sagemaker.delete_processing_job(ProcessingJobName="prepare")
    assert sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []


def test_nothing_is_left_on_the_disk(sagemaker: Any, s3: Any) -> None:
    sagemaker.create_processing_job(**request(DOUBLE, s3))
    ended(sagemaker)
    folders = list(home().glob("*/processing-*"))
    assert folders == []


def test_the_same_over_http(lab_server: str) -> None:
    session = boto3.Session("testing", "testing", region_name="ap-northeast-1")
    s3 = session.client("s3", endpoint_url=lab_server)
    sagemaker = session.client("sagemaker", endpoint_url=lab_server)
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    s3.put_object(Bucket=BUCKET, Key="data/in.csv", Body=b"1,2\n3,4\n")
    sagemaker.create_processing_job(**request(DOUBLE, s3))
    assert ended(sagemaker)["ProcessingJobStatus"] == "Completed"
    made = s3.get_object(Bucket=BUCKET, Key="processed/out.csv")["Body"].read()
    assert made == b"2,4\n6,8\n"
