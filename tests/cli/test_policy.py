"""`duecare policy ...`: lint, test, kinds, schema, questions."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import jsonschema_rs
import pytest

from rules.kinds import registry
from rules.lint import checks
from rules.policy import load_policy, shipped
from rules.schema import policy_schema
from tests.cli.conftest import ROOT

POLICIES = ROOT / "rules" / "policies"


@pytest.fixture
def package(tmp_path):
    """Writes a changed copy of a shipped policy into a package of its own."""
    (tmp_path / "calendars").symlink_to(POLICIES / "calendars")
    (tmp_path / "catalogue.yaml").symlink_to(POLICIES / "catalogue.yaml")

    def make(name, *changes, file=None):
        text = (POLICIES / f"{name}.yaml").read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / (file or f"{name}.yaml")
        path.write_text(text, "utf-8")
        return path

    return make


def found(done):
    return [(finding["code"], finding["severity"], finding["line"]) for finding in done.json]


def line_of(path, text):
    return next(number for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if text in line)


def test_the_shipped_policies_have_nothing_but_unset_parameters(duecare):
    done = duecare("policy", "lint", "--strict", "--format", "json")
    assert done.code == 0
    assert {code for code, _, _ in found(done)} <= {"L101", "L108"}


def test_lint_tells_file_line_column_code_and_severity(duecare):
    done = duecare("policy", "lint", "cfss")
    assert done.code == 0
    first = done.out.splitlines()[0]
    place, rest = first.split(" ", 1)
    assert place.count(":") == 2
    assert rest.startswith("L101 info: ")
    assert "1 policy: " in done.err


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "severity"),
    [
        ("cfss", "household_days: {question: ", "unused_days: {default: 3, question: x}\n  household_days: {question: ", "L102", "warning"),
        ("cfss", "documents:\n", "documents:\n  nobody: Nobody cites it\n", "L102", "warning"),
        ("cfss", "terms:\n", "terms:\n  lonely:\n    event: visit.held\n", "L102", "warning"),
        ("cfss", "nth: 3, of: qualifying_visit, warn_after: 2", "nth: 3, of: qualifying_visit, warn_after: 3", "L103", "error"),
        ("cfss", "where: {status: agreed}", "where: {status: agred}", "L104", "warning"),
        ("cfss", "zone: Australia/Adelaide", "zone: Etc/UTC", "L106", "warning"),
        ("cfss", "title: The household is recorded", 'title: " "', "L107", "warning"),
        ("record_quality", "members: {event: visit.held", "members: {event: visit.hold", "P010", "error"),
        ("record_quality", "attribute: seen", "attribute: seem", "P014", "error"),
        ("cfss", "severity: critical\n", "severity: critical\n    status: shadow\n", "L108", "info"),
    ],
)
def test_each_check_finds_its_fault(duecare, package, name, old, new, code, severity):
    path = package(name, (old, new))
    done = duecare("policy", "lint", path, "--format", "json")
    added = [(c, s) for c, s, _ in found(done) if c != "L101"]
    assert (code, severity) in added
    assert done.code == (1 if severity == "error" else 0)
    assert all(line > 1 for _, _, line in found(done))


def test_a_warning_window_outside_its_time(duecare, package):
    text = (POLICIES / "cfss.yaml").read_text("utf-8")
    assert "warn_from: {weeks: 6}" in text
    path = package("cfss", ("warn_from: {weeks: 6}", "warn_from: {weeks: 9}"))
    done = duecare("policy", "lint", path, "--format", "json")
    assert ("L103", "error", line_of(path, "weeks: 9")) in found(done)


def test_rules_of_two_policies_with_one_id(duecare, package):
    one = package("cfss")
    two = package("record_quality", ("id: X01", "id: C08"))
    done = duecare("policy", "lint", one, two, "--format", "json")
    assert done.code == 1
    assert {code for code, severity, _ in found(done) if severity == "error"} == {"L105"}


def test_what_the_loader_refuses_is_an_error_too(duecare, package):
    path = package("cfss", ("requires: {event: household.recorded", "requires: {event: household.recoded"))
    done = duecare("policy", "lint", path, "--format", "json")
    assert done.code == 1
    assert [(code, line) for code, severity, line in found(done) if severity == "error"] == [("P010", line_of(path, "household.recoded"))]


def test_strict_fails_on_warnings(duecare, package):
    path = package("cfss", ("zone: Australia/Adelaide", "zone: UTC"))
    assert duecare("policy", "lint", path).code == 0
    assert duecare("policy", "lint", "--strict", path).code == 1


def test_every_check_has_a_code_of_its_own_and_says_what_it_finds():
    codes = [check.code for check in checks()]
    assert len(codes) == len(set(codes)) >= 8
    assert all(check.about.endswith(".") for check in checks())


GOOD = """\
- name: a plan is missing
  policy: cfss
  beside: {"C01, C02": no referral is told}
  events: &three
    - {id: k1, at: 03-02 09:00, type: service.connected, data: {program: cfss}}
    - {id: v1, at: 03-02 10:00, type: visit.held, data: {status: held, mode: in_person, seen: [m1]}}
    - {id: v2, at: 03-16 10:00, type: visit.held, data: {status: held, mode: in_person, seen: [m1]}}
    - {id: v3, at: 03-23 15:00, type: visit.held, data: {status: held, mode: in_person, seen: [m1]}}
  checks:
    - {as_of: 03-24, expect: {C08: {verdict: breached, due_on: 03-23}}}
