"""Training jobs: states, own scripts, failures, stops, spot instances, lists, over HTTP as well."""

import io
import json
import os
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.embedded import environment
from awslab.services.sagemaker import training, training_run
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
BUCKET = "amzn-s3-demo-bucket"
PYTORCH = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/pytorch-training:2.10-cpu-py313"
XGBOOST = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/"
NORMAL = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
GROUP = "/aws/sagemaker/TrainingJobs"

# Prints ready, and waits to be ended; on SIGTERM it leaves what it has.
WAITING = """
import signal, sys, time
def leave(number, frame):
    with open("/opt/ml/model/rescued", "w") as file:
        file.write("so far")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("ready")
time.sleep(60)
"""
# Counts up from its last checkpoint; waits at 3 when it is the first run.
COUNTING = """
import os, time
path = "/opt/ml/checkpoints/count.txt"
start = int(open(path).read()) if os.path.exists(path) else 0
print("start", start)
for count in range(start + 1, 6):
    with open(path + ".sagemaker-ignore", "w") as file:
        file.write(str(count))
    os.replace(path + ".sagemaker-ignore", path)
    if start == 0 and count == 3:
        print("ready")
        time.sleep(60)
open("/opt/ml/model/count", "w").write(str(count))
"""

Request = dict[str, Any]


@cache
def cached(service: str, endpoint: str | None) -> BaseClient:
    return boto3.client(service, endpoint_url=endpoint)


def aws(service: str) -> BaseClient:
    """A client of the lab that the test uses; one per service, because they take long to make."""
    return cached(service, os.environ.get("AWS_ENDPOINT_URL"))


@pytest.fixture
def sagemaker(lab: None) -> BaseClient:
    """A client, and the bucket of the jobs with data in it."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="data/a.csv", Body=b"1,2\n")
    s3.put_object(Bucket=BUCKET, Key="data/deep/b.csv", Body=b"3,4\n")
    return aws("sagemaker")


@pytest.fixture
def with_bucket(sagemaker: BaseClient) -> None:
    """The same for a test in which `sagemaker` is the SDK."""


@pytest.fixture
def own_clock() -> Iterator[None]:
    yield
    CLOCK.run(None)


def put_code(code: str, **files: str) -> str:
    """Upload a source directory with train.py; returns its address."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in {"train.py": code, **files}.items():
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    aws("s3").put_object(Bucket=BUCKET, Key="code.tar.gz", Body=packed.getvalue())
    return f"s3://{BUCKET}/code.tar.gz"


def channel(name: str = "train", key: str = "data/", **source: Any) -> Request:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{key}"} | source
        },
    }


def request(name: str = "job", code: str = "print('done')", **more: Any) -> Request:
    """A job with an own script in a PyTorch image; `more` replaces members of the request."""
    hyperparameters = {"sagemaker_program": "train.py"}
    if "HyperParameters" not in more and "AlgorithmSpecification" not in more:
        hyperparameters["sagemaker_submit_directory"] = put_code(code)
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": PYTORCH, "TrainingInputMode": "File"},
        "HyperParameters": hyperparameters,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    } | more


def image(name: str, **more: Any) -> Request:
    return {"TrainingImage": name, "TrainingInputMode": "File"} | more


def shell(text: str) -> Request:
    """An image whose program is a line of the shell: it starts faster than Python."""
    command = ["/bin/sh", "-c", text]
    return image("own/image:1", ContainerEntrypoint=command)


def described(sagemaker: BaseClient, name: str = "job") -> dict[str, Any]:
    found = sagemaker.describe_training_job(TrainingJobName=name)
    assert isinstance(found, dict)
    return found


def ended(sagemaker: BaseClient, name: str = "job") -> dict[str, Any]:
    """The job after a waiter has seen its end."""
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    return described(sagemaker, name)


def failed(sagemaker: BaseClient, name: str = "job") -> str:
    """Why the job has failed."""
    for _ in range(10):
        job = described(sagemaker, name)
        if job["TrainingJobStatus"] == "Failed":
            return str(job["FailureReason"])
    raise AssertionError(job["SecondaryStatus"])


def run(sagemaker: BaseClient, code: str = "print('done')", **more: Any) -> dict[str, Any]:
    sagemaker.create_training_job(**request(code=code, **more))
    return ended(sagemaker)


