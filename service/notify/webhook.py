"""One message to another system: a POST, signed as Standard Webhooks asks.  Imports adapters.web, service.signatures and this package."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from adapters.base import AdapterError
from adapters.web import Web
from service.notify.config import Webhook
from service.signatures import ID, SIGNATURE, TIMESTAMP, sign

GONE = 410


class NotTaken(Exception):
    """A message that was not taken.  ``retry_after`` (s): when to come back, as the receiver says.  The words are fit to be shown.

    ``silent``: the receiver takes nothing at all now; else it is this message that it does not take.  ``final``: it never will.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, silent: bool = False, final: bool = False) -> None:
        super().__init__(message)
        self.retry_after, self.silent, self.final = retry_after, silent, final


def body_of(topic: str, told: Mapping[str, Any]) -> bytes:
    """What is sent: type, timestamp and data."""
    data = {name: value for name, value in told.items() if name != "at"}
    return json.dumps({"type": topic, "timestamp": told["at"], "data": data}, ensure_ascii=False, separators=(",", ":")).encode()


def headers(message_id: str, body: bytes, secrets: Sequence[str], *, now: int) -> dict[str, str]:
    """What goes with a body: its id, ``now`` (ms) and a signature by each of the secrets."""
    seconds = now // 1000
    signatures = " ".join(sign(secret, message_id=message_id, timestamp=seconds, body=body) for secret in secrets)
    return {"Content-Type": "application/json", ID: message_id, TIMESTAMP: str(seconds), SIGNATURE: signatures}


class Line:
    """A connection to one receiver, opened at the first message and kept for the next ones.  For one thread at a time."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._web: Web | None = None

    def post(self, message_id: str, body: bytes, *, now: int) -> None:
        """Hand it over.  ``now`` (ms) is signed with it.  Raises NotTaken."""
        told = self._webhook
        try:
            secrets = [one.value() for one in (told.secret, told.old_secret) if one is not None]
        except AdapterError as error:
            raise NotTaken(str(error), silent=True) from None
        parts = urlsplit(told.url)
        where = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            if self._web is None:
                self._web = Web(told.limits())
            status = self._web.deliver(where, body, headers(message_id, body, secrets, now=now))
        except AdapterError as error:
            raise NotTaken(_words(str(error)), retry_after=error.retry_after, silent=True) from None
        if not 200 <= status < 300:
            raise NotTaken(_refusal(status), silent=status >= 500 or status in (401, 403, 404), final=status == GONE)

    def close(self) -> None:
        if self._web is not None:
            self._web.close()


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"it answers {status}, a redirect, which is not followed: give the address that it leads to"
    if status == GONE:
        return "it answers 410: it wants no more of this"
    return f"it answers {status}"


def _words(message: str) -> str:
    return message.replace("the system's", "its").replace("the system ", "it ")
