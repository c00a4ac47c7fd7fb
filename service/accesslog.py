"""The access log: every reading of a case, a breach or a list of them, and every change, with who, what, when and how many.

It holds ids and codes, never a word of a record or of a person.  A reading that cannot be written down is not given out; a change
that cannot is told to the operators, since it has happened already and stands in the histories.  Imports store/ and service/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from service.access import Access
from service.bootstrap import Service
from service.errors import Forbidden, ServiceError
from service.logs import get
from store.accesslog import COUNTED, Entered, Entry, Sought, append, count_lines, every_line, list_lines
from store.errors import StoreError

SCOPE = "users:admin"
MOST_EXPORTED = 100_000
NOBODY = "nobody"
"""The actor of a sign-in that failed."""

_log = get("access")

READINGS = {
    "today.read": "Looked at Today",
    "breaches.list": "Looked at a list of breaches",
    "breaches.export": "Exported a list of breaches",
    "breach.read": "Read a breach",
    "verdicts.list": "Looked at a list of verdicts",
    "due.list": "Looked at what is due soon",
    "due.export": "Exported what is due soon",
    "calendar.read": "Read a calendar of what is due soon",
    "calendars.list": "Looked at the calendars' addresses",
    "cases.list": "Looked at a list of cases",
    "case.read": "Read a case",
    "case.events": "Read the events of a case",
    "case.export": "Took out everything that is held about a case",
    "case.judge": "Had a case judged as at a day",
    "statistics.read": "Looked at statistics",
    "waivers.list": "Looked at the waivers",
    "waiver.read": "Read a waiver",
    "backtests.list": "Looked at the backtests",
    "backtest.read": "Read a backtest",
    "backtest.export": "Exported a backtest",
    "audits.list": "Looked at the audits",
    "audit.read": "Read an audit",
    "audit.export": "Exported an audit",
    "audits.compare": "Compared two audits",
    "source.read": "Looked at the refused records of a source",
    "source.try": "Tried a mapping on the first records of a source",
    "conflicts.list": "Looked at conflicting deliveries",
    "quarantine.list": "Looked at the cases that were set aside",
    "store.backup": "Took a backup of everything",
    "notices.list": "Looked at the messages to others",
    "sessions.list": "Looked at where they are signed in",
    "accounts.list": "Looked at the accounts",
    "account.read": "Looked at an account",
    "roles.read": "Looked at the roles",
    "teams.list": "Looked at the teams and offices",
    "keys.list": "Looked at the API keys",
    "key.read": "Looked at an API key",
    "signing.read": "Looked at the sign-in settings",
    "retention.read": "Looked at retention and legal holds",
    "log.read": "Looked at the access log",
    "log.export": "Exported the access log",
}
CHANGES = {
    "events.send": "Sent events",
    "breach.review": "Reviewed a breach or commented on it",
    "breach.assign": "Assigned a breach",
    "breaches.bulk": "Acknowledged or assigned several breaches",
    "view.save": "Saved a view of a list",
    "view.remove": "Removed a saved view",
    "calendar.make": "Made a calendar's address",
    "calendar.revoke": "Revoked a calendar's address",
    "waiver.ask": "Asked for a waiver",
    "hold.set": "Set a legal hold",
    "hold.lift": "Lifted a legal hold",
    "retention.run": "Removed what retention lets go",
    "waiver.settle": "Approved or refused a waiver",
    "policy.propose": "Proposed a change of a policy",
    "policy.decide": "Answered a change of a policy",
    "backtest.start": "Started a backtest",
    "backtest.cancel": "Cancelled a backtest",
    "audit.start": "Started an audit",
    "audit.cancel": "Cancelled an audit",
    "audit.sign": "Signed an audit off",
    "audit.judge_again": "Had cases judged again after an audit",
    "audit.schedule": "Changed the audits' schedule",
    "source.pull": "Had a source asked now",
    "source.confirm": "Confirmed that records of a source are gone",
    "source.replay": "Tried a source's refused records again",
    "source.dismiss": "Set a refused record aside",
    "quarantine.retry": "Had a case that was set aside judged again",
    "session.begin": "Signed in",
    "session.end": "Signed out",
    "session.end_one": "Ended a session of theirs",
    "session.end_others": "Signed out everywhere else",
    "password.change": "Changed their own password",
    "account.make": "Made an account",
    "account.change": "Changed an account",
    "account.lock": "Switched an account off",
    "account.unlock": "Let an account in again",
    "account.reset": "Gave an account a one-time password",
    "key.make": "Made an API key",
    "key.rotate": "Rotated an API key",
    "key.revoke": "Revoked an API key",
    "notice.retry": "Had a message to others sent again",
    "notice.test": "Tried out a receiver of messages",
    "store.restore": "Filled the store from a backup",
    "notice.dismiss": "Took a message to others off the list",
}
ACTIONS = READINGS | CHANGES
"""What can be done, in words: the codes are what is stored."""
OUTCOMES = {
    "done": "Done",
    "refused": "Refused: not allowed",
    "not_found": "Nothing there, or outside their teams",
    "not_done": "Not done",
    "failed": "Failed",
}


class NotRecorded(ServiceError):
    """The line could not be written, so that what it speaks of must not be given out."""

    code = "unavailable"


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of the log.  ``total`` is counted up to ``COUNTED``; ``more``: there are more than that."""

    items: Sequence[Entered]
    total: int
    more: bool
    next_cursor: str | None


def record(svc: Service, *entries: Entry) -> None:
    """Write lines, in a transaction of their own.  Raises NotRecorded; the operators are told of it, too."""
    try:
        with svc.writing() as session:
            append(session, entries)
    except (SQLAlchemyError, StoreError) as error:
        svc.metrics.access_lines.labels("failed").inc(len(entries))
        _log.error("access_not_recorded", exc_info=error, lines=[f"{e.actor} {e.action} {e.outcome}" for e in entries])
        raise NotRecorded("the access log cannot be written") from None
    svc.metrics.access_lines.labels("written").inc(len(entries))


def search(svc: Service, access: Access, sought: Sought, *, limit: int, cursor: str | None = None) -> Lines:
    """A page of the log, the latest line first.  Raises Forbidden and store.errors.CursorError."""
    may_read(access)
    with svc.reading() as session:
        page = list_lines(session, sought, limit=limit, cursor=cursor)
        total = count_lines(session, sought)
    return Lines(page.items, min(total, COUNTED), total > COUNTED, page.next_cursor)


def export(svc: Service, access: Access, sought: Sought) -> Iterator[Entered]:
    """All lines, ``MOST_EXPORTED`` at most, the latest first.  Raises Forbidden, before the first."""
    may_read(access)

    def lines() -> Iterator[Entered]:
        with svc.reading() as session:
            yield from every_line(session, sought, most=MOST_EXPORTED)

    return lines()


def may_read(access: Access) -> None:
    """Raises Forbidden unless the caller may read the log: it speaks of every team, so that limits cannot be kept in it."""
    access.require(SCOPE)
    if access.teams is not None or access.offices is not None:
        raise Forbidden("the access log speaks of every team and office: it is read by administrators without limits")


def words_of(action: str) -> str:
    """An action in words."""
    return ACTIONS.get(action, action.replace("_", " ").replace(".", ": "))
