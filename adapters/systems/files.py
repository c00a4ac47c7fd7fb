"""A folder into which a client system lays files: CSV, XLSX, JSON Lines, XES, each also with gzip where that is usual.

A file is taken once, known by its content, whatever it is called; one that is still being written is left alone until it has not
changed for a while.  Rows are read page by page; after a crash the file is read on from the row that is on record.

Rows of a log never change.  Where the files are exports of the same records again and again, ``key`` names the columns by which a row
is known again: an edited row then takes the place of the earlier one, and with ``complete`` a row that is no longer there is gone.
Imports adapters.files.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, model_validator

from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record, Reject
from adapters.convert import as_text, blank
from adapters.files import SUFFIXES, kind_of, read_rows
from adapters.mapping_schema import Layout, look_up

_BLOCK = 1_048_576


class Settings(BaseModel):
    """What a source of this kind needs to know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    folder: str
    """Where the files are laid; beside the source's file where it is no absolute path."""
    names: str = "*"
    """Which files: a pattern such as visits-*.csv."""
    settle: int = Field(default=10, ge=0, le=86_400)
    """Seconds for which a file must not have changed before it is read."""
    page: int = Field(default=1_000, ge=1, le=50_000)
    key: list[str] = Field(default_factory=list, max_length=10)
    """Where each file is an export of the same records again: the columns by which a row is known again. Else rows never change."""
    complete: bool = False
    """Each file holds all records there are: one that is missing from it is gone. Needs a key."""
    _layout: Layout = PrivateAttr(default_factory=Layout)
    _beside: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="after")
    def _of_the_source(self, info: ValidationInfo) -> Settings:
        given = info.context or {}
        self._layout = given.get("layout") or Layout()
        self._beside = given.get("folder") or Path()
        if self.complete and not self.key:
            raise ValueError("complete needs a key: without one, no row can be told to be missing")
        return self

    @property
    def layout(self) -> Layout:
        """How the files are written, as the mapping says."""
        return self._layout

    @property
    def path(self) -> Path:
        """The folder."""
        return self._beside / Path(self.folder).expanduser()


@dataclass(slots=True)
class _Seen:
    """A file as it was when it was looked at last."""

    size: int
    changed: int
    digest: str


@dataclass(slots=True)
class _Cursor:
    """``taken``: digests of contents that were read whole; ``name``, ``digest``: the file at hand; ``rows``: how many are read.

    ``ahead``: files that claim to be changed in the future, as they were when they were looked at first, and when that was (ms).
    Of exports: ``newest``, when the last one that was taken was changed (ms); ``sweep``: its number; ``unread``: whether the file at
    hand has rows that cannot be read.
    """

    taken: list[str] = field(default_factory=list)
    seen: dict[str, _Seen] = field(default_factory=dict)
    name: str | None = None
    digest: str | None = None
    rows: int = 0
    ahead: dict[str, list[int]] = field(default_factory=dict)
    newest: int = 0
    sweep: int = 0
    unread: bool = False

    @classmethod
    def read(cls, cursor: Cursor | None) -> _Cursor:
        given = dict(cursor or {})
        seen = {name: _Seen(**one) for name, one in given.pop("seen", {}).items()}
        return cls(seen=seen, **given)


