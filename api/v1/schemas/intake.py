"""Events in, and what became of them.  See the package."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

_JSON_TYPE = r"^application/json(;.*)?$"


class EventFlaw(TypedDict):
    """One reason why an event was not taken in."""

    pointer: Annotated[str, Field(description="RFC 6901 JSON pointer into the event (in binary mode, as the structured event would be)")]
    code: str
    message: str


class EventResult(TypedDict):
    """What became of one event."""

    index: Annotated[int, Field(description="its place in the batch, from 0", ge=0)]
    source: Annotated[str | None, Field(description="as sent; null where it could not be read")]
    id: Annotated[str | None, Field(description="as sent; null where it could not be read")]
    status: Annotated[
        Literal["accepted", "duplicate", "conflict", "rejected"],
        Field(
            description="`duplicate`: the same content was taken in before, nothing happens. "
            "`conflict`: other content is kept under this source and id. `rejected`: see `problems`; send it again once mended."
        ),
    ]
    problems: list[EventFlaw]
    dropped: Annotated[list[str], Field(description="dotted paths of attributes that the catalogue does not know; they are not kept")]


class EventCounts(TypedDict):
    """How many events met which fate."""

    accepted: int
    duplicate: int
    conflict: int
    rejected: int


class EventResults(TypedDict):
    """A result for each event, in the order sent."""

    results: list[EventResult]
    counts: EventCounts


class CloudEvent(TypedDict):
    """A CloudEvents 1.0 event about a case.  Extension attributes that duecare does not know are ignored."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(description="with `source`, identifies the event", min_length=1, max_length=1024)]
    source: Annotated[str, Field(description="the system that it comes from", min_length=1, max_length=1024)]
    type: Annotated[str, Field(description="a type of the event catalogue, e.g. `visit.held`", min_length=1, max_length=1024)]
    subject: Annotated[str, Field(description="the case id", min_length=1, max_length=1024)]
    time: Annotated[
        str, Field(description="when it happened; RFC 3339 with a zone, years 1900 to 2199", json_schema_extra={"format": "date-time"})
    ]
    recordedtime: NotRequired[
        Annotated[
            str,
            Field(description="when the client system recorded it; absent: the time of receipt", json_schema_extra={"format": "date-time"}),
        ]
    ]
    datacontenttype: NotRequired[Annotated[str, Field(description="JSON is all that is taken", json_schema_extra={"pattern": _JSON_TYPE})]]
    data: NotRequired[Annotated[dict[str, Any], Field(description="attributes of the type, as the catalogue has them")]]
