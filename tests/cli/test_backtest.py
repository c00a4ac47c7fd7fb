"""`duecare policy backtest` and `backtests`: a version tried on the stored cases from the command line, without a worker."""

from __future__ import annotations

import json
import re

import pytest

from rules.policy import shipped
from service.backtests.report import digest_of
from tests.cli.conftest import LATE_PLAN, write
from tests.support.backtests import LATER

AS_OF = "2026-04-20"


@pytest.fixture
def ready(command, tmp_path):
    """A store with one case: three visits, no safety plan."""
    assert command("db", "upgrade").code == 0
    assert command("events", "import", write(tmp_path / "events.jsonl", *LATE_PLAN)).code == 0
    return command


@pytest.fixture
def later(tmp_path):
    """A file of the shipped policy in which the safety plan is due a visit later."""
    folder = tmp_path / "later"
    folder.mkdir()
    (folder / "calendars").symlink_to(shipped()["cfss"].parent / "calendars")
    (folder / "catalogue.yaml").write_bytes((shipped()["cfss"].parent / "catalogue.yaml").read_bytes())
    text = shipped()["cfss"].read_text("utf-8")
    for old, new in LATER.items():
        text = text.replace(old, new)
    return write(folder / "cfss.yaml", text)


def test_a_file_is_compared_with_what_is_in_force(ready, later):
    done = ready("policy", "backtest", later, "--as-of", AS_OF)
    assert done.code == 0, done.err
    assert "Breaches, open or mended late: " in done.out
    assert "C08 A safety plan by the end of the 3rd visit: breaches lost (1)" in done.out
    assert "now:  No completed safety plan by the end of the 3rd visit, Mon 23 March 2026" in done.out
    assert re.search(r"Backtest \S+ of 1 case; its report is kept as [0-9a-f]{64}\.", done.err)


def test_the_report_can_be_kept_and_shown_again(ready, later, tmp_path):
    done = ready("policy", "backtest", later, "--as-of", AS_OF, "--format", "json", "--out", tmp_path / "report.json")
    assert (done.code, done.out) == (0, "")
    backtest, digest = re.search(r"Backtest (\S+) of .* kept as (\S+)\.", done.err).groups()
    text = (tmp_path / "report.json").read_text("utf-8")
    assert digest_of(text.rstrip("\n")) == digest
    assert ready("policy", "backtests", backtest, "--format", "json").out == text
    assert json.loads(text)["totals"]["obligations"]["lost"] == 1
    page = ready("policy", "backtests", backtest, "--format", "html").out
    assert page.startswith("<!doctype html>")
    assert digest in page
    listed = ready("policy", "backtests").out.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["id", backtest]
    assert "done" in listed[1]
    assert "1 of 1" in listed[1]
    assert ready("policy", "backtests", "--policy", "another").err == "There are no backtests.\n"


def test_parameters_can_be_tried(ready):
    done = ready("policy", "backtest", "cfss", "--param", "cfss.household_days=3", "--as-of", AS_OF, "--since", "2026-03-01")
    assert done.code == 0, done.err
    assert "Parameters: household_days 3 (was not set)." in done.out
    assert "C04 The household is recorded: breaches gained (1)" in done.out
    assert "Only what began on Sun 1 March 2026 or later is compared." in done.out


def test_a_version_on_record_is_tried_by_its_digest(ready, later):
    first = ready("policy", "backtest", later, "--as-of", AS_OF, "--format", "json")
    again = ready("policy", "backtest", first.json["candidate"]["digest"], "--as-of", AS_OF, "--format", "json")
    assert again.json["rows"] == first.json["rows"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "No policy or file 'nothing'"),
        (["0" * 64], "no version of this digest"),
        (["cfss", "--param", "cfss.household_days=often"], "takes a whole number"),
        (["cfss", "--since", "yesterday"], "--since"),
        (["cfss", "--since", "2026-05-01", "--as-of", AS_OF], "since"),
    ],
)
def test_what_cannot_be_tried_is_told(ready, arguments, words):
    done = ready("policy", "backtest", *arguments)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_report_that_is_not_there_is_told(ready):
    done = ready("policy", "backtests", "nothing")
    assert done.code == 2
    assert "no such backtest" in done.err


def test_an_interrupt_cancels_it(ready, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("service.backtests.work.work", interrupt)
    assert ready("policy", "backtest", "cfss").code == 130
    monkeypatch.undo()
    assert "cancelled" in ready("policy", "backtests").out


def test_what_fails_is_told_with_its_reason(ready, monkeypatch):
    def fail(svc, backtest, **_):
        from store.backtests import JOBS

        with svc.writing() as session:
            return JOBS.end(session, backtest, "failed", now=1, error="20 workers died over the cases from a to b")

    monkeypatch.setattr("service.backtests.work.work", fail)
    done = ready("policy", "backtest", "cfss")
    assert done.code == 3
    assert "20 workers died over the cases from a to b" in done.err
