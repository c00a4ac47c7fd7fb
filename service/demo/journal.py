"""How a made-up client system writes down a made-up case.  Imports the standard library only.

A journal turns "this happened then" into CloudEvents with both of their times: practice is recorded after a while, by
somebody, in one of several systems.  Nothing is random that is not drawn from the journal's own seeded generator.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

CLIENT = "urn:demo:client-system"
PARTNER = "urn:demo:partner-agency"
PAPER = "urn:demo:paper-backlog"
OUTREACH = "urn:demo:outreach-app"
"""The source that goes quiet some weeks before the population's end."""

CloudEvent = dict[str, Any]


class Journal:
    """The events of one case, in the order in which its story tells them."""

    def __init__(self, *, case: str, zone: ZoneInfo, rng: random.Random, source: str = CLIENT) -> None:
        self.case = case
        self.zone = zone
        self.rng = rng
        self.source = source
        self.events: list[CloudEvent] = []

    def moment(self, day: dt.date, hour: int | None = None, minute: int | None = None) -> dt.datetime:
        """A moment of that local day; office hours where no hour is given."""
        hour = self.rng.randrange(9, 16) if hour is None else hour
        minute = self.rng.randrange(0, 60, 5) if minute is None else minute
        return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)

    def note(
        self,
        type_: str,
        when: dt.datetime | dt.date,
        data: Mapping[str, Any] | None = None,
        *,
        source: str | None = None,
        after: dt.timedelta | None = None,
        day_only: bool = False,
    ) -> str:
        """Writes an event and returns its id.  ``after``: how long after it happened it was recorded (default: as offices do)."""
        moment = when if isinstance(when, dt.datetime) else self.moment(when)
        content = dict(data or {})
        if day_only:
            content["occurred_on"] = moment.date().isoformat()
            moment = moment.replace(hour=12, minute=0)
        recorded = moment + (self._delay() if after is None else after)
        event_id = f"{self.case}-{len(self.events) + 1:03d}"
        self.events.append(
            {
                "specversion": "1.0",
                "id": event_id,
                "source": source or self.source,
                "type": type_,
                "subject": self.case,
                "time": moment.isoformat(),
                "recordedtime": recorded.isoformat(),
                "datacontenttype": "application/json",
                "data": content,
            }
        )
        return event_id

    def echo(self, event_id: str, *, source: str = PARTNER) -> None:
        """Another system reports the same thing, some minutes off, under an id of its own."""
        original = next(event for event in self.events if event["id"] == event_id)
        moment = dt.datetime.fromisoformat(original["time"]).replace(tzinfo=self.zone) + dt.timedelta(minutes=10)
        self.note(original["type"], moment, original["data"], source=source)

    def _delay(self) -> dt.timedelta:
        draw = self.rng.random()
        if draw < 0.70:
            return dt.timedelta(minutes=self.rng.randrange(5, 240))
        if draw < 0.94:
            return dt.timedelta(days=1, minutes=self.rng.randrange(0, 120))
        if draw < 0.998:
            return dt.timedelta(days=self.rng.randrange(2, 6), minutes=self.rng.randrange(0, 120))
        return dt.timedelta(days=self.rng.randrange(9, 40))


def workday(day: dt.date) -> dt.date:
    """``day``, or the Monday after it where it falls on a weekend."""
    return day + dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)
