"""The door for one event: what a CloudEvent must give, and how each fault is told."""

import json

import pytest

from rules.envelope import as_cloudevent, parse_event
from rules.model import Heartbeat
from tests.support.door import RECEIVED, families, parsed, problems, refused, visit

DAY = 86_400_000


def test_a_well_formed_event_becomes_an_event() -> None:
    event = parsed(visit()).event
    assert event is not None
    assert (event.source, event.id, event.type, event.case) == ("urn:example:casework", "v1", "visit.held", "case-1")
    assert event.time == 1774240200000
    assert event.recorded == event.time + 3_600_000
    assert event.recorded_given
    assert event.data == {"status": "held", "mode": "in_person", "seen": ["m1", "c1"]}


def test_the_time_of_receipt_stands_in_for_a_missing_recordedtime() -> None:
    event = parsed(visit(recordedtime=None)).event
    assert event is not None
    assert (event.recorded, event.recorded_given) == (RECEIVED, False)


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "time"])
def test_what_must_be_there_is_never_made_up(name: str) -> None:
    assert refused(visit(**{name: None})) == {f"/{name}": "missing"}


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "recordedtime"])
@pytest.mark.parametrize("value", [5, True, ["v1"], {"a": 1}])
def test_what_must_be_a_text_is_one(name: str, value: object) -> None:
    assert refused(visit(**{name: value})) == {f"/{name}": "wrong_type"}


@pytest.mark.parametrize("name", ["id", "subject", "type", "source"])
@pytest.mark.parametrize("value", ["", "   ", "a\x00b", "line\nbreak", "\ud800", "x" * 1025, "x" * 10_000, "\ufffe"])
def test_identifiers_are_short_and_printable(name: str, value: str) -> None:
    assert refused(visit(**{name: value})) == {f"/{name}": "wrong_value"}


def test_an_identifier_of_the_greatest_length_passes() -> None:
    event = parsed(visit(id="x" * 1024, subject="Fälle/№ 7")).event
    assert event is not None
    assert len(event.id) == 1024


@pytest.mark.parametrize("value", ["has space", "urn:ä", "a%zz", "<x>", 'a"b'])
def test_a_source_is_a_uri_reference(value: str) -> None:
    assert refused(visit(source=value)) == {"/source": "wrong_value"}


@pytest.mark.parametrize("value", ["casework", "/offices/darwin", "https://example.org/a?b=c#d", "urn:a:b%20c", "mailto:cwf@example.org"])
def test_many_shapes_of_source_pass(value: str) -> None:
    assert parsed(visit(source=value)).event is not None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("2026-03-23T15:00:00", "no zone"),
        ("2026-03-23T15:00", "no zone"),
        ("2026-03-23", "only a day"),
        ("2026-03-23T24:00:00Z", "24:00"),
        ("2026-06-30T23:59:60Z", "leap second"),
        ("2026-02-30T10:00:00Z", "does not exist"),
        ("2026-03-23T10:61:00Z", "does not exist"),
        ("2026-03-23T10:00:00+24:00", "zone"),
        ("2026-03-23T10:00:00+0930", "RFC 3339"),
        ("0001-01-01T00:00:00Z", "1900 to 2199"),
        ("9999-12-31T23:59:59Z", "1900 to 2199"),
        ("1899-12-31T23:59:59.999Z", "1900 to 2199"),
        ("2200-01-01T00:00:00Z", "1900 to 2199"),
        ("23 March 2026", "RFC 3339"),
        ("٢٠٢٦-03-23T10:00:00Z", "RFC 3339"),
        ("0000-01-01T00:00:00Z", "does not exist"),
        ("", "RFC 3339"),
        ("1" * 100_000, "RFC 3339"),
    ],
)
@pytest.mark.parametrize("name", ["time", "recordedtime"])
def test_a_time_that_could_be_misread_is_refused_with_the_reason(name: str, text: str, word: str) -> None:
    (problem,) = problems(visit(**{name: text}))
    assert problem.pointer == f"/{name}"
    assert word in problem.message
    assert not text or text not in problem.message


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("1969-12-31T23:59:59.9999999999Z", -1),
        ("1970-01-01t09:30:00+09:30", 0),
        ("1970-01-01 00:00:00-00:00", 0),
        ("1969-12-31T14:00:00-10:00", 0),
        ("1900-01-01T00:00:00Z", -25567 * DAY),
        ("2199-12-31T23:59:59.999Z", 84006 * DAY - 1),
    ],
)
def test_times_are_cut_to_the_millisecond(text: str, ms: int) -> None:
    event = parsed(visit(time=text)).event
    assert event is not None
    assert event.time == ms


def test_all_faults_are_told_at_once() -> None:
    found = refused(visit(id=None, time="yesterday", type="visit.hold", data={"seen": "m1"}, datacontenttype="text/xml"))
    assert found == {"/id": "missing", "/time": "wrong_value", "/type": "unknown_type", "/datacontenttype": "wrong_value"}
    assert refused(visit(time="yesterday", data={"seen": "m1", "status": 4, "performer": {"id": True}})) == {
        "/time": "wrong_value",
        "/data/seen": "wrong_type",
        "/data/status": "wrong_type",
        "/data/performer/id": "wrong_type",
    }


def test_an_unknown_type_gets_a_hint_that_repeats_nothing_of_what_was_sent() -> None:
    (problem,) = problems(visit(type="visits.held"))
    assert "did you mean visit.held?" in problem.message
    (problem,) = problems(visit(type="jane.smith.told.us"))
    assert "jane" not in problem.message
    assert "did you mean" not in problem.message


