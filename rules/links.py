"""How cases hang together: merges, and persons (children) who stand in more than one case.

Cases with a link key in common must be loaded together, and an event in one makes the others worth judging again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rules.course import CourseOfCase, LinkSource, dig
from rules.history import Episode
from rules.model import DataQuery, Event
from rules.record import CORRECTED, Fact


def links(event: Event, domain: CourseOfCase) -> frozenset[str]:
    """Opaque keys of an event: ``child:ID`` for each person who links cases, ``merge:CASE`` for both sides of a merge.

    Wider than what judging uses (voids and roles are looked at there): a correction counts with what it sets.
    """
    found: set[str] = set()
    for kind, sources in domain.links.items():
        for source in sources:
            if event.type == source.event:
                found |= {f"{kind}:{name}" for name in _ids(event.data, source)}
            elif event.type == CORRECTED and isinstance(changes := event.data.get("set"), dict):
                found |= {f"{kind}:{name}" for name in _set_ids(changes, source)}
    merges = domain.course.merges
    if merges is not None and event.type == merges.event and (into := dig(event.data, merges.into)) is not None:
        found |= {f"merge:{into}", f"merge:{event.case}"}
    return frozenset(found)


def _ids(data: Mapping[str, Any], source: LinkSource) -> set[str]:
    listed = dig(data, source.list_)
    found = set()
    for item in listed if isinstance(listed, list) else ():
        if source.id is None:
            found.add(item)
        elif isinstance(item, dict) and all(dig(item, path) in allowed for path, allowed in source.where.items()):
            found.add(dig(item, source.id))
    return {name for name in found if isinstance(name, str)}


def _set_ids(changes: Mapping[str, Any], source: LinkSource) -> set[str]:
    """The ids that a correction sets: in a whole list, or at one place of it (in whatever role)."""
    found: set[str] = set()
    single = source.list_ if source.id is None else f"{source.list_}.{source.id}"
    for path, value in changes.items():
        steps = path.removeprefix("data.").split(".")
        plain = ".".join(step for step in steps if not step.isdigit())
        if plain == source.list_ and len(steps) == 1:
            found |= _ids({source.list_: value}, source)
        elif plain == single and isinstance(value, str):
            found.add(value)
        elif plain == source.list_ and source.id is not None:
            found |= _ids({source.list_: [value]}, source)
    return found


def persons(episode: Episode, domain: CourseOfCase) -> set[str]:
    """The ids in an episode that link it to other cases."""
    return {
        f"{kind}:{name}"
        for kind, sources in domain.links.items()
        for source in sources
        for entry in episode.by_type.get(source.event, ())
        for name in _ids(entry.data, source)
    }


def roots(facts: Iterable[Fact], domain: CourseOfCase, as_of: int) -> tuple[dict[str, str], list[DataQuery]]:
    """Into which case each merged case goes, merges that have happened by ``as_of`` followed to their end.

    The last merge of a case counts; one that would close a ring is left out and listed as a data query.
    """
    merges = domain.course.merges
    if merges is None:
        return {}, []
    into: dict[str, str] = {}
    queries = []
    event = merges.event
    found = [f for f in facts if f.event.type == event and f.time <= as_of and dig(f.data, merges.into) is not None]
    for fact in sorted(found, key=lambda f: (f.time, f.event.recorded, f.event.source, f.event.id)):
        case, target = fact.event.case, dig(fact.data, merges.into)
        if _follow(target, {**into, case: ""}) in ("", case) or target == case:
            queries.append(
                DataQuery("merge_ring", case, f"merging into {target} would lead back to this case; it is left out", (fact.event.id,))
            )
        else:
            into[case] = target
    return {case: _follow(case, into) for case in into}, queries


def _follow(case: str, into: Mapping[str, str]) -> str:
    while case in into:
        case = into[case]
    return case
