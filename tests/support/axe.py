"""Accessibility by axe-core: every rule of WCAG 2.2 A and AA that a machine can check, and its best practices."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands now; empty where nothing is."""
    response = Axe().run(page, options=OPTIONS).response
    assert response["passes"], "axe looked at nothing"
    return [
        f"{found['id']}: {found['help']} at {', '.join(str(node['target']) for node in found['nodes'][:4])}"
        for found in response["violations"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window: sideways scrolling on a phone."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
