"""Events in: the CloudEvents HTTP binding (structured, batch, binary) on top of ``service.sources.pushed``.

Only the way in is decided here: which mode, how large, and how a result is told.  What an event must be is ``rules.envelope``'s.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import request

from api.access import service
from api.operations import Answer, Operations, Reply, unreadable
from api.problems import ApiProblem, Flaw
from api.security import body
from api.signed import require_signatures
from api.v1 import schemas
from rules.envelope import from_http_binary
from rules.errors import EventRefused, Problem
from rules.strictjson import loads, loads_items
from service.bootstrap import Service
from service.ingest import Result, Status
from service.sources.pushed import receive

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
ACCEPTED = (
    f"This operation takes {STRUCTURED} (one event), {BATCH} (a JSON array of events), or {JSON} with ce-id, ce-source, ce-type, "
    "ce-subject, ce-time and ce-specversion headers (binary mode)."
)
_OF_THE_WHOLE = {"malformed_json", "too_large"}

operations = Operations("events", "Case events in, as CloudEvents 1.0. `source` and `id` identify an event: sending it again does nothing.")


@operations.post(
    "/v1/events",
    scope="events:write",
    raw_bodies={STRUCTURED: schemas.CloudEvent, BATCH: list[schemas.CloudEvent], JSON: dict[str, Any]},
    headers={
        "ce-specversion": (False, "binary mode only: `1.0`"),
        "ce-id": (False, "binary mode only: the event's id; percent-encode what is not ASCII, in this and the other headers"),
        "ce-source": (False, "binary mode only"),
        "ce-type": (False, "binary mode only"),
        "ce-subject": (False, "binary mode only: the case id"),
        "ce-time": (False, "binary mode only: when it happened"),
        "ce-recordedtime": (False, "binary mode only: when it was recorded"),
        "webhook-id": (False, "Standard Webhooks: needed where the source of an event asks for signatures"),
        "webhook-timestamp": (False, "Standard Webhooks"),
        "webhook-signature": (False, "Standard Webhooks"),
    },
    problems=["conflict", "overloaded", "unavailable"],
    answers={
        202: Answer("A result for each event, in the order sent. What is `accepted` is on disk, and will be judged.", schemas.EventResults)
    },
)
def post_events() -> Any:
    """Send one event or a batch.

    **Structured**: one event as `application/cloudevents+json`. **Batch**: a JSON array of events as
    `application/cloudevents-batch+json`. **Binary**: the envelope in `ce-` headers and the data as an `application/json` body.

    A batch is answered with 202 wherever it could be read: each event has a result of its own, and one that is refused takes no other
    with it. A single event that is refused answers 422 with a JSON pointer for each fault, or 409 where other content is kept under its
    source and id.

    Where the source's file says what its own kinds of events mean, they are mapped to kinds of the catalogue; one that cannot be is
    `rejected`, and waits on the source's list of rejects until its mapping is mended.

    Limits (settings of the installation): 16 MiB a request, 10,000 events a batch, 256 KiB an event. What is over them answers 413.

    While too many cases wait to be judged (100,000 unless the installation says otherwise), events of further cases answer 429 with
    `Retry-After` in seconds: nothing of the request was taken in, and the same request may be sent again then.
    """
    svc = service()
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiProblem("unsupported_media_type", detail="Send the body without a content coding.")
    if request.mimetype_params.get("charset", "utf-8").lower().replace("-", "") != "utf8":
        raise ApiProblem("unsupported_media_type", detail="Send UTF-8.")
    received = svc.now()
    match request.mimetype:
        case "application/cloudevents+json":
            return _one(svc, _structured(svc), received)
        case "application/cloudevents-batch+json":
            return _batch(svc, received)
        case "application/json" | "" if any(name.lower().startswith("ce-") for name, _ in request.headers):
            return _one(svc, _binary(svc), received)
        case _:
            raise ApiProblem("unsupported_media_type", detail=ACCEPTED)


def _structured(svc: Service) -> Any:
    try:
        return loads(body(), max_bytes=svc.settings.event_limit)
    except EventRefused as refused:
        raise _refusal(refused.problems) from None


def _binary(svc: Service) -> Any:
    try:
        return from_http_binary(list(request.headers), body(), max_bytes=svc.settings.event_limit)
    except EventRefused as refused:
        raise _refusal(refused.problems) from None


def _one(svc: Service, item: Any, received: int) -> Reply:
    require_signatures([_text(item, "source")], body())
    report = receive(svc, [item], received=received, batch=False)
    result = report.results[0]
    if result.status is Status.REJECTED:
        raise _refusal(result.problems)
    if result.status is Status.CONFLICT:
        raise ApiProblem(
            "conflict",
            detail="An event with this source and id was taken in before, with another content; that one is kept.",
            errors=[Flaw(pointer="/id", code="conflict", message="is taken by an event with another content")],
        )
    return Reply(_told([item], report.results), status=202)


def _batch(svc: Service, received: int) -> Reply:
    raw = body()
    try:
        items = loads_items(raw, max_bytes=svc.settings.body_limit)
    except EventRefused as refused:
        raise _refusal(refused.problems) from None
    limit = svc.settings.batch_limit
    if len(items) > limit:
        message = f"A batch may hold {limit:,} events; this one holds {len(items):,}. Nothing of it was taken in: send it in parts."
        raise ApiProblem("too_large", detail=message, errors=[Flaw(pointer="", code="too_many", message=f"holds more than {limit} events")])
    require_signatures({_text(item, "source") for item in items}, raw)
    measure = len(raw) > svc.settings.event_limit
    sent = [
        _too_large(index, svc.settings.event_limit) if measure and _size(item) > svc.settings.event_limit else item
        for index, item in enumerate(items)
    ]
    report = receive(svc, sent, received=received, batch=True)
    return Reply(_told(items, report.results), status=202)


def _size(item: Any) -> int:
    return 0 if isinstance(item, EventRefused) else len(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode())


def _too_large(index: int, limit: int) -> EventRefused:
    return EventRefused([Problem(f"/{index}", "too_large", f"is larger than {limit} bytes")])


def _refusal(problems: Sequence[Problem]) -> ApiProblem:
    """The problem that a single event, or a batch as a whole, answers."""
    if any(problem.code in _OF_THE_WHOLE for problem in problems):
        return unreadable(EventRefused(list(problems)))
    flaws = [Flaw(pointer=p.pointer, code=p.code, message=p.message) for p in problems]
    return ApiProblem("unprocessable", detail="; ".join(f"{p.pointer or '/'}: {p.message}" for p in problems[:5]), errors=flaws)


def _told(items: Sequence[Any], results: Sequence[Result]) -> dict[str, Any]:
    counts = dict.fromkeys(("accepted", "duplicate", "conflict", "rejected"), 0)
    told = []
    for index, (item, result) in enumerate(zip(items, results, strict=True)):
        counts[result.status.value] += 1
        told.append(
            {
                "index": index,
                "source": result.source if result.source is not None else _text(item, "source"),
                "id": result.id if result.id is not None else _text(item, "id"),
                "status": result.status.value,
                "problems": [{"pointer": p.pointer, "code": p.code, "message": p.message} for p in _reasons(result, index)],
                "dropped": list(result.dropped),
            }
        )
    return {"results": told, "counts": counts}


def _reasons(result: Result, index: int) -> Sequence[Problem]:
    if result.status is Status.CONFLICT and not result.problems:
        return [Problem(f"/{index}/id", "conflict", "is taken by an event with another content, which is kept")]
    return result.problems


def _text(item: Any, name: str) -> str | None:
    """An attribute of a refused event, as far as it can be told apart by it."""
    value = item.get(name) if isinstance(item, dict) else None
    return value if isinstance(value, str) and len(value) <= 1024 and value.isprintable() else None