def states(job: dict[str, Any]) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def log_lines(name: str = "job", host: str = "algo-1") -> list[str]:
    logs = aws("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/{host}")
    return [
        event["message"]
        for stream in streams["logStreams"]
        for event in logs.get_log_events(
            logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]


def wait_for_line(line: str, name: str = "job") -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if line in log_lines(name):
                return
        except ClientError:  # no log group yet
            pass
    raise AssertionError(f"{name} never said {line}")


def stored(key: str) -> bytes:
    content = aws("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert isinstance(content, bytes)
    return content


def packed(key: str) -> dict[str, str]:
    """The files of a tar.gz, by their names."""
    with tarfile.open(fileobj=io.BytesIO(stored(key))) as tar:
        members = [member for member in tar if member.isfile()]
        return {member.name: tar.extractfile(member).read().decode() for member in members}  # type: ignore[union-attr]


def refusal(call: Callable[[], Any], code: str = "ValidationException") -> str:
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(refused.value.response["Error"]["Message"])


# --- states ---------------------------------------------------------------------------------------


def test_each_look_shows_the_next_state(sagemaker: BaseClient) -> None:
    made = sagemaker.create_training_job(**request())
    assert made["TrainingJobArn"] == ARN + "job"
    seen = [described(sagemaker) for _ in range(6)]
    assert [job["SecondaryStatus"] for job in seen] == [*NORMAL, "Completed"]
    assert [job["TrainingJobStatus"] for job in seen] == ["InProgress"] * 4 + ["Completed"] * 2
    assert [len(job["SecondaryStatusTransitions"]) for job in seen] == [1, 2, 3, 4, 5, 5]
    for job in seen[:4]:
        assert "EndTime" not in job["SecondaryStatusTransitions"][-1]
        assert not {"ModelArtifacts", "TrainingEndTime", "BillableTimeInSeconds"} & set(job)
    assert "TrainingStartTime" not in seen[0]


def test_a_completed_job_answers_what_aws_answers(sagemaker: BaseClient) -> None:
    job = run(sagemaker, "open('/opt/ml/model/m', 'w').write('model')")
    messages = [each["StatusMessage"] for each in job["SecondaryStatusTransitions"]]
    assert states(job) == NORMAL
    assert messages == [
        "Preparing the instances for training",
        "Downloading the training image",
        "Training image download completed. Training in progress.",
        "Uploading generated training model",
        "Training job completed",
    ]
    for before, after in zip(
        job["SecondaryStatusTransitions"], job["SecondaryStatusTransitions"][1:], strict=False
    ):
        assert before["StartTime"] <= before["EndTime"] == after["StartTime"]
    assert job["TrainingJobArn"] == ARN + "job"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == (
        f"s3://{BUCKET}/output/job/output/model.tar.gz"
    )
    assert packed("output/job/output/model.tar.gz") == {"m": "model"}
    assert 1 <= job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] < 60
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["LastModifiedTime"] == job["TrainingEndTime"]
    assert "FailureReason" not in job


def test_every_member_of_the_request_is_answered(sagemaker: BaseClient) -> None:
    sent = request(
        InputDataConfig=[channel() | {"ContentType": "text/csv", "InputMode": "FastFile"}],
        AlgorithmSpecification=image(
            PYTORCH, MetricDefinitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
        ),
        HyperParameters={"sagemaker_program": "train.py", "a": '"b"'},
        VpcConfig={"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-1"]},
        EnableNetworkIsolation=True,
        EnableInterContainerTrafficEncryption=True,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints"},
        DebugHookConfig={"S3OutputPath": f"s3://{BUCKET}/debug", "HookParameters": {"a": "1"}},
        DebugRuleConfigurations=[
            {"RuleConfigurationName": "VanishingGradient", "RuleEvaluatorImage": "rules:latest"}
        ],
        TensorBoardOutputConfig={"S3OutputPath": f"s3://{BUCKET}/tensorboard"},
        ProfilerConfig={
            "S3OutputPath": f"s3://{BUCKET}/profiler",
            "ProfilingIntervalInMilliseconds": 500,
        },
        Environment={"COLOUR": "blue"},
        RetryStrategy={"MaximumRetryAttempts": 2},
        ExperimentConfig={"TrialName": "trial"},
        RemoteDebugConfig={"EnableRemoteDebug": True},
        InfraCheckConfig={"EnableInfraCheck": True},
        Tags=[{"Key": "team", "Value": "ml"}],
    )
    sagemaker.create_training_job(**sent)
    job = described(sagemaker)
    tags = sagemaker.list_tags(ResourceArn=ARN + "job")["Tags"]
    assert tags == sent.pop("Tags")
    for name in sent:
        if name not in ("InputDataConfig", "OutputDataConfig", "CheckpointConfig"):
            assert (
                {**job[name], **sent[name]} == job[name]
                if isinstance(sent[name], dict)
                else (job[name] == sent[name])
            ), name
    assert job["InputDataConfig"] == [
        {
            "ChannelName": "train",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://{BUCKET}/data/",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
            "ContentType": "text/csv",
            "CompressionType": "None",
            "RecordWrapperType": "None",
            "InputMode": "FastFile",
        }
    ]
    assert job["OutputDataConfig"] == {
        "KmsKeyId": "",
        "S3OutputPath": f"s3://{BUCKET}/output",
        "CompressionType": "GZIP",
    }
    assert job["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    assert job["ProfilingStatus"] == "Enabled"
    assert job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is False


def test_what_is_left_out_gets_its_default(sagemaker: BaseClient) -> None:
    sent = request()
    del sent["StoppingCondition"]
    sagemaker.create_training_job(**sent)
    job = described(sagemaker)
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}
    assert job["ProfilingStatus"] == "Disabled"
    for switch in training.SWITCHES:
        assert job[switch] is False
    assert not {"InputDataConfig", "VpcConfig", "WarmPoolStatus", "Environment"} & set(job)


# --- own scripts ----------------------------------------------------------------------------------


def test_a_script_gets_its_hyperparameters_channels_and_variables(sagemaker: BaseClient) -> None:
    code = """
import json, os, pathlib, sys
from lib import helper
names = ["SM_MODEL_DIR", "SM_CHANNEL_TRAIN", "SM_CHANNELS", "SM_HPS", "SM_HP_BATCH-SIZE",
         "SM_NUM_GPUS", "SM_HOSTS", "SM_CURRENT_HOST", "SM_OUTPUT_DATA_DIR", "SM_INPUT_CONFIG_DIR",
         "SM_USER_ARGS", "SM_USER_ENTRY_POINT", "TRAINING_JOB_NAME", "TRAINING_JOB_ARN",
         "AWS_REGION", "COLOUR", "OMP_NUM_THREADS"]
seen = {name: os.environ[name] for name in names}
files = sorted(p.relative_to("/opt/ml/input/data/train").as_posix()
               for p in pathlib.Path("/opt/ml/input/data/train").rglob("*") if p.is_file())
config = json.load(open("/opt/ml/input/config/hyperparameters.json"))
told = json.loads(os.environ["SM_TRAINING_ENV"])["hyperparameters"]
print(json.dumps([sys.argv[1:], seen, files, config, told, helper.VALUE]))
"""
    hyperparameters = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": f'"{put_code(code, lib__py="", **{"lib/helper.py": ""})}"',
        "sagemaker_region": '"ap-northeast-1"',
        "epochs": "3",
        "batch-size": "32",
        "optimizer": '"adam"',
        "shuffle": "true",
        "name": "plain text",
    }
    put_code(code, **{"lib/__init__.py": "", "lib/helper.py": "VALUE = '/opt/ml/model'"})
    run(
        sagemaker,
        HyperParameters=hyperparameters,
        InputDataConfig=[channel()],
        Environment={"COLOUR": "blue"},
    )
    *_, last = log_lines()
    arguments, seen, files, config, told, value = json.loads(last)
    expected = {"batch-size": 32, "epochs": 3, "name": "plain text", "optimizer": "adam"}
    assert arguments == [
        *("--batch-size", "32", "--epochs", "3", "--name", "plain text"),
        *("--optimizer", "adam", "--shuffle", "True"),
    ]
    assert told == expected | {"shuffle": True}
    assert json.loads(seen.pop("SM_HPS")) == told
    assert json.loads(seen.pop("SM_USER_ARGS")) == arguments
    assert seen == {
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_CHANNELS": '["train"]',
        "SM_HP_BATCH-SIZE": "32",
        "SM_NUM_GPUS": "0",
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
        "SM_USER_ENTRY_POINT": "train.py",
        "TRAINING_JOB_NAME": "job",
        "TRAINING_JOB_ARN": ARN + "job",
        "AWS_REGION": REGION,
        "COLOUR": "blue",
        "OMP_NUM_THREADS": "1",
    }
    assert files == ["a.csv", "deep/b.csv"]
    assert config == hyperparameters
    assert value == "/opt/ml/model"  # a literal path in a module of the script


