"""Conditions as SQL: what `rules.matching` makes a function of, made an expression that is true, false or NULL (unclear).

SQL's own logic has the same three values as the policies' and joins them alike, so a condition becomes one expression.  What has no
equal in columns (references to other events, dates compared as text) is refused: `NotTaken`.  Imports rules/ only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rules.conditions import Test, Where


class NotTaken(Exception):
    """A rule, or a policy, that the columnar engine leaves to the one that judges case by case; says why."""


def literal(value: Any) -> str:
    """A value as it stands in JSON, as text in SQL."""
    return "'" + json.dumps(value, ensure_ascii=False).replace("'", "''") + "'"


def listed(values: Any) -> str:
    return ", ".join(literal(value) for value in values)


def json_path(path: str) -> str:
    return "$" + "".join(f'."{step}"' for step in path.split("."))


def dug(path: str, data: str = "data") -> str:
    """The JSON text at a dotted path of a column, NULL where it is absent."""
    return f"nullif(json_extract({data}, '{json_path(path)}')::VARCHAR, 'null')"


def truth(where: Where | None, dig: Callable[[str], str], depth: int = 0) -> str:
    """The whole condition; ``dig`` says in SQL what stands at a path.  Raises NotTaken."""
    if where is None:
        return "true"
    parts = [_test(test, dig(path), depth) for path, test in where.tests.items()]
    parts += [truth(part, dig, depth) for part in where.all_ or ()]
    if where.any_:
        parts.append("(" + " OR ".join(truth(part, dig, depth) for part in where.any_) + ")")
    if where.not_ is not None:
        parts.append(f"(NOT {truth(where.not_, dig, depth)})")
    return "(" + " AND ".join(parts) + ")"


def of_element(where: Where, depth: int) -> str:
    """The condition on the element ``e<depth>`` of a list."""
    return truth(where, lambda path: dug(path, f"e{depth}"), depth + 1)


def _test(test: Test, value: str, depth: int) -> str:
    made = []
    for word, wanted in test.active:
        words = wanted if isinstance(wanted, tuple) else (wanted,)
        if word not in _MAKERS or not all(_plain(one, word) for one in words):
            raise NotTaken(f"the test {word.rstrip('_')} of a value that is looked up")
        made.append(_MAKERS[word](value, wanted, depth))
    if test.present is None:
        return "(" + " AND ".join(made) + ")"
    there = f"({value} IS {'NOT ' if test.present else ''}NULL)"
    return f"({' AND '.join([there, *made])})"


def _plain(wanted: Any, word: str) -> bool:
    if word in ("each", "some"):
        return isinstance(wanted, Where)
    if word in ("at_least", "at_most"):
        return isinstance(wanted, int) and not isinstance(wanted, bool)
    if isinstance(wanted, str):
        return not wanted.startswith("$")
    return isinstance(wanted, bool | int) and word not in ("has", "has_all", "has_any")


def _elements(value: str) -> str:
    return f"if(left({value}, 1) = '[', json_extract({value}, '$[*]')::VARCHAR[], [{value}])"


def _size(value: str) -> str:
    return f"if(left({value}, 1) = '[', json_array_length({value})::DOUBLE, try_cast({value} AS DOUBLE))"


def _over(value: str, element: str, depth: int, joined: str, empty: int) -> str:
    """A condition on ``e<depth>`` over all elements: of 0 (false), 1 (unclear) and 2 (true), the greatest or the least."""
    answers = f"list_transform({_elements(value)}, lambda e{depth}: coalesce({element}::INT * 2, 1))"
    return f"if({value} IS NULL, NULL, [false, NULL, true][coalesce({joined}({answers}), {empty}) + 1])"


def _each(value: str, wanted: Where, depth: int) -> str:
    return _over(value, of_element(wanted, depth), depth, "list_min", 2)


def some(value: str, element: str, depth: int) -> str:
    """Whether some element holds: ``element`` is the condition on ``e<depth>``."""
    return _over(value, element, depth, "list_max", 0)


def _includes_role(value: str, wanted: tuple[str, ...], depth: int) -> str:
    """``home`` is the one household list of the case: structs of person and role, as JSON text (NULL: none on record)."""
    one = f"e{depth}"
    bare = f"(left({one}, 1) <> '{{')"
    stated, person = dug("role", one), f"if({bare}, {one}, {dug('person', one)})"
    at_home = f"list_transform(list_filter(home, lambda h: h.person = {person} AND h.role IS NOT NULL), lambda h: h.role)"
    roles = listed(wanted)
    return some(
        value,
        f"""(CASE WHEN {stated} IN ({roles}) OR list_has_any({at_home}, [{roles}]) THEN true
            WHEN {stated} IS NOT NULL OR len({at_home}) > 0 OR ({bare} AND home IS NOT NULL) THEN false END)""",
        depth,
    )


_MAKERS: dict[str, Callable[[str, Any, int], str]] = {
    "equals": lambda value, wanted, _: f"({value} = {literal(wanted)})",
    "in_": lambda value, wanted, _: f"({value} IN ({listed(wanted)}))",
    "differs_from": lambda value, wanted, _: f"({value} NOT IN ({listed(wanted if isinstance(wanted, tuple) else (wanted,))}))",
    "has": lambda value, wanted, _: f"list_contains({_elements(value)}, {literal(wanted)})",
    "has_all": lambda value, wanted, _: f"if({value} IS NULL, NULL, list_has_all({_elements(value)}, [{listed(wanted)}]))",
    "has_any": lambda value, wanted, _: f"if({value} IS NULL, NULL, list_has_any({_elements(value)}, [{listed(wanted)}]))",
    "at_least": lambda value, wanted, _: f"({_size(value)} >= {wanted})",
    "at_most": lambda value, wanted, _: f"({_size(value)} <= {wanted})",
    "includes_role": _includes_role,
    "each": _each,
    "some": lambda value, wanted, depth: some(value, of_element(wanted, depth), depth),
}
