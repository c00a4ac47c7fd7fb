"""A removal whose process is killed in the middle of any of its steps is taken up by the next, and ends as if nothing had happened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service import seals
from service.retention import work
from tests.support.audits import finished, started
from tests.support.leaving import ME, RULES, found_in, journey, removed, settle_breaches, whole_dump
from tests.support.service_kit import KEY, Kit, kit

ROOT = Path(__file__).resolve().parents[2]
NOW = "2031-06-02T12:00"
CASES = [f"FAM-{number}" for number in range(1, 5)]
HALF = """
import sys
from pathlib import Path
from service.bootstrap import build
from service.retention import work
from service.settings import Settings
from tests.support.leaving import ME
from tests.support.service_kit import Clock, KEY, shipped

url, home, now, last = sys.argv[1:]
clock = Clock(now)
settings = Settings(home=Path(home), database_url=url, secret_key=KEY, retention=Path(home) / "retention.yaml")
svc = build(settings, now=clock, policies=shipped())
work.CASES_AT_ONCE = 1
whole, steps = work._Work._in_one, 0

def in_one(self, step):
    def stopping(session, row):
        global steps
        done = step(session, row)
        session.flush()
        steps += 1
        if steps == int(last):
            print("in the middle", flush=True)
            sys.stdin.readline()
        return done
    return whole(self, stopping)

work._Work._in_one = in_one
work.work(svc, work.start(svc, ME).id)
print("through", flush=True)
"""


def _fill(made: Kit) -> None:
    for number, case in enumerate(CASES):
        made.take(*journey(case, "2021-05-10", child=f"CH-{number}"))
    made.take(*journey("FAM-OPEN", None, child="CH-OPEN"))
    made.settle()
    settle_breaches(made, *CASES)
    finished(made.svc, started(made.svc, sample=20))
    seals.seal(made.svc, rounds=None)


@pytest.mark.faults
def test_kill_9_in_the_middle_of_a_removal(store_url, tmp_path):
    other = tmp_path / "undisturbed"
    other.mkdir()
    for home in (tmp_path, other):
        (home / "retention.yaml").write_text(RULES)
    with kit(f"sqlite:///{other / 'duecare.sqlite3'}", other, now=NOW, retention=other / "retention.yaml") as made:
        _fill(made)
        expected = removed(made.svc)
    with kit(store_url, tmp_path, now=NOW, retention=tmp_path / "retention.yaml") as made:
        _fill(made)
        for minute, last in enumerate((3, 6)):
            _killed(store_url, tmp_path, f"2031-06-02T12:{10 + 2 * minute}", last)
        made.clock.set("2031-06-02T13:00")
        begun = work.start(made.svc, ME)
        assert begun.id == "000001"
        done = removed(made.svc)
        assert (done.cases, done.journeys, done.counts, done.kept) == (expected.cases, expected.journeys, expected.counts, expected.kept)
        assert found_in(whole_dump(store_url), *CASES) == {}
        found = seals.verify(made.svc)
        assert (found.count, found.certificates) == (0, 1)


def _killed(url: str, home: Path, now: str, last: int) -> None:
    """Goes on until the step ``last``, and is killed in the middle of it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DUECARE_SECRET_KEY": KEY}
    command = [sys.executable, "-c", HALF, url, str(home), now, str(last)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        process.kill()
    assert told == "in the middle\n"
