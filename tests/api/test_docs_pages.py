"""The written pages about the interface stay true: operations, scopes and limits, and the first batch does what its page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from service.settings import Settings
from tests.api.conftest import Api

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "http-api.md").read_text("utf-8")
HOW_TO = (DOCS / "how-to" / "post-events.md").read_text("utf-8")


def test_the_reference_lists_every_operation_with_its_scope(light: Api) -> None:
    document = light.client.get("/openapi.json").json
    assert document is not None
    rows = [line.split("|")[1:3] for line in REFERENCE.splitlines() if line.startswith("| `")]
    listed = {
        operation: scope.strip().strip("`") for operations, scope in rows for operation in re.findall(r"`([A-Z]+ /[^`]*)`", operations)
    }
    assert listed == {
        f"{method.upper()} {path}": operation.get("x-scope", "none")
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_limits_are_those_of_the_settings(light: Api) -> None:
    fields = Settings.model_fields
    assert fields["body_limit"].default == 16 * 1024**2
    assert "| a request | 16 MiB |" in REFERENCE
    assert fields["batch_limit"].default == 10_000
    assert "| a batch | 10,000 events |" in REFERENCE
    assert fields["event_limit"].default == 256 * 1024
    assert "| an event | 256 KiB |" in REFERENCE


def test_the_first_batch_does_what_the_page_says(light: Api) -> None:
    sent = json.loads((DOCS / "examples" / "first-batch.json").read_text("utf-8"))
    told = light.batch(sent)
    assert told["counts"] == {"accepted": 3, "duplicate": 0, "conflict": 0, "rejected": 1}
    (problem,) = told["results"][3]["problems"]
    assert json.dumps(problem) in HOW_TO
    light.judge()
    (breach,) = light.get("/v1/breaches?case=FAM/2026-17&rule=C12")["items"]
    assert (breach["condition"], breach["days_late"]) == ("remedied", 4)
    assert light.get(f"/v1/breaches/{breach['id']}")["explanation"]["sentence"]
    before = light.get("/v1/cases/FAM%2F2026-17/verdicts?as_of=2026-04-20&rule=C12&explain=true")
    assert before["verdicts"][0]["verdict"] == "breached"
    headers = dict(re.findall(r"-H '(ce-[a-z]+): ([^']+)'", HOW_TO))
    body = re.findall(r"-d '(\{.*\})'", HOW_TO)[0]
    answer = light.call("POST", "/v1/events", data=body, content_type="application/json", headers=headers)
    assert answer.status_code == 202
    assert light.get("/v1/cases/FAM%2F2026-17")["events"] == 4
