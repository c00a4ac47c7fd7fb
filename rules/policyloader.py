"""Reading a policy package: the policy's text, its catalogue and its calendars, with every fault at once.  Imports rules.* and pydantic.

A fault in one part does not hide those in another: what cannot be read is left out (or stands in), and the rest is looked at all
the same.  Names inside a package lead to files beside the policy or in folders below it, never elsewhere: so a package can be
kept and moved as a whole, and a policy cannot make anybody read a file of the machine.  A symbolic link is followed, since it is
made by whoever owns the folder and not by the policy.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError

from rules.calendars import calendar_of, real_day
from rules.catalogue import Catalogue
from rules.clock import Calendar, zone
from rules.course import CourseOfCase
from rules.coursecheck import course_of
from rules.errors import Fault, PolicyError
from rules.faultwords import told
from rules.kinds import registry
from rules.kinds.base import Kind
from rules.nearname import did_you_mean, nearest_name
from rules.policyfile import PolicyFile, RuleHead
from rules.references import check_references
from rules.yamlsource import Source, parse, read

Loc = tuple[Any, ...]
_CALENDARS = "calendars"
_STANDS_IN: Mapping[str, Any] = {
    "policy": "unnamed",
    "title": "-",
    "version": "-",
    "effective": "2020-01-01",
    "zone": "Etc/UTC",
    "catalogue": "",
}
"""What stands in for a field that cannot be read, so that the rest can be looked at; such a policy is refused all the same."""


@dataclass(frozen=True)
class Read:
    """What was read.  ``rules``: (place, head, clauses) of each rule that could be read; it is a policy only if ``faults`` is empty."""

    source: Source
    head: PolicyFile
    rules: tuple[tuple[Loc, RuleHead, tuple[Kind, ...]], ...]
    catalogue: Catalogue | None
    domain: CourseOfCase
    calendars: Mapping[str, Calendar]
    faults: tuple[Fault, ...]
    text_digest: str
    """Changes with anything in the texts that can change a verdict."""
    open_file: Callable[[str], Source]
    """Another file of the package by its name.  Raises PolicyError."""
    names_in: Callable[[str], Iterable[str]]
    """The names of the YAML files in a folder of the package."""


def read_folder(path: Path) -> Read:
    """The package of a policy file: names inside it lead to files beside it.  Raises PolicyError where it is no policy at all."""
    return _Loader(read(path), lambda name: read(path.parent / name), lambda folder: _names_in(path.parent / folder)).read()


def read_texts(files: Mapping[str, str], main: str) -> Read:
    """The package of texts by name; ``main`` is the policy's.  Raises PolicyError where it is no policy at all."""

    def open_text(name: str) -> Source:
        if name not in files:
            raise PolicyError([Fault(name, 0, 0, "unreadable", "is not part of the package")])
        return parse(files[name], name=name)

    def names_in(folder: str) -> list[str]:
        inside = [name.removeprefix(f"{folder}/") for name in files if name.startswith(f"{folder}/")] if folder else list(files)
        return sorted(name for name in inside if "/" not in name and name.endswith(".yaml"))

    return _Loader(open_text(main), open_text, names_in).read()


def outside(name: str) -> str | None:
    """Why a name may not stand for a file of a package; None where it may."""
    parts = name.replace("\\", "/").split("/")
    if not name.strip() or any(part in ("", ".") for part in parts[1:]):
        return "names no file"
    if parts[0] == "" or ":" in parts[0]:
        return "is an absolute path: a package holds its own files, so name one beside the policy"
    if ".." in parts:
        return "leads out of the policy's folder: a package holds its own files, so copy or link it beside the policy"
    return None


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(file.name for file in folder.iterdir() if file.suffix == ".yaml")
    except OSError:
        return []


