"""Holds what the installation's files say against what is in force, and proposes the difference.  Imports store/ and service/.

A policy that the store has never seen comes into force at once; a file that differs from what is in force is a proposal by the
installation, once, and judges nothing until a person approves it.  A file that disappears changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from rules.clock import iso
from rules.policy import Policy
from service.bootstrap import Service
from service.logs import get
from service.policies.book import keep
from service.policies.succession import carried_over, moved, newest
from store.models import INSTALLATION, DirtyRow, PolicyChangeRow, PolicyVersionRow, VerdictRow
from store.policychanges import activated, claim_change
from store.queue import mark_every_case

_log = get("register")


def register(svc: Service) -> bool:
    """Keep and install or propose what the files hold.  Whether all cases were made dirty because a policy has come into force.

    Whoever sweeps does this at its start; doing it twice does nothing.
    """
    with svc.writing() as session:
        claim_change(session)
        known = {one.policy for one in activated(session)}
        fresh = [policy for policy in svc.installed.policies if policy.id not in known]
        unheard = {policy.digest for policy in fresh} - set(session.scalars(select(PolicyVersionRow.digest)))
        for place, policy in enumerate(fresh):
            _install(session, policy, svc.now() + place)  # the order of the files stays that of the policies
        proposed = [policy for policy in svc.installed.policies if policy.id in known and _propose(svc, session, policy)]
        cases = mark_every_case(session, svc.now()) if unheard or (fresh and _judged_by_others(session)) else 0
    svc.refresh()
    if fresh:
        _log.info("policies_installed", policies=sorted({policy.id for policy in fresh}), cases=cases)
    for policy in proposed:
        _log.warning("policy_file_differs", policy=policy.id, version=policy.version, digest=policy.digest[:12])
    return bool(cases)


def _install(session: Session, policy: Policy, now: int) -> None:
    session.add(
        _row(session, policy, now, state="active", source=policy.digest, base=None, reason="Came with the installation", decided=True)
    )
    session.flush()


def _propose(svc: Service, session: Session, policy: Policy) -> bool:
    """Whether the file's version is a proposal from now on: it is not if it is or was one, or is in force."""
    ours = PolicyChangeRow.policy == policy.id
    same = (PolicyChangeRow.source_digest == policy.digest) | (PolicyChangeRow.digest == policy.digest)
    if session.scalar(select(exists().where(ours, same))):
        return False
    base = newest(session, svc.versions, policy.id)
    wanted = policy if base is None else carried_over(policy, base)
    wanted = moved(wanted, base, today=policy.zone.day_of(svc.now()))
    reason = f"The installation's file {policy.path.rpartition('/')[2]} holds another version than the one in force"
    session.add(_row(session, wanted, svc.now(), state="proposed", source=policy.digest, base=base, reason=reason, decided=False))
    session.flush()
    return True


def _row(
    session: Session, policy: Policy, now: int, *, state: str, source: str, base: Policy | None, reason: str, decided: bool
) -> PolicyChangeRow:
    return PolicyChangeRow(
        id=uuid.uuid4().hex,
        policy=policy.id,
        kind="installed",
        state=state,
        digest=keep(session, policy, now=now),
        base_digest=None if base is None else base.digest,
        source_digest=source,
        version=policy.version,
        effective=iso(policy.effective),
        applies_to_open=policy.applies_to_open,
        values={},
        reason=reason,
        proposed_by=INSTALLATION,
        proposed_name=INSTALLATION,
        proposed_at=now,
        decided_by=INSTALLATION if decided else None,
        decided_name=INSTALLATION if decided else None,
        decided_at=now if decided else None,
        row_version=1,
    )


def _judged_by_others(session: Session) -> bool:
    """Whether anything was judged already by other versions than those that are in force."""
    waiting = exists().where(DirtyRow.case_id == VerdictRow.case_id)
    digests: Sequence[str] = [one.digest for one in activated(session)]
    return bool(session.scalar(select(exists().where(VerdictRow.policy_digest.not_in(digests), ~waiting))))
