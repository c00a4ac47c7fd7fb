"""What the catalogue does not list reaches no table, no log and no error text, whichever way it comes in."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Record
from adapters.interpret import interpret
from adapters.mapping import Mapping
from api.app import create_app
from service.ingest import ingest
from service.keys import create as make_key
from service.sources import pull, rejects
from service.sources.definitions import Configured, Feeds
from tests.support.door import ROOT, families
from tests.support.leaving import whole_dump
from tests.support.service_kit import Kit, event, kit
from tests.support.webworld import Say, Site

STORY = "Zorblatt whimpered at the table and said that Quindle had gone"
NAMES = ("Zorblatt", "Quindle", "whimpered")
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
CLIENT = """
source: client
uri: urn:test:client
adapter: {adapter}
zone: UTC
{more}settings: {settings}
mapping:{sentence}
"""
READ_ROWS = """
  mapping: rows
  version: "1"
  source: urn:test:client
  format: {zone: UTC}
  case: family
  recorded: changed
  id: {template: "row-{id}"}
  type: {constant: visit.held}
  time: held
  data: {status: {column: status, values: {done: held}}, mode: {constant: in_person}}
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


def _told_everywhere(flow: Kit, store_url: str, tmp_path: Path, caplog: Any, capfd: Any, extra: str = "") -> str:
    """Everything that a source has left behind: the dump, the logs, the metrics, what the source's page and the reject list tell."""
    client = create_app(flow.svc).test_client()
    _, token = make_key(flow.svc, name="reader", scopes=["metrics", "sources:admin"])
    told = [client.get(path, headers={"Authorization": f"Bearer {token}"}) for path in ("/metrics", *(
        f"/v1/sources{rest}" for rest in ("", "/client/rejects")))]  # fmt: skip
    assert {answer.status_code for answer in told} == {200}
    flow.settle()
    return "\n".join([whole_dump(store_url), caplog.text, *capfd.readouterr(), *(answer.text for answer in told), extra])


def _fed(flow: Kit, tmp_path: Path, adapter: str, settings: str, **more: str) -> Configured:
    """A source of this kind with the mapping of these tests."""
    text = CLIENT.format(adapter=adapter, settings=settings, more=more.get("more", ""), sentence=more.get("mapping", READ_ROWS))
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "client.yaml").write_text(text)
    flow.svc.feeds = Feeds(tmp_path / "sources", lambda: flow.svc.in_force.known().all_types)
    return flow.svc.feeds.get("client")


def _row(ident: int, status: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "family": f"F{ident}", "held": "2026-03-02T10:00:00Z", "changed": "2026-03-02T11:00:00Z", "status": status, **more}


def test_of_records_of_a_json_interface(flow, store_url, tmp_path, caplog, capfd):
    talk = {
        "child": "Zorblatt", "remarks": STORY, "who": {"name": "Zorblatt Quindle", "Quindle": {"whimpered": [STORY, {"Zorblatt": 1}]}},
        "seen": [{"id": "p1", "name": "Quindle", "said": STORY}, {"name": "Zorblatt"}],
    }  # fmt: skip
    rows = [_row(1, "done", **talk), _row(2, "perhaps", **talk), {"child": "Zorblatt", "remarks": STORY}]
    pages = {
        "": {"data": rows, "next": "p2", "note": STORY},
        "p2": {"data": [_row(3, "done", **talk)], "total": 4, "by": {"Quindle": "whimpered"}},
    }
    headers = {"X-Family": "Zorblatt", "Set-Cookie": "who=Quindle"}
    paging = "{style: cursor, parameter: after, at: next}"
    with Site(lambda ask: Say(pages[ask.params.get("after", "")], headers=headers)) as site:
        lists = f"[{{kind: rows, path: rows, records: data, id: id, updated: changed, paging: {paging}, one: 'rows/{{id}}'}}]"
        source = _fed(flow, tmp_path, "rest", f"{{base: '{site.base}', allow_private: true, tries: 1, lists: {lists}}}")
        done = pull.pull(flow.svc, source)
        assert (done.error, done.counts["accepted"], done.counts["refused"]) == (None, 2, 2)
        rejects.replay(flow.svc, source)
        site.answer = lambda _: Say(STORY.encode(), 500, {"X-Reason": "Quindle"})
        broken = pull.pull(flow.svc, source)
        site.answer = lambda _: Say({"error": STORY, "Zorblatt": rows})
        also = pull.pull(flow.svc, source)
    assert broken.error
    assert also.error
    _clean(_told_everywhere(flow, store_url, tmp_path, caplog, capfd, f"{done} {broken} {also}"))


