"""Backtests on a store: what they find, that they change nothing, and that nothing disturbs them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from bench.backtest import by_hand, of_report
from rules.errors import PolicyError
from rules.evaluate import evaluate
from rules.policy import package_of
from service import chunkwork
from service import evaluate as live
from service.access import Access, system
from service.backtests import runs as backtest
from service.backtests import work as backtestwork
from service.backtests.report import digest_of
from service.backtests.tally import Tally
from service.backtests.work import DIED, work
from service.errors import Forbidden, Invalid, NotFound, NotPossible
from service.policies import book as policybook
from service.policies import changes as policychanges
from service.policies.policyset import of_policies
from store import backtests as stored
from store.cases import load_cases
from store.models import BacktestChunkRow, BacktestRow, BreachRow, DirtyRow, OutboxRow, VerdictRow
from tests.support.backtests import CFSS, EARLIER, IN_SHADOW, LATER, changed, families, finished, kept, started
from tests.support.chaos import crowd
from tests.support.service_kit import event, kit, plan, three_visits

OWNER = Access("user:1", "Olga", scopes=frozenset({"policies:write"}))
FAMILY_MET_WEEKLY = {"family_contact_days": 7}


@pytest.fixture
def house(store_url, tmp_path):
    with kit(store_url, tmp_path, now="2026-04-20T12:00") as made:
        made.take(*families())
        yield made


@pytest.fixture
def home(sqlite_url, tmp_path):
    """The same on SQLite alone, for what does not depend on the database."""
    with kit(sqlite_url, tmp_path, now="2026-04-20T12:00") as made:
        made.take(*families())
        yield made


def counts(svc):
    with svc.reading() as session:
        tables = (VerdictRow, BreachRow, OutboxRow, DirtyRow)
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def rows(report, change):
    return {(row["rule"], row["team"]): row["obligations"] for row in report["rows"] if row["change"] == change}


def test_a_rule_that_asks_later_loses_its_breaches_and_the_store_stays_as_it_is(house):
    house.settle()
    before = counts(house.svc)
    made = started(house.svc, changed(LATER))
    assert (made.state, made.total, made.done) == ("queued", 7, 0)
    report = finished(house.svc, made)
    assert rows(report, "lost") == {("C08", "north"): 3, ("C08", "south"): 2}
    assert {row["rule"] for row in report["rows"]} == {"C08"}
    assert report["totals"]["cases"] == {"judged": 7, "unchanged": 1, "changed": 6, "failed": 0}, "k7 has had one visit only"
    assert report["totals"]["breaches"]["before"] - report["totals"]["breaches"]["after"] == 5
    samples = [one for one in report["samples"] if one["change"] == "lost"]
    assert [one["case"] for one in samples] == ["k1", "k2", "k3", "k4", "k5"]
    assert samples[0]["before"]["sentence"].startswith("No completed safety plan by the end of the 3rd visit, Mon 23 March 2026")
    assert samples[0]["after"]["verdict"] == "due_soon"
    assert counts(house.svc) == before
    done = backtest.get(house.svc, system(), made.id)
    assert (done.state, done.done, done.report_digest) == ("done", 7, digest_of(backtest.report_text(house.svc, system(), made.id)))
    with house.svc.reading() as session:
        assert session.scalar(select(func.count()).select_from(BacktestChunkRow)) == 0, "what the chunks found is in the report"


def test_the_report_agrees_with_a_plain_loop_over_the_same_cases(house):
    house.take(*crowd(400, seed=3))
    house.clock.set("2026-07-01T12:00")
    candidate = changed(LATER, household_days=1, referral_outcome_days=1)
    made = started(house.svc, candidate, chunk=7)
    report = finished(house.svc, made)
    cases = [f"k{number}" for number in range(1, 8)] + sorted({one["subject"] for one in crowd(400, seed=3)} - {"-"})
    assert of_report(report) == by_hand(house.svc, cases, [CFSS], candidate, made)
    assert min(report["totals"]["obligations"][change] for change in ("gained", "lost", "changed", "moved")) > 0


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_same_inputs_give_the_same_bytes_however_the_work_is_divided(home, chunk):
    made = started(home.svc, changed(LATER), chunk=chunk)
    finished(home.svc, made)
    home.clock.advance(hours=3)
    again = started(home.svc, changed(LATER), chunk=2, as_of=made.as_of, known_at=made.known_at)
    finished(home.svc, again)
    texts = [backtest.report_text(home.svc, system(), one.id) for one in (made, again)]
    assert texts[0] == texts[1]


def test_what_arrives_meanwhile_is_not_in_the_report(house):
    undisturbed = started(house.svc, changed(LATER))
    finished(house.svc, undisturbed)
    made = started(house.svc, changed(LATER), chunk=1)
    assert not work(house.svc, made.id, budget=0, give_way=False)
    beat = {"complete_until": "2026-03-10T00:00:00Z"}
    house.take(plan("2026-03-21T09:00", case="k5"), *three_visits("k0"), *three_visits("k9"))
    house.take(event("source.heartbeat", "2026-03-10T09:00", beat, case="-"))
    finished(house.svc, made)
    assert backtest.report_text(house.svc, system(), made.id) == backtest.report_text(house.svc, system(), undisturbed.id)
    assert finished(house.svc, started(house.svc, changed(LATER)))["totals"]["cases"]["judged"] == 9


def test_only_what_began_since_a_day_is_compared(home):
    late = finished(home.svc, started(home.svc, changed(EARLIER), since=dt.date(2026, 3, 3)))
    early = finished(home.svc, started(home.svc, changed(EARLIER), since=dt.date(2026, 3, 2)))
    assert (late["since"], rows(late, "moved")) == ("2026-03-03", {})
    assert sum(rows(early, "moved").values()) == 5


def test_the_past_is_judged_as_it_was_known_then(home):
    home.clock.set("2026-03-30T12:00")
    known = home.clock.ms
    home.clock.set("2026-04-20T12:00")
    home.take(plan("2026-03-22T09:00", case="k1", rec="2026-04-02T09:00"))
    made = started(home.svc, changed(LATER), as_of=dt.date(2026, 3, 29), known_at=known)
    report = finished(home.svc, made)
    assert (report["as_of_on"], report["known_on"]) == ("2026-03-29", "2026-03-30")
    assert ("C08", "north") in rows(report, "lost")
    assert sum(rows(report, "lost").values()) == 5, "the plan of k1 was not on record yet"
    assert sum(rows(finished(home.svc, started(home.svc, changed(LATER))), "lost").values()) == 4


def test_a_rule_that_goes_into_shadow_loses_its_breaches_and_shows_what_it_would_say(home):
    report = finished(home.svc, started(home.svc, changed(IN_SHADOW)))
    assert rows(report, "lost") == {("C08", "north"): 3, ("C08", "south"): 2}
    assert {(one["before"], one["after"]) for one in report["transitions"] if one["rule"] == "C08"} >= {("breached", "shadow:breached")}
    assert next(rule for rule in report["rules"] if rule["rule"] == "C08")["after"] == "shadow"


def test_a_policy_that_nothing_is_in_force_of_is_compared_with_nothing(home):
    made = started(home.svc, changed({"policy: cfss": "policy: trial"}))
    report = finished(home.svc, made)
    assert (made.base, report["base"]) == ((), [])
    assert rows(report, "gained")["C08", "north"] == 3


def test_a_store_without_cases_gives_an_empty_report(sqlite_url, tmp_path):
    with kit(sqlite_url, tmp_path) as empty:
        report = finished(empty.svc, started(empty.svc, changed(LATER)))
        assert report["totals"]["cases"]["judged"] == 0


# --- who may ---------------------------------------------------------------------------------------------------------


def test_who_is_limited_to_a_team_sees_the_part_of_that_team(house):
    made = started(house.svc, changed(LATER))
    whole = finished(house.svc, made)
    limited = replace(OWNER, teams=frozenset({"south"}))
    seen = backtest.report(house.svc, limited, made.id)
    assert rows(seen, "lost") == {("C08", "south"): 2}
    assert {one["case"] for one in seen["samples"]} == {"k4", "k5"}
    assert seen["totals"]["cases"] == {"judged": 2, "unchanged": 0, "changed": 2, "failed": 0}
    text = backtest.report_text(house.svc, limited, made.id)
    assert json.loads(text) == seen
    assert "north" not in text
    assert backtest.report(house.svc, OWNER, made.id) == whole


def test_backtests_are_for_those_who_may_change_policies(home):
    made = started(home.svc, changed(LATER))
    reader = Access("user:2", "Rita", scopes=frozenset({"cases:read", "breaches:read"}))
    for ask in (
        lambda: backtest.start(home.svc, reader, candidate=made.candidate),
        lambda: backtest.get(home.svc, reader, made.id),
        lambda: backtest.report(home.svc, reader, made.id),
        lambda: backtest.cancel(home.svc, reader, made.id),
        lambda: backtest.listing(home.svc, reader),
    ):
        with pytest.raises(Forbidden, match="policies:write"):
            ask()
    assert backtest.get(home.svc, OWNER, made.id).created_name == "system"


def test_what_cannot_be_is_refused(home):
    made = started(home.svc, changed(LATER))
    with pytest.raises(NotFound):
        backtest.start(home.svc, OWNER, candidate="0" * 64)
    with pytest.raises(NotFound):
        backtest.get(home.svc, OWNER, "none")
    with pytest.raises(NotPossible, match="queued"):
        backtest.report(home.svc, OWNER, made.id)
    with pytest.raises(Invalid, match="since"):
        backtest.start(home.svc, OWNER, candidate=made.candidate, since=dt.date(2026, 4, 21))


def test_the_newest_come_first_and_a_finished_one_counts_as_passed(home):
    first, second = started(home.svc, changed(LATER)), started(home.svc, changed({}, **FAMILY_MET_WEEKLY))
    assert {one.id for one in backtest.listing(home.svc, OWNER)} == {first.id, second.id}
    assert [one.id for one in backtest.listing(home.svc, OWNER, candidate=first.candidate)] == [first.id]
    finished(home.svc, first)
    backtest.cancel(home.svc, OWNER, second.id)
    with home.svc.reading() as session:
        assert backtest.passed(session, first.candidate) == first.id
        assert backtest.passed(session, second.candidate) is None, "it was not finished"
        assert backtest.passed(session, first.candidate[:-1]) is None


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_cancelled_backtest_ends_and_takes_nothing_more(house):
    made = started(house.svc, changed(LATER), chunk=1)
    assert not work(house.svc, made.id, budget=0, give_way=False)
    with house.svc.writing() as session:
        chunk = stored.JOBS.claim(session, made.id, now=house.clock.ms, lease_ms=30_000)
    assert chunk is not None
    assert backtest.cancel(house.svc, OWNER, made.id).state == "cancelled"
    with house.svc.writing() as session:
        assert not stored.JOBS.finish_chunk(session, chunk, {}, now=0)
        assert stored.JOBS.claim(session, made.id, now=house.clock.ms, lease_ms=30_000) is None
    assert work(house.svc, made.id, budget=600)
    with pytest.raises(NotPossible, match="cancelled"):
        backtest.report(house.svc, OWNER, made.id)
    with pytest.raises(NotPossible, match="over already"):
        backtest.cancel(house.svc, OWNER, made.id)


def test_a_case_that_cannot_be_judged_is_named_and_the_others_are_judged(house, monkeypatch):

    def fail_on_k3(policies, file, **how):
        if file.case == "k3":
            raise KeyError("a secret of the family")
        return evaluate(policies, file, **how)

    monkeypatch.setattr(backtestwork, "evaluate", fail_on_k3)
    report = finished(house.svc, started(house.svc, changed(LATER)))
    assert [one["case"] for one in report["failures"]] == ["k3"]
    assert report["failures"][0]["why"].startswith("KeyError at ")
    assert "secret" not in json.dumps(report)
    assert (report["totals"]["cases"]["judged"], report["totals"]["cases"]["failed"]) == (6, 1)
    assert sum(rows(report, "lost").values()) == 4


def test_cases_that_cannot_be_read_do_not_take_others_with_them(home, monkeypatch):

    def fail_on_k3(session, cases, **how):
        if "k3" in cases:
            raise ValueError("not to be read")
        return load_cases(session, cases, **how)

    monkeypatch.setattr(backtestwork, "load_cases", fail_on_k3)
    report = finished(home.svc, started(home.svc, changed(LATER), chunk=100))
    assert [one["case"] for one in report["failures"]] == ["k3"]
    assert report["totals"]["cases"]["judged"] == 6


class Killed(BaseException):
    """In place of SIGKILL: whoever is killed gives nothing back."""


@pytest.fixture
def deadly(monkeypatch):
    """Whoever judges one of these cases is killed."""
    cases: set[str] = set()

    def kill(policies, file, **how):
        if file.case in cases:
            raise Killed
        return evaluate(policies, file, **how)

    monkeypatch.setattr(backtestwork, "evaluate", kill)
    monkeypatch.setattr(chunkwork, "_give_back", lambda *_, **__: None)
    return cases


def outlive(house, made):
    """Work on, start again whenever killed, and let the leases run out; how often it was killed."""
    deaths = 0
    while deaths < 20:
        try:
            if work(house.svc, made.id, give_way=False):
                break
        except Killed:
            deaths += 1
        house.clock.advance(seconds=house.svc.settings.lease_seconds + 1)
    return deaths


def test_a_worker_that_dies_once_costs_nothing_but_its_time(house, deadly):
    undisturbed = started(house.svc, changed(LATER))
    finished(house.svc, undisturbed)
    made = started(house.svc, changed(LATER), as_of=undisturbed.as_of, known_at=undisturbed.known_at)
    deadly.add("k3")
    with pytest.raises(Killed):
        work(house.svc, made.id, give_way=False)
    deadly.clear()
    assert outlive(house, made) == 0
    assert backtest.report_text(house.svc, system(), made.id) == backtest.report_text(house.svc, system(), undisturbed.id)


def test_a_case_that_kills_its_workers_is_named_after_three_deaths(house, deadly):
    made = started(house.svc, changed(LATER), chunk=4)
    deadly.add("k3")
    assert outlive(house, made) == 3
    report = backtest.report(house.svc, system(), made.id)
    assert report["failures"] == [{"case": "k3", "why": DIED}]
    assert report["totals"]["cases"]["judged"] == 6


def test_cases_over_which_all_workers_die_end_the_backtest_at_last(home, deadly, monkeypatch):
    monkeypatch.setattr(chunkwork, "MOST_ATTEMPTS", 5)
    deadly.update(f"k{number}" for number in range(1, 8))
    made = started(home.svc, changed(LATER), chunk=100)
    outlive(home, made)
    told = backtest.get(home.svc, system(), made.id)
    assert (told.state, told.error) == ("failed", "5 workers died over the cases from k1 to k7")


def test_who_comes_late_writes_nothing(house):
    made = started(house.svc, changed(LATER), chunk=100)
    lease = house.svc.settings.lease_seconds * 1000

    def claimed():
        with house.svc.writing() as session:
            return stored.JOBS.claim(session, made.id, now=house.clock.ms, lease_ms=lease)

    first = claimed()
    assert claimed() is None
    house.clock.ms += lease
    second = claimed()
    with house.svc.writing() as session:
        assert not stored.JOBS.extend(session, first, until=house.clock.ms + lease)
        assert not stored.JOBS.finish_chunk(session, first, {"nonsense": 1}, now=0)
        assert stored.JOBS.extend(session, second, until=house.clock.ms + lease)
    assert (first.attempts, second.attempts) == (1, 2)


def test_a_version_that_cannot_be_loaded_fails_the_backtest_with_the_reason(home, monkeypatch):
    made = started(home.svc, changed(LATER))

    def refuse(*_):
        raise PolicyError([])

    monkeypatch.setattr(policybook, "version", refuse)
    assert work(home.svc, made.id, budget=600)
    told = backtest.get(home.svc, system(), made.id)
    assert (told.state, told.error) == ("failed", "a version of the policy cannot be loaded: PolicyError")


# --- giving way ------------------------------------------------------------------------------------------------------


def test_a_new_event_is_judged_before_the_backtest_goes_on(home, monkeypatch):
    home.settle()
    monkeypatch.setattr(chunkwork, "AT_ONCE", 2)
    made = started(home.svc, changed(LATER), chunk=100)
    seen = []

    def watch(policies, file, **how):
        if not seen:
            home.take(*three_visits("new"))
        with home.svc.reading() as session:
            seen.append(session.scalar(select(func.count()).select_from(BreachRow).where(BreachRow.case_id == "new")))
        return evaluate(policies, file, **how)

    monkeypatch.setattr(backtestwork, "evaluate", watch)
    assert work(home.svc, made.id, budget=600)
    sides = 2
    assert seen[: 2 * sides] == [0] * (2 * sides), "the two cases at hand come to their end"
    assert len(seen) == 7 * sides
    assert min(seen[2 * sides :]) > 0, "then the new case comes first"


def test_where_more_waits_than_is_judged_at_once_the_backtest_stands_back(home, monkeypatch):
    home.settle()
    made = started(home.svc, changed(LATER))
    home.take(*three_visits("new"))
    monkeypatch.setattr(live, "drain", lambda *_, **__: 0)
    monkeypatch.setattr(chunkwork, "LIVE_BUDGET", 0)
    assert not work(home.svc, made.id)
    told = backtest.get(home.svc, system(), made.id)
    assert (told.state, told.done) == ("running", 0)
    with home.svc.reading() as session:
        chunk = session.scalars(select(BacktestChunkRow).order_by(BacktestChunkRow.number)).first()
        assert (chunk.attempts, chunk.token, chunk.claimed_until) == (0, None, None)
    assert backtestwork.put_forward(home.svc) == 0, "cases wait"
    monkeypatch.undo()
    home.settle()
    assert backtestwork.put_forward(home.svc) == 1


def test_events_that_keep_coming_do_not_stop_it(home, monkeypatch):
    home.settle()
    made = started(home.svc, changed(LATER), chunk=100)
    drain, arrived = live.drain, []

    def and_another_one_comes(svc, **how):
        done = drain(svc, **how)
        arrived.append(home.take(plan(f"2026-04-0{len(arrived) + 1}T09:00", case="k7")))
        return done

    monkeypatch.setattr(live, "drain", and_another_one_comes)
    monkeypatch.setattr(chunkwork, "AT_ONCE", 1)
    monkeypatch.setattr(chunkwork, "LIVE_BUDGET", 600.0)
    home.take(plan("2026-03-31T09:00", case="k7"))
    assert work(home.svc, made.id, budget=600)
    assert len(arrived) == 1 + 7 + 1, "at the start, before every case, and before the report, there was one to be judged first"


def test_who_makes_the_report_gives_way_too(home, monkeypatch):
    home.settle()
    made = started(home.svc, changed(LATER), chunk=1)
    for _ in range(6):
        work(home.svc, made.id, budget=0, give_way=False)
    judged, merge = [], Tally.merge

    def watch(tally, found):
        if not judged:
            home.take(*three_visits("new"))
        with home.svc.reading() as session:
            judged.append(session.scalar(select(func.count()).select_from(DirtyRow)))
        merge(tally, found)

    monkeypatch.setattr(Tally, "merge", watch)
    assert work(home.svc, made.id, budget=600)
    assert judged == [1, 0, 0, 0, 0, 0, 0]


def test_one_worker_alone_makes_the_report(pg_db, tmp_path):
    with kit(pg_db, tmp_path, now="2026-04-20T12:00") as house:
        house.take(*families())
        made = started(house.svc, changed(LATER))
        for _ in range(3):
            work(house.svc, made.id, budget=0, give_way=False)
        with house.svc.writing() as session:
            assert stored.JOBS.hold(session, made.id)
            assert not work(house.svc, made.id, give_way=False), "all chunks are done; another one makes the report"
        assert backtest.get(house.svc, system(), made.id).done == 7
        assert work(house.svc, made.id, budget=600)
        with house.svc.writing() as session:
            assert not stored.JOBS.hold(session, made.id)


class Heard:
    """Hints as they are sent."""

    reachable = True

    def __init__(self):
        self.told = []

    def send(self, cases):
        pass

    def work_on(self, backtest, *, workers=1):
        self.told.append((backtest, workers))

    def audit(self, audit, *, workers=1):
        pass

    def count(self):
        return True


def test_the_sweeper_tells_of_backtests_on_which_nobody_works(home):
    home.settle()
    heard = home.svc.hints = Heard()
    made = started(home.svc, changed(LATER), chunk=1)
    assert heard.told == [(made.id, backtest.TOGETHER)]
    heard.told.clear()
    with home.svc.writing() as session:
        stored.JOBS.claim(session, made.id, now=home.clock.ms, lease_ms=30_000)
    home.sweeper.sweep()
    assert heard.told == [], "somebody is at it"
    home.clock.advance(seconds=30)
    home.sweeper.sweep()
    assert heard.told == [(made.id, backtest.TOGETHER)]
    heard.told.clear()
    assert not work(home.svc, made.id, budget=0)
    assert heard.told == [(made.id, 1)], "who has had its turn tells the next"
    finished(home.svc, made)
    heard.told.clear()
    home.sweeper.sweep()
    assert heard.told == []


def test_without_a_queue_the_sweeper_does_the_work(home):
    home.settle()
    heard = home.svc.hints = Heard()
    made = started(home.svc, changed(LATER))
    heard.reachable = False
    home.sweeper.sweep()
    assert backtest.get(home.svc, system(), made.id).state == "done"


def test_a_report_once_made_is_never_changed(home):
    made = started(home.svc, changed(LATER))
    finished(home.svc, made)
    text = backtest.report_text(home.svc, system(), made.id)
    with home.svc.writing() as session:
        for state in ("done", "failed", "cancelled"):
            assert not stored.JOBS.end(session, made.id, state, now=1, report="{}", digest="0")
    assert work(home.svc, made.id, budget=600)
    assert backtest.report_text(home.svc, system(), made.id) == text
    with home.svc.reading() as session:
        assert session.get_one(BacktestRow, made.id).report_digest == digest_of(text)


def test_a_candidate_is_kept_as_it_was_tried(home):
    digest = kept(home.svc, changed(LATER))
    home.svc.versions.clear()
    made = backtest.start(home.svc, OWNER, candidate=digest, chunk=2)
    assert rows(finished(home.svc, made), "lost")["C08", "north"] == 3


# --- before a rule is enforced ---------------------------------------------------------------------------------------


def test_a_rule_that_is_in_shadow_is_enforced_only_after_a_backtest_of_that_version(sqlite_url, tmp_path):
    manager = Access("user:9", "Mena", scopes=frozenset({"policies:write"}), roles=frozenset({"manager"}))
    with kit(sqlite_url, tmp_path, now="2026-04-20T12:00", policies=of_policies([changed(IN_SHADOW)])) as house:
        house.take(*families())
        house.settle()
        package = package_of(changed({}))
        change = policychanges.propose_version(
            house.svc, OWNER, package.files, package.main, effective=dt.date(2026, 4, 20), applies_to_open=None, reason="it has been tried"
        )

        def approve():
            return policychanges.approve(house.svc, manager, change.id, version=change.row_version)

        with pytest.raises(NotPossible, match="C08"):
            approve()
        another = started(house.svc, changed({}, **FAMILY_MET_WEEKLY))
        finished(house.svc, another)
        with pytest.raises(NotPossible, match="C08"):
            approve()
        made = backtest.start(house.svc, OWNER, candidate=change.digest)
        with pytest.raises(NotPossible, match="C08"):
            approve()
        report = finished(house.svc, made)
        assert sum(rows(report, "gained").values()) == 5
        assert (approve().state, approved_with(house.svc, change.id)) == ("active", made.id)


def approved_with(svc, change):
    return policychanges.change(svc, change).backtest
