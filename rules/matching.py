"""Conditions put to events: three-valued answers, each with the missing attribute or the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from rules.conditions import Ref, Test, Value, Where
from rules.course import dig
from rules.history import Entry
from rules.lean import lean
from rules.model import NO, SURE, UNCLEAR, Fit

if TYPE_CHECKING:
    from rules.view import View

Answer = tuple[Fit, str]
"""UNCLEAR comes with the dotted path that is missing, NO with the reason in a few words."""

YES: Answer = (SURE, "")


@lean
class Context:
    """What a condition may look at beside the data under test."""

    view: View
    entry: Entry | None = None
    activation: Entry | None = None
    person: str | None = None
    item: Mapping[str, Any] | None = None


class Looked(Enum):
    """What a look-up may come to, beside a value."""

    NOTHING = "there is none"
    UNTOLD = "it cannot be told"


Check = Callable[[Any, Context], Answer]
"""A condition made ready: what it says of some data in a context."""


def check(where: Where | None, data: Any, context: Context, prefix: str = "") -> Answer:
    """Puts the whole condition to ``data``: the first false part decides, else the first unclear one.

    ``prefix`` goes before the paths that are told to be missing.  A condition is made ready once, the first time it is put.
    """
    return YES if where is None else made_ready(where, prefix)(data, context)


def made_ready(where: Where, prefix: str = "") -> Check:
    """The condition as a function."""
    ready: Check | None = where.ready.get(prefix)
    if ready is None:
        parts = [_test(test, path, prefix) for path, test in where.tests.items()]
        parts += [made_ready(part, prefix) for part in where.all_ or ()]
        if where.any_:
            parts.append(_joined(where, "any", [made_ready(part, prefix) for part in where.any_]))
        if where.not_ is not None:
            parts.append(_joined(where, "not", [made_ready(where.not_, prefix)]))
        ready = where.ready[prefix] = parts[0] if len(parts) == 1 else _joined(where, "all", parts)
    return ready


def _all(parts: list[Check]) -> Check:
    def run(data: Any, context: Context) -> Answer:
        unclear: Answer | None = None
        for part in parts:
            answer = part(data, context)
            if answer is YES:
                continue
            if answer[0] is NO:
                return answer
            if answer[0] is UNCLEAR and unclear is None:
                unclear = answer
        return unclear or YES

    return run


def _any(parts: list[Check]) -> Check:
    def run(data: Any, context: Context) -> Answer:
        answers = [part(data, context) for part in parts]
        return _best(answers) or (NO, " and ".join(dict.fromkeys(why for _, why in answers)))

    return run


def _not(parts: list[Check]) -> Check:
    (part,) = parts

    def run(data: Any, context: Context) -> Answer:
        answer = part(data, context)
        if answer[0] is UNCLEAR:
            return answer
        return YES if answer[0] is NO else (NO, "what it must not be holds")

    return run


JOINERS: dict[str, Callable[[list[Check]], Check]] = {"all": _all, "any": _any, "not": _not}


def _best(answers: Iterable[Answer]) -> Answer | None:
    """Kleene's *or*: a YES, else the first UNCLEAR, else None."""
    unclear: Answer | None = None
    for answer in answers:
        if answer[0] is SURE:
            return YES
        if answer[0] is UNCLEAR and unclear is None:
            unclear = answer
    return unclear


def _joined(where: Where, word: str, parts: list[Check]) -> Check:
    """The parts joined, unless somebody looks on: then what that one makes of them."""
    joined: Check = JOINERS[word](parts) if where.watch is None else where.watch(word, parts)
    return joined


def _test(test: Test, path: str, prefix: str) -> Check:
    """A test, unless somebody looks on: then what that one makes of it and of its words."""
    watch = test.watch
    if watch is None:
        return _of_attribute(test, path, prefix, [MAKERS[word](wanted, prefix + path) for word, wanted in test.active])
    words = [watch(word, MAKERS[word](wanted, prefix + path)) for word, wanted in test.active]
    watched: Check = watch("", _of_attribute(test, path, prefix, words))
    return watched


