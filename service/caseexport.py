"""Everything that is held about one case, to hand it over or to keep it: as one JSON value, or as files in an archive.

It is not limited to what a page shows, so it takes a scope of its own and nobody who is limited to teams or offices may have it.
Imports store/ and service/.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.model import rfc3339
from service.access import Access
from service.bootstrap import Service
from service.errors import Forbidden, NotFound
from service.retention.earlier import as_json, earlier
from store.casedata import LEFT_OUT, PARTS, held_about
from store.ids import case_ref

SCOPE = "cases:export"
FORMAT = "duecare-case"
VERSION = 1
_LIMITED = "everything that is held about a case may name other teams and offices: it is taken out by people without limits"
_INSTANTS = frozenset(
    {
        "announce_after", "announced_at", "as_of", "at", "available_at", "changed_at", "claimed_until", "complete_until", "created",
        "decided_at", "dismissed_at", "ended_at", "ends_at", "evaluated_at", "holds_from", "known_at", "lifted_at", "next_at",
        "next_check_at", "opened_at", "received", "recorded", "released", "replayed_at", "sent_at", "set_at", "since", "time",
        "voided_at",
    }
)  # fmt: skip
"""Columns that hold ms since 1970; in an export they are RFC 3339 instants."""
_LATEST = 253_402_300_800_000
"""The year 10000: what is later means "for ever" and stays a number."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file: its name, media type and bytes."""

    name: str
    media: str
    body: bytes


def may_export(access: Access) -> bool:
    """Whether this caller may take out what is held about cases."""
    return access.allows(SCOPE) and access.teams is None and access.offices is None


def export(svc: Service, access: Access, case: str) -> dict[str, Any]:
    """Everything held about a case as a JSON value.  Raises Forbidden, and NotFound where nothing is held about it."""
    access.require(SCOPE)
    if not may_export(access):
        raise Forbidden(_LIMITED)
    with svc.reading() as session:
        held = held_about(session, case)
        removed = earlier(svc, session, access, case)
    if held.empty():
        raise NotFound("nothing is held about this case")
    return {
        "format": FORMAT,
        "version": VERSION,
        "case": case,
        "made": rfc3339(svc.now()),
        "earlier": as_json(removed),
        "counts": {name: len(rows) for name, rows in held.parts.items()},
        "meaning": {name: PARTS[name] for name in held.parts},
        "left_out": dict(LEFT_OUT),
        "parts": {name: [_readable(row) for row in rows] for name, rows in held.parts.items()},
    }


def document(svc: Service, access: Access, case: str) -> Export:
    """``export`` as one file.  Raises what it raises."""
    return Export(f"{_name(case)}.json", "application/json", _written(export(svc, access, case)))


def archive(svc: Service, access: Access, case: str) -> Export:
    """``export`` as an archive: a file for each part that holds something, what each is, and their digests.  Raises what it raises."""
    held = export(svc, access, case)
    files = {f"{name}.json": _written(rows) for name, rows in held["parts"].items() if rows}
    files["README.txt"] = _told(held).encode()
    digests = "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(files.items()))
    files["SHA256SUMS"] = digests.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(f"{_name(case)}/{name}", (1980, 1, 1, 0, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return Export(f"{_name(case)}.zip", "application/zip", out.getvalue())


def _name(case: str) -> str:
    """A file name that does not tell which case it is: names of files end in logs and lists of downloads."""
    return f"case-{case_ref(case)}"


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _instant(value) if name in _INSTANTS else value for name, value in row.items()}


def _instant(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, int) and 0 <= value < _LATEST else value


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _earlier(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return []
    where = "" if found["certificate"] is None else f" (certificate {found['certificate']})"
    return [
        f"Earlier episodes, with events up to {found['through']}, were removed at {found['removed_at']} by the rules of retention{where}.",
        "",
    ]


def _told(held: Mapping[str, Any]) -> str:
    lines = [
        f"Everything that duecare holds about case {held['case']}, as of {held['made']}.",
        "",
        "Each file is a list of rows in JSON. Instants are in UTC; days are those of the case's own place. People stand in it by the ids",
        "of their accounts. Keep it as safe as the case itself.",
        "",
        *_earlier(held["earlier"]),
        *(f"{name}.json: {held['meaning'][name]} ({count:,})" for name, count in held["counts"].items() if count),
        "",
        "Nothing is held in:",
        *(f"- {held['meaning'][name]}" for name, count in held["counts"].items() if not count),
        "",
        "Not part of it, because it says nothing about the case by itself:",
        *(f"- {name}: {what}" for name, what in held["left_out"].items()),
        "",
    ]
    return "\n".join(lines)
