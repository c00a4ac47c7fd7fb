"""The OpenAPI document held against the running interface: generated requests, good and bad, never fail inside and answer as described."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service import auditwork
from service.backtestwork import work
from service.register import register
from tests.api.conftest import Api
from tests.api.test_reads import family, post
from tests.support.feeds import Folder

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]


def document(api: Api) -> Any:
    return api.client.get("/openapi.json").json


def test_the_document_is_openapi_3_1_and_every_reference_leads_somewhere(light: Api) -> None:
    made = document(light)
    assert made["openapi"].startswith("3.1")
    text = json.dumps(made)
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert name in made["components"]["schemas"], name
    for path, methods in made["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["operationId"]
            assert all(p.get("description") for p in operation.get("parameters", [])), path
    schemathesis.openapi.from_dict(made).validate()


def test_the_documentation_page_shows_every_operation_and_schema(light: Api) -> None:
    page = light.client.get("/docs").get_data(as_text=True)
    made = document(light)
    for methods in made["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
    for name in made["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    assert "http://" not in page
    assert "<script" not in page


def attempt(api: Api, operation: Any, mode: schemathesis.GenerationMode, path: dict[str, str], examples: int) -> set[int]:
    """Send generated requests of one operation, and hold each answer against the document; the statuses that came."""
    seen: set[int] = set()

    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis.settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck))
    def send(case: schemathesis.Case) -> None:
        case.path_parameters = {name: path.get(name, value) for name, value in case.path_parameters.items()}
        if path and "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = '"1"'
        response = case.call(headers={"Authorization": f"Bearer {api.token}"})
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    send()
    return seen


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


@pytest.mark.slow
@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE], ids=["good", "bad"])
def test_generated_requests_are_answered_as_the_document_says(
    make_api: Callable[..., Api], sqlite_url: str, clock: list[int], tmp_path: Path, mode: schemathesis.GenerationMode
) -> None:
    folder = Folder(tmp_path / "sources")
    folder.add()
    light = make_api(sqlite_url, clock, sources=folder.path)
    register(light.svc)
    post(light, family("case-1"), family("0"))
    known = {"case": "case-1", "breach": light.get("/v1/breaches")["items"][0]["id"], "policy": "cfss", "source": "visits"}
    known |= proposed(light) | audited(light)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", light.app)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is schemathesis.GenerationMode.NEGATIVE and not operation.definition.raw.get("parameters") and not operation.body:
            continue
        attempt(light, operation, mode, {}, 15)
        seen = attempt(light, operation, mode, known, 15)
        tried += 1
        if (
            mode is schemathesis.GenerationMode.POSITIVE
            and operation.method.upper() == "GET"
            and "as_of" not in str(operation.definition.raw)
            and not operation.path.endswith(".pdf")  # what makes PDFs is an extra
        ):
            assert 200 in seen, operation.label
    assert tried > 15
