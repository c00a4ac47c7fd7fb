"""The reject list: records of client systems that could not be taken in, tried again or set aside.  Imports adapters/, store/, service/."""

from __future__ import annotations

from adapters.base import AdapterError, Record
from service.bootstrap import Service
from service.pushed import KIND, take_again
from service.sources import Configured
from service.taking import Pulled, take_one, take_records
from store import holds, sources
from store.queue import mark_dirty


def replay(svc: Service, source: Configured) -> Pulled:
    """Try every record of the source's reject list again, under the mapping as it is now."""
    done = Pulled(source.name)
    last = 0
    while True:
        with svc.reading() as session:
            rows = sources.open_rejects(session, source.uri, after=last)
            kept = [(row.id, row.kind, row.ref, row.payload) for row in rows]
        if not kept:
            return done
        last = kept[-1][0]
        records = [Record(kind, ref, payload) for _, kind, ref, payload in kept if payload is not None]
        pulled = [one for one in records if not one.kind.startswith(KIND)]
        done.counts.update(take_records(svc, source, pulled) if pulled else {})
        pushed = [one for one in records if one.kind.startswith(KIND)]
        done.counts.update(take_again(svc, source, pushed) if pushed else {})
        for _, kind, ref, payload in kept:
            if payload is None and kind.startswith(KIND):
                done.error = "an event was too large to be kept: the system has to send it again"
            elif payload is None:  # it was too large to be kept: the system is asked for it again
                try:
                    done.counts.update(take_one(svc, source, kind, ref).counts)
                except AdapterError as error:
                    done.error = str(error)


def dismiss(svc: Service, source: Configured, reject: int, *, by: str) -> bool:
    """Set a refused record aside for good, and what it held back with it; whether it was on the list."""
    now = svc.now()
    with svc.writing() as session:
        sources.lock(session, source.uri, adapter=source.kind.name)
        ref = sources.dismiss(session, source.uri, reject, by=by, now=now)
        if ref is None:
            return False
        again = holds.release(session, source.uri, [ref], now)
        mark_dirty(session, again, now)
    svc.hints.send(sorted(again))
    return True
