"""Every verdict, reason and line of the decision table is told in words."""

from __future__ import annotations

from rules.hits import MOMENT
from rules.meanings import LINES, OPENS, REASONS, VERDICTS
from rules.model import Line, Outcome
from rules.policytest import BREACHES
from rules.verdicts import _OUTCOMES, _RANK, _REASONS, PAUSE_APPROVED_LATER, missing_reason
from rules.wording import _REASONS as IN_WORDS


def test_every_verdict_has_its_meaning_and_those_that_are_breaches_say_so() -> None:
    assert list(VERDICTS) == list(Outcome)
    assert {outcome.value for outcome in OPENS} == set(BREACHES)


def test_every_line_of_the_decision_table_has_its_meaning_in_the_order_of_the_table() -> None:
    assert list(LINES) == list(Line)
    assert set(_OUTCOMES) == set(Line)


def test_every_reason_has_its_verdict_and_meaning() -> None:
    wanted = {*_RANK, *_REASONS.values(), PAUSE_APPROVED_LATER, MOMENT, missing_reason("PATH")}
    assert set(REASONS) == wanted
    assert set(IN_WORDS) == wanted - {missing_reason("PATH")}
    assert [reason for reason in REASONS if reason in _RANK] == list(_RANK)
    for line, reason in _REASONS.items():
        assert REASONS[reason][0] is _OUTCOMES[line]
