"""Whether the service lives, is ready, and what it measures: for process managers, load balancers and Prometheus.  Thin over service."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from api.access import known, service
from api.operations import Answer, Operations, Reply
from api.v1.schemas import Health
from rules.decide import mode
from service.standing import Trouble, troubles

KEPT_MS = 1000

operations = Operations("system", "Health and measurements. `livez` and `readyz` need no key.")


@operations.get("/livez", scope=None, answers={200: Answer("It lives.", Health)})
def livez() -> Any:
    """Whether this process answers at all.

    It asks nothing of the database or the queue: a process manager restarts a process that fails here.
    """
    return {"status": "ok", "deciders": mode(), "degraded": []}


@operations.get(
    "/readyz",
    scope=None,
    answers={200: Answer("It serves; `degraded` names what is not as it should be.", Health), 503: Answer("It cannot serve now.", Health)},
)
def readyz() -> Any:
    """Whether this process can serve, and what is degraded.

    With 200, taking in and reading work, and `degraded` may hold `queue_unreachable` (hints do not reach the workers; the sweeper
    finds the work), `one_decider` (durable-rules cannot be used here, the table decides alone), `quarantine` (cases were set aside),
    `behind` (a case has waited long to be judged), `stale_source` (one has gone quiet), `failing_source` (one cannot be read),
    `source_faults` (files of sources cannot be used), `notify_faults` (the file of those to be told cannot be used), `dead_notices`
    (messages were given up), `late_notices` (messages have waited for days), `machines_differ` (another machine is set up otherwise than
    this one) or `newer_tables` (a newer version has upgraded the tables). With 503 it holds `database_unreachable`.
    A caller with a valid key is also told the details.
    """
    found = _troubles()
    fatal = any(trouble.fatal for trouble in found)
    detailed = not fatal and known() is not None
    body = {
        "status": "unavailable" if fatal else "degraded" if found else "ok",
        "deciders": mode(),
        "degraded": [{"code": t.code} | ({"message": t.message} if detailed else {}) for t in found],
    }
    return Reply(body, status=503 if fatal else 200)


def _troubles() -> list[Trouble]:
    """What is degraded, looked at anew at most once a second: anybody may ask, and looking reads the store."""
    svc = service()
    kept: tuple[int, list[Trouble]] | None = current_app.extensions.get("duecare_troubles")
    now = svc.now()
    if kept is None or not 0 <= now - kept[0] < KEPT_MS:
        kept = (now, troubles(svc))
        current_app.extensions["duecare_troubles"] = kept
    return kept[1]


@operations.get(
    "/metrics",
    scope="metrics",
    problems=["unauthorized"],
    answers={200: Answer("Prometheus' text format.", {"type": "string"}, media="text/plain; version=0.0.4; charset=utf-8")},
)
def metrics() -> Any:
    """Measurements for Prometheus.

    Counters are those of the process that answers; gauges of what waits or stands in the store are the same from every process.
    """
    return Reply(Response(service().metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8"))
