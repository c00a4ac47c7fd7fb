"""One case, from what is on record to what shall be on record.  Imports rules/, store/ and service/.

``read`` loads many cases in one snapshot, ``judge`` is pure, ``write`` belongs into the transaction that ends the claim.  Where
writing finds that a person has changed a breach meanwhile, the caller begins again at ``read``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import BindParameter, CursorResult, bindparam, select, update
from sqlalchemy.orm import Session

from rules.model import CaseFile, Outcome, Verdict
from service.auditprints import fingerprint
from service.policies import Judgement, PolicySet
from service.reconcile import ACTOR, Changes, Context, grounds, plan, snapshot
from service.whereabouts import whereabouts
from store.breaches import Breach, Line, append_history, as_breach, write_breaches
from store.cases import load_cases
from store.ids import Key
from store.models import BreachRow, CaseStateRow, EventRow, WaiverRow
from store.outbox import put
from store.outcomes import verdicts_of_cases, write_states, write_verdicts
from store.states import CaseState

MOST_CAUSES = 20
MERGED = "merged"
_ON_EVIDENCE = frozenset({Outcome.BREACHED, Outcome.EXCUSED, Outcome.LATE, Outcome.MET})


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver that is approved, or that waits for its approval, with the obligation that it covers."""

    id: str
    breach_id: str
    key: Key
    evidence_digest: str
    ends_at: int
    state: str = "approved"


