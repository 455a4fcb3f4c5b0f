"""What every operation answers with: refusals, and lists in parts."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):
    """An error of the service's model."""


def refuse(code: str, message: str) -> NoReturn:
    """End the request with an error."""
    raise Refusal(code, message)


def invalid(message: str) -> NoReturn:
    refuse("InvalidParameterValue", message)


def contradictory(message: str) -> NoReturn:
    refuse("InvalidParameterCombination", message)


def page(
    items: Sequence[Any], params: Mapping[str, Any], most: int = 100
) -> tuple[list[Any], str | None]:
    """The part of a list that a Describe call asks for, and the marker of the next part.

    Raises:
        ServiceException: `InvalidParameterValue`.
    """
    size = params.get("MaxRecords")
    size = most if size is None else size
    if not 20 <= size <= most:
        invalid(f"Invalid value {size} for MaxRecords. Must be between 20 and {most}")
    marker = params.get("Marker") or "0"
    if not (marker.isascii() and marker.isdigit() and len(marker) < 10):
        invalid("The marker is not valid.")
    start = int(marker)
    end = start + size
    return list(items[start:end]), str(end) if end < len(items) else None


def tagged(tags: Sequence[Mapping[str, str]], params: Mapping[str, Any]) -> bool:
    """Whether a resource bears any of the tag keys and values that a Describe call names."""
    keys, values = params.get("TagKeys") or [], params.get("TagValues") or []
    if not keys and not values:
        return True
    return any(tag["Key"] in keys or tag.get("Value") in values for tag in tags)
