"""The OpenAPI document by itself: well-formed, whole, and shown on the documentation page."""

from __future__ import annotations

import json
import re
from typing import Any

import schemathesis

from tests.api.conftest import Api


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
