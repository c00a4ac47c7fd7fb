"""CloudEvents 1.0 as case events: what a sender must give, held against the catalogue.  Imports orjson and rules.*.

An event without specversion, id, source, type, subject or time is refused: none of them is ever made up.  recordedtime may be absent:
the time of receipt then stands in for it.  Extension attributes are allowed and not kept.  Every fault is told at once,
with an RFC 6901 pointer into what was sent, and none repeats a value.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from rules.attributes import Sink, text_fault
from rules.catalogue import CORRECTED, HEARTBEAT, VOIDED, Catalogue
from rules.errors import EventRefused, Problem
from rules.instants import parse_instant
from rules.model import Event, Heartbeat
from rules.strictjson import MAX_BATCH, MAX_EVENT, loads, loads_items

__all__ = ["NO_CASE", "Parsed", "from_http_binary", "loads", "parse_batch", "parse_event", "read_batch", "read_event", "source_fault"]

NO_CASE = "-"
"""The subject of a heartbeat, which is about a source and no case."""

_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+", re.ASCII)
_JSON_TYPE = re.compile(r"\s*application/(?:[a-z0-9!#$&^_.-]+\+)?json\s*(?:;\s*charset\s*=\s*\"?utf-?8\"?\s*)?", re.ASCII | re.IGNORECASE)
_ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time", "recordedtime", "datacontenttype", "dataschema", "data")
_MEANT = {"occurredon": "data.occurred_on"} | {name: name for name in _ATTRIBUTES}
_KNOWN = frozenset(_ATTRIBUTES)
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


@dataclass(frozen=True, slots=True)
class Parsed:
    """One event that was understood: either ``event`` or ``heartbeat``.

    ``dropped`` holds the dotted paths of attributes that the catalogue does not know.  ``content_digest`` (SHA-256, hex) is the
    same for the same content: type, subject, time, recordedtime as given, and the data that is kept.
    """

    event: Event | None
    heartbeat: Heartbeat | None
    dropped: tuple[str, ...]
    content_digest: str
    line: int = 0
    """Where it came from a file: the line, from 1."""

    @property
    def target(self) -> str | None:
        """The id of the event that a void or a correction speaks about."""
        if self.event is not None and self.event.type in (VOIDED, CORRECTED):
            return str(self.event.data["target"])
        return None


def read_event(raw: bytes, catalogue: Catalogue, *, received: int, max_bytes: int = MAX_EVENT, line: int = 0) -> Parsed:
    """One event in the bytes of a JSON object (structured mode, or a line of JSON Lines).  Raises EventRefused."""
    return parse_event(loads(raw, max_bytes=max_bytes), catalogue, received=received, line=line)


def read_batch(raw: bytes, catalogue: Catalogue, *, received: int, max_bytes: int = MAX_BATCH) -> list[Parsed | EventRefused]:
    """The events in the bytes of a JSON array, in order, a refused one as its EventRefused.

    Raises EventRefused where the bytes as a whole are no JSON array.
    """
    return parse_batch(loads_items(raw, max_bytes=max_bytes), catalogue, received=received)


def parse_batch(items: Any, catalogue: Catalogue, *, received: int) -> list[Parsed | EventRefused]:
    """As ``read_batch``, of a list that was read before (an item may be an EventRefused already)."""
    if not isinstance(items, list):
        raise EventRefused([Problem("", "wrong_type", "a batch is a JSON array of events")])
    results: list[Parsed | EventRefused] = []
    for index, item in enumerate(items):
        if isinstance(item, EventRefused):
            results.append(item)
            continue
        try:
            results.append(parse_event(item, catalogue, received=received, pointer=f"/{index}"))
        except EventRefused as refused:
            results.append(refused)
    return results


def parse_event(obj: Any, catalogue: Catalogue, *, received: int, pointer: str = "", line: int = 0) -> Parsed:
    """One CloudEvent in JSON format, as data.  ``received`` (ms) is when it arrived, ``line`` where it stands in a file.

    Raises EventRefused with every problem.
    """
    if not isinstance(obj, dict):
        raise EventRefused([Problem(pointer, "wrong_type", "an event is a JSON object")])
    sink = Sink(pointer)
    get = obj.get
    if get("specversion") != "1.0":
        _refuse_version(get("specversion"), sink)
    event_id = _text(get("id"), "id", sink)
    source = _source(get("source"), sink)
    kind = _type(get("type"), catalogue, sink)
    subject = _text(get("subject"), "subject", sink)
    time = _instant(get("time"), "time", sink)
    recorded = None if get("recordedtime") is None else _instant(get("recordedtime"), "recordedtime", sink)
    if not _KNOWN.issuperset(obj):
        _other_attributes(obj, sink)
    given_type = get("datacontenttype")
    if (
        given_type is not None
        and given_type != "application/json"
        and not (isinstance(given_type, str) and _JSON_TYPE.fullmatch(given_type))
    ):
        sink.refuse(None, "datacontenttype", "wrong_value", "must be application/json: data is JSON")
    data = get("data")
    clean: dict[str, Any] = {}
    dropped: tuple[str, ...] = ()
    if data is not None and not isinstance(data, dict):
        sink.refuse(None, "data", "wrong_type", "must be a JSON object")
    elif kind:
        inner = Sink(pointer + "/data")
        clean = catalogue.clean(kind, data or {}, inner)
        if inner.problems:
            sink.problems.extend(inner.problems)
        dropped = tuple(inner.dropped)
    if kind and subject and (subject == NO_CASE) is not (kind == HEARTBEAT):
        sink.refuse(None, "subject", "wrong_value", 'must be "-" for source.heartbeat, and for no other type')
    if sink.problems:
        raise EventRefused(sink.problems)
    make_digest = content_digest if catalogue.types[kind].is_open else _plain_digest
    digest = make_digest(kind, subject, time, recorded, clean)
    known = received if recorded is None else recorded
    if kind == HEARTBEAT:
        beat = Heartbeat(source=source, recorded=known, complete_until=parse_instant(clean["complete_until"]))
        return Parsed(None, beat, dropped, digest, line)
    return Parsed(Event(source, event_id, kind, subject, time, known, recorded is not None, clean), None, dropped, digest, line)


def content_digest(type_name: str, subject: str, time: int, recorded: int | None, data: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what makes two deliveries of one (source, id) the same or in conflict.  ``recorded``: None where none was given."""
    return hashlib.sha256(_ENCODE([type_name, subject, time, recorded, data]).encode()).hexdigest()


