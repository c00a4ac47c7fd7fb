"""What every adapter must do, whatever the system: one suite of tests over a small interface of a client system, its `World`.

A module of an adapter's tests makes a World of its own and a class ``TestX(Contract)`` with a fixture ``world``.  Whatever happens on
the way, what stands in the store at the end is what the system holds.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest

from adapters.base import Adapter, AdapterError, Connection, Cursor, Kind, Page, Record, kinds
from adapters.mapping import Mapping as Layout
from rules.model import Event
from service.sources import pull as pulling
from service.sources import rejects
from service.sources.definitions import Configured
from service.sources.taking import Pulled
from store import sources
from store.cases import load_case
from tests.support.killing import Killer, Order, opened
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on

_log = logging.getLogger(__name__)

ADELAIDE = ZoneInfo("Australia/Adelaide")
START = dt.datetime(2026, 3, 2, 9, tzinfo=ADELAIDE)
"""When the first row of a world is changed; each that follows a few seconds later."""
PULLED = "2026-06-01 12:00"
VISITS, CONSENTS = "visits", "consents"
KILLS = int(os.environ.get("TEST_KILLS", "8"))
"""How often the pulls of each world are killed; with TEST_KILLS=16 it is more than two hundred times over all adapters."""
OVERLAP = 60
"""Seconds that every world's adapter overlaps; ``late`` rows are younger than that."""

MAPPING = """
mapping: contract
version: "1"
source: {uri}
format: {{zone: Australia/Adelaide}}
case: family
recorded: changed
events:
  - of: visits
    type: {{constant: visit.held}}
    id: {{template: "visit-{{id}}"}}
    time: held
    data:
      status: {{column: status, values: {{done: held, missed: attempted{more}}}}}
      mode: {{constant: in_person}}
  - of: consents
    state: true
    type: {{constant: consent.recorded}}
    id: {{template: "consent-{{id}}"}}
    time: changed
    data:
      decision: {{column: status, values: {{granted: agree, withdrawn: withdraw}}}}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A record of the made-up system: a visit, which is held at a time, or a consent, which stands as it stands."""

    kind: str
    ref: str
    family: str
    status: str
    held: dt.datetime
    changed: dt.datetime

    @property
    def at(self) -> int:
        """When it was changed (ms)."""
        return int(self.changed.timestamp() * 1000)

    def fields(self, *, text: bool = True) -> dict[str, Any]:
        """As columns, times as local text (or as they are)."""
        shown: Callable[[dt.datetime], Any] = local if text else (lambda when: when)
        return {"id": self.ref, "family": self.family, "status": self.status, "held": shown(self.held), "changed": shown(self.changed)}


def local(when: dt.datetime) -> str:
    """A local time as text."""
    return when.astimezone(ADELAIDE).replace(tzinfo=None).isoformat(" ")


