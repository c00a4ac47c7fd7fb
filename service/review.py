"""What reviewers do with a breach: acknowledge, uphold, dismiss, comment, and waive with two persons.  Imports store/ and service/.

Evaluation sets a breach's condition, people its review; neither touches the other's.  Whoever decides names the version that
they have seen: where somebody was first, nothing is written.  Each step is a line of the breach's history.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.access import Access
from service.bootstrap import Service
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible, StaleVersion
from service.reconcile import Condition, Review, grounds
from store import errors as store_errors
from store.breaches import Breach, Change, Line, append_history, get_breach, write_breaches
from store.models import WaiverRow
from store.queue import mark_dirty

SCOPE = "breaches:review"
COMMENT_LIMIT = 4_000
LONGEST_WAIVER = 366 * 86_400_000

ACTIONS = {"acknowledge": Review.ACKNOWLEDGED, "uphold": Review.UPHELD, "dismiss": Review.DISMISSED}
"""What can be done to a breach's review, and what it then is; ``comment`` leaves it as it is."""

REVIEW_REASONS = {
    "confirmed": "Looked into and confirmed",
    "done_not_recorded": "It was done, and the record will be put right",
    "record_error": "The record is wrong",
    "not_required_here": "The requirement does not fit this case",
    "outside_control": "It lay outside the service's control",
    "duplicate": "It is the same matter as another breach",
    "other": "Another reason, given in the comment",
}
WAIVER_REASONS = {
    "family_cannot_be_reached": "The family cannot be reached",
    "family_asked_to_wait": "The family asked to wait",
    "unsafe": "It is not safe to do it now",
    "legal_order": "A court order or another legal matter stands against it",
    "outside_control": "It lies outside the service's control",
    "other": "Another reason, given in the comment",
}


@dataclass(frozen=True, slots=True)
class Waiver:
    """A request that a breach be excused, and what became of it.  Instants in ms."""

    id: str
    breach_id: str
    author: str
    approver: str | None
    reason_code: str
    comment: str | None
    state: str
    created: int
    decided_at: int | None
    ends_at: int
    version: int


def review(
    svc: Service, access: Access, breach_id: str, *, action: str, version: int, reason_code: str | None = None, comment: str | None = None
) -> Breach:
    """Take a review step (a key of ``ACTIONS``, or ``comment``); the breach as it stands afterwards.

    Raises Forbidden, NotFound, Invalid, StaleVersion, and NotPossible for a step that changes nothing.
    """
    access.require(SCOPE)
    _check(action, reason_code, comment, REVIEW_REASONS)
    with svc.writing() as session:
        breach = _seen(session, access, breach_id, version)
        after = ACTIONS[action].value if action in ACTIONS else breach.review
        if action in ACTIONS and after == breach.review:
            raise NotPossible(f"the breach is {after} already")
        if action == "acknowledge" and breach.review != Review.NEW:
            raise NotPossible(f"the breach is {breach.review} already")
        now = svc.now()
        line = Line(
            at=now,
            kind="comment" if action == "comment" else after,
            actor=access.actor,
            before=breach.review,
            after=after,
            policy_digest=breach.policy_digest,
            known_at=now,
            reason_code=reason_code,
            comment=comment,
        )
        return _write(session, replace(breach, review=after, changed_at=now), line)


def ask_waiver(
    svc: Service, access: Access, breach_id: str, *, version: int, reason_code: str, ends_at: int, comment: str | None = None
) -> Waiver:
    """Ask that the breach be excused until ``ends_at`` (ms); another person has to approve it.

    Raises Forbidden, NotFound, Invalid, StaleVersion, and NotPossible where it is not open, or a request waits already.
    """
    access.require(SCOPE)
    _check("waive", reason_code, comment, WAIVER_REASONS)
    now = svc.now()
    if not now < ends_at <= now + LONGEST_WAIVER:
        raise Invalid(Flaw("ends_at", "wrong_value", "choose an end within the next twelve months"))
    with svc.writing() as session:
        breach = _seen(session, access, breach_id, version)
        if breach.condition not in (Condition.OPEN, Condition.EXCUSED):
            raise NotPossible(f"the breach is {breach.condition}: there is nothing to excuse")
        if session.scalar(select(WaiverRow.id).where(WaiverRow.breach_id == breach_id, WaiverRow.state == "proposed").limit(1)):
            raise NotPossible("a request for a waiver waits for its approval already")
        row = WaiverRow(
            id=uuid.uuid4().hex,
            breach_id=breach_id,
            author=access.actor,
            reason_code=reason_code,
            comment=comment,
            state="proposed",
            created=now,
            ends_at=ends_at,
            evidence_digest=grounds(breach.snapshot),
            version=1,
        )
        session.add(row)
        session.flush()
        line = Line(
            at=now,
            kind="waiver_proposed",
            actor=access.actor,
            after="proposed",
            policy_digest=breach.policy_digest,
            known_at=now,
            reason_code=reason_code,
            comment=comment,
        )
        append_history(session, [(breach_id, line)])
        mark_dirty(session, [breach.case], now)  # evaluation learns when the request runs out
        asked = _waiver(row)
    svc.hints.send([breach.case])
    return asked


