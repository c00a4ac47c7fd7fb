"""A rule that no policy test expects anything of: nothing shows that it does what its words say."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    policy = subject.policy
    asked = [(path, rule) for path, rule in subject.rules() if not rule.counted and rule.status in ("enforced", "shadow")]
    if asked and not subject.timelines:
        if not subject.test_files:
            yield (
                ("policy",),
                f"no test shows that the {len(asked)} rules of {policy.id} do what they say: there is no tests/*.yaml beside the policy",
            )
        else:
            yield ("policy",), f"no test in tests/ judges by {policy.id}: none of its {len(asked)} rules is shown to do what it says"
        return
    expected = {rule for timeline in subject.timelines for check in timeline.checks for rule in check.expect}
    for path, rule in asked:
        if rule.id not in expected:
            yield (*path, "id"), f"no test expects anything of {rule.id}"


CHECK = Check(
    "L126",
    WARNING,
    "A rule that is judged has no policy test.",
    run,
    "Add timelines to tests/ beside the policy: one in which the rule is met, one in which it is breached, one in which it cannot be told.",
    whole=True,
)
