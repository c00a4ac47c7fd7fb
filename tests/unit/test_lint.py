"""Each check of `duecare policy lint` finds its fault at its place, and a good policy has none."""

# ruff: noqa: E501  (tables of small changes read best a line each)

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from rules import lint
from rules.lint import ERROR, INFO, REFUSALS, Finding, checks, lint_files, lint_texts
from rules.policy import load_package, shipped
from tests.support.hostile import CALENDAR, CATALOGUE, POLICY, TESTS

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"trial.yaml": POLICY, "catalogue.yaml": CATALOGUE, "calendars/here.yaml": CALENDAR, "tests/t.yaml": TESTS}
TODAY = dt.date(2020, 3, 1).toordinal()
CONTENT = "kind: content\nwhen: {each: thing.begun}\nwhere: "
RULE_1 = POLICY[POLICY.index("    kind: response") : POLICY.index("  - id: R2")]


def found(files: dict[str, str], **more: Any) -> list[Finding]:
    return lint_texts(files, "trial.yaml", **more)


def changed(old: str, new: str, file: str = "trial.yaml") -> dict[str, str]:
    assert GOOD[file].count(old) >= 1, old
    return {**GOOD, file: GOOD[file].replace(old, new, 1)}


def with_rule(text: str) -> dict[str, str]:
    """The good package with another requirement in the place of the first rule's."""
    return changed(RULE_1, "".join(f"    {line}\n" for line in text.strip("\n").splitlines()))


def codes(files: dict[str, str], **more: Any) -> set[str]:
    return {finding.fault.code for finding in found(files, **more) if finding.severity != INFO}


def test_a_good_package_has_no_fault() -> None:
    """But for a parameter that is not set, and two declarations that only the hostile packages need."""
    assert [(one.fault.code, one.severity) for one in found(GOOD)] == [("L101", INFO), ("L102", "warning"), ("L102", "warning")]


@pytest.mark.parametrize("name", [*shipped(), "permits", "placements"])
def test_shipped_and_example_policies_have_none_either(name: str) -> None:
    path = shipped().get(name, ROOT / "docs" / "examples" / name / f"{name}.yaml")
    assert [str(one) for one in lint_files([path], today=dt.date(2026, 11, 22).toordinal()) if one.severity != INFO] == []


def test_the_shipped_policies_have_none_together() -> None:
    assert [str(one) for one in lint_files(shipped().values()) if one.severity != INFO] == []


@pytest.mark.parametrize(
    ("code", "old", "new", "says"),
    [
        ("L102", "documents: {d: A document}", "documents: {d: A document, e: Another}", "nothing in the policy uses e"),
        ("L103", "within: {days: $some_days}", "within: {days: 1}", "before the rule is activated"),
        ("L104", "where: {kind: a}}}", "where: {kind: A}}}", "did you mean 'a'?"),
        ("L104", "per: [child]", "per: [chlid]", "nobody has the role 'chlid'; did you mean 'child'?"),
        ("L106", "zone: Australia/Darwin", "zone: UTC", "zone of no place"),
        ("L107", "title: It is done in time", "title: ' '", "R1 has no title"),
        ("L115", "program: home", "program: hoem", "did you mean 'home'?"),
        ("L118", "requires: {event: finished, where: {all: [{kind: {in: [a, b]}}]}}", "requires: thing.begun", "met by the very event"),
        ("L119", "title: Each child is asked", "title: It is done in time", "same title as R1"),
        ("L123", "within: {days: $some_days}", "within: {weeks: $some_days}", "14 would mean 14 weeks"),
        ("L124", "within: {days: $some_days}", "within: {weeks: 1000}", "more than 19 years"),
        ("L126", "- id: R2", "- id: R3", "no test expects anything of R3"),
        ("L127", "- id: R2", "- id: R3", "there is no rule 'R2'"),
        ("L128", "guidance: Each one.", "guidance: TODO each one.", "'TODO' is what people will read here"),
        ("L128", "at: there", "at: '?'", "'?' is what people will read here"),
        ("L129", "within: {days: $some_days}", "within: {weeks: 3}\n    unmet_: x", ""),
        ("L132", "title: A trial", "title: \u201cA trial\u201d", "only straight ones quote"),
    ],
)  # fmt: skip
def test_a_check_finds_its_fault(code: str, old: str, new: str, says: str) -> None:
    if code == "L129":
        files = {**changed("title: It is done in time", "title: It is done within 2 weeks")}
        files["trial.yaml"] = files["trial.yaml"].replace("within: {days: $some_days}", "within: {weeks: 3}")
        says = "R1 says '2 weeks', and the rule itself has 2 days, 3 weeks"
    else:
        files = changed(old, new)
    mine = [finding for finding in found(files) if finding.fault.code == code]
    assert any(says in finding.fault.message for finding in mine), [str(one) for one in found(files)]
    assert all(finding.fault.line > 1 and finding.fault.col >= 1 for finding in mine)


