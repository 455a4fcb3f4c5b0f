"""Train, deploy, invoke, roll back, read the captures, clean up: by three clients, to one end."""

import csv
import io
import json
import random
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from awslab.embedded import environment
from awslab.scenarios import EXAMPLES

HERE = Path(__file__).parent
AWS = EXAMPLES.parent / ".venv" / "aws-cli" / "bin" / "aws"

SAID = """\
training good: Completed
training bad: Completed
before the update: 3 0
during the canary: failures yes
configuration: walk-good
alarm: ALARM
after the rollback: 3 0
captured all answers: True
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of four numbers, the label first; the bad model is trained on two of the columns."""
    draw = random.Random(0)
    rows = [[draw.random() for _ in range(4)] for _ in range(200)]
    where = tmp_path_factory.mktemp("walk")
    write(where / "good.csv", [[int(sum(row) > 2), *row] for row in rows])
    write(where / "bad.csv", [[int(sum(row) > 2), *row[:2]] for row in rows])
    write(where / "request.csv", [rows[0]])
    return where


def write(path: Path, rows: list[list[float]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue())


def state(lab_server: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{lab_server}/_lab/state") as answer:
        found = json.loads(answer.read())
    assert isinstance(found, dict)
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("client", ["boto3", "sdk", "cli"])
def test_the_walk_ends_alike_and_leaves_nothing(client: str, folder: Path, lab_server: str) -> None:
    before = state(lab_server)["resources"]
    if client == "cli":
        if not AWS.exists():
            pytest.skip("no AWS CLI: `make .venv/cli` installs it")
        command = ["bash", str(HERE / "by_cli.sh"), str(folder)]
    else:
        command = [sys.executable, str(HERE / f"by_{client}.py"), str(folder)]
    extra = {"AWS_ENDPOINT_URL": lab_server, "AWS": str(AWS), "AWS_PAGER": ""}
    done = subprocess.run(
        command, env=environment(**extra), capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == (SAID, 0), done.stderr[-3000:]
    after = state(lab_server)
    assert after["resources"] == before
    assert after["billed_now"] == [] and after["programs"] == []
    assert_nothing_is_listed(lab_server)


def assert_nothing_is_listed(lab_server: str) -> None:
    """Asked again by a client that took no part."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=lab_server,
            region_name="ap-northeast-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    sagemaker = client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []
