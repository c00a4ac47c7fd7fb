"""Takes cases out of every table, in the caller's transaction; what is sealed is written down first.  Imports store.models.

The tables are those of ``store.casedata``; what names a case inside a document about many (reports, digests, records of sources) is
gone through once at the end of a removal, by ``store.leftovers``.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Table, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from store import removals, removedcounts, tombstones
from store.ids import case_ref, digest_of, finding_id
from store.models import (
    AccessLogRow,
    AuditRow,
    BacktestRow,
    BreachRow,
    CaseHoldRow,
    DirtyRow,
    EventRow,
    LegalHoldRow,
    RemovalCaseRow,
    RemovalRow,
    VerdictRow,
    WaiverRow,
)
from store.models.base import Base
from store.removals import GoneLine
from store.sealed import NAMED, NUMBERED
from store.sql import chunks, dialect

PURGE, PSEUDONYMISE = "purge", "pseudonymise"
_AT_ONCE = 500
_TURN = text("SELECT pg_advisory_xact_lock(:turn)")
_LOCKS = (text("LOCK TABLE event IN ROW EXCLUSIVE MODE"), text("LOCK TABLE dirty, case_state IN SHARE ROW EXCLUSIVE MODE"))
"""The first makes whoever plans an audit wait, who locks events against changes; the second whoever marks or judges cases."""
_OVERWRITE = text("PRAGMA secure_delete = ON")
"""SQLite leaves what was deleted in free pages otherwise."""
_ALONE = 0x6475652063617265
"""The lock that whoever takes events in holds, see service.ingest: while a case is removed, none comes in."""


@dataclass(slots=True)
class Taken:
    """What was taken out: by table how many rows went or changed."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lines: list[GoneLine] = field(default_factory=list)


def take_turn(session: Session) -> None:
    """Waits until nobody takes events in or marks cases; until this transaction ends, nobody does."""
    if dialect(session) == "postgresql":
        session.execute(_TURN, {"turn": _ALONE})
        for lock in _LOCKS:
            session.execute(lock)
    else:
        session.execute(_OVERWRITE)


def under_way(session: Session) -> str | None:
    """The kind of a job over all cases that is not finished (``audit``, ``backtest``): nothing is removed beside it."""
    for kind, row in (("audit", AuditRow), ("backtest", BacktestRow)):
        if session.scalar(select(row.id).where(row.state.in_(("queued", "running"))).limit(1)) is not None:
            return kind
    return None


@dataclass(frozen=True, slots=True)
class Keeping:
    """Why cases are kept: those with a hold, an open breach, a running waiver, that wait to be judged, with a refused record."""

    hold: set[str]
    breach: set[str]
    waiver: set[str]
    waiting: set[str]
    refused: set[str]


def keeping(session: Session, cases: Collection[str], held: set[str], *, settled_goes: bool) -> Keeping:
    """Why any of ``cases`` are kept.  ``settled_goes``: an open breach that was upheld or dismissed keeps nothing."""
    breach, waiver, waiting, refused = set[str](), set[str](), set[str](), set[str]()
    for some in chunks(sorted(cases), _AT_ONCE):
        open_ones = select(BreachRow.case_id).where(BreachRow.case_id.in_(some), BreachRow.condition == "open")
        if settled_goes:
            open_ones = open_ones.where(BreachRow.review.in_(("new", "acknowledged")))
        breach.update(session.scalars(open_ones))
        runs = select(BreachRow.case_id).join(WaiverRow, WaiverRow.breach_id == BreachRow.id)
        waiver.update(session.scalars(runs.where(BreachRow.case_id.in_(some), WaiverRow.state.in_(("proposed", "approved")))))
        waiting.update(session.scalars(select(DirtyRow.case_id).where(DirtyRow.case_id.in_(some))))
        refused.update(session.scalars(select(CaseHoldRow.case_id).where(CaseHoldRow.case_id.in_(some), CaseHoldRow.released.is_(None))))
    return Keeping(held & set(cases), breach, waiver, waiting, refused)


