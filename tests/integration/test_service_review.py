"""What reviewers do: steps with an optimistic version, and waivers that take two persons and end."""

from __future__ import annotations

import pytest

from service.access import Access
from service.errors import Forbidden, Invalid, NotFound, NotPossible, StaleVersion
from service.judge import stored
from service.review import actions, ask_waiver, review, settle_waiver
from store.queries import waivers_of_case
from tests.support.service_kit import event, instant, kit, plan, three_visits, visit

SCOPES = frozenset({"breaches:review", "breaches:read"})
ANN = Access("user:ann", "ann", SCOPES, frozenset({"reviewer"}))
TEAM_LEADER = Access("user:tom", "tom", SCOPES, frozenset({"team_leader"}))
MANAGER = Access("user:mia", "mia", SCOPES, frozenset({"manager"}))
SOUTH = Access("user:sue", "sue", SCOPES, frozenset({"manager"}), teams=frozenset({"south"}))


@pytest.fixture
def desk(store_url, tmp_path):
    with kit(store_url, tmp_path) as made:
        made.take(*three_visits())
        made.settle()
        yield made


def c08(desk):
    return desk.breaches()["C08"]


def state_of(desk, waiver):
    with desk.svc.reading() as session:
        return next(one.state for one in waivers_of_case(session, "k1") if one.id == waiver)


def test_a_step_is_a_line_of_history_with_who_and_why(desk):
    breach = c08(desk)
    after = review(desk.svc, ANN, breach.id, action="acknowledge", version=breach.version, comment="looking into it")
    assert (after.review, after.version) == ("acknowledged", breach.version + 1)
    line = desk.history("C08")[-1].line
    assert (line.kind, line.actor, line.before, line.after, line.comment) == (
        "acknowledged",
        "user:ann",
        "new",
        "acknowledged",
        "looking into it",
    )
    dismissed = review(desk.svc, ANN, breach.id, action="dismiss", version=after.version, reason_code="record_error")
    assert dismissed.review == "dismissed"
    assert c08(desk).condition == "open", "people do not touch the condition"


def test_a_stale_version_writes_nothing(desk):
    breach = c08(desk)
    review(desk.svc, ANN, breach.id, action="acknowledge", version=breach.version)
    with pytest.raises(StaleVersion) as caught:
        review(desk.svc, MANAGER, breach.id, action="dismiss", version=breach.version, reason_code="record_error")
    assert caught.value.current == breach.version + 1
    assert c08(desk).review == "acknowledged"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"action": "dismiss"}, "reason_code"),
        ({"action": "dismiss", "reason_code": "mood"}, "reason_code"),
        ({"action": "dismiss", "reason_code": "other"}, "comment"),
        ({"action": "comment", "comment": "  "}, "comment"),
        ({"action": "acknowledge", "comment": "a\x00b"}, "comment"),
        ({"action": "acknowledge", "comment": "\ud800"}, "comment"),
        ({"action": "delete"}, "action"),
    ],
)
def test_a_step_that_lacks_something_says_what(desk, given, field):
    with pytest.raises(Invalid) as caught:
        review(desk.svc, ANN, c08(desk).id, version=c08(desk).version, **given)
    assert field in {flaw.field for flaw in caught.value.flaws}


def test_what_lies_outside_a_persons_teams_does_not_exist_for_them(desk):
    breach = c08(desk)
    with pytest.raises(NotFound):
        review(desk.svc, SOUTH, breach.id, action="acknowledge", version=breach.version)
    assert actions(SOUTH, breach) == ()
    with pytest.raises(Forbidden):
        review(desk.svc, Access("key:x", "x", frozenset({"breaches:read"})), breach.id, action="acknowledge", version=breach.version)


