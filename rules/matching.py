"""Conditions put to events: three-valued answers, each with the missing attribute or the reason why not."""

# ruff: noqa: ARG001  (all checks of the table share one signature)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rules.conditions import Ref, Test, Value, Where
from rules.course import dig
from rules.history import Entry
from rules.model import Fit

if TYPE_CHECKING:
    from rules.view import View

Answer = tuple[Fit, str]
"""UNCLEAR comes with the dotted path that is missing, NO with the reason in a few words."""

YES: Answer = (Fit.YES, "")


@dataclass(frozen=True, slots=True)
class Context:
    """What a condition may look at beside the data under test."""

    view: View
    entry: Entry | None = None
    activation: Entry | None = None
    person: str | None = None
    item: Mapping[str, Any] | None = None


def negate(answer: Answer, why: str) -> Answer:
    if answer[0] is Fit.UNCLEAR:
        return answer
    return YES if answer[0] is Fit.NO else (Fit.NO, why)


def check(where: Where | None, data: Any, context: Context, prefix: str = "") -> Answer:
    """Puts the whole condition to ``data``: the first false part decides, else the first unclear one."""
    if where is None:
        return YES
    unclear: Answer | None = None
    parts = (
        _parts(where, data, context, prefix)
        if where.joined
        else [_test(test, path, data, context, prefix) for path, test in where.tests.items()]
    )
    for answer in parts:
        if answer[0] is Fit.NO:
            return answer
        if answer[0] is Fit.UNCLEAR and unclear is None:
            unclear = answer
    return unclear or YES


def _parts(where: Where, data: Any, context: Context, prefix: str) -> Iterator[Answer]:
    for path, test in where.tests.items():
        yield _test(test, path, data, context, prefix)
    for part in where.all_ or ():
        yield check(part, data, context, prefix)
    if where.any_:
        yield _any(where.any_, data, context, prefix)
    if where.not_ is not None:
        yield negate(check(where.not_, data, context, prefix), "what it must not be holds")


def _any(parts: tuple[Where, ...], data: Any, context: Context, prefix: str) -> Answer:
    answers = [check(part, data, context, prefix) for part in parts]
    for wanted in (Fit.YES, Fit.UNCLEAR):
        for answer in answers:
            if answer[0] is wanted:
                return answer
    return Fit.NO, " and ".join(dict.fromkeys(why for _, why in answers))


def _test(test: Test, path: str, data: Any, context: Context, prefix: str) -> Answer:
    value = dig(data, path)
    name = prefix + path
    if test.present is not None:
        answer = YES if (value is not None) is test.present else (Fit.NO, f"{name} is {'absent' if test.present else 'present'}")
        if answer is not YES or len(test.model_fields_set) == 1:
            return answer
    if value is None:
        return Fit.UNCLEAR, name
    unclear: Answer | None = None
    for field, wanted in test.active:
        answer = _CHECKS[field](value, wanted, name, context)
        if answer[0] is Fit.NO:
            return answer
        if answer[0] is Fit.UNCLEAR and unclear is None:
            unclear = answer
    return unclear or YES


def _listed(words: Any, joiner: str = "or") -> str:
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {joiner} {texts[-1]}"


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _against(wanted: Value, context: Context, holds: Callable[[Any], bool], why: Callable[[Any], str]) -> Answer:
    """Compares with a value that may have to be looked up, and may then be one of several or none."""
    if not isinstance(wanted, Ref) and not (isinstance(wanted, str) and wanted.startswith("$")):
        return YES if holds(wanted) else (Fit.NO, why(wanted))
    found, missing = resolve(wanted, context)
    if not found and not missing and isinstance(wanted, Ref):
        return {"true": YES, "false": (Fit.NO, "there is nothing to compare it with")}.get(wanted.if_none, (Fit.UNCLEAR, _name_of(wanted)))
    held = [holds(value) for value in found]
    if missing:
        return Fit.UNCLEAR, missing
    if all(held):
        return YES
    return (Fit.UNCLEAR, "day_without_moment") if any(held) else (Fit.NO, why(found[0]))


def _name_of(ref: Ref) -> str:
    if ref.previous is not None:
        return ref.previous.attribute
    return ref.attribute or f"{ref.state}"


def resolve(value: Value, context: Context) -> tuple[list[Any], str]:
    """The values that a reference may stand for, and the missing path where it cannot be told."""
    if isinstance(value, Ref):
        return context.view.look_up(value, context)
    if not isinstance(value, str) or not value.startswith("$"):
        return [value], ""
    word, _, path = value[1:].partition(".")
    if word == "person":
        return ([context.person], "") if context.person is not None else ([], "person")
    source: Any = {"this": context.entry, "activation": context.activation}.get(word)
    base = context.item if word == "item" else source.data if source is not None else None
    if word == "activation" and path == "id" and source is not None:
        return [source.id], ""
    found = dig(base, path)
    return ([found], "") if found is not None else ([], path)


