import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from awslab.run import Result
from awslab.scenarios import SCRIPTS

Smcli = Callable[..., Result]
Client = Callable[..., Any]
ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
REGISTRY = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com"
SCIKIT_LEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-cpu-py312"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
OWN = f"{ACCOUNT}.dkr.ecr.ap-northeast-1.amazonaws.com/own:1"
BUCKET = "amzn-s3-demo-bucket-jobs"
INPUT, OUTPUT = f"s3://{BUCKET}/raw/", f"s3://{BUCKET}/processed"
PREPROCESS = str(SCRIPTS / "preprocess.py")
CODE = "processing/clean/source/preprocess.py"


@pytest.fixture(autouse=True)
def role(lab: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_ROLE_ARN", ROLE)


@pytest.fixture(autouse=True)
def s3(lab: None) -> Any:
    """With ten rows in raw/ of the bucket."""
    client = boto3.client("s3")
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": client.meta.region_name}
    )
    rows = "".join(f"{number},1\n" for number in range(10))
    client.put_object(Bucket=BUCKET, Key="raw/a.csv", Body=rows.encode())
    return client


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at a job that does not end takes no time."""
    monkeypatch.setattr("awslab.clock.PATIENCE", 0.1)


@pytest.fixture
def create(smcli: Smcli) -> Smcli:
    """`create("clean", image, *options)`, from and to the bucket."""

    def start(name: str, image: str, *options: str, **environment: str) -> Result:
        return smcli("processing-create", name, image, INPUT, OUTPUT, *options, **environment)

    return start


def keys(s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET)
    return [each["Key"] for each in found["Contents"]]


def jobs_of(client: Client) -> list[str]:
    found = client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"]
    return [each["ProcessingJobName"] for each in found]


def job(client: Client, name: str = "clean") -> dict[str, Any]:
    found: dict[str, Any] = client("sagemaker").describe_processing_job(ProcessingJobName=name)
    return found


def running(create: Smcli, name: str = "clean") -> None:
    """A job that does nothing for so long that the test can look at it."""
    made = create(name, OWN, "--entrypoint", "sleep 60")
    assert made.status == 0, made.errors
    assert made.errors == f"next: smcli processing-logs {name} --follow\n"


# --- create ---------------------------------------------------------------------------------------


def test_processing_create_runs_a_file_and_waits(create: Smcli, client: Client, s3: Any) -> None:
    share = ("--argument", "--validation-share", "--argument", "0.3")
    made = create("clean", SCIKIT_LEARN, "--code", PREPROCESS, *share, "--wait")
    assert made.status == 0, made.errors
    assert made.output == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:processing-job/clean\n"
    assert made.errors == (
        "clean: InProgress\n"
        "clean: Completed\n"
        f"next: aws s3 ls s3://{BUCKET}/processed/ --recursive\n"
    )
    assert keys(s3) == [
        "processed/train/data.csv",
        "processed/validation/data.csv",
        CODE,
        "raw/a.csv",
    ]
    body = s3.get_object(Bucket=BUCKET, Key="processed/validation/data.csv")["Body"].read()
    assert len(body.splitlines()) == 3
    found = job(client)
    assert found["AppSpecification"]["ContainerEntrypoint"] == [
        "python3",
        "/opt/ml/processing/input/code/preprocess.py",
    ]
    places = [each["S3Input"]["LocalPath"] for each in found["ProcessingInputs"]]
    assert places == ["/opt/ml/processing/input", "/opt/ml/processing/input/code"]
    (output,) = found["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"] == {
        "S3Uri": OUTPUT,
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }


def test_processing_create_runs_code_of_s3(create: Smcli, client: Client, s3: Any) -> None:
    s3.put_object(
        Bucket=BUCKET, Key="code/run.sh", Body=b"echo $1 > /opt/ml/processing/output/said"
    )
    code = f"s3://{BUCKET}/code/run.sh"
    made = create("clean", SCIKIT_LEARN, "--code", code, "--argument", "hello", "--wait")
    assert made.status == 0, made.errors
    assert s3.get_object(Bucket=BUCKET, Key="processed/said")["Body"].read() == b"hello\n"
    assert job(client)["ProcessingInputs"][1]["S3Input"]["S3Uri"] == code
    assert keys(s3) == ["code/run.sh", "processed/said", "raw/a.csv"]


def test_processing_create_passes_on_every_option(create: Smcli, client: Client) -> None:
    made = create(
        *("clean", OWN, "--code", PREPROCESS, "--entrypoint", "python3 -u", "--env", "A=1"),
        *("--instance-type", "ml.m5.xlarge", "--instance-count", "2", "--volume-size", "5"),
        *("--max-runtime", "600", "--network-isolation"),
        *("--vpc-subnets", "subnet-1", "--security-groups", "sg-1,sg-2"),
    )
    assert made.status == 0, made.errors
    found = job(client)
    assert found["AppSpecification"]["ContainerEntrypoint"][:2] == ["python3", "-u"]
    assert found["Environment"] == {"A": "1"}
    assert found["ProcessingResources"]["ClusterConfig"] == {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 2,
        "VolumeSizeInGB": 5,
    }
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert found["NetworkConfig"] == {
        "EnableNetworkIsolation": True,
        "VpcConfig": {"SecurityGroupIds": ["sg-1", "sg-2"], "Subnets": ["subnet-1"]},
    }


def test_processing_create_refuses_before_any_call(
    create: Smcli, smcli: Smcli, client: Client, tmp_path: Path
) -> None:
    unknown = tmp_path / "run.r"
    unknown.touch()
    for options, message in [
        ((SCIKIT_LEARN,), "sagemaker-scikit-learn runs nothing by itself. Add --code FILE"),
        ((XGBOOST,), "sagemaker-xgboost runs nothing by itself."),
        ((OWN, "--code", str(unknown)), "--code: what runs run.r? Add --entrypoint COMMAND."),
        ((OWN, "--code", "s3://x"), "'s3://x' is not of the form s3://bucket/prefix"),
        ((OWN, "--code", f"s3://{BUCKET}"), f"--code: s3://{BUCKET} does not name a file."),
        ((OWN, "--code", "scripts/"), "--code: scripts/ does not name a file."),
        (
            (OWN, "--security-groups", "sg-1"),
            "--vpc-subnets and --security-groups must be given together.",
        ),
        ((OWN, "--instance-type", "ml.m5.lrge"), "such as ml.m5.large"),
        ((OWN, "--max-runtime", "777601"), "the maximum is 777600"),
        ((OWN, "--instance-count", "0"), "0 is not in the range x>=1"),
    ]:
        refused = create("clean", *options)
        assert (refused.status, refused.output) == (252, ""), options
        assert message in refused.errors, refused.errors
    unreadable = create("clean", OWN, "--code", str(tmp_path / "none.py"))
    assert unreadable.status == 255
    assert "error: --code: [Errno 2] No such file or directory" in unreadable.errors
    no_uri = smcli("processing-create", "clean", OWN, INPUT, "processed")
    assert "'processed' is not of the form s3://bucket/prefix" in no_uri.errors
    assert jobs_of(client) == []


def test_processing_create_looks_for_data_and_code_first(
    create: Smcli, smcli: Smcli, client: Client, s3: Any
) -> None:
    empty = smcli("processing-create", "clean", OWN, f"s3://{BUCKET}/none", OUTPUT)
    assert (empty.status, empty.output) == (1, "")
    assert f"There is nothing in s3://{BUCKET}/none." in empty.errors
    no_code = create("clean", OWN, "--code", f"s3://{BUCKET}/code/run.py")
    assert no_code.status == 1
    assert f"There is nothing in s3://{BUCKET}/code/run.py." in no_code.errors
    assert f": aws s3 cp run.py s3://{BUCKET}/code/run.py\n" in no_code.errors
    assert jobs_of(client) == []


def test_processing_create_deletes_the_code_of_a_job_that_aws_refuses(
    create: Smcli, s3: Any
) -> None:
    running(create)
    taken = create("clean", SCIKIT_LEARN, "--code", PREPROCESS)
    assert (taken.status, taken.output) == (254, "")
    assert taken.errors.startswith(
        f"Deleted the uploaded s3://{BUCKET}/{CODE}.\nerror: ResourceInUse: "
    )
    assert keys(s3) == ["raw/a.csv"]


def test_processing_create_dry_run_shows_the_requests_and_asks_nothing(
    create: Smcli, client: Client, s3: Any
) -> None:
    shown = create("clean", SCIKIT_LEARN, "--code", PREPROCESS, "--dry-run", "--wait")
    assert (shown.status, shown.errors) == (0, "")
    upload, made = map(json.loads, shown.output.splitlines())
    assert upload["request"]["Key"] == CODE
    assert upload["request"]["Body"] == f"the file {PREPROCESS}"
    assert made["operation"] == "CreateProcessingJob"
    assert jobs_of(client) == []
    assert keys(s3) == ["raw/a.csv"]


def test_processing_create_ends_with_the_reason_of_a_job_that_fails(create: Smcli) -> None:
    failed = create("clean", OWN, "--entrypoint", "sh -c 'exit 3'", "--wait")
    assert failed.status == 1
    assert failed.errors.splitlines()[-2:] == [
        "error: clean: Failed: AlgorithmError: See job logs for more information, exit code: 3",
        "next: smcli processing-logs clean --tail 20",
    ]


@pytest.mark.usefixtures("brief")
def test_processing_create_ends_its_wait_and_leaves_the_job(
    create: Smcli, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = create("late", OWN, "--entrypoint", "sleep 60", "--wait", "--timeout", "0")
    assert late.status == 124
    assert "late is still InProgress after 0 s." in late.errors

    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", stop)
        stopped = create("clean", OWN, "--entrypoint", "sleep 60", "--wait")
    assert stopped.status == 130
    assert stopped.errors.endswith(
        "Stopped waiting; clean continues. Check it with: smcli processing-describe clean\n"
    )
    assert job(client)["ProcessingJobStatus"] == "InProgress"


# --- list, describe, stop, logs -------------------------------------------------------------------


@pytest.mark.usefixtures("brief")
def test_processing_list_filters_by_status(create: Smcli, smcli: Smcli) -> None:
    assert smcli("processing-list").errors == "0 items\n"
    running(create, "first")
    create("second", OWN, "--entrypoint", "sh -c 'exit 3'", "--wait")
    table = smcli("processing-list")
    assert table.output.splitlines()[0].split() == ["Name", "Status", "Created"]
    assert [line.split()[:2] for line in table.output.splitlines()[2:]] == [
        ["second", "Failed"],
        ["first", "InProgress"],
    ]
    failed = smcli("processing-list", "--status", "Failed")
    assert failed.output.splitlines()[2].startswith("second")
    assert failed.errors == "1 item\n"
    assert smcli("processing-list", "--status", "Deleting").status == 252


def test_processing_describe_shows_messages_and_places(create: Smcli, smcli: Smcli) -> None:
    say = "sh -c 'mkdir -p output; echo no rows > output/message; exit 3'"
    create("clean", OWN, "--entrypoint", say, "--wait")
    shown = smcli("processing-describe", "clean").output
    fields = {line[:11].rstrip(): line[11:] for line in shown.splitlines()}
    assert list(fields) == [
        *("Name", "Status", "Reason", "Message", "Image", "Program", "Instances"),
        *("Inputs", "Outputs", "Created", "Started", "Ended"),
    ]
    assert fields["Reason"].endswith("exit code: 3")
    assert fields["Message"] == "no rows"
    assert (fields["Inputs"], fields["Outputs"]) == (INPUT, OUTPUT)
    assert fields["Instances"] == "1 x ml.m5.large"
    missing = smcli("processing-describe", "none")
    assert missing.status == 254
    assert missing.errors == (
        "error: ResourceNotFound: Could not find requested job with name: none\n"
        "Next: see the names with smcli processing-list.\n"
    )


@pytest.mark.usefixtures("brief")
def test_processing_stop_stops_a_job_that_runs(create: Smcli, smcli: Smcli, client: Client) -> None:
    running(create)
    dry = smcli("processing-stop", "clean", "--dry-run", "--wait")
    assert json.loads(dry.output)["request"] == {"ProcessingJobName": "clean"}
    assert job(client)["ProcessingJobStatus"] == "InProgress"
    stopped = smcli("processing-stop", "clean")
    assert (stopped.status, stopped.output) == (0, "")
    assert stopped.errors == (
        "The processing job clean is being stopped.\nnext: smcli processing-describe clean\n"
    )
    assert smcli("processing-stop", "clean", "--wait").errors.splitlines()[-1] in (
        "clean: Stopped",
        "error: The processing job clean has already ended: Stopped",
    )
    assert job(client)["ProcessingJobStatus"] == "Stopped"
    again = smcli("processing-stop", "clean")
    assert again.status == 1
    assert again.errors == "error: The processing job clean has already ended: Stopped\n"
    assert smcli("processing-stop", "none").status == 254


def test_processing_logs_follow_ends_with_the_job(create: Smcli, smcli: Smcli) -> None:
    create("clean", OWN, "--entrypoint", "sh -c 'echo one; echo two'")
    followed = smcli("processing-logs", "clean", "--follow")
    assert followed.status == 0
    lines = [line.split(" ", 2)[2] for line in followed.output.splitlines()]
    assert lines == ["one", "two"]
    assert followed.errors.splitlines()[-1] == "clean: Completed"
    shown = smcli("processing-logs", "clean", "--tail", "1")
    assert shown.output.endswith(" two\n")
    assert smcli("processing-logs", "none").status == 254
    create("bad", OWN, "--entrypoint", "sh -c 'exit 3'")
    failed = smcli("processing-logs", "bad", "--follow")
    assert failed.status == 1
    assert failed.errors.splitlines()[-1] == (
        "error: bad: Failed: AlgorithmError: See job logs for more information, exit code: 3"
    )
