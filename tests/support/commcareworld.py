"""CommCare HQ on loopback as far as duecare asks it, made from what its makers publish about the Case Data API v2 and from how it behaves.

Lists come from an index, which a case reaches a while after it was saved.  The next page is a link to the server's own address,
whatever address it was asked at; its cursor carries the whole query, the last time of indexing and the last id.  A parameter that it
does not know is an error.  What the user's locations do not allow is passed over in lists, and refused alone.  Times are kept in ms.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.support.webworld import Ask, Say, iso, ms

Row = dict[str, Any]
KEY, USER = "the-key-of-commcare", "reader@example.org"


@dataclass
class CommCare:
    """The installation: give it to a Site as its ``answer``.  ``now`` (ms) is its clock; ``links`` False: it gives bare cursors."""

    now: int = ms("2026-03-20T02:00:00")
    key: str = f"{USER}:{KEY}"
    links: bool = True
    knows_fields: bool = True
    cases: dict[str, Row] = field(default_factory=dict)
    index: dict[str, Row] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Cases at locations that the user may not see."""
    broken: bool = False
    between: Callable[[], object] = lambda: None

    # --- what people do there

    def save(self, ref: str, kind: str, properties: dict[str, str] | None = None, **more: Any) -> None:
        """A case is created or changed, and indexed at once."""
        self.begin(ref, kind, properties, **more)()

    def begin(
        self,
        ref: str,
        kind: str,
        properties: dict[str, str] | None = None,
        *,
        at: int | None = None,
        parent: str | None = None,
        **more: Any,
    ) -> Callable[[], None]:
        """The same, but the index holds it only when the answer is called, with the time at which it was begun.  ``at`` (ms): when."""
        when = self.now if at is None else at
        self.now = max(self.now, when)
        fresh: Row = {"domain": "north", "case_id": ref, "case_type": kind, "case_name": "Jane Doe", "external_id": None, "owner_id": "w1"}
        fresh |= {"date_opened": iso(when), "closed": False, "date_closed": None, "properties": {}, "indices": {}}
        row = {**self.cases.get(ref, fresh), **more, "server_last_modified": iso(when), "last_modified": iso(when)}
        row["properties"] = {**row["properties"], **(properties or {})}
        if parent is not None:
            row["indices"] = {"parent": {"case_id": parent, "case_type": "family", "relationship": "child"}}
        self.cases[ref] = row

        def indexed() -> None:
            self.index[ref] = {**row, "indexed_on": when}

        return indexed

    def drop(self, ref: str) -> None:
        self.cases.pop(ref, None)
        self.index.pop(ref, None)

    # --- what it answers

    def __call__(self, ask: Ask) -> Say:
        if self.broken:
            return Say({"error": "broken"}, 500)
        if ask.headers.get("authorization") != f"ApiKey {self.key}":
            return Say({"error": "unauthorized"}, 401)
        head = "/a/north/api/case/v2/"
        if not ask.path.startswith(head):
            return Say({"error": "not found"}, 404)
        ref = ask.path.removeprefix(head)
        if ref:
            return self._one(ref, ask.params)
        said = self._list(ask.params)
        self.between()
        return said

    def _one(self, ref: str, params: dict[str, str]) -> Say:
        found = self.index.get(ref)
        if found is None:
            return Say({"error": f"Case '{ref}' not found"}, 404)
        return Say({"error": f"Insufficent permission for Case '{ref}'"}, 403) if ref in self.elsewhere else Say(_shown(found, params))

    def _list(self, params: dict[str, str]) -> Say:
        after: tuple[int, str] | None = None
        if "cursor" in params:
            try:
                params = dict(parse_qsl(b64decode(params["cursor"], validate=True).decode()))
                after = (_ms(params.pop("indexed_on.gte")), params.pop("last_case_id"))
            except (ValueError, KeyError):
                return Say({"error": "bad cursor"}, 400)
        known = {"limit", "case_type", "indexed_on.gte"} | ({"fields"} if self.knows_fields else set())
        if unknown := set(params) - known:
            return Say({"error": f"'{min(unknown)}' is not a valid parameter."}, 400)
        size = int(params.get("limit", 20))
        if size > 5000:
            return Say({"error": "You cannot request more than 5000 cases per request."}, 400)
        since = _ms(params["indexed_on.gte"]) if "indexed_on.gte" in params else 0
        found = [row for row in list(self.index.values()) if row["case_type"] == params.get("case_type") and row["indexed_on"] >= since]
        found = sorted((row for row in found if row["case_id"] not in self.elsewhere), key=_place)
        rest = [row for row in found if after is None or _place(row) > after]
        body: Row = {"matching_records": len(rest), "cases": [_shown(row, params) for row in rest[:size]]}
        if len(rest) > size:
            last = rest[size - 1]
            carried = {**params, "indexed_on.gte": iso(last["indexed_on"]), "last_case_id": last["case_id"]}
            cursor = b64encode(urlencode(carried).encode()).decode()
            link = f"https://www.commcare.example/a/north/api/case/v2/?{urlencode({'cursor': cursor})}"
            body["next"] = link if self.links else {"cursor": cursor}
        return Say(body)


def a_family(system: CommCare) -> None:
    """A family as the mapping that ships knows them: seven visits, a consent, a plan, a meeting; and names that it leaves out."""
    system.save("f1", "family", {"program": "cfss", "team": "north", "connected_on": "2026-03-02", "service": "cfss-north"})
    system.now += 60_000
    visit = {"visit_status": "done", "visit_mode": "home", "visit_purpose": "engagement", "persons_seen": "c1 p1"}
    for number in range(1, 8):
        system.save(f"v{number}", "family_visit", {**visit, "visit_date": f"2026-03-0{number}"}, parent="f1")
        system.now += 1_000
    system.save("k1", "consent", {"person_id": "p1", "decision": "agreed"}, parent="f1")
    system.save("s1", "safety_plan", {"plan_date": "2026-03-09", "plan_status": "completed", "plan_kind": "immediate"}, parent="f1")
    system.save("m1", "network_meeting", {"meeting_date": "2026-03-10", "is_final": "no"}, parent="f1")
    system.now += 1_000


def _place(row: Row) -> tuple[int, str]:
    return row["indexed_on"], row["case_id"]


def _ms(text: str) -> int:
    return ms(text)


def _shown(row: Row, params: dict[str, str]) -> Row:
    told = {**row, "indexed_on": iso(row["indexed_on"], part="microseconds")}
    if "fields" not in params:
        return told
    asked = [name.split(".") for name in params["fields"].split(",")]
    kept = {name[0]: told[name[0]] for name in asked if name[0] in told}
    if "properties" in kept and ["properties"] not in asked:
        kept["properties"] = {name[1]: told["properties"][name[1]] for name in asked if len(name) == 2 and name[1] in told["properties"]}
    return kept
