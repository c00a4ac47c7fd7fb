"""Event logs in XES: what is read of them, and what is refused with its line."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Reject
from adapters.files import read_events
from adapters.mapping import Mapping
from rules.envelope import Parsed
from tests.support.door import RECEIVED, families

MAPPING = """
mapping: desk
version: "1"
source: urn:example:desk
format: {zone: Europe/Amsterdam}
case: case:concept:name
id: {template: "{case:concept:name}-{step}"}
type: {column: concept:name, values: {Visit: visit.held, Plan: safety_plan.recorded}}
time: time:timestamp
data:
  status: {column: lifecycle:transition, values: {complete: held}}
  performer.id: org:resource
  immediate_risks: risks
  team: case:team
"""
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="none"/></global>
  <classifier name="Step" keys="concept:name"/>
"""


def event(step: str, name: str = "Visit", time: str = "2026-03-23T15:00:00.000+01:00", more: str = "") -> str:
    return (
        f'<event><string key="concept:name" value="{name}"/><date key="time:timestamp" value="{time}"/>'
        f'<string key="step" value="{step}"/><string key="lifecycle:transition" value="complete"/>{more}</event>\n'
    )


def trace(*events: str, name: str = "f1", more: str = "") -> str:
    return f'<trace><string key="concept:name" value="{name}"/>{more}\n{"".join(events)}</trace>\n'


def log(*parts: str) -> str:
    return HEAD + "".join(parts) + "</log>\n"


def read(tmp_path: Path, text: str | bytes, *, mapped: bool = True, name: str = "l.xes") -> list[Parsed | Reject]:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_events(path, families(), Mapping.parse(MAPPING, families()) if mapped else None, received=RECEIVED))


def ids(results: list[Parsed | Reject]) -> list[str]:
    return [r.event.id for r in results if isinstance(r, Parsed) and r.event is not None]


def rejects(results: list[Parsed | Reject]) -> list[tuple[int, str]]:
    return [(r.line, r.code) for r in results if isinstance(r, Reject)]


def test_a_log_is_read_trace_by_trace(tmp_path: Path) -> None:
    text = log(
        trace(
            event("1", more='<string key="org:resource" value="w1"/><int key="risks" value="2"/>'),
            event("2", "Plan"),
            more='<string key="team" value="t1"/>',
        ),
        trace(event("1", time="2026-03-23T15:00:00")),
    )
    found = read(tmp_path, text)
    assert found == read(tmp_path, gzip.compress(text.encode()), name="l.xes.gz")
    assert rejects(found) == []
    assert ids(found) == ["f1-1", "f1-2", "f1-1"]
    assert [r.line for r in found] == [7, 8, 11]
    assert isinstance(found[0], Parsed)
    assert found[0].event is not None
    assert found[0].event.data == {"status": "held", "performer": {"id": "w1"}, "team": "t1"}
    assert isinstance(found[1], Parsed)
    assert found[1].event is not None
    assert found[1].event.data == {"status": "held", "team": "t1"}


def test_a_log_written_for_us_needs_no_mapping(tmp_path: Path) -> None:
    text = log(
        trace(
            event("1", "visit.held", more='<string key="data.seen" value="m1;c1"/><string key="org:resource" value="x"/>'),
            event("2", "visit.hold"),
        )
    )
    first, second = read(tmp_path, text, mapped=False)
    assert isinstance(first, Parsed)
    assert first.event is not None
    assert (first.event.case, first.event.data, len(first.event.id)) == ("f1", {"seen": ["m1", "c1"]}, 40)
    assert isinstance(second, Reject)
    assert (second.pointer, second.code, second.line) == ("/type", "unknown_type", 8)


def test_order_namespaces_nesting_and_lists_do_not_matter(tmp_path: Path) -> None:
    nested = (
        '<list key="l"><values><string key="a" value="1"/><string key="a" value="2"/></values></list>'
        '<string key="n" value="1"><int key="m" value="1"/></string>'
    )
    text = f"""<x:log xmlns:x="http://www.xes-standard.org/"><x:string key="late" value="x"/>
<x:trace>{event("1", more=nested).replace("<", "<x:").replace("<x:/", "</x:")}<x:string key="concept:name" value="f9"/></x:trace></x:log>"""
    found = read(tmp_path, text)
    assert ids(found) == ["f9-1"]
    assert rejects(found) == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ('<date key="d" value="2002-0530T09:30:10Z"/>', "bad_xes"),
        ('<int key="i" value="1.5"/>', "bad_xes"),
        ('<float key="f" value="1.0.0"/>', "bad_xes"),
        ('<boolean key="b" value="maybe"/>', "bad_xes"),
        ('<id key="i" value="7"/>', "bad_xes"),
        ('<string key="s"/>', "bad_xes"),
        ('<string value="s"/>', "bad_xes"),
        ('<string key="" value="s"/>', "bad_xes"),
        ('<string key="s" value="s" extra="1"/>', "bad_xes"),
        ('<text key="s" value="s"/>', "bad_xes"),
        ("<trace/>", "bad_xes"),
        ("<log/>", "bad_xes"),
        ("<event/>", "bad_xes"),
        ('<string key="step" value="twice"/>', "bad_xes"),
        ("<values/>", "bad_xes"),
    ],
)
def test_a_fault_inside_an_event_rejects_that_event_alone(tmp_path: Path, more: str, code: str) -> None:
    found = read(tmp_path, log(trace(event("1"), event("2", more=more), event("3"))))
    assert ids(found) == ["f1-1", "f1-3"]
    assert rejects(found) == [(8, code)]


def test_a_fault_of_a_trace_rejects_the_trace_alone(tmp_path: Path) -> None:
    text = log(
        trace(event("1"), name="f1", more='<text key="a" value="b"/>'),
        trace(event("1"), name="f2"),
        trace(event("1"), name="f3", more='<string key="concept:name" value="f4"/>'),
    )
    found = read(tmp_path, text)
    assert ids(found) == ["f2-1"]
    assert rejects(found) == [(6, "bad_xes"), (7, "bad_xes"), (12, "bad_xes"), (13, "bad_xes")]


@pytest.mark.parametrize(
    "part",
    [
        '<date key="long ago" value="2002-0530T09:30:10Z"/>',
        '<global scope="nothing"/>',
        '<classifier name="c" keys=" "/>',
        '<classifier name="c" keys="a" scope="log"/>',
        '<extension name="e" prefix="e" uri="u" more="x"/>',
        "<nonsense><deep><deeper/></deep></nonsense>",
        event("9").replace("\n", ""),
    ],
)
def test_a_fault_of_the_log_is_told_and_the_traces_are_read(tmp_path: Path, part: str) -> None:
    found = read(tmp_path, log(part, trace(event("1"))))
    assert ids(found) == ["f1-1"]
    assert [line for line, _ in rejects(found)] == [6]


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("", 0, "bad_xml"),
        ("  ", 1, "bad_xml"),
        ("not xml", 1, "bad_xml"),
        ("<html/>", 1, "bad_xes"),
        ("<log>", 1, "bad_xml"),
        ("<log></lag>", 1, "bad_xml"),
        ('<!DOCTYPE log [<!ENTITY a "aaaa">]>\n<log>&a;</log>', 1, "doctype"),
        ('<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>', 1, "doctype"),
        ("<log>&undeclared;</log>", 1, "bad_xml"),
        ("<log>" + '<string key="a" value="b">' * 100, 1, "too_deep"),
        ("<log>" + "<x>" * 5000, 1, "too_deep"),
        ('<?xml version="1.0" encoding="nonsense"?><log/>', 1, "bad_xml"),
        ("<log>\x01</log>", 1, "bad_xml"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_log_is_refused_with_a_reason(tmp_path: Path, text: str, line: int, code: str) -> None:
    found = rejects(read(tmp_path, text))
    assert found[-1][1] == code
    assert found[-1][0] in (line, 1)


def test_a_log_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    text = log(*(trace(event("1"), name=f"f{n}") for n in range(400)))
    found = read(tmp_path, text[: len(text) // 2])
    assert len(ids(found)) > 150
    assert [code for _, code in rejects(found)] == ["bad_xml"]
    packed = gzip.compress(text.encode())
    found = read(tmp_path, packed[: len(packed) - 20], name="l.xes.gz")
    assert rejects(found)[-1][1] == "bad_gzip"


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    text = HEAD.encode() + b" " * 100_000_000 + b"</log>"
    assert [code for _, code in rejects(read(tmp_path, gzip.compress(text), name="l.xes.gz"))] == ["too_large"]


def test_a_trace_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.files.xes.MAX_TRACE", 50)
    found = read(tmp_path, log(trace(*(event(str(n)) for n in range(60)))))
    assert [code for _, code in rejects(found)] == ["too_large"]


def test_what_the_mapping_cannot_place_is_told_by_line(tmp_path: Path) -> None:
    found: list[Any] = read(
        tmp_path, log(trace(event("1", "Party"), event("2", time="1700-01-01T00:00:00Z"), name="f1"), "<trace>", event("3"), "</trace>")
    )
    assert [(r.line, r.pointer, r.code) for r in found] == [
        (7, "/type", "unmapped_value"),
        (8, "/time", "wrong_value"),
        (10, "/id", "missing"),
    ]
