"""Lists read page by page while they change: what stands in the store at the end is what an undisturbed reading gives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.base import AdapterError, Kind, kinds
from adapters.listing import Listing, Since
from adapters.mapping import Mapping
from adapters.systems.rest import Rest, Settings
from rules.model import Event
from service.sources import pull as pulling
from service.sources.definitions import Configured
from service.sources.taking import Pulled
from store.cases import load_case
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on
from tests.support.webworld import Ask, Records, Say, Site, iso, ms

MAPPING = """
mapping: visits
version: "1"
source: urn:test:{name}
case: family
recorded: updated
events:
  - type: {{constant: visit.held}}
    id: {{template: "visit-{{id}}"}}
    time: held
    data:
      status: {{column: status, values: {{done: held, missed: attempted}}}}
      seen: seen
"""
NOW = "2026-03-20 14:00"
STYLES = ("page", "offset", "ordered", "cursor", "next", "link")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    home = tmp_path_factory.mktemp("lists")
    with kit_on(f"sqlite:///{home / 'store.db'}", home, now=NOW) as made:
        yield made


@pytest.fixture
def kit(store: Kit) -> Kit:
    """One store for all tests: each has a source and a case of its own."""
    store.clock.set(NOW)
    return store


NUMBERS = count()


@pytest.fixture
def records() -> Records:
    return Records(family=f"F{next(NUMBERS)}")


@pytest.fixture
def site(records: Records) -> Iterator[Site]:
    with Site(records) as made:
        made.now = lambda: records.now
        yield made


def listing(style: str, **more: Any) -> dict[str, Any]:
    paging = {
        "page": {"style": "page", "parameter": "page"},
        "ordered": {"style": "page", "parameter": "page"},
        "offset": {"style": "offset", "parameter": "offset"},
        "cursor": {"style": "cursor", "parameter": "cursor", "at": "next.cursor"},
        "next": {"style": "next", "at": "next"},
        "link": {"style": "link"},
    }[style]
    return {
        "kind": "visits",
        "path": "visits",
        "records": "data",
        "id": "id",
        "updated": "updated",
        "since": {"parameter": "since"},
        "ordered": style == "ordered",
        "paging": {**paging, "size_parameter": "per", "size": 5},
        "total": "meta.total",
        "one": "visits/{id}",
        **more,
    }


class Reader:
    """A source that reads the site into a store."""

    def __init__(self, kit: Kit, site: Site, records: Records, style: str, **more: Any) -> None:
        records.style = "page" if style == "ordered" else style
        self.kit, self.site, self.case = kit, site, records.family
        top = {name: more.pop(name) for name in ("identity", "overlap", "auth") if name in more}
        self.given = {"base": site.base, "allow_private": True, "tries": 1, "timeout": 60, "lists": [listing(style, **more)], **top}

    def source(self) -> Configured:
        kind = kinds()["rest"]
        settings = kind.settings.model_validate(self.given, context={"zone": "UTC"})
        mapping = Mapping.parse(MAPPING.format(name=self.case), self.kit.svc.policies.all_types)
        made = Kind("rest", "", kind.settings, kind.make)
        return Configured("visits", "", made, settings, mapping, 300, 86_400, True, None, "")

    def pull(self, *, good: bool = True, **more: Any) -> Pulled:
        done = pulling.pull(self.kit.svc, self.source(), **more)
        assert (done.error is None) is good, done.error
        return done

    def events(self) -> list[Event]:
        with self.kit.svc.reading() as session:
            return list(load_case(session, self.case).file.events)

    def standing(self) -> dict[str, tuple[Any, ...]]:
        """What was not taken back, by record."""
        events = self.events()
        voided = {event.data["target"] for event in events if event.type == "event.voided"}
        kept = [event for event in events if event.id not in voided and event.type != "event.voided"]
        found = {event.id.partition("~")[0]: (event.time, event.data["status"]) for event in kept}
        assert len(found) == len(kept)
        return found


def truth(records: Records) -> dict[str, tuple[Any, ...]]:
    words = {"done": "held", "missed": "attempted"}
    return {f"visit-{ref}": (ms(row["held"].removesuffix("Z")), words[row["status"]]) for ref, row in records.rows.items()}


def fill(records: Records, many: int, *, apart: float = 60, first: int = 0) -> None:
    for number in range(first, first + many):
        records.pass_time(apart)
        records.put(f"r{number:03}", held=iso(ms("2026-03-02T00:00:00") + number * 3_600_000))


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("many", [0, 5, 23])
@pytest.mark.parametrize("style", STYLES)
def test_a_list_is_read_to_its_end(kit: Kit, site: Site, records: Records, style: str, many: int, *, total: bool) -> None:
    records.total = total
    fill(records, many)
    records.pass_time(600)
    reader = Reader(kit, site, records, style)
    reader.pull()
    assert reader.standing() == truth(records)
    asked = len(site.asked)
    reader.pull()
    assert len(site.asked) - asked <= 3
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("style", STYLES)
def test_a_system_that_gives_less_a_page_than_is_asked_for_is_read_to_its_end(
    kit: Kit, site: Site, records: Records, style: str, *, total: bool
) -> None:
    records.total, records.largest = total, 3
    fill(records, 17)
    records.pass_time(600)
    reader = Reader(kit, site, records, style)
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("beyond", ["404", "the last page again"])
def test_pages_beyond_the_last_end_the_list(kit: Kit, site: Site, records: Records, beyond: str) -> None:
    fill(records, 10)
    records.total = False

    def flaw(ask: Ask) -> Say | None:
        if int(ask.params.get("page", 1)) < 3:
            return None
        return Say({}, 404) if beyond == "404" else records._page(Ask("GET", ask.path, {**ask.params, "page": "2"}, {}, b""))

    records.flaw = flaw
    reader = Reader(kit, site, records, "page")
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", STYLES)
def test_records_that_change_between_two_pages_hide_no_other(kit: Kit, site: Site, records: Records, style: str) -> None:
    """Each change moves a record to the end, and all behind it one place forward, over the border of the page."""
    fill(records, 23)
    records.pass_time(600)

    def meanwhile(page: int) -> None:
        records.pass_time(2)
        if page <= 3:
            records.put(f"r{page:03}", status="missed")

    records.between = meanwhile
    reader = Reader(kit, site, records, style)
    reader.pull()
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", STYLES)
def test_records_that_vanish_between_two_pages_hide_no_other(kit: Kit, site: Site, records: Records, style: str) -> None:
    fill(records, 23)
    records.pass_time(600)
    gone = iter(["r001", "r002"])

    def meanwhile(_: int) -> None:
        for ref in gone:
            records.drop(ref)
            return

    records.between = meanwhile
    reader = Reader(kit, site, records, style)
    reader.pull()
    assert truth(records).items() <= reader.standing().items()


@pytest.mark.parametrize("style", ["ordered", "cursor", "next", "link"])
def test_many_records_of_one_moment_are_all_read_though_they_come_in_another_order_each_time(
    kit: Kit, site: Site, records: Records, style: str
) -> None:
    fill(records, 3)
    fill(records, 47, apart=0, first=3)
    fill(records, 9, first=50)
    reader = Reader(kit, site, records, style)
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("refuses", [True, False])
def test_a_system_that_gives_no_larger_page_for_many_of_one_moment_is_read_by_number(
    kit: Kit, site: Site, records: Records, *, refuses: bool
) -> None:
    records.chance.shuffle = lambda _: None  # type: ignore[assignment,method-assign]
    records.largest = 5
    records.flaw = lambda ask: Say({}, 400) if refuses and int(ask.params.get("per", 0)) > 5 else None
    fill(records, 17, apart=0)
    reader = Reader(kit, site, records, "ordered")
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", STYLES)
def test_a_record_that_is_committed_late_is_read_within_the_overlap(kit: Kit, site: Site, records: Records, style: str) -> None:
    fill(records, 8, apart=10)
    records.put("late", late=True)
    fill(records, 3, first=8, apart=30)
    reader = Reader(kit, site, records, style)
    reader.pull()
    assert "visit-late" not in reader.standing()
    records.late.clear()
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", STYLES)
def test_a_change_in_the_second_that_was_read_last_is_found(kit: Kit, site: Site, records: Records, style: str) -> None:
    fill(records, 3)
    reader = Reader(kit, site, records, style, overlap=1)
    reader.pull()
    records.put("r001", status="missed", at=records.now + 400)
    records.put("more", at=records.now)
    records.pass_time(1)
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("failing", [1, 2, 4])
def test_a_pull_that_breaks_off_at_a_page_loses_and_doubles_nothing(
    kit: Kit, site: Site, records: Records, style: str, failing: int
) -> None:
    fill(records, 18)
    asked = [0]

    def flaw(ask: Ask) -> Say | None:
        asked[0] += 1
        return Say({}, 500) if asked[0] == failing else None

    records.flaw = flaw
    reader = Reader(kit, site, records, style)
    reader.pull(good=False)
    records.put("r000", status="missed")
    records.pass_time(60)
    reader.pull()
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", ["cursor", "next", "link"])
def test_a_link_that_lapsed_between_two_pulls_begins_the_round_anew(kit: Kit, site: Site, records: Records, style: str) -> None:
    fill(records, 13)
    reader = Reader(kit, site, records, style)
    assert reader.pull(stop=lambda: True).unfinished
    records.lapsed = True
    reader.pull()
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", ["cursor", "next", "link"])
def test_a_link_that_does_not_work_when_it_is_fresh_is_an_error_and_no_endless_loop(
    kit: Kit, site: Site, records: Records, style: str
) -> None:
    fill(records, 13)
    records.flaw = lambda ask: Say({}, 410) if "cursor" in ask.params else None
    reader = Reader(kit, site, records, style)
    for _ in range(3):
        assert "410" in str(reader.pull(good=False).error)
    assert len(site.asked) <= 8


def test_a_link_that_leads_to_itself_is_an_error(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 13)
    site.answer = lambda _: Say({"data": [], "next": "/visits?cursor=again"})
    assert "just read" in str(Reader(kit, site, records, "next").pull(good=False).error)


def test_a_link_that_holds_our_secret_is_not_remembered(kit: Kit, site: Site, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "very-secret-key")
    fill(records, 3)
    site.answer = lambda _: Say({"data": [], "next": "/visits?cursor=1&key=very-secret-key"})
    done = Reader(kit, site, records, "next", auth={"bearer": {"env": "KEY"}}).pull(good=False)
    assert "holds our secret" in str(done.error)
    assert "very-secret" not in str(done.error)


@pytest.mark.parametrize("link", ["http://evil.example/", {"href": "/visits"}, ["/visits"]])
def test_a_link_to_another_place_or_none_is_an_error(kit: Kit, site: Site, records: Records, link: Any) -> None:
    site.answer = lambda _: Say({"data": [], "next": link})
    reader = Reader(kit, site, records, "next")
    errors = [reader.pull(good=False).error for _ in range(2)]
    assert all("another place" in str(error) or "no text" in str(error) for error in errors)


def test_an_error_that_calls_itself_an_answer_does_not_end_a_list(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 13)
    records.flaw = lambda ask: Say({"error": "busy"}) if ask.params.get("page") == "2" else None
    reader = Reader(kit, site, records, "page")
    assert "no list of records" in str(reader.pull(good=False).error)
    records.flaw = lambda _: None
    reader.pull()
    assert reader.standing() == truth(records)


def test_a_token_that_ends_in_mid_pull_is_renewed(kit: Kit, site: Site, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "a-password")
    fill(records, 23)
    given, used = [0], [0]

    def flaw(ask: Ask) -> Say | None:
        if ask.path == "/token":
            given[0] += 1
            used[0] = 0
            return Say({"token": f"token-{given[0]}"})
        used[0] += 1
        return Say({}, 401) if used[0] > 2 or ask.headers.get("authorization") != f"Bearer token-{given[0]}" else None

    records.flaw = flaw
    login = {"login": {"path": "token", "user": "reader", "password": {"env": "PASSWORD"}}}
    reader = Reader(kit, site, records, "page", auth=login)
    reader.pull()
    assert (reader.standing(), given[0] >= 3) == (truth(records), True)


# --- what is gone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_a_record_that_says_that_it_is_deleted_is_taken_back(kit: Kit, site: Site, records: Records, style: str) -> None:
    fill(records, 8)
    reader = Reader(kit, site, records, style, deleted={"field": "deleted"})
    reader.pull()
    records.pass_time(60)
    records.put("r003", deleted=True)
    records.put("r004", deleted=False)
    for _ in range(5):  # without a tie-break, a page may show one of the two twice
        reader.pull()
    del records.rows["r003"]
    assert reader.standing() == truth(records)


@pytest.mark.parametrize("style", STYLES)
def test_a_sweep_finds_what_vanished_without_a_word(kit: Kit, site: Site, records: Records, style: str) -> None:
    fill(records, 13)
    reader = Reader(kit, site, records, style, sweep_hours=1)
    reader.pull()
    records.drop("r002")
    records.drop("r011")
    records.pass_time(3_601)
    kit.clock.advance(hours=2)
    reader.pull()
    assert reader.standing() == truth(records)
    assert len(truth(records)) == 11


def test_a_list_that_is_suddenly_empty_takes_nothing_back(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 7)
    reader = Reader(kit, site, records, "page", sweep_hours=1)
    reader.pull()
    before = reader.standing()
    records.known = lambda _: False
    records.pass_time(3_601)
    kit.clock.advance(hours=2)
    reader.pull()
    assert reader.standing() == before


def test_a_system_that_takes_us_for_a_stranger_is_not_read(kit: Kit, site: Site, records: Records) -> None:
    """It answers 200 and an empty list to everybody."""
    fill(records, 7)
    reader = Reader(kit, site, records, "page", sweep_hours=1, identity={"path": "me", "at": "user.name", "expect": "reader"})
    reader.pull()
    records.known = lambda _: False
    done = reader.pull(good=False)
    assert "does not say as whom" in str(done.error)
    assert reader.standing() == truth(records)


# --- records that are not as they should be ---------------------------------------------------------------------------


def test_a_record_without_an_id_stops_no_other(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 4)
    records.rows["r001"]["id"] = None
    records.rows["r002"]["id"] = {"not": "an id"}
    reader = Reader(kit, site, records, "page")
    assert reader.pull().counts["refused"] == 2
    assert sorted(reader.standing()) == ["visit-r000", "visit-r003"]


def test_a_list_in_which_nothing_has_an_id_is_an_error_of_the_settings(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 4)
    assert "no record has the id number" in str(Reader(kit, site, records, "page", id="number").pull(good=False).error)


def test_times_that_cannot_be_read_are_an_error_where_all_are_and_do_no_harm_where_one_is(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 4)
    plain = records._shown
    records._shown = lambda row: {**plain(row), **({"updated": "soon"} if row["id"] == "r002" else {})}  # type: ignore[method-assign]
    reader = Reader(kit, site, records, "page")
    reader.pull()
    assert len(reader.standing()) == 3
    assert "no time in a form" in str(Reader(kit, site, records, "page", updated="status").pull(good=False).error)


def test_settings_that_read_the_list_in_another_way_read_it_from_the_beginning(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 13)
    assert Reader(kit, site, records, "cursor").pull(stop=lambda: True).unfinished
    reader = Reader(kit, site, records, "page")
    reader.pull()
    assert reader.standing() == truth(records)


# --- where it is asked from ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "zone", "floor", "said"),
    [
        ({"form": "iso"}, "Australia/Adelaide", "2026-03-01T20:00:07", "2026-03-01T20:00:07Z"),
        ({"form": "iso", "template": "ge{since}"}, None, "2026-03-01T20:00:07", "2026-03-01T20:00:07Z"),
        ({"form": "epoch"}, None, "2026-03-01T00:00:00", "1772323200"),
        ({"form": "epoch_ms"}, None, "2026-03-01T00:00:00", "1772323200000"),
        ({"form": "date"}, "Australia/Adelaide", "2026-03-01T20:00:00", "2026-03-02"),
        ({"form": "date"}, "America/Bogota", "2026-03-03T02:00:00", "2026-03-02"),
        ({"form": "date"}, None, "2026-03-03T02:00:00", "2026-03-02"),
        ({"form": "local"}, "Australia/Adelaide", "2026-03-01T20:00:00", "2026-03-02T06:30:00"),
        ({"form": "local"}, "Australia/Adelaide", "2026-04-04T17:00:00", "2026-04-05T01:30:00"),
        ({"form": "local"}, "Australia/Adelaide", "2026-04-04T16:00:00", "2026-04-05T01:30:00"),
    ],
)
def test_the_watermark_is_never_later_than_it_is_in_the_systems_own_words(
    since: dict[str, str], zone: str | None, floor: str, said: str
) -> None:
    given = {"base": "https://host.example/", "zone": zone, "lists": [listing("page", since={"parameter": "since", **since})]}
    made = Rest(Settings.model_validate(given))
    assert made._lists._since(Since.model_validate({"parameter": "since", **since}), ms(floor)) == said
    made.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"paging": {"style": "page"}},
        {"paging": {"style": "cursor", "parameter": "cursor"}},
        {"paging": {"style": "next"}},
        {"sweep_hours": 1, "one": None},
        {"ordered": True, "since": None},
        {"paging": {"style": "page", "parameter": "page", "size": 0}},
    ],
)
def test_lists_that_cannot_work_are_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Listing.model_validate({**listing("page"), **fault})


def test_two_lists_of_one_kind_are_refused() -> None:
    given = {"base": "https://host.example/", "lists": [listing("page"), listing("page", path="others")]}
    with pytest.raises(ValidationError, match="same kind"):
        kinds()["rest"].settings.model_validate(given)


# --- trying out -------------------------------------------------------------------------------------------------------


def test_check_says_as_whom_we_are_known_and_what_may_be_read(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 7)
    identity = {"path": "me", "at": "user.name", "expect": "reader"}
    adapter = Reader(kit, site, records, "page", identity=identity).source().adapter()
    found = adapter.check()
    assert (found.ok, found.identity, found.readable) == (True, "reader", {"visits": "5 records on the first page, and more"})
    records.known = lambda _: False
    assert "does not say as whom" in adapter.check().problems[0]
    adapter.close()


@pytest.mark.parametrize("said", [Say([]), Say({"data": {}}), Say({"data": [1]}), Say({"data": None}), Say({"other": []})])
def test_an_answer_without_a_list_is_told(kit: Kit, site: Site, records: Records, said: Say) -> None:
    site.answer = lambda _: said
    assert "no list of records at data" in str(Reader(kit, site, records, "page").pull(good=False).error)


def test_one_record_is_asked_for_by_its_own_path_and_no_other(kit: Kit, site: Site, records: Records) -> None:
    fill(records, 2)
    adapter = Reader(kit, site, records, "page").source().adapter()
    assert [(one.ref, one.gone) for one in adapter.fetch("visits", "r001")] == [("r001", False)]
    assert [(one.ref, one.gone) for one in adapter.fetch("visits", "../me")] == [("../me", True)]
    assert adapter.fetch("others", "r001") == []
    site.answer = lambda _: Say({"id": "r000"})
    with pytest.raises(AdapterError, match="another record"):
        adapter.fetch("visits", "r001")
    adapter.close()
    assert site.asked[1].path == "/visits/..%2Fme"
