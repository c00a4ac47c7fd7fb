"""Mappings: what a record becomes, and how a mapping that cannot be right is told."""

from typing import Any

import pytest

from adapters.fields import MappingFault
from adapters.mapping import Mapping
from rules.errors import PolicyError
from tests.support.door import families

BASE = """\
mapping: casework
version: "1"
source: urn:example:casework
format: {zone: Australia/Darwin, time: [iso, "%d/%m/%Y %H:%M", "%d/%m/%Y"], date: ["%d/%m/%Y", iso]}
case: file_no
id: {template: "{table}-{row}"}
type: {column: what, values: {Home visit: visit.held, Plan: safety_plan.recorded, Note: null}, other: reject}
time: when
recorded: entered
data:
  status: {column: result, values: {Seen: held, No answer: attempted}, other: keep}
  seen: {column: people, split: ","}
  topics: {column: talked_about, values: {why: why_here, what: what_we_do}, other: drop, split: "|"}
  final_flag_is_unknown: nothing
"""
GOOD = BASE.replace("  final_flag_is_unknown: nothing\n", "")


def mapping(text: str = GOOD) -> Mapping:
    return Mapping.parse(text, families(), name="m.yaml")


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PolicyError) as caught:
        mapping(text)
    return [(fault.line, fault.code) for fault in caught.value.faults]


def record(**changes: Any) -> dict[str, Any]:
    base = {"file_no": "F 12", "table": "v", "row": "7", "what": "Home visit", "when": "23/03/2026 15:00", "entered": "2026-03-24 09:00:00",
            "result": "Seen", "people": "m1, c1,,", "talked_about": "why|weather| what"}  # fmt: skip
    return base | changes


def event(text: str = GOOD, **changes: Any) -> dict[str, Any]:
    (made,) = mapping(text).events(record(**changes))
    assert isinstance(made, dict), made
    return made


def fault(text: str = GOOD, **changes: Any) -> MappingFault:
    (made,) = mapping(text).events(record(**changes))
    assert isinstance(made, MappingFault), made
    return made


def test_a_record_becomes_an_event() -> None:
    assert event() == {
        "specversion": "1.0",
        "source": "urn:example:casework",
        "id": "v-7",
        "type": "visit.held",
        "subject": "F 12",
        "time": "2026-03-23T15:00:00+09:30",
        "recordedtime": "2026-03-24T09:00:00+09:30",
        "data": {"status": "held", "seen": ["m1", "c1"], "topics": ["why_here", "what_we_do"]},
    }


def test_where_only_the_day_is_known_the_event_says_so() -> None:
    made = event(when="23/03/2026")
    assert made["time"] == "2026-03-23T12:00:00+09:30"
    assert made["data"]["occurred_on"] == "2026-03-23"


def test_a_missing_recordedtime_stays_missing() -> None:
    assert "recordedtime" not in event(entered=" ")


def test_the_words_of_a_table() -> None:
    assert event(result="Cancelled")["data"]["status"] == "Cancelled"  # other: keep
    assert event(talked_about="weather")["data"]["topics"] == []  # other: drop
    assert (fault(what="Party").pointer, fault(what="Party").code) == ("/type", "unmapped_value")
    assert "Party" not in fault(what="Party").message
    assert mapping().events(record(what="Note")) == []  # null: no event


def test_what_an_event_needs_is_never_made_up() -> None:
    assert fault(file_no="").pointer == "/subject"
    assert fault(row="").pointer == "/id"
    assert fault(when=None).pointer == "/time"
    for field, pointer in [("file_no", "/subject"), ("when", "/time")]:
        short = {name: value for name, value in record().items() if name != field}
        (made,) = mapping().events(short)
        assert isinstance(made, MappingFault)
        assert made.pointer == pointer
        assert field in made.message


@pytest.mark.parametrize("when", ["31/02/2026 10:00", "23.03.2026", "2026-02-30T10:00", "tomorrow", {"a": 1}, True])
def test_a_time_in_no_declared_format_is_a_fault(when: Any) -> None:
    assert fault(when=when).pointer == "/time"


def test_a_time_without_zone_needs_a_declared_one() -> None:
    text = GOOD.replace("zone: Australia/Darwin, ", "")
    assert "no zone" in fault(text).message
    assert event(text, when="2026-03-23T15:00+09:30", entered="")["time"] == "2026-03-23T15:00:00+09:30"


@pytest.mark.parametrize(
    ("when", "time"),
    [
        ("2026-03-23T15:00:00Z", "2026-03-23T15:00:00+00:00"),
        ("2026-03-23 15:00:00.123456+0930", "2026-03-23T15:00:00.123456+09:30"),
        ("2026-03-23 15:00:00,5", "2026-03-23T15:00:00.500000+09:30"),
        ("2026-03-23 15:00 +09", "2026-03-23T15:00:00+09:30".replace("09:30", "09:00")),
    ],
)
def test_many_ways_of_writing_iso(when: str, time: str) -> None:
    assert event(when=when)["time"] == time


def test_seconds_since_1970() -> None:
    text = GOOD.replace("[iso, ", "[epoch, ")
    assert event(text, when="1774240200", entered="")["time"] == "2026-03-23T04:30:00+00:00"
    assert event(text.replace("epoch", "epoch_ms"), when=1774240200500, entered="")["time"] == "2026-03-23T04:30:00.500000+00:00"
    assert fault(text, when="1e300").pointer == "/time"


