"""Changes of policies, on both databases: two people, what is in force when, and that nothing is judged by what was replaced."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event as sqlevent
from sqlalchemy import select, update
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError, OperationalError

from rules.policy import load_policy, package_of, shipped
from service import evaluate, findings
from service.access import ROLES, Access
from service.backtests.runs import passed
from service.errors import Forbidden, Invalid, NotFound, NotPossible, StaleVersion
from service.judge import stored
from service.policies import book as policybook
from service.policies import changes as policychanges
from service.policies import decisions as policydecisions
from service.policies.policyset import PolicySet, of_policies
from service.policies.register import register
from store import queue
from store.backtests import add
from store.models import BacktestRow, DirtyRow, PolicyChangeRow, PolicyVersionRow
from tests.support.service_kit import Kit, connected, instant, kit, three_visits

TODAY = dt.date(2026, 6, 1)
TEXTS = package_of(load_policy(shipped()["cfss"])).files


def person(name: str, *roles: str) -> Access:
    return Access(f"user:{name}", name, frozenset[str]().union(*(ROLES[role] for role in roles)), frozenset(roles))


OWNER, OTHER = person("ann", "policy_owner"), person("bea", "policy_owner")
MANAGER, ADMIN, VIEWER = person("mo", "manager"), person("root", "administrator"), person("vi", "viewer")


@pytest.fixture
def flow(store_url, tmp_path):
    with kit(store_url, tmp_path) as made:
        register(made.svc)
        yield made


@pytest.fixture
def light(sqlite_url, tmp_path):
    """Where the database makes no difference."""
    with kit(sqlite_url, tmp_path) as made:
        register(made.svc)
        yield made


def proposed(flow: Kit, values=None, *, by=OWNER, on=TODAY, applies=True, policy="cfss"):
    return policychanges.propose_parameters(
        flow.svc, by, policy, values or {"household_days": 10}, effective=on, applies_to_open=applies, reason="Agreed on 28 May"
    )


def activated(flow: Kit, *args, **more):
    made = proposed(flow, *args, **more)
    flow.clock.advance(seconds=1)
    return policychanges.approve(flow.svc, MANAGER, made.id, version=made.row_version)


def text(**changes: tuple[str, str]) -> dict[str, str]:
    """The shipped package with replacements in its policy's text."""
    found = TEXTS["cfss.yaml"]
    for old, new in changes.values():
        assert old in found
        found = found.replace(old, new, 1)
    return {**TEXTS, "cfss.yaml": found}


def version_of(flow: Kit, files, *, by=OWNER, on=TODAY, applies=False, **more):
    return policychanges.propose_version(
        flow.svc, by, files, "cfss.yaml", effective=on, applies_to_open=applies, reason="A better text", **more
    )


RETITLED = {"a": ('version: "1"', 'version: "2"')}


# ------------------------------------------------------------------------------------------------------------------------ two people
def test_two_people_put_a_parameter_in_force_and_the_cases_are_judged_by_it(flow):
    flow.take(*three_visits())
    flow.settle()
    assert flow.verdict("C04") == "not_applicable: parameter_unset"
    made = proposed(flow)
    assert (made.state, made.kind, made.values, made.proposed_name) == ("proposed", "parameters", {"household_days": 10}, "ann")
    assert flow.settle() == 0
    assert flow.verdict("C04") == "not_applicable: parameter_unset"
    flow.clock.advance(seconds=1)
    done = policychanges.approve(flow.svc, MANAGER, made.id, version=1, comment="Good")
    assert (done.state, done.decided_name, done.comment, done.row_version) == ("active", "mo", "Good", 2)
    assert flow.settle() == 1
    assert flow.verdict("C04") == "breached"
    with flow.svc.reading() as session:
        line = stored(flow.svc, session, "k1", as_of=flow.clock.ms, known_at=flow.clock.ms).judge()
    assert {v.policy_digest for v in line.verdicts if v.policy == "cfss"} == {done.digest}


@pytest.mark.parametrize("roles", [("policy_owner",), ("manager",), ("administrator",), ("administrator", "manager", "policy_owner")])
def test_nobody_approves_or_rejects_a_change_of_their_own(light, roles):
    me = person("me", *roles)
    made = proposed(light, by=me)
    for step in (policychanges.approve, policychanges.reject):
        with pytest.raises(Forbidden, match="own"):
            step(light.svc, me, made.id, version=1)
    assert policychanges.change(light.svc, made.id).state == "proposed"
    assert policychanges.withdraw(light.svc, me, made.id, version=1).state == "withdrawn"


