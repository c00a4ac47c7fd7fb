"""Ids that are made, not given: the same thing has the same id in every database and after every re-evaluation.  Imports nothing."""

from __future__ import annotations

import hashlib
import json
import uuid

_FINDINGS = uuid.UUID("6b0e4f6c-2f43-5d0e-9d39-6d75656361b1")
_CASES = uuid.UUID("0c9f5a8e-9a53-5c3b-8d0a-6d75656361c2")

Key = tuple[str, str, str, str, str]
"""What a verdict or breach is about: (case, episode, policy, rule, obligation)."""


def finding_id(key: Key) -> str:
    """The id of the verdict on, and of the breach of, one obligation: a UUID of version 5, made in a third of uuid.uuid5's time."""
    made = bytearray(hashlib.sha1(_FINDINGS.bytes + _NAME(key).encode(), usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    told = made.hex()
    return f"{told[:8]}-{told[8:12]}-{told[12:16]}-{told[16:20]}-{told[20:]}"


def case_ref(case_id: str) -> str:
    """An opaque id that stands for a case where its own must not be shown."""
    return str(uuid.uuid5(_CASES, json.dumps(case_id)))


def digest_of(value: object) -> str:
    """SHA-256 (hex) of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(_CANONICAL(value).encode()).hexdigest()


_NAME = json.JSONEncoder(ensure_ascii=True).encode
_CANONICAL = json.JSONEncoder(ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