def _equals(value: Any, wanted: Value, name: str, context: Context) -> Answer:
    if value == wanted and type(value) is type(wanted) and not (isinstance(wanted, str) and wanted.startswith("$")):
        return YES
    return _against(wanted, context, lambda w: _same(value, w), lambda w: f"{name} is {_shown(value)}, not {_shown(w)}")


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _in(value: Any, wanted: tuple[Any, ...], name: str, context: Context) -> Answer:
    return YES if any(_same(value, w) for w in wanted) else (Fit.NO, f"{name} is {_shown(value)}, not {_listed(wanted)}")


def _differs(value: Any, wanted: Any, name: str, context: Context) -> Answer:
    unclear: Answer | None = None
    for other in wanted if isinstance(wanted, tuple) else (wanted,):
        answer = _against(other, context, lambda w: not _same(value, w), lambda w: f"{name} is {_shown(w)}")
        if answer[0] is Fit.NO:
            return answer
        unclear = unclear or (answer if answer[0] is Fit.UNCLEAR else None)
    return unclear or YES


def _has(value: Any, wanted: Value, name: str, context: Context) -> Answer:
    return _against(wanted, context, lambda w: w in _as_list(value), lambda w: f"{name} does not hold {_shown(w)}")


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _has_all(value: Any, wanted: tuple[Any, ...], name: str, context: Context) -> Answer:
    lacking = [w for w in wanted if w not in _as_list(value)]
    return YES if not lacking else (Fit.NO, f"{name} lacks {_listed(lacking, 'and')}")


def _has_any(value: Any, wanted: tuple[Any, ...], name: str, context: Context) -> Answer:
    return YES if any(w in _as_list(value) for w in wanted) else (Fit.NO, f"{name} holds none of {_listed(wanted)}")


def _size(value: Any) -> Any:
    return len(value) if isinstance(value, list | tuple) else value


def _at_least(value: Any, wanted: Value, name: str, context: Context) -> Answer:
    return _against(wanted, context, lambda w: _size(value) >= w, lambda w: f"{name} is {_size(value)}, below {w}")


def _at_most(value: Any, wanted: Value, name: str, context: Context) -> Answer:
    return _against(wanted, context, lambda w: _size(value) <= w, lambda w: f"{name} is {_size(value)}, above {w}")


def _before(value: Any, wanted: Value, name: str, context: Context) -> Answer:
    return _against(wanted, context, lambda w: str(value) < str(w), lambda w: f"{name} is {value}, not before {w}")


def _after(value: Any, wanted: Value, name: str, context: Context) -> Answer:
    return _against(wanted, context, lambda w: str(value) > str(w), lambda w: f"{name} is {value}, not after {w}")


def _each(value: Any, wanted: Where, name: str, context: Context) -> Answer:
    unclear: Answer | None = None
    for element in _as_list(value):
        answer = check(wanted, element, context, f"{name}.")
        if answer[0] is Fit.NO:
            return answer
        unclear = unclear or (answer if answer[0] is Fit.UNCLEAR else None)
    return unclear or YES


def _some(value: Any, wanted: Where, name: str, context: Context) -> Answer:
    answers = [check(wanted, element, context, f"{name}.") for element in _as_list(value)]
    for fit in (Fit.YES, Fit.UNCLEAR):
        for answer in answers:
            if answer[0] is fit:
                return answer
    return Fit.NO, f"none of {name} is as required"


def roles_of(element: Any, context: Context) -> tuple[set[str], str]:
    """The roles in which a participant (or a bare person id) takes part: the one stated, and those in the household on that day.

    The second value names what is missing where no role can be told.
    """
    view, entry = context.view, context.entry
    stated, person = (element.get("role"), element.get("person")) if isinstance(element, dict) else (None, element)
    roles = {stated} if stated is not None else set()
    if person is not None and entry is not None:
        roles |= view.roster.roles(person, entry.day)
    if roles:
        return roles, ""
    if isinstance(element, dict):
        return roles, "" if person is not None and view.roster.known else "role"
    return roles, "" if view.roster.known else "household"


def _includes_role(value: Any, wanted: tuple[str, ...], name: str, context: Context) -> Answer:
    unclear = ""
    for element in _as_list(value):
        roles, missing = roles_of(element, context)
        if roles & set(wanted):
            return YES
        unclear = unclear or missing
    if unclear:
        return Fit.UNCLEAR, unclear if unclear == "household" else f"{name}.{unclear}"
    return Fit.NO, f"{name} include no {_listed(wanted)}"


_CHECKS: dict[str, Callable[[Any, Any, str, Context], Answer]] = {
    "equals": _equals,
    "in_": _in,
    "differs_from": _differs,
    "has": _has,
    "has_all": _has_all,
    "has_any": _has_any,
    "at_least": _at_least,
    "at_most": _at_most,
    "before": _before,
    "after": _after,
    "includes_role": _includes_role,
    "each": _each,
    "some": _some,
}
