"""The command line, run in this process on an empty lab."""

from collections.abc import Callable

import boto3
import pytest
from awslab.run import Result, run_script
from awslab.scenarios import COMMAND_LINE
from proofs.trace import Trace, watching
from smcli.main import MODULE_OF, cli

Smcli = Callable[..., Result]
SETTINGS = {"COLUMNS": "100", "NO_COLOR": "1", "LANGUAGE": "en"}


@pytest.fixture
def smcli(lab: None) -> Smcli:
    """`smcli("model-list", "--output", "json", LANGUAGE="ja")` on the lab: status, output, errors.

    Every operation that a command calls must be among those that it declares.
    """

    def start(*arguments: str, **environment: str) -> Result:
        with watching(Trace()) as trace:
            result = run_script(COMMAND_LINE, list(arguments), **{**SETTINGS, **environment})
        name = next((word for word in arguments if word in MODULE_OF), None)
        if name:
            command = cli.get_command(None, name)  # type: ignore[arg-type]
            called = {f"{call.service}:{call.operation}" for call in trace.calls}
            declared = {*command.calls, *command.undoing}  # type: ignore[union-attr]
            assert called <= declared, f"{name} calls more than it declares"
        return result

    return start


@pytest.fixture
def artifact(lab: None) -> str:
    """The address of an artifact in S3 that no server could load, but a model may have."""
    s3 = boto3.client("s3")
    s3.create_bucket(
        Bucket="amzn-s3-demo-bucket-models",
        CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name},
    )
    s3.put_object(Bucket="amzn-s3-demo-bucket-models", Key="churn/model.tar.gz", Body=b"")
    return "s3://amzn-s3-demo-bucket-models/churn/model.tar.gz"
