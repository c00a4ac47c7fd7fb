"""What a person may do by the groups that their provider says they are in.  Imports pydantic, rules.yamlsource and service/.

Groups of the provider -> roles, and the teams and offices that they are limited to.  An account has one set of roles for one set of
limits, so that adding up what several groups give could give more than any of them does (a manager of one team who may read another
would be manager of both).  So groups are added up only where that gives exactly what they give together; else the one that stands
first in the map holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from rules import yamlsource
from rules.errors import PolicyError
from service.access import ROLES
from service.errors import SettingsError

VARIABLE = "OIDC_ROLE_MAP"


@dataclass(frozen=True, slots=True)
class Grant:
    """Roles and limits.  ``teams`` and ``offices`` of None: all of them."""

    roles: frozenset[str]
    teams: frozenset[str] | None = None
    offices: frozenset[str] | None = None

    def with_(self, other: Grant) -> Grant | None:
        """Both together; None where no account can hold exactly that."""
        if (self.roles, self.teams) == (other.roles, other.teams):
            return Grant(self.roles, self.teams, _either(self.offices, other.offices))
        if (self.roles, self.offices) == (other.roles, other.offices):
            return Grant(self.roles, _either(self.teams, other.teams), self.offices)
        if (self.teams, self.offices) == (other.teams, other.offices):
            return Grant(self.roles | other.roles, self.teams, self.offices)
        return None


@dataclass(frozen=True, slots=True)
class RoleMap:
    """Group -> what it gives, the weightiest first."""

    grants: Mapping[str, Grant]

    def of(self, groups: Collection[str]) -> Grant | None:
        """What these groups give; None: nothing, not even to look."""
        found: Grant | None = None
        for group, grant in self.grants.items():
            if group in groups:
                found = grant if found is None else (found.with_(grant) or found)
        return found


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    roles: list[str] = Field(min_length=1)
    teams: list[str] | None = Field(default=None, min_length=1)
    offices: list[str] | None = Field(default=None, min_length=1)


class _Map(RootModel[dict[str, _Line]]):
    pass


def load(given: str) -> RoleMap:
    """The map in a file, or in the text itself where that begins with ``{``.  Raises SettingsError, with every fault."""
    try:
        source = yamlsource.parse(given, name=VARIABLE) if given.lstrip().startswith("{") else yamlsource.read(Path(given).expanduser())
        lines = _Map.model_validate(source.data).root
    except PolicyError as error:
        raise SettingsError(f"{VARIABLE}: {'; '.join(map(str, error.faults))}") from None
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False, include_input=False)]
        raise SettingsError(f"{VARIABLE}: {'; '.join(faults)}") from None
    wrong = sorted({role for line in lines.values() for role in line.roles} - set(ROLES))
    if wrong or not lines:
        told = f"not a role: {', '.join(wrong)}; roles are {', '.join(ROLES)}" if wrong else "it names no group"
        raise SettingsError(f"{VARIABLE}: {told}")
    return RoleMap({group: Grant(frozenset(line.roles), _set(line.teams), _set(line.offices)) for group, line in lines.items()})


def _either(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other


def _set(given: list[str] | None) -> frozenset[str] | None:
    return None if given is None else frozenset(given)
