"""Primero version 2: cases by the time of their last change, and the history of each, which is where events are.

Each case of a page is one record of the kind ``case``; each change of a field in its history is one of the kind ``change``, with the
fields ``at``, ``by``, ``action``, ``field``, ``from``, ``to`` and the case's own under ``case.``.  The date filter of the interface
is inclusive and cut to seconds, its lists have no tie-break, and a case's time is set before it is committed: overlap and repeated
rounds answer to that (see adapters.lists).  Imports adapters.auth, adapters.lists.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import Field

from adapters.auth import Login, Who, signed_in
from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record
from adapters.convert import ISO, Formats, as_moment
from adapters.lists import Listing, Lists, Paging, Since
from adapters.secrets import Secret
from adapters.web import Limits

CASES = "case"
CHANGES = "change"
_HISTORY_PAGES = 1_000


class Settings(Limits):
    """What a source of this kind needs to know.  ``base``: the address of the installation itself, https://primero.example/."""

    user: str
    password: Secret
    page: int = Field(default=100, ge=1, le=1_000)
    fields: list[str] | None = None
    """The fields of a case to ask for; all that the user may see unless told.  id, last_updated_at and created_at always come."""
    history: bool = True
    """Whether to read each case's history; the user needs the right to see the record's log."""
    overlap: int = Field(default=300, ge=0, le=604_800)
    """Seconds by which each round begins before the last one's watermark."""


class Primero:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        login = Login(
            path="api/v2/tokens",
            user=settings.user,
            password=settings.password,
            body={"user": {"user_name": "{user}", "password": "{password}"}},
            lifetime=3_600,
        )
        self._web = signed_in(settings, Who(login=login))
        self._formats = Formats((ISO,))
        self._lists = Lists(
            self._web,
            [_listing(settings)],
            overlap=settings.overlap,
            formats=self._formats,
            expand=lambda _, raw, record: [] if record.gone or not settings.history else list(self._changes(raw, record)),
        )

    def close(self) -> None:
        self._web.close()

    def check(self) -> Connection:
        problems: list[str] = []
        readable: dict[str, str] = {}
        try:
            answer = self._web.get("api/v2/cases", {"page": 1, "per": 1})
            assert answer is not None
            body = answer.json()
            total = body.get("metadata", {}).get("total") if isinstance(body, dict) else None
            readable[CASES] = f"{total:,} cases that this user may see" if isinstance(total, int) else "some cases"
            first = next(iter(body.get("data") or []), None) if isinstance(body, dict) else None
            if self._settings.history and isinstance(first, dict):
                self._web.get(_history_of(str(first.get("id"))), {"page": 1, "per": 1})
                readable[CHANGES] = "the history of a case"
        except AdapterError as error:
            problems.append(str(error))
        return Connection(self._settings.user if not problems else None, readable, problems)

    def pull(self, cursor: Cursor | None) -> Page:
        return self._lists.pull(cursor)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        return self._lists.fetch(CASES, ref.partition("@")[0] if kind == CHANGES else ref)

    def _changes(self, raw: Mapping[str, Any], case: Record) -> Iterator[Record]:
        for entry in self._history(case.ref):
            at = entry.get("datetime")
            changed = int(as_moment(at, self._formats).instant.timestamp() * 1000)
            told = {"at": at, "by": entry.get("user_name"), "action": entry.get("action"), "case": dict(raw)}
            parts = entry.get("record_changes") or []
            for part in parts if isinstance(parts, list) else []:
                for name, values in part.items() if isinstance(part, dict) else ():
                    change = values if isinstance(values, dict) else {}
                    seal = hashlib.sha256(json.dumps([at, name, change, told["by"]], sort_keys=True, default=str).encode()).hexdigest()
                    fields = {**told, "field": name, "from": change.get("from"), "to": change.get("to"), "id": seal[:24]}
                    yield Record(CHANGES, f"{case.ref}@{seal[:24]}", fields, changed=changed)
            if not parts:
                yield Record(CHANGES, f"{case.ref}@{at}:{entry.get('action')}", {**told, "id": f"{at}"}, changed=changed)

    def _history(self, case: str) -> Iterator[Mapping[str, Any]]:
        read = 0
        for number in range(1, _HISTORY_PAGES + 1):
            answer = self._web.get(_history_of(case), {"page": number, "per": 100}, missing=(404,))
            body = answer.json() if answer is not None else {}
            found = body.get("data") if isinstance(body, dict) else None
            entries = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
            yield from entries
            read += len(entries)
            total = body.get("metadata", {}).get("total") if isinstance(body, dict) else None
            if not entries or (isinstance(total, int) and read >= total):
                return
        raise AdapterError("a case's history goes on without end")


def _history_of(case: str) -> str:
    return f"api/v2/cases/{quote(case, safe='')}/record_history"


def _listing(settings: Settings) -> Listing:
    params: dict[str, str | int | bool] = {"order_by": "last_updated_at", "order": "asc"}
    if settings.fields is not None:
        params["fields"] = ",".join(dict.fromkeys(["id", "last_updated_at", "created_at", "case_id_display", *settings.fields]))
    return Listing(
        kind=CASES,
        path="api/v2/cases",
        records="data",
        id="id",
        updated="last_updated_at",
        since=Since(parameter="last_updated_at", template="{since}.."),
        paging=Paging(style="page", parameter="page", size_parameter="per", size=settings.page),
        total="metadata.total",
        params=params,
        one="api/v2/cases/{id}",
        one_at="data",
    )


KIND = Kind("primero", "Primero version 2 (UNICEF): cases and the history of their changes.", Settings, Primero)
