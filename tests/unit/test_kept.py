"""Answers that took long are shown again for a while, quick ones never."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from api.web import kept
from api.web.kept import LONGEST, MOST, SLOW, TIMES, Kept


class Asked:
    """An answer that takes ``takes`` seconds, by a clock that only it moves, and tells how often it was asked for."""

    def __init__(self) -> None:
        self.now, self.takes, self.times = 100.0, 0.0, 0

    def __call__(self) -> int:
        self.now += self.takes
        self.times += 1
        return self.times


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def test_what_is_quick_to_find_is_asked_for_each_time(asked: Asked) -> None:
    answers = Kept()
    asked.takes = SLOW / 2
    assert [answers.of("a", asked) for _ in range(3)] == [1, 2, 3]


def test_what_took_long_is_kept_in_proportion_and_no_longer_than_a_minute(asked: Asked) -> None:
    answers = Kept()
    asked.takes = 2 * SLOW
    assert answers.of("a", asked) == 1
    asked.now += TIMES * asked.takes - 0.01
    assert [answers.of("a", asked), answers.of("b", asked)] == [1, 2], "each question has an answer of its own"
    asked.now += 0.02
    assert answers.of("a", asked) == 3
    asked.takes = 10 * LONGEST
    asked.now += LONGEST
    assert answers.of("a", asked) == 4
    asked.now += LONGEST + 0.01
    assert answers.of("a", asked) == 5


def test_no_more_than_so_many_are_kept(asked: Asked) -> None:
    answers = Kept()
    asked.takes = 2 * SLOW
    for number in range(MOST + 1):
        answers.of(number, asked)
    assert len(answers._answers) == 1
