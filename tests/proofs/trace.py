"""Watch the API calls of a program, refuse some of them, and know which permissions they need.

Everything hangs on two botocore events: `provide-client-params` shows the arguments, and
`before-call` may answer in place of the service. An answer given there becomes a genuine
ClientError, without retries and without network.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from awslab.actions import action_of
from botocore import handlers

from proofs.resources import UnknownAction, objects_in, resources_of

Answer = tuple[SimpleNamespace, dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """One API call: what it was and what a policy must allow for it."""

    service: str
    operation: str
    needs: tuple[tuple[str, str], ...]  # (action, resource ARN)
    region: str

    @property
    def actions(self) -> list[str]:
        return list(dict.fromkeys(action for action, _ in self.needs))


def refuse_none(trace: "Trace", call: Call) -> Answer | None:
    return None


@dataclass
class Trace:
    """The calls of a run, in order. `refuse` answers a call in place of AWS, or returns None."""

    refuse: Callable[["Trace", Call], Answer | None] = refuse_none
    calls: list[Call] = field(default_factory=list)
    refused: list[Call] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)

    def remember(self, params: dict[str, Any], **_: Any) -> None:
        self.arguments = params

    def before_call(self, model: Any, context: dict[str, Any], **_: Any) -> Answer | None:
        service = model.service_model.signing_name
        region = context["client_region"]
        action = action_of(service, model.name, of_a_version=self.names_a_version())
        try:
            needs = tuple(resources_of(action, model.name, self.arguments, region))
        except UnknownAction:
            self.unknown.append(action)  # for the case that the program hides it
            raise
        self.calls.append(Call(service, model.name, needs, region))
        answer = self.refuse(self, self.calls[-1])
        if answer:
            self.refused.append(self.calls[-1])
        return answer

    def names_a_version(self) -> bool:
        return any("VersionId" in each for each in (self.arguments, *objects_in(self.arguments)))


@contextmanager
def watching(trace: Trace) -> Iterator[Trace]:
    """Every botocore session that starts in the block reports its calls to `trace`."""
    hooks = [("provide-client-params", trace.remember), ("before-call", trace.before_call)]
    original = handlers.BUILTIN_HANDLERS
    handlers.BUILTIN_HANDLERS = [*original, *hooks]
    try:
        yield trace
    finally:
        handlers.BUILTIN_HANDLERS = original


def refusal(code: str, message: str, status: int) -> Answer:
    """The answer of a service that refuses a call."""
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
    parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
    return SimpleNamespace(status_code=status, headers={}), parsed
