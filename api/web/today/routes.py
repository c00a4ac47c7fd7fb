"""The route of the first page.  Imports Flask and this package.

Whoever may not read breaches has their own work behind another page, and is led there.  Old addresses of the list of breaches, which was
the first page once, lead to the list.
"""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for

from api.web import sessions
from api.web.pages import blueprint
from api.web.sessions import desk


@blueprint.get("/")
def today() -> Response | str:
    access = sessions.access()
    if not access.allows("breaches:read"):
        return redirect(url_for("web.sources" if access.allows("sources:admin") else "web.help"), 303)  # type: ignore[return-value]
    if request.query_string:
        return redirect(f"{url_for('web.breaches')}?{request.query_string.decode('ascii', 'replace')}", 303)  # type: ignore[return-value]
    return render_template("web/today/today.html", page=desk().home(access))
