"""Compare how production and shadow have served: requests, errors and latency, from CloudWatch."""

import argparse
import sys
from datetime import UTC, datetime, timedelta

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

COUNTS = ["Invocations", "Invocation4XXErrors", "Invocation5XXErrors"]
LATENCIES = ["p50", "p99"]  # of ModelLatency, in microseconds


# [start: read]
def read_metrics(
    cloudwatch: BaseClient, endpoint: str, variant: str, minutes: int
) -> dict[str, float]:
    """Sums of the counts over the last minutes, means of the percentiles; 0 where no data.

    CloudWatch begins its periods by the clock, and a long one may divide what is asked for: so
    each minute is read. The percentiles of a minute have the weight of its number of requests.
    A shadow has the metrics of a production variant (`cloudwatch:GetMetricData`).
    """
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    wanted = [(name, "Sum") for name in COUNTS]
    wanted += [("ModelLatency", stat) for stat in ["SampleCount", *LATENCIES]]
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SageMaker", "MetricName": n, "Dimensions": dimensions},
                "Period": 60,
                "Stat": stat,
            },
        }
        for number, (n, stat) in enumerate(wanted)
    ]
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    times = {"StartTime": now - timedelta(minutes=minutes), "EndTime": now + timedelta(minutes=1)}
    found: list[dict[datetime, float]] = [{} for _ in wanted]  # by minute
    pages = cloudwatch.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, **times)
    for each in (result for page in pages for result in page["MetricDataResults"]):
        found[int(each["Id"][1:])] |= zip(each["Timestamps"], each["Values"], strict=True)
    values = {name: sum(found[number].values()) for number, name in enumerate(COUNTS)}
    samples = found[len(COUNTS)]
    for name, percentile in zip(LATENCIES, found[-len(LATENCIES) :], strict=True):
        total = sum(samples[minute] * value for minute, value in percentile.items())
        values[name] = total / sum(samples.values()) if samples else 0
    return values


# [end: read]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--variants", nargs="+", default=["AllTraffic", "Shadow"])
    parser.add_argument("--minutes", type=int, default=60, help="how far back, 1440 at most")
    parser.add_argument("--latency", action="store_true", help="means of each minute's p50, p99")
    arguments = parser.parse_args()
    if not 1 <= arguments.minutes <= 1440:
        parser.error("--minutes: 1 to 1440")
    try:
        cloudwatch = boto3.client("cloudwatch")
        found = {
            variant: read_metrics(cloudwatch, arguments.endpoint, variant, arguments.minutes)
            for variant in arguments.variants
        }
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{str(error).rstrip('.')}. Nothing was changed. Check AWS_DEFAULT_REGION.")
    for variant, values in found.items():
        requests, client, server = (values[name] for name in COUNTS)
        rate = f"{100 * (client + server) / requests:.1f} %" if requests else "-"
        line = f"{variant:10}  {requests:4.0f} requests  {client:.0f} 4XX  {server:.0f} 5XX"
        times = [f"{name} {values[name] / 1000:.1f} ms" for name in LATENCIES]
        print("  ".join([f"{line}  errors {rate}", *(times if arguments.latency else [])]))
    if not any(values["Invocations"] for values in found.values()):
        sys.exit("No requests. Check the names, --minutes and AWS_DEFAULT_REGION; data come late.")


if __name__ == "__main__":
    main()
