"""Removals on record: what each took away, under which rules and by whom, as a certificate that nobody can make later.

Every sealed line that is let go of, or changed, is written down first, with the digest of what it held and of what it holds then; only
lines so written down does the database let go of (migration 0014), and only these does ``store.sealcheck`` accept as gone or changed.
Imports store.models and store.ids.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, func, insert, or_, select, update
from sqlalchemy.orm import Session

from store.ids import digest_of
from store.models import RemovalLineRow, RemovalRow, SealRow
from store.sql import chunks

FIRST_CHAIN = "0" * 64
_NOT_SIGNED = ("mac", "token", "lease_until")
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class GoneLine:
    """A sealed line that goes (``new`` of None) or changes.  ``number``: of numbered lines; ``first``: of a run of these up to it."""

    kind: str
    line: str
    old: str
    new: str | None = None
    number: int | None = None
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """A removal, or its certificate.  Instants in ms; ``digest`` is over everything that ``mac`` is over."""

    id: str
    state: str
    created: int
    created_by: str
    created_name: str
    finished: int | None
    rules: Any
    rules_digest: str
    position: int
    seal: int | None
    cases: int
    journeys: int
    lines: int
    counts: Mapping[str, Mapping[str, int]]
    kept: Mapping[str, int]
    chain: str
    digest: str
    mac: str


def begin(session: Session, *, by: str, name: str, now: int, rules: Any, rules_digest: str, position: int, secret: bytes) -> str:
    """Puts a new removal on record.  Raises sqlalchemy.exc.IntegrityError where one is running."""
    last = session.scalar(select(func.max(RemovalRow.id)))
    row = RemovalRow(
        id=f"{int(last or 0) + 1:06d}", state="running", created=now, created_by=by, created_name=name, rules=rules,
        rules_digest=rules_digest, position=position, cases=0, journeys=0, lines=0, counts={}, kept={}, chain=FIRST_CHAIN, mac="",
    )  # fmt: skip
    sign(row, secret)
    session.add(row)
    session.flush()
    return row.id


def running(session: Session) -> Removal | None:
    """The removal that is not done, if any."""
    row = session.scalar(select(RemovalRow).where(RemovalRow.state == "running"))
    return None if row is None else _removal(row)


def get(session: Session, removal: str) -> Removal | None:
    """One removal."""
    row = session.get(RemovalRow, removal)
    return None if row is None else _removal(row)


def listed(session: Session, *, before: str | None = None, limit: int = 50) -> list[Removal]:
    """Removals, the newest first; ``before``: those that were begun before this one."""
    chosen = select(RemovalRow).order_by(RemovalRow.id.desc()).limit(limit)
    return [_removal(row) for row in session.scalars(chosen if before is None else chosen.where(RemovalRow.id < before))]


def claim(session: Session, removal: str, *, now: int, lease_ms: int) -> str | None:
    """The right to work on a removal for a while; None where somebody else has it, or it is done.  Commit at once."""
    token = uuid.uuid4().hex
    free = or_(RemovalRow.lease_until.is_(None), RemovalRow.lease_until <= now)
    taken = update(RemovalRow).where(RemovalRow.id == removal, RemovalRow.state == "running", free)
    done = cast("CursorResult[Any]", session.execute(taken.values(token=token, lease_until=now + lease_ms)))
    return token if done.rowcount else None


def hold(session: Session, removal: str, token: str, *, until: int) -> RemovalRow | None:
    """The row, kept to this transaction, with the lease running until ``until`` (ms); None where the claim was lost."""
    chosen = select(RemovalRow).where(RemovalRow.id == removal, RemovalRow.token == token, RemovalRow.state == "running")
    row = session.scalar(chosen.with_for_update().execution_options(populate_existing=True))
    if row is not None:
        row.lease_until = until
    return row


def write_down(session: Session, row: RemovalRow, lines: Sequence[GoneLine]) -> None:
    """Adds lines to a removal, before they go or change."""
    for one in lines:
        row.chain = _chained(row.chain, one)
    row.lines += len(lines)
    values = [
        {"removal": row.id, "kind": x.kind, "line": x.line, "number": x.number, "first": x.first, "old": x.old, "new": x.new} for x in lines
    ]
    for some in chunks(values, _AT_ONCE):
        session.execute(insert(RemovalLineRow), some)


def tally(row: RemovalRow, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Adds to the counts of a removal."""
    summed = {table: dict(found) for table, found in row.counts.items()}
    for table, found in counts.items():
        mine = summed.setdefault(table, {"removed": 0, "changed": 0})
        for what, number in found.items():
            mine[what] = mine.get(what, 0) + number
    row.counts = {table: found for table, found in sorted(summed.items()) if any(found.values())}


def sign(row: RemovalRow, secret: bytes) -> None:
    """Makes the keyed hash fit what the row holds."""
    row.mac = mac_of(_digest(row), secret)


