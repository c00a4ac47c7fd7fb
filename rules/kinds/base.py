"""What every kind of rule shares: what activates it, in which worlds, and whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rules.collections import all_done
from rules.conditions import Model, Selector, Where
from rules.course import dig
from rules.history import Entry
from rules.hits import MOMENT, Hit, both, possible_first
from rules.lean import lean
from rules.matching import YES, Answer, Context, check
from rules.model import NO, SURE, UNCLEAR, State, Verdict
from rules.obligation import Obligation, Trigger, World, hole, nothing, off
from rules.view import View

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


class FirstOfEach(Model):
    """The first event that fits, once for each value of an attribute (each plan, say)."""

    event: str | tuple[str, ...]
    by: str


class ClosedAs(Model):
    """A condition on the closure, once there is one: that of the activating event's attempt, or the episode's standing one."""

    where: Where
    of: Literal["attempt", "episode"] = "attempt"


class Given(Model):
    """What must hold for the activation to count."""

    exists: Selector | None = None
    earlier: Selector | None = None
    closed_as: ClosedAs | None = None


class When(Model):
    """What activates a rule: the episode, the first or each event that a selector finds, the first of each, or all items being done."""

    episode: Literal[True] | None = None
    first: Selector | None = None
    each: Selector | Annotated[tuple[Selector, ...], Field(min_length=1)] | None = None
    first_of_each: FirstOfEach | None = None
    all_done: str | None = None
    given: Given | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"episode": True} if data == "episode" else data

    @model_validator(mode="after")
    def _one(self) -> Self:
        parts = (self.episode, self.first, self.each, self.first_of_each, self.all_done)
        if sum(part is not None for part in parts) != 1:
            raise ValueError("give exactly one of episode, first, each, first_of_each, all_done")
        return self

    @cached_property
    def selectors(self) -> tuple[Selector, ...]:
        if self.first_of_each is not None:
            return (Selector(event=self.first_of_each.event),)
        if self.first is not None:
            return (self.first,)
        if self.each is None:
            return ()
        return (self.each,) if isinstance(self.each, Selector) else self.each


NO_MENDING = "What comes later does not mend it."
"""What the kinds that look back say of themselves."""


class Kind(Model):
    """One kind of rule: parameters as a policy writes them, and their reduction to obligations.

    A subclass stands in a file of its own in this package and names itself in ``name``; the registry, the schema and the
    reference find it there.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    order_rule: ClassVar[bool] = False
    done_word: ClassVar[str] = "done"
    """What it is once it is met: "done", "recorded"."""
    due_word: ClassVar[str] = "due by"
    """What it is until its day, with the day behind it."""
    counted: ClassVar[bool] = False
    """Only counted, in statistics: it has no verdicts (`count` and `tally` instead of `obligations`)."""
    sets_a_day: ClassVar[bool] = True
    """Whether its due day is a day of its own on the line of a case; False where it is that of the event under test."""
    met_in_event: ClassVar[bool] = False
    """Whether the event under test itself would have had to be otherwise, so that no day need be named."""
    longer: ClassVar[Mapping[str, str]] = {}
    """What a longer period in a field does to the breaches that are possible: "fewer", "more", "none"; else "either"."""

    more: ClassVar[Mapping[str, tuple[str, str, str]]] = {}
    """What more in a field of the kind's own means: words for more, words for less, and what more does to breaches (as ``longer``)."""

    kind: str

    def obligations(self, view: View) -> list[Obligation]:
        """The obligations of the rule in this episode; never empty (`nothing()` where it was not activated)."""
        raise NotImplementedError

    def read_aloud(self, say: Saying) -> list[str]:
        """The rule in plain sentences.  A kind that does not bring its own gets one for each field that is given."""
        return say.fields(self)

    def met_with(self, say: Saying, told: Told) -> str:
        """What would meet an obligation of this kind, beginning with "with" or "if"; empty where that cannot be said."""
        asked = getattr(self, "requires", None)
        if asked is not None:
            from rules.counterfactual import with_asked

            return with_asked(asked, say, told)
        return f"without this: {'; '.join(told.rejected())}" if told.rejected() else ""

    def met_from(self, told: Told) -> int | None:  # noqa: ARG002
        """The first day on which that counts; None where any day before the limit will do."""
        return None

    def reckoning(self, told: Told) -> list[str]:  # noqa: ARG002
        """How its day came about, in sentences; empty where that of the limit (see `World.arithmetic`) says it all."""
        return []

    def until_words(self, say: Saying) -> str:  # noqa: ARG002
        """The limit in words while it has no day yet; empty where there is none to name."""
        return ""

    def if_longer(self, field: str) -> str:
        """What a longer period in a field does to the breaches that are possible; see ``longer``."""
        return self.longer.get(field, "either")

    def count(self, view: View) -> dict[str, int]:  # noqa: ARG002
        """What a kind that is only counted finds in an episode, by name."""
        return {}

    def tally(self, verdicts: Sequence[Verdict]) -> dict[str, int]:  # noqa: ARG002
        """What a kind that is only counted finds in the verdicts on a case, by name."""
        return {}


# ------------------------------------------------------------------------------------------------------------ activation
def triggers(when: When, view: View) -> list[Trigger]:
    """Every activation of a rule in the episode."""
    if when.episode:
        return [Trigger("case", (view.episode.entries[0],))]
    if when.first is not None:
        return _first("case", view.first(when.first))
    if when.all_done is not None:
        entries, missing = all_done(view, when.all_done)
        return [Trigger("case", tuple(entries), missing)] if entries else []
    hits = view.find(when.selectors[0]) if len(when.selectors) == 1 else _best_per_event(h for s in when.selectors for h in view.find(s))
    if when.first_of_each is not None:
        groups: dict[str, list[Hit]] = {}
        for hit in hits:
            groups.setdefault(str(dig(hit.entry.data, when.first_of_each.by) or "-"), []).append(hit)
        by = when.first_of_each.by
        return [trigger for value, mine in groups.items() for trigger in _first(f"{by}:{value}", possible_first(mine))]
    return [
        Trigger(_key(hit.entry, view), (hit.entry,)) if hit.fit is SURE else Trigger(_key(hit.entry, view), (None, hit.entry), hit.text)
        for hit in hits
        if hit.fit is not NO
    ]


