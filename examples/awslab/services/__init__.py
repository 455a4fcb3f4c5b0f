"""What the lab adds to moto, one module per service; importing a module registers its patches."""

import pkgutil
from functools import cache
from importlib import import_module


@cache
def load() -> None:
    """Import every module below, in the order of their names."""
    for module in sorted(pkgutil.walk_packages(__path__, f"{__name__}."), key=lambda m: m.name):
        import_module(module.name)
