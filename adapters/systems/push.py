"""A client system that is never asked: it sends CloudEvents of its own kinds, and its mapping says what they mean.

Imports adapters.base only.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record


class Settings(BaseModel):
    """Nothing: what it sends is described by `push` and `mapping`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Push:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(self) -> Connection:
        return Connection(None, {"events": "sent to POST /v1/events; nothing is asked for"})

    def pull(self, cursor: Cursor | None) -> Page:
        return Page([], cursor or {})

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:  # noqa: ARG002 - it cannot be asked for any
        raise AdapterError("this system is not asked for its records: it has to send the event again")

    def close(self) -> None:
        """There is nothing to give back."""


KIND = Kind("push", "A system that sends CloudEvents of its own kinds, which its mapping turns into ours.", Settings, Push, asked=False)
