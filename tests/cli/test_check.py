"""`duecare check` and `duecare explain`: verdicts, formats, exit codes, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from cli.main import COMMANDS
from rules.errors import EngineError
from tests.cli.conftest import LATE_PLAN, ROOT, event, write


@pytest.fixture
def late_plan(tmp_path):
    return write(tmp_path / "events.jsonl", *LATE_PLAN)


def rule(done, name):
    return [verdict for verdict in done.json if verdict["rule"] == name]


def test_json_is_one_array_of_verdicts(duecare, late_plan):
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-24", "--format", "json", late_plan)
    (verdict,) = rule(done, "C08")
    assert verdict["case"] == "case-1"
    assert (verdict["verdict"], verdict["due_on"], verdict["policy"]) == ("breached", "2026-03-23", "cfss")
    assert {
        "episode",
        "policy_digest",
        "obligation",
        "reason",
        "activated_on",
        "due_soon_on",
        "satisfied_on",
        "days_late",
    } <= verdict.keys()
    assert {"curable", "evidence", "rejected", "as_of", "known_at"} <= verdict.keys()
    assert done.code == 1
    assert done.err == ""


def test_a_date_is_the_last_instant_of_that_day_in_the_policys_zone(duecare, late_plan):
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-23", "--known-at", "2026-03-24", "--format", "json", late_plan)
    (verdict,) = rule(done, "C08")
    assert (verdict["verdict"], verdict["as_of"], verdict["known_at"]) == (
        "due_soon",
        "2026-03-23T13:29:59.999Z",
        "2026-03-24T13:29:59.999Z",
    )


def test_an_instant_is_taken_as_it_is(duecare, late_plan):
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-24T00:00:00+10:30", "--format", "json", late_plan)
    (verdict,) = rule(done, "C08")
    assert (verdict["verdict"], verdict["as_of"]) == ("breached", "2026-03-23T13:30:00.000Z")


def test_exit_0_where_nothing_is_breached(duecare, tmp_path):
    file = write(tmp_path / "e.jsonl", event("k1", "new_information.recorded", "2026-03-02T09:00:00+10:30", program="cfss"))
    assert duecare("check", "--policy", "record_quality", "--as-of", "2026-03-24", file).code == 0


def test_by_default_the_three_shipped_policies_judge(duecare, late_plan):
    done = duecare("check", "--as-of", "2026-03-24", "--format", "json", late_plan)
    assert {verdict["policy"] for verdict in done.json} == {"cfss", "strengthening_families", "record_quality"}


def test_a_policy_may_be_a_file(duecare, late_plan):
    file = ROOT / "rules" / "policies" / "record_quality.yaml"
    done = duecare("check", "--policy", file, "--as-of", "2026-03-24", "--format", "json", late_plan)
    assert {verdict["policy"] for verdict in done.json} == {"record_quality"}


def test_a_policy_may_come_from_the_installations_own_folder(duecare, late_plan, tmp_path, monkeypatch):
    shipped = ROOT / "rules" / "policies"
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "calendars").symlink_to(shipped / "calendars")
    for name in ("catalogue.yaml", "record_quality.yaml"):
        (folder / name).write_text((shipped / name).read_text("utf-8").replace("policy: record_quality", "policy: ours"), "utf-8")
    (folder / "record_quality.yaml").rename(folder / "ours.yaml")
    monkeypatch.setenv("DUECARE_POLICIES", str(folder))
    done = duecare("check", "--policy", "ours", "--as-of", "2026-03-24", "--format", "json", late_plan)
    assert {verdict["policy"] for verdict in done.json} == {"ours"}


def test_the_same_input_gives_the_same_bytes(duecare, late_plan):
    arguments = ("check", "--as-of", "2026-03-24", "--known-at", "2026-03-25", "--format", "json", late_plan)
    assert duecare(*arguments).out == duecare(*arguments).out


def test_a_parameter_is_set_for_the_run(duecare, late_plan):
    done = duecare("check", "--policy", "cfss", "--param", "cfss.household_days=5", "--as-of", "2026-03-24", "--format", "json", late_plan)
    (verdict,) = rule(done, "C04")
    assert (verdict["verdict"], verdict["due_on"]) == ("breached", "2026-03-07")
    bare = duecare("check", "--policy", "cfss", "--param", "household_days=5", "--as-of", "2026-03-24", "--format", "json", late_plan)
    assert [v["verdict"] for v in rule(bare, "C04")] == ["breached"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--param", "cfss.household_day=5"), "did you mean household_days?"),
        (("--param", "household_days"), "is not POLICY.NAME=VALUE"),
        (("--param", "cfss.household_days=soon"), "whole number of days"),
        (("--param", "cfss.household_days=-1"), "0 to 36500"),
        (("--policy", "cfs"), "Did you mean cfss?"),
        (("--as-of", "24.3.2026"), "neither a date"),
        (("--as-of", "2026-02-30"), "neither a date"),
        (("--as-of", "2026-03-24T10:00:00"), "with its offset"),
        (("--format", "xml"), "'xml' is not one of"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_hint(duecare, late_plan, arguments, words):
    usual = () if arguments[0] == "--as-of" else ("--as-of", "2026-03-24")
    done = duecare("check", *usual, *arguments, late_plan)
    assert done.code == 2
    assert words in done.err
    assert done.out == ""


def test_as_of_is_required(duecare, late_plan):
    done = duecare("check", late_plan)
    assert done.code == 2
    assert "--as-of" in done.err


def test_refused_input_is_exit_2_each_on_stderr_and_the_rest_is_judged(duecare, tmp_path):
    bad: list[dict[str, Any] | str] = [
        '{"specversion": "1.0", "id": "b1"',
        {**LATE_PLAN[0], "id": "b2", "type": "visit.hold"},
        {key: value for key, value in LATE_PLAN[0].items() if key != "id"},
        {**LATE_PLAN[0], "id": "b4", "time": "2026-03-02T09:00:00"},
        {**LATE_PLAN[0], "id": "b5", "time": "0001-01-01T00:00:00Z"},
        {**LATE_PLAN[1], "id": "b6", "data": {"seen": "m1"}},
        {**LATE_PLAN[0], "id": "k1", "data": {"program": "other"}},
    ]
    file = write(tmp_path / "events.jsonl", *LATE_PLAN, *bad)
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-24", "--format", "json", file)
    assert done.code == 2
    assert [v["verdict"] for v in rule(done, "C08")] == ["breached"]
    lines = done.err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{file}:{number}" for number in range(5, 12)]
    assert "visit.held" in lines[1]
    assert "other content" in lines[-1]


def test_a_file_that_is_not_there_is_refused_input(duecare, tmp_path, late_plan):
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-24", "--format", "json", tmp_path / "none.jsonl", late_plan)
    assert done.code == 2
    assert "none.jsonl: cannot be read" in done.err
    assert rule(done, "C08")


def test_the_same_event_twice_counts_once(duecare, tmp_path, late_plan):
    twice = write(tmp_path / "again.jsonl", *LATE_PLAN)
    arguments = ("check", "--policy", "cfss", "--as-of", "2026-03-24", "--known-at", "2026-03-25", "--format", "json")
    assert duecare(*arguments, late_plan, twice).json == duecare(*arguments, late_plan).json


def test_a_failing_engine_is_exit_3_and_the_other_cases_are_judged(duecare, tmp_path, monkeypatch):
    import rules.evaluate

    right = rules.evaluate.evaluate

    def evaluate(policies, file, **options):
        if file.case == "case-1":
            raise EngineError("no verdict")
        return right(policies, file, **options)

    monkeypatch.setattr(rules.evaluate, "evaluate", evaluate)
    file = write(tmp_path / "e.jsonl", *LATE_PLAN, *({**one, "subject": "case-2", "id": one["id"] + "-2"} for one in LATE_PLAN))
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-24", "--format", "json", file)
    assert done.code == 3
    assert "case case-1: no verdict" in done.err
    assert {v["case"] for v in done.json} == {"case-2"}


def test_a_failure_of_duecare_is_exit_3_without_a_stack_trace(duecare, late_plan, monkeypatch):
    import rules.evaluate

    def evaluate(*_, **__):
        raise RuntimeError("broken\nTraceback details")

    monkeypatch.setattr(rules.evaluate, "evaluate", evaluate)
    done = duecare("check", "--as-of", "2026-03-24", late_plan)
    assert done.code == 3
    assert "RuntimeError: broken" in done.err
    assert "Traceback" not in done.err
    monkeypatch.setenv("DUECARE_LOG_LEVEL", "debug")
    assert "Traceback" in duecare("check", "--as-of", "2026-03-24", late_plan).err


def test_a_policy_with_faults_names_file_line_and_column(duecare, late_plan, tmp_path):
    shipped = ROOT / "rules" / "policies"
    (tmp_path / "catalogue.yaml").write_text((shipped / "catalogue.yaml").read_text("utf-8"), "utf-8")
    (tmp_path / "calendars").symlink_to(shipped / "calendars")
    broken = tmp_path / "broken.yaml"
    text = (shipped / "record_quality.yaml").read_text("utf-8")
    broken.write_text(text.replace("within: {days:", "within: {day:").replace("members: {event:", "members: {evnt:"), "utf-8")
    done = duecare("check", "--policy", broken, "--as-of", "2026-03-24", late_plan)
    assert done.code == 2
    lines = text.splitlines()
    for typo, words in (("within: {days:", "day"), ("members: {event:", "evnt")):
        number = next(n for n, line in enumerate(lines, 1) if typo in line)
        assert any(line.startswith(f"{broken}:{number}:") and words in line for line in done.err.splitlines())


def test_text_groups_by_case_and_says_the_sentence(duecare, late_plan):
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-30", late_plan)
    assert done.out.splitlines()[0] == "case-1"
    assert "C08  A safety plan by the end of the 3rd visit" in done.out
    assert "7 days overdue" in done.out
    assert done.out.splitlines()[-1].startswith("1 case; ")
    assert "breached" in done.out.splitlines()[-1]
    assert "\x1b[" not in done.out
    assert "C12" not in done.out
    assert "C12" in duecare("check", "--policy", "cfss", "--as-of", "2026-03-30", "--all", late_plan).out


def test_text_lists_what_to_check_in_the_record(duecare, tmp_path):
    file = write(tmp_path / "e.jsonl", event("v1", "visit.held", "2026-03-02T10:00:00+10:30", status="held", mode="in_person", seen=["m1"]))
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-30", file)
    assert done.code == 0
    assert "to check" in done.out


def test_junit_has_a_testcase_for_each_verdict(duecare, late_plan):
    arguments = ("check", "--policy", "cfss", "--as-of", "2026-03-30", late_plan)
    verdicts = duecare(*arguments, "--format", "json").json
    suites = ET.fromstring(duecare(*arguments, "--format", "junit").out)
    cases = suites.findall("./testsuite/testcase")
    assert len(cases) == len(verdicts)
    assert len(suites.findall(".//failure")) == sum(v["verdict"] == "breached" for v in verdicts) > 0
    assert suites.get("failures") == str(len(suites.findall(".//failure")))
    (plan,) = [case for case in cases if case.get("name").startswith("C08")]
    assert plan.find("failure").get("message") == "breached, due 2026-03-23"


def test_csv_without_a_mapping_has_the_columns_of_an_event(duecare, tmp_path):
    file = tmp_path / "events.csv"
    file.write_text(
        "id,source,type,subject,time,data.program\nk1,urn:test,service.connected,case-1,2026-03-02T09:00:00+10:30,cfss\n", encoding="utf-8"
    )
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-04-14", "--format", "json", file)
    assert [v["verdict"] for v in rule(done, "C12")] == ["breached"]


def test_explain_tells_events_days_and_what_would_have_met_it(duecare, late_plan):
    done = duecare("explain", late_plan, "case-1", "C08", "--as-of", "2026-03-30")
    assert done.code == 0
    for words in ("C08 A safety plan by the end of the 3rd visit: breached", "v3", "Mon 23 March 2026", "would have been met"):
        assert words in done.out
    (told,) = duecare("explain", late_plan, "case-1", "C08", "--as-of", "2026-03-30", "--format", "json").json
    assert told["verdict"]["verdict"] == "breached"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("case-2", "C08"), "Did you mean case-1?"),
        (("case-1", "C088"), "Did you mean C08?"),
        (("case-1",), "FILE, CASE and RULE"),
    ],
)
def test_explain_says_what_is_not_there(duecare, late_plan, arguments, words):
    done = duecare("explain", late_plan, *arguments, "--as-of", "2026-03-30")
    assert done.code == 2
    assert words in done.err


def test_checking_loads_neither_database_nor_web_nor_queue(late_plan):
    code = (
        "import sys, cli.main as m\n"
        f"m.run(['check', '--as-of', '2026-03-24', '--format', 'json', {str(late_plan)!r}])\n"
        "heavy = {'sqlalchemy', 'flask', 'dramatiq', 'redis', 'rich', 'alembic', 'argon2', 'httpx', 'openpyxl', 'structlog', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=180, check=True)
    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_no_failure(tmp_path):
    many = [{**one, "subject": f"case-{n}", "id": f"{one['id']}-{n}"} for n in range(40) for one in LATE_PLAN]
    file = write(tmp_path / "e.jsonl", *many)
    command = [sys.executable, "-m", "cli.main", "check", "--as-of", "2026-03-24", "--format", "json", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(120) == 141


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(duecare, name):
    done = duecare(name, "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: duecare")


def test_the_version_is_told(duecare):
    assert duecare("--version").out.startswith("duecare, version ")


def test_verdicts_are_json_that_any_reader_takes(duecare, tmp_path):
    odd = 'case "ä"\u2028'
    file = write(tmp_path / "e.jsonl", *({**one, "subject": odd} for one in LATE_PLAN))
    done = duecare("check", "--policy", "cfss", "--as-of", "2026-03-24", "--format", "json", file)
    assert {v["case"] for v in json.loads(done.out)} == {odd}


@pytest.mark.parametrize(
    ("written", "words"),
    [("chekc", "There is no command 'chekc'. Did you mean 'check'?"), ("zzz", "There is no command 'zzz'.\n")],
)
def test_a_mistyped_command_is_told_with_the_one_that_was_meant(duecare, written, words):
    done = duecare(written)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_a_file_that_is_not_there_is_told_as_that_whatever_its_name(duecare, tmp_path):
    (tmp_path / "there").write_text("")
    assert "No such file" in duecare("check", "--as-of", "2026-03-24", tmp_path / "gone").err
    assert "is no file of a known kind" in duecare("check", "--as-of", "2026-03-24", tmp_path / "there").err
