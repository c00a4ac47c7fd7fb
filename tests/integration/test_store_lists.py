"""Lists: total order, stable paging, filters, and that nobody sees beyond their scope."""

import base64
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete

from rules.model import Heartbeat, Outcome
from store import queries
from store.breaches import Change, write_breaches
from store.errors import CursorError, QueryError
from store.events import insert_events, insert_heartbeats
from store.models import DirtyRow, OutboxRow, PolicyVersionRow, RejectRow, SourceRow, VerdictRow, WaiverRow
from store.queries import Scope, Where
from store.queue import claim_dirty, mark_dirty
from store.states import CaseState, write_state
from store.verdicts import replace_verdicts
from tests.support.stores import Store, breach, event, verdict

NORTH = Scope(teams=frozenset({"north"}))
NOBODY = Scope(teams=frozenset())


def put_breaches(store: Store, *breaches) -> None:
    with store.write.begin() as session:
        write_breaches(session, [Change(one) for one in breaches])


def put_verdicts(store: Store, *verdicts) -> None:
    with store.write.begin() as session:
        for case in sorted({one.case for one in verdicts}):
            replace_verdicts(session, case, [one for one in verdicts if one.case == case], now=1)


def walk(store: Store, list_, *, limit: int = 3, between=lambda: None, **how):
    """All items of a list, page by page, with something happening between the pages."""
    items, cursor = [], None
    while True:
        with store.read() as session:
            page = list_(session, limit=limit, cursor=cursor, **how)
        assert len(page.items) <= limit
        items += page.items
        if page.next_cursor is None:
            return items
        cursor = page.next_cursor
        between()


def inside(cursor: str | None) -> list[Any]:
    """What a cursor holds."""
    assert cursor is not None
    return list(json.loads(base64.urlsafe_b64decode(cursor + "==")))


# --- paging ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["opened_at", "changed_at", "due_on", "severity", "days_late", "rule", "case"])
@pytest.mark.parametrize("limit", [1, 4, 7, 100])
def test_pages_put_together_are_the_list(store, sort, limit):
    chance = random.Random(1)
    given = [
        breach(
            f"C{number % 5}",
            rule=f"R{number % 3}",
            obligation=str(number),
            opened_at=chance.choice([10, 20, 30]),
            changed_at=chance.choice([10, 20]),
            due_on=chance.choice([None, "2026-01-01", "2026-02-01"]),
            days_late=chance.choice([None, 0, 5]),
            severity=chance.choice(["critical", "low", "medium"]),
        )
        for number in range(13)
    ]
    put_breaches(store, *given)
    rank = ["critical", "high", "medium", "low"]
    key = {
        "opened_at": lambda one: one.opened_at,
        "changed_at": lambda one: one.changed_at,
        "due_on": lambda one: one.due_on or "9999-12-31",
        "severity": lambda one: rank.index(one.severity),
        "days_late": lambda one: -1 if one.days_late is None else one.days_late,
        "rule": lambda one: one.key[3],
        "case": lambda one: one.key[0],
    }[sort]
    for direction in ("", "-"):
        found = walk(store, queries.list_breaches, sort=direction + sort, limit=limit)
        expected = sorted(given, key=lambda one: (key(one), one.id), reverse=direction == "-")
        assert [one.id for one in found] == [one.id for one in expected]


@pytest.mark.parametrize("sort", ["due_on", "-changed_at", "severity", "rule", "-days_late"])
def test_rows_that_come_and_go_between_pages_neither_hide_nor_double_others(store, sort):
    chance = random.Random(7)

    def some(name: str):
        severity, day = chance.choice(["high", "low"]), chance.randint(1, 28)
        return verdict(name, rule=f"R{chance.randint(1, 3)}", severity=severity, due_on=f"2026-03-{day:02}")

    staying = [some(f"S{number}") for number in range(20)]
    leaving = [some(f"L{number}") for number in range(20)]
    put_verdicts(store, *staying, *leaving)
    coming = iter(range(10_000))

    def between() -> None:
        put_verdicts(store, *(some(f"N{next(coming)}") for _ in range(3)))
        with store.write.begin() as session:
            for gone in (leaving.pop(chance.randrange(len(leaving))) for _ in range(min(3, len(leaving)))):
                session.execute(delete(VerdictRow).where(VerdictRow.case_id == gone.case))

    found = [one.verdict.case for one in walk(store, queries.list_verdicts, sort=sort, limit=4, between=between)]
    assert len(found) == len(set(found))
    assert {one.case for one in staying} <= set(found)


