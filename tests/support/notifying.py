"""Receivers on loopback for tests of notifications: who is told, in a file, and a mail server that keeps what it is given."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.support.receiver import SECRET
from tests.support.servers import free_port

USER, PASSWORD = "duecare", "not a secret"
__all__ = ["PASSWORD", "SECRET", "USER", "MailServer", "webhook", "write"]


def write(path: Path, **parts: Any) -> None:
    """A file as DUECARE_NOTIFY names it; JSON is YAML."""
    path.write_text(json.dumps(parts), "utf-8")


def webhook(url: str, name: str = "partner", **more: Any) -> dict[str, Any]:
    return {"name": name, "url": url, "secret": {"env": "NOTIFY_SECRET"}, "allow_private": True, **more}


class MailServer:
    """A mail server (aiosmtpd) that keeps every mail, as (from, to, text); it takes none for an address with ``refused`` in it.

    ``tls``: it asks for STARTTLS first, and then for the password of ``USER``.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[tuple[str, str, str]] = []
        secured: dict[str, Any] = {}
        if tls is not None:
            secured = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": _known}
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port(), ready_timeout=60.0, **secured)

    async def handle_RCPT(self, _: Any, __: Any, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        if "refused" in address:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 ok"

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.mails += [(envelope.mail_from or "", to, envelope.content.decode().replace("\r\n", "\n")) for to in envelope.rcpt_tos]
        return "250 ok"

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


def _known(_: Any, __: Any, ___: Any, ____: str, told: Any) -> AuthResult:
    good = isinstance(told, LoginPassword) and (told.login, told.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)
