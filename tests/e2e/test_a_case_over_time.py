"""A case looked at over time in a real browser: the sliders by keyboard and by mouse, without script, on a phone, read by axe."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_a_reviewers_day import enter, ready
from tests.support.axe import overflow, violations
from tests.support.running import Running
from tests.support.service_kit import connected, event, plan, visit

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product with one closed case: the plan was made on the day of the third visit, and recorded 16 days later."""
    with Running(tmp_path_factory.mktemp("home")) as running:
        key = running.run("keys", "create", "tests", "--scope", "events:write", "--scope", "cases:read").split()[-1]
        members = [{"person": "p1", "role": "parent"}, {"person": "c1", "role": "child"}]
        events = [
            connected(),
            event("household.recorded", "2026-03-02T10:00", {"members": members}),
            *(visit(f"2026-03-{day}T10:00", seen=["p1", "c1"]) for day in ("09", "16", "23")),
            plan("2026-03-23T16:00", rec="2026-04-08T09:00"),
            event("case.closed", "2026-07-01T10:00", {"closure_reason": "moved"}),
        ]
        assert {result["status"] for result in running.post(events, key)["results"]} == {"accepted"}
        running.wait("/v1/cases", key, 1)
        yield running


def test_a_case_over_time(browser: Browser, product: Running) -> None:
    page = browser.new_context(viewport={"width": 1366, "height": 900}, locale="en-AU").new_page()
    enter(page, product, "admin", product.password)
    page.goto(f"{product.address}/cases/k1")
    ready(page)
    _the_sliders_judge_anew_and_keep_the_focus(page)
    _both_days_move_together(page)
    _a_sign_tells_what_it_stands_for_and_leads_to_the_words(page)
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert overflow(page) <= 0
    state = page.context.storage_state()
    page.context.close()
    plain = browser.new_context(java_script_enabled=False, storage_state=state).new_page()
    _it_works_without_script(plain, product.address)
    plain.context.close()


def _the_sliders_judge_anew_and_keep_the_focus(page: Page) -> None:
    slider = page.get_by_role("slider", name="Slide the day as at")
    field = page.locator("#as_of")
    field.fill("2026-03-24")
    expect(page.locator("#said")).to_contain_text("as at Tue 24 March 2026")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("24 March 2026"))
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#said")).to_contain_text("as at Sun 22 March 2026")
    expect(page.locator("#g-due_soon")).to_contain_text("A safety plan by the end of the 3rd visit")
    expect(page).to_have_url(re.compile(r"/cases/k1\?as_of=2026-03-22$"))
    expect(field).to_have_value("2026-03-22")
    expect(slider).to_be_focused()
    known = page.get_by_role("slider", name="Slide the day as known at")
    page.locator("#known_at").fill("2026-04-01")
    field.fill("2026-04-01")
    expect(page.locator("#g-breached")).to_contain_text("9 days overdue on Wed 1 April 2026")
    known.focus()
    page.locator("#known_at").fill("2026-04-08")
    expect(page.locator("#said")).to_contain_text("as known on Wed 8 April 2026")
    expect(page.locator("#g-breached", has_text="Rule C08")).to_have_count(0)
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 14, box["y"] + box["height"] / 2)
    expect(page.locator("#judged")).to_contain_text(re.compile("Judged as of .* (February|March) 2026"))
    page.get_by_role("link", name="On to").click()
    expect(page.locator("#judged")).to_contain_text(re.compile("Judged as of .* March 2026"))
    page.get_by_role("link", name="Back to now").click()
    expect(page).to_have_url(re.compile("/cases/k1$"))
    expect(field).to_have_value("")


def _both_days_move_together(page: Page) -> None:
    page.get_by_label("Move both days together").check()
    page.locator("#as_of").fill("2026-04-02")
    expect(page.locator("#said")).to_contain_text("as at Thu 2 April 2026.")
    expect(page.locator("#known_at")).to_have_value("2026-04-02")
    expect(page.locator("#g-breached")).to_contain_text("10 days overdue")
    page.get_by_label("Move both days together").uncheck()
    page.locator("#known_at").fill("")
    expect(page.locator("#g-breached", has_text="Rule C08")).to_have_count(0)


def _a_sign_tells_what_it_stands_for_and_leads_to_the_words(page: Page) -> None:
    sign = page.locator("[data-tip*='3rd that counts']")
    sign.hover()
    expect(page.locator(".dc-tip")).to_have_text("Visit held (3rd that counts), Mon 23 Mar 2026")
    page.keyboard.press("Escape")
    expect(page.locator(".dc-tip")).to_be_hidden()
    sign.click()
    expect(page.locator("#d-2026-03-23")).to_be_in_viewport()
    page.get_by_text("The picture in words").click()
    expect(page.locator("#in-words")).to_contain_text("Child c1")


def _it_works_without_script(page: Page, address: str) -> None:
    page.goto(f"{address}/cases/k1")
    expect(page.locator(".dc-look__slide").first).to_be_hidden()
    page.locator("#as_of").fill("2026-04-01")
    page.locator("#known_at").fill("2026-04-01")
    page.get_by_role("button", name="Judge").click()
    expect(page.locator("#g-breached")).to_contain_text("9 days overdue on Wed 1 April 2026")
    page.get_by_role("link", name="Back to Mon 23 Mar 2026").click()
    expect(page.locator("#judged")).to_contain_text("Judged as of Mon 23 March 2026")
