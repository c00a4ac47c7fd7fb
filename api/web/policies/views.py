"""What the pages about policies show, as plain values; see ``api.web.views``.

Times are UTC milliseconds, to be shown in the policy's zone; days are local ``datetime.date``s.  Imports the standard library, and
service.backtests.words for what a report is told in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from service.backtests.words import Told


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that the policy's owner may set."""

    name: str
    value: str
    """In words, with its unit; empty: not set."""
    question: str = ""
    """What the owner is asked."""
    unit: str = "days"
    rules: Sequence[tuple[str, str]] = ()
    """Id and title of the rules that it decides."""
    coming: str = ""
    """What has been approved already for a later day, in words."""
    waiting: int | None = None
    """How many cases, within the reader's teams and offices, wait for it to be set; None: it is set."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in the list of a policy's rules."""

    id: str
    title: str
    severity: str
    status: str
    unset: bool = False
    """A parameter that it needs is not set: it cannot make a breach yet."""


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """The rules of one step or section of the document."""

    title: str
    rules: Sequence[RuleLine]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy in the list of policies."""

    id: str
    title: str
    version: str
    digest: str
    effective: dt.date
    zone: str
    rules: int
    unset: int
    changed_at: int | None = None
    changed_by: str = ""
    """Who approved what is in force; empty: it was installed."""
    changed: str = ""
    """What that changed, in a few words."""
    proposals: int = 0
    """Changes that wait for an answer."""
    upcoming: Sequence[dt.date] = ()
    """Days on which something that is approved already will take effect."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A choice that the source leaves open, and how it is read here."""

    about: str
    reading: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of the history of a policy."""

    digest: str
    version: str
    effective: dt.date
    state: str
    """in_force, upcoming, past or replaced (by one that was decided later for the same day)."""
    at: int | None
    """When it was activated."""
    proposed_by: str = ""
    decided_by: str = ""
    reason: str = ""
    change: str = ""
    """The id of the change that brought it; empty: none that can be opened."""
    open_cases: bool = False
    """It applies to cases that were open on its first day."""
    changes: Sequence[str] = ()
    """What it changed against the one before, in words."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A proposal in a list."""

    id: str
    what: str
    """In a few words, e.g. ``family_contact_days = 14 days``."""
    state: str
    effective: dt.date
    proposed_by: str
    proposed_at: int
    decided_by: str = ""
    decided_at: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """A policy, readable."""

    row: PolicyRow
    groups: Sequence[RuleGroup]
    unset: Sequence[Parameter]
    set_: Sequence[Parameter]
    readings: Sequence[Reading]
    people: Sequence[str]
    """What no machine can judge."""
    versions: Sequence[VersionLine] = ()
    changes: Sequence[ChangeLine] = ()
    may_propose: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a test's timeline, in words."""

    when: str
    what: str
    detail: str = ""
    recorded: str = ""
    """Said only where it was recorded on another day."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a test expects of the rule on one day."""

    when: str
    outcomes: Sequence[str]
    """Codes of verdicts, for the tags."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A test of the rule, as a small story."""

    name: str
    parameters: str
    steps: Sequence[Step]
    expects: Sequence[Expectation]
    outcomes: Sequence[str]
    """All verdicts that it shows, each once."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How many current verdicts of the rule are of one kind; ``href`` leads to them where there is a list of them."""

    outcome: str
    count: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class RulePage:
    """A rule: what it asks for and why, read aloud, with its tests and how it stands."""

    policy: PolicyRow
    id: str
    title: str
    unmet: str
    guidance: str
    citation: str
    severity: str
    status: str
    kinds: Sequence[str]
    aloud: Sequence[str]
    """Sentences that can be read out."""
    meanings: Sequence[str] = ()
    """What the words in them mean."""
    false_alarm: str = ""
    parameters: Sequence[Parameter] = ()
    readings: Sequence[Reading] = ()
    people: Sequence[str] = ()
    tests: Sequence[Shown] = ()
    tests_fit: bool = True
    """They are of the text that is in force, and not of another one that was installed."""
    figures: Sequence[Figure] = ()
    versions: Sequence[VersionLine] = ()
    before: str = ""
    after: str = ""
    """Ids of the neighbouring rules."""
    may_propose: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One change of meaning, in words."""

    rule: str
    """Empty: it concerns the whole policy."""
    title: str
    what: str
    before: str = ""
    after: str = ""
    effect: str = ""
    matters: bool = True
    """Whether any verdict can differ."""
    known: bool = True
    """The rule was there before, so it has a page."""


@dataclass(frozen=True, slots=True)
class Running:
    """A backtest as it stands."""

    id: str
    state: str
    done: int = 0
    total: int = 0
    created_by: str = ""
    created: int | None = None
    error: str = ""
    findings: Sequence[str] = ()
    """Of a finished one: the outcome in sentences."""

    @property
    def over(self) -> bool:
        return self.state in {"done", "failed", "cancelled"}


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A proposal with all that somebody needs who is to decide on it."""

    id: str
    policy: str
    policy_title: str
    zone: str
    what: str
    state: str
    kind: str
    """In words."""
    effective: dt.date
    open_cases: bool
    reason: str
    proposed_by: str
    proposed_at: int
    version: int
    """Of the proposal itself, so that the second of two people is told who was first."""
    digest: str = ""
    decided_by: str = ""
    decided_at: int | None = None
    comment: str = ""
    values: Sequence[tuple[str, str, str]] = ()
    """Parameter, value before, value after; in words."""
    differences: Sequence[Difference] = ()
    enforces: Sequence[tuple[str, str]] = ()
    """Rules that it makes enforced which are not so now: these need a backtest."""
    backtest: Running | None = None
    in_force: bool = True
    """Some version of the policy is: it has a page."""
    sees_backtests: bool = True
    may_backtest: bool = False
    may_approve: bool = False
    may_reject: bool = False
    may_withdraw: bool = False
    why_not: Sequence[str] = ()
    """Why it cannot be approved now by whoever is looking."""


@dataclass(frozen=True, slots=True)
class BacktestPage:
    """A backtest and, once it is done, its report."""

    running: Running
    policy: str
    policy_title: str
    zone: str
    change: str
    candidate: str
    since: dt.date | None = None
    as_of: int | None = None
    told: Told | None = None
    """The report in words; None while there is none."""
    digest: str = ""
    may_cancel: bool = False
