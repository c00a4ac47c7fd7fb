"""A sweep that suddenly finds nearly nothing takes nothing back until somebody has looked; one that misses a few does as ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from adapters.base import Page
from service.errors import NotPossible
from service.sources import pull as pulling
from service.sources import sweeps
from service.sources.definitions import Configured
from service.sources.taking import Pulled
from tests.integration.test_pull import Client, complete, configured, ids, row, visit
from tests.support.service_kit import Kit, instant
from tests.support.service_kit import kit as kit_on

NOW = "2026-03-20 12:00"
ALL = [str(number) for number in range(1, 13)]


@pytest.fixture
def kit(store_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit_on(store_url, tmp_path, now=NOW) as made:
        yield made


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def source(kit: Kit, client: Client) -> Configured:
    made = configured(kit, client)
    client.holds([visit(ref) for ref in ALL], complete="2026-03-20 11:55")
    pulling.pull(kit.svc, made)
    return made


def sweep(kit: Kit, client: Client, source: Configured, there: Sequence[str], number: int = 1) -> Pulled:
    """A pull whose sweep finds these."""
    kit.clock.advance(hours=1)
    client.pages = [Page([], {"read": 1}, complete_until=kit.svc.now(), sweep=number, present={"visits": there}, swept=["visits"])]
    return again(kit, source)


def again(kit: Kit, source: Configured) -> Pulled:
    pulling.forget(kit.svc, source)
    return pulling.pull(kit.svc, source)


def voids(kit: Kit) -> int:
    return sum(id_.endswith("~void") for id_ in ids(kit))


def test_nearly_everything_gone_takes_nothing_back_and_says_so_with_what_to_do(kit: Kit, client: Client, source: Configured) -> None:
    done = sweep(kit, client, source, ["1"])
    assert done.error is not None
    assert done.error.startswith("11 of 12 visits are suddenly gone: nothing was taken back")
    assert "duecare adapters confirm client" in done.error
    assert (voids(kit), row(kit).last_error, row(kit).failures) == (0, done.error, 1)
    assert complete(kit) == instant("2026-03-20 11:55"), "a source in doubt says nothing of its completeness"


def test_the_doubt_stays_until_somebody_confirms_it_and_only_then_it_is_taken_back(kit: Kit, client: Client, source: Configured) -> None:
    sweep(kit, client, source, ["1"])
    client.pages = [Page([], {"read": 1}, complete_until=kit.svc.now(), sweep=1)]
    assert again(kit, source).error is not None
    assert sweeps.confirm(kit.svc, source, by="user:1") == {"visits": 11}
    assert row(kit).next_pull_at == kit.svc.now()
    assert again(kit, source).error is None
    assert (voids(kit), row(kit).vanished, complete(kit)) == (11, None, kit.svc.now())
    with pytest.raises(NotPossible):
        sweeps.confirm(kit.svc, source, by="user:1")


def test_records_that_are_there_again_end_the_doubt_by_themselves(kit: Kit, client: Client, source: Configured) -> None:
    sweep(kit, client, source, [])
    for ref in ALL:
        client.there["visits", ref] = visit(ref)
    client.pages = [Page([], {"read": 1}, complete_until=kit.svc.now(), sweep=1)]
    assert (again(kit, source).error, voids(kit), row(kit).vanished) == (None, 0, None)


def test_a_later_sweep_that_finds_them_ends_the_doubt_too(kit: Kit, client: Client, source: Configured) -> None:
    sweep(kit, client, source, ["1"])
    assert sweep(kit, client, source, ALL, number=2).error is None
    assert (voids(kit), row(kit).vanished) == (0, None)


def test_what_changes_meanwhile_is_read_on(kit: Kit, client: Client, source: Configured) -> None:
    sweep(kit, client, source, ["1"])
    client.pages = [Page([visit("new", held="2026-03-19 10:00")], {"read": 1}, complete_until=kit.svc.now(), sweep=1)]
    assert again(kit, source).counts["accepted"] == 1


@pytest.mark.parametrize(
    ("there", "taken_back"), [(ALL[2:], 2), (ALL[:3], 9), (ALL[:2], 0), ([], 0)], ids=["a few", "nine of twelve", "ten of twelve", "all"]
)
def test_how_much_is_too_much(kit: Kit, client: Client, source: Configured, there: list[str], taken_back: int) -> None:
    sweep(kit, client, source, there)
    assert voids(kit) == taken_back


def test_of_few_records_some_may_go_but_not_all_at_once(kit: Kit, client: Client) -> None:
    made = configured(kit, client)
    client.holds([visit(ref) for ref in ALL[:3]])
    pulling.pull(kit.svc, made)
    sweep(kit, client, made, [])
    assert voids(kit) == 0
    sweep(kit, client, made, ["1"], number=2)
    assert voids(kit) == 2
