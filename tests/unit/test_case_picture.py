"""The picture of a case: what its story holds, where it stands on the scale, and that nothing lies over another."""

from __future__ import annotations

import datetime as dt

import pytest

from api.web.cases import tables
from api.web.cases.picture import draw, extent, gathered, parts
from api.web.cases.scale import Rows, Scale
from api.web.cases.story import Story, record_of, tell
from api.web.cases.views import Lane, Picture
from api.web.cases.windows import Finding
from rules.clock import zone as zone_of
from rules.evaluate import evaluate
from rules.model import CaseFile
from rules.policy import load_shipped
from service.policies.policyset import Group
from tests.support.core import ADELAIDE, at, day, ev, household, visit

CFSS = load_shipped("cfss")
QUALITY = load_shipped("record_quality")
GROUP = Group.of([CFSS, QUALITY])
START = [
    ev("con", "service.connected", "03-02 09:00", program="cfss", team="north", office="adelaide"),
    household("home", "03-02 10:00", "m1:parent", "c1:child", "c2:child"),
]
VISITS = [
    visit("v1", "03-09 10:00", "m1", "c1"),
    visit("v2", "03-16 10:00", "m1", status="attempted"),
    visit("v3", "03-20 10:00", "m1", "c1"),
]


def story_of(events, as_of: str = "06-01 12:00", known_at: str | None = None, linked=None, case: str = "case-1") -> Story:
    file = CaseFile(case, tuple(events), {name: tuple(mine) for name, mine in (linked or {}).items()})
    now, known = at(as_of), at(known_at or as_of)
    judged = evaluate(GROUP.policies, file, as_of=now, known_at=known).details
    record = record_of(file, GROUP, zone=zone_of(ADELAIDE), as_of=now, known_at=known, visible=("case-1",))
    seen = [one for one in judged if one.verdict.reason != "out_of_scope"]
    return tell(record, GROUP.domain, seen, zone=zone_of(ADELAIDE), as_of=now, known_at=known, limit=7, link=lambda one: f"/{one.rule.id}")


def drawn(story: Story, show: str = "") -> Picture:
    return draw(story, *parts(story.runs, extent(story, story.today), show))


def lane(found: Picture, kind: str) -> Lane:
    return next(one for one in found.lanes if one.kind == kind)


def signs(one: Lane) -> list[tuple[str, str]]:
    return [(shape.sign, shape.text) for shape in one.shapes if shape.kind == "mark"]


def test_visits_carry_the_ordinals_that_rules_count_and_others_none():
    story = story_of([*START, *VISITS])
    (name, dots), *_ = story.contacts.items()
    assert (name, [(dot.event.id, dot.ordinal) for dot in dots]) == ("Visit held", [("v1", 1), ("v2", 0), ("v3", 2)])
    assert signs(lane(drawn(story), "contact")) == [("contact", "1"), ("contact", ""), ("contact", "2")]


def test_what_was_recorded_late_is_told_apart_from_what_was_done_late():
    late = visit("v4", "03-23 10:00", "m1", "c1", "c2")
    story = story_of([*START, *VISITS, ev("v4", "visit.held", "03-23 10:00", rec="04-20 09:00", **late.data)])
    assert [(dot.event.id, dot.late, dot.day, dot.recorded) for dot in story.late] == [("v4", 28, day("03-23"), day("04-20"))]
    found = drawn(story)
    assert signs(lane(found, "late")) == [("happened", ""), ("recorded", "")]
    assert [shape.text for shape in lane(found, "late").shapes if shape.kind == "text"] == ["28 days, X01"]
    assert "X01" not in [shape.text for shape in lane(found, "found").shapes]
    assert "C08" in [shape.text for shape in lane(found, "found").shapes]


