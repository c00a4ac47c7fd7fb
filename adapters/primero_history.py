"""What the history of a Primero case says: each value that a field was given, and when each item of a subform came and changed.

Imports adapters.base and adapters.convert.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.base import AdapterError, Record
from adapters.convert import ISO, Formats, as_moment, as_text, blank

CASE = "case"
CHANGE = "change"


@dataclass(slots=True)
class _Entry:
    """One save of the case: ``values`` by field are what it was before and after."""

    at: str
    ms: int
    by: str | None
    action: str
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Past:
    """What a case's history says of it, the oldest first."""

    case: Record
    entries: list[_Entry]
    wanted: frozenset[str]

    @classmethod
    def of(cls, case: Record, history: Sequence[Mapping[str, Any]], wanted: frozenset[str]) -> Past:
        """From the history as it is told: the newest first, to the second, and without the values at creation in older versions.

        What such a case was created with is what stood there before the first change, or stands there still.
        """
        entries = sorted((_entry(one, wanted) for one in reversed(history)), key=lambda entry: entry.ms)
        created = next((entry for entry in entries if entry.action == "create"), None)
        if created is None:
            at = case.fields.get("created_at")
            if blank(at):
                return cls(case, entries, wanted)
            by = case.fields.get("created_by")
            created = _Entry(as_text(at), _ms(at), None if blank(by) else as_text(by), "create")
            entries.insert(0, created)
        for name in sorted(wanted):
            if name not in created.values:
                first = next((entry.values[name][0] for entry in entries if name in entry.values), case.fields.get(name))
                if not _empty(first):
                    created.values[name] = (None, first)
        return cls(case, entries, wanted)

    @property
    def told(self) -> dict[str, Any]:
        return {name: self.case.fields.get(name) for name in ("id", "case_id_display")}

    def changes(self) -> list[Record]:
        """Each value that a field was given; ``then``: what all of them stood at after that save."""
        found: dict[str, Record] = {}
        stood: dict[str, Any] = {}
        for entry in self.entries:
            stood |= {name: after for name, (_, after) in entry.values.items() if not _is_subform(after)}
            for name, (before, after) in sorted(entry.values.items()):
                if _is_subform(before) or _is_subform(after):
                    continue
                seal = _seal([entry.ms, name, before, after, entry.by])
                told = {"at": entry.at, "by": entry.by, "action": entry.action, "field": name, "from": before, "to": after}
                told |= {"then": dict(stood), "case": self.told}
                ref = f"{self.case.ref}@{seal}"
                found[ref] = Record(CHANGE, ref, {"id": seal, **told}, changed=entry.ms)
        return list(found.values())

    def items(self) -> list[Record]:
        """Each item that a subform holds, or has held."""
        found: list[Record] = []
        for name in sorted(self.wanted):
            current = _items(self.case.fields.get(name))
            seen: dict[str, tuple[_Entry, _Entry, str]] = {}
            for entry in self.entries:
                for key, item in _items(entry.values[name][1]).items() if name in entry.values else ():
                    first, last, before = seen.get(key, (entry, entry, ""))
                    seal = _seal(item)
                    seen[key] = (first, last if seal == before else entry, seal)
            for key, item in current.items():
                told: dict[str, Any] = {"id": key, "item": item, "case": self.told}
                changed = self.case.changed
                if key in seen:
                    first, last, _ = seen[key]
                    told |= {"added_at": first.at, "added_by": first.by, "changed_at": last.at}
                    changed = last.ms
                found.append(Record(name, f"{self.case.ref}#{name}/{key}", told, changed=changed))
            gone = sorted(seen.keys() - current.keys())
            found += [Record(name, f"{self.case.ref}#{name}/{key}", gone=True, changed=self.case.changed) for key in gone]
        return found


def _entry(one: Mapping[str, Any], wanted: frozenset[str]) -> _Entry:
    at = one.get("datetime")
    if blank(at):
        raise AdapterError("an entry of a case's history has no time")
    by = one.get("user_name")
    entry = _Entry(as_text(at), _ms(at), None if blank(by) else as_text(by), as_text(one.get("action") or ""))
    parts = one.get("record_changes")
    for part in parts if isinstance(parts, list) else [parts]:
        for name, change in part.items() if isinstance(part, dict) else ():
            if name in wanted and isinstance(change, dict):
                entry.values[name] = (change.get("from"), change.get("to"))
    return entry


def _empty(value: Any) -> bool:
    return blank(value) or value == [] or value == {}


def _is_subform(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _items(value: Any) -> dict[str, dict[str, Any]]:
    """By their ids; what has none is known by what it says."""
    listed = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return {as_text(item["unique_id"]) if not blank(item.get("unique_id")) else _seal(item): item for item in listed}


def _seal(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:24]


def _ms(value: Any) -> int:
    """A time of the system's own (UTC ms).  Raises AdapterError."""
    try:
        return int(as_moment(value, Formats((ISO,), zone=None)).instant.timestamp() * 1000)
    except ValueError:
        raise AdapterError("the system gives a time of change that is none") from None
