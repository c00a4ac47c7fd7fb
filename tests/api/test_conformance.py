"""The interface does what its document says: requests made up from the document, good and bad, for every operation, over a real server."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.audits import work as auditwork
from service.backtests.work import work
from service.policies.register import register
from tests.api.conftest import ALL, Api
from tests.api.test_reads import family, post
from tests.support.conformance import Examined, examine, running
from tests.support.feeds import Folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(int(os.environ.get("DUECARE_CONFORMANCE_SECONDS", "900")))]


@pytest.fixture
def filled(make_api: Callable[..., Api], sqlite_url: str, clock: list[int], tmp_path: Path) -> tuple[Api, dict[str, str]]:
    """A store with something of everything, and the ids of it."""
    folder = Folder(tmp_path / "sources")
    folder.add()
    api = make_api(sqlite_url, clock, sources=folder.path)
    register(api.svc)
    post(api, family("case-1"), family("case-south", team="south"))
    known = {"case": "case-1", "breach": api.get("/v1/breaches?team=north")["items"][0]["id"], "policy": "cfss", "source": "visits"}
    return api, known | proposed(api) | audited(api)


def proposed(api: Api) -> dict[str, str]:
    """A change that waits for an answer, and a backtest of it that is done."""
    body = {"policy": "cfss", "values": {"family_contact_days": 7}, "effective": "2026-06-01", "applies_to_open": True, "reason": "Agreed."}
    change: Any = api.call("POST", "/v1/policy-changes", json=body).json
    backtest: Any = api.call("POST", "/v1/backtests", json={"change": change["id"]}).json
    while not work(api.svc, backtest["id"], give_way=False):
        pass
    return {"change": change["id"], "digest": change["digest"], "backtest": backtest["id"]}


def audited(api: Api) -> dict[str, str]:
    """An audit that is done, and a schedule that made none."""
    audit: Any = api.call("POST", "/v1/audits", json={}).json
    while not auditwork.work(api.svc, audit["id"], give_way=False):
        pass
    order = {"name": "Every night", "cron": "30 2 * * *", "zone": "Australia/Adelaide"}
    schedule: Any = api.call("POST", "/v1/audit-schedules", json=order).json
    return {"audit": audit["id"], "other": audit["id"], "schedule": schedule["id"]}


def told(done: Examined) -> str:
    return f"{len(done.findings)} findings:\n" + "\n".join(dict.fromkeys(done.findings))


def test_every_operation_answers_as_the_document_says(filled: tuple[Api, dict[str, str]]) -> None:
    """All checks: no error of the server, no status, content type, header or body that is not described; what keeps to the document is
    taken and what does not is refused; keys are looked at; methods that are not there are 405 with Allow."""
    api, known = filled
    described: Any = api.client.get("/openapi.json").json
    scopes = {operation["x-scope"] for methods in described["paths"].values() for operation in methods.values() if "x-scope" in operation}
    with running(api.app) as port:
        done = examine(port, api.key(*sorted(scopes)), known, phases=["coverage", "fuzzing", "stateful"])
    assert not done.findings, told(done)
    operations = {f"{method.upper()} {path}" for path, methods in described["paths"].items() for method in methods}
    assert operations - set(done.statuses) == set()
    read = {label for label in operations if label.startswith("GET ") and not label.endswith(".pdf")}  # what makes PDFs is an extra
    read -= {"GET /v1/retention"}  # there is something to tell only where the installation has rules of retention
    read = {label for label in read if set(re.findall(r"\{(\w+)\}", label)) <= set(known)}
    assert {label for label in read if not done.statuses[label][200]} == set(), "each is answered with something, too"
    batches = [(sent, text) for label, status, sent, text in done.answers if (label, status) == ("POST /v1/events", 202)]
    assert batches
    assert all(not isinstance(sent, list) or text.count('"index":') == len(sent) for sent, text in batches)


def test_whatever_a_limited_key_asks_it_reads_nothing_of_the_others(filled: tuple[Api, dict[str, str]]) -> None:
    api, known = filled
    with running(api.app) as port:
        done = examine(port, api.key(*ALL, teams=("south",)), known, phases=["fuzzing"], only="GET")
    assert not done.findings, told(done)
    north = [(label, status, text[:300]) for label, status, _, text in done.answers if "case-1" in text]
    assert north == []
    assert any("case-south" in text for _, _, _, text in done.answers)
