"""The lab as a server: the same answers as in process, on 127.0.0.1 only, and a clean end."""

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import moto
import pytest
from awslab import calls
from awslab.__main__ import main
from awslab.calls import Call
from awslab.clock import CLOCK
from awslab.embedded import embedded_lab, environment, shared_loader
from awslab.extension import PATCHES
from awslab.masking import Mask
from awslab.run import run_step
from awslab.scenarios import EXAMPLES, parse_step
from awslab.server import running_lab
from awslab.terminal import Log
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.cloudwatch.models import CloudWatchBackend
from moto.core.exceptions import ServiceException
from moto.ec2.models import EC2Backend
from moto.iam.models import IAMBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.models import S3Backend
from moto.sagemaker.models import SageMakerModelBackend
from moto.sqs.models import SQSBackend

BUCKET = "amzn-s3-demo-bucket-111122223333"
HERE = {"LocationConstraint": "ap-northeast-1"}


@contextmanager
def reached_at(address: str) -> Iterator[None]:
    """Clients of this process reach the server."""
    with (
        patch.dict(os.environ, environment(AWS_ENDPOINT_URL=address), clear=True),
        patch.object(boto3, "DEFAULT_SESSION", None),
        shared_loader(),
    ):
        yield


# --- the same answers as in process --------------------------------------------------------------

STORY = [
    f"python create_sandbox.py --bucket {BUCKET}",
    "python create_endpoint.py --vpc-id vpc-1 --route-table-id rtb-1",
    "python create_endpoint.py --vpc-id vpc-1 --route-table-id rtb-1",
    "python change_route_tables.py --endpoint-id vpce-1 --attach rtb-2",
    f"python restrict_endpoint.py --endpoint-id vpce-1 --bucket {BUCKET}",
    f"python restrict_bucket.py --bucket {BUCKET} --endpoint-id vpce-1"
    " --admin-arn arn:aws:iam::111122223333:role/bucket-admin",
    f"python try_access.py --bucket {BUCKET}",
    f"AWS_SDK_UA_APP_ID=vpce-1 python try_access.py --bucket {BUCKET}",
    "python restrict_endpoint.py --endpoint-id vpce-1 --reset",
    f"AWS_SDK_UA_APP_ID=vpce-1 python try_access.py --bucket {BUCKET}",
    "python change_route_tables.py --endpoint-id vpce-nope --detach rtb-2",
    f"python restrict_bucket.py --bucket {BUCKET} --lift",
    "python remove_endpoint.py --endpoint-id vpce-1",
    f"python remove_sandbox.py --vpc-id vpc-1 --bucket {BUCKET}",
]
STATUSES = [0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0]


def transcript() -> list[tuple[int, str]]:
    """Status and masked output of each step of the story."""
    mask = Mask()
    results = [run_step(parse_step("s3_gateway_endpoint", line), mask) for line in STORY]
    return [(result.status, mask.hide(result.output + result.errors)) for result in results]


