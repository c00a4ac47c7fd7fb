"""What the pages about retention ask of the product; part of ``api.web.desk.Desk``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from api.web.retention.views import HoldLine, PlanPage, RemovalLine, RetentionPage
from service.access import Access


class RetentionDesk(Protocol):
    """Each method may raise service.errors.ServiceError; all but ``case_holds`` need ``users:admin`` without limits."""

    def retention_page(self, access: Access) -> RetentionPage:
        """How long what is kept, who holds what, and what was removed."""
        ...

    def retention_plan(self, access: Access) -> PlanPage:
        """What a removal would do now.  Raises NotPossible where there are no good rules."""
        ...

    def start_removal(self, access: Access) -> str:
        """Begin a removal; its id.  Raises NotPossible."""
        ...

    def removal(self, access: Access, removal: str) -> RemovalLine:
        """One removal.  Raises NotFound."""
        ...

    def removal_file(self, access: Access, removal: str) -> dict[str, Any]:
        """A whole certificate.  Raises NotFound."""
        ...

    def set_hold(self, access: Access, *, case: str, reason: str) -> None:
        """Raises NotFound and Invalid."""
        ...

    def lift_hold(self, access: Access, hold: str, *, reason: str) -> str:
        """Lift a hold; its case.  Raises NotFound, NotPossible and Invalid."""
        ...

    def case_holds(self, access: Access, case: str) -> Sequence[HoldLine]:
        """The holds of a case that the viewer was found to see, the newest first."""
        ...

    def may_hold(self, access: Access) -> bool:
        """Whether the viewer may set and lift holds."""
        ...
