"""What version 1 sends: the shapes of its answers, for the OpenAPI document and for mypy.  Imports pydantic's Field and typing only.

They are TypedDicts: what the use cases give is put into them as it is, without another validation; the tests hold the answers
against the document.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC")]
Day = Annotated[str, Field(json_schema_extra={"format": "date"}, description="local day of the policy's time zone")]
Severity = Literal["critical", "high", "medium", "low", "advisory"]
Condition = Literal["open", "remedied", "withdrawn", "excused"]
Review = Literal["new", "acknowledged", "upheld", "dismissed"]
Outcome = Literal["met", "late", "breached", "due_soon", "pending", "not_applicable", "excused", "unknown"]
NextCursor = Annotated[str | None, Field(description="give it as `cursor` to go on; null: this was the last page")]


class EventFlaw(TypedDict):
    """One reason why an event was not taken in."""

    pointer: Annotated[str, Field(description="RFC 6901 JSON pointer into the event (in binary mode, as the structured event would be)")]
    code: str
    message: str


class EventResult(TypedDict):
    """What became of one event."""

    index: Annotated[int, Field(description="its place in the batch, from 0", ge=0)]
    source: Annotated[str | None, Field(description="as sent; null where it could not be read")]
    id: Annotated[str | None, Field(description="as sent; null where it could not be read")]
    status: Annotated[
        Literal["accepted", "duplicate", "conflict", "rejected"],
        Field(
            description="`duplicate`: the same content was taken in before, nothing happens. "
            "`conflict`: other content is kept under this source and id. `rejected`: see `problems`; send it again once mended."
        ),
    ]
    problems: list[EventFlaw]
    dropped: Annotated[list[str], Field(description="dotted paths of attributes that the catalogue does not know; they are not kept")]


class EventCounts(TypedDict):
    """How many events met which fate."""

    accepted: int
    duplicate: int
    conflict: int
    rejected: int


class EventResults(TypedDict):
    """A result for each event, in the order sent."""

    results: list[EventResult]
    counts: EventCounts


class CloudEvent(TypedDict):
    """A CloudEvents 1.0 event about a case.  Extension attributes that duecare does not know are ignored."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(description="with `source`, identifies the event", min_length=1, max_length=1024)]
    source: Annotated[str, Field(description="the system that it comes from", min_length=1, max_length=1024)]
    type: Annotated[str, Field(description="a type of the event catalogue, e.g. `visit.held`", min_length=1, max_length=1024)]
    subject: Annotated[str, Field(description="the case id", min_length=1, max_length=1024)]
    time: Annotated[
        str, Field(description="when it happened; RFC 3339 with a zone, years 1900 to 2199", json_schema_extra={"format": "date-time"})
    ]
    recordedtime: NotRequired[
        Annotated[
            str,
            Field(description="when the client system recorded it; absent: the time of receipt", json_schema_extra={"format": "date-time"}),
        ]
    ]
    datacontenttype: NotRequired[str]
    data: NotRequired[Annotated[dict[str, Any], Field(description="attributes of the type, as the catalogue has them")]]


class Rejected(TypedDict):
    """An event that was considered and did not count."""

    event: str
    why: str


class Finding(TypedDict):
    """What one rule says of one obligation of a case, without the instants at which it was looked at."""

    case: str
    episode: str
    rule: str
    policy: str
    policy_digest: Annotated[str, Field(description="of the exact policy text that judged")]
    obligation: Annotated[str, Field(description="which activation of the rule: the case itself, a person, a meeting, an interval ...")]
    verdict: Outcome
    reason: Annotated[str | None, Field(description="of `not_applicable` and `unknown`: why")]
    activated_on: Day | None
    due_on: Day | None
    due_soon_on: Day | None
    satisfied_on: Day | None
    days_late: int | None
    curable: Annotated[bool, Field(description="false: nothing that happens now can mend it")]
    evidence: Annotated[list[str], Field(description="ids of the events that it rests on")]
    rejected: list[Rejected]
    severity: Severity
    status: Annotated[str, Field(description="of the rule: `draft`, `shadow`, `enforced` or `retired`")]
    team: str | None
    office: str | None
    worker: str | None
    contested: Annotated[str | None, Field(description="why a person should look at it: a date was moved after the fact")]


class Verdict(Finding):
    """What one rule says of one obligation of a case at (as_of, known_at)."""

    as_of: Instant
    known_at: Instant


class StandingVerdict(Verdict):
    """A verdict as it stands now."""

    id: Annotated[str, Field(description="also the id of its breach, where there is one")]
    changed_at: Annotated[str, Field(description="since when it has stood so", json_schema_extra={"format": "date-time"})]


class VerdictPage(TypedDict):
    """Current verdicts."""

    items: list[StandingVerdict]
    next: NextCursor


class DataQuery(TypedDict):
    """Something in the record that a person should look at; it is never a breach."""

    code: str
    message: str
    events: list[str]