def test_the_log_has_what_the_toolkit_and_the_script_say(sagemaker: BaseClient) -> None:
    code = (
        "import sys; print('out\\ttab'); print('err', file=sys.stderr); print(); print('/opt/ml')"
    )
    source = put_code(code, **{"requirements.txt": "no-such-package==1.0"})
    hyperparameters = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": source,
        "epochs": "3",
    }
    run(sagemaker, HyperParameters=hyperparameters)
    first, second, command, *rest = log_lines()
    assert first.startswith("requirements.txt is not installed")
    assert second == "Invoking script with the following command:"
    assert command.startswith("/usr/") and command.endswith(" train.py --epochs 3")
    assert sorted(rest) == ["/opt/ml", "err", "out#011tab"]
    streams = aws("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    (stream,) = [each["logStreamName"] for each in streams]
    began = described(sagemaker)["TrainingStartTime"]
    assert stream == f"job/algo-1-{int(began.timestamp())}"


def test_a_script_may_be_one_of_the_shell_in_a_prefix(sagemaker: BaseClient) -> None:
    text = 'echo "$1 $2 in $SM_CURRENT_HOST" > /opt/ml/model/said'
    aws("s3").put_object(Bucket=BUCKET, Key="src/train.sh", Body=text)
    hyperparameters = {
        "sagemaker_program": "train.sh",
        "sagemaker_submit_directory": f"s3://{BUCKET}/src",
        "epochs": "3",
    }
    run(sagemaker, HyperParameters=hyperparameters)
    assert packed("output/job/output/model.tar.gz") == {"said": "--epochs 3 in algo-1\n"}


def test_a_script_may_come_in_an_archive_of_a_channel(sagemaker: BaseClient) -> None:
    put_code("import helper", helper__py="print('no network needed')")
    hyperparameters = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/code.tar.gz",
    }
    run(
        sagemaker,
        HyperParameters=hyperparameters,
        InputDataConfig=[channel("code", "code.tar.gz")],
        EnableNetworkIsolation=True,
    )
    assert log_lines()[-1] == "no network needed"


def test_the_environment_may_name_the_script(sagemaker: BaseClient) -> None:
    aws("s3").put_object(Bucket=BUCKET, Key="data/own.py", Body="print('by environment')")
    run(
        sagemaker,
        HyperParameters={"sagemaker_submit_directory": f"s3://{BUCKET}/data"},
        Environment={"SAGEMAKER_PROGRAM": "own.py"},
    )
    assert log_lines()[-1] == "by environment"


def test_an_entry_point_runs_as_it_is_given(sagemaker: BaseClient) -> None:
    line = (
        'echo "$0 $1 ${SM_MODEL_DIR-unset} $TRAINING_JOB_NAME"; cat /opt/ml/input/data/train/a.csv'
    )
    asked = image(
        "own/image:1",
        ContainerEntrypoint=["/bin/sh", "-c"],
        ContainerArguments=[line, "zero", "/opt/ml/model"],
    )
    run(sagemaker, AlgorithmSpecification=asked, InputDataConfig=[channel()])
    assert log_lines() == ["zero /opt/ml/model unset job", "1,2"]


def test_any_python_is_the_labs_python(sagemaker: BaseClient) -> None:
    code = "import boto3, sys; print(sys.argv[1:])"
    asked = image(PYTORCH, ContainerEntrypoint=["/opt/conda/bin/python3.10", "-c", code, "/opt/ml"])
    run(sagemaker, AlgorithmSpecification=asked)
    assert log_lines() == ["['/opt/ml']"]


def test_no_credentials_of_the_user_reach_an_embedded_program(sagemaker: BaseClient) -> None:
    run(sagemaker, AlgorithmSpecification=shell("env | grep -c -E '^AWS_.*(KEY|TOKEN|URL)' ; true"))
    assert log_lines() == ["0"]


def test_output_data_are_stored_beside_the_model(sagemaker: BaseClient) -> None:
    run(sagemaker, AlgorithmSpecification=shell("echo 1 > /opt/ml/output/data/scores"))
    assert packed("output/job/output/output.tar.gz") == {"scores": "1\n"}
    found = aws("s3").list_objects_v2(Bucket=BUCKET, Prefix="output/")["Contents"]
    assert [each["Key"] for each in found] == ["output/job/output/output.tar.gz"]  # no model


def test_the_model_may_stay_uncompressed(sagemaker: BaseClient) -> None:
    job = run(
        sagemaker,
        AlgorithmSpecification=shell("mkdir /opt/ml/model/a; echo 1 > /opt/ml/model/a/b"),
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output/", "CompressionType": "NONE"},
    )
    path = f"s3://{BUCKET}/output/job/output/model/"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": path}
    assert stored("output/job/output/model/a/b") == b"1\n"


# --- metrics --------------------------------------------------------------------------------------


def test_metrics_are_found_by_their_expressions(sagemaker: BaseClient) -> None:
    line = "for loss in 0.5 nan 0.25; do echo epoch: loss=$loss acc=1; done"
    definitions = [
        {"Name": "train:loss", "Regex": "loss=([0-9.a-z]+)"},
        {"Name": "acc", "Regex": "acc=(\\S+)"},
        {"Name": "never", "Regex": "absent=(\\S+)"},
        {"Name": "no group", "Regex": "epoch"},
    ]
    job = run(sagemaker, AlgorithmSpecification=shell(line) | {"MetricDefinitions": definitions})
    found = [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]]
    assert found == [("train:loss", 0.25), ("acc", 1.0)]
    statistics = aws("cloudwatch").get_metric_statistics(
        Namespace=GROUP,
        MetricName="train:loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": "job"}],
        StartTime=job["CreationTime"] - timedelta(minutes=5),
        EndTime=job["CreationTime"] + timedelta(minutes=5),
        Period=3600,
        Statistics=["Minimum", "Maximum", "SampleCount"],
    )["Datapoints"]
    assert sum(each["SampleCount"] for each in statistics) == 2
    assert min(each["Minimum"] for each in statistics) == 0.25
    assert max(each["Maximum"] for each in statistics) == 0.5


def test_the_built_in_algorithm_has_its_own_metrics(sagemaker: BaseClient) -> None:
    definitions = [{"Name": "loss", "Regex": "loss=(.*)"}]
    asked = request(AlgorithmSpecification=image(XGBOOST, MetricDefinitions=definitions))
    assert refusal(lambda: sagemaker.create_training_job(**asked)) == (
        "You can't override the metric definitions for Amazon SageMaker algorithms. "
        "Please retry the request without specifying metric definitions."
    )
    sagemaker.create_training_job(**request(AlgorithmSpecification=image(XGBOOST)))
    names = [d["Name"] for d in described(sagemaker)["AlgorithmSpecification"]["MetricDefinitions"]]
    assert len(names) == 40
    assert {"train:logloss", "validation:auc", "validation:rmse"} <= set(names)


