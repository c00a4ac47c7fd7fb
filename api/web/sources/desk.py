"""What the pages about sources ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

from typing import Protocol

from api.web.sources.views import FeedPage, FeedsPage, TrialPage
from service.access import Access


class SourceDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each needs the scope ``sources:admin``."""

    def sources(self, access: Access) -> FeedsPage:
        """All sources and how they stand."""
        ...

    def source(self, access: Access, source: str, *, settled: bool, cursor: str) -> FeedPage:
        """One source with its reject list."""
        ...

    def ask_now(self, access: Access, source: str) -> None:
        """Have it asked soon.  Raises NotPossible where it is switched off."""
        ...

    def confirm_gone(self, access: Access, source: str) -> None:
        """Say that what a sweep did not find is gone indeed.  Raises NotPossible where nothing waits to be confirmed."""
        ...

    def replay(self, access: Access, source: str) -> tuple[int, int, str]:
        """Try its rejects again: how many records were tried, how many are refused still, and why it ended early, if it did."""
        ...

    def dismiss(self, access: Access, source: str, reject: str) -> None:
        """Set a reject aside for good."""
        ...

    def try_out(self, access: Access, source: str, *, values: bool) -> TrialPage:
        """What the mapping makes of its first records; stores nothing.

        Raises NotPossible where it cannot be read, Forbidden for values."""
        ...