def test_of_rows_of_a_database(flow, store_url, tmp_path, monkeypatch, caplog, capfd):
    theirs = tmp_path / "theirs.sqlite3"
    monkeypatch.setenv("CLIENT_URL", f"sqlite:///{theirs}")
    with closing(sqlite3.connect(theirs)) as held:
        held.execute("CREATE TABLE rows (id INTEGER, family TEXT, held TEXT, changed TEXT, status, remarks, child, at TIME)")
        for row in (_row(1, "done"), _row(2, "perhaps"), _row(3, "done")):
            held.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row.values(), STORY, "Zorblatt", "Quindle"))
        held.commit()
        tables = "[{table: rows, id: id, updated: changed}]"
        source = _fed(flow, tmp_path, "sql", f"{{url: {{env: CLIENT_URL}}, page: 2, tables: {tables}}}")
        done = pull.pull(flow.svc, source)
        assert (done.error, done.counts["accepted"], done.counts["refused"]) == (None, 2, 1)
        held.execute("UPDATE rows SET remarks = CAST(x'5a6f72626c617474ff' AS TEXT), changed = '2026-03-03T11:00:00Z'")
        held.commit()
        undecoded = pull.pull(flow.svc, source)
        assert undecoded.error
        assert "UTF-8" in undecoded.error
        held.execute("UPDATE rows SET remarks = '', held = ?, changed = ? WHERE id = 2", (STORY, "Zorblatt whimpered"))
        held.commit()
        odd = pull.pull(flow.svc, source)
        assert odd.error
    _clean(_told_everywhere(flow, store_url, tmp_path, caplog, capfd, f"{done} {undecoded} {odd}"))


def test_of_events_that_are_pushed_in_kinds_of_their_own(flow, store_url, tmp_path, caplog, capfd):
    _fed(flow, tmp_path, "push", "{}", more="push: {sources: ['urn:test:crm']}\n")
    client = create_app(flow.svc).test_client()
    _, token = make_key(flow.svc, name="crm", scopes=["events:write"])

    def sent(ident: int, status: str, within: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        talk = {"child": "Zorblatt", "remarks": STORY, "who": {"name": "Quindle", "Zorblatt": [STORY]}, "list": [{"whimpered": "Quindle"}]}
        data = {**_row(ident, status), **talk, **(within or {})}
        return {**data, "specversion": "1.0", "id": str(ident), "source": "urn:test:crm", "type": "row", "data": data, **more}

    misread = {"held": STORY}, {"family": [STORY]}
    batch = [
        sent(1, "done"), sent(2, "perhaps"), sent(3, "done", type=STORY), sent(4, "done", misread[0]), sent(5, "done", specversion=STORY),
        sent(6, "done", source=STORY), sent(7, "done", misread[1]),
    ]  # fmt: skip
    told = [
        client.post(
            "/v1/events", json=body, content_type=f"application/cloudevents{kind}+json", headers={"Authorization": f"Bearer {token}"}
        )
        for body, kind in ((batch, "-batch"), (batch[1], ""), (batch[3], ""))
    ]
    by_id = {one["id"]: one["status"] for one in (told[0].json or {})["results"]}
    assert [by_id[str(ident)] for ident in (1, 2, 4)] == ["accepted", "rejected", "rejected"]
    rejects.replay(flow.svc, flow.svc.feeds.get("client"))
    dump = _told_everywhere(flow, store_url, tmp_path, caplog, capfd)
    kept = [line for line in dump.splitlines() if any(name in line for name in NAMES)]
    assert [line for line in kept if "~read" not in line] == []
    assert len(kept) == 2, "what stands in fields that the mapping reads is kept, to be mended: held and family"
    _clean(*(answer.text.replace(json.dumps(STORY), "") for answer in told[1:]))


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
