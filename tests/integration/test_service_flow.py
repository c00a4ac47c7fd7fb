"""The way of an event, on both databases: taken in, judged, kept as a breach, remedied, withdrawn, announced."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from service import evaluate, findings
from service.errors import NotFound
from service.ingest import Status
from service.policies import changes as policychanges
from service.policies.policyset import of_policies
from store.models import CaseStateRow, DirtyRow, OutboxRow
from tests.support.service_kit import connected, event, instant, kit, plan, shipped, three_visits, visit


@pytest.fixture
def flow(store_url, tmp_path):
    with kit(store_url, tmp_path) as made:
        yield made


def outbox(flow) -> list[tuple[str, str]]:
    with flow.svc.reading() as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.topic != "breach.due_soon").order_by(OutboxRow.id))
        return [(row.topic, row.payload["breach"]["rule"]) for row in rows]


def waiting(flow) -> set[str]:
    with flow.svc.reading() as session:
        return set(session.scalars(select(DirtyRow.case_id)))


def test_an_event_becomes_a_breach_with_its_history(flow):
    report = flow.take(*three_visits())
    assert [result.status for result in report.results] == [Status.ACCEPTED] * 4
    assert report.cases == 1
    assert waiting(flow) == {"k1"}
    assert flow.settle() == 1
    assert waiting(flow) == set()
    assert flow.verdict("C08") == "breached"
    breach = flow.breaches()["C08"]
    assert (breach.condition, breach.review, breach.severity, breach.team, breach.due_on) == (
        "open",
        "new",
        "critical",
        "north",
        "2026-03-23",
    )
    opened, announced = flow.history("C08")
    assert (opened.line.kind, announced.line.kind) == ("opened", "announced")
    assert opened.line.known_at == flow.clock.ms
    assert opened.line.event_position == 4
    assert set(opened.line.events) == {result.id for result in report.results}
    assert opened.line.policy_digest == flow.svc.policies.get("cfss").digest
    assert ("breach.opened", "C08") in outbox(flow)


def test_what_is_sent_again_changes_nothing_and_other_content_is_refused(flow):
    flow.take(*three_visits())
    flow.settle()
    again = flow.take(*three_visits())
    assert {result.status for result in again.results} == {Status.DUPLICATE}
    assert waiting(flow) == set()
    changed = dict(three_visits()[0], data={"program": "other"})
    assert flow.take(changed).results[0].status is Status.CONFLICT
    assert waiting(flow) == set()


def test_a_refused_event_says_where_and_never_takes_its_batch_with_it(flow):
    broken = dict(visit("2026-03-09T10:00"), time="yesterday")
    report = flow.take(connected(), broken, visit("2026-03-16T10:00", status="held", colour="red"))
    first, second, third = report.results
    assert (first.status, third.status) == (Status.ACCEPTED, Status.ACCEPTED)
    assert second.status is Status.REJECTED
    assert [problem.pointer for problem in second.problems] == ["/1/time"]
    assert third.dropped == ("colour",)


def test_a_plan_that_comes_late_remedies_and_one_recorded_late_withdraws(flow):
    flow.take(*three_visits("k1"), *three_visits("k2"))
    flow.settle()
    flow.take(plan("2026-04-02T10:00", case="k1"), plan("2026-03-20T10:00", case="k2", rec="2026-05-30T10:00"))
    flow.settle()
    assert flow.verdict("C08", "k1") == "late"
    assert flow.breaches("k1")["C08"].condition == "remedied"
    assert flow.breaches("k1")["C08"].days_late == 10
    assert flow.verdict("C08", "k2") == "met"
    assert flow.breaches("k2")["C08"].condition == "withdrawn"
    assert flow.kinds("C08", "k2") == ["opened", "announced", "withdrawn"]
    assert outbox(flow).count(("breach.withdrawn", "C08")) == 1


def test_time_alone_makes_the_breach(flow):
    flow.clock.set("2026-03-23T15:00")
    flow.take(*three_visits())
    flow.settle()
    assert flow.verdict("C08") == "due_soon"
    assert flow.settle() == 0, "an evening in which nothing moved costs nothing"
    flow.clock.set("2026-03-24T00:00")
    assert flow.settle() == 1
    assert flow.verdict("C08") == "breached"


def test_a_void_makes_its_targets_case_dirty_and_the_breach_goes(flow):
    flow.take(*three_visits())
    flow.settle()
    flow.take(event("event.voided", "2026-05-02T10:00", {"target": three_visits()[3]["id"]}, case="elsewhere"))
    flow.settle()
    assert flow.breaches()["C08"].condition == "withdrawn"
    assert flow.verdict("C08") != "breached"


def test_a_merged_case_hands_its_breaches_over_and_gets_them_back(flow):
    flow.take(*three_visits("k1"), connected("2026-03-01T09:00", case="k0"))
    flow.settle()
    merge = event("case.merged", "2026-05-02T10:00", {"into": "k0"}, case="k1")
    flow.take(merge)
    flow.settle()
    assert flow.breaches("k1")["C08"].condition == "withdrawn"
    assert flow.history("C08", "k1")[-1].line.reason_code == "merged"
    assert flow.breaches("k0")["C08"].condition == "open"
    flow.take(event("event.voided", "2026-05-03T10:00", {"target": merge["id"]}, case="k1"))
    flow.settle()
    assert flow.breaches("k1")["C08"].condition == "open"
    assert flow.breaches("k0")["C08"].condition == "withdrawn"


def test_a_quiet_source_puts_in_doubt_until_it_has_caught_up(flow):
    flow.take(*three_visits())
    flow.settle()
    assert flow.verdict("C08") == "breached"
    quiet = event("source.heartbeat", "2026-05-20T10:00", {"complete_until": "2026-03-20T00:00:00Z"}, case="-")
    assert flow.take(quiet).results[0].status is Status.ACCEPTED
    assert waiting(flow) == {"k1"}, "the first heartbeat of a source puts its cases in doubt"
    flow.settle()
    assert flow.verdict("C08") == "unknown: source_stale"
    assert flow.breaches()["C08"].condition == "withdrawn"
    flow.take(event("source.heartbeat", "2026-05-21T10:00", {"complete_until": "2026-03-20T01:00:00Z"}, case="-"))
    assert waiting(flow) == set()
    flow.take(event("source.heartbeat", "2026-05-22T10:00", {"complete_until": "2026-05-22T00:00:00Z"}, case="-"))
    flow.settle()
    assert flow.verdict("C08") == "breached"
    assert flow.kinds("C08") == ["opened", "announced", "withdrawn", "reopened", "announced"]


def test_an_order_rule_is_announced_after_it_has_settled(flow):
    flow.take(connected("2026-05-31T09:00"))
    flow.settle()
    gates = {rule for rule, breach in flow.breaches().items() if breach.condition == "open"}
    assert gates, "a service without a referral breaks an order rule at once"
    assert outbox(flow) == []
    flow.clock.advance(hours=23)
    flow.settle()
    assert outbox(flow) == []
    flow.clock.advance(hours=2)
    flow.settle()
    assert {rule for topic, rule in outbox(flow) if topic == "breach.opened"} >= gates


def test_the_state_of_a_case_tells_where_it_belongs_and_when_to_look_again(flow):
    flow.take(*three_visits())
    flow.settle()
    with flow.svc.reading() as session:
        state = session.get(CaseStateRow, "k1")
        assert state is not None
        assert (state.program, state.team, state.office) == ("cfss", "north", "adelaide")
        assert state.position == 4
        assert state.open_breaches == sum(1 for breach in flow.breaches().values() if breach.condition == "open")
        assert state.next_check_at is None or state.next_check_at > instant("2026-06-01T12:00")


def test_a_poisoned_case_is_set_aside_and_blocks_nobody(flow, monkeypatch):
    original = findings.judge

    def judge(policies, known, **more):
        if known.file.case == "poison":
            raise RuntimeError("text that may name somebody")
        return original(policies, known, **more)

    monkeypatch.setattr(evaluate, "judge", judge)
    flow.take(*three_visits("poison"), *three_visits("k1"))
    for _ in range(4):
        flow.settle()
        flow.clock.advance(minutes=5)
    assert flow.verdict("C08", "k1") == "breached"
    with flow.svc.reading() as session:
        row = session.get(DirtyRow, "poison")
        assert row is not None
        assert row.quarantined
        assert row.last_error is not None
        assert "RuntimeError" in row.last_error
        assert "somebody" not in row.last_error
    assert "duecare_quarantined_cases 1.0" in flow.svc.metrics.text().decode()
    monkeypatch.undo()
    evaluate.requeue(flow.svc, "poison")
    flow.settle()
    assert flow.verdict("C08", "poison") == "breached"
    with pytest.raises(NotFound):
        evaluate.requeue(flow.svc, "poison")


def test_a_file_that_changes_is_a_proposal_and_judges_nothing(flow):
    flow.take(*three_visits())
    flow.settle()
    before = flow.svc.policies.digest
    cfss = flow.svc.policies.get("cfss").with_parameters({"household_days": 10})
    flow.restart(of_policies([cfss if policy.id == "cfss" else policy for policy in flow.svc.policies.policies]))
    assert flow.settle() == 0
    assert flow.svc.policies.digest == before
    assert flow.verdict("C04") == "not_applicable: parameter_unset"
    (proposed,) = policychanges.changes(flow.svc, state="proposed")
    assert (proposed.policy, proposed.kind, proposed.proposed_by) == ("cfss", "installed", "installation")
    flow.restart()
    assert flow.settle() == 0
    assert len(policychanges.changes(flow.svc)) == 4


def test_a_policy_that_the_store_has_not_seen_is_in_force_at_once_and_has_every_case_judged(flow):
    flow.restart(flow.svc.installed.only(["cfss"]))
    flow.take(*three_visits())
    flow.settle()
    assert flow.settle() == 0
    flow.restart(shipped())
    assert flow.settle() == 1
    assert {policy.id for policy in flow.svc.policies.policies} == {"cfss", "strengthening_families", "record_quality"}
    flow.restart(flow.svc.installed.only(["cfss"]))
    assert flow.settle() == 0
    assert len(flow.svc.policies.policies) == 3, "a file that disappears changes nothing"
