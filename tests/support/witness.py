"""Events that meet what a rule asks for, made from the rule itself: so that what is said to have been wanting can be tried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules.collections import current, doings
from rules.conditions import Test, Where
from rules.counterfactual import Counterfactual
from rules.course import dig
from rules.evaluate import Judged
from rules.kinds.requires import Requires
from rules.model import Event

LITTLE = 60_000


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Sets a dotted path; within a list, of its every element."""
    head, _, rest = path.partition(".")
    if not rest:
        data[head] = value
    else:
        data[head] = dict(data.get(head) or {})
        put(data[head], rest, value)


class Maker:
    """Makes data that a condition holds of."""

    def __init__(
        self,
        judged: Judged,
        type_: str,
        *,
        person: str = "",
        item: str = "",
        activation: Mapping[str, Any] | None = None,
        day: int | None = None,
    ) -> None:
        self.judged, self.type, self.day = judged, type_, day
        self.names = {"$person": person, "$item.id": item}
        self.activation = activation or {}

    def literal(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            return self.names[value] if value in self.names else dig(self.activation, value.removeprefix("$activation."))
        return value

    def kind(self, path: str) -> str:
        found = self.judged.policy.catalogue.attribute(self.type, path)
        return found.kind if found is not None else ""

    def fill(self, where: Where | None, data: dict[str, Any], prefix: str = "") -> None:
        if where is None:
            return
        for path, test in where.tests.items():
            self.test(path, test, data, prefix)
        for part in (*(where.all_ or ()), *((where.any_ or ())[:1])):
            self.fill(part, data, prefix)

    def test(self, path: str, test: Test, data: dict[str, Any], prefix: str) -> None:
        kind, here = self.kind(prefix + path), dig(data, path)
        if test.present is True and here is None:
            put(data, path, [] if kind == "list" else {"flag": True, "int": 1, "date": "2026-05-01"}.get(kind, "x"))
        if test.present is False:
            data.pop(path, None)
        for name, wanted in test.active:
            self.one(name, wanted, path, data, prefix)

    def one(self, name: str, wanted: Any, path: str, data: dict[str, Any], prefix: str) -> None:
        here = dig(data, path)
        several = list(here) if isinstance(here, list | tuple) else []
        match name:
            case "equals":
                put(data, path, self.literal(wanted))
            case "in_":
                put(data, path, wanted[0])
            case "differs_from":
                put(data, path, "somebody-else")
            case "has":
                put(data, path, [*several, self.literal(wanted)])
            case "has_all" | "has_any":
                put(data, path, list(dict.fromkeys([*several, *wanted])))
            case "at_least":
                put(data, path, self.at_least(wanted, several, prefix + path))
            case "includes_role":
                bare = self.kind(f"{prefix}{path}.role") == ""
                put(data, path, [*several, self.member(wanted) if bare else {"person": "p9", "role": wanted[0]}])
            case "each" | "some":
                elements = [dict(element) for element in several] if name == "each" else [{"id": f"g{len(several) + 7}"}]
                for element in elements:
                    self.fill(wanted, element, f"{prefix}{path}.")
                put(data, path, elements if name == "each" else [*several, *elements])

    def at_least(self, wanted: Any, several: list[Any], path: str) -> Any:
        found = self.judged.policy.catalogue.attribute(self.type, path)
        if found is None or found.kind != "list":
            return wanted if isinstance(wanted, int) else 99
        more = {"id": "g9"} if found.item is not None and found.item.kind == "fields" else "p9"
        return several + [more] * max(0, wanted - len(several))

    def member(self, roles: Sequence[str]) -> str:
        """Somebody who has one of the roles in the household; raises LookupError where nobody has."""
        days = [self.day] if self.day is not None else [entry.day for entry in self.judged.view.episode.entries]
        found = [m.person for day in days for m in self.judged.view.roster.members(day) if m.role in roles and m.person]
        return next(iter(found)) if found else _nobody()


def _nobody() -> str:
    raise LookupError("nobody in the household has the role")


def wanting(judged: Judged, told: Counterfactual) -> list[Event] | None:
    """The events that a counterfactual describes, at its last moment; None where no event can be made of it."""
    asked: Requires | None = getattr(told.clause, "requires", None)
    if asked is None or told.last is None or asked.itself is not None:
        return None
    zone = judged.view.zone
    at = told.gate - LITTLE if told.gate is not None else zone.end_of(told.last) - LITTLE
    if at > judged.view.as_of:
        return None
    begun = [e for e in judged.view.episode.entries if e.id in judged.obligation.activation]
    activation = begun[0].data if begun else {}
    person = judged.obligation.about if getattr(told.clause, "per", None) else ""
    if asked.for_every is not None:
        collection = judged.view.policy.collections[asked.for_every]
        last = told.last
        assert last is not None
        now = current(judged.view, collection, lambda entry: entry.day <= last)
        undone = doings(judged.view, collection, now.items, last).undone
        done = collection.done_by
        return [_event(judged, f"w{i}", done.names[0], [done.where], at, item=item) for i, item in enumerate(undone)]
    name = asked.names[-1]
    term = judged.policy.terms.get(name)
    type_ = term.names[-1] if term is not None else name
    conditions = [term.where if term is not None else None, asked.where, asked.that if asked.takes == "last" else None]
    made = _event(judged, "w0", type_, conditions, at, person=person, activation=activation)
    data = dict(made.data)
    for path in asked.same:
        if (value := dig(activation, path)) is None:
            return None
        put(data, path, value)
    for path, parts in (asked.collects or {}).items():
        first = [part if isinstance(part, str) else part[0] for part in parts]
        put(data, path, [{"person": f"p{i}", "role": role} for i, role in enumerate(first)] if asked.roles == path else first)
    found = [Event(made.source, made.id, made.type, made.case, made.time, made.recorded, True, data)]
    if "none yet" in told.words and asked.after_last is not None:
        before = judged.policy.terms[asked.after_last.names[0]]
        found.insert(0, _event(judged, "w9", before.names[0], [before.where], at - LITTLE))
    return found


def _event(
    judged: Judged,
    name: str,
    type_: str,
    conditions: Sequence[Where | None],
    at: int,
    *,
    person: str = "",
    item: str = "",
    activation: Mapping[str, Any] | None = None,
) -> Event:
    maker = Maker(judged, type_, person=person, item=item, activation=activation)
    data: dict[str, Any] = {}
    for where in conditions:
        maker.fill(where, data)
    return Event("urn:witness", name, type_, judged.view.history.case, at, at, True, data)


def mended(judged: Judged, told: Counterfactual, event: Event) -> Event | None:
    """The event under test as it would have had to be."""
    where = getattr(told.clause, "where", None)
    if not isinstance(where, Where):
        return None
    data = {**event.data}
    begun = [e for e in judged.view.episode.entries if e.id in judged.obligation.activation]
    day = next((e.day for e in judged.view.episode.entries if e.id == event.id), None)
    Maker(judged, event.type, activation=begun[0].data if begun else {}, day=day).fill(where, data)
    return Event(event.source, event.id, event.type, event.case, event.time, event.recorded, event.recorded_given, data)
