"""That a case, of which there is a record, had an earlier one that retention has removed.  Imports rules/, service/ and store.tombstones.

It tells when the earlier record ended, when it was removed and under which certificate, and nothing of what stood in it.  It is told to
whoever may see the case.  A case of which nothing is on record any more is answered like one that never was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from rules.model import rfc3339
from service.access import Access
from service.bootstrap import Service
from service.retention.access import may_administer
from store import tombstones


@dataclass(frozen=True, slots=True)
class Earlier:
    """``through``: the time of the last event that was removed; ``removed_at``: when that was (both in ms).

    ``certificate``: its number, for those who may read it; else None.
    """

    through: int
    removed_at: int
    certificate: str | None


def earlier(svc: Service, session: Session, access: Access, case: str) -> Earlier | None:
    """What is known of the earlier record of a case; None: none was removed."""
    found = tombstones.of_cases(session, svc.settings.secret, [case]).get(case)
    if found is None:
        return None
    return Earlier(found.through, found.removed_at, found.removal if may_administer(access) else None)


def as_json(found: Earlier | None) -> dict[str, Any] | None:
    """The same as a JSON value."""
    if found is None:
        return None
    return {"through": rfc3339(found.through), "removed_at": rfc3339(found.removed_at), "certificate": found.certificate}
