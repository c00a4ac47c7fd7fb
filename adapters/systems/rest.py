"""Any JSON interface over HTTP, by configuration: who we are, which lists there are, how they are paged, where the records stand.

Imports adapters.auth, adapters.lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from adapters.auth import Who, signed_in
from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record
from adapters.convert import ISO, Formats
from adapters.lists import Listing, Lists
from adapters.mapping_schema import look_up
from adapters.web import Limits


class Identity(BaseModel):
    """Where the system says as whom it knows us.  Some answer everybody with an empty list: this tells the difference."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: str
    at: str
    expect: str | None = None
    """Who we must be."""


class Settings(Limits):
    """What a source of this kind needs to know."""

    auth: Who = Field(default_factory=Who)
    identity: Identity | None = None
    lists: list[Listing] = Field(min_length=1)
    overlap: int = Field(default=300, ge=1, le=604_800)
    """Seconds by which each round begins before the last one's watermark."""
    time: list[str] = Field(default_factory=lambda: [ISO], min_length=1)
    """How the system writes the times of change: iso, epoch, epoch_ms, or a pattern."""
    zone: str | None = None
    """The time zone of those that carry no offset."""

    @model_validator(mode="before")
    @classmethod
    def _zone_of_the_source(cls, data: Any, info: ValidationInfo) -> Any:
        return {"zone": (info.context or {}).get("zone"), **data} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _kinds_apart(self) -> Self:
        if len({one.kind for one in self.lists}) < len(self.lists):
            raise ValueError("lists: two lists have the same kind")
        return self

    @property
    def formats(self) -> Formats:
        """How times of change are read."""
        return Formats(tuple(self.time), (ISO,), ZoneInfo(self.zone) if self.zone else None)


class Rest:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._web = signed_in(settings, settings.auth)
        self._lists = Lists(self._web, settings.lists, overlap=settings.overlap, formats=settings.formats)
        self._known = settings.identity is None

    def close(self) -> None:
        self._web.close()

    def check(self) -> Connection:
        problems: list[str] = []
        readable: dict[str, str] = {}
        identity: str | None = None
        if self._settings.identity is not None:
            identity = self._who(self._settings.identity, problems)
        for listing in self._settings.lists if not problems else ():
            try:
                one = Lists(self._web, [listing], overlap=self._settings.overlap, formats=self._settings.formats)
                page = one.pull(None)
                readable[listing.kind] = f"{len(page.records)} records on the first page{', and more' if page.more else ''}"
            except AdapterError as error:
                problems.append(f"{listing.kind}: {error}")
        return Connection(identity, readable, problems)

    def _who(self, identity: Identity, problems: list[str]) -> str | None:
        try:
            answer = self._web.get(identity.path)
        except AdapterError as error:
            problems.append(str(error))
            return None
        assert answer is not None
        body = answer.json()
        found = look_up(body, identity.at) if isinstance(body, dict) else None
        if found is None:
            problems.append(f"the system does not say as whom it knows us (nothing at {identity.at}): it may take us for anybody")
            return None
        if identity.expect is not None and str(found) != identity.expect:
            problems.append("the system knows us as somebody else than the source's file expects")
        return str(found)

    def pull(self, cursor: Cursor | None) -> Page:
        self._be_known()
        return self._lists.pull(cursor)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        self._be_known()
        return self._lists.fetch(kind, ref)

    def _be_known(self) -> None:
        """Once before the first page: to a stranger, an empty list and "not found" would look as if everything had been deleted."""
        if not self._known and self._settings.identity is not None:
            problems: list[str] = []
            self._who(self._settings.identity, problems)
            if problems:
                raise AdapterError(problems[0])
            self._known = True


KIND = Kind("rest", "Any JSON interface over HTTP, by configuration.", Settings, Rest)
