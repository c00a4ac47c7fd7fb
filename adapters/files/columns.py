"""Tables that are written for us: columns named as the attributes of an event.  Imports adapters.convert and rules.

``id, source, type, subject, time`` and, where known, ``recordedtime``; data in columns ``data.<path>`` (``data.performer.role``,
``data.members.0.person``), several items of a list in one cell divided by ``;``.  A column of any other name is left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.convert import ConvertError, Formats, as_moment, as_text, as_value, blank, nest
from adapters.fields import MappingFault
from rules.attributes import escape
from rules.catalogue import Catalogue

_TEXTS = ("id", "source", "type", "subject")
_KNOWN = frozenset({*_TEXTS, "time", "recordedtime", "specversion", "datacontenttype", ""})


class StandardColumns:
    """Makes CloudEvents of rows whose columns are named as an event's attributes."""

    columns = frozenset({"id", "source", "type", "subject", "time"})

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._formats = Formats()

    def events(self, record: Mapping[str, Any]) -> list[dict[str, Any] | MappingFault]:
        """The one event of a row."""
        event: dict[str, Any] = {"specversion": "1.0"}
        try:
            for name in _TEXTS:
                event |= {} if blank(record.get(name)) else {name: as_text(record[name])}
            data: dict[str, Any] = {}
            for name in ("time", "recordedtime"):
                if not blank(cell := record.get(name)):
                    event[name] = (
                        cell if isinstance(cell, str) else _at(f"/{name}", lambda cell=cell: as_moment(cell, self._formats).text())
                    )
            strange = []
            for name, cell in record.items():
                if blank(cell) or name in _KNOWN:
                    continue
                if name.startswith("data."):
                    data[name[5:]] = self._value(event.get("type", ""), name[5:], cell)
                else:
                    strange.append(name)
            # No attribute has a colon in its name: the catalogue drops these, and so they are counted.
            event["data"] = _at("/data", lambda: nest(data)) | {f"column:{name}": "" for name in strange}
        except MappingFault as fault:
            return [fault]
        return [event]

    def _value(self, kind: str, path: str, cell: Any) -> Any:
        attribute = self._catalogue.attribute(kind, path)
        if attribute is None:
            return cell if isinstance(cell, str) else str(cell)  # the catalogue drops it, and says so
        return _at("/data/" + "/".join(escape(step) for step in path.split(".")), lambda: as_value(cell, attribute, self._formats))


def _at(pointer: str, convert: Any) -> Any:
    try:
        return convert()
    except ConvertError as error:
        raise MappingFault(pointer, "wrong_value", str(error)) from None
