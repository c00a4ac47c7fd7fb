"""Audits made in tests, and what a plain loop over the rules' own ``evaluate`` says of the same cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rules.evaluate import evaluate
from service.access import system
from service.audits import runs as audits
from service.audits.report import OUTCOMES, Report
from service.audits.shape import Verification
from service.audits.work import work
from service.bootstrap import Service
from store.audits import Audit, AuditScope
from store.backtests import waived
from store.cases import load_cases


def started(svc: Service, **how: Any) -> Audit:
    return audits.start(svc, system(), **{"chunk": 2, **how})


def finished(svc: Service, made: Audit) -> Report:
    """The report, after whatever is left to do has been done."""
    while not work(svc, made.id, give_way=False):
        pass
    return audits.report(svc, system(), made.id)


def audited(svc: Service, **how: Any) -> Report:
    return finished(svc, started(svc, **how))


def checked(report: Report) -> Verification:
    """What a full audit found when it held what is stored against its findings."""
    found = report["verification"]
    assert found is not None
    return found


def counts(report: Report) -> Counter[tuple[Any, ...]]:
    """Obligations by rule, status, team, office, month and verdict."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in report["results"]["rows"]:
        for outcome in OUTCOMES:
            number: int = row[outcome]  # type: ignore[literal-required]
            if number:
                found[row["policy"], row["rule"], row["status"], row["team"], row["office"], row["month"], outcome] += number
    return found


def by_hand(svc: Service, cases: Iterable[str], made: Audit) -> Counter[tuple[Any, ...]]:
    """The same, counted case by case with nothing of an audit's own but its instants."""
    scope: AuditScope = made.scope
    found: Counter[tuple[Any, ...]] = Counter()
    wanted = sorted(cases)
    with svc.reading() as session:
        files = load_cases(session, wanted, known_at=made.known_at, upto=made.position, heartbeat=made.heartbeat)
        spared = waived(session, wanted, as_of=made.as_of, known_at=made.known_at)
    for case in wanted:
        for group in svc.policies_at(made.known_at).groups:
            part = group.part_of(files[case].file)
            if part is None:
                continue
            judged = evaluate(group.policies, part, as_of=made.as_of, known_at=made.known_at, waived=spared.get(case, ()))
            for one in judged.verdicts:
                day = one.due_on or one.activated_on
                inside = (scope.teams is None or one.team in scope.teams) and (scope.policies is None or one.policy in scope.policies)
                inside = inside and (scope.since is None or (day is not None and day >= scope.since))
                if inside and one.reason != "out_of_scope":
                    found[one.policy, one.rule, one.status, one.team, one.office, day and day[:7], one.verdict.value] += 1
    return found
