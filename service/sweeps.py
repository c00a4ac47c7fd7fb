"""Records that vanish without a word: what a sweep did not find is asked for once more, and taken back.

Imports adapters/, store/ and service/.
"""

from __future__ import annotations

from adapters.base import Adapter, Page, Record
from adapters.interpret import GONE
from service.bootstrap import Service
from service.sources import Configured
from service.taking import note_present, take_records
from service.turn import LEASE_MS, renewing
from store import sources
from store.sources import Turn

AT_ONCE = 200


def take_back(svc: Service, source: Configured, adapter: Adapter, turn: Turn, page: Page, kind: str) -> None:
    """Take back what the sweep that ends with ``page`` did not find and the system no longer knows."""
    with svc.writing() as session:
        sources.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
        note_present(session, source, page)
    _take_back_absent(svc, source, adapter, turn, kind, page.sweep)


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
                found += [one for one in adapter.fetch(kind, ref) if (one.kind, one.ref) == (kind, ref)] or [Record(kind, ref, gone=True)]
        counts = take_records(svc, source, found, turn)
        with svc.writing() as session:
            sources.note_present(session, source.uri, kind, refs, sweep)
        svc.metrics.pulled.labels(source.name, "gone").inc(counts["accepted"])
