"""Asking client systems: what becomes of records that are new, edited, deleted or refused, and of pulls that end early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record
from adapters.mapping import Mapping
from rules.model import Event
from service.sources import pull as pulling
from service.sources import rejects as rejected
from service.sources.definitions import Configured
from service.sources.records import Plan
from service.sources.refused import READ
from service.sources.taking import Pulled
from service.sources.turn import LEASE_MS
from store import sources
from store.cases import load_case
from store.models import RejectRow, SourceRow
from tests.support.service_kit import Kit, event, instant
from tests.support.service_kit import kit as kit_on

URI = "urn:test:client"
MAPPING = f"""
mapping: made_up
version: "1"
source: {URI}
format: {{zone: Australia/Adelaide}}
case: family
recorded: changed
events:
  - of: visits
    type: {{constant: visit.held}}
    id: {{template: "visit-{{id}}"}}
    time: held
    data:
      status: {{column: status, values: {{done: held, missed: attempted}}}}
      mode: {{constant: in_person}}
      seen: seen
  - of: consents
    state: true
    type: {{constant: consent.recorded}}
    id: {{template: "consent-{{id}}"}}
    time: changed
    data:
      decision: {{column: status, values: {{granted: agree, withdrawn: withdraw}}}}
"""
NOW = "2026-03-20 12:00"


class Client:
    """A client system of a test: its pages, and what goes wrong on the way."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.fails: dict[int, Exception] = {}
        self.asked: list[Cursor | None] = []
        self.there: dict[tuple[str, str], Record] = {}
        self.closed = 0

    def holds(self, *pages: Sequence[Record], complete: str | None = None) -> None:
        until = instant(complete) if complete is not None else None
        last = len(pages) - 1
        self.pages = [
            Page(page, {"read": n + 1}, more=n < last, complete_until=until if n == last else None) for n, page in enumerate(pages)
        ]

    def check(self) -> Connection:
        return Connection("tester")

    def pull(self, cursor: Cursor | None) -> Page:
        self.asked.append(cursor)
        number = 0 if cursor is None else int(cursor["read"])
        if number in self.fails:
            raise self.fails.pop(number)
        return self.pages[number] if number < len(self.pages) else Page([], cursor or {})

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        found = self.there.get((kind, ref))
        return [] if found is None else [found]

    def close(self) -> None:
        self.closed += 1


class Nothing(BaseModel):
    """No settings."""


