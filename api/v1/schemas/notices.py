"""Messages to others.  See the package."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Instant, NextCursor


class Receiver(TypedDict):
    """Somebody who is told, and how that goes."""

    name: str
    by: Annotated[Literal["webhook", "email"] | None, Field(description="null: the file names it no longer")]
    state: Literal["good", "away", "quiet", "off", "unnamed"]
    waiting: int
    oldest: Annotated[Instant | None, Field(description="of what waits")]
    given_up: int
    last_taken: Instant | None
    error: Annotated[str | None, Field(description="of the last time that it did not answer")]


class Notifications(TypedDict):
    """Who is told, and how that goes."""

    items: list[Receiver]
    not_passed_on: Annotated[int, Field(description="messages that the scheduler has not given to anybody yet")]
    faults: Annotated[list[str], Field(description="of the file; while there is one, nobody is told")]


class GivenUp(TypedDict):
    """A message that was not taken."""

    number: int
    receiver: str
    id: Annotated[str, Field(description="`webhook-id`, the same however often it is sent")]
    type: str
    written: Instant
    given_up: Instant | None
    attempts: int
    error: str | None


class GivenUpPage(TypedDict):
    """Messages that were given up, the latest first."""

    items: list[GivenUp]
    next: NextCursor


class GivenUpDone(TypedDict):
    """What was done."""

    messages: int
