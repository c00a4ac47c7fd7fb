"""A client system on loopback for tests: a small HTTP server that does what it is told, and lists of records with every trap seen.

Imports the standard library and nothing of the product.  Every answer's Date header tells the system's own clock, which tests set.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email.utils
import gzip
import json
import random
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

SECOND = 1000


def ms(text: str) -> int:
    """Ms of a time in UTC."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def iso(when: int, *, part: str = "milliseconds") -> str:
    return dt.datetime.fromtimestamp(when / 1000, dt.UTC).isoformat(timespec=part).replace("+00:00", "Z")


@dataclass
class Ask:
    """A request as it came."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Say:
    """An answer: JSON, or bytes as they are; ``raw`` writes to the connection by itself."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: Callable[[socket.socket], object] | None = None


class Site:
    """A server on loopback.  ``answer`` says what it answers; ``asked`` is what it was asked."""

    def __init__(self, answer: Callable[[Ask], Say] = lambda _: Say({}), *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.asked: list[Ask] = []
        self.now: Callable[[], int] | None = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                self._do()

            def do_POST(self) -> None:
                self._do()

            def _do(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                ask = Ask(self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)
                site.asked.append(ask)
                say = site.answer(ask)
                if say.raw is not None:
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        say.raw(self.connection)
                    return
                content = say.body if isinstance(say.body, bytes) else json.dumps(say.body).encode()
                self.send_response_only(say.status)
                for name, value in {"Content-Length": str(len(content)), "Content-Type": "application/json", **say.headers}.items():
                    self.send_header(name, value)
                if site.now is not None:
                    self.send_header("Date", email.utils.formatdate(site.now() / 1000, usegmt=True))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "http" if tls is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Records:
    """A system's records, and a list of them.

    ``style``: how its pages go on.  ``late``: records that are written but not committed yet.  Its filter is inclusive and cut to
    seconds; equal times come in another order each time.  ``between`` is called after each page: what happens meanwhile.
    """

    now: int = ms("2026-03-20T02:00:00")
    style: str = "page"
    family: str = "F1"
    name: str = "visits"
    largest: int = 1_000
    total: bool = True
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    between: Callable[[int], object] = lambda _: None
    pages: int = 0
    known: Callable[[Ask], bool] = lambda _: True
    lapsed: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    flaw: Callable[[Ask], Say | None] = lambda _: None

    def put(self, ref: str, *, at: int | None = None, late: bool = False, **values: Any) -> None:
        """Write a record; its time of change is the system's now, unless told."""
        old = self.rows.get(
            ref, {"id": ref, "family": self.family, "held": iso(ms("2026-03-02T00:00:00")), "status": "done", "seen": ["c1"]}
        )
        self.rows[ref] = {**old, **values, "updated": at if at is not None else self.now}
        (self.late.add if late else self.late.discard)(ref)

    def drop(self, ref: str) -> None:
        del self.rows[ref]

    def pass_time(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    def __call__(self, ask: Ask) -> Say:
        flawed = self.flaw(ask)
        if flawed is not None:
            return flawed
        if ask.path.startswith(f"/{self.name}/"):
            row = self.rows.get(ask.path.rpartition("/")[2])
            return Say(self._shown(row)) if row is not None and self.known(ask) else Say({"error": "none"}, 404)
        if ask.path == "/me":
            return Say({"user": {"name": "reader"}} if self.known(ask) else {"user": None})
        if ask.path != f"/{self.name}":
            return Say({"error": "no path"}, 404)
        said = self._page(ask)
        self.pages += 1
        self.between(self.pages)
        return said

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "updated": iso(row["updated"])}

    def _found(self, params: dict[str, str]) -> list[dict[str, Any]]:
        since = params.get("since")
        floor = ms(since) if since else 0
        found = [row for ref, row in self.rows.items() if ref not in self.late and row["updated"] // SECOND >= floor // SECOND]
        self.chance.shuffle(found)
        return sorted(found, key=lambda row: row["updated"] // SECOND)

    def _page(self, ask: Ask) -> Say:
        if not self.known(ask):
            return Say({"data": [], "meta": {"total": 0}})
        params = ask.params
        size = min(int(params.get("per", 20)), self.largest)
        if self.style in ("cursor", "next", "link"):
            return self._keyset(ask, size)
        found = self._found(params)
        start = int(params.get("offset", 0)) if self.style == "offset" else (int(params.get("page", 1)) - 1) * size
        meta = {"total": len(found)} if self.total else {}
        return Say({"data": [self._shown(row) for row in found[start : start + size]], "meta": meta})

    def _keyset(self, ask: Ask, size: int) -> Say:
        params = ask.params
        after: list[Any] = [-1, ""]
        if "cursor" in params:
            if self.lapsed:
                self.lapsed = False
                return Say({"error": "unknown cursor"}, 410)
            after = json.loads(base64.urlsafe_b64decode(params["cursor"]))
        found = sorted(self._found(params), key=lambda row: (row["updated"], row["id"]))
        rest = [row for row in found if [row["updated"], row["id"]] > after]
        page = rest[:size]
        body: dict[str, Any] = {"data": [self._shown(row) for row in page]}
        headers = {}
        if len(rest) > size:
            cursor = base64.urlsafe_b64encode(json.dumps([page[-1]["updated"], page[-1]["id"]]).encode()).decode()
            link = f"/{self.name}?" + urlencode({**params, "cursor": cursor})
            if self.style == "cursor":
                body["next"] = {"cursor": cursor}
            elif self.style == "next":
                body["next"] = link
            else:
                headers["Link"] = f'<{link}>; rel="next"'
        return Say(body, headers=headers)


def bomb(size: int) -> bytes:
    """Very little that becomes very much."""
    return gzip.compress(b" " * size)


def drip(head: bytes, piece: bytes, times: int, each: Callable[[], object]) -> Callable[[socket.socket], None]:
    """An answer that comes piece by piece."""

    def write(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(times):
            each()
            connection.sendall(piece)

    return write


class Authority:
    """A certificate authority of a test's own, made with openssl."""

    def __init__(self, home: Path) -> None:
        self.home = home
        program = shutil.which("openssl")
        if program is None:
            raise FileNotFoundError("openssl")
        self._program = program
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                  "-days", "2", "-subj", "/CN=authority of a test")  # fmt: skip

    @property
    def file(self) -> str:
        return str(self.home / "ca.pem")

    def server(self, name: str, san: str, *, days: int = 2) -> ssl.SSLContext:
        """What a server shows that is called ``san`` (``IP:127.0.0.1``)."""
        (self.home / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                  "-out", f"{name}.csr", "-subj", "/CN=server of a test")  # fmt: skip
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem",
                  "-days", str(days), "-extfile", f"{name}.ext")  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.home / f"{name}.pem", self.home / f"{name}.key")
        return context

    def _run(self, *words: str) -> None:
        subprocess.run([self._program, *words], cwd=self.home, check=True, capture_output=True)
