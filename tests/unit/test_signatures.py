"""Signatures of the Standard Webhooks specification."""

from __future__ import annotations

import pytest

from service.errors import Unauthorised
from service.signatures import sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""With the next three, the vector that the specification's own libraries are tested with."""
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1_614_265_330
BODY = b'{"test": 2432232314}'
GOOD = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def checked(**changes: object) -> str:
    given = {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": GOOD}
    now = int(changes.pop("now", AT * 1000))  # type: ignore[call-overload]
    body = changes.pop("body", BODY)
    assert isinstance(body, bytes)
    return verify(SECRET, given | {key.replace("_", "-"): str(value) for key, value in changes.items()}, body, now=now, tolerance=300)


def test_the_published_vector() -> None:
    assert sign(SECRET, message_id=ID, timestamp=AT, body=BODY) == GOOD
    assert checked() == ID


def test_one_good_signature_among_several_is_enough() -> None:
    assert checked(webhook_signature=f"v1,AAAA v2,BBBB {GOOD}") == ID


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"body": BODY + b" "}, "does not match"),
        ({"webhook_id": ID + "x"}, "does not match"),
        ({"webhook_timestamp": AT + 1}, "does not match"),
        ({"webhook_signature": GOOD.replace("v1", "v2")}, "does not match"),
        ({"webhook_signature": "nonsense"}, "does not match"),
        ({"webhook_signature": ""}, "carry the headers"),
        ({"webhook_id": ""}, "carry the headers"),
        ({"webhook_timestamp": "soon"}, "no whole number"),
        ({"webhook_timestamp": "٣"}, "no whole number"),
        ({"now": (AT + 301) * 1000}, "away from now"),
        ({"now": (AT - 301) * 1000}, "away from now"),
        ({"webhook_id": "x" * 300}, "too long"),
    ],
)
def test_what_is_wrong_is_told_and_the_secret_is_not(change: dict[str, object], words: str) -> None:
    with pytest.raises(Unauthorised, match=words) as told:
        checked(**change)
    assert SECRET not in str(told.value)
    assert GOOD not in str(told.value)


def test_the_window_counts_on_both_sides() -> None:
    assert checked(now=(AT + 300) * 1000) == checked(now=(AT - 300) * 1000) == ID


def test_a_secret_without_its_prefix_counts_as_it_stands() -> None:
    made = sign("a plain text", message_id="m", timestamp=AT, body=b"{}")
    assert verify(
        "a plain text",
        {"webhook-id": "m", "webhook-timestamp": str(AT), "webhook-signature": made},
        b"{}",
        now=AT * 1000,
        tolerance=10,
    )