@pytest.fixture
def kit(store_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit_on(store_url, tmp_path, now=NOW) as made:
        yield made


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def source(kit: Kit, client: Client) -> Configured:
    return configured(kit, client)


def configured(kit: Kit, client: Client, mapping: str = MAPPING) -> Configured:
    read = Mapping.parse(mapping, kit.svc.policies.all_types)
    return Configured("client", "Client", Kind("made_up", "", Nothing, lambda _: client), Nothing(), read, 300, 86_400, True, None, "")


def visit(ref: str = "1", *, held: str = "2026-03-02 10:00", changed: str = "2026-03-02 11:00", gone: bool = False, **more: Any) -> Record:
    fields = {"id": ref, "family": "F1", "held": held, "status": "done", "seen": ["c1"], "changed": changed, **more}
    return Record("visits", ref, fields, gone=gone, changed=instant(changed))


def consent(status: str, changed: str) -> Record:
    fields = {"id": "9", "family": "F1", "status": status, "changed": changed}
    return Record("consents", "9", fields, changed=instant(changed))


def stored(kit: Kit) -> list[Event]:
    with kit.svc.reading() as session:
        return sorted(load_case(session, "F1").file.events, key=lambda event: event.id)


def ids(kit: Kit) -> list[str]:
    return [event.id for event in stored(kit)]


def test_records_become_events_of_their_kind(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1"), consent("granted", "2026-03-01 09:00")], [visit("2", held="2026-03-09 10:00")])
    done = pulling.pull(kit.svc, source)
    assert (done.error, done.pages, done.counts["accepted"], client.closed) == (None, 2, 3, 1)
    assert ids(kit) == ["consent-9", "visit-1", "visit-2"]


def test_what_is_read_again_changes_nothing(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1")])
    pulling.pull(kit.svc, source)
    pulling.forget(kit.svc, source)
    done = pulling.pull(kit.svc, source)
    assert (done.counts["unchanged"], done.counts["accepted"], ids(kit)) == (1, 0, ["visit-1"])


def test_an_edited_record_takes_its_event_back_and_puts_another_in_its_place(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1")], [visit("1", held="2026-03-03 10:00", changed="2026-03-05 08:00")])
    pulling.pull(kit.svc, source)
    first, second, void = stored(kit)
    assert (first.id, second.id, void.id, void.type) == ("visit-1", "visit-1~2", "visit-1~void", "event.voided")
    assert void.data == {"target": "visit-1"}
    assert void.recorded == second.recorded == instant("2026-03-05 08:00")
    assert second.time == instant("2026-03-03 10:00")


def test_an_edit_that_says_nothing_else_changes_nothing(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1")], [visit("1", changed="2026-03-05 08:00", note="a word that no rule reads")])
    pulling.pull(kit.svc, source)
    assert ids(kit) == ["visit-1"]


def test_a_deleted_record_takes_back_what_it_became_and_comes_back_as_another(kit: Kit, client: Client, source: Configured) -> None:
    client.holds(
        [visit("1")],
        [visit("1", gone=True, changed="2026-03-05 08:00")],
        [visit("1", changed="2026-03-06 08:00")],
        [visit("1", gone=True, changed="2026-03-07 08:00")],
    )
    pulling.pull(kit.svc, source)
    assert ids(kit) == ["visit-1", "visit-1~2", "visit-1~2~void", "visit-1~void"]


def test_a_record_that_is_no_longer_of_a_kind_that_counts_is_taken_back(kit: Kit, client: Client, tmp_path: Path) -> None:
    skipping = MAPPING.replace("    time: held\n", "    time: held\n    skip: [{column: status, any_of: [draft]}]\n")
    client.holds([visit("1")], [visit("1", status="draft", changed="2026-03-05 08:00")])
    pulling.pull(kit.svc, configured(kit, client, skipping))
    assert ids(kit) == ["visit-1", "visit-1~void"]


def test_a_state_adds_an_event_each_time_it_changes_and_takes_none_back(kit: Kit, client: Client, source: Configured) -> None:
    client.holds(
        [consent("granted", "2026-03-01 09:00")],
        [consent("granted", "2026-03-02 09:00")],
        [consent("withdrawn", "2026-03-03 09:00")],
        [consent("granted", "2026-03-04 09:00")],
    )
    pulling.pull(kit.svc, source)
    found = stored(kit)
    assert [(event.id, event.data["decision"]) for event in found] == [
        ("consent-9", "agree"),
        ("consent-9~2", "withdraw"),
        ("consent-9~3", "agree"),
    ]
    assert found[0].time == instant("2026-03-01 09:00")


def test_a_state_whose_record_is_deleted_takes_back_all_that_it_said_once(kit: Kit, client: Client, source: Configured) -> None:
    gone = Record("consents", "9", gone=True, changed=instant("2026-03-08 09:00"))
    client.holds(
        [consent("granted", "2026-03-01 09:00")],
        [consent("withdrawn", "2026-03-03 09:00")],
        [gone],
        [consent("granted", "2026-03-09 09:00")],
        [Record("consents", "9", gone=True, changed=instant("2026-03-10 09:00"))],
    )
    done = pulling.pull(kit.svc, source)
    assert [id_ for id_ in ids(kit) if id_.endswith("~void")] == ["consent-9~2~void", "consent-9~3~void", "consent-9~void"]
    assert done.counts["conflict"] == 0


def test_a_record_that_cannot_be_mapped_waits_with_its_reason_and_stops_nobody(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1", status="perhaps"), visit("2", held="2026-03-09 10:00")])
    done = pulling.pull(kit.svc, source)
    assert (done.counts["refused"], ids(kit)) == (1, ["visit-2"])
    (reject,) = rejects(kit)
    assert (reject.kind, reject.ref) == ("visits", "1")
    assert [problem["pointer"] for problem in reject.problems] == ["/data/status"]
    assert "perhaps" not in str(reject.problems)


def test_rejects_are_taken_in_once_the_mapping_is_mended_and_forgotten(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1", status="perhaps")])
    pulling.pull(kit.svc, source)
    mended = configured(kit, client, MAPPING.replace("done: held", "done: held, perhaps: cancelled"))
    done = rejected.replay(kit.svc, mended)
    assert (done.counts["accepted"], ids(kit), rejects(kit)) == (1, ["visit-1"], [])
    with kit.svc.reading() as session:
        payloads = [row.payload for row in session.query(RejectRow)]
    assert payloads == [None]


def test_of_a_refused_record_only_what_the_mapping_reads_is_kept(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1", status="perhaps", notes="Anna Beck", more={"told": ["A long story.", {"by": "Anna"}]})])
    pulling.pull(kit.svc, source)
    (reject,) = rejects(kit)
    assert reject.payload.keys() == {"id", "family", "held", "changed", "status", "seen", READ}


def test_a_record_of_which_a_mended_mapping_reads_more_is_asked_for_again(kit: Kit, client: Client, source: Configured) -> None:
    given = visit("1", status="perhaps", how="phone")
    client.holds([given])
    pulling.pull(kit.svc, source)
    mended = MAPPING.replace("done: held", "done: held, perhaps: cancelled").replace("{constant: in_person}", "how")
    away = rejected.replay(kit.svc, configured(kit, client, mended))
    assert away.error is not None
    assert "read the source again" in away.error
    client.there["visits", "1"] = given
    assert rejected.replay(kit.svc, configured(kit, client, mended)).counts["accepted"] == 1
    assert rejects(kit) == []


def test_replaying_under_the_same_mapping_leaves_them_where_they_are(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1", status="perhaps")])
    pulling.pull(kit.svc, source)
    (before,) = rejects(kit)
    kit.clock.advance(hours=1)
    assert rejected.replay(kit.svc, source).counts["refused"] == 1
    (after,) = rejects(kit)
    assert (after.id, after.received) == (before.id, before.received)


def test_a_source_is_complete_as_far_as_it_says_but_no_further_than_what_may_be_about_any_case(
    kit: Kit, client: Client, source: Configured
) -> None:
    client.holds([visit("1", family="", changed="2026-03-20 11:58")], complete="2026-03-20 11:55")
    pulling.pull(kit.svc, source)
    assert complete(kit) == instant("2026-03-20 11:55")
    kit.clock.advance(hours=5)
    client.pages[-1] = Page([], {"read": 1}, complete_until=instant("2026-03-20 16:55"))
    client.pages = [client.pages[-1]]
    pulling.forget(kit.svc, source)
    pulling.pull(kit.svc, source)
    assert complete(kit) == instant("2026-03-20 11:55")
    (reject,) = rejects(kit)
    assert rejected.dismiss(kit.svc, source, reject.id, by="user:1")
    pulling.forget(kit.svc, source)
    pulling.pull(kit.svc, source)
    assert complete(kit) == instant("2026-03-20 16:55")


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_pull_that_breaks_off_goes_on_where_it_was(kit: Kit, client: Client, source: Configured, failing: int) -> None:
    client.holds([visit("1")], [visit("2", held="2026-03-09 10:00")], [visit("3", held="2026-03-16 10:00")])
    client.fails[failing] = AdapterError("the system cannot be reached")
    broken = pulling.pull(kit.svc, source)
    assert (broken.error, broken.pages, len(stored(kit))) == ("the system cannot be reached", failing, failing)
    pulling.pull(kit.svc, source)
    assert ids(kit) == ["visit-1", "visit-2", "visit-3"]
    assert client.asked[failing] == client.asked[failing + 1]


def test_a_source_that_fails_is_asked_less_and_less_and_at_once_when_it_says_when(kit: Kit, client: Client, source: Configured) -> None:
    waits = []
    for error in (AdapterError("no"), AdapterError("no"), AdapterError("later", retry_after=17.0)):
        client.fails[0] = error
        pulling.pull(kit.svc, source)
        waits.append(row(kit).next_pull_at - kit.svc.now())
        kit.clock.advance(hours=2)
    assert waits == [300_000, 600_000, 17_000]
    assert (row(kit).failures, row(kit).last_error) == (3, "later")
    client.holds([visit("1")])
    pulling.pull(kit.svc, source)
    assert (row(kit).failures, row(kit).last_error, row(kit).last_good_pull) == (0, None, kit.svc.now())


def test_what_a_client_system_does_wrong_never_ends_the_worker(kit: Kit, client: Client, source: Configured) -> None:
    client.fails[0] = KeyError("Jane Doe")
    done = pulling.pull(kit.svc, source)
    assert done.error == "KeyError while it was read"
    assert "Jane" not in str(row(kit).last_error)


def test_one_process_at_a_time_asks_a_source(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1")], [visit("2", held="2026-03-09 10:00")])
    inside: list[bool] = []
    pulling.pull(kit.svc, source, told=lambda _: inside.append(pulling.pull(kit.svc, source).busy))
    assert inside == [True, True]
    assert ids(kit) == ["visit-1", "visit-2"]


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing_more(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1")], [visit("2", held="2026-03-09 10:00")])
    other: list[Pulled] = []

    def meanwhile(_: object) -> None:
        if not other:
            kit.clock.advance(seconds=LEASE_MS / 1000 + 1)
            other.append(Pulled(""))
            other[0] = pulling.pull(kit.svc, source)

    first = pulling.pull(kit.svc, source, told=meanwhile)
    assert (first.busy, first.pages, other[0].pages) == (True, 1, 1)
    assert ids(kit) == ["visit-1", "visit-2"]


def test_a_record_that_a_sweep_does_not_find_is_asked_for_before_it_counts_as_gone(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1"), visit("2", held="2026-03-09 10:00"), visit("3", held="2026-03-16 10:00")])
    pulling.pull(kit.svc, source)
    client.there["visits", "2"] = visit("2", held="2026-03-09 10:00")
    client.pages = [Page([], {"read": 1}, sweep=1, present={"visits": ["1"]}, swept=["visits"])]
    pulling.forget(kit.svc, source)
    pulling.pull(kit.svc, source)
    assert ids(kit) == ["visit-1", "visit-2", "visit-3", "visit-3~void"]


def test_two_records_that_want_one_id_are_told_apart(kit: Kit, client: Client) -> None:
    clashing = configured(kit, client, MAPPING.replace('"visit-{id}"', '"{family}"'))
    client.holds([visit("1"), visit("2", held="2026-03-09 10:00")])
    done = pulling.pull(kit.svc, clashing)
    assert done.counts["conflict"] == 1
    (reject,) = rejects(kit)
    assert (reject.ref, reject.problems[0]["code"]) == ("2", "conflict")


def test_a_nudge_brings_the_next_pull_forward(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1")])
    pulling.pull(kit.svc, source)
    assert row(kit).next_pull_at == kit.svc.now() + 300_000
    pulling.nudge(kit.svc, source)
    pulling.nudge(kit.svc, source)
    assert row(kit).next_pull_at == kit.svc.now()


def test_pulled_events_are_judged(kit: Kit, client: Client, source: Configured) -> None:
    client.holds([visit("1")])
    pulling.pull(kit.svc, source)
    with kit.svc.reading() as session:
        assert session.query(SourceRow).one().records == 1
    assert kit.settle() == 1


def rejects(kit: Kit) -> list[Any]:
    with kit.svc.reading() as session:
        return sources.open_rejects(session, URI)


def complete(kit: Kit) -> int | None:
    with kit.svc.reading() as session:
        return sources.complete_until(session, URI)


def row(kit: Kit) -> Any:
    with kit.svc.reading() as session:
        return session.get_one(SourceRow, URI)


def test_while_a_page_is_written_its_source_is_busy_and_events_that_are_pushed_do_not_wait(kit: Kit, source: Configured) -> None:
    pulling.nudge(kit.svc, source)
    several = kit.svc.engine.dialect.name == "postgresql"  # SQLite has one writer at a time
    with kit.svc.writing() if several else kit.svc.reading() as at_work:
        if several:
            sources.lock(at_work, URI, adapter="made_up")
            assert pulling.pull(kit.svc, source).busy
        pushed = event("visit.held", "2026-03-02T10:00", {"status": "held", "mode": "in_person"}, case="F1", source=URI)
        assert kit.take(pushed).counts == {"accepted": 1}
    kit.clock.advance(seconds=2)
    kit.take({**pushed, "id": "another"})
    assert row(kit).last_received == kit.svc.now()


def test_a_page_keeps_the_turn_however_long_it_took(kit: Kit, client: Client, source: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    client.holds([visit("1")], [visit("2", held="2026-03-09 10:00")])
    slow = Plan.of

    def slowly(*args: Any, **more: Any) -> Any:
        kit.clock.advance(seconds=LEASE_MS / 1000 + 1)
        return slow(*args, **more)

    monkeypatch.setattr(Plan, "of", slowly)
    until: list[int] = []
    pulling.pull(kit.svc, source, told=lambda _: until.append(row(kit).lease_until - kit.svc.now()))
    assert until == [LEASE_MS, LEASE_MS]


def test_a_source_whose_process_was_killed_is_asked_again_within_half_a_minute(kit: Kit, client: Client, source: Configured) -> None:
    with kit.svc.writing() as session:
        assert sources.begin(session, URI, adapter="made_up", now=kit.svc.now(), lease_ms=LEASE_MS) is not None
    client.holds([visit("1")])
    assert pulling.pull(kit.svc, source).busy
    kit.clock.advance(seconds=30)
    assert pulling.pull(kit.svc, source).counts["accepted"] == 1
