"""Records that vanish without a word: what a sweep did not find is asked for once more, and taken back.

Where most of what was there is suddenly gone, more likely a view has lost its rows, a role its rights or a system its database than
that so many records were deleted.  Then nothing is taken back and the source says so, until somebody confirms it or the records are
there again.  Imports adapters/, store/ and service/.
"""

from __future__ import annotations

from typing import Any

from adapters.base import Adapter, Page, Record, Withheld
from adapters.interpret import GONE
from service.bootstrap import Service
from service.errors import NotPossible
from service.logs import get
from service.sources.definitions import Configured
from service.sources.taking import note_present, take_records
from service.sources.turn import LEASE_MS, renewing
from store import sources
from store.sources import Turn

AT_ONCE = 200
FEW, SOME = 3, 10
"""So many records that are all gone, or so many that are more than half of those known, are too many to be taken back unasked."""
SAMPLE = 20
"""How many of the records that a sweep missed are asked for to see whether they are there again."""

_log = get("sweeps")


def take_back(svc: Service, source: Configured, adapter: Adapter, turn: Turn, page: Page, kind: str) -> None:
    """Take back what the sweep that ends with ``page`` did not find and the system no longer knows, unless that is nearly everything."""
    with svc.writing() as session:
        sources.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
        note_present(session, source, page)
        known, absent = sources.count_absent(session, source.uri, kind, page.sweep, gone=GONE)
        noted = sources.vanished(session, source.uri)
        too_much = (absent == known and known >= FEW) or (absent >= SOME and absent * 2 > known)
        if too_much:
            noted[kind] = {"sweep": page.sweep, "absent": absent, "known": known, "at": svc.now()}
            sources.note_vanished(session, source.uri, noted)
        elif noted.pop(kind, None) is not None:
            sources.note_vanished(session, source.uri, noted)
    if too_much:
        _log.warning("sweep_found_too_little", source=source.name, kind=kind, absent=absent, known=known)
        return
    _take_back_absent(svc, source, adapter, turn, kind, page.sweep)


def settle(svc: Service, source: Configured, adapter: Adapter, turn: Turn) -> None:
    """Before a pull: take back what somebody has confirmed to be gone; forget the doubt where the records are there again."""
    with svc.reading() as session:
        noted = sources.vanished(session, source.uri)
    for kind, found in sorted(noted.items()):
        if found.get("confirmed") is not None:
            with svc.reading() as session:
                _, absent = sources.count_absent(session, source.uri, kind, found["sweep"], gone=GONE)
            if absent <= found["absent"]:
                _take_back_absent(svc, source, adapter, turn, kind, found["sweep"])
        elif not _there_again(svc, source, adapter, turn, kind, found["sweep"]):
            continue
        with svc.writing() as session:
            sources.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
            rest = {name: one for name, one in sources.vanished(session, source.uri).items() if name != kind}
            sources.note_vanished(session, source.uri, rest)


def doubt(svc: Service, source: Configured) -> str | None:
    """What is said of a source of which nearly everything seems to be gone; None where nothing is amiss."""
    words = missing(svc, source)
    if not words:
        return None
    return f"{words} are suddenly gone: nothing was taken back; look there, or confirm it (duecare adapters confirm {source.name})"


def missing(svc: Service, source: Configured) -> str:
    """What waits to be confirmed, in words: ``1,200 of 1,204 cases``; empty where nothing does."""
    with svc.reading() as session:
        noted = sources.vanished(session, source.uri)
    open_ = [(kind, found) for kind, found in sorted(noted.items()) if found.get("confirmed") is None]
    return " and ".join(f"{found['absent']:,} of {found['known']:,} {kind}" for kind, found in open_)


def confirm(svc: Service, source: Configured, *, by: str) -> dict[str, int]:
    """Somebody has looked: the records are gone, and are taken back at the next pull, which comes soon; how many of each kind.

    Raises NotPossible where nothing waits to be confirmed.
    """
    now = svc.now()
    with svc.writing() as session:
        sources.lock(session, source.uri, adapter=source.kind.name)
        noted: dict[str, Any] = sources.vanished(session, source.uri)
        waiting = {kind: found for kind, found in noted.items() if found.get("confirmed") is None}
        if not waiting:
            raise NotPossible("nothing of this source waits to be confirmed")
        sources.note_vanished(session, source.uri, noted | {kind: found | {"confirmed": now, "by": by} for kind, found in waiting.items()})
        sources.ask_soon(session, source.uri, adapter=source.kind.name, now=now)
    _log.warning("sweep_confirmed", source=source.name, by=by, **{kind: found["absent"] for kind, found in waiting.items()})
    return {kind: found["absent"] for kind, found in waiting.items()}


def _there_again(svc: Service, source: Configured, adapter: Adapter, turn: Turn, kind: str, sweep: int) -> bool:
    with svc.reading() as session:
        refs = sources.absent(session, source.uri, kind, sweep, gone=GONE, limit=SAMPLE)
    with renewing(svc, turn):
        found = [ref for ref in refs if any(not one.gone for one in _asked_for_again(adapter, kind, ref))]
    return len(found) * 2 > len(refs) or not refs


def _take_back_absent(svc: Service, source: Configured, adapter: Adapter, turn: Turn, kind: str, sweep: int) -> None:
    """Records that a sweep did not find, each asked for once more: what the system no longer knows is gone."""
    while True:
        with svc.reading() as session:
            refs = sources.absent(session, source.uri, kind, sweep, gone=GONE, limit=AT_ONCE)
        if not refs:
            return
        found: list[Record] = []
        with renewing(svc, turn):
            for ref in refs:
                found += _asked_for_again(adapter, kind, ref)
        counts = take_records(svc, source, found, turn)
        with svc.writing() as session:
            sources.note_present(session, source.uri, kind, refs, sweep)
        svc.metrics.pulled.labels(source.name, "gone").inc(counts["accepted"])


def _asked_for_again(adapter: Adapter, kind: str, ref: str) -> list[Record]:
    """A record as it stands, or gone; none where we may no longer read it: what is known of it stays as it is."""
    try:
        found = adapter.fetch(kind, ref)
    except Withheld:
        return []
    return [one for one in found if (one.kind, one.ref) == (kind, ref)] or [Record(kind, ref, gone=True)]
