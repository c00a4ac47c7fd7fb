"""Puts seals on what has been added since the last one, in one chain a store.  Imports store.models and store.sealed.

Whoever adds lines knows nothing of seals and waits for nobody: one machine at a time comes along later and seals what has been
committed.  A number may be given before and committed after a greater one, so that only lines up to a number are sealed below which
nothing can still appear; see ``settled``.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from store.ids import digest_of
from store.models import SealRow
from store.sealed import NAMED, NUMBERED
from store.sql import dialect

FIRST_HASH = "0" * 64
LINES_A_SEAL = 5_000
_LOCK = 0x6475656361726523  # any number that no other program locks
_ALONE = text("SELECT pg_try_advisory_xact_lock(:key)")
_WRITERS = text("""
    SELECT DISTINCT held.virtualtransaction FROM pg_locks held JOIN pg_class tab ON tab.oid = held.relation
    WHERE held.locktype = 'relation' AND held.granted AND held.mode NOT IN ('AccessShareLock', 'RowShareLock')
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND tab.relname = ANY(:tables) AND pg_table_is_visible(tab.oid) AND held.pid IS DISTINCT FROM pg_backend_pid()
""")


@dataclass(frozen=True, slots=True)
class Seal:
    """A link of the chain without the digests of its lines: what an auditor keeps elsewhere.  ``at`` in ms."""

    number: int
    at: int
    kind: str
    after: int | None
    upto: int | None
    rows: int
    root: str
    prev_hash: str
    hash: str

    def fits(self) -> bool:
        """Whether ``hash`` is that of the rest."""
        held = asdict(self)
        return self.hash == digest_of({name: value for name, value in held.items() if name != "hash"})


def as_seal(row: SealRow) -> Seal:
    """The seal that a row holds."""
    return Seal(row.number, row.at, row.kind, row.after, row.upto, row.rows, row.root, row.prev_hash, row.hash)


def root_of(lines: str) -> str:
    """The digest of a seal's lines."""
    return hashlib.sha256(lines.encode()).hexdigest()


def settled(session: Session, *, patience: float) -> dict[str, int] | None:
    """By kind the number up to which every line is committed; None where writers are still at it after ``patience`` seconds.

    Nobody is made to wait.  Whoever adds a line holds a lock on the table from before its number is given until it is committed:
    once everybody who held one when the greatest number was read is through, no smaller number can appear.
    """
    newest = {name: session.scalar(select(func.max(kind.number))) or 0 for name, kind in NUMBERED.items()}
    if dialect(session) != "postgresql":
        return newest  # a writer is alone there
    tables = {"tables": [kind.table.name for kind in NUMBERED.values()]}
    writing = set(session.scalars(_WRITERS, tables))
    until = time.monotonic() + patience
    while writing:
        if time.monotonic() > until:
            return None
        time.sleep(0.02)
        writing &= set(session.scalars(_WRITERS, tables))
    return newest


def seal_some(session: Session, upto: Mapping[str, int], *, now: int) -> int:
    """Adds at most one seal of each kind over lines that have none yet; how many lines were sealed.  0 where another is at it."""
    if dialect(session) == "postgresql" and not session.scalar(_ALONE, {"key": _LOCK}):
        return 0
    last = newest(session)
    sealed = 0
    for name, numbered in NUMBERED.items():
        after = session.scalar(select(func.max(SealRow.upto)).where(SealRow.kind == name)) or 0
        lines = list(numbered.lines(session, after=after, upto=upto[name], most=LINES_A_SEAL))
        if lines:
            last = _add(session, last, name, [(str(number), digest) for number, digest in lines], now, (after, lines[-1][0]))
            sealed += len(lines)
    for name, named in NAMED.items():
        known = {line for _, line in names_sealed(session, name)}
        fresh = [line for line in named.names(session) if line not in known][:LINES_A_SEAL]
        digests = named.digests(session, fresh)
        if digests:
            last = _add(session, last, name, sorted(digests.items()), now, (None, None))
            sealed += len(digests)
    return sealed


def newest(session: Session) -> Seal | None:
    """The last seal; None before the first."""
    row = session.scalar(select(SealRow).order_by(SealRow.number.desc()).limit(1))
    return None if row is None else as_seal(row)


def listed(session: Session, *, after: int = 0) -> Iterator[Seal]:
    """The seals after a number, in order, read in portions."""
    columns = [SealRow.__table__.c[name] for name in Seal.__slots__]
    while rows := session.execute(select(*columns).where(SealRow.number > after).order_by(SealRow.number).limit(1_000)).all():
        for row in rows:
            yield Seal(*row)
        after = rows[-1].number


def with_lines(session: Session) -> Iterator[tuple[Seal, str]]:
    """Every seal with its lines, in order, read in portions."""
    after = 0
    while rows := session.scalars(select(SealRow).where(SealRow.number > after).order_by(SealRow.number).limit(50)).all():
        for row in rows:
            yield as_seal(row), row.lines
            session.expunge(row)
        after = rows[-1].number


def lines_of(lines: str) -> Iterator[tuple[str, str]]:
    """The (digest, number or name) of each line of a seal."""
    for line in lines.split("\n"):
        digest, _, name = line.partition(" ")
        yield digest, name


def names_sealed(session: Session, kind: str) -> Iterator[tuple[str, str]]:
    """The (digest, name) of every line of a kind that has been sealed."""
    for lines in session.scalars(select(SealRow.lines).where(SealRow.kind == kind).order_by(SealRow.number)):
        yield from lines_of(lines)


def _add(
    session: Session, last: Seal | None, kind: str, lines: Sequence[tuple[str, str]], now: int, span: tuple[int | None, int | None]
) -> Seal:
    written = "\n".join(f"{digest} {name}" for name, digest in lines)
    held = {
        "number": 1 if last is None else last.number + 1,
        "at": now,
        "kind": kind,
        "after": span[0],
        "upto": span[1],
        "rows": len(lines),
        "root": root_of(written),
        "prev_hash": FIRST_HASH if last is None else last.hash,
    }
    row = SealRow(**held, lines=written, hash=digest_of(held))
    session.add(row)
    session.flush()
    return as_seal(row)
