"""Cells of tables and attributes of logs as JSON values of the kind that the catalogue wants.  Imports rules.

A cell is text, or what a spreadsheet gives: a number, a boolean, a date.  Everything ambiguous is refused (a time without
a zone where none is declared, a date in no declared format); messages never repeat the cell.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules.attributes import Attribute

ISO = "iso"
EPOCH_SECONDS = "epoch"
EPOCH_MS = "epoch_ms"

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_TRUE, _FALSE = frozenset({"true", "yes", "y", "1"}), frozenset({"false", "no", "n", "0"})
_HOURS = re.compile(r"%[HIscXT]")
_NOON = dt.time(12)


class ConvertError(ValueError):
    """A cell that cannot be what the catalogue wants; the message does not repeat it."""


@dataclass(frozen=True)
class Formats:
    """How a file writes times and dates: formats in order of trial (``iso``, ``epoch``, ``epoch_ms`` or a strptime pattern), and the zone
    of times that carry no offset (None: such times are refused)."""

    time: Sequence[str] = (ISO,)
    date: Sequence[str] = (ISO,)
    zone: ZoneInfo | None = None
    split: str = ";"


class Moment(NamedTuple):
    """An instant, or only a day: then ``instant`` is that day's local noon (UTC where no zone is declared) and ``day`` the day."""

    instant: dt.datetime
    day: dt.date | None = None

    def text(self) -> str:
        return self.instant.isoformat()


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def blank(cell: Any) -> bool:
    """Whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def as_text(cell: Any) -> str:
    """A cell as the text of an identifier or code; 17.0 is 17."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat()
    if isinstance(cell, int | float | dt.date):
        return str(cell)
    raise ConvertError("holds a structure where a text is wanted")


def as_moment(cell: Any, formats: Formats) -> Moment:
    """A cell as an instant, or as a day where it gives no time of day.  Raises ConvertError."""
    if isinstance(cell, dt.datetime):
        return Moment(_zoned(cell, formats))
    if isinstance(cell, dt.date):
        return _day(cell, formats)
    if formats.time[0] == ISO and isinstance(cell, str) and (plain := _plain_iso(cell)) is not None:
        return Moment(plain if plain.tzinfo is not None else _zoned(plain, formats))
    for pattern in formats.time:
        if pattern in (EPOCH_SECONDS, EPOCH_MS):
            found = _epoch(cell, 1 if pattern == EPOCH_SECONDS else 1000)
            if found is not None:
                return found
        elif isinstance(cell, str):
            text = cell.strip()
            found = _iso(text, formats) if pattern == ISO else _strptime(text, pattern, formats)
            if found is not None:
                return found
    raise ConvertError(f"is in none of the formats declared for times ({', '.join(formats.time)})")


def as_day(cell: Any, formats: Formats) -> str:
    """A cell as an ISO date.  Raises ConvertError."""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, str):
        for pattern in formats.date:
            try:
                return (_iso_day(cell.strip()) if pattern == ISO else _parse(cell.strip(), pattern).date()).isoformat()
            except ValueError:
                continue
    raise ConvertError(f"is in none of the formats declared for dates ({', '.join(formats.date)})")


