"""Contract with bare moto: each gap that the lab mends is still there.

A failure is good news: moto has closed a gap, and the message names the code to delete. Every
clause of the reason of every patch has a test here.
"""

import functools
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from awslab.embedded import environment, fresh_default_session, shared_loader
from awslab.extension import PATCHES
from botocore.exceptions import BotoCoreError, ClientError
from moto import mock_aws

Test = Callable[..., None]

REASONS: dict[str, str] = defaultdict(str)
for change in PATCHES:
    if not change.adds:
        operation = f"{change.service}:{change.operation}"
        REASONS[operation] += ("; " if REASONS[operation] else "") + change.reason
TESTED: dict[str, list[str]] = defaultdict(list)


def gap(operation: str, *clauses: str) -> Callable[[Test], Test]:
    """The test asserts what these clauses of a patch's reason say about bare moto.

    operation: service and operation as in the table, `sagemaker:CreateEndpoint`.
    """

    def mark(test: Test) -> Test:
        TESTED[operation] += clauses

        @functools.wraps(test)
        def checked(*args: Any, **kwargs: Any) -> None:
            try:
                test(*args, **kwargs)
            except (AssertionError, BotoCoreError, ClientError, pytest.fail.Exception) as error:
                pytest.fail(
                    f"moto no longer “{'”, “'.join(clauses)}”: delete that part of "
                    f"{operation} in examples/awslab, and this test. ({error})"
                )

        return checked

    return mark


@pytest.fixture
def bare_moto() -> Iterator[None]:
    """moto without the extension."""
    for change in PATCHES:
        assert vars(change.owner).get(change.attribute) is not change.value
    with (
        patch.dict(os.environ, environment(), clear=True),
        shared_loader(),
        mock_aws(config={"core": {"reset_boto3_session": False}}),
        fresh_default_session(),
    ):
        yield
