"""What changed between two versions of a policy, in words: what it was, what it is, and what that does.

Compares what was loaded, not the texts: the order of keys, comments and short forms make no difference.  `rules.clausediff` looks
into the clauses of rules.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rules.cataloguediff import of_catalogue
from rules.changes import Change, text
from rules.clausediff import of_clauses
from rules.clock import Calendar, iso, parse_day
from rules.declareddiff import of_declarations, of_parameters
from rules.effects import FEWER, MORE, NONE, breaches
from rules.phrases import joined, words_of
from rules.policy import Policy, Rule
from rules.reading import place, program_words
from rules.wording import day_words

__all__ = ["Change", "diff"]

_SEVERITIES = ("advisory", "low", "medium", "high", "critical")
_MANAGERS = ("high", "critical")
_STATUS = {
    ("shadow", "enforced"): "opens breaches from now on",
    ("enforced", "shadow"): "is judged as before, but opens no breach",
}


def diff(old: Policy, new: Policy) -> list[Change]:
    """Every change from one version to the other, rule by rule after those of the whole policy; empty where both mean the same."""
    found = [*_head(old, new), *of_parameters(old, new), *of_declarations(old, new), *of_catalogue(old, new), *_rules(old, new)]
    return list(dict.fromkeys(found))


# ---------------------------------------------------------------------------------------------------------------- the whole policy
def _head(old: Policy, new: Policy) -> Iterator[Change]:
    for what in ("id", "title", "version"):
        if getattr(old, what) != getattr(new, what):
            yield text(None, f"the policy's {what}", getattr(old, what), getattr(new, what))
    if old.effective != new.effective:
        before, after = (day_words(iso(day)) for day in (old.effective, new.effective))
        turn = "later: what began before is left to the version before" if new.effective > old.effective else "earlier: it judges more"
        yield Change(None, "the day from which it is in force", before, after, turn)
    if old.applies_to_open != new.applies_to_open:
        words = {True: "from that day on open episodes too, as a whole", False: "only what begins from that day on"}
        judged = "what was begun before is judged anew" if new.applies_to_open else "what was begun before stays with the version before"
        yield Change(None, "what it judges", words[old.applies_to_open], words[new.applies_to_open], judged)
    if old.program != new.program:
        before, after = ("every case" if p.program is None else f"cases of the program {program_words(p)}" for p in (old, new))
        yield Change(None, "which cases it concerns", before, after, "other cases are judged")
    if old.zone_name != new.zone_name:
        yield Change(None, "whose days count", place(old.zone_name), place(new.zone_name), _CLOCKS)
    for name in dict.fromkeys((*old.zones, *new.zones)):
        before, after = (place(p.zones[name]) if name in p.zones else "those of the policy" for p in (old, new))
        if old.zones.get(name) != new.zones.get(name):
            yield Change(None, f"whose days count in the program {program_words(new, name)}", before, after, _CLOCKS)
    if list(old.zones) != list(new.zones) and dict(old.zones) == dict(new.zones):
        before, after = (joined([program_words(p, n) for n in p.zones]) for p in (old, new))
        yield Change(None, "which program's days come first where a case is of several", before, after, _CLOCKS)
    yield from _calendars(old, new)
    yield from _offices(old, new)
    for name in dict.fromkeys((*old.documents, *new.documents)):
        if old.documents.get(name) != new.documents.get(name):
            yield text(None, f"the document {words_of(name)}", old.documents.get(name, ""), new.documents.get(name, ""))
    if old.questions != new.questions:
        before, after = ("; ".join(f"{q.about} {q.reading}" for q in p.questions) for p in (old, new))
        yield text(None, "how its text is read", before, after)
    if old.for_a_person != new.for_a_person:
        yield text(None, "what stays for a person to judge", "; ".join(old.for_a_person), "; ".join(new.for_a_person))


_CLOCKS = "days begin and end at another moment, so that what is done near midnight may fall on another day"
_HOLIDAYS = "limits in business days may end on other days"


def _calendars(old: Policy, new: Policy) -> Iterator[Change]:
    if old.calendar != new.calendar:
        yield Change(None, "the calendar of public holidays", words_of(old.calendar or "none"), words_of(new.calendar or "none"), _HOLIDAYS)
    for name in dict.fromkeys((*old.calendars, *new.calendars)):
        before, after = (p.calendars.get(name, Calendar()).holidays for p in (old, new))
        yield from _holidays(f"the calendar {words_of(name)}", before, after)


def _holidays(whose: str, before: Iterable[int], after: Iterable[int]) -> Iterator[Change]:
    gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    if gone or come:
        told = [joined([day_words(iso(day)) for day in days]) for days in (gone, come)]
        yield Change(None, f"holidays of {whose}", told[0] or "none of these", told[1] or "none of these", _HOLIDAYS)


def _offices(old: Policy, new: Policy) -> Iterator[Change]:
    for name in dict.fromkeys((*old.offices, *new.offices)):
        mine, theirs = old.offices.get(name), new.offices.get(name)
        whose = f"the office {words_of(name)}"
        zones = [one.zone if one is not None else None for one in (mine, theirs)]
        calendars = [one.calendar if one is not None else None for one in (mine, theirs)]
        if zones[0] != zones[1]:
            before, after = (place(zone) if zone else "those of the policy" for zone in zones)
            yield Change(None, f"whose days count in {whose}", before, after, _CLOCKS)
        if calendars[0] != calendars[1]:
            before, after = (words_of(calendar or "that of the policy") for calendar in calendars)
            yield Change(None, f"the calendar of {whose}", before, after, _HOLIDAYS)
        yield from _holidays(whose, *({parse_day(day) for day in one.holidays} if one is not None else set() for one in (mine, theirs)))
        if (mine is None) != (theirs is None) and zones == [None, None] and calendars == [None, None]:
            yield text(None, whose, "listed" if mine is not None else "not listed", "listed" if theirs is not None else "not listed")


# ------------------------------------------------------------------------------------------------------------------------- rules
def _rules(old: Policy, new: Policy) -> Iterator[Change]:
    mine: Mapping[str, Rule] = {rule.id: rule for rule in old.rules}
    theirs: Mapping[str, Rule] = {rule.id: rule for rule in new.rules}
    for name in dict.fromkeys((*theirs, *mine)):
        if name not in mine:
            rule = theirs[name]
            yield Change(name, "the rule", "there was none", rule.title, f"new, {_standing(rule)}")
        elif name not in theirs:
            yield Change(name, "the rule", mine[name].title, "there is none", f"gone: nothing is judged by it, {breaches(FEWER)}")
        else:
            yield from _rule(mine[name], theirs[name], old, new)


def _standing(rule: Rule) -> str:
    if rule.counted:
        return "only counted"
    return {"enforced": f"enforced, {breaches(MORE)}", "shadow": "in the shadow: judged, but opens no breach"}.get(
        rule.status, f"{rule.status}: judges nothing"
    )


def _source(rule: Rule, policy: Policy) -> str:
    return f"{policy.documents.get(rule.citation.document, rule.citation.document)}, {rule.citation.at}"


def _rule(mine: Rule, theirs: Rule, old: Policy, new: Policy) -> Iterator[Change]:
    name = mine.id
    texts: dict[str, tuple[Any, Any]] = {
        "title": (mine.title, theirs.title),
        "guidance": (mine.guidance, theirs.guidance),
        "wording of the finding": (mine.unmet, theirs.unmet),
        "note on false alarms": (mine.false_alarm, theirs.false_alarm),
        "source": (_source(mine, old), _source(theirs, new)),
    }
    for what, (before, after) in texts.items():
        if before != after:
            yield text(name, f"the {what}", before, after)
    if mine.status != theirs.status:
        effect = _STATUS.get((mine.status, theirs.status)) or _standing(theirs)
        yield Change(name, "the status", mine.status, theirs.status, effect)
    if mine.severity != theirs.severity:
        up = _SEVERITIES.index(theirs.severity) > _SEVERITIES.index(mine.severity)
        manager = (mine.severity in _MANAGERS, theirs.severity in _MANAGERS)
        waiver = ""
        if manager == (False, True):
            waiver = "; a waiver now needs a manager"
        elif manager == (True, False):
            waiver = "; a team leader may now approve a waiver"
        yield Change(name, "the severity", mine.severity, theirs.severity, f"weighs {'more' if up else 'less'}, {breaches(NONE)}{waiver}")
    yield from of_clauses(mine, theirs, old, new)
