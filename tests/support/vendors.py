"""CommCare HQ and DHIS2 as far as duecare asks them, made from what their makers publish about their interfaces.

Times are kept in ms.  Imports the standard library and tests.support.webworld, and nothing of the product.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from tests.support.webworld import Ask, Say, iso, ms

Row = dict[str, Any]


@dataclass
class CommCare:
    """The Case Data API v2: pages go on by a cursor that carries the query, the last time of indexing and the last id.

    A parameter that it does not know is an error; what was just saved can be seen only once it is indexed (``index``).
    """

    now: int = ms("2026-03-20T02:00:00")
    key: str = "reader@example.org:the-key"
    cases: dict[str, Row] = field(default_factory=dict)
    index: dict[str, Row] = field(default_factory=dict)
    between: Callable[[], object] = lambda: None

    def save(self, ref: str, kind: str, properties: dict[str, str] | None = None, *, parent: str | None = None, **more: Any) -> None:
        old = self.cases.get(ref)
        indices = {"parent": {"case_id": parent, "case_type": "family", "relationship": "child"}} if parent else {}
        fresh: Row = {"domain": "north", "case_id": ref, "case_type": kind, "case_name": "Jane Doe", "external_id": None, "owner_id": "w1"}
        fresh |= {"date_opened": iso(self.now), "closed": False, "date_closed": None, "properties": {}, "indices": indices}
        row = {**(old or fresh), **more, "server_last_modified": iso(self.now), "last_modified": iso(self.now)}
        row["properties"] = {**row["properties"], **(properties or {})}
        self.cases[ref] = row
        self.index[ref] = {**row, "indexed_on": self.now}

    def drop(self, ref: str) -> None:
        del self.cases[ref], self.index[ref]

    def __call__(self, ask: Ask) -> Say:
        if ask.headers.get("authorization") != f"ApiKey {self.key}":
            return Say({"error": "unauthorized"}, 401)
        head = "/a/north/api/case/v2/"
        if not ask.path.startswith(head):
            return Say({"error": "not found"}, 404)
        ref = ask.path.removeprefix(head)
        if ref:
            found = self.index.get(ref)
            return Say(self._shown(found)) if found else Say({"error": f"Case '{ref}' not found"}, 404)
        said = self._list(ask.params)
        self.between()
        return said

    def _list(self, params: dict[str, str]) -> Say:
        after: tuple[int, str] | None = None
        if "cursor" in params:
            try:
                params = dict(parse_qsl(b64decode(params["cursor"], validate=True).decode()))
                after = (int(params.pop("last_date")), params.pop("last_case_id"))
            except (ValueError, KeyError):
                return Say({"error": "bad cursor"}, 400)
        known = {"limit", "case_type", "indexed_on.gte", "fields"}
        if unknown := set(params) - known:
            return Say({"error": f"'{min(unknown)}' is not a valid parameter."}, 400)
        size = int(params.get("limit", 20))
        if size > 5000:
            return Say({"error": "You cannot request more than 5000 cases per request."}, 400)
        since = ms(params["indexed_on.gte"].removesuffix("Z")) if "indexed_on.gte" in params else 0
        found = [row for row in self.index.values() if row["case_type"] == params.get("case_type") and row["indexed_on"] >= since]
        found.sort(key=lambda row: (row["indexed_on"], row["case_id"]))
        rest = [row for row in found if after is None or (row["indexed_on"], row["case_id"]) > after]
        body: Row = {"matching_records": len(rest), "cases": [self._shown(row) for row in rest[:size]]}
        if len(rest) > size:
            last = rest[size - 1]
            carried = urlencode({**params, "last_date": last["indexed_on"], "last_case_id": last["case_id"]})
            body["next"] = {"cursor": b64encode(carried.encode()).decode()}
        return Say(body)

    def _shown(self, row: Row) -> Row:
        return {**row, "indexed_on": iso(row["indexed_on"], part="microseconds")}


@dataclass
class Dhis2:
    """Tracker's enrollments and events (2.41): counted pages, local times without an offset, soft deletion, no tie-break but what is asked.

    ``updatedAfter`` is read as local time and is inclusive.
    """

    zone: str = "Australia/Darwin"
    now: int = ms("2026-03-20T02:00:00")
    token: str = "d2pat_the-token"
    rows: dict[str, dict[str, Row]] = field(default_factory=lambda: {"enrollment": {}, "event": {}})
    under: str | None = None
    between: Callable[[], object] = lambda: None

    def local(self, when: int) -> str:
        at = dt.datetime.fromtimestamp(when / 1000, ZoneInfo(self.zone))
        return at.replace(tzinfo=None).isoformat(timespec="milliseconds")

    def save(self, kind: str, ref: str, values: dict[str, str] | None = None, **more: Any) -> None:
        old = self.rows[kind].get(ref, {kind: ref, "program": "CFSS", "status": "ACTIVE", "orgUnit": "NORTH", "createdAt": self.now})
        row = {"deleted": False, **old, **more, "updatedAt": self.now}
        row["createdBy"] = {"firstName": "Jane", "surname": "Doe"}
        if kind == "event":
            elements = values if values is not None else {one["dataElement"]: one["value"] for one in old.get("dataValues", [])}
            row["dataValues"] = [{"dataElement": name, "value": value, "storedBy": "jane"} for name, value in elements.items()]
        self.rows[kind][ref] = row

    def drop(self, kind: str, ref: str) -> None:
        self.save(kind, ref, deleted=True)

    def __call__(self, ask: Ask) -> Say:
        if ask.headers.get("authorization") != f"ApiToken {self.token}":
            return Say({"httpStatusCode": 401, "message": "Unauthorized"}, 401)
        if ask.path == "/api/me":
            return Say({"username": "reader"})
        if ask.path == "/api/system/info":
            return Say({"version": "2.41.3", "serverTimeZoneId": self.zone})
        for kind, rows in self.rows.items():
            if ask.path == f"/api/tracker/{kind}s":
                said = self._list(kind, ask.params)
                self.between()
                return said
            if ask.path.startswith(f"/api/tracker/{kind}s/"):
                row = rows.get(ask.path.rpartition("/")[2])
                gone = row is None or row["deleted"]
                return Say({"message": "not found"}, 404) if gone or row is None else Say(self._shown(row, ask.params["fields"]))
        return Say({"message": "not found"}, 404)

    def _list(self, kind: str, params: dict[str, str]) -> Say:
        if params.get("program") != "CFSS":
            return Say({"message": "Program is specified but does not exist"}, 409)
        zone = ZoneInfo(self.zone)
        since = params.get("updatedAfter")
        floor = int(dt.datetime.fromisoformat(since).replace(tzinfo=zone).timestamp() * 1000) if since else 0
        deleted = params.get("includeDeleted") == "true"
        found = [row for row in self.rows[kind].values() if row["updatedAt"] >= floor and (deleted or not row["deleted"])]
        found.sort(key=lambda row: (row["updatedAt"], row[kind]))
        size, page = int(params.get("pageSize", 50)), int(params.get("page", 1))
        pager: Row = {"page": page, "pageSize": size}
        if params.get("totalPages") == "true":
            pager |= {"total": len(found)}
        shown = [self._shown(row, params["fields"]) for row in found[(page - 1) * size : page * size]]
        return Say({"pager": pager, self.under or f"{kind}s": shown})

    def _shown(self, row: Row, fields: str) -> Row:
        asked = set(fields.replace("dataValues[dataElement,value]", "dataValues").split(","))
        told = {name: self.local(value) if name.endswith("At") and value is not None else value for name, value in row.items()}
        if "dataValues[dataElement,value]" in fields and "dataValues" in told:
            told["dataValues"] = [{name: one[name] for name in ("dataElement", "value")} for one in row["dataValues"]]
        return {name: value for name, value in told.items() if name in asked}
