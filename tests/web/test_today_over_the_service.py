"""Today, statistics and what is due over the real service: every figure is the number of its list, and limits hold in all of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit

import icalendar
import pytest
from sqlalchemy import event as hooks
from sqlalchemy import update

from service import duefeeds, rates, statistics, users
from service.access import Access
from service.errors import Invalid, NotFound, NotPossible
from store.models import BreachRow, DirtyRow, DueFeedRow
from store.queries.narrow import Scope, Where
from tests.support.pages import Document, PageClient
from tests.support.service_kit import Kit, connected, event, plan, three_visits, visit
from tests.web.conftest import FIRST

BOTH = pytest.mark.parametrize("store", ["sqlite_url", "pg_db"])


def some_work(flow: Kit) -> None:
    """Cases of two teams: breaches of last March, plans in time and late, and new cases with due days ahead."""
    flow.take(*three_visits("k1"), connected(case="k2", team="south"), *three_visits("k2")[1:])
    flow.take(*three_visits("k3"), plan("2026-03-20T09:00", case="k3"))
    flow.take(*three_visits("k4"), plan("2026-03-30T09:00", case="k4"))
    for case, team in (("n1", "north"), ("n2", "south")):
        flow.take(connected("2026-05-20T09:00", case=case, team=team), visit("2026-05-22T10:00", case=case))
    flow.take(connected("2026-04-24T09:00", case="n3"))
    flow.settle()
    statistics.refresh(flow.svc)


def tiles(page: Document) -> list[tuple[str, int]]:
    """(address, number) of the tiles of a page."""
    found = [link for link in page.all("a") if "dc-tile" in link.attributes.get("class", "").split()]
    return [(link.attributes["href"], int(link.text.split()[0].replace(",", ""))) for link in found]


def total(client: PageClient, address: str) -> int:
    """How many a list says that it has in all."""
    page = client.get(address)
    if "#" in address:
        return len([one for one in page.all("li") if "Case " in one.text and "attempt" in one.text and one.inside("section")]) // 1
    (stamp,) = [one.text for one in page.all("p") if "dc-stamp" in one.attributes.get("class", "").split()]
    found = re.search(r"[\d,]+", stamp)
    assert found is not None
    return int(found[0].replace(",", ""))


@BOTH
def test_every_figure_of_today_is_the_number_of_its_list(flow: Kit, enter) -> None:
    some_work(flow)
    client = enter("kim", "manager")
    with flow.svc.writing() as session:
        session.execute(update(BreachRow).where(BreachRow.case_id == "k1").values(contested="moved", assignee=actor_of(flow, "kim")))
    figures = tiles(client.get("/"))
    assert len(figures) == 5 + 3 + 5
    assert [(address, number, total(client, address)) for address, number in figures if number != total(client, address)] == []
    assert sum(number for address, number in figures if "severity=" in address) == total(client, "/breaches?condition=open&review=new") > 0
    assert dict(figures)["/breaches?condition=open&assignee=me"] > 0
    assert dict(figures)["/breaches?review=new&contested=yes"] > 0
    assert dict(figures)["/due-soon?within=14"] >= dict(figures)["/due-soon?within=7"] > 0


@BOTH
def test_every_figure_of_the_statistics_is_the_number_of_its_list(flow: Kit, enter) -> None:
    some_work(flow)
    client = enter("kim")
    page = client.get("/statistics?rule=C08&policy=cfss")
    links = {
        link.attributes["href"]: int(link.text.split()[0]) for link in page.all("a") if link.attributes["href"].startswith("/verdicts")
    }
    assert len(links) > 5
    assert {address: total(client, address) for address in links} == links
    assert any("verdict=late&" in address for address in links)


def test_limits_hold_in_every_figure(flow: Kit, enter) -> None:
    some_work(flow)
    everything, north, nowhere = enter("kim"), enter("robin", teams=["north"]), enter("sam", teams=["nowhere"])
    assert sum(number for _, number in tiles(everything.get("/"))) > sum(number for _, number in tiles(north.get("/"))) > 0
    assert {number for _, number in tiles(nowhere.get("/"))} == {0}
    assert "south" not in north.get("/statistics").main
    assert "Nothing was due in these months" in nowhere.get("/statistics").main
    for address in ("/due-soon?within=92", "/due-soon/teams", "/due-soon/sheet?within=92", "/due-soon/month?month=2026-07"):
        assert total(nowhere, address) == 0
        assert total(everything, address) > 0


@BOTH
def test_a_count_is_made_anew_when_something_has_changed_and_it_is_cheap(flow: Kit) -> None:
    svc = flow.svc
    assert not statistics.keep_up(svc)  # nothing has ever been judged
    figures = statistics.Statistics(svc)
    assert figures.board(Scope()) is None
    flow.take(*three_visits("k1"))
    flow.settle()
    assert statistics.keep_up(svc)
    board = figures.board(Scope())
    assert board is not None
    assert figures.board(Scope()) is board
    flow.clock.advance(seconds=1)
    flow.take(*three_visits("k2"))
    flow.settle()
    assert not statistics.keep_up(svc)  # it is some milliseconds old
    flow.clock.advance(seconds=31)
    assert statistics.keep_up(svc)
    fresh = figures.board(Scope())
    assert fresh is not None
    assert fresh.total.judged == 2 * board.total.judged
    flow.clock.advance(seconds=31)
    assert not statistics.keep_up(svc)  # nothing has changed
    flow.clock.advance(hours=1)
    assert statistics.keep_up(svc)


def test_only_one_machine_counts_at_a_time_and_one_that_died_is_not_waited_for_for_ever(flow: Kit) -> None:
    from store import tallies

    with flow.svc.writing() as session:
        assert tallies.claim(session, flow.clock.ms, flow.clock.ms + statistics.LONGEST_CLAIM)
    assert not statistics.refresh(flow.svc)
    flow.clock.advance(minutes=16)
    assert statistics.refresh(flow.svc)
    assert statistics.refresh(flow.svc)


@BOTH
def test_the_kept_count_says_what_the_verdicts_say(flow: Kit) -> None:
    from rules.model import Outcome
    from store.queries import findings
    from store.queries.rates import days_from_due

    some_work(flow)
    board = statistics.Statistics(flow.svc).board(Scope())
    assert board is not None
    with flow.svc.reading() as session:
        stored = [one.verdict for one in findings.list_verdicts(session, where=Where(status=("enforced",)), limit=1_000).items]
        days = days_from_due(session, where=Where(status=("enforced",)))
    everything = board.total
    for share in board.outside.values():
        everything = everything.plus(share)
    assert {name: number for name, number in everything.outcomes.items() if number} == {
        outcome.value: number for outcome in Outcome if (number := sum(one.verdict is outcome for one in stored))
    }
    first, last = board.first.isoformat(), board.last.isoformat()
    within = [one for one in stored if one.due_on is not None and first <= one.due_on <= last]
    assert board.total.judged == sum(one.verdict.value in rates.JUDGED for one in within)
    march = next(month for month in board.months if month.name == "2026-03")
    assert march.share.of("breached") == sum(one.verdict is Outcome.BREACHED and str(one.due_on)[:7] == "2026-03" for one in within)
    done = [one for one in stored if one.verdict in (Outcome.MET, Outcome.LATE) and one.due_on and one.satisfied_on]
    spread = [(dt.date.fromisoformat(one.satisfied_on or "") - dt.date.fromisoformat(one.due_on or "")).days for one in done]
    assert sorted(days.items()) == sorted({day: spread.count(day) for day in spread}.items())
    timing = [rates.timing_of(day) for one, day in zip(done, spread, strict=True) if first <= (one.due_on or "") <= last]
    assert board.timeliness.by == {code: timing.count(code) for code in timing}


def test_pages_of_figures_ask_as_often_for_many_cases_as_for_few(flow: Kit, enter) -> None:
    some_work(flow)
    client = enter("kim", "manager")
    statements: list[str] = []
    hooks.listen(flow.svc.engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement))

    def asked(path: str) -> int:
        counts = []
        for _ in range(4):  # now and then a request also looks what is in force
            statements.clear()
            client.get(path)
            counts.append(len(statements))
        return min(counts)

    paths = ("/", "/statistics", "/verdicts", "/due-soon/month", "/due-soon/teams", "/due-soon/sheet", "/due-soon/calendars")
    few = [asked(path) for path in paths]
    for number in range(20):
        flow.take(*three_visits(f"m{number}"), connected("2026-05-20T09:00", case=f"o{number}"))
    flow.settle()
    statistics.refresh(flow.svc)
    assert [asked(path) for path in paths] == few
    assert max(few) < 30


# --- calendars that people subscribe to --------------------------------------------------------------------------------


def actor_of(flow: Kit, name: str) -> str:
    return next(f"user:{one.id}" for one in users.listed(flow.svc) if one.name == name)


def access_of(flow: Kit, name: str, *, teams: list[str] | None = None, role: str = "reviewer") -> Access:
    made, _ = users.create(flow.svc, name=name, roles=(role,), password=FIRST, teams=teams)
    users.change_password(flow.svc, user_id=made.id, old=FIRST, new="quite another phrase")
    return users.access_of(users.get(flow.svc, made.id))


def read(flow: Kit, token: str) -> icalendar.Calendar:
    text = duefeeds.calendar(flow.svc, token, address_of=lambda case: f"https://duecare.example/cases/{case}").text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    return icalendar.Calendar.from_ical(text)


@BOTH
def test_a_calendar_program_reads_what_falls_due(flow: Kit, enter) -> None:
    some_work(flow)
    client = enter("kim")
    client.get("/due-soon/calendars")
    made = client.post("/due-soon/calendars", {"team": ""}, status=200)
    assert made is not None
    (address,) = re.findall(r"http://localhost(/calendars/\S+\.ics)", made.main)
    answer = client.flask.application.test_client().get(address)
    calendar = icalendar.Calendar.from_ical(answer.data)
    assert not calendar.errors
    entries: list[Any] = calendar.walk("VEVENT")
    assert len(entries) == total(client, "/due-soon?within=92") > 0
    assert len({str(one["UID"]) for one in entries}) == len(entries)
    for one in entries:
        assert not one.errors
        assert not isinstance(one["DTSTART"].dt, dt.datetime)
        assert one["DTEND"].dt - one["DTSTART"].dt == dt.timedelta(days=1)
        assert one["DTSTAMP"].dt.tzinfo is dt.UTC or one["DTSTAMP"].dt.utcoffset() == dt.timedelta(0)
        assert re.fullmatch(r"http://localhost/cases/n[123]", str(one["URL"]))
    snapshot = next(one for one in entries if "snapshot" in one["SUMMARY"].lower())
    assert "case n" in snapshot["SUMMARY"]
    assert "Rule C12" in snapshot["DESCRIPTION"]
    for name in ("w-", "worker", "person"):
        assert name not in answer.text.lower().replace("x-wr", "")


def test_an_entry_keeps_its_identity_when_its_day_moves(flow: Kit) -> None:
    flow.take(connected("2026-05-20T09:00", case="n1"))
    flow.settle()
    _, token = duefeeds.create(flow.svc, access_of(flow, "kim"), team=None)
    before: dict[str, Any] = {str(one["UID"]): one for one in read(flow, token).walk("VEVENT")}
    flow.take(event("clock.paused", "2026-05-29T09:00", {"approved_by": {"id": "m9", "role": "manager"}}, case="n1"))
    flow.clock.advance(days=1)
    flow.settle()
    after: dict[str, Any] = {str(one["UID"]): one for one in read(flow, token).walk("VEVENT")}
    moved = [uid for uid in before if uid in after and before[uid]["DTSTART"].dt != after[uid]["DTSTART"].dt]
    assert moved
    assert all(after[uid]["DTSTAMP"].dt > before[uid]["DTSTAMP"].dt for uid in moved)


def test_a_calendar_shows_what_its_maker_may_see_and_ends_with_their_account(flow: Kit) -> None:
    some_work(flow)
    kim, _ = access_of(flow, "kim", teams=["north"]), access_of(flow, "ada", role="administrator")
    _, token = duefeeds.create(flow.svc, kim, team=None)
    _, north = duefeeds.create(flow.svc, kim, team="north")
    with pytest.raises(Invalid):
        duefeeds.create(flow.svc, kim, team="south")
    cases = {str(one["URL"]).rpartition("/")[2] for one in read(flow, token).walk("VEVENT")}
    assert cases == {"n1", "n3"}
    assert read(flow, north)["X-WR-CALNAME"] == "Due: north"
    users.change(flow.svc, name="kim", teams=["south"])
    assert {str(one["URL"]).rpartition("/")[2] for one in read(flow, token).walk("VEVENT")} == {"n2"}
    assert not read(flow, north).walk("VEVENT")
    users.change(flow.svc, name="kim", disabled=True)
    for one in (token, north):
        with pytest.raises(NotFound):
            read(flow, one)


def test_a_revoked_calendar_answers_like_one_that_never_was(flow: Kit, enter) -> None:
    some_work(flow)
    kim, robin, admin = access_of(flow, "kim"), access_of(flow, "robin"), access_of(flow, "ada", role="administrator")
    feed, token = duefeeds.create(flow.svc, kim, team=None)
    other, _ = duefeeds.create(flow.svc, robin, team=None)
    with flow.svc.reading() as session:
        assert token.partition("-")[2] not in session.get(DueFeedRow, feed.id).hash
    read(flow, token)
    assert duefeeds.listed(flow.svc, kim)[0].last_used == flow.clock.ms
    assert [one.id for one in duefeeds.listed(flow.svc, kim)] == [feed.id]
    assert {one.id for one in duefeeds.listed(flow.svc, admin)} == {feed.id, other.id}
    with pytest.raises(NotFound):
        duefeeds.revoke(flow.svc, robin, feed.id)
    wrong = [token[:-1] + ("0" if token[-1] != "0" else "1"), "", feed.id, f"{feed.id}-{'0' * 64}", token.upper()]
    for one in wrong:
        with pytest.raises(NotFound):
            read(flow, one)
    assert duefeeds.revoke(flow.svc, kim, feed.id).revoked == flow.clock.ms
    assert duefeeds.revoke(flow.svc, kim, feed.id).revoked == flow.clock.ms
    with pytest.raises(NotFound):
        read(flow, token)
    client = enter("sam")
    assert client.flask.get(f"/calendars/{token}.ics").status_code == 404
    assert duefeeds.listed(flow.svc, kim) == []
    for _ in range(duefeeds.MOST_FEEDS):
        duefeeds.create(flow.svc, kim, team=None)
    with pytest.raises(NotPossible):
        duefeeds.create(flow.svc, kim, team=None)


def test_an_empty_calendar_is_a_calendar(flow: Kit) -> None:
    _, token = duefeeds.create(flow.svc, access_of(flow, "kim"), team=None)
    calendar = read(flow, token)
    assert not calendar.walk("VEVENT")
    assert calendar.subcomponents


def test_cases_that_were_put_aside_are_counted_within_limits(flow: Kit, enter) -> None:
    some_work(flow)
    with flow.svc.writing() as session:
        row = {"generation": 1, "since": 1, "attempts": 3, "quarantined": True, "last_error": "it failed"}
        session.add(DirtyRow(case_id="k1", **row))
    assert dict(tiles(enter("kim").get("/")))["/status#held"] == 1
    assert dict(tiles(enter("sam", teams=["nowhere"]).get("/")))["/status#held"] == 0
    flow.take(connected(case="never-judged", team="south"))
    with flow.svc.writing() as session:
        session.get_one(DirtyRow, "never-judged").quarantined = True
    south = enter("lee", teams=["south"])
    assert dict(tiles(south.get("/")))["/status#held"] == 1
    told = south.get("/status").main
    assert "never-judged" in told
    assert "k1" not in told


def test_old_links_and_empty_values_do_no_harm(flow: Kit, enter) -> None:
    client = enter("kim")
    assert urlsplit(client.flask.get("/?condition=open").headers["Location"]).path == "/breaches"
    assert "Nothing has been counted yet" in client.get("/statistics").main
    assert "No verdicts are known" in client.get("/verdicts").main
    assert dataclasses.asdict(rates.Share())["outcomes"] == {}
