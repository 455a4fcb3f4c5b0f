"""Every call fails once, in every way: does the program end well and leave nothing behind?"""

import re
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from awslab.masking import VOLATILE
from awslab.state import State, difference

from proofs.permissions import denied
from proofs.trace import Answer, Call, Trace, refusal

# What AWS has delivered: log files, and what an endpoint captures, variant/yyyy/mm/dd/hh/….jsonl
DELIVERED = re.compile(
    r"/keys/AWSLogs%2F|/keys/\S+%2F\d{4}(?:%2F\d\d){3}%2F\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl"
)
# A container's first lines, whenever they come, make the log group of its endpoint.
ENDPOINT_LOGS = "/aws/sagemaker/Endpoints/"
THROTTLED = {
    "ec2": refusal("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": refusal("SlowDown", "Please reduce your request rate.", 503),
}
BROKEN = {"s3": refusal("InternalError", "We encountered an internal error.", 500)}


def throttled(call: Call) -> Answer:
    return THROTTLED.get(call.service, refusal("ThrottlingException", "Rate exceeded.", 400))


def not_allowed(call: Call) -> Answer:
    return denied(call, *call.needs[0])


def broken(call: Call) -> Answer:
    return BROKEN.get(call.service, refusal("InternalFailure", "An internal error.", 500))


def expired(call: Call) -> Answer:
    return refusal("ExpiredToken", "The security token included in the request is expired.", 400)


@dataclass(frozen=True)
class Fault:
    """Call number `at` (from 1) fails; with `lasting`, every later call fails as well."""

    at: int
    kind: Callable[[Call], Answer]
    lasting: bool

    def __str__(self) -> str:
        return f"call {self.at}{' and later' if self.lasting else ''}: {self.kind.__name__}"

    def refuse(self, trace: Trace, call: Call) -> Answer | None:
        count = len(trace.calls)
        return self.kind(call) if count == self.at or (self.lasting and count > self.at) else None


def all_faults(calls: int) -> list[Fault]:
    """Each call throttled, denied and broken; and from each call on, everything fails."""
    once = [
        Fault(k + 1, kind, False) for k in range(calls) for kind in (throttled, not_allowed, broken)
    ]
    return once + [Fault(k + 1, expired, True) for k in range(calls)]


def some_faults(calls: int, name: str) -> list[Fault]:
    """Four faults at most, at calls that lie evenly, one of each kind; the name says which.

    For the tests, which run everything often; `make record` proves all faults.
    """
    found, turn = all_faults(calls), zlib.crc32(name.encode())
    tried = min(calls, 4)
    places = sorted({1 + (turn + n * calls // tried) % calls for n in range(tried)})
    return [[f for f in found if f.at == k][(turn + n) % 4] for n, k in enumerate(places)]


def owner(path: str) -> str:
    """Which resource a line of a state is about: its id, or the name that its service keeps."""
    # No moment and no file is a resource: the objects of a bucket bear them in their names.
    own = next((m for m in VOLATILE.finditer(path) if m["prefix"] or m["uuid"]), None)
    return own[0] if own else "/".join(path.split("/")[4:5]).replace("%2F", "/") or path


def owners(state: State) -> set[str]:
    return {owner(path) for path in state}


def unnamed_leftovers(before: State, after: State, message: str) -> list[str]:
    """Resources that a failed program made or changed and that its message does not name."""
    lines_of: dict[str, list[str]] = defaultdict(list)
    for line in difference(before, after):
        if line.startswith("-") or DELIVERED.search(line):
            continue  # a deletion that had begun; a file that AWS has delivered meanwhile
        path = line[2:].partition(" = ")[0].partition(": ")[0]
        lines_of[owner(path)].append(line)
    there = owners(before)
    return [
        name
        for name, lines in sorted(lines_of.items())
        if name not in message
        and name.removeprefix(ENDPOINT_LOGS) not in there - {name}
        and not made_by_named_vpc("\n".join(lines), message)
        and not made_by_named_tuning_job(name, message)
        and not made_by_named_experiment(name, "\n".join(lines_of[name]), message)
    ]


def made_by_named_vpc(lines: str, message: str) -> bool:
    """The default network ACL and the main route table come and go with their VPC."""
    default = "/default = True" in lines or "/main_association_id = " in lines
    return default and any(
        m[0] in message for m in VOLATILE.finditer(lines) if m["prefix"] == "vpc"
    )


def made_by_named_experiment(name: str, lines: str, message: str) -> bool:
    """An endpoint configuration of an inference experiment bears its name."""
    base = re.fullmatch(r"(.+)-(?:shadow|promoted)", name)
    return base is not None and "/endpoint_configs/" in lines and base[1] in message


def made_by_named_tuning_job(name: str, message: str) -> bool:
    """A training job of a tuning job bears its name, and ends and is found with it; one of the
    SageMaker Python SDK bears its base name and the time, which the program does not choose."""
    base = re.fullmatch(r"(.+)-(?:\d{3}-[0-9a-f]{8}|20\d{12})", name)
    return base is not None and base[1] in message
