"""The files of client systems: what they may say, and the place of each fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rules.errors import PolicyError
from service.errors import NotFound
from service.sources.definitions import Configured, Feeds, load, read_file
from tests.support.service_kit import shipped

CATALOGUE = shipped().all_types
MAPPING = """\
mapping: m
version: "1"
source: urn:test:m
case: family
events:
  - type: {constant: visit.held}
    id: id
    time: held
    recorded: changed
"""
GOOD = """\
source: client
adapter: files
settings: {folder: exports}
mapping: m.yaml
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.yaml").write_text(MAPPING)
    return tmp_path


def written(folder: Path, text: str, name: str = "client.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def read(folder: Path, text: str) -> Configured:
    return read_file(written(folder, text), CATALOGUE)


def faults(folder: Path, text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(PolicyError) as caught:
        read(folder, text)
    assert all(Path(fault.file).parent == folder for fault in caught.value.faults)
    return [(fault.line, fault.col, fault.message) for fault in caught.value.faults]


class TestWhatAFileSays:
    def test_a_short_file_is_enough(self, folder: Path) -> None:
        found = read(folder, GOOD)
        assert (found.name, found.title, found.uri, found.kind.name) == ("client", "client", "urn:test:m", "files")
        assert (found.every, found.quiet_after, found.enabled, found.push) == (900, 86_400, True, None)

    @pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("2 h", 7200), ("1d", 86_400)])
    def test_periods(self, folder: Path, text: str, seconds: int) -> None:
        found = read(folder, GOOD + f"every: {text}\nquiet_after: {text}\n")
        assert (found.every, found.quiet_after) == (seconds, seconds)

    def test_its_uri_is_that_of_the_mapping_unless_it_says_another(self, folder: Path) -> None:
        assert read(folder, GOOD + "uri: urn:test:other\n").uri == "urn:test:other"

    def test_the_mapping_may_stand_in_it(self, folder: Path) -> None:
        inside = "mapping:\n" + "".join(f"  {line}\n" for line in MAPPING.splitlines())
        assert read(folder, GOOD.replace("mapping: m.yaml\n", inside)).uri == "urn:test:m"

    def test_records_that_are_events_need_no_mapping(self, folder: Path) -> None:
        found = read(folder, GOOD.replace("m.yaml", "standard") + "uri: urn:test:events\n")
        assert (found.uri, found.mapping.as_it_is) == ("urn:test:events", True)

    def test_its_zone_is_that_of_times_without_one_in_records_and_in_what_the_adapter_reads(self, folder: Path) -> None:
        sql = GOOD.replace("files", "sql").replace(
            "{folder: exports}", "{url: {env: X}, tables: [{table: a, id: i, updated: u}, {table: b, id: i, updated: u, zone: UTC}]}"
        )
        found = read(folder, sql + "zone: Australia/Darwin\n")
        assert found.mapping.layout.zone == "Australia/Darwin"
        assert [table.zone for table in found.settings.tables] == ["Australia/Darwin", "UTC"]  # type: ignore[attr-defined]

    def test_what_it_names_lies_beside_it(self, folder: Path) -> None:
        assert read(folder, GOOD).settings.path == folder / "exports"  # type: ignore[attr-defined]


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (GOOD.replace("files", "file"), (2, 10, "there is no adapter 'file'; did you mean files?")),
            (GOOD.replace("source: client", "source: The Client"), (1, 9, "source: ")),
            (GOOD + "every: soon\n", (5, 8, "every: is no period such as 30s, 5m, 2h or 1d")),
            (GOOD + "quiet_after: 0d\n", (5, 14, "quiet_after: is no period")),
            (GOOD + "zone: Adelaide\n", (5, 7, "zone: is no time zone such as Australia/Darwin")),
            (GOOD + "uri: 'no uri'\n", (5, 6, "uri ")),
            (GOOD + "secret: x\n", (5, 1, "secret: is unknown here")),
            (GOOD.replace("folder:", "folders:"), (3, 12, "settings.folders: is unknown here")),
            (GOOD.replace("settings: {folder: exports}\n", ""), (1, 1, "settings.folder: is missing")),
            (GOOD.replace("m.yaml", "../m.yaml"), (4, 10, "mapping: name a file in the same folder, or below it")),
            (GOOD.replace("m.yaml", "/etc/passwd"), (4, 10, "mapping: name a file in the same folder, or below it")),
            (GOOD.replace("m.yaml", "standard"), (1, 1, "uri: is missing, and no mapping says what this source is called")),
            (GOOD + "push: {secret: hunter2}\n", (5, 16, "push.secret: is a secret: name the environment variable")),
        ],
    )
    def test_each_has_its_place(self, folder: Path, text: str, expected: tuple[int, int, str]) -> None:
        found = faults(folder, text)
        assert any(fault[:2] == expected[:2] and fault[2].startswith(expected[2]) for fault in found), found
        assert "hunter2" not in str(found)

    def test_all_of_them_come_at_once(self, folder: Path) -> None:
        found = faults(folder, GOOD.replace("files", "file") + "every: soon\nzone: Adelaide\nuri: 'no uri'\n")
        assert [line for line, _, _ in found] == [2, 5, 6, 7]

    def test_a_mapping_inside_has_the_places_of_the_file(self, folder: Path) -> None:
        inside = "mapping:\n" + "".join(f"  {line}\n" for line in MAPPING.replace("visit.held", "visit.hold").splitlines())
        ((line, _, message),) = faults(folder, GOOD.replace("mapping: m.yaml\n", inside))
        assert line == 10
        assert "visit.hold" in message

    def test_a_mapping_beside_it_that_is_not_there_is_told(self, folder: Path) -> None:
        with pytest.raises(PolicyError, match=r"none\.yaml"):
            read(folder, GOOD.replace("m.yaml", "none.yaml"))


