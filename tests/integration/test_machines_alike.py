"""Machines of one installation that are set up otherwise than the others are told of; so is a process that the tables have outgrown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import text

from rules.errors import PolicyError
from service import evaluate
from service.bootstrap import Service, build
from service.company import GONE, Company
from service.ingest import ingest
from service.policies.policyset import of_policies
from service.settings import Settings
from service.standing import troubles
from store import migrations
from store.migrations.floor import set_floor
from store.models import DirtyRow
from tests.support.service_kit import KEY, Clock, shipped

Machine = Callable[..., Service]


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-06-01T12:00")


@pytest.fixture
def machine(redis_db: str, tmp_path: Path, clock: Clock) -> Iterator[Machine]:
    """Makes the service of one process on a machine, with settings of its own."""
    made: list[Service] = []

    def one(name: str, **settings: Any) -> Service:
        chosen = {"secret_key": KEY, "database_url": f"sqlite:///{tmp_path / 'store.sqlite3'}", "redis_url": redis_db, **settings}
        svc = build(Settings(home=tmp_path / name, **chosen), now=clock, policies=shipped())
        svc.company = Company(redis_db, name=f"{name}:1")
        migrations.upgrade(svc.engine)
        made.append(svc)
        return svc

    yield one
    for svc in made:
        svc.close()


def told(svc: Service) -> list[str]:
    assert svc.company is not None
    svc.company.differences(svc, patience=0.0)
    return [trouble.message for trouble in troubles(svc) if trouble.code == "machines_differ"]


def test_machines_that_are_set_up_alike_are_not_told_of(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    assert told(one) == told(two) == told(one) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"secret_key": "k" * 40}, "DUECARE_SECRET_KEY differs"),
        ({"settle_hours": 3}, "DUECARE_SETTLE_HOURS or DUECARE_DEADLINE_SETTLE_HOURS differs"),
        ({"secret_key": "k" * 40, "settle_hours": 3}, "DUECARE_SECRET_KEY, DUECARE_SETTLE_HOURS or DUECARE_DEADLINE_SETTLE_HOURS differ"),
    ],
)
def test_what_another_machine_has_otherwise_is_told_on_both(machine: Machine, settings: dict[str, Any], said: str) -> None:
    one, two = machine("one"), machine("two", **settings)
    told(one)
    assert told(two) == [f"on machine one {said} from here"]
    assert told(one) == [f"on machine two {said} from here"]


def test_prometheus_is_told_by_the_same_codes(machine: Machine) -> None:
    one, two = machine("one"), machine("two", secret_key="k" * 40)
    told(one)
    assert "duecare_trouble{" not in one.metrics.text().decode()
    told(two)
    told(one)
    with one.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7001'"))
    said = one.metrics.text().decode()
    assert 'duecare_trouble{code="machines_differ"} 1.0' in said
    assert 'duecare_trouble{code="newer_tables"} 1.0' in said


def test_other_files_of_sources_and_policies_are_told(machine: Machine, tmp_path: Path) -> None:
    one = machine("one", sources=_file(tmp_path / "a" / "sources.yaml", "sources: {}\n"))
    two = machine("two", sources=_file(tmp_path / "b" / "sources.yaml", "sources: {}\n"))
    told(one)
    assert told(two) == []
    _file(tmp_path / "b" / "sources.yaml", "sources: {} \n")
    two.in_force.installed = of_policies(shipped().policies[1:])
    assert told(two) == ["on machine one the files of policies, what DUECARE_SOURCES names differ from here"]


def _file(path: Path, content: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, "utf-8")
    return path


def test_a_machine_that_is_gone_or_a_queue_that_is_away_differs_from_nobody(
    machine: Machine, clock: Clock, redis_db: str, free_port: int
) -> None:
    one, two = machine("one"), machine("two", secret_key="k" * 40)
    told(one)
    assert told(two)
    clock.ms += GONE + 1
    assert told(two) == []
    told(one)
    assert told(two)
    redis.Redis.from_url(redis_db).flushall()
    assert told(two) == []
    two.company = Company(f"redis://127.0.0.1:{free_port}/0")
    assert told(two) == []


def test_what_is_left_in_the_queue_tells_no_secret(machine: Machine, redis_db: str) -> None:
    told(machine("one"))
    left = repr(redis.Redis.from_url(redis_db).hgetall("duecare:processes"))
    assert "one:1" in left
    assert KEY not in left


def test_a_process_says_that_a_newer_version_has_upgraded_the_tables(machine: Machine) -> None:
    svc = machine("one")
    assert "newer_tables" not in {trouble.code for trouble in troubles(svc)}
    with svc.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7001'"))
    [trouble] = [trouble for trouble in troubles(svc) if trouble.code == "newer_tables"]
    assert "start the newer version" in trouble.message
    assert not trouble.fatal
    with svc.engine.begin() as connection:
        set_floor(connection, "7000")
    [trouble] = [trouble for trouble in troubles(svc) if trouble.code == "newer_tables"]
    assert "serves programs from 7000 on" in trouble.message


def test_a_version_of_a_policy_that_this_program_cannot_read_is_blamed_on_no_case(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    svc = machine("one")
    visit = {"specversion": "1.0", "id": "e1", "source": "urn:test", "type": "visit.held", "subject": "C1"}
    ingest(svc, [{**visit, "time": "2026-05-04T09:00:00+09:30", "data": {"status": "held"}}])

    def unreadable(**_: Any) -> bool:
        raise PolicyError([])

    with monkeypatch.context() as patched:
        patched.setattr(svc.in_force, "refresh", unreadable)
        svc.keep_up()
        for _ in range(5):
            with pytest.raises(PolicyError):
                evaluate.drain(svc)
    with svc.reading() as session:
        [row] = session.query(DirtyRow).all()
    assert (row.attempts, row.token, row.quarantined) == (0, None, False)
    assert evaluate.drain(svc) == 1