def test_an_acknowledgement_falls_back_when_the_plan_arrives_late(desk):
    breach = c08(desk)
    review(desk.svc, ANN, breach.id, action="acknowledge", version=breach.version)
    desk.take(plan("2026-04-02T10:00"))
    desk.settle()
    assert (c08(desk).condition, c08(desk).review) == ("remedied", "new")
    assert desk.kinds("C08")[-2:] == ["remedied", "review_reset"]


def test_a_waiver_takes_two_persons_and_ends(desk):
    breach = c08(desk)
    end = instant("2026-06-10T00:00")
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=end)
    with pytest.raises(NotPossible):
        ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=end)
    with pytest.raises(Forbidden):
        settle_waiver(desk.svc, ANN, waiver.id, approve=True)
    with pytest.raises(Forbidden):
        settle_waiver(desk.svc, TEAM_LEADER, waiver.id, approve=True)
    with pytest.raises(NotFound):
        settle_waiver(desk.svc, SOUTH, waiver.id, approve=True)
    assert settle_waiver(desk.svc, MANAGER, waiver.id, approve=True).state == "approved"
    with pytest.raises(NotPossible):
        settle_waiver(desk.svc, MANAGER, waiver.id, approve=False)
    desk.settle()
    assert desk.verdict("C08") == "excused"
    assert c08(desk).condition == "excused"
    desk.clock.ms = end
    desk.settle()
    assert c08(desk).condition == "open"
    assert [kind for kind in desk.kinds("C08") if kind.startswith("waiver")] == ["waiver_proposed", "waiver_approved", "waiver_ended"]


def test_a_waiver_is_void_when_the_evidence_changes(desk):
    breach = c08(desk)
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=instant("2026-09-01T00:00"))
    settle_waiver(desk.svc, MANAGER, waiver.id, approve=True)
    desk.settle()
    assert c08(desk).condition == "excused"
    desk.take(visit("2026-03-20T10:00"))
    desk.settle()
    assert c08(desk).due_on == "2026-03-20"
    assert c08(desk).condition == "open"
    assert desk.kinds("C08")[-3:] == ["waiver_void", "reopened", "announced"], "why comes before what follows from it"
    line = next(stored.line for stored in desk.history("C08") if stored.line.kind == "waiver_void")
    assert (line.before, line.after, line.actor, line.known_at) == ("approved", "void", "system", desk.clock.ms)
    assert line.events == ("k1-visit.held-2026-03-20T10:00",)
    assert line.policy_digest == breach.policy_digest


def test_a_waiver_is_void_when_what_it_excused_is_done_late(desk):
    breach = c08(desk)
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=instant("2026-09-01T00:00"))
    settle_waiver(desk.svc, MANAGER, waiver.id, approve=True)
    desk.settle()
    desk.take(plan("2026-04-02T10:00", event_id="late-plan"))
    desk.settle()
    assert (c08(desk).condition, state_of(desk, waiver.id)) == ("remedied", "void")
    desk.take(event("event.voided", "2026-05-02T09:00", {"target": "late-plan"}))
    desk.settle()
    assert c08(desk).condition == "open", "what was void stays so, though the old grounds are back"


def test_a_request_is_void_when_its_grounds_change_and_another_may_be_made(desk):
    breach = c08(desk)
    end = instant("2026-09-01T00:00")
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=end)
    desk.take(visit("2026-03-20T10:00"))
    desk.settle()
    with pytest.raises(NotPossible):
        settle_waiver(desk.svc, MANAGER, waiver.id, approve=True)
    assert state_of(desk, waiver.id) == "void"
    assert [(one.line.kind, one.line.before) for one in desk.history("C08")[-2:]] == [("waiver_void", "proposed"), ("changed", "open")]
    assert ask_waiver(desk.svc, ANN, breach.id, version=c08(desk).version, reason_code="unsafe", ends_at=end).state == "proposed"


def test_grounds_that_have_changed_unseen_by_evaluation_end_the_waiver_at_once(desk):
    breach = c08(desk)
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=instant("2026-09-01T00:00"))
    desk.take(visit("2026-03-20T10:00"))
    settle_waiver(desk.svc, MANAGER, waiver.id, approve=True)
    desk.settle()
    assert (c08(desk).condition, state_of(desk, waiver.id)) == ("open", "void")


