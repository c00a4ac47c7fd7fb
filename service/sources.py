"""The client systems of this installation: one YAML file each, checked with the place of every fault before anything is asked.

Imports adapters/, rules/ and service.errors.  Files are read again when they change, so that a mended mapping needs no restart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Fields
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.base import Adapter, AdapterError, Kind, kinds
from adapters.convert import is_zone
from adapters.mapping import Mapping
from adapters.secrets import Secret
from adapters.standard import NAME as STANDARD
from adapters.standard import Standard
from rules.catalogue import Catalogue
from rules.envelope import source_fault
from rules.errors import Fault, PolicyError
from rules.yamlsource import Source as Yaml
from rules.yamlsource import read
from service.errors import NotFound

_EVERY = re.compile(r"(\d{1,6})\s*(s|m|h|d)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Signature(_Model):
    """Pushed events and nudges of this source must carry a Standard Webhooks signature made with this secret."""

    secret: Secret
    tolerance: int = Field(default=300, ge=10, le=86_400)
    """Seconds that the sender's clock may differ from ours."""


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
    push: Signature | None = None
    quiet_after: str = "1d"
    """Without a good pull for so long it counts as gone quiet."""


@dataclass(frozen=True)
class Configured:
    """A source that may be asked.  ``uri`` is the `source` of its events."""

    name: str
    title: str
    kind: Kind
    settings: BaseModel
    mapping: Mapping
    every: int
    """Seconds between two pulls."""
    quiet_after: int
    """Seconds."""
    enabled: bool
    push: Signature | None
    path: str

    @property
    def uri(self) -> str:
        return self.mapping.source

    def adapter(self) -> Adapter:
        """A fresh adapter.  Raises AdapterError where it cannot be made: a secret is missing, say."""
        return self.kind.make(self.settings)


@dataclass(frozen=True)
class Sources:
    """All sources, those whose files have faults left out."""

    items: Fields[str, Configured]
    faults: Sequence[Fault] = ()

    def get(self, name: str) -> Configured:
        """By name or by uri.  Raises NotFound."""
        found = self.items.get(name) or next((one for one in self.items.values() if one.uri == name), None)
        if found is None:
            raise NotFound("there is no such source")
        return found


class Feeds:
    """The sources of a process, read again when their files have changed."""

    def __init__(self, where: Path | None, catalogue: Callable[[], Catalogue]) -> None:
        self._where, self._catalogue = where, catalogue
        self._read: tuple[object, Sources] | None = None

    def current(self) -> Sources:
        """The sources as their files say now."""
        catalogue = self._catalogue()
        stamp = (catalogue.digest, *_stamps(self._where))
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, load(self._where, catalogue))
        return self._read[1]

    def get(self, name: str) -> Configured:
        """By name or by uri.  Raises NotFound, or PolicyError where the files have faults and none has that name."""
        found = self.current()
        try:
            return found.get(name)
        except NotFound:
            if found.faults:
                raise PolicyError(list(found.faults)) from None
            raise


def _stamps(where: Path | None) -> list[tuple[str, int, int]]:
    files = [] if where is None else sorted(where.rglob("*.yaml")) if where.is_dir() else sorted(where.parent.glob("*.yaml"))
    found = []
    for file in files:
        with suppress(OSError):
            stat = file.stat()
            found.append((str(file), stat.st_mtime_ns, stat.st_size))
    return found


def load(where: Path | None, catalogue: Catalogue) -> Sources:
    """The sources in a file, or in each ``*.yaml`` of a folder that names an ``adapter``.  Never raises for what a file holds."""
    if where is None:
        return Sources({})
    if not where.exists():
        return Sources({}, (Fault(str(where), 0, 0, "unreadable", "DUECARE_SOURCES names no file or folder"),))
    found: dict[str, Configured] = {}
    faults: list[Fault] = []
    for path in sorted(where.glob("*.yaml")) if where.is_dir() else [where]:
        try:
            yaml = read(path)
            if where.is_dir() and not (isinstance(yaml.data, dict) and "adapter" in yaml.data):
                continue  # a mapping that lies beside the sources
            one = _configured(yaml, path, catalogue)
            clash = next((other for other in found.values() if other.name == one.name or other.uri == one.uri), None)
            if clash is not None:
                raise PolicyError([yaml.fault(("source",), "taken", f"{clash.path} has the name {clash.name} or the uri {clash.uri} too")])
            found[one.name] = one
        except PolicyError as error:
            faults.extend(error.faults)
    return Sources(found, tuple(faults))


def read_file(path: Path, catalogue: Catalogue) -> Configured:
    """One source's file.  Raises PolicyError with every fault and its place."""
    return _configured(read(path), path, catalogue)


