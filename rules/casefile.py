"""Case files out of a heap of events: each case with the cases that hang together with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rules.course import CourseOfCase
from rules.links import links
from rules.model import CaseFile, Event, Heartbeat
from rules.record import CORRECTED, VOIDED


def gather(events: Iterable[Event], heartbeats: Iterable[Heartbeat], domain: CourseOfCase) -> list[CaseFile]:
    """One file a case, in order of case ids.

    A void or correction goes with the case of its target, whatever case it names.  Linked are the cases that are merged with
    it, over any number of steps, and those that share a person with any of these.
    """
    by_case: dict[str, list[Event]] = defaultdict(list)
    home: dict[tuple[str, str], str] = {}
    about: list[Event] = []
    keys: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.type in (VOIDED, CORRECTED):
            about.append(event)
        home.setdefault((event.source, event.id), event.case)
        by_case[event.case].append(event)
        keys[event.case] |= links(event, domain)
    for event in about:
        case = _case_of_target(event, home, {(e.source, e.id): e for e in about})
        if case is not None and case != event.case:
            by_case[case].append(event)
            keys[case] |= links(event, domain)
    holders: dict[str, set[str]] = defaultdict(set)
    for case, mine in keys.items():
        for key in mine:
            holders[key].add(case)
    beats = tuple(heartbeats)
    return [
        CaseFile(
            case,
            tuple(by_case[case]),
            {other: tuple(by_case[other]) for other in sorted(cluster(case, keys, holders)) if other in by_case},
            beats,
        )
        for case in sorted(by_case)
    ]


def _case_of_target(event: Event, home: dict[tuple[str, str], str], about: dict[tuple[str, str], Event]) -> str | None:
    seen: set[tuple[str, str]] = set()
    key = (event.source, event.data.get("target", ""))
    while key in about and key not in seen:
        seen.add(key)
        key = (key[0], about[key].data.get("target", ""))
    return home.get(key)


def cluster(case: str, keys: dict[str, set[str]], holders: dict[str, set[str]]) -> set[str]:
    """The other cases that must be loaded with a case."""
    merged = _merged_with(case, keys, holders)
    related = {other for member in merged for key in keys.get(member, set()) for other in holders[key]}
    for other in list(related):
        related |= _merged_with(other, keys, holders)
    return (merged | related) - {case}


def _merged_with(case: str, keys: dict[str, set[str]], holders: dict[str, set[str]]) -> set[str]:
    found, waiting = {case}, [case]
    while waiting:
        here = waiting.pop()
        for key in keys.get(here, set()) | {f"merge:{here}"}:
            if key.startswith("merge:"):
                near = (holders.get(key, set()) | {key.removeprefix("merge:")}) - found
                found |= near
                waiting += near
    return found
