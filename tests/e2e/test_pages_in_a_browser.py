"""Every page and state in a real browser: axe finds nothing, nothing scrolls sideways, no other host is asked, and the keyboard works."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import fakedesk
from tests.support.axe import overflow, violations
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.serving import serving

pytestmark = pytest.mark.e2e

SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
PAGES = [
    "/",
    "/breaches",
    "/breaches?condition=open&review=new&rule=C08",
    "/breaches?case=none",
    "/breaches/b0000",
    "/breaches/b0003",
    "/breaches/b0004",
    "/breaches/b0007",
    "/cases",
    "/cases/FAM-2001",
    "/cases/STUCK?as_of=2026-03-01",
    "/cases/FAM-1?as_of=x",
    "/due-soon",
    "/due-soon/month?team=north",
    "/due-soon/teams",
    "/due-soon/sheet",
    "/due-soon/calendars",
    "/statistics?team=north",
    "/verdicts?verdict=late",
    "/policies",
    "/policies/cfss",
    "/policies/cfss/rules/C03",
    "/policies/cfss/rules/C04",
    "/policies/cfss/parameters/family_contact_days",
    "/policies/cfss/propose",
    "/policy-changes/ch-1",
    "/policy-changes/ch-old",
    "/backtests/bt-running",
    "/backtests/bt-done",
    "/backtests/bt-same",
    "/audits",
    "/audits/au-running",
    "/audits/au-done",
    "/audits/au-failed",
    "/audits/au-done/compare?with=au-night",
    "/audit-schedules",
    "/sources",
    "/sources/crm",
    "/sources/crm?settled=yes",
    "/sources/clinic",
    "/sources/paper",
    "/administration/retention",
    "/administration/retention/plan",
    "/administration/retention/removals/000001",
    "/administration/notifications",
    "/administration/keys",
    "/status",
    "/help",
    "/account",
    "/password",
    "/nowhere",
]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def address(desk: FakeDesk) -> Iterator[str]:
    """The pages over a made-up desk, served on loopback."""
    with serving(fakedesk.app(desk), threads=4) as port:
        yield f"http://127.0.0.1:{port}"


def sign_in(page: Page, address: str, name: str = "kim") -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Your account")).to_be_visible()
    page.wait_for_selector("html[data-ready]", state="attached")


def test_what_is_under_way_is_followed_and_without_scripts_a_link_does_it(browser: Browser, address: str, desk: FakeDesk) -> None:
    desk.roles = frozenset({"administrator"})
    desk.trial = "running"
    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{address}/sign-in")
        page.locator("#name").fill("kim")
        page.locator("#password").fill(PASSWORD)
        page.locator("main button[type=submit]").click()
        page.goto(f"{address}/policy-changes/ch-1")
        expect(page.locator("#live-backtest")).to_contain_text("4,200 of 20,000 cases judged")
        desk.trial = "done"
        if not scripts:
            page.get_by_role("link", name="Look how far it is now").click()
        expect(page.locator("#live-backtest")).to_contain_text("31 gained, 4 lost")
        desk.trial = "running"
        context.close()


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")


@pytest.mark.parametrize("size", SIZES)
def test_a_mapping_is_tried_out_in_the_browser(browser: Browser, address: str, desk: FakeDesk, size: str) -> None:
    desk.roles = frozenset({"administrator"})
    width, height = SIZES[size]
    context = browser.new_context(locale="en-AU", viewport={"width": width, "height": height})
    page = context.new_page()
    sign_in(page, address)
    open_page(page, f"{address}/sources/crm")
    page.get_by_label("Show the records' own values").check()
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What the mapping makes of The case register")
    page.wait_for_selector("html[data-ready]", state="attached")
    assert violations(page) == []
    assert overflow(page) <= 0
    page.get_by_role("link", name="The case register").click()
    page.get_by_role("button", name="Ask now").click()
    expect(page.get_by_role("status")).to_contain_text("It will be asked within seconds")
    assert violations(page) == []
    context.close()


PARTS = {"today to statistics": PAGES[:20], "policies to help": PAGES[20:]}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("part", PARTS)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(browser: Browser, address: str, desk: FakeDesk, size: str, part: str) -> None:
    desk.roles = frozenset({"administrator"})
    width, height = SIZES[size]
    context = browser.new_context(locale="en-AU", viewport={"width": width, "height": height})
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None)
    wrong = []
    page.goto(f"{address}/sign-in")
    wrong += [f"/sign-in: {fault}" for fault in violations(page)]
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title("Error: Sign in - duecare")
    wrong += [f"/sign-in with errors: {fault}" for fault in violations(page)]
    sign_in(page, address)
    for path in PARTS[part]:
        open_page(page, address + path)
        for group in page.locator("details:not([open]) > summary").all():
            if group.is_visible():
                group.click()
        wrong += [f"{path}: {fault}" for fault in violations(page)]
        if (wide := overflow(page)) > 0:
            wrong.append(f"{path}: {wide} px wider than the window")
    context.close()
    assert not wrong, "\n".join(wrong)
    assert not complaints
    assert len(asked) > len(PARTS[part])
    assert {re.match(r"https?://[^/]+", url)[0] for url in asked if not url.startswith("data:")} == {address}  # type: ignore[index]


def test_states_with_errors_pass_axe(page: Page, address: str, desk: FakeDesk) -> None:
    sign_in(page, address)
    open_page(page, f"{address}/breaches/b0000")
    page.get_by_role("button", name="Save the finding").click()
    expect(page.get_by_role("alert")).to_contain_text("Say what you found")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    assert violations(page) == []
    open_page(page, f"{address}/breaches/b0000")
    desk.review(desk._access("robin"), "b0000", action="uphold", reason="", comment="", version=3)
    page.get_by_label("Dismiss").check()
    page.get_by_label("Reason", exact=True).select_option("record_wrong")
    page.get_by_label("Comment", exact=True).fill("My view.")
    page.get_by_role("button", name="Save the finding").click()
    expect(page.locator("#moved")).to_be_focused()
    expect(page.locator("#moved")).to_contain_text("Somebody else changed this breach")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("My view.")
    assert violations(page) == []
    page.get_by_role("heading", name="History").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_the_list_is_worked_with_the_keyboard_alone(page: Page, address: str, desk: FakeDesk) -> None:
    sign_in(page, address)
    open_page(page, f"{address}/breaches?condition=open")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    rows = page.locator("[data-row]")
    expect(rows.nth(0)).to_have_class(re.compile("is-current"))
    expect(rows.nth(0).locator("a").first).to_be_focused()
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged: No completed safety plan")
    assert desk.rows["b0000"].review == "acknowledged"
    expect(page).to_have_url(re.compile(r"/breaches\?condition=open$"))
    expect(rows.nth(0).locator("a").first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/breaches/b0001\?in="))
    page.wait_for_selector("html[data-ready]", state="attached")
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged")
    assert desk.rows["b0001"].review == "acknowledged"
    back = page.get_by_label("Breadcrumb").get_by_role("link", name="Breaches")
    expect(back).to_have_attribute("href", "/breaches?condition=open#b-b0001")


def test_an_acknowledged_row_stays_until_the_list_is_drawn_again_and_gives_its_place_to_the_next(
    page: Page, address: str, desk: FakeDesk
) -> None:
    from dataclasses import replace

    desk.rows = {name: row if row.review != "acknowledged" else replace(row, review="new") for name, row in desk.rows.items()}
    sign_in(page, address)
    open_page(page, f"{address}/breaches?review=new")
    for _ in range(3):
        page.keyboard.press("j")
    third, fourth = (page.locator("[data-row]").nth(place).get_attribute("id") for place in (2, 3))
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged")
    expect(page.locator(f"#{third}")).to_contain_text("Acknowledged")
    expect(page.locator(f"#{third}")).to_have_class(re.compile("is-current"))
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.get_by_label("Breadcrumb").get_by_role("link", name="Breaches").click()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator(f"#{third}")).to_have_count(0)
    expect(page.locator(f"#{fourth}")).to_have_class(re.compile("is-current"))


def test_single_keys_do_nothing_while_typing_and_can_be_switched_off(page: Page, address: str, desk: FakeDesk) -> None:
    sign_in(page, address)
    open_page(page, f"{address}/breaches/b0000")
    page.get_by_label("Comment", exact=True).fill("")
    page.keyboard.type("a jaunt? k")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("a jaunt? k")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert desk.rows["b0000"].version == 3
    open_page(page, f"{address}/breaches")
    page.keyboard.press("?")
    page.get_by_label("Use these single keys").uncheck()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator(".is-current")).to_have_count(0)
    open_page(page, f"{address}/breaches")
    page.keyboard.press("j")
    expect(page.locator(".is-current")).to_have_count(0)
    page.keyboard.press("?")
    page.get_by_label("Use these single keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".is-current")).to_have_count(1)


def test_the_search_key_reaches_the_case_field_on_a_phone_too(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, address)
    open_page(page, f"{address}/breaches")
    expect(page.get_by_label("Case id")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_label("Case id")).to_be_focused()
    page.keyboard.type("FAM-2003")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/breaches\?search=FAM-2003$"))
    expect(page.locator("[data-row]")).to_have_count(1)


def test_a_long_id_is_copied(browser: Browser, address: str) -> None:
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page = context.new_page()
    sign_in(page, address)
    open_page(page, f"{address}/breaches/b0007")
    page.get_by_role("button", name="Copy the case id").click()
    expect(page.get_by_role("button", name="Copy the case id")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == fakedesk.LONG
    context.close()


def test_everything_works_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.locator("#name").fill("kim")
    page.locator("#password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.goto(f"{address}/breaches")
    page.get_by_role("checkbox", name=re.compile("^Critical")).check()
    page.get_by_role("checkbox", name=re.compile("^Not yet reviewed")).check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-row]").first).to_contain_text("Critical")
    page.locator("[data-row] a").first.click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".dc-flash")).to_contain_text("Acknowledged")
    context.close()


def test_enlarged_nothing_is_lost(page: Page, address: str) -> None:
    """200 and 400 % zoom on a screen of 1366 pixels are windows of 683 and 341; 320 is the narrowest that WCAG asks for."""
    sign_in(page, address)
    for path in PAGES:
        open_page(page, address + path)
        for width in (683, 320):
            page.set_viewport_size({"width": width, "height": 640})
            assert overflow(page) <= 0, f"{path} at {width}"


def test_marking_a_row_moves_nothing(page: Page, address: str) -> None:
    """A link that moves between pressing and releasing the button is not clicked."""
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 768})
        sign_in(page, address)
        open_page(page, f"{address}/breaches")
        link = page.locator("[data-row] a").first
        before = link.bounding_box()
        page.keyboard.press("j")
        expect(page.locator("[data-row]").first).to_have_class(re.compile("is-current"))
        assert link.bounding_box() == before
        page.context.clear_cookies()
