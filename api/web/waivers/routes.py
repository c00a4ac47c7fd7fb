"""The routes of waivers: what was sent is checked and handed on; whoever comes second is told what the first did, and keeps their words."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for

from api.web import sessions, words
from api.web.pages import BadAddress, blueprint, day_of, named
from api.web.reviewing import flash_saved, text_of, version_of
from api.web.sessions import desk
from api.web.waivers.views import WaiverFilters
from service.errors import Invalid, NotPossible, StaleVersion
from service.review import COMMENT_LIMIT

_SHOWN = ("waiting", "standing", "past", "all")
_FORM = ("waiver_reason", "waiver_comment", "ends_on")


@blueprint.get("/waivers")
def waivers() -> str:
    show = request.args.get("show", "waiting")
    if show not in _SHOWN:
        raise BadAddress(f"show can be {', '.join(_SHOWN)}")
    filters = WaiverFilters(show, request.args.get("mine") == "1", request.args.get("cursor", ""))
    return render_template("web/waivers/list.html", filters=filters, page=desk().waivers(sessions.access(), filters))


@blueprint.get("/waivers/<key:waiver>")
def waiver(waiver: str) -> str:
    return render_template("web/waivers/waiver.html", item=desk().waiver(sessions.access(), waiver))


@blueprint.post("/waivers/<key:waiver>")
def settle_waiver(waiver: str) -> Response | tuple[str, int]:
    answer, comment = request.form.get("answer", ""), text_of("comment")
    kept = {"answer": answer, "comment": comment[:COMMENT_LIMIT]}
    if answer not in {"approve", "refuse", "take_back"}:
        return _answer_again(waiver, {"answer": "Say whether you approve it"}, kept)
    if len(comment) > COMMENT_LIMIT:
        return _answer_again(waiver, {"comment": f"Keep the comment to {COMMENT_LIMIT:,} characters"}, kept)
    try:
        desk().settle_waiver(sessions.access(), waiver, approve=answer == "approve", comment=comment)
    except Invalid as error:
        return _answer_again(waiver, named(error, {}), kept)
    except (NotPossible, StaleVersion) as error:
        item = desk().waiver(sessions.access(), waiver)
        if item.state != "proposed":
            return render_template("web/waivers/waiver.html", item=item, kept=kept, moved=True), 409
        return _answer_again(waiver, {"": words.sentence_case(f"{error}")}, kept)
    item = desk().waiver(sessions.access(), waiver)
    done = {"approve": "Approved the waiver", "refuse": "The waiver is not given", "take_back": "The request was taken back"}[answer]
    flash_saved(f"{done}: {item.breach.sentence} (case {item.breach.case})")
    return redirect(url_for("web.waiver", waiver=waiver), 303)  # type: ignore[return-value]


@blueprint.get("/breaches/<key:breach>/waivers")
def ask_waiver(breach: str) -> str:
    return render_template("web/waivers/ask.html", page=desk().asking(sessions.access(), breach))


@blueprint.post("/breaches/<key:breach>/waivers", endpoint="send_ask_waiver")
def send_ask_waiver(breach: str) -> Response | tuple[str, int]:
    kept = {name: text_of(name)[:COMMENT_LIMIT] for name in _FORM}
    flaws: dict[str, str] = {}
    ends_on = None
    if not kept["waiver_reason"]:
        flaws["waiver_reason"] = "Give a reason for the waiver"
    if len(text_of("waiver_comment")) > COMMENT_LIMIT:
        flaws["waiver_comment"] = f"Keep the comment to {COMMENT_LIMIT:,} characters"
    try:
        ends_on = day_of(kept["ends_on"])
    except ValueError:
        flaws["ends_on"] = "Give the last day of the waiver"
    version = version_of()
    if flaws or ends_on is None:
        return _ask_again(breach, flaws, kept)
    try:
        desk().ask_waiver(
            sessions.access(), breach, reason=kept["waiver_reason"], comment=kept["waiver_comment"], ends_on=ends_on, version=version
        )
    except StaleVersion:
        page = desk().asking(sessions.access(), breach)
        changes = desk().breach(sessions.access(), breach)
        return render_template("web/waivers/ask.html", page=page, kept=kept, moved=changes.history[:3], zone=changes.zone), 409
    except Invalid as error:
        names = {"reason_code": "waiver_reason", "comment": "waiver_comment", "ends_at": "ends_on"}
        return _ask_again(breach, named(error, names), kept)
    except NotPossible as error:
        return _ask_again(breach, {"": words.sentence_case(f"{error}")}, kept)
    row = desk().breach(sessions.access(), breach).row
    flash_saved(f"Asked for a waiver: {row.sentence} (case {row.case})")
    return redirect(url_for("web.breach", breach=breach), 303)  # type: ignore[return-value]


def _ask_again(breach: str, flaws: dict[str, str], kept: dict[str, str]) -> tuple[str, int]:
    page = desk().asking(sessions.access(), breach)
    return render_template("web/waivers/ask.html", page=page, flaws=flaws, kept=kept, failed=True), 422


def _answer_again(waiver: str, flaws: dict[str, str], kept: dict[str, str]) -> tuple[str, int]:
    item = desk().waiver(sessions.access(), waiver)
    return render_template("web/waivers/waiver.html", item=item, flaws=flaws, kept=kept, failed=True), 422
