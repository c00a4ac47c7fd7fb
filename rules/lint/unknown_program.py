"""A program that no event names: the policy, or the rule, would never apply to anybody."""

from __future__ import annotations

from collections.abc import Iterator

from rules.kinds.not_coexistence import NotCoexistence
from rules.lint.base import WARNING, Check, Path, Subject
from rules.nearname import did_you_mean


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    policy = subject.policy
    attribute = policy.domain.course.program
    if attribute is None:
        return
    listed = {code for known in policy.catalogue.types.values() for code in known.values.get(attribute, ())}
    named: list[tuple[Path, str, str]] = []
    if policy.program is not None:
        named.append((("program",), policy.program, "no case would ever be in this policy's scope"))
    named += [(("zones", program), program, "its zone would never be used") for program in policy.zones]
    for path, rule, clause in subject.clauses():
        if isinstance(clause, NotCoexistence):
            named.append(((*path, "program"), clause.program, f"{rule.id} would never find such a case"))
            if clause.program == policy.program:
                yield (*path, "program"), f"{rule.id} looks for cases of the policy's own program beside it; the case itself is one"
    for path, program, so in named:
        if listed and program not in listed:
            yield path, f"the catalogue knows no program {program!r}, so {so}{did_you_mean(program, listed)}"


CHECK = Check(
    "L115",
    WARNING,
    "A program is named that the catalogue does not list.",
    run,
    "Correct the name, or add it to the codes of the program in the catalogue's `values`.",
)
