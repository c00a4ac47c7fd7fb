"""Takes cases out of the text of a report so that all that it counts stays.

Pure; imports service.audits.report and service.backtests.report.

A line that names a removed case keeps what is counted by (rule, team, office, verdict) and a pseudonym; its days, sentence and the names
of its episode and obligation go, since with the digest of the old report they could be guessed back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from service.audits import report as auditreport
from service.backtests import report as backtestreport

SENTENCE = "The case was removed under the rules of retention."
_LOSES: Mapping[str, Any] = {
    "episode": "", "obligation": "", "sentence": SENTENCE, "due_on": None, "satisfied_on": None, "activated_on": None, "days_late": None,
    "stored": None, "found": None,
}  # fmt: skip


def of_audit(text: str, names: Mapping[str, str]) -> tuple[str, str] | None:
    """An audit's report without the cases, and its digest; None where it names none of them."""
    report = json.loads(text)
    results, checked = report["results"], report["verification"]
    touched = [_without(results, name, names) for name in ("sample", "ended_before_due", "failures")]
    if checked is not None:
        touched.append(_without(checked, "items", names))
    if not any(touched):
        return None
    report["results_digest"] = auditreport.digest_of(auditreport.text_of(results))
    made = auditreport.text_of(report)
    return made, auditreport.digest_of(made)


def of_backtest(text: str, names: Mapping[str, str]) -> tuple[str, str] | None:
    """The same of a backtest's report."""
    report = json.loads(text)
    touched = [_without(report, name, names) for name in ("samples", "failures")]
    if not any(touched):
        return None
    made = backtestreport.text_of(report)
    return made, backtestreport.digest_of(made)


def _without(part: dict[str, Any], name: str, names: Mapping[str, str]) -> bool:
    """Whether a list of lines named any of the cases; none of them is named any more."""
    lines = part[name]
    if not any(line["case"] in names for line in lines):
        return False
    part[name] = [_line(line, names[line["case"]]) if line["case"] in names else line for line in lines]
    return True


def _line(line: Mapping[str, Any], pseudonym: str) -> dict[str, Any]:
    less = {key: _LOSES.get(key, _side(value)) for key, value in line.items()}
    return {**less, "case": pseudonym}


def _side(value: Any) -> Any:
    """Of a backtest's line, what stood before and after: its verdict stays."""
    return {key: _LOSES.get(key, inner) for key, inner in value.items()} if isinstance(value, dict) else value
