"""The waivers over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  Every question to the store is narrowed to what the viewer may see.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from api.v1.lists import scope_of
from api.web import present, words
from api.web.views import Choice, Listing
from api.web.waivers.views import AskPage, WaiverFilters, WaiverItem, WaiversPage
from rules.clock import Zone
from rules.clock import zone as zone_of
from service import review
from service.access import APPROVERS, Access
from service.bootstrap import Service
from service.errors import NotFound
from store.breaches import Breach, history_of
from store.queries import findings
from store.queries.waivers import Asked, Narrowed, count_asked, find_asked, list_asked

PAGE = 50
STATES = {"waiting": ("proposed",), "standing": ("approved",), "past": ("refused", "void", "ended"), "all": ()}
_ORDER = {"waiting": "created", "standing": "ends_at", "past": "-created", "all": "-created"}
_ROLES = {"team_leader": "a team leader", "manager": "a manager"}


class WaiverServiceDesk:
    """See ``api.web.waivers.desk.WaiverDesk``."""

    service: Service

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def today(self) -> dt.date:
        raise NotImplementedError

    def _names(self) -> dict[str, str]:
        raise NotImplementedError

    def waivers(self, access: Access, filters: WaiverFilters) -> WaiversPage:
        access.require("breaches:read")
        scope = scope_of(access)
        mine = Narrowed(("proposed",), severities_of(access), access.actor)
        where = mine if filters.mine and filters.show == "waiting" else Narrowed(STATES[filters.show])
        with self.service.reading() as session:
            page = list_asked(session, where=where, scope=scope, sort=_ORDER[filters.show], limit=PAGE, cursor=filters.cursor or None)
            by_state = count_asked(session, scope=scope)
            for_me = sum(count_asked(session, where=mine, scope=scope).values()) if mine.severities else 0
        counts = {show: sum(by_state.get(state, 0) for state in states or by_state) for show, states in STATES.items()}
        names = self._names()
        listing = Listing(
            rows=[self._item(one, access, names) for one in page.items],
            total=for_me if where is mine else counts[filters.show],
            as_of=self.service.now(),
            zone=self.zone,
            next_cursor=page.next_cursor or "",
        )
        return WaiversPage(listing, counts, for_me, bool(mine.severities))

    def waiver(self, access: Access, waiver: str) -> WaiverItem:
        access.require("breaches:read")
        with self.service.reading() as session:
            found = find_asked(session, waiver, scope=scope_of(access))
            if found is None:
                raise NotFound("there is no such waiver")
            history = history_of(session, found.breach.id)
        kinds = {f"waiver_{found.waiver.state}"}
        told = [stored.line for stored in history if stored.line.kind in kinds and stored.line.at >= found.waiver.created]
        answer = next((line.comment for line in told if line.at == found.waiver.decided_at), None)
        return self._item(found, access, self._names(), answer=answer or "")

    def asking(self, access: Access, breach: str) -> AskPage:
        access.require(review.SCOPE)
        with self.service.reading() as session:
            found = findings.find_breach(session, breach, scope=scope_of(access))
            if found is None:
                raise NotFound("there is no such breach")
            waiting = findings.list_waivers(session, breach_id=breach, states=("proposed",), limit=1).items
        barrier = "" if "waive" in review.actions(access, found) else "Only a breach that is open or excused can be waived"
        if waiting:
            barrier = "A request for a waiver of this breach waits for its answer already"
        zone = self._zone_of(found)
        return AskPage(
            breach=present.breach_row(found, self.service.policies, today=self.today()),
            zone=zone.name,
            today=words.local(self.service.now(), zone.name).date(),
            reasons=[Choice(code, label) for code, label in review.WAIVER_REASONS.items()],
            approvers=approvers(found.severity),
            barrier=barrier,
            waiting=waiting[0].id if waiting else "",
        )

    def ask_waiver(self, access: Access, breach: str, *, reason: str, comment: str, ends_on: dt.date, version: int) -> None:
        with self.service.reading() as session:
            found = findings.find_breach(session, breach, scope=scope_of(access))
        if found is None:
            raise NotFound("there is no such breach")
        ends_at = self._zone_of(found).end_of(ends_on.toordinal())
        review.ask_waiver(self.service, access, breach, version=version, reason_code=reason, ends_at=ends_at, comment=comment or None)

    def settle_waiver(self, access: Access, waiver: str, *, approve: bool, comment: str) -> None:
        review.settle_waiver(self.service, access, waiver, approve=approve, comment=comment or None)

    def _zone_of(self, breach: Breach) -> Zone:
        owner = self.service.policies.get(breach.key[2])
        return owner.zone if owner is not None else zone_of(self.zone)

    def _item(self, asked: Asked, access: Access, names: Mapping[str, str], *, answer: str = "") -> WaiverItem:
        waiver, breach = asked.waiver, asked.breach
        zone = self._zone_of(breach).name
        own = waiver.author == access.actor
        open_to = waiver.state == "proposed" and access.allows(review.SCOPE)
        barrier = ""
        if waiver.state == "proposed" and own:
            barrier = f"You asked for it, so it takes another person to approve it: {approvers(breach.severity)}"
        elif waiver.state == "proposed" and not access.may_approve(breach.severity):
            severity = words.word("severity", breach.severity).lower()
            barrier = f"A waiver of a breach of {severity} severity is answered by {approvers(breach.severity)}"
        return WaiverItem(
            id=waiver.id,
            state=waiver.state,
            breach=present.breach_row(breach, self.service.policies, today=self.today()),
            zone=zone,
            author=names.get(waiver.author, waiver.author.replace("key:", "API key ")),
            reason=review.WAIVER_REASONS.get(waiver.reason_code, waiver.reason_code),
            created=waiver.created,
            ends_on=words.local(waiver.ends_at - 1, zone).date(),
            comment=waiver.comment or "",
            approver=names.get(waiver.approver, waiver.approver.replace("key:", "API key ")) if waiver.approver else "",
            decided_at=waiver.decided_at,
            over_at={"void": waiver.voided_at, "ended": waiver.ends_at}.get(waiver.state),
            answer=answer,
            may_answer=open_to and not own and access.may_approve(breach.severity),
            may_take_back=open_to and own,
            barrier=barrier,
        )


def severities_of(access: Access) -> tuple[str, ...]:
    """The severities of breaches whose waivers the caller's role lets them answer."""
    return tuple(severity for severity in words.SEVERITIES if access.allows(review.SCOPE) and access.may_approve(severity))


def approvers(severity: str) -> str:
    """Who may approve a waiver of a breach of this severity: ``a team leader or a manager``."""
    roles = APPROVERS.get(severity, frozenset())
    return " or ".join(label for role, label in _ROLES.items() if role in roles)
