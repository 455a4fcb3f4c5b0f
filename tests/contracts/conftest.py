"""`bare_moto` for every contract test."""

from contracts.gaps import bare_moto

__all__ = ["bare_moto"]
