"""Closed journeys go when their time has come, from every table, and what was counted stays true."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError

from service import accesslog, legalholds, seals, statistics
from service.access import system
from service.audits import runs as audits
from service.audits.compare import compare
from service.audits.report import digest_of
from service.errors import Forbidden, Invalid, NotFound, NotPossible
from service.retention import certificates, plan, work
from service.retention.rules import load
from service.sources import pull
from service.sources.definitions import Feeds
from store import holds, leftovers, sources
from store.accesslog import Entry
from store.casedata import held_about
from store.ids import case_ref
from store.models import BreachHistoryRow, TombstoneRow
from store.queries import counts as figures
from store.queries import rates
from tests.support import backtests
from tests.support.audits import finished, started
from tests.support.leaving import ME, RULES, WORDS, found_in, journey, removed, settle_breaches, whole_dump
from tests.support.service_kit import event, kit

GOING = ("FAM-OLD", "FAM-TIE", "FAM-ALIAS", "FAM-SF")
PEOPLE = ("CH-OLD", "PA-OLD", "WK-OLD", "CH-SF", "E-FAM-OLD")
SOURCE = """
source: moves
adapter: files
zone: Australia/Adelaide
settings: {{folder: {folder}, names: "moves*.csv", settle: 0, key: [id]}}
mapping:
  mapping: moves
  version: "1"
  source: urn:test:moves
  case: family
  id: {{template: "move-{{id}}"}}
  type: what
  time: at
  data: {{program: {{constant: cfss}}, status: {{constant: held}}}}
