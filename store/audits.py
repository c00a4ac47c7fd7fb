"""Audits on record; the work on them is divided as store.chunkedjobs does.  Imports store.models, store.chunkedjobs and store.sql."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from store.chunkedjobs import UNFINISHED, Chunk, ChunkedJobs
from store.models import (
    AuditChunkRow,
    AuditDiffersRow,
    AuditPrintsRow,
    AuditRow,
    AuditSignatureRow,
    BreachHistoryRow,
)
from store.sql import settled, upsert


@dataclass(frozen=True, slots=True)
class AuditScope:
    """What an audit looks at; None: no limit.  Days are local and ISO, both included."""

    policies: tuple[str, ...] | None = None
    program: str | None = None
    teams: tuple[str, ...] | None = None
    offices: tuple[str, ...] | None = None
    since: str | None = None
    until: str | None = None

    def sees(self, team: str | None, office: str | None) -> bool:
        """Whether what belongs to this team and office is looked at."""
        return (self.teams is None or team in self.teams) and (self.offices is None or office in self.offices)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> AuditScope:
        """From the JSON that ``asdict`` gives."""
        given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in value.items()}
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit as it stands.  Instants are ms; ``total`` and ``done`` count cases."""

    id: str
    kind: str
    as_of: int
    known_at: int
    position: int
    heartbeat: int
    lines: int
    policies: tuple[str, ...]
    """Digests of every version that was in force at ``known_at``."""
    scope: AuditScope
    seed: int
    sample: int
    created: int
    created_by: str
    created_name: str
    schedule: str | None = None
    """The schedule that made it."""
    scheduled_for: int | None = None
    missed: int = 0
    """Earlier times of the schedule that went by while nothing was running, and that this audit stands in for."""
    state: str = "queued"
    total: int = 0
    done: int = 0
    started: int | None = None
    finished: int | None = None
    report_digest: str | None = None
    error: str | None = None
    pace: float | None = None
    """Cases (or per cent) a second lately, where it is under way and enough has been done to tell."""
    in_percent: bool = False
    """``total`` is 100 and ``done`` a part of it: the reader may not know how many cases there are in all."""

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in UNFINISHED


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's word that a report has been read and stands.  ``digest`` is that of the report."""

    audit: str
    by: str
    name: str
    at: int
    digest: str
    comment: str


JOBS = ChunkedJobs(AuditRow, AuditChunkRow)
_OWN: tuple[str, ...] = (
    "id",
    "kind",
    "as_of",
    "known_at",
    "position",
    "heartbeat",
    "lines",
    "seed",
    "sample",
    "created",
    "created_by",
    "created_name",
)
_OWN += ("schedule", "scheduled_for", "missed", "state")
_GIVEN = ("total", "started", "finished", "report_digest", "error")
_COLUMNS = (*(getattr(AuditRow, name) for name in (*_OWN, *_GIVEN)), AuditRow.policies, AuditRow.scope)


def newest_line(session: Session) -> int:
    """A line of breaches' histories such that every one up to it is committed and each later one has a greater id; 0 without any.

    On PostgreSQL this waits for the transactions that are writing lines, as ``store.events.last_position`` does for events.
    """
    with settled(session, BreachHistoryRow):
        return session.scalar(select(func.max(BreachHistoryRow.id))) or 0


def add(session: Session, audit: Audit, *, size: int) -> int:
    """Puts an audit on record with its cases in chunks of ``size``; how many cases there are."""
    row = AuditRow(**{name: getattr(audit, name) for name in _OWN}, policies=list(audit.policies), scope=asdict(audit.scope))
    session.add(row)
    session.flush()
    row.total = JOBS.plan(session, audit.id, position=audit.position, size=size)
    session.flush()
    return row.total


def get(session: Session, audit: str) -> Audit | None:
    """One audit, with the cases done so far."""
    row = session.execute(select(*_COLUMNS).where(AuditRow.id == audit)).one_or_none()
    if row is None:
        return None
    found = _as_audit(row, JOBS.done(session, [audit]))
    return found if found.over else replace(found, pace=JOBS.pace(session, audit))


