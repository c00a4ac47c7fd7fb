"""Verdicts, breaches, their history and the messages about them: what is written, and what is not."""

from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from rules.model import Outcome
from store import outbox
from store.breaches import (
    FIRST_HASH,
    Change,
    Line,
    altered_lines,
    append_history,
    breaches_of_case,
    get_breach,
    history_of,
    write_breaches,
)
from store.errors import StaleVersion
from store.ids import digest_of, finding_id
from store.models import BreachHistoryRow, PolicyVersionRow, VerdictRow, WaiverRow
from store.outbox import Message
from store.outcomes import verdicts_of_cases, write_verdicts
from store.states import CaseState, note_policy, state_of, write_state
from store.verdicts import replace_verdicts, verdicts_of_case
from tests.support.stores import Store, breach, verdict, watched

OPENED = Line(
    at=10, kind="opened", actor="evaluation", after="open", policy_digest="sha256:1", known_at=9, event_position=3, events=("e1",)
)


def rewrite(store: Store, *verdicts, now: int = 1):
    with store.write.begin() as session:
        return replace_verdicts(session, "C1", verdicts, now=now)


def write(store: Store, *changes: Change) -> dict[str, int]:
    with store.write.begin() as session:
        return write_breaches(session, changes)


# --- verdicts --------------------------------------------------------------------------------------------------------


def test_a_verdict_comes_back_as_it_was(store):
    given = [
        verdict(),
        verdict(rule="C02", verdict=Outcome.LATE, days_late=3, satisfied_on="2026-03-18", evidence=(), rejected=(), contested="moved"),
        verdict(rule="C03", verdict=Outcome.UNKNOWN, reason="missing x", due_on=None, team=None, office=None, worker=None, curable=False),
    ]
    result = rewrite(store, *given)
    assert set(result.added) == {one.key for one in given}
    with store.read() as session:
        assert verdicts_of_case(session, "C1") == {one.key: one for one in given}


def test_only_what_differs_is_written(store):
    same, changing, leaving = verdict(rule="A"), verdict(rule="B"), verdict(rule="C")
    rewrite(store, same, changing, leaving)
    coming, changed = verdict(rule="D"), replace(changing, verdict=Outcome.LATE, as_of=9, known_at=9)
    result = rewrite(store, replace(same, as_of=9, known_at=9, next_change=77), changed, coming, now=2)
    assert (result.added, result.changed, result.removed) == ((coming.key,), (changed.key,), (leaving.key,))
    with store.read() as session:
        assert verdicts_of_case(session, "C1") == {one.key: one for one in (same, changed, coming)}
        assert dict(session.execute(select(VerdictRow.rule, VerdictRow.changed_at)).all()) == {"A": 1, "B": 2, "D": 2}


def test_an_evaluation_that_finds_the_same_writes_nothing(store):
    rewrite(store, verdict(rule="A"), verdict(rule="B"))
    with watched(store) as statements:
        assert not rewrite(store, verdict(rule="B", as_of=8, known_at=8), verdict(rule="A", as_of=8, known_at=8), now=9)
    assert any("FROM verdict" in statement for statement in statements)
    assert not {"INSERT", "UPDATE", "DELETE"} & {statement.split()[0] for statement in statements}


@pytest.mark.parametrize(
    "change",
    [
        {"policy_digest": "sha256:2"}, {"verdict": Outcome.MET}, {"reason": "r"}, {"activated_on": None}, {"due_on": None},
        {"due_soon_on": None}, {"satisfied_on": "2026-01-01"}, {"days_late": 1}, {"curable": False}, {"evidence": ("e9",)},
        {"rejected": ()}, {"severity": "low"}, {"status": "shadow"}, {"team": "south"}, {"office": None}, {"worker": "w2"},
        {"contested": "moved"},
    ],
)  # fmt: skip
def test_every_field_counts_as_a_difference(store, change):
    rewrite(store, verdict())
    assert rewrite(store, verdict(**change)).changed == (verdict().key,)


def test_verdicts_of_other_cases_are_left_alone(store):
    rewrite(store, verdict())
    with store.write.begin() as session:
        replace_verdicts(session, "C2", [verdict("C2")], now=1)
    rewrite(store)
    with store.read() as session:
        assert verdicts_of_case(session, "C1") == {}
        assert len(verdicts_of_case(session, "C2")) == 1


@pytest.mark.parametrize("wrong", [[verdict("C2")], [verdict(), verdict(reason="x")]])
def test_verdicts_that_cannot_stand_side_by_side_are_refused(store, wrong):
    with store.write() as session, pytest.raises(ValueError, match="one case"):
        replace_verdicts(session, "C1", wrong, now=1)


