"""Policies are read strictly: every fault at once, each with file, line and column, and a hint where a name is nearly right."""

# ruff: noqa: E501  (a table of faults reads best a line each)

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from rules.errors import Fault, ParameterError, PolicyError
from rules.policy import HERE, Policy, load_policy, load_shipped, shipped
from tests.support.core import day, package_in, policy_of, policy_text

RULE = """
kind: response
when: {each: referral.received}
requires: service.connected
within: {days: 5}
"""


def faults(tmp_path: Path, text: str) -> list[Fault]:
    path = package_in(tmp_path) / "trial.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    return caught.value.faults


def fault(tmp_path: Path, old: str, new: str, rule: str = RULE) -> tuple[Fault, str]:
    """The only fault of a policy in which something was replaced, and the line of text to which it points."""
    text = policy_text(rule)
    assert text.count(old) == 1, text
    text = text.replace(old, new)
    (found,) = faults(tmp_path, text)
    return found, text.splitlines()[found.line - 1][found.col - 1 :]


# ------------------------------------------------------------------------------------------------------------------------------ faults
@pytest.mark.parametrize(
    ("old", "new", "code", "says", "points_at"),
    [
        # the head
        ("zone: Australia/Adelaide", "zone: Australia/Adelade", "P003", "no time zone is called 'Australia/Adelade'", "Australia/Adelade"),
        ("effective: 2020-01-01", "effective: 2020-02-30", "P002", "is not a day of any year", "2020-02-30"),
        ("policy: trial", "policy: Trial Policy", "P001", "lower-case letters", "Trial Policy"),
        ('version: "1"', 'version: "1"\nsurprise: 1', "P001", "surprise: is not known here", "surprise"),
        ("title: A policy for a test\n", "", "P001", "title: is missing", ""),
        # parameters, terms, anchors, collections, documents
        ("within: {days: 5}", "within: {days: $some_dais}", "P016", "did you mean 'some_days'?", "$some_dais"),
        ("set_days: {default: 10,", "set_days: {default: -1,", "P001", "must be at least 0, not -1", "-1"),
        ("set_days: {default: 10,", "set_days: {default: soon,", "P001", "a whole number, not 'soon'", "soon"),
        ("anchors:\n  weeks: {first: qualifying_visit", "anchors:\n  weeks: {first: qualifing_visit", "P011", "did you mean 'qualifying_visit'?", ""),
        ("document: plan\n    list: goals", "document: plan\n    list: golas", "P014", "did you mean 'goals'?", ""),
        ("cites: {document: d,", "cites: {document: e,", "P013", "there is no document 'e'", "e"),
        ("  final_plan:\n    event: [safety_plan.recorded, safety_plan.updated]", "  final_plan:\n    event: safety_plan.recordd", "P010", "did you mean 'safety_plan.recorded'?", ""),
        ("  final_plan:", "  approval.granted:", "P010", "an event type has that name already", ""),
        # the rule
        ("severity: high", "severity: hihg", "P001", "'critical', 'high'", "hihg"),
        ("severity: high", "severity: high\n    status: on", "P001", "'draft', 'shadow'", "on"),
        ("severity: high\n", "severity: high\n    color: red\n", "P001", "is not known here", "color"),
        ("kind: response", "kind: respons", "P004", "there is no kind 'respons'", "respons"),
        ("    kind: response\n", "", "P004", "a rule needs a kind", ""),
        ("- id: R1", "- id: 1R", "P001", "begins with a letter", "1R"),
        ("requires: service.connected", "requires: service.conected", "P010", "did you mean 'service.connected'?", ""),
        ("requires: service.connected", "requires: {event: service.connected, where: {servise: x}}", "P014", "did you mean 'service'?", "x"),
        ("requires: service.connected", "requires: {event: service.connected, where: {service: {equal: x}}}", "P001", "did you mean 'equals'?", ""),
        ("requires: service.connected", "requires: {event: service.connected, where: {service: {}}}", "P001", "say what the attribute must be", ""),
        ("requires: service.connected", "requires: {event: service.connected, same: [plann]}", "P014", "no attribute 'plann'", ""),
        ("requires: service.connected", "requires: {for_every: goal}", "P015", "did you mean 'goals'?", ""),
        ("requires: service.connected", "requires: {event: service.connected, for_every: goals}", "P001", "exactly one of event, for_every", ""),
        ("requires: service.connected", "requires: {event: service.connected, takes: last}", "P001", "takes: last needs that", ""),
        ("requires: service.connected", "requires: []", "P001", "", ""),
        ("when: {each: referral.received}", "when: {each: referral.received, first: referral.received}", "P001", "exactly one of episode, first", ""),
        ("when: {each: referral.received}", "when: {every: referral.received}", "P001", "", ""),
        ("when: {each: referral.received}", "when: {all_done: goal}", "P015", "did you mean 'goals'?", ""),
        ("when: {each: referral.received}", "when: {first_of_each: {event: final_plan, by: plann}}", "P014", "did you mean 'plan'?", ""),
        ("within: {days: 5}", "within: {days: -5}", "P001", "", ""),
        ("within: {days: 5}", "within: {days: 40000}", "P001", "", ""),
        ("within: {days: 5}", "within: {fortnights: 5}", "P001", "", ""),
        ("within: {days: 5}", "within: {days: 5, weeks: 1}", "P001", "exactly one of days, weeks", ""),
        ("within: {days: 5}", "within: {days: 5, roll: backward}", "P001", "can only be forward", "backward"),
        ("within: {days: 5}", "within: {days: 5}\n    warm: {days: 2}", "P001", "did you mean 'warn'?", ""),
        ("    within: {days: 5}\n", "", "P001", "give a limit", ""),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(tmp_path: Path, old: str, new: str, code: str, says: str, points_at: str) -> None:
    text = policy_text(RULE)
    assert text.count(old) == 1, old
    text = text.replace(old, new)
    found = faults(tmp_path, text)
    assert {one.code for one in found} == {code}, found
    assert any(says in one.message for one in found), found
    first = next(one for one in found if says in one.message)
    assert first.file == str(tmp_path / "trial.yaml")
    assert 1 <= first.line <= len(text.splitlines())
    assert text.splitlines()[first.line - 1][first.col - 1 :].startswith(points_at), (first, text.splitlines()[first.line - 1])
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}/trial\.yaml:\d+:\d+ {code} .+", str(first), re.DOTALL)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = policy_text(RULE).replace("service.connected\n", "service.conected\n").replace("severity: high", "severity: hihg")
    text += "  - {id: R2, title: t, guidance: g, cites: {document: x, at: y}, severity: low, kind: nothing}\n"
    assert {one.code for one in faults(tmp_path, text)} == {"P001", "P004", "P010", "P013"}
    text = policy_text(RULE).replace("requires: service.connected", "requires: service.conected").replace("{days: 5}", "{days: $no}")
    assert [one.code for one in faults(tmp_path, text.replace("document: d,", "document: e,"))] == ["P013", "P010", "P016"]


def test_a_rule_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    again = "  - {id: R1, title: t, guidance: g, cites: {document: d, at: y}, severity: low, kind: content, when: {each: case.closed}, where: {closure_reason: x}}\n"
    (found,) = faults(tmp_path, policy_text(RULE, more=again))
    assert (found.code, "R1" in found.message) == ("P012", True)
    assert policy_text(RULE, more=again).splitlines()[found.line - 1].startswith("  - {id: R1, title: t")


def test_a_key_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, policy_text(RULE).replace("severity: high", "severity: high\n    severity: low"))
    assert policy_text(RULE).splitlines()[found.line - 2].strip() == "severity: high"


