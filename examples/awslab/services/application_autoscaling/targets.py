"""What is scaled: scalable targets, with their policies, scheduled actions and activities."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.common_models import BaseModel
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.utilities.utils import get_partition

from awslab.clock import naive_now
from awslab.extension import Function, adds, changes
from awslab.services.application_autoscaling import variants
from awslab.services.sagemaker.resource import kept
from awslab.validation import validates

validates("application-autoscaling", "ValidationException")

Key = tuple[str, str, str]  # service namespace, resource id, scalable dimension
Item = TypeVar("Item")

PAGE = 50
KEPT = 10_000  # activities of an account and Region; the oldest are forgotten
MOST_TAGS = 50
LOCK = threading.RLock()  # held while targets are changed, and while they scale

SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class ValidationException(ServiceException):
    code = "ValidationException"


class ObjectNotFound(ServiceException):
    code = "ObjectNotFoundException"


class ResourceNotFound(ServiceException):
    code = "ResourceNotFoundException"


class InvalidNextToken(ServiceException):
    code = "InvalidNextTokenException"


class TooManyTags(ServiceException):
    code = "TooManyTagsException"


@dataclass
class Activity(BaseModel):
    """Something that was done to a target, or is being done.

    before, after: the capacity; None when only its limits changed.
    """

    target: Key
    description: str
    cause: str
    status: str
    message: str
    before: int | None = None
    after: int | None = None
    policy: str = ""
    started_at: datetime = field(default_factory=naive_now)
    ended_at: datetime | None = None
    id: str = field(default_factory=lambda: str(uuid4()))

    def described(self) -> dict[str, Any]:
        return {
            **names_of(self.target),
            "ActivityId": self.id,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": self.started_at,
            "EndTime": self.ended_at,
            "StatusCode": self.status,
            "StatusMessage": self.message,
        }


class Target(BaseModel):
    """A capacity that may be changed, between two limits."""

    def __init__(self, backend: Any, key: Key, role_arn: str | None) -> None:
        self.account_id, self.region_name = backend.account_id, backend.region_name
        self.key = key
        self.namespace, self.resource_id, self.dimension = key
        self.min_capacity = self.max_capacity = 0
        self.suspended = dict.fromkeys(SUSPENDED, False)
        self.tags: dict[str, str] = {}
        self.policies: dict[str, Any] = {}
        self.scheduled: dict[str, Any] = {}
        self.activities = activities(backend)
        # Limits are enforced once when they are set, as soon as the endpoint can be changed.
        self.limits_are_new = True
        self.creation_time = naive_now()
        self.role_arn = role_arn or linked_role(self.namespace, self.account_id)
        partition = get_partition(self.region_name)
        self.arn = (
            f"arn:{partition}:application-autoscaling:{self.region_name}:{self.account_id}:"
            f"scalable-target/{uuid4().hex[:4]}{uuid4().hex}"
        )

    @property
    def last_activity(self) -> Activity | None:
        """The last one that changed the capacity, or tried to."""
        mine = (one for one in reversed(self.activities) if one.target == self.key)
        return next((one for one in mine if one.after is not None), None)

    def described(self) -> dict[str, Any]:
        return {
            **names_of(self.key),
            "MinCapacity": self.min_capacity,
            "MaxCapacity": self.max_capacity,
            "RoleARN": self.role_arn,
            "CreationTime": self.creation_time,
            "SuspendedState": dict(self.suspended),
            "ScalableTargetARN": self.arn,
        }


def names_of(key: Key) -> dict[str, str]:
    return dict(zip(("ServiceNamespace", "ResourceId", "ScalableDimension"), key, strict=True))


def linked_role(namespace: str, account: str) -> str:
    kind = "SageMakerEndpoint" if namespace == "sagemaker" else namespace.title().replace("-", "")
    return (
        f"arn:aws:iam::{account}:role/aws-service-role/{namespace}.application-autoscaling."
        f"amazonaws.com/AWSServiceRoleForApplicationAutoScaling_{kind}"
    )


def targets_of(backend: Any) -> dict[Key, Target]:
    found: dict[Key, Target] = vars(backend).setdefault("lab_targets", {})
    return found


def activities(backend: Any) -> deque[Activity]:
    """All activities of an account and Region, the oldest first; targets may be gone."""
    found: deque[Activity] = kept(backend, "activities").setdefault("items", deque(maxlen=KEPT))
    return found


def all_targets() -> list[Target]:
    return [
        target
        for account in list(applicationautoscaling_backends.values())
        for backend in list(account.values())
        for target in list(targets_of(backend).values())
    ]


def key_of(params: Mapping[str, Any]) -> Key:
    """The key that a request names.

    Raises:
        ValidationException: its parts do not belong together.
    """
    key = params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]
    namespace, resource_id, dimension = key
    scaled = dimension in variants.CALLED
    if not dimension.startswith(f"{namespace}:") or (
        scaled and not variants.form_of(dimension).fullmatch(resource_id)
    ):
        raise ValidationException(
            "Unsupported service namespace, resource type or scalable dimension"
        )
    return key


def find_target(backend: Any, params: Mapping[str, Any], said: str = "registered") -> Target:
    """The target of a request.

    Raises:
        ObjectNotFound: there is none.
    """
    key = key_of(params)
    target = targets_of(backend).get(key)
    if target is None:
        raise ObjectNotFound(
            f"No scalable target {said} for service namespace: {key[0]}, resource ID: {key[1]}, "
            f"scalable dimension: {key[2]}"
        )
    return target


def paged(items: list[Item], params: Mapping[str, Any]) -> tuple[list[Item], str | None]:
    """The items of the page that is asked for, and the token of the next.

    Raises:
        InvalidNextToken: the lab did not give this token.
        ValidationException: a page of such a size is not allowed.
    """
    token, size = params.get("NextToken") or "0", params.get("MaxResults", PAGE)
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise InvalidNextToken("Invalid next token")
    if not 1 <= size <= PAGE:
        raise ValidationException(f"Value for MaxResults should be between 1 and {PAGE}")
    end = int(token) + size
    return items[int(token) : end], str(end) if len(items) > end else None


# --- operations ----------------------------------------------------------------------------------


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "RegisterScalableTarget",
    reason=(
        "takes variants that do not exist; takes a maximum below the minimum; "
        "knows no tags; never scales"
    ),
    differs=(
        "only variants of SageMaker endpoints and inference components are looked for and scale; "
        "targets of other services are kept"
    ),
)
def register_scalable_target(original: Function, self: Any) -> ActionResult:
    backend, params = self.applicationautoscaling_backend, self.params
    key = key_of(params)
    with LOCK:
        target = targets_of(backend).get(key)
        fresh = target or Target(backend, key, params.get("RoleARN"))
        least = params.get("MinCapacity", target and target.min_capacity)
        most = params.get("MaxCapacity", target and target.max_capacity)
        check_limits(least, most)
        check_resource(fresh)
        if target and params.get("Tags"):
            raise ValidationException(
                "The scalable target that you tried to tag already exists. To update tags on an "
                "existing scalable target, use the TagResource API."
            )
        fresh.min_capacity, fresh.max_capacity = least, most
        fresh.limits_are_new = True
        fresh.suspended |= params.get("SuspendedState") or {}
        fresh.tags |= params.get("Tags") or {}
        targets_of(backend)[key] = fresh
    return ActionResult({"ScalableTargetARN": fresh.arn})


def check_limits(least: int | None, most: int | None) -> None:
    """Refuse limits that are none.

    Raises:
        ValidationException: with the message of Application Auto Scaling.
    """
    if least is None:
        raise ValidationException("Minimum capacity must be specified")
    if most is None:
        raise ValidationException("Maximum capacity must be specified")
    if least < 0:
        raise ValidationException("Minimum capacity cannot be less than 0")
    if most < least:
        raise ValidationException("Maximum capacity cannot be less than minimum capacity")


def check_resource(target: Target) -> None:
    """Refuse a variant that is not there, or that cannot be scaled.

    Raises:
        ValidationException: with the message of Application Auto Scaling.
    """
    if target.dimension not in variants.CALLED:
        return
    try:
        kind = variants.burstable(target.account_id, target.region_name, target.resource_id)
    except variants.Missing as error:
        raise ValidationException(variants.missing(target.resource_id)) from error
    if kind:
        raise ValidationException(
            f"You cannot register a variant with {kind} instance type as a scalable target. This "
            "is because the burstable performance of these instances can lead to unpredictable "
            "behavior with Auto Scaling."
        )


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "DeregisterScalableTarget",
    reason=(
        "keeps the policies of the target; keeps its scheduled actions; "
        "answers `ValidationException` for a missing one"
    ),
    differs="",
)
def deregister_scalable_target(original: Function, self: Any) -> EmptyResult:
    backend = self.applicationautoscaling_backend
    with LOCK:
        target = find_target(backend, self.params, said="found")
        for policy in list(target.policies.values()):
            policy.remove_alarms()
        del targets_of(backend)[target.key]
    return EmptyResult()


def tagged(self: Any) -> Target:
    """The target whose ARN the request names.

    Raises:
        ResourceNotFound: there is none.
    """
    arn = self.params["ResourceARN"]
    for target in list(targets_of(self.applicationautoscaling_backend).values()):
        if target.arn == arn:
            return target
    raise ResourceNotFound(f"Unable to find resource {arn}")


@adds(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "ListTagsForResource",
    differs="",
)
def list_tags_for_resource(self: Any) -> ActionResult:
    return ActionResult({"Tags": dict(tagged(self).tags)})


@adds(ApplicationAutoScalingResponse, "application-autoscaling", "TagResource", differs="")
def tag_resource(self: Any) -> EmptyResult:
    target = tagged(self)
    tags = target.tags | self.params["Tags"]
    if len(tags) > MOST_TAGS:
        raise TooManyTags(f"A resource cannot have more than {MOST_TAGS} tags.")
    target.tags = tags
    return EmptyResult()


@adds(ApplicationAutoScalingResponse, "application-autoscaling", "UntagResource", differs="")
def untag_resource(self: Any) -> EmptyResult:
    target = tagged(self)
    gone = set(self.params["TagKeys"])
    target.tags = {key: value for key, value in target.tags.items() if key not in gone}
    return EmptyResult()
