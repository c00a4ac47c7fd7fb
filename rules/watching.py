"""Looking on while a policy judges: what its conditions, selectors, terms and anchors say, noted for `rules.coverage`.

Conditions tell it through `Test.watch` and `Where.watch`, which change what they become the first time they are put; the rest comes
from a View of its own.  Where nobody looks on, none of this is there.  Pure; imports rules.*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rules.conditions import Selector, Term, Test
from rules.course import dig
from rules.coverageparts import ABSENT, FALSE, LISTS, TRUE, UNCLEAR, Parts, Path, Spot
from rules.finding import Finder, made
from rules.hits import Hit, alike
from rules.kinds.requires import Requires
from rules.matching import JOINERS, MAKERS, Answer, Check, Context, roles_of
from rules.model import Fit
from rules.obligation import Trigger
from rules.view import View

if TYPE_CHECKING:
    from rules.history import Entry

_ANSWERS = {Fit.YES: TRUE, Fit.NO: FALSE, Fit.UNCLEAR: UNCLEAR}
Note = tuple[str, Spot, Fit]
"""The policy, what was seen of it, and what that made of the part (UNCLEAR where it made nothing of it)."""


class Notes:
    """What is seen.  ``views``: the kind of View to judge with."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._selectors: dict[int, tuple[str, Path]] = {}
        self.views: type[View] = type("Watching", (_Watching,), {"seen": self})

    def watch(self, policy: str, parts: Parts) -> None:
        """Begins to look on at the parts of a policy that has not judged yet."""
        for path, name, test in parts.tests:
            vars(test)["watch"] = _TestWatch(self, policy, path, name, test)
        for path, where in parts.joins:
            vars(where)["watch"] = _JoinWatch(self, policy, path)
        self._selectors |= {id(selector): (policy, path) for path, selector in parts.selectors}

    def note(self, policy: str, path: Path, word: str, answer: str, fit: Fit = Fit.UNCLEAR) -> None:
        """Something was seen.  ``fit``: what it made of its part."""
        self.notes.append((policy, (path, word, answer), fit))

    def listen(self, parts: Sequence[Check], data: Any, context: Context, alone: Fit) -> list[Answer]:
        """What the parts of a join say.  Of those that decide it (``alone``: a NO of *and*, a YES of *or*) only a lone one is noted."""
        before, answers, heard = self.notes, [], []
        for part in parts:
            self.notes = []
            answers.append(part(data, context))
            heard.append(self.notes)
        deciding = [answer[0] is alone for answer in answers]
        for notes, decides in zip(heard, deciding, strict=True):
            others = sum(deciding) - decides
            before += [note for note in notes if not others or note[2] is not alone]
        self.notes = before
        return answers

    def selector(self, selector: Selector) -> tuple[str, Path] | None:
        """Which policy a selector belongs to, and its place; None for one that is not watched."""
        return self._selectors.get(id(selector))


def _among(entry: Entry, entries: Iterable[Entry]) -> bool:
    return any(entry is one for one in entries)


def _always(answer: Answer) -> Check:
    return lambda _, __: answer


class _JoinWatch:
    """What all, any and not say, and which of their parts."""

    def __init__(self, seen: Notes, policy: str, path: Path) -> None:
        self.seen, self.policy, self.path = seen, policy, path

    def __call__(self, word: str, parts: Sequence[Check]) -> Check:
        def run(data: Any, context: Context) -> Answer:
            answers = self.seen.listen(parts, data, context, Fit.YES if word == "any" else Fit.NO)
            joined = JOINERS[word]([_always(answer) for answer in answers])(data, context)
            self.seen.note(self.policy, (*self.path, word), word, _ANSWERS[joined[0]], joined[0])
            return joined

        return run


class _TestWatch:
    """What the words of one test say, and of which listed value."""

    def __init__(self, seen: Notes, policy: str, path: Path, name: str, test: Test) -> None:
        self.seen, self.policy, self.path, self.name, self.present = seen, policy, path, name, test.present
        self.wanted = dict(test.active)

    def __call__(self, word: str, ready: Check) -> Check:
        if not word:
            return self._whole(ready)
        wanted = self.wanted[word]
        several = wanted if isinstance(wanted, tuple) and len(wanted) > 1 else ()
        each = [MAKERS[word]((value,) if word in LISTS else value, "") for value in several] if word in LISTS | {"differs_from"} else []
        counts = Fit.NO if word in ("has_all", "differs_from") else Fit.YES
        labels = several if word in LISTS else range(len(several))

        def run(value: Any, context: Context) -> Answer:
            answer = ready(value, context)
            self._note(word, _ANSWERS[answer[0]], answer[0])
            found = [label for label, one in zip(labels, each, strict=False) if one(value, context)[0] is counts]
            for label in found if word != "has_all" or len(found) == 1 else ():
                self._note(word, f"value {label}", counts)
            return answer

        return run

    def _whole(self, ready: Check) -> Check:
        def run(data: Any, context: Context) -> Answer:
            absent = dig(data, self.name) is None
            if self.present is not None:
                holds = absent is not self.present
                self._note("present", TRUE if holds else FALSE, Fit.YES if holds else Fit.NO)
            elif absent:
                self._note("", ABSENT)
            return ready(data, context)

        return run

    def _note(self, word: str, answer: str, fit: Fit = Fit.UNCLEAR) -> None:
        self.seen.note(self.policy, self.path, word, answer, fit)


