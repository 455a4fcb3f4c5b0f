import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from blue_green.conftest import POINTER, serve, start
from botocore.exceptions import ClientError
from proofs.trace import Answer, Call, Trace, refusal, watching

Point = Callable[..., None]
Example = Callable[[str], Any]
REQUESTS, THREADS = 1000, 4  # of all threads together


def test_predictions_are_those_of_the_endpoint_that_is_named(shop: Path, point: Point) -> None:
    row = shop.read_text().splitlines()[0].partition(",")[2]
    runtime = boto3.client("sagemaker-runtime")
    seen = set()
    for endpoint in ("shop-blue", "shop-green"):
        point(endpoint)
        answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row)
        wanted = float(answer["Body"].read())
        result = start("blue_green/call_current", "--file", str(shop), "--rows", "1")
        assert (result.status, result.errors) == (0, "")
        assert result.output == f"{endpoint}  prediction {wanted:.4f}\n"
        seen.add(result.output)
    assert len(seen) == 2


def test_the_pointer_is_read_once_for_many_rows(shop: Path, point: Point) -> None:
    point("shop-blue")
    with watching(Trace()) as trace:
        result = start("blue_green/call_current", "--file", str(shop), "--rows", "5")
    assert result.output.count("shop-blue  ") == 5
    assert Counter(call.operation for call in trace.calls) == {
        "GetParameter": 1,
        "InvokeEndpoint": 5,
    }


def test_without_a_cache_it_is_read_each_time(shop: Path, point: Point) -> None:
    point("shop-blue")
    options = ("--file", str(shop), "--rows", "5", "--seconds", "0")
    with watching(Trace()) as trace:
        start("blue_green/call_current", *options)
    assert [call.operation for call in trace.calls] == ["GetParameter", "InvokeEndpoint"] * 5


def test_a_name_is_kept_for_its_time(
    shop: Path, point: Point, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = example("call_current")
    clock = SimpleNamespace(at=100.0)
    monkeypatch.setattr(program, "time", SimpleNamespace(monotonic=lambda: clock.at))
    point("shop-blue")
    current = program.cached_pointer(boto3.client("ssm"), POINTER, 30.0)
    assert current() == "shop-blue"
    point("shop-green")
    clock.at = 129.9
    assert current() == "shop-blue"
    clock.at = 130.0
    assert current() == "shop-green"
    point("shop-blue")
    assert current(fresh=True) == "shop-blue"


def test_the_last_name_holds_while_the_pointer_cannot_be_read(
    shop: Path, point: Point, example: Example
) -> None:
    def throttle(trace: Trace, call: Call) -> Answer | None:
        return refusal("ThrottlingException", "Rate exceeded", 400) if broken else None

    point("shop-blue")
    with watching(Trace(throttle)):
        ssm = boto3.session.Session().client("ssm")  # of a session that is watched
        current = example("call_current").cached_pointer(ssm, POINTER, 0.0)
        broken = True
        with pytest.raises(ClientError, match="Rate exceeded"):
            current()
        broken = False
        assert current() == "shop-blue"
        broken = True
        assert current() == "shop-blue"


def test_an_endpoint_that_was_removed_since_is_looked_up_anew(
    shop: Path, point: Point, example: Example
) -> None:
    program, sagemaker = example("call_current"), boto3.client("sagemaker")
    runtime, row = boto3.client("sagemaker-runtime"), "0,0,0,0,0,0,0,0"
    serve({"shop-old": "v1"})
    point("shop-old")
    current = program.cached_pointer(boto3.client("ssm"), POINTER, 600.0)
    assert program.call(runtime, current, row)[0] == "shop-old"
    point("shop-green")
    assert program.call(runtime, current, row)[0] == "shop-old"
    sagemaker.delete_endpoint(EndpointName="shop-old")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="shop-old")
    assert program.call(runtime, current, row)[0] == "shop-green"
    assert current() == "shop-green"  # without another question


