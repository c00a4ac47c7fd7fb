"""`duecare policy new`: a folder with all that a policy of one's own needs.  Imports click; the core only inside functions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_GOOD, now_ms

if TYPE_CHECKING:
    from rules.clock import Zone


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--zone", required=True, metavar="PLACE", help="Whose local days count, such as Australia/Darwin.")
@click.option("--from", "effective", metavar="DATE", help="From which day on it judges.  [default: today]")
def new(folder: Path, zone: str, effective: str | None) -> int:
    """Start a policy: write a FOLDER with one rule to change, its tests, and the catalogue and calendar that come with duecare.

    The folder's name becomes the policy's. Nothing that is there already is written over.
    """
    from rules.calendars import real_day
    from rules.clock import iso

    name = folder.resolve().name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise click.UsageError(f"{name!r} cannot be a policy's name: it takes lower-case letters, digits and _, and begins with a letter.")
    if effective is not None and real_day(effective) is None:
        raise click.UsageError(f"--from {effective!r} is not a day like 2026-01-31.")
    place = _place(zone)
    files = _files(name, zone, effective or str(iso(place.day_of(now_ms()))))
    there = [file for file in files if (folder / file).exists()]
    if there:
        raise click.UsageError(f"{folder / there[0]} is there already; nothing was written.")
    for file, (text, about) in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        click.echo(f"Wrote {folder / file}: {about}")
    return EXIT_GOOD


def _files(name: str, zone: str, effective: str) -> dict[str, tuple[str, str]]:
    """What goes into the folder: text and description by name."""
    from rules.policy import HERE

    starter = HERE / "starter"
    calendar = _calendar_in(zone)
    words = {"starter": name, "STARTER": name.upper(), "2026-01-01": effective, "Australia/Adelaide": zone}
    year = str(int(effective[:4]) + (effective[5:] > "03-01"))  # the first whose March the policy judges
    policy = (starter / "starter.yaml").read_text("utf-8")
    line = next(line for line in policy.splitlines(keepends=True) if line.startswith("calendar:"))
    policy = policy.replace(line, "" if calendar is None else line.replace("sa", calendar.stem, 1))
    files = {
        f"{name}.yaml": (_with(policy, words), "the policy, with one rule to change"),
        f"tests/{name}.yaml": (_with((starter / "tests" / "starter.yaml").read_text("utf-8"), words | {"2026": year}), "its tests"),
        "catalogue.yaml": ((HERE / "catalogue.yaml").read_text("utf-8"), "the events that a case may have"),
    }
    if calendar is not None:
        files[f"calendars/{calendar.name}"] = (calendar.read_text("utf-8"), "public holidays")
    return files


def _with(text: str, words: dict[str, str]) -> str:
    for word, other in words.items():
        text = text.replace(word, other)
    return text


def _place(name: str) -> Zone:
    from rules.clock import zone

    try:
        return zone(name)
    except ValueError as error:
        raise click.UsageError(f"--zone: {error}. Name the place whose days count, such as Australia/Darwin.") from error


def _calendar_in(zone: str) -> Path | None:
    """The shipped calendar of a time zone."""
    from rules.policy import HERE
    from rules.yamlsource import read

    return next((file for file in sorted((HERE / "calendars").glob("*.yaml")) if read(file).data.get("zone") == zone), None)
