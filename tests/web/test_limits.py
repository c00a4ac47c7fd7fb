"""Limits hold everywhere: two installations differ only in what lies outside somebody's team, and that person cannot tell them apart.

One holds the cases of the team north; the other holds those of south as well, with breaches, a waiver and somebody at work on them.
Every route that can be read is asked in both by somebody (and by a key) of north: the answers are the same to the byte, but for
what is drawn at random; and whatever belongs to south is answered like what does not exist.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from service import keys, review, statistics, users
from service.access import SCOPES, system
from tests.support.routes import JSON_ROUTES, PAGE_ROUTES, ROUTES
from tests.support.service_kit import Kit, connected, event, kit, visit

MARK = "zz"
"""Stands in every id and code of south, and nowhere else."""
NOT_OF_A_TEAM = {
    "GET /metrics": "figures of the whole installation, for its operators",
    "GET /readyz": "how the installation stands",
    "GET /livez": "how the installation stands",
    "GET /v1/sources": "how the client systems stand, for their operators",
    "GET /v1/sources/<key:source>/rejects": "records that could not be read, of which no team is known, for operators",
    "GET /sources": "as above",
    "GET /sources/<key:source>": "as above",
    "GET /v1/policy-changes": "policies are everybody's",
    "GET /status": "how the installation stands, and whether it keeps up",
    "GET /administration/access-log": "closed to administrators with limits",
    "GET /administration/access-log.csv": "closed to administrators with limits",
}


def family(case: str, team: str, office: str, worker: str) -> list[dict]:
    return [
        connected(case=case, team=team, office=office, worker=worker),
        *(visit(f"2026-03-{day:02}T10:00", case=case, worker=worker) for day in (9, 16, 23)),
        event("case.opened", "2026-03-03T10:00", {"team": team, "worker": worker}, case=case),
        connected("2026-05-20T09:00", case=f"{case}-new", team=team, office=office, worker=worker),
    ]


def fill(made: Kit, *, south: bool) -> None:
    made.take(*family("n1", "north", "alice", "w1"), *family("n2", "north", "alice", "w2"))
    made.settle()
    if south:
        for number in range(3):
            made.take(*family(f"{MARK}{number}", f"{MARK}south", f"{MARK}office", f"{MARK}worker"))
        made.settle()
        breach = made.breaches(f"{MARK}0")["C08"]
        review.ask_waiver(
            made.svc, system("user:of-south"), breach.id, version=breach.version, reason_code="unsafe", ends_at=made.clock.ms + 86_400_000
        )
    made.clock.advance(minutes=30)
    statistics.refresh(made.svc)


class World:
    """One of the two installations, and somebody of north in it."""

    def __init__(self, made: Kit) -> None:
        self.kit = made
        self.app: Flask = create_app(made.svc)
        user, _ = users.create(
            made.svc,
            name="noor",
            roles=["manager", "administrator", "operator", "policy_owner"],
            password="a phrase for this",
            teams=["north"],
        )
        users.change_password(made.svc, user_id=user.id, old="a phrase for this", new="another phrase for it")
        self.person: FlaskClient = self.app.test_client()
        with self.person.session_transaction() as session:
            session.update({"user": user.id, "began": made.clock.ms, "seen": made.clock.ms, "token": "t"})
        self.random = [user.id]
        _, self.token = keys.create(made.svc, name="of north", scopes=SCOPES, teams=["north"])
        self.random.append(self.token.split("_")[1])

    def ask(self, route: str, path: str) -> tuple[int, str]:
        if route in JSON_ROUTES:
            with self.app.test_client().get(path, headers={"Authorization": f"Bearer {self.token}"}) as answer:
                return answer.status_code, self._plain(answer.get_data())
        with self.person.get(path, headers={"Accept": "text/html"}) as answer:
            return answer.status_code, self._plain(answer.get_data())

    def _plain(self, raw: bytes) -> str:
        """Without what is drawn at random."""
        if raw.startswith(b"PK"):
            return f"a workbook of {len(raw) // 200} parts"
        text = raw.decode("utf-8-sig")
        for one in self.random:
            text = text.replace(one, "RANDOM")
        return re.sub(r'nonce="[^"]*"|\b[0-9a-f]{32}\b', "", text)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """North alone, and north with south."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    homes: list[Path] = [tmp_path_factory.mktemp(name) for name in ("alone", "both")]
    with (
        pytest.MonkeyPatch.context() as patched,
        kit(f"sqlite:///{homes[0] / 's.sqlite3'}", homes[0]) as alone,
        kit(f"sqlite:///{homes[1] / 's.sqlite3'}", homes[1]) as both,
    ):
        patched.setattr(users, "_hasher", lambda: quick)
        fill(alone, south=False)
        fill(both, south=True)
        yield World(alone), World(both)


