"""The pages for people: server-rendered, no script needed, thin entries into service/ through ``desk``.

``install(app, desk)`` puts them onto an application that ``api.security`` and ``api.problems`` have been installed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.web.desk import Desk

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["Desk", "install"]


def install(app: Flask, desk: Desk, *, secret_key: str | bytes) -> None:
    """Add the pages.  ``secret_key`` signs the session cookie and must be the same in every process."""
    from api import access
    from api.web import faults, pages, rendering, reviewing, sessions, signing
    from api.web.account import routes as account_routes
    from api.web.admin import forms as admin_forms
    from api.web.admin import routes as admin_routes
    from api.web.audits import routes as audit_routes
    from api.web.cases import routes as case_routes
    from api.web.due import routes as due_routes
    from api.web.notices import routes as notice_routes
    from api.web.policies import forms, routes
    from api.web.retention import routes as retention_routes
    from api.web.sources import routes as source_routes
    from api.web.statistics import routes as stat_routes
    from api.web.today import routes as today_routes
    from api.web.waivers import routes as waiver_routes
    from api.web.worklist import export as work_export
    from api.web.worklist import routes as work_routes

    del account_routes, retention_routes
    del notice_routes, audit_routes, admin_forms, admin_routes, due_routes, stat_routes, work_export, work_routes  # as these are
    del case_routes, reviewing, signing, forms, routes, source_routes, today_routes, waiver_routes  # imported for the routes that they add

    app.secret_key = secret_key
    app.session_interface = sessions.Cookies()
    app.config["SESSION_COOKIE_NAME"] = "duecare"
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.extensions["duecare_desk"] = desk
    with app.app_context():
        access.session_access(sessions.viewer)
    rendering.install(app)
    app.register_blueprint(pages.blueprint)
    faults.install(app)
