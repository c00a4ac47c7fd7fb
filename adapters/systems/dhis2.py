"""DHIS2 Tracker: the enrollments and events of a program, by the time of their last change.

Enrollments are records of the kind ``enrollment``, events of the kind ``event``; an event's data values stand under
``values.<data element>``.  Times carry no offset: they are those of the server's zone, which the source's file names and ``check``
compares.  Deleted ones are asked for with the others.  Names of persons are not asked for.

Versions differ, and pass over parameters that they do not know: up to 2.40 units go by ``ouMode``, from 2.41 on by ``orgUnitMode``
and, of enrollments, ``orgUnits``; other names than identifiers are given from 2.42 on, and for events only.
Imports adapters.auth, adapters.lists.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, model_validator

from adapters.auth import Basic, Header, Who, signed_in
from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record
from adapters.convert import ISO, Formats, is_zone
from adapters.listing import Deleted, Listing, Paging, Since
from adapters.lists import Lists
from adapters.secrets import Secret
from adapters.web import Limits

ENROLLMENT = "enrollment"
EVENT = "event"
UID = r"^[A-Za-z][A-Za-z0-9]{10}$"
LISTS_SINCE = (2, 41)
"""The version from which on lists have names of their own."""
CODES_SINCE = (2, 42)
"""The version from which on events can be had with other names than identifiers."""
_FIELDS = {
    ENROLLMENT: "enrollment,program,trackedEntity,status,orgUnit,enrolledAt,occurredAt,completedAt,createdAt,updatedAt,deleted",
    EVENT: "event,status,program,programStage,enrollment,trackedEntity,orgUnit,occurredAt,scheduledAt,completedAt,createdAt,updatedAt,"
    "deleted,dataValues[dataElement,value]",
}


class Settings(Limits):
    """What a source of this kind needs to know.  ``base``: the address of the installation, https://dhis2.example/."""

    token: Secret | None = None
    """A personal access token; or a user with password."""
    basic: Basic | None = None
    user: str | None = None
    """As whom the system must know us, where that is to be made sure."""
    program: str = Field(pattern=UID)
    """The identifier (UID) of the program, one with registration."""
    org_unit: str | None = Field(default=None, pattern=UID)
    org_unit_mode: Literal["SELECTED", "CHILDREN", "DESCENDANTS", "ACCESSIBLE", "CAPTURE", "ALL"] | None = None
    """Which organisation units are read: all that the user may see, unless told."""
    id_scheme: Literal["UID", "CODE", "NAME"] = "UID"
    """How events name their program, stage, unit and data elements, from version 2.42 on; enrollments always have identifiers."""
    zone: str
    """The server's time zone; the source's own unless told."""
    page: int = Field(default=200, ge=1, le=1_000)
    instances: bool = False
    """Before version 2.41 lists stand under ``instances``."""
    overlap: int = Field(default=300, ge=1, le=604_800)
    """Seconds by which each round begins before the last one's watermark."""
    sweep_hours: int | None = Field(default=None, ge=1, le=8_760)
    """How often to read everything, where records are removed from the database itself."""

    @model_validator(mode="before")
    @classmethod
    def _zone_of_the_source(cls, data: Any, info: ValidationInfo) -> Any:
        own = (info.context or {}).get("zone")
        return {"zone": own, **data} if isinstance(data, dict) and own is not None else data

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if not is_zone(self.zone):
            raise ValueError("zone: is no time zone such as Australia/Darwin")
        if (self.token is None) is (self.basic is None):
            raise ValueError("give either token or basic")
        if (self.org_unit is None) and self.org_unit_mode in ("SELECTED", "CHILDREN", "DESCENDANTS"):
            raise ValueError(f"org_unit_mode {self.org_unit_mode} needs `org_unit`")
        if self.org_unit is not None and self.org_unit_mode in ("ACCESSIBLE", "CAPTURE", "ALL"):
            raise ValueError(f"org_unit_mode {self.org_unit_mode} goes without `org_unit`")
        return self


