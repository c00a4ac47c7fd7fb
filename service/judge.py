"""A stored case judged anew at any (as_of, known_at), and explained.  Writes nothing; imports rules/, store/ and service/."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rules.explain import Explanation, explain
from rules.model import CaseFile
from service.bootstrap import Service
from service.policies.policyset import Judgement, PolicySet
from store.breaches import Breach, breaches_of_case
from store.cases import load_case
from store.models import DirtyRow
from store.queries.findings import waivers_of_case

When = int | dt.date
"""An instant (ms), or a local day: its last ms in the policy's zone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A case's file as it was known at ``known_at``, with the waivers that held at ``as_of``."""

    policies: PolicySet
    """The versions that were in force as it was known then."""
    file: CaseFile
    as_of: When
    known_at: When
    waived: frozenset[tuple[str, str, str]]

    def judge(self) -> Judgement:
        """All verdicts on the case, those that are out of scope included."""
        return self.policies.judge(self.file, as_of=self.as_of, known_at=self.known_at, waived=self.waived, keep_out_of_scope=True)

    def explain(self, *, rule: str | None = None, obligation: str | None = None, policy: str | None = None) -> list[Explanation]:
        """The same told in words, or what of it one policy, rule or obligation says."""
        told: list[Explanation] = []
        for group in self.policies.groups:
            part = self.file if len(self.policies.groups) == 1 else group.part_of(self.file)
            chosen = [one for one in group.policies if policy is None or one.id == policy]
            if part is not None and chosen:
                told += explain(
                    chosen, part, as_of=self.as_of, known_at=self.known_at, rule=rule, obligation=obligation, waived=self.waived
                )
        return told


def stored(svc: Service, session: Session, case: str, *, as_of: When, known_at: When) -> Stored:
    """What judging the case at these instants needs."""
    known, at = _instant(svc, known_at), _instant(svc, as_of)
    keys = {breach.id: breach.key for breach in breaches_of_case(session, case).values()}
    holding = [keys[waiver.breach_id] for waiver in waivers_of_case(session, case) if waiver.held(as_of=at, known_at=known)]
    waived = frozenset((episode, rule, obligation) for _, episode, _, rule, obligation in holding)
    return Stored(svc.policies_at(known), load_case(session, case, known_at=known).file, as_of, known_at, waived)


def explain_breach(svc: Service, session: Session, breach: Breach) -> Explanation | None:
    """Why the breach's obligation stands as it does now; None where it no longer exists, or where judging the case has failed."""
    case, episode, policy, rule, obligation = breach.key
    waits = session.get(DirtyRow, case)
    if waits is not None and (waits.quarantined or waits.last_error):
        return None
    now = svc.now()
    told = stored(svc, session, case, as_of=now, known_at=now).explain(policy=policy, rule=rule, obligation=obligation)
    return next((one for one in told if one.verdict.episode == episode), None)


def _instant(svc: Service, when: When) -> int:
    """The instant that ``when`` is; of a day, its end where that comes first among the policies' zones."""
    return min((policy.zone.last_ms_of(when) for policy in svc.policies.policies), default=0)