def remove(session: Session, row: RemovalRow, modes: Mapping[str, str], *, secret: bytes, now: int) -> None:
    """Takes these cases out.  ``modes``: by case ``purge`` or ``pseudonymise``.  Call ``take_turn`` first."""
    taken = Taken()
    pseudonyms = {case: f"removed-{secrets.token_hex(8)}" for case in sorted(modes)}
    for some in chunks(sorted(modes), _AT_ONCE):
        _set_tombstones(session, row, some, modes, secret, now)
        refs = {case_ref(case): tombstones.digest_of_case(secret, case) for case in some}
        breaches = list(session.scalars(select(BreachRow.id).where(BreachRow.case_id.in_(some)).order_by(BreachRow.id).with_for_update()))
        waivers = _ids(session, WaiverRow.id, WaiverRow.breach_id, breaches)
        _access_log(session, row, taken, refs, {*breaches, *waivers})
        _histories(session, row, taken, breaches)
        _waivers(session, row, taken, waivers)
        _legal_holds(session, row, taken, some, secret)
        _messages(session, taken, [*some, *breaches])
        removedcounts.count_breaches(session, some)
        _delete(session, taken, "breach", _t("breach").c.case_id.in_(some))
        _verdicts(session, taken, some, modes, pseudonyms)
        _rejects(session, taken, some)
        _conflicts(session, taken, some)
        for name in ("case_link", "case_hold", "dirty", "case_state", "audit_differs", "event"):
            _delete(session, taken, name, _t(name).c.case_id.in_(some))
        session.execute(insert(RemovalCaseRow), [{"case_id": case, "pseudonym": pseudonyms[case]} for case in some])
    row.cases += len(modes)
    removals.tally(row, taken.counts)
    removals.sign(row, secret)
    session.flush()


def redact_log(session: Session, row: RemovalRow, refs: Mapping[str, str], things: Collection[str]) -> Taken:
    """Takes references to cases out of lines of the access log; who did what and when stays."""
    taken = Taken()
    _access_log(session, row, taken, refs, things)
    return taken


def _access_log(session: Session, row: RemovalRow, taken: Taken, refs: Mapping[str, str], things: Collection[str]) -> None:
    log = NUMBERED["access_log"]
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(sorted(refs), _AT_ONCE):
        found.update(log.rows(session, AccessLogRow.case_ref.in_(some)))
    for some in chunks(sorted(things), _AT_ONCE):
        found.update(log.rows(session, AccessLogRow.thing.in_(some)))
    lines, changes = [], []
    for number, held in sorted(found.items()):
        less = {
            **held,
            "case_ref": refs.get(held["case_ref"] or "", held["case_ref"]),
            "thing": None if held["thing"] in things else held["thing"],
            "request_id": None,
        }
        lines.append(GoneLine("access_log", str(number), digest_of(held), digest_of(less), number=number))
        changes.append({"id": number, "case_ref": less["case_ref"], "thing": less["thing"], "request_id": None})
    removals.write_down(session, row, lines)
    for some_changes in chunks(changes, _AT_ONCE):
        session.execute(update(AccessLogRow), some_changes)
    taken.counts["access_log"]["changed"] += len(changes)


def _histories(session: Session, row: RemovalRow, taken: Taken, breaches: Collection[str]) -> None:
    history = NUMBERED["breach_history"]
    table = _t("breach_history")
    for some in chunks(sorted(breaches), _AT_ONCE):
        held = history.rows(session, table.c.breach_id.in_(some))
        lines = [GoneLine("breach_history", str(number), digest_of(one), number=number) for number, one in held]
        removals.write_down(session, row, lines)
        _delete(session, taken, "breach_history", table.c.breach_id.in_(some))


def _waivers(session: Session, row: RemovalRow, taken: Taken, waivers: Collection[str]) -> None:
    for some in chunks(sorted(waivers), _AT_ONCE):
        for kind in ("waiver_request", "waiver_decision"):
            removals.write_down(session, row, [GoneLine(kind, name, old) for name, old in NAMED[kind].digests(session, some).items()])
        _delete(session, taken, "waiver", _t("waiver").c.id.in_(some))


def _legal_holds(session: Session, row: RemovalRow, taken: Taken, cases: Collection[str], secret: bytes) -> None:
    """Holds that were lifted: who set and lifted them and when stays, the case and the words go."""
    found = {hold.id: hold for hold in session.scalars(select(LegalHoldRow).where(LegalHoldRow.case_id.in_(cases)))}
    if not found:
        return
    kinds = ("legal_hold", "legal_hold_end")
    before = {kind: NAMED[kind].digests(session, sorted(found)) for kind in kinds}
    for hold in found.values():
        hold.case_id = tombstones.digest_of_case(secret, hold.case_id)
        hold.reason = ""
        hold.lift_reason = None if hold.lift_reason is None else ""
    session.flush()
    for kind in kinds:
        after = NAMED[kind].digests(session, sorted(found))
        removals.write_down(session, row, [GoneLine(kind, name, old, after[name]) for name, old in sorted(before[kind].items())])
    taken.counts["legal_hold"]["changed"] += len(found)


