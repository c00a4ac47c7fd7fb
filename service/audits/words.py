"""The report of an audit told in words and tables: one telling for the terminal, the workbook, the page to keep and the PDF.

Pure; imports rules.wording, service.audits.report and service.tables.  Works on a report as ``service.audits.runs.report`` gives it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rules.wording import day_words, told_reason
from service.audits.report import EDGES, SMALL, Report
from service.tables import Cell, Table, aligned

MOST_ROWS = 500
"""Rows of a list that a page shows; the others stand in the JSON and in the workbook."""
HEADS = {"rule": "Rule", "severity": "Severity", "team": "Team", "office": "Office", "month": "Month due"}
VERDICTS = {"not_applicable": "not applicable", "due_soon": "due soon"}
DIFFERENCES = {
    "missing": "found, and not stored",
    "surplus": "stored, and not found",
    "different": "stored with other facts",
    "breach": "breach in another condition",
}
NO_PLACE = "none named"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of a distribution: its words, and how many."""

    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Told:
    """A whole report in words.  ``bars``: how early or late what was done was done, by bins of days."""

    title: str
    about: tuple[str, ...]
    findings: tuple[str, ...]
    bars: tuple[Bar, ...]
    tables: tuple[Table, ...]


def tell(report: Report, *, most: int = MOST_ROWS) -> Told:
    """The report in words; lists of at most ``most`` rows."""
    tables = (*_summaries(report), *_details(report, most))
    return Told(
        title=f"Audit as of {day_words(report['as_of_on'])}",
        about=tuple(_about(report)),
        findings=tuple(_findings(report)),
        bars=tuple(bars(report, "done")),
        tables=tuple(table for table in tables if table.rows),
    )


def bin_words() -> tuple[str, ...]:
    """What the bins of a distribution of days are called."""
    words = [f"{-EDGES[0]} or more days early"]
    for before, edge in pairwise(EDGES):
        first, last = before + 1, edge
        if edge == 0:
            words.append("on the day")
        elif edge < 0:
            words.append(f"{-last} to {-first} days early")
        else:
            words.append(f"{first} to {last} days late")
    return (*words, f"more than {EDGES[-1]} days late")


def bars(report: Report, what: str) -> list[Bar]:
    """How many obligations of enforced rules fell into each bin; ``what``: ``done``, or ``open`` by the day of the audit."""
    sums = [0] * (len(EDGES) + 1)
    for row in report["results"]["timeliness"]:
        if row["what"] == what and row["status"] == "enforced":
            sums = [have + more for have, more in zip(sums, row["bins"], strict=True)]
    return [Bar(words, count) for words, count in zip(bin_words(), sums, strict=True)]


def as_text(told: Told) -> str:
    """For a terminal or a plain file."""
    parts = [told.title, "", *told.about, "", *told.findings]
    for table in told.tables:
        parts += ["", table.title, *aligned(table)]
    return "\n".join(parts) + "\n"


def _about(report: Report) -> Iterable[str]:
    for policy in report["policies"]:
        yield f"{policy['title']}, version {policy['version']} ({policy['digest'][:12]}), in force from {day_words(policy['effective'])}."
    yield (
        f"As of {day_words(report['as_of_on'])} ({report['as_of']}), with what was known on {day_words(report['known_on'])} "
        f"({report['known_at']}): events up to number {report['position']:,}. Days are those of {report['zone']}."
    )
    scope = report["scope"]
    limits = [f"{name} {', '.join(scope[key])}" for key, name in (("teams", "teams"), ("offices", "offices")) if scope[key] is not None]  # type: ignore[literal-required]
    if scope["program"] is not None:
        limits.append(f"the program {scope['program']}")
    if scope["since"] is not None or scope["until"] is not None:
        limits.append(f"what was due from {day_words(scope['since']) if scope['since'] else 'the beginning'} to {_until(scope['until'])}")
    if limits:
        yield f"Only {'; '.join(limits)}."
    if report["kind"] == "full":
        yield "A full verification: every case was judged anew and compared with what is stored."
    else:
        yield "An incremental audit: what is stored was taken where nothing had happened since it was judged."
    if report["limited"]:
        yield "Only what you may see is counted and shown."


