"""The routes of administration, for reading.  Each asks the desk and draws.  Imports Flask and this package.

The forms are in ``api.web.admin.forms``.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator

from flask import Response, render_template, request

from api import recorded
from api.web import sessions
from api.web.admin.views import LogFilters
from api.web.pages import blueprint
from api.web.sessions import desk

recorded.remember(blueprint)


@blueprint.get("/administration")
def administration() -> str:
    return render_template("web/admin/overview.html", page=desk().administration(sessions.access()))


@blueprint.get("/administration/accounts")
def accounts() -> str:
    page = desk().accounts(sessions.access(), find=request.args.get("find", "").strip()[:200])
    return render_template("web/admin/accounts.html", page=page)


@blueprint.get("/administration/accounts/<key:account>")
def account(account: str) -> str:
    return render_template("web/admin/account.html", page=desk().account(sessions.access(), account), sent=None)


@blueprint.get("/administration/roles")
def roles() -> str:
    return render_template("web/admin/roles.html", page=desk().roles_page(sessions.access()))


@blueprint.get("/administration/teams")
def teams() -> str:
    return render_template("web/admin/teams.html", page=desk().places_page(sessions.access()))


@blueprint.get("/administration/keys")
def api_keys() -> str:
    return render_template("web/admin/keys.html", page=desk().keys_page(sessions.access()))


@blueprint.get("/administration/keys/<key:key>")
def api_key(key: str) -> str:
    return render_template("web/admin/key.html", page=desk().key_page(sessions.access(), key))


@blueprint.get("/administration/sign-in")
def signing() -> str:
    return render_template("web/admin/signing.html", page=desk().signing_page(sessions.access()))


@blueprint.get("/administration/access-log")
def access_log() -> str:
    filters = _filters()
    return render_template("web/admin/log.html", page=desk().access_log(sessions.access(), filters), filters=filters)


@blueprint.get("/administration/access-log.csv")
def export_access_log() -> Response:
    rows = desk().access_log_rows(sessions.access(), _filters())

    def text() -> Iterator[str]:
        yield "\N{ZERO WIDTH NO-BREAK SPACE}"  # spreadsheets take a file that begins with it for UTF-8
        for row in rows:
            line = io.StringIO()
            csv.writer(line).writerow(row)
            yield line.getvalue()

    headers = {"Content-Disposition": 'attachment; filename="access-log.csv"'}
    return Response(text(), content_type="text/csv; charset=utf-8", headers=headers)


def _filters() -> LogFilters:
    given = {field.name: request.args.get(field.name, "").strip()[:1024] for field in dataclasses.fields(LogFilters)}
    return LogFilters(**given)