class Considered(TypedDict):
    """An event that was looked at, and what became of it."""

    event: str
    type: str
    happened: Annotated[str, Field(description="in words, local time")]
    recorded: Annotated[str, Field(description="in words, local day")]
    counts: Literal["yes", "no", "unclear"]
    why: str


class Explanation(TypedDict):
    """Why a verdict is what it is, in plain words."""

    verdict: Verdict
    title: Annotated[str, Field(description="of the rule")]
    sentence: Annotated[str, Field(description="all of it in one sentence")]
    reasoning: Annotated[list[str], Field(description="step by step, with the day arithmetic")]
    considered: list[Considered]
    would_have_met: Annotated[str, Field(description="empty where nothing is wanting")]
    citation: str
    guidance: str


class Judgement(TypedDict):
    """A case judged at (as_of, known_at)."""

    case: str
    as_of: Annotated[str, Field(description="the instant, or the day as asked for")]
    known_at: Annotated[str, Field(description="the instant, or the day as asked for")]
    merged_into: Annotated[str | None, Field(description="the case that this one has gone into, where it is judged now")]
    verdicts: list[Verdict]
    queries: Annotated[list[DataQuery], Field(description="what a person should look at in the record")]
    explanations: NotRequired[Annotated[list[Explanation], Field(description="with `explain=true`")]]


class StoredEvent(TypedDict):
    """An event as it was taken in."""

    position: Annotated[int, Field(description="order of taking in; with gaps")]
    source: str
    id: str
    type: str
    subject: Annotated[str, Field(description="the case id")]
    time: Instant
    recordedtime: Annotated[Instant | None, Field(description="null where the sender gave none")]
    received: Instant
    spoken_of: Annotated[list[str], Field(description="ids of voids and corrections, of the same source, that name it")]
    data: dict[str, Any]


class EventPage(TypedDict):
    """Events of a case in the order of taking in."""

    items: list[StoredEvent]
    next: NextCursor


class CaseRow(TypedDict):
    """A case as it was judged last."""

    case: str
    program: str | None
    team: str | None
    office: str | None
    worker: str | None
    open_breaches: int
    evaluated_at: Annotated[Instant | None, Field(description="null: taken in, but not judged yet")]
    next_check_at: Annotated[Instant | None, Field(description="when the passing of time alone may change a verdict; null: never")]
    waiting: Annotated[bool, Field(description="something has arrived, or a day has passed, since it was judged")]
    quarantined: Annotated[bool, Field(description="judging it failed again and again; it is set aside until a person has looked")]


class CasePage(TypedDict):
    """Cases."""

    items: list[CaseRow]
    next: NextCursor


class BreachRow(TypedDict):
    """A breach in a list."""

    id: str
    version: Annotated[int, Field(description="grows with each change; send it in `If-Match`")]
    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    condition: Annotated[Condition, Field(description="set by evaluation")]
    review: Annotated[Review, Field(description="set by people")]
    severity: Severity
    team: str | None
    office: str | None
    worker: str | None
    due_on: Day | None
    days_late: int | None
    contested: str | None
    opened_at: Instant
    changed_at: Instant
    announced_at: Instant | None


class Case(CaseRow):
    """A case and what stands found about it; its journey is under `/events`."""

    events: Annotated[int, Field(description="how many were taken in")]
    verdicts: Annotated[list[StandingVerdict], Field(description="as judged last, 1000 at most")]
    breaches: Annotated[list[BreachRow], Field(description="all on record, the closed ones too, 1000 at most")]
    queries: list[DataQuery]
    linked: Annotated[list[str], Field(description="cases that it is judged together with: merged, or sharing a child")]


class BreachPage(TypedDict):
    """Breaches."""

    items: list[BreachRow]
    next: NextCursor


class HistoryLine(TypedDict):
    """One change of a breach; never altered, never deleted."""

    at: Instant
    kind: str
    actor: str
    before: str | None
    after: str | None
    policy_digest: str | None
    known_at: Instant | None
    event_position: int | None
    events: list[str]
    reason_code: str | None
    comment: str | None


class Waiver(TypedDict):
    """A request that a breach be excused for a time, which another person must approve."""

    id: str
    breach: str
    version: int
    state: Literal["proposed", "approved", "refused", "void", "ended"]
    author: str
    approver: str | None
    reason_code: str
    comment: str | None
    created: Instant
    decided_at: Instant | None
    ends_at: Instant


class Breach(BreachRow):
    """A breach with all that a reviewer needs."""

    verdict: Annotated[Finding, Field(description="the last verdict that was a breach, a remedied or an excused one")]
    explanation: Annotated[Explanation | None, Field(description="as judged now; null where the obligation no longer exists")]
    history: list[HistoryLine]
    waivers: list[Waiver]


class DueRow(StandingVerdict):
    """An obligation inside its warning window or before its due day."""

    days_left: Annotated[int | None, Field(description="from today to the due day; negative while a passed day waits to be judged")]


