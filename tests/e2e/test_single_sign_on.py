"""A browser goes to the provider and back, and out again, with the strict CSP of the pages in force and three hosts' worth of redirects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import violations
from tests.support.provider import CLIENT, SECRET, running
from tests.support.running import Running

pytestmark = pytest.mark.e2e


def test_somebody_comes_in_by_their_organisation_and_leaves_by_it(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, roles = tmp_path / "secret", tmp_path / "roles.yaml"
    secret.write_text(SECRET + "\n")
    roles.write_text(json.dumps({"north": {"roles": ["reviewer"], "teams": ["north"]}}))
    with running() as provider:
        for name, value in {
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": CLIENT,
            "OIDC_CLIENT_SECRET_FILE": str(secret),
            "OIDC_ROLE_MAP": str(roles),
            "OIDC_ONLY": "true",
        }.items():
            monkeypatch.setenv(name, value)
        with Running(tmp_path / "home") as product:
            context = browser.new_context()
            page = context.new_page()
            blocked: list[str] = []
            page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
            page.goto(f"{product.address}/status")
            expect(page.get_by_label("Password", exact=True)).to_have_count(0)
            assert violations(page) == []
            button = page.get_by_role("button", name="Sign in with your organisation's account")

            provider.person = {"sub": "1", "preferred_username": "robin", "groups": []}
            button.click()
            expect(page.get_by_role("heading", level=1)).to_have_text("You have no access here yet")
            assert violations(page) == []
            provider.person = {"sub": "2", "preferred_username": "kim", "groups": ["north"]}
            page.goto(f"{product.address}/status")
            button.click()
            expect(page).to_have_url(f"{product.address}/status")
            expect(page.locator("header")).to_contain_text("Signed in as kim")

            page.get_by_role("button", name="Sign out").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Signing out")
            expect(page).to_have_url(f"{product.address}/sign-in")
            assert [ended["id_token_hint"] for ended in provider.ended] == [provider.tokens[-2]]
            page.goto(product.address)
            expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
            assert blocked == []
            context.close()
