"""The store's disk is full to its last byte: senders are told to come again, nothing accepted is lost, and it goes on by itself."""

from __future__ import annotations

import contextlib
import os
import pwd
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app
from service import keys
from service.bootstrap import build
from service.settings import Settings
from store.migrations import upgrade
from store.models import DirtyRow
from tests.support.chaos import assert_same, batches, crowd, quiet, undisturbed, waiting
from tests.support.installation import BATCH
from tests.support.overseen import until
from tests.support.servers import Postgres, ServerMissing
from tests.support.service_kit import KEY, shipped
from tests.support.smalldisk import NoSmallDisk, SmallDisk
from workers.embedded import Embedded

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

EVENTS = 200
SEED = 28


class SmallPostgres(Postgres):
    """A PostgreSQL whose whole cluster, its log of transactions included, is on a small disk."""

    def prepare(self) -> None:
        self.disk = SmallDisk(self.folder / "data", megabytes=160).__enter__()
        nobody = pwd.getpwnam("nobody")
        os.chown(self.disk.folder, nobody.pw_uid, nobody.pw_gid)
        self.disk.folder.chmod(0o700)
        super().prepare()

    def close(self) -> None:
        self.kill()
        if hasattr(self, "disk"):
            self.disk.__exit__(None, None, None)
        super().close()


@pytest.fixture(params=["sqlite", "postgresql"])
def on_a_small_disk(request: pytest.FixtureRequest, tmp_path) -> Iterator[tuple[str, SmallDisk, Callable[[], object]]]:
    """A database's URL, the disk that it is on, and what an operator does when there is room again."""
    try:
        if request.param == "sqlite":
            with SmallDisk(tmp_path / "small", megabytes=24) as disk:
                yield f"sqlite:///{disk.folder / 'duecare.sqlite3'}", disk, lambda: None
        else:
            with SmallPostgres() as server, server.database() as url:
                yield url, server.disk, server.start
    except NoSmallDisk as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    except ServerMissing as error:
        pytest.skip(str(error))


def test_a_full_disk_loses_nothing_and_is_recovered_from(on_a_small_disk, tmp_path):
    url, disk, mend = on_a_small_disk
    events = crowd(EVENTS, seed=SEED)
    parts = list(batches(events, seed=SEED, most=20))
    settings = Settings(home=tmp_path, database_url=url, secret_key=KEY, lease_seconds=15, sweep_seconds=0.2, probation_seconds=3)
    svc = build(settings, policies=shipped())
    upgrade(svc.engine)
    _, token = keys.create(svc, name="feed", scopes=["events:write"])
    client = create_app(svc).test_client()
    answers: Counter[int] = Counter()

    def post(part) -> bool:
        answer = client.post("/v1/events", json=part, headers={**BATCH, "Authorization": f"Bearer {token}"})
        answers[answer.status_code] += 1
        if answer.status_code == 202:
            return True
        assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable"), answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        return False

    def calm() -> bool:
        with contextlib.suppress(SQLAlchemyError), svc.reading() as session:
            return quiet(session, svc.now())
        return False

    with Embedded(svc):
        third = len(parts) // 3
        assert all(post(part) for part in parts[:third])
        until(calm, 180, pause=0.1)
        if url.startswith("sqlite"):
            until(lambda: log_is_empty(url))  # else what comes next finds room in the log that is there
        disk.fill()
        later = [part for part in parts[third : 2 * third] if not post(part)]
        assert later, "the disk was full and everything was taken"
        post(later[0])  # refused again, or taken: PostgreSQL may by now have found room in files that it had
        disk.make_room()
        mend()
        for part in [*later, *parts[2 * third :]]:
            until(lambda part=part: post(part), 180, pause=0.2)
        ends = time.monotonic() + 300
        while not calm():
            assert time.monotonic() < ends, still(svc)
            time.sleep(0.1)
    with svc.reading() as session:
        assert session.scalars(select(DirtyRow.case_id)).all() == []
    reference = undisturbed(events, tmp_path / "reference", now=svc.now())
    assert_same(svc, reference, EVENTS - 3)
    reference.close()
    svc.close()


def log_is_empty(url: str) -> bool:
    """The log of transactions is written back and cut to nothing."""
    file = Path(url.removeprefix("sqlite:///"))
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return file.with_name(f"{file.name}-wal").stat().st_size == 0


def still(svc) -> str:
    with svc.reading() as session:
        return waiting(session)
