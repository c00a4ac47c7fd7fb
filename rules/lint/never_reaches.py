"""Events that speak about the record itself are worked into the history and never reach a rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.course import RECORD_EVENTS
from rules.lint.base import ERROR, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, part in subject.parts:
        for field in ("event", "of"):
            value: Any = getattr(part, field, None)
            for name in value if isinstance(value, tuple) else (value,):
                if name in RECORD_EVENTS:
                    yield (*path, field), f"{name} speaks about the record itself and never reaches a rule"


CHECK = Check(
    "L116",
    ERROR,
    "A rule waits for event.voided, event.corrected or source.heartbeat, which never reach a rule.",
    run,
    "Ask for the event that was voided or corrected: the history holds it as it is to be read.",
)
