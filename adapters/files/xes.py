"""Event logs in XES (IEEE 1849), read trace by trace.

An attribute of an event is a field of its own key (``concept:name``), one of its trace has ``case:`` before it
(``case:concept:name``), as the usual tables of such logs have it; nested attributes and lists are passed over.  A fault inside an event
rejects the event, inside a trace the trace; what the schema does not know is told and passed over.  A DOCTYPE is refused.

Without a mapping a log is read as if it had been written for us: ``concept:name`` is the catalogue's type, ``data.<path>`` its data.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from zoneinfo import ZoneInfo

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.expatreader import DefusedExpatParser  # type: ignore[import-untyped]

from adapters.base import Reject
from adapters.convert import ConvertError, Formats, as_moment
from adapters.fields import MappingFault
from adapters.files.columns import StandardColumns
from adapters.files.opening import FileRefused, opened
from adapters.files.rows import Row
from adapters.mapping_schema import Layout
from rules.catalogue import Catalogue

MAX_DEPTH = 32
MAX_TRACE = 200_000
"""Events of one trace, which is held in memory while it is read."""
CHUNK = 65_536
SOURCE = "urn:duecare:xes"
"""The source of a log that is read without a mapping."""

_VALUES = frozenset({"string", "date", "int", "float", "boolean", "id"})
_HOLDERS = _VALUES | {"list", "container"}
_PLACES = {
    "": frozenset({"log"}),
    "log": _HOLDERS | {"extension", "global", "classifier", "trace", "event"},
    "trace": _HOLDERS | {"event"},
    "event": _HOLDERS,
    "global": _HOLDERS,
    "list": _HOLDERS | {"values"},
    "values": _HOLDERS,
    "container": _HOLDERS,
    "extension": frozenset[str](),
    "classifier": frozenset[str](),
}
_ALLOWED = {
    "extension": {"name", "prefix", "uri"},
    "global": {"scope"},
    "classifier": {"name", "scope", "keys"},
    "trace": set[str](),
    "event": set[str](),
    "list": {"key", "value"},
    "values": set[str](),
    "container": {"key", "value"},
} | {element: {"key", "value"} for element in _VALUES}
_PATTERNS = {
    "int": re.compile(r"[+-]?\d{1,19}", re.ASCII),
    "float": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?INF|NaN", re.ASCII),
    "boolean": re.compile(r"true|false|1|0", re.ASCII | re.IGNORECASE),
    "id": re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII),
}
_DATES = Formats(zone=ZoneInfo("UTC"))  # whether a zone is missing is for the mapping to say


def rows(path: Path, _layout: Layout, _columns: Callable[[list[str]], None]) -> Iterator[Row | Reject]:
    """The events of a log; a log has no header to look at."""
    handler = _Handler()
    parser: Any = DefusedExpatParser(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    parser.setContentHandler(handler)
    handler.line = lambda: int(parser.getLineNumber() or 0)
    try:
        with opened(path) as stream:
            chunk = stream.read(CHUNK)
            if not chunk:
                raise FileRefused(0, "bad_xml", "is empty")
            while chunk:
                parser.feed(chunk)
                while handler.ready:
                    yield handler.ready.popleft()
                chunk = stream.read(CHUNK)
        parser.close()
    except DefusedXmlException:
        yield from handler.ready
        raise FileRefused(handler.line(), "doctype", "holds a DOCTYPE, which is refused") from None
    except SAXException as error:
        yield from handler.ready
        reason = getattr(error, "getMessage", lambda: "")()
        raise FileRefused(handler.line(), "bad_xml", f"is not well-formed XML ({reason}): nothing after it was read") from None
    except LookupError:
        raise FileRefused(1, "bad_xml", "declares an encoding that does not exist") from None
    except FileRefused as refused:
        yield from handler.ready
        raise FileRefused(refused.line or handler.line(), refused.code, refused.reason) from None
    yield from handler.ready


@dataclass(slots=True)
class _Holder:
    """A trace or event that is being read."""

    line: int
    fields: dict[str, str] = field(default_factory=dict)
    faults: list[Reject] = field(default_factory=list)


class _Handler(ContentHandler):
    """Puts rows and rejects into ``ready`` as soon as they are certain."""

    def __init__(self) -> None:
        super().__init__()
        self.ready: deque[Row | Reject] = deque()
        self.line: Callable[[], int] = lambda: 0
        self._stack: list[str] = []
        self._skipped = 0
        self._trace: _Holder | None = None
        self._event: _Holder | None = None
        self._events: list[_Holder] = []

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - the name that SAX calls
        if self._skipped:
            self._skipped += 1
            if self._skipped > 1000:
                raise FileRefused(self.line(), "too_deep", "is nested deeper than any log: nothing after it was read")
            return
        element = name.rpartition(":")[2]
        around = self._stack[-1] if self._stack else ""
        allowed = _HOLDERS if around in _VALUES else _PLACES[around]
        if element not in allowed:
            if not around:
                raise FileRefused(self.line(), "bad_xes", "is no event log: its outermost element is not <log>")
            known = element in _PLACES or element in _VALUES
            self._fault(
                "bad_xes", f"has <{element}> inside <{around}>" if known else f"has an element inside <{around}> that no event log has"
            )
            self._skipped = 1
            return
        if len(self._stack) >= MAX_DEPTH:
            raise FileRefused(self.line(), "too_deep", f"is nested deeper than {MAX_DEPTH} levels: nothing after it was read")
        self._stack.append(element)
        if element in ("trace", "event"):
            self._begin(element)
        self._look_at(element, around, attrs)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 - as SAX calls it
        if self._skipped:
            self._skipped -= 1
            return
        element = self._stack.pop()
        if element == "event":
            self._end_event()
        elif element == "trace":
            self._end_trace()

    def _begin(self, element: str) -> None:
        if element == "trace":
            self._trace = _Holder(self.line())
            return
        self._event = _Holder(self.line())
        if len(self._events) >= MAX_TRACE:
            raise FileRefused(self.line(), "too_large", f"has a trace of more than {MAX_TRACE} events: nothing after it was read")

    def _end_event(self) -> None:
        event, self._event = self._event, None
        assert event is not None
        if self._trace is None:
            self.ready.append(Reject("", event.line, "/subject", "missing", "stands in no trace, so that its case is unknown"))
        else:
            self._events.append(event)

    def _end_trace(self) -> None:
        trace, self._trace = self._trace, None
        events, self._events = self._events, []
        assert trace is not None
        self.ready.extend(trace.faults)
        case = {f"case:{key}": value for key, value in trace.fields.items()}
        for event in events:
            if event.faults:
                self.ready.extend(event.faults)
            elif trace.faults:
                self.ready.append(Reject("", event.line, "", "bad_xes", f"belongs to the trace in line {trace.line}, which has a fault"))
            else:
                self.ready.append(Row(event.line, case | event.fields))

    def _look_at(self, element: str, around: str, attrs: Any) -> None:
        given = {key: attrs.getValue(key) for key in attrs.getNames() if not key.startswith("xmlns")}
        if element != "log" and given.keys() - _ALLOWED[element]:
            self._fault("bad_xes", f"<{element}> has an XML attribute that it may not have")
        needed = {"extension": ("name", "uri"), "classifier": ("name", "keys")}.get(element, ())
        if any(not given.get(name, "").strip() for name in needed):
            self._fault("bad_xes", f"<{element}> lacks {' or '.join(needed)}")
        if element in ("global", "classifier") and given.get("scope", "event") not in ("trace", "event"):
            self._fault("bad_xes", f"<{element}> has a scope that is neither trace nor event")
        if element in _HOLDERS and around != "values":
            self._attribute(element, around, given)

    def _attribute(self, element: str, around: str, given: Mapping[str, str]) -> None:
        key = given.get("key")
        if not key:
            self._fault("bad_xes", f"<{element}> has no key")
            return
        if element not in _VALUES:
            return
        value = given.get("value")
        if value is None or not _is(element, value):
            self._fault("bad_xes", f"<{element}> has no value, or one that is no {element}")
            return
        holder = {"event": self._event, "trace": self._trace}.get(around)
        if holder is None:
            return
        if key in holder.fields:
            self._fault("bad_xes", f"has the same key twice in its <{around}>")
        holder.fields[key] = value

    def _fault(self, code: str, reason: str) -> None:
        reject = Reject("", self.line(), "", code, reason)
        holder = self._event or self._trace
        if holder is None:
            self.ready.append(reject)
        elif len(holder.faults) < 20:
            holder.faults.append(reject)


def _is(element: str, value: str) -> bool:
    if element == "date":
        try:
            as_moment(value, _DATES)
        except ConvertError:
            return False
        return True
    pattern = _PATTERNS.get(element)
    return pattern is None or pattern.fullmatch(value.strip()) is not None


class UnmappedLog:
    """Makes CloudEvents of a log's events without a mapping."""

    columns = frozenset[str]()

    def __init__(self, catalogue: Catalogue) -> None:
        self._standard = StandardColumns(catalogue)

    def events(self, record: Mapping[str, Any]) -> list[dict[str, Any] | MappingFault]:
        """The one event: its id is ``identity:id``, or made of everything that the log says of it."""
        given = sorted((key, value) for key, value in record.items())
        fields = {
            "id": record.get("identity:id") or hashlib.sha256(json.dumps(given).encode()).hexdigest()[:40],
            "source": SOURCE,
            "type": record.get("concept:name"),
            "subject": record.get("case:concept:name"),
            "time": record.get("time:timestamp"),
        }
        return self._standard.events(fields | {key: value for key, value in record.items() if key.startswith("data.")})
