"""Faults of the policy's own tests: what cannot be read, and names of policies, rules, events and attributes that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rules.errors import Fault, PolicyError
from rules.lint.base import ERROR, Check, Found, Path, Subject
from rules.nearname import did_you_mean
from rules.timelines import timelines_in
from rules.yamlsource import Source

if TYPE_CHECKING:
    from rules.timelines import Timeline


def run(subject: Subject) -> Iterator[Found]:
    for name in subject.read.names_in("tests"):
        try:
            source = subject.read.open_file(f"tests/{name}")
        except PolicyError as error:
            if all(fault.code == "unreadable" for fault in error.faults):
                yield ("policy",), f"the test file tests/{name} {error.faults[0].message}"
            else:
                yield from _told(error.faults)
            continue
        try:
            timelines = timelines_in(source)
        except PolicyError as error:
            yield from _told(error.faults)
            continue
        for number, timeline in enumerate(timelines):
            for path, words in _names(subject, timeline):
                yield (number, *path), words, source


def _told(faults: Iterable[Fault]) -> Iterator[Found]:
    """Faults that have their place already."""
    for fault in faults:
        at = Source(fault.file, None, _Root((fault.line, fault.col)))  # type: ignore[arg-type]
        yield (), f"{fault.code}: {fault.message}", at


class _Root:
    """The root of a file of which only one place is known."""

    def __init__(self, place: tuple[int, int]) -> None:
        self.at = self.key = place
        self.leaf = True
        self.parts: dict[str, object] = {}


def _names(subject: Subject, timeline: Timeline) -> Iterator[tuple[Path, str]]:
    here = {subject.policy.id: subject.policy, **{other.id: other for other in subject.others}}
    if subject.policy.id not in timeline.policies:
        return
    types = subject.policy.catalogue.types
    for number, event in enumerate(timeline.events):
        known = types.get(event.type)
        if known is None:
            yield ("events", number, "type"), f"there is no event type {event.type!r}{did_you_mean(event.type, types)}"
            continue
        for attribute in event.data:
            if known.attribute(attribute) is None:
                yield (
                    ("events", number, "data", attribute),
                    f"{event.type} has no attribute {attribute!r}{did_you_mean(attribute, known.attributes)}",
                )
    if subject.read.faults or any(name not in here for name in timeline.policies):
        return
    rules = [rule.id for name in timeline.policies for rule in here[name].rules]
    for number, check in enumerate(timeline.checks):
        for rule in check.expect:
            if rule not in rules:
                yield ("checks", number, "expect", rule), f"there is no rule {rule!r}{did_you_mean(rule, rules)}"


CHECK = Check(
    "L127",
    ERROR,
    "A policy test cannot be read, or names a rule, event type or attribute that does not exist.",
    run,
    "Correct the test. `duecare policy test` tells of the same fault, and runs nothing until it is mended.",
)