@pytest.mark.parametrize(
    "text", ["", "just text", "- a\n- list\n", "rules: [\n", "a: *nobody\n", "!!python/object/apply:os.system ['true']\n"]
)
def test_what_is_no_policy_at_all_is_refused(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)


def test_a_policy_without_rules_is_refused(tmp_path: Path) -> None:
    text = policy_text(RULE)
    assert faults(tmp_path, text[: text.index("rules:")] + "rules: []\n")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path / "nowhere.yaml")
    assert "nowhere.yaml" in str(caught.value)


def test_a_catalogue_that_is_not_there_is_refused(tmp_path: Path) -> None:
    text = re.sub(r"catalogue: .*", "catalogue: nowhere.yaml", policy_text(RULE))
    assert any("nowhere.yaml" in str(one) for one in faults(tmp_path, text))


@pytest.mark.parametrize(
    ("calendar", "says"),
    [(None, "nowhere"), ("holidays: {2026-02-30: A day}\n", "is not a day"), ("holidays: {not a date: A day}\n", "is not a day")],
)
def test_a_calendar_that_cannot_be_used_is_refused(tmp_path: Path, calendar: str | None, says: str) -> None:
    if calendar is not None:
        (tmp_path / "calendars").mkdir()
        (tmp_path / "calendars" / "nowhere.yaml").write_text(calendar)
    found = faults(tmp_path, policy_text(RULE).replace("program: cfss", "program: cfss\ncalendar: nowhere"))
    assert any(says in one.message or says in one.file for one in found)


