"""What a change of a policy does: due days later or earlier, conditions narrower or wider, breaches fewer or more.

Says "more or fewer" where it cannot be told from the policy alone.  Pure; compares what was loaded.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rules.clock import Calendar, Span
from rules.conditions import Ref, Selector, Test, Where
from rules.kinds.requires import Requires

FEWER, MORE, NONE, EITHER = "fewer", "more", "none", "either"
"""What happens to the breaches that are possible."""
_OPPOSITE = {FEWER: MORE, MORE: FEWER}
SAME, NARROWER, WIDER, OTHER = "same", "narrower", "wider", "other"
_TRIED = 1461  # every day of four years


def breaches(effect: str) -> str:
    """The words for it."""
    return {
        FEWER: "fewer breaches possible",
        MORE: "more breaches possible",
        NONE: "no breach more or fewer",
        EITHER: "more or fewer breaches possible",
    }[effect]


def opposite(effect: str) -> str:
    return _OPPOSITE.get(effect, effect)


def ends(old: Span | None, new: Span | None, *, calendars: tuple[Calendar, Calendar], since: int) -> str:
    """Whether a period ends ``later`` or ``earlier`` than before; ``mixed``, ``same``; ``set``, ``unset`` where a number came or went.

    Tried on every day of four years from ``since``, so that months, holidays and rolling count as they will.
    """
    if old is None or new is None:
        return "same" if old is new else "set" if old is None else "unset"
    if old.roll is None and new.roll is None and old.unit == new.unit != "business_days":
        return "same" if old.count == new.count else "later" if new.count > old.count else "earlier"
    days = range(since, since + _TRIED)
    steps = {_sign(new.after(day, calendars[1]) - old.after(day, calendars[0])) for day in days}
    if {-1, 1} <= steps:
        return "mixed"
    return "later" if 1 in steps else "earlier" if -1 in steps else "same"


def period_effect(turn: str, longer: str) -> str:
    """The words for a period that ends later or earlier; ``longer``: what a longer one does to breaches."""
    told = {
        "later": ("later", longer),
        "earlier": ("earlier", opposite(longer)),
        "mixed": ("later in some months and earlier in others", NONE if longer == NONE else EITHER),
        "same": ("on the same day", NONE),
    }
    when, effect = told[turn]
    return f"{when}, {breaches(effect)}"


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


# ------------------------------------------------------------------------------------------------------------ conditions
def both_ways(*turns: str) -> str:
    """Several parts that must all hold, joined."""
    found = set(turns) - {SAME}
    if not found:
        return SAME
    return found.pop() if len(found) == 1 else OTHER


def turned(turn: str) -> str:
    """The same seen from the other side (a *not*)."""
    return {NARROWER: WIDER, WIDER: NARROWER}.get(turn, turn)


def compare_where(old: Where | None, new: Where | None) -> str:
    """Whether a condition lets fewer events through (narrower), more (wider), or others."""
    if old == new:
        return SAME
    if old is None or not _parts(old):
        return NARROWER
    if new is None or not _parts(new):
        return WIDER
    mine, theirs = _parts(old), _parts(new)
    known, asked = list(mine.values()), list(theirs.values())
    if all(part in asked for part in known):
        return NARROWER if len(asked) > len(known) else SAME
    if all(part in known for part in asked):
        return WIDER
    turns = [_compare_part(mine.get(key), theirs.get(key)) for key in {**mine, **theirs}]
    return both_ways(*turns)


def _parts(where: Where) -> dict[str, Any]:
    """The parts of a condition by what they are about; those of ``all`` are parts of the whole."""
    found: dict[str, Any] = dict(where.tests)
    for number, part in enumerate(where.all_ or ()):
        for key, value in _parts(part).items():
            found[key if key not in found else f"{key} ({number})"] = value
    if where.any_:
        found[":any"] = where.any_
    if where.not_ is not None:
        found[":not"] = where.not_
    return found


def _compare_part(old: Any, new: Any) -> str:
    if old == new:
        return SAME
    if old is None:
        return NARROWER
    if new is None:
        return WIDER
    if isinstance(old, Test) and isinstance(new, Test):
        return compare_test(old, new)
    if isinstance(old, Where) and isinstance(new, Where):
        return turned(compare_where(old, new))
    if isinstance(old, tuple) and isinstance(new, tuple):
        if all(part in new for part in old):
            return WIDER
        if all(part in old for part in new):
            return NARROWER
        if len(old) == len(new):
            return both_ways(*(compare_where(a, b) for a, b in zip(old, new, strict=True)))
    return OTHER


def compare_test(old: Test, new: Test) -> str:
    """The same for the test of one attribute."""
    turns = []
    allowed = _allowed(old), _allowed(new)
    names = {name for test in (old, new) for name, _ in test.active} | ({"present"} if old.present != new.present else set())
    if allowed[0] is not None and allowed[1] is not None:
        turns.append(_sets(set(allowed[0]), set(allowed[1]), larger=WIDER))
        names -= {"equals", "in_"}
    turns += [_compare_one(name, getattr(old, name), getattr(new, name)) for name in sorted(names)]
    return both_ways(*turns)


def _allowed(test: Test) -> Collection[Any] | None:
    """The values that are let through, where they can be listed."""
    if isinstance(test.equals, Ref) or (isinstance(test.equals, str) and test.equals.startswith("$")):
        return None
    listed = [test.in_] if test.in_ is not None else []
    listed += [(test.equals,)] if test.equals is not None else []
    return listed[0] if len(listed) == 1 else None


def _sets(old: set[Any], new: set[Any], *, larger: str) -> str:
    if old == new:
        return SAME
    if old < new:
        return larger
    return turned(larger) if new < old else OTHER


def _compare_one(name: str, old: Any, new: Any) -> str:
    if old == new:
        return SAME
    if old is None:
        return NARROWER
    if new is None:
        return WIDER
    if name in ("has_any", "includes_role"):
        return _sets(set(old), set(new), larger=WIDER)
    if name in ("has_all", "differs_from") and not _looked_up(old, new):
        return _sets(set(_several(old)), set(_several(new)), larger=NARROWER)
    if name in ("each", "some"):
        return compare_where(old, new)
    if name in ("at_least", "after", "at_most", "before") and not _looked_up(old, new) and type(old) is type(new):
        more = new > old
        return NARROWER if more is (name in ("at_least", "after")) else WIDER
    return OTHER


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _looked_up(*values: Any) -> bool:
    return any(isinstance(one, Ref) or (isinstance(one, str) and one.startswith("$")) for value in values for one in _several(value))


def compare_selector(old: Selector | None, new: Selector | None) -> str:
    """Whether a selector finds fewer events (narrower), more (wider), or others."""
    if old == new:
        return SAME
    if old is None:
        return WIDER
    if new is None:
        return NARROWER
    return both_ways(
        _sets(set(old.names), set(new.names), larger=WIDER),
        compare_where(old.where, new.where),
        _sets(set(old.same), set(new.same), larger=NARROWER),
        SAME if old.of == new.of else NARROWER if new.of == "attempt" else WIDER,
        SAME if old.related == new.related else WIDER if new.related else NARROWER,
    )


def compare_requires(old: Requires, new: Requires) -> str:
    """Whether less evidence will do (wider) or more is asked for (narrower)."""
    if (old.for_every, old.takes, old.roles, old.after_last) != (new.for_every, new.takes, new.roles, new.after_last):
        return OTHER
    turn = compare_selector(old, new)
    if old.takes == "last" and turn != SAME:
        return OTHER
    return both_ways(
        turn,
        compare_where(old.that, new.that),
        _collects(old, new),
        _each(old, new),
        _cancelled(old, new),
        _itself(old.itself, new.itself),
    )


def _itself(old: Where | None, new: Where | None) -> str:
    """What the activating event may bring itself: one way more to meet the rule."""
    if old is None or new is None:
        return SAME if old is new else WIDER if old is None else NARROWER
    return compare_where(old, new)


def _collects(old: Requires, new: Requires) -> str:
    if old.collects == new.collects:
        return SAME
    if old.collects is None or new.collects is None:
        return NARROWER if old.collects is None else WIDER
    if set(old.collects) != set(new.collects):
        return OTHER
    turns = []
    for path, parts in old.collects.items():
        mine, theirs = set(parts), set(new.collects[path])
        turns.append(SAME if mine == theirs else NARROWER if mine < theirs else WIDER if theirs < mine else OTHER)
    return both_ways(*turns)


def _each(old: Requires, new: Requires) -> str:
    mine, theirs = old.and_each, new.and_each
    if mine == theirs:
        return SAME
    if mine is None or theirs is None:
        return NARROWER if mine is None else WIDER
    return compare_where(mine.where, theirs.where) if mine.collection == theirs.collection else OTHER


def _cancelled(old: Requires, new: Requires) -> str:
    mine, theirs = old.unless_followed_by, new.unless_followed_by
    if mine == theirs:
        return SAME
    if all(one in theirs for one in mine):
        return NARROWER
    return WIDER if all(one in mine for one in theirs) else OTHER
