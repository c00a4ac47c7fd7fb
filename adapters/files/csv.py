"""CSV tables.  Encoding and delimiter come from the mapping; without one, UTF-8 and commas."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from adapters.base import Reject
from adapters.files.opening import MAX_LINE, FileRefused, opened
from adapters.files.rows import Row
from adapters.mapping_schema import Layout


def rows(path: Path, layout: Layout, columns: Callable[[list[str]], None]) -> Iterator[Row | Reject]:
    """The rows under the header; ``columns`` is shown the header, and may refuse it."""
    encoding = "utf-8-sig" if layout.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else layout.encoding
    with opened(path) as raw:
        text = io.TextIOWrapper(raw, encoding=encoding, errors="surrogateescape", newline="")
        try:
            yield from _table(text, layout, columns)
        finally:
            text.detach()


def _table(text: TextIO, layout: Layout, columns: Callable[[list[str]], None]) -> Iterator[Row | Reject]:
    reader = csv.reader(_bounded(text), delimiter=layout.delimiter, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            if header is None:
                raise FileRefused(0, "bad_csv", "is empty: it has no header") from None
            return
        except csv.Error as error:
            if header is None:
                raise FileRefused(line, "bad_csv", f"has a header that is no CSV: {error}") from None
            yield Reject("", line, "", "bad_csv", f"is no CSV: {error}")
            continue
        except UnicodeError:
            raise FileRefused(line, "encoding", f"cannot be read as {layout.encoding}") from None
        if not any(cells):
            continue
        if not _decoded(cells):
            if header is None:
                raise FileRefused(line, "encoding", f"is not written in {layout.encoding}")
            yield Reject("", line, "", "encoding", f"is not written in {layout.encoding}")
        elif header is None:
            header = [name.strip() for name in cells]
            columns(header)
        elif len(cells) != len(header):
            yield Reject("", line, "", "wrong_length", f"has {len(cells)} cells where the header has {len(header)}")
        else:
            yield Row(line, dict(zip(header, cells, strict=True)))


def _bounded(text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise FileRefused(number, "too_large", "is too long a line: nothing after it was read")
        yield line


def _decoded(cells: list[str]) -> bool:
    """False where bytes did not belong to the encoding (they stand as half surrogates then)."""
    try:
        for cell in cells:
            cell.encode()
    except UnicodeEncodeError:
        return False
    return True
