"""Receivers on loopback for tests of notifications: who is told, in a file, and a mail server that keeps what it is given."""

from __future__ import annotations

import json
import socketserver
import threading
from pathlib import Path
from typing import Any, Self

SECRET = "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaA=="


def write(path: Path, **parts: Any) -> None:
    """A file as DUECARE_NOTIFY names it; JSON is YAML."""
    path.write_text(json.dumps(parts), "utf-8")


def webhook(url: str, name: str = "partner", **more: Any) -> dict[str, Any]:
    return {"name": name, "url": url, "secret": {"env": "NOTIFY_SECRET"}, "allow_private": True, **more}


class MailServer:
    """Takes every mail, as (from, to, text)."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, str]] = []
        mails = self.mails

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                sender = to = ""
                self.say("220 here")
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    word = line.upper()
                    if word.startswith("MAIL FROM:"):
                        sender = line[10:].split()[0].strip("<>")
                    elif word.startswith("RCPT TO:"):
                        to = line[8:].split()[0].strip("<>")
                        if "refused" in to:
                            self.say("550 no such mailbox")
                            continue
                    elif word == "DATA":
                        self.say("354 go on")
                        lines = []
                        while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                            lines.append(text)
                        mails.append((sender, to, "\n".join(lines)))
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    self.say("250 ok")

            def say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
