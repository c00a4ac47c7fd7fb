"""A session that is about to end says so in time; what was typed when it ended is offered again, on the pages of policies as well."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from service.websessions import IDLE
from tests.e2e.test_pages_in_a_browser import address, desk, sign_in
from tests.support.axe import violations
from tests.support.fakedesk import PASSWORD, FakeDesk

__all__ = ["address", "desk"]

pytestmark = pytest.mark.e2e
MINUTE = 60_000


def test_a_session_that_is_about_to_end_says_so_and_goes_on(browser: Browser, address: str, desk: FakeDesk) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    sign_in(page, address)
    page.goto(f"{address}/breaches/b0000")
    page.wait_for_selector("html[data-ready]", state="attached")
    told = page.locator("#ending")

    def later(minutes: int) -> None:
        desk.clock += minutes * MINUTE
        page.clock.fast_forward(minutes * MINUTE)

    later(IDLE // MINUTE - 6)
    expect(told).to_be_hidden()
    later(2)
    expect(told).to_contain_text("Your session ends in less than 5 minutes")
    assert violations(page) == []
    page.get_by_role("button", name="Stay signed in").click()
    expect(told).to_be_hidden()
    later(IDLE // MINUTE - 4)
    expect(told).to_be_visible()
    other = context.new_page()
    other.goto(f"{address}/help")
    expect(other.get_by_role("heading", level=1)).to_have_text("Help")
    expect(told).to_be_hidden()
    later(IDLE // MINUTE + 1)
    expect(told).to_contain_text("Your session is over")
    expect(page.get_by_role("button", name="Stay signed in")).to_be_hidden()
    context.close()


def test_a_reason_for_a_change_of_policy_is_kept_too_until_it_is_sent(browser: Browser, address: str, desk: FakeDesk) -> None:
    desk.roles = frozenset({"manager"})
    page = browser.new_page()
    sign_in(page, address)
    page.goto(f"{address}/policies/cfss/parameters/family_contact_days")
    page.wait_for_selector("html[data-drafts]", state="attached")
    page.get_by_label("Number of days").fill("14")
    page.get_by_label("Why").fill("The minutes of March say so.")
    page.context.clear_cookies()
    page.get_by_role("button", name="Propose it").click()
    page.get_by_role("button", name="Sign in and go back to the page").click()
    page.get_by_label("User name").fill("kim")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_label("Why")).to_have_value("The minutes of March say so.")
    expect(page.get_by_label("Number of days")).to_have_value("14")
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_role("status")).to_contain_text("Proposed")
    page.goto(f"{address}/policies/cfss/parameters/family_contact_days")
    page.wait_for_selector("html[data-drafts]", state="attached")
    expect(page.locator(".dc-draft")).to_have_count(0)
    page.close()
