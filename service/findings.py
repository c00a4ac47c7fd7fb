"""One case, from what is on record to what shall be on record.  Imports rules/, store/ and service/.

``read`` loads many cases in one snapshot, ``judge`` is pure, ``write`` is the transaction that ends the claim.  Where
writing finds that a person has changed a breach meanwhile, the caller begins again at ``read``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from rules.model import CaseFile, Outcome, Verdict
from service.audits.prints import fingerprint
from service.policies.policyset import Judgement, PolicySet
from service.reconcile import ACTOR, Changes, Context, grounds, plan, snapshot
from service.whereabouts import whereabouts
from store.breaches import BREACHES, Breach, Line, append_history, as_breach, what_stands, write_over
from store.cases import load_with
from store.ids import Key
from store.models import WaiverRow
from store.outbox import put
from store.outcomes import VERDICTS, verdicts_in, write_states, write_verdicts
from store.queue import Claim, holding, release, release_judged, still_held
from store.sql import Statement
from store.states import CaseState
from store.together import pipelined, together

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
    arrivals: tuple[tuple[int, str], ...] = ()
    """The (position, id) of each event that judging rests on, those of linked cases included."""


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
    given = {"cases": set(cases)}
    loaded, others = load_with(session, cases, [(VERDICTS, given), (BREACHES, given), (_SEEN, given), (_WAIVERS, given)])
    verdicts = verdicts_in(others[0], cases)
    breaches: dict[str, dict[Key, Breach]] = defaultdict(dict)
    for breach in map(as_breach, others[1]):
        breaches[breach.case][breach.key] = breach
    seen = {row.case_id: row.position for row in others[2]}
    keys = {breach.id: breach.key for known in breaches.values() for breach in known.values()}
    waivers: dict[str, list[Waiver]] = defaultdict(list)
    for row in others[3]:
        key = keys[row.breach_id]
        waivers[key[0]].append(Waiver(row.id, row.breach_id, key, row.evidence_digest, row.ends_at, row.state))
    return {
        case: Known(one.file, one.position, seen.get(case, 0), verdicts[case], breaches[case], tuple(waivers[case]), one.arrivals)
        for case, one in loaded.items()
    }


_SEEN = Statement("SELECT case_id, position FROM case_state WHERE case_id IN LISTED(:cases)")
_WAIVERS = Statement("""
    SELECT waiver.id, waiver.breach_id, waiver.evidence_digest, waiver.ends_at, waiver.state
    FROM waiver JOIN breach ON breach.id = waiver.breach_id
    WHERE waiver.state IN ('approved', 'proposed') AND breach.case_id IN LISTED(:cases) ORDER BY waiver.id
""")


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
            **({"withdrawn": True} if where.withdrawn else {}),
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


def write(session: Session, outcomes: Sequence[Found], claims: Sequence[Claim], *, now: int) -> list[Found]:
    """Put on record what was found in the cases claimed, and release them; of which of them: the others' claims have run out.

    Raises store.errors.StaleVersion where a breach has been changed since it was read; roll back then.
    """
    causes = {found.state.case: _causes(found.known) for found in outcomes}
    changes = {
        found.state.case: [
            replace(change, lines=tuple(replace(line, events=causes[found.state.case]) for line in change.lines))
            for change in found.changes.breaches
        ]
        for found in outcomes
    }
    ids = [change.breach.id for some in changes.values() for change in some]
    rows, *known = together(session, [holding(claims), *what_stands(ids)])
    held = still_held(claims, rows)
    mine = {claim.case_id for claim in held}
    done = [found for found in outcomes if found.state.case in mine]
    ended = [found for found in done if found.ended]
    for found in ended:
        _end_waivers(session, found, causes[found.state.case])
    if ended:
        known = list(together(session, what_stands(ids)))
    with pipelined(session):
        write_verdicts(session, [(found.known.verdicts, found.verdicts) for found in done], now=now)
        write_over(session, [change for found in done for change in changes[found.state.case]], *known)
        put(session, [message for found in done for message in found.changes.messages], now=now)
        write_states(session, [found.state for found in done])
        waiting_again = release_judged(session, held)
    for claim in waiting_again:  # an event has come since it was claimed; how many rows that changes is known outside only
        release(session, claim, done=True)
    return done


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


def _causes(known: Known) -> tuple[str, ...]:
    """The events that have come since the case was judged last, the latest ones where there are many."""
    if not known.seen:
        return tuple(event.id for event in known.file.events[-MOST_CAUSES:])
    return tuple(event for position, event in known.arrivals if position > known.seen)[-MOST_CAUSES:]


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
