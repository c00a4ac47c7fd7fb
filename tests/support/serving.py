"""An application behind waitress on loopback, in a thread of the tests, which is over at once when it is no longer wanted.

A browser holds its connections for minutes, and the server's own ``close`` leaves those open, so that its thread goes on as long: here
they are closed with it.  Imports waitress.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flask import Flask


@contextmanager
def serving(app: Flask, *, threads: int = 2, **options: Any) -> Iterator[int]:
    """``app`` on a port of its own, which is given.  ``options`` are waitress's."""
    from waitress.server import create_server  # type: ignore[import-untyped]

    server = create_server(app, host="127.0.0.1", port=0, threads=threads, **options)

    def end() -> None:
        for one in list(server._map.values()):
            if one is not server:
                one.handle_close()
        server.close()

    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.task_dispatcher.shutdown()
        with suppress(OSError):  # its thread may be quicker: it then has closed the trigger before this has written into it
            server.trigger.pull_trigger(end)
        thread.join(timeout=120)
        assert not thread.is_alive()
