"""Which list a reader of a breach came from: its filters and order travel in the address of the breach (``?in=``), so that next
and previous work without a script, and a link that is sent on leads through the same list.

What the list itself would not understand is as if nothing had been given.  Imports Flask, the work list's addresses and store.errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from api.web import sessions
from api.web.pages import BadAddress
from api.web.sessions import desk
from api.web.worklist import address as list_address
from api.web.worklist.views import WorkFilters
from store.errors import QueryError

LONGEST = 2_000
_WHOLE = "all"
"""The list as it is when nothing narrows it: an empty value would look like none."""


@dataclass(frozen=True, slots=True)
class Around:
    """The addresses of a list, and of the breaches before and after one in it; empty: there is none."""

    query: str
    back: str
    previous: str
    next: str


def address(breach: str, text: str) -> str:
    """The address of a breach, in the list that ``text`` names, if it names one."""
    filters = _read(text)
    return _address(breach, "" if filters is None else list_address.in_list(filters))


def around(breach: str, text: str) -> Around | None:
    """Where ``breach`` stands in the list that ``text`` names; None where it names none."""
    filters = _read(text)
    if filters is None:
        return None
    try:
        previous, following = desk().neighbours(sessions.access(), breach, filters)
    except QueryError:
        return None
    query = list_address.in_list(filters)
    return Around(query, list_address.address(filters), _address(previous, query), _address(following, query))


def _address(breach: str | None, query: str) -> str:
    if breach is None:
        return ""
    return url_for("web.breach", breach=breach) + (f"?{urlencode({'in': query})}" if query else "")


def _read(text: str) -> WorkFilters | None:
    if not text or len(text) > LONGEST:
        return None
    if text == _WHOLE:
        return WorkFilters()
    try:
        pairs = parse_qsl(text, strict_parsing=True, max_num_fields=200)
        filters = replace(list_address.filters_of(MultiDict(pairs)), cursor="")
    except (ValueError, BadAddress):
        return None
    return None if filters == WorkFilters() else filters
