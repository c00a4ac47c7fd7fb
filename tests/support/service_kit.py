"""A service on a fresh database with a clock that tests set, and small made-up cases to put into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from service import evaluate
from service.bootstrap import Service, build
from service.ingest import IngestReport, ingest
from service.policies.policyset import PolicySet, load
from service.settings import Settings
from service.sweeper import Sweeper
from store.breaches import Breach, StoredLine, breaches_of_case, history_of
from store.verdicts import verdicts_of_case
from tests.support import tables

ADELAIDE = ZoneInfo("Australia/Adelaide")
SOURCE = "urn:test:casework"
KEY = "a-key-for-tests-that-is-long-enough"


class Clock:
    """Now, as the test says."""

    def __init__(self, text: str) -> None:
        self.ms = instant(text)

    def __call__(self) -> int:
        return self.ms

    def set(self, text: str) -> None:
        self.ms = instant(text)

    def advance(self, **by: float) -> None:
        self.ms += int(dt.timedelta(**by).total_seconds() * 1000)


class Kit:
    """A service with its clock, and what tests want to know of it."""

    def __init__(self, svc: Service, clock: Any) -> None:
        self.svc, self.clock = svc, clock
        self.who: dict[str, str] = {}
        """Actors by name, where a test has made people."""
        self.sweeper = Sweeper(svc, probation=3600.0)

    def take(self, *events: dict[str, Any]) -> IngestReport:
        return ingest(self.svc, events, via="test")

    def settle(self) -> int:
        """Sweep and judge until nothing waits; how many cases were judged."""
        judged = 0
        self.sweeper.sweep()
        while more := evaluate.drain(self.svc):
            judged += more
        return judged

    def restart(self, policies: PolicySet | None = None) -> None:
        """Another process of the same installation, whose files hold ``policies`` (the same as before unless given)."""
        before = self.svc
        before.close()
        self.svc = build(before.settings, now=self.clock, policies=policies or before.installed)
        self.sweeper = Sweeper(self.svc, probation=3600.0)

    def restart_beside(self) -> None:
        """Become another process of the same installation, while the first goes on."""
        self.svc = build(self.svc.settings, now=self.clock, policies=self.svc.installed)
        self.sweeper = Sweeper(self.svc, probation=3600.0)

    def verdict(self, rule: str, case: str = "k1") -> str:
        """The one verdict of a rule on a case, with its reason where it has one."""
        with self.svc.reading() as session:
            (found,) = (v for v in verdicts_of_case(session, case).values() if v.rule == rule)
        return found.verdict.value + (f": {found.reason}" if found.verdict.value in {"unknown", "not_applicable"} else "")

    def breaches(self, case: str = "k1") -> dict[str, Breach]:
        """The case's breaches by rule."""
        with self.svc.reading() as session:
            return {breach.key[3]: breach for breach in breaches_of_case(session, case).values()}

    def history(self, rule: str, case: str = "k1") -> list[StoredLine]:
        with self.svc.reading() as session:
            return history_of(session, self.breaches(case)[rule].id)

    def kinds(self, rule: str, case: str = "k1") -> list[str]:
        return [stored.line.kind for stored in self.history(rule, case)]


@cache
def shipped() -> PolicySet:
    """The shipped policies, read once for all tests."""
    return load()


@contextmanager
def kit(url: str, home: Path, *, now: str = "2026-06-01T12:00", policies: PolicySet | None = None, **settings: Any) -> Iterator[Kit]:
    """A service on an empty database at ``url``."""
    clock = Clock(now)
    made = Settings(home=home, database_url=url, secret_key=KEY, **settings)
    svc = build(made, now=clock, policies=policies or shipped())
    tables.lay(svc.engine)
    made_kit = Kit(svc, clock)
    try:
        yield made_kit
    finally:
        made_kit.svc.close()


def instant(text: str) -> int:
    """Ms of a local time in Adelaide, ``2026-03-02T09:00``."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ADELAIDE).timestamp() * 1000)


def event(
    type_name: str,
    at: str,
    data: dict[str, Any] | None = None,
    *,
    case: str = "k1",
    event_id: str | None = None,
    rec: str | None = None,
    source: str = SOURCE,
) -> dict[str, Any]:
    """A CloudEvent at a local time in Adelaide, recorded at once unless ``rec`` says otherwise."""
    when = dt.datetime.fromisoformat(at).replace(tzinfo=ADELAIDE).isoformat()
    recorded = dt.datetime.fromisoformat(rec).replace(tzinfo=ADELAIDE).isoformat() if rec else when
    return {
        "specversion": "1.0",
        "id": event_id or f"{case}-{type_name}-{at}",
        "source": source,
        "type": type_name,
        "subject": case,
        "time": when,
        "recordedtime": recorded,
        "data": data or {},
    }


def connected(at: str = "2026-03-02T09:00", *, case: str = "k1", **more: Any) -> dict[str, Any]:
    return event("service.connected", at, {"program": "cfss", "team": "north", "office": "adelaide", **more}, case=case)


def visit(at: str, *, case: str = "k1", **more: Any) -> dict[str, Any]:
    data = {"status": "held", "mode": "in_person", "purpose": "engagement", "seen": ["p1"], **more}
    return event("visit.held", at, data, case=case)


def plan(at: str, *, case: str = "k1", rec: str | None = None, event_id: str | None = None, **more: Any) -> dict[str, Any]:
    data = {
        "plan": "sp1",
        "version": 1,
        "status": "completed",
        "kind": "immediate",
        "participants": [{"person": "p1", "role": "parent"}, {"person": "c1", "role": "child"}],
        "immediate_risks": 1,
        "goals": [{"id": "g1", "measure": True, "target": "2026-09-01"}],
        **more,
    }
    return event("safety_plan.recorded", at, data, case=case, rec=rec, event_id=event_id)


def three_visits(case: str = "k1") -> Sequence[dict[str, Any]]:
    """A case of which rule C08 is breached from 24 March 2026 on: no safety plan by the end of the third visit (23 March)."""
    return [
        connected(case=case),
        visit("2026-03-09T10:00", case=case),
        visit("2026-03-16T10:00", case=case),
        visit("2026-03-23T10:00", case=case),
    ]
