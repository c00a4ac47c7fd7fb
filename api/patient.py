"""How gunicorn runs us: threads that a slow client cannot occupy.  ``gunicorn --worker-class api.patient.Patient``.

gunicorn's own threads wait for the rest of a request as long as its sender likes: eight who send a byte now and then keep eight threads,
and nobody else is served.  Here a request gets a thread when its head has come, and its body where that is short; until then it costs an
open connection, for ``HEAD_SECONDS`` at most.  Long bodies get half of the threads and have to come at a certain speed.  A proxy that
takes requests in whole does the same and more; this holds without one.

Each request is told how long it has waited for its thread (``WAITED``), so that ``api.limits`` can refuse what comes too late.

The kernel holds what has come (it is looked at, not read), and SO_RCVLOWAT has it wake us only when there is more.
Imports gunicorn and api.limits.
"""

from __future__ import annotations

import re
import selectors
import socket
import threading
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from api.limits import WAITED

HEAD_SECONDS = 10.0
"""For a head, with a short body, to come; as long may an idle new connection stay."""
STOPPING_SECONDS = 1.0
LONGEST_HEAD = 32 * 1024
SHORT_BODY = 16 * 1024
IDLE_SECONDS = 10.0
"""Between two pieces of a long body."""
SLOWEST = 32 * 1024
"""Bytes a second of a long body, on average, after the first ``IDLE_SECONDS``."""
AT_ONCE = 16
"""Connections to take in between two looks at the others: busy threads leave few looks a second, other processes have their share too."""
SEND_SECONDS = 60.0
"""For a client to take a piece of an answer."""
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class Timed:
    """A socket on which no step of a thread takes for ever."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._read = 0
        self._since = time.monotonic()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def setblocking(self, flag: bool) -> None:
        self._inner.settimeout(SEND_SECONDS if flag else 0.0)

    def peek(self, size: int) -> bytes | None:
        """What has come, left where it is; None: nothing yet.  Empty: the other side has ended.  Raises OSError."""
        self._inner.settimeout(0.0)
        try:
            return self._inner.recv(size, socket.MSG_PEEK)
        except BlockingIOError:
            return None

    def begin(self) -> None:
        """A request begins to be read."""
        self._read, self._since = 0, time.monotonic()

    def recv(self, size: int, flags: int = 0) -> bytes:
        allowed = IDLE_SECONDS + self._read / SLOWEST
        if time.monotonic() - self._since > allowed:
            raise ConnectionResetError("a request that comes too slowly")
        self._inner.settimeout(IDLE_SECONDS)
        try:
            got = self._inner.recv(size, flags)
        except TimeoutError:
            raise ConnectionResetError("a request that does not go on") from None
        finally:
            self._inner.settimeout(SEND_SECONDS)
        self._read += len(got)
        return got


class Patient(ThreadWorker):  # type: ignore[misc]
    """See the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._coming: dict[TConn, float] = {}
        """Connections whose request has not come yet, and until when they may stay; the oldest first."""
        self._long: set[TConn] = set()
        self._queue: deque[tuple[TConn, float]] = deque()
        """Long bodies that wait for a thread, and since when."""
        self._turn = threading.local()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        inner = self.wsgi  # type: ignore[has-type]

        def told(environ: dict[str, Any], start_response: Any) -> Any:
            environ[WAITED] = self._turn.waited
            return inner(environ, start_response)

        self.wsgi = told

    def enqueue_req(self, conn: TConn) -> None:
        conn.since = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        self._turn.waited = time.monotonic() - conn.since
        return super().handle(conn)

    def accept(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                found, client = listener.accept()
            except OSError:
                return
            self.nr_conns += 1
            self._await(TConn(self.cfg, Timed(found), client, listener.getsockname()))

    def on_client_socket_readable(self, conn: TConn, client: Any) -> None:
        """A connection that was kept alive brings its next request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await(conn)

    def murder_pending(self) -> None:
        """Close what has not come in time; while we stop, sooner.  What has come while we had no time to look is given its thread."""
        now = time.monotonic() + (0.0 if self.alive else HEAD_SECONDS - STOPPING_SECONDS)
        for conn in [one for one, until in self._coming.items() if until <= now]:
            self._await(conn)
            if conn in self._coming:
                self._forget(conn)
                self._drop(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """A thread is free again."""
        if conn in self._long:
            self._long.discard(conn)
            if self._queue:
                waiting, since = self._queue.popleft()
                self._give(waiting, long=True, since=since)
        ahead = b"" if conn.parser is None else conn.parser.unreader.buf.getvalue()
        if ahead and _END not in ahead:
            self._drop(conn)  # the beginning of another request behind the one that was answered: no thread waits for the rest
        else:
            conn.sock.begin()
            super().finish_request(conn, fs)

    def _await(self, conn: TConn) -> None:
        """Give the connection a thread if its request has come; else look again when there is more of it."""
        try:
            seen = conn.sock.peek(LONGEST_HEAD + SHORT_BODY)
        except OSError:
            seen = b""
        if seen == b"":
            self._forget(conn)
            self._drop(conn)
            return
        head, end, body = (seen or b"").partition(_END)
        if not end:
            if len(head) >= LONGEST_HEAD:
                self._forget(conn)
                self._drop(conn)
            else:
                self._wait(conn, len(head))
            return
        length = _LENGTH.search(head + b"\r\n")
        long = _CHUNKED.search(head) is not None or (length is not None and int(length[1]) > SHORT_BODY)
        if length is not None and not long and len(body) < int(length[1]):
            self._wait(conn, len(seen or b""))
            return
        self._forget(conn)
        if long and len(self._long) >= max(1, self.cfg.threads // 2):
            self._queue.append((conn, time.monotonic()))
        else:
            self._give(conn, long=long, since=time.monotonic())

    def _wait(self, conn: TConn, seen: int) -> None:
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, seen + 1)
        if conn not in self._coming:
            self._coming[conn] = time.monotonic() + HEAD_SECONDS
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))

    def _more(self, conn: TConn, _: Any) -> None:
        self._await(conn)

    def _forget(self, conn: TConn) -> None:
        if self._coming.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)

    def _give(self, conn: TConn, *, long: bool, since: float) -> None:
        if long:
            self._long.add(conn)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        conn.sock.begin()
        conn.data_ready = True
        conn.since = since
        super().enqueue_req(conn)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()