def as_value(cell: Any, attribute: Attribute, formats: Formats) -> Any:
    """A cell as the JSON value of an attribute; a blank one is None.  Raises ConvertError."""
    if blank(cell):
        return None
    if attribute.kind == "list":
        return _as_list(cell, attribute, formats)
    if attribute.kind in ("fields", "object"):
        return cell if isinstance(cell, dict) else _as_json(cell, dict, "a JSON object")
    if attribute.kind == "flag":
        return _as_flag(cell)
    if attribute.kind == "int":
        return _as_int(cell)
    if attribute.kind == "date":
        return as_day(cell, formats)
    if attribute.kind == "time":
        moment = as_moment(cell, formats)
        if moment.day is not None:
            raise ConvertError("is only a day, where the moment is wanted")
        return moment.text()
    return as_text(cell)


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted path as an object; numbers are indexes of lists, whose gaps are closed."""
    if not any("." in path or type(value) is dict for path, value in values.items()):
        return dict(values)
    made: dict[str, Any] = {}
    for path, value in values.items():
        *way, last = path.split(".")
        here = made
        for step in way:
            here = here.setdefault(step, {})
            if not isinstance(here, dict):
                raise ConvertError(f"{path} lies inside a value that another column gives whole")
        here[last] = value
    closed = _close(made)
    assert isinstance(closed, dict)
    return closed


def _close(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isascii() and key.isdigit() for key in value):
        return [_close(value[key]) for key in sorted(value, key=int)]
    return {key: _close(inner) for key, inner in value.items()}


def _zoned(when: dt.datetime, formats: Formats) -> dt.datetime:
    if when.tzinfo is not None:
        return when
    if formats.zone is None:
        raise ConvertError("has no zone, and none is declared")
    return when.replace(tzinfo=formats.zone)


def _day(day: dt.date, formats: Formats) -> Moment:
    return Moment(dt.datetime.combine(day, _NOON, formats.zone or dt.UTC), day)


def _plain_iso(text: str) -> dt.datetime | None:
    """A time in the commonest form, to the second; None for any other, which is looked at closely."""
    if not (len(text) in (19, 25) and text[4] == text[7] == "-" and text[13] == text[16] == ":" and text[10] in " T" and text.isascii()):
        return None
    if len(text) == 25 and not (text[19] in "+-" and text[22] == ":"):
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _iso(text: str, formats: Formats) -> Moment | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    day, clock, seconds, fraction, zone = found.groups()
    try:
        if clock is None:
            return None if zone else _day(dt.date.fromisoformat(day), formats)
        if zone and zone not in "Zz" and ":" not in zone:
            zone = f"{zone[:3]}:{zone[3:] or '00'}"
        micro = f".{(fraction + '00000')[:6]}" if fraction else ""
        when = dt.datetime.fromisoformat(f"{day}T{clock}{seconds or ':00'}{micro}{'+00:00' if zone in ('Z', 'z') else zone or ''}")
    except ValueError:
        raise ConvertError("is a day or a time of day that does not exist") from None
    return Moment(_zoned(when, formats))


def _iso_day(text: str) -> dt.date:
    """The day of an ISO date or time, as it is written: a zone moves nothing.  Raises ValueError."""
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError
    return dt.date.fromisoformat(found[1])


def _strptime(text: str, pattern: str, formats: Formats) -> Moment | None:
    try:
        when = _parse(text, pattern)
    except ValueError:
        return None
    return Moment(_zoned(when, formats)) if _HOURS.search(pattern) else _day(when.date(), formats)


def _parse(text: str, pattern: str) -> dt.datetime:
    return dt.datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is added, or refused, by the caller


def _epoch(cell: Any, per_second: int) -> Moment | None:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        return Moment(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=float(cell) / per_second))
    except (ValueError, OverflowError):
        return None


def _as_list(cell: Any, attribute: Attribute, formats: Formats) -> list[Any]:
    assert attribute.item is not None
    if isinstance(cell, str):
        if cell.lstrip().startswith("["):
            return list(_as_json(cell, list, "a JSON list"))
        parts: list[Any] = cell.split(formats.split)
    else:
        parts = cell if isinstance(cell, list) else [cell]
    return [as_value(part, attribute.item, formats) for part in parts if not blank(part)]


def _as_json(cell: Any, wanted: type, called: str) -> Any:
    if isinstance(cell, str) and len(cell) <= 1_000_000:
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, wanted):
            return found
    raise ConvertError(f"is not {called}")


def _as_flag(cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    word = as_text(cell).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ConvertError("is not one of true, false, yes, no, y, n, 1, 0: give a table of values")


def _as_int(cell: Any) -> int:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    text = as_text(cell)
    if re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) and not isinstance(cell, bool):
        return int(text)
    raise ConvertError("is not a whole number")
