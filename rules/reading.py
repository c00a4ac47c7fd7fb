"""A rule read aloud: its conditions and limits as plain sentences, made of what is judged and not of what is written about it.

The one reading for command line, API, pages and generated documentation.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from rules.clock import iso
from rules.periods import Period
from rules.phrases import ordinal, words_of
from rules.policy import Policy, Rule
from rules.saying import Saying, sentences
from rules.wording import day_words

RESTS_ON = "It rests on this: "
FALSE_ALARM = "What would be a false alarm, and what to look at first: "
"""How the sentences begin that have a place of their own on pages."""
_STATUS = {
    "draft": "It is a draft: it is tried in tests and judges no case.",
    "shadow": "It is in the shadow: cases are judged by it, but no breach is opened.",
    "enforced": "It is enforced: a breach is opened where it is not met.",
    "retired": "It is retired and judges nothing.",
}
_NAMES = ("event", "of", "first", "anchor", "items", "for_every", "all_done", "collection")
"""Fields that name what the policy declares."""


def read_aloud(policy: Policy, rule: Rule) -> list[str]:
    """The rule in sentences: whom it concerns, when it begins, what it asks for and until when, what ends or excuses it, its
    parameters with their values, what the words in it mean, where it comes from, and what would be a false alarm."""
    say = Saying(policy)
    found = [f"{rule.id}: {rule.title.rstrip('.')}.", *_standing(policy, rule)]
    for number, clause in enumerate(rule.clauses, 1):
        if len(rule.clauses) > 1:
            found.append(f"This is the {ordinal(number)} of its {len(rule.clauses)} parts.")
        found += clause.read_aloud(say)
    found += parameters_read(policy, rule)
    found += _declared(say, rule)
    document = policy.documents.get(rule.citation.document, words_of(rule.citation.document))
    found.append(f"{RESTS_ON}{document}, {rule.citation.at}.")
    if rule.false_alarm:
        found.append(f"{FALSE_ALARM}{rule.false_alarm}")
    return sentences(found)


def _standing(policy: Policy, rule: Rule) -> list[str]:
    if rule.counted:
        return ["It is a count for statistics and never a breach."]
    whom = "It concerns every case." if policy.program is None else f"It concerns cases of the program {program_words(policy)}."
    severity = f"Its severity is {rule.severity}." if rule.status in ("enforced", "shadow") else ""
    since = f"It judges what began on {day_words(iso(policy.effective))} or later{_open_too(policy)}, by the days of {days_of(policy)}."
    return [sentence for sentence in (_STATUS[rule.status], severity, whom, since) if sentence]


def _open_too(policy: Policy) -> str:
    return ", and in episodes that are open on that day what began earlier too" if policy.applies_to_open else ""


def days_of(policy: Policy) -> str:
    """Whose days count: ``Adelaide (of Strengthening Families: Darwin)``."""
    others = [f"of {program_words(policy, program)}: {place(zone)}" for program, zone in policy.zones.items()]
    others += [f"of the office {words_of(name)}: {place(office.zone)}" for name, office in policy.offices.items() if office.zone]
    return place(policy.zone_name) + (f" ({'; '.join(others)})" if others else "")


def program_words(policy: Policy, program: str | None = None) -> str:
    """A program as the catalogue says it."""
    say, path = Saying(policy), policy.domain.course.program or "program"
    return say.code(program or policy.program, path, list(policy.catalogue.types))


def place(zone: str) -> str:
    """``Adelaide`` of ``Australia/Adelaide``."""
    return zone.rpartition("/")[2].replace("_", " ")


def names_in(part: Any) -> list[str]:
    """The terms, anchors, collections and parameters (with ``$``) that a part of a policy names, in order; event types too."""
    if isinstance(part, Period):
        return [] if part.parameter is None else [f"${part.parameter}"]
    found: list[str] = []
    if isinstance(part, BaseModel):
        for field, value in part:
            if field in _NAMES:
                found += [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str)]
            found += names_in(value)
    elif isinstance(part, tuple):
        found += [name for one in part for name in names_in(one)]
    elif isinstance(part, dict):
        found += [name for one in part.values() for name in names_in(one)]
    return list(dict.fromkeys(found))


def parameters_read(policy: Policy, rule: Rule) -> list[str]:
    """The parameters of a rule with their values, or the question that is open."""
    found = []
    for name in parameters_of(policy, rule):
        parameter, value = policy.parameters[name], policy.values.get(name)
        called = f"The policy's owner decides the number called {words_of(name)}: {parameter.question}"
        told = (
            "It is not set; until it is, nobody can be in breach for want of it."
            if value is None
            else f"It is set to {value} {'day' if value == 1 else 'days'}."
        )
        found += [called, told]
    return found


def parameters_of(policy: Policy, rule: Rule) -> list[str]:
    """Names of the parameters on which a rule rests, its anchor's included."""
    return [name for name in policy.parameters if f"${name}" in names_of(policy, rule)]


def names_of(policy: Policy, rule: Rule) -> list[str]:
    """The names in a rule, and in the terms, anchors and collections that it names."""
    found: list[str] = []
    waiting = [name for clause in rule.clauses for name in names_in(clause)]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            for group in (policy.terms, policy.anchors, policy.collections):
                waiting += names_in(group[name]) if name in group else []
    return found


def _declared(say: Saying, rule: Rule) -> list[str]:
    """What the terms and collections in it mean."""
    policy, found = say.policy, []
    for name in names_of(policy, rule):
        if name in policy.terms:
            found.append(say.term(name))
        elif name in policy.collections:
            found += say.collection(name)
    return found