@pytest.mark.parametrize("decider", [OTHER, MANAGER, ADMIN])
def test_owners_managers_and_administrators_decide(light, decider):
    assert policychanges.approve(light.svc, decider, proposed(light).id, version=1).decided_by == decider.actor
    assert policychanges.reject(light.svc, decider, proposed(light, {"household_days": 11}).id, version=1).state == "rejected"


def test_whoever_lacks_the_scope_or_the_role_neither_proposes_nor_decides(light):
    with pytest.raises(Forbidden):
        proposed(light, by=VIEWER)
    with pytest.raises(Forbidden):
        version_of(light, TEXTS, by=VIEWER)
    made = proposed(light)
    scope_only = Access("key:k", "k", frozenset({"policies:write"}))
    for access in (VIEWER, scope_only, replace(MANAGER, must_change=True)):
        for step in (policychanges.approve, policychanges.reject):
            with pytest.raises(Forbidden):
                step(light.svc, access, made.id, version=1)
    with pytest.raises(Forbidden):
        policychanges.withdraw(light.svc, MANAGER, made.id, version=1)


def test_the_database_itself_refuses_one_person_as_two(flow):
    made = proposed(flow)
    with pytest.raises(IntegrityError), flow.svc.writing() as session:
        session.execute(
            update(PolicyChangeRow).where(PolicyChangeRow.id == made.id).values(state="active", decided_by=OWNER.actor, decided_at=1)
        )


def test_a_change_that_was_decided_or_changed_meanwhile_is_not_decided_again(flow):
    made = proposed(flow)
    with pytest.raises(StaleVersion):
        policychanges.approve(flow.svc, MANAGER, made.id, version=7)
    policychanges.approve(flow.svc, MANAGER, made.id, version=1)
    with pytest.raises(StaleVersion) as caught:
        policychanges.reject(flow.svc, ADMIN, made.id, version=1)
    assert caught.value.current == 2
    with pytest.raises(NotPossible, match="active already"):
        policychanges.reject(flow.svc, ADMIN, made.id, version=2)
    with pytest.raises(NotFound):
        policychanges.approve(flow.svc, MANAGER, "nothing", version=1)


# ------------------------------------------------------------------------------------------------------------------------- proposing
def test_what_cannot_be_proposed_is_told_at_once(light):
    def flaws(**more):
        asked: dict[str, Any] = {"values": {"household_days": 10}, "effective": TODAY, "applies_to_open": True, "reason": "x"} | more
        with pytest.raises(Invalid) as caught:
            policychanges.propose_parameters(light.svc, OWNER, "cfss", **asked)
        return {(flaw.field, flaw.code) for flaw in caught.value.flaws}

    assert flaws(effective=dt.date(2026, 5, 31), reason=" ") == {("effective", "past"), ("reason", "wrong_length")}
    assert flaws(reason="x" * 5_000) == {("reason", "wrong_length")}
    assert flaws(values={"household": 1}) == flaws(values={"household_days": -1}) == {("values", "wrong_value")}
    assert flaws(values={"household_days": None}) == flaws(values={}) == {("values", "nothing_changes")}
    with pytest.raises(NotFound):
        proposed(light, policy="nothing")
    proposed(light)
    with pytest.raises(NotPossible, match="already"):
        proposed(light, by=OTHER)
    assert proposed(light, on=dt.date(2026, 6, 2)).state == "proposed"


def test_a_day_is_one_of_the_policys_zone(light):
    light.clock.set("2026-06-01T23:45")  # in Darwin it is 23:45 too late by half an hour: 23:15
    assert proposed(light, on=TODAY).effective == TODAY
    light.clock.set("2026-06-02T00:15")  # Adelaide's second of June
    with pytest.raises(Invalid):
        proposed(light, {"household_days": 11}, on=TODAY)


