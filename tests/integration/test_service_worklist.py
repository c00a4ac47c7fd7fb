"""The work list's own use cases: breaches given to people, steps with many at once, facets of several values, views under a name."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from service import users
from service.access import Access
from service.assigning import assign, many
from service.errors import Forbidden, Invalid, NotFound, NotPossible, StaleVersion
from service.review import review
from service.savedviews import Content, listed, remove, save
from service.worklist import ages, assignees, chosen_ages, people, scope_of
from store.errors import QueryError
from store.queries import findings, worklist
from store.queries.narrow import Where
from tests.support.service_kit import connected, kit, three_visits, visit

SCOPES = frozenset({"breaches:review", "breaches:read"})
ANN = Access("user:ann", "ann", SCOPES, frozenset({"reviewer"}))
MIA = Access("user:mia", "mia", SCOPES, frozenset({"manager"}))
NORTH = Access("user:nel", "nel", SCOPES, frozenset({"reviewer"}), teams=frozenset({"north"}))
READER = Access("user:rex", "rex", frozenset({"breaches:read"}), frozenset({"viewer"}))


BOTH = pytest.mark.parametrize("desk", ["sqlite_url", "pg_db"], indirect=True)


@pytest.fixture
def desk(request, tmp_path, monkeypatch):
    """Three cases of team north and one of team south, and people who may be given their breaches."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", lambda: quick)
    with kit(request.getfixturevalue(getattr(request, "param", "sqlite_url")), tmp_path) as made:
        for case in ("k1", "k2", "k3"):
            made.take(*three_visits(case))
        made.take(connected(case="far", team="south"), *(visit(f"2026-03-{day:02d}T10:00", case="far") for day in (9, 16, 23)))
        made.settle()
        made.who = {
            name: users.access_of(users.create(made.svc, name=name, roles=[role], teams=teams)[0]).actor
            for name, role, teams in (
                ("kim", "reviewer", None),
                ("nora", "team_leader", ["north"]),
                ("saul", "reviewer", ["south"]),
                ("vic", "viewer", None),
            )
        }
        yield made


def c08(desk, case="k1"):
    return desk.breaches(case)["C08"]


@BOTH
def test_a_breach_is_given_to_somebody_and_taken_back(desk):
    breach = c08(desk)
    given = assign(desk.svc, ANN, breach.id, version=breach.version, assignee=desk.who["nora"], comment="yours")
    assert (given.assignee, given.version) == (desk.who["nora"], breach.version + 1)
    line = desk.history("C08")[-1].line
    assert (line.kind, line.actor, line.before, line.after, line.comment) == ("assigned", "user:ann", None, desk.who["nora"], "yours")
    back = assign(desk.svc, MIA, breach.id, version=given.version, assignee=None)
    assert (back.assignee, c08(desk).assignee) == (None, None)
    assert desk.history("C08")[-1].line.before == desk.who["nora"]
    with pytest.raises(NotPossible, match="nobody already"):
        assign(desk.svc, MIA, breach.id, version=back.version, assignee=None)


def test_judging_a_case_again_leaves_who_works_on_it(desk):
    breach = c08(desk)
    assign(desk.svc, ANN, breach.id, version=breach.version, assignee="nora")
    desk.take(visit("2026-03-30T10:00"))
    desk.settle()
    assert c08(desk).assignee == desk.who["nora"]


@pytest.mark.parametrize("nobody", ["user:none", "vic", "", "user:ann"])
def test_only_people_who_review_are_given_breaches(desk, nobody):
    breach = c08(desk)
    with pytest.raises(Invalid) as caught:
        assign(desk.svc, ANN, breach.id, version=breach.version, assignee=nobody)
    assert [flaw.field for flaw in caught.value.flaws] == ["assignee"]
    assert c08(desk).version == breach.version


def test_nobody_is_given_what_they_could_not_see(desk):
    breach = c08(desk)
    with pytest.raises(NotPossible, match="outside the teams and offices of the person"):
        assign(desk.svc, ANN, breach.id, version=breach.version, assignee="saul")
    assert c08(desk).version == breach.version


