"""Everything that is held about one case: every table is thought of, and nothing of another case is in it."""

import hashlib
import io
import json
import zipfile

import pytest

from api.app import create_app
from service import accesslog, caseexport, review
from service.access import Access, system
from service.errors import Forbidden, NotFound
from service.keys import create as make_key
from store.accesslog import Entry
from store.casedata import LEFT_OUT, PARTS
from store.models import AuditRow, Base, CaseHoldRow, RejectRow
from tests.support.service_kit import SOURCE, event, kit, three_visits

ME = system("user:me")


@pytest.fixture
def flow(store_url, tmp_path):
    with kit(store_url, tmp_path) as made:
        made.take(*three_visits("k1"), *three_visits("k2"))
        made.take(event("event.voided", "2026-05-01T09:00", {"target": three_visits("k1")[-1]["id"]}, case="k3"))
        made.settle()
        yield made


def test_every_table_is_part_of_an_export_or_left_out_for_a_reason():
    assert not PARTS.keys() & LEFT_OUT.keys()
    assert set(Base.metadata.tables) == PARTS.keys() | LEFT_OUT.keys()


def test_what_came_in_was_found_and_was_done_is_in_it_and_nothing_of_other_cases(flow):
    breach = next(iter(flow.breaches("k1").values()))
    review.review(flow.svc, ME, breach.id, version=breach.version, action="comment", comment="Called the family.")
    with flow.svc.writing() as session:
        hold = {"source": SOURCE, "kind": "visit", "ref": "r9"}
        session.add(CaseHoldRow(**hold, case_id="k1", complete_until=1, since=2))
        session.add(RejectRow(**hold, received=2, problems=["no time"], payload={"family": "k1"}))
        session.add(RejectRow(source=SOURCE, kind="visit", ref="r8", received=2, problems=["no time"], payload={"family": "k2"}))
        for name, report in (("named", '{"sample":[{"case":"k1"}]}'), ("other", '{"sample":[{"case":"K1"},{"case":"k11"}]}')):
            session.add(AuditRow(id=name, kind="full", as_of=1, known_at=1, position=1, heartbeat=1, lines=1, policies=[], scope={}, seed=1,
                                 sample=1, state="done", created=1, created_by="user:1", created_name="One", report=report))  # fmt: skip
    for case, thing in (("k1", None), ("k2", None), (None, breach.id)):
        accesslog.record(flow.svc, Entry(at=5, actor="user:1", via="page", action="case.read", case=case, thing=thing))
    held = caseexport.export(flow.svc, ME, "k1")
    parts = held["parts"]
    sent = {one["id"] for one in three_visits("k1")}
    assert {one["id"] for one in parts["event"] if one["case_id"] == "k1"} == sent
    assert [one["case_id"] for one in parts["event"] if one["id"] not in sent] == ["k3"]
    assert "Called the family." in {line["comment"] for line in parts["breach_history"]}
    assert {one["rule"] for one in parts["breach"]} == set(flow.breaches("k1"))
    assert [one["payload"] for one in parts["reject"]] == [{"family": "k1"}]
    assert [one["id"] for one in parts["audit"]] == ["named"]
    assert len(parts["access_log"]) == 2
    assert parts["verdict"]
    assert len(parts["case_state"]) == 1
    assert held["counts"] == {name: len(rows) for name, rows in parts.items()}
    assert parts["event"][0]["received"].endswith("Z")
    assert "k2" not in json.dumps(parts)


def test_the_archive_holds_the_same_and_says_what_each_file_is(flow):
    made = caseexport.archive(flow.svc, ME, "k1")
    assert "k1" not in made.name
    with zipfile.ZipFile(io.BytesIO(made.body)) as packed:
        files = {name.split("/")[1]: packed.read(name) for name in packed.namelist()}
    held = caseexport.export(flow.svc, ME, "k1")
    assert {name: json.loads(body) for name, body in files.items() if name.endswith(".json")} == {
        f"{name}.json": rows for name, rows in held["parts"].items() if rows
    }
    assert "event.json: What source systems sent about the case" in files["README.txt"].decode()
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(files[name]).hexdigest() == digest


def test_who_is_limited_or_has_no_such_scope_gets_nothing(flow):
    scopes = ME.scopes
    for access in (
        Access("user:1", "One", scopes=scopes, teams=frozenset({"north"})),
        Access("user:1", "One", scopes=scopes, offices=frozenset({"alice"})),
        Access("user:1", "One", scopes=scopes - {"cases:export"}),
    ):
        for case in ("k1", "no such case"):
            with pytest.raises(Forbidden):
                caseexport.export(flow.svc, access, case)
    for nothing in ("no such case", "k1\x00"):
        with pytest.raises(NotFound):
            caseexport.export(flow.svc, ME, nothing)


def test_over_http_it_is_given_to_the_scope_and_recorded(flow):
    client = create_app(flow.svc).test_client()

    def ask(form: str, *scopes: str):
        _, token = make_key(flow.svc, name="k", scopes=scopes)
        return client.get(f"/v1/cases/k1/export.{form}", headers={"Authorization": f"Bearer {token}"})

    assert ask("json", "cases:read").status_code == 403
    answer = ask("json", "cases:export")
    assert answer.json["case"] == "k1"
    packed = ask("zip", "cases:export")
    assert (packed.status_code, packed.mimetype) == (200, "application/zip")
    lines = caseexport.export(flow.svc, ME, "k1")["parts"]["access_log"]
    assert [(line["action"], line["outcome"]) for line in lines] == [
        ("case.export", "refused"),
        ("case.export", "done"),
        ("case.export", "done"),
    ]
