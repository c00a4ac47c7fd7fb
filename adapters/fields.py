"""Fields of records and their faults: what a mapping is made of.  Imports adapters.convert, adapters.mapping_schema and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Fields
from functools import lru_cache
from typing import Any, TypeVar

from adapters.convert import ConvertError
from adapters.mapping_schema import PLACE, Take, look_up
from rules.attributes import escape

T = TypeVar("T")


class MappingFault(Exception):
    """A record that cannot become an event; ``pointer`` is where in the event, the message never repeats the record."""

    def __init__(self, pointer: str, code: str, message: str) -> None:
        super().__init__(message)
        self.pointer, self.code, self.message = pointer, code, message


def spread(record: Fields[str, Any]) -> Fields[str, Any]:
    """A record's values by dotted name; lists stay lists."""
    if not any(isinstance(value, dict) for value in record.values()):
        return record
    made: dict[str, Any] = {}
    stack: list[tuple[str, Fields[str, Any]]] = [("", record)]
    while stack:
        prefix, inner = stack.pop()
        for name, value in inner.items():
            if isinstance(value, dict):
                stack.append((f"{prefix}{name}.", value))
            else:
                made[prefix + name] = value
    return made


def items_of(record: Fields[str, Any], column: str) -> Iterator[dict[str, Any]]:
    """The record, once for each object in its list ``column``, with that object's fields under ``item.``."""
    listed = look_up(record, column)
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            yield {**record, **spread({"item": item})}


def converted(pointer: str, take: Take, convert: Callable[[], T]) -> T:
    """What ``convert`` gives.  Raises MappingFault where it cannot be converted."""
    try:
        return convert()
    except ConvertError as error:
        raise wrong(pointer, take, error) from None


def wrong(pointer: str, take: Take, error: ConvertError) -> MappingFault:
    """The fault of a value that cannot be what the catalogue wants."""
    return MappingFault(pointer, "wrong_value", f"{error}{in_columns(take)}")


@lru_cache(maxsize=4096)
def pointer_to(path: str) -> str:
    """RFC 6901 pointer to an attribute of the event's data."""
    return "/data/" + "/".join(escape(step) for step in path.split("."))


@lru_cache(maxsize=4096)
def parts_of(template: str) -> list[str]:
    """Fixed text and names of fields by turns."""
    return PLACE.split(template)


def in_columns(take: Take) -> str:
    """Which fields a value comes from, in words."""
    return f" (from {', '.join(take.columns)})" if take.columns else ""
