"""Where people are signed in: each session can be ended by itself, in every process, and its copies with it.  On both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event as hooks
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from api.app import create_app
from service import backups, users, websessions
from service.websessions import IDLE, KEPT, LONGEST
from store import websessions as rows
from store.clocksteps import make_good
from store.models import AccessLogRow, UserRow, WebSessionRow
from tests.support.pages import PageClient
from tests.support.service_kit import Kit, kit
from tests.web.conftest import OWN

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1"
BOTH = pytest.mark.parametrize("store", ["sqlite_url", "pg_db"])

Enter = Callable[..., PageClient]


def browser(flow: Kit, name: str, agent: str = FIREFOX) -> PageClient:
    """Signed in, in a process of its own."""
    client = PageClient(create_app(flow.svc))
    client.flask.environ_base["HTTP_USER_AGENT"] = agent
    client.sign_in(name, OWN)
    assert client.location == "/"
    return client


def copied(flow: Kit, client: PageClient) -> FlaskClient:
    """Somebody else's browser with a copy of the cookie, at another process."""
    cookie = client.flask.get_cookie("duecare")
    assert cookie is not None
    thief = create_app(flow.svc).test_client()
    thief.set_cookie("duecare", cookie.value)
    return thief


def is_in(client: PageClient | FlaskClient) -> bool:
    answer = (client.flask if isinstance(client, PageClient) else client).get("/cases")
    assert answer.status_code == 200 or answer.headers["Location"].startswith("/sign-in")
    return answer.status_code == 200


def lines(client: PageClient) -> list[str]:
    page = client.get("/account")
    return [e.text for e in page.all("tr") if e.inside("tbody")]


def end_of(client: PageClient, words: str) -> str:
    """The address of the form that ends the session whose line has these words."""
    page = client.get("/account")
    (row,) = [e for e in page.all("tr") if e.inside("tbody") and words in e.text]
    (form,) = [e for e in page.all("form") if row in e.parents]
    return form.attributes["action"]


def held(flow: Kit) -> list[WebSessionRow]:
    with flow.svc.reading() as session:
        return list(session.scalars(select(WebSessionRow).order_by(WebSessionRow.made, WebSessionRow.id)))


def account_of(flow: Kit, name: str) -> str:
    return next(user.id for user in users.listed(flow.svc) if user.name == name)


def as_before(flow: Kit, name: str, **more: Any) -> PageClient:
    """A browser with a cookie as the version before made them."""
    client = PageClient(create_app(flow.svc))
    with client.flask.session_transaction() as session:
        session.update({"user": account_of(flow, name), "began": flow.clock.ms, "seen": flow.clock.ms, "token": "its form token", **more})
    return client


@contextmanager
def statements(flow: Kit) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    hooks.listen(flow.svc.engine, "before_cursor_execute", note)
    yield sent
    hooks.remove(flow.svc.engine, "before_cursor_execute", note)


@BOTH
def test_signing_out_ends_this_session_with_its_copies_and_no_other(flow: Kit, enter: Enter) -> None:
    here = enter("kim")
    phone, thief = browser(flow, "kim", PHONE), copied(flow, here)
    assert is_in(thief)
    here.post("/sign-out", {})
    assert "You have signed out here" in here.get("/sign-in").main
    assert not is_in(thief), "at the same instant, and in another process"
    assert is_in(phone)
    assert not is_in(here)


@BOTH
def test_a_session_is_ended_from_another_device(flow: Kit, enter: Enter) -> None:
    enter("kim").post("/sign-out", {})
    here, phone = browser(flow, "kim"), browser(flow, "kim", PHONE)
    flow.clock.advance(minutes=5)
    told = lines(here)
    assert told[0].startswith("Firefox on Linux This one")
    assert told[1].startswith("Safari on iPhone")
    assert len(told) == 2
    address = end_of(here, "Safari on iPhone")
    here.post(address, {})
    assert here.location == "/account"
    assert "That session is over" in here.get("/account").main
    assert not is_in(phone)
    assert "Your session is over" in phone.get("/sign-in").main
    assert len(lines(here)) == 1
    here.post(address, {})
    assert "You have no such session any more" in here.get("/account").main
    ended = address.split("/")[-2]
    with flow.svc.reading() as session:
        logged = session.scalars(select(AccessLogRow).where(AccessLogRow.action == "session.end_one").order_by(AccessLogRow.id))
        assert [(line.thing, line.outcome) for line in logged] == [(ended, "done"), (ended, "not_done")]


