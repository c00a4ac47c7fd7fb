"""Events of another system's own kinds: mapped by its source's file, refused with their places, taken in once the mapping is mended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from service import keys
from service.signatures import sign
from service.sources.definitions import read_file
from service.sources.rejects import replay
from store.cases import load_case
from store.sources import open_rejects
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on

URI = "urn:test:crm"
OUT = "https://crm.example/visits"
SECRET = "a secret that the two of us share"
BATCH = "application/cloudevents-batch+json"
MAPPING = f"""
  mapping: crm
  version: "1"
  source: {URI}
  format: {{zone: Australia/Adelaide}}
  case: data.family
  recorded: data.entered
  events:
    - of: org.crm.visit
      type: {{constant: visit.held}}
      id: {{template: "visit-{{id}}"}}
      time: data.visit.at
      skip: [{{column: data.visit.state, any_of: [planned]}}]
      data:
        status: {{column: data.visit.state, values: {{done: held, missed: attempted}}}}
        mode: {{constant: in_person}}
"""
FILE = "source: crm\nadapter: push\npush: {{sources: [{out}]{more}}}\nmapping: {mapping}"


class Crm:
    """A system that pushes, and the folder in which its source's file stands."""

    def __init__(self, kit: Kit, path: Path) -> None:
        self.kit, self.path = kit, path
        self.client = create_app(kit.svc).test_client()
        self.key = keys.create(kit.svc, name="crm", scopes=("events:write",))[1]

    def says(self, *, mapping: str = MAPPING, more: str = "") -> None:
        self.path.write_text(FILE.format(out=OUT, more=more, mapping=mapping), "utf-8")
        assert not self.kit.svc.feeds.current().faults

    def send(self, *events: Any, headers: dict[str, str] | None = None) -> Any:
        carried = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return self.client.post("/v1/events", json=list(events), content_type=BATCH, headers=carried)

    def one(self, event: Any) -> Any:
        kind = "application/cloudevents+json"
        return self.client.post("/v1/events", json=event, content_type=kind, headers={"Authorization": f"Bearer {self.key}"})

    def stored(self, case: str = "F1") -> list[Any]:
        with self.kit.svc.reading() as session:
            return list(load_case(session, case).file.events)

    def rejects(self) -> list[tuple[str, str]]:
        with self.kit.svc.reading() as session:
            return [(row.kind, row.ref) for row in open_rejects(session, URI)]

    def replay(self) -> Any:
        return replay(self.kit.svc, self.kit.svc.feeds.get("crm"))


@pytest.fixture
def crm(sqlite_url: str, tmp_path: Path) -> Iterator[Crm]:
    path = tmp_path / "crm.yaml"
    with kit_on(sqlite_url, tmp_path / "home", sources=path) as kit:
        made = Crm(kit, path)
        made.says()
        yield made


def visit(number: int = 1, *, state: str = "done", family: str = "F1", source: str = OUT, **more: Any) -> dict[str, Any]:
    data = {"family": family, "entered": "2026-05-02 09:00", "visit": {"at": "2026-05-01 10:00", "state": state}}
    return {"specversion": "1.0", "id": str(number), "source": source, "type": "org.crm.visit", "data": data, **more}


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return [result["status"] for result in answer.json["results"]]


def test_a_foreign_event_becomes_one_of_ours_under_the_name_of_its_source(crm: Crm) -> None:
    answer = crm.send(visit(1), visit(2, state="missed"))
    assert statuses(answer) == ["accepted", "accepted"]
    assert [(result["source"], result["id"]) for result in answer.json["results"]] == [(OUT, "1"), (OUT, "2")]
    first, second = crm.stored()
    assert (first.source, first.id, first.type, first.data["status"]) == (URI, "visit-1", "visit.held", "held")
    assert (second.data["status"], crm.rejects()) == ("attempted", [])


def test_what_comes_twice_is_known_and_other_content_is_a_conflict(crm: Crm) -> None:
    assert statuses(crm.send(visit(1))) == ["accepted"]
    assert statuses(crm.send(visit(1), visit(1, state="missed"))) == ["duplicate", "conflict"]
    assert crm.one(visit(1, state="missed")).status_code == 409
    assert (len(crm.stored()), crm.rejects()) == (1, [])


def test_what_cannot_be_mapped_is_refused_with_its_place_and_waits_for_a_mended_mapping(crm: Crm) -> None:
    answer = crm.send(visit(1), visit(2, state="perhaps"))
    assert statuses(answer) == ["accepted", "rejected"]
    (problem,) = answer.json["results"][1]["problems"]
    assert (problem["pointer"], problem["code"]) == ("/1/data/status", "unmapped_value")
    assert "perhaps" not in answer.get_data(as_text=True)
    assert crm.rejects() == [("pushed:org.crm.visit", "2")]
    assert crm.replay().counts["refused"] == 1
    crm.says(mapping=MAPPING.replace("done: held", "done: held, perhaps: cancelled"))
    assert crm.replay().counts["accepted"] == 1
    assert (crm.rejects(), [event.id for event in crm.stored()]) == ([], ["visit-1", "visit-2"])
    assert statuses(crm.send(visit(2, state="perhaps"))) == ["duplicate"]