def test_the_row_that_a_cursor_stands_on_may_go(store):
    put_verdicts(store, *(verdict(f"C{number}", due_on=f"2026-03-1{number}") for number in range(5)))
    with store.read() as session:
        page = queries.list_verdicts(session, limit=2)
    with store.write.begin() as session:
        session.execute(delete(VerdictRow).where(VerdictRow.case_id == "C1"))
    with store.read() as session:
        rest = queries.list_verdicts(session, limit=10, cursor=page.next_cursor)
    assert [one.verdict.case for one in rest.items] == ["C2", "C3", "C4"]


def test_a_cursor_names_no_case(store):
    put_breaches(store, *(breach(f"secret-{number}", obligation="child:secret", worker="secret", team="secret") for number in range(3)))
    for sort in ("case", "opened_at", "due_on", "rule", "severity", "days_late", "changed_at"):
        with store.read() as session:
            cursor = queries.list_breaches(session, where=Where(team=("secret",)), limit=1, sort=sort).next_cursor
        assert "secret" not in json.dumps(inside(cursor))


def test_a_cursor_is_good_for_its_own_list_only(store):
    put_breaches(store, *(breach(f"C{number}") for number in range(3)))
    put_verdicts(store, *(verdict(f"C{number}") for number in range(3)))
    with store.read() as session:
        cursor = queries.list_breaches(session, limit=1, sort="due_on").next_cursor
        for attempt in (
            lambda: queries.list_breaches(session, cursor=cursor),
            lambda: queries.list_breaches(session, cursor=cursor, sort="-due_on"),
            lambda: queries.list_breaches(session, cursor=cursor, sort="due_on", where=Where(rule=("C01",))),
            lambda: queries.list_breaches(session, cursor=cursor, sort="due_on", scope=NORTH),
            lambda: queries.list_verdicts(session, cursor=cursor, sort="due_on"),
        ):
            with pytest.raises(CursorError):
                attempt()
        assert len(queries.list_breaches(session, cursor=cursor, sort="due_on").items) == 2


def test_a_cursor_that_was_made_up_is_refused(store):
    put_breaches(store, *(breach(f"C{number}") for number in range(3)))
    with store.read() as session:
        good = queries.list_breaches(session, limit=1).next_cursor
        version, digest, row_id, key = inside(good)

        def coded(*value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()

        assert queries.list_breaches(session, cursor=coded(version, digest, row_id, key)).items
        for bad in (
            "", "?", "äöü", "a" * 10_000, str(good)[:-3], f"{good}AAAA", coded(),
            coded(version, digest, row_id), coded(2, digest, row_id, key),
            coded(version, "0", row_id, key), coded(version, digest, 7, key), coded(version, digest, row_id, "x"),
            coded(version, digest, row_id, None), coded(version, digest, row_id, True), coded(version, digest, row_id, 2**70),
            coded(version, digest, "x\x00", key), coded(version, digest, [], key), base64.b64encode(b"[" * 300).decode(),
            base64.b64encode(b'{"a": 1}').decode(), base64.b64encode(b"\xff\xfe").decode(),
        ):  # fmt: skip
            with pytest.raises(CursorError):
                queries.list_breaches(session, cursor=bad)


def test_a_private_cursor_whose_row_never_was_is_refused(store):
    put_breaches(store, *(breach(f"C{number}") for number in range(3)))
    with store.read() as session:
        good = queries.list_breaches(session, limit=1, sort="case").next_cursor
        version, digest, _ = inside(good)
        made_up = base64.urlsafe_b64encode(json.dumps([version, digest, "nobody"]).encode()).decode()
        with pytest.raises(CursorError, match="begin again"):
            queries.list_breaches(session, cursor=made_up, sort="case")


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 1001}, {"limit": -1}, {"sort": "worker"}, {"sort": "--due_on"}, {"sort": "-"}])
def test_limits_and_sorts_that_a_list_does_not_have(store, wrong):
    with store.read() as session, pytest.raises(QueryError) as caught:
        queries.list_breaches(session, **wrong)
    assert caught.value.field in wrong


