"""CommCare HQ: cases by the time at which they were last indexed (Case Data API v2).

Each case type that is named is a kind of record.  What a case holds are current values; a mapping takes each property for what it is, a
note of what happened or how something stands.  A case that is deleted leaves the list without a word: sweeps find that out.  The list is
cut to what the user's locations allow, and answers as if there were no more; a case that has moved out of them stays as it was known.

The next page is a link that the system makes from its own settings, whatever address it was asked at; only the cursor in it is used,
and goes to ``base``.  Imports adapters.auth, adapters.lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field, field_validator

from adapters.auth import Header, Who, signed_in
from adapters.base import AdapterError, Connection, Cursor, Kind, Page, Record
from adapters.convert import ISO, Formats
from adapters.listing import Listing, Paging, Since
from adapters.lists import Lists
from adapters.secrets import Secret
from adapters.web import Limits

MOST = 5_000
"""Cases that the interface gives a page at most."""


class Settings(Limits):
    """What a source of this kind needs to know.

    ``base``: https://www.commcarehq.org/, https://eu.commcarehq.org/ and so on, or an installation of one's own.
    """

    domain: str = Field(pattern=r"^\w[\w.:-]*$")
    """The project space, as it stands in its addresses behind /a/."""
    user: str
    """The web user whose API key it is, as it signs in; it should see all locations."""
    key: Secret
    case_types: list[str] = Field(min_length=1)
    """Each is a kind of record."""
    page: int = Field(default=500, ge=1, le=MOST)
    fields: list[str] | None = None
    """What to ask for, such as properties.visit_date, indices; all that cases hold unless told.  What is not asked for never leaves the
    system.  Installations older than March 2026 do not know this, and refuse."""
    overlap: int = Field(default=900, ge=1, le=604_800)
    """Seconds by which each round begins before the last one's watermark: what is indexed can be seen only a while later."""
    sweep_hours: int | None = Field(default=168, ge=1, le=8_760)
    """How often to read everything, to find out which cases were deleted; null: never."""

    @field_validator("case_types")
    @classmethod
    def _apart(cls, types: list[str]) -> list[str]:
        if len(set(types)) < len(types):
            raise ValueError("names a case type twice")
        return types


class CommCare:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        who = Who(header=Header(prefix=f"ApiKey {settings.user}:", value=settings.key))
        self._web = signed_in(settings, who)
        self._listings = [_listing(settings, kind) for kind in settings.case_types]
        self._lists = Lists(self._web, self._listings, overlap=settings.overlap, formats=Formats((ISO,)), unwrap=_unwrapped)

    def close(self) -> None:
        self._web.close()

    def check(self) -> Connection:
        problems: list[str] = []
        readable: dict[str, str] = {}
        for listing in self._listings:
            try:
                answer = self._web.get(listing.path, {**listing.params, "limit": 1})
                assert answer is not None
                body = answer.json()
                count = body.get("matching_records") if isinstance(body, dict) else None
                if isinstance(count, int):
                    readable[listing.kind] = f"{count:,} case{'' if count == 1 else 's'} that this user may see"
                else:
                    problems.append(f"{listing.kind}: the answer does not say how many cases there are")
            except AdapterError as error:
                older = self._settings.fields is not None and "400" in str(error)
                problems.append(f"{listing.kind}: {error}{'; an older installation does not know `fields`' if older else ''}")
        return Connection(self._settings.user if readable else None, readable, problems)

    def pull(self, cursor: Cursor | None) -> Page:
        return self._lists.pull(cursor)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        return self._lists.fetch(kind, ref)


def _unwrapped(listing: Listing, body: Any) -> Any:
    """An answer with the cursor of the next page at ``next.cursor``, where some versions have it and others a link that holds it.

    Raises AdapterError where there is more but no way to it: what a list passes over in silence would count as complete.
    """
    if not isinstance(body, dict):
        return body
    cases, total, further = body.get("cases"), body.get("matching_records"), body.get("next")
    cursor = parse_qs(urlsplit(further).query).get("cursor", [None])[0] if isinstance(further, str) else None
    if isinstance(further, dict):
        cursor = further.get("cursor")
    more = isinstance(cases, list) and cases and isinstance(total, int) and total > len(cases)
    if (further or more) and not isinstance(cursor, str):
        raise AdapterError(f"{listing.path}: there are more cases of the type {listing.kind}, and the answer does not say how to go on")
    return {**body, "next": {"cursor": cursor}}


def _listing(settings: Settings, kind: str) -> Listing:
    path = f"a/{settings.domain}/api/case/v2/"
    params: dict[str, Any] = {"case_type": kind}
    only = ""
    if settings.fields is not None:
        params["fields"] = ",".join(dict.fromkeys(["case_id", "case_type", "indexed_on", *settings.fields]))
        only = f"?fields={quote(params['fields'])}"
    return Listing(
        kind=kind,
        path=path,
        records="cases",
        id="case_id",
        updated="indexed_on",
        since=Since(parameter="indexed_on.gte"),
        paging=Paging(style="cursor", parameter="cursor", at="next.cursor", alone=True, size_parameter="limit", size=settings.page),
        params=params,
        one=f"{path}{{id}}{only}",
        sweep_hours=settings.sweep_hours,
    )


KIND = Kind("commcare", "CommCare HQ: cases and their properties (Case Data API v2).", Settings, CommCare)