# --- failures -------------------------------------------------------------------------------------


def test_a_script_that_raises_fails_the_job(sagemaker: BaseClient) -> None:
    code = "import sys\nprint('begin')\ndef f():\n    raise ValueError('bad\\nlearning rate')\nf()"
    sagemaker.create_training_job(**request(code=code))
    reason = failed(sagemaker)
    assert reason.startswith(
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n"
        'ErrorMessage "ValueError: bad\nlearning rate"\nCommand "/usr/'
    )
    assert reason.endswith(' train.py", exit code: 1')
    job = described(sagemaker)
    assert states(job) == ["Starting", "Downloading", "Training", "Uploading", "Failed"]
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job failed"
    assert "ModelArtifacts" not in job
    assert "Traceback (most recent call last):" in log_lines()


def test_an_argument_that_the_script_does_not_know_is_told(sagemaker: BaseClient) -> None:
    code = "import argparse; argparse.ArgumentParser(prog='train.py').parse_args()"
    asked = request(HyperParameters={"sagemaker_program": "train.py", "epochs": "3"})
    asked["HyperParameters"]["sagemaker_submit_directory"] = put_code(code)
    sagemaker.create_training_job(**asked)
    reason = failed(sagemaker)
    assert "ExitCode 2" in reason
    assert 'ErrorMessage "train.py: error: unrecognized arguments: --epochs 3"' in reason
    assert reason.endswith("exit code: 2")


def test_the_failure_file_comes_first(sagemaker: BaseClient) -> None:
    code = "open('/opt/ml/output/failure', 'w').write('no /opt/ml data ' + 2000 * 'x'); 1 / 0"
    sagemaker.create_training_job(**request(code=code))
    assert failed(sagemaker) == ("AlgorithmError: no /opt/ml data " + 2000 * "x")[:1024]


def test_output_data_of_a_failed_job_are_stored(sagemaker: BaseClient) -> None:
    line = "echo 1 > /opt/ml/output/data/d; echo 1 > /opt/ml/model/m; exit 7"
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell(line)))
    assert failed(sagemaker) == "AlgorithmError: , exit code: 7"
    found = aws("s3").list_objects_v2(Bucket=BUCKET, Prefix="output/")["Contents"]
    assert [each["Key"] for each in found] == ["output/job/output/output.tar.gz"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            {"AlgorithmSpecification": image(PYTORCH), "HyperParameters": {"epochs": "3"}},
            "AlgorithmError: framework error: \nValueError: entry point name is empty. Set the "
            "'sagemaker_program' hyperparameter (or ContainerEntrypoint), exit code: 1",
        ),
        (
            {"AlgorithmSpecification": image("own/image:1"), "HyperParameters": {}},
            "ClientError: The lab has nothing that behaves like the image own/image:1. Give "
            "ContainerEntrypoint, or the hyperparameters sagemaker_program and "
            "sagemaker_submit_directory.",
        ),
        (
            {
                "HyperParameters": {
                    "sagemaker_program": "train.py",
                    "sagemaker_submit_directory": f"s3://{BUCKET}/none.tar.gz",
                }
            },
            "AlgorithmError: framework error: \nbotocore.exceptions.ClientError: An error occurred "
            "(404) when calling the HeadObject operation: Not Found, exit code: 1",
        ),
        (
            {
                "AlgorithmSpecification": shell("echo 1 > /opt/ml/model/m"),
                "OutputDataConfig": {"S3OutputPath": "s3://amzn-s3-demo-none/o"},
            },
            "ClientError: Artifact upload failed:Unable to upload file to "
            "s3://amzn-s3-demo-none/o/job/output/model.tar.gz "
            "(NoSuchBucket: The specified bucket does not exist)",
        ),
        (
            {"AlgorithmSpecification": image("own:1", ContainerEntrypoint=["/no/such/program"])},
            "AlgorithmError: , exit code: 127",
        ),
        (
            {"AlgorithmSpecification": shell("true"), "Environment": {"A": "\0"}},
            "ClientError: The program cannot be started: embedded null byte",
        ),
        (
            {
                "AlgorithmSpecification": shell("true"),
                "InputDataConfig": [channel() | {"InputMode": "Pipe"}],
            },
            "ClientError: The lab has no Pipe mode (channel train).",
        ),
        (
            {
                "AlgorithmSpecification": shell("true"),
                "InputDataConfig": [channel(S3DataType="AugmentedManifestFile")],
            },
            "ClientError: The lab cannot read AugmentedManifestFile (channel train).",
        ),
    ],
)
def test_what_goes_wrong_is_told(sagemaker: BaseClient, more: Request, reason: str) -> None:
    sagemaker.create_training_job(**request(**more))
    assert failed(sagemaker) == reason


def test_data_that_vanish_fail_the_download(sagemaker: BaseClient) -> None:
    asked = request(AlgorithmSpecification=shell("true"))
    aws("s3").put_object(
        Bucket=BUCKET, Key="m.json", Body=f'[{{"prefix": "s3://{BUCKET}/"}}, "gone.csv"]'
    )
    data = channel(key="m.json", S3DataType="ManifestFile")
    sagemaker.create_training_job(**asked, InputDataConfig=[data])
    assert failed(sagemaker) == (
        "ClientError: Data download failed:Unable to download object "
        f"s3://{BUCKET}/gone.csv (NoSuchKey: The specified key does not exist.)"
    )
    assert states(described(sagemaker)) == ["Starting", "Downloading", "Failed"]


# --- what CreateTrainingJob refuses ---------------------------------------------------------------


def test_a_name_can_be_taken_once(sagemaker: BaseClient) -> None:
    asked = request(AlgorithmSpecification=shell("true"))
    sagemaker.create_training_job(**asked)
    assert refusal(lambda: sagemaker.create_training_job(**asked), "ResourceInUse") == (
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({ARN}job)"
    )


