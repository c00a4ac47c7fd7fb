"""A rule that rests on something which the catalogue does not say of its domain: a closing event, a list of people, links between cases."""

from __future__ import annotations

from collections.abc import Iterator

from rules.conditions import Selector
from rules.kinds.base import ClosedAs, Kind
from rules.kinds.not_coexistence import NotCoexistence
from rules.lint.base import ERROR, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    policy, domain = subject.policy, subject.policy.domain
    course = domain.course
    for path, rule, clause in subject.clauses():
        if getattr(clause, "per", None) is not None and domain.roster is None:
            yield (*path, "per"), f"{rule.id}: the catalogue has no roster, so nobody belongs to a case"
        if isinstance(clause, NotCoexistence):
            if not domain.links:
                yield (*path, "kind"), f"{rule.id}: the catalogue has no links, so no other case is ever seen"
            if domain.roster is None:
                yield (*path, "kind"), f"{rule.id}: the catalogue has no roster, so it cannot be told whose cases belong together"
        if course.closes is None:
            yield from _closure(path, rule.id, clause)
    for path, part in subject.parts:
        if isinstance(part, Selector) and part.related and not domain.links:
            yield (*path, "related"), "related: the catalogue has no links, so no other case is ever seen"
        if course.closes is None and (isinstance(part, ClosedAs) or (isinstance(part, Selector) and part.of == "attempt")):
            yield path, "the catalogue's course has no closing event, so there is no closure to speak of"
    if policy.program is not None and course.program is None:
        yield (
            ("program",),
            "the catalogue's course does not say where an event names its program, so no case is ever in this policy's scope",
        )
    if policy.zones and course.program is None:
        yield ("zones",), "the catalogue's course does not say where an event names its program, so these zones are never used"
    if policy.offices and course.office is None:
        yield ("offices",), "the catalogue's course does not say where an event names its office, so no office is ever used"


def _closure(path: Path, rule: str, clause: Kind) -> Iterator[tuple[Path, str]]:
    at_latest = getattr(clause, "at_latest", None)
    if getattr(clause, "by", None) == "closure":
        yield (*path, "by"), f"{rule}: the catalogue's course has no closing event, so by: closure never comes"
    if at_latest is not None and at_latest.closure:
        yield (*path, "at_latest"), f"{rule}: the catalogue's course has no closing event, so at_latest: closure never comes"


CHECK = Check(
    "L114",
    ERROR,
    "A rule rests on a part of a case's course that the catalogue does not declare: closing event, roster, links, program or office.",
    run,
    "Declare it in the catalogue under course, roster or links, or write the rule without it.",
    whole=True,
)