def _best_per_event(hits: Iterable[Hit]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for hit in hits:
        seen = best.get(hit.entry.order)
        if seen is None or seen.fit is NO or (seen.fit is UNCLEAR and hit.fit is SURE):
            best[hit.entry.order] = hit
    return [best[order] for order in sorted(best)]


def _first(key: str, possible: Sequence[Hit | None]) -> list[Trigger]:
    entries = tuple([hit.entry if hit is not None else None for hit in possible])
    if len(entries) == 1:
        return [Trigger(key, entries)] if entries[0] is not None else []
    missing = next((hit.text for hit in possible if hit is not None and hit.fit is UNCLEAR), MOMENT)
    return [Trigger(key, entries, missing)]


def _key(entry: Entry, view: View) -> str:
    return f"attempt:{entry.attempt}" if entry.type == view.closes else f"event:{entry.ref}"


def given_of(given: Given | None, view: View, entry: Entry) -> Answer:
    """Whether the activation counts."""
    if given is None:
        return YES
    answers: list[Answer] = []
    context = Context(view, entry, entry)
    if given.exists is not None:
        answers.append(_exists(view.find(given.exists, context), "there is none on record"))
    if given.earlier is not None:
        placed = [_earlier(hit, entry) for hit in view.find(given.earlier, context)]
        answers.append(_exists(placed, "there was none before"))
    if given.closed_as is not None:
        closing = view.closed if given.closed_as.of == "episode" else view.episode.closing_of(entry.attempt)
        if closing is not None:
            answers.append(check(given.closed_as.where, closing.data, Context(view, closing, entry)))
    return both(answers)


def _exists(hits: Iterable[Hit], why: str) -> Answer:
    unclear: Answer | None = None
    for hit in hits:
        if hit.fit is SURE:
            return YES
        if hit.fit is UNCLEAR and unclear is None:
            unclear = (UNCLEAR, hit.text)
    return unclear or (NO, why)


def _earlier(hit: Hit, entry: Entry) -> Hit:
    if hit.fit is NO or hit.entry is entry or entry.surely_before(hit.entry):
        return Hit(hit.entry, NO, "it came later")
    return hit if hit.entry.surely_before(entry) else Hit(hit.entry, UNCLEAR, hit.text or MOMENT)


def oblige(
    trigger: Trigger,
    view: View,
    given: Given | None,
    make: Callable[[Entry], tuple[list[World], str]],
    *,
    rejected: Iterable[tuple[str, str]] = (),
    key: str = "",
    about: str = "",
) -> Obligation:
    """The obligation of one activation: ``make`` gives the worlds that follow from one event being it, and what makes them differ.

    ``rejected``: what did not count; ``make`` may still add to it.
    """
    worlds: list[World] = []
    missing = trigger.missing
    for entry in trigger.entries:
        if entry is None:
            worlds.append(off())
            continue
        if given is not None:
            fit, text = given_of(given, view, entry)
            if fit is not SURE:
                worlds.append(off())
            if fit is NO:
                continue
            if fit is UNCLEAR:
                missing = missing or text
        made, why = make(entry)
        worlds += made
        missing = missing or why
    ids = [entry.id for entry in trigger.entries if entry is not None]
    activation = tuple(ids) if len(ids) < 2 else tuple(dict.fromkeys(ids))
    return Obligation(key or trigger.key, tuple(worlds), missing, activation, tuple(dict.fromkeys(rejected)), None, about)


def or_nothing(found: list[Obligation]) -> list[Obligation]:
    """What a kind gives back: what was activated, or the one obligation that says that nothing was."""
    return [o for o in found if o.shown or not _off(o)] or _NOTHING


def _off(obligation: Obligation) -> bool:
    for world in obligation.worlds:  # noqa: SIM110 - asked of every obligation, and a generator costs more than the answer
        if world.duty.state is not OFF:
            return False
    return True


OFF = State.OFF
_NOTHING = [nothing()]


# --------------------------------------------------------------------------------------------------------------- persons
@lean
class Concerned:
    """A person of a role on a day; ``missing`` where the list does not say enough."""

    person: str
    missing: str = ""


def concerned(view: View, roles: Sequence[str], day: int) -> list[Concerned] | None:
    """The members in one of the roles on the day, in order of their ids; None where no list is on record."""
    if not view.roster.known:
        return None
    key = concerned, tuple(roles), day
    kept: list[Concerned] | None = view.kept.get(key)
    if kept is not None:
        return kept
    found: dict[str, Concerned] = {}
    for index, member in enumerate(view.roster.members(day)):
        if member.role in roles or member.role is None or member.person is None:
            missing = "members.person" if member.person is None else "members.role" if member.role is None else ""
            person = member.person or f"?{index + 1}"
            if person not in found or not missing:
                found[person] = Concerned(person, missing)
    view.kept[key] = kept = [found[person] for person in sorted(found)]
    return kept


NO_HOUSEHOLD = "household"


def no_household(activated: Entry | None) -> Obligation:
    """Per-person rules cannot be judged while no household is on record."""
    ids = () if activated is None else (activated.id,)
    return Obligation("case", (hole(NO_HOUSEHOLD, None if activated is None else activated.day),), NO_HOUSEHOLD, ids)
