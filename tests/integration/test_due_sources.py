"""Sources whose time has come are asked by themselves: by the scheduler's hints, and by the one process of an embedded installation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters import sample
from service.sources import pull as pulling
from service.sources import turn as turns
from store import sources
from store.engine import make_engine
from store.errors import LeaseLost
from store.models import BreachRow, SourceRow
from tests.support.overseen import until
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on
from workers.embedded import Embedded

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "client-database" / "source.yaml"
URI = "urn:example:client-database"


class Noted:
    """Hints that a test looks at."""

    reachable = True

    def __init__(self) -> None:
        self.asked: list[str] = []

    def send(self, cases: Sequence[str]) -> None:
        """Nobody listens."""

    def work_on(self, backtest: str, *, workers: int = 1) -> None:
        """Nobody listens."""

    def audit(self, audit: str, *, workers: int = 1) -> None:
        """Nobody listens."""

    def ask(self, source: str) -> None:
        self.asked.append(source)


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    client = f"sqlite:///{tmp_path / 'client.sqlite3'}"
    engine = make_engine(client)
    sample.make(engine)
    engine.dispose()
    monkeypatch.setenv("CLIENT_URL", client)
    path = tmp_path / "source.yaml"
    path.write_text(EXAMPLE.read_text("utf-8"), "utf-8")
    with kit_on(sqlite_url, tmp_path / "home", now="2026-05-20T09:00", sources=path, sweep_seconds=0.1) as made:
        yield made


def test_the_scheduler_puts_a_due_source_forward_once_until_it_was_asked(house: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted()
    monkeypatch.setattr(house.svc, "hints", noted)
    house.sweeper.sweep()
    house.sweeper.sweep()
    assert noted.asked == ["client"]
    done = pulling.pull_due(house.svc, "client")
    assert done is not None
    assert (done.error, done.counts["accepted"]) == (None, 118)
    assert pulling.due(house.svc) == []
    again = pulling.pull_due(house.svc, "client")
    assert again is not None
    assert again.busy, "its time has not come"
    house.clock.advance(minutes=5)
    assert pulling.due(house.svc) == ["client"]


def test_a_source_that_is_switched_off_is_never_due(house: Kit, tmp_path: Path) -> None:
    path = tmp_path / "source.yaml"
    path.write_text(path.read_text() + "\nenabled: false\n")
    assert pulling.due(house.svc) == []
    assert pulling.pull_due(house.svc, "client") is None


def test_an_embedded_installation_asks_and_judges_by_itself(house: Kit) -> None:
    def breaches() -> int:
        with house.svc.reading() as session:
            return session.query(BreachRow).filter_by(condition="open").count()

    with Embedded(house.svc):
        until(lambda: breaches() == 30, pause=0.1)
    with house.svc.reading() as session:
        assert session.get_one(SourceRow, URI).failures == 0


def test_a_turn_is_kept_while_a_slow_system_thinks(house: Kit) -> None:
    with house.svc.writing() as session:
        turn = sources.begin(session, URI, adapter="sql", now=house.svc.now(), lease_ms=1_000)
    assert turn is not None

    def leased() -> int:
        with house.svc.reading() as session:
            return session.get_one(SourceRow, URI).lease_until or 0

    with turns.renewing(house.svc, turn, every=0.02):
        house.clock.advance(seconds=10)
        until(lambda: leased() > house.svc.now())


def test_a_turn_that_was_lost_is_not_taken_back(house: Kit) -> None:
    with house.svc.writing() as session:
        turn = sources.begin(session, URI, adapter="sql", now=house.svc.now(), lease_ms=1_000)
        other = sources.begin(session, URI, adapter="sql", now=house.svc.now() + 2_000, lease_ms=1_000)
    assert turn is not None
    assert other is not None
    with turns.renewing(house.svc, turn, every=0.0):
        pass
    with pytest.raises(LeaseLost), house.svc.writing() as session:
        sources.hold(session, turn, now=house.svc.now(), lease_ms=1_000)
    with house.svc.writing() as session:
        sources.hold(session, other, now=house.svc.now(), lease_ms=1_000)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_a_pull_that_is_interrupted_does_not_count_as_good(house: Kit, interruption: type[BaseException]) -> None:
    def told(_: object) -> None:
        raise interruption

    with pytest.raises(interruption):
        pulling.pull(house.svc, house.svc.feeds.get("client"), told=told)
    with house.svc.reading() as session:
        row = session.get_one(SourceRow, URI)
    assert (row.last_good_pull, row.last_error, row.lease_until) == (None, "it was interrupted", None)
    assert pulling.due(house.svc) == ["client"]


def test_the_sample_is_made_on_both_databases_and_never_beside_tables_of_its_names(store_url: str) -> None:
    engine = make_engine(store_url)
    assert sample.make(engine)["client_visit"] == 72
    with pytest.raises(sample.SampleRefused, match="client_visit"):
        sample.make(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM client_visit")) == 72
    engine.dispose()
