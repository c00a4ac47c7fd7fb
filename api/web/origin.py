"""Which list a reader of a breach came from: its filters and order travel in the address of the breach (``?in=``), so that next
and previous work without a script, and a link that is sent on leads through the same list.

Only what the list itself understands is kept; anything else is as if nothing had been given.  Imports Flask and this package.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import request, url_for
from werkzeug.datastructures import MultiDict

from api.web import pages, sessions
from api.web.sessions import desk
from api.web.views import Filters
from store.errors import QueryError

LONGEST = 1_500
_WHOLE = "all"
"""The list as it is when nothing narrows it: an empty value would look like none."""
_NOT_PART_OF_IT = frozenset({"cursor", "columns", "view"})
NAMES = frozenset(field.name for field in dataclasses.fields(Filters)) - _NOT_PART_OF_IT


@dataclass(frozen=True, slots=True)
class Around:
    """The addresses of a list, and of the breaches before and after one in it; empty: there is none."""

    query: str
    back: str
    previous: str
    next: str


def here() -> str:
    """The list that this request shows, for the links of its rows."""
    return _written(list(request.args.items(multi=True)))


def address(breach: str, text: str) -> str:
    """The address of a breach, in the list that ``text`` names, if it names one."""
    pairs = _read(text)
    return _address(breach, "" if pairs is None else _written(pairs))


def around(breach: str, text: str) -> Around | None:
    """Where ``breach`` stands in the list that ``text`` names; None where it names none."""
    pairs = _read(text)
    if pairs is None:
        return None
    try:
        previous, following = desk().neighbours(sessions.access(), breach, filters_of(MultiDict(pairs)))
    except (pages.BadAddress, QueryError):
        return None
    query = _written(pairs)
    listed = urlencode(pairs)
    return Around(query, url_for("web.breaches") + (f"?{listed}" if listed else ""), _address(previous, query), _address(following, query))


def _address(breach: str | None, query: str) -> str:
    if breach is None:
        return ""
    return url_for("web.breach", breach=breach) + (f"?{urlencode({'in': query})}" if query else "")


def _read(text: str) -> list[tuple[str, str]] | None:
    if not text or len(text) > LONGEST:
        return None
    if text == _WHOLE:
        return []
    try:
        pairs = parse_qsl(text, strict_parsing=True, max_num_fields=100)
    except ValueError:
        return None
    kept = [(name, value) for name, value in pairs if name in NAMES and value.isprintable()]
    return kept if kept and len(kept) == len([name for name, _ in pairs if name not in _NOT_PART_OF_IT]) else None


def _written(pairs: list[tuple[str, str]]) -> str:
    return urlencode([(name, value) for name, value in pairs if value and name in NAMES]) or _WHOLE