"""


def timelines(tmp_path, text):
    path = tmp_path / "t.yaml"
    path.write_text(text, "utf-8")
    return path


def test_timelines_that_hold(duecare, tmp_path):
    done = duecare("policy", "test", timelines(tmp_path, GOOD))
    assert (done.code, done.err.strip()) == (0, "1 timeline: 1 passed, 0 failed.")


def test_an_expectation_that_does_not_hold_is_shown_beside_what_is(duecare, tmp_path):
    done = duecare("policy", "test", timelines(tmp_path, GOOD.replace("due_on: 03-23}", "due_on: 03-25}")))
    assert done.code == 1
    assert "- wanted  {verdict: breached, due_on: 2026-03-25}" in done.out
    assert "+ got     {verdict: breached, due_on: 2026-03-23}" in done.out
    assert "t.yaml:1" in done.out


@pytest.mark.parametrize(
    ("expect", "holds"),
    [
        ("{C08: breached}", True),
        ("{C08: late}", False),
        ("{C08: {counts: {breached: 1}}}", True),
        ("{C08: {counts: {breached: 2}}}", False),
        ("{C08: [breached]}", True),
        ("{C08: [breached, breached]}", False),
        ("{C08: {verdict: breached, satisfied_on: null}}", True),
        ("{C08: {verdict: breached, curable: false}}", False),
        ("{C08: breached}, breaches: exactly", True),
        ("{C12: pending}, breaches: exactly", False),
        ("{C12: pending}", False),
        ("{C12: pending, C08: breached}", True),
        ("{C12: pending, C08: breached, C01: breached}", False),
    ],
)
def test_how_strict_a_check_is(duecare, tmp_path, expect, holds):
    text = GOOD.replace("expect: {C08: {verdict: breached, due_on: 03-23}}}", f"expect: {expect}}}")
    assert duecare("policy", "test", timelines(tmp_path, text)).code == (0 if holds else 1)


def test_a_breach_that_nothing_names_fails_and_is_shown(duecare, tmp_path):
    done = duecare("policy", "test", timelines(tmp_path, GOOD.replace("C01, C02", "C02")))
    assert done.code == 1
    assert "C01\n    - wanted  no breach, since the check does not name one\n    + got     breached case" in done.out


@pytest.mark.parametrize(
    ("beside", "code"),
    [
        ('{"C01, C02": no referral is told}', 0),
        ("{others: only the plan is looked at}", 0),
        ("{C01: no referral is told, others: only the plan is looked at}", 0),
        ('{"C01, C02": no referral is told, C12: no snapshot is told}', 1),
        ('{"C01, C02": no referral is told, others: only the plan is looked at}', 1),
        ("{}", 1),
    ],
)
def test_breaches_that_are_beside_the_point_are_named_and_nothing_more(duecare, tmp_path, beside, code):
    text = GOOD.replace('{"C01, C02": no referral is told}', beside)
    assert duecare("policy", "test", timelines(tmp_path, text)).code == code


@pytest.mark.parametrize(
    ("counted", "got"), [("{clinical: 2, cultural: 1}", None), ("{clinical: 2}", "{clinical: 2, cultural: 1}"), ("{}", "{")]
)
def test_what_a_rule_counts_is_compared(duecare, tmp_path, counted, got):
    text = """\
