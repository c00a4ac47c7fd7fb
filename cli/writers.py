"""How `duecare check` shows what it found: text, JSON, JUnit.  Imports click and rules.*; each writer streams case by case."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cli.common import plural

if TYPE_CHECKING:
    from rules.evaluate import Evaluation
    from rules.model import CaseFile, Verdict
    from rules.policy import Policy

COLOURS = {"breached": "red", "late": "yellow", "due_soon": "yellow", "unknown": "magenta", "excused": "cyan", "met": "green"}
ORDER = ("breached", "late", "due_soon", "unknown", "excused", "pending", "met", "not_applicable")
WORDS = {"not_applicable": "not applicable", "due_soon": "due soon"}
LOOKED_AT = frozenset({"breached", "late", "due_soon", "unknown", "excused"})
"""What text shows one by one; the others are counted, and rules that have nothing to do with the case left out."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case and what was found in it."""

    file: CaseFile
    evaluation: Evaluation
    as_of: int | dt.date
    known_at: int | dt.date


Writer = Callable[[Iterable[Judged]], int]
"""Writes everything to stdout and returns how many obligations are breached."""


def writer_for(form: str, *, everything: bool, policies: Sequence[Policy], refused: int) -> Writer:
    """The writer for ``--format``."""
    if form == "json":
        return write_json
    if form == "junit":
        from cli.junit import write_verdicts

        return lambda cases: write_verdicts(cases, titles=_titles(policies))
    return _Text(everything=everything, policies=policies, refused=refused).write


def write_json(cases: Iterable[Judged]) -> int:
    """One array of verdicts, a verdict a line."""
    breached, first = 0, True
    out = sys.stdout
    out.write("[")
    for judged in cases:
        for verdict in judged.evaluation.verdicts:
            out.write("\n" if first else ",\n")
            out.write(json.dumps(verdict.as_dict(), ensure_ascii=False))
            breached += verdict.verdict == "breached"
            first = False
    out.write("]\n" if first else "\n]\n")
    return breached


def _titles(policies: Sequence[Policy]) -> dict[tuple[str, str], str]:
    return {(policy.id, rule.id): rule.title for policy in policies for rule in policy.rules}


class _Text:
    def __init__(self, *, everything: bool, policies: Sequence[Policy], refused: int) -> None:
        self.everything = everything
        self.policies = policies
        self.refused = refused
        self.titles = _titles(policies)
        self.counts: Counter[str] = Counter()
        self.cases = 0
        self.queries = 0

    def write(self, cases: Iterable[Judged]) -> int:
        for judged in cases:
            self.cases += 1
            self._case(judged)
        self._summary()
        return self.counts["breached"]

    def _case(self, judged: Judged) -> None:
        verdicts = [verdict for verdict in judged.evaluation.verdicts if self.everything or verdict.reason != "out_of_scope"]
        counts = Counter(str(verdict.verdict) for verdict in verdicts)
        self.counts.update(counts)
        self.queries += len(judged.evaluation.queries)
        listed = [verdict for verdict in verdicts if self.everything or verdict.verdict in LOOKED_AT]
        if not listed and not judged.evaluation.queries:
            return
        click.echo(click.style(judged.file.case, bold=True))
        sentences = self._sentences(judged) if listed else {}
        for verdict in sorted(listed, key=lambda one: ORDER.index(one.verdict)):
            self._verdict(verdict, sentences.get(verdict.key, ""))
        for query in judged.evaluation.queries:
            click.echo(f"  {click.style('to check', fg='blue')}  {query.message}")
        rest = "" if self.everything else _counted({name: n for name, n in counts.items() if name not in LOOKED_AT})
        if rest:
            click.echo(click.style(f"  also {rest}", dim=True))
        click.echo()

    def _sentences(self, judged: Judged) -> dict[tuple[str, str, str, str, str], str]:
        from rules.explain import explain

        explanations = explain(self.policies, judged.file, as_of=judged.as_of, known_at=judged.known_at)
        return {explanation.verdict.key: explanation.sentence for explanation in explanations}

    def _verdict(self, verdict: Verdict, sentence: str) -> None:
        word = WORDS.get(verdict.verdict, verdict.verdict)
        title = self.titles.get((verdict.policy, verdict.rule), "")
        head = click.style(f"{word:<14}", fg=COLOURS.get(verdict.verdict), bold=verdict.verdict == "breached")
        click.echo(f"  {head}  {verdict.rule}  {title}")
        if sentence:
            click.echo(f"  {'':<14}       {sentence}")

    def _summary(self) -> None:
        total = sum(self.counts.values())
        parts = [plural(self.cases, "case"), plural(total, "verdict") + (f": {_counted(self.counts)}" if total else "")]
        if self.queries:
            parts.append(plural(self.queries, "thing") + " in the record to check")
        if self.refused:
            parts.append(plural(self.refused, "event or row", "events or rows") + " refused")
        click.echo("; ".join(parts) + ".")


def _counted(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{counts[name]:,} {WORDS.get(name, name)}" for name in ORDER if counts.get(name))
