"""Hands over what waits for a receiver: one process at a time, in order, again and again with growing pauses until it is taken.

What is due at one time belongs to different keys (see store.notices), so that a few messages at once keep the order of each key: after the
first was taken, ``WIDTH`` go to a webhook side by side, and are marked together.  They are marked only after they were taken, so a process
that dies in between sends them again, with the same ids.  A message that was not taken after the last try is dead: it stays on record, for
a person to send again or to dismiss, and no longer holds back what follows it.  A receiver that does not answer at all is left alone for a
while, so that thousands of messages are not each tried in vain.  Imports store/ and service/.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
OLDEST_MS = sum(PAUSES) * 1000
"""The age at which a message is given up whose receiver has been away all the time."""
LEASE_MS = 120_000
AT_A_TIME = 30.0
"""Seconds that a worker sends to one receiver before others have their turn."""
FIRST_REST, LONGEST_REST = 5, 900
"""Seconds for which a receiver that does not answer is left alone: doubled each time."""
AT_ONCE = 200
"""Messages that are looked up at a time."""
WIDTH = 8
"""Messages to a webhook that are on their way at the same time."""

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
    hand = _Hand(svc, receiver)
    try:
        while time.monotonic() < until:
            with svc.reading() as session:
                waiting = notices.due(session, name, now=svc.now(), limit=AT_ONCE)
            if not waiting or not _hand_over(svc, receiver, turn, hand, waiting, done, until):
                break
    except LeaseLost:
        _log.warning("turn_lost", receiver=name)
    finally:
        hand.close()
        with svc.writing() as session:
            notices.end(session, turn)
    return done


def try_out(svc: Service, name: str) -> None:
    """Send a message that says it is a test, now.  Raises NotTaken, NotFound, PolicyError, and Invalid where nobody would get it."""
    receiver = svc.receivers.current().get(name)
    now = svc.now()
    if isinstance(receiver, Webhook):
        body = webhook.body_of("duecare.test", {"at": rfc3339(now)})
        line = webhook.Line(receiver)
        try:
            line.post(uuid.uuid4().hex, body, now=now)
        finally:
            line.close()
        return
    told = list(digests.readers(svc, receiver))
    if not told:
        raise Invalid(Flaw("role", "nobody", f"nobody who can sign in has the role {receiver.role} and an e-mail address"))
    for reader in told:
        with svc.reading() as session:
            numbers = digests.numbers(session, receiver, reader.scope, after=now - digests.DAY, now=now)
        _mail(svc, receiver, uuid.uuid4().hex, reader.ref, numbers)


class _Hand:
    """What hands messages over: one at a time, or several side by side, each over a line of its own that stays open for the turn."""

    def __init__(self, svc: Service, receiver: Receiver) -> None:
        self._svc, self._receiver = svc, receiver
        self.width = WIDTH if isinstance(receiver, Webhook) else 1
        self._lines = [webhook.Line(receiver) for _ in range(self.width)] if isinstance(receiver, Webhook) else []
        self._pool = ThreadPoolExecutor(self.width, "notify")

    def send(self, some: Sequence[Notice]) -> list[NotTaken | None]:
        """What came of each, in their order; ``width`` of them at most."""
        if len(some) == 1:
            return [self._one(0, some[0])]
        return list(self._pool.map(self._one, range(len(some)), some))

    def _one(self, number: int, notice: Notice) -> NotTaken | None:
        try:
            if isinstance(self._receiver, Webhook):
                body = webhook.body_of(notice.topic, notice.body)
                self._lines[number].post(notice.message_id, body, now=self._svc.now())
            else:
                _mail(self._svc, self._receiver, notice.message_id, notice.key, notice.body)
        except NotTaken as error:
            return error
        return None

    def close(self) -> None:
        """Ends when all that is on its way has been answered."""
        self._pool.shutdown()
        for line in self._lines:
            line.close()


def _hand_over(svc: Service, receiver: Receiver, turn: Turn, hand: _Hand, waiting: Sequence[Notice], done: Sent, until: float) -> bool:
    """Send messages of different keys and note what came of them; whether to go on.  Raises LeaseLost."""
    at = 0
    while at < len(waiting):
        if time.monotonic() > until or not may_send(receiver, svc.now()):
            return False
        some = waiting[at : at + (hand.width if done.taken else 1)]
        at += len(some)
        with svc.writing() as session:
            notices.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
        if not _noted(svc, turn, list(zip(some, hand.send(some), strict=True)), done):
            return False
    return True


def _noted(svc: Service, turn: Turn, came: Sequence[tuple[Notice, NotTaken | None]], done: Sent) -> bool:
    """Mark what came of some messages; whether the receiver answers."""
    now = svc.now()
    taken = [notice for notice, error in came if error is None]
    failed = [(notice, error) for notice, error in came if error is not None]
    silent = next((error for _, error in failed if error.silent), None)
    away = turn.failures > 0 and not taken and not done.taken
    rest = now if silent is None else now + _rest(silent, turn.failures if away else 0)
    dead = 0
    with svc.writing() as session:
        notices.hold(session, turn, now=now, lease_ms=LEASE_MS)
        if taken:
            notices.arrived(session, taken, now=now)
            notices.answered(session, turn.receiver, now=now)
        for notice, error in failed:
            patient = away and error.silent
            retry_at = _later(notice, rest, now) if patient else _again(notice, error, now)
            notices.failed(session, notice, str(error), now=now, retry_at=retry_at, counted=not patient)
            dead += retry_at is None
        if silent is not None:
            notices.silent(session, turn.receiver, str(silent), rest_until=rest)
    done.taken, done.failed, done.dead = done.taken + len(taken), done.failed + len(failed), done.dead + dead
    for result, number in (("taken", len(taken)), ("failed", len(failed) - dead), ("dead", dead)):
        if number:
            svc.metrics.notices.labels(turn.receiver, result).inc(number)
    for notice, error in failed:
        _log.warning("not_taken", receiver=turn.receiver, message=notice.message_id, attempts=notice.attempts + 1, why=str(error))
    return silent is None


def _again(notice: Notice, error: NotTaken, now: int) -> int | None:
    """When to try a message again (ms); None: it is given up."""
    if error.final or notice.attempts >= len(PAUSES):
        return None
    pause = max(PAUSES[notice.attempts] * random.uniform(1.0, 1.2), error.retry_after or 0.0)  # noqa: S311 - no secret
    return now + int(pause * 1000)


def _later(notice: Notice, rest: int, now: int) -> int | None:
    """The same where the receiver has been away for a while, which is no fault of the message: with the others, until it is too old."""
    return rest if now - notice.created < OLDEST_MS else None


def _rest(error: NotTaken, failures: int) -> int:
    """For how long (ms) a receiver that does not answer is left alone."""
    pause = min(FIRST_REST * 2 ** min(failures, 10), LONGEST_REST)
    return int(max(pause, min(error.retry_after or 0.0, 86_400.0)) * 1000)


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
