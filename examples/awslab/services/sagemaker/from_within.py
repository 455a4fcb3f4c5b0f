"""Operations that SageMaker calls itself, as a client of the account would call them.

A pipeline's step and a monitoring schedule use the same API as everybody: their requests are
checked, answered and recorded like those from outside.
"""

import json
from collections.abc import Mapping
from typing import Any

from moto.core.request import Request
from moto.sagemaker.responses import SageMakerResponse

from awslab.current import current


class Refused(Exception):
    """The operation answered an error, with the service's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def call(
    account: str,
    region: str,
    operation: str,
    request: Mapping[str, Any],
    *,
    to_the_end: bool = False,
) -> dict[str, Any]:
    """The answer of an operation of SageMaker; times in it are seconds since 1970.

    to_the_end: look as a waiter does, which meets the end of what is in progress.

    Raises:
        Refused: the operation answered an error.
    """
    agent = "sagemaker.amazonaws.com" + (" m/B" if to_the_end else "")
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "User-Agent": agent,
        "X-Amz-Target": f"SageMaker.{operation}",
        "x-moto-account-id": account,
    }
    url = f"https://api.sagemaker.{region}.amazonaws.com/"
    sent = Request.from_primitives("POST", url, headers, json.dumps(request).encode())
    outside, looks = current.user_agent, operation.startswith(("Describe", "List"))
    current.depth += looks  # the service's own looks are no part of the record of calls
    try:
        status, _, body = SageMakerResponse.dispatch(sent)
    finally:
        current.user_agent = outside
        current.depth -= looks
    answer: dict[str, Any] = json.loads(body or "{}")
    if int(status) >= 400:
        code = str(answer.get("__type", "")).rpartition("#")[2]
        raise Refused(code, str(answer.get("message") or answer.get("Message")))
    return answer
