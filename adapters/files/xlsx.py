"""Excel workbooks: the first sheet, or the one that the mapping names.  Values as they were last calculated, never formulas."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters.base import Reject
from adapters.files.opening import FileRefused
from adapters.files.rows import Row
from adapters.mapping_schema import Layout

MAX_UNPACKED = 1_073_741_824
"""Bytes of a workbook's parts once they are unpacked."""
_RATIO = 200
_FREE = 67_108_864
_DOCTYPE = re.compile(rb"<!DOCTYPE|<\x00!\x00D\x00O\x00C|\x00<\x00!\x00D\x00O\x00C")


def rows(path: Path, layout: Layout, columns: Callable[[list[str]], None]) -> Iterator[Row | Reject]:
    """The rows under the header, which is the first row that holds anything."""
    _look_inside(path)
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise FileRefused(0, "bad_xlsx", f"is no workbook that can be read ({type(error).__name__})") from error
    try:
        yield from _sheet(_chosen(book, layout), columns)
    finally:
        book.close()


def _chosen(book: Any, layout: Layout) -> Any:
    if layout.sheet is None:
        if not book.worksheets:
            raise FileRefused(0, "missing_sheet", "has no sheet")
        return book.worksheets[0]
    if layout.sheet not in book.sheetnames:
        raise FileRefused(0, "missing_sheet", f"has no sheet {layout.sheet!r}")
    return book[layout.sheet]


def _sheet(sheet: Any, columns: Callable[[list[str]], None]) -> Iterator[Row | Reject]:
    sheet.reset_dimensions()  # the size that a file states may be wrong
    header: list[str] | None = None
    try:
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            values = [_value(cell) for cell in cells]
            if not any(value not in (None, "") for value in values):
                continue
            if header is None:
                while values and values[-1] in (None, ""):
                    values.pop()
                header = ["" if value is None else str(value).strip() for value in values]
                columns(header)
            elif any(value not in (None, "") for value in values[len(header) :]):
                yield Reject("", number, "", "wrong_length", f"has cells beyond the header's {len(header)} columns")
            else:
                yield Row(number, {name: value for name, value in zip(header, values, strict=False) if name})
        if header is None:
            raise FileRefused(0, "bad_xlsx", "is empty: its sheet has no header")
    except FileRefused:
        raise
    except Exception as error:
        raise FileRefused(0, "bad_xlsx", f"holds a sheet that cannot be read ({type(error).__name__})") from error


def _value(cell: Any) -> Any:
    """A cell's value; a moment whose format shows no time of day is a day."""
    value = cell.value
    if isinstance(value, dt.datetime) and value.time() == dt.time() and "h" not in _plain_format(cell.number_format):
        return value.date()
    return value


def _plain_format(number_format: str | None) -> str:
    """A number format in lower case without its quoted texts and bracketed locale codes."""
    return re.sub(r'"[^"]*"|\[\$[^\]]*\]|\\.', "", number_format or "").lower()


def _look_inside(path: Path) -> None:
    """Refuses what would grow out of proportion, and parts with a DOCTYPE, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
            if size > min(MAX_UNPACKED, max(_FREE, _RATIO * path.stat().st_size)):
                raise FileRefused(0, "too_large", "grows out of proportion when it is unpacked")
            for part in archive.infolist():
                if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                    with archive.open(part) as stream:
                        if _DOCTYPE.search(stream.read(4096)):
                            raise FileRefused(0, "doctype", "holds a DOCTYPE, which is refused")
    except (FileRefused, OSError):
        raise
    except Exception as error:  # an archive breaks in many ways: zipfile's own errors, zlib's, struct's, and more
        raise FileRefused(0, "bad_xlsx", "is no workbook: it cannot be unpacked") from error