class Files:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: tuple[str, int, Iterator[Record | Reject]] | None = None

    def close(self) -> None:
        self._open = None

    def check(self) -> Connection:
        found = self._names()
        return Connection(str(self._settings.path), {"files": f"{len(found)} that match {self._settings.names}"})

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:  # noqa: ARG002 - a line of a file has no other state than the one that was read
        return []

    def pull(self, cursor: Cursor | None) -> Page:
        at = _Cursor.read(cursor)
        began = int(time.time() * 1000)
        if at.name is None or at.digest is None:
            waiting = self._next(at)
            if waiting is None:
                return Page([], asdict(at), complete_until=began - self._settings.settle * 1000 if not self._fresh(at) else None)
            at.name, at.digest, at.rows = waiting, at.seen[waiting].digest, 0
            if self._settings.key and (late := self._out_of_turn(at, began)) is not None:
                return late
        name, digest = at.name, at.digest
        rows = self._rows(name, digest, at.rows)
        found = list(islice(rows, self._settings.page))
        at.rows += len(found)
        self._open = (digest, at.rows, rows)
        whole = len(found) < self._settings.page
        if whole:
            at.taken = [*at.taken, self._mark(at.seen[name])]
            at.name, at.digest, at.rows, self._open = None, None, 0, None
        records = [one for one in found if isinstance(one, Record)]
        refused = [one for one in found if isinstance(one, Reject)]
        if not self._settings.key:
            return Page(records, asdict(at), more=True, fixed=True, refused=refused)
        at.unread = at.unread or bool(refused)
        swept = sorted(self._kinds_of(name)) if whole and self._settings.complete and not at.unread else ()
        sweep = at.sweep if self._settings.complete else 0
        return Page(records, asdict(at), more=True, refused=refused, sweep=sweep, swept=swept)

    def _out_of_turn(self, at: _Cursor, now: int) -> Page | None:
        """Begins an export; one that is older than the last one that was taken would undo what has changed since."""
        assert at.name is not None
        changed = min(at.seen[at.name].changed // 1_000_000, now)
        if changed < at.newest:
            reject = Reject(at.name, 0, "", "older", "is older than an export that was taken before it: lay it again if it is right")
            at.taken = [*at.taken, self._mark(at.seen[at.name])]
            at.name, at.digest, at.rows = None, None, 0
            return Page([], asdict(at), more=True, refused=[reject])
        at.newest, at.sweep, at.unread = changed, at.sweep + 1, False
        return None

    def _mark(self, seen: _Seen) -> str:
        """By what a file that was taken is known: its content; of an export also when it was made, since an edit may be undone."""
        return f"{seen.digest}:{seen.changed}" if self._settings.key else seen.digest

    def _kinds_of(self, name: str) -> set[str]:
        kind = kind_of(Path(name))
        return set() if kind is None else {kind}

    def _names(self) -> list[str]:
        folder = self._settings.path
        try:
            found = [one for one in folder.iterdir() if one.is_file() and fnmatch(one.name, self._settings.names)]
        except OSError as error:
            raise AdapterError(f"the folder {folder} cannot be read: {error.strerror}") from None
        known = [one for one in found if one.name.lower().endswith(SUFFIXES) and not one.name.startswith(".")]
        return [one.name for one in sorted(known, key=lambda one: (one.stat().st_mtime_ns, one.name))]

    def _next(self, at: _Cursor) -> str | None:
        """The oldest file that was not taken yet; what is known of the files is brought up to date on the way."""
        names = self._names()
        at.seen = {name: seen for name, seen in at.seen.items() if name in names}
        at.ahead = {name: ahead for name, ahead in at.ahead.items() if name in names}
        for name in names:
            seen = self._look(name, at.seen.get(name), at)
            if seen is not None:
                at.seen[name] = seen
                if self._mark(seen) not in at.taken:
                    return name
        present = {self._mark(seen) for seen in at.seen.values()}
        at.taken = [digest for digest in at.taken if digest in present][-10_000:] if not self._fresh(at) else at.taken
        return None

    def _settled(self, name: str, size: int, changed: int, at: _Cursor) -> bool:
        """Whether a file has not changed for a while; by our own clock, where it says that it will be changed in the future."""
        now = time.time_ns()
        if changed <= now:
            at.ahead.pop(name, None)
            return now - changed >= self._settings.settle * 1_000_000_000
        first = at.ahead.get(name)
        if first is None or first[:2] != [size, changed]:
            at.ahead[name] = [size, changed, now // 1_000_000]
            return self._settings.settle == 0
        return now // 1_000_000 - first[2] >= self._settings.settle * 1_000

    def _look(self, name: str, before: _Seen | None, at: _Cursor) -> _Seen | None:
        """The file as it is; None while it is still being written, or has gone."""
        path = self._settings.path / name
        with suppress(OSError):
            stat = path.stat()
            if not self._settled(name, stat.st_size, stat.st_mtime_ns, at):
                return None
            if before is not None and (before.size, before.changed) == (stat.st_size, stat.st_mtime_ns):
                return before
            digest = _digest(path)
            after = path.stat()
            if (after.st_size, after.st_mtime_ns) == (stat.st_size, stat.st_mtime_ns):
                return _Seen(stat.st_size, stat.st_mtime_ns, digest)
        return None

    def _fresh(self, at: _Cursor) -> bool:
        """Whether some file waits until it has settled."""
        return any(name not in at.seen for name in self._names())

    def _rows(self, name: str, digest: str, skip: int) -> Iterator[Record | Reject]:
        if self._open is not None and self._open[:2] == (digest, skip):
            return self._open[2]
        path = self._settings.path / name
        if not path.is_file():
            raise AdapterError(f"{name} went away while it was read, after {skip:,} rows")
        if skip and _digest(path) != digest:
            raise AdapterError(f"{name} was changed while it was read, after {skip:,} rows: lay changed files under new names")
        made = self._records(path, digest)
        next(islice(made, skip, skip), None)
        return made

    def _records(self, path: Path, digest: str) -> Iterator[Record | Reject]:
        key = self._settings.key
        changed = path.stat().st_mtime_ns // 1_000_000 if key else None
        for kind, row in read_rows(path, self._settings.layout):
            if isinstance(row, Reject):
                yield Reject(path.name, row.line, row.pointer, row.code, row.reason)
            elif not key:
                yield Record(kind, f"{digest[:12]}:{row.line}", row.fields)
            elif (ref := _ref(row.fields, key)) is None:
                yield Reject(path.name, row.line, "", "no_key", f"has nothing in {' or '.join(key)}, by which it would be known again")
            else:
                yield Record(kind, ref, row.fields, changed=changed)


def _ref(fields: Mapping[str, Any], key: Sequence[str]) -> str | None:
    """What a row is called by its key; None where a part of it is missing."""
    cells = [look_up(fields, column) for column in key]
    if any(blank(cell) for cell in cells):
        return None
    parts = [as_text(cell) for cell in cells]
    return parts[0] if len(parts) == 1 else json.dumps(parts, ensure_ascii=False)


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


KIND = Kind("files", "A folder into which files are laid: CSV, XLSX, JSON Lines, XES.", Settings, Files)