def refusals() -> list[Any]:
    """How S3 answers one call of each kind to a bucket that is closed but for one prefix."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    for key in ("open/a", "closed/a", "closed/b ü+%20"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "NotAction": ["s3:*BucketPolicy", "s3:CreateBucket"],
        "NotResource": f"arn:aws:s3:::{BUCKET}/open/*",
        "Condition": {"Null": {"aws:SourceVpce": "true"}},
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": statement}))
    closed = {"Bucket": BUCKET, "Key": "closed/b ü+%20"}
    calls: list[tuple[Any, dict[str, Any]]] = [
        (s3.get_object, closed),
        (s3.head_object, closed),
        (s3.put_object, closed | {"Body": b""}),
        (s3.copy_object, {"Bucket": BUCKET, "Key": "open/b", "CopySource": closed}),
        (s3.copy_object, closed | {"CopySource": f"{BUCKET}/open/a"}),
        (s3.create_multipart_upload, closed),
        (s3.get_object_tagging, closed),
        (s3.list_objects_v2, {"Bucket": BUCKET}),
        (s3.head_bucket, {"Bucket": BUCKET}),
        (s3.get_public_access_block, {"Bucket": BUCKET}),
        (s3.get_bucket_location, {"Bucket": BUCKET}),
        (s3.put_bucket_policy, {"Bucket": BUCKET, "Policy": "no JSON"}),
        (s3.create_bucket, {"Bucket": BUCKET, "CreateBucketConfiguration": HERE}),
        (s3.get_object, {"Bucket": "amzn-s3-demo-bucket-9", "Key": "a"}),
        (of_another_account().get_object, {"Bucket": BUCKET, "Key": "open/a"}),
    ]
    answers = [error_of(call, arguments) for call, arguments in calls]
    keys = [{"Key": "closed/a"}, {"Key": "open/a"}]
    deleted = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})
    return [*answers, deleted["Errors"], [item["Key"] for item in deleted["Deleted"]]]


def of_another_account() -> Any:
    """A client that a role of another account uses."""
    role = boto3.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/partner", RoleSessionName="job-1"
    )["Credentials"]
    return boto3.client(
        "s3",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )


def error_of(call: Any, arguments: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_a_story_reads_the_same_in_process_and_over_http() -> None:
    with embedded_lab():
        in_process = transcript()
    with running_lab() as address, reached_at(address):
        over_http = transcript()
    assert over_http == in_process
    assert [status for status, _ in over_http] == STATUSES


def test_s3_refuses_the_same_in_process_and_over_http() -> None:
    with embedded_lab():
        in_process = refusals()
    with running_lab() as address, reached_at(address):
        over_http = refusals()
    assert over_http == in_process
    assert [answer[0] for answer in over_http[:15]] == [
        "AccessDenied",
        "403",
        "AccessDenied",
        "AccessDenied",
        "AccessDenied",
        "AccessDenied",
        "AccessDenied",
        "AccessDenied",
        "403",
        "AccessDenied",
        "AccessDenied",
        "MalformedPolicy",
        "BucketAlreadyOwnedByYou",
        "NoSuchBucket",
        "AccessDenied",
    ]
    assert over_http[15:] == [
        [{"Key": "closed/a", "Code": "AccessDenied", "Message": "Access Denied"}],
        ["open/a"],
    ]


def test_requests_count_as_sent_through_tls_unless_the_client_says_plain_http() -> None:
    """A policy that demands TLS locks nobody out of the lab, which speaks plain HTTP."""
    with running_lab() as address, reached_at(address):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": statement}))
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
        plain = boto3.client("s3", config=Config(user_agent_appid="plain-http"))
        assert error_of(plain.list_objects_v2, {"Bucket": BUCKET})[0] == "AccessDenied"


# --- many at once --------------------------------------------------------------------------------


def test_eight_threads_lose_nothing() -> None:
    with running_lab() as address, reached_at(address):
        s3 = boto3.client("s3", config=Config(max_pool_connections=8))
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)

        def put(thread: int) -> None:
            for number in range(50):
                s3.put_object(Bucket=BUCKET, Key=f"{thread}/{number:02}", Body=f"{thread}".encode())

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, range(8)))
        found = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        assert [item["Key"] for item in found] == [
            f"{thread}/{number:02}" for thread in range(8) for number in range(50)
        ]
        assert {item["Size"] for item in found} == {1}
        assert s3.get_object(Bucket=BUCKET, Key="7/49")["Body"].read() == b"7"


def test_callers_do_not_get_mixed_up() -> None:
    """Each thread of the server judges its own request, by the path of its own client."""
    with running_lab() as address, reached_at(address):
        ec2, s3 = boto3.client("ec2"), boto3.client("s3")
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        endpoint_id = ec2.create_vpc_endpoint(
            VpcId=vpc_id, ServiceName="com.amazonaws.ap-northeast-1.s3"
        )["VpcEndpoint"]["VpcEndpointId"]
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:ListBucket"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": endpoint_id}},
        }
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": statement}))
        clients = [
            boto3.client("s3", config=Config(user_agent_appid=announced))
            for announced in ("outside", endpoint_id, "outside", endpoint_id)
        ]

        def refused(number: int) -> set[int]:
            """How many of three deletions were refused, in each of fifteen requests."""
            unwanted = {"Objects": [{"Key": f"{number}/{i}"} for i in range(3)]}
            delete = partial(clients[number].delete_objects, Bucket=BUCKET, Delete=unwanted)
            return {len(delete().get("Errors", [])) for _ in range(15)}

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(refused, range(4))) == [{3}, {0}, {3}, {0}]


# --- in this process -----------------------------------------------------------------------------


def test_the_server_takes_everything_back() -> None:
    def now() -> list[Any]:
        return [vars(change.owner).get(change.attribute) for change in PATCHES]

    def listening() -> tuple[int, int]:
        return len(calls.LISTENERS), len(calls.CRASH_LISTENERS)

    before, settings, listeners = now(), dict(os.environ), listening()
    with running_lab(speed=60) as address:
        assert all(a is not b for a, b in zip(now(), before, strict=True))
        assert CLOCK.speed == 60
        port = int(address.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port)).close()
    assert (now(), dict(os.environ), listening()) == (before, settings, listeners)
    assert CLOCK.instant
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_each_server_is_empty() -> None:
    for _ in range(2):
        with running_lab() as address, reached_at(address):
            s3 = boto3.client("s3")
            assert s3.list_buckets()["Buckets"] == []
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)


@pytest.mark.parametrize("turn", [1, 2])
def test_the_server_for_tests_is_empty_at_each_turn(lab_server: str, turn: int) -> None:
    with reached_at(lab_server):
        s3 = boto3.client("s3")
        assert s3.list_buckets()["Buckets"] == []
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)


def test_the_lab_in_process_and_the_server_for_tests_are_two(lab: None, lab_server: str) -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    with reached_at(lab_server):
        assert boto3.client("s3").list_buckets()["Buckets"] == []


# --- what comes from elsewhere -------------------------------------------------------------------


def ask(
    address: str, path: str = "/", method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Status, type and text of the answer to a request with these headers, and no others."""
    host = address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in ({"Host": host, "Content-Length": "0"} | (headers or {})).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get_content_type(), text


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Host": "localhost:5000"}, True),
        ({"Host": "LOCALHOST"}, True),
        ({"Host": "my.bucket.localhost:5000"}, True),
        ({"Host": "127.0.0.1"}, True),
        ({"Host": "[::1]:5000"}, True),
        ({"Host": "lab.example.com"}, False),
        ({"Host": "localhost.example.com"}, False),
        ({"Host": "127.0.0.1.example.com:5000"}, False),
        ({"Host": "evillocalhost:5000"}, False),
        ({"Host": ""}, False),
        ({"Host": "localhost:5000", "Origin": "http://localhost:5000"}, True),
        ({"Host": "localhost:5000", "Origin": "http://localhost:5001"}, False),
        ({"Host": "localhost:5000", "Origin": "https://localhost:5000"}, False),
        ({"Origin": "https://example.com"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, False),
    ],
)
@pytest.mark.parametrize("path", ["/_lab/clock", "/"])
def test_pages_of_the_internet_are_refused(
    lab_server: str, path: str, headers: dict[str, str], allowed: bool
) -> None:
    """A page that makes a browser train a model would run a program on this computer."""
    status, _, text = ask(lab_server, path, headers=headers)
    assert (status != 403, not text.startswith("The lab answers programs")) == (allowed, allowed)


