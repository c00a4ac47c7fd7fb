"""Short words for tests of the core: events written as in a timeline, policies of one rule, verdicts by rule and obligation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rules.clock import parse_day, zone
from rules.evaluate import Evaluation, When, evaluate
from rules.history import History, build
from rules.model import CaseFile, Event, Heartbeat, Verdict
from rules.policy import HERE, Policy, load_policy, load_shipped
from rules.record import standing
from rules.view import View

YEAR = 2026
ADELAIDE, DARWIN = "Australia/Adelaide", "Australia/Darwin"
FOR_EVER = 10**14
CATALOGUE = load_shipped("cfss").catalogue
DOMAIN = load_shipped("cfss").domain


def full(text: str) -> str:
    """``03-02 10:00`` with the year before it; a full date stays as it is."""
    return text if text[4:5] == "-" else f"{YEAR}-{text}"


def at(text: str, where: str = ADELAIDE) -> int:
    """Local wall-clock time (a bare day: its start) as UTC ms."""
    text = full(text)
    day, _, clock = text.partition(" ")
    start = dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}").replace(tzinfo=zone(where).local(0).tzinfo)
    return int(start.timestamp() * 1000)


def day(text: str) -> int:
    return parse_day(full(text))


def date(text: str) -> dt.date:
    return dt.date.fromisoformat(full(text))


def ev(
    name: str,
    type_: str,
    when: str,
    *,
    rec: str | None = None,
    source: str = "urn:desk",
    case: str = "case-1",
    where: str = ADELAIDE,
    given: bool = True,
    **data: Any,
) -> Event:
    """An event; a bare day means that only the day is known.  ``rec``: when it was recorded (default: when it happened).

    An attribute that is None is absent.
    """
    data = {key: value for key, value in data.items() if value is not None}
    exact = " " in when
    if not exact:
        data["occurred_on"] = full(when)
    time = at(when if exact else f"{when} 12:00", where)
    return Event(source, name, type_, case, time, time if rec is None else at(rec, where), given, data)


def void(name: str, target: str, rec: str, *, source: str = "urn:desk", case: str = "case-1") -> Event:
    return Event(source, name, "event.voided", case, at(rec), at(rec), True, {"target": target})


def fix(name: str, target: str, rec: str, *, source: str = "urn:desk", **changes: Any) -> Event:
    """A correction; ``__`` in a name stands for a dot of the path."""
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return Event(source, name, "event.corrected", "case-1", at(rec), at(rec), True, {"target": target, "set": paths})


def visit(name: str, when: str, *seen: str, **data: Any) -> Event:
    """A visit that qualifies, unless ``data`` says otherwise (None takes an attribute away)."""
    return ev(name, "visit.held", when, **{"status": "held", "mode": "in_person", "seen": list(seen) or ["m1"], **data})


def household(name: str, when: str, *members: str | Mapping[str, Any], **data: Any) -> Event:
    """A list; ``c1:child`` is short for a person with a role."""
    lines = [dict(zip(("person", "role"), m.split(":"), strict=True)) if isinstance(m, str) else dict(m) for m in members]
    return ev(name, "household.recorded", when, members=lines, **data)


def people(*members: str) -> list[dict[str, Any]]:
    """Participants; ``c1:child`` is a person with a role, ``c1`` one without."""
    return [{"person": m.split(":")[0], **({"role": m.split(":")[1]} if ":" in m else {})} for m in members]


def history_of(events: Iterable[Event], as_of: str | None = None, known_at: str | None = None, where: str = ADELAIDE) -> History:
    facts, _ = standing(events, FOR_EVER if known_at is None else at(known_at), CATALOGUE)
    return build("case-1", facts, zone=zone(where), as_of=FOR_EVER if as_of is None else at(as_of, where), domain=DOMAIN)


def moment(text: str, where: str = ADELAIDE) -> When:
    """A bare day as a date, anything else as an instant."""
    return at(text, where) if " " in text else date(text)


def evaluated(
    policies: Policy | Sequence[Policy],
    events: Iterable[Event],
    as_of: str,
    known_at: str | None = None,
    *,
    linked: Mapping[str, Sequence[Event]] | None = None,
    beats: Sequence[Heartbeat] = (),
    waived: Sequence[tuple[str, str, str]] = (),
    statuses: Sequence[str] = ("enforced", "shadow"),
) -> Evaluation:
    chosen = [policies] if isinstance(policies, Policy) else policies
    where = chosen[0].zone_name
    file = CaseFile("case-1", tuple(events), {case: tuple(mine) for case, mine in (linked or {}).items()}, tuple(beats))
    known = FOR_EVER if known_at is None else moment(known_at, where)
    return evaluate(chosen, file, as_of=moment(as_of, where), known_at=known, waived=waived, statuses=statuses)


def view_of(events: Iterable[Event], as_of: str = "2099-01-01", policy: Policy | None = None, **more: Any) -> View:
    """What the rules of a policy see of the first episode."""
    found = evaluated(policy or load_shipped("cfss"), events, as_of, **more)
    return next(one.view for one in found.details if one.view.episode.number == 1)


def told(evaluation: Evaluation, rule: str) -> dict[str, Verdict]:
    """The verdicts of a rule in the first episode, by obligation."""
    return {v.obligation: v for v in evaluation.verdicts if v.rule == rule and v.episode == "1"}


def said(verdict: Verdict) -> str:
    """``breached``, ``unknown: missing status``."""
    return verdict.verdict.value + (f": {verdict.reason}" if verdict.reason else "")


def one(evaluation: Evaluation, rule: str) -> Verdict:
    """The only verdict of a rule in the first episode."""
    (found,) = told(evaluation, rule).values()
    return found


HEAD = """\
policy: trial
title: A policy for a test
version: "1"
effective: 2020-01-01
zone: {zone}
catalogue: catalogue.yaml
program: {program}
documents: {{d: A document}}
parameters:
  some_days: {{question: How many?}}
  set_days: {{default: 10, question: How many?}}
