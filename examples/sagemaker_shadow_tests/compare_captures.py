"""Compare what production and shadow have answered to the same requests, from captured data."""

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: read]
def prediction_of(record: dict[str, Any]) -> float:
    """The number in `endpointOutput`. Raises KeyError, ValueError: it is not one number of CSV."""
    output = record["captureData"]["endpointOutput"]
    data = output["data"]
    if output["encoding"] == "BASE64":
        data = base64.b64decode(data).decode()
    return float(data)


def read_captures(s3: BaseClient, bucket: str, folder: str) -> dict[str, float]:
    """Predictions by inference id, or by event id where the caller gave none.

    (`s3:ListBucket`, `GetObject`.) Raises ValueError: a line is not as expected; names the object.
    """
    found = {}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/")
    for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        for line in body.splitlines():
            try:
                record = json.loads(line)
                event = record["eventMetadata"]
                found[event.get("inferenceId") or event["eventId"]] = prediction_of(record)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{key}: {type(error).__name__} {error}") from error
    return found


# [end: read]


# [start: compare]
def compare(
    production: dict[str, float], shadow: dict[str, float], threshold: float
) -> tuple[float, list[float]]:
    """Agreement in percent, and the differences in order, of the requests that both answered.

    threshold: predictions on the same side of it mean the same. Raises ValueError: no common id.
    """
    pairs = [(production[name], shadow[name]) for name in production if name in shadow]
    if not pairs:
        raise ValueError("no request was answered by both variants")
    agreed = sum((a >= threshold) == (b >= threshold) for a, b in pairs)
    return 100 * agreed / len(pairs), sorted(abs(a - b) for a, b in pairs)


def percentile(ordered: list[float], percent: int) -> float:
    """The value at that place of the order, from 0, the least, to 100, the greatest."""
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


# [end: compare]


# [start: metric]
def put_metrics(cloudwatch: BaseClient, endpoint: str, agreement: float, p95: float) -> None:
    """One value per window of an own namespace: `AWS/…` is not allowed (`PutMetricData`)."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}]
    data = [
        {"MetricName": "Agreement", "Unit": "Percent", "Value": agreement},
        {"MetricName": "DifferenceP95", "Unit": "None", "Value": p95},
    ]
    cloudwatch.put_metric_data(
        Namespace="ShadowTest", MetricData=[each | {"Dimensions": dimensions} for each in data]
    )


# [end: metric]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--capture", required=True, help="s3://bucket/prefix of what is captured")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--production", default="AllTraffic", help="variant")
    parser.add_argument("--shadow", default="Shadow", help="variant")
    parser.add_argument("--threshold", type=float, default=0.5, help="between the two classes")
    parser.add_argument("--require", type=float, default=0, help="agreement in percent, or exit 1")
    parser.add_argument("--put-metrics", action="store_true", help="into namespace ShadowTest")
    parser.add_argument("--json", type=Path, help="file for the percentiles of the difference")
    arguments = parser.parse_args()
    endpoint = arguments.endpoint
    bucket, _, prefix = arguments.capture.removeprefix("s3://").rstrip("/").partition("/")
    folder = f"{prefix}/{endpoint}".lstrip("/")
    try:
        s3 = boto3.client("s3")
        production = read_captures(s3, bucket, f"{folder}/{arguments.production}")
        shadow = read_captures(s3, bucket, f"{folder}/{arguments.shadow}")
        print(f"production  {len(production)} captured, {len(production.keys() - shadow)} alone")
        print(f"shadow      {len(shadow)} captured, {len(shadow.keys() - production)} alone")
        agreement, gaps = compare(production, shadow, arguments.threshold)
        p50, p95 = percentile(gaps, 50), percentile(gaps, 95)
        if arguments.put_metrics:
            put_metrics(boto3.client("cloudwatch"), endpoint, agreement, p95)
        if arguments.json:
            rows = [[percent, percentile(gaps, percent)] for percent in range(0, 101, 5)]
            table = {"columns": ["percent", "difference"], "rows": rows}
            arguments.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Nothing in AWS was changed, but for metrics of ShadowTest. "
            "Check --capture, --endpoint, the variants and AWS_DEFAULT_REGION; captured files "
            "appear with a delay."
        )
    print(f"agreement   {agreement:.1f} % of {len(gaps)} pairs")
    print(f"difference  p50 {p50:.4f}  p95 {p95:.4f}  max {gaps[-1]:.4f}")
    if agreement < arguments.require:
        sys.exit(f"Less than {arguments.require:g} % agree: do not promote; look at the pairs.")


if __name__ == "__main__":
    main()
