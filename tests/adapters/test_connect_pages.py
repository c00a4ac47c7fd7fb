"""The source files on the pages about systems with adapters of their own are ones that duecare takes, and the pages show what it says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules.policy import load_policy
from service.sources.definitions import read_file
from tests.support import commcareworld, dhis2world
from tests.support.walkthrough import Walk
from tests.support.webworld import Site

ROOT = Path(__file__).parents[2]
APRIL = dt.datetime(2026, 4, 7, 9, tzinfo=dt.timezone(dt.timedelta(hours=9, minutes=30)))


@pytest.mark.parametrize("adapter", ["primero", "fhir", "commcare", "dhis2"])
def test_the_source_file_on_the_page_can_be_used_as_it_stands(adapter: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml[^\n]*\n(.*?)```", _page(adapter).read_text(), re.DOTALL)
    path = tmp_path / "source.yaml"
    path.write_text(block)
    found = read_file(path, load_policy(ROOT / "rules" / "policies" / "cfss.yaml").catalogue)
    assert (found.kind.name, found.mapping.name) == (adapter, adapter)


def commcare() -> commcareworld.CommCare:
    made = commcareworld.CommCare()
    commcareworld.a_family(made)
    return made


def dhis2() -> dhis2world.Dhis2:
    made = dhis2world.Dhis2()
    dhis2world.a_family(made)
    return made


@pytest.mark.parametrize("system", [commcare, dhis2])
def test_the_page_shows_what_its_commands_say(system: Callable[[], Any], tmp_path: Path) -> None:
    page, made = _page(system.__name__), system()
    (base,) = re.findall(r"base: \S+", page.read_text())
    (tmp_path / "reader").mkdir()
    with Site(made) as site:
        site.now = lambda: made.now
        here = {base: f"base: {site.base}\n  allow_private: true"}
        walk = Walk(tmp_path / "reader", tmp_path / "home", stand_ins=here, today=APRIL)
        walk.through(page)
    assert walk.steps_done > 4


def _page(adapter: str) -> Path:
    return ROOT / "docs" / "how-to" / f"connect-{adapter}.md"
