"""Makes the Flask application: one factory, nothing built at import time.

``create_app(service)`` is all that cli/ and ``api.wsgi`` need.  Order matters in one place: security first, so that even an
error that the routing raises gets its headers and its request id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from api import access, limits, openapi, operations, problems, recorded, reference, security, system, web
from api.v1 import (
    audits,
    backtests,
    breaches,
    cases,
    events,
    notices,
    policies,
    policychanges,
    retention,
    reviews,
    sources,
    stats,
    verdicts,
    webhooks,
)
from api.web.servicedesk import ServiceDesk

if TYPE_CHECKING:
    from service.bootstrap import Service

SUBJECTS: Sequence[operations.Operations] = (
    events.operations,
    cases.operations,
    verdicts.operations,
    breaches.operations,
    reviews.operations,
    policies.operations,
    policychanges.operations,
    backtests.operations,
    audits.operations,
    stats.operations,
    sources.operations,
    webhooks.operations,
    notices.operations,
    retention.operations,
    system.operations,
)

PATH_PARAMETERS = {
    "case": "The case id, percent-encoded: a slash in it is `%2F`.",
    "breach": "The breach's id, as lists give it.",
    "waiver": "The waiver's id.",
    "policy": "The policy's id.",
    "source": "What the source's file calls it, or the `source` of its events.",
    "reject": "The number of a record on the reject list.",
    "notice": "The number of a message on the list of those that were given up.",
    "removal": "The removal's number, which is its certificate's.",
    "hold": "The legal hold's id.",
    "digest": "A version's digest.",
    "change": "The change's id.",
    "backtest": "The backtest's id.",
    "audit": "The audit's id.",
    "other": "The id of the audit that it is compared with.",
    "schedule": "The schedule's id.",
}


def product_version() -> str:
    """The version of the installed product; a checkout that was never installed says so."""
    try:
        return version("duecare")
    except PackageNotFoundError:
        return "0+checkout"


def declared() -> list[operations.Operation]:
    """Every operation of the JSON interface, in the order of the document."""
    return [operation for subject in SUBJECTS for operation in subject]


@cache
def document() -> Mapping[str, Any]:
    """The OpenAPI document.  It depends on nothing but the code; do not change it."""
    tags = [(subject.tag, subject.description) for subject in SUBJECTS]
    return openapi.document(declared(), tags=tags, version=product_version(), parameters=PATH_PARAMETERS)


@cache
def document_text() -> str:
    """The same as it is served.  Neither is made before somebody asks: a process that starts has better things to do."""
    return openapi.as_text(document())


def _see_what_is_in_force() -> None:
    """Once a second at most, whether a version of a policy has come into force.  What asks for no case goes without."""
    endpoint = request.endpoint or ""
    if endpoint not in {"livez", "readyz", "metrics", "openapi_json"} and not endpoint.endswith("static"):
        access.service().keep_up()


def create_app(service: Service, *, rate: str | None = None) -> Flask:
    """The whole HTTP side over ``service``: JSON, its document, the documentation page, and the pages.

    ``rate`` (e.g. ``600 per minute``) limits each caller; see ``api.limits``.
    """
    app = Flask("api", static_folder=None)
    app.extensions["duecare"] = service
    app.json.ensure_ascii = True  # type: ignore[attr-defined]

    security.install(app, body_limit=service.settings.body_limit)
    problems.install(app)
    recorded.install(app)
    if rate is not None:
        limits.install(app, rate=rate, secret=service.settings.secret, now=service.now, redis=service.settings.redis)
    limits.refuse_late(app)
    app.before_request(_see_what_is_in_force)
    operations.mount(app, declared())

    @app.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(document_text(), content_type="application/json")

    app.register_blueprint(reference.blueprint(document))
    web.install(app, ServiceDesk(service), secret_key=service.settings.secret)
    return app
