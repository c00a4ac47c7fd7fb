"""Makes the pictures of docs/images from the made-up population: `python -m tests.support.screenshots`.

It starts the product on a home folder of its own, signs in, and looks at the pages as a reviewer sees them.  Needs a Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.support.running import ROOT, Running

IMAGES = ROOT / "docs" / "images"
PASSWORD = "a phrase for the pictures"
LAPTOP: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}


def main() -> None:
    chromium = os.environ.get("DUECARE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no Chromium: `apt install chromium`, or name its program in DUECARE_CHROMIUM")
    IMAGES.mkdir(parents=True, exist_ok=True)
    flags = ["--lang=en-AU", "--disable-gpu", "--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with tempfile.TemporaryDirectory() as home, Running(Path(home), demo=True) as product, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_context(viewport=LAPTOP, locale="en-AU", timezone_id="Australia/Darwin").new_page()
        page.goto(f"{product.address}/sign-in")
        _take(page, "sign-in")
        _enter(page, product.password)
        _settle(page, product.address)
        for name, path in (
            ("breaches", "/?condition=open&sort=severity"),
            ("due-soon", "/due-soon"),
            ("cases", "/cases?sort=-open_breaches"),
            ("policy", "/policies/cfss"),
            ("status", "/status"),
            ("help", "/help"),
        ):
            page.goto(product.address + path)
            _take(page, name)
        page.goto(f"{product.address}/?condition=remedied&rule=C08")
        page.locator("[data-row] a").first.click()
        expect(page).to_have_url(re.compile("/breaches/"))
        _take(page, "breach", full=True)
        page.locator("dl.dc-facts a").first.click()
        expect(page).to_have_url(re.compile("/cases/"))
        _take(page, "case")
        page.locator("#journey").evaluate("element => element.scrollIntoView()")
        _take(page, "journey")
        page.set_viewport_size(PHONE)
        page.goto(f"{product.address}/?condition=open&sort=severity")
        _take(page, "breaches-phone")
        browser.close()


def _enter(page: Page, password: str) -> None:
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("One-time password").fill(password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Save the new password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Breaches")


def _settle(page: Page, address: str) -> None:
    """Until every case has been judged."""
    for _ in range(300):
        page.goto(f"{address}/status")
        if "Waiting to be judged\n0 cases" in page.locator("dl.dc-facts").inner_text().replace("\n\n", "\n"):
            return
        time.sleep(1)
    sys.exit("the made-up cases were not judged in time")


def _take(page: Page, name: str, *, full: bool = False) -> None:
    page.wait_for_selector("html[data-ready]", state="attached")
    page.screenshot(path=IMAGES / f"{name}.png", full_page=full, animations="disabled")


if __name__ == "__main__":
    main()
