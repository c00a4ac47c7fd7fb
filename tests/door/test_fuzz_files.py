"""Whatever a file holds, its reader answers: events, rejects with their line, or faults with their place; and nobody's words come back.

Good files are cut, doubled and spliced with what readers stumble over.  Reproducible: the same examples every time;
``DUECARE_FUZZ_EXAMPLES`` (default 60) is how many of each kind.  A reader that hangs is stopped by the time limit of the tests.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from adapters.base import Reject
from adapters.files import read_events
from adapters.mapping import Mapping
from rules.envelope import Parsed
from rules.errors import PolicyError
from rules.policy import load_package
from service.notify import config as notifying
from service.sources.definitions import read_file
from tests.door.test_xes import HEAD
from tests.door.test_xes import MAPPING as XES_MAPPING
from tests.support.door import RECEIVED, families
from tests.support.hostile import POLICY

CANARY = "Zwillingsschwester"
"""What somebody wrote about a family."""
CATALOGUE = families()
bounded = settings(
    max_examples=int(os.environ.get("DUECARE_FUZZ_EXAMPLES", "60")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

CSV_MAPPING = """
mapping: desk
version: "1"
source: urn:example:desk
format: {zone: Australia/Adelaide}
case: family
recorded: noted
id: {template: "visit-{id}"}
type: {constant: visit.held}
time: held
data:
  status: {column: status, values: {done: held, missed: attempted}}
  performer.id: worker
"""
CSV = (
    "id,family,held,noted,status,worker,risks,remarks\n"
    f'1,F1,2026-05-04 10:00,2026-05-04 11:00,done,w1,2,"{CANARY}, ""quoted""\nand a second line"\n'
    f"2,F2,2026-05-05 10:00,2026-05-05 11:00,missed,w2,,{CANARY}\n"
).encode()
JSONL = (
    '{"specversion":"1.0","id":"a","source":"urn:x","type":"visit.held","subject":"F1","time":"2026-03-23T15:00:00Z",'
    f'"data":{{"status":"held","mode":"in_person","notes":"{CANARY}"}}}}\n'
).encode() * 2
XES = (
    HEAD
    + '<trace><string key="concept:name" value="F1"/><event><string key="concept:name" value="Visit"/>'
    + '<date key="time:timestamp" value="2026-03-23T15:00:00.000+01:00"/><string key="step" value="1"/>'
    + f'<string key="lifecycle:transition" value="complete"/><string key="remarks" value="{CANARY}"/></event></trace></log>'
).encode()
ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
PIECES = st.sampled_from(
    [
        b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b'"', b"'", b'""', b"\n", b"\r", b"\r\n", b",", b";",
        b"\t", b"[" * 3_000, b"{" * 3_000, b'{"a":' * 200, b"<string key='a' value='b'>" * 200, b"]]>", b"<![CDATA[", b"<!--", b"&a;",
        b"&#0;", b"9" * 5_000, b"1e999999", b"-0", b"NaN", b"Infinity", b"0x10", b"x" * 50_000, b"2026-02-30", b"0000-00-00T00:00:00Z",
        b"9999-12-31T23:59:60Z", b"=1+1", b"&a *a", b"!!python/object:os.system", b"? [", b"<<: *a", b"- - - - ", b"\xc2\x85",
        b"\xe2\x80\xa8", "\U0001f3e0".encode(), "e\u0301\u202e".encode(), LAUGHS.encode(), ALIASES.encode(),
    ]
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with up to four of its parts cut out, doubled, moved or replaced."""
    raw = good
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.sampled_from([0, 1, 2, 8, 40, 200])))
        match draw(st.sampled_from(["cut", "double", "put", "replace", "noise"])):
            case "cut":
                raw = raw[:start] + raw[end:]
            case "double":
                raw = raw[:end] + raw[start:end] * draw(st.sampled_from([1, 2, 50])) + raw[end:]
            case "put":
                raw = raw[:start] + draw(PIECES) + raw[start:]
            case "replace":
                raw = raw[:start] + draw(PIECES) + raw[end:]
            case _:
                raw = raw[:start] + draw(st.binary(max_size=20)) + raw[end:]
    return raw


def look(raw: bytes, name: str, mapping: str | None) -> None:
    """Reads it: only events and rejects come, each reject with its file, a code and words that are not the file's."""
    chosen = Mapping.parse(mapping, CATALOGUE) if mapping is not None else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        for found in read_events(path, CATALOGUE, chosen, received=RECEIVED):
            assert isinstance(found, Parsed | Reject)
            if isinstance(found, Reject):
                assert found.file == str(path)
                assert found.code
                assert found.line >= 0
                assert CANARY not in f"{found.code} {found.reason} {found.pointer}"