# --- filters ---------------------------------------------------------------------------------------------------------


def test_filters_of_breaches(store):
    one = breach("C1", rule="C01", due_on="2026-03-01", review="upheld")
    two = replace(
        breach("C2", rule="C02", severity="low", team="south", office="darwin", worker="w2"), condition="remedied", due_on="2026-03-31"
    )
    three = replace(breach("C3", rule="C01", due_on=None), key=("C3", "1", "sf", "C01", "case"))
    put_breaches(store, one, two, three)
    expected = {
        "rule": ("C01", "13"), "policy": ("sf", "3"), "severity": ("low", "2"), "condition": ("remedied", "2"), "review": ("upheld", "1"),
        "team": ("south", "2"), "office": ("alice", "13"), "worker": ("w2", "2"), "case": ("C3", "3"),
    }  # fmt: skip
    with store.read() as session:

        def cases(**where) -> str:
            return "".join(sorted(found.case[1] for found in queries.list_breaches(session, where=Where(**where)).items))

        for name, (value, found) in expected.items():
            assert cases(**{name: (value,)}) == found, name
        assert cases() == "123"
        assert cases(case=("C1", "C3")) == "13"
        assert cases(case=("C1", "C3"), policy=("cfss",)) == "1"
        assert cases(rule=("none",)) == ""
        assert cases(since="2026-03-01") == "12"
        assert cases(since="2026-03-02", until="2026-03-31") == "2"
        assert cases(until="2026-03-30") == "1"


def test_filters_of_verdicts_include_those_of_their_breaches(store):
    put_verdicts(store, verdict("C1"), verdict("C2", verdict=Outcome.MET, status="shadow"), verdict("C3"))
    put_breaches(store, breach("C1"), breach("C3", review="dismissed"))
    with store.read() as session:

        def cases(**where) -> list[str]:
            return sorted(found.verdict.case for found in queries.list_verdicts(session, where=Where(**where)).items)

        assert cases(verdict=("met",)) == ["C2"]
        assert cases(status=("shadow",)) == ["C2"]
        assert cases(condition=("open",)) == ["C1", "C3"]
        assert cases(review=("dismissed",), condition=("open",)) == ["C3"]
        with pytest.raises(QueryError):
            queries.list_breaches(session, where=Where(verdict=("met",)))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"since": "yesterday"}, "from"), ({"until": "2026-02-30"}, "to"), ({"until": "20260301"}, "to"),
        ({"severity": ("grave",)}, "severity"), ({"condition": ("shut",)}, "condition"), ({"review": ("x",)}, "review"),
        ({"verdict": ("x",)}, "verdict"), ({"status": ("x",)}, "status"), ({"case": ("\x00",)}, "case"), ({"team": ("\ud800",)}, "team"),
        ({"rule": tuple(map(str, range(101)))}, "rule"),
    ],
)  # fmt: skip
def test_filters_that_cannot_be(wrong, field):
    with pytest.raises(QueryError) as caught:
        Where(**wrong)
    assert caught.value.field == field


def test_due_soon_lists_what_is_open_and_due(store):
    put_verdicts(
        store,
        verdict("C1", verdict=Outcome.DUE_SOON, due_on="2026-03-10"),
        verdict("C2", verdict=Outcome.PENDING, due_on="2026-03-20"),
        verdict("C3", verdict=Outcome.PENDING, due_on="2026-03-21"),
        verdict("C4", verdict=Outcome.PENDING, due_on=None),
        verdict("C5", verdict=Outcome.BREACHED, due_on="2026-03-01"),
        verdict("C6", verdict=Outcome.DUE_SOON, due_on="2026-03-10", status="shadow"),
        verdict("C7", verdict=Outcome.DUE_SOON, due_on="2026-03-10", team="south"),
    )
    assert [one.verdict.case for one in walk(store, queries.list_due_soon, limit=1, due_by="2026-03-20", scope=NORTH)] == ["C1", "C2"]
    with store.read() as session:
        assert queries.count_due_soon(session, due_by="2026-03-20") == 3
        with pytest.raises(QueryError):
            queries.list_due_soon(session, due_by="soon")