class Dhis2:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if settings.token is not None:
            who = Who(header=Header(prefix="ApiToken ", value=settings.token))
        else:
            who = Who(basic=settings.basic)
        self._web = signed_in(settings, who)
        self._lists = Lists(
            self._web,
            [_listing(settings, ENROLLMENT), _listing(settings, EVENT)],
            overlap=settings.overlap,
            formats=Formats((ISO,), (ISO,), ZoneInfo(settings.zone)),
            shape=_shaped,
        )
        self._known = settings.user is None

    def close(self) -> None:
        self._web.close()

    def check(self) -> Connection:
        problems: list[str] = []
        readable: dict[str, str] = {}
        who: str | None = None
        try:
            who = self._who()
            problems += self._differences(self._get("api/system/info"))
            for kind in (ENROLLMENT, EVENT):
                listing = _listing(self._settings, kind)
                found = self._get(listing.path, {**listing.params, "page": 1, "pageSize": 1, "totalPages": "true"})
                pager = found.get("pager")
                total = pager.get("total") if isinstance(pager, dict) else found.get("total")
                if not isinstance(found.get(listing.records or ""), list):
                    problems.append(f"{kind}: no list stands under {listing.records}; see `instances`")
                readable[kind] = f"{total:,} that this user may see" if isinstance(total, int) else "some"
        except AdapterError as error:
            problems.append(str(error))
        return Connection(who, readable, problems)

    def pull(self, cursor: Cursor | None) -> Page:
        self._be_known()
        return self._lists.pull(cursor)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        self._be_known()
        return self._lists.fetch(kind, ref)

    def _differences(self, info: Mapping[str, Any]) -> list[str]:
        """What the server says of itself that does not fit the source's file."""
        found: list[str] = []
        zone = info.get("serverTimeZoneId")
        if isinstance(zone, str) and is_zone(zone) and not _same_clock(zone, self._settings.zone):
            found.append(f"the server's time zone is {zone}, and the source's file says {self._settings.zone}")
        told = re.match(r"(\d+)\.(\d+)", str(info.get("version", "")))
        version = (int(told[1]), int(told[2])) if told else LISTS_SINCE
        if told and self._settings.instances != (version < LISTS_SINCE):
            found.append(f"version {told[0]} has its lists elsewhere: set `instances` to {'true' if version < LISTS_SINCE else 'false'}")
        if told and self._settings.id_scheme != "UID" and version < CODES_SINCE:
            found.append(f"version {told[0]} gives identifiers whatever `id_scheme` says: leave that out, and map identifiers")
        return found

    def _be_known(self) -> None:
        if not self._known:
            self._who()
            self._known = True

    def _who(self) -> str:
        name = self._get("api/me", {"fields": "username"}).get("username")
        if not isinstance(name, str) or not name:
            raise AdapterError("the system does not say as whom it knows us")
        if self._settings.user is not None and name != self._settings.user:
            raise AdapterError("the system knows us as somebody else than the source's file expects")
        return name

    def _get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self._web.get(path, params)
        assert answer is not None
        body = answer.json()
        if not isinstance(body, dict):
            raise AdapterError(f"{path}: the answer is no JSON object")
        return body


def _shaped(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Data values by the name of their element."""
    given = raw.get("dataValues")
    if not isinstance(given, list):
        return raw
    values = {str(one.get("dataElement")): one.get("value") for one in given if isinstance(one, dict) and one.get("dataElement")}
    return {**{name: part for name, part in raw.items() if name != "dataValues"}, "values": values}


def _listing(settings: Settings, kind: str) -> Listing:
    params: dict[str, str | int | bool] = {
        "program": settings.program,
        "order": f"updatedAt:asc,{kind}:asc" if kind == EVENT else "updatedAt:asc",
    }
    params |= {"includeDeleted": "true", "fields": _FIELDS[kind]}
    one = f"?fields={quote(_FIELDS[kind])}"
    if settings.id_scheme != "UID" and kind == EVENT:
        params["idScheme"] = settings.id_scheme
        one += f"&idScheme={settings.id_scheme}"
    return Listing(
        kind=kind,
        path=f"api/tracker/{kind}s",
        records="instances" if settings.instances else f"{kind}s",
        id=kind,
        updated="updatedAt",
        since=Since(parameter="updatedAfter", form="local"),
        ordered=True,
        paging=Paging(style="page", parameter="page", size_parameter="pageSize", size=settings.page),
        params={**params, **_units(settings, kind)},
        deleted=Deleted(field="deleted", any_of=["true"]),
        one=f"api/tracker/{kind}s/{{id}}{one}",
        sweep_hours=settings.sweep_hours,
    )


def _units(settings: Settings, kind: str) -> dict[str, str]:
    """Which organisation units, as the version asks for it; up to 2.40 it has to be said even of all that the user may see."""
    older = settings.instances
    found: dict[str, str] = {}
    if settings.org_unit is not None:
        found["orgUnits" if kind == ENROLLMENT and not older else "orgUnit"] = settings.org_unit
    mode = settings.org_unit_mode or ("ACCESSIBLE" if older and settings.org_unit is None else None)
    if mode is not None:
        found["ouMode" if older else "orgUnitMode"] = mode
    return found


def _same_clock(one: str, other: str) -> bool:
    """Whether two zones, such as UTC and Etc/UTC, show the same time, each week of these years."""
    zones, begin = (ZoneInfo(one), ZoneInfo(other)), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    weeks = (begin + dt.timedelta(days=days) for days in range(0, 366 * 15, 7))
    return all(week.astimezone(zones[0]).utcoffset() == week.astimezone(zones[1]).utcoffset() for week in weeks)


KIND = Kind("dhis2", "DHIS2 Tracker: a program's enrollments and events (2.41; from 2.36 with `instances`).", Settings, Dhis2)
