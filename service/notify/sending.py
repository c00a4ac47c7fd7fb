"""Hands over what waits for a receiver: one process at a time, in order, again and again with growing pauses until it is taken.

A message is marked only after it was taken, so a process that dies in between sends it again, with the same id.  One that was not taken
after the last try is dead: it stays on record, for a person to send again or to dismiss, and no longer holds back what follows it.  A
receiver that does not answer at all is left alone for a while, so that thousands of messages are not each tried in vain.  Imports store/
and service/.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.model import rfc3339
from service.bootstrap import Service
from service.errors import Flaw, Invalid
from service.logs import get
from service.notify import digests, mail, webhook
from service.notify.config import Digest, Receiver, Webhook
from service.notify.webhook import NotTaken
from store import notices
from store.errors import LeaseLost
from store.notices import Notice, Turn

PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds after each try in vain: about three and a half days in all."""
LEASE_MS = 120_000
AT_A_TIME = 30.0
"""Seconds that a worker sends to one receiver before others have their turn."""
FIRST_REST, LONGEST_REST = 5, 900
"""Seconds for which a receiver that does not answer is left alone: doubled each time."""
AT_ONCE = 50

_log = get("notify")


@dataclass
class Sent:
    """What came of one turn."""

    taken: int = 0
    failed: int = 0
    dead: int = 0


def put_forward(svc: Service) -> None:
    """For the sweeper: tell the workers of receivers for whom something is due."""
    receivers, now = svc.receivers.current(), svc.now()
    if not receivers.items:
        return
    with svc.reading() as session:
        waiting = notices.wanting(session, now=now)
    for name in waiting:
        one = receivers.items.get(name)
        if one is not None and may_send(one, now):
            svc.hints.notify(name)


def may_send(receiver: Receiver, now: int) -> bool:
    """Whether it is told anything at ``now`` (ms)."""
    return receiver.enabled and (receiver.quiet is None or not receiver.quiet.at(now))


def send_due(svc: Service, name: str) -> Sent | None:
    """What a worker does at a hint: send what is due, for half a minute or so; None where it is not to be sent now, or not by us.

    Raises NotFound and PolicyError where the file names the receiver no longer or cannot be used.
    """
    receiver = svc.receivers.current().get(name)
    if not may_send(receiver, svc.now()):
        return None
    with svc.writing() as session:
        turn = notices.begin(session, name, now=svc.now(), lease_ms=LEASE_MS)
    if turn is None:
        return None
    done = Sent()
    until = time.monotonic() + AT_A_TIME
    try:
        while time.monotonic() < until:
            with svc.reading() as session:
                waiting = notices.due(session, name, now=svc.now(), limit=AT_ONCE)
            if not waiting or not all(_hand_over(svc, receiver, turn, one, done, until) for one in waiting):
                break
    except LeaseLost:
        _log.warning("turn_lost", receiver=name)
    finally:
        with svc.writing() as session:
            notices.end(session, turn)
    return done


def try_out(svc: Service, name: str) -> None:
    """Send a message that says it is a test, now.  Raises NotTaken, NotFound, PolicyError, and Invalid where nobody would get it."""
    receiver = svc.receivers.current().get(name)
    now = svc.now()
    if isinstance(receiver, Webhook):
        body = webhook.body_of("duecare.test", {"at": rfc3339(now)})
        webhook.post(receiver, message_id=uuid.uuid4().hex, body=body, now=now)
        return
    told = list(digests.readers(svc, receiver))
    if not told:
        raise Invalid(Flaw("role", "nobody", f"nobody who can sign in has the role {receiver.role} and an e-mail address"))
    for reader in told:
        with svc.reading() as session:
            numbers = digests.numbers(session, receiver, reader.scope, after=now - digests.DAY, now=now)
        _mail(svc, receiver, uuid.uuid4().hex, reader.ref, numbers)


def _hand_over(svc: Service, receiver: Receiver, turn: Turn, notice: Notice, done: Sent, until: float) -> bool:
    """Send one message and note what came of it; whether to go on.  Raises LeaseLost."""
    if time.monotonic() > until or not may_send(receiver, svc.now()):
        return False
    with svc.writing() as session:
        notices.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
    try:
        if isinstance(receiver, Webhook):
            webhook.post(receiver, message_id=notice.message_id, body=webhook.body_of(notice.topic, notice.body), now=svc.now())
        else:
            _mail(svc, receiver, notice.message_id, notice.key, notice.body)
    except NotTaken as error:
        return _not_taken(svc, turn, notice, error, done)
    with svc.writing() as session:
        notices.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
        notices.arrived(session, notice, now=svc.now())
        notices.answered(session, receiver.name, now=svc.now())
    done.taken += 1
    svc.metrics.notices.labels(receiver.name, "taken").inc()
    return True


def _not_taken(svc: Service, turn: Turn, notice: Notice, error: NotTaken, done: Sent) -> bool:
    now = svc.now()
    retry_at = None
    if not error.final and notice.attempts < len(PAUSES):
        pause = max(PAUSES[notice.attempts] * random.uniform(1.0, 1.2), error.retry_after or 0.0)  # noqa: S311 - no secret
        retry_at = now + int(pause * 1000)
    with svc.writing() as session:
        notices.hold(session, turn, now=now, lease_ms=LEASE_MS)
        notices.failed(session, notice, str(error), now=now, retry_at=retry_at)
        if error.silent:
            rest = max(min(FIRST_REST * 2 ** min(turn.failures, 10), LONGEST_REST), min(error.retry_after or 0.0, 86_400.0))
            notices.silent(session, turn.receiver, str(error), rest_until=now + int(rest * 1000))
    done.failed += 1
    done.dead += retry_at is None
    svc.metrics.notices.labels(turn.receiver, "failed" if retry_at is not None else "dead").inc()
    _log.warning("not_taken", receiver=turn.receiver, message=notice.message_id, attempts=notice.attempts + 1, why=str(error))
    return not error.silent


def _mail(svc: Service, receiver: Digest, message_id: str, ref: str, told: Mapping[str, Any]) -> None:
    receivers = svc.receivers.current()
    to = digests.address(svc, ref)
    if to is None:
        raise NotTaken("whoever was to get it has no account or no address any more", final=True)
    if receivers.smtp is None:
        raise NotTaken("no mail server is named", silent=True)
    titles = {(policy.id, rule.id): rule.title for policy in svc.policies.policies for rule in policy.rules}
    mail.send(
        receivers.smtp,
        mail.compose(
            receiver,
            told,
            message_id=message_id,
            to=to,
            sender=receivers.smtp.sender,
            pages=receivers.pages,
            titles=titles,
        ),
    )