class _Watching(View):
    """A view that notes what selectors, terms and anchors come to."""

    seen: ClassVar[Notes]

    def finder(self, selector: Selector) -> Finder:
        """Made anew each time, so that nothing is kept and everything is seen."""
        return made(selector, self.policy.terms)

    def find(self, selector: Selector, context: Context | None = None) -> list[Hit]:
        hits = super().find(selector, context)
        known = self.seen.selector(selector)
        if known is not None:
            self._tell(*known, selector, hits)
        return hits

    def _tell(self, policy: str, path: Path, selector: Selector, hits: Iterable[Hit]) -> None:
        note = self.seen.note
        fits = [hit.entry for hit in hits if hit.fit is Fit.YES]
        note(policy, path, "found", TRUE if fits else FALSE)
        for name in selector.names:
            term = self.policy.terms.get(name)
            kinds = (name,) if term is None else term.names
            if any(entry.type in kinds for entry in fits):
                note(policy, path, "event", name)
        if selector.related and any(not _among(entry, self.episode.by_type.get(entry.type, ())) for entry in fits):
            note(policy, path, "related", TRUE)
        if isinstance(selector, Requires) and selector.collects is not None:
            for attribute, wanted in selector.collects.items():
                brought: set[Any] = set()
                for hit in (hit for hit in hits if hit.fit is Fit.YES):
                    value = dig(hit.entry.data, attribute)
                    if value is None:
                        note(policy, path, f"collects.{attribute}", ABSENT)
                    for one in value if isinstance(value, list | tuple) else () if value is None else (value,):
                        brought |= {one} if selector.roles is None else roles_of(one, Context(self, hit.entry))[0]
                labels = {one if isinstance(one, str) else " or ".join(one): {one} if isinstance(one, str) else set(one) for one in wanted}
                lacking = [label for label, values in labels.items() if not values & brought]
                for label, values in labels.items():
                    bringing = values & brought
                    if bringing:
                        note(policy, path, f"collects.{attribute}.{label}", TRUE)
                    elif len(lacking) == 1:
                        note(policy, path, f"collects.{attribute}.{label}", FALSE)
                    if len(bringing) == 1 and not lacking:
                        note(policy, path, f"collects.{attribute}.{label}", next(iter(bringing)))

    def _narrow(self, hit: Hit, finder: Finder, context: Context | None) -> Hit:
        known = self.seen.selector(finder.selector)
        activation = None if context is None else context.activation
        if known is not None and activation is not None and hit.fit is not Fit.NO:
            for same in finder.same:
                answer = alike(hit.entry.data, activation.data, same)[0]
                self.seen.note(*known, f"same.{same}", ABSENT if answer is Fit.UNCLEAR else _ANSWERS[answer])
            if finder.attempt and hit.entry.attempt != activation.attempt:
                self.seen.note(*known, "attempt", FALSE)
        return super()._narrow(hit, finder, context)

    def _term(self, name: str, term: Term) -> list[Hit]:
        hits = super()._term(name, term)
        for hit in hits:
            if hit.fit is Fit.YES:
                self.seen.note(self.policy.id, ("terms", name), "event", hit.entry.type)
        return hits

    def counted(self, name: str) -> list[Hit]:
        hits = super().counted(name)
        types = self.policy.terms[name].names
        if any(kind in types for kind, _ in self.twins):
            self.seen.note(self.policy.id, ("terms", name), "once_per", TRUE)
        return hits

    def anchor(self, name: str) -> Trigger | None:
        trigger = super().anchor(name)
        first = [hit.entry for hit in self.counted(self.policy.anchors[name].first)]
        for entry in trigger.entries if trigger is not None else ():
            if entry is not None:
                self.seen.note(self.policy.id, ("anchors", name), "first", TRUE if _among(entry, first) else FALSE)
        return trigger
