"""The made-up messages to others of the fake desk: a receiver in every state, and some messages that were given up."""

from __future__ import annotations

import datetime as dt

from api.web.notices.views import NoticeLine, NoticesPage, ReceiverLine
from rules.model import to_ms
from service.access import Access
from service.errors import NotFound

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
DAY = 86_400_000
RECEIVERS = (
    ReceiverLine("case-system", "Case system", "Webhook", "Good", True, 0, None, 0, NOW - 60_000, ""),
    ReceiverLine("partner", "Partner, <in> brackets", "Webhook", "Does not answer", False, 1_204, NOW - DAY, 2, None, "it answers 503"),
    ReceiverLine("leaders", "leaders", "E-mail digest", "Quiet hours", True, 4, NOW - DAY, 0, NOW - DAY, ""),
    ReceiverLine("gone", "gone", "", "No longer in the file", False, 3, NOW - 9 * DAY, 0, None, ""),
)  # fmt: skip
DEAD = (
    NoticeLine(9, "partner", "breach.opened", "5d1c6a52-6f0c-5b2e-8a33-0a6a34d6b1c1", NOW - 4 * DAY, NOW - DAY, 10, "it answers 422"),
    NoticeLine(8, "partner", "audit.finished", "a" * 32, NOW - 4 * DAY, NOW - DAY, 1, "it answers 410: it wants no more of this"),
)


class FakeNotices:
    """Part of the fake desk."""

    def __init__(self) -> None:
        self.dead_notices = list(DEAD)

    def notices_page(self, access: Access, *, after: int | None) -> NoticesPage:
        access.require("users:admin")
        rows = [row for row in self.dead_notices if after is None or row.id < after]
        faults = ["notify.yaml:3:5: webhooks.0.secret: is missing"] if after == 1 else []
        return NoticesPage(
            NOW, ZONE, RECEIVERS if after != 2 else (), faults, 2, rows, len(self.dead_notices), "9" if after is None else ""
        )

    def retry_notices(self, access: Access, *, number: int | None) -> int:
        return self._without(access, number)

    def dismiss_notice(self, access: Access, *, number: int) -> None:
        self._without(access, number)

    def _without(self, access: Access, number: int | None) -> int:
        access.require("users:admin")
        left = [row for row in self.dead_notices if number is not None and row.id != number]
        done, self.dead_notices = len(self.dead_notices) - len(left), left
        if not done and number is not None:
            raise NotFound("there is no such message")
        return done
