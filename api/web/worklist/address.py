"""Between the address of the work list and its filters.  Imports Flask's addresses, this package and the pages' words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from api.web import words
from api.web.pages import BadAddress
from api.web.worklist.columns import COLUMNS
from api.web.worklist.views import SEVERAL, SINGLE, WorkFilters
from service.worklist import AGES

_KNOWN = {"severity": words.SEVERITIES, "condition": words.CONDITIONS, "review": words.REVIEWS, "age": tuple(AGES)}
_MOST = 100
_LONGEST = 1024


def filters_of(args: MultiDict[str, str]) -> WorkFilters:
    """What the query of an address asks for; parameters of other lists are passed over.  Raises BadAddress."""
    several: dict[str, Any] = {name: tuple(dict.fromkeys(text for one in args.getlist(name) if (text := one.strip()))) for name in SEVERAL}
    given: dict[str, Any] = {name: args.get({"since": "from", "until": "to"}.get(name, name), "").strip() for name in SINGLE}
    columns = tuple(dict.fromkeys(name for one in args.getlist("columns") for name in one.split(",") if name))
    for name, known in (*_KNOWN.items(), ("columns", tuple(COLUMNS))):
        if not set(columns if name == "columns" else several[name]) <= set(known):
            raise BadAddress(f"{name} can be {', '.join(known)}")
    texts = [value for values in several.values() for value in values] + list(given.values())
    if any("\x00" in text or "\N{REPLACEMENT CHARACTER}" in text or len(text) > _LONGEST for text in texts):
        raise BadAddress("it holds text that cannot be read")
    for name, values in several.items():
        if len(values) > _MOST:
            raise BadAddress(f"{name} has more than {_MOST} values")
    for name in ("since", "until"):
        if given[name] and not _is_day(given[name]):
            raise BadAddress("from and to are days, like 2026-03-23")
    if given["contested"] not in {"", "yes"}:
        raise BadAddress("contested can be yes")
    return WorkFilters(**several, **given, columns=columns)


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def address(filters: WorkFilters, endpoint: str = "web.breaches") -> str:
    """The address of a list with these filters, or of another page that takes them."""
    return url_for(endpoint, **filters.query())


def in_list(filters: WorkFilters) -> str:
    """The list as the addresses of its breaches name it, for next and previous there."""
    return urlencode(replace(filters, cursor="", columns=()).query(), doseq=True) or "all"


def to_text(filters: WorkFilters) -> str:
    """The list with its place, as forms carry it."""
    return urlencode(filters.query(), doseq=True)


def from_text(text: str) -> WorkFilters:
    """Reads what ``to_text`` wrote.  Raises BadAddress."""
    try:
        pairs = parse_qsl(text, max_num_fields=1_000)
    except ValueError:
        raise BadAddress("it holds too much") from None
    return filters_of(MultiDict(pairs))
