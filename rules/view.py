"""One episode seen through one policy: what the kinds ask when they turn rules into obligations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rules.clock import Calendar, Span, Zone
from rules.conditions import Ref, Selector, Term, Where
from rules.course import CourseOfCase, dig
from rules.finding import Finder
from rules.history import Entry, Episode, History
from rules.hits import MOMENT, Hit, alike, both, once, possible_first, possible_last, possible_nth
from rules.matching import YES, Answer, Context, Looked, check
from rules.model import NO, SURE, UNCLEAR, DataQuery
from rules.obligation import Trigger
from rules.owners import Named, Owners, named, on_day
from rules.pauses import Pause, Shift, pauses_of, shift
from rules.periods import Period
from rules.roster import Roster

if TYPE_CHECKING:
    from rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Related:
    """An episode of another case that shares a person with this one."""

    case: str
    episode: Episode


class View:
    """What a rule can see of an episode at ``as_of``.  Made once for each (policy, episode); caches what rules share."""

    def __init__(
        self,
        policy: Policy,
        history: History,
        episode: Episode,
        *,
        zone: Zone,
        calendar: Calendar,
        as_of: int,
        complete_until: int | None,
        complete_with_others: int | None = None,
        related: Sequence[Related] = (),
        domain: CourseOfCase,
    ) -> None:
        self.policy, self.history, self.episode = policy, history, episode
        self.zone, self.calendar, self.as_of, self.domain = zone, calendar, as_of, domain
        self.today = zone.day_of(as_of)
        self.number = str(episode.number)
        self.complete_until, self.complete_with_others = complete_until, complete_with_others
        self.related = related
        self.roster = Roster(episode, domain.roster)
        self.pauses: list[Pause] = pauses_of(episode, domain.course.pauses, self.today)
        self.closed = episode.closed
        self.closes = domain.course.closes.event if domain.course.closes is not None else None
        self.twins: list[tuple[str, tuple[str, ...]]] = []
        self._nth: dict[tuple[str, int], list[Hit | None]] = {}
        self._owners_on: dict[int, Owners] = {}
        self._named: Named | None = None
        self.kept: dict[Any, Any] = {}
        """What kinds of rule work out for one another, by keys of their own."""
        self._known = policy.finders.known
        self._found: dict[Finder, list[Hit]] = {}
        self._firsts: dict[Finder, list[Hit | None]] = {}
        self._anchors: dict[str, Trigger | None] = {}
        self._terms: dict[str, list[Hit]] = {}
        self._types: dict[str, list[Hit]] = {}
        self._anywhere = Context(self)
        self._counted: dict[str, list[Hit]] = {}

    # -- events
    def of_type(self, name: str, *, related: bool = False) -> list[Entry]:
        own = self.episode.by_type.get(name, [])
        if not related:
            return own
        return [*own, *(entry for other in self.related for entry in other.episode.by_type.get(name, ()))]

    def finder(self, selector: Selector) -> Finder:
        known = self._known.get(id(selector))
        return known[1] if known is not None else self.policy.finders.add(selector)

    def find(self, selector: Selector, context: Context | None = None) -> list[Hit]:
        """Every event of the selector's types with the answer to its conditions, in order; what does not fit is among them."""
        finder = self.finder(selector)
        if finder.only is not None:
            return self._all_of(finder.only)
        if context is not None and not finder.alone:
            return self._seek(finder, context)
        found = self._found.get(finder)
        if found is None:
            found = self._found[finder] = self._seek(finder, context)
        return found

    def _seek(self, finder: Finder, context: Context | None) -> list[Hit]:
        hits: list[Hit] = []
        for part in finder.parts:
            if finder.related:
                hits += [self._ask(part.where, e, context) for t in part.types for e in self.of_type(t, related=True)]
            elif part.term is not None:
                hits += self._term(part.term, self.policy.terms[part.term])
            else:
                hits += self._all_of(part.types[0])
        if finder.check is not None or finder.same or finder.attempt:
            hits = [self._narrow(hit, finder, context) for hit in hits]
        if finder.mixed:
            hits.sort(key=_PLACE)
        return hits

    def _all_of(self, name: str) -> list[Hit]:
        found = self._types.get(name)
        if found is None:
            found = self._types[name] = [Hit(entry, SURE) for entry in self.of_type(name)]
        return found

    def _term(self, name: str, term: Term) -> list[Hit]:
        found = self._terms.get(name)
        if found is None:
            found = [self._ask(term.where, e, None) for t in term.names for e in self.of_type(t)]
            if len(term.names) > 1:
                found.sort(key=_ORDER)
            self._terms[name] = found
        return found

    def _ask(self, where: Where | None, entry: Entry, context: Context | None) -> Hit:
        if where is None:
            return Hit(entry, SURE)
        return Hit(entry, *check(where, entry.data, self._anywhere if where.literal else self._at(entry, context)))

    def _at(self, entry: Entry, context: Context | None) -> Context:
        if context is None:
            return Context(self, entry)
        return Context(self, entry, context.activation, context.person, context.item)

    def _narrow(self, hit: Hit, finder: Finder, context: Context | None) -> Hit:
        """The hit with the answer to the selector's own condition."""
        if hit.fit is NO:
            return hit
        entry, check_it = hit.entry, finder.check
        if not finder.same and not finder.attempt and check_it is not None:
            fit, text = check_it(entry.data, self._anywhere if finder.literal else self._at(entry, context))
            return hit if fit is SURE or (fit is UNCLEAR and hit.fit is UNCLEAR) else Hit(entry, fit, text)
        at = self._at(entry, context)
        answers: list[Answer] = [(hit.fit, hit.text)]
        if finder.attempt and at.activation is not None and (mine := self.episode.belongs_to(entry, at.activation.attempt)) is not True:
            answers.append((UNCLEAR, MOMENT) if mine is None else (NO, "it belongs to another closure attempt"))
        answers += [alike(entry.data, at.activation.data, path) for path in finder.same if at.activation is not None]
        if check_it is not None:
            answers.append(check_it(entry.data, at))
        return Hit(entry, *both(answers))

    def first(self, selector: Selector) -> list[Hit | None]:
        """Which events may be the first that a selector finds, whatever asks; None: that there is none."""
        finder = self.finder(selector)
        found = self._firsts.get(finder)
        if found is None:
            found = self._firsts[finder] = possible_first(self.find(selector))
        return found

    def counted(self, name: str) -> list[Hit]:
        """The events of a term that fit or may fit, each real one once: what two sources report is paired off."""
        found = self._counted.get(name)
        if found is None:
            term = self.policy.terms[name]
            found, twins = once([h for h in self._term(name, term) if h.fit is not NO], term.once_per)
            self._counted[name] = found
            self.twins += [pair for pair in twins if pair not in self.twins]
        return found

    def data_queries(self) -> list[DataQuery]:
        """What two sources report alike, and so counts once."""
        for name, term in self.policy.terms.items():
            if term.once_per:
                self.counted(name)
        case = self.history.case
        return [DataQuery("reported_twice", case, f"two sources report the same {kind}; it counts once", ids) for kind, ids in self.twins]

    # -- values
    def state_values(self, name: str, entry: Entry) -> tuple[list[Any], str]:
        """The values that a declared state (the worker) may have had at the time of an event; what is missing, if it cannot be told."""
        hits = []
        paths: dict[int, str] = {}
        for source in self.domain.state.get(name, ()):
            for other in self.of_type(source.event):
                if not entry.surely_before(other) and dig(other.data, source.attribute) is not None:
                    hits.append(Hit(other, SURE if other is entry or other.surely_before(entry) else UNCLEAR))
                    paths[other.order] = source.attribute
        hits.sort(key=lambda h: h.entry.order)
        last = possible_last(hits)
        if any(hit is None for hit in last):
            return [Looked.UNTOLD], paths[next(iter(paths))] if paths else f"{name}.id"
        return [dig(hit.entry.data, paths[hit.entry.order]) for hit in last if hit is not None], ""

    def look_up(self, ref: Ref, context: Context) -> tuple[list[Any], str]:
        """The values that a Ref may stand for in the context of an event (see Looked), and what makes that unclear."""
        entry = context.entry
        if entry is None:
            return [], "event"
        if ref.state is not None:
            return self.state_values(ref.state, entry)
        if ref.previous is not None:
            previous = ref.previous
            hits = []
            for other in self.of_type(entry.type):
                if other is entry or entry.surely_before(other):
                    continue
                answers = [alike(other.data, entry.data, p) for p in previous.same]
                answers += [alike(other.data, entry.data, p, absent_too=True) for p in previous.same_or_absent]
                answers.append(YES if other.surely_before(entry) else (UNCLEAR, MOMENT))
                hits.append(Hit(other, *both(answers)))
            return self._of_last(hits, previous.attribute)
        selector, attribute = (ref.last or ref.greatest), ref.attribute or ""
        assert selector is not None
        context = Context(self, entry, context.activation or entry, context.person, context.item)
        hits = [self._up_to(hit, entry) for hit in self.find(selector, context)]
        if ref.last is not None:
            return self._of_last(hits, attribute)
        return self._greatest([h for h in hits if h.fit is not NO], attribute)

    @staticmethod
    def _up_to(hit: Hit, entry: Entry) -> Hit:
        other = hit.entry
        if hit.fit is NO or other is entry or other.surely_before(entry):
            return hit
        if entry.surely_before(other):
            return Hit(other, NO, "it came later")
        return Hit(other, UNCLEAR, hit.text or MOMENT)

    @staticmethod
    def _of_last(hits: list[Hit], attribute: str) -> tuple[list[Any], str]:
        last = possible_last([h for h in hits if h.fit is not NO])
        values = [Looked.NOTHING if hit is None else _told(hit, attribute) for hit in last]
        missing = next((hit.text for hit in last if hit is not None and hit.fit is UNCLEAR), "")
        return values, missing or (attribute if Looked.UNTOLD in values else "")

    @staticmethod
    def _greatest(hits: list[Hit], attribute: str) -> tuple[list[Any], str]:
        sure = [_told(hit, attribute) for hit in hits if hit.fit is SURE]
        maybe = [_told(hit, attribute) for hit in hits if hit.fit is UNCLEAR]
        least = Looked.UNTOLD if Looked.UNTOLD in sure else max(sure, default=Looked.NOTHING)
        more = [value for value in maybe if isinstance(value, Looked) or isinstance(least, Looked) or value > least]
        missing = next((hit.text for hit in hits if hit.fit is UNCLEAR), "")
        return [least, *more], missing or (attribute if least is Looked.UNTOLD else "")

    def owners(self, day: int) -> Owners:
        """Team, office and worker on a day: the last ones named by then, else the first ones named at all."""
        found = self._owners_on.get(day)
        if found is None:
            if self._named is None:
                self._named = named(self.episode, self.domain)
            found = self._owners_on[day] = on_day(self._named, day)
        return found

    def nth(self, name: str, number: int) -> list[Hit | None]:
        """Which counted events of a term may be the n-th one; None: that there are fewer."""
        if (name, number) not in self._nth:
            self._nth[name, number] = possible_nth(self.counted(name), number)
        return self._nth[name, number]

    def anchor(self, name: str) -> Trigger | None:
        """From when the weeks of a declared anchor count: the first event of its term, unless that came too late after ``of``."""
        if name not in self._anchors:
            self._anchors[name] = self._anchor(name)
        return self._anchors[name]

    def _anchor(self, name: str) -> Trigger | None:
        anchor = self.policy.anchors[name]
        bases, firsts = self.first(anchor.of), possible_first(self.counted(anchor.first))
        span = self.span(anchor.if_within)
        entries: list[Entry | None] = []
        for base in bases:
            for first in firsts:
                in_time = first is not None and (
                    base is None or span is None or first.entry.day <= span.after(base.entry.day, self.calendar)
                )
                chosen = first if in_time else base
                entry = None if chosen is None else chosen.entry
                if entry not in entries:
                    entries.append(entry)
        if entries == [None]:
            return None
        missing = next((hit.text for hit in (*bases, *firsts) if hit is not None and hit.fit is UNCLEAR), MOMENT)
        return Trigger("case", tuple(entries), missing if len(entries) > 1 else "")

    # -- time
    def span(self, period: Period | None) -> Span | None:
        return None if period is None else self.policy.limit(period)[0]

    def moved(self, activated: int, due: int) -> Shift:
        return shift(self.pauses, activated, due)

    def boundaries(self) -> Iterable[int]:
        """Days at whose start something changes by itself."""
        return self.roster.boundaries()


_PLACE = attrgetter("entry.first", "entry.recorded", "entry.source", "entry.id")
_ORDER = attrgetter("entry.order")


def _told(hit: Hit, attribute: str) -> Any:
    value = dig(hit.entry.data, attribute)
    return Looked.UNTOLD if value is None else value
