"""moto's own `/moto-api/reset` empties what the lab keeps, too."""

from typing import Any

from moto.moto_api._internal.models import MotoAPIBackend

from awslab.extension import Function, changes
from awslab.extension import reset as reset_lab


@changes(
    MotoAPIBackend,
    "moto-api",
    "reset",
    reason="forgets its own backends only",
    differs="no part of AWS",
)
def reset(original: Function, self: Any) -> None:
    reset_lab()
    original(self)
