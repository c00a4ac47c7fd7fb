"""The store's chain of seals: kept up by the sweeper, checked and given out on request.  Imports store/ and service/.

Seals tell of changes behind the product's back.  Somebody who can change the whole store can also make all seals anew; therefore they
can be given out, to be kept where that person has no hand, and compared later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy.exc import IntegrityError

from service.bootstrap import Service
from service.errors import ServiceError
from store import sealcheck
from store.sealcheck import Check
from store.seals import Seal, listed, newest, seal_some, settled

FORMAT = "duecare-seals"
VERSION = 1
PATIENCE = 0.5
"""Seconds that a round of the sweeper waits for those who are writing; after that the next round tries."""
ROUNDS = 10
"""Portions that one round seals at most, so that nothing else waits for it long."""


class NotSeals(ServiceError):
    """A file that does not hold seals, or holds some that were altered; the message says where."""

    code = "invalid"


def seal(svc: Service, *, patience: float = PATIENCE, rounds: int | None = ROUNDS) -> int | None:
    """Seal what has been added since the last seal; how many lines.  None: others are still writing, nothing was done."""
    with svc.sessions() as session:
        upto = settled(session, patience=patience)
    if upto is None:
        return None
    sealed = 0
    while rounds is None or rounds > 0:
        try:
            with svc.writing() as session:
                some = seal_some(session, upto, now=svc.now())
        except IntegrityError:
            return sealed  # somebody else has added the same seal
        if not some:
            return sealed
        sealed += some
        rounds = None if rounds is None else rounds - 1
    return sealed


def verify(svc: Service, held: Mapping[int, Seal] | None = None) -> Check:
    """Look at every seal and every sealed line, all of it as of one instant.  ``held``: seals kept elsewhere, by number."""
    with svc.reading() as session:
        return sealcheck.check(session, held, secret=svc.settings.secret)


def export(svc: Service, *, after: int = 0) -> Iterator[str]:
    """The seals after a number as text, a line each, a head before them."""
    with svc.reading() as session:
        last = newest(session)
        head = {"format": FORMAT, "version": VERSION, "made": svc.now(), "after": after, "last": None if last is None else last.number}
        yield json.dumps(head)
        for one in listed(session, after=after):
            yield json.dumps(asdict(one))


def read(lines: Iterable[str]) -> dict[int, Seal]:
    """The seals of a text that ``export`` has made, by number.  Raises NotSeals."""
    found: dict[int, Seal] = {}
    head: dict[str, Any] | None = None
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
            if head is None:
                head = value if isinstance(value, dict) and value.get("format") == FORMAT and value.get("version") == VERSION else None
                if head is None:
                    raise NotSeals("line 1: this is no file of seals")
                continue
            one = Seal(**value)
        except (ValueError, TypeError):
            raise NotSeals(f"line {number}: this is no seal") from None
        if not one.fits():
            raise NotSeals(f"line {number}: seal {one.number} was altered in this file")
        found[one.number] = one
    if head is None:
        raise NotSeals("the file is empty")
    if head.get("last") is not None and head["last"] > max(found, default=head.get("after", 0)):
        raise NotSeals(f"the file is cut off: it should end with seal {head['last']}")
    return found
