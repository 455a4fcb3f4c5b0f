"""What is read from captured files, how it is compared, and what is no capture."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BUCKET = "amzn-s3-demo-bucket-111122223333"
OPTIONS = ("--capture", f"s3://{BUCKET}/capture", "--endpoint", "shop")


@pytest.fixture
def write(client: Callable[..., Any]) -> Callable[..., None]:
    """`write("Shadow", {"id": "0.5"})`: a file with a record for each id."""
    s3 = client("s3")
    place = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)

    def put(variant: str, outputs: dict[str, str], encoding: str = "CSV", **more: Any) -> None:
        lines = []
        for name, data in outputs.items():
            output = {"data": data, "encoding": encoding, "mode": "OUTPUT"}
            record = {
                "captureData": {"endpointOutput": output},
                "eventMetadata": {"eventId": f"e-{variant}-{name}", "inferenceId": name} | more,
            }
            lines.append(json.dumps(record) + "\n")
        key = f"capture/shop/{variant}/2026/11/20/10/{len(lines)}-{encoding}.jsonl"
        s3.put_object(Bucket=BUCKET, Key=key, Body="".join(lines))

    return put


def test_the_report(write: Callable[..., None], run: Callable[..., Any]) -> None:
    write("AllTraffic", {f"r-{n}": f"{n / 20}" for n in range(20)})
    write("Shadow", {f"r-{n}": f"{n / 20 + (0.25 if n == 9 else 0.01)}" for n in range(20)})
    result = run("compare_captures", *OPTIONS)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "production  20 captured, 0 alone\n"
        "shadow      20 captured, 0 alone\n"
        "agreement   95.0 % of 20 pairs\n"
        "difference  p50 0.0100  p95 0.2500  max 0.2500\n"
    )


def test_requests_of_one_variant_alone_are_counted_and_not_compared(
    write: Callable[..., None], run: Callable[..., Any]
) -> None:
    write("AllTraffic", {"a": "0.1", "b": "0.9", "c": "0.9"})
    write("Shadow", {"b": "0.8", "x": "0.1"})
    result = run("compare_captures", *OPTIONS)
    assert result.output == (
        "production  3 captured, 2 alone\n"
        "shadow      2 captured, 1 alone\n"
        "agreement   100.0 % of 1 pairs\n"
        "difference  p50 0.1000  p95 0.1000  max 0.1000\n"
    )


def test_too_little_agreement_is_an_error(
    write: Callable[..., None], run: Callable[..., Any]
) -> None:
    write("AllTraffic", {"a": "0.4", "b": "0.9"})
    write("Shadow", {"a": "0.6", "b": "0.8"})
    assert run("compare_captures", *OPTIONS, "--require", "50").status == 0
    result = run("compare_captures", *OPTIONS, "--require", "60")
    assert result.status == 1
    assert result.errors == "Less than 60 % agree: do not promote; look at the pairs.\n"
    assert run("compare_captures", *OPTIONS, "--require", "60", "--threshold", "0.3").status == 0


def test_without_pairs_there_is_nothing_to_compare(
    write: Callable[..., None], run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    write("AllTraffic", {"a": "0.4"})
    result = run("compare_captures", *OPTIONS, "--put-metrics")
    assert result.status == 1
    assert result.output.endswith("shadow      0 captured, 0 alone\n")
    assert result.errors.startswith("no request was answered by both variants. Nothing in AWS")
    assert client("cloudwatch").list_metrics(Namespace="ShadowTest")["Metrics"] == []


def test_percentiles_for_a_chart(
    write: Callable[..., None], run: Callable[..., Any], tmp_path: Path
) -> None:
    write("AllTraffic", {f"{n}": "0" for n in range(4)})
    write("Shadow", {f"{n}": f"{n / 4}" for n in range(4)})
    file = tmp_path / "d.json"
    assert run("compare_captures", *OPTIONS, "--json", str(file)).status == 0
    table = json.loads(file.read_text())
    assert table["columns"] == ["percent", "difference"]
    assert dict(table["rows"]) == {p: min(p // 25, 3) / 4 for p in range(0, 101, 5)}
    nowhere = run("compare_captures", *OPTIONS, "--json", str(tmp_path / "no" / "d.json"))
    assert nowhere.status == 1
    assert "No such file or directory" in nowhere.errors


def test_metrics_of_an_own_namespace(
    write: Callable[..., None], run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    write("AllTraffic", {"a": "0.4", "b": "0.9"})
    write("Shadow", {"a": "0.6", "b": "0.8"})
    assert run("compare_captures", *OPTIONS, "--put-metrics").status == 0
    metrics = client("cloudwatch").list_metrics(Namespace="ShadowTest")["Metrics"]
    dimensions = [{"Name": "EndpointName", "Value": "shop"}]
    found = {each["MetricName"]: each["Dimensions"] for each in metrics}
    assert found == {"Agreement": dimensions, "DifferenceP95": dimensions}


def test_base64_and_a_bucket_without_prefix(
    write: Callable[..., None], run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    coded = base64.b64encode(b"0.75").decode()
    write("AllTraffic", {"a": coded}, encoding="BASE64")
    write("Shadow", {"a": "0.25"})
    result = run("compare_captures", *OPTIONS)
    assert "agreement   0.0 % of 1 pairs" in result.output
    s3 = client("s3")
    for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        source = {"Bucket": BUCKET, "Key": item["Key"]}
        s3.copy_object(Bucket=BUCKET, Key=item["Key"].removeprefix("capture/"), CopySource=source)
    plain = run("compare_captures", "--capture", f"s3://{BUCKET}/", "--endpoint", "shop")
    assert plain.output == result.output


def test_an_event_id_stands_in_for_an_inference_id(example: Callable[[str], ModuleType]) -> None:
    class S3:
        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            return [{"Contents": [{"Key": "k"}]}]

        def get_object(self, **_: str) -> dict[str, Any]:
            return {"Body": self}

        def read(self) -> bytes:
            output = {"data": "1", "encoding": "CSV"}
            event = {"eventId": "e"}
            return json.dumps(
                {"captureData": {"endpointOutput": output}, "eventMetadata": event}
            ).encode()

    assert example("compare_captures").read_captures(S3(), "b", "f") == {"e": 1.0}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("no json\n", "capture/shop/Shadow/bad.jsonl: JSONDecodeError"),
        ("{}\n", "capture/shop/Shadow/bad.jsonl: KeyError 'eventMetadata'"),
        (
            '{"eventMetadata": {"eventId": "e"}, "captureData": '
            '{"endpointOutput": {"data": "0.1,0.2", "encoding": "CSV"}}}\n',
            "capture/shop/Shadow/bad.jsonl: ValueError could not convert string to float",
        ),
        (
            '{"eventMetadata": {"eventId": "e"}, "captureData": {"endpointInput": {}}}\n',
            "capture/shop/Shadow/bad.jsonl: KeyError 'endpointOutput'",
        ),
    ],
)
def test_what_is_no_capture(
    write: Callable[..., None],
    run: Callable[..., Any],
    client: Callable[..., Any],
    body: str,
    said: str,
) -> None:
    write("AllTraffic", {"a": "0.4"})
    client("s3").put_object(Bucket=BUCKET, Key="capture/shop/Shadow/bad.jsonl", Body=body)
    result = run("compare_captures", *OPTIONS)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(said)


def test_no_such_bucket(lab: None, run: Callable[..., Any]) -> None:
    result = run("compare_captures", *OPTIONS)
    assert result.status == 1
    assert "NoSuchBucket" in result.errors
