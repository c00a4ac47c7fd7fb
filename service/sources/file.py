"""What a source's file may say: the model of it, and the place of every fault.  Imports pydantic, adapters.secrets and rules."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.secrets import Secret
from rules.errors import Fault, PolicyError
from rules.yamlsource import Source as Yaml

_EVERY = re.compile(r"(\d{1,6})\s*(s|m|h|d)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Push(_Model):
    """What this source sends by itself: events and nudges."""

    secret: Secret | None = None
    """They must carry a Standard Webhooks signature made with this secret."""
    tolerance: int = Field(default=300, ge=10, le=86_400)
    """Seconds that the sender's clock may differ from ours."""
    sources: list[str] = Field(default_factory=list, max_length=100)
    """What its events say as their `source`, where that is not the uri; what becomes of them has the uri."""
    mapping: str | dict[str, Any] | None = None
    """What its events become, where they are not of our catalogue: a mapping as below, of an event's attributes (`data.visit.id`)."""


class SourceFile(_Model):
    """What a source's file may say."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")
    """Its name, by which commands, addresses and measurements call it."""
    title: str = ""
    """What people read; the name unless told."""
    uri: str | None = None
    """The `source` of its events: a URI reference that stays the same for ever.  Else the mapping's own."""
    adapter: str
    """The kind of client system; its settings are listed below."""
    zone: str | None = None
    """The time zone of the system's times without one, in its records and in what the adapter itself reads of them."""
    every: str = "15m"
    """How often it is asked: 30s, 5m, 2h, 1d."""
    enabled: bool = True
    """Whether it is asked at all."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """What the adapter needs to know."""
    mapping: str | dict[str, Any]
    """The mapping itself, the name of its file beside this one, one that comes with duecare, or ``standard``: the records are events."""
    push: Push | None = None
    quiet_after: str = "1d"
    """Without a good pull for so long it counts as gone quiet."""


def period(text: str) -> int | None:
    """Seconds of ``30s``, ``5m``, ``2h``, ``1d``; None where it is no period."""
    match = _EVERY.fullmatch(text.strip())
    return None if match is None or int(match[1]) == 0 else int(match[1]) * _SECONDS[match[2]]


def read_model(yaml: Yaml, faults: list[Fault]) -> tuple[SourceFile, frozenset[str]]:
    """The file, and which of its parts are wrong: the others are looked at too, so that all faults are told at once."""
    try:
        return SourceFile.model_validate(yaml.data), frozenset()
    except ValidationError as error:
        faults.extend(faults_of(yaml, (), error))
        wrong = frozenset(str(detail["loc"][0]) for detail in error.errors() if detail["loc"])
        if not isinstance(yaml.data, dict) or not wrong:
            raise PolicyError(faults) from None
    stand_in = {"source": "x", "adapter": "x", "mapping": {}}
    rest = {name: value for name, value in yaml.data.items() if name not in wrong}
    return SourceFile.model_validate({**{name: stand_in[name] for name in stand_in if name in wrong}, **rest}), wrong


def faults_of(yaml: Yaml, prefix: tuple[str | int, ...], error: ValidationError) -> list[Fault]:
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        at = (*prefix, *detail["loc"])
        unknown = detail["type"] == "extra_forbidden"
        said = {"extra_forbidden": "is unknown here", "missing": "is missing"}.get(detail["type"])
        message = f"{'.'.join(map(str, at))}: {said or detail['msg'].removeprefix('Value error, ')}"
        found.append(yaml.fault(at, "unknown-key" if unknown else "source", message, key=unknown))
    return found
