"""JUnit XML, so that a build server shows verdicts and policy tests as it shows tests.  Imports the standard library only."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from cli.writers import Judged

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One testcase.  ``failure`` and ``skipped`` are messages; both None: it passed."""

    suite: str
    name: str
    failure: str | None = None
    skipped: str | None = None
    detail: str = ""


def write(cases: Iterable[Case], *, name: str, out: TextIO | None = None) -> None:
    """One testsuite with a testcase each; to stdout unless told otherwise."""
    out = out or sys.stdout
    listed = list(cases)
    failures = sum(case.failure is not None for case in listed)
    skipped = sum(case.skipped is not None for case in listed)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    totals = f'tests="{len(listed)}" failures="{failures}" errors="0" skipped="{skipped}"'
    out.write(f"<testsuites {totals}>\n<testsuite name={_attribute(name)} {totals}>\n")
    for case in listed:
        out.write(f"<testcase classname={_attribute(case.suite)} name={_attribute(case.name)}")
        if case.failure is not None:
            out.write(f"><failure message={_attribute(case.failure)}>{_text(case.detail)}</failure></testcase>\n")
        elif case.skipped is not None:
            out.write(f"><skipped message={_attribute(case.skipped)}/></testcase>\n")
        else:
            out.write("/>\n")
    out.write("</testsuite>\n</testsuites>\n")


def write_verdicts(cases: Iterable[Judged], *, titles: Mapping[tuple[str, str], str]) -> int:
    """A testcase for each verdict: breached fails; unknown and not applicable are skipped, with the reason.  Returns the breaches."""
    listed = []
    breached = 0
    for judged in cases:
        for verdict in judged.evaluation.verdicts:
            title = titles.get((verdict.policy, verdict.rule), "")
            name = f"{verdict.rule} {title} [{verdict.episode} {verdict.obligation}]"
            failure = skipped = None
            if verdict.verdict == "breached":
                breached += 1
                failure = f"breached, due {verdict.due_on}" if verdict.due_on else f"breached: {verdict.reason or title}"
            elif verdict.verdict in ("unknown", "not_applicable"):
                skipped = f"{verdict.verdict}: {verdict.reason}"
            detail = "" if failure is None else f"{verdict.policy} {verdict.rule}; evidence {', '.join(verdict.evidence) or 'none'}"
            listed.append(Case(f"{verdict.case}.{verdict.policy}", name, failure, skipped, detail))
    write(listed, name="duecare check")
    return breached


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
