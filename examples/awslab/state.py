"""Everything the lab holds, as flat lines, so that two moments can be compared."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.common_models import BaseModel
from moto.iam.models import AWSManagedPolicy
from moto.kms.models import Key
from moto.logs.models import LogGroup

from awslab.masking import VOLATILE
from awslab.services.cloudwatch.alarm import Alarm
from awslab.services.sagemaker.job import ENDED
from awslab.services.sagemaker.transform import TransformJob

IAM_ID = re.compile(r"A(?:ROA|IDA|GPA|NPA)[0-9A-Z]+")
MISSING = object()

State = dict[str, str]
Place = tuple[str, str, str]  # service, account, Region

# What moto makes for itself and AWS owns: nobody creates, pays for or deletes it.
FURNITURE = {
    "RESOURCE_TYPE_MAP",  # the same resources once more
    "_pagination_tokens",
    "amis",
    "instance_types",
    "lab_events",  # what has happened in Amazon Redshift: AWS forgets it after 14 days
    "lab_queries",  # the history of Amazon Athena, which nobody can delete
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
    if any(value is ancestor for ancestor in above) or is_gone(value) or is_attached(value):
        return
    inside = (*above, value)
    if isinstance(value, dict):
        for key, inner in list(value.items()):
            if len(above) > 1 or not isinstance(inner, AWSManagedPolicy):  # brought when needed
                yield from leaves(inner, f"{path}/{step(key, inner)}", inside)
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
            if not (name.lower().endswith(RESTLESS) or name in getattr(value, "restless", ())):
                yield from leaves(inner, f"{path}/{name}", inside)
    elif isinstance(value, str | int | float | bytes | bool) and len(above) > 1:
        yield path, repr(value)


def step(key: Any, value: Any) -> str:
    """One part of a path: a name with `/` in it stays one part, and IAM's roles, users and groups
    bear the names by which the API knows them, not the ids that moto keeps them by."""
    if isinstance(key, tuple) and hasattr(value, "resource_id"):  # a scalable target
        return f"{step(value.resource_id, None)}/{key[-1]}"
    known = getattr(value, "name", "") if key == getattr(value, "id", MISSING) else ""
    return str(known if IAM_ID.fullmatch(str(key)) and known else key).replace("/", "%2F")


def is_gone(value: Any) -> bool:
    """Whether it is a KMS key whose deletion is scheduled: no key can be deleted sooner than after
    seven days, in which it cannot be used and costs nothing. Or the log group of all jobs of a kind
    in SageMaker, which makes it itself, once the logs of these jobs are deleted. Or a transform job
    that has ended: SageMaker has no call that deletes one."""
    if isinstance(value, TransformJob):
        return value.status in ENDED
    if isinstance(value, LogGroup):
        return value.name.startswith("/aws/sagemaker/") and not value.streams
    return isinstance(value, Key) and value.key_state == "PendingDeletion"


def is_attached(value: Any) -> bool:
    """Whether AWS made it for another resource and deletes it with that one, which nobody else can:
    a secret that a service manages, an automated snapshot of a cluster, an alarm of a policy that
    tracks a target."""
    if not isinstance(value, BaseModel):
        return False
    managed = getattr(value, "owning_service", None) is not None
    tracking = isinstance(value, Alarm) and value.name.startswith("TargetTracking-")
    return managed or tracking or getattr(value, "snapshot_type", None) == "automated"


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
