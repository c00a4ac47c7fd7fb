"""Administration over the real service: what is made is made, what is shown once is kept nowhere, and who is let go is out at once."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import text

from api.app import create_app
from service import keys, users
from service.errors import Unauthorised
from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import Document, PageClient, faults
from tests.support.service_kit import Kit, connected, three_visits
from tests.web.conftest import OWN

MINE = "a phrase of one's own"
PAGES = (
    "/administration",
    "/administration/accounts",
    "/administration/accounts?find=rob",
    "/administration/accounts/new",
    "/administration/accounts/u1",
    "/administration/accounts/u3",
    "/administration/accounts/u5",
    "/administration/roles",
    "/administration/teams",
    "/administration/keys",
    "/administration/keys/new",
    "/administration/keys/k3jq8w2m5n7p",
    "/administration/keys/z9y8x7w6v5u4",
    "/administration/sign-in",
    "/administration/access-log",
    "/administration/access-log?case=FAM-2001",
    "/administration/access-log?case=none-such",
    "/administration/notifications",
    "/administration/notifications?cursor=1",
    "/administration/notifications?cursor=2",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_administration_is_as_all_pages_should_be(path):
    desk = FakeDesk()
    desk.roles = frozenset({"administrator"})
    client = PageClient(fakedesk.app(desk))
    client.sign_in("robin", PASSWORD)
    assert client.get(path).one("h1").text


def test_faults_stand_beside_their_fields_and_what_was_written_is_kept():
    desk = FakeDesk()
    desk.roles = frozenset({"administrator"})
    client = PageClient(fakedesk.app(desk))
    client.sign_in("robin", PASSWORD)
    page = client.post("/administration/accounts/new", {"name": "jo", "email": "jo@example.org"}, status=422)
    assert page is not None
    for told in ("Choose at least one role", "Choose all teams, or some of them", "Choose all offices, or some of them"):
        assert told in page.main
    assert page.one("input", id="email").attributes["value"] == "jo@example.org"
    page = client.post("/administration/accounts/u1", {"roles": "viewer", "teams-limit": "some", "offices-limit": "all"}, status=422)
    assert page is not None
    assert "Choose at least one of the teams" in page.main
    page = client.post("/administration/keys/new", {"name": "x", "expires": "soon"}, status=422)
    assert page is not None
    assert "Give a day, like 2026-12-31" in page.main
    assert desk.admin_done == []


def value(page: Document | None) -> str:
    """The secret that a page shows once."""
    assert page is not None
    return next(e.attributes["data-copy"] for e in page.all("button") if "data-copy" in e.attributes)


def account_of(flow: Kit, name: str) -> str:
    return next(user.id for user in users.listed(flow.svc) if user.name == name)


def test_an_account_is_made_limited_and_its_owner_chooses_a_password_first(flow, enter):
    flow.take(connected(case="k1"))
    flow.settle()
    admin = enter("kim", "administrator")
    form = {"name": "jo", "roles": ["reviewer"], "teams-limit": "some", "teams": ["north"], "offices-limit": "all"}
    password = value(admin.post("/administration/accounts/new", form, status=200))
    assert "Has not signed in yet" in admin.get("/administration/accounts").main
    assert "1 team: north" in admin.get("/administration/accounts").main
    jo = PageClient(create_app(flow.svc))
    jo.sign_in("jo", password)
    jo.flask.get("/cases")
    for path in ("/", "/cases", "/cases/k1", "/breaches"):
        assert jo.flask.get(path).headers["Location"] == "/password", path
    jo.get("/password")
    jo.post("/password", {"old": password, "new": MINE, "again": MINE})
    assert "k1" in jo.get("/cases").main
    with flow.svc.reading() as session:
        stored = " ".join(
            str(tuple(row)) for table in ("user_account", "access_log") for row in session.execute(text(f"SELECT * FROM {table}"))
        )
    assert password not in stored
    page = admin.post("/administration/accounts/new", form, status=422)
    assert page is not None
    assert "There is an account of this name" in page.main


def test_who_is_switched_off_is_out_at_once_and_can_be_let_in_again(flow, enter):
    admin, jo = enter("kim", "administrator"), enter("jo")
    path = f"/administration/accounts/{account_of(flow, 'jo')}"
    jo.get("/cases")
    admin.post(f"{path}/off", {})
    assert "The account is switched off" in admin.get(path).main
    assert jo.flask.get("/cases").headers["Location"].startswith("/sign-in")
    with pytest.raises(Unauthorised):
        users.sign_in(flow.svc, name="jo", password=OWN)
    admin.post(f"{path}/on", {})
    assert users.sign_in(flow.svc, name="jo", password=OWN).name == "jo"


def test_a_one_time_password_ends_the_sessions_and_opens_a_lock(flow, enter):
    admin, jo = enter("kim", "administrator"), enter("jo")
    for _ in range(users.TRIES):
        with pytest.raises(Unauthorised):
            users.sign_in(flow.svc, name="jo", password="not this one")
    path = f"/administration/accounts/{account_of(flow, 'jo')}"
    assert "Locked for a while" in admin.get(path).main
    assert "jo is locked after wrong passwords" in admin.get("/administration").main
    flow.clock.advance(seconds=1)
    password = value(admin.post(f"{path}/password", {}, status=200))
    assert jo.flask.get("/cases").headers["Location"].startswith("/sign-in")
    assert users.sign_in(flow.svc, name="jo", password=password).must_change


def test_changed_roles_hold_from_the_next_sign_in_and_end_the_old_sessions(flow, enter):
    admin, jo = enter("kim", "administrator"), enter("jo")
    flow.clock.advance(seconds=1)
    path = f"/administration/accounts/{account_of(flow, 'jo')}"
    admin.post(path, {"roles": ["operator"], "teams-limit": "all", "offices-limit": "some", "offices-more": "darwin, katherine"})
    assert jo.flask.get("/cases").headers["Location"].startswith("/sign-in")
    changed = users.get(flow.svc, account_of(flow, "jo"))
    assert (changed.roles, changed.teams, changed.offices) == (frozenset({"operator"}), None, frozenset({"darwin", "katherine"}))


def test_nobody_changes_their_own_account_and_an_administrator_is_always_left(flow, enter):
    admin = enter("kim", "administrator")
    own = f"/administration/accounts/{account_of(flow, 'kim')}"
    assert "Another administrator changes your roles" in admin.get(own).main
    admin.post(f"{own}/off", {})
    assert "You cannot switch your own account off" in admin.get(own).main
    admin.post(f"{own}/password", {})
    page = admin.post(own, {"roles": ["administrator", "manager"], "teams-limit": "all", "offices-limit": "all"}, status=422)
    assert page is not None
    assert "Another administrator changes your roles and limits" in page.main
    assert users.get(flow.svc, account_of(flow, "kim")).roles == {"administrator"}
    second = enter("lee", "administrator")
    second.post(f"{own}/off", {})
    with pytest.raises(Exception, match="no administrator without limits would be left"):
        users.change(flow.svc, name="lee", teams=["north"])


def test_a_limited_administrator_stays_within_their_limits(flow, enter):
    flow.take(connected(case="k1"), connected(case="k2", team="south"))
    flow.settle()
    enter("kim", "administrator")
    enter("sue", teams=["south"])
    enter("nia", teams=["north"])
    keys.create(flow.svc, name="of all", scopes=["cases:read"])
    of_south, _ = keys.create(flow.svc, name="of south", scopes=["cases:read"], teams=["south"])
    limited = enter("noor", "administrator", teams=["north"])
    listed = limited.get("/administration/accounts").main
    assert "nia" in listed
    assert "sue" not in listed
    assert "kim" not in listed
    for name in ("sue", "kim"):
        path = f"/administration/accounts/{account_of(flow, name)}"
        limited.get(path, status=404)
        for step in ("/off", "/on", "/password"):
            limited.post(path + step, {}, status=404)
    limited.get(f"/administration/keys/{of_south.id}", status=404)
    limited.post(f"/administration/keys/{of_south.id}/revoke", {}, status=404)
    assert "south" not in limited.get("/administration/teams").main
    assert "of all" not in limited.get("/administration/keys").main
    page = limited.get("/administration/accounts/new")
    assert not page.all("input", id="teams-all")
    for more in ({"teams-limit": "all"}, {"teams-limit": "some", "teams": ["south"]}):
        page = limited.post("/administration/accounts/new", {"name": "x", "roles": ["viewer"], "offices-limit": "all", **more}, status=422)
        assert page is not None
        assert "You can give your own teams alone" in page.main
    limited.get("/administration/access-log", status=403)
    limited.get("/administration/access-log.csv", status=403)
    assert "/administration/access-log" not in [link.attributes["href"] for link in limited.get("/administration").all("a")]


def test_a_key_is_made_rotated_and_revoked(flow, enter):
    admin = enter("kim", "administrator")
    form = {
        "name": "register",
        "scopes": ["events:write", "cases:read"],
        "teams-limit": "all",
        "offices-limit": "all",
        "expires": "2026-12-31",
    }
    first = value(admin.post("/administration/keys/new", form, status=200))
    assert keys.authenticate(flow.svc, first).scopes == {"events:write", "cases:read"}
    (made,) = keys.listed(flow.svc)
    page = admin.get(f"/administration/keys/{made.id}")
    assert first not in page.main
    assert "Fri 1 Jan 2027, 00:00" in page.main
    second = value(admin.post(f"/administration/keys/{made.id}/rotate", {"overlap": "86400000"}, status=200))
    for token in (first, second):
        keys.authenticate(flow.svc, token)
    flow.clock.advance(hours=24)
    with pytest.raises(Unauthorised):
        keys.authenticate(flow.svc, first)
    latest = next(key for key in keys.listed(flow.svc) if key.id != made.id)
    assert (latest.scopes, latest.expires) == (made.scopes, made.expires)
    admin = enter("lee", "administrator")
    third = value(admin.post(f"/administration/keys/{latest.id}/rotate", {"overlap": "0"}, status=200))
    with pytest.raises(Unauthorised):
        keys.authenticate(flow.svc, second)
    app = create_app(flow.svc)
    assert app.test_client().get("/v1/cases", headers={"Authorization": f"Bearer {third}"}).status_code == 200
    last = next(key for key in keys.listed(flow.svc) if key.id not in {made.id, latest.id})
    admin.post(f"/administration/keys/{last.id}/revoke", {})
    assert app.test_client().get("/v1/cases", headers={"Authorization": f"Bearer {third}"}).status_code == 401
    admin.post(f"/administration/keys/{last.id}/rotate", {"overlap": "0"})
    assert "This key holds no longer" in admin.get(f"/administration/keys/{last.id}").main


def test_a_key_is_given_no_more_than_its_maker_holds(flow, enter):
    admin = enter("kim", "administrator")
    offered = {box.attributes["value"] for box in admin.get("/administration/keys/new").all("input", type="checkbox", name="scopes")}
    assert "events:write" in offered
    assert "role:administrator" in offered
    assert "role:manager" not in offered
    form = {"name": "x", "scopes": ["breaches:review", "role:manager"], "teams-limit": "all", "offices-limit": "all"}
    admin.post("/administration/keys/new", form, status=403)
    strong, _ = keys.create(flow.svc, name="strong", scopes=["breaches:review", "role:manager"])
    admin.post(f"/administration/keys/{strong.id}/rotate", {"overlap": "0"})
    assert "A key is given no more than its maker holds: role:manager" in admin.get(f"/administration/keys/{strong.id}").main
    assert [key.id for key in keys.listed(flow.svc)] == [strong.id]


def test_teams_and_offices_are_those_of_the_data_and_of_the_limits(flow, enter):
    flow.take(*three_visits("k1"), connected(case="k2", team="south"))
    flow.settle()
    enter("jo", teams=["nroth"])
    main = enter("kim", "administrator").get("/administration/teams").main
    assert re.search(r"north 1 \d+ 0 0 nroth No case 0 0 1 0 south 1 \d+ 0 0", main)
    assert "adelaide 2" in main


def test_the_settings_of_signing_in_are_told_and_no_secret_is(flow, enter):
    page = enter("kim", "administrator").get("/administration/sign-in")
    for told in ("After 5 in a row", "12 to 256 characters", "After 4 hours", "Given by DUECARE_SECRET_KEY"):
        assert told in page.main
    assert flow.svc.settings.secret.decode() not in page.main


# --- the access log ---------------------------------------------------------------------------------------------------


def lines(flow: Kit, **where: str) -> list[tuple[str, str, str, int | None]]:
    """Action, outcome, way and rows of each line, the earliest first."""
    with flow.svc.reading() as session:
        found = session.execute(text("SELECT action, outcome, via, count, actor FROM access_log ORDER BY id")).all()
    return [(row.action, row.outcome, row.via, row.count) for row in found if not where or row.actor == where["actor"]]


def test_every_reading_and_change_leaves_a_line(flow, enter):
    flow.take(*three_visits("k1"))
    flow.settle()
    breach = flow.breaches()["C08"].id
    jo = enter("jo")
    before = len(lines(flow))
    for path in ("/breaches", f"/breaches/{breach}", "/cases/k1", "/help"):
        assert jo.flask.get(path).status_code == 200
    jo.get("/cases/not-there", status=404)
    jo.get("/administration", status=403)
    jo.post(f"/breaches/{breach}/review", {"action": "acknowledge", "version": str(flow.breaches()["C08"].version)})
    jo.post("/sign-out", {})
    assert lines(flow)[before:] == [
        ("breaches.list", "done", "page", len(flow.breaches())),
        ("breach.read", "done", "page", None),
        ("case.read", "done", "page", None),
        ("case.read", "not_found", "page", None),
        ("breach.review", "done", "page", None),
        ("session.end", "done", "page", None),
    ]


def test_machines_leave_lines_with_their_number_of_rows(flow):
    flow.take(*three_visits("k1"))
    flow.settle()
    key, token = keys.create(flow.svc, name="figures", scopes=["cases:read", "breaches:read"])
    client = create_app(flow.svc).test_client()
    for path in ("/v1/breaches", "/v1/cases/k1", "/v1/cases/k1/events", "/v1/policies", "/v1/quarantine"):
        client.get(path, headers={"Authorization": f"Bearer {token}"})
    client.get("/v1/breaches")
    assert lines(flow, actor=f"key:{key.id}") == [
        ("breaches.list", "done", "api", len(flow.breaches())),
        ("case.read", "done", "api", None),
        ("case.events", "done", "api", 4),
        ("quarantine.list", "refused", "api", None),
    ]
    assert len(lines(flow)) == 4, "a stranger leaves no line, and cannot fill the table"


def test_a_line_names_a_case_that_was_never_judged(flow, enter):
    flow.take(*three_visits("new"))
    enter("jo").get("/cases/new")
    (row,) = [row.text for row in enter("kim", "administrator").get("/administration/access-log?case=new").all("tr") if row.inside("tbody")]
    assert "case new" in row


def test_the_log_is_found_by_case_by_person_and_by_day_and_exported(flow, enter):
    flow.take(*three_visits("k1"), *three_visits("k2"))
    flow.settle()
    jo, admin = enter("jo"), enter("kim", "administrator")
    jo.flask.get(f"/breaches/{flow.breaches()['C08'].id}")
    jo.flask.get("/cases/k2")
    flow.clock.advance(days=1)
    for client in (jo, admin):
        client.sign_in("jo" if client is jo else "kim", OWN)
        client.flask.get("/cases/k1")

    def told(query: str) -> list[str]:
        return [row.text for row in admin.get(f"/administration/access-log?{query}").all("tr") if row.inside("tbody")]

    assert [("jo" in row, "case k1" in row) for row in told("case=k1")] == [(False, True), (True, True), (True, True)]
    actor = f"user:{account_of(flow, 'jo')}"
    assert ["Read a" in row for row in told(f"case=k1&actor={actor}")] == [True, True]
    assert len(told(f"case=k1&actor={actor}&since=2026-06-02")) == 1
    assert len(told(f"case=k1&actor={actor}&until=2026-06-01")) == 1
    assert told("case=none") == []
    assert all("Looked at the access log" in row for row in told("action=log.read"))
    admin.get("/administration/access-log?since=tomorrow", status=400)
    admin.get("/administration/access-log?since=2026-06-02&until=2026-06-01", status=400)
    admin.get("/administration/access-log?action=everything", status=400)
    admin.get("/administration/access-log?cursor=nonsense", status=400)
    sent = admin.flask.get("/administration/access-log.csv?case=k1")
    assert sent.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(sent.get_data(as_text=True).lstrip("\N{ZERO WIDTH NO-BREAK SPACE}"))))
    assert [(row["who"], row["action"], row["case"]) for row in rows if not row["action"].startswith("log.")] == [
        ("kim", "case.read", "k1"),
        ("jo", "case.read", "k1"),
        ("jo", "breach.read", "k1"),
    ]
    assert rows[0]["action"] == "log.export", "whoever exports the log stands in it"


def test_a_name_that_a_spreadsheet_would_run_is_exported_as_text(flow, enter):
    admin = enter("kim", "administrator")
    enter("=1+1", "viewer").get("/cases")
    assert "'=1+1" in admin.flask.get("/administration/access-log.csv").get_data(as_text=True)


def test_what_somebody_typed_into_an_address_does_not_get_into_the_log(flow, enter):
    client = enter("kim", "administrator")
    for path in ("/breaches/Anna%20Smith", "/cases/Anna%20Smith", "/administration/accounts/Anna%20Smith"):
        client.get(path, status=404)
    with flow.svc.reading() as session:
        assert "Anna" not in str(session.execute(text("SELECT * FROM access_log")).all())


def test_a_failed_sign_in_leaves_a_line_without_the_name_that_was_typed(flow):
    client = PageClient(create_app(flow.svc))
    client.get("/sign-in")
    client.post("/sign-in", {"name": "my-password-by-mistake", "password": "x"}, status=401)
    with flow.svc.reading() as session:
        (line,) = session.execute(text("SELECT actor, action, outcome FROM access_log")).all()
        assert "mistake" not in str(session.execute(text("SELECT * FROM access_log")).all())
    assert tuple(line) == ("nobody", "session.begin", "refused")


def test_what_cannot_be_written_down_is_not_shown(flow, enter, caplog):
    flow.take(*three_visits("k1"))
    flow.settle()
    jo = enter("jo")
    _, token = keys.create(flow.svc, name="figures", scopes=["cases:read"])
    with flow.svc.engine.begin() as connection:
        connection.execute(text("ALTER TABLE access_log RENAME TO elsewhere"))
    page = jo.flask.get("/cases/k1", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert not faults(page, Document(page.text))
    assert "safety plan" not in page.text
    assert page.headers["Retry-After"] == "5"
    answer = jo.flask.application.test_client().get("/v1/cases/k1", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json and answer.json["code"]) == (503, "unavailable")
    breach = flow.breaches()["C08"]
    jo.post(f"/breaches/{breach.id}/review", {"action": "acknowledge", "version": str(breach.version)})
    assert flow.breaches()["C08"].review == "acknowledged", "a change is not taken back: it stands in the history of the breach"
    assert b'duecare_access_lines_total{result="failed"} 3.0' in flow.svc.metrics.text()
    assert caplog.text.count("access_not_recorded") == 3


def test_a_key_that_a_lost_secret_key_has_made_void_is_told_and_replaced(flow, enter):
    key, _ = keys.create(flow.svc, name="register", scopes=["events:write", "cases:read"])
    admin = enter("kim", "administrator")
    assert "is void" not in admin.get("/administration").main
    with flow.svc.writing() as session:
        session.execute(text("UPDATE api_key SET secret_id = 'of another one'"))
    assert "The key register is void" in admin.get("/administration").main
    assert "Void" in admin.get("/administration/keys").main
    page = admin.get(f"/administration/keys/{key.id}")
    assert "Nobody can use this key" in page.main
    assert "The old key ends" not in page.main
    token = value(admin.post(f"/administration/keys/{key.id}/rotate", {"overlap": "0"}, status=200))
    assert keys.authenticate(flow.svc, token).scopes == key.scopes
    assert "Revoked" in admin.get(f"/administration/keys/{key.id}").main
