"""From audits, their comparisons and schedules to what version 1 sends.  Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.v1.shapes import instant
from rules.model import rfc3339
from service.audits.compare import Comparison
from service.audits.runs import Progress
from store.audits import Audit, AuditScope, Signature
from store.auditschedules import Schedule


def audit(found: Audit, progress: Progress) -> dict[str, Any]:
    """An audit, as it stands."""
    return {
        "id": found.id,
        "state": found.state,
        "kind": found.kind,
        "as_of": rfc3339(found.as_of),
        "known_at": rfc3339(found.known_at),
        "position": found.position,
        "policies": list(found.policies),
        "scope": scope(found.scope),
        "seed": found.seed,
        "sample": found.sample,
        "progress": {
            "total": found.total,
            "done": progress.done,
            "left": progress.left,
            "in_percent": found.in_percent,
            "rate": None if progress.rate is None else round(progress.rate, 2),
            "expected": instant(progress.expected),
        },
        "created": rfc3339(found.created),
        "created_by": found.created_name,
        "schedule": found.schedule,
        "scheduled_for": instant(found.scheduled_for),
        "missed": found.missed,
        "started": instant(found.started),
        "finished": instant(found.finished),
        "report_digest": found.report_digest,
        "error": found.error,
    }


def scope(found: AuditScope) -> dict[str, Any]:
    """What an audit looks at."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(found).items()}


def signature(found: Signature) -> dict[str, Any]:
    """A sign-off."""
    return {"name": found.name, "at": rfc3339(found.at), "digest": found.digest, "comment": found.comment}


def comparison(found: Comparison, before: Progress, after: Progress) -> dict[str, Any]:
    """Two audits compared."""
    return {
        "before": audit(found.before, before),
        "after": audit(found.after, after),
        "deltas": [asdict(one) for one in found.deltas],
        "cases": found.cases,
        "items": [
            {
                **{name: getattr(one, name) for name in _DIFFERING},
                "causes": [
                    {"kind": cause.kind, "words": cause.words, "events": list(cause.events), "versions": list(cause.versions)}
                    for cause in one.causes
                ],
            }
            for one in found.differing
        ],
        "next": found.next,
    }


_DIFFERING = ("case", "episode", "policy", "rule", "obligation", "team", "office", "before", "after", "before_words", "after_words")


def schedule(found: Schedule) -> dict[str, Any]:
    """A schedule."""
    return {
        "id": found.id,
        "name": found.name,
        "cron": found.cron,
        "zone": found.zone,
        "kind": found.kind,
        "scope": scope(found.scope),
        "sample": found.sample,
        "created": rfc3339(found.created),
        "created_by": found.created_name,
        "next_at": instant(found.next_at),
        "last_at": instant(found.last_at),
        "last_audit": found.last_audit,
        "missed": found.missed,
        "paused_because": found.paused_because,
    }
