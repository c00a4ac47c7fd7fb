"""What a worker does with the cases of a backtest: judge each by both versions and compare.  How the work is divided stands in
service.chunkwork.  Imports store/, rules/ and service/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from rules.clock import iso
from rules.comparison import Pair, compare
from rules.evaluate import evaluate
from rules.explain import sentence
from rules.model import CaseFile, Verdict
from rules.policy import Policy
from service import chunkwork
from service.backtests.report import digest_of, document, text_of
from service.backtests.runs import TOGETHER, throughout
from service.backtests.tally import Tally
from service.bootstrap import Service
from service.chunkwork import BUDGET, DIED
from service.errors import NotFound
from service.policies import book as policybook
from service.policies.policyset import Group, PolicySet
from service.whereabouts import whereabouts
from store import backtests
from store.backtests import Backtest
from store.cases import load_cases
from store.chunkedjobs import Chunk

Waived = frozenset[tuple[str, str, str]]
"""(episode, rule, obligation) that waivers cover."""

__all__ = ["DIED", "Sides", "put_forward", "work"]


@dataclass(frozen=True)
class Sides:
    """The two sides of a backtest, ready to judge."""

    backtest: Backtest
    base: tuple[Policy, ...]
    candidate: Policy

    @property
    def position(self) -> int:
        return self.backtest.position

    @cached_property
    def _after(self) -> tuple[Policy, ...]:
        return (throughout(self.candidate, self.base, self.backtest.since),)

    def tally(self) -> Tally:
        """Nothing counted yet."""
        return Tally()

    def take(self, session: Session, tally: Tally, cases: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        """Every case is judged."""
        return cases

    def load(self, session: Session, cases: Sequence[str]) -> Mapping[str, tuple[CaseFile, Waived]]:
        """By case, its file as it was known then, and what waivers cover."""
        told = self.backtest
        loaded = load_cases(session, cases, known_at=told.known_at, upto=told.position, heartbeat=told.heartbeat)
        waived = backtests.waived(session, cases, as_of=told.as_of, known_at=told.known_at)
        return {case: (one.file, waived.get(case, frozenset())) for case, one in loaded.items()}

    def add(self, tally: Tally, case: str, found: tuple[CaseFile, Waived]) -> None:
        """What the versions in force and the candidate say of a case, counted."""
        file, waived = found
        tally.add(case, self._place(file), self.compare(file, waived), self.tell)

    def keep(self, session: Session, chunk: Chunk, tally: Tally) -> None:
        """Nothing but the tally."""

    def report(self, session: Session, results: Iterator[dict[str, Any]], give_way: Callable[[], None]) -> tuple[str, str]:  # noqa: ARG002
        """The report and its digest."""
        tally = Tally()
        for result in results:
            tally.merge(result)
        told = self.backtest
        instants = {"as_of": told.as_of, "known_at": told.known_at, "position": told.position}
        text = text_of(document(candidate=self.candidate, base=self.base, since=told.since, tally=tally, **instants))
        return text, digest_of(text)

    def compare(self, file: CaseFile, waived: Waived) -> list[Pair]:
        """What the versions in force and the candidate say of a case."""
        return compare(self._say(self.base, file, waived), self._say(self._after, file, waived), since=self.backtest.since)

    def tell(self, verdict: Verdict) -> str:
        """The verdict's sentence, by the version that gave it."""
        policy = next(one for one in (self.candidate, *self.base) if one.digest == verdict.policy_digest)
        rule = policy.rule(verdict.rule)
        today = iso(policy.zone.day_of(self.backtest.as_of)) or ""
        return sentence(verdict, rule.title, rule.unmet, today=today, done_word=rule.done_word, due_word=rule.due_word)

    def _say(self, policies: tuple[Policy, ...], file: CaseFile, waived: Waived) -> Sequence[Verdict]:
        part = Group(policies[0].catalogue, policies).part_of(file) if policies else None
        if part is None:
            return ()
        return evaluate(policies, part, as_of=self.backtest.as_of, known_at=self.backtest.known_at, waived=waived).verdicts

    def _place(self, file: CaseFile) -> tuple[str | None, str | None]:
        """Team and office to which the case itself belongs."""
        found = whereabouts(PolicySet((Group(self.candidate.catalogue, (self.candidate,)),)), file, now=self.backtest.as_of)
        return found.team, found.office


def ready(svc: Service, backtest: str) -> Sides:
    """A backtest, ready to judge.  Raises NotFound, NotPossible and PolicyError."""
    with svc.reading() as session:
        told = backtests.get(session, backtest)
    if told is None:
        raise NotFound("no such backtest")
    return Sides(told, tuple(policybook.version(svc, digest) for digest in told.base), policybook.version(svc, told.candidate))


KIND = chunkwork.Kind(
    "backtest", backtests.JOBS, ready, lambda svc, job, workers: svc.hints.work_on(job, workers=workers), lambda _: TOGETHER
)


def work(svc: Service, backtest: str, *, budget: float = BUDGET, give_way: bool = True) -> bool:
    """Work on a backtest for a while; whether it is over.  See ``service.chunkwork.work``."""
    return chunkwork.work(svc, KIND, backtest, budget=budget, give_way=give_way)


def put_forward(svc: Service) -> int:
    """Tell the workers of backtests on which nobody works.  See ``service.chunkwork.put_forward``."""
    return chunkwork.put_forward(svc, KIND)
