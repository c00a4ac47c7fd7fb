"""`duecare audit`: made, shown, kept, compared and scheduled from the command line, without a worker."""

from __future__ import annotations

import json
import re

import pytest

from service.audits.report import digest_of
from tests.cli.conftest import LATE_PLAN, write

AS_OF = ("--as-of", "2026-04-20")


@pytest.fixture
def ready(command, tmp_path):
    """A store with one case: three visits, no safety plan."""
    assert command("db", "upgrade").code == 0
    assert command("events", "import", write(tmp_path / "events.jsonl", *LATE_PLAN)).code == 0
    return command


def made(done):
    assert done.code == 0, done.err
    return re.search(r"Audit (\S+) of 1 case; its report is kept as ([0-9a-f]{64})\.", done.err).groups()


def test_an_audit_is_made_and_told(ready):
    done = ready("audit", "run", *AS_OF)
    audit, digest = made(done)
    assert "Audit as of Mon 20 April 2026" in done.out
    assert "1 case, of which 1 with a rule breached." in done.out
    assert re.search(r"C08 +A safety plan by the end of the 3rd visit +1 +0 +0 +1", done.out)
    assert ready("audit", "report", audit).out == done.out
    shown = ready("audit", "show", audit).out
    assert "full audit" in shown
    assert digest in shown
    assert [line.split("\t")[0] for line in ready("audit", "list").out.splitlines()] == ["id", audit]


@pytest.mark.parametrize("form", ["json", "csv", "html", "xlsx"])
def test_the_report_can_be_kept_in_every_form(ready, tmp_path, form):
    file = tmp_path / f"report.{form}"
    audit, digest = made(ready("audit", "run", *AS_OF, "--format", form, "--out", file))
    body = file.read_bytes()
    if form == "json":
        assert digest_of(body.decode()) == digest
        assert json.loads(ready("audit", "report", audit, "--format", "json").out)["as_of_on"] == "2026-04-20"
    elif form == "csv":
        assert body.decode("utf-8-sig").splitlines()[0].startswith("policy,rule,severity")
        assert digest in body.decode()
    elif form == "html":
        assert digest in body.decode()
        assert b"<script" not in body
    else:
        assert body[:2] == b"PK"


def test_a_pdf_is_made_or_what_is_missing_is_said(ready, tmp_path):
    done = ready("audit", "run", *AS_OF, "--format", "pdf", "--out", tmp_path / "report.pdf")
    if done.code == 0:
        assert (tmp_path / "report.pdf").read_bytes()[:5] == b"%PDF-"
    else:
        assert (done.code, "install duecare[pdf]" in done.err) == (2, True)


def test_only_a_part_is_looked_at(ready):
    done = ready("audit", "run", *AS_OF, "--incremental", "--policy", "cfss", "--team", "nobody", "--format", "json")
    report = json.loads(done.out)
    assert (report["kind"], report["scope"]["teams"], report["totals"]["cases"]) == ("incremental", ["nobody"], 0)


def test_two_audits_are_compared(ready):
    first, _ = made(ready("audit", "run", "--as-of", "2026-03-20"))
    second, _ = made(ready("audit", "run", *AS_OF))
    done = ready("audit", "compare", first, second)
    assert done.code == 0
    assert "C08\tbreached\t0\t1" in done.out
    assert "because: The day moved on from Fri 20 March 2026 to Mon 20 April 2026." in done.out


def test_an_interrupt_cancels_it(ready, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("service.audits.work.work", interrupt)
    assert ready("audit", "run").code == 130
    monkeypatch.undo()
    assert "cancelled" in ready("audit", "list").out


def test_what_was_left_unfinished_is_resumed(ready, monkeypatch):
    def die(*_, **__):
        raise SystemExit(9)

    monkeypatch.setattr("service.audits.work.work", die)
    with pytest.raises(SystemExit):
        ready("audit", "run")
    monkeypatch.undo()
    audit = ready("audit", "list").out.splitlines()[1].split("\t")[0]
    assert ready("audit", "resume", audit).code == 0
    assert "done" in ready("audit", "show", audit).out
    assert ready("audit", "cancel", audit).code == 2
    assert ready("audit", "judge-again", audit).code == 2


def test_schedules_are_made_listed_paused_and_removed(ready):
    done = ready("audit", "schedule", "add", "Every night", "30 2 * * *", "--zone", "Australia/Adelaide", "--team", "north")
    assert done.code == 0, done.err
    schedule = done.out.split("\t")[0]
    assert "30 2 * * *" in ready("audit", "schedule", "list").out
    assert ready("audit", "schedule", "pause", schedule).code == 0
    assert "paused by system" in ready("audit", "schedule", "list").out
    assert ready("audit", "schedule", "resume", schedule).code == 0
    assert ready("audit", "schedule", "remove", schedule).code == 0
    assert "no schedules" in ready("audit", "schedule", "list").err
    assert ready("audit", "schedule", "add", "x", "often", "--zone", "Australia/Adelaide").code == 2
