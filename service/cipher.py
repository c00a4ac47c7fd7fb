"""Small things handed to a browser that it can neither read nor change: JWE (RFC 7516) under a key of its own for each purpose.

Imports joserfc and the standard library.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_HEADER = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
_REGISTRY = jwe.JWERegistry(algorithms=["dir", "A256GCM", "DEF"])


def closed(secret: bytes, purpose: str, content: dict[str, Any]) -> str:
    """``content`` as a text that only ``opened`` with the same secret and purpose can read."""
    return jwe.encrypt_compact(_HEADER, json.dumps(content).encode(), _key(secret, purpose), registry=_REGISTRY)


def opened(secret: bytes, purpose: str, text: str) -> dict[str, Any] | None:
    """What was closed; None for anything else."""
    try:
        content = json.loads(jwe.decrypt_compact(text, _key(secret, purpose), registry=_REGISTRY).plaintext or b"")
    except (JoseError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _key(secret: bytes, purpose: str) -> OctKey:
    return OctKey.import_key(hmac.new(secret, b"duecare cipher " + purpose.encode(), hashlib.sha256).digest())
