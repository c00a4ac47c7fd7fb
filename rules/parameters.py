"""Setting parameters of several policies by one name each, as command lines and policy tests do.  Imports rules.policy's types only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rules.errors import ParameterError

if TYPE_CHECKING:
    from rules.policy import Policy


def with_parameters(policies: Sequence[Policy], values: Mapping[str, Any]) -> list[Policy]:
    """The policies with parameters set from ``{"policy.name": value}``; a bare name where only one of them has it.

    None unsets a parameter.  Raises ParameterError where no policy has the parameter, several do, or it cannot take the value.
    """
    wanted: dict[str, dict[str, Any]] = {policy.id: {} for policy in policies}
    for name, value in values.items():
        policy, parameter = _owner(name, policies)
        wanted[policy][parameter] = value
    return [policy.with_parameters(wanted[policy.id]) if wanted[policy.id] else policy for policy in policies]


def _owner(name: str, policies: Sequence[Policy]) -> tuple[str, str]:
    parameters = {policy.id: sorted(policy.parameters) for policy in policies}
    policy, dot, parameter = name.partition(".")
    if dot and policy in parameters:
        if parameter in parameters[policy]:
            return policy, parameter
        raise ParameterError(f"{policy} has no parameter {parameter!r}{_hint(parameter, parameters[policy])}")
    owners = [policy for policy, names in parameters.items() if name in names]
    if len(owners) == 1:
        return owners[0], name
    if owners:
        raise ParameterError(f"{name!r} is a parameter of several policies: write {' or '.join(f'{policy}.{name}' for policy in owners)}")
    everything = [f"{policy}.{parameter}" for policy, names in parameters.items() for parameter in names]
    raise ParameterError(f"none of the chosen policies has a parameter {name!r}{_hint(name, everything)}")


def _hint(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
