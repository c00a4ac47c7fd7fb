"""Explanations: the reasoning of a verdict in plain words, with the day arithmetic, the evidence, and what would have met it.

The one renderer for the command line, the API and the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rules.clock import iso
from rules.considered import Considered, considered, entries_of, moment_of
from rules.counterfactual import Told, clause_of, entry_of, would_have_met
from rules.evaluate import Evaluation, Judged, When, evaluate
from rules.history import Entry
from rules.hits import MOMENT
from rules.model import CaseFile, Outcome, Verdict
from rules.nearness import not_said
from rules.obligation import World
from rules.phrases import joined
from rules.policy import Policy
from rules.reading import names_in
from rules.saying import Saying
from rules.wording import day_words, days_words, reason_words


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict told in words.  ``sentence`` says it all in one; the rest is the reasoning."""

    verdict: Verdict
    title: str
    sentence: str
    reasoning: tuple[str, ...]
    considered: tuple[Considered, ...]
    would_have_met: str
    citation: str
    guidance: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The reasoning, line by line, events included."""
        return (*self.reasoning, *(one.words() for one in self.considered), *((self.would_have_met,) if self.would_have_met else ()))

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.as_dict(),
            "title": self.title,
            "sentence": self.sentence,
            "reasoning": list(self.reasoning),
            "considered": [
                {"event": c.event, "type": c.type, "happened": c.happened, "recorded": c.recorded, "counts": c.counts, "why": c.why}
                for c in self.considered
            ],
            "would_have_met": self.would_have_met,
            "citation": self.citation,
            "guidance": self.guidance,
        }

    def as_text(self) -> str:
        head = f"{self.verdict.rule} {self.title}: {self.verdict.verdict.value}"
        about = f"case {self.verdict.case}, episode {self.verdict.episode}, {self.verdict.obligation}"
        tail = f"Rests on: {self.citation}"
        return "\n".join(
            [head, f"  {about}", f"  {self.sentence}", *(f"  - {line}" for line in self.lines), f"  {tail}", f"  {self.guidance}"]
        )


def explain(
    policies: Sequence[Policy],
    file: CaseFile,
    *,
    as_of: When,
    known_at: When,
    rule: str | None = None,
    obligation: str | None = None,
    waived: Collection[tuple[str, str, str]] = (),
) -> list[Explanation]:
    """Explains a case's verdicts, or those of one rule or obligation, in the order of `evaluate`."""
    return explained(evaluate(policies, file, as_of=as_of, known_at=known_at, waived=waived), rule=rule, obligation=obligation)


def explained(evaluation: Evaluation, *, rule: str | None = None, obligation: str | None = None) -> list[Explanation]:
    """The same for an evaluation that is at hand."""
    return [
        _one(judged)
        for judged in evaluation.details
        if (rule is None or judged.rule.id == rule) and (obligation is None or judged.obligation.key == obligation)
    ]


def _one(judged: Judged) -> Explanation:
    rule = judged.rule
    documents = judged.policy.documents
    return Explanation(
        verdict=judged.verdict,
        title=rule.title,
        sentence=sentence(
            judged.verdict,
            rule.title,
            rule.unmet,
            today=iso(judged.view.today) or "",
            done_word=rule.done_word,
            due_word=rule.due_word,
            missing=_missing(judged),
            ended=_ended(judged),
        ),
        reasoning=tuple(_reasoning(judged)),
        considered=tuple(considered(judged)),
        would_have_met=_would_have_met(judged),
        citation=f"{documents.get(rule.citation.document, rule.citation.document)}, {rule.citation.at}",
        guidance=rule.guidance,
    )


def sentence(
    verdict: Verdict,
    title: str,
    unmet: str,
    *,
    today: str,
    done_word: str = "done",
    due_word: str = "due by",
    missing: Callable[[str], str] | None = None,
    ended: str = "",
) -> str:
    """The verdict in one sentence, exact and kind.  ``today``: the local day (ISO) as of which it was judged.

    ``missing``: tells a missing attribute in the words of a catalogue.  ``ended``: what ended it before it was due, where that is known.
    """
    due, done = verdict.due_on, verdict.satisfied_on
    finding = unmet or f"{title}: not {done_word}"
    match verdict.verdict:
        case Outcome.MET:
            return f"{title}: {done_word} on {day_words(done)}" + (
                f", {due_word} {day_words(due)}." if due is not None and done != due else "."
            )
        case Outcome.LATE:
            return f"{finding}, {day_words(due)}; {done_word} {days_words(verdict.days_late or 0)} after it was due, on {day_words(done)}."
        case Outcome.BREACHED:
            return f"{finding}, {day_words(due)}{_overdue(verdict, today)}."
        case Outcome.DUE_SOON:
            return (
                f"{title}: {due_word} {day_words(due)}, {_left(due, today)}."
                if due is not None
                else f"{title}: due soon, with the next event that sets the day."
            )
        case Outcome.PENDING:
            return f"{title}: {due_word} {day_words(due)}." if due is not None else f"{title}: no due day yet."
        case Outcome.EXCUSED:
            return f"{finding}, {day_words(due)}; excused: {reason_words(verdict, missing)}."
        case Outcome.NOT_APPLICABLE:
            return f"{title}: not applicable, since {ended or reason_words(verdict, missing)}{_open_for(verdict, today)}."
        case Outcome.UNKNOWN:
            return f"{title}: cannot be judged, since {reason_words(verdict, missing)}."


def _number(day: str) -> int:
    from datetime import date

    return date.fromisoformat(day).toordinal()


