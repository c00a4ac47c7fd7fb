"""How often one caller may ask, where the operator wants a limit, and how long a request may have waited for its turn: hooks.

The first is off unless ``create_app`` is given a rate.  It counts by key (for callers without one by address, which behind a proxy is the
one that the proxy tells), so that one eager program cannot starve the others: where there is Redis for all processes together
(api/sharedcounts.py), else in the memory of the one process.  What stands in Redis tells no address and no key.  It is no defence against
guessing: nobody guesses 256 random bits, and passwords have their own lock.

The second is for the moments when more is asked than can be answered: then requests wait for a thread, and whoever sent one may have
given up before its turn.  What has waited for ``LATE`` seconds is refused, which costs next to nothing, so the wait grows no further.
Imports flask-limiter.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, request
from flask_limiter import Limiter, RequestLimit

from api import problems, sharedcounts
from api.access import known
from api.web import faults

OPEN = frozenset({"livez", "readyz", "web.static"})
"""Endpoints that are never limited."""
WAITED = "duecare.waited"
"""Of the WSGI environment, from servers that tell it: for how many seconds the request waited for a thread."""
LATE = 5.0
_RETRY = "5"
_log = structlog.get_logger("duecare.limits")


def _caller() -> str:
    access = known()
    return access.actor if access is not None else f"address:{_address()}"


def _address() -> str:
    """Where a request comes from: behind a proxy that is believed (gunicorn's FORWARDED_ALLOW_IPS), the last address that it tells."""
    peer = request.remote_addr or ""
    believed = {one.strip() for one in os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1").split(",")}
    if peer not in believed and "*" not in believed:
        return peer
    try:
        return str(ipaddress.ip_address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()))
    except ValueError:
        return peer


def install(app: Flask, *, rate: str, secret: bytes, now: Callable[[], int], redis: str | None = None) -> None:
    """Allow each caller ``rate``, e.g. ``600 per minute``; more answers 429 with ``Retry-After``.

    ``redis`` is the URL of the Redis in which all processes count together, by the clock ``now`` (ms) that all of them have; None: in the
    process.  ``secret`` keys the hashes by which callers are counted.  Raises ValueError for a rate that cannot be read.
    """

    def counted_as() -> str:
        return hmac.new(secret, f"rate:{_caller()}".encode(), hashlib.sha256).hexdigest()[:32]

    shared: Any = {"storage_uri": f"{sharedcounts.SCHEME}://", "storage_options": {"address": redis, "now": now}}
    limiter = Limiter(
        key_func=counted_as,
        application_limits=[rate],
        headers_enabled=True,
        strategy="moving-window",
        on_breach=_tell,
        **(shared if redis is not None else {"storage_uri": "memory://"}),
    )

    @limiter.request_filter
    def _unlimited() -> bool:
        return request.endpoint in OPEN

    limiter.init_app(app)


def _tell(limit: RequestLimit) -> None:
    access = known()
    _log.info("refused_too_many", caller="without a key" if access is None else access.actor, limit=str(limit.limit))


def refuse_late(app: Flask) -> None:
    """Answer 503 with ``Retry-After`` to what has waited for its turn for too long; nothing of it is done."""

    @app.before_request
    def _in_time() -> Response | None:
        waited = request.environ.get(WAITED)
        if waited is None or waited < LATE or request.endpoint in OPEN:
            return None
        _log.warning("refused_late", waited_ms=round(waited * 1000), endpoint=request.endpoint)
        if problems.wants_problem():
            return problems.answer("busy", headers={"Retry-After": _RETRY})
        heading, line = "More is asked than can be answered now", "Nothing was changed. Try again in a few seconds."
        page = faults.page(503, heading=heading, lines=(line,))
        page.headers["Retry-After"] = _RETRY
        return page