class _Loader:
    def __init__(self, source: Source, open_file: Callable[[str], Source], names_in: Callable[[str], Iterable[str]]) -> None:
        self.source, self.open_file, self.names_in = source, open_file, names_in
        self.faults: dict[Fault, None] = {}

    def read(self) -> Read:
        head = self._head()
        rules = self._rules(head)
        catalogue, domain = self._catalogue(head)
        calendars = self._calendars(head)
        clauses = [part for _, _, parts in rules for part in parts]
        for loc, code, message in check_references(head, self.source.data, clauses, catalogue, domain):
            self.fault(loc, code, message)
        heads = tuple(
            (loc, rule, tuple(kind for _, kind in parts))
            for loc, rule, parts in rules
            if rule is not None and len(parts) == len(rule.clauses or (0,))
        )
        parts = [self.source.data, catalogue.digest if catalogue else "", {name: sorted(c.holidays) for name, c in calendars.items()}]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        faults = tuple(self.faults)
        return Read(self.source, head, heads, catalogue, domain, calendars, faults, digest, self.open_file, self.names_in)

    # -- faults
    def fault(self, loc: Loc, code: str, message: str, *, key: bool = False) -> None:
        where = ".".join(str(part) for part in self._called(loc))
        words = f"{where}: {message}" if where else message
        self.faults[self.source.fault(tuple(loc), code, words, key=key)] = None

    def _called(self, loc: Loc) -> Loc:
        """The place with a rule's id instead of its number in the list."""
        rules = self.source.data.get("rules")
        if loc[:1] != ("rules",) or len(loc) < 2 or not isinstance(rules, list) or not isinstance(rules[loc[1]], dict):
            return loc
        name = rules[loc[1]].get("id")
        return (name, *loc[2:]) if isinstance(name, str) and 0 < len(name) <= 41 else loc

    def errors(self, error: ValidationError, data: Any, model: type[BaseModel], prefix: Loc = (), more: Iterable[str] = ()) -> list[Loc]:
        """Tells what pydantic found; gives the places."""
        places = []
        for place, message, is_key in told(error, data, model, more):
            self.fault((*prefix, *place), "P001", message, key=is_key)
            places.append(place)
        return places

    # -- the parts of the file
    def _head(self) -> PolicyFile:
        data = self.source.data
        if not isinstance(data, dict):
            raise PolicyError([self.source.fault((), "P001", "a policy is a mapping: policy, title, version, zone, rules and so on")])
        try:
            head = PolicyFile.model_validate(data)
        except ValidationError as error:
            places = self.errors(error, data, PolicyFile)
            try:
                head = PolicyFile.model_validate(_mended(data, places))
            except ValidationError:
                raise PolicyError(list(self.faults)) from None
        return self._days_and_zones(head)

    def _days_and_zones(self, head: PolicyFile) -> PolicyFile:
        days: list[tuple[Loc, str]] = [(("effective",), head.effective)]
        days += [(("offices", name, "holidays", n), day) for name, o in head.offices.items() for n, day in enumerate(o.holidays)]
        bad: set[Any] = set()
        for loc, text in days:
            if real_day(text) is None:
                self.fault(loc, "P002", f"{text!r} is not a day of any year: write it like 2026-01-31")
                bad.add(loc[0])
        names: list[tuple[Loc, str]] = [(("zone",), head.zone), *((("zones", program), name) for program, name in head.zones.items())]
        names += [(("offices", name, "zone"), o.zone) for name, o in head.offices.items() if o.zone is not None]
        for loc, name in names:
            try:
                zone(name)
            except ValueError as error:
                self.fault(loc, "P003", f"{error}{did_you_mean(name, sorted(available_timezones()))}")
                bad.add(loc[0])
        stands_in: dict[str, Any] = {"effective": "2020-01-01", "zone": "Etc/UTC", "zones": {}, "offices": {}}
        return head.model_copy(update={name: stands_in[name] for name in bad}) if bad else head

    def _rules(self, head: PolicyFile) -> list[tuple[Loc, RuleHead | None, list[tuple[Loc, Kind]]]]:
        """Each rule that is a mapping: its place, its head if that can be read, and the clauses that can be, each with its place."""
        found: list[tuple[Loc, RuleHead | None, list[tuple[Loc, Kind]]]] = []
        fields = set(RuleHead.model_fields)
        for index, data in enumerate(head.rules):
            if not data:
                continue
            loc: Loc = ("rules", index)
            own = {key: value for key, value in data.items() if key in fields}
            rest = {key: value for key, value in data.items() if key not in fields}
            rule: RuleHead | None = None
            try:
                rule = RuleHead.model_validate(own)
            except ValidationError as error:
                self.errors(error, own, RuleHead, loc)
            parts: list[tuple[Loc, dict[str, Any]]] = [(loc, rest)]
            if "clauses" in own:
                clauses = own["clauses"] if isinstance(own["clauses"], list) else []
                parts = [((*loc, "clauses", n), clause) for n, clause in enumerate(clauses) if isinstance(clause, dict)]
                for key in rest:
                    self.fault((*loc, key), "P001", "belongs in one of the clauses", key=True)
            found.append((loc, rule, [(at, kind) for at, part in parts if (kind := self._kind(at, part)) is not None]))
        return found

    def _kind(self, loc: Loc, data: dict[str, Any]) -> Kind | None:
        name = data.get("kind")
        kind = registry().get(name) if isinstance(name, str) else None
        if kind is None:
            known = ", ".join(registry())
            if name is None:
                near = nearest_name("kind", data)
                hint = f"; it has {near!r}: write kind" if near else f": one of {known}"
                self.fault((*loc, near or "kind"), "P004", f"a rule needs a kind{hint}", key=True)
            else:
                shown = str(name)[:60]
                self.fault(
                    (*loc, "kind"),
                    "P004",
                    f"there is no kind {shown!r}" + (did_you_mean(str(name), registry()) or f"; there are {known}"),
                )
            return None
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            more = () if "clauses" in loc else RuleHead.model_fields
            self.errors(error, data, kind, loc, more)
            return None

    # -- the other files
    def _file(self, loc: Loc, code: str, name: str, folder: str = "") -> Source | None:
        """Another file of the package; None (and a fault where it is named) where there is no such file."""
        why = outside(name)
        if why is not None:
            self.fault(loc, "P007", f"{name[:80]!r} {why}")
            return None
        try:
            return self.open_file(name)
        except PolicyError as error:
            if all(fault.code == "unreadable" for fault in error.faults):
                there = sorted(self.names_in(folder))
                hint = did_you_mean(name.rpartition("/")[2], there)
                hint = hint.replace(".yaml'", "'") if folder else hint
                self.fault(loc, code, f"the file {name[:80]!r} {error.faults[0].message}{hint}")
            else:
                self.faults |= dict.fromkeys(error.faults)
        return None

    def _catalogue(self, head: PolicyFile) -> tuple[Catalogue | None, CourseOfCase]:
        source = self._file(("catalogue",), "P005", head.catalogue) if head.catalogue or "catalogue" in self.source.data else None
        if source is None:
            return None, CourseOfCase()
        try:
            catalogue = Catalogue.of(source)
        except PolicyError as error:
            self.faults |= dict.fromkeys(error.faults)
            return None, CourseOfCase()
        domain, faults = course_of(catalogue)
        self.faults |= dict.fromkeys(faults)
        return catalogue, domain or CourseOfCase()

    def _calendars(self, head: PolicyFile) -> dict[str, Calendar]:
        calendars: dict[str, Calendar] = {}
        seen: set[str] = set()
        named: list[tuple[Loc, str | None]] = [(("calendar",), head.calendar)]
        named += [(("offices", name, "calendar"), office.calendar) for name, office in head.offices.items()]
        for loc, name in named:
            if name is None or name in seen:
                continue
            seen.add(name)
            source = self._file(loc, "P006", f"{_CALENDARS}/{name}.yaml", _CALENDARS)
            try:
                if source is not None:
                    calendars[name] = calendar_of(source, name)
            except PolicyError as error:
                self.faults |= dict.fromkeys(error.faults)
        return calendars


def _mended(data: Mapping[str, Any], places: Iterable[Loc]) -> dict[str, Any]:
    """The data without what pydantic refused, and with something in the place of what must be there."""
    mended: dict[str, Any] = copy.deepcopy(dict(data))
    for place in places:
        top = str(place[0]) if place else ""
        group = mended.get(top)
        if top == "rules" and isinstance(group, list):
            mended["rules"] = [one if isinstance(one, dict) else {} for one in group]
        elif isinstance(group, dict) and len(place) > 1:
            group.pop(place[1], None)
        else:
            mended.pop(top, None)
    for name, value in _STANDS_IN.items():
        mended.setdefault(name, value)
    if not isinstance(mended.get("rules"), list) or not mended["rules"]:
        mended["rules"] = [{}]
    return mended
