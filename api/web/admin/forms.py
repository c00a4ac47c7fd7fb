"""The routes of administration that change something: what was sent is checked, handed on, and shown again beside its faults.

A one-time password and a key are drawn at once and never kept, not even for a redirect.  Imports Flask and this package.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from api import recorded
from api.web import sessions, words
from api.web.admin.desk import Limits
from api.web.admin.views import Secret
from api.web.pages import blueprint, day_of, named
from api.web.sessions import desk
from api.web.telling import telling
from service.errors import Forbidden, Invalid, NotPossible

Drawn = Response | tuple[str, int] | str
_ACCOUNT = {"teams": "teams-limit", "offices": "offices-limit"}
_KEY = {**_ACCOUNT, "scopes": "scopes"}


@blueprint.route("/administration/accounts/new", methods=["GET", "POST"])
def new_account() -> Drawn:
    offer = desk().offer(sessions.access())
    if request.method == "GET":
        return render_template("web/admin/new_account.html", offer=offer, sent={})
    sent, flaws = _sent("name", "email"), dict[str, str]()
    teams, offices = _limits("teams", flaws), _limits("offices", flaws)
    if not sent["name"]:
        flaws["name"] = "Give a user name"
    if not sent["roles"]:
        flaws["roles"] = "Choose at least one role"
    if not flaws:
        try:
            made = desk().make_account(
                sessions.access(), name=sent["name"], email=sent["email"], roles=sent["roles"], teams=teams, offices=offices
            )
        except Invalid as error:
            flaws = named(error, _ACCOUNT)
        else:
            return _once(made)
    return render_template("web/admin/new_account.html", offer=offer, sent=sent, flaws=flaws, failed=True), 422


@blueprint.post("/administration/accounts/<key:account>")
def change_account(account: str) -> Drawn:
    sent, flaws = _sent(), dict[str, str]()
    teams, offices = _limits("teams", flaws), _limits("offices", flaws)
    if not sent["roles"]:
        flaws["roles"] = "Choose at least one role"
    if not flaws:
        try:
            desk().change_account(sessions.access(), account, roles=sent["roles"], teams=teams, offices=offices)
        except Invalid as error:
            flaws = named(error, _ACCOUNT)
        except NotPossible as error:
            flaws = {"": words.sentence_case(str(error))}
        else:
            flash("The account has been changed. Its owner has to sign in again.", "done")
            return _to_account(account)
    page = desk().account(sessions.access(), account)
    if page.row.own:
        flaws = {"": "Another administrator changes your roles and limits"}
    return render_template("web/admin/account.html", page=page, sent=sent, flaws=flaws, failed=True), 422


@blueprint.post("/administration/accounts/<key:account>/off")
def lock_account(account: str) -> Response:
    with telling("The account is switched off. Whoever was signed in with it is out."):
        desk().lock_account(sessions.access(), account)
    return _to_account(account)


@blueprint.post("/administration/accounts/<key:account>/on")
def unlock_account(account: str) -> Response:
    desk().let_in(sessions.access(), account)
    flash("The account can sign in again.", "done")
    return _to_account(account)


@blueprint.post("/administration/accounts/<key:account>/password")
def reset_account(account: str) -> Drawn:
    try:
        made = desk().reset_password(sessions.access(), account)
    except NotPossible as error:
        flash(f"{words.sentence_case(str(error))}.", "problem")
        return _to_account(account)
    return _once(made)


@blueprint.route("/administration/keys/new", methods=["GET", "POST"])
def new_key() -> Drawn:
    offer = desk().offer(sessions.access())
    if request.method == "GET":
        return render_template("web/admin/new_key.html", offer=offer, sent={})
    sent, flaws = _sent("name", "expires"), dict[str, str]()
    teams, offices = _limits("teams", flaws), _limits("offices", flaws)
    expires = _expiry(sent["expires"], flaws)
    if not sent["name"]:
        flaws["name"] = "Say which system the key is for"
    if not sent["scopes"]:
        flaws["scopes"] = "Choose what the key may do"
    if not flaws:
        try:
            made = desk().make_key(
                sessions.access(), name=sent["name"], scopes=sent["scopes"], teams=teams, offices=offices, expires=expires
            )
        except Invalid as error:
            flaws = named(error, _KEY)
        else:
            return _once(made)
    return render_template("web/admin/new_key.html", offer=offer, sent=sent, flaws=flaws, failed=True), 422


@blueprint.post("/administration/keys/<key:key>/rotate")
def rotate_key(key: str) -> Drawn:
    overlap = request.form.get("overlap", "")
    try:
        made = desk().rotate_key(sessions.access(), key, overlap=int(overlap) if overlap.isascii() and overlap.isdigit() else -1)
    except (Forbidden, NotPossible) as error:
        sessions.access().require("users:admin")
        flash(f"{words.sentence_case(str(error))}.", "problem")
        return _to_key(key)
    return _once(made)


@blueprint.post("/administration/keys/<key:key>/revoke")
def revoke_key(key: str) -> Response:
    desk().revoke_key(sessions.access(), key)
    flash("The key is revoked. Nothing can be done with it any more.", "done")
    return _to_key(key)


def _once(made: Secret) -> str:
    recorded.note(thing=made.onward.rpartition("/")[2])
    return render_template("web/admin/secret.html", page=made)


def _sent(*fields: str) -> dict[str, Any]:
    """What stands in the form, to be shown again."""
    single = {
        name: request.form.get(name, "").strip()[:1024] for name in (*fields, "teams-limit", "offices-limit", "teams-more", "offices-more")
    }
    return single | {name: request.form.getlist(name)[:500] for name in ("roles", "scopes", "teams", "offices")}


def _limits(kind: str, flaws: dict[str, str]) -> Limits:
    """The teams, or the offices, that were chosen; None: all of them.  Says so in ``flaws`` where nothing was chosen."""
    chosen = request.form.get(f"{kind}-limit", "")
    if chosen == "all":
        return None
    typed = (part.strip() for part in request.form.get(f"{kind}-more", "").split(","))
    codes = sorted({code for code in (*request.form.getlist(kind), *typed) if code})
    if chosen != "some":
        flaws[f"{kind}-limit"] = f"Choose all {kind}, or some of them"
    elif not codes:
        flaws[f"{kind}-limit"] = f"Choose at least one of the {kind}"
    return codes


def _expiry(text: str, flaws: dict[str, str]) -> dt.date | None:
    try:
        return day_of(text) if text else None
    except ValueError:
        flaws["expires"] = "Give a day, like 2026-12-31, or leave it empty"
        return None


def _to_account(account: str) -> Response:
    return redirect(url_for("web.account", account=account), 303)  # type: ignore[return-value]


def _to_key(key: str) -> Response:
    return redirect(url_for("web.api_key", key=key), 303)  # type: ignore[return-value]