def _until(day: str | None) -> str:
    return "now" if day is None else day_words(day)


def _findings(report: Report) -> Iterable[str]:
    totals, everything = report["totals"], report["totals"]["all"]
    yield f"{_count(totals['cases'], 'case')}, of which {totals['cases_with_breaches']:,} with a rule breached."
    if everything["judged"]:
        yield (
            f"{_count(everything['judged'], 'obligation')} were due and could be judged: {everything['met']:,} met "
            f"({everything['met_rate']:.1%}), {everything['late']:,} late, {everything['breached']:,} breached, "
            f"{everything['excused']:,} excused."
        )
    yield (
        f"In no rate: {everything['unknown']:,} unknown, {everything['pending']:,} pending, {everything['due_soon']:,} due soon, "
        f"{everything['not_applicable']:,} not applicable, of which {totals['ended_before_due']:,} ended before they were due."
    )
    if totals["failed"]:
        yield f"{_count(totals['failed'], 'case')} could not be judged; {'it is' if totals['failed'] == 1 else 'they are'} not among these."
    checked = report["verification"]
    if checked is not None:
        left = checked["left_out"]
        yield (
            f"{_count(checked['compared'], 'case')} compared with what is stored: "
            f"{_count(totals['differences'] or 0, 'difference')} in {_count(checked['differing'], 'case')}."
        )
        if sum((left["waiting"], left["judged_since"], left["never_judged"])):
            yield (
                f"Not compared: {left['waiting']:,} cases that waited to be judged, {left['judged_since']:,} that were judged after "
                f"that moment, {left['never_judged']:,} never judged."
            )


def _summaries(report: Report) -> Iterable[Table]:
    titles = {(policy["policy"], rule["rule"]): rule["title"] for policy in report["policies"] for rule in policy["rules"]}
    counted = ("Judged", "Met", "Late", "Breached", "Excused", "Met rate", "Unknown", "Pending", "Due soon", "Not applicable")
    tables: Mapping[str, Any] = report["tables"]
    for name, head in HEADS.items():
        rows = []
        for one in tables[name]:
            label = (
                (one["value"] or NO_PLACE, titles.get((one["policy"], one["value"]), "")) if name == "rule" else (one["value"] or NO_PLACE,)
            )
            rate = f"{told_rate(one['met_rate'])} (of {one['judged']})" if one["small"] and one["judged"] else one["met_rate"]
            counts = [one[key] for key in ("judged", "met", "late", "breached", "excused")]
            rest = [one[key] for key in ("unknown", "pending", "due_soon", "not_applicable")]
            rows.append((*label, *counts, rate, *rest))
        note = f"A rate over fewer than {SMALL} obligations stands with their number: it says little."
        keys = 2 if name == "rule" else 1
        yield Table(f"By {head.lower()}", (head, *([""] if keys == 2 else []), *counted), tuple(rows), keys=keys, note=note)


def told_rate(rate: float | None) -> str:
    """A share in per cent."""
    return "" if rate is None else f"{rate:.1%}"


