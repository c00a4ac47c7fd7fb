"""A session that is about to end says so in time, and goes on with one press; a page in another tab counts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from api.web import sessions
from tests.e2e.test_pages_in_a_browser import address, desk, sign_in
from tests.support.axe import violations
from tests.support.fakedesk import FakeDesk

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

    later(sessions.IDLE // MINUTE - 6)
    expect(told).to_be_hidden()
    later(2)
    expect(told).to_contain_text("Your session ends in less than 5 minutes")
    assert violations(page) == []
    page.get_by_role("button", name="Stay signed in").click()
    expect(told).to_be_hidden()
    later(sessions.IDLE // MINUTE - 4)
    expect(told).to_be_visible()
    other = context.new_page()
    other.goto(f"{address}/help")
    expect(other.get_by_role("heading", level=1)).to_have_text("Help")
    expect(told).to_be_hidden()
    later(sessions.IDLE // MINUTE + 1)
    expect(told).to_contain_text("Your session is over")
    expect(page.get_by_role("button", name="Stay signed in")).to_be_hidden()
    context.close()
