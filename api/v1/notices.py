"""Messages to others: who is told, what waits for them, and what was given up.  Thin over service.notify.upkeep."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Operations, Query
from api.v1 import schemas
from api.v1.lists import Paged, Text, page
from api.v1.shapes import instant
from rules.model import rfc3339
from service.errors import NotFound
from service.notify import upkeep
from service.notify.config import Webhook
from service.notify.upkeep import Told
from store.notices import Notice

operations = Operations(
    "notifications",
    "For those who look after the messages to others: who is told, what waits, and what was given up. Messages speak of every team, so "
    "that a key with limits is refused. No answer holds what a message says.",
)


class GivenUp(Paged):
    """Whose messages."""

    receiver: Text | None = Field(default=None, description="only those to this receiver")


class Whose(Query):
    """Which of them."""

    receiver: Text | None = Field(default=None, description="only those to this receiver; without it, all")


@operations.get(
    "/v1/notifications",
    scope="users:admin",
    answers={200: Answer("Everybody who is told or was, by name.", schemas.Notifications)},
)
def show_notifications() -> Any:
    """Show who is told, and how that goes."""
    found = upkeep.overview(service(), current_access(), limit=1)
    return {
        "items": [_receiver(one) for one in found.receivers],
        "not_passed_on": found.owed,
        "faults": [str(fault) for fault in found.faults],
    }


@operations.get(
    "/v1/notifications/dead",
    scope="users:admin",
    query=GivenUp,
    problems=["bad_cursor"],
    answers={200: Answer("Messages, the latest first; never what stands in them.", schemas.GivenUpPage)},
)
def list_given_up(query: GivenUp) -> Any:
    """List the messages that were given up, with why."""
    found = upkeep.given_up(service(), current_access(), receiver=query.receiver, limit=query.limit, cursor=query.cursor)
    return page([_given_up(one) for one in found.items], found.next_cursor)


@operations.post("/v1/notifications/dead/retry", scope="users:admin", query=Whose, answers={200: Answer("How many.", schemas.GivenUpDone)})
def retry_all_given_up(query: Whose) -> Any:
    """Send again all that was given up, with the same ids."""
    return {"messages": upkeep.retry(service(), current_access(), receiver=query.receiver)}


@operations.post(
    "/v1/notifications/dead/dismiss", scope="users:admin", query=Whose, answers={200: Answer("How many.", schemas.GivenUpDone)}
)
def dismiss_all_given_up(query: Whose) -> Any:
    """Take all that was given up off the list, for good."""
    return {"messages": upkeep.dismiss(service(), current_access(), receiver=query.receiver)}


@operations.post(
    "/v1/notifications/dead/{notice}/retry",
    scope="users:admin",
    problems=["not_found"],
    answers={200: Answer("It is sent again.", schemas.GivenUpDone)},
)
def retry_given_up(notice: str) -> Any:
    """Send one message again, with the same id."""
    return {"messages": upkeep.retry(service(), current_access(), number=_number(notice))}


@operations.post(
    "/v1/notifications/dead/{notice}/dismiss",
    scope="users:admin",
    problems=["not_found"],
    answers={200: Answer("It is off the list.", schemas.GivenUpDone)},
)
def dismiss_given_up(notice: str) -> Any:
    """Take one message off the list, for good."""
    return {"messages": upkeep.dismiss(service(), current_access(), number=_number(notice))}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("there is no such message among those that were given up")
    return int(text)


def _receiver(one: Told) -> dict[str, Any]:
    stands = one.standing
    return {
        "name": one.name,
        "by": None if one.receiver is None else "webhook" if isinstance(one.receiver, Webhook) else "email",
        "state": one.state,
        "waiting": stands.waiting,
        "oldest": instant(stands.oldest),
        "given_up": stands.dead,
        "last_taken": instant(stands.last_good),
        "error": stands.last_error,
    }


def _given_up(one: Notice) -> dict[str, Any]:
    return {
        "number": one.id,
        "receiver": one.receiver,
        "id": one.message_id,
        "type": one.topic,
        "written": rfc3339(one.created),
        "given_up": instant(one.ended_at),
        "attempts": one.attempts,
        "error": one.last_error,
    }
