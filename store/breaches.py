"""Breaches and their history.  Which changes there are to make is decided in service/.  Imports store.models and rules.model.

A breach is written with the version that was read: if somebody else has changed it since, nothing is written.  Each change
brings its lines of history, chained by hashes within the breach, so that a line altered behind our back shows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.model import NEVER
from store.errors import StaleVersion
from store.ids import Key, digest_of, finding_id
from store.models import BreachHistoryRow, BreachRow
from store.severity import rank
from store.sql import Bulk, Statement, columns_of
from store.together import Asked, together
from store.verdicts import NO_DUE_DAY

FIRST_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach as it stands, or as it shall stand.  ``version`` is 0 for one that is not on record yet."""

    key: Key
    condition: str
    review: str
    severity: str
    team: str | None
    office: str | None
    worker: str | None
    due_on: str | None
    days_late: int | None
    contested: str | None
    opened_at: int
    changed_at: int
    announced_at: int | None
    announce_after: int | None
    policy_digest: str
    snapshot: Mapping[str, Any]
    version: int = 0
    assignee: str | None = None
    """Who works on it (``user:ID``); people set it, evaluation leaves it as it is."""

    @property
    def id(self) -> str:
        return finding_id(self.key)

    @property
    def case(self) -> str:
        return self.key[0]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a breach's history: what changed ``before`` -> ``after``, by whom, on what knowledge."""

    at: int
    kind: str
    actor: str
    before: str | None = None
    after: str | None = None
    policy_digest: str | None = None
    known_at: int | None = None
    event_position: int | None = None
    events: tuple[str, ...] = ()
    reason_code: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line on record.  ``id`` grows with time."""

    id: int
    breach_id: str
    line: Line
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Change:
    """A breach's new state, with the version that was read, and the lines that tell of the change."""

    breach: Breach
    lines: tuple[Line, ...] = field(default=())


def breaches_of_case(session: Session, case_id: str, *, lock: bool = False) -> dict[Key, Breach]:
    """All breaches of a case by key.  ``lock``: nobody else changes them before this transaction ends."""
    query = select(BreachRow).where(BreachRow.case_id == case_id).order_by(BreachRow.id).execution_options(populate_existing=True)
    rows = session.scalars(query.with_for_update() if lock else query)
    return {found.key: found for found in map(as_breach, rows)}


def get_breach(session: Session, breach_id: str, *, lock: bool = False) -> Breach | None:
    """One breach; None where there is none of this id."""
    query = select(BreachRow).where(BreachRow.id == breach_id).execution_options(populate_existing=True)
    row = session.scalar(query.with_for_update() if lock else query)
    return None if row is None else as_breach(row)


def write_breaches(session: Session, changes: Sequence[Change]) -> dict[str, int]:
    """Writes new and changed breaches and their lines; the new version of each, by id.

    Raises StaleVersion where a breach is no longer at the version given (for 0: is on record already); roll back then.
    """
    standing, last = together(session, what_stands([change.breach.id for change in changes]))
    return write_over(session, changes, standing, last)


def what_stands(breach_ids: Collection[str]) -> list[Asked]:
    """What ``write_over`` has to know: the versions of breaches, which nobody else changes from then on, and their last lines."""
    return [(_LOCKED_VERSIONS, {"ids": set(breach_ids)}), (_LAST_HASHES, {"breaches": set(breach_ids), "upto": NEVER})]


def write_over(session: Session, changes: Sequence[Change], standing: Sequence[Any], last: Sequence[Any]) -> dict[str, int]:
    """``write_breaches`` for who has asked ``what_stands`` in this transaction, and waits for nothing.  Raises StaleVersion."""
    versions = {row.id: row.version for row in standing}
    if len({change.breach.id for change in changes}) != len(changes):
        raise StaleVersion("the breach is on record already")
    for change in changes:
        if versions.get(change.breach.id, 0) != change.breach.version:
            raise StaleVersion("the breach has been changed by somebody else")
    _INSERT.write(session, [_row(change.breach) for change in changes if change.breach.version == 0])
    _UPDATE.write(session, [_row(change.breach) for change in changes if change.breach.version])
    lines = ((change.breach.id, line) for change in changes for line in change.lines)
    _append(session, lines, {row.breach_id: row.hash for row in last})
    return {change.breach.id: change.breach.version + 1 for change in changes}


def append_history(session: Session, lines: Iterable[tuple[str, Line]]) -> None:
    """Adds lines to the histories of breaches, by breach id, in the order given."""
    given = list(lines)
    _append(session, given, _last_hashes(session, {breach_id for breach_id, _ in given}))


def _append(session: Session, lines: Iterable[tuple[str, Line]], last: dict[str, str]) -> None:
    rows = []
    for breach_id, line in lines:
        row = _history_row(breach_id, line, last.get(breach_id, FIRST_HASH))
        last[breach_id] = row["hash"]
        rows.append(row)
    _APPEND.write(session, rows)


