"""The report of a backtest told in words and tables: one telling for the terminal, the file to keep and the pages.

Pure; imports rules.wording, rules.comparison and service.tables.  Works on a report as ``service.backtests.runs.report`` gives it,
cut or whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.comparison import NOTHING, SHADOW, Change
from rules.wording import day_words
from service.tables import Table, aligned

CHANGES: dict[str, str] = {
    Change.GAINED: "breaches gained",
    Change.LOST: "breaches lost",
    Change.APPEARED: "new obligations",
    Change.DISAPPEARED: "obligations that fall away",
    Change.CHANGED: "other verdicts",
    Change.MOVED: "other due days",
    Change.NOTED: "other details",
}
"""What each change is called as the head of a column or a list."""
MEANINGS: dict[str, str] = {
    Change.GAINED: "A breach, open or mended late, where there was none.",
    Change.LOST: "A breach, open or mended late, that would be none.",
    Change.APPEARED: "Something is asked where nothing was asked.",
    Change.DISAPPEARED: "Nothing is asked any more where something was.",
    Change.CHANGED: "Another verdict, without a breach coming or going.",
    Change.MOVED: "The same verdict with another due day, or late by another number of days.",
    Change.NOTED: "The same verdict and days; the reason, the evidence or the severity differs.",
}
_VERDICTS = {"not_applicable": "not applicable", "due_soon": "due soon", NOTHING: "nothing asked"}
_MOST_SAMPLES = 5
"""Examples told of each rule and change, whatever the number of teams that they are kept by."""


@dataclass(frozen=True, slots=True)
class Example:
    """One obligation to open, with what each side says of it."""

    case: str
    episode: str
    obligation: str
    place: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Examples:
    """Some of the obligations of one rule that change in one way, and how many there are."""

    rule: str
    title: str
    change: str
    meaning: str
    count: int
    shown: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A whole report in words."""

    title: str
    about: tuple[str, ...]
    """What was compared with what, as of when."""
    findings: tuple[str, ...]
    """The outcome in sentences, the most important first."""
    tables: tuple[Table, ...]
    examples: tuple[Examples, ...]
    failures: tuple[tuple[str, str], ...]
    """Cases that could not be judged, and why."""


def tell(report: Mapping[str, Any]) -> Told:
    """The report in words."""
    return Told(
        title=f"Backtest of {report['policy']} {report['candidate']['version']}",
        about=tuple(_about(report)),
        findings=tuple(_findings(report)),
        tables=tuple(table for table in (_by_rule(report), _by_team(report), _transitions(report)) if table.rows),
        examples=tuple(_examples(report)),
        failures=tuple((failure["case"], failure["why"]) for failure in report["failures"]),
    )


def verdict_words(label: str) -> str:
    """A verdict, or ``none``, as a matrix of transitions names it."""
    plain = label.removeprefix(SHADOW)
    words = _VERDICTS.get(plain, plain)
    return f"{words} (in shadow)" if label != plain else words


def _about(report: Mapping[str, Any]) -> Iterable[str]:
    candidate, base = report["candidate"], report["base"]
    yield f"{report['title']}, version {candidate['version']} ({candidate['digest'][:12]}), taken as in force throughout."
    if base:
        told = "; ".join(f"{one['version']} ({one['digest'][:12]}), in force from {day_words(one['effective'])}" for one in base)
        yield f"Compared with version {told}." if len(base) == 1 else f"Compared with versions {told}."
    else:
        yield "No version of this policy is in force: it is compared with nothing."
    if base and (values := list(_values(base[-1]["parameters"], candidate["parameters"]))):
        yield f"Parameters: {'; '.join(values)}."
    yield (
        f"As of {day_words(report['as_of_on'])}, with what was known on {day_words(report['known_on'])} "
        f"(events up to number {report['position']:,})."
    )
    if report["since"] is not None:
        yield f"Only what began on {day_words(report['since'])} or later is compared."
    if report["limited"]:
        yield "Only what you may see is counted and shown."


def _values(old: Mapping[str, int | None], new: Mapping[str, int | None]) -> Iterable[str]:
    def words(value: int | None) -> str:
        return "not set" if value is None else str(value)

    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{name} {words(new.get(name))} (was {words(old.get(name))})"


