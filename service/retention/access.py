"""Who may see and do what retention does: it speaks of every team.  Imports service.access and service.errors."""

from __future__ import annotations

from service.access import Access
from service.errors import Forbidden

SCOPE = "users:admin"


def may_administer(access: Access) -> bool:
    """Whether the caller looks after the installation, without limits to teams or offices."""
    return access.allows(SCOPE) and access.teams is None and access.offices is None


def administers(access: Access) -> None:
    """Raises Forbidden unless the caller may administer."""
    access.require(SCOPE)
    if not may_administer(access):
        raise Forbidden("retention and legal holds concern every team and office: they are for administrators without limits")
