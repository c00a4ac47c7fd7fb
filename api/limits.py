"""How often one caller may ask, where the operator wants a limit: a hook, off unless ``create_app`` is given a rate.

Counted in the memory of each process, by key (by address for callers without one), so that one eager program cannot starve the
others.  It is no defence against guessing: nobody guesses 256 random bits, and passwords have their own lock.  Imports flask-limiter.
"""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter

from api.access import known

OPEN = frozenset({"livez", "readyz", "web.static"})
"""Endpoints that are never limited."""


def _caller() -> str:
    access = known()
    return access.actor if access is not None else f"address:{request.remote_addr}"


def install(app: Flask, *, rate: str) -> None:
    """Allow each caller ``rate``, e.g. ``600 per minute``; more answers 429 with ``Retry-After``.

    Raises ValueError for a rate that cannot be read.
    """
    limiter = Limiter(key_func=_caller, application_limits=[rate], storage_uri="memory://", headers_enabled=True, strategy="moving-window")

    @limiter.request_filter
    def _unlimited() -> bool:
        return request.endpoint in OPEN

    limiter.init_app(app)