def test_a_request_that_nobody_answers_runs_out(desk):
    breach = c08(desk)
    end = instant("2026-06-10T00:00")
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=end)
    desk.settle()
    desk.clock.ms = end
    desk.settle()
    assert state_of(desk, waiver.id) == "ended"
    assert desk.kinds("C08")[-1] == "waiver_ended"
    assert c08(desk).condition == "open"


def test_a_source_that_goes_quiet_leaves_a_waiver_alone(desk):
    breach = c08(desk)
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=instant("2026-09-01T00:00"))
    settle_waiver(desk.svc, MANAGER, waiver.id, approve=True)
    desk.take(event("source.heartbeat", "2026-03-20T10:00", {"complete_until": "2026-03-20T00:00:00Z"}, case="-"))
    desk.settle()
    assert (desk.verdict("C08"), state_of(desk, waiver.id)) == ("unknown: source_stale", "approved")


def test_an_answer_that_comes_while_the_case_is_judged_is_kept(desk):
    """Somebody takes the request back between reading and writing of an evaluation that finds it void."""
    from service import evaluate, findings

    breach = c08(desk)
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=instant("2026-09-01T00:00"))
    original = findings.read

    def read_then_somebody_answers(session, cases):
        known = original(session, cases)
        if state_of(desk, waiver.id) == "proposed":
            settle_waiver(desk.svc, ANN, waiver.id, approve=False)
        return known

    desk.take(visit("2026-03-20T10:00"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "read", read_then_somebody_answers)
        desk.settle()
    assert state_of(desk, waiver.id) == "refused"
    assert "waiver_void" not in desk.kinds("C08")


def test_a_look_back_knows_a_waiver_only_while_it_stood(desk):
    def at(as_of, known_at):
        with desk.svc.reading() as session:
            judged = stored(desk.svc, session, "k1", as_of=instant(as_of), known_at=instant(known_at)).judge()
        return next(one.verdict.value for one in judged.verdicts if one.rule == "C08")

    breach = c08(desk)
    waiver = ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=instant("2026-09-01T00:00"))
    desk.clock.set("2026-06-02T12:00")
    settle_waiver(desk.svc, MANAGER, waiver.id, approve=True)
    desk.clock.set("2026-06-10T12:00")
    desk.take(visit("2026-03-20T10:00", rec="2026-06-10T11:00"))
    desk.settle()
    assert state_of(desk, waiver.id) == "void"
    assert at("2026-06-01T13:00", "2026-06-09T12:00") == "breached", "it was not given yet"
    assert at("2026-06-05T12:00", "2026-06-05T12:00") == "excused"
    assert at("2026-06-05T12:00", "2026-06-11T12:00") == "breached", "by now it is known to be void"


def test_a_waiver_needs_an_end_that_comes(desk):
    breach = c08(desk)
    for end in (desk.clock.ms, instant("2028-06-01T00:00")):
        with pytest.raises(Invalid):
            ask_waiver(desk.svc, ANN, breach.id, version=breach.version, reason_code="unsafe", ends_at=end)


def test_reviewer_and_evaluation_at_once_lose_nothing(desk):
    """A reviewer decides between reading and writing of an evaluation: the evaluation begins again, the decision stays."""
    from service import evaluate, findings

    breach = c08(desk)
    original = findings.read
    decided = []

    def read_then_somebody_decides(session, cases):
        known = original(session, cases)
        if not decided:
            decided.append(review(desk.svc, ANN, breach.id, action="uphold", version=breach.version))
        return known

    desk.take(plan("2026-04-02T10:00"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "read", read_then_somebody_decides)
        desk.settle()
    assert decided
    assert (c08(desk).condition, c08(desk).review) == ("remedied", "upheld")