def listed(
    session: Session, *, state: str | None = None, schedule: str | None = None, after: tuple[int, str] | None = None, limit: int = 50
) -> list[Audit]:
    """Audits, the newest first; ``after``: those that come after the one made at that instant (ms) with that id."""
    chosen = select(*_COLUMNS).order_by(AuditRow.created.desc(), AuditRow.id.desc()).limit(limit)
    if state is not None:
        chosen = chosen.where(AuditRow.state == state)
    if schedule is not None:
        chosen = chosen.where(AuditRow.schedule == schedule)
    if after is not None:
        chosen = chosen.where(tuple_(AuditRow.created, AuditRow.id) < after)
    rows = session.execute(chosen).all()
    done = JOBS.done(session, [row.id for row in rows if row.state in UNFINISHED])
    return [_as_audit(row, done) for row in rows]


def keep_prints(session: Session, chunk: Chunk, prints: Mapping[str, str]) -> None:
    """Keeps, of each case of a chunk, the short digest of what was found in it."""
    session.add(AuditPrintsRow(audit=chunk.job, number=chunk.number, prints=dict(prints)))
    session.flush()


def prints_of(session: Session, audit: str) -> Iterator[tuple[str, str]]:
    """The (case, digest) of every case of an audit, in order of the cases."""
    numbers = select(AuditPrintsRow.number).where(AuditPrintsRow.audit == audit).order_by(AuditPrintsRow.number)
    for number in session.scalars(numbers).all():
        found = select(AuditPrintsRow.prints).where(AuditPrintsRow.audit == audit, AuditPrintsRow.number == number)
        yield from sorted(session.scalars(found).one().items())


def keep_differing(session: Session, chunk: Chunk, cases: Collection[str]) -> None:
    """Keeps the cases whose stored findings differ from what was found."""
    if cases:
        session.execute(upsert(session, AuditDiffersRow), [{"audit": chunk.job, "case_id": case} for case in sorted(cases)])


def differing(session: Session, audit: str) -> list[str]:
    """The cases whose stored findings an audit found to differ, in order."""
    return list(session.scalars(select(AuditDiffersRow.case_id).where(AuditDiffersRow.audit == audit).order_by(AuditDiffersRow.case_id)))


def forget_partial(session: Session, audit: str) -> None:
    """Forgets what was kept of the cases of an audit that has come to nothing."""
    session.execute(delete(AuditPrintsRow).where(AuditPrintsRow.audit == audit))
    session.execute(delete(AuditDiffersRow).where(AuditDiffersRow.audit == audit))


def sign(session: Session, signature: Signature) -> bool:
    """Keeps a person's word; False where the person has given it before."""
    row = {
        "audit": signature.audit,
        "signed_by": signature.by,
        "name": signature.name,
        "at": signature.at,
        "digest": signature.digest,
        "comment": signature.comment,
    }
    insert = upsert(session, AuditSignatureRow).values(**row).on_conflict_do_nothing(index_elements=["audit", "signed_by"])
    return bool(session.execute(insert.returning(AuditSignatureRow.audit)).all())


def signatures(session: Session, audits: Sequence[str]) -> dict[str, list[Signature]]:
    """Who has signed each of the audits off, the first one first."""
    found: dict[str, list[Signature]] = {audit: [] for audit in audits}
    rows = select(AuditSignatureRow).where(AuditSignatureRow.audit.in_(audits))
    for row in session.scalars(rows.order_by(AuditSignatureRow.at, AuditSignatureRow.signed_by)):
        found[row.audit].append(Signature(row.audit, row.signed_by, row.name, row.at, row.digest, row.comment))
    return found


def _as_audit(row: Any, done: Mapping[str, int]) -> Audit:
    own = {name: getattr(row, name) for name in (*_OWN, *_GIVEN)}
    finished = row.total if row.state == "done" else done.get(row.id, 0)
    return Audit(**own, policies=tuple(row.policies), scope=AuditScope.of(row.scope), done=finished)
