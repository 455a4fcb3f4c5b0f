"""Every program ends with one line that names the cause and says what to do."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from awslab.embedded import environment, shared_loader
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES, scripts

FOLDER = EXAMPLES / "s3_gateway_endpoint"
BUCKET = "amzn-s3-demo-bucket-444455556666"
VPC = "vpc-0123456789abcdef0"
TABLE = "rtb-0123456789abcdef0"
ENDPOINT = "vpce-0123456789abcdef0"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOWHERE = "http://127.0.0.1:9"  # the port at which nobody listens

ARGUMENTS = {
    "audit_route_tables": [],
    "change_route_tables": ["--endpoint-id", ENDPOINT, "--attach", TABLE],
    "create_endpoint": ["--vpc-id", VPC, "--route-table-id", TABLE],
    "create_sandbox": ["--bucket", BUCKET],
    "remove_endpoint": ["--endpoint-id", ENDPOINT],
    "remove_sandbox": ["--vpc-id", VPC, "--bucket", BUCKET],
    "restrict_bucket": ["--bucket", BUCKET, "--lift"],
    "restrict_endpoint": ["--endpoint-id", ENDPOINT, "--bucket", BUCKET],
    "try_access": ["--bucket", BUCKET],
}
# What each message says after the cause.
ADVICE = {
    "audit_route_tables": "Not audited: the Region (AWS_DEFAULT_REGION). "
    "Check the Region, credentials and network.",
    "change_route_tables": f"{ENDPOINT} and {TABLE} may have changed: check the ids, "
    "AWS_DEFAULT_REGION, credentials and network, then run it again.",
    "create_endpoint": "No endpoint was confirmed. "
    "Check the ids, AWS_DEFAULT_REGION, credentials and network.",
    "create_sandbox": "Nothing was left behind. "
    "Check the bucket name, AWS_DEFAULT_REGION, credentials and network.",
    "remove_endpoint": f"{ENDPOINT} may still exist. "
    "Check the id, AWS_DEFAULT_REGION, credentials and network.",
    "remove_sandbox": "Nothing was deleted. "
    "Check the ids, AWS_DEFAULT_REGION, credentials and network.",
    "restrict_bucket": f"The policy of {BUCKET} may have changed. "
    "Check the names, AWS_DEFAULT_REGION, credentials and network.",
    "restrict_endpoint": f"The policy of {ENDPOINT} may have changed. "
    "Check the id, AWS_DEFAULT_REGION, credentials and network.",
    "try_access": f"access-test-uuid.txt may be left in {BUCKET}. "
    "Check the bucket, AWS_DEFAULT_REGION, credentials and network.",
}
# What these programs ask Amazon S3 first; S3 finds the Region of a bucket by itself.
ASKS_S3_FIRST = {
    "remove_sandbox": f"{BUCKET}?tagging",
    "restrict_bucket": f"{BUCKET}?policy",
    "try_access": f"{BUCKET}/access-test-uuid.txt",
}
REQUIRED = {
    "audit_route_tables": None,
    "change_route_tables": "--endpoint-id",
    "create_endpoint": "--vpc-id, --route-table-id",
    "create_sandbox": "--bucket",
    "remove_endpoint": "--endpoint-id",
    "remove_sandbox": "--vpc-id, --bucket",
    "restrict_bucket": "--bucket",
    "restrict_endpoint": "--endpoint-id",
    "try_access": "--bucket",
}
EXAMPLE_NAMES = sorted(ARGUMENTS)


def without(*names: str, **extra: str) -> dict[str, str]:
    settings = environment(AWS_MAX_ATTEMPTS="1", **extra)
    return {key: value for key, value in settings.items() if key not in names}


def without_region() -> dict[str, str]:
    # The address keeps a program that needs no Region from calling AWS.
    return without("AWS_DEFAULT_REGION", AWS_ENDPOINT_URL=NOWHERE)


def without_credentials() -> dict[str, str]:
    return without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def unreachable() -> dict[str, str]:
    return without(AWS_ENDPOINT_URL=NOWHERE)


def masked(said: Result) -> Result:
    """The made-up part of a key becomes `uuid`."""
    return Result(said.status, said.output, UUID.sub("uuid", said.errors))


def start(name: str, arguments: list[str], settings: dict[str, str]) -> Result:
    """Run the program in a process of its own."""
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", *arguments],
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return masked(Result(done.returncode, done.stdout, done.stderr))


@pytest.fixture
def start_here() -> Iterator[Callable[[str, dict[str, str]], Result]]:
    """Run the program in this process, without a lab."""

    def run(name: str, settings: dict[str, str]) -> Result:
        with patch.dict(os.environ, settings, clear=True):
            return masked(run_script(FOLDER / f"{name}.py", ARGUMENTS[name]))

    with shared_loader():
        yield run


def failed(name: str, cause: str) -> Result:
    """How the program ends; an audit that cannot be made has its own status."""
    status = 2 if name == "audit_route_tables" else 1
    return Result(status, "", f"{cause}. {ADVICE[name]}\n")


def unreached(path: str) -> str:
    return f'Could not connect to the endpoint URL: "{NOWHERE}/{path}"'


def test_every_example_is_tested_here() -> None:
    found = [name.partition("/")[2] for name in scripts() if name.startswith(FOLDER.name + "/")]
    assert found == EXAMPLE_NAMES
    assert list(ADVICE) == list(REQUIRED) == EXAMPLE_NAMES


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_a_missing_region(name: str) -> None:
    cause = "You must specify a region"
    if name in ASKS_S3_FIRST:
        cause = unreached(ASKS_S3_FIRST[name])
    assert start(name, ARGUMENTS[name], without_region()) == failed(name, cause)


@pytest.mark.parametrize("name", ["audit_route_tables", "create_sandbox"])
def test_missing_credentials(name: str) -> None:
    said = start(name, ARGUMENTS[name], without_credentials())
    assert said == failed(name, "Unable to locate credentials")


@pytest.mark.parametrize("name", ["audit_route_tables", "remove_sandbox"])
def test_an_address_that_does_not_answer(name: str) -> None:
    said = start(name, ARGUMENTS[name], unreachable())
    assert said == failed(name, unreached(ASKS_S3_FIRST.get(name, "")))


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_missing_credentials_in_this_process(
    name: str, start_here: Callable[[str, dict[str, str]], Result]
) -> None:
    said = start_here(name, without_credentials())
    assert said == failed(name, "Unable to locate credentials")


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_an_address_that_does_not_answer_in_this_process(
    name: str, start_here: Callable[[str, dict[str, str]], Result]
) -> None:
    said = start_here(name, unreachable())
    assert said == failed(name, unreached(ASKS_S3_FIRST.get(name, "")))


@pytest.mark.parametrize("name", ["restrict_bucket", "try_access"])
def test_without_a_region_the_bucket_is_found_all_the_same(
    name: str, run: Callable[..., Any], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    arguments = ["--bucket", bucket, *ARGUMENTS[name][2:]]
    result = run(name, *arguments)
    assert (result.status, result.errors) == (0, "")


def test_a_wrong_id_over_http(lab_server: str) -> None:
    """The other programs and ids: in the test of each."""
    settings = environment(AWS_ENDPOINT_URL=lab_server)
    assert start("create_endpoint", ARGUMENTS["create_endpoint"], settings) == failed(
        "create_endpoint",
        "An error occurred (InvalidVpcID.NotFound) when calling the CreateVpcEndpoint operation: "
        f"VpcID {VPC} does not exist",
    )


@pytest.mark.parametrize("name", [name for name in EXAMPLE_NAMES if REQUIRED[name]])
def test_missing_arguments(name: str, run: Callable[..., Any]) -> None:
    result = run(name)
    assert (result.status, result.output) == (2, "")
    assert result.errors.startswith(f"usage: {name}.py ")
    assert result.errors.endswith(
        f"{name}.py: error: the following arguments are required: {REQUIRED[name]}\n"
    )


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_an_argument_that_does_not_exist(name: str, run: Callable[..., Any]) -> None:
    result = run(name, *ARGUMENTS[name], "--force")
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(f"{name}.py: error: unrecognized arguments: --force\n")


def test_wrong_arguments_in_a_process() -> None:
    result = start("try_access", [], environment())
    assert (result.status, result.output) == (2, "")
    assert result.errors == (
        "usage: try_access.py [-h] --bucket BUCKET\n"
        "try_access.py: error: the following arguments are required: --bucket\n"
    )


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("create_sandbox", "CreateBucket"),
        ("restrict_bucket", "GetBucketPolicy"),
        ("try_access", "PutObject"),
    ],
)
def test_a_bucket_name_that_cannot_be(name: str, operation: str, run: Callable[..., Any]) -> None:
    result = masked(run(name, "--bucket", "ab", *ARGUMENTS[name][2:]))
    assert result.status == 1
    assert len(result.errors.splitlines()) == 1
    assert result.errors.startswith("An error occurred (")
    assert f" when calling the {operation} operation: " in result.errors
    assert result.errors.endswith(f". {ADVICE[name].replace(BUCKET, 'ab')}\n")
