"""Pauses: which are approved, from when, and by how many days they move a due day."""

from __future__ import annotations

import pytest

from rules.model import Event
from rules.pauses import Pause, pauses_of, shift
from tests.support.core import DOMAIN, day, ev, history_of, visit

NAMES = DOMAIN.course.pauses
BY = {"id": "m9", "role": "manager"}


def pauses(*events: Event, today: str = "12-31") -> list[Pause]:
    history = history_of([visit("v0", "03-01 09:00"), *events])
    return pauses_of(history.episodes[0], NAMES, day(today))


def paused(name: str, when: str, *, approved: bool = True) -> Event:
    return ev(name, "clock.paused", when, approved_by=BY if approved else None)


def resumed(name: str, when: str) -> Event:
    return ev(name, "clock.resumed", when)


def granted(name: str, when: str, of: str = "pause") -> Event:
    return ev(name, "approval.granted", when, of=of, by=BY)


def spans(found: list[Pause]) -> list[tuple[int, int, bool]]:
    return [(p.start, p.end, p.open) for p in found]


def moved(due: str, *events: Event, activated: str = "03-02", today: str = "12-31") -> tuple[int, int, bool]:
    found = shift(pauses(*events, today=today), day(activated), day(due))
    return found.days, found.late_days, found.moving


def test_without_pauses_nothing_moves() -> None:
    assert moved("04-13") == (0, 0, False)


def test_a_pause_lasts_from_its_day_up_to_the_day_of_resumption_not_included() -> None:
    assert spans(pauses(paused("p", "03-10 15:00"), resumed("r", "03-20 08:00"))) == [(day("03-10"), day("03-20"), False)]
    assert moved("04-13", paused("p", "03-10 15:00"), resumed("r", "03-20 08:00")) == (10, 10, False)


def test_a_pause_of_one_day_that_ends_on_it_is_none() -> None:
    assert moved("04-13", paused("p", "03-10 08:00"), resumed("r", "03-10 17:00")) == (0, 0, False)


def test_an_open_pause_runs_to_today_and_moves_on() -> None:
    assert moved("04-13", paused("p", "03-10 15:00"), today="03-15") == (5, 5, True)
    assert moved("04-13", paused("p", "03-10 15:00"), today="03-10") == (0, 0, True)


def test_a_closure_ends_a_pause_that_still_runs() -> None:
    closed = ev("c", "case.closed", "03-20 08:00", closure_reason="moved")
    assert spans(pauses(paused("p", "03-10 15:00"), closed)) == [(day("03-10"), day("03-20"), False)]
    reopened = ev("o", "case.reopened", "04-01 08:00", closure_was_error=False)
    assert spans(pauses(paused("p", "03-10 15:00"), closed, reopened, resumed("r", "04-05 08:00"))) == [(day("03-10"), day("03-20"), False)]
    mistaken = ev("o", "case.reopened", "04-01 08:00", closure_was_error=True)
    assert spans(pauses(paused("p", "03-10 15:00"), closed, mistaken, resumed("r", "04-05 08:00"))) == [(day("03-10"), day("04-05"), False)]


def test_a_second_pause_while_paused_is_ignored() -> None:
    events = [paused("p1", "03-10 09:00"), paused("p2", "03-12 09:00"), resumed("r", "03-20 09:00")]
    assert spans(pauses(*events)) == [(day("03-10"), day("03-20"), False)]
    assert moved("04-13", *events) == (10, 10, False)


def test_a_resumption_without_a_pause_is_ignored() -> None:
    assert pauses(resumed("r", "03-05 09:00")) == []
    assert spans(pauses(paused("p", "03-10 09:00"), resumed("r", "03-12 09:00"), resumed("r2", "03-15 09:00"))) == [
        (day("03-10"), day("03-12"), False)
    ]


def test_several_pauses_add_up() -> None:
    events = [paused("p1", "03-10 09:00"), resumed("r1", "03-12 09:00"), paused("p2", "03-20 09:00"), resumed("r2", "03-25 09:00")]
    assert moved("04-13", *events) == (7, 7, False)


@pytest.mark.parametrize(("begins", "days"), [("04-12", 3), ("04-13", 2), ("04-14", 0), ("05-01", 0)])
def test_a_pause_that_begins_after_the_due_day_does_nothing(begins: str, days: int) -> None:
    end = f"{'05-10' if begins == '05-01' else '04-15'} 09:00"
    assert moved("04-13", paused("p", f"{begins} 09:00"), resumed("r", end)) == (days, days, False)


def test_a_pause_that_begins_after_the_due_day_does_nothing_even_if_it_was_approved_before() -> None:
    events = [granted("a", "04-01 12:00"), paused("p", "04-20 09:00", approved=False), resumed("r", "04-25 09:00")]
    assert moved("04-13", *events) == (0, 0, False)


