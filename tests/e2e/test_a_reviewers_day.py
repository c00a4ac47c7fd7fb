"""A reviewer's day in a real browser against the product as it is served: events in, breaches out, reviewed, judged at other days."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import overflow, violations
from tests.support.running import Running
from tests.support.service_kit import plan, three_visits

pytestmark = pytest.mark.e2e

OWN = "a phrase of one's own"
CASES = ("k1", "k2", "k3", "k4")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product with four cases: none has a safety plan in time; k4's is on record 16 days late, though it was done in time."""
    with Running(tmp_path_factory.mktemp("home")) as running:
        key = running.run("keys", "create", "tests", "--scope", "events:write", "--scope", "breaches:read").split()[-1]
        events = [event for case in CASES for event in three_visits(case)]
        events.append(plan("2026-03-23T16:00", case="k4", rec="2026-04-08T09:00"))
        assert {result["status"] for result in running.post(events, key)["results"]} == {"accepted"}
        running.wait("/v1/breaches?rule=C08", key, 3)
        yield running


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-ready]", state="attached")


def enter(page: Page, product: Running, name: str, password: str) -> None:
    """Sign in for the first time: with the one-time password, which has to be changed."""
    page.goto(f"{product.address}/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your password")
    page.get_by_label("One-time password").fill(password)
    page.get_by_label("New password", exact=True).fill(OWN)
    page.get_by_label("New password again").fill(OWN)
    page.get_by_role("button", name="Save the new password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    ready(page)


def test_from_the_first_sign_in_to_a_review_by_keyboard(page: Page, product: Running) -> None:
    enter(page, product, "admin", product.password)
    page.get_by_role("navigation", name="Menu").get_by_role("link", name="Breaches").click()
    page.locator("summary", has_text="Rule").click()
    page.get_by_role("checkbox", name=re.compile("^C08 ")).check()
    page.get_by_role("checkbox", name=re.compile("^Open")).check()
    page.get_by_label("Order").select_option("case")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"/breaches\?(?=.*rule=C08)(?=.*condition=open)(?!.*team=)"))
    expect(page.locator(".dc-stamp")).to_contain_text("3 breaches")
    ready(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("No completed safety plan by the end of the 3rd visit, Mon 23 March 2026")
    ready(page)
    assert violations(page) == []
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged")
    expect(page.locator(".dc-history")).to_contain_text("by admin")
    page.get_by_label("Uphold").check()
    page.get_by_label("Comment", exact=True).fill("Spoke with the team.")
    page.get_by_role("button", name="Save the finding").click()
    expect(page.locator(".dc-history")).to_contain_text("Spoke with the team.")
    expect(page.locator(".dc-tag", has_text="Upheld")).to_be_visible()
    page.get_by_label("Breadcrumb").get_by_role("link", name="Breaches").click()
    expect(page).to_have_url(re.compile(r"rule=C08.*#b-"))


def test_a_case_as_at_another_day(page: Page, product: Running) -> None:
    enter(page, product, "lee", product.account("lee", "viewer"))
    page.goto(f"{product.address}/cases/k4")
    expect(page.locator("#g-breached")).not_to_contain_text("Rule C08")
    expect(page.locator(".is-late-record")).to_contain_text(["Safety plan recorded"])
    page.get_by_label("As at the end of").fill("2026-04-01")
    page.get_by_label("As known at the end of").fill("2026-04-01")
    page.get_by_role("button", name="Judge").click()
    expect(page.locator("#judged")).to_contain_text("Wed 1 April 2026")
    expect(page.locator("#judged")).to_contain_text("This is a look back")
    expect(page.locator("#g-breached")).to_contain_text("9 days overdue on Wed 1 April 2026")
    expect(page.locator("#g-breached").get_by_text("Acknowledge")).to_have_count(0)
    page.get_by_role("link", name="Back to now").click()
    expect(page).to_have_url(re.compile("/cases/k4$"))


def test_the_real_pages_pass_axe_at_both_sizes(browser: Browser, product: Running) -> None:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    enter(page, product, "mo", product.account("mo", "manager"))
    wrong = []
    for path in ("/", "/breaches", "/cases", "/cases/k4", "/due-soon", "/policies", "/policies/strengthening_families", "/status"):
        page.goto(product.address + path)
        ready(page)
        for group in page.locator("main details:not([open]) > summary").all():
            if group.is_visible():
                group.click()
        wrong += [f"{path}: {fault}" for fault in violations(page)]
        page.set_viewport_size({"width": 390, "height": 844})
        wrong += [f"{path} on a phone: {overflow(page)} px too wide"] if overflow(page) > 0 else []
        page.set_viewport_size({"width": 1366, "height": 768})
    page.context.close()
    assert not wrong, "\n".join(wrong)