def test_a_text_is_refused_with_all_its_faults_and_their_places(light):
    broken = text(a=("zone: Australia/Adelaide", "zone: Australia/Adelade"), b=('version: "1"', 'version: "1"\nnonsense: 1'))
    with pytest.raises(Invalid) as caught:
        version_of(light, broken)
    assert len(caught.value.flaws) >= 2
    assert all(flaw.field.startswith("cfss.yaml:") and flaw.field.count(":") == 2 for flaw in caught.value.flaws)
    with pytest.raises(Invalid) as caught:
        version_of(light, {"cfss.yaml": ":"})
    assert caught.value.flaws
    with pytest.raises(Invalid, match="not record_quality"):
        version_of(light, text(**RETITLED), policy="record_quality")
    with pytest.raises(Invalid, match="holds already"):
        version_of(light, TEXTS)


def test_a_text_alone_takes_the_rest_of_its_package_from_the_version_in_force(light):
    alone = {"cfss.yaml": text(**RETITLED)["cfss.yaml"]}
    made = version_of(light, alone)
    kept = policybook.version(light.svc, made.digest).package
    assert kept is not None
    assert set(kept.files) == set(TEXTS)


def test_a_new_text_keeps_the_values_that_people_have_set(light):
    activated(light)
    made = version_of(light, text(**RETITLED), values={"plan_update_days": 3})
    values = policychanges.candidate(light.svc, made.id).values
    assert (values["household_days"], values["plan_update_days"], made.values) == (10, 3, {"plan_update_days": 3})


def test_no_version_takes_effect_before_one_that_is_approved(light):
    activated(light, on=dt.date(2026, 7, 1))
    with pytest.raises(Invalid, match="2026-07-01"):
        proposed(light, {"plan_update_days": 3}, on=dt.date(2026, 6, 30))
    same_day = activated(light, {"plan_update_days": 3}, on=dt.date(2026, 7, 1))
    line = [policy for policy in light.svc.policies.policies if policy.id == "cfss"]
    assert [policy.digest for policy in line][1:] == [same_day.digest]
    assert line[-1].values["household_days"] == 10


# -------------------------------------------------------------------------------------------------------------------------- deciding
def test_changes_that_wait_take_over_the_values_that_come_into_force(light):
    first, second = proposed(light), proposed(light, {"plan_update_days": 3}, by=OTHER)
    other_text = version_of(light, text(**RETITLED))
    policychanges.approve(light.svc, MANAGER, first.id, version=1)
    with pytest.raises(StaleVersion):
        policychanges.approve(light.svc, MANAGER, second.id, version=1)
    for waiting, wanted in ((second, 3), (other_text, None)):
        again = policychanges.change(light.svc, waiting.id)
        values = policychanges.candidate(light.svc, waiting.id).values
        assert (again.row_version, values["household_days"], values["plan_update_days"]) == (2, 10, wanted)
        assert again.digest != waiting.digest
    assert policychanges.approve(light.svc, MANAGER, second.id, version=2).state == "active"
    assert light.svc.policies.get("cfss").values["household_days"] == 10


def test_a_change_of_a_text_that_was_replaced_is_to_be_proposed_anew(light):
    waits = proposed(light)
    made = version_of(light, text(**RETITLED))
    policychanges.approve(light.svc, MANAGER, made.id, version=1)
    with pytest.raises(NotPossible, match="anew"):
        policychanges.approve(light.svc, MANAGER, waits.id, version=1)


def test_a_change_whose_day_has_passed_is_to_be_proposed_anew(light):
    made = proposed(light)
    light.clock.advance(days=1)
    with pytest.raises(NotPossible, match="2026-06-01"):
        policychanges.approve(light.svc, MANAGER, made.id, version=1)


def backtested(flow: Kit, digest: str, state: str = "done") -> None:
    from store.backtests import Backtest

    made = Backtest(
        id=f"b-{digest[:8]}-{state}", policy="cfss", candidate=digest, base=(), as_of=1, known_at=1, position=0, heartbeat=0, since=None,
        created=1, created_by="user:x", created_name="x",
    )  # fmt: skip
    with flow.svc.writing() as session:
        add(session, made, size=10)
        session.execute(
            update(BacktestRow).where(BacktestRow.id == made.id).values(state=state, finished=2, report="{}" if state == "done" else None)
        )


