"""HL7 FHIR R4: resources by the time of their last change (``_lastUpdated``), and, where asked for, the changes between their versions.

A record's kind is the resource's type.  It holds those elements of the resource that the source's file names, and none of its
narrative, contained resources and display names.  Each reference to another resource has a ``target`` beside it (``type`` and
``id``), however it is written.  With ``history: [status]`` each change of that element is a record of the kind ``Consent.change`` as well,
with ``at``, ``field``, ``from``, ``to`` and the resource under ``of.``.  What is entered in error, or deleted (404, 410), is gone;
deletions leave no trace in searches, so they are found by sweeps.  Imports adapters.auth, adapters.lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adapters.auth import Who, signed_in
from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record
from adapters.convert import ISO, Formats, blank
from adapters.fhir_bundle import bundle_of, changed_at, next_link, onwards, plain, resources_of, version_of
from adapters.listing import Deleted, Listing, Paging, Since
from adapters.lists import Lists
from adapters.mapping_schema import look_up
from adapters.web import Limits

ELEMENTS: Mapping[str, Sequence[str]] = {
    "EpisodeOfCare": ("status", "statusHistory", "type", "patient", "managingOrganization", "period", "careManager", "team"),
    "Encounter": ("status", "class", "type", "subject", "episodeOfCare", "participant", "period", "reasonCode", "serviceProvider"),
    "Consent": ("status", "scope", "category", "patient", "dateTime", "performer", "organization", "policyRule"),
    "CarePlan": ("status", "intent", "category", "subject", "encounter", "period", "created", "author", "contributor", "goal"),
    "Task": ("status", "intent", "code", "focus", "for", "encounter", "executionPeriod", "authoredOn", "requester", "owner", "restriction"),
    "QuestionnaireResponse": ("status", "questionnaire", "subject", "encounter", "authored", "author", "basedOn"),
}
"""By type of resource, the elements that are read unless a source's file says otherwise; id and meta always are."""
_ALWAYS = ("resourceType", "id", "meta", "status")
FAR = "2999-01-01T00:00:00Z"
_ERROR = "entered-in-error"
_GONE = (404, 410)
_HISTORY_PAGES = 100


class Resource(BaseModel):
    """One type of resource; a name alone stands for ``{type: name}``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: str = Field(pattern=r"^[A-Z][A-Za-z]{1,63}$")
    params: dict[str, str] = Field(default_factory=dict)
    """Further search parameters, such as ``{category: ...}``."""
    elements: list[str] | None = None
    """The elements to read; those that the ready mapping looks at unless told.  Name nothing that holds a narrative."""
    history: list[str] = Field(default_factory=list)
    """Elements (dotted) whose every change is wanted: the versions of each resource are then read (``_history``)."""
    sweep_hours: int | None = Field(default=None, ge=1, le=8_760)
    """How often to look which resources are there still; without it deletions are not noticed, only what is entered in error."""

    @field_validator("params")
    @classmethod
    def _ours(cls, params: dict[str, str]) -> dict[str, str]:
        for name in params:
            if name.startswith("_") or "include" in name:
                raise ValueError(f"{name} is ours to say")
        return params

    @property
    def kept(self) -> frozenset[str]:
        return frozenset((*_ALWAYS, *(self.elements if self.elements is not None else ELEMENTS.get(self.type, ()))))


class Settings(Limits):
    """What a source of this kind needs to know.  ``base``: the service's root, https://fhir.example/r4/."""

    auth: Who = Field(default_factory=Who)
    resources: list[Resource] = Field(default_factory=lambda: [Resource(type=name) for name in ELEMENTS], min_length=1)
    count: int = Field(default=100, ge=1, le=1_000)
    paging: Literal["next", "offset"] = "next"
    """How more resources of one second than a page holds are read: by the Bundle's next link, or by ``_offset`` where those do not work."""
    overlap: int = Field(default=300, ge=0, le=604_800)
    """Seconds by which each round begins before the last one's watermark."""

    @field_validator("resources", mode="before")
    @classmethod
    def _names(cls, given: object) -> object:
        return [{"type": one} if isinstance(one, str) else one for one in given] if isinstance(given, list) else given

    @field_validator("resources")
    @classmethod
    def _once(cls, given: list[Resource]) -> list[Resource]:
        names = [one.type for one in given]
        if len(set(names)) < len(names):
            raise ValueError("each type of resource once")
        return given


