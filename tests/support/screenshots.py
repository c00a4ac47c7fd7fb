"""Makes the pictures of docs/images from the made-up population: `python -m tests.support.screenshots`;
with the word `keeping`, only those of notifications and retention.

It starts the product on a home folder of its own, signs in, and looks at the pages as a reviewer sees them.  Needs a Chromium.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from service.statistics import LEAST_MS
from tests.support.running import ROOT, Running

IMAGES = ROOT / "docs" / "images"
PASSWORD = "a phrase for the pictures"
LAPTOP: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}


RETENTION = """
rules:
  - {program: cfss, years: 7}
  - {program: "*", years: 25, mode: pseudonymise}
access_log: {years: 7}
refused_records: {years: 2}
"""
NOTIFY = """
pages: https://duecare.example.org/
webhooks:
  - {name: case-system, title: The case system, url: "http://127.0.0.1:9/hooks/duecare", allow_private: true, secret: {env: HOOK_SECRET}}
digests:
  - {name: team-leaders, title: Team leaders, role: team_leader, when: "30 7 * * 1-5", zone: Australia/Adelaide}
smtp: {host: 127.0.0.1, port: 9, tls: none, from: duecare@example.org}
"""


class _Keeping(Running):
    """The product with rules of retention and receivers of notifications."""

    @property
    def environment(self) -> dict[str, str]:
        files = {"DUECARE_RETENTION": str(self.home / "retention.yaml"), "DUECARE_NOTIFY": str(self.home / "notify.yaml")}
        return {**super().environment, **files, "HOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def main() -> None:
    chromium = os.environ.get("DUECARE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no Chromium: `apt install chromium`, or name its program in DUECARE_CHROMIUM")
    IMAGES.mkdir(parents=True, exist_ok=True)
    flags = ["--lang=en-AU", "--disable-gpu", "--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        _keeping(browser)
        browser.close()
    if sys.argv[1:] == ["keeping"]:
        return
    with (
        tempfile.TemporaryDirectory() as home,
        _client_system() as folder,
        Running(Path(home), demo=True, sources=folder) as product,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_context(viewport=LAPTOP, locale="en-AU", timezone_id="Australia/Darwin").new_page()
        page.goto(f"{product.address}/sign-in")
        _take(page, "sign-in")
        _enter(page, product.password)
        _settle(page, product.address)
        for name, path in (
            ("today", "/"),
            ("breaches", "/breaches?condition=open&sort=severity"),
            ("due-soon", "/due-soon"),
            ("due-month", "/due-soon/month"),
            ("due-teams", "/due-soon/teams"),
            ("statistics", "/statistics"),
            ("cases", "/cases?sort=-open_breaches"),
            ("policies", "/policies"),
            ("policy", "/policies/cfss"),
            ("status", "/status"),
            ("help", "/help"),
        ):
            page.goto(product.address + path)
            _take(page, name)
        page.goto(f"{product.address}/breaches?condition=remedied&rule=C08")
        page.locator("[data-row] a").first.click()
        expect(page).to_have_url(re.compile("/breaches/"))
        _take(page, "breach", full=True)
        page.locator("dl.dc-facts a").first.click()
        expect(page).to_have_url(re.compile("/cases/"))
        case = page.url
        _take(page, "case", full=True)
        page.locator("#journey").evaluate("element => element.scrollIntoView()")
        _take(page, "journey")
        page.goto(f"{product.address}/policies/cfss/rules/C08")
        _take(page, "rule", full=True)
        _change(page, product.address)
        _sources(page, product.address, folder)
        _waiver(page, product.address)
        _audits(page, product.address)
        for name, path in (("administration", "/administration"), ("access-log", "/administration/access-log"), ("account", "/account")):
            page.goto(product.address + path)
            _take(page, name)
        page.set_viewport_size(PHONE)
        for name, path in (("today-phone", "/"), ("breaches-phone", "/breaches?condition=open&sort=severity"), ("case-phone", case)):
            page.goto(path if path == case else product.address + path)
            _take(page, name)
        browser.close()


def _keeping(browser: Browser) -> None:
    """Old cases: one has a legal hold, the other is removed.  Nobody takes the notifications."""
    with tempfile.TemporaryDirectory() as given:
        home = Path(given)
        (home / "retention.yaml").write_text(RETENTION)
        (home / "notify.yaml").write_text(NOTIFY)
        cases = [("FAM-7", "2016-08-12"), ("FAM-8", "2016-09-30"), ("FAM-9", time.strftime("%Y-01-31"))]
        (home / "old.jsonl").write_text("".join(f"{json.dumps(one)}\n" for case, closed in cases for one in _old_case(case, closed)))
        with _Keeping(home) as product:
            page = browser.new_context(viewport=LAPTOP, locale="en-AU", timezone_id="Australia/Darwin").new_page()
            page.goto(f"{product.address}/sign-in")
            _enter(page, product.password)
            product.run("events", "import", str(home / "old.jsonl"))
            _settle(page, product.address)
            page.goto(f"{product.address}/cases/FAM-7")
            page.get_by_text("Set a legal hold").click()
            page.get_by_label("Why nothing of it may be removed").fill("The coroner has asked for it, 12 March.")
            page.get_by_role("button", name="Set the hold").click()
            page.goto(f"{product.address}/administration/retention/plan")
            page.get_by_role("button", name="Remove it now").click()
            for _ in range(60):
                if "Certificate 000001" in page.locator("main").inner_text():
                    break
                time.sleep(1)
                page.reload()
            for name, path in (("retention", "/administration/retention"), ("notifications", "/administration/notifications")):
                page.goto(product.address + path)
                _take(page, name)


def _old_case(case: str, closed: str) -> list[dict[str, Any]]:
    year = closed[:4] if closed[5:] > "02" else str(int(closed[:4]) - 1)
    place = {"program": "cfss", "team": "north", "office": "adelaide"}
    told = (("service.connected", f"{year}-02-01", place), ("case.closed", closed, {"closure_reason": "safety_achieved"}))
    return [
        {"specversion": "1.0", "id": f"{case}-{kind}", "source": "urn:example:casework", "type": kind, "subject": case,
         "time": f"{day}T09:00:00+09:30", "data": data}
        for kind, day, data in told
    ]  # fmt: skip


def _enter(page: Page, password: str) -> None:
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("One-time password").fill(password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Save the new password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def _change(page: Page, address: str) -> None:
    """A number is proposed and tried on the cases."""
    page.goto(f"{address}/policies/cfss/parameters/family_contact_days")
    page.get_by_label("Number of days").fill("14")
    page.get_by_label("Apply it to open cases").check()
    page.get_by_label("Why").fill("The department reads \u201cregularly\u201d as every two weeks; see the minutes of March.")
    _take(page, "number", full=True)
    page.get_by_role("button", name="Propose it").click()
    page.get_by_role("button", name="Try it on the stored cases").click()
    expect(page.locator("#live-backtest")).to_contain_text("The whole report", timeout=600_000)
    page.goto(page.url.partition("#")[0])
    _take(page, "proposal", full=True)
    page.get_by_role("link", name="The whole report").click()
    expect(page.get_by_role("heading", name="The outcome")).to_be_visible()
    _take(page, "backtest", full=True)


@contextmanager
def _client_system() -> Iterator[Path]:
    """A folder into which a made-up system has laid a file, one row of which cannot be read."""
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        shutil.copytree(ROOT / "docs" / "examples" / "watched-folder", folder, dirs_exist_ok=True)
        yield folder


def _sources(page: Page, address: str, folder: Path) -> None:
    page.goto(f"{address}/sources/forms")
    page.get_by_role("button", name="Ask now").click()
    for _ in range(120):
        page.goto(f"{address}/sources/forms")
        if page.get_by_role("button", name="Try all of them again").is_visible():
            break
        time.sleep(1)
    page.goto(f"{address}/sources")
    _take(page, "sources")
    page.goto(f"{address}/sources/forms")
    page.wait_for_selector("html[data-ready]", state="attached")
    hidden = "(element, folder) => { element.textContent = element.textContent.replace(folder, '/etc/duecare/sources') }"
    page.locator("span", has_text=str(folder)).last.evaluate(hidden, str(folder))
    _take(page, "source", full=True)
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("What the mapping makes of")
    _take(page, "try-out", full=True)


def _waiver(page: Page, address: str) -> None:
    page.goto(f"{address}/breaches?condition=open&severity=medium")
    page.locator("[data-row] a").first.click()
    page.get_by_role("link", name="Ask for a waiver").click()
    _take(page, "ask-for-a-waiver", full=True)
    page.locator("main select").first.select_option(index=1)
    page.locator("main input[type=date]").fill(f"{time.strftime('%Y', time.gmtime(time.time() + 30 * 86_400))}-12-31")
    page.locator("main form button[type=submit]").last.click()
    page.goto(f"{address}/waivers")
    _take(page, "waivers")


def _audits(page: Page, address: str) -> None:
    """One audit of today and one of some weeks before, and what lies between them."""
    for days_ago in (0, 35):
        page.goto(f"{address}/audits")
        if page.locator("details[open] #as_of").count() == 0:
            page.locator("summary").first.click()
        if days_ago:
            day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - days_ago * 86_400))
            page.locator("#as_of").fill(day)
            page.locator("#known_at").fill(day)
        page.get_by_role("button", name="Start the audit").click()
        page.wait_for_selector("#outcome", timeout=600_000)
    _take(page, "audit")
    page.get_by_role("button", name="Compare", exact=True).click()
    _take(page, "audits-compared")
    page.goto(f"{address}/audits")
    _take(page, "audits")


def _settle(page: Page, address: str) -> None:
    """Until every case has been judged, and counted after that."""
    for _ in range(300):
        page.goto(f"{address}/status")
        if "Waiting to be judged\n0 cases" in page.locator("dl.dc-facts").inner_text().replace("\n\n", "\n"):
            time.sleep(2 * LEAST_MS / 1000)
            return
        time.sleep(1)
    sys.exit("the made-up cases were not judged in time")


def _take(page: Page, name: str, *, full: bool = False) -> None:
    page.wait_for_selector("html[data-ready]", state="attached")
    page.screenshot(path=IMAGES / f"{name}.png", full_page=full, animations="disabled")


if __name__ == "__main__":
    main()
