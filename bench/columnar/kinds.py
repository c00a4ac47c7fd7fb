"""The kinds of rule in columns: each says in SQL what `Kind.obligations` of the same class says in Python, for plain cases.

A kind gives one SELECT whose rows are obligations: case_id, key, act (the activating event; NULL: nothing was activated), unset (its
parameter is), limits (ids), due, soon (days), gate (ms; NULL where a day is the limit), ended (day), curable, unclear (the case is to be
left to the other engine), and done (the first event that fulfils it).  What becomes of them is the
same for all kinds: see bench.columnar.engine.  Imports rules/ and bench.columnar.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.columnar.columns import Columns, quoted
from bench.columnar.conditions import NotTaken, dug, truth
from rules.kinds.base import Kind, When
from rules.kinds.content import Content
from rules.kinds.deadline import Deadline
from rules.kinds.nth_occurrence import NthOccurrence
from rules.kinds.precedence import Precedence
from rules.kinds.requires import Requires
from rules.kinds.response import Response
from rules.periods import Period

NAMES = ("key", "act", "unset", "limits", "due", "soon", "gate", "ended", "curable", "unclear", "done")
_DEFAULTS = {
    "unset": "false", "limits": "[]", "soon": "NULL", "gate": "NULL", "ended": "NULL",
    "curable": "true", "unclear": "false", "done": "NULL",
}  # fmt: skip


_ENDED = "if(closed.id = act.id AND closed.source = act.source, NULL, closed.day)"
"""The closure ends it, unless it is what began it."""


def _select(activations: str, **columns: str) -> str:
    given = _DEFAULTS | columns
    shown = {name: given[name] for name in NAMES if name not in ("key", "act", "done")}
    shown["act"] = "if(act IS NULL, NULL, {'id': act.id, 'day': act.day})"
    shown["done"] = "if(done IS NULL, NULL, {'id': done.id, 'time': done.time, 'day': done.day})"
    columns_ = ", ".join(f"{sql} AS {name}" for name, sql in shown.items())
    return f"SELECT case_id, key, {columns_} FROM (SELECT *, {given['done']} AS done FROM ({activations}))"


def _once(act: str) -> str:
    return f"SELECT *, 'case' AS key, {act} AS act FROM plain"


def _days(period: Period | None, columns: Columns) -> int | None:
    """How many days a period is; None where its parameter is not set.  Raises NotTaken for what is not counted in days or weeks."""
    span = None if period is None else period.span(columns.policy.values)
    if span is None:
        return None
    if span.unit not in ("days", "weeks") or span.roll is not None:
        raise NotTaken(f"a period in {span.unit.replace('_', ' ')}")
    return span.count * (7 if span.unit == "weeks" else 1)


def _asked(requires: Requires, columns: Columns) -> str:
    """The first event that fulfils what is asked."""
    more = ("takes", "that", "collects", "roles", "for_every", "and_each", "after_last", "unless_followed_by", "itself")
    if requires.model_fields_set & set(more):
        raise NotTaken("more than an event with its conditions")
    return columns.hit(requires)


def _activations(when: When, columns: Columns) -> str:
    """The rows of activations with key and act (one whose act is NULL where there is none)."""
    given = "true"
    if when.given is not None:
        if when.given.exists is None or when.given.earlier is not None or when.given.closed_as is not None:
            raise NotTaken("an activation that counts only after another, or with a kind of closure")
        given = f"{columns.hit(when.given.exists)} IS NOT NULL"
    if when.episode:
        return _once(f"if({given}, start, NULL)")
    if when.first is not None:
        return _once(f"if({given}, {columns.hit(when.first)}, NULL)")
    closes = columns.policy.domain.course.closes
    if when.first_of_each is not None:
        by = when.first_of_each.by
        value = f"coalesce({dug(by, 'a.data')}, '-')"
        key = f"'{by}:' || if(left({value}, 1) = '\"', {value}->>'$', {value})"
        first = "min({'time': a.time, 'recorded': a.recorded, 'source': a.source, 'id': a.id, 'day': a.day, 'data': a.data})"
        rows = f"SELECT case_id, {key} AS key, {first} AS act FROM ({columns.each(when.selectors)}) GROUP BY ALL"
    elif when.each is not None:
        key = "'event:' || a.id || '@' || a.source"
        key = key if closes is None else f"if(a.type = {quoted(closes.event)}, 'attempt:1', {key})"
        selectors = when.each if isinstance(when.each, tuple) else (when.each,)
        rows = f"SELECT case_id, {key} AS key, a AS act FROM ({columns.each(selectors)})"
    else:
        raise NotTaken("an activation by all items of a collection")
    joined = f"plain LEFT JOIN ({rows}) a ON a.case_id = plain.case_id AND {given}"
    return f"SELECT plain.*, coalesce(a.key, 'case') AS key, a.act AS act FROM {joined}"


def deadline(kind: Deadline, columns: Columns) -> str:
    anchor = columns.policy.anchors[kind.anchor]
    base, first, span = columns.hit(anchor.of), columns.term(anchor.first), _days(anchor.if_within, columns)
    in_time = "true" if span is None else f"{first}.day <= {base}.day + {span}"
    act = f"if({first} IS NOT NULL AND ({base} IS NULL OR {in_time}), {first}, {base})"
    within, warn, since = _days(kind.within, columns), _days(kind.warn, columns), _days(kind.warn_from, columns)
    if within is None:
        return _select(_once(act), unset="true", due="NULL")
    soon = since if since is not None else within - (7 if warn is None else warn)
    days = {"due": f"act.day + {within}", "soon": f"act.day + {soon}"}
    return _select(_once(act), ended=_ENDED, done=_asked(kind.requires, columns), **days)


def nth_occurrence(kind: NthOccurrence, columns: Columns) -> str:
    if kind.per is not None:
        raise NotTaken("an obligation for each person")
    begun = _activations(kind.when, columns)
    nth, after = kind.by.nth, kind.by.warn_after
    first = f"{columns.term(kind.by.of, max(nth, after or 0))}_first"
    limits = f"if(len({first}) >= {nth}, list_transform({first}[:{nth}], lambda v: v.id), [])"
    soon = "NULL" if after is None or after > nth else f"{first}[{after}].day"
    done = _asked(kind.requires, columns)
    return _select(begun, limits=limits, due=f"{first}[{nth}].day", soon=soon, ended="closed.day", done=done)


def precedence(kind: Precedence, columns: Columns) -> str:
    if kind.per is not None:
        raise NotTaken("an obligation for each person")
    begun = _activations(kind.when, columns)
    gate = "act.time" if kind.compare == "moment" else "NULL"
    return _select(begun, due="act.day", gate=gate, curable="false", done=_asked(kind.requires, columns))


def content(kind: Content, columns: Columns) -> str:
    if kind.examines is not None or kind.when.episode or kind.when.first:
        raise NotTaken("data of another event than the activating one")
    holds = truth(kind.where, lambda path: dug(path, "act.data"))
    begun = f"SELECT *, {holds} AS holds FROM ({_activations(kind.when, columns)})"
    return _select(begun, due="act.day", gate="act.time", curable="false", unclear="holds IS NULL", done="if(holds, act, NULL)")


def response(kind: Response, columns: Columns) -> str:
    if kind.by is not None or kind.at_latest is not None or kind.ends_with is not None:
        raise NotTaken("a limit that other events set")
    begun = _activations(kind.when, columns)
    within, warn = _days(kind.within, columns), _days(kind.warn, columns)
    if within is None:
        return _select(begun, unset="true", due="NULL")
    if not kind.any_time:
        raise NotTaken("evidence that counts only from the activation on")
    days = {"due": f"act.day + {within}", "soon": f"act.day + {within - (7 if warn is None else warn)}"}
    return _select(begun, ended=_ENDED, done=_asked(kind.requires, columns), **days)


def obligations(kind: Kind, columns: Columns) -> str:
    """The SELECT of a kind.  Raises NotTaken."""
    for one, make in _TAKEN:
        if isinstance(kind, one):
            return make(kind, columns)
    raise NotTaken(f"the kind {kind.name}")


_TAKEN: tuple[tuple[type[Kind], Callable[..., str]], ...] = (
    (Deadline, deadline),
    (NthOccurrence, nth_occurrence),
    (Precedence, precedence),
    (Content, content),
    (Response, response),
)
