"""Primero version 2: cases by the time of their last change, and the history of each, which is where events are.

A case becomes records of several kinds.  ``case``: the case as it stands now.  ``change``: one for each value that a field was given,
from the case's history, with ``at``, ``by``, ``action``, ``field``, ``from``, ``to``, and what the other fields stood at under ``then.``.
Each item of a subform is a record whose kind is the subform's field name, with the item's own fields under ``item.`` and ``added_at``,
``added_by``, ``changed_at`` from the history.
All of them carry the case's ids under ``case.``.  Histories tell everything that was ever typed, names included: fields that are
not asked for are dropped here.  A case that was disabled counts as gone, with all that it became.  Imports adapters.auth, adapters.lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import Field

from adapters.auth import Login, Who, signed_in
from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record
from adapters.convert import ISO, Formats, as_text, blank
from adapters.listing import Deleted, Listing, Paging, Since
from adapters.lists import Lists
from adapters.primero_history import CASE, CHANGE, Past
from adapters.secrets import Secret
from adapters.web import Limits

ALWAYS = ("id", "case_id_display", "last_updated_at", "created_at", "created_by", "record_state")
FIELDS = (
    "status",
    "owned_by",
    "registration_date",
    "consent_for_services",
    "assessment_requested_on",
    "date_case_plan",
    "case_plan_due_date",
    "approval_status_assessment",
    "approval_status_case_plan",
    "approval_status_closure",
    "closure_reason",
    "followup_subform_section",
    "services_section",
)
FAR = "2999-01-01T00:00:00Z"
_HISTORY_PAGES = 1_000
_GONE = (404, 410)


class Settings(Limits):
    """What a source of this kind needs to know.  ``base``: the address of the installation itself, https://primero.example/."""

    user: str
    password: Secret
    page: int = Field(default=100, ge=1, le=1_000)
    fields: list[str] = Field(default_factory=lambda: list(FIELDS), min_length=1)
    """The fields of a case, and the changes of them, that are read; ids and times of change always are.  Name no names here."""
    history: bool = True
    """Whether to read each case's history; the user needs the right to see the record's change log."""
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
        self._wanted = frozenset(settings.fields)
        self._lists = Lists(
            self._web,
            [_listing(settings)],
            overlap=settings.overlap,
            formats=Formats((ISO,)),
            expand=lambda _, __, case: list(self._belonging(case)),
            shape=self._kept,
        )

    def close(self) -> None:
        self._web.close()

    def check(self) -> Connection:
        problems: list[str] = []
        readable: dict[str, str] = {}
        try:
            body = self._cases({"page": 1, "per": 1})
            total = _total(body)
            readable[CASE] = f"{total:,} cases that this user may see" if total is not None else "some cases"
            first = next(iter(_data(body)), None)
            if first is not None:
                missing = sorted(name for name in ("id", "last_updated_at") if blank(first.get(name)))
                problems += [f"cases come without {name}: the user's role may not see it" for name in missing]
                if not missing and _data(self._cases({"page": 1, "per": 1, "last_updated_at": f"{FAR}.."})):
                    problems.append("cases cannot be asked for by last_updated_at: the user's role may not filter by it")
                if self._settings.history:
                    self._web.get(_history_of(as_text(first.get("id"))), {"page": 1, "per": 1})
                    readable[CHANGE] = "the history of a case"
        except AdapterError as error:
            problems.append(str(error))
        return Connection(self._settings.user if not problems else None, readable, problems)

    def pull(self, cursor: Cursor | None) -> Page:
        return self._lists.pull(cursor)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        """A case with all that it becomes, by the ref of any of its records."""
        case = ref.partition("@")[0].partition("#")[0]
        found = self._lists.fetch(CASE, case)
        return found if (kind, ref) == (CASE, case) or not found or not found[0].gone else [*found, Record(kind, ref, gone=True)]

    def _cases(self, params: Mapping[str, Any]) -> Any:
        answer = self._web.get("api/v2/cases", {**params, "fields": _asked(self._settings)})
        assert answer is not None
        return answer.json()

    def _kept(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        fields = {name: value for name, value in raw.items() if name in self._wanted or name in ALWAYS}
        return {**fields, "disabled": True} if raw.get("record_state") is False else fields

    def _belonging(self, case: Record) -> Iterator[Record]:
        """Changes and items of subforms, taken back with their case."""
        if self._settings.history:
            past = Past.of(case, list(self._history(case.ref)), self._wanted)
            belonging = [*past.changes(), *past.items()]
        else:
            belonging = Past(case, [], self._wanted).items()
        for record in belonging:
            yield Record(record.kind, record.ref, gone=True, changed=case.changed) if case.gone else record

    def _history(self, case: str) -> Iterator[Mapping[str, Any]]:
        read = 0
        for number in range(1, _HISTORY_PAGES + 1):
            answer = self._web.get(_history_of(case), {"page": number, "per": 100}, missing=_GONE)
            body = answer.json() if answer is not None else {}
            entries = _data(body)
            yield from entries
            read += len(entries)
            total = _total(body)
            if not entries or (total is not None and read >= total):
                return
        raise AdapterError("a case's history goes on without end")


def _data(body: Any) -> list[dict[str, Any]]:
    found = body.get("data") if isinstance(body, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _total(body: Any) -> int | None:
    told = body.get("metadata") if isinstance(body, dict) else None
    total = told.get("total") if isinstance(told, dict) else None
    return total if isinstance(total, int) else None


def _asked(settings: Settings) -> str:
    return ",".join(dict.fromkeys([*ALWAYS, *settings.fields]))


def _listing(settings: Settings) -> Listing:
    return Listing(
        kind=CASE,
        path="api/v2/cases",
        records="data",
        id="id",
        updated="last_updated_at",
        since=Since(parameter="last_updated_at", template="{since}.."),
        ordered=True,
        paging=Paging(style="page", parameter="page", size_parameter="per", size=settings.page),
        total="metadata.total",
        params={"order_by": "last_updated_at", "order": "asc", "fields": _asked(settings)},
        deleted=Deleted(field="disabled"),
        one="api/v2/cases/{id}",
        one_at="data",
    )


def _history_of(case: str) -> str:
    return f"api/v2/cases/{quote(case, safe='')}/record_history"


KIND = Kind("primero", "Primero version 2 (UNICEF): cases and the history of their changes.", Settings, Primero)
