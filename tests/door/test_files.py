"""Events from JSON Lines, CSV and workbooks: a bad row is told with its line, and the rest goes in."""

import datetime as dt
import gzip
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from adapters.base import Reject
from adapters.files import read_events
from adapters.mapping import Mapping
from rules.envelope import Parsed
from tests.support.door import RECEIVED, families, parsed, visit

HEADER = "id,source,type,subject,time,recordedtime,data.status,data.seen,data.performer.id,data.members.0.person,data.immediate_risks,notes"


def read(path: Path, mapping: Mapping | None = None) -> list[Parsed | Reject]:
    return list(read_events(path, families(), mapping, received=RECEIVED))


def rejects(results: list[Parsed | Reject]) -> list[tuple[int, str, str]]:
    return [(r.line, r.pointer, r.code) for r in results if isinstance(r, Reject)]


def ids(results: list[Parsed | Reject]) -> list[str]:
    return [r.event.id for r in results if isinstance(r, Parsed) and r.event is not None]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


# --- JSON Lines
def lines(*events: Any) -> bytes:
    return b"".join((json.dumps(event).encode() if not isinstance(event, bytes) else event) + b"\n" for event in events)


@pytest.mark.parametrize("name", ["e.jsonl", "e.ndjson", "E.JSONL", "e.jsonl.gz"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    text = lines(
        visit(id="a"),
        b"",
        visit(id="b"),
        b"  ",
        visit(type="source.heartbeat", subject="-", data={"complete_until": "2026-01-01T00:00:00Z"}),
    )
    found = read(write(tmp_path / name, gzip.compress(text) if name.endswith("gz") else text))
    assert ids(found) == ["a", "b"]
    assert [r.line for r in found] == [1, 3, 5]
    assert isinstance(found[2], Parsed)
    assert found[2].heartbeat is not None


def test_a_bad_line_is_told_and_the_rest_goes_in(tmp_path: Path) -> None:
    bad = [
        b"{",
        b'{"id": "a", "id": "b"}',
        b"\xff\xfe",
        b"[]",
        json.dumps(visit(time="x", id=None)).encode(),
        b'"' + b"x" * 2_000_000 + b'"',
        b"\x00",
    ]
    found = read(write(tmp_path / "e.jsonl", b"\xef\xbb\xbf" + lines(visit(id="first"), *bad, visit(id="last"))[:-1]))
    assert ids(found) == ["first", "last"]
    assert rejects(found) == [
        (2, "", "malformed_json"),
        (3, "/id", "duplicate_key"),
        (4, "", "malformed_json"),
        (5, "", "wrong_type"),
        (6, "/id", "missing"),
        (6, "/time", "wrong_value"),
        (7, "", "too_large"),
        (8, "", "malformed_json"),
    ]
    assert str(found[1]).startswith(f"{tmp_path}/e.jsonl:2: ")


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(lines(visit(id="first")))
        stream.write(b"x" * 50_000_000 + b"\n")
        stream.write(lines(visit(id="last")))
    tracemalloc.start()
    found = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ids(found) == ["first", "last"]
    assert rejects(found) == [(2, "", "too_large")]
    assert peak < 20_000_000


def test_records_in_json_lines_can_be_mapped(tmp_path: Path) -> None:
    text = """\
mapping: m
version: "1"
source: urn:example:m
case: case.number
id: id
type: {constant: visit.held}
time: when
data: {seen: people, status: {column: result, values: {"1": held}}}
"""
    record = {"id": 7, "case": {"number": 12}, "when": "2026-03-23T15:00:00Z", "people": ["m1", 4], "result": 1}
    found = read(write(tmp_path / "e.jsonl", lines(record, [1], {"id": 8})), Mapping.parse(text, families()))
    assert isinstance(found[0], Parsed)
    assert found[0].event is not None
    assert (found[0].event.id, found[0].event.case, found[0].event.data) == ("7", "12", {"seen": ["m1", "4"], "status": "held"})
    assert rejects(found) == [(2, "", "wrong_type"), (3, "/time", "missing")]


# --- CSV
def test_a_table_written_for_us(tmp_path: Path) -> None:
    text = f"""\ufeff{HEADER}
v1,urn:a,visit.held,case-1,2026-03-23T15:00:00Z,2026-03-24T15:00:00Z,held,m1; c1;,w1,,,Jane said
"h,1",urn:a,household.recorded,case-1,2026-03-23 15:00:00Z,,,,,"m1",,
p1,urn:a,safety_plan.recorded,case-1,2026-03-23T15:00:00Z,,draft,"[""x""]",,,3,
"""
    found = read(write(tmp_path / "e.csv", text))
    events = [r.event for r in found if isinstance(r, Parsed) and r.event is not None]
    assert rejects(found) == []
    assert [event.id for event in events] == ["v1", "h,1", "p1"]
    assert events[0].data == {"status": "held", "seen": ["m1", "c1"], "performer": {"id": "w1"}}
    assert events[1].data == {"members": [{"person": "m1"}]}
    assert events[2].data == {"status": "draft", "immediate_risks": 3}
    assert [r.dropped for r in found if isinstance(r, Parsed)] == [("column:notes",), (), ("seen",)]


def test_a_bad_row_is_told_with_the_line_where_it_begins(tmp_path: Path) -> None:
    text = f"""{HEADER}
v1,urn:a,visit.held,case-1,2026-03-23T15:00:00Z,,held,"m1;
c1",,,,

v2,urn:a,visit.held,case-1
v3,urn:a,visit.held,case-1,2026-03-23T15:00:00,,held,,,,,
v4,urn:a,visit.hold,case-1,2026-03-23T15:00:00Z,,held,,,,,
v5,urn:a,safety_plan.recorded,case-1,2026-03-23T15:00:00Z,,,,,,many,
v6,urn:a,visit.held,case-1,2026-03-23T15:00:00Z,,"he"ld,,,,,
,,visit.held,,,,,,,,,
v7,urn:a,visit.held,case-1,2026-03-23T15:00:00Z,,held,,,,,
"""
    raw = text.encode() + b"v8,urn:a,visit.held,case-1,2026-03-23T15:00:00Z,,h\xe9ld,,,,,\n"
    found = read(write(tmp_path / "e.csv", raw))
    assert ids(found) == ["v1", "v7"]
    assert rejects(found) == [
        (5, "", "wrong_length"),
        (6, "/time", "wrong_value"),
        (7, "/type", "unknown_type"),
        (8, "/data/immediate_risks", "wrong_value"),
        (9, "", "bad_csv"),
        (10, "/id", "missing"),
        (10, "/source", "missing"),
        (10, "/subject", "missing"),
        (10, "/time", "missing"),
        (12, "", "encoding"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "bad_csv"),
        (b"\n\n", "bad_csv"),
        (b"id,source,type,subject\n1,2,3,4\n", "missing_column"),
        (HEADER.encode() + b",id\n", "duplicate_column"),
        (b"id,sou\xffrce\n", "encoding"),
        (b'id,"sou"rce\n', "bad_csv"),
        (b"\x00" * 100, "missing_column"),
    ],
)
def test_a_header_that_cannot_be_right_refuses_the_table(tmp_path: Path, text: bytes, code: str) -> None:
    assert [found for _, _, found in rejects(read(write(tmp_path / "e.csv", text)))] == [code]


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(tmp_path: Path) -> None:
    row = "v{},urn:a,visit.held,case-1,2026-03-23T15:00:00Z,,held,,,,,\n"
    text = HEADER + "\n" + row.format(1) + '"' + "".join(row.format(n) for n in range(2, 20_000))
    found = read(write(tmp_path / "e.csv", text))
    assert "v1" in ids(found)
    assert len(ids(found)) > 15_000
    assert {code for _, _, code in rejects(found)} <= {"bad_csv", "wrong_length"}


@pytest.mark.parametrize(("encoding", "delimiter"), [("cp1252", ";"), ("utf-16", "\t"), ("utf-8", ",")])
def test_encoding_and_delimiter_come_from_the_mapping(tmp_path: Path, encoding: str, delimiter: str) -> None:
    shown = "\\t" if delimiter == "\t" else delimiter
    text = f"""
mapping: m
version: "1"
source: urn:example:m
format: {{encoding: {encoding}, delimiter: "{shown}", zone: Australia/Adelaide, time: ["%d.%m.%Y %H:%M"]}}
case: Fall
id: {{hash: record}}
type: {{constant: visit.held}}
time: Wann
data: {{seen.0: Für}}
"""
    table = "\r\n".join(
        delimiter.join(row) for row in [["Fall", "Wann", "Für"], ["ä1", "23.03.2026 15:00", "m1"], ["ä2", "99.03.2026 15:00", ""]]
    )
    found = read(write(tmp_path / "e.csv", table.encode(encoding)), Mapping.parse(text, families()))
    assert isinstance(found[0], Parsed)
    assert found[0].event is not None
    assert found[0].event.case == "ä1"
    assert found[0].event.data == {"seen": ["m1"]}
    assert rejects(found) == [(3, "/time", "wrong_value")]
    wrong = read(write(tmp_path / "e.csv", b"\xff\xfe\xfa\x00\xd8" * 50), Mapping.parse(text, families()))
    assert rejects(wrong) and not ids(wrong)  # noqa: PT018


def test_the_columns_that_a_mapping_needs_must_be_there(tmp_path: Path) -> None:
    text = 'mapping: m\nversion: "1"\nsource: urn:m\ncase: a\nid: b\ntype: {constant: visit.held}\ntime: c\n'
    (reject,) = read(write(tmp_path / "e.csv", "a,x\n1,2\n"), Mapping.parse(text, families()))
    assert isinstance(reject, Reject)
    assert (reject.line, reject.code) == (1, "missing_column")
    assert "b, c" in reject.reason


# --- workbooks
clock = dt.datetime.fromisoformat


def workbook(path: Path, *rows: list[Any], sheet: str = "Events") -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Readme"
    if sheet != "Readme":
        book.create_sheet(sheet, 0)
    for row in rows:
        book[sheet].append(row)
    book.save(path)
    return path


SHEET = """
mapping: m
version: "1"
source: urn:example:m
format: {zone: Australia/Adelaide, sheet: Events}
case: Case
id: No
type: {constant: safety_plan.recorded}
time: When
data: {version: Version, immediate_risks: Risks, goals.0.measure: Measure, goals.0.target: Target}
"""


def test_a_workbook(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "e.xlsx",
        [None, None],
        ["Case", "No", "When", "Version", "Risks", "Measure", "Target", None],
        [12, 1.0, clock("2026-03-23T15:00"), 2, "3", True, dt.date(2026, 6, 1)],
        ["F 13", 2, dt.date(2026, 3, 23), None, None, None, None],
        [],
        ["F 14", 3, "23 March", 1, 1, True, None],
        ["F 14", 4, clock("2026-03-23T15:00"), 1.5, 1, True, None],
        ["F 14", 5, clock("2026-03-23T15:00"), 1, 1, True, None, None, "stray"],
        ["F 15", 6, clock("2026-03-23T15:00:01"), 1, 1, "no", None],
    )
    found = read(path, Mapping.parse(SHEET, families()))
    events = [r.event for r in found if isinstance(r, Parsed) and r.event is not None]
    assert [(event.case, event.id) for event in events] == [("12", "1"), ("F 13", "2"), ("F 15", "6")]
    assert events[0].time == parsed(visit()).event.time
    assert events[0].data == {"version": 2, "immediate_risks": 3, "goals": [{"measure": True, "target": "2026-06-01"}]}
    assert events[1].data == {"occurred_on": "2026-03-23"}
    assert rejects(found) == [(6, "/time", "wrong_value"), (7, "/data/version", "wrong_value"), (8, "", "wrong_length")]


def test_a_workbook_written_for_us(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "e.xlsx",
        ["id", "source", "type", "subject", "time", "data.status", "data.seen"],
        ["v1", "urn:a", "visit.held", 5, "2026-03-23T15:00:00Z", "held", "m1;c1"],
        ["v2", "urn:a", "visit.held", 5, clock("2026-03-23"), "held", None],
    )
    found = read(path)
    assert ids(found) == ["v1"]
    assert rejects(found) == [(3, "/time", "wrong_value")]


def test_workbooks_that_are_none(tmp_path: Path) -> None:
    good = workbook(tmp_path / "good.xlsx", ["id"])
    assert rejects(read(write(tmp_path / "e.xlsx", b"not a zip"))) == [(0, "", "bad_xlsx")]
    assert rejects(read(write(tmp_path / "e.xlsx", good.read_bytes()[:-100]))) == [(0, "", "bad_xlsx")]
    assert rejects(read(workbook(tmp_path / "e.xlsx"))) == [(0, "", "bad_xlsx")]
    assert rejects(read(workbook(tmp_path / "e.xlsx", ["Case"], sheet="Other"), Mapping.parse(SHEET, families()))) == [
        (0, "", "missing_sheet")
    ]
    with zipfile.ZipFile(tmp_path / "e.xlsx", "w") as archive:
        archive.writestr("hello.txt", "x")
    assert rejects(read(tmp_path / "e.xlsx")) == [(0, "", "bad_xlsx")]


def test_a_workbook_that_grows_out_of_proportion_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
    assert rejects(read(tmp_path / "e.xlsx")) == [(0, "", "too_large")]


def test_a_workbook_with_a_doctype_is_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "good.xlsx", ["id"])
    with zipfile.ZipFile(tmp_path / "good.xlsx") as good, zipfile.ZipFile(tmp_path / "e.xlsx", "w") as bad:
        for part in good.namelist():
            text = good.read(part)
            bad.writestr(part, text.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet', 1))
    assert rejects(read(tmp_path / "e.xlsx")) == [(0, "", "doctype")]


# --- files in general
@pytest.mark.parametrize("name", ["e.txt", "e", "e.xls", "e.json", "e.xlsx.gz", "e.gz"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    assert rejects(read(write(tmp_path / name, "x"))) == [(0, "", "unknown_format")]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for name in ("e.csv", "e.jsonl", "e.xlsx", "e.xes", "e.xes.gz"):
        assert rejects(read(tmp_path / name)) == [(0, "", "unreadable")]
    (tmp_path / "folder.csv").mkdir()
    assert rejects(read(tmp_path / "folder.csv")) == [(0, "", "unreadable")]


def test_damaged_and_exploding_gzip_files_end_early_and_say_so(tmp_path: Path) -> None:
    good = gzip.compress(lines(*(visit(id=f"v{n}") for n in range(2000))))
    found = read(write(tmp_path / "e.jsonl.gz", good[: len(good) // 2]))
    assert rejects(found)[-1] == (0, "", "bad_gzip")
    assert rejects(read(write(tmp_path / "e.jsonl.gz", b"no gzip"))) == [(0, "", "bad_gzip")]
    bomb = gzip.compress((b" " * 999 + b"\n") * 100_000)
    assert rejects(read(write(tmp_path / "e.jsonl.gz", bomb))) == [(0, "", "too_large")]


def test_memory_stays_flat(tmp_path: Path) -> None:
    row = "v{},urn:a,visit.held,case-1,2026-03-23T15:00:00Z,,held,,,,,\n"

    def peak(rows: int) -> int:
        path = write(tmp_path / "e.csv", HEADER + "\n" + "".join(row.format(n) for n in range(rows)))
        tracemalloc.start()
        assert sum(1 for _ in read_events(path, families(), received=RECEIVED)) == rows
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(5_000) < peak(500) + 1_000_000
