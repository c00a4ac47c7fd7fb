"""Notes which policies are in use, and has every case judged again when they are others than before.  Imports store/, service/."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from rules.clock import iso
from service.bootstrap import Service
from service.logs import get
from store.models import DirtyRow, PolicyVersionRow, VerdictRow
from store.queue import mark_every_case
from store.states import note_policy

_log = get("register")


def register(svc: Service) -> bool:
    """Keep the text of every policy in use.  Whether all cases were made dirty because a policy is new, changed, back or gone.

    Whoever sweeps does this at its start; doing it twice does nothing.
    """
    with svc.writing() as session:
        changed = _changed(session, svc)
        for policy in svc.policies.policies:
            note_policy(
                session,
                digest=policy.digest,
                policy=policy.id,
                version=policy.version,
                effective=iso(policy.effective),
                text=dict(svc.policies.texts.get(policy.digest, {})) | {"parameters": dict(policy.values)},
                now=svc.now(),
            )
        cases = mark_every_case(session, svc.now()) if changed else 0
    if changed:
        _log.info("policies_changed", cases=cases)
    return changed


def _changed(session: Session, svc: Service) -> bool:
    digests = {policy.digest for policy in svc.policies.policies}
    noted = set(session.scalars(select(PolicyVersionRow.digest).where(PolicyVersionRow.digest.in_(digests))))
    if noted != digests:
        return True
    waiting = exists().where(DirtyRow.case_id == VerdictRow.case_id)
    return bool(session.scalar(select(exists().where(VerdictRow.policy_digest.not_in(digests), ~waiting))))
