"""What narrows a list of cases.  Imports store.errors and store.models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func

from store.errors import QueryError
from store.models import CaseStateRow, DirtyRow

WITHDRAWN: ColumnElement[bool] = and_(
    CaseStateRow.office.is_(None),
    CaseStateRow.team.is_(None),
    CaseStateRow.open_breaches == 0,
    CaseStateRow.program.is_(None),
    CaseStateRow.worker.is_(None),
    func.coalesce(CaseStateRow.summary["withdrawn"].as_boolean(), false()),
)
"""A case of which nothing stands: it counts as none.  The last part alone says so; the others keep it from being read of every row."""
_LAST = "\U0010ffff"
"""Comes after every character that an id may have."""


@dataclass(frozen=True, slots=True)
class CaseWhere:
    """Filters of cases; within one the values are alternatives, an empty one lets all pass, and so does None.

    ``starts`` is how the id begins.  ``waiting``: something has come that is not judged yet; ``quarantined``: judging it failed,
    and it was put aside.  ``withdrawn``: instead, the cases of which nothing stands since all their events were voided.

    Raises QueryError for values that cannot be.
    """

    program: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    office: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    case: tuple[str, ...] = ()
    starts: str = ""
    open_breaches: bool | None = None
    with_queries: bool = False
    waiting: bool = False
    quarantined: bool = False
    withdrawn: bool = False

    def __post_init__(self) -> None:
        for values in (self.program, self.team, self.office, self.worker, self.case, (self.starts,)):
            if any("\x00" in value or any("\ud800" <= char <= "\udfff" for char in value) for value in values):
                raise QueryError("case", "contains a character that no stored value has")

    @property
    def by_row(self) -> bool:
        """Whether the dirty rows have to be looked at."""
        return self.waiting or self.quarantined

    def conditions(self) -> list[ColumnElement[bool]]:
        """On CaseStateRow, and on DirtyRow where ``by_row``."""
        pairs = (
            (CaseStateRow.program, self.program),
            (CaseStateRow.team, self.team),
            (CaseStateRow.office, self.office),
            (CaseStateRow.worker, self.worker),
            (CaseStateRow.case_id, self.case),
        )
        found: list[ColumnElement[bool]] = [column.in_(sorted(values)) for column, values in pairs if values]
        found.append(WITHDRAWN if self.withdrawn else ~WITHDRAWN)
        if self.starts:
            found += [CaseStateRow.case_id >= self.starts, CaseStateRow.case_id < self.starts + _LAST]
        if self.open_breaches is not None:
            found.append(CaseStateRow.open_breaches > 0 if self.open_breaches else CaseStateRow.open_breaches == 0)
        if self.with_queries:
            found.append(CaseStateRow.query_count > 0)
        if self.waiting:
            found += [DirtyRow.case_id.is_not(None), DirtyRow.quarantined.is_(False)]
        if self.quarantined:
            found.append(DirtyRow.quarantined.is_(True))
        return found

    def as_json(self) -> Any:
        return {name: sorted(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