class Fhir:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._web = signed_in(settings, settings.auth)
        self._resources = {one.type: one for one in settings.resources}
        self._lists = Lists(
            self._web,
            [_listing(one, settings) for one in settings.resources],
            overlap=settings.overlap,
            formats=Formats((ISO,)),
            expand=lambda listing, _, record: self._changes(self._resources[listing.kind], record),
            shape=self._kept,
            unwrap=_unwrapped,
        )

    def close(self) -> None:
        self._web.close()

    def check(self) -> Connection:
        problems: list[str] = []
        readable: dict[str, str] = {}
        identity: str | None = None
        try:
            answer = self._web.get("metadata")
            assert answer is not None
            body = answer.json()
            version = body.get("fhirVersion") if isinstance(body, dict) else None
            identity = f"FHIR {version}" if isinstance(version, str) else "FHIR"
            if isinstance(version, str) and not version.startswith("4."):
                problems.append(f"the service speaks FHIR {version[:20]}, and this adapter R4 (4.0)")
        except AdapterError as error:
            problems.append(str(error))
        for resource in self._settings.resources if not problems else ():
            try:
                self._readable(resource, readable, problems)
            except AdapterError as error:
                problems.append(f"{resource.type}: {error}")
        return Connection(identity if not problems else None, readable, problems)

    def _readable(self, resource: Resource, readable: dict[str, str], problems: list[str]) -> None:
        answer = self._web.get(resource.type, {**resource.params, "_count": 1, "_sort": "_lastUpdated", "_total": "accurate"})
        assert answer is not None
        bundle = bundle_of(resource.type, answer.json())
        total = bundle.get("total")
        readable[resource.type] = f"{total:,} resources" if isinstance(total, int) else "some resources"
        first = next(resources_of(bundle, resource.type), None)
        if first is not None and blank(look_up(first, "meta.lastUpdated")):
            problems.append(f"{resource.type}: the service does not say when a resource was changed last (meta.lastUpdated)")
        if isinstance(total, int) and total > 1 and self._settings.paging == "next" and next_link(bundle) is None:
            problems.append(f"{resource.type}: the service gives no link to the next page: set `paging: offset`")
        late = self._web.get(resource.type, {**resource.params, "_count": 1, "_lastUpdated": f"ge{FAR}"})
        if late is not None and next(resources_of(bundle_of(resource.type, late.json()), resource.type), None) is not None:
            problems.append(f"{resource.type}: the service does not heed _lastUpdated, so every pull would read everything")
        if first is not None and resource.history:
            self._web.get(f"{resource.type}/{quote(str(first.get('id')), safe='')}/_history", {"_count": 1})
            readable[f"{resource.type}.change"] = "the versions of a resource"

    def pull(self, cursor: Cursor | None) -> Page:
        return self._lists.pull(cursor)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        """A resource with its changes, by the ref of any of them."""
        resource = self._resources.get(kind.partition(".")[0])
        if resource is None:
            return []
        ident = ref.partition("@")[0]
        found = self._lists.fetch(resource.type, ident)
        return found if ref == ident or not found or not found[0].gone else [*found, Record(kind, ref, gone=True)]

    def _kept(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        resource = self._resources.get(str(raw.get("resourceType")))
        if resource is None:
            raise AdapterError("the service answers with another type of resource than the one that was asked for")
        return _pruned(resource, raw)

    def _changes(self, resource: Resource, record: Record) -> list[Record]:
        """What its versions say of the elements whose changes are wanted; taken back with the resource."""
        if not resource.history:
            return []
        kind = f"{resource.type}.change"
        made: list[Record] = []
        before: dict[str, Any] = {}
        for version in sorted(self._versions(resource, record.ref), key=lambda one: (changed_at(resource.type, one) or 0, version_of(one))):
            at = changed_at(resource.type, version)
            for name in resource.history:
                value = look_up(version, name)
                if value == before.get(name):
                    continue
                ref = f"{record.ref}@{version_of(version)}/{name}"
                told = {"id": ref, "at": look_up(version, "meta.lastUpdated"), "field": name, "from": before.get(name), "to": value}
                made.append(Record(kind, ref, {} if record.gone else {**told, "of": record.fields}, gone=record.gone, changed=at))
                before[name] = value
        return made

    def _versions(self, resource: Resource, ident: str) -> Iterator[Mapping[str, Any]]:
        """The versions of a resource but its deletions; by ``next`` links, or all on one page where those do not work."""
        where: str | None = f"{resource.type}/{quote(ident, safe='')}/_history"
        params: dict[str, Any] | None = {"_count": self._settings.count}
        for _ in range(_HISTORY_PAGES):
            answer = self._web.get(where or "", params, missing=_GONE)
            if answer is None:
                return
            bundle = bundle_of(resource.type, answer.json())
            yield from (raw for raw in resources_of(bundle, resource.type) if raw.get("status") != _ERROR)
            where, params = (next_link(bundle) if self._settings.paging == "next" else None), None
            if where is None:
                return
        raise AdapterError(f"{resource.type}: a resource's history goes on without end")


def _unwrapped(listing: Listing, body: Any) -> dict[str, Any]:
    """A Bundle as a list can be described: its resources of the type, where it goes on, the total."""
    bundle = bundle_of(listing.kind, body)
    records = list(resources_of(bundle, listing.kind))
    further = onwards(listing, records, next_link(bundle)) if listing.paging.style == "next" else None
    return {"records": records, "next": further, "total": bundle.get("total")}


def _listing(resource: Resource, settings: Settings) -> Listing:
    offset = settings.paging == "offset"
    return Listing(
        kind=resource.type,
        path=resource.type,
        records="records",
        id="id",
        updated="meta.lastUpdated",
        since=Since(parameter="_lastUpdated", template="ge{since}"),
        ordered=offset,
        paging=Paging(
            style="offset" if offset else "next",
            parameter="_offset" if offset else None,
            at=None if offset else "next",
            size_parameter="_count",
            size=settings.count,
        ),
        total="total" if offset else None,
        params={**resource.params, "_sort": "_lastUpdated", **({"_total": "accurate"} if offset else {})},
        deleted=Deleted(field="status", any_of=[_ERROR]),
        one=f"{resource.type}/{{id}}",
        sweep_hours=resource.sweep_hours,
    )


def _pruned(resource: Resource, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in raw.items() if name in resource.kept}


KIND = Kind("fhir", "HL7 FHIR R4: resources by the time of their last change, with the changes between their versions.", Settings, Fhir)