def test_the_same_name_is_free_elsewhere(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("true")))
    other = client("sagemaker", "eu-west-1")
    with pytest.raises(ClientError):
        other.describe_training_job(TrainingJobName="job")
    other.create_training_job(**request(AlgorithmSpecification=shell("true")))
    credentials = aws("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/guest", RoleSessionName="session"
    )["Credentials"]
    stranger = boto3.client(
        "sagemaker",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    assert stranger.list_training_jobs()["TrainingJobSummaries"] == []
    asked = request(AlgorithmSpecification=shell("true"))
    assert refusal(lambda: stranger.create_training_job(**asked)) == (
        "RoleArn: Cross-account pass role is not allowed."
    )


NO_DATA = (
    'No S3 objects found under S3 URL "{}" given in input data source. Please ensure that the '
    "bucket exists in the selected region (ap-northeast-1), that objects exist under that S3 "
    f'prefix, and that the role "{ROLE}" has "s3:ListBucket" permissions on bucket "{{}}".'
)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (f"s3://{BUCKET}/none/", ""),
        (f"s3://{BUCKET}/none.json", ""),
        ("s3://amzn-s3-demo-none/a", " Error message from S3: The specified bucket does not exist"),
        (
            "s3://amzn-s3-demo-far/a",
            " Error message from S3: The bucket is in this region: eu-west-1. "
            "Please use this region to retry the request",
        ),
    ],
)
def test_inputs_must_exist(sagemaker: BaseClient, uri: str, said: str) -> None:
    far = boto3.client("s3", region_name="eu-west-1")
    far.create_bucket(
        Bucket="amzn-s3-demo-far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    kind = "ManifestFile" if uri.endswith(".json") else "S3Prefix"
    asked = request(InputDataConfig=[channel(S3Uri=uri, S3DataType=kind)])
    bucket = uri.split("/")[2]
    assert refusal(lambda: sagemaker.create_training_job(**asked)) == (
        NO_DATA.format(uri, bucket) + said
    )


SPOT = {"EnableManagedSpotTraining": True}
NULL = (
    "1 validation error detected: Value null at '{}' failed to satisfy constraint: "
    "Member must not be null"
)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"StoppingCondition": {"MaxWaitTimeInSeconds": 60}},
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is "
            "set to true",
        ),
        (
            SPOT,
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds",
        ),
        (
            SPOT | {"StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 599}},
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_201}},
            "Invalid MaxRuntimeInSeconds. It must be less than or equal to 2419200",
        ),
        (
            {"AlgorithmSpecification": {"TrainingInputMode": "File"}},
            "Exactly one of TrainingImage and AlgorithmName must be specified.",
        ),
        (
            {"AlgorithmSpecification": image(PYTORCH, AlgorithmName="own")},
            "Exactly one of TrainingImage and AlgorithmName must be specified.",
        ),
        (
            {"AlgorithmSpecification": {"AlgorithmName": "own", "TrainingInputMode": "File"}},
            f'Could not find algorithm "arn:aws:sagemaker:{REGION}:{ACCOUNT}:algorithm/own".',
        ),
        (
            {
                "AlgorithmSpecification": shell("")
                | {"MetricDefinitions": [{"Name": "m", "Regex": "("}]}
            },
            "The regular expression of the metric m is not valid.",
        ),
        ({"ResourceConfig": {"VolumeSizeInGB": 5}}, NULL.format("resourceConfig.instanceType")),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0}},
            "1 validation error detected: Value '0' at 'resourceConfig.instanceCount' failed to "
            "satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            {
                "ResourceConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstancePreferences": [{"InstanceType": "ml.g5.xlarge"}],
                }
            },
            "InstancePreferences cannot be specified with InstanceType or InstanceGroups.",
        ),
        (
            {"InputDataConfig": [channel(), channel()]},
            "Channel names must be unique. Duplicate channel name: train",
        ),
        (
            {"InputDataConfig": [{"ChannelName": "a", "DataSource": {}}]},
            "Exactly one data source must be specified for the channel a.",
        ),
    ],
)
def test_contradictions_are_refused(sagemaker: BaseClient, more: Request, message: str) -> None:
    assert refusal(lambda: sagemaker.create_training_job(**request(**more))) == message
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_members_that_only_serverless_jobs_leave_out(sagemaker: BaseClient) -> None:
    for name, path in (
        ("AlgorithmSpecification", "algorithmSpecification"),
        ("ResourceConfig", "resourceConfig"),
    ):
        asked = request()
        del asked[name]
        message = refusal(lambda asked=asked: sagemaker.create_training_job(**asked))  # type: ignore[misc]
        assert message == NULL.format(path)


def test_a_gpu_type_of_today_is_accepted(sagemaker: BaseClient) -> None:
    resources = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1}
    job = run(sagemaker, AlgorithmSpecification=shell("true"), ResourceConfig=resources)
    assert job["ResourceConfig"] == resources
    assert job["TrainingJobStatus"] == "Completed"


# --- stops and limits -----------------------------------------------------------------------------


def test_a_stopped_job_keeps_what_it_saved(sagemaker: BaseClient) -> None:
    sagemaker.create_training_job(**request(code=WAITING))
    wait_for_line("ready")
    sagemaker.stop_training_job(TrainingJobName="job")
    job = described(sagemaker)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopping", "Stopping")
    assert refusal(lambda: sagemaker.stop_training_job(TrainingJobName="job")) == (
        "The request was rejected because the training job is in status Stopping"
    )
    job = described(sagemaker)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopping", "Uploading")
    job = ended(sagemaker)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert states(job) == [
        *("Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped")
    ]
    assert job["SecondaryStatusTransitions"][3]["StatusMessage"] == "Stopping the training job"
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    assert packed(artifact) == {"rescued": "so far"}
    assert refusal(lambda: sagemaker.stop_training_job(TrainingJobName="job")) == (
        "The request was rejected because the training job is in status Stopped"
    )


def test_a_job_that_does_not_listen_is_killed(
    sagemaker: BaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "GRACE", 0.2)
    line = "trap '' TERM; echo ready; while true; do sleep 0.1; done"
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell(line)))
    wait_for_line("ready")
    sagemaker.stop_training_job(TrainingJobName="job")
    assert ended(sagemaker)["SecondaryStatus"] == "Stopped"


def test_a_stop_right_after_the_creation_lets_the_job_begin(sagemaker: BaseClient) -> None:
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("sleep 60")))
    sagemaker.stop_training_job(TrainingJobName="job")
    assert states(ended(sagemaker)) == [
        *("Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped")
    ]


def test_a_job_that_waits_for_a_processor_is_stopped_at_once(sagemaker: BaseClient) -> None:
    for number in range(training_run.QUEUE.limit):
        asked = request(f"busy-{number}", AlgorithmSpecification=shell("sleep 60"))
        sagemaker.create_training_job(**asked)
        wait_for_state(sagemaker, f"busy-{number}", "Training")
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("true")))
    sagemaker.stop_training_job(TrainingJobName="job")
    job = ended(sagemaker)
    assert states(job) == ["Starting", "Stopping", "Stopped"]
    assert not {"TrainingStartTime", "ModelArtifacts", "BillableTimeInSeconds"} & set(job)