class World(ABC):
    """A client system of a test.  ``rows`` is what it holds, by kind and ref; what the adapter makes of it must be the same."""

    edits: ClassVar[bool] = True
    """Whether a record can be changed and deleted, and is then known again."""
    states: ClassVar[bool] = True
    """Whether it has consents."""
    page: ClassVar[int] = 4
    """Records a page that its adapter is configured to read."""
    uri: ClassVar[str] = "urn:test:contract"
    text: ClassVar[str] = MAPPING
    """Its mapping: ``{uri}``, and ``{more}`` for what is mended in it."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}
        self.clock = START

    # --- what each world must say

    @abstractmethod
    def write(self, row: Row) -> None:
        """The record is new, or changed, and can be seen at once."""

    @abstractmethod
    def remove(self, row: Row) -> None:
        """The record is deleted at ``row.changed``, as the system deletes."""

    @abstractmethod
    def late(self, row: Row) -> Callable[[], None]:
        """Begins to write a record that nobody sees yet; what it returns makes it seen, with the time at which it was begun."""

    @abstractmethod
    def breaks(self) -> Callable[[], None]:
        """From now on the system answers nothing; what it returns mends it."""

    @abstractmethod
    def settings(self) -> tuple[str, dict[str, Any]]:
        """The adapter's kind and its settings, as in a source's file."""

    def mapping(self, *, mended: bool = False) -> str:
        """The mapping; ``mended``: it knows the word ``perhaps`` as well, and takes it for ``cancelled``."""
        return self.text.format(uri=self.uri, more=", perhaps: cancelled" if mended else "")

    @property
    def patches(self) -> Mapping[str, Any]:
        """Values in the adapter's module that the world needs, by their dotted names."""
        return {}

    def close(self) -> None:  # noqa: B027 - not every world has taken something
        """Gives back what it took."""

    # --- what tests do with it

    def tick(self, seconds: float = 3) -> dt.datetime:
        self.clock += dt.timedelta(seconds=seconds)
        return self.clock

    def add(self, ref: str, *, kind: str = VISITS, changed: dt.datetime | None = None, **more: Any) -> Row:
        number = int(ref)
        first = Row(kind, ref, f"F{number % 3}", "done" if kind == VISITS else "granted", START + dt.timedelta(hours=number), self.clock)
        row = replace(first, changed=changed or self.tick(), **more)
        self.write(row)
        self.rows[kind, ref] = row
        return row

    def edit(self, ref: str, *, kind: str = VISITS, **more: Any) -> Row:
        row = replace(self.rows[kind, ref], changed=self.tick(), **more)
        self.write(row)
        self.rows[kind, ref] = row
        return row

    def delete(self, ref: str, *, kind: str = VISITS) -> None:
        self.remove(replace(self.rows.pop((kind, ref)), changed=self.tick()))

    def commit_late(self, ref: str) -> Callable[[], None]:
        """A visit that is begun now and can be seen when the answer is called."""
        number = int(ref)
        row = Row(VISITS, ref, f"F{number % 3}", "done", START + dt.timedelta(hours=number), self.tick())
        finish = self.late(row)

        def finished() -> None:
            finish()
            self.rows[VISITS, ref] = row

        return finished


class Crashed(BaseException):
    """The process ends here."""


class Watched:
    """An adapter that dies where a test says: before a page comes, or once it has come."""

    def __init__(self, inner: Adapter, told: Callable[[], None]) -> None:
        self.inner, self.told = inner, told

    def check(self) -> Connection:
        return self.inner.check()

    def pull(self, cursor: Cursor | None) -> Page:
        page = self.inner.pull(cursor)
        self.told()
        return page

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        return self.inner.fetch(kind, ref)

    def close(self) -> None:
        self.inner.close()


def configured(
    kit: Kit, folder: Path, name: str, given: Mapping[str, Any], text: str, told: Callable[[], None] = lambda: None
) -> Configured:
    """A source of an adapter's name and settings and a mapping's text; ``told`` hears of each page before it is stored."""
    mapping = Layout.parse(text, kit.svc.policies.all_types)
    kind = kinds()[name]
    settings = kind.settings.model_validate(given, context={"zone": "Australia/Adelaide", "folder": folder, "layout": mapping.layout})
    watched = Kind(name, "", kind.settings, lambda chosen: Watched(kind.make(chosen), told))
    return Configured("client", "", watched, settings, mapping, 300, 86_400, True, None, "")