def _findings(report: Mapping[str, Any]) -> Iterable[str]:
    cases, breaches, obligations = (report["totals"][name] for name in ("cases", "breaches", "obligations"))
    yield (
        f"Breaches, open or mended late: {breaches['before']:,} now, {breaches['after']:,} with the new version; "
        f"{obligations['gained']:,} gained, {obligations['lost']:,} lost."
    )
    yield f"{_count(cases['judged'], 'case')} judged: nothing changes in {cases['unchanged']:,}, something in {cases['changed']:,}."
    if cases["failed"]:
        yield f"{_count(cases['failed'], 'case')} could not be judged; {'it is' if cases['failed'] == 1 else 'they are'} not among these."
    yield f"{_count(obligations['compared'], 'obligation')} compared: {obligations['same']:,} stay the same in every detail."


def _by_rule(report: Mapping[str, Any]) -> Table:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in report["rows"]:
        counts[row["rule"]][row["change"]] += row["obligations"]
    changes = [change for change in CHANGES if any(of[change] for of in counts.values())]
    rows = [
        (rule["rule"], f"{rule['title']}{_status(rule)}", *(f"{counts[rule['rule']][change]:,}" for change in changes))
        for rule in report["rules"]
        if rule["rule"] in counts or rule["before"] != rule["after"]
    ]
    return Table("By rule", ("Rule", "", *(CHANGES[change].capitalize() for change in changes)), tuple(rows), keys=2)


def _status(rule: Mapping[str, Any]) -> str:
    before, after = rule["before"], rule["after"]
    if before == after:
        return ""
    if before is None:
        return f" (new, {after})"
    return " (removed)" if after is None else f" ({after}, was {before})"


def _by_team(report: Mapping[str, Any]) -> Table:
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in report["rows"]:
        counts[row["team"] or "", row["office"] or ""][row["change"]] += row["obligations"]
    changes = [change for change in CHANGES if any(of[change] for of in counts.values())]
    rows = tuple(
        (team or "no team", office or "no office", *(f"{of[change]:,}" for change in changes))
        for (team, office), of in sorted(counts.items())
    )
    return Table("By team", ("Team", "Office", *(CHANGES[change].capitalize() for change in changes)), rows, keys=2)


def _transitions(report: Mapping[str, Any]) -> Table:
    changed = {row["rule"] for row in report["rows"]}
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in report["transitions"]:
        if row["rule"] in changed:
            counts[row["rule"], row["before"], row["after"]] += row["obligations"]
    order = {rule["rule"]: number for number, rule in enumerate(report["rules"])}
    rows = tuple(
        (rule, verdict_words(before), verdict_words(after), f"{count:,}")
        for (rule, before, after), count in sorted(counts.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0]))
    )
    return Table("From verdict to verdict", ("Rule", "Now", "With the new version", "Obligations"), rows, keys=3)


def _examples(report: Mapping[str, Any]) -> Iterable[Examples]:
    titles = {rule["rule"]: rule["title"] for rule in report["rules"]}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in report["rows"]:
        counts[row["rule"], row["change"]] += row["obligations"]
    kept: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for sample in sorted(report["samples"], key=lambda one: (one["case"], one["episode"], one["obligation"])):
        kept[sample["rule"], sample["change"]].append(sample)
    for change in CHANGES:
        for rule, title in titles.items():
            if shown := kept.get((rule, change)):
                told = tuple(_example(sample) for sample in shown[:_MOST_SAMPLES])
                yield Examples(rule, title, change, MEANINGS[change], counts[rule, change], told)


def _example(sample: Mapping[str, Any]) -> Example:
    place = ", ".join(part for part in (sample["team"], sample["office"]) if part)
    before, after = (_sentence(sample[side]) for side in ("before", "after"))
    return Example(sample["case"], sample["episode"], sample["obligation"], place, before, after)


def _sentence(side: Mapping[str, Any] | None) -> str:
    if side is None:
        return "Nothing is asked."
    return f"{side['sentence']} (in shadow)" if side["status"] != "enforced" else str(side["sentence"])


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"


def as_text(told: Told) -> str:
    """For a terminal or a plain file."""
    parts = [told.title, "", *told.about, "", *told.findings]
    for table in told.tables:
        parts += ["", table.title, *aligned(table)]
    for examples in told.examples:
        parts += ["", f"{examples.rule} {examples.title}: {CHANGES[examples.change]} ({examples.count:,})"]
        for one in examples.shown:
            parts += [f"  case {one.case}, episode {one.episode}, {one.obligation}{f' ({one.place})' if one.place else ''}"]
            parts += [f"    now:  {one.before}", f"    then: {one.after}"]
    if told.failures:
        parts += ["", "Cases that could not be judged", *(f"  {case}: {why}" for case, why in told.failures)]
    return "\n".join(parts) + "\n"
