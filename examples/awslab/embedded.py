"""The lab in the process of the caller: `make run` and the tests."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from inspect import CO_VARKEYWORDS
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import botocore.waiter
from botocore import compat
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from botocore.loaders import Loader, create_loader
from botocore.model import ServiceModel
from moto import mock_aws

from awslab import calls, services  # noqa: F401  (importing calls registers what it patches)
from awslab.extension import applied, reset
from awslab.scenarios import OTHERS

REGION = "ap-northeast-1"
LAB = Path(__file__).parent
EXAMPLES = LAB.parent

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
    **{name: value for other in OTHERS for name, value in other.settings},
}


def environment(**extra: str) -> dict[str, str]:
    """The process environment without any AWS setting of the user, with the lab's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    return kept | ENVIRONMENT | extra


@cache
def loader() -> Loader:
    return create_loader()


original_alias = EventAliaser._alias_event_name
EVENTS = EventAliaser(None)


@cache
def alias(event: str) -> str:
    return str(original_alias(EVENTS, event))


def accepts_kwargs(handler: Callable[..., object]) -> bool:
    code = getattr(handler, "__code__", None)
    return bool(code.co_flags & CO_VARKEYWORDS) if code else bool(compat.accepts_kwargs(handler))


original_methods = ClientCreator._create_methods
METHODS: dict[tuple[str, str], dict[str, Any]] = {}


def methods(creator: ClientCreator, model: ServiceModel) -> dict[str, Any]:
    """The methods of a client, which the model of its service alone decides."""
    service = model.service_name, model.api_version
    if service not in METHODS:
        METHODS[service] = original_methods(creator, model)
    return dict(METHODS[service])


@contextmanager
def shared_loader() -> Iterator[None]:
    """Parse botocore's service models, make the methods of its clients and look up the names of
    its events once per process: a session with its client costs 10 ms instead of 0.5 s."""
    with (
        patch("botocore.session.create_loader", lambda *_: loader()),
        patch("botocore.hooks.accepts_kwargs", accepts_kwargs),
        patch.object(ClientCreator, "_create_methods", methods),
        patch.object(EventAliaser, "_alias_event_name", lambda _, event: alias(event)),
    ):
        yield


with shared_loader():  # moto reads large models while it is imported
    services.load()


@contextmanager
def fresh_default_session() -> Iterator[None]:
    """`boto3.client(…)` of an example starts from the environment, as in a process of its own."""
    with patch.object(boto3, "DEFAULT_SESSION", None):
        yield


@contextmanager
def no_waits() -> Iterator[None]:
    """Neither the SDK's waiters nor the examples wait: the states of the lab change by calls."""
    sleep = time.sleep

    def brisk(seconds: float) -> None:
        caller = Path(sys._getframe(1).f_globals.get("__file__") or os.devnull)
        is_example = EXAMPLES in caller.parents and LAB not in caller.parents
        if not is_example and caller != Path(botocore.waiter.__file__):
            sleep(seconds)

    with patch("time.sleep", brisk):
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
        stack.enter_context(no_waits())
        stack.enter_context(mock_aws(config={"core": {"reset_boto3_session": False}}))
        stack.enter_context(fresh_default_session())
        reset()
        stack.callback(reset)
        yield
