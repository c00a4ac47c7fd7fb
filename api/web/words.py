"""The words that the pages use for codes, days and instants.  Kind and exact: nobody is said to have violated anything.

Imports the standard library only.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

SEVERITIES = ("critical", "high", "medium", "low", "advisory")
CONDITIONS = ("open", "remedied", "withdrawn", "excused")
REVIEWS = ("new", "acknowledged", "upheld", "dismissed")

_WORDS: dict[str, dict[str, str]] = {
    "severity": {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low", "advisory": "Advisory"},
    "condition": {"open": "Open", "remedied": "Done late", "withdrawn": "Withdrawn", "excused": "Excused"},
    "review": {"new": "Not yet reviewed", "acknowledged": "Acknowledged", "upheld": "Upheld", "dismissed": "Dismissed"},
    "outcome": {
        "breached": "Breached",
        "late": "Done late",
        "due_soon": "Due soon",
        "unknown": "Cannot be judged",
        "pending": "Pending",
        "excused": "Excused",
        "met": "Met",
        "not_applicable": "Does not apply",
    },
    "group": {
        "breached": "Not done in time",
        "late": "Done, but late",
        "due_soon": "Due soon",
        "unknown": "Cannot be judged yet",
        "pending": "Pending, not yet due",
        "excused": "Excused",
        "met": "Met",
        "unset": "Open, but no limit has been set",
        "ended": "Ended before it was due",
        "not_applicable": "Does not apply",
    },
    "cause": {
        "missing": "Something is not on record",
        "source_stale": "A source has gone quiet",
        "day_without_moment": "A day is on record without the time of day",
        "engines_disagree": "The two deciders disagree",
        "not_triggered": "What would call for it has not happened",
        "ended_before_due": "It ended before it was due",
        "before_policy": "It was before the policy",
        "out_of_scope": "The case is outside the policy",
        "parameter_unset": "No limit has been set",
    },
    "status": {
        "draft": "Draft: used in tests only",
        "shadow": "Shadow: judged, but opens no breach",
        "enforced": "Enforced",
        "retired": "Retired",
    },
    "age": {
        "today": "Today",
        "week": "1 to 7 days ago",
        "month": "8 to 30 days ago",
        "quarter": "31 to 90 days ago",
        "older": "More than 90 days ago",
    },
    "history": {
        "opened": "Opened",
        "reopened": "Opened again",
        "remedied": "Done late",
        "withdrawn": "Withdrawn: by what is on record now it never was a breach",
        "excused": "Excused",
        "changed": "The grounds changed",
        "noted": "The record around it changed",
        "moved": "Passed on to another team, office or worker",
        "announced": "Announced",
        "contested": "Contested: a date was moved after the fact",
        "review_reset": "To be reviewed again, since the grounds changed",
        "acknowledged": "Acknowledged",
        "acknowledge": "Acknowledged",
        "upheld": "Upheld",
        "uphold": "Upheld",
        "dismissed": "Dismissed",
        "dismiss": "Dismissed",
        "assigned": "Assigned",
        "comment": "Comment",
        "commented": "Comment",
        "waiver_proposed": "A waiver was asked for",
        "waiver_approved": "The waiver was approved",
        "waiver_refused": "The waiver was refused",
        "waiver_void": "The waiver no longer holds, since the evidence changed",
        "waiver_ended": "The waiver ended",
    },
    "waiver": {
        "proposed": "Asked for, not yet approved",
        "approved": "Approved",
        "refused": "Refused",
        "void": "Holds no longer: the evidence changed",
        "ended": "Ended",
    },
    "change": {
        "proposed": "Waits for an answer",
        "active": "Approved",
        "rejected": "Rejected",
        "withdrawn": "Taken back",
    },
    "version": {"in_force": "In force", "upcoming": "Approved, not yet in force", "past": "Before", "replaced": "Replaced on its own day"},
    "backtest": {
        "queued": "Waiting for a worker",
        "running": "Under way",
        "done": "Done",
        "failed": "Failed",
        "cancelled": "Cancelled",
    },
    "audit": {
        "queued": "Waiting for a worker",
        "running": "Under way",
        "done": "Done",
        "failed": "Failed",
        "cancelled": "Cancelled",
    },
    "audit_kind": {"full": "Full verification", "incremental": "Incremental audit"},
    "form": {
        "json": "JSON: the report itself",
        "csv": "CSV: the finest counts",
        "xlsx": "XLSX workbook",
        "html": "Page to keep",
        "pdf": "PDF",
    },
    "feed": {
        "off": "Switched off",
        "failing": "Cannot be read",
        "quiet": "Gone quiet",
        "waiting": "Not asked yet",
        "good": "Good",
        "pushed": "Sends events itself",
    },
    "role": {
        "viewer": "Viewer",
        "reviewer": "Reviewer",
        "team_leader": "Team leader",
        "manager": "Manager",
        "policy_owner": "Policy owner",
        "operator": "Operator",
        "administrator": "Administrator",
    },
    "account": {
        "off": "Switched off",
        "locked": "Locked for a while",
        "new": "Has not signed in yet",
        "must_change": "Has to choose a password",
        "good": "Good",
    },
    "key": {
        "revoked": "Revoked",
        "expired": "Expired",
        "void": "Void",
        "unproved": "Not used since an upgrade",
        "ending": "Ends soon",
        "unused": "Not used yet",
        "good": "In use",
    },
    "access": {
        "done": "Done",
        "refused": "Refused: not allowed",
        "not_found": "Nothing there for them",
        "not_done": "Not done",
        "failed": "Failed",
    },
    "program": {
        "cfss": "Child and Family Support System",
        "strengthening_families": "Strengthening Families",
        "child_protection": "Child protection",
        "other": "Other",
    },
    "filter": {
        "policy": "Policy",
        "rule": "Rule",
        "severity": "Severity",
        "condition": "Condition",
        "review": "Review",
        "team": "Team",
        "office": "Office",
        "worker": "Worker",
        "case": "Case",
        "assignee": "Assigned to",
        "age": "Found",
        "search": "Case id begins with",
        "since": "Due from",
        "until": "Due until",
        "within": "Due within",
        "on": "Due on",
        "verdict": "Verdict",
        "reason": "Because",
    },
}


def word(kind: str, code: str | None) -> str:
    """The words for a code; a code that has none is shown with spaces for underscores."""
    if not code:
        return ""
    return _WORDS.get(kind, {}).get(code) or sentence_case(code.replace("_", " "))


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def local(ms: int, zone: str) -> dt.datetime:
    """The instant on the clocks of ``zone``."""
    return dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC).astimezone(ZoneInfo(zone))


def day(value: dt.date | None, *, year: bool = True) -> str:
    """``Mon 23 March 2026``."""
    if value is None:
        return ""
    return f"{value:%a} {value.day} {value:%B}" + (f" {value.year}" if year else "")


def short_day(value: dt.date | None) -> str:
    """``Mon 23 Mar 2026``, for tables."""
    if value is None:
        return ""
    return f"{value:%a} {value.day} {value:%b} {value.year}"


def clock(value: dt.datetime) -> str:
    """``09:14``, as explanations write it."""
    return f"{value:%H:%M}"


def place(zone: str) -> str:
    """``Adelaide`` of ``Australia/Adelaide``."""
    return zone.rpartition("/")[2].replace("_", " ")


def moment(ms: int | None, zone: str) -> str:
    """``Mon 23 March 2026, 09:14 (Adelaide time)``."""
    if ms is None:
        return "never"
    there = local(ms, zone)
    return f"{day(there.date())}, {clock(there)} ({place(zone)} time)"


def short_moment(ms: int | None, zone: str) -> str:
    """``Mon 23 Mar 2026, 09:14``, where the zone is said beside it."""
    if ms is None:
        return "never"
    there = local(ms, zone)
    return f"{short_day(there.date())}, {clock(there)}"


def count(number: int, one: str, many: str = "") -> str:
    """``1 case``, ``2,140 cases``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(ms: int) -> str:
    """``5 minutes``, ``3 hours``, ``12 days``: rounded down."""
    seconds = max(0, ms) // 1000
    for length, one, least in ((86_400, "day", 2), (3_600, "hour", 2), (60, "minute", 1)):
        if seconds >= length * least or (seconds and seconds % length == 0):
            return count(seconds // length, one)
    return count(seconds, "second")


def iso_day(text: str | None) -> dt.date | None:
    """A day of ISO text, or None."""
    return dt.date.fromisoformat(text) if text else None
