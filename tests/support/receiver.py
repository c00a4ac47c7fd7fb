"""A receiver of webhooks as a process of its own, which checks each signature with the package of Standard Webhooks.

It writes a line of JSON for each message before it answers.  ``python -m tests.support.receiver FILE PORT PAUSE`` is the process; it
imports that package and the standard library, and nothing of the product.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaA=="


class Receiver:
    """``with Receiver(file) as receiver``: takes what is sent to ``receiver.url``; ``stop`` and ``start`` again on the same port."""

    def __init__(self, file: Path, *, pause: float = 0.0) -> None:
        self.file, self.pause, self.port = file, pause, 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self) -> Self:
        command = [sys.executable, "-m", "tests.support.receiver", str(self.file), str(self.port), str(self.pause)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def stop(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def lines(self) -> list[dict[str, Any]]:
        """All messages, in the order in which they were answered: ``id``, ``good`` (the signature) and ``body``."""
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]

    def taken(self) -> list[dict[str, Any]]:
        """Each message once, where it came first."""
        return list({one["id"]: one for one in reversed(self.lines())}.values())[::-1]


def serve(file: str, port: int, pause: float) -> None:
    """Take messages until killed; prints the port first."""
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    checks, alone = Webhook(SECRET), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(pause)
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                body, good = checks.verify(raw, headers), True
            except WebhookVerificationError:
                body, good = {}, False
            with alone, Path(file).open("a", encoding="utf-8") as log:
                log.write(json.dumps({"id": headers.get("webhook-id"), "good": good, "body": body}) + "\n")
            self.send_response(204 if good else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", port), Handler) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
