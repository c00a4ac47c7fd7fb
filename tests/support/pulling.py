"""What tests and the benchmark of pulls share: a crowd of writers on a client's database, and what must be in the store in the end."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from typing import Any

from sqlalchemy import Engine, create_engine, select, text

from store.models import EventRow

SOURCE = """
source: client
adapter: {adapter}
zone: UTC
every: 1h
settings: {settings}
mapping:
  mapping: crowd
  version: "1"
  source: urn:test:crowd
  format: {{zone: UTC}}
  case: family
  recorded: changed
  events:
    - type: {{constant: visit.held}}
      id: {{template: "visit-{{id}}"}}
      time: held
      data: {{status: {{constant: held}}, mode: {{constant: in_person}}}}
"""
SQL = "{{url: {{env: CLIENT_URL}}, page: {page}, overlap: {overlap}, tables: [{{table: visits, id: id, updated: changed}}]}}"
FILES = "{{folder: {folder}, settle: 0, page: {page}}}"
BEGUN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def client(url: str) -> Engine:
    """An engine on a client's database, with its table of visits."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    kind = "timestamptz" if engine.dialect.name == "postgresql" else "TIMESTAMP"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE visits (id INTEGER PRIMARY KEY, family VARCHAR(12), held {kind}, changed {kind})"))
        connection.execute(text("CREATE INDEX by_change ON visits (changed, id)"))
    return engine


class Crowd:
    """Writers on PostgreSQL, each in transactions of its own; some stay open for up to ``late`` seconds before they are seen.

    ``held`` counts changes, so that the last change of each row can be told from any other.
    """

    def __init__(self, engine: Engine, *, writers: int, changes: int, late: float, seed: int = 1) -> None:
        self.engine, self.late = engine, late
        self.changed = 0
        self._lock = threading.Lock()
        share = changes // writers
        self._threads = [threading.Thread(target=self._write, args=(number, share, seed * 1000 + number)) for number in range(writers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _write(self, writer: int, share: int, seed: int) -> None:
        rng = random.Random(seed)
        mine: list[int] = []
        made = 0
        with self.engine.connect() as connection:
            while made < share:
                batch = min(rng.choice((1, 1, 2, 5, 20)), share - made)
                for _ in range(batch):
                    made += 1
                    fresh = not mine or rng.random() < 0.5
                    ident = writer * 1_000_000 + len(mine) if fresh else rng.choice(mine)
                    held = BEGUN + dt.timedelta(seconds=made)
                    row = {"id": ident, "family": f"F{ident % 50}", "held": held}
                    stamp = "now()" if rng.random() < 0.5 else "clock_timestamp()"
                    update = f"ON CONFLICT (id) DO UPDATE SET held = :held, changed = {stamp}"
                    connection.execute(text(f"INSERT INTO visits VALUES (:id, :family, :held, {stamp}) {update}"), row)
                    if fresh:
                        mine.append(ident)
                if rng.random() < 0.05:
                    time.sleep(rng.random() * self.late)
                connection.commit()
                with self._lock:
                    self.changed += batch


def there(engine: Engine) -> dict[str, int]:
    """When each visit of the client's database is held (ms), by id."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, held FROM visits")).all()
    return {str(row.id): _ms(row.held) for row in rows}


def standing(store: Engine) -> dict[str, int]:
    """When each visit that stands in the store was held (ms), by id.  Fails where two events of one visit stand."""
    with store.connect() as connection:
        rows = connection.execute(select(EventRow.id, EventRow.type, EventRow.time, EventRow.data)).all()
    voided = {row.data["target"] for row in rows if row.type == "event.voided"}
    found: dict[str, int] = {}
    for row in rows:
        if row.type == "visit.held" and row.id not in voided:
            ref = row.id.partition("~")[0].removeprefix("visit-")
            assert ref not in found, f"two events of visit {ref} stand"
            found[ref] = row.time
    return found


def word_for_word(store: Engine) -> list[tuple[Any, ...]]:
    """All events of a store, but for when they came in."""
    with store.connect() as connection:
        rows = connection.execute(
            select(EventRow.id, EventRow.type, EventRow.case_id, EventRow.time, EventRow.recorded, EventRow.data)
        ).all()
    return sorted((row.id, row.type, row.case_id, row.time, row.recorded, str(sorted(row.data.items()))) for row in rows)


def _ms(value: Any) -> int:
    when = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return int((when if when.tzinfo is not None else when.replace(tzinfo=dt.UTC)).timestamp() * 1000)