def test_no_rule_begins_to_accuse_that_was_not_tried_on_the_stored_cases(light):
    retired = text(a=("    severity: high\n", "    severity: high\n    status: retired\n"))
    made = version_of(light, retired)
    policychanges.approve(light.svc, MANAGER, made.id, version=1)
    again = version_of(light, text(**RETITLED), on=dt.date(2026, 6, 2))
    with pytest.raises(NotPossible, match="run a backtest"):
        policychanges.approve(light.svc, MANAGER, again.id, version=1)
    backtested(light, made.digest)
    backtested(light, again.digest, "failed")
    with pytest.raises(NotPossible, match="run a backtest"):
        policychanges.approve(light.svc, MANAGER, again.id, version=1)
    backtested(light, again.digest)
    with light.svc.reading() as session:
        run = passed(session, again.digest)
    done = policychanges.approve(light.svc, MANAGER, again.id, version=1)
    assert done.backtest == run == f"b-{again.digest[:8]}-done"


# --------------------------------------------------------------------------------------------------------- what is known since when
def judged(flow: Kit, as_of: str, known_at: str, case: str = "k1") -> str:
    with flow.svc.reading() as session:
        found = stored(flow.svc, session, case, as_of=instant(as_of), known_at=instant(known_at)).judge()
    return json.dumps([v.as_dict() for v in found.verdicts])


def test_as_known_before_an_activation_the_versions_of_then_judge(flow):
    flow.take(*three_visits())
    flow.settle()
    before = judged(flow, "2026-06-01T11:00", "2026-06-01T11:00")
    later = judged(flow, "2026-06-20T11:00", "2026-06-01T11:00")
    flow.clock.set("2026-06-10T09:00")
    done = activated(flow, on=dt.date(2026, 6, 10))
    flow.clock.set("2026-06-20T12:00")
    flow.settle()
    assert judged(flow, "2026-06-01T11:00", "2026-06-01T11:00") == before
    assert judged(flow, "2026-06-20T11:00", "2026-06-01T11:00") == later, "the activation was not known then"
    assert done.digest not in judged(flow, "2026-06-20T11:00", "2026-06-10T08:59")
    assert done.digest in judged(flow, "2026-06-20T11:00", "2026-06-10T09:01")
    assert done.digest not in judged(flow, "2026-06-09T11:00", "2026-06-20T11:00"), "its day had not come"
    flow.restart()
    assert judged(flow, "2026-06-20T11:00", "2026-06-01T11:00") == later


def test_a_version_loaded_from_the_store_alone_gives_the_same_bytes(flow):
    flow.take(*three_visits())
    flow.settle()
    activated(flow, applies=False)
    flow.take(connected("2026-06-01T10:00", case="k2"))
    flow.settle()
    wanted = [judged(flow, "2026-06-01T12:00", "2026-06-01T12:00", case) for case in ("k1", "k2")]
    digests = [policy.digest for policy in flow.svc.policies.policies]
    retired = text(a=("    severity: high\n", "    severity: high\n    status: retired\n"))
    other = [policy for policy in flow.svc.installed.policies if policy.id != "cfss"]
    from rules.policy import load_package

    flow.restart(of_policies([*other, load_package(retired, "cfss.yaml")]))
    assert set(flow.svc.versions) & set(digests) == {policy.digest for policy in other}, "the rest comes from the store"
    assert [judged(flow, "2026-06-01T12:00", "2026-06-01T12:00", case) for case in ("k1", "k2")] == wanted
    assert [policy.digest for policy in flow.svc.policies.policies] == digests


def test_a_version_that_was_altered_in_the_store_is_not_judged_by(light):
    made = proposed(light)
    with light.svc.writing() as session:
        row = session.get(PolicyVersionRow, made.digest)
        row.text = {**row.text, "values": {**row.text["values"], "household_days": 11}}
    light.restart()
    with pytest.raises(NotPossible, match="altered"):
        policybook.version(light.svc, made.digest)
    with light.svc.writing() as session:
        session.get(PolicyVersionRow, made.digest).text = {"file": "cfss.yaml", "yaml": "..."}
    with pytest.raises(NotPossible, match="earlier release"):
        policybook.version(light.svc, made.digest)
    with pytest.raises(NotFound):
        policybook.version(light.svc, "f" * 64)


# ---------------------------------------------------------------------------------------------------------------------- installation
def changed_file(flow: Kit, **changes: tuple[str, str]) -> PolicySet:
    from rules.policy import load_package

    others = [policy for policy in flow.svc.installed.policies if policy.id != "cfss"]
    return of_policies([load_package(text(**changes), "cfss.yaml"), *others])


