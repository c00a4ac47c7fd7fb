"""A made-up first page."""

from __future__ import annotations

from api.web import words
from api.web.today.views import Figure, TodayPage
from service.access import Access


class FakeToday:
    """``empty``: nothing was ever taken in."""

    empty: bool
    clock: int

    def _fail(self) -> None:
        raise NotImplementedError

    def home(self, access: Access) -> TodayPage:
        self._fail()
        figures = [
            Figure(words.word("severity", name), 0 if self.empty else number, f"/breaches?severity={name}&condition=open&review=new")
            for number, name in enumerate(words.SEVERITIES)
        ]
        return TodayPage(self.clock, "Australia/Adelaide", figures, self.empty)
