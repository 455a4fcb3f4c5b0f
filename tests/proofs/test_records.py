"""The records beside the examples are what the programs do today."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from awslab.scenarios import EXAMPLES, queries, scenario, scripts
from checks.mirrors import PLACEHOLDERS, REGISTRIES

from proofs.environments import parameters, runs_alone
from proofs.permissions import actions_in
from proofs.record import record
from proofs.resources import table_rows
from proofs.shell import records, shell_scripts

ENDINGS = (".out", ".policy.json", ".run.json", ".figures.json")
STORED = sorted(path for ending in ENDINGS for path in EXAMPLES.glob(f"*/*{ending}"))
RECORDED = [*scripts(), *queries()]
REAL = re.compile(
    r"(?<![\w.])\d{12}(?!\w)"  # an account
    r"|\b[a-z]+-[0-9a-f]{8}(?:[0-9a-f]{9})?\b"  # a resource of EC2
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"  # a UUID
    r"|\bA[KS]IA[0-9A-Z]{16}\b"  # an access key
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d"  # a moment
)


def stored_as(name: str, ending: str) -> Path:
    return (EXAMPLES / name).with_suffix(ending)


def read(name: str, ending: str) -> Any:
    return json.loads(stored_as(name, ending).read_text(encoding="utf-8"))


def calling() -> list[str]:
    """The programs that call AWS."""
    return [name for name in scripts() if "calls" in read(name, ".run.json")]


def real_looking(text: str) -> list[str]:
    return [found for found in REAL.findall(text) if found not in PLACEHOLDERS | REGISTRIES]


@pytest.mark.timeout(300)  # hundreds of runs
@pytest.mark.parametrize(
    "name", parameters([name for name in RECORDED if not runs_alone(scenario(name))])
)
def test_the_example_is_proven_and_does_what_its_record_says(name: str) -> None:
    """Where each run starts real programs, of SageMaker, four faults at most are tried; `make
    record` tries four for each call. Programs that run alone have nothing to prove but their
    record: tests/site/test_copied_code.py runs them.
    """
    story = scenario(name)
    calls = read(name, ".run.json").get("calls", [])
    thorough = not any(call["service"].startswith("sagemaker") for call in calls)
    for path, text in record(story, thorough).paths(story.path).items():
        stored = path.read_text(encoding="utf-8") if path.exists() else ""
        assert stored == text, f"{path.name} is no longer what the example does: run `make record`"


def test_every_example_has_its_records_and_every_record_its_example() -> None:
    shell = [path for script in shell_scripts() for path in {*records(script).values()}]
    wanted = [stored_as(name, ending) for name in RECORDED for ending in (".out", ".run.json")]
    wanted += [stored_as(name, ".policy.json") for name in calling()]
    wanted += [stored_as(n, ".figures.json") for n in RECORDED if scenario(n).figures]
    wanted += shell
    assert sorted(wanted) == STORED, "run `make record`, and delete what has no example"


@pytest.mark.parametrize("name", calling())
def test_aws_knows_every_action_of_the_policy(name: str) -> None:
    policy = read(name, ".policy.json")
    assert policy["Version"] == "2012-10-17"
    for action in actions_in(policy):
        assert table_rows(action)  # UnknownAction otherwise


@pytest.mark.parametrize("name", calling())
def test_the_policy_allows_exactly_the_actions_of_the_recorded_calls(name: str) -> None:
    called = {action for call in read(name, ".run.json")["calls"] for action in call["actions"]}
    actions = actions_in(read(name, ".policy.json"))
    assert sorted(actions) == sorted(called)


@pytest.mark.parametrize("name", parameters(RECORDED))
def test_the_record_was_made_with_the_installed_versions(name: str) -> None:
    run = read(name, ".run.json")
    installed = {package: version(package) for package in run["versions"]}
    assert run["versions"] == installed, "run `make record`"
    assert run["ran_on"] == ("lab" if "moto" in installed else "local")


@pytest.mark.parametrize("name", calling())
def test_every_call_failed_in_four_ways(name: str) -> None:
    run = read(name, ".run.json")
    calls = sum(call.get("times", 1) for call in run["calls"])
    if scenario(name).quick:  # its calls, which are fewer, are made to fail
        assert 0 < run["fault_runs"] <= 4 * calls
        assert run["fault_runs"] % 4 == 0
    else:
        assert calls and run["fault_runs"] == 4 * calls


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_record_shows_an_id_that_could_be_real(path: Path) -> None:
    assert real_looking(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("arn:aws:iam::123456789012:user/lab", ["123456789012"]),
        ("arn:aws:iam::111122223333:user/lab and 444455556666", []),
        ("354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0", []),
        ("vpc-1 rtb-2 subnet-10 pl-3", []),
        ("vpc-0123456789abcdef0 i-01234567", ["vpc-0123456789abcdef0", "i-01234567"]),
        ("12345678-1234-1234-1234-123456789abc", ["12345678-1234-1234-1234-123456789abc"]),
        ("AKIAIOSFODNN7EXAMPLE", ["AKIAIOSFODNN7EXAMPLE"]),
        ('"recorded": "2026-11-20"', []),
        ("at 2026-11-20T10:11:12Z", ["2026-11-20T10:11"]),
        ("amzn-s3-demo-bucket-111122223333  10.0.0.0/16", []),
    ],
)
def test_real_looking_ids_are_recognised(text: str, found: list[str]) -> None:
    assert real_looking(text) == found