@pytest.mark.parametrize(
    ("condition", "code", "says"),
    [
        ("{kind: a, all: [{kind: b}]}", "L110", "kind can never be both a and b"),
        ("{kind: {in: []}}", "L110", "none of an empty list"),
        ("{kind: {equals: a, differs_from: a}}", "L110", "must differ from it"),
        ("{count: {at_least: 5, at_most: 3}}", "L110", "at least 5 and at most 3"),
        ("{day: {after: 2026-02-01, before: 2026-01-01}}", "L110", "after 2026-02-01 and before 2026-01-01"),
        ("{kind: {present: false, equals: a}}", "L110", "never be absent"),
        ("{kind: {has_all: [a, b]}}", "L110", "a single value"),
        ("{kind: a, any: [{kind: b}, {count: 1}]}", "L110", "kind can never be both a and b"),
        ("{kind: a, not: {kind: a}}", "L110", "asked for and ruled out"),
        ("{not: {}}", "L110", "can never hold"),
        ("{done: yes}", "L111", "never 'yes': write true"),
        ("{count: '3'}", "L111", "take the quotes away"),
        ("{kind: 3}", "L111", 'write "3" in quotes'),
        ("{day: {before: 01/02/2026}}", "L111", "a date like 2026-01-31"),
        ("{day: {at_least: 3}}", "L111", "use after or before"),
        ("{count: {before: 2026-01-01}}", "L111", "use at_most or at_least"),
        ("{kind: {at_least: 1}}", "L111", "compares numbers"),
        ("{people: c1}", "L111", "people is a list"),
        ("{people: {at_least: many}}", "L111", "counts its parts"),
        ("{performer: x}", "L111", "name one of its attributes"),
        ("{kind: {includes_role: [child]}}", "L111", "not a list of participants"),
        ("{people: {has: $person}}", "L112", "$person stands for nobody here"),
        ("{kind: $persn}", "L112", "did you mean 'person'?"),
        ("{kind: $item.id}", "L112", "in a collection's done_by only"),
        ("{kind: $this}", "L112", "needs an attribute"),
        ("{kind: $this.knd}", "L112", "did you mean 'kind'?"),
        ("{kind: {in: [$activation.kind]}}", "L112", "is not looked up in a list"),
        ("{}", "L113", "an empty condition always holds"),
        ("{people: {at_least: 0}}", "L113", "every list has at least 0 parts"),
        ("{people: {has_all: []}}", "L113", "has_all: []"),
        ("{kind: {differs_from: []}}", "L113", "differs_from: []"),
        ("{any: [{kind: a}, {}]}", "L113", "an empty condition always holds"),
    ],
)  # fmt: skip
def test_a_condition_is_looked_through(condition: str, code: str, says: str) -> None:
    mine = [finding for finding in found(with_rule(CONTENT + condition)) if finding.fault.code == code]
    assert any(says in finding.fault.message for finding in mine), [str(one) for one in found(with_rule(CONTENT + condition))]


