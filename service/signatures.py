"""Signatures of the Standard Webhooks specification: who sent a message, that it was not changed, and that it is not an old one.

HMAC-SHA256 over ``id.timestamp.body``, as ``v1,<base64>`` in the header webhook-signature (several, divided by spaces, while a
secret is changed).  Secrets are written ``whsec_<base64>``; any other text counts as it stands.  Imports nothing of the project
but service.errors.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from service.errors import Unauthorised

PREFIX = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
LONGEST_ID = 256
MOST_SIGNATURES = 10


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message; ``timestamp`` in seconds since 1970."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: int, tolerance: int) -> str:
    """The id of a message that was signed with ``secret`` within ``tolerance`` seconds of ``now`` (ms).

    Raises Unauthorised, which says what is wrong and nothing of the secret.
    """
    message_id, given = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not message_id or not given or not headers.get(SIGNATURE):
        raise Unauthorised(f"this source's messages carry the headers {ID}, {TIMESTAMP} and {SIGNATURE}")
    if len(message_id) > LONGEST_ID or not message_id.isprintable():
        raise Unauthorised(f"{ID} is too long, or cannot be printed")
    if not (given.isascii() and given.isdigit() and len(given) <= 12):
        raise Unauthorised(f"{TIMESTAMP} is no whole number of seconds since 1970")
    timestamp = int(given)
    if abs(now // 1000 - timestamp) > tolerance:
        raise Unauthorised(f"{TIMESTAMP} is more than {tolerance} seconds away from now: an old message, or a clock that is wrong")
    wanted = sign(secret, message_id=message_id, timestamp=timestamp, body=body).encode()
    offered = headers[SIGNATURE].split(" ")[:MOST_SIGNATURES]
    # All are compared, so that the time taken tells nothing.
    matches = [hmac.compare_digest(wanted, one.encode("utf-8", "surrogateescape")) for one in offered]
    if not any(matches):
        raise Unauthorised("the signature does not match the message")
    return message_id


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
