"""A policy changes in a real browser against the product as it is served: proposed, tried on the cases, approved by another person."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.e2e.test_a_reviewers_day import enter, ready
from tests.support.axe import overflow, violations
from tests.support.running import Running
from tests.support.service_kit import event, three_visits, visit

pytestmark = pytest.mark.e2e

LAPTOP: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
FINDS = 90_000
"""ms within which the workers have judged a few cases."""


@pytest.fixture(scope="module")
def key() -> list[str]:
    return []


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, key: list[str]) -> Iterator[Running]:
    """The product with two cases in which nobody can say whether the family is met regularly: the number is not set."""
    with Running(tmp_path_factory.mktemp("home")) as running:
        key.append(running.run("keys", "create", "tests", "--scope", "events:write", "--scope", "breaches:read").split()[-1])
        for case in ("k1", "k2"):
            agreed = event("case_plan.recorded", "2026-03-24T09:00", {"plan": "cp", "version": 1, "status": "agreed"}, case=case)
            told = running.post([*three_visits(case), agreed, visit("2026-04-20T10:00", case=case)], key[0])
            assert {result["status"] for result in told["results"]} == {"accepted"}
        running.wait("/v1/verdicts?rule=C20", key[0], 2)
        yield running


def person(browser: Browser, product: Running, name: str, role: str) -> Page:
    context: BrowserContext = browser.new_context(viewport=LAPTOP, locale="en-AU")
    page = context.new_page()
    enter(page, product, name, product.account(name, role))
    return page


def wrong(page: Page, what: str) -> list[str]:
    """What axe finds on a page, and whether it scrolls sideways on a phone."""
    ready(page)
    found = [f"{what}: {fault}" for fault in violations(page)]
    page.set_viewport_size(PHONE)
    found += [f"{what} on a phone: {overflow(page)} px too wide"] if overflow(page) > 0 else []
    found += [f"{what} on a phone: {fault}" for fault in violations(page)]
    page.set_viewport_size(LAPTOP)
    return found


def test_two_persons_set_a_number_and_the_cases_that_waited_are_judged(browser: Browser, product: Running, key: list[str]) -> None:
    kim, robin = person(browser, product, "kim", "policy_owner"), person(browser, product, "robin", "manager")
    faults = []

    kim.get_by_role("navigation", name="Menu").get_by_role("link", name="Policies").click()
    faults += wrong(kim, "policies")
    kim.get_by_role("link", name="Child and Family Support System journey").click()
    question = kim.locator(".dc-questions > li", has_text="family_contact_days")
    expect(question).to_contain_text("2 cases wait")
    faults += wrong(kim, "a policy")
    question.get_by_role("link", name="Set family_contact_days").press("Enter")
    expect(kim.get_by_role("heading", level=1)).to_have_text("Set family_contact_days")
    ready(kim)
    kim.get_by_role("button", name="Propose it").press("Enter")
    expect(kim.locator(".govuk-error-summary")).to_be_focused()
    expect(kim.get_by_role("alert")).to_contain_text("Give a number of days")
    faults += wrong(kim, "a number with errors")
    kim.get_by_role("link", name="Give a number of days").press("Enter")
    expect(kim.get_by_label("Number of days")).to_be_focused()
    kim.keyboard.type("7")
    kim.get_by_label("Leave what has begun as it is").focus()
    kim.keyboard.press("ArrowDown")
    kim.keyboard.press("Tab")
    kim.keyboard.type("Agreed with the department.")
    faults += wrong(kim, "a number")
    kim.keyboard.press("Tab")
    kim.keyboard.press("Enter")

    expect(kim.get_by_role("heading", level=1)).to_have_text("family_contact_days = 7 days (was not set)")
    expect(kim.get_by_role("status").first).to_contain_text("Nothing has changed yet")
    expect(kim.locator(".dc-side")).to_contain_text("You proposed it: another person has to approve it.")
    expect(kim.get_by_role("button", name="Approve")).to_have_count(0)
    faults += wrong(kim, "a proposal of one's own")
    ready(kim)
    kim.get_by_role("button", name="Try it on the stored cases").press("Enter")
    expect(kim.locator("#live-backtest")).to_contain_text("2 cases judged", timeout=FINDS)
    expect(kim.locator("#live-backtest")).to_contain_text("4 gained, 0 lost")
    faults += wrong(kim, "a proposal that was tried")
    kim.get_by_role("link", name="The whole report").click()
    expect(kim.get_by_role("heading", name="Examples to open")).to_be_visible()
    faults += wrong(kim, "a backtest")
    kim.get_by_role("link", name="Case k1").first.click()
    expect(kim).to_have_url(re.compile("/cases/k1$"))

    robin.goto(f"{product.address}/policies")
    robin.get_by_role("link", name="family_contact_days = 7 days").click()
    ready(robin)
    faults += wrong(robin, "a proposal to answer")
    robin.get_by_label("Comment").fill("As agreed.")
    robin.get_by_role("button", name="Approve").press("Enter")
    expect(robin.get_by_role("status").first).to_contain_text("Approved: family_contact_days = 7 days")
    faults += wrong(robin, "a proposal that was approved")

    product.wait("/v1/breaches?rule=C20", key[0], 2)
    robin.goto(f"{product.address}/policies/cfss/rules/C20")
    expect(robin.locator(".dc-figures")).to_contain_text("Breached")
    expect(robin.locator("[aria-labelledby=versions]")).to_contain_text("approved by robin")
    robin.locator("main details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    faults += wrong(robin, "a rule")
    robin.locator(".dc-figures").get_by_role("link").first.click()
    expect(robin.locator("[data-row]").first).to_contain_text("Rule C20")
    for page in (kim, robin):
        page.context.close()
    assert not faults, "\n".join(faults)


def test_a_text_with_faults_is_told_with_its_lines(browser: Browser, product: Running) -> None:
    page = person(browser, product, "lee", "policy_owner")
    page.goto(f"{product.address}/policies/cfss")
    page.get_by_role("link", name="Propose another text of this policy").click()
    ready(page)
    faults = wrong(page, "another text")
    page.get_by_label("The policy file").set_input_files(
        {"name": "cfss.yaml", "mimeType": "application/yaml", "buffer": b"policy: cfss\ntitel: Journey\n"}
    )
    page.get_by_label("Why").fill("A better title.")
    page.get_by_role("button", name="Check and propose it").click()
    expect(page.get_by_role("alert")).to_contain_text("found in it")
    expect(page.get_by_role("table")).to_contain_text("cfss.yaml, line 2")
    expect(page.get_by_role("table")).to_contain_text("did you mean 'title'?")
    expect(page.get_by_label("Why")).to_have_value("A better title.")
    faults += wrong(page, "another text with findings")
    page.context.close()
    assert not faults, "\n".join(faults)
