import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from awslab.run import Result
from awslab.scenarios import SCRIPTS
from awslab.telemetry import put_log_lines
from smcli import jobs
from smcli.commands import training

Smcli = Callable[..., Result]
Client = Callable[..., Any]
ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
REGISTRY = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
SCIKIT_LEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-cpu-py312"
OWN = f"{ACCOUNT}.dkr.ecr.ap-northeast-1.amazonaws.com/own:1"
BUCKET = "amzn-s3-demo-bucket-jobs"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
INPUT, OUTPUT = f"s3://{BUCKET}/train/", f"s3://{BUCKET}/output"
BINARY = ("--hyperparameter", "objective=binary:logistic", "--hyperparameter", "num_round=2")
SCRIPT = ("--source-dir", str(SCRIPTS), "--entry-point", "train.py")
ARCHIVE = "output/churn/source/sourcedir.tar.gz"


@pytest.fixture(autouse=True)
def role(lab: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_ROLE_ARN", ROLE)


@pytest.fixture(autouse=True)
def s3(lab: None) -> Any:
    """With data in train/ of the bucket: the label is whether x > 4."""
    client = boto3.client("s3")
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": client.meta.region_name}
    )
    rows = "".join(f"{int(x > 4)},{x},{x * 7 % 10}\n" for x in range(10)) * 2
    client.put_object(Bucket=BUCKET, Key="train/a.csv", Body=rows.encode())
    return client


@pytest.fixture
def create(smcli: Smcli) -> Smcli:
    """`create("churn", image, *options)`, from and to the bucket."""

    def start(name: str, image: str, *options: str, **environment: str) -> Result:
        return smcli("training-create", name, image, INPUT, OUTPUT, *options, **environment)

    return start


def keys(s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET)
    return [each["Key"] for each in found["Contents"]]


def jobs_of(client: Client) -> list[str]:
    found = client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return [each["TrainingJobName"] for each in found]


def job(client: Client, name: str = "churn") -> dict[str, Any]:
    found: dict[str, Any] = client("sagemaker").describe_training_job(TrainingJobName=name)
    return found


def channels(found: dict[str, Any]) -> dict[str, str]:
    return {
        each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"]
        for each in found["InputDataConfig"]
    }


