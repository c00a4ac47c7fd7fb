"""The client systems of this installation: one YAML file each, checked with the place of every fault before anything is asked.

Imports adapters/, rules/ and service.errors.  Files are read again when they change, so that a mended mapping needs no restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Fields
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from adapters.base import Adapter, AdapterError, Kind, kinds
from adapters.convert import is_zone
from adapters.mapping import Mapping
from adapters.standard import NAME as STANDARD
from adapters.standard import Standard
from rules.catalogue import Catalogue
from rules.envelope import source_fault
from rules.errors import Fault, PolicyError
from rules.yamlsource import Source as Yaml
from rules.yamlsource import read
from service.errors import NotFound
from service.sources.file import Push, SourceFile, faults_of, period, read_model


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
    push: Push | None
    path: str
    pushed: Mapping | None = None
    """What the events that it sends become; None: they are ours already."""

    @property
    def uri(self) -> str:
        return self.mapping.source

    @property
    def signed(self) -> Push | None:
        """How its messages are signed; None: they need not be."""
        return self.push if self.push is not None and self.push.secret is not None else None

    @property
    def senders(self) -> frozenset[str]:
        """What its events may say as their source."""
        named = self.push.sources if self.push is not None else []
        return frozenset({self.uri, *named})

    @property
    def asked(self) -> bool:
        """Whether it is asked for records by itself."""
        return self.enabled and self.kind.asked

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
        return Sources({}, (Fault(str(where), 0, 0, "unreadable", "there is no such file or folder"),))
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
    file, wrong = read_model(yaml, faults)
    periods: dict[str, int] = {}
    for name, text in (("every", file.every), ("quiet_after", file.quiet_after)):
        seconds = period(text)
        if seconds is None:
            faults.append(yaml.fault((name,), "period", f"{name}: is no period such as 30s, 5m, 2h or 1d"))
        else:
            periods[name] = seconds
    kind = _kind(yaml, file.adapter, faults) if "adapter" not in wrong else None
    if file.zone is not None and not is_zone(file.zone):
        faults.append(yaml.fault(("zone",), "unknown-zone", "zone: is no time zone such as Australia/Darwin"))
    mapping: Mapping | None = None
    if file.mapping == STANDARD:
        if file.uri is None and "uri" not in wrong:
            faults.append(yaml.fault((), "missing", "uri: is missing, and no mapping says what this source is called"))
        mapping = Standard.of(file.uri or "-", catalogue)
    elif "mapping" not in wrong:
        mapping = _mapping(yaml, path, ("mapping",), file, catalogue, faults)
    pushed: Mapping | None = None
    if file.push is not None and file.push.mapping is not None:
        pushed = _mapping(yaml, path, ("push", "mapping"), file, catalogue, faults)
    elif kind is not None and not kind.asked and file.mapping != STANDARD:
        pushed = mapping
    elif file.push is not None and file.push.sources:
        said = "push.sources: need a mapping: an event that is taken as it is keeps its source"
        faults.append(yaml.fault(("push", "sources"), "source", said))
    settings: BaseModel | None = None
    if kind is not None and "settings" not in wrong:
        context: dict[str, Any] = {"folder": path.parent, "zone": file.zone or (mapping.layout.zone if mapping is not None else None)}
        context |= {"layout": mapping.layout if mapping is not None else None}
        try:
            settings = kind.settings.model_validate(file.settings, context=context)
        except ValidationError as error:
            faults.extend(faults_of(yaml, ("settings",), error))
    if file.uri is not None and (why := source_fault(file.uri)) is not None:
        faults.append(yaml.fault(("uri",), "bad-source", f"uri {why}"))
    if faults or kind is None or settings is None or mapping is None:
        raise PolicyError(sorted(faults, key=lambda fault: (fault.file != yaml.name, fault.line, fault.col)))
    uri = file.uri or mapping.source
    return Configured(
        file.source,
        file.title or file.source,
        kind,
        settings,
        replace(mapping, source=uri),
        periods["every"],
        periods["quiet_after"],
        file.enabled,
        file.push,
        str(path),
        replace(pushed, source=uri) if pushed is not None else None,
    )


def _mapping(yaml: Yaml, path: Path, at: tuple[str, ...], file: SourceFile, catalogue: Catalogue, faults: list[Fault]) -> Mapping | None:
    """The mapping that stands at a place of the file, or in the file that is named there, in the zone of the source."""
    given = file.mapping if at == ("mapping",) else file.push.mapping if file.push is not None else None
    try:
        if isinstance(given, str):
            found = Mapping.load(_beside(yaml, path, given), catalogue)
        else:
            found = Mapping.inside(yaml, at, catalogue)
    except PolicyError as error:
        faults.extend(error.faults)
        return None
    if file.zone is None or not is_zone(file.zone):
        return found
    return replace(found, layout=found.layout.model_copy(update={"zone": found.layout.zone or file.zone}))


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
