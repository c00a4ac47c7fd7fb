"""What pydantic found wrong with a policy's data, in the words of whoever wrote the file.  Imports pydantic and rules.nearname.

Where a value may take several shapes, pydantic tells of each shape that did not fit.  A person wants to know of one: that which
the value came closest to.  And a key that is unknown is held against the keys that may stand at that very place.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from rules.nearname import did_you_mean

Loc = tuple[Any, ...]

MISSING = {
    "zone": "deadlines are local days, so the policy needs the time zone of a place, such as Australia/Darwin",
    "effective": "from which day does the policy hold? A date like 2026-01-31",
    "version": 'name this version, in quotes: version: "1"',
    "catalogue": "name the file that lists the event types, such as catalogue.yaml",
    "cites": "where does the rule come from? cites: {document: NAME, at: STEP OR HEADING}",
    "rules": "a policy holds at least one rule",
    "severity": "critical, high, medium, low or advisory",
    "when": "what does it begin with? when: {first: EVENT}, {each: EVENT} or episode",
    "requires": "what is asked for? requires: EVENT OR TERM, or {event: ..., where: ...}",
    "every": "how often? every: {days: 14} or {days: $parameter}",
    "within": "by when? within: {weeks: 6} or {days: $parameter}",
    "kind": "of which kind is it?",
    "unit": "days",
    "question": "what does the parameter ask of the policy's owner?",
    "guidance": "what is the rule for, in a sentence or two?",
}
"""What to say of a key that is missing, beside that it is."""

MAX_TOLD = 100
"""Faults of one part of a file that are told; of the rest, only how many they are."""

_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "takes lower-case letters, digits and _, and begins with a letter",
    r"^[A-Za-z][A-Za-z0-9_.-]{0,40}$": "takes letters, digits, _ . and -, begins with a letter and has 41 characters at most",
    r"^\$[a-z][a-z0-9_]*$": "takes a whole number from 0 to 36500, or $name of a parameter",
    "^forward$": "can only be forward",
}
_JOINERS = {"anyof": "any", "any_of": "any", "or": "any", "one_of": "any", "oneof": "any", "allof": "all", "all_of": "all", "and": "all"}
_INSIDE_REQUIRES = ("where", "same", "collects", "takes", "that", "of", "related", "unless_followed_by", "after_last")
_PERIOD = re.compile(r"(\d{1,5})\s*(days?|weeks?|months?|business days?)?", re.IGNORECASE)
_TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}


def told(error: ValidationError, data: Any, model: type[BaseModel], more: Iterable[str] = ()) -> Iterator[tuple[Loc, str, bool]]:
    """Each fault once: (place in ``data``, message, whether the place means the key and not its value).

    ``more``: keys that may stand beside those of ``model`` at the top.
    """
    errors = error.errors(include_url=False)
    details = [_Detail(one, data) for one in errors[:MAX_TOLD]]
    seen: set[tuple[Loc, str]] = set()
    for group in _at_one_place(_closest(details)):
        first = group[0]
        text = _words(group, model, more)
        if (first.place, text) not in seen:
            seen.add((first.place, text))
            yield first.place, text, first.kind == "extra_forbidden"
    if len(errors) > MAX_TOLD:
        yield (), f"and {len(errors) - MAX_TOLD:,} faults more", False


class _Detail:
    """One fault: ``place`` holds the steps that lead to it in the data, ``shapes`` the others (names of the shapes tried)."""

    def __init__(self, detail: Mapping[str, Any], data: Any) -> None:
        self.kind: str = detail["type"]
        self.loc: Loc = tuple(detail["loc"])
        self.text: str = detail["msg"]
        self.given: Any = detail.get("input")
        self.context: Mapping[str, Any] = detail.get("ctx") or {}
        self.beside: Iterable[Any] = ()
        place: list[Any] = []
        self.shapes: list[tuple[int, str]] = []
        here: Any = data
        for number, step in enumerate(self.loc):
            if (isinstance(here, dict) and step in here) or (isinstance(here, list | tuple) and isinstance(step, int) and step < len(here)):
                self.beside = here.keys() if isinstance(here, dict) else ()
                here = here[step]
                place.append(step)
            elif self.kind == "missing" and number == len(self.loc) - 1:
                place.append(step)
            else:
                self.shapes.append((number, str(step)))
        self.place = tuple(place)

    @property
    def of_type(self) -> bool:
        """Whether the value is of another type altogether."""
        return self.kind.endswith("_type")


def _closest(details: Sequence[_Detail]) -> Iterator[list[_Detail]]:
    """The faults, those of several shapes of one value cut down to the shape that came closest (all, where none came closer)."""
    unions: dict[tuple[Loc, int], list[_Detail]] = {}
    for detail in details:
        at = detail.shapes[0][0] if detail.shapes else -1
        key = (detail.loc[:at], at) if at >= 0 else (detail.loc, -1 - len(unions))
        unions.setdefault(key, []).append(detail)
    for (_, at), mine in unions.items():
        if at < 0 or len({detail.loc[at] for detail in mine}) == 1:
            yield from ([detail] for detail in mine)
            continue
        shapes: dict[Any, list[_Detail]] = {}
        for detail in mine:
            shapes.setdefault(detail.loc[at], []).append(detail)
        depth = {shape: max(len(d.place) for d in found) for shape, found in shapes.items()}
        deepest = max(depth.values())
        near = [found for shape, found in shapes.items() if depth[shape] == deepest and not all(d.of_type for d in found)]
        if near:
            best = min(near, key=len)
            yield from ([detail] for detail in best if len(detail.place) == deepest or len(best) == 1)
        else:
            yield [found[0] for shape, found in shapes.items() if depth[shape] == deepest]


def _at_one_place(groups: Iterable[list[_Detail]]) -> Iterator[list[_Detail]]:
    """The groups, those joined that say of one and the same value that it is of the wrong type."""
    wrong: dict[Loc, list[_Detail]] = {}
    for group in groups:
        if all(detail.of_type for detail in group):
            wrong.setdefault(group[0].place, []).extend(group)
        else:
            yield group
    yield from wrong.values()


def _words(group: Sequence[_Detail], model: type[BaseModel], more: Iterable[str]) -> str:
    first = group[0]
    instead = _instead(first)
    if instead and first.of_type:
        return f"must be a mapping, not {_called(first.given)}: write {instead}"
    joiner = next((_JOINERS[step] for step in first.place if step in _JOINERS), None)
    if joiner is not None and first.of_type:
        return f"stands where an attribute may; to join conditions write {joiner}"
    if len(group) > 1:
        wanted = list(dict.fromkeys(_TYPES.get(detail.kind, detail.text) for detail in group))
        return f"must be {_or(wanted)}, not {_called(first.given)}"
    match first.kind:
        case "missing":
            why = MISSING.get(str(first.loc[-1]))
            return "is missing" + (f": {why}" if why else "")
        case "extra_forbidden":
            return _unknown(first, model, more)
        case "literal_error":
            expected = str(first.context.get("expected", ""))
            hint = did_you_mean(str(first.given), expected.replace("'", "").replace(" or ", ", ").split(", "))
            return f"must be {expected}, not {_called(first.given)}{hint}"
        case "string_pattern_mismatch":
            pattern = str(first.context.get("pattern", ""))
            text = str(first.given)
            dollar = f": write ${text}" if pattern.startswith(r"^\$") and re.fullmatch(r"[a-z][a-z0-9_]*", text) else ""
            dollar = ": take the quotes away" if pattern.startswith(r"^\$") and text.isdigit() else dollar
            return f"{_PATTERNS.get(pattern, f'must match {pattern}')}, not {_called(first.given)}{dollar}"
        case "greater_than_equal":
            return f"must be at least {first.context.get('ge')}, not {_called(first.given)}"
        case "less_than_equal":
            return f"must be at most {first.context.get('le')}, not {_called(first.given)}"
        case "too_short":
            return "must not be empty"
        case "value_error":
            return first.text.removeprefix("Value error, ")
    wanted_type = _TYPES.get(first.kind)
    if wanted_type is None:
        return first.text
    quotes = ": put it in quotes" if first.kind == "string_type" and isinstance(first.given, int | float) else ""
    if first.kind.startswith("int_") and isinstance(first.given, str) and first.given.isdigit():
        quotes = ": take the quotes away"
    return f"must be {wanted_type}, not {_called(first.given)}{quotes}"


def _unknown(detail: _Detail, model: type[BaseModel], more: Iterable[str]) -> str:
    keys = _keys_at(model, detail.loc[:-1], more if len(detail.loc) == 1 else ())
    if detail.loc[-1] in _INSIDE_REQUIRES and "requires" in keys:
        return f"is not known here; it belongs inside what is asked for: requires: {{event: ..., {detail.loc[-1]}: ...}}"
    return unknown_key(str(detail.loc[-1]), [key for key in keys if key not in detail.beside])


def _instead(detail: _Detail) -> str:
    """How a bare value is written out where a mapping is wanted."""
    name, given = str(detail.place[-1]) if detail.place else "", detail.given
    if name == "when" and isinstance(given, str):
        return f"{{first: {given}}} or {{each: {given}}}" if given.isprintable() and len(given) <= 60 else ""
    if name in ("within", "every", "warn", "warn_from", "if_within"):
        found = _PERIOD.fullmatch(str(given))
        unit = f"{found.group(2).lower().rstrip('s')}s".replace(" ", "_") if found and found.group(2) else "days"
        return f"{{{unit}: {found.group(1)}}}" if found else "{days: 14}, {weeks: 6} or {days: $parameter}"
    return ""


def unknown_key(key: str, allowed: Iterable[str]) -> str:
    """What to say of a key that may not stand where it does."""
    odd = odd_letters(key)
    keys = list(dict.fromkeys(allowed))
    hint = did_you_mean(key, keys) or (f"; what may stand here: {', '.join(keys)}" if keys else "")
    return f"is not known here{odd}{hint}"


def odd_letters(name: str) -> str:
    """Which characters of a name only look like those of another one, or like nothing at all."""
    odd = [f"U+{ord(letter):04X}" for letter in dict.fromkeys(name) if not 0x20 <= ord(letter) < 0x7F]
    return f" (it holds {', '.join(odd[:3])}, which may look like another letter or like nothing)" if odd else ""


def _called(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)[:40]
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:59] + "…")
    return {"dict": "a mapping", "list": "a list", "tuple": "a list"}.get(type(value).__name__, "this")


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


# ----------------------------------------------------------------------------------------------------- which keys may stand where
def _keys_at(model: type[BaseModel], loc: Loc, more: Iterable[str]) -> list[str]:
    """The keys that may stand at a place, as pydantic's own location leads to it."""
    found: list[Any] = [model]
    for step in loc:
        deeper = [part for one in found for part in _inside(one, step)]
        if deeper:
            found = deeper
        else:
            named = [one for one in found if isinstance(one, type) and one.__name__ == step]
            found = named or found
    keys = [field.alias or name for one in found if _is_model(one) for name, field in one.model_fields.items()]
    return [*keys, *more]


def _is_model(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)


def _inside(one: Any, step: Any) -> list[Any]:
    if _is_model(one):
        for name, field in one.model_fields.items():
            if step in (name, field.alias):
                return _flat(field.annotation)
        extra = one.__annotations__.get("__pydantic_extra__") if one.model_config.get("extra") == "allow" else None
        return _flat(typing.get_type_hints(one)["__pydantic_extra__"].__args__[1]) if extra is not None and isinstance(step, str) else []
    origin, inner = typing.get_origin(one), typing.get_args(one)
    if origin is dict:
        return _flat(inner[1])
    if origin in (tuple, list) and isinstance(step, int):
        return _flat(inner[0])
    return []


def _flat(annotation: Any) -> list[Any]:
    """The alternatives of a type."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _flat(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [part for one in typing.get_args(annotation) for part in _flat(one)]
    return [annotation]