@pytest.mark.parametrize(
    "condition",
    [
        "{kind: a, count: {at_least: 3, at_most: 3}}",
        "{people: {has: x, has_all: [y, z]}, any: [{kind: a}, {kind: b}]}",
        "{day: {after: 2026-01-01, before: 2026-02-01}, done: true}",
        "{kind: {differs_from: a}, not: {kind: a}}",
        "{kind: {present: true, in: [a, b]}, all: [{kind: b}]}",
        "{kind: {equals: $this.kind}, people: {at_least: 1, at_most: 0}, any: [{done: false}]}",
    ],
)
def test_a_condition_that_can_hold_is_left_alone(condition: str) -> None:
    expected = {"L110"} if "at_most: 0" in condition else set()
    assert codes(with_rule(CONTENT + condition)) - {"L102"} == expected


def test_what_a_term_says_counts_too_and_is_named() -> None:
    (one,) = [f for f in found(changed("where: {all: [{kind: {in: [a, b]}}]}", "where: {kind: b}")) if f.fault.code == "L110"]
    assert "both a (so says the term finished, line 11) and b" in one.fault.message
    assert POLICY.splitlines()[one.fault.line - 1].strip().startswith("requires: {event: finished")


@pytest.mark.parametrize(
    ("rule", "code", "says"),
    [
        ("kind: response\nwhen: {each: event.voided}\nrequires: finished\nwithin: {days: 1}", "L116", "never reaches a rule"),
        ("kind: response\nwhen: {each: thing.closed}\nrequires: thing.begun\nwithin: {days: 1}", "L117", "begins the next episode"),
        ("kind: precedence\nwhen: {each: thing.begun}\nrequires: thing.closed", "L117", "cannot come after thing.closed"),
        ("kind: recurrence\nwhen: {first: thing.closed}\nrequires: finished\nevery: {days: 3}", "L117", "nothing recurs after it"),
        ("kind: recurrence\nwhen: {first: thing.begun}\nrequires: finished\nevery: {days: 0}", "L124", "within 0 days"),
        ("kind: recurrence\nwhen: {first: thing.begun}\nrequires: finished\nevery: {days: 9}\nper: [child]", "L112", "nothing in it says $person"),
        ("kind: response\nwhen: {each: thing.begun}\nrequires: {event: finished, same: [count]}\nwithin: {days: 1}", "P014", "no attribute 'count'"),
        ("kind: existence\nwhen: {first: thing.begun}\nrequires: {event: finished, collects: {parts: [a]}}\nwithin: {days: 1}", "L111", "give roles: parts"),
        ("kind: existence\nwhen: {first: thing.begun}\nrequires: {event: finished, collects: {kind: [a]}, roles: kind}\nwithin: {days: 1}", "L111", "not a list of participants"),
        ("kind: response\nwhen: {each: thing.closed}\nrequires: {event: finished, same: [kind]}\nwithin: {days: 1}", "L112", "to compare with"),
        ("kind: not_coexistence\nwhen: {first: thing.begun}\nprogram: hme\nwithin: {days: 1}", "L115", "did you mean 'home'?"),
        ("kind: not_coexistence\nwhen: {first: thing.begun}\nprogram: home\nwithin: {days: 1}", "L115", "the policy's own program"),
        ("kind: not_coexistence\nwhen: {first: thing.begun}\nprogram: home\nwithin: {days: 1}", "L114", "no links"),
        ("clauses:\n  - {kind: content, when: {each: thing.begun}, where: {kind: a}}\n  - {kind: response, when: {each: thing.begun}, requires: finished, within: {days: 3}}", "L120", "both speak of the same event"),
    ],
)  # fmt: skip
def test_a_rule_is_looked_through(rule: str, code: str, says: str) -> None:
    mine = [finding for finding in found(with_rule(rule)) if finding.fault.code == code]
    assert any(says in finding.fault.message for finding in mine), [str(one) for one in found(with_rule(rule))]


