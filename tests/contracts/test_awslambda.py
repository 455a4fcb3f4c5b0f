"""What bare moto does with aliases and invocations of Lambda: the lab mends it."""

import io
import zipfile
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto.awslambda.models import LambdaFunction
from moto.cloudwatch.models import cloudwatch_backends

from contracts.gaps import gap

ACCOUNT, REGION = "123456789012", "ap-northeast-1"


@pytest.fixture
def functions(bare_moto: None) -> Any:
    """A client, the function `shop` with the versions 1 and 2, and the alias `live`."""
    boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("code.py", "def handler(event, context): return event")
    client = boto3.client("lambda")
    client.create_function(
        FunctionName="shop",
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/r",
        Handler="code.handler",
        Code={"ZipFile": code.getvalue()},
        Publish=True,
    )
    client.update_function_configuration(FunctionName="shop", Timeout=5)
    client.publish_version(FunctionName="shop")
    client.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")
    return client


@gap("lambda:CreateAlias", "takes any routing configuration")
def test_a_new_alias_takes_any_weights(functions: Any) -> None:
    routing = {"AdditionalVersionWeights": {"9": 7.0}}
    made = functions.create_alias(
        FunctionName="shop", Name="other", FunctionVersion="$LATEST", RoutingConfig=routing
    )
    assert made["RoutingConfig"] == routing


@gap(
    "lambda:UpdateAlias",
    "ignores `RevisionId`",
    "never changes it",
    "takes any routing configuration",
)
def test_an_alias_takes_any_update(functions: Any) -> None:
    before = functions.get_alias(FunctionName="shop", Name="live")["RevisionId"]
    changed = functions.update_alias(
        FunctionName="shop",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"1": 7.0, "9": 1.0}},
        RevisionId="another",
    )
    assert changed["RevisionId"] == before


@gap("lambda:Invoke", "runs the latest code, whatever version or alias `Qualifier` names")
def test_the_qualifier_is_not_read(functions: Any) -> None:
    asked = []

    def invoke(self: LambdaFunction, *_: Any) -> bytes:
        asked.append(self.version)
        return b"{}"

    with patch.object(LambdaFunction, "invoke", invoke):
        functions.invoke(FunctionName="shop", Qualifier="1")
        functions.invoke(FunctionName="shop", Qualifier="live")
    assert asked == ["$LATEST", "$LATEST"]


@gap("lambda:functions that run", "needs Docker", "measures nothing")
def test_a_function_needs_docker_and_leaves_no_metric(functions: Any) -> None:
    with (
        patch("docker.from_env", side_effect=RuntimeError("no Docker")),
        patch("moto.settings.moto_server_host", lambda: "http://127.0.0.1"),  # it asks Docker too
        pytest.raises(RuntimeError, match="no Docker"),
    ):
        functions.invoke(FunctionName="shop")
    assert cloudwatch_backends[ACCOUNT][REGION].metric_data == []
