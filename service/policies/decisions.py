"""Deciding on changes of policies: another person than the one who proposed it.  Imports rules/, store/ and service/.

What comes into force and that every case waits to be judged by it is one transaction: whoever judges meanwhile by what was in force
before finds the case waiting still when they are done.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.policy import Policy
from service.access import Access
from service.backtests import runs as backtest
from service.bootstrap import Service
from service.errors import Flaw, Forbidden, Invalid, NotPossible, StaleVersion
from service.logs import get
from service.policies.book import keep, version
from service.policies.record import REASON_LIMIT, SCOPE, PolicyChange, day_text, found, shown
from service.policies.succession import carried_over, moved, newest, newly_enforced
from store.models import INSTALLATION, PolicyChangeRow
from store.policychanges import claim_change, epoch
from store.queue import mark_every_case, stale

HINTS_AT_ONCE = 500

_log = get("policies")


def approve(svc: Service, access: Access, change_id: str, *, version: int, comment: str = "") -> PolicyChange:
    """Put a proposed version in force from its effective day on, and have every case judged again.  ``version``: the row version seen.

    Raises NotFound, StaleVersion, Invalid; Forbidden for whoever proposed it or lacks the role; NotPossible where it has been decided,
    its day has passed, another text has come into force meanwhile, or a rule that could not accuse before was not tried out.
    """
    with svc.writing() as session:
        claim_change(session)
        row = _waiting(session, access, change_id, version, comment)
        if row.proposed_by == access.actor:
            raise Forbidden("nobody approves a change of their own: another person has to")
        base = newest(session, svc.versions, row.policy)
        tried = row.digest
        wanted = _following(svc, session, row, base)
        row.backtest = _backtest(session, wanted, base, {tried, wanted.digest})
        newest_decision = epoch(session).newest
        _decide(row, access, "active", max(svc.now(), newest_decision + 1), comment)
        session.flush()
        _take_along(svc, session, row.policy, base, wanted)
        cases = mark_every_case(session, svc.now())
        made = shown(row)
    svc.refresh()
    with svc.reading() as session:
        waiting = stale(session, svc.now(), HINTS_AT_ONCE)
    svc.hints.send(waiting)
    _log.info("policy_activated", policy=made.policy, digest=made.digest[:12], effective=made.effective.isoformat(), cases=cases)
    return made


def reject(svc: Service, access: Access, change_id: str, *, version: int, comment: str = "") -> PolicyChange:
    """Decide against a change.  Raises as ``approve`` does."""
    with svc.writing() as session:
        row = _waiting(session, access, change_id, version, comment)
        if row.proposed_by == access.actor:
            raise Forbidden("withdraw a change of your own instead of rejecting it")
        _decide(row, access, "rejected", svc.now(), comment)
        return shown(row)


def withdraw(svc: Service, access: Access, change_id: str, *, version: int, comment: str = "") -> PolicyChange:
    """Take back a change of one's own.  Raises NotFound, StaleVersion, Invalid, NotPossible, and Forbidden for anybody else's."""
    with svc.writing() as session:
        row = _waiting(session, access, change_id, version, comment, role=False)
        if row.proposed_by != access.actor:
            raise Forbidden("only whoever proposed a change takes it back")
        _decide(row, access, "withdrawn", svc.now(), comment)
        return shown(row)


def _waiting(session: Session, access: Access, change_id: str, seen: int, comment: str, *, role: bool = True) -> PolicyChangeRow:
    access.require(SCOPE)
    if role and not access.may_decide_policies():
        raise Forbidden("this takes the role policy_owner, manager or administrator")
    if len(comment) > REASON_LIMIT or "\x00" in comment:
        raise Invalid(Flaw("comment", "wrong_length", f"at most {REASON_LIMIT} characters"))
    row = found(session, change_id, lock=True)
    if row.row_version != seen:
        raise StaleVersion(row.row_version)
    if row.state != "proposed":
        raise NotPossible(f"the change is {row.state} already")
    return row


def _decide(row: PolicyChangeRow, access: Access, state: str, now: int, comment: str) -> None:
    row.state, row.decided_by, row.decided_name, row.decided_at = state, access.actor, access.name, now
    row.comment, row.row_version = comment.strip() or None, row.row_version + 1


def _following(svc: Service, session: Session, row: PolicyChangeRow, base: Policy | None) -> Policy:
    """The version that the change puts in force now.  What the installation proposed takes effect today where its day has passed."""
    if row.base_digest != (None if base is None else base.digest):
        raise NotPossible("another version has come into force since this was proposed: propose it anew")
    wanted = version(svc, row.digest)
    today = wanted.zone.day_of(svc.now())
    if wanted.effective >= today:
        return wanted
    if row.proposed_by != INSTALLATION:
        raise NotPossible(f"its day, {row.effective}, has passed: propose it anew with a later one")
    wanted = moved(wanted, base, today=today)
    row.digest, row.effective = keep(session, wanted, now=svc.now()), day_text(wanted.effective)
    return wanted


def _backtest(session: Session, wanted: Policy, base: Policy | None, digests: set[str]) -> str | None:
    """The backtest that the approval rests on.  Raises NotPossible where a rule begins to accuse and nobody has tried it out."""
    passed = next((run for digest in sorted(digests) if (run := backtest.passed(session, digest)) is not None), None)
    rules = newly_enforced(wanted, base)
    if rules and passed is None:
        which = f"rule {rules[0]} is" if len(rules) == 1 else f"rules {', '.join(rules)} are"
        raise NotPossible(f"{which} enforced by this version and not by the one before: run a backtest of it to the end first")
    return passed


def _take_along(svc: Service, session: Session, policy: str, before: Policy | None, now: Policy) -> None:
    """Changes that wait take over the parameter values that hold now, where that is all that has changed."""
    if before is None or before.text_digest != now.text_digest:
        return
    waiting = select(PolicyChangeRow).where(
        PolicyChangeRow.policy == policy, PolicyChangeRow.state == "proposed", PolicyChangeRow.base_digest == before.digest
    )
    for row in session.scalars(waiting.with_for_update()):
        wanted = version(svc, row.digest)
        start = max(wanted.effective, now.effective)
        plain = wanted.with_parameters({name: parameter.default for name, parameter in wanted.parameters.items()})
        wanted = carried_over(plain, now, row.values).taking_effect(start, applies_to_open=row.applies_to_open)
        row.digest, row.base_digest, row.effective = keep(session, wanted, now=svc.now()), now.digest, day_text(wanted.effective)
        row.row_version += 1