def wait_for_state(sagemaker: BaseClient, name: str, state: str) -> None:
    for _ in range(5):
        if described(sagemaker, name)["SecondaryStatus"] == state:
            return
    raise AssertionError(state)


def test_a_completed_job_cannot_be_stopped(sagemaker: BaseClient) -> None:
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("true")))
    until = time.monotonic() + 20
    job = training.find_job(training.sagemaker_backends[ACCOUNT][REGION], "job")
    while not job.run.wait(1) and time.monotonic() < until:
        pass
    assert refusal(lambda: sagemaker.stop_training_job(TrainingJobName="job")) == (
        "The request was rejected because the training job is in status Completed"
    )
    assert described(sagemaker)["SecondaryStatus"] == "Completed"


def test_the_longest_runtime_ends_a_job(sagemaker: BaseClient) -> None:
    job = run(sagemaker, WAITING, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert states(job)[-3:] == ["Stopping", "Uploading", "MaxRuntimeExceeded"]
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == (
        "Training job runtime exceeded MaxRuntimeInSeconds provided"
    )
    assert "rescued" in packed("output/job/output/model.tar.gz")
    assert job["TrainingTimeInSeconds"] >= 1


@pytest.mark.usefixtures("own_clock")
def test_the_longest_runtime_is_one_of_the_labs_clock(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    sagemaker.create_training_job(**request(code=WAITING))
    wait_for_line("ready")
    CLOCK.advance(601)
    job = ended(sagemaker)
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert 601 <= job["TrainingTimeInSeconds"] <= 602


@pytest.mark.usefixtures("own_clock")
def test_a_running_clock_multiplies_real_seconds(sagemaker: BaseClient) -> None:
    CLOCK.run(600)
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("sleep 1")))
    job = training.find_job(training.sagemaker_backends[ACCOUNT][REGION], "job")
    assert described(sagemaker)["TrainingJobStatus"] == "InProgress"
    assert job.run.wait(20)
    seconds = described(sagemaker)["TrainingTimeInSeconds"]
    assert 600 <= seconds < 12_000


# --- spot instances and checkpoints ---------------------------------------------------------------


def test_an_interrupted_job_goes_on_from_its_checkpoint(sagemaker: BaseClient) -> None:
    sagemaker.create_training_job(
        **request(
            code=COUNTING,
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
            CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints/job"},
        )
    )
    wait_for_line("ready")
    training.interrupt(ACCOUNT, REGION, "job")
    job = described(sagemaker)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("InProgress", "Interrupted")
    job = ended(sagemaker)
    assert states(job) == [*NORMAL[:3], "Interrupted", *NORMAL]
    assert [line for line in log_lines() if line.startswith("start")] == ["start 0", "start 3"]
    assert packed("output/job/output/model.tar.gz") == {"count": "5"}
    assert stored("checkpoints/job/count.txt") == b"5"
    found = aws("s3").list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/")["Contents"]
    assert len(found) == 1
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]


@pytest.mark.usefixtures("own_clock")
def test_a_spot_job_is_billed_for_less(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    sagemaker.create_training_job(
        **request(
            code=WAITING,
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
        )
    )
    wait_for_line("ready")
    CLOCK.advance(500)
    sagemaker.stop_training_job(TrainingJobName="job")
    job = ended(sagemaker)
    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (500, 150)


@pytest.mark.usefixtures("own_clock")
def test_the_longest_wait_ends_a_spot_job(sagemaker: BaseClient) -> None:
    CLOCK.run(0)
    sagemaker.create_training_job(
        **request(
            code=WAITING,
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
        )
    )
    job = training.find_job(training.sagemaker_backends[ACCOUNT][REGION], "job")
    wait_for_line("ready")
    job.run.happened[0] = training.Happening("Starting", job.creation_time - timedelta(seconds=300))
    CLOCK.advance(301)
    assert ended(sagemaker)["SecondaryStatus"] == "MaxWaitTimeExceeded"


def test_only_running_spot_jobs_can_be_interrupted(sagemaker: BaseClient) -> None:
    asked = request(AlgorithmSpecification=shell("true"))
    sagemaker.create_training_job(**asked)
    spot = asked | {
        "TrainingJobName": "spot",
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    }
    sagemaker.create_training_job(**spot)
    ended(sagemaker, "spot")
    for name, message in (
        ("none", "Requested resource not found."),
        ("job", "The training job job does not use managed spot training."),
        ("spot", "The training job spot does not run on spot instances now."),
    ):
        with pytest.raises(training.AWSValidationException) as refused:
            training.interrupt(ACCOUNT, REGION, name)
        assert refused.value.message == message


def test_checkpoints_may_lie_anywhere_and_are_fetched(sagemaker: BaseClient) -> None:
    aws("s3").put_object(Bucket=BUCKET, Key="c/old/1.txt", Body=b"one")
    line = "cat /tmp/own/old/1.txt; echo two > /tmp/own/2.txt"
    job = run(
        sagemaker,
        AlgorithmSpecification=shell(line),
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/c/", "LocalPath": "/tmp/own"},
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert log_lines() == ["one"]
    assert stored("c/2.txt") == b"two\n"


# --- several instances, several jobs --------------------------------------------------------------


def test_a_process_per_instance_with_its_share_of_the_data(sagemaker: BaseClient) -> None:
    s3 = aws("s3")
    for name in "abcde":
        s3.put_object(Bucket=BUCKET, Key=f"shards/{name}", Body=name.encode())
    line = (
        "ls /opt/ml/input/data/train | tr '\\n' ' '; "
        'grep -o \'"current_host": "[a-z0-9-]*\' /opt/ml/input/config/resourceconfig.json; '
        "cp /opt/ml/input/data/train/* /opt/ml/model"
    )
    run(
        sagemaker,
        AlgorithmSpecification=shell(line),
        InputDataConfig=[channel(key="shards/", S3DataDistributionType="ShardedByS3Key")],
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5},
    )
    assert log_lines(host="algo-1") == ['a c e "current_host": "algo-1']
    assert log_lines(host="algo-2") == ['b d "current_host": "algo-2']
    assert sorted(packed("output/job/output/model.tar.gz")) == list("abcde")


def test_one_failing_instance_ends_the_others(sagemaker: BaseClient) -> None:
    line = "if grep -q 'current_host\": \"algo-2' $0; then exit 3; else sleep 60; fi"
    command = ["/bin/sh", "-c", line, "/opt/ml/input/config/resourceconfig.json"]
    groups = [
        {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": name}
        for name in ("one", "two")
    ]
    sagemaker.create_training_job(
        **request(
            AlgorithmSpecification=image("own:1", ContainerEntrypoint=command),
            ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 5},
        )
    )
    assert failed(sagemaker) == "AlgorithmError: , exit code: 3"


def test_clients_may_create_jobs_at_the_same_time(sagemaker: BaseClient) -> None:
    asked = request(AlgorithmSpecification=shell("echo 1 > /opt/ml/model/m"))
    names = [f"job-{number}" for number in range(8)]
    taken = []

    def create(name: str) -> None:
        own = boto3.client("sagemaker")
        own.create_training_job(**asked | {"TrainingJobName": name})
        try:
            own.create_training_job(**asked | {"TrainingJobName": "shared"})
            taken.append(name)
        except own.exceptions.ResourceInUse:
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, names))
    assert len(taken) == 1
    for name in [*names, "shared"]:
        assert states(ended(sagemaker, name)) == NORMAL
        assert packed(f"output/{name}/output/model.tar.gz") == {"m": "1\n"}


