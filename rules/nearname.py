"""Which known name an unknown one was probably meant to be.  Imports nothing of the project."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100
"""Characters of a name that is looked at; a longer one is no slip of the pen."""


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like ``name``, capital letters aside; None where none is near."""
    if len(name) > _LONGEST:
        return None
    by_lower: dict[str, str] = {}
    for one in known:
        by_lower.setdefault(one.lower(), one)
    near = get_close_matches(name.lower(), by_lower, 1)
    return by_lower[near[0]] if near else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'OTHER'?``, or nothing where no known name is near."""
    near = nearest_name(name, known)
    return f"; did you mean {near!r}?" if near is not None and near != name else ""
