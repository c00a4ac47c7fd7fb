"""Opens files without trusting them: compressed ones with a limit on what they may grow to, lines with a limit on their length."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

MAX_LINE = 4_194_304
"""Bytes of one line of a text file."""
_FREE = 67_108_864
_RATIO = 200
"""A compressed file may grow to 64 MiB, and beyond that to 200 times its size: logs grow to some 60 times, bombs to 1,000."""


class FileRefused(Exception):
    """A file of which nothing more can be read, and from which line on (0: none of it)."""

    def __init__(self, line: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.line, self.code, self.reason = line, code, reason


class _Capped(io.RawIOBase):
    """Decompressed bytes, up to a limit."""

    def __init__(self, inner: gzip.GzipFile, limit: int) -> None:
        self._inner, self._left = inner, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            got = self._inner.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileRefused(0, "bad_gzip", "is a damaged or truncated gzip file") from error
        self._left -= len(got)
        if self._left < 0:
            raise FileRefused(0, "too_large", f"grows to more than {_RATIO} times its size when it is decompressed")
        buffer[: len(got)] = got
        return len(got)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed where its name ends with .gz.  Reading may raise FileRefused."""
    with path.open("rb") as raw:
        if not path.name.lower().endswith(".gz"):
            yield raw
            return
        limit = max(_FREE, _RATIO * path.stat().st_size)
        with gzip.GzipFile(fileobj=raw) as inner:
            yield io.BufferedReader(_Capped(inner, limit), 262_144)


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines with their number from 1; None for one longer than MAX_LINE, which is passed over."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE:
            yield number, line
            continue
        while not line.endswith(b"\n") and (line := stream.readline(MAX_LINE + 1)):
            pass
        yield number, None
