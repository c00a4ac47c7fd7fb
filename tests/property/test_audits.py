"""An audit counts what a plain loop over ``evaluate`` counts, whatever the cases, the instants and the division; in both its kinds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.audits import AuditScope
from tests.support.audits import by_hand, counts, finished, started
from tests.support.chaos import crowd
from tests.support.service_kit import kit

DAY = 24 * 3_600_000


@given(
    seed=st.integers(0, 2**16),
    judged_on=st.integers(0, 260),
    later=st.integers(0, 20),
    back=st.integers(-3, 60),
    unknown=st.integers(0, 40),
    chunk=st.integers(1, 9),
    scope=st.sampled_from([AuditScope(), AuditScope(teams=("north",)), AuditScope(policies=("cfss",)), AuditScope(since="2026-03-10")]),
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_counts_are_those_of_a_plain_loop(
    seed: int, judged_on: int, later: int, back: int, unknown: int, chunk: int, scope: AuditScope
) -> None:
    """Part of the events come before what is stored was judged, the rest after it."""
    events = crowd(90, seed=seed)
    with tempfile.TemporaryDirectory() as folder, kit(f"sqlite:///{folder}/x.sqlite3", Path(folder), now="2026-02-02T12:00") as made:
        made.clock.advance(days=judged_on)
        made.take(*events[:60])
        made.settle()
        made.clock.advance(days=later)
        made.take(*events[60:])
        now = made.clock.ms
        as_of, known_at = now - back * DAY, now - unknown * DAY
        audits = [
            started(made.svc, kind=kind, as_of=as_of, known_at=known_at, chunk=chunk, scope=scope) for kind in ("full", "incremental")
        ]
        full, incremental = (finished(made.svc, one) for one in audits)
        cases = {one["subject"] for one in events} - {"-"}
        assert counts(full) == by_hand(made.svc, cases, audits[0])
        assert full["results"] == incremental["results"]
        assert full["totals"]["differences"] == 0
