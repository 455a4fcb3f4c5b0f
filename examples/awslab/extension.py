"""How the lab adds to moto what moto lacks, by name, and takes it away again.

moto dispatches by attribute name, in process and in its server alike, so a function set on one of
its classes is enough. Every patch carries its reason and how it still differs from AWS; the
reader's table in README.md is written from them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Patch:
    """One attribute of moto that the lab replaces (`adds` is false) or brings (`adds` is true)."""

    service: str
    operation: str
    owner: Any
    attribute: str
    value: Any
    adds: bool
    reason: str
    differs: str


class NoLongerMissing(Exception):
    """moto gained an operation that the lab brings: the lab's own code is to be deleted."""


PATCHES: list[Patch] = []
MISSING = object()
RESETS: list[Callable[[], None]] = []


def on_reset(step: Callable[[], None]) -> Callable[[], None]:
    """Register what has to be forgotten or ended whenever the lab becomes empty."""
    RESETS.append(step)
    return step


def reset() -> None:
    """Forget all that is kept outside of moto's own backends."""
    for step in RESETS:
        step()


def adds(
    owner: Any, service: str, operation: str, *, differs: str
) -> Callable[[Function], Function]:
    """Bring an operation that moto does not have, as the attribute of the function's name."""

    def register(function: Function) -> Function:
        patch = Patch(
            service, operation, owner, function.__name__, function, True, "not in moto", differs
        )
        PATCHES.append(patch)
        return function

    return register


def changes(
    owner: Any, service: str, operation: str, *, reason: str, differs: str
) -> Callable[[Function], Function]:
    """Wrap an attribute that moto has; the function gets the original as its first argument."""

    def register(function: Function) -> Function:
        original = getattr(owner, function.__name__)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        patch = Patch(service, operation, owner, function.__name__, wrapper, False, reason, differs)
        PATCHES.append(patch)
        return function

    return register


def sets(
    owner: Any, attribute: str, value: Any, *, service: str, operation: str, reason: str
) -> None:
    """Replace a constant of moto."""
    PATCHES.append(Patch(service, operation, owner, attribute, value, False, reason, ""))


@contextmanager
def applied() -> Iterator[None]:
    """Put all patches onto moto for the time of the block.

    Raises:
        NoLongerMissing: moto itself has an operation that the lab adds.
    """
    undo: list[tuple[Any, str, Any]] = []
    try:
        for patch in PATCHES:
            if patch.adds and getattr(patch.owner, patch.attribute, patch.value) is not patch.value:
                raise NoLongerMissing(f"moto now has {patch.service}:{patch.operation}")
            original = vars(patch.owner).get(patch.attribute, MISSING)
            undo.append((patch.owner, patch.attribute, original))
            setattr(patch.owner, patch.attribute, patch.value)
        yield
    finally:
        for owner, attribute, original in reversed(undo):
            if original is MISSING:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, original)


def table() -> str:
    """The Markdown table of all patches that README.md and the site show, equal rows once."""
    rows = ["| Service | Operation | What moto does | How the lab still differs from AWS |"]
    rows.append("|---|---|---|---|")
    for patch in PATCHES:
        differs = patch.differs or "no difference known"
        rows.append(f"| {patch.service} | `{patch.operation}` | {patch.reason} | {differs} |")
    return "\n".join(dict.fromkeys(rows)) + "\n"