def test_no_page_can_post_by_navigation(lab_server: str) -> None:
    navigation = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert ask(lab_server, "/_lab/reset", "POST", navigation)[0] == 403


def test_an_unknown_path_is_answered(lab_server: str) -> None:
    status, kind, text = ask(lab_server, "/no/such/path")
    assert (status, kind) == (404, "application/xml")
    assert "<Code>NoSuchBucket</Code>" in text


# --- failures of the lab itself ------------------------------------------------------------------

ONCE = Config(retries={"total_max_attempts": 1})


def fail(*_: Any, **__: Any) -> Any:
    raise KeyError("odd")


@pytest.mark.parametrize(
    ("backend", "method", "service", "operation", "arguments"),
    [
        (SQSBackend, "list_queues", "sqs", "list_queues", {}),
        (SageMakerModelBackend, "create_hub", "sagemaker", "list_models", {}),
        (EC2Backend, "describe_key_pairs", "ec2", "describe_key_pairs", {}),
        (IAMBackend, "list_users", "iam", "list_users", {}),
        (CloudWatchBackend, "list_dashboards", "cloudwatch", "list_dashboards", {}),
        (S3Backend, "get_bucket_policy", "s3", "get_bucket_policy", {"Bucket": BUCKET}),
        (S3Backend, "get_object", "s3", "get_object", {"Bucket": BUCKET, "Key": "a"}),
    ],
)
def test_a_crash_is_answered_as_aws_answers_it(
    backend: Any,
    method: str,
    service: str,
    operation: str,
    arguments: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said, failures = io.StringIO(), io.StringIO()
    with running_lab(log=Log(said, failures)) as address, reached_at(address):
        if service == "s3":
            boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
        if service == "sagemaker":
            monkeypatch.setattr("awslab.services.sagemaker.models.page", fail)
        else:
            monkeypatch.setattr(backend, method, fail)
        with pytest.raises(ClientError) as refused:
            getattr(boto3.client(service, config=ONCE), operation)(**arguments)
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert answer["Error"]["Code"] == "InternalFailure"
    assert answer["Error"]["Message"] == calls.InternalFailure.message
    assert re.fullmatch(
        r"The lab failed: KeyError: 'odd' \(.*test_server\.py:\d+\)\n", failures.getvalue()
    )
    name = operation.title().replace("_", "")
    last = said.getvalue().splitlines()[-1]
    assert re.fullmatch(rf"[\d:]{{8}} {service} {name} 500 InternalFailure \d+ ms", last)


def test_in_process_a_crash_stays_an_exception(lab: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SQSBackend, "list_queues", fail)
    with pytest.raises(KeyError, match="odd"):
        boto3.client("sqs").list_queues()


def test_a_failure_before_any_operation_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = io.StringIO()
    with running_lab(log=Log(failures=failures)) as address:
        monkeypatch.setattr(DomainDispatcherApplication, "get_application", fail)
        status, kind, text = ask(address)
    assert (status, kind) == (500, "text/xml")
    assert "<Code>InternalFailure</Code>" in text
    assert failures.getvalue().startswith("The lab failed: KeyError: 'odd' (")


def test_a_step_of_the_clock_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[datetime] = []
    monkeypatch.setattr(CLOCK, "_every_tick", [fail, lambda: ticks.append(CLOCK.now())])
    failures = io.StringIO()
    with running_lab(speed=60, log=Log(failures=failures)):
        assert eventually(lambda: len(ticks) >= 3)
    assert ticks == sorted(ticks)
    assert (ticks[-1] - ticks[0]).total_seconds() > 20
    assert failures.getvalue().count("\n") == 1  # said once, not at each tick
    assert failures.getvalue().startswith("The lab failed: KeyError: 'odd' (")
    met = len(ticks)
    time.sleep(0.6)
    assert len(ticks) == met  # the thread has ended with the server


@pytest.mark.parametrize("speed", [None, 0])
def test_nothing_ticks_unless_the_clock_runs(
    speed: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: list[None] = []
    monkeypatch.setattr(CLOCK, "_every_tick", [lambda: ticks.append(None)])
    with running_lab(speed=speed):
        time.sleep(0.6)
    assert ticks == []


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False


# --- the log of calls ----------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_call(status: int = 200, error: str = "", operation: str = "CreateEndpoint") -> Call:
    at = datetime(2026, 11, 21, 9, 31, 2, tzinfo=UTC)
    return Call(at, "sagemaker", operation, "111122223333", "", None, status, {}, "", 0.0124, error)


def logged(stream: io.StringIO, *those: Call) -> str:
    log = Log(stream)
    for call in those:
        log.call(call)
    return stream.getvalue()


def test_a_call_is_a_line() -> None:
    assert logged(io.StringIO(), a_call(), a_call(400, "ValidationException"), a_call(404)) == (
        "09:31:02 sagemaker CreateEndpoint 200 12 ms\n"
        "09:31:02 sagemaker CreateEndpoint 400 ValidationException 12 ms\n"
        "09:31:02 sagemaker CreateEndpoint 404 12 ms\n"
    )
    assert logged(io.StringIO(), a_call(501, "NotImplemented", "")) == (
        "09:31:02 sagemaker unknown 501 NotImplemented 12 ms\n"
    )


def test_only_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    those = a_call(), a_call(400, "Odd"), a_call(500, "Bad")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert logged(Terminal(), *those) == (
        "\x1b[90m09:31:02\x1b[0m sagemaker CreateEndpoint 200 12 ms\n"
        "\x1b[90m09:31:02\x1b[0m sagemaker CreateEndpoint \x1b[33m400 Odd\x1b[0m 12 ms\n"
        "\x1b[90m09:31:02\x1b[0m sagemaker CreateEndpoint \x1b[31m500 Bad\x1b[0m 12 ms\n"
    )
    assert "\x1b" not in logged(io.StringIO(), *those)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in logged(Terminal(), *those)


def test_a_log_that_nobody_reads_is_no_reason_to_refuse() -> None:
    stream = io.StringIO()
    log = Log(stream)
    stream.close()
    log.call(a_call())
    assert log.calls is None


def test_lines_of_many_threads_stay_whole() -> None:
    stream = io.StringIO()
    log = Log(stream)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.call(a_call(number)), range(200, 400)))
    assert sorted(stream.getvalue().splitlines()) == [
        f"09:31:02 sagemaker CreateEndpoint {number} 12 ms" for number in range(200, 400)
    ]


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"x-amzn-errortype": "ValidationException"}, "{}", "ValidationException"),
        ({"X-Amzn-ErrorType": "com.amazonaws.sqs#QueueDoesNotExist"}, "{}", "QueueDoesNotExist"),
        ({}, b"<?xml version='1.0'?>\n<Error><Code>NoSuchBucket</Code></Error>", "NoSuchBucket"),
        ({}, "<Errors><Error><Code>InvalidVpcID.NotFound</Code>", "InvalidVpcID.NotFound"),
        ({}, "", ""),
        ({}, None, ""),
        ({}, b"\xff\xfe", ""),
    ],
)
def test_the_code_of_an_error_is_found(headers: dict[str, str], body: Any, code: str) -> None:
    assert calls.error_code(headers, body) == code


