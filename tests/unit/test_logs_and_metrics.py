"""Logs and metrics hold ids and codes: no name, no narrative, no row of a database error."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from service import logs
from service.metrics import GAUGES, Metrics, Standing, documented
from service.settings import Settings


@pytest.fixture
def lines(tmp_path):
    out = io.StringIO()
    root = logging.getLogger()
    before, level, configured = list(root.handlers), root.level, structlog.get_config()
    logs.configure(Settings(home=tmp_path), stream=out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**configured)


def test_a_line_is_json_with_its_ids(lines):
    logs.get("test").info("case_judged", case="k1")
    (line,) = lines()
    assert (line["event"], line["case"], line["level"], line["logger"]) == ("case_judged", "k1", "info", "duecare.test")


def test_an_error_tells_its_kind_and_place_and_not_its_words(lines):
    try:
        raise ValueError("Jane Doe, 12 Example Street")
    except ValueError as error:
        logs.get("test").error("failed", exc_info=error)
        logging.getLogger("some.package").exception("it failed")
    ours, theirs = lines()
    for line in (ours, theirs):
        assert line["error"] == "ValueError"
        assert "test_logs_and_metrics" in line["at"]
    assert "Jane" not in json.dumps([ours, theirs])


def test_what_runs_before_logging_is_set_up_is_as_discreet(caplog):
    try:
        raise ValueError("Jane Doe")
    except ValueError as error:
        logs.get("test").error("failed", exc_info=error)
    assert "ValueError" in caplog.text
    assert "Jane" not in caplog.text


def test_quiet_libraries_stay_quiet(lines):
    logging.getLogger("dramatiq.worker").info("Received message evaluate_case('k1')")
    assert lines() == []


def test_every_metric_is_documented_once():
    names = [name for name, _ in documented()]
    assert len(names) == len(set(names))
    assert all(name.startswith("duecare_") for name in names)
    assert all(meaning for _, meaning in documented())
    assert {gauge.name for gauge in GAUGES} <= set(names)


def test_figures_of_the_store_stand_beside_the_processs_own():
    metrics = Metrics(lambda: Standing(dirty=2, quarantined=1, verdicts={("cfss", "C08", "breached"): 3}, troubles={"clock": 1}))
    metrics.events.labels("accepted", "api").inc()
    text = metrics.text().decode()
    for line in (
        'duecare_events_total{result="accepted",via="api"} 1.0',
        "duecare_dirty_cases 2.0",
        "duecare_quarantined_cases 1.0",
        'duecare_trouble{code="clock"} 1.0',
        'duecare_verdicts{policy="cfss",rule="C08",verdict="breached"} 3.0',
    ):
        assert line in text


def test_a_store_that_is_away_leaves_its_figures_out():
    def away() -> Standing:
        raise OSError

    text = Metrics(away).text().decode()
    assert "duecare_dirty_cases" not in text
    assert "duecare_attributes_dropped_total" in text
