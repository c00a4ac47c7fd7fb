"""The kinds of rule, one file each.  A new kind is one new file in this package: it is found, listed and documented by itself."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from rules.kinds.base import Kind


@cache
def registry() -> dict[str, type[Kind]]:
    """Every kind by its name, in order of names."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found: dict[str, type[Kind]] = {}
    waiting = list(Kind.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found[kind.name] = kind
    return dict(sorted(found.items()))