# --- scope -----------------------------------------------------------------------------------------------------------


def populate(store: Store) -> None:
    """Two teams, two offices, a case of each combination; a fifth that belongs to nobody and is not judged."""
    with store.write.begin() as session:
        for number, (team, office) in enumerate([("north", "alice"), ("north", "darwin"), ("south", "alice"), (None, None)]):
            case = f"C{number}"
            insert_events(session, [event(f"e{number}", case)], received=1)
            insert_events(session, [event(f"e{number}", case, note=1)], received=1)
            replace_verdicts(session, case, [verdict(case, team=team, office=office, verdict=Outcome.DUE_SOON)], now=1)
            one = breach(case, team=team, office=office)
            write_breaches(session, [Change(one)])
            state = CaseState(case, evaluated_at=number, as_of=1, position=1, next_check_at=None, open_breaches=1, team=team, office=office)
            write_state(session, state)
            waiver = WaiverRow(
                id=f"w{number}", breach_id=one.id, author="a", reason_code="r", state="proposed", created=1, ends_at=2, evidence_digest="d"
            )
            session.add(waiver)
        insert_events(session, [event("e9", "C9")], received=1)
        mark_dirty(session, [f"C{number}" for number in (0, 1, 2, 3, 9)], 1)


@pytest.mark.parametrize(
    ("where", "cases"),
    [
        ({}, "0123"),
        ({"team": ("north",)}, "01"),
        ({"team": ("north", "south"), "office": ("alice",)}, "02"),
        ({"starts": "C"}, "0123"),
        ({"starts": "C2"}, "2"),
        ({"starts": "c2"}, ""),
        ({"case": ("C1", "C3")}, "13"),
        ({"open_breaches": True}, "0123"),
        ({"open_breaches": False}, ""),
        ({"with_queries": True}, ""),
        ({"waiting": True}, "023"),
        ({"quarantined": True}, "1"),
    ],
)
def test_cases_are_found_by_what_is_known_of_them(store, where, cases):
    populate(store)
    with store.write.begin() as session:
        session.get_one(DirtyRow, "C1").quarantined = True
    chosen = queries.CaseWhere(**where)
    with store.read() as session:
        assert [one.case for one in queries.list_cases(session, where=chosen).items] == [f"C{number}" for number in cases]
        assert queries.count_cases(session, where=chosen) == len(cases)
        seen = [number for number in cases if number in "01"]
        assert queries.count_cases(session, where=chosen, scope=NORTH) == len(seen)
        facets = queries.case_facets(session, scope=NORTH)
    assert (facets.total, facets.by["office"]) == (2, {"alice": 1, "darwin": 1})


def test_of_linked_cases_those_are_named_that_may_be_seen(store):
    populate(store)
    named = {"C0", "C2", "C9", "nowhere"}
    with store.read() as session:
        assert queries.visible_cases(session, named) == ["C0", "C2", "C9"]
        assert queries.visible_cases(session, named, scope=NORTH) == ["C0"]
        assert queries.visible_cases(session, []) == []


