"""An audit in a real browser against the product as it is served: started, followed to its end, read, taken away, signed, compared."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_a_reviewers_day import enter, ready
from tests.support.axe import overflow, violations
from tests.support.running import Running
from tests.support.service_kit import plan, three_visits

pytestmark = pytest.mark.e2e

CASES = [f"k{number}" for number in range(1, 5)]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product with four cases, none of which has a safety plan in time."""
    with Running(tmp_path_factory.mktemp("home")) as running:
        key = running.run("keys", "create", "tests", "--scope", "events:write", "--scope", "breaches:read").split()[-1]
        running.post([event for case in CASES for event in three_visits(case)], key)
        running.wait("/v1/breaches?rule=C08", key, len(CASES))
        yield running


def start(page: Page, product: Running, *, day: str = "") -> None:
    """Start an audit as of the end of a day, and wait without touching anything until it is over."""
    page.goto(f"{product.address}/audits")
    ready(page)
    if not page.get_by_label("Full verification").is_visible():
        page.locator("summary", has_text="Start an audit").click()
    page.get_by_label("As the cases stood at the end of").fill(day)
    page.get_by_role("button", name="Start the audit").click()
    expect(page).to_have_url(re.compile(r"/audits/[0-9a-f-]+$"))
    expect(page.get_by_role("heading", name="What came out")).to_be_visible(timeout=120_000)
    ready(page)


def test_an_audit_from_its_start_to_a_comparison(page: Page, product: Running, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    enter(page, product, "mara", product.account("mara", "manager"))
    page.get_by_role("navigation", name="Menu").get_by_role("link", name="Audits").click()
    expect(page.get_by_role("heading", name="No audit has been made yet")).to_be_visible()
    start(page, product, day="2026-03-31")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Full verification as of Tue 31 March 2026, 23:59")
    expect(page.locator("#outcome ~ p").first).to_have_text(re.compile(r"^4 cases, of which 4 with a rule breached\.$"))
    expect(page.get_by_role("region", name="By rule").get_by_role("row", name=re.compile("^C08 "))).to_contain_text("A safety plan")
    assert violations(page) == []
    assert overflow(page) <= 0

    # The file is the report, whose digest stands on the page.
    with page.expect_download() as waiting:
        page.get_by_role("link", name="JSON: the report itself").click()
    waiting.value.save_as(tmp_path / "report.json")
    body = (tmp_path / "report.json").read_bytes()
    expect(page.locator("main")).to_contain_text(hashlib.sha256(body).hexdigest())
    assert json.loads(body)["totals"]["cases"] == len(CASES)

    # It is signed with words of one's own, once.
    page.get_by_label("What you have looked at").fill("The sample of four cases, each against its file.")
    page.get_by_role("button", name="Sign the report off").click()
    expect(page.get_by_role("status").filter(has_text="You have signed")).to_be_visible()
    expect(page.locator("#signed ~ p").first).to_contain_text("mara")
    expect(page.get_by_role("button", name="Sign the report off")).to_have_count(0)
    assert violations(page) == []

    # A plan comes on record, and the next audit of the same day differs by it.
    late = plan("2026-03-20T09:00", case="k2")
    key = product.run("keys", "create", "late", "--scope", "events:write").split()[-1]
    assert product.post([late], key)["results"][0]["status"] == "accepted"
    start(page, product, day="2026-03-31")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Two audits compared")
    ready(page)
    expect(page.locator(".dc-samples > li").filter(has_text="Case k2 rule C08").first).to_contain_text(late["id"])
    assert violations(page) == []
    page.goto(f"{product.address}/audits")
    expect(page.locator("[data-row]").nth(1)).to_contain_text("signed off by 1 person")