@pytest.mark.parametrize("value", ["0.3", "1", 1.0, "1.0.2", ["1.0"]])
def test_only_version_1_0(value: object) -> None:
    assert refused(visit(specversion=value)) == {"/specversion": "wrong_value"}


@pytest.mark.parametrize("value", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.agency+json", None])
def test_json_under_its_many_names(value: str | None) -> None:
    assert parsed(visit(datacontenttype=value)).event is not None


@pytest.mark.parametrize("value", ["text/plain", "application/xml", 7, "application/json; charset=latin-1", ""])
def test_data_of_another_kind_is_refused(value: object) -> None:
    assert refused(visit(datacontenttype=value)) == {"/datacontenttype": "wrong_value"}


@pytest.mark.parametrize("value", ["{}", 3, [], True])
def test_data_is_an_object(value: object) -> None:
    assert refused(visit(data=value)) == {"/data": "wrong_type"}


def test_data_may_be_absent() -> None:
    for event in (visit(type="new_information.recorded", data=None), visit(type="new_information.recorded") | {"data": None}):
        found = parsed(event).event
        assert found is not None
        assert found.data == {}


def test_binary_data_is_refused() -> None:
    assert refused(visit(data=None, data_base64="e30=")) == {"/data_base64": "wrong_value"}


def test_extension_attributes_pass_and_are_not_kept() -> None:
    with_extensions = parsed(visit(traceparent="00-0af7-b7ad-01", comexampleextension=5, partitionkey="x", odd_name=1))
    assert with_extensions == parsed(visit())


@pytest.mark.parametrize(
    ("name", "meant"),
    [("recordedTime", "recordedtime"), ("recorded_time", "recordedtime"), ("Subject", "subject"), ("occurred_on", "data.occurred_on")],
)
def test_a_misspelt_attribute_is_not_lost_in_silence(name: str, meant: str) -> None:
    (problem,) = problems(visit(**{name: "2026-03-23"}))
    assert (problem.pointer, problem.code) == (f"/{name}", "unknown_attribute")
    assert f"did you mean {meant}?" in problem.message


def test_pointers_begin_where_they_are_told_to() -> None:
    from rules.errors import EventRefused

    with pytest.raises(EventRefused) as caught:
        parse_event(visit(time="x", data={"seen": [1, {}]}), families(), received=RECEIVED, pointer="/17")
    assert [problem.pointer for problem in caught.value.problems] == ["/17/time", "/17/data/seen/1"]


def test_a_heartbeat_is_about_its_source() -> None:
    beat = visit(type="source.heartbeat", subject="-", data={"complete_until": "2026-03-23T00:00:00Z"})
    found = parsed(beat)
    assert found.event is None
    assert found.heartbeat == Heartbeat("urn:example:casework", recorded=1774243800000, complete_until=1774224000000)


def test_a_heartbeat_has_no_case_and_every_other_event_has_one() -> None:
    beat = visit(type="source.heartbeat", data={"complete_until": "2026-03-23T00:00:00Z"})
    assert refused(beat) == {"/subject": "wrong_value"}
    assert refused(visit(subject="-")) == {"/subject": "wrong_value"}
    assert refused(visit(type="source.heartbeat", subject="-", data={})) == {"/data/complete_until": "missing"}
    assert refused(visit(type="source.heartbeat", subject="-", data={"complete_until": "2026-03-23"})) == {
        "/data/complete_until": "wrong_value"
    }


def test_voids_and_corrections_name_their_target() -> None:
    assert parsed(visit(type="event.voided", data={"target": "v0", "reason": "wrong_family"})).target == "v0"
    assert parsed(visit()).target is None
    assert refused(visit(type="event.voided", data={})) == {"/data/target": "missing"}
    assert refused(visit(type="event.corrected", data={})) == {"/data/set": "missing", "/data/target": "missing"}


def test_the_same_content_has_the_same_digest_however_it_is_written() -> None:
    one = parsed(visit()).content_digest
    same = visit(
        time="2026-03-23T04:30:00Z",
        recordedtime="2026-03-23T05:30:00.000Z",
        traceparent="x",
        data={"seen": ["m1", "c1"], "notes": "x", "mode": "in_person", "status": "held", "purpose": None},
    )
    assert parsed(same).content_digest == one
    assert len(one) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "new_information.recorded", "data": {}},
        {"subject": "case-2"},
        {"time": "2026-03-23T15:00:00.001+10:30"},
        {"recordedtime": None},
        {"recordedtime": "2026-03-24T16:00:00+10:30"},
        {"data": {"status": "held", "mode": "in_person", "seen": ["c1", "m1"]}},
    ],
)
def test_other_content_has_another_digest(changes: dict[str, object]) -> None:
    assert parsed(visit(**changes)).content_digest != parsed(visit()).content_digest


def test_the_digest_does_not_depend_on_who_sent_it_or_when_it_came() -> None:
    late = parse_event(visit(recordedtime=None), families(), received=RECEIVED + 5)
    assert late.content_digest == parsed(visit(recordedtime=None)).content_digest


def test_an_event_can_be_written_out_and_read_again() -> None:
    for original in (visit(), visit(recordedtime=None)):
        event = parsed(original).event
        assert event is not None
        assert parsed(json.loads(json.dumps(as_cloudevent(event)))).event == event


@pytest.mark.parametrize("thing", [None, 1, "x", [], [visit()], True])
def test_an_event_is_an_object(thing: object) -> None:
    assert refused(thing) == {"": "wrong_type"}
