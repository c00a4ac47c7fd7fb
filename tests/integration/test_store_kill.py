"""A process that is killed at any point loses nothing that it was told is stored, and stores no half of a transaction."""

import random
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import select

from store.models import DirtyRow, EventRow
from tests.support.stores import opened

WRITER = """
import sys
from rules.model import Event
from store.engine import make_engine, session_factory
from store.events import insert_events
from store.queue import mark_dirty

write = session_factory(make_engine(sys.argv[1]))
for number in range(100_000):
    with write.begin() as session:
        insert_events(session, [Event("cms", f"{number}-{part}", "t", f"C{number}", 1, 1) for part in range(3)], received=1)
        mark_dirty(session, [f"C{number}"], 1)
    print(number, flush=True)
"""


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(3))
def test_kill_9_while_events_go_in(store_url, seed):
    with opened(store_url) as store:
        process = subprocess.Popen([sys.executable, "-c", WRITER, store_url], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(4)]
        time.sleep(random.Random(seed).uniform(0.1, 0.4))
        process.send_signal(signal.SIGKILL)
        told = [*map(int, first), *(int(line) for line in process.stdout.read().split("\n")[:-1])]
        process.stdout.close()
        process.wait(60)
        with store.read() as session:
            kept: dict[str, int] = {}
            for case in session.scalars(select(EventRow.case_id)):
                kept[case] = kept.get(case, 0) + 1
            waiting = set(session.scalars(select(DirtyRow.case_id)))
        assert {f"C{number}" for number in told} <= set(kept)
        assert set(kept.values()) == {3}
        assert waiting == set(kept)
        with store.write.begin() as session:
            session.add(DirtyRow(case_id="next", generation=1, since=1))
