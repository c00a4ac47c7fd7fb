"""From what the use cases and queries give to what version 1 sends.  Pure; imports rules.model and the store's plain values."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rules.model import DataQuery, Verdict, rfc3339
from service import review
from service.onrecord import Shown
from service.sources.health import Feed
from service.whereabouts import Whereabouts
from store.breaches import Breach, StoredLine
from store.models import RejectRow
from store.queries.casework import CaseSummary, StoredEvent
from store.queries.findings import StoredVerdict, Waiver
from store.queries.upkeep import Waiting


def instant(ms: int | None) -> str | None:
    """An instant as RFC 3339 in UTC, where there is one."""
    return None if ms is None else rfc3339(ms)


def when(value: int | dt.date) -> str:
    """A day or an instant, as it was asked for."""
    return rfc3339(value) if isinstance(value, int) else value.isoformat()


def verdict(found: Verdict) -> dict[str, Any]:
    """A verdict, as everywhere."""
    return found.as_dict()


def stored_verdict(found: StoredVerdict) -> dict[str, Any]:
    """A current verdict from a list."""
    return found.verdict.as_dict() | {"id": found.id, "changed_at": rfc3339(found.changed_at)}


def due(found: StoredVerdict, today: int) -> dict[str, Any]:
    """What falls due, with the days that are left from the local day ``today`` (ordinal)."""
    due_on = found.verdict.due_on
    left = dt.date.fromisoformat(due_on).toordinal() - today if due_on is not None else None
    return stored_verdict(found) | {"days_left": left}


def case_row(found: CaseSummary) -> dict[str, Any]:
    """A case that has been judged, as lists have it."""
    return {
        "case": found.case,
        "program": found.program,
        "team": found.team,
        "office": found.office,
        "worker": found.worker,
        "open_breaches": found.open_breaches,
        "judged": True,
        "evaluated_at": rfc3339(found.evaluated_at),
        "next_check_at": instant(found.next_check_at),
        "waiting": found.waiting,
        "waiting_since": instant(found.waiting_since),
        "quarantined": found.quarantined,
        "error": found.error,
        "withdrawn": found.withdrawn,
    }


def unjudged_row(case: str, where: Whereabouts, waiting: Waiting | None) -> dict[str, Any]:
    """A case that was never judged, as lists have it; ``where``: whose it is by its events."""
    return {
        "case": case,
        "program": where.program,
        "team": where.team,
        "office": where.office,
        "worker": where.worker,
        "open_breaches": 0,
        "judged": False,
        "evaluated_at": None,
        "next_check_at": None,
        "waiting": waiting is not None,
        "waiting_since": None if waiting is None else rfc3339(waiting.since),
        "quarantined": waiting is not None and waiting.quarantined,
        "error": None if waiting is None else waiting.last_error,
        "withdrawn": where.withdrawn,
    }


def case(shown: Shown, linked: list[str]) -> dict[str, Any]:
    """A case with what stands found about it; one that was never judged has nothing found."""
    found = shown.detail
    row = case_row(found.summary) if found.summary is not None else unjudged_row(found.case, shown.where, found.waiting)
    return row | {
        "open_breaches": sum(breach.condition == "open" for breach in found.breaches),
        "events": found.events,
        "verdicts": [stored_verdict(item) for item in found.verdicts],
        "breaches": [breach(item) for item in found.breaches],
        "queries": [query(item) for item in (found.summary.queries if found.summary is not None else ())],
        "linked": linked,
    }


def query(found: Any) -> dict[str, Any]:
    """Something in the record that a person should look at, as judged or as stored."""
    if isinstance(found, DataQuery):
        return {"code": found.code, "message": found.message, "events": list(found.events)}
    return {"code": found["code"], "message": found["message"], "events": list(found.get("events", ()))}


def stored_event(found: StoredEvent) -> dict[str, Any]:
    """An event as it was taken in."""
    event = found.event
    return {
        "position": found.position,
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "subject": event.case,
        "time": rfc3339(event.time),
        "recordedtime": rfc3339(event.recorded) if event.recorded_given else None,
        "received": rfc3339(found.received),
        "spoken_of": list(found.spoken_of),
        "data": dict(event.data),
    }


def breach(found: Breach) -> dict[str, Any]:
    """A breach, as lists have it."""
    case, episode, policy, rule, obligation = found.key
    return {
        "id": found.id,
        "version": found.version,
        "case": case,
        "episode": episode,
        "policy": policy,
        "rule": rule,
        "obligation": obligation,
        "condition": str(found.condition),
        "review": str(found.review),
        "severity": found.severity,
        "team": found.team,
        "office": found.office,
        "worker": found.worker,
        "assignee": found.assignee,
        "due_on": found.due_on,
        "days_late": found.days_late,
        "contested": found.contested,
        "opened_at": rfc3339(found.opened_at),
        "changed_at": rfc3339(found.changed_at),
        "announced_at": instant(found.announced_at),
    }


def history_line(found: StoredLine) -> dict[str, Any]:
    """A line of a breach's history."""
    line = found.line
    return {
        "at": rfc3339(line.at),
        "kind": line.kind,
        "actor": line.actor,
        "before": line.before,
        "after": line.after,
        "policy_digest": line.policy_digest,
        "known_at": instant(line.known_at),
        "event_position": line.event_position,
        "events": list(line.events),
        "reason_code": line.reason_code,
        "comment": line.comment,
    }


def waiver(found: Waiver | review.Waiver) -> dict[str, Any]:
    """A waiver."""
    return {
        "id": found.id,
        "breach": found.breach_id,
        "version": found.version,
        "state": found.state,
        "author": found.author,
        "approver": found.approver,
        "reason_code": found.reason_code,
        "comment": found.comment,
        "created": rfc3339(found.created),
        "decided_at": instant(found.decided_at),
        "ends_at": rfc3339(found.ends_at),
    }


def source(found: Feed) -> dict[str, Any]:
    """A source of events."""
    stored = found.stored
    return {
        "source": stored.source,
        "name": found.name,
        "title": found.title,
        "adapter": stored.adapter,
        "state": found.state.value,
        "every_seconds": found.every,
        "last_event": instant(stored.last_event),
        "complete_until": instant(stored.complete_until),
        "last_heartbeat": instant(stored.last_heartbeat),
        "last_pull": instant(stored.last_pull),
        "last_good_pull": instant(stored.last_good_pull),
        "next_pull": instant(stored.next_pull_at),
        "last_error": stored.last_error,
        "failures": stored.failures,
        "records": stored.records,
        "conflicts": stored.conflicts,
        "rejects": stored.rejects,
    }


def reject(row: RejectRow) -> dict[str, Any]:
    """A record that could not be taken in."""
    return {
        "id": row.id,
        "kind": row.kind,
        "ref": row.ref,
        "since": instant(row.received),
        "problems": row.problems,
        "taken_in": instant(row.replayed_at),
        "dismissed": instant(row.dismissed_at),
    }
