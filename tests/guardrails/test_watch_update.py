from pathlib import Path
from typing import Any

import boto3
import pytest
from awslab.run import Result
from guardrails.shop import ALARMS, BUCKET, configure, interrupted_after, serving, start
from proofs.trace import Trace, watching

BAKING = (
    "Updating: Baking for 300 seconds (TerminationWaitInSeconds) with traffic enabled on full "
    "capacity of 2 instance(s)."
)
ACTIVATING = "Updating: Activating traffic on full capacity of 2 instance(s)."


def update(config: str, *alarms: str) -> None:
    """Begin an update, all at once; with alarms it bakes."""
    given = ("--endpoint", "shop", "--config", config)
    if alarms:
        start("create_alarm", "--endpoint", "shop")
        result = start("all_at_once/update_with_baking", *given, "--alarms", *alarms)
    else:
        result = start("all_at_once/update_endpoint", *given)
    assert result.status == 0, result.errors


def watch(file: Path, config: str, *options: str) -> Result:
    given = ("--endpoint", "shop", "--config", config, "--file", str(file))
    return start("watch_update", *given, *options)


def test_a_success(shop: Path) -> None:
    update("shop-v2", *ALARMS)
    result = watch(shop, "shop-v2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "all answered  Updating: Launching 2 instance(s).\n"
        f"all answered  {ACTIVATING}\n"
        f"all answered  {BAKING}\n"
        "all answered  Updating: Terminating 2 instance(s).\n"
        "all answered  InService\n"
        "shop serves shop-v2\n"
    )
    assert serving() == ("InService", "shop-v2")


def test_a_rollback_is_no_success_although_the_endpoint_is_in_service(shop: Path) -> None:
    update("shop-v3", *ALARMS)
    result = watch(shop, "shop-v3")
    assert result.status == 1
    assert result.output == (
        "all answered  Updating: Launching 2 instance(s).\n"
        f"failures      {ACTIVATING}\n"
        "all answered  RollingBack: Terminating 2 instance(s).\n"
        "all answered  InService\n"
    )
    assert result.errors == (
        "Rolled back. shop serves shop-v1, not shop-v3. An alarm in ALARM state rolled the "
        "deployment back: shop-4xx.\n"
    )
    assert serving() == ("InService", "shop-v1")
    boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="shop")  # content


def test_a_model_that_cannot_be_loaded_is_rolled_back(shop: Path) -> None:
    key = "models/broken/model.tar.gz"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"no archive")
    configure("broken")
    update("shop-broken")
    result = watch(shop, "shop-broken", "--requests", "1")
    assert result.status == 1
    assert "failures" not in result.output
    reason = boto3.client("sagemaker").describe_endpoint(EndpointName="shop")["FailureReason"]
    assert result.errors == (
        f"Rolled back. shop serves shop-v1, not shop-broken. {reason.rstrip('.')}.\n"
    )


def test_a_bad_version_that_nothing_rolls_back(shop: Path) -> None:
    update("shop-v3")
    result = watch(shop, "shop-v3", "--requests", "2")
    assert result.status == 1
    assert result.output == (
        "all answered  Updating: Launching 2 instance(s).\n"
        f"failures      {ACTIVATING}\n"
        "failures      Updating: Terminating 2 instance(s).\n"
        "failures      InService\n"
    )
    assert result.errors == "shop serves shop-v3 and fails: go back with roll_back.py.\n"
    assert serving() == ("InService", "shop-v3")


def test_no_update_is_no_success(shop: Path) -> None:
    result = watch(shop, "shop-v2", "--requests", "1")
    assert (result.status, result.output) == (1, "all answered  InService\n")
    assert result.errors == (
        "No update was seen: not begun, or rolled back before. shop serves shop-v1, not shop-v2. "
        "SageMaker gives no reason.\n"
    )


@pytest.mark.parametrize("status", ["Failed", "UpdateRollbackFailed", "OutOfService"])
def test_every_other_end_is_a_failure(example: Any, status: str) -> None:
    verdict = example("watch_update").verdict
    endpoint = {
        "EndpointName": "shop",
        "EndpointConfigName": "shop-v2",
        "EndpointStatus": status,
        "FailureReason": "No capacity.",
    }
    assert verdict(endpoint, "shop-v2", True, True) == f"shop is {status}: No capacity."


def test_a_longer_stage_is_told_once_and_again_when_requests_fail(
    example: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = example("watch_update")
    statuses = iter(["Updating", "Updating", "Updating", "InService"])
    well = iter([True, True, False, True])
    monkeypatch.setattr(module, "answers", lambda *_: next(well))
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)

    class SageMaker:
        def describe_endpoint(self, **_: str) -> dict[str, str]:
            return {"EndpointStatus": next(statuses)}

    endpoint, answers, seen = module.watch(SageMaker(), None, "shop", ["1"], 1)
    assert (endpoint, answers, seen) == ({"EndpointStatus": "InService"}, True, True)
    assert capsys.readouterr().out == (
        "all answered  Updating\nfailures      Updating\nall answered  InService\n"
    )
    assert pauses == [15, 15, 15]


def test_interrupted(shop: Path) -> None:
    update("shop-v2")
    with watching(interrupted_after("InvokeEndpoint")):
        result = watch(shop, "shop-v2")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "Interrupted. If shop is being updated to shop-v2, that goes on: watch it again. Its log "
        "is /aws/sagemaker/Endpoints/shop. "
    )
    assert watch(shop, "shop-v2").status == 0  # it can be watched again


def test_no_such_endpoint(shop: Path) -> None:
    result = start("watch_update", "--endpoint", "no", "--config", "shop-v2", "--file", str(shop))
    assert (result.status, result.output) == (1, "")
    assert 'Could not find endpoint "' in result.errors


def test_nothing_to_send(lab: None, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    with watching(Trace()) as trace:
        nothing, missing = watch(empty, "shop-v2"), watch(tmp_path / "none.csv", "shop-v2")
        none = watch(empty, "shop-v2", "--requests", "0")
    assert (nothing.status, missing.status, none.status, trace.calls) == (1, 1, 2, [])
    assert nothing.errors == f"{empty} has no rows: there is nothing to send.\n"
    assert "No such file or directory" in missing.errors
    assert "--requests: 1 or more" in none.errors


@pytest.mark.parametrize("content", [b"label,a\n1,2\n", b"\xff\xfe"])
def test_a_header_is_no_failure_of_the_model(lab: None, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.csv"
    file.write_bytes(content)
    with watching(Trace()) as trace:
        result = watch(file, "shop-v2")
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors.startswith(f"{file}: ")
    assert result.errors.endswith(". Name a CSV file of numbers without a header.\n")
