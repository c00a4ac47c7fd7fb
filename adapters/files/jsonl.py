"""JSON Lines: one CloudEvent a line, or with a mapping one record a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.base import Reject, Result, rejects
from adapters.files.opening import lines, opened
from adapters.files.rows import Row
from adapters.mapping_schema import Layout
from rules.catalogue import Catalogue
from rules.envelope import read_event
from rules.errors import EventRefused
from rules.strictjson import loads

_TOO_LONG = ("too_large", "is too long a line")


def events(path: Path, shown: str, catalogue: Catalogue, *, received: int) -> Iterator[Result]:
    """The CloudEvents of a file; blank lines are passed over."""
    with opened(path) as stream:
        for number, line in lines(stream):
            if line is None:
                yield Reject(shown, number, "", *_TOO_LONG)
            elif line.strip():
                try:
                    yield read_event(line, catalogue, received=received, line=number)
                except EventRefused as refused:
                    yield from rejects(refused, file=shown, line=number)


def rows(path: Path, _layout: Layout, _columns: Callable[[list[str]], None]) -> Iterator[Row | Reject]:
    """The records of a file, as they stand there."""
    with opened(path) as stream:
        for number, line in lines(stream):
            if line is None:
                yield Reject("", number, "", *_TOO_LONG)
            elif line.strip():
                try:
                    record = loads(line)
                except EventRefused as refused:
                    yield from rejects(refused, file="", line=number)
                    continue
                if isinstance(record, dict):
                    yield Row(number, record)
                else:
                    yield Reject("", number, "", "wrong_type", "is not a JSON object")
