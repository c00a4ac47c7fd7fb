"""Audits: every case in scope judged as of one instant, as known at one, counted into a report that never changes.

A *full* audit judges every case anew and compares with what is stored; an *incremental* one takes what is stored of the cases in which
nothing has happened since, which comes to the same.  The work is divided into chunks that any worker may take (service.auditwork).
An audit covers what its maker may see, and a reader gets of its report what the reader may see.  Imports store/, rules/ and service/.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from service.access import Access
from service.auditreport import Report
from service.bootstrap import Service
from store.audits import Audit, AuditScope, Signature

SCOPE = "audits:run"
CHUNK = 100
"""Cases that a worker takes at a time."""
SAMPLE = 2
"""Cases drawn of each team and verdict, unless another number is asked for."""
MOST_DRAWN = 50
KINDS = ("full", "incremental")
When = int | dt.date
"""An instant (ms), or a local day: its last ms in the policy's zone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an audit is.  ``rate`` in cases a second and ``expected`` (ms) only while it is under way."""

    done: int
    left: int
    rate: float | None
    expected: int | None


def start(
    svc: Service,
    access: Access,
    *,
    as_of: When | None = None,
    known_at: When | None = None,
    kind: str = "full",
    scope: AuditScope | None = None,
    seed: int | None = None,
    sample: int = SAMPLE,
    chunk: int = CHUNK,
) -> Audit:
    """Put an audit into the queue.  ``as_of`` and ``known_at``: now unless given, the latter never later than now.

    ``seed`` of the sample: unless given, made from everything else that the audit rests on.  Raises Forbidden and Invalid.
    """
    raise NotImplementedError


def get(svc: Service, access: Access, audit: str) -> Audit:
    """An audit and how far it is.  Raises Forbidden and NotFound (also for one of teams that the caller does not see)."""
    raise NotImplementedError


def listing(svc: Service, access: Access, *, state: str | None = None, schedule: str | None = None, limit: int = 50) -> list[Audit]:
    """Audits that the caller may read, the newest first.  Raises Forbidden."""
    raise NotImplementedError


def progress(svc: Service, audit: Audit) -> Progress:
    """How far it is, how fast it goes, and when it will be over at this rate."""
    raise NotImplementedError


def report(svc: Service, access: Access, audit: str) -> Report:
    """The report, cut to what the caller may see.  Raises Forbidden, NotFound, and NotPossible where there is none (yet)."""
    raise NotImplementedError


def report_text(svc: Service, access: Access, audit: str) -> str:
    """The same as text: for a caller who may see all of it the very bytes that ``report_digest`` is of."""
    raise NotImplementedError


def cancel(svc: Service, access: Access, audit: str) -> Audit:
    """End an audit that is under way.  Raises Forbidden, NotFound, and NotPossible where it is over."""
    raise NotImplementedError


def sign(svc: Service, access: Access, audit: str, *, digest: str, comment: str) -> Signature:
    """Sign a finished audit off, as a person: ``digest`` is that of the report that was read.

    Raises Forbidden (for an API key, and for who may not see all of it), NotFound, Invalid, and NotPossible where there is no report or
    the person has signed it already.
    """
    raise NotImplementedError


def signatures(svc: Service, access: Access, audit: str) -> list[Signature]:
    """Who has signed it off, the first one first.  Raises Forbidden and NotFound."""
    raise NotImplementedError


def judge_again(svc: Service, access: Access, audit: str) -> int:
    """Have the cases judged again whose stored findings a full audit found to differ; how many.

    Raises Forbidden (who may not see all of the report), NotFound and NotPossible.
    """
    raise NotImplementedError
