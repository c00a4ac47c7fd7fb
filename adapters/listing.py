"""What a source's file says about the lists of a system: where they are, how they go on, how records say that they changed.

Imports nothing of ours.  How they are read is in adapters.lists.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

COUNTED = ("page", "offset")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Paging(_Model):
    """How the list goes on.

    page, offset: ``parameter`` counts pages (from ``first``) or records; cursor: ``parameter`` takes what the answer holds at ``at``;
    next: the answer holds the next page's link at ``at``; link: the Link header does; none: it is all on one page.
    """

    style: Literal["page", "offset", "cursor", "next", "link", "none"] = "none"
    parameter: str | None = None
    first: int = 1
    at: str | None = None
    alone: bool = False
    """Of a cursor: it carries all else that was asked for, and goes without the other parameters."""
    size_parameter: str | None = None
    size: int = Field(default=100, ge=1, le=10_000)

    @model_validator(mode="after")
    def _goes_on(self) -> Self:
        needed = {"page": "parameter", "offset": "parameter", "cursor": "parameter", "next": "at"}.get(self.style)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"style {self.style} needs `{needed}`")
        if self.style == "cursor" and self.at is None:
            raise ValueError("style cursor needs `at`")
        return self


class Since(_Model):
    """The parameter by which only what was changed since then is asked for; ``template`` where more than the time stands in it.

    iso: in UTC, with a Z; local: in the source's zone, without an offset; date: a day.
    """

    parameter: str
    form: Literal["iso", "local", "date", "epoch", "epoch_ms"] = "iso"
    template: str = "{since}"


class Deleted(_Model):
    """How a record says that it was deleted, or is a mistake: a field that holds one of these words (or anything, where none is given)."""

    field: str
    any_of: list[str] | None = None


class Listing(_Model):
    """One list of records."""

    kind: str
    path: str
    records: str | None = None
    """Where in the answer the list is; the answer itself unless told."""
    optional: bool = False
    """The system leaves the list out of its answer where it is empty."""
    id: str
    updated: str
    """When the record was changed last: a field of it."""
    since: Since | None = None
    ordered: bool = False
    """The oldest change comes first (`params` ask for that): counted pages then go on by time, which nothing that changes shifts."""
    paging: Paging = Field(default_factory=Paging)
    total: str | None = None
    """Where in the answer the number of all records is, by which drifting pages are found out."""
    params: dict[str, str | int | bool] = Field(default_factory=dict)
    """Further parameters, such as the order: the oldest change first."""
    deleted: Deleted | None = None
    one: str | None = None
    """The path of one record, with {id}."""
    one_at: str | None = None
    """Where in the answer that record is; the answer itself unless told."""
    sweep_hours: int | None = Field(default=None, ge=1, le=8_760)
    """Where records are deleted without a trace: how often to read the whole list to find out which are gone."""

    @model_validator(mode="after")
    def _asks_before(self) -> Self:
        if self.sweep_hours is not None and self.one is None:
            raise ValueError("sweep_hours needs `one`: what a list has passed over is asked for before it counts as gone")
        if self.ordered and self.since is None:
            raise ValueError("ordered needs `since`, by which the pages go on")
        return self

    @property
    def seal(self) -> str:
        """Changes with all that decides what is read: a list that is read in another way is read from the beginning."""
        parts = self.model_dump(include={"path", "records", "id", "updated", "since", "paging", "params"})
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