def running(create: Smcli, name: str, *options: str) -> None:
    """A job that does nothing for so long that the test can look at it."""
    made = create(name, OWN, "--entrypoint", "sleep 60", *options)
    assert made.status == 0, made.errors


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C at the first wait."""

    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", stop)
        yield


# --- create ---------------------------------------------------------------------------------------


def test_training_create_trains_with_xgboost_and_waits(create: Smcli, client: Client) -> None:
    made = create("churn", XGBOOST, *BINARY, "--content-type", "text/csv", "--wait")
    assert made.status == 0
    assert made.output == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/churn\n"
    assert made.errors == (
        f"console: https://{REGION}.console.aws.amazon.com/sagemaker/home?region={REGION}"
        "#/jobs/churn\n"
        "churn: InProgress/Starting\n"
        "churn: InProgress/Downloading\n"
        "churn: InProgress/Training\n"
        "churn: InProgress/Uploading\n"
        "churn: Completed\n"
        "next: smcli training-describe churn\n"
    )
    found = job(client)
    assert found["HyperParameters"] == {"objective": "binary:logistic", "num_round": "2"}
    assert channels(found) == {"train": INPUT}
    assert found["InputDataConfig"][0]["ContentType"] == "text/csv"
    assert found["ResourceConfig"] == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
    }
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}


def test_training_create_runs_a_script_in_the_image_of_a_framework(
    create: Smcli, client: Client, s3: Any
) -> None:
    metric = "train:accuracy=accuracy=([0-9.]+)"
    made = create("churn", SCIKIT_LEARN, *SCRIPT, "--metric", metric, "--wait")
    assert made.status == 0, made.errors
    found = job(client)
    assert found["HyperParameters"] == {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": f'"s3://{BUCKET}/{ARCHIVE}"',
        "sagemaker_region": f'"{REGION}"',
        "sagemaker_container_log_level": "20",
    }
    assert channels(found) == {"training": INPUT}
    assert [m["MetricName"] for m in found["FinalMetricDataList"]] == ["train:accuracy"]
    assert sorted(keys(s3)) == ["output/churn/output/model.tar.gz", ARCHIVE, "train/a.csv"]


def test_training_create_packs_a_folder_without_what_is_hidden(
    create: Smcli, s3: Any, tmp_path: Path
) -> None:
    for name in ("run.py", "lib/part.py", ".env", ".git/config", "lib/__pycache__/part.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("print('ran')")
    folder = ("--source-dir", str(tmp_path), "--entry-point", "run.py")
    assert create("churn", SCIKIT_LEARN, *folder).status == 0
    assert create("other", SCIKIT_LEARN, *folder).status == 0
    packed = s3.get_object(Bucket=BUCKET, Key=ARCHIVE)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.getnames() == [".", "./lib", "./lib/part.py", "./run.py"]
    other = s3.get_object(Bucket=BUCKET, Key=ARCHIVE.replace("churn", "other"))["Body"].read()
    assert other == packed


def test_training_create_follows_links_but_not_in_circles(
    create: Smcli, client: Client, tmp_path: Path
) -> None:
    folder, shared = tmp_path / "script", tmp_path / "shared"
    for each in (folder, shared):
        each.mkdir()
        (each / "run.py").write_text("print('ran')")
    (folder / "lib").symlink_to(shared)
    words = ("--source-dir", str(folder), "--entry-point", "run.py")
    shown = create("churn", SCIKIT_LEARN, *words, "--dry-run")
    assert "tar.gz of 2 files: lib/run.py, run.py" in shown.output
    (folder / "up").symlink_to(tmp_path)
    refused = create("churn", SCIKIT_LEARN, *words)
    assert (refused.status, refused.output) == (255, "")
    assert "Too many levels of symbolic links" in refused.errors
    assert jobs_of(client) == []


def test_training_create_refuses_an_empty_image_before_it_uploads(
    create: Smcli, client: Client, s3: Any
) -> None:
    refused = create("churn", "", *SCRIPT)
    assert (refused.status, refused.output) == (252, "")
    assert refused.errors.endswith("error: IMAGE is empty.\n")
    assert keys(s3) == ["train/a.csv"]


def test_training_create_brings_a_script_into_a_container_without_network(
    create: Smcli, client: Client
) -> None:
    alone = ("--entry-point", str(SCRIPTS / "train.py"))
    made = create("churn", SCIKIT_LEARN, *alone, "--network-isolation", "--wait")
    assert made.status == 0, made.errors
    found = job(client)
    assert found["EnableNetworkIsolation"] is True
    assert channels(found) == {
        "training": INPUT,
        "code": f"s3://{BUCKET}/output/churn/source/",
    }


def test_training_create_passes_on_every_option(create: Smcli, client: Client) -> None:
    made = create(
        *("churn", OWN),
        *("--entrypoint", "python3 -c 'print(1)'", "--argument", "--a", "--argument", "b c"),
        *("--env", "A=1=2", "--channel-name", "data", "--channel", f"validation={INPUT}"),
        *("--input-mode", "fastfile", "--content-type", "text/csv", "--instance-count", "2"),
        *("--instance-type", "ml.m5.xlarge", "--volume-size", "5", "--max-runtime", "600"),
        *("--metric", "loss=loss=([0-9.]+)", "--spot", "--checkpoint-s3", f"s3://{BUCKET}/c"),
        *("--vpc-subnets", "subnet-1,subnet-2", "--security-groups", "sg-1"),
    )
    assert made.status == 0, made.errors
    found = job(client)
    assert found["AlgorithmSpecification"]["ContainerEntrypoint"] == ["python3", "-c", "print(1)"]
    assert found["AlgorithmSpecification"]["ContainerArguments"] == ["--a", "b c"]
    assert found["AlgorithmSpecification"]["TrainingInputMode"] == "FastFile"
    assert found["AlgorithmSpecification"]["MetricDefinitions"] == [
        {"Name": "loss", "Regex": "loss=([0-9.]+)"}
    ]
    assert found["Environment"] == {"A": "1=2"}
    assert channels(found) == {"data": INPUT, "validation": INPUT}
    assert found["ResourceConfig"] == {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 2,
        "VolumeSizeInGB": 5,
    }
    assert found["EnableManagedSpotTraining"] is True
    assert found["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 600,
        "MaxWaitTimeInSeconds": 1200,
    }
    assert found["CheckpointConfig"]["S3Uri"] == f"s3://{BUCKET}/c"
    assert found["VpcConfig"] == {
        "SecurityGroupIds": ["sg-1"],
        "Subnets": ["subnet-1", "subnet-2"],
    }


def test_training_create_refuses_before_any_call(
    create: Smcli, smcli: Smcli, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "run.py").touch()
    folder = ("--source-dir", str(tmp_path))
    for options, message in [
        ((SCIKIT_LEARN,), "sagemaker-scikit-learn runs a script of yours, and none was given."),
        ((SCIKIT_LEARN, *folder), "--source-dir needs --entry-point"),
        ((SCIKIT_LEARN, *folder, "--entry-point", "none.py"), "there is no file none.py in"),
        ((SCIKIT_LEARN, *folder, "--entry-point", "../run.py"), "there is no file ../run.py in"),
        ((SCIKIT_LEARN, "--entry-point", "none.py"), "there is no file none.py."),
        ((SCIKIT_LEARN, "--source-dir", "none"), "'none' does not exist"),
        ((SCIKIT_LEARN, *SCRIPT, "--entrypoint", "a"), "--entry-point cannot be used with"),
        ((XGBOOST, "--metric", "a=(b)"), "the XGBoost algorithm has its own metrics"),
        ((OWN, "--metric", "a=("), "--metric a: missing )"),
        ((OWN, "--metric", "a=b"), "--metric a: put parentheses around the number in b"),
        ((OWN, "--spot", "--max-wait", "60"), "--max-wait 60 is shorter than --max-runtime 3600."),
        ((OWN, "--max-wait", "60"), "--max-wait works only with --spot."),
        (
            (OWN, "--vpc-subnets", "subnet-1"),
            "--vpc-subnets and --security-groups must be given together.",
        ),
        ((OWN, "--channel", f"training={INPUT}"), "There are two channels training."),
        ((OWN, "--channel", "a=b"), "'b' is not of the form s3://bucket/prefix"),
        ((OWN, "--channel-name", "a b"), "'a b' does not match the pattern"),
        ((OWN, "--instance-type", "ml.m5.lrge"), "such as ml.m5.large"),
        ((OWN, "--entrypoint", "'"), "No closing quotation"),
        ((OWN, "--entrypoint", " "), "there is no command in ' '"),
        ((OWN, "--hyperparameter", "a"), "'a' is not of the form KEY=VALUE"),
    ]:
        refused = create("churn", *options)
        assert (refused.status, refused.output) == (252, ""), options
        assert message in refused.errors, refused.errors
    assert "a name has letters" in smcli("training-create", "a_b", OWN, INPUT, OUTPUT).errors
    no_uri = smcli("training-create", "a", OWN, "train/", OUTPUT)
    assert "'train/' is not of the form s3://bucket/prefix" in no_uri.errors
    assert jobs_of(client) == []


def test_training_create_looks_for_the_data_first(
    create: Smcli, smcli: Smcli, client: Client, s3: Any
) -> None:
    s3.put_object(Bucket=BUCKET, Key="empty/", Body=b"")  # as the console makes a folder
    empty = smcli("training-create", "churn", SCIKIT_LEARN, f"s3://{BUCKET}/empty", OUTPUT, *SCRIPT)
    assert (empty.status, empty.output) == (1, "")
    assert empty.errors == (
        f"error: There is nothing in s3://{BUCKET}/empty. Upload data first: "
        f"aws s3 sync data s3://{BUCKET}/empty/\n"
    )
    missing = smcli("training-create", "churn", OWN, "s3://amzn-s3-demo-none/a", OUTPUT)
    assert missing.errors == (
        "error: The bucket amzn-s3-demo-none of s3://amzn-s3-demo-none/a does not exist.\n"
    )
    further = create("churn", OWN, "--channel", f"validation=s3://{BUCKET}/none/")
    assert further.status == 1
    assert f"There is nothing in s3://{BUCKET}/none/." in further.errors
    csv = create("churn", XGBOOST, *BINARY)
    assert csv.status == 252
    assert csv.errors.endswith(
        "error: train/a.csv seems to be CSV, which XGBoost reads as libsvm unless you add "
        "--content-type text/csv\n"
    )
    no_output = smcli(
        "training-create", "churn", SCIKIT_LEARN, INPUT, "s3://amzn-s3-demo-none/o", *SCRIPT
    )
    assert no_output.status == 1
    assert "The bucket amzn-s3-demo-none of s3://amzn-s3-demo-none/o/churn" in (no_output.errors)
    assert jobs_of(client) == []
    assert keys(s3) == ["empty/", "train/a.csv"]


def test_training_create_deletes_the_script_of_a_job_that_aws_refuses(
    create: Smcli, s3: Any
) -> None:
    running(create, "churn")
    taken = create("churn", SCIKIT_LEARN, *SCRIPT)
    assert (taken.status, taken.output) == (254, "")
    assert taken.errors.startswith(
        f"Deleted the uploaded s3://{BUCKET}/{ARCHIVE}.\n"
        "error: ResourceInUse: Job name must be unique"
    )
    assert taken.errors.endswith("see what already has this one with smcli training-describe.\n")
    assert keys(s3) == ["train/a.csv"]


def test_training_create_never_replaces_the_script_of_another_job(create: Smcli, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=ARCHIVE, Body=b"mine")
    refused = create("churn", SCIKIT_LEARN, *SCRIPT)
    assert refused.status == 1
    assert refused.errors == (
        f"error: s3://{BUCKET}/{ARCHIVE} already exists, from another job of this name. "
        "Choose another name.\n"
    )
    assert s3.get_object(Bucket=BUCKET, Key=ARCHIVE)["Body"].read() == b"mine"


def test_training_create_names_a_script_that_it_may_have_left(
    create: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = training.AWS.send

    def cut(aws: Any, service: str, operation: str, request: Any) -> Any:
        if operation == "CreateTrainingJob":
            raise KeyboardInterrupt
        return send(aws, service, operation, request)

    monkeypatch.setattr(training.AWS, "send", cut)
    left = create("churn", SCIKIT_LEARN, *SCRIPT)
    assert left.status == 130
    assert left.errors == (
        f"\nInterrupted.\ns3://{BUCKET}/{ARCHIVE} is left over. If there is no job, "
        f"remove it with: aws s3 rm s3://{BUCKET}/{ARCHIVE}\n"
    )


def test_training_create_dry_run_shows_the_requests_and_asks_nothing(
    create: Smcli, client: Client, s3: Any
) -> None:
    shown = create("churn", SCIKIT_LEARN, *SCRIPT, "--dry-run", "--wait")
    assert (shown.status, shown.errors) == (0, "")
    upload, made = map(json.loads, shown.output.splitlines())
    assert upload == {
        "service": "s3",
        "operation": "PutObject",
        "request": {
            "Bucket": BUCKET,
            "Key": ARCHIVE,
            "Body": "tar.gz of 2 files: preprocess.py, train.py",
            "IfNoneMatch": "*",
        },
    }
    assert made["operation"] == "CreateTrainingJob"
    assert made["request"]["HyperParameters"]["sagemaker_program"] == '"train.py"'
    assert jobs_of(client) == []
    assert keys(s3) == ["train/a.csv"]


def test_training_create_ends_with_the_reason_of_a_job_that_fails(create: Smcli) -> None:
    failed = create("churn", OWN, "--entrypoint", "sh -c 'exit 3'", "--wait")
    assert failed.status == 1
    assert failed.errors.splitlines()[-2:] == [
        "error: churn: Failed: AlgorithmError: , exit code: 3",
        "next: smcli training-logs churn --tail 20",
    ]


def test_training_create_ends_its_wait_and_leaves_the_job(
    create: Smcli, client: Client, interrupted: None
) -> None:
    stopped = create("churn", OWN, "--entrypoint", "sleep 60", "--wait")
    assert stopped.status == 130
    assert stopped.errors.endswith(
        "Stopped waiting; churn continues. Check it with: smcli training-describe churn\n"
    )
    late = create("late", OWN, "--entrypoint", "sleep 60", "--wait", "--timeout", "0")
    assert late.status == 124
    assert "late is still InProgress after 0 s." in late.errors
    assert [job(client, name)["TrainingJobStatus"] for name in ("churn", "late")] == [
        "InProgress",
        "InProgress",
    ]


def test_images_of_frameworks_are_known_by_their_repository() -> None:
    for image in (
        "a/pytorch-training:2.0-cpu-py310",
        "a/huggingface-pytorch-training@sha256:0",
        "a/tensorflow-training:2.19",
        "a/pytorch-training-neuronx:1",
        "a/sagemaker-scikit-learn:1.2-1",
    ):
        assert jobs.is_framework(image), image
    for image in ("a/sagemaker-xgboost:1", "a/own-pytorch-training:1", "pytorch:2", "python:3"):
        assert not jobs.is_framework(image), image
    assert jobs.is_xgboost(XGBOOST)


# --- list, describe, stop -------------------------------------------------------------------------


def test_training_list_filters_by_status(create: Smcli, smcli: Smcli) -> None:
    assert smcli("training-list").errors == "0 items\n"
    running(create, "first")
    create("second", OWN, "--entrypoint", "sh -c 'exit 3'", "--wait")
    table = smcli("training-list")
    assert [line.split()[:2] for line in table.output.splitlines()[2:]] == [
        ["second", "Failed"],
        ["first", "InProgress"],
    ]
    assert table.output.splitlines()[0].split() == ["Name", "Status", "Created"]
    failed = smcli("training-list", "--status", "failed")
    assert failed.output.splitlines()[2].startswith("second")
    assert failed.errors == "1 item\n"
    assert smcli("training-list", "--status", "Stopped").errors == "0 items\n"
    wrong = smcli("training-list", "--status", "done")
    assert wrong.status == 252
    assert "'done' is not one of" in wrong.errors


def test_training_list_reads_all_pages(smcli: Smcli, client: Client) -> None:
    for number in range(101):
        client("sagemaker").create_training_job(
            TrainingJobName=f"job-{number}",
            RoleArn=ROLE,
            AlgorithmSpecification={"TrainingImage": OWN, "TrainingInputMode": "File"},
            OutputDataConfig={"S3OutputPath": OUTPUT},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
    assert smcli("training-list").errors == "101 items\n"


def test_training_describe_shows_what_a_job_has_cost(create: Smcli, smcli: Smcli) -> None:
    metric = "accuracy=accuracy=([0-9.]+)"
    create("churn", SCIKIT_LEARN, *SCRIPT, "--metric", metric, "--spot", "--wait")
    shown = smcli("training-describe", "churn", COLUMNS="300").output
    fields = {line[:15].rstrip(): line[17:] for line in shown.splitlines()}
    assert list(fields) == [
        *("Name", "Status", "Image", "Instances", "Hyperparameters", "Metrics", "Model"),
        *("Training time", "Billed time", "Spot saving", "Created", "Started", "Ended"),
    ]
    assert fields["Status"] == "Completed"
    assert fields["Instances"] == "1 x ml.m5.large"
    assert fields["Metrics"] == "accuracy=0.9"
    assert fields["Model"] == f"s3://{BUCKET}/output/churn/output/model.tar.gz"
    assert fields["Training time"].endswith(" s")
    assert json.loads(fields["Hyperparameters"])["sagemaker_program"] == '"train.py"'
    assert json.loads(smcli("training-describe", "churn", "--output", "json").output)[
        "EnableManagedSpotTraining"
    ]


def test_training_describe_computes_the_saving() -> None:
    spot = {"EnableManagedSpotTraining": True, "TrainingTimeInSeconds": 500}
    assert training.saving(spot | {"BillableTimeInSeconds": 100}) == "80%"
    assert training.saving({"TrainingTimeInSeconds": 5, "BillableTimeInSeconds": 5}) is None


def test_training_describe_says_why_a_job_did_not_complete(create: Smcli, smcli: Smcli) -> None:
    create("failed", OWN, "--entrypoint", "sh -c 'exit 3'", "--wait")
    assert "AlgorithmError: , exit code: 3" in smcli("training-describe", "failed").output
    running(create, "stopped")
    assert smcli("training-stop", "stopped", "--wait").status == 0
    assert "Training job stopped" in smcli("training-describe", "stopped").output
    missing = smcli("training-describe", "none")
    assert missing.status == 254
    assert missing.errors == (
        "error: ValidationException: Requested resource not found.\n"
        "Next: see the names with smcli training-list.\n"
    )


def test_training_stop_stops_a_job_that_runs(create: Smcli, smcli: Smcli, client: Client) -> None:
    running(create, "churn")
    dry = smcli("training-stop", "churn", "--dry-run", "--wait")
    assert json.loads(dry.output)["request"] == {"TrainingJobName": "churn"}
    assert dry.errors == ""
    assert job(client)["TrainingJobStatus"] == "InProgress"
    stopped = smcli("training-stop", "churn")
    assert (stopped.status, stopped.output) == (0, "")
    assert stopped.errors == (
        "The training job churn is being stopped.\nnext: smcli training-describe churn\n"
    )
    again = smcli("training-stop", "churn")
    assert again.status == 254
    assert again.errors.startswith("error: ValidationException: The request was rejected")
    assert smcli("training-stop", "none").status == 254


def test_training_stop_waits_for_the_end(create: Smcli, smcli: Smcli, client: Client) -> None:
    running(create, "churn")
    stopped = smcli("training-stop", "churn", "--wait")
    assert (stopped.status, stopped.output) == (0, "")
    assert stopped.errors.splitlines()[-1] == "churn: Stopped"
    assert job(client)["TrainingJobStatus"] == "Stopped"


# --- logs -----------------------------------------------------------------------------------------


def said(name: str, *lines: str) -> None:
    put_log_lines(ACCOUNT, REGION, LOG_GROUP, f"{name}/algo-1-1700000000", lines)


def messages(shown: Result) -> list[str]:
    return [line.split(" ", 2)[2] for line in shown.output.splitlines()]


def test_training_logs_shows_the_job_of_this_name_only(create: Smcli, smcli: Smcli) -> None:
    running(create, "churn")
    none = smcli("training-logs", "churn")
    assert (none.status, none.output) == (0, "")
    assert none.errors == "There are no logs yet; the job is InProgress.\n"
    said("churn-2", "of another")
    assert smcli("training-logs", "churn").output == ""
    said("churn", "one", "two", "three\n")
    shown = smcli("training-logs", "churn")
    assert (shown.status, shown.errors) == (0, "")
    assert messages(shown) == ["one", "two", "three"]
    assert shown.output.startswith("algo-1-1700000000 20")
    assert messages(smcli("training-logs", "churn", "--tail", "2")) == ["two", "three"]
    assert smcli("training-logs", "churn", "--tail", "0").output == ""
    text = smcli("training-logs", "churn", "--output", "text").output.splitlines()
    assert text[0].split("\t")[::2] == ["churn/algo-1-1700000000", "one"]
    whole = smcli("training-logs", "churn", "--output", "json", "--tail", "1")
    assert [event["message"] for event in json.loads(whole.output)["events"]] == ["three\n"]


def test_training_logs_shows_what_a_deleted_job_has_said(smcli: Smcli) -> None:
    assert smcli("training-logs", "churn").status == 254
    said("churn", "one")
    assert messages(smcli("training-logs", "churn")) == ["one"]


def test_training_logs_merges_the_hosts_in_the_order_of_time(smcli: Smcli, client: Client) -> None:
    logs, now = client("logs"), int(time.time() * 1000)
    logs.create_log_group(logGroupName=LOG_GROUP)
    for host, offsets in (("algo-1-1", (0, 2)), ("algo-2-1", (1, 3))):
        where = {"logGroupName": LOG_GROUP, "logStreamName": f"churn/{host}"}
        logs.create_log_stream(**where)
        events = [{"timestamp": now + n, "message": str(n)} for n in offsets]
        logs.put_log_events(**where, logEvents=events)
    shown = smcli("training-logs", "churn")
    assert messages(shown) == ["0", "1", "2", "3"]
    assert [line.split()[0] for line in shown.output.splitlines()] == [
        *("algo-1-1", "algo-2-1", "algo-1-1", "algo-2-1")
    ]


def test_training_logs_follow_ends_with_the_job(create: Smcli, smcli: Smcli) -> None:
    create("churn", OWN, "--entrypoint", "sh -c 'echo one; echo two'")
    followed = smcli("training-logs", "churn", "--follow")
    assert followed.status == 0
    assert messages(followed) == ["one", "two"]
    assert followed.errors == ("There are no logs yet; the job is InProgress.\nchurn: Completed\n")
    create("bad", OWN, "--entrypoint", "sh -c 'echo oh; exit 3'")
    failed = smcli("training-logs", "bad", "--follow")
    assert (failed.status, messages(failed)) == (1, ["oh"])
    assert failed.errors.splitlines()[-1] == "error: bad: Failed: AlgorithmError: , exit code: 3"
    no_json = smcli("training-logs", "churn", "--follow", "--output", "json")
    assert no_json.status == 252
    assert "--follow shows lines: leave out --output json and --query." in no_json.errors


def test_training_logs_follow_shows_each_line_once(
    create: Smcli, smcli: Smcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(create, "churn")
    said("churn", "before", "last before")
    looks = iter(range(2))

    def meanwhile(_seconds: float) -> None:
        number = next(looks, None)
        if number is None:
            raise KeyboardInterrupt
        said("churn", f"line {number}")

    monkeypatch.setattr(time, "sleep", meanwhile)
    followed = smcli("training-logs", "churn", "--follow", "--tail", "1")
    assert messages(followed) == ["last before", *(f"line {n}" for n in range(2))]
    assert followed.status == 130
    assert followed.errors == ("churn continues. See its logs with: smcli training-logs churn\n")