@pytest.mark.parametrize(
    ("scope", "cases"),
    [
        (Scope(), "0123"),
        (NORTH, "01"),
        (Scope(offices=frozenset({"alice"})), "02"),
        (Scope(teams=frozenset({"north", "south"}), offices=frozenset({"darwin"})), "1"),
        (NOBODY, ""),
        (Scope(offices=frozenset()), ""),
    ],
)
def test_nobody_sees_beyond_their_scope(store, scope, cases):
    populate(store)
    expected = [f"C{number}" for number in cases]
    everything = not scope.limited
    with store.read() as session:
        assert sorted(one.case for one in queries.list_breaches(session, scope=scope).items) == expected
        assert sorted(one.verdict.case for one in queries.list_verdicts(session, scope=scope).items) == expected
        assert sorted(one.verdict.case for one in queries.list_due_soon(session, due_by="2026-12-31", scope=scope).items) == expected
        assert queries.count_due_soon(session, due_by="2026-12-31", scope=scope) == len(cases)
        assert [one.case for one in queries.list_cases(session, scope=scope).items] == expected
        assert queries.count_cases(session, scope=scope) == len(cases)
        assert queries.breach_facets(session, scope=scope).total == len(cases)
        assert queries.verdict_facets(session, scope=scope).total == len(cases)
        assert sum(sum(tally.outcomes.values()) for tally in queries.tallies(session, by=["rule"], scope=scope)) == len(cases)
        assert sum(flow.opened for flow in queries.breach_flow(session, [0, 10**9], scope=scope)) == len(cases)
        assert sum(queries.open_breaches_by_team(session, scope=scope).values()) == len(cases)
        assert len(queries.list_waivers(session, scope=scope).items) == len(cases)
        assert sorted(one.case_id for one in queries.list_conflicts(session, scope=scope).items) == expected
        assert [one.case for one in queries.list_waiting(session, scope=scope)] == [*expected, *(["C9"] if everything else [])]
        for number in range(4):
            case, seen = f"C{number}", str(number) in cases
            one = breach(case)
            assert (queries.find_breach(session, one.id, scope=scope) is not None) is seen
            assert (queries.find_verdict(session, one.id, scope=scope) is not None) is seen
            assert (queries.case_detail(session, case, scope=scope) is not None) is seen
            assert queries.may_see_case(session, case, scope=scope) is seen
            assert bool(queries.list_events(session, case, scope=scope).items) is seen
        assert queries.may_see_case(session, "C9", scope=scope) is everything
        assert (queries.case_detail(session, "C9", scope=scope) is not None) is everything
        assert bool(queries.list_events(session, "C9", scope=scope).items) is everything
        assert queries.case_detail(session, "nobody", scope=scope) is None


def test_of_a_case_that_moved_the_new_team_sees_its_own_findings(store):
    put_verdicts(store, verdict(rule="A", team="south"), verdict(rule="B", team="north"))
    put_breaches(store, breach(rule="A", team="south"), breach(rule="B", team="north"))
    with store.write.begin() as session:
        insert_events(session, [event("e1")], received=1)
        write_state(session, CaseState("C1", evaluated_at=1, as_of=1, position=1, next_check_at=None, open_breaches=2, team="north"))
    with store.read() as session:
        detail = queries.case_detail(session, "C1", scope=NORTH)
        assert ([one.verdict.rule for one in detail.verdicts], [one.key[3] for one in detail.breaches]) == (["B"], ["B"])
        assert queries.case_detail(session, "C1", scope=Scope(teams=frozenset({"south"}))) is None


# --- counts ----------------------------------------------------------------------------------------------------------


def test_facets_count_what_the_list_gives(store):
    put_breaches(store, breach("C1"), breach("C2", severity="low"), breach("C3", team=None, condition="remedied"))
    with store.read() as session:
        facets = queries.breach_facets(session)
        assert facets.total == 3
        assert facets.by["severity"] == {"high": 2, "low": 1}
        assert facets.by["team"] == {"north": 2, None: 1}
        assert facets.by["condition"] == {"open": 2, "remedied": 1}
        assert list(facets.by["severity"]) == ["high", "low"]
        few = queries.breach_facets(session, where=Where(severity=("low",)))
        assert (few.total, few.by["rule"]) == (1, {"C01": 1})
        none = queries.breach_facets(session, where=Where(rule=("none",)))
        assert (none.total, none.by["rule"]) == (0, {})


def test_tallies_by_group(store):
    put_verdicts(
        store,
        verdict("C1", verdict=Outcome.LATE, days_late=3),
        verdict("C2", verdict=Outcome.LATE, days_late=4),
        verdict("C3", verdict=Outcome.BREACHED, days_late=90, team=None),
        verdict("C4", verdict=Outcome.MET, due_on="2026-04-01"),
    )
    with store.read() as session:
        [whole] = queries.tallies(session, by=["policy"])
        assert (whole.group, whole.days_late, whole.most_days_late) == (("cfss",), 7, 4)
        assert {name: count for name, count in whole.outcomes.items() if count} == {"late": 2, "breached": 1, "met": 1}
        found = queries.tallies(session, by=["team", "month"])
        assert [tally.group for tally in found] == [(None, "2026-03"), ("north", "2026-03"), ("north", "2026-04")]
        assert len(queries.tallies(session, by=["team", "month"], limit=2)) == 2
        for wrong in ({"by": []}, {"by": ["case"]}, {"by": ["rule"], "limit": 1001}):
            with pytest.raises(QueryError):
                queries.tallies(session, **wrong)


