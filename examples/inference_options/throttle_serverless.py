"""Send requests to a serverless endpoint all at once, and see which ones it throttles."""

import argparse
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


# [start: retries]
def new_runtime(attempts: int, callers: int) -> BaseClient:
    """A client that sends a throttled request again, after a pause that tends to grow."""
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return boto3.client(
        "sagemaker-runtime", config=Config(retries=retries, max_pool_connections=callers)
    )


# [end: retries]


# [start: send]
def send_all(runtime: BaseClient, endpoint: str, body: str, callers: int) -> Counter[str]:
    """How many of the callers got an answer, and how many which refusal.

    (`sagemaker:InvokeEndpoint`.) Above MaxConcurrency it raises a ThrottlingException.
    """
    start = Barrier(callers)

    def send(_: int) -> str:
        start.wait()
        try:
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        return "answered"

    with ThreadPoolExecutor(callers) as pool:
        return Counter(pool.map(send, range(callers)))


# [end: send]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=20_000, help="of each request: 4 MB at most")
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--attempts", type=int, default=1, help="of each request: 1 to 20")
    arguments = parser.parse_args()
    if arguments.callers < 2 or arguments.rows < 1 or not 1 <= arguments.attempts <= 20:
        parser.error("--callers: 2 or more; --rows: 1 or more; --attempts: 1 to 20")
    try:
        lines = arguments.file.read_text(encoding="utf-8").split()
        rows = [lines[n % len(lines)].partition(",")[2] for n in range(arguments.rows)]
        runtime = new_runtime(arguments.attempts, arguments.callers)
        found = send_all(runtime, arguments.endpoint, "\n".join(rows), arguments.callers)
    except (OSError, UnicodeDecodeError, ZeroDivisionError) as error:
        sys.exit(f"{arguments.file}: {error}. Name a CSV file with rows, such as validation.csv.")
    except BotoCoreError as error:
        sys.exit(f"{error}. Check the endpoint's name, AWS_DEFAULT_REGION and credentials.")
    answered = found.pop("answered", 0)
    if found:
        sys.exit(
            f"{'Some' if answered else 'All'} callers were refused: {'; '.join(sorted(found))}. "
            "A higher MaxConcurrency or more --attempts helps against throttling."
        )
    print(f"all {answered} callers got an answer")


if __name__ == "__main__":
    main()
