"""The work list in a real browser against the product as it is served: worked with the keyboard alone, its file opened and read back."""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_a_reviewers_day import enter, ready
from tests.support.axe import overflow, violations
from tests.support.running import Running
from tests.support.service_kit import three_visits

pytestmark = pytest.mark.e2e

CASES = [f"k{number}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def key() -> list[str]:
    """Where the product's API key is kept."""
    return []


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, key: list[str]) -> Iterator[Running]:
    """The product with eight cases, none of which has a safety plan in time."""
    with Running(tmp_path_factory.mktemp("home")) as running:
        scopes = ("events:write", "breaches:read", "breaches:review")
        key.append(running.run("keys", "create", "tests", *(part for scope in scopes for part in ("--scope", scope))).split()[-1])
        running.post([event for case in CASES for event in three_visits(case)], key[0])
        running.wait("/v1/breaches?rule=C08", key[0], len(CASES))
        yield running


def api(product: Running, key: str, path: str, body: Any = None, *, version: int = 0) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | ({"If-Match": str(version)} if version else {})
    request = urllib.request.Request(product.address + path, data=None if body is None else json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def cases(page: Page) -> list[str]:
    return re.findall(r"Case (\w+)", " ".join(page.locator("[data-row] .dc-meta").all_inner_texts()))


def test_a_morning_with_the_work_list(page: Page, product: Running, key: list[str]) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    enter(page, product, "kim", product.account("kim", "reviewer"))
    page.goto(f"{product.address}/breaches?condition=open")
    page.locator("summary", has_text="Rule").click()
    page.get_by_role("checkbox", name=re.compile("^C08 ")).check()
    page.get_by_label("Order").select_option("case")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"/breaches\?(?=.*rule=C08)(?=.*condition=open)(?=.*sort=case)(?!.*team=)(?!.*from=)"))
    expect(page.locator(".dc-stamp")).to_contain_text("8 breaches, as of")
    ready(page)
    assert cases(page) == CASES
    answer, rows = page.locator("#answer"), page.locator("[data-row]")

    # Three are chosen and taken on, and nothing on the page moves.
    press(page, "j", "x", "j", "j", "Shift+X")
    expect(page.locator("[data-count]")).to_have_text("3 breaches chosen")
    before = rows.nth(2).bounding_box()
    press(page, "s")
    expect(page.get_by_label("Assign to")).to_be_focused()
    page.keyboard.type("kim")
    press(page, "Enter")
    expect(answer).to_have_text(re.compile("Assigned to you: 3 breaches"))
    assert rows.nth(2).bounding_box() == before
    expect(rows.nth(2).locator("a").first).to_be_focused()
    expect(rows.nth(0)).to_contain_text("kim (you)")
    expect(rows.nth(3)).to_contain_text("nobody")
    assert violations(page) == []

    # One is acknowledged where it stands; the reader stays on it.
    press(page, "a")
    expect(answer).to_have_text(re.compile(r"Acknowledged: No completed safety plan .* \(case k3\)"))
    expect(rows.nth(2)).to_contain_text("Acknowledged")
    expect(rows.nth(2).locator("a").first).to_be_focused()
    expect(page).to_have_url(re.compile("sort=case"))
    press(page, "j")
    expect(rows.nth(3)).to_have_class(re.compile("is-current"))

    # Somebody is first with one of two.
    theirs = next(one for one in api(product, key[0], "/v1/breaches?rule=C08")["items"] if one["case"] == "k4")
    api(product, key[0], f"/v1/breaches/{theirs['id']}/review", {"action": "uphold"}, version=theirs["version"])
    press(page, "x", "j", "x", "a")
    expect(answer).to_contain_text("Acknowledged: No completed safety plan")
    expect(answer).to_contain_text("One was left as it is:")
    expect(answer).to_contain_text(re.compile(r"\(case k4\): it was changed meanwhile by API key .*: Upheld\."))
    expect(rows.nth(3)).to_contain_text("Upheld")
    expect(rows.nth(4)).to_contain_text("Acknowledged")
    expect(page.locator("[data-row].is-chosen")).to_have_count(0)

    # What comes in waits until it is asked for.
    product.post(three_visits("k0"), key[0])
    product.wait("/v1/breaches?rule=C08", key[0], len(CASES) + 1)
    page.wait_for_timeout(1_100)  # the page does not ask twice within a second
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("link", name="1 new finding: show")).to_be_visible()
    assert cases(page) == CASES
    current = rows.nth(4).get_attribute("id")
    press(page, "n")
    expect(page.locator(".dc-stamp")).to_contain_text("9 breaches, as of")
    ready(page)
    assert cases(page) == ["k0", *CASES]
    expect(page.locator(f"#{current} a").first).to_be_focused()

    # The list, as it is, is taken away and kept under a name.
    page.locator("summary", has_text="Columns").click()
    for name, wanted in (("Severity", False), ("Team", True), ("Worker", True), ("Late by", False)):
        page.get_by_role("form", name="Columns").get_by_label(name).set_checked(wanted)
    page.get_by_role("button", name="Show these columns").click()
    expect(page).to_have_url(re.compile("columns=due_on"))
    ready(page)
    press(page, "e")
    expect(page.get_by_role("link", name="Excel workbook")).to_be_focused()
    with page.expect_download() as workbook:
        press(page, "Enter")
    book = openpyxl.load_workbook(io.BytesIO(workbook.value.path().read_bytes()))
    lines = list(book["Breaches"].iter_rows(values_only=True))
    assert lines[0] == (
        "Finding",
        "Case",
        "Rule",
        "About",
        "Was due",
        "Team",
        "Worker",
        "Assigned to",
        "Condition",
        "Review",
        "Contested",
        "Breach",
    )
    assert [line[1] for line in lines[1:]] == cases(page)
    assert [line[7] for line in lines[1:]] == [None, "kim", "kim", "kim", None, None, None, None, None]
    assert [line[9] for line in lines[1:6]] == ["Not yet reviewed", "Not yet reviewed", "Not yet reviewed", "Acknowledged", "Upheld"]
    about = {line[0]: line[1] for line in book["About this list"].iter_rows(values_only=True)}
    assert (about["Breaches"], about["Condition"], about["Order"]) == ("9", "Open", "By case")
    with page.expect_download() as text:
        page.get_by_role("link", name="CSV text").click()
    told = list(csv.reader(io.StringIO(text.value.path().read_text(encoding="utf-8-sig"))))
    assert [line[1] for line in told[told.index([]) + 2 :]] == cases(page)
    page.locator("summary", has_text="Save this view").click()
    page.get_by_label("Name", exact=True).fill("Plans")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".dc-flash")).to_contain_text("Saved the view “Plans”")
    expect(page.get_by_role("navigation", name="Views of the list").locator("[aria-current]")).to_have_text("Plans")
    page.get_by_role("link", name="Assigned to me").click()
    expect(page.locator(".dc-stamp")).to_contain_text("3 breaches, as of")
    ready(page)
    assert violations(page) == []
    for width in (768, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert overflow(page) <= 0


def test_the_step_of_a_session_that_is_over_is_told_on_a_page_of_its_own(page: Page, product: Running) -> None:
    enter(page, product, "lee", product.account("lee", "reviewer"))
    page.goto(f"{product.address}/breaches?rule=C08&sort=case")
    ready(page)
    page.context.clear_cookies()
    press(page, "j", "x", "a")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Breaches")
    expect(page.locator("main")).to_contain_text("Nothing was")
