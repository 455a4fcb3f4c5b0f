"""Whatever arguments a reader types, no command ends in a traceback or half-way.

Arguments and options are drawn from each command's own parameters: most values fit, some do not.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import click
import pytest
from awslab.embedded import embedded_lab
from awslab.run import Result, run_script
from awslab.scenarios import COMMAND_LINE
from awslab.state import difference, open_places, snapshot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smcli.main import MODULE_OF, cli

RUNS = int(os.environ.get("REQUESTS", "8"))
BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
GOOD = [
    *("churn", "shop", "1", "0.5", "k=v", "a", "linear", "-", "true", "text/csv", "ml.m5.large"),
    *(IMAGE, ROLE, f"s3://{BUCKET}/data", f"s3://{BUCKET}/m/model.tar.gz", "ml.t3.medium"),
]
ODD = [
    *("", " ", "あ", "a" * 300, "--", "-1", "1e9", "nan", "s3://", "s3://X/y", "@missing", "="),
    *("k=", "'; DROP TABLE x", "../../etc/passwd", "{}", "null", "a\nb", "{0}", "%s", "\\", "\x7f"),
]
STATUSES = {0, 1, 124, 130, 252, 253, 254, 255}
# Terraform is a program of its own, with tests of its own.
TESTED = [name for name, module in MODULE_OF.items() if module != "terraform"]


def value(param: Any) -> st.SearchStrategy[str]:
    fitting = list(map(str, param.type.choices)) if isinstance(param.type, click.Choice) else GOOD
    return st.one_of(*[st.sampled_from(fitting)] * 3, st.sampled_from(ODD), st.text(max_size=8))


def words(command: Any) -> st.SearchStrategy[list[str]]:
    """A command line: some of the options, and about as many arguments as there should be."""
    parts: list[st.SearchStrategy[list[str]]] = []
    for param in command.params:
        if isinstance(param, click.Argument):
            parts.append(value(param).map(lambda text: [text]))
            continue
        opts = st.sampled_from([*param.opts, *param.secondary_opts])
        if "--help" in param.opts or "--endpoint-url" in param.opts:
            continue
        with_value = st.tuples(opts, value(param)).map(list)
        chosen = opts.map(lambda text: [text]) if param.is_flag else with_value
        parts.append(st.one_of(st.just([]), st.just([]), st.just([]), chosen))
    return st.tuples(*parts).map(lambda found: [word for part in found for word in part])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder: an empty one."""
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("any"))
    yield Path.cwd()
    os.chdir(here)


def prepare() -> None:
    boto3.client("iam").list_roles()  # a first look at IAM opens its place in the lab
    s3 = boto3.client("s3")
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    for key, body in (("data/train.csv", b"1,2\n0,1\n"), ("m/model.tar.gz", b"")):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def start(line: list[str]) -> Result:
    return run_script(COMMAND_LINE, line, LANGUAGE="en", COLUMNS="80")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TESTED)
def test_no_traceback_and_nothing_half_made(folder: Path, name: str) -> None:
    command = cli.get_command(click.Context(cli), name)

    @settings(
        max_examples=RUNS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    @given(words(command))
    def holds(line: list[str]) -> None:
        with embedded_lab():
            prepare()
            open_places()
            before = snapshot()
            result = start([name, *line])
            assert result.status in STATUSES
            assert "Traceback" not in result.errors
            if result.status:
                assert result.errors.strip(), "it says nothing"
            if result.status in (252, 253, 254, 255):
                assert difference(before, snapshot()) == [], result.errors
            assert list(folder.iterdir()) == []

    holds()
