"""The reject list: records of client systems that could not be taken in, tried again or set aside.  Imports adapters/, store/, service/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.base import AdapterError, Record
from service.bootstrap import Service
from service.sources.definitions import Configured
from service.sources.pushed import KIND, as_pushed, take_again
from service.sources.refused import fields_of
from service.sources.taking import Pulled, take_one, take_records
from store import holds, sources
from store.queue import mark_dirty


def replay(svc: Service, source: Configured) -> Pulled:
    """Try every record of the source's reject list again, under the mapping as it is now."""
    done = Pulled(source.name)
    last = 0
    while True:
        with svc.reading() as session:
            rows = sources.open_rejects(session, source.uri, after=last)
            kept = [(row.id, row.kind, row.ref, _fields(source, row.kind, row.payload)) for row in rows]
        if not kept:
            return done
        last = kept[-1][0]
        records = [Record(kind, ref, fields) for _, kind, ref, fields in kept if fields is not None]
        pulled = [one for one in records if not one.kind.startswith(KIND)]
        done.counts.update(take_records(svc, source, pulled) if pulled else {})
        pushed = [one for one in records if one.kind.startswith(KIND)]
        done.counts.update(take_again(svc, source, pushed) if pushed else {})
        for _, kind, ref, fields in kept:
            if fields is None:
                done.error = _ask_again(svc, source, kind, ref, done) or done.error


def _fields(source: Configured, kind: str, payload: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return fields_of(as_pushed(source).mapping if kind.startswith(KIND) else source.mapping, payload)


def _ask_again(svc: Service, source: Configured, kind: str, ref: str, done: Pulled) -> str | None:
    """A record of which too little was kept, as the system has it now; why it could not be had."""
    if kind.startswith(KIND):
        return "of an event, not all was kept that the mapping reads now: the system has to send it again"
    try:
        found = take_one(svc, source, kind, ref)
    except AdapterError as error:
        return str(error)
    done.counts.update(found.counts)
    if found.counts["records"]:
        return None
    return f"of a record, not all was kept that is read now: read the source again (duecare adapters pull {source.name} --from-start)"


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