- name: supervision
  policy: cfss
  events:
    - {id: o, at: 03-02 09:00, type: case.opened, data: {program: cfss}}
    - {id: s1, at: 03-03 09:00, type: supervision.held, data: {kind: clinical}}
    - {id: s2, at: 03-04 09:00, type: supervision.held, data: {kind: clinical}}
    - {id: s3, at: 03-05 09:00, type: supervision.held, data: {kind: cultural}}
  checks:
    - {as_of: 03-24, counted: {C27: COUNTED}}
"""
    done = duecare("policy", "test", timelines(tmp_path, text.replace("COUNTED", counted)))
    assert done.code == (0 if got is None else 1)
    assert got is None or f"+ got     counted {got}" in done.out


def test_a_draft_can_be_tested_and_its_breaches_need_not_be_named(duecare, tmp_path, package):
    draft = package("cfss", ("  - id: C08\n", "  - id: C08\n    status: draft\n"))
    text = GOOD.replace("policy: cfss", f"policy: {draft}")
    assert duecare("policy", "test", timelines(tmp_path, text)).code == 0
    assert duecare("policy", "test", timelines(tmp_path, text.replace("C08: {verdict: breached, due_on: 03-23}", "C12: pending"))).code == 0
    assert duecare("policy", "test", timelines(tmp_path, text.replace("verdict: breached", "verdict: met"))).code == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("verdict: breached", "verdict: brached", "no verdict"),
        ("C08:", "C99:", "no rule is called 'C99'"),
        ("as_of: 03-24", "as_off: 03-24", "as_off: is unknown here"),
        ("as_of: 03-24", "as_of: 02-31", "day is out of range"),
        ("type: service.connected", "type: service.conected", "service.connected"),
        ("mode: in_person, seen: [m1]}", "mod: in_person, seen: [m1]}", "no attribute mod"),
        ("at: 03-02 09:00, ", "", "either at or on"),
        ("at: 03-02 09:00", "when: 03-02 09:00", "when: is unknown here"),
        ("policy: cfss", "policy: cfss\n  params: {cfss.nothing: 1}", "no parameter 'nothing'"),
        ("no referral is told", '""', "say why it is breached beside"),
        ("C01, C02", "C01, C98", "no rule is called 'C98'"),
        ("as_of: 03-24,", "as_of: 03-24, waived: {C97: case},", "no rule is called 'C97'"),
        ("as_of: 03-24,", "as_of: 03-24, counted: {C96: {}},", "no rule is called 'C96'"),
        ("as_of: 03-24,", "as_of: 03-24, case: other,", "no event is about the case"),
        (", expect: {C08: {verdict: breached, due_on: 03-23}}", "", "expects something"),
    ],
)
def test_a_test_file_with_faults_is_exit_2_with_file_and_line(duecare, tmp_path, old, new, words):
    path = timelines(tmp_path, GOOD.replace(old, new, 1))
    done = duecare("policy", "test", path)
    assert done.code == 2
    assert words in done.err
    assert all(line.startswith(f"{path}:") for line in done.err.splitlines())


def test_nothing_selected_is_no_success(duecare, tmp_path):
    assert duecare("policy", "test", "--only", "no such name", timelines(tmp_path, GOOD)).code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert duecare("policy", "test", empty).code == 2
    assert duecare("policy", "test", timelines(tmp_path, "[]\n")).code == 2


def test_timelines_as_junit(duecare, tmp_path):
    done = duecare(
        "policy", "test", "--format", "junit", timelines(tmp_path, GOOD.replace("C08: {verdict: breached", "C08: {verdict: met"))
    )
    (case,) = ET.fromstring(done.out).iter("testcase")
    assert case.get("name") == "a plan is missing"
    assert "wanted" in case.findtext("failure", "")
    assert done.code == 1


def test_coverage_names_the_rules_that_nothing_expects(duecare, tmp_path):
    done = duecare("policy", "test", "--coverage", timelines(tmp_path, GOOD))
    assert "C08  nth_occurrence: breached 1" in done.out
    assert "C09  content: no verdict expected" in done.out
    assert "C27  metric: only counted" in done.out
    assert "C09 never shown met\n    Try a case that does what C09 asks" in done.out
    assert done.code == 0


def test_a_threshold_that_the_tests_do_not_reach_fails(duecare, tmp_path):
    path = timelines(tmp_path, GOOD)
    short = duecare("policy", "test", "--threshold", "100", path)
    assert short.code == 1
    assert "of cfss, less than 100 %" in short.err
    assert duecare("policy", "test", "--threshold", "1", path).code == 0
    assert duecare("policy", "test", "--threshold", "101", path).code == 2


def test_what_is_not_reached_is_named_with_its_place_in_the_policy(duecare, tmp_path):
    done = duecare("policy", "test", "--coverage", "--format", "json", timelines(tmp_path, GOOD))
    (coverage,) = done.json["coverage"]
    assert (done.json["timelines"], done.json["passed"], done.json["failures"]) == (1, 1, [])
    assert coverage["policy"] == "cfss"
    assert coverage["total"] - coverage["reached"] == len(coverage["missing"])
    assert coverage["rules"]["C08"] == {"kind": "nth_occurrence", "verdicts": {"breached": 1}}
    lacking = {one["missing"]: one["place"] for one in coverage["missing"] if one["rules"] == ["C13"]}
    policy = (POLICIES / "cfss.yaml").read_text("utf-8").splitlines()
    line = int(lacking["not reached: covers lacking circumstances alone"].rpartition(":")[2])
    assert "has_all: [circumstances, stressors, strengths]" in policy[line - 1]


def test_a_shipped_policy_that_no_timeline_names_is_not_passed_over(duecare):
    done = duecare("policy", "test", "--threshold", "50", "--only", "recorded on the seventh day")
    assert done.code == 1
    assert {"cfss", "strengthening_families"} <= {word for line in done.err.splitlines() for word in line.replace(",", "").split()}


def test_coverage_as_junit(duecare, tmp_path):
    done = duecare("policy", "test", "--coverage", "--format", "junit", timelines(tmp_path, GOOD))
    cases = {case.get("name"): case.findtext("failure", "") for case in ET.fromstring(done.out).iter("testcase")}
    assert cases["a plan is missing"] == ""
    assert "C09 never shown met" in cases["coverage of cfss"]


def test_kinds_are_listed_and_described(duecare):
    listed = duecare("policy", "kinds").out
    assert [line.split()[0] for line in listed.splitlines()] == list(registry())
    assert "| `within` |" in duecare("policy", "kinds", "deadline").out
    assert duecare("policy", "kinds", "nothing").code == 2


@pytest.mark.parametrize("name", list(shipped()))
def test_the_schema_takes_the_shipped_policies(duecare, name):
    schema = duecare("policy", "schema").json
    validator = jsonschema_rs.validator_for(schema)
    data = dict(load_policy(shipped()[name]).raw)
    assert [f"{'/'.join(map(str, e.instance_path))}: {e.message}"[:300] for e in validator.iter_errors(data)] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda policy: policy.update(titel="x"),
        lambda policy: policy.pop("zone"),
        lambda policy: policy["rules"][0].update(kind="nothing"),
        lambda policy: policy["rules"][0].update(within={"days": -1}),
        lambda policy: policy["rules"][0].update(severty="low"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(change):
    policy = json.loads(json.dumps(load_policy(shipped()["record_quality"]).raw))
    validator = jsonschema_rs.validator_for(policy_schema())
    assert validator.is_valid(policy)
    change(policy)
    assert not validator.is_valid(policy)


def test_questions_are_what_the_owner_has_to_decide(duecare):
    done = duecare("policy", "questions", "cfss")
    assert done.code == 0
    for name in load_policy(shipped()["cfss"]).unset():
        assert f"  {name} (not set: never a breach)" in done.out
    assert "For a person to judge" in done.out
