from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from guardrails.shop import BUCKET, interrupted_after
from proofs.trace import Trace, watching

Run = Callable[..., Any]
GIVEN = ("--endpoint", "queue", "--id", "one")
LOG = "Check the names, rights and the log /aws/sagemaker/Endpoints/queue."


def content(key: str) -> str:
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return str(body.decode())


def test_by_way_of_s3_and_inline(queue: Path, go: Run) -> None:
    given = (*GIVEN, "--file", str(queue), "--rows", "2")
    result = go("invoke_async", *given, "--bucket", BUCKET)
    assert (result.status, result.errors) == (0, "")
    place, answer = result.output.splitlines()
    assert place == f"s3://{BUCKET}/async/out/one.out"
    assert answer == content("async/out/one.out").strip() and answer.count(",") == 1
    rows = [line.partition(",")[2] for line in queue.read_text().splitlines()[:2]]
    assert content("async/in/one.csv") == "\n".join(rows)
    inline = go("invoke_async", "--endpoint", "queue", "--id", "two", *given[4:])
    assert inline.output == f"s3://{BUCKET}/async/out/two.out\n{answer}\n"
    keys = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="async/in")["Contents"]
    assert [each["Key"] for each in keys] == ["async/in/one.csv"]


def test_a_failure_is_found_at_its_own_place(queue: Path, go: Run) -> None:
    result = go("invoke_async", *GIVEN, "--file", str(queue), "--keep-label")
    assert (result.status, result.output) == (1, "")
    said = " ".join(content("async/failed/one-error.out").split())
    assert "Feature size of csv inference data 9 is not consistent" in said
    assert result.errors == f"s3://{BUCKET}/async/failed/one-error.out: {said} {LOG}\n"


def test_it_waits_for_an_instance(queue: Path, go: Run) -> None:
    assert go("scale_async_to_zero", "--endpoint", "queue").status == 0
    result = go("invoke_async", *GIVEN, "--file", str(queue))
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines()[:2] == [
        "queue has no instance: the request waits in the queue",
        f"s3://{BUCKET}/async/out/one.out",
    ]
    found = boto3.client("sagemaker").describe_endpoint(EndpointName="queue")
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_nobody_takes_it_out_of_the_queue(queue: Path, go: Run) -> None:
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 0}
    boto3.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="queue", DesiredWeightsAndCapacities=[change]
    )
    boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="queue")
    result = go("invoke_async", *GIVEN, "--file", str(queue))
    assert result.status == 1
    assert result.errors == (
        f"No answer yet. The result may come to s3://{BUCKET}/async/out/one.out. {LOG}\n"
    )


def test_too_much_for_a_request(queue: Path, go: Run, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_text(queue.read_text() * 500)
    given = (*GIVEN, "--file", str(large), "--rows", "100000")
    with watching(Trace()) as trace:
        result = go("invoke_async", *given)
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors.endswith("bytes: a request carries 1 to 128000; more with --bucket.\n")
    assert go("invoke_async", *given, "--bucket", BUCKET).status == 0


@pytest.mark.parametrize("rows", ["0", "-1"])
def test_nothing_to_ask(file: Path, go: Run, rows: str) -> None:
    result = go("invoke_async", *GIVEN, "--file", str(file), "--rows", rows)
    assert result.errors == "0 bytes: a request carries 1 to 128000; more with --bucket.\n"
    missing = go("invoke_async", *GIVEN, "--file", "missing.csv")
    assert missing.status == 1 and "No such file or directory" in missing.errors


def test_a_real_time_endpoint(file: Path, go: Run) -> None:
    result = go("invoke_async", "--endpoint", "none", "--id", "one", "--file", str(file))
    assert (result.status, result.output) == (1, "")
    assert "Endpoint none of account 111122223333 not found" in result.errors


def test_interrupted(queue: Path, go: Run) -> None:
    with watching(interrupted_after("InvokeEndpointAsync")):
        result = go("invoke_async", *GIVEN, "--file", str(queue), "--bucket", BUCKET)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"Interrupted. async/in/one.csv may be left in {BUCKET}. The result may come to "
        f"s3://{BUCKET}/async/out/one.out. {LOG}\n"
    )
