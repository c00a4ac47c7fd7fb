"""The shape of an audit's report, part by part.  Imports nothing of the project."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict


class Counts(TypedDict):
    """Obligations by verdict."""

    met: int
    late: int
    breached: int
    excused: int
    due_soon: int
    pending: int
    not_applicable: int
    unknown: int


class Place(TypedDict):
    """Cases by the team and office that they belonged to as of the audit."""

    team: str | None
    office: str | None
    cases: int
    with_breaches: int
    """Of these, the cases in which an enforced rule is breached."""


class Row(Counts):
    """Verdicts of one rule on the obligations of one team, office and month."""

    policy: str
    rule: str
    severity: str
    status: str
    """``enforced`` or ``shadow``: what a rule in shadow finds is in no sum of breaches and in no rate."""
    team: str | None
    office: str | None
    month: str | None
    """Of the due day, or of the day of activation where nothing is due on a day, as 2026-03; null: of neither."""


class Reason(TypedDict):
    """Why obligations were unknown, not applicable or excused."""

    policy: str
    rule: str
    status: str
    team: str | None
    office: str | None
    verdict: str
    reason: str | None
    obligations: int


class Timeliness(TypedDict):
    """How many days after its due day (negative: before it) something was done, or has been open by the day of the audit."""

    policy: str
    rule: str
    status: str
    team: str | None
    office: str | None
    what: str
    """``done``: met and late ones.  ``open``: breached ones, counted to the day of the audit."""
    obligations: int
    days: int
    """The sum of them."""
    longest: int
    """The most days after the due day."""
    bins: list[int]
    """How many up to each of ``EDGES``, and how many later."""


class Movement(TypedDict):
    """What became of breaches of one rule in the period, by the lines of their histories."""

    policy: str
    rule: str
    severity: str
    team: str | None
    office: str | None
    opened: int
    reopened: int
    remedied: int
    withdrawn: int
    excused: int
    waived: int
    """Of the excused ones, those that a waiver covers."""


class Ended(TypedDict):
    """An obligation that was open when its episode ended before the due day."""

    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    due_on: str | None
    team: str | None
    office: str | None


class Sample(TypedDict):
    """A case drawn for a person to look at, with the obligation that it was drawn for."""

    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    verdict: str
    reason: str | None
    status: str
    due_on: str | None
    satisfied_on: str | None
    days_late: int | None
    team: str | None
    office: str | None
    sentence: str


class Stratum(TypedDict):
    """One team and verdict: how many cases there are, and how many were drawn."""

    team: str | None
    office: str | None
    verdict: str
    cases: int
    drawn: int


class QueryCount(TypedDict):
    """Things in the record that a person should look at, by what they are; they are never breaches."""

    team: str | None
    office: str | None
    code: str
    count: int


class Failure(TypedDict):
    """A case that could not be judged, and where judging it failed.  Nothing of its content."""

    case: str
    why: str


class DifferenceRow(TypedDict):
    """How many stored findings of a rule differ from what judging anew found."""

    policy: str
    rule: str
    team: str | None
    office: str | None
    kind: str
    """``missing``: found, and not stored.  ``surplus``: stored, and not found.  ``different``: both, and they say different things.
    ``breach``: the verdict is right, and the condition of the breach on record does not follow from it."""
    obligations: int


class Difference(TypedDict):
    """One of them.  ``stored`` and ``found`` hold the verdict's facts that differ, or all where one side has none."""

    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    team: str | None
    office: str | None
    kind: str
    stored: dict[str, Any] | None
    found: dict[str, Any] | None


class LeftOut(TypedDict):
    """Cases that could not be compared with what is stored, as it was not about the same moment."""

    waiting: int
    """They waited to be judged: an event had come, or their time."""
    judged_since: int
    """What is stored was judged after the instants of the audit."""
    never_judged: int


class Verification(TypedDict):
    """Every case judged anew against what is stored.  Differences are repaired by judging again, and by nothing else."""

    compared: int
    """Cases."""
    differing: int
    """Cases with a difference."""
    left_out: LeftOut
    rows: list[DifferenceRow]
    items: list[Difference]
    unlisted: int
    """Differences that are counted and not listed."""


class Group(Counts):
    """A line of a table: verdicts of the enforced rules, with rates over ``judged``."""

    value: str | None
    """The rule, severity, team, office or month."""
    policy: str | None
    """In the table by rule."""
    judged: int
    """met + late + breached + excused."""
    met_rate: float | None
    """Rates are rounded to four places; null where nothing was judged."""
    late_rate: float | None
    breached_rate: float | None
    small: bool
    """Fewer than ten were judged: a rate says little."""


class Tables(TypedDict):
    rule: list[Group]
    severity: list[Group]
    team: list[Group]
    office: list[Group]
    month: list[Group]


class Totals(TypedDict):
    """Sums over all that the report holds."""

    cases: int
    cases_with_breaches: int
    failed: int
    all: Group
    """The enforced rules."""
    shadow: Group
    """The rules in shadow, apart."""
    ended_before_due: int
    differences: int | None
    """Findings that are stored differently; null: this was no full verification."""


class RuleTold(TypedDict):
    rule: str
    title: str
    severity: str
    status: str
    citation: str
    """The document and where in it."""


class PolicyTold(TypedDict):
    """A version of a policy that judged."""

    policy: str
    title: str
    version: str
    digest: str
    effective: str
    zone: str
    parameters: dict[str, int | None]
    rules: list[RuleTold]


class ScopeTold(TypedDict):
    """What was looked at; null: no limit.  ``from`` and ``to`` are local days, both included."""

    policies: list[str] | None
    program: str | None
    teams: list[str] | None
    offices: list[str] | None
    since: str | None
    """Obligations due (or, without a due day, activated) on that day or later, and what happened to breaches from then on."""
    until: str | None


class Results(TypedDict):
    """What came out.  The same for an incremental audit and a full one of the same inputs."""

    places: list[Place]
    rows: list[Row]
    reasons: list[Reason]
    timeliness: list[Timeliness]
    movements: list[Movement]
    ended_before_due: list[Ended]
    ended_unlisted: int
    """Such obligations beyond those listed."""
    strata: list[Stratum]
    sample: list[Sample]
    queries: list[QueryCount]
    failures: list[Failure]
    failed: int


class Report(TypedDict):
    """The whole of it."""

    format: int
    kind: str
    """``full``: every case was judged anew and compared with what is stored.  ``incremental``: what is stored was taken where nothing
    had happened since."""
    as_of: str
    as_of_on: str
    known_at: str
    known_on: str
    zone: str
    """The zone in which the two days are told."""
    position: int
    """The last event that counts."""
    heartbeat: int
    lines: int
    """The last line of breaches' histories that counts."""
    seed: int
    sample_size: int
    """Cases drawn of each team and verdict."""
    edges: list[int]
    scope: ScopeTold
    policies: list[PolicyTold]
    limited: bool
    """Cut to what the reader may see: its digest is not that of the whole report."""
    results_digest: str
    """SHA-256 of ``results``: equal for two reports that found the same."""
    results: Results
    tables: Tables
    totals: Totals
    verification: Verification | None