def test_every_protocol_tells_its_code(client: Callable[..., Any]) -> None:
    refused: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (client("sagemaker").describe_endpoint, {"EndpointName": "none"}),
        (client("s3").get_bucket_policy, {"Bucket": BUCKET}),
        (client("s3").head_bucket, {"Bucket": BUCKET}),
        (client("ec2").describe_vpcs, {"VpcIds": ["vpc-1"]}),
        (client("iam").get_role, {"RoleName": "none"}),
        (client("sqs").get_queue_url, {"QueueName": "none"}),
        (client("lambda").get_function, {"FunctionName": "none"}),
        (client("sagemaker").describe_hub, {"HubName": "none"}),
    ]
    for call, arguments in refused:
        with pytest.raises((ClientError, ServiceException)):
            call(**arguments)
    assert [(call.operation, call.error) for call in calls.CALLS] == [
        ("DescribeEndpoint", "ValidationException"),
        ("GetBucketPolicy", "NoSuchBucket"),
        ("HeadBucket", ""),
        ("DescribeVpcs", "InvalidVpcID.NotFound"),
        ("GetRole", "NoSuchEntity"),
        ("GetQueueUrl", "QueueDoesNotExist"),
        ("GetFunction", "ResourceNotFoundException"),
        ("DescribeHub", "NotImplemented"),
    ]


