"""Folders of exports: rows that are known again by a key, exports that hold everything, files of the future."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.model import Event
from service.sources import pull as pulling
from service.sources.definitions import read_file
from service.sources.taking import Pulled
from store.cases import load_case
from store.sources import open_rejects
from tests.support.feeds import HEAD, MAPPING, URI
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on

BEGUN = 1_770_000_000
FIRST = [f"{n},F1,2026-02-{n:02} 10:00,2026-02-{n:02} 11:00,done," for n in range(1, 7)]


class Exports:
    """A folder into which exports are laid, an hour after each other."""

    def __init__(self, kit: Kit, folder: Path, more: str) -> None:
        self.kit, self.folder, self.laid = kit, folder, 0
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.file = folder / "visits.yaml"
        self.configure(more)

    def configure(self, more: str, settle: int = 0) -> None:
        settings = f"{{folder: drop, settle: {settle}, page: 2{more}}}"
        self.file.write_text(f"source: visits\nuri: {URI}\nadapter: files\nsettings: {settings}\nmapping:{MAPPING}\n", "utf-8")

    def lay(self, *rows: str, name: str = "visits.csv", at: float | None = None) -> None:
        path = self.drop / name
        path.write_text(HEAD + "".join(f"{row}\n" for row in rows), "utf-8")
        self.laid += 1
        when = BEGUN + 3_600 * self.laid if at is None else at
        os.utime(path, (when, when))

    def pull(self) -> Pulled:
        return pulling.pull(self.kit.svc, read_file(self.file, self.kit.svc.policies.all_types))

    def standing(self) -> dict[str, Event]:
        """The events that stand, by the row that they are of."""
        with self.kit.svc.reading() as session:
            events = load_case(session, "F1").file.events
        voided = {event.data["target"] for event in events if event.type == "event.voided"}
        return {event.id.partition("~")[0]: event for event in events if event.type == "visit.held" and event.id not in voided}

    def reasons(self) -> list[str]:
        with self.kit.svc.reading() as session:
            return [problem["code"] for row in open_rejects(session, URI) for problem in row.problems]


@pytest.fixture
def kit(sqlite_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit_on(sqlite_url, tmp_path / "home", now="2026-06-01 12:00") as made:
        yield made


@pytest.fixture
def exports(kit: Kit, tmp_path: Path) -> Exports:
    return Exports(kit, tmp_path, ", key: [id], complete: true")


def test_an_edited_row_takes_the_place_of_the_earlier_one_without_a_conflict(exports: Exports) -> None:
    exports.lay(*FIRST)
    exports.pull()
    exports.lay(FIRST[0].replace("done", "missed"), *FIRST[1:])
    done = exports.pull()
    assert (done.error, done.counts["conflict"], done.counts["unchanged"], done.counts["accepted"]) == (None, 0, 5, 2)
    first = exports.standing()["visit-1"]
    assert (first.data["status"], first.recorded, exports.reasons()) == ("attempted", (BEGUN + 7_200) * 1000, [])


def test_an_edit_that_is_undone_is_undone(exports: Exports) -> None:
    for rows in (FIRST, [FIRST[0].replace("done", "missed"), *FIRST[1:]], FIRST):
        exports.lay(*rows)
        exports.pull()
    assert exports.standing()["visit-1"].data["status"] == "held"


def test_a_row_that_is_missing_from_a_complete_export_is_gone_and_may_come_back(exports: Exports) -> None:
    exports.lay(*FIRST)
    exports.pull()
    exports.lay(*FIRST[1:])
    exports.pull()
    assert sorted(exports.standing()) == [f"visit-{n}" for n in range(2, 7)]
    exports.lay(*FIRST)
    exports.pull()
    assert sorted(exports.standing()) == [f"visit-{n}" for n in range(1, 7)]


def test_without_complete_what_is_missing_stays(exports: Exports) -> None:
    exports.configure(", key: [id]")
    exports.lay(*FIRST)
    exports.pull()
    exports.lay(*FIRST[1:])
    exports.pull()
    assert "visit-1" in exports.standing()


def test_an_export_with_a_row_that_cannot_be_read_takes_nothing_back(exports: Exports) -> None:
    exports.lay(*FIRST)
    exports.pull()
    exports.lay("1,F1,cut short", *FIRST[1:])
    exports.pull()
    assert (len(exports.standing()), exports.reasons()) == (6, ["wrong_length"])


def test_a_row_that_cannot_be_mapped_is_there_all_the_same(exports: Exports) -> None:
    exports.lay(*FIRST)
    exports.pull()
    exports.lay(FIRST[0].replace("done", "perhaps"), *FIRST[1:])
    exports.pull()
    assert (len(exports.standing()), exports.reasons()) == (6, ["unmapped_value"])


def test_an_export_that_holds_nearly_nothing_takes_nothing_back(exports: Exports) -> None:
    exports.lay(*FIRST)
    exports.pull()
    exports.lay()
    done = exports.pull()
    assert (len(exports.standing()), "suddenly gone" in str(done.error)) == (6, True)


def test_an_export_older_than_the_last_one_undoes_nothing(exports: Exports) -> None:
    exports.lay(FIRST[0].replace("done", "missed"))
    exports.pull()
    exports.lay(FIRST[0], name="found-late.csv", at=BEGUN)
    exports.pull()
    assert (exports.standing()["visit-1"].data["status"], exports.reasons()) == ("attempted", ["older"])
    assert exports.pull().counts["records"] == 0


def test_a_row_without_its_key_is_refused_with_its_line(exports: Exports) -> None:
    exports.lay(",F1,2026-02-01 10:00,2026-02-01 11:00,done,", *FIRST)
    exports.pull()
    assert (exports.reasons(), len(exports.standing())) == (["no_key"], 6)


def test_a_pull_that_ends_inside_an_export_goes_on_there_and_takes_back_only_at_its_end(exports: Exports) -> None:
    exports.lay(*FIRST)
    exports.pull()
    exports.lay(*FIRST[1:])
    source = read_file(exports.file, exports.kit.svc.policies.all_types)
    assert pulling.pull(exports.kit.svc, source, stop=lambda: True).unfinished
    assert len(exports.standing()) == 6
    exports.pull()
    assert len(exports.standing()) == 5


def test_complete_without_a_key_is_a_fault(exports: Exports) -> None:
    exports.configure(", complete: true")
    with pytest.raises(Exception, match="complete needs a key"):
        exports.pull()


def test_a_file_of_the_future_is_taken_once_it_has_not_changed_for_a_while(exports: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    exports.configure("", settle=60)
    began = time.time_ns()
    passed = [0]
    monkeypatch.setattr(time, "time_ns", lambda: began + passed[0] * 10**9)
    exports.lay(*FIRST, at=time.time() + 86_400)
    assert exports.pull().counts["records"] == 0
    passed[0] = 30
    exports.lay(*FIRST[:3], at=time.time() + 90_000)
    assert exports.pull().counts["records"] == 0
    passed[0] = 70
    assert exports.pull().counts["records"] == 0, "it has changed meanwhile"
    passed[0] = 100
    assert exports.pull().counts["records"] == 3


def test_a_file_of_the_future_makes_no_later_export_look_old(exports: Exports) -> None:
    exports.lay(*FIRST, at=time.time() + 86_400)
    exports.pull()
    time.sleep(0.01)
    exports.lay(FIRST[0].replace("done", "missed"), *FIRST[1:], name="next.csv", at=time.time())
    exports.pull()
    assert exports.standing()["visit-1"].data["status"] == "attempted"
