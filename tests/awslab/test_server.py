"""The lab as a server: the same answers as in process, on 127.0.0.1 only, and a clean end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from awslab.__main__ import main
from awslab.embedded import embedded_lab, environment, shared_loader
from awslab.extension import PATCHES
from awslab.masking import Mask
from awslab.run import run_step
from awslab.scenarios import EXAMPLES, parse_step
from awslab.server import running_lab
from botocore.config import Config
from botocore.exceptions import ClientError

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


def test_the_path_is_plain_http() -> None:
    with running_lab() as address, reached_at(address):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:ListBucket",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": statement}))
        assert error_of(s3.list_objects_v2, {"Bucket": BUCKET})[0] == "AccessDenied"


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

    before, settings = now(), dict(os.environ)
    with running_lab() as address:
        assert all(a is not b for a, b in zip(now(), before, strict=True))
        port = int(address.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port)).close()
    assert (now(), dict(os.environ)) == (before, settings)
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


# --- in a terminal -------------------------------------------------------------------------------


@contextmanager
def terminal(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m awslab serve …` by itself."""
    with subprocess.Popen(
        [sys.executable, "-m", "awslab", "serve", *arguments],
        cwd=EXAMPLES,
        env=environment(),
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
        printed = lines(process, 4)
        assert printed == [
            f"The lab listens on {address} (Ctrl-C ends it). In another terminal:\n",
            "\n",
            f"export AWS_ENDPOINT_URL={address} AWS_DEFAULT_REGION=ap-northeast-1\n",
            "export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing\n",
        ]

        # What is pasted into another terminal is enough for a client.
        pasted = dict(re.findall(r"(\w+)=(\S+)", "".join(printed[2:])))
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
        assert (process.returncode, output, errors) == (
            0,
            "\nThe lab has ended; nothing is kept.\n",
            "",
        )


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
