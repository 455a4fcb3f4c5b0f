"""The calls that the lab serves: checked on arrival, kept for those who ask what happened.

Every request passes here, because moto's dispatch is wrapped once for all services. What the model
of a service forbids is refused as AWS refuses it, before moto or the lab's code sees it.
"""

import io
import json
import re
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import moto.core.errors
from botocore.exceptions import ClientError
from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.parse import RequestParserError
from moto.core.responses import ActionResult, BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.s3.responses import S3Response
from werkzeug.exceptions import HTTPException

from awslab.clock import now
from awslab.current import current
from awslab.extension import Function, changes, on_reset, sets
from awslab.validation import VALIDATED, WrongType, code_of, message_of, problems_of

CODE_IN_XML = re.compile(r"<Code>([^<]+)</Code>")
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
KEPT = 10_000  # calls; the oldest are forgotten
LARGE = 16_384  # bytes that came and went; what is larger is not kept
# What moto's parsers raise at values that they do not expect, a time in the year 10^300 included.
UNREADABLE = (ArithmeticError, AttributeError, RuntimeError, TypeError, ValueError)


@dataclass
class Call:
    """One request as it came and went. What is in it is read only when somebody asks.

    served_by: moto's response object with request, headers and parameters. It and the body of a
        large call are None as soon as all listeners have seen it.
    error: the code of the refusal, as the caller got it; empty if there is none.
    """

    at: datetime
    service: str
    operation: str
    account: str
    region: str
    served_by: Any = field(repr=False)
    status: int
    headers: dict[str, Any] = field(repr=False)
    body: Any = field(repr=False)
    seconds: float
    error: str = ""


CALLS: deque[Call] = deque(maxlen=KEPT)
LISTENERS: list[Callable[[Call], None]] = []
# Told the service of a request before it is served; they may wait for what must be seen by then.
ARRIVALS: list[Callable[[str], None]] = []
# Told of an exception that is no answer. The caller then gets AWS's error 500; without listeners,
# in process, it gets the exception.
CRASH_LISTENERS: list[Callable[[Exception], None]] = []
on_reset(CALLS.clear)


sets(
    moto.core.errors,
    "COMMON_ERROR_CODES",
    {
        *moto.core.errors.COMMON_ERROR_CODES,
        "AccessDeniedException",
        "InternalFailure",
        "NotImplemented",
        "SerializationException",
        "ThrottlingException",
    },
    service="all",
    operation="errors",
    reason="warns of codes that every service may answer",
)


class NotInTheLab(ServiceException):
    """An operation that neither moto nor the lab has."""

    code = "NotImplemented"


class InvalidRequest(ServiceException):
    """A request that the model of the service forbids."""


class NoText(ServiceException):
    """A body that no service can read as the text which it has to be."""

    code = "SerializationException"
    message = "The body of the request is no UTF-8 text."


class InternalFailure(ServiceException):
    """The code behind the operation has failed."""

    code = "InternalFailure"
    message = "The request processing has failed because of an unknown error."


@changes(
    BaseResponse,
    "all",
    "*",
    reason=(
        "checks few of the constraints that a service's model states; "
        "takes a malformed body for an empty one; crashes at a body of another shape"
    ),
    differs=(
        "requests of the services that the lab extends are checked: required members, types, "
        "lengths, ranges, patterns and enumerations, all problems in one message"
    ),
)
def _dispatch(
    original: Function, self: Any, request: Any, full_url: Any = None, headers: Any = None
) -> Any:
    begin(self, request)
    try:
        started, at = time.perf_counter(), now()
        code = VALIDATED.get(self.boto3_service_name)
        try:
            if code is None:
                answer = original(self, request, full_url, headers)
            else:
                answer = validated(self, code, request, full_url, headers)
        except Exception as error:
            answer = after_crash(error, self, request, full_url, headers)
        return keep(self, at, started, answer)
    finally:
        end()


@changes(
    BaseResponse,
    "all",
    "operations that moto lacks",
    reason="crashes with `NotImplementedError`; its server answers 500, which every SDK retries",
    differs="the answer is 501 `NotImplemented`",
)
def call_action(original: Function, self: Any) -> Any:
    try:
        return readable(original(self))
    except NotImplementedError as error:
        operation = self._get_action()
        if not operation or "has not been implemented" not in str(error):
            raise
        missing = NotInTheLab(f"The lab does not have {self.service_name}:{operation}.")
        return with_status(501, self.serialized(ActionResult(missing)))


def readable(answer: Any) -> Any:
    """An error that repeats a sign which XML cannot carry would be no XML."""
    status, headers, body = answer
    if int(status) >= 400 and isinstance(body, str):
        body = NOT_IN_XML.sub("\ufffd", body)
    return status, headers, body


def validated(self: Any, code: str, request: Any, full_url: Any, headers: Any) -> Any:
    """Serve the request if its model allows it."""
    try:
        decompress(self, request)
        problems = problems_of_json(self, request)
        self.setup_class(request, full_url, headers)
        if not self.automated_parameter_parsing:
            self.parse_parameters(request)
        if problems is None:
            problems = problems_of(dict(self.params), shape_of(self, self._get_action()))
    except OperationNotFoundError:
        set_up_unparsed(self, request, full_url, headers)
        return self.call_action()
    except (RequestParserError, WrongType, *UNREADABLE) as error:
        said = str(error) if isinstance(error, WrongType) else "The request cannot be parsed."
        set_up_unparsed(self, request, full_url, headers)
        return self.serialized(ActionResult(InvalidRequest("SerializationException", said)))
    if problems:
        operation = self._get_action()
        shape = shape_of(self, operation)
        code = code_of(self.boto3_service_name, operation, dict(self.params), shape, code)
        refusal = InvalidRequest(code, message_of(problems))
        return readable(self.serialized(ActionResult(refusal)))
    return self.call_action()


