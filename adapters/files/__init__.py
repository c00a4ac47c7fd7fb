"""Events from files: JSON Lines of CloudEvents, CSV, XLSX and XES logs.  Imports adapters.mapping and rules.

A file is read once, from front to back, in memory that does not grow with it.  A row that cannot be read becomes a Reject with its
line; the rest goes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.base import Reject, Result, rejects
from adapters.convert import ConvertError
from adapters.fields import MappingFault, spread
from adapters.files import csv, jsonl, xes, xlsx
from adapters.files.columns import StandardColumns
from adapters.files.opening import FileRefused
from adapters.files.rows import Row
from adapters.mapping import Mapping
from adapters.mapping_schema import Layout
from rules.catalogue import Catalogue
from rules.envelope import parse_event
from rules.errors import EventRefused

SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".csv", ".csv.gz", ".xlsx", ".xes", ".xes.gz")
"""What the end of a file's name may be."""

Reader = Callable[[Path, Layout, Callable[[list[str]], None]], Iterator[Row | Reject]]
READERS: dict[str, Reader] = {"jsonl": jsonl.rows, "csv": csv.rows, "xlsx": xlsx.rows, "xes": xes.rows}


def read_events(path: str | Path, catalogue: Catalogue, mapping: Mapping | None = None, *, received: int) -> Iterator[Result]:
    """The events of a file, in its order; what cannot be taken comes as a Reject.  Never raises for what a file holds.

    ``received`` (ms) stands in for a missing recordedtime.  Without a mapping JSON Lines hold CloudEvents, tables have the columns
    ``id, source, type, subject, time, recordedtime, data.<path>``, and logs (XES) are read as adapters.files.xes says.
    """
    file = Path(path)
    shown = str(path)
    kind = kind_of(file)
    try:
        if kind is None:
            file.stat()  # What is not there is told as that, whatever its name ends in.
            yield Reject(shown, 0, "", "unknown_format", f"is no file of a known kind ({', '.join(SUFFIXES)})")
        elif kind == "jsonl" and mapping is None:
            yield from jsonl.events(file, shown, catalogue, received=received)
        else:
            yield from _interpreted(kind, file, shown, catalogue, mapping, received)
    except FileRefused as refused:
        yield Reject(shown, refused.line, "", refused.code, refused.reason)
    except OSError as error:
        yield Reject(shown, 0, "", "unreadable", f"cannot be read: {error.strerror or type(error).__name__}")


def read_rows(path: Path, layout: Layout) -> Iterator[tuple[str, Row | Reject]]:
    """The rows of a file before anything is made of them, each with the kind of file; of JSON Lines, the objects as they stand.

    Never raises for what a file holds.
    """
    kind = kind_of(path)
    if kind is None:
        yield "", Reject(path.name, 0, "", "unknown_format", f"is no file of a known kind ({', '.join(SUFFIXES)})")
        return
    try:
        for row in READERS[kind](path, layout, lambda _: None):
            yield kind, row
    except FileRefused as refused:
        yield kind, Reject(path.name, refused.line, "", refused.code, refused.reason)
    except OSError as error:
        yield kind, Reject(path.name, 0, "", "unreadable", f"cannot be read: {error.strerror or type(error).__name__}")


def kind_of(path: Path) -> str | None:
    """What a file holds by the end of its name: jsonl, csv, xlsx or xes; None where that is no kind that is known."""
    name = path.name.lower().removesuffix(".gz")
    kind = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".xlsx": "xlsx", ".xes": "xes"}.get(Path(name).suffix)
    return None if kind == "xlsx" and path.name.lower().endswith(".gz") else kind


def _interpreted(kind: str, file: Path, shown: str, catalogue: Catalogue, mapping: Mapping | None, received: int) -> Iterator[Result]:
    interpreter = mapping or (xes.UnmappedLog(catalogue) if kind == "xes" else StandardColumns(catalogue))
    layout = mapping.layout if mapping else Layout()

    def look_at(columns: list[str]) -> None:
        """Refuses a table whose header cannot be right."""
        twice = sorted({name for name in columns if name and columns.count(name) > 1})
        if twice:
            raise FileRefused(1, "duplicate_column", f"has a column twice: {', '.join(twice)}")
        missing = sorted(interpreter.columns - set(columns))
        if missing:
            raise FileRefused(1, "missing_column", f"has no column {', '.join(missing)}")

    for row in READERS[kind](file, layout, look_at):
        if isinstance(row, Reject):
            yield Reject(shown, row.line, row.pointer, row.code, row.reason)
            continue
        try:
            made = interpreter.events(spread(row.fields) if kind == "jsonl" else row.fields)
        except ConvertError as error:
            yield Reject(shown, row.line, "", "wrong_value", str(error))
            continue
        for event in made:
            if isinstance(event, MappingFault):
                yield Reject(shown, row.line, event.pointer, event.code, event.message)
                continue
            try:
                yield parse_event(event, catalogue, received=received, line=row.line)
            except EventRefused as refused:
                yield from rejects(refused, file=shown, line=row.line)
