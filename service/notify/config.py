"""Who is told of what: the file that DUECARE_NOTIFY names, checked with the place of every fault.

Imports pydantic, adapters.secrets, adapters.web, rules.yamlsource and service.sources.file.  The file is read
again when it changes.  It names where secrets stand and never holds one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from adapters.convert import is_zone
from adapters.secrets import Secret
from adapters.web import Limits
from rules.errors import Fault, PolicyError
from rules.yamlsource import read
from service.access import ROLES
from service.errors import Invalid, NotFound
from service.sources.file import faults_of

Topic = Literal["breach.opened", "breach.remedied", "breach.withdrawn", "breach.due_soon", "audit.finished"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME = r"^[a-z][a-z0-9_-]{0,40}$"
LONGEST_TRY = 30.0
"""Seconds that one try may take; shorter than the lease of whoever sends."""
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]{1,64}@[^\s@<>,;:\"\\()\[\]]{1,255}")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Quiet(_Model):
    """When nothing is sent; it waits until these hours are over."""

    start: str | None = Field(default=None, alias="from")
    """As in 19:00; with `to`, each day, past midnight where `to` is the earlier one."""
    to: str | None = None
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(default_factory=list)
    """Days that are quiet from midnight to midnight."""
    zone: str

    @model_validator(mode="after")
    def _good(self) -> Self:
        if (self.start is None) is not (self.to is None):
            raise ValueError("give both from and to, or days alone")
        if self.start is None and not self.days:
            raise ValueError("give from and to, or days")
        for time in (self.start, self.to):
            if time is not None and not _TIME.fullmatch(time):
                raise ValueError("from and to are times such as 19:00")
        if self.start is not None and self.start == self.to:
            raise ValueError("from and to are the same time")
        if not is_zone(self.zone):
            raise ValueError("zone: is no time zone such as Australia/Darwin")
        return self

    def at(self, now: int) -> bool:
        """Whether nothing may be sent at ``now`` (ms)."""
        local = dt.datetime.fromtimestamp(now / 1000, ZoneInfo(self.zone))
        if DAYS[local.weekday()] in self.days:
            return True
        if self.start is None or self.to is None:
            return False
        time = f"{local:%H:%M}"
        return self.start <= time < self.to if self.start < self.to else time >= self.start or time < self.to


class _Receiver(_Model):
    name: str = Field(pattern=NAME)
    """What commands, pages and measurements call it."""
    title: str = ""
    """What people read; the name unless told."""
    enabled: bool = True
    """Whether it is told anything; what is owed to it waits meanwhile."""
    teams: list[str] | None = Field(default=None, min_length=1)
    """Only what belongs to these teams."""
    offices: list[str] | None = Field(default=None, min_length=1)
    """Only what belongs to these offices."""
    quiet: Quiet | None = None

    @property
    def called(self) -> str:
        return self.title or self.name


class Webhook(_Receiver):
    """Another system that is told at once, by a signed POST (Standard Webhooks)."""

    url: str
    secret: Secret
    """What its messages are signed with: `whsec_` and base64."""
    old_secret: Secret | None = None
    """While the secret is changed: the one before, with which messages are signed as well."""
    topics: list[Topic] = Field(default_factory=lambda: list(TOPICS), min_length=1)
    """What it is told of; all there is unless told."""
    collapse: int | None = Field(default=None, ge=10, le=1_000_000)
    """When more messages about breaches than this wait, as after a back-load, one (`breach.collapsed`) with their numbers stands for
    all; without it each is sent."""
    allow_private: bool = False
    """It stands in our own network: allow private and local addresses, and plain http there."""
    ca: str | None = None
    """A file with its certificate authority, where it is one's own."""
    timeout: float = Field(default=15.0, gt=0, le=LONGEST_TRY, strict=False)
    """Seconds that one try may take."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or parts.username or parts.password:
            raise ValueError("is no address such as https://host/path")
        return url

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self.limits()
        return self

    def limits(self) -> Limits:
        """The connection, as adapters.web guards it: its own host alone, no redirect, one try."""
        origin = urlsplit(self.url)._replace(path="/", query="").geturl()
        return Limits(base=origin, allow_private=self.allow_private, ca=self.ca, timeout=self.timeout, tries=1, patience=self.timeout)


class Digest(_Receiver):
    """An e-mail with numbers, at set times: what is new, what falls due soon, what nobody has looked at for long."""

    to: list[str] | None = Field(default=None, min_length=1, max_length=50)
    """Addresses."""
    role: str | None = None
    """Everybody with this role and an e-mail address, each told of their own teams and offices alone."""
    when: str = "30 7 * * 1-5"
    """Minute, hour, day, month, weekday."""
    zone: str
    """The time zone of these, and of the days that the digest speaks of."""
    due_within: int = Field(default=7, ge=1, le=90)
    """Days ahead."""
    stale_after: int = Field(default=14, ge=1, le=365)
    """Days after which a breach that nobody has reviewed counts as going stale."""

    @field_validator("to")
    @classmethod
    def _addresses(cls, to: list[str] | None) -> list[str] | None:
        for address in to or ():
            if not _ADDRESS.fullmatch(address) or not address.isprintable():
                raise ValueError("is no list of addresses such as name@example.org")
        return to

    @model_validator(mode="after")
    def _good(self) -> Self:
        from service.audits.schedules import times

        if (self.to is None) is (self.role is None):
            raise ValueError("give either to or role")
        if self.role is not None and self.role not in ROLES:
            raise ValueError(f"role: is none of {', '.join(ROLES)}")
        try:
            times(self.when, self.zone, after=0)
        except Invalid as error:
            said = (f"{'when' if flaw.field == 'cron' else flaw.field}: {flaw.message}" for flaw in error.flaws)
            raise ValueError("; ".join(said)) from None
        return self


class Smtp(_Model):
    """The mail server that takes what is sent by e-mail."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65_535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """`none` is for a server on this machine or in one's own network, and goes without a password."""
    user: str | None = None
    password: Secret | None = None
    sender: str = Field(alias="from")
    """The address that mails come from."""

    @model_validator(mode="after")
    def _good(self) -> Self:
        if (self.user is None) is not (self.password is None):
            raise ValueError("give both user and password, or neither")
        if self.tls == "none" and self.password is not None:
            raise ValueError("tls: a password is not sent without TLS")
        if not _ADDRESS.fullmatch(self.sender):
            raise ValueError("from: is no address such as duecare@example.org")
        return self


