"""What a new judgement of a case does to the breaches on record.  Pure: it reads no clock and no database.

A breach is open exactly while its verdict is `breached`, so lists of breaches and of verdicts never contradict each other.
Nothing is deleted, and each change gives a line of history with what was known, by which policy digest and because of which
events.  Why a verdict of `unknown` withdraws an open breach (and re-opens it when it can be judged again) is told in docs/decisions.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rules.model import Outcome, Verdict, rfc3339
from store.breaches import Breach, Change, Line
from store.ids import Key, digest_of
from store.outbox import Message

ACTOR = "system"
"""Who history says it was where no person was."""
_NAMESPACE = uuid.UUID("9c5b7f0e-3f0b-5d3e-9a54-6b1f9a0e7d11")


class Condition(StrEnum):
    """Set by evaluation alone."""

    OPEN = "open"
    REMEDIED = "remedied"
    WITHDRAWN = "withdrawn"
    EXCUSED = "excused"


class Review(StrEnum):
    """Set by people alone, except that it falls back to ``new`` when what was reviewed has changed."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Context:
    """What the judgement rests on.  ``settle`` are ms to wait before an order rule's breach, or a passed deadline, is announced."""

    now: int
    position: int = 0
    """The greatest event position in the case's file."""
    causes: tuple[str, ...] = ()
    """Ids of the events that have come since the evaluation before."""
    gone: str = "gone"
    """Why verdicts that no longer exist have vanished, e.g. ``merged``."""
    settle_order: int = 24 * 3_600_000
    settle_deadline: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything to write beside the verdicts.  ``next_announcement`` is when an open breach will have settled (ms)."""

    breaches: tuple[Change, ...] = ()
    messages: tuple[Message, ...] = ()
    next_announcement: int | None = None
    open_breaches: int = 0


def snapshot(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a breach keeps it: everything but the instants at which it was looked at."""
    fields = verdict.as_dict()
    del fields["as_of"], fields["known_at"]
    return fields


def grounds(facts: Mapping[str, Any]) -> str:
    """A digest of what a waiver rests on: when it was due, and the evidence.  Equal for the breach and for its excused form."""
    return digest_of([facts["activated_on"], facts["due_on"], sorted(facts["evidence"])])


def plan(*, before: Mapping[Key, Verdict], breaches: Mapping[Key, Breach], verdicts: Sequence[Verdict], context: Context) -> Changes:
    """What ``verdicts`` change.  ``before`` and ``breaches`` hold everything on record for the case, by key."""
    judged = {verdict.key: verdict for verdict in verdicts}
    work = _Work(context)
    for key, verdict in judged.items():
        old = breaches.get(key)
        prior = before.get(key)
        if old is not None:
            work.follow(old, verdict, prior)
        elif opens(verdict):
            work.open(verdict)
        if verdict.status == "enforced" and verdict.verdict is Outcome.DUE_SOON:
            work.warn(verdict, prior)
    for key, old in breaches.items():
        if key not in judged:
            work.vanish(old, before.get(key))
    return work.result()


def condition_of(verdict: Verdict | None) -> Condition:
    """The condition that a breach on record is in once this has been judged; None: the obligation no longer exists."""
    return Condition.WITHDRAWN if verdict is None else _aim(verdict)[0]


def opens(verdict: Verdict) -> bool:
    """Whether there is a breach on record once this has been judged, even if there was none before."""
    return verdict.status == "enforced" and verdict.verdict in (Outcome.BREACHED, Outcome.LATE)


def _stable(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts, separators=(",", ":"))))


