"""Reading ahead: while one page is written to the store, the next is read from the client system and interpreted.

Both take about as long, and one of them mostly waits for a database.  The adapter is used by one thread at a time, though not always
by the same one.  Imports adapters/ and service/.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass

from adapters.base import Adapter, Cursor, Page
from adapters.interpret import Interpreted, interpret
from service.bootstrap import Service
from service.sources.definitions import Configured
from store.sources import Ref


@dataclass(frozen=True, slots=True)
class Ready:
    """A page, and what its records are by the mapping."""

    page: Page
    found: Mapping[Ref, Interpreted]


class Ahead:
    """One reader of a source; ``close`` waits until nobody uses the adapter any more."""

    def __init__(self, svc: Service, source: Configured, adapter: Adapter) -> None:
        self._svc, self._source, self._adapter = svc, source, adapter
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._next: Future[Ready] | None = None

    def begin(self, cursor: Cursor | None) -> None:
        """Read the page behind ``cursor`` meanwhile."""
        self._next = self._thread.submit(self._read, cursor)

    def wait(self) -> Ready:
        """The page that was begun.  Raises what reading it has raised: AdapterError, for one."""
        assert self._next is not None
        return self._next.result()

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _read(self, cursor: Cursor | None) -> Ready:
        page = self._adapter.pull(deepcopy(cursor))  # it is being stored at the same time
        received = self._svc.now()
        newest = {(record.kind, record.ref): record for record in page.records}
        return Ready(page, {ref: interpret(self._source.mapping, record, received=received) for ref, record in newest.items()})
