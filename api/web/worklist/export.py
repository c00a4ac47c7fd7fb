"""The work list as a file: exactly its rows, in its order, with its columns, and what it was narrowed to, how many, and as of when.

It is written to a temporary file from one reading of the store and then sent piece by piece: memory stays flat, and a file that could
not be finished is never taken for a whole one.  No cell of it can act as a formula.  Imports csv, xlsxwriter, Flask and this package.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO

import xlsxwriter
from flask import Response, request

from api import recorded
from api.web import sessions, words
from api.web.pages import BadAddress, blueprint
from api.web.rendering import limits
from api.web.sessions import desk
from api.web.worklist import columns
from api.web.worklist.address import filters_of
from api.web.worklist.columns import Cell
from api.web.worklist.desk import Extract
from api.web.worklist.views import WorkFilters
from service.errors import TooMuch
from service.tables import inert

MOST = 1_000_000
"""Rows of a file; a worksheet has 1,048,576."""
_PIECE = 65_536
_WIDTHS = {"Finding": 70, "Case": 20, "Rule": 8, "About": 22, "Policy": 34, "Found": 17, "Changed": 17, "Breach": 38}


def _write_csv(file: IO[bytes], about: Sequence[tuple[str, str]], heads: Sequence[str], rows: Iterator[Sequence[Cell]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerows([inert(part) for part in line] for line in about)
    writer.writerow([])
    writer.writerow(heads)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    text.flush()
    text.detach()


def _write_xlsx(file: IO[bytes], about: Sequence[tuple[str, str]], heads: Sequence[str], rows: Iterator[Sequence[Cell]]) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet("Breaches")
        sheet.freeze_panes(1, 1)
        for place, head in enumerate(heads):
            sheet.set_column(place, place, _WIDTHS.get(head, 16))
        sheet.write_row(0, 0, heads, bold)
        last = 0
        for last, row in enumerate(rows, 1):
            for place, cell in enumerate(row):
                if isinstance(cell, int):
                    sheet.write_number(last, place, cell)
                elif cell:
                    sheet.write_string(last, place, cell)
        sheet.autofilter(0, 0, last, len(heads) - 1)
        other = book.add_worksheet("About this list")
        other.set_column(0, 0, 24)
        other.set_column(1, 1, 90)
        for place, (name, value) in enumerate(about):
            other.write_string(place, 0, name, bold)
            other.write_string(place, 1, value)


_KINDS: dict[str, tuple[str, Callable[[IO[bytes], Sequence[tuple[str, str]], Sequence[str], Iterator[Sequence[Cell]]], None]]] = {
    "csv": ("text/csv; charset=utf-8", _write_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _write_xlsx),
}


def about(extract: Extract, filters: WorkFilters, limited: str) -> list[tuple[str, str]]:
    """What stands with the rows, so that the file can be understood on its own."""
    return [
        ("Breaches", f"{extract.total:,}"),
        ("As of", words.moment(extract.as_of, extract.zone)),
        *(extract.narrowed or [("Narrowed to", "nothing: all breaches")]),
        ("Order", columns.sort_words(filters.sort)),
        *([("Seen by whoever took it", limited)] if limited else []),
        ("Times", f"{words.place(extract.zone)} time"),
    ]


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(_PIECE), b"")


def _breaches_file(kind: str) -> Response:
    filters = filters_of(request.args)
    access = sessions.access()
    media, write = _KINDS[kind]
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the answer does
    try:
        with desk().extract(access, filters, most=MOST) as extract:
            rows = map(columns.file_cells(filters.columns, extract.zone), extract.rows)
            write(file, about(extract, filters, limits(access)), columns.file_heads(filters.columns), rows)
            name = f"breaches-{words.local(extract.as_of, extract.zone):%Y-%m-%d-%H%M}.{kind}"
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
    except TooMuch as error:
        file.close()
        raise BadAddress(f"{error}: narrow it first") from None
    except BaseException:
        file.close()
        raise
    response = Response(_pieces(file), content_type=media)
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.call_on_close(file.close)
    recorded.note(count=extract.total)
    return response


@blueprint.get("/breaches/export.csv")
def breaches_csv() -> Response:
    """The list as comma-separated text, which any program reads."""
    return _breaches_file("csv")


@blueprint.get("/breaches/export.xlsx")
def breaches_xlsx() -> Response:
    """The list as a workbook."""
    return _breaches_file("xlsx")
