"""What a refused record holds back: the case that it is about, and every case only where nobody knows which it is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.base import Record
from rules.model import NEVER
from service.sources import pull as pulling
from service.sources import rejects as rejected
from service.sources.definitions import Configured
from store.cases import load_case
from store.queue import stale
from tests.integration.test_pull import MAPPING, URI, Client, complete, configured, rejects, visit
from tests.support.service_kit import Kit, connected, instant
from tests.support.service_kit import kit as kit_on

NOW = "2026-05-01 12:00"
FAMILIES = ("F1", "F2")


@pytest.fixture
def kit(store_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit_on(store_url, tmp_path, now=NOW) as made:
        yield made


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def source(kit: Kit, client: Client) -> Configured:
    """Two families with three visits each and no plan: a breach in both."""
    for family in FAMILIES:
        kit.take(connected("2026-03-01T09:00", case=family))
    made = configured(kit, client)
    read(kit, client, made, *(held(family, f"2026-03-{day:02}") for family in FAMILIES for day in (2, 9, 16)))
    assert [kit.verdict("C08", family) for family in FAMILIES] == ["breached", "breached"]
    return made


def held(family: str, day: str, *, ref: str | None = None, status: str = "done", changed: str | None = None) -> Record:
    return visit(ref or f"{family}-{day}", family=family, held=f"{day} 10:00", changed=changed or f"{day} 11:00", status=status)


def read(kit: Kit, client: Client, source: Configured, *records: Record) -> None:
    """A pull after which the source is complete up to now."""
    client.holds(records, complete="2026-05-01 11:59")
    client.pages[-1] = client.pages[-1].__class__(client.pages[-1].records, {"read": 1}, complete_until=kit.svc.now())
    pulling.forget(kit.svc, source)
    assert pulling.pull(kit.svc, source).error is None
    kit.settle()


def verdicts(kit: Kit) -> dict[str, str]:
    return {family: kit.verdict("C08", family) for family in FAMILIES}


def test_a_refused_record_puts_only_its_own_case_in_doubt_until_it_is_taken_in(kit: Kit, client: Client, source: Configured) -> None:
    read(kit, client, source, held("F1", "2026-03-12", status="perhaps"))
    assert verdicts(kit) == {"F1": "unknown: source_stale", "F2": "breached"}
    assert complete(kit) == kit.svc.now()
    mended = configured(kit, client, MAPPING.replace("done: held", "done: held, perhaps: cancelled"))
    assert rejected.replay(kit.svc, mended).counts["accepted"] == 1
    kit.settle()
    assert verdicts(kit) == {"F1": "breached", "F2": "breached"}


def test_a_record_that_is_set_aside_holds_nothing_back_any_more(kit: Kit, client: Client, source: Configured) -> None:
    read(kit, client, source, held("F1", "2026-03-12", status="perhaps"))
    (reject,) = rejects(kit)
    assert rejected.dismiss(kit.svc, source, reject.id, by="user:1")
    with kit.svc.reading() as session:
        assert stale(session, kit.svc.now(), 10) == ["F1"]
    kit.settle()
    assert verdicts(kit) == {"F1": "breached", "F2": "breached"}


def test_what_was_recorded_after_the_day_in_question_puts_nothing_in_doubt(kit: Kit, client: Client, source: Configured) -> None:
    read(kit, client, source, held("F1", "2026-04-29", status="perhaps"))
    assert verdicts(kit) == {"F1": "breached", "F2": "breached"}


def test_an_edit_that_is_refused_counts_from_the_edit_and_not_from_the_record(kit: Kit, client: Client, source: Configured) -> None:
    read(kit, client, source, held("F1", "2026-03-02", status="perhaps", changed="2026-04-29 09:00"))
    assert verdicts(kit) == {"F1": "breached", "F2": "breached"}
    with kit.svc.reading() as session:
        (hold,) = load_case(session, "F1").file.holds
    assert hold.complete_until == instant("2026-04-29 09:00") - 1


def test_a_record_of_nobody_knows_which_case_holds_back_every_case_from_when_it_was_recorded(
    kit: Kit, client: Client, source: Configured
) -> None:
    kit.clock.advance(hours=5)
    read(kit, client, source, held("", "2026-05-01", changed="2026-05-01 15:30"))
    assert complete(kit) == instant("2026-05-01 15:30") - 1
    (reject,) = rejects(kit)
    assert rejected.dismiss(kit.svc, source, reject.id, by="user:1")
    read(kit, client, source)
    assert complete(kit) == kit.svc.now()


def test_as_it_was_known_before_nothing_was_held_back_and_afterwards_it_had_been(kit: Kit, client: Client, source: Configured) -> None:
    before = kit.svc.now()
    kit.clock.advance(hours=1)
    read(kit, client, source, held("F1", "2026-03-12", status="perhaps"))
    during = kit.svc.now()
    kit.clock.advance(hours=1)
    (reject,) = rejects(kit)
    rejected.dismiss(kit.svc, source, reject.id, by="user:1")
    with kit.svc.reading() as session:
        found = [len(load_case(session, "F1", known_at=at).file.holds) for at in (before, during, kit.svc.now(), NEVER)]
    assert found == [0, 1, 0, 0]


def test_a_record_about_another_case_after_all_lets_the_first_one_go(kit: Kit, client: Client, source: Configured) -> None:
    read(kit, client, source, held("F1", "2026-03-12", ref="x", status="perhaps"))
    read(kit, client, source, held("F2", "2026-03-12", ref="x", status="perhaps"))
    assert verdicts(kit) == {"F1": "breached", "F2": "unknown: source_stale"}


def test_a_record_that_is_refused_twice_is_held_back_once(kit: Kit, client: Client, source: Configured) -> None:
    for _ in range(2):
        read(kit, client, source, held("F1", "2026-03-12", status="perhaps"))
    with kit.svc.reading() as session:
        assert len(load_case(session, "F1").file.holds) == 1


def test_a_source_that_says_nothing_of_its_completeness_holds_nothing_back(store_url: str, tmp_path: Path) -> None:
    with kit_on(store_url, tmp_path, now=NOW) as silent:
        client = Client()
        made = configured(silent, client)
        silent.take(connected("2026-03-01T09:00", case="F1"))
        client.holds([held("F1", f"2026-03-{day:02}") for day in (2, 9, 16)], [held("F1", "2026-03-12", status="perhaps")])
        pulling.pull(silent.svc, made)
        silent.settle()
        assert silent.verdict("C08", "F1") == "breached"


def test_a_first_record_that_is_refused_counts_as_a_word_of_its_source(kit: Kit, client: Client, source: Configured) -> None:
    kit.take(connected("2026-03-01T09:00", case="F3"))
    kit.settle()
    breached = [rule for rule, breach in kit.breaches("F3").items() if breach.condition == "open"]
    read(kit, client, source, held("F3", "2026-03-02", status="perhaps"))
    still = [rule for rule, breach in kit.breaches("F3").items() if breach.condition == "open"]
    assert set(still) < set(breached)


def test_uri_of_the_source_is_that_of_its_holds(kit: Kit, client: Client, source: Configured) -> None:
    read(kit, client, source, held("F1", "2026-03-12", status="perhaps"))
    with kit.svc.reading() as session:
        (hold,) = load_case(session, "F1").file.holds
    assert (hold.source, hold.case, hold.complete_until) == (URI, "F1", instant("2026-03-12 11:00") - 1)
