"""What comes for a case that was removed: refused where it belongs to what was removed, else taken as a new record.

An event that happened after the last one that was removed, and that would begin an episode, begins a new record of the case.  Older
ones, closing papers of the episode that is gone, and words about events that are gone are refused, so that nothing removed comes back by
a late delivery or a source that is read again.  Imports rules/, store/ and service/.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from rules.catalogue import CORRECTED, VOIDED
from rules.model import Event
from service.bootstrap import Service
from store import tombstones

CODE = "removed"
WORDS = "the record of this case that the event belongs to was removed under the rules of retention; what happened since is taken as new"


def belonging(svc: Service, session: Session, events: Sequence[Event]) -> frozenset[int]:
    """The places in ``events`` of those that belong to a record that was removed."""
    if not events or not tombstones.any_there(session):
        return frozenset()
    graves = tombstones.of_cases(session, svc.settings.secret, {event.case for event in events})
    if not graves:
        return frozenset()
    mine = [(place, event) for place, event in enumerate(events) if event.case in graves]
    anew = tombstones.begun_anew(session, {event.case for _, event in mine})
    targets = {(event.source, str(event.data.get("target"))) for _, event in mine if event.type in (VOIDED, CORRECTED)}
    known = tombstones.known(session, targets) | {(event.source, event.id) for event in events}
    found: set[int] = set()
    for place, event in sorted(mine, key=lambda one: (one[1].time, one[0])):
        if event.type in (VOIDED, CORRECTED):
            gone = (event.source, str(event.data.get("target"))) not in known
        else:
            gone = event.time <= graves[event.case].through or (event.case not in anew and not _begins(svc, event))
            if not gone:
                anew.add(event.case)
        if gone:
            found.add(place)
    refused = {(events[place].source, events[place].id) for place in found}
    return frozenset(found | {place for place, event in mine if (event.source, str(event.data.get("target"))) in refused})


def removed_cases(svc: Service, session: Session, cases: Sequence[str]) -> set[str]:
    """Those of ``cases`` that were removed and of which there is nothing new."""
    if not cases or not tombstones.any_there(session):
        return set()
    graves = set(tombstones.of_cases(session, svc.settings.secret, cases))
    return graves - tombstones.begun_anew(session, graves)


def _begins(svc: Service, event: Event) -> bool:
    """Whether an event may begin an episode: a closing and closing papers belong to one that was before."""
    course = svc.policies.domain_of(event.type).course
    return (course.closes is None or event.type != course.closes.event) and event.type not in course.closing_papers
