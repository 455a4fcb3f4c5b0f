"""Everything the lab holds, as flat lines, so that two moments can be compared."""

from collections.abc import Iterable, Iterator
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.common_models import BaseModel
from moto.iam.models import AWSManagedPolicy

from awslab.masking import VOLATILE

State = dict[str, str]
Place = tuple[str, str, str]  # service, account, Region

# What moto makes for itself and AWS owns: nobody creates, pays for or deletes it.
FURNITURE = {
    "_pagination_tokens",
    "amis",
    "instance_types",
    "managed_prefix_lists",
    "offerings",
    "regions",
    "tagger",
    "zones",
}
# Moments and counters that change with every read.
RESTLESS = (
    "_at",
    "_tick",
    "_time",
    "date",
    "etag",
    "last_modified",
    "request",
    "timestamp",
    "token",
)


def snapshot() -> State:
    """Each leaf of each resource in every account, Region and service: path to value."""
    return {
        path: value
        for service in list(BackendDict._instances)
        for account in list(service.values())
        for region, backend in list(account.items())
        for path, value in leaves(backend, f"{service.service_name}/{account.account_id}/{region}")
    }


def open_places(places: Iterable[Place] = ()) -> list[Place]:
    """Look at places, as a first call would, and return all that were looked at so far."""
    for service, account, region in places:
        get_backend(service)[account][region]
    return [
        (backends.service_name, account, region)
        for backends in list(BackendDict._instances)
        for account, regions in list(backends.items())
        for region in list(regions)
    ]


def leaves(value: Any, path: str, above: tuple[Any, ...] = ()) -> Iterator[tuple[str, str]]:
    """The leaves below `value`; another resource is named by its id, not entered."""
    if any(value is ancestor for ancestor in above):
        return
    inside = (*above, value)
    if isinstance(value, dict):
        for key, inner in list(value.items()):
            if len(above) > 1 or not isinstance(inner, AWSManagedPolicy):  # brought when needed
                yield from leaves(inner, f"{path}/{key}", inside)
    elif isinstance(value, list | tuple | set | frozenset):
        for position, inner in enumerate(list(value)):
            yield from leaves(inner, f"{path}/{position}", inside)
    elif isinstance(value, BaseBackend):
        if not above:
            for name, inner in list(vars(value).items()):
                if name not in FURNITURE:
                    yield from leaves(inner, f"{path}/{name}", inside)
    elif isinstance(value, BaseModel):
        own = str(getattr(value, "id", ""))
        # above[0] is the backend, which may be a BaseModel itself
        if VOLATILE.fullmatch(own) and any(
            isinstance(ancestor, BaseModel) for ancestor in above[1:]
        ):
            yield path, own
            return
        yield path, type(value).__name__
        for name, inner in list(vars(value).items()):
            if not name.lower().endswith(RESTLESS):
                yield from leaves(inner, f"{path}/{name}", inside)
    elif isinstance(value, str | int | float | bytes | bool) and len(above) > 1:
        yield path, repr(value)


def difference(before: State, after: State) -> list[str]:
    """What was added, removed or changed, one line each."""
    lines = [f"+ {path} = {after[path]}" for path in after.keys() - before.keys()]
    lines += [f"- {path}" for path in before.keys() - after.keys()]
    lines += [
        f"~ {path}: {before[path]} -> {after[path]}"
        for path in before.keys() & after.keys()
        if before[path] != after[path]
    ]
    return sorted(lines)
