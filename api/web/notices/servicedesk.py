"""The page about messages to others over the real product: asks service.notify, and hands the answers on as views."""

from __future__ import annotations

from api.web.notices.views import NoticeLine, NoticesPage, ReceiverLine
from service.access import Access
from service.bootstrap import Service
from service.notify import upkeep
from service.notify.config import Webhook
from service.notify.upkeep import Told

STATES = {"good": "Good", "away": "Does not answer", "quiet": "Quiet hours", "off": "Switched off", "unnamed": "No longer in the file"}


class NoticeServiceDesk:
    """See ``api.web.notices.desk.NoticeDesk``."""

    service: Service

    @property
    def zone(self) -> str:
        """Where the office is."""
        raise NotImplementedError

    def notices_page(self, access: Access, *, after: int | None) -> NoticesPage:
        found = upkeep.overview(self.service, access, after=after)
        rows = [
            NoticeLine(
                one.id, one.receiver, one.topic, one.message_id, one.created, one.ended_at, one.attempts, one.last_error or ""
            )
            for one in found.dead
        ]  # fmt: skip
        return NoticesPage(
            self.service.now(),
            self.zone,
            [_line(one) for one in found.receivers],
            [str(fault) for fault in found.faults],
            found.owed,
            rows,
            found.dead_count,
            str(rows[-1].id) if found.more else "",
        )

    def retry_notices(self, access: Access, *, number: int | None) -> int:
        return upkeep.retry(self.service, access, number=number)

    def dismiss_notice(self, access: Access, *, number: int) -> None:
        upkeep.dismiss(self.service, access, number=number)


def _line(one: Told) -> ReceiverLine:
    known, stands = one.receiver, one.standing
    state = STATES[one.state]
    good = one.state not in {"away", "unnamed"}
    way = "" if known is None else "Webhook" if isinstance(known, Webhook) else "E-mail digest"
    title = one.name if known is None else known.called
    return ReceiverLine(
        one.name, title, way, state, good, stands.waiting, stands.oldest, stands.dead, stands.last_good, stands.last_error or ""
    )
