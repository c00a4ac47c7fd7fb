"""Where a policy stands: which version is in force today, what comes, what was before, and what each brought.  In words.

Imports rules/, service/ and this package; asks service.policies.changes, which asks the store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.web import words
from api.web.policies import present
from api.web.policies.views import Difference, VersionLine
from rules.diff import Change, diff
from rules.policy import Policy
from service.bootstrap import Service
from service.errors import NotFound, NotPossible
from service.policies.book import version
from service.policies.changes import PolicyChange, changes, history_of

INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy.  ``changes`` are all of its, the newest first."""

    policy: Policy
    """In force today; where nothing is yet, the first that will be."""
    newest: Policy
    """The last in the line: what a new change follows."""
    today: dt.date
    changes: Sequence[PolicyChange]

    @property
    def waiting(self) -> list[PolicyChange]:
        return [one for one in self.changes if one.state == "proposed"]

    @property
    def active(self) -> list[PolicyChange]:
        """What was activated, the newest decision first."""
        return sorted((one for one in self.changes if one.state == "active"), key=lambda one: (one.decided_at or 0, one.id), reverse=True)


def standings(svc: Service, ids: Iterable[str] | None = None) -> list[Standing]:
    """Each policy in force by id; ``ids``: only these."""
    svc.refresh(patience=1.0)
    line: dict[str, list[Policy]] = {}
    for policy in svc.policies.policies:
        line.setdefault(policy.id, []).append(policy)
    chosen = sorted(line if ids is None else line.keys() & set(ids))
    told = changes(svc, policy=chosen[0] if ids is not None and len(chosen) == 1 else None) if chosen else []
    return [
        _standing(svc, sorted(line[name], key=lambda one: one.effective), [one for one in told if one.policy == name]) for name in chosen
    ]


def standing(svc: Service, policy: str) -> Standing:
    """One policy.  Raises NotFound."""
    found = standings(svc, [policy])
    if not found:
        raise NotFound("there is no such policy")
    return found[0]


def _standing(svc: Service, line: Sequence[Policy], told: Sequence[PolicyChange]) -> Standing:
    today = words.local(svc.now(), line[-1].zone_name).date()
    begun = [policy for policy in line if policy.effective <= today.toordinal()]
    return Standing(begun[-1] if begun else line[0], line[-1], today, told)


def person(name: str | None) -> str:
    """Who proposed or decided; what nobody decided came with the installation."""
    return "the installation" if name in {None, INSTALLATION} else str(name)


def coming(one: Standing, name: str) -> str:
    """The value that a parameter gets on a later day and that has been approved already, in words; empty: none."""
    value = one.newest.values.get(name)
    if one.newest is one.policy or name not in one.newest.values or value == one.policy.values.get(name):
        return ""
    day = words.short_day(dt.date.fromordinal(one.newest.effective))
    return f"{present.value_words(one.newest, name, value) or 'not set'} from {day}"


def before(svc: Service, change: PolicyChange) -> Policy | None:
    """The version that a change was made from, where it is kept."""
    if change.base_digest is None:
        return None
    try:
        return version(svc, change.base_digest)
    except (NotFound, NotPossible):
        return None


def differences(old: Policy | None, new: Policy) -> list[Change]:
    """What changed, in words; nothing for a first version."""
    return [] if old is None else diff(old, new)


def difference_views(old: Policy | None, new: Policy) -> list[Difference]:
    """The same, for a page that tells the first day and what becomes of open cases by itself: what can change a verdict first."""
    same_day = old.taking_effect(new.effective, applies_to_open=new.applies_to_open) if old is not None else None
    titles = {rule.id: rule.title for policy in (old, new) if policy is not None for rule in policy.rules}
    there = {rule.id for rule in old.rules} if old is not None else set()
    found = [
        Difference(
            rule=one.rule or "",
            title=titles.get(one.rule or "", ""),
            what=one.what,
            before=one.before,
            after=one.after,
            effect=one.effect.rstrip("."),
            matters=one.changes_verdicts,
            known=one.rule in there,
        )
        for one in differences(same_day, new)
    ]
    return sorted(found, key=lambda one: not one.matters)


def what(svc: Service, change: PolicyChange) -> str:
    """A change in a few words: ``family_contact_days = 14 days (was not set)``, or ``Version 2, from Fri 1 May 2026``."""
    if change.kind != "parameters" or not change.values:
        return f"Version {change.version}, from {words.short_day(change.effective)}"
    old = before(svc, change)
    parts = []
    for name, value in change.values.items():
        now = present.value_words(old, name, value) if old is not None else "" if value is None else str(value)
        was = present.value_words(old, name, old.values.get(name)) if old is not None else ""
        parts.append(f"{name} = {now or 'not set'}" + (f" (was {was or 'not set'})" if old is not None else ""))
    return ", ".join(parts)


def versions(svc: Service, one: Standing, *, rule: str | None = None) -> list[VersionLine]:
    """The versions that were ever activated, the newest first; ``rule``: only those that changed something of it."""
    lines = []
    for line in history_of(svc, one.policy.id):
        change = line.change
        try:
            made = version(svc, change.digest)
        except (NotFound, NotPossible):
            continue
        old = before(svc, change)
        told = [each for each in differences(old, made) if rule is None or each.rule == rule]
        if rule is not None and old is not None and not told:
            continue
        installed = change.decided_by in {None, INSTALLATION}
        lines.append(
            VersionLine(
                digest=change.digest,
                version=change.version,
                effective=change.effective,
                state=line.state,
                at=change.decided_at,
                proposed_by="" if installed else person(change.proposed_name),
                decided_by="" if installed else person(change.decided_name),
                reason="" if installed else change.reason,
                change="" if installed else change.id,
                open_cases=change.applies_to_open,
                changes=[each.words for each in told],
            )
        )
    return lines
