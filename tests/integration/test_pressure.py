"""Back pressure: no more is accepted than can be judged, and what was accepted is judged."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from api.app import create_app
from service import keys
from service.errors import Overloaded
from service.sweeper import Sweeper
from store.models import EventRow
from store.queue import count_waiting, mark_every_case
from tests.support.service_kit import Kit, event
from tests.support.service_kit import kit as kit_on

LIMIT = 20


@pytest.fixture
def kit(store_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit_on(store_url, tmp_path, waiting_limit=LIMIT) as made:
        yield made


class Sender:
    """A client system that sends batches and keeps what was accepted."""

    def __init__(self, kit: Kit) -> None:
        self.app = create_app(kit.svc)
        self.headers = {"Authorization": f"Bearer {keys.create(kit.svc, name='sender', scopes=('events:write',))[1]}"}

    def send(self, *cases: str, number: int = 1) -> Any:
        events = [
            event("service.connected", "2026-05-01T09:00", {"program": "cfss"}, case=case, event_id=f"{case}-{number}") for case in cases
        ]
        kind = "application/cloudevents-batch+json"
        return self.app.test_client().post("/v1/events", json=events, content_type=kind, headers=self.headers)


def waiting(kit: Kit) -> int:
    with kit.svc.reading() as session:
        return count_waiting(session, most=10_000)


def stored(kit: Kit) -> int:
    with kit.svc.reading() as session:
        return session.scalar(select(func.count()).select_from(EventRow)) or 0


def test_when_too_many_cases_wait_a_sender_is_told_when_to_come_back_and_nothing_of_it_is_taken(kit: Kit) -> None:
    sender = Sender(kit)
    assert sender.send(*(f"c{n}" for n in range(LIMIT))).status_code == 202
    refused = sender.send("late-1", "late-2")
    assert (refused.status_code, refused.json["code"], refused.content_type) == (429, "overloaded", "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert (stored(kit), waiting(kit)) == (LIMIT, LIMIT)
    kit.clock.advance(seconds=int(refused.headers["Retry-After"]))
    kit.settle()
    assert sender.send("late-1", "late-2").status_code == 202
    assert stored(kit) == LIMIT + 2


def test_events_of_cases_that_wait_already_pass_since_they_add_no_work(kit: Kit) -> None:
    sender = Sender(kit)
    sender.send(*(f"c{n}" for n in range(LIMIT)))
    assert sender.send("c1", "c2", number=2).status_code == 202
    assert sender.send("c1", "another", number=3).status_code == 429
    assert waiting(kit) == LIMIT


def test_a_new_version_of_a_policy_stops_nobody_who_reports_on_a_case_on_record(kit: Kit) -> None:
    sender = Sender(kit)
    for start in range(0, 2 * LIMIT, LIMIT):
        sender.send(*(f"c{n}" for n in range(start, start + LIMIT)))
        kit.settle()
        kit.clock.advance(seconds=2)
    with kit.svc.writing() as session:
        mark_every_case(session, kit.svc.now())
    kit.clock.advance(seconds=2)
    assert sender.send("c1", number=2).status_code == 202
    assert sender.send("new").status_code == 429


def test_between_two_counts_what_was_taken_meanwhile_counts(kit: Kit) -> None:
    sender = Sender(kit)
    assert [sender.send(f"c{n}").status_code for n in range(LIMIT + 5)].count(202) == LIMIT


def test_many_senders_at_once_lose_nothing_that_was_accepted(kit: Kit) -> None:
    sender = Sender(kit)
    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(lambda n: (n, sender.send(f"c{n}").status_code), range(60)))
    accepted = [n for n, status in answers if status == 202]
    assert {status for _, status in answers} == {202, 429}
    assert stored(kit) == waiting(kit) == len(accepted)
    assert LIMIT <= len(accepted) <= LIMIT + 4
    assert kit.settle() == len(accepted)


def test_a_gate_that_is_full_opens_when_the_work_has_been_done(kit: Kit) -> None:
    Sender(kit).send(*(f"c{n}" for n in range(LIMIT)))
    assert kit.svc.gate.full
    with pytest.raises(Overloaded):
        kit.svc.gate.admit({"another"})
    Sweeper(kit.svc, probation=1.0).sweep()
    kit.settle()
    kit.clock.advance(seconds=2)
    assert not kit.svc.gate.full
    kit.svc.gate.admit({"another"})


def test_without_a_limit_everything_passes(sqlite_url: str, tmp_path: Path) -> None:
    with kit_on(sqlite_url, tmp_path, waiting_limit=0) as open_kit:
        sender = Sender(open_kit)
        assert {sender.send(f"c{n}").status_code for n in range(5)} == {202}
        assert not open_kit.svc.gate.full
