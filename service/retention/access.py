"""Who may see and do what retention does: it speaks of every team.  Imports service.access and service.errors."""

from __future__ import annotations

from service.access import Access
from service.errors import Forbidden

SCOPE = "users:admin"


def administers(access: Access) -> None:
    """Raises Forbidden unless the caller looks after the installation, without limits to teams or offices."""
    access.require(SCOPE)
    if access.teams is not None or access.offices is not None:
        raise Forbidden("retention and legal holds concern every team and office: they are for administrators without limits")