def _overdue(verdict: Verdict, today: str) -> str:
    if verdict.due_on is None or not today or not verdict.curable:
        return ""
    return f"; {days_words(_number(today) - _number(verdict.due_on))} overdue on {day_words(today)}"


def _left(due: str | None, today: str) -> str:
    days = _number(due) - _number(today) if due is not None and today else 0
    return "today" if days == 0 else f"in {days_words(days)}"


def _open_for(verdict: Verdict, today: str) -> str:
    if verdict.reason != "parameter_unset" or verdict.activated_on is None or not today:
        return ""
    return f" (open for {days_words(_number(today) - _number(verdict.activated_on))})"


def _reasoning(judged: Judged) -> list[str]:
    world, verdict, entries = judged.world, judged.verdict, entries_of(judged)
    lines = []
    begun = [entries[name] for name in judged.obligation.activation if name in entries]
    if begun and verdict.activated_on is not None:
        lines.append("It was called for by " + joined([f"{e.type} ({e.id}) on {moment_of(e, judged)}" for e in begun[:3]]) + ".")
    lines += _arithmetic(world, judged, entries)
    if verdict.reason == "parameter_unset":
        lines += [f"Open question to the policy's owner: {question}" for question in _questions(judged)]
    if verdict.contested:
        lines.append(f"To be looked at by a person: {verdict.contested}.")
    if verdict.verdict is Outcome.UNKNOWN:
        lines.append(f"It cannot be judged: {reason_words(verdict, _missing(judged))}.")
    return lines


def _arithmetic(world: World, judged: Judged, entries: dict[str, Entry]) -> list[str]:
    verdict = judged.verdict
    if verdict.due_on is None:
        return []
    clause = clause_of(judged)
    if own := clause.reckoning(Told(judged, clause, entry_of(judged))):
        return own
    pauses = {pause.entry.id for pause in judged.view.pauses} if world.paused_days else set()
    set_by = [entries[name] for name in world.limits if name in entries]
    limits = ", ".join(f"{entry.type} ({entry.id})" for entry in set_by if entry.id not in pauses)
    moved_by = ", ".join(f"{entry.type} ({entry.id})" for entry in set_by if entry.id in pauses)
    if world.duty.gate is not None:
        return [f"It had to be in place by then: {day_words(verdict.due_on)}."]
    due = day_words(verdict.due_on)
    if world.arithmetic.endswith(" after") and world.due_day is not None:
        counted = day_words(iso(world.due_day - world.paused_days))
        lines = [
            f"{world.arithmetic[0].upper()}{world.arithmetic[1:]} {day_words(verdict.activated_on)} is {counted}, to the end of that day."
        ]
    elif world.arithmetic:
        counted = day_words(iso(world.due_day - world.paused_days)) if world.due_day is not None else due
        lines = [f"Due on {counted}: {world.arithmetic}{f' {limits}' if limits else ''}."]
    else:
        lines = [f"Due on {due}, to the end of that day."]
    if world.paused_days:
        lines.append(f"Moved by {days_words(world.paused_days)} of pause ({moved_by}) to {due}.")
    if verdict.due_soon_on is not None:
        lines.append(f"The warning window opens on {day_words(verdict.due_soon_on)}.")
    return lines


def _questions(judged: Judged) -> list[str]:
    policy = judged.policy
    unset = set(policy.unset())
    text = str([clause.model_dump() for clause in judged.rule.clauses])
    return [
        f"{policy.parameters[name].question} ({policy.id}.{name})" for name in policy.parameters if name in unset and f"${name}'" in text
    ]


def _missing(judged: Judged) -> Callable[[str], str]:
    """How a missing attribute is told: by the types of the events that the verdict rests on, else those of the rule, else any."""
    say = Saying(judged.policy)

    def told(path: str) -> str:
        mine = [entry.type for name, entry in entries_of(judged).items() if name in judged.verdict.evidence]
        named = [name for clause in judged.rule.clauses for name in names_in(clause)]
        known = [one for one in (*mine, *say.types(named), *judged.policy.catalogue.types) if say.kind_of(path, [one])]
        return not_said(path, say, known[:1])

    return told


def _ended(judged: Judged) -> str:
    """What ended an obligation before it was due, as a clause: the closure, the member's leaving, or what the rule itself names."""
    if judged.verdict.reason != "ended_before_due":
        return ""
    closed, ended = judged.view.closed, judged.world.duty.ended
    if closed is not None and (ended is None or closed.last == ended):
        return "the case was closed before it was due"
    ends_with = getattr(clause_of(judged), "ends_with", None)
    if ends_with is None:
        return "the person left before it was due"
    return f"it ended before it was due: {Saying(judged.policy).selector(ends_with.model_copy(update={'same': ()}))}"


def _would_have_met(judged: Judged) -> str:
    if judged.verdict.verdict is Outcome.UNKNOWN:
        return _once(judged)
    found = would_have_met(judged)
    return "" if found is None else found.words


def _once(judged: Judged) -> str:
    """When it can be judged."""
    reason = judged.verdict.reason or ""
    if reason == MOMENT:
        return "It can be judged once the moments of that day are on record."
    if reason == "source_stale":
        return (
            "It can be judged once every source of this case has reported up to the end of the due day, "
            "with no record left that cannot be read."
        )
    if reason == "missing household":
        return "It can be judged once the household is on record."
    if reason.startswith("missing "):
        return f"It can be judged once this is mended: {reason_words(judged.verdict, _missing(judged))}."
    return ""