def finish(session: Session, row: RemovalRow, *, now: int, kept: Mapping[str, int], secret: bytes) -> None:
    """Ends a removal: from now on it is a certificate."""
    row.seal = session.scalar(select(func.max(SealRow.number)))
    row.state, row.finished, row.kept = "done", now, dict(sorted(kept.items()))
    row.token = row.lease_until = None
    sign(row, secret)
    session.flush()


def mac_of(digest: str, secret: bytes) -> str:
    """The keyed hash over a certificate's digest."""
    return hmac.new(secret, b"duecare removal\x00" + digest.encode(), hashlib.sha256).hexdigest()


def lines_of(session: Session, removal: str) -> Iterator[GoneLine]:
    """The lines of a removal as they were written down, read in portions."""
    after = 0
    while True:
        chosen = select(RemovalLineRow).where(RemovalLineRow.removal == removal, RemovalLineRow.id > after)
        rows = session.scalars(chosen.order_by(RemovalLineRow.id).limit(_AT_ONCE)).all()
        for row in rows:
            yield _line(row)
            after = row.id
        session.expunge_all()
        if len(rows) < _AT_ONCE:
            return


def flaw_of(session: Session, removal: Removal, secret: bytes | None) -> str | None:
    """What is wrong with a removal's record, in words; None: nothing."""
    chain, count = FIRST_CHAIN, 0
    for line in lines_of(session, removal.id):
        chain, count = _chained(chain, line), count + 1
    if chain != removal.chain or count != removal.lines:
        return "its lines are not those that were written down"
    if secret is not None and not hmac.compare_digest(mac_of(removal.digest, secret), removal.mac):
        return "it was not made by this installation with its present secret key, or was changed afterwards"
    return None


def steps(session: Session, kind: str, *, after: int, upto: int, good: Collection[str]) -> dict[int, list[tuple[str, str | None]]]:
    """Of the numbered lines in (after, upto] that removals took or changed: by number, each (old, new) digest in order."""
    found: dict[int, list[tuple[str, str | None]]] = {}
    here = (RemovalLineRow.kind == kind, RemovalLineRow.first.is_(None), RemovalLineRow.number > after, RemovalLineRow.number <= upto)
    chosen = select(RemovalLineRow.number, RemovalLineRow.removal, RemovalLineRow.old, RemovalLineRow.new).where(*here)
    for row in session.execute(chosen.order_by(RemovalLineRow.id)):
        if row.removal in good:
            found.setdefault(row.number, []).append((row.old, row.new))
    return found


def runs(session: Session, kind: str, *, good: Collection[str]) -> list[tuple[int, int]]:
    """The runs of numbered lines that removals took as a whole: first and last, in order."""
    chosen = select(RemovalLineRow.first, RemovalLineRow.number, RemovalLineRow.removal)
    rows = session.execute(chosen.where(RemovalLineRow.kind == kind, RemovalLineRow.first.is_not(None)).order_by(RemovalLineRow.first))
    return [(row.first, row.number) for row in rows if row.removal in good]


def steps_named(session: Session, kind: str, *, good: Collection[str]) -> dict[str, list[tuple[str, str | None]]]:
    """The same of lines with names, of all of a kind."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    chosen = select(RemovalLineRow.line, RemovalLineRow.removal, RemovalLineRow.old, RemovalLineRow.new)
    for row in session.execute(chosen.where(RemovalLineRow.kind == kind).order_by(RemovalLineRow.id)):
        if row.removal in good:
            found.setdefault(row.line, []).append((row.old, row.new))
    return found


def changes_of(session: Session, kind: str, line: str) -> list[tuple[str, str, str | None]]:
    """What removals did to one line with a name: (certificate, digest before, digest after), in order."""
    chosen = select(RemovalLineRow.removal, RemovalLineRow.old, RemovalLineRow.new)
    rows = session.execute(chosen.where(RemovalLineRow.kind == kind, RemovalLineRow.line == line).order_by(RemovalLineRow.id))
    return [(row.removal, row.old, row.new) for row in rows]


def followed(digest: str, taken: Sequence[tuple[str, str | None]]) -> str | None:
    """What a line that held ``digest`` holds after what removals did to it; None: it is gone."""
    now: str | None = digest
    for old, new in taken:
        if now == old:
            now = new
    return now


def _chained(before: str, line: GoneLine) -> str:
    held = json.dumps([line.kind, line.line, line.number, line.first, line.old, line.new], separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{held}".encode()).hexdigest()


def _digest(row: RemovalRow) -> str:
    columns = RemovalRow.__table__.columns
    return digest_of({column.name: getattr(row, column.name) for column in columns if column.name not in _NOT_SIGNED})


def _removal(row: RemovalRow) -> Removal:
    names = [name for name in Removal.__slots__ if name != "digest"]
    return Removal(**{name: getattr(row, name) for name in names}, digest=_digest(row))


def _line(row: RemovalLineRow) -> GoneLine:
    return GoneLine(row.kind, row.line, row.old, row.new, row.number, row.first)
