"""Two audits compared: which events, which passing of time and which change of a policy made each difference."""

from __future__ import annotations

import datetime as dt

import pytest

from service import review
from service.access import ROLES, Access, system
from service.audits import compare as auditcompare
from service.audits import runs as audits
from service.audits.compare import compare
from service.errors import NotPossible
from service.policies import changes as policychanges
from service.policies.register import register
from store.audits import AuditScope
from tests.support.audits import finished, started
from tests.support.backtests import families
from tests.support.service_kit import kit, plan, three_visits

DAY = 24 * 3_600_000
MANAGER = Access("user:mo", "Mo", frozenset().union(*(ROLES[role] for role in ("manager", "policy_owner"))), frozenset({"manager"}))
OWNER = Access("user:ann", "Ann", ROLES["policy_owner"], frozenset({"policy_owner"}))
REVIEWER = Access("user:rea", "Rea", ROLES["reviewer"], frozenset({"reviewer"}))


@pytest.fixture
def home(sqlite_url, tmp_path):
    with kit(sqlite_url, tmp_path, now="2026-03-22T12:00") as made:
        register(made.svc)
        made.take(*families())
        made.settle()
        yield made


def audit(home, **how):
    made = started(home.svc, **how)
    finished(home.svc, made)
    return made.id


def both(home, before, after, access=None, **how):
    return compare(home.svc, access or system(), before, after, **how)


def of(told, case, rule):
    (found,) = [one for one in told.differing if (one.case, one.rule) == (case, rule)]
    return found


def test_two_audits_of_the_same_moment_do_not_differ(home):
    told = both(home, audit(home), audit(home, kind="incremental"))
    assert (told.deltas, told.cases, told.differing, told.next) == ((), 0, (), None)


def test_time_and_events_are_named_as_what_made_a_difference(home):
    before = audit(home)
    home.clock.set("2026-03-30T12:00")
    home.take(plan("2026-03-21T09:00", case="k1", rec="2026-03-29T09:00", event_id="plan-late"))
    home.settle()
    told = both(home, before, audit(home))
    late, met = of(told, "k2", "C08"), of(told, "k1", "C08")
    assert (late.before, late.after, [one.kind for one in late.causes]) == ("due_soon", "breached", ["time"])
    assert late.causes[0].words == "The day moved on from Sun 22 March 2026 to Mon 30 March 2026."
    assert "No completed safety plan" in late.after_words
    assert (met.before, met.after, [one.kind for one in met.causes]) == ("due_soon", "met", ["events", "time"])
    assert met.causes[0].events == ("plan-late",)
    assert "Sat 21 March 2026" in met.causes[0].words
    delta = {(one.rule, one.verdict): (one.before, one.after) for one in told.deltas}
    assert delta["C08", "breached"] == (0, 4)
    assert told.cases == len({one.case for one in told.differing})


def test_a_waiver_and_a_change_of_policy_are_named(home):
    home.clock.set("2026-03-30T12:00")
    home.settle()
    before = audit(home)
    home.clock.advance(minutes=1)
    breach = home.breaches("k1")["C08"]
    code = next(iter(review.WAIVER_REASONS))
    asked = review.ask_waiver(
        home.svc, REVIEWER, breach.id, version=breach.version, reason_code=code, ends_at=home.clock.ms + 30 * DAY, comment="agreed"
    )
    review.settle_waiver(home.svc, MANAGER, asked.id, approve=True)
    made = policychanges.propose_parameters(
        home.svc, OWNER, "cfss", {"household_days": 10}, effective=dt.date(2026, 3, 30), applies_to_open=True, reason="Agreed in March"
    )
    home.clock.advance(seconds=1)
    policychanges.approve(home.svc, MANAGER, made.id, version=made.row_version)
    home.clock.advance(minutes=1)
    home.settle()
    told = both(home, before, audit(home))
    assert [one.kind for one in of(told, "k1", "C08").causes] == ["waiver"]
    changed = [one for one in told.differing if [cause.kind for cause in one.causes] == ["policy"]]
    assert {one.case for one in changed} == {f"k{number}" for number in range(1, 8)}
    assert all(len(one.causes[0].versions) == 2 and "judged by cfss" in one.causes[0].words for one in changed)
    assert {one.before for one in changed} == {"not_applicable"}


def test_the_cases_come_in_pages_and_a_reader_gets_what_lies_within_their_limits(home):
    before = audit(home)
    home.clock.set("2026-03-30T12:00")
    home.settle()
    after = audit(home)
    whole = both(home, before, after)
    pages, start = [], None
    while True:
        page = both(home, before, after, start=start, limit=2)
        pages += page.differing
        if (start := page.next) is None:
            break
    assert tuple(pages) == whole.differing
    south = Access("user:3", "Sam", scopes=frozenset({"audits:run"}), teams=frozenset({"south"}))
    part = both(home, before, after, south)
    assert part.cases is None
    assert {one.team for one in part.differing} == {"south"}
    whole_of = {(one.rule, one.verdict): one for one in whole.deltas}
    assert all(one.after <= whole_of[one.rule, one.verdict].after for one in part.deltas)
    assert sum(one.after for one in part.deltas) < sum(one.after for one in whole.deltas)


def test_what_the_two_do_not_both_look_at_is_said_to_be_so(home):
    told = both(home, audit(home), audit(home, scope=AuditScope(teams=("south",))))
    assert {one.team for one in told.differing} == {"north"}
    assert {cause.kind for one in told.differing for cause in one.causes} == {"scope"}


def test_only_finished_audits_are_compared(home):
    waiting = started(home.svc)
    with pytest.raises(NotPossible, match="queued"):
        both(home, audit(home), waiting.id)


def test_a_case_that_is_new_differs_in_whole(home):
    before = audit(home)
    home.take(*three_visits("k9"))
    home.clock.advance(minutes=1)
    told = both(home, before, audit(home))
    assert {(one.case, one.before) for one in told.differing} == {("k9", auditcompare.NONE)}
    assert {cause.kind for one in told.differing for cause in one.causes} == {"events"}
    assert audits.listing(home.svc, system())[0].total == 8