def test_limits_scopes_and_versions_hold_for_assigning(desk):
    breach, far = c08(desk), c08(desk, "far")
    with pytest.raises(Forbidden):
        assign(desk.svc, READER, breach.id, version=breach.version, assignee="kim")
    for unseen in (far.id, "no-such-breach"):
        with pytest.raises(NotFound):
            assign(desk.svc, NORTH, unseen, version=far.version, assignee="kim")
    review(desk.svc, MIA, breach.id, action="acknowledge", version=breach.version)
    with pytest.raises(StaleVersion) as caught:
        assign(desk.svc, ANN, breach.id, version=breach.version, assignee="kim")
    assert caught.value.current == breach.version + 1


def test_people_are_offered_whose_limits_meet_the_callers(desk):
    assert [one.name for one in people(desk.svc, ANN)] == ["kim", "nora", "saul"]
    assert [one.name for one in people(desk.svc, NORTH)] == ["kim", "nora"]


@BOTH
def test_of_many_each_is_told_what_became_of_it(desk):
    first, second, third, far = c08(desk), c08(desk, "k2"), c08(desk, "k3"), c08(desk, "far")
    review(desk.svc, MIA, second.id, action="uphold", version=second.version)
    upheld = review(desk.svc, MIA, third.id, action="uphold", version=third.version)
    chosen = [(first.id, first.version), (second.id, second.version), (third.id, upheld.version), (far.id, far.version), ("none", 1)]
    done = {one.id: one for one in many(desk.svc, NORTH, chosen, action="acknowledge")}
    assert [done[breach_id].result for breach_id, _ in chosen] == ["done", "changed", "not_possible", "missing", "missing"]
    assert done[first.id].breach.review == "acknowledged"
    last = done[second.id].last.line
    assert (last.kind, last.actor, done[second.id].breach.review) == ("upheld", "user:mia", "upheld")
    assert done[third.id].why == "it is upheld already"
    assert done[far.id].breach is None
    assert c08(desk, "far").review == "new"
    assert [desk.kinds("C08", case)[-1] for case in ("k1", "k2", "k3")] == ["acknowledged", "upheld", "upheld"]


def test_many_are_given_to_those_of_them_that_the_person_sees(desk):
    chosen = [(breach.id, breach.version) for breach in (c08(desk), c08(desk, "far"))]
    assert [one.result for one in many(desk.svc, ANN, chosen, action="assign", assignee="nora")] == ["done", "not_possible"]
    assert (c08(desk).assignee, c08(desk, "far").assignee) == (desk.who["nora"], None)


@pytest.mark.parametrize(
    ("chosen", "action"), [([], "acknowledge"), ([(f"b{n}", 1) for n in range(201)], "acknowledge"), ([("b", 1)], "uphold")]
)
def test_too_many_none_and_unknown_steps_are_refused(desk, chosen, action):
    with pytest.raises(Invalid):
        many(desk.svc, ANN, chosen, action=action)


@BOTH
def test_facets_count_what_choosing_a_value_would_bring(desk):
    breach = c08(desk)
    assign(desk.svc, ANN, breach.id, version=breach.version, assignee="nora")

    def counted(access=ANN, **where):
        with desk.svc.reading() as session:
            narrowed, scope = Where(**where), scope_of(access)
            found = worklist.facets(session, where=narrowed, scope=scope, ages=ages(desk.svc))
            assert found.total == findings.count_breaches(session, where=narrowed, scope=scope)
        return found.by

    one = counted(rule=("C08",))
    assert one["team"] == {"north": 3, "south": 1}
    assert one["assignee"] == {None: 3, desk.who["nora"]: 1}
    assert one["age"] == {"today": 4}
    assert set(one["rule"]) > {"C08"}, "a facet does not narrow its own counts"
    two = counted(rule=("C08",), team=("south",))
    assert two["team"] == {"north": 3, "south": 1}
    assert two["assignee"] == {None: 1}
    assert two["rule"]["C08"] == 1
    assert counted(rule=("C08",), assignee=("-",))["team"] == {"north": 2, "south": 1}
    assert counted(rule=("C08",), assignee=assignees(Access(desk.who["nora"], "nora"), ["me", "-"]))["team"] == {"north": 3, "south": 1}
    assert counted(NORTH, rule=("C08",))["team"] == {"north": 3}


