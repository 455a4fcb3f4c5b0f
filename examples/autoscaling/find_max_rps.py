"""Find how many requests a second one instance answers in time, with more and more callers."""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


# [start: measure]
def send(runtime: BaseClient, endpoint: str, body: str) -> tuple[float, str]:
    """Milliseconds until the answer, and the error, if any (`sagemaker:InvokeEndpoint`)."""
    started = time.perf_counter()
    try:
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    except (BotoCoreError, ClientError) as error:
        return (time.perf_counter() - started) * 1000, str(error)
    return (time.perf_counter() - started) * 1000, ""


def measure(
    runtime: BaseClient, endpoint: str, bodies: list[str], callers: int
) -> tuple[list[float], list[str]]:
    """Answered a second, p50, p95 (ms), and the errors, while so many callers always wait.

    Each caller sends its next request as soon as the last one was answered.
    """
    started = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        answers = list(pool.map(lambda body: send(runtime, endpoint, body), bodies))
    took = time.perf_counter() - started
    times = sorted(milliseconds for milliseconds, _ in answers)
    errors = [error for _, error in answers if error]
    p50, p95 = (times[len(times) * part // 100] for part in (50, 95))
    return [(len(answers) - len(errors)) / took, p50, p95], errors


# [end: measure]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="with one instance, without other users")
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--callers", nargs="+", type=int, required=True, help="one after another")
    parser.add_argument("--requests", type=int, default=3000, help="for each number of callers")
    parser.add_argument("--limit-ms", type=float, required=True, help="that p95 may reach")
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    given = parser.parse_args()
    if min(*given.callers, given.requests, given.limit_ms, 1) <= 0:
        parser.error("--callers, --requests and --limit-ms: above 0")
    rows, errors = [], []
    try:
        lines = given.file.read_text(encoding="utf-8").split()
        if not lines:
            raise ValueError(f"{given.file} is empty")
        bodies = [lines[n % len(lines)].partition(",")[2] for n in range(given.requests)]
        # A request that is repeated would hide the errors that are looked for.
        once = {"total_max_attempts": 1}
        options = Config(max_pool_connections=max(given.callers), retries=once)
        runtime = boto3.client("sagemaker-runtime", config=options)
        for callers in sorted(given.callers):
            found, failed = measure(runtime, given.endpoint, bodies, callers)
            rows.append([callers, *found, len(failed)])
            errors += failed
        columns = ["callers", "answered", "p50_ms", "p95_ms", "failed"]
        given.json.write_text(json.dumps({"columns": columns, "rows": rows}) + "\n")
    except (OSError, ValueError, BotoCoreError, KeyboardInterrupt) as error:
        sys.exit(f"{error or 'Interrupted'}. Nothing was changed. Check --file and --json.")
    print("callers  answered/s  p50 ms  p95 ms  failed")
    for callers, answered, p50, p95, failures in rows:
        print(f"{callers:7}  {answered:10.1f}  {p50:6.1f}  {p95:6.1f}  {failures:6}")
    held = [row for row in rows if row[3] <= given.limit_ms and not row[4]]
    if not held:
        why = errors[0] if errors else "p95 is always above the limit"
        sys.exit(f"No load was held: {why}. Check {given.endpoint} and --limit-ms.")
    best = max(held, key=lambda row: row[1])
    print(f"MAX_RPS {best[1]:.1f}, with p95 up to {given.limit_ms:g} ms and without errors")


if __name__ == "__main__":
    main()