def _of_attribute(test: Test, path: str, prefix: str, tests: list[Check]) -> Check:
    name = prefix + path
    missing: Answer = (UNCLEAR, name)
    whole = tests[0] if len(tests) == 1 else _all(tests)
    dotted = "." in path
    if test.present is None:
        needs_another = [wanted for _, wanted in test.active if isinstance(wanted, Ref) and wanted.if_none == "false"]

        def run(data: Any, context: Context) -> Answer:
            value = dig(data, path) if dotted else data.get(path) if isinstance(data, dict) else None
            if value is not None:
                return whole(value, context)
            if needs_another:
                return next((_without(ref) for ref in needs_another if resolve(ref, context)[0] == [Looked.NOTHING]), missing)
            return missing

        return run
    present = test.present
    wrong: Answer = (NO, f"{name} is {'absent' if present else 'present'}")

    def run_present(data: Any, context: Context) -> Answer:
        value = dig(data, path)
        if (value is not None) is not present:
            return wrong
        return YES if not tests else missing if value is None else whole(value, context)

    return run_present


def _listed(words: Any, joiner: str = "or") -> str:
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {joiner} {texts[-1]}"


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _against(wanted: Value, context: Context, holds: Callable[[Any], bool], why: Callable[[Any], str]) -> Answer:
    """Compares with a value that may have to be looked up, and may then be one of several or none."""
    found, missing = resolve(wanted, context)
    if len(found) == 1 and not isinstance(found[0], Looked):
        return YES if holds(found[0]) else (NO, why(found[0]))
    unclear: Answer = (UNCLEAR, missing or "day_without_moment")
    answers: list[Answer] = []
    for value in found or (Looked.UNTOLD,):
        if value is Looked.UNTOLD:
            answers.append(unclear)
        elif value is Looked.NOTHING:
            answers.append(_without(wanted))
        else:
            answers.append(YES if holds(value) else (NO, why(value)))
    return answers[0] if all(answer[0] is answers[0][0] for answer in answers) else unclear


def _without(wanted: Value) -> Answer:
    """What a comparison gives where there is nothing to compare with."""
    if not isinstance(wanted, Ref) or wanted.if_none == "unknown":
        return UNCLEAR, _name_of(wanted) if isinstance(wanted, Ref) else "value"
    return YES if wanted.if_none == "true" else (NO, "there is nothing to compare it with")


def _name_of(ref: Ref) -> str:
    if ref.previous is not None:
        return ref.previous.attribute
    return ref.attribute or f"{ref.state}"


def resolve(value: Value, context: Context) -> tuple[list[Any], str]:
    """The values that a reference may stand for (see Looked), and what makes that unclear."""
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


_LISTED = (list, tuple)


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, _LISTED) else (value,)


def _size(value: Any) -> Any:
    return len(value) if isinstance(value, _LISTED) else value


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _compared(wanted: Value, holds: Callable[[Any, Any], bool], why: Callable[[Any, Any], str]) -> Check:
    """A comparison of the value under test (first) with a literal, or with what a reference stands for."""
    if isinstance(wanted, Ref) or (isinstance(wanted, str) and wanted.startswith("$")):
        return lambda value, context: _against(wanted, context, lambda w: holds(value, w), lambda w: why(value, w))
    return lambda value, _: YES if holds(value, wanted) else (NO, why(value, wanted))


def _equals(wanted: Value, name: str) -> Check:
    if isinstance(wanted, str) and not wanted.startswith("$"):
        return lambda value, _: YES if value == wanted else (NO, f"{name} is {_shown(value)}, not {wanted}")
    return _compared(wanted, _same, lambda v, w: f"{name} is {_shown(v)}, not {_shown(w)}")