def test_a_single_event_that_cannot_be_mapped_is_422_and_waits_too(crm: Crm) -> None:
    answer = crm.one(visit(7, state="perhaps"))
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/data/status")
    assert crm.rejects() == [("pushed:org.crm.visit", "7")]


def test_one_that_is_sent_again_mended_is_off_the_list(crm: Crm) -> None:
    crm.send(visit(2, state="perhaps"))
    assert statuses(crm.send(visit(2))) == ["accepted"]
    assert crm.rejects() == []


def test_what_the_mapping_passes_over_is_accepted_and_becomes_nothing(crm: Crm) -> None:
    answer = crm.send(visit(1, state="planned"), visit(2, type="org.crm.noise"))
    assert [(result["status"], result["dropped"]) for result in answer.json["results"]] == [("accepted", ["*"]), ("accepted", ["*"])]
    assert (crm.stored(), crm.rejects()) == ([], [])


def test_events_of_others_in_the_same_batch_are_taken_as_they_are(crm: Crm) -> None:
    ours = {
        "specversion": "1.0",
        "id": "o1",
        "source": "urn:test:other",
        "type": "visit.held",
        "subject": "F2",
        "time": "2026-05-01T10:00:00Z",
        "data": {"status": "held", "mode": "in_person"},
    }
    assert statuses(crm.send(visit(1), ours, {**ours, "id": "o2", "type": "org.crm.visit"})) == ["accepted", "accepted", "rejected"]
    assert [event.id for event in crm.stored("F2")] == ["o1"]


def test_a_heartbeat_of_the_system_is_that_of_its_source(crm: Crm) -> None:
    beat = {
        "specversion": "1.0",
        "id": "b1",
        "source": OUT,
        "type": "source.heartbeat",
        "subject": "-",
        "time": "2026-05-03T00:00:00Z",
        "data": {"complete_until": "2026-05-03T00:00:00Z"},
    }
    assert statuses(crm.send(visit(1), beat)) == ["accepted", "accepted"]
    with crm.kit.svc.reading() as session:
        assert [beat.source for beat in load_case(session, "F1").file.heartbeats] == [URI]


def test_a_refused_event_holds_its_source_back_for_its_own_case(crm: Crm) -> None:
    crm.send(visit(1), visit(2, state="perhaps"), visit(3, family="F2"))
    with crm.kit.svc.reading() as session:
        assert [len(load_case(session, case).file.holds) for case in ("F1", "F2")] == [1, 0]


def test_what_is_no_cloudevent_is_refused_and_cannot_wait(crm: Crm) -> None:
    answer = crm.send(visit(1, specversion="0.3"), {**visit(2), "id": ""}, {**visit(3), "type": None})
    assert statuses(answer) == ["rejected"] * 3
    assert [result["problems"][0]["pointer"] for result in answer.json["results"]] == ["/0/specversion", "/1/id", "/2/type"]
    assert crm.rejects() == []


def test_where_the_file_names_a_secret_every_name_of_the_source_needs_a_signature(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SECRET", SECRET)
    crm.says(more=", secret: {env: CRM_SECRET}")
    assert crm.send(visit(1)).status_code == 401
    body = crm.client.application.json.dumps([visit(1)]).encode()
    now = crm.kit.svc.now() // 1000
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, message_id="m1", timestamp=now, body=body),
    }
    carried = {"Authorization": f"Bearer {crm.key}", **headers}
    assert statuses(crm.client.post("/v1/events", data=body, content_type=BATCH, headers=carried)) == ["accepted"]


def test_a_system_that_only_pushes_is_never_asked(crm: Crm) -> None:
    from service.sources.pull import due, pull_due

    assert due(crm.kit.svc) == []
    assert pull_due(crm.kit.svc, "crm") is None


def test_a_system_that_is_pulled_may_push_other_kinds_under_a_mapping_of_their_own(crm: Crm, tmp_path: Path) -> None:
    pushed = MAPPING.replace("\n", "\n  ")
    crm.path.write_text(
        f"source: crm\nuri: {URI}\nadapter: files\nsettings: {{folder: drop}}\nmapping: standard\npush:\n  mapping: {pushed}", "utf-8"
    )
    found = read_file(crm.path, crm.kit.svc.policies.all_types)
    assert (found.pushed is not None, found.senders) == (True, {URI})
    assert statuses(crm.send(visit(1, source=URI))) == ["accepted"]


def test_names_without_a_mapping_are_a_fault_with_its_place(crm: Crm) -> None:
    crm.path.write_text(
        f"source: crm\nuri: {URI}\nadapter: files\nsettings: {{folder: drop}}\nmapping: standard\npush: {{sources: [x]}}\n", "utf-8"
    )
    (fault,) = crm.kit.svc.feeds.current().faults
    assert (fault.line, "need a mapping" in fault.message) == (6, True)
