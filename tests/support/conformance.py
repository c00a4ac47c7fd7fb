"""The engine of schemathesis over a running interface: every check on, a fixed seed, and each finding told in one line.

``DUECARE_CONFORMANCE_EXAMPLES`` (default 3) is how many requests are made up for each operation in each way, beside those that cover
every keyword of its schemas.  Imports schemathesis and tests.support.serving.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from flask import Flask
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from schemathesis.generation import GenerationMode

from tests.support.serving import serving

EXAMPLES = int(os.environ.get("DUECARE_CONFORMANCE_EXAMPLES", "3"))
SEED = 20260601
REFUSALS = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428"]
"""What a request may be refused with that does not keep to the document."""

MEANINGS = frozenset(
    {
        ("cursor", "wrong_value"),  # belongs to the list that gave it
        ("sort", "wrong_value"),  # cases that nobody has judged have one order
        ("If-Match", "no_such_version"),
        ("", "stale_version"),
        ("/policies", "unknown"),
        ("/zone", "unknown"),
        ("/cron", "wrong_value"),
        ("/ends_at", "wrong_value"),  # not in the future
        ("/as_of", "wrong_value"),  # 30 February
        ("/known_at", "wrong_value"),
        ("/type", "unknown_type"),
        ("/effective", "wrong_value"),
        ("/main", "wrong_value"),
        ("/main", "unknown"),
        ("/reason_code", "missing"),  # a dismissal needs one
        ("/comment", "missing"),  # a comment, and another reason, need words
        ("/comment", "wrong_value"),  # control characters
        ("/name", "wrong_value"),
        ("/assignee", "unknown"),
        *((f"/{name}", "wrong_value") for name in ("specversion", "id", "source", "type", "subject", "time", "recordedtime")),  # as headers
    }
)
"""(place, code) of what a request may be refused for though it keeps to the document: no schema can say these."""


@dataclass
class Examined:
    """What came of it: statuses by operation, findings, and every pair of operation and answer's text."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    answers: list[tuple[str, int, Any, str]] = field(default_factory=list)
    """(operation, status, what was sent as the body, what came back)"""


def running(app: Flask) -> AbstractContextManager[int]:
    """``app`` behind waitress on loopback; its port."""
    return serving(app, clear_untrusted_proxy_headers=True)


def examine(port: int, token: str, known: Mapping[str, str], *, phases: Sequence[str], only: str | None = None) -> Examined:
    """Hold every operation (or those of the method ``only``) against its description.  ``known``: values of path parameters that exist."""
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json", config=_config(token, known, phases, only))
    done = Examined()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            done.findings.append(f"{event.label}: {event.value}")
        if isinstance(event, events.ScenarioFinished):
            _look(event, done)
    return done


def _config(token: str, known: Mapping[str, str], phases: Sequence[str], only: str | None) -> SchemathesisConfig:
    words: dict[str, Any] = {name: {"values": [value]} for name, value in known.items()} | {"version": {"values": ['"1"', '"2"']}}
    bound: dict[str, Any] = {f"path.{name}": {"dictionary": name, "probability": 0.7} for name in known}
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "workers": 1,
            "continue-on-failure": True,
            "request-timeout": 120,
            "suppress-health-check": ["too_slow"],
            "headers": {"Authorization": f"Bearer {token}"},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "no-shrink": True, "database": "none"},
            "phases": {name: {"enabled": name in phases} for name in ("examples", "fuzzing", "stateful")}
            | {"coverage": {"enabled": "coverage" in phases, "unexpected-methods": ["DELETE", "PATCH", "TRACE"]}},
            "dictionaries": words,
            "parameters": bound | {"header.If-Match": {"dictionary": "version", "probability": 0.9}},
            "checks": {
                "enabled": True,
                "missing_required_header": {"enabled": True, "expected-statuses": REFUSALS},
                "negative_data_rejection": {"enabled": True, "expected-statuses": REFUSALS},
            },
            # In a batch each event has a result of its own, a bad one too: the test looks at those itself.
            "operations": [{"include-path": "/v1/events", "checks": {"negative_data_rejection": {"enabled": False}}}]
            + ([{"exclude-method": only, "enabled": False}] if only is not None else []),
        }
    )


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """A made-up cursor would hide all that a list does with its other parameters."""
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE and case.query:
        case.query.pop("cursor", None)


def _look(event: events.ScenarioFinished, done: Examined) -> None:
    recorder = event.recorder
    for identity, interaction in recorder.interactions.items():
        if identity in recorder.cases and interaction.response is not None:
            case = recorder.cases[identity].value
            status, text = interaction.response.status_code, interaction.response.content.decode(errors="replace")
            done.statuses.setdefault(case.operation.label, Counter())[status] += 1
            done.answers.append((case.operation.label, status, case.body, text))
    for identity, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            answered = recorder.interactions[identity].response
            problem = _problem(answered.content if answered is not None else b"")
            if check.name == "positive_data_acceptance" and _meant(problem):
                continue
            failure = check.failure_info.failure
            told = f"{failure.title}: {failure.message[:300]} {problem.get('errors', problem)}"
            done.findings.append(f"{check.name}, {recorder.label}: {told}\n    {check.failure_info.code_sample[:600]}")


def _problem(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _meant(problem: Mapping[str, Any]) -> bool:
    """Whether all that was refused is something that the document cannot say."""
    flaws = problem.get("errors") or [{"code": problem.get("code")}]
    places = [(flaw.get("pointer") or flaw.get("parameter") or flaw.get("header") or "", flaw.get("code")) for flaw in flaws]
    return all(place in MEANINGS or place[1] == "unusable_text" for place in places)
