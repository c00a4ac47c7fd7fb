"""The examples for operators, alerts and a dashboard, ask for measurements that there are, and the measurements are all shown."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.metrics import GAUGES, Metrics, documented

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "duecare.json"
LABELS = {gauge.name: set(gauge.labels) for gauge in GAUGES}
for _metric in vars(Metrics()).values():
    if hasattr(_metric, "_labelnames"):
        LABELS[_metric._name + ("_total" if _metric._type == "counter" else "")] = set(_metric._labelnames)


def alerts() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    return made


def panels() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return made


ASKED = [(rule["alert"], rule["expr"]) for rule in alerts()] + [
    (panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]
]


def names(expression: str) -> set[str]:
    """The measurements that an expression asks for, without the suffix of a histogram's parts."""
    return {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"\bduecare_\w+", re.sub(r'"[^"]*"', "", expression))}


@pytest.mark.parametrize(("where", "expression"), ASKED, ids=[where for where, _ in ASKED])
def test_what_is_asked_for_is_measured_with_these_labels(where: str, expression: str) -> None:
    known = {name for name, _ in documented()}
    assert names(expression) <= known
    assert names(expression) or "up{" in expression
    for name, inside in re.findall(r"\b(duecare_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*=", inside)) <= LABELS[name]
    for grouped, rest in re.findall(r"by \(([^)]*)\)\s*(.*)", expression):
        held = set().union(*(LABELS.get(name, set()) for name in names(rest))) | {"le", "job", "instance"}
        assert {label.strip() for label in grouped.split(",")} <= held


def test_codes_that_alerts_ask_for_are_those_that_operators_are_told_of() -> None:
    table = (ROOT / "docs" / "how-to" / "run-in-production.md").read_text()
    asked = {code for rule in alerts() for codes in re.findall(r'code=~?"([^"]*)"', rule["expr"]) for code in codes.split("|")}
    assert {"machines_differ", "newer_tables"} <= asked
    for code in asked:
        assert f"`{code}`" in table, code


def test_every_measurement_is_on_the_dashboard_and_on_the_page() -> None:
    shown = set().union(*(names(target["expr"]) for panel in panels() for target in panel["targets"]))
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    for name, _ in documented():
        assert name in shown
        assert f"`{name}`" in page


def test_every_alert_says_what_is_so_and_what_to_do_and_is_on_the_page() -> None:
    page = (ROOT / "docs" / "how-to" / "watch-duecare.md").read_text()
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "do"}
        assert f"`{rule['alert']}`" in page, rule["alert"]


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        taken |= cells
        assert at["x"] + at["w"] <= 24


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml"), ("check", "config", "--syntax-only", "prometheus.yml")],
)
def test_prometheus_takes_the_examples(promtool: str, arguments: tuple[str, ...]) -> None:
    done = subprocess.run([promtool, *arguments], cwd=ALERTS.parent, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
