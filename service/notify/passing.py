"""Gives each receiver its copy of what is owed, in the order of writing; one message instead of a storm where one asked for that.

One process at a time passes messages on, so that the order in which a case's messages were written stays.  A message that nobody wants is
done with at once.  Imports store/ and service.notify.config.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rules.model import rfc3339
from service.bootstrap import Service
from service.notify.config import Receivers, Webhook
from store import notices, outbox
from store.ids import digest_of
from store.outbox import Message, Owed

AT_ONCE = 500
BREACHES = "breach."
COLLAPSED = "breach.collapsed"
MOST_GROUPS = 500


def pass_on(svc: Service) -> int:
    """Pass on all that is owed; how many messages.  While the file has faults nothing is, since it cannot be told to whom."""
    receivers = svc.receivers.current()
    if receivers.faults:
        return 0
    done = 0
    while True:
        with svc.reading() as session:
            if not outbox.owed(session, now=svc.now(), limit=1):
                break
        with svc.writing() as session:
            now = svc.now()
            if not notices.alone(session):
                break
            owed = outbox.owed(session, now=now, limit=AT_ONCE)
            for one in receivers.items.values():
                if isinstance(one, Webhook):
                    notices.add(session, one.name, [each.message for each in owed if wants(one, each)], now=now)
            outbox.passed_on(session, owed, now=now)
        done += len(owed)
        if len(owed) < AT_ONCE:
            break
    if done:
        collapse(svc, receivers)
    return done


def wants(webhook: Webhook, owed: Owed) -> bool:
    """Whether a message is for this receiver.  One that is limited to teams or offices gets nothing that names none."""
    if owed.message.topic not in webhook.topics:
        return False
    told: Mapping[str, Any] = owed.message.payload.get("breach", {})
    limits = ((webhook.teams, "team"), (webhook.offices, "office"))
    return all(allowed is None or told.get(field) in allowed for allowed, field in limits)


def collapse(svc: Service, receivers: Receivers) -> None:
    """Where more waits for a receiver than it wants, one message stands for all of it."""
    for one in receivers.items.values():
        if isinstance(one, Webhook) and one.collapse is not None:
            with svc.writing() as session:
                if notices.count_afresh(session, one.name, prefix=BREACHES) > one.collapse:
                    _collapse(session, one.name, svc.now())


def _collapse(session: Session, receiver: str, now: int) -> None:
    groups: Counter[tuple[str, ...]] = Counter()
    last = count = 0
    first: int | None = None
    for notice in notices.waiting_afresh(session, receiver, prefix=BREACHES):
        last, first = notice.id, notice.created if first is None else first
        told = notice.body.get("breach", {})
        number = notice.body.get("messages", 1)
        groups[(notice.topic, *(str(told.get(name) or "") for name in ("policy", "rule", "team", "office")))] += number
        count += number
    names = ("type", "policy", "rule", "team", "office")
    largest = sorted(groups.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_GROUPS]
    body = {
        "at": rfc3339(now),
        "messages": count,
        "since": rfc3339(first if first is not None else now),
        "groups": [dict(zip(names, group, strict=True)) | {"number": number} for group, number in largest],
        "groups_left_out": max(0, len(groups) - MOST_GROUPS),
    }
    notices.collapse(session, receiver, prefix=BREACHES, until=last, now=now)
    identity = digest_of([COLLAPSED, receiver, last])[:32]
    notices.add(session, receiver, [Message(identity, COLLAPSED, COLLAPSED, body, now)], now=now)