def test_breaches_by_when_they_opened(store):
    put_breaches(
        store,
        *(breach(f"C{at}", opened_at=at, condition="open" if at % 2 else "remedied") for at in (9, 10, 19, 20, 29, 30)),
    )
    with store.read() as session:
        flows = queries.breach_flow(session, [10, 20, 25, 30])
        assert [(flow.start, flow.end, flow.opened) for flow in flows] == [(10, 20, 2), (20, 25, 1), (25, 30, 1)]
        assert flows[0].conditions == {"open": 1, "remedied": 1, "withdrawn": 0, "excused": 0}
        assert queries.breach_flow(session, [1]) == []
        with pytest.raises(QueryError):
            queries.breach_flow(session, [1, 1])


# --- cases -----------------------------------------------------------------------------------------------------------


def test_cases_are_listed_and_paged(store):
    with store.write.begin() as session:
        for number in range(9):
            state = CaseState(
                f"C{number}",
                evaluated_at=100 - number,
                as_of=1,
                position=1,
                next_check_at=None if number % 2 else number,
                open_breaches=number % 3,
                team="north" if number < 5 else "south",
                queries=({"code": "q"},) if number == 4 else (),
            )
            write_state(session, state)
        mark_dirty(session, ["C3"], 1)
    names = [f"C{number}" for number in range(9)]
    assert [one.case for one in walk(store, queries.list_cases)] == names
    assert [one.case for one in walk(store, queries.list_cases, sort="-case", limit=2)] == names[::-1]
    assert [one.case for one in walk(store, queries.list_cases, sort="evaluated_at", limit=2)] == names[::-1]
    assert sorted(one.case for one in walk(store, queries.list_cases, sort="-open_breaches", limit=2)) == names
    assert [one.case for one in walk(store, queries.list_cases, sort="next_check", limit=2)][:5] == names[::2]
    assert [one.case for one in walk(store, queries.list_cases, team=("south",), with_open_breaches=True)] == ["C5", "C7", "C8"]
    assert [one.case for one in walk(store, queries.list_cases, with_queries=True)] == ["C4"]
    assert [one.case for one in walk(store, queries.list_cases) if one.waiting] == ["C3"]
    with store.read() as session, pytest.raises(QueryError):
        queries.list_cases(session, case=("\x00",))


def test_a_case_in_detail(store):
    populate(store)
    with store.write.begin() as session:
        claim_dirty(session, limit=1, now=10, lease_ms=1, worker="w")
    with store.read() as session:
        detail = queries.case_detail(session, "C0")
        assert (detail.events, detail.summary.team, detail.summary.waiting, detail.summary.waiting_since) == (1, "north", True, 1)
        assert detail.waiting is not None
        assert (detail.waiting.since, detail.waiting.attempts, detail.waiting.quarantined) == (1, 1, False)
        assert [one.verdict.case for one in detail.verdicts] == ["C0"]
        assert [one.id for one in detail.breaches] == [detail.verdicts[0].id]
        fresh = queries.case_detail(session, "C9")
        assert (fresh.summary, fresh.events, fresh.verdicts) == (None, 1, ())
        assert queries.case_detail(session, "C9", scope=NORTH) is None
        assert queries.case_detail(session, "C9", scope=NORTH, unjudged=True) is not None
        assert queries.case_detail(session, "C2", scope=NORTH, unjudged=True) is None, "judged, and another team's"


def test_events_of_a_case_in_the_order_of_happening(store):
    with store.write.begin() as session:
        insert_events(session, [event(f"e{number}", time=[5, 3, 3, 9, 1][number]) for number in range(5)], received=7)
        insert_events(session, [event("v", "X", type_="event.voided", target="e3"), event("other", "C2")], received=7)
    found = walk(store, lambda session, **how: queries.list_events(session, "C1", **how), limit=2)
    assert [one.event.id for one in found] == ["e4", "e1", "e2", "e0", "e3"]
    assert found[0].received == 7
    assert [one.spoken_of for one in found] == [(), (), (), (), ("v",)]
    backwards = walk(store, lambda session, **how: queries.list_events(session, "C1", sort="-position", **how), limit=2)
    assert [one.event.id for one in backwards] == ["e4", "e3", "e2", "e1", "e0"]


