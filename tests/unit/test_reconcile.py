"""What becomes of breaches when their case is judged again: every transition, with its history and its messages."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from rules.model import Outcome, Verdict
from service.reconcile import Changes, Condition, Context, Review, grounds, plan, snapshot
from store.breaches import Breach
from store.ids import Key, finding_id

HOUR = 3_600_000
NOW = 1_800_000_000_000


def verdict(outcome: Outcome = Outcome.BREACHED, **fields) -> Verdict:
    base = Verdict(
        case="k1", episode="1", rule="C08", policy="cfss", policy_digest="d1", obligation="case", verdict=outcome, reason=None,
        activated_on="2026-01-05", due_on="2026-03-01", due_soon_on=None, satisfied_on=None, days_late=None, curable=True,
        evidence=(), rejected=(), as_of=NOW, known_at=NOW, severity="critical", team="north",
    )  # fmt: skip
    return replace(base, **fields)


class Story:
    """A case judged again and again; keeps what the store would keep."""

    def __init__(self) -> None:
        self.before: dict[Key, Verdict] = {}
        self.breaches: dict[Key, Breach] = {}
        self.lines: list[tuple[str, str | None, str | None]] = []
        self.messages: list[str] = []
        self.ids: list[str] = []

    def judge(self, *verdicts: Verdict, at: int = NOW, **context) -> Changes:
        changes = plan(before=self.before, breaches=self.breaches, verdicts=verdicts, context=Context(now=at, **context))
        self.before = {v.key: v for v in verdicts}
        for change in changes.breaches:
            assert change.lines
            assert (change.breach.version == 0) is (change.breach.key not in self.breaches)
            self.breaches[change.breach.key] = replace(change.breach, version=change.breach.version + 1)
            self.lines += [(line.kind, line.before, line.after) for line in change.lines]
        self.messages += [message.topic for message in changes.messages]
        self.ids += [message.id for message in changes.messages]
        return changes

    @property
    def breach(self) -> Breach:
        (only,) = self.breaches.values()
        return only

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, *_ in self.lines]

    def review(self, state: Review) -> None:
        self.breaches[self.breach.key] = replace(self.breach, review=state.value)


def test_a_breach_opens_and_is_announced_at_once_where_a_deadline_passed():
    story = Story()
    changes = story.judge(verdict(), causes=("e1", "e2"))
    assert story.breach.condition == Condition.OPEN
    assert story.breach.id == finding_id(verdict().key)
    assert (story.breach.opened_at, story.breach.announced_at, story.breach.version) == (NOW, NOW, 1)
    assert story.lines == [("opened", None, "open"), ("announced", "open", "open")]
    assert story.messages == ["breach.opened"]
    assert changes.breaches[0].lines[0].events == ("e1", "e2")
    assert changes.breaches[0].lines[0].policy_digest == "d1"
    assert (changes.open_breaches, changes.next_announcement) == (1, None)


def test_an_order_rule_settles_for_a_day_before_it_is_announced():
    story = Story()
    changes = story.judge(verdict(curable=False))
    assert changes.next_announcement == NOW + 24 * HOUR
    assert story.messages == []
    story.judge(verdict(curable=False), at=NOW + 24 * HOUR - 1)
    assert story.messages == []
    story.judge(verdict(curable=False), at=NOW + 24 * HOUR)
    assert story.messages == ["breach.opened"]
    assert story.kinds == ["opened", "announced"]


def test_what_never_was_announced_is_not_taken_back_either():
    story = Story()
    story.judge(verdict(curable=False))
    story.judge(verdict(Outcome.MET, curable=False), at=NOW + HOUR)
    assert story.messages == []
    assert story.breach.condition == Condition.WITHDRAWN


def test_judging_the_same_again_changes_nothing():
    story = Story()
    story.judge(verdict())
    changes = story.judge(verdict(as_of=NOW + HOUR, known_at=NOW + HOUR), at=NOW + HOUR)
    assert changes.breaches == ()
    assert changes.messages == ()
    assert changes.open_breaches == 1


def test_late_evidence_remedies():
    story = Story()
    story.judge(verdict())
    story.judge(verdict(Outcome.LATE, satisfied_on="2026-03-05", days_late=4, evidence=("e9",)), at=NOW + HOUR)
    assert story.breach.condition == Condition.REMEDIED
    assert story.breach.days_late == 4
    assert story.kinds == ["opened", "announced", "remedied"]
    assert story.messages == ["breach.opened", "breach.remedied"]
    assert story.breach.version == 2


def test_what_is_late_when_first_seen_leaves_a_lasting_record_with_both_lines_and_tells_nobody():
    story = Story()
    story.judge(verdict(Outcome.LATE, satisfied_on="2026-03-05", days_late=4, evidence=("e9",)))
    assert story.lines == [("opened", None, "open"), ("remedied", "open", "remedied")]
    assert story.messages == []


@pytest.mark.parametrize(
    ("outcome", "reason", "code"),
    [
        (Outcome.MET, None, "met"),
        (Outcome.PENDING, None, "not_due"),
        (Outcome.DUE_SOON, None, "not_due"),
        (Outcome.NOT_APPLICABLE, "not_triggered", "not_applicable: not_triggered"),
        (Outcome.UNKNOWN, "source_stale", "unknown: source_stale"),
    ],
)
def test_a_record_that_shows_it_never_was_withdraws(outcome, reason, code):
    story = Story()
    story.judge(verdict())
    changes = story.judge(verdict(outcome, reason=reason), at=NOW + HOUR)
    assert story.breach.condition == Condition.WITHDRAWN
    assert story.lines[-1] == ("withdrawn", "open", "withdrawn")
    assert changes.breaches[0].lines[-1].reason_code == code
    assert "breach.withdrawn" in story.messages
    assert story.breach.snapshot["verdict"] == "breached", "the record keeps what the breach was"


def test_a_rule_that_is_only_watched_opens_nothing_and_closes_what_was_open():
    story = Story()
    story.judge(verdict(status="shadow"))
    assert story.breaches == {}
    story.judge(verdict())
    story.judge(verdict(status="shadow"))
    assert story.breach.condition == Condition.WITHDRAWN


def test_an_obligation_that_vanished_is_withdrawn_once_with_why():
    story = Story()
    story.judge(verdict())
    changes = story.judge(gone="merged")
    assert story.breach.condition == Condition.WITHDRAWN
    assert changes.breaches[0].lines[0].reason_code == "merged"
    assert story.judge(gone="merged").breaches == ()
    assert story.messages == ["breach.opened", "breach.withdrawn"]


def test_an_excuse_and_its_end():
    story = Story()
    story.judge(verdict())
    story.judge(verdict(Outcome.EXCUSED, reason="waiver"))
    assert story.breach.condition == Condition.EXCUSED
    story.judge(verdict(), at=NOW + HOUR)
    assert story.breach.condition == Condition.OPEN
    assert story.kinds == ["opened", "announced", "excused", "reopened", "announced"]
    assert story.messages == ["breach.opened", "breach.withdrawn", "breach.opened"]


def test_what_was_taken_back_is_not_taken_back_twice():
    story = Story()
    for outcome in (Outcome.BREACHED, Outcome.EXCUSED, Outcome.MET, Outcome.EXCUSED):
        story.judge(verdict(outcome))
    story.judge(gone="merged")
    assert story.messages == ["breach.opened", "breach.withdrawn"]


def test_what_is_excused_when_first_seen_is_no_breach():
    story = Story()
    story.judge(verdict(Outcome.EXCUSED, reason="pause"))
    assert story.breaches == {}


def test_a_withdrawn_breach_reopens_and_may_be_remedied_at_once():
    story = Story()
    story.judge(verdict())
    story.judge(verdict(Outcome.MET))
    story.judge(verdict(Outcome.LATE, satisfied_on="2026-03-02", evidence=("e3",)))
    assert story.lines[-2:] == [("reopened", "withdrawn", "open"), ("remedied", "open", "remedied")]
    assert story.breach.condition == Condition.REMEDIED


def test_messages_have_ids_of_their_own_that_a_repetition_gives_again():
    first, second = Story(), Story()
    for story in (first, second):
        for outcome in (Outcome.BREACHED, Outcome.MET, Outcome.BREACHED, Outcome.MET):
            story.judge(verdict(outcome))
    assert first.ids == second.ids
    assert len(set(first.ids)) == 4


def test_an_acknowledgement_falls_back_when_the_grounds_change():
    story = Story()
    story.judge(verdict())
    story.review(Review.ACKNOWLEDGED)
    story.judge(verdict())
    assert story.breach.review == Review.ACKNOWLEDGED
    story.judge(verdict(reason="other"))
    assert story.breach.review == Review.NEW
    assert ("review_reset", "acknowledged", "new") in story.lines


def test_a_reviewers_decision_stays_while_the_same_breach_comes_and_goes():
    story = Story()
    story.judge(verdict())
    story.review(Review.DISMISSED)
    story.judge(verdict(Outcome.UNKNOWN, reason="source_stale"))
    story.judge(verdict())
    assert story.breach.review == Review.DISMISSED
    story.judge(verdict(Outcome.MET))
    story.judge(verdict(due_on="2026-02-01"))
    assert story.breach.review == Review.NEW, "another due day is another matter"


def test_an_earlier_date_after_the_announcement_is_contested_and_goes_before_a_reviewer():
    story = Story()
    story.judge(verdict(Outcome.BREACHED))
    story.judge(verdict(Outcome.LATE, satisfied_on="2026-03-05", evidence=("e9",)))
    story.review(Review.UPHELD)
    story.judge(verdict(Outcome.MET, satisfied_on="2026-02-27", evidence=("e9",)))
    assert story.breach.condition == Condition.WITHDRAWN
    assert story.breach.contested is not None
    assert "2026-03-05" in story.breach.contested
    assert story.breach.review == Review.NEW


def test_earlier_evidence_that_is_new_contests_nothing():
    story = Story()
    story.judge(verdict(Outcome.BREACHED))
    story.judge(verdict(Outcome.LATE, satisfied_on="2026-03-05", evidence=("e9",)))
    story.judge(verdict(Outcome.MET, satisfied_on="2026-02-27", evidence=("e2",)))
    assert story.breach.contested is None


def test_earlier_evidence_that_is_new_contests_nothing_though_the_call_is_the_same():
    story = Story()
    story.judge(verdict(Outcome.BREACHED, evidence=("call",)))
    story.judge(verdict(Outcome.LATE, satisfied_on="2026-03-05", evidence=("call", "e9")))
    story.judge(verdict(Outcome.MET, satisfied_on="2026-02-27", evidence=("call", "e2")))
    assert story.breach.contested is None
    story.judge(verdict(Outcome.MET, satisfied_on="2026-02-26", evidence=("call", "e2")))
    assert story.breach.contested is not None


def test_a_date_that_the_core_found_moved_is_contested_only_after_the_announcement():
    quiet, loud = Story(), Story()
    quiet.judge(verdict(curable=False))
    loud.judge(verdict())
    for story in (quiet, loud):
        story.judge(verdict(Outcome.MET, contested="moved"))
    assert quiet.breach.contested is None
    assert loud.breach.contested == "moved"


def test_a_transfer_moves_the_finding_without_reopening_anything():
    story = Story()
    story.judge(verdict())
    story.review(Review.ACKNOWLEDGED)
    story.judge(verdict(team="south"))
    assert story.breach.team == "south"
    assert story.kinds[-1] == "moved"
    assert story.breach.review == Review.ACKNOWLEDGED


@pytest.mark.parametrize("outcome", [Outcome.BREACHED, Outcome.LATE])
def test_the_record_follows_what_else_changes_without_asking_the_reviewer_again(outcome):
    story = Story()
    story.judge(verdict(outcome, satisfied_on="2026-03-05", days_late=4))
    story.review(Review.ACKNOWLEDGED)
    story.judge(verdict(outcome, satisfied_on="2026-03-06", days_late=5, rejected=(("e4", "not held"),)))
    assert story.kinds[-1] == "noted"
    assert story.breach.days_late == 5
    assert story.breach.snapshot["rejected"] == [{"event": "e4", "why": "not held"}]
    assert story.breach.review == Review.ACKNOWLEDGED


def test_due_soon_is_told_once_for_each_due_day():
    story = Story()
    for due in ("2026-03-01", "2026-03-01", "2026-03-08"):
        story.judge(verdict(Outcome.DUE_SOON, due_on=due))
    story.judge(verdict(Outcome.DUE_SOON, status="shadow", obligation="other"))
    assert story.messages == ["breach.due_soon", "breach.due_soon"]
    assert len(set(story.ids)) == 2


def test_a_waivers_grounds_are_the_same_for_the_breach_and_its_excused_form():
    breached, excused = snapshot(verdict()), snapshot(verdict(Outcome.EXCUSED, reason="waiver"))
    assert grounds(breached) == grounds(excused)
    assert grounds(breached) != grounds(snapshot(verdict(evidence=("e1",))))


def test_whatever_comes_the_record_agrees_with_the_last_verdict():
    """All sequences of four verdicts: a breach is open exactly while the verdict is breached, and its lines join up."""
    for outcomes in itertools.product(Outcome, repeat=4):
        story = Story()
        for step, outcome in enumerate(outcomes):
            story.judge(verdict(outcome, reason="r"), at=NOW + step * HOUR)
        last = outcomes[-1]
        if not story.breaches:
            assert not {Outcome.BREACHED, Outcome.LATE} & set(outcomes)
            continue
        expected = {Outcome.BREACHED: "open", Outcome.LATE: "remedied", Outcome.EXCUSED: "excused"}.get(last, "withdrawn")
        assert story.breach.condition == expected, outcomes
        state: str | None = None
        for kind, before, after in story.lines:
            assert before == state, (outcomes, kind)
            state = after
        assert state == expected
        told = [identity for identity, topic in zip(story.ids, story.messages, strict=True) if topic != "breach.due_soon"]
        assert len(set(told)) == len(told)
