"""What is sealed: which lines, by which number or name, and the digest of what each holds.  Imports store.models and store.ids.

Lines of two kinds are numbered by the database and never change: histories of breaches and the access log.  The others have names,
and of a row that is written in two steps (asked, decided) each step is a line of its own, over the columns that stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, select, tuple_
from sqlalchemy.orm import Session

from store.ids import digest_of
from store.models import (
    AccessLogRow,
    AuditRow,
    AuditSignatureRow,
    BreachHistoryRow,
    LegalHoldRow,
    PolicyChangeRow,
    PolicyVersionRow,
    RemovalRow,
    WaiverRow,
)
from store.models.base import Base

_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Numbered:
    """Lines with numbers: the whole row counts."""

    name: str
    words: str
    table: Table

    @property
    def number(self) -> Column[int]:
        """The column of the number."""
        column: Column[int] = self.table.c.id
        return column

    def lines(self, session: Session, *, after: int, upto: int | None = None, most: int | None = None) -> Iterator[tuple[int, str]]:
        """Number and digest of the lines after a number, in order, read in portions."""
        columns = list(self.table.columns)
        while most is None or most > 0:
            wanted = _AT_ONCE if most is None else min(most, _AT_ONCE)
            query = select(*columns).where(self.number > after).order_by(self.number).limit(wanted)
            if upto is not None:
                query = query.where(self.number <= upto)
            rows = session.execute(query).all()
            for row in rows:
                held = {column.name: value for column, value in zip(columns, row, strict=True)}
                after = held.pop("id")
                yield after, digest_of(held)
            if len(rows) < wanted:
                return
            most = None if most is None else most - len(rows)

    def rows(self, session: Session, where: ColumnElement[bool]) -> list[tuple[int, dict[str, Any]]]:
        """Number and content of some lines, in order."""
        found = []
        for row in session.execute(select(*self.table.columns).where(where).order_by(self.number)):
            held = {column.name: value for column, value in zip(self.table.columns, row, strict=True)}
            found.append((held.pop("id"), held))
        return found


@dataclass(frozen=True, slots=True)
class Named:
    """Lines with names: the columns that stay, of the rows of which they are settled."""

    name: str
    words: str
    key: tuple[Column[str], ...]
    columns: tuple[Column[Any], ...]
    settled: ColumnElement[bool] | None = None
    told: Callable[[dict[str, Any]], dict[str, Any]] = dict
    """What of the columns counts, where that is not all of it."""

    def names(self, session: Session) -> list[str]:
        """The names of all lines that there are."""
        rows = session.execute(self._choosing(*self.key).order_by(*self.key))
        return [" ".join(row) for row in rows]

    def digests(self, session: Session, names: Sequence[str]) -> dict[str, str]:
        """The digests of the lines of these names, as far as they are there."""
        found: dict[str, str] = {}
        for first in range(0, len(names), _AT_ONCE // 10):
            some = [tuple(name.split(" ", len(self.key) - 1)) for name in names[first : first + _AT_ONCE // 10]]
            here = tuple_(*self.key).in_(some) if len(self.key) > 1 else self.key[0].in_([one for (one,) in some])
            for row in session.execute(self._choosing(*self.key, *self.columns).where(here)):
                held = {column.name: value for column, value in zip(self.columns, row[len(self.key) :], strict=True)}
                name = " ".join(row[: len(self.key)])
                found[name] = digest_of({"name": name, **self.told(held)})
        return found

    def _choosing(self, *columns: Column[Any]) -> Select[Any]:
        query: Select[Any] = select(*columns)
        return query if self.settled is None else query.where(self.settled)


def _table(row: type[Base]) -> Table:
    table = row.__table__
    if not isinstance(table, Table):
        raise TypeError(row.__name__)
    return table


def _columns(row: type[Base], *names: str) -> tuple[Column[Any], ...]:
    table = _table(row)
    return tuple(table.c[name] for name in names)


def _decision(held: dict[str, Any]) -> dict[str, Any]:
    """A waiver that was approved may be void or ended later; that is not the decision."""
    return {**held, "state": "refused" if held["state"] == "refused" else "approved"}


NUMBERED: Mapping[str, Numbered] = {
    one.name: one
    for one in (
        Numbered("breach_history", "line of a breach's history", _table(BreachHistoryRow)),
        Numbered("access_log", "line of the access log", _table(AccessLogRow)),
    )
}
_CHANGE, _WAIVER, _HOLD = _table(PolicyChangeRow).c, _table(WaiverRow).c, _table(LegalHoldRow).c
_KEPT_OF_CHANGE = ("policy", "kind", "source_digest", "applies_to_open", "values", "reason", "proposed_by", "proposed_name", "proposed_at")
NAMED: Mapping[str, Named] = {
    one.name: one
    for one in (
        Named(
            "policy_version", "version of a policy", _columns(PolicyVersionRow, "digest"),
            _columns(PolicyVersionRow, "policy", "version", "effective", "text"),
            _table(PolicyVersionRow).c.text["files"].as_string().is_not(None),  # packages of old are completed once
        ),
        Named("policy_proposal", "proposal of a policy's change", (_CHANGE.id,), _columns(PolicyChangeRow, *_KEPT_OF_CHANGE)),
        Named(
            "policy_decision", "decision on a policy's change", (_CHANGE.id,),
            tuple(column for column in _CHANGE if column.name != "id"), _CHANGE.decided_at.is_not(None),
        ),
        Named(
            "waiver_request", "request for a waiver", (_WAIVER.id,),
            _columns(WaiverRow, "breach_id", "author", "reason_code", "comment", "created", "ends_at", "evidence_digest"),
        ),
        Named(
            "waiver_decision", "decision on a waiver", (_WAIVER.id,),
            _columns(WaiverRow, "approver", "state", "decided_at"), _WAIVER.decided_at.is_not(None), _decision,
        ),
        Named(
            "audit_report", "report of an audit", _columns(AuditRow, "id"),
            tuple(column for column in _table(AuditRow).c if column.name != "id"), _table(AuditRow).c.state == "done",
        ),
        Named(
            "audit_signature", "signature under an audit", _columns(AuditSignatureRow, "audit", "signed_by"),
            _columns(AuditSignatureRow, "name", "at", "digest", "comment"),
        ),
        Named("legal_hold", "legal hold", (_HOLD.id,), _columns(LegalHoldRow, "case_id", "reason", "set_by", "set_name", "set_at")),
        Named(
            "legal_hold_end", "end of a legal hold", (_HOLD.id,),
            _columns(LegalHoldRow, "lifted_by", "lifted_name", "lifted_at", "lift_reason"), _HOLD.lifted_at.is_not(None),
        ),
        Named(
            "removal", "certificate of a removal", _columns(RemovalRow, "id"),
            tuple(column for column in _table(RemovalRow).c if column.name not in ("id", "token", "lease_until")),
            _table(RemovalRow).c.state == "done",
        ),
    )
}  # fmt: skip
WORDS: Mapping[str, str] = {one.name: one.words for one in NUMBERED.values()} | {one.name: one.words for one in NAMED.values()}
"""What a line of each kind is called."""
