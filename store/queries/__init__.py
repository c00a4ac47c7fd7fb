"""What readers ask of the store: lists with stable paging, counts, single things; each within what the reader may see.

A list takes filters, a ``Scope``, a sort, a limit and a cursor, and gives a ``Page``.  Imports store.models and rules.model.
"""

from __future__ import annotations

from store.queries.casewhere import CaseWhere
from store.queries.casework import (
    CaseDetail,
    CaseSummary,
    StoredEvent,
    case_detail,
    case_facets,
    count_cases,
    list_cases,
    list_events,
    may_see_case,
    visible_cases,
)
from store.queries.counts import Facets, Flow, Tally, breach_facets, breach_flow, open_breaches_by_team, tallies, verdict_facets
from store.queries.findings import (
    StoredVerdict,
    Waiver,
    count_due_soon,
    find_breach,
    find_verdict,
    list_breaches,
    list_due_soon,
    list_verdicts,
    list_waivers,
    waivers_of_case,
)
from store.queries.narrow import EVERYTHING, UNFILTERED, Scope, Where
from store.queries.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from store.queries.upkeep import (
    Backlog,
    Source,
    Waiting,
    backlog,
    list_conflicts,
    list_outbox,
    list_policy_versions,
    list_rejects,
    list_sources,
    list_waiting,
)

__all__ = [
    "DEFAULT_LIMIT",
    "EVERYTHING",
    "MAX_LIMIT",
    "UNFILTERED",
    "Backlog",
    "CaseDetail",
    "CaseSummary",
    "CaseWhere",
    "Facets",
    "Flow",
    "Page",
    "Scope",
    "Source",
    "StoredEvent",
    "StoredVerdict",
    "Tally",
    "Waiting",
    "Waiver",
    "Where",
    "backlog",
    "breach_facets",
    "breach_flow",
    "case_detail",
    "case_facets",
    "count_cases",
    "count_due_soon",
    "find_breach",
    "find_verdict",
    "list_breaches",
    "list_cases",
    "list_conflicts",
    "list_due_soon",
    "list_events",
    "list_outbox",
    "list_policy_versions",
    "list_rejects",
    "list_sources",
    "list_verdicts",
    "list_waiting",
    "list_waivers",
    "may_see_case",
    "open_breaches_by_team",
    "tallies",
    "verdict_facets",
    "visible_cases",
    "waivers_of_case",
]