def test_ages_are_whole_local_days_and_a_cursor_outlives_midnight(desk):
    def found(*names, cursor=None):
        with desk.svc.reading() as session:
            where = Where(rule=("C08",), age=chosen_ages(desk.svc, names))
            return findings.list_breaches(session, where=where, limit=2, cursor=cursor)

    assert len(found("today").items) == 2
    page = found("today", "week")
    desk.clock.set("2026-06-02T00:30")
    assert not found("today").items
    assert len(found("today", "week", cursor=page.next_cursor).items) == 2
    desk.clock.set("2026-06-08T23:00")
    assert found("week").items
    desk.clock.set("2026-06-09T00:00")
    assert not found("week").items
    assert found("month").items
    desk.clock.set("2027-06-09T00:00")
    assert found("older").items
    with pytest.raises(QueryError):
        found("yesterday")


@BOTH
def test_a_case_is_found_by_how_its_id_begins(desk):
    def cases(text):
        with desk.svc.reading() as session:
            return sorted({one.case for one in findings.list_breaches(session, where=Where(search=text), limit=100).items})

    assert cases("k") == ["k1", "k2", "k3"]
    assert cases("K2") == ["k2"]
    assert cases("%") == cases("_") == []
    assert cases("FA") == ["far"]


CONTENT = Content({"condition": ("open",), "assignee": ("me",)}, "severity", ("severity", "due_on"))


@BOTH
def test_views_are_kept_replaced_and_forgotten(desk):
    kept = save(desk.svc, ANN, name="  My   day ", content=CONTENT)
    assert (kept.name, kept.own, kept.content) == ("My day", True, CONTENT)
    again = save(desk.svc, ANN, name="My day", content=Content({"review": ("new",)}), shared=True)
    assert (again.id, again.shared) == (kept.id, True)
    (seen,) = listed(desk.svc, ANN)
    assert seen == again
    (theirs,) = listed(desk.svc, MIA)
    assert (theirs.name, theirs.own, theirs.owner) == ("My day", False, "user:ann")
    with pytest.raises(NotFound):
        remove(desk.svc, MIA, kept.id)
    assert save(desk.svc, MIA, name="My day", content=CONTENT).id != kept.id
    remove(desk.svc, ANN, kept.id)
    assert [view.owner for view in listed(desk.svc, MIA)] == ["user:mia"]
    with pytest.raises(NotFound):
        remove(desk.svc, ANN, kept.id)


@BOTH
def test_a_shared_view_tells_nobody_of_teams_and_workers_outside_their_limits(desk):
    for name, filters in (
        ("north", {"team": ("north",)}),
        ("south", {"team": ("south",)}),
        ("both", {"team": ("north", "south")}),
        ("none", {"team": ("-",)}),
        ("worker", {"worker": ("w-unknown",)}),
        ("any", {"severity": ("high",)}),
    ):
        save(desk.svc, ANN, name=name, content=Content(filters), shared=True)
    save(desk.svc, ANN, name="private", content=CONTENT)
    assert [view.name for view in listed(desk.svc, NORTH)] == ["any", "none", "north"]
    assert len(listed(desk.svc, MIA)) == 6


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("", CONTENT),
        ("x" * 61, CONTENT),
        ("a\x07b", CONTENT),
        ("case", Content({"case": ("FAM-1",)})),
        ("big", Content({"rule": ("r",) * 101})),
    ],
)
def test_what_cannot_be_a_view_is_refused(desk, name, content):
    with pytest.raises(Invalid):
        save(desk.svc, ANN, name=name, content=content)
    assert listed(desk.svc, ANN) == []
