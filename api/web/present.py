"""From what the core and the store know to what the pages show.  Imports rules/, store/ and this package's views and words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from api.web import words
from api.web.views import (
    BreachRow,
    Choice,
    Clause,
    DueRow,
    Evidence,
    HistoryLine,
)
from rules.catalogue import Catalogue
from rules.explain import Explanation, sentence
from rules.model import Outcome, Verdict
from rules.policy import Policy, Rule
from service.policies.policyset import PolicySet
from store.breaches import Breach, StoredLine

_TYPE = re.compile(r"(?<![\w.@:/-])[a-z][a-z_]*(?:\.[a-z][a-z_]*)+(?![\w@:/-]|\.\w)")
_ABOUT = {"person": "person", "child": "child", "parent": "parent", "attempt": "closure attempt", "event": "event", "item": "item"}


def rule_of(policies: PolicySet, policy: str, rule: str) -> tuple[Policy, Rule] | None:
    """The policy and its rule, if both are in use."""
    found = policies.get(policy)
    if found is None:
        return None
    try:
        return found, found.rule(rule)
    except KeyError:
        return None


def subject(obligation: str) -> str:
    """What an obligation key is about, for people: ``person P-1182-2``; empty where it is about the case itself."""
    kind, _, rest = obligation.partition(":")
    if not rest:
        return "" if obligation == "case" else obligation
    about = rest.partition("@")[0] if kind == "event" else rest
    return f"{_ABOUT.get(kind, kind)} {about}"


def finding(verdict: Verdict, policies: PolicySet, *, today: dt.date | None) -> str:
    """The verdict in one sentence, without its full stop."""
    found = rule_of(policies, verdict.policy, verdict.rule)
    title, unmet = (found[1].title, found[1].unmet) if found is not None else (f"Rule {verdict.rule}", "")
    done, due = (found[1].done_word, found[1].due_word) if found is not None else ("done", "due by")
    day = today.isoformat() if today is not None else ""
    return sentence(verdict, title, unmet, today=day, done_word=done, due_word=due).rstrip(".")


def verdict_of(breach: Breach) -> Verdict:
    """The verdict that a breach keeps: the last one that was a breach."""
    kept: Mapping[str, Any] = breach.snapshot
    case, episode, policy, rule, obligation = breach.key
    return Verdict(
        case=case,
        episode=episode,
        rule=rule,
        policy=policy,
        policy_digest=breach.policy_digest,
        obligation=obligation,
        verdict=Outcome(kept.get("verdict", "breached")),
        reason=kept.get("reason"),
        activated_on=kept.get("activated_on"),
        due_on=breach.due_on,
        due_soon_on=kept.get("due_soon_on"),
        satisfied_on=kept.get("satisfied_on"),
        days_late=breach.days_late,
        curable=bool(kept.get("curable", True)),
        evidence=tuple(kept.get("evidence", ())),
        rejected=tuple((one["event"], one["why"]) for one in kept.get("rejected", ())),
        as_of=breach.changed_at,
        known_at=breach.changed_at,
        severity=breach.severity,
    )


def breach_row(breach: Breach, policies: PolicySet, *, today: dt.date) -> BreachRow:
    """A breach for the work list.  While it is open, it is late by the days from its due day to ``today``."""
    verdict = verdict_of(breach)
    due = words.iso_day(breach.due_on)
    late = breach.days_late
    if late is None and due is not None and breach.condition == "open" and verdict.curable:
        late = max(0, (today - due).days)
    return BreachRow(
        id=breach.id,
        case=breach.case,
        sentence=finding(verdict, policies, today=None),
        rule=verdict.rule,
        policy=verdict.policy,
        severity=breach.severity,
        condition=breach.condition,
        review=breach.review,
        version=breach.version,
        due_on=due,
        days_late=late,
        team=breach.team or "",
        office=breach.office or "",
        worker=breach.worker or "",
        contested=breach.contested is not None,
        subject=subject(verdict.obligation),
    )


def due_row(verdict: Verdict, policies: PolicySet, *, today: dt.date) -> DueRow:
    """A requirement inside its warning window."""
    found = rule_of(policies, verdict.policy, verdict.rule)
    due = words.iso_day(verdict.due_on)
    return DueRow(
        case=verdict.case,
        sentence=found[1].title if found is not None else f"Rule {verdict.rule}",
        rule=verdict.rule,
        policy=verdict.policy,
        severity=verdict.severity,
        due_on=due,
        days_left=None if due is None else max(0, (due - today).days),
        team=verdict.team or "",
        office=verdict.office or "",
        worker=verdict.worker or "",
        subject=subject(verdict.obligation),
    )


def event_words(type_name: str) -> str:
    """``visit.held`` as ``Visit held``."""
    return words.sentence_case(type_name.replace(".", " ").replace("_", " "))


def evidence(explanation: Explanation, policies: PolicySet) -> list[Evidence]:
    """The events that were considered, those that counted first."""
    found = policies.get(explanation.verdict.policy)
    rows = [
        Evidence(
            event=one.event,
            what=event_words(one.type) if one.type else "An event",
            happened=one.happened,
            recorded=one.recorded,
            counts=one.counts,
            why=plain(one.why, found.catalogue) if found is not None else one.why,
        )
        for one in explanation.considered
    ]
    order = {"against": 0, "yes": 1, "unclear": 2, "no": 3}
    return sorted(rows, key=lambda row: order.get(row.counts, 4))


def plain(text: str, catalogue: Catalogue) -> str:
    """``text`` with the names of event types as words: ``visit held`` for ``visit.held``."""

    def spoken(match: re.Match[str]) -> str:
        name = match[0]
        return name.replace(".", " ").replace("_", " ") if name in catalogue.types else name

    return _TYPE.sub(spoken, text)


def steps(explanation: Explanation, policies: PolicySet) -> list[str]:
    """The reasoning, line by line."""
    found = policies.get(explanation.verdict.policy)
    return [plain(line, found.catalogue) if found is not None else line for line in explanation.reasoning]


def would(explanation: Explanation, policies: PolicySet) -> str:
    """What would have met it, as a sentence of its own."""
    found = policies.get(explanation.verdict.policy)
    return plain(explanation.would_have_met, found.catalogue) if found is not None else explanation.would_have_met


def clause(policies: PolicySet, breach: Breach) -> Clause:
    """The rule behind a breach; what is known of it where it is no longer in use."""
    _, _, policy, rule, _ = breach.key
    found = rule_of(policies, policy, rule)
    if found is None:
        return Clause(policy, policy, rule, f"Rule {rule}", "This rule is no longer in use.", "", breach.severity)
    owner, one = found
    cited = f"{owner.documents.get(one.citation.document, one.citation.document)}, {one.citation.at}"
    return Clause(policy, owner.title, rule, one.title, one.guidance, cited, one.severity)


def history_line(stored: StoredLine, names: Mapping[str, str], reasons: Mapping[str, str]) -> HistoryLine:
    """A line of history in words.  ``names``: people's and keys' names by actor."""
    line = stored.line
    what = words.word("history", line.kind)
    if line.kind == "review" and line.after:
        what = words.word("review", line.after)
    if line.kind == "assigned":
        what = f"Assigned to {names.get(line.after, line.after)}" if line.after else "Assigned to nobody"
    who = names.get(line.actor, line.actor.replace("key:", "API key "))
    return HistoryLine(
        at=line.at,
        what=what,
        who=who if line.actor.startswith(("user:", "key:")) else "",
        known_at=line.known_at,
        digest=line.policy_digest or "",
        events=line.events,
        reason=reasons.get(line.reason_code or "", words.word("reason", line.reason_code)),
        comment=line.comment or "",
    )


def choices(kind: str, counted: Mapping[str | None, int], *, order: Sequence[str] = ()) -> list[Choice]:
    """The values of a facet with their counts, in the given order or by name."""
    names = [name for name in (order or sorted(name for name in counted if name)) if name]
    return [Choice(name, words.word(kind, name) if order else name, counted.get(name, 0)) for name in names]


def rule_choices(policies: PolicySet, counted: Mapping[str | None, int]) -> list[Choice]:
    """The rules that a list holds, with their titles."""
    titles = {rule.id: rule.title for policy in policies.policies for rule in policy.rules}
    names = sorted(name for name in counted if name)
    return [Choice(name, f"{name} {titles.get(name, '')}", counted[name]) for name in names]


def policy_choices(policies: PolicySet, counted: Mapping[str | None, int]) -> list[Choice]:
    """The policies that a list holds, by title."""
    titles = {policy.id: policy.title for policy in policies.policies}
    return [Choice(name, titles.get(name, name), counted[name]) for name in sorted(n for n in counted if n)]
