"""The lab for tests: in this process, or as a server in a process of its own."""

import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from awslab.embedded import embedded_lab, environment
from awslab.scenarios import EXAMPLES
from botocore.config import Config


@pytest.fixture
def lab() -> Iterator[None]:
    """An empty lab: every boto3 client of this process reaches it, nothing reaches AWS."""
    with embedded_lab():
        yield


@pytest.fixture
def client(lab: None) -> Callable[..., Any]:
    """`client("s3", user_agent_appid="vpce-…")`: a client of the lab; options go into Config."""

    def make(service: str, region: str | None = None, **config: Any) -> Any:
        return boto3.client(service, region_name=region, config=Config(**config))

    return make


@pytest.fixture(scope="session")
def serving_lab() -> Iterator[str]:
    """A process of its own: in this one its patches would lie on moto until the last test."""
    command = [sys.executable, "-m", "awslab", "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(
        command, cwd=EXAMPLES, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            yield said.split()[4]
        finally:
            process.terminate()


@pytest.fixture
def lab_server(serving_lab: str) -> str:
    """The address of an empty lab served over HTTP.

    Programs reach it with `env=awslab.embedded.environment(AWS_ENDPOINT_URL=lab_server)`.
    """
    urllib.request.urlopen(f"{serving_lab}/moto-api/reset", data=b"").close()
    return serving_lab
