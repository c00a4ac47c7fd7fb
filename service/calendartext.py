"""Writes a calendar of whole days as RFC 5545 has it, for programs that people subscribe with.  Pure; imports the standard library.

Lines are folded at 75 octets, never within a character; the same entries give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PRODUCT = "-//duecare//Due days//EN"
FOLD = 75
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A whole day.  ``uid`` stays the same when anything else changes; ``stamp`` (ms) is when it did last."""

    uid: str
    day: dt.date
    stamp: int
    summary: str
    description: str = ""
    category: str = ""
    url: str = ""


def written(name: str, description: str, entries: Sequence[Entry]) -> str:
    """The calendar.  Programs are asked to look again every hour."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{text(name)}",
        f"X-WR-CALNAME:{text(name)}",
        f"DESCRIPTION:{text(description)}",
        f"X-WR-CALDESC:{text(description)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        *(_EMPTY if not entries else ()),
    ]
    for entry in entries:
        lines.extend(_entry(entry))
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


_EMPTY = (
    "BEGIN:VTIMEZONE",
    "TZID:UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)
"""A calendar holds at least one component; this one shows nothing."""


def _entry(entry: Entry) -> Iterator[str]:
    stamp = f"{dt.datetime.fromtimestamp(entry.stamp // 1000, dt.UTC):%Y%m%dT%H%M%SZ}"
    yield "BEGIN:VEVENT"
    yield f"UID:{text(entry.uid)}"
    yield f"DTSTAMP:{stamp}"
    yield f"LAST-MODIFIED:{stamp}"
    yield f"DTSTART;VALUE=DATE:{entry.day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{entry.day + dt.timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{text(entry.summary)}"
    if entry.description:
        yield f"DESCRIPTION:{text(entry.description)}"
    if entry.category:
        yield f"CATEGORIES:{text(entry.category)}"
    if entry.url:
        yield f"URL:{_CONTROL.sub('', entry.url)}"
    yield "CLASS:PRIVATE"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def text(value: str) -> str:
    """A value of type TEXT: what would end it is escaped, control characters become spaces."""
    plain = _CONTROL.sub(" ", value.replace("\r\n", "\n").replace("\r", "\n"))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 octets, each but the first begun by a space, which counts."""
    part, size = "", 0
    for char in line:
        width = len(char.encode())
        if size + width > FOLD:
            yield part
            part, size = " ", 1
        part, size = part + char, size + width
    yield part
