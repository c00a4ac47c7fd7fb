"""Audits on a store: what they count, that the same inputs give the same bytes, and that what is stored is held against it."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sqlalchemy import delete, func, select, update

from service import review
from service.access import Access, system
from service.audits import runs as audits
from service.audits import signoffs
from service.audits import work as auditwork
from service.audits.report import cut, digest_of, summed
from service.errors import Forbidden, Invalid, NotFound, NotPossible
from service.policies.policyset import PolicySet
from store.audits import AuditScope
from store.models import AuditChunkRow, AuditPrintsRow, BreachRow, DirtyRow, OutboxRow, VerdictRow
from tests.support.audits import audited, by_hand, checked, counts, finished, started
from tests.support.backtests import families
from tests.support.chaos import crowd
from tests.support.service_kit import event, kit, plan, three_visits

MANAGER = Access("user:1", "Mara", scopes=frozenset({"audits:run", "breaches:review"}), roles=frozenset({"manager"}))
NORTH = Access("user:2", "Nora", scopes=frozenset({"audits:run"}), teams=frozenset({"north"}))
SOUTH = Access("user:3", "Sam", scopes=frozenset({"audits:run"}), teams=frozenset({"south"}))
HOUR = 3_600_000


@pytest.fixture
def house(store_url, tmp_path):
    with kit(store_url, tmp_path, now="2026-04-20T12:00") as made:
        made.take(*families())
        made.settle()
        yield made


@pytest.fixture
def home(sqlite_url, tmp_path):
    """The same on SQLite alone, for what does not depend on the database."""
    with kit(sqlite_url, tmp_path, now="2026-04-20T12:00") as made:
        made.take(*families())
        made.settle()
        yield made


def breached(report, rule="C08"):
    return {row["team"]: row["breached"] for row in report["results"]["rows"] if row["rule"] == rule and row["breached"]}


def only(report):
    """What came out, without what differs between the two kinds of audit."""
    return report["results"]


def text(svc, made, access=None):
    return audits.report_text(svc, access or system(), made.id)


def test_a_full_audit_counts_what_a_plain_loop_counts_and_finds_nothing_stored_wrongly(house):
    house.take(*crowd(400, seed=3))
    house.clock.set("2026-07-01T12:00")
    house.settle()
    made = started(house.svc, chunk=7)
    report = finished(house.svc, made)
    cases = [f"k{number}" for number in range(1, 8)] + sorted({one["subject"] for one in crowd(400, seed=3)} - {"-"})
    assert counts(report) == by_hand(house.svc, cases, made)
    assert report["totals"]["cases"] == len(cases)
    assert (report["totals"]["differences"], checked(report)["compared"]) == (0, len(cases))
    done = audits.get(house.svc, system(), made.id)
    assert (done.state, done.done, done.report_digest) == ("done", len(cases), digest_of(text(house.svc, made)))
    with house.svc.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditChunkRow)) == 0


def test_an_incremental_audit_judges_only_what_has_changed_and_comes_to_the_same(house, monkeypatch):
    house.take(*crowd(300, seed=5))
    house.clock.set("2026-11-02T12:00")
    house.settle()
    house.clock.advance(hours=2)
    late = plan("2026-03-20T09:00", case="k2", rec="2026-11-02T13:00")
    house.take(late, event("case.closed", "2026-11-02T13:00", {"reason": "completed"}, case="k3"))
    judged = []
    judge = PolicySet.judge

    def noted(self, file, **how):
        judged.append(file.case)
        return judge(self, file, **how)

    monkeypatch.setattr(PolicySet, "judge", noted)
    made = started(house.svc, kind="incremental", chunk=10, sample=0)
    report = finished(house.svc, made)
    monkeypatch.undo()
    assert {"k2", "k3"} <= set(judged)
    assert len(judged) < made.total / 2, "cases in which nothing has happened are taken as they are stored"
    full = audited(house.svc, as_of=made.as_of, known_at=made.known_at, chunk=10, sample=0)
    assert only(report) == only(full)
    assert report["results_digest"] == full["results_digest"]
    assert checked(full)["left_out"]["waiting"] > 0, "what waits to be judged cannot have been stored yet"


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_same_inputs_give_the_same_bytes_however_the_work_is_divided(home, chunk):
    first = started(home.svc, chunk=chunk)
    finished(home.svc, first)
    home.clock.advance(hours=3)
    again = started(home.svc, chunk=2, as_of=first.as_of, known_at=first.known_at)
    finished(home.svc, again)
    assert text(home.svc, first) == text(home.svc, again)


def test_another_seed_draws_other_cases_and_counts_the_same(home):
    home.take(*crowd(300, seed=5))
    home.settle()
    one, other = (audited(home.svc, seed=seed, sample=1) for seed in (1, 2))
    assert [s["case"] for s in one["results"]["sample"]] != [s["case"] for s in other["results"]["sample"]]
    assert one["tables"] == other["tables"]
    for stratum in one["results"]["strata"]:
        drawn = [s for s in one["results"]["sample"] if (s["team"], s["verdict"]) == (stratum["team"], stratum["verdict"])]
        assert len(drawn) == stratum["drawn"] == min(1, stratum["cases"])


def test_what_arrives_meanwhile_is_not_in_the_report(house):
    undisturbed = started(house.svc, chunk=1, kind="incremental")
    finished(house.svc, undisturbed)
    made = started(house.svc, chunk=1, kind="incremental")
    assert not auditwork.work(house.svc, made.id, budget=0, give_way=False)
    house.take(plan("2026-03-21T09:00", case="k5"), *three_visits("k0"), *three_visits("k9"))
    house.clock.advance(hours=1)
    house.settle()
    finished(house.svc, made)
    assert text(house.svc, made) == text(house.svc, undisturbed)


def test_an_audit_of_an_earlier_day_sees_that_day(home):
    before = audited(home.svc, as_of=dt.date(2026, 3, 22))
    assert not breached(before)
    assert checked(before)["left_out"]["judged_since"] == 7
    assert before["as_of_on"] == "2026-03-22"
    assert sum(breached(audited(home.svc)).values()) == 5


def test_what_is_stored_wrongly_is_found_and_repaired_by_judging_again_alone(house):
    with house.svc.writing() as session:
        c08 = VerdictRow.rule == "C08"
        session.execute(update(VerdictRow).where(c08, VerdictRow.case_id == "k1").values(verdict="met"))
        session.execute(delete(VerdictRow).where(c08, VerdictRow.case_id == "k2"))
        session.execute(update(BreachRow).where(BreachRow.rule == "C08", BreachRow.case_id == "k3").values(condition="withdrawn"))
    made = started(house.svc)
    report = finished(house.svc, made)
    found = {one["case"]: (one["kind"], one["stored"], one["found"]) for one in checked(report)["items"]}
    assert found["k1"] == ("different", {"verdict": "met"}, {"verdict": "breached"})
    assert found["k2"][:2] == ("missing", None)
    assert found["k3"] == ("breach", {"condition": "withdrawn"}, {"condition": "open"})
    assert (report["totals"]["differences"], checked(report)["differing"]) == (3, 3)
    assert sum(breached(report).values()) == 5, "the counts are those of judging anew"
    assert house.verdict("C08", "k1") == "met", "an audit repairs nothing"
    assert audits.judge_again(house.svc, system(), made.id) == 3
    house.settle()
    assert house.verdict("C08", "k1") == "breached"
    assert audited(house.svc)["totals"]["differences"] == 0


def test_what_became_of_breaches_in_the_period_is_counted(home):
    home.clock.advance(days=1)
    home.take(plan("2026-03-20T09:00", case="k1", rec="2026-04-21T10:00"), plan("2026-04-21T09:00", case="k2", rec="2026-04-21T10:00"))
    breach = home.breaches("k3")["C08"]
    waiver = review.ask_waiver(
        home.svc,
        Access("user:9", "Ann", scopes=frozenset({"breaches:review"})),
        breach.id,
        version=breach.version,
        reason_code=next(iter(review.WAIVER_REASONS)),
        ends_at=home.clock.ms + 90 * 24 * HOUR,
        comment="agreed with the family",
    )
    review.settle_waiver(home.svc, MANAGER, waiver.id, approve=True)
    home.clock.advance(minutes=5)
    home.settle()
    report = audited(home.svc, scope=AuditScope(since="2026-04-21"))
    (moved,) = [row for row in report["results"]["movements"] if row["rule"] == "C08" and row["team"] == "north"]
    assert [moved[name] for name in ("opened", "reopened", "remedied", "withdrawn", "excused", "waived")] == [0, 0, 1, 1, 1, 1]
    ever = audited(home.svc)
    assert sum(row["opened"] for row in ever["results"]["movements"] if row["rule"] == "C08") == 5
    again = audited(home.svc, kind="incremental")
    assert only(ever) == only(again), "waivers count alike"


def test_an_audit_covers_what_its_maker_may_see_and_readers_get_what_they_may_see(house):
    mine = audits.start(house.svc, NORTH, chunk=3)
    assert mine.scope.teams == ("north",)
    finished(house.svc, mine)
    report = audits.report(house.svc, NORTH, mine.id)
    assert {row["team"] for row in report["results"]["rows"]} == {"north"}
    assert {one["team"] for one in report["results"]["sample"]} == {"north"}
    assert digest_of(audits.report_text(house.svc, NORTH, mine.id)) == audits.get(house.svc, NORTH, mine.id).report_digest
    with pytest.raises(NotFound):
        audits.get(house.svc, SOUTH, mine.id)
    assert audits.listing(house.svc, SOUTH) == []
    everything = started(house.svc)
    whole = finished(house.svc, everything)
    part = audits.report(house.svc, SOUTH, everything.id)
    assert part["limited"]
    assert breached(part) == {"south": breached(whole)["south"]}
    assert part["totals"]["cases"] == sum(one["cases"] for one in whole["results"]["places"] if one["team"] == "south")
    shown = audits.get(house.svc, SOUTH, everything.id)
    assert (shown.total, shown.done, shown.in_percent) == (100, 100, True), "how many cases there are in all is not for everybody"
    with pytest.raises(Forbidden):
        audits.start(house.svc, Access("user:4", "Vi", scopes=frozenset({"breaches:read"})))


def test_a_cut_that_cuts_nothing_says_the_same(home):
    whole = audited(home.svc)
    same = cut(whole, lambda _team, _office: True)
    assert same["totals"] == whole["totals"]
    assert summed(whole, whole["results"], whole["verification"]) == whole
    assert json.loads(json.dumps(whole)) == whole


def test_only_what_is_asked_for_is_looked_at(home):
    some = audited(home.svc, scope=AuditScope(policies=("cfss",), teams=("south",), since="2026-03-20"))
    rows = some["results"]["rows"]
    assert {row["policy"] for row in rows} == {"cfss"}
    assert {row["team"] for row in rows} == {"south"}
    assert min(row["month"] or "" for row in rows) >= "2026-03"
    none = audited(home.svc, scope=AuditScope(program="strengthening_families"))
    assert (none["totals"]["cases"], none["results"]["rows"]) == (0, [])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "partial"}, "kind"),
        ({"sample": 51}, "sample"),
        ({"scope": AuditScope(policies=("nothing",))}, "policies"),
        ({"scope": AuditScope(since="2026-02-02", until="2026-02-01")}, "until"),
    ],
)
def test_what_cannot_be_audited_is_refused(home, wrong, field):
    with pytest.raises(Invalid) as refused:
        started(home.svc, **wrong)
    assert [flaw.field for flaw in refused.value.flaws] == [field]


def test_a_person_signs_a_report_off_once_and_by_its_digest(home):
    made = started(home.svc)
    with pytest.raises(NotPossible, match="no report"):
        signoffs.sign(home.svc, MANAGER, made.id, digest="0", comment="read")
    finished(home.svc, made)
    before = text(home.svc, made)
    digest = digest_of(before)
    with pytest.raises(Invalid):
        signoffs.sign(home.svc, MANAGER, made.id, digest="0" * 64, comment="read")
    with pytest.raises(Forbidden, match="person"):
        signoffs.sign(home.svc, system(), made.id, digest=digest, comment="read")
    with pytest.raises(Forbidden, match="more than you may see"):
        signoffs.sign(home.svc, NORTH, made.id, digest=digest, comment="read")
    signoffs.sign(home.svc, MANAGER, made.id, digest=digest, comment=" The sample was read. ")
    with pytest.raises(NotPossible, match="already"):
        signoffs.sign(home.svc, MANAGER, made.id, digest=digest, comment="again")
    (signed,) = signoffs.signatures(home.svc, system(), made.id)
    assert (signed.name, signed.comment, signed.digest) == ("Mara", "The sample was read.", digest)
    assert text(home.svc, made) == before, "a signature stands beside the report"


def test_a_cancelled_audit_leaves_nothing_and_news_are_owed_once(house):
    made = started(house.svc, chunk=2)
    assert not auditwork.work(house.svc, made.id, budget=0, give_way=False)
    assert audits.cancel(house.svc, system(), made.id).state == "cancelled"
    assert auditwork.work(house.svc, made.id, budget=600)
    with pytest.raises(NotPossible, match="cancelled"):
        audits.cancel(house.svc, system(), made.id)
    with pytest.raises(NotPossible, match="cancelled"):
        audits.report(house.svc, system(), made.id)
    done = started(house.svc)
    finished(house.svc, done)
    with house.svc.reading() as session:
        kept = {row.audit for row in session.scalars(select(AuditPrintsRow))}
        told = list(session.scalars(select(OutboxRow).where(OutboxRow.topic == "audit.finished").order_by(OutboxRow.id)))
    assert kept == {done.id}
    assert [(one.key, one.payload["audit"]["state"]) for one in told] == [(made.id, "cancelled"), (done.id, "done")]
    assert told[1].payload["audit"]["report_digest"] == audits.get(house.svc, system(), done.id).report_digest


def test_a_case_that_cannot_be_judged_is_named_and_the_others_are_counted(home, monkeypatch):
    judge = PolicySet.judge

    def fail_on_k3(self, file, **how):
        if file.case == "k3":
            raise RuntimeError("secret narrative")
        return judge(self, file, **how)

    monkeypatch.setattr(PolicySet, "judge", fail_on_k3)
    report = audited(home.svc, chunk=3)
    assert report["totals"]["failed"] == 1
    assert [one["case"] for one in report["results"]["failures"]] == ["k3"]
    assert "secret" not in json.dumps(report)
    assert report["totals"]["cases"] == 6
    scoped = audited(home.svc, scope=AuditScope(teams=("south",)))
    assert scoped["results"]["failures"] == [], "k3 is another team's"


def test_progress_says_how_fast_it_goes_and_when_it_will_be_over(home):
    made = started(home.svc, chunk=1)
    assert audits.progress(home.svc, made) == audits.Progress(0, 7, None, None)
    auditwork.work(home.svc, made.id, budget=0, give_way=False)
    home.clock.advance(seconds=2)
    under_way = audits.get(home.svc, system(), made.id)
    assert audits.progress(home.svc, under_way) == audits.Progress(1, 6, 0.5, home.clock.ms + 12_000)
    finished(home.svc, made)
    over = audits.get(home.svc, system(), made.id)
    assert audits.progress(home.svc, over) == audits.Progress(7, 0, None, None)


def test_a_break_in_which_nobody_worked_on_it_does_not_count_against_its_pace(home):
    made = started(home.svc, chunk=1)

    def a_case():
        auditwork.work(home.svc, made.id, budget=0, give_way=False)
        home.clock.advance(seconds=2)
        return audits.progress(home.svc, audits.get(home.svc, system(), made.id))

    a_case()
    assert a_case().rate == 0.5
    home.clock.advance(hours=8)
    assert a_case() == audits.Progress(3, 4, None, None), "one case says nothing yet"
    assert a_case() == audits.Progress(4, 3, 0.5, home.clock.ms + 6_000)


def test_a_new_event_is_judged_before_the_audit_goes_on(home):
    made = started(home.svc, chunk=3)
    home.take(*three_visits("new"))
    while not auditwork.work(home.svc, made.id, budget=0):
        with home.svc.reading() as session:
            assert session.scalar(select(func.count()).select_from(DirtyRow)) == 0
    assert home.verdict("C08", "new") == "breached"