def _plain_digest(type_name: str, subject: str, time: int, recorded: int | None, data: Mapping[str, Any]) -> str:
    """The same of data in which there are only texts that can be printed, whole numbers, flags, lists and objects, in less time.

    Of these, both libraries write the same bytes unless something is not ASCII.
    """
    written = orjson.dumps([type_name, subject, time, recorded, data], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest() if written.isascii() else content_digest(type_name, subject, time, recorded, data)


def as_cloudevent(event: Event) -> dict[str, Any]:
    """The event as a CloudEvents JSON object; ``parse_event`` of it gives the event again."""
    from rules.model import rfc3339

    made: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.case,
        "time": rfc3339(event.time),
    }
    if event.recorded_given:
        made["recordedtime"] = rfc3339(event.recorded)
    return made | {"datacontenttype": "application/json", "data": dict(event.data)}


def from_http_binary(headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes, *, max_bytes: int = MAX_EVENT) -> dict[str, Any]:
    """The JSON object of an event sent in the binary mode of the CloudEvents HTTP binding: ``ce-`` headers, data as the body.

    A pointer such as ``/time`` then means the header ``ce-time``.  Raises EventRefused.
    """
    made: dict[str, Any] = {}
    sink = Sink()
    pairs: Sequence[tuple[str, str]] = list(headers.items() if isinstance(headers, Mapping) else headers)
    for header, value in pairs:
        name = header.lower()
        if name == "content-type":
            made["datacontenttype"] = value.strip()
            continue
        if not name.startswith("ce-"):
            continue
        name = name[3:]
        if name in ("data", "data_base64", "datacontenttype"):
            sink.refuse(None, name, "wrong_value", "is not sent as a header: data is the body, its type the Content-Type")
        elif name in made:
            sink.refuse(None, name, "duplicate_key", "is sent twice")
        else:
            try:
                made[name] = _decode_header(value)
            except ValueError as error:
                sink.refuse(None, name, "wrong_value", str(error))
    if body.strip():
        if _JSON_TYPE.fullmatch(made.get("datacontenttype", "")):
            try:
                made["data"] = loads(body, max_bytes=max_bytes)
            except EventRefused as refused:
                sink.problems.extend(Problem("/data" + p.pointer, p.code, p.message) for p in refused.problems)
        else:
            sink.refuse(None, "datacontenttype", "wrong_value", "must be application/json: data is JSON")
    if sink.problems:
        raise EventRefused(sink.problems)
    return made


