"""What the catalogue does not list reaches no table, no log and no error text, whichever way it comes in."""

from __future__ import annotations

import json

import pytest

from adapters.base import Record
from adapters.interpret import interpret
from adapters.mapping import Mapping
from api.app import create_app
from service import pull
from service.ingest import ingest
from service.keys import create as make_key
from service.sources import Feeds
from tests.support.door import ROOT, families
from tests.support.leaving import whole_dump
from tests.support.service_kit import event, kit

STORY = "Zorblatt wept at the table and said that Quindle had gone"
NAMES = ("Zorblatt", "Quindle", "wept")
SOURCE = """
source: visits
adapter: files
zone: Australia/Adelaide
settings: {{folder: {folder}, names: 'visits*.csv', settle: 0}}
mapping:
  mapping: visits
  version: "1"
  source: urn:test:visits
  case: family
  id: {{template: "visit-{{id}}"}}
  type: {{constant: visit.held}}
  time: held
  data: {{status: outcome}}
"""
READY = sorted(path.stem for path in (ROOT / "adapters" / "ready").glob("*.yaml"))


@pytest.fixture
def flow(store_url, tmp_path):
    with kit(store_url, tmp_path) as made:
        yield made


def _told() -> list[dict[str, object]]:
    visit = {"status": "held", "mode": "in_person", "seen": ["p1"]}
    plan = {"plan": "sp1", "participants": [{"person": "p1", "role": "parent", "name": STORY}]}
    return [
        event("visit.held", "2026-03-02T09:00", {**visit, "note": STORY}),
        event("visit.held", "2026-03-03T09:00", {**visit, "performer": {"id": "w1", "role": "practitioner", "name": STORY}}),
        event("visit.held", "2026-03-04T09:00", {**visit, "story": {"inner": [STORY, {"deep": STORY}]}}),
        event("safety_plan.recorded", "2026-03-05T09:00", plan),
        {**event("visit.held", "2026-03-06T09:00", visit), "comment": STORY, "dataschema": f"urn:x:{STORY}"},
        event("event.corrected", "2026-03-07T09:00", {"target": "x", "set": {"occurred_on": "2026-03-01"}, "why": STORY}),
        event("visit.held", "2026-03-08T09:00", {**visit, "seen": STORY}),
        event("safety_plan.recorded", "2026-03-09T09:00", {"plan": "sp2", "version": STORY}),
        event("visit.held", "2026-03-10T09:00", {**visit, "occurred_on": STORY}),
        event("event.corrected", "2026-03-11T09:00", {"target": "x", "set": {"note": STORY}}),
    ]


def _clean(*texts: str) -> None:
    for text in texts:
        assert [name for name in NAMES if name in text] == []


def test_events_that_are_posted(flow, store_url, caplog, capfd):
    client = create_app(flow.svc).test_client()
    _, token = make_key(flow.svc, name="k", scopes=["events:write"])
    headers = {"Authorization": f"Bearer {token}"}
    told = [
        client.post("/v1/events", data=json.dumps(one), content_type="application/cloudevents+json", headers=headers) for one in _told()
    ]
    batch = [{**one, "id": f"again-{number}"} for number, one in enumerate(_told())]
    told.append(client.post("/v1/events", data=json.dumps(batch), content_type="application/cloudevents-batch+json", headers=headers))
    binary = {f"ce-{name}": str(value) for name, value in _told()[0].items() if name not in ("data", "id")} | {"ce-id": "binary"}
    body = json.dumps(_told()[0]["data"])
    told.append(client.post("/v1/events", data=body, content_type="application/json", headers={**headers, **binary}))
    results = [one for answer in told for one in answer.json.get("results", [])]
    assert {"accepted", "rejected"} <= {one["status"] for one in results}
    flow.settle()
    _clean(whole_dump(store_url), caplog.text, *capfd.readouterr(), *(answer.text for answer in told))


def test_events_from_files_and_other_processes(flow, store_url, caplog, capfd):
    report = ingest(flow.svc, [json.dumps(one).encode() for one in _told()], via="file")
    assert report.counts["accepted"] > 0
    assert any("note" in result.dropped for result in report.results)
    flow.settle()
    _clean(whole_dump(store_url), caplog.text, *capfd.readouterr(), repr(report))


def test_of_a_refused_record_no_sentence_is_kept_that_nothing_reads(flow, store_url, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "visits.yaml").write_text(SOURCE.format(folder=folder))
    lines = ["id,family,held,outcome,remarks", f"1,F1,no day at all,held,{STORY}", f"2,F2,2026-03-02 10:00,held,{STORY}"]
    (folder / "visits.csv").write_text("\n".join(lines) + "\n")
    flow.svc.feeds = Feeds(tmp_path / "sources", lambda: flow.svc.in_force.known().all_types)
    pulled = pull.pull(flow.svc, flow.svc.feeds.current().get("visits"))
    assert (pulled.counts["accepted"], pulled.counts["refused"]) == (1, 1)
    dump = whole_dump(store_url)
    assert "no day at all" in dump
    _clean(dump)


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("misread", [False, True], ids=["beside what is read", "in what is read"])
def test_records_under_every_mapping_that_comes_with_duecare(name, misread):
    mapping = Mapping.load(ROOT / "adapters" / "ready" / f"{name}.yaml", families())
    fields: dict[str, object] = {"narrative": STORY, "remarks": {"text": STORY, "by": [STORY]}}
    if misread:
        fields |= {column.replace("[]", ""): STORY for column in mapping.columns}
    kinds = {kind for plan in mapping.plans for kind in plan.of or ("case",)}
    assert kinds
    for kind in sorted(kinds):
        found = interpret(mapping, Record(kind, "r1", fields), received=1_780_000_000_000)
        _clean(repr([made.parsed for made in found.events]), repr(found.problems))