def history_of(session: Session, breach_id: str) -> list[StoredLine]:
    """A breach's history, oldest line first."""
    rows = session.scalars(select(BreachHistoryRow).where(BreachHistoryRow.breach_id == breach_id).order_by(BreachHistoryRow.id))
    return [as_line(row) for row in rows]


def as_line(row: BreachHistoryRow) -> StoredLine:
    """The line of history that a row holds."""
    return StoredLine(row.id, row.breach_id, _line(row), row.prev_hash, row.hash)


def altered_lines(session: Session, *, after: int = 0, limit: int = 10_000) -> tuple[list[int], int | None]:
    """Checks the chain of the next ``limit`` lines after line ``after``: ids of those that do not fit, and where to go on."""
    rows = session.scalars(select(BreachHistoryRow).where(BreachHistoryRow.id > after).order_by(BreachHistoryRow.id).limit(limit)).all()
    before = _last_hashes(session, {row.breach_id for row in rows}, upto=after)
    wrong = []
    for row in rows:
        expected = _history_row(row.breach_id, _line(row), before.get(row.breach_id, FIRST_HASH))
        if (row.prev_hash, row.hash) != (expected["prev_hash"], expected["hash"]):
            wrong.append(row.id)
        before[row.breach_id] = row.hash
    return wrong, rows[-1].id if len(rows) == limit else None


BREACHES = Statement(
    f"SELECT {columns_of(BreachRow)} FROM breach WHERE case_id IN LISTED(:cases) ORDER BY id",  # noqa: S608 - names of our own
    documents=("snapshot",),
)
"""The rows that ``as_breach`` reads, of all breaches of some cases; wants ``cases``."""


def as_breach(row: Any) -> Breach:
    """The breach that a row holds."""
    return Breach(
        key=(row.case_id, row.episode, row.policy, row.rule, row.obligation),
        condition=row.condition,
        review=row.review,
        severity=row.severity,
        team=row.team,
        office=row.office,
        worker=row.worker,
        due_on=row.due_on,
        days_late=row.days_late,
        contested=row.contested,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        announced_at=row.announced_at,
        announce_after=row.announce_after,
        policy_digest=row.policy_digest,
        snapshot=row.snapshot,
        version=row.version,
        assignee=row.assignee,
    )


_INSERT = Bulk(BreachRow)
_UPDATE = Bulk(BreachRow, key=("id",), keep=("case_id", "episode", "policy", "rule", "obligation"))
_APPEND = Bulk(BreachHistoryRow, without=("id",))
_LOCKED_VERSIONS = Statement("SELECT id, version FROM breach WHERE id IN LISTED(:ids) ORDER BY id FOR UPDATE")
_LAST_HASHES = Statement("""
    SELECT breach_id, hash FROM breach_history
    WHERE id IN (SELECT max(id) FROM breach_history WHERE breach_id IN LISTED(:breaches) AND id <= :upto GROUP BY breach_id)
""")


def _row(breach: Breach) -> dict[str, Any]:
    case_id, episode, policy, rule, obligation = breach.key
    return {
        "id": breach.id,
        "case_id": case_id,
        "episode": episode,
        "policy": policy,
        "rule": rule,
        "obligation": obligation,
        "condition": breach.condition,
        "review": breach.review,
        "severity": breach.severity,
        "severity_rank": rank(breach.severity),
        "team": breach.team,
        "office": breach.office,
        "worker": breach.worker,
        "assignee": breach.assignee,
        "due_on": breach.due_on,
        "due_key": breach.due_on or NO_DUE_DAY,
        "days_late": breach.days_late,
        "contested": breach.contested,
        "opened_at": breach.opened_at,
        "changed_at": breach.changed_at,
        "announced_at": breach.announced_at,
        "announce_after": breach.announce_after,
        "policy_digest": breach.policy_digest,
        "snapshot": breach.snapshot,
        "version": breach.version + 1,
    }


def _last_hashes(session: Session, breach_ids: Collection[str], *, upto: int = NEVER) -> dict[str, str]:
    if not breach_ids:
        return {}
    return {row.breach_id: row.hash for row in _LAST_HASHES.on(session, breaches=breach_ids, upto=upto)}


def _history_row(breach_id: str, line: Line, prev_hash: str) -> dict[str, Any]:
    row = {
        "breach_id": breach_id,
        "at": line.at,
        "kind": line.kind,
        "actor": line.actor,
        "from": line.before,
        "to": line.after,
        "policy_digest": line.policy_digest,
        "known_at": line.known_at,
        "event_position": line.event_position,
        "events": list(line.events),
        "reason_code": line.reason_code,
        "comment": line.comment,
        "prev_hash": prev_hash,
    }
    return {**row, "hash": digest_of(row)}


def _line(row: BreachHistoryRow) -> Line:
    return Line(
        at=row.at,
        kind=row.kind,
        actor=row.actor,
        before=row.before,
        after=row.after,
        policy_digest=row.policy_digest,
        known_at=row.known_at,
        event_position=row.event_position,
        events=tuple(row.events),
        reason_code=row.reason_code,
        comment=row.comment,
    )