def test_clauses_about_different_events_may_stand_in_one_rule() -> None:
    rule = "clauses:\n  - {kind: content, when: {each: thing.begun}, where: {kind: a}}\n  - {kind: content, when: {each: thing.done}, where: {kind: a}}"
    assert "L120" not in codes(with_rule(rule))


def test_a_rule_that_stands_there_again_is_found() -> None:
    again = POLICY[POLICY.index("  - id: R1") : POLICY.index("  - id: R2")].replace("R1", "R9").replace("in time", "again")
    files = {**GOOD, "trial.yaml": POLICY + again}
    assert any("R9 asks for the same as R1" in one.fault.message for one in found(files))
    retired = {**GOOD, "trial.yaml": POLICY + again.replace("severity: high", "severity: high\n    status: retired")}
    assert "L119" not in codes(retired)


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("  closes: {event: thing.closed, reason: why}\n", "no closing event"),
        ("roster: {event: people.listed, list: members, person: person, role: role}\n", "the catalogue has no roster"),
        ("  program: program\n", "does not say where an event names its program"),
    ],
)
def test_what_the_catalogue_does_not_say_is_missed(gone: str, says: str) -> None:
    files = changed(gone, "", "catalogue.yaml")
    files["trial.yaml"] = POLICY.replace("    warn: {days: 2}\n", "    warn: {days: 2}\n    at_latest: closure\n")
    assert any(one.fault.code == "L114" and says in one.fault.message for one in found(files))


@pytest.mark.parametrize(
    ("old", "new", "today", "says"),
    [
        ("zone: Australia/Darwin", "zone: Australia/Perth", None, "the holidays of Australia/Perth"),
        ("calendar: here", "calendar: there", None, "calls itself there"),
        ("2019-12-25: Christmas Day", "2016-12-25: Christmas Day", None, "no holiday in 2017, 2018, 2019"),
        ("2019-12-25: Christmas Day, 2020-01-01", "2021-12-25: Christmas Day, 2022-01-01", None, "begins in 2021"),
        ("2020-01-01", "2019-12-26", None, "before the policy begins"),
        ("version", "version", TODAY, "ends with 2020"),
    ],
)
def test_a_holiday_table_must_fit(old: str, new: str, today: int | None, says: str) -> None:
    files = changed(old, new, "calendars/here.yaml")
    files["trial.yaml"] = POLICY.replace("within: {days: $some_days}", "within: {business_days: 10}")
    mine = [one for one in found(files, today=today) if one.fault.code == "L122"]
    assert any(says in one.fault.message for one in mine), mine
    assert {one.fault.file for one in mine} == {"calendars/here.yaml"}


def test_business_days_without_a_calendar_are_told() -> None:
    files = changed("calendar: here\n", "")
    files["trial.yaml"] = files["trial.yaml"].replace("within: {days: $some_days}", "within: {business_days: 10}")
    assert "L121" in {one.fault.code for one in found(files)}


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ([], "L125", "too: of two versions one must come first"),
        ([("effective: 2020-01-01", "effective: 2021-01-01")], "L125", "calls itself version '1' too"),
        ([("effective: 2020-01-01", "effective: 2019-01-01"), ('version: "1"', 'version: "2"')], "L125", "before version 1"),
        ([("effective: 2020-01-01", "effective: 2021-01-01"), ('version: "1"', 'version: "2"'), ("id: R2", "id: R3")], "L125", "keep a rule as `status: retired`"),
    ],
)  # fmt: skip
def test_versions_follow_one_another(change: list[tuple[str, str]], code: str, says: str) -> None:
    before = load_package(GOOD, "trial.yaml")
    text = POLICY.replace("title: A trial", "title: Another trial")
    for old, new in change:
        text = text.replace(old, new)
    told = found({**GOOD, "trial.yaml": text}, beside=[before])
    assert any(one.fault.code == code and says in one.fault.message for one in told), [str(one) for one in told]