def test_many_cases_are_rewritten_at_once(store):
    """As ``replace_verdicts`` does for one, by whoever has read what stands."""
    old = {case: [verdict(case, rule="A"), verdict(case, rule="B"), verdict(case, rule="C")] for case in ("C1", "C2", "C3")}
    with store.write.begin() as session:
        assert write_verdicts(session, [({}, verdicts) for verdicts in old.values()], now=1) == 9
    new = {
        "C1": [replace(old["C1"][0], as_of=9), replace(old["C1"][1], reason="x"), verdict("C1", rule="D")],
        "C2": [],
        "C3": [replace(one, known_at=9, next_change=7) for one in old["C3"]],
    }
    with store.write.begin() as session:
        stands = verdicts_of_cases(session, ["C1", "C2", "C3", "nobody"])
        assert {case: set(found.values()) for case, found in stands.items()} == {
            **{case: set(verdicts) for case, verdicts in old.items()},
            "nobody": set(),
        }
        assert write_verdicts(session, [(stands[case], verdicts) for case, verdicts in new.items()], now=2) == 6
    with store.read() as session:
        assert set(verdicts_of_case(session, "C1").values()) == {old["C1"][0], *new["C1"][1:]}
        assert verdicts_of_case(session, "C2") == {}
        assert set(verdicts_of_case(session, "C3").values()) == set(old["C3"])
        assert set(session.scalars(select(VerdictRow.rule).where(VerdictRow.changed_at == 2))) == {"B", "D"}
    assert not rewrite(store, *new["C1"])


# --- breaches --------------------------------------------------------------------------------------------------------


def test_a_breach_is_written_with_its_history_and_read_back(store):
    given = breach(snapshot={"verdict": "breached", "evidence": ["e1"]}, announce_after=99, contested="moved")
    assert write(store, Change(given, (OPENED,))) == {given.id: 1}
    with store.read() as session:
        assert get_breach(session, given.id) == replace(given, version=1)
        assert breaches_of_case(session, "C1") == {given.key: replace(given, version=1)}
        [line] = history_of(session, given.id)
        assert get_breach(session, "nobody") is None
    assert (line.line, line.prev_hash, line.breach_id) == (OPENED, FIRST_HASH, given.id)
    assert given.id == finding_id(verdict().key)


def test_a_change_needs_the_version_that_stands(store):
    first = breach()
    write(store, Change(first, (OPENED,)))
    stands = replace(first, version=1, condition="remedied", days_late=3)
    assert write(store, Change(stands, (Line(at=20, kind="remedied", actor="evaluation"),))) == {first.id: 2}
    with store.write() as session, pytest.raises(StaleVersion):
        write_breaches(session, [Change(breach("C2")), Change(replace(stands, review="upheld"), (Line(at=21, kind="review", actor="p"),))])
    with store.read() as session:
        kept = get_breach(session, first.id)
        assert (kept.condition, kept.review, kept.days_late, kept.version) == ("remedied", "new", 3, 2)
        assert breaches_of_case(session, "C2") == {}
        assert [line.line.kind for line in history_of(session, first.id)] == ["opened", "remedied"]


def test_a_breach_is_one_for_ever(store):
    write(store, Change(breach()))
    with store.write() as session, pytest.raises(StaleVersion):
        write_breaches(session, [Change(breach())])
    with store.write() as session, pytest.raises(StaleVersion):
        write_breaches(session, [Change(breach("C2")), Change(breach("C2"))])
    with store.write() as session, pytest.raises(StaleVersion):
        write_breaches(session, [Change(breach("C9", version=3))])


@pytest.mark.parametrize("wrong", [{"condition": "closed"}, {"review": "seen"}])
def test_the_database_knows_the_states(store, wrong):
    with store.write() as session, pytest.raises(IntegrityError):
        write_breaches(session, [Change(breach(**wrong))])


def test_many_breaches_in_one_call(store):
    given = [breach(rule=f"R{number}") for number in range(1_100)]
    write(store, *(Change(one, (OPENED, OPENED)) for one in given))
    write(store, *(Change(replace(one, version=1, condition="withdrawn"), (OPENED,)) for one in given))
    with store.read() as session:
        stored = breaches_of_case(session, "C1")
        assert len(stored) == 1_100
        assert {one.condition for one in stored.values()} == {"withdrawn"}
        assert altered_lines(session) == ([], None)


def test_a_line_altered_behind_the_back_shows(store):
    one, two = breach(), breach(rule="C02")
    write(store, Change(one, (OPENED, replace(OPENED, at=11), replace(OPENED, at=12))), Change(two, (OPENED,)))
    with store.write.begin() as session:
        append_history(session, [(one.id, replace(OPENED, at=13, comment="seen"))])
        rows = history_of(session, one.id)
        assert [line.line.at for line in rows] == [10, 11, 12, 13]
        assert all(later.prev_hash == earlier.hash for earlier, later in pairwise(rows))
    with store.read() as session:
        wrong, onward = altered_lines(session, limit=2)
        while onward is not None:
            more, onward = altered_lines(session, after=onward, limit=2)
            wrong += more
    assert wrong == []
    with store.engine.begin() as connection:
        if store.engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE breach_history DISABLE TRIGGER ALL"))
        else:
            connection.execute(text("DROP TRIGGER breach_history_no_update"))
        connection.execute(text("UPDATE breach_history SET actor = 'nobody' WHERE at = 11"))
    with store.read() as session:
        altered = session.scalar(select(BreachHistoryRow.id).where(BreachHistoryRow.at == 11))
        assert altered_lines(session) == ([altered], None)


