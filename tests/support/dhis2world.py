"""A DHIS2 on loopback as far as duecare asks it, made from what its makers publish about Tracker and from how it behaves.

Pages are counted; times are those of the server's zone, without an offset, and the filter by them is inclusive; records that are deleted
stay, marked, and are given to whom asks for them.  A parameter that a version does not know is passed over without a word, and
enrollments have identifiers whatever is asked.  Among enrollments of one instant there is no order.  Times are kept in ms.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.webworld import Ask, Say, ms

Row = dict[str, Any]
TOKEN, USER = "d2pat_the-token-of-dhis2", "reader"
PROGRAM, UNIT, OTHER_UNIT = "CfssProgr01", "NorthUnit01", "SouthUnit01"
CODES = {PROGRAM: "CFSS", UNIT: "NORTH", OTHER_UNIT: "SOUTH"}
"""The codes of what events can name by code; stages and data elements are kept by theirs, and have an identifier made of it."""
UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")


@dataclass
class Dhis2:
    """The installation: give it to a Site as its ``answer``.  ``now`` (ms) is its clock, ``zone`` that of its times."""

    zone: str = "Australia/Darwin"
    now: int = ms("2026-03-20T02:00:00")
    token: str = TOKEN
    version: tuple[int, int] = (2, 42)
    called: str | None = None
    """What it calls its zone, where that is another name for it."""
    rows: dict[str, dict[str, Row]] = field(default_factory=lambda: {"enrollment": {}, "event": {}})
    broken: bool = False
    between: Callable[[], object] = lambda: None
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def older(self) -> bool:
        """Whether it is from before 2.41, when lists stood elsewhere and units were asked for in another way."""
        return self.version < (2, 41)

    def local(self, when: int) -> str:
        at = dt.datetime.fromtimestamp(when / 1000, ZoneInfo(self.zone))
        return at.replace(tzinfo=None).isoformat(timespec="milliseconds")

    # --- what people do there

    def save(self, kind: str, ref: str, values: dict[str, str] | None = None, **more: Any) -> None:
        """An enrollment or event is created or changed."""
        self.begin(kind, ref, values, **more)()

    def begin(self, kind: str, ref: str, values: dict[str, str] | None = None, *, at: int | None = None, **more: Any) -> Callable[[], None]:
        """The same in a transaction; what it returns commits it, with the time at which it was begun.  ``at`` (ms): when, else now."""
        when = self.now if at is None else at
        self.now = max(self.now, when)
        old = self.rows[kind].get(ref, {kind: ref, "program": PROGRAM, "status": "ACTIVE", "orgUnit": UNIT, "createdAt": when})
        row = {"deleted": False, **old, **more, "updatedAt": when, "createdBy": {"firstName": "Jane", "surname": "Doe"}}
        if kind == "event":
            elements = values if values is not None else {one["dataElement"]: one["value"] for one in old.get("dataValues", [])}
            row["dataValues"] = [{"dataElement": name, "value": value, "storedBy": "jane"} for name, value in elements.items()]

        def commit() -> None:
            self.rows[kind][ref] = row

        return commit

    def drop(self, kind: str, ref: str) -> None:
        """It is marked as deleted, and with an enrollment its events are."""
        self.save(kind, ref, deleted=True)
        for event, row in self.rows["event"].items() if kind == "enrollment" else ():
            if row.get("enrollment") == ref and not row["deleted"]:
                self.save("event", event, deleted=True)

    # --- what it answers

    def __call__(self, ask: Ask) -> Say:
        if self.broken:
            return Say({"httpStatusCode": 500}, 500)
        if ask.headers.get("authorization") != f"ApiToken {self.token}":
            return Say({"httpStatusCode": 401, "message": "Unauthorized"}, 401)
        if ask.path == "/api/me":
            return Say({"username": USER})
        if ask.path == "/api/system/info":
            return Say({"version": f"{self.version[0]}.{self.version[1]}.3", "serverTimeZoneId": self.called or self.zone})
        for kind, rows in self.rows.items():
            if ask.path == f"/api/tracker/{kind}s":
                said = self._list(kind, ask.params)
                self.between()
                return said
            if ask.path.startswith(f"/api/tracker/{kind}s/"):
                row = rows.get(ask.path.rpartition("/")[2])
                gone = row is None or row["deleted"]
                return Say({"message": "not found"}, 404) if gone or row is None else Say(self._shown(kind, row, ask.params))
        return Say({"message": "not found"}, 404)

    def _list(self, kind: str, params: dict[str, str]) -> Say:
        if params.get("program") != PROGRAM:
            return Say({"message": f"Program is specified but does not exist: {params.get('program')}"}, 400)
        unit = params.get("orgUnits" if kind == "enrollment" and not self.older else "orgUnit")
        mode = params.get("ouMode" if self.older else "orgUnitMode")
        if kind == "enrollment" and self.older and unit is None and mode is None:
            return Say({"message": "At least one organisation unit must be specified"}, 409)
        if unit is not None and not UID.fullmatch(unit):
            return Say({"message": f"Organisation unit does not exist: {unit}"}, 400)
        zone = ZoneInfo(self.zone)
        since = params.get("updatedAfter")
        floor = int(dt.datetime.fromisoformat(since).replace(tzinfo=zone).timestamp() * 1000) if since else 0
        deleted = params.get("includeDeleted") == "true"
        found = [row for row in list(self.rows[kind].values()) if row["updatedAt"] >= floor and (deleted or not row["deleted"])]
        found = [row for row in found if unit in (None, row["orgUnit"])]
        self.chance.shuffle(found)
        for part in reversed([one.partition(":")[0] for one in params.get("order", "").split(",") if one]):
            found.sort(key=lambda row, part=part: row[part])
        size, page = int(params.get("pageSize", 50)), int(params.get("page", 1))
        pager: Row = {"page": page, "pageSize": size}
        if params.get("totalPages") == "true":
            pager |= {"total": len(found), "pageCount": -(-len(found) // size)}
        shown = [self._shown(kind, row, params) for row in found[(page - 1) * size : page * size]]
        return Say({**pager, "instances": shown} if self.older else {"pager": pager, f"{kind}s": shown})

    def _shown(self, kind: str, row: Row, params: dict[str, str]) -> Row:
        coded = kind == "event" and params.get("idScheme") == "CODE" and self.version >= (2, 42)
        told = {name: self.local(value) if name.endswith("At") and value is not None else value for name, value in row.items()}
        told |= {name: CODES[told[name]] for name in ("program", "orgUnit") if coded}
        if "programStage" in told and not coded:
            told["programStage"] = uid(told["programStage"])
        if kind == "event":
            told["dataValues"] = [
                {"dataElement": one["dataElement"] if coded else uid(one["dataElement"]), "value": one["value"]}
                for one in row["dataValues"]
            ]
        asked = set(params["fields"].replace("dataValues[dataElement,value]", "dataValues").split(","))
        return {name: value for name, value in told.items() if name in asked}


def a_family(system: Dhis2) -> None:
    """A family as the mapping that ships knows them: an enrollment, seven visits, a consent, a visit that is only planned."""
    day = ms("2026-03-01T14:30:00")  # midnight of 2 March in Darwin
    system.save("enrollment", "n1", trackedEntity="f1", enrolledAt=day, completedAt=None)
    for number in range(1, 8):
        system.now += 1_000
        values = {"VISIT_MODE": "HOME", "PERSONS_SEEN": "c1,p1", "NARRATIVE": "Jane Doe was upset"}
        more = {"programStage": "VISIT", "status": "COMPLETED", "occurredAt": day + number * 86_400_000}
        system.save("event", f"v{number}", values, enrollment="n1", trackedEntity="f1", **more)
    consent = {"CONSENT_PERSON": "p1", "CONSENT_DECISION": "AGREE"}
    system.save("event", "k1", consent, enrollment="n1", trackedEntity="f1", programStage="CONSENT", occurredAt=day)
    system.save("event", "z1", {}, enrollment="n1", trackedEntity="f1", programStage="VISIT", status="SCHEDULE", scheduledAt=day)
    system.now += 1_000


def uid(code: str) -> str:
    """The identifier of a stage or data element of this code."""
    return (code.replace("_", "").title() + "0" * 11)[:11]
