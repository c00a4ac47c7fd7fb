"""What the fault tests share: a seeded crowd of events, and the comparison of a disturbed installation with an undisturbed one."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rules.model import Verdict
from service.bootstrap import Service, build
from service.ingest import ingest
from service.settings import Settings
from service.sweeper import Sweeper
from store.breaches import Breach, StoredLine, altered_lines, as_breach, as_line
from store.models import BreachHistoryRow, BreachRow, CaseStateRow, DirtyRow, EventRow, OutboxRow, VerdictRow
from store.verdicts import as_verdict
from tests.support import tables
from tests.support.service_kit import KEY, shipped

ADELAIDE = ZoneInfo("Australia/Adelaide")
SOURCES = ("urn:chaos:office", "urn:chaos:app", "urn:chaos:paper")


def crowd(count: int, *, seed: int) -> list[dict[str, Any]]:
    """``count`` CloudEvents of made-up cases in the order in which they arrive: shuffled, some repeated in other words' wake.

    Plans come in time, late and never; some events are voided or corrected afterwards, some cases merged, some share a child,
    one source gives heartbeats and lies behind.
    """
    rng = random.Random(seed)
    events: list[dict[str, Any]] = []
    number = 0
    while len(events) < count - len(SOURCES):
        number += 1
        events += _case(rng, f"c{number:04d}", number)
    del events[count - len(SOURCES) :]
    rng.shuffle(events)
    for days in (40, 20, 3):
        beat = {"complete_until": (_START + dt.timedelta(days=200 - days)).isoformat()}
        events.insert(
            rng.randrange(len(events)),
            _event(rng, "-", "source.heartbeat", _START + dt.timedelta(days=200), beat, SOURCES[1], f"beat-{days}"),
        )
    return events


_START = dt.datetime(2026, 2, 2, 9, tzinfo=ADELAIDE)


def _event(rng: random.Random, case: str, kind: str, when: dt.datetime, data: dict[str, Any], source: str, identity: str) -> dict[str, Any]:
    recorded = when + dt.timedelta(hours=rng.randrange(0, 200)) if case != "-" else when
    return {
        "specversion": "1.0",
        "id": identity,
        "source": source,
        "type": kind,
        "subject": case,
        "time": when.isoformat(),
        "recordedtime": recorded.isoformat(),
        "data": data,
    }


def _case(rng: random.Random, case: str, number: int) -> list[dict[str, Any]]:
    source = rng.choice(SOURCES)
    start = _START + dt.timedelta(days=rng.randrange(0, 60), hours=rng.randrange(0, 7))
    made: list[dict[str, Any]] = []

    def add(kind: str, day: float, data: dict[str, Any]) -> str:
        identity = f"{case}-{len(made)}"
        made.append(_event(rng, case, kind, start + dt.timedelta(days=day), data, source, identity))
        return identity

    child = f"child{number if rng.random() < 0.9 else number - 1}"
    if rng.random() < 0.8:
        add("referral.received", -3, {"source": "school", "reason": "x", "children": [child], "received_by": "pathways"})
    add("service.connected", 0, {"program": "cfss", "team": rng.choice(("north", "south")), "office": "adelaide"})
    members = [{"person": f"p{number}", "role": "parent"}, {"person": child, "role": "child"}]
    add("household.recorded", 1, {"members": members})
    days = sorted(rng.sample(range(2, 40), rng.randrange(1, 5)))
    visits = [add("visit.held", day, {"status": "held", "mode": "in_person", "seen": [f"p{number}", child]}) for day in days]
    if rng.random() < 0.7:
        goals = [{"id": "g1", "measure": True, "target": "2026-12-01"}]
        content = {"plan": f"sp{number}", "version": 1, "status": "completed", "kind": "immediate", "immediate_risks": 1, "goals": goals}
        add(
            "safety_plan.recorded",
            rng.randrange(5, 60),
            {**content, "participants": [{"person": m["person"], "role": m["role"]} for m in members]},
        )
    if rng.random() < 0.15:
        add("event.voided", 70, {"target": rng.choice(visits)})
    if rng.random() < 0.15:
        add("event.corrected", 71, {"target": rng.choice(visits), "set": {"time": (start + dt.timedelta(days=3)).isoformat()}})
    if rng.random() < 0.05 and number > 1:
        add("case.merged", 80, {"into": f"c{rng.randrange(1, number):04d}"})
    if rng.random() < 0.3:
        add("case.closed", 90, {"closure_reason": "moved"})
    return made


def batches(events: Sequence[dict[str, Any]], *, seed: int, most: int = 40) -> Iterator[list[dict[str, Any]]]:
    """The events in batches of random size; now and then one is sent again."""
    rng = random.Random(seed)
    start = 0
    while start < len(events):
        size = rng.randrange(1, most)
        yield list(events[start : start + size])
        if rng.random() < 0.1:
            yield list(events[max(0, start - size) : start + size])
        start += size


def undisturbed(events: Sequence[dict[str, Any]], folder: Path, *, now: int) -> Service:
    """An installation that took everything in at once and was never disturbed, judged at ``now``."""
    svc = build(Settings(home=folder, secret_key=SecretStr(KEY)), now=lambda: now, policies=shipped())
    tables.lay(svc.engine)
    ingest(svc, list(events), via="test")
    Sweeper(svc, probation=3600).sweep()
    from service.evaluate import drain

    while drain(svc, budget=60):
        pass
    return svc


def quiet(session: Session, now: int) -> bool:
    """Whether nothing waits: no dirty row, and no case that time has made due."""
    due = select(func.count()).select_from(CaseStateRow).where(CaseStateRow.next_check_at <= now)
    return not session.scalar(select(func.count()).select_from(DirtyRow)) and not session.scalar(due)


def waiting(session: Session) -> str:
    """What still waits, for the message of a test that fails."""
    rows = session.scalars(select(DirtyRow).limit(5)).all()
    count = session.scalar(select(func.count()).select_from(DirtyRow))
    return f"{count} wait: {[(row.case_id, row.attempts, row.quarantined, row.last_error, row.claimed_by) for row in rows]}"


def verdicts(session: Session) -> dict[Any, Any]:
    """All current verdicts by key, without the instants of judging."""
    found = {}
    for verdict in map(as_verdict, session.scalars(select(VerdictRow))):
        found[verdict.key] = _lasting(verdict)
    return found


def _lasting(verdict: Verdict) -> dict[str, Any]:
    fields = verdict.as_dict()
    del fields["as_of"], fields["known_at"]
    return fields


def standing_breaches(session: Session) -> dict[Any, Any]:
    """All breaches that stand, by key.  Withdrawn ones are left out: which were seen in passing depends on the order of arrival."""
    found: dict[Any, Any] = {}
    for breach in map(as_breach, session.scalars(select(BreachRow).where(BreachRow.condition != "withdrawn"))):
        found[breach.key] = (
            breach.condition,
            breach.severity,
            breach.team,
            breach.office,
            breach.due_on,
            breach.days_late,
            breach.snapshot,
        )
    return found


def assert_same(disturbed: Service, reference: Service, accepted: int) -> None:
    """Every accepted event is on record once and judged; verdicts and breaches equal those of the undisturbed installation."""
    with disturbed.reading() as session, reference.reading() as other:
        assert session.scalar(select(func.count()).select_from(EventRow)) == accepted
        assert other.scalar(select(func.count()).select_from(EventRow)) == accepted
        found, expected = verdicts(session), verdicts(other)
        assert found.keys() == expected.keys()
        differing = [(key, found[key], expected[key]) for key in expected if found[key] != expected[key]]
        assert not differing, differing[:3]
        stand, expected = standing_breaches(session), standing_breaches(other)
        assert stand.keys() == expected.keys()
        unequal = [(key, stand[key], expected[key]) for key in expected if stand[key] != expected[key]]
        assert not unequal, unequal[:3]
        assert_sound(session, found)


def assert_sound(session: Session, lasting: Mapping[Any, dict[str, Any]]) -> None:
    """Histories are whole and join up, each message is owed once, and a breach is open exactly where its verdict says so."""
    wrong, after = [], 0
    while True:
        some, further = altered_lines(session, after=after)
        wrong += some
        if further is None:
            break
        after = further
    assert wrong == []
    current = {key: verdict["verdict"] for key, verdict in lasting.items()}
    lines: dict[str, list[StoredLine]] = defaultdict(list)
    for stored in map(as_line, session.scalars(select(BreachHistoryRow).order_by(BreachHistoryRow.id))):
        lines[stored.breach_id].append(stored)
    breaches = [as_breach(row) for row in session.scalars(select(BreachRow))]
    stands = {"breached": "open", "late": "remedied", "excused": "excused"}
    for breach in breaches:
        assert breach.condition == stands.get(current.get(breach.key, ""), "withdrawn")
        assert breach.condition == "withdrawn" or breach.snapshot == lasting[breach.key]
        _assert_joined(breach, lines[breach.id])
    assert {key for key, verdict in current.items() if verdict in ("breached", "late")} <= {breach.key for breach in breaches}
    told = session.scalars(select(OutboxRow.message_id)).all()
    assert len(told) == len(set(told))


def _assert_joined(breach: Breach, lines: Sequence[StoredLine]) -> None:
    state: str | None = None
    for stored in lines:
        assert stored.line.before == state, (breach.key, stored)
        state = stored.line.after
    assert state == breach.condition
