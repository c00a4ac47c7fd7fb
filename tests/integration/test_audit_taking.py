"""What an audit takes without judging: stored findings counted by the database as one by one, and cases of other teams left out surely."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from service import review
from service.access import Access
from service.audits import work as auditwork
from service.policies.policyset import PolicySet
from store import auditcount, auditlimits
from store.audits import AuditScope
from store.models import CaseStateRow
from tests.support.audits import audited, finished, started
from tests.support.backtests import families
from tests.support.chaos import crowd
from tests.support.servers import fresh_database
from tests.support.service_kit import connected, event, kit, three_visits

MANAGER = Access("user:1", "Mara", scopes=frozenset({"audits:run", "breaches:review"}), roles=frozenset({"manager"}))
DAY = 86_400_000
SCOPES = {
    "everything": AuditScope(),
    "a team": AuditScope(teams=("south",)),
    "an office": AuditScope(offices=("adelaide",)),
    "a policy and a period": AuditScope(policies=("cfss",), since="2026-02-20", until="2026-05-01"),
    "until a day": AuditScope(until="2026-04-01"),
    "a program": AuditScope(program="cfss"),
    "another program": AuditScope(program="strengthening_families"),
}


@pytest.fixture(scope="module")
def house(pg_url, tmp_path_factory):
    """On PostgreSQL, with every kind of finding and breaches that were opened, remedied, withdrawn and waived."""
    with fresh_database(pg_url) as url, kit(url, tmp_path_factory.mktemp("house"), now="2026-04-20T12:00") as made:
        made.take(*families(), *crowd(260, seed=11))
        made.settle()
        one = made.breaches("k3")["C08"]
        asked = {"reason_code": next(iter(review.WAIVER_REASONS)), "ends_at": made.clock.ms + 300 * DAY, "comment": "agreed"}
        author = Access("user:9", "Ann", scopes=frozenset({"breaches:review"}))
        waiver = review.ask_waiver(made.svc, author, one.id, version=one.version, **asked)
        review.settle_waiver(made.svc, MANAGER, waiver.id, approve=True)
        made.take(event("case.closed", "2026-04-19T13:00", {"closure_reason": "moved"}, case="k2"))
        made.settle()
        made.clock.set("2026-07-01T12:00")
        made.settle()
        yield made


def every_case(session):
    return list(session.scalars(select(CaseStateRow.case_id).order_by(CaseStateRow.case_id)))


def taken(house, scope, *, forget_prints, one_by_one, monkeypatch, sample=2):
    """What is counted of all cases, in the shape in which a chunk's result is kept, and the digests."""
    with monkeypatch.context() as patched:
        if one_by_one:
            patched.setattr(auditcount, "count", lambda *_: None)
        if forget_prints:
            patched.setattr(auditcount, "AuditScope", lambda: None)
        task = auditwork.ready(house.svc, started(house.svc, kind="incremental", scope=scope, seed=7, sample=sample).id)
        tally = task.tally()
        with house.svc.reading() as session:
            cases = every_case(session)
            assert task.take(session, tally, cases[:9]) == []
            assert task.take(session, tally, cases[9:]) == []
    return tally.as_dict(), tally.prints


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
@pytest.mark.parametrize("forget_prints", [False, True], ids=["digests kept with the case", "digests made"])
def test_what_the_database_counts_is_what_is_counted_one_by_one(house, scope, forget_prints, monkeypatch):
    counted = taken(house, scope, forget_prints=forget_prints, one_by_one=False, monkeypatch=monkeypatch)
    plain = taken(house, scope, forget_prints=forget_prints, one_by_one=True, monkeypatch=monkeypatch)
    assert counted == plain
    found = counted[0]
    if scope == AuditScope():
        assert all(found[part] for part in ("rows", "reasons", "timeliness", "movements", "strata", "drawn", "places", "queries", "ended"))


def test_a_sample_of_none_draws_nothing_either_way(house, monkeypatch):
    how = {"forget_prints": False, "monkeypatch": monkeypatch, "sample": 0}
    counted, plain = (taken(house, AuditScope(), one_by_one=one_by_one, **how) for one_by_one in (False, True))
    assert counted == plain
    assert counted[0]["drawn"] == []


def test_a_case_that_waits_or_was_judged_later_is_not_counted_as_it_is_stored(house):
    made = started(house.svc, kind="incremental", as_of=house.clock.ms - 90 * DAY, known_at=house.clock.ms - 90 * DAY)
    task = auditwork.ready(house.svc, made.id)
    with house.svc.reading() as session:
        cases = every_case(session)
        assert task.take(session, task.tally(), cases) == cases


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_an_audit_of_a_team_judges_only_cases_that_may_hold_something_of_it(sqlite_url, tmp_path, monkeypatch, kind):
    with kit(sqlite_url, tmp_path, now="2026-04-20T12:00") as home:
        moved_and_back = event("case.transferred", "2026-03-03T09:00", {"to_team": 'so"uth'}, case="k9", event_id="gone")
        home.take(
            *families(),
            *three_visits("k8"),
            *three_visits("k9"),
            moved_and_back,
            event("event.voided", "2026-04-10T09:00", {"target": "gone"}, case="k9"),
            connected(case="m1", team='so"uth'),
            *three_visits("m2"),
            event("case.merged", "2026-04-01T09:00", {"into": "m2"}, case="m1"),
        )
        home.settle()
        earlier = {"as_of": home.clock.ms - 14 * DAY, "known_at": home.clock.ms - 14 * DAY}
        scope = AuditScope(teams=("south", 'so"uth'))
        judged = []
        judge = PolicySet.judge

        def noted(self, file, **how):
            judged.append(file.case)
            return judge(self, file, **how)

        monkeypatch.setattr(PolicySet, "judge", noted)
        report = finished(home.svc, started(home.svc, kind=kind, scope=scope, sample=0, **earlier))
        assert set(judged) == {"k4", "k5", "k9", "m1", "m2"}, "k9 was of the team as it was known then"
        monkeypatch.setattr(auditlimits, "concerned", lambda _session, cases, _scope, **_: set(cases))
        assert audited(home.svc, kind=kind, scope=scope, sample=0, **earlier) == report
        assert {row["team"] for row in report["results"]["rows"]} == set(scope.teams or ())
