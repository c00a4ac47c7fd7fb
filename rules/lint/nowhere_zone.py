"""Days of no place: deadlines are local days, and UTC is nobody's."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    policy = subject.policy
    named: list[tuple[Path, str]] = [(("zone",), policy.zone_name)]
    named += [(("zones", program), name) for program, name in policy.zones.items()]
    named += [(("offices", code, "zone"), office.zone) for code, office in policy.offices.items() if office.zone]
    for path, name in named:
        if "/" not in name or name.startswith("Etc/"):
            yield path, f"{name} is the zone of no place: days would begin and end at the wrong hour, and know no daylight saving"


CHECK = Check(
    "L106",
    WARNING,
    "A time zone that belongs to no place, such as UTC.",
    run,
    "Name the zone of the place where the work is done, such as Australia/Darwin.",
    whole=True,
)
