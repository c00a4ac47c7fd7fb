"""The made-up sources of the fake desk: one in every state, refused records, and what a mapping makes of some records."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from api.web.sources.views import FeedPage, FeedRow, FeedsPage, RejectLine, TrialPage, TriedEvent, TriedRecord
from rules.model import to_ms
from service.access import Access
from service.errors import NotFound, NotPossible

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
MINUTE, DAY = 60_000, 86_400_000

_GOOD = FeedRow(
    "crm", "urn:example:crm", "The case register", "primero", "good", NOW - 4 * MINUTE, NOW - 4 * MINUTE, NOW - 9 * MINUTE,
    NOW - 5 * MINUTE, NOW + 11 * MINUTE, 900, 48_211, 2, 1,
)  # fmt: skip
ROWS = (
    replace(
        _GOOD, name="clinic", uri="urn:example:clinic", title="Clinic", adapter="fhir", state="failing", failures=4, rejects=0,
        error="https://fhir.example.org does not answer: the connection timed out",
    ),
    replace(
        _GOOD, name="paper", uri="urn:example:paper", title="Paper forms, typed in", adapter="files", state="quiet", heard=NOW - 9 * DAY
    ),
    FeedRow("", "urn:example:app", "urn:example:app", "", "quiet", NOW - 2 * DAY, None, NOW - 2 * DAY),
    _GOOD,
    FeedRow("new", "urn:example:new", "A system that was connected today", "sql", "waiting", every=300),
    FeedRow("old", "urn:example:old", "The old register", "sql", "off", NOW - 90 * DAY, every=86_400),
    FeedRow("", "urn:example:forms", "urn:example:forms", "", "pushed", NOW - MINUTE, None, NOW - MINUTE, rejects=3),
)  # fmt: skip


class FakeSources:
    """``unreadable``: what a try-out ends with."""

    def __init__(self) -> None:
        self.feeds = {row.name: row for row in ROWS if row.name}
        self.faults: tuple[str, ...] = ("sources/broken.yaml:3:10: there is no adapter 'filez'; did you mean files? [unknown-adapter]",)
        self.asked: list[tuple[str, ...]] = []
        self.unreadable = ""
        self.waiting = {7: "Cases 4b1e77aa", 8: "Incidents " + "a-long-reference/" * 6}

    def _feed(self, access: Access, source: str) -> FeedRow:
        access.require("sources:admin")
        if source not in self.feeds:
            raise NotFound("there is no such source")
        return self.feeds[source]

    def sources(self, access: Access) -> FeedsPage:
        access.require("sources:admin")
        return FeedsPage(NOW, ZONE, ROWS, self.faults)

    def source(self, access: Access, source: str, *, settled: bool, cursor: str) -> FeedPage:
        row = self._feed(access, source)
        self.asked.append(("source", source, cursor))
        problems = ["data.status: holds a word that the mapping's table does not list (from status)", "case: is missing"]
        lines = [
            RejectLine(n, ref.partition(" ")[0], ref.partition(" ")[2], NOW - DAY, problems[: n - 6]) for n, ref in self.waiting.items()
        ]
        if settled:
            lines = [replace(lines[0], settled=NOW - MINUTE, how="set aside")]
        lines = lines if row.name == "crm" else []
        more = "next" if row.name == "crm" and not cursor else ""
        return FeedPage(
            NOW,
            ZONE,
            row,
            "/etc/duecare/sources/crm.yaml",
            "primero",
            row.name == "crm",
            settled,
            lines,
            more,
            access.allows("cases:read"),
            "1,200 of 1,204 cases" if row.name == "crm" else "",
        )

    def ask_now(self, access: Access, source: str) -> None:
        if self._feed(access, source).state == "off":
            raise NotPossible("this source is not switched on")
        self.asked.append(("now", source))

    def confirm_gone(self, access: Access, source: str) -> None:
        if self._feed(access, source).name != "crm":
            raise NotPossible("nothing of this source waits to be confirmed")
        self.asked.append(("confirm", source))

    def replay(self, access: Access, source: str) -> tuple[int, int, str]:
        self._feed(access, source)
        self.asked.append(("replay", source))
        return 2, 1, self.unreadable

    def dismiss(self, access: Access, source: str, reject: str) -> None:
        self._feed(access, source)
        if self.waiting.pop(int(reject), None) is None:
            raise NotFound("there is no such reject that waits")

    def try_out(self, access: Access, source: str, *, values: bool) -> TrialPage:
        row = self._feed(access, source)
        if self.unreadable:
            raise NotPossible(self.unreadable)
        full = access.allows("cases:read")
        data = [("status", "held" if full else ""), ("seen", '["c-1", "c-2"]' if full else "")]
        told = ("visit-1", "FAM-2001", "Mon 6 Apr 2026, 10:00", "Mon 6 Apr 2026, 16:20") if full else ("", "", "", "")
        event = TriedEvent("visit.held", *told, data, ("shoe_size",))
        fields = [("family", "FAM-2001" if values else ""), ("held_on", "2026-04-06 10:00" if values else "")]
        good = TriedRecord("visits", "1", False, fields, ("mother_name", "remarks"), [event], ())
        refused = TriedRecord(
            "visits", "2", False, fields, ("remarks",), [], ["data.status: holds a word that the table does not list (from status)"]
        )
        gone = TriedRecord("visits", "3", True, (), (), [], ())
        none = TriedRecord("phone_calls", "a-long-reference/" * 6, False, (), ("remarks",), [], ())
        return TrialPage(NOW, row, ZONE, [good, refused, gone, none] if row.name == "crm" else [], values, full)