def test_a_window_reaches_from_the_call_to_its_day_and_on_until_it_is_done():
    plan = ev("plan", "safety_plan.recorded", "04-06 10:00", plan="sp", version=1, status="completed")
    story = story_of([*START, *VISITS, visit("v4", "03-23 10:00", "c2"), plan])
    (window,) = [one for one in story.windows if one.rule == "C08"]
    assert (window.start, window.soon, window.due, window.done) == (day("03-02"), day("03-20"), day("03-23"), day("04-06"))
    assert (window.outcome, window.says, window.link) == ("late", "14 days late", "/C08")
    (shown,) = [one for one in drawn(story).lanes if one.note == "C08"]
    bars = {shape.cls.split()[0]: shape for shape in shown.shapes if shape.kind == "bar"}
    assert list(bars) == ["window", "warn", "over", "limit"]
    assert bars["window"].x < bars["warn"].x < bars["warn"].x2 == bars["over"].x == bars["limit"].x < bars["over"].x2
    (line,) = [one for one in tables.due(story.windows) if one.rule == "C08"]
    assert (line.due, line.done, line.says) == (dt.date(2026, 3, 23), dt.date(2026, 4, 6), "14 days late")


def test_what_is_overdue_ends_at_the_day_judged_as_at():
    events = [*START, *VISITS, visit("v4", "03-23 10:00", "c2")]
    for as_of in ("04-01 12:00", "05-01 12:00"):
        (window,) = [one for one in story_of(events, as_of).windows if one.rule == "C08"]
        assert (window.outcome, window.until) == ("breached", day(as_of[:5]))


def test_each_child_has_a_lane_with_the_days_on_which_they_were_met():
    events = [
        *START,
        *VISITS,
        household("again", "03-18 10:00", "m1:parent", {"person": "c1", "role": "child", "to": "2026-03-21"}, "c10:child"),
    ]
    story = story_of(events)
    assert [(one.person, one.role) for one in story.people] == [("c10", "child")]
    story = story_of([*START, *VISITS])
    assert [(one.person, one.seen) for one in story.people] == [("c1", [day("03-09"), day("03-20")]), ("c2", [])]
    assert [one.note for one in drawn(story).lanes if one.kind == "person"] == ["Child", "Child"]


def test_many_children_are_all_there_in_words():
    many = household("many", "03-02 10:00", *(f"c{n}:child" for n in range(1, 31)))
    story = story_of([START[0], many, *VISITS])
    assert [one.person for one in story.people][:11] == [f"c{n}" for n in range(1, 12)]
    named = [one for one in drawn(story).lanes if one.kind == "person"]
    assert len(named) == 25
    assert named[-1].name == "6 more persons"
    assert len(tables.people(story.people)) == 30


def test_pauses_closures_and_attempts_make_the_course():
    events = [
        *START,
        ev("p", "clock.paused", "03-10 09:00", approved_by={"id": "x", "role": "manager"}),
        ev("r", "clock.resumed", "03-20 09:00"),
        ev("c1", "case.closed", "04-10 09:00", closure_reason="moved"),
        ev("o", "case.reopened", "04-20 09:00"),
        ev("c2", "case.closed", "05-10 09:00", closure_reason="other"),
    ]
    story = story_of(events)
    assert [(turn.kind, turn.text) for turn in story.runs[0].turns] == [
        ("closed", "Closed: moved (attempt 1)"),
        ("reopened", "Reopened"),
        ("closed", "Closed: other (attempt 2)"),
    ]
    course = lane(drawn(story), "course")
    assert [shape.cls for shape in course.shapes if shape.kind == "bar"] == ["open", "open", "paused"]
    said = [(line.what, line.until) for line in tables.course(story)]
    assert said[1] == ("The clock rests", dt.date(2026, 3, 20))


def test_several_episodes_can_be_shown_one_by_one():
    events = [
        *START,
        ev("c1", "case.closed", "04-10 09:00", closure_reason="moved"),
        ev("n", "service.connected", "09-01 09:00", program="cfss"),
    ]
    story = story_of(events, "10-01 12:00")
    whole, first = drawn(story), drawn(story, "episode-1")
    assert [period.label for period in whole.periods] == ["The whole case", "Episode 1", "Episode 2"]
    assert first.last < dt.date(2026, 9, 1) < whole.last
    assert first.outside == 1
    assert [period.chosen for period in drawn(story, "nothing known").periods] == [True, False, False]