def test_offices_are_checked(tmp_path: Path) -> None:
    text = policy_text(RULE).replace("program: cfss", "program: cfss\noffices: {a: {zone: Mars/Base}, b: {holidays: [2026-99-01]}}")
    assert sorted(one.code for one in faults(tmp_path, text)) == ["P002", "P003"]


def test_several_clauses_are_each_checked(tmp_path: Path) -> None:
    rule = """
clauses:
  - {kind: content, when: {each: case.closed}, where: {closure_reasn: x}}
  - {kind: precedence, when: {each: case.closed}, requires: service.conected}
"""
    found = faults(tmp_path, policy_text(rule))
    assert [one.code for one in found] == ["P014", "P010"]
    lines = policy_text(rule).splitlines()
    assert ["content" in lines[one.line - 1] for one in found] == [True, False]
    assert faults(tmp_path, policy_text(rule + "within: {days: 5}\n"))[0].message.endswith("belongs in one of the clauses")


@pytest.mark.parametrize(
    ("rule", "code", "says"),
    [
        ("kind: deadline\nanchor: week\nrequires: assessment.completed\nwithin: {weeks: 8}", "P015", "did you mean 'weeks'?"),
        ("kind: due_from_data\nitems: action", "P015", "did you mean 'actions'?"),
        ("kind: nth_occurrence\nwhen: episode\nrequires: final_plan\nby: {nth: 3, of: qualifying_visits}", "P011", "did you mean 'qualifying_visit'?"),
        ("kind: nth_occurrence\nwhen: episode\nrequires: final_plan\nby: {nth: 0, of: qualifying_visit}", "P001", "must be at least 1"),
        ("kind: content\nwhen: {each: risk.assessed}\nwhere: {level: {at_least: {state: wroker}}}", "P017", "did you mean 'worker'?"),
        ("kind: content\nwhen: {each: risk.assessed}\nwhere: {level: {at_least: {last: risk.assessed, attribute: levle}}}", "P014", "did you mean 'level'?"),
        ("kind: content\nwhen: {each: risk.assessed}\nwhere: {lvl: 1}", "P014", "did you mean 'level'?"),
        ("kind: precedence\nwhen: {each: case.closed}\nrequires: final_plan\ncompare: week", "P001", "'moment' or 'day'"),
        ("kind: precedence\nwhen: {each: case.closed}\nrequires: {event: final_plan, collects: {plann: [a]}}", "P014", "did you mean 'plan'?"),
        ("kind: precedence\nwhen: {each: case.closed}\nrequires: {event: final_plan, and_each: {collection: goal, where: {id: x}}}", "P015", "did you mean 'goals'?"),
        ("kind: existence\nwhen: {each: case.closed}\nrequires: final_plan\nat_latest: {first: case.opened, closure: true}", "P001", "exactly one of first, closure"),
        ("kind: existence\nwhen: {each: case.closed}\nrequires: final_plan", "P001", "give a limit: within, by or at_latest"),
        ("kind: precedence\nwhen: {each: case.closed}\nrequires: {event: final_plan, takes: last}", "P001", "takes: last needs that"),
        ("kind: precedence\nwhen: {each: case.closed}\nrequires: {event: final_plan, roles: participants}", "P001", "roles names the attribute"),
        ("kind: existence\nwhen: {each: case.closed}\nrequires: final_plan\nwithin: {days: 3}\nby: closure", "P001", "give a limit"),
        ("kind: recurrence\nwhen: {first: final_plan}\nrequires: visit.held", "P001", "every: is missing"),
    ],
)  # fmt: skip
def test_what_the_kinds_name_is_checked_too(tmp_path: Path, rule: str, code: str, says: str) -> None:
    found = faults(tmp_path, policy_text(rule))
    assert {one.code for one in found} == {code}, found
    assert any(says in one.message for one in found), found