def _configured(yaml: Yaml, path: Path, catalogue: Catalogue) -> Configured:
    faults: list[Fault] = []
    file, wrong = _file(yaml, faults)
    periods: dict[str, int] = {}
    for name, text in (("every", file.every), ("quiet_after", file.quiet_after)):
        match = _EVERY.fullmatch(text.strip())
        if match is None or int(match[1]) == 0:
            faults.append(yaml.fault((name,), "period", f"{name}: is no period such as 30s, 5m, 2h or 1d"))
        else:
            periods[name] = int(match[1]) * _SECONDS[match[2]]
    kind = _kind(yaml, file.adapter, faults) if "adapter" not in wrong else None
    mapping: Mapping | None = None
    try:
        if file.mapping == STANDARD:
            if file.uri is None and "uri" not in wrong:
                faults.append(yaml.fault((), "missing", "uri: is missing, and no mapping says what this source is called"))
            mapping = Standard.of(file.uri or "-", catalogue)
        elif "mapping" not in wrong and isinstance(file.mapping, str):
            mapping = Mapping.load(_beside(yaml, path, file.mapping), catalogue)
        elif "mapping" not in wrong:
            mapping = Mapping.inside(yaml, ("mapping",), catalogue)
    except PolicyError as error:
        faults.extend(error.faults)
    if file.zone is not None and not is_zone(file.zone):
        faults.append(yaml.fault(("zone",), "unknown-zone", "zone: is no time zone such as Australia/Darwin"))
    elif mapping is not None and file.zone is not None:
        mapping = replace(mapping, layout=mapping.layout.model_copy(update={"zone": mapping.layout.zone or file.zone}))
    settings: BaseModel | None = None
    if kind is not None and "settings" not in wrong:
        context: dict[str, Any] = {"folder": path.parent, "zone": file.zone or (mapping.layout.zone if mapping is not None else None)}
        context |= {"layout": mapping.layout if mapping is not None else None}
        try:
            settings = kind.settings.model_validate(file.settings, context=context)
        except ValidationError as error:
            faults.extend(_faults(yaml, ("settings",), error))
    if file.uri is not None and (why := source_fault(file.uri)) is not None:
        faults.append(yaml.fault(("uri",), "bad-source", f"uri {why}"))
    if faults or kind is None or settings is None or mapping is None:
        raise PolicyError(sorted(faults, key=lambda fault: (fault.file != yaml.name, fault.line, fault.col)))
    return Configured(
        file.source,
        file.title or file.source,
        kind,
        settings,
        mapping if file.uri is None else replace(mapping, source=file.uri),
        periods["every"],
        periods["quiet_after"],
        file.enabled,
        file.push,
        str(path),
    )


def _file(yaml: Yaml, faults: list[Fault]) -> tuple[SourceFile, frozenset[str]]:
    """The file, and which of its parts are wrong: the others are looked at too, so that all faults are told at once."""
    try:
        return SourceFile.model_validate(yaml.data), frozenset()
    except ValidationError as error:
        faults.extend(_faults(yaml, (), error))
        wrong = frozenset(str(detail["loc"][0]) for detail in error.errors() if detail["loc"])
        if not isinstance(yaml.data, dict) or not wrong:
            raise PolicyError(faults) from None
    stand_in = {"source": "x", "adapter": "x", "mapping": {}}
    rest = {name: value for name, value in yaml.data.items() if name not in wrong}
    return SourceFile.model_validate({**{name: stand_in[name] for name in stand_in if name in wrong}, **rest}), wrong


def _kind(yaml: Yaml, name: str, faults: list[Fault]) -> Kind | None:
    from difflib import get_close_matches

    try:
        known = kinds()
    except AdapterError as error:
        faults.append(yaml.fault(("adapter",), "adapter", str(error)))
        return None
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"
        faults.append(yaml.fault(("adapter",), "unknown-adapter", f"there is no adapter {name!r}{hint}"))
    return known.get(name)


def _beside(yaml: Yaml, path: Path, name: str) -> Path:
    """A ready mapping that comes with the product, or a file in the folder of the source's own.  Raises PolicyError."""
    from adapters.ready import ready

    if name in ready():
        return ready()[name]
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise PolicyError([yaml.fault(("mapping",), "outside", "mapping: name a file in the same folder, or below it")])
    return path.parent / name


def _faults(yaml: Yaml, prefix: tuple[str | int, ...], error: ValidationError) -> list[Fault]:
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        at = (*prefix, *detail["loc"])
        unknown = detail["type"] == "extra_forbidden"
        said = {"extra_forbidden": "is unknown here", "missing": "is missing"}.get(detail["type"])
        message = f"{'.'.join(map(str, at))}: {said or detail['msg'].removeprefix('Value error, ')}"
        found.append(yaml.fault(at, "unknown-key" if unknown else "source", message, key=unknown))
    return found