def test_a_changed_file_is_a_proposal_that_one_person_approves(flow):
    flow.take(*three_visits())
    flow.settle()
    activated(flow)
    flow.settle()
    verdicts = judged(flow, "2026-06-01T12:00", "2026-06-01T12:01")
    flow.restart(changed_file(flow, **RETITLED))
    assert flow.settle() == 0
    assert judged(flow, "2026-06-01T12:00", "2026-06-01T12:01") == verdicts
    (waits,) = policychanges.changes(flow.svc, policy="cfss", state="proposed")
    assert (waits.proposed_by, waits.effective, waits.kind, waits.version) == ("installation", TODAY, "installed", "2")
    assert policychanges.candidate(flow.svc, waits.id).values["household_days"] == 10, "what people have set is carried over"
    flow.clock.advance(days=3)
    done = policychanges.approve(flow.svc, MANAGER, waits.id, version=waits.row_version)
    assert done.effective == dt.date(2026, 6, 4), "its day has passed: it takes effect on the day of the approval"
    flow.settle()
    flow.restart(changed_file(flow, **RETITLED))
    register(flow.svc)
    assert policychanges.changes(flow.svc, state="proposed") == []
    assert flow.svc.policies.get("cfss").version == "2"


def test_a_file_that_was_rejected_is_not_proposed_again_and_one_that_changes_once_more_is(light):
    light.restart(changed_file(light, **RETITLED))
    register(light.svc)
    (waits,) = policychanges.changes(light.svc, state="proposed")
    policychanges.reject(light.svc, OWNER, waits.id, version=1)
    light.restart(light.svc.installed)
    register(light.svc)
    assert policychanges.changes(light.svc, state="proposed") == []
    light.restart(changed_file(light, a=('version: "1"', 'version: "3"')))
    register(light.svc)
    assert [one.version for one in policychanges.changes(light.svc, state="proposed")] == ["3"]


def test_programs_that_start_at_once_install_and_propose_once(store_url, tmp_path):
    from tests.support.stores import at_once

    with kit(store_url, tmp_path) as made:
        at_once([lambda: register(made.svc) for _ in range(4)])
        assert len(policychanges.changes(made.svc)) == 3
        made.restart(changed_file(made, **RETITLED))
        at_once([lambda: register(made.svc) for _ in range(4)])
        assert len(policychanges.changes(made.svc, state="proposed")) == 1


def test_what_an_earlier_release_kept_of_a_policy_is_completed(store_url, tmp_path):
    with kit(store_url, tmp_path) as made:
        with made.svc.writing() as session:
            for policy in made.svc.installed.policies:
                part = {"file": f"{policy.id}.yaml", "yaml": "...", "parameters": {}}
                session.add(
                    PolicyVersionRow(digest=policy.digest, policy=policy.id, version="1", effective="2020-01-01", text=part, first_used=5)
                )
        made.take(*three_visits())
        evaluate.drain(made.svc)
        assert register(made.svc) is False, "the same versions judge as before"
        made.restart(made.svc.installed.only([]))
        assert {policy.id for policy in made.svc.policies.policies} == {"cfss", "strengthening_families", "record_quality"}
        with made.svc.reading() as session:
            assert {row.first_used for row in session.scalars(select(PolicyVersionRow))} == {5}


def test_what_serves_requests_lives_through_a_store_that_is_away(light, monkeypatch):
    def away(**_more):
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(light.svc.in_force, "refresh", away)
    light.svc.keep_up()
    with pytest.raises(OperationalError):
        light.svc.refresh()


# ----------------------------------------------------------------------------------------------------------------- while others judge
def test_a_worker_that_judged_by_the_old_versions_leaves_its_case_waiting(flow, monkeypatch):
    """What comes into force between a worker's look and its writing."""
    flow.take(*three_visits())
    flow.sweeper.sweep()
    original, done = findings.judge, []

    def judge(policies, known, **more):
        found = original(policies, known, **more)
        if not done:
            done.append(activated(flow))
        return found

    monkeypatch.setattr(evaluate, "judge", judge)
    assert evaluate.drain(flow.svc) >= 1
    assert len(done) == 1
    with flow.svc.reading() as session:
        row = session.get(DirtyRow, "k1")
    if row is not None:
        assert flow.verdict("C04") == "not_applicable: parameter_unset"
        assert evaluate.drain(flow.svc) == 1
    assert flow.verdict("C04") == "breached"
    assert evaluate.drain(flow.svc) == 0