@dataclass(frozen=True, slots=True)
class Known:
    """Everything on record that judging a case rests on.  ``seen`` is the position up to which it was judged before."""

    file: CaseFile
    position: int
    seen: int
    verdicts: dict[Key, Verdict]
    breaches: dict[Key, Breach]
    waivers: tuple[Waiver, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What judging a case found; ``ended`` are waivers that hold no longer, with why."""

    known: Known
    verdicts: tuple[Verdict, ...]
    changes: Changes
    state: CaseState
    ended: tuple[tuple[Waiver, str], ...]
    disagreements: int


@dataclass(frozen=True, slots=True)
class Settle:
    """How long (ms) a breach must last before it is announced."""

    order: int = 24 * 3_600_000
    deadline: int = 0


def read(session: Session, cases: Sequence[str]) -> dict[str, Known]:
    """What is on record about each of the cases."""
    loaded = load_cases(session, cases)
    verdicts = verdicts_of_cases(session, cases)
    given = {"cases": list(cases)}
    breaches: dict[str, dict[Key, Breach]] = defaultdict(dict)
    rows: Any = session.connection().execute(_BREACHES, given)
    for breach in map(as_breach, rows):
        breaches[breach.case][breach.key] = breach
    seen = {row.case_id: row.position for row in session.connection().execute(_SEEN, given)}
    keys = {breach.id: breach.key for known in breaches.values() for breach in known.values()}
    waivers: dict[str, list[Waiver]] = defaultdict(list)
    for row in session.connection().execute(_WAIVERS, given) if keys else ():
        key = keys[row.breach_id]
        waivers[key[0]].append(Waiver(row.id, row.breach_id, key, row.evidence_digest, row.ends_at, row.state))
    return {
        case: Known(one.file, one.position, seen.get(case, 0), verdicts[case], breaches[case], tuple(waivers[case]))
        for case, one in loaded.items()
    }


_CASES: BindParameter[Any] = bindparam("cases", expanding=True)
_BREACHES = select(*BreachRow.__table__.columns).where(BreachRow.case_id.in_(_CASES)).order_by(BreachRow.id)
_SEEN = select(CaseStateRow.case_id, CaseStateRow.position).where(CaseStateRow.case_id.in_(_CASES))
_WAIVERS = (
    select(WaiverRow.id, WaiverRow.breach_id, WaiverRow.evidence_digest, WaiverRow.ends_at, WaiverRow.state)
    .join(BreachRow, BreachRow.id == WaiverRow.breach_id)
    .where(WaiverRow.state.in_(("approved", "proposed")), BreachRow.case_id.in_(_CASES))
    .order_by(WaiverRow.id)
)


def judge(policies: PolicySet, known: Known, *, now: int, settle: Settle) -> Found:
    """Judge the case at ``now`` and plan what follows.  Pure."""
    judged, holding, ended = under_waivers(
        lambda waived: policies.judge(known.file, as_of=now, known_at=now, waived=waived), known.waivers, at=now
    )
    context = Context(
        now=now,
        position=known.position,
        gone=MERGED if judged.merged_into is not None else "gone",
        settle_order=settle.order,
        settle_deadline=settle.deadline,
    )
    changes = plan(before=known.verdicts, breaches=known.breaches, verdicts=judged.verdicts, context=context)
    where = whereabouts(policies, known.file, now=now)
    state = CaseState(
        case=known.file.case,
        evaluated_at=now,
        as_of=now,
        position=known.position,
        next_check_at=_next_check(known, judged, changes, holding, now),
        open_breaches=changes.open_breaches,
        program=where.program,
        team=where.team,
        office=where.office,
        worker=where.worker,
        summary={
            "verdicts": dict(sorted(Counter(one.verdict.value for one in judged.verdicts).items())),
            "metrics": judged.metrics,
            "print": fingerprint(judged.verdicts),
        },
        queries=[{"code": query.code, "message": query.message, "events": list(query.events)} for query in judged.queries],
    )
    return Found(known, judged.verdicts, changes, state, tuple(ended), judged.disagreements)


def under_waivers(
    judge_with: Callable[[frozenset[tuple[str, str, str]]], Judgement], waivers: Sequence[Waiver], *, at: int
) -> tuple[Judgement, list[Waiver], list[tuple[Waiver, str]]]:
    """What a case comes to with its waivers, those that hold at ``at`` (ms), and those that hold no longer, with why.  Pure."""
    holding = [waiver for waiver in waivers if waiver.ends_at > at]
    ended = [(waiver, "ended") for waiver in waivers if waiver.ends_at <= at]
    judged = judge_with(_covered(holding))
    void = _void(holding, judged)
    if void:
        ended += [(waiver, "void") for waiver in void]
        holding = [waiver for waiver in holding if waiver not in void]
        judged = judge_with(_covered(holding))
    return judged, holding, ended


def write(session: Session, outcomes: Sequence[Found], *, now: int) -> None:
    """Put on record what was found in cases whose claims are held.

    Raises store.errors.StaleVersion where a breach has been changed since it was read; roll back then.
    """
    write_verdicts(session, [(found.known.verdicts, found.verdicts) for found in outcomes], now=now)
    causes = _causes(session, [found.known for found in outcomes if found.changes.breaches or found.ended])
    for found in outcomes:
        if found.ended:
            _end_waivers(session, found, causes[found.state.case])
    write_breaches(
        session,
        [
            replace(change, lines=tuple(replace(line, events=causes[found.state.case]) for line in change.lines))
            for found in outcomes
            for change in found.changes.breaches
        ],
    )
    put(session, [message for found in outcomes for message in found.changes.messages], now=now)
    write_states(session, [found.state for found in outcomes])


def _covered(waivers: Sequence[Waiver]) -> frozenset[tuple[str, str, str]]:
    covered = (waiver.key for waiver in waivers if waiver.state == "approved")
    return frozenset((episode, rule, obligation) for _, episode, _, rule, obligation in covered)


def _void(waivers: Sequence[Waiver], judged: Judgement) -> list[Waiver]:
    """Those whose obligation is gone, or rests on other grounds.  What cannot be judged now, or is not due, says nothing about them."""
    verdicts = {one.key: one for one in judged.verdicts}
    found = []
    for waiver in waivers:
        verdict = verdicts.get(waiver.key)
        if verdict is None or (verdict.verdict in _ON_EVIDENCE and grounds(snapshot(verdict)) != waiver.evidence_digest):
            found.append(waiver)
    return found


def _next_check(known: Known, judged: Judgement, changes: Changes, waivers: Sequence[Waiver], now: int) -> int | None:
    """When to look again although nothing arrives: a verdict's own change, a breach that settles, a waiver's end."""
    ahead = [waiver.ends_at for waiver in waivers]
    ahead += [when for when in (judged.next_change, changes.next_announcement) if when is not None]
    ahead += [beat.recorded for beat in known.file.heartbeats]
    return min((when for when in ahead if when > now), default=None)


def _causes(session: Session, cases: Sequence[Known]) -> dict[str, tuple[str, ...]]:
    """By case, the events that have come since it was judged last, the latest ones where there are many."""
    found = {known.file.case: tuple(event.id for event in known.file.events[-MOST_CAUSES:]) for known in cases}
    again = [known for known in cases if known.seen]
    if not again:
        return found
    cluster = {case for known in again for case in (known.file.case, *known.file.linked)}
    oldest = min(known.seen for known in again)
    fresh = select(EventRow.case_id, EventRow.id, EventRow.position).where(
        EventRow.case_id.in_(sorted(cluster)), EventRow.position > oldest
    )
    rows = session.execute(fresh.order_by(EventRow.position)).all()
    for known in again:
        mine = {known.file.case, *known.file.linked}
        found[known.file.case] = tuple(row.id for row in rows if row.case_id in mine and row.position > known.seen)[-MOST_CAUSES:]
    return found


def _end_waivers(session: Session, found: Found, causes: tuple[str, ...]) -> None:
    """Tell each breach's history why its waiver holds no longer: a later line tells what that made of the breach."""
    now = found.state.evaluated_at
    digests = {one.key: one.policy_digest for one in found.verdicts}
    lines = []
    for waiver, why in found.ended:
        voided = {"voided_at": now} if why == "void" else {}
        still = update(WaiverRow).where(WaiverRow.id == waiver.id, WaiverRow.state == waiver.state)
        if not cast("CursorResult[Any]", session.execute(still.values(state=why, version=WaiverRow.version + 1, **voided))).rowcount:
            continue  # answered or taken back meanwhile, which has marked the case: it is looked at again
        line = Line(
            at=now,
            kind=f"waiver_{why}",
            actor=ACTOR,
            before=waiver.state,
            after=why,
            policy_digest=digests.get(waiver.key),
            known_at=now,
            event_position=found.known.position,
            events=causes if why == "void" else (),
        )
        lines.append((waiver.breach_id, line))
    append_history(session, lines)
