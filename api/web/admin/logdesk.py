"""The access log over the real product, as views and as rows of a table.  No SQL and no decisions here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from api.web.admin.views import LogFilters, LogLine, LogPage
from api.web.views import Choice
from rules.clock import zone as zone_of
from rules.model import rfc3339
from service import accesslog, keys, users
from service.access import Access
from service.bootstrap import Service
from service.errors import Flaw, Invalid
from service.tables import inert
from store.accesslog import Entered, Sought

SHOWN = 50
HEAD = ("time", "who", "actor", "what", "action", "how it ended", "by way of", "case", "breach", "thing", "rows", "request")
GROUPS = {"readings": tuple(accesslog.READINGS), "changes": tuple(accesslog.CHANGES)}
_ANY = [Choice("readings", "All readings"), Choice("changes", "All changes"), Choice("not_done", "What was refused or failed")]


class LogServiceDesk:
    """The part of ``api.web.admin.desk.AdminDesk`` that is about the access log."""

    service: Service

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def access_log(self, access: Access, filters: LogFilters) -> LogPage:
        accesslog.may_read(access)
        names = names_of(self.service)
        lines = accesslog.search(self.service, access, _sought(filters, self.zone), limit=SHOWN, cursor=filters.cursor or None)
        return LogPage(
            as_of=self.service.now(),
            zone=self.zone,
            rows=[_line(one, names) for one in lines.items],
            total=lines.total,
            more=lines.more,
            next_cursor=lines.next_cursor or "",
            people=[Choice(actor, name) for actor, name in names.items()],
            actions=[("Any of these", _ANY), ("Readings", _choices(accesslog.READINGS)), ("Changes", _choices(accesslog.CHANGES))],
        )

    def access_log_rows(self, access: Access, filters: LogFilters) -> Iterator[Sequence[str]]:
        names = names_of(self.service)
        lines = accesslog.export(self.service, access, _sought(filters, self.zone))

        def rows() -> Iterator[Sequence[str]]:
            yield HEAD
            for one in lines:
                yield tuple(inert(text) for text in _row(one, _line(one, names)))

        return rows()


def names_of(service: Service) -> dict[str, str]:
    """The names of all who can act: people first."""
    people = {f"user:{user.id}": user.name for user in users.listed(service)}
    machines = {f"key:{key.id}": f"API key {key.name}" for key in keys.listed(service)}
    return people | machines | {accesslog.NOBODY: "Nobody: a sign-in that failed"}


def _sought(filters: LogFilters, zone: str) -> Sought:
    """Raises Invalid for days that cannot be, and for an action that does not exist."""
    since, until = _day("since", filters.since), _day("until", filters.until)
    if since is not None and until is not None and until < since:
        raise Invalid(Flaw("until", "wrong_value", "the last day lies before the first"))
    actions = GROUPS.get(filters.action, (filters.action,) if filters.action else ())
    outcomes: tuple[str, ...] = ()
    if filters.action == "not_done":
        actions, outcomes = (), ("refused", "not_found", "not_done", "failed")
    elif filters.action and filters.action not in {*GROUPS, *accesslog.ACTIONS}:
        raise Invalid(Flaw("action", "unknown", "choose an action from the list"))
    if any("\x00" in text for text in (filters.actor, filters.case)):
        raise Invalid(Flaw("case", "wrong_value", "it holds a character that no id has"))
    there = zone_of(zone)
    return Sought(
        actor=filters.actor,
        case=filters.case,
        actions=actions,
        outcomes=outcomes,
        since=None if since is None else there.start_of(since.toordinal()),
        until=None if until is None else there.end_of(until.toordinal()),
    )


def _day(field: str, text: str) -> dt.date | None:
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = dt.date.min
    if not 1900 <= day.year <= 2199:
        raise Invalid(Flaw(field, "wrong_value", "give a day from 1900 to 2199, like 2026-03-23"))
    return day


def _line(one: Entered, names: Mapping[str, str]) -> LogLine:
    return LogLine(
        id=one.id,
        at=one.at,
        who=names.get(one.actor, one.actor),
        actor=one.actor,
        what=accesslog.words_of(one.action),
        via={"page": "on the pages", "api": "through the API", "cli": "at the command line"}.get(one.via, one.via),
        outcome=one.outcome,
        case=one.case or "",
        breach=one.breach or "",
        thing=names.get(f"user:{one.thing}") or names.get(f"key:{one.thing}") or one.thing or "",
        count=one.count,
    )


def _row(one: Entered, shown: LogLine) -> tuple[str, ...]:
    return (
        rfc3339(one.at),
        shown.who,
        one.actor,
        shown.what,
        one.action,
        accesslog.OUTCOMES.get(one.outcome, one.outcome),
        shown.via,
        shown.case or one.case_ref or "",
        shown.breach,
        one.thing or "",
        "" if one.count is None else str(one.count),
        one.request_id or "",
    )


def _choices(words: Mapping[str, str]) -> list[Choice]:
    return [Choice(code, told) for code, told in words.items()]