# ------------------------------------------------------------------------------------------------------------------ what a policy is
def test_the_shipped_policies_load_and_every_rule_says_where_it_comes_from() -> None:
    assert list(shipped()) == ["cfss", "strengthening_families", "record_quality"]
    ids = []
    for name in shipped():
        policy = load_shipped(name)
        ids += [rule.id for rule in policy.rules]
        for rule in policy.rules:
            assert rule.title
            assert rule.guidance
            assert rule.citation.document in policy.documents
            assert rule.citation.at
    assert ids == [f"C{n:02}" for n in range(1, 29)] + [f"S{n:02}" for n in range(1, 25)] + ["X01", "X02", "X03"]


SEVERITIES = {
    "critical": "C08 S02 S04 S05 S12 S14 S18 S19 S22",
    "high": "C03 C05 C09 C10 C12 C14 C17 C20 C21 C23 C25 S01 S08 S10 S13 S20 S21",
    "medium": "C01 C02 C04 C11 C13 C15 C16 C18 C19 C22 C24 S03 S06 S07 S09 S15 S16 S24",
    "low": "C06 C07 C26 C28 S17 S23 X01 X02",
    "advisory": "C27 S11 X03",
}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_severities_are_the_agreed_ones(severity: str) -> None:
    assert {r.id for name in shipped() for r in load_shipped(name).rules if r.severity == severity} == set(SEVERITIES[severity].split())


def test_only_the_closure_grace_the_overlap_and_the_recording_have_a_number_of_their_own() -> None:
    numbers = {f"{name}.{p}": v for name in shipped() for p, v in load_shipped(name).values.items() if v is not None}
    assert numbers == {"cfss.closure_grace_days": 0, "strengthening_families.cp_overlap_days": 0, "record_quality.recording_days": 7}
    for name in shipped():
        policy = load_shipped(name)
        assert set(policy.unset()) == {p for p, v in policy.values.items() if v is None}
        assert all(parameter.question for parameter in policy.parameters.values())


def test_no_other_number_of_days_stands_in_a_rule() -> None:
    """Of all limits only C08, C12, C14 and C17 have a number; the rest are parameters."""
    text = (HERE / "cfss.yaml").read_text() + (HERE / "strengthening_families.yaml").read_text()
    limits = re.findall(r"(?:within|every): \{(?:days|weeks|months|business_days): ([^}]+)\}", text)
    assert sorted(limit for limit in limits if not limit.startswith("$")) == ["6", "6", "8", "8"]  # the anchor's, C12, C14, C17