# --- in a terminal -------------------------------------------------------------------------------


@contextmanager
def terminal(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m awslab serve …` by itself."""
    with subprocess.Popen(
        [sys.executable, "-m", "awslab", "serve", *arguments],
        cwd=EXAMPLES,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str], number: int) -> list[str]:
    assert process.stdout
    return [process.stdout.readline() for _ in range(number)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_command_serves_until_ctrl_c() -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with terminal("--port", str(port)) as process:
        printed = lines(process, 8)
        assert printed == [
            f"The lab listens on {address} (Ctrl-C ends it). In another terminal:\n",
            "\n",
            f"export AWS_ENDPOINT_URL={address} AWS_DEFAULT_REGION=ap-northeast-1\n",
            "export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing\n",
            "\n",
            f"What is in the lab: {address}/_lab/\n",
            f"moto {moto.__version__}. The clock is instant: nothing takes time, each look meets "
            "the next state.\n",
            "\n",
        ]

        # What is pasted into another terminal is enough for a client.
        pasted = dict(re.findall(r"(\w+)=(\S+)", "".join(printed[2:4])))
        with patch.dict(os.environ, pasted, clear=True):
            caller = boto3.Session().client("sts").get_caller_identity()
        assert (caller["Account"], caller["Arn"]) == (
            "111122223333",
            "arn:aws:iam::111122223333:user/lab",
        )

        # Nobody else can reach it: 127.0.0.2 is this machine too, as is ::1.
        for other in ("127.0.0.2", "::1"):
            with pytest.raises(OSError, match=r"refused|timed out|assign|unreachable|supported"):
                socket.create_connection((other, port), timeout=2).close()

        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
        call, *end = output.splitlines()
        assert re.fullmatch(r"\d\d:\d\d:\d\d sts GetCallerIdentity 200 \d+ ms", call)
        assert end == ["", "The lab has ended; nothing is kept."]


def address_of(process: subprocess.Popen[str]) -> str:
    """Read the banner."""
    return lines(process, 8)[0].split()[4]


def test_calls_are_logged_and_the_page_s_own_are_not(tmp_path: Path) -> None:
    with terminal("--port", "0") as process:
        address = address_of(process)
        with reached_at(address):
            s3 = boto3.client("s3")
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
            error_of(s3.get_bucket_policy, {"Bucket": BUCKET})
        assert ask(address, "/_lab/state")[0] == 200
        assert ask(address, "/moto-api/reset", "POST")[0] == 200
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)
    said = [re.sub(r"\d\d:\d\d:\d\d|\d+ ms", "…", line) for line in output.splitlines()]
    assert (process.returncode, errors) == (0, "")
    assert said == [
        "… s3 CreateBucket 200 …",
        "… s3 GetBucketPolicy 404 NoSuchBucketPolicy …",
        "",
        "The lab has ended; nothing is kept.",
    ]


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        ("0", "The clock is stopped: it moves on the page above, or by POST /_lab/clock."),
        ("60", "The clock runs 60 times as fast as the wall's."),
    ],
)
def test_quietly_and_at_another_speed(speed: str, words: str) -> None:
    with terminal("--port", "0", "--speed", speed, "--quiet") as process:
        banner = lines(process, 8)
        assert banner[6] == f"moto {moto.__version__}. {words}\n"
        address = banner[0].split()[4]
        with reached_at(address):
            boto3.client("sts").get_caller_identity()
        clock = json.loads(ask(address, "/_lab/clock")[2])
        assert clock["speed"] == float(speed)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (
        0,
        "\nThe lab has ended; nothing is kept.\n",
        "",
    )


def test_a_lab_whose_reader_has_gone_serves_on_and_ends_cleanly() -> None:
    with terminal("--port", "0") as process:
        address = address_of(process)
        assert process.stdout
        process.stdout.close()
        with reached_at(address):
            for _ in range(2):
                boto3.client("sts").get_caller_identity()
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        assert (process.wait(30), process.stderr.read()) == (0, "")


# --- programs and folders ------------------------------------------------------------------------

FAMILY = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
    "time.sleep(60)\n"
)
# A lab in which each call starts a program that would run for a minute, with a child of its own.
LAB_WITH_PROGRAMS = """
import os, sys
from awslab import calls, server, work
kept = []
def start(call):
    command = [sys.executable, "-c", sys.argv[1]]
    line = lambda text: print("family", text, flush=True)
    kept.append(work.Work(command, work.new_folder("job"), os.environ, line))
calls.LISTENERS.append(start)
sys.exit(server.serve(0, quiet=True))
"""


@contextmanager
def lab_with_a_program(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """The lab and the processes of its program; temporary files go into `folder`."""
    with subprocess.Popen(
        [sys.executable, "-c", LAB_WITH_PROGRAMS, FAMILY],
        cwd=EXAMPLES,
        env=environment(TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            with reached_at(address_of(process)):
                boto3.client("sts").get_caller_identity()
            yield process, [int(number) for number in lines(process, 1)[0].split()[1:]]
        finally:
            process.kill()


def alive(process: int) -> bool:
    """Whether it runs; one that has died and is not yet buried does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_clean_end_takes_programs_and_folders_along(number: int, tmp_path: Path) -> None:
    with lab_with_a_program(tmp_path) as (process, family):
        assert all(map(alive, family))
        assert [each.name for each in tmp_path.iterdir()] == [f"awslab-{os.getuid()}"]
        process.send_signal(number)
        assert process.wait(30) == 0
        assert eventually(lambda: not any(map(alive, family)))
    assert list(tmp_path.iterdir()) == []


def test_after_a_kill_nothing_runs_and_the_next_lab_sweeps(tmp_path: Path) -> None:
    with lab_with_a_program(tmp_path) as (process, family):
        process.kill()
        process.wait(30)
        assert eventually(lambda: not any(map(alive, family)))
        left = tmp_path / f"awslab-{os.getuid()}" / str(process.pid)
        assert left.is_dir()
    with terminal("--port", "0", TMPDIR=str(tmp_path)) as process:
        address_of(process)
        assert not left.exists()


def test_the_lab_leaves_no_temporary_files(tmp_path: Path) -> None:
    """Neither moto nor the server does."""
    with terminal("--port", "0", "--quiet", TMPDIR=str(tmp_path)) as process:
        with reached_at(address_of(process)):
            s3 = boto3.client("s3")
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
            s3.put_object(Bucket=BUCKET, Key="large", Body=b"x" * 20_000_000)
            assert len(s3.get_object(Bucket=BUCKET, Key="large")["Body"].read()) == 20_000_000
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["awslab", "serve", "--port", str(port)])
        status = main()
    printed = capsys.readouterr()
    assert (status, printed.out) == (1, "")
    assert printed.err == (
        f"Port {port} of 127.0.0.1 is taken. Stop the program that uses it, "
        f"or choose another: make lab PORT={port + 1}\n"
    )


@pytest.mark.parametrize("port", ["http", "-1", "65536", "5000.5", ""])
def test_what_is_no_port_is_refused(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["awslab", "serve", f"--port={port}"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.endswith(
        f"awslab serve: error: argument --port: invalid port value: '{port}'\n"
    )


@pytest.mark.parametrize("speed", ["fast", "-1", "241", "nan", "inf", ""])
def test_what_is_no_speed_is_refused(
    speed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["awslab", "serve", f"--speed={speed}"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.endswith(
        f"awslab serve: error: argument --speed: '{speed}' is not a number from 0 to 240\n"
    )
