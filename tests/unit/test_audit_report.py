"""The tally and the report of an audit: sums of any division are the same, rates stand with their denominators, exports act as nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from service.audits import page as auditpage
from service.audits.exports import _csv, _sheet_name
from service.audits.report import EDGES, OUTCOMES, cut, summed
from service.audits.tally import CaseFound, Tally
from service.audits.words import as_text, bin_words, tell
from service.tables import told
from store.audits import Audit, AuditScope, Signature

TODAY = {"p": 739_700}
AUDIT = Audit("a", "full", 0, 0, 1, 0, 0, (), AuditScope(), 1, 2, 0, "system", "system", report_digest="d" * 64)


@dataclass(frozen=True)
class Says:
    """A finding with the fields that are counted."""

    case: str = "k1"
    episode: str = "1"
    policy: str = "p"
    rule: str = "R1"
    obligation: str = "case"
    verdict: str = "met"
    reason: str | None = None
    severity: str = "high"
    status: str = "enforced"
    activated_on: str | None = "2026-03-01"
    due_on: str | None = "2026-03-10"
    satisfied_on: str | None = "2026-03-08"
    days_late: int | None = None
    team: str | None = "north"
    office: str | None = None


def found(case: str, *says: Says) -> CaseFound:
    return CaseFound(case, ("north", None), [replace(one, case=case) for one in says], print=case)


def some(count: int) -> list[CaseFound]:
    rnd = random.Random(1)
    reasons: dict[str, str | None] = {"unknown": "source_stale", "not_applicable": "ended_before_due"}
    cases = []
    for number in range(count):
        verdict = rnd.choice(OUTCOMES)
        one = Says(verdict=verdict, reason=reasons.get(verdict), team=rnd.choice(("north", "south", None)), rule=rnd.choice(("R1", "R2")))
        cases.append(found(f"k{number:03}", one, replace(one, obligation="other", status="shadow")))
    return cases


def tally(cases: list[CaseFound]) -> Tally:
    made = Tally(seed=7, size=2, today=TODAY)
    for one in cases:
        made.add(one)
    return made


def report_of(rows: list[dict[str, Any]], **more: Any) -> Any:
    results = {
        name: [] for name in ("places", "reasons", "timeliness", "movements", "ended_before_due", "strata", "sample", "queries", "failures")
    }
    head = {
        "kind": "incremental", "as_of": "2026-03-31T12:29:59.999Z", "as_of_on": "2026-03-31", "known_at": "2026-03-31T12:29:59.999Z",
        "known_on": "2026-03-31", "zone": "Australia/Adelaide", "position": 1, "heartbeat": 0, "lines": 0, "seed": 7, "sample_size": 2,
        "edges": list(EDGES), "limited": False, "policies": [],
        "scope": {"policies": None, "program": None, "teams": None, "offices": None, "since": None, "until": None},
    }  # fmt: skip
    return summed(head, {**results, "rows": rows, "ended_unlisted": 0, "failed": 0, **more}, None)  # type: ignore[typeddict-item]


def row(**more: Any) -> dict[str, Any]:
    names = {"policy": "p", "rule": "R1", "severity": "high", "status": "enforced", "team": "north", "office": None, "month": "2026-03"}
    return {**names, **dict.fromkeys(OUTCOMES, 0), **more}


@pytest.mark.parametrize("size", [1, 3, 50])
def test_tallies_of_any_division_add_up_to_the_same(size):
    cases = some(50)
    whole, sum_of_parts = Tally(seed=7, size=2, today=TODAY), Tally(seed=7, size=2, today=TODAY)
    whole.merge(tally(cases).as_dict())
    for start in range(0, 50, size):
        sum_of_parts.merge(tally(cases[start : start + size]).as_dict())
    assert whole.as_dict() == sum_of_parts.as_dict()
    assert sum(kept[0] for kept in whole.strata.values()) == 50, "rules in shadow are drawn from nothing"


def test_days_early_and_late_fall_into_their_bins():
    made = tally(
        [found("k1", Says(), Says(verdict="late", satisfied_on="2026-03-13", obligation="b"), Says(verdict="breached", obligation="c"))]
    )
    done, still = (made.timeliness["p", "R1", "enforced", "north", None, what] for what in ("done", "open"))
    words = bin_words()
    assert len(words) == len(EDGES) + 1
    assert done[:3] == [2, 1, 3]
    assert [words[place] for place, number in enumerate(done[3:]) if number] == ["1 to 2 days early", "1 to 3 days late"]
    assert still[1] == TODAY["p"] - 739_685
    assert (words[0], words[6], words[-1]) == ("56 or more days early", "on the day", "more than 56 days late")


def test_a_rate_stands_over_what_was_judged_and_shadow_is_apart():
    made = report_of([row(met=6, late=1, breached=2, excused=1, unknown=5, pending=3), row(status="shadow", breached=9)])
    everything = made["totals"]["all"]
    assert (everything["judged"], everything["met_rate"], everything["unknown"], everything["small"]) == (10, 0.6, 5, False)
    assert made["totals"]["shadow"]["breached"] == 9
    assert [one["breached"] for one in made["tables"]["rule"]] == [2]
    few = report_of([row(met=1, unknown=4)])
    assert (few["totals"]["all"]["met_rate"], few["totals"]["all"]["small"]) == (1.0, True)
    assert report_of([row(unknown=4)])["totals"]["all"]["met_rate"] is None
    assert "100.0% (of 1)" in as_text(tell(few))


def test_a_cut_report_sums_what_is_left():
    whole = report_of(
        [row(met=3), row(team="south", breached=2)], places=[{"team": "south", "office": None, "cases": 4, "with_breaches": 2}]
    )
    part = cut(whole, lambda team, _: team == "south")
    assert (part["totals"]["all"]["met"], part["totals"]["all"]["breached"], part["totals"]["cases"], part["limited"]) == (0, 2, 4, True)
    assert part["results_digest"] != whole["results_digest"]


def test_no_cell_of_a_file_acts_as_a_formula_and_no_name_as_a_tag():
    made = report_of([row(team='=HYPERLINK("http://x")', met=1), row(team="<script>", met=1)])
    text = _csv(made, AUDIT).decode("utf-8-sig")
    assert "\"'=HYPERLINK" in text
    signed = [(Signature("a", "user:1", "<b>Mara</b>", 0, "d", "<i>read</i>"), "Mon 1 June 2026")]
    page = auditpage.as_html(tell(made), digest="d", signed=signed)
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;Mara&lt;/b&gt;, Mon 1 June 2026" in page


def test_what_is_told_of_cells_and_sheets():
    assert [told(cell) for cell in (None, 1234, 0.5, "a")] == ["", "1,234", "50.0%", "a"]
    taken: set[str] = set()
    names = [_sheet_name("Ended before they were due: a [long] title (1,234)", taken) for _ in range(2)]
    assert names == ["Ended before they were due  a", "Ended before they were due   2"]