def test_another_process_judges_by_what_has_come_into_force_since_its_last_look(flow):
    flow.take(*three_visits())
    flow.settle()
    other = Kit(flow.svc, flow.clock)
    other.restart_beside()
    try:
        assert other.svc.policies.digest == flow.svc.policies.digest
        activated(flow)
        assert other.svc.policies.digest != flow.svc.policies.digest, "it has not looked since"
        assert evaluate.drain(other.svc) == 1
        assert other.svc.policies.digest == flow.svc.policies.digest
        assert flow.verdict("C04") == "breached"
    finally:
        other.svc.close()


def test_to_look_costs_two_small_queries_and_loads_nothing(flow):
    flow.svc.refresh()
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    sqlevent.listen(flow.svc.engine, "before_cursor_execute", note)
    assert flow.svc.refresh() is False
    selects = [statement for statement in asked if statement.lstrip().upper().startswith("SELECT")]
    assert len(selects) <= 2
    assert not any("policy_version" in statement for statement in asked)
    asked.clear()
    assert flow.svc.refresh(patience=60.0) is False
    assert asked == []


# --------------------------------------------------------------------------------------------------------------- history and questions
def test_the_history_tells_what_was_in_force_since_when_and_by_whom(light):
    first = activated(light, on=dt.date(2026, 6, 10))
    second = activated(light, {"household_days": 12}, on=dt.date(2026, 6, 20))
    third = activated(light, {"household_days": 14}, on=dt.date(2026, 6, 20))
    light.clock.set("2026-06-15T12:00")
    told = policychanges.history_of(light.svc, "cfss")
    assert [(one.change.id, one.state, one.until) for one in told][:3] == [
        (third.id, "upcoming", None),
        (second.id, "replaced", None),
        (first.id, "in_force", dt.date(2026, 6, 20)),
    ]
    assert (told[3].state, told[3].change.decided_by, told[3].before) == ("past", "installation", None)
    assert told[2].change.proposed_name == "ann"
    assert told[2].change.decided_name == "mo"
    assert told[2].before == told[3].digest
    assert policychanges.history_of(light.svc, "nothing") == []


def test_open_questions_tell_how_many_cases_wait_within_the_readers_limits(light):
    light.take(*three_visits(), connected(case="k2", team="south"), connected(case="k3", team="south"))
    light.settle()

    def waiting(access):
        return {one.parameter: one.waiting_cases for one in policychanges.questions(light.svc, access) if one.policy == "cfss"}

    assert waiting(OWNER)["household_days"] == 3
    assert waiting(replace(OWNER, teams=frozenset({"north"})))["household_days"] == 1
    assert waiting(replace(OWNER, offices=frozenset()))["household_days"] == 0
    (one,) = (q for q in policychanges.questions(light.svc, OWNER) if q.parameter == "household_days")
    assert (one.rules, one.unit) == (("C04",), "days")
    activated(light)
    light.settle()
    assert "household_days" not in waiting(OWNER)
    with pytest.raises(Forbidden):
        policychanges.questions(light.svc, Access("key:1", "k"))


def test_a_case_that_arrives_while_a_version_comes_into_force_is_judged_by_it(pg_db, tmp_path, monkeypatch):
    """The activation has marked the cases that it sees and is not committed yet; a case that it cannot see is claimed meanwhile."""
    with kit(pg_db, tmp_path) as made, ThreadPoolExecutor(2) as pool:
        register(made.svc)
        marked, go_on, original = threading.Event(), threading.Event(), queue.mark_every_case

        def mark(session, now):
            cases = original(session, now)
            marked.set()
            assert go_on.wait(150)
            return cases

        monkeypatch.setattr(policydecisions, "mark_every_case", mark)
        activation = pool.submit(activated, made)
        assert marked.wait(120)
        made.take(*three_visits())
        work = pool.submit(evaluate.drain, made.svc)
        while not work.done() and not waits_for_a_lock(made):
            time.sleep(0.01)
        assert not work.done(), "it looks only when what is under way is over"
        go_on.set()
        activation.result(120)
        assert work.result(120) == 1
        assert made.verdict("C04") == "breached"


def waits_for_a_lock(flow: Kit) -> bool:
    with flow.svc.reading() as session:
        return bool(session.scalar(sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")))