def readable() -> list[str]:
    return sorted(route for route in ROUTES if route.startswith("GET ") and not route.endswith(("/static/<path:filename>", "/sign-in")))


def paths(route: str, world: World, *, case: str) -> list[str]:
    """The addresses to ask: with the things of a case, and with what narrows a list to south."""
    rule = route.partition(" ")[2]
    breach = world.kit.breaches(case)["C08"].id if case in {"n1", f"{MARK}0"} else "no-such-breach"
    given = {"case": case, "breach": breach, "policy": "cfss", "rule": "C08", "name": "regular_visits_days", "form": "json"}
    path = re.sub(r"<(?:key:)?(\w+)>", lambda found: given.get(found[1], "none"), rule)
    if "<" in rule:
        return [path]
    narrowed = [
        f"{path}?{name}={MARK}{value}" for name, value in (("team", "south"), ("office", "office"), ("worker", "worker"), ("case", "0"))
    ]
    return [path, *narrowed, f"{path}?explain=true", f"{path}?with_open_breaches=true"]


@pytest.mark.parametrize("route", [route for route in readable() if route not in NOT_OF_A_TEAM])
def test_nobody_can_tell_that_another_team_is_there(worlds, route):
    alone, both = worlds
    for path in paths(route, alone, case="n1"):
        seen, expected = both.ask(route, path), alone.ask(route, path)
        assert list(difflib.unified_diff(expected[1].splitlines(), seen[1].splitlines(), lineterm="", n=0)) == [], path
        assert seen == expected, path
        assert seen[0] < 500, path
        assert MARK not in seen[1].replace(path, "").replace(path.partition("=")[2] or "\0", ""), path


THINGS = [route for route in readable() if re.search(r"<key:(case|breach|waiver)>", route)]


@pytest.mark.parametrize("route", THINGS)
def test_what_belongs_to_another_team_is_answered_like_what_does_not_exist(worlds, route):
    _, both = worlds
    (there,), (nothing,) = paths(route, both, case=f"{MARK}0"), paths(route, both, case="none-such")
    with both.kit.svc.reading() as session:
        from store.queries import findings

        (waiver,) = [one.id for one in findings.list_waivers(session, limit=10).items]
    there = there.replace("/waivers/none", f"/waivers/{waiver}")
    status, told = both.ask(route, there)
    absent, of_nothing = both.ask(route, nothing)
    expected = 403 if "/export." in route else 404
    assert (status, absent) == (expected, expected), "everything about a case is taken out by people without limits only"
    strip = re.compile(
        re.escape(there.split("/")[-1]) + "|" + re.escape(nothing.split("/")[-1]) + "|" + "|".join(map(re.escape, (there, nothing)))
    )
    assert strip.sub("", told) == strip.sub("", of_nothing)


CHANGES = [route for route in ROUTES if route.startswith("POST ") and re.search(r"<key:(case|breach|waiver)>", route)]


@pytest.mark.parametrize("route", CHANGES)
def test_nothing_of_another_team_can_be_changed(worlds, route):
    _, both = worlds
    breach = both.kit.breaches(f"{MARK}0")["C08"]
    with both.kit.svc.reading() as session:
        from store.queries import findings

        (waiver,) = findings.list_waivers(session, limit=10).items
    rule = route.partition(" ")[2]
    path = rule.replace("<key:case>", f"{MARK}0").replace("<key:breach>", breach.id).replace("<key:waiver>", waiver.id)
    if route in PAGE_ROUTES:
        form = {"csrf_token": "t", "action": "acknowledge", "version": str(breach.version), "answer": "approve", "reason": "unsafe"}
        form |= {"waiver_reason": "unsafe", "ends_on": "2026-07-01", "waiver_ends": "2026-07-01", "decision": "approve", "assignee": ""}
        status = both.person.post(path, data=form, headers={"Accept": "text/html"}).status_code
    else:
        body = {"action": "acknowledge"} if path.endswith("/review") else {}
        if path.endswith("/waivers"):
            body = {"reason_code": "unsafe", "ends_at": "2026-07-01T00:00:00Z"}
        if path.endswith("/assignment"):
            body = {"assignee": ""}
        headers = {"Authorization": f"Bearer {both.token}", "If-Match": f'"{breach.version}"'}
        status = both.app.test_client().post(path, json=body, headers=headers).status_code
    assert status in {404, 400, 422}
    assert both.kit.breaches(f"{MARK}0")["C08"] == breach
    with both.kit.svc.reading() as session:
        assert findings.list_waivers(session, limit=10).items == (waiver,)


def test_what_is_not_of_a_team_is_read_by_operators_and_administrators_alone():
    assert {ROUTES[route] for route in NOT_OF_A_TEAM} <= {"metrics", "sources:admin", "users:admin", "breaches:read", None}
    assert set(NOT_OF_A_TEAM) <= set(ROUTES)
