"""The first page over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  Every count asks the store what the list behind it asks, so that they agree.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from api.v1.lists import scope_of
from api.web import words
from api.web.kept import Kept
from api.web.statistics.present import rule_rows, team_rows, trend_part
from api.web.statistics.views import StatFilters
from api.web.today.views import FeedLine, Figure, TodayPage
from api.web.waivers.servicedesk import severities_of
from service.access import Access
from service.bootstrap import Service
from service.onrecord import how_many_put_aside
from service.sources.health import Feed, feeds
from service.statistics import Statistics
from store.queries import Scope, casework
from store.queries.due import count_due
from store.queries.rates import count_stale
from store.queries.today import count_contested, open_work
from store.queries.waivers import Narrowed, count_asked

AHEAD = (7, 14)
LOWEST = 6
"""How many rules and teams the page names."""
DEMO = "demo"


class TodayServiceDesk:
    """See ``api.web.today.desk.TodayDesk``."""

    service: Service
    kept: Kept
    rates: Statistics

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def today(self) -> dt.date:
        raise NotImplementedError

    def home(self, access: Access) -> TodayPage:
        access.require("breaches:read")
        scope = scope_of(access)
        with self.service.reading() as session:
            work = open_work(session, assignee=access.actor, scope=scope)
            mine = self._mine(session, access, scope, work.assigned)
            due = self._due(session, scope)
            sources = self.kept.of("feeds", lambda: feeds(self.service, session))
            empty = not casework.any_case(session)
        board = self.rates.board(scope)
        everything = StatFilters()
        return TodayPage(
            as_of=self.service.now(),
            zone=self.zone,
            new=[
                Figure(
                    words.word("severity", name), work.new.get(name, 0), f"/breaches?condition=open&review=new&severity={name}", kind=name
                )
                for name in words.SEVERITIES
            ],
            mine=mine,
            due=due,
            feeds=[_feed(one, access) for one in sources if one.stored.adapter != DEMO],
            trend=trend_part(board, everything) if board is not None else None,
            rules=rule_rows(board, everything, self.service.policies, most=LOWEST) if board is not None else (),
            teams=team_rows(board, everything, most=LOWEST) if board is not None else (),
            store_is_empty=empty,
        )

    def _mine(self, session: Session, access: Access, scope: Scope, assigned: int) -> list[Figure]:
        found = [Figure("Assigned to me", assigned, "/breaches?condition=open&assignee=me", "open breaches", "act")]
        if severities := severities_of(access):
            asked = sum(count_asked(session, where=Narrowed(("proposed",), severities, access.actor), scope=scope).values())
            found.append(Figure("Waivers to answer", asked, "/waivers?mine=1", "asked for by others", "act"))
        contested, stale = count_contested(session, scope=scope), count_stale(session, scope=scope)
        aside = how_many_put_aside(self.service, session, access)
        return [
            *found,
            Figure("Contested", contested, "/breaches?review=new&contested=yes", "a date was moved after the fact"),
            Figure(
                "A source has gone quiet", stale, "/verdicts?verdict=unknown&reason=source_stale", "cannot be judged until it catches up"
            ),
            Figure("Cases put aside", aside, "/status#held", "judging them failed"),
        ]

    def _due(self, session: Session, scope: Scope) -> list[Figure]:
        today = self.today()
        periods = [(today.isoformat(), (today + dt.timedelta(days=days)).isoformat()) for days in AHEAD]
        numbers, undated = count_due(session, periods, scope=scope)
        figures = [
            Figure(f"In the next {days} days", number, f"/due-soon?within={days}", f"to {words.short_day(today + dt.timedelta(days=days))}")
            for days, number in zip(AHEAD, numbers, strict=True)
        ]
        return [*figures, Figure("No day yet", undated, "/due-soon?within=none", "at the next visit, for example")]


def _feed(feed: Feed, access: Access) -> FeedLine:
    href = f"/sources/{feed.name}" if feed.name is not None and access.allows("sources:admin") else ""
    return FeedLine(feed.title, feed.state.value, feed.heard, feed.stored.complete_until, href)
