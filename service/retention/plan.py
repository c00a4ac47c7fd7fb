"""Which journeys may be removed by now, and why others may not.  Imports store/, rules/ and service/.

A journey is all cases that hang together (``store.journeys``): it goes as a whole or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from service.bootstrap import Service
from service.policies.policyset import PolicySet
from service.retention.closure import ended
from service.retention.rules import RetentionFile, due
from store import legalholds
from store.cases import load_cases
from store.journeys import MOST_CASES, closed_by, journeys
from store.removing import keeping

PAGE = 200
LISTED = 1_000
DAY = 86_400_000

REASONS: Mapping[str, str] = {
    "hold": "there is a legal hold on a case of it",
    "open": "a case of it is open, was reopened, or has an event that is still to come or that no policy knows",
    "not_yet": "its time has not come",
    "no_rule": "no rule names its program",
    "open_breach": "a breach is open",
    "waiver": "a waiver is asked for or runs",
    "waiting": "a case of it waits to be judged",
    "refused": "a record about it was refused and waits to be mended",
    "too_many": f"more than {MOST_CASES} cases hang together, which looks like a mistake in the record",
}
"""Why a journey whose closing lies long enough back is kept."""


@dataclass(frozen=True, slots=True)
class Journey:
    """Cases that hang together.  ``kept``: a code of ``REASONS``; None: it may go.  Days are local."""

    cases: tuple[str, ...]
    kept: str | None
    closed: dt.date | None = None
    due: dt.date | None = None
    mode: str | None = None
    program: str | None = None


@dataclass(slots=True)
class Plan:
    """What a removal would do now.  ``going`` and ``kept_ones`` list ``LISTED`` journeys at most; the counts are of all."""

    rules: RetentionFile
    cases: int = 0
    journeys: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    """Cases by how they go."""
    kept: Counter[str] = field(default_factory=Counter)
    """Journeys by why they are kept."""
    going: list[Journey] = field(default_factory=list)
    kept_ones: list[Journey] = field(default_factory=list)
    whole: bool = True
    """Whether all journeys were looked at."""
    log_lines: int = 0
    """Lines of the access log whose time has come."""
    refused: int = 0
    """Refused records about unknown cases whose time has come."""


def look(svc: Service, rules: RetentionFile, *, most: int | None = None) -> Plan:
    """What a removal would do now; changes nothing.  ``most``: after so many journeys it is left off."""
    from service.retention.ageing import old_lines, old_rejects

    plan = Plan(rules)
    for page in pages(svc, rules):
        if most is not None and plan.journeys + plan.kept.total() >= most:
            plan.whole = False
            break
        for one in page:
            if one.kept is None:
                plan.journeys += 1
                plan.cases += len(one.cases)
                plan.modes[one.mode or ""] += len(one.cases)
                if len(plan.going) < LISTED:
                    plan.going.append(one)
            else:
                plan.kept[one.kept] += 1
                if len(plan.kept_ones) < LISTED:
                    plan.kept_ones.append(one)
    plan.log_lines, plan.refused = old_lines(svc, rules), old_rejects(svc, rules)
    return plan


def pages(svc: Service, rules: RetentionFile) -> Iterator[list[Journey]]:
    """All journeys with a closing that lies long enough back, in portions."""
    types = closing_types(svc.policies)
    before = svc.now() - (rules.fewest_years * 365 - 2) * DAY
    after, seen = "", set[str]()
    while types:
        with svc.reading() as session:
            cases = closed_by(session, types, before=before, after=after, most=PAGE)
            found = decide(svc, session, rules, [case for case in cases if case not in seen])
        yield found
        if len(cases) < PAGE:
            return
        after = cases[-1]
        seen = {case for case in (seen | {case for one in found if len(one.cases) > 1 for case in one.cases}) if case > after}


def decide(svc: Service, session: Session, rules: RetentionFile, cases: Collection[str]) -> list[Journey]:
    """The journeys of these cases, each with whether it may go now."""
    found = journeys(session, cases)
    small = [one for one in found if len(one) <= MOST_CASES]
    everyone = [case for one in small for case in one]
    files = load_cases(session, everyone)
    kept = keeping(session, everyone, legalholds.held(session, everyone), settled_goes=rules.settled_breaches == "go")
    stops: Sequence[tuple[str, set[str]]] = (
        ("hold", kept.hold), ("open_breach", kept.breach), ("waiver", kept.waiver), ("waiting", kept.waiting), ("refused", kept.refused)
    )  # fmt: skip
    now = svc.now()
    told = []
    for one in found:
        if len(one) > MOST_CASES:
            told.append(Journey(one, "too_many"))
            continue
        how = ended(svc.policies, (event for case in one for event in files[case].file.events), now=now)
        if how.closed is None:
            told.append(Journey(one, "hold" if not kept.hold.isdisjoint(one) else "open"))
            continue
        when = due(rules, how.programs, how.closed)
        program = ", ".join(sorted(how.programs)) or None
        why = next((code for code, held in stops if not held.isdisjoint(one)), None)
        if when is None:
            told.append(Journey(one, "no_rule", how.closed, program=program))
        elif when.on > how.today and why != "hold":
            told.append(Journey(one, "not_yet", how.closed, when.on, when.rule.mode, program))
        else:
            told.append(Journey(one, why, how.closed, when.on, when.rule.mode, program))
    return told


def closing_types(policies: PolicySet) -> set[str]:
    """The types of events that close a case."""
    return {group.domain.course.closes.event for group in policies.groups if group.domain.course.closes is not None}