def _facts(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a reviewer has looked at: if it changes, an acknowledgement no longer speaks about it."""
    return (facts["due_on"], facts["reason"], tuple(facts["evidence"]))


def _aim(verdict: Verdict) -> tuple[Condition, str | None]:
    """The condition that a verdict puts a breach into, and the reason code where that is a withdrawal."""
    if verdict.status != "enforced":
        return Condition.WITHDRAWN, "not_enforced"
    match verdict.verdict:
        case Outcome.BREACHED:
            return Condition.OPEN, None
        case Outcome.LATE:
            return Condition.REMEDIED, None
        case Outcome.EXCUSED:
            return Condition.EXCUSED, verdict.reason
        case Outcome.MET:
            return Condition.WITHDRAWN, "met"
        case Outcome.PENDING | Outcome.DUE_SOON:
            return Condition.WITHDRAWN, "not_due"
        case Outcome.NOT_APPLICABLE | Outcome.UNKNOWN:
            return Condition.WITHDRAWN, f"{verdict.verdict.value}: {verdict.reason}"


def _moved_earlier(verdict: Verdict, prior: Verdict | None) -> str | None:
    """Whether the very evidence that was late now bears an earlier date, which deserves a second look.

    Where an event has come to count as well, it may be that one which helps: then nobody is said to have changed a date.
    """
    if prior is None or prior.satisfied_on is None or verdict.satisfied_on is None or verdict.satisfied_on >= prior.satisfied_on:
        return None
    if verdict.evidence and set(verdict.evidence) <= set(prior.evidence):
        return f"the date of the evidence was changed from {prior.satisfied_on} to {verdict.satisfied_on} after the breach was announced"
    return None


@dataclass(slots=True)
class _Work:
    context: Context
    changes: list[Change] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    next_announcement: int | None = None
    open_breaches: int = 0

    def result(self) -> Changes:
        return Changes(tuple(self.changes), tuple(self.messages), self.next_announcement, self.open_breaches)

    def open(self, verdict: Verdict) -> None:
        """A breach that is seen for the first time; one that is already mended is opened and remedied at once."""
        now = self.context.now
        breach = Breach(
            key=verdict.key,
            condition=Condition.OPEN.value,
            review=Review.NEW.value,
            severity=verdict.severity,
            team=verdict.team,
            office=verdict.office,
            worker=verdict.worker,
            due_on=verdict.due_on,
            days_late=verdict.days_late,
            contested=None,
            opened_at=now,
            changed_at=now,
            announced_at=None,
            announce_after=now + self._settle(verdict),
            policy_digest=verdict.policy_digest,
            snapshot=snapshot(verdict),
        )
        lines = [self._line("opened", None, Condition.OPEN, verdict.policy_digest)]
        if verdict.verdict is Outcome.LATE:
            breach = replace(breach, condition=Condition.REMEDIED.value)
            lines.append(self._line("remedied", Condition.OPEN, Condition.REMEDIED, verdict.policy_digest))
        self._finish(breach, lines)

    def follow(self, old: Breach, verdict: Verdict, prior: Verdict | None) -> None:
        """A breach on record whose obligation has been judged again."""
        aim, reason = _aim(verdict)
        digest = verdict.policy_digest
        lines: list[Line] = []
        new = old
        if aim is not Condition.WITHDRAWN:
            facts = snapshot(verdict)
            new = replace(
                old,
                severity=verdict.severity,
                team=verdict.team,
                office=verdict.office,
                worker=verdict.worker,
                due_on=verdict.due_on,
                days_late=verdict.days_late,
                policy_digest=digest,
                snapshot=facts,
            )
        changed = new is not old and _facts(new.snapshot) != _facts(old.snapshot)
        reopened = False
        if aim != old.condition:
            reopened = aim is Condition.OPEN or (old.condition == Condition.WITHDRAWN and aim is Condition.REMEDIED)
            if reopened:
                lines.append(self._line("reopened", old.condition, Condition.OPEN, digest))
            if aim is not Condition.OPEN:
                lines.append(self._line(aim.value, Condition.OPEN if reopened else old.condition, aim, digest, reason))
            new = replace(new, condition=aim.value)
            if reopened:
                new = replace(new, announced_at=None, announce_after=self.context.now + self._settle(verdict))
        elif changed:
            lines.append(self._line("changed", old.condition, old.condition, digest))
        elif (new.team, new.office, new.worker) != (old.team, old.office, old.worker):
            lines.append(self._line("moved", old.condition, old.condition, digest))
        elif new.snapshot != old.snapshot:
            lines.append(self._line("noted", old.condition, old.condition, digest))
        if contested := self._contested(old, verdict, prior):
            new = replace(new, contested=contested)
            lines.append(self._line("contested", old.condition, new.condition, digest))
        if self._falls_back(old, changed=changed, reopened=reopened, contested=bool(contested)):
            lines.append(self._line("review_reset", old.review, Review.NEW, digest))
            new = replace(new, review=Review.NEW.value)
        if old.announced_at is not None and aim != old.condition:
            if aim is Condition.REMEDIED:
                self._tell("breach.remedied", new, reason)
            elif aim is not Condition.OPEN and old.condition in (Condition.OPEN, Condition.REMEDIED):
                self._tell("breach.withdrawn", new, reason)
        self._finish(new, lines)

    def vanish(self, old: Breach, prior: Verdict | None) -> None:
        """A breach whose obligation no longer exists."""
        if old.condition == Condition.WITHDRAWN:
            return
        digest = prior.policy_digest if prior is not None else old.policy_digest
        new = replace(old, condition=Condition.WITHDRAWN.value)
        line = self._line("withdrawn", old.condition, Condition.WITHDRAWN, digest, self.context.gone)
        if old.announced_at is not None and old.condition in (Condition.OPEN, Condition.REMEDIED):
            self._tell("breach.withdrawn", new, self.context.gone)
        self._finish(new, [line])

    def warn(self, verdict: Verdict, prior: Verdict | None) -> None:
        """Tell once that something is due soon; again only if the due day has moved."""
        if prior is not None and prior.verdict is Outcome.DUE_SOON and prior.due_on == verdict.due_on:
            return
        body = {
            "case": verdict.case,
            "episode": verdict.episode,
            "policy": verdict.policy,
            "rule": verdict.rule,
            "obligation": verdict.obligation,
            "severity": verdict.severity,
            "team": verdict.team,
            "office": verdict.office,
            "due_on": verdict.due_on,
        }
        identity = _stable("due_soon", *verdict.key, verdict.due_on or "")
        self._put(identity, "breach.due_soon", verdict.case, body)

    def _finish(self, breach: Breach, lines: list[Line]) -> None:
        """Announce what has settled, then keep the new state if anything changed."""
        now = self.context.now
        if breach.condition == Condition.OPEN:
            self.open_breaches += 1
            if breach.announced_at is None:
                if breach.announce_after is None or breach.announce_after <= now:
                    breach = replace(breach, announced_at=now)
                    lines.append(self._line("announced", breach.condition, breach.condition, breach.policy_digest))
                    self._tell("breach.opened", breach, None)
                elif self.next_announcement is None or breach.announce_after < self.next_announcement:
                    self.next_announcement = breach.announce_after
        if lines:
            self.changes.append(Change(replace(breach, changed_at=now), tuple(lines)))

    def _contested(self, old: Breach, verdict: Verdict, prior: Verdict | None) -> str | None:
        if old.announced_at is None or old.contested is not None:
            return None
        if verdict.contested is not None and (prior is None or prior.contested != verdict.contested):
            return verdict.contested
        return _moved_earlier(verdict, prior)

    @staticmethod
    def _falls_back(old: Breach, *, changed: bool, reopened: bool, contested: bool) -> bool:
        if old.review == Review.NEW:
            return False
        if contested:
            return True
        return changed and (old.review == Review.ACKNOWLEDGED or reopened)

    def _settle(self, verdict: Verdict) -> int:
        return self.context.settle_deadline if verdict.curable else self.context.settle_order

    def _line(self, kind: str, before: str | None, after: str | None, digest: str, reason: str | None = None) -> Line:
        return Line(
            at=self.context.now,
            kind=kind,
            actor=ACTOR,
            before=None if before is None else str(before),
            after=None if after is None else str(after),
            policy_digest=digest,
            known_at=self.context.now,
            event_position=self.context.position,
            events=self.context.causes,
            reason_code=reason,
        )

    def _tell(self, topic: str, breach: Breach, reason: str | None) -> None:
        case, episode, policy, rule, obligation = breach.key
        body = {
            "id": breach.id,
            "case": case,
            "episode": episode,
            "policy": policy,
            "rule": rule,
            "obligation": obligation,
            "severity": breach.severity,
            "condition": breach.condition,
            "reason": reason,
            "team": breach.team,
            "office": breach.office,
            "due_on": breach.due_on,
            "days_late": breach.days_late,
            "version": breach.version + 1,
        }
        identity = _stable(topic, breach.id, str(breach.version + 1))
        self._put(identity, topic, case, body)

    def _put(self, identity: str, topic: str, key: str, breach: Mapping[str, Any]) -> None:
        now = self.context.now
        self.messages.append(Message(identity, topic, key, {"at": rfc3339(now), "breach": breach}, available_at=now))
