"""A FHIR R4 server on loopback: searches by time of change, paged by links or by offset, versions, resources that are deleted for good.

Links go on behind the last resource that was given; offsets count, so that they drift.  Answers carry what real ones carry beside the
resources: an OperationOutcome, resources that were included, links to themselves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.support.webworld import Ask, Say, iso, ms


@dataclass
class Fhir:
    """The server: give it to a Site as its ``answer``.  ``now`` (ms) is its clock; ``host`` what its links begin with."""

    now: int = ms("2026-03-02T00:00:00")
    host: str = ""
    links: bool = True
    largest: int = 1_000
    heeds: bool = True
    version: str = "4.0.1"
    broken: bool = False
    versions: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    deleted: set[tuple[str, str]] = field(default_factory=set)

    def put(self, resource: dict[str, Any], *, at: int | None = None) -> None:
        """A resource is created or changed.  ``at`` (ms): when, else now."""
        self.begin(resource, at=at)()

    def begin(self, resource: dict[str, Any], *, at: int | None = None) -> Callable[[], None]:
        """The same in a transaction; what it returns commits it, with the time at which it was begun."""
        when = self.now if at is None else at
        self.now = max(self.now, when)
        key = (str(resource["resourceType"]), str(resource["id"]))

        def commit() -> None:
            found = self.versions.pop(key, [])
            meta = {"versionId": str(len(found) + 1), "lastUpdated": iso(when)}
            self.versions[key] = [*found, {**copy.deepcopy(resource), "meta": meta}]
            self.deleted.discard(key)

        return commit

    def delete(self, kind: str, ident: str) -> None:
        self.deleted.add((kind, ident))

    def __call__(self, ask: Ask) -> Say:
        if self.broken:
            return Say({"resourceType": "OperationOutcome"}, 500)
        parts = ask.path.strip("/").split("/")
        if parts == ["metadata"]:
            return Say({"resourceType": "CapabilityStatement", "fhirVersion": self.version})
        if len(parts) == 1:
            return self._search(parts[0], ask)
        key = (parts[0], parts[1])
        if key in self.deleted or key not in self.versions:
            return Say({"resourceType": "OperationOutcome"}, 410 if key in self.deleted else 404)
        if len(parts) == 2:
            return Say(self.versions[key][-1])
        entries = [{"resource": one} for one in reversed(self.versions[key])]
        return Say({"resourceType": "Bundle", "type": "history", "total": len(entries), "entry": entries})

    def _search(self, kind: str, ask: Ask) -> Say:
        params = ask.params
        floor = ms(params["_lastUpdated"].removeprefix("ge")) if "_lastUpdated" in params and self.heeds else 0
        found = [found[-1] for key, found in self.versions.items() if key[0] == kind and key not in self.deleted]
        found = sorted((one for one in found if _ms(one) >= floor), key=_ms)
        total = len(found)
        size = min(int(params.get("_count", 20)), self.largest)
        if self.links:
            found = sorted(found, key=_place)
            found = [one for one in found if f"{_place(one)}" > params.get("after", "")]
        else:
            found = found[int(params.get("_offset", 0)) :]
        page, rest = found[:size], found[size:]
        link = [{"relation": "self", "url": f"{self.host}{kind}?{urlencode(params)}"}]
        if self.links and rest:
            link.append({"relation": "next", "url": f"{self.host}{kind}?{urlencode({**params, 'after': str(_place(page[-1]))})}"})
        entries: list[dict[str, Any]] = [{"resource": one, "search": {"mode": "match"}} for one in page]
        entries.append({"resource": {"resourceType": "Patient", "id": "included"}, "search": {"mode": "include"}})
        entries.append({"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}})
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries}
        return Say({**bundle, "total": total} if "_total" in params else bundle)


def _ms(resource: dict[str, Any]) -> int:
    return ms(str(resource["meta"]["lastUpdated"]))


def _place(resource: dict[str, Any]) -> tuple[int, str]:
    return (_ms(resource), str(resource["id"]).rjust(8, "0"))
