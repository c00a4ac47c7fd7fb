"""What is kept of a record that was refused, so that it can be tried again: the fields that its mapping reads, and nothing else.

What the catalogue does not list, such as names and narratives, comes no further than this.  Imports adapters/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping as Fields
from typing import Any

from adapters.mapping import Mapping
from adapters.read_fields import names_read, only_what_is_read

LONGEST_TEXT = 256
"""Characters: codes and ids are shorter, stories of families are longer.  A record with a longer text is not kept."""
MOST_PAYLOAD = 65_536
"""Characters of a record that is kept; a larger one is asked for again when it is replayed."""
READ = "~read"
"""Beside the fields: the names of those that the mapping read, so that a mended one that reads others asks for the record again."""


def payload_of(mapping: Mapping, fields: Fields[str, Any] | None) -> Fields[str, Any] | None:
    """What is kept of a record; None: nothing, it has to be asked for again."""
    names = names_read(mapping)
    if fields is None or names is None:
        return None
    only = only_what_is_read(fields, names)
    if any(len(text) > LONGEST_TEXT for text in _texts(only)):
        return None
    text = json.dumps({**only, READ: sorted(names)}, default=str)
    if len(text) > MOST_PAYLOAD or "\\u0000" in text:
        return None
    kept: dict[str, Any] = json.loads(text)
    return kept


def fields_of(mapping: Mapping, payload: Fields[str, Any] | None) -> Fields[str, Any] | None:
    """A record as it was kept; None where that was not all that the mapping, as it is now, reads of it."""
    if payload is None or READ not in payload:
        return payload  # what earlier versions kept was the whole record
    names = names_read(mapping)
    if names is None or not names <= set(payload[READ]):
        return None
    return {name: value for name, value in payload.items() if name != READ}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Fields):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
