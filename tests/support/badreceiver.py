"""A receiver of webhooks as a process of its own: ``python -m tests.support.badreceiver PORT FILE SEED``.

It notes each message on disk before it answers, and is as bad as receivers are: some it refuses, of some it keeps the answer to itself.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BAD = 0.15


def main() -> None:
    port, file, seed = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fate = rng.random()
            if fate < BAD:
                self._answer(503)
                return
            line = json.dumps({"id": self.headers["webhook-id"], "body": body.decode()}) + "\n"
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(handle, line.encode())
            os.close(handle)
            if fate < 2 * BAD:
                self.close_connection = True  # taken, and nobody is told
                return
            self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def received(file: Path) -> dict[str, list[str]]:
    """By id what came under it, each time that it came."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in file.read_text().splitlines() if file.exists() else ():
        told = json.loads(line)
        found[told["id"]].append(told["body"])
    return found


if __name__ == "__main__":
    main()