def test_what_the_model_refuses_is_not_asked_twice(
    shop: Path, point: Point, example: Example
) -> None:
    program = example("call_current")
    point("shop-blue")
    with watching(Trace()) as trace:
        session = boto3.session.Session()
        current = program.cached_pointer(session.client("ssm"), POINTER, 600.0)
        runtime = session.client("sagemaker-runtime")
        with pytest.raises(ClientError, match="ModelError"):
            program.call(runtime, current, "1,2")
    assert [call.operation for call in trace.calls] == ["GetParameter", "InvokeEndpoint"]


def test_no_request_fails_while_the_pointer_is_switched(
    shop: Path, point: Point, example: Example
) -> None:
    """Threads that ask without pause; the pointer goes to green and back meanwhile."""
    program, rows = example("call_current"), shop.read_text().splitlines()
    point("shop-blue")
    answered: list[str] = []
    failures: list[Exception] = []

    def ask() -> None:
        session = boto3.session.Session()
        runtime = session.client("sagemaker-runtime")
        current = program.cached_pointer(session.client("ssm"), POINTER, 0.05)
        for number in range(REQUESTS // THREADS):
            row = rows[number % len(rows)].partition(",")[2]
            try:
                answered.append(program.call(runtime, current, row)[0])
            except Exception as error:
                failures.append(error)

    def wait_for(count: int) -> None:
        while len(answered) < count and any(thread.is_alive() for thread in threads):
            threads[0].join(0.01)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    wait_for(REQUESTS // 4)
    assert set(answered) == {"shop-blue"}
    forth = start("blue_green/switch_pointer", "--to", "shop-green")
    wait_for(REQUESTS // 2)
    back = start("blue_green/roll_back_pointer", "--bad", "shop-green")
    for thread in threads:
        thread.join()
    assert (forth.status, back.status) == (0, 0)
    assert (failures, len(answered)) == ([], REQUESTS)
    assert set(answered) == {"shop-blue", "shop-green"}
    assert answered[-1] == "shop-blue"


def test_a_pointer_that_names_nothing(shop: Path, point: Point) -> None:
    none = start("blue_green/call_current", "--file", str(shop))
    assert (none.status, none.output) == (1, "")
    assert f"Parameter {POINTER} not found. Check what {POINTER} names" in none.errors
    point("shop-gone")
    with watching(Trace()) as trace:
        gone = start("blue_green/call_current", "--file", str(shop))
    assert (gone.status, gone.output) == (1, "")
    assert "Endpoint shop-gone of account 111122223333 not found." in gone.errors
    assert [call.operation for call in trace.calls] == ["GetParameter", "InvokeEndpoint"] * 2


def test_nothing_to_ask(shop: Path, tmp_path: Path) -> None:
    with watching(Trace()) as trace:
        none = start("blue_green/call_current", "--file", str(shop), "--rows", "0")
        missing = start("blue_green/call_current", "--file", str(tmp_path / "missing.csv"))
    assert (none.status, missing.status, trace.calls) == (1, 1, [])
    assert none.errors == f"{shop} has no rows, or --rows is less than 1: nothing to ask.\n"
    assert "Name a CSV file" in missing.errors


def test_a_header_is_not_blamed_on_the_pointer(shop: Path, tmp_path: Path) -> None:
    headed = tmp_path / "headed.csv"
    headed.write_text("label,age,income\n" + shop.read_text())
    with watching(Trace()) as trace:
        result = start("blue_green/call_current", "--file", str(headed))
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors == (
        f"{headed}: could not convert string to float: 'age'. Name a CSV file of numbers without "
        "a header.\n"
    )


def test_blank_lines_are_not_asked(shop: Path, point: Point, tmp_path: Path) -> None:
    point("shop-blue")
    gaps = tmp_path / "gaps.csv"
    gaps.write_text("\n" + shop.read_text())
    one, other = (start("blue_green/call_current", "--file", str(each)) for each in (gaps, shop))
    assert (one.status, one.errors) == (0, "")
    assert one.output == other.output
