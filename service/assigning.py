"""Giving breaches to people, and steps taken with many breaches at once.  Imports store/ and service/.

Every breach is named with the version that was seen.  Where somebody was first, that breach is left as it is and the answer says
who was; the others are not held up by it.  Each step is a line of the breach's history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.access import Access
from service.bootstrap import Service
from service.errors import Flaw, Invalid, NotFound, NotPossible, StaleVersion
from service.reconcile import Review
from service.review import COMMENT_LIMIT
from service.worklist import SCOPE, reviewer, scope_of
from store.breaches import Breach, Change, Line, StoredLine, write_breaches
from store.queries import worklist

MOST = 200
"""Breaches that one step may be taken with at once."""
DONE, CHANGED, NOT_POSSIBLE, MISSING = "done", "changed", "not_possible", "missing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step with one breach.

    ``result``: done; changed (somebody else was first: ``last`` is the last line of its history); not_possible (``why``);
    missing (it does not exist, or lies outside the caller's limits).  ``breach`` is as it stands now.
    """

    id: str
    result: str
    breach: Breach | None = None
    last: StoredLine | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    action: str
    access: Access
    assignee: Access | None = None
    comment: str | None = None

    def take(self, breach: Breach, now: int) -> Change:
        """The breach after the step, and the line that tells of it.  Raises NotPossible."""
        line = Line(
            at=now,
            kind="acknowledged" if self.action == "acknowledge" else "assigned",
            actor=self.access.actor,
            policy_digest=breach.policy_digest,
            known_at=now,
            comment=self.comment,
        )
        if self.action == "acknowledge":
            if breach.review != Review.NEW:
                raise NotPossible(f"it is {breach.review} already")
            after = Review.ACKNOWLEDGED.value
            return Change(replace(breach, review=after, changed_at=now), (replace(line, before=breach.review, after=after),))
        given = self.assignee.actor if self.assignee is not None else None
        if breach.assignee == given:
            raise NotPossible("it is assigned so already" if given is not None else "it is assigned to nobody already")
        if self.assignee is not None and not self.assignee.sees(team=breach.team, office=breach.office):
            raise NotPossible("it lies outside the teams and offices of the person it was to be assigned to")
        return Change(replace(breach, assignee=given, changed_at=now), (replace(line, before=breach.assignee, after=given),))


def assign(svc: Service, access: Access, breach_id: str, *, version: int, assignee: str | None, comment: str | None = None) -> Breach:
    """Give a breach to a person (``user:ID`` or an account's name), or take it from everybody (None); the breach afterwards.

    Raises Forbidden; NotFound; Invalid for somebody who reviews no breaches; StaleVersion; and NotPossible where it is so already,
    or the person could not see the breach.
    """
    (found,) = many(svc, access, [(breach_id, version)], action="assign", assignee=assignee, comment=comment)
    if found.breach is None:
        raise NotFound("there is no such breach")
    if found.result == CHANGED:
        raise StaleVersion(found.breach.version)
    if found.result == NOT_POSSIBLE:
        raise NotPossible(found.why)
    return found.breach


def many(
    svc: Service,
    access: Access,
    chosen: Sequence[tuple[str, int]],
    *,
    action: str,
    assignee: str | None = None,
    comment: str | None = None,
) -> list[Outcome]:
    """Take a step (``acknowledge`` or ``assign``) with breaches, each given as (id, version seen); what became of each, in that order.

    Raises Forbidden, and Invalid for a step, a person or a number of breaches that cannot be.
    """
    access.require(SCOPE)
    step = _Step(action, access, _checked(svc, chosen, action, assignee, comment), comment)
    seen = dict(chosen)
    scope = scope_of(access)
    found: dict[str, Outcome] = {}
    with svc.writing() as session:
        now = svc.now()
        breaches = worklist.locked_breaches(session, seen, scope=scope)
        changes: list[Change] = []
        for breach_id, version in seen.items():
            breach = breaches.get(breach_id)
            if breach is None:
                found[breach_id] = Outcome(breach_id, MISSING)
            elif breach.version != version:
                found[breach_id] = Outcome(breach_id, CHANGED, breach)
            else:
                try:
                    changes.append(step.take(breach, now))
                except NotPossible as error:
                    found[breach_id] = Outcome(breach_id, NOT_POSSIBLE, breach, why=str(error))
        versions = write_breaches(session, changes) if changes else {}
        for change in changes:
            after = replace(change.breach, version=versions[change.breach.id])
            found[after.id] = Outcome(after.id, DONE, after)
        left = [one for one in found.values() if one.result == CHANGED]
        last = worklist.last_lines(session, [one.id for one in left]) if left else {}
    return [replace(found[breach_id], last=last.get(breach_id)) for breach_id in seen]


def _checked(svc: Service, chosen: Sequence[tuple[str, int]], action: str, assignee: str | None, comment: str | None) -> Access | None:
    flaws = []
    if action not in {"acknowledge", "assign"}:
        flaws.append(Flaw("action", "unknown", "choose one of acknowledge, assign"))
    if not 1 <= len(chosen) <= MOST:
        flaws.append(Flaw("chosen", "wrong_length", f"choose between 1 and {MOST} breaches"))
    if comment is not None and (len(comment) > COMMENT_LIMIT or not all(char.isprintable() or char in "\n\r\t" for char in comment)):
        flaws.append(Flaw("comment", "wrong_value", f"give at most {COMMENT_LIMIT:,} characters, without control characters"))
    person = reviewer(svc, assignee) if assignee is not None else None
    if assignee is not None and person is None:
        flaws.append(Flaw("assignee", "unknown", "choose somebody who reviews breaches"))
    if flaws:
        raise Invalid(*flaws)
    return person