TABLE = f"id,source,type,subject,time,data.status,data.notes\na,urn:x,visit.held,F1,2026-03-23T15:00:00Z,held,{CANARY}\n".encode()
OBJECTS = f'{{"id":"1","family":"F1","held":"2026-05-04 10:00","status":"done","remarks":"{CANARY}"}}\n'.encode()
KINDS: list[tuple[str, bytes, str | None]] = [
    ("events.csv", CSV, CSV_MAPPING),
    ("events.csv", TABLE, None),
    ("events.jsonl", JSONL, None),
    ("events.jsonl", OBJECTS, CSV_MAPPING),
    ("events.xes", XES, XES_MAPPING),
    ("events.xes", XES, None),
]


@pytest.mark.parametrize(("name", "good", "mapping"), KINDS, ids=[f"{name}{' mapped' if mapping else ''}" for name, _, mapping in KINDS])
def test_a_spoilt_file_gives_events_and_rejects(name: str, good: bytes, mapping: str | None) -> None:
    look(good, name, mapping)

    @bounded
    @given(spoilt(good))
    def spoil(raw: bytes) -> None:
        look(raw, name, mapping)

    spoil()


@bounded
@given(spoilt(gzip.compress(JSONL * 50, mtime=0)))
def test_a_spoilt_compressed_file(raw: bytes) -> None:
    look(raw, "events.jsonl.gz", None)


def packed(parts: dict[str, bytes]) -> bytes:
    """An archive that is the same every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted(parts.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@cache
def workbook() -> dict[str, bytes]:
    """The parts of a workbook."""
    book = Workbook()
    book.properties.created = book.properties.modified = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - as openpyxl has it
    sheet: Any = book.active
    sheet.append(["id", "family", "held", "noted", "status", "remarks"])
    sheet.append(["1", "F1", "2026-05-04 10:00", None, "done", CANARY])
    sheet.append([1e300, True, None, "", 3, "=1"])
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return parts | {"docProps/core.xml": re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-01-01T00:00:00Z", parts["docProps/core.xml"])}


@settings(bounded, max_examples=max(10, bounded.max_examples // 3))
@given(st.data())
def test_a_spoilt_workbook_inside_and_out(data: st.DataObject) -> None:
    """The archive itself, or one of the files in it, packed again."""
    parts = dict(workbook())
    if data.draw(st.booleans()):
        raw = data.draw(spoilt(packed(parts)))
    else:
        name = data.draw(st.sampled_from(sorted(parts)))
        raw = packed(parts | {name: data.draw(spoilt(parts[name]))})
    look(raw, "events.xlsx", CSV_MAPPING)


def in_file(read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def from_bytes(raw: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "some.yaml"
            path.write_bytes(raw)
            return read(path)

    return from_bytes


SOURCE = (
    f"source: visits\ntitle: {CANARY}\nuri: urn:test:client\nadapter: files\nsettings: {{folder: drop, settle: 0}}\nmapping:"
    + CSV_MAPPING.replace("\n", "\n  ").replace("source: urn:example:desk", "source: urn:test:client")
)
NOTIFY = "webhooks:\n- {name: partner, url: 'https://example.org/x', secret: {env: NOTIFY_SECRET}}\n"
YAMLS: list[tuple[str, str, Callable[[bytes], object]]] = [
    ("a mapping", CSV_MAPPING, lambda raw: Mapping.parse(raw.decode("utf-8", "surrogateescape"), CATALOGUE)),
    ("a policy", POLICY, lambda raw: load_package({"trial.yaml": raw.decode("utf-8", "surrogateescape")}, "trial.yaml")),
    ("a source", SOURCE, in_file(lambda path: read_file(path, CATALOGUE))),
    ("those to be told", NOTIFY, in_file(notifying.load)),
]


def placed(error: PolicyError) -> None:
    """Every fault says what and where."""
    assert error.faults
    assert all(fault.code and fault.message and fault.line >= 0 and fault.col >= 0 for fault in error.faults)


@pytest.mark.parametrize(("good", "read"), [(good, read) for _, good, read in YAMLS], ids=[name for name, _, _ in YAMLS])
def test_a_spoilt_text_is_read_or_refused_with_every_place(
    good: str, read: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    @bounded
    @given(spoilt(good.encode()))
    def spoil(raw: bytes) -> None:
        try:
            read(raw)
        except PolicyError as error:
            placed(error)

    spoil()
