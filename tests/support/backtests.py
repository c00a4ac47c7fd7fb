"""Versions to try and cases to try them on, for the tests of backtests."""

from __future__ import annotations

from typing import Any

from rules.policy import Policy, load_package, load_shipped, package_of
from service.access import system
from service.backtests import runs as backtest
from service.backtests.work import work
from service.bootstrap import Service
from service.policies import book as policybook
from store.backtests import Backtest
from tests.support.service_kit import connected, event, plan, three_visits, visit

CFSS = load_shipped("cfss")
_C08 = "requires: completed_safety_plan\n    by: {nth: 3, of: qualifying_visit, warn_after: 2}"
LATER = {_C08: _C08.replace("3", "4")}
"""C08 a visit later: what is breached with the third visit is due soon after it."""
EARLIER = {_C08: _C08.replace("3", "2").replace("after: 2", "after: 1")}
IN_SHADOW = {_C08: f"status: shadow\n    {_C08}"}


def changed(edits: dict[str, str], **values: int) -> Policy:
    """The shipped cfss with other words in its text and parameters set."""
    package = package_of(CFSS)
    texts = dict(package.files)
    for old, new in edits.items():
        assert texts[package.main].count(old) == 1, old
        texts[package.main] = texts[package.main].replace(old, new)
    return load_package(texts, package.main).with_parameters(values)


def kept(svc: Service, policy: Policy) -> str:
    """The version on record; its digest."""
    with svc.writing() as session:
        return policybook.keep(session, policy, now=svc.now())


def started(svc: Service, policy: Policy, *, chunk: int = 2, **how: Any) -> Backtest:
    return backtest.start(svc, system(), candidate=kept(svc, policy), chunk=chunk, **how)


def finished(svc: Service, made: Backtest) -> dict[str, Any]:
    """The report, after whatever is left to do has been done."""
    while not work(svc, made.id, give_way=False):
        pass
    return backtest.report(svc, system(), made.id)


def families() -> list[dict[str, Any]]:
    """Seven cases of two teams: k1 to k5 are without a plan after three visits, k6 has one, k7 has only begun."""
    events = [one for number in range(1, 7) for one in three_visits(f"k{number}")]
    events += [plan("2026-03-20T09:00", case="k6"), connected(case="k7"), visit("2026-03-09T10:00", case="k7")]
    moved = [event("case.transferred", "2026-03-03T09:00", {"to_team": "south"}, case=f"k{number}") for number in (4, 5)]
    return [*events, *moved]
