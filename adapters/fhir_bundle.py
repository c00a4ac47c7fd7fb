"""FHIR Bundles and resources as they come: what is in them, where a search goes on, when a resource was changed.

Imports adapters.base, adapters.convert, adapters.listing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from adapters.base import AdapterError
from adapters.convert import ISO, Formats, as_moment, blank
from adapters.listing import Listing
from adapters.mapping_schema import look_up

_LEFT_OUT = frozenset({"text", "contained", "display", "div"})
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")


def bundle_of(kind: str, body: Any) -> dict[str, Any]:
    """An answer that is a Bundle.  Raises AdapterError."""
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        raise AdapterError(f"{kind}: the answer is no FHIR Bundle")
    return body


def resources_of(bundle: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """Those that were asked for; what a server includes beside them, such as an OperationOutcome, is passed over."""
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        raw = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(raw, dict) and raw.get("resourceType") == kind and look_up(entry, "search.mode") in (None, "match"):
            yield raw


def next_link(bundle: Mapping[str, Any]) -> str | None:
    """The next page, as the service gives it."""
    links = bundle.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None


def onwards(listing: Listing, records: Sequence[Mapping[str, Any]], link: str | None) -> str | None:
    """The next page: of what was changed since the last one here, so that nothing that changes meanwhile shifts it.

    Only among resources of one second is the service's own link followed.  Some give none, even where there is more.
    """
    if link is None and len(records) < listing.paging.size:
        return None
    seconds = [when // 1000 for when in (changed_at(listing.kind, one) for one in records) if when is not None]
    if len(seconds) == len(records) and seconds == sorted(seconds) and seconds and seconds[-1] > seconds[0]:
        since = dt.datetime.fromtimestamp(seconds[-1], dt.UTC).strftime("ge%Y-%m-%dT%H:%M:%SZ")
        return f"{listing.path}?{urlencode({**listing.params, '_count': listing.paging.size, '_lastUpdated': since})}"
    if link is None:
        raise AdapterError(f"{listing.kind}: a full page without a link to the next: set `paging: offset`, or a larger `count`")
    return link


def plain(value: Any) -> Any:
    """Without narrative and display names, and with the target of each reference."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: plain(inner) for name, inner in value.items() if name not in _LEFT_OUT}
    reference = value.get("reference")
    found = _REFERENCE.search(reference) if isinstance(reference, str) else None
    return made if found is None else {**made, "target": {"type": found[1], "id": found[2]}}


def version_of(raw: Mapping[str, Any]) -> str:
    """The version's own id; empty where there is none."""
    return str(look_up(raw, "meta.versionId") or "")


def changed_at(kind: str, raw: Mapping[str, Any]) -> int | None:
    """When it was changed last (UTC ms); None where that is not said.  Raises AdapterError."""
    given = look_up(raw, "meta.lastUpdated")
    if blank(given):
        return None
    try:
        return int(as_moment(given, Formats((ISO,))).instant.timestamp() * 1000)
    except ValueError:
        raise AdapterError(f"{kind}: meta.lastUpdated holds no time") from None
