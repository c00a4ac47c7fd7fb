"""What the page about messages to others asks of the product; part of ``api.web.desk.Desk``."""

from __future__ import annotations

from typing import Protocol

from api.web.notices.views import NoticesPage
from service.access import Access


class NoticeDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each needs the scope ``users:admin``, without limits."""

    def notices_page(self, access: Access, *, after: int | None) -> NoticesPage:
        """Who is told, and what was given up, from before the message of the number ``after``."""
        ...

    def retry_notices(self, access: Access, *, number: int | None) -> int:
        """Send one again, or all; how many.  Raises NotFound."""
        ...

    def dismiss_notice(self, access: Access, *, number: int) -> None:
        """Take one off the list.  Raises NotFound."""
        ...