def _messages(session: Session, taken: Taken, keys: Collection[str]) -> None:
    for some in chunks(sorted(keys), _AT_ONCE):
        for name in ("outbox", "notice"):
            _delete(session, taken, name, _t(name).c.key.in_(some))


def _verdicts(session: Session, taken: Taken, cases: Collection[str], modes: Mapping[str, str], pseudonyms: Mapping[str, str]) -> None:
    """Counted, or kept one by one under a pseudonym: without evidence, people, or what names an obligation."""
    table = _t("verdict")
    kept: list[dict[str, Any]] = []
    episodes: dict[tuple[str, str], str] = {}
    some = [case for case in cases if modes[case] == PSEUDONYMISE]
    if some:
        order = (table.c.case_id, table.c.activated_on, table.c.policy, table.c.rule, table.c.obligation)
        for place, found in enumerate(session.execute(select(table).where(table.c.case_id.in_(some)).order_by(*order)).mappings()):
            case, episode = found["case_id"], found["episode"]
            told = episodes.setdefault((case, episode), str(sum(known == case for known, _ in episodes) + 1))
            key = (pseudonyms[case], told, found["policy"], found["rule"], f"{place + 1}")
            names = dict(zip(("case_id", "episode", "policy", "rule", "obligation"), key, strict=True))
            less = {**found, **names, "id": finding_id(key), "evidence": [], "rejected": [], "worker": None, "contested": None}
            kept.append({**less, "digest": ""})
    removedcounts.count_verdicts(session, [case for case in cases if modes[case] == PURGE])
    _delete(session, taken, "verdict", table.c.case_id.in_(cases))
    for rows in chunks(kept, _AT_ONCE):
        session.execute(insert(VerdictRow), rows)
    taken.counts["verdict"]["removed"] -= len(kept)
    taken.counts["verdict"]["changed"] += len(kept)


def _rejects(session: Session, taken: Taken, cases: Collection[str]) -> None:
    hold, reject = _t("case_hold"), _t("reject")
    here = (hold.c.source == reject.c.source, hold.c.kind == reject.c.kind, hold.c.ref == reject.c.ref)
    about = select(reject.c.id).join(hold, here[0] & here[1] & here[2]).where(hold.c.case_id.in_(cases))
    ids = list(session.scalars(about))
    for some in chunks(sorted(set(ids)), _AT_ONCE):
        _delete(session, taken, "reject", reject.c.id.in_(some))


def _conflicts(session: Session, taken: Taken, cases: Collection[str]) -> None:
    table = _t("conflict")
    kept = select(EventRow.position).where(EventRow.case_id.in_(cases))
    _delete(session, taken, "conflict", or_(table.c.case_id.in_(cases), table.c.kept_position.in_(kept)))


def _set_tombstones(session: Session, row: RemovalRow, cases: Collection[str], modes: Mapping[str, str], secret: bytes, now: int) -> None:
    last = select(EventRow.case_id, func.max(EventRow.time)).where(EventRow.case_id.in_(cases)).group_by(EventRow.case_id)
    found: dict[str, int] = dict.fromkeys(cases, 0)
    found.update((case, time) for case, time in session.execute(last))
    for mode in sorted(set(modes.values())):
        mine = {case: time for case, time in found.items() if modes[case] == mode}
        tombstones.add(session, secret, mine, removed_at=now, removal=row.id, mode=mode)


def _ids(session: Session, wanted: Any, column: Any, values: Collection[str]) -> list[str]:
    found: list[str] = []
    for some in chunks(sorted(values), _AT_ONCE):
        found += session.scalars(select(wanted).where(column.in_(some)).order_by(wanted))
    return found


def _delete(session: Session, taken: Taken, name: str, where: ColumnElement[bool]) -> None:
    done = cast("CursorResult[Any]", session.execute(delete(_t(name)).where(where)))
    taken.counts[name]["removed"] += done.rowcount


def _t(name: str) -> Table:
    return Base.metadata.tables[name]