def test_a_merged_case_is_told_with_the_events_of_all_its_ids():
    other = [
        ev("v0", "visit.held", "03-05 10:00", case="case-2", status="held", mode="in_person", seen=["c2"]),
        ev("m", "case.merged", "03-12 09:00", case="case-2", into="case-1"),
    ]
    story = story_of([*START, *VISITS], linked={"case-2": other})
    (dots,) = story.contacts.values()
    assert [(dot.event.case, dot.ordinal) for dot in dots] == [("case-2", 1), ("case-1", 2), ("case-1", 0), ("case-1", 3)]
    assert [turn.text for turn in story.runs[0].turns] == ["case-2 was merged into this case"]
    seen = story_of(other, linked={"case-1": [*START, *VISITS]}, case="case-2")
    assert len(seen.dots) == len(story.dots)


def test_a_case_that_went_into_one_that_may_not_be_seen_is_told_by_its_own_events():
    other = (
        ev("r", "referral.received", "03-05 10:00", case="case-2"),
        ev("m", "case.merged", "03-12 09:00", case="case-2", into="case-1"),
    )
    file = CaseFile("case-2", other, {"case-1": tuple(START)})
    record = record_of(file, GROUP, zone=zone_of(ADELAIDE), as_of=at("06-01"), known_at=at("06-01"))
    assert record.root == "case-1"
    assert {entry.id for entry in record.history.entries} == {"r", "m"}


def test_a_case_with_nothing_on_record_yet_has_an_empty_story():
    story = story_of(START, "02-01 12:00")
    assert (story.runs, story.dots, story.windows, story.findings, story.people) == ([], [], [], [], [])
    assert drawn(story).lanes == []


@pytest.mark.parametrize(("first", "last"), [("2026-03-01", "2026-03-28"), ("2026-01-05", "2026-06-30"), ("2021-01-01", "2026-11-30")])
def test_the_scale_holds_every_day_and_its_words_do_not_touch(first, last):
    scale = Scale(dt.date.fromisoformat(first).toordinal(), dt.date.fromisoformat(last).toordinal())
    assert (scale.begin(scale.first), scale.end(scale.last)) == (0, 100)
    assert scale.begin(scale.first - 99) == 0
    ticks = [tick for tick in scale.ticks() if tick.text]
    assert len(ticks) >= 3
    ends = [scale.pixels(tick.x) + 6 * len(tick.text) for tick in ticks]
    assert all(end < scale.pixels(tick.x) for end, tick in zip(ends, ticks[1:], strict=False))


def test_in_a_row_nothing_lies_over_another():
    rows = Rows(2, gap=4)
    assert [rows.place(0, 10), rows.place(5, 20), rows.place(12, 20), rows.place(14, 20), rows.place(24, 30)] == [0, 1, None, 0, 0]
    assert rows.used == 2


def test_many_findings_of_one_outcome_share_signs_by_their_nearness():
    scale = Scale(1, 1000)
    few = [Finding(n, "C01", "", "late", "low") for n in (1, 1, 400)]
    assert [len(group) for group in gathered(few, scale)] == [2, 1]
    many = [Finding(n, f"C{n:02d}", "", "late", "low") for n in range(1, 40)]
    assert [len(group) for group in gathered(many, scale)] == [39]
    assert len(gathered([*many, Finding(900, "C99", "", "late", "low")], scale)) == 2


def test_a_long_case_keeps_every_contact_and_names_some_of_them():
    start = dt.date(2021, 3, 1)
    days = [(start + dt.timedelta(days=n)).isoformat() for n in range(7, 1800, 4)]
    events = [
        ev("con", "service.connected", "2021-03-01 09:00", program="cfss"),
        *(visit(f"v{n}", f"{one} 10:00") for n, one in enumerate(days)),
    ]
    story = story_of(events, "2026-02-20 12:00")
    contact = lane(drawn(story), "contact")
    marks = [shape for shape in contact.shapes if shape.kind == "mark"]
    assert len(marks) == len(days)
    assert {mark.sign for mark in marks} == {"tick"}
    named = [int(shape.text) for shape in contact.shapes if shape.kind == "text"]
    assert named[0] == 1
    assert len(named) < len(days) / 5
    assert [period.label for period in drawn(story).periods] == ["The whole case", "The last 12 months"]
    assert drawn(story, "year").outside > 300