def _in(wanted: tuple[Any, ...], name: str) -> Check:
    words = _listed(wanted)

    def run(value: Any, _: Context) -> Answer:
        for one in wanted:
            if value == one and isinstance(value, bool) == isinstance(one, bool):
                return YES
        return NO, f"{name} is {_shown(value)}, not {words}"

    return run


def _differs(wanted: Any, name: str) -> Check:
    others = wanted if isinstance(wanted, tuple) else (wanted,)
    return _all([_compared(other, lambda v, w: not _same(v, w), lambda _, w: f"{name} is {_shown(w)}") for other in others])


def _has(wanted: Value, name: str) -> Check:
    return _compared(wanted, lambda v, w: w in _as_list(v), lambda _, w: f"{name} does not hold {_shown(w)}")


def _has_all(wanted: tuple[Any, ...], name: str) -> Check:
    def run(value: Any, _: Context) -> Answer:
        lacking = [w for w in wanted if w not in _as_list(value)]
        return YES if not lacking else (NO, f"{name} lacks {_listed(lacking, 'and')}")

    return run


def _has_any(wanted: tuple[Any, ...], name: str) -> Check:
    words = _listed(wanted)
    return lambda value, _: YES if any(w in _as_list(value) for w in wanted) else (NO, f"{name} holds none of {words}")


def _at_least(wanted: Value, name: str) -> Check:
    return _compared(wanted, lambda v, w: bool(_size(v) >= w), lambda v, w: f"{name} is {_size(v)}, below {w}")


def _at_most(wanted: Value, name: str) -> Check:
    return _compared(wanted, lambda v, w: bool(_size(v) <= w), lambda v, w: f"{name} is {_size(v)}, above {w}")


def _before(wanted: Value, name: str) -> Check:
    return _compared(wanted, lambda v, w: str(v) < str(w), lambda v, w: f"{name} is {v}, not before {w}")


def _after(wanted: Value, name: str) -> Check:
    return _compared(wanted, lambda v, w: str(v) > str(w), lambda v, w: f"{name} is {v}, not after {w}")


def _each(wanted: Where, name: str) -> Check:
    ready = made_ready(wanted, f"{name}.")

    def run(value: Any, context: Context) -> Answer:
        unclear: Answer | None = None
        for element in _as_list(value):
            answer = ready(element, context)
            if answer[0] is NO:
                return answer
            unclear = unclear or (answer if answer[0] is UNCLEAR else None)
        return unclear or YES

    return run


def _some(wanted: Where, name: str) -> Check:
    ready = made_ready(wanted, f"{name}.")
    return lambda value, context: _best(ready(element, context) for element in _as_list(value)) or (NO, f"none of {name} is as required")


def roles_of(element: Any, context: Context) -> tuple[set[str], str]:
    """The roles in which a participant (or a bare person id) takes part: the one stated, and those in the household on that day.

    The second value names what is missing where no role can be told.  Who does not belong to the household may still take part
    in any role, but a bare id says nothing of another role than that in the household.
    """
    view, entry = context.view, context.entry
    stated, person = (element.get("role"), element.get("person")) if isinstance(element, dict) else (None, element)
    roles = {stated} if stated is not None else set()
    if person is not None and entry is not None:
        roles |= view.roster.roles(person, entry.day)
    if roles:
        return roles, ""
    if isinstance(element, dict):
        return roles, "role"
    return roles, "" if view.roster.known else "household"


def _includes_role(wanted: tuple[str, ...], name: str) -> Check:
    def run(value: Any, context: Context) -> Answer:
        unclear = ""
        for element in _as_list(value):
            roles, missing = roles_of(element, context)
            if roles & set(wanted):
                return YES
            unclear = unclear or missing
        if unclear:
            return UNCLEAR, unclear if unclear == "household" else f"{name}.{unclear}"
        return NO, f"{name} include no {_listed(wanted)}"

    return run


MAKERS: dict[str, Callable[[Any, str], Check]] = {
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