def test_what_still_runs_ends_with_the_lab(client: Callable[..., BaseClient]) -> None:
    aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for number in range(4):
        asked = request(f"job-{number}", AlgorithmSpecification=shell("sleep 60"))
        client("sagemaker").create_training_job(**asked)
    begun = time.monotonic()
    training_run.QUEUE.close()
    assert time.monotonic() - begun < 10


# --- lists ----------------------------------------------------------------------------------------


@pytest.fixture
def several(sagemaker: BaseClient, own_clock: None) -> BaseClient:
    """Twelve jobs, an hour apart: job-00 … job-11; those of odd number have failed."""
    CLOCK.run(0)
    for number in range(12):
        asked = request(f"job-{number:02}", AlgorithmSpecification=shell(f"exit {number % 2}"))
        sagemaker.create_training_job(**asked)
        training.find_job(
            training.sagemaker_backends[ACCOUNT][REGION], asked["TrainingJobName"]
        ).finish(20)
        CLOCK.advance(3600)
    return sagemaker


def names(answer: dict[str, Any]) -> list[str]:
    return [each["TrainingJobName"].removeprefix("job-") for each in answer["TrainingJobSummaries"]]


def test_lists_are_paged_sorted_and_filtered(several: BaseClient) -> None:
    listed = several.list_training_jobs
    first = listed()
    assert names(first) == [f"{number:02}" for number in range(10)]
    assert names(listed(NextToken=first["NextToken"])) == ["10", "11"]
    assert names(listed(SortOrder="Descending", MaxResults=3)) == ["11", "10", "09"]
    assert names(listed(SortBy="Name", NameContains="-1")) == ["10", "11"]
    assert names(listed(SortBy="Status", MaxResults=8))[4:] == ["08", "10", "01", "03"]
    pages = several.get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 5})
    assert [len(names(page)) for page in pages] == [5, 5, 2]
    assert refusal(lambda: listed(NextToken="none"))


def test_lists_by_time(several: BaseClient) -> None:
    jobs = several.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    at = {job["TrainingJobName"]: job for job in jobs}
    middle = at["job-06"]["CreationTime"] + timedelta(minutes=1)
    assert len(names(several.list_training_jobs(CreationTimeBefore=middle))) == 7
    assert names(several.list_training_jobs(CreationTimeAfter=middle))[0] == "07"
    changed = several.list_training_jobs(
        LastModifiedTimeAfter=middle, LastModifiedTimeBefore=middle + timedelta(hours=2)
    )
    assert names(changed) == ["07", "08"]


def test_with_a_limit_the_status_is_looked_at_after_the_cut(several: BaseClient) -> None:
    listed = several.list_training_jobs
    assert names(listed(StatusEquals="Failed")) == ["01", "03", "05", "07", "09", "11"]
    cut = listed(StatusEquals="Failed", MaxResults=4)
    assert names(cut) == ["01", "03"]
    assert names(listed(StatusEquals="Failed", MaxResults=4, NextToken=cut["NextToken"])) == [
        *("05", "07")
    ]


def test_a_summary_says_where_the_job_stands(sagemaker: BaseClient) -> None:
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("true")))
    seen = [sagemaker.list_training_jobs()["TrainingJobSummaries"][0] for _ in range(5)]
    assert [each["SecondaryStatus"] for each in seen] == NORMAL
    assert set(seen[-1]) == {
        *("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime"),
        *("LastModifiedTime", "TrainingJobStatus", "SecondaryStatus"),
    }


def test_search_finds_jobs(sagemaker: BaseClient) -> None:
    for name in ("a", "b"):
        tags = [{"Key": "team", "Value": name}]
        asked = request(name, AlgorithmSpecification=shell("true"), Tags=tags)
        sagemaker.create_training_job(**asked)
    by_tag = {"Name": "Tags.team", "Operator": "Equals", "Value": "b"}
    found = sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": [by_tag]})
    (result,) = found["Results"]
    assert result["TrainingJob"]["TrainingJobName"] == "b"


# --- warm pools, updates, deletion ----------------------------------------------------------------


@pytest.mark.usefixtures("own_clock")
def test_a_warm_pool_stays_until_its_time_is_over(sagemaker: BaseClient) -> None:
    resources = {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "VolumeSizeInGB": 5,
        "KeepAlivePeriodInSeconds": 600,
    }
    asked = request(AlgorithmSpecification=shell("sleep 60"), ResourceConfig=resources)
    sagemaker.create_training_job(**asked)
    assert described(sagemaker)["WarmPoolStatus"] == {"Status": "InUse"}
    CLOCK.run(0)
    sagemaker.stop_training_job(TrainingJobName="job")
    assert ended(sagemaker)["WarmPoolStatus"] == {
        "Status": "Available",
        "ResourceRetainedBillableTimeInSeconds": 0,
    }
    listed = sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")
    assert len(listed["TrainingJobSummaries"]) == 1
    refusal(lambda: sagemaker.delete_training_job(TrainingJobName="job"), "ResourceInUse")
    CLOCK.advance(599)
    assert described(sagemaker)["WarmPoolStatus"]["Status"] == "Available"
    sagemaker.update_training_job(
        TrainingJobName="job", ResourceConfig={"KeepAlivePeriodInSeconds": 700}
    )
    CLOCK.advance(100)
    assert described(sagemaker)["WarmPoolStatus"]["Status"] == "Available"
    CLOCK.advance(1)
    assert described(sagemaker)["WarmPoolStatus"] == {
        "Status": "Terminated",
        "ResourceRetainedBillableTimeInSeconds": 700,
    }
    assert (
        refusal(
            lambda: sagemaker.update_training_job(
                TrainingJobName="job", ResourceConfig={"KeepAlivePeriodInSeconds": 60}
            )
        )
        == "The training job job has no warm pool that could be updated."
    )
    sagemaker.delete_training_job(TrainingJobName="job")


