"""What refused records hold back: for which cases a source is not as complete as it says.  Imports store.models and store.sql.

A record that was refused has been recorded by its source and is not on record here.  Where its case is known, only that case cannot
be judged as if nothing were missing; a hold says so from the moment at which the record was refused until it is taken in or set
aside.  Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from store.cases import neighbours
from store.models import CaseHoldRow, EventRow
from store.sql import chunks

Ref = tuple[str, str]
"""Kind and name of a record within its source."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Held:
    """The cases that a refused record is about, and how far its source is complete for them (ms)."""

    cases: frozenset[str]
    complete_until: int


def hold_back(session: Session, source: str, refused: Mapping[Ref, Held], now: int) -> set[str]:
    """Holds the source back for the cases of refused records; which cases are to be judged again."""
    known = _open(session, source, refused)
    new, over, changed = [], [], set()
    for ref, held in sorted(refused.items()):
        before = known.get(ref, {})
        for case in sorted(held.cases - before.keys()):
            row = {"source": source, "kind": ref[0], "ref": ref[1], "case_id": case}
            new.append(row | {"complete_until": held.complete_until, "since": now})
            changed.add(case)
        for case in before.keys() - held.cases:
            over.append(before[case])
            changed.add(case)
    if new:
        session.execute(insert(CaseHoldRow), new)
    _end(session, over, now)
    return _on_record(session, changed)


def release(session: Session, source: str, refs: Collection[Ref], now: int) -> set[str]:
    """Ends what these records held back; which cases are to be judged again."""
    known = _open(session, source, refs)
    _end(session, [number for holds in known.values() for number in holds.values()], now)
    return _on_record(session, {case for holds in known.values() for case in holds})


def _open(session: Session, source: str, refs: Collection[Ref]) -> dict[Ref, dict[str, int]]:
    """The numbers of the holds that stand, by record and case."""
    found: dict[Ref, dict[str, int]] = {}
    for kind in sorted({kind for kind, _ in refs}):
        for some in chunks(sorted(ref for other, ref in refs if other == kind), _AT_ONCE):
            here = (CaseHoldRow.source == source, CaseHoldRow.kind == kind, CaseHoldRow.ref.in_(some), CaseHoldRow.released.is_(None))
            for row in session.execute(select(CaseHoldRow.id, CaseHoldRow.ref, CaseHoldRow.case_id).where(*here)):
                found.setdefault((kind, row.ref), {})[row.case_id] = row.id
    return found


def _end(session: Session, numbers: Iterable[int], now: int) -> None:
    for some in chunks(sorted(numbers), _AT_ONCE):
        session.execute(update(CaseHoldRow).where(CaseHoldRow.id.in_(some)).values(released=now))


def _on_record(session: Session, cases: set[str]) -> set[str]:
    """Those of ``cases`` of which there are events, with the cases that are judged with knowledge of them."""
    found: set[str] = set()
    for some in chunks(sorted(cases), _AT_ONCE):
        found.update(session.scalars(select(EventRow.case_id).where(EventRow.case_id.in_(some)).distinct()))
    return found.union(*neighbours(session, found).values())