def _decode_header(value: str) -> str:
    """A header's value: quotes and backslashes taken off, then one round of percent-decoding."""
    value = value.strip(" \t")
    if not value.isascii():
        raise ValueError("has bytes beyond ASCII: percent-encode them as UTF-8")
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    if "%" not in value:
        return value
    if re.search(r"%(?![0-9A-Fa-f]{2})", value):
        raise ValueError("has a % that starts no percent-encoding: write %25")
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found.group(1).decode()), value.encode())
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is no UTF-8 once percent-decoded") from None


def _text(value: Any, name: str, sink: Sink) -> str:
    if type(value) is not str:
        return _absent_or_wrong(value, name, sink)
    if (why := text_fault(value)) is not None:
        sink.refuse(None, name, "wrong_value", why)
    return value


def _absent_or_wrong(value: Any, name: str, sink: Sink) -> str:
    if value is None:
        sink.refuse(None, name, "missing", "is missing")
    else:
        sink.refuse(None, name, "wrong_type", "must be a text")
    return ""


def _source(value: Any, sink: Sink) -> str:
    if type(value) is not str:
        return _absent_or_wrong(value, "source", sink)
    if (why := source_fault(value)) is not None:
        sink.refuse(None, "source", "wrong_value", why)
    return value


@lru_cache(maxsize=256)
def source_fault(value: str) -> str | None:
    """Why a text can be no source of events; None where it can."""
    if (why := text_fault(value)) is not None:
        return why
    return None if _URI.fullmatch(value) else "is no URI reference such as urn:agency:casework"


def _type(value: Any, catalogue: Catalogue, sink: Sink) -> str:
    if type(value) is not str:
        return _absent_or_wrong(value, "type", sink)
    if value in catalogue.types:
        return value
    if (why := text_fault(value)) is not None:
        sink.refuse(None, "type", "wrong_value", why)
    else:
        near = catalogue.suggest(value)
        sink.refuse(
            None,
            "type",
            "unknown_type",
            f"is no event type of the catalogue {catalogue.name}" + (f"; did you mean {near}?" if near else ""),
        )
    return ""


def _instant(value: Any, name: str, sink: Sink) -> int:
    if type(value) is not str:
        _absent_or_wrong(value, name, sink)
        return 0
    try:
        return parse_instant(value)
    except ValueError as error:
        sink.refuse(None, name, "wrong_value", str(error))
        return 0


def _refuse_version(value: Any, sink: Sink) -> None:
    if value is None:
        sink.refuse(None, "specversion", "missing", "is missing")
    else:
        sink.refuse(None, "specversion", "wrong_value", 'must be "1.0"')


def _other_attributes(obj: Mapping[str, Any], sink: Sink) -> None:
    """Extension attributes pass; a misspelt attribute of the envelope would be lost in silence, and is refused."""
    for name in sorted(map(str, obj.keys() - _KNOWN))[:100]:
        if name == "data_base64":
            sink.refuse(None, name, "wrong_value", "is not taken: data is JSON, in data")
        elif not (name.isascii() and name.isalnum() and name.islower()):
            meant = _MEANT.get("".join(char for char in name.lower() if char.isalnum())) if len(name) <= 64 else None
            if meant:
                sink.refuse(None, name, "unknown_attribute", f"is no attribute of an event; did you mean {meant}?")