# --- upkeep ----------------------------------------------------------------------------------------------------------


def test_sources_show_how_they_stand(store):
    with store.write.begin() as session:
        insert_events(session, [event("e1"), event("e2", source="b")], received=5)
        insert_events(session, [event("e1", n=2)], received=6)
        [last] = insert_events(session, [event("e3")], received=8)
        insert_heartbeats(session, [Heartbeat("cms", 3, 2), Heartbeat("beating", 9, 8)])
        session.add(SourceRow(source="pulled", adapter="fhir", last_pull=4, last_error="timeout", failures=2))
        session.add(RejectRow(source="cms", kind="k", ref="1", received=1, problems=[], payload={"id": 1}))
        session.add(RejectRow(source="cms", kind="k", ref="2", received=1, problems=[], replayed_at=3))
    with store.read() as session:
        found = {one.source: one for one in queries.list_sources(session)}
    assert list(found) == ["b", "beating", "cms", "pulled"]
    cms = found["cms"]
    assert (cms.last_event, cms.last_position, cms.complete_until, cms.last_heartbeat) == (8, last.position, 2, 3)
    assert (cms.conflicts, cms.rejects, cms.failures, cms.adapter) == (1, 1, 0, None)
    assert (found["pulled"].last_error, found["pulled"].failures, found["pulled"].last_event) == ("timeout", 2, None)
    assert (found["beating"].complete_until, found["beating"].last_event) == (8, None)


def test_an_empty_store_has_empty_lists(store):
    with store.read() as session:
        assert queries.list_sources(session) == []
        assert queries.list_waiting(session) == []
        assert queries.list_policy_versions(session) == []
        assert queries.backlog(session, 1) == queries.Backlog(0, 0, 0, None)
        for empty in (queries.list_breaches, queries.list_verdicts, queries.list_cases, queries.list_conflicts):
            assert empty(session) == queries.Page((), None)


def test_what_waits_and_what_is_set_aside(store):
    with store.write.begin() as session:
        mark_dirty(session, ["C1"], 1)
        mark_dirty(session, ["C2"], 2)
        mark_dirty(session, ["C3"], 3)
    for now in (0, 10, 20, 30):
        with store.write.begin() as session:
            claim_dirty(session, limit=1, now=now, lease_ms=5, worker="w")
    with store.read() as session:
        assert queries.backlog(session, 31) == queries.Backlog(waiting=2, quarantined=1, claimed=1, oldest=3)
        assert [one.case for one in queries.list_waiting(session, quarantined=True)] == ["C1"]
        assert [one.case for one in queries.list_waiting(session, quarantined=False)] == ["C2", "C3"]
        assert len(queries.list_waiting(session, limit=2)) == 2


def test_administrators_lists(store):
    with store.write.begin() as session:
        for number in range(5):
            session.add(
                RejectRow(
                    source="ab"[number % 2],
                    kind="k",
                    ref=str(number),
                    received=number,
                    problems=[{"code": "x"}],
                    replayed_at=number or None,
                )
            )
            session.add(
                OutboxRow(message_id=f"m{number}", topic="t", key="k", payload={}, created=1, available_at=1, sent_at=number or None)
            )
            session.add(PolicyVersionRow(digest=f"d{number}", policy="pq"[number % 2], version="1", text={}, first_used=number))
    assert [row.received for row in walk(store, queries.list_rejects, limit=2)] == [4, 3, 2, 1, 0]
    assert [row.received for row in walk(store, queries.list_rejects, limit=2, source="a", replayed=True)] == [4, 2]
    assert [row.received for row in walk(store, queries.list_rejects, limit=2, replayed=False)] == [0]
    assert [row.message_id for row in walk(store, queries.list_outbox, limit=2)] == ["m0"]
    assert len(walk(store, queries.list_outbox, limit=2, unsent=False)) == 5
    with store.read() as session:
        assert [row.digest for row in queries.list_policy_versions(session, policy="q")] == ["d3", "d1"]
