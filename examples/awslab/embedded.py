"""The lab in the process of the caller: `make run` and the tests."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from unittest.mock import patch

import boto3
from botocore.loaders import Loader, create_loader
from moto import mock_aws

from awslab import calls, services  # noqa: F401  (importing calls registers what it patches)
from awslab.extension import applied, reset

services.load()

REGION = "ap-northeast-1"

# Credentials that no account knows, and nothing of the user's own configuration.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    "TZ": "UTC",
}


def environment(**extra: str) -> dict[str, str]:
    """The process environment without any AWS setting of the user, with the lab's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    return kept | ENVIRONMENT | extra


@cache
def loader() -> Loader:
    return create_loader()


@contextmanager
def shared_loader() -> Iterator[None]:
    """Parse botocore's service models once per process: a client costs 20 ms instead of 0.5 s."""
    with patch("botocore.session.create_loader", lambda *_: loader()):
        yield


@contextmanager
def fresh_default_session() -> Iterator[None]:
    """`boto3.client(…)` of an example starts from the environment, as in a process of its own."""
    with patch.object(boto3, "DEFAULT_SESSION", None):
        yield


@contextmanager
def patient_waiters() -> Iterator[None]:
    """Waiters poll at once: the lab's states change by calls, not by time."""
    with patch("botocore.waiter.time.sleep", lambda seconds: None):
        yield


@contextmanager
def embedded_lab() -> Iterator[None]:
    """An empty lab for the time of the block; every boto3 client of the process reaches it."""
    with ExitStack() as stack:
        stack.callback(time.tzset)  # comes last, when TZ is the user's own again
        stack.enter_context(patch.dict(os.environ, environment(), clear=True))
        time.tzset()  # botocore answers times of the local zone
        stack.enter_context(applied())
        stack.enter_context(shared_loader())
        stack.enter_context(patient_waiters())
        stack.enter_context(mock_aws(config={"core": {"reset_boto3_session": False}}))
        stack.enter_context(fresh_default_session())
        reset()
        stack.callback(reset)
        yield