def shape_of(self: Any, operation: str) -> Any:
    return get_service_model(self.boto3_service_name).operation_model(operation).input_shape


def decompress(self: Any, request: Any) -> None:
    """Make a compressed body plain: SDKs compress a PutMetricData of more than 10 KiB.

    Raises:
        WrongType: it was not compressed as it says.
    """
    try:
        self.decompress_request_body(request)
    except (OSError, EOFError, zlib.error):
        request.stream = io.BytesIO()
        raise WrongType("The request cannot be parsed.") from None
    finally:
        self.allow_request_decompression = False  # it is done


def problems_of_json(self: Any, request: Any) -> list[str] | None:
    """What the model forbids about a JSON request; None about another one.

    It looks at the JSON itself: moto takes a malformed one as empty, and converts what it can.

    Raises:
        WrongType: a value has another type than the model says.
    """
    target = request.headers.get("X-Amz-Target")
    if not target or "json" not in (request.headers.get("Content-Type") or ""):
        return None
    params = json.loads(request.data or b"{}")
    if not isinstance(params, dict):
        raise WrongType("Start of list found where not expected")
    return problems_of(params, shape_of(self, target.rpartition(".")[2]))


def set_up_unparsed(self: Any, request: Any, full_url: Any, headers: Any) -> None:
    """What an answer and the record of the call need, without the parameters."""
    self.automated_parameter_parsing = False
    self.setup_class(request, full_url, headers, use_raw_body=True)


def after_crash(error: Exception, self: Any, request: Any, full_url: Any, headers: Any) -> Any:
    """AWS's answer to a request on which the code behind it has failed.

    Raises:
        Exception: the same one, if it is an answer, or if nobody listens to crashes.
    """
    if isinstance(error, UnicodeDecodeError) and error.object == getattr(self, "body", None):
        set_up_unparsed(self, request, full_url, headers)
        return with_status(400, self.serialized(ActionResult(NoText())))
    if isinstance(error, HTTPException | ClientError) or not CRASH_LISTENERS:
        raise error
    for listener in CRASH_LISTENERS:
        listener(error)
    if not isinstance(self, S3Response):
        set_up_unparsed(self, request, full_url, headers)
    return with_status(500, self.serialized(ActionResult(InternalFailure())))


def with_status(status: int, answer: Any) -> Any:
    return status, answer[1], answer[2]


@changes(
    S3Response, "s3", "requests for buckets", reason="tells nobody which call it served", differs=""
)
def bucket_response(original: Function, self: Any, request: Any, url: Any, headers: Any) -> Any:
    return observed(original, self, request, url, headers)


@changes(
    S3Response, "s3", "requests for objects", reason="tells nobody which call it served", differs=""
)
def key_response(original: Function, self: Any, request: Any, url: Any, headers: Any) -> Any:
    return observed(original, self, request, url, headers)


def observed(original: Function, self: Any, request: Any, url: Any, headers: Any) -> Any:
    begin(self, request)
    try:
        started, at = time.perf_counter(), now()
        try:
            answer = original(self, request, url, headers)
        except Exception as error:
            answer = after_crash(error, self, request, url, headers)
        return keep(self, at, started, answer)
    finally:
        end()


def begin(self: Any, request: Any) -> None:
    current.depth += 1
    current.user_agent = request.headers.get("User-Agent") or ""
    if current.depth == 1:
        for told in ARRIVALS:
            told(self.boto3_service_name)


def end() -> None:
    current.depth -= 1
    if not current.depth:
        current.user_agent = ""


def operation_of(self: Any) -> str:
    if isinstance(self, S3Response):
        try:
            return str(get_service_router("s3").match(self.request)[0].name)
        except Exception:  # the router knows no such request, nor does S3
            return ""
    return str(self._get_action() or "")


def keep(self: Any, at: datetime, started: float, answer: Any) -> Any:
    """Remember the call, unless the lab made it within another."""
    if current.depth > 1:
        return answer
    status, headers, body = answer
    call = Call(
        at=at,
        service=self.boto3_service_name or "",
        operation=operation_of(self),
        account=self.current_account,
        region=self.region,
        served_by=self,
        status=int(status),
        headers=headers,
        body=body,
        seconds=time.perf_counter() - started,
        error=error_code(headers, body) if int(status) >= 400 else "",
    )
    CALLS.append(call)
    for listener in LISTENERS:
        listener(call)
    if size_of(call) > LARGE:  # ten thousand uploads would fill the memory
        call.served_by = call.body = None
    return answer


def error_code(headers: Mapping[str, Any], body: Any) -> str:
    """From a header of the JSON protocols, or from the XML; S3 answers HEAD with neither."""
    for name, value in headers.items():
        if name.lower() == "x-amzn-errortype":
            return str(value).rpartition("#")[2]
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    found = CODE_IN_XML.search(text[:2_000])
    return found[1] if found else ""


def size_of(call: Call) -> int:
    """Bytes of the request and of the answer."""
    return (call.served_by.normalized_request.content_length or 0) + len(call.body or "")
