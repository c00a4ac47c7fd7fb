"""The routes that change something: a number or a text is proposed, tried, and answered by another person.

What was sent is checked and handed on; what cannot be taken is told beside its field, and nothing that somebody wrote is lost.
Imports Flask, this package and service.errors.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage

from api.web import sessions, words
from api.web.pages import blueprint, day_of, named
from api.web.policies.views import Parameter, PolicyPage
from api.web.sessions import desk
from service.errors import Flaw, Invalid, NotFound, NotPossible, StaleVersion

REASON_LIMIT = 4_000
MOST_FILES = 40
FILES_LIMIT = 2_000_000
"""Bytes of all files of a proposal together."""
_FIELDS = {"values": "value", "applies_to_open": "open_cases", "files": "file"}
_DONE = {"approve": "Approved: {}", "reject": "Rejected: {}", "withdraw": "Taken back: {}"}


# --- a number --------------------------------------------------------------------------------------------------------


@blueprint.route("/policies/<key:policy>/parameters/<key:name>", methods=["GET", "POST"])
def parameter(policy: str, name: str) -> Response | str | tuple[str, int]:
    page = desk().policy(sessions.access(), policy)
    chosen = next((one for one in (*page.unset, *page.set_) if one.name == name), None)
    if chosen is None:
        raise NotFound("there is no such parameter")
    if request.method != "POST":
        return _parameter_page(page, chosen, {}, {})
    kept, flaws, effective = _when(page)
    kept["value"] = request.form.get("value", "").strip()[:20]
    value: int | None = None
    if kept["value"]:
        if kept["value"].isdecimal() and int(kept["value"]) <= 36_500:
            value = int(kept["value"])
        else:
            flaws["value"] = "Give a whole number from 0 to 36,500"
    elif not chosen.value:
        flaws["value"] = f"Give a number of {chosen.unit}"
    if flaws or effective is None:
        return _parameter_page(page, chosen, _ordered(flaws, "value"), kept), 422
    try:
        made = desk().propose_values(
            sessions.access(),
            policy,
            values={name: value},
            effective=effective,
            open_cases=kept["open_cases"] == "yes",
            reason=kept["reason"],
        )
    except Invalid as error:
        return _parameter_page(page, chosen, named(error, {**_FIELDS, name: "value", f"values/{name}": "value"}), kept), 422
    except NotPossible as error:
        return _parameter_page(page, chosen, {"": words.sentence_case(str(error))}, kept), 422
    return _proposed(made)


def _parameter_page(page: PolicyPage, chosen: Parameter, flaws: Mapping[str, str], kept: Mapping[str, str]) -> str:
    return _form("parameter", page, flaws, kept, parameter=chosen)


# --- a text ----------------------------------------------------------------------------------------------------------


@blueprint.route("/policies/<key:policy>/propose", methods=["GET", "POST"])
def propose(policy: str) -> Response | str | tuple[str, int]:
    page = desk().policy(sessions.access(), policy)
    if request.method != "POST":
        return _file_page(page, {}, {})
    kept, flaws, effective = _when(page)
    files, wrong = _files()
    flaws |= wrong
    if flaws or effective is None:
        return _file_page(page, _ordered(flaws, "file", "others"), kept), 422
    try:
        made = desk().propose_files(
            sessions.access(), policy, files=files, effective=effective, open_cases=kept["open_cases"] == "yes", reason=kept["reason"]
        )
    except Invalid as error:
        placed = [flaw for flaw in error.flaws if flaw.field.partition(":")[2]]
        flaws = named(Invalid(*(flaw for flaw in error.flaws if flaw not in placed)), _FIELDS)
        if placed:
            flaws["file"] = f"The file was read, and {words.count(len(placed), 'fault was', 'faults were')} found in it"
        return _file_page(page, flaws, kept, [_finding(flaw) for flaw in placed]), 422
    except NotPossible as error:
        return _file_page(page, {"": words.sentence_case(str(error))}, kept), 422
    return _proposed(made)


def _finding(flaw: Flaw) -> tuple[str, str, str]:
    """Place, message and code of a finding; its field is ``file:line:col``."""
    file, _, place = flaw.field.partition(":")
    return (f"{file}, line {place.partition(':')[0]}", words.sentence_case(flaw.message), flaw.code)


def _files() -> tuple[dict[str, str], dict[str, str]]:
    """The texts that were sent, the policy first, and what is wrong with them."""
    flaws: dict[str, str] = {}
    files: dict[str, str] = {}
    sent = [("file", one) for one in request.files.getlist("file")] + [("others", one) for one in request.files.getlist("others")]
    for field, one in sent[:MOST_FILES]:
        if not one.filename:
            continue
        try:
            files[_name(one)] = one.stream.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            flaws[field] = f"{_name(one)} is not UTF-8 text"
    if not any(field == "file" and one.filename for field, one in sent):
        flaws["file"] = "Choose a policy file"
    elif not next(iter(files.values()), "x").strip():
        flaws["file"] = "The file is empty"
    elif sum(len(text) for text in files.values()) > FILES_LIMIT:
        flaws["file"] = f"Keep the files to {FILES_LIMIT // 1_000_000} MB together"
    return files, flaws


def _name(sent: FileStorage) -> str:
    """The name of a sent file without folders, and without what no name of a policy's file holds."""
    last = (sent.filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(char if char.isalnum() or char in "._- " else "_" for char in last)[:120]


def _file_page(page: PolicyPage, flaws: Mapping[str, str], kept: Mapping[str, str], findings: Any = ()) -> str:
    limit = min(FILES_LIMIT, current_app.config["BODY_LIMIT"]) // 1_000_000
    return _form("file", page, flaws, kept, findings=findings, limit=f"{limit} MB")


# --- the answer ------------------------------------------------------------------------------------------------------


@blueprint.post("/policy-changes/<key:change>")
def answer_change(change: str) -> Response | tuple[str, int]:
    answer = request.form.get("answer", "")
    comment = _text("comment")
    version = request.form.get("version", "")
    if answer not in _DONE or not version.isdecimal() or len(version) > 18:
        raise sessions.BadForm
    if len(comment) > REASON_LIMIT:
        return _again(change, {"comment": f"Keep the comment to {REASON_LIMIT:,} characters"}, {"comment": comment[:REASON_LIMIT]})
    if answer == "reject" and not comment:
        return _again(change, {"comment": "Say why you reject it"}, {})
    try:
        desk().decide(sessions.access(), change, answer=answer, comment=comment, version=int(version))
    except StaleVersion:
        page = desk().change(sessions.access(), change)
        return render_template("web/policies/change.html", page=page, kept={"comment": comment}, moved=True), 409
    except Invalid as error:
        return _again(change, named(error, {}), {"comment": comment})
    except NotPossible as error:
        return _again(change, {"": words.sentence_case(str(error))}, {"comment": comment})
    flash(_DONE[answer].format(desk().change(sessions.access(), change).what)[:400], "done")
    return _to("change", change=change)


@blueprint.post("/policy-changes/<key:change>/backtest")
def start_backtest(change: str) -> Response | tuple[str, int]:
    text = request.form.get("since", "").strip()
    since: dt.date | None = None
    if text:
        try:
            since = day_of(text)
        except ValueError:
            return _again(change, {"since": "Give a day, or leave it empty"}, {"since": text[:20]})
    try:
        desk().start_backtest(sessions.access(), change, since=since)
    except (NotPossible, Invalid) as error:
        return _again(change, {"": words.sentence_case(str(error))}, {})
    return _to("change", change=change, _anchor="backtest")


@blueprint.post("/backtests/<key:backtest>/cancel")
def cancel_backtest(backtest: str) -> Response:
    try:
        desk().cancel_backtest(sessions.access(), backtest)
    except NotPossible as error:
        flash(words.sentence_case(f"{error}."), "problem")
    return _to("backtest", backtest=backtest)


def _again(change: str, flaws: Mapping[str, str], kept: Mapping[str, str]) -> tuple[str, int]:
    page = desk().change(sessions.access(), change)
    return render_template("web/policies/change.html", page=page, flaws=flaws, kept=kept, failed=True), 422


# --- what both proposals share ---------------------------------------------------------------------------------------


def _form(name: str, page: PolicyPage, flaws: Mapping[str, str], kept: Mapping[str, str], **more: Any) -> str:
    return render_template(
        f"web/policies/{name}.html",
        row=page.row,
        may_propose=page.may_propose,
        today=words.local(desk().now(), page.row.zone).date(),
        flaws=flaws,
        kept=kept,
        failed=bool(flaws),
        **more,
    )


def _when(page: PolicyPage) -> tuple[dict[str, str], dict[str, str], dt.date | None]:
    """From which day, for which cases, and why: as sent, with what is wrong with it."""
    kept = {"effective": request.form.get("effective", "").strip()[:20], "open_cases": request.form.get("open_cases", "")[:3]}
    kept["reason"] = _text("reason")
    flaws: dict[str, str] = {}
    effective: dt.date | None = None
    try:
        effective = day_of(kept["effective"])
        if effective < words.local(desk().now(), page.row.zone).date():
            flaws["effective"] = "Give today or a later day"
    except ValueError:
        flaws["effective"] = "Give the first day on which it is to hold"
    if kept["open_cases"] not in {"yes", "no"}:
        flaws["open_cases"] = "Say what is to become of cases that are open on that day"
    if not kept["reason"]:
        flaws["reason"] = "Say why"
    elif len(kept["reason"]) > REASON_LIMIT:
        flaws["reason"] = f"Keep the reason to {REASON_LIMIT:,} characters"
        kept["reason"] = kept["reason"][:REASON_LIMIT]
    return kept, flaws, effective


def _ordered(flaws: dict[str, str], *first: str) -> dict[str, str]:
    """The flaws in the order of the form."""
    return {name: flaws[name] for name in (*first, "effective", "open_cases", "reason") if name in flaws}


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def _proposed(change: str) -> Response:
    flash("Proposed. Nothing has changed yet: try it on the stored cases, then another person can approve it.", "done")
    return _to("change", change=change)


def _to(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(f"web.{endpoint}", **values), 303)  # type: ignore[return-value]
