"""What an evaluation of many cases leaves behind, written with as few statements as for one.

For the worker, which holds the claims of fifty cases and has read what stands on record for each.  Imports store.models,
store.verdicts, store.states and rules.model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from sqlalchemy.orm import Session

from rules.model import Verdict
from store.ids import Key
from store.models import VerdictRow
from store.sql import Statement, columns_of
from store.states import write_states
from store.verdicts import as_verdict, write_rows

__all__ = ["VERDICTS", "verdicts_in", "verdicts_of_cases", "write_states", "write_verdicts"]

_content = attrgetter(*(field.name for field in fields(Verdict) if field.name not in {"as_of", "known_at", "next_change"}))
VERDICTS = Statement(
    f"SELECT {columns_of(VerdictRow)} FROM verdict WHERE case_id IN LISTED(:cases)",  # noqa: S608 - names of our own
    documents=("evidence", "rejected"),
)
"""What ``verdicts_in`` reads; wants ``cases``."""


def verdicts_of_cases(session: Session, case_ids: Sequence[str]) -> dict[str, dict[Key, Verdict]]:
    """The current verdicts of many cases, by case and key."""
    return verdicts_in(VERDICTS.on(session, cases=set(case_ids)), case_ids)


def verdicts_in(rows: Iterable[Any], case_ids: Sequence[str]) -> dict[str, dict[Key, Verdict]]:
    """The verdicts in rows of ``VERDICTS``, by case and key."""
    found: dict[str, dict[Key, Verdict]] = {case: {} for case in case_ids}
    for row in rows:
        verdict = as_verdict(row)
        found[verdict.case][verdict.key] = verdict
    return found


def write_verdicts(session: Session, cases: Sequence[tuple[Mapping[Key, Verdict], Sequence[Verdict]]], *, now: int) -> int:
    """For each case, of which the first are on record, makes the second the current ones; how many rows were touched.

    Right only for who holds the claims on the cases: what is given as on record must still be.
    """
    fresh: list[Verdict] = []
    gone: list[Key] = []
    for before, after in cases:
        keys = set()
        for verdict in after:
            key = verdict.key
            keys.add(key)
            stands = before.get(key)
            if stands is None or _content(stands) != _content(verdict):
                fresh.append(verdict)
        gone += [key for key in before if key not in keys]
    write_rows(session, fresh, gone=gone, now=now)
    return len(fresh) + len(gone)