"""
OPENING = "FAM-OLD-service.connected-2021-02-01T09:00"
ALIAS = event("event.corrected", "2021-06-01T09:00", {"target": OPENING, "set": {"team": "south"}}, case="FAM-ALIAS")


@pytest.fixture
def house(store_url, tmp_path):
    """Four cases that may go (three of them one journey), and others that may not, each for its own reason."""
    rules = tmp_path / "retention.yaml"
    rules.write_text(RULES)
    with kit(store_url, tmp_path, now="2031-06-02T12:00", retention=rules) as made:
        made.take(*journey("FAM-OLD", "2021-05-10", child="CH-OLD", parent="PA-OLD", worker="WK-OLD"), ALIAS)
        made.take(*journey("FAM-TIE", "2021-05-11", child="CH-OLD"))
        made.take(*journey("FAM-SF", "2021-05-12", child="CH-SF", program="strengthening_families", team="south"))
        made.take(*journey("FAM-OPEN", None, child="CH-OPEN"))
        made.take(*journey("FAM-HOLD", "2021-05-12", child="CH-HOLD"))
        made.take(*journey("FAM-HOLD-TIE", "2021-05-12", child="CH-HOLD"))
        made.take(*journey("FAM-LATE", "2030-05-12", child="CH-LATE"))
        made.take(*journey("FAM-BACK", "2021-05-12", child="CH-BACK"), event("case.reopened", "2031-01-01T09:00", {}, case="FAM-BACK"))
        made.take(*journey("FAM-BREACH", "2021-05-12", child="CH-BR"))
        made.take(*journey("FAM-NONE", "2021-05-12", child="CH-NONE", program="other"))
        made.take(event("case.closed", "2021-05-12T16:00", {}, case="FAM-ALIAS"))
        made.settle()
        assert settle_breaches(made, "FAM-OLD", "FAM-TIE", "FAM-ALIAS", "FAM-SF", "FAM-HOLD", "FAM-HOLD-TIE", "FAM-LATE", "FAM-NONE")
        legalholds.put(made.svc, ME, case="FAM-HOLD", reason="A court has asked for it.")
        old = legalholds.put(made.svc, ME, case="FAM-OLD", reason=WORDS)
        legalholds.lift(made.svc, ME, old.id, reason=WORDS)
        for case in ("FAM-OLD", "FAM-OPEN"):
            accesslog.record(made.svc, Entry(at=made.clock.ms, actor="user:1", via="page", action="case.read", case=case))
        breach = made.breaches("FAM-OLD").popitem()[1]
        accesslog.record(made.svc, Entry(at=made.clock.ms, actor="user:1", via="page", action="breach.read", thing=breach.id))
        yield made


def test_only_journeys_whose_time_has_come_and_that_nothing_keeps_go_and_the_plan_says_so_before(house):
    found = plan.look(house.svc, load(house.svc.settings.retention))
    assert {one.cases: one.mode for one in found.going} == {("FAM-ALIAS", "FAM-OLD", "FAM-TIE"): "purge", ("FAM-SF",): "pseudonymise"}
    assert {one.cases: one.kept for one in found.kept_ones} == {
        ("FAM-BACK",): "open",
        ("FAM-BREACH",): "open_breach",
        ("FAM-HOLD", "FAM-HOLD-TIE"): "hold",
        ("FAM-NONE",): "no_rule",
    }
    assert (found.cases, found.journeys) == (4, 2)
    with house.svc.reading() as session:
        assert held_about(session, "FAM-OLD").parts["event"]
    done = removed(house.svc)
    assert (done.cases, done.journeys, dict(done.kept)) == (4, 2, dict(found.kept))
    with house.svc.reading() as session:
        for case in GOING:
            assert held_about(session, case).empty(), case
        for case in ("FAM-OPEN", "FAM-HOLD", "FAM-HOLD-TIE", "FAM-LATE", "FAM-BACK", "FAM-BREACH", "FAM-NONE"):
            assert held_about(session, case).parts["event"], case
    assert removed(house.svc).cases == 0


def test_after_a_removal_no_table_holds_an_id_a_word_or_a_reference_of_it(house, store_url):
    svc = house.svc
    told = finished(svc, started(svc, sample=50))
    assert "FAM-OLD" in json.dumps(told)
    tried = backtests.finished(svc, backtests.started(svc, backtests.changed(backtests.EARLIER), as_of=svc.now()))
    assert "FAM-OLD" in json.dumps(tried["samples"])
    assert found_in(whole_dump(store_url), *GOING, *PEOPLE).keys() == {*GOING, *PEOPLE}
    seals.seal(svc, rounds=None)
    removed(svc)
    dump = whole_dump(store_url)
    assert found_in(dump, *GOING, *PEOPLE) == {}
    assert found_in(dump, *(case_ref(case) for case in GOING)) == {}
    with svc.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM removal_case")) == 0


def test_words_about_a_removed_case_go_and_those_about_others_stay(house, store_url):
    assert WORDS in whole_dump(store_url)
    settled = [one for one in ("FAM-HOLD", "FAM-HOLD-TIE", "FAM-LATE", "FAM-NONE") if house.breaches(one)]
    removed(house.svc)
    with house.svc.reading() as session:
        left = [line.comment for case in settled for line in _lines(session, case)]
        everything = session.scalars(text("SELECT comment FROM breach_history WHERE comment IS NOT NULL")).all()
    assert sorted(everything) == sorted(comment for comment in left if comment)


def test_statistics_count_the_same_before_and_after(house):
    svc = house.svc
    before = _figures(house)
    assert before["rules"]
    removed(svc)
    after = _figures(house)
    assert after == before


def test_a_report_keeps_its_counts_and_the_certificate_leads_from_its_old_digest_to_the_new_one(house):
    svc = house.svc
    made = started(svc, sample=50)
    before = finished(svc, made)
    with svc.reading() as session:
        old = audits.get(svc, system(), made.id).report_digest
        text_before = leftovers.reports(session, "audit")
    assert text_before == [made.id]
    seals.seal(svc, rounds=None)
    done = removed(svc)
    after = audits.report(svc, system(), made.id)
    new = audits.get(svc, system(), made.id).report_digest
    assert after["tables"] == before["tables"]
    assert after["totals"] == before["totals"]
    lists = ("sample", "ended_before_due", "failures")
    rest = {name: value for name, value in before["results"].items() if name not in lists}
    assert rest == {name: value for name, value in after["results"].items() if name not in lists}
    assert [(one["rule"], one["team"], one["verdict"]) for one in after["results"]["sample"]] == [
        (one["rule"], one["team"], one["verdict"]) for one in before["results"]["sample"]
    ]
    assert certificates.changes_of_report(svc, made.id) == [{"certificate": done.id, "before": old, "after": new}]
    with svc.reading() as session:
        held = session.scalar(text("SELECT report FROM audit"))
    assert digest_of(held) == new
    assert seals.verify(svc).count == 0


def test_the_record_holds_after_a_removal_and_any_other_change_is_still_found(house, store_url):
    svc = house.svc
    seals.seal(svc, rounds=None)
    done = removed(svc)
    seals.seal(svc, rounds=None)
    found = seals.verify(svc)
    assert (found.count, found.certificates) == (0, 1)
    assert found.removed["breach_history"] > 0
    assert found.removed["access_log"] == 2
    assert found.removed["legal_hold"] == 1
    with svc.reading() as session:
        victim = session.scalar(text("SELECT min(id) FROM breach_history"))
        line = session.scalar(text("SELECT min(id) FROM access_log"))
    with svc.writing() as session, pytest.raises(DBAPIError):
        session.execute(delete(BreachHistoryRow).where(BreachHistoryRow.id == victim))
    with svc.writing() as session, pytest.raises(DBAPIError):
        session.execute(text("UPDATE access_log SET actor = 'nobody'"))
    with svc.writing() as session, pytest.raises(DBAPIError):
        session.execute(text("UPDATE removal SET cases = 1"))
    with svc.writing() as session, pytest.raises(DBAPIError):
        session.execute(text("DELETE FROM removal_line"))
    _behind_its_back(store_url, f"DELETE FROM breach_history WHERE id = {victim}", f"UPDATE access_log SET actor = 'x' WHERE id = {line}")
    flaws = {(flaw.what, flaw.kind, flaw.line) for flaw in seals.verify(svc).flaws}
    assert {("missing", "breach_history", str(victim)), ("changed", "access_log", str(line))} <= flaws
    assert {kind for _, kind, _ in flaws} == {"breach_history", "access_log"}
    assert done.lines > 0


def test_a_certificate_that_somebody_makes_up_or_changes_excuses_nothing(house, store_url):
    svc = house.svc
    seals.seal(svc, rounds=None)
    removed(svc)
    _behind_its_back(store_url, "UPDATE removal SET cases = cases + 1")
    found = seals.verify(svc)
    assert ("changed", "removal", "000001") in {(flaw.what, flaw.kind, flaw.line) for flaw in found.flaws}
    assert any(flaw.what == "missing" and flaw.kind == "breach_history" for flaw in found.flaws)


def test_a_legal_hold_wins_whenever_it_is_set_and_lifting_it_lets_the_journey_go(house):
    svc = house.svc
    legalholds.put(svc, ME, case="FAM-TIE", reason="An inquiry.")
    begun = work.start(svc, ME)
    assert work.work(svc, begun.id).removal.cases == 1
    (hold,) = legalholds.of_case(svc, "FAM-TIE")
    legalholds.lift(svc, ME, hold.id, reason="The inquiry is over.")
    with pytest.raises(NotPossible):
        legalholds.lift(svc, ME, hold.id, reason="Again.")
    assert removed(svc).cases == 3
    with pytest.raises(NotFound):
        legalholds.put(svc, ME, case="FAM-OLD", reason="Too late.")
    with pytest.raises(Invalid):
        legalholds.put(svc, ME, case="FAM-OPEN", reason="  ")
    limited = replace(ME, teams=frozenset({"north"}))
    for asked in (
        lambda: legalholds.put(svc, limited, case="FAM-OPEN", reason="x"),
        lambda: legalholds.listed(svc, limited),
        lambda: work.start(svc, limited),
        lambda: certificates.listed(svc, limited),
    ):
        with pytest.raises(Forbidden):
            asked()


def test_what_comes_later_is_refused_or_new_and_never_brings_back_what_was_removed(house, store_url):
    svc = house.svc
    removed(svc)
    again = house.take(*journey("FAM-OLD", "2021-05-10", child="CH-OLD"))
    assert {(one.status.value, one.problems[0].code) for one in again.results} == {("rejected", "removed")}
    strays = house.take(
        event("event.voided", "2031-06-01T09:00", {"target": "FAM-OLD-case.closed-2021-05-10T16:00"}, case="FAM-OLD"),
        event("closure_summary.completed", "2031-06-01T09:00", {"covers": ["outcomes"]}, case="FAM-OLD"),
        event("case.closed", "2031-06-01T10:00", {"closure_reason": "moved"}, case="FAM-OLD"),
    )
    assert [one.status.value for one in strays.results] == ["rejected"] * 3
    assert found_in(whole_dump(store_url), "FAM-OLD") == {}
    new = house.take(
        event("service.connected", "2031-06-01T11:00", {"program": "cfss", "team": "north"}, case="FAM-OLD"),
        event("visit.held", "2021-02-08T10:00", {"status": "held"}, case="FAM-OLD", event_id="late-visit"),
        event("event.voided", "2031-06-01T13:00", {"target": "FAM-OLD-service.connected-2031-06-01T11:00"}, case="FAM-OLD"),
        event("visit.held", "2031-06-01T12:00", {"status": "held"}, case="FAM-OPEN"),
    )
    assert [one.status.value for one in new.results] == ["accepted", "rejected", "accepted", "accepted"]
    house.settle()
    with svc.reading() as session:
        held = {one["type"] for one in held_about(session, "FAM-OLD").parts["event"]}
        assert held == {"service.connected", "event.voided"}
        assert session.query(TombstoneRow).count() == 4


def test_a_source_that_is_read_again_brings_nothing_back(house, store_url, tmp_path):
    svc = house.svc
    folder = tmp_path / "drop"
    folder.mkdir()
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "moves.yaml").write_text(SOURCE.format(folder=folder))
    rows = ["id,family,what,at", "REC-1,FAM-CSV,service.connected,2021-02-01 09:00", "REC-2,FAM-CSV,case.closed,2021-05-01 09:00"]
    (folder / "moves.csv").write_text("\n".join([*rows, "REC-3,FAM-CSV,visit.held,no day"]) + "\n")
    svc.feeds = Feeds(tmp_path / "sources", lambda: svc.in_force.known().all_types)
    pulled = pull.pull(svc, svc.feeds.get("moves"))
    assert (pulled.counts["accepted"], pulled.counts["refused"]) == (2, 1)
    house.settle()
    settle_breaches(house, "FAM-CSV")
    kept = {one.cases: one.kept for one in plan.look(svc, load(svc.settings.retention)).kept_ones}
    assert kept["FAM-CSV",] == "refused"
    (folder / "moves.csv").write_text("\n".join([*rows, "REC-3,FAM-CSV,visit.held,2021-03-01 09:00"]) + "\n")
    assert pull.pull(svc, svc.feeds.get("moves")).counts["accepted"] == 1
    house.settle()
    settle_breaches(house, "FAM-CSV")
    kept = {one.cases: one.kept for one in plan.look(svc, load(svc.settings.retention)).kept_ones}
    assert ("FAM-CSV",) not in kept, kept["FAM-CSV",]
    assert removed(svc).cases == 5
    assert found_in(whole_dump(store_url), "FAM-CSV", "REC-") == {}
    (folder / "moves.csv").write_text(
        "\n".join([*rows, "REC-3,FAM-CSV,visit.held,2021-03-01 09:30", "REC-4,FAM-CSV,visit.held,never"]) + "\n"
    )
    pull.forget(svc, svc.feeds.get("moves"))
    again = pull.pull(svc, svc.feeds.get("moves"))
    assert again.counts["removed"] == 3
    house.settle()
    assert found_in(whole_dump(store_url), "FAM-CSV", "REC-") == {}


def test_lines_of_the_access_log_go_by_their_age_and_the_rest_is_still_proven(house, store_url):
    svc = house.svc
    rules = svc.settings.retention
    rules.write_text("rules: [{program: cfss, years: 100}]\naccess_log: {years: 2}\naudit_details: {years: 2}\n")
    made = started(svc)
    finished(svc, made)
    seals.seal(svc, rounds=None)
    house.clock.set("2034-06-02T12:00")
    accesslog.record(svc, Entry(at=house.clock.ms, actor="user:2", via="page", action="case.read", case="FAM-OPEN"))
    with svc.reading() as session:
        old = session.scalar(text("SELECT count(*) FROM access_log")) - 1
    assert plan.look(svc, load(rules)).log_lines == old > 0
    done = removed(svc)
    assert done.counts["access_log"] == {"removed": old, "changed": 0}
    assert done.counts["audit_prints"]["removed"] > 0
    with svc.reading() as session:
        assert session.scalars(text("SELECT actor FROM access_log")).all() == ["user:2"]
    assert seals.verify(svc).count == 0
    with pytest.raises(NotPossible, match="case by case"):
        compare(svc, system(), made.id, made.id)


def test_refused_records_of_unknown_cases_go_by_their_age_and_hold_their_source_back_no_longer(house):
    svc = house.svc
    rules = svc.settings.retention
    rules.write_text("rules: [{program: cfss, years: 100}]\nrefused_records: {years: 2}\n")
    then = house.clock.ms
    with svc.writing() as session:
        for ref, holds_from in (("nobody's", then), ("set aside", None), ("somebody's", None)):
            sources.refuse(session, "urn:test:moves", [sources.Refused(("row", ref), [], {"id": ref}, holds_from)], then)
        holds.hold_back(session, "urn:test:moves", {("row", "somebody's"): holds.Held(frozenset({"FAM-OPEN"}), then)}, then)
    house.clock.set("2033-06-01T12:00")
    with svc.writing() as session:
        sources.refuse(session, "urn:test:moves", [sources.Refused(("row", "younger"), [], None, then + 1)], house.clock.ms)
    assert plan.look(svc, load(rules)).refused == 0
    house.clock.set("2033-06-03T12:00")
    assert plan.look(svc, load(rules)).refused == 2
    assert removed(svc).counts["reject"] == {"removed": 2, "changed": 0}
    with svc.reading() as session:
        assert {row.ref for row in sources.open_rejects(session, "urn:test:moves")} == {"somebody's", "younger"}
        assert sources.held_back_to(session, "urn:test:moves") == then + 1


def test_nothing_is_removed_beside_an_audit_and_goes_on_after_it(house):
    svc = house.svc
    made = started(svc)
    begun = work.start(svc, ME)
    assert work.work(svc, begun.id).waits == "audit"
    finished(svc, made)
    assert work.start(svc, ME).id == begun.id
    assert removed(svc).cases == 4


def test_what_comes_back_after_the_secret_key_was_lost_is_removed_anew_when_that_is_said(house, store_url):
    svc = house.svc
    removed(svc)
    assert svc.settings.secret
    svc.settings.__dict__["secret"] = b"another-key-that-is-long-enough-too"
    back = house.take(*journey("FAM-OLD", "2021-05-10", child="CH-OLD"))
    assert {one.status.value for one in back.results} == {"accepted"}, "nobody can tell that it was removed"
    house.settle()
    assert settle_breaches(house, "FAM-OLD")
    with pytest.raises(NotPossible, match="--former-key-lost"):
        work.start(svc, ME)
    done = work.work(svc, work.start(svc, ME, key_lost=True).id).removal
    assert (done.id, done.state, done.cases) == ("000002", "done", 1)
    assert found_in(whole_dump(store_url), "FAM-OLD") == {}
    again = house.take(*journey("FAM-OLD", "2021-05-10", child="CH-OLD"))
    assert {(one.status.value, one.problems[0].code) for one in again.results} == {("rejected", "removed")}
    told = {(flaw.what, flaw.kind, flaw.line) for flaw in seals.verify(svc).flaws if flaw.kind == "removal"}
    assert told == {("changed", "removal", "000001")}, "of the former certificate alone"


def test_without_rules_or_with_another_key_nothing_is_removed(house, tmp_path):
    svc = house.svc
    removed(svc)
    assert svc.settings.secret
    svc.settings.__dict__["secret"] = b"another-key-that-is-long-enough-too"
    with pytest.raises(NotPossible, match="secret key"):
        work.start(svc, ME)
    svc.settings.__dict__.pop("secret")
    house.svc.settings = svc.settings.model_copy(update={"retention": None})
    with pytest.raises(NotPossible, match="DUECARE_RETENTION"):
        work.start(svc, ME)


def _figures(made):
    svc = made.svc
    with svc.reading() as session:
        groups = {by: figures.tallies(session, by=by.split()) for by in ("policy rule", "team", "office", "month", "severity", "status")}
        facets = figures.all_breaches(session)
        days = rates.days_from_due(session)
    statistics.refresh(svc)
    with svc.reading() as session:
        kept = rates.counted(session, by=("policy", "rule", "team", "span", "verdict", "cause", "timing"))
    by = {name: counts for name, counts in facets.by.items() if name != "worker"}
    return {"rules": groups, "breaches": (facets.total, by), "days": days, "kept": sorted(kept, key=str)}


def _lines(session, case):
    from store.breaches import breaches_of_case, history_of

    return [one.line for breach in breaches_of_case(session, case).values() for one in history_of(session, breach.id)]


def _behind_its_back(url, *statements):
    """As somebody would who owns the database: without its triggers."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as held:
            for name, table in held.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                if table != "seal":
                    held.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                held.execute(statement)
            held.commit()
        return
    with psycopg.connect(url) as held:
        held.execute("SET session_replication_role = replica")
        for statement in statements:
            held.execute(statement)
