"""Two people at one thing, and one person who is interrupted: nothing is overwritten, and nothing that somebody typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_a_reviewers_day import OWN, enter, ready
from tests.support.axe import overflow, violations
from tests.support.overseen import until
from tests.support.running import Running
from tests.support.service_kit import three_visits, visit

pytestmark = pytest.mark.e2e

TEXT = "Spoke with the team on Monday; the register says otherwise."


@pytest.fixture(scope="module")
def key(product: Running) -> str:
    return product.run("keys", "create", "tests", "--scope", "events:write", "--scope", "breaches:read").split()[-1]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def breaches(product: Running, key: str) -> list[str]:
    """The addresses of the breaches of rule C08, by case, in a list by case."""
    product.post([event for case in ("k1", "k2", "k3") for event in three_visits(case)], key)
    product.wait("/v1/breaches?rule=C08", key, 3)
    return [f"{product.address}/breaches?rule=C08&sort=case"]


def someone(browser: Browser, product: Running, name: str, *roles: str) -> Page:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    enter(page, product, name, product.account(name, *roles))
    return page


def open_case(page: Page, breaches: list[str], case: str) -> None:
    page.goto(breaches[0])
    ready(page)
    page.locator("[data-row]", has_text=f"Case {case}").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/breaches/.*\?in=rule"))
    ready(page)


def shows(page: Page, word: str) -> bool:
    """Whether the breach stands so by now."""
    page.reload()
    return page.locator(".dc-tag", has_text=word).count() > 0


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(OWN)
    page.get_by_role("button", name="Sign in").click()


def test_the_second_of_two_reviewers_is_told_what_the_first_did_and_goes_on(
    browser: Browser, product: Running, breaches: list[str]
) -> None:
    kim, robin = someone(browser, product, "kim", "reviewer"), someone(browser, product, "robin", "reviewer")
    for page in (kim, robin):
        open_case(page, breaches, "k1")
    kim.get_by_role("button", name="Assign to me").click()
    expect(kim.get_by_role("status")).to_contain_text("Assigned")
    kim.get_by_label("Uphold").check()
    kim.get_by_label("Comment", exact=True).fill("The visits are clear.")
    kim.get_by_role("button", name="Save the finding").click()
    expect(kim.get_by_role("status")).to_contain_text("Upheld")
    robin.get_by_label("Dismiss").check()
    robin.get_by_label("Reason", exact=True).select_option("record_error")
    robin.get_by_label("Comment", exact=True).fill(TEXT)
    robin.get_by_role("button", name="Save the finding").click()
    told = robin.get_by_role("alert")
    for words in (
        "Somebody else changed this breach while you were reading",
        "Upheld by kim",
        "Assigned to kim by kim",
        "The visits are clear.",
    ):
        expect(told).to_contain_text(words)
    expect(robin.get_by_label("Comment", exact=True)).to_have_value(TEXT)
    expect(robin.locator(".dc-draft")).to_have_count(0)
    assert violations(robin) == []
    robin.get_by_role("button", name="Send it again").click()
    expect(robin.get_by_role("status")).to_contain_text("Dismissed")
    expect(robin.locator(".dc-history > li").nth(0)).to_contain_text("by robin")
    expect(robin.locator(".dc-history > li").nth(1)).to_contain_text("by kim")
    ready(robin)
    robin.keyboard.press("j")
    expect(robin.locator("dl.dc-facts")).to_contain_text("k2")
    robin.get_by_role("link", name="Previous breach").click()
    expect(robin.locator("dl.dc-facts")).to_contain_text("k1")
    ready(robin)
    expect(robin.get_by_label("Comment", exact=True)).to_have_value("")
    expect(robin.locator(".dc-draft")).to_have_count(0)
    for page in (kim, robin):
        page.context.close()


def test_a_waiver_takes_two_people_and_is_void_when_the_evidence_changes(
    browser: Browser, product: Running, breaches: list[str], key: str
) -> None:
    asks, answers = someone(browser, product, "ann", "reviewer"), someone(browser, product, "mo", "manager")
    open_case(asks, breaches, "k2")
    asks.get_by_role("link", name="Ask for a waiver").click()
    ready(asks)
    assert violations(asks) == []
    asks.get_by_label("Comment", exact=True).fill(TEXT)
    asks.get_by_role("button", name="Ask for the waiver").click()
    expect(asks.get_by_role("alert")).to_contain_text("Give the last day of the waiver")
    expect(asks.get_by_label("Comment", exact=True)).to_have_value(TEXT)
    asks.get_by_label("Reason for the waiver").select_option("unsafe")
    asks.get_by_label("Last day").evaluate("field => { field.valueAsDate = new Date(Date.now() + 40 * 86400000) }")
    asks.get_by_role("button", name="Ask for the waiver").click()
    expect(asks.get_by_role("status")).to_contain_text("Asked for a waiver")
    asks.get_by_role("link", name="It is not safe to do it now").click()
    expect(asks.get_by_text("it takes another person to approve it: a manager")).to_be_visible()
    expect(asks.get_by_label("Approve")).to_have_count(0)

    answers.get_by_role("navigation", name="Menu").get_by_role("link", name="Waivers").click()
    answers.get_by_role("link", name="For you to answer (1)").click()
    ready(answers)
    assert violations(answers) == []
    answers.get_by_role("link", name="It is not safe to do it now").click()
    expect(answers.get_by_text(TEXT)).to_be_visible()
    answers.get_by_label("Approve").check()
    answers.get_by_label("Comment", exact=True).fill("Until they have moved.")
    answers.get_by_role("button", name="Send the answer").click()
    expect(answers.get_by_role("status")).to_contain_text("Approved the waiver")
    expect(answers.get_by_text("Approved by mo")).to_be_visible()
    answers.set_viewport_size({"width": 390, "height": 844})
    assert violations(answers) == []
    assert overflow(answers) <= 0

    open_case(asks, breaches, "k2")
    until(lambda: shows(asks, "Excused"))
    expect(asks.locator(".dc-tag", has_text="Excused")).to_be_visible()
    expect(asks.locator(".dc-history")).to_contain_text("Until they have moved.")
    product.post([visit("2026-03-20T10:00", case="k2")], key)
    until(lambda: shows(asks, "Open"))
    expect(asks.locator(".dc-history")).to_contain_text("The waiver no longer holds, since the evidence changed")
    expect(asks.locator(".dc-history")).to_contain_text("k2-visit.held-2026-03-20T10:00")
    for page in (asks, answers):
        page.context.close()


def test_what_was_typed_when_the_session_ended_is_offered_to_the_same_person_alone(
    browser: Browser, product: Running, breaches: list[str]
) -> None:
    page, sent = someone(browser, product, "lee", "reviewer"), []
    page.on("request", lambda request: sent.append(request.url))
    open_case(page, breaches, "k3")
    page.get_by_label("Dismiss").check()
    page.get_by_label("Comment", exact=True).fill(TEXT)
    product.run("users", "disable", "lee")
    page.get_by_role("button", name="Save the finding").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your session ended while the page was open")
    expect(page.get_by_label("What you wrote, to copy")).to_have_value(TEXT)
    assert violations(page) == []
    product.run("users", "disable", "lee", "--undo")
    page.get_by_role("button", name="Sign in and go back to the page").click()
    expect(page.get_by_text("Your session is over")).to_be_visible()
    sign_in(page, "lee")
    expect(page).to_have_url(re.compile(r"/breaches/.*\?in=rule"))
    expect(page.locator(".dc-draft")).to_contain_text(TEXT)
    ready(page)
    assert violations(page) == []
    page.reload()
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_label("Comment", exact=True)).to_have_value(TEXT)
    expect(page.get_by_label("Dismiss")).to_be_checked()
    here = page.url
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You have signed out")
    page.wait_for_function("sessionStorage.getItem('duecare.drafts') === null")
    sign_in(page, "lee")
    page.goto(here)
    page.wait_for_selector("html[data-drafts]", state="attached")
    expect(page.locator(".dc-draft")).to_have_count(0)
    page.get_by_label("Comment", exact=True).fill(TEXT)
    page.context.clear_cookies()
    page.goto(here)
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill(product.password)
    page.get_by_role("button", name="Sign in").click()
    for label, value in (("One-time password", product.password), ("New password", OWN), ("New password again", OWN)):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save the new password").click()
    page.goto(here)
    page.wait_for_selector("html[data-drafts]", state="attached")
    expect(page.locator(".dc-draft")).to_have_count(0)
    expect(page.get_by_label("Comment", exact=True)).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('duecare.drafts')") is None
    assert not [url for url in sent if "register" in url]
    page.context.close()