def _details(report: Report, most: int) -> Iterable[Table]:
    found = report["results"]
    yield _timeliness(report)
    moves = ("opened", "reopened", "remedied", "withdrawn", "excused", "waived")
    heads = tuple(move.capitalize() for move in moves)
    yield Table(
        "Breaches in the period",
        ("Rule", "Severity", "Team", *heads),
        _summed(found["movements"], ("rule", "severity", "team"), moves),
        keys=3,
    )
    for verdict, title in (
        ("unknown", "Unknown, by cause"),
        ("excused", "Excused, by cause"),
        ("not_applicable", "Not applicable, by reason"),
    ):
        rows = [{**one, "reason": told_reason(one["reason"] or "")} for one in found["reasons"] if one["verdict"] == verdict]
        yield Table(title, ("Rule", "Cause", "Obligations"), _summed(rows, ("rule", "reason"), ("obligations",)), keys=2)
    shadow = [row for row in found["rows"] if row["status"] != "enforced"]
    verdicts = ("met", "late", "breached", "excused", "unknown")
    heads = tuple(verdict.capitalize() for verdict in verdicts)
    yield Table("Rules in shadow", ("Rule", *heads), _summed(shadow, ("rule",), verdicts), note="They open no breach and count in no rate.")
    yield _listed(
        "Ended before they were due", found["ended_before_due"], ("case", "episode", "rule", "obligation", "due_on", "team"), most,
        more=found["ended_unlisted"],
    )  # fmt: skip
    yield _listed("Drawn for a person to look at", found["sample"], ("case", "rule", "obligation", "verdict", "team", "sentence"), 10_000)
    strata = _summed(found["strata"], ("team", "verdict"), ("cases", "drawn"))
    yield Table("What was drawn from", ("Team", "Verdict", "Cases", "Drawn"), strata, keys=2, note=f"Drawn with the seed {report['seed']}.")
    yield Table("Things in the record to look at", ("Code", "Count"), _summed(found["queries"], ("code",), ("count",)))
    checked = report["verification"]
    if checked is not None:
        items = [
            {**one, "what": DIFFERENCES[one["kind"]], "here": _facts(one["stored"]), "anew": _facts(one["found"])}
            for one in checked["items"]
        ]
        columns = ("case", "rule", "obligation", "team", "what", "here", "anew")
        heads = ("Case", "Rule", "Obligation", "Team", "Difference", "Stored", "Found")
        yield _listed("Stored differently", items, columns, most, heads=heads, more=checked["unlisted"])
    yield _listed("Cases that could not be judged", found["failures"], ("case", "why"), most)


def _timeliness(report: Report) -> Table:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (len(EDGES) + 1))
    for row in report["results"]["timeliness"]:
        if row["status"] == "enforced":
            what = "done" if row["what"] == "done" else "still open"
            have = sums[row["rule"], what]
            sums[row["rule"], what] = [a + b for a, b in zip(have, row["bins"], strict=True)]
    heads = tuple(words.removesuffix("days early").removesuffix("days late").strip() for words in bin_words())
    early = tuple(f"{head} early" if number < EDGES.index(0) else head for number, head in enumerate(heads))
    late = tuple(f"{head} late" if number > EDGES.index(0) else head for number, head in enumerate(early))
    rows: tuple[tuple[Cell, ...], ...] = tuple((rule, what, *counts) for (rule, what), counts in sorted(sums.items()))
    return Table(
        "Days early or late",
        ("Rule", "", *late),
        rows,
        keys=2,
        note="Days between the due day and the day it was done, or the day of the audit.",
    )


def _summed(rows: Iterable[Mapping[str, Any]], keys: Sequence[str], values: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    sums: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        key = tuple(VERDICTS.get(str(row[name]), str(row[name])) if row[name] is not None else NO_PLACE for name in keys)
        have = sums.setdefault(key, [0] * len(values))
        for place, name in enumerate(values):
            have[place] += row[name]
    return tuple((*key, *counts) for key, counts in sorted(sums.items()) if any(counts))


def _listed(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    most: int,
    *,
    heads: Sequence[str] | None = None,
    more: int = 0,
) -> Table:
    names = tuple(heads) if heads is not None else tuple(column.replace("_", " ").capitalize() for column in columns)
    shown = tuple(tuple(_text(row[column]) for column in columns) for row in rows[:most])
    rest = len(rows) - len(shown) + more
    note = f"{rest:,} more are not listed here." if rest else ""
    return Table(f"{title} ({len(rows) + more:,})", names, shown, keys=len(columns), note=note)


def _text(value: Any) -> str:
    return "" if value is None else VERDICTS.get(str(value), str(value))


def _facts(facts: Mapping[str, Any] | None) -> str:
    if facts is None:
        return "nothing"
    if "verdict" in facts and len(facts) > 3:
        return _text(facts["verdict"])
    return ", ".join(f"{name.replace('_', ' ')} {_text(value) or 'none'}" for name, value in facts.items())


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"
