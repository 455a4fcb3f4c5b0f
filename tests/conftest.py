"""The lab for tests, in this process or as a server, and the examples that a folder tests."""

import gc
import importlib.util
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from awslab.embedded import embedded_lab, environment
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES
from botocore.config import Config
from xdist.scheduler.loadfile import LoadFileScheduling


class OfExamples(LoadFileScheduling):
    """A file's tests stay together, for some rely on their order; but those of an example or a
    page, `test_x[slug/name]`, stand alone and take long: each goes to the next free worker."""

    def _split_scope(self, nodeid: str) -> str:
        if re.search(r"\[[\w-]+/[\w.-]+\]$", nodeid):
            return nodeid
        return super()._split_scope(nodeid)


def pytest_configure() -> None:
    """What is started in the background of a script ignores Ctrl-C, and so would the programs
    that the tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OfExamples:
    return OfExamples(config, log)


def pytest_collection_finish() -> None:
    """The models of botocore and moto and the collected tests stay until the end: the garbage
    collector need not look through them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def pytest_sessionfinish() -> None:
    gc.unfreeze()  # or libraries take what stays at the end for leaks, and say so


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


@pytest.fixture
def example_folder(request: pytest.FixtureRequest) -> Path:
    """The examples of the test's own folder: tests/<slug> tests examples/<slug>."""
    return EXAMPLES / request.path.parent.name


@pytest.fixture
def example(example_folder: Path) -> Callable[[str], ModuleType]:
    """`example("create_endpoint")`: the file as a module; nothing of it runs."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, example_folder / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run(lab: None, example_folder: Path) -> Callable[..., Result]:
    """`run("create_endpoint", "--vpc-id", "vpc-…", AWS_DEFAULT_REGION="…")`, on the lab."""

    def start(name: str, *arguments: str, **environment: str) -> Result:
        return run_script(example_folder / f"{name}.py", list(arguments), **environment)

    return start