def test_the_profiler_can_be_changed_while_the_job_runs(sagemaker: BaseClient) -> None:
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("sleep 60")))
    config = {"S3OutputPath": f"s3://{BUCKET}/p", "ProfilingIntervalInMilliseconds": 1000}
    answer = sagemaker.update_training_job(TrainingJobName="job", ProfilerConfig=config)
    assert answer["TrainingJobArn"] == ARN + "job"
    job = described(sagemaker)
    assert (job["ProfilerConfig"], job["ProfilingStatus"]) == (config, "Enabled")
    sagemaker.stop_training_job(TrainingJobName="job")
    ended(sagemaker)
    assert (
        refusal(lambda: sagemaker.update_training_job(TrainingJobName="job", ProfilerConfig=config))
        == "The request was rejected because the training job is in status Stopped"
    )


def test_a_deleted_job_frees_its_name(sagemaker: BaseClient) -> None:
    asked = request(AlgorithmSpecification=shell("sleep 60"))
    sagemaker.create_training_job(**asked)
    message = refusal(lambda: sagemaker.delete_training_job(TrainingJobName="job"), "ResourceInUse")
    assert message.startswith(f"The training job {ARN}job is in status InProgress.")
    sagemaker.stop_training_job(TrainingJobName="job")
    ended(sagemaker)
    sagemaker.delete_training_job(TrainingJobName="job")
    assert refusal(lambda: described(sagemaker)) == "Requested resource not found."
    sagemaker.create_training_job(**asked | {"AlgorithmSpecification": shell("true")})


@pytest.mark.parametrize("operation", ["describe", "stop", "update", "delete"])
def test_a_job_must_exist(sagemaker: BaseClient, operation: str) -> None:
    call = getattr(sagemaker, f"{operation}_training_job")
    assert refusal(lambda: call(TrainingJobName="none")) == "Requested resource not found."


# --- EventBridge ----------------------------------------------------------------------------------


def test_every_state_is_announced(sagemaker: BaseClient, client: Callable[..., BaseClient]) -> None:
    queue = aws("sqs").create_queue(QueueName="states")["QueueUrl"]
    events = aws("events")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {"TrainingJobStatus": ["Completed", "InProgress"]},
    }
    events.put_rule(Name="states", EventPattern=json.dumps(pattern))
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:states"
    events.put_targets(Rule="states", Targets=[{"Id": "queue", "Arn": target}])
    job = run(sagemaker, AlgorithmSpecification=shell("true"))
    messages = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    told = [json.loads(message["Body"]) for message in messages]
    assert [event["detail"]["SecondaryStatus"] for event in told] == NORMAL
    assert told[-1]["detail"]["TrainingJobName"] == "job"
    assert told[-1]["resources"] == [ARN + "job"]
    assert told[-1]["detail"]["CreationTime"] == int(job["CreationTime"].timestamp() * 1000)


# --- the Python SDK -------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_the_sdk_trains_an_own_script(
    with_bucket: None,
    client: Callable[..., BaseClient],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = aws("iam").create_role(
        RoleName="SageMakerExecutionRole",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    aws("iam").put_role_policy(
        RoleName="SageMakerExecutionRole",
        PolicyName="everything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    import sagemaker.core.resources
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, InputData, OutputDataConfig, SourceCode

    (tmp_path / "requirements.txt").write_text("no-such-package==1.0")
    (tmp_path / "train.py").write_text(
        "import os, sys\n"
        "rows = open(os.environ['SM_CHANNEL_TRAIN'] + '/a.csv').read()\n"
        "open('/opt/ml/model/said', 'w').write(rows + ' '.join(sys.argv[1:]))\n"
    )
    trainer = ModelTrainer(
        training_image=PYTORCH,
        role=role,
        sagemaker_session=Session(default_bucket=BUCKET),
        base_job_name="own",
        source_code=SourceCode(
            source_dir=str(tmp_path), entry_script="train.py", requirements="requirements.txt"
        ),
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        hyperparameters={"epochs": 3, "name": "a b"},
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/output"),
    )
    data = InputData(channel_name="train", data_source=f"s3://{BUCKET}/data/")
    # The SDK polls every five seconds.
    brisk = SimpleNamespace(time=time.time, sleep=lambda seconds: None)
    monkeypatch.setattr(sagemaker.core.resources, "time", brisk)
    trainer.train(input_data_config=[data], wait=True, logs=False)
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed"
    artifact = job.model_artifacts.s3_model_artifacts.removeprefix(f"s3://{BUCKET}/")
    assert packed(artifact) == {"said": "1,2\n--epochs 3 --name a b"}
    lines = log_lines(job.training_job_name)
    assert any(line.startswith("requirements.txt is not installed") for line in lines)


# --- over HTTP ------------------------------------------------------------------------------------


def test_over_http_a_script_calls_the_lab_as_its_role(
    lab_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(AWS_ENDPOINT_URL=lab_server).items():
        monkeypatch.setenv(name, value)
    aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    code = (
        "import boto3\n"
        f"boto3.client('s3').put_object(Bucket='{BUCKET}', Key='from-inside', Body=b'here')\n"
        "print(boto3.client('sts').get_caller_identity()['Arn'])\n"
    )
    sagemaker = boto3.client("sagemaker", config=Config(retries={"total_max_attempts": 1}))
    sagemaker.create_training_job(**request(code=code))
    job = ended(sagemaker)
    assert states(job) == NORMAL
    assert stored("from-inside") == b"here"
    assert log_lines()[-1] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/SageMakerExecutionRole/SageMaker"
    )
    assert refusal(lambda: sagemaker.create_training_job(**request()), "ResourceInUse")
    isolated = shell("env | grep -c AWS_ENDPOINT_URL; true")
    asked = request("isolated", AlgorithmSpecification=isolated, EnableNetworkIsolation=True)
    sagemaker.create_training_job(**asked)
    ended(sagemaker, "isolated")
    assert log_lines("isolated") == ["0"]


def test_over_http_the_reset_ends_jobs(lab_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(AWS_ENDPOINT_URL=lab_server).items():
        monkeypatch.setenv(name, value)
    aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_training_job(**request(AlgorithmSpecification=shell("sleep 60")))
    described(sagemaker)
    urllib.request.urlopen(f"{lab_server}/moto-api/reset", data=b"").close()
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert aws("logs").describe_log_groups()["logGroups"] == []
