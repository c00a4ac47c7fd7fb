"""What verdicts, reasons and the lines of the decision table mean, in a sentence each: for the reference and for help beside a verdict.

A test holds that nothing is left out.  Imports rules.model and rules.obligation.
"""

from __future__ import annotations

from collections.abc import Mapping

from rules.model import Line, Outcome
from rules.obligation import BEFORE_POLICY, NOT_TRIGGERED, OUT_OF_SCOPE

VERDICTS: Mapping[Outcome, str] = {
    Outcome.MET: "It was fulfilled in time. Nothing that comes later changes that.",
    Outcome.LATE: "It was fulfilled after its due day: a breach that was remedied. The verdict says how many days late.",
    Outcome.BREACHED: "It was not fulfilled and the due day is over, or what it had to come before has happened; or what it forbids has.",
    Outcome.DUE_SOON: "It is not fulfilled yet, and its warning window is open.",
    Outcome.PENDING: "It is not fulfilled yet, and its warning window is not open, or no day is set so far.",
    Outcome.NOT_APPLICABLE: "Nothing is asked, or nothing is asked any more. The reason says why.",
    Outcome.EXCUSED: "It would be breached, but a waiver or a pause approved after the fact covers it.",
    Outcome.UNKNOWN: "It cannot be judged: what is missing from the record could turn the verdict one way or the other. It accuses nobody.",
}
"""What each verdict means."""

OPENS: Mapping[Outcome, str] = {
    Outcome.LATE: "opens a breach, which is remedied at once",
    Outcome.BREACHED: "opens a breach",
}
"""What becomes of the verdicts of an enforced rule that somebody has to look at."""

REASONS: Mapping[str, tuple[Outcome, str]] = {
    OUT_OF_SCOPE: (Outcome.NOT_APPLICABLE, "The case is not in the program of this policy."),
    BEFORE_POLICY: (Outcome.NOT_APPLICABLE, "What calls for it happened before the policy was in force."),
    NOT_TRIGGERED: (Outcome.NOT_APPLICABLE, "Nothing has happened that calls for it, or what happened frees the person concerned."),
    "parameter_unset": (
        Outcome.NOT_APPLICABLE,
        "The policy's owner has not set the number that gives the limit. How long it has been open is shown; it is never a breach.",
    ),
    "ended_before_due": (Outcome.NOT_APPLICABLE, "The case was closed, or the person left, before it was due."),
    "waiver": (Outcome.EXCUSED, "A waiver that stands covers it."),
    "pause_approved_later": (Outcome.EXCUSED, "A pause that was approved after the due day covers it."),
    "missing PATH": (Outcome.UNKNOWN, "An attribute that decides is absent; PATH names the first one, `household` a list of members."),
    "day_without_moment": (Outcome.UNKNOWN, "Only the day is known, and the order within that day decides."),
    "source_stale": (
        Outcome.UNKNOWN,
        "A source that sends heartbeats has not reported up to the end of the due day, or sent a record of the case that cannot be read.",
    ),
    "engines_disagree": (Outcome.UNKNOWN, "The two deciders do not agree. It is counted and looked into; it is never a breach."),
}
"""The reasons that a verdict may carry, in order of rank where several would do: which verdict, and what the reason means."""

LINES: Mapping[Line, str] = {
    Line.OFF: "There is no obligation: not triggered, out of scope, or from before the policy.",
    Line.UNSET: "The parameter that gives the limit is not set.",
    Line.HOLE: "Whether there is an obligation cannot be told from the record.",
    Line.MET: "Something that surely counts came surely in time.",
    Line.UNCLEAR: "Something that may count came, or may have come, in time.",
    Line.SAME_DAY: "Something that surely counts may have come in time: only the moment within the day is unknown.",
    Line.ENDED: "The episode was closed before the due day.",
    Line.DUE_SOON: "The limit is not over, and the warning window is open.",
    Line.PENDING: "The limit is not over.",
    Line.STALE: "A source is not complete up to the end of the due day, so nothing on record does not mean nothing done.",
    Line.LATE: "Something that surely counts came after the limit, and that still mends it.",
    Line.UNCLEAR_LATE: "Something that may count came after the limit, and that would mend it.",
    Line.EXCUSED: "A waiver covers it.",
    Line.BREACHED: "None of the lines above holds.",
    Line.DISAGREE: "Never a line of the table: the two deciders gave different ones.",
}
"""When each line of the decision table holds; the first that does decides."""
