"""The first page over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.
"""

from __future__ import annotations

from api.v1.lists import scope_of
from api.web import words
from api.web.today.views import Figure, TodayPage
from service.access import Access
from service.bootstrap import Service
from store.queries import Where, casework, counts


class TodayServiceDesk:
    """See ``api.web.today.desk.TodayDesk``."""

    service: Service

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def home(self, access: Access) -> TodayPage:
        access.require("breaches:read")
        scope = scope_of(access)
        with self.service.reading() as session:
            new = counts.breach_facets(session, where=Where(condition=("open",), review=("new",)), scope=scope).by["severity"]
            empty = not new and not casework.count_cases(session)
        figures = [
            Figure(words.word("severity", name), new.get(name, 0), f"/breaches?severity={name}&condition=open&review=new")
            for name in words.SEVERITIES
        ]
        return TodayPage(self.service.now(), self.zone, figures, empty)
