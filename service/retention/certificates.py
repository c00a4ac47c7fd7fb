"""What was removed: certificates as people and programs read them.  Imports store/ and service/."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rules.model import rfc3339
from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound
from service.retention.access import administers
from store import removals
from store.errors import CursorError
from store.removals import Removal

FORMAT = "duecare-removal"
VERSION = 1
MOST = 100


def listed(svc: Service, access: Access, *, before: str | None = None, limit: int = 50) -> Sequence[Removal]:
    """Removals, the newest first.  Raises Forbidden."""
    administers(access)
    if before is not None and not (before.isascii() and before.isdigit()):
        raise CursorError("the cursor is not one that this list has given")
    with svc.reading() as session:
        return removals.listed(session, before=before, limit=min(limit, MOST))


def one(svc: Service, access: Access, removal: str) -> Removal:
    """One removal.  Raises Forbidden and NotFound."""
    administers(access)
    with svc.reading() as session:
        found = removals.get(session, removal) if "\x00" not in removal else None
    if found is None:
        raise NotFound("no such removal")
    return found


def changes_of_report(svc: Service, audit: str) -> list[dict[str, str | None]]:
    """How the digest of an audit's report changed when cases were removed: for each certificate the digest before and after."""
    with svc.reading() as session:
        found = removals.changes_of(session, "audit_digest", audit)
    return [{"certificate": removal, "before": old, "after": new} for removal, old, new in found]


def summary(found: Removal) -> dict[str, Any]:
    """A removal as a JSON value, without its lines."""
    return {
        "id": found.id,
        "state": found.state,
        "begun": rfc3339(found.created),
        "finished": None if found.finished is None else rfc3339(found.finished),
        "by": found.created_by,
        "name": found.created_name,
        "rules": found.rules,
        "rules_digest": found.rules_digest,
        "position": found.position,
        "seal": found.seal,
        "cases": found.cases,
        "journeys": found.journeys,
        "rows": {table: dict(counts) for table, counts in found.counts.items()},
        "kept": dict(found.kept),
        "lines": found.lines,
        "chain": found.chain,
        "digest": found.digest,
        "mac": found.mac,
    }


def document(svc: Service, access: Access, removal: str) -> dict[str, Any]:
    """The whole certificate with every sealed line that it names, to be kept elsewhere.  Raises Forbidden and NotFound."""
    found = one(svc, access, removal)
    with svc.reading() as session:
        lines = [{"kind": x.kind, "line": x.line, "before": x.old, "after": x.new} for x in removals.lines_of(session, removal)]
    return {"format": FORMAT, "version": VERSION, **summary(found), "changed_lines": lines}
