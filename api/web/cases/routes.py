"""The routes of the pages about cases.  Each asks the desk and draws.  Imports Flask and this package."""

from __future__ import annotations

import dataclasses
import datetime as dt

from flask import Response, render_template, request

from api.web import sessions
from api.web.cases.views import CaseFilters
from api.web.pages import BadAddress, blueprint, day_of
from api.web.sessions import desk
from service.caseexport import may_export

ONLY = {
    "": "Any",
    "waiting": "Something new is not judged yet",
    "new": "Not judged yet",
    "aside": "Could not be judged, put aside",
    "queries": "Something in the record to look at",
    "withdrawn": "All its records were withdrawn",
}
OPEN = {"": "Any", "yes": "With open breaches", "no": "Without"}
_KNOWN = {"open": OPEN, "only": ONLY}


def wanted(base: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """What stands in an address: ``base`` with ``changes``, without what is empty."""
    return {name: value for name, value in {**base, **changes}.items() if value}


def _filters() -> CaseFilters:
    given = {field.name: request.args.get(field.name, "").strip() for field in dataclasses.fields(CaseFilters)}
    for name, known in _KNOWN.items():
        if given[name] not in known:
            raise BadAddress(f"{name} can be {', '.join(value for value in known if value)}")
    if any("\x00" in value or "\N{REPLACEMENT CHARACTER}" in value for value in given.values()):
        raise BadAddress("it holds text that cannot be read")
    return CaseFilters(**given)


@blueprint.get("/cases")
def cases() -> str:
    filters = _filters()
    listing = desk().cases(sessions.access(), filters)
    return render_template("web/cases/list.html", filters=filters, listing=listing, only=ONLY, open=OPEN, wanted=wanted)


@blueprint.get("/cases/<key:case>")
def case(case: str) -> tuple[str, int] | str:
    asked = {name: request.args.get(name, "").strip() for name in ("as_of", "known_at")}
    days: dict[str, dt.date | None] = {"as_of": None, "known_at": None}
    flaws: dict[str, str] = {}
    for name, text in asked.items():
        if text:
            try:
                days[name] = day_of(text)
            except ValueError:
                flaws[name] = "Give a day from 1900 to 2199, like 2026-03-23"
    if flaws:
        days = {"as_of": None, "known_at": None}
    show, rule = (request.args.get(name, "").strip() for name in ("show", "rule"))
    page = desk().case(sessions.access(), case, as_of=days["as_of"], known_at=days["known_at"], show=show, rule=rule)
    part = request.args.get("part") == "yes"
    name = "web/cases/judged.html" if part else "web/cases/case.html"
    drawn = render_template(
        name,
        page=page,
        asked=asked,
        show=show,
        rule=rule,
        flaws=flaws,
        failed=bool(flaws),
        wanted=wanted,
        export=may_export(sessions.access()),
        holds=desk().case_holds(sessions.access(), page.case),
        may_hold=desk().may_hold(sessions.access()),
    )
    return (drawn, 400) if flaws else drawn


@blueprint.get("/cases/<key:case>/export.<form>")
def export_case(case: str, form: str) -> Response:
    """Everything that is held about the case, to keep or to hand over."""
    made = desk().case_export(sessions.access(), case, form)
    return Response(made.body, content_type=made.media, headers={"Content-Disposition": f'attachment; filename="{made.name}"'})