def test_the_next_version_is_no_fault() -> None:
    before = load_package(GOOD, "trial.yaml")
    text = POLICY.replace("effective: 2020-01-01", "effective: 2021-01-01").replace('version: "1"', 'version: "2"')
    assert not {one.fault.code for one in found({**GOOD, "trial.yaml": text}, beside=[before])} & {"L105", "L125"}


def test_rules_of_another_policy_with_the_same_id_are_found() -> None:
    other = load_package({**GOOD, "trial.yaml": POLICY.replace("policy: trial", "policy: other").replace("id: R2", "id: r1")}, "trial.yaml")
    told = [one.fault.message for one in found(GOOD, beside=[other]) if one.fault.code == "L105"]
    assert told == ["policy other has a rule R1 too"]
    assert "L105" in codes(changed("id: R2", "id: r1"))


def test_a_package_without_tests_is_told_once() -> None:
    files = {name: text for name, text in GOOD.items() if not name.startswith("tests/")}
    (one,) = [one for one in found(files) if one.fault.code == "L126"]
    assert "no test shows that the 2 rules of trial do what they say" in one.fault.message


def test_a_policy_that_judges_nothing_is_told() -> None:
    assert "L130" in codes({**GOOD, "trial.yaml": POLICY.replace("severity: high", "severity: high\n    status: draft").replace("severity: low", "severity: low\n    status: retired")})  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("values: {kind: [a, b]}", "values: {kind: [a, b, a]}", "lists a twice"),
        ("values: {kind: [a, b]}", "values: {count: [a, b]}", "only codes have a list of values"),
        ("values: {program: [home]}", "values: {programme: [home]}", "no event type has an attribute programme"),
    ],
)
def test_the_catalogues_codes_are_checked(old: str, new: str, says: str) -> None:
    assert any(one.fault.code == "L131" and says in one.fault.message and one.fault.file == "catalogue.yaml" for one in found(changed(old, new, "catalogue.yaml")))  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("type: thing.begun", "type: thing.begn", "did you mean 'thing.begun'?"),
        ("data: {program: home}", "data: {programme: home}", "did you mean 'program'?"),
        ("R1: not_applicable", "R9: not_applicable", "there is no rule 'R9'"),
        ("as_of: 2020-03-03", "as_off: 2020-03-03", "as_off"),
        ("  policy: trial", "  policy: trial\n\t- x", "yaml-syntax"),
    ],
)
def test_the_tests_are_linted_too(old: str, new: str, says: str) -> None:
    mine = [one for one in found(changed(old, new, "tests/t.yaml")) if one.fault.code == "L127"]
    assert any(says in one.fault.message for one in mine), mine
    assert all(one.fault.file == "tests/t.yaml" and one.fault.line > 1 for one in mine)


def test_what_loading_refuses_and_what_the_checks_find_come_together() -> None:
    files = changed("title: Each child is asked", "title: ' '")
    files["trial.yaml"] = (
        files["trial.yaml"].replace("zone: Australia/Darwin", "zone: Darwin").replace("event: finished, where", "event: finishd, where")
    )
    files["calendars/here.yaml"] = "holidays: {2020-02-30: x}\n"
    assert {"P003", "P006", "P010", "L107"} <= codes(files)