def test_a_waiver_needs_two_persons(store):
    write(store, Change(breach()))
    fields = {
        "id": "w",
        "breach_id": breach().id,
        "author": "a",
        "reason_code": "r",
        "state": "approved",
        "created": 1,
        "ends_at": 9,
        "evidence_digest": "d",
        "version": 1,
    }
    with store.write() as session, pytest.raises(IntegrityError):
        session.execute(insert(WaiverRow).values(**fields, approver="a"))
    with store.write.begin() as session:
        session.execute(insert(WaiverRow).values(**fields, approver="b"))


def test_within_one_transaction_what_was_written_is_read(store):
    with store.write.begin() as session:
        write_breaches(session, [Change(breach())])
        assert [one.condition for one in breaches_of_case(session, "C1").values()] == ["open"]
        write_breaches(session, [Change(breach(version=1, condition="remedied"))])
        assert [one.condition for one in breaches_of_case(session, "C1", lock=True).values()] == ["remedied"]
        replace_verdicts(session, "C1", [verdict()], now=1)
        verdicts_of_case(session, "C1")
        replace_verdicts(session, "C1", [verdict(reason="x")], now=1)
        assert verdicts_of_case(session, "C1")[verdict().key].reason == "x"
        session.add(
            WaiverRow(
                id="w", breach_id=breach().id, author="a", reason_code="r", state="proposed", created=1, ends_at=2, evidence_digest="d"
            )
        )
        assert session.scalar(select(WaiverRow.version)) == 1


# --- what else an evaluation leaves ----------------------------------------------------------------------------------


def test_the_state_of_a_case_is_replaced(store):
    first = CaseState("C1", evaluated_at=1, as_of=1, position=5, next_check_at=9, open_breaches=1, program="cfss", queries=({"code": "x"},))
    second = replace(first, evaluated_at=2, next_check_at=None, team="north", summary={"met": 3}, queries=())
    with store.write.begin() as session:
        assert state_of(session, "C1") is None
        write_state(session, first)
    with store.write.begin() as session:
        assert state_of(session, "C1") == replace(first, summary={})
        write_state(session, second)
    with store.read() as session:
        assert state_of(session, "C1") == second


def test_a_policy_text_is_kept_once(store):
    for version in ("1", "2"):
        with store.write.begin() as session:
            note_policy(session, digest="d", policy="cfss", version=version, effective="2020-01-01", text={"rules": []}, now=1)
    with store.read() as session:
        assert [row.version for row in session.scalars(select(PolicyVersionRow))] == ["1"]


def test_digests_do_not_depend_on_the_order_of_keys():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})


# --- messages --------------------------------------------------------------------------------------------------------


def message(id_: str = "m1", *, available_at: int = 100, key: str = "b1") -> Message:
    return Message(id_, "breach.opened", key, {"breach": key}, available_at)


def put(store: Store, *messages: Message) -> None:
    with store.write.begin() as session:
        outbox.put(session, messages, now=50)


def owed(store: Store, now: int) -> list[str]:
    with store.write.begin() as session:
        return [one.message.id for one in outbox.owed(session, now=now)]


def test_a_message_is_owed_once_and_not_before_its_time_in_the_order_of_writing(store):
    put(store, message(), message("m2", available_at=90))
    put(store, message(), *[])
    assert owed(store, 89) == []
    assert owed(store, 90) == ["m2"]
    assert owed(store, 100) == ["m1", "m2"]
    with store.write.begin() as session:
        (first, _) = outbox.owed(session, now=100)
        assert (first.message, first.created) == (message(), 50)


def test_what_was_passed_on_is_owed_no_longer_and_goes_in_time(store):
    put(store, message(), message("m2"))
    with store.write.begin() as session:
        outbox.passed_on(session, outbox.owed(session, now=100, limit=1), now=1_200)
    assert owed(store, 10**9) == ["m2"]
    with store.write.begin() as session:
        assert outbox.purge(session, sent_before=1_200) == 0
        assert outbox.purge(session, sent_before=1_201) == 1


def test_what_was_not_passed_on_can_be_taken_back(store):
    put(store, message("m1"), message("m2", key="b2"), message("m3"))
    with store.write.begin() as session:
        outbox.passed_on(session, outbox.owed(session, now=100, limit=1), now=100)
        assert outbox.cancel(session, "breach.opened", "b1") == 1
    assert owed(store, 10**6) == ["m2"]
