"""One question to the provider over HTTP: no redirect followed, an answer of JSON, small, and soon.  Imports httpx and service/."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from service.errors import ProviderAway, SignOnFailed
from service.logs import get

PATIENCE = 10.0
"""Seconds that one answer may take, however slowly it drips."""
MOST = 512 * 1024
"""Bytes of one answer."""

_log = get("sign_on")
__all__ = ["ProviderAway", "ask"]


def ask(
    address: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, refused: str = ""
) -> dict[str, Any]:
    """The JSON object at an address; ``form``: sent by POST.  ``refused``: why the sign-in failed where the provider answers 4xx.

    Raises SignOnFailed and ProviderAway.
    """
    until = time.monotonic() + PATIENCE
    try:
        with (
            httpx.Client(timeout=5.0, follow_redirects=False) as client,
            client.stream(
                "GET" if form is None else "POST",
                address,
                data=dict(form) if form is not None else None,
                headers={"Accept": "application/json", "User-Agent": "duecare", **(headers or {})},
            ) as response,
        ):
            if refused and 400 <= response.status_code < 500:
                _log.warning("provider_refused", status=response.status_code, what=refused)
                raise SignOnFailed(refused)
            if response.status_code != 200:
                _log.error("provider_away", status=response.status_code)
                raise ProviderAway
            body = b""
            for part in response.iter_bytes():
                body += part
                if len(body) > MOST or time.monotonic() > until:
                    _log.error("provider_away", why="too long")
                    raise ProviderAway
        told = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        _log.error("provider_away", why=type(error).__name__)
        raise ProviderAway from None
    if not isinstance(told, dict):
        _log.error("provider_away", why="no object")
        raise ProviderAway
    return told