def test_parameters_are_set_by_name_and_change_the_digest() -> None:
    policy = load_shipped("cfss")
    changed = policy.with_parameters({"household_days": "14"})
    assert changed.values["household_days"] == 14
    assert policy.values["household_days"] is None
    assert changed.digest != policy.digest
    assert changed.with_parameters({"household_days": None}).digest == policy.digest
    assert policy.with_parameters({"household_days": ""}).values["household_days"] is None


@pytest.mark.parametrize("value", ["soon", -1, 36_501, "1.5", True, "٣x"])
def test_a_value_that_a_parameter_cannot_take_is_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="household_days"):
        load_shipped("cfss").with_parameters({"household_days": value})  # type: ignore[dict-item]


def test_a_parameter_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'houshold_days'.*household_days"):
        load_shipped("cfss").with_parameters({"houshold_days": 1})


def test_an_unknown_policy_or_rule_is_refused() -> None:
    with pytest.raises(KeyError):
        load_shipped("nothing")
    with pytest.raises(KeyError):
        load_shipped("cfss").rule("C99")
    assert load_shipped("cfss").rule("C08").title == "A safety plan by the end of the 3rd visit"


# ------------------------------------------------------------------------------------------------------------------------------ digests
def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    shutil.copytree(HERE, folder)
    return folder / "cfss.yaml"


def test_the_digest_is_of_what_the_policy_says_not_of_how_it_is_written(tmp_path: Path) -> None:
    path = copied(tmp_path)
    assert load_policy(path).digest == load_shipped("cfss").digest
    path.write_text("# a remark\n" + path.read_text().replace("within: {weeks: 6}", "within:  { weeks:   6 }"))
    assert load_policy(path).digest == load_shipped("cfss").digest


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("cfss.yaml", "within: {weeks: 8}\n    warn_from: {weeks: 6}", "within: {weeks: 9}\n    warn_from: {weeks: 6}"),
        ("cfss.yaml", "severity: critical", "severity: high"),
        ("catalogue.yaml", "closing_papers: [closure_summary.completed, ", "closing_papers: ["),
        ("calendars/sa.yaml", "2026-03-09", "2026-03-08"),
    ],
)
def test_whatever_can_change_a_verdict_changes_the_digest(tmp_path: Path, file: str, old: str, new: str) -> None:
    path = copied(tmp_path)
    target = path.parent / file
    assert old in target.read_text()
    target.write_text(target.read_text().replace(old, new))
    assert load_policy(path).digest != load_shipped("cfss").digest


# ---------------------------------------------------------------------------------------------------------------- zones and calendars
@pytest.fixture
def with_offices(tmp_path: Path) -> Policy:
    offices = "{south: {calendar: sa}, west: {zone: Australia/Perth, holidays: [2026-03-02]}, plain: {}}"
    shutil.copytree(HERE / "calendars", tmp_path / "calendars")
    return policy_of(tmp_path, RULE, offices=offices, zones="{strengthening_families: Australia/Darwin}")


@pytest.mark.parametrize(
    ("programs", "office", "zone"),
    [
        ({"cfss"}, None, "Australia/Adelaide"),
        ({"strengthening_families"}, None, "Australia/Darwin"),
        ({"strengthening_families"}, "west", "Australia/Perth"),
        ({"strengthening_families"}, "plain", "Australia/Darwin"),
        (set(), "unheard_of", "Australia/Adelaide"),
    ],
)
def test_the_offices_zone_comes_before_the_programs_and_that_before_the_policys(
    with_offices: Policy, programs: set[str], office: str | None, zone: str
) -> None:
    assert with_offices.zone_for(programs, office).name == zone


def test_an_office_may_have_a_calendar_and_holidays_of_its_own(with_offices: Policy) -> None:
    def works(office: str | None, on: str) -> bool:
        return with_offices.calendar_for(office).is_business_day(day(on))

    assert (works("south", "03-09"), works("west", "03-09"), works(None, "03-09")) == (False, True, True)
    assert (works("south", "03-02"), works("west", "03-02"), works("plain", "03-02")) == (True, False, True)