@pytest.mark.parametrize(("first", "approved"), [("03-10", False), ("02-10", True)])
def test_a_pause_that_does_not_count_does_not_hide_the_next(first: str, approved: bool) -> None:
    """The first one was never approved, or was over before the activation."""
    events = [paused("p1", f"{first} 09:00", approved=approved), resumed("r1", f"{first[:2]}-12 09:00")]
    assert moved("04-13", *events, paused("p2", "03-20 09:00"), resumed("r2", "03-25 09:00")) == (5, 5, False)


def test_a_pause_counts_up_to_the_day_that_pauses_before_it_have_moved() -> None:
    """The second pause begins after the first due day, and before the moved one."""
    events = [paused("p1", "04-10 09:00"), resumed("r1", "04-15 09:00"), paused("p2", "04-17 09:00"), resumed("r2", "04-20 09:00")]
    assert moved("04-13", *events) == (8, 8, False)


def test_a_pause_that_begins_on_the_due_day_counts_whole() -> None:
    """Each paused day moves the then due day by one, so that the pause never catches up with it."""
    assert moved("04-13", paused("p", "04-13 09:00"), resumed("r", "06-13 09:00")) == (61, 61, False)


def test_a_pause_begun_before_the_activation_counts_from_it() -> None:
    assert moved("04-13", paused("p", "02-20 09:00"), resumed("r", "03-12 09:00")) == (10, 10, False)
    assert moved("04-13", paused("p", "02-10 09:00"), resumed("r", "02-20 09:00")) == (0, 0, False)


# --------------------------------------------------------------------------------------------------------------------------- approval
def test_a_pause_that_nobody_approved_does_nothing() -> None:
    assert moved("04-13", paused("p", "03-10 09:00", approved=False), resumed("r", "03-20 09:00")) == (0, 0, False)


def test_an_approver_without_an_id_is_no_approval() -> None:
    event = ev("p", "clock.paused", "03-10 09:00", approved_by={"role": "manager"})
    assert moved("04-13", event, resumed("r", "03-20 09:00")) == (0, 0, False)


@pytest.mark.parametrize(
    ("approved", "in_time", "late"), [("03-10", 10, 10), ("03-30", 10, 10), ("04-13", 10, 10), ("04-14", 0, 10), ("06-01", 0, 10)]
)
def test_an_approval_by_the_due_day_moves_it_and_a_later_one_only_excuses(approved: str, in_time: int, late: int) -> None:
    events = [paused("p", "03-10 09:00", approved=False), resumed("r", "03-20 09:00"), granted("a", f"{approved} 12:00")]
    assert moved("04-13", *events) == (in_time, late, False)


def test_the_due_day_by_which_it_is_approved_is_the_one_moved_so_far() -> None:
    events = [paused("p1", "03-10 09:00"), resumed("r1", "03-20 09:00")]
    events += [paused("p2", "04-01 09:00", approved=False), resumed("r2", "04-03 09:00"), granted("a", "04-20 12:00")]
    assert moved("04-13", *events) == (12, 12, False)


def test_an_approval_of_something_else_is_none() -> None:
    events = [paused("p", "03-10 09:00", approved=False), resumed("r", "03-20 09:00"), granted("a", "03-11 12:00", "closure")]
    assert moved("04-13", *events) == (0, 0, False)


def test_an_approval_speaks_of_the_earliest_pause_that_waits_for_it() -> None:
    events = [paused("p1", "03-10 09:00", approved=False), resumed("r1", "03-12 09:00")]
    events += [paused("p2", "03-20 09:00", approved=False), resumed("r2", "03-25 09:00")]
    assert moved("04-13", *events, granted("a", "03-26 12:00")) == (2, 2, False)
    assert moved("04-13", *events, granted("a", "03-26 12:00"), granted("b", "03-27 12:00")) == (7, 7, False)


def test_an_approval_beforehand_is_for_the_next_pause() -> None:
    events = [granted("a", "03-05 12:00"), paused("p", "03-10 09:00", approved=False), resumed("r", "03-20 09:00")]
    assert moved("04-13", *events) == (10, 10, False)


@pytest.mark.parametrize(("target", "days"), [("a", 0), ("other", 10)])
def test_a_revoked_approval_is_none(target: str, days: int) -> None:
    events = [paused("p", "03-10 09:00", approved=False), resumed("r", "03-20 09:00"), granted("a", "03-11 12:00")]
    assert moved("04-13", *events, ev("k", "approval.revoked", "03-15 09:00", of="pause", approval=target))[0] == days


def test_pauses_belong_to_their_episode() -> None:
    history = history_of([paused("p", "03-10 09:00"), ev("x", "case.closed", "03-12 09:00"), visit("v", "03-20 09:00")])
    assert pauses_of(history.episodes[1], NAMES, day("04-01")) == []


def test_a_domain_without_pauses_has_none() -> None:
    assert pauses_of(history_of([paused("p", "03-10 09:00")]).episodes[0], None, day("04-01")) == []