class TestFolders:
    def test_a_folder_holds_sources_and_mappings(self, folder: Path) -> None:
        written(folder, GOOD)
        found = load(folder, CATALOGUE)
        assert (list(found.items), list(found.faults)) == (["client"], [])

    def test_one_file_with_faults_stops_no_other(self, folder: Path) -> None:
        written(folder, GOOD)
        written(folder, GOOD.replace("client", "broken").replace("exports}", "exports, page: 0}"), "broken.yaml")
        found = load(folder, CATALOGUE)
        assert list(found.items) == ["client"]
        assert [fault.line for fault in found.faults] == [3]

    @pytest.mark.parametrize("second", [GOOD + "uri: urn:test:other\n", GOOD.replace("client", "second")])
    def test_two_of_one_name_or_one_uri_are_a_fault(self, folder: Path, second: str) -> None:
        written(folder, GOOD, "a.yaml")
        written(folder, second, "b.yaml")
        found = load(folder, CATALOGUE)
        assert (len(found.items), [fault.code for fault in found.faults]) == (1, ["taken"])

    def test_no_folder_is_no_source_and_a_wrong_one_a_fault(self, folder: Path) -> None:
        assert (load(None, CATALOGUE).items, load(None, CATALOGUE).faults) == ({}, ())
        assert [fault.code for fault in load(folder / "none", CATALOGUE).faults] == ["unreadable"]

    def test_a_source_is_found_by_name_and_by_uri(self, folder: Path) -> None:
        feeds = Feeds(written(folder, GOOD), lambda: CATALOGUE)
        assert feeds.get("client") is feeds.get("urn:test:m")
        with pytest.raises(NotFound):
            feeds.get("other")

    def test_a_file_that_has_changed_is_read_again_and_its_mapping_too(self, folder: Path) -> None:
        path = written(folder, GOOD)
        feeds = Feeds(path, lambda: CATALOGUE)
        first = feeds.current()
        assert feeds.current() is first
        (folder / "m.yaml").write_text(MAPPING.replace("urn:test:m", "urn:test:mended"))
        os.utime(folder / "m.yaml", ns=(1, 1))
        assert feeds.get("client").uri == "urn:test:mended"

    def test_asked_for_a_source_whose_file_has_faults_says_which(self, folder: Path) -> None:
        feeds = Feeds(written(folder, GOOD + "every: soon\n"), lambda: CATALOGUE)
        with pytest.raises(PolicyError, match="every"):
            feeds.get("client")