class Reader:
    """An installation of duecare that reads a world."""

    def __init__(self, kit: Kit, world: World, folder: Path) -> None:
        self.kit, self.world, self.folder = kit, world, folder

    def source(self, *, mended: bool = False, told: Callable[[], None] = lambda: None) -> Configured:
        name, given = self.world.settings()
        return configured(self.kit, self.folder, name, given, self.world.mapping(mended=mended), told)

    def pull(self, **more: Any) -> Pulled:
        return pulling.pull(self.kit.svc, self.source(), **more)

    def events(self) -> list[Event]:
        with self.kit.svc.reading() as session:
            found = [event for number in range(3) for event in load_case(session, f"F{number}").file.events]
        return sorted(found, key=lambda event: event.id)

    def exact(self) -> list[tuple[Any, ...]]:
        """Everything that is stored, word for word."""
        return [(event.id, event.type, event.case, event.time, event.recorded, sorted(event.data.items())) for event in self.events()]

    def standing(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        """What holds now, by kind and ref: for visits the one that was not taken back, for consents the last word."""
        events = self.events()
        voided = {event.data["target"] for event in events if event.type == "event.voided"}
        found: dict[tuple[str, str], tuple[Any, ...]] = {}
        for event in sorted((one for one in events if one.id not in voided and one.type != "event.voided"), key=_version):
            name, _, ref = event.id.partition("~")[0].partition("-")
            key = (f"{name}s", ref)
            assert key not in found or name == "consent", f"two events of visit {ref} stand"
            word = event.data.get("status") or event.data.get("decision")
            found[key] = (event.case, word, event.time if name == "visit" else None)
        return found

    def rejects(self) -> list[tuple[str, str]]:
        with self.kit.svc.reading() as session:
            return [(row.kind, row.ref) for row in sources.open_rejects(session, self.world.uri)]


def _version(event: Event) -> int:
    return int(event.id.partition("~")[2] or 1)


WORDS = {"done": "held", "missed": "attempted", "perhaps": "cancelled", "granted": "agree", "withdrawn": "withdraw"}


def expected(world: World) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What a reader must hold of the world as it is."""
    return {
        key: (row.family, WORDS[row.status], int(row.held.timestamp() * 1000) if row.kind == VISITS else None)
        for key, row in world.rows.items()
    }


@pytest.fixture(scope="session")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    """What pulls in processes that are killed."""
    with Killer(tmp_path_factory.mktemp("killer")) as made:
        yield made


@pytest.fixture
def reader(world: World, sqlite_url: str, tmp_path: Path) -> Iterator[Reader]:
    with kit_on(sqlite_url, tmp_path / "home", now=PULLED) as kit:
        yield Reader(kit, world, tmp_path)


class Contract:
    """The tests; see the module."""

    def test_everything_that_is_there_is_read_in_several_pages(self, world: World, reader: Reader) -> None:
        _some(world)
        done = reader.pull()
        assert (done.error, done.pages > 2) == (None, True)
        assert reader.standing() == expected(world)

    def test_what_is_read_again_from_the_start_changes_nothing(self, world: World, reader: Reader) -> None:
        _some(world)
        reader.pull()
        before = reader.exact()
        pulling.forget(reader.kit.svc, reader.source())
        done = reader.pull()
        assert (reader.exact(), done.counts["accepted"], done.counts["conflict"]) == (before, 0, 0)

    def test_records_of_one_instant_are_all_read_across_pages(self, world: World, reader: Reader) -> None:
        for number in range(1, 3 * world.page + 2):
            world.add(str(number), changed=START)
        reader.pull()
        assert reader.standing() == expected(world)
        world.add("90", changed=START)
        reader.pull()
        assert reader.standing() == expected(world)

    @pytest.mark.parametrize("inside", [False, True], ids=["before a page is stored", "inside its transaction"])
    def test_whoever_dies_at_any_page_and_goes_on_holds_the_same_as_if_nothing_had_been(
        self, world: World, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
    ) -> None:
        _some(world)
        with kit_on(f"sqlite:///{tmp_path / 'other.sqlite3'}", tmp_path / "other", now=PULLED) as kit:
            other = Reader(kit, world, tmp_path)
            pages = other.pull().pages
            undisturbed = other.exact()
        advance = sources.advance
        for dying in range(pages):
            count = iter(range(1_000))

            def die(*given: Any, count: Iterator[int] = count, dying: int = dying, **more: Any) -> None:
                if next(count) == (dying > 0):
                    raise Crashed
                if inside:
                    advance(*given, **more)

            with monkeypatch.context() as patch:
                if inside:
                    patch.setattr(sources, "advance", die)
                with pytest.raises(Crashed):
                    pulling.pull(reader.kit.svc, reader.source(told=(lambda: None) if inside else die))
            assert len(reader.exact()) < len(undisturbed) or dying >= pages - 2
        assert reader.pull().error is None
        assert reader.exact() == undisturbed

    def test_a_process_that_is_killed_again_and_again_while_it_pulls_ends_with_the_events_of_one_that_was_not(
        self, world: World, killer: Killer, tmp_path: Path
    ) -> None:
        rng, hits = random.Random(7), 0
        for change in (_many, _turned_over):
            change(world)
            undisturbed, disturbed = (
                _order(world, killer.store(tmp_path / f"{name}.sqlite3"), tmp_path) for name in ("undisturbed", "killed")
            )
            whole = killer.pull(undisturbed)
            killed_now = 0
            for _ in range(4 * KILLS):
                came_to_its_end_in = killer.pull_and_kill(disturbed, rng.random() * 8 * whole / KILLS)
                if came_to_its_end_in is None:
                    killed_now += 1
                else:  # the next reads everything once more, on a machine that is perhaps less busy than it was
                    whole = min(whole, came_to_its_end_in)
                    killer.forget(disturbed)
                if killed_now == KILLS // 2:
                    break
            hits += killed_now
            killer.pull(disturbed)
            with opened(undisturbed) as one, opened(disturbed) as other:
                alone, killed = Reader(one, world, tmp_path), Reader(other, world, tmp_path)
                assert killed.exact() == alone.exact()
                assert killed.standing() == expected(world)
        _log.info("%s: %d of %d were killed while they pulled", type(world).__name__, hits, KILLS)
        assert hits > KILLS // 4

    def test_a_system_that_breaks_off_is_read_on_when_it_answers_again(self, world: World, reader: Reader) -> None:
        _some(world)
        mend: list[Callable[[], None]] = []
        done = reader.pull(told=lambda so_far: mend.append(world.breaks()) if so_far.pages == 1 else None)
        assert done.error is not None
        mend[0]()
        assert reader.pull().error is None
        assert reader.standing() == expected(world)

    def test_a_record_that_commits_late_is_not_lost(self, world: World, reader: Reader) -> None:
        world.add("1")
        finish, finish_meanwhile = world.commit_late("2"), world.commit_late("3")
        for number in range(4, 4 + 3 * world.page):
            world.add(str(number), changed=world.tick(1))
        reader.pull(told=lambda so_far: finish_meanwhile() if so_far.pages == 2 else None)
        finish()
        reader.pull()
        assert reader.standing() == expected(world)

    def test_a_list_that_changes_while_it_is_read_is_read_whole_in_the_end(self, world: World, reader: Reader) -> None:
        _some(world)
        fresh = iter(range(100, 200))

        def meddle(so_far: Pulled) -> None:
            if so_far.pages > 6:
                return
            world.add(str(next(fresh)))
            if world.edits:
                visits = sorted((ref for kind, ref in world.rows if kind == VISITS), key=int)
                world.edit(visits[0], status="missed")
                world.delete(visits[1])

        reader.pull(told=meddle)
        reader.pull()
        assert reader.standing() == expected(world)

    def test_a_record_that_cannot_be_mapped_waits_and_is_taken_in_once_the_mapping_is_mended(self, world: World, reader: Reader) -> None:
        world.add("1")
        world.add("2", status="perhaps")
        world.add("3")
        done = reader.pull()
        assert (done.error, done.counts["refused"], len(reader.rejects())) == (None, 1, 1)
        assert set(reader.standing()) == {(VISITS, "1"), (VISITS, "3")}
        again = rejects.replay(reader.kit.svc, reader.source(mended=True))
        assert (again.counts["accepted"], reader.rejects()) == (1, [])
        assert reader.standing() == expected(world)

    def test_a_bad_record_that_is_mended_in_the_system_leaves_the_reject_list(self, world: World, reader: Reader) -> None:
        self._can_edit(world)
        world.add("1", status="perhaps")
        reader.pull()
        assert len(reader.rejects()) == 1
        world.edit("1", status="done")
        reader.pull()
        assert (reader.rejects(), reader.standing()) == ([], expected(world))

    def test_an_edit_replaces_and_a_deletion_takes_back(self, world: World, reader: Reader) -> None:
        self._can_edit(world)
        for ref in ("1", "2", "3"):
            world.add(ref)
        reader.pull()
        world.edit("1", status="missed")
        world.edit("2", family="F0")
        world.delete("3")
        reader.pull()
        assert reader.standing() == expected(world)
        again = [f"visit-{ref}{more}" for ref in "12" for more in ("", "~2", "~void")]
        assert [event.id for event in reader.events()] == [*again, "visit-3", "visit-3~void"]

    def test_a_state_is_told_each_time_it_changes(self, world: World, reader: Reader) -> None:
        if not world.states or not world.edits:
            pytest.skip("this system keeps no states")
        world.add("1", kind=CONSENTS)
        for status in ("granted", "withdrawn", "granted"):
            reader.pull()
            world.edit("1", kind=CONSENTS, status=status)
        reader.pull()
        told = [event.data["decision"] for event in reader.events() if event.type == "consent.recorded"]
        assert told == ["agree", "withdraw", "agree"]

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_whatever_happens_in_whatever_order_the_store_holds_what_the_system_holds(
        self, world: World, reader: Reader, seed: int
    ) -> None:
        rng = random.Random(seed)
        waiting: list[tuple[dt.datetime, Callable[[], None]]] = []
        fresh = iter(range(1, 1_000))
        for _ in range(60):
            _something(world, rng, waiting, fresh)
            if rng.random() < 0.2:
                _pull_somehow(world, reader, rng, waiting, fresh)
        for _, finish in waiting:
            finish()
        for _ in range(2):  # the first may only end a round that was broken off
            assert reader.pull().error is None
        assert reader.standing() == expected(world)
        assert reader.pull().counts["accepted"] == 0

    @staticmethod
    def _can_edit(world: World) -> None:
        if not world.edits:
            pytest.skip("records of this system are never changed")


def _some(world: World) -> None:
    for number in range(1, 3 * world.page):
        world.add(str(number))
    for number in range(1, 4) if world.states else ():
        world.add(str(number), kind=CONSENTS)


def _many(world: World) -> None:
    for number in range(1, 60):
        world.add(str(number))
    for number in range(1, 14) if world.states else ():
        world.add(str(number), kind=CONSENTS)


def _turned_over(world: World) -> None:
    for number in range(200, 225):
        world.add(str(number))
    for number in range(1, 60) if world.edits else ():
        if number % 7 == 0:
            world.delete(str(number))
        elif number % 3 == 0:
            world.edit(str(number), status="missed")
    for number in range(1, 14, 2) if world.states and world.edits else ():
        world.edit(str(number), kind=CONSENTS, status="withdrawn")


def _order(world: World, store: str, folder: Path) -> Order:
    adapter, settings = world.settings()
    return Order(store, str(folder), PULLED, adapter, settings, world.mapping(), dict(os.environ), dict(world.patches))


Late = list[tuple[dt.datetime, Callable[[], None]]]


def _something(world: World, rng: random.Random, waiting: Late, fresh: Iterator[int]) -> None:
    """One thing that happens in the system.  No transaction stays open for longer than the overlap."""
    for begun, finish in waiting[:]:
        if rng.random() < 0.3 or (world.clock - begun).total_seconds() > OVERLAP - 20:
            waiting.remove((begun, finish))
            finish()
    visits = sorted((ref for kind, ref in world.rows if kind == VISITS), key=int)
    what = rng.random()
    if what < 0.15:
        finish = world.commit_late(str(next(fresh)))
        waiting.append((world.clock, finish))
    elif what < 0.45 or not visits or not world.edits:
        world.add(str(next(fresh)))
    elif what < 0.75:
        world.edit(rng.choice(visits), status=rng.choice(["done", "missed"]), held=START + dt.timedelta(hours=rng.randrange(900)))
    elif what < 0.9 or not world.states:
        world.delete(rng.choice(visits))
    elif ("consents", "1") in world.rows:
        world.edit("1", kind=CONSENTS, status=rng.choice(["granted", "withdrawn"]))
    else:
        world.add("1", kind=CONSENTS)


def _pull_somehow(world: World, reader: Reader, rng: random.Random, waiting: Late, fresh: Iterator[int]) -> None:
    """A pull during which things happen, and which may be killed."""
    left = rng.randrange(1, 12)

    def told() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crashed
        if rng.random() < 0.5:
            _something(world, rng, waiting, fresh)

    try:
        done = pulling.pull(reader.kit.svc, reader.source(told=told))
    except Crashed:
        return
    assert done.error is None, AdapterError(done.error)
