"""How fast the lab starts and answers, beside moto alone."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from unittest.mock import patch

import boto3
from awslab.embedded import embedded_lab, environment, shared_loader
from awslab.extension import applied
from awslab.scenarios import EXAMPLES
from botocore.config import Config
from moto import mock_aws

CLIENTS, CALLS = 8, 200
BLOCKS, BLOCK = 40, 50  # calls of each side: their product, in turns
BUCKET = "amzn-s3-demo-bucket"
HERE = {"LocationConstraint": "ap-northeast-1"}
Row = tuple[str, str]


@contextmanager
def server() -> Iterator[str]:
    """The lab in a process of its own; yields its address as soon as it can be reached."""
    with subprocess.Popen(
        [sys.executable, "-m", "awslab", "serve", "--port", "0", "--quiet"],
        cwd=EXAMPLES,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[4]
        finally:
            process.terminate()


def server_start() -> Iterator[Row]:
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        with server():
            seconds.append(time.perf_counter() - start)
    yield "lab, server start", f"{min(seconds[1:]):.1f} s (the first time {seconds[0]:.1f} s)"


def plain_call() -> Iterator[Row]:
    """CPU time of a call that the lab leaves to moto: what its checks and records cost."""
    with patch.dict(os.environ, environment(), clear=True), shared_loader(), mock_aws():
        call = boto3.client("sqs").list_queues
        bare, lab = [], []
        for _ in range(BLOCKS):
            bare.append(cpu_time(call))
            with applied():
                lab.append(cpu_time(call))
    ratio = statistics.median(b / a for a, b in zip(bare, lab, strict=True))
    milliseconds = 1000 * statistics.median(lab)
    yield "lab, plain call", f"{milliseconds:.2f} ms of CPU, {ratio:.3f} times moto alone"


def cpu_time(call: Callable[[], object]) -> float:
    """Seconds for each of a block of calls."""
    start = time.process_time()
    for _ in range(BLOCK):
        call()
    return (time.process_time() - start) / BLOCK


def parallel_calls() -> Iterator[Row]:
    name = f"lab, {CLIENTS} clients, {CALLS} calls each"
    with embedded_lab():
        yield f"{name}, in process", f"{seconds_of_puts():.1f} s"
    with server() as address, patch.dict(os.environ, environment(AWS_ENDPOINT_URL=address)):
        yield f"{name}, over HTTP", f"{seconds_of_puts():.1f} s"


def seconds_of_puts() -> float:
    s3 = boto3.Session().client("s3", config=Config(max_pool_connections=CLIENTS))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)

    def put(client: int) -> None:
        for number in range(CALLS):
            s3.put_object(Bucket=BUCKET, Key=f"{client}/{number}", Body=b"x")

    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(put, range(CLIENTS)))
    seconds = time.perf_counter() - start
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    assert sum(page["KeyCount"] for page in pages) == CLIENTS * CALLS
    return seconds
