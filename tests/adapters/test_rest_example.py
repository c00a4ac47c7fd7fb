"""The example of the how-to page reads a system that is as the page says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.sources import pull as pulling
from service.sources.definitions import read_file
from service.sources.trial import trial
from store.cases import load_case
from tests.support.service_kit import kit as kit_on
from tests.support.webworld import Ask, Say, Site

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "json-api" / "source.yaml"
VISIT = {
    "id": 7,
    "family_id": "F1",
    "started_at": "2026-03-02T10:00:00+10:30",
    "updated_at": "2026-03-02T12:00:00+10:30",
    "outcome": "took place",
    "place": "home",
    "persons": [{"id": "p1", "name": "Jane Doe"}, {"id": "c1", "name": "Jim Doe"}],
    "note": "Jane was upset.",
}
AGREEMENT = {"id": 9, "family_id": "F1", "person_id": "p1", "stands": "agreed", "updated_at": "2026-03-03T09:00:00+10:30"}


def casework(ask: Ask) -> Say:
    """The made-up system, to those whom it knows."""
    if ask.path == "/api/v2/oauth/token":
        return Say({"access_token": "a-token", "expires_in": 600})
    if ask.headers.get("authorization") != "Bearer a-token":
        return Say({"data": []})
    lists: dict[str, tuple[set[str], dict[str, Any]]] = {
        "/api/v2/visits": ({"sort", "page", "per_page", "updated_since"}, {"data": [VISIT], "meta": {"total": 1}}),
        "/api/v2/agreements": ({"per_page", "updated_since", "cursor"}, {"data": [AGREEMENT], "meta": {"next_cursor": None}}),
        "/api/v2/me": (set(), {"user": {"name": "duecare"}}),
    }
    known, body = lists[ask.path]
    return Say(body) if set(ask.params) <= known else Say({}, 400)


def test_the_example_is_tried_out_and_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_SECRET", "a-secret")
    with Site(casework) as site, kit_on(f"sqlite:///{tmp_path / 'store.db'}", tmp_path, now="2026-03-20 14:00") as kit:
        text = EXAMPLE.read_text("utf-8")
        file = tmp_path / "source.yaml"
        file.write_text(text.replace("base: https://casework.example.org/", f"allow_private: true\n  base: {site.base}"))
        source = read_file(file, kit.svc.policies.all_types)
        adapter = source.adapter()
        assert (adapter.check().identity, adapter.check().problems) == ("duecare", [])
        adapter.close()
        found = list(trial(kit.svc, source))
        assert [problem for one in found for problem in one.problems] == []
        assert {"note", "persons"} & set(found[0].unread) == {"note"}
        pulling.pull(kit.svc, source)
        with kit.svc.reading() as session:
            events = load_case(session, "F1").file.events
        assert {event.id: event.data for event in events} == {
            "visit-7": {"status": "held", "mode": "in_person", "seen": ["p1", "c1"]},
            "agreement-9": {"person": "p1", "decision": "agree"},
        }


def test_the_page_quotes_the_example() -> None:
    page = (DOCS / "how-to" / "connect-a-json-api.md").read_text("utf-8")
    quoted = page.partition("```yaml\n")[2].partition("```")[0]
    assert quoted in EXAMPLE.read_text("utf-8")