@pytest.mark.parametrize(
    ("old", "new", "file", "says"),
    [
        ("within: {days: $some_days}", "within: 6 weeks", "trial.yaml", "write {weeks: 6}"),
        ("within: {days: $some_days}", "within: {days: some_days}", "trial.yaml", "write $some_days"),
        ("within: {days: $some_days}", "within: {days: '5'}", "trial.yaml", "take the quotes away"),
        ("when: {each: thing.begun}", "when: thing.begun", "trial.yaml", "write {first: thing.begun} or {each: thing.begun}"),
        ("    kind: response", "    Kind: response", "trial.yaml", "it has 'Kind': write kind"),
        ("    kind: response", "    where: {kind: a}\n    kind: response", "trial.yaml", "belongs inside what is asked for"),
        ("severity: high", "severity: High", "trial.yaml", "did you mean 'high'?"),
        ("{all: [{kind: {in: [a, b]}}]}", "{anyof: [{kind: a}]}", "trial.yaml", "to join conditions write any"),
        ('version: "1"', "version: 1", "trial.yaml", "put it in quotes"),
        ("zone: Australia/Darwin\n", "", "trial.yaml", "the policy needs the time zone of a place"),
        ("catalogue: catalogue.yaml", "catalogue: catalog.yaml", "trial.yaml", "did you mean 'catalogue.yaml'?"),
        ("calendar: here", "calendar: her", "trial.yaml", "did you mean 'here'?"),
        ("catalogue: catalogue.yaml", "catalogue: ../catalogue.yaml", "trial.yaml", "leads out of the policy's folder"),
        ("    severity: high", "\tseverity: high", "trial.yaml", "indented by a tab"),
        ("title: A trial", "title: A trial: the first", "trial.yaml", "must stand in quotes"),
        ("done: flag", "done: bool", "catalogue.yaml", "did you mean 'flag'?"),
        ("event: thing.closed, reason", "event: thing.close, reason", "catalogue.yaml", "did you mean 'thing.closed'?"),
        ("program: program", "program: performer", "catalogue.yaml", ""),
        ("holidays:", "holiday:", "calendars/here.yaml", "did you mean 'holidays'?"),
        ("2019-12-25", "25/12/2019", "calendars/here.yaml", "write it like 2026-01-31"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_write_instead(old: str, new: str, file: str, says: str) -> None:
    told = [one for one in found(changed(old, new, file)) if one.severity == ERROR]
    assert any(says in one.fault.message for one in told), [str(one) for one in told]
    assert all(one.fault.line >= 1 for one in told)


def test_findings_come_in_the_order_of_files_and_lines_and_each_once() -> None:
    told = found(changed("title: It is done in time", "title: ' '"))
    places = [(one.fault.file, one.fault.line, one.fault.col) for one in told]
    assert places == sorted(places)
    assert len(set(told)) == len(told)


def test_a_finding_as_a_workflow_command() -> None:
    (one,) = [one for one in found(changed("title: A trial", "title: \u201cA, 100 %\u201d")) if one.fault.code == "L132"]
    assert one.as_command().startswith("::warning file=trial.yaml,line=2,col=8,title=L132::the quotes around")
    assert "100 %25" in one.as_command()
    assert "\n" not in one.as_command()


# --------------------------------------------------------------------------------------------------------------------- documentation
def test_every_check_stands_in_a_file_of_its_own_and_is_documented() -> None:
    files = [file for file in Path(lint.__file__).parent.glob("*.py") if "\nCHECK = " in file.read_text()]
    assert len(files) == len(checks()) == len({check.code for check in checks()})
    for check in checks():
        assert re.fullmatch(r"L1\d\d", check.code)
        assert check.about.endswith((".", ".)"))
        assert check.mend.endswith((".", ".)")), check.code


def test_every_code_that_loading_may_tell_is_documented() -> None:
    """Codes are literals in the modules that refuse: those of the loader, and the words of the readers."""
    told: set[str] = set()
    for name in ("policyloader", "references", "calendars", "coursecheck", "yamlsource", "catalogue"):
        tree = ast.parse((ROOT / "rules" / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"P\d{3}", node.value):
                told.add(node.value)
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("_fault", "Fault"):
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                told.update(word for word in words[:2] if re.fullmatch(r"[a-z]+(-[a-z]+)*", word))
    assert told <= REFUSALS.keys() | {""}, told - REFUSALS.keys()
    assert {code for code in REFUSALS if code.startswith("P")} <= told


def test_what_is_an_error_is_refused_by_strict_and_plain_lint_alike() -> None:
    assert {check.severity for check in checks()} == {"error", "warning", "info"}
    assert ERROR == "error"
