"""Keeping the turn to ask a source while the client system thinks.  Imports store/ and service/."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.bootstrap import Service
from service.logs import get
from store import sources
from store.sources import Turn

LEASE_MS = 30_000
"""How long we may be silent before another process may think that we have died: so long a source rests when its process was killed."""
RENEWALS = 360
"""How often the lease is renewed while the system does not answer: three times in a lease, so for an hour."""

_log = get("pull")


@contextmanager
def renewing(svc: Service, turn: Turn, *, every: float = LEASE_MS / 3000) -> Iterator[None]:
    """Renews the lease each ``every`` seconds: a system that answers more slowly than a lease lasts could else never be read."""
    done = threading.Event()

    def renew() -> None:
        for _ in range(RENEWALS):
            if done.wait(every):
                return
            try:
                with svc.writing() as session:
                    sources.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
            except Exception as error:  # noqa: BLE001 - whoever holds the turn finds out at its next page
                _log.warning("lease_not_renewed", source=turn.source, exc_info=error)
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