class DuePage(TypedDict):
    """Obligations that fall due soon, the nearest first."""

    items: list[DueRow]
    next: NextCursor


class PolicyRow(TypedDict):
    """A policy that is in use."""

    id: str
    title: str
    version: str
    digest: Annotated[str, Field(description="changes with anything that can change a verdict, parameters included")]
    effective: Day
    zone: Annotated[str, Field(description="IANA time zone of its days")]
    rule_count: int
    unset: Annotated[list[str], Field(description="parameters that nobody has set: what needs them judges nothing")]


class PolicyList(TypedDict):
    """All policies in use."""

    items: list[PolicyRow]


class Citation(TypedDict):
    """Where a rule comes from."""

    document: str
    at: str


class Rule(TypedDict):
    """A rule of a policy."""

    id: str
    title: str
    guidance: str
    citation: Citation
    severity: Severity
    status: Annotated[str, Field(description="`draft`, `shadow`, `enforced` or `retired`")]
    kind: str


class Parameter(TypedDict):
    """A number that the policy's owner sets."""

    name: str
    unit: str
    value: Annotated[int | None, Field(description="null: not set")]
    question: Annotated[str, Field(description="what its owner has to answer")]


class Question(TypedDict):
    """A choice that the policy's source leaves open, and how it is read here."""

    about: str
    reading: str


class Policy(PolicyRow):
    """A policy, readable."""

    rules: list[Rule]
    parameters: list[Parameter]
    questions: list[Question]
    for_a_person: Annotated[list[str], Field(description="what no machine can judge")]


class Count(TypedDict):
    """How many have this value; null: those that have none."""

    value: str | None
    count: int


class BreachCounts(TypedDict):
    """Breaches on record, counted."""

    total: int
    by: Annotated[dict[str, list[Count]], Field(description="by condition, review, severity, policy, rule, team, office and worker")]


class GroupCounts(TypedDict):
    """Verdicts of one group.  Rates are over `judged`, and null where nothing was judged."""

    group: Annotated[dict[str, str | None], Field(description="the group's value for each name in `by`")]
    verdicts: Annotated[dict[str, int], Field(description="current verdicts by kind")]
    judged: Annotated[int, Field(description="met + late + breached + excused: the denominator of the rates")]
    met_rate: Annotated[float | None, Field(ge=0, le=1)]
    late_rate: Annotated[float | None, Field(ge=0, le=1)]
    breached_rate: Annotated[float | None, Field(ge=0, le=1)]
    mean_days_late: Annotated[float | None, Field(description="over the `late` ones")]
    most_days_late: int | None


class Stats(TypedDict):
    """Counts and rates, each with its denominator."""

    cases: Annotated[int, Field(description="cases that have been judged")]
    breaches: BreachCounts
    groups: list[GroupCounts]
    truncated: Annotated[bool, Field(description="there are more groups than are shown")]


class SourceRow(TypedDict):
    """A source of events, and how fresh it is."""

    source: str
    adapter: Annotated[str | None, Field(description="what pulls it; null: it posts")]
    last_event: Annotated[Instant | None, Field(description="when its last event was received")]
    complete_until: Annotated[
        Instant | None,
        Field(description="it has delivered everything recorded up to then; null: it sends no heartbeat and is taken as complete"),
    ]
    last_heartbeat: Instant | None
    last_pull: Instant | None
    last_error: str | None
    failures: Annotated[int, Field(description="in a row")]
    conflicts: Annotated[int, Field(description="deliveries refused because their id is taken by other content")]
    rejects: Annotated[int, Field(description="deliveries refused at the door and not replayed yet")]


class SourceList(TypedDict):
    """All sources that ever sent something."""

    items: list[SourceRow]


class Conflict(TypedDict):
    """A delivery that was refused, since other content is kept under its source and id."""

    source: str
    id: Annotated[str, Field(description="of the event")]
    case: Annotated[str, Field(description="the case that the refused delivery names")]
    received: Instant
    deliveries: Annotated[int, Field(description="how often this content was delivered")]
    kept_position: Annotated[int, Field(description="of the event that is kept")]


class ConflictPage(TypedDict):
    """Conflicts, the latest first."""

    items: list[Conflict]
    next: NextCursor


class HeldRow(TypedDict):
    """A case that was set aside, since judging it failed again and again."""

    case: str
    since: Instant
    attempts: int
    error: str | None


class HeldList(TypedDict):
    """Quarantined cases, the longest there first, 1000 at most."""

    items: list[HeldRow]


class CaseRef(TypedDict):
    """A case."""

    case: str


class Trouble(TypedDict):
    """One thing that is not as it should be."""

    code: str
    message: NotRequired[Annotated[str, Field(description="only for callers with a valid key")]]


class Health(TypedDict):
    """How the service is."""

    status: Literal["ok", "degraded", "unavailable"]
    deciders: Annotated[
        Literal["both", "table"], Field(description="`table`: durable-rules cannot be used here, so nothing checks the table")
    ]
    degraded: list[Trouble]
