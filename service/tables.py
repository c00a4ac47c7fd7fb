"""Tables of reports, told the same way in a terminal, in a page to keep and in a workbook; and cells that are safe in a spreadsheet.

Pure; imports nothing of the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import overload

Cell = str | int | float | None
"""A text, a count, or a share (0 to 1, told in per cent)."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #0b0c0c; margin: 2rem auto; max-width: 64rem; padding: 0 1rem }
h1 { font-size: 1.8rem } h2 { font-size: 1.3rem; margin-top: 2rem } h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem }
.wide { overflow-x: auto; margin-top: 1.5rem } table { border-collapse: collapse }
caption { text-align: left; font-weight: bold; font-size: 1.2rem }
th, td { border-bottom: 1px solid #b1b4b6; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
td.n, th.n { text-align: right } dl { margin: .25rem 0 1rem } dt { font-weight: bold } dd { margin: 0 0 0 1.5rem }
.quiet { color: #505a5f } code { overflow-wrap: anywhere }
""".strip()

_NUMBER = '<td class="n">'
_ACTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may take for the beginning of a formula."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first columns (``keys`` of them) name the row.  ``note`` says what is not in it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    keys: int = 1
    note: str = ""


@overload
def inert(cell: str) -> str: ...
@overload
def inert(cell: Cell) -> Cell: ...
def inert(cell: Cell) -> Cell:
    """A cell of a CSV file: a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_ACTS) else cell


def told(cell: Cell) -> str:
    """A cell as people read it."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.1%}"
    return cell if isinstance(cell, str) else f"{cell:,}"


def aligned(table: Table) -> Iterable[str]:
    """Its lines for a terminal or a plain file."""
    lines: Sequence[tuple[str, ...]] = [table.head, *(tuple(told(cell) for cell in row) for row in table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.head))]
    for line in lines:
        cells = [
            cell.ljust(width) if column < table.keys else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield f"  {'  '.join(cells)}".rstrip()
    if table.note:
        yield f"  {table.note}"


def html(table: Table) -> Iterable[str]:
    """The table for a page."""
    yield f'<div class="wide"><table><caption>{escape(table.title)}</caption><thead><tr>'
    for column, head in enumerate(table.head):
        tag = "td" if not head else 'th scope="col"' if column < table.keys else 'th scope="col" class="n"'
        yield f"<{tag}>{escape(head)}</{tag[:2]}>"
    yield "</tr></thead><tbody>"
    for row in table.rows:
        cells = (f"{'<td>' if column < table.keys else _NUMBER}{escape(told(cell))}</td>" for column, cell in enumerate(row) if column)
        yield f'<tr><th scope="row">{escape(told(row[0]))}</th>{"".join(cells)}</tr>'
    yield "</tbody></table></div>"
    if table.note:
        yield f'<p class="quiet">{escape(table.note)}</p>'