def test_nobody_ends_or_sees_the_sessions_of_somebody_else(flow: Kit, enter: Enter) -> None:
    kim, robin = enter("kim"), enter("robin")
    assert len(lines(robin)) == 1
    (theirs,) = [row.id for row in held(flow) if row.ended is None and row.account == account_of(flow, "kim")]
    robin.get("/account")
    robin.post(f"/account/sessions/{theirs}/end", {})
    assert "You have no such session any more" in robin.get("/account").main
    robin.post("/account/sessions/end", {})
    assert is_in(kim)


@BOTH
def test_signing_out_everywhere_else_leaves_this_one_with_another_cookie_and_no_longer(flow: Kit, enter: Enter) -> None:
    here, phone = enter("kim"), browser(flow, "kim", PHONE)
    older, thief = as_before(flow, "kim"), copied(flow, here)
    robin = enter("robin")
    until = flow.clock.ms + LONGEST
    flow.clock.advance(minutes=5)
    token = here.token()
    here.get("/account")
    here.post("/account/sessions/end", {})
    assert "You are signed in here only" in here.get("/account").main
    assert [is_in(one) for one in (phone, older, thief)] == [False, False, False]
    assert is_in(robin)
    assert len(lines(here)) == 1
    assert here.token() == token, "what lies open in a tab can still be sent"
    while flow.clock.ms + IDLE < until:
        flow.clock.advance(seconds=IDLE // 1000)
        assert is_in(here)
    flow.clock.ms = until + 1
    assert not is_in(here), "it does not last longer than before"


def test_who_signs_in_again_in_the_same_browser_leaves_no_session_behind(flow: Kit, enter: Enter) -> None:
    here = enter("kim")
    thief = copied(flow, here)
    here.flask.post("/sign-in", data={"csrf_token": here.token(), "name": "kim", "password": OWN})
    assert not is_in(thief)
    assert len(lines(here)) == 1


@BOTH
@pytest.mark.parametrize("act", ["off", "password", "roles"])
def test_what_an_administrator_does_ends_all_sessions_at_once(flow: Kit, enter: Enter, act: str) -> None:
    admin, jo = enter("kim", "administrator"), enter("jo")
    everywhere = [jo, browser(flow, "jo", PHONE), as_before(flow, "jo")]
    assert [is_in(one) for one in everywhere[:2]] == [True] * 2
    flow.clock.advance(seconds=1)
    path, form = f"/administration/accounts/{account_of(flow, 'jo')}", {}
    if act == "roles":
        form = {"roles": ["viewer"], "teams-limit": "all", "offices-limit": "all"}
    else:
        path += f"/{act}"
    admin.post(path, form, status=200 if act == "password" else 303)
    assert [is_in(one) for one in everywhere] == [False] * 3
    assert not [row for row in held(flow) if row.account == account_of(flow, "jo") and row.ended is None]
    assert is_in(admin)


@BOTH
def test_a_session_that_nobody_uses_ends_whatever_its_copies_say(flow: Kit, enter: Enter) -> None:
    here = enter("kim")
    old = copied(flow, here)
    for _ in range(2):
        flow.clock.advance(seconds=IDLE // 1000)
        assert is_in(here)
    assert is_in(old), "the row knows the last use, not the copy"
    flow.clock.advance(seconds=IDLE // 1000 + 1)
    assert not is_in(here)
    assert not is_in(old)


def test_a_page_that_asks_by_itself_keeps_no_session_alive(flow: Kit, enter: Enter) -> None:
    here = enter("kim")
    for _ in range(4):
        flow.clock.advance(seconds=IDLE // 4000)
        assert here.flask.get("/breaches/news").status_code in {200, 204, 400}
    flow.clock.advance(seconds=1)
    assert not is_in(here)


@BOTH
def test_a_request_looks_once_for_session_and_account_and_notes_its_use_once_a_minute(flow: Kit, enter: Enter) -> None:
    here = enter("kim")
    flow.clock.advance(minutes=2)
    told = []
    for _ in range(3):
        with statements(flow) as sent:
            here.get("/help")
        about = [one.split()[0] for one in sent if re.search("web_session|user_account", one)]
        told.append(about)
    assert told == [["SELECT", "UPDATE"], ["SELECT"], ["SELECT"]]
    assert [row.seen for row in held(flow) if row.ended is None] == [flow.clock.ms]


@BOTH
def test_a_session_of_the_version_before_goes_on_and_once_ended_stays_so(flow: Kit, enter: Enter) -> None:
    enter("kim")
    flow.clock.advance(minutes=1)
    before = as_before(flow, "kim")
    copy = copied(flow, before)
    assert is_in(before)
    assert is_in(copy)
    assert is_in(as_before(flow, "kim", seen=flow.clock.ms - 5)), "a copy that is a little older"
    assert len(lines(before)) == 2, "with the one that has its row anyway"
    with before.flask.session_transaction() as session:
        began, kept = session["began"], dict(session)
    assert {"user", "began", "seen", "token"} < set(kept), "what a process of the version before asks for"
    assert began == flow.clock.ms
    late = copied(flow, as_before(flow, "kim"))
    before.post("/sign-out", {})
    assert not is_in(copy)
    assert not is_in(late), "the cookie as it was before it had a row"


def test_a_session_of_before_that_the_account_has_outlived_is_asked_to_sign_in(flow: Kit, enter: Enter) -> None:
    enter("kim")
    assert not is_in(as_before(flow, "kim", began=flow.clock.ms - 1))
    for wrong in ({"seen": flow.clock.ms - IDLE - 1}, {"began": flow.clock.ms + 90_000}, {"user": "nobody"}, {"seen": "now"}):
        assert not is_in(as_before(flow, "kim", **wrong))
    assert len([row for row in held(flow) if row.ended is None]) == 1, "none of these was given a row"


@pytest.mark.parametrize("key", ["", "-", "0123456789abcdef", "ID-" + "0" * 64, "0123456789abcdef-" + "0" * 64, 7])
def test_a_cookie_that_names_no_row_or_not_its_secret_lets_nobody_in(flow: Kit, enter: Enter, key: object) -> None:
    enter("kim")
    live = next(row.id for row in held(flow) if row.ended is None)
    made_up = key.replace("ID", live) if isinstance(key, str) else key
    assert not is_in(as_before(flow, "kim", session=made_up))


def test_where_nothing_can_be_written_whoever_is_signed_in_stays_so(flow: Kit, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    here = enter("kim")
    before = as_before(flow, "kim")

    def full(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    flow.clock.advance(minutes=2)
    with monkeypatch.context() as patch:
        patch.setattr(rows, "add", full)
        patch.setattr(rows, "touch", full)
        for client in (here, before):
            assert client.flask.get("/help").status_code == 200
    flow.clock.advance(seconds=IDLE // 1000)
    assert is_in(here), "its cookie knows of the use that was not written down"
    assert is_in(before)


def test_the_store_holds_neither_what_the_cookie_holds_nor_what_the_browser_says(flow: Kit, enter: Enter) -> None:
    enter("kim")
    here = browser(flow, "kim")
    with here.flask.session_transaction() as session:
        secret = session["session"].partition("-")[2]
    stored = " ".join(str(vars(row)) for row in held(flow))
    assert len(secret) == 64
    for word in (secret, "Mozilla", "Gecko", "x86_64"):
        assert word not in stored


def test_what_has_long_been_over_is_deleted(flow: Kit, enter: Enter) -> None:
    enter("kim")
    assert websessions.tidy(flow.svc) == 0
    count = len(held(flow))
    flow.clock.ms += LONGEST + KEPT
    assert websessions.tidy(flow.svc) == 0
    flow.clock.ms += 1
    flow.sweeper.sweep()
    assert held(flow) == []
    assert count >= 2, "that of the one-time password is over, too"


def test_a_session_dated_in_the_future_is_over_when_the_clock_is_set_back(flow: Kit, enter: Enter) -> None:
    here = enter("kim")
    flow.clock.ms += 30 * 86_400_000
    ahead = browser(flow, "kim")
    flow.clock.ms -= 30 * 86_400_000
    with flow.svc.writing() as session:
        assert make_good(session, flow.clock.ms, lease_ms=30_000)["web_session"] == 1
    assert not is_in(ahead)
    assert is_in(here)
    assert not [row for row in held(flow) if row.made > flow.clock.ms]


def test_after_a_restore_nobody_is_signed_in(flow: Kit, enter: Enter, tmp_path: Path) -> None:
    here = enter("kim")
    backups.write(flow.svc, tmp_path / "saved")
    with kit(f"sqlite:///{tmp_path / 'again.sqlite3'}", tmp_path / "again") as again:
        again.clock.ms = flow.clock.ms
        backups.restore(again.svc, tmp_path / "saved")
        assert not is_in(copied(again, here))
        assert {row.account for row in held(again)} == {row.id for row in again.svc.readers().scalars(select(UserRow))}