def test_an_id_made_of_the_record_is_the_same_wherever_the_record_stands() -> None:
    text = GOOD.replace('id: {template: "{table}-{row}"}', "id: {hash: record}")
    one = event(text)
    assert one["id"] == event(text)["id"]
    assert one["id"] == mapping(text).events(dict(reversed(record().items())))[0]["id"]  # type: ignore[index]
    assert one["id"] != event(text, people="m1")["id"]
    some = GOOD.replace('id: {template: "{table}-{row}"}', "id: {hash: [file_no, when]}")
    assert event(some)["id"] == event(some, people="m1")["id"] != event(some, file_no="F 13")["id"]


def test_several_events_of_one_record_share_what_is_said_once() -> None:
    text = (
        GOOD
        + """\
events:
  - data: {mode: {constant: in_person}}
  - type: {constant: minutes.recorded}
    id: {template: "{row}-minutes"}
    time: entered
    skip: [{column: minutes, empty: true}]
"""
    )
    first, second = mapping(text).events(record(minutes="yes"))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["data"] == {"status": "held", "seen": ["m1", "c1"], "topics": ["why_here", "what_we_do"], "mode": "in_person"}
    assert (second["type"], second["id"], second["subject"], second["time"]) == (
        "minutes.recorded",
        "7-minutes",
        "F 12",
        "2026-03-24T09:00:00+09:30",
    )
    assert second["data"] == {}  # minutes have none of these attributes
    assert len(mapping(text).events(record())) == 1


def test_skip_rules() -> None:
    text = GOOD + "skip: [{column: result, any_of: [Deleted]}, {column: kind, none_of: [final, ''], empty: false}]\n"
    assert mapping(text).events(record(result="Deleted")) == []
    assert mapping(text).events(record(kind="draft")) == []
    assert len(mapping(text).events(record(kind="final"))) == 1
    assert len(mapping(text).events(record())) == 1


def test_values_become_what_the_catalogue_wants() -> None:
    text = (
        GOOD
        + """\
  version: v
  immediate_risks: risks
  goals.0.measure: measured
  goals.0.target: target
  goals.1.id: goal2
  participants: who
"""
    )
    made = event(
        text, what="Plan", v=3.0, risks="2", measured="Yes", target="01/06/2026", goal2="g2", who='[{"person": "m1", "role": "parent"}]'
    )
    assert "seen" not in made["data"]  # a plan has none
    assert made["data"]["version"] == 3
    assert made["data"]["immediate_risks"] == 2
    assert made["data"]["goals"] == [{"measure": True, "target": "2026-06-01"}, {"id": "g2"}]
    assert made["data"]["participants"] == [{"person": "m1", "role": "parent"}]
    assert event(text, what="Plan", goal2="g2")["data"]["goals"] == [{"id": "g2"}]  # the gap is closed
    for field, cell, pointer in [
        ("v", "three", "/data/version"), ("v", True, "/data/version"), ("measured", "perhaps", "/data/goals/0/measure"),
        ("target", "1 June", "/data/goals/0/target"), ("who", "m1", "/data/participants"), ("who", "[", "/data/participants"),
    ]:  # fmt: skip
        assert fault(text, what="Plan", **{field: cell}).pointer == pointer


def test_the_columns_that_a_mapping_reads() -> None:
    assert mapping().columns == {"file_no", "table", "row", "what", "when", "entered", "result", "people", "talked_about"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BASE, [(14, "unknown-attribute")]),
        (GOOD.replace("safety_plan.recorded", "safetyplan.recorded"), [(7, "unknown-type")]),
        (GOOD.replace("type: {column: what", "type: {colunm: what"), [(7, "unknown-key")]),
        (GOOD.replace("case: file_no\n", ""), [(1, "missing")]),
        (GOOD.replace("time: when", "time: {column: when, constant: x}"), [(8, "mapping")]),
        (GOOD.replace("time: when", "time: {template: when}"), [(8, "mapping")]),
        (GOOD.replace("Australia/Darwin", "Australia/Darwn"), [(4, "unknown-zone")]),
        (GOOD.replace("Australia/Darwin", "../../etc/passwd"), [(4, "unknown-zone")]),
        (GOOD.replace("zone: Aus", "encoding: utf-9, zone: Aus"), [(4, "unknown-encoding")]),
        (GOOD.replace("[iso,", "[isso,"), [(4, "unknown-format")]),
        (GOOD.replace("urn:example:casework", "our case work"), [(3, "bad-source")]),
        (GOOD.replace("seen: {", "participants.role: {"), [(12, "list-index")]),
        (GOOD + "skip: [{column: x}]\n", [(14, "mapping")]),
        (GOOD + "case: again\n", [(14, "duplicate-key")]),
        (GOOD + "events: [{type: {constant: visit.hold}}]\n", [(14, "unknown-type")]),
        ("[]", [(1, "mapping")]),
        ("mapping: x", [(1, "mapping")] * 2),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_right_is_told_with_line_and_column(text: str, found: list[tuple[int, str]]) -> None:
    assert faults(text) == found


def test_hints_name_what_was_meant() -> None:
    with pytest.raises(PolicyError, match=r"m.yaml:7:\d+ unknown-type .*did you mean safety_plan.recorded\?"):
        mapping(GOOD.replace("safety_plan.recorded", "safety_plan.recored"))