def settle_waiver(
    svc: Service, access: Access, waiver_id: str, *, approve: bool, version: int | None = None, comment: str | None = None
) -> Waiver:
    """Approve or refuse what another person asked for; its author may only take it back (refuse).

    ``version``: the one that was seen, where that is known.  Raises NotFound; StaleVersion where it is another one by now; Forbidden
    for the author and for whoever's role does not reach so far; NotPossible where it is settled already, its end has passed, or the
    evidence has changed since it was asked for.
    """
    access.require(SCOPE)
    _check("waive", None, comment, {})
    now = svc.now()
    with svc.writing() as session:
        row = session.get(WaiverRow, waiver_id, with_for_update=True)
        breach = get_breach(session, row.breach_id, lock=True) if row is not None else None
        if row is None or breach is None or not access.sees(team=breach.team, office=breach.office):
            raise NotFound("there is no such waiver")
        if version is not None and version != row.version:
            raise StaleVersion(row.version)
        if row.state != "proposed":
            raise NotPossible(f"the waiver is {row.state} already")
        own = row.author == access.actor
        if own and approve:
            raise Forbidden("a waiver is approved by another person than the one who asked for it")
        if not own and not access.may_approve(breach.severity):
            raise Forbidden(f"a waiver of a {breach.severity} breach needs a person with another role")
        if approve and row.ends_at <= now:
            raise NotPossible("the end of the waiver has passed")
        if approve and row.evidence_digest != grounds(breach.snapshot):
            raise NotPossible("the evidence has changed since the waiver was asked for")
        row.state = "approved" if approve else "refused"
        row.approver = None if own else access.actor
        row.decided_at = now
        row.version += 1
        line = Line(
            at=now,
            kind=f"waiver_{row.state}",
            actor=access.actor,
            before="proposed",
            after=row.state,
            policy_digest=breach.policy_digest,
            known_at=now,
            comment=comment,
        )
        append_history(session, [(breach.id, line)])
        if approve:
            mark_dirty(session, [breach.case], now)
        session.flush()
        settled = _waiver(row)
    if approve:
        svc.hints.send([breach.case])
    return settled


def actions(access: Access, breach: Breach) -> tuple[str, ...]:
    """What this caller may do with the breach as it stands: review steps, ``comment`` and ``waive``."""
    if not access.allows(SCOPE) or not access.sees(team=breach.team, office=breach.office):
        return ()
    steps = [name for name, after in ACTIONS.items() if after != breach.review and (name != "acknowledge" or breach.review == Review.NEW)]
    waive = ["waive"] if breach.condition in (Condition.OPEN, Condition.EXCUSED) else []
    return (*steps, "comment", *waive)


def _seen(session: Session, access: Access, breach_id: str, version: int) -> Breach:
    """The breach, locked, if the caller may see it and has seen its latest version."""
    breach = get_breach(session, breach_id, lock=True)
    if breach is None or not access.sees(team=breach.team, office=breach.office):
        raise NotFound("there is no such breach")
    if breach.version != version:
        raise StaleVersion(breach.version)
    return breach


def _write(session: Session, breach: Breach, line: Line) -> Breach:
    try:
        versions = write_breaches(session, [Change(breach, (line,))])
    except store_errors.StaleVersion as error:
        raise StaleVersion(breach.version) from error
    return replace(breach, version=versions[breach.id])


def _check(action: str, reason_code: str | None, comment: str | None, reasons: dict[str, str]) -> None:
    flaws = []
    if action not in {*ACTIONS, "comment", "waive"}:
        flaws.append(Flaw("action", "unknown", f"choose one of {', '.join([*ACTIONS, 'comment'])}"))
    if reason_code is not None and reason_code not in reasons:
        flaws.append(Flaw("reason_code", "unknown", f"choose one of {', '.join(reasons)}"))
    if reason_code is None and action == "dismiss":
        flaws.append(Flaw("reason_code", "missing", "a dismissal needs a reason"))
    if (action == "comment" or reason_code == "other") and not (comment or "").strip():
        flaws.append(Flaw("comment", "missing", "say it in a comment"))
    if comment is not None and (len(comment) > COMMENT_LIMIT or not _plain(comment)):
        flaws.append(Flaw("comment", "wrong_value", f"give at most {COMMENT_LIMIT:,} characters, without control characters"))
    if flaws:
        raise Invalid(*flaws)


def _plain(text: str) -> bool:
    return all((char.isprintable() or char in "\n\r\t") and not 0xD800 <= ord(char) <= 0xDFFF for char in text)


def _waiver(row: WaiverRow) -> Waiver:
    return Waiver(
        id=row.id,
        breach_id=row.breach_id,
        author=row.author,
        approver=row.approver,
        reason_code=row.reason_code,
        comment=row.comment,
        state=row.state,
        created=row.created,
        decided_at=row.decided_at,
        ends_at=row.ends_at,
        version=row.version,
    )
