"""The programs that work on clusters end with one line that names the cause."""

import os
from collections.abc import Callable
from unittest.mock import patch

import pytest
from awslab.embedded import environment, shared_loader
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES

ARGUMENTS = {
    "create_cluster": ["--cluster-id", "sales"],
    "create_workgroup": ["--namespace", "sales", "--workgroup", "analysts"],
    "delete_cluster": ["--cluster-id", "sales", "--skip-final-snapshot"],
    "delete_snapshot": ["--snapshot-id", "monday"],
    "limit_usage": ["--cluster-id", "sales", "--minutes", "5"],
    "pause_cluster": ["--cluster-id", "sales"],
    "remove_workgroup": ["--namespace", "sales", "--workgroup", "analysts"],
    "resize_cluster": ["--cluster-id", "sales", "--nodes", "4"],
    "take_snapshot": ["--cluster-id", "sales", "--snapshot-id", "monday", "--keep-days", "1"],
}
NOWHERE = "http://127.0.0.1:9"  # the port at which nobody listens
ADVICE = "AWS_DEFAULT_REGION, credentials and network.\n"


def start(name: str, settings: dict[str, str]) -> Result:
    with patch.dict(os.environ, settings, clear=True), shared_loader():
        return run_script(EXAMPLES / "redshift" / f"{name}.py", ARGUMENTS[name])


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize(
    ("missing", "cause"),
    [
        ({"AWS_DEFAULT_REGION"}, "You must specify a region. "),
        ({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, "Unable to locate credentials. "),
        (set[str](), f'Could not connect to the endpoint URL: "{NOWHERE}/'),
    ],
)
def test_a_missing_setting(name: str, missing: set[str], cause: str) -> None:
    settings = environment(AWS_MAX_ATTEMPTS="1", AWS_ENDPOINT_URL=NOWHERE)
    result = start(name, {key: value for key, value in settings.items() if key not in missing})
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(cause)
    assert result.errors.endswith(ADVICE)
    assert result.errors.count("\n") == 1


@pytest.mark.parametrize("name", [*ARGUMENTS, "choose_resize"])
def test_missing_arguments(name: str, run: Callable[..., Result]) -> None:
    result = run(name)
    assert (result.status, result.output) == (2, "")
    assert f"{name}.py: error: the following arguments are required: --" in result.errors


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_that_does_not_exist(name: str, run: Callable[..., Result]) -> None:
    result = run(name, *ARGUMENTS[name], "--force")
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(f"{name}.py: error: unrecognized arguments: --force\n")
