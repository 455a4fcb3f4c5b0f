"""The form of SageMaker's answers: what a structure does not hold is left out, not empty."""

from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.sagemaker.responses import SageMakerResponse

from awslab.extension import Function, changes


@changes(
    SageMakerResponse,
    "sagemaker",
    "answers",
    reason="answers `{}` where AWS leaves a structure out, which the Python SDK refuses to read",
    differs="",
)
def serialized(original: Function, self: Any, action_result: ActionResult) -> Any:
    result, shape = action_result.result, output_of(self._get_action())
    if isinstance(result, dict) and shape is not None:
        action_result = ActionResult(without_empty(result, shape))
    return original(self, action_result)


def output_of(operation: str) -> Any:
    """The shape of an operation's answer; None if it has none, or there is no such operation."""
    try:
        return get_service_model("sagemaker").operation_model(operation).output_shape
    except OperationNotFoundError:
        return None


def without_empty(value: Any, shape: Any) -> Any:
    """The value without members that are None, or empty structures that the model can spare."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        kept = {}
        for name, inner in value.items():
            member = shape.members.get(name)
            whole = without_empty(inner, member) if member else inner
            spared = whole is None or (whole == {} and member and member.type_name == "structure")
            if not spared or name in shape.required_members:
                kept[name] = whole
        return kept
    if kind == "list" and isinstance(value, list):
        return [without_empty(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: without_empty(item, shape.value) for key, item in value.items()}
    return value


def told(operation: str, request: dict[str, Any], **computed: Any) -> dict[str, Any]:
    """The members of an answer: those of the request that it has, too, and the computed ones."""
    members = output_of(operation).members
    return {name: value for name, value in request.items() if name in members} | computed
