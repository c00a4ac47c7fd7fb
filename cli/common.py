"""What several commands share: exit codes, WHEN, the choice of policies and parameters.  Imports click; the core only inside functions."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rules.policy import Policy

EXIT_GOOD = 0
EXIT_BREACHED = 1
EXIT_USAGE = 2
EXIT_FAILED = 3


def complain(message: str) -> None:
    """One line to stderr."""
    click.echo(message, err=True)


def now_ms() -> int:
    """The wall clock; the only place where the command line reads it."""
    return time.time_ns() // 1_000_000


class When(click.ParamType[int | dt.date]):
    """A local date (the last instant of that day, in the policy's zone) or an RFC 3339 instant with its offset (as ms)."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | dt.date:
        if isinstance(value, int | dt.date):
            return value
        text = str(value).strip()
        parsed = _parse_when(text)
        if parsed is None:
            self.fail(f"{text!r} is neither a date (2026-03-24) nor an instant with its offset (2026-03-24T17:00:00+10:30)", param, ctx)
        return parsed


WHEN = When()


def _parse_when(text: str) -> int | dt.date | None:
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text)
        when = dt.datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if text[10] not in "Tt " or when.tzinfo is None:
        return None
    from rules.model import to_ms

    return to_ms(when)


def policy_files() -> dict[str, Path]:
    """Names of the policies that can be chosen: the shipped ones and those of the folder DUECARE_POLICIES."""
    from rules.policy import shipped

    found = dict(shipped())
    extra = os.environ.get("DUECARE_POLICIES")
    if extra:
        for file in sorted(Path(extra).glob("*.yaml")):
            if file.name != "catalogue.yaml":
                found[file.stem] = file
    return found


def policy_path(name: str) -> Path:
    """The file of a policy given by name or by path."""
    known = policy_files()
    if name in known:
        return known[name]
    if Path(name).is_file():
        return Path(name)
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" Known policies: {', '.join(sorted(known))}."
    raise click.UsageError(f"No policy or file {name!r}.{hint}")


def load_policies(names: Iterable[str], parameters: Sequence[str] = ()) -> list[Policy]:
    """The chosen policies (the three shipped ones where none is chosen) with ``NAME=VALUE`` parameters set.

    Policies that are judged together share one catalogue.  Faults of all files at once in one PolicyError.
    """
    from rules.errors import Fault, PolicyError
    from rules.policy import load_policy, shipped

    paths = [policy_path(name) for name in dict.fromkeys(names)] or list(shipped().values())
    policies: list[Policy] = []
    faults: list[Fault] = []
    for path in dict.fromkeys(paths):
        try:
            policies.append(load_policy(path))
        except PolicyError as error:
            faults.extend(fault for fault in error.faults if fault not in faults)
    if faults:
        raise PolicyError(faults)
    if len({policy.catalogue.digest for policy in policies}) > 1:
        raise click.UsageError("These policies rest on different event catalogues; judge them in separate runs.")
    return with_parameters(policies, parameters)


def with_parameters(policies: Sequence[Policy], assignments: Sequence[str]) -> list[Policy]:
    """The policies with parameters set from ``POLICY.NAME=VALUE``; ``NAME=VALUE`` where only one policy has a NAME."""
    from rules import parameters
    from rules.errors import ParameterError
    from rules.yamlsource import scalar

    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--param {assignment!r} is not POLICY.NAME=VALUE.")
        values[name.strip()] = scalar(value.strip())
    try:
        return parameters.with_parameters(policies, values)
    except ParameterError as error:
        raise click.UsageError(f"--param: {error}.") from error


def plural(count: int, one: str, many: str | None = None) -> str:
    """``3 cases``, ``1 case``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(ms: int | None) -> str | None:
    """An instant to the second, in UTC; None stays None."""
    if ms is None:
        return None
    from rules.model import rfc3339

    return rfc3339(ms)[:19] + "Z"