terms:
  qualifying_visit:
    event: visit.held
    where: {{status: held, mode: [in_person, school], seen: {{at_least: 1}}}}
    once_per: [performer.id]
  final_plan:
    event: [safety_plan.recorded, safety_plan.updated]
    where: {{status: final}}
anchors:
  weeks: {{first: qualifying_visit, if_within: {{weeks: 6}}, of: service.connected}}
collections:
  goals:
    of: [safety_plan.recorded, safety_plan.updated]
    document: plan
    list: goals
    done_by: {{event: goal.achieved, where: {{plan: safety, goal: {{equals: $item.id}}}}}}
  actions:
    of: [sf_plan.recorded, sf_plan.updated]
    document: plan
    list: actions
    date: due_on
    moved_by: {{event: action.rescheduled, item: action, date: due_on}}
    done_by: {{event: action.completed, where: {{action: {{equals: $item.id}}}}}}
rules:
  - id: R1
    title: The rule
    guidance: What it is for.
    cites: {{document: d, at: here}}
    severity: high
"""


def policy_text(rule: str, *, program: str = "cfss", zone_name: str = ADELAIDE, more: str = "") -> str:
    """A policy with the one rule R1, whose kind and parameters are given as YAML without indent."""
    head = HEAD.format(zone=zone_name, program=program)
    return head + "".join(f"    {line}\n" for line in rule.strip().splitlines()) + more


def package_in(folder: Path) -> Path:
    """The folder, holding the shipped catalogue too."""
    if not (folder / "catalogue.yaml").exists():
        (folder / "catalogue.yaml").symlink_to(HERE / "catalogue.yaml")
    return folder


def policy_of(folder: Path, rule: str, *, program: str = "cfss", zone_name: str = ADELAIDE, **changes: str) -> Policy:
    """Loads it; ``changes`` replace lines of the head (``effective="2026-01-01"``)."""
    text = policy_text(rule, program=program, zone_name=zone_name)
    for name, value in changes.items():
        lines = [f"{name}: {value}" if line.startswith(f"{name}:") else line for line in text.splitlines()]
        text = "\n".join(lines if f"{name}: {value}" in lines else [f"{name}: {value}", *lines]) + "\n"
    path = package_in(folder) / f"trial{len(list(folder.iterdir()))}.yaml"
    path.write_text(text)
    return load_policy(path)