class NotifyFile(_Model):
    """The whole file."""

    pages: str | None = None
    """Where people reach the pages, for the links in digests: https://duecare.example.org/"""
    webhooks: list[Webhook] = Field(default_factory=list, max_length=50)
    digests: list[Digest] = Field(default_factory=list, max_length=50)
    smtp: Smtp | None = None

    @field_validator("pages")
    @classmethod
    def _address(cls, pages: str | None) -> str | None:
        if pages is not None and (urlsplit(pages).scheme not in ("http", "https") or not urlsplit(pages).hostname):
            raise ValueError("is no address such as https://duecare.example.org/")
        return pages if pages is None or pages.endswith("/") else pages + "/"

    @model_validator(mode="after")
    def _good(self) -> Self:
        names = [one.name for one in (*self.webhooks, *self.digests)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the name {twice[0]} stands twice")
        if self.digests and self.smtp is None:
            raise ValueError("smtp: is missing, and digests go by e-mail")
        return self


Receiver = Webhook | Digest


@dataclass(frozen=True)
class Receivers:
    """All who are told, by name; none while the file has faults, and what is owed to them waits."""

    items: Mapping[str, Receiver] = field(default_factory=dict)
    smtp: Smtp | None = None
    pages: str | None = None
    faults: tuple[Fault, ...] = ()

    def get(self, name: str) -> Receiver:
        """Raises NotFound, or PolicyError where the file has faults."""
        if self.faults:
            raise PolicyError(list(self.faults))
        if name not in self.items:
            raise NotFound("there is no such receiver")
        return self.items[name]


class Directory:
    """Those who are told, read again when the file has changed."""

    def __init__(self, where: Path | None) -> None:
        self._where = where
        self._read: tuple[object, Receivers] | None = None

    def current(self) -> Receivers:
        """As the file says now.  Never raises for what it holds."""
        if self._where is None:
            return Receivers()
        try:
            stat = self._where.stat()
            stamp: object = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            stamp = None
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, load(self._where))
        return self._read[1]


def load(where: Path) -> Receivers:
    """What a file says; its faults where it has some."""
    try:
        yaml = read(where)
    except PolicyError as error:
        return Receivers(faults=tuple(error.faults))
    try:
        found = NotifyFile.model_validate(yaml.data)
    except ValidationError as error:
        faults: list[Fault] = faults_of(yaml, (), error)
        return Receivers(faults=tuple(faults))
    everybody: list[Receiver] = [*found.webhooks, *found.digests]
    return Receivers({one.name: one for one in everybody}, found.smtp, found.pages)
