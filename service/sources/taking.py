"""Taking a client system's records in: events, what has become of each record, what was refused and what it holds back, in one transaction.

The same for a page of a pull, for a record that was asked for by itself and for the reject list.  Imports adapters/, store/, service/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from adapters.base import Page, Record
from adapters.interpret import Interpreted
from service import ingest
from service.bootstrap import Service
from service.removed import removed_cases
from service.sources.definitions import Configured
from service.sources.records import Plan
from service.sources.turn import LEASE_MS
from store import holds, sources
from store.engine import retrying
from store.events import Intake
from store.queue import mark_dirty
from store.sources import Ref, Turn


@dataclass(slots=True)
class Pulled:
    """What a pull did: records read, those that were new or changed, events taken in, records refused; and why it ended early."""

    source: str
    counts: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    error: str | None = None
    busy: bool = False
    """Somebody else was asking the source."""
    unfinished: bool = False
    """There is more: it was told to stop."""


def take_records(svc: Service, source: Configured, records: Sequence[Record], turn: Turn | None = None) -> Counter[str]:
    """Take records in, none of them part of a page; what became of them."""
    return take(svc, source, records, turn, None, {})


def take(
    svc: Service,
    source: Configured,
    records: Sequence[Record],
    turn: Turn | None,
    page: Page | None,
    found: Mapping[Ref, Interpreted],
) -> Counter[str]:
    """Take records in, and with ``page`` its cursor.  ``found``: what some of them are by the mapping, where that is known already.

    Raises LeaseLost where ``turn`` has passed to somebody else.
    """
    now = svc.now()
    counts, dirty = retrying(lambda: _in_one(svc, source, records, now, turn, page, found))
    svc.gate.taken(len(dirty))
    svc.hints.send(sorted(dirty))
    return counts


def take_one(svc: Service, source: Configured, kind: str, ref: str) -> Pulled:
    """Take one record in as it stands now, beside the pulls.  Raises AdapterError."""
    adapter = source.adapter()
    try:
        records = adapter.fetch(kind, ref)
    finally:
        adapter.close()
    return Pulled(source.name, take_records(svc, source, records))


def _in_one(
    svc: Service,
    source: Configured,
    records: Sequence[Record],
    now: int,
    turn: Turn | None,
    page: Page | None,
    found: Mapping[Ref, Interpreted],
) -> tuple[Counter[str], set[str]]:
    counts: Counter[str] = Counter(records=len(records))
    with svc.writing() as session:
        if turn is not None:
            sources.hold(session, turn, now=now, lease_ms=LEASE_MS)
        else:
            sources.lock(session, source.uri, adapter=source.kind.name)
        plan = Plan.of(session, source, records, now, fixed=page is not None and page.fixed, found=found)
        for reject in page.refused if page is not None else ():
            plan.cannot_read(reject)
        _leave_removed(svc, session, plan)
        waiting = sources.has_rejects(session, source.uri)
        doubtful = holds.release(session, source.uri, plan.good, now) if waiting else set()
        doubtful |= holds.hold_back(session, source.uri, plan.held, now)
        receipts, dirty = ingest.take(svc, session, plan.items, now, also=doubtful)
        clashes = []
        for item, receipt in zip(plan.items, receipts, strict=True):
            counts[receipt.status.value] += 1
            if receipt.status is Intake.CONFLICT:
                clashes.append(plan.clash(item))
            elif receipt.status is Intake.REMOVED:
                plan.forget(item)
        if clashes:
            held = {ref: plan.held[ref] for ref in clashes if ref in plan.held}
            again = holds.hold_back(session, source.uri, held, now)
            mark_dirty(session, again, now)
            dirty |= again
        sources.remember(session, source.uri, plan.known, sweep=page.sweep if page is not None else 0)
        if page is not None and page.sweep:
            note_present(session, source, page)
        sources.refuse(session, source.uri, plan.refused(), now)
        if waiting:
            sources.settle(session, source.uri, plan.good, now)
        if turn is not None and page is not None:
            sources.advance(session, source.uri, cursor=page.cursor, records=len(records), now=svc.now(), lease_ms=LEASE_MS)
    counts["unchanged"] = plan.unchanged
    counts["refused"] = len(plan.problems)
    return counts, dirty


def _leave_removed(svc: Service, session: Session, plan: Plan) -> None:
    """Records that were refused and are about removed cases alone: keeping them would bring back what was removed."""
    cases = {case for held in plan.held.values() for case in held.cases}
    gone = removed_cases(svc, session, sorted(cases))
    for ref in [ref for ref, held in plan.held.items() if held.cases <= gone]:
        plan.drop(ref)


def note_present(session: Session, source: Configured, page: Page) -> None:
    """Notes what a page of a sweep has found to be there."""
    read = [(record.kind, record.ref) for record in page.records]
    for kind in sorted({*page.present, *(kind for kind, _ in read)}):
        refs = [*page.present.get(kind, ()), *(ref for other, ref in read if other == kind)]
        sources.note_present(session, source.uri, kind, refs, page.sweep)
